"""Writes the pages of the reference that are made from the program: line shapes, commands, the Python API.

``python docs/generate.py docs/reference`` writes them, each time the documentation is built; so they are always current.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

import mailforensics
from mailforensics import cli
from mailforensics.grammar import grammars
from mailforensics.grammar.shape import Shape
from mailforensics.lesson import solutions
from mailforensics.show import escape

HEAD = "# {}\n\nMade by `make docs`; do not edit. {}\n"


def lines_page() -> str:
    """Every kind of line: what it means, who writes it, an example, and the fields that are read from it."""
    said = "Each kind of line that is understood. `mailforensics.parse_lines` reads one; `case.lines(kind)` gives all of a case."
    parts = [HEAD.format("Line shapes", said)]
    for grammar in grammars():
        names = sorted({program for shape in grammar.shapes for program in shape.programs} - {"*"})
        parts += [f"## {grammar.system}: {', '.join(names[:6]) or grammar.programs}\n", "| kind | what it means | example | fields |",
                  "| --- | --- | --- | --- |"]  # fmt: skip
        parts += [_shape_row(shape) for shape in grammar.shapes]
        parts.append("")
    return "\n".join(parts)


def _shape_row(shape: Shape) -> str:
    since = f" Since {shape.since}." if shape.since else ""
    fields = ", ".join((*shape.groups, *shape.adds))
    cells = (
        f"`{shape.kind}`",
        escape.markdown(shape.means + since),
        _code(shape.example),
        escape.markdown(fields),
    )
    return f"| {' | '.join(cells)} |"


def _code(text: str) -> str:
    """Text as code in a cell of a table, whatever it holds."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    shown = escape.visible(text).replace("|", "\\|")
    return f"{fence} {shown} {fence}" if "`" in text else f"`{shown}`"


def commands_page() -> str:
    """Every command with its help."""
    said = "Exit codes: 0 found, 1 nothing found, 2 wrong use, 3 a fault of mailforensics; `batch` and `verify` tell their own."
    parts = [HEAD.format("Commands", said)]
    for name, command in sorted(cli.main.commands.items()):
        context = click.Context(command, info_name=f"mailforensics {name}", terminal_width=100)
        parts.append(f"## {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n")
    return "\n".join(parts)


def api_page() -> str:
    """Every public name with its signature and what its docstring says, methods included."""
    said = "`import mailforensics as mf` is the front door; each name is loaded when it is used."
    parts = [HEAD.format("Python", said)]
    for name in mailforensics.__all__:
        thing = getattr(mailforensics, name)
        parts += [f"## {name}\n", *_described(thing, name)]
        if inspect.isclass(thing):
            for method, member in vars(thing).items():
                if not method.startswith("_") and (
                    inspect.isfunction(member) or isinstance(member, property)
                ):
                    parts += [f"### {name}.{method}\n", *_described(member, f"{name}.{method}")]
    return "\n".join(parts)


def _described(thing: object, name: str) -> Iterator[str]:
    if inspect.isfunction(thing):
        yield f"```text\n{name}{_signature(thing)}\n```\n"
    elif inspect.ismodule(thing):
        names = [it for it, value in vars(thing).items() if inspect.isfunction(value) and not it.startswith("_")
                 and value.__module__ == thing.__name__]  # fmt: skip
        yield f"A module: {', '.join(f'`{name}.{it}`' for it in sorted(names))}.\n"
    yield f"```text\n{inspect.getdoc(thing) or ''}\n```\n"


def _signature(thing: object) -> str:
    parameters = inspect.signature(thing).parameters.values()  # type: ignore[arg-type]
    return "(" + ", ".join(str(it.replace(annotation=inspect.Parameter.empty)) for it in parameters) + ")"


def solutions_page() -> str:
    """What the lesson's exercises ask for, for whoever teaches it."""
    return f"# Solutions of the lesson\n\nFor teachers: what each exercise of `02_reading_headers` asks for, and why.\n\n{solutions()}\n"


PAGES = {
    "lines.md": lines_page,
    "commands.md": commands_page,
    "api.md": api_page,
    "solutions.md": solutions_page,
}

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for page, make in PAGES.items():
        (folder / page).write_text(make(), encoding="utf-8")
