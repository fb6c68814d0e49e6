"""The report builder: sections and format to choose, the mails to tell in it, a preview, and the file."""

from __future__ import annotations

import glob
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import ipywidgets

from mailforensics.errors import EvidenceError, OptionError
from mailforensics.headers.message import read_headers
from mailforensics.show import export, html, report
from mailforensics.show.questions import questions
from mailforensics.show.report.blocks import html_of
from mailforensics.show.widgets.shown import WIDE, CaseLike, Shown, call_of


class ReportingCase(CaseLike, Protocol):
    """What the report builder needs of a case."""

    own: tuple[str, ...]

    @property
    def report(self) -> Callable[..., Path]: ...


def report_builder(case: ReportingCase, path: str = "report") -> ipywidgets.VBox:
    """A report put together: which sections, which mails and messages, which format; seen first, then written.

    The plain functions are ``Case.report`` and :func:`preview`.
    """
    return _Builder(case, path).box


class _Builder:
    """The controls of the builder."""

    def __init__(self, case: ReportingCase, path: str) -> None:
        self.case = case
        sections = report.all_sections()
        self.chosen = {
            name: ipywidgets.Checkbox(description=section.title, value=True, indent=False)
            for name, section in sections.items()
        }
        self.title = ipywidgets.Text(value="Mail report", description="Title", layout=WIDE)
        self.mails = ipywidgets.Textarea(description="Mails", layout={"width": "auto", "height": "4rem"},
                                         placeholder='One question a line: to=bob@example.org since="10:00"')  # fmt: skip
        self.messages = ipywidgets.Textarea(description="Messages", layout={"width": "auto", "height": "3rem"},
                                            placeholder="One file or pattern a line: messages/*.eml")  # fmt: skip
        self.format = ipywidgets.Dropdown(options=report.FORMATS, description="Format")
        self.file = ipywidgets.Text(value=path, description="File", placeholder="report")
        look = ipywidgets.Button(description="Preview")
        write = ipywidgets.Button(description="Write the report", button_style="primary")
        self.shown = Shown()
        look.on_click(lambda _: self.shown.answer(self.preview, self.call()))
        write.on_click(lambda _: self.shown.answer(self.write, self.call()))
        boxes = ipywidgets.GridBox(
            [*self.chosen.values()],
            layout={"grid_template_columns": "repeat(auto-fill, minmax(14rem, 1fr))", "width": "100%"},
        )
        line = ipywidgets.HBox
        self.box = ipywidgets.VBox([self.title, boxes, self.mails, self.messages, line([self.format, self.file]),
                                    line([look, write]), self.shown.widget])  # fmt: skip

    def sections(self) -> list[str] | None:
        """The names of the chosen sections; None for all."""
        names = [name for name, box in self.chosen.items() if box.value]
        return None if len(names) == len(self.chosen) else names

    def traces(self) -> list[dict[str, str]]:
        return [questions(line) for line in self.mails.value.splitlines() if line.strip()]

    def files(self) -> list[str]:
        """The message files that the patterns name."""
        found = []
        for pattern in self.messages.value.splitlines():
            if pattern.strip():
                named = sorted(glob.glob(pattern.strip()))
                if not named:
                    raise EvidenceError(
                        f"There is no file {pattern.strip()!r}: name a message file, or a pattern."
                    )
                found += named
        return found

    def path(self) -> str:
        name = self.file.value.strip()
        if not name:
            raise OptionError("Name the file to write the report to.")
        return name if name.endswith(f".{self.format.value}") else f"{name}.{self.format.value}"

    def preview(self) -> str:
        traces = [self.case.trace(**question) for question in self.traces()]
        return preview(self.case, traces=traces, messages=self.files(), sections=self.sections())

    def write(self) -> str:
        traces = [self.case.trace(**question) for question in self.traces()]
        written = self.case.report(self.path(), traces=traces, messages=self.files(), sections=self.sections(),
                                   title=self.title.value)  # fmt: skip
        return html.says(f"Written: {written} ({written.stat().st_size:,} bytes).")

    def call(self) -> str:
        """How the same is written in a cell; empty where what was asked cannot be read."""
        try:
            asked = [_Asked(call_of("case.trace", **question)) for question in self.traces()]
            named = {"traces": asked, "messages": self.files(), "sections": self.sections()}
            given = {key: value for key, value in named.items() if value is not None and value != []}
            return call_of("case.report", self.path(), **given, title=self.title.value)
        except (OptionError, EvidenceError):
            return ""


class _Asked:
    """A call within a call that is shown."""

    def __init__(self, call: str) -> None:
        self.call = call

    def __repr__(self) -> str:
        return self.call


def preview(
    case: ReportingCase,
    *,
    traces: Sequence[Any] = (),
    messages: Sequence[str] = (),
    sections: Sequence[str] | None = None,
) -> str:
    """The report as an HTML fragment, to look at in a notebook before it is written; the options are those of ``Case.report``.

    Raises :class:`OptionError` for an unknown section, :class:`EvidenceError` where a message cannot be read.
    """
    known = report.all_sections()
    unknown = [name for name in sections or () if name not in known]
    if unknown:
        raise OptionError(f"There is no section {unknown[0]!r}; the sections are {', '.join(known)}.")
    read = [
        export.message_answer(read_headers(Path(file), own=list(case.own)), case.zone) for file in messages
    ]
    matter = report.Matter(case, case.summary(), [trace.to_dict() for trace in traces], read)
    chosen = [known[name] for name in sections] if sections is not None else [*known.values()]
    filled: list[Mapping[str, Any]] = [
        {"name": f"preview-{section.name}", "title": section.title, "body": html_of(built)}
        for section in chosen
        if (built := [*section.build(matter)])
    ]
    return html.fragment(html.sections(filled)) if filled else html.says("Nothing to tell: choose a section.")
