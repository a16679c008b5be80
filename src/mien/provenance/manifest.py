"""Content Credentials: a signed C2PA manifest that says what was made, with which model, from what, with whose consent.

Nothing goes over the network: no time stamp authority, no remote manifest, no revocation service.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from io import BufferedRandom, BytesIO, FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from mien import __version__
from mien.data.files import atomic
from mien.provenance.container import SIGNABLE, boxes, kind, signable
from mien.provenance.identity import Identity, algorithm
from mien.provenance.identity import identity as local_identity
from mien.provenance.label import aigc_label, labelled, read_label, xmp_box

if TYPE_CHECKING:
    from collections.abc import Iterator

COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
ENHANCED = "http://cv.iptc.org/newscodes/digitalsourcetype/algorithmicallyEnhanced"
"""What the picture shows was there before; an algorithm has made it larger or cleaner."""
GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
"""All of it was drawn by a network."""
RECORD = "mien.record"
"""The assertion that keeps the consent and the model."""
OFFLINE = {
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "core": {"allowed_network_hosts": []},
}
_AUTOMATIC = ("auto_created_action", "auto_opened_action", "auto_placed_action")


def sign(
    source: Path,
    target: Path,
    *,
    title: str,
    action: str,
    parents: Sequence[Path] = (),
    consent: str = "",
    model: str = "",
    identity: Identity | None = None,
    label: Mapping[str, str] | None = None,
    source_type: str = COMPOSITE,
) -> None:
    """Write `source` (JPEG, PNG, MP4) to `target` (may be the same) with the AIGC label and a signed C2PA manifest.

    `action`: what was done, in words. `parents`: what it was made from; the first one is what was edited, the others
    were placed into it; credentials they carry are kept. `identity`: who signs, by default the local one. `label`: the
    AIGC label, by default a fresh one, none where it is empty; one that the file carries already stays. `source_type`: what
    kind of work it is, a term of IPTC's NewsCodes: by default one with parts that a network made.
    ValueError: a file that cannot be signed or read, a target of another kind. OSError, RuntimeError: not written.
    """
    import c2pa

    source, target = Path(source), Path(target)
    mime = signable(source)
    name, suffixes = SIGNABLE[mime]
    if target.suffix.lower() not in suffixes:
        raise ValueError(f"{target}: the file to sign is {name}; expected a name that ends in {' or '.join(suffixes)}")
    who = identity or local_identity()
    signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(algorithm(who), who.chain, who.key, None))
    with signer, _context() as context, atomic(target) as draft:
        parents = [Path(parent) for parent in parents]
        if source not in parents and _has_credentials(source, mime, context):
            parents = [source, *parents]
        with (
            _with_label(source, mime, draft, aigc_label() if label is None else label) as content,
            _Target(draft, "w+b") as file,
            BufferedRandom(file) as out,
        ):
            try:
                builder = c2pa.Builder(json.dumps(_definition(title, action, len(parents), consent, model, source_type)), context)
                with builder:
                    for number, parent in enumerate(parents):
                        _add_parent(builder, number, parent)
                    builder.sign(signer, mime, content, out)
            except c2pa.C2paError as error:
                if file.failure is not None:
                    raise file.failure from None
                raise RuntimeError(f"cannot sign {source}: {error}") from None


class _Target(FileIO):
    """A file that remembers why it could not be written: c2pa only says that it could not."""

    failure: OSError | None = None

    def write(self, data: Any, /) -> int | None:
        """Write as any file does."""
        try:
            return super().write(data)
        except OSError as error:
            self.failure = error
            raise


def _context() -> AbstractContextManager[Any]:
    import c2pa

    builder = {
        "thumbnail": {"enabled": False},
        "actions": {name: {"enabled": False} for name in _AUTOMATIC},
        # What mien itself states, as opposed to what it was told.
        "created_assertion_labels": ["c2pa.actions.v2", RECORD],
    }
    verify = OFFLINE["verify"] | {"verify_after_sign": False}
    return c2pa.Context.from_dict(OFFLINE | {"verify": verify, "builder": builder})


def _definition(title: str, action: str, parents: int, consent: str, model: str, source_type: str) -> dict[str, Any]:
    """The manifest. C2PA 2: the first action is c2pa.created, or c2pa.opened where something was edited."""
    now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    agent = {"name": "mien", "version": __version__}
    made = {
        "action": "c2pa.edited" if parents else "c2pa.created",
        "when": now,
        "softwareAgent": agent,
        "digitalSourceType": source_type,
        "description": action,
    }
    taken = [
        {"action": "c2pa.placed" if number else "c2pa.opened", "when": now, "parameters": {"ingredientIds": [label]}}
        for number, label in enumerate(f"parent{number}" for number in range(parents))
    ]
    return {
        "title": title,
        "claim_generator_info": [agent],
        "assertions": [
            {"label": "c2pa.actions.v2", "data": {"actions": [*taken, made]}},
            {"label": RECORD, "kind": "Json", "data": {"consent": consent, "model": model}},
        ],
    }


def _add_parent(builder: Any, number: int, path: Path) -> None:
    entry = {
        "title": path.name,
        "relationship": "componentOf" if number else "parentOf",
        "label": f"parent{number}",
    }
    mime = kind(path)
    with path.open("rb") as file:
        builder.add_ingredient(entry, mime, file)


def _has_credentials(path: Path, mime: str, context: Any) -> bool:
    import c2pa

    try:
        with path.open("rb") as file:
            reader = c2pa.Reader.try_create(mime, file, context=context)
    except c2pa.C2paError:
        return False
    if reader is None:
        return False
    reader.close()
    return True


def _check_video(path: Path) -> None:
    """ValueError where an MP4 is cut off or has no index: a box behind it would not be found."""
    try:
        with path.open("rb") as file:
            names = {name for name, *_ in boxes(file)}
        if b"moov" not in names:
            raise ValueError("the MP4 has no index (moov); was it written to its end?")
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


@contextmanager
def _with_label(source: Path, mime: str, draft: Path, label: Mapping[str, str]) -> Iterator[BinaryIO]:
    """The file's content with an AIGC label: as it is where it has one, else in memory (picture) or a copy (video)."""
    if mime.startswith("video/"):
        _check_video(source)
    if not label or read_label(source):
        with source.open("rb") as file:
            yield file
    elif mime.startswith("image/"):
        yield BytesIO(labelled(source.read_bytes(), mime, label, str(source)))
    else:
        copy = draft.with_suffix(".label" + draft.suffix)
        try:
            shutil.copyfile(source, copy)
            with copy.open("ab") as file:
                file.write(xmp_box(label))
            with copy.open("rb") as file:
                yield file
        finally:
            copy.unlink(missing_ok=True)
