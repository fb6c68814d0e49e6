"""Clocks in the log itself: stamps that no log of that day can hold, and steps that the servers noticed.

    master: Warning: Time moved backwards by 61.2 seconds, adjusting timeouts.       Dovecot noticed a step
    stamps of 2027 in a file that was last written in 2026                           the clock, or the year, is wrong

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

    ahead       how far a stamp may lie behind the moment at which the evidence was read
    step_s      steps of the clock in seconds, in either direction
    backwards   how far stamps of one source may go back from one line to the next
    """

    ahead: dt.timedelta = dt.timedelta(minutes=10)
    step_s: float = 60.0
    backwards: dt.timedelta = dt.timedelta(minutes=5)


def clock_findings(
    sources: Frame, events: Frame, steps: Frame, thresholds: ClockThresholds = ClockThresholds()
) -> Frame:
    """Findings about clocks: stamps in the future, steps that a server noticed, stamps that go back.

    sources   the table ``sources``
    events    event_id, source_id, host, time, in the order of reading
    steps     lines in which a server noticed a step: time, host, jump_s (signed), event_id
    """
    return pl.concat(
        [
            _future(sources, thresholds),
            _noticed(steps, thresholds),
            _backwards(events, thresholds),
        ]
    )


_STAMP = "%Y-%m-%d %H:%M:%S UTC"


def _future(sources: Frame, thresholds: ClockThresholds) -> Frame:
    late = sources.filter(pl.col("time_max") > pl.col("opened_at") + thresholds.ahead)
    late = late.with_columns(
        time=pl.col("time_max"), ahead=(pl.col("time_max") - pl.col("opened_at")).dt.total_seconds()
    )
    sentence = pl.format(
        "{} holds stamps up to {}, {} after it was read.", "path", pl.col("time").dt.strftime(_STAMP),
        span(pl.col("ahead").cast(pl.Float64)),
    )  # fmt: skip
    return finding_rows(late, finding="stamp_in_future", severity="warning", subject=pl.col("path"), sentence=sentence, rule="clock.future",
                        certainty="inferred", innocent="The zone or the year of stamps without one was taken wrongly.")  # fmt: skip


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
