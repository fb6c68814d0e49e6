"""The pictures that can be drawn of a whole case, by name, each with the table that it takes.

case.plot("causes")                 is plots.causes(case.table("deliveries"))
case.plot("causes", "rejects")      the same of another table
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from mailforensics.errors import OptionError
from mailforensics.show.plots import covered, queue, reasons, steps, verdicts

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Name -> the function, the table that it takes by default, whether it shows local times.
OFFERS: dict[str, tuple[Callable[..., Axes], str, bool]] = {
    "causes": (reasons.causes, "deliveries", False),
    "deferrals": (queue.deferrals, "deliveries", True),
    "delay_parts": (queue.delay_parts, "deliveries", False),
    "logins": (covered.logins, "sessions", False),
    "queue_length": (queue.queue_length, "messages", True),
    "retries": (steps.retries, "deliveries", True),
    "rhythm": (queue.rhythm, "events", True),
    "scores": (verdicts.scores, "scans", False),
}


def draw(name: str, table: str | None, table_of: Callable[[str], Any], zone: str, **options: Any) -> Axes:
    """Draw the picture of that name; ``table_of`` gives a table by its name.

    Raises :class:`OptionError`, naming the pictures there are, for a name that is none.
    """
    if name not in OFFERS:
        raise OptionError(f"There is no picture {name!r}; there are coverage, {', '.join(OFFERS)}.")
    function, usual, timed = OFFERS[name]
    if timed:
        options.setdefault("zone", zone)
    return function(table_of(table or usual), **options)
