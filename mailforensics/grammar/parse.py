"""Framed lines in, events and typed fields out: each line goes to the grammar of its program.

The rows of a program are read by the shapes of its daemon, whole columns at a time; a line of a mail system that no
shape reads is ``unparsed`` and kept, a line of another program is ``system = other``. Rows out = rows in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from mailforensics.grammar.distinct import distinct, told_each
from mailforensics.grammar.shape import Grammar, Hit

Frame = pl.DataFrame

STATUSES = ("unparsed", "ok", "partial", "continuation", "oversize")
_LOUD = ("warning", "error", "fatal", "panic")
_PREFIX = {
    "instance": pl.String,
    "daemon": pl.String,
    "severity": pl.String,
    "queue_id": pl.String,
    "session_id": pl.String,
    "pid": pl.Int32,
}


@dataclass(frozen=True)
class Parsed:
    """What a piece of log says.

    events   one row a line, in the order of the input, with the prefix columns, ``kind``, ``parse_status``, ``message_id``
    lines    for each kind the typed fields of its lines; column ``row`` is the row of `events`
    """

    events: Frame
    lines: dict[str, Frame]


@dataclass
class _Reading:
    """What has been found so far: one code a row, and the tables of the kinds."""

    kinds: list[str]
    kind: np.ndarray
    status: np.ndarray
    tables: dict[str, list[Frame]]


def parse(framed: Frame, grammars: Sequence[Grammar]) -> Parsed:
    """Read framed lines (``syslog.frame``) with the grammars of the systems that wrote them.

    Adds to the columns of `framed`: system, instance, daemon, severity, queue_id, session_id, message_id, kind,
    parse_status; secrets in ``text`` are masked where a grammar knows of any.
    """
    height = framed.height
    reading = _Reading([], np.full(height, -1, np.int16), np.zeros(height, np.int8), {})
    owner = _owners(framed["program"], grammars)
    prefixes: list[tuple[np.ndarray, Frame]] = []
    text = framed["text"]
    for number, grammar in enumerate(grammars):
        rows = np.flatnonzero(owner == number)
        if not len(rows):
            continue
        some = framed.select("program", "pid", "severity", "text")
        some = some if len(rows) == height else some[rows]
        if grammar.redact is not None:
            told = some["text"]
            masked = grammar.redact(told)
            if masked is not told:
                some = some.with_columns(text=masked)
                text = masked if len(rows) == height else text.clone().scatter(rows, masked)
        split = grammar.split(some)
        _read(grammar, split, rows, reading)
        if grammar.second_look is not None:
            split = _look_again(grammar, split, rows, reading)
        prefixes.append((rows, _prefix_columns(split)))
    events = _assemble(framed.with_columns(text=text), owner, grammars, prefixes)
    tables = {kind: _together(frames) for kind, frames in reading.tables.items()}
    return Parsed(_finish(events, owner, reading, tables), tables)


def _owners(programs: pl.Series, grammars: Sequence[Grammar]) -> np.ndarray:
    """The number of the grammar that reads each row, -1 for other programs. Programs are few: each is looked at once."""
    names, which = distinct(programs)
    number = np.full(len(names) + 1, -1, dtype=np.int16)
    for i, grammar in enumerate(grammars):
        fits = names.str.contains(rf"\A(?:{grammar.programs})\z").to_numpy()
        number[:-1][fits & (number[:-1] < 0)] = i
    owner: np.ndarray = number[which]
    return owner


def _read(grammar: Grammar, split: Frame, rows: np.ndarray, reading: _Reading) -> None:
    """Run the shapes over the rows; the lines of each daemon with and without a severity word are a group."""
    names, which = distinct(split["daemon"])
    words, word = distinct(split["severity"])
    loud = np.append(words.is_in(_LOUD).to_numpy(), False)
    daemon = np.array([grammar.number_of(name) for name in [*names.to_list(), ""]], dtype=np.uint16)
    carried = split.select(grammar.carries)
    for hit in grammar.every.read(split["body"], 2 * daemon[which] + loud[word]):
        _note(hit, rows, carried, reading)


def _look_again(grammar: Grammar, split: Frame, rows: np.ndarray, reading: _Reading) -> Frame:
    """Lines that no shape has read, with their prefix cut in another way; where a shape reads them so, that cut stands."""
    assert grammar.second_look is not None  # noqa: S101 (asked only for such grammars)
    left = np.flatnonzero(reading.kind[rows] < 0)
    if not len(left):
        return split
    again = grammar.second_look(split[left])
    changed = (again["body"] != split["body"].gather(left)).fill_null(False).to_numpy()
    if not changed.any():
        return split
    left, again = left[changed], again.filter(pl.Series(changed))
    _read(grammar, again, rows[left], reading)
    read = reading.kind[rows[left]] >= 0
    order = np.arange(split.height)
    order[left[read]] = split.height + np.flatnonzero(read)
    return pl.concat([split, again])[order]


def _note(hit: Hit, rows: np.ndarray, carried: Frame, reading: _Reading) -> None:
    """Keep what a shape has read of the rows of its grammar."""
    kind = hit.shape.kind
    if kind not in reading.kinds:
        reading.kinds.append(kind)
    here = rows[hit.rows]
    reading.kind[here] = reading.kinds.index(kind)
    partial = hit.fields["partial"]
    reading.status[here] = 1 + (partial.fill_null(False) if partial.has_nulls() else partial).to_numpy()
    fields = [column for column in hit.fields if column.name != "partial"]
    names = {column.name for column in fields}
    fields += [column[hit.rows] for column in carried if column.name not in names]
    table = pl.DataFrame([pl.Series("row", here.astype(np.uint32)), *fields])
    reading.tables.setdefault(kind, []).append(table)


def _prefix_columns(split: Frame) -> Frame:
    return split.select(
        *[
            pl.col(name)
            if name in _CODED
            else pl.col(name).cast(kind)
            if name in split.columns
            else pl.lit(None, dtype=kind).alias(name)
            for name, kind in _PREFIX.items()
        ]
    )


_CODED = ("instance", "daemon", "severity")  # of few values, so that each is looked up and none is copied


def _assemble(
    framed: Frame, owner: np.ndarray, grammars: Sequence[Grammar], prefixes: list[tuple[np.ndarray, Frame]]
) -> Frame:
    """The prefix columns of all grammars put beside the lines they belong to."""
    height = framed.height
    rest = np.flatnonzero(owner < 0)
    other = framed[rest].select(
        pl.lit(None, dtype=pl.String).alias("instance"),
        pl.col("program").alias("daemon"),
        "severity",
        pl.lit(None, dtype=pl.String).alias("queue_id"),
        pl.lit(None, dtype=pl.String).alias("session_id"),
        "pid",
    )
    parts = [*prefixes, (rest, other)] if len(rest) else prefixes
    base = framed.drop("severity", "pid")
    base = base.with_columns(
        told_each(base[name]) for name in base.columns if isinstance(base[name].dtype, pl.Categorical)
    )
    columns = [_spread(name, parts, height) for name in _CODED]
    if len(parts) == 1:
        columns += parts[0][1].drop(_CODED).get_columns()
    elif parts:
        place = np.empty(height, dtype=np.uint32)
        place[np.concatenate([rows for rows, _ in parts])] = np.arange(height, dtype=np.uint32)
        columns += pl.concat([frame.drop(_CODED) for _, frame in parts], rechunk=True)[place].get_columns()
    systems = pl.Series("system", [*[grammar.system for grammar in grammars], "other"])
    system = systems.gather(pl.Series(np.where(owner < 0, len(grammars), owner).astype(np.uint32)))
    return base.hstack([*columns, system])


def _spread(name: str, parts: list[tuple[np.ndarray, Frame]], height: int) -> pl.Series:
    """A column of few values, out of the columns of the parts."""
    names: list[pl.Series] = [pl.Series(name, [None], dtype=pl.String)]
    number = np.zeros(height, dtype=np.uint32)
    known = 1
    for rows, frame in parts:
        values, which = distinct(frame[name])
        number[rows] = np.where(which < len(values), which + known, 0)
        names.append(values.cast(pl.String))
        known += len(values)
    return pl.concat(names, rechunk=True).gather(pl.Series(number))


def _together(frames: list[Frame]) -> Frame:
    if len(frames) == 1:
        return frames[0]
    whole = pl.concat(frames, how="diagonal_relaxed", rechunk=True)
    return whole[np.argsort(whole["row"].to_numpy(), kind="stable")]


def _finish(events: Frame, owner: np.ndarray, reading: _Reading, tables: dict[str, Frame]) -> Frame:
    """kind, parse_status and the ids that fields name."""
    names = pl.Series([None, *reading.kinds], dtype=pl.String)
    kind = names.gather(pl.Series((reading.kind + 1).astype(np.uint32)))
    foreign = (owner < 0) & events["framing"].is_not_null().to_numpy()
    status = np.where(foreign, 1, reading.status)
    if events["framing"].null_count():
        indented = events["framing"].is_null() & events["text"].str.contains(r"\A[ \t]")
        status = np.where(indented.to_numpy() & (np.arange(len(status)) > 0), 3, status)
    if "oversize" in events.columns:
        status = np.where(events["oversize"].to_numpy(), 4, status)
    words = pl.Series(STATUSES).gather(pl.Series(status.astype(np.uint32)))
    out = events.with_columns(kind.alias("kind"), words.alias("parse_status"))
    for name in ("message_id", "queue_id", "session_id"):
        said = (
            out[name]
            if name in out.columns
            else pl.Series(name, [None], pl.String).new_from_index(0, out.height)
        )
        out = out.with_columns(_with_fields(said, tables))
    return out


def _with_fields(said: pl.Series, tables: dict[str, Frame]) -> pl.Series:
    """A column of all lines, with what the fields of the kinds that have it say in its place."""
    name = said.name
    holders = [
        table.select("row", pl.col(name).cast(pl.String))
        for table in tables.values()
        if name in table.columns
    ]
    if not holders:
        return said
    told = pl.concat(holders).drop_nulls(name)
    place = np.arange(len(said), dtype=np.uint32)
    place[told["row"].to_numpy()] = np.arange(len(said), len(said) + told.height, dtype=np.uint32)
    return pl.concat([said, told[name]], rechunk=True).gather(pl.Series(place))
