"""Who signs: a certificate chain and its key, made on first use or a person's own.

The profile is that of C2PA 2: a leaf under a root, ES256, CA:FALSE, critical digitalSignature, critical
emailProtection, subject and authority key identifiers. The root's key is thrown away once the leaf is signed, so what
leads to this root was signed with this leaf's key.
"""

from __future__ import annotations

import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

CHAIN, KEY, ROOT = "chain.pem", "key.pem", "root.pem"
YEARS = 20
_REMEDY = "move the folder away to have a new one"


@dataclass(frozen=True)
class Identity:
    """What signs: `chain` is PEM, leaf first, root last; `key` is the leaf's private key, PEM (PKCS#8, no password)."""

    chain: bytes
    key: bytes = field(repr=False)


def folder() -> Path:
    """Where the local identity is kept: $XDG_DATA_HOME/mien/identity, by default ~/.local/share/mien/identity."""
    home = os.environ.get("XDG_DATA_HOME")
    return (Path(home) if home else Path.home() / ".local" / "share") / "mien" / "identity"


def identity(certificate: Path | None = None, key: Path | None = None) -> Identity:
    """A person's own certificate chain and key (PEM files, both or neither), or the local one, made on first use.

    ValueError: a file that is not what it should be, a key of another certificate, a certificate out of date.
    RuntimeError: the local identity is incomplete or out of date. OSError: it cannot be written.
    """
    if (certificate is None) != (key is None):
        given, missing = ("certificate", "key") if key is None else ("key", "certificate")
        raise ValueError(f"a {given} without its {missing}: give both, or neither to sign with the local identity")
    if certificate is not None and key is not None:
        return _own(Path(certificate), Path(key))
    place = folder()
    if not (place / CHAIN).exists():
        _publish(place)
    try:
        local = Identity((place / CHAIN).read_bytes(), (place / KEY).read_bytes())
    except FileNotFoundError as error:
        raise RuntimeError(f"the identity in {place} lacks {Path(error.filename).name}; {_REMEDY}") from None
    try:
        _check(local)
    except ValueError as error:
        raise RuntimeError(f"the identity in {place} is no use: {error}; {_REMEDY}") from None
    return local


def local_root() -> bytes:
    """The local root certificate, PEM; empty where nothing was ever signed here (asking makes no identity)."""
    path = folder() / ROOT
    return path.read_bytes() if path.exists() else b""


def algorithm(identity: Identity) -> str:
    """The C2PA name of the signature this identity makes: es256, es384, es512, ed25519 or ps256.

    ValueError: a key of a kind that C2PA does not allow.
    """
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    key = load_pem_private_key(identity.key, None)
    curves = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
    if isinstance(key, ec.EllipticCurvePrivateKey) and key.curve.name in curves:
        return curves[key.curve.name]
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, rsa.RSAPrivateKey) and key.key_size >= 2048:
        return "ps256"
    raise ValueError("a key that C2PA does not allow; expected P-256, P-384, P-521, Ed25519, or RSA from 2048 bits")


def _own(certificate: Path, key: Path) -> Identity:
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

    for path in (certificate, key):
        if not path.is_file():
            raise ValueError(f"{path}: no such file; expected PEM")
    try:
        private = load_pem_private_key(key.read_bytes(), None)
    except TypeError:
        raise ValueError(f"{key}: the key is encrypted; expected a PEM key without a password") from None
    except ValueError:
        raise ValueError(f"{key}: not a private key; expected PEM (PKCS#8)") from None
    pkcs8 = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    own = Identity(certificate.read_bytes(), pkcs8)
    try:
        _check(own)
        algorithm(own)
    except ValueError as error:
        raise ValueError(f"{certificate}: {error}") from None
    return own


def _check(identity: Identity) -> None:
    """ValueError where the leaf does not fit the key, is an authority, or is out of date."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        leaf = x509.load_pem_x509_certificates(identity.chain)[0]
    except ValueError:
        raise ValueError("not a certificate; expected PEM, leaf first, root last") from None
    if leaf.public_key() != load_pem_private_key(identity.key, None).public_key():
        raise ValueError("the key does not belong to the first certificate; expected leaf first, root last")
    try:
        authority = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        authority = False
    if authority:
        raise ValueError("the first certificate is an authority (CA:TRUE); expected a leaf, which C2PA lets sign")
    now = datetime.now(UTC)
    if not leaf.not_valid_before_utc <= now <= leaf.not_valid_after_utc:
        valid = f"{leaf.not_valid_before_utc:%Y-%m-%d} to {leaf.not_valid_after_utc:%Y-%m-%d}"
        raise ValueError(f"the certificate is valid from {valid}, which today is not")


def _publish(place: Path) -> None:
    """Make an identity in a folder of its own, then rename the folder: of two processes at once, the first one wins."""
    place.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".identity.", dir=place.parent))
    try:
        for name, content in _make().items():
            descriptor = os.open(draft / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        try:
            draft.rename(place)
        except OSError:
            if not place.is_dir():
                raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _make() -> dict[str, bytes]:
    """A fresh root and leaf: file name -> PEM. No name of the person or the machine goes into them."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    root_key, leaf_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    tag = secrets.token_hex(4)
    root = _certificate(f"mien local root {tag}", root_key, None, root_key)
    leaf = _certificate(f"mien local signer {tag}", leaf_key, root, root_key)
    return {
        ROOT: root.public_bytes(Encoding.PEM),
        CHAIN: leaf.public_bytes(Encoding.PEM) + root.public_bytes(Encoding.PEM),
        KEY: leaf_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
    }


def _certificate(
    name: str, key: ec.EllipticCurvePrivateKey, parent: x509.Certificate | None, signer: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    """A root where `parent` is None, else a leaf under it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    is_root = parent is None
    parts = ((NameOID.ORGANIZATION_NAME, "mien"), (NameOID.COMMON_NAME, name))
    subject = x509.Name([x509.NameAttribute(kind, text) for kind, text in parts])
    # A day early: a clock set back a little must not make the first signature invalid.
    start = datetime.now(UTC) - timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject if parent is None else parent.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not is_root,
                key_cert_sign=is_root,
                crl_sign=is_root,
                content_commitment=False,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not is_root:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=True)
    return builder.sign(signer, hashes.SHA256())
