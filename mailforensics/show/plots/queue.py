"""The queue: where the delays of deliveries come from, how long the queue is, when and where mail waits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mailforensics.show import words
from mailforensics.show.plots.canvas import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    ORANGE,
    POINTS,
    SKY,
    axes_for,
    finish,
    frame_of,
    local_times,
    name_columns,
    name_rows,
    nothing,
    plain,
    short,
    tall,
    thinned,
    whole_numbers,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Postfix's four parts of a delay (delays=a/b/c/d); the first holds the waits between tries too. The hatches tell them apart in grey.
PARTS = (
    ("delay_before_queue_s", "before this try", ORANGE, None),
    ("delay_in_queue_s", "in the queue", BLUE, "..."),
    ("delay_connect_s", "connecting", SKY, "///"),
    ("delay_transmit_s", "sending", GREEN, "xxx"),
)
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def delay_parts(
    deliveries: Any, *, by: str = "recipient_domain", most: int = 15, ax: Axes | None = None
) -> Axes:
    """Draw the mean delay of deliveries in its four parts, a bar per destination, the slowest first.

    ``deliveries`` is that table; ``by`` is the column that names the destination (relay_name, say).
    """
    names = [name for name, *_ in PARTS]
    rows = frame_of(deliveries, by, *names).drop_nulls(names)
    means = rows.group_by(by).agg(*(pl.col(name).mean() for name in names), tries=pl.len())
    means = means.with_columns(whole=pl.sum_horizontal(names)).sort("whole", by, descending=[True, False])
    shown = means.head(most)
    axes = axes_for(ax, height=tall(shown.height) + 0.4)
    if not shown.height:
        return nothing(axes, "No delivery tells the parts of its delay")
    left = pl.Series([0.0] * shown.height)
    for name, word, colour, hatch in PARTS:
        axes.barh(range(shown.height), shown[name], left=left, color=colour, hatch=hatch, label=word,
                  edgecolor="white", height=0.65)  # fmt: skip
        left = left + shown[name]
    for at, row in enumerate(shown.to_dicts()):
        write(
            axes,
            row["whole"],
            at,
            f"{words.duration(row['whole'])} ({words.counted(row['tries'], 'try', 'tries')})",
        )
    name_rows(axes, [row or "(no domain)" for row in shown[by]])
    axes.set_xlabel("mean seconds per try")
    axes.margins(x=0.2)
    # beneath the axis: above it, it would stand on the title
    axes.legend(ncols=4, frameon=False, loc="upper left", bbox_to_anchor=(0, -0.14), fontsize=8)
    title = f"Where the time went ({words.counted(rows.height, 'try', 'tries')}{_of(shown, means)})"
    return finish(axes, title, _delay_words(shown.to_dicts()[0], by))


def _of(shown: pl.DataFrame, whole: pl.DataFrame) -> str:
    return "" if shown.height == whole.height else f", {shown.height} of {whole.height} shown"


def _delay_words(row: dict[str, Any], by: str) -> str:
    name, word = max(((name, word) for name, word, *_ in PARTS), key=lambda part: float(row[part[0]]))
    share = words.share(round(row[name] * 1000), round(row["whole"] * 1000))
    return f"Slowest is {row[by]}: {words.duration(row['whole'])} in the mean, {share} of it {word}."


def queue_length(messages: Any, *, zone: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw how many messages were in the queue over time, per queue entry from its first line to its removal.

    ``messages`` is that table. An entry whose removal is not in the evidence counts until its end.
    """
    rows = frame_of(messages, "queued_time", "removed_time").with_columns(
        begun=pl.coalesce(*(name for name in ("received_time", "queued_time") if name in _columns(messages)))
    )
    rows = rows.drop_nulls("begun")
    axes = axes_for(ax)
    if not rows.height:
        return nothing(axes, "No queue entry with a time")
    ends = rows.select(time="removed_time", step=pl.lit(-1)).drop_nulls()
    moves = pl.concat([rows.select(time="begun", step=pl.lit(1)), ends]).sort(
        "time", "step", descending=[False, True]
    )
    moves = moves.with_columns(length=pl.col("step").cum_sum())
    times, lengths = thinned(moves["time"].to_list(), moves["length"].to_list())
    axes.step(times, lengths, where="post", color=BLUE)
    axes.fill_between(times, lengths, step="post", color=SKY, alpha=0.35)
    local_times(axes, zone, moves["time"][0])
    axes.set_ylabel("messages in the queue")
    axes.set_ylim(bottom=0)
    whole_numbers(axes.yaxis)
    longest = moves.sort("length", descending=True).row(0, named=True)
    note = f", {POINTS} points shown" if len(times) < moves.height else ""
    left = rows.height - ends.height
    said = f"At most {words.counted(longest['length'], 'message')} at once, first at {words.short(longest['time'], words.zone_of(zone))}."
    end = (
        f" {words.counted(left, 'entry', 'entries')} had not left at the end of the evidence." if left else ""
    )
    return finish(axes, f"The queue ({words.counted(rows.height, 'entry', 'entries')}{note})", said + end)


def _columns(table: Any) -> list[str]:
    return frame_of(table).columns


def deferrals(deliveries: Any, *, zone: str | None = None, most: int = 12, ax: Axes | None = None) -> Axes:
    """Draw each deferral over time, a row per destination, those with the most on top; the size tells how many.

    ``deliveries`` is that table; needs time, status and recipient_domain.
    """
    rows = frame_of(deliveries, "time", "status", "recipient_domain").filter(pl.col("status") == "deferred")
    rows = rows.drop_nulls("time")
    counted = (
        rows.group_by("recipient_domain")
        .len("number")
        .sort("number", "recipient_domain", descending=[True, False])
    )
    names = counted["recipient_domain"].head(most).to_list()
    axes = axes_for(ax, height=tall(len(names)))
    if not names:
        return nothing(axes, "No deferral")
    span = (rows["time"].max() - rows["time"].min()).total_seconds()  # type: ignore[operator, union-attr]
    every = f"{max(round(span / 200), 1)}s"
    grouped = rows.group_by("recipient_domain", pl.col("time").dt.truncate(every)).len("number").sort("time")
    for at, name in enumerate(names):
        mine = grouped.filter(pl.col("recipient_domain").eq_missing(pl.lit(name)))
        sizes = [30 + 12 * number for number in mine["number"]]
        axes.scatter(mine["time"].to_list(), [at] * mine.height, s=sizes, color=BLUE, alpha=0.6, marker="D")
    name_rows(axes, [f"{name or '(no domain)'}  {number}" for name, number in counted.head(most).rows()])
    axes.grid(axis="y", color=FAINT)
    local_times(axes, zone, rows["time"].min())  # type: ignore[arg-type]
    first = counted.row(0)
    said = f"{first[1]} of {words.counted(rows.height, 'deferral')} are for {first[0] or 'no domain'}."
    return finish(axes, f"Deferrals per destination ({words.counted(rows.height, 'deferral')})", said)


def rhythm(table: Any, *, time: str = "time", zone: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw how many rows of any table fall on each hour of each weekday, in local time; the numbers stand in the cells.

    ``time`` is the column with the times (start_time of sessions, say).
    """
    rows = frame_of(table, time).drop_nulls(time)
    axes = axes_for(ax, height=3.6)
    if not rows.height:
        return nothing(axes, "No row with a time")
    local = pl.col(time).dt.convert_time_zone(str(words.zone_of(zone)))
    counted = rows.group_by(day=local.dt.weekday() - 1, hour=local.dt.hour()).len("number")
    grid = [[0] * 24 for _ in _DAYS]
    for day, hour, number in counted.rows():
        grid[day][hour] = number
    top = max(map(max, grid))
    axes.imshow(grid, cmap="Blues", aspect="auto", vmin=0, vmax=top)
    for day, hour, number in counted.rows():
        ink = "white" if number > top * 0.6 else INK
        plain(axes.text(hour, day, short(number, 6), ha="center", va="center", fontsize=7, color=ink))
    name_rows(axes, _DAYS)
    name_columns(axes, range(0, 24, 3), [f"{hour:02d}:00" for hour in range(0, 24, 3)])
    day, hour, number = counted.sort("number", "day", "hour", descending=[True, False, False]).row(0)
    axes.set_xlabel(f"hour of the day, {words.zone_of(zone)}")
    said = f"The busiest hour is {_DAYS[day]} {hour:02d}:00 with {number} of {words.counted(rows.height, 'row')}."
    return finish(axes, f"Hour and weekday ({words.counted(rows.height, 'row')})", said)
