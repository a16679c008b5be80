"""What every gallery does, in SQLite and PostgreSQL, sealed and not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from galleries import SPACE, Again, record

from mien.gallery import Gallery, Record, open_gallery
from mien.types import Space


def crowd(gallery: Gallery, people: int = 40, each: int = 5) -> tuple[np.ndarray, list[str]]:
    """Enroll people around points; their vectors and names, in order."""
    draw = np.random.default_rng(0)
    vectors = (draw.normal(size=(people, 1, 8)) + 0.3 * draw.normal(size=(people, each, 8))).astype(np.float32)
    for number, some in enumerate(vectors):
        gallery.enroll(f"Person {number}", [Record(row, source=f"{number}.jpg") for row in some])
    return vectors.reshape(-1, 8), [f"Person {number}" for number in range(people) for _ in range(each)]


def test_search_finds_the_nearest_people_as_brute_force_does(gallery: Gallery) -> None:
    vectors, names = crowd(gallery)
    queries = np.random.default_rng(1).normal(size=(20, 8)).astype(np.float32)
    for query, hits in zip(queries, gallery.search(queries, 6), strict=True):
        distances = np.linalg.norm(vectors.astype(np.float64) - query, axis=1)
        best = {name: distance for distance, name in sorted(zip(distances, names, strict=True), reverse=True)}
        expected = sorted(best.items(), key=lambda item: item[1])[:6]
        assert [hit.name for hit in hits] == [name for name, _ in expected]
        np.testing.assert_allclose([hit.distance for hit in hits], [distance for _, distance in expected], rtol=1e-12)


def test_a_hit_leads_to_its_evidence(gallery: Gallery) -> None:
    gallery.enroll("Ann", [record(1, source="door.jpg", crop=b"crop", picture=b"photo", quality=0.5), record(5)])
    [[hit]] = gallery.search(record(1.5).vector[None], 3)
    assert (hit.name, hit.distance, hit.source) == ("Ann", 0.5, "door.jpg")
    found = gallery.record(hit.record)
    assert (found.crop, found.picture, found.quality, found.id) == (b"crop", b"photo", 0.5, hit.record)
    assert [each.vector[0] for each in gallery.records("Ann")] == [1, 5]


def test_a_name_enrolled_twice_gets_more_vectors(gallery: Gallery) -> None:
    assert gallery.enroll("Ann", [record(1)], consent="signed").vectors == 1
    person = gallery.enroll(" Ann ", [record(2), record(3)])
    assert (person.name, person.vectors, person.consent) == ("Ann", 3, "signed")
    assert gallery.people() == [person]
    assert len(gallery) == 3


def test_changes_by_others_are_seen_at_once(gallery: Gallery, again: Again) -> None:
    other = again()
    gallery.enroll("Ann", [record(1)])
    assert other.search(record(1).vector[None])[0][0].name == "Ann"
    gallery.enroll("Bo", [record(2)])
    assert [hit.name for hit in other.search(record(2).vector[None])[0]] == ["Bo", "Ann"]
    gallery.forget("Bo")
    assert [hit.name for hit in other.search(record(2).vector[None])[0]] == ["Ann"]


def test_forget_leaves_nothing_and_says_so(gallery: Gallery) -> None:
    face = np.random.default_rng(2).bytes(20_000)
    for name in ("Anna", "Annabel", "Li"):
        own = np.random.default_rng(len(name)).normal(size=8).astype(np.float32)
        gallery.enroll(name, [Record(own, f"{name}.jpg", face + name.encode(), face[::-1] + name.encode())])
    gallery.search(record(1).vector[None])
    gallery.log("identify", "anna", "asked whether Anna or Annabel came")
    receipt = gallery.forget("Anna")
    assert (receipt.vectors, receipt.crops, receipt.pictures, receipt.entries, receipt.log_lines) == (1, 1, 1, 1, 2)
    log = [(entry.subject, entry.detail) for entry in gallery.audit()]
    assert ("(forgotten)", "asked whether (forgotten) or Annabel came") in log
    assert not any("Anna" in text.replace("Annabel", "") for line in log for text in line)
    assert [person.name for person in gallery.people()] == ["Annabel", "Li"]
    assert "Anna forgotten" in str(receipt)


def test_a_receipt_proves_it(gallery: Gallery) -> None:
    draw = np.random.default_rng(3)
    for name in ("Somebody", "Else"):
        gallery.enroll(name, [Record(draw.normal(size=8).astype(np.float32), f"{name}.jpg", draw.bytes(9000), draw.bytes(50_000))])
    receipt = gallery.forget("Somebody")
    assert receipt.proved, str(receipt)
    assert "nothing is left" in str(receipt)


def test_a_receipt_names_what_others_say_of_the_forgotten(gallery: Gallery) -> None:
    gallery.enroll("Bo", [record(1, source="Ann and Bo.jpg")])
    gallery.enroll("Ann", [record(2)])
    receipt = gallery.forget("Ann")
    assert not receipt.proved
    assert "the source of record" in str(receipt)


def test_after_the_retention_time_nobody_is_recognised_and_then_forgotten(gallery: Gallery) -> None:
    gallery.enroll("Ann", [record(1)], keep_days=30)
    gallery.enroll("Bo", [record(2)])
    until = datetime.fromisoformat(gallery.person("Ann").keep_until)
    assert abs(until - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
    assert gallery.expire() == []
    with gallery.lock, gallery.store.writing():
        gallery.store.write("UPDATE person SET keep_until = ? WHERE keep_until <> ''", ("2020-01-01T00:00:00Z",))
    assert [hit.name for hit in gallery.search(record(1).vector[None])[0]] == ["Bo"]
    assert [receipt.name for receipt in gallery.expire()] == ["Ann"]
    assert [person.name for person in gallery.people()] == ["Bo"]


def test_a_hundred_searches_in_parallel_answer_as_one_by_one(gallery: Gallery) -> None:
    crowd(gallery)
    queries = np.random.default_rng(4).normal(size=(100, 1, 8)).astype(np.float32)
    alone = [gallery.search(query, 3) for query in queries]
    with ThreadPoolExecutor(16) as pool:
        assert list(pool.map(lambda query: gallery.search(query, 3), queries)) == alone
    assert gallery.search(queries[:, 0], 3) == [hits for [hits] in alone]


def test_settings_stay_with_the_gallery(gallery: Gallery, again: Again) -> None:
    gallery.note("calibration", {"threshold": 0.6, "curve": [1, 2]})
    assert again().noted("calibration") == {"threshold": 0.6, "curve": [1, 2]}
    gallery.note("calibration", None)
    assert gallery.noted("calibration") is None


def test_rename_keeps_the_vectors_and_leaves_no_old_name(gallery: Gallery) -> None:
    gallery.enroll("Ann", [record(1)])
    gallery.enroll("Bo", [record(2)])
    assert gallery.rename("Ann", "Mary Ann").vectors == 1
    assert gallery.search(record(1).vector[None], 1)[0][0].name == "Mary Ann"
    assert "Mary Ann" in [entry.subject for entry in gallery.audit()]
    with pytest.raises(ValueError, match="already"):
        gallery.rename("Mary Ann", "Bo")


def test_an_export_comes_back_elsewhere(gallery: Gallery, tmp_path: Path) -> None:
    vectors, _ = crowd(gallery, 4, 2)
    gallery.enroll("Ann", [record(1, source="a.jpg", crop=b"crop", picture=b"photo", quality=0.25)], consent="yes", keep_days=9)
    gallery.note("calibration", [1])
    archive = gallery.export(tmp_path / "people.zip")
    with open_gallery(tmp_path / "other.db", SPACE) as other:
        assert len(other.import_(archive)) == 5
        assert other.import_(archive) == []
        for person in gallery.people():
            copy = other.person(person.name)
            assert (copy.added, copy.consent, copy.keep_until, copy.vectors) == (person.added, person.consent, person.keep_until,
                                                                                person.vectors)
        ann = other.records("Ann")[0]
        assert (ann.source, ann.crop, ann.picture, ann.quality) == ("a.jpg", b"crop", b"photo", 0.25)
        assert other.noted("calibration") == [1]
        assert [hit.name for hit in other.search(vectors[:1], 2)[0]] == [hit.name for hit in gallery.search(vectors[:1], 2)[0]]


def test_an_interrupted_enrolment_leaves_nothing(gallery: Gallery) -> None:
    gallery.enroll("Ann", [record(1)])
    with suppress(ZeroDivisionError), gallery.store.writing():
        gallery.put("Bo", [record(2)])
        1 / 0  # noqa: B018
    assert [hit.name for hit in gallery.search(record(2).vector[None])[0]] == ["Ann"]
    assert len(gallery) == 1


@pytest.mark.parametrize(("vector", "word"), [(np.full(8, np.nan), "finite"), (np.zeros(9), "shape"), (np.zeros(0), "shape")])
def test_vectors_that_are_none_are_refused(gallery: Gallery, vector: np.ndarray, word: str) -> None:
    with pytest.raises(ValueError, match=word):
        gallery.enroll("Ann", [Record(vector)])
    with pytest.raises(ValueError, match=word):
        gallery.search(vector[None])
    assert gallery.people() == []


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "x" * 201])
def test_names_that_are_none_are_refused(gallery: Gallery, name: str) -> None:
    with pytest.raises(ValueError, match="name"):
        gallery.enroll(name, [record(1)])


def test_who_is_not_there_is_told_with_the_nearest_names(gallery: Gallery) -> None:
    with pytest.raises(ValueError, match="it is empty"):
        gallery.forget("Ann")
    gallery.enroll("Annabel Lee", [record(1)])
    for ask in (gallery.person, gallery.records, gallery.forget):
        with pytest.raises(ValueError, match="nearest names: Annabel Lee"):
            ask("anabel lee")


def test_no_records_no_person(gallery: Gallery) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        gallery.enroll("Ann", [])
    with pytest.raises(ValueError, match="keep_days"):
        gallery.enroll("Ann", [record(1)], keep_days=0)
    assert gallery.search(record(1).vector[None]) == [[]]


def test_another_space_is_refused_with_both_named(gallery: Gallery, tmp_path: Path) -> None:
    gallery.enroll("Ann", [record(1)])
    archive = gallery.export(tmp_path / "people.zip")
    with (open_gallery(tmp_path / "other.db", Space("huge", "b" * 64, "eyes-1", "none", 8)) as other,
          pytest.raises(ValueError, match=r"tiny.*huge")):
        other.import_(archive)
