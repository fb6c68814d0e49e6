"""Findings, and why a mail went as it went, as plain text: a sentence each, the worst first or in the order of time.

    WARNING  discarded_by_sieve    (seen)    Mon 2 Mar 2026 10:02:12 +01:00
      The server answered that the message was saved, but a Sieve script of bob@example.org then discarded it.

Input are rows of the table ``findings`` and of ``Case.why``; every value passes through
:func:`mailforensics.show.escape.terminal`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import tzinfo

from mailforensics.show import words
from mailforensics.show.escape import terminal
from mailforensics.show.sentences import Data


def findings(rows: Sequence[Data], zone: str, *, width: int) -> str:
    """Rows of ``findings`` as text, in their order.

    >>> print(findings([], "UTC", width=80))
    Nothing found that is worth a look.
    """
    parts = ["\n".join(_finding(row, words.zone_of(zone), width)) for row in rows]
    return "\n\n".join(parts) if parts else "Nothing found that is worth a look."


def _finding(row: Data, zone: tzinfo, width: int) -> Iterator[str]:
    when = f"    {words.full(row['time'], zone)}" if row.get("time") else ""
    sure = str(row["certainty"]).replace("_", " ")
    yield f"{terminal(row['severity']).upper():8} {terminal(row['finding'])}    ({sure}){when}"
    yield from _indented(row["sentence"], width)
    if row.get("innocent"):
        yield from _indented(f"Innocent, if: {row['innocent']}", width)


def why(mails: Sequence[Data], zone: str, *, width: int) -> str:
    """Mails, each with the rows of ``Case.why`` under the key ``why``, as text.

    >>> print(why([{"sender": "alex@example.com", "message_id": "<1@example.com>", "why": []}], "UTC", width=80))
    alex@example.com    <1@example.com>
      Nothing in the evidence slowed or stopped this mail.
    """
    parts = ["\n".join(_mail(mail, words.zone_of(zone), width)) for mail in mails]
    return "\n\n".join(parts) if parts else "No such mail is in the evidence."


def _mail(mail: Data, zone: tzinfo, width: int) -> Iterator[str]:
    yield f"{terminal(mail.get('sender')) or '<>'}    {terminal(mail.get('message_id'))}".rstrip()
    if not mail["why"]:
        yield "  Nothing in the evidence slowed or stopped this mail."
    for row in mail["why"]:
        when = words.full(row["time"], zone) if row["time"] else "time unknown"
        yield f"  {when}  {terminal(row['status']).replace('_', ' ')}"
        yield from _indented(row["sentence"], width, "    ")


def _indented(text: str, width: int, by: str = "  ") -> list[str]:
    return textwrap.wrap(
        terminal(text),
        width,
        initial_indent=by,
        subsequent_indent=by,
        break_long_words=False,
        break_on_hyphens=False,
    )
