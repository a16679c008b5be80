"""The AIGC label of GB 45438-2025: seven fields as JSON under the name AIGC in the file's metadata.

Pictures keep it in XMP as TC260:AIGC (practice guide TC260-PG-20258A). A video keeps it under the key AIGC in its
container's metadata where the writer put it there, else in XMP, which in MP4 is a box of its own. Pixels and samples
are never touched.
"""

from __future__ import annotations

import json
import re
import uuid
import zlib
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from mien.data.files import atomic
from mien.provenance.container import boxes, jpeg_segments, kind, png_chunks

NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
# Where FFmpeg shall write a key it does not know, such as AIGC: without this it drops the key.
MP4_OPTIONS = {"movflags": "use_metadata_tags"}

_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_PNG_XMP = b"XML:com.adobe.xmp"
_XMP_BOX = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
_LIMIT = 1 << 20


def aigc_label(producer: str = "mien", produce_id: str | None = None) -> dict[str, str]:
    """The label of something made here; "Label": "1" says that it is AI-generated.

    `producer`: name or code of who provides the service; `produce_id`: their number for this content (a fresh one).
    """
    return {
        "Label": "1",
        "ContentProducer": producer,
        "ProduceID": produce_id or uuid.uuid4().hex,
        "ReservedCode1": "",
        "ContentPropagator": "",
        "PropagateID": "",
        "ReservedCode2": "",
    }


def aigc_metadata(label: Mapping[str, str]) -> dict[str, str]:
    """The label as a container's metadata, for `container.metadata.update` in a file opened with MP4_OPTIONS."""
    return {"AIGC": _json(label)}


def label_picture(path: Path, label: Mapping[str, str], target: Path | None = None) -> None:
    """Write the label into a JPEG or PNG, in place or to `target`; other metadata and the pixels stay as they are.

    ValueError: another kind of file, or one cut off.
    """
    mime = kind(path)
    with atomic(target or path) as draft:
        draft.write_bytes(labelled(path.read_bytes(), mime, label, str(path)))


def labelled(data: bytes, mime: str, label: Mapping[str, str], name: str = "the picture") -> bytes:
    """The bytes of a JPEG or PNG with the label in its XMP. ValueError (starts with `name`): another kind, cut off."""
    writers = {"image/jpeg": _into_jpeg, "image/png": _into_png}
    if mime not in writers:
        raise ValueError(f"{name}: {mime} cannot take the AIGC label as a picture; expected JPEG or PNG")
    try:
        return writers[mime](data, label)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def xmp_box(label: Mapping[str, str]) -> bytes:
    """The label as a box to put at the end of an MP4 (XMP specification, part 3): no sample moves."""
    content = _XMP_BOX + _packet(b"", label)
    return (len(content) + 8).to_bytes(4, "big") + b"uuid" + content


def read_label(path: Path) -> dict[str, str] | None:
    """The AIGC label of a JPEG, PNG or MP4; None where there is none. ValueError: neither picture nor video."""
    mime = kind(path)
    try:
        if mime == "image/jpeg":
            return _parse(_jpeg_xmp(path.read_bytes())[0])
        if mime == "image/png":
            return _from_png(path.read_bytes())
        if mime in ("video/mp4", "video/quicktime"):
            return _from_mp4(path)
    except ValueError:
        pass
    return None


def _json(label: Mapping[str, str]) -> str:
    return json.dumps(dict(label), ensure_ascii=False, separators=(",", ":"))


def _packet(old: bytes, label: Mapping[str, str]) -> bytes:
    """XMP with the label: `old` with any earlier label replaced, or a new packet."""
    value = escape(_json(label)).encode()
    entry = b'<rdf:Description rdf:about="" xmlns:TC260="%b"><TC260:AIGC>%b</TC260:AIGC></rdf:Description>'
    entry %= (NAMESPACE.encode(), value)
    old = re.sub(rb"<TC260:AIGC>.*?</TC260:AIGC>|\sTC260:AIGC=(\"[^\"]*\"|'[^']*')", b"", old, flags=re.DOTALL)
    before, close, after = old.rpartition(b"</rdf:RDF>")
    if close:
        return before + entry + close + after
    return (
        b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' + entry + b"</rdf:RDF></x:xmpmeta>"
        b'<?xpacket end="w"?>'
    )


def _parse(xmp: bytes) -> dict[str, str] | None:
    """The label in an XMP packet; ValueError where it is not one."""
    if not xmp or len(xmp) > _LIMIT or b"<!DOCTYPE" in xmp or b"<!ENTITY" in xmp:
        return None
    try:
        tree = ElementTree.fromstring(xmp.strip(b"\0 \r\n\t"))
    except ElementTree.ParseError:
        return None
    name = f"{{{NAMESPACE}}}AIGC"
    for element in tree.iter():
        text = element.text if element.tag == name else element.get(name)
        if text:
            return _fields(text)
    return None


def _fields(text: str) -> dict[str, str] | None:
    """JSON -> fields; some writers wrap them once more in "AIGC"."""
    found = json.loads(text)
    if isinstance(found, dict):
        found = found.get("AIGC", found)
    return {str(key): str(value) for key, value in found.items()} if isinstance(found, dict) else None


def _jpeg_xmp(data: bytes) -> tuple[bytes, int, int]:
    """The XMP packet of a JPEG with its segment's start and end; empty, with the place for one, where there is none."""
    place = 2
    for marker, start, end in jpeg_segments(data):
        if marker == 0xE1 and data.startswith(_JPEG_XMP, start + 4):
            return data[start + 4 + len(_JPEG_XMP) : end], start, end
        # JFIF and Exif want to be first.
        if marker == 0xE0 or (marker == 0xE1 and data.startswith(b"Exif", start + 4)):
            place = end
    return b"", place, place


def _into_jpeg(data: bytes, label: Mapping[str, str]) -> bytes:
    old, start, end = _jpeg_xmp(data)
    content = _JPEG_XMP + _packet(old, label)
    if len(content) + 2 > 0xFFFF:
        raise ValueError("its XMP leaves no room for the AIGC label; expected at most 64 kB")
    return data[:start] + b"\xff\xe1" + (len(content) + 2).to_bytes(2, "big") + content + data[end:]


def _png_text(data: bytes, start: int, end: int) -> tuple[bytes, bytes]:
    """Keyword and text of a tEXt or iTXt chunk."""
    keyword, _, rest = data[start + 8 : end - 4].partition(b"\0")
    if data[start + 4 : start + 8] == b"tEXt":
        return keyword, rest
    text = rest[2:].split(b"\0", 2)[-1]
    if rest[:1] == b"\1":
        try:
            text = zlib.decompressobj().decompress(text, _LIMIT)
        except zlib.error:
            text = b""
    return keyword, text


def _into_png(data: bytes, label: Mapping[str, str]) -> bytes:
    old, start, end = b"", 0, 0
    for name, first, last in png_chunks(data):
        if name == b"IHDR" and not start:
            start = end = last
        if name == b"iTXt" and (found := _png_text(data, first, last))[0] == _PNG_XMP:
            old, start, end = found[1], first, last
    body = b"iTXt" + _PNG_XMP + b"\0\0\0\0\0" + _packet(old, label)
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    return data[:start] + chunk + data[end:]


def _from_png(data: bytes) -> dict[str, str] | None:
    for name, start, end in png_chunks(data):
        if name in (b"iTXt", b"tEXt"):
            keyword, text = _png_text(data, start, end)
            if keyword == b"AIGC":
                return _fields(text.decode())
            if keyword == _PNG_XMP and (found := _parse(text)):
                return found
    return None


def _from_mp4(path: Path) -> dict[str, str] | None:
    with path.open("rb") as file:
        for name, _, body, end in boxes(file):
            if name == b"uuid" and end - body < _LIMIT:
                file.seek(body)
                content = file.read(end - body)
                if content.startswith(_XMP_BOX) and (found := _parse(content[16:])):
                    return found
    import av
    from av.error import FFmpegError

    try:
        with av.open(str(path)) as container:
            text = container.metadata.get("AIGC")
    except FFmpegError:
        return None
    return _fields(text) if text else None
