"""A training as a value: which network, on what, and how. Recipes are functions that return one."""

from __future__ import annotations

import dataclasses
import difflib
import math
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Optimiser = Literal["sgd", "adam", "adamw", "rmsprop", "muon"]
MetricLoss = Literal["triplet", "semi-hard", "batch-hard", "pairwise", "contrastive", "arcface", "cosface"]
Schedule = Literal["constant", "step", "cosine", "linear", "onecycle"]
LARGEST = 4096
"""Pixels a side from which a picture is a slip of the finger."""


CHANGEABLE = ("epochs", "lr", "schedule", "warmup", "milestones", "gamma", "final", "clip", "watch")
"""Settings that a run may be resumed with others of: neither its network nor its pictures nor the optimiser's state hang on them."""


@dataclass(frozen=True)
class Training:
    """What every training of a network on pictures depends on, beside the machine."""

    network: str
    """A key of `mien.models.catalog.NETWORKS`."""
    data: str
    """File or folder, below the data folder."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """For the network's builder."""
    size: int | None = None
    """Pixels a side; None: as the pictures are."""
    inputs: str = "standard"
    """Input layer: none, mean, standard, pca, zca; fitted on the training pictures."""

    epochs: float = 10.0
    optimiser: Optimiser = "sgd"
    lr: float = 0.1
    momentum: float = 0.0
    nesterov: bool = False
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    """Of Adam."""
    l2: float = 0.0
    """L2 penalty (weight decay; with adamw decoupled) on `penalised`."""
    penalised: str = "weights"
    """Which parameters the penalties are for: "weights" (no biases, no norms), "all", or a regular expression for their names."""
    bias_lr: float = 1.0
    """Factor on the learning rate of biases and norms; with muon also on that of the last layers."""
    clip: float = 0.0
    """Largest norm of the gradient; 0: not clipped."""

    schedule: Schedule = "constant"
    warmup: float = 0.0
    """Share of the training over which the rate rises from nothing to its peak (onecycle: 0.3 if not given)."""
    milestones: tuple[float, ...] = (0.5, 0.75)
    """Shares of the training after which `step` multiplies the rate by `gamma`."""
    gamma: float = 0.1
    final: float = 0.0
    """Where cosine, linear and onecycle end, as a share of `lr`."""

    flip: bool = False
    """Mirror images; every picture alternates by epoch (Jordan 2024) from a random first side."""
    shift: int = 0
    """Largest shift in pixels, edges reflected."""
    cutout: int = 0
    """Side of the square that is blanked (DeVries and Taylor 2017); 0: none."""
    average: float = 0.0
    """Decay of the moving average of weights; 0: none."""
    seed: int = 0

    def __post_init__(self) -> None:
        """Raises ValueError for values that cannot be."""
        for name, good in self.checks().items():
            if not good:
                raise ValueError(f"{name} cannot be {getattr(self, name)}")

    def checks(self) -> dict[str, bool]:
        """Setting -> whether its value can be."""
        return {
            "epochs": 0 < self.epochs < math.inf,
            "size": self.size is None or 0 < self.size <= LARGEST,
            "lr": 0 < self.lr < math.inf,
            "bias_lr": 0 <= self.bias_lr < math.inf,
            "momentum": 0 <= self.momentum < 1,
            "betas": len(self.betas) == 2 and all(0 <= beta < 1 for beta in self.betas),
            "eps": 0 < self.eps < math.inf,
            "clip": 0 <= self.clip < math.inf,
            "warmup": 0 <= self.warmup <= 1,
            "milestones": all(0 <= share <= 1 for share in self.milestones),
            "gamma": 0 < self.gamma < math.inf,
            "final": 0 <= self.final < math.inf,
            "average": 0 <= self.average < 1,
            "shift": self.shift >= 0,
            "cutout": self.cutout >= 0,
            "l2": 0 <= self.l2 < math.inf,
            "seed": 0 <= self.seed < 2**32,
        }


@dataclass(frozen=True)
class Recipe(Training):
    """Everything a supervised training of a classifier depends on, beside the machine."""

    names: tuple[str, ...] = ()
    """Of the classes, where the data has only numbers for them."""
    batch: int = 128
    """Pictures in one step, over all processes together; 0: all of them (batch gradient descent)."""
    loss: Literal["cross-entropy", "squared"] = "cross-entropy"
    label_smoothing: float = 0.0
    l1: float = 0.0
    """L1 penalty on `penalised`."""
    mixup: float = 0.0
    """Alpha of mix-up's Beta distribution (Zhang et al. 2017); 0: none."""

    dev: float = 0.1
    """Share of the training pictures held back: they decide when to stop. 0: none, the score is of the test pictures, once."""
    patience: int = 0
    """Stop when this many evaluations on dev brought nothing; 0: never."""
    mirror: bool = False
    """Test with the mean over the picture and its mirror image."""

    def checks(self) -> dict[str, bool]:
        """Those of every training, and its own."""
        return super().checks() | {
            "batch": self.batch >= 0,
            "dev": 0 <= self.dev < 1,
            "label_smoothing": 0 <= self.label_smoothing < 1,
            "mixup": 0 <= self.mixup < math.inf,
            "l1": 0 <= self.l1 < math.inf,
            "patience": self.patience >= 0,
        }


@dataclass(frozen=True)
class MetricRecipe(Training):
    """Everything the training of an embedder depends on, beside the machine: a network that maps pictures to vectors."""

    loss: MetricLoss = "semi-hard"
    """Triplets (all of a batch, semi-hard or hardest), pairs (logistic or contrastive), margin softmax: `mien.nn.metric`."""
    margin: float | None = None
    """None: the loss's usual one (`mien.train.metric.LOSSES`); the pairwise loss has none."""
    scale: float = 16.0
    """What the cosines of a margin softmax are multiplied by."""
    vector: int = 64
    """Numbers in a vector."""
    people: int = 10
    """P: in one step, over all processes together."""
    photos: int = 4
    """K: pictures of each of them; who has fewer is shown some twice."""

    turn: float = 0.0
    """Largest rotation in degrees (pictures must be square: `size`)."""
    zoom: float = 0.0
    """Largest change of size, as a share."""
    light: float = 0.0
    """Largest change of contrast and brightness, as a share."""

    dev: float = 0.0
    """Share of the people held back to watch the training."""
    test: float = 0.25
    """Share of the people held back for the test: nobody the network has ever seen. 0: none."""
    mirror: bool = True
    """A vector is that of the picture and its mirror image together."""

    def checks(self) -> dict[str, bool]:
        """Those of every training, and its own."""
        return super().checks() | {
            "margin": self.margin is None or self.margin >= 0,
            "scale": self.scale > 0,
            "vector": self.vector > 0,
            "people": self.people >= 2,
            "turn": self.turn >= 0 and (not self.turn or self.size is not None),
            "zoom": 0 <= self.zoom < 1 and (not self.zoom or self.size is not None),
            "light": 0 <= self.light < 1,
            "photos": self.photos >= 2 or self.loss in ("arcface", "cosface"),
            "dev": 0 <= self.dev < 1,
            "test": 0 <= self.test < 1 and self.dev + self.test < 1,
        }


@dataclass(frozen=True)
class EnlargeRecipe(Training):
    """Everything the training of an enlarger depends on, beside the machine."""

    parts: tuple[str, ...] = ()
    """Folders below `data` to learn from; none: `data` itself."""
    scales: tuple[int, ...] = (2, 3, 4)
    """Each step shows one of them, in turn."""
    batch: int = 16
    """Patches in one step."""
    patch: int = 48
    """Pixels of a patch's side, of the small picture at scale 2; at other scales as many as keep the large patch near that size where
    `even` is set."""
    even: bool = False
    """Large patches of one size at all scales: for networks that work at the large size."""
    zooms: tuple[float, ...] = (1.0,)
    """Sizes in which every picture is learnt from: smaller ones have more detail a pixel."""
    loss: Literal["absolute", "squared"] = "absolute"
    relative_clip: float = 0.0
    """Largest gradient element times the learning rate (Kim et al. 2016, section 3.2: theta); 0: not clipped so."""
    last_lr: float = 1.0
    """Factor on the learning rate of the last convolution (SRCNN: 0.1)."""
    start: str = ""
    """A model file or a run folder to learn on from: another scale's, say."""
    worn: bool = False
    """Small patches are blurred, noisy and compressed, as pictures from the web are; the large ones stay as they were."""
    dev: int = 8
    """Pictures held back to watch the training."""

    def checks(self) -> dict[str, bool]:
        """Those of every training, and its own."""
        return super().checks() | {
            "scales": bool(self.scales) and set(self.scales) <= {2, 3, 4},
            "batch": self.batch > 0,
            "patch": self.patch >= 8,
            "zooms": bool(self.zooms) and all(0 < zoom <= 1 for zoom in self.zooms),
            "relative_clip": 0 <= self.relative_clip < math.inf,
            "last_lr": 0 <= self.last_lr < math.inf,
            "dev": self.dev >= 0,
        }


@dataclass(frozen=True)
class AdversarialEnlargeRecipe(EnlargeRecipe):
    """The same of one that learns against a discriminator, by what VGG16 sees (`mien.train.adversarial`); `loss` has no part in it."""

    layers: tuple[str, ...] = ("conv5_3",)
    """Of VGG16 (`mien.models.vgg_features`), whose maps of the picture made and of the photograph are compared."""
    rescales: tuple[float, ...] = (1 / 190,)
    """What the maps of each layer are multiplied by, so that their squared errors come to those of pixels in -1..1 (Ledig et al.
    2017, section 3.2: 1 / 12.75 for VGG19's relu5_4). For VGG16's conv5_3 that is 1 / 190, for relu5_3 1 / 42, conv4_3 1 / 1300,
    conv3_3 1 / 4000, conv2_2 1 / 3300, conv1_2 1 / 940: measured on 32 patches of 96 pixels of the Berkeley set, enlarged four times
    by bicubic interpolation. With more, the discriminator's part is lost beside it."""
    adversarial: float = 1e-3
    """Weight of deceiving the discriminator."""
    relativistic: bool = False
    """The discriminator says which of the two is more of a photograph (Wang et al. 2018, arXiv 1809.00219, section 3.2)."""
    pixels: float = 0.0
    """Weight of the squared error of pixels in 0..1; the paper has none."""
    grid: float = 0.0
    """Weight of the difference of local means of each of the pixels that one becomes: without it sub-pixel layers draw grids of dots
    before the discriminator has learnt to see them."""
    judge: int = 64
    """Channels of the discriminator's first layer."""

    def checks(self) -> dict[str, bool]:
        """Those of every enlarger, and its own."""
        return super().checks() | {
            "scales": len(self.scales) == 1 and set(self.scales) <= {2, 4},
            "layers": bool(self.layers),
            "rescales": len(self.rescales) == len(self.layers) and all(0 < factor < math.inf for factor in self.rescales),
            "adversarial": 0 <= self.adversarial < math.inf,
            "pixels": 0 <= self.pixels < math.inf,
            "grid": 0 <= self.grid < math.inf,
            "judge": self.judge > 0,
        }


def settings(pairs: Iterable[str], recipe: Any) -> Any:
    """`recipe` with `name=value` pairs applied (`options.width=64` reaches into mappings); ValueError names the nearest setting."""
    changes: dict[str, Any] = {}
    kinds = typing.get_type_hints(type(recipe))
    for pair in pairs:
        name, equals, text = pair.partition("=")
        first, _, inner = name.strip().partition(".")
        if not equals:
            raise ValueError(f"a setting is name=value, not {pair!r}")
        if first not in kinds:
            near = difflib.get_close_matches(first, kinds, 1, 0.0)
            raise ValueError(f"the recipe has no setting {first!r}; the nearest is {near[0]!r} (all: {', '.join(kinds)})")
        if typing.get_origin(kinds[first]) is Mapping and not inner:
            raise ValueError(f"{first} are set one by one: {first}.NAME=value")
        if inner:
            if typing.get_origin(kinds[first]) is not Mapping:
                raise ValueError(f"{first} has no parts: {first}=value")
            now = changes.get(first, getattr(recipe, first))
            value = guess(text)
            changes[first] = {**now, inner: [value] if isinstance(now.get(inner), list) and not isinstance(value, list) else value}
        else:
            changes[first] = parse(text, kinds[first], first)
    return dataclasses.replace(recipe, **changes)


def parse(text: str, kind: Any, name: str) -> Any:
    """`text` as a value of the annotation `kind`; ValueError says what was expected."""
    origin, inner = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        if text not in inner:
            raise ValueError(f"{name} is one of {', '.join(map(str, inner))}, not {text!r}")
        return text
    if origin in (typing.Union, types.UnionType):
        return None if text.lower() in ("none", "") else parse(text, next(k for k in inner if k is not type(None)), name)
    if origin is tuple:
        return tuple(parse(part.strip(), inner[0], name) for part in text.strip("()").split(",") if part.strip())
    if kind is bool:
        if text.lower() not in ("true", "false", "yes", "no", "1", "0"):
            raise ValueError(f"{name} is true or false, not {text!r}")
        return text.lower() in ("true", "yes", "1")
    if kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            raise ValueError(f"{name} is {'a whole number' if kind is int else 'a number'}, not {text!r}") from None
    return text if kind is str else guess(text)


def guess(text: str) -> Any:
    """A value without a known type: whole number, number, true/false, a list with commas, else text."""
    if "," in text:
        return [guess(part.strip()) for part in text.split(",") if part.strip()]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return {"true": True, "false": False, "none": None}.get(text.lower(), text)
