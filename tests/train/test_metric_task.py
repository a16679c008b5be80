"""Training an embedder: who is in a batch, every loss learns, a resumed run ends with the same weights."""

from collections import Counter
from itertools import chain
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from metric_probe import RECIPE, people, run, task
from torch import Tensor

from mien.models.classifier import load as load_classifier
from mien.models.classifier import save
from mien.models.embedder import load, vectors
from mien.nn.metric import PairHead, batch_all, squared_distances
from mien.train.metric import LOSSES, PeopleSampler
from mien.train.recipe import settings
from mien.train.types import Event


@given(st.lists(st.integers(1, 7), min_size=2, max_size=9), st.integers(2, 4), st.integers(2, 5), st.integers(0, 100))
def test_p_people_and_k_pictures_of_each(counts: list[int], most: int, photos: int, step: int) -> None:
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    sampler = PeopleSampler(labels, most, photos, seed=3)
    chosen = sampler.people_at(step)
    which = sampler.pictures(chosen, torch.Generator().manual_seed(step))
    assert len(set(chosen)) == len(chosen) == min(most, len(counts))
    assert labels[which].tolist() == [person for person in chosen for _ in range(photos)]
    for person in chosen:  # as evenly as can be: nobody's picture twice before all of them once
        times = Counter(which[labels[which] == person].tolist()).values()
        assert len(times) == min(photos, counts[person])
        assert max(times) - min(times) <= 1
    assert sampler.people_at(step) == chosen


def test_everybody_comes_once_before_anybody_comes_twice() -> None:
    sampler = PeopleSampler(torch.arange(12).repeat(2), 4, 2, seed=0)
    rounds = [[sampler.people_at(3 * turn + place) for place in range(3)] for turn in range(4)]
    assert all(sorted(chain(*parts)) == list(range(12)) for parts in rounds)
    assert len({str(parts) for parts in rounds}) == 4


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_learns_to_tell_people_apart(loss: str, tmp_path: Path) -> None:
    one = task(loss=loss, average=0.0)
    fitted = run(one, tmp_path, 24)
    losses = [entry["loss"] for entry in fitted.history]
    assert losses[-1] < losses[0]
    found = one.vectors(one.train.images)
    mean = batch_all(found, one.train.labels, 0.2), float(squared_distances(found, found).mean())
    assert mean[0] < 0.2
    assert mean[1] > 0.1  # not all in one place
    assert fitted.history[-1]["score"] > 0.9  # of people it has not seen


class Killed(Exception):  # noqa: N818
    """What a test raises in the middle of a run."""


@pytest.mark.parametrize(("loss", "at"), [("semi-hard", 3), ("pairwise", 7), ("arcface", 7)])
def test_killed_and_resumed_equals_undisturbed(loss: str, at: int, tmp_path: Path) -> None:
    """Killed before the first save (step 5) and after it; the head of a loss goes on too."""

    def kill(event: Event) -> None:
        if event.kind == "step" and event.step == at:
            raise Killed

    alone, first, second = (task(loss=loss) for _ in range(3))
    run(alone, tmp_path / "alone", 10)
    with pytest.raises(Killed):
        run(first, tmp_path / "parted", 10, kill)
    assert run(second, tmp_path / "parted", 10).steps == 10
    for one, other in ((alone.objective, second.objective), (alone.result, second.result)):
        for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
            assert torch.equal(a, b)


def test_seeds_differ_and_one_seed_gives_the_same(tmp_path: Path) -> None:
    def weights(name: str, seed: int) -> Tensor:
        one = task(seed=seed)
        run(one, tmp_path / name, 3)
        return torch.cat([p.detach().flatten() for p in one.net.parameters()])

    assert torch.equal(weights("a", 1), weights("b", 1))
    assert not torch.equal(weights("c", 2), weights("a2", 1))


def test_the_pair_head_is_trained_too(tmp_path: Path) -> None:
    one = task(loss="pairwise")
    assert isinstance(one.objective.head, PairHead)
    before = one.objective.head.weight.detach().clone()
    run(one, tmp_path, 3)
    assert (one.objective.head.weight != before).all()


def test_saved_and_loaded_gives_the_same_vectors(tmp_path: Path) -> None:
    one = task()
    run(one, tmp_path / "run", 4)
    save(tmp_path / "model.safetensors", one.result, one.plan)
    net, plan = load(tmp_path)
    images = people(3, seed=5).images
    found = vectors(net, images, plan.mirror)
    torch.testing.assert_close(found, one.vectors(images))
    torch.testing.assert_close(found.norm(dim=1), torch.ones(len(images)))
    torch.testing.assert_close(vectors(net, images.flip(2), mirror=True), found)  # mirrored people are the same people
    with pytest.raises(ValueError, match="knows no classes"):
        load_classifier(tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="no model file"):
        load(tmp_path / "run")


@pytest.mark.parametrize(("pair", "said"), [
    ("loss=triplets", "one of triplet, semi-hard"),
    ("people=1", "people cannot be 1"),
    ("photos=1", "photos cannot be 1"),
    ("test=0.7,", "test is a number"),
    ("dev=0.8", "dev|test cannot be"),
    ("vector=0", "vector cannot be 0"),
])  # fmt: skip
def test_bad_settings(pair: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        settings([pair], RECIPE)
