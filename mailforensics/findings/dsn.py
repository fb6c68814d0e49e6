"""Bounce messages into rows: delivery status notifications (RFC 3464) and the looser bounces of the world.

A notification says per recipient what became of the mail ::

    Reporting-MTA: dns; mail.example.com                        one block for the message
    X-Postfix-Queue-ID: 4jYDGq425VzsLq

    Final-Recipient: rfc822; anna@example.net                   one block for each recipient
    Action: failed
    Status: 5.2.2
    Diagnostic-Code: smtp; 552 5.2.2 Mailbox full

Where there is no such part (qmail, Exim, old Sendmail and Exchange, Gmail, Yahoo, ...) the recipients and reasons are
read from the text that people are meant to read, see qmail's "QSBMF" and the documentation of the
servers. The reasons then get the columns of `mailforensics.findings.causes`. A failed recipient with a status of
class 4 has expired: its mail was tried until its time in the queue ran out, and the diagnostic tells of the last try.
"""

from __future__ import annotations

import email
import email.policy
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from email.message import Message
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from mailforensics.errors import OptionError
from mailforensics.findings.causes import classify_frame
from mailforensics.findings.reported import asked_of, join_deliveries
from mailforensics.headers.dates import read_date
from mailforensics.limits import DEFAULT, Limits

if TYPE_CHECKING:
    from mailforensics.case import Case

_TEXT_LIMIT = (
    64 * 1024
)  # characters of a notification's text that are read; the returned mail stands below them
_LINES = 2_000
_RECIPIENTS = 1_000
_DIAGNOSTIC = 4_096  # characters kept of one reason

# An address alone in its line, or before the reason: "<a@b>:" (qmail, Yahoo, Postfix), "  a@b" (Exim, Gmail).
_ADDRESS_LINE = re.compile(
    r"^[ \t]*<?([^\s<>@:;,()\"]{1,128}@[^\s<>@:;,()\"]{1,255})>?(?::[ \t]*(.*)|[ \t]*)$"
)
_ADDRESS_WITH_REASON = re.compile(r"^[ \t]*<([^\s<>@]{1,128}@[^\s<>@]{1,255})>(?:\.\.\.|:|,)[ \t]*(\S.*)$")
_ANY_ADDRESS = re.compile(r"<?([^\s<>@:;,()\"\[\]]{1,128}@[A-Za-z0-9.-]{1,255}\.[A-Za-z0-9-]{2,63})>?")

# Where the returned mail, or talk about it, begins.
_BELOW = re.compile(
    r"(?i)^[ \t]*-{2,}.{0,20}(?:below this line|this is a copy|original message|returned message|message header|"
    r"the header|unsent message|body of|forwarded message)|^(?:received|return-path): "
)
_BOUNCE_SUBJECT = re.compile(
    r"(?i)undeliver|failure notice|returned mail|returned to sender|delivery (?:status|fail|problem|has failed|report)|"
    r"mail delivery|delivery.{0,20}(?:failed|failure|delayed)|not delivered|bounce|mail system error|warning: .{0,30}message|"
    r"unzustellbar|non remis|non distribu|no se puede entregar|недоставл|配信"
)
# A line that only leads to the reason ("because:"), and one behind which the reason goes on after a blank line.
_LEAD = re.compile(r":[ \t]*$|^[ \t]*(?:-{3,}|_{3,}|={3,}|\.{3} while talking)")
_ANSWER_FOLLOWS = re.compile(
    r"(?i)(?:error|response|answer|reason|server) .{0,80}(?:returned|was|is|said)[ \t]*:[ \t]*$"
)
_STILL_TRYING = re.compile(
    r"(?i)\bdelayed\b|will be retried|will (?:keep|continue) (?:on )?trying|still (?:trying|undelivered)|temporary failure|not yet been delivered|"
    r"attempts will continue|warning message only|do not need to resend"
)
# Lines about the mail that waits, no part of the reason.
_PATIENCE = re.compile(
    r"(?i)still undelivered|will keep trying|attempts will continue|no action is required|may be repeated"
)
_GIVEN_UP = re.compile(r"(?i)permanent (?:error|failure|fatal)|failed permanently|given up|giving up")
_BOUNCE_SENDER = re.compile(r"(?i)mailer-daemon|postmaster|mail delivery (?:sub)?system|^<>$")
_TYPE = re.compile(r"^[A-Za-z0-9-]{1,30}[ \t]*;[ \t]*")
_STATUS = re.compile(r"(?:^|[^0-9.])([245]\.[0-9]{1,3}\.[0-9]{1,3})(?![0-9.])")
_ACTIONS = {
    "fail": "failed",
    "delay": "delayed",
    "deliver": "delivered",
    "relay": "relayed",
    "expand": "expanded",
}


@dataclass(slots=True)
class Report:
    """What a bounce says about one recipient. Times are UTC; None means that the bounce does not say."""

    message: int
    format: str
    final_recipient: str | None = None
    original_recipient: str | None = None
    action: str | None = None
    status: str | None = None
    diagnostic: str | None = None
    remote_mta: str | None = None
    reporting_mta: str | None = None
    arrival_date: datetime | None = None
    last_attempt_date: datetime | None = None
    notified: datetime | None = None
    queue_id: str | None = None
    original_message_id: str | None = None
    original_envelope_id: str | None = None
    defects: list[str] = field(default_factory=list)


_SCHEMA: dict[str, Any] = {each.name: pl.String() for each in fields(Report)} | {
    "message": pl.Int64(),
    "arrival_date": pl.Datetime("us", "UTC"),
    "last_attempt_date": pl.Datetime("us", "UTC"),
    "notified": pl.Datetime("us", "UTC"),
    "defects": pl.List(pl.String()),
}


def read_dsn(
    message: bytes, *, case: Case | None = None, rules: Any = None, limits: Limits = DEFAULT
) -> pa.Table:
    r"""The recipients of one bounce message and why their mail was not delivered; no rows when it is no bounce.

    Columns: message (always 0), format (``rfc3464``, ``text`` for looser bounces, ``feedback`` for complaints of
    RFC 5965), final_recipient, original_recipient, action (``failed``, ``delayed``, ``delivered``,
    ``relayed``, ``expanded``), status (RFC 3463), diagnostic, remote_mta, reporting_mta, arrival_date and
    last_attempt_date (UTC), notified (the notification's own Date), queue_id (of the server that reports),
    original_message_id, original_envelope_id, defects; then the columns of `classify_replies`. With a `case` there are also
    those of `mailforensics.findings.reported.join_deliveries`: message_key, journey_key, delivery_time, delivery_status, matched_by and
    match_certainty of the delivery in its log. Raises `OptionError` when `message` is not bytes.

    >>> bounce = b"Subject: failure notice\nFrom: MAILER-DAEMON@example.com\n\n<anna@example.net>:\nMailbox full\n"
    >>> read_dsn(bounce).select(["final_recipient", "cause", "format"]).to_pylist()
    [{'final_recipient': 'anna@example.net', 'cause': 'mailbox_full', 'format': 'text'}]
    """
    if not isinstance(message, (bytes, bytearray)):
        raise OptionError(
            f"a message is bytes, this is {type(message).__name__}; read the file in binary mode."
        )
    frame = dsn_frame([bytes(message)], rules=rules, limits=limits)
    if case is None:
        return frame.to_arrow()
    return join_deliveries(frame, *asked_of(frame, case.scan("messages"), case.scan("deliveries"))).to_arrow()


def dsn_frame(messages: Iterable[bytes], *, rules: Any = None, limits: Limits = DEFAULT) -> pl.DataFrame:
    """The same for many messages at once, as a polars frame; ``message`` counts them from 0.

    >>> dsn_frame([b"Subject: hello\\n\\nhello\\n"]).height
    0
    """
    bounces = Bounces(limits)
    for number, data in enumerate(messages):
        bounces.add(number, data)
    return bounces.frame(rules)


class Bounces:
    """What bounces say, gathered message by message; ``frame`` gives the rows of `dsn_frame`."""

    def __init__(self, limits: Limits = DEFAULT) -> None:
        self._limits = limits
        self._reports: list[Report] = []

    def add(self, number: int, data: bytes) -> None:
        """Read one message; in ``message`` it has this number."""
        self._reports += _reports(number, data, self._limits)

    def frame(self, rules: Any = None) -> pl.DataFrame:
        """One row per recipient, with what classification says of the reasons."""
        rows = {
            each.name: [getattr(report, each.name) for report in self._reports] for each in fields(Report)
        }
        frame = pl.DataFrame(rows, schema=_SCHEMA)
        replies = frame.select(
            text="diagnostic",
            enhanced_code="status",
            status=pl.when((pl.col("action") == "failed") & pl.col("status").str.starts_with("4."))
            .then(pl.lit("expired"))
            .when(pl.col("action").is_in(["delivered", "relayed", "expanded"]))
            .then(pl.lit("delivered")),
        )
        return pl.concat([frame, classify_frame(replies, rules=rules)], how="horizontal")


_HEAD = 32 * 1024  # bytes in which a message must say that it is a notification
_MAY_BE = re.compile(
    rb"(?i)\nx-failed-recipients:|multipart/report|report-type=|\nreturn-path:[ \t]*<[ \t]*>|"
    rb"\n(?:from|return-path):[^\n]*(?:mailer-daemon|postmaster|mail delivery)"
)


def may_be_notification(data: bytes) -> bool:
    """Whether a message may be a bounce, by a look at its header section alone; of an ordinary one this says no at once.

    >>> may_be_notification(b"Return-Path: <>\\nSubject: x\\n\\n"), may_be_notification(b"From: anna@example.com\\n\\n<>")
    (True, False)
    """
    head = b"\n" + data[:_HEAD]
    ends = [end for mark in (b"\n\n", b"\n\r\n") if (end := head.find(mark)) >= 0]
    return _MAY_BE.search(head, 0, min(ends, default=len(head))) is not None


def _reports(number: int, data: bytes, limits: Limits) -> list[Report]:
    parsed, defects = _parse(data, limits)
    parts = list(_parts(parsed, limits))
    found = (
        _status_reports(number, parts)
        or _feedback_reports(number, parts)
        or _text_reports(number, parsed, parts)
    )
    message_id = _original_message_id(parts, parsed)
    notified = _date(parsed, "Date")
    for report in found:
        report.original_message_id = report.original_message_id or message_id
        report.notified = notified
        report.defects = defects + report.defects
    return found


def _parse(data: bytes, limits: Limits) -> tuple[Message, list[str]]:
    """The message; one that nests deeper than allowed, or is longer, is read as far as allowed."""
    defects = ["message_cut"] if len(data) > limits.message_bytes else []
    data = data[: limits.message_bytes]
    if (
        len(re.findall(rb"(?i)boundary[ \t]*=", data)) > limits.mime_depth
        or data.lower().count(b"message/") > limits.mime_depth
    ):
        head, _, body = data.replace(b"\r\n", b"\n").partition(b"\n\n")
        head = re.sub(rb"(?im)^content-type:.*(?:\n[ \t].*)*\n?", b"", head)
        return email.message_from_bytes(head + b"\n\n" + body, policy=email.policy.compat32), [
            *defects,
            "mime_too_deep",
        ]
    return email.message_from_bytes(data, policy=email.policy.compat32), defects


def _parts(message: Message, limits: Limits) -> Iterator[Message]:
    for count, part in enumerate(message.walk()):
        if count >= limits.mime_parts:
            return
        yield part


# ------------------------------------------------------------------ RFC 3464


def _status_reports(number: int, parts: list[Message]) -> list[Report]:
    for part in parts:
        if part.get_content_type() in ("message/delivery-status", "message/global-delivery-status"):
            blocks = [block for block in _blocks(part) if block.keys()]
            reports = list(_from_blocks(number, blocks))
            if reports:
                return reports
    return []


def _blocks(part: Message) -> list[Message]:
    """The blocks of fields of a delivery-status part."""
    payload = part.get_payload()
    blocks = [each for each in payload if isinstance(each, Message)] if isinstance(payload, list) else []
    if len(blocks) == 1 and isinstance(
        blocks[0].get_payload(), str
    ):  # global-delivery-status: read as one message
        rest = re.split(r"\r?\n[ \t]*\r?\n", str(blocks[0].get_payload())[:_TEXT_LIMIT])
        blocks += [email.message_from_string(each.strip() + "\n\n") for each in rest if each.strip()]
    if not blocks and isinstance(payload, str):
        texts = re.split(r"\r?\n[ \t]*\r?\n", _text_of(part)[:_TEXT_LIMIT])
        blocks = [email.message_from_string(each.strip() + "\n\n") for each in texts if each.strip()]
    return blocks


def _from_blocks(number: int, blocks: list[Message]) -> Iterator[Report]:
    about = next((block for block in blocks if _field(block, "Reporting-MTA") or not _recipient(block)), None)
    for block in blocks[:_RECIPIENTS]:
        recipient = _recipient(block)
        if recipient is None:
            continue
        status = _STATUS.search(_field(block, "Status") or "")
        diagnostic = _field(block, "Diagnostic-Code") or _field(block, "X-Exchange-Diagnostic") or ""
        yield Report(
            message=number,
            format="rfc3464",
            final_recipient=recipient,
            original_recipient=_typed(block, "Original-Recipient"),
            action=_action(block),
            status=status[1] if status else None,
            diagnostic=_TYPE.sub("", diagnostic)[:_DIAGNOSTIC] or None,
            remote_mta=_typed(block, "Remote-MTA"),
            reporting_mta=_typed(about, "Reporting-MTA") or _typed(block, "Reporting-MTA"),
            arrival_date=_date(about, "Arrival-Date"),
            last_attempt_date=_date(block, "Last-Attempt-Date"),
            queue_id=_field(about, "X-Postfix-Queue-ID") or _field(about, "X-Original-Queue-ID"),
            original_envelope_id=_field(about, "Original-Envelope-Id"),
            original_message_id=_field(about, "X-Original-Message-ID"),
        )


def _recipient(block: Message) -> str | None:
    return (
        _typed(block, "Final-Recipient")
        or _typed(block, "Original-Recipient")
        or _typed(block, "X-Actual-Recipient")
    )


def _action(block: Message) -> str | None:
    """The action in one word; some servers write ``Failed (bad address)`` or ``failure``."""
    said = (_field(block, "Action") or "").lower()
    return next((action for word, action in _ACTIONS.items() if said.startswith(word)), None)


def _feedback_reports(number: int, parts: list[Message]) -> list[Report]:
    """Complaints (RFC 5965): the recipient who complained, where the report names one."""
    if not any(part.get_content_type() == "message/feedback-report" for part in parts):
        return []
    report = next(part for part in parts if part.get_content_type() == "message/feedback-report")
    inner = report.get_payload()
    about = inner[0] if isinstance(inner, list) and inner and isinstance(inner[0], Message) else report
    kind = _field(about, "Feedback-Type") or "abuse"
    return [
        Report(
            message=number,
            format="feedback",
            final_recipient=(_field(about, "Original-Rcpt-To") or "").strip("<> ") or None,
            diagnostic=f"Feedback-Type: {kind}",
            reporting_mta=_typed(about, "Reporting-MTA"),
            arrival_date=_date(about, "Arrival-Date") or _date(about, "Received-Date"),
        )
    ]


# ------------------------------------------------------------------ bounces that only people are meant to read


def _text_reports(number: int, message: Message, parts: list[Message]) -> list[Report]:
    if not _is_bounce(message):
        return []
    text = next(
        (_text_of(part) for part in parts if part.get_content_type() in ("text/plain", "text/html")), ""
    )
    lines = _own_lines(text)
    entries = _entries(lines)
    named = re.split(r"[\s,]+", _field(message, "X-Failed-Recipients") or "")
    recipients = [each.strip("<>") for each in named if "@" in each]
    if not entries:
        whole = " ".join(line.strip() for line in lines if line.strip())
        entries = [(each, whole) for each in recipients] or _last_resort(lines, whole)
    said = f"{_field(message, 'Subject') or ''}\n" + "\n".join(lines)
    delayed = bool(_STILL_TRYING.search(said)) and not _GIVEN_UP.search(said)
    return [_text_report(number, address, reason, delayed) for address, reason in entries[:_RECIPIENTS]]


def _is_bounce(message: Message) -> bool:
    if _field(message, "X-Failed-Recipients"):
        return True
    if re.search(r"(?i)report-type=[\"']?delivery-status", _field(message, "Content-Type") or ""):
        return True
    sender = f"{_field(message, 'From') or ''} {_field(message, 'Return-Path') or ''}"
    empty = (_field(message, "Return-Path") or "").strip() == "<>"
    subject = bool(_BOUNCE_SUBJECT.search(_field(message, "Subject") or ""))
    return subject and (empty or bool(_BOUNCE_SENDER.search(sender)))


def _own_lines(text: str) -> list[str]:
    """The lines of the bounce itself, down to where the returned mail begins."""
    lines = text[:_TEXT_LIMIT].splitlines()[:_LINES]
    cut = next((n for n, line in enumerate(lines) if n > 2 and _BELOW.search(line)), len(lines))
    return lines[:cut]


def _entries(lines: list[str]) -> list[tuple[str, str]]:
    """(address, reason) of each recipient: an address on a line, and the lines after it up to a blank one."""
    entries: list[tuple[str, list[str]]] = []
    open_entry = False
    for line in lines:
        started = _ADDRESS_WITH_REASON.match(line) or _ADDRESS_LINE.match(line)
        if started:
            entries.append((started[1], [started[2]] if started[2] else []))
            open_entry = True
        elif _PATIENCE.search(line):
            open_entry = False
        elif entries and _ANSWER_FOLLOWS.search(line) and entries[-1][1]:
            entries[-1][1].append(line.strip())
            open_entry = True
        elif entries and open_entry and line.strip():
            entries[-1][1].extend([line.strip()] if entries[-1][1] or not _LEAD.search(line) else [])
        elif entries and entries[-1][1] and not _ANSWER_FOLLOWS.search(entries[-1][1][-1]):
            open_entry = False
    said = [(address, " ".join(reason)[:_DIAGNOSTIC]) for address, reason in entries if any(reason)]
    return list(dict(said).items())


def _last_resort(lines: list[str], whole: str) -> list[tuple[str, str]]:
    """The first address anywhere in the text, with the text as its reason."""
    found = _ANY_ADDRESS.search(" ".join(lines)[:8_192])
    return [(found[1], whole[:_DIAGNOSTIC])] if found else []


def _text_report(number: int, address: str, reason: str, delayed: bool) -> Report:
    status = _STATUS.search(reason)
    return Report(
        message=number,
        format="text",
        final_recipient=address,
        action="delayed" if delayed else "failed",
        status=status[1] if status else None,
        diagnostic=reason or None,
    )


# ------------------------------------------------------------------ fields and texts


def _original_message_id(parts: list[Message], message: Message) -> str | None:
    """The Message-ID of the mail that came back: from the part that holds it, or its headers, or the quoted text."""
    for part in parts:
        if part.get_content_type() in ("message/rfc822", "message/rfc822-headers", "message/global"):
            inner = part.get_payload()
            if isinstance(inner, list) and inner and isinstance(inner[0], Message):
                return _field(inner[0], "Message-ID")
        if part.get_content_type() in ("text/rfc822-headers", "message/global-headers"):
            return _quoted_message_id(_text_of(part))
    return _quoted_message_id(_text_of(message)) if not message.is_multipart() else None


def _quoted_message_id(text: str) -> str | None:
    found = re.search(r"(?im)^message-id:[ \t]*(?:\r?\n[ \t]+)?(\S{1,998})", text)
    return found[1] if found else None


def _field(block: Message | None, name: str) -> str | None:
    """The value of a field in one line; bytes that are no UTF-8 stand as backslash escapes."""
    if block is None or block.get(name) is None:
        return None
    value = str(block.get(name)).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return " ".join(value.split()) or None


def _typed(block: Message | None, name: str) -> str | None:
    """The value of a field of RFC 3464 without its type (``rfc822;``, ``dns;``) and brackets."""
    value = _field(block, name)
    return _TYPE.sub("", value).strip("<> ") or None if value else None


def _date(block: Message | None, name: str) -> datetime | None:
    value = _field(block, name)
    return read_date(value).time if value else None


def _text_of(part: Message) -> str:
    """The text of a part; HTML without its tags."""
    payload = part.get_payload(decode=True)
    raw = payload[: 4 * _TEXT_LIMIT] if isinstance(payload, bytes) else b""
    charset = part.get_content_charset() or "utf-8"
    try:
        text = raw.decode(charset, "backslashreplace")
    except (LookupError, UnicodeError):
        text = raw.decode("utf-8", "backslashreplace")
    if part.get_content_type() == "text/html":
        text = re.sub(r"(?i)<(?:br|/p|/div|/tr|/h[1-6])[^<>]{0,200}>", "\n", text)
        text = re.sub(r"<[a-zA-Z/!][^<>@]{0,2000}>", " ", text)
        text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", " ").replace("&amp;", "&")
    return text
