"""The sections of a report, in the order in which a reader needs them: first the answer, last the method.

A section is a name, a title and a function from a :class:`Matter` (what the report is about) to blocks; no blocks, no section.
Packages add their own by the entry point ``mailforensics.report_sections``::

    SECTION = Section("night", "Mail at night", lambda matter: [Says(f"{matter.polars('messages').height} mails")])
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Protocol

import polars as pl
import pyarrow as pa

from mailforensics.show import plots, sentences, words
from mailforensics.show.report import blocks
from mailforensics.show.report.blocks import Block, Listed, Picture, Rows, Says
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
_AT_MOST = 25  # rows of a table of the report; the tables of the case hold all
_EXAMPLES = 3  # lines shown beneath a row
_PICTURES = 3  # journeys that are drawn


class ReportedTrace(Protocol):
    """What the report needs of a trace."""

    def to_dict(self) -> dict[str, Any]: ...


class ReportedCase(Protocol):
    """What the report needs of a case."""

    def summary(self) -> dict[str, Any]: ...

    def polars(self, name: str) -> Frame: ...

    def table(self, name: str) -> pa.Table: ...

    def findings(self) -> pa.Table: ...


@dataclass(frozen=True)
class Matter:
    """What a report is about: the case, its summary, the traces and messages that were asked for."""

    case: ReportedCase
    summary: Data
    traces: Sequence[Data] = ()
    messages: Sequence[Data] = ()
    pictures: bool = True
    _lines: dict[int, str] = field(default_factory=dict)

    def polars(self, name: str) -> Frame:
        """A table of the case."""
        return self.case.polars(name)

    def lines(self, evidence: Iterable[Any]) -> list[str]:
        """The first lines of some evidence, as source:line and text."""
        wanted = list(dict.fromkeys(key for key in evidence if key is not None))[:_EXAMPLES]
        missing = [key for key in wanted if key not in self._lines]
        if missing:
            self._lines.update(_lines_of(self, missing))
        return [self._lines[key] for key in wanted if key in self._lines]


def _lines_of(matter: Matter, keys: Sequence[int]) -> dict[int, str]:
    names = {row["source_id"]: _name(row) for row in matter.polars("sources").iter_rows(named=True)}
    rows = matter.polars("events").filter(pl.col("event_id").is_in(list(keys)))
    return {
        row["event_id"]: f"{names.get(row['source_id'], '?')}:{row['line_number']}  {row['text']}"
        for row in rows.select("event_id", "source_id", "line_number", "text").iter_rows(named=True)
    }


def _name(row: Mapping[str, Any]) -> str:
    path = "/".join(str(row["path"]).rsplit("/", 2)[-2:])
    return f"{path}!{row['member']}" if row.get("member") else path


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a report; ``build`` returns its blocks, none to leave the section out."""

    name: str
    title: str
    build: Callable[[Matter], Iterable[Block]]


# --- For managers -----------------------------------------------------------------------------------------------------


def _summary(matter: Matter) -> Iterator[Block]:
    yield Listed([*five_sentences(matter)])


def five_sentences(matter: Matter) -> Iterator[str]:
    """The whole report in five sentences: what was read, what arrived, what was refused, how long it took, what was spam."""
    yield _what_was_read(matter)
    yield _what_arrived(matter)
    yield _what_was_refused(matter)
    yield _how_long(matter)
    yield _what_was_spam(matter)


def _what_was_read(matter: Matter) -> str:
    data = matter.summary
    missed = sum(row.get("lines") or 0 for row in data.get("not_understood") or [])
    share = words.share(missed, data.get("lines") or 0)
    return f"The evidence is {sentences.case_title(data, _zone(matter))}; {share} of the lines were not understood."


def _what_arrived(matter: Matter) -> str:
    ends = matter.polars("journeys").select(pl.col("outcomes").explode()).drop_nulls()
    if not ends.height:
        return "No mail is told of."
    fates = ends["outcomes"].struct.field("outcome")
    good, bad = int(fates.is_in(list(ARRIVED)).sum()), int(fates.is_in(list(LOST)).sum())
    mails = words.counted(matter.polars("journeys").height, "mail")
    rest = len(fates) - good - bad
    return (
        f"{mails} had {words.counted(len(fates), 'recipient copy', 'recipient copies')}:"
        f" {words.number(good)} arrived or were handed over ({words.share(good, len(fates))}),"
        f" {words.number(bad)} did not, and of {words.number(rest)} the end is not in the evidence or still open."
    )


def _what_was_refused(matter: Matter) -> str:
    refused = refusals(matter)
    if not refused.height:
        return "No mail was refused, returned or made to wait."
    top = refused.row(0, named=True)
    acts = f"; {_who(top['who_acts'])} can mend it" if top["who_acts"] not in (None, "nobody") else ""
    total = int(refused["mails"].sum())
    return (
        f"{words.counted(total, 'answer')} said no or not yet; the most frequent cause is"
        f" {_cause(top['cause'])} ({words.counted(top['mails'], 'time')}{acts})."
    )


def _how_long(matter: Matter) -> str:
    took = matter.polars("deliveries").filter(pl.col("status") == "sent")["delay_s"].drop_nulls()
    if not len(took):
        return "No delivery tells how long it took."
    half, most, longest = took.quantile(0.5), took.quantile(0.95), took.max()
    return (
        f"Half of the deliveries took at most {words.duration(half)}, 95 % at most {words.duration(most)},"
        f" the longest {words.duration(longest)}."
    )


def _what_was_spam(matter: Matter) -> str:
    scans = matter.polars("scans").filter(pl.col("origin") != "header")
    if not scans.height:
        return "No verdict of a spam filter is in the logs."
    spam = int(scans["is_spam"].sum())
    return f"The spam filters judged {words.counted(scans.height, 'mail')} and called {words.number(spam)} spam ({words.share(spam, scans.height)})."


# --- What was read ----------------------------------------------------------------------------------------------------


def _evidence(matter: Matter) -> Iterator[Block]:
    yield blocks.case(matter.summary)
    if matter.pictures and matter.summary.get("sources"):
        yield _drawn(plots.coverage, matter.summary, height=4, zone=matter.summary.get("zone"))


def _not_understood(matter: Matter) -> Iterator[Block]:
    missed = matter.summary.get("not_understood") or []
    if not missed:
        yield Says("Every line was understood.")
        return
    rows = [(row.get("program"), row.get("lines")) for row in missed]
    examples = [[str(example) for example in row.get("examples") or []] for row in missed]
    yield Says("These lines are kept and can be searched, but no statement of this report stands on them.")
    yield Rows("Lines that were not understood, by program", ("Program", "Lines"), rows, examples)


# --- What was asked ---------------------------------------------------------------------------------------------------


def _traces(matter: Matter) -> Iterator[Block]:
    for told in matter.traces:
        yield blocks.trace(told)
        if matter.pictures:
            for journey in (told.get("journeys") or [])[:_PICTURES]:
                if journey.get("timeline"):
                    yield _drawn(plots.timeline, journey, zone=told.get("zone"))


def _messages(matter: Matter) -> Iterator[Block]:
    for told in matter.messages:
        yield blocks.message(told)


# --- What the tables say ----------------------------------------------------------------------------------------------


def _delays(matter: Matter) -> Iterator[Block]:
    done = matter.polars("deliveries").filter(pl.col("delay_s").is_not_null())
    if not done.height:
        return
    delay = pl.col("delay_s")
    if matter.pictures:
        yield _drawn(plots.delay_parts, done, height=4)
    slow = done.group_by(pl.coalesce("relay_name", "agent").alias("where")).agg(
        pl.len().alias("attempts"),
        delay.quantile(0.5).alias("half"),
        delay.quantile(0.95).alias("most"),
        delay.max().alias("longest"),
        *(pl.col(f"delay_{part}_s").mean() for part in ("before_queue", "in_queue", "connect", "transmit")),
        pl.col("evidence").sort_by("delay_s", descending=True).list.first().head(_EXAMPLES).alias("evidence"),
    )
    top = slow.sort("most", "where", descending=[True, False]).head(_AT_MOST)
    yield Rows(
        f"Delay in seconds by where it was handed to, slowest first ({words.counted(done.height, 'attempt')})",
        ("Handed to", "Attempts", "Half within", "95 % within", "Longest", "Mean before queue", "in queue", "connecting",
         "sending"),
        [tuple(row)[:-1] for row in top.iter_rows()],
        [matter.lines(row["evidence"]) for row in top.iter_rows(named=True)],
    )  # fmt: skip


def refusals(matter: Matter) -> Frame:
    """Bounces, deferrals and rejects by cause and who acts, most frequent first.

    Columns: cause, who_acts, bounced, deferred, rejected, mails, sentence, evidence (a few event_ids).
    """
    deliveries = matter.polars("deliveries").filter(
        pl.col("status").is_in(["bounced", "deferred", "expired"])
    )
    columns = ("cause", "who_acts", "cause_sentence", "evidence")
    said = pl.concat([
        deliveries.select(*columns, pl.col("status").replace("expired", "bounced").alias("how")),
        matter.polars("rejects").select(*columns, pl.lit("rejected").alias("how")),
    ])  # fmt: skip
    how = pl.col("how")
    return (
        said.with_columns(pl.col("cause").fill_null("unknown"))
        .group_by("cause", "who_acts")
        .agg(
            (how == "bounced").sum().cast(pl.Int64).alias("bounced"),
            (how == "deferred").sum().cast(pl.Int64).alias("deferred"),
            (how == "rejected").sum().cast(pl.Int64).alias("rejected"),
            pl.len().cast(pl.Int64).alias("mails"),
            pl.col("cause_sentence").drop_nulls().first().alias("sentence"),
            pl.col("evidence").list.first().head(_EXAMPLES).alias("evidence"),
        )
        .sort("mails", "cause", "who_acts", descending=[True, False, False], nulls_last=True)
    )


def _all_refused(matter: Matter) -> Frame:
    """Every bounce, deferral and reject with its cause; ``how`` says which it is."""
    failed = matter.polars("deliveries").filter(pl.col("status").is_in(["bounced", "deferred", "expired"]))
    columns = ("cause", "cause_family", "permanence", "who_acts", "cause_sentence", "evidence")
    how = pl.col("status").replace("expired", "bounced").alias("how")
    refused = matter.polars("rejects").select(*columns, pl.lit("rejected").alias("how"))
    return pl.concat([failed.select(*columns, how), refused])


def _refusals(matter: Matter) -> Iterator[Block]:
    refused = refusals(matter)
    if not refused.height:
        return
    top = refused.head(_AT_MOST)
    if matter.pictures:
        yield _drawn(plots.causes, _all_refused(matter), height=4)
    yield Rows(
        f"Returned, waiting and refused, by cause ({words.counted(int(refused['mails'].sum()), 'answer')})",
        ("Cause", "Who acts", "Returned", "Waiting", "Refused", "All", "What it means"),
        [
            (_cause(row["cause"]), _who(row["who_acts"]), row["bounced"], row["deferred"], row["rejected"], row["mails"],
             row["sentence"])
            for row in top.iter_rows(named=True)
        ],
        [matter.lines(row["evidence"]) for row in top.iter_rows(named=True)],
    )  # fmt: skip
    acts = (
        refused.group_by("who_acts")
        .agg(pl.col("mails").sum())
        .sort("mails", "who_acts", descending=[True, False])
    )
    rows = [(_who(row["who_acts"]), row["mails"]) for row in acts.iter_rows(named=True)]
    yield Rows("Who can mend it", ("Who acts", "Answers"), rows)


def _spam(matter: Matter) -> Iterator[Block]:
    scans = matter.polars("scans")
    if not scans.height:
        return
    if matter.pictures and scans["score"].is_not_null().any():
        yield _drawn(plots.scores, scans, height=4)
    verdicts = scans.group_by("engine", "origin", "action").agg(
        pl.len().cast(pl.Int64).alias("mails"),
        pl.col("is_spam").sum().cast(pl.Int64).alias("spam"),
        pl.col("score").fill_nan(None).median().alias("score"),
        pl.col("evidence").list.first().head(_EXAMPLES).alias("evidence"),
    )
    top = verdicts.sort("mails", "engine", "origin", "action", descending=[True, False, False, False]).head(
        _AT_MOST
    )
    yield Rows(
        f"Verdicts of the spam filters ({words.counted(scans.height, 'verdict')}; a header is a claim unless our server wrote it)",
        ("Filter", "Read in", "Action", "Verdicts", "Called spam", "Median score"),
        [tuple(row)[:-1] for row in top.iter_rows()],
        [matter.lines(row["evidence"]) for row in top.iter_rows(named=True)],
    )
    hits = scans.select(pl.col("symbols").explode()).drop_nulls()
    if hits.height:
        yield _symbols(hits["symbols"].struct.unnest())


def _symbols(hits: Frame) -> Rows:
    """The rules that hit most."""
    often = hits.group_by("name").agg(
        pl.len().cast(pl.Int64).alias("mails"), pl.col("score").fill_nan(None).mean().alias("score")
    )
    top = often.sort("mails", "name", descending=[True, False]).head(_AT_MOST)
    return Rows("Rules that hit most", ("Rule", "Verdicts", "Mean score"), [*top.iter_rows()])


def _incidents(matter: Matter) -> Iterator[Block]:
    found = matter.case.findings()
    if not found.num_rows:
        return
    top = found.slice(0, _AT_MOST).to_pylist()
    yield Rows(
        f"Findings, the worst first ({words.number(found.num_rows)})",
        ("Finding", "Severity", "How sure", "What", "Innocent explanation"),
        [
            (_cause(row["finding"]), row["severity"], str(row["certainty"]).replace("_", " "), row["sentence"], row["innocent"])
            for row in top
        ],
        [matter.lines(row["evidence"] or []) for row in top],
    )  # fmt: skip


# --- How it was made --------------------------------------------------------------------------------------------------

METHOD = (
    "Each statement stands on lines of the evidence, named as source:line.",
    "“seen” is what a line says, “inferred” follows from lines by a rule, “not seen” means that no line tells it.",
    "A reply 250 says that the next server took the message, not that it is in the mailbox.",
    "Causes are read from the words of a reply first, then from its codes, by the rules of this version.",
)


def _method(matter: Matter) -> Iterator[Block]:
    yield Listed(METHOD)
    sources = matter.polars("sources")
    if sources.height:
        rows = [(_name(row), row["size"], row["sha256"]) for row in sources.iter_rows(named=True)]
        yield Rows("What was read, by content", ("Source", "Bytes", "SHA-256"), rows)
    yield Says(f"mailforensics {tool_version()}, times in {matter.summary.get('zone') or 'UTC'}")


def tool_version() -> str:
    """The version that a report names."""
    try:
        return version("mailforensics-notebooks")
    except PackageNotFoundError:
        return "(not installed)"


def _zone(matter: Matter) -> Any:
    return words.zone_of(matter.summary.get("zone"))


def _cause(word: Any) -> str:
    return str(word or "unknown").replace("_", " ")


def _who(word: Any) -> str:
    names = {
        "us": "we",
        "remote": "the other server's postmaster",
        "sender": "the sender",
        "recipient": "the recipient",
    }
    return names.get(str(word), str(word or "not known"))


def _drawn(draw: Callable[..., Any], data: Any, *, height: float = 3.2, **options: Any) -> Picture:
    """A plot as PNG, the same bytes each time, on a canvas of its own that no notebook shows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, height), layout="constrained")
    FigureCanvasAgg(figure)
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # strangers write in every script
        axes = draw(data, ax=figure.add_subplot(), **options)
        figure.savefig(out, format="png", dpi=90, metadata={"Software": None})
    return Picture(out.getvalue(), plots.alt_text(axes))


SECTIONS: dict[str, Section] = {
    section.name: section
    for section in (
        Section("summary", "In five sentences", _summary),
        Section("traces", "Traces", _traces),
        Section("incidents", "Incidents", _incidents),
        Section("refusals", "Returned and refused", _refusals),
        Section("delays", "Delays", _delays),
        Section("spam", "Spam filters", _spam),
        Section("messages", "Headers of messages", _messages),
        Section("evidence", "Evidence", _evidence),
        Section("not_understood", "What was not understood", _not_understood),
        Section("method", "Method and version", _method),
    )
}
