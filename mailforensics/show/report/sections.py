"""The sections of a report, in the order in which a reader needs them: first the answer, last the method.

A section is a name, a title and a function from a :class:`Matter` to blocks; no blocks, no section. Packages add their own by the
entry point ``mailforensics.report_sections`` (docs/how-to/add-your-own.md).
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import polars as pl

from mailforensics.findings.rows import SAME_WORDS
from mailforensics.show import plots, words
from mailforensics.show.report import blocks
from mailforensics.show.report.blocks import Block, Folded, Listed, Picture, Rows, Says, Seconds
from mailforensics.show.report.matter import EXAMPLES, Matter, Section, cause_words, short_name, who_acts
from mailforensics.show.report.summary import all_refused, five_sentences, refusals

Frame = pl.DataFrame

_AT_MOST = 25  # rows of a table of the report; the tables of the case hold all
_OF_A_KIND = 4  # rows that one kind of finding may take of them
_PICTURES = 3  # journeys that are drawn
_INCHES, _DPI = 9, 144  # of a picture; sharp on paper


def _summary(matter: Matter) -> Iterator[Block]:
    yield from five_sentences(matter)


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
                if len({step.get("time") for step in journey.get("timeline") or []}) > 1:
                    yield _drawn(plots.timeline, journey, zone=told.get("zone"))


def _messages(matter: Matter) -> Iterator[Block]:
    for told in matter.messages:
        yield blocks.message(told)


# --- What the tables say ----------------------------------------------------------------------------------------------


def _delays(matter: Matter) -> Iterator[Block]:
    done = matter.polars("deliveries").filter(pl.col("delay_s").is_not_null())
    if not done.height:
        return
    if matter.pictures:
        yield _drawn(plots.delay_parts, done, height=4)
    slow = _by_domain(done)
    top = slow.head(_AT_MOST)
    yield Rows(
        f"How long until it was delivered, by the recipient's domain, the slowest first ({words.counted(done.height, 'try', 'tries')}"
        f"{_rest(slow, 'domain')})",
        ("Domain", "Delivered", "Half within", "95 % within", "Longest", "In vain", "Before", "Queue", "Connect", "Send"),
        [(row[0], row[1], *map(Seconds, row[2:5]), row[5], *map(Seconds, row[6:10])) for row in top.iter_rows()],
        [matter.lines(row["evidence"]) for row in top.iter_rows(named=True)],
    )  # fmt: skip
    yield Says("“Longest” is the longest wait, delivered or not; “In vain” counts the tries that did not deliver. The last four are means over"
               " all tries: the wait before this try, in the queue, for the connection, and while sending.")  # fmt: skip


def _by_domain(done: Frame) -> Frame:
    """Delays by the recipient's domain; where nothing was delivered, the waits so far stand in their place."""
    sent = pl.col("status") == "sent"
    delay = (
        pl.when(sent.any())
        .then(pl.col("delay_s").filter(sent).quantile(0.95))
        .otherwise(pl.col("delay_s").quantile(0.95))
    )
    parts = (pl.col(f"delay_{part}_s").mean() for part in ("before_queue", "in_queue", "connect", "transmit"))
    domain = pl.coalesce("recipient_domain", pl.lit("(none)")).alias("domain")
    rows = done.group_by(domain).agg(
        sent.sum().cast(pl.Int64).alias("delivered"),
        pl.col("delay_s").filter(sent).quantile(0.5).alias("half"),
        delay.alias("most"),
        pl.col("delay_s").max().alias("longest"),
        (~sent).sum().cast(pl.Int64).alias("vain"),
        *parts,
        pl.col("evidence").sort_by("delay_s", descending=True).list.first().head(EXAMPLES).alias("evidence"),
    )
    return rows.sort("most", "domain", descending=[True, False])


def _rest(rows: Frame, noun: str) -> str:
    """What a table leaves out, in words."""
    return (
        f"; {words.counted(rows.height - _AT_MOST, f'more {noun}')} not shown"
        if rows.height > _AT_MOST
        else ""
    )


def _refusals(matter: Matter) -> Iterator[Block]:
    refused = refusals(matter)
    if not refused.height:
        return
    top = refused.head(_AT_MOST)
    if matter.pictures:
        yield _drawn(plots.causes, all_refused(matter), height=4)
    yield Rows(
        f"Returned, waiting and refused, by cause ({words.counted(int(refused['mails'].sum()), 'answer')}{_rest(refused, 'cause')})",
        ("Cause", "Who acts", "Returned", "Waiting", "Refused", "All", "What it means"),
        [
            (cause_words(row["cause"]), who_acts(row["who_acts"]), row["bounced"], row["deferred"], row["rejected"], row["mails"],
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
    rows = [(who_acts(row["who_acts"]), row["mails"]) for row in acts.iter_rows(named=True)]
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
        pl.col("evidence").list.first().head(EXAMPLES).alias("evidence"),
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
    """The rules that moved scores most, up or down; those that only note something are left out."""
    often = hits.group_by("name").agg(
        pl.len().cast(pl.Int64).alias("mails"),
        pl.col("score").fill_nan(None).mean().alias("score"),
        pl.col("score").fill_nan(None).sum().alias("all"),
    )
    moved = often.filter(pl.col("all") != 0).sort(
        pl.col("all").abs(), pl.col("name"), descending=[True, False]
    )
    rows = [*moved.head(_AT_MOST).iter_rows()]
    caption = f"Rules that moved the scores most ({words.counted(moved.height, 'rule')} moved any{_rest(moved, 'rule')})"
    return Rows(caption, ("Rule", "Verdicts", "Mean score", "All scores"), rows)


def _incidents(matter: Matter) -> Iterator[Block]:
    found = matter.findings()
    if not found.num_rows:
        return
    groups = _alike(Frame(pl.from_arrow(found)))
    kept = groups.filter(pl.col("of_its_kind") < _OF_A_KIND).head(_AT_MOST)
    left = sum(groups["times"].to_list()) - sum(kept["times"].to_list())
    more = f"; {words.number(left)} of them not shown, `mailforensics findings` tells all" if left else ""
    yield Rows(
        f"What deserves a look, the worst first ({words.counted(found.num_rows, 'finding')}{more})",
        ("Finding", "Severity", "How sure", "Times", "What", "It may be innocent"),
        [
            (cause_words(row["finding"]), row["severity"], cause_words(row["certainty"]), row["times"], row["sentence"], row["innocent"])
            for row in kept.iter_rows(named=True)
        ],
        [matter.lines(row["evidence"]) or matter.fields(row["subject"]) for row in kept.iter_rows(named=True)],
    )  # fmt: skip


def _alike(found: Frame) -> Frame:
    """Findings of the same words as one row with their number, in the order of the first; ``of_its_kind`` counts within a finding."""
    alike = found.group_by(*SAME_WORDS, maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("times"),
        pl.col("subject").drop_nulls().head(EXAMPLES),
        pl.when(pl.len() == 1)
        .then(pl.col("evidence").first())
        .otherwise(pl.col("evidence").list.first().implode())
        .list.head(EXAMPLES),
    )
    return alike.with_columns(of_its_kind=pl.int_range(pl.len()).over("finding", "severity"))


# --- How it was made --------------------------------------------------------------------------------------------------

METHOD = (
    "Each statement stands on lines of the evidence, named as source:line.",
    "“seen” is what a line says, “inferred” follows from lines by a rule, “not seen” means that no line tells it.",
    "A reply 250 says that the next server took the message, not that it is in the mailbox.",
    "Causes are read from the words of a reply first, then from its codes, by the rules of this version.",
)


def _method(matter: Matter) -> Iterator[Block]:
    yield Listed(METHOD)
    yield Says(f"mailforensics {tool_version()}, times in {words.zone_words(matter.zone)}")
    sources = matter.polars("sources")
    if sources.height:
        rows = [(short_name(row), row["size"], row["sha256"]) for row in sources.iter_rows(named=True)]
        caption = f"What was read, by content ({words.counted(sources.height, 'source')})"
        yield Folded(caption, Rows(caption, ("Source", "Bytes", "SHA-256"), rows))


def tool_version() -> str:
    """The version that a report names."""
    try:
        return version("mailforensics-notebooks")
    except PackageNotFoundError:
        return "(not installed)"


def _drawn(draw: Callable[..., Any], data: Any, *, height: float = 3.2, **options: Any) -> Picture:
    """A plot as PNG, the same bytes each time, on a canvas of its own that no notebook shows."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_INCHES, height), layout="constrained")
    FigureCanvasAgg(figure)
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from font")  # strangers write in every script
        axes = draw(data, ax=figure.add_subplot(), **options)
        figure.savefig(out, format="png", dpi=_DPI, metadata={"Software": None})
    return Picture(out.getvalue(), plots.alt_text(axes), _INCHES * 96)


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
