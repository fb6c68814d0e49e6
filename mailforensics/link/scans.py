"""Verdicts of the filters, each with the message it is about.

Rspamd's task line names the queue id (``qid: <3F2A1C0B2>``): it joins every scan of a milter to its message, also mail that
was then rejected. A scan without a queue id is joined by Message-ID, recipient and time; Rspamd writes a ``?`` for
each character of a Message-ID that it does not like, so both sides are compared in that form.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from mailforensics.link.log import Frame, Log, column

WINDOW_S = (
    120  # a scan belongs to the life of its queue id that is open then, or opens or closed within this time
)

_TEXT = (
    "queue_id",
    "message_id",
    "client_ip",
    "user",
    "sender",
    "action",
    "forced_action",
    "settings_id",
    "subject",
    "tag",
)


def scans(log: Log, messages: Frame, hosts: Sequence[str], headers: Frame | None = None) -> Frame:
    """The scans table: Rspamd's task lines, and the verdicts in message headers when there are messages.

    `hosts` are those on which Postfix logs; a scan of another host may be about a message of any.
    """
    table = log.kind("rspamd.task", "time", "host", "pid")
    if table.height:
        table = _rspamd(table)
        table = table.join(_by_queue_id(table, messages, hosts), on="event_id", how="left")
        table = _by_message_id(table, messages)
        owners = messages.select("message_key", pl.col("host").alias("message_host"))
        table = table.join(owners, on="message_key", how="left").with_columns(
            host=pl.coalesce("host", "message_host")
        )
        return _with_headers(table.drop("message_host"), headers)
    return _with_headers(None, headers)


def _with_headers(table: Frame | None, headers: Frame | None) -> Frame:
    parts = [part for part in (table, headers) if part is not None and part.height]
    if not parts:
        return pl.DataFrame(
            schema={
                "message_key": pl.Int64,
                "event_id": pl.Int64,
                "time": pl.Datetime("us", "UTC"),
                "queue_id": pl.String,
                "action": pl.String,
                "recipients": pl.List(pl.String),
                "evidence": pl.List(pl.Int64),
                "message_id": pl.String,
                "score": pl.Float64,
                "required_score": pl.Float64,
                "host": pl.String,
                "engine": pl.String,
                "origin": pl.String,
                "forced_action": pl.String,
            }
        )
    return parts[0] if len(parts) == 1 else pl.concat(parts, how="diagonal_relaxed")


def _rspamd(table: Frame) -> Frame:
    flag = column(table, "flag")
    action = pl.col("action")
    return table.with_columns(
        *[column(table, name) for name in _TEXT if name not in table.columns],
        engine=pl.lit("rspamd"),
        origin=pl.lit("log"),
        is_spam=pl.when(action.is_not_null()).then(action.is_in(["reject", "add header", "rewrite subject"])),
        is_skipped=pl.when(flag.is_not_null()).then(flag == "S"),
        evidence=pl.concat_list("event_id"),
    )


def _by_queue_id(table: Frame, messages: Frame, hosts: Sequence[str]) -> Frame:
    """The life of that queue id that was open at the time of the scan (on the scan's host, when that is known)."""
    named = table.filter(pl.col("queue_id").is_not_null()).select(
        "event_id", "time", "queue_id", pl.col("host").alias("scan_host")
    )
    spans = messages.select("message_key", "queue_id", "host", "received_time", "last_time")
    both = named.join(spans, on="queue_id", how="inner")
    slack = pl.duration(seconds=WINDOW_S)
    both = both.filter(
        (
            pl.col("scan_host").is_null()
            | (pl.col("scan_host") == pl.col("host"))
            | ~pl.col("scan_host").is_in(list(hosts))  # a filter on a machine of its own
        )
        & (pl.col("time") >= pl.col("received_time") - slack)
        & (pl.col("time") <= pl.col("last_time") + slack)
    )
    away = (pl.col("time") - pl.col("received_time")).abs()
    return (
        both.sort("event_id", away)
        .unique("event_id", keep="first", maintain_order=True)
        .select("event_id", "message_key")
    )


def _by_message_id(table: Frame, messages: Frame) -> Frame:
    """Scans without a queue id: by Message-ID, when it is that of one message within two minutes."""
    left = table.filter(
        pl.col("message_key").is_null() & pl.col("queue_id").is_null() & pl.col("message_id").is_not_null()
    )
    if not left.height:
        return table
    mine = left.select("event_id", "time", plain_id(pl.col("message_id")).alias("id"))
    theirs = messages.select(
        "message_key", "received_time", plain_id(pl.col("message_id")).alias("id")
    ).drop_nulls("id")
    both = mine.join(theirs, on="id").filter(
        (pl.col("time") - pl.col("received_time")).abs() <= pl.duration(seconds=WINDOW_S)
    )
    alone = both.filter(pl.len().over("event_id") == 1).select(
        "event_id", pl.col("message_key").alias("by_id")
    )
    return (
        table.join(alone, on="event_id", how="left")
        .with_columns(message_key=pl.coalesce("message_key", "by_id"))
        .drop("by_id")
    )


def plain_id(message_id: pl.Expr) -> pl.Expr:
    """A Message-ID as Rspamd would write it: without brackets, a ``?`` for blanks and brackets inside."""
    bare = message_id.str.strip_chars(" \t<>")
    return bare.str.replace_all(r"[ \t<>\[\]\\\\]", "?")
