r"""Answers as plain text, for the terminal, a mail or a ticket: the outcome first, then the evidence.

    alex@example.com -> bob@example.org     "Offer 4711"     <d7979c16f20c@example.com>
    submitted Mon 2 Mar 2026 10:02:11 +01:00    2 hosts, 3 queue ids, 17 lines

      bob@example.org    ∅ DISCARDED BY SIEVE    (seen)
        mx answered "Saved", so Postfix logged status=sent; Bob's Sieve script then discarded the message.

Input are the plain dicts of ``Trace.to_dict()`` and ``Case.summary()``; missing keys are left out. Every value
passes through :func:`mailforensics.show.escape.terminal`.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from datetime import tzinfo

from rich.cells import cell_len

from mailforensics.show import sentences, words
from mailforensics.show.escape import terminal
from mailforensics.show.sentences import Data

FULL_STORIES = 5  # journeys told in full; more than these get a line each
WIDTH = 120  # columns
_NAME_WIDTH = 44
_LEAD_WIDTHS = (11, 14, 24, 16)  # the most for time, wait, host and program
_WHAT_WIDTH = 40  # the least for what happened, however narrow the screen


def trace(data: Data, *, full: int = FULL_STORIES, width: int = WIDTH) -> str:
    """The trace as text: each journey with its outcomes and timeline, then what was searched.

    ``data`` is ``Trace.to_dict()``. The first ``full`` journeys are told in full, the others in a line each.

    >>> print(trace({"query": {"to": "bob@example.org"}, "journeys": []}))
    Nothing found for to=bob@example.org.
    """
    zone = words.zone_of(data.get("zone"))
    journeys = list(data.get("journeys") or [])
    parts = ["\n".join(_journey(journey, zone, width)) for journey in journeys[:full]]
    if not journeys:
        parts.append(terminal(sentences.nothing_found(data)))
    if len(journeys) > full:
        parts.append("\n".join(_short_list(journeys[full:], zone)))
    parts.append("\n".join(_wrap(" ".join(map(terminal, sentences.coverage(data, zone))), width)))
    return "\n\n".join(part for part in parts if part)


def _journey(journey: Data, zone: tzinfo, width: int) -> Iterator[str]:
    subject = f'"{journey["subject"]}"' if journey.get("subject") else None
    title = (sentences.route(journey), subject, journey.get("message_id"))
    yield "     ".join(terminal(part) for part in title if part)
    yield "    ".join(filter(None, (sentences.begin(journey, zone), sentences.extent(journey))))
    yield ""
    outcomes = journey.get("outcomes") or []
    names = max((cell_len(terminal(outcome.get("recipient"))) for outcome in outcomes), default=0)
    for outcome in outcomes:
        yield from _outcome(outcome, min(names, _NAME_WIDTH), width)
    if journey.get("timeline"):
        yield ""
        yield from _timeline(journey["timeline"], zone, width)


def _outcome(outcome: Data, names: int, width: int) -> Iterator[str]:
    name = _pad(terminal(outcome.get("recipient") or "(recipient not seen)"), names)
    sign = terminal(words.outcome_sign(outcome.get("outcome"), outcome.get("mailbox")))
    head, certainty = terminal(sentences.headline(outcome)), terminal(sentences.certainty(outcome))
    yield f"  {name}    {sign} {head}    ({certainty})"
    original = outcome.get("original_recipient")
    if original and original != outcome.get("recipient"):
        yield f"    sent to {terminal(original)}"
    if outcome.get("sentence"):
        yield from _wrap(_with_places(outcome), width, "    ")
    if outcome.get("next"):
        yield from _wrap(f"Next: {terminal(outcome['next'])}", width, "    ")


def _with_places(outcome: Data) -> str:
    said = terminal(outcome["sentence"])
    places = terminal(", ".join(sentences.places(outcome)))
    if not places:
        return said
    return f"{said.removesuffix('.')} ({places})."


def _timeline(timeline: Sequence[Data], zone: tzinfo, width: int) -> Iterator[str]:
    rows = [_step(entry, zone) for entry in timeline]
    widest = [max(cell_len(row[at]) for row in rows) for at in range(len(rows[0]))]
    lead = [min(most, wide) for most, wide in zip(_LEAD_WIDTHS, widest, strict=False)]
    what = min(widest[4], max(_WHAT_WIDTH, width - sum(lead) - widest[5] - 2 * len(widest)))
    shown = words.day(timeline[0].get("time"), zone)
    for entry, row in zip(timeline, rows, strict=True):
        today = words.day(entry.get("time"), zone)
        if today != shown and words.moment(entry.get("time")):
            shown = today
            yield f"  {today}"
        yield from _step_lines(row, lead, what)


def _step(entry: Data, zone: tzinfo) -> tuple[str, ...]:
    told = (entry.get("host"), entry.get("program"), entry.get("what"), sentences.place(entry))
    return (words.clock(entry.get("time"), zone), sentences.wait(entry.get("wait_s")), *map(terminal, told))


def _step_lines(row: Sequence[str], lead: Sequence[int], what: int) -> Iterator[str]:
    """One step; what happened goes on below itself when it is long."""
    cells = [_pad(cell, size, right=at == 1) for at, (cell, size) in enumerate(zip(row, lead, strict=False))]
    first, *rest = [*_wrap(row[4], what)] or [""]
    yield ("  " + "  ".join([*cells, _pad(first, what), row[5]])).rstrip()
    for line in rest:
        yield " " * (2 + sum(map(cell_len, cells)) + 2 * len(cells)) + line


def _short_list(journeys: Sequence[Data], zone: tzinfo) -> Iterator[str]:
    yield f"{words.counted(len(journeys), 'more journey')}; narrow the question to see them in full:"
    for journey in journeys:
        when = words.short(journey.get("first_time"), zone)
        subject = f'"{str(journey["subject"])[:60]}"' if journey.get("subject") else ""
        cells = (sentences.route(journey), sentences.fates(journey), subject)
        yield "  ".join([f"  {when:12}", *(terminal(cell) for cell in cells if cell)])


def summary(data: Data, *, width: int = WIDTH) -> str:
    """The case at a glance: sources and time covered, counts, what was not understood, gaps, what is notable.

    ``data`` is ``Case.summary()``.

    >>> print(summary({"sources": [], "lines": 0, "hosts": []}))
    Case  0 sources, 0 hosts, 0 lines
    """
    zone = words.zone_of(data.get("zone"))
    lines = [f"Case  {terminal(sentences.case_title(data, zone))}"]
    if data.get("counts"):
        lines.append("  " + "    ".join(sentences.count_words(data["counts"])))
    lines += [f"  {terminal(note)}" for note in sentences.case_notes(data, zone)]
    return "\n".join(wrapped for line in lines for wrapped in _wrap(line, width, "", "    "))


def message(data: Data, *, width: int = WIDTH) -> str:
    """The headers of a message as text: what it says of itself, its hops from the sender, its authentication.

    ``data`` holds ``document`` (a row or None), ``hops`` and ``auth_results`` (lists of rows) and ``zone``.

    >>> print(message({"document": {"subject": "Offer 4711"}, "hops": [], "auth_results": []}))
    subject   Offer 4711
    <BLANKLINE>
    No Received field: nothing tells which way it came.
    """
    zone = words.zone_of(data.get("zone"))
    results = map(terminal, sentences.authentication(data.get("auth_results") or []))
    parts = [
        "\n".join(_document(data.get("document") or {}, zone)),
        "\n".join(_hops(data.get("hops") or [], zone, width)),
        "\n".join(line for said in results for line in _wrap(said, width, "", "  ")),
    ]
    return "\n\n".join(part for part in parts if part)


_DOCUMENT_WORDS = {
    "subject": "subject",
    "from_address": "from",
    "return_path": "envelope",
    "message_id": "id",
}


def _document(document: Data, zone: tzinfo) -> Iterator[str]:
    for key, word in _DOCUMENT_WORDS.items():
        if document.get(key) is not None:
            yield f"{word:9} {terminal(document[key]) or '<>'}"
    if document.get("date"):
        yield f"{'date':9} {words.full(document['date'], zone)}, by the sender's clock"
    if document.get("defects"):
        yield f"{'defects':9} {terminal(', '.join(map(str, document['defects'])))}"


def _hops(hops: Sequence[Data], zone: tzinfo, width: int) -> Iterator[str]:
    if not hops:
        yield "No Received field: nothing tells which way it came."
        return
    yield "Hops, from the sender to the mailbox (| written by a server of ours, : claimed by others):"
    for hop in sorted(hops, key=lambda row: row.get("hop") or 0):
        sign = ":" if hop.get("trust") == "claimed" else "|"
        when = words.full(hop.get("time"), zone) if hop.get("time") else "time unknown"
        lead = f"  {hop.get('hop') or '?':>2} {sign} {when:32}  {sentences.wait(hop.get('delay_s')):>10}  "
        yield from _wrap(terminal(sentences.hop_sentence(hop)), max(width, 100), lead, " " * 8)


def _pad(text: str, width: int, *, right: bool = False) -> str:
    space = " " * max(0, width - cell_len(text))
    return space + text if right else text + space


def _wrap(text: str, width: int, first: str = "", rest: str | None = None) -> Iterable[str]:
    indent = first if rest is None else rest
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
