"""Data sets as Parquet: a column of encoded pictures and a column of labels."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mien.data.pictures import decode_picture
from mien.data.pile import Pile, flat_labels, stack
from mien.progress import Progress

IMAGES, LABELS = ("img", "image", "images", "picture", "jpg", "png"), ("label", "labels", "fine_label", "class", "target")
PARTS = {"train": ("train",), "dev": ("dev", "validation", "valid", "val"), "test": ("test",)}


def table_parts(source: Path) -> dict[str, Pile] | None:
    """Parts of a .parquet file (then it is all for training) or of a folder with `train.parquet`, `test.parquet` (also in
    pieces, `train-00000-of-00002.parquet`); None for another source.
    """
    if source.is_file():
        return {"train": _pile((source,))} if source.suffix == ".parquet" else None
    return {part: _pile(paths) for part, paths in _files(source).items()} or None


def unlabelled(source: Path) -> Pile | None:
    """The training pictures of such a file or folder whose files have no column of labels; None for another source."""
    from pyarrow import parquet

    alone = source.is_file() and source.suffix == ".parquet"
    paths = (source,) if alone else _files(source).get("train", ())
    for path in paths:
        with _whole(path):
            if set(parquet.read_schema(path).names) & set(LABELS):
                return None
    if not paths:
        return None
    count = sum(parquet.read_metadata(path).num_rows for path in paths)
    return Pile(paths, np.zeros(count, np.int64), lambda size: stack(_pictures(paths), count, size), keep=True)


def _files(folder: Path) -> dict[str, tuple[Path, ...]]:
    """Part -> its files; all are for training where none is called after a part."""
    files = sorted(folder.glob("*.parquet"))
    parts = {part: tuple(path for path in files if path.stem.split("-")[0].split("_")[0] in names) for part, names in PARTS.items()}
    if files and not any(parts.values()):
        parts = {"train": tuple(files)}
    return {part: paths for part, paths in parts.items() if paths}


def _pile(paths: tuple[Path, ...]) -> Pile:
    from pyarrow import parquet

    labels, names, column = [], None, ""
    for path in paths:
        with _whole(path):
            schema = parquet.read_schema(path)
            column = _named(schema, LABELS, path, "labels")
            one = parquet.read_table(path, columns=[column]).column(0)
        if one.null_count:
            raise ValueError(f"{path}: {one.null_count} of {len(one)} pictures have no label")
        values = one.to_numpy()
        labels.append(flat_labels(values.astype(str) if values.dtype == object else values, path))
        names = _class_names(schema, column)
    return Pile(paths, np.concatenate(labels), lambda size: stack(_pictures(paths), sum(map(len, labels)), size), names, keep=True)


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    """What pyarrow says of a damaged file becomes one ValueError; what the system says (no permission) stays."""
    import pyarrow as pa

    try:
        yield
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise ValueError(f"{path} is not a whole Parquet file: {str(error).splitlines()[0]}") from None


def _named(schema, choices: tuple[str, ...], path: Path, what: str) -> str:
    for name in choices:
        if name in schema.names:
            return name
    raise ValueError(f"{path} has no column of {what}: found {', '.join(schema.names)}, expected one of {', '.join(choices)}")


def _class_names(schema, column: str) -> tuple[str, ...] | None:
    """As the `datasets` library writes them into the file."""
    try:
        facts = json.loads((schema.metadata or {})[b"huggingface"])
        return tuple(facts["info"]["features"][column]["names"])
    except (KeyError, TypeError, ValueError):
        return None


def _pictures(paths: tuple[Path, ...]) -> Iterator[tuple[str, np.ndarray]]:
    from pyarrow import parquet

    tables = [(path, parquet.ParquetFile(path)) for path in paths]
    total = sum(table.metadata.num_rows for _, table in tables)
    with Progress(f"decode {paths[0].name}", total) as bar:
        for path, table in tables:
            row, column = 0, _named(table.schema_arrow, IMAGES, path, "pictures")
            batches = table.iter_batches(1000, columns=[column])
            while batch := _next(path, batches):
                for value in batch.column(0).to_pylist():
                    data = value.get("bytes") if isinstance(value, dict) else value
                    name = f"{path}, row {row}"
                    if not isinstance(data, bytes):
                        raise ValueError(f"{name} holds no encoded picture, but {type(data).__name__}")
                    yield name, decode_picture(data, name)
                    row += 1
                bar.advance(len(batch))


def _next(path: Path, batches: Iterator):
    with _whole(path):
        return next(batches, None)
