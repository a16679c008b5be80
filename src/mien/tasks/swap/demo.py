"""The demonstration: two public-domain portraits, compared, swapped at once and by a trained model, signed, verified, on one page."""

from __future__ import annotations

import html
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from mien.data.files import atomic
from mien.data.pictures import read_picture, write_picture
from mien.faces.blend import Blend
from mien.faces.describe import SAME_PERSON, Describer
from mien.faces.find import find
from mien.models.swap_model import load_model
from mien.progress import say
from mien.provenance.manifest import sign
from mien.provenance.report import Provenance, verify
from mien.provenance.visible import mark
from mien.tasks.swap.conversion import Conversion, convert
from mien.tasks.swap.quick.asking import asked
from mien.tasks.swap.quick.swapping import Meant
from mien.tasks.swap.run import Demonstrated
from mien.tasks.swap.session import Wanted, learn

PORTRAITS = {
    "hopper": ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg", "Grace Hopper",
               "U.S. Navy, public domain; ships with matplotlib"),
    "collins": ("skimage", "data/astronaut.png", "Eileen Collins", "NASA, public domain; ships with scikit-image"),
}
PAIRS = (("hopper", "collins"), ("collins", "hopper"))
CONSENT = "public-domain portraits, used to show the method"


@dataclass(frozen=True)
class Shown:
    """A picture of the page."""

    file: Path
    title: str
    note: str


def portrait(key: str) -> Path:
    """The file inside its package, which is looked for but not imported; ValueError says what to install."""
    package, inside, title, _ = PORTRAITS[key]
    spec = find_spec(package)
    path = Path(spec.origin).parent / inside if spec and spec.origin else None
    if path is None or not path.is_file():
        raise ValueError(f"{title}'s portrait is not here: pip install 'mien[demo]' (it ships with {package})")
    return path


def demonstrate(out: Path, minutes: float) -> Demonstrated:
    """`mien swap demo`."""
    began = time.monotonic()
    out.mkdir(parents=True, exist_ok=True)
    sources = {key: portrait(key) for key in PORTRAITS}
    images = {key: read_picture(path) for key, path in sources.items()}
    say("1/5 finding and comparing the two faces")
    distance = compare(list(images.values()))
    shown = []
    for key, image in images.items():
        write_picture(out / f"{key}.jpg", closer(image, image))
        shown.append(Shown(out / f"{key}.jpg", PORTRAITS[key][2], PORTRAITS[key][3]))
    say("2/5 swapping both ways from one photo, with nothing trained")
    at_once, since = [], time.monotonic()
    for source, target in PAIRS:
        file = out / f"{source}_with_{target}s_face_at_once.jpg"
        asked(sources[target], sources[source], file, Meant(), _wanted(target), CONSENT, None, "photo")
        at_once.append(_closer(file, images[source], source, target, "at once: bent, decided pixel by pixel, blended"))
    quick = time.monotonic() - since
    say(f"3/5 adapting the pretrained base to one photo each ({minutes:g} minutes)")
    model = out / "model"
    trained = learn([f"{key}={path}" for key, path in sources.items()], model,
                    Wanted(minutes, consent=CONSENT))
    say("4/5 swapping both ways by the trained model")
    loaded = load_model(model)
    results = []
    for source, target in PAIRS:
        file = out / f"{source}_with_{target}s_face.jpg"
        convert(loaded, sources[source], file, _wanted(target))
        results.append(_closer(file, images[source], source, target, f"drawn by a decoder trained for {minutes:g} minutes"))
    say("5/5 verifying the signatures")
    reports = [verify(r.file) for r in (*at_once, *results)]
    seconds = time.monotonic() - began
    page = out / "index.html"
    facts = [f"same person? no: distance {distance:.2f}, the same person is below {SAME_PERSON}" if distance >= SAME_PERSON else
             f"same person? distance {distance:.2f} is below {SAME_PERSON}",
             f"from one photo, nothing trained: {quick:.1f} s for both",
             f"{trained.steps} training steps in {trained.seconds:.0f} s, {trained.faces_per_second:.0f} faces a second",
             f"SSIM inside the face, own photo restored: {trained.score:.2f}", f"{seconds:.0f} s in all"]
    _page(page, [shown, at_once, results], reports, facts)
    signed = all(r.signed and r.intact and r.trusted for r in reports)
    return Demonstrated(page, distance < SAME_PERSON, round(distance, 3), trained.seconds, round(seconds, 1), signed)


def _wanted(target: str) -> Conversion:
    return Conversion(target, True, SAME_PERSON, "", Blend(), 1.0, True, "auto", "auto", None)


def _closer(file: Path, before: np.ndarray, source: str, target: str, note: str) -> Shown:
    """A result's face near by, marked and signed as well."""
    near = file.with_name(f"{file.stem}_closer.jpg")
    with atomic(near) as draft:
        write_picture(draft, mark(closer(read_picture(file), before)))
        sign(draft, draft, title=near.name, action="cropped", parents=[file], consent=CONSENT)
    return Shown(near, f"{PORTRAITS[source][2]} with the face of {PORTRAITS[target][2]}", note)


def closer(image: np.ndarray, where: np.ndarray) -> np.ndarray:
    """The part of `image` around the largest face of `where`, two and a half faces wide."""
    x1, y1, x2, y2 = find(where)[0].box
    half = 1.25 * max(x2 - x1, y2 - y1)
    x, y = (x1 + x2) / 2, (y1 + y2) / 2
    left, top = max(round(x - half), 0), max(round(y - half), 0)
    return np.ascontiguousarray(image[top : round(y + half), left : round(x + half)])


def compare(images: list[np.ndarray]) -> float:
    """Embedding distance of the largest faces."""
    describer = Describer()
    vectors = [describer(image, find(image)[0].landmarks[None])[0] for image in images]
    return float(np.linalg.norm(vectors[0] - vectors[1]))


def _figure(shown: Shown) -> str:
    return (f'<figure><img src="{html.escape(shown.file.name)}" alt="{html.escape(shown.title)}">'
            f"<figcaption><b>{html.escape(shown.title)}</b><br>{html.escape(shown.note)}</figcaption></figure>")


def _page(page: Path, rows: list[list[Shown]], reports: list[Provenance], facts: list[str]) -> None:
    """One file beside its pictures; no script, nothing loaded from elsewhere."""
    seals = "".join(f"<li><b>{html.escape(r.file.name)}</b>: signed by {html.escape(str(p.signer))}, "
                    f"{'trusted on this machine' if p.trusted else 'not trusted'}, "
                    f"{'unchanged' if p.intact else 'changed'} since</li>"
                    for r, p in zip([r for row in rows[1:] for r in row], reports, strict=True))
    figures = "".join(f'<div class="row">{"".join(map(_figure, row))}</div>' for row in rows)
    body = f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>mien: a signed face swap</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:1100px;margin:2rem auto;padding:0 1rem;color:#222;background:#fafafa}}
.row{{display:grid;grid-template-columns:1fr 1fr;gap:1rem;margin:1rem 0}}figure{{margin:0}}
img{{width:100%;border-radius:8px}}
figcaption{{font-size:.9rem;color:#555;margin-top:.3rem}}</style>
<h1>Two portraits, swapped and signed</h1>
<p>First from one photo, with nothing trained; then by decoders that saw one photo of one person. All are marked and signed.</p>
{figures}
<h2>Figures</h2><ul>{"".join(f"<li>{html.escape(f)}</li>" for f in facts)}</ul>
<h2>Content Credentials</h2><ul>{seals}</ul>
<p>One photo teaches a decoder no new expressions: for a good one give a clip or some hundred photos, and ten minutes.</p></html>
"""
    with atomic(page) as draft:
        draft.write_text(body, encoding="utf-8")
