from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mien.tasks.training.space import Choice, Range, draw, narrowed, parse_space


@pytest.mark.parametrize(("text", "expected"), [
    ("lr=1e-4..1e-1:log", Range(1e-4, 1e-1, log=True)),
    ("dropout=0..0.5", Range(0, 0.5)),
    ("width=64..512:whole:log", Range(64, 512, log=True, whole=True)),
    ("x = -2 .. -.5 : whole", None),
    ("shift=-2..2:whole", Range(-2, 2, whole=True)),
    ("optimiser=sgd|adam", Choice(("sgd", "adam"))),
    ("batch=32|64|0.5", Choice((32, 64, 0.5))),
])  # fmt: skip
def test_text(text: str, expected: Range | Choice | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match=r"a whole range goes from one whole number to another, not from -2 to -0.5"):
            parse_space([text])
    else:
        assert list(parse_space([text]).values()) == [expected]


@pytest.mark.parametrize(("texts", "message"), [
    (["lr"], "'lr' is no range: expected name=low..high"),
    (["=1..2"], "is no range"),
    (["lr=0.1"], "leaves no choice"),
    (["lr=a..b"], "a..b is not low..high"),
    (["lr=1..2:logg"], "not 'logg'; the nearest is log"),
    (["lr=2..1"], "from a lower to a higher number, not from 2 to 1"),
    (["lr=0..1:log"], "starts above 0, not at 0"),
    (["lr=0..nan"], "not from 0 to nan"),
    (["o=a|b|a"], r"between different values, not a \| b \| a"),
    (["a=0..1", "a=0..2"], "a is given twice"),
    ([], "nothing is to be searched"),
])  # fmt: skip
def test_bad_text(texts: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_space(texts)


def test_places_by_hand() -> None:
    assert [Range(1e-4, 1e-1, log=True).at(place / 3) for place in range(4)] == [1e-4, 1e-3, 1e-2, 1e-1]
    assert Range(2, 4).at(0.25) == 2.5
    assert Range(64, 512, log=True, whole=True).at(1 / 3) == 128
    assert Range(0.001, 1, log=True).place(0.01) == pytest.approx(1 / 3)


@given(st.floats(0, 1), st.booleans())
def test_places_come_back(place: float, log: bool) -> None:
    one = Range(0.01, 100, log=log)
    assert one.low <= one.at(place) <= one.high
    assert one.place(one.at(place)) == pytest.approx(place, abs=2e-4)


def test_draws_are_spread_as_promised() -> None:
    space = {"lr": Range(1e-4, 1e-1, log=True), "n": Range(1, 4, whole=True), "o": Choice(("a", "b"))}
    space["k"] = Range(1, 2, log=True, whole=True)
    random = np.random.default_rng(0)
    drawn = [draw(space, random) for _ in range(3000)]
    decades = Counter(int(np.floor(np.log10(float(one["lr"])))) for one in drawn)
    assert all(abs(decades[decade] - 1000) < 100 for decade in (-4, -3, -2))
    numbers = Counter(one["n"] for one in drawn)
    assert sorted(numbers) == [1, 2, 3, 4]
    assert all(abs(count - 750) < 90 for count in numbers.values())
    assert all(isinstance(one["n"], int) for one in drawn)
    # 0.5 to 1.5 and 1.5 to 2.5 on a log scale: log 3 against log 5/3.
    assert Counter(one["k"] for one in drawn)[1] / 3000 == pytest.approx(np.log(3) / np.log(5), abs=0.03)
    assert abs(Counter(one["o"] for one in drawn)["a"] - 1500) < 100


def test_narrowed_by_hand() -> None:
    space = {"x": Range(0, 10), "lr": Range(1e-6, 1, log=True), "n": Range(1, 100, whole=True), "o": Choice(("a", "b", "c"))}
    rows = ((4.0, 1e-3, "a"), (5.0, 1e-2, "c"), (6.0, 1e-1, "a"))
    small = narrowed(space, [{"x": x, "lr": lr, "n": 7, "o": option} for x, lr, option in rows])
    assert small == {
        "x": Range(3, 7), "lr": Range(1e-4, 1, log=True), "n": Range(5, 9, whole=True), "o": Choice(("a", "c")),
    }  # fmt: skip
    assert narrowed({"n": Range(3, 6, whole=True)}, [{"n": 3}, {"n": 3}]) == {"n": Range(3, 4, whole=True)}
