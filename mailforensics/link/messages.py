"""One row per queue life: who brought it, what it is, what became of it in this queue.

smtpd    client=, sasl_username=            origin smtpd
pickup   uid=, orig_id=                     origin pickup, or requeue
cleanup  message-id=                        the Message-ID
qmgr     from=, size=, nrcpt=               sender, size, how many recipients, when it was queued
qmgr     removed                            when it left
"""

from __future__ import annotations

import polars as pl

from mailforensics.link.lives import in_time
from mailforensics.link.log import Frame, Log, domain_of, ensure
from mailforensics.link.rejects import rejects


def messages(log: Log, lives: Frame, deliveries: Frame, noticed: Frame, brought: Frame) -> Frame:
    """The messages table (schema ``messages``) without journey_key, direction and links, which come later.

    `brought` is what the sessions say of the messages that they brought (``sessions.brought``).
    """
    base = lives.group_by("message_key", maintain_order=True).agg(
        pl.col("host").first(),
        pl.col("queue").first().alias("instance"),
        pl.col("queue_id").first(),
        pl.col("event_id").alias("evidence"),
        pl.col("time").min().alias("first_time"),
        pl.col("time").max().alias("last_time"),
    )
    for part in (
        _client(log),
        _pickup(log),
        _message_id(log),
        _active(log),
        _removed(log),
        _lost(log, brought.filter("broken")),
        _marks(log, noticed),
        _recipients(deliveries, noticed),
        _states(deliveries),
        _noticed(noticed),
        _refused(log, noticed),
    ):
        base = base.join(part, on="message_key", how="left")
    tls = brought.select("message_key", "tls_version", "tls_cipher")
    return _finish(base.join(tls, on="message_key", how="left"))


def _owned(log: Log, kind: str, *columns: str) -> Frame:
    """The lines of a kind with the life they belong to, in time order."""
    return in_time(log.kind(kind, "time", "message_key", *columns).drop_nulls("message_key"))


def _client(log: Log) -> Frame:
    table = ensure(
        _owned(log, "postfix.smtpd.client", "pid", "instance"),
        client_name=pl.String, client_ip=pl.String, client_port=pl.Int64, sasl_method=pl.String,
        sasl_username=pl.String, orig_queue_id=pl.String,
    )  # fmt: skip
    return (
        table.unique("message_key", keep="first", maintain_order=True)
        .select(
            "message_key", "client_name", "client_ip", "client_port", "sasl_method", "sasl_username", "orig_queue_id",
            pl.col("time").alias("client_time"), pl.col("pid").alias("client_pid"), pl.col("instance").alias("client_instance"),
        )
    )  # fmt: skip


def _pickup(log: Log) -> Frame:
    table = ensure(_owned(log, "postfix.pickup"), uid=pl.Int64, sender=pl.String, orig_id=pl.String)
    return table.unique("message_key", keep="first", maintain_order=True).select(
        "message_key",
        "uid",
        pl.col("sender").alias("pickup_sender"),
        "orig_id",
        pl.col("time").alias("pickup_time"),
    )


def _message_id(log: Log) -> Frame:
    table = ensure(_owned(log, "postfix.cleanup.message_id"), message_id=pl.String)
    return table.unique("message_key", keep="first", maintain_order=True).select(
        "message_key", "message_id", pl.lit(True).alias("cleaned")
    )


def _active(log: Log) -> Frame:
    table = _owned(log, "postfix.qmgr.active")
    table = ensure(table, sender=pl.String, size=pl.Int64, recipient_count=pl.Int64)
    return table.group_by("message_key", maintain_order=True).agg(
        pl.col("sender").first(),
        pl.col("size").first(),
        pl.col("recipient_count").first(),
        pl.col("time").first().alias("queued_time"),
        pl.len().alias("activations"),
    )


def _removed(log: Log) -> Frame:
    table = ensure(_owned(log, "postfix.removed"), removal=pl.String)
    return table.unique("message_key", keep="last", maintain_order=True).select(
        "message_key", pl.col("time").alias("removed_time"), "removal"
    )


def _lost(log: Log, broken: Frame) -> Frame:
    """Transactions that the client broke off: the message never became ours. `broken` are those whose line names no queue id."""
    named = log.kind("postfix.smtpd.lost", "message_key").drop_nulls("message_key")
    both = pl.concat([named.select("message_key"), broken.select("message_key")])
    return both.unique().with_columns(lost=pl.lit(True))


def _marks(log: Log, noticed: Frame) -> Frame:
    """Expired, held, discarded and deleted, from the lines that say so."""
    parts: list[Frame] = []
    expired = _owned(log, "postfix.qmgr.expired")
    parts.append(expired.select("message_key", "time", pl.lit("expired").alias("mark"), "event_id"))
    acted = noticed.filter(
        pl.col("message_key").is_not_null() & pl.col("action").str.contains("hold|discard")
    )
    held = pl.col("action").str.contains("hold")
    word = pl.when(held).then(pl.lit("held")).otherwise(pl.lit("discarded"))
    parts.append(acted.select("message_key", "time", word.alias("mark"), "event_id"))
    by_hand = _owned(log, "postfix.postsuper", "action")
    word = pl.col("action").replace_strict(
        {"removed": "deleted", "requeued": "requeued", "placed on hold": "held", "released from hold": "released", "expired": "force_expired"},
        default=None, return_dtype=pl.String,
    )  # fmt: skip
    parts.append(by_hand.select("message_key", "time", word.alias("mark"), "event_id"))
    marks = pl.concat(parts, how="vertical_relaxed").drop_nulls("mark").sort("time", "event_id")
    return marks.group_by("message_key", maintain_order=True).agg(
        pl.col("mark").alias("marks"), pl.col("event_id").alias("mark_events")
    )


def _recipients(deliveries: Frame, noticed: Frame) -> Frame:
    both = pl.concat(
        [
            deliveries.select("message_key", "recipient", "time"),
            noticed.filter(pl.col("message_key").is_not_null()).select("message_key", "recipient", "time"),
        ]
    )
    return (
        both.drop_nulls("recipient")
        .sort("time")
        .unique(["message_key", "recipient"], keep="first", maintain_order=True)
        .group_by("message_key", maintain_order=True)
        .agg(pl.col("recipient").alias("recipients"))
    )


def _states(deliveries: Frame) -> Frame:
    """The last word on each recipient, counted per message."""
    last = deliveries.filter(~pl.col("status").is_in(["deliverable", "undeliverable"]))
    last = last.sort("time").unique(["message_key", "recipient"], keep="last", maintain_order=True)
    count = {
        name: (pl.col("status") == name).sum().alias(f"n_{name}")
        for name in ("sent", "deferred", "bounced", "expired")
    }
    probes = deliveries.group_by("message_key").agg(
        pl.col("status").is_in(["deliverable", "undeliverable"]).all().alias("probe")
    )
    return probes.join(last.group_by("message_key").agg(*count.values()), on="message_key", how="left")


def _noticed(noticed: Frame) -> Frame:
    """What such lines say of the transaction: sender, HELO name, protocol."""
    mine = noticed.filter(pl.col("message_key").is_not_null())
    return mine.group_by("message_key", maintain_order=True).agg(
        pl.col("protocol").drop_nulls().first(),
        pl.col("helo").drop_nulls().first(),
        pl.col("sender").drop_nulls().first().alias("noticed_sender"),
    )


def _refused(log: Log, noticed: Frame) -> Frame:
    """Refused by a check or milter, or because the message broke a limit, which before 3.10 only a warning tells."""
    mine = rejects(noticed).filter(pl.col("message_key").is_not_null())
    broken = [
        ensure(log.kind(kind, "message_key"), subject=pl.String)
        .filter((pl.col("subject") == subject) & pl.col("message_key").is_not_null())
        .select("message_key", temporary=pl.lit(False))
        for kind, subject in _LIMITS.items()
    ]
    both = pl.concat([mine.select("message_key", temporary=_temporary()), *broken])
    return both.group_by("message_key", maintain_order=True).agg(
        pl.lit(True).alias("refused"), pl.col("temporary").all()
    )


# hopcount_limit and always_add_missing_headers; message_size_limit at the end of the data
_LIMITS = {"postfix.cleanup.problem": "checks", "postfix.smtpd.problem": "size"}


def _temporary() -> pl.Expr:
    """A refusal for now: a 4xx reply, or an enhanced code that begins with 4 (RFC 5321 4.2.1, RFC 3463 2)."""
    code = pl.col("reply_code").is_between(400, 499)
    enhanced = pl.col("enhanced_code").str.starts_with("4.")
    return pl.coalesce(code, enhanced).fill_null(False)


def _finish(base: Frame) -> Frame:
    base = base.with_columns(
        sender=pl.coalesce("sender", "pickup_sender", "noticed_sender"),
        received_time=pl.coalesce("client_time", "pickup_time", "first_time"),
        marks=pl.col("marks").fill_null(pl.lit([], dtype=pl.List(pl.String))),
        **{name: pl.col(name).fill_null(0) for name in ("n_sent", "n_deferred", "n_bounced", "n_expired")},
        probe=pl.col("probe").fill_null(False),
        refused=pl.col("refused").fill_null(False),
        lost=pl.col("lost").fill_null(False) & pl.col("queued_time").is_null(),
    )
    return base.with_columns(
        origin=_origin(),
        status=_status(),
        sender_domain=domain_of(pl.col("sender")),
        complete=_complete(),
        previous_queue_id=pl.coalesce("orig_queue_id", "orig_id"),
    )


def _origin() -> pl.Expr:
    """How the mail came into this queue; bounce and forward are set when the links are known."""
    return (
        pl.when(pl.col("orig_id").is_not_null()).then(pl.lit("requeue"))
        .when(pl.col("orig_queue_id").is_not_null()).then(pl.lit("reinjected"))
        .when(pl.col("client_time").is_not_null()).then(pl.lit("smtpd"))
        .when(pl.col("pickup_time").is_not_null()).then(pl.lit("pickup"))
        .otherwise(pl.lit("unknown"))
    )  # fmt: skip


def _status() -> pl.Expr:
    """The state of the queue entry after its last line."""
    marks = pl.col("marks")
    bad = pl.col("n_bounced") + pl.col("n_expired")
    last_hold = marks.list.eval(pl.element().filter(pl.element().is_in(["held", "released"]))).list.last()
    return (
        pl.when(marks.list.contains("deleted")).then(pl.lit("deleted"))
        .when(marks.list.contains("expired")).then(pl.lit("expired"))
        .when(marks.list.contains("discarded") & (pl.col("n_sent") == 0)).then(pl.lit("discarded"))
        .when((last_hold == "held") & pl.col("removed_time").is_null()).then(pl.lit("held"))
        .when(pl.col("refused") & (pl.col("n_sent") + pl.col("n_deferred") + bad == 0)).then(pl.lit("rejected"))
        .when(pl.col("lost")).then(pl.lit("unknown"))
        .when(pl.col("removal").is_in(["canceled"])).then(pl.lit("rejected"))
        .when(pl.col("n_deferred") > 0).then(pl.lit("deferred"))
        .when((pl.col("n_sent") > 0) & (bad > 0)).then(pl.lit("partial"))
        .when(pl.col("n_sent") > 0).then(pl.lit("delivered"))
        .when(pl.col("n_expired") > 0).then(pl.lit("expired"))
        .when(pl.col("n_bounced") > 0).then(pl.lit("bounced"))
        .when(pl.col("queued_time").is_not_null() & pl.col("removed_time").is_null()).then(pl.lit("queued"))
        .otherwise(pl.lit("unknown"))
    )  # fmt: skip


def _complete() -> pl.Expr:
    """Whether both ends of the life are in the evidence."""
    begun = (
        pl.col("client_time").is_not_null()
        | pl.col("pickup_time").is_not_null()
        | pl.col("cleaned").fill_null(False)
    )
    ended = (
        pl.col("removed_time").is_not_null() | pl.col("refused") | pl.col("marks").list.contains("deleted")
    )
    return begun & (ended | pl.col("marks").list.contains("requeued"))
