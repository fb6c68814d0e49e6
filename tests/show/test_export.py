"""S3: what leaves as CSV runs nothing; numbers stay numbers; JSON is JSON whatever the evidence holds."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mailforensics import schema
from mailforensics.show import escape, export
from tests.show.hostile import FORMULAS, PAYLOADS
from tests.show.test_escape import is_seen

# Arrow refuses half surrogates, so none can be in a table.
TEXTS = [
    payload for payload in PAYLOADS if not any("\ud800" <= character <= "\udfff" for character in payload)
]


def written(table: pa.Table, kind: str) -> bytes:
    out = io.BytesIO()
    export.FORMATS[kind](table, out)
    return out.getvalue()


def rejects(texts: list[str]) -> pa.Table:
    frame = pl.DataFrame({"helo": texts, "reply_code": list(range(-len(texts), 0))})
    return schema.to_table("rejects", frame)


def test_no_cell_of_a_csv_is_a_formula_and_numbers_are_unchanged() -> None:
    rows = [*csv.DictReader(io.StringIO(written(rejects(TEXTS), "csv").decode()))]
    assert len(rows) == len(TEXTS)
    assert [escape.is_formula(row["helo"]) for row in rows] == [False] * len(TEXTS)
    assert [int(row["reply_code"]) for row in rows] == list(range(-len(TEXTS), 0))


def test_a_csv_holds_no_control_character() -> None:
    said = written(rejects(TEXTS), "csv").decode()
    assert all(is_seen(character) for character in said if character != "\n")


def test_formulas_in_lists_structs_and_bytes_are_defused_too() -> None:
    headers = schema.to_table("headers", pl.DataFrame({"raw": [f.encode() for f in FORMULAS]}))
    rows = [*csv.DictReader(io.StringIO(written(headers, "csv").decode()))]
    assert all(row["raw"].startswith("'") for row in rows)
    messages = schema.to_table("messages", pl.DataFrame({"recipients": [["=1+1", "\x1b[2J"]]}))
    (row,) = csv.DictReader(io.StringIO(written(messages, "csv").decode()))
    assert json.loads(row["recipients"]) == ["=1+1", "\x1b[2J"]


def test_json_gives_the_rows_back() -> None:
    table = rejects(TEXTS)
    assert [row["helo"] for row in json.loads(written(table, "json"))] == TEXTS
    assert written(table, "json").isascii()


def test_json_of_no_row_is_an_empty_array() -> None:
    assert json.loads(written(rejects([]).slice(0, 0), "json")) == []


def test_times_are_iso_8601_in_utc_in_csv_and_json() -> None:
    frame = pl.DataFrame({"time": [datetime(2026, 3, 2, 9, 2, 11, 5, tzinfo=UTC)]})
    table = schema.to_table("rejects", frame)
    assert json.loads(written(table, "json"))[0]["time"] == "2026-03-02T09:02:11.000005Z"
    (row,) = csv.DictReader(io.StringIO(written(table, "csv").decode()))
    assert row["time"] == "2026-03-02T09:02:11.000005Z"


def test_parquet_gives_the_table_back_with_its_words() -> None:
    table = rejects(TEXTS)
    back = pq.read_table(pa.BufferReader(written(table, "parquet")))
    assert back.equals(table)
    assert back.schema.field("helo").metadata[b"personal"] == b"true"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_numbers_that_json_lacks_become_null(value: float) -> None:
    assert json.loads(export.json_text({"score": value})) == {"score": None}


def test_json_lines_hold_a_row_a_line_and_arrow_the_whole_table() -> None:
    table = schema.to_table("sources", pl.DataFrame({"path": ["mail.log", "=1+1"], "lines": [10, None]}))
    lines, arrow = io.BytesIO(), io.BytesIO()
    export.write_json_lines(table, lines)
    export.write_arrow(table, arrow)
    assert [json.loads(line)["path"] for line in lines.getvalue().splitlines()] == ["mail.log", "=1+1"]
    assert pa.ipc.open_file(io.BytesIO(arrow.getvalue())).read_all().equals(table, check_metadata=True)
