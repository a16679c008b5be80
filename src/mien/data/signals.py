"""Electrocardiograms as PhysioNet keeps them: WFDB records in format 212 and their annotations (WFDB manual, header(5),
signal(5), annot(5)).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

SYMBOLS = dict(enumerate("·NLRaVFJASEj/Q~·|·sT*D\"=pB^t+u?![]en@xf()r"))
"""Annotation code -> symbol, ecgcodes.h; a middle dot is no code."""
AAMI = {
    **dict.fromkeys("NLRej", "N"), **dict.fromkeys("AaJS", "S"), **dict.fromkeys("VE", "V"), "F": "F", **dict.fromkeys("/fQ?", "Q"),
}  # fmt: skip
"""Symbol of a beat -> class of ANSI/AAMI EC57: normal, supraventricular, ventricular, fusion, unknown; other symbols are no beats."""
SKIP, NUM, SUB, CHN, AUX = 59, 60, 61, 62, 63
"""Codes that are no annotations, but say something about the one before or the time to the next."""


@dataclass(frozen=True)
class Record:
    """A recording with its annotations."""

    name: str
    rate: float
    """Samples a second."""
    signals: np.ndarray
    """(samples, channels) float32, in the units of the header: mV."""
    channels: tuple[str, ...]
    places: np.ndarray
    """(annotations,) int64, in samples."""
    symbols: np.ndarray
    """(annotations,) one-letter text."""


@dataclass(frozen=True)
class Beats:
    """Heart beats cut out of a record."""

    signals: np.ndarray
    """(beats, samples) float32 mV; the annotated place (the R peak) is sample `before`."""
    symbols: np.ndarray
    """(beats,) one-letter text, as the annotators had it; `AAMI` groups it."""
    places: np.ndarray
    """(beats,) int64, in samples of the record."""

    @property
    def classes(self) -> np.ndarray:
        """(beats,) N, S, V, F or Q."""
        return np.array([AAMI[symbol] for symbol in self.symbols.tolist()])


def read_record(path: Path) -> Record:
    """The record `path` (`ecg/100` or `ecg/100.hea`) with its .dat and .atr; ValueError says what is wrong with which file.

    The samples are checked against the checksums of the header.
    """
    header = Path(path).with_suffix(".hea")
    lines = [line for line in _text(header) if line and not line.startswith("#")]
    try:
        name, count, rate, samples = lines[0].split()[:4]
        rows = [line.split(maxsplit=8) for line in lines[1 : 1 + int(count)]]
        files, formats, sums = {row[0] for row in rows}, {row[1] for row in rows}, [int(row[6]) for row in rows]
        gains = [_gain(row[2], row[4]) for row in rows]
        hertz, length = float(rate.split("/")[0]), int(samples)
    except (ValueError, IndexError):
        raise ValueError(f"{header} is not the header of a WFDB record with signals") from None
    if formats != {"212"} or len(files) != 1:
        raise ValueError(f"{header} has signals in format {' '.join(formats)} in {len(files)} files, expected format 212 in one")
    raw = _format_212(header.with_name(files.pop()), length, len(rows))
    found = [int(one) for one in raw.sum(axis=0, dtype=np.int64).astype(np.int16)]
    if found != sums:
        raise ValueError(f"{header.with_suffix('.dat')} is damaged: its samples have the checksums {found}, expected {sums}")
    signals = np.stack([(raw[:, place] - zero) / np.float32(gain) for place, (gain, zero) in enumerate(gains)], axis=1)
    places, symbols = read_annotations(header.with_suffix(".atr"))
    names = tuple(row[8] if len(row) > 8 else str(place) for place, row in enumerate(rows))
    return Record(name, hertz, signals.astype(np.float32), names, places, symbols)


def read_annotations(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """(N,) int64 places in samples and (N,) symbols of an annotation file in MIT format; ValueError where it is damaged."""
    data = _bytes(path)
    words = np.frombuffer(data, "<u2", len(data) // 2).tolist()
    places, symbols, time, at = [], [], 0, 0
    try:
        while words[at]:
            code, value = words[at] >> 10, words[at] & 1023
            at += 1
            if code == SKIP:  # a PDP-11 wrote this: the high half of the 32 bits first
                jump = words[at] << 16 | words[at + 1]
                time += jump - (1 << 32 if jump >> 31 else 0)
                at += 2
            elif code == AUX:
                at += (value + 1) // 2
            elif code not in (NUM, SUB, CHN):
                time += value
                places.append(time)
                symbols.append(SYMBOLS[code])
    except (IndexError, KeyError):
        raise ValueError(f"{path} is damaged or cut off: {len(places)} annotations, then no end mark") from None
    return np.array(places, np.int64), np.array(symbols)


def beats(record: Record, before: int, after: int, channel: int = 0) -> Beats:
    """Every annotated beat: `before` samples before its R peak and `after` from it on. Those at the record's ends are left out."""
    whole = (record.places >= before) & (record.places + after <= len(record.signals))
    chosen = whole & np.isin(record.symbols, list(AAMI))
    places = record.places[chosen]
    return Beats(record.signals[places[:, None] + np.arange(-before, after), channel], record.symbols[chosen], places)


def _gain(gain: str, zero: str) -> tuple[float, int]:
    """`200(1024)/mV` -> steps of the converter in a unit, and the step that means 0: by default the converter's zero."""
    steps, _, baseline = gain.split("/")[0].rstrip(")").partition("(")
    return float(steps) or 200.0, int(baseline or zero)  # 0 is "not calibrated", for which the manual says 200


def _format_212(path: Path, samples: int, channels: int) -> np.ndarray:
    """(samples, channels) int16: pairs of 12-bit two's complement numbers in three bytes."""
    data = np.frombuffer(_bytes(path), np.uint8)
    numbers = samples * channels
    expected = (numbers + 1) // 2 * 3
    if len(data) != expected:
        raise ValueError(f"{path} has {len(data):,} bytes, expected {expected:,} for {samples:,} samples of {channels} channels")
    low, middle, high = data.reshape(-1, 3).astype(np.int16).T
    pairs = np.stack([low | (middle & 0x0F) << 8, high | (middle & 0xF0) << 4], axis=1)
    return np.where(pairs > 2047, pairs - 4096, pairs).reshape(-1)[:numbers].reshape(samples, channels)


def _bytes(path: Path) -> bytes:
    if not path.is_file():
        raise ValueError(f"{path} does not exist, expected a file of a WFDB record")
    return path.read_bytes()


def _text(path: Path) -> list[str]:
    return _bytes(path).decode("latin-1").splitlines()
