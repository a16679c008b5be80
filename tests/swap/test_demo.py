"""What `make demo` runs: swapped at once and by a trained model, all signed, on one page."""

from pathlib import Path

from mien.provenance.report import verify
from mien.tasks.swap.run import demo


def test_two_portraits_are_swapped_at_once_and_trained(tmp_path: Path) -> None:
    told = demo(out=tmp_path, minutes=0.01)
    page = told.page.read_text()
    assert told.signed
    assert not told.same_person
    for name in ("hopper_with_collinss", "collins_with_hoppers"):
        for kind in ("", "_at_once"):
            file = tmp_path / f"{name}_face{kind}.jpg"
            assert verify(file).intact
            assert f"{file.stem}_closer.jpg" in page
