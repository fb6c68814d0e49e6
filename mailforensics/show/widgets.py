"""Widgets for notebooks: a header reader, a search, a table viewer with pages, a browser of findings.

    widgets.header_reader()              paste or upload a header
    widgets.search(case)                 ask a case, with the addresses it knows at hand
    widgets.table_viewer(case, "deliveries")
    widgets.findings_browser(case)

Each is a skin: what it shows comes from a plain function (``mf.read_headers``, ``Case.trace``, :func:`page`,
:func:`findings_of` and :func:`lines_of`), so nothing can be done only by mouse. Everything can be reached with the Tab
key. HTML comes from :mod:`mailforensics.show.html` alone, which escapes every value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import ipywidgets
import polars as pl

from mailforensics import schema
from mailforensics.errors import MailforensicsError, OptionError
from mailforensics.findings.forgery import find_forgery
from mailforensics.headers.message import read_headers, read_message
from mailforensics.show import export, html, sentences, words
from mailforensics.show.escape import terminal

PAGE = 20  # rows of a page
_ADDRESSES = 2000  # offered for completion
_CELL_CHARACTERS = 200
_JOURNEYS = 200  # offered for choice
_FINDINGS = 500


class CaseLike(Protocol):
    """What the widgets need of a case."""

    @property
    def zone(self) -> str: ...
    def polars(self, name: str) -> pl.DataFrame: ...
    def scan(self, name: str) -> pl.LazyFrame: ...
    def trace(self, **question: Any) -> Any: ...


def header_reader(text: str = "", *, own: Sequence[str] = (), zone: str | None = None) -> ipywidgets.VBox:
    """A reader of message headers: paste or upload, name what is yours, and read.

    The plain function is ``mailforensics.read_headers``.
    """
    pasted = ipywidgets.Textarea(value=text, description="Header", placeholder="Paste a raw header here",
                                 layout={"width": "100%", "height": "10rem"})  # fmt: skip
    mine = ipywidgets.Text(value=", ".join(own), description="Yours", placeholder="mx.example.org, 192.0.2.0/24",
                           layout={"width": "100%"})  # fmt: skip
    upload = ipywidgets.FileUpload(description="Upload", accept=".eml,.txt,message/rfc822", multiple=False)
    button = ipywidgets.Button(description="Read the header", button_style="primary")
    shown = _Shown()

    def read(_: Any = None) -> None:
        files = upload.value
        servers = [word for word in mine.value.replace(",", " ").split() if word]
        shown.answer(lambda: _reader_html(pasted.value, files, servers, zone))

    def read_again(_: Any) -> None:  # a click can overtake the last letters that were typed
        if shown.widget.value:
            read()

    button.on_click(read)
    upload.observe(read, names="value")
    pasted.observe(read_again, names="value")
    mine.observe(read_again, names="value")
    if text:
        read()
    return ipywidgets.VBox([pasted, mine, ipywidgets.HBox([button, upload]), shown.widget])


def _reader_html(
    pasted: str, files: Sequence[Mapping[str, Any]], own: Sequence[str], zone: str | None
) -> str:
    if files and not pasted.strip():
        read = read_message(bytes(files[0]["content"]), own=own)
    elif pasted.strip():
        read = read_headers(pasted + "\n", own=own)
    else:
        raise OptionError("Paste a header above, or upload a message file.")
    return html.message(export.message_answer(read, zone))


def search(case: CaseLike) -> ipywidgets.VBox:
    """A search for mail with the addresses of the case for completion, a stretch of time, and the trace of what is found.

    The plain function is ``Case.trace``.
    """
    known = addresses(case)
    wide = {"width": "28rem"}
    asked = {
        "to": ipywidgets.Combobox(
            description="To", options=known, placeholder="bob@example.org", layout=wide
        ),
        "sender": ipywidgets.Combobox(description="From", options=known, layout=wide),
        "subject": ipywidgets.Text(description="Subject", layout=wide),
        "since": ipywidgets.Text(description="Since", placeholder="10:00 or 2026-03-02 10:00", layout=wide),
        "until": ipywidgets.Text(description="Until", layout=wide),
    }
    button = ipywidgets.Button(description="Search", button_style="primary")
    choice = ipywidgets.Select(options=[], description="Found", rows=6, layout={"width": "100%"})
    shown = _Shown()
    found: list[Any] = []

    def ask(_: Any = None) -> None:
        question = {name: field.value.strip() for name, field in asked.items() if field.value.strip()}
        shown.answer(lambda: _search_html(case, question, found, choice))

    def choose(change: Mapping[str, Any]) -> None:
        if found and change["new"] is not None:
            shown.answer(lambda: _journey_html(found[0], change["new"]))

    button.on_click(ask)
    for field in asked.values():
        field.continuous_update = False
    choice.observe(choose, names="index")
    return ipywidgets.VBox([*asked.values(), button, choice, shown.widget])


def _search_html(
    case: CaseLike, question: dict[str, str], found: list[Any], choice: ipywidgets.Select
) -> str:
    answer = case.trace(**question)
    found.clear()
    zone = words.zone_of(case.zone)
    rows = answer.found.head(_JOURNEYS).to_dicts()
    choice.options = [
        terminal(f"{words.short(row['first_time'], zone)}  {sentences.route(row)}  {sentences.fates(row)}")[
            :160
        ]
        for row in rows
    ]
    found.append(answer)
    return str(answer._repr_html_()) if len(answer) <= 1 else _journey_html(answer, 0)


def _journey_html(answer: Any, index: int) -> str:
    told = answer.to_dict()
    return html.trace(told | {"journeys": told["journeys"][index : index + 1]})


def addresses(case: CaseLike) -> list[str]:
    """The addresses of a case, the most frequent first, as far as one wants to choose from.

    They are recipients of deliveries and envelope senders of messages, as visible text.
    """
    columns = (("deliveries", "recipient"), ("messages", "sender"))
    names = pl.concat([case.polars(table).select(address=column) for table, column in columns])
    counted = names.drop_nulls().filter(pl.col("address") != "").group_by("address").len("number")
    most = counted.sort("number", "address", descending=[True, False]).head(_ADDRESSES)
    return [terminal(address) for address in most["address"]]


def table_viewer(case: CaseLike, name: str = "deliveries", *, size: int = PAGE) -> ipywidgets.VBox:
    """A table of a case, a page at a time, with a filter and an order: only the page is ever sent to the browser.

    The plain function is :func:`page`.
    """
    table = ipywidgets.Dropdown(options=sorted(schema.TABLES), value=name, description="Table")
    column = ipywidgets.Dropdown(options=["", *schema.table(name).names], description="Column")
    part = ipywidgets.Text(description="holds", continuous_update=False)
    order = ipywidgets.Dropdown(options=["", *schema.table(name).names], description="Order by")
    down = ipywidgets.Checkbox(description="largest first", value=False)
    number = ipywidgets.BoundedIntText(value=1, min=1, max=1, description="Page")
    shown = _Shown()

    def show(_: Any = None) -> None:
        def answer() -> str:
            told = page(case.scan(table.value), number.value, size=size, column=column.value, holds=part.value,
                        order=order.value, descending=down.value)  # fmt: skip
            number.max = max(told["pages"], 1)
            return html.table_page(_for_eyes(told, table.value))

        shown.answer(answer)

    def other_table(_: Any) -> None:
        names = ["", *schema.table(table.value).names]
        column.options, order.options, number.value = names, names, 1
        show()

    table.observe(other_table, names="value")
    for control in (column, part, order, down, number):
        control.observe(show, names="value")
    show()
    return ipywidgets.VBox([ipywidgets.HBox([table, number]), ipywidgets.HBox([column, part]),
                            ipywidgets.HBox([order, down]), shown.widget])  # fmt: skip


def page(
    table: Any, number: int = 1, *, size: int = PAGE, column: str = "", holds: str = "", order: str = "",
    descending: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """One page of a table: ``rows`` (a polars frame), ``page``, ``pages``, ``total`` (rows that fit).

    ``table`` is whatever speaks Arrow, or a LazyFrame. ``column`` and ``holds`` keep the rows whose text in that column
    holds those words in whatever case; ``order`` sorts. A number beyond the end gives the last page.

    >>> page({"n": list(range(50))}, 3, order="n")["rows"]["n"].to_list()
    [40, 41, 42, 43, 44, 45, 46, 47, 48, 49]
    """
    lazy = table if isinstance(table, pl.LazyFrame) else pl.DataFrame(table).lazy()
    names = lazy.collect_schema()
    for given in (column, order):
        if given and given not in names:
            raise OptionError(f"There is no column {given!r}; there are {', '.join(names)}.")
    if column and holds:
        lazy = lazy.filter(
            _text(column, names[column]).str.to_lowercase().str.contains(holds.lower(), literal=True)
        )
    total = int(lazy.select(pl.len()).collect().item())
    pages = -(-total // size)
    at = min(max(number, 1), max(pages, 1))
    if order:
        lazy = lazy.sort(order, descending=descending, nulls_last=True, maintain_order=True)
    return {"rows": lazy.slice((at - 1) * size, size).collect(), "page": at, "pages": pages, "total": total}


def _text(column: str, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.List):
        inner = pl.col(column).list
        return (
            inner.eval(pl.element().cast(pl.String)).list.join(" ")
            if dtype.inner != pl.Struct
            else pl.lit("")
        )
    return pl.lit("") if isinstance(dtype, pl.Struct) else pl.col(column).cast(pl.String)


def _for_eyes(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    rows: pl.DataFrame = told["rows"]
    sentence = {column.name: column.sentence for column in schema.table(name).columns}
    count = words.counted(told["total"], "row")
    caption = f"{name}: {count}, page {told['page']} of {max(told['pages'], 1)}"
    cells = [[_cell(value) for value in row] for row in rows.rows()]
    return {"columns": [(it, sentence.get(it, "")) for it in rows.columns], "rows": cells, "caption": caption}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return shown if len(shown) <= _CELL_CHARACTERS else shown[: _CELL_CHARACTERS - 1] + "…"


def findings_of(case: CaseLike) -> pl.DataFrame:
    """The findings of a case: those of its table, and what its messages contradict in themselves. Columns: those of ``findings``."""
    messages = {name: case.polars(name) for name in ("documents", "headers", "hops", "auth_results")}
    found = find_forgery(messages)
    names = schema.table("findings").names
    return pl.concat([case.polars("findings").select(names), found.select(names)])


def lines_of(case: CaseLike, event_ids: Iterable[int]) -> list[dict[str, Any]]:
    """The log lines of some events, in order: place (source:line), time and text."""
    wanted = list(event_ids)
    events = case.scan("events").filter(pl.col("event_id").is_in(wanted)).sort("event_id")
    rows = events.select("source_id", "line_number", "time", "text").collect().to_dicts()
    paths = dict(case.polars("sources").select("source_id", "path").rows())
    return [
        {
            "place": f"{paths.get(row['source_id'], '?')}:{row['line_number']}",
            "time": row["time"],
            "text": row["text"],
        }
        for row in rows
    ]


def findings_browser(case: CaseLike) -> ipywidgets.VBox:
    """The findings of a case to choose from, and the lines that the chosen one stands on.

    The plain functions are :func:`findings_of` and :func:`lines_of`.
    """
    found = findings_of(case).head(_FINDINGS).to_dicts()
    options = [terminal(f"{row['severity']}: {row['sentence']}")[:200] for row in found]
    choice = ipywidgets.Select(
        options=options, description="Findings", rows=10, index=None, layout={"width": "100%"}
    )
    shown = _Shown()

    def show(change: Mapping[str, Any]) -> None:
        if change["new"] is not None:
            lines = lines_of(case, found[change["new"]]["evidence"] or [])
            shown.answer(lambda: html.lines({"lines": lines, "zone": case.zone}))

    choice.observe(show, names="index")
    return ipywidgets.VBox([choice, shown.widget])


class _Shown:
    """The place of the answer: HTML of ours, or the sentence of an error."""

    def __init__(self) -> None:
        self.widget = ipywidgets.HTML()

    def answer(self, make: Callable[[], str]) -> None:
        """Show what ``make`` gives; what it refuses is shown as a sentence."""
        try:
            self.widget.value = make()
        except MailforensicsError as error:
            self.widget.value = html.table_page({"columns": [], "rows": [], "caption": str(error)})
