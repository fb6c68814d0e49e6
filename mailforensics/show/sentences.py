"""The sentences that every form of an answer shares: text and HTML only lay them out, and escape them.

What comes in are the plain dicts of ``Trace.to_dict()``, ``Case.summary()`` and rows of tables; what comes out
is **not yet escaped**: whoever shows it passes it through :mod:`mailforensics.show.escape`. A sample:
``Searched mail and mx, 28 Feb 00:00 to 3 Mar 06:25 +01:00: 48,210 lines, 12 not understood (0.025 %).``
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, timedelta, tzinfo
from typing import Any

from mailforensics.show import words

NEAR = timedelta(hours=1)  # a gap that ends or begins within this of a message is told

Data = Mapping[str, Any]


def query_words(data: Data) -> str:
    """What was asked for, as key=value words.

    >>> query_words({"query": {"to": "bob@example.org", "since": None}})
    'to=bob@example.org'
    """
    asked = data.get("query") or {}
    return ", ".join(f"{key}={value}" for key, value in asked.items() if value) or "all mail"


def nothing_found(data: Data) -> str:
    """That nothing was found, and the addresses in the evidence that are spelt almost alike.

    >>> nothing_found({"query": {"to": "bop@example.org"}, "near": ["bob@example.org"]})
    'Nothing found for to=bop@example.org. Spelt almost alike: bob@example.org.'
    """
    said = f"Nothing found for {query_words(data)}."
    asked = [str(value).lower() for value in (data.get("query") or {}).values()]
    near = [str(address) for address in data.get("near") or [] if str(address).lower() not in asked]
    return f"{said} Spelt almost alike: {words.listed(near)}." if near else said


def route(journey: Data) -> str:
    """Who wrote to whom, three recipients at most.

    >>> route({"sender": "", "recipients": ["a@example.com", "b@example.com"]})
    '<> -> a@example.com, b@example.com'
    """
    recipients = [str(recipient) for recipient in journey.get("recipients") or []]
    if len(recipients) > 3:
        recipients = [*recipients[:2], f"{len(recipients) - 2} more"]
    sender = journey.get("sender")
    shown = "(sender not seen)" if sender is None else str(sender) or "<>"
    if meant := journey.get("sender_stands_for"):
        shown = f"{shown} ({meant['form']}: {meant['address']})"
    return f"{shown} -> {', '.join(recipients) or '(recipient not seen)'}"


def begin(journey: Data, zone: tzinfo = UTC) -> str:
    """When the mail begins: submitted where a submission is one of its steps, else first seen.

    >>> begin({"first_time": "2026-03-02T09:02:11Z"})
    'first seen Mon 2 Mar 2026 09:02:11 +00:00'
    """
    submitted = any(step.get("program") == "submission" for step in journey.get("timeline") or [])
    when = words.full(journey.get("received") or journey.get("first_time"), zone)
    return f"{'submitted' if submitted else 'first seen'} {when}"


def extent(journey: Data) -> str:
    """How many hosts, queue ids and lines a journey has.

    >>> extent({"hosts": ["mail", "mx"], "queue_ids": ["3F2A1C0B2"], "lines": 17})
    '2 hosts, 1 queue id, 17 lines'
    """
    nouns = (("hosts", "host"), ("queue_ids", "queue id"), ("lines", "line"))
    return ", ".join(words.counted(journey[key], noun) for key, noun in nouns if journey.get(key))


def headline(outcome: Data) -> str:
    """The word of an outcome in capitals, or the more exact one that the answer brings.

    >>> headline({"outcome": "discarded_by_sieve"})
    'DISCARDED BY SIEVE'
    """
    return str(outcome.get("headline") or words.outcome_word(outcome.get("outcome")).word)


def certainty(outcome: Data) -> str:
    """How surely an outcome is known, in words.

    >>> certainty({"certainty": "not_seen"})
    'not seen'
    """
    return str(outcome.get("certainty") or "not_seen").replace("_", " ")


def place(line: Data) -> str:
    """Where a line stands, as source:line.

    >>> place({"source": "mail.log", "line": 1042})
    'mail.log:1042'
    """
    number = line.get("line")
    return str(line.get("source") or "") + (f":{number}" if number is not None else "")


def places(outcome: Data) -> list[str]:
    """The last three lines that an outcome stands on, where its sentence does not name them itself."""
    evidence = [line for line in outcome.get("evidence") or [] if isinstance(line, Mapping)]
    said = str(outcome.get("sentence") or "")
    return [name for name in map(place, evidence[-3:]) if name and name not in said]


def wait(seconds: Any) -> str:
    """The wait before a step with its sign; empty where there is none to tell.

    >>> wait(0.41), wait(-2), wait(0), wait(None)
    ('+0.41 s', '-2 s', '', '')
    """
    said = words.duration(seconds)
    if said in ("", "0 s", "-0 s"):
        return ""
    return said if said.startswith("-") else f"+{said}"


def fates(journey: Data) -> str:
    """The outcomes of a journey in one short phrase.

    >>> fates({"outcomes": [{"outcome": "bounced"}, {"outcome": "bounced"}]})
    '↩ bounced'
    """
    ends = {words.outcome_word(outcome.get("outcome")) for outcome in journey.get("outcomes") or []}
    return ", ".join(sorted(f"{end.sign} {end.word.lower()}" for end in ends))


def coverage(data: Data, zone: tzinfo = UTC) -> Iterator[str]:
    """What a trace (``Trace.to_dict()``) looked at: hosts, time, lines, and the gaps near its messages.

    >>> [*coverage({"searched": {"hosts": [], "lines": 10, "not_understood": 1}})]
    ['Searched 10 lines, 1 not understood (10 %).']
    """
    searched = data.get("searched")
    if not searched:
        return
    hosts = searched.get("hosts") or []
    lines, missed = searched.get("lines") or 0, searched.get("not_understood") or 0
    share = f", {words.number(missed)} not understood ({words.share(missed, lines)})"
    found = bool(data.get("journeys"))  # whose heading tells the year
    where = f"{'; '.join(_ranges(hosts, zone, year=not found))}: " if hosts else ""
    yield f"Searched {where}{words.counted(lines, 'line')}{share}."
    if hosts:
        yield from _gaps(data.get("journeys") or [], hosts, zone)
    for clock in searched.get("clocks") or []:
        yield f"{clock[:1].upper()}{clock[1:]}; the steps stand in the order of the corrected times."
    if searched.get("silent"):
        yield f"No mail line in {words.listed(map(str, searched['silent']))}."


def _ranges(hosts: list[Data], zone: tzinfo = UTC, *, year: bool = False) -> Iterator[str]:
    """The hosts with the time they cover; those with the same range stand together."""
    ranges: dict[str, list[str]] = {}
    for host in hosts:
        covered = span(host.get("from"), host.get("to"), zone, year=year)
        ranges.setdefault(covered, []).append(str(host.get("host")))
    for covered, names in ranges.items():
        yield f"{words.listed(names)}, {covered}"


def span(begun: Any, ended: Any, zone: tzinfo = UTC, *, year: bool = False) -> str:
    """A stretch of time, the day told once where it begins and ends on it, with the offset at its end.

    >>> span("2026-02-28T00:00:00Z", "2026-03-03T05:25:00Z")
    '28 Feb 00:00 to 3 Mar 05:25 +00:00'
    >>> span("2026-02-28T00:00:00Z", "2026-02-28T05:25:00Z", year=True)
    '28 Feb 2026 00:00 to 05:25 +00:00'
    """
    since, until = words.moment(begun, zone), words.moment(ended, zone)
    if not since or not until:
        return f"{words.short(since, zone)} to {words.short(until, zone)}"
    years = year or since.year != until.year
    end = words.short(until, zone, year=since.year != until.year)
    if until - since < timedelta(minutes=10):
        return f"{words.short(since, zone, year=years)}:{since:%S} to {until:%H:%M:%S} {words.offset(until)}"
    if since.date() == until.date():
        end = f"{until:%H:%M}"
    return f"{words.short(since, zone, year=years)} to {end} {words.offset(until)}"


def _gaps(journeys: list[Data], hosts: list[Data], zone: tzinfo = UTC) -> Iterator[str]:
    near = [(host, gap) for host in hosts for gap in host.get("gaps") or [] if _is_near(gap, journeys)]
    for host, gap in near:
        yield f"{host.get('host')} has no line from {span(gap.get('from'), gap.get('to'), zone)}."
    if journeys and not near:
        yield f"No gap near {'this message' if len(journeys) == 1 else 'these messages'}."


def _is_near(gap: Data, journeys: list[Data]) -> bool:
    begun, ended = words.moment(gap.get("from")), words.moment(gap.get("to"))
    if not begun or not ended or not journeys:
        return True
    times = ((words.moment(it.get("first_time")), words.moment(it.get("last_time"))) for it in journeys)
    return any(first and last and begun <= last + NEAR and ended >= first - NEAR for first, last in times)


def case_title(data: Data, zone: tzinfo = UTC) -> str:
    """Sources, hosts, lines and the time that a case covers.

    >>> case_title({"sources": ["mail.log"], "hosts": ["mail"], "lines": 10})
    '1 source, 1 host, 10 lines'
    """
    sizes = [
        words.counted(data.get("sources") or [], "source"),
        words.counted(data.get("hosts") or [], "host"),
        words.counted(data.get("lines") or 0, "line"),
    ]
    if data.get("time_min") and data.get("time_max"):
        covered = span(data["time_min"], data["time_max"], zone, year=True)
        sizes.append(f"{covered} ({data['zone_note']})" if data.get("zone_note") else covered)
    return ", ".join(sizes)


def count_words(counts: Data) -> list[str]:
    """The counts of a case as words: messages, deliveries by status, rejects, scans, mailbox events.

    >>> count_words({"messages": 2, "deliveries": 3, "sent": 2, "deferred": 1, "bounced": 0})
    ['messages 2', 'deliveries 3: 2 sent, 1 deferred, 0 bounced']
    """
    status = [
        f"{words.number(counts[key])} {key}" for key in ("sent", "deferred", "bounced") if key in counts
    ]
    said = []
    for key in ("messages", "deliveries", "rejects", "scans", "mailbox_events", "sessions", "documents"):
        if key in counts:
            detail = ": " + ", ".join(status) if key == "deliveries" and status else ""
            said.append(f"{key.replace('_', ' ')} {words.number(counts[key])}{detail}")
    return said


def case_notes(data: Data, zone: tzinfo = UTC) -> Iterator[str]:
    """One line each for what was not understood, gaps, what is notable, silent and left alone.

    >>> [*case_notes({"not_understood": [{"program": "postfix/tlsproxy", "lines": 8}]})]
    ['not understood 8 lines (8 postfix/tlsproxy)']
    """
    missed = data.get("not_understood") or []
    if missed:
        total = sum(row.get("lines") or 0 for row in missed)
        parts = ", ".join(f"{words.number(row.get('lines'))} {row.get('program')}" for row in missed[:6])
        yield f"not understood {words.counted(total, 'line')} ({parts})"
    gaps = [
        f"{gap.get('host')} {span(gap.get('from'), gap.get('to'), zone)}" for gap in data.get("gaps") or []
    ]
    if gaps:
        yield f"gap: {'; '.join(gaps)}"
    if data.get("notable"):
        yield f"notable: {' · '.join(map(str, data['notable']))}"
    if data.get("silent"):
        yield f"no mail line in {words.listed(map(str, data['silent']))}"
    if data.get("left_alone"):
        yield f"left alone, no mail evidence: {words.listed(map(str, data['left_alone']))}"


def hop_sentence(hop: Data) -> str:
    """What one Received field says: who took it from whom, and how.

    >>> hop_sentence({"by_name": "mx.example.org", "from_helo": "a.example.com", "from_ip": "192.0.2.1",
    ...               "with_protocol": "ESMTPS"})
    'mx.example.org took it from 192.0.2.1, which called itself a.example.com, by ESMTPS'
    """
    said = f"{hop.get('by_name') or 'a server without a name'} took it{_from_words(hop)}"
    if hop.get("with_protocol"):
        said += f", by {hop['with_protocol']}"
    if hop.get("auth_user"):
        said += f", logged in as {hop['auth_user']}"
    return said + (f", {hop['tls_version']}" if hop.get("tls_version") else "")


def _from_words(hop: Data) -> str:
    name, ip, told = hop.get("from_name"), hop.get("from_ip"), hop.get("from_helo")
    seen = f"{name} [{ip}]" if name and ip else name or ip
    if not seen:
        return f" from a client that called itself {told}" if told else ""
    return f" from {seen}" + (f", which called itself {told}" if told and told not in (name, ip) else "")


_CHECKED = ("header_from", "header_d", "smtp_mailfrom", "smtp_helo", "smtp_auth", "smtp_remote_ip")


def authentication(results: Iterable[Data]) -> Iterator[str]:
    """One sentence for each authentication result, with who says it and whether that counts (RFC 8601 §5).

    >>> [*authentication([{"method": "spf", "result": "pass", "smtp_mailfrom": "a@example.com",
    ...                    "authserv_id": "other.example.net", "authserv_trust": "foreign"}])]
    ['SPF pass for a@example.com is claimed by other.example.net, not vouched for by a server of ours: it proves nothing.']
    """
    for row in results:
        if not row.get("method"):
            continue
        if row.get("field") == "DKIM-Signature":
            yield f"{row.get('header_d') or 'Somebody'} signed it (DKIM); the field alone does not say whether the signature holds."
            continue
        checked = next((f" for {row[key]}" for key in _CHECKED if row.get(key)), "")
        said = f"{str(row['method']).upper()} {row.get('result') or 'without a result'}{checked}"
        who = row.get("authserv_id") or "a server without a name"
        if row.get("authserv_trust") != "ours":
            yield f"{said} is claimed by {who}, not vouched for by a server of ours: it proves nothing."
        elif row.get("aligned") is False and row.get("result") == "pass":
            yield f"{said}, says {who}; that is not the domain in From: it does not help DMARC."
        else:
            yield f"{said}, says {who}."
