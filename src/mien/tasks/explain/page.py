"""The page: one HTML file with every picture in it, light and dark, in English and Chinese."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from mien.data import html
from mien.tasks.explain import words
from mien.tasks.explain.study import Figure, Group, Section, Study
from mien.tasks.explain.subject import Text

STYLE = Path(__file__).with_name("page.css")


def write_page(path: Path, study: Study, sections: Sequence[Section], seen: Path, drawn: Path | None, files: dict[str, Path],
               foot: str) -> None:
    """Write the page; `files` are the PNG of the figures by name, `seen` and `drawn` the picture and what the network made of it."""
    body = [_head(study, seen, drawn, sections)]
    body += [part(i, one, files) for i, one in enumerate(sections)]
    body += [_layers(study), f"<footer>{escape(foot)}</footer>"]
    html.write_html(path, f"{study.subject.name} · mien explain", STYLE, body)


def _image(file: Path, alt: str, width: int | None = None) -> str:
    return html.image(file.read_bytes(), alt, width)


def both(text: Text) -> str:
    """A paragraph in each language."""
    return f"<p>{escape(text.en)}</p><p lang='zh'>{escape(text.zh)}</p>"


def title(text: Text) -> str:
    """Both languages in one line."""
    return f"{escape(text.en)} <span lang='zh'>{escape(text.zh)}</span>" if text.zh else escape(text.en)


def _head(study: Study, seen: Path, drawn: Path | None, sections: Sequence[Section]) -> str:
    subject = study.subject
    chances = bool(subject.classes)
    rows = "".join(f"<div class='answer'><b>{escape(name)}</b><i>{f'{value:.1%}' if chances else f'{value:.3f}'}</i>"
                   + (f"<u style='width:{max(value, 0.004):.1%}'></u>" if chances else "") + "</div>"
                   for name, value in subject.answers)  # fmt: skip
    warn = "" if subject.trained else f"<div class='warn'>{title(words.UNTRAINED)}</div>"
    links = "".join(f"<a href='#s{i}'>{escape(one.title.en)} {escape(one.title.zh)}</a>" for i, one in enumerate(sections))
    asked = Text(f"Explained below: {study.asked.en}.", f"下面解释的是:{study.asked.zh}。")
    return (f"<h1>{escape(subject.name)}</h1>{both(subject.what)}{warn}<nav>{links}<a href='#layers'>{title(words.LAYERS)}</a></nav>"
            f"<div class='top'><figure>{_image(seen, 'input')}<figcaption>{title(words.SEEN)} · "
            f"{' x '.join(map(str, subject.x.shape[1:]))}</figcaption></figure>"
            f"{_drawn(drawn)}<div class='said'><h4>{title(words.ANSWER)}</h4>{rows}<br>{both(asked)}</div></div>")


def _drawn(file: Path | None) -> str:
    return f"<figure>{_image(file, 'output')}<figcaption>{title(words.DRAWN)}</figcaption></figure>" if file else ""


def part(number: int, section: Section, files: dict[str, Path]) -> str:
    """A section, with the address `#sNUMBER`."""
    groups = "".join(_group(group, files) for group in section.groups)
    return f"<section id='s{number}'><h2>{title(section.title)}</h2>{both(section.about)}{groups}</section>"


def _group(group: Group, files: dict[str, Path]) -> str:
    kind = "cards" if any(figure.about for figure in group.figures) else "figures"
    heading = f"<h3>{escape(group.heading)}</h3>" if group.heading else ""
    return f"{heading}<div class='{kind}'>{''.join(_figure(figure, files[figure.name]) for figure in group.figures)}</div>"


def _figure(figure: Figure, file: Path) -> str:
    image = _image(file, figure.title.en, figure.picture.shape[1])
    if figure.about:
        return f"<figure>{image}<h4>{title(figure.title)}</h4>{both(figure.about)}</figure>"
    legend = "".join(f"<li><s style='background:rgb{colour}'></s>{escape(line)}</li>" for colour, line in figure.legend)
    legend = f"<ul class='legend'>{legend}</ul>" if legend else ""
    return f"<figure>{image}<figcaption>{title(figure.title)}</figcaption>{legend}</figure>"


def _layers(study: Study) -> str:
    head = ("<tr><th>layer 层</th><th>kind 类型</th><th>output 输出</th><th class='n'>receptive field 感受野</th>"
            "<th class='n'>stride 步幅</th></tr>")
    rows = []
    for layer in study.found:
        field = study.fields.get(layer.name)
        size, stride = (field.field[0], f"{field.stride[0]:g}") if field and field.is_map else ("", "")
        rows.append(f"<tr><td>{escape(layer.name)}</td><td>{escape(layer.kind)}</td><td>{' x '.join(map(str, layer.shape))}</td>"
                    f"<td class='n'>{size}</td><td class='n'>{stride}</td></tr>")
    return (f"<section id='layers'><h2>{title(words.LAYERS)}</h2>{both(words.LAYERS_ABOUT)}"
            f"<details><summary>{len(rows)} layers 层</summary>"
            f"<div class='scroll'><table>{head}{''.join(rows)}</table></div></details></section>")
