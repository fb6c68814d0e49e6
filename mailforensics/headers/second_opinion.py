"""A second opinion on Received fields: where mail-parser cuts the clauses in another way than we do.

Two readers that agree are no proof, but where they differ a person should look at the field itself::

    ordinal 2   id    ours 4F3D21    mail-parser (none)

mail-parser gives the clauses from, by, with, id and for as they are written; ours agrees where its value stands in
them. It is asked only here, since it takes five times as long as our own reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl
from mailparser.exceptions import MailParserReceivedParsingError
from mailparser.utils import parse_received

SCHEMA: dict[str, pl.DataType] = {
    "document_id": pl.Int64(), "ordinal": pl.Int32(), "hop": pl.Int32(), "clause": pl.String(), "ours": pl.String(),
    "theirs": pl.String(), "sentence": pl.String(), "event_id": pl.Int64(),
}  # fmt: skip
"""The columns: one row per clause that differs."""

_CLAUSES = {"from": "from_domain", "by": "by_name", "with": "with_clause", "id": "id", "for": "for_address"}
_LONGEST = 4096  # its patterns are not made for more


def second_opinion(frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """The clauses in which mail-parser differs, from the frames ``headers`` and ``hops`` of messages.

    Columns are :data:`SCHEMA`; no row means that both agree. A field that mail-parser cannot read, or that is too long
    to ask about, is a row with the clause ``field``. Nothing is raised.

    >>> from mailforensics.headers.message import read_message
    >>> message = read_message(b"Received: from a ([192.0.2.1]) by b with SMTP id 1; 1 Jan 2026 00:00 +0000\\n\\n")
    >>> second_opinion(message.frames).height
    0
    """
    values = frames["headers"].select("document_id", "ordinal", "value")
    hops = frames["hops"].join(values, on=["document_id", "ordinal"], how="left")
    rows: list[dict[str, Any]] = []
    for hop in hops.iter_rows(named=True):
        for clause, ours, theirs in _differences(hop):
            place = {name: hop[name] for name in ("document_id", "ordinal", "hop", "event_id")}
            rows.append(
                place
                | {
                    "clause": clause,
                    "ours": ours,
                    "theirs": theirs,
                    "sentence": _sentence(hop, clause, ours, theirs),
                }
            )
    return pl.DataFrame(rows, schema=SCHEMA)


def _differences(hop: Mapping[str, Any]) -> list[tuple[str, str | None, str | None]]:
    value = " ".join((hop["value"] or "").split())
    if len(value) > _LONGEST:
        return [("field", None, None)]
    try:
        read = parse_received(value)
    except MailParserReceivedParsingError:
        return [] if hop["parse_status"] != "ok" else [("field", hop["by_name"] or hop["from_domain"], None)]
    found = []
    for clause, column in _CLAUSES.items():
        ours, theirs = hop[column], read.get(clause) or None
        if not _agree(ours, theirs):
            found.append((clause, ours, theirs))
    return found


def _agree(ours: str | None, theirs: str | None) -> bool:
    if ours is None or theirs is None:
        return ours is theirs or (theirs or "").startswith("(")  # a comment alone names nobody
    return ours.lower().strip("<>[]") in theirs.lower()


def _sentence(hop: Mapping[str, Any], clause: str, ours: str | None, theirs: str | None) -> str:
    if clause == "field":
        return f"Hop {hop['hop']}: mail-parser does not read this field."
    return f"Hop {hop['hop']}: we read {clause} as {ours or 'not there'}, mail-parser as {theirs or 'not there'}."
