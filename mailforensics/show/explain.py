r"""One line of a log, each part named and explained: what wrote it, what it means, what stands where.

    explain("Mar  2 10:02:11 mail postfix/qmgr[7]: 3F2A1C0B2: from=<alex@example.com>, size=2387, nrcpt=1 (queue active)")

    postfix.qmgr.active: The queue manager took the message into the active queue.
      Mar  2 10:02:11    time_original      The stamp as the line has it.
      mail               host               ...

The words come from the grammars: a shape says what its kind of line means, its system says what each field holds; the
words for stamp, host, program and the like are those of the table ``events``. It is a view for teaching and for doubt:
a line that no shape reads is said to be one.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import polars as pl

from mailforensics import schema
from mailforensics.evidence.lines import Piece, line_frame
from mailforensics.grammar import grammars, syslog
from mailforensics.grammar.shape import Field, Grammar, Hit
from mailforensics.show import html
from mailforensics.show.escape import terminal
from mailforensics.show.spans import locate

_FRAME = ("time_original", "host", "program", "pid")
_PREFIX = ("severity", "daemon", "username", "pid", "session_id", "tag", "queue_id")
_LOUD = ("warning", "error", "fatal", "panic")
_TAG = "The first letters of the task's or worker's id: lines with the same tag belong together."
_VALUE_CHARACTERS = 60
_SYSTEMS = {"postfix": "Postfix", "dovecot": "Dovecot", "rspamd": "Rspamd", "opendkim": "OpenDKIM",
            "opendmarc": "OpenDMARC", "amavis": "Amavis", "spamd": "SpamAssassin", "postgrey": "Postgrey"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """One value: its name, what it holds, and where in the line it stands (None: it follows from other parts)."""

    name: str
    value: Any
    sentence: str
    start: int | None = None
    end: int | None = None
    rfc: str = ""
    personal: bool = False


@dataclass(frozen=True)
class Explanation:
    """A line with its parts. In a notebook it is HTML, in a terminal text; ``to_dict()`` is plain data.

    kind     the name of the kind of line (None: no shape reads it)
    means    one sentence: what happened when this line is there
    since    the release that brought this form of the line ("" = old, or not known)
    """

    line: str
    system: str
    kind: str | None
    means: str
    since: str
    parts: tuple[Part, ...]

    def to_dict(self) -> dict[str, Any]:
        """The explanation as plain data, values as text where JSON has no type for them."""
        told = asdict(self)
        told["parts"] = [row | {"value": _plain(row["value"])} for row in told["parts"]]
        return told

    def __str__(self) -> str:
        head = f"{self.kind or 'not understood'}: {self.means}"
        rows = [(terminal(_short(part.value)), part.name, part.sentence) for part in self.parts]
        wide = max((len(value) for value, _, _ in rows), default=0)
        names = max((len(name) for _, name, _ in rows), default=0)
        body = [f"  {value:<{wide}}  {name:<{names}}  {terminal(said)}" for value, name, said in rows]
        return "\n".join([head, *([f"  {self.release}"] if self.release else []), *body])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return html.explanation(self.to_dict() | {"release": self.release})

    @property
    def release(self) -> str:
        """Since when the line has this form, as words."""
        return f"{_SYSTEMS.get(self.system, self.system)} {self.since} or later" if self.since else ""


def explain(line: str | bytes) -> Explanation:
    """Each part of one log line, named and explained. Bad input is explained as not understood, nothing is raised.

    Secrets that a grammar knows of are masked in the line that comes back.

    >>> told = explain("Mar  2 10:02:11 mail postfix/qmgr[7]: 3F2A1C0B2: removed")
    >>> told.kind, [(part.name, part.value) for part in told.parts if part.start is not None][-2:]
    ('postfix.removed', [('pid', 7), ('queue_id', '3F2A1C0B2')])
    """
    raw = line.encode("utf-8", "backslashreplace") if isinstance(line, str) else bytes(line)
    data = raw.strip(b"\r\n").replace(b"\n", b" ") + b"\n"
    framed = syslog.frame(line_frame(Piece(data, 0, 1))).head(1)
    whole = data[:-1].decode("utf-8", "backslashreplace")
    grammar = _grammar_of(framed["program"].item())
    if grammar is None:
        return _foreign(whole, framed)
    some = framed.select("program", "pid", "severity", "text")
    if grammar.redact is not None:
        some = some.with_columns(text=grammar.redact(some["text"]))
    masked = whole[: max(whole.rfind(framed["text"].item()), 0)] + some["text"].item()
    return _read(masked, grammar, framed.with_columns(text=some["text"]), grammar.split(some))


def _grammar_of(program: str | None) -> Grammar | None:
    """The grammar that reads the lines of a program."""
    if program is None:
        return None
    name = pl.Series([program])
    return next((it for it in grammars() if name.str.contains(rf"\A(?:{it.programs})\z").item()), None)


def _foreign(line: str, framed: pl.DataFrame) -> Explanation:
    program = framed["program"].item()
    means = (
        f"A line of {program}, which is no mail program that is known here; it is kept as it is."
        if program
        else "This begins like no log line that is known here; it is kept as it is."
    )
    return Explanation(line, "other", None, means, "", tuple(_frame_parts(line, framed)))


def _read(line: str, grammar: Grammar, framed: pl.DataFrame, split: pl.DataFrame) -> Explanation:
    text, body = str(framed["text"].item()), str(split["body"].item() or "")
    head = (*_frame_parts(line, framed), *_prefix_parts(line, text, body, grammar, split))
    loud = split["severity"].item() in _LOUD
    hits = grammar.matcher(split["daemon"].item() or "", loud).read(pl.Series([body]))
    if not hits:
        means = f"{_SYSTEMS.get(grammar.system, grammar.system)} wrote it, but no shape reads it: it counts as not understood."
        return Explanation(line, grammar.system, None, means, "", head)
    shape = hits[0].shape
    at = len(line) - len(body) if line.endswith(body) else line.rfind(body)
    said = tuple(_body_parts(hits[0], grammar.fields, body, max(at, 0)))
    return Explanation(line, grammar.system, shape.kind, shape.means, shape.since, (*head, *said))


def _frame_parts(line: str, framed: pl.DataFrame) -> Iterator[Part]:
    """Stamp, host, program and pid, from left to right in front of the text."""
    limit = len(line.removesuffix(str(framed["text"].item() or "")))
    cursor = 0
    for name in _FRAME:
        value = framed[name].item()
        found = -1 if value is None else line.find(str(value), cursor, limit)
        if found >= 0:
            cursor = found + len(str(value))
            yield _event_part(name, value, found, cursor)


def _prefix_parts(line: str, text: str, body: str, grammar: Grammar, split: pl.DataFrame) -> Iterator[Part]:
    """What the system writes before the body: severity, queue id; service, user, session; tag."""
    begin, end = len(line) - len(text), len(line) - len(body)
    taken: list[tuple[int, int]] = []
    for name in _PREFIX:
        value = split[name].item() if name in split.columns else None
        place = None if value is None else _free(line, str(value), begin, end, taken)
        if place is not None:
            taken.append(place)
            spec = grammar.fields.get(name)
            yield _field_part(name, value, spec, place) if spec else _event_part(name, value, *place)


def _free(
    line: str, value: str, begin: int, end: int, taken: list[tuple[int, int]]
) -> tuple[int, int] | None:
    """The first place of a value between two marks that no other value has taken, in whatever case."""
    found = line.lower().find(value.lower(), begin, end) if value else -1
    while found >= 0:
        place = (found, found + len(value))
        if all(place[1] <= start or place[0] >= stop for start, stop in taken):
            return place
        found = line.lower().find(value.lower(), found + 1, end)
    return None


def _body_parts(hit: Hit, fields: Mapping[str, Field], body: str, at: int) -> Iterator[Part]:
    """The groups of the shape with their places, then what follows from them."""
    raw = pl.select(pl.lit(body).str.extract_groups(hit.shape.regex).alias("hit"))["hit"].item() or {}
    spans = locate(hit.shape.pattern, raw, body)
    typed: dict[str, Any] = hit.fields.row(0, named=True)
    for name in hit.shape.groups:
        if raw.get(name) is not None:
            value = typed[name] if typed.get(name) is not None else raw[name]
            place = _narrow(spans[name], raw[name], value, at) if name in spans else None
            yield _field_part(name, value, fields[name], place)
    for name in (*hit.shape.constants, *hit.shape.adds):
        if typed.get(name) is not None:
            yield _field_part(name, typed[name], fields[name], None)


def _narrow(span: tuple[int, int], raw: str, value: Any, at: int) -> tuple[int, int]:
    """The place of the value within what its group captured (a bracket behind it, say, is no part of it)."""
    inside = raw.find(value) if isinstance(value, str) else -1
    start, end = (span[0] + inside, span[0] + inside + len(value)) if inside >= 0 else span
    return at + start, at + end


def _field_part(name: str, value: Any, spec: Field, place: tuple[int, ...] | None) -> Part:
    start, end = place or (None, None)
    return Part(name, value, spec.sentence, start, end, spec.rfc, spec.personal)


def _event_part(name: str, value: Any, start: int, end: int) -> Part:
    column = next((it for it in schema.table("events").columns if it.name == name), None)
    sentence = column.sentence if column else _TAG
    return Part(
        name,
        value,
        sentence,
        start,
        end,
        (column.rfc if column else None) or "",
        bool(column and column.personal),
    )


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime | dt.timedelta):
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str | list | dict) else str(value)


def _short(value: Any) -> str:
    shown = str(value)
    return shown if len(shown) <= _VALUE_CHARACTERS else shown[: _VALUE_CHARACTERS - 1] + "…"
