"""The inspector's probabilities made true by what is known of a file: by hand, and on verdicts whose truth is drawn."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from mien.data import wear
from mien.models.inspector import Inspector
from mien.tasks.inspect.calibrated import FACTS, Calibration, detail, facts
from mien.tasks.inspect.calibrating import Examples, figures, fit, keep, left_out
from mien.tasks.inspect.looking import HEAD, Looker
from mien.tasks.inspect.measuring import Answers

SAVED, LOSS = FACTS.index("saved"), FACTS.index("loss")


def drawn(count: int, seed: int = 0) -> Examples:
    """Labels drawn from true odds; a network that says twice the odds of what was never compressed, and of JPEGs half, less 1."""
    random = np.random.default_rng(seed)
    known = random.normal(0, 1, (count, len(FACTS)))
    known[:, 0], known[:, SAVED] = 1, random.random(count) < 0.5
    odds = random.normal(0, 2, (count, 2))
    chances = np.exp(np.concatenate([np.zeros((count, 1)), odds], 1))
    label = (random.random(count)[:, None] > (chances / chances.sum(1, keepdims=True)).cumsum(1)).sum(1)
    said = np.where(known[:, [SAVED]] > 0, odds / 2 - 1, odds * 2)
    logits = np.concatenate([np.zeros((count, 1)), said], 1) + random.normal(0, 3, (count, 1))
    person = np.array([f"person {i % 40}" for i in range(count)])
    return Examples(Answers(label, logits, person, odds[:, 0], odds[:, 0], known), np.where(known[:, SAVED] > 0, "saved", "plain"))


def test_by_hand() -> None:
    """A JPEG: offset 1 + 2, slope 3 - 1; not one: 1 and 3. The logit of original only counts as a difference."""
    zero = np.zeros(len(FACTS))
    offset, slope = (np.stack([zero, zero]) for _ in range(2))
    offset[0, [0, SAVED]], slope[0, [0, SAVED]], slope[1, 0] = (1, 2), (3, -1), 1
    to = Calibration.of(offset, slope, np.full(len(FACTS), -1.0), np.ones(len(FACTS)))
    known = np.stack([zero, zero, zero])
    known[:, 0], known[1:, SAVED] = 1, (1, 9)
    logits = np.array([[5.0, 7.0, 4.0]] * 3)
    np.testing.assert_allclose(to(logits, known), [[0, 7, -1], [0, 7, -1], [0, 7, -1]])
    np.testing.assert_allclose(to(logits + np.array([0, 1, 0]), known), [[0, 10, -1], [0, 9, -1], [0, 9, -1]])
    slope[0, SAVED] = -5
    never = Calibration.of(offset, slope, np.full(len(FACTS), -1.0), np.ones(len(FACTS)))
    np.testing.assert_allclose(never(logits, known)[1], [0, 3, -1], err_msg="a stretch below 0 would turn the ranking round")


def test_a_temperature_is_the_plain_case() -> None:
    logits = np.random.default_rng(0).normal(0, 3, (5, 3))
    told = Calibration.plain(2.0)(logits, np.ones((5, len(FACTS))))
    np.testing.assert_allclose(torch.softmax(torch.from_numpy(told), 1), torch.softmax(torch.from_numpy(logits / 2), 1))


def test_what_the_file_hides_is_found_again() -> None:
    of = drawn(4000)
    to = fit(of, held=1e-5)
    known = np.array([[1.0, 0, 0, 0, 0], [1.0, 0, 1, 0, 0]])
    less, more = (to(np.array([[0.0, at, at]] * 2), known) for at in (-2.0, 2.0))
    np.testing.assert_allclose((more - less)[:, 1:] / 4, [[0.5, 0.5], [2, 2]], rtol=0.1)
    np.testing.assert_allclose(less[1, 1:] - less[0, 1:], [-1, -1], atol=0.25)  # 2 * -2 + 2 against -2 / 2
    assert fit(of, held=1e-5) == to, "the same numbers every time"
    fresh = drawn(4000, 1)
    before, after = figures(fresh, fresh.answers.by(Calibration.plain(1.0))), figures(fresh, fresh.answers.by(to))
    for name in ("plain", "saved"):
        assert after[name]["cost"] < before[name]["cost"]
        assert after[name]["error"] < 0.03 < before[name]["error"]
    assert after["saved"]["accuracy"] > before["saved"]["accuracy"] + 0.03


def test_nobody_is_judged_by_numbers_fitted_on_them() -> None:
    """One person's labels are the wrong way round; were they in the fit of their own fold, they would pull it towards them."""
    of = drawn(400)
    told = left_out(of)
    mine = of.answers.person == "person 3"
    turned = Answers(np.where(mine, (of.answers.label + 1) % 3, of.answers.label), *(getattr(of.answers, name) for name in (
        "logits", "person", "error", "still", "facts")))  # fmt: skip
    assert np.array_equal(left_out(Examples(turned, of.condition)).logits[mine], told.logits[mine])
    few = of.chosen(of.answers.person < "person 11")
    with pytest.raises(ValueError, match="found faces of 3 people, expected 5 or more"):
        left_out(few)
    with pytest.raises(ValueError, match="found no swapped face"):
        fit(of.chosen(of.answers.label != 2))


def test_every_condition_and_class_weighs_the_same() -> None:
    of = drawn(300)
    here = [(of.condition == name) & (of.answers.label == label) for name in ("plain", "saved") for label in range(3)]
    cells = [of.weight[one].sum() for one in here]
    np.testing.assert_allclose(cells, 1 / 6)


def test_a_file_keeps_it_and_its_weights(tmp_path: Path) -> None:
    torch.manual_seed(0)
    path, of = tmp_path / "one.safetensors", drawn(300)
    save_file(Inspector().state_dict(), path, {HEAD: json.dumps({"temperature": 1.5}), "other": "kept"})
    crop = np.random.default_rng(0).integers(0, 256, (1, 160, 160, 3)).astype(np.uint8)
    old = Looker(path)
    assert np.array_equal(old.look(crop, 40).probabilities, old.look(crop).probabilities)
    to = fit(of)
    keep(path, to)
    new = Looker(path)
    assert (new.temperature, new.calibration) == (1.5, to)
    logits = new.tell(crop).logits.numpy()
    expected = torch.softmax(torch.from_numpy(to(logits, facts(crop[0], 40)[None])), 1)
    np.testing.assert_allclose(new.look(crop, 40).probabilities, expected, atol=1e-6)
    assert not np.allclose(new.look(crop).probabilities, expected, atol=1e-3)
    with safe_open(path, framework="pt") as file:
        head = file.metadata()
        assert all(torch.equal(file.get_tensor(name), value) for name, value in Inspector.state_dict(_seeded()).items())
    assert head["other"] == "kept"
    other = json.loads(head[HEAD])
    other["calibration"]["facts"] = ["moon"]
    save_file(Inspector().state_dict(), path, {HEAD: json.dumps(other)})
    with pytest.raises(ValueError, match=r"one\.safetensors cannot be used: found a calibration by moon, expected one by constant"):
        Looker(path)
    with pytest.raises(ValueError, match="expected two rows and two limits of 5"):
        Calibration.read(to.written() | {"low": [0]})


def _seeded() -> Inspector:
    torch.manual_seed(0)
    return Inspector()


def test_facts_are_those_of_the_file() -> None:
    flat = np.full((200, 200, 3), 90, np.uint8)
    np.testing.assert_allclose(facts(flat, None), [1, -1, 0, 0, np.log(0.05)])
    np.testing.assert_allclose(facts(flat, 60)[:4], [1, -1, 1, 0.8])
    noise = np.random.default_rng(0).normal(128, 6, (300, 300, 1)).round().clip(0, 255).astype(np.uint8).repeat(3, 2)
    assert detail(noise) == pytest.approx(6, rel=0.03), "of noise alone it is the deviation"


def test_a_chain_tells_only_the_jpeg_that_it_ended_as() -> None:
    small, last = partial(wear.blurred, radius=1.0), partial(wear.jpeg, quality=71)
    assert wear.saved_at([small, last]) == 71
    assert wear.saved_at([last, small]) is None
    assert wear.saved_at([]) is None
    chains = [wear.chain(np.random.default_rng(seed)) for seed in range(200)]
    ended = [wear.saved_at(chain) for chain in chains]
    assert 0.5 < np.mean([one is not None for one in ended]) < 0.8
    assert all(one is None or 50 <= one <= 100 for one in ended)
