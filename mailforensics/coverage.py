"""What the evidence covers: hosts, times, gaps, and the lines that were not understood.

"Not seen" is a statement about evidence: it needs the stretch of time and the host for which we hold a log.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any

import polars as pl

from mailforensics.evidence.clock import CONTRADICTED, MOVED_BACK
from mailforensics.evidence.names import source_name
from mailforensics.link.hosts import ahead

if TYPE_CHECKING:
    from mailforensics.case import Case

GAP_FACTOR = 20  # a pause this many times longer than the host's usual longest pause (99.9th percentile) ...
GAP_FLOOR = dt.timedelta(minutes=30)  # ... and longer than this is a gap
WINDOW_S = 45  # two lines this close are no pause: twenty times as long is less than the shortest gap


def hosts(case: Case) -> list[dict[str, Any]]:
    """For each host from when to when there are lines, and the gaps between."""
    found: list[dict[str, Any]] = covered(case)["hosts"]
    return found


def covered(case: Case) -> dict[str, Any]:
    """What the events cover: hosts with their gaps, and the sources that say something of mail. A saved case keeps it."""

    def make(kept: dict[str, Any] | None) -> dict[str, Any]:
        return _from_json(kept) if kept else survey(case.scan("events"))

    return case.kept("coverage", make)


def to_json(found: dict[str, Any]) -> dict[str, Any]:
    """The coverage as a manifest keeps it: times in ISO 8601."""
    return {**found, "hosts": [_times(row, dt.datetime.isoformat) for row in found["hosts"]]}


def _from_json(kept: dict[str, Any]) -> dict[str, Any]:
    return {**kept, "hosts": [_times(row, dt.datetime.fromisoformat) for row in kept["hosts"]]}


def _times(row: dict[str, Any], turn: Callable[[Any], Any]) -> dict[str, Any]:
    gaps = [{name: turn(moment) for name, moment in gap.items()} for gap in row["gaps"]]
    return {**row, "from": turn(row["from"]), "to": turn(row["to"]), "gaps": gaps}


def survey(events: pl.LazyFrame) -> dict[str, Any]:
    """The coverage of events, read in pieces: only the first and last line of each half minute is kept of a host."""
    timed = events.select("host", "time").drop_nulls()
    window = (pl.col("time").dt.epoch("s") // WINDOW_S).alias("window")
    windows = timed.group_by("host", window).agg(
        pl.col("time").min().alias("from"), pl.col("time").max().alias("to"), pl.len().alias("lines")
    )
    rows = windows.collect(engine="streaming").sort("host", "window")
    told = [_host(str(host), part) for (host,), part in rows.group_by("host", maintain_order=True)]
    speaking = events.filter(pl.col("kind").is_not_null()).select(pl.col("source_id").unique())
    return {"hosts": told, "speaking": speaking.collect(engine="streaming")["source_id"].sort().to_list()}


def _host(name: str, windows: pl.DataFrame) -> dict[str, Any]:
    lines = int(windows["lines"].sum())
    return {"host": name, "from": windows["from"][0], "to": windows["to"][-1], "gaps": gaps(windows, lines)}


def gaps(windows: pl.DataFrame, lines: int) -> list[dict[str, dt.datetime]]:
    """Pauses that are implausible for this host: far longer than its usual ones. Few lines prove no gap.

    `windows` are the stretches of a host in which lines follow one another closely (from, to), in order of time; what is usual is the pause that
    one in a thousand of its pauses exceeds. Pauses within a window are shorter than any that could matter.
    """
    if lines < 200:
        return []
    pauses = windows.select(
        pl.col("to").shift().alias("from"),
        pl.col("from").alias("to"),
        pause=pl.col("from") - pl.col("to").shift(),
    ).drop_nulls()
    longest = pauses["pause"].sort(descending=True)
    rank = (lines - 2) - round(0.999 * (lines - 2))  # how many pauses are longer than the usual longest
    usual = longest[rank] if rank < len(longest) else dt.timedelta(0)
    limit = max(usual * GAP_FACTOR, GAP_FLOOR)
    return pauses.filter(pl.col("pause") > limit).select("from", "to").head(50).to_dicts()


def missed(case: Case) -> pl.DataFrame:
    """The lines that were not understood: program and text."""
    lines = case.scan("events").filter(pl.col("parse_status").is_in(["unparsed", "oversize"]))
    return lines.select("program", "text").collect()


def not_understood(missed: pl.DataFrame) -> list[dict[str, Any]]:
    """Per program the number of lines that were not understood, with three examples."""
    if not missed.height:
        return []
    named = missed.with_columns(name=pl.coalesce("program", pl.lit("(no mail log line)")))
    groups = named.group_by("name").agg(
        pl.len().alias("lines"), pl.col("text").str.head(300).head(3).alias("examples")
    )
    rows = groups.sort("lines", "name", descending=[True, False])
    return [
        {"program": row["name"], "lines": row["lines"], "examples": row["examples"]}
        for row in rows.to_dicts()
    ]


def summary(case: Case) -> dict[str, Any]:
    """The summary of a case as ``Case.summary`` gives it."""
    with case.readable():
        return _summary(case)


def _summary(case: Case) -> dict[str, Any]:
    sources, found = case.polars("sources"), hosts(case)
    return {
        "sources": sources.to_dicts(),
        "hosts": [row["host"] for row in found],
        "lines": int(sources["lines"].sum() or 0),
        "time_min": sources["time_min"].min(),
        "time_max": sources["time_max"].max(),
        "zone": case.zone,
        "zone_note": zone_note(sources),
        "counts": counts(case),
        "not_understood": not_understood(missed(case)),
        "gaps": [{"host": row["host"], **gap} for row in found for gap in row["gaps"]],
        "notable": notable(case, sources),
        "left_alone": [path for path, _ in case.left_alone],
        "silent": silent(case),
    }


def silent(case: Case) -> list[str]:
    """Logs that gave no line of mail: silence about them would be a lie."""
    logs = case.polars("sources").filter(pl.col("lines").is_not_null())
    speaking = covered(case)["speaking"]
    return [source_name(row) for row in logs.filter(~pl.col("source_id").is_in(speaking)).to_dicts()]


def zone_note(sources: pl.DataFrame) -> str:
    """What was assumed of zone and year, in words."""
    notes: list[str] = []
    words = {"assumed": "UTC assumed", "neighbour": "zone taken from the other sources"}
    for method, word in words.items():
        rows = sources.filter(pl.col("timezone_method") == method)
        unstated = rows.filter(pl.col("lines").is_not_null())
        if unstated.height:
            notes.append(f"{word} for {_few(unstated)}")
    guessed = sources.filter(
        pl.col("year_method").is_not_null() & ~pl.col("year_method").str.starts_with("given")
    )
    if guessed.height:
        methods = {"neighbours": "the other sources", "file_name": "the file's name", "gzip_header": "the gzip header",
                   "file_time": "the file's date", "rotation": "the newer file of the set", "today": "today's date"}  # fmt: skip
        known = guessed.with_columns(
            pl.col("year_method").str.extract_groups(r"\A(?<by>[a-z_]+)(?<leap>.*)\z").struct.unnest()
        )
        by = sorted({methods.get(str(m), str(m)) for m in known["by"]})
        leap = " and its 29 February" if MOVED_BACK in known["leap"] else ""
        notes.append(f"year of {_few(guessed)} from {' and '.join(by)}{leap}")
    against = sources.filter(pl.col("year_method").str.ends_with(CONTRADICTED))
    if against.height:
        notes.append(f"{_few(against)} holds a 29 February, which its year has not")
    return "; ".join(notes)


def _few(rows: pl.DataFrame) -> str:
    names = [source_name(row).rsplit("/", 2) for row in rows.to_dicts()]
    short = ["/".join(parts[-2:]) for parts in names]
    return ", ".join(short[:2]) + (f" and {len(short) - 2} more" if len(short) > 2 else "")


def counts(case: Case) -> dict[str, int]:
    """How many messages, deliveries by status, rejects, scans and mailbox events there are."""
    counted = case.scan("deliveries").group_by("status").len().collect(engine="streaming")
    status = {word: number for word, number in counted.rows() if word is not None}
    names = ("messages", "deliveries", "rejects", "scans", "mailbox_events", "documents")
    out = {name: case.scan(name).select(pl.len()).collect().item() for name in names}
    return out | {word: int(status.get(word, 0)) for word in ("sent", "deferred", "bounced")}


def clocks(case: Case, hosts: Collection[str] | None = None) -> list[str]:
    """Which clocks are wrong, in words; of all hosts, or of some."""
    return [
        f"the clock of {host} is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the others, "
        f"from {pairs} hand-over{'s' if pairs > 1 else ''}"
        for host, (seconds, pairs) in ahead(case.clocks).items()
        if hosts is None or host in hosts
    ]


def notable(case: Case, sources: pl.DataFrame) -> list[str]:
    """Sentences worth a look before any question is asked."""
    said = clocks(case)
    for path, twin in case.duplicates:
        said.append(f"{path} holds the same bytes as {twin} and was read once")
    for row in sources.to_dicts():
        for hit in row["limits_hit"] or []:
            said.append(f"{source_name(row)}: {hit}")
    return said
