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
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

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
    reader    a faster way to the groups of the usual lines (bodies in, a frame of the groups out, null where it gives
              up); what it leaves is read by the pattern, and it must never say other than the pattern says
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


def _has_top_level_alternation(pattern: str) -> bool:
    depth, i, in_class = 0, 0, False
    while i < len(pattern):
        char = pattern[i]
        if char == "\\":
            i += 2
            continue
        if in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
            if pattern[i + 1 : i + 2] == "]":
                i += 1
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == "|" and depth == 0:
            return True
        i += 1
    return False


@dataclass(frozen=True)
class Compiled:
    """A shape made ready: its literal start and a test that tells a match from none."""

    shape: Shape

    @cached_property
    def starts(self) -> str:
        return self.shape.starts or literal_start(self.shape.pattern)

    @cached_property
    def extract(self) -> pl.Expr:
        """A struct of the groups, and ``\\x00hit`` (always set on a match, even when every group is optional)."""
        return pl.col("body").str.extract_groups(self.shape.regex).alias("hit")

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
    i, in_class = 0, False
    enclosing: list[int] = []
    closes: dict[int, int] = {}
    while i < len(pattern):
        char = pattern[i]
        if char == "\\":
            i += 2
            continue
        if in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
            if pattern[i + 1 : i + 2] == "]":
                i += 1
        elif char == "(":
            if i == at:
                enclosing = list(stack)
            stack.append(i)
        elif char == ")":
            closes[stack.pop()] = i
        i += 1
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


class Matcher:
    """Reads the bodies of one daemon with its shapes, first match wins.

    >>> shape = Shape(kind="x.hello", programs=("x",), pattern=r"hello (?P<name>[a-z]+)", example="hello bob", means="")
    >>> hits = Matcher([shape], {"name": Field("who")}).read(pl.Series(["hello eve", "bye"]))
    >>> hits[0].rows.tolist(), hits[0].fields["name"].to_list()
    ([0], ['eve'])
    """

    def __init__(self, shapes: Sequence[Shape], fields: Mapping[str, Field]) -> None:
        self._shapes = [Compiled(shape) for shape in shapes if not shape.rare]
        self._rare = [Compiled(shape) for shape in shapes if shape.rare]
        self._fields = fields

    def read(self, bodies: pl.Series) -> list[Hit]:
        left = pl.DataFrame({"row": np.arange(len(bodies), dtype=np.uint32), "body": bodies})
        hits: list[Hit] = []
        for compiled in self._shapes:
            if not left.height:
                break
            left = self._one(compiled, left, hits)
        for compiled in self._rare_that_may_fit(left["body"]):
            left = self._one(compiled, left, hits)
        return hits

    def _rare_that_may_fit(self, bodies: pl.Series) -> list[Compiled]:
        """The rare shapes whose literal stands in some of these lines, found in one pass over the lines."""
        if not self._rare or not len(bodies):
            return []
        literals = [compiled.shape.holds or compiled.starts for compiled in self._rare]
        found = bodies.str.extract_many(sorted(set(literals)), overlapping=True).explode(empty_as_null=False)
        present = set(found.unique().to_list())
        return [
            compiled for compiled, literal in zip(self._rare, literals, strict=True) if literal in present
        ]

    def _one(self, compiled: Compiled, left: Frame, hits: list[Hit]) -> Frame:
        """Read what this shape can read, note it in `hits`, and return the rows that are left."""
        if compiled.starts:
            mask = left["body"].str.starts_with(compiled.starts)
            if not mask.any():
                return left
            candidates = left.filter(mask)
        elif compiled.shape.holds:
            mask = left["body"].str.contains(compiled.shape.holds, literal=True)
            if not mask.any():
                return left
            candidates = left.filter(mask)
        else:
            mask = None
            candidates = left
        found, good = self._extract(compiled, candidates)
        if not good.any():
            return left
        everything = bool(good.all())
        if not everything:
            found = found.filter(good)
        hits.append(Hit(compiled.shape, found["row"].to_numpy(), self._typed(compiled.shape, found)))
        if everything:
            return left.filter(~mask) if mask is not None else left.clear()
        rest = candidates.filter(~good)
        return rest if mask is None else pl.concat([left.filter(~mask), rest])

    def _extract(self, compiled: Compiled, candidates: Frame) -> tuple[Frame, pl.Series]:
        if not compiled.shape.groups:
            return candidates.select("row"), candidates["body"].str.contains(compiled.shape.regex)
        if compiled.shape.reader is not None and compiled.marker is not None:
            found = self._extract_fast(compiled, compiled.marker, compiled.shape.reader, candidates)
        else:
            found = candidates.select("row", compiled.extract).unnest("hit")
        if compiled.marker is not None:
            return found, found[compiled.marker].is_not_null()
        return found, candidates["body"].str.contains(compiled.shape.regex)

    @staticmethod
    def _extract_fast(
        compiled: Compiled, marker: str, reader: Callable[[pl.Series], Frame], candidates: Frame
    ) -> Frame:
        """The groups by the shape's reader, and by its pattern for the rows that the reader leaves."""
        found = candidates.select("row").hstack(reader(candidates["body"]).select(compiled.shape.groups))
        missed = found[marker].is_null()
        if not missed.any():
            return found
        slow = candidates.filter(missed).select("row", compiled.extract).unnest("hit")
        place = np.arange(found.height)
        place[missed.to_numpy()] = found.height + np.arange(slow.height)
        return pl.concat([found, slow])[place]

    def _typed(self, shape: Shape, found: Frame) -> Frame:
        columns: list[pl.Expr] = []
        checked: list[pl.Expr] = []
        for name in shape.groups:
            spec = self._fields[name]
            raw = pl.col(name)
            if spec.convert is not None:
                typed = spec.convert(raw).alias(name)
            elif spec.dtype == pl.String or spec.dtype.is_nested():  # a list is made by `finish`
                columns.append(raw)
                continue
            else:
                typed = raw.cast(spec.dtype, strict=False)
            columns.append(typed)
            checked.append(raw.is_not_null() & typed.is_null())
        columns += [pl.lit(value).alias(name) for name, value in shape.constants.items()]
        partial = pl.any_horizontal(checked) if checked else pl.lit(False)
        typed_frame = found.with_columns(partial.alias("partial"), *columns)
        typed_frame = typed_frame.select(*shape.groups, *shape.constants, "partial")
        if shape.finish is not None:
            typed_frame = shape.finish(typed_frame)
        return typed_frame


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
    redact    masks secrets in the text of a line before anything is kept (an expression in, an expression out)
    """

    system: str
    programs: str
    split: Callable[[Frame], Frame]
    shapes: tuple[Shape, ...]
    fields: Mapping[str, Field]
    carries: tuple[str, ...] = ()
    shared: bool = False
    redact: Callable[[pl.Expr], pl.Expr] | None = None
    second_look: Callable[[Frame], Frame] | None = None

    @cached_property
    def daemons(self) -> frozenset[str]:
        return frozenset(name for shape in self.shapes for name in shape.programs)

    @cached_property
    def _matchers(self) -> dict[tuple[str, bool | None], Matcher]:
        return {}

    def matcher(self, daemon: str, loud: bool | None = None) -> Matcher:
        """The matcher of one daemon; shapes for any daemon (``*``) come in their own place in the order.

        ``loud`` says that all lines have a severity word (True) or none (False): shapes of the other sort are left out.
        """
        if (daemon, loud) not in self._matchers:
            other = {None: "none", True: "info", False: "warning"}[loud]
            heard = [shape for shape in self.shapes if shape.severity != other]
            fitting = [s for s in heard if daemon in s.programs or "*" in s.programs]
            if self.shared:
                own = {id(shape) for shape in fitting}
                fitting += [shape for shape in heard if id(shape) not in own]
            self._matchers[daemon, loud] = Matcher(fitting, self.fields)
        return self._matchers[daemon, loud]


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
