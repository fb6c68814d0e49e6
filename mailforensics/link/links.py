"""Which queue life was made from which: each link with its method and how sure it is.

    host a   3F2A1C0B2: to=<bob@...>, relay=mx..., status=sent (250 2.0.0 Ok: queued as 4jYBcn5tsv)
    host b   4jYBcn5tsv: client=a...                                   queued_as

A queue id alone proves nothing: a stranger's server may name an id that happens to be one of ours, and short ids come
back. A link is made when the id, the time and the Message-ID (or the sender) agree; the Message-ID alone, which the
sender chooses, makes only a weak link, and never between different envelope senders.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from mailforensics.link.addresses import originals
from mailforensics.link.hosts import LOOSE_S, NEAR_S
from mailforensics.link.log import Frame, Log, ensure, norm_address
from mailforensics.link.scans import plain_id

SCHEMA = {
    "from_key": pl.Int64, "to_key": pl.Int64, "method": pl.String, "confidence": pl.Float64,
    "event_id": pl.Int64, "recipient": pl.String,
}  # fmt: skip


def links(
    log: Log,
    messages: Frame,
    deliveries: Frame,
    mailbox: Frame,
    clocks: Frame,
    from_headers: Frame | None = None,
) -> Frame:
    """All links (from_key, to_key, method, confidence, event_id that shows it, recipient it carries).

    `clocks` says how far the clocks of two hosts are apart (``hosts.CLOCKS``). A life has at most one parent of a kind; where two methods find the same pair, the surer one stands.
    """
    makers: tuple[Callable[[], Frame], ...] = (
        lambda: _forwarded(messages, deliveries),
        lambda: _notifications(log, messages),
        lambda: _requeued(messages),
        lambda: _xforward(messages),
        lambda: _through_filter(log, messages),
        lambda: _queued_as(messages, deliveries, clocks),
        lambda: _redirected(messages, deliveries, mailbox),
        lambda: _retried(messages),
        lambda: _refused_there(messages, deliveries),
    )
    found = [part for make in makers if (part := make()).height]
    whole = pl.concat([_shaped(part) for part in found]) if found else pl.DataFrame(schema=SCHEMA)
    whole = whole.filter(pl.col("from_key") != pl.col("to_key"))
    if from_headers is not None and from_headers.height:
        known = whole.select("from_key", "to_key")
        whole = pl.concat([whole, _shaped(from_headers).join(known, on=["from_key", "to_key"], how="anti")])
    weak = _shaped(_same_message_id(messages, deliveries, whole))
    whole = pl.concat([whole, weak]).sort("confidence", descending=True, maintain_order=True)
    return whole.unique(["from_key", "to_key", "recipient"], keep="first", maintain_order=True)


def _shaped(part: Frame) -> Frame:
    return ensure(part, **SCHEMA).select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())


def _target(messages: Frame) -> Frame:
    """The columns of a life that may be the far end of a link."""
    return messages.select(
        pl.col("message_key").alias("to_key"), pl.col("queue_id").alias("next_id"), pl.col("host").alias("to_host"),
        pl.col("received_time").alias("to_time"), pl.col("message_id").alias("to_id"), pl.col("sender").alias("to_sender"),
        pl.col("origin").alias("to_origin"),
    )  # fmt: skip


def _seconds(span: pl.Expr) -> pl.Expr:
    return span.dt.total_microseconds() / 1e6


def _queued_as(messages: Frame, deliveries: Frame, clocks: Frame) -> Frame:
    """The next server named its queue id, and that life is in the evidence."""
    sent = deliveries.filter((pl.col("status") == "sent") & pl.col("remote_queue_id").is_not_null())
    sent = sent.filter(pl.col("next_form").fill_null("") != "forwarded_as").select(
        pl.col("message_key").alias("from_key"), "event_id", "recipient", "time", "host",
        pl.col("remote_queue_id").alias("next_id"), pl.col("delay_transmit_s").fill_null(0.0).alias("took"),
    )  # fmt: skip
    both = sent.join(_target(messages), on="next_id").filter(pl.col("from_key") != pl.col("to_key"))
    if not both.height:
        return both
    mine = messages.select(
        pl.col("message_key").alias("from_key"),
        pl.col("message_id").alias("from_id"),
        pl.col("sender").alias("from_sender"),
    )
    both = both.join(mine, on="from_key", how="left")
    both = both.with_columns(
        lag=_seconds(pl.col("time") - pl.col("to_time")),
        same_id=pl.col("from_id") == pl.col("to_id"),
        same_sender=norm_address(pl.col("from_sender")) == norm_address(pl.col("to_sender")),
        here=pl.col("host") == pl.col("to_host"),
    )
    both = both.join(clocks, on=["host", "to_host"], how="left").with_columns(
        off=pl.col("lag") - pl.col("offset_s").fill_null(0.0)
    )
    return _judge(both)


def _judge(both: Frame) -> Frame:
    """How sure each pair is; those that do not agree in time, or name another message, are none.

    Where the clock of one host was set while mail went on, the usual offset does not hold: then queue id, Message-ID and
    sender together are enough, if there is no pair that agrees in time, too.
    """
    near = (pl.col("off") >= -NEAR_S) & (pl.col("off") <= pl.col("took") + NEAR_S * 6)
    same_id, same_sender = pl.col("same_id").fill_null(False), pl.col("same_sender").fill_null(False)
    stepped = same_id & same_sender & ~pl.col("here") & (pl.col("off").abs() <= LOOSE_S)
    unnamed = pl.col("from_id").is_null() | pl.col("to_id").is_null()
    judged = both.filter(near | stepped).with_columns(
        confidence=pl.when(same_id & near)
        .then(1.0)
        .when(~near)
        .then(0.9)
        .when(unnamed & same_sender)
        .then(0.8)
        .when(pl.col("here") & same_sender)
        .then(0.7),
        method=pl.when(pl.col("here")).then(pl.lit("reinjected")).otherwise(pl.lit("queued_as")),
    )
    judged = judged.drop_nulls("confidence").sort(
        "event_id", "confidence", pl.col("off").abs(), descending=[False, True, False]
    )
    return judged.unique("event_id", keep="first", maintain_order=True)


def _forwarded(messages: Frame, deliveries: Frame) -> Frame:
    """local(8): ``forwarded as QID`` on the same host."""
    sent = deliveries.filter(pl.col("next_form").fill_null("") == "forwarded_as").select(
        pl.col("message_key").alias("from_key"), "event_id", "recipient", "time", "host",
        pl.coalesce("next_queue_id", "remote_queue_id").alias("next_id"),
    )  # fmt: skip
    both = sent.join(_target(messages), on="next_id").filter(pl.col("host") == pl.col("to_host"))
    return _nearest(both, 60).with_columns(method=pl.lit("forwarded_as"), confidence=pl.lit(1.0))


def _nearest(both: Frame, within_s: float) -> Frame:
    """Of several lives with the id, the one that began nearest to the line that names it."""
    both = both.with_columns(away=_seconds(pl.col("time") - pl.col("to_time")).abs()).filter(
        pl.col("away") <= within_s
    )
    return both.sort("event_id", "away").unique("event_id", keep="first", maintain_order=True)


def _notifications(log: Log, messages: Frame) -> Frame:
    """``sender non-delivery notification: QID``; the line stands behind the new message's first lines, since 3.11 before."""
    said = ensure(log.kind("postfix.bounce.notification", "time", "queue_id"), next_queue_id=pl.String)
    parents = messages.select("message_key", "queue_id", "host", "received_time", "last_time")
    said = said.join(parents, on="queue_id").filter(
        (pl.col("time") >= pl.col("received_time")) & (pl.col("time") <= pl.col("last_time"))
    )
    said = said.select(
        pl.col("message_key").alias("from_key"),
        "event_id",
        "time",
        "host",
        pl.col("next_queue_id").alias("next_id"),
    )
    both = said.join(_target(messages), on="next_id").filter(pl.col("host") == pl.col("to_host"))
    return _nearest(both, 60).with_columns(method=pl.lit("bounce_of"), confidence=pl.lit(1.0))


def _requeued(messages: Frame) -> Frame:
    """postsuper -r: pickup names the id that the message had."""
    return _by_previous(messages, "orig_id", "requeued_from")


def _xforward(messages: Frame) -> Frame:
    """A content filter re-injects and says (XFORWARD) which id the message had in front of it."""
    return _by_previous(messages, "orig_queue_id", "xforward")


def _through_filter(log: Log, messages: Frame) -> Frame:
    """amavis names both: ``Queue-ID: 99FC4DB2D4 ... queued_as: 8FB8EA92F9`` (several when it split the message)."""
    said = ensure(
        log.kind("amavis.result", "time", "host", "queue_id"), next_queue_id=pl.String, message_id=pl.String
    )
    said = said.drop_nulls(["queue_id", "next_queue_id"]).with_columns(
        next_id=pl.col("next_queue_id").str.split("/"), said_id=pl.col("message_id")
    )
    said = said.explode("next_id", empty_as_null=True).select(
        "event_id", "time", "host", "queue_id", "next_id", "said_id"
    )
    parents = messages.select(
        pl.col("message_key").alias("from_key"),
        "queue_id",
        "host",
        "received_time",
        "last_time",
        pl.col("message_id").alias("from_id"),
    )
    slack = pl.duration(seconds=NEAR_S)
    both = said.join(parents, on=["queue_id", "host"]).filter(
        (pl.col("received_time") <= pl.col("time") + slack) & (pl.col("last_time") >= pl.col("time") - slack)
    )
    both = both.join(_target(messages), on="next_id").filter(
        (pl.col("host") == pl.col("to_host")) & (pl.col("from_id") == pl.col("to_id")).fill_null(True)
    )
    away = _seconds(pl.col("time") - pl.col("to_time")).abs()
    both = both.filter(away <= 600).sort("event_id", "next_id", away)
    best = both.unique(["event_id", "next_id"], keep="first", maintain_order=True)
    return best.with_columns(method=pl.lit("filter_log"), confidence=pl.lit(0.95))


def _by_previous(messages: Frame, name: str, method: str) -> Frame:
    named = messages.filter(pl.col(name).is_not_null()).select(
        pl.col("message_key").alias("to_key"), pl.col("received_time").alias("time"), pl.col("host").alias("to_host"),
        pl.col("message_id").alias("to_id"), pl.col(name).alias("queue_id"),
    )  # fmt: skip
    parents = messages.select(
        pl.col("message_key").alias("from_key"),
        "queue_id",
        "host",
        "received_time",
        "last_time",
        "message_id",
    )
    both = named.join(parents, on="queue_id").filter(pl.col("from_key") != pl.col("to_key"))
    slack = pl.duration(seconds=60)
    both = both.filter(
        (pl.col("received_time") <= pl.col("time") + slack)
        & (pl.col("last_time") >= pl.col("time") - pl.duration(days=10))
    )
    both = both.filter((pl.col("host") == pl.col("to_host")) | (pl.col("message_id") == pl.col("to_id")))
    away = (pl.col("time") - pl.col("received_time")).abs()
    best = both.sort("to_key", away).unique("to_key", keep="first", maintain_order=True)
    return best.with_columns(method=pl.lit(method), confidence=pl.lit(1.0), event_id=pl.col("to_key"))


def _redirected(messages: Frame, deliveries: Frame, mailbox: Frame) -> Frame:
    """A Sieve redirect, vacation or reject: Dovecot hands a new message to sendmail(1); no line names its queue id.

    The new life begins on the same host within half a minute; a redirect keeps the Message-ID, and its recipient is the one
    that Sieve names. Replies (vacation, reject) get a Message-ID of their own and count as notifications.
    """
    acts = (
        mailbox.filter(
            pl.col("action").is_in(["sieve_redirected", "vacation_sent", "sieve_rejected"])
            & pl.col("message_key").is_not_null()
        )
        if mailbox.height
        else mailbox
    )
    if not acts.height:
        return pl.DataFrame(schema=SCHEMA)
    acts = acts.select(
        pl.col("message_key").alias("from_key"), "event_id", "time", "host", "action", "target",
        plain_id(pl.col("message_id")).alias("from_id"), pl.col("delivery_recipient").alias("recipient"),
    )  # fmt: skip
    lives = _target(messages).filter(pl.col("to_origin").is_in(["pickup", "smtpd", "unknown"]))
    lives = lives.with_columns(to_id=plain_id(pl.col("to_id")))
    both = acts.join(lives, left_on="host", right_on="to_host").filter(
        (pl.col("to_key") != pl.col("from_key"))
        & (pl.col("to_time") >= pl.col("time") - pl.duration(seconds=5))
        & (pl.col("to_time") <= pl.col("time") + pl.duration(seconds=30))
    )
    redirect = pl.col("action") == "sieve_redirected"
    both = both.filter(
        (redirect & (pl.col("from_id") == pl.col("to_id")))
        | (~redirect & pl.col("to_id").str.starts_with("dovecot-"))
    )
    to = deliveries.select(
        pl.col("message_key").alias("to_key"),
        norm_address(pl.coalesce("original_recipient", "recipient")).alias("to_recipient"),
        norm_address(pl.col("recipient")).alias("to_final"),
    ).unique()
    named = both.join(to, on="to_key", how="left").with_columns(
        fits=(norm_address(pl.col("target")) == pl.col("to_recipient"))
        | (norm_address(pl.col("target")) == pl.col("to_final"))
    )
    away = (pl.col("time") - pl.col("to_time")).abs()
    named = named.filter(pl.col("fits").fill_null(True)).sort("event_id", away)
    best = named.unique("event_id", keep="first", maintain_order=True).unique(
        "to_key", keep="first", maintain_order=True
    )
    method = pl.when(redirect).then(pl.lit("message_id")).otherwise(pl.lit("bounce_of"))
    return best.with_columns(method=method, confidence=pl.when(redirect).then(0.95).otherwise(0.8))


def _retried(messages: Frame) -> Frame:
    """A message refused for now (greylisting), or broken off on the way, that came again: same Message-ID, later."""
    again_expected = ((pl.col("status") == "rejected") & pl.col("temporary").fill_null(False)) | pl.col(
        "lost"
    )
    first = messages.filter(again_expected & pl.col("message_id").is_not_null())
    if not first.height:
        return pl.DataFrame(schema=SCHEMA)
    first = first.select(
        pl.col("message_key").alias("from_key"), "message_id", pl.col("sender").alias("first_sender"),
        pl.col("last_time").alias("time"), "host",
    )  # fmt: skip
    again = messages.select(
        pl.col("message_key").alias("to_key"),
        "message_id",
        "sender",
        pl.col("received_time").alias("to_time"),
        "host",
    )
    same = (pl.col("first_sender") == pl.col("sender")).fill_null(pl.col("first_sender").is_null())
    later = (pl.col("to_time") >= pl.col("time")) & (
        pl.col("to_time") <= pl.col("time") + pl.duration(days=3)
    )
    both = first.join(again, on=["message_id", "host"]).filter(
        (pl.col("from_key") != pl.col("to_key")) & later & same
    )
    best = both.sort("from_key", "to_time").unique("from_key", keep="first", maintain_order=True)
    return best.with_columns(method=pl.lit("message_id"), confidence=pl.lit(0.9), event_id=pl.col("to_key"))


def _refused_there(messages: Frame, deliveries: Frame) -> Frame:
    """A message that another host of ours had begun to take and then refused: the other side of a delivery line.

    That host has a queue id for it that never became a message (hop count, size, a milter): same moment, and what both sides
    know of sender and Message-ID agrees.
    """
    tried = deliveries.filter(pl.col("status").is_in(["bounced", "deferred"]) & (pl.col("agent") == "smtp"))
    tried = tried.join(messages.select("message_key", "message_id", "sender"), on="message_key").select(
        pl.col("message_key").alias("from_key"), "event_id", "time", "host", "message_id", "sender", "recipient",
    )  # fmt: skip
    refused = messages.filter((pl.col("status") == "rejected") & (pl.col("origin") == "smtpd")).select(
        pl.col("message_key").alias("to_key"), pl.col("host").alias("to_host"), pl.col("last_time").alias("to_time"),
        pl.col("message_id").alias("to_id"), pl.col("sender").alias("to_sender"), "client_name", "client_ip",
    )  # fmt: skip
    if not tried.height or not refused.height:
        return pl.DataFrame(schema=SCHEMA)
    both = tried.with_columns(minute=pl.col("time").dt.truncate("1m")).join(
        pl.concat([refused.with_columns(minute=(pl.col("to_time") + pl.duration(minutes=m)).dt.truncate("1m")) for m in (-1, 0, 1)]),
        on="minute",
    )  # fmt: skip
    near = (pl.col("time") - pl.col("to_time")).abs() <= pl.duration(seconds=NEAR_S)
    agree = (pl.col("message_id") == pl.col("to_id")).fill_null(True) & (
        pl.col("sender") == pl.col("to_sender")
    ).fill_null(True)
    both = both.filter(near & agree & (pl.col("host") != pl.col("to_host")))
    away = (pl.col("time") - pl.col("to_time")).abs()
    best = both.sort("to_key", away).unique("to_key", keep="first", maintain_order=True)
    return best.with_columns(method=pl.lit("message_id"), confidence=pl.lit(0.7))


def _same_message_id(messages: Frame, deliveries: Frame, known: Frame) -> Frame:
    """The weak link: handed to a server whose log is missing, and seen again later on another host.

    Only one to one, only with the same envelope sender, only when neither end has a better link.
    """
    linked = known.filter(pl.col("method") != "bounce_of")
    tried = deliveries.filter(pl.col("status").is_in(["sent", "deferred"]) & (pl.col("agent") == "smtp"))
    last = (
        tried.sort("time")
        .group_by("message_key", maintain_order=True)
        .agg(pl.col("time", "status", "relay_name", "relay_ip").last())
    )
    gone = messages.select("message_key", pl.col("removed_time").is_not_null().alias("gone"))
    # a deferred one counts while its own log does not show that it went: that log may have been cut before
    last = (
        last.join(gone, on="message_key")
        .filter((pl.col("status") == "sent") | ~pl.col("gone"))
        .select("message_key", "time", "relay_name", "relay_ip")
    )
    ends = messages.filter(pl.col("message_id").is_not_null()).join(last, on="message_key").join(
        linked.select(pl.col("from_key").alias("message_key")), on="message_key", how="anti"
    )  # fmt: skip
    starts = messages.filter(pl.col("message_id").is_not_null() & (pl.col("origin") == "smtpd")).join(
        linked.select(pl.col("to_key").alias("message_key")), on="message_key", how="anti"
    )
    ends = ends.with_columns(sender=originals(ends["sender"]))  # a forwarder rewrites it (SRS)
    starts = starts.with_columns(sender=originals(starts["sender"]))
    both = ends.select(
        pl.col("message_key").alias("from_key"),
        "message_id",
        "sender",
        "time",
        pl.col("host").alias("from_host"),
        pl.col("received_time").alias("from_time"),
        "relay_name",
        "relay_ip",
    ).join(
        starts.select(
            pl.col("message_key").alias("to_key"),
            "message_id",
            "sender",
            pl.col("received_time").alias("to_time"),
            "host",
            "client_name",
            "client_ip",
        ),
        on=["message_id", "sender"],
    )
    lag = _seconds(pl.col("to_time") - pl.col("time"))
    both = both.filter(
        (pl.col("from_key") != pl.col("to_key"))
        & (pl.col("from_host") != pl.col("host"))
        & (lag >= -NEAR_S)
        & (lag <= 4 * 3600)
        & (pl.col("to_time") >= pl.col("from_time"))
        & _came_from_there()
    )
    backwards = linked.select(pl.col("to_key").alias("from_key"), pl.col("from_key").alias("to_key"))
    both = both.join(backwards, on=["from_key", "to_key"], how="anti")
    alone = both.filter((pl.len().over("from_key") == 1) & (pl.len().over("to_key") == 1))
    return alone.with_columns(method=pl.lit("message_id"), confidence=pl.lit(0.6), event_id=pl.col("to_key"))


def _came_from_there() -> pl.Expr:
    """The client that brought it is the first host itself, the server it was handed to, or one of that server's domain."""

    def domain(name: str) -> pl.Expr:
        return pl.col(name).str.to_lowercase().str.extract(r"([^.]+\.[^.]+)$", 1)

    itself = pl.col("client_name").str.to_lowercase().str.split(".").list.first() == (
        pl.col("from_host").str.to_lowercase().str.split(".").list.first()
    )
    handed = (pl.col("client_ip") == pl.col("relay_ip")) | (domain("client_name") == domain("relay_name"))
    return itself.fill_null(False) | handed.fill_null(False)
