"""`mien inspect` with a made-up inspector: verdicts, pictures, the page against hostile files, folders, videos."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from portraits import eileen, grace, needs_networks
from test_evidence import HOSTILE, exif

from mien.cli import main, plain
from mien.data.video.reading import VideoInfo
from mien.data.video.writing import VideoWriter
from mien.faces.reshape.sliders import NAMES
from mien.tasks.inspect import batch, drawing, inspecting, run
from mien.tasks.inspect.judging import NO_INSPECTOR, FaceVerdict, Judge, Opinion
from mien.tasks.inspect.opening import inspect_source
from mien.types import Face

SAYS_RESHAPED, SAYS_ORIGINAL, SAYS_NOTHING = (0.05, 0.9, 0.05), (0.97, 0.02, 0.01), (0.4, 0.35, 0.25)


def made_up(chances: tuple[float, float, float] = SAYS_RESHAPED, shift: float = 4.0) -> Judge:
    """Says the same of every face: its left half came from `shift` crop pixels farther right."""

    def look(crop: np.ndarray, quality: int | None) -> Opinion:
        side = crop.shape[0]
        field = np.zeros((2, side, side), np.float32)
        field[0, :, : side // 2] = shift
        return Opinion(chances, field, np.ones((side, side), np.float32), np.abs(field[0]) / 8)

    return Judge(look, "made up")


def face(box: tuple[float, float, float, float]) -> Face:
    return Face(box, 1.0, np.zeros((68, 2), np.float32))


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    Image.fromarray(grace()).save(tmp_path / "grace.jpg", quality=92)
    return tmp_path / "grace.jpg"


def test_a_face_of_twenty_pixels_is_not_enough() -> None:
    [found] = made_up().judge(grace(), [face((100, 100, 120, 124))])
    assert found.verdict == "insufficient"
    assert found.probability is None
    assert re.fullmatch(r"too small: \d\d pixels around the face, expected 80 or more", found.reasons[0])


def test_why_nothing_can_be_said_is_named() -> None:
    box, sharp = face((80, 60, 180, 190)), grace()
    blurred = np.asarray(Image.fromarray(sharp).resize((16, 19)).resize((256, 300), Image.Resampling.BICUBIC))
    assert made_up().judge(sharp, [box], 20)[0].reasons == ("too compressed: JPEG quality 20, expected 30 or more",)
    assert made_up().judge(blurred, [box])[0].reasons[0].startswith("too blurred")
    large = np.asarray(Image.fromarray(sharp).resize((1024, 1200), Image.Resampling.LANCZOS))
    [found] = made_up().judge(large, [face((320, 240, 720, 760))])
    assert found.reasons[0] == f"too large: {found.crop[2]} pixels around the face, expected 640 or less"
    assert made_up(SAYS_NOTHING).judge(sharp, [box])[0].reasons == ("undecided: original 40%, reshaped 35%, swapped 25%",)
    assert Judge(None, "none").judge(sharp, [box])[0].reasons == (NO_INSPECTOR,)
    [judged] = made_up().judge(sharp, [box], 90)
    assert (judged.verdict, judged.probability, judged.reasons) == ("reshaped", 0.9, ())


def test_the_inspector_is_told_how_the_file_was_saved() -> None:
    told: list[int | None] = []

    def look(crop: np.ndarray, quality: int | None) -> Opinion:
        told.append(quality)
        return by_brightness(crop, quality)

    for quality in (None, 72):
        Judge(look).judge(grace(), [face((80, 60, 180, 190))], quality)
    assert told == [None, 72]


def test_how_far_is_said_in_pixels_of_the_picture() -> None:
    [found] = made_up(shift=4.0).judge(grace(), [face((80, 60, 180, 190))])
    assert found.moved == pytest.approx((2, 4))  # a crop has the size it has in the picture


def test_the_drawing_is_coloured_where_something_moved_and_grey_elsewhere() -> None:
    field = np.zeros((2, 400, 400), np.float32)
    field[0, :, :200] = -10.0
    drawn = drawing.change(drawing.resized(eileen(), 480), Opinion(SAYS_RESHAPED, field, np.ones((400, 400), np.float32)), 200)
    assert drawn.shape == (528, 480, 3)
    colour = np.ptp(drawn[:480].astype(int), axis=2)
    assert colour[:, 260:].max() == 0
    assert np.median(colour[:, :220]) > 60
    unreliable = drawing.change(drawing.resized(eileen(), 480), Opinion(SAYS_RESHAPED, field, np.zeros((400, 400), np.float32)), 200)
    assert np.ptp(unreliable[:480].astype(int), axis=2).max() == 0


def test_arrows_point_where_content_went() -> None:
    field = np.zeros((2, 400, 400), np.float32)
    field[0] = -10.0  # content came from the left: it went right
    grey = np.full((480, 480, 3), 128, np.uint8)
    drawn = drawing.change(grey, Opinion(SAYS_RESHAPED, field, np.ones((400, 400), np.float32)), 400)[:480]
    white = (drawn == 255).all(2)
    gap = 480 / drawing.ARROWS
    cell = white[round(6 * gap):round(7 * gap), round(6 * gap):round(7 * gap)]
    height = cell.any(0) * np.array([np.ptp(np.flatnonzero(column)) if column.any() else 0 for column in cell.T])
    assert height.argmax() > cell.shape[1] / 2  # the head, the tallest part, is at the right


def test_undoing_a_shift_of_all_but_the_rim_moves_it_back() -> None:
    image = eileen()
    field = np.zeros((2, 400, 400), np.float32)
    field[0] = 8.0
    opinion = Opinion(SAYS_RESHAPED, field, np.ones((400, 400), np.float32))
    back = drawing.restored(image, FaceVerdict((80, 80, 160, 160), (28, 28, 200), "reshaped", (), opinion))
    assert back.shape == (200, 200, 3)
    assert np.abs(back[60:140, 60:140].astype(int) - image[88:168, 84:164]).max() <= 1
    assert np.abs(back[0].astype(int) - image[28, 28:228]).max() <= 3


def test_a_crop_beyond_the_picture_is_restored_too() -> None:
    opinion = Opinion(SAYS_RESHAPED, np.zeros((2, 400, 400), np.float32), np.ones((400, 400), np.float32))
    back = drawing.restored(eileen(), FaceVerdict((0, 0, 50, 50), (-40, -60, 200), "reshaped", (), opinion))
    assert back.shape == (200, 200, 3)
    assert (back[60:, 40:] == eileen()[:140, :160]).all()


def test_traces_are_yellow_where_they_are_strongest() -> None:
    where = np.zeros((64, 64), np.float32)
    where[:, 32:] = 0.3
    drawn = drawing.traces(np.full((480, 480, 3), 128, np.uint8), where).astype(int)
    assert drawn[240, 400, 0] - drawn[240, 400, 2] > 60
    assert drawn[240, 80, 2] > drawn[240, 80, 0]


def test_the_flicker_has_both_pictures_and_never_ends() -> None:
    from io import BytesIO

    with Image.open(BytesIO(drawing.flicker(grace()[:200, :200], eileen()[:200, :200]))) as moving:
        assert (moving.n_frames, moving.info["loop"]) == (2, 0)
        moving.seek(1)
        assert np.abs(np.asarray(moving.convert("RGB"), int) - eileen()[:200, :200]).mean() < 12


@needs_networks
def test_a_photo_gets_its_verdict_and_a_report_that_stands_alone(photo: Path, tmp_path: Path) -> None:
    found = inspect_source(photo, tmp_path / "out", 0.5, made_up())
    [one] = found.faces
    assert (one.verdict, one.probability) == ("reshaped", 0.9)
    assert set(one.files) == {"face", "restored", "change", "traces", "flicker"}
    told = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    assert list(told)[:3] == ["file", "faces", "evidence"]
    assert told["faces"][0]["verdict"] == "reshaped"
    assert set(told["evidence"]) == {"credentials", "metadata", "tables", "double_jpeg", "error_level", "noise", "resampling"}
    for name in (*one.files.values(), *found.files.values()):
        assert (tmp_path / "out" / name).stat().st_size > 500
    page = Tags((tmp_path / "out" / "report.html").read_text("utf-8"))
    pictures = [attributes["src"] for tag, attributes in page.found if tag == "img"]
    assert len(pictures) == 5 + 1 + 2  # of the face, the photo, two maps
    assert all(source is not None and source.startswith("data:image/") for source in pictures)
    json.dumps(plain(found), allow_nan=False)


@needs_networks
def test_a_page_runs_and_fetches_nothing_whatever_the_file_says(tmp_path: Path) -> None:
    text = HOSTILE.encode()[:9000]
    path = tmp_path / "<img src=x onerror=alert(1)>.jpg"
    Image.fromarray(grace()).save(path, exif=exif(dict.fromkeys((0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x8298), text)), comment=text)
    inspect_source(path, tmp_path / "out", 0.5, made_up(SAYS_ORIGINAL))
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    tags = Tags(page).found
    assert "&lt;script&gt;alert" in page
    assert "\0" not in page
    assert "\x1b" not in page
    known = {"html", "head", "meta", "title", "style", "body", "main", "header", "h1", "h2", "h3", "div", "table", "tr", "th", "td",
             "br", "figure", "figcaption", "img", "section", "article", "p", "span", "dl", "dt", "dd", "ul", "li", "b",
             "footer"}  # fmt: skip
    assert {tag for tag, _ in tags} <= known
    assert not [name for _, attributes in tags for name in attributes if name.startswith("on") or name in ("href", "srcset", "style")]
    assert all((attributes["src"] or "").startswith("data:image/") for tag, attributes in tags if tag == "img")
    policies = [attributes["content"] for _, attributes in tags if attributes.get("http-equiv") == "Content-Security-Policy"]
    assert len(policies) == 1
    assert (policies[0] or "").startswith("default-src 'none'")


@needs_networks
def test_no_face_is_an_answer_and_the_file_still_speaks(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(np.full((200, 220, 3), 90, np.uint8)).save(tmp_path / "wall.jpg")
    assert main(["inspect", str(tmp_path / "wall.jpg"), "--out", str(tmp_path / "out"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["faces"] == []
    assert told["evidence"]["tables"]["quality"] == 75
    assert "no face" in told["notes"][0]
    assert "No face was found" in (tmp_path / "out" / "report.html").read_text("utf-8")


def test_what_is_no_picture_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], photo: Path) -> None:
    (tmp_path / "letter.jpg").write_text("Dear editor")
    (tmp_path / "cut.jpg").write_bytes(photo.read_bytes()[:3000])
    for words, expected in (
        ([str(tmp_path / "letter.jpg")], "is not a picture"), ([str(tmp_path / "cut.jpg")], "damaged or cut off"),
        ([str(tmp_path / "none.jpg")], "does not exist"), ([str(tmp_path)], "expected --out"),
        ([str(photo), "--out", str(photo)], "is a file"), ([str(photo), "--every", "0"], "expected 0.04 or more"),
    ):  # fmt: skip
        assert main(["inspect", *words]) == 2
        said = capsys.readouterr().err.strip().splitlines()
        assert len(said) == 1
        assert expected in said[0]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    (folder / "sub").mkdir(parents=True)
    Image.fromarray(grace()).save(folder / "grace.png")
    Image.fromarray(eileen()).save(folder / "sub" / "=1+1.png")
    Image.fromarray(np.full((150, 150, 3), 90, np.uint8)).save(folder / "wall.gif")
    (folder / "letter.jpg").write_text("Dear editor")
    return folder


def by_brightness(picture: np.ndarray, quality: int | None) -> Opinion:
    """Takes Grace Hopper, who is darker, for reshaped."""
    chances = SAYS_RESHAPED if picture.mean() < 110 else SAYS_ORIGINAL
    return Opinion(chances, np.zeros((2, 16, 16), np.float32), np.ones((16, 16), np.float32))


@needs_networks
def test_a_folder_becomes_a_table_and_is_not_done_twice(archive: Path, tmp_path: Path) -> None:
    out, judge = tmp_path / "out", Judge(by_brightness, "brightness")
    first = inspect_source(archive, out, 0.5, judge)
    assert first.looked == 3
    rows = table(out / batch.TABLE)
    assert rows[-1]["file"] == "letter.jpg"
    assert rows[-1]["verdict"] == "not read"
    assert "is not a picture" in rows[-1]["why"]
    values = [float(row["suspicion"] or -1) for row in rows]
    assert values == sorted(values, reverse=True)
    assert {row["file"]: row["verdict"] for row in rows}["wall.gif"] == "no face"
    assert all(not row["file"].startswith("=") for row in rows)
    assert inspect_source(archive, out, 0.5, judge).looked == 0
    Image.fromarray(np.full((150, 150, 3), 40, np.uint8)).save(archive / "wall.gif")
    assert inspect_source(archive, out, 0.5, judge).looked == 1
    assert inspect_source(archive, out, 0.5, Judge(by_brightness, "another")).looked == 3


@needs_networks
def test_a_folder_is_a_page_that_shows_the_most_suspicious_first_and_links_to_each_report(archive: Path, tmp_path: Path) -> None:
    """Names that would be markup, a scheme, a query or no text at all are names and nothing else."""
    from os import fsdecode
    from urllib.parse import unquote_to_bytes

    odd = ("javascript:alert(1).png", "<img src=x onerror=alert(1)>.png", "a' onclick='b.png", "q?x=1&#y.png",
           fsdecode(b"\xff\xfe.png"))  # fmt: skip
    for name in odd:
        Image.fromarray(eileen()).save(archive / name)
    out = tmp_path / "out"
    found = inspect_source(archive, out, 0.5, Judge(by_brightness, "brightness"))
    assert found.page == out / "index.html"
    text = found.page.read_text("utf-8")
    tags = Tags(text).found
    links = [attributes["href"] or "" for tag, attributes in tags if tag == "a"]
    assert links[0].startswith("./grace.png/")
    assert all(link.startswith("./") and (out / fsdecode(unquote_to_bytes(link))).is_file() for link in links)
    assert {fsdecode(unquote_to_bytes(link)) for link in links} >= {f"./{name}/report.html" for name in odd}
    harmless = "html head meta title style body main header h1 h2 h3 div span table tr th td section article p a img footer"
    assert {tag for tag, _ in tags} <= set(harmless.split())
    assert not any(name.startswith("on") for _, attributes in tags for name in attributes)
    pictures = [attributes["src"] or "" for tag, attributes in tags if tag == "img"]
    assert len(pictures) == len(odd) + 3
    assert all(picture.startswith("data:image/jpeg;base64,") for picture in pictures)
    assert text.index("Face 1: Reshaped, 90%") < text.index("Face 1: Nothing found, 97%") < text.index("No face was found")
    assert "letter.jpg" in text.partition("Not read")[2]
    assert "default-src 'none'" in text
    assert inspect_source(archive, out, 0.5, Judge(by_brightness, "brightness")).looked == 0


@needs_networks
def test_a_stopped_folder_goes_on(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out, judge, begun = tmp_path / "out", made_up(), []

    def stop_at_the_second(path: Path, *rest: object) -> object:
        begun.append(path)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return inspecting.inspect_picture(path, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(batch, "inspect_picture", stop_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        inspect_source(archive, out, 0.5, judge)
    assert len(table(out / batch.TABLE)) == 1
    monkeypatch.undo()
    found = inspect_source(archive, out, 0.5, judge)
    assert (found.looked, len(found.files)) == (2, 4)


def test_a_folder_of_nothing_readable_fails_and_says_why(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.jpg").write_text("x")
    with pytest.raises(ValueError, match=r"none of 1 files .* could be read; the first, a\.jpg: .* is not a picture"):
        inspect_source(tmp_path / "in", tmp_path / "out", 0.5, made_up())
    assert "a.jpg,not read" in (tmp_path / "out" / batch.TABLE).read_text("utf-8")


@needs_networks
def test_a_video_gives_a_curve_for_every_face(tmp_path: Path) -> None:
    with VideoWriter(tmp_path / "a.mp4", VideoInfo(256, 300)) as video:
        for i in range(15):
            video.write(np.roll(grace(), i, axis=1), i * 512)
    found = inspect_source(tmp_path / "a.mp4", tmp_path / "out", 0.2, made_up())
    [track] = found.tracks
    assert (track.track, track.frames, track.verdict, track.suspicion) == (1, 3, "reshaped", 0.95)
    rows = table(tmp_path / "out" / "frames.csv")
    assert [float(row["time"]) for row in rows] == pytest.approx([0, 0.2, 0.4])
    assert (tmp_path / "out" / "curve.png").stat().st_size > 5000
    assert "Over time" in (tmp_path / "out" / "report.html").read_text("utf-8")
    assert found.evidence.metadata is not None
    assert found.evidence.noise is None


@needs_networks
def test_every_slider_is_an_option_of_warp(photo: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from inspect import signature

    assert [name for name in signature(run.warp).parameters if name in NAMES] == list(NAMES)
    out = tmp_path / "warped.png"
    assert main(["inspect", "warp", str(photo), "--out", str(out), "--smile", "0.8", "--face-width", "-0.5", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sliders"] == {"smile": 0.8, "face_width": -0.5}
    found = inspect_source(out, None, 0.5, made_up())
    assert found.evidence.credentials.generated
    assert found.evidence.credentials.intact
    assert main(["inspect", "warp", str(photo), "--out", str(out)]) == 2
    assert "every slider is 0" in capsys.readouterr().err
