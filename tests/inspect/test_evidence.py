"""Each kind of evidence on pictures whose history is known, because it was made here."""

import struct
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps
from PIL.PngImagePlugin import PngInfo
from portraits import eileen, grace
from scipy.fft import dctn

from mien.provenance.label import aigc_label, label_picture
from mien.tasks.inspect.evidence import error_level, noise, resampling, subject
from mien.tasks.inspect.evidence.credentials import credentials
from mien.tasks.inspect.evidence.double import blocks_of, double_jpeg, read_luma
from mien.tasks.inspect.evidence.gather import gather
from mien.tasks.inspect.evidence.metadata import metadata
from mien.tasks.inspect.evidence.subject import Subject, as_stored, open_subject, turned
from mien.tasks.inspect.evidence.tables import ijg, tables
from mien.tasks.inspect.evidence.words import clean

HOSTILE = "<script>alert('x')</script>\"onerror=1\0\x1b[31m\u202e javascript:alert(1) " + "A" * 100_000


def held(pixels: np.ndarray) -> Subject:
    return Subject(Path("made"), "PNG", pixels, pixels, 1, ())


def saved(folder: Path, picture: Image.Image, **how: object) -> Subject:
    picture.save(folder / "a.jpg", "JPEG", **how)
    return open_subject(folder / "a.jpg")


def exif(first: dict[int, bytes], thumbnail: bytes = b"") -> bytes:
    """An EXIF block (little-endian TIFF) with ASCII tags, and a thumbnail in the second directory."""
    entries, pool, start = [], b"", 8 + 2 + 12 * len(first) + 4
    for tag, value in sorted(first.items()):
        text = value + b"\0"
        place = struct.pack("<I", start + len(pool)) if len(text) > 4 else text.ljust(4, b"\0")
        entries.append(struct.pack("<HHI", tag, 2, len(text)) + place)
        pool += text if len(text) > 4 else b""
    second = start + len(pool)
    block = b"II*\0\x08\0\0\0" + struct.pack("<H", len(first)) + b"".join(entries)
    block += struct.pack("<I", second if thumbnail else 0) + pool
    if thumbnail:
        place = second + 2 + 24 + 4
        block += struct.pack("<HHHIIHHIII", 2, 0x201, 4, 1, place, 0x202, 4, 1, len(thumbnail), 0) + thumbnail
    return b"Exif\0\0" + block


def encoded(pixels: np.ndarray, size: tuple[int, int] = (96, 112)) -> bytes:
    out = BytesIO()
    Image.fromarray(pixels).resize(size).save(out, "JPEG")
    return out.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_turning_is_what_pillow_does(orientation: int) -> None:
    stored = np.random.default_rng(0).integers(0, 255, (5, 7, 3), np.uint8)
    picture = Image.fromarray(stored)
    picture.getexif()[0x0112] = orientation
    upright = np.asarray(ImageOps.exif_transpose(picture))
    assert (turned(stored, orientation) == upright).all()
    assert (as_stored(upright, orientation) == stored).all()


@settings(max_examples=40)
@given(st.text(max_size=200) | st.binary(max_size=200))
def test_text_from_a_file_becomes_one_printable_line(value: str | bytes) -> None:
    line = clean(value, 40)
    assert len(line) <= 40
    assert line.isprintable()


@pytest.mark.parametrize("quality", [1, 25, 49, 50, 75, 90, 95, 100])
def test_standard_tables_are_those_libjpeg_writes(quality: int, tmp_path: Path) -> None:
    found = saved(tmp_path, Image.fromarray(grace()), quality=quality, subsampling=2)
    told = tables(found)
    assert told is not None
    assert told.luma == tuple(ijg(quality))
    assert told.chroma == tuple(ijg(quality, chroma=True))
    assert (told.quality, told.standard, told.subsampling, told.progressive) == (quality, True, "4:2:0", False)


def test_tables_of_ones_own_are_told_from_standard_ones(tmp_path: Path) -> None:
    own = [int(step) for step in ijg(80)]
    own[63] += 3
    told = tables(saved(tmp_path, Image.fromarray(grace()), qtables=[own, own], subsampling=0, progressive=True))
    assert told is not None
    assert (told.quality, told.standard, told.subsampling, told.progressive) == (80, False, "4:4:4", True)


def test_coefficients_are_the_cosine_transform_and_multiples_of_the_step(tmp_path: Path) -> None:
    found = saved(tmp_path, Image.fromarray(eileen()), quality=60)
    luma = read_luma(found)
    own = blocks_of(luma)
    assert np.allclose(own[5], dctn(luma[:8, 40:48].astype(float) - 128, norm="ortho"), atol=1e-2)
    multiples = own[:, 0, 1] / ijg(60)[1]
    assert np.abs(multiples - np.rint(multiples)).mean() < 0.05  # a quarter, were there no grid
    assert len(blocks_of(luma, most=64)) == 64


@pytest.mark.parametrize(("first", "second"), [(70, 90), (50, 75), (60, 85), (85, 95)])
def test_an_earlier_save_is_seen_with_its_quality(first: int, second: int, tmp_path: Path) -> None:
    once = saved(tmp_path, Image.fromarray(eileen()), quality=first)
    told = tables(twice := saved(tmp_path, Image.fromarray(once.stored), quality=second))
    assert told is not None
    found = double_jpeg(twice, told.luma)
    assert found is not None
    assert found.twice
    assert found.first_quality == pytest.approx(first, abs=1)
    alone = double_jpeg(saved(tmp_path, Image.fromarray(eileen()), quality=second), told.luma)
    assert alone is not None
    assert not alone.twice


def test_of_a_tiny_picture_nothing_is_said(tmp_path: Path) -> None:
    small = saved(tmp_path, Image.fromarray(eileen()[:100, :100]), quality=80)
    found, _ = gather(small)
    assert found.double_jpeg is None
    assert found.resampling is None
    assert found.tables is not None


def test_blocks_over_the_edge_are_means_of_what_is_there() -> None:
    values = np.arange(35.0).reshape(5, 7)
    assert error_level.block_mean(values, 3)[1, 2] == values[3:5, 6:7].mean()
    assert error_level.block_mean(values, 3).shape == (2, 3)


def test_what_was_saved_before_changes_less_when_saved_again() -> None:
    settled = eileen()
    for _ in range(4):
        out = BytesIO()
        Image.fromarray(settled).save(out, "JPEG", quality=90, subsampling=0)
        settled = np.asarray(Image.open(out))
    pasted = settled.copy()
    pasted[96:160, 96:160] = eileen()[96:160, 96:160]
    _, drawn = error_level.error_level(held(pasted))
    inside = drawn[96:160, 96:160].mean()
    assert drawn.shape == (256, 256)
    assert inside > 3 * (drawn.sum() - inside * 64**2) / (256**2 - 64**2)


@pytest.mark.parametrize("look", [error_level.error_level, noise.noise])
def test_maps_do_not_depend_on_the_strips_they_are_made_in(look, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = held(grace()[:299, :251])
    whole = look(picture)
    monkeypatch.setattr(error_level, "STRIP", 32)
    monkeypatch.setattr(noise, "STRIP", 32)
    parts = look(picture)
    assert whole[0] == parts[0]
    assert (whole[1] == parts[1]).all()


def test_noise_is_measured_where_it_is() -> None:
    random = np.random.default_rng(1)
    slope = np.linspace(60, 190, 256)[None, :, None] + np.zeros((256, 1, 3))
    grey = random.normal(0, 1, (256, 256, 1)) * np.where(np.arange(256) < 128, 2.0, 6.0)[:, None, None]
    found, drawn = noise.noise(held((slope + grey).round().clip(0, 255).astype(np.uint8)))
    levels = noise.noise_levels(np.pad((slope + grey)[..., 0], 1, mode="edge"), 16)
    assert np.median(levels[:8]) == pytest.approx(2, rel=0.1)
    assert np.median(levels[8:]) == pytest.approx(6, rel=0.1)
    assert 2 <= found.middle <= 6
    assert drawn[140:].mean() > 1.5 * drawn[:116].mean()


@pytest.mark.parametrize(
    ("factor", "how"), [(1.3, Image.Resampling.BICUBIC), (1.1, Image.Resampling.BILINEAR), (1.5, Image.Resampling.LANCZOS)]
)
def test_an_enlargement_is_seen_with_its_factor(factor: float, how: Image.Resampling) -> None:
    picture = Image.fromarray(eileen())
    large = picture.resize((round(256 * factor), round(256 * factor)), how)
    found = resampling.resampling(held(np.asarray(large)))
    assert found is not None
    assert found.resampled
    assert found.factor == pytest.approx(factor, abs=0.03)
    alone = resampling.resampling(held(eileen()))
    assert alone is not None
    assert (alone.resampled, alone.factor) == (False, None)


def test_the_trace_does_not_depend_on_the_strips_it_is_read_in(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = resampling.resampling(held(grace()))
    monkeypatch.setattr(resampling, "STRIP", 41)
    assert resampling.resampling(held(grace())) == whole


def test_the_camera_the_dates_and_the_editor_are_read(tmp_path: Path) -> None:
    block = exif({0x010F: b"Canon", 0x0110: b"Canon EOS 5D", 0x0131: b"Adobe Photoshop 25.0", 0x0132: b"2024:05:03 12:00:00"})
    found, thumbnail = metadata(saved(tmp_path, Image.fromarray(grace()), exif=block))
    assert (found.camera, found.software, found.editors) == ("Canon EOS 5D", "Adobe Photoshop 25.0", ("photoshop",))
    assert (found.thumbnail_alike, thumbnail) == (None, None)
    assert "Changed 2024-05-03 12:00:00" in found.words.found


def test_a_preview_that_shows_something_else_is_told(tmp_path: Path) -> None:
    for shown, alike in ((grace(), True), (eileen(), False)):
        found, small = metadata(saved(tmp_path, Image.fromarray(grace()), exif=exif({0x010F: b"Maker"}, encoded(shown))))
        assert small is not None
        assert small.shape == (112, 96, 3)
        assert found.thumbnail_alike is not None
        assert (found.thumbnail_alike > 0.98) == alike
        assert ("does not show this picture" in found.words.meaning) != alike


def test_black_bars_of_a_preview_are_not_the_picture(tmp_path: Path) -> None:
    wide = np.ascontiguousarray(grace()[:144])
    barred = np.zeros((120, 160, 3), np.uint8)
    barred[15:105] = np.asarray(Image.fromarray(wide).resize((160, 90)))
    found, _ = metadata(saved(tmp_path, Image.fromarray(wide), exif=exif({0x010F: b"Maker"}, encoded(barred, (160, 120)))))
    assert found.thumbnail_alike is not None
    assert found.thumbnail_alike > 0.98


def test_hostile_metadata_becomes_short_printable_lines(tmp_path: Path) -> None:
    text = HOSTILE.encode()
    block = exif({0x010F: text[:20_000], 0x0131: text[:20_000]})
    found, _ = metadata(saved(tmp_path, Image.fromarray(grace()), exif=block, comment=text[:9000]))
    lines = [found.camera, found.software, *found.texts.values(), *found.texts, found.words.found, found.words.meaning]
    assert found.camera is not None
    assert found.camera.startswith("<script>alert")
    for line in filter(None, lines):
        assert line.isprintable()
        assert len(line) <= 1000


@pytest.mark.parametrize(
    "block", [b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", exif({0x010F: b"x"}, b"no jpeg"), b"Exif\0\0" + b"\xff" * 500]
)
def test_broken_exif_is_as_good_as_none(block: bytes, tmp_path: Path) -> None:
    found, thumbnail = metadata(saved(tmp_path, Image.fromarray(grace()), exif=block))
    assert found.taken is None
    assert thumbnail is None


def test_xmp_and_the_prompts_of_generators_are_found(tmp_path: Path) -> None:
    packet = (b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><rdf:Description '
              b'xmp:CreatorTool="Facetune 2 &amp; &lt;script&gt;" stEvt:softwareAgent="GIMP"/></x:xmpmeta>')
    found, _ = metadata(saved(tmp_path, Image.fromarray(grace()), xmp=packet))
    assert found.texts["creator tool"].startswith("Facetune 2")
    assert set(found.editors) == {"facetune", "gimp"}
    notes = PngInfo()
    notes.add_text("parameters", "a portrait, Steps: 20, <img src=x onerror=alert(1)>")
    Image.fromarray(grace()).save(tmp_path / "b.png", pnginfo=notes)
    made, _ = metadata(open_subject(tmp_path / "b.png"))
    assert "parameters" in made.editors


def test_a_label_says_that_it_was_generated_and_none_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(grace()).save(path)
    before = credentials(path)
    assert (before.signed, before.generated, before.intact) == (False, False, None)
    label_picture(path, aigc_label("somebody <b>"))
    after = credentials(path)
    assert after.generated
    assert "somebody <b>" in after.words.found


def test_odd_kinds_are_looked_at_and_what_was_done_is_said(tmp_path: Path) -> None:
    picture = Image.fromarray(eileen())
    picture.save(tmp_path / "a.gif", save_all=True, append_images=[Image.fromarray(grace()).resize((256, 256))])
    picture.convert("CMYK").save(tmp_path / "b.jpg")
    picture.putalpha(Image.new("L", picture.size, 100))
    picture.save(tmp_path / "c.png")
    Image.fromarray(np.arange(65536, dtype=np.uint16).reshape(256, 256)).save(tmp_path / "d.png")
    expected = {"a.gif": "the first of 2", "b.jpg": "CMYK", "c.png": "transparent", "d.png": "16 bits"}
    for name, words in expected.items():
        found = open_subject(tmp_path / name)
        assert any(words in note for note in found.notes), name
        evidence, maps = gather(found)
        assert evidence.noise is not None
        assert maps["noise"].shape == (256, 256)


def test_a_phones_jpeg_with_a_second_picture_behind_it_is_a_jpeg(tmp_path: Path) -> None:
    Image.fromarray(eileen()).save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[Image.fromarray(eileen())], quality=85)
    found = open_subject(tmp_path / "a.jpg")
    evidence, _ = gather(found)
    assert evidence.tables is not None
    assert evidence.tables.quality == 85
    assert evidence.double_jpeg is not None
    assert "the first of 2" in found.notes[0]


def test_maps_of_a_large_picture_stay_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "LARGEST_MAP", 100)
    picture = Subject(Path("made"), "PNG", grace(), as_stored(grace(), 6), 6, ())
    _, drawn = noise.noise(picture)
    assert max(drawn.shape) <= 100
    assert drawn.shape[0] / drawn.shape[1] == pytest.approx(300 / 256, rel=0.03)
