"""The search: known addresses while one types, a stretch of time, and the trace of what is found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

import ipywidgets
import polars as pl

from mailforensics.show import html, sentences, words
from mailforensics.show.escape import terminal
from mailforensics.show.widgets.shown import WIDE, CaseLike, Shown, asked_by, call_of

_OFFERED = 50  # at a time, for completion
_JOURNEYS = 200  # offered for choice
_STOPS = 96  # of the slider of time
_STEPS = tuple(timedelta(minutes=it) for it in (1, 5, 15, 60, 360, 1440, 7 * 1440, 30 * 1440))


def search(case: CaseLike) -> ipywidgets.VBox:
    """A search for mail with the addresses of the case for completion, a stretch of time, and the trace of what is found.

    The plain function is ``Case.trace``.
    """
    known = addresses(case)
    wide = {"width": "28rem"}
    asked = {
        "to": _address("To", known, "bob@example.org"),
        "sender": _address("From", known, "alex@example.com"),
        "subject": ipywidgets.Text(description="Subject", layout=wide),
        "since": ipywidgets.Text(description="Since", placeholder="10:00 or 2026-03-02 10:00", layout=wide),
        "until": ipywidgets.Text(description="Until", layout=wide),
    }
    slider = _slider(case, asked["since"], asked["until"])
    button = ipywidgets.Button(description="Search", button_style="primary")
    choice = ipywidgets.Select(options=[], description="Found", rows=6, layout=WIDE)
    shown = Shown()
    found: list[Any] = []

    def ask() -> None:
        question = {name: field.value.strip() for name, field in asked.items() if field.value.strip()}
        shown.answer(lambda: _search_html(case, question, found, choice), call_of("case.trace", **question))

    def choose(change: Mapping[str, Any]) -> None:
        if found and change["new"] is not None:
            call = call_of("case.trace", **found[1]) + f".journeys[{change['new']}]"
            shown.answer(lambda: _journey_html(found[0], change["new"]), call)

    asked_by(button, [*asked.values()], ask)
    choice.observe(choose, names="index")
    return ipywidgets.VBox([*asked.values(), *slider, button, choice, shown.widget])


def _address(description: str, known: pl.Series, example: str) -> ipywidgets.Combobox:
    """A field that offers the known addresses that hold what was typed so far."""
    field = ipywidgets.Combobox(
        description=description, options=suggestions(known), placeholder=example, layout={"width": "28rem"}
    )

    def offer(change: Mapping[str, Any]) -> None:
        field.options = suggestions(known, change["new"])

    if len(known) > _OFFERED:
        field.observe(offer, names="value")
    return field


def _slider(case: CaseLike, since: ipywidgets.Text, until: ipywidgets.Text) -> list[ipywidgets.Widget]:
    """A slider over the time that the evidence covers, which fills the two fields; none where no time is known."""
    zone = words.zone_of(case.zone)
    times = case.scan("events").select(begun=pl.col("time").min(), ended=pl.col("time").max()).collect()
    begun, ended = times.row(0)
    if begun is None or begun == ended:
        return []
    places = stops(begun, ended, zone)
    slider = ipywidgets.SelectionRangeSlider(
        options=[(f"{when:%Y-%m-%d %H:%M}", when) for when in places], index=(0, len(places) - 1),
        description="Between", continuous_update=False, readout=False, layout=WIDE,
    )  # fmt: skip

    def fill(_: Any) -> None:
        first, last = slider.index
        since.value = "" if first == 0 else f"{places[first]:%Y-%m-%d %H:%M}"
        until.value = "" if last == len(places) - 1 else f"{places[last]:%Y-%m-%d %H:%M}"

    slider.observe(fill, names="index")
    return [slider]


def stops(begun: datetime, ended: datetime, zone: tzinfo) -> list[datetime]:
    """Round local times from before the first moment to after the last, at most about a hundred.

    >>> from datetime import UTC
    >>> [f"{it:%H:%M}" for it in stops(datetime(2026, 3, 2, 9, 2, tzinfo=UTC), datetime(2026, 3, 2, 9, 4, tzinfo=UTC), UTC)]
    ['09:02', '09:03', '09:04', '09:05']
    """
    step = next((it for it in _STEPS if (ended - begun) / it <= _STOPS), None) or (ended - begun) / _STOPS
    first = begun.astimezone(zone)
    at = first.replace(second=0, microsecond=0)
    midnight = first.replace(hour=0, minute=0, second=0, microsecond=0)
    at -= (at - midnight) % step
    places = [at]
    while places[-1] <= ended:
        places.append(places[-1] + step)
    return places


def _search_html(
    case: CaseLike, question: dict[str, str], found: list[Any], choice: ipywidgets.Select
) -> str:
    answer = case.trace(**question)
    found.clear()
    zone = words.zone_of(case.zone)
    rows = answer.found.head(_JOURNEYS).to_dicts()
    choice.options = [
        terminal(f"{words.short(row['first_time'], zone)}  {sentences.route(row)}  {sentences.fates(row)}")[
            :160
        ]
        for row in rows
    ]
    found += [answer, question]
    return str(answer._repr_html_()) if len(answer) <= 1 else _journey_html(answer, 0)


def _journey_html(answer: Any, index: int) -> str:
    told = answer.to_dict()
    return html.trace(told | {"journeys": told["journeys"][index : index + 1]})


def addresses(case: CaseLike) -> pl.Series:
    """The addresses of a case, the most frequent first: recipients of deliveries and envelope senders of messages."""
    columns = (("deliveries", "recipient"), ("messages", "sender"))
    names = pl.concat([case.polars(table).select(address=column) for table, column in columns])
    counted = names.drop_nulls().filter(pl.col("address") != "").group_by("address").len("number")
    return counted.sort("number", "address", descending=[True, False])["address"]


def suggestions(known: pl.Series | Sequence[str], part: str = "", *, most: int = _OFFERED) -> list[str]:
    """The first of the known addresses that hold that part, in whatever case, as visible text.

    >>> suggestions(["bob@example.org", "bella@example.org"], "BE")
    ['bella@example.org']
    """
    names = pl.Series(known, dtype=pl.String)
    fitting = names.filter(names.str.to_lowercase().str.contains(part.strip().lower(), literal=True))
    return [terminal(address) for address in fitting.head(most)]
