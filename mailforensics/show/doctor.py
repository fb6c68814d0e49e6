"""What works here: Python, the libraries, the extras, a browser, Jupyter; each lack with the way to mend it.

Python        works    3.11.7
jupyterlab    lacks    not installed: pip install 'mailforensics-notebooks[lab]'
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import sys
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from mailforensics.show.escape import terminal

DISTRIBUTION = "mailforensics-notebooks"
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "firefox")
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?[^;]*(?:;(.*))?")
_EXTRA = re.compile(r"extra == ['\"]([A-Za-z0-9._-]+)['\"]")


def examine() -> Iterator[dict[str, Any]]:
    """One row per thing looked at: what, works (bool), detail, and for extras which one.

    >>> next(examine())["what"]
    'Python'
    """
    enough = sys.version_info >= (3, 11)
    yield _row("Python", enough, sys.version.split()[0] + ("" if enough else ": 3.11 or later is needed"))
    for name, extra in _requirements():
        yield _library(name, extra)
    browser = next((path for path in map(shutil.which, _BROWSERS) if path), None)
    yield _row("browser", bool(browser), browser or "none found: reports open in any browser elsewhere")
    yield from _paper()
    zones = bool(zoneinfo.available_timezones())
    yield _row("time zones", zones, "known" if zones else "not known: install tzdata")
    encoding = (sys.stdout.encoding or "unknown").lower()
    yield _row(
        "terminal", "utf" in encoding, f"{encoding}" + ("" if "utf" in encoding else ": signs are spelt out")
    )


def as_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """The rows as aligned lines.

    >>> as_text([{"what": "Python", "works": True, "detail": "3.11.7"}])
    'Python              works  3.11.7'
    """
    return "\n".join(
        f"{terminal(row['what']):19} {'works' if row['works'] else 'lacks'}  {terminal(row['detail'])}"
        for row in rows
    )


def _row(what: str, works: bool, detail: str, extra: str | None = None) -> dict[str, Any]:
    return {"what": what, "works": works, "detail": detail, "extra": extra}


def _library(name: str, extra: str | None) -> dict[str, Any]:
    try:
        return _row(name, True, importlib.metadata.version(name), extra)
    except importlib.metadata.PackageNotFoundError:
        wanted = f"{DISTRIBUTION}[{extra}]" if extra else name
        return _row(name, False, f"not installed: pip install '{wanted}'", extra)


def _paper() -> Iterator[dict[str, Any]]:
    """Whether a report can be written as PDF, where WeasyPrint is installed: it needs a library of the system."""
    try:
        import weasyprint  # noqa: F401
    except ImportError:
        return
    except OSError:
        yield _row(
            "pdf",
            False,
            "Pango is not installed: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0",
        )
    else:
        yield _row("pdf", True, "reports can be written as PDF")


def _requirements() -> Iterator[tuple[str, str | None]]:
    """The libraries that the installed distribution names, with the extra they belong to."""
    try:
        stated = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return
    for requirement in stated:
        match = _REQUIREMENT.match(requirement)
        condition = (match and match[2]) or ""
        extra = _EXTRA.search(condition)
        if match and (extra or "python_version" not in condition):
            yield match[1], extra[1] if extra else None
