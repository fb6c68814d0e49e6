"""Bytes of a log in, numbered lines out: each line knows its number, byte offset and length.

The unit of work is the piece: a run of whole lines of some megabytes that can be parsed on any worker in any order.
A line longer than ``Limits.line_bytes`` is cut for reading (the row says ``oversize``; its full length stands in
``byte_length``), and bytes that are not UTF-8 are shown as ``\\xNN``; offsets always count the original bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl
import pyarrow as pa

from mailforensics.evidence.spans import Buffer
from mailforensics.limits import DEFAULT, Limits


class Readable(Protocol):
    """What a piece is read from: anything with ``read(size) -> bytes``."""

    def read(self, size: int, /) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of one source. `stretch` > 0: one overlong line of that many bytes, of which `data` is the head."""

    data: bytes
    byte_offset: int
    line_number: int
    stretch: int = 0


def pieces(
    stream: Readable, *, byte_offset: int = 0, line_number: int = 1, limits: Limits = DEFAULT
) -> Iterator[Piece]:
    """Cut a stream into pieces at line ends. Memory: about two pieces, however long a line is.

    >>> import io
    >>> [(p.line_number, p.byte_offset, p.data) for p in pieces(io.BytesIO(b"one\\ntwo"))]
    [(1, 0, b'one\\n'), (2, 4, b'two')]
    """
    offset, line, carry = byte_offset, line_number, b""
    while block := stream.read(limits.piece_bytes):
        data = carry + block if carry else block
        cut = data.rfind(b"\n") + 1
        if cut:
            yield Piece(data[:cut], offset, line)
            line += _newlines(data, cut)
            offset += cut
            carry = data[cut:]
        elif len(data) > limits.line_bytes:
            rest, carry, length = _skip_to_newline(stream, len(data), limits)
            yield Piece(data[: limits.line_bytes], offset, line, stretch=length)
            line += 1
            offset += rest
        else:
            carry = data
    if carry:
        yield Piece(carry, offset, line)


def _newlines(data: bytes, end: int) -> int:
    """How many line ends there are; in chunks that stay in the cache, three times faster than ``bytes.count``."""
    buffer, step = np.frombuffer(data, dtype=np.uint8, count=end), 1 << 18
    return sum(int(np.count_nonzero(buffer[i : i + step] == ord("\n"))) for i in range(0, end, step))


def _skip_to_newline(stream: Readable, seen: int, limits: Limits) -> tuple[int, bytes, int]:
    """Read on to the end of an overlong line: bytes consumed with its newline, what follows it, its length."""
    length = seen
    while block := stream.read(limits.piece_bytes):
        at = block.find(b"\n")
        if at >= 0:
            return length + at + 1, block[at + 1 :], length + at
        length += len(block)
    return length, b"", length


def line_frame(piece: Piece, *, limits: Limits = DEFAULT) -> pl.DataFrame:
    """The lines of a piece: line_number, byte_offset, byte_length (without the newline), line, oversize.

    >>> line_frame(Piece(b"a\\r\\nb\\xff", 100, 7)).rows()
    [(7, 100, 2, 'a', False), (8, 103, 2, 'b\\\\xff', False)]
    """
    starts, ends = _bounds(piece.data)
    lengths = ends - starts
    text = _texts(piece.data, starts, ends)
    oversize = lengths > limits.line_bytes
    cut = bool(oversize.any())
    if cut:
        text = text.str.head(limits.line_bytes)
    if cut or _has_carriage_returns(piece.data, ends):
        text = text.str.strip_chars_end("\r\n")
    if piece.stretch:
        lengths = np.array([piece.stretch], dtype=np.int64)
        oversize = np.array([True])
    return pl.DataFrame(
        {
            "line_number": np.arange(piece.line_number, piece.line_number + len(starts), dtype=np.int64),
            "byte_offset": starts + piece.byte_offset,
            "byte_length": lengths,
            "line": text,
            "oversize": oversize,
        }
    )


def _has_carriage_returns(data: bytes, ends: np.ndarray) -> bool:
    """Whether any line has one at its end."""
    last = np.frombuffer(data, dtype=np.uint8)[np.maximum(ends - 1, 0)]
    return bool((last == ord("\r")).any())


def _bounds(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Where each line starts and ends (its newline excluded)."""
    buffer = np.frombuffer(data, dtype=np.uint8)
    step = 1 << 18  # in chunks that stay in the cache: three times faster than in one go
    found = [np.flatnonzero(buffer[i : i + step] == 10) + i for i in range(0, len(buffer), step)]
    ends = np.concatenate(found) if found else np.empty(0, dtype=np.int64)
    if data and not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.empty(len(ends), dtype=np.int64)
    starts[:1] = 0
    starts[1:] = ends[:-1] + 1
    return starts, ends


def _texts(data: bytes, starts: np.ndarray, ends: np.ndarray) -> pl.Series:
    """Text of each line in the memory of the piece; what is not UTF-8 is written as ``\\xNN`` behind it."""
    rows = np.empty(0, dtype=np.int64) if data.isascii() else _not_utf8(data, starts, ends)
    if not len(rows):
        return Buffer(pa.py_buffer(data)).texts(starts, ends - starts)
    repaired = [data[starts[row] : ends[row]].decode("utf-8", "backslashreplace").encode() for row in rows]
    starts, lengths = starts.copy(), ends - starts
    lengths[rows] = [len(text) for text in repaired]
    starts[rows] = len(data) + np.cumsum(lengths[rows]) - lengths[rows]
    return Buffer(pa.py_buffer(b"".join([data, *repaired]))).texts(starts, lengths)


def _not_utf8(data: bytes, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """The lines that are not UTF-8. Only lines with bytes above 127 are looked at one by one, and only when there is one."""
    try:
        data.decode()
    except UnicodeDecodeError:
        high = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) > 127)
        rows = np.unique(np.searchsorted(starts, high, side="right") - 1)
        return rows[[not _is_utf8(data[starts[row] : ends[row]]) for row in rows]]
    return np.empty(0, dtype=np.int64)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
