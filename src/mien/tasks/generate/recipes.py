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


def pixelcnn() -> GenerateRecipe:
    """A PixelCNN of digits (van den Oord et al. 2016)."""
    return replace(MUON, network="pixelcnn", options={"half": 24, "blocks": 7}, batch=32, epochs=20)


def pixelcnn_gated() -> GenerateRecipe:
    """The gated form, without a blind spot (van den Oord et al. 2016)."""
    return replace(MUON, network="gated-pixelcnn", options={"width": 32, "layers": 8}, batch=32, epochs=20)
