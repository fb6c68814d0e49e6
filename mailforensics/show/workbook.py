"""The tables of a case as one XLSX file, a sheet a table, made some rows at a time, whole columns of them.

    mailforensics report case/ -o tables.xlsx

xlsxwriter lays out the book (styles, widths, filters, the first sheet); the rows of the tables, which are nearly all of it, are
put into it by polars: no cell costs a call of Python. Text is text whatever it begins with (rule S3 of SECURITY.md): each text
stands in its cell as an inline string, and one that looks like a formula has Excel's quote prefix, so that it stays text when
somebody edits it. Numbers are numbers where 15 digits hold them exactly, times are times in UTC. What does not fit is told: on
the first sheet, and in the last row of a sheet that is full.

Source: ECMA-376 part 1, 18.3.1.4 (cells), 18.3.1.73 (rows), 18.18.11 (inline strings), 22.9.2.19 (``_x005F_``).
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import polars as pl
import pyarrow as pa
import xlsxwriter
from xlsxwriter.utility import xl_col_to_name, xl_range

from mailforensics import schema
from mailforensics.show import escape, export

SHEET_ROWS = 1_048_576  # of a worksheet, its header counted
_ROWS_AT_ONCE = 20_000
_COMPRESSION = 1  # twice as fast as the usual 6, for a file a quarter larger
_EXACT = 10**15  # a cell of a worksheet holds 15 digits
_BEGINNING = datetime(1980, 1, 1)  # the oldest time that a ZIP archive can hold
_DAY_NOUGHT, _DAY_US = (
    datetime(1899, 12, 30),
    86_400_000_000,
)  # a time is the days since then, from March 1900 on
_RUN_COLUMNS = ("opened_at",)  # the moment at which the evidence was opened is no part of it
_TIME = "yyyy-mm-dd hh:mm:ss.000"
_WIDTHS = (8, 40)  # of a column, in characters
_HEADER = ("table", "rows", "rows in its sheet", "texts cut short", "what a row is")
_NOTES = (
    "Times are UTC. Lists stand in a cell as JSON. Whole numbers of more than 15 digits stand as text.",
    "A worksheet ends at row 1,048,576 and a cell at 32,767 characters; CSV, JSON lines and Parquet hold everything.",
)


class TabledCase(Protocol):
    """What a workbook needs of a case."""

    def table(self, name: str) -> pa.Table: ...


@dataclass(frozen=True)
class _Sheet:
    """A table on its way into its sheet: made visible some rows at a time, so that it never is in memory twice."""

    name: str
    table: pa.Table  # the rows that the sheet has room for
    rows: int  # of the table
    cut: int  # texts that are longer than a cell
    widths: tuple[tuple[str, float], ...]  # of each column, in order

    @property
    def left_out(self) -> str | None:
        """The last row of a sheet that cannot hold all."""
        missing = self.rows - self.table.num_rows
        return f"{missing:,} more rows are not in this sheet: it is full." if missing else None

    def pieces(self) -> Iterator[pl.DataFrame]:
        """The rows, some at a time."""
        for at in range(0, self.table.num_rows, _ROWS_AT_ONCE):
            yield _visible(self.table.slice(at, _ROWS_AT_ONCE))[0]


def workbook(case: TabledCase, tables: Iterable[str] = schema.TABLES) -> bytes:
    """The tables of a case that hold rows as an XLSX file; the same case gives the same bytes.

    The first sheet says how many rows each table has, how many its sheet holds, and how many texts had to be cut.
    """
    sheets = [_sheet(name, table) for name in tables if (table := case.table(name)).num_rows]
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(_laid_out(sheets))) as before,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as after,
    ):
        for name in before.namelist():
            at = re.fullmatch(r"xl/worksheets/sheet([0-9]+)\.xml", name)
            sheet = sheets[int(at[1]) - 2] if at and int(at[1]) > 1 else None
            large = sheet is not None and 8 * sheet.table.nbytes > zipfile.ZIP64_LIMIT
            # an entry that is opened by its name has the oldest time that there is
            with after.open(name, "w", force_zip64=large) as inside:
                content = before.read(name).decode("utf-8")
                for piece in _filled(content, sheet) if sheet else [content]:
                    inside.write(piece.encode("utf-8"))
    return out.getvalue()


def _sheet(name: str, table: pa.Table) -> _Sheet:
    room = SHEET_ROWS - 1 if table.num_rows < SHEET_ROWS else SHEET_ROWS - 2
    kept = table.slice(0, room).drop_columns([it for it in _RUN_COLUMNS if it in table.column_names])
    cut = 0
    widths: list[tuple[str, float]] = []
    for at in range(0, kept.num_rows, _ROWS_AT_ONCE):
        some, too_long = _visible(kept.slice(at, _ROWS_AT_ONCE))
        cut += too_long
        widths = widths or [(column.name, _width(column)) for column in some.get_columns()]
    return _Sheet(name, kept, table.num_rows, cut, tuple(widths))


def _visible(table: pa.Table) -> tuple[pl.DataFrame, int]:
    """Rows as columns of visible text, numbers, truth values and times; and how many texts are too long for a cell."""
    kept = export.plain(table)
    made = [escape.excel_column(column) for column in kept.get_columns() if column.dtype == pl.String]
    return kept.with_columns(texts for texts, _ in made), sum(cut for _, cut in made)


# --- The book without its rows ----------------------------------------------------------------------------------------


def _laid_out(sheets: Sequence[_Sheet]) -> bytes:
    """The book as xlsxwriter makes it. Row 2 of each sheet is a pattern: its two cells have the styles of times and quoted texts."""
    out = io.BytesIO()
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": True,
    }
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"created": _BEGINNING})
    bold, time, quoted = (
        book.add_format(it) for it in ({"bold": True}, {"num_format": _TIME}, {"quote_prefix": True})
    )
    _contents(book.add_worksheet("tables"), sheets, bold)
    for sheet in sheets:
        _head(book.add_worksheet(sheet.name), sheet, bold)
        page = book.get_worksheet_by_name(sheet.name)
        page.write_blank(1, 0, None, time)
        page.write_blank(1, 1, None, quoted)
    book.close()
    return out.getvalue()


def _contents(page: Any, sheets: Sequence[_Sheet], bold: Any) -> None:
    page.write_row(0, 0, _HEADER, bold)
    for at, sheet in enumerate(sheets, start=1):
        counts = (sheet.rows, sheet.table.num_rows, sheet.cut)
        page.write_row(at, 0, [sheet.name, *counts, schema.TABLES[sheet.name].sentence])
    for at, note in enumerate(_NOTES, start=len(sheets) + 2):
        page.write_string(at, 4, note)
    page.set_column(0, 3, 16)
    page.set_column(4, 4, 100)
    page.freeze_panes(1, 0)


def _head(page: Any, sheet: _Sheet, bold: Any) -> None:
    for at, (name, width) in enumerate(sheet.widths):
        page.write_string(0, at, escape.excel_cell(name), bold)
        page.set_column(at, at, width)
    page.freeze_panes(1, 0)
    page.autofilter(0, 0, sheet.table.num_rows, len(sheet.widths) - 1)


def _width(column: pl.Series) -> float:
    """Wide enough for the name with its filter button, and for nine of ten of the first values."""
    if isinstance(column.dtype, pl.Datetime):
        return len(_TIME)
    least, most = _WIDTHS
    typical = column.cast(pl.String).str.len_chars().quantile(0.9) or 0
    return max(least, len(column.name) + 3, min(most, typical + 1))


# --- The rows ---------------------------------------------------------------------------------------------------------


def _filled(page: str, sheet: _Sheet) -> Iterator[str]:
    """The XML of a sheet with its rows in the place of the pattern."""
    pattern = re.search(r'<row r="2".*?</row>', page)
    if pattern is None:
        raise AssertionError("the sheet lost its pattern row")
    styles = [int(style) for style in re.findall(r' s="([0-9]+)"', pattern[0])]
    last = sheet.table.num_rows + (2 if sheet.left_out else 1)
    whole = xl_range(0, 0, last - 1, len(sheet.widths) - 1)
    yield re.sub(r'<dimension ref="[^"]*"/>', f'<dimension ref="{whole}"/>', page[: pattern.start()])
    for number, some in enumerate(sheet.pieces()):
        yield _rows(some, number * _ROWS_AT_ONCE + 2, styles)
    if sheet.left_out:
        yield f'<row r="{last}"><c r="A{last}" t="inlineStr"><is><t>{sheet.left_out}</t></is></c></row>'
    yield page[pattern.end() :]


def _rows(some: pl.DataFrame, first: int, styles: Sequence[int]) -> str:
    """Rows as XML; a cell without a value is not there."""
    number = pl.int_range(first, first + some.height, dtype=pl.Int64).cast(pl.String)
    cells = [
        _cells(column, xl_col_to_name(at), number, styles) for at, column in enumerate(some.get_columns())
    ]
    rows = pl.concat_str(
        pl.lit('<row r="'), number, pl.lit('">'), *cells, pl.lit("</row>"), ignore_nulls=True
    )
    return str(some.select(rows.str.join("")).item())


def _cells(column: pl.Series, letter: str, number: pl.Expr, styles: Sequence[int]) -> pl.Expr:
    """The cells of a column as XML, null where there is no value."""
    time, quoted = styles
    place, value = f'<c r="{letter}', pl.col(column.name)
    if column.dtype == pl.String:
        texts, formula = pl.lit(escape.xml_column(column)), pl.lit(escape.formula_column(column))
        style = pl.when(formula).then(pl.lit(f'" s="{quoted}')).otherwise(pl.lit(""))
        return _cell(place, number, style, _TEXT, texts, "</t></is></c>")
    if column.dtype == pl.Boolean:
        return _cell(place, number, '" t="b"><v>', value.cast(pl.Int8).cast(pl.String), "</v></c>")
    if isinstance(column.dtype, pl.Datetime):
        since = (value.dt.replace_time_zone(None) - _DAY_NOUGHT).dt.total_microseconds()
        cell = _cell(place, number, f'" s="{time}"><v>', (since / _DAY_US).cast(pl.String), "</v></c>")
        return _where(value.dt.year() > 1900, cell, place, number, value.dt.to_string(export.STAMP))
    cell = _cell(place, number, '"><v>', value.cast(pl.String), "</v></c>")
    fits = value.is_between(-_EXACT, _EXACT) if column.dtype.is_integer() else pl.lit(True)
    return _where(fits, cell, place, number, value.cast(pl.String))


_TEXT = '" t="inlineStr"><is><t xml:space="preserve">'


def _where(fits: pl.Expr, cell: pl.Expr, place: str, number: pl.Expr, text: pl.Expr) -> pl.Expr:
    """The cell where its value fits a spreadsheet, else its value as text."""
    return pl.when(fits).then(cell).otherwise(_cell(place, number, _TEXT, text, "</t></is></c>"))


def _cell(*parts: str | pl.Expr) -> pl.Expr:
    return pl.concat_str(*(pl.lit(part) if isinstance(part, str) else part for part in parts))
