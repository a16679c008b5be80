"""What a finished supervised run shows, from plain arrays: curves, confusion, the worst mistakes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from mien.data.pictures import write_picture
from mien.train.figure import BLUE, GREY, INK, ORANGE, PALE, figure, quiet, write

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLOURS = {"train": BLUE, "dev": ORANGE, "test": GREY}
MOST_NUMBERS = 25
"""Classes up to which every cell of a confusion matrix has its number."""
LONGEST = 18
"""Letters of a class name on the axes."""
PAIRS = 24
"""Confusions listed where the cells have no numbers."""
CELL, GAP, CAPTION, HEADING = 112, 12, 46, 40
"""Pixels of the sheet of mistakes."""
PAPER, BLACK, FAINT, RED, GREEN = (250, 250, 248), (20, 20, 20), (120, 120, 120), (176, 30, 30), (20, 110, 50)


def curves(history: Sequence[Mapping[str, float]], path: Path, x: str = "step") -> None:
    """Loss and every other score over `x` ("step", "epoch", "seconds"), train and dev in one panel, as a PNG.

    `history`: one entry an evaluation; `loss` is the training loss, `dev/accuracy` the accuracy on dev, and so on.
    """
    if not history:
        raise ValueError("there is no evaluation to draw")
    panels: dict[str, dict[str, str]] = {"loss": {"train": "loss"}} if "loss" in history[0] else {}
    for key in dict.fromkeys(key for entry in history for key in entry):
        part, slash, name = key.partition("/")
        if slash:
            panels.setdefault(name, {})[part] = key
    if not panels:
        panels = {"score": {"dev": "score"}}
    page = figure(5.2 * len(panels), 3.8)
    for axes, (name, keys) in zip(page.subplots(1, len(panels), squeeze=False)[0], panels.items(), strict=True):
        _panel(axes, history, x, name, keys)
    write(page, path)


def _panel(axes: Axes, history: Sequence[Mapping[str, float]], x: str, name: str, keys: Mapping[str, str]) -> None:
    from matplotlib.ticker import MaxNLocator, PercentFormatter

    quiet(axes, name)
    drawn: list[float] = []
    for part, key in keys.items():
        points = np.array([(entry[x], entry[key]) for entry in history if key in entry and x in entry])
        points = points[np.isfinite(points).all(axis=1)] if len(points) else np.empty((0, 2))
        drawn += points[:, 1].tolist()
        dots = 3 if len(points) < 40 else 0
        label = _label(part, name, points)
        axes.plot(*points.T, color=COLOURS.get(part, INK), linewidth=1.8, marker="o", markersize=dots, label=label)
    axes.set_xlabel(x, fontsize=9, color=INK)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=x != "seconds", min_n_ticks=1))
    if name == "accuracy":
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=None))
    if name == "loss" and drawn and min(drawn) > 0 and max(drawn) > 20 * min(drawn):
        axes.set_yscale("log")
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)


def _label(part: str, name: str, points: np.ndarray) -> str:
    """What a line is, where it ended and, for held-out pictures, its best point."""
    if not len(points):
        return part
    shown = "{:.1%}" if name == "accuracy" else "{:.3g}"
    best = points[:, 1].min() if name == "loss" else points[:, 1].max()
    more = f", best {shown.format(best)}" if part != "train" else ""
    return f"{part}: last {shown.format(points[-1, 1])}{more}"


def distances(found: np.ndarray, same: np.ndarray, threshold: float, path: Path) -> None:
    """(N,) distances of pairs and which are of one person -> two histograms over one axis with the threshold, as a PNG."""
    page = figure(6.4, 3.6)
    axes = quiet(page.subplots(), "pairs of pictures of people never seen")
    edges = np.linspace(0, max(float(found.max()), 1e-6), 50).tolist()
    for kind, label, colour in ((same, "one person", BLUE), (~same, "two people", ORANGE)):
        axes.hist(found[kind], edges, density=True, alpha=0.65, color=colour, label=f"{label}: {int(kind.sum()):,}")
    axes.axvline(threshold, color=INK, linewidth=1.2, linestyle="--", label=f"errors equal at {threshold:.2f}")
    axes.set_xlabel("distance of the two vectors", fontsize=9, color=INK)
    axes.set_yticks([])
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    write(page, path)


def confusion(matrix: np.ndarray, classes: Sequence[str], path: Path, percent: bool = False) -> None:
    """(classes, classes) counts, row = true class, as a PNG: right in blue, wrong in orange, by the share of the row.

    `percent`: shares of the row in the cells, not counts. Where the cells are too small for numbers, the commonest
    confusions are listed beside them.
    """
    from matplotlib.colors import LinearSegmentedColormap

    count, whole, good = len(classes), int(matrix.sum()), int(np.trace(matrix))
    if matrix.shape != (count, count):
        raise ValueError(f"the confusion matrix is {matrix.shape}, expected ({count}, {count}) for {count} classes")
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    names = [name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…" for name in classes]
    page, axes, size = _matrix_page(names)
    right, wrong = (LinearSegmentedColormap.from_list("shares", ("white", colour)) for colour in (BLUE, ORANGE))
    colours = wrong(np.minimum(1.5 * shares**0.4, 1))[..., :3]  # a share of 1 % must be seen
    colours[np.diag_indices(count)] = right(0.9 * np.diag(shares))[:, :3]
    axes.imshow(colours, interpolation="nearest", aspect="auto")
    axes.set_title(f"{good:,} of {whole:,} right: {good / max(whole, 1):.2%}", loc="left", fontsize=10, color=INK)
    if count <= MOST_NUMBERS:
        _numbers(axes, matrix, shares, percent, size)
    else:
        _pairs(axes, matrix, shares, classes, percent)
    write(page, path)


def _matrix_page(names: Sequence[str]) -> tuple[Figure, Axes, float]:
    """A page, axes just large enough for square cells and their names, and the size of the names in points."""
    count = len(names)
    size = 9.0 if count <= 12 else 7.5 if count <= MOST_NUMBERS else 6.0
    text = 0.62 * size / 72 * max(map(len, names))  # inches: a letter is about 0.62 of its height wide
    flat = count <= 6 or text < 0.4
    cell = max(0.8 if count <= 6 else 0.5 if count <= 12 else 0.38 if count <= MOST_NUMBERS else 0.15, text + 0.1 if flat else 0)
    left, below, side = 0.45 + text, 0.5 + (0.12 if flat else text), cell * count
    width, height = left + max(side, 3) + (0.2 if count <= MOST_NUMBERS else 3.8), below + side + 0.45
    page = figure(width, height)
    page.set_layout_engine("none")
    axes = quiet(page.add_axes((left / width, below / height, side / width, side / height)))
    axes.grid(False)
    axes.set_xticks(range(count), names, rotation=0 if flat else 90, fontsize=size)
    axes.set_yticks(range(count), names, fontsize=size)
    axes.tick_params(length=0)
    axes.spines[:].set(visible=True, color=PALE)
    axes.set_xlabel("predicted", fontsize=9, color=GREY)
    axes.set_ylabel("true", fontsize=9, color=GREY)
    return page, axes, size


def _numbers(axes: Axes, matrix: np.ndarray, shares: np.ndarray, percent: bool, size: float) -> None:
    longest = max(len(str(matrix.max())), 4 if percent else 1)
    size = min(size, 0.85 * 0.38 / 0.62 * 72 / longest)
    for (row, column), number in np.ndenumerate(matrix):
        if number:
            text = f"{shares[row, column] * 100:.1f}" if percent else str(number)
            colour = "white" if row == column and shares[row, column] > 0.55 else INK
            axes.text(column, row, text, ha="center", va="center", fontsize=size, color=colour)


def _pairs(axes: Axes, matrix: np.ndarray, shares: np.ndarray, classes: Sequence[str], percent: bool) -> None:
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    worst = [divmod(int(place), len(classes)) for place in np.argsort(-wrong, axis=None, kind="stable")[:PAIRS]]
    worst = [pair for pair in worst if wrong[pair]]
    title = "Commonest confusions" if worst else ""
    axes.annotate(title, (1, 1), (28, 6), "axes fraction", "offset points", fontsize=10, color=INK)
    for place, (row, column) in enumerate(worst):
        number = f"{shares[row, column]:.1%}" if percent else str(wrong[row, column])
        for x, text, colour, side in ((58, number, ORANGE, "right"), (64, f"{classes[row]} taken for {classes[column]}", INK, "left")):
            axes.annotate(text, (1, 1), (x, -14 - 15 * place), "axes fraction", "offset points", fontsize=8.5, color=colour, ha=side)


def mistakes(
    images: np.ndarray, labels: np.ndarray, predictions: np.ndarray, probabilities: np.ndarray, classes: Sequence[str], path: Path,
    most: int = 40, columns: int = 8,
) -> int:  # fmt: skip
    """A contact sheet of the `most` mistakes made with most confidence: what was said, what is true, and which picture it is.

    (N, H, W, C) uint8, (N,), (N,), (N, classes); returns how many mistakes there are in all.
    """
    wrong = np.flatnonzero(predictions != labels)
    sure = probabilities[wrong, predictions[wrong]]
    shown = wrong[np.argsort(-sure, kind="stable")[:most]]
    rows = -(-len(shown) // columns)
    page = Image.new("RGB", (GAP + columns * (CELL + GAP), HEADING + rows * (CELL + CAPTION + GAP)), PAPER)
    draw, large = ImageDraw.Draw(page), ImageFont.load_default(15)
    if not len(wrong):
        draw.text((GAP, 10), f"No mistake among {len(labels):,} pictures", BLACK, large)
    else:
        part = f"The {len(shown)} most confident of {len(wrong):,}" if len(shown) < len(wrong) else f"All {len(wrong)}"
        said = "red: what was said, green: what is true, #: place in the data"
        draw.text((GAP, 10), f"{part} mistakes among {len(labels):,} pictures", BLACK, large)
        draw.text((page.width - GAP, 13), said, FAINT, ImageFont.load_default(11), anchor="ra")
    for place, number in enumerate(shown.tolist()):
        corner = GAP + place % columns * (CELL + GAP), HEADING + place // columns * (CELL + CAPTION + GAP)
        lines = [(classes[one], float(probabilities[number, one]), colour)
                 for one, colour in ((int(predictions[number]), RED), (int(labels[number]), GREEN))]  # fmt: skip
        _one_mistake(page, draw, corner, images[number], lines, number)
    write_picture(path, np.asarray(page))
    return len(wrong)


def _one_mistake(page: Image.Image, draw: Any, corner: tuple[int, int], image: np.ndarray,
                 lines: Sequence[tuple[str, float, tuple[int, int, int]]], number: int) -> None:  # fmt: skip
    x, y = corner
    font, tiny = ImageFont.load_default(12), ImageFont.load_default(10)
    page.paste(_thumbnail(image), corner)
    for line, (name, chance, colour) in enumerate(lines):
        text, share = name, f"{chance:.1%}" if chance < 0.1 else f"{chance:.0%}"
        while len(text) > 1 and draw.textlength(f"{text}: {share}", font) > CELL:
            text = text[:-2] + "…"
        draw.text((x, y + CELL + 3 + 14 * line), f"{text}: {share}", colour, font)
    draw.text((x, y + CELL + 32), f"#{number}", FAINT, tiny)


def _thumbnail(image: np.ndarray) -> Image.Image:
    """`CELL` x `CELL`: small pictures enlarged with sharp pixels, so that one sees what the network saw."""
    picture = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image).convert("RGB")
    scale = CELL / max(picture.size)
    small = scale >= 2
    size = (max(round(picture.width * scale), 1), max(round(picture.height * scale), 1))
    picture = picture.resize(size, Image.Resampling.NEAREST if small else Image.Resampling.LANCZOS)
    cell = Image.new("RGB", (CELL, CELL), PAPER)
    cell.paste(picture, ((CELL - size[0]) // 2, (CELL - size[1]) // 2))
    return cell
