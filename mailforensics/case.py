"""A Case: the tables of one investigation, what was read to make them, and the questions one can ask.

case = mf.open_case("sample_data/lost-in-sieve")
case                                            what was read, what it covers, what was not understood
case.table("deliveries")                        a pyarrow.Table; .frame() is pandas, .scan() polars
case.trace(to="bob@example.org")                where is my mail?
case.save("case/"); mf.open_case("case/")       Parquet tables, opened again without parsing
"""

from __future__ import annotations

import datetime as dt
import os
import platform
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl
import pyarrow as pa

from mailforensics import coverage, reading, schema
from mailforensics.engine import crew
from mailforensics.errors import EvidenceError, NoEvidenceError, OptionError
from mailforensics.evidence.config import ServerConfig, as_dict
from mailforensics.limits import DEFAULT, Limits
from mailforensics.reading import Memory, Progress, Zones
from mailforensics.show.progress import bar
from mailforensics.store import MANIFEST, Store, among

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from mailforensics.evidence.source import Found
    from mailforensics.findings.summary import MailSummary
    from mailforensics.headers.resolver import Resolver
    from mailforensics.trace import Trace

Frame = pl.DataFrame
T = TypeVar("T")
Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

LINKED_TABLES = (
    "messages",
    "deliveries",
    "rejects",
    "sessions",
    "scans",
    "mailbox_events",
    "journeys",
    "dsns",
)


def open_case(
    paths: Paths,
    *,
    own: Sequence[str] = (),
    timezone: Zones = None,
    year: int | None = None,
    limits: Limits = DEFAULT,
    progress: Progress | bool | None = None,
    engine: str = "threads",
) -> Case:
    """Open evidence, or a case saved before.

    paths      files, folders, globs, ``-`` for standard input, or the folder of a saved case
    own        networks and host names that are yours: only what they wrote in a header counts as seen
    timezone   the zone of stamps that state none: one name for all, or {path pattern: name}
    year       the year of the newest stamp, for logs whose stamps have none
    progress   True for a bar, or a function that is called with (bytes read, bytes in all)
    engine     who parses the pieces of the logs: "threads" of this process, or "dask", the workers of a cluster

    Raises EvidenceError for a path that is not there or cannot be read, NoEvidenceError when nothing in it is mail
    evidence, OptionError for an unknown zone or year, CaseError for a damaged saved case.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not given:
        raise EvidenceError("No evidence was given: name a log, a message, a folder or a saved case.")
    if len(given) == 1 and (Path(given[0]) / MANIFEST).is_file():
        return saved_case(Store.open(given[0]))
    from mailforensics.evidence.source import find, forget_copies
    from mailforensics.grammar import syslog

    check_zones(timezone)
    try:
        found = find(given, syslog.frame, limits=limits)
        refuse_nothing(found, given)
        with bar(progress) as advance:
            return _read(found, own, timezone, year, limits, advance, engine, [os.fspath(p) for p in given])
    finally:
        forget_copies()


def check_zones(timezone: Zones) -> None:
    """Raise OptionError when one of the zones does not exist."""
    from mailforensics.evidence.clock import check_zone

    for zone in [timezone] if isinstance(timezone, str) else (timezone or {}).values():
        check_zone(zone)


def refuse_nothing(found: Found, given: Sequence[object]) -> None:
    """Raise NoEvidenceError, with the reasons, when nothing of what was given is evidence."""
    if found.sources:
        return
    if not found.left_alone:
        raise NoEvidenceError(f"There is nothing in {', '.join(map(str, given))}: the folder holds no files.")
    reasons = "; ".join(f"{path}: {why}" for path, why in found.left_alone[:5])
    more = f" (and {len(found.left_alone) - 5} more)" if len(found.left_alone) > 5 else ""
    raise NoEvidenceError(
        f"Nothing here is mail evidence. {reasons}{more}. Give a mail log (such as /var/log/mail.log) or a message (.eml)."
    )


def _read(
    found: Found, own: Sequence[str], timezone: Zones, year: int | None, limits: Limits, progress: Progress | None,
    engine: str, given: Sequence[str],
) -> Case:  # fmt: skip
    from mailforensics.aside import read_aside

    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    memory = Memory()
    with crew(engine) as workers:
        sources = reading.read_logs(
            found, memory, timezone=timezone, year=year, limits=limits, progress=progress, opened_at=now, crew=workers
        )  # fmt: skip
    aside = read_aside(found, own, limits, progress=progress)
    sources = sources.with_columns(tool_version=pl.lit(tool_version()))
    dsns = aside.tables.pop("dsns")
    return Case(
        frames={"sources": sources, "events": memory.all_events(), **aside.tables},
        lines=memory.all_lines(),
        dsns=dsns,
        other_scans=aside.scans,
        configs=aside.configs,
        own=aside.own,
        timezone=timezone if isinstance(timezone, str) else None,
        left_alone=found.left_alone,
        duplicates=found.duplicates,
        given=given,
    )


def tool_version() -> str:
    """The version of this toolkit ("0" when it runs from a folder that was never installed)."""
    try:
        return version("mailforensics-notebooks")
    except PackageNotFoundError:
        return "0"


class Case:
    """The tables of one investigation. Made by ``mailforensics.open_case``; not to be called by hand.

    Tables are read or made when they are asked for. ``case.summary()`` says what was read and what was not understood.
    """

    def __init__(
        self,
        *,
        frames: Mapping[str, Frame] | None = None,
        lines: Mapping[str, Frame] | None = None,
        other_scans: Frame | None = None,
        dsns: Frame | None = None,
        configs: Sequence[ServerConfig] = (),
        own: Sequence[str] = (),
        timezone: str | None = None,
        left_alone: Sequence[tuple[str, str]] = (),
        duplicates: Sequence[tuple[str, str]] = (),
        given: Sequence[str] = (),
        store: Store | None = None,
    ) -> None:
        self._frames: dict[str, Frame] = dict(frames or {})
        self._lines: dict[str, Frame] = dict(lines or {})
        self._other_scans = other_scans
        self._dsns = schema.empty("dsns") if dsns is None else dsns
        self.configs = tuple(configs)
        self._kinds: list[str] | None = None
        self._kept: dict[str, Any] = {}
        self._store = store
        self.own = tuple(own)
        self.given = tuple(given)
        self._timezone = timezone
        self.left_alone = tuple(left_alone)
        self.duplicates = tuple(duplicates)

    # --- tables -------------------------------------------------------------------------------------------------------

    def polars(self, name: str) -> Frame:
        """A table as a polars frame, closed vocabularies as plain strings."""
        schema.table(name)
        if name not in self._frames:
            if self._store is not None:
                self._frames[name] = schema.ordered(name, schema.conform(name, self._store.read(name)))
            elif name in LINKED_TABLES:
                self._link()
            else:
                return schema.empty(name)
        return self._frames[name]

    def table(self, name: str) -> pa.Table:
        """A table by its name, as ``pyarrow.Table`` with the schema that ``mailforensics.schema`` gives it.

        Raises OptionError, naming the tables there are, for a name that is none.
        """
        frame = self.polars(name)
        return schema.to_table(name, frame.select(c for c in schema.TABLES[name].names if c in frame.columns))

    def frame(self, name: str) -> pd.DataFrame:
        """A table as a pandas DataFrame (Arrow-backed where pandas can hold it so)."""
        frame: pd.DataFrame = self.table(name).to_pandas()
        return frame

    def scan(self, name: str) -> pl.LazyFrame:
        """A table as a polars LazyFrame; of a saved case only what the query needs is read."""
        schema.table(name)
        if self._store is not None and name not in self._frames:
            return self._store.scan(name)
        frame = self.polars(name)
        return frame.select(c for c in schema.TABLES[name].names if c in frame.columns).lazy()

    def rows(self, name: str, key: str, values: Iterable[int], *columns: str) -> Frame:
        """The rows of a table whose key is one of some numbers; of a saved case only the parts that can hold them are read.

        ``columns`` are those that are wanted, all by default.
        """
        table = self.scan(name).filter(among(key, values))
        found = (table.select(columns) if columns else table).collect()
        return schema.ordered(name, found) if not columns else found

    def readable(self) -> AbstractContextManager[None]:
        """Tables of a saved case are read as questions need them; within this a damaged part raises CaseError."""
        return self._store.readable() if self._store is not None else nullcontext()

    def kept(self, name: str, make: Callable[[Any], T]) -> T:
        """An answer that is made once, from what a saved case keeps under its name (None: nothing)."""
        if name not in self._kept:
            self._kept[name] = make(self._store.about.get(name) if self._store is not None else None)
        answer: T = self._kept[name]
        return answer

    @property
    def delimiters(self) -> tuple[str, ...]:
        """What parts a user from a detail (``alex+news``): recipient_delimiter of saved configuration, else a plus."""
        known = {
            char
            for config in self.configs
            if config.system == "postfix"
            for char in config.value("recipient_delimiter")
        }
        return tuple(sorted(known)) or ("+",)

    @property
    def clocks(self) -> Frame:
        """How far the clocks of hosts are apart, from mail that one handed to another: host, to_host, offset_s, pairs.

        ``offset_s`` are the seconds by which the clock of `host` is ahead of that of `to_host`; 0 where they agree within ten.
        """
        from mailforensics.link.hosts import CLOCKS

        if self._store is None and "clocks" not in self._kept and "messages" not in self._frames:
            self._link()
        return self.kept("clocks", lambda rows: pl.DataFrame(rows or [], schema=CLOCKS, orient="row"))

    @property
    def kinds(self) -> list[str]:
        """The kinds of line that the evidence holds."""
        if self._kinds is None:
            self._kinds = (
                self.scan("events")
                .select(pl.col("kind").unique())
                .collect()["kind"]
                .drop_nulls()
                .sort()
                .to_list()
            )
        return self._kinds

    def lines(self, kind: str) -> pa.Table:
        """The lines of one kind (``postfix.delivery``) with the typed fields that its shape captures.

        Raises OptionError when the evidence has no such kind of line.
        """
        return self.kind(kind).to_arrow()

    def kind(self, kind: str) -> Frame:
        """The same as a polars frame; of a saved case the lines are read again from their text."""
        if kind not in self.kinds:
            near = [name for name in self.kinds if kind.split(".")[-1] in name]
            raise OptionError(
                f"There is no line of kind {kind!r} in this case. There are {', '.join((near or self.kinds)[:8]) or 'none'}."
            )
        if kind not in self._lines:
            self._lines[kind] = reading.fields_again(
                self.scan("events").filter(pl.col("kind") == kind).collect()
            )[kind]
        return self._lines[kind]

    def fields(self, event_ids: Iterable[int]) -> dict[int, dict[str, Any]]:
        """The typed fields of some events, by event_id."""
        return reading.fields_by_event(self.rows("events", "event_id", event_ids))

    def fields_of(self, event_ids: Iterable[int], kind: str) -> Frame:
        """The same for events of one kind, as a polars frame."""
        lines = reading.fields_again(self.rows("events", "event_id", event_ids))
        return lines.get(kind, pl.DataFrame(schema={"event_id": pl.Int64}))

    def _link(self) -> None:
        from mailforensics.explaining import EXPLAIN
        from mailforensics.findings.reported import joined_again
        from mailforensics.link.build import Known, link
        from mailforensics.link.log import Log

        files = (self.polars("documents"), self.polars("hops"))
        known = Known(EXPLAIN, domains=domains_of(self.configs), other_scans=self._other_scans, files=files)
        tables, hosts = link(Log.of(self.polars("events"), self._lines), known)
        self._kept["clocks"] = hosts.clocks
        tables["dsns"] = joined_again(self._dsns, tables["messages"].lazy(), tables["deliveries"].lazy())
        for name, frame in tables.items():
            self._frames[name] = schema.ordered(name, schema.conform(name, frame))

    # --- questions ----------------------------------------------------------------------------------------------------

    def trace(self, **question: Any) -> Trace:
        """Where is my mail? The journeys that match, each recipient's fate, and every step with its line.

        to, sender           an address or a part of one
        message_id, queue_id, subject    the whole or a part
        client, relay        name or address of the client that brought it, or of a server it was handed to
        user                 the account that logged in to send it
        reply                words of a reply
        since, until         local time: "2026-03-01 10:00", "10:00" (on the newest day), a date, or a datetime

        All that are given must hold. Raises OptionError for an unknown question or a time that cannot be read.
        """
        from mailforensics.trace import trace

        return trace(self, **question)

    def search(self, **question: Any) -> pa.Table:
        """The mail that matches, as a table, newest first: the questions are those of ``trace``.

        Columns: journey_key, first_time, last_time, sender, recipients, message_id, outcomes (as words).
        """
        found = self.trace(**question).found
        words = pl.col("outcomes").list.eval(pl.element().struct.field("outcome")).alias("outcomes")
        columns = ("journey_key", "first_time", "last_time", "sender", "recipients", "message_id")
        return found.select(*columns, words).to_arrow()

    def findings(self, severity: str | None = None, *, geo: str | os.PathLike[str] | None = None) -> pa.Table:
        """All answers worth a sentence, the worst first: lost mail, incidents, clocks, gaps, contradictions in headers.

        severity   the least that is told: "info" (all, as by default), "notice", "warning" or "high"
        geo        path of a country database in MaxMind's format (.mmdb): accounts that log in from several countries within a
                   day are told, too; needs the extra ``geo``

        A ``pyarrow.Table`` with the columns of ``findings``. Raises OptionError for another severity, and for a database
        that cannot be read.
        """
        from mailforensics.answers import findings

        return findings(self, severity, geo=geo)

    def traffic(self) -> MailSummary:
        """What went through the mail system: the numbers that pflogsumm reports, as frames (``totals``, ``days``, ...).

        ``mailforensics.findings.summary.as_text`` makes the report of them that postmasters know.
        """
        from mailforensics.answers import traffic

        return traffic(self)

    def why(self, message_key: int) -> list[dict[str, Any]]:
        """What slowed or stopped one message (a ``message_key`` of ``messages``), in the order of time.

        Each row has time, recipient, status, cause, sentence and evidence (event_ids). Raises OptionError when there is
        no such message.
        """
        from mailforensics.answers import why

        return why(self, message_key)

    def sql(self, query: str) -> pa.Table:
        """The answer of DuckDB to an SQL query over all tables (``select * from deliveries``), as ``pyarrow.Table``.

        DuckDB reads the tables where they are; it cannot read or write files, nor reach the network, from such a query.
        Raises OptionError when DuckDB is not installed, or when it does not understand the query.
        """
        from mailforensics.sql import query_tables

        return query_tables(query, self.table)

    def plot(self, name: str = "coverage", table: str | None = None, **options: Any) -> Axes:
        """Draw a picture of the case: coverage, causes, deferrals, delay_parts, logins, queue_length, retries, rhythm, scores.

        ``table`` names another table than the usual one; ``options`` are those of the function in
        ``mailforensics.show.plots``. Raises OptionError for a picture that there is not.
        """
        from mailforensics.show import plots

        if name == "coverage":
            return plots.coverage(self.summary(), **options)
        return plots.draw(name, table, self.table, self.zone, **options)

    @property
    def zone(self) -> str:
        """The zone that times are shown in: the one given, else the one most sources were read in."""
        if self._timezone:
            return self._timezone
        zones = self.polars("sources")["timezone"].drop_nulls().to_list()
        return Counter(zones).most_common(1)[0][0] if zones else "UTC"

    def summary(self) -> dict[str, Any]:
        """What was read and what it amounts to: sources, hosts, time covered, counts, lines not understood, gaps."""
        from mailforensics.coverage import summary

        return summary(self)

    def report(
        self,
        path: str | os.PathLike[str],
        *,
        traces: Iterable[Trace] = (),
        messages: Paths = (),
        sections: Sequence[str] | None = None,
        title: str = "Mail report",
        format: str | None = None,
    ) -> Path:
        """Write a report and return its path: one HTML file that fetches nothing when it is opened, PDF, Markdown or XLSX.

        traces     answers of ``trace`` to tell in it
        messages   message files whose headers to show
        sections   summary, traces, incidents, refusals, delays, spam, messages, evidence, not_understood, method, and
                   those that installed packages add; all by default
        format     html, md, pdf (needs the extra ``pdf``) or xlsx (the tables, a sheet each); by default what the name ends with

        Raises OptionError for an unknown section or format, EvidenceError where a message cannot be read or the file
        cannot be written. The same evidence gives the same bytes.
        """
        from mailforensics.headers.message import read_headers
        from mailforensics.show import export, report

        files = [messages] if isinstance(messages, str | os.PathLike) else messages
        read = [
            export.message_answer(read_headers(Path(file), own=list(self.own)), self.zone) for file in files
        ]
        return report.write(
            self, path, traces=list(traces), messages=read, sections=sections, title=title, format=format
        )

    def __repr__(self) -> str:
        from mailforensics.show import text

        return text.summary(self.summary())

    def _repr_html_(self) -> str:
        from mailforensics.show import html

        return html.summary(self.summary())

    def pseudonymise(self, *, key: bytes | str, keep_domains: Iterable[str] = ()) -> Case:
        """The same case with pseudonyms for persons, hosts and texts, to share; everything joins as before.

        key            16 bytes or more that you keep to yourself (``mailforensics.privacy.read_key``); the same key gives
                       the same pseudonyms
        keep_domains   domains, your own say, whose names may stay

        Raises OptionError where the key is too short. See docs/how-to/share-without-names.md for what is replaced by what.
        """
        from mailforensics.privacy import pseudonymise

        return pseudonymise(self, key, keep_domains)[0]

    def keep(self, resolver: Resolver) -> None:
        """Keep what a resolver asked and heard: it goes into ``dns_records``, and with ``save`` into the saved case.

        An answer that the case holds already stays. ``mf.Resolver.replay(case)`` then gives the same answers without
        asking.

        resolver   an ``mf.Resolver`` that was asked something
        """
        heard = pl.DataFrame(pl.from_arrow(resolver.records))
        both = pl.concat([self.polars("dns_records"), schema.conform("dns_records", heard)])
        self._frames["dns_records"] = both.unique(["question", "type"], keep="first", maintain_order=True)

    # --- keeping ------------------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the case as a folder of Parquet tables and a manifest; ``open_case`` reads it without parsing.

        The case appears whole or not at all; one that stands there already is replaced. A folder that holds other files
        is refused (CaseError).
        """
        store = Store.create(path)
        with store.locked():
            parts = {name: [store.write(name, self._public(name))] for name in schema.TABLES}
            store.commit(parts, self.about())
        return store.folder

    def _public(self, name: str) -> Frame:
        frame = self.polars(name)
        return frame.select(c for c in schema.TABLES[name].names if c in frame.columns)

    def about(self) -> dict[str, Any]:
        """How the case was made, as its manifest says it."""
        return {
            "tool_version": tool_version(),
            "given": list(self.given),
            "own": list(self.own),
            "configs": [as_dict(config) for config in self.configs],
            "timezone": self._timezone,
            "left_alone": [list(pair) for pair in self.left_alone],
            "duplicates": [list(pair) for pair in self.duplicates],
            "sources": inputs_of(self.polars("sources")),
            "clocks": self.clocks.to_dicts(),
            "coverage": coverage.to_json(coverage.covered(self)),
            "versions": versions(),
        }


def inputs_of(sources: Frame) -> list[dict[str, Any]]:
    """What a manifest says of each source: what it was before it was read, and which zone and year were assumed."""
    columns = ("path", "member", "sha256", "size", "timezone", "timezone_method", "year_method")
    return sources.select(columns).to_dicts()


def versions() -> dict[str, str]:
    """What read the evidence: this toolkit, Python, and the engine."""
    return {
        "mailforensics": tool_version(),
        "python": platform.python_version(),
        "polars": pl.__version__,
        "pyarrow": pa.__version__,
    }


def saved_case(store: Store) -> Case:
    """The case that a store holds."""
    about = store.about
    return Case(
        own=about.get("own", ()),
        configs=configs_of(about),
        timezone=about.get("timezone"),
        left_alone=[(a, b) for a, b in about.get("left_alone", [])],
        duplicates=[(a, b) for a, b in about.get("duplicates", [])],
        given=about.get("given", ()),
        store=store,
    )


def configs_of(about: Mapping[str, Any]) -> list[ServerConfig]:
    """The saved configuration that a manifest keeps."""
    return [ServerConfig(row["system"], row["path"], row["settings"]) for row in about.get("configs", [])]


def domains_of(configs: Iterable[ServerConfig]) -> list[str]:
    """The domains that end on our servers, as saved configuration says."""
    return sorted({domain for config in configs for domain in config.domains})
