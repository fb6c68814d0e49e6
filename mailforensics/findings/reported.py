"""Notifications joined to the deliveries that they report: the bounce in a mailbox, and its line in the log.

    Final-Recipient: rfc822; nobody@example.org        88357C9: to=<nobody@example.org>, ... status=bounced (host ... said: 550 ...)
    X-Postfix-Queue-ID: 88357C9

A notification is of our own server when its queue id is ours; it is of the next one when it names the queue id under which that
server took the mail ("queued as 4jYJB41SFQz3k"). Otherwise the Message-ID of the returned mail and the recipient tell
which mail it was, and at last the recipient alone, when one mail only went there in the days before.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import polars as pl

Frame = pl.DataFrame

REUSED = timedelta(days=1)
"""Queue ids come again: between the arrival that a notification states and the log there is no more than this."""

KEPT = timedelta(days=7)
"""How long after a delivery a notification that names nothing but the recipient is still held to be about it."""

METHODS = ("queue_id", "remote_queue_id", "message_id", "recipient")
"""What a notification was recognised by, the surest first."""

_NEW = {
    "message_key": pl.Int64(), "journey_key": pl.Int64(), "delivery_time": pl.Datetime("us", "UTC"), "delivery_status": pl.String(),
    "matched_by": pl.String(), "match_certainty": pl.String(),
}  # fmt: skip


def join_deliveries(reports: Frame, messages: Frame, deliveries: Frame) -> Frame:
    """The rows of `reports` (of `dsn_frame`) with the delivery that each is about.

    New columns: message_key and journey_key, delivery_time and delivery_status (of the last try that fits), matched_by (one of
    `METHODS`), match_certainty (``seen``; ``inferred`` where only the recipient fits). Null where the log does not hold it.
    """
    numbered = reports.with_row_index("report")
    tries = _tries(messages, deliveries)
    found = pl.concat(_matches(numbered, tries)) if reports.height and tries.height else None
    if found is None or not found.height:
        return reports.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in _NEW.items())
    best = found.sort("method", "unlike", "delivery_time", descending=[False, False, True], nulls_last=True)
    chosen = best.unique("report", keep="first", maintain_order=True).with_columns(
        matched_by=pl.col("method").replace_strict(dict(enumerate(METHODS)), return_dtype=pl.String),
        match_certainty=pl.when(pl.col("method") == METHODS.index("recipient"))
        .then(pl.lit("inferred"))
        .otherwise(pl.lit("seen")),
    )
    joined = numbered.join(
        chosen.select("report", *_NEW), on="report", how="left", maintain_order="left"
    )  # fmt: skip
    return joined.drop("report")


def asked_of(reports: Frame, messages: pl.LazyFrame, deliveries: pl.LazyFrame) -> tuple[Frame, Frame]:
    """The messages and deliveries that `reports` may be about: those to a recipient that one of them names."""
    names = (
        pl.concat([reports["final_recipient"], reports["original_recipient"]])
        .str.to_lowercase()
        .drop_nulls()
        .unique()
    )
    named = pl.col("recipient", "original_recipient").str.to_lowercase().is_in(names.implode())
    tries = deliveries.filter(pl.any_horizontal(named)).collect(engine="streaming")
    keys = tries["message_key"].unique().implode()
    return messages.filter(pl.col("message_key").is_in(keys)).collect(engine="streaming"), tries


def joined_again(reports: Frame, messages: pl.LazyFrame, deliveries: pl.LazyFrame) -> Frame:
    """The rows of the table ``dsns`` joined anew: the log that they are about may have come later."""
    bare = reports.drop(_NEW, strict=False)
    return join_deliveries(bare, *asked_of(bare, messages, deliveries))


def _tries(messages: Frame, deliveries: Frame) -> Frame:
    """Every try with what notifications name of it: ids in the case in which they are compared, addresses in lower case."""
    ids = messages.select("message_key", "journey_key", "queue_id", "message_id")
    names = pl.concat_list(
        pl.col("recipient").str.to_lowercase(), pl.col("original_recipient").str.to_lowercase()
    )
    tries = deliveries.select(
        "message_key", "remote_queue_id", delivery_time="time", delivery_status="status", name=names.list.drop_nulls().list.unique()
    )  # fmt: skip
    return tries.join(ids, on="message_key", how="left").explode("name", empty_as_null=True)


def _matches(reports: Frame, tries: Frame) -> Sequence[Frame]:
    """Per method the pairs of report and try: report, method, unlike (a try that ended otherwise), and the columns of the try."""
    names = pl.concat_list(
        pl.col("final_recipient").str.to_lowercase(), pl.col("original_recipient").str.to_lowercase()
    ).list.drop_nulls().list.unique()  # fmt: skip
    asked = reports.select(
        "report", "action", "arrival_date", "notified", "queue_id", message_id="original_message_id", name=names
    ).explode("name", empty_as_null=True)  # fmt: skip
    by_queue = asked.join(tries, on=["queue_id", "name"], suffix="_tried").filter(_same_life())
    by_remote = asked.join(
        tries.drop("queue_id"), left_on=["queue_id", "name"], right_on=["remote_queue_id", "name"], suffix="_tried"
    ).filter(_same_life())  # fmt: skip
    by_id = asked.join(tries, on=["message_id", "name"], suffix="_tried")
    return [
        _pairs(each, number) for number, each in enumerate((by_queue, by_remote, by_id, _alone(asked, tries)))
    ]


def _same_life() -> pl.Expr:
    apart = (pl.col("delivery_time") - pl.coalesce("arrival_date", "notified", "delivery_time")).abs()
    return (apart <= KEPT).fill_null(True) & (
        pl.col("arrival_date").is_null() | (pl.col("delivery_time") >= pl.col("arrival_date") - REUSED)
    )


def _alone(asked: Frame, tries: Frame) -> Frame:
    """Reports that name neither an id of ours nor a Message-ID: the one mail that went to this recipient before."""
    nameless = asked.filter(pl.col("message_id").is_null() & pl.col("notified").is_not_null())
    pairs = nameless.join(tries, on="name", suffix="_tried")
    before = pairs.filter(pl.col("delivery_time").is_between(pl.col("notified") - KEPT, pl.col("notified")))
    return before.filter(pl.col("message_key").n_unique().over("report") == 1)


def _pairs(matched: Frame, method: int) -> Frame:
    """A report of failure fits a try that failed better than one that was taken over, a report of delay a deferred one."""
    ends = {"failed": ["bounced", "expired"], "delayed": ["deferred"]}
    like = pl.lit(False)
    for action, statuses in ends.items():
        like = like | ((pl.col("action") == action) & pl.col("delivery_status").is_in(statuses))
    return matched.select(
        "report", "message_key", "journey_key", "delivery_time", "delivery_status",
        method=pl.lit(method, pl.Int64), unlike=~like.fill_null(False),
    )  # fmt: skip
