"""What all pictures share: colours, plain text, local time, honest thinning, and the finding as words.

Titles and labels may hold what strangers wrote: they pass the door of :mod:`mailforensics.show.escape` and are drawn with
``parse_math=False``, for matplotlib would take ``$`` for a formula.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

import polars as pl

from mailforensics.errors import OptionError
from mailforensics.show import words
from mailforensics.show.escape import terminal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.text import Text

# Okabe and Ito: one accent per picture, the others only where signs or hatches tell the same.
INK, QUIET, FAINT = "#333333", "#767676", "#e5e5e5"
BLUE, SKY, ORANGE, GREEN, VERMILLION = "#0072B2", "#56B4E9", "#E69F00", "#009E73", "#D55E00"
POINTS = 2000  # more than these are thinned
_LABEL_CHARACTERS = 60


def frame_of(table: Any, *columns: str) -> pl.DataFrame:
    """Whatever speaks Arrow (pyarrow, polars, pandas, DuckDB) as a polars frame, closed vocabularies as text.

    Raises :class:`OptionError` when a column that the picture needs is missing.

    >>> frame_of({"a": [1]}, "a").height
    1
    """
    frame = table.collect() if isinstance(table, pl.LazyFrame) else pl.DataFrame(table)
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise OptionError(
            f"This picture needs the column {missing[0]!r}; the table has {', '.join(frame.columns)}."
        )
    return frame.with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


def axes_for(ax: Axes | None, *, height: float = 3.2) -> Axes:
    """The Axes given, or new ones in a figure of the usual width."""
    if ax is not None:
        return ax
    import matplotlib.pyplot as plt

    axes: Axes = plt.subplots(figsize=(9, height), layout="constrained")[1]
    return axes


def tall(rows: int) -> float:
    """The height of a figure of bars with so many rows, in inches."""
    return min(1.6 + 0.34 * rows, 12)


def finish(axes: Axes, title: str, alt: str) -> Axes:
    """Give the Axes their title and the finding as words, and take the frame lines away."""
    plain(axes.set_title(short(title, 90), loc="left", fontsize=11))
    said = terminal(alt)
    axes.set_label(said)
    axes.figure.set_label(said)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.set_axisbelow(True)
    return axes


def nothing(axes: Axes, why: str) -> Axes:
    """Axes that say why nothing is drawn."""
    axes.set_axis_off()
    return finish(axes, why, why)


def alt_text(axes: Axes) -> str:
    """The finding of a picture as words, for those who do not see it and for reports.

    >>> from matplotlib.figure import Figure
    >>> alt_text(nothing(Figure().subplots(), "No delivery here."))
    'No delivery here.'
    """
    return str(axes.get_label())


def plain(text: Text) -> Text:
    """Text that is drawn as it is, dollar signs included."""
    text.set_parse_math(False)
    return text


def short(value: Any, characters: int = _LABEL_CHARACTERS) -> str:
    """A value as one line of visible text, cut in the end where it is long."""
    shown = terminal(value)
    return shown if len(shown) <= characters else shown[: characters - 1] + "…"


def write(axes: Axes, x: float, y: float, said: str, **options: Any) -> None:
    """Write words into the picture at a place of its data."""
    shift = options.pop("shift", (4, 0))
    style: dict[str, Any] = {"color": INK, "fontsize": 8, "va": "center"} | options
    plain(axes.annotate(short(said, 90), (x, y), shift, textcoords="offset points", **style))


def name_rows(axes: Axes, names: Sequence[Any]) -> None:
    """Name the rows of a picture, the first on top."""
    axes.set_yticks(range(len(names)))
    for label in axes.set_yticklabels([short(name, 44) for name in names]):
        plain(label)
    axes.set_ylim(len(names) - 0.5, -0.5)


def name_columns(axes: Axes, places: Iterable[float], names: Sequence[Any]) -> None:
    """Name places along the x axis."""
    axes.set_xticks(list(places))
    for label in axes.set_xticklabels([short(name, 30) for name in names]):
        plain(label)


def local_times(axes: Axes, zone: str | None, around: datetime | None) -> tzinfo:
    """Make the x axis one of local time, with the day and offset in its label."""
    from matplotlib import dates

    where = words.zone_of(zone)
    locator = dates.AutoDateLocator(tz=where, minticks=3, maxticks=8)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    formatter = dates.ConciseDateFormatter(locator, tz=where, show_offset=False)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(formatter)
    when = words.moment(around, where)
    if when:
        axes.set_xlabel(f"{words.day(when, where)}, local time {words.offset(when)}")
    return where


def whole_numbers(axis: Axis) -> None:
    """Let an axis of counts have no ticks between the numbers."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True))


def thinned(
    times: Sequence[Any], values: Sequence[float], limit: int = POINTS
) -> tuple[list[Any], list[float]]:
    """At most about that many points: of each stretch the lowest and the highest, so that no peak is lost.

    >>> thinned(range(10), [0, 1, 9, 1, 0, 0, 1, 0, 5, 0], limit=4)
    ([0, 2, 5, 8], [0, 9, 0, 5])
    """
    if len(times) <= limit:
        return list(times), list(values)
    size = -(-2 * len(times) // limit)
    kept: list[int] = []
    for start in range(0, len(times), size):
        places = range(start, min(start + size, len(times)))
        kept += sorted({min(places, key=values.__getitem__), max(places, key=values.__getitem__)})
    return [times[at] for at in kept], [values[at] for at in kept]
