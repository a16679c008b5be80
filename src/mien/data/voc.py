"""PASCAL VOC: one XML a picture; corners count pixels from 1 and both belong to the box."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree

from mien.data.annotations import LARGEST, SPLITS, Annotations, Item, Record, pictures_below, split_named
from mien.data.sources import natural

FOREIGN = "the outermost element is"


def read_voc(root: Path) -> Annotations | None:
    """A folder with XML files anywhere below; None where none is an annotation. What is wrong in a file is kept: `Record.faults`."""
    files = sorted((path for path in root.rglob("*.xml") if not path.name.startswith(".")), key=lambda path: natural(str(path)))
    if not files:
        return None
    pictures = _by_stem(pictures_below(root))
    records = [_record(path, pictures) for path in files]
    if all(any(fault.startswith(FOREIGN) for fault in record.faults) for record in records):
        return None
    used = {record.picture for record in records}
    splits = _listed(root, records, pictures) or _foldered(root, records)
    named = tuple(sorted({item.name for record in records for item in record.items if item.name}))
    loose = tuple(path for same in pictures.values() for path in same if path not in used)
    return Annotations("VOC", named, tuple(range(1, len(named) + 1)), tuple(records), splits, loose)


def _by_stem(paths: Iterable[Path]) -> dict[str, list[Path]]:
    found: dict[str, list[Path]] = {}
    for path in paths:
        found.setdefault(path.stem, []).append(path)
    return found


def _record(path: Path, pictures: dict[str, list[Path]]) -> Record:
    same = pictures.get(path.stem, [])
    picture = next((one for one in same if one.parent == path.parent), same[0] if same else None)
    file = picture.name if picture else path.stem
    try:
        tree = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, OSError, ValueError, LookupError) as error:  # LookupError: an encoding nobody knows
        return Record(path.stem, file, picture, path, None, (), (f"not a whole XML file: {error}",))
    faults: list[str] = []
    items = [_item(place, node, faults) for place, node in enumerate(tree.iterfind("object"), 1)]
    if tree.tag != "annotation":
        faults.append(f"{FOREIGN} <{tree.tag}>, expected <annotation>")
    return Record(path.stem, file, picture, path, _size(tree), tuple(item for item in items if item), tuple(faults))


def _item(place: int, node: ElementTree.Element, faults: list[str]) -> Item | None:
    name = (node.findtext("name") or "").strip()
    texts = [node.findtext(f"bndbox/{corner}") for corner in ("xmin", "ymin", "xmax", "ymax")]
    try:
        x1, y1, x2, y2 = (float(text or "") for text in texts)
    except ValueError:
        faults.append(f"object {place} ({name or 'no name'}) has no box of four numbers: {', '.join(map(str, texts))}")
        return None
    if not all(-LARGEST <= side <= LARGEST for side in (x1, y1, x2, y2)):  # NaN is neither
        faults.append(f"object {place} ({name or 'no name'}) has no box of four numbers: {', '.join(map(str, texts))}")
        return None
    if not name:
        faults.append(f"object {place} has no class name")
    return Item(name, (x1 - 1, y1 - 1, x2, y2), (node.findtext("difficult") or "").strip() == "1")


def _size(tree: ElementTree.Element) -> tuple[int, int] | None:
    try:
        width, height = (int(float(tree.findtext(f"size/{side}") or "")) for side in ("width", "height"))
    except (ValueError, OverflowError):
        return None
    return width, height


def _listed(root: Path, records: list[Record], pictures: dict[str, list[Path]]) -> dict[str, tuple[int, ...]]:
    """ImageSets/Main/train.txt and its like: one file name without suffix a line. Names without an annotation get a record."""
    places = {record.key: place for place, record in enumerate(records)}
    splits = {}
    for path in sorted(root.glob("ImageSets/Main/*.txt")):
        if (split := SPLITS.get(path.stem.lower())) is None:
            continue  # VOC's own lists of one class, cat_train.txt
        keys = [line.split()[0] for line in path.read_text(errors="replace").splitlines() if line.strip()]
        for key in dict.fromkeys(keys):
            if key not in places:
                same = pictures.get(key, [])
                places[key] = len(records)
                records.append(Record(key, same[0].name if same else key, same[0] if same else None, None, None, ()))
        splits[split] = tuple(places[key] for key in dict.fromkeys(keys))
    return splits


def _foldered(root: Path, records: list[Record]) -> dict[str, tuple[int, ...]]:
    """train/, valid/, test/ with the XML files inside."""
    splits: dict[str, list[int]] = {}
    for place, record in enumerate(records):
        assert record.annotation is not None
        inside = record.annotation.relative_to(root).parts
        if len(inside) > 1 and (split := split_named(Path(inside[0]))):
            splits.setdefault(split, []).append(place)
    return {split: tuple(places) for split, places in splits.items()}
