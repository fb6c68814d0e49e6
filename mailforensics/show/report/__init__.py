"""The report: one self-contained file, put together from sections that one can choose and add to.

    case.report("report.html", traces=[case.trace(to="bob@example.org")])
    case.report("report.md", sections=["summary", "refusals"])
    case.report("tables.xlsx")

HTML opens without a request to anywhere (see :func:`mailforensics.show.html.document`) and prints well; PDF is that page on paper;
Markdown holds the same words; XLSX holds the tables, a sheet each. The same case gives the same bytes.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mailforensics import plugins
from mailforensics.errors import EvidenceError, OptionError
from mailforensics.show import escape, html
from mailforensics.show.pdf import pdf
from mailforensics.show.report.blocks import html_of, markdown_of
from mailforensics.show.report.matter import Matter, ReportedCase, ReportedTrace, Section
from mailforensics.show.report.sections import SECTIONS
from mailforensics.show.report.summary import five_sentences
from mailforensics.show.sentences import Data
from mailforensics.show.workbook import workbook

__all__ = [
    "FORMATS",
    "SECTIONS",
    "Matter",
    "Section",
    "all_sections",
    "five_sentences",
    "markdown",
    "render",
    "write",
]

TITLE = "Mail report"
FORMATS = ("html", "md", "pdf", "xlsx")


def write(
    case: ReportedCase,
    path: str | os.PathLike[str],
    *,
    traces: Iterable[ReportedTrace] = (),
    messages: Iterable[Data] = (),
    sections: Sequence[str] | None = None,
    title: str = TITLE,
    format: str | None = None,
) -> Path:
    """Write the report of a case and return its path.

    sections   names of :func:`all_sections`, all by default
    messages   headers to show: ``export.message_answer(read_headers(...))``
    format     html, md, pdf (needs the extra ``pdf``) or xlsx (the tables); by default what the name ends with, else html

    Raises :class:`OptionError` for an unknown section or format, :class:`EvidenceError` where the file cannot be written.
    """
    target = Path(path)
    kind = format or (target.suffix[1:].lower() if target.suffix[1:].lower() in FORMATS else "html")
    if kind not in FORMATS:
        raise OptionError(f"There is no report as {kind!r}; the formats are {', '.join(FORMATS)}.")
    if kind == "xlsx":
        content = workbook(case)
    else:
        form = markdown if kind == "md" else render
        told = form(case, traces=traces, messages=messages, sections=sections, title=title)
        content = pdf(told) if kind == "pdf" else told.encode()
    try:
        target.write_bytes(content)
    except OSError as error:
        raise EvidenceError(
            f"Cannot write the report to {target}: {error.strerror}. Name another file."
        ) from error
    return target


def render(
    case: ReportedCase,
    *,
    traces: Iterable[ReportedTrace] = (),
    messages: Iterable[Data] = (),
    sections: Sequence[str] | None = None,
    title: str = TITLE,
    pictures: bool = True,
) -> str:
    """The report as one HTML text."""
    matter = _matter(case, traces, messages, pictures)
    filled = [
        {"name": section.name, "title": section.title, "body": html_of(built)}
        for section in _chosen(sections)
        if (built := [*section.build(matter)])
    ]
    contents = [(str(section["name"]), str(section["title"])) for section in filled]
    return html.document(title, html.sections(filled), contents)


def markdown(
    case: ReportedCase,
    *,
    traces: Iterable[ReportedTrace] = (),
    messages: Iterable[Data] = (),
    sections: Sequence[str] | None = None,
    title: str = TITLE,
) -> str:
    """The report as Markdown; traces and messages stand in it as text."""
    matter = _matter(case, traces, messages, False)
    parts = [f"# {escape.markdown(title)}"]
    for section in _chosen(sections):
        built = [*section.build(matter)]
        if built:
            parts += [f"## {escape.markdown(section.title)}", markdown_of(built)]
    return "\n\n".join(parts) + "\n"


def _matter(
    case: ReportedCase, traces: Iterable[ReportedTrace], messages: Iterable[Data], pictures: bool
) -> Matter:
    return Matter(case, case.summary(), [trace.to_dict() for trace in traces], [*messages], pictures)


def all_sections() -> Mapping[str, Section]:
    """The sections by name: those of the toolkit, then those of installed packages."""
    return SECTIONS | plugins.load(plugins.REPORT_SECTIONS)


def _chosen(names: Sequence[str] | None) -> list[Section]:
    known = all_sections()
    unknown = [name for name in names or () if name not in known]
    if unknown:
        raise OptionError(f"There is no section {unknown[0]!r}; the sections are {', '.join(known)}.")
    return [known[name] for name in names] if names is not None else [*known.values()]
