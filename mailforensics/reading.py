"""From paths to events: finds the sources, sets their clocks, reads their pieces on all cores, in order.

What comes out is kept by a sink piece by piece (in memory for a notebook, Parquet files for a log that is
larger than memory), so that memory depends on the size of a piece and never on the size of the log.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import polars as pl

from mailforensics import schema
from mailforensics.engine import Crew
from mailforensics.errors import OptionError
from mailforensics.evidence import clock
from mailforensics.evidence.clock import Clock, Survey
from mailforensics.evidence.lines import Piece, line_frame, pieces
from mailforensics.evidence.source import Found, Source, file_hash
from mailforensics.grammar import grammars, syslog
from mailforensics.grammar.parse import Parsed, parse
from mailforensics.limits import DEFAULT, Limits

Frame = pl.DataFrame
Zones = str | Mapping[str, str] | None
Progress = Callable[[int, int], None]

EVENT_BITS = 40  # an event_id is source_id << 40 | line_number: unique, stable, in reading order


class Sink(Protocol):
    """Where the pieces go: events (columns of the schema) and the fields of each kind, with event_id."""

    def add(self, events: Frame, lines: Mapping[str, Frame]) -> None: ...


@dataclass
class Memory:
    """Keeps everything in memory: what a case in a notebook stands on."""

    events: list[Frame] = field(default_factory=list)
    lines: dict[str, list[Frame]] = field(default_factory=dict)

    def add(self, events: Frame, lines: Mapping[str, Frame]) -> None:
        self.events.append(events)
        for kind, frame in lines.items():
            self.lines.setdefault(kind, []).append(frame)

    def all_events(self) -> Frame:
        return pl.concat(self.events) if self.events else schema.empty("events")

    def all_lines(self) -> dict[str, Frame]:
        return {kind: pl.concat(frames, how="diagonal_relaxed") for kind, frames in self.lines.items()}


# --- Clocks -----------------------------------------------------------------------------------------------------------


@dataclass
class Setting:
    """The clock of a source and how it came about (the words that stand in ``sources``)."""

    clock: Clock
    timezone_method: str
    year_method: str | None


def set_clocks(
    sources: Sequence[Source], surveys: Sequence[Survey], *, timezone: Zones, year: int | None
) -> list[Setting]:
    """Zone and year of each source: given, stated by the stamps, or taken from its neighbours, name or file time."""
    zones = [_zone(source, timezone) for source in sources]
    neighbour = next((s.offset for s in surveys if s.offset), "")
    settings: list[Setting] = []
    ends = _end_years(sources, surveys, year)
    for look, zone, (end, year_method) in zip(surveys, zones, ends, strict=True):
        if zone is not None:
            name, method = zone, "given"
        elif look.offset:
            name, method = clock.fixed_zone(look.offset), "stated"
        elif neighbour:
            name, method = clock.fixed_zone(neighbour), "neighbour"
        else:
            name, method = "UTC", "assumed"
        first_year = None if end is None else end - look.new_years
        settings.append(
            Setting(
                Clock(zone=name, zone_given=zone is not None, year=first_year, year_given=year is not None),
                method,
                year_method if look.last else None,
            )
        )
    return settings


def _zone(source: Source, timezone: Zones) -> str | None:
    """The zone that the user gave for this source."""
    if timezone is None:
        return None
    if isinstance(timezone, str):
        return clock.check_zone(timezone)
    for zone in timezone.values():
        clock.check_zone(zone)
    for pattern, zone in timezone.items():
        name = source.name
        if (
            fnmatch.fnmatch(name, pattern)
            or fnmatch.fnmatch(name, f"*{pattern}*")
            or pattern in name.split(os.sep)
        ):
            return zone
    return None


def _end_years(
    sources: Sequence[Source], surveys: Sequence[Survey], year: int | None
) -> list[tuple[int | None, str]]:
    """The year of the last stamp of each source that has stamps without a year, and how it is known."""
    stated = [(s.stated_from, s.stated_to) for s in surveys if s.stated_from and s.stated_to]
    span = (min(a for a, _ in stated), max(b for _, b in stated)) if stated else None
    ends: list[tuple[int | None, str]] = []
    for source, look in zip(sources, surveys, strict=True):
        ends.append(_end_year(source, look, year, span) if look.last else (None, ""))
    return _walk_back(sources, surveys, ends)


def _end_year(
    source: Source, look: Survey, year: int | None, span: tuple[dt.date, dt.date] | None
) -> tuple[int | None, str]:
    assert look.last is not None  # noqa: S101 (asked only for such sources)
    if year is not None:
        return year, "given"
    last = look.last.replace("Feb 29", "Feb 28")  # whether its year is a leap year is asked later
    if span is not None:
        near = clock.nearest_year(last, *span)
        if near is not None and _close(last, near, span) and clock.fits_leap_days(look, near):
            return near, "neighbours"
    for limit, method in (
        (_date_in_name(source.name), "file_name"),
        (source.gzip_time, "gzip_header"),
        (source.mtime, "file_time"),
    ):
        if limit is not None:
            found = clock.year_not_after(last, limit.replace(tzinfo=None) + dt.timedelta(days=1))
            if found is not None:
                return found, method
    found = clock.year_not_after(last, dt.datetime.now() + dt.timedelta(days=1))
    return found, "today"


def _close(stamp: str, year: int, span: tuple[dt.date, dt.date]) -> bool:
    moment = clock.minute_in_year(stamp, year)
    return moment is not None and span[0] - dt.timedelta(days=60) <= moment.date() <= span[1] + dt.timedelta(
        days=60
    )


_NAME_DATE = re.compile(r"(?<![0-9])(20[0-9]{2})-?([01][0-9])-?([0-3][0-9])(?![0-9])")


def _date_in_name(name: str) -> dt.datetime | None:
    """The date in a file's name such as maillog-20260301 (the day on which logrotate moved it away)."""
    match = _NAME_DATE.search(os.path.basename(name))
    if match is None:
        return None
    try:
        year, month, day = (int(part) for part in match.groups())
        return dt.datetime(year, month, day, 23, 59)
    except ValueError:
        return None


_ROTATION = re.compile(r"(?s)\A(?P<stem>.+?)(?:\.(?P<number>[0-9]{1,4}))?(?:\.(?:gz|bz2|xz|zst|lzma))?\Z")


def rotation(source: Source) -> tuple[str, int]:
    """The rotated set a source belongs to and its age in it: mail.log.2.gz is (.../mail.log, 2)."""
    match = _ROTATION.match(source.name)
    assert match is not None  # noqa: S101 (the pattern fits every name)
    return match["stem"], int(match["number"] or 0)


def _walk_back(
    sources: Sequence[Source], surveys: Sequence[Survey], ends: list[tuple[int | None, str]]
) -> list[tuple[int | None, str]]:
    """Within a rotated set an older file cannot end after a newer one begins; every 29 February wants a leap year."""
    sets: dict[str, list[tuple[int, int]]] = {}
    for index, source in enumerate(sources):
        if ends[index][0] is not None:
            stem, age = rotation(source)
            sets.setdefault(stem, []).append((age, index))
    out = list(ends)
    for members in sets.values():
        indices = [index for _, index in sorted(members)]
        years = _walk([surveys[i] for i in indices], [ends[i] for i in indices])
        for index, end in zip(indices, years, strict=True):
            out[index] = end
    return out


_CENTURY = 8  # the farthest that a leap year can be away, around 1900 and 2100


def _walk(looks: Sequence[Survey], ends: Sequence[tuple[int | None, str]]) -> list[tuple[int | None, str]]:
    """The years of a rotated set, the newest first: the latest in which the whole set has its leap days."""
    newest, method = ends[0]
    assert newest is not None  # noqa: S101 (a set has only sources whose year is known)
    plain = _walked(looks, ends, (newest, method))
    backs = range(_CENTURY + 1) if method not in ("given", "neighbours") else range(1)
    for back in backs:
        walked = _walked(looks, ends, (newest - back, method))
        if all(_fits(look, end) for look, end in zip(looks, walked, strict=True)):
            return [(year, how if year == before else how + clock.MOVED_BACK)
                    for (year, how), (before, _) in zip(walked, plain, strict=True)]  # fmt: skip
    return [_on_its_own(look, end) for look, end in zip(looks, plain, strict=True)]


def _walked(
    looks: Sequence[Survey], ends: Sequence[tuple[int | None, str]], newest: tuple[int | None, str]
) -> list[tuple[int | None, str]]:
    """From the newest file back; one that has a 29 February keeps the year of its own where only that one fits."""
    out = [newest]
    for newer, older, own in zip(looks, looks[1:], ends[1:], strict=False):
        found = _year_before(older, newer, out[-1], own)
        if not _fits(older, found) and _fits(older, own) and (own[0] or 0) < (found[0] or 0):
            found = own
        out.append(found)
    return out


def _fits(look: Survey, end: tuple[int | None, str]) -> bool:
    return end[0] is None or clock.fits_leap_days(look, end[0])


def _on_its_own(look: Survey, end: tuple[int | None, str]) -> tuple[int | None, str]:
    """The last year not after this one in which a source has its leap days; a year that was given stays."""
    year, method = end
    if year is None or _fits(look, end):
        return end
    if method != "given":
        for back in range(1, _CENTURY + 1):
            if clock.fits_leap_days(look, year - back):
                return year - back, method + clock.MOVED_BACK
    return year, method + clock.CONTRADICTED


def _year_before(
    older: Survey, newer: Survey, newer_end: tuple[int | None, str], older_end: tuple[int | None, str]
) -> tuple[int | None, str]:
    if newer_end[0] is None or newer.first is None or older.last is None:
        return older_end
    begins = clock.minute_in_year(newer.first, newer_end[0] - newer.new_years)
    if begins is None:
        return older_end
    found = clock.year_not_after(older.last, begins + dt.timedelta(days=1))
    if found is None or found == older_end[0]:
        return older_end
    return found, "rotation" if newer_end[1] != "given" else "given"


# --- Reading ----------------------------------------------------------------------------------------------------------


def survey_all(found: Found, limits: Limits) -> list[Survey]:
    """A look at each log's stamps."""
    return [
        source.survey(syslog.frame, limits) if source.role == "log" else Survey() for source in found.sources
    ]


def read_logs(
    found: Found,
    sink: Sink,
    *,
    timezone: Zones = None,
    year: int | None = None,
    limits: Limits = DEFAULT,
    progress: Progress | None = None,
    opened_at: dt.datetime | None = None,
    crew: Crew,
) -> Frame:
    """Read all logs into the sink; the rows of ``sources`` come back (those of messages without event counts).

    Raises OptionError for an unknown time zone or a year out of range.
    """
    if year is not None and not 1970 <= year <= 2200:
        raise OptionError(f"The year {year} is out of range: give the year of the newest line, such as 2026.")
    settings = set_clocks(found.sources, survey_all(found, limits), timezone=timezone, year=year)
    hosts = _host_of_folder(found)
    total = sum(source.decompressed_size or source.size for source in found.sources)
    tallies: list[_Tally] = []
    done = 0
    with ThreadPoolExecutor(1) as pool:
        for source, setting in zip(found.sources, settings, strict=True):
            tally = _Tally(source, setting, opened_at)
            tallies.append(tally)
            if source.role == "log":
                hashed = pool.submit(file_hash, source)
                for events, lines in _read_source(source, setting.clock, crew, limits, hosts):
                    sink.add(events, lines)
                    tally.count(events)
                    if progress is not None:
                        progress(done + tally.bytes_read, total)
                source.sha256 = hashed.result()
                done += source.decompressed_size or source.size
            else:
                source.sha256 = file_hash(source)
    return (
        schema.conform("sources", pl.DataFrame([tally.row() for tally in tallies], infer_schema_length=None))
        if tallies
        else schema.empty("sources")
    )


def _host_of_folder(found: Found) -> dict[str, str]:
    """For each folder the host that its syslog files name: Rspamd's and Dovecot's own files beside them name none."""
    hosts: dict[str, set[str]] = {}
    for source in found.sources:
        if source.role != "log":
            continue
        with source.open() as stream:
            head = stream.read(64 * 1024)
        source.limits_hit.clear()
        named = syslog.frame(line_frame(Piece(head, 0, 1)))["host"].drop_nulls()
        if len(named):
            hosts.setdefault(os.path.dirname(source.path), set()).add(str(named.mode().sort()[0]))
    return {folder: next(iter(names)) for folder, names in hosts.items() if len(names) == 1}


def _read_source(
    source: Source, setting: Clock, crew: Crew, limits: Limits, hosts: Mapping[str, str]
) -> Iterator[tuple[Frame, dict[str, Frame]]]:
    """The pieces of one source, parsed on all cores, handed on in order."""
    ahead: deque[Future[Parsed]] = deque()
    host = hosts.get(os.path.dirname(source.path))
    at, line = source.skip_bytes, source.skip_lines + 1
    source.resume_at = (source.skip_bytes, source.skip_lines)
    last: Piece | None = None
    with source.open(limits) as stream:
        stream.skip(at)
        for piece in pieces(stream, byte_offset=at, line_number=line, limits=limits):
            last = piece
            ahead.append(crew.pool.submit(parse_piece, piece, limits))
            if len(ahead) >= crew.count:
                yield _settle(ahead.popleft().result(), source, setting, host)
        if last is not None:
            source.resume_at = _whole_so_far(last)
    while ahead:
        yield _settle(ahead.popleft().result(), source, setting, host)


def _whole_so_far(last: Piece) -> tuple[int, int]:
    """Bytes and lines up to the last line that has its end, after the last piece."""
    if last.stretch:
        return last.byte_offset + last.stretch + 1, last.line_number
    cut = last.data.rfind(b"\n") + 1
    return last.byte_offset + cut, last.line_number - 1 + last.data.count(b"\n")


def parse_piece(piece: Piece, limits: Limits = DEFAULT) -> Parsed:
    """Lines, framing and fields of one piece; times and ids come later, in order."""
    return parse(syslog.frame(line_frame(piece, limits=limits)), grammars())


_MOVED = {"precision": "time_precision"}
_EVENT_COLUMNS = (
    "event_id", "source_id", "line_number", "byte_offset", "byte_length", "time", "time_original", "time_precision",
    "time_method", "host", "program", "instance", "daemon", "system", "pid", "severity", "queue_id", "session_id",
    "message_id", "kind", "parse_status", "text", "framing", "repeated",
)  # fmt: skip


def _settle(
    parsed: Parsed, source: Source, setting: Clock, host: str | None
) -> tuple[Frame, dict[str, Frame]]:
    """Give the rows of a piece their times and ids."""
    events = parsed.events.hstack(setting.read(parsed.events))
    base = source.source_id << EVENT_BITS
    events = events.rename(_MOVED).with_columns(
        (pl.col("line_number") + base).alias("event_id"),
        pl.lit(source.source_id, dtype=pl.Int32).alias("source_id"),
        pl.col("byte_length").cast(pl.Int32, strict=False),
        pl.col("pid").cast(pl.Int64),
        pl.col("time_precision").fill_null("none"),
        pl.col("host").fill_null(pl.lit(host, dtype=pl.String)) if host else pl.col("host"),
    )
    events = events.select(_EVENT_COLUMNS)
    ids = events["event_id"]
    lines = {
        kind: table.select(pl.lit(ids.gather(table["row"])).alias("event_id"), pl.all().exclude("row"))
        for kind, table in parsed.lines.items()
    }
    return events, lines


class _Tally:
    """Counts what came out of a source, for its row in ``sources``."""

    def __init__(self, source: Source, setting: Setting, opened_at: dt.datetime | None) -> None:
        self._source, self._setting = source, setting
        self._opened_at = opened_at
        self.lines = self.events = self.unparsed = self.bytes_read = 0
        self._first: dt.datetime | None = None
        self._last: dt.datetime | None = None
        self._hosts: dict[str, int] = {}
        self._framings: dict[str, int] = {}

    def count(self, events: Frame) -> None:
        self.lines += events.height
        self.events += events.height
        self.unparsed += int(events["parse_status"].is_in(["unparsed", "oversize"]).sum())
        if events.height:
            self.bytes_read = int(events["byte_offset"][-1])
        low, high = events["time"].min(), events["time"].max()
        if isinstance(low, dt.datetime) and isinstance(high, dt.datetime):
            self._first = low if self._first is None else min(low, self._first)
            self._last = high if self._last is None else max(high, self._last)
        for name, counts in (("host", self._hosts), ("framing", self._framings)):
            for value, number in events[name].value_counts().rows():
                if value is not None:
                    counts[value] = counts.get(value, 0) + number

    def row(self) -> dict[str, object]:
        source = self._source
        is_log = source.role == "log"
        return {
            "source_id": source.source_id,
            "path": source.path,
            "member": source.member,
            "sha256": source.sha256,
            "size": source.size,
            "decompressed_size": source.decompressed_size,
            "compression": source.compression or None,
            "format": max(self._framings, key=lambda k: self._framings[k]) if self._framings else source.role,
            "host": max(self._hosts, key=lambda k: self._hosts[k]) if self._hosts else None,
            "timezone": self._setting.clock.zone if is_log else None,
            "timezone_method": self._setting.timezone_method if is_log else None,
            "year_method": self._setting.year_method,
            "time_min": self._first,
            "time_max": self._last,
            "lines": self.lines if is_log else None,
            "events": self.events,
            "unparsed": self.unparsed,
            "limits_hit": list(source.limits_hit),
            "written_at": source.written_at if is_log else None,
            "opened_at": self._opened_at,
            "tool_version": None,
        }


def fields_again(events: Frame) -> dict[str, Frame]:
    """The fields of events read once more from their text: event_id and what each shape captured, by kind."""
    framed = events.select(
        "program", pl.col("pid").cast(pl.Int32), "severity", "text", framing=pl.lit("again")
    )
    tables = parse(framed, grammars()).lines
    ids = events["event_id"]
    return {
        kind: table.select(pl.lit(ids.gather(table["row"])).alias("event_id"), pl.all().exclude("row"))
        for kind, table in tables.items()
    }


def fields_by_event(events: Frame) -> dict[int, dict[str, Any]]:
    """The fields of events, read once more from their text, by event_id."""
    tables = fields_again(events)
    return {row["event_id"]: row for table in tables.values() for row in table.iter_rows(named=True)}


def parse_lines(
    lines: Iterable[str | bytes],
    *,
    timezone: str | None = None,
    year: int | None = None,
    limits: Limits = DEFAULT,
) -> list[dict[str, object]]:
    """The event of each line as a dict: the columns of ``events`` and ``fields``, a dict of what the line's shape captured.

    Lines may be text or bytes, with or without their line end; each gives exactly one event. Stamps without a
    zone are read in `timezone` (UTC if not given), stamps without a year in `year` (no time if not given). Fields that the
    line does not say are left out. Raises OptionError for an unknown time zone.

    >>> event = parse_lines(["Mar  2 10:02:11 mail postfix/qmgr[7]: 3F2A1C0B2: removed"], year=2026)[0]
    >>> event["kind"], event["queue_id"], str(event["time"])
    ('postfix.removed', '3F2A1C0B2', '2026-03-02 10:02:11+00:00')
    """
    data = b"".join(_one_line(line) for line in lines)
    if not data:
        return []
    zone = clock.check_zone(timezone) if timezone else "UTC"
    setting = Clock(zone=zone, zone_given=timezone is not None, year=year, year_given=year is not None)
    parsed = parse_piece(Piece(data, 0, 1), limits)
    events, by_kind = _settle(parsed, Source(path="<lines>", role="log"), setting, None)
    rows: list[dict[str, object]] = [{**row, "fields": {}} for row in events.iter_rows(named=True)]
    for table in by_kind.values():
        for found in table.iter_rows(named=True):
            row = rows[found.pop("event_id") - 1]  # of source 0 the event id is the line number
            row["fields"] = {key: value for key, value in found.items() if value is not None}
    return rows


def _one_line(line: str | bytes) -> bytes:
    raw = line.encode("utf-8", "backslashreplace") if isinstance(line, str) else bytes(line)
    return raw.rstrip(b"\r\n").replace(b"\n", b" ") + b"\n"
