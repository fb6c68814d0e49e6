"""A grammar is data: a Shape is one kind of line, and this engine reads whole columns of lines with a list of them.

From the same list come the parser, the tests (every example matches its own shape and no other), the reference page
and ``mailforensics.explain``. A line is cut in three before it gets here: the framing (``syslog.py``: stamp, host,
program, pid), the prefix of its system (``Grammar.split``: severity and queue id for Postfix, service, user and session
for Dovecot, tag and module for Rspamd) and the *body*, which is all that a shape's pattern sees.

The patterns are Rust regular expressions (linear time on any input), anchored at both ends by the engine, so
that text chosen by a sender can fill a group but can never turn one kind of line into another.

    Shape(kind="postfix.qmgr.active", programs=("qmgr",), starts="from=<",
          pattern=r"from=<(?P<sender>.*)>, size=(?P<size>[0-9]+), nrcpt=(?P<recipient_count>[0-9]+) \\(queue active\\)",
          example="from=<alex@example.com>, size=2387, nrcpt=1 (queue active)",
          since="2.0", means="The queue manager took the message into the active queue.")
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

from mailforensics.evidence.spans import eight, first_eight

Frame = pl.DataFrame


@dataclass(frozen=True, slots=True)
class Field:
    """What a named group holds: its Arrow type, one sentence, and whether it is personal data.

    ``convert`` turns the captured text into the typed value (an expression in, an expression out); without it the
    text is cast to ``dtype``. A value that cannot be converted becomes null and the line ``partial``.
    """

    sentence: str
    dtype: pl.DataType | type[pl.DataType] = pl.String
    personal: bool = False
    rfc: str = ""
    convert: Callable[[pl.Expr], pl.Expr] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """One kind of line.

    kind      the name of the kind, ``system.daemon.subject``; several shapes (of several releases, say) may share one
    programs  the daemons that write it, as the grammar's ``split`` names them; ``("*",)`` = any daemon of the system
    pattern   Rust regex of the whole body (no anchors; they are added); its named groups are keys of ``FIELDS``
    example   a body as a real server writes it
    means     one sentence: what happened when this line is there
    since     the release that brought it ("" = as old as the program or not known)
    starts    a literal that every such body starts with; found in the pattern when it is not given
    holds     a literal that every such body holds: preselects rows for a pattern that starts with no literal
    severity  "info": only lines without a severity word are tried; "warning": only lines with one; "": all lines
    rare      tried after all others, and only when the line holds its literal (one search finds the literals of hundreds)
    constants fields whose value follows from the shape itself
    reader    a faster way to the groups of the usual lines (bodies in, a frame of groups out, null where it gives up, without
              those that such lines never have); what it leaves is read by the pattern, and it must never say other than the
              pattern says (``usual.py``)
    finish    more columns out of the captured ones (a frame in, a frame of the same height out)
    adds      the fields that ``finish`` adds
    """

    kind: str
    programs: tuple[str, ...]
    pattern: str
    example: str
    means: str
    since: str = ""
    starts: str = ""
    holds: str = ""
    severity: str = ""
    rare: bool = False
    constants: Mapping[str, object] = field(default_factory=dict)
    reader: Callable[[pl.Series], Frame] | None = None
    finish: Callable[[Frame], Frame] | None = None
    adds: tuple[str, ...] = ()

    @property
    def regex(self) -> str:
        return rf"\A(?s:{self.pattern})\z"

    @property
    def groups(self) -> tuple[str, ...]:
        return tuple(re.findall(r"\(\?P<([a-z_0-9]+)>", self.pattern))


def literal_start(pattern: str) -> str:
    """The literal text with which every match of a pattern starts ("" when there is none).

    >>> literal_start(r"connect from (?P<client_name>[!-~]+)")
    'connect from '
    >>> literal_start(r"(?:a|b) c")
    ''
    """
    out: list[str] = []
    i = 0
    while i < len(pattern):
        char = pattern[i]
        if char == "\\" and i + 1 < len(pattern) and not pattern[i + 1].isalnum():
            literal, i = pattern[i + 1], i + 2
        elif char in "\\.^$|?*+()[]{}":
            break
        else:
            literal, i = char, i + 1
        if pattern[i : i + 1] in ("?", "*", "{", "+"):
            break
        out.append(literal)
    return "" if _has_top_level_alternation(pattern) else "".join(out)


def _brackets(pattern: str) -> Iterator[tuple[int, str]]:
    """The places of ``(``, ``)`` and ``|`` in a pattern that are none of an escape or a class."""
    i, in_class = 0, False
    while i < len(pattern):
        char = pattern[i]
        if char == "\\":
            i += 1
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
            if pattern[i + 1 : i + 2] == "]":
                i += 1
        elif char in "()|":
            yield i, char
        i += 1


def _has_top_level_alternation(pattern: str) -> bool:
    depth = 0
    for _, char in _brackets(pattern):
        if char == "|" and depth == 0:
            return True
        depth += {"(": 1, ")": -1}.get(char, 0)
    return False


@dataclass(frozen=True)
class Compiled:
    """A shape made ready: its literal start and a test that tells a match from none."""

    shape: Shape

    @cached_property
    def starts(self) -> str:
        return self.shape.starts or literal_start(self.shape.pattern)

    @property
    def literal(self) -> str:
        """A literal that every line of this shape holds ("": not known)."""
        return self.shape.holds or self.starts

    @cached_property
    def _begin(self) -> tuple[int, int]:
        return eight(self.starts), eight("\x7f" * len(self.starts)) // 0x7F * 0xFF

    def may_begin(self, begins: np.ndarray) -> np.ndarray:
        """Which of the texts that begin so (``first_eight``) may begin with the shape's literal."""
        begin, mask = self._begin
        fits: np.ndarray = (begins & np.uint64(mask)) == np.uint64(begin)
        return fits

    @cached_property
    def _groups(self) -> pl.Expr:
        return pl.col("body").str.extract_groups(
            self.shape.regex
        )  # made once, since making it compiles the pattern

    def extract(self, bodies: pl.Series) -> Frame:
        """The groups of each body, all null where the pattern does not match."""
        return bodies.to_frame("body").select(self._groups).to_series().struct.unnest()

    @cached_property
    def marker(self) -> str | None:
        """A group that every match fills: it tells a match without a second pass (None: there is none)."""
        for name in self.shape.groups:
            if _is_mandatory(self.shape.pattern, name):
                return name
        return None


def _is_mandatory(pattern: str, name: str) -> bool:
    """Whether a named group stands outside every optional or alternative part of the pattern."""
    at = pattern.index(f"(?P<{name}>")
    if _has_top_level_alternation(pattern):
        return False
    stack: list[int] = []
    enclosing: list[int] = []
    closes: dict[int, int] = {}
    for i, char in _brackets(pattern):
        if char == "(":
            if i == at:
                enclosing = list(stack)
            stack.append(i)
        elif char == ")":
            closes[stack.pop()] = i
    for start in [*enclosing, at]:
        after = pattern[closes[start] + 1 : closes[start] + 2]
        if after in ("?", "*", "{"):
            return False
        if start != at and _has_top_level_alternation(pattern[start + 1 : closes[start]]):
            return False
    return True


@dataclass(frozen=True)
class Hit:
    """The rows of one frame that one shape read: their row numbers and the typed fields."""

    shape: Shape
    rows: np.ndarray
    fields: Frame  # one row a hit, in the order of `rows`; column "partial" (bool) last


Group = tuple[str, bool | None]
"""Lines that are read with the same shapes: those of one daemon that have a severity word (True), or none (False)."""
Step = tuple[Compiled, tuple[int, ...]]
"""A shape and the numbers of the groups whose lines it is tried on."""


class Matcher:
    """Reads bodies with shapes, first match wins.

    Lines of several daemons are read together, so that each shape reads all its lines at once: the steps are ordered so that every
    line meets its shapes in the order in which its own daemon would try them.

    >>> shape = Shape(kind="x.hello", programs=("x",), pattern=r"hello (?P<name>[a-z]+)", example="hello bob", means="")
    >>> hits = Matcher([shape], {"name": Field("who")}).read(pl.Series(["hello eve", "bye"]))
    >>> hits[0].rows.tolist(), hits[0].fields["name"].to_list()
    ([0], ['eve'])
    """

    def __init__(self, shapes: Sequence[Shape], fields: Mapping[str, Field]) -> None:
        self._fields, self._groups = fields, 1
        steps: list[Step] = [(Compiled(shape), (0,)) for shape in shapes]
        self._common = [[step for step in steps if not step[0].shape.rare]]
        self._rare = [[step for step in steps if step[0].shape.rare]]

    @classmethod
    def of_groups(cls, passes: Sequence[Sequence[Step]], fields: Mapping[str, Field]) -> Matcher:
        """A matcher for several groups: in each pass all shapes in order, and all frequent shapes before all rare ones."""
        matcher = cls((), fields)
        matcher._groups = 1 + max((g for steps in passes for _, groups in steps for g in groups), default=0)
        matcher._common = [[step for step in steps if not step[0].shape.rare] for steps in passes]
        matcher._rare = [[step for step in steps if step[0].shape.rare] for steps in passes]
        return matcher

    def read(self, bodies: pl.Series, group: np.ndarray | None = None) -> list[Hit]:
        """What each shape reads; `group` is the number of each line's group."""
        left = _Left(bodies, group, self._groups)
        hits = self._read(self._common, left)
        if left.count and any(self._rare):
            present = self._present(left.texts())
            may_fit = [[step for step in steps if step[0].literal in present] for steps in self._rare]
            hits += self._read(may_fit, left)
        return hits

    def _read(self, passes: Sequence[Sequence[Step]], left: _Left) -> list[Hit]:
        hits: list[Hit] = []
        for steps in passes:
            for compiled, groups in steps:
                if not left.count:
                    return hits
                if hit := self._one(compiled, groups, left):
                    hits.append(hit)
        return hits

    def _present(self, texts: pl.Series) -> set[str]:
        """The literals of rare shapes that stand in some of these lines, found in one pass over them."""
        literals = {compiled.literal for steps in self._rare for compiled, _ in steps}
        if not literals - {""}:
            return {""}
        found = texts.str.extract_many(sorted(literals - {""}), overlapping=True).explode(empty_as_null=False)
        return {"", *found.unique().to_list()}

    def _one(self, compiled: Compiled, groups: tuple[int, ...], left: _Left) -> Hit | None:
        """Read what this shape can read, and take it from the rows that are left."""
        rows, bodies = left.candidates(compiled, groups)
        if not len(rows):
            return None
        found, good = self._extract(compiled, bodies)
        if good is not None and not good.all():
            if not good.any():
                return None
            found, rows = found.filter(good), rows[good.to_numpy()]
        left.take(rows, groups)
        return Hit(compiled.shape, rows, self._typed(compiled.shape, found))

    def _extract(self, compiled: Compiled, bodies: pl.Series) -> tuple[Frame, pl.Series | None]:
        """The groups of each body, and which bodies match (None: all)."""
        if not compiled.shape.groups:
            return bodies.to_frame("body"), bodies.str.contains(compiled.shape.regex)
        if compiled.shape.reader is not None and compiled.marker is not None:
            found = self._extract_fast(compiled, compiled.marker, compiled.shape.reader, bodies)
        else:
            found = compiled.extract(bodies)
        if compiled.marker is not None:
            marker = found[compiled.marker]
            return found, marker.is_not_null() if marker.null_count() else None
        return found, bodies.str.contains(compiled.shape.regex)

    @staticmethod
    def _extract_fast(
        compiled: Compiled, marker: str, reader: Callable[[pl.Series], Frame], bodies: pl.Series
    ) -> Frame:
        """The groups by the shape's reader, and by its pattern for the rows that the reader leaves."""
        said = reader(bodies)
        names = compiled.shape.groups
        unsaid = pl.Series([None], dtype=pl.String).new_from_index(0, said.height)
        found = pl.DataFrame([said[n] if n in said.columns else unsaid.alias(n) for n in names])
        missed = found[marker].is_null()
        if not missed.any():
            return found
        slow = compiled.extract(bodies.filter(missed))
        place = np.arange(found.height)
        place[missed.to_numpy()] = found.height + np.arange(slow.height)
        return pl.concat([found, slow])[place]

    def _typed(self, shape: Shape, found: Frame) -> Frame:
        """The groups with their types, the constants, what the shape adds, and whether a value could not be converted."""
        columns: list[pl.Series] = []
        partial = np.zeros(found.height, dtype=bool)
        for name in shape.groups:
            raw, spec = found[name], self._fields[name]
            typed = _converted(raw, spec)
            if typed.null_count() != raw.null_count():
                partial |= (raw.is_not_null() & typed.is_null()).to_numpy()
            columns.append(typed)
        for name, value in shape.constants.items():
            columns.append(pl.Series(name, [value]).new_from_index(0, found.height))
        fields = pl.DataFrame([*columns, pl.Series("partial", partial)])
        return fields if shape.finish is None else shape.finish(fields)


def _converted(raw: pl.Series, spec: Field) -> pl.Series:
    """A captured text as its field's type; what cannot be converted is null. A list is made by `finish`."""
    if spec.convert is not None:
        return raw.to_frame().select(spec.convert(pl.col(raw.name)).alias(raw.name)).to_series()
    if spec.dtype == pl.String or spec.dtype.is_nested():
        return raw
    return raw.cast(spec.dtype, strict=False)


class _Left:
    """The bodies that no shape has read yet: their rows by group, and what each begins with, so that a shape looks only at its own."""

    def __init__(self, bodies: pl.Series, group: np.ndarray | None, groups: int) -> None:
        self._bodies = bodies.rechunk()
        begins = first_eight(self._bodies)
        self._unread = np.ones(len(bodies), dtype=bool)
        if bodies.has_nulls():
            self._unread &= bodies.is_not_null().to_numpy()
        rows = np.flatnonzero(self._unread).astype(np.uint32)
        self.count = len(rows)
        if group is None:
            self._rows = [rows]
        else:
            mine = group[rows]
            order = np.argsort(mine, kind="stable")
            bounds = np.cumsum(np.bincount(mine, minlength=groups))
            self._rows = np.split(rows[order], bounds)[:-1]
        self._begins = [begins[rows] for rows in self._rows]
        self._has = [len(rows) > 0 for rows in self._rows]
        self._nothing = bodies.clear()

    def texts(self) -> pl.Series:
        return self._bodies[np.concatenate(self._rows)]

    def candidates(self, compiled: Compiled, groups: tuple[int, ...]) -> tuple[np.ndarray, pl.Series]:
        """The rows of these groups that may have the shape's literal (its first eight bytes are looked at), and their bodies."""
        starts, holds = compiled.starts, compiled.shape.holds
        present = [g for g in groups if self._has[g]]
        if starts:
            found = [self._rows[g][compiled.may_begin(self._begins[g])] for g in present]
            found = [rows for rows in found if len(rows)]
        else:
            found = [self._rows[g] for g in present]
        if not found:
            return _NONE, self._nothing
        rows = found[0] if len(found) == 1 else np.sort(np.concatenate(found), kind="stable")
        bodies = self._bodies if len(rows) == len(self._bodies) else self._bodies[rows]
        if starts or not holds:
            return rows, bodies
        has = bodies.str.contains(holds, literal=True)
        return (rows, bodies) if has.all() else (rows[has.to_numpy()], bodies.filter(has))

    def take(self, rows: np.ndarray, groups: tuple[int, ...]) -> None:
        """These rows have been read."""
        self._unread[rows] = False
        self.count -= len(rows)
        for g in groups:
            if self._has[g]:
                still = self._unread[self._rows[g]]
                self._rows[g], self._begins[g] = self._rows[g][still], self._begins[g][still]
                self._has[g] = len(self._rows[g]) > 0


_NONE = np.empty(0, dtype=np.uint32)


@dataclass(frozen=True)
class Grammar:
    """All that is known of one system's lines.

    system    the value of ``events.system``
    programs  regex (whole match) of the program names of the framing that belong to this system
    split     cuts the prefix off: a frame with ``program``, ``pid`` and ``text`` in; the same rows out with the columns
              ``daemon``, ``instance``, ``severity``, ``queue_id``, ``session_id``, ``body`` (null where there is none; ``pid``
              may be replaced, and further columns named in ``carries`` may come along)
    shapes    in the order in which they are tried; frequent ones first
    fields    what every group of every shape means
    carries   columns of ``split`` that go into every row of every kind's table (Dovecot's ``username``, say)
    shared    a line that no shape of its own daemon reads is tried with the shapes of all daemons (a Postfix service
              under another name, a program path that syslog cut to ``postfix``)
    second_look  cuts the prefix of lines that no shape has read in another way (a frame of ``split`` in, the same out)
    redact    masks secrets in the texts of lines before anything is kept (a column in, a column out)
    """

    system: str
    programs: str
    split: Callable[[Frame], Frame]
    shapes: tuple[Shape, ...]
    fields: Mapping[str, Field]
    carries: tuple[str, ...] = ()
    shared: bool = False
    redact: Callable[[pl.Series], pl.Series] | None = None
    second_look: Callable[[Frame], Frame] | None = None

    @cached_property
    def daemons(self) -> frozenset[str]:
        return frozenset(name for shape in self.shapes for name in shape.programs)

    @cached_property
    def _compiled(self) -> dict[int, Compiled]:
        return {id(shape): Compiled(shape) for shape in self.shapes}

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(sorted(self.daemons - {"*"}), start=1)}

    def number_of(self, daemon: str) -> int:
        """The number of a daemon among those that shapes name; 0 for any other."""
        return self._numbers.get(daemon, 0)

    @cached_property
    def every(self) -> Matcher:
        """The matcher of all daemons' lines: those of a daemon without a severity word are the group of twice its number, those
        with one the group behind it."""
        names = ["", *self._numbers]
        return self._matcher_of(tuple((name, loud) for name in names for loud in (False, True)))

    def matcher(self, daemon: str, loud: bool | None = None) -> Matcher:
        """The matcher of one daemon's lines. ``loud``: they all have a severity word (True), or none has (False)."""
        name = daemon if self.number_of(daemon) else ""
        if (name, loud) not in self._matchers:
            self._matchers[name, loud] = self._matcher_of(((name, loud),))
        return self._matchers[name, loud]

    @cached_property
    def _matchers(self) -> dict[Group, Matcher]:
        return {}

    def _matcher_of(self, groups: tuple[Group, ...]) -> Matcher:
        """The matcher for lines of some groups.

        Shapes for any daemon (``*``) come in their own place in the order, those of other daemons (`shared`) after all of these.
        """
        passes = [self._pass(groups, own=True)]
        if self.shared:
            passes.append(self._pass(groups, own=False))
        return Matcher.of_groups(passes, self.fields)

    def _pass(self, groups: tuple[Group, ...], *, own: bool) -> list[Step]:
        """Each shape with the groups that it fits."""
        steps: list[Step] = []
        for shape in self.shapes:
            fitting = tuple(
                number
                for number, (daemon, loud) in enumerate(groups)
                if shape.severity != _NOT_HEARD[loud]
                and (daemon in shape.programs or "*" in shape.programs) == own
            )
            if fitting:
                steps.append((self._compiled[id(shape)], fitting))
        return steps


_NOT_HEARD = {
    None: "none",
    True: "info",
    False: "warning",
}  # the severity of shapes that such lines cannot have


def check(grammar: Grammar) -> list[str]:
    """What is wrong with a grammar's own data: unknown fields, unnamed groups, a start that its example lacks."""
    faults: list[str] = []
    for shape in grammar.shapes:
        bare = re.sub(r"\\.|\[\]?[^\]]*\]", "", shape.pattern)
        if re.search(r"\((?!\?)", bare):
            faults.append(f"{shape.kind}: unnamed group in {shape.pattern}")
        faults += [
            f"{shape.kind}: unknown field {g}"
            for g in (*shape.groups, *shape.constants, *shape.adds)
            if g not in grammar.fields
        ]
        if not shape.example.startswith(Compiled(shape).starts):
            faults.append(f"{shape.kind}: the example does not start with {Compiled(shape).starts!r}")
        if not pl.Series([shape.example]).str.contains(shape.regex).item():
            faults.append(f"{shape.kind}: the pattern does not match its example")
    return faults


def kinds(grammars: Iterable[Grammar]) -> list[str]:
    """All kinds of all grammars, in order, each once."""
    return list(dict.fromkeys(shape.kind for grammar in grammars for shape in grammar.shapes))
