"""Reshaping: sliders move what they name, fields are exact, nothing folds."""

from dataclasses import astuple

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.interpolate import RBFInterpolator

from mien.faces.align import window
from mien.faces.reshape import fields
from mien.faces.reshape.brush import Stroke, origins, push, random_strokes, stroked_field
from mien.faces.reshape.sampling import KERNELS, sampled
from mien.faces.reshape.sliders import NAMES, Sliders, moved, random_sliders
from mien.faces.reshape.warpers import WARPERS, moving_least_squares, reshaped_field, thin_plate

SIZE = 400
FACE = (window(240) + np.array([80, 85])).astype(np.float32)
"""The average face where an inspected crop of 400 pixels has it."""


def skin(seed: int = 0) -> np.ndarray:
    """A smooth picture with detail at several scales."""
    random = np.random.default_rng(seed)
    layers = [Image.fromarray(random.integers(60, 200, (n, n, 3), dtype=np.uint8)).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
              for n in (12, 40, 100)]
    return np.mean([np.asarray(layer, np.float32) for layer in layers], axis=0).round().astype(np.uint8)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.square(a.astype(float) - b).mean()))


def width(p: np.ndarray, left: int, right: int) -> float:
    return float(p[right, 0] - p[left, 0])


def height(p: np.ndarray, top: list[int], bottom: list[int]) -> float:
    return float(p[bottom, 1].mean() - p[top, 1].mean())


GROWS = {
    "left_eye_size": lambda p: width(p, 36, 39) * height(p, [37, 38], [40, 41]),
    "right_eye_size": lambda p: width(p, 42, 45) * height(p, [43, 44], [46, 47]),
    "left_eye_height": lambda p: height(p, [37, 38], [40, 41]),
    "right_eye_height": lambda p: height(p, [43, 44], [46, 47]),
    "left_eye_width": lambda p: width(p, 36, 39),
    "right_eye_width": lambda p: width(p, 42, 45),
    "left_eye_tilt": lambda p: p[39, 1] - p[36, 1],
    "right_eye_tilt": lambda p: p[42, 1] - p[45, 1],
    "eye_distance": lambda p: p[42:48, 0].mean() - p[36:42, 0].mean(),
    "smile": lambda p: height(p, [48, 54], [51, 57]),
    "upper_lip": lambda p: height(p, [50, 51, 52], [61, 62, 63]),
    "lower_lip": lambda p: height(p, [65, 66, 67], [56, 57, 58]),
    "mouth_width": lambda p: width(p, 48, 54),
    "mouth_height": lambda p: height(p, [51], [57]),
    "nose_width": lambda p: width(p, 31, 35),
    "nose_height": lambda p: height(p, [27], [33]),
    "face_width": lambda p: width(p, 1, 15),
    "chin_height": lambda p: height(p, [57], [8]),
    "jawline": lambda p: width(p, 5, 11),
    "forehead": lambda p: height(p, [72], [27]),
}
"""What a slider makes larger, of the 68 points and those of the forehead."""


@pytest.mark.parametrize("warper", WARPERS)
@pytest.mark.parametrize("name", NAMES)
def test_a_slider_moves_the_part_it_names_both_ways(name: str, warper: str):
    measure = GROWS[name]
    points, _ = moved(FACE, Sliders())
    less, more = (measure(fields.carried(reshaped_field(FACE, Sliders(**{name: amount}), SIZE, SIZE, warper), points))
                  for amount in (-1, 1))
    assert less < measure(points) < more
    assert more - less > 1.5


@pytest.mark.parametrize("warper", WARPERS)
def test_a_part_that_is_not_named_stays(warper: str):
    field = reshaped_field(FACE, Sliders(left_eye_size=1), SIZE, SIZE, warper)
    gone = np.linalg.norm(fields.carried(field, FACE) - FACE, axis=1)
    assert gone[36:42].max() > 2
    assert gone[48:].max() < 0.3
    assert gone[:17].max() < 0.3


def test_sliders_follow_a_turned_and_larger_face():
    cos, sin = np.cos(0.5), np.sin(0.5)
    turn = 1.7 * np.array([[cos, -sin], [sin, cos]])
    amounts = random_sliders(np.random.default_rng(0))
    (source, target), (turned, there) = moved(FACE, amounts), moved((FACE @ turn.T + 30).astype(np.float32), amounts)
    np.testing.assert_allclose((target - source) @ turn.T, there - turned, atol=1e-3)


@pytest.mark.parametrize("warper", WARPERS)
@pytest.mark.parametrize("still", [True, False])
def test_nothing_asked_is_nothing_done(warper: str, still: bool):
    assert not reshaped_field(FACE, Sliders(), SIZE, SIZE, warper, still).any()


@pytest.mark.parametrize(("warper", "mean", "most"), [("mls", 0.9, 2.5), ("tps", 0.35, 3), ("liquify", 1.4, 4)])
def test_points_land_where_they_were_asked_to(warper: str, mean: float, most: float):
    random, misses = np.random.default_rng(0), []
    for _ in range(8):
        amounts = random_sliders(random)
        source, target = moved(FACE, amounts)
        field = reshaped_field(FACE, amounts, SIZE, SIZE, warper)
        misses.append(np.linalg.norm(fields.carried(field, source[:68]) - target[:68], axis=1))
    assert np.mean(misses) < mean
    assert np.quantile(misses, 0.98) < most  # lids and lips that are asked to pass each other cannot


def test_displacements_are_as_large_as_the_references():
    random, found = np.random.default_rng(1), []
    for i in range(30):
        length = np.hypot(*reshaped_field(FACE, random_sliders(random), SIZE, SIZE, list(WARPERS)[i % 3], still=i % 2 == 0))
        found.append((length.mean(), length.max()))
    mean, largest = np.mean(found, axis=0)
    assert 1.2 < mean < 2.2
    assert 8 < largest < 13


extreme = st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), min_size=len(NAMES), max_size=len(NAMES))


@settings(max_examples=10)
@given(amounts=extreme, warper=st.sampled_from(list(WARPERS)), still=st.booleans(), closed=st.booleans(), seed=st.integers(0, 99))
def test_nothing_folds_and_the_border_stays(amounts: list[float], warper: str, still: bool, closed: bool, seed: int):
    face = FACE / 2 + np.random.default_rng(seed).normal(0, 0.75, FACE.shape).astype(np.float32)
    if closed:  # lids and lips that coincide
        face[[41, 40, 47, 46, 67, 66, 65]] = face[[37, 38, 43, 44, 61, 62, 63]]
    field = reshaped_field(face, Sliders(*amounts), 200, 240, warper, still)
    assert field.shape == (2, 200, 240)
    assert field.dtype == np.float32
    assert np.isfinite(field).all()
    assert fields.smallest_jacobian(field) >= fields.FLAT
    assert max(np.abs(edge).max() for edge in (field[:, 0], field[:, -1], field[:, :, 0], field[:, :, -1])) < 0.02


@pytest.mark.parametrize("warper", WARPERS)
def test_a_still_background_is_stiller(warper: str):
    amounts = Sliders(face_width=1, jawline=1)
    still, giving = (np.hypot(*reshaped_field(FACE, amounts, SIZE, SIZE, warper, s))[40:-40, 36:42].mean() for s in (True, False))
    if warper == "liquify":
        assert still == giving < 0.02  # beyond the brush
    else:
        assert still < 0.6 * giving


@pytest.mark.parametrize("warper", WARPERS)
@pytest.mark.parametrize("kind", ["bicubic", "lanczos"])
def test_the_inverse_undoes_it(warper: str, kind: str):
    image = skin()
    field = reshaped_field(FACE, random_sliders(np.random.default_rng(3)), SIZE, SIZE, warper)
    fake = sampled(image, field, kind)
    assert psnr(fake, image) < 40
    assert psnr(sampled(fake, fields.inverse(field), kind), image) > 45


def test_the_three_warpers_differ():
    amounts = random_sliders(np.random.default_rng(5))
    found = [reshaped_field(FACE, amounts, SIZE, SIZE, w) for w in WARPERS]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert np.hypot(*(found[a] - found[b])).max() > 2


def test_moving_least_squares_reproduces_similarities():
    random = np.random.default_rng(0)
    target, at = random.uniform(0, 400, (90, 2)), random.uniform(0, 400, (50, 2))
    turn = np.array([[1.02, -0.05], [0.05, 1.02]])
    found = moving_least_squares(at, target @ turn.T + [3, -4], target)
    np.testing.assert_allclose(at + found, at @ turn.T + [3, -4], atol=0.02)


def test_moving_least_squares_by_its_definition():
    """Schaefer et al. 2006: minimise sum w |f(p) - q|^2 over similarities, here by ordinary least squares."""
    random = np.random.default_rng(2)
    target = random.uniform(0, 400, (90, 2))
    source, at = target + random.normal(0, 4, target.shape), random.uniform(50, 350, (5, 2))
    found = moving_least_squares(at, source, target)
    for v, shift in zip(at, found, strict=True):
        w = 1 / ((target - v) ** 2).sum(1)  # the root of 1 / d^4
        one, zero = np.ones(90), np.zeros(90)
        x, y = target.T
        rows = np.concatenate([np.stack([x, -y, one, zero], 1) * w[:, None], np.stack([y, x, zero, one], 1) * w[:, None]])
        a, b, c, d = np.linalg.lstsq(rows, np.concatenate([source[:, 0] * w, source[:, 1] * w]), rcond=None)[0]
        np.testing.assert_allclose(v + shift, [a * v[0] - b * v[1] + c, b * v[0] + a * v[1] + d], atol=0.05)


def test_thin_plate_spline_against_scipy():
    random = np.random.default_rng(4)
    target = random.uniform(0, 400, (90, 2))
    source, at = target + random.normal(0, 4, target.shape), random.uniform(0, 400, (60, 2))
    softness = 1e-6 * np.ptp(target[:77, 0]) ** 2 / 2  # scipy's kernel is r^2 log r, in pixels
    expected = RBFInterpolator(target, source - target, kernel="thin_plate_spline", smoothing=softness)(at)
    np.testing.assert_allclose(thin_plate(at, source, target), expected, atol=0.05)


def test_a_push_carries_its_centre_and_leaves_what_is_beyond_its_reach():
    stroke = push(np.array([50.0, 50.0]), np.array([6.0, 0.0]), 20)
    found = stroke.before(np.array([[56.0, 80.0, 56.0], [50.0, 50.0, 71.0]]))
    np.testing.assert_allclose(found, [[50, 80, 56], [50, 50, 71]])
    assert push(np.zeros(2), np.array([100.0, 0]), 20).dx == pytest.approx(11)  # what it can do without a fold


def test_bloating_enlarges_and_puckering_shrinks():
    ring = 50 + 5 * np.array([[1.0, 0, -1, 0], [0, 1, 0, -1]])
    for size, way in ((0.3, 1), (-0.3, -1)):
        gone = np.linalg.norm(Stroke(50, 50, 20, size=size).after(ring) - 50, axis=0) - 5
        assert (np.sign(gone) == way).all()


@given(seed=st.integers(0, 10_000))
@settings(max_examples=15)
def test_strokes_by_hand_do_not_fold_and_can_be_followed(seed: int):
    strokes = random_strokes(FACE, np.random.default_rng(seed))
    field = stroked_field(strokes, 200, 200)
    assert fields.smallest_jacobian(field) >= fields.FLAT
    after = FACE.T.astype(float)
    for stroke in strokes:
        after = stroke.after(after, 60)
    np.testing.assert_allclose(origins(after.T, strokes), FACE, atol=0.05)


@pytest.mark.parametrize("kind", KERNELS)
def test_a_whole_pixel_is_a_shift_and_the_border_is_repeated(kind: str):
    image = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    field = np.zeros((2, 30, 40), np.float32)
    field[0], field[1] = 3, -2
    np.testing.assert_array_equal(sampled(image, field, kind), image[np.arange(-2, 28).clip(0)][:, np.arange(3, 43).clip(max=39)])


def test_resampling_against_torch():
    image, random = skin(1), np.random.default_rng(0)
    field = reshaped_field(FACE, random_sliders(random), SIZE, SIZE)
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    grid = torch.from_numpy(np.stack([(x + field[0] + 0.5) / SIZE * 2 - 1, (y + field[1] + 0.5) / SIZE * 2 - 1], -1))[None]
    pixels = torch.from_numpy(image.copy()).permute(2, 0, 1)[None].float()
    expected = torch.nn.functional.grid_sample(pixels, grid, padding_mode="border", align_corners=False)[0].permute(1, 2, 0).numpy()
    assert np.abs(sampled(image, field, "bilinear") - expected).max() < 2.5


def test_kernels_leave_different_traces():
    image = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    field = np.full((2, 64, 64), 0.5, np.float32)
    rough = [sampled(image, field, kind).astype(float).std() for kind in ("bilinear", "bicubic", "lanczos")]
    assert rough[0] < rough[1] < rough[2]


@pytest.mark.parametrize(("amount", "words"), [(1.2, "smile is 1.2"), (float("nan"), "smile is nan")])
def test_amounts_out_of_range_are_refused_in_words(amount: float, words: str):
    with pytest.raises(ValueError, match=words):
        Sliders(smile=amount)


def test_unknown_names_are_refused_in_words():
    with pytest.raises(ValueError, match="choose mls, tps, liquify"):
        reshaped_field(FACE, Sliders(smile=1), SIZE, SIZE, "glue")
    with pytest.raises(ValueError, match="choose bilinear, bicubic, lanczos"):
        sampled(skin(), np.zeros((2, SIZE, SIZE), np.float32), "nearest")


def test_random_sliders_are_uniform():
    random = np.random.default_rng(0)
    drawn = np.array([astuple(random_sliders(random)) for _ in range(500)])
    assert np.abs(drawn).max() <= 1
    np.testing.assert_allclose(drawn.std(0), 1 / np.sqrt(3), atol=0.06)
