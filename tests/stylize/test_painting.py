"""A picture painted: the cost falls, colours and masks are kept, and a stopped painting ends as one that was not."""

from collections.abc import Sequence

import pytest
import torch
from small_vgg import tiny
from torch import Tensor

from mien.runtime import choose
from mien.tasks.stylize.colour import as_bright, coloured, luma, matched
from mien.tasks.stylize.painting import COARSEST, How, Moment, Painter, resized, shared, sizes

CONTENT, STYLE, OTHER = (torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(seed))
                         for seed, size in enumerate(((6, 8), (7, 5), (5, 5))))  # fmt: skip
CONTENT, STYLE, OTHER = (resized(x, (8 * x.shape[-2], 8 * x.shape[-1])) for x in (CONTENT, STYLE, OTHER))


def painter(how: How, styles: Sequence[Tensor] = (STYLE,), masks: Sequence[Tensor] = ()) -> Painter:
    return Painter(CONTENT, styles, masks, how, tiny(), choose("cpu", "fp32"))


def painted(how: How, styles: Sequence[Tensor] = (STYLE,), masks: Sequence[Tensor] = ()) -> tuple[Tensor, Moment]:
    one = painter(how, styles, masks)
    *_, last = one.run()
    return one.picture(last), last


@pytest.mark.parametrize("optimiser", ["lbfgs", "adam"])
@pytest.mark.parametrize("start", ["content", "noise", "style"])
def test_the_cost_falls(start: str, optimiser: str) -> None:
    picture, last = painted(How(steps=30, scales=2, start=start, optimiser=optimiser))
    assert picture.shape == CONTENT.shape
    assert last.cost.total < 0.5 * last.first.total
    assert last.cost.total == pytest.approx(last.cost.content + 10 * last.cost.style, rel=1e-4)
    assert last.done == 30


def test_nothing_but_content_is_the_content() -> None:
    picture, last = painted(How(steps=3, scales=1, style_weight=0.0))
    assert last.cost.total == 0
    assert torch.equal(picture, CONTENT)


@pytest.mark.parametrize("stop", [1, 9, 11, 17])
@pytest.mark.parametrize("optimiser", ["lbfgs", "adam"])
def test_a_stopped_painting_ends_as_one_that_was_not(optimiser: str, stop: int) -> None:
    """In either size; to the last bit."""
    how = How(steps=18, scales=2, optimiser=optimiser)
    straight, _ = painted(how)
    moment = next(one for one in painter(how).run() if one.done == stop)
    again = painter(how)
    *_, last = again.run(moment)
    assert torch.equal(again.picture(last), straight)
    assert (last.done, last.first) == (18, moment.first)


def test_tiles_paint_the_same_picture() -> None:
    how = How(steps=6, scales=1)
    whole, first = painted(how)
    tiles, second = painted(How(steps=6, scales=1, tile=16))
    assert second.cost.total == pytest.approx(first.cost.total, rel=1e-3)
    assert float((whole - tiles).abs().max()) < 1e-2


def test_two_equal_styles_are_one() -> None:
    one, _ = painted(How(steps=5, scales=1))
    two, _ = painted(How(steps=5, scales=1, mix=(0.25, 0.75)), (STYLE, STYLE))
    assert float((one - two).abs().max()) < 1e-2


def test_a_mix_lies_between() -> None:
    """The more of a style, the less of its cost."""
    costs = []
    for share in (0.0, 0.5, 1.0):
        picture, _ = painted(How(steps=20, scales=1, mix=(share, 1 - share)), (STYLE, OTHER))
        alone = painter(How(steps=1, scales=1))
        costs.append(alone.objective(0)(picture, slope=False)[0].style)
    assert costs[0] > costs[1] > costs[2]


def test_outside_of_the_mask_the_content_stays() -> None:
    mask = torch.zeros(1, 1, *CONTENT.shape[-2:])
    mask[..., :32] = 1
    picture, _ = painted(How(steps=10, scales=2), masks=[mask])
    assert torch.equal(picture[..., 32:], CONTENT[..., 32:])
    assert float((picture[..., :32] - CONTENT[..., :32]).abs().mean()) > 0.02


def test_colours_are_kept_by_brightness() -> None:
    """Channels differ as they did, wherever nothing was clipped."""
    picture, _ = painted(How(steps=10, scales=1, keep_colour="luminance"))
    inside = ((picture > 0) & (picture < 1)).all(1, keepdim=True)
    assert float(inside.float().mean()) > 0.3
    apart = (picture[:, :1] - picture[:, 1:2]) - (CONTENT[:, :1] - CONTENT[:, 1:2])
    assert float((apart * inside).abs().max()) < 1e-5
    assert float((luma(picture) - luma(CONTENT)).abs().mean()) > 0.005


def test_brightness_alone_is_taken_over() -> None:
    x = coloured(STYLE.flip(1), STYLE)
    torch.testing.assert_close(luma(x), luma(STYLE.flip(1)))


def test_a_style_gets_the_contents_colours() -> None:
    """Mean and covariance, where nothing had to be clipped."""
    content, style = 0.4 + 0.2 * CONTENT, STYLE
    found = matched(style, content)[0].flatten(1)
    torch.testing.assert_close(found.mean(1), content[0].flatten(1).mean(1), atol=1e-4, rtol=0)
    torch.testing.assert_close(torch.cov(found), torch.cov(content[0].flatten(1)), atol=1e-4, rtol=0.02)
    bright = as_bright(style, content)
    assert float(luma(bright).mean()) == pytest.approx(float(luma(content).mean()), abs=1e-3)
    assert float(luma(bright).std()) == pytest.approx(float(luma(content).std()), rel=0.02)


def test_noise_is_the_seeds() -> None:
    first, second, third = (painted(How(steps=2, start="noise", seed=seed))[0] for seed in (1, 1, 2))
    assert torch.equal(first, second)
    assert not torch.equal(first, third)


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 60, 200])
@pytest.mark.parametrize("scales", [1, 2, 4])
def test_steps_are_shared_out(steps: int, scales: int) -> None:
    if scales <= steps:
        given = shared(steps, scales)
        assert sum(given) == steps
        assert min(given) >= 1
        assert max(given) - min(given) < scales
        assert max(given) == given[-1]


def test_sizes() -> None:
    """Halved until the longer side is about the coarsest; no scale in which a style would be too small for the deepest layer."""
    large, thin = torch.empty(1, 3, 512, 384), torch.empty(1, 3, 512, 40)
    assert sizes(large, [large], How()) == ((128, 96), (256, 192), (512, 384))
    assert COARSEST == 128
    assert sizes(large, [large], How(scales=2)) == ((256, 192), (512, 384))
    assert sizes(large, [thin], How()) == ((256, 192), (512, 384))
    assert sizes(large, [large], How(steps=1)) == ((512, 384),)
    with pytest.raises(ValueError, match=r"10 x 512 pixels are too few for relu5_1: expected 16"):
        sizes(torch.empty(1, 3, 512, 10), [large], How())
