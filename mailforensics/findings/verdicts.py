"""What became of verdicts: the filter's word in the log and in the header, beside what Postfix and Sieve then did, and what users did.

    add header  13.5 of 15   header: add header   delivered to Junk        followed
    add header  13.5 of 15   header: add header   delivered to INBOX       not followed
    reject      15.0 of 15   milter-reject        rejected                 followed

A user who moves mail into a junk mailbox, or out of it, says that the verdict was wrong (and trains the filter where the mailbox
server is set up for it: Dovecot's IMAPSieve with ``rspamc learn_spam``). A copy counts like a move: IMAP clients move so.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

Frame = pl.DataFrame

JUNK = ("junk", "spam", "junk e-mail", "junk email", "bulk mail", "quarantine")
"""Names of junk mailboxes: the last part of the path, in lower case."""

_TRASH = ("trash", "deleted items", "deleted messages", "papierkorb", "corbeille")
_REFUSES = ("reject", "soft reject", "greylist")
_MARKS = ("add header", "rewrite subject", "quarantine")


def verdict_and_fate(
    scans: Frame, messages: Frame, rejects: Frame, journeys: Frame, *, junk: Sequence[str] = JUNK
) -> Frame:
    """One row for each logged verdict and recipient: what was said, what the header says, and what was done.

    Columns: time, message_key, message_id, action, score, forced_action, header_action, postfix (the text with which the queue
    entry was refused; null when it was taken), recipient, outcome and mailbox (of the journey), followed: true when a refusing verdict
    was carried out and a marking one led to a junk mailbox, false when it did not, null where the end is not in the evidence.
    """
    logged = scans.with_columns(pl.col("origin", "action").cast(pl.String)).filter(
        pl.col("origin") != "header"
    )
    refused = rejects.drop_nulls("message_key").group_by("message_key", maintain_order=True).agg(
        postfix=pl.col("text").first()
    )  # fmt: skip
    rows = (
        logged.drop_nulls("message_key")
        .join(_header_actions(scans), on="message_id", how="left", maintain_order="left")
        .join(refused, on="message_key", how="left", maintain_order="left")
        .join(
            messages.select("message_key", "journey_key"), on="message_key", how="left", maintain_order="left"
        )
        .join(_outcomes(journeys), on="journey_key", how="left", maintain_order="left")
    )
    kept = ["time", "message_key", "message_id", "action", "score", "forced_action", "header_action", "postfix", "recipient",
            "outcome", "mailbox"]  # fmt: skip
    return rows.with_columns(followed=_followed(junk)).select(*kept, "followed")


def _header_actions(scans: Frame) -> Frame:
    headers = scans.filter(
        (pl.col("origin").cast(pl.String) == "header") & pl.col("message_id").is_not_null()
    )
    return headers.select("message_id", header_action=pl.col("action").cast(pl.String)).unique(
        "message_id", keep="first", maintain_order=True
    )


def _outcomes(journeys: Frame) -> Frame:
    """journey_key, recipient, outcome, mailbox."""
    ends = journeys.select("journey_key", "outcomes").explode("outcomes", empty_as_null=True)
    return (
        ends.drop_nulls("outcomes")
        .unnest("outcomes")
        .select("journey_key", "recipient", "outcome", "mailbox")
    )


def _followed(junk: Sequence[str]) -> pl.Expr:
    into_junk = _leaf("mailbox").is_in(list(junk)).fill_null(False)
    ended = pl.col("outcome").is_in(
        ["delivered", "filed_by_sieve", "discarded_by_sieve", "rejected_by_sieve", "expunged"]
    )
    refused = pl.col("postfix").is_not_null()
    action = pl.col("action")
    return (
        pl.when(action.is_in(_REFUSES)).then(refused)
        .when(action.is_in(_MARKS) & ended).then(into_junk | pl.col("outcome").str.ends_with("ed_by_sieve"))
        .when((action == "no action") & refused).then(pl.lit(False))
        .when((action == "no action") & ended).then(~into_junk)
    )  # fmt: skip


def _leaf(column: str) -> pl.Expr:
    """The last part of a mailbox's path, in lower case."""
    return pl.col(column).str.to_lowercase().str.extract(r"([^/.]+)$")


def retrained(mailbox_events: Frame, scans: Frame, *, junk: Sequence[str] = JUNK) -> Frame:
    """Users who said that a verdict was wrong: each move or copy into a junk mailbox (``spam``) or out of it (``ham``).

    Columns: time, host, username, message_id, learned (``spam`` or ``ham``), mailbox (where it was put), action and score (the
    verdict on that mail, where it is in the log), contradicts (the verdict said otherwise), evidence.
    """
    events = mailbox_events.with_columns(pl.col("action").cast(pl.String)).sort("time", maintain_order=True)
    into = pl.coalesce("target", "mailbox")
    placed = events.with_columns(into=into).with_columns(
        is_junk=_leaf("into").is_in(list(junk)).fill_null(False)
    )
    copy = ["host", "username", "message_id"]
    before = (
        pl.when(pl.col("action").is_in(["saved", "sieve_filed", "copied", "moved"])).then("is_junk").forward_fill().shift().over(copy)
    )  # fmt: skip
    moves = placed.with_columns(was_junk=before.fill_null(False)).filter(
        pl.col("action").is_in(["copied", "moved"]) & pl.col("message_id").is_not_null()
    )
    away = ~pl.col("is_junk") & pl.col("was_junk") & ~_leaf("into").is_in(list(_TRASH)).fill_null(False)
    learned = (
        pl.when(pl.col("is_junk") & ~pl.col("was_junk")).then(pl.lit("spam")).when(away).then(pl.lit("ham"))
    )
    verdicts = scans.filter(pl.col("origin").cast(pl.String) != "header").drop_nulls("message_id").select(
        "message_id", "score", verdict=pl.col("action").cast(pl.String)
    ).unique("message_id", keep="last", maintain_order=True)  # fmt: skip
    told = moves.with_columns(learned=learned).drop_nulls("learned")
    known = told.join(verdicts, on="message_id", how="left", maintain_order="left")
    spam = pl.col("verdict").is_in([*_MARKS, "reject"])
    return known.select(
        "time", *copy, "learned", mailbox="into", action="verdict", score="score",
        contradicts=pl.when(pl.col("learned") == "spam").then(~spam).otherwise(spam), evidence="evidence",
    )  # fmt: skip
