"""The page with the slider: what it shows, and that it stands alone."""

import base64
import hashlib
import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from enlargers import Nearest, drawing, how, repeated
from PIL import Image
from test_png import png_of

from mien.data.pictures import read_picture
from mien.data.resize import enlarge
from mien.tasks.upscale import slider
from mien.tasks.upscale.pictures import upscale_picture
from mien.tasks.upscale.slider import write_comparison


def shown(page: Path) -> list[np.ndarray]:
    """The pictures inside: after, before, after, before..."""
    found = re.findall(r"src='data:image/(?:png|jpeg);base64,([^']*)'", page.read_text())
    return [np.asarray(Image.open(BytesIO(base64.b64decode(data)))) for data in found]


def bicubic(image: np.ndarray) -> np.ndarray:
    """The whole picture, twice as large."""
    x = torch.from_numpy(image).permute(2, 0, 1)[None].float()
    return enlarge(x, 2)[0].round().clamp(0, 255).byte().permute(1, 2, 0).numpy()


def test_before_is_bicubic_and_after_is_what_was_made(tmp_path: Path):
    image = drawing(20, 30)
    Image.fromarray(image).save(tmp_path / "a <b>.png")
    done = upscale_picture(tmp_path / "a <b>.png", tmp_path / "b.png", how())
    write_comparison(tmp_path / "new" / "page.html", [done, done])
    after, before, *more = shown(tmp_path / "new" / "page.html")
    assert len(more) == 2
    np.testing.assert_array_equal(after, read_picture(tmp_path / "b.png"))
    np.testing.assert_array_equal(before, bicubic(image))
    text = (tmp_path / "new" / "page.html").read_text()
    assert "a &lt;b&gt;.png" in text
    assert "60 x 40 pixels, 2 times, nearest" in text


def test_the_page_runs_its_own_script_and_fetches_nothing(tmp_path: Path):
    Image.fromarray(drawing()).save(tmp_path / "a.png")
    write_comparison(tmp_path / "page.html", [upscale_picture(tmp_path / "a.png", tmp_path / "b.png", how())])
    text = (tmp_path / "page.html").read_text()
    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    policy = re.findall(r"Content-Security-Policy' content=\"([^\"]*)\"", text)[0]
    assert f"script-src 'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy
    assert not re.findall(r"https?:", text)


@pytest.mark.parametrize("size", [(500, 40), (41, 700)])
def test_of_a_large_picture_the_middle_is_shown(tmp_path: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(slider, "SHOWN", 61)
    image = drawing(*size)
    Image.fromarray(image).save(tmp_path / "a.png")
    done = upscale_picture(tmp_path / "a.png", tmp_path / "b.png", how())
    write_comparison(tmp_path / "page.html", [done])
    after, before = shown(tmp_path / "page.html")
    top, left = ((side - 30) // 2 for side in size)
    np.testing.assert_array_equal(after, repeated(image[top : top + 30, left : left + 30]))
    np.testing.assert_array_equal(before, bicubic(image)[2 * top : 2 * top + 60, 2 * left : 2 * left + 60])
    assert "shown are 60 x 60 pixels of its middle" in (tmp_path / "page.html").read_text()


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_grey_transparent_and_sixteen_bits(tmp_path: Path, channels: int):
    rows = np.full((6, 6, channels), 257 * 100, np.uint16)
    if channels > 1:
        rows[..., -1] = 0
    (tmp_path / "a.png").write_bytes(png_of(rows))
    write_comparison(tmp_path / "page.html", [upscale_picture(tmp_path / "a.png", tmp_path / "b.png", how())])
    for picture in shown(tmp_path / "page.html"):
        assert picture.shape == (12, 12, 3)
        assert set(picture.ravel()) == {100 if channels == 1 else 255}


def test_a_result_beyond_what_is_decoded_is_only_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    Image.fromarray(drawing()).save(tmp_path / "a.png")
    done = upscale_picture(tmp_path / "a.png", tmp_path / "b.png", how(Nearest()))
    monkeypatch.setattr(slider, "LARGEST", 2399)
    write_comparison(tmp_path / "page.html", [done])
    assert "too large to be shown here" in (tmp_path / "page.html").read_text()


def test_a_video_is_compared_by_a_frame_of_its_middle(tmp_path: Path):
    from mien.data.video import VideoInfo, VideoWriter, read_video
    from mien.tasks.upscale.videos import upscale_video

    with VideoWriter(tmp_path / "a.mp4", VideoInfo(24, 20)) as out:
        for number in range(5):
            out.write(np.full((20, 24, 3), 50 * number, np.uint8), 512 * number)
    done = upscale_video(tmp_path / "a.mp4", tmp_path / "b.mp4", how())
    write_comparison(tmp_path / "page.html", [done])
    after, before = shown(tmp_path / "page.html")
    assert (after.shape, before.shape) == ((40, 48, 3), (40, 48, 3))
    assert abs(float(before.mean()) - 100) < 3
    assert [float(frame.image.mean()) for frame in read_video(tmp_path / "b.mp4")][2] == pytest.approx(float(after.mean()))
    assert "the frame at 0.08 s" in (tmp_path / "page.html").read_text()


def test_what_cannot_be_compared(tmp_path: Path):
    with pytest.raises(ValueError, match=r"expected a name that ends in \.html"):
        write_comparison(tmp_path / "page.png", [])
    with pytest.raises(ValueError, match="nothing to compare"):
        write_comparison(tmp_path / "page.html", [])
