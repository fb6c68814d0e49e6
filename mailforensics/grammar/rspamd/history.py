"""What Rspamd keeps of its verdicts outside the log: the web interface's ``/history`` and the rows of ``history_redis``.

    {"time": "2026-11-23 16:41:00", "unix_time": 1795452060, "id": "m1@example.net", "ip": "2001:db8::7", "action": "no action",
     "score": 0.9, "required_score": 15.0, "symbols": {"ARC_NA": {"score": 0.0}}, "size": 398, "scan_time": 0.201838, "user": "bob"}
    {"version": 2, "rows": [{"unix_time": ..., "message-id": "m1@example.net", "sender_smtp": ..., "rcpt_smtp": [...], "subject": ...}]}

The first form (kept in memory, without ``history_redis``) has no queue id, no recipients, the client's address under
``from``, and 0.0 as the score of every symbol whatever it was; such scores are null here. The second has all but the queue id;
its subject may be a hash (``subject_privacy``).

Source: ``src/libserver/roll_history.c``, ``src/controller.c``, ``src/plugins/lua/history_redis.lua``; a real 3.4.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import polars as pl

from mailforensics.grammar.rspamd.symbols import SYMBOLS
from mailforensics.grammar.rspamd.task import HAM_ACTIONS, SPAM_ACTIONS

Frame = pl.DataFrame

_COLUMNS: dict[str, pl.DataType | type[pl.DataType]] = {
        "time": pl.Datetime("us", "UTC"), "engine": pl.String, "origin": pl.String, "queue_id": pl.String, "message_id": pl.String,
        "client_ip": pl.String, "user": pl.String, "sender": pl.String, "recipients": pl.List(pl.String), "action": pl.String,
        "score": pl.Float64, "required_score": pl.Float64, "is_spam": pl.Boolean, "is_skipped": pl.Boolean, "forced_action": pl.String,
        "symbols": SYMBOLS, "size": pl.Int64, "scan_time_s": pl.Float64, "dns_requests": pl.Int64, "settings_id": pl.String,
        "subject": pl.String, "parse_status": pl.String,
}  # fmt: skip
SCHEMA = pl.Schema(_COLUMNS)
_UNKNOWN = ("", "unknown", "undef", "undefined")


def read_history(data: bytes | str) -> Frame:
    """The verdicts of a saved ``/history`` answer, or of ``history_redis`` rows, as rows for the table ``scans``.

    `data` is one JSON document (a list, or an object with ``rows``) or one JSON object a line. The columns are those of ``scans``
    (sizes in bytes, ``scan_time_s`` in seconds, ``time`` in UTC) and ``parse_status``: an entry that cannot be read is a row of
    nulls that says ``unparsed``.

    >>> read_history('[{"unix_time": 1795452060, "id": "m1@example.net", "action": "reject", "score": 16}]').select(
    ...     "message_id", "action", "score").row(0)
    ('<m1@example.net>', 'reject', 16.0)
    """
    text = data.decode("utf-8", "backslashreplace") if isinstance(data, bytes) else data
    return pl.DataFrame([_row(entry) for entry in _entries(text)], schema=SCHEMA, orient="row")


def looks_like_history(head: str) -> bool:
    """Whether the beginning of a file looks like a saved history.

    >>> looks_like_history('[{"time": "2026-11-23 16:41:00", "unix_time": 1795452060, "id": "m1@example.net"')
    True
    """
    return (
        head.lstrip().startswith(("[", "{"))
        and '"unix_time"' in head
        and ('"symbols"' in head or '"id"' in head or '"message-id"' in head)
    )


def _entries(text: str) -> Iterable[object]:
    whole = _json(text)
    if isinstance(whole, list):
        return whole
    if isinstance(whole, dict):
        rows = whole.get("rows", whole.get("history"))
        return rows if isinstance(rows, list) else [whole]
    return [_json(line) for line in text.splitlines() if line.strip()]


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _row(entry: object) -> tuple[Any, ...]:
    if not isinstance(entry, Mapping):
        return (*[None] * (len(SCHEMA) - 1), "unparsed")
    action = _text(entry.get("action"))
    return (
        _time(entry),
        "rspamd",
        "history",
        _text(entry.get("qid", entry.get("queue_id", entry.get("queue-id")))),
        _message_id(entry.get("message-id", entry.get("message_id", entry.get("id")))),
        _text(entry.get("ip")),
        _text(entry.get("user")),
        _sender(entry),
        _texts(entry.get("rcpt_smtp", entry.get("recipients"))),
        action,
        _number(entry.get("score")),
        _number(entry.get("required_score")),
        True if action in SPAM_ACTIONS else False if action in HAM_ACTIONS else None,
        entry["is_skipped"] if isinstance(entry.get("is_skipped"), bool) else None,
        _text(entry.get("forced_action")),
        _symbols(entry),
        _whole(entry.get("size", entry.get("len"))),
        _number(entry.get("scan_time", entry.get("time_real") if "unix_time" in entry else None)),
        _whole(entry.get("dns_requests", entry.get("dns_req"))),
        _text(entry.get("settings_id")),
        _text(entry.get("subject")),
        "ok",
    )


def _time(entry: Mapping[str, object]) -> datetime | None:
    seconds = _number(entry.get("unix_time"))
    if seconds is None or not 0 <= seconds < 4_102_444_800:
        return None
    return datetime.fromtimestamp(seconds, UTC)


def _text(value: object) -> str | None:
    text = str(value) if isinstance(value, (str, int, float)) and not isinstance(value, bool) else None
    return None if text is None or text in _UNKNOWN else _valid(text)


def _valid(text: str) -> str:
    """JSON may name lone surrogates, which no Arrow string can hold."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _texts(value: object) -> list[str] | None:
    if not isinstance(value, list):
        return None
    return [text for text in map(_text, value) if text is not None]


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else None
    except (ValueError, OverflowError):
        return None


def _whole(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and abs(number) < 2**53 else None


def _message_id(value: object) -> str | None:
    text = _text(value)
    return None if text is None else text if text.startswith("<") else f"<{text}>"


def _sender(entry: Mapping[str, object]) -> str | None:
    """The envelope sender; the in-memory history has the client's address in its place."""
    sender = _text(entry.get("sender_smtp", entry.get("sender", entry.get("from"))))
    try:
        ipaddress.ip_address(sender or "")
    except ValueError:
        return sender
    return None


def _symbols(entry: Mapping[str, object]) -> list[dict[str, object]] | None:
    symbols = entry.get("symbols")
    if not isinstance(symbols, Mapping):
        return None
    found = [
        _symbol(str(name), value if isinstance(value, Mapping) else {}) for name, value in symbols.items()
    ]
    if _number(entry.get("score")) and not any(symbol["score"] for symbol in found):
        return [symbol | {"score": None} for symbol in found]
    return found


def _symbol(name: str, value: Mapping[str, object]) -> dict[str, object]:
    score = value.get("metric_score", value.get("score"))
    return {"name": _valid(name), "score": _number(score), "options": _texts(value.get("options"))}
