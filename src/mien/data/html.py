"""Pages that stand alone: one HTML file with its pictures inside, that fetches nothing and runs nothing but what its policy names."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path

from mien.data.files import atomic

POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""Even if a text from a file were not escaped, a browser would run and fetch nothing."""
COMMON = Path(__file__).with_name("page.css")
"""What all pages look like."""
KINDS = {b"\x89PNG": "png", b"GIF8": "gif", b"\xff\xd8\xff": "jpeg"}


def write_html(path: Path, title: str, style: Path, body: Iterable[str], script: str = "") -> None:
    """Write a page; `style` is the CSS it has beside `COMMON`, `title` plain text, `body` HTML that is escaped already.

    `script`: ours, run at the end of the page; the policy allows it by its hash and no other.
    """
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = f"{POLICY}; script-src 'sha256-{digest}'" if script else POLICY
    head = (f"<meta charset='utf-8'><meta http-equiv='Content-Security-Policy' content=\"{policy}\">"
            "<meta name='viewport' content='width=device-width'>"
            f"<title>{escape(title)}</title><style>{COMMON.read_text('utf-8')}{style.read_text('utf-8')}</style>")  # fmt: skip
    end = f"<script>{script}</script>" if script else ""
    lines = ["<!doctype html>", f"<html lang='en'><head>{head}</head>", "<body><main>", *body, f"</main>{end}</body></html>", ""]
    with atomic(path) as draft:
        draft.write_text("\n".join(lines), encoding="utf-8")


def image(data: bytes, alt: str, width: int | None = None) -> str:
    """An `img` with an encoded PNG, GIF or JPEG inside; `width` in CSS pixels."""
    kind = next(kind for magic, kind in KINDS.items() if data.startswith(magic))
    size = f" width='{width}'" if width else ""
    return f"<img alt='{escape(alt, quote=True)}'{size} src='data:image/{kind};base64,{base64.b64encode(data).decode()}'>"


def figure(data: bytes, caption: str) -> str:
    """A picture over its caption."""
    return f"<figure>{image(data, caption)}<figcaption>{escape(caption)}</figcaption></figure>"


def section(title: str, about: str, *body: str) -> str:
    """A heading, a paragraph of plain text, and HTML."""
    words = f"<p>{escape(about)}</p>" if about else ""
    return f"<section><h2>{escape(title)}</h2>{words}{''.join(body)}</section>"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], words: int) -> str:
    """Plain texts as a table, nothing where there is no row; `words`: columns, from the left, that hold words and not numbers."""
    rows = list(rows)
    if not rows:
        return ""

    def line(tag: str, cells: Sequence[str]) -> str:
        kinds = ["" if place < words else " class='n'" for place in range(len(cells))]
        lines = ["<br>".join(escape(part) for part in cell.split("\n")) for cell in cells]
        return f"<tr>{''.join(f'<{tag}{kind}>{text}</{tag}>' for kind, text in zip(kinds, lines, strict=True))}</tr>"

    heading = line("th", head) if any(head) else ""
    return f"<div class='scroll'><table>{heading}{''.join(line('td', row) for row in rows)}</table></div>"
