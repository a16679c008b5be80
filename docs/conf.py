"""Sphinx: the guides (Markdown) and the lessons (a gallery), built offline into docs/_build by `make docs`."""

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent))
import gallery
from mien import __version__
from mien.tasks.lesson.catalog import folder, lessons

project, author, release = "mien", "the authors of mien", __version__
extensions = ["myst_parser", "sphinx_gallery.gen_gallery"]
exclude_patterns = ["_build"]
myst_heading_anchors = 3
suppress_warnings = [
    "myst.xref_missing",  # the guides also link to files that are no pages, as GitHub shows them
    "myst.header",  # cli.md is made by cyclopts, which leaves out levels
    "config.cache",  # the gallery's settings hold functions
]

html_theme = "alabaster"
html_theme_options = {
    "description": "Deep learning on faces and images",
    "page_width": "1320px",
    "code_font_size": "0.72em",
    "body_max_width": "auto",
    "show_powered_by": False,
}
html_show_copyright = False
html_css_files = ["gallery.css"]
html_sidebars = {"**": ["about.html", "navigation.html", "searchbox.html"]}
html_static_path = ["gallery.css"]

ready = [lesson.name for lesson in lessons() if not gallery.missing(lesson)]
sphinx_gallery_conf = {
    "examples_dirs": [str(folder())],
    "gallery_dirs": ["lessons"],
    "filename_pattern": rf"[/\\]({'|'.join(map(re.escape, ready))})\.py$",
    "within_subsection_order": gallery.Order,
    "image_scrapers": ("matplotlib", gallery.frames, gallery.numbers),
    "thumbnail_size": (640, 320),
    "reset_modules": ("matplotlib", gallery.look),
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
    "remove_config_comments": True,
    "capture_repr": (),
}


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", gallery.prepare)
