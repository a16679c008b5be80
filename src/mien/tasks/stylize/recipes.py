"""Trainings of networks that restyle pictures, on photographs of the Berkeley set and of COCO."""

from __future__ import annotations

from dataclasses import replace

from mien.train.adain_recipe import AdaINRecipe
from mien.train.style_recipe import StyleRecipe

PAINTINGS = ("style/style/mondrian.jpg", "style/style/woman_with_hat_matisse.jpg")
FOUR = StyleRecipe(
    "style-net", ".", parts=("sr/bsds_train", "detect/coco128"), styles=(PAINTINGS[0], f"matisse={PAINTINGS[1]}", "waves", "glass"),
    epochs=10, patch=192, optimiser="muon", lr=0.02, bias_lr=0.15, momentum=0.95, schedule="cosine", warmup=0.02, final=1e-3,
    average=0.995, inputs="none",
)  # fmt: skip


def adain() -> AdaINRecipe:
    """Any style in one pass (Huang and Belongie 2017): a small decoder for VGG16's relu3_1, by Muon; an hour on one core of a CPU."""
    return AdaINRecipe(
        "adain", ".", parts=("sr/bsds_train", "detect/coco128"), styles=PAINTINGS,
        epochs=40, optimiser="muon", lr=0.02, bias_lr=0.1, momentum=0.95, schedule="cosine", final=1e-3, average=0.995, inputs="none",
    )  # fmt: skip


def four() -> StyleRecipe:
    """Two paintings and two drawn pictures in one small network (Johnson et al. 2016, Dumoulin et al. 2017): the bundled one."""
    return FOUR


def own() -> StyleRecipe:
    """A picture of your own (--set style=PICTURE) on the bundled network's convolutions, in minutes."""
    return replace(FOUR, styles=(), start="mien-style", learnt="styles", epochs=0.5, batch=4, lr=0.03, average=0.98)
