"""The linked tables of a saved case, bucket by bucket: a log that is larger than memory is linked like a small one.

While pieces of a log are read, what links are made from is kept by lane (queue entries, connections) and bucket (``spill.py``), and
``link/outline.py`` notes which lines must meet. Then the groups that span buckets are moved together, and each bucket is linked and
written on its own, as many at a time as there are workers. A small log has one bucket and goes the same way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from mailforensics import schema
from mailforensics.engine import Crew
from mailforensics.link.build import Known, lanes, link_mail, link_refused, link_talk
from mailforensics.link.log import EVENT_COLUMNS, KINDS, Frame, Log, norm_address
from mailforensics.link.outline import Outline
from mailforensics.spill import ROOM, Spill
from mailforensics.store import SPILL, WIDER_SPILL, Store
from mailforensics.touched import Fresh, Touched

BUCKET_BYTES = 96 * 1024 * 1024  # so much log makes a bucket ...
MOST_BUCKETS = 128  # ... until there are so many; then they grow
THIN_BYTES = 2 * 1024**3  # of a log that is larger, not every queue entry is asked for its host's clock

Parts = dict[str, list[str]]


def buckets_for(size: int) -> int:
    """How many buckets a log of so many bytes is linked in."""
    return min(max(round(size / BUCKET_BYTES), 1), MOST_BUCKETS)


@dataclass
class Shuffle:
    """The sink of an ingest: events go to disk at once, what links are made from into the buckets."""

    store: Store
    spill: Spill
    outline: Outline
    pool: Executor
    fresh: Fresh | None = None
    events: list[Future[str]] = field(default_factory=list)
    _open: deque[Future[None]] = field(default_factory=deque)

    @classmethod
    def of(cls, store: Store, pool: Executor, size: int, whole: int, fresh: Fresh | None) -> Shuffle:
        """A sink for about so many bytes of log, of so many in the whole case; `fresh` notes what the new lines tell of."""
        buckets = buckets_for(size)
        spill = Spill(store.folder / SPILL, buckets, ROOM)
        return cls(store, spill, Outline(buckets, 1 + whole // THIN_BYTES, wordy=True), pool, fresh)

    def widen(self, size: int) -> None:
        """Make room for the buckets of a log of about so many bytes, more than was thought."""
        self.parts()
        buckets = buckets_for(size)
        if buckets <= self.spill.buckets:
            return
        wider = Spill(self.store.folder / WIDER_SPILL, buckets, ROOM)
        for lane in ("mail", "talk"):
            for name, frame in self.spill.each(lane):
                wider.put(lane, {name: frame})
        self.spill.clear()
        self.spill, self.outline.buckets = wider, buckets

    def add(self, events: Frame, lines: Mapping[str, Frame]) -> None:
        """Take a piece in; waits when the disk cannot keep up."""
        names = [c for c in schema.TABLES["events"].names if c in events.columns]
        number = len(self.events) + 1
        self.events.append(self.pool.submit(self.store.write, "events", events.select(names), number))
        self.keep(events, lines)
        if number > 4:
            self.events[number - 4].result()

    def keep(self, events: Frame, lines: Mapping[str, Frame]) -> None:
        """Sort what links are made from into the buckets."""
        self._submit(events, lines, self.fresh)

    def keep_old(self, events: Frame, lines: Mapping[str, Frame], touched: Touched | None) -> None:
        """The same with lines that the case has already: all of them, or those that new lines touch."""
        self._submit(events, lines, None, touched)

    def _submit(
        self,
        events: Frame,
        lines: Mapping[str, Frame],
        fresh: Fresh | None,
        touched: Touched | None = None,
    ) -> None:
        slim = events.select(*EVENT_COLUMNS, "message_id")
        mine = {kind: lines[kind] for kind in KINDS if kind in lines}
        self._open.append(self.pool.submit(self._keep, slim, mine, fresh, touched))
        while len(self._open) > 3:
            self._open.popleft().result()

    def _keep(
        self,
        events: Frame,
        lines: Mapping[str, Frame],
        fresh: Fresh | None,
        touched: Touched | None,
    ) -> None:
        both = lanes(Log.of(events, lines))
        if fresh is not None:
            fresh.note(both)
        mail, talk = both if touched is None else touched.only(both)
        self.outline.add(mail)
        self.spill.put("mail", _tables(mail))
        self.spill.put("talk", _tables(talk))

    def parts(self) -> list[str]:
        """The parts of ``events`` that were written, when all is done."""
        while self._open:
            self._open.popleft().result()
        return [part.result() for part in self.events]


_EVENTS = "events"  # the name under which events stand among the tables of a lane


def _tables(log: Log) -> dict[str, Frame]:
    """Events and lines, each line with the node of its event."""
    lines = {kind: log.kind(kind, "node") for kind in log.lines}
    return {_EVENTS: log.events, **lines}


def _log(tables: dict[str, Frame]) -> Log:
    events = tables.pop(_EVENTS, None)
    if events is None:
        events = schema.empty("events").select(EVENT_COLUMNS)
    return Log.of(events, tables)


def link_buckets(
    spill: Spill,
    outline: Outline,
    known: Known,
    crew: Crew,
    store: Store,
    grown: tuple[pl.Series, Frame] | None = None,
) -> Parts:
    """Link all buckets and write the tables; the parts of each are returned.

    Of a case that grew (`grown`) only some lines are here: the nodes of the mail that they tell of, and the tries that failed of all other.
    """
    if spill.buckets > 1:
        moves = outline.moves(_ids(known))
        _move(spill, moves)
    else:
        moves = pl.DataFrame(schema={"node": pl.UInt64, "bucket": pl.UInt64})
    outline.forget()
    if not crew.here:
        spill.settle()
    parts: Parts = {}
    asked: list[pl.Series] = []

    def each(task: Callable[..., tuple[Parts, Any]], *given: Any) -> Iterable[tuple[int, Any]]:
        waiting = [crew.pool.submit(task, spill, bucket, store, *given) for bucket in range(spill.buckets)]
        for bucket, done in enumerate(waiting):
            written, more = done.result()
            waiting[bucket] = Future()  # lets go of what it returned
            for name, some in written.items():
                parts.setdefault(name, []).extend(some)
            yield bucket, more

    for bucket, (brought, refused) in each(_talk, known):
        here = brought if grown is None else brought.filter(pl.col("node").is_in(grown[0].implode()))
        _bring(spill, here, moves)
        spill.put("refused", {"refused": refused}, bucket)
        asked.append(_to(refused).unique())
    if not crew.here:
        spill.settle()
    failed: list[Frame] = [] if grown is None else [grown[1]]
    for _, tries in each(_mail, known, pl.concat(asked).unique()):
        failed.append(tries)
    for _ in each(_refused, pl.concat(failed)):
        pass
    return parts


def _to(refused: Frame) -> pl.Series:
    """The recipients of refused mail, as numbers."""
    return refused.select(norm_address(pl.col("recipient")).hash().alias("to"))["to"].drop_nulls()


def _ids(known: Known) -> Frame:
    """The queue ids that stand in the Received fields of message files."""
    if known.files is None:
        return pl.DataFrame(schema={"document_id": pl.Int64, "id": pl.String})
    return known.files[1].select("document_id", "id")


def _move(spill: Spill, moves: Frame) -> None:
    """Bring the groups together: their rows go to the bucket of the group, and each bucket learns what went away."""
    gone = moves.with_columns(old=pl.col("node") % spill.buckets).partition_by("old", as_dict=True)
    if spill.folder.is_dir():
        spill.settle()  # either all of it lies on disk, or all in memory: what is put now is not met again
        for (bucket,), mine in gone.items():
            tables: dict[str, list[Frame]] = {}
            for name, frame in spill.each("mail", int(bucket)):
                tables.setdefault(name, []).append(
                    frame.join(mine.drop("old"), on="node", maintain_order="left")
                )
            for name, frames in tables.items():
                _hand_on(spill, name, pl.concat(frames, how="diagonal_relaxed"))
    else:
        for name, frame in spill.each("mail"):
            _hand_on(spill, name, frame.join(moves, on="node", maintain_order="left"))
    for (bucket,), mine in gone.items():
        spill.put("gone", {"gone": mine.select("node")}, int(bucket))


def _hand_on(spill: Spill, name: str, rows: Frame) -> None:
    for (bucket,), part in rows.partition_by("bucket", as_dict=True, include_key=False).items():
        spill.put("moved", {name: part}, int(bucket))


def _bring(spill: Spill, brought: Frame, moves: Frame) -> None:
    """What a connection says of the messages that it brought goes to their buckets."""
    rows = brought.join(moves, on="node", how="left").with_columns(
        bucket=pl.coalesce("bucket", pl.col("node") % spill.buckets)
    )
    _hand_on(spill, "brought", rows)


# --- Tasks ------------------------------------------------------------------------------------------------------------


def _talk(spill: Spill, bucket: int, store: Store, known: Known) -> tuple[Parts, tuple[Frame, Frame]]:
    tables, brought, refused = link_talk(_log(spill.get("talk", bucket)), known)
    return _write(store, tables, spill.buckets + bucket), (brought, refused)


def _mail(spill: Spill, bucket: int, store: Store, known: Known, asked: pl.Series) -> tuple[Parts, Frame]:
    tables = spill.get("mail", bucket)
    gone = spill.get("gone", bucket).get("gone")
    if gone is not None:
        tables = {
            name: table.join(gone, on="node", how="anti", maintain_order="left")
            for name, table in tables.items()
        }
    for name, table in spill.get("moved", bucket).items():
        tables[name] = pl.concat([tables[name], table], how="diagonal_relaxed") if name in tables else table
    if bucket > 0:
        known = replace(known, other_scans=None)  # they belong to no line, and are told once
    found, tried = link_mail(_log(tables), known)
    return _write(store, found, bucket), tried.filter(pl.col("to").hash().is_in(asked.implode()))


def _refused(spill: Spill, bucket: int, store: Store, failed: Frame) -> tuple[Parts, None]:
    refused = spill.get("refused", bucket).get("refused")
    if refused is None:
        return {}, None
    return _write(store, {"journeys": link_refused(refused, failed)}, spill.buckets + bucket), None


def _write(store: Store, tables: Mapping[str, Frame], number: int) -> Parts:
    parts: Parts = {}
    for name, frame in tables.items():
        if frame.height:
            whole = schema.ordered(name, schema.conform(name, frame)).select(schema.TABLES[name].names)
            parts[name] = [store.write(name, whole, number + 1)]
    return parts
