"""Clocks in the log itself: stamps that no log of that day can hold, and steps that the servers noticed.

    master: Warning: Time moved backwards by 61.2 seconds, adjusting timeouts.       Dovecot noticed a step
    stamps of 2027 in a file that was last written in 2026                           the clock, or the year, is wrong
    Feb 29 10:00:00 in a log that is read with the year 2026                         the year is wrong

How far two hosts' clocks are apart is told from headers, see ``headers/path.py``.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from mailforensics.findings.rows import counted, finding_rows, span

Frame = pl.DataFrame


@dataclass(frozen=True)
class ClockThresholds:
    """From which size on a step is told.

    ahead       how far a stamp may lie after the moment at which the file was last written, or read
    step_s      steps of the clock in seconds, in either direction
    backwards   how far stamps of one source may go back from one line to the next
    """

    ahead: dt.timedelta = dt.timedelta(minutes=10)
    step_s: float = 60.0
    backwards: dt.timedelta = dt.timedelta(minutes=5)


def clock_findings(
    sources: Frame,
    events: Frame,
    steps: Frame,
    undated: Frame,
    thresholds: ClockThresholds = ClockThresholds(),
) -> Frame:
    """Findings about clocks: stamps in the future or of a day that is not, steps that a server noticed, stamps that go back.

    sources   the table ``sources``
    events    event_id, source_id, host, time, in the order of reading
    steps     lines in which a server noticed a step: time, host, jump_s (signed), event_id
    undated   lines that have a stamp and no time: event_id, source_id, time_original
    """
    return pl.concat(
        [
            _future(sources, thresholds),
            _no_such_day(sources, undated),
            _noticed(steps, thresholds),
            _backwards(events, thresholds),
        ]
    )


_STAMP = "%Y-%m-%d %H:%M:%S UTC"


_FARTHEST_ZONE = dt.timedelta(hours=14)


def _future(sources: Frame, thresholds: ClockThresholds) -> Frame:
    """Stamps after the moment at which the file was last written (of old cases: at which it was read).

    Where the zone of the stamps is only assumed and a zone of the Earth explains it, that is the likely reason.
    """
    ends = [pl.col(name) for name in ("written_at", "opened_at") if name in sources.columns]
    known = sources.with_columns(
        time=pl.col("time_max"), end=pl.min_horizontal(ends), method=_column(sources, "timezone_method"),
        written=_column(sources, "written_at", pl.Datetime("us", "UTC")).is_not_null(),
    )  # fmt: skip
    late = known.filter(pl.col("time") > pl.col("end") + thresholds.ahead)
    ahead = pl.col("time") - pl.col("end")
    zone = (pl.col("method") == "assumed").fill_null(False) & (ahead <= _FARTHEST_ZONE)
    sentence = pl.format(
        "{} holds stamps up to {}, {} after it was {}.{}", "path", pl.col("time").dt.strftime(_STAMP),
        span(ahead.dt.total_seconds().cast(pl.Float64)),
        pl.when("written").then(pl.lit("last written")).otherwise(pl.lit("read")),
        pl.when(zone).then(pl.lit(" Its stamps are probably not in UTC, which was assumed: give their zone (timezone=).")).otherwise(pl.lit("")),
    )  # fmt: skip
    severity = pl.when(zone).then(pl.lit("notice")).otherwise(pl.lit("warning"))
    return finding_rows(late, finding="stamp_in_future", severity=severity, subject=pl.col("path"), sentence=sentence, rule="clock.future",
                        certainty="inferred", innocent="The zone or the year of stamps without one was taken wrongly.")  # fmt: skip


def _no_such_day(sources: Frame, undated: Frame) -> Frame:
    """Lines of 29 February in a log that is read with a year that has none."""
    lines = undated.filter(pl.col("time_original").str.contains(r"\AFeb 29 ")).group_by(
        "source_id", maintain_order=True
    )
    found = lines.agg(pl.len().alias("lines"), pl.col("event_id").head(100).alias("evidence")).join(
        sources.select("source_id", "path", "time_min", given=_column(sources, "year_method").str.starts_with("given")), on="source_id"
    )  # fmt: skip
    sentence = pl.format(
        "{} holds {} of 29 February, but {} has no such day: these have no time. Give the year of its newest stamp (year=).",
        "path", counted(pl.col("lines"), "line", "lines"),
        pl.when("given").then(pl.lit("the year that was given")).otherwise(pl.lit("the year that was inferred")),
    )  # fmt: skip
    return finding_rows(found.with_columns(time=pl.col("time_min")), finding="no_such_day", severity="warning", subject=pl.col("path"),
                        sentence=sentence, rule="clock.no_such_day", innocent="The clock of the host ran wrong.")  # fmt: skip


def _column(frame: Frame, name: str, dtype: pl.DataType | type[pl.DataType] = pl.String) -> pl.Expr:
    return pl.col(name) if name in frame.columns else pl.lit(None, dtype=dtype)


def _noticed(steps: Frame, thresholds: ClockThresholds) -> Frame:
    big = steps.filter(pl.col("jump_s").abs() >= thresholds.step_s)
    hosts = big.group_by("host", maintain_order=True).agg(
        pl.len().alias("times"), pl.col("time").min(), pl.col("jump_s").abs().max().alias("most"),
        (pl.col("jump_s") < 0).sum().alias("back"), pl.col("event_id").alias("evidence"),
    )  # fmt: skip
    sentence = pl.format(
        "The clock of {} stepped {} since {}, at most by {}, {} backwards: times before and behind a step do not fit together.",
        "host", counted(pl.col("times"), "time", "times"), pl.col("time").dt.strftime(_STAMP), span(pl.col("most")), "back",
    )  # fmt: skip
    severity = pl.when(pl.col("back") > 0).then(pl.lit("warning")).otherwise(pl.lit("notice"))
    return finding_rows(hosts, finding="clock_step", severity=severity, subject=pl.col("host"), sentence=sentence, rule="clock.step",
                        innocent="The machine slept, or was moved to another host.")  # fmt: skip


def _backwards(events: Frame, thresholds: ClockThresholds) -> Frame:
    timed = events.drop_nulls("time").sort("source_id", "event_id")
    back = timed.with_columns(before=pl.col("time").shift(1).over("source_id")).filter(
        pl.col("before") - pl.col("time") > thresholds.backwards
    )
    found = back.group_by("source_id", maintain_order=True).agg(
        pl.col("host").first(), pl.len().alias("times"), pl.col("time").first(), pl.col("before").first(),
        pl.col("event_id").alias("evidence"), (pl.col("before") - pl.col("time")).dt.total_seconds().max().alias("most"),
    )  # fmt: skip
    sentence = pl.format(
        "In a log of {} the stamps go back {}, at most by {}, first from {} to {}.", "host",
        counted(pl.col("times"), "time", "times"), span(pl.col("most").cast(pl.Float64)), pl.col("before").dt.strftime(_STAMP),
        pl.col("time").dt.strftime(_STAMP),
    )  # fmt: skip
    return finding_rows(found, finding="stamps_go_back", severity="notice", subject=pl.format("source {}", "source_id"), sentence=sentence,
                        rule="clock.backwards", innocent="The hour when summer time ends, or a file that was put together.")  # fmt: skip
