"""Trainings of detectors."""

from __future__ import annotations

from dataclasses import replace

from mien.train.detect_recipe import DetectRecipe

SMALL = DetectRecipe(
    "mien-detect", ".", epochs=60, optimiser="muon", lr=0.02, bias_lr=0.1, momentum=0.95, l2=0.01, clip=5.0, schedule="cosine",
    warmup=0.03, final=1e-3, average=0.995, inputs="none",
)  # fmt: skip


def cells() -> DetectRecipe:
    """Blood cells (BCCD, its own split) by mien's small Faster R-CNN: half an hour on one core of a CPU."""
    return replace(SMALL, data="detect/bccd", split="trainval", watched="", upright=False)


def faces() -> DetectRecipe:
    """Faces by mien's small Faster R-CNN, from a folder that `mien.tasks.detect.face_set.gather` fills (--data FOLDER)."""
    return replace(SMALL, epochs=20, watched="", zoom=1.0, mosaic=0.5)


def cells_one() -> DetectRecipe:
    """The largest blood cell of a picture: its class and one box, by a classifier (localisation, before there were detectors)."""
    return replace(cells(), network="localiser", how="one", epochs=30)


def cells_rcnn() -> DetectRecipe:
    """Blood cells by R-CNN: selective search, then every region through the same convolutions by itself."""
    return replace(cells(), network="mien-rcnn", how="rcnn", epochs=10, regions=32)


def cells_fast() -> DetectRecipe:
    """Blood cells by Fast R-CNN: selective search, then regions cut from the same maps."""
    return replace(cells(), network="mien-fast", how="fast", epochs=30)


def cells_four_steps() -> DetectRecipe:
    """Blood cells by Faster R-CNN in the paper's four steps instead of all at once."""
    return replace(cells(), how="four-steps")


def cells_vgg16() -> DetectRecipe:
    """Blood cells by Faster R-CNN as published: on VGG16's convolutions, learnt from ImageNet (61 MB, fetched once); wants a GPU."""
    return DetectRecipe(
        "faster-rcnn-vgg16", "detect/bccd", split="trainval", watched="", side=600, longest=1000, batch=1, epochs=30, zoom=0.0,
        light=0.0, anchors=256, regions=128, proposals=2000, start="vgg16", cross_border="ignore", optimiser="sgd", lr=1e-3,
        momentum=0.9, l2=5e-4, schedule="step", milestones=(0.75,), inputs="none",
    )  # fmt: skip


def cells_lite0() -> DetectRecipe:
    """Blood cells by the small Faster R-CNN on EfficientNet-Lite0, learnt from ImageNet (17 MB, fetched once)."""
    return replace(cells(), network="faster-rcnn-lite0", start="efficientnet-lite0")


def own() -> DetectRecipe:
    """Pictures of your own with boxes (--data FOLDER: VOC XML or COCO JSON) by mien's small Faster R-CNN."""
    return replace(SMALL, epochs=1000)


def by_heart() -> DetectRecipe:
    """Whether it learns at all: COCO128 by heart, tested on what was learnt. A sanity test, no measure of anything else."""
    return replace(SMALL, data="detect/coco128", split="all", watched="", tested="all", epochs=100, zoom=0.0, light=0.0)
