"""Trainings of generators; `mien train generate/NAME` runs one."""

from __future__ import annotations

from dataclasses import replace

from mien.train.gan_recipe import GANRecipe
from mien.train.generate_recipe import GenerateRecipe

MUON = GenerateRecipe("vae", "digits", inputs="none", batch=100, epochs=60, optimiser="muon", lr=0.02, bias_lr=0.05, momentum=0.95,
                      schedule="cosine", warmup=0.02, final=1e-3, average=0.999, clip=0.0)  # fmt: skip

ADAM = GANRecipe("dcgan", "digits", inputs="none", optimiser="adam", lr=2e-4, betas=(0.5, 0.999), average=0.999, size=32, epochs=50)
"""What the DCGAN paper trains with (section 4), but 64 pictures a step instead of 128."""


def vae() -> GenerateRecipe:
    """A variational autoencoder of digits, dense (Kingma and Welling 2014), 40 latent numbers; Muon's step wants large batches."""
    return replace(MUON, options={"latent": 40, "width": 224}, batch=500, bias_lr=0.1, epochs=100)


def vae_plane() -> GenerateRecipe:
    """The same with 2 latent numbers: a plane that can be looked at."""
    return replace(vae(), options={"latent": 2, "width": 224}, epochs=30)


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


def gan() -> GANRecipe:
    """The first GAN, of dense layers, on digits (Goodfellow et al. 2014), by its non-saturating loss."""
    return replace(ADAM, network="gan", size=None, batch=100)


def gan_minimax() -> GANRecipe:
    """The same by the saturating loss of its equation 1: to see why nobody uses it."""
    return replace(gan(), loss="minimax")


def cgan() -> GANRecipe:
    """A GAN of dense layers that draws the digit asked for (Mirza and Osindero 2014)."""
    return replace(gan(), network="cgan", conditional=True)


def wgan() -> GANRecipe:
    """Wasserstein GAN with clipped weights on digits (Arjovsky et al. 2017): five steps of the critic, RMSprop."""
    return replace(ADAM, loss="wasserstein", options={"width": 32}, judge={"width": 32}, judge_steps=5, optimiser="rmsprop", lr=5e-5,
                   clip_judge=0.01)  # fmt: skip


def wgan_gp() -> GANRecipe:
    """Wasserstein GAN with gradient penalty on digits (Gulrajani et al. 2017, algorithm 1); a critic without batch norm."""
    return replace(ADAM, loss="wasserstein", options={"width": 32}, judge={"width": 32, "norm": "none"}, judge_steps=5, lr=1e-4,
                   betas=(0.0, 0.9), penalty="gradient")  # fmt: skip


def lsgan() -> GANRecipe:
    """Least squares GAN on digits (Mao et al. 2017)."""
    return replace(ADAM, loss="least-squares", options={"width": 32}, judge={"width": 32})


def cgan_dcgan() -> GANRecipe:
    """A DCGAN that draws the digit asked for, 28 pixels: digits-cgan, which is bundled."""
    return replace(ADAM, conditional=True, size=None, schedule="linear", final=0.1, options={"latent": 64, "width": 48},
                   judge={"width": 48}, epochs=12)  # fmt: skip


def dcgan() -> GANRecipe:
    """DCGAN of anime faces, 64 pixels (Radford et al. 2016)."""
    return replace(ADAM, data="anime_faces", size=64, flip=True, epochs=200)


def dcgan_small() -> GANRecipe:
    """The same for little time and a small file, anime-dcgan, which is bundled: half the width, half the batch, real and made pictures
    moved for the judge (Zhao et al. 2020).
    """
    return replace(dcgan(), batch=32, options={"width": 32}, judge={"width": 32}, lr=3e-4, schedule="linear", final=0.1,
                   augment=("translation",))  # fmt: skip


def dcgan_cifar10() -> GANRecipe:
    """DCGAN of CIFAR-10, 32 pixels."""
    return replace(ADAM, data="cifar10", flip=True)


def wgan_gp_cifar10() -> GANRecipe:
    """Wasserstein GAN with gradient penalty on CIFAR-10."""
    return replace(wgan_gp(), data="cifar10", flip=True, options={"width": 64}, judge={"width": 64, "norm": "none"})


def projection() -> GANRecipe:
    """Residual generator, projection discriminator, hinge loss, spectral norm, CIFAR-10 by its labels (Miyato and Koyama 2018)."""
    return replace(ADAM, network="projection", data="cifar10", conditional=True, flip=True, loss="hinge", judge_steps=5,
                   betas=(0.0, 0.9), schedule="linear", epochs=320)  # fmt: skip
