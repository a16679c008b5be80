"""How well faces are recognised on pictures whose people are known: one measurement, from pictures to every figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mien.metrics.identification import OpenSet, Probes, cmc, identified_at, leave_one_out, n_way, open_set, search
from mien.metrics.intervals import Rate, shares, wilson
from mien.metrics.verification import (
    Pairs,
    Roc,
    accuracy_at,
    auc,
    best_threshold,
    folds,
    measured_auc_eer,
    pair_distances,
    pair_places,
    rate_of,
    roc,
    tar_table,
)
from mien.progress import Progress
from mien.tasks.recognize.figures import Accuracy, Evaluated, GroupFigures, Look, Measured, OneShot, Seen, Strangers
from mien.tasks.recognize.pairs import Labelled

RATES = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
WAYS = (2, 5, 20)
ALARMS = (0.01, 0.1)
"""Shares of strangers given a name, at which an open gallery is measured."""
FOLDS, ROUNDS, BATCH = 5, 20, 32
RANKS = 10
FEW_PAIRS = 10
"""Same-person pairs below which a group has no figures."""


def look_at(paths: Sequence[Path], look: Look, batch: int = BATCH) -> tuple[Seen, ...]:
    """Every picture once, a batch at a time. Raises ValueError where none has a usable face."""
    seen: list[Seen] = []
    with Progress("faces", len(paths)) as bar:
        for start in range(0, len(paths), batch):
            part = paths[start : start + batch]
            found = list(look(part))
            if len(found) != len(part):
                raise ValueError(f"found {len(found)} answers for {len(part)} pictures, expected one for each")
            seen += found
            bar.advance(len(part))
    if all(one.vector is None for one in seen):
        raise ValueError(f"none of {len(seen)} pictures has a usable face: {seen[0].fault or 'no reason given'} ({paths[0]})")
    return tuple(seen)


def labelled_pairs(labelled: Labelled, seen: Sequence[Seen]) -> tuple[np.ndarray, np.ndarray, Pairs, np.ndarray]:
    """(first, second) places of the pairs whose pictures both have vectors, their distances, and which of the listed pairs (or of all
    pairs of the usable pictures) these are. Raises ValueError where a kind of pair is missing then.
    """
    usable = np.array([one.vector is not None for one in seen])
    number = np.unique(np.array(labelled.people), return_inverse=True)[1]
    if labelled.listed is None:
        places = np.flatnonzero(usable)
        first, second = (places[part] for part in pair_places(number[places]))
        kept = np.ones(len(first), bool)
    else:
        kept = usable[labelled.listed.first] & usable[labelled.listed.second]
        first, second = labelled.listed.first[kept], labelled.listed.second[kept]
    same = number[first] == number[second]
    for kind, name in ((same, "same-person"), (~same, "different-person")):
        if not kind.any():
            raise ValueError(f"no {name} pair is left: {int((~usable).sum())} of {len(usable)} pictures have no usable face")
    size = len(next(one.vector for one in seen if one.vector is not None))
    vectors = np.stack([np.full(size, np.nan) if one.vector is None else one.vector for one in seen]).astype(np.float64)
    pairs = Pairs(pair_distances(vectors, first, second), number[first], number[second], int(number.max()) + 1)
    return first, second, pairs, kept


def evaluate(labelled: Labelled, look: Look, threshold: float | None = None, threshold_source: str = "given") -> Measured:
    """Pictures, their people, and a function from pictures to vectors -> every figure.

    Args:
        labelled: who is on which picture.
        look: asked once for each picture, in batches.
        threshold: accept at or below; None: the one that other people of the same pictures give.
        threshold_source: where it came from, in words.
    """
    seen = look_at(labelled.paths, look)
    first, second, pairs, kept = labelled_pairs(labelled, seen)
    same, curve = pairs.same, roc(pairs.distances, pairs.same)
    lost = _lost(labelled, seen, kept)
    area, equal = measured_auc_eer(pairs)
    tables = tar_table(pairs, tuple(rate for rate in RATES if rate * (~same).sum() >= 1))
    accuracies = _accuracies(labelled, pairs, kept, lost, threshold, threshold_source)
    if threshold is None:
        own = accuracies[0] if accuracies else None
        threshold = own.threshold if own else best_threshold(pairs.distances, same, balanced=True)
        threshold_source = own.source if own else "these very pairs, so the figures at it flatter"
    people = np.array(labelled.people)
    ranked, curve_of_ranks, first_rank, opened, strangers, shot = None, None, None, None, (), ()
    if labelled.names_known:
        usable = np.flatnonzero([one.vector is not None for one in seen])
        vectors, who = np.stack([one.vector for one in seen if one.vector is not None]), people[usable]
        ranked = leave_one_out(vectors, who)
        curve_of_ranks = cmc(ranked.rank, min(RANKS, len(np.unique(who)))) if len(ranked.rank) else None
        first_rank = shares((ranked.rank == 1).astype(float), ranked.people) if len(ranked.rank) else None
        opened, strangers = _strangers(vectors, who, threshold)
        shot = _one_shots(vectors, who)
    evaluated = Evaluated(
        pictures=len(seen), people=len(np.unique(people)), failure_to_acquire=_failed(seen),
        failures=tuple((path, one.fault) for path, one in zip(labelled.paths, seen, strict=True) if one.vector is None),
        same_pairs=int(same.sum()), different_pairs=int((~same).sum()), lost_same=lost[0], lost_different=lost[1],
        auc=area, eer=equal, eer_threshold=_equal_threshold(curve), tar_at_far=tables,
        tar_with_failures=tuple(line.tar.value * same.sum() / (same.sum() + lost[0]) for line in tables),
        threshold=threshold, threshold_source=threshold_source,
        false_match=rate_of(pairs.choose(~same), pairs.distances[~same] <= threshold),
        false_non_match=rate_of(pairs.choose(same), pairs.distances[same] > threshold),
        accuracy=accuracies, rank1=first_rank,
        rank1_with_failures=_rank_with_failures(ranked, people) if ranked and first_rank else None,
        strangers=strangers, one_shot=shot,
        groups=_groups(labelled, seen, first, second, pairs, kept, threshold),
        protocol=_protocol(labelled, threshold, threshold_source, len(same), opened is not None), notes=labelled.notes,
    )  # fmt: skip
    return Measured(evaluated, labelled, seen, first, second, pairs, curve, curve_of_ranks, opened)


def _failed(seen: Sequence[Seen]) -> Rate:
    return wilson(sum(one.vector is None for one in seen), len(seen))


def _lost(labelled: Labelled, seen: Sequence[Seen], kept: np.ndarray) -> tuple[int, int]:
    """Same-person and different-person pairs that have a picture without a vector."""
    if labelled.listed is not None:
        return int((labelled.listed.same & ~kept).sum()), int((~labelled.listed.same & ~kept).sum())
    counts = []
    for part in (labelled.people, [name for name, one in zip(labelled.people, seen, strict=True) if one.vector is not None]):
        each = np.unique(np.array(part), return_counts=True)[1]
        own = int((each * (each - 1)).sum() // 2)
        counts.append((own, len(part) * (len(part) - 1) // 2 - own))
    return counts[0][0] - counts[1][0], counts[0][1] - counts[1][1]


def _equal_threshold(curve: Roc) -> float:
    return float(curve.thresholds[int(np.argmax(curve.far >= 1 - curve.tar))])


def _accuracies(labelled: Labelled, pairs: Pairs, kept: np.ndarray, lost: tuple[int, int], threshold: float | None,
                source: str) -> tuple[Accuracy, ...]:  # fmt: skip
    """With the threshold given; with the list's own folds; with folds of people: whichever there are."""
    found, whole = [], len(pairs.distances) + sum(lost)
    if threshold is not None:
        right = (pairs.distances <= threshold) == pairs.same
        rate, balanced = rate_of(pairs, right), accuracy_at(pairs.distances, pairs.same, threshold, balanced=True)
        found.append(Accuracy(rate, balanced, rate.count / whole, threshold, source))
    if labelled.listed is not None and labelled.listed.fold is not None:
        own = folds(pairs.distances, pairs.same, labelled.listed.fold[kept])
        rate = wilson(round(own.mean * len(pairs.distances)), len(pairs.distances))
        rate = Rate(own.mean, rate.low, rate.high, rate.count, rate.total)
        found.append(Accuracy(rate, own.mean, rate.count / whole, float(np.mean(own.thresholds)),
                              f"the other {len(own.thresholds) - 1} folds", own.standard_error))  # fmt: skip
    elif one := _people_folds(pairs, whole):
        found.append(one)
    return tuple(found)


def _people_folds(pairs: Pairs, whole: int) -> Accuracy | None:
    """Each pair judged by the threshold best for pairs of other people; pairs across folds by the people of neither."""
    who = np.unique(np.concatenate([pairs.first, pairs.second]))
    if len(who) < FOLDS:
        return None
    fold = np.zeros(pairs.people, int)
    fold[np.random.default_rng(0).permutation(who)] = np.arange(len(who)) % FOLDS
    right, thresholds = np.zeros(len(pairs.distances), bool), []
    a, b = fold[pairs.first], fold[pairs.second]
    for one in range(FOLDS):
        for other in range(one, FOLDS):
            judged = ((a == one) & (b == other)) | ((a == other) & (b == one))
            rest = pairs.choose(~np.isin(a, (one, other)) & ~np.isin(b, (one, other)))
            if not rest.same.any() or rest.same.all():
                return None
            thresholds.append(best_threshold(rest.distances, rest.same, balanced=True))
            right[judged] = (pairs.distances[judged] <= thresholds[-1]) == pairs.same[judged]
    rate = rate_of(pairs, right)
    balanced = float(right[pairs.same].mean() + right[~pairs.same].mean()) / 2
    source = f"other people of the same pictures ({FOLDS} folds of people)"
    return Accuracy(rate, balanced, rate.count / whole, float(np.mean(thresholds)), source)


def _rank_with_failures(ranked: Probes, people: np.ndarray) -> float:
    """Pictures without a face, of people that have others, count as not found."""
    counts = np.unique(people, return_inverse=True, return_counts=True)
    return float((ranked.rank == 1).sum() / max((counts[2][counts[1]] > 1).sum(), 1))


def _strangers(vectors: np.ndarray, people: np.ndarray, threshold: float) -> tuple[OpenSet | None, tuple[Strangers, ...]]:
    """Rounds in which half of the people are enrolled by one picture each and all others are strangers."""
    names, counts = np.unique(people, return_counts=True)
    several = names[counts > 1]
    if len(several) < 2 or len(names) < 4:
        return None, ()
    random, parts, enrolled = np.random.default_rng(0), [], several
    for _ in range(ROUNDS if len(vectors) < 4000 else 4):
        enrolled = random.permutation(several)[: max(len(names) // 2, 1)]
        if len(enrolled) == len(names):
            enrolled = enrolled[:-1]
        places = random.permutation(len(vectors))
        own = places[np.isin(people[places], enrolled)]
        gallery = own[np.unique(people[own], return_index=True)[1]]
        rest = np.setdiff1d(np.arange(len(vectors)), gallery)
        parts.append(search(vectors[rest], people[rest], vectors[gallery], people[gallery]))
    found = Probes(*(np.concatenate([getattr(one, name) for one in parts]) for name in ("rank", "nearest", "people")))
    if found.known.all():
        return None, ()
    curve = open_set(found)
    wanted = [(identified_at(curve, alarm)[1], f"at most {alarm:.0%} of strangers named") for alarm in ALARMS]
    wanted = [(threshold, "the threshold for pairs"), *wanted]
    return curve, tuple(_at(found, one, meaning, len(enrolled)) for one, meaning in wanted if np.isfinite(one))


def _at(found: Probes, threshold: float, meaning: str, enrolled: int) -> Strangers:
    named, known, right = found.nearest <= threshold, found.known, found.rank == 1
    rates = [shares(which[among].astype(float), found.people[among])
             for which, among in ((named, ~known), (named & right, known), (named & ~right, known))]  # fmt: skip
    return Strangers(threshold, meaning, enrolled, *rates)


def _one_shots(vectors: np.ndarray, people: np.ndarray) -> tuple[OneShot, ...]:
    names, counts = np.unique(people, return_counts=True)
    if counts.max() < 2:
        return ()
    fit = [ways for ways in WAYS if ways <= len(names)]
    if len(names) < WAYS[-1] and len(names) not in fit:
        fit.append(len(names))
    return tuple(OneShot(ways, shares(*n_way(vectors, people, ways))) for ways in fit)


def _groups(labelled: Labelled, seen: Sequence[Seen], first: np.ndarray, second: np.ndarray, pairs: Pairs, kept: np.ndarray,
            threshold: float) -> tuple[GroupFigures, ...]:  # fmt: skip
    """Figures of the pairs whose people are both of one group, or of the pairs listed with that group."""
    people, usable = np.array(labelled.people), np.array([one.vector is not None for one in seen])
    if labelled.groups is not None:
        group = np.array(labelled.groups)
        of_pair = np.where(group[first] == group[second], group[first], "")
    elif labelled.listed is not None and labelled.listed.group is not None:
        every = np.array(labelled.listed.group)
        of_pair, group = every[kept], np.full(len(people), "", dtype=every.dtype)
        group[labelled.listed.first], group[labelled.listed.second] = every, every
    else:
        return ()
    found = []
    for name in sorted(set(group.tolist()) - {""}):
        part, mine = pairs.choose(of_pair == name), group == name
        wrong = (part.distances <= threshold) != part.same
        enough = part.same.sum() >= FEW_PAIRS and (~part.same).sum() >= FEW_PAIRS
        rates = [rate_of(part.choose(kind), wrong[kind]) for kind in (~part.same, part.same)]
        area = auc(roc(part.distances, part.same)) if enough else None
        failed = wilson(int((mine & ~usable).sum()), int(mine.sum()))
        found.append(GroupFigures(name, int(mine.sum()), len(np.unique(people[mine])), rates[0], rates[1], area, failed))
    return tuple(found)


def _protocol(labelled: Labelled, threshold: float, source: str, pairs: int, opened: bool) -> tuple[str, ...]:
    lines = [
        f"Pairs: {labelled.protocol}; {pairs:,} with a face on both pictures. Score: distance of the two vectors, smaller is "
        "more alike. A pair is accepted where its distance is at most the threshold.",
        f"Threshold {threshold:.4f}, from {source}.",
        "Intervals are to hold the true value in 95 of 100 such measurements. They come from drawing people with replacement, since "
        "pairs of one person are not independent, and are never narrower than the interval for the plain count.",
        "Pictures without a usable face are counted and named. Figures called 'with failures' count their pairs as wrong.",
    ]
    if labelled.names_known:
        lines += [
            "Rank 1: each picture is searched among all others; right if the nearest picture is of the same person (ties are wrong). "
            "People with one picture are in the gallery only.",
            "One-shot choice among N people: one picture of each person is known, another of one of them is asked about; the mean "
            "over every possible choice is computed, none is drawn.",
        ]
    if opened:
        lines.append("Strangers: in repeated rounds half of the people are enrolled by one picture each; their other pictures should "
                     "be named, all pictures of all other people refused.")  # fmt: skip
    return tuple(lines)
