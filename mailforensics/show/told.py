"""Findings, and why a mail went as it went, as plain text: a sentence each, the worst first or in the order of time.

    WARNING  discarded_by_sieve    (seen)    2 times
      The server answered that the message was saved, but a Sieve script of bob@example.org then discarded it.
        Mon 2 Mar 2026 10:02:12 +01:00  alex@example.com -> bob@example.org  "Offer 4711"  (mx/mail.log:2210)
        Tue 3 Mar 2026 08:15:40 +01:00  alex@example.com -> bob@example.org  "Offer 4712"  (mx/mail.log:3178)

What is said in the same words of several mails is said once, with each mail beneath. Input are rows of
``answers.findings_told`` and of ``Case.why``; every value passes through
:func:`mailforensics.show.escape.terminal`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import tzinfo

from mailforensics.findings.rows import SAME_WORDS
from mailforensics.show import words
from mailforensics.show.escape import terminal
from mailforensics.show.sentences import Data

_TOLD = 5  # mails named under what is said of many


def findings(rows: Sequence[Data], zone: str, *, width: int) -> str:
    """Rows of ``findings`` as text, in their order.

    >>> print(findings([], "UTC", width=80))
    Nothing found that is worth a look.
    """
    parts = ["\n".join(_finding(same, words.zone_of(zone), width)) for same in alike(rows)]
    return "\n\n".join(parts) if parts else "Nothing found that is worth a look."


def alike(rows: Sequence[Data]) -> list[list[Data]]:
    """Findings that say the same in the same words, together, in the order of the first of each.

    >>> rows = [{"finding": "x", "sentence": sentence} for sentence in ("A.", "B.", "A.")]
    >>> [len(same) for same in alike(rows)]
    [2, 1]
    """
    groups: dict[tuple[object, ...], list[Data]] = {}
    for row in rows:
        key = tuple(row.get(name) for name in SAME_WORDS)
        groups.setdefault(key, []).append(row)
    return list(groups.values())


def _finding(same: Sequence[Data], zone: tzinfo, width: int) -> Iterator[str]:
    row = same[0]
    sure = str(row["certainty"]).replace("_", " ")
    often = f"    {words.number(len(same))} times" if len(same) > 1 else ""
    yield f"{terminal(row['severity']).upper():8} {terminal(row['finding'])}    ({sure}){often}"
    yield from _indented(row["sentence"], width)
    if row.get("innocent"):
        yield from _indented(f"Innocent, if: {row['innocent']}", width)
    for one in same[:_TOLD]:
        if place := _place(one, zone):
            yield from _indented(place, width, "    ", "        ")
    if len(same) > _TOLD:
        yield f"    and {words.number(len(same) - _TOLD)} more, all of them with --json"


def _place(row: Data, zone: tzinfo) -> str:
    """When, which mail, which lines."""
    when = words.full(row["time"], zone) if row.get("time") else ""
    mails = row.get("mails") or []
    mail = _named(mails[0]) if mails else ""
    more = f"and {words.counted(len(mails) - 1, 'more mail')}" if len(mails) > 1 else ""
    left = len(row.get("evidence") or []) - len(row.get("lines") or [])
    lines = ", ".join(row.get("lines") or []) + (f" and {words.number(left)} more" if left > 0 else "")
    return "  ".join(part for part in (when, mail, more, f"({lines})" if row.get("lines") else "") if part)


def _named(mail: Data) -> str:
    recipients = mail.get("recipients") or []
    more = f" and {len(recipients) - 1} more" if len(recipients) > 1 else ""
    to = f"{recipients[0]}{more}" if recipients else "?"
    subject = f'"{mail["subject"]}"' if mail.get("subject") else str(mail.get("message_id") or "")
    return f"{mail.get('sender') or '<>'} -> {to}  {subject}".rstrip()


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


def _indented(text: str, width: int, by: str = "  ", then: str | None = None) -> list[str]:
    return textwrap.wrap(
        terminal(text),
        width,
        initial_indent=by,
        subsequent_indent=by if then is None else then,
        break_long_words=False,
        break_on_hyphens=False,
    )
