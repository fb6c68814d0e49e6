"""Journeys: one mail as its sender means it, over all queues and hosts, with the fate of each recipient's copy.

Links join queue lives to journeys; from the first life each recipient is followed from link to link to the last thing
that is known of that copy. A notification (bounce, vacation) belongs to the journey of the mail that caused it, but its
own delivery is no outcome of that mail. Mail that was refused before it had a queue id is a journey too.
"""

from __future__ import annotations

import polars as pl

from mailforensics.link.log import Frame, norm_address

_MAX_HOPS = 25  # longer chains are loops; Postfix's own hopcount_limit is 50 Received fields


def journey_keys(messages: Frame, links: Frame) -> Frame:
    """message_key and journey_key: lives that are linked, directly or not, are one journey (key: its first life)."""
    parent: dict[int, int] = {}

    def find(key: int) -> int:
        while parent.get(key, key) != key:
            parent[key] = parent.get(parent[key], parent[key])
            key = parent[key]
        return key

    for one, other in links.select("from_key", "to_key").iter_rows():
        a, b = find(one), find(other)
        if a != b:
            parent[max(a, b)] = min(a, b)
    linked = pl.concat([links["from_key"], links["to_key"]]).unique().to_list() if links.height else []
    table = pl.DataFrame(
        {"message_key": linked, "journey_key": [find(key) for key in linked]},
        schema={"message_key": pl.Int64, "journey_key": pl.Int64},
    )
    out = messages.select("message_key").join(table, on="message_key", how="left")
    return out.with_columns(journey_key=pl.coalesce("journey_key", "message_key"))


def outcomes(messages: Frame, copies: Frame, links: Frame) -> Frame:
    """Where each recipient's copy ended: one row per journey and final copy.

    Columns: journey_key, addressed (as the sender wrote it), recipient (the last address), outcome, certainty, mailbox,
    message_key (the last life), events (all that carried it), hops, and the columns of the last copy.
    """
    carrying = links.filter(pl.col("method") != "bounce_of")
    children = pl.concat(
        [carrying["to_key"], links.filter(pl.col("method") == "bounce_of")["to_key"]]
    ).unique()
    roots = messages.filter(~pl.col("message_key").is_in(children.implode()) & ~pl.col("probe")).select(
        "message_key", "journey_key"
    )
    here = roots.join(copies, on="message_key").with_columns(
        root=pl.coalesce("original_recipient", "recipient"),
        hops=pl.lit(0),
        trail=pl.col("events"),
    )
    # most mail has one recipient and one queue: nothing to follow, and nothing to choose from
    goes_on = pl.col("message_key").is_in(carrying["from_key"].unique().implode())
    plain = (pl.len().over("journey_key") == 1) & ~goes_on
    singles, here = here.filter(plain), here.filter(~plain).with_columns(path=pl.concat_list("message_key"))
    done: list[Frame] = []
    for _ in range(_MAX_HOPS):
        ahead = _next_key(here, carrying)
        done.append(ahead.filter(pl.col("next_key").is_null()).drop("next_key"))
        moving = ahead.filter(pl.col("next_key").is_not_null())
        moving = moving.filter(~pl.col("path").list.contains(pl.col("next_key")))
        if not moving.height:
            break
        here = _step(moving, copies)
    whole = pl.concat(done, how="diagonal_relaxed")
    best = whole.sort("journey_key", "hops", descending=[False, True]).unique(
        ["journey_key", "root", "recipient", "message_key"], keep="first", maintain_order=True
    )
    return pl.concat([singles, _one_fate(best)], how="diagonal_relaxed")


def _one_fate(rows: Frame) -> Frame:
    """A recipient that was first refused for now and taken later has the later fate; a real one beats an unseen one."""
    rank = pl.col("fate").replace_strict({"not_seen": 2, "rejected": 1}, default=0, return_dtype=pl.Int8)
    rows = rows.with_columns(norm=norm_address(pl.col("recipient")), rank=rank)
    rows = rows.sort("journey_key", "norm", "rank", "time", nulls_last=True)
    best = rows.with_columns(lowest=pl.col("rank").min().over("journey_key", "norm"))
    best = best.filter(pl.col("rank") == pl.col("lowest"))
    # an address that was named itself and by an alias got one copy: the mailbox server keeps no second one
    direct = norm_address(pl.col("root")) == pl.col("norm")
    both = pl.col("remote_session_id").is_not_null() & direct.any().over(
        "journey_key", "norm", "message_key", "remote_session_id"
    )
    return best.filter(direct.fill_null(True) | ~both.fill_null(False)).drop("rank", "lowest", "norm")


def _next_key(here: Frame, carrying: Frame) -> Frame:
    """The life that each copy went on to: the link of its own delivery line, else of its message when that carried all.

    A copy whose fate is known at this place (delivered, bounced) stays; one that was handed on, forwarded, requeued or
    refused for now goes on.
    """
    goes_on = [
        "handed_to_remote",
        "forwarded",
        "deferred",
        "rejected",
        "not_seen",
        "delivered",
        "held",
        "delivered_to_command",
    ]
    by_line = carrying.filter(pl.col("method").is_in(["queued_as", "reinjected", "forwarded_as"])).select(
        pl.col("event_id").alias("delivery_event"), pl.col("to_key").alias("by_line")
    ).unique("delivery_event")  # fmt: skip
    whole = carrying.filter(
        pl.col("method").is_in(["requeued_from", "xforward", "filter_log", "message_id", "header_id"])
    )
    per_copy = whole.filter(pl.col("recipient").is_not_null()).select(
        pl.col("from_key").alias("message_key"), norm_address(pl.col("recipient")).alias("user"), pl.col("to_key").alias("by_copy")
    )  # fmt: skip
    per_life = whole.filter(pl.col("recipient").is_null()).select(
        pl.col("from_key").alias("message_key"), pl.col("to_key").alias("by_life")
    ).unique("message_key")  # fmt: skip
    out = here.join(by_line, on="delivery_event", how="left", nulls_equal=False)
    redirected = out.filter(pl.col("fate") == "forwarded").join(
        per_copy, on=["message_key", "user"], how="left", nulls_equal=False
    )
    others = out.filter(pl.col("fate") != "forwarded").with_columns(by_copy=pl.lit(None, dtype=pl.Int64))
    out = pl.concat([others, redirected]).join(per_life, on="message_key", how="left")
    further = pl.when(pl.col("fate") != "delivered").then(pl.col("by_life"))
    next_key = (
        pl.when(pl.col("fate").is_in(goes_on))
        .then(pl.coalesce("by_line", "by_copy", further))
        .otherwise(None)
    )
    return out.with_columns(next_key=next_key).drop("by_line", "by_copy", "by_life")


def _step(moving: Frame, copies: Frame) -> Frame:
    """Join each moving copy to its copies in the next life: the same address, or all of them when the name changed."""
    kept = moving.select(
        "journey_key",
        "root",
        "hops",
        "trail",
        "path",
        "next_key",
        "user",
        "addressed",
    )
    both = kept.join(
        copies.rename({"user": "user_next", "addressed": "addressed_next"}),
        left_on="next_key",
        right_on="message_key",
        how="left",
        maintain_order="left",
    )
    same = (
        (pl.col("user") == pl.col("addressed_next"))
        | (pl.col("user") == pl.col("user_next"))
        | (pl.col("addressed") == pl.col("addressed_next"))
    ).fill_null(False)
    both = both.with_columns(same=same).with_columns(
        any_same=pl.col("same").any().over("journey_key", "root", "next_key", "user")
    )
    both = both.filter(pl.col("same") | ~pl.col("any_same"))
    return both.with_columns(
        pl.col("next_key").alias("message_key"),
        user=pl.col("user_next"), addressed=pl.col("addressed_next"),
        fate=pl.col("fate").fill_null("not_seen"), certainty=pl.col("certainty").fill_null("not_seen"),
        hops=pl.col("hops") + 1,
        trail=pl.concat_list("trail", pl.col("events").fill_null(pl.lit([], dtype=pl.List(pl.Int64)))),
        path=pl.concat_list("path", "next_key"),
    ).drop("next_key", "user_next", "addressed_next", "same", "any_same")  # fmt: skip


def refused_alone(rejects: Frame, sessions: Frame) -> Frame:
    """The rejects of mail that never had a queue id, with the session they were said in, process by process in order of time."""
    alone = rejects.filter(pl.col("message_key").is_null() & (pl.col("stage") != "VRFY"))
    alone = alone.filter(pl.col("recipient").is_not_null() | pl.col("sender").is_not_null())
    if "evidence" in sessions.columns and sessions.height:
        owner = sessions.select("session_key", pl.col("evidence").alias("event_id")).explode(
            "event_id", empty_as_null=True
        )
        alone = alone.join(owner.unique("event_id"), on="event_id", how="left")
    else:
        alone = alone.with_columns(session_key=pl.lit(None, dtype=pl.Int64))
    return alone.sort("host", "pid", "time", "event_id")


def transactions(alone: Frame) -> Frame:
    """The rows of ``refused_alone`` with ``journey_key`` (event_id of the transaction's first reject).

    A transaction is what one client said in one connection with one sender; several refused recipients are one mail.
    """
    keys = ["host", "pid", "session_key", "client_ip", "client_port", "sender", "helo"]
    changes = pl.any_horizontal(pl.col(key).ne_missing(pl.col(key).shift()) for key in keys)
    pause = ((pl.col("time") - pl.col("time").shift()).dt.total_seconds() > 300).fill_null(False)
    again = pl.col("recipient").is_not_null() & (pl.col("recipient") == pl.col("recipient").shift())
    alone = alone.with_columns(part=(changes | pause | again).fill_null(True).cum_sum())
    return alone.with_columns(journey_key=pl.col("event_id").min().over("part")).drop("part")


def tried(deliveries: Frame, messages: Frame) -> Frame:
    """The tries that failed: to, from, when, and the answer."""
    bad = deliveries.filter(
        pl.col("status").is_in(["bounced", "deferred", "undeliverable"]) & pl.col("response").is_not_null()
    )
    return bad.join(messages.select("message_key", "sender"), on="message_key").select(
        norm_address(pl.col("recipient")).alias("to"), norm_address(pl.col("sender")).alias("from"),
        pl.col("time").alias("tried"), "response",
    )  # fmt: skip


def told_elsewhere(rejects: Frame, failed: Frame) -> Frame:
    """Rejects that are the other side of a delivery line of ours: same recipient and sender, same code, same moment."""
    mine = rejects.select(
        "event_id", norm_address(pl.col("recipient")).alias("to"), norm_address(pl.col("sender")).alias("from"), "time",
        pl.col("reply_code").cast(pl.String).alias("code"),
    )  # fmt: skip
    both = mine.join(failed, on=["to", "from"])
    near = (pl.col("tried") - pl.col("time")).abs() <= pl.duration(seconds=60)
    same = pl.col("response").str.contains(pl.col("code"), literal=True).fill_null(True)
    return both.filter(near & same).select("event_id").unique()
