"""The AIGC label and the visible text."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from mien.provenance.label import aigc_label, label_picture, labelled, read_label
from mien.provenance.visible import mark

FIELDS = ("Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2")
PIXELS = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:source="a camera"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def test_the_label_has_the_standards_seven_fields() -> None:
    label = aigc_label()
    assert tuple(label) == FIELDS
    assert label["Label"] == "1"
    assert label["ProduceID"] != aigc_label()["ProduceID"]


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_written_and_read_with_pixels_untouched(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    Image.fromarray(PIXELS).save(path)
    before = np.asarray(Image.open(path))
    label = aigc_label('名 <&> "x"', "1")
    assert read_label(path) is None
    label_picture(path, label)
    assert read_label(path) == label
    np.testing.assert_array_equal(np.asarray(Image.open(path)), before)


@pytest.mark.parametrize("suffix", ["jpg", "png"])
def test_other_metadata_stays_and_a_second_label_replaces_the_first(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    info = PngImagePlugin.PngInfo()
    info.add_itxt("XML:com.adobe.xmp", XMP.decode())
    info.add_text("Author", "G. H.")
    exif = Image.Exif()
    exif[0x0112] = 6
    if suffix == "jpg":
        Image.fromarray(PIXELS).save(path, exif=exif, xmp=XMP)
    else:
        Image.fromarray(PIXELS).save(path, exif=exif, pnginfo=info)
    label_picture(path, aigc_label("one"))
    label_picture(path, aigc_label("two"))
    data = path.read_bytes()
    assert data.count(b"a camera") == 1
    assert data.count(b"ContentProducer") == 1
    label = read_label(path)
    assert label is not None
    assert label["ContentProducer"] == "two"
    with Image.open(path) as image:
        assert image.getexif()[0x0112] == 6
        assert suffix == "jpg" or image.info["Author"] == "G. H."


def test_a_compressed_packet_and_a_plain_chunk_are_read(tmp_path: Path) -> None:
    label = aigc_label()
    plain = tmp_path / "a.png"
    Image.fromarray(PIXELS).save(plain)
    label_picture(plain, label)
    with Image.open(plain) as image:
        packet = str(image.info["XML:com.adobe.xmp"])
    for number, (keyword, text, zipped) in enumerate(
        [("XML:com.adobe.xmp", packet, True), ("AIGC", '{"AIGC": {"Label": "2"}}', False)]
    ):
        info = PngImagePlugin.PngInfo()
        info.add_itxt(keyword, text, zip=zipped)
        path = tmp_path / f"{number}.png"
        Image.fromarray(PIXELS).save(path, pnginfo=info)
        assert read_label(path) == (label if zipped else {"Label": "2"})


@given(st.sampled_from([b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"]), st.binary(max_size=200))
def test_broken_pictures_are_refused_in_words(head: bytes, rest: bytes) -> None:
    mime = "image/jpeg" if head[:1] == b"\xff" else "image/png"
    # No picture this short has pixels: JPEG without a start of scan, PNG without its last chunk.
    if b"\xff\xda" not in head + rest and b"IEND" not in rest:
        with pytest.raises(ValueError, match=r"^the picture: the (JPEG|PNG) is broken"):
            labelled(head + rest, mime, aigc_label())


def test_only_jpeg_and_png_take_a_label(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    Image.fromarray(PIXELS).save(path)
    with pytest.raises(ValueError, match="expected JPEG or PNG"):
        label_picture(path, aigc_label())
    assert read_label(path) is None


@pytest.mark.parametrize("size", [(64, 64), (120, 400), (720, 480), (1080, 1920)])
@pytest.mark.parametrize("ground", [0, 128, 255])
def test_visible_text_is_large_and_readable_on_any_ground(size: tuple[int, int], ground: int) -> None:
    image = np.full((*size, 3), ground, np.uint8)
    out = mark(image, "AI")
    assert (image == ground).all()
    assert (out.shape, out.dtype) == (image.shape, np.uint8)
    rows, columns = np.nonzero(np.any(out != image, axis=2))
    banner = out[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1, 0]
    letters = np.nonzero((banner > 200).any(axis=1))[0]
    assert letters.max() - letters.min() + 1 >= 0.05 * min(size)
    around = np.median(banner)
    assert around < 100
    assert banner.max() - around > 100
    assert (out[: size[0] // 2] == ground).all()


def test_the_visible_text_fits_or_says_so() -> None:
    assert (mark(np.zeros((100, 100, 3), np.uint8)) > 0).any()
    with pytest.raises(ValueError, match="does not fit"):
        mark(np.zeros((100, 100, 3), np.uint8), "AI-generated " * 20)
    with pytest.raises(ValueError, match="built-in font cannot write"):
        mark(np.zeros((100, 100, 3), np.uint8), "AI生成")
    with pytest.raises(ValueError, match="empty text"):
        mark(np.zeros((100, 100, 3), np.uint8), " ")
    with pytest.raises(ValueError, match="expected \\(H, W, 3\\) uint8"):
        mark(np.zeros((100, 100), np.uint8))
