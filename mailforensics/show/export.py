"""Tables and answers as JSON, CSV, Parquet and Arrow IPC: times in ISO 8601 UTC, formulas and control characters defused.

CSV follows RFC 4180 with a header line; lists and structs stand in it as JSON. JSON is one array with a row a line, so
that both ``json.load`` and ``grep`` can read it; JSON lines has no brackets around it. NaN, which JSON lacks, becomes null.
XLSX is made in ``workbook.py``. All of it goes by whole columns.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import IO, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from mailforensics.show import escape

_ROWS_AT_ONCE = 20_000
STAMP = "%Y-%m-%dT%H:%M:%S%.6fZ"


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
    out.write(b"[")
    for at, lines in enumerate(_lines(table)):
        out.write((",\n" if at else "\n").encode() + lines.str.join(",\n").item().encode())
    out.write(b"\n]\n")


def write_csv(table: pa.Table, out: IO[bytes]) -> None:
    """Write a table as CSV that a spreadsheet can open without running any of it."""
    frame = plain(table)
    texts = [escape.csv_column(column) for column in frame.get_columns() if column.dtype == pl.String]
    frame = frame.with_columns(texts).rename(escape.csv_cell)
    frame.write_csv(out, datetime_format=STAMP)


def write_parquet(table: pa.Table, out: IO[bytes]) -> None:
    """Write a table as Parquet, types and column documentation included."""
    pq.write_table(table, out, compression="zstd")


def write_json_lines(table: pa.Table, out: IO[bytes]) -> None:
    """Write each row of a table as a JSON object on a line of its own."""
    for lines in _lines(table):
        out.write(lines.str.join("\n").item().encode() + b"\n")


def write_arrow(table: pa.Table, out: IO[bytes]) -> None:
    """Write a table as an Arrow IPC file, types and column documentation included."""
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)


FORMATS: dict[str, Callable[[pa.Table, IO[bytes]], None]] = {
    "csv": write_csv,
    "json": write_json,
    "jsonl": write_json_lines,
    "arrow": write_arrow,
    "parquet": write_parquet,
}


def plain(table: pa.Table) -> pl.DataFrame:
    """A table with columns of text, numbers, truth values and times only: lists and structs as JSON, bytes as text, no NaN."""
    columns = (_readable(name, table[name]) for name in table.column_names)
    return pl.DataFrame([_as_json(it) if it.dtype.is_nested() else it for it in columns])


def _lines(table: pa.Table) -> Iterator[pl.Series]:
    """The rows of a table as JSON objects in ASCII, some at a time."""
    for at in range(0, table.num_rows, _ROWS_AT_ONCE):
        some = table.slice(at, _ROWS_AT_ONCE)
        frame = pl.DataFrame([_readable(name, some[name]) for name in some.column_names])
        stamped = frame.with_columns(pl.col(pl.Datetime).dt.to_string(STAMP))
        yield _ascii(stamped.to_struct().struct.json_encode())


def _readable(name: str, column: pa.ChunkedArray) -> pl.Series:
    """A column with bytes as text, words of closed vocabularies as text, and null for numbers that JSON lacks."""
    series = pl.Series(name, column)
    if series.dtype == pl.Binary:
        return pl.Series(name, [json_value(value) for value in series], dtype=pl.String)
    if series.dtype in (pl.Categorical, pl.Enum):
        return series.cast(pl.String)
    if series.dtype.is_float():
        return series.to_frame().select(pl.when(pl.col(name).is_finite()).then(pl.col(name))).to_series()
    return series


def _as_json(series: pl.Series) -> pl.Series:
    """Lists and structs as JSON in ASCII."""
    within = series.alias("").to_frame().to_struct().struct.json_encode()
    texts = within.str.strip_prefix('{"":').str.strip_suffix("}")
    null = pl.col(series.name).is_null()
    return (
        pl.DataFrame([series, _ascii(texts).alias("json")])
        .select(pl.when(~null).then("json").alias(series.name))
        .to_series()
    )


def _ascii(texts: pl.Series) -> pl.Series:
    """JSON with what is not ASCII spelt out, so that nothing in it moves or hides anything."""
    odd = texts.filter(texts.str.contains("[^ -~]")).unique()
    spelt = {text: json_text(json.loads(text), indent=None) for text in odd}
    return texts.replace(spelt) if spelt else texts
