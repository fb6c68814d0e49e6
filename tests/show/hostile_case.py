"""A case in which every text of every table is a hostile one, a row for each: for widgets, pictures and reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pyarrow as pa

from mailforensics import schema
from mailforensics.case import Case
from tests.show.hostile import PAYLOADS

T0 = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
# Tables hold no halves of surrogate pairs: they come in spelt out.
STORED = [payload.encode("utf-8", "backslashreplace").decode() for payload in PAYLOADS]
_CLOSED = {"timezone": "UTC", "severity": "warning"}  # words that the schema leaves open


def hostile_case(payloads: Sequence[str] = STORED) -> Case:
    """The case; its tables are those of the schema."""
    frames = {name: _frame(name, payloads) for name in schema.TABLES}
    return Case(
        frames=frames, own=("mx.example.org",), timezone="UTC", left_alone=[(it, it) for it in payloads]
    )


def _frame(name: str, payloads: Sequence[str]) -> pl.DataFrame:
    columns = {}
    for column in schema.table(name).columns:
        words = {"": column.vocabulary, **(column.members or {})}
        values = [
            _CLOSED.get(column.name) or _value(column.type, text, at, words)
            for at, text in enumerate(payloads, 1)
        ]
        columns[column.name] = pa.array(values, _plain(column.type))
    return schema.conform(name, pl.DataFrame(pa.table(columns)))


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_list(kind):
        return pa.list_(_plain(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(field.name, _plain(field.type)) for field in kind])
    return pa.string() if pa.types.is_dictionary(kind) else kind


def _value(kind: pa.DataType, text: str, at: int, words: Mapping[str, Any], name: str = "") -> Any:
    """A value of that type: the text where text is free, a word of the vocabulary where it is closed."""
    if pa.types.is_list(kind):
        return [_value(kind.value_type, text, at, words, name)]
    if pa.types.is_struct(kind):
        return {field.name: _value(field.type, text, at, words, field.name) for field in kind}
    if pa.types.is_timestamp(kind):
        return T0 + timedelta(minutes=at)
    if pa.types.is_boolean(kind):
        return True
    if pa.types.is_binary(kind):
        return f"Subject: {text}\r\n".encode()
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        return float(at) if pa.types.is_floating(kind) else at
    closed = words.get(name)
    return closed[at % len(closed)] if closed else text
