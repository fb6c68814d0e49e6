"""A Case: the tables of one investigation, what was read to make them, and the questions one can ask.

case = mf.open_case("sample_data/lost-in-sieve")
case                                            what was read, what it covers, what was not understood
case.table("deliveries")                        a pyarrow.Table; .frame() is pandas, .scan() polars
case.trace(to="bob@example.org")                where is my mail?
case.save("case/"); mf.open_case("case/")       Parquet tables, opened again without parsing
"""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa

from mailforensics import reading, schema
from mailforensics.errors import CaseError, EvidenceError, NoEvidenceError, OptionError
from mailforensics.evidence import mailbox
from mailforensics.evidence.source import Found, find, forget_stdin
from mailforensics.findings.causes import classify_frame
from mailforensics.grammar import syslog
from mailforensics.headers.message import read_messages
from mailforensics.limits import DEFAULT, Limits
from mailforensics.link.build import link
from mailforensics.link.log import Log
from mailforensics.reading import Memory, Progress, Zones

if TYPE_CHECKING:
    import pandas as pd

    from mailforensics.trace import Trace

Frame = pl.DataFrame
Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]

MANIFEST = "manifest.json"
CASE_FORMAT = 1

DOCUMENT_TABLES = ("documents", "headers", "hops", "auth_results")
LINKED_TABLES = ("messages", "deliveries", "rejects", "sessions", "scans", "mailbox_events", "journeys")


def open_case(
    paths: Paths,
    *,
    own: Sequence[str] = (),
    timezone: Zones = None,
    year: int | None = None,
    limits: Limits = DEFAULT,
    progress: Progress | None = None,
) -> Case:
    """Open evidence, or a case saved before.

    paths      files, folders, globs, ``-`` for standard input, or the folder of a saved case
    own        networks and host names that are yours: only what they wrote in a header counts as seen
    timezone   the zone of stamps that state none: one name for all, or {path pattern: name}
    year       the year of the newest stamp, for logs whose stamps have none
    progress   called with (bytes read, bytes in all) while logs are read

    Raises EvidenceError for a path that is not there or cannot be read, NoEvidenceError when nothing in it is mail
    evidence, OptionError for an unknown zone or year, CaseError for a damaged saved case.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    if not given:
        raise EvidenceError("No evidence was given: name a log, a message, a folder or a saved case.")
    if len(given) == 1 and (Path(given[0]) / MANIFEST).is_file():
        return _open_saved(Path(given[0]))
    _check_zones(timezone)
    try:
        found = find(given, syslog.frame, limits=limits)
        _refuse_nothing(found, given)
        return _read(found, own, timezone, year, limits, progress, [os.fspath(p) for p in given])
    finally:
        forget_stdin()


def _check_zones(timezone: Zones) -> None:
    from mailforensics.evidence.clock import check_zone

    for zone in [timezone] if isinstance(timezone, str) else (timezone or {}).values():
        check_zone(zone)


def _refuse_nothing(found: Found, given: Sequence[object]) -> None:
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
    given: Sequence[str],
) -> Case:  # fmt: skip
    now = dt.datetime.now(dt.UTC).replace(microsecond=0)
    memory = Memory()
    sources = reading.read_logs(
        found, memory, timezone=timezone, year=year, limits=limits, progress=progress, opened_at=now
    )
    mails = (
        message
        for source in found.sources
        if source.role in ("message", "mbox")
        for message in mailbox.messages(source, limits=limits)
    )
    read = read_messages(mails, own=own, limits=limits)
    sources = sources.with_columns(tool_version=pl.lit(tool_version()))
    return Case(
        frames={
            "sources": sources,
            "events": memory.all_events(),
            **{n: read.frames[n] for n in DOCUMENT_TABLES},
        },
        lines=memory.all_lines(),
        header_scans=read.frames["scans"],
        own=own,
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
        header_scans: Frame | None = None,
        own: Sequence[str] = (),
        timezone: str | None = None,
        left_alone: Sequence[tuple[str, str]] = (),
        duplicates: Sequence[tuple[str, str]] = (),
        given: Sequence[str] = (),
        folder: Path | None = None,
    ) -> None:
        self._frames: dict[str, Frame] = dict(frames or {})
        self._lines: dict[str, Frame] = dict(lines or {})
        self._header_scans = header_scans
        self._folder = folder
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
            if self._folder is not None:
                self._frames[name] = _read_parquet(self._folder / f"{name}.parquet", name)
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
        return self.table(name).to_pandas()

    def scan(self, name: str) -> pl.LazyFrame:
        """A table as a polars LazyFrame; of a saved case only what the query needs is read."""
        schema.table(name)
        if self._folder is not None and name not in self._frames:
            return pl.scan_parquet(self._folder / f"{name}.parquet")
        frame = self.polars(name)
        return frame.select(c for c in schema.TABLES[name].names if c in frame.columns).lazy()

    @property
    def kinds(self) -> list[str]:
        """The kinds of line that the evidence holds."""
        if self._folder is not None:
            return sorted(path.stem for path in (self._folder / "lines").glob("*.parquet"))
        return sorted(self._lines)

    def lines(self, kind: str) -> pa.Table:
        """The lines of one kind (``postfix.delivery``) with the typed fields that its shape captures.

        Raises OptionError when the evidence has no such kind of line.
        """
        return self._kind(kind).to_arrow()

    def _kind(self, kind: str) -> Frame:
        if kind not in self.kinds:
            near = [name for name in self.kinds if kind.split(".")[-1] in name]
            raise OptionError(
                f"There is no line of kind {kind!r} in this case. There are {', '.join((near or self.kinds)[:8]) or 'none'}."
            )
        if kind not in self._lines and self._folder is not None:
            self._lines[kind] = pl.read_parquet(self._folder / "lines" / f"{kind}.parquet")
        return self._lines[kind]

    def log(self) -> Log:
        """Events and lines as the link floor takes them."""
        if self._folder is not None:
            for kind in self.kinds:
                self._kind(kind)
        return Log(self.polars("events"), self._lines)

    def _link(self) -> None:
        linked = link(self.log(), classify_frame, self._header_scans)
        for name, frame in linked.tables.items():
            self._frames[name] = schema.conform(name, frame)

    # --- questions ----------------------------------------------------------------------------------------------------

    def trace(self, **question: Any) -> Trace:
        """Where is my mail? The journeys that match, each recipient's fate, and every step with its line.

        to, sender           an address or a part of one
        message_id, queue_id, subject    the whole or a part
        since, until         local time: "2026-03-01 10:00", "10:00" (on the newest day), a date, or a datetime

        All that are given must hold. Raises OptionError for an unknown question or a time that cannot be read.
        """
        from mailforensics.trace import trace

        return trace(self, **question)

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

    def report(self, path: str | os.PathLike[str], *, traces: Iterable[Trace] = ()) -> Path:
        """Write a self-contained HTML report; nothing is fetched when it is opened."""
        from mailforensics.show import report

        return report.write(self, path, traces=list(traces))

    def __repr__(self) -> str:
        from mailforensics.show import text

        return text.summary(self.summary())

    def _repr_html_(self) -> str:
        from mailforensics.show import html

        return html.summary(self.summary())

    # --- keeping ------------------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the case as a folder of Parquet tables and a manifest; ``open_case`` reads it without parsing.

        The folder appears whole or not at all. A case that stands there already is replaced; any other folder with
        something in it is refused (CaseError).
        """
        target = Path(path)
        if target.exists() and any(target.iterdir()) and not (target / MANIFEST).is_file():
            raise CaseError(f"{target} holds other files: give a new folder, or the folder of a saved case.")
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        try:
            self._write(partial)
            if target.exists():
                old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old.", dir=target.parent))
                os.replace(target, old / "case")
                os.replace(partial, target)
                shutil.rmtree(old)
            else:
                os.replace(partial, target)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise CaseError(
                f"The case could not be written to {target}: {error.strerror or error}."
            ) from error
        return target

    def _write(self, folder: Path) -> None:
        os.chmod(folder, 0o755)  # noqa: S103 (a case is as readable as the folder it stands in allows)
        (folder / "lines").mkdir()
        for name in schema.TABLES:
            frame = self.polars(name)
            columns = [c for c in schema.TABLES[name].names if c in frame.columns]
            frame.select(columns).write_parquet(
                folder / f"{name}.parquet", compression="zstd", compression_level=1
            )
        for kind in self.kinds:
            self._kind(kind).write_parquet(
                folder / "lines" / f"{kind}.parquet", compression="zstd", compression_level=1
            )
        (folder / MANIFEST).write_text(
            json.dumps(self._manifest(folder), indent=1, default=str) + "\n", encoding="utf-8"
        )

    def _manifest(self, folder: Path) -> dict[str, Any]:
        return {
            "mailforensics_case": CASE_FORMAT,
            "tool_version": tool_version(),
            "given": list(self.given),
            "own": list(self.own),
            "timezone": self._timezone,
            "left_alone": [list(pair) for pair in self.left_alone],
            "duplicates": [list(pair) for pair in self.duplicates],
            "sources": self.polars("sources").select("path", "member", "sha256", "size").to_dicts(),
            "tables": sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.parquet")),
        }


def _open_saved(folder: Path) -> Case:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CaseError(
            f"{folder / MANIFEST} cannot be read ({error}): ingest the evidence again."
        ) from error
    if not isinstance(manifest, dict) or manifest.get("mailforensics_case") != CASE_FORMAT:
        raise CaseError(f"{folder} is no case of this version: ingest the evidence again.")
    missing = [name for name in manifest.get("tables", []) if not (folder / name).is_file()]
    if missing:
        raise CaseError(f"{folder} lacks {missing[0]}: the case is damaged; ingest the evidence again.")
    return Case(
        own=manifest.get("own", ()),
        timezone=manifest.get("timezone"),
        left_alone=[(a, b) for a, b in manifest.get("left_alone", [])],
        duplicates=[(a, b) for a, b in manifest.get("duplicates", [])],
        given=manifest.get("given", ()),
        folder=folder,
    )


def _read_parquet(path: Path, name: str) -> Frame:
    try:
        return schema.conform(name, pl.read_parquet(path))
    except (OSError, pl.exceptions.PolarsError) as error:
        raise CaseError(
            f"{path} cannot be read ({error}): the case is damaged; ingest the evidence again."
        ) from error
