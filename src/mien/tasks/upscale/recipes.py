"""Trainings of enlargers, on the pictures the papers learnt from: 91 of Yang et al. 2010, and 200 of the Berkeley set."""

from __future__ import annotations

from dataclasses import replace

from mien.train.recipe import AdversarialEnlargeRecipe, EnlargeRecipe

BOTH = ("t91", "bsds_train")
FAST = EnlargeRecipe(
    "mien-upscale", "sr", parts=BOTH, epochs=400, batch=16, patch=48, optimiser="muon", lr=0.01, bias_lr=0.1, momentum=0.95,
    schedule="cosine", warmup=0.02, final=1e-3, average=0.998, zooms=(1.0, 0.8, 0.6), inputs="none",
)  # fmt: skip


def fast() -> EnlargeRecipe:
    """The own network of mien, x2, x3 and x4 at once."""
    return FAST


def vdsr() -> EnlargeRecipe:
    """VDSR as in its paper (Kim et al. 2016): all scales, 41-pixel patches, 64 a step, momentum 0.9, rate 0.1 a tenth three times."""
    return EnlargeRecipe(
        "vdsr", "sr", parts=BOTH, epochs=80, batch=64, patch=21, even=True, optimiser="sgd", lr=0.1, momentum=0.9, l2=1e-4,
        schedule="step", milestones=(0.25, 0.5, 0.75), relative_clip=0.01, loss="squared", inputs="none",
    )  # fmt: skip


def vdsr_quick() -> EnlargeRecipe:
    """VDSR in little time: Muon, a start that is linear, a falling rate, an average of the weights."""
    return replace(
        vdsr(), options={"start": "linear"}, optimiser="muon", lr=0.01, bias_lr=0.1, momentum=0.95, l2=0.0, schedule="cosine",
        warmup=0.02, final=1e-3, average=0.998, relative_clip=0.0, batch=4, loss="absolute",
    )  # fmt: skip


def srcnn() -> EnlargeRecipe:
    """SRCNN 9-5-5, x3 (Dong et al. 2015): one network a scale (--set scales=2); Adam where the paper waits for SGD."""
    return EnlargeRecipe(
        "srcnn", "sr", {"name": "9-5-5"}, parts=BOTH, scales=(3,), epochs=2000, batch=32, patch=22, even=True, optimiser="adam",
        lr=1e-3, last_lr=0.1, schedule="cosine", warmup=0.01, final=1e-3, average=0.998, loss="squared", inputs="none",
    )  # fmt: skip


def srcnn_quick() -> EnlargeRecipe:
    """SRCNN 9-5-5 in little time: Muon, and bicubic as a start, where the paper takes days; also for x2 and x4 (--set scales=2)."""
    return replace(srcnn(), options={"name": "9-5-5", "start": "through"}, optimiser="muon", lr=0.02, bias_lr=0.05, momentum=0.95,
                   last_lr=1.0, batch=4, patch=33, zooms=(1.0, 0.8, 0.6), warmup=0.02)  # fmt: skip


def srcnn_915() -> EnlargeRecipe:
    """SRCNN 9-1-5, the first and smallest (Dong et al. 2014)."""
    return replace(srcnn(), options={"name": "9-1-5"})


def face() -> EnlargeRecipe:
    """Small, worn faces, x4: mien's own network on faces alone (`mien.tasks.upscale.facing` finds them: --data PACK)."""
    return replace(FAST, data="train", parts=(), scales=(4,), patch=40, worn=True, zooms=(1.0,), dev=30, epochs=300)


def srresnet() -> EnlargeRecipe:
    """SRResNet, x4 (Ledig et al. 2017): squared error on 96-pixel patches, 16 a step, Adam 1e-4; weeks on a CPU, hours on a GPU."""
    return EnlargeRecipe(
        "srresnet", "sr", {"scale": 4}, parts=BOTH, scales=(4,), epochs=2000, batch=16, patch=24, optimiser="adam", lr=1e-4,
        schedule="step", milestones=(0.5,), loss="squared", inputs="none", average=0.999,
    )  # fmt: skip


def srgan() -> AdversarialEnlargeRecipe:
    """SRGAN, x4 (Ledig et al. 2017): what VGG sees and a discriminator, from a trained SRResNet (--set start=RUN) on."""
    return AdversarialEnlargeRecipe(
        "srresnet", "sr", {"scale": 4}, parts=BOTH, scales=(4,), epochs=830, batch=16, patch=24, optimiser="adam", lr=1e-4,
        schedule="step", milestones=(0.5,), inputs="none", start="runs/upscale-srresnet",
    )  # fmt: skip


def srgan_fast() -> AdversarialEnlargeRecipe:
    """SRGAN's losses on mien's own network, x4, brightness alone, from the bundled one on: half an hour of a CPU."""
    return AdversarialEnlargeRecipe(
        "mien-upscale", "sr", parts=BOTH, scales=(4,), epochs=60, batch=4, patch=16, optimiser="adam", lr=2e-4, betas=(0.9, 0.99),
        warmup=0.02, schedule="cosine", final=0.05, inputs="none", average=0.99, judge=32, layers=("conv2_2", "conv5_3"),
        rescales=(1 / 3300, 1 / 200), relativistic=True, grid=2.0, zooms=(1.0, 0.8, 0.6), start="mien-upscale",
    )  # fmt: skip
