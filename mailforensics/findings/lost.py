"""Lost mail: the copies of journeys that have no seen good end, the worst first, each with what to look at next.

    accepted_and_gone   4jYBcn5tsv on mx was accepted for bob@example.org and then has neither a delivery nor a removal.
                        Next: On mx: postcat -q 4jYBcn5tsv; if it is not there, look for a crash ...
    discarded_by_sieve  The server answered that the message was saved, but a Sieve script of bob@example.org ...

Each says where to look next by name: the host, the queue id, the mailbox, the rule. What an outcome means is said in ``link/fates.py``. Here the outcomes are sorted by how much a postmaster should worry;
a mail that was refused, or returned to a sender who was told, is not lost.
"""

from __future__ import annotations

import datetime as dt
import re
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
        "junk-e-mail", "spamverdacht", "papierkorb", "gelöschte elemente", "gelöschte objekte", "indésirables", "courrier indésirable",
        "corbeille", "éléments supprimés", "correo no deseado", "papelera", "elementos eliminados", "posta indesiderata", "cestino",
        "ongewenste e-mail", "prullenbak", "verwijderde items", "skräppost", "papperskorgen", "lixo", "lixeira", "kosz", "спам", "корзина",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Kind:
    """One way to be lost: its name, how bad it is, and where to look next, with names of ``_NAMES`` in braces."""

    name: str
    severity: str
    next: str
    innocent: str | None = None


KINDS = (
    _Kind("accepted_and_gone", "high", "On {host}: postcat -q {id}; if it is not there, look for a crash, a full disk or a lost queue file after {seen}.",
          "A log that misses lines of this time, without a gap that can be seen."),
    _Kind("forwarded_into_loop", "warning", "Look at the aliases, Sieve redirects and transport maps of {recipient} on {hosts}."),
    _Kind("expunged_by_stranger", "warning", "On {host}: look at what else session {session} of {user} from {stranger} did, and change the password if nobody knows it.",
          "The owner used another device or network, or shares the mailbox."),
    _Kind("discarded_by_rule", "warning", "On {host}: {rule}."),
    _Kind("discarded_by_sieve", "warning", "On {host}: doveadm sieve get -u {user} with the name that doveadm sieve list -u {user} marks as active; "
          "then the global scripts (doveconf -n: sieve_before, sieve_after)."),
    _Kind("returned_untold", "warning", "Tell {sender}: no notification of this failure is in the evidence of {host}.",
          "The notification was sent by a host whose log is not here."),
    _Kind("forwarded_to_dead_address", "notice", "On {host}: look up {original} in the alias maps (postalias -q, postmap -q) and in its Sieve script, and take {recipient} out."),
    _Kind("deleted_from_queue", "notice", "On {host}: ask who ran postsuper -d for {id} after {seen} (sudo's log, the shell's history), and why."),
    _Kind("held", "notice", "On {host}: postcat -q {id}, then release it (postsuper -H {id}) or delete it (postsuper -d {id})."),
    _Kind("still_queued", "notice", "On {host}: postqueue -j tells whether it waits still; then look at the answer of the last try."),
    _Kind("expunged", "info", "Ask {user}; a backup of that mailbox on {host} may still have it (doveadm import).",
          "People delete mail."),
    _Kind("filed_where_nobody_looks", "info", "Look into {box} of {user} on {host}; `mailforensics why` names what a filter held against it.",
          "It is spam."),
    _Kind("handed_over_not_followed", "info", "Ask the postmaster of the next server with the queue id in its answer, or add that host's log to the case.",
          "The next server belongs to others; its 250 means that it has the message."),
    _Kind("cut_by_the_evidence", "info", "Add the log of {host} after {until} to the case (a rotated file, the journal): {id} goes on there."),
    _Kind("never_ours", "info", "Ask the server that sent it, {client}: the client broke off, and the message is still there.",
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
    *,
    rules: Frame | None = None,
    notified: pl.Series | None = None,
    thresholds: LostThresholds = LostThresholds(),
) -> Frame:
    """One row of ``findings`` per copy that has no seen good end, the worst first.

    covered   host, from, to: the stretch of time for which each host's log is held
    gaps      host, from, to: pauses in it
    rules     lines by which a rule of ours discarded a mail: event_id, host, kind, text
    notified  keys of journeys of whose failure a notification among the messages tells

    Besides the columns of ``findings``: rank (0 the worst), journey_key, recipient, outcome, and ``next``, what to look at
    next; the sentence ends with it, too.
    """
    ends = _ends(journeys)
    ends = ends.join(_states(messages, covered, gaps, thresholds), on="journey_key", how="left")
    ends = ends.join(_looping(deliveries, messages), on="journey_key", how="left")
    ends = ends.join(
        _by_strangers(mailbox_events, sessions, messages), on=["journey_key", "removed_from"], how="left"
    )
    if notified is not None:
        ends = ends.with_columns(told=pl.col("told") | pl.col("journey_key").is_in(notified.implode()))
    ends = ends.with_columns(kind=_kind(thresholds)).filter(pl.col("kind").is_not_null())
    ends = _named(ends, messages, mailbox_events, rules)
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
        .group_by("message_key").agg(pl.lit(True).alias("cut"), pl.col("stop").min().alias("until"))
    )  # fmt: skip
    entry = pl.format("{} on {}", pl.col("queue_id").fill_null("A message"), "host")
    return (
        messages.join(near, on="message_key", how="left")
        .group_by("journey_key")
        .agg(
            pl.col("cut").fill_null(False).any(),
            pl.col("until").min(),
            pl.col("host").drop_nulls().unique(maintain_order=True).alias("hosts"),
            pl.col("queued_time").is_null().all().alias("never_queued"),
            entry.filter(~pl.col("complete").fill_null(False)).first().alias("open_entry"),
            pl.col("message_key").filter(~pl.col("complete").fill_null(False)).first().alias("open_key"),
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
        .when(outcome.is_in(["delivered_to_file", "delivered_to_command"]) & pl.col("sentence").str.contains("/dev/null", literal=True))
        .then(pl.lit("discarded_by_rule"))
        .otherwise(outcome.replace_strict(_BY_OUTCOME, default=None, return_dtype=pl.String))
    )  # fmt: skip


# --- Where to look next, by name ---------------------------------------------------------------------------------------

_NAMES = {
    "host": "the mail server", "id": "its queue id", "seen": "it was taken", "until": "its end", "hosts": "the hosts it passed", "user": "the owner",
    "session": "that", "stranger": "there", "box": "that mailbox", "sender": "the sender", "recipient": "the recipient", "original": "the first address",
    "client": "which the log does not name", "rule": "look at header_checks, access maps, the milters and the transport map for what says DISCARD",
}  # fmt: skip
"""What a next step may name, and the words for it where the evidence does not say."""

_STAMP = "%Y-%m-%d %H:%M:%S UTC"


def _named(ends: Frame, messages: Frame, mailbox_events: Frame, rules: Frame | None) -> Frame:
    """Each copy with the columns of ``_NAMES``: from the queue entry and the mailbox event that its evidence ends with."""
    ends = ends.with_row_index("copy")
    asked = ends.filter(pl.col("kind") != "handed_over_not_followed")
    told = (
        asked.select("copy", pl.col("evidence").alias("event"))
        .explode("event", empty_as_null=True)
        .drop_nulls()
    )
    mine = messages.filter(pl.col("journey_key").is_in(asked["journey_key"].implode()))
    entry = mine.select(
        "message_key", pl.col("host").alias("queue_host"), pl.col("queue_id").alias("id"),
        pl.max_horizontal("received_time", "queued_time").dt.strftime(_STAMP).alias("seen"),
        pl.format("{}[{}]", pl.col("client_name").fill_null("unknown"), pl.col("client_ip").fill_null("unknown")).alias("client"),
    )  # fmt: skip
    by_event = (
        mine.select("message_key", pl.col("evidence").alias("event"))
        .explode("event", empty_as_null=True)
        .drop_nulls()
    )
    last = told.join(by_event, on="event", maintain_order="left").unique(
        "copy", keep="last", maintain_order=True
    )
    box = mailbox_events.select(
        pl.col("host").alias("box_host"), pl.col("username").alias("user"), "session_id", pl.col("evidence").alias("event")
    ).explode("event", empty_as_null=True).drop_nulls("event")  # fmt: skip
    box = (
        told.join(box, on="event", maintain_order="left")
        .unique("copy", keep="last", maintain_order=True)
        .drop("event")
    )
    said = _rules(told, rules)
    ends = (
        ends.join(last.select("copy", "message_key"), on="copy", how="left")
        .join(box, on="copy", how="left")
        .join(said, on="copy", how="left")
    )
    anyone = pl.col("message_keys").list.last()
    ends = ends.with_columns(
        message_key=pl.coalesce(
            pl.when(pl.col("outcome") == "not_seen").then("open_key"), "message_key", anyone
        )
    )
    ends = ends.join(entry, on="message_key", how="left")
    return ends.with_columns(
        host=pl.coalesce("box_host", "queue_host", "rule_host"), hosts=pl.col("hosts").list.join(" and "), user=pl.coalesce("user", "recipient"),
        session=pl.col("session_id"), box=pl.col("mailbox"), original=pl.col("original_recipient"), until=pl.col("until").dt.strftime(_STAMP),
    )  # fmt: skip


_RULES = (
    ("postfix.cleanup.check", r"discard: (?:header|body) .*", "look for the rule in header_checks or body_checks (postconf header_checks body_checks) that this line names: "),
    ("postfix.cleanup.milter", r"milter-.*", "look at the rules of the milter that said so: "),
    ("postfix.smtpd.reject", r"discard: .*", "look for the access table (postconf -n: check_..._access) that this line names: "),
    ("postfix.delivery", r"relay=none, .*|delivered to .*/dev/null.*", "look at the transport map and the aliases of that address (postconf transport_maps alias_maps): "),
    ("postfix.delivery", r"relay=.*", "look at the rules of the content filter that took it: "),
)  # fmt: skip
"""Which kind of line tells of which rule, and where that rule lies."""


def _rules(told: Frame, rules: Frame | None) -> Frame:
    """Per copy the rule that discarded it, in words, with the line that names it."""
    if rules is None or not rules.height:
        return pl.DataFrame(schema={"copy": pl.UInt32, "rule": pl.String, "rule_host": pl.String})
    lines = told.join(rules, left_on="event", right_on="event_id", maintain_order="left")
    said = [
        pl.when((pl.col("kind_of_line") == kind) & pl.col("text").str.contains(pattern))
        .then(pl.format('{}"{}"', pl.lit(where), pl.col("text").str.extract(rf"({pattern})", 1).str.slice(0, 200)))
        for kind, pattern, where in _RULES
    ]  # fmt: skip
    lines = lines.rename({"kind": "kind_of_line"}).with_columns(rule=pl.coalesce(said)).drop_nulls("rule")
    return lines.unique("copy", keep="first", maintain_order=True).select(
        "copy", "rule", pl.col("host").alias("rule_host")
    )


def _filled(template: str) -> pl.Expr:
    """The words of a next step, with the names of this copy in them."""
    parts = re.split(r"\{([a-z]+)\}", template)
    words = [
        pl.col(part).fill_null(_NAMES[part]) if number % 2 else pl.lit(part)
        for number, part in enumerate(parts)
    ]
    return pl.concat_str(words)


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
    rows = rows.with_columns(_filled(kind.next).alias("next"), time=pl.col("last_time"))
    table = finding_rows(
        rows, finding=kind.name, severity=kind.severity, subject=pl.format("journey {}, {}", "journey_key", who),
        sentence=pl.format("{}. Next: {}", said.str.strip_chars_end(" ."), "next"), rule=f"lost.{kind.name}",
        certainty=pl.lit("inferred") if kind.name == "expunged_by_stranger" else pl.col("certainty"), innocent=kind.innocent,
    )  # fmt: skip
    return table.with_columns(
        pl.lit(rank).alias("rank"), rows["journey_key"], rows["recipient"], rows["outcome"], rows["next"]
    )  # fmt: skip
