"""Trainings of networks that restyle in one pass, on photographs of the Berkeley set and of COCO."""

from __future__ import annotations

from dataclasses import replace

from mien.train.style_recipe import StyleRecipe

PHOTOGRAPHS = ("sr/bsds_train", "detect/coco128/images")
FOUR = StyleRecipe(
    "style-net", "", parts=PHOTOGRAPHS, epochs=10, batch=1, patch=192, optimiser="muon", lr=0.02, bias_lr=0.15, momentum=0.95,
    schedule="cosine", warmup=0.02, final=1e-3, average=0.995, inputs="none",
    styles=("style/style/mondrian.jpg", "style/style/woman_with_hat_matisse.jpg", "waves", "glass"),
)  # fmt: skip


def four() -> StyleRecipe:
    """The bundled network: two paintings and two drawn pictures, one set of convolutions (Johnson et al. 2016, Dumoulin et al. 2017)."""
    return FOUR


def own() -> StyleRecipe:
    """A picture of your own (--set style=PICTURE) on the bundled network's convolutions, in minutes."""
    return replace(FOUR, styles=(), start="mien-style", learnt="styles", epochs=0.5, batch=4, lr=0.03, average=0.98)
