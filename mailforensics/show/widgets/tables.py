"""The table viewer: a page at a time, with filters and an order; only the page is ever sent to the browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets
import polars as pl

from mailforensics import schema
from mailforensics.show import html, words
from mailforensics.show.widgets.pages import COMPARISONS, PAGE, Filter, Pages
from mailforensics.show.widgets.shown import CaseLike, Shown, call_of

_CELL_CHARACTERS = 200


def table_viewer(case: CaseLike, name: str = "deliveries", *, size: int = PAGE) -> ipywidgets.VBox:
    """A table of a case, a page at a time, with filters that must all hold, and an order.

    The plain function is :func:`page`.
    """
    viewer = _Viewer(case, name, size)
    viewer.show()
    return viewer.box


class _Viewer:
    """The controls of the viewer, and the pages of the question that they ask."""

    def __init__(self, case: CaseLike, name: str, size: int) -> None:
        self.case, self.size = case, size
        self.asked: tuple[Any, ...] = ()
        self.pages: Pages | None = None
        self.table = ipywidgets.Dropdown(options=sorted(schema.TABLES), value=name, description="Table")
        self.number = ipywidgets.BoundedIntText(value=1, min=1, max=1, description="Page")
        self.order = ipywidgets.Dropdown(description="Order by")
        self.down = ipywidgets.Checkbox(description="largest first", value=False, indent=False)
        self.filters: list[_Filter] = []
        self.rows = ipywidgets.VBox()
        more = ipywidgets.Button(description="Add a filter", icon="plus")
        back = ipywidgets.Button(description="Previous page")
        on = ipywidgets.Button(description="Next page")
        self.shown = Shown()
        more.on_click(lambda _: self.add_filter())
        back.on_click(lambda _: self.turn(-1))
        on.on_click(lambda _: self.turn(1))
        self.add_filter()
        self.other_table()
        self.table.observe(self.change_table, names="value")
        for control in (self.order, self.down, self.number):
            control.observe(lambda _: self.show(), names="value")
        line = ipywidgets.HBox
        self.box = ipywidgets.VBox(
            [line([self.table, self.order, self.down]), self.rows, line([more]), self.shown.widget,
             line([back, self.number, on])]
        )  # fmt: skip

    @property
    def names(self) -> list[str]:
        return ["", *schema.table(self.table.value).names]

    def add_filter(self) -> None:
        self.filters.append(_Filter(self.names, self.show, self.drop_filter))
        self._lay_out()

    def drop_filter(self, one: _Filter) -> None:
        self.filters.remove(one)
        self._lay_out()
        self.show()

    def _lay_out(self) -> None:
        self.rows.children = tuple(one.box for one in self.filters)

    def other_table(self) -> None:
        self.order.options = self.names
        for one in self.filters:
            one.offer(self.names)

    def change_table(self, _: Any) -> None:
        self.other_table()
        self.show()

    def turn(self, by: int) -> None:
        self.number.value = min(max(self.number.value + by, 1), self.number.max)

    def show(self) -> None:
        where = [asked for one in self.filters if (asked := one.asked())]
        question = (self.table.value, tuple(where), self.order.value or "", self.down.value)
        call = f"case.scan({self.table.value!r}), {self.number.value}"
        named = {"where": where, "order": question[2], "descending": question[3]}
        given = {key: value for key, value in named.items() if value}
        call = call_of("mf.widgets.page", **given).replace("(", f"({call}{', ' if given else ''}", 1)
        self.shown.answer(lambda: self._page(question), call + '["rows"]')

    def _page(self, question: tuple[str, tuple[Filter, ...], str, bool]) -> str:
        if question != self.asked or self.pages is None:
            name, where, order, down = question
            self.pages = Pages(self.case.scan(name), where, order, descending=down)
            self.asked = question
        told = self.pages.page(self.number.value, self.size)
        self.number.max = max(told["pages"], 1)
        return html.table_page(for_eyes(told, question[0]))


class _Filter:
    """One line of the viewer: a column, a comparison, a value, and a button that takes the line away."""

    def __init__(
        self, names: Sequence[str], changed: Callable[[], None], dropped: Callable[[_Filter], None]
    ) -> None:
        self.column = ipywidgets.Dropdown(options=names, description="Column")
        self.comparison = ipywidgets.Dropdown(
            options=list(COMPARISONS), value="holds", layout={"width": "8rem"}
        )
        self.comparison.tooltip = "How to compare"
        self.value = ipywidgets.Text(placeholder="value", continuous_update=False)
        away = ipywidgets.Button(description="Remove", tooltip="Remove this filter", layout={"width": "auto"})
        away.on_click(lambda _: dropped(self))
        for control in (self.column, self.comparison, self.value):
            control.observe(lambda _: changed(), names="value")
        self.box = ipywidgets.HBox([self.column, self.comparison, self.value, away])

    def offer(self, names: Sequence[str]) -> None:
        kept = self.column.value
        self.column.options = names
        self.column.value = kept if kept in names else ""

    def asked(self) -> Filter | None:
        """The filter, when it says enough."""
        complete = self.value.value or "empty" in self.comparison.value
        return (
            (self.column.value, self.comparison.value, self.value.value)
            if self.column.value and complete
            else None
        )


def for_eyes(told: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A page as :func:`mailforensics.show.html.table_page` takes it, with the sentence of each column."""
    rows: pl.DataFrame = told["rows"]
    sentence = {column.name: column.sentence for column in schema.table(name).columns}
    count = words.counted(told["total"], "row")
    caption = f"{name}: {count}, page {told['page']} of {max(told['pages'], 1)}"
    cells = [[_cell(value) for value in row] for row in rows.rows()]
    return {"columns": [(it, sentence.get(it, "")) for it in rows.columns], "rows": cells, "caption": caption}


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bytes):
        value = value.decode("utf-8", "backslashreplace")
    shown = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return shown if len(shown) <= _CELL_CHARACTERS else shown[: _CELL_CHARACTERS - 1] + "…"
