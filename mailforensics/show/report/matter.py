"""What a report is about, and what a section of it is: the two things that a package needs to add one.

SECTION = Section("night", "Mail at night", lambda matter: [Says(f"{matter.polars('messages').height} mails")])
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl
import pyarrow as pa

from mailforensics.show import words
from mailforensics.show.report.blocks import Block
from mailforensics.show.sentences import Data

Frame = pl.DataFrame

EXAMPLES = 3  # lines shown beneath a statement
_LINE = 600  # characters of a line that are shown


class ReportedTrace(Protocol):
    """What the report needs of a trace."""

    def to_dict(self) -> dict[str, Any]: ...


class ReportedCase(Protocol):
    """What the report needs of a case."""

    def summary(self) -> dict[str, Any]: ...

    def polars(self, name: str) -> Frame: ...

    def scan(self, name: str) -> pl.LazyFrame: ...

    def table(self, name: str) -> pa.Table: ...

    def findings(self) -> pa.Table: ...


@dataclass(frozen=True)
class Matter:
    """What a report is about: the case, its summary, the traces and messages that were asked for."""

    case: ReportedCase
    summary: Data
    traces: Sequence[Data] = ()
    messages: Sequence[Data] = ()
    pictures: bool = True
    _lines: dict[int, str] = field(default_factory=dict)
    _findings: list[pa.Table] = field(default_factory=list)

    def polars(self, name: str) -> Frame:
        """A table of the case."""
        return self.case.polars(name)

    def findings(self) -> pa.Table:
        """The findings of the case, the worst first; asked for once."""
        if not self._findings:
            self._findings.append(self.case.findings())
        return self._findings[0]

    @property
    def zone(self) -> Any:
        """The zone that times are shown in."""
        return words.zone_of(self.summary.get("zone"))

    def lines(self, evidence: Iterable[Any]) -> list[str]:
        """The first lines of some evidence, as source:line and text; a very long text is cut and says so."""
        wanted = list(dict.fromkeys(key for key in evidence if key is not None))[:EXAMPLES]
        missing = [key for key in wanted if key not in self._lines]
        if missing:
            self._lines.update(_lines_of(self, missing))
        return [self._lines[key] for key in wanted if key in self._lines]

    def fields(self, subjects: Iterable[str]) -> list[str]:
        """The header fields that findings about messages stand on, as file:line and the field.

        A subject is that of ``findings``: "message 42, hop 2" is the Received field of that hop, "message 42" the Message-ID.
        """
        hits = (_MESSAGE.fullmatch(subject) for subject in dict.fromkeys(subjects))
        told = (_field(self, int(hit[1]), int(hit[2]) if hit[2] else None) for hit in hits if hit)
        return [line for line in told if line][:EXAMPLES]


_MESSAGE = re.compile(r"message ([0-9]+)(?:, hop ([0-9]+))?")


def _field(matter: Matter, document: int, hop: int | None) -> str | None:
    of_it = pl.col("document_id") == document
    fields = matter.polars("headers").filter(of_it)
    if hop is None:
        fields = fields.filter(pl.col("name").str.to_lowercase() == "message-id")
    else:
        at = matter.polars("hops").filter(of_it & (pl.col("hop") == hop))["ordinal"]
        fields = fields.filter(pl.col("ordinal").is_in(at.implode()))
    source = (
        matter.polars("documents")
        .filter(of_it)
        .join(matter.polars("sources"), on="source_id", suffix="_of_source")
    )
    if not fields.height or not source.height:
        return None
    row = fields.row(0, named=True)
    value = " ".join(str(row["value"] or "").split())
    return f"{short_name(source.row(0, named=True))}:{row['line_number']}  {row['name']}: {_cut(value)}"


def _lines_of(matter: Matter, keys: Sequence[int]) -> dict[int, str]:
    names = {row["source_id"]: short_name(row) for row in matter.polars("sources").iter_rows(named=True)}
    events = matter.case.scan("events").filter(pl.col("event_id").is_in(list(keys)))
    rows = events.select("event_id", "source_id", "line_number", "text").collect()
    return {
        row["event_id"]: f"{names.get(row['source_id'], '?')}:{row['line_number']}  {_cut(str(row['text']))}"
        for row in rows.iter_rows(named=True)
    }


def _cut(text: str) -> str:
    more = len(text) - _LINE
    return text if more <= 0 else f"{text[:_LINE]} … ({words.counted(more, 'more character')})"


def short_name(row: Mapping[str, Any]) -> str:
    """The last two parts of the path of a source, and its member."""
    path = "/".join(str(row["path"]).rsplit("/", 2)[-2:])
    return f"{path}!{row['member']}" if row.get("member") else path


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a report; ``build`` returns its blocks, none to leave the section out."""

    name: str
    title: str
    build: Callable[[Matter], Iterable[Block]]


def cause_words(word: Any) -> str:
    """A cause, or the name of a finding, as words."""
    return str(word or "unknown").replace("_", " ")


_WHO = {
    "us": "we",
    "remote": "the other server's postmaster",
    "sender": "the sender",
    "recipient": "the recipient",
    "nobody": "nobody",
}


def who_acts(word: Any) -> str:
    """Who can mend something, as words."""
    return _WHO.get(str(word), str(word or "not known"))
