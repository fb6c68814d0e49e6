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
    """A paragraph, with the lines that it stands on."""

    sentence: str
    lines: Sequence[str] = ()


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
    width: int = 864  # in pixels of a page


@dataclass(frozen=True, slots=True)
class Folded:
    """A long table that is opened on demand; on paper it is open."""

    summary: str
    block: Rows


@dataclass(frozen=True, slots=True)
class Seconds:
    """A duration as a cell of a table."""

    value: float | None


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer that has forms of its own: a trace, a case at a glance, a message."""

    data: Data
    as_html: Callable[[Data], Markup]
    as_text: Callable[[Data], str]


Block = Says | Listed | Rows | Picture | Folded | Answer


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
        tag = Markup('<p><img class="mf-plot" alt="{}" width="{}" src="data:image/png;base64,{}"></p>\n')
        return tag.format(escape.html(block.alt), block.width, encoded)
    if isinstance(block, Says):
        return Markup("<p>{}</p>\n").format(escape.html(block.sentence)) + _html_lines(
            block.lines, block.sentence
        )
    if isinstance(block, Listed):
        tag = Markup("ol") if block.numbered else Markup("ul")
        items = _join(Markup("<li>{}</li>").format(escape.html(said)) for said in block.sentences)
        return Markup("<{0}>{1}</{0}>\n").format(tag, items)
    if isinstance(block, Folded):
        folded = Markup("<details><summary>{}</summary>\n{}</details>\n")
        return folded.format(escape.html(block.summary), _html_rows(block.block))
    return _html_rows(block)


_TABLE = Markup(
    '<div class="mf-scroll" tabindex="0" role="region" aria-label="{caption}"><table class="mf-rows"><caption>{caption}</caption>\n'
    "{columns}<thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table></div>\n"
)


def _html_lines(lines: Sequence[str], of: Any) -> Markup:
    """Lines folded beneath what stands on them."""
    if not lines:
        return Markup("")
    text_of_lines = Markup("\n").join(escape.html(line) for line in lines)
    folded = Markup('<details><summary aria-label="{}">{}</summary><pre>{}</pre></details>\n')
    said = words.counted(lines, "line")
    return folded.format(escape.html(f"{said}: {of}"), f"{said} as evidence", text_of_lines)


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
            beneath = Markup('<tr class="mf-beneath"><td colspan="{}">{}</td></tr>\n')
            body.append(beneath.format(len(row), _html_lines(stands_on, shown(row[0]))))
    names = (head.format(style, escape.html(it)) for style, it in zip(styles, block.columns, strict=True))
    columns = _join(Markup('<col style="--mf-share: {}%">').format(share) for share in _shares(block))
    return _TABLE.format(
        caption=escape.html(block.caption), columns=columns, head=_join(names), body=_join(body)
    )


_PAGE, _WIDEST, _WORD = (
    96,
    60,
    22,
)  # characters on a line of a page, that a column may ask for, that are kept in one piece


def _shares(block: Rows) -> list[int]:
    """How much of the width of a page each column gets, in per cent; on a screen the browser decides.

    Each gets its longest word first, so that no word is broken, and then what is left as far as it has use for it.
    """
    cells = [[str(name), *(shown(row[at]) for row in block.rows)] for at, name in enumerate(block.columns)]
    least = [
        3 + max(min(_WORD, len(word)) for text in column for word in [*text.split(), ""]) for column in cells
    ]
    more = [
        max(0, min(_WIDEST, max(map(len, column))) - need) for column, need in zip(cells, least, strict=True)
    ]
    room = max(0, _PAGE - sum(least)) / max(1, sum(more))
    widths = [need + extra * min(1.0, room) for need, extra in zip(least, more, strict=True)]
    return [round(100 * width / sum(widths)) for width in widths]


def _join(parts: Iterable[Markup]) -> Markup:
    return Markup("").join(parts)


def _markdown(block: Block) -> str:
    if isinstance(block, Says):
        beneath = "\n".join(map(escape.terminal, block.lines))
        return escape.markdown(block.sentence) + (f"\n\n{_indented(beneath)}" if beneath else "")
    if isinstance(block, Folded):
        return _markdown(block.block)
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
        yield bool(cells) and all(isinstance(cell, int | float | Seconds) for cell in cells)


def shown(cell: Any) -> str:
    """A value of a table as people read it; nothing for null.

    >>> shown(48210), shown(0.4), shown(Seconds(7800)), shown(None)
    ('48,210', '0.40', '2 h 10 min', '')
    """
    if cell is None:
        return ""
    if isinstance(cell, Seconds):
        return words.duration(cell.value)
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.2f}"
    return words.number(cell) if isinstance(cell, int) else str(cell)
