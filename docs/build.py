"""Write docs/cli.md: every command with its parameters and defaults, from signatures and docstrings. Run: make docs."""

from __future__ import annotations

import sys
from pathlib import Path

from mien.cli import EPILOGUE, build
from mien.data.files import atomic

TARGET = Path(__file__).with_name("cli.md")
NOTE = "<!-- Written by docs/build.py (make docs); change the docstrings in src/mien/tasks instead. -->\n\n"


def page() -> str:
    """The page as Markdown."""
    return NOTE + build().generate_docs(output_format="markdown").strip() + f"\n\n{EPILOGUE}\n"


if __name__ == "__main__":
    with atomic(TARGET) as draft:
        draft.write_text(page(), encoding="utf-8")
    print(TARGET, file=sys.stderr)
