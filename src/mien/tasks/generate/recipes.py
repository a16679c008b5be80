"""Trainings of generators; `mien train generate/NAME` runs one."""

from __future__ import annotations

from dataclasses import replace

from mien.train.generate_recipe import GenerateRecipe

MUON = GenerateRecipe("vae", "digits", inputs="none", batch=100, epochs=60, optimiser="muon", lr=0.02, bias_lr=0.05, momentum=0.95,
                      schedule="cosine", warmup=0.02, final=1e-3, average=0.999, clip=0.0)  # fmt: skip


def vae() -> GenerateRecipe:
    """A variational autoencoder of digits, dense (Kingma and Welling 2014), 32 latent numbers."""
    return replace(MUON, options={"latent": 32})


def vae_small() -> GenerateRecipe:
    """The same with convolutions: an eighth of the weights."""
    return replace(MUON, options={"latent": 32, "kind": "convolutional", "width": 64})


def vae_residual() -> GenerateRecipe:
    """With residual blocks, most of the work at a quarter of the side: the bundled digits-vae."""
    return replace(MUON, options={"latent": 32, "kind": "residual", "width": 32}, batch=128, lr=0.03)


def pixelcnn() -> GenerateRecipe:
    """A PixelCNN of digits (van den Oord et al. 2016)."""
    return replace(MUON, network="pixelcnn", options={"half": 24, "blocks": 7}, batch=32, epochs=20)


def pixelcnn_gated() -> GenerateRecipe:
    """The gated form, without a blind spot (van den Oord et al. 2016)."""
    return replace(MUON, network="gated-pixelcnn", options={"width": 32, "layers": 8}, batch=32, epochs=20)


def pixelcnn_squares() -> GenerateRecipe:
    """The gated form in squares of 2 x 2 pixels, a quarter of the places to compute: the bundled digits-pixelcnn."""
    options = {"width": 48, "layers": 6, "sizes": [5, 3], "patch": 2}
    return replace(MUON, network="gated-pixelcnn", options=options, batch=16, epochs=4)
