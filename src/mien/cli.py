"""The command line: a loop over the tasks that names none of them.

Every `tasks/<task>/run.py` lists its verbs in `COMMANDS`; the signature gives the options, the docstring the help, the
result dataclass the output. stdout carries the result alone: a summary, or with `--json` one JSON object. Exit codes:
0 done, 1 failed, 2 bad usage or bad input, 130 stopped by Ctrl-C; a failure is one line on stderr (MIEN_DEBUG=1: and
the traceback). A task is imported when one of its commands is asked for, so help and version cost nothing.
"""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import errno
import importlib
import importlib.util
import json
import math
import os
import pkgutil
import sys
import textwrap
import traceback
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from cyclopts import App, CycloptsError

from mien import __version__

SUMMARY = "Deep learning on faces and images. Everything synthetic is signed."
EPILOGUE = "Every command takes --json: one JSON object on stdout; progress and messages go to stderr."


class Verb(NamedTuple):
    """One command."""

    words: tuple[str, ...]
    """As typed after `mien`: the verb, or its group and the verb."""
    target: str
    """Where the function is: `package.task.run:function`."""
    help: str
    """Its docstring."""
    group_help: str
    """The first line of run.py's docstring."""


def verbs(package: str = "mien.tasks") -> Iterator[Verb]:
    """Every command of every task in `package`, by the tasks' names; read from the source, not imported.

    A task with `TOP_LEVEL = True`, or whose only command has the task's own name, needs no group word. Among several, the
    one with the task's own name is what the group does when no other command is named: `mien classify PHOTO`.
    """
    for task in pkgutil.iter_modules(importlib.import_module(package).__path__):
        name = f"{package}.{task.name}.run"
        spec = importlib.util.find_spec(name) if task.ispkg else None
        if spec is None or spec.origin is None:
            continue
        tree = ast.parse(Path(spec.origin).read_bytes())
        group_help = (ast.get_docstring(tree) or "").partition("\n")[0]
        commands = [item.id for item in getattr(_assigned(tree, "COMMANDS"), "elts", []) if isinstance(item, ast.Name)]
        assert commands, f"{spec.origin}: COMMANDS must be a plain tuple of functions"
        docs = {node.name: ast.get_docstring(node) for node in tree.body if isinstance(node, ast.FunctionDef)}
        top = commands == [task.name] or getattr(_assigned(tree, "TOP_LEVEL"), "value", False)
        for function in commands:
            # What run.py took from another file has its docstring there: that costs an import.
            doc = docs[function] if function in docs else getattr(importlib.import_module(name), function).__doc__
            words = (_dashed(function),) if top or function == task.name else (_dashed(task.name), _dashed(function))
            yield Verb(words, f"{name}:{function}", doc or "", group_help)


def build(package: str = "mien.tasks") -> App:
    """The cyclopts application over every task in `package`; a task is imported when one of its commands is used."""
    app = App(name="mien", help=SUMMARY, help_epilogue=EPILOGUE, version=__version__, help_format="plaintext")
    there = list(verbs(package))
    groups = {verb.words[0]: App(name=verb.words[0], help=verb.group_help) for verb in there if len(verb.words) > 1}
    for group in groups.values():
        app.command(group)
    for verb in there:
        *group, name = verb.words
        if name in groups:  # cyclopts takes no lazy default: this imports run.py, which imports nothing heavy
            module, function = verb.target.split(":")
            groups[name].default(getattr(importlib.import_module(module), function))
        else:
            (groups[group[0]] if group else app).command(verb.target, name=name, help=verb.help)
    return app


def main(tokens: Iterable[str] | None = None, package: str = "mien.tasks") -> int:
    """Run one command line (default: the program's own) and return its exit code."""
    words = list(sys.argv[1:] if tokens is None else tokens)
    end = words.index("--") if "--" in words else len(words)
    as_json = "--json" in words[:end]
    words = [word for word in words[:end] if word != "--json"] + words[end:]
    try:
        app = build(package)
        command, bound, _ = app.parse_args(words, print_error=False, exit_on_error=False)
        if command.__module__.partition(".")[0] == "cyclopts":  # its own --help and --version print by themselves
            # rich turns a reader that has gone into SystemExit.
            with _reader_may_leave(), contextlib.suppress(SystemExit):
                command(*bound.args, **bound.kwargs)
            return 0
        # A library that prints must not spoil the result: whatever it writes goes to stderr.
        with contextlib.redirect_stdout(sys.stderr):
            result = command(*bound.args, **bound.kwargs)
        if os.environ.get("RANK", "0") == "0":  # of several processes (torchrun) one speaks
            _write(json_text(result) if as_json else human_text(result))
    except (Exception, KeyboardInterrupt) as error:
        return _failed(error, as_json)
    return 0


def json_text(result: object) -> str:
    """One JSON object for a verb's result; what is neither a dataclass nor a mapping stands under "result"."""
    value = plain(result)
    if value is None:
        value = {}
    return json.dumps(value if isinstance(value, dict) else {"result": value}, ensure_ascii=False, allow_nan=False)


def plain(value: Any) -> Any:
    """Only what JSON knows: dataclasses become objects, tuples and arrays lists, paths strings, NaN null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | bool | int):
        return value
    if dataclasses.is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return str(value)


def human_text(result: Any, indent: str = "") -> str:
    """A summary to read: the result's own `__str__`, else `name: value` lines; lists of results as tables."""
    if result is None:
        return ""
    if type(result).__str__ is not object.__str__:
        return textwrap.indent(_cell(result), indent)
    if dataclasses.is_dataclass(result):
        items = {field.name: getattr(result, field.name) for field in dataclasses.fields(result)}
    elif isinstance(result, Mapping):
        items = dict(result)
    else:
        return indent + _cell(result)
    lines = []
    for name, value in items.items():
        label = f"{indent}{str(name).replace('_', ' ')}:"
        if _rows(value):
            lines += [label, _table(value, indent + "  ")]
        elif (dataclasses.is_dataclass(value) or isinstance(value, Mapping)) and value:
            lines += [label, human_text(value, indent + "  ")]
        else:
            lines.append(f"{label} {_cell(value)}".rstrip())
    return "\n".join(lines)


def _rows(value: object) -> bool:
    """Whether `value` is a non-empty list of one kind of dataclass: a table."""
    if not isinstance(value, list | tuple) or len({type(row) for row in value}) != 1:
        return False
    return dataclasses.is_dataclass(value[0]) and type(value[0]).__str__ is object.__str__


def _table(rows: Iterable[Any], indent: str) -> str:
    """Aligned columns under the fields' names."""
    rows = list(rows)
    names = [field.name for field in dataclasses.fields(rows[0])]
    cells = [[name.replace("_", " ") for name in names]]
    cells += [[_cell(getattr(row, name)) for name in names] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(names))]
    padded = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)
    return "\n".join(indent + line for line in padded)


def _cell(value: Any) -> str:
    """One value on one line; a large array only by its shape."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4g}"
    if getattr(value, "ndim", 0) and value.size > 8:
        return f"array {tuple(value.shape)}"
    if isinstance(value, list | tuple | set):
        return ", ".join(_cell(item) for item in value)
    return str(value)


def _assigned(tree: ast.Module, name: str) -> ast.expr | None:
    """What `tree` assigns to `name`, annotated or not."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=found)], value=value) if found == name:
                return value
            case ast.AnnAssign(target=ast.Name(id=found), value=value) if found == name:
                return value
    return None


def _dashed(name: str) -> str:
    return name.strip("_").replace("_", "-")


@contextlib.contextmanager
def _reader_may_leave() -> Iterator[None]:
    """A reader of stdout that has gone (`| head`) is no failure of ours."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # The interpreter flushes stdout once more at exit: give it a place that takes everything.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _write(text: str) -> None:
    if text:
        with _reader_may_leave():
            print(text)


def _failed(error: BaseException, as_json: bool) -> int:
    """Say what was wrong in one line and return the exit code."""
    if os.environ.get("MIEN_DEBUG") == "1":
        traceback.print_exception(error)
    line, code = _verdict(error)
    with contextlib.suppress(OSError):
        print(f"mien: {line}", file=sys.stderr, flush=True)
    if as_json:
        _write(json.dumps({"error": line}, ensure_ascii=False))
    return code


def _verdict(error: BaseException) -> tuple[str, int]:
    """The line and the exit code for `error`."""
    said = " ".join(str(error).split())
    match error:
        case KeyboardInterrupt():
            return said or "stopped", 130
        case CycloptsError() | ValueError():
            return said or type(error).__name__, 2
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            where = f" while writing {error.filename}" if error.filename else ""
            return f"the disk is full{where}: free some space and start again", 1
        case OSError(strerror=str(reason), filename=str(name)):
            return f"{reason}: {name}", 1
        case MemoryError():
            return f"out of memory{f': {said}' if said else ''}; use a smaller batch or picture", 1
        case OSError() | RuntimeError():
            return said or type(error).__name__, 1
    return f"unexpected {type(error).__name__}: {said} (MIEN_DEBUG=1 shows where)", 1


if __name__ == "__main__":
    sys.exit(main())
