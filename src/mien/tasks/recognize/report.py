"""The page of a measurement: one HTML file with every picture in it, for people who have never seen a ROC curve."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

from mien.data import html
from mien.data.pictures import read_picture
from mien.metrics.calibration import Calibration
from mien.metrics.intervals import Estimate, Rate
from mien.tasks.recognize.figures import Evaluated, Measured, Strangers
from mien.tasks.recognize.plots import draw_all

STYLE = Path(__file__).with_name("report.css")
WORST = 12
"""Pairs shown of each kind of mistake."""
CROP = 128
"""Pixels."""
NAMED = 40
"""Failed pictures named on the page."""
FEW_PEOPLE = 30
Row = Sequence[str]


def write_report(folder: Path, measured: Measured, calibration: Calibration | None = None, title: str = "Face recognition, measured",
                 foot: str = "") -> tuple[Path, ...]:  # fmt: skip
    """Plots as PNG and `report.html` into `folder`; returns what was written, the page first.

    `foot`: network, version, date: what the figures are of.
    """
    folder = Path(folder)
    files, found = draw_all(measured, folder, calibration), measured.evaluated
    parts = [
        f"<h1>{escape(title)}</h1><p class='faint'>{escape(_counts(found))}</p>", _said(found), _cautions(found), _cards(found),
        _pairs_section(found, files), _scores_section(found, files, calibration), _names_section(found, files),
        _strangers_section(found, files), _groups_section(found, files), _mistakes_section(measured), _failures_section(found),
        _list_section("How it was measured", found.protocol), f"<footer>{escape(foot)}</footer>" if foot else "",
    ]  # fmt: skip
    page = folder / "report.html"
    html.write_html(page, title, STYLE, parts)
    return (page, *files.values())


def percent(share: float) -> str:
    """A share for people: 99.47 %, 0.8 %, 0.012 %."""
    value = 100 * share
    digits = 2 if value >= 10 else 3 if value < 0.1 else 2
    return f"{value:.{digits}f}".rstrip("0").rstrip(".") + " %"


def interval(figure: Rate | Estimate) -> str:
    """Low and high end, for people."""
    return f"{percent(figure.low)} to {percent(figure.high)}" if np.isfinite(figure.low) else "not known"


def _both(rate: Rate) -> str:
    """A cell of two lines."""
    return f"{percent(rate.value)}\n{interval(rate)}" if rate.total else "no pair"


def _counts(found: Evaluated) -> str:
    pairs = f"{found.same_pairs:,} pairs of one person, {found.different_pairs:,} pairs of two"
    failed = found.failure_to_acquire.count
    return f"{found.pictures:,} pictures of {found.people:,} people; {pairs}; {failed:,} pictures without a usable face"


def _said(found: Evaluated) -> str:
    """The measurement in two sentences."""
    wrong = found.false_match
    rare = f"{percent(wrong.value)} of pairs of different people are taken for one"
    if not wrong.count:
        likely = f"the true rate is likely below {percent(wrong.high)}"
        rare = f"none of {wrong.total:,} pairs of different people is taken for one ({likely})"
    good = percent(1 - found.false_non_match.value)
    return (f"<p class='said'>At threshold {found.threshold:.3f}, {good} of pairs of one person are recognised, and {rare}.</p>"
            f"<p class='faint'>The threshold is from {escape(found.threshold_source)}.</p>")  # fmt: skip


def _cautions(found: Evaluated) -> str:
    lines = list(found.notes)
    if found.people < FEW_PEOPLE:
        lines.insert(0, f"Only {found.people} people: the figures say little about others. The intervals show how little.")
    if found.failure_to_acquire.count:
        lines.append(f"{found.failure_to_acquire.count:,} of {found.pictures:,} pictures had no usable face and are in no pair below; "
                     "'with failures' counts their pairs as wrong.")  # fmt: skip
    return "".join(f"<div class='warn'>{escape(line)}</div>" for line in lines)


def _cards(found: Evaluated) -> str:
    cards = [(percent(one.right.value), "of pairs told right", f"{interval(one.right)}; threshold from {one.source}")
             for one in found.accuracy[:1]]  # fmt: skip
    cards.append((percent(found.eer.value), "equal error rate", f"{interval(found.eer)}; where both kinds of error are as common"))
    area = f"{found.auc.low:.4f} to {found.auc.high:.4f}; 1 is perfect, 0.5 chance"
    cards.append((f"{found.auc.value:.4f}", "area under the ROC curve", area))
    if found.rank1:
        cards.append((percent(found.rank1.value), "nearest picture is the right person", interval(found.rank1)))
    return "<div class='cards'>" + "".join(f"<div><b>{escape(number)}</b><span>{escape(name)}</span><i>{escape(more)}</i></div>"
                                           for number, name, more in cards) + "</div>"  # fmt: skip


def _pairs_section(found: Evaluated, files: dict[str, Path]) -> str:
    rows = [(f"{percent(line.asked)} (1 in {round(1 / line.asked):,})", percent(line.tar.value), interval(line.tar), percent(lost),
             f"{line.threshold:.3f}" if np.isfinite(line.threshold) else "none")
            for line, lost in zip(found.tar_at_far, found.tar_with_failures, strict=True) if line.supported]  # fmt: skip
    table = html.table(("false accepts at most", "one person recognised", "95 % interval", "with failures", "threshold"), rows, 1)
    strict = [percent(line.asked) for line in found.tar_at_far if not line.supported]
    few = f"<p class='faint'>Too few pairs of different people for {' and '.join(strict)}: not shown.</p>" if strict else ""
    right = [(f"{one.source}", f"{one.threshold:.3f}", percent(one.right.value), interval(one.right), percent(one.balanced),
              percent(one.with_failures)) for one in found.accuracy]  # fmt: skip
    head = ("threshold from", "threshold", "pairs told right", "95 % interval", "both kinds weighed alike", "with failures")
    more = html.table(head, right, 1)
    about = ("Every choice of a threshold trades one error for the other. To the left different people are hardly ever taken for one, "
             "but one person is also recognised less often.")  # fmt: skip
    drawn = _figure(files["roc"], "Points: table below, with 95 % intervals. Ring: the threshold used on this page.")
    return html.section("One person or two", about, drawn, table, few, more)


def _scores_section(found: Evaluated, files: dict[str, Path], calibration: Calibration | None) -> str:
    body = _figure(files["scores"], "Where the two hills overlap, mistakes cannot be avoided by any threshold.")
    if calibration is not None:
        words = f"Calibrated for a false-match rate of {calibration.asked:g}: threshold {calibration.threshold:.4f}"
        body += _figure(files["probability"], f"{words}; made from {calibration.protocol}.")
    about = "The network turns a face into a list of numbers; the distance of two lists says how unlike two faces are."
    return html.section("Distances", about, body)


def _names_section(found: Evaluated, files: dict[str, Path]) -> str:
    body = _figure(files["ranks"], "Each picture searched among all others.") if "ranks" in files else ""
    if found.rank1 and found.rank1_with_failures is not None and found.failure_to_acquire.count:
        body += f"<p class='faint'>With failures counted as not found: {percent(found.rank1_with_failures)}.</p>"
    rows = [(f"{line.ways} people", percent(line.right.value), interval(line.right), percent(1 / line.ways))
            for line in found.one_shot]  # fmt: skip
    body += html.table(("one picture each of", "named rightly", "95 % interval", "by chance"), rows, 1)
    about = "Somebody known is always among them here."
    return html.section("Who is it, among people known by a picture", about, body) if body else ""


def _strangers_section(found: Evaluated, files: dict[str, Path]) -> str:
    if not found.strangers:
        return ""

    def row(line: Strangers) -> Row:
        return (line.meaning, f"{line.threshold:.3f}", *map(_both, (line.identified, line.misnamed, line.false_alarm)))

    table = html.table(("", "threshold", "enrolled: own name", "enrolled: another's", "strangers named"), map(row, found.strangers), 1)
    about = (f"Measured with {found.strangers[0].enrolled:,} people enrolled by one picture each. The more they are, the more chances"
             " a stranger has to be near one of them, so a gallery needs a stricter threshold than a single comparison.")  # fmt: skip
    return html.section("Somebody enrolled, or a stranger", about, _figure(files["strangers"], "Points: table below."), table)


def _groups_section(found: Evaluated, files: dict[str, Path]) -> str:
    if not found.groups:
        return ""
    rows = [(one.name, f"{one.pictures:,}", f"{one.people:,}", _both(one.false_match), _both(one.false_non_match),
             f"{one.auc:.4f}" if one.auc is not None else "too few pairs", percent(one.failure_to_acquire.value))
            for one in found.groups]  # fmt: skip
    head = ("group", "pictures", "people", "two taken for one", "one not recognised", "area", "no usable face")
    about = ("Recognition does not err equally for everybody. Here each group is compared within itself, at the one threshold. Where "
             "intervals overlap, the data cannot tell whether groups differ; that is not the same as being equal.")  # fmt: skip
    return html.section("Groups", about, _figure(files["groups"], "Bars: rates; lines: 95 % intervals."), html.table(head, rows, 1))


def _mistakes_section(measured: Measured) -> str:
    found, pairs = measured.evaluated, measured.pairs
    accepted = pairs.distances <= found.threshold
    kinds = ((~pairs.same & accepted, 1, "Different people taken for one, nearest first"),
             (pairs.same & ~accepted, -1, "One person not recognised, farthest first"))  # fmt: skip
    parts = []
    for which, order, title in kinds:
        places = np.flatnonzero(which)
        ordered = places[np.argsort(order * pairs.distances[places], kind="stable")]
        who = pairs.first[ordered].astype(np.int64) * pairs.people + pairs.second[ordered]
        shown = ordered[np.sort(np.unique(who, return_index=True)[1])[:WORST]]
        body = f"<div class='pairs'>{''.join(_pair(measured, int(place)) for place in shown)}</div>" if len(shown) else "<p>None.</p>"
        parts.append(f"<h3>{title} ({len(places):,})</h3>{body}")
    about = "Look at them: often the name is wrong, the picture is poor, or another face was taken. The same people are shown once."
    return html.section("The worst mistakes", about, *parts)


def _pair(measured: Measured, place: int) -> str:
    sides = [int(measured.first[place]), int(measured.second[place])]
    names = [f"{measured.labelled.people[side]} · {measured.labelled.paths[side].name}" for side in sides]
    images = "".join(_crop(measured, side) for side in sides)
    words = "<br>".join(escape(name) for name in names)
    caption = f"{words}<br>distance {measured.pairs.distances[place]:.3f}"
    return f"<figure><div class='two'>{images}</div><figcaption>{caption}</figcaption></figure>"


def _crop(measured: Measured, place: int) -> str:
    crop, path = measured.seen[place].crop, measured.labelled.paths[place]
    if crop is None and path.is_file():
        crop = read_picture(path)
    if crop is None:
        return "<div class='none'></div>"
    picture, out = Image.fromarray(crop), io.BytesIO()
    picture.thumbnail((CROP, CROP))
    picture.save(out, "JPEG", quality=85)
    return html.image(out.getvalue(), path.name)


def _failures_section(found: Evaluated) -> str:
    if not found.failures:
        return ""
    rows = [(str(path), fault) for path, fault in found.failures[:NAMED]]
    rest = len(found.failures) - len(rows)
    more = f"<p class='faint'>and {rest:,} more</p>" if rest > 0 else ""
    rate = found.failure_to_acquire
    about = f"{rate.count:,} of {rate.total:,}, {percent(rate.value)} ({interval(rate)})."
    return html.section("Pictures without a usable face", about, html.table(("picture", "why"), rows, 2), more)


def _list_section(title: str, lines: Iterable[str]) -> str:
    return html.section(title, "", f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>")


def _figure(file: Path, caption: str) -> str:
    return html.figure(file.read_bytes(), caption)
