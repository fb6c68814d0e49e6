"""The browser of findings: from a sentence to the lines, or the header fields, that it stands on."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import ipywidgets
import polars as pl

from mailforensics.evidence.names import source_names
from mailforensics.show import html, sentences
from mailforensics.show.escape import terminal
from mailforensics.show.widgets.shown import WIDE, CaseLike, Shown, call_of

_FINDINGS = 500  # offered for choice
_SOURCE_BITS = 40  # an event_id is source_id << 40 | line number, or the place of a header field in its file
_FOLD = re.compile(r"\r?\n[ \t]+")  # RFC 5322 §2.2.3
_SEVERITIES = ("info", "notice", "warning", "high")


def findings_of(case: CaseLike, severity: str | None = None) -> pl.DataFrame:
    """The findings of a case, the worst first, as a polars frame: ``Case.findings``."""
    return pl.DataFrame(case.findings(severity)).with_columns(pl.col(pl.Categorical, pl.Enum).cast(pl.String))


def lines_of(case: CaseLike, event_ids: Iterable[int], *, around: int = 0) -> list[dict[str, Any]]:
    """The lines that some numbers of ``evidence`` stand for, in order: place, time, text, and whether it was asked for.

    Numbers of log lines give the line (place is source:line), with ``around`` lines before and after it; numbers of
    header fields give the field as it came (place is file:line).
    """
    wanted = set(event_ids)
    names = source_names(case.polars("sources"))
    near = sorted({key + step for key in wanted for step in range(-around, around + 1)})
    events = case.scan("events").filter(pl.col("event_id").is_in(near)).sort("event_id")
    rows = events.select("event_id", "source_id", "line_number", "time", "text").collect().to_dicts()
    rows += _fields(case, wanted - {row["event_id"] for row in rows})
    return [
        {
            "place": sentences.place(
                {"source": names.get(row["source_id"], "unknown source"), "line": row["line_number"]}
            ),
            "time": row["time"],
            "text": row["text"],
            "asked": row["event_id"] in wanted,
        }
        for row in rows
    ]


def _fields(case: CaseLike, wanted: Iterable[int]) -> list[dict[str, Any]]:
    """The header fields among some numbers, as rows like those of events."""
    fields = case.polars("headers").filter(pl.col("event_id").is_in(list(wanted))).sort("event_id")
    return [
        {
            "event_id": row["event_id"],
            "source_id": row["event_id"] >> _SOURCE_BITS,
            "line_number": row["line_number"],
            "time": None,
            "text": _FOLD.sub(" ", row["raw"].decode("utf-8", "backslashreplace").strip()),
        }
        for row in fields.select("event_id", "line_number", "raw").to_dicts()
    ]


def findings_browser(case: CaseLike) -> ipywidgets.VBox:
    """The findings of a case to choose from, and the lines that the chosen one stands on.

    The plain functions are ``Case.findings`` and :func:`lines_of`.
    """
    least = ipywidgets.Dropdown(options=_SEVERITIES, value="info", description="At least")
    around = ipywidgets.BoundedIntText(
        value=0, min=0, max=50, description="Lines around", style={"description_width": "initial"}
    )
    choice = ipywidgets.Select(options=[], description="Findings", rows=10, index=None, layout=WIDE)
    shown = Shown()
    found: list[dict[str, Any]] = []

    def offer(_: Any = None) -> None:
        found[:] = findings_of(case, least.value).head(_FINDINGS).to_dicts()
        choice.options = [terminal(f"{row['severity']}: {row['sentence']}")[:200] for row in found]
        choice.index = None
        shown.say("Choose a finding." if found else f"Nothing is {least.value} or worse.")

    def show(_: Any = None) -> None:
        if choice.index is not None:
            one = found[choice.index]
            asked = {"around": around.value} if around.value else {}
            call = call_of("mf.widgets.lines_of", _Case(), one["evidence"] or [], **asked)
            shown.answer(lambda: _finding_html(case, one, around.value), call)

    least.observe(offer, names="value")
    around.observe(show, names="value")
    choice.observe(show, names="index")
    offer()
    return ipywidgets.VBox([ipywidgets.HBox([least, around]), choice, shown.widget])


class _Case:
    """Stands for the case in a call that is shown."""

    def __repr__(self) -> str:
        return "case"


def _finding_html(case: CaseLike, row: Mapping[str, Any], around: int) -> str:
    lines = lines_of(case, row["evidence"] or [], around=around)
    return html.lines({"finding": row, "lines": lines, "zone": case.zone})
