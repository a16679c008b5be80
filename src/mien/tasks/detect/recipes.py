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


def own() -> DetectRecipe:
    """Pictures of your own with boxes (--data FOLDER: VOC XML or COCO JSON) by mien's small Faster R-CNN."""
    return replace(SMALL, epochs=1000)


def few() -> DetectRecipe:
    """Whether it learns at all: eight photos of COCO128 by heart. A sanity test, no measure of anything else."""
    return replace(SMALL, data="detect/coco128", split="train", watched="train", tested="", epochs=400, zoom=0.0, light=0.0, average=0.0)
