"""Widgets for notebooks, each a skin over a plain function, so that nothing can be done only by mouse.

    mf.widgets.open_evidence()                paths or an upload, with progress        mf.open_case
    mf.widgets.search(case)                   known addresses, a stretch of time       Case.trace
    mf.widgets.header_reader()                paste or upload a header                 mf.read_headers
    mf.widgets.findings_browser(case)         from a sentence to its lines             Case.findings, lines_of
    mf.widgets.table_viewer(case)             pages, filters, an order                 page
    mf.widgets.report_builder(case)           sections, formats, preview               Case.report

Each says beneath its answer how to get the same in a cell. All are made of the standard ipywidgets, without a line of
JavaScript of our own, so that they work wherever those do; everything can be reached with the Tab key. HTML comes from
:mod:`mailforensics.show.html` alone, which escapes every value.
"""

from __future__ import annotations

from mailforensics.show.widgets.asking import addresses, search, suggestions
from mailforensics.show.widgets.finding import findings_browser, findings_of, lines_of
from mailforensics.show.widgets.headers import header_reader
from mailforensics.show.widgets.opening import EvidenceBox, evidence_box, keep_files
from mailforensics.show.widgets.pages import COMPARISONS, PAGE, page
from mailforensics.show.widgets.reporting import preview, report_builder
from mailforensics.show.widgets.tables import table_viewer

__all__ = [
    "COMPARISONS",
    "PAGE",
    "EvidenceBox",
    "addresses",
    "evidence_box",
    "findings_browser",
    "findings_of",
    "header_reader",
    "keep_files",
    "lines_of",
    "page",
    "preview",
    "report_builder",
    "search",
    "suggestions",
    "table_viewer",
]
