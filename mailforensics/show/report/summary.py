"""The whole report in five sentences, for somebody who reads no further, each with lines that it stands on.

    2,736 copies went to recipients: 2,500 (91 %) arrived or were taken over by the next server, 235 (8.6 %) did not arrive
    (158 rejected, 51 bounced, 13 discarded by sieve and 13 others), and 1 is not settled in this evidence.

What was looked at, what arrived, why the rest did not and who must act, how long it took, and what deserves a look.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from mailforensics.show import sentences, words
from mailforensics.show.report.blocks import Says
from mailforensics.show.report.matter import EXAMPLES, Matter, cause_words
from mailforensics.show.sentences import Data

Frame = pl.DataFrame

ARRIVED = (
    "delivered", "filed_by_sieve", "forwarded", "handed_to_remote", "delivered_to_command", "delivered_to_file",
    "expunged", "retrieved_and_deleted",
)  # fmt: skip
LOST = (
    "discarded_by_sieve", "rejected_by_sieve", "discarded_by_rule", "rejected", "bounced", "expired",
    "deleted_from_queue",
)  # fmt: skip
WAITING = ("deferred", "held")
_MANY = 100  # deliveries of which 19 of 20 is worth telling
_KINDS = 3  # kinds of loss, or of finding, that a sentence names
_TO_MEND = {
    "us": "us",
    "remote": "another server's postmaster",
    "sender": "the sender",
    "recipient": "the recipient",
}
_SMALL = {
    "A": "a",
    "An": "an",
    "It": "it",
    "No": "no",
    "Our": "our",
    "The": "the",
    "Their": "the other",
}  # in the midst of a sentence


def five_sentences(matter: Matter) -> Iterator[Says]:
    """What was read, what arrived, why the rest did not and who must act, how long it took, what deserves a look."""
    yield _what_was_read(matter)
    yield _what_arrived(matter)
    yield _why_not(matter)
    yield _how_long(matter)
    yield _what_deserves_a_look(matter)


def _what_was_read(matter: Matter) -> Says:
    data = matter.summary
    lines = data.get("lines") or 0
    missed = sum(row.get("lines") or 0 for row in data.get("not_understood") or [])
    if not data.get("time_min"):
        return Says(f"This report stands on {words.counted(lines, 'log line')} and says nothing of any time.")
    covered = sentences.span(data["time_min"], data["time_max"], matter.zone, year=True)
    hosts = words.listed(map(str, data.get("hosts") or [])) or "no host"
    understood = (
        "all of them understood" if not missed else f"{words.share(missed, lines)} of them not understood"
    )
    gaps = data.get("gaps") or []
    without = f"; {words.counted(gaps, 'stretch', 'stretches')} without a line may hide more" if gaps else ""
    return Says(
        f"This report covers {covered} on {hosts}, as {words.counted(lines, 'log line')} tell it, {understood}{without}.",
        _ends_of(matter),
    )


def _ends_of(matter: Matter) -> list[str]:
    """The first and the last line that has a time."""
    timed = matter.case.scan("events").filter(pl.col("time").is_not_null())
    event = pl.col("event_id").sort_by("time", "event_id")
    ends = timed.select(first=event.first(), last=event.last()).collect()
    return matter.lines(ends.row(0))


def _what_arrived(matter: Matter) -> Says:
    ends = matter.polars("journeys").select(pl.col("outcomes").explode()).drop_nulls()
    if not ends.height:
        return Says("No mail is told of.")
    fates = ends["outcomes"].struct.unnest()
    bad = fates.filter(pl.col("outcome").is_in(LOST))
    good = fates.filter(pl.col("outcome").is_in(ARRIVED)).height
    waiting = fates.filter(pl.col("outcome").is_in(WAITING)).height
    rest = fates.height - good - bad.height - waiting
    parts = [
        f"{words.number(good)} ({words.share(good, fates.height)}) arrived or were taken over by the next server",
        f"{words.number(bad.height)} ({words.share(bad.height, fates.height)}) did not arrive{_how_lost(bad)}"
        if bad.height
        else "none was lost",
    ]
    parts += [f"{words.number(waiting)} {'was' if waiting == 1 else 'were'} still waiting"] if waiting else []
    parts += [f"of {words.number(rest)} the end is not in this evidence"] if rest else []
    mails = words.counted(matter.polars("journeys").height, "mail")
    return Says(
        f"{mails} for {words.counted(fates.height, 'recipient')}: {words.listed(parts)}.",
        matter.lines(_last_of_each(bad, "outcome")),
    )


def _how_lost(bad: Frame) -> str:
    kinds = bad["outcome"].value_counts().sort("count", "outcome", descending=[True, False])
    if kinds.height == 1:
        return f" ({cause_words(kinds['outcome'][0])})"
    said = [
        f"{words.number(count)} {cause_words(outcome)}" for outcome, count in kinds.head(_KINDS).iter_rows()
    ]
    others = int(kinds.slice(_KINDS)["count"].sum())
    return f" ({words.listed([*said, f'{others:,} otherwise'] if others else said)})"


def _last_of_each(rows: Frame, by: str) -> list[int]:
    """The last line of the first row of each kind, the most frequent kind first."""
    often = rows.group_by(by, maintain_order=True).agg(pl.len(), pl.col("evidence").first().list.last())
    return often.sort("len", descending=True, maintain_order=True)["evidence"].to_list()


def refusals(matter: Matter) -> Frame:
    """Bounces, deferrals and rejects by cause and who acts, most frequent first.

    Columns: cause, who_acts, bounced, deferred, rejected, mails, sentence, evidence (a few event_ids).
    """
    how = pl.col("how")
    return (
        all_refused(matter).with_columns(pl.col("cause").fill_null("unknown"))
        .group_by("cause", "who_acts")
        .agg(
            (how == "bounced").sum().cast(pl.Int64).alias("bounced"),
            (how == "deferred").sum().cast(pl.Int64).alias("deferred"),
            (how == "rejected").sum().cast(pl.Int64).alias("rejected"),
            pl.len().cast(pl.Int64).alias("mails"),
            pl.col("cause_sentence").drop_nulls().first().alias("sentence"),
            pl.col("evidence").list.first().head(EXAMPLES).alias("evidence"),
        )
        .sort("mails", "cause", "who_acts", descending=[True, False, False], nulls_last=True)
    )  # fmt: skip


def all_refused(matter: Matter) -> Frame:
    """Every bounce, deferral and reject with its cause; ``how`` says which it is."""
    failed = matter.polars("deliveries").filter(pl.col("status").is_in(["bounced", "deferred", "expired"]))
    columns = ("cause", "cause_family", "permanence", "who_acts", "cause_sentence", "evidence")
    how = pl.col("status").replace("expired", "bounced").alias("how")
    refused = matter.polars("rejects").select(*columns, pl.lit("rejected").alias("how"))
    return pl.concat([failed.select(*columns, how), refused])


def _why_not(matter: Matter) -> Says:
    refused = refusals(matter)
    if not refused.height:
        return Says("No mail was refused, returned or made to wait.")
    top, total = refused.row(0, named=True), int(refused["mails"].sum())
    mail = "a mail was refused, returned or put off"
    often = f"{words.counted(total, 'time')} {mail}, most often because {_reason(top)} ({words.counted(top['mails'], 'time')})"
    return Says(f"{often}{_who_must_mend(refused, total)}.", matter.lines(top["evidence"]))


def _reason(row: Data) -> str:
    """The cause in the midst of a sentence."""
    said = str(row["sentence"] or f"of “{cause_words(row['cause'])}”").split(";")[0].rstrip(".")
    first, space, rest = said.partition(" ")
    return f"{_SMALL.get(first, first)}{space}{rest}"


def _who_must_mend(refused: Frame, total: int) -> str:
    acts = (
        refused.group_by("who_acts")
        .agg(pl.col("mails").sum())
        .sort("mails", "who_acts", descending=[True, False])
    )
    known = [(_TO_MEND[who], count) for who, count in acts.iter_rows() if who in _TO_MEND]
    if not known:
        return ""
    (who, count), *others = known
    lead = (
        "it is"
        if count == total == 1
        else "all are"
        if count == total
        else f"{words.number(count)} {'is' if count == 1 else 'are'}"
    )
    return "; " + words.listed(
        [f"{lead} for {who} to mend", *(f"{words.number(n)} for {name}" for name, n in others)]
    )


def _how_long(matter: Matter) -> Says:
    sent = matter.polars("deliveries").filter((pl.col("status") == "sent") & pl.col("delay_s").is_not_null())
    if not sent.height:
        return Says("No delivery tells how long it took.")
    took = sent["delay_s"]
    longest = sent.sort("delay_s", descending=True, maintain_order=True).row(0, named=True)
    domain = str(longest["recipient"] or "").rpartition("@")[2]
    parts = [
        f"Half of the {words.counted(sent.height, 'delivery', 'deliveries')} took at most {words.duration(took.quantile(0.5))}"
    ]
    parts += [f"19 of 20 at most {words.duration(took.quantile(0.95))}"] if sent.height >= _MANY else []
    parts += [f"the longest {words.duration(longest['delay_s'])}{f', to {domain}' if domain else ''}"]
    return Says(f"{words.listed(parts)}.", matter.lines(longest["evidence"]))


def _what_deserves_a_look(matter: Matter) -> Says:
    spam, found = _spam(matter), _warnings(matter)
    kinds = found.group_by("finding", maintain_order=True).agg(
        pl.len(), pl.col("evidence").list.first().first()
    )
    if not kinds.height:
        return Says(f"{spam}; nothing else deserves a look." if spam else "Nothing deserves a look.")
    look = f"{words.counted(found.height, 'finding')} {'deserves' if found.height == 1 else 'deserve'} a look: {_named(kinds)}"
    return Says(f"{look}. {spam}." if spam else f"{look}.", matter.lines(kinds["evidence"]))


def _named(kinds: Frame) -> str:
    said = [
        f"“{cause_words(name)}”{f' ({words.number(count)})' if kinds.height > 1 else ''}"
        for name, count, _ in kinds.head(_KINDS).iter_rows()
    ]
    more = [words.counted(kinds.height - _KINDS, "other kind")] if kinds.height > _KINDS else []
    return words.listed([*said, *more])


def _warnings(matter: Matter) -> Frame:
    found: Any = pl.from_arrow(matter.findings().select(["finding", "severity", "evidence"]))
    return Frame(found).filter(pl.col("severity").is_in(["warning", "high"]))


def _spam(matter: Matter) -> str | None:
    scans = matter.polars("scans").filter(pl.col("origin") != "header")
    if not scans.height:
        return None
    spam = int(scans["is_spam"].sum())
    return (
        f"The spam filters called {words.number(spam)} of {words.counted(scans.height, 'mail')} spam"
        f" ({words.share(spam, scans.height)})"
    )
