"""All linked tables out of the events and message files of a case: the order in which the link floor works.

    link_talk      what connections tell: sessions, and the refusals of mail that never had a queue id
    link_mail      what queue entries tell: messages, deliveries, refusals, scans, mailbox events, journeys
    link_refused   the journeys of mail that was refused before it had a queue id; they need both

``link`` does all three for a log that fits into memory. A larger one goes through them bucket by bucket (``outline.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from mailforensics.link.deliveries import deliveries as make_deliveries
from mailforensics.link.direction import directions
from mailforensics.link.documents import header_links
from mailforensics.link.fates import copies as make_copies
from mailforensics.link.hosts import Hosts
from mailforensics.link.journeys import (
    journey_keys,
    outcomes,
    refused_alone,
    told_elsewhere,
    transactions,
    tried,
)
from mailforensics.link.links import links as make_links
from mailforensics.link.lives import lives as make_lives
from mailforensics.link.log import EVENT_COLUMNS, MAIL_KINDS, TALK_KINDS, Frame, Log, ensure, of_mail, of_talk
from mailforensics.link.mailbox import mailbox_events
from mailforensics.link.messages import messages as make_messages
from mailforensics.link.outline import Outline, node_of, talker_of
from mailforensics.link.rejects import notices
from mailforensics.link.rejects import rejects as make_rejects
from mailforensics.link.scans import scans as make_scans
from mailforensics.link.sessions import BROUGHT, decided_before, decisions, dovecot_sessions, smtp_sessions
from mailforensics.link.sessions import brought as brought_by

_CAUSES = ["cause", "cause_family", "permanence", "who_acts", "cause_rule"]


@dataclass(frozen=True, slots=True)
class Explain:
    """What the findings floor says of replies; given from outside, since this floor does not look down.

    Each takes the rows of a table and gives as many: ``replies`` of other servers and ``refusals`` of ours their causes
    (cause, cause_family, permanence, who_acts, cause_rule, sentence), ``restrictions`` the setting of main.cf that refused.
    """

    replies: Callable[[Frame], Frame]
    refusals: Callable[[Frame], Frame]
    restrictions: Callable[[Frame], Frame]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside the log: what replies mean, the hosts, our domains, and the verdicts and fields of message files."""

    explain: Explain
    hosts: Hosts = field(default_factory=Hosts)
    domains: Sequence[str] = ()
    other_scans: Frame | None = None
    files: tuple[Frame, Frame] | None = None  # the tables `documents` and `hops`


def link(log: Log, known: Known) -> tuple[dict[str, Frame], Hosts]:
    """All linked tables of a log that fits into memory, and what it says of the hosts.

    The tables: messages, deliveries, rejects, sessions, scans, mailbox_events, journeys.
    """
    mail, talk = lanes(log)
    outline = Outline()
    outline.add(mail)
    known = replace(known, hosts=outline.hosts())
    sides, brought, refused = link_talk(talk, known)
    mail = Log.of(mail.events, {**mail.lines, "brought": brought})
    tables, failed = link_mail(mail, known)
    tables["rejects"] = pl.concat([tables["rejects"], sides["rejects"]])
    tables["journeys"] = pl.concat(
        [tables["journeys"], link_refused(refused, failed)], how="diagonal_relaxed"
    )
    return tables | {"sessions": sides["sessions"]}, known.hosts


Lanes = tuple[Log, Log]
"""The parts of a log that tell of queue entries and of connections."""


def lanes(log: Log) -> Lanes:
    """The parts of a log that tell of queue entries and of connections, with ``node``, the number of what a line is about."""
    return _lane(log, of_mail(), MAIL_KINDS, node_of()), _lane(log, of_talk(), TALK_KINDS, talker_of())


def _lane(log: Log, which: pl.Expr, kinds: Sequence[str], node: pl.Expr) -> Log:
    events = log.events.filter(which)
    columns = [name for name in EVENT_COLUMNS if name in events.columns]
    mine = np.zeros(log.events.height, dtype=bool)
    mine[log.places(events["event_id"])] = True
    lines = {
        kind: table.filter(mine[log.places(table["event_id"])])
        for kind, table in log.lines.items()
        if kind in kinds
    }
    return Log.of(
        events.select(*columns, node.alias("node")),
        {kind: table for kind, table in lines.items() if table.height},
    )


def link_talk(log: Log, known: Known) -> tuple[dict[str, Frame], Frame, Frame]:
    """The tables ``sessions`` and ``rejects`` of connections; what they say of messages; what may be refused mail."""
    smtp = smtp_sessions(log)
    noticed = notices(log)
    rejects, decided = _refusals(make_rejects(noticed), known.explain), decided_before(log, noticed)
    tables = {
        "sessions": pl.concat([smtp, dovecot_sessions(log)], how="diagonal_relaxed"),
        "rejects": rejects,
    }
    lone = pl.concat(
        [rejects, decided.filter(pl.col("message_key").is_null() & (pl.col("action") == "discard"))],
        how="diagonal_relaxed",
    )
    return tables, brought_by(log, smtp, decided), refused_alone(lone, smtp)


def link_mail(log: Log, known: Known) -> tuple[dict[str, Frame], Frame]:
    """The tables of queue entries, and the tries that failed, by which ``link_refused`` knows mail of our own.

    Among the lines stands under ``brought`` what ``link_talk`` says of the messages of the connections.
    """
    lives = make_lives(log, known.hosts)
    log = log.marked(lives["event_id"], message_key=lives["message_key"])
    brought = ensure(log.kind("brought"), **BROUGHT)
    noticed = pl.concat([notices(log), decisions(brought)], how="diagonal_relaxed")
    deliveries = make_deliveries(log, known.hosts.same)
    messages = make_messages(log, lives, deliveries, noticed, brought)
    scans = make_scans(log, messages, known.hosts.names, known.other_scans)
    mailbox = mailbox_events(log, deliveries)
    headers = header_links(*known.files, messages) if known.files is not None else None
    found = make_links(log, messages, deliveries, mailbox, known.hosts.clocks, headers)
    messages = _with_links(messages.join(journey_keys(messages, found), on="message_key", how="left"), found)
    messages = messages.sort("received_time", "message_key", nulls_last=True)
    way = directions(messages, deliveries, known.domains)
    messages = messages.join(way, on="message_key", how="left", maintain_order="left")
    deliveries = _with_causes(deliveries, known.explain.replies)
    rejects = _refusals(make_rejects(noticed), known.explain)
    tables = {
        "messages": messages, "deliveries": deliveries, "rejects": rejects, "scans": scans, "mailbox_events": mailbox,
        "journeys": journeys(messages, deliveries, scans, mailbox, rejects, found),
    }  # fmt: skip
    return tables, tried(deliveries, messages)


def link_refused(refused: Frame, failed: Frame) -> Frame:
    """The journeys of mail that was refused, or discarded, and never had a queue id.

    What another of our own servers tried and was refused (`failed`) is told in the journey of the mail it tried to deliver.
    """
    alone = refused.join(told_elsewhere(refused, failed), on="event_id", how="anti", maintain_order="left")
    return _refused(transactions(alone))


def _refusals(rejects: Frame, explain: Explain) -> Frame:
    return _with_restrictions(_with_causes(rejects, explain.refusals), explain.restrictions)


def _with_links(messages: Frame, links: Frame) -> Frame:
    """origin, previous_queue_id and next_queue_ids as the links know them."""
    names = messages.select("message_key", "queue_id")
    down = links.join(names.rename({"message_key": "to_key", "queue_id": "next"}), on="to_key", how="left")
    following = down.group_by("from_key", maintain_order=True).agg(
        pl.col("next").unique(maintain_order=True).alias("next_queue_ids")
    )
    up = links.join(names.rename({"message_key": "from_key", "queue_id": "prev"}), on="from_key", how="left")
    up = up.sort("confidence", descending=True).unique("to_key", keep="first", maintain_order=True)
    up = up.select(pl.col("to_key").alias("message_key"), "prev", pl.col("method").alias("came_by"))
    out = messages.join(following.rename({"from_key": "message_key"}), on="message_key", how="left")
    out = out.join(up, on="message_key", how="left")
    words = {
        "bounce_of": "bounce",
        "forwarded_as": "forward",
        "requeued_from": "requeue",
        "reinjected": "reinjected",
        "xforward": "reinjected",
        "filter_log": "reinjected",
    }
    origin = pl.col("came_by").replace_strict(words, default=None, return_dtype=pl.String)
    own = pl.when(pl.col("origin") == "pickup").then("origin").otherwise(pl.coalesce(origin, "origin"))
    return out.with_columns(
        origin=pl.when(pl.col("came_by") == "requeued_from").then(pl.lit("requeue")).otherwise(own),
        previous_queue_id=pl.coalesce("previous_queue_id", "prev"),
        next_queue_ids=pl.col("next_queue_ids").fill_null(pl.lit([], dtype=pl.List(pl.String))),
    ).drop("prev")


def _with_causes(table: Frame, explain: Callable[[Frame], Frame]) -> Frame:
    """Causes of what was not sent; a delivery that went well has none."""
    bad = table.filter(pl.col("status") != "sent") if "status" in table.columns else table
    if not bad.height:
        return table.with_columns(
            pl.lit(None, dtype=pl.String).alias(name) for name in [*_CAUSES, "cause_sentence"]
        )
    told = explain(bad)
    causes = bad.select("event_id").hstack(told.select(*_CAUSES, pl.col("sentence").alias("cause_sentence")))
    return table.join(causes.unique("event_id"), on="event_id", how="left", maintain_order="left")


def _with_restrictions(rejects: Frame, name: Callable[[Frame], Frame]) -> Frame:
    """The restriction of main.cf that refused."""
    if not rejects.height:
        return rejects.with_columns(restriction=pl.lit(None, dtype=pl.String))
    return rejects.with_columns(name(rejects)["restriction"])


# --- Journeys ---------------------------------------------------------------------------------------------------------


def journeys(
    messages: Frame,
    deliveries: Frame,
    scans: Frame,
    mailbox: Frame,
    rejects: Frame,
    links: Frame,
) -> Frame:
    """The journeys table; probes (``sendmail -bv``, address verification) are no mail and left out."""
    copies = make_copies(messages, deliveries, scans, mailbox, rejects)
    ends = _with_reasons(outcomes(messages, copies, links), deliveries, rejects)
    ends = ends.with_columns(
        recipient=pl.coalesce("recipient", "root"),
        original_recipient=pl.when(pl.col("root") != pl.col("recipient")).then(pl.col("root")),
    )
    ends = told(ends).sort("journey_key", "root", "recipient", "message_key", nulls_last=True)
    fates = ends.group_by("journey_key", maintain_order=True).agg(
        pl.struct(
            "recipient", "original_recipient", pl.col("fate").alias("outcome"), "mailbox", "sentence", "certainty",
            pl.col("trail").list.unique(maintain_order=True).list.sort().alias("evidence"),
        ).alias("outcomes"),
        pl.col("root").drop_nulls().unique(maintain_order=True).alias("recipients"),
    )  # fmt: skip
    real = messages.filter(~pl.col("probe")).sort("received_time", "message_key")
    base = real.group_by("journey_key", maintain_order=True).agg(
        pl.col("message_id").drop_nulls().first(),
        pl.col("sender").drop_nulls().first(),
        pl.col("first_time").min(),
        pl.col("last_time").max(),
        pl.col("message_key").alias("message_keys"),
    )
    table = base.join(fates, on="journey_key", how="left").join(
        _link_lists(messages, links), on="journey_key", how="left"
    )
    return _later_mailbox(table, messages, mailbox).sort("first_time", "journey_key", nulls_last=True)


def _later_mailbox(table: Frame, messages: Frame, mailbox: Frame) -> Frame:
    """A journey lasts until the last thing that happened to it in a mailbox."""
    if not mailbox.height:
        return table
    times = (
        mailbox.join(messages.select("message_key", "journey_key"), on="message_key")
        .group_by("journey_key")
        .agg(pl.col("time").max().alias("box_time"))
    )
    return (
        table.join(times, on="journey_key", how="left")
        .with_columns(last_time=pl.max_horizontal("last_time", "box_time"))
        .drop("box_time")
    )


def _link_lists(messages: Frame, links: Frame) -> Frame:
    named = links.unique(["from_key", "to_key"], keep="first", maintain_order=True).join(
        messages.select(pl.col("message_key").alias("from_key"), "journey_key"), on="from_key"
    )
    return named.group_by("journey_key", maintain_order=True).agg(
        pl.struct(
            pl.col("from_key").alias("from"), pl.col("to_key").alias("to"), "method", "confidence"
        ).alias("links")
    )


def _with_reasons(ends: Frame, deliveries: Frame, rejects: Frame) -> Frame:
    """The cause in words beside each outcome, and for what was rejected the reply that the client got."""
    causes = deliveries.select(pl.col("event_id").alias("delivery_event"), "cause", "cause_sentence")
    ends = ends.join(causes, on="delivery_event", how="left", nulls_equal=False)
    said = rejects.filter(pl.col("message_key").is_not_null()).sort("time").unique("message_key", keep="last")
    said = said.select(
        "message_key",
        pl.col("text").alias("reject_text"),
        pl.col("stage").alias("reject_stage"),
        pl.col("evidence").alias("reject_events"),
    )
    ends = ends.join(said, on="message_key", how="left")
    empty = pl.lit([], dtype=pl.List(pl.Int64))
    return ends.with_columns(
        trail=pl.concat_list(
            "trail",
            pl.when(pl.col("fate") == "rejected")
            .then(pl.col("reject_events").fill_null(empty))
            .otherwise(empty),
        )
    )


def told(ends: Frame) -> Frame:
    """The column ``sentence``: for each outcome one that a support desk could send on."""
    parts = []
    for (fate,), rows in ends.group_by("fate", maintain_order=True):
        words = _SENTENCES.get(str(fate), _UNSEEN)
        parts.append(
            rows.with_columns(
                sentence=words.str.replace(r"(?:; the last try said)?: \"\"", "").str.strip_chars(" ")
            )
        )
    return pl.concat(parts) if parts else ends.with_columns(sentence=pl.lit(None, dtype=pl.String))


def _sentences() -> dict[str, pl.Expr]:
    who, relay = (
        pl.col("recipient").fill_null("the recipient"),
        pl.col("relay_name").fill_null("the next server"),
    )
    box, reply = pl.col("mailbox").fill_null("INBOX"), pl.col("response").fill_null("")
    why = pl.col("cause_sentence").fill_null("")
    refusal = pl.coalesce("reject_text", "response").fill_null("")
    return {
        "delivered": pl.when(pl.col("certainty") == "seen").then(pl.format("The message lies in {} of {}.", box, who))
        .otherwise(pl.format("The mailbox server took the message for {}; what it did then is not in the evidence.", who)),
        "filed_by_sieve": pl.format("The message is there: a Sieve script of {} filed it into {}.", who, box),
        "discarded_by_sieve": pl.format("The server answered that the message was saved, but a Sieve script of {} then discarded it.", who),
        "rejected_by_sieve": pl.format("A Sieve script of {} rejected the message; its sender was told so by a message of its own.", who),
        "forwarded": pl.format("The message was forwarded for {}; what became of it there is not in the evidence.", who),
        "handed_to_remote": pl.format("{} took over the message for {}: \"{}\". What it did then is not in the evidence.", relay, who, reply),
        "delivered_to_command": pl.format("The message for {} was handed to a program: \"{}\".", who, reply),
        "delivered_to_file": pl.format("The message for {} was written to a file: \"{}\".", who, reply),
        "discarded_by_rule": pl.format("A rule of our server discarded the message for {}; nobody was told.", who),
        "rejected": pl.format("Our server refused the message before it was ours: \"{}\".", refusal),
        "bounced": pl.format("The message for {} was returned: \"{}\". {}", who, reply, why),
        "expired": pl.format("The message for {} was given up after too long in the queue; the last try said: \"{}\". {}", who, reply, why),
        "deferred": pl.format("The message for {} is still in the queue when the log ends; the last try said: \"{}\". {}", who, reply, why),
        "held": pl.format("The message for {} is held in the queue until the postmaster lets it go.", who),
        "deleted_from_queue": pl.format("The postmaster deleted the message for {} from the queue; the last try said: \"{}\".", who, reply),
        "expunged": pl.format("The message was delivered to {} and later removed from the mailbox by IMAP.", who),
        "retrieved_and_deleted": pl.format("The message was delivered to {} and later fetched and deleted by POP3.", who),
    }  # fmt: skip


_SENTENCES = _sentences()
_UNSEEN = (
    pl.when(pl.col("lost").fill_null(False))
    .then(
        pl.lit(
            "The client broke off before the message was complete: it never became ours, and the sender still has it."
        )
    )
    .otherwise(pl.lit("What became of the message is not in the evidence."))
)


def _refused(rows: Frame) -> Frame:
    """A journey of each transaction that was refused (``journeys.transactions``)."""
    why = pl.col("cause_sentence").fill_null("")
    code = pl.concat_str(
        [pl.col("reply_code").cast(pl.String), pl.col("enhanced_code"), pl.col("text")],
        separator=" ",
        ignore_nulls=True,
    )
    discarded = pl.col("action") == "discard"
    said = pl.format(
        'Our server refused the message before it was ours: "{}". {}', code, why
    ).str.strip_chars(" ")
    rows = rows.with_columns(
        sentence=pl.when(discarded).then(_SENTENCES["discarded_by_rule"]).otherwise(said),
        outcome=pl.when(discarded).then(pl.lit("discarded_by_rule")).otherwise(pl.lit("rejected")), certainty=pl.lit("seen"), mailbox=pl.lit(None, pl.String), original_recipient=pl.lit(None, pl.String),
    )  # fmt: skip
    return rows.group_by("journey_key", maintain_order=True).agg(
        pl.lit(None, dtype=pl.String).alias("message_id"),
        pl.col("sender").first(),
        pl.col("recipient").drop_nulls().unique(maintain_order=True).alias("recipients"),
        pl.col("time").min().alias("first_time"),
        pl.col("time").max().alias("last_time"),
        pl.struct(
            "recipient", "original_recipient", "outcome", "mailbox", "sentence", "certainty", "evidence"
        ).alias("outcomes"),
    )
