"""One page of a table, for tables of millions of rows: filters and an order are found on their own columns alone.

    page(case.scan("events"), 3, where=[("daemon", "is", "lmtp")], order="time")["rows"]

The places of the fitting rows are found first, from the columns that are asked about; then the rows of one page are
fetched. The next page of the same question costs the fetching only.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import polars as pl

from mailforensics.errors import OptionError

PAGE = 20  # rows of a page
_PLACE = "__place"
Filter = tuple[str, str, str]  # column, comparison, value


def page(
    table: Any, number: int = 1, *, size: int = PAGE, where: Sequence[Filter] = (), order: str = "",
    descending: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """One page of a table: ``rows`` (a polars frame), ``page``, ``pages``, ``total`` (rows that fit).

    ``table`` is whatever speaks Arrow, or a LazyFrame. ``where`` are filters that must all hold, each a column, one of
    ``COMPARISONS``, and a value; a time without an offset is UTC, as tables show it. ``order`` sorts. A number beyond the
    end gives the last page.
    Raises OptionError for a column that there is not, or a value that is no number or time where one is asked for.

    >>> page({"n": list(range(50))}, 3, order="n")["rows"]["n"].to_list()
    [40, 41, 42, 43, 44, 45, 46, 47, 48, 49]
    >>> page({"n": list(range(50))}, where=[("n", "at least", "48")])["total"]
    2
    """
    return Pages(table, where, order, descending=descending).page(number, size)


class Pages:
    """The rows of a table that fit a question, in its order, to be fetched page by page."""

    def __init__(
        self, table: Any, where: Sequence[Filter] = (), order: str = "", *, descending: bool = False
    ) -> None:
        self._rows = table if isinstance(table, pl.LazyFrame) else pl.DataFrame(table).lazy()
        names = self._rows.collect_schema()
        for given in (*(column for column, *_ in where), *([order] if order else [])):
            if given not in names:
                raise OptionError(f"There is no column {given!r}; there are {', '.join(names)}.")
        self._places: pl.Series | None = None
        if where or order:
            fitting = self._rows.with_row_index(_PLACE)
            for column, comparison, value in where:
                fitting = fitting.filter(_fits(column, names[column], comparison, value))
            if order:
                fitting = fitting.select(_PLACE, order).sort(
                    order, descending=descending, nulls_last=True, maintain_order=True
                )
            self._places = fitting.select(_PLACE).collect()[_PLACE]
            self.total = len(self._places)
        else:
            self.total = int(self._rows.select(pl.len()).collect().item())

    def page(self, number: int, size: int = PAGE) -> dict[str, Any]:
        """One page, as :func:`page` gives it."""
        pages = -(-self.total // size)
        at = min(max(number, 1), max(pages, 1))
        return {
            "rows": self._fetch((at - 1) * size, size),
            "page": at,
            "pages": pages,
            "total": self.total,
        }

    def _fetch(self, begin: int, size: int) -> pl.DataFrame:
        if self._places is None:
            return self._rows.slice(begin, size).collect()
        wanted = self._places.slice(begin, size)
        if not len(wanted):
            return self._rows.head(0).collect()
        least, most = int(wanted.min()), int(wanted.max())  # type: ignore[arg-type]
        near = self._rows.slice(least, most - least + 1).with_row_index(_PLACE, least)
        rows = near.filter(pl.col(_PLACE).is_in(wanted.implode())).collect()
        return pl.DataFrame({_PLACE: wanted}).join(rows, on=_PLACE, maintain_order="left").drop(_PLACE)


def _fits(column: str, dtype: pl.DataType, comparison: str, value: str) -> pl.Expr:
    if comparison not in COMPARISONS:
        raise OptionError(f"There is no comparison {comparison!r}; there are {', '.join(COMPARISONS)}.")
    return COMPARISONS[comparison](pl.col(column), dtype, value)


def _holds(column: pl.Expr, dtype: pl.DataType, value: str) -> pl.Expr:
    return _text(column, dtype).str.to_lowercase().str.contains(value.lower(), literal=True)


def _is(column: pl.Expr, dtype: pl.DataType, value: str) -> pl.Expr:
    if dtype.is_numeric() or dtype.is_temporal():
        return column.eq(_value(dtype, value))
    return _text(column, dtype).str.to_lowercase().eq(value.lower())


def _at_least(column: pl.Expr, dtype: pl.DataType, value: str) -> pl.Expr:
    return _ordered(column, dtype).ge(_value(dtype, value))


def _at_most(column: pl.Expr, dtype: pl.DataType, value: str) -> pl.Expr:
    return _ordered(column, dtype).le(_value(dtype, value))


def _is_empty(column: pl.Expr, dtype: pl.DataType, _value: str) -> pl.Expr:
    if isinstance(dtype, pl.List):
        return column.is_null() | (column.list.len() == 0)
    return column.is_null() | (column == "") if dtype == pl.String else column.is_null()


Test = Callable[[pl.Expr, pl.DataType, str], pl.Expr]
# What a filter can ask, in the words of the widget; text is compared in whatever case.
COMPARISONS: dict[str, Test] = {
    "holds": _holds,
    "is": _is,
    "is not": lambda *asked: ~_is(*asked).fill_null(False),
    "at least": _at_least,
    "at most": _at_most,
    "is empty": _is_empty,
    "is not empty": lambda *asked: ~_is_empty(*asked),
}


def _text(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.List):
        if dtype.inner == pl.Struct:
            return column.list.eval(pl.element().struct.json_encode()).list.join(" ")
        return column.list.eval(pl.element().cast(pl.String)).list.join(" ")
    if isinstance(dtype, pl.Struct):
        return column.struct.json_encode()
    return pl.lit("") if dtype == pl.Binary else column.cast(pl.String)


def _ordered(column: pl.Expr, dtype: pl.DataType) -> pl.Expr:
    return column if dtype.is_numeric() or dtype.is_temporal() else _text(column, dtype)


def _value(dtype: pl.DataType, value: str) -> Any:
    """The value of a filter in the kind of its column."""
    try:
        if dtype.is_temporal():
            when = dt.datetime.fromisoformat(value)
            return when if when.tzinfo else when.replace(tzinfo=dt.UTC)
        return float(value) if dtype.is_numeric() else value
    except ValueError:
        example = "2026-03-02 10:00" if dtype.is_temporal() else "60"
        raise OptionError(f"{value!r} does not fit this column: write it as {example!r}.") from None
