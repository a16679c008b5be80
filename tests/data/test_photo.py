"""Views and pieces of photos against the whole photo."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skimage import data

from mien.data.photo import open_photo, whole
from mien.data.pictures import read_picture

PLACES = {".png": ("PNG", {}), ".jpg": ("JPEG", {"quality": 95, "subsampling": 0}), ".webp": ("WEBP", {"lossless": True})}


def saved(folder: Path, suffix: str, orientation: int = 1, mode: str = "RGB") -> Path:
    picture = Image.fromarray(data.astronaut()[:400, :312]).convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    kind, options = PLACES[suffix]
    picture.save(folder / f"photo{suffix}", kind, exif=exif, **options)
    return folder / f"photo{suffix}"


@pytest.mark.parametrize("suffix", PLACES)
@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("longest", [1000, 250, 150, 60])
def test_a_view_is_the_photo_smaller_and_a_piece_is_cut_from_the_original(
    tmp_path: Path, suffix: str, orientation: int, longest: int
) -> None:
    path = saved(tmp_path, suffix, orientation)
    full, photo = read_picture(path), open_photo(path, longest)
    assert (photo.height, photo.width) == full.shape[:2]
    assert max(photo.view.shape) <= longest
    assert photo.view.shape[:2] == tuple(-(-side // photo.step) for side in full.shape[:2])
    reduced = np.asarray(Image.fromarray(full).reduce(photo.step)).astype(int)
    inner = slice(1, -1)  # decoders differ in what they put beyond the last whole block
    assert np.abs(photo.view.astype(int) - reduced)[inner, inner].mean() < 4
    assert np.array_equal(photo.piece((40, 50, 200, 230)), full[50:230, 40:200])


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK"])
def test_every_kind_of_picture_has_a_view(tmp_path: Path, mode: str) -> None:
    path = saved(tmp_path, ".jpg" if mode == "CMYK" else ".png", mode=mode)
    full, photo = read_picture(path), open_photo(path, 150)
    assert photo.view.shape == (-(-400 // photo.step), -(-312 // photo.step), 3)
    assert np.array_equal(photo.piece((0, 0, 100, 100)), full[:100, :100])


def test_a_picture_in_memory_is_the_same() -> None:
    image = data.astronaut()
    photo = whole(image, 200)
    assert (photo.step, photo.view.shape) == (3, (171, 171, 3))
    assert np.array_equal(photo.piece((3, 5, 30, 50)), image[5:50, 3:30])


def test_what_is_no_photo_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("words")
    with pytest.raises(ValueError, match="is not a picture: it is text"):
        open_photo(tmp_path / "a.jpg", 100)
    cut = saved(tmp_path, ".jpg")
    cut.write_bytes(cut.read_bytes()[:9000])
    with pytest.raises(ValueError, match="damaged or cut off"):
        open_photo(cut, 100)
