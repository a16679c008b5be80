"""The page: one HTML file with every picture in it, light and dark, in English and Chinese."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from pathlib import Path

from mien.data.files import atomic
from mien.tasks.explain import words
from mien.tasks.explain.study import Figure, Group, Section, Study
from mien.tasks.explain.subject import Text

STYLE = """
:root { color-scheme: light dark; --paper: #fbfbf9; --ink: #1c1c1e; --faint: #6e6e73; --line: #dcdcd8; --card: #ffffff; --bar: #3b6fd4; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #161618; --ink: #ececee; --faint: #98989f; --line: #34343a; --card: #1f1f23; --bar: #6d9cf5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif; }
main { max-width: 1000px; margin: 0 auto; padding: 28px 20px 80px; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; } h2 { font-size: 23px; margin: 52px 0 6px; } h2 span, h4 span, h1 span { font-weight: 400; color: var(--faint); }
h3 { font: 600 14px/1.4 ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace; color: var(--faint); margin: 26px 0 8px; overflow-wrap: anywhere; }
h4 { font-size: 17px; margin: 10px 0 2px; }
p { margin: 0 0 6px; max-width: 76ch; } p:lang(zh) { color: var(--faint); font-size: 15px; }
nav { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 14px 0 0; font-size: 14px; } nav a { color: var(--bar); text-decoration: none; }
.top { display: flex; gap: 28px; flex-wrap: wrap; align-items: flex-start; margin-top: 22px; }
.top img { width: 240px; border-radius: 8px; } .top .said { flex: 1 1 340px; min-width: 0; }
.answer { display: grid; grid-template-columns: minmax(0, 1fr) 64px; gap: 12px; align-items: baseline; padding: 5px 0; border-bottom: 1px solid var(--line); }
.answer b { font-weight: 500; overflow-wrap: anywhere; } .answer i { font-style: normal; text-align: right; font-variant-numeric: tabular-nums; }
.answer u { grid-column: 1 / 3; height: 4px; border-radius: 2px; background: var(--bar); text-decoration: none; }
.warn { background: #ffcf4d; color: #222; padding: 8px 14px; border-radius: 8px; margin-top: 16px; }
.figures img { background: rgb(128 128 128 / 40%); }
.figures { display: flex; flex-wrap: wrap; gap: 20px 24px; margin-top: 10px; }
figure { margin: 0; max-width: 100%; } figure img { max-width: 100%; height: auto; display: block; }
figcaption { font-size: 14px; color: var(--faint); margin-top: 5px; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(440px, 1fr)); gap: 26px; margin-top: 16px; }
@media (max-width: 520px) { .cards { grid-template-columns: 1fr; } }
.cards figure { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 12px 12px 8px; }
.cards img { width: 100%; } .cards p { font-size: 14.5px; } .cards p:lang(zh) { font-size: 14px; }
.legend { list-style: none; padding: 0; margin: 8px 0 0; display: flex; flex-wrap: wrap; gap: 2px 22px; font-size: 14px; }
.legend s { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 7px; }
details { margin-top: 10px; } summary { cursor: pointer; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; margin-top: 8px; } td, th { text-align: left; padding: 3px 22px 3px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
footer { margin-top: 60px; color: var(--faint); font-size: 13px; }
"""


def write_page(path: Path, study: Study, sections: Sequence[Section], seen: Path, drawn: Path | None, files: dict[str, Path], foot: str) -> None:
    """Write the page; `files` are the PNG of the figures by name, `seen` and `drawn` the picture and what the network made of it."""
    body = [_head(study, seen, drawn, sections)]
    body += [_section(i, one, files) for i, one in enumerate(sections)]
    body += [_layers(study), f"<footer>{escape(foot)}</footer>"]
    title = f"{escape(study.subject.name)} · mien explain"
    page = (f"<!doctype html>\n<html lang='en'><head><meta charset='utf-8'><meta name='viewport' content='width=device-width'>"
            f"<title>{title}</title><style>{STYLE}</style></head>\n<body><main>\n" + "\n".join(body) + "\n</main></body></html>\n")
    with atomic(path) as draft:
        draft.write_text(page, encoding="utf-8")


def _image(file: Path, alt: str, width: int | None = None) -> str:
    data = base64.b64encode(file.read_bytes()).decode()
    size = f" width='{width}'" if width else ""
    return f"<img alt='{escape(alt, quote=True)}'{size} src='data:image/png;base64,{data}'>"


def _both(text: Text) -> str:
    return f"<p>{escape(text.en)}</p><p lang='zh'>{escape(text.zh)}</p>"


def _title(text: Text) -> str:
    return f"{escape(text.en)} <span lang='zh'>{escape(text.zh)}</span>" if text.zh else escape(text.en)


def _head(study: Study, seen: Path, drawn: Path | None, sections: Sequence[Section]) -> str:
    subject = study.subject
    chances = bool(subject.classes)
    rows = "".join(f"<div class='answer'><b>{escape(name)}</b><i>{f'{value:.1%}' if chances else f'{value:.3f}'}</i>"
                   + (f"<u style='width:{max(value, 0.004):.1%}'></u>" if chances else "") + "</div>" for name, value in subject.answers)
    warn = "" if subject.trained else f"<div class='warn'>{_title(words.UNTRAINED)}</div>"
    links = "".join(f"<a href='#s{i}'>{escape(one.title.en)} {escape(one.title.zh)}</a>" for i, one in enumerate(sections))
    asked = Text(f"Explained below: {study.asked.en}.", f"下面解释的是:{study.asked.zh}。")
    return (f"<h1>{escape(subject.name)}</h1>{_both(subject.what)}{warn}<nav>{links}<a href='#layers'>{_title(words.LAYERS)}</a></nav>"
            f"<div class='top'><figure>{_image(seen, 'input')}<figcaption>{_title(words.SEEN)} · "
            f"{' x '.join(map(str, subject.x.shape[1:]))}</figcaption></figure>"
            f"{_drawn(drawn)}<div class='said'><h4>{_title(words.ANSWER)}</h4>{rows}<br>{_both(asked)}</div></div>")


def _drawn(file: Path | None) -> str:
    return f"<figure>{_image(file, 'output')}<figcaption>{_title(words.DRAWN)}</figcaption></figure>" if file else ""


def _section(number: int, section: Section, files: dict[str, Path]) -> str:
    groups = "".join(_group(group, files) for group in section.groups)
    return f"<section id='s{number}'><h2>{_title(section.title)}</h2>{_both(section.about)}{groups}</section>"


def _group(group: Group, files: dict[str, Path]) -> str:
    kind = "cards" if any(figure.about for figure in group.figures) else "figures"
    heading = f"<h3>{escape(group.heading)}</h3>" if group.heading else ""
    return f"{heading}<div class='{kind}'>{''.join(_figure(figure, files[figure.name]) for figure in group.figures)}</div>"


def _figure(figure: Figure, file: Path) -> str:
    image = _image(file, figure.title.en, figure.picture.shape[1])
    if figure.about:
        return f"<figure>{image}<h4>{_title(figure.title)}</h4>{_both(figure.about)}</figure>"
    legend = "".join(f"<li><s style='background:rgb{colour}'></s>{escape(line)}</li>" for colour, line in figure.legend)
    return f"<figure>{image}<figcaption>{_title(figure.title)}</figcaption>{f'<ul class=legend>{legend}</ul>' if legend else ''}</figure>"


def _layers(study: Study) -> str:
    head = ("<tr><th>layer 层</th><th>kind 类型</th><th>output 输出</th><th class='n'>receptive field 感受野</th>"
            "<th class='n'>stride 步幅</th></tr>")
    rows = []
    for layer in study.found:
        field = study.fields.get(layer.name)
        size, stride = (field.field[0], f"{field.stride[0]:g}") if field and field.is_map else ("", "")
        rows.append(f"<tr><td>{escape(layer.name)}</td><td>{escape(layer.kind)}</td><td>{' x '.join(map(str, layer.shape))}</td>"
                    f"<td class='n'>{size}</td><td class='n'>{stride}</td></tr>")
    return (f"<section id='layers'><h2>{_title(words.LAYERS)}</h2>{_both(words.LAYERS_ABOUT)}<details><summary>{len(rows)} layers 层</summary>"
            f"<div class='scroll'><table>{head}{''.join(rows)}</table></div></details></section>")
