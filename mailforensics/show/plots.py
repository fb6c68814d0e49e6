"""Pictures that return matplotlib Axes: Okabe-Ito colours, local time, no sign by colour alone, an alt text for each.

Titles and labels may hold what strangers wrote: they pass the door of :mod:`mailforensics.show.escape` and are drawn
with ``parse_math=False``, for matplotlib would take ``$`` for a formula.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any

from mailforensics.show import sentences, words
from mailforensics.show.escape import terminal

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Text

INK, QUIET, ACCENT = "#333333", "#999999", "#0072B2"  # accent: Okabe-Ito blue
_LABEL_CHARACTERS = 60


def timeline(journey: Mapping[str, Any], *, zone: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw the steps of one journey, a lane per host and program, the waits between them as thin lines.

    ``journey`` is one of ``Trace.to_dict()["journeys"]``; time runs along the x axis in that zone. The Axes carry the
    finding as words: ``ax.figure.get_label()`` is the alt text.
    """
    import matplotlib.pyplot as plt

    axes = ax if ax is not None else plt.subplots(figsize=(9, 3.2), layout="constrained")[1]
    where = words.zone_of(zone)
    steps = [
        (when, step)
        for step in journey.get("timeline") or []
        if (when := words.moment(step.get("time"), where))
    ]
    if not steps:
        _plain(axes.set_title("No step with a time"))
        return axes
    begun = steps[0][0]
    lanes = list(dict.fromkeys(_lane(step) for _, step in steps))
    across = [(when - begun).total_seconds() for when, _ in steps]
    down = [lanes.index(_lane(step)) for _, step in steps]
    axes.plot(across, down, color=QUIET, linewidth=1, zorder=1)
    axes.scatter(across, down, color=ACCENT, edgecolor="white", s=55, zorder=2)
    _name_waits(axes, across, down, steps)
    _name_lanes(axes, lanes)
    _name_times(axes, begun, max(across) - min(across), where)
    axes.figure.set_label(alt_text(journey))
    title = f"{journey.get('subject') or journey.get('message_id') or 'One mail'}: {sentences.fates(journey)}"
    _plain(axes.set_title(f"{_short(title)} ({words.counted(len(steps), 'step')})", loc="left"))
    return axes


def alt_text(journey: Mapping[str, Any]) -> str:
    """The finding of a timeline as words.

    >>> alt_text({"outcomes": [{"recipient": "bob@example.org", "outcome": "bounced"}],
    ...           "timeline": [{"wait_s": None}, {"wait_s": 4.0, "host": "mail", "program": "smtp"}]})
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
    return terminal(" ".join(fates))


def _lane(step: Mapping[str, Any]) -> str:
    return _short(f"{step.get('host') or 'host unknown'}  {step.get('program') or ''}")


def _short(text: str) -> str:
    shown = terminal(text)
    return shown if len(shown) <= _LABEL_CHARACTERS else shown[: _LABEL_CHARACTERS - 1] + "…"


def _name_waits(
    axes: Axes,
    across: Sequence[float],
    down: Sequence[int],
    steps: Sequence[tuple[datetime, Mapping[str, Any]]],
) -> None:
    """Write the wait at each line that is long enough to be seen."""
    whole = max(across) - min(across)
    for at in range(1, len(steps)):
        gone = across[at] - across[at - 1]
        if whole and abs(gone) >= whole / 12:
            middle = ((across[at] + across[at - 1]) / 2, (down[at] + down[at - 1]) / 2)
            said = words.duration(gone)
            _plain(
                axes.annotate(
                    said, middle, (0, 4), textcoords="offset points", ha="center", color=INK, fontsize=8
                )
            )


def _name_lanes(axes: Axes, lanes: Sequence[str]) -> None:
    axes.set_yticks(range(len(lanes)))
    for label in axes.set_yticklabels(lanes):
        _plain(label)
    axes.set_ylim(len(lanes) - 0.5, -0.5)
    axes.grid(axis="y", color="#e5e5e5", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)


def _name_times(axes: Axes, begun: datetime, whole: float, zone: tzinfo) -> None:
    def local(seconds: float, _position: float) -> str:
        when = (begun + timedelta(seconds=seconds)).astimezone(zone)
        if whole < 10:
            return f"{when:%S}.{when.microsecond // 100_000} s"
        return f"{when:%H:%M:%S}" if whole < 600 else f"{when:%H:%M}"

    axes.xaxis.set_major_formatter(local)
    axes.locator_params(axis="x", nbins=7)
    axes.set_xlabel(f"{words.day(begun, zone)} {begun:%H:%M}, local time {words.offset(begun)}")


def _plain(text: Text) -> None:
    text.set_parse_math(False)
