"""The search of settings: random first (Bergstra and Bengio 2012), then finer around the best; killed, it goes on."""

from __future__ import annotations

import csv
import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mien.data.files import atomic
from mien.progress import clock, say
from mien.tasks.training.space import Choice, Range, Settings, Space, Value, draw, narrowed, parse_space

if TYPE_CHECKING:
    from optuna import Study
    from optuna.distributions import BaseDistribution

__all__ = ["Choice", "Found", "Range", "Trial", "parse_space", "search"]

ROUNDS = {1: (1.0,), 2: (0.6, 0.4), 3: (0.5, 0.25, 0.25)}
"""How the trials are shared out among the coarse round and the finer ones."""
BEST = 4
"""Every round after the first narrows the ranges around the best one in so many trials."""
FACTS = "mien"
"""Name in the store of what is kept of a trial beside settings and score, once it has come to an end."""
STORE, TABLE, SETTINGS, PICTURE = "trials.journal", "trials.csv", "best.json", "search.png"


@dataclass(frozen=True)
class Trial:
    """One attempt."""

    number: int
    """From 1."""
    round: int
    """1: coarse."""
    settings: Settings
    score: float | None
    """Higher is better; None: it failed."""
    seconds: float
    note: str = ""
    """Why it failed."""


@dataclass(frozen=True)
class Found:
    """What a search brought."""

    best: Trial
    trials: tuple[Trial, ...]
    files: tuple[str, ...]
    """In the search's folder."""


def search(
    objective: Callable[[Settings], float], space: Space, trials: int, seed: int, out: Path, rounds: int = 3,
) -> Found:  # fmt: skip
    """Call `objective` with settings from `space` until there are `trials` of them, and return the best; higher is better.

    The first half of the trials is drawn from the whole space, then each further round from the narrowed ranges around the best
    quarter so far (`rounds=1`: all from the whole space). All is kept in `out` after each trial: a search that was stopped goes on
    there and ends as it would have, with a larger number of trials too. `out` then holds the trials as a table and as a
    picture, and the best settings.

    A score that is no number and a RuntimeError are a failed trial; a ValueError, which is bad input, ends the search.
    Raises ValueError for a folder with another search, RuntimeError without optuna and where every trial failed.
    """
    if trials < 1 or rounds not in ROUNDS:
        raise ValueError(f"expected at least one trial and {', '.join(map(str, ROUNDS))} rounds, not {trials} and {rounds}")
    with _study(Path(out), space, seed) as study:
        done = _finished(study)
        if done:
            say(f"going on after {len(done)} trials in {out}")
        while len(done) < trials:
            here, settings = proposed(space, done, trials, seed, rounds)
            say(f"trial {len(done) + 1} of {trials}, round {here}: {_shown(settings)}")
            done.append(_attempt(study, objective, space, settings, len(done) + 1, here))
            say(f"  {_outcome(done)}")
            _write_table(Path(out) / TABLE, list(space), done)
    return _conclude(Path(out), space, done)


def _conclude(out: Path, space: Space, done: Sequence[Trial]) -> Found:
    from mien.tasks.training.coordinates import parallel_coordinates

    good = _ranked(done)
    if not good:
        raise RuntimeError(f"every one of {len(done)} trials failed, the last one: {done[-1].note}")
    best = good[0]
    with atomic(out / SETTINGS) as draft:
        draft.write_text(json.dumps({"score": best.score, "trial": best.number, "settings": best.settings}, indent=1) + "\n")
    parallel_coordinates([(one.settings, one.score) for one in done], space, out / PICTURE)
    return Found(best, tuple(done), (TABLE, SETTINGS, PICTURE))


def proposed(space: Space, done: Sequence[Trial], trials: int, seed: int, rounds: int) -> tuple[int, Settings]:
    """Round and settings of the trial after `done`: nothing else decides, so a search can stop and go on anywhere.

    Drawn from the part of the space around the best of what was known when its round began.
    """
    starts = [round(trials * sum(ROUNDS[rounds][:place])) for place in range(rounds)]
    here = sum(start <= len(done) for start in starts)
    known = _ranked(done[: starts[here - 1]])
    best = [one.settings for one in known[: max(-(-len(known) // BEST), 2)]]
    part = narrowed(space, best) if len(best) > 1 else space
    return here, draw(part, np.random.default_rng((seed, len(done))))


def _ranked(done: Sequence[Trial]) -> list[Trial]:
    """Those that did not fail, the best first, of equal ones the earlier."""
    return sorted((one for one in done if one.score is not None), key=lambda one: -(one.score or 0.0))


def _attempt(study: Study, objective: Callable[[Settings], float], space: Space, settings: Settings, number: int, here: int) -> Trial:
    from optuna.trial import TrialState

    from mien.tasks.training.sampler import Given

    study.sampler = Given(settings)
    asked = study.ask(_distributions(space))
    began = time.monotonic()
    try:
        score, note = float(objective(dict(settings))), ""
        if not math.isfinite(score):
            note = f"the score is {score:g}"
    except RuntimeError as error:
        score, note = math.nan, str(error).split("\n")[0] or "RuntimeError"
    trial = Trial(number, here, settings, None if note else score, round(time.monotonic() - began, 1), note)
    asked.set_user_attr(FACTS, {"round": trial.round, "seconds": trial.seconds, "note": note})
    study.tell(asked, None if note else score, TrialState.FAIL if note else TrialState.COMPLETE)
    return trial


def _finished(study: Study) -> list[Trial]:
    """The trials that came to an end, in their order; one that was killed is as if it had not been."""
    from optuna.trial import TrialState

    done: list[Trial] = []
    for one in study.get_trials(deepcopy=False):
        facts = one.user_attrs.get(FACTS)
        if one.state == TrialState.RUNNING:
            study.tell(one.number, state=TrialState.FAIL)
        elif facts:
            score = one.value if one.state == TrialState.COMPLETE else None
            done.append(Trial(len(done) + 1, facts["round"], dict(one.params), score, facts["seconds"], facts["note"]))
    return done


@contextmanager
def _study(out: Path, space: Space, seed: int) -> Iterator[Study]:
    """The search kept in `out`, new or from before; meanwhile optuna keeps quiet."""
    try:
        import optuna
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend
    except ImportError:
        raise RuntimeError("the search of settings needs optuna: pip install 'mien[tune]'") from None
    out.mkdir(parents=True, exist_ok=True)
    _mend(out / STORE)
    loudness = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        storage = JournalStorage(JournalFileBackend(str(out / STORE)))
        study = optuna.create_study(storage=storage, study_name="mien", direction="maximize", load_if_exists=True)
        asked = {"seed": seed, **{name: repr(one) for name, one in space.items()}}
        before = study.user_attrs.get("asked")
        if before is None:
            study.set_user_attr("asked", asked)
        elif before != asked:
            changed = next(name for name in {**before, **asked} if before.get(name) != asked.get(name))
            raise ValueError(f"{out} holds a search with another {changed} ({before.get(changed)}): name another folder")
        yield study
    finally:
        optuna.logging.set_verbosity(loudness)


def _mend(store: Path) -> None:
    """Drop a last line that was cut off when the search was killed: the store could not be read with more behind it."""
    data = store.read_bytes() if store.is_file() else b""
    if data and not data.endswith(b"\n"):
        with atomic(store) as draft:
            draft.write_bytes(data[: data.rfind(b"\n") + 1])


def _distributions(space: Space) -> dict[str, BaseDistribution]:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    found: dict[str, BaseDistribution] = {}
    for name, one in space.items():
        if isinstance(one, Choice):
            found[name] = CategoricalDistribution(one.options)
        elif one.whole:
            found[name] = IntDistribution(int(one.low), int(one.high), one.log)
        else:
            found[name] = FloatDistribution(one.low, one.high, one.log)
    return found


def _write_table(path: Path, names: Sequence[str], done: Sequence[Trial]) -> None:
    with atomic(path) as draft, draft.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["trial", "round", "score", "seconds", *names, "note"])
        for one in done:
            score: Value = "" if one.score is None else one.score
            table.writerow([one.number, one.round, score, one.seconds, *(one.settings[name] for name in names), one.note])


def _shown(settings: Settings) -> str:
    return ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in settings.items())


def _outcome(done: Sequence[Trial]) -> str:
    last, best = done[-1], _ranked(done)
    result = f"score {last.score:.4g}" if last.score is not None else f"failed: {last.note}"
    return f"{result} after {clock(last.seconds)}" + (f"; best {best[0].score:.4g}, trial {best[0].number}" if best else "")
