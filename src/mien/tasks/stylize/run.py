"""Paint pictures in the style of others."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from mien.tasks.stylize.results import Folder, Moved, Restyled, Sheet, Stylized


def stylize(
    content: Path,
    /,
    *,
    style: list[str],
    out: Path,
    model: str = "",
    mix: str = "",
    strength: float = 1.0,
    steady: float = 0.8,
    mask: list[Path] | None = None,
    steps: int | None = None,
    size: int | None = None,
    scales: int | None = None,
    style_scale: float = 1.0,
    start: Literal["content", "noise", "style"] = "content",
    content_layer: str = "relu4_2",
    style_layers: str = "relu1_1,relu2_1,relu3_1,relu4_1,relu5_1",
    content_weight: float = 1.0,
    style_weight: float = 10.0,
    variation: float = 0.0,
    keep_colour: Literal["none", "luminance", "histogram"] = "none",
    pooling: Literal["average", "max"] = "average",
    optimiser: Literal["lbfgs", "adam"] = "lbfgs",
    seed: int = 0,
    tile: int | None = None,
    preview: Path | None = None,
    resume: bool = False,
    grid: bool = False,
    quality: int = 95,
    sign: bool = True,
    certificate: Path | None = None,
    key: Path | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> Stylized | Sheet | Restyled | Moved | Folder:
    """Paint a picture in the style of another one, by optimisation (Gatys et al. 2016), or at once by a trained network.

    A network draws where --style is a name or a model file, where --model is given, and for videos and folders. The result is signed
    and labelled as generated. Ctrl-C keeps the picture so far, --resume goes on with it.

    Args:
        content: the picture that says what is shown; a video or a folder.
        style: a picture that says how, or the name of a style; several are mixed.
        out: the result (.png, .jpg, .webp), video (.mp4) or folder.
        model: a network for pictures as styles, in place of optimisation: any, or a model file.
        mix: shares of several styles, 0.7,0.3; alike unless given.
        strength: of a network, 0 to 1.
        steady: of a video: how much of what was drawn is held where it stands still, 0 (every frame anew) to below 1.
        mask: where a style goes: white, grey for in between; one for each style.
        steps: how often the picture is changed, all sizes together; 200, in a grid 40.
        size: pixels of the result's longer side; the content's, at most 1024, in a grid 256.
        scales: sizes it is painted in one after the other, each twice the one before; as many as the size allows.
        style_scale: the style picture's longer side against the result's: below 1 its strokes get finer.
        start: what is changed: content, noise or style.
        content_layer: VGG16's layers where the content is compared, relu4_2 or relu3_2=0.5,relu4_2=1 with weights.
        style_layers: layers where Gram matrices are compared, likewise.
        content_weight: alpha.
        style_weight: beta.
        variation: weight of the differences between neighbouring pixels; more is smoother, 10 is a little.
        keep_colour: luminance: only brightness is painted. histogram: the style gets the content's colours first.
        pooling: average, or max as VGG16 was trained.
        optimiser: lbfgs or adam.
        seed: of the noise.
        tile: pixels a side of what is computed at once; by default all of the picture while that fits in memory.
        preview: a picture that shows how far it is, written again and again.
        resume: go on with the painting that was stopped.
        grid: a sheet of small pictures instead: alpha / beta against layers.
        quality: of JPEG and WebP, 1 to 100.
        sign: sign the result and label it as generated.
        certificate: PEM chain to sign with instead of the local one.
        key: PEM private key of that certificate.
        device: auto, cpu, cuda, cuda:1, mps.
        precision: auto, fp32, bf16.

    """
    from mien.provenance.identity import identity
    from mien.runtime import choose
    from mien.tasks.stylize import asking
    from mien.tasks.stylize.choosing import optimised, restyled
    from mien.tasks.stylize.grid import SIDE, STEPS, stylize_grid
    from mien.tasks.stylize.painting import How
    from mien.tasks.stylize.session import Asked, stylize_picture

    runtime, signer = choose(device, precision), identity(certificate, key) if sign and (certificate or key) else None
    if not optimised(Path(content), style, model):
        asking.unused({"--mask": mask, "--grid": grid, "--preview": preview, "--steps": steps, "--size": size, "--scales": scales})
        how = asking.shares(mix, len(style)), strength, steady, keep_colour, tile, quality, sign, signer
        return restyled(Path(content), Path(out), style, model, runtime, *how)
    paths = tuple(Path(one) for one in style)
    numbers = asking.Numbers(content_weight, style_weight, variation, style_scale)
    asking.check(numbers, steps, size, scales, tile, quality)
    looked_at = asking.layers(content_layer), asking.layers(style_layers)
    how = How(steps or (STEPS if grid else 200), scales, start, *numbers[:3], *looked_at, asking.shares(mix, len(paths)), style_scale,
              keep_colour, optimiser, seed, tile)  # fmt: skip
    asked = Asked(Path(content), paths, tuple(mask or ()), Path(out), size or (SIDE if grid else None), how, pooling == "average",
                  runtime, preview, resume, quality, sign, signer)  # fmt: skip
    return stylize_grid(asked) if grid else stylize_picture(asked)


COMMANDS = (stylize,)
