"""Log lines as flat JSON objects, a line each, as Sigma rules look at them.

    mailforensics export case/ --to sigma -o mail.jsonl

A Sigma rule names a log source and values of fields; a field with a dot or within another cannot be named in all of its
backends. So each record is flat: the three keys of a log source (``category`` is application, ``product`` the system, ``service``
the daemon), the columns of ``events``, and the fields that the line's shape captures under the names that `reference/lines` lists.
What is null is left out, so that ``field|exists: false`` holds. Lists stay lists: a rule matches when one of the values does.
A list of structs is the list of their names (the symbols of a verdict).

Source: Sigma rules specification 2.1.0 (log source, field existence, lists) and its taxonomy appendix (application folder).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import IO, Any, Protocol

import polars as pl

from mailforensics.show import export

Frame = pl.DataFrame

CATEGORY = "application"
_ROWS_AT_ONCE = 20_000
_COLUMNS = ("time", "host", "program", "pid", "severity", "queue_id", "session_id", "message_id", "kind")


class FieldedCase(Protocol):
    """What the export needs of a case."""

    def polars(self, name: str) -> Frame: ...

    def fields(self, event_ids: Iterable[int]) -> dict[int, dict[str, Any]]: ...


def write(case: FieldedCase, out: IO[bytes]) -> int:
    """Write a record a line and return how many; lines that were not understood are there with their text."""
    events = case.polars("events")
    for some in events.iter_slices(_ROWS_AT_ONCE):
        fields = case.fields(some["event_id"].to_list())
        for row in some.iter_rows(named=True):
            record = _record(row, fields.get(row["event_id"], {}))
            out.write(export.json_text(record, indent=None).encode() + b"\n")
    return events.height


def _record(row: Mapping[str, Any], fields: Mapping[str, Any]) -> dict[str, Any]:
    source = {
        "category": CATEGORY,
        "product": row["system"],
        "service": row["daemon"],
        "message": row["text"],
    }
    told = {name: value for name, value in fields.items() if name not in source}
    told |= {name: row[name] for name in _COLUMNS if row[name] is not None}
    flat = {name: _flat(value) for name, value in (source | told).items()}
    return {name: value for name, value in flat.items() if value is not None and value != []}


def _flat(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [next(iter(it.values()), None) if isinstance(it, dict) else it for it in value]
    return export.json_text(value, indent=None) if isinstance(value, dict) else value
