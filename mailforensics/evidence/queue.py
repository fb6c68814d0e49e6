"""A saved ``postqueue -j``: what is in the queue at that moment, and why it waits.

    {"queue_name": "deferred", "queue_id": "3F2A1C0B2", "arrival_time": 1772442131, "message_size": 2387, "sender": "alex@example.com",
     "recipients": [{"address": "bob@example.org", "delay_reason": "connect to mx.example.org[203.0.113.10]:25: Connection refused"}]}

One JSON object a line (postqueue(1), since Postfix 3.1). The output does not say when it was made: the file's time does.
"""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import polars as pl

SCHEMA: dict[str, pl.DataType] = {
    "source_id": pl.Int32(), "line_number": pl.Int64(), "time": pl.Datetime("us", "UTC"), "queue_name": pl.String(),
    "queue_id": pl.String(), "arrival_time": pl.Datetime("us", "UTC"), "size": pl.Int64(), "sender": pl.String(),
    "recipient": pl.String(), "reason": pl.String(), "parse_status": pl.String(),
}  # fmt: skip


def queue_entries(data: bytes, *, source_id: int = 0, time: dt.datetime | None = None) -> pl.DataFrame:
    """One row per waiting recipient; a line that is no queue entry is a row with parse_status ``unparsed``.

    >>> queue_entries(b'{"queue_name": "hold", "queue_id": "3F", "recipients": [{"address": "a@example.com"}]}')["recipient"][0]
    'a@example.com'
    """
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(data.splitlines(), start=1):
        if line.strip():
            rows += _rows(line, number, source_id, time)
    return pl.DataFrame(rows, schema=SCHEMA)


def _rows(line: bytes, number: int, source_id: int, time: dt.datetime | None) -> list[dict[str, Any]]:
    base: dict[str, Any] = dict.fromkeys(SCHEMA) | {
        "source_id": source_id,
        "line_number": number,
        "time": time,
    }
    try:
        entry = json.loads(line.decode("utf-8", "backslashreplace"))
        if not isinstance(entry, dict) or "queue_id" not in entry:
            raise ValueError("no queue entry")
    except (ValueError, RecursionError):
        return [base | {"parse_status": "unparsed"}]
    base |= {
        "queue_name": _text(entry.get("queue_name")), "queue_id": _text(entry.get("queue_id")), "sender": _text(entry.get("sender")),
        "arrival_time": _moment(entry.get("arrival_time")), "size": _number(entry.get("message_size")), "parse_status": "ok",
    }  # fmt: skip
    people = entry.get("recipients")
    named = [one for one in people if isinstance(one, dict)] if isinstance(people, list) else []
    return [
        base | {"recipient": _text(one.get("address")), "reason": _text(one.get("delay_reason"))}
        for one in named
    ] or [base]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and abs(value) < 1 << 62 else None


def _moment(value: object) -> dt.datetime | None:
    if not isinstance(value, int | float) or not 0 <= value < 1 << 34:
        return None
    return dt.datetime.fromtimestamp(value, dt.UTC)
