"""What links are made from, sorted into buckets while a log is read: in memory while it is little, on disk when it grows.

A bucket is a file of Arrow streams, one behind the other, each with the name of its table. Rows go to the bucket that their
column ``node`` names (its remainder), or to one that is told.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
import pyarrow as pa

from mailforensics.errors import CaseError

Frame = pl.DataFrame

MOST_FRAMES = 8_192  # tables however small that are held: each takes some kilobytes of its own
ROOM = (
    2_500_000  # rows (with their text about 300 bytes each) that are held in memory before they are written
)


@dataclass
class Spill:
    """Tables by lane and bucket. `folder` is made when it is needed; who made the spill removes it (``clear``)."""

    folder: Path
    buckets: int
    room: int = ROOM
    _held: list[tuple[str, int | None, str, Frame]] = field(default_factory=list)
    _rows: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, lane: str, tables: Mapping[str, Frame], bucket: int | None = None) -> None:
        """Take tables in; all rows go to that bucket, or each to the one that its ``node`` names."""
        with self._lock:
            for name, frame in tables.items():
                if frame.height:
                    self._held.append((lane, bucket, name, frame))
                    self._rows += frame.height
            if self._rows > self.room or len(self._held) > MOST_FRAMES:
                self._write()

    def get(self, lane: str, bucket: int) -> dict[str, Frame]:
        """All tables of a bucket; they can be had once, since what is held in memory for this bucket alone is let go."""
        parts: dict[str, list[Frame]] = {}
        for name, frame in self._read(lane, bucket):
            parts.setdefault(name, []).append(frame)
        with self._lock:
            held = list(self._held)
            last = bucket if self.buckets > 1 else None
            self._held[:] = [one for one in held if one[0] != lane or one[1] not in (last, bucket)]
        for where, told, name, frame in held:
            if where == lane and told in (None, bucket):
                mine = (
                    frame if told is not None or self.buckets == 1 else frame.filter(self._bucket() == bucket)
                )
                if mine.height:
                    parts.setdefault(name, []).append(mine)
        return {name: pl.concat(frames, how="diagonal_relaxed") for name, frames in parts.items()}

    def each(self, lane: str, bucket: int | None = None) -> Iterator[tuple[str, Frame]]:
        """All tables of a lane, part by part, whatever their bucket; of one bucket only what lies on disk."""
        for number in range(self.buckets) if bucket is None else (bucket,):
            yield from self._read(lane, number)
        for where, _, name, frame in list(self._held) if bucket is None else ():
            if where == lane:
                yield name, frame

    def settle(self) -> None:
        """Write what is held in memory, so that other processes find it."""
        with self._lock:
            self._write()

    def clear(self) -> None:
        """Forget everything, and take the files away."""
        self._held.clear()
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                path.unlink()
            self.folder.rmdir()

    def _bucket(self) -> pl.Expr:
        return pl.col("node") % self.buckets

    def _path(self, lane: str, bucket: int) -> Path:
        return self.folder / f"{lane}-{bucket:05d}.arrows"

    def _write(self) -> None:
        """Each bucket's share of what is held, behind what its file holds already."""
        grouped: dict[tuple[str, int | None, str], list[Frame]] = {}
        for lane, bucket, name, frame in self._held:
            grouped.setdefault((lane, bucket, name), []).append(frame)
        self._held.clear()
        self._rows = 0
        try:
            self.folder.mkdir(exist_ok=True)
            for (lane, bucket, name), frames in grouped.items():
                whole = pl.concat(frames, how="diagonal_relaxed")
                frames.clear()  # table by table, so that only one of them is held twice
                for number, part in ({bucket: whole} if bucket is not None else self._split(whole)).items():
                    with self._path(lane, number).open("ab") as out:
                        _append(out, name, part)
        except OSError as error:
            raise CaseError(f"{self.folder} cannot be written: {error.strerror or error}.") from error

    def _split(self, frame: Frame) -> dict[int, Frame]:
        parts = frame.with_columns(self._bucket().alias("bucket")).partition_by(
            "bucket", as_dict=True, include_key=False
        )
        return {int(number): part for (number,), part in parts.items()}

    def _read(self, lane: str, bucket: int) -> Iterator[tuple[str, Frame]]:
        path = self._path(lane, bucket)
        if not path.is_file():
            return
        size = os.path.getsize(path)
        with pa.OSFile(str(path), "rb") as stream:
            while stream.tell() < size:
                with pa.ipc.open_stream(stream) as reader:
                    name = (reader.schema.metadata or {})[b"table"].decode()
                    yield name, pl.DataFrame(reader.read_all())

    def __getstate__(self) -> dict[str, object]:
        """What another process needs to find the files."""
        return {"folder": self.folder, "buckets": self.buckets, "room": self.room}

    def __setstate__(self, state: dict[str, object]) -> None:
        self.__dict__.update(state, _held=[], _rows=0, _lock=threading.Lock())


_LZ4 = pa.ipc.IpcWriteOptions(compression="lz4")


def _append(out: object, name: str, frame: Frame) -> None:
    table = frame.to_arrow()
    schema = table.schema.with_metadata({"table": name})
    with pa.ipc.new_stream(out, schema, options=_LZ4) as writer:
        writer.write_table(table.replace_schema_metadata({"table": name}))
