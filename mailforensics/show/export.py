"""Tables and answers as JSON, CSV, XLSX, Parquet and Arrow IPC: times in ISO 8601 UTC, formulas and control characters defused.

CSV follows RFC 4180 with a header line; lists and structs stand in it as JSON. JSON is one array with a row a line, so
that both ``json.load`` and ``grep`` can read it; JSON lines has no brackets around it. NaN, which JSON lacks, becomes null.
In XLSX text is text, whatever it begins with, and numbers are numbers.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import IO, Any, Protocol

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from mailforensics import schema
from mailforensics.show import escape

_ROWS_AT_ONCE = 20_000
_STAMP = "%Y-%m-%dT%H:%M:%S%.6fZ"


def json_value(value: Any) -> Any:
    """A value of a table or answer as JSON knows it.

    >>> json_value({"time": datetime(2026, 3, 2, 9, 2, 11, tzinfo=UTC), "score": math.nan})
    {'time': '2026-03-02T09:02:11Z', 'score': None}
    """
    if isinstance(value, dict):
        return {str(key): json_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [json_value(inner) for inner in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def json_text(value: Any, *, indent: int | None = 2) -> str:
    r"""A value as JSON in ASCII: a control character or half of a surrogate pair is spelt out.

    >>> json_text({"subject": "\x1b[31m"}, indent=None)
    '{"subject": "\\u001b[31m"}'
    """
    return json.dumps(json_value(value), indent=indent, ensure_ascii=True, default=str)


def message_answer(read: Any, zone: str | None = None) -> dict[str, Any]:
    """The tables of one message (``read_headers``) as the dict that the message forms of text and HTML take."""
    tables = {name: getattr(read, name).to_pylist() for name in ("headers", "hops", "auth_results", "scans")}
    return {"document": next(iter(read.documents.to_pylist()), None), **tables, "zone": zone}


def write_json(table: pa.Table, out: IO[bytes]) -> None:
    """Write the rows of a table as a JSON array, a row a line."""
    lines = (json_text(row, indent=None) for row in _rows(table))
    out.write(b"[")
    for at, line in enumerate(lines):
        out.write((",\n" if at else "\n").encode() + line.encode())
    out.write(b"\n]\n")


def write_csv(table: pa.Table, out: IO[bytes]) -> None:
    """Write a table as CSV that a spreadsheet can open without running any of it."""
    _defused(table).write_csv(out, datetime_format=_STAMP)


def write_parquet(table: pa.Table, out: IO[bytes]) -> None:
    """Write a table as Parquet, types and column documentation included."""
    pq.write_table(table, out, compression="zstd")


def write_json_lines(table: pa.Table, out: IO[bytes]) -> None:
    """Write each row of a table as a JSON object on a line of its own."""
    for row in _rows(table):
        out.write(json_text(row, indent=None).encode() + b"\n")


def write_arrow(table: pa.Table, out: IO[bytes]) -> None:
    """Write a table as an Arrow IPC file, types and column documentation included."""
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)


class TabledCase(Protocol):
    """What a workbook needs of a case."""

    def table(self, name: str) -> pa.Table: ...


def workbook(case: TabledCase, tables: Iterable[str] = schema.TABLES) -> bytes:
    """The tables of a case that hold rows as an XLSX file, a sheet a table; the same case gives the same bytes.

    A sheet ends at the last row that XLSX can hold (1,048,576 with the header); the first sheet says how many rows each
    table has. The moment at which the evidence was opened is left out: it is no part of it.
    """
    out = io.BytesIO()
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": True,
    }
    book = xlsxwriter.Workbook(out, options)
    book.set_properties({"created": _BEGINNING})
    bold, time = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss.000"})
    first = book.add_worksheet("tables")
    first.write_row(0, 0, ["table", "rows", "rows in its sheet", "what a row is"], bold)
    filled = [(name, table) for name in tables if (table := case.table(name)).num_rows]
    for at, (name, table) in enumerate(filled, start=1):
        kept = table.drop_columns([it for it in _RUN_COLUMNS if it in table.column_names]).slice(
            0, _SHEET_ROWS
        )
        for column, value in enumerate([name, table.num_rows, kept.num_rows, schema.TABLES[name].sentence]):
            _write_cell(first, at, column, value, time)
        _fill_sheet(book.add_worksheet(name), kept, bold, time)
    book.close()
    return out.getvalue()


_BEGINNING = datetime(1980, 1, 1)  # the oldest time that a ZIP archive can hold
_SHEET_ROWS = 1_048_575
_RUN_COLUMNS = ("opened_at",)


def _fill_sheet(sheet: Any, table: pa.Table, bold: Any, time: Any) -> None:
    for column, name in enumerate(table.column_names):
        sheet.write_string(0, column, escape.excel_cell(name), bold)
    sheet.freeze_panes(1, 0)
    for at, row in enumerate(_rows(table), start=1):
        for column, value in enumerate(row.values()):
            _write_cell(sheet, at, column, value, time)


def _write_cell(sheet: Any, row: int, column: int, value: Any, time: Any) -> None:
    """Text as text, numbers as numbers where XLSX can hold them exactly."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, float) or (isinstance(value, int) and abs(value) <= _EXACT):
        sheet.write_number(row, column, value)
    elif isinstance(value, datetime) and value.year > 1900:
        sheet.write_datetime(row, column, value.astimezone(UTC).replace(tzinfo=None), time)
    else:
        plain = json_value(value)
        text = plain if isinstance(plain, str) else json_text(plain, indent=None)
        sheet.write_string(row, column, escape.excel_cell(text))


_EXACT = 10**15  # a cell of a worksheet holds 15 digits

FORMATS: dict[str, Callable[[pa.Table, IO[bytes]], None]] = {
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_json_lines,
    "arrow": write_arrow,
    "parquet": write_parquet,
}


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=_ROWS_AT_ONCE):
        yield from batch.to_pylist()


def _defused(table: pa.Table) -> pl.DataFrame:
    return pl.DataFrame([_defused_column(name, table[name]) for name in table.column_names])


def _defused_column(name: str, column: pa.ChunkedArray) -> pl.Series:
    safe_name = escape.csv_cell(name)
    if pa.types.is_nested(column.type):
        texts = [None if value is None else json_text(value, indent=None) for value in column.to_pylist()]
        return pl.Series(safe_name, texts, dtype=pl.String)
    if pa.types.is_binary(column.type):
        decoded = [json_value(value) for value in column.to_pylist()]
        return _defused_text(pl.Series(safe_name, decoded, dtype=pl.String))
    series = pl.Series(safe_name, column)
    if series.dtype in (pl.Categorical, pl.Enum):
        series = series.cast(pl.String)
    return _defused_text(series) if series.dtype == pl.String else series


def _defused_text(series: pl.Series) -> pl.Series:
    """Only the distinct texts that need it go through Python, one by one."""
    distinct = series.unique().drop_nulls()
    changed = {text: safe for text in distinct if (safe := escape.csv_cell(text)) != text}
    return series.replace(changed) if changed else series
