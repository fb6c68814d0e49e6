"""One mail: its steps over all hosts and programs, and the tries to deliver it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

import polars as pl

from mailforensics.show import sentences, words
from mailforensics.show.plots.canvas import (
    BLUE,
    FAINT,
    QUIET,
    axes_for,
    finish,
    frame_of,
    local_times,
    name_rows,
    nothing,
    short,
    tall,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARKS = {"sent": "o", "deferred": "D", "bounced": "X", "expired": "X"}


def timeline(journey: Mapping[str, Any], *, zone: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the steps of one journey, a lane per host and program, the waits between them as thin lines.

    ``journey`` is one of ``Trace.journeys``; time runs along the x axis in that zone.
    """
    where = words.zone_of(zone)
    steps = [
        (when, step)
        for step in journey.get("timeline") or []
        if (when := words.moment(step.get("time"), where))
    ]
    lanes = list(dict.fromkeys(_lane(step) for _, step in steps))
    axes = axes_for(ax, height=max(3.2, tall(len(lanes))))
    if not steps:
        return nothing(axes, "No step with a time")
    begun = steps[0][0]
    across = _places(begun, steps)
    down = [lanes.index(_lane(step)) for _, step in steps]
    axes.plot(across, down, color=QUIET, linewidth=1, zorder=1)
    axes.scatter(across, down, color=BLUE, edgecolor="white", s=55, zorder=2)
    _name_waits(axes, across, down)
    name_rows(axes, lanes)
    axes.grid(axis="y", color=FAINT, linewidth=0.8)
    axes.spines["left"].set_visible(False)
    _name_times(axes, begun, max(across) - min(across), where)
    title = f"{journey.get('subject') or journey.get('message_id') or 'One mail'}: {sentences.fates(journey)}"
    return finish(axes, f"{short(title)} ({words.counted(len(steps), 'step')})", _timeline_words(journey))


def _places(begun: datetime, steps: Sequence[tuple[datetime, Mapping[str, Any]]]) -> list[float]:
    """Seconds from the beginning of each step; where stamps of whole seconds leave a wait open, it is drawn as none."""
    places: list[float] = []
    for when, step in steps:
        at = (when - begun).total_seconds()
        places.append(max(at, places[-1]) if places and step.get("wait_s") is None else at)
    return places


def _timeline_words(journey: Mapping[str, Any]) -> str:
    """The finding of a timeline as words.

    >>> _timeline_words({"outcomes": [{"recipient": "bob@example.org", "outcome": "bounced"}],
    ...                  "timeline": [{"wait_s": None}, {"wait_s": 4.0, "host": "mail", "program": "smtp"}]})
    'bob@example.org: bounced. The longest wait is 4 s, before smtp on mail.'
    """
    fates = [
        f"{it.get('recipient')}: {sentences.headline(it).lower()}." for it in journey.get("outcomes") or []
    ]
    waits = [it for it in journey.get("timeline") or [] if (it.get("wait_s") or 0) > 0]
    if waits:
        longest = max(waits, key=lambda it: float(it["wait_s"]))
        wait = words.duration(longest["wait_s"])
        fates.append(f"The longest wait is {wait}, before {longest.get('program')} on {longest.get('host')}.")
    return " ".join(fates)


def _lane(step: Mapping[str, Any]) -> str:
    return short(f"{step.get('host') or 'host unknown'}  {step.get('program') or ''}")


def _name_waits(axes: Axes, across: Sequence[float], down: Sequence[int]) -> None:
    """Write the wait at each line that is long enough to be seen."""
    whole = max(across) - min(across)
    for at in range(1, len(across)):
        gone = across[at] - across[at - 1]
        if whole and abs(gone) >= whole / 12:
            middle = ((across[at] + across[at - 1]) / 2, (down[at] + down[at - 1]) / 2)
            write(axes, *middle, words.duration(gone), shift=(0, 4), ha="center", va="baseline")


def _name_times(axes: Axes, begun: datetime, whole: float, zone: tzinfo) -> None:
    def local(seconds: float, _position: float) -> str:
        when = (begun + timedelta(seconds=seconds)).astimezone(zone)
        if whole < 10:
            return f"{when:%S}.{when.microsecond // 100_000} s"
        return f"{when:%H:%M:%S}" if whole < 600 else f"{when:%H:%M}"

    axes.xaxis.set_major_formatter(local)
    axes.locator_params(axis="x", nbins=7)
    axes.set_xlabel(f"{words.day(begun, zone)} {begun:%H:%M}, local time {words.offset(begun)}")


def retries(deliveries: Any, *, zone: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the tries to deliver, a row per recipient and queue: ● sent, ◆ deferred, ✖ returned.

    ``deliveries`` is that table, or the rows of some messages; needs time, recipient and status.
    """
    rows = frame_of(deliveries, "time", "recipient", "status").drop_nulls("time").sort("time")
    rows = rows.with_columns(name=_row_name(rows))
    names = rows["name"].unique(maintain_order=True).to_list()
    axes = axes_for(ax, height=tall(len(names[:40])))
    if not names:
        return nothing(axes, "No try to deliver")
    shown = rows.filter(pl.col("name").is_in(names[:40]))
    for place, name in enumerate(names[:40]):
        mine = shown.filter(pl.col("name") == name)
        axes.plot(mine["time"].to_list(), [place] * mine.height, color=QUIET, linewidth=1, zorder=1)
    for status, mark in _MARKS.items():
        some = shown.filter(pl.col("status") == status)
        down = [names.index(name) for name in some["name"]]
        colour = BLUE if status == "sent" else "white"
        axes.scatter(some["time"].to_list(), down, marker=mark, color=colour, edgecolor=BLUE, s=55, zorder=2)
    name_rows(axes, names[:40])
    local_times(axes, zone, rows["time"][0])
    title = (
        f"Tries to deliver: ● sent, ◆ deferred, ✖ returned ({words.counted(shown.height, 'try', 'tries')})"
    )
    return finish(axes, title, _retry_words(rows))


def _row_name(rows: pl.DataFrame) -> pl.Expr:
    if "queue_id" not in rows.columns:
        return pl.col("recipient")
    parts = [pl.col(name) for name in ("host", "queue_id") if name in rows.columns]
    return pl.concat_str(
        pl.col("recipient"), pl.lit("  "), pl.concat_str(*parts, separator=" "), ignore_nulls=True
    )


def _retry_words(rows: pl.DataFrame) -> str:
    most = rows.group_by("name", maintain_order=True).len("tries").sort("tries", descending=True).row(0)
    deferred = rows.filter(pl.col("status") == "deferred").height
    return f"{deferred} of {words.counted(rows.height, 'try', 'tries')} were deferred; the most tries, {most[1]}, were for {most[0]}."
