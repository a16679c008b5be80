"""Signing and reading back: signed, trusted, intact; and every way in which it can be otherwise."""

import errno
import json
import stat
import threading
from concurrent.futures import ProcessPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from multiprocessing import get_context
from pathlib import Path

import av
import c2pa
import numpy as np
import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from PIL import Image

from mien.provenance import identity as identities
from mien.provenance import manifest
from mien.provenance.identity import Identity, algorithm, identity, local_root
from mien.provenance.label import MP4_OPTIONS, aigc_label, aigc_metadata, read_label
from mien.provenance.manifest import COMPOSITE, sign
from mien.tasks.provenance.run import provenance

KINDS = ("jpg", "png", "mp4")


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))


def picture(path: Path, seed: int = 0) -> Path:
    pixels = np.random.default_rng(seed).integers(0, 255, (64, 96, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def video(path: Path, metadata: dict[str, str] | None = None) -> Path:
    with av.open(str(path), "w", options=MP4_OPTIONS) as out:
        out.metadata.update(metadata or {})
        stream = out.add_stream("mpeg4", 10)
        stream.width, stream.height, stream.pix_fmt = 96, 64, "yuv420p"
        for seed in range(5):
            pixels = np.random.default_rng(seed).integers(0, 255, (64, 96, 3), dtype=np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
        out.mux(stream.encode(None))
    return path


def make(folder: Path, kind: str) -> Path:
    path = folder / f"plain.{kind}"
    return video(path) if kind == "mp4" else picture(path)


def signed(source: Path, name: str = "signed", parents: tuple[Path, ...] = (), who: Identity | None = None) -> Path:
    target = source.with_stem(name)
    said = "both agreed"
    sign(source, target, title="A", action="swap", parents=parents, consent=said, model="swap-1", identity=who)
    return target


@pytest.mark.parametrize("kind", KINDS)
def test_a_signed_file_is_trusted_intact_and_says_what_it_is(tmp_path: Path, kind: str) -> None:
    said = provenance(signed(make(tmp_path, kind)))
    assert (said.signed, said.trusted, said.intact, said.changed, said.problems) == (True, True, True, False, [])
    assert said.digital_source_type == COMPOSITE
    assert (said.consent, said.model) == ("both agreed", "swap-1")
    assert said.signer is not None
    assert said.signer.startswith("mien local signer")
    assert said.issuer == said.signer.replace("signer", "root")
    assert said.generator is not None
    assert said.generator.startswith("mien ")
    assert said.time is not None
    assert said.label is not None
    assert (said.label["Label"], said.label["ContentProducer"]) == ("1", "mien")


@pytest.mark.parametrize("kind", KINDS)
def test_signing_leaves_pixels_and_source_alone(tmp_path: Path, kind: str) -> None:
    source = make(tmp_path, kind)
    before = source.read_bytes()
    target = signed(source)
    assert source.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["home", source.name, target.name])
    for one, other in zip(frames(source), frames(target), strict=True):
        np.testing.assert_array_equal(one, other)


def frames(path: Path) -> list[np.ndarray]:
    if path.suffix != ".mp4":
        return [np.asarray(Image.open(path))]
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def pixel_byte(path: Path) -> int:
    """A place inside the coded pixels."""
    data = path.read_bytes()
    mark = {".jpg": b"\xff\xda", ".png": b"IDAT", ".mp4": b"mdat"}[path.suffix]
    # a random key in the credentials before the pixels may hold the two bytes of a JPEG's mark; its pixels never do
    return (data.rfind(mark) if path.suffix == ".jpg" else data.find(mark)) + 40


@pytest.mark.parametrize("kind", KINDS)
def test_one_flipped_pixel_byte_is_a_change(tmp_path: Path, kind: str) -> None:
    path = signed(make(tmp_path, kind))
    data = bytearray(path.read_bytes())
    data[pixel_byte(path)] ^= 1
    path.write_bytes(data)
    said = provenance(path)
    assert (said.signed, said.intact, said.changed) == (True, False, True)
    assert said.problems == ["the content was changed after it was signed"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_changed_label_is_a_change(tmp_path: Path, kind: str) -> None:
    path = signed(make(tmp_path, kind))
    data = path.read_bytes()
    assert data.count(b'"Label":"1"') == 1
    path.write_bytes(data.replace(b'"Label":"1"', b'"Label":"3"'))
    assert provenance(path).changed


def test_a_changed_consent_is_a_change(tmp_path: Path) -> None:
    path = signed(make(tmp_path, "jpg"))
    data = path.read_bytes()
    assert data.count(b"both agreed") == 1
    path.write_bytes(data.replace(b"both agreed", b"none agreed"))
    said = provenance(path)
    assert said.changed
    assert said.problems == ["a statement in the credentials was changed after it was signed"]


@pytest.mark.parametrize("kind", KINDS)
def test_an_unsigned_file_is_an_answer(tmp_path: Path, kind: str) -> None:
    said = provenance(make(tmp_path, kind))
    assert (said.signed, said.intact, said.trusted, said.changed, said.label, said.problems) == (
        False, None, False, False, None, [],
    )
    assert not identities.folder().exists()


def test_a_bitmap_is_unsigned_and_cannot_be_signed(tmp_path: Path) -> None:
    path = picture(tmp_path / "plain.bmp")
    assert not provenance(path).signed
    with pytest.raises(ValueError, match="bmp cannot be signed; expected JPEG, PNG, MP4, MOV"):
        signed(path)


def test_saved_again_the_credentials_are_gone(tmp_path: Path) -> None:
    path = signed(make(tmp_path, "jpg"))
    stripped = tmp_path / "stripped.jpg"
    Image.open(path).convert("RGB").save(stripped)
    assert not provenance(stripped).signed


def test_someone_elses_signature_is_untrusted_until_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "other"))
    path = signed(make(tmp_path, "png"))
    roots = tmp_path / "roots.pem"
    roots.write_bytes(local_root())
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    for _ in range(2):
        said = provenance(path)
        assert (said.signed, said.trusted, said.intact) == (True, False, True)
        assert said.problems == ["the signer is not known here: the certificate leads to none of the trusted roots"]
        identity()
    assert provenance(path, trust=roots).trusted


def test_parents_and_their_credentials_are_kept(tmp_path: Path) -> None:
    edited = signed(picture(tmp_path / "a.jpg"), "edited")
    placed = picture(tmp_path / "placed.png", 1)
    said = provenance(signed(picture(tmp_path / "b.jpg", 2), "out", (edited, placed)))
    assert said.trusted
    assert said.problems == []
    first, second = said.ingredients
    assert (first.title, first.relationship, first.signed) == ("edited.jpg", "parentOf", True)
    assert first.signer == said.signer
    assert (second.title, second.relationship, second.signed) == ("placed.png", "componentOf", False)


def test_signing_over_a_signature_keeps_it_and_the_label(tmp_path: Path) -> None:
    path = signed(make(tmp_path, "png"))
    label = read_label(path)
    sign(path, path, title="again", action="sharpened", consent="", model="")
    said = provenance(path)
    assert (said.trusted, said.intact, said.label) == (True, True, label)
    assert [(entry.title, entry.signed) for entry in said.ingredients] == [("signed.png", True)]


def test_a_changed_parent_is_a_problem_of_the_result(tmp_path: Path) -> None:
    parent = signed(picture(tmp_path / "a.jpg"), "parent")
    data = bytearray(parent.read_bytes())
    data[pixel_byte(parent)] ^= 1
    parent.write_bytes(data)
    out = signed(picture(tmp_path / "b.jpg", 2), "out", (parent,))
    said = provenance(out)
    assert said.intact
    assert said.ingredients[0].signed
    assert said.problems == ["in what it was made from: the content was changed after it was signed"]


def test_a_video_keeps_the_label_its_writer_gave(tmp_path: Path) -> None:
    label = aigc_label("studio", "42")
    path = video(tmp_path / "plain.mp4", aigc_metadata(label))
    said = provenance(signed(path))
    assert (said.label, said.intact) == (label, True)


def test_nothing_goes_over_the_network(tmp_path: Path) -> None:
    """Credentials that only name an address: the address is not asked."""
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        me = identity()
        made = {"actions": [{"action": "c2pa.created", "digitalSourceType": COMPOSITE}]}
        definition = {"title": "remote", "assertions": [{"label": "c2pa.actions.v2", "data": made}]}
        settings = {"verify": {"verify_after_sign": False}}
        builder = c2pa.Builder(json.dumps(definition), c2pa.Context.from_dict(settings))
        builder.set_no_embed()
        builder.set_remote_url(f"http://127.0.0.1:{server.server_port}/manifest")
        path = tmp_path / "remote.jpg"
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(algorithm(me), me.chain, me.key, None))
        with picture(tmp_path / "plain.jpg").open("rb") as source, path.open("w+b") as out:
            builder.sign(signer, "image/jpeg", source, out)
        said = provenance(path)
        signed(path)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert not said.signed
    assert said.problems == ["the credentials are kept elsewhere, and nothing is fetched from the network"]
    assert asked == []


@pytest.mark.parametrize("content", [b"", b"just text\n" * 20, b"\x89PNG"])
def test_neither_picture_nor_video(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "text.jpg"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="neither a picture nor a video"):
        provenance(path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_cut_in_half_is_reported_and_never_signed(tmp_path: Path, kind: str) -> None:
    whole = signed(make(tmp_path, kind)).read_bytes()
    half = tmp_path / f"half.{kind}"
    half.write_bytes(whole[: len(whole) // 2])
    assert provenance(half).intact is not True
    raw = make(tmp_path, kind).read_bytes()
    half.write_bytes(raw[:150])
    with pytest.raises((ValueError, RuntimeError), match=r"half\."):
        signed(half)
    assert not half.with_stem("signed.part").exists()


def test_bad_arguments_are_named(tmp_path: Path) -> None:
    path = make(tmp_path, "jpg")
    with pytest.raises(ValueError, match="no such file"):
        provenance(tmp_path / "none.jpg")
    with pytest.raises(ValueError, match="no certificates"):
        provenance(path, trust=path)
    with pytest.raises(ValueError, match="no such file"):
        signed(path, parents=(tmp_path / "none.jpg",))
    with pytest.raises(ValueError, match=r"ends in \.jpg or \.jpeg"):
        sign(path, tmp_path / "out.png", title="", action="")
    with pytest.raises(ValueError, match="without its key"):
        identity(path, None)
    with pytest.raises(ValueError, match="not a private key"):
        identity(path, path)


def test_a_failed_signature_leaves_the_old_file(tmp_path: Path) -> None:
    path, target = make(tmp_path, "jpg"), picture(tmp_path / "old.jpg", 3)
    before = target.read_bytes()
    with pytest.raises(ValueError, match="no such file"):
        sign(path, target, title="", action="", parents=(tmp_path / "none.jpg",))
    assert target.read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} <= {"plain.jpg", "old.jpg", "home"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_disk_is_an_os_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    def full(file: manifest._Target, data: bytes) -> int:
        file.failure = OSError(errno.ENOSPC, "No space left on device")
        raise file.failure

    path = make(tmp_path, kind)
    monkeypatch.setattr(manifest._Target, "write", full)
    with pytest.raises(OSError, match="No space left"):
        signed(path)
    assert {entry.name for entry in tmp_path.iterdir()} == {path.name, "home"}


def test_the_certificates_are_what_c2pa_wants() -> None:
    me = identity()
    leaf, root = x509.load_pem_x509_certificates(me.chain)
    assert algorithm(me) == "es256"
    leaf.verify_directly_issued_by(root)
    root.verify_directly_issued_by(root)
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage)
    assert usage.critical
    assert usage.value.digital_signature
    extended = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    assert extended.critical
    assert list(extended.value) == [ExtendedKeyUsageOID.EMAIL_PROTECTION]
    issuer_id = leaf.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    assert issuer_id == root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest
    assert b"BEGIN PRIVATE KEY" in me.key
    assert stat.S_IMODE((identities.folder() / "key.pem").stat().st_mode) == 0o600
    assert "PRIVATE" not in repr(me)
    assert identity() == me


def test_an_own_certificate_signs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "other"))
    identity()
    own = identities.folder()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    who = identity(own / "chain.pem", own / "key.pem")
    said = provenance(signed(make(tmp_path, "jpg"), who=who), trust=own / "root.pem")
    assert said.trusted
    assert not identities.folder().exists()
    with pytest.raises(ValueError, match="leaf first"):
        identity(own / "root.pem", own / "key.pem")


def test_a_lost_key_is_named() -> None:
    identity()
    (identities.folder() / "key.pem").unlink()
    with pytest.raises(RuntimeError, match=r"lacks key\.pem"):
        identity()


def test_two_processes_at_once_get_one_identity() -> None:
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        found = list(pool.map(_chain, range(4)))
    assert set(found) == {identity().chain}
    assert [path.name for path in identities.folder().parent.iterdir()] == ["identity"]


def _chain(_: int) -> bytes:
    return identity().chain


def test_the_loser_of_a_race_takes_the_winners_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    made = identities._make

    def slow() -> dict[str, bytes]:
        monkeypatch.setattr(identities, "_make", made)
        identity()
        return made()

    monkeypatch.setattr(identities, "_make", slow)
    late = identity()
    assert late == identity()
    assert [path.name for path in identities.folder().parent.iterdir()] == ["identity"]
