"""Messages as tables: documents, header fields, hops, authentication results and filter verdicts.

``read_message`` takes the bytes of one message (.eml, a Maildir file, Outlook's .msg, a header section alone)::

    Return-Path: <alice@example.org>
    Received: from mail.example.org (mail.example.org [192.0.2.7]) by mx.example.net (Postfix) ...
    Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=example.org
    From: Alice <alice@example.org>

and gives one :class:`Message` whose tables have the columns of :mod:`mailforensics.schema`. ``read_messages`` does it
for many at once, whole columns at a time. Spans in ``hops`` are byte offsets into ``raw`` of the same field in
``headers``, so that a view can mark each value in the field as it came.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa

from mailforensics import schema
from mailforensics.errors import EvidenceError, OptionError
from mailforensics.headers import authentication, path, spam
from mailforensics.headers.dates import read_date
from mailforensics.headers.domains import domain_of
from mailforensics.headers.fields import Field, HeaderSection, clean_pasted, read_fields, readable
from mailforensics.headers.outlook import is_outlook, read_outlook
from mailforensics.headers.own_results import own_results
from mailforensics.headers.parts import PARTS, read_parts
from mailforensics.headers.received import canonical_ip
from mailforensics.headers.stamps import read_stamps
from mailforensics.limits import DEFAULT, Limits

TABLES = ("documents", "headers", "hops", "auth_results", "scans")
_AUTH_FIELDS = frozenset(
    ("authentication-results", "arc-authentication-results", "received-spf", "dkim-signature", "arc-seal")
)
_LOOKS_PASTED = re.compile(r"\s*(?:>[ \t]*)*[A-Za-z][A-Za-z0-9-]+:")
_ADDRESS = re.compile(r"<\s*([^<>\s]*)\s*>|([^\s<>,;:()\"@]{1,128}@[^\s<>,;:()\"]{1,255})")


@dataclass(frozen=True)
class MessageTables:
    """The tables of one or many messages, as polars frames; the properties of the same names are Arrow tables.

    >>> tables = read_message(b"Subject: x\\n\\n")
    >>> tables.headers["name"].to_pylist()
    ['Subject']
    """

    frames: dict[str, pl.DataFrame]
    data: bytes | None = field(default=None, repr=False)

    def _table(self, name: str) -> pa.Table:
        return schema.to_table(name, self.frames[name])

    @cached_property
    def documents(self) -> pa.Table:
        """One row per message file."""
        return self._table("documents")

    @cached_property
    def headers(self) -> pa.Table:
        """One row per field, in order; ``raw`` holds the bytes as they came."""
        return self._table("headers")

    @cached_property
    def hops(self) -> pa.Table:
        """One row per Received field; hop 1 is nearest to the sender."""
        return self._table("hops")

    @cached_property
    def auth_results(self) -> pa.Table:
        """One row per method of each authentication field."""
        return self._table("auth_results")

    @cached_property
    def scans(self) -> pa.Table:
        """One row per verdict of a spam filter."""
        return self._table("scans")

    @cached_property
    def parts(self) -> pa.Table:
        """One row per MIME part, with names, sizes and hashes of attachments: for a single message only."""
        if self.data is None:
            raise OptionError("Parts are read from one message at a time: use read_message(data).parts.")
        number = self.frames["documents"]["document_id"][0]
        if is_outlook(self.data):
            rows = read_outlook(self.data, document_id=number).parts
        else:
            rows = read_parts(self.data, document_id=number)
        return pa.Table.from_pylist(rows.to_dicts(), schema=PARTS)


Message = MessageTables
"""The tables of one message: what ``read_message`` and ``read_headers`` give."""


def read_headers(
    source: bytes | str | os.PathLike[str],
    *,
    own: Sequence[str] = (),
    authserv: Sequence[str] = (),
    limits: Limits = DEFAULT,
) -> Message:
    """The tables of one message from its bytes, from pasted header text, or from a file.

    Text with a line break or that begins like a field (``Received: ...``) is read as pasted text: quoting,
    shared indentation and lost folding are undone. Any other text is a path. ``own`` names the networks and
    hosts that are yours: without it every hop is ``claimed``; ``authserv`` is that of :func:`read_message`.

    Raises :class:`EvidenceError` when the file cannot be read and :class:`OptionError` when ``own`` does not fit.

    >>> read_headers("Received: by mx.example.net id 7; 1 Jan 2026 00:00 +0000").hops["by_name"].to_pylist()
    ['mx.example.net']
    """
    if isinstance(source, bytes):
        return _read_given("The bytes", source, own, authserv, limits)
    if isinstance(source, str) and ("\n" in source or "\r" in source or _LOOKS_PASTED.match(source)):
        return read_message(clean_pasted(source), own=own, authserv=authserv, limits=limits)
    try:
        with Path(source).open("rb") as file:
            data = file.read(limits.message_bytes)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise EvidenceError(
            f"{source} could not be read as a message: {why}. Give a file, bytes or header text."
        ) from error
    return _read_given(str(source), data, own, authserv, limits)


def _read_given(
    name: str, data: bytes, own: Sequence[str], authserv: Sequence[str], limits: Limits
) -> Message:
    if is_outlook(data):
        try:
            read_outlook(data, limits=limits)
        except EvidenceError as error:
            raise EvidenceError(f"{name} cannot be read. {error}") from error
    return read_message(data, own=own, authserv=authserv, limits=limits)


def read_message(
    data: bytes,
    *,
    source_id: int = 0,
    base_offset: int = 0,
    own: Sequence[str] = (),
    trusted: Sequence[str] = (),
    submission: Sequence[str] = (),
    authserv: Sequence[str] = (),
    limits: Limits = DEFAULT,
) -> Message:
    """The tables of one message from its bytes; bad bytes are rows with defects, nothing is raised for them.

    ``own`` and ``trusted`` are networks and host names as :meth:`.path.Own.of` reads them, ``submission`` those
    of servers whose clients had to log in. ``authserv`` names authserv-ids whose forged copies our border
    removes: their fields then count right below the border too, where milters write. Without it they count there
    only where a field that quotes our queue id stands for them (:mod:`.own_results`).

    >>> message = read_message(b"Received: from a ([192.0.2.1]) by b with SMTP id 1; 1 Jan 2026 00:00 +0000\\n\\n")
    >>> message.hops["from_ip"].to_pylist()
    ['192.0.2.1']
    """
    border = path.Border.of(own, trusted, submission)
    rows = _Rows(border, authserv, limits)
    rows.add(source_id, base_offset, data)
    return MessageTables(rows.frames(), data)


def read_messages(
    messages: Iterable[tuple[int, int, bytes]],
    *,
    own: Sequence[str] = (),
    trusted: Sequence[str] = (),
    submission: Sequence[str] = (),
    authserv: Sequence[str] = (),
    limits: Limits = DEFAULT,
) -> MessageTables:
    """The tables of many messages, given as (source_id, byte offset in the source, bytes).

    ``document_id`` is made from source and offset and is the same in every run. Options as for
    :func:`read_message`. Bodies are let go as soon as they were looked at, and rows become columns every 1,000
    messages, so that memory holds the tables and little else; see :func:`read_in_batches` for less.

    >>> read_messages([(1, 0, b"Subject: a\\n\\n"), (1, 12, b"Subject: b\\n\\n")]).documents["subject"].to_pylist()
    ['a', 'b']
    """
    border = path.Border.of(own, trusted, submission)
    rest = iter(messages)
    parts: list[dict[str, pl.DataFrame]] = []
    while True:
        rows = _Rows(border, authserv, limits)
        for source_id, offset, data in islice(rest, _AT_ONCE):
            rows.add(source_id, offset, data)
        if parts and not rows.sections:
            return MessageTables({name: pl.concat([part[name] for part in parts]) for name in parts[0]})
        parts.append(rows.frames())


_AT_ONCE = 1000


def read_in_batches(
    messages: Iterable[tuple[int, int, bytes]], *, size: int = 2000, **options: Any
) -> Iterator[MessageTables]:
    """The tables of very many messages, ``size`` at a time, so that memory depends on the batch only.

    Messages and options as for :func:`read_messages`.

    >>> [len(batch.documents) for batch in read_in_batches([(1, n, b"A: b\\n\\n") for n in range(5)], size=2)]
    [2, 2, 1]
    """
    rest = iter(messages)
    while batch := list(islice(rest, size)):
        yield read_messages(batch, **options)


def document_id(source_id: int, offset: int) -> int:
    """The number of the message that begins at this byte of a source; fields follow from it.

    >>> document_id(1, 12) - document_id(1, 0)
    12
    """
    return (source_id << 40) + offset


def _section(data: bytes, limits: Limits) -> HeaderSection:
    """The header section of a message; of an Outlook file the one that Outlook kept."""
    if not is_outlook(data):
        return read_fields(data, limits=limits)
    try:
        kept = read_outlook(data, limits=limits)
    except EvidenceError:
        return HeaderSection((), len(data), ("outlook_unreadable",))
    section = read_fields(kept.header, limits=limits)
    return replace(section, defects=(*section.defects, *kept.defects))


class _Rows:
    """Gathers the fields of messages one after another; Received fields are read together at the end."""

    def __init__(self, border: path.Border, authserv: Sequence[str], limits: Limits) -> None:
        self.border, self.limits = border, limits
        self.authserv = tuple(word.lower() for word in authserv)
        self.headers: dict[str, list[Any]] = {name: [] for name in _HEADER_COLUMNS}
        self.sections: list[tuple[int, HeaderSection]] = []
        self.received: list[tuple[int, int, Field]] = []
        self.rows: dict[str, list[dict[str, Any]]] = {
            name: [] for name in ("documents", "auth_results", "scans")
        }

    def add(self, source_id: int, offset: int, data: bytes) -> None:
        number = document_id(source_id, offset)
        section = _section(data, self.limits)
        self.sections.append((number, section))
        received = [
            (number, ordinal, one) for ordinal, one in enumerate(section.fields) if one.key == "received"
        ]
        self.received += received
        self._add_headers(number, section)
        self.rows["documents"].append(_document(number, source_id, data, section, len(received)))

    def _add_headers(self, number: int, section: HeaderSection) -> None:
        for ordinal, one in enumerate(section.fields):
            value, odd = readable(one.key, one.raw_value)
            row = (number, ordinal, one.name, one.raw, value, one.line_number, one.byte_offset, len(one.raw),
                   [*one.defects, *odd], number + one.byte_offset)  # fmt: skip
            for name, cell in zip(_HEADER_COLUMNS, row, strict=True):
                self.headers[name].append(cell)

    def frames(self) -> dict[str, pl.DataFrame]:
        hops = _hops(self.received, self.border)
        trusts: dict[int, list[dict[str, Any]]] = {}
        for row in hops.select(_TRUST_COLUMNS).iter_rows(named=True):
            trusts.setdefault(row["document_id"], []).append(row)
        for (number, section), row in zip(self.sections, self.rows["documents"], strict=True):
            row |= _originating(section, trusts.get(number, []), self.border)
            self._auth_results(number, section, trusts.get(number, []))
            self._scans(number, section, trusts.get(number, []))
        frames = {name: _frame(name, rows) for name, rows in self.rows.items()}
        headers = pl.DataFrame(self.headers, schema={name: _HEADER_TYPES[name] for name in _HEADER_COLUMNS})
        return {"documents": frames["documents"], "headers": headers, "hops": hops} | frames

    def _auth_results(self, number: int, section: HeaderSection, hops: list[dict[str, Any]]) -> None:
        from_domain = domain_of(address_of(section.first("from") or "") or "")
        read = {
            ordinal: authentication.read_field(one.key, readable(one.key, one.raw_value)[0])
            for ordinal, one in enumerate(section.fields)
            if one.key in _AUTH_FIELDS
        }
        shown = own_results(section.fields, read, hops, _our_names(read, hops, self.border))
        for ordinal, rows in read.items():
            authentication.mark_alignment(rows, from_domain)
            for row in rows:
                row |= {"document_id": number, "ordinal": ordinal, "authserv_trust": None}
                if row["field"] not in ("DKIM-Signature", "ARC-Seal"):
                    server = row["authserv_id"]
                    trust = authserv_trust(server, ordinal, hops, self.border, self.authserv)
                    row["authserv_trust"] = "ours" if ordinal in shown else trust
            self.rows["auth_results"] += rows

    def _scans(self, number: int, section: HeaderSection, hops: list[dict[str, Any]]) -> None:
        found = [(ordinal, one) for ordinal, one in enumerate(section.fields) if one.key in spam.FIELDS]
        for row in spam.read_scans((one.name, one.value) for _, one in found):
            used = [found[place] for place in row.pop("places")]
            row |= {
                "document_id": number, "ordinal": used[0][0], "message_id": _stripped(section.first("message-id")),
                "subject": section.first("subject"), "evidence": [number + one.byte_offset for _, one in used],
                "trust": _trust_at(used[0][0], hops),
            }  # fmt: skip
            self.rows["scans"].append(row)


_TRUST_COLUMNS = ("document_id", "ordinal", "trust", "peer_trust", "from_ip", "auth", "by_name", "id")
_HEADER_TYPES = schema.polars_schema("headers")
_HEADER_COLUMNS = (
    "document_id", "ordinal", "name", "raw", "value", "line_number", "byte_offset", "byte_length", "defects", "event_id",
)  # fmt: skip
_FEW = 200  # below this many fields, reading them one by one is quicker than starting whole columns
_PATH_COLUMNS = (
    "from_domain", "from_name", "from_ip", "by_name", "by_ip", "with_protocol", "auth", "format", "time", "software",
    "defects",
)  # fmt: skip


def _hops(received: list[tuple[int, int, Field]], border: path.Border) -> pl.DataFrame:
    """The hops of all messages: what each field says, then what only the whole path of a message says."""
    values = [one.raw_value for _, _, one in received]
    starts = [one.value_start for _, _, one in received]
    stamps = read_stamps(values, value_starts=starts, singly=len(values) < _FEW)
    numbers = [number for number, _, _ in received]
    completed: dict[str, list[Any]] = {name: [] for name in _PATH_TYPES}
    rows = stamps.select(_PATH_COLUMNS).to_dicts()
    for group in _runs(numbers):
        for row in complete_hops(rows[group], border):
            for name, cell in row.items():
                completed[name].append(cell)
    return stamps.with_columns(
        pl.Series("document_id", numbers, pl.Int64),
        pl.Series("ordinal", [ordinal for _, ordinal, _ in received], pl.Int32),
        pl.Series("event_id", [number + one.byte_offset for number, _, one in received], pl.Int64),
        *(pl.Series(name, cells, _PATH_TYPES[name]) for name, cells in completed.items()),
    )


def _runs(numbers: Sequence[int]) -> Iterator[slice]:
    """The stretches of equal numbers."""
    start = 0
    for place in range(1, len(numbers) + 1):
        if place == len(numbers) or numbers[place] != numbers[start]:
            yield slice(start, place)
            start = place


_PATH_TYPES: dict[str, pl.DataType] = {
    "hop": pl.Int32(), "delay_s": pl.Float64(), "clock_suspect": pl.Boolean(), "trust": pl.String(),
    "peer_trust": pl.String(), "is_border": pl.Boolean(), "role": pl.String(),
}  # fmt: skip


def complete_hops(rows: Sequence[Mapping[str, Any]], border: path.Border) -> list[dict[str, Any]]:
    """For the hops of one message, top first, what only the whole path says.

    Columns ``hop``, ``delay_s``, ``clock_suspect``, ``trust``, ``peer_trust``, ``is_border`` and ``role``.
    """
    count = len(rows)
    times = [row["time"] for row in reversed(rows)]
    waits, suspects = path.delays(times), path.clock_suspects(times)
    out: list[dict[str, Any]] = []
    for place, (row, judged) in enumerate(zip(rows, path.judge(rows, border), strict=True)):
        hop = count - place
        kind = path.role({**row, **judged}, first=hop == 1, last=place == 0)
        timing = {"hop": hop, "delay_s": waits[hop - 1], "clock_suspect": suspects[hop - 1]}
        out.append(timing | judged | {"role": kind})
    return out


def authserv_trust(
    server: str | None,
    ordinal: int,
    hops: Sequence[dict[str, Any]],
    border: path.Border,
    authserv: Sequence[str] = (),
) -> str:
    """Whether an authentication field at this place was written by a server of ours: RFC 8601 §5 and §7.1.

    ``missing`` without an authserv-id. ``ours`` needs an authserv-id that is ours and a place above the lowest
    Received field that is ours: what stands below may have come with the message. Ids in ``authserv`` count
    below it too, down to the first claimed Received field.

    >>> authserv_trust("mx.example.net", 0, [], path.Border.of(own=["mx.example.net"]))
    'foreign'
    """
    if not server:
        return "missing"
    ours = [hop for hop in hops if hop["trust"] == "ours"]
    names = {str(hop["by_name"]).lower() for hop in ours}
    known = server.lower() in authserv or border.own.has_host(server) or server.lower() in names
    if not ours or not known:
        return "foreign"
    claimed = [hop["ordinal"] for hop in hops if hop["trust"] != "ours"]
    stop = max(hop["ordinal"] for hop in ours)
    if server.lower() in authserv:
        stop = claimed[0] if claimed else ordinal + 1
    return "ours" if ordinal < stop else "foreign"


def _our_names(
    results: Mapping[int, list[dict[str, Any]]], hops: Sequence[dict[str, Any]], border: path.Border
) -> frozenset[str]:
    """The authserv-ids among the results that are names of ours, in lower case, a job id behind a slash taken off."""
    stamped = {str(hop["by_name"]).lower() for hop in hops if hop["trust"] == "ours"}
    named = {
        str(row["authserv_id"] or "").lower().partition("/")[0] for rows in results.values() for row in rows
    }
    return frozenset(name for name in named if name in stamped or border.own.has_host(name))


def _trust_at(ordinal: int, hops: Sequence[dict[str, Any]]) -> str:
    """The trust of a field that no server signs: that of the Received field above which it stands."""
    below = [hop for hop in hops if hop["ordinal"] > ordinal]
    return str(below[0]["trust"]) if below else "claimed"


def _document(number: int, source_id: int, data: bytes, section: HeaderSection, hops: int) -> dict[str, Any]:
    date = read_date(section.first("date") or "")
    defects = list(section.defects)
    counts: dict[str, int] = {}
    for one in section.fields:
        counts[one.key] = counts.get(one.key, 0) + 1
    defects += [f"several_{key}" for key in _ONCE if counts.get(key, 0) > 1]
    defects += [f"no_{key}" for key in ("from", "date", "message-id") if key not in counts]
    defects += [f"date_{defect}".replace("date_date", "date") for defect in date.defects if "date" in counts]
    return {
        "document_id": number, "source_id": source_id, "sha256": hashlib.sha256(data).hexdigest(),
        "message_id": _stripped(section.first("message-id")), "subject": section.first("subject"),
        "from_address": address_of(section.first("from") or ""), "date": date.time,
        "return_path": address_of(section.first("return-path") or ""), "size": len(data), "hop_count": hops,
        "defects": defects, "body_offset": section.body_start, "date_offset_min": date.utc_offset_min,
        "reply_to": address_of(section.first("reply-to") or ""),
    }  # fmt: skip


_ONCE = (
    "from",
    "sender",
    "reply-to",
    "to",
    "cc",
    "bcc",
    "message-id",
    "subject",
    "date",
    "in-reply-to",
    "references",
)


_ORIGINATING = ("x-originating-ip", "x-yahoo-post-ip", "x-senderip")


def _originating(
    section: HeaderSection, hops: Sequence[dict[str, Any]], border: path.Border
) -> dict[str, str | None]:
    """The client of a web mail, which no Received field names, and whose word its address is."""
    for name in _ORIGINATING:
        address = canonical_ip((section.first(name) or "").strip("[]() "))
        if address is not None:
            trust = path.originating_trust(hops[-1] if hops else None, address, border)
            return {"originating_ip": address, "originating_trust": trust}
    return {"originating_ip": None, "originating_trust": None}


def _stripped(text: str | None) -> str | None:
    return text.strip() if text and text.strip() else None


def address_of(text: str) -> str | None:
    """The first address of a From, Reply-To or Return-Path field; ``""`` for ``<>``, None when there is none.

    >>> address_of("Bob <bob@example.org>"), address_of("<>"), address_of("nobody")
    ('bob@example.org', '', None)
    """
    bracketed = None
    for match in _ADDRESS.finditer(_unquote_names(text)):
        bracketed = match
        break
    if bracketed is None:
        return None
    return bracketed[1] if bracketed[1] is not None else bracketed[2]


def _unquote_names(text: str) -> str:
    """The field without quoted display names, which may hold a second, misleading address."""
    return re.sub(r'"(?:[^"\\]|\\.)*"(?=\s*<)', "", text[:4096])


def _frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """The rows with the columns of the table, and those that only headers have."""
    empty = pl.DataFrame(schema=dict(schema.polars_schema(name)) | _EXTRA[name])
    if not rows:
        return empty  # Arrow would load pandas first
    frame = pl.from_arrow(
        pa.Table.from_pylist(rows, schema=empty.to_arrow().schema)
    )  # nested rows: Arrow is quicker
    assert isinstance(frame, pl.DataFrame)  # noqa: S101
    return frame.cast(empty.schema)


_EXTRA: dict[str, dict[str, pl.DataType]] = {
    "documents": {
        "body_offset": pl.Int64(),
        "date_offset_min": pl.Int32(),
        "reply_to": pl.String(),
        "originating_ip": pl.String(),
        "originating_trust": pl.String(),
    },
    "auth_results": {"comment": pl.String(), "method_version": pl.String(), "action": pl.String()},
    "scans": {
        "document_id": pl.Int64(),
        "ordinal": pl.Int32(),
        "spam_field": pl.List(pl.String()),
        "trust": pl.String(),
    },
}
