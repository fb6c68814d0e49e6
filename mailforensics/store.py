"""A saved case: a folder of Parquet files and a manifest that says which of them belong to it.

    case/manifest.json            what was read, with which assumptions, and the files of each table
    case/events/g1-00001.parquet  the parts of a table, g1 = written by the first ingest
    case/messages/g1.parquet

The manifest is the commit: it is replaced in one step when everything it names is on disk. A file that it does not name is not
part of the case, so an ingest that is killed leaves the case as it was before.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from mailforensics import schema
from mailforensics.errors import CaseError

Frame = pl.DataFrame

MANIFEST = "manifest.json"
FORMAT = 1
ROW_GROUP = (
    25_000  # rows that are read together; each such group knows the least and the greatest of its keys
)
CHECKED_BYTES = 1 << 30  # of a table, that are compared with what was written when it is opened
LOCK = ".lock"
OUTLINE = "outline"  # beside the tables: which old lines a new one may touch (``touched.py``)
SPILL = ".spill"  # where an ingest keeps what links are made from, while it lasts ...
WIDER_SPILL = ".spill-wider"  # ... and where it sorts them anew, when there is more to link than was thought


@dataclass
class Store:
    """The files of one case. ``tables`` maps each table to its parts, in order."""

    folder: Path
    tables: dict[str, list[str]] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)
    generation: int = 0
    outputs: dict[str, dict[str, Any]] = field(default_factory=dict)  # size, SHA-256 and CRC-32 of each part
    made: bool = False  # whether the folder was not there before
    _sound: set[str] = field(default_factory=set)  # parts that were found to be what was written

    @classmethod
    def open(cls, folder: str | os.PathLike[str]) -> Store:
        """The store in a folder. Raises CaseError when its manifest is damaged or of another version."""
        path = Path(folder)
        try:
            manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise CaseError(
                f"{path / MANIFEST} cannot be read ({error}): ingest the evidence again."
            ) from error
        if not isinstance(manifest, dict) or manifest.get("mailforensics_case") != FORMAT:
            raise CaseError(f"{path} is no case of this version: ingest the evidence again.")
        try:
            store = cls._of(path, manifest)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CaseError(f"{path / MANIFEST} is damaged: ingest the evidence again.") from error
        for part in (part for parts in store.tables.values() for part in parts):
            if not _inside(path, part).is_file():
                raise CaseError(f"{path} lacks {part}: the case is damaged; ingest the evidence again.")
        return store

    @classmethod
    def _of(cls, path: Path, manifest: Mapping[str, Any]) -> Store:
        if (said := manifest["crc32"]) != _crc32_of(manifest):
            raise ValueError(said)
        tables = {str(name): [str(part) for part in parts] for name, parts in manifest["tables"].items()}
        return cls(
            path, tables, dict(manifest["about"]), int(manifest["generation"]), dict(manifest["outputs"])
        )

    @classmethod
    def create(cls, folder: str | os.PathLike[str]) -> Store:
        """A store for a new case. The folder may be missing, empty, or hold a case (which stays until the commit)."""
        path = Path(folder)
        try:
            if path.exists() and not (path / MANIFEST).is_file() and not _only_ours(path):
                raise CaseError(
                    f"{path} holds other files: give a new folder, or the folder of a saved case."
                )
            made = not path.exists()
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CaseError(f"{path} cannot be used for a case: {error.strerror or error}.") from error
        before = Store.open(path) if (path / MANIFEST).is_file() else cls(path)
        return cls(path, generation=before.generation + 1, outputs=before.outputs, made=made)

    def scan(self, name: str) -> pl.LazyFrame:
        """A table, read only as far as a query needs it."""
        parts = self.tables.get(name, [])
        if not parts:
            return schema.empty(name).lazy() if name in schema.TABLES else pl.LazyFrame()
        return self.parts(parts)

    def parts(self, parts: Sequence[str]) -> pl.LazyFrame:
        """Some parts of a table, one behind the other."""
        self._refuse_damaged(parts)
        return pl.scan_parquet([_inside(self.folder, part) for part in parts])

    def _refuse_damaged(self, parts: Sequence[str]) -> None:
        """Raise CaseError for a part that is not what was written: what a flipped bit makes of Parquet is anybody's guess.

        Each part is looked at once, and its bytes only up to a bound: in a larger table they are left to ``verify``.
        """
        new = [part for part in parts if part not in self._sound]
        whole = sum(self.outputs.get(part, {}).get("size", 0) for part in new) <= CHECKED_BYTES
        for part in new:
            written = self.outputs.get(part, {})
            path = _inside(self.folder, part)
            same = path.stat().st_size == written.get("size", path.stat().st_size)
            if same and whole and "crc32" in written:
                same = _crc32(path) == written["crc32"]
            if not same:
                raise CaseError(f"{path} is not what was written: it is damaged. Ingest the evidence again.")
            self._sound.add(part)

    def read(self, name: str) -> Frame:
        """A whole table. Raises CaseError when a part is damaged."""
        with self.readable(f"the table {name}"):
            return self.scan(name).collect()

    @contextmanager
    def readable(self, what: str = "a table") -> Iterator[None]:
        """Whatever is read within raises CaseError when a part is damaged."""
        try:
            yield
        except (OSError, pl.exceptions.PolarsError) as error:
            raise CaseError(
                f"{self.folder}: {what} cannot be read ({error}). Ingest the evidence again."
            ) from error

    def write(self, name: str, frame: Frame, number: int | None = None) -> str:
        """Write a part (not yet part of the case) and return its name within the folder."""
        part = f"{name}/g{self.generation}{'' if number is None else f'-{number:05d}'}.parquet"
        target = self.folder / part
        target.parent.mkdir(exist_ok=True)
        try:
            frame.write_parquet(target, compression="zstd", compression_level=1, row_group_size=ROW_GROUP)
        except OSError as error:
            raise CaseError(f"{target} cannot be written: {error.strerror or error}.") from error
        return part

    def commit(self, tables: Mapping[str, Sequence[str]], about: Mapping[str, Any]) -> None:
        """Make these files the case, in one step, and remove what no longer belongs to it."""
        parts = [part for names in tables.values() for part in names]
        self.outputs = {part: self.outputs.get(part) or self.measure(part) for part in sorted(parts)}
        manifest = {
            "mailforensics_case": FORMAT,
            "generation": self.generation,
            "about": dict(about),
            "tables": {name: list(parts) for name, parts in sorted(tables.items())},
            "outputs": self.outputs,
        }
        manifest["crc32"] = _crc32_of(manifest)
        draft = self.folder / f"{MANIFEST}.new"
        with draft.open("w", encoding="utf-8") as out:
            out.write(_as_json(manifest) + "\n")
            out.flush()
            os.fsync(out.fileno())
        os.replace(draft, self.folder / MANIFEST)
        self.tables = {name: list(parts) for name, parts in tables.items()}
        self.about = dict(about)
        self._sweep()

    def measure(self, part: str) -> dict[str, Any]:
        """Size, SHA-256 and CRC-32 of a part as it lies there (SHA-256 for custody; CRC-32 is quick enough for each reading)."""
        path = _inside(self.folder, part)
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256")
            return {"size": stream.tell(), "sha256": digest.hexdigest(), "crc32": _crc32(path)}

    def _sweep(self) -> None:
        kept = {part for parts in self.tables.values() for part in parts}
        for path in self.folder.glob("*/g*.parquet"):
            if path.relative_to(self.folder).as_posix() not in kept:
                path.unlink(missing_ok=True)

    def _clear_spill(self) -> None:
        """Take away what an ingest that was killed had put aside."""
        for name in (SPILL, WIDER_SPILL):
            for path in (self.folder / name).glob("*.arrows"):
                path.unlink(missing_ok=True)
            _remove_empty(self.folder / name)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Only one process at a time writes to a case. Raises CaseError when another one does.

        When the work fails before the first commit, what it left is taken away again.
        """
        with (self.folder / LOCK).open("w") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise CaseError(
                    f"Another process writes to {self.folder}: wait until it has ended."
                ) from error
            self._clear_spill()
            try:
                yield
            finally:
                self._clear_spill()
                if not (self.folder / MANIFEST).is_file():
                    self._unmake()

    def _unmake(self) -> None:
        """Take away what a first ingest left that did not come to its end."""
        for name in (*schema.TABLES, OUTLINE):
            for part in (self.folder / name).glob("g*.parquet"):
                part.unlink(missing_ok=True)
            _remove_empty(self.folder / name)
        (self.folder / f"{MANIFEST}.new").unlink(missing_ok=True)
        (self.folder / LOCK).unlink(missing_ok=True)
        if self.made:
            _remove_empty(self.folder)


def among(key: str, values: Iterable[int], *, runs: int = 32) -> pl.Expr:
    """Rows whose key is one of some numbers, said so that a part of a Parquet file that holds none of them is not read.

    The numbers lie in a few runs, since keys are places in a log; each run is a condition that the bounds of a part can answer.
    """
    wanted = np.unique(np.fromiter(values, dtype=np.int64))
    if not len(wanted):
        return pl.lit(False)
    wide = np.sort(np.argsort(np.diff(wanted))[-(runs - 1) :] + 1)
    bounds = [(int(run[0]), int(run[-1])) for run in np.split(wanted, wide) if len(run)]
    near = pl.any_horizontal(pl.col(key).is_between(low, high) for low, high in bounds)
    return near & pl.col(key).is_in(pl.Series(wanted).implode())


def _as_json(manifest: Mapping[str, Any]) -> str:
    return json.dumps(manifest, indent=1, sort_keys=True, default=str)


def _crc32_of(manifest: Mapping[str, Any]) -> int:
    """CRC-32 of a manifest, itself left out."""
    return zlib.crc32(_as_json({name: value for name, value in manifest.items() if name != "crc32"}).encode())


def _crc32(path: Path) -> int:
    total = 0
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            total = zlib.crc32(block, total)
    return total


def _inside(folder: Path, part: str) -> Path:
    """A part's path; a manifest that points outside its folder is not followed."""
    path = folder / part
    if ".." in Path(part).parts or Path(part).is_absolute():
        raise CaseError(
            f"{folder / MANIFEST} names {part!r}, which is outside the case: it is damaged or forged."
        )
    return path


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _only_ours(path: Path) -> bool:
    """Nothing in the folder but what an ingest that was killed left behind."""
    ours = {*schema.TABLES, OUTLINE, LOCK, SPILL, WIDER_SPILL, f"{MANIFEST}.new"}
    return all(entry.name in ours for entry in path.iterdir())
