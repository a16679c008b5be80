"""What the file says of itself: camera, software, dates, orientation, and a thumbnail that may show something else."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np
from PIL import ExifTags, Image

from mien.data.pictures import READABLE, calm
from mien.tasks.inspect.evidence.subject import Subject, turned
from mien.tasks.inspect.evidence.thumbnail import correlation, read_thumbnail
from mien.tasks.inspect.evidence.words import Words, clean

BASE, EXIF = ExifTags.Base, ExifTags.IFD.Exif
TEXTS = {"make": BASE.Make, "model": BASE.Model, "software": BASE.Software, "artist": BASE.Artist, "copyright": BASE.Copyright,
         "description": BASE.ImageDescription, "changed": BASE.DateTime}  # fmt: skip
TAKEN, LENS = BASE.DateTimeOriginal, BASE.LensModel
XMP = {"creator tool": rb"CreatorTool", "software agents": rb"softwareAgent", "history": rb"action",
       "digital source": rb"DigitalSourceType", "derived from": rb"originalDocumentID"}  # fmt: skip
"""Names in an XMP packet, by what they are called here; the packet is searched, never parsed as a whole."""
XMP_LARGEST = 1 << 20
EDITORS = ("photoshop", "lightroom", "gimp", "affinity", "pixelmator", "facetune", "faceapp", "meitu", "beautyplus", "snapseed",
           "picsart", "canva", "facelab", "youcam", "perfect365", "airbrush", "capture one", "luminar", "paint.net", "krita", "polarr",
           "vsco", "remini", "imagemagick", "pixlr", "photopea", "darktable", "portraitpro")  # fmt: skip
GENERATORS = ("stable diffusion", "midjourney", "dall", "firefly", "comfyui", "automatic1111", "novelai", "imagen", "flux", "mien",
              "trainedalgorithmicmedia")  # fmt: skip
PROMPTS = ("parameters", "prompt", "workflow", "sd-metadata", "dream")
"""Names under which generators keep what they were told, in PNG."""
ALIKE = 0.9
"""Correlation with the picture below which a thumbnail shows something else."""
LIMITS = ("Metadata is plain text: anybody can write, change or strip it, and most sites strip it on upload. It supports a story; "
          "it proves none.")  # fmt: skip


@dataclass(frozen=True)
class Metadata:
    """What was read, as harmless single lines of text; nothing here is fit for HTML until it is escaped."""

    camera: str | None
    software: str | None
    taken: str | None
    changed: str | None
    orientation: int
    """EXIF, 1..8."""
    place: bool
    """The file names the place where it was taken; where is not repeated here."""
    editors: tuple[str, ...]
    """Programs it names that change or make pictures."""
    texts: dict[str, str]
    """Everything else that was found, by name."""
    thumbnail_alike: float | None
    """Correlation of the thumbnail inside the file with the picture, -1..1; None where there is none."""
    words: Words


def metadata(subject: Subject) -> tuple[Metadata, np.ndarray | None]:
    """What the file says of itself, and its thumbnail (h, w, 3) uint8, upright, where it has one that can be read."""
    with calm(), Image.open(subject.path, formats=READABLE) as opened:
        fields, exif = _exif(opened)
        others = _xmp(opened.info.get("xmp") or opened.info.get("XML:com.adobe.xmp") or b"") | _texts(opened.info)
        small = None if exif is None else read_thumbnail(exif, opened.info.get("exif") or b"")
    camera = camera_of(fields.pop("make", ""), fields.pop("model", ""))
    software, taken, changed = (fields.pop(name, None) for name in ("software", "taken", "changed"))
    place = fields.pop("place", None) is not None
    texts = fields | others
    editors = named(" ".join(filter(None, (software, *texts.values()))).casefold(), texts)
    alike = None if small is None else round(correlation(subject.stored, small), 3)
    found = Metadata(camera, software, taken, changed, subject.orientation, place, editors, texts, alike, Words("", "", ""))
    shown = None if small is None else np.ascontiguousarray(turned(small, subject.orientation))
    return replace(found, words=_words(found)), shown


def camera_of(make: str, model: str) -> str | None:
    """One name: many models begin with their make."""
    maker = make.split()[0].casefold() if make.split() else ""
    return model if maker and model.casefold().startswith(maker) else clean(f"{make} {model}") or None


def _exif(opened: Image.Image) -> tuple[dict[str, str], Image.Exif | None]:
    """The fields known here; a block that cannot be read is as good as none."""
    try:
        exif = opened.getexif()
        details = exif.get_ifd(EXIF)
        found: dict[str, Any] = {name: exif.get(tag) for name, tag in TEXTS.items()}
        place = "yes" if exif.get_ifd(ExifTags.IFD.GPSInfo) else None
        found |= {"taken": details.get(TAKEN), "lens": details.get(LENS), "place": place}
    except Exception:  # malformed in any of a hundred ways
        return {}, None
    return {name: text for name, value in found.items() if value is not None and (text := clean(value))}, exif


def _xmp(packet: bytes | str) -> dict[str, str]:
    """Attributes and elements of an XMP packet by their names, found by pattern: nothing in it is expanded or followed."""
    data = (packet.encode("utf-8", "replace") if isinstance(packet, str) else packet)[:XMP_LARGEST]
    found = {}
    for name, tag in XMP.items():
        values = re.findall(rb"[A-Za-z]\w{0,40}:" + tag + rb"(?:\s{0,9}=\s{0,9}[\"']([^\"'<]{1,300})|\s{0,9}>([^<]{1,300}))", data)
        lines = dict.fromkeys(filter(None, (clean(one or other) for one, other in values[:40])))
        if lines:
            found[name] = clean(", ".join(lines))
    return found


def _texts(info: dict[Any, Any]) -> dict[str, str]:
    """Text chunks of a PNG and comments; XMP and binary blocks aside."""
    names = [name for name, value in info.items() if isinstance(name, str) and isinstance(value, str) and "xmp" not in name.casefold()]
    comment = info.get("comment")
    found = {clean(name, 40): clean(info[name]) for name in names[:20]}
    return {name: text for name, text in (found | ({"comment": clean(comment)} if comment else {})).items() if text}


def named(text: str, texts: dict[str, str]) -> tuple[str, ...]:
    """Programs that change or make pictures: those in `text`, in small letters, and names of `texts` that only generators write."""
    prompts = tuple(name for name in texts if name.casefold() in PROMPTS)
    return tuple(name for name in (*EDITORS, *GENERATORS) if re.search(rf"\b{re.escape(name)}", text)) + prompts


def _words(found: Metadata) -> Words:
    parts = [f"Camera: {found.camera}." if found.camera else "No camera is named.",
             f"Software: {found.software}." if found.software else "",
             f"Taken {_day(found.taken)}." if found.taken else "",
             f"Changed {_day(found.changed)}." if found.changed else ""]  # fmt: skip
    signs = []
    if found.editors:
        signs.append(f"It names programs that change or make pictures ({', '.join(found.editors)}).")
    if (later := _later(found.taken, found.changed)) is not None:
        signs.append(f"It was written {later} after it was taken: something saved it again.")
    if found.thumbnail_alike is not None and found.thumbnail_alike < ALIKE:
        signs.append("The preview inside the file does not show this picture: it may show how it was before.")
    if not (found.camera or found.software or found.taken or found.texts):
        return Words("It says nothing of itself.", "Usual for pictures from the web and from messengers, which strip it.", LIMITS)
    return Words(" ".join(filter(None, parts)), " ".join(signs) or "Nothing in it contradicts a photo straight from a camera.", LIMITS)


def _day(text: str) -> str:
    """2010:05:10 10:04:01, as EXIF writes it, with the date as people do."""
    return re.sub(r"^(\d{4}):(\d\d):(\d\d)\b", r"\1-\2-\3", text)


def _later(taken: str | None, changed: str | None) -> str | None:
    """How long after it was taken the file was changed, in words; None for less than a minute, or where that cannot be told."""
    try:
        first, last = (datetime.strptime(one or "", "%Y:%m:%d %H:%M:%S") for one in (taken, changed))
    except ValueError:
        return None
    minutes = (last - first).total_seconds() / 60
    scale = next(((size, word) for size, word in ((1440, "days"), (60, "hours"), (1, "minutes")) if minutes >= size), None)
    return None if scale is None else f"{minutes / scale[0]:.0f} {scale[1]}"
