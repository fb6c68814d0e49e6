"""How far reading has come: a bar on standard error or in the notebook, called with bytes done and in all.

Reading ━━━━━━━━━━━━━━━━━━━━━━━━━━ 118/245 MB 0:00:09
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Advance = Callable[[int, int], None]


@contextmanager
def bar(wanted: Advance | bool | None = True) -> Iterator[Advance | None]:
    """What to call while reading: a bar for True, nothing for False and None, a function as it is.

    >>> with bar(None) as advance:
    ...     print(advance)
    None
    """
    if not isinstance(wanted, bool):
        yield wanted
        return
    if not wanted:
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("Reading"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    seen = console.is_terminal or console.is_jupyter
    with Progress(*columns, console=console, transient=True, disable=not seen) as shown:
        task = shown.add_task("Reading", total=None)

        def advance(done: int, total: int) -> None:
            shown.update(task, completed=done, total=total)

        yield advance


def at_terminal() -> bool:
    """Whether a bar on standard error would be seen by a person and not land in a file."""
    return sys.stderr.isatty()
