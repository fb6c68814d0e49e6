from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from mailforensics import schema
from mailforensics.errors import OptionError
from mailforensics.show import reference

EVERY_TABLE = pytest.mark.parametrize("name", [*schema.TABLES])
EVERY_COLUMN = pytest.mark.parametrize(
    ("table", "column"),
    [
        pytest.param(table, column, id=f"{table.name}.{column.name}")
        for table in schema.TABLES.values()
        for column in table.columns
    ],
)


def example_frame(name: str) -> pl.DataFrame:
    return pl.DataFrame({column.name: [column.example] for column in schema.TABLES[name].columns})


@EVERY_TABLE
def test_a_row_of_examples_survives_the_way_into_arrow_and_back(name: str) -> None:
    table = schema.to_table(name, example_frame(name))
    table.validate(full=True)
    assert table.schema.equals(schema.arrow_schema(name), check_metadata=True)
    assert table.to_pylist() == [{column.name: column.example for column in schema.TABLES[name].columns}]


@EVERY_TABLE
def test_a_row_of_nulls_and_no_row_at_all_have_the_same_schema(name: str) -> None:
    nulls = pl.DataFrame({column: [None] for column in schema.TABLES[name].names})
    for frame in (nulls, schema.empty(name), pl.DataFrame(), example_frame(name).select(pl.first())):
        assert schema.to_table(name, frame).schema.equals(schema.arrow_schema(name))


@EVERY_TABLE
def test_tables_of_two_cases_can_be_put_together(name: str) -> None:
    one = schema.to_table(name, example_frame(name))
    other = schema.to_table(name, schema.empty(name))
    assert pa.concat_tables([one, other, one]).combine_chunks().num_rows == 2


@EVERY_TABLE
def test_pandas_polars_and_duckdb_take_the_table_as_it_is(name: str) -> None:
    row = schema.to_table(name, example_frame(name))
    assert len(row.to_pandas(types_mapper=pd.ArrowDtype)) == 1
    frame = pl.from_arrow(row)
    assert isinstance(frame, pl.DataFrame)
    assert schema.conform(name, frame).equals(schema.conform(name, example_frame(name)))
    assert duckdb.sql("select count(*) from row").fetchall() == [(1,)]


@EVERY_COLUMN
def test_each_column_is_documented(table: schema.Table, column: schema.Column) -> None:
    assert re.fullmatch(r"[a-z][a-z0-9_]*", column.name)
    assert column.sentence.endswith(".")
    assert column.rfc is None or re.fullmatch(r"RFC [0-9]+( §[0-9.]+)?", column.rfc)
    assert column.example is not None
    if column.vocabulary:
        assert column.example in column.vocabulary
        assert len(set(column.vocabulary)) == len(column.vocabulary) <= 127  # int8 codes


@EVERY_COLUMN
def test_names_tell_units_and_types(table: schema.Table, column: schema.Column) -> None:
    if column.name.endswith("_s") and column.name != "header_s":  # the selector s= of DKIM
        assert column.type == pa.float64()
    if column.type == pa.timestamp("us", "UTC"):
        assert column.example.tzinfo is UTC
    if column.name in ("evidence", "message_keys"):
        assert column.type == pa.list_(pa.int64())


PERSONAL = re.compile(
    r"sender|recipient|username|subject|client_ip|client_name|helo|_user$|message_id$|mailfrom|address"
)
NOT_PERSONAL = {"sender_domain", "recipient_domain", "recipient_count"}


@EVERY_COLUMN
def test_columns_that_can_name_a_person_are_marked(table: schema.Table, column: schema.Column) -> None:
    if PERSONAL.search(column.name) and column.name not in NOT_PERSONAL:
        assert column.personal


def test_extra_columns_stand_at_the_end_in_the_types_of_the_tables() -> None:
    frame = pl.DataFrame({"colour": ["red"], "tags": [["a", "b"]], "path": ["mail.log"]})
    table = schema.to_table("sources", frame)
    assert table.column_names[-2:] == ["colour", "tags"]
    assert table.schema.field("colour").type == pa.string()
    assert table.schema.field("tags").type == pa.list_(pa.string())
    assert schema.conform("sources", frame).columns == table.column_names


def test_a_word_that_is_not_in_the_vocabulary_is_named_with_those_that_are() -> None:
    with pytest.raises(OptionError, match=r"'lost' is no word of deliveries\.status; the words are sent, "):
        schema.to_table("deliveries", pl.DataFrame({"status": ["sent", "lost"]}))


def test_a_wrong_word_inside_a_list_of_structs_is_named_too() -> None:
    outcome = schema.TABLES["journeys"].column("outcomes").example[0] | {"outcome": "vanished"}
    with pytest.raises(OptionError, match=r"'vanished' is no word of journeys\.outcomes\.outcome"):
        schema.conform("journeys", pl.DataFrame({"outcomes": [[outcome]]}))


@pytest.mark.parametrize("value", ["many", {"a": 1}, ["x"]])
def test_a_value_that_does_not_fit_names_table_and_column(value: Any) -> None:
    with pytest.raises(OptionError, match="Column 'size' of table 'messages' must be Int64"):
        schema.conform("messages", pl.DataFrame({"size": [value]}))


def test_an_unknown_table_or_column_names_those_there_are() -> None:
    with pytest.raises(OptionError, match="There is no table 'mails'; the tables are sources, events"):
        schema.empty("mails")
    with pytest.raises(OptionError, match="Table 'scans' has no column 'points'; it has time, engine"):
        schema.TABLES["scans"].column("points")


def test_the_dictionary_of_a_vocabulary_is_whole_and_in_order_whatever_the_rows_hold() -> None:
    table = schema.to_table("deliveries", pl.DataFrame({"status": ["deliverable"]}))
    assert table["status"].chunk(0).dictionary.to_pylist() == list(schema.DELIVERY_STATUSES)


def test_times_without_a_fraction_and_integers_of_other_widths_are_taken() -> None:
    frame = pl.DataFrame(
        {"time": [datetime(2026, 3, 2, tzinfo=UTC)], "reply_code": [550], "client_port": [25]}
    )
    narrow = frame.with_columns(pl.col("reply_code").cast(pl.UInt16), pl.col("time").dt.cast_time_unit("ms"))
    assert schema.to_table("rejects", narrow).schema.equals(schema.arrow_schema("rejects"))


def test_the_page_of_the_tables_is_current() -> None:
    page = Path(__file__).parents[1] / "docs" / "reference" / "tables.md"
    assert page.read_text(encoding="utf-8") == reference.tables_page(), "run: make docs"
