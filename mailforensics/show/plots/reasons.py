"""Why mail was refused, returned or kept waiting, and who must act."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from mailforensics.show import words
from mailforensics.show.plots.canvas import (
    BLUE,
    SKY,
    axes_for,
    finish,
    frame_of,
    name_rows,
    nothing,
    tall,
    whole_numbers,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ACTORS = {"us": "we act", "sender": "the sender acts", "recipient": "the recipient acts",
           "remote": "the other server's operator acts", "nobody": "nobody need act"}  # fmt: skip


def causes(table: Any, *, most: int = 15, ax: Axes | None = None) -> Axes:
    """Draw the causes of failures as bars, the most frequent on top; plain bars wait (soft), hatched ones are final (hard).

    ``table`` is deliveries or rejects; rows without a cause (mail that was delivered) are left out.
    """
    rows = frame_of(table, "cause", "who_acts", "permanence").drop_nulls("cause")
    counted = rows.group_by("cause").agg(
        number=pl.len(),
        hard=(pl.col("permanence") == "hard").sum(),
        who=pl.col("who_acts").drop_nulls().mode().sort().first(),
    )
    counted = counted.sort("number", "cause", descending=[True, False])
    shown = counted.head(most)
    axes = axes_for(ax, height=tall(shown.height))
    if not shown.height:
        return nothing(axes, "No failure with a cause")
    soft = shown["number"] - shown["hard"]
    axes.barh(range(shown.height), shown["hard"], color=BLUE, hatch="///", edgecolor="white", height=0.65)
    axes.barh(range(shown.height), soft, left=shown["hard"], color=SKY, height=0.65)
    for at, row in enumerate(shown.to_dicts()):
        who = _ACTORS.get(row["who"], f"{row['who'] or 'who must act is not known'}")
        write(axes, row["number"], at, f"{row['number']}  {who}")
    name_rows(axes, [str(cause).replace("_", " ") for cause in shown["cause"]])
    axes.set_xlabel("rows: hatched final, plain for now")
    whole_numbers(axes.xaxis)
    axes.margins(x=0.35)
    top = shown.row(0, named=True)
    more = "" if shown.height == counted.height else f", {shown.height} of {counted.height} causes shown"
    said = f"{top['number']} of {words.counted(rows.height, 'failure')} are {str(top['cause']).replace('_', ' ')}."
    return finish(axes, f"Why ({words.counted(rows.height, 'failure')}{more})", said)
