"""Reading Content Credentials: who signed, trusted or not, changed or not, made how and from what."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mien.provenance.container import kind
from mien.provenance.identity import local_root
from mien.provenance.label import read_label
from mien.provenance.manifest import OFFLINE, RECORD

_WORDS = {
    "signingCredential.untrusted": "the signer is not known here: the certificate leads to none of the trusted roots",
    "signingCredential.expired": "the certificate is out of date",
    "signingCredential.invalid": "the certificate is not one that C2PA lets sign",
    "assertion.dataHash.mismatch": "the content was changed after it was signed",
    "assertion.bmffHash.mismatch": "the content was changed after it was signed",
    "assertion.boxesHash.mismatch": "the content was changed after it was signed",
    "assertion.hashedURI.mismatch": "a statement in the credentials was changed after it was signed",
    "claimSignature.mismatch": "the signature does not belong to these credentials",
}
_UNREADABLE = {
    "ManifestNotFound": [],
    "NotSupported": [],
    "Remote": ["the credentials are kept elsewhere, and nothing is fetched from the network"],
}
_BOUND = {f"assertion.{name}.match" for name in ("dataHash", "bmffHash", "boxesHash", "collectionHash")}


@dataclass(frozen=True)
class Ingredient:
    """What a file was made from."""

    title: str
    relationship: str
    """'parentOf' (this was edited) or 'componentOf' (this was placed into it)."""
    signed: bool
    """It carried credentials of its own; they are kept."""
    signer: str | None = None


@dataclass(frozen=True)
class Provenance:
    """What a file says of its origin, and whether to believe it."""

    signed: bool
    signer: str | None = None
    issuer: str | None = None
    trusted: bool = False
    """The certificate leads to the local root, or to one in the file of roots given, and the signature is its own."""
    intact: bool | None = None
    """The content and every statement are as they were signed; None where nothing is signed."""
    changed: bool = False
    digital_source_type: str | None = None
    generator: str | None = None
    time: str | None = None
    """When it was made: by a time stamp authority if there was one, else as the signer says."""
    ingredients: list[Ingredient] = field(default_factory=list)
    consent: str | None = None
    model: str | None = None
    label: dict[str, str] | None = None
    """The AIGC label (GB 45438-2025)."""
    problems: list[str] = field(default_factory=list)


def verify(path: Path, trust: Path | None = None) -> Provenance:
    """What `path` says of its origin. A file without credentials is an answer, not an error.

    `trust`: a PEM file of more roots to believe. ValueError: neither picture nor video, or no certificates in `trust`.
    """
    import c2pa

    path = Path(path)
    mime, label, anchors = kind(path), read_label(Path(path)), _anchors(trust)
    settings = OFFLINE | ({"trust": {"trust_anchors": anchors}} if anchors else {})
    try:
        with (
            c2pa.Context.from_dict(settings) as context,
            path.open("rb") as file,
            c2pa.Reader(mime, file, context=context) as reader,
        ):
            store, certificates = json.loads(reader.json()), json.loads(reader.crjson())
    except c2pa.C2paError as error:
        problems = _UNREADABLE.get(str(error).partition(":")[0], [f"no credentials can be read: {error}"])
        return Provenance(signed=False, label=label, problems=problems)
    return _report(store, certificates, label)


def _anchors(trust: Path | None) -> str:
    """The roots to believe, PEM: the local one and those of the file."""
    from cryptography import x509

    more = b""
    if trust is not None:
        if not Path(trust).is_file():
            raise ValueError(f"{trust}: no such file; expected root certificates as PEM")
        more = Path(trust).read_bytes()
        try:
            x509.load_pem_x509_certificates(more)
        except ValueError:
            raise ValueError(f"{trust}: no certificates; expected root certificates as PEM") from None
    return (local_root() + b"\n" + more).decode("ascii", "replace").strip()


def _report(store: dict[str, Any], certificates: dict[str, Any], label: dict[str, str] | None) -> Provenance:
    """From the two JSON forms of a manifest store."""
    manifests, active = store["manifests"], store["active_manifest"]
    manifest, results = manifests[active], store.get("validation_results", {})
    checks = results.get("activeManifest", {})
    passed = {check["code"] for check in checks.get("success", [])}
    failed = checks.get("failure", [])
    broken = [check for check in failed if not check["code"].startswith(("signingCredential.", "timeStamp."))]
    intact = not broken and bool(passed & _BOUND)
    signature = manifest.get("signature_info", {})
    certificate = next((entry for entry in certificates["manifests"] if entry["label"] == active), {})
    issuer = certificate.get("signature", {}).get("certificateInfo", {}).get("issuer", {})
    assertions = {entry["label"]: entry["data"] for entry in manifest.get("assertions", [])}
    lists = [data["actions"] for name, data in assertions.items() if name.startswith("c2pa.actions")]
    actions = [action for entries in lists for action in entries]
    record = assertions.get(RECORD, {})
    return Provenance(
        signed=True,
        signer=signature.get("common_name") or signature.get("issuer"),
        issuer=issuer.get("CN") or issuer.get("O"),
        trusted={"signingCredential.trusted", "claimSignature.validated"} <= passed,
        intact=intact,
        changed=not intact,
        digital_source_type=_last(actions, "digitalSourceType"),
        generator=_generator(manifest),
        time=signature.get("time") or _last(actions, "when"),
        ingredients=[_ingredient(entry, manifests) for entry in manifest.get("ingredients", [])],
        consent=record.get("consent") or None,
        model=record.get("model") or None,
        label=label,
        problems=_problems(failed, manifest.get("ingredients", []), results.get("ingredientDeltas") or []),
    )


def _last(actions: list[dict[str, Any]], key: str) -> str | None:
    return next((str(action[key]) for action in reversed(actions) if action.get(key)), None)


def _generator(manifest: dict[str, Any]) -> str | None:
    info = manifest.get("claim_generator_info") or [{}]
    name = " ".join(part for part in (info[0].get("name"), info[0].get("version")) if part)
    return name or manifest.get("claim_generator")


def _ingredient(entry: dict[str, Any], manifests: dict[str, Any]) -> Ingredient:
    inner = manifests.get(entry.get("active_manifest", ""), {})
    signer = inner.get("signature_info", {}).get("common_name")
    return Ingredient(entry.get("title", ""), entry.get("relationship", ""), "active_manifest" in entry, signer)


def _problems(failed: list[dict[str, Any]], parts: list[dict[str, Any]], deltas: list[dict[str, Any]]) -> list[str]:
    """Every failed check in words, once: of the file, of its ingredients when signed (parts) and now (deltas)."""
    then = [part.get("validation_results", {}).get("activeManifest", {}) for part in parts]
    now = [delta.get("validationDeltas", {}) for delta in deltas]
    # Whom the signer trusted is not what is trusted here; a change seen then stays one.
    inner = [
        check
        for checks in then + now
        for check in checks.get("failure", [])
        if check["code"] != "signingCredential.untrusted"
    ]
    lines = [_words(check) for check in failed] + [f"in what it was made from: {_words(check)}" for check in inner]
    return list(dict.fromkeys(lines))


def _words(check: dict[str, Any]) -> str:
    return _WORDS.get(check["code"], f"{check['code']}: {check.get('explanation', '')}".rstrip(": "))
