"""The report: one self-contained HTML file, put together from sections that one can choose and add to.

A :class:`Section` has a name, a title and a function that builds its body from the case and the traces asked for.
The file opens without a request to anywhere; see :func:`mailforensics.show.html.document`.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from markupsafe import Markup

from mailforensics.errors import EvidenceError, OptionError
from mailforensics.show import html
from mailforensics.show.sentences import Data


class ReportedTrace(Protocol):
    """What the report needs of a trace."""

    def to_dict(self) -> dict[str, Any]: ...


class ReportedCase(Protocol):
    """What the report needs of a case."""

    def summary(self) -> dict[str, Any]: ...


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a report; ``build`` returns its body, empty to leave the section out."""

    name: str
    title: str
    build: Callable[[Data, Sequence[Data]], Markup]


def write(
    case: ReportedCase,
    path: str | os.PathLike[str],
    *,
    traces: Iterable[ReportedTrace] = (),
    sections: Sequence[str] | None = None,
    title: str = "Mail report",
) -> Path:
    """Write the report of a case and return its path; ``sections`` are names of :data:`SECTIONS`, all by default.

    Raises :class:`OptionError` for an unknown section and :class:`EvidenceError` where the file cannot be written.
    """
    target = Path(path)
    page = render(case, traces=traces, sections=sections, title=title)
    try:
        target.write_text(page, encoding="utf-8")
    except OSError as error:
        raise EvidenceError(
            f"Cannot write the report to {target}: {error.strerror}. Name another file."
        ) from error
    return target


def render(
    case: ReportedCase,
    *,
    traces: Iterable[ReportedTrace] = (),
    sections: Sequence[str] | None = None,
    title: str = "Mail report",
) -> str:
    """The report as one HTML text."""
    summary, told = case.summary(), [trace.to_dict() for trace in traces]
    built = [(section, section.build(summary, told)) for section in _chosen(sections)]
    filled = [{"name": section.name, "title": section.title, "body": body} for section, body in built if body]
    contents = [(section["name"], section["title"]) for section in filled]
    return html.document(title, html.sections(filled), contents)


def _chosen(names: Sequence[str] | None) -> list[Section]:
    unknown = [name for name in names or () if name not in SECTIONS]
    if unknown:
        raise OptionError(f"There is no section {unknown[0]!r}; the sections are {', '.join(SECTIONS)}.")
    return [SECTIONS[name] for name in names] if names is not None else [*SECTIONS.values()]


def _traces(_summary: Data, traces: Sequence[Data]) -> Markup:
    return Markup("").join(html.trace_body(trace) for trace in traces)


def _coverage(summary: Data, _traces: Sequence[Data]) -> Markup:
    return html.summary_body(summary)


def _method(_summary: Data, _traces: Sequence[Data]) -> Markup:
    said = (
        "Each statement stands on lines of the evidence, named as source:line. “seen” is what a line says, "
        "“inferred” follows from lines by a rule, “not seen” means that no line tells it. "
        "A reply 250 says that the next server took the message, not that it is in the mailbox."
    )
    return Markup("<p>{}</p><p>mailforensics {}</p>").format(said, _version())


def _version() -> str:
    try:
        return version("mailforensics-notebooks")
    except PackageNotFoundError:
        return "(not installed)"


SECTIONS: dict[str, Section] = {
    section.name: section
    for section in (
        Section("traces", "Traces", _traces),
        Section("evidence", "Evidence", _coverage),
        Section("method", "Method and version", _method),
    )
}
