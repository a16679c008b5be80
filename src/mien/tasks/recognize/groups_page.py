"""The page of a grouped archive: every face under its group, with the id to speak of it."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from mien.data.files import atomic
from mien.tasks.recognize.clustered import Doubt, Group, LeftOut
from mien.tasks.recognize.contents import Contents, Seen, crop
from mien.tasks.recognize.links import Links

STYLE = Path(__file__).with_name("groups_page.css")
SAMPLE = 4
"""Faces that stand for a group among those that may be the same."""


def write_page(
    contents: Contents, links: Links, groups: Sequence[Group], doubts: Sequence[Doubt], left_out: Sequence[LeftOut]
) -> None:
    """Write OUT/index.html; the crops lie beside it, the photos are linked to where they are."""
    holders: dict[str, tuple[Seen, list[str]]] = {}
    for name, stamp in contents.photos.items():
        for face in contents.faces[stamp.content]:
            holders.setdefault(face.id, (face, []))[1].append(name)
    base = os.path.relpath(contents.folder, contents.out.absolute())
    figures = {one: _figure(face, names, base) for one, (face, names) in holders.items()}
    several = [group for group in groups if group.name != "poor" and group.faces > 1]
    alone = [group for group in groups if group.name != "poor" and group.faces == 1]
    poor = [group for group in groups if group.name == "poor"]
    body = [
        _head(contents, several, alone, links),
        *(_row(group.name, _count(group), "".join(figures[one] for one in group.ids), group.name) for group in several),
        _doubtful(contents, doubts, {group.name: group for group in groups}),
        _row("Seen once", f"{len(alone)} faces", "".join(f"<div>{group.name}{figures[group.ids[0]]}</div>" for group in alone)),
        *(_row("Too poor to decide by", _count(group), "".join(figures[one] for one in group.ids)) for group in poor),
        _without(left_out),
    ]
    title = f"{escape(contents.folder.name)} · mien recognize cluster"
    head = f"<meta charset='utf-8'><meta name='viewport' content='width=device-width'><title>{title}</title>"
    lines = ["<!doctype html>", f"<html lang='en'><head>{head}<style>{STYLE.read_text('utf-8')}</style></head>",
             "<body><main>", *filter(None, body), "</main></body></html>", ""]  # fmt: skip
    with atomic(contents.out / "index.html") as draft:
        draft.write_text("\n".join(lines), encoding="utf-8")


def _head(contents: Contents, several: Sequence[Group], alone: Sequence[Group], links: Links) -> str:
    counts = f"{len(several)} people in several photos, {len(alone)} faces seen once, {len(contents.photos)} photos."
    pair = next((group.ids[:2] for group in several), ("ID", "ID"))
    two = [group.name for group in several[:2]] if len(several) > 1 else ["g1", "g2"]
    said = [f"{len(ids)} said to be {kind}" for kind, ids in (("the same", links.same), ("different", links.different)) if ids]
    return (f"<h1>{escape(contents.folder.name)}</h1><p>{counts}</p>"
            "<p>Wrong? Say so, by the ids under the faces or by whole groups; it is remembered.</p>"
            f"<pre>{_command(contents, 'same', two)}\n{_command(contents, 'different', pair)}</pre>"
            + (f"<p class='faint'>Remembered in links.json: {', '.join(said)}.</p>" if said else ""))  # fmt: skip


def _command(contents: Contents, kind: str, names: Sequence[str]) -> str:
    words = ["mien", "recognize", "cluster", str(contents.folder), "--out", str(contents.out), f"--{kind}", *names]
    return escape(shlex.join(words))


def _count(group: Group) -> str:
    faces, photos = group.faces, len(group.photos)
    return f"{faces} face{'s' * (faces != 1)} in {photos} photo{'s' * (photos != 1)}"


def _row(heading: str, count: str, figures: str, anchor: str = "") -> str:
    name = f" id='{anchor}'" if anchor else ""
    return f"<section{name}><h2>{heading} <span>{count}</span></h2><div class='row'>{figures}</div></section>" if figures else ""


def _figure(face: Seen, names: Sequence[str], base: str) -> str:
    link = quote(f"{base}/{names[0]}")
    copies = f"<i>{len(names)} copies</i>" if len(names) > 1 else ""
    faults = "".join(f"<i>{escape(fault.partition(':')[0])}</i>" for fault in face.faults)
    title = escape("\n".join((*names, *face.faults)), quote=True)
    return (f"<figure><a href='{link}' title='{title}'><img loading='lazy' alt='' width='96' height='96' src='{crop(face.id)}'></a>"
            f"<figcaption><code>{face.id}</code>{copies}{faults}</figcaption></figure>")  # fmt: skip


def _doubtful(contents: Contents, doubts: Sequence[Doubt], groups: dict[str, Group]) -> str:
    def faces(name: str) -> str:
        shown = "".join(f"<img loading='lazy' alt='' width='64' height='64' src='{crop(one)}'>" for one in groups[name].ids[:SAMPLE])
        return f"<a href='#{name}'>{name}</a>{shown}" if groups[name].faces > 1 else f"<span>{name}</span>{shown}"

    rows = "".join(
        f"<li><div>{faces(one.one)}<em>?</em>{faces(one.other)}<span>distance {one.distance:.2f}</span></div>"
        f"<pre>{_command(contents, 'same', (one.one, one.other))}</pre></li>"
        for one in doubts
    )
    heading = "<h2>Perhaps the same <span>just beyond the threshold</span></h2>"
    return f"<section>{heading}<ul class='doubts'>{rows}</ul></section>" if rows else ""


def _without(left_out: Sequence[LeftOut]) -> str:
    rows = "".join(f"<tr><td>{escape(one.photo)}</td><td>{escape(one.why)}</td></tr>" for one in left_out)
    return f"<section><h2>Left out <span>{len(left_out)} photos</span></h2><table>{rows}</table></section>" if rows else ""
