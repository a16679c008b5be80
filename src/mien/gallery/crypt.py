"""Encryption at rest: AES-256-GCM, a fresh nonce each time, every ciphertext bound to the row and column it stands in."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import secrets
from pathlib import Path

KEY_BYTES = 32
NONCE_BYTES = 12  # NIST SP 800-38D, 5.2.1.1: 96 bits are used as they are
ENVIRONMENT = "env:"


class Plain:
    """No encryption: data stands as it is."""

    sealed = False

    def __init__(self, gallery: str):
        self._tag = gallery.encode()

    def seal(self, data: bytes, *where: object) -> bytes:
        """The bytes to store at `where`."""
        return data

    def open(self, data: bytes, *where: object) -> bytes:
        """What was stored at `where`."""
        return bytes(data)

    def tag(self, name: str) -> bytes:
        """(16,) bytes by which a name is found without being read."""
        return hmac.digest(self._tag, name.encode(), "sha256")[:16]


class Sealed:
    """AES-256-GCM and HMAC-SHA-256 with two keys derived from the user's by HKDF (RFC 5869), salted with the gallery's id."""

    sealed = True

    def __init__(self, key: bytes, gallery: str):
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if len(key) != KEY_BYTES:
            raise ValueError(f"a gallery's key has {KEY_BYTES} bytes, this one has {len(key)}")
        self._gallery = gallery
        self._cipher = AESGCM(_derive(key, gallery, b"mien gallery data"))
        self._tag = _derive(key, gallery, b"mien gallery names")

    def seal(self, data: bytes, *where: object) -> bytes:
        """Nonce and ciphertext of `data`, to be opened at `where` only. Nothing stays nothing."""
        if not data:
            return b""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, data, self._place(where))

    def open(self, data: bytes, *where: object) -> bytes:
        """What was sealed at `where`; ValueError where the bytes or their place were changed, or the key is another."""
        from cryptography.exceptions import InvalidTag

        data = bytes(data)
        if not data:
            return b""
        try:
            return self._cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], self._place(where))
        except (InvalidTag, ValueError):
            spot = " ".join(str(part) for part in where)
            raise ValueError(f"{spot}: its ciphertext was changed or moved since it was written; restore the last backup") from None

    def tag(self, name: str) -> bytes:
        """(16,) bytes by which a name is found without being read."""
        return hmac.digest(self._tag, name.encode(), "sha256")[:16]

    def _place(self, where: tuple[object, ...]) -> bytes:
        return "\n".join((self._gallery, *(str(part) for part in where))).encode()


Cipher = Plain | Sealed


def read_key(where: str | Path) -> bytes:
    """(32,) bytes from a file, or from the environment variable after "env:"; 64 hexadecimal digits, base64, or the bare bytes."""
    text = str(where)
    if text.startswith(ENVIRONMENT):
        name = text.removeprefix(ENVIRONMENT)
        if name not in os.environ:
            raise ValueError(f"the environment has no variable {name} to read the gallery's key from")
        raw = os.environ[name].encode()
    else:
        try:
            raw = Path(where).read_bytes()
        except OSError as error:
            raise ValueError(f"{where}: the gallery's key cannot be read ({error.strerror})") from None
    if len(raw) == KEY_BYTES:
        return raw
    for decode in (bytes.fromhex, lambda word: base64.b64decode(word, validate=True)):
        try:
            key = decode(raw.decode("ascii").strip())
        except (ValueError, binascii.Error):
            continue
        if len(key) == KEY_BYTES:
            return key
    raise ValueError(f"{where}: no key of {KEY_BYTES} bytes (64 hexadecimal digits); `openssl rand -hex 32` makes one")


def new_key() -> str:
    """64 hexadecimal digits, for a key file."""
    return secrets.token_hex(KEY_BYTES)


def _derive(key: bytes, salt: str, purpose: bytes) -> bytes:
    """RFC 5869, sections 2.2 and 2.3, for one block of output."""
    extracted = hmac.digest(salt.encode(), key, hashlib.sha256)
    return hmac.digest(extracted, purpose + b"\x01", hashlib.sha256)
