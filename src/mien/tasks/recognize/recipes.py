"""Trainings of networks that map faces to vectors: one network and one set of pictures, seven losses."""

from __future__ import annotations

from dataclasses import replace

from mien.train.recipe import MetricRecipe

ORL = MetricRecipe(
    "speednet", "faces/orl", {"widths": [16, 32, 64]}, size=48, epochs=40, optimiser="adamw", lr=2e-3, l2=0.01, clip=5.0,
    schedule="cosine", warmup=0.1, flip=True, shift=3, turn=8.0, zoom=0.1, light=0.2, average=0.95, vector=64, people=10,
    photos=4,
)  # fmt: skip
"""What the trainings on ORL have in common: 30 people to learn from, 10 others for the test; 280 steps of 10 x 4."""


def orl_triplet() -> MetricRecipe:
    """Triplet loss over all triplets of a batch (Hermans et al. 2017, batch all), on 30 people of ORL."""
    return replace(ORL, loss="triplet")


def orl_semi_hard() -> MetricRecipe:
    """Triplet loss with semi-hard negatives (Schroff et al. 2015)."""
    return replace(ORL, loss="semi-hard")


def orl_batch_hard() -> MetricRecipe:
    """Triplet loss with the hardest positive and negative of the batch (Hermans et al. 2017); in small steps, or it collapses."""
    return replace(ORL, loss="batch-hard", lr=5e-4)


def orl_pairwise() -> MetricRecipe:
    """Logistic regression over the differences of two vectors (as Koch et al. 2015)."""
    return replace(ORL, loss="pairwise")


def orl_contrastive() -> MetricRecipe:
    """Contrastive loss (Hadsell et al. 2006)."""
    return replace(ORL, loss="contrastive")


def orl_arcface() -> MetricRecipe:
    """Additive angular margin softmax (Deng et al. 2019)."""
    return replace(ORL, loss="arcface")


def orl_cosface() -> MetricRecipe:
    """Additive cosine margin softmax (Wang et al. 2018)."""
    return replace(ORL, loss="cosface")


def folder() -> MetricRecipe:
    """A folder by person of one's own, in colour: what `mien recognize train` starts from."""
    return replace(ORL, data="", epochs=30, size=48, options={"widths": [32, 64, 128]}, loss="semi-hard")
