"""What the evidence covers: hosts, times, gaps, and the lines that were not understood.

"Not seen" is a statement about evidence: it needs the stretch of time and the host for which we hold a log.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import polars as pl

from mailforensics.evidence.names import source_name

if TYPE_CHECKING:
    from mailforensics.case import Case

GAP_FACTOR = 20  # a pause this many times longer than the host's usual longest pause (99.9th percentile) ...
GAP_FLOOR = dt.timedelta(minutes=30)  # ... and longer than this is a gap


def hosts(events: pl.DataFrame) -> list[dict[str, Any]]:
    """For each host from when to when there are lines, and the gaps between."""
    timed = events.select("host", "time").drop_nulls()
    out: list[dict[str, Any]] = []
    for (host,), rows in timed.group_by("host", maintain_order=True):
        times = rows["time"].sort()
        out.append({"host": host, "from": times[0], "to": times[-1], "gaps": gaps(times)})
    return sorted(out, key=lambda row: str(row["host"]))


def gaps(times: pl.Series) -> list[dict[str, dt.datetime]]:
    """Pauses that are implausible for this host: far longer than its usual ones. Few lines prove no gap."""
    if len(times) < 200:
        return []
    steps = times.diff()
    usual = steps.quantile(0.999, "nearest")
    if not isinstance(usual, dt.timedelta):
        return []
    limit = max(usual * GAP_FACTOR, GAP_FLOOR)
    ends = (steps > limit).fill_null(False).arg_true().to_list()
    return [{"from": times[index - 1], "to": times[index]} for index in ends[:50]]


COLUMNS = ("host", "time", "kind", "source_id")
"""What of the events these answers need; the text of a large saved case stays on disk."""


def outline(case: Case) -> pl.DataFrame:
    """The events of a case without their text."""
    return case.scan("events").select(COLUMNS).collect()


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
    events, sources = outline(case), case.polars("sources")
    covered = hosts(events)
    return {
        "sources": sources.to_dicts(),
        "hosts": [row["host"] for row in covered],
        "lines": int(sources["lines"].sum() or 0),
        "time_min": events["time"].min(),
        "time_max": events["time"].max(),
        "zone": case.zone,
        "zone_note": zone_note(sources),
        "counts": counts(case),
        "not_understood": not_understood(missed(case)),
        "gaps": [{"host": row["host"], **gap} for row in covered for gap in row["gaps"]],
        "notable": notable(case, sources),
        "left_alone": [path for path, _ in case.left_alone],
        "silent": silent(sources, events),
    }


def silent(sources: pl.DataFrame, events: pl.DataFrame) -> list[str]:
    """Logs that gave no line of mail: silence about them would be a lie."""
    logs = sources.filter(pl.col("lines").is_not_null())
    speaking = (
        events.lazy()
        .filter(pl.col("kind").is_not_null())
        .select(pl.col("source_id").unique())
        .collect()["source_id"]
    )
    return [
        source_name(row) for row in logs.filter(~pl.col("source_id").is_in(speaking.implode())).to_dicts()
    ]


def zone_note(sources: pl.DataFrame) -> str:
    """What was assumed of zone and year, in words."""
    notes: list[str] = []
    words = {"assumed": "UTC assumed", "neighbour": "zone taken from the other sources"}
    for method, word in words.items():
        rows = sources.filter(pl.col("timezone_method") == method)
        unstated = rows.filter(pl.col("lines").is_not_null())
        if unstated.height:
            notes.append(f"{word} for {_few(unstated)}")
    guessed = sources.filter(pl.col("year_method").is_not_null() & (pl.col("year_method") != "given"))
    if guessed.height:
        methods = {"neighbours": "the other sources", "file_name": "the file's name", "gzip_header": "the gzip header",
                   "file_time": "the file's date", "rotation": "the newer file of the set", "today": "today's date"}  # fmt: skip
        by = sorted({methods.get(str(m), str(m)) for m in guessed["year_method"]})
        notes.append(f"year of {_few(guessed)} from {' and '.join(by)}")
    return "; ".join(notes)


def _few(rows: pl.DataFrame) -> str:
    names = [source_name(row).rsplit("/", 2) for row in rows.to_dicts()]
    short = ["/".join(parts[-2:]) for parts in names]
    return ", ".join(short[:2]) + (f" and {len(short) - 2} more" if len(short) > 2 else "")


def counts(case: Case) -> dict[str, int]:
    """How many messages, deliveries by status, rejects, scans and mailbox events there are."""
    status = dict(case.polars("deliveries")["status"].value_counts().rows())
    names = ("messages", "deliveries", "rejects", "scans", "mailbox_events", "documents")
    out = {name: case.polars(name).height for name in names}
    return out | {word: int(status.get(word, 0)) for word in ("sent", "deferred", "bounced")}


def notable(case: Case, sources: pl.DataFrame) -> list[str]:
    """Sentences worth a look before any question is asked."""
    said: list[str] = []
    for path, twin in case.duplicates:
        said.append(f"{path} holds the same bytes as {twin} and was read once")
    for row in sources.to_dicts():
        for hit in row["limits_hit"] or []:
            said.append(f"{source_name(row)}: {hit}")
    return said
