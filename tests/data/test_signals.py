from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from mien.data.signals import beats, read_annotations, read_record


def words(*numbers: int) -> bytes:
    return np.array(numbers, "<u2").tobytes()


def record(folder: Path, samples: bytes, header: str) -> Path:
    (folder / "r.hea").write_text(header)
    (folder / "r.dat").write_bytes(samples)
    (folder / "r.atr").write_bytes(words(1 << 10 | 2, 0))
    return folder / "r"


def test_format_212_by_hand(tmp_path: Path) -> None:
    # 0x123 and -2 (0xFFE), then 2047 (0x7FF) and -2048 (0x800): low bytes outside, high halves in the middle.
    samples = bytes([0x23, 0xF1, 0xFE, 0xFF, 0x87, 0x00])
    header = "# a comment\nr 2 100 2\nr.dat 212 200 12 11 0 2338 0 MLII\nr.dat 212 100(7)/mV 12 99 0 -2050 0 V lead 5\n"
    found = read_record(record(tmp_path, samples, header))
    np.testing.assert_allclose(found.signals, [[(0x123 - 11) / 200, -0.09], [(2047 - 11) / 200, -20.55]], rtol=1e-6)
    assert (found.rate, found.channels) == (100, ("MLII", "V lead 5"))


def test_annotations_by_hand(tmp_path: Path) -> None:
    skip, aux, num, sub = 59 << 10, 63 << 10 | 3, 60 << 10, 61 << 10
    data = words(28 << 10 | 18, aux, 0x4E28, 0x41, 1 << 10 | 59, skip, 1, 5, 5 << 10, num | 1, sub, 8 << 10 | 1023, 0)
    (tmp_path / "a.atr").write_bytes(data)
    places, symbols = read_annotations(tmp_path / "a.atr")
    assert places.tolist() == [18, 77, 77 + 65536 + 5, 77 + 65541 + 1023]
    assert "".join(symbols) == "+NVA"
    (tmp_path / "a.atr").write_bytes(data[:-2])
    with pytest.raises(ValueError, match="4 annotations, then no end mark"):
        read_annotations(tmp_path / "a.atr")


# The MIT-BIH directory's table of beat types (physionet.org/physiobank/database/html/mitdbdir).
KNOWN = {"100": {"N": 2239, "A": 33, "V": 1}, "208": {"N": 1586, "S": 2, "V": 992, "F": 373, "Q": 2}}


@pytest.mark.parametrize("name", ["100", "208"])
def test_mit_bih(data_dir: Path, name: str) -> None:
    found = read_record(data_dir / "ecg" / name)
    assert found.signals.shape == (650_000, 2)
    assert (found.rate, found.channels[0]) == (360, "MLII")
    cut = beats(found, 1, 1)
    assert Counter(cut.symbols.tolist()) == KNOWN[name]
    assert set(cut.classes) == {"100": {"N", "S", "V"}, "208": {"N", "S", "V", "F", "Q"}}[name]
    # The first sample, as the header's field "initial value" has it.
    assert found.signals[0, 0] == pytest.approx({"100": 995 - 1024, "208": 1003 - 1024}[name] / 200)


def test_beats_stand_at_their_peaks(data_dir: Path) -> None:
    found = read_record(data_dir / "ecg" / "100")
    cut = beats(found, 90, 110)
    assert cut.signals.shape == (len(cut.places), 200)
    assert len(cut.places) == 2273 - 2  # the first and the last one are cut off
    normal = cut.signals[cut.symbols == "N"]
    assert abs(int(normal.mean(0).argmax()) - 90) <= 2
    assert (np.abs(normal.argmax(1) - 90) <= 6).mean() > 0.99
    np.testing.assert_array_equal(cut.signals[5], found.signals[cut.places[5] - 90 : cut.places[5] + 110, 0])


HEADER = "r 1 100 2\nr.dat 212 200 12 0 0 0 0 I\n"


@pytest.mark.parametrize(("samples", "header", "message"), [
    (b"abc", HEADER, r"r.dat is damaged: its samples have the checksums \[.*\], expected \[0\]"),
    (b"ab", HEADER, "r.dat has 2 bytes, expected 3 for 2 samples of 1 channels"),
    (b"abc", HEADER.replace("212", "16"), "signals in format 16 in 1 files, expected format 212"),
    (b"abc", "hello", "r.hea is not the header of a WFDB record"),
    (b"abc", "", "r.hea is not the header of a WFDB record"),
])  # fmt: skip
def test_bad_records(tmp_path: Path, samples: bytes, header: str, message: str) -> None:
    path = record(tmp_path, samples, header)
    with pytest.raises(ValueError, match=message):
        read_record(path)


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"r\.hea does not exist"):
        read_record(tmp_path / "r")
    path = record(tmp_path, b"\0\0\0", HEADER)
    (tmp_path / "r.atr").unlink()
    with pytest.raises(ValueError, match=r"r\.atr does not exist"):
        read_record(path)
