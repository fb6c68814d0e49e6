"""Lost mail: the copies of journeys that have no seen good end, the worst first, each with what to look at next.

    accepted_and_gone   4jYBcn5tsv was accepted on mx at 09:02:11 and has neither a delivery nor a removal.
    discarded_by_sieve  The server answered that the message was saved, but a Sieve script of bob@example.org ...

What an outcome means is said in ``link/fates.py``. Here the outcomes are sorted by how much a postmaster should worry;
a mail that was refused, or returned to a sender who was told, is not lost.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from mailforensics.findings.networks import networks
from mailforensics.findings.rows import finding_rows

Frame = pl.DataFrame


@dataclass(frozen=True)
class LostThresholds:
    """What counts as an end of the evidence, and which mailboxes nobody looks into.

    edge        a queue entry whose last line is this near to the end of its host's log, or to a gap, was cut by it
    unwatched   names of mailboxes, the last part of the path, in lower case
    """

    edge: dt.timedelta = dt.timedelta(minutes=15)
    unwatched: tuple[str, ...] = (
        "junk", "spam", "junk e-mail", "junk email", "bulk mail", "quarantine", "trash", "deleted items", "deleted messages",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Kind:
    """One way to be lost: its name, how bad it is, and where to look next."""

    name: str
    severity: str
    next: str
    innocent: str | None = None


KINDS = (
    _Kind("accepted_and_gone", "high", "Look for the queue id in the queue (postqueue -j, postcat -q) and for a crash or a full disk at that time.",
          "A log that misses lines of this time, without a gap that can be seen."),
    _Kind("forwarded_into_loop", "warning", "Look at the aliases, Sieve redirects and transport maps of the addresses in the journey."),
    _Kind("expunged_by_stranger", "warning", "Look at the session that removed it: its address, its client, and what else it did.",
          "The owner used another device or network, or shares the mailbox."),
    _Kind("discarded_by_rule", "warning", "Look at header_checks, access maps, the milter or the transport map that says DISCARD."),
    _Kind("discarded_by_sieve", "warning", "Look at the recipient's active Sieve script (doveadm sieve get) and at the global scripts before and after it."),
    _Kind("returned_untold", "warning", "Tell the sender: no notification of this failure is in the evidence.",
          "The notification was sent by a host whose log is not here."),
    _Kind("forwarded_to_dead_address", "notice", "Look at the alias or redirect, and take the dead address out."),
    _Kind("deleted_from_queue", "notice", "Ask who ran postsuper -d, and why."),
    _Kind("held", "notice", "Look at it with postcat -q, then release it (postsuper -H) or delete it."),
    _Kind("still_queued", "notice", "Look at the queue of today (postqueue -j) and at the answer of the last try."),
    _Kind("expunged", "info", "Ask the owner; a backup or doveadm import may still have it.",
          "People delete mail."),
    _Kind("filed_where_nobody_looks", "info", "Look into that mailbox; the scan's symbols tell why it was taken for spam.",
          "It is spam."),
    _Kind("handed_over_not_followed", "info", "Ask the postmaster of the next server with the queue id in its answer, or add that host's log to the case.",
          "The next server belongs to others; its 250 means that it has the message."),
    _Kind("cut_by_the_evidence", "info", "Add the log after the end or the gap to the case; it may be a rotated file."),
    _Kind("never_ours", "info", "Ask the sender's server: the client broke off, and the message is still there.",
          "The client tried again later, and that try is another journey."),
)  # fmt: skip
"""The ways to be lost, the worst first; the place in this list is the rank."""

_BY_OUTCOME = {
    "discarded_by_rule": "discarded_by_rule",
    "discarded_by_sieve": "discarded_by_sieve",
    "deleted_from_queue": "deleted_from_queue",
    "held": "held",
    "deferred": "still_queued",
    "expunged": "expunged",
    "retrieved_and_deleted": "expunged",
    "forwarded": "handed_over_not_followed",
    "handed_to_remote": "handed_over_not_followed",
}


def lost_mail(
    journeys: Frame,
    messages: Frame,
    deliveries: Frame,
    mailbox_events: Frame,
    sessions: Frame,
    covered: Frame,
    gaps: Frame,
    thresholds: LostThresholds = LostThresholds(),
) -> Frame:
    """One row of ``findings`` per copy that has no seen good end, the worst first.

    covered   host, from, to: the stretch of time for which each host's log is held
    gaps      host, from, to: pauses in it

    Besides the columns of ``findings``: rank (0 the worst), journey_key, recipient, outcome, and ``next``, what to look at
    next; the sentence ends with it, too.
    """
    ends = _ends(journeys)
    ends = ends.join(_states(messages, covered, gaps, thresholds), on="journey_key", how="left")
    ends = ends.join(_looping(deliveries, messages), on="journey_key", how="left")
    ends = ends.join(
        _by_strangers(mailbox_events, sessions, messages), on=["journey_key", "removed_from"], how="left"
    )
    ends = ends.with_columns(kind=_kind(thresholds)).filter(pl.col("kind").is_not_null())
    found = [_found(ends.filter(pl.col("kind") == kind.name), rank, kind) for rank, kind in enumerate(KINDS)]
    return pl.concat(found).sort("rank", "time", "journey_key", maintain_order=True, nulls_last=True)


def _ends(journeys: Frame) -> Frame:
    """The outcomes of all journeys, a row each, with what is needed of the journey."""
    told = (
        pl.col("links").list.eval(pl.element().struct.field("method") == "bounce_of").list.any().fill_null(False)
    )  # fmt: skip
    rows = journeys.select(
        "journey_key", "message_keys", "sender", "last_time", told.alias("told"), "outcomes"
    )
    rows = rows.filter(pl.col("outcomes").list.len() > 0).explode("outcomes", empty_as_null=True)
    return rows.unnest("outcomes").with_columns(removed_from=pl.col("recipient").str.to_lowercase())


def _states(messages: Frame, covered: Frame, gaps: Frame, thresholds: LostThresholds) -> Frame:
    """Per journey: whether an open queue entry ends where its host's evidence ends, and whether it was never queued."""
    messages = messages.with_columns(last_seen=pl.max_horizontal("received_time", "queued_time"))
    open_ = messages.filter(~pl.col("complete").fill_null(False)).select("message_key", "host", "last_seen")
    stops = pl.concat(
        [
            covered.select("host", stop=pl.col("to").cast(pl.Datetime("us", "UTC"))),
            gaps.select("host", stop=pl.col("from").cast(pl.Datetime("us", "UTC"))),
        ]
    )
    near = (
        open_.join(stops, on="host", how="inner")
        .filter((pl.col("stop") - pl.col("last_seen")).is_between(pl.duration(), thresholds.edge))
        .select("message_key", pl.lit(True).alias("cut"))
        .unique()
    )
    entry = pl.format("{} on {}", pl.col("queue_id").fill_null("A message"), "host")
    return (
        messages.join(near, on="message_key", how="left")
        .group_by("journey_key")
        .agg(
            pl.col("cut").fill_null(False).any(),
            pl.col("queued_time").is_null().all().alias("never_queued"),
            entry.filter(~pl.col("complete").fill_null(False)).first().alias("open_entry"),
        )
    )


def _looping(deliveries: Frame, messages: Frame) -> Frame:
    """Journeys in which a server said that the mail loops."""
    keys = deliveries.filter(pl.col("cause") == "routing_loop").select("message_key")
    return (
        messages.join(keys, on="message_key", how="semi")
        .select("journey_key", pl.lit(True).alias("loops"))
        .unique()
    )


def _by_strangers(mailbox_events: Frame, sessions: Frame, messages: Frame) -> Frame:
    """Removals out of a session from a network from which the owner never comes otherwise, though there are others."""
    known = sessions.filter(pl.col("protocol").is_in(["imap", "pop3"]) & (pl.col("auth_outcome") == "ok")).select(
        "host", "session_id", user=pl.col("username").str.to_lowercase(), client_ip="client_ip"
    )  # fmt: skip
    known = known.with_columns(networks(known["client_ip"]).alias("net")).drop_nulls(
        ["session_id", "user", "net"]
    )
    removed = (
        mailbox_events.filter(pl.col("action").is_in(["expunged", "deleted"]) & pl.col("message_key").is_not_null())
        .select("message_key", "host", "session_id", removed_from=pl.col("username").str.to_lowercase())
        .join(known, on=["host", "session_id"])
        .join(messages.select("message_key", "journey_key"), on="message_key")
    )  # fmt: skip
    same = known.group_by("user", "net").agg(pl.len().alias("from_there"))
    whole = known.group_by("user").agg(pl.len().alias("logins"))
    removed = (
        removed.join(same, left_on=["removed_from", "net"], right_on=["user", "net"], how="left")
        .join(whole, left_on="removed_from", right_on="user", how="left")
        .with_columns(pl.col("from_there").fill_null(0), pl.col("logins").fill_null(0))
    )
    strange = (pl.col("user") != pl.col("removed_from")) | (
        (pl.col("from_there") == 1) & (pl.col("logins") >= 3)
    )
    return (
        removed.filter(strange)
        .select("journey_key", "removed_from", pl.col("client_ip").alias("stranger"))
        .unique(["journey_key", "removed_from"], keep="first", maintain_order=True)
    )


def _kind(thresholds: LostThresholds) -> pl.Expr:
    """The way in which a copy is lost; null for a good end."""
    outcome, returned = pl.col("outcome"), pl.col("outcome").is_in(["bounced", "expired"])
    box = pl.col("mailbox").str.to_lowercase().str.extract(r"([^/.]+)\z")
    return (
        pl.when((outcome == "not_seen") & pl.col("cut")).then(pl.lit("cut_by_the_evidence"))
        .when((outcome == "not_seen") & pl.col("never_queued")).then(pl.lit("never_ours"))
        .when(outcome == "not_seen").then(pl.lit("accepted_and_gone"))
        .when(returned & pl.col("loops")).then(pl.lit("forwarded_into_loop"))
        .when(returned & ~pl.col("told") & (pl.col("sender").fill_null("") != "")).then(pl.lit("returned_untold"))
        .when(returned & pl.col("original_recipient").is_not_null()).then(pl.lit("forwarded_to_dead_address"))
        .when((outcome == "expunged") & pl.col("stranger").is_not_null()).then(pl.lit("expunged_by_stranger"))
        .when(outcome.is_in(["delivered", "filed_by_sieve"]) & box.is_in(thresholds.unwatched))
        .then(pl.lit("filed_where_nobody_looks"))
        .otherwise(outcome.replace_strict(_BY_OUTCOME, default=None, return_dtype=pl.String))
    )  # fmt: skip


def _found(rows: Frame, rank: int, kind: _Kind) -> Frame:
    """The findings of one kind."""
    who = pl.col("recipient").fill_null("an unknown recipient")
    gone = pl.format(
        "{} was accepted for {} and then has neither a delivery nor a removal.", pl.col("open_entry"), who
    )
    said = pl.coalesce(gone, pl.col("sentence")) if kind.name == "accepted_and_gone" else pl.col("sentence")
    if kind.name == "expunged_by_stranger":
        said = pl.format(
            "{} The session came from {}, from where the owner never came otherwise.", said, "stranger"
        )
    rows = rows.with_columns(time=pl.col("last_time"))
    table = finding_rows(
        rows, finding=kind.name, severity=kind.severity, subject=pl.format("journey {}, {}", "journey_key", who),
        sentence=pl.format("{}. Next: {}", said.str.strip_chars_end(" ."), pl.lit(kind.next)), rule=f"lost.{kind.name}",
        certainty=pl.lit("inferred") if kind.name == "expunged_by_stranger" else pl.col("certainty"), innocent=kind.innocent,
    )  # fmt: skip
    return table.with_columns(
        pl.lit(rank).alias("rank"), rows["journey_key"], rows["recipient"], rows["outcome"], pl.lit(kind.next).alias("next")
    )  # fmt: skip
