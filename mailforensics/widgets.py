"""The widgets of notebooks: ``mf.widgets.open_evidence()``, ``mf.widgets.search(case)`` and the others.

They are made in :mod:`mailforensics.show.widgets`; opening evidence is the one that needs the front of the house.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import ipywidgets

from mailforensics.case import Paths, open_case
from mailforensics.show.widgets import (
    COMPARISONS,
    PAGE,
    EvidenceBox,
    addresses,
    evidence_box,
    findings_browser,
    findings_of,
    header_reader,
    keep_files,
    lines_of,
    page,
    preview,
    report_builder,
    search,
    suggestions,
    table_viewer,
)

if TYPE_CHECKING:
    from mailforensics.case import Case

__all__ = [
    "COMPARISONS",
    "PAGE",
    "EvidenceBox",
    "addresses",
    "findings_browser",
    "findings_of",
    "header_reader",
    "keep_files",
    "lines_of",
    "open_evidence",
    "page",
    "preview",
    "report_builder",
    "search",
    "suggestions",
    "table_viewer",
    "workbench",
]


def open_evidence(
    paths: Paths = "", *, own: Sequence[str] = (), timezone: str = "", folder: str = "evidence"
) -> EvidenceBox:
    """Open evidence by path or upload, with a bar while it is read; afterwards ``.case`` of the widget is the Case.

    paths      what to begin with: files, folders, globs, a saved case
    own        networks and host names that are yours
    timezone   the zone of stamps that state none
    folder     where uploaded files are kept; Jupyter takes uploads of some megabytes, so name larger ones by path

    The plain function is ``mailforensics.open_case``.
    """
    return evidence_box(open_case, paths, own=own, timezone=timezone, folder=folder)


def workbench(
    paths: Paths = "", *, own: Sequence[str] = (), timezone: str = "", folder: str = "evidence"
) -> EvidenceBox:
    """Everything in one place: open evidence, then search, findings, tables, a header reader and a report, each on its tab.

    The arguments are those of :func:`open_evidence`.
    """
    return evidence_box(open_case, paths, own=own, timezone=timezone, folder=folder, then=_tabs)


def _tabs(case: Case) -> ipywidgets.Tab:
    pages = {
        "Search": search(case),
        "Findings": findings_browser(case),
        "Tables": table_viewer(case),
        "Headers": header_reader(own=case.own, zone=case.zone),
        "Report": report_builder(case),
    }
    return ipywidgets.Tab([*pages.values()], titles=[*pages])
