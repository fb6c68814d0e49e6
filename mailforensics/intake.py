"""Evidence into a saved case, piece by piece: what a log that is larger than memory, or a nightly run, goes through.

    mailforensics ingest /var/log/mail.log* -o case/        the first time: everything
    mailforensics ingest /var/log/mail.log* -o case/        the next day: only the bytes that are new

What is new is known by content: a file that grew is read from where it ended, a rotated or compressed file that holds nothing but
known bytes is not read again under its new name. The case changes in one step at the end (``store.py``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from mailforensics import coverage, reading, schema, touched
from mailforensics.aside import TABLES, Aside, read_aside
from mailforensics.case import (
    Case,
    Paths,
    check_zones,
    configs_of,
    domains_of,
    inputs_of,
    refuse_nothing,
    saved_case,
    tool_version,
    versions,
)
from mailforensics.engine import crew
from mailforensics.evidence.config import as_dict
from mailforensics.evidence.source import Found, Source, file_hash, find, forget_copies
from mailforensics.explaining import EXPLAIN
from mailforensics.findings.reported import joined_again
from mailforensics.grammar import syslog
from mailforensics.limits import DEFAULT, Limits
from mailforensics.link.build import Known
from mailforensics.link.hosts import Hosts
from mailforensics.link.log import KINDS
from mailforensics.linking import Shuffle, link_buckets
from mailforensics.reading import Progress, Zones
from mailforensics.show.progress import bar
from mailforensics.store import MANIFEST, OUTLINE, Store, among
from mailforensics.touched import Fresh, Touched

Frame = pl.DataFrame


def ingest(
    paths: Paths,
    folder: str | os.PathLike[str],
    *,
    own: Sequence[str] = (),
    timezone: Zones = None,
    year: int | None = None,
    limits: Limits = DEFAULT,
    progress: Progress | bool | None = None,
    engine: str = "threads",
) -> Case:
    """Read evidence into the case in a folder, new or existing, and return the case.

    Options as for ``open_case``; ``engine`` is who does the work: "threads" of this process, or "dask" (``engine.py``).
    Memory depends on the size of a bucket and not on that of the log. Raises its errors, and CaseError when the folder cannot be used or another process
    writes to it. An ingest that is interrupted leaves the case as it was before.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    check_zones(timezone)
    store = Store.create(folder)
    with store.locked():
        before = Store.open(folder) if (store.folder / MANIFEST).is_file() else None
        try:
            found = find(given, syslog.frame, limits=limits)
            refuse_nothing(found, given)
            known = _Known.of(before)
            known.sort_out(found, limits)
            if before is not None and not found.sources:
                return saved_case(before)
            with bar(progress) as advance:
                return _write(
                    store, before, known, found, own, timezone, year, limits, advance, given, engine
                )
        finally:
            forget_copies()


@dataclass
class _Known:
    """The logs and messages that a case holds already."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    contents: list[dict[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, store: Store | None) -> _Known:
        if store is None:
            return cls()
        return cls(store.read("sources").to_dicts(), [dict(row) for row in store.about.get("contents", [])])

    def sort_out(self, found: Found, limits: Limits) -> None:
        """Keep only what is new: whole sources, or the grown end of one that is known."""
        new: list[Source] = []
        last = max((row["source_id"] for row in self.rows), default=0)
        for source in found.sources:
            grown = self._match(source, limits)
            if grown is None:
                last += 1
                source.source_id = last
                new.append(source)
            elif grown["bytes"] == source.decompressed_size:
                self._moved(grown["source_id"], source)
            else:
                source.source_id = grown["source_id"]
                source.skip_bytes, source.skip_lines = grown["resume"], grown["lines"]
                new.append(source)
        found.sources[:] = new

    def _moved(self, source_id: int, source: Source) -> None:
        """A known log that now lies under another name (rotated, compressed)."""
        for row in self.rows:
            if row["source_id"] == source_id and not (
                os.path.exists(row["path"]) and row["path"] == source.path
            ):
                row |= {
                    "path": source.path,
                    "member": source.member,
                    "size": source.size,
                    "compression": source.compression or None,
                }
                row["sha256"] = file_hash(source)

    def _match(self, source: Source, limits: Limits) -> dict[str, Any] | None:
        """The known content that this source begins with (None: it is new). Of several, the longest."""
        if source.decompressed_size is None:
            source.look_through(limits)
        size = source.decompressed_size or 0
        fitting = sorted(
            (row for row in self.contents if row["bytes"] <= size), key=lambda row: -row["bytes"]
        )
        for row, digest in zip(
            fitting, _prefix_hashes(source, [row["bytes"] for row in fitting], limits), strict=True
        ):
            if row["bytes"] and digest == row["sha256"]:
                return row
        return None


def _prefix_hashes(source: Source, lengths: Sequence[int], limits: Limits) -> list[str]:
    """SHA-256 of the first so many decompressed bytes, for several lengths in one reading."""
    found: dict[int, str] = {}
    wanted = sorted(set(lengths))
    digest, at = hashlib.sha256(), 0
    with source.open(limits) as stream:
        for length in wanted:
            while at < length:
                block = stream.read(min(length - at, 1 << 20))
                if not block:
                    return [found.get(length, "") for length in lengths]
                digest.update(block)
                at += len(block)
            found[length] = digest.copy().hexdigest()
    return [found[length] for length in lengths]


def _write(
    store: Store, before: Store | None, known: _Known, found: Found, own: Sequence[str], timezone: Zones, year: int | None,
    limits: Limits, progress: Progress | None, given: Sequence[object], engine: str,
) -> Case:  # fmt: skip
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    resumed = {source.source_id: source.skip_bytes for source in found.sources if source.skip_bytes}
    fresh, whole = _sizes(found, before)
    grows = before is not None and touched.may_grow(
        before, versions(), {source.role for source in found.sources}, own
    )
    with crew(engine) as workers, ThreadPoolExecutor(2) as pool:
        shuffle = Shuffle.of(store, pool, fresh if grows else whole, whole, Fresh() if grows else None)
        try:
            sources = reading.read_logs(
                found, shuffle, timezone=timezone, year=year, limits=limits, progress=progress, opened_at=now, crew=workers
            )  # fmt: skip
            sources = sources.with_columns(tool_version=pl.lit(tool_version()))
            aside = read_aside(found, own, limits, configs_of(before.about) if before else (), progress)
            documents, other_scans = _documents(before, aside)
            new_parts = shuffle.parts()
            hosts, again = (None, None)
            if before is not None and shuffle.fresh is not None:
                hosts, again = _touched(before, shuffle, shuffle.fresh, resumed)
            if again is None:
                shuffle.widen(whole)
            tables = {"events": _old_parts(store, before, shuffle, resumed, again) + new_parts}
            shuffle.parts()
            facts = Known(
                EXPLAIN, hosts=hosts or shuffle.outline.hosts(), domains=domains_of(aside.configs), other_scans=other_scans,
                files=(documents["documents"], documents["hops"]),
            )  # fmt: skip
            grown = (
                (again.mail, touched.tried_before(before, again))
                if before is not None and again is not None
                else None
            )
            words = [
                store.write(OUTLINE, part, number) for number, part in enumerate(shuffle.outline.words())
            ]
            linked = link_buckets(shuffle.spill, shuffle.outline, facts, workers, store, grown)
        finally:
            shuffle.spill.clear()
    if before is not None and again is not None:
        for name, part in touched.kept_rows(before, again, store.write):
            linked.setdefault(name, []).insert(0, part)
        words = [*before.tables[OUTLINE], *words]
    tables |= linked | {OUTLINE: words}
    documents["dsns"] = joined_again(
        documents["dsns"], *(_table(store, tables, name) for name in ("messages", "deliveries"))
    )
    documents["sources"] = sources = _merged_sources(known, sources, _counted(store, tables["events"]))
    for name, frame in documents.items():
        tables[name] = [store.write(name, schema.conform(name, frame).select(schema.TABLES[name].names))]
    about = _about(before, known, found, aside, timezone, given, sources)
    about["clocks"] = facts.hosts.clocks.to_dicts()
    about["hosts"] = touched.hosts_as_dict(facts.hosts)
    about["coverage"] = coverage.to_json(coverage.survey(_table(store, tables, "events")))
    store.commit(tables, about)
    return saved_case(store)


def _touched(
    before: Store, shuffle: Shuffle, fresh: Fresh, resumed: Mapping[int, int]
) -> tuple[Hosts | None, Touched | None]:
    """What is known of all hosts, and what the new lines touch; None: all is linked again."""
    hosts = touched.grown_hosts(touched.known_hosts(before), shuffle.outline.hosts())
    if hosts is None:
        return None, None
    again = touched.find(before, fresh, pl.concat(shuffle.outline.words()), resumed)
    return (None, None) if again is None else (hosts, again)


def _table(store: Store, tables: dict[str, list[str]], name: str) -> pl.LazyFrame:
    """A table that was written but not yet committed."""
    return store.parts(tables[name]) if tables.get(name) else schema.empty(name).lazy()


def _sizes(found: Found, before: Store | None) -> tuple[int, int]:
    """About how many bytes of log are new, and how many there are with those of the case."""
    fresh = sum((source.decompressed_size or source.size) - source.skip_bytes for source in found.sources)
    old = sum(row["bytes"] for row in before.about.get("contents", [])) if before else 0
    return fresh, fresh + old


def _old_parts(
    store: Store, before: Store | None, shuffle: Shuffle, resumed: Mapping[int, int], again: Touched | None
) -> list[str]:
    """The parts of ``events`` that the case has already; what is linked again of them (None: all) goes to the new lines.

    A last line that was cut when it was read is taken out, it comes again.
    """
    if before is None:
        return []
    cut = touched.stale(resumed)
    kept: list[str] = []
    for number, part in enumerate(before.tables.get("events", []), start=1):
        events = before.parts([part])
        if events.filter(cut).head(1).collect().height:
            part = store.write("events", events.filter(~cut).collect(), 90_000 + number)
        kept.append(part)
        wanted = events.filter(~cut)
        if again is not None:
            wanted = wanted.filter(among("event_id", pl.concat([again.mail_events, again.talk_events])))
        some = wanted.collect()
        if some.height:
            fields = reading.fields_again(some.filter(pl.col("kind").is_in(KINDS)))
            shuffle.keep_old(some, fields, again)
    return kept


def _documents(before: Store | None, aside: Aside) -> tuple[dict[str, Frame], Frame]:
    """The tables of messages and queue listings and the verdicts in headers, old ones included."""
    tables = {name: schema.conform(name, aside.tables[name]) for name in TABLES}
    scans = schema.conform("scans", aside.scans)
    if before is not None:
        old = before.read("scans").filter(pl.col("origin") != "log")
        scans = pl.concat([schema.conform("scans", old), scans], how="diagonal_relaxed")
        tables = {
            name: pl.concat([schema.conform(name, before.read(name)), table], how="diagonal_relaxed")
            for name, table in tables.items()
        }
    return tables, scans


def _merged_sources(known: _Known, fresh: Frame, counted: Frame) -> Frame:
    """The rows of ``sources``: one that grew keeps its number; what came out of each is counted in the events."""
    rows = {row["source_id"]: row for row in known.rows} | {row["source_id"]: row for row in fresh.to_dicts()}
    counts = {row["source_id"]: row for row in counted.to_dicts()}
    for key, row in rows.items():
        row |= counts.get(key, {})
    frame = pl.DataFrame([rows[key] for key in sorted(rows)], infer_schema_length=None)
    return schema.conform("sources", frame)


def _counted(store: Store, parts: Sequence[str]) -> Frame:
    """Lines, events, lines not understood and times per source."""
    if not parts:
        return pl.DataFrame(schema={"source_id": pl.Int32})
    events = store.parts(parts)
    missed = pl.col("parse_status").is_in(["unparsed", "oversize"]).sum().cast(pl.Int64)
    return events.group_by("source_id").agg(
        pl.len().cast(pl.Int64).alias("lines"), pl.len().cast(pl.Int64).alias("events"), missed.alias("unparsed"),
        pl.col("time").min().alias("time_min"), pl.col("time").max().alias("time_max"),
    ).sort("source_id").collect(engine="streaming")  # fmt: skip


def _about(
    before: Store | None, known: _Known, found: Found, aside: Aside, timezone: Zones, given: Iterable[object], sources: Frame
) -> dict[str, Any]:  # fmt: skip
    contents = {row["source_id"]: row for row in known.contents}
    for source in found.sources:
        contents[source.source_id] = _content(source)
    old = before.about if before else {}
    return {
        "tool_version": tool_version(),
        "given": sorted({*old.get("given", []), *(os.fspath(p) for p in given)}),  # type: ignore[call-overload]
        "own": list(aside.own) or old.get("own", []),
        "configs": [as_dict(config) for config in aside.configs],
        "timezone": timezone if isinstance(timezone, str) else old.get("timezone"),
        "left_alone": [list(pair) for pair in found.left_alone],
        "duplicates": [list(pair) for pair in found.duplicates],
        "contents": [contents[key] for key in sorted(contents)],
        "sources": inputs_of(sources),
        "versions": versions(),
    }


def _content(source: Source) -> dict[str, Any]:
    """What was read of a source, so that its growth is known again; a last line without its end is read anew then."""
    resume, lines = source.resume_at
    return {
        "source_id": source.source_id, "bytes": source.decompressed_size or source.size, "sha256": source.content_hash(),
        "resume": resume, "lines": lines,
    }  # fmt: skip
