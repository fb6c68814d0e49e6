"""The reference page of the tables, made from :mod:`mailforensics.schema`: ``docs/reference/tables.md``.

``python -m mailforensics.show.reference docs/reference`` writes it; a test fails when the page is not current.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from mailforensics import schema

_HEAD = """# Tables

Made from `mailforensics/schema.py` by `make docs`; do not edit. Times are in UTC, durations in seconds and signed; null
means "not said". A word list in the type column is closed: the column holds these words and no others.
"""


def tables_page() -> str:
    """The page as Markdown, a table per table.

    >>> tables_page().splitlines()[0]
    '# Tables'
    """
    return "\n".join([_HEAD, *(line for table in schema.TABLES.values() for line in _table(table))])


def as_dict() -> list[dict[str, Any]]:
    """All tables with their columns as plain data, for ``mailforensics schema --json``."""
    return [
        {
            "name": table.name,
            "sentence": table.sentence,
            "columns": [_column(column) for column in table.columns],
        }
        for table in schema.TABLES.values()
    ]


def _column(column: schema.Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": str(column.type),
        "sentence": column.sentence,
        "example": column.example,
        "origin": column.origin,
        "rfc": column.rfc,
        "personal": column.personal,
        "vocabulary": list(column.vocabulary) if column.vocabulary else None,
    }


def _table(table: schema.Table) -> Iterator[str]:
    yield f"## {table.name}\n"
    yield f"{table.sentence}\n"
    yield "| column | type | what it says | example | from | personal |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for column in table.columns:
        said = f"{column.sentence}{f' ({column.rfc})' if column.rfc else ''}"
        cells = (f"`{column.name}`", type_words(column), said, f"`{_example(column.example)}`", column.origin)
        yield "| " + " | ".join((*map(_cell, cells), "yes" if column.personal else "")) + " |"
    yield ""


def type_words(column: schema.Column) -> str:
    """The type of a column for people; a closed vocabulary is listed.

    >>> type_words(schema.TABLES["hops"].column("trust"))
    'one of ours, trusted, claimed'
    """
    if column.vocabulary:
        return f"one of {', '.join(column.vocabulary)}"
    return str(column.type).replace("element: ", "").replace("item: ", "").replace(", tz=", ", ")


def _example(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        return repr(value)[1:]
    return value if isinstance(value, str) else json.dumps(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tables.md").write_text(tables_page(), encoding="utf-8")
