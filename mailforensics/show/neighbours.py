"""A case in the words of its neighbours: ECS, OCSF, Zeek's smtp.log, Timesketch, Sigma, lnav. Which field is which is data.

    mailforensics export case/ --to ecs -o mail.jsonl          Elastic Common Schema, a delivery a line
    mailforensics export case/ --to ocsf -o mail.jsonl         OCSF Email Activity (class 4009), a delivery a line
    mailforensics export case/ --to zeek -o smtp.log           Zeek's tab-separated smtp.log, a queue entry a line
    mailforensics export case/ --to timesketch -o mail.csv     Timesketch CSV, an event a line
    mailforensics export case/ --to sigma -o mail.jsonl        flat JSON for Sigma rules, a line of a log a line (``sigma.py``)
    mailforensics export case/ --to lnav -o mail.json          formats with which lnav reads the logs themselves (``lnav.py``)

Sources: ECS 8.17 field reference; OCSF 1.4 class email_activity and object email; Zeek 7 base/protocols/smtp; Timesketch's
"Create timeline from CSV"; lnav format-v1 schema. A field that our tables do not know is left out, never guessed.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType
from typing import IO, Any, Protocol

import polars as pl

from mailforensics import plugins
from mailforensics.errors import OptionError
from mailforensics.show import escape, export, lnav, sigma

Frame = pl.DataFrame


class ExportedCase(Protocol):
    """What an export needs of a case."""

    def polars(self, name: str) -> Frame: ...

    def fields(self, event_ids: Iterable[int]) -> dict[int, dict[str, Any]]: ...


#: Elastic Common Schema: field to column of a delivery with its message (``message_`` before the columns of `messages`).
ECS: Mapping[str, str] = MappingProxyType({
    "@timestamp": "time",
    "event.action": "status",
    "event.reason": "response",
    "event.code": "enhanced_code",
    "event.id": "event_id",
    "email.sender.address": "message_sender",
    "email.to.address": "recipients",
    "email.message_id": "message_message_id",
    "email.local_id": "queue_id",
    "email.subject": "message_subject",
    "email.direction": "message_direction",
    "email.delivery_timestamp": "delivered",
    "source.ip": "message_client_ip",
    "source.domain": "message_client_name",
    "destination.ip": "relay_ip",
    "destination.domain": "relay_name",
    "destination.port": "relay_port",
    "host.name": "host",
    "user.name": "message_sasl_username",
    "tls.cipher": "message_tls_cipher",
})  # fmt: skip
_ECS_FIXED = {
    "ecs.version": "8.17.0",
    "event.kind": "event",
    "event.category": ["email"],
    "event.type": ["info"],
    "event.module": "mailforensics",
}
_ECS_OUTCOMES = {"sent": "success", "deliverable": "success", "deferred": "failure", "bounced": "failure",
                 "expired": "failure", "undeliverable": "failure"}  # fmt: skip

#: OCSF Email Activity: attribute to column.
OCSF: Mapping[str, str] = MappingProxyType({
    "attempt": "attempt",
    "email.from": "message_sender",
    "email.smtp_from": "message_sender",
    "email.smtp_to": "recipients",
    "email.to": "recipients",
    "email.message_uid": "message_message_id",
    "email.uid": "queue_id",
    "email.size": "message_size",
    "email.subject": "message_subject",
    "from": "message_sender",
    "to": "recipients",
    "src_endpoint.ip": "message_client_ip",
    "src_endpoint.hostname": "message_client_name",
    "dst_endpoint.ip": "relay_ip",
    "dst_endpoint.hostname": "relay_name",
    "dst_endpoint.port": "relay_port",
    "status_code": "enhanced_code",
    "status_detail": "response",
})  # fmt: skip
_DIRECTIONS = {"inbound": 1, "outbound": 2, "internal": 3}

#: Zeek's smtp.log: its fields in order, each with its type and our column of `messages` (None: a log does not know it).
ZEEK: Mapping[str, tuple[str, str | None]] = MappingProxyType({
    "ts": ("time", "received_time"), "uid": ("string", "uid"), "id.orig_h": ("addr", "client_ip"),
    "id.orig_p": ("port", None), "id.resp_h": ("addr", None), "id.resp_p": ("port", None),
    "trans_depth": ("count", None), "helo": ("string", "helo"), "mailfrom": ("string", "sender"),
    "rcptto": ("set[string]", "recipients"), "date": ("string", None), "from": ("string", None),
    "to": ("set[string]", None), "cc": ("set[string]", None), "reply_to": ("string", None),
    "msg_id": ("string", "message_id"), "in_reply_to": ("string", None), "subject": ("string", "subject"),
    "x_originating_ip": ("addr", None), "first_received": ("string", None), "second_received": ("string", None),
    "last_reply": ("string", None), "path": ("vector[addr]", None), "user_agent": ("string", None),
    "tls": ("bool", "tls"), "fuids": ("vector[string]", None),
})  # fmt: skip

#: Timesketch: its three fields, then attributes of ours.
TIMESKETCH: Mapping[str, str] = MappingProxyType({
    "message": "text", "datetime": "time", "timestamp_desc": "kind", "host": "host", "program": "program",
    "queue_id": "queue_id", "session_id": "session_id", "message_id": "message_id", "line_number": "line_number",
})  # fmt: skip


def write(case: ExportedCase, neighbour: str, out: IO[bytes]) -> int:
    """Write a case in the words of a neighbour and return how many records that are.

    Raises OptionError for a neighbour that is not known.
    """
    known = neighbours()
    if neighbour not in known:
        raise OptionError(f"There is no export to {neighbour!r}; there are {', '.join(known)}.")
    return known[neighbour](case, out)


def neighbours() -> dict[str, Callable[[ExportedCase, IO[bytes]], int]]:
    """The exports by name: those of the toolkit, then those of installed packages.

    >>> [*neighbours()][:5]
    ['ecs', 'ocsf', 'zeek', 'timesketch', 'sigma']
    """
    own = {"ecs": _ecs, "ocsf": _ocsf, "zeek": _zeek, "timesketch": _timesketch, "sigma": sigma.write, "lnav": _lnav("mail", "rspamd"),
           **{f"lnav-{name}": _lnav(name) for name in ("postfix", "dovecot", "rspamd")}}  # fmt: skip
    return own | plugins.load(plugins.EXPORTS)


def deliveries(case: ExportedCase) -> Frame:
    """Deliveries with their messages beside them, ``message_`` before the names of those, in order of time."""
    messages = case.polars("messages").select(pl.all().name.prefix("message_"))
    joined = case.polars("deliveries").join(
        messages, left_on="message_key", right_on="message_message_key", how="left", maintain_order="left"
    )
    return joined.with_columns(
        recipients=pl.concat_list("recipient"),
        event_id=pl.col("evidence").list.first().cast(pl.String),
        delivered=pl.when(pl.col("status") == "sent").then("time"),
    ).sort("time", "message_key", nulls_last=True, maintain_order=True)


def _records(frame: Frame, mapping: Mapping[str, str]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Rows and, beside each, its nested record; what is null is left out."""
    for row in frame.iter_rows(named=True):
        record: dict[str, Any] = {}
        for name, column in mapping.items():
            if row[column] not in (None, [None], []):
                _put(record, name, row[column])
        yield row, record


def _put(record: dict[str, Any], name: str, value: Any) -> None:
    *parents, last = name.split(".")
    for parent in parents:
        record = record.setdefault(parent, {})
    record[last] = value


def _line(record: Mapping[str, Any]) -> bytes:
    return export.json_text(record, indent=None).encode() + b"\n"


def _ecs(case: ExportedCase, out: IO[bytes]) -> int:
    count = 0
    for row, record in _records(deliveries(case), ECS):
        for name, value in _ECS_FIXED.items():
            _put(record, name, value)
        _put(record, "event.outcome", _ECS_OUTCOMES.get(row["status"], "unknown"))
        if row["delay_s"] is not None:
            _put(record, "event.duration", round(row["delay_s"] * 1e9))
        count += 1
        out.write(_line(record))
    return count


def _ocsf(case: ExportedCase, out: IO[bytes]) -> int:
    product = {"name": "mailforensics", "vendor_name": "mailforensics", "version": _version()}
    count = 0
    for row, record in _records(deliveries(case), OCSF):
        done, direction = row["status"] == "sent", _DIRECTIONS.get(row["message_direction"], 0)
        activity = 2 if direction == 1 else 1
        record |= {
            "activity_id": activity, "category_uid": 4, "class_uid": 4009, "type_uid": 400900 + activity,
            "severity_id": 1, "direction_id": direction, "status_id": 1 if done else 2,
            "time": int(row["time"].timestamp() * 1000) if row["time"] else None,
            "metadata": {"version": "1.4.0", "product": product}, "protocol_name": "SMTP",
        }  # fmt: skip
        count += 1
        out.write(_line(record))
    return count


def _zeek(case: ExportedCase, out: IO[bytes]) -> int:
    rows = case.polars("messages").sort("received_time", "message_key", nulls_last=True)
    rows = rows.with_columns(uid=pl.format("M{}", "message_key"), tls=pl.col("tls_version").is_not_null())
    types = [kind for kind, _ in ZEEK.values()]
    head = ["#separator \\x09", "#set_separator\t,", "#empty_field\t(empty)", "#unset_field\t-", "#path\tsmtp",
            "\t".join(["#fields", *ZEEK]), "\t".join(["#types", *types])]  # fmt: skip
    out.write(("\n".join(head) + "\n").encode())
    for row in rows.iter_rows(named=True):
        cells = [_zeek_cell(row[column]) if column else "-" for _, column in ZEEK.values()]
        out.write(("\t".join(cells) + "\n").encode())
    return rows.height


def _zeek_cell(value: Any) -> str:
    """A value in Zeek's words: sets with commas, tabs and the like spelt out.

    >>> _zeek_cell(["a@example.com", "b,c"]), _zeek_cell(None), _zeek_cell("")
    ('a@example.com,b\\\\x2cc', '-', '(empty)')
    """
    if value is None:
        return "-"
    if isinstance(value, list):
        return ",".join(_zeek_text(str(it)).replace(",", "\\x2c") for it in value) or "(empty)"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC).timestamp():.6f}"
    return _zeek_text(str(value)) or "(empty)"


def _zeek_text(text: str) -> str:
    spelt = text.replace("\\", "\\\\")
    return escape.visible(spelt) if spelt != "-" else "\\x2d"


def _timesketch(case: ExportedCase, out: IO[bytes]) -> int:
    rows = case.polars("events").filter(pl.col("time").is_not_null()).select(TIMESKETCH.values())
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(TIMESKETCH)
    for row in rows.iter_rows(named=True):
        row |= {"time": row["time"].isoformat(), "kind": row["kind"] or "mail log line"}
        writer.writerow(escape.csv_cell(row[column]) for column in TIMESKETCH.values())
    text.detach()
    return rows.height


def _lnav(*names: str) -> Callable[[ExportedCase, IO[bytes]], int]:
    def formats(_case: ExportedCase, out: IO[bytes]) -> int:
        made = lnav.formats(names)
        out.write(json.dumps(made, indent=2).encode() + b"\n")
        return len(made) - 1

    return formats


def _version() -> str:
    try:
        return version("mailforensics-notebooks")
    except PackageNotFoundError:
        return "0"
