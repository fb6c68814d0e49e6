"""What the filters thought: the spread of scores against their thresholds, and what one score was made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import polars as pl

from mailforensics.show import words
from mailforensics.show.plots.canvas import (
    BLUE,
    INK,
    SKY,
    VERMILLION,
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


def scores(scans: Any, *, bins: int = 30, ax: Axes | None = None) -> Axes:
    """Draw a histogram of the scores; a line per threshold that the verdicts name.

    ``scans`` is that table; verdicts without a finite score are left out and counted in the title.
    """
    rows = frame_of(scans, "score", "required_score")
    known = rows.filter(pl.col("score").is_finite().fill_null(False))
    axes = axes_for(ax)
    if not known.height:
        return nothing(axes, "No verdict with a score")
    axes.hist(known["score"].to_list(), bins=bins, color=SKY, edgecolor="white")
    limits = known["required_score"].drop_nulls().unique().sort().to_list()
    for limit in limits[:5]:
        axes.axvline(limit, color=INK, linestyle="dashed", linewidth=1)
        write(axes, limit, axes.get_ylim()[1] * 0.95, f"threshold {limit:g}")
    axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel("score")
    axes.set_ylabel("verdicts")
    whole_numbers(axes.yaxis)
    over = known.filter(pl.col("score") >= pl.col("required_score")).height
    without = rows.height - known.height
    note = f", {without} without a score left out" if without else ""
    median = float(known["score"].sort()[known.height // 2])
    said = f"{over} of {words.counted(known.height, 'verdict')} reach their threshold; the median score is {median:g}."
    return finish(axes, f"Scores ({words.counted(known.height, 'verdict')}{note})", said)


def symbols(verdict: Any, *, most: int = 20, ax: Axes | None = None) -> Axes:
    """Draw what one score was made of as a waterfall: each symbol's share, the largest first, up to the sum.

    ``verdict`` is one row of scans (a mapping, or a table of one row). Symbols that added nothing are not drawn.
    """
    row = _one_row(verdict)
    told = [(str(it["name"]), float(it["score"])) for it in row.get("symbols") or [] if it.get("score")]
    told.sort(key=lambda it: (-abs(it[1]), it[0]))
    shown = [*told[:most], *_rest(told[most:])]
    axes = axes_for(ax, height=tall(len(shown) + 1))
    if not shown:
        return nothing(axes, "No symbol added to the score")
    ends = list(accumulate(score for _, score in shown))
    starts = [0.0, *ends[:-1]]
    for at, ((_, score), start) in enumerate(zip(shown, starts, strict=True)):
        axes.barh(at, score, left=start, color=VERMILLION if score > 0 else BLUE, hatch="" if score > 0 else "///",
                  edgecolor="white", height=0.65)  # fmt: skip
        write(axes, max(start, start + score), at, f"{score:+g}")
    axes.barh(len(shown), ends[-1], color="#767676", height=0.65)
    write(axes, max(ends[-1], 0), len(shown), f"{ends[-1]:g}")
    name_rows(axes, [*(name for name, _ in shown), "sum"])
    axes.axvline(0, color=INK, linewidth=1)
    _threshold(axes, row.get("required_score"))
    axes.set_xlabel("score: plain adds, hatched takes away")
    axes.margins(x=0.15)
    return finish(
        axes, f"What the score is made of ({words.counted(len(told), 'symbol')})", _symbol_words(row, told)
    )


def _one_row(verdict: Any) -> Mapping[str, Any]:
    if isinstance(verdict, Mapping):
        return verdict
    return frame_of(verdict, "symbols").row(0, named=True)


def _rest(told: Sequence[tuple[str, float]]) -> list[tuple[str, float]]:
    return [(f"{len(told)} more", sum(score for _, score in told))] if told else []


def _threshold(axes: Axes, limit: Any) -> None:
    if isinstance(limit, int | float):
        axes.axvline(limit, color=INK, linestyle="dashed", linewidth=1)
        write(axes, limit, 0, f"threshold {limit:g}")


def _symbol_words(row: Mapping[str, Any], told: Sequence[tuple[str, float]]) -> str:
    score, limit = row.get("score"), row.get("required_score")
    whole = f"{score:g}" if isinstance(score, int | float) else f"{sum(it for _, it in told):g}"
    of = f" of {limit:g}" if isinstance(limit, int | float) else ""
    return f"Score {whole}{of}; the largest share is {told[0][0]} with {told[0][1]:+g}."
