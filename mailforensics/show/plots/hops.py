"""The way of a message as its Received fields tell it: the path with trust and TLS, and the wait at each hop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mailforensics.errors import OptionError
from mailforensics.show import words
from mailforensics.show.plots.canvas import (
    BLUE,
    INK,
    QUIET,
    SKY,
    VERMILLION,
    axes_for,
    finish,
    frame_of,
    name_rows,
    nothing,
    tall,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_NEEDED = (
    "hop",
    "by_name",
    "from_name",
    "from_helo",
    "from_ip",
    "delay_s",
    "trust",
    "tls_version",
    "with_protocol",
)


def hop_path(hops: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the path of one message from the sender (top) to the mailbox: ● written by a server of ours, ○ claimed.

    ``hops`` is that table for one message. Beside each line stand the wait, the protocol and TLS. Raises
    :class:`OptionError` for the hops of several messages.
    """
    rows = _one_message(hops)
    axes = axes_for(ax, height=tall(2 * rows.height))
    if not rows.height:
        return nothing(axes, "No Received field: nothing tells which way it came")
    told = rows.to_dicts()
    places = [_first(told[0]), *(str(row["by_name"] or "(no name)") for row in told)]
    ours = [False, *(row["trust"] in ("ours", "trusted") for row in told)]
    for at, row in enumerate(told):
        claimed = not ours[at + 1]
        colour, style = (QUIET, "dashed") if claimed else (BLUE, "solid")
        axes.plot([0, 0], [at, at + 1], color=colour, linestyle=style, linewidth=2, zorder=1)
        late = (row["delay_s"] or 0) < 0
        write(axes, 0, at + 0.5, _edge(row), shift=(12, 0), color=VERMILLION if late else QUIET)
    axes.scatter([0] * len(places), range(len(places)), s=90, zorder=2, edgecolor=BLUE,
                 color=[BLUE if mine else "white" for mine in ours])  # fmt: skip
    for at, place in enumerate(places):
        write(axes, 0, at, place, shift=(12, 0), fontsize=10, color=INK)
    _draw_border(axes, ours)
    axes.set_ylim(len(places) - 0.5, -0.5)
    axes.set_xlim(-0.3, 6)
    axes.set_axis_off()
    title = f"From the sender to the mailbox: ● ours, ○ claimed ({words.counted(rows.height, 'hop')})"
    return finish(axes, title, _path_words(rows))


def _one_message(hops: Any) -> pl.DataFrame:
    rows = frame_of(hops, *_NEEDED)
    if "document_id" in rows.columns and rows["document_id"].n_unique() > 1:
        raise OptionError(
            "These are the hops of several messages: filter the table by one document_id first."
        )
    return rows.sort("hop")


def _first(row: dict[str, Any]) -> str:
    """The client that the first server took it from."""
    name = row["from_name"] or row["from_helo"]
    address = f" [{row['from_ip']}]" if row["from_ip"] else ""
    return f"{name or 'the sender'}{address}"


def _edge(row: dict[str, Any]) -> str:
    wait = row["delay_s"]
    clock = " (clocks disagree)" if (wait or 0) < 0 else ""
    said = "" if wait is None else words.duration(wait) + clock
    return "  ".join(part for part in (said, row["with_protocol"], row["tls_version"]) if part)


def _draw_border(axes: Axes, ours: list[bool]) -> None:
    """The line below which our own servers wrote, where claimed hops stand above it."""
    first = next((at for at, mine in enumerate(ours) if mine), None)
    if first is not None and first > 1:
        axes.axhline(first - 0.25, color=INK, linewidth=1.2)
        write(axes, 4, first - 0.25, "our border: what is above is claimed", shift=(0, 5))


def _path_words(rows: pl.DataFrame) -> str:
    claimed = rows.filter(~pl.col("trust").is_in(["ours", "trusted"]).fill_null(False)).height
    longest = rows.drop_nulls("delay_s").sort("delay_s", descending=True).head(1).to_dicts()
    said = f"{words.counted(rows.height, 'hop')}, {claimed} of them only claimed."
    if longest and longest[0]["delay_s"] > 0:
        said += (
            f" The longest wait is {words.duration(longest[0]['delay_s'])}, before {longest[0]['by_name']}."
        )
    back = rows.filter(pl.col("delay_s") < 0).height
    return said + (f" {words.counted(back, 'hop')} run backwards in time: a clock is wrong." if back else "")


def hop_delays(hops: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the wait before each hop of one message as bars from zero; negative waits go to the left, hatched.

    ``hops`` is that table for one message. A hop without a time has no bar and says so.
    """
    rows = _one_message(hops)
    axes = axes_for(ax, height=tall(rows.height))
    if not rows.height:
        return nothing(axes, "No Received field: nothing tells how long it took")
    names = [f"{row['hop']}  {row['by_name'] or '(no name)'}" for row in rows.to_dicts()]
    for at, wait in enumerate(rows["delay_s"].to_list()):
        back = (wait or 0) < 0
        axes.barh(at, wait or 0, color=VERMILLION if back else SKY, hatch="///" if back else None, height=0.6)
        said = "first" if at == 0 and wait is None else "no time" if wait is None else words.duration(wait)
        write(axes, max(wait or 0, 0), at, said)
    axes.axvline(0, color=INK, linewidth=1)
    name_rows(axes, names)
    axes.set_xlabel("seconds since the hop before")
    axes.margins(x=0.15)
    return finish(axes, f"Wait before each hop ({words.counted(rows.height, 'hop')})", _path_words(rows))
