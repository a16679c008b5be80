"""Trainings of networks that restyle pictures."""

from __future__ import annotations

from mien.train.adain_recipe import AdaINRecipe


def adain() -> AdaINRecipe:
    """Any style in one pass (Huang and Belongie 2017): a small decoder for VGG16's relu3_1, by Muon; an hour on one core of a CPU."""
    return AdaINRecipe(
        "adain", ".", parts=("sr/bsds_train", "detect/coco128"), styles=("style/style/mondrian.jpg", "style/style/woman_with_hat_matisse.jpg"),
        epochs=40, optimiser="muon", lr=0.02, bias_lr=0.1, momentum=0.95, schedule="cosine", final=1e-3, average=0.995, inputs="none",
    )  # fmt: skip
