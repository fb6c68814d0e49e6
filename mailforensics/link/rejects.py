"""What was refused before it was ours: NOQUEUE lines, milter rejects, postscreen and proxy rejects.

NOQUEUE: reject: RCPT from client[192.0.2.7]: 550 5.1.1 <x>: Recipient address rejected: ...; from=<a> to=<x> proto=ESMTP helo=<c>
3F2A1C0B2: milter-reject: END-OF-MESSAGE from client[192.0.2.7]: 5.7.1 Spam message rejected; from=<a> to=<x> ...
"""

from __future__ import annotations

import polars as pl

from mailforensics.link.log import Frame, Log, domain_of, ensure

_KINDS = (
    "postfix.smtpd.reject",
    "postfix.cleanup.milter",
    "postfix.cleanup.check",
    "postfix.postscreen.reject",
    "postfix.smtpd.proxy",
)
_FIELDS: dict[str, type[pl.DataType]] = {
    "stage": pl.String, "action": pl.String, "client_name": pl.String, "client_ip": pl.String, "client_port": pl.Int64,
    "helo": pl.String, "protocol": pl.String, "sender": pl.String, "recipient": pl.String, "sasl_username": pl.String,
    "reply_code": pl.Int64, "enhanced_code": pl.String, "text": pl.String,
}  # fmt: skip
_COLUMNS = ["event_id", "time", "host", "instance", "pid", "queue_id", "kind", *_FIELDS]


def notices(log: Log) -> Frame:
    """Every line in which a check, milter, policy or table acts on a transaction or message, whatever the action.

    Where lives are not known (no ``message_key`` in the log), only those are given that name no queue id.
    """
    parts = []
    for kind, table in log.kinds(_KINDS, "time", "host", "instance", "pid", "queue_id", "message_key"):
        if "message_key" not in table.columns:
            table = table.filter(pl.col("queue_id").is_null())
        table = ensure(table, **_FIELDS, where=pl.String, message_key=pl.Int64).with_columns(
            kind=pl.lit(kind), stage=pl.coalesce("stage", "where")
        )
        parts.append(table.select(pl.col(c).cast(t) for c, t in _types(log).items()))
    whole = pl.concat(parts) if parts else pl.DataFrame(schema=_types(log))
    return whole.with_columns(
        recipient_domain=domain_of(pl.col("recipient")),
        evidence=pl.concat_list("event_id"),
    ).sort("time", "event_id", nulls_last=True)


def rejects(noticed: Frame) -> Frame:
    """The rejects table without causes: one row per line with which a transaction or recipient was refused."""
    return noticed.filter(_refuses())


def _types(log: Log) -> dict[str, pl.DataType | type[pl.DataType]]:
    base: dict[str, pl.DataType | type[pl.DataType]] = {
        "event_id": pl.Int64, "time": log.events.schema["time"], "host": pl.String, "instance": pl.String,
        "pid": pl.Int64, "queue_id": pl.String, "message_key": pl.Int64, "kind": pl.String,
    }  # fmt: skip
    return base | _FIELDS


def _refuses() -> pl.Expr:
    """Actions that refuse; a hold, a warning, a redirect or a discard lets the client believe that it was taken."""
    return pl.col("action").str.contains("reject") & ~pl.col("action").str.contains("warn")
