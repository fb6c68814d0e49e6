"""What a section of a report consists of, before it is laid out: the same blocks become HTML and Markdown.

    Says("Half of the deliveries took less than 0.4 s.")
    Rows("Refused, by cause", ("Cause", "Mails"), [("user_unknown", 12)], lines=[["mail.log:7  NOQUEUE: reject ..."]])

A block holds plain values; escaping is the business of the two forms, ``html_of`` and ``markdown_of``. What stands on lines
of the evidence carries them, folded beneath.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from mailforensics.show import escape, html, text, words
from mailforensics.show.sentences import Data


@dataclass(frozen=True, slots=True)
class Says:
    """A paragraph."""

    sentence: str


@dataclass(frozen=True, slots=True)
class Listed:
    """Sentences, one below the other."""

    sentences: Sequence[str]
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """A table: a caption, names of columns, rows of values; ``lines`` are for each row the lines that it stands on."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    lines: Sequence[Sequence[str]] = ()


@dataclass(frozen=True, slots=True)
class Picture:
    """A plot as PNG with the words that say the same."""

    png: bytes = field(repr=False)
    alt: str


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that has forms of its own: a trace, a case at a glance, a message."""

    data: Data
    as_html: Callable[[Data], Markup]
    as_text: Callable[[Data], str]


Block = Says | Listed | Rows | Picture | Answer


def trace(data: Data) -> Answer:
    """A trace as ``Trace.to_dict()`` gives it."""
    return Answer(data, html.trace_body, text.trace)


def case(data: Data) -> Answer:
    """A case as ``Case.summary()`` gives it."""
    return Answer(data, html.summary_body, text.summary)


def message(data: Data) -> Answer:
    """A message as ``export.message_answer`` gives it."""
    return Answer(data, html.message_body, text.message)


def html_of(blocks: Iterable[Block]) -> Markup:
    """The blocks as HTML, every value escaped.

    >>> html_of([Says("a < b")])
    Markup('<p>a &lt; b</p>\\n')
    """
    return Markup("").join(_html(block) for block in blocks)


def markdown_of(blocks: Iterable[Block]) -> str:
    """The blocks as Markdown, in which what strangers wrote is neither markup nor HTML.

    >>> print(markdown_of([Rows("Causes", ("Cause", "Mails"), [("user_unknown", 12)])]))
    Causes
    <BLANKLINE>
    | Cause | Mails |
    | --- | ---: |
    | user\\_unknown | 12 |
    """
    return "\n\n".join(_markdown(block) for block in blocks)


def _html(block: Block) -> Markup:
    if isinstance(block, Answer):
        return block.as_html(block.data)
    if isinstance(block, Picture):
        encoded = base64.b64encode(block.png).decode("ascii")
        return Markup('<p><img class="mf-plot" alt="{}" src="data:image/png;base64,{}"></p>\n').format(
            escape.html(block.alt), encoded
        )
    if isinstance(block, Says):
        return Markup("<p>{}</p>\n").format(escape.html(block.sentence))
    if isinstance(block, Listed):
        tag = Markup("ol") if block.numbered else Markup("ul")
        items = _join(Markup("<li>{}</li>").format(escape.html(said)) for said in block.sentences)
        return Markup("<{0}>{1}</{0}>\n").format(tag, items)
    return _html_rows(block)


_TABLE = Markup(
    '<div class="mf-scroll" tabindex="0" role="region" aria-label="{caption}"><table><caption>{caption}</caption>\n'
    "<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
)
_FOLDED = Markup(
    '<tr><td colspan="{}"><details><summary>Lines: {}</summary><pre>{}</pre></details></td></tr>\n'
)


def _html_rows(block: Rows) -> Markup:
    styles = [Markup(' class="mf-number"') if right else Markup("") for right in _is_number(block)]
    head = Markup('<th scope="col"{}>{}</th>')
    cell = Markup("<td{}>{}</td>")
    lines = [*block.lines, *([()] * (len(block.rows) - len(block.lines)))]
    body: list[Markup] = []
    for row, stands_on in zip(block.rows, lines, strict=True):
        cells = (cell.format(style, escape.html(shown(it))) for style, it in zip(styles, row, strict=True))
        body.append(Markup("<tr>{}</tr>\n").format(_join(cells)))
        if stands_on:
            text_of_lines = Markup("\n").join(escape.html(line) for line in stands_on)
            body.append(_FOLDED.format(len(row), escape.html(shown(row[0])), text_of_lines))
    names = (head.format(style, escape.html(it)) for style, it in zip(styles, block.columns, strict=True))
    return _TABLE.format(caption=escape.html(block.caption), head=_join(names), body=_join(body))


def _join(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


def _markdown(block: Block) -> str:
    if isinstance(block, Says):
        return escape.markdown(block.sentence)
    if isinstance(block, Listed):
        return "\n".join(
            f"{f'{number}.' if block.numbered else '*'} {escape.markdown(said)}"
            for number, said in enumerate(block.sentences, start=1)
        )
    if isinstance(block, Picture):
        return f"*{escape.markdown(block.alt)}*"
    if isinstance(block, Answer):
        return _indented(block.as_text(block.data))
    return "\n".join(_markdown_rows(block))


def _indented(answer: str) -> str:
    """Text as a block of code, in which nothing is markup."""
    return "\n".join(f"    {line}".rstrip() for line in answer.splitlines())


def _markdown_rows(block: Rows) -> Iterable[str]:
    numeric = [*_is_number(block)]
    yield f"{escape.markdown(block.caption)}\n"
    yield "| " + " | ".join(map(escape.markdown, block.columns)) + " |"
    yield "| " + " | ".join("---:" if right else "---" for right in numeric) + " |"
    for row in block.rows:
        yield "| " + " | ".join(escape.markdown(shown(cell)) for cell in row) + " |"
    for row, lines in zip(block.rows, block.lines, strict=False):
        if lines:
            yield f"\n{escape.markdown(shown(row[0]))}:\n\n" + _indented(
                "\n".join(map(escape.terminal, lines))
            )


def _is_number(block: Rows) -> Iterable[bool]:
    for at in range(len(block.columns)):
        cells = [row[at] for row in block.rows if row[at] is not None]
        yield bool(cells) and all(isinstance(cell, int | float) for cell in cells)


def shown(cell: Any) -> str:
    """A value of a table as people read it; nothing for null.

    >>> shown(48210), shown(0.4), shown(None)
    ('48,210', '0.40', '')
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.2f}"
    return words.number(cell) if isinstance(cell, int) else str(cell)
