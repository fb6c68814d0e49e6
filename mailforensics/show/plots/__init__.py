"""Pictures: functions that take tables and return matplotlib Axes, each with its finding as words (``alt_text``).

    plots.causes(case.table("deliveries"))        bars, with who must act
    plots.alt_text(axes)                          "5 of 9 failures are full mailboxes."

A table is whatever speaks Arrow: pyarrow, polars, pandas, DuckDB. All take ``ax=`` and draw into it; without it they make
a figure. Colours are those of Okabe and Ito, times local with the offset in the label, and no sign is by colour alone.
"""

from __future__ import annotations

from mailforensics.show.plots.canvas import alt_text
from mailforensics.show.plots.covered import coverage, logins
from mailforensics.show.plots.hops import hop_delays, hop_path
from mailforensics.show.plots.offers import OFFERS, draw
from mailforensics.show.plots.queue import deferrals, delay_parts, queue_length, rhythm
from mailforensics.show.plots.reasons import causes
from mailforensics.show.plots.steps import retries, timeline
from mailforensics.show.plots.verdicts import scores, symbols

__all__ = [
    "OFFERS",
    "alt_text",
    "causes",
    "coverage",
    "deferrals",
    "delay_parts",
    "draw",
    "hop_delays",
    "hop_path",
    "logins",
    "queue_length",
    "retries",
    "rhythm",
    "scores",
    "symbols",
    "timeline",
]
