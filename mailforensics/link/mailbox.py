"""What happened after "delivered": the mailbox events of Dovecot, each with the message it is about.

    postfix/lmtp ... status=sent (250 2.0.0 <bob@example.org> kztSJHp+BGtaAgAAYIgGOA Saved)
    dovecot: lmtp(bob@example.org)<602><kztSJHp+BGtaAgAAYIgGOA>: sieve: msgid=<x>: discard action: ...

The LMTP session id joins the two; later copies, moves and expunges by IMAP are joined by user and Message-ID (and UID when
the message was saved under it), since a session id ends with its session.
"""

from __future__ import annotations

import polars as pl

from mailforensics.link.log import Frame, Log, ensure, norm_address

_FIELDS: dict[str, type[pl.DataType]] = {
    "username": pl.String, "action": pl.String, "source": pl.String, "message_id": pl.String, "mailbox": pl.String,
    "origin_mailbox": pl.String, "target": pl.String, "uid": pl.Int64, "size": pl.Int64, "flags": pl.String,
    "reason": pl.String, "subject": pl.String, "sender": pl.String,
}  # fmt: skip


def mailbox_events(log: Log, deliveries: Frame) -> Frame:
    """The mailbox_events table with message_key where the message is known."""
    table = log.kind("dovecot.mailbox", "time", "host", "daemon", "pid", "session_id")
    table = ensure(table, **_FIELDS)
    if not table.height:
        return table.with_columns(
            message_key=pl.lit(None, dtype=pl.Int64),
            evidence=pl.concat_list("event_id"),
            delivery_recipient=pl.lit(None, dtype=pl.String),
        )
    table = table.filter(pl.col("action").is_not_null())
    table = table.join(_by_session(table, deliveries), on="event_id", how="left")
    table = _by_message_id(table, deliveries)
    table = _later(table)
    return table.with_columns(evidence=pl.concat_list("event_id")).sort("time", "event_id", nulls_last=True)


def _by_session(table: Frame, deliveries: Frame) -> Frame:
    """Delivery-time events: the id in Postfix's reply is the session id of Dovecot's line."""
    sent = deliveries.filter(pl.col("remote_session_id").is_not_null()).select(
        "message_key", pl.col("remote_session_id").alias("session_id"), pl.col("recipient").alias("delivery_recipient"),
        pl.col("time").alias("sent_time"),
    )  # fmt: skip
    both = table.select("event_id", "session_id", "time").drop_nulls("session_id").join(sent, on="session_id")
    away = (pl.col("time") - pl.col("sent_time")).abs()
    both = both.sort("event_id", away).unique("event_id", keep="first", maintain_order=True)
    return both.select("event_id", "message_key", "delivery_recipient")


def _by_message_id(table: Frame, deliveries: Frame) -> Frame:
    """Lines of a delivery whose session id Postfix did not log (Sieve rejects, proxies): user, and time within seconds."""
    left = table.filter(pl.col("message_key").is_null() & pl.col("daemon").is_in(["lmtp", "lda"]))
    if not left.height or not deliveries.height:
        return table
    mine = left.select("event_id", "time", "session_id", norm_address(pl.col("username")).alias("user"))
    near = deliveries.filter(pl.col("agent").is_in(["lmtp", "pipe", "local", "virtual"]) & pl.col("remote_session_id").is_null()).select(
        pl.col("message_key").alias("near_key"), pl.col("time").alias("sent_time"), pl.col("recipient").alias("near_recipient"),
        norm_address(pl.col("recipient")).alias("user"), "delay_transmit_s",
    )  # fmt: skip
    both = mine.join(near, on="user").filter(
        (pl.col("time") - pl.col("sent_time")).abs() <= pl.duration(seconds=5)
    )
    away = (pl.col("time") - pl.col("sent_time")).abs()
    both = both.sort("event_id", away).unique("event_id", keep="first", maintain_order=True)
    table = table.join(both.select("event_id", "near_key", "near_recipient"), on="event_id", how="left")
    return table.with_columns(
        message_key=pl.coalesce("message_key", "near_key"),
        delivery_recipient=pl.coalesce("delivery_recipient", "near_recipient"),
    ).drop("near_key", "near_recipient")


def _later(table: Frame) -> Frame:
    """What users did afterwards: the same user's copy of the same Message-ID, delivered before.

    Several copies of one Message-ID in one mailbox are told apart by UID, where Dovecot logged it when saving.
    """
    known = table.filter(pl.col("message_key").is_not_null() & pl.col("message_id").is_not_null())
    left = table.filter(pl.col("message_key").is_null() & pl.col("message_id").is_not_null())
    if not known.height or not left.height:
        return table
    saved = known.filter(pl.col("action").is_in(["saved", "sieve_filed", "copied"])).select(
        "username", "message_id", pl.col("mailbox").alias("saved_mailbox"), pl.col("uid").alias("saved_uid"),
        pl.col("time").alias("saved_time"), pl.col("message_key").alias("saved_key"),
        pl.col("delivery_recipient").alias("saved_recipient"),
    )  # fmt: skip
    both = left.select("event_id", "username", "message_id", "mailbox", "uid", "time").join(
        saved, on=["username", "message_id"]
    )
    both = both.filter(pl.col("saved_time") <= pl.col("time"))
    same_uid = (pl.col("uid") == pl.col("saved_uid")) & (pl.col("mailbox") == pl.col("saved_mailbox"))
    both = both.with_columns(fit=same_uid.fill_null(False)).sort(
        "event_id", "fit", "saved_time", descending=[False, True, True]
    )
    both = both.unique("event_id", keep="first", maintain_order=True).select(
        "event_id", "saved_key", "saved_recipient"
    )
    table = table.join(both, on="event_id", how="left")
    return table.with_columns(
        message_key=pl.coalesce("message_key", "saved_key"),
        delivery_recipient=pl.coalesce("delivery_recipient", "saved_recipient"),
    ).drop("saved_key", "saved_recipient")
