"""What all widgets share: the place where an answer appears, and what they need of a case.

An answer is HTML of ours or, where the question was refused, the sentence of the error. Beneath it stands the call that
gives the same in a cell.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import ipywidgets
import polars as pl
import pyarrow as pa

from mailforensics.errors import MailforensicsError
from mailforensics.show import html

WIDE = {"width": "auto"}
_LATE = 3.0  # seconds after an answer within which a letter counts as typed before the click that overtook it


class CaseLike(Protocol):
    """What the widgets need of a case."""

    @property
    def zone(self) -> str: ...
    def polars(self, name: str) -> pl.DataFrame: ...
    def table(self, name: str) -> pa.Table: ...
    def scan(self, name: str) -> pl.LazyFrame: ...
    def trace(self, **question: Any) -> Any: ...
    def findings(self, severity: str | None = None) -> pa.Table: ...
    def summary(self) -> dict[str, Any]: ...


class Shown:
    """The place of the answer: HTML of ours, or the sentence of an error."""

    def __init__(self) -> None:
        self.widget = ipywidgets.HTML(layout=WIDE)

    def answer(self, make: Callable[[], str], call: str = "") -> None:
        """Show what ``make`` gives and the ``call`` that gives the same; what it refuses is shown as a sentence."""
        try:
            self.widget.value = make() + (html.same_in_a_cell(call) if call else "")
        except MailforensicsError as error:
            self.say(str(error))

    def say(self, sentence: str) -> None:
        """Show one sentence."""
        self.widget.value = html.says(sentence)


def call_of(name: str, *positional: Any, **named: Any) -> str:
    """A call as one writes it in a cell.

    >>> call_of("case.trace", to="bob@example.org")
    "case.trace(to='bob@example.org')"
    """
    return f"{name}({', '.join([*map(repr, positional), *(f'{key}={value!r}' for key, value in named.items())])})"


def asked_by(button: ipywidgets.Button, fields: Sequence[ipywidgets.Widget], ask: Callable[[], None]) -> None:
    """Ask when the button is pressed, and once more when the last letters come in behind the click that overtook them."""
    pressed = [float("-inf")]

    def press(_: Any) -> None:
        ask()
        pressed[0] = time.monotonic()

    def typed(_: Mapping[str, Any]) -> None:
        if time.monotonic() - pressed[0] < _LATE:
            ask()

    button.on_click(press)
    for field in fields:
        field.observe(typed, names="value")
