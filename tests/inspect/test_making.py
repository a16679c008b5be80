"""The pack: people kept apart, truth that fits the picture, wear that is no clue."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from portraits import needs_networks, place

from mien.faces.align import window
from mien.faces.inspected import cut
from mien.models.inspector import ORIGINAL, RESHAPED, SWAPPED
from mien.tasks.inspect import swapping
from mien.tasks.inspect.making import PLAIN, Maker, Recipe, frame, framed, framed_field, turned, write
from mien.tasks.inspect.originals import MARGIN, Originals, gather, kept, parted
from mien.tasks.inspect.pack import Part
from mien.types import Face
from mien.weights import find

SIDE = 224
POINTS = (window(134) + np.array([45, 48])).astype(np.float32)
"""The average face where a kept crop of 224 pixels has it."""


def drawn(seed: int) -> np.ndarray:
    """(224, 224, 3) something smooth with detail."""
    small = np.random.default_rng(seed).integers(40, 216, (28, 28, 3), dtype=np.uint8)
    return np.asarray(Image.fromarray(small).resize((SIDE, SIDE), Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def originals() -> Originals:
    """Six crops of six people, the last one at the picture's lower edge."""
    count = 6
    inside = np.tile([0, 0, SIDE, SIDE], (count, 1))
    inside[-1, 3] = 190
    pictures = [drawn(i) for i in range(count)]
    pictures[-1] = np.concatenate([pictures[-1][:190], np.repeat(pictures[-1][189:190], SIDE - 190, 0)])
    return Originals(np.concatenate([p.ravel() for p in pictures]), np.arange(count) * SIDE * SIDE * 3, np.full(count, SIDE),
                     np.full(count, 200), inside, np.tile(POINTS, (count, 1, 1)), np.eye(count, 128, dtype=np.float32),
                     np.array([f"generated/{i}" for i in range(count)]), np.array([f"{i}.jpg" for i in range(count)]),
                     np.array(["train"] * 4 + ["test"] * 2))


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.square(a.astype(float) - b).mean()))


def test_what_is_made_is_a_function_of_the_generator(originals: Originals):
    maker = Maker(originals, None, "train", size=96)
    for seed in range(6):
        first, second = (maker.make(np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(first.x, second.x)
        np.testing.assert_array_equal(first.field, second.field)
        assert (first.label, first.person, first.how) == (second.label, second.person, second.how)
        assert first.x.shape == (96, 96, 3)
        assert first.field.shape == (2, 24, 24)


def test_unless_asked_for_a_face_keeps_its_size(originals: Originals):
    """Nothing resamples an original that is not worn: its crop is pixels of the picture, in whole steps."""
    maker = Maker(originals, None, "train", replace(PLAIN, worn=False))
    for seed in range(10):
        made = maker.make(np.random.default_rng(seed), ORIGINAL, 1)
        side = len(made.x)
        assert side % 16 == 0
        assert 0.9 < side / (SIDE / MARGIN) < 1.1
        views = np.lib.stride_tricks.sliding_window_view(originals.crop(1), made.x.shape)
        assert (views == made.x).all((3, 4, 5)).any()


def test_saving_alone_is_no_other_wear(originals: Originals):
    saved, plain = (Maker(originals, None, "train", replace(PLAIN, worn=False, qualities=q)) for q in ((80, 80), None))
    one, other = (maker.make(np.random.default_rng(3), ORIGINAL, 2) for maker in (saved, plain))
    assert 28 < psnr(one.x, other.x) < 60


def test_only_people_of_the_part_are_drawn_and_labels_as_often_as_asked(originals: Originals):
    maker = Maker(originals, None, "test", size=32)
    random = np.random.default_rng(0)
    chosen = [maker.choose(random) for _ in range(2000)]
    assert {row for row, _ in chosen} == {4, 5}
    labels = np.array([label for _, label in chosen])
    assert (labels == SWAPPED).sum() == 0  # none were made: their share goes to the others
    assert (labels == RESHAPED).mean() == pytest.approx(0.5, abs=0.04)


@pytest.mark.parametrize("row", [0, 5])
def test_the_field_says_what_became_of_the_picture(originals: Originals, row: int):
    """Without wear: what is at p in the fake is what was at p + field(p) before, read off at every fourth pixel."""
    maker = Maker(originals, None, "train", replace(PLAIN, worn=False), size=200)
    for seed in range(4):
        made = maker.make(np.random.default_rng(seed), RESHAPED, row, before=True)
        assert made.before is not None
        assert made.label == RESHAPED
        assert np.abs(made.field).max() > 1
        field = np.stack([np.asarray(Image.fromarray(part).resize((200, 200), Image.Resampling.BICUBIC)) for part in made.field])
        y, x = np.mgrid[:200, :200] + field[::-1]
        undone = made.before[y.round().clip(0, 199).astype(int), x.round().clip(0, 199).astype(int)]
        assert psnr(undone, made.x) > psnr(made.before, made.x) + 2


def test_an_original_has_no_field_and_is_itself(originals: Originals):
    maker = Maker(originals, None, "train", replace(PLAIN, worn=False), size=200)
    made = maker.make(np.random.default_rng(0), ORIGINAL, 1, before=True)
    assert not made.field.any()
    assert made.how == ""
    np.testing.assert_array_equal(made.x, made.before)


def test_wear_depends_on_the_seed_and_not_on_what_it_is_put_on(originals: Originals):
    """Originals and fakes of one seed are framed and worn alike: the background, which stays, is the same in both."""
    maker = Maker(originals, None, "train", Recipe(strokes=0, still=1, turned=0, warpers=("liquify",)), size=200)
    same = 0
    for seed in range(12):
        fake = maker.make(np.random.default_rng(seed), RESHAPED, 2, before=True)
        assert fake.before is not None
        corner = np.abs(fake.x[:24, :24].astype(float) - fake.before[:24, :24]).mean()
        same += corner < 1.5
    assert same == 12


def test_beyond_the_picture_nothing_is_bent(originals: Originals):
    """A crop that reaches over the picture's edge repeats it in straight lines, in fakes as well."""
    maker = Maker(originals, None, "train", replace(PLAIN, worn=False), size=SIDE)
    made = maker.make(np.random.default_rng(1), RESHAPED, 5)
    rows = made.x[-12:].astype(int)
    assert np.abs(rows - rows[-1]).max() <= 3
    assert not made.field[:, -3:].any()


def test_a_field_through_a_frame_is_in_pixels_of_the_crop():
    field = np.zeros((2, 224, 224), np.float32)
    field[0], field[1] = 2, -1
    seen = framed_field(field, 12, 8, 200, 400)
    assert seen.shape == (2, 100, 100)
    np.testing.assert_allclose(seen[:, 50, 50], [4, -2], atol=1e-5)


def test_frames_lie_inside_and_a_frame_of_the_right_size_is_not_resampled():
    random = np.random.default_rng(0)
    for _ in range(200):
        x0, y0, side = frame(SIDE, random)
        assert min(x0, y0) >= 0
        assert max(x0, y0) + side <= SIDE
        assert side % 16 == 0
        assert 0.9 < side / (SIDE / MARGIN) < 1.1
    image = drawn(0)
    np.testing.assert_array_equal(framed(image, 10, 12, 180, 180), image[12:192, 10:190])


def test_turning_leaves_no_empty_corner_and_takes_the_points_along():
    image = np.full((120, 160, 3), 200, np.uint8)
    image[40:44, 100:104] = 0
    for seed in range(10):
        picture, points = turned(image, np.array([[102.0, 42.0]]), np.random.default_rng(seed))
        assert min(picture[corner].min() for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1))) > 150
        y, x = (picture[..., 0] < 100).nonzero()
        np.testing.assert_allclose(points[0], (x.mean() + 0.5, y.mean() + 0.5), atol=0.6)


def test_nobody_is_in_two_parts_by_name_or_by_face():
    person = np.array(["frames347/A_B", "frames347/A_B", "lfw100/A_B", "video/clip_d0", "stills/s9", "frames347/C_D", "generated/x"])
    vector = np.zeros((7, 128), np.float32)
    vector[:, :7] = 5 * np.eye(7)
    vector[5] = vector[4] = vector[3] + 0.01  # a clip, a still and C_D look alike
    part = parted(person, vector)
    assert part[0] == part[1] == part[2] == "test"  # lfw100 is for testing: so is the same name elsewhere
    assert part[3] == part[4] == part[5]
    others = parted(np.array([f"generated/{i:03}" for i in range(200)]), np.zeros((200, 128), np.float32))
    assert [int((others == name).sum()) for name in ("train", "dev", "test")] == [135, 15, 50]


def test_a_kept_crop_holds_the_inspected_one():
    image = np.random.default_rng(0).integers(0, 256, (400, 500, 3), dtype=np.uint8)
    face = Face((200.0, 180.0, 280.0, 270.0), 1.0, np.full((68, 2), 240, np.float32))
    found = kept(image, face)
    inspected, scale = cut(image, face.box, found.side)
    edge = (len(found.crop) - found.side) // 2
    assert scale == 1
    np.testing.assert_array_equal(found.crop[edge:edge + found.side, edge:edge + found.side], inspected)
    assert found.inside == (0, 0, len(found.crop), len(found.crop))
    low = kept(image, Face((20.0, 300.0, 120.0, 395.0), 1.0, np.full((68, 2), 60, np.float32)))
    x1, y1, x2, y2 = low.inside
    assert (x1 > 0, y1, x2) == (True, 0, len(low.crop))
    assert y2 < len(low.crop)
    np.testing.assert_array_equal(low.crop[:, x1], low.crop[:, 0])
    np.testing.assert_array_equal(low.crop[y2 - 1], low.crop[-1])


def test_made_faces_become_files_by_size(originals: Originals, tmp_path: Path):
    write(Maker(originals, None, "train"), tmp_path, "dev", 8, seed=2)
    part = Part(tmp_path, "dev")
    assert len(part) == 8
    found = {tuple(batch["x"].shape[1:3]) for batch in part.batches()}
    assert {f"dev-{side}" for side, _ in found} == {path.name for path in tmp_path.iterdir()}
    for batch in part.batches(3):
        assert batch["field"].shape[-1] * 4 == batch["x"].shape[1]


def test_a_donors_face_takes_the_others_shape():
    donor, other = window(256), window(256) + np.random.default_rng(0).normal(0, 3, (68, 2))
    image = np.full((256, 256, 3), 180, np.uint8)
    nose = donor[30].round().astype(int)
    image[nose[1] - 3:nose[1] + 3, nose[0] - 3:nose[0] + 3] = 20
    made = swapping.cut_from(image, donor, other)
    y, x = (made[..., 0] < 100).nonzero()
    np.testing.assert_allclose((x.mean(), y.mean()), other[30] + (nose - donor[30]), atol=1.2)


def test_identities_come_from_the_same_part_only(originals: Originals):
    looks = swapping.Looks.of(originals)
    for seed in range(20):
        for row in range(6):
            donors = swapping.identities(originals, looks, row, np.random.default_rng(seed))
            assert set(originals.part[donors]) == {originals.part[row]}
            assert all(donor != row for donor, how in zip(donors, swapping.FAKES, strict=True) if how == "pasted")


def test_the_most_alike_is_pasted(originals: Originals):
    looks = swapping.Looks(np.array([[0.0], [0.5], [0.1], [0.02]]), np.full((4, 3), 0.5))
    assert looks.like(0, np.array([1, 2, 3])) == 3


def test_swapped_faces_are_drawn_with_no_field(originals: Originals):
    fakes = swapping.Swapped(originals.pixels, originals.start[[3, 2]], originals.size[:2], np.array([0, 1]), np.array([3, 2]),
                             np.array(["network", "pasted"]))
    maker = Maker(originals, fakes, "train", replace(PLAIN, worn=False, shares=(0, 0, 1)), size=200)
    made = maker.make(np.random.default_rng(0), SWAPPED, 1, before=True)
    assert made.how == "pasted"
    before = maker.make(np.random.default_rng(0), ORIGINAL, 1, before=True)
    np.testing.assert_array_equal(made.before, before.x)
    assert not made.field.any()
    _, labels = zip(*(maker.choose(np.random.default_rng(seed)) for seed in range(200)), strict=True)
    assert SWAPPED in labels


@needs_networks
@pytest.mark.skipif(find("dlib-face") is None, reason="no dlib-face weights here (mien models --fetch)")
def test_faces_are_gathered_from_folders(tmp_path: Path):
    from portraits import eileen, grace

    for name, picture in (("grace", grace()), ("eileen", eileen())):
        folder = tmp_path / "data" / "faces" / "generated"
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(place(picture, 100, 20, (480, 340))).resize((960, 680)).save(folder / f"{name}.png")
    found = gather(tmp_path / "data", tmp_path / "out")
    assert found.person.tolist() == ["generated/eileen", "generated/grace"]
    again = gather(tmp_path / "empty", tmp_path / "out")  # opened, not made anew
    np.testing.assert_array_equal(again.crop(1), found.crop(1))
    assert found.crop(0).shape == (found.size[0], found.size[0], 3)
    middle = found.landmarks[:, 27:36].mean(1) / found.size[:, None]
    assert np.abs(middle - [0.5, 0.55]).max() < 0.12


def test_an_empty_folder_is_refused_in_words(tmp_path: Path):
    with pytest.raises(ValueError, match=r"no faces in .*expected the folders"):
        gather(tmp_path, tmp_path / "out")
    with pytest.raises(ValueError, match="expected train, dev or test"):
        Maker(Originals(*([np.zeros(0, np.uint8)] + [np.zeros(0)] * 9)), None, "all")
