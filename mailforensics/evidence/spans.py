"""Text columns that share memory: where each text of a column stands in its buffer, and columns of parts of a buffer.

A column of polars holds 16 bytes a text (the Arrow layout ``string_view``): its length, its first four bytes, and the place of
its bytes in a buffer; a text of up to twelve bytes stands in those 16 itself. Made and read with numpy, a part of each of
many texts costs 10 ns a row instead of 30 to 40, and nothing is copied.

Source: Arrow columnar format, "Variable-size Binary View Layout".
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa

INLINE = 12  # bytes of a text that has no place in a buffer
_WORDS = 4  # 32-bit words of a view
_HALF = np.uint64(32)
_FIRST = np.array(
    [(1 << (8 * k)) - 1 for k in range(9)], dtype=np.uint64
)  # masks of the first k bytes of a word


@dataclass(frozen=True, slots=True)
class Buffer:
    """The bytes that many texts are parts of. They must be UTF-8 wherever a text is cut out of them."""

    data: pa.Buffer

    @property
    def size(self) -> int:
        return int(self.data.size)

    def bytes_at(self, places: np.ndarray) -> np.ndarray:
        """The byte at each place."""
        found: np.ndarray = np.frombuffer(self.data, dtype=np.uint8)[places]
        return found

    def words_at(self, places: np.ndarray) -> np.ndarray:
        """The eight bytes from each place on as one number, the first byte lowest. No place may be in the last seven bytes."""
        words: np.ndarray = np.ndarray((self.size - 7,), dtype="<u8", buffer=self.data, strides=(1,))
        found: np.ndarray = words[places]
        return found

    def texts(self, starts: np.ndarray, lengths: np.ndarray, known: np.ndarray | None = None) -> pl.Series:
        """A column of parts of the buffer; null where `known` is False.

        >>> Buffer(pa.py_buffer(b"from mx.example.net")).texts(np.array([0, 5]), np.array([4, 14])).to_list()
        ['from', 'mx.example.net']
        """
        nulls = None
        if known is None or known.all():
            views = self._views(starts, lengths)
        else:
            rows = np.flatnonzero(known)
            views = np.zeros((len(starts), 2), dtype=np.uint64)
            views[rows] = self._views(starts[rows], lengths[rows])
            nulls = pa.py_buffer(np.packbits(known, bitorder="little"))
        column = pa.Array.from_buffers(pa.string_view(), len(starts), [nulls, pa.py_buffer(views), self.data])
        series = pl.from_arrow(column)
        assert isinstance(series, pl.Series)  # noqa: S101 (an array becomes a series; tells the type checker)
        return series

    def _views(self, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """The 16 bytes of each text as two numbers."""
        views = np.empty((len(starts), 2), dtype=np.uint64)
        short = np.flatnonzero(lengths <= INLINE)
        if len(short) < len(starts):
            views[:, 0] = lengths.astype(np.uint64) | (self._first_four(starts) << _HALF)
            views[:, 1] = starts.astype(np.uint64) << _HALF
            if len(short):
                views[short, 0], views[short, 1] = self._inline(starts[short], lengths[short])
        else:
            views[:, 0], views[:, 1] = self._inline(starts, lengths)
        return views

    def _first_four(self, starts: np.ndarray) -> np.ndarray:
        if self.size < 4:
            return np.zeros(len(starts), dtype=np.uint64)
        words: np.ndarray = np.ndarray((self.size - 3,), dtype="<u4", buffer=self.data, strides=(1,))
        found: np.ndarray = words[np.minimum(starts, self.size - 4)].astype(np.uint64)
        return found

    def _inline(self, starts: np.ndarray, lengths: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The two words of the views of short texts: length and first four bytes, the other eight; zeros behind the end.

        Texts near the end of the buffer, where eight bytes may be too many, are read from a copy of its end.
        """
        late = np.flatnonzero(starts > self.size - INLINE)
        if not len(late):
            head = self._first_four(starts) & _FIRST[np.minimum(lengths, 4)]
            tail = self.words_at(starts + 4) & _FIRST[np.maximum(lengths - 4, 0)]
            return lengths.astype(np.uint64) | (head << _HALF), tail
        begin = max(self.size - INLINE, 0)
        end = Buffer(pa.py_buffer(self.data[begin:].to_pybytes() + bytes(2 * INLINE)))
        first, second = np.empty(len(starts), dtype=np.uint64), np.empty(len(starts), dtype=np.uint64)
        early = np.flatnonzero(starts <= self.size - INLINE)
        if len(early):
            first[early], second[early] = self._inline(starts[early], lengths[early])
        first[late], second[late] = end._inline(np.minimum(starts[late] - begin, INLINE), lengths[late])
        return first, second


def spans(column: pl.Series) -> tuple[Buffer, np.ndarray, np.ndarray] | None:
    """The buffer of a column, where each text starts in it, and the texts' lengths. None: the column has nulls or several buffers.

    Nothing is copied, unless there are texts that have no place in the buffer: they are put behind it.

    >>> found = spans(pl.Series(["connect from mx.example.net", "removed"]))
    >>> found[0].texts(found[1], found[2]).to_list() if found else None
    ['connect from mx.example.net', 'removed']
    """
    if column.has_nulls() or column.n_chunks() != 1:
        return None
    views, data = _parts(column)
    if len(data) != 1:
        return None
    lengths, starts = views[:, 0].astype(np.int64), views[:, 3].astype(np.int64)
    short = np.flatnonzero(lengths <= INLINE)
    if not len(short):
        return Buffer(data[0]), starts, lengths
    starts[short] = data[0].size + np.arange(len(short)) * INLINE
    return Buffer(pa.py_buffer(data[0].to_pybytes() + views[short, 1:].tobytes())), starts, lengths


def behind(column: pl.Series, begin: np.ndarray) -> pl.Series:
    """What stands behind so many bytes of each text.

    >>> behind(pl.Series(["connect from mx.example.net", "removed"]), np.array([13, 2])).to_list()
    ['mx.example.net', 'moved']
    """
    found = spans(column)
    if found is not None:
        buffer, starts, lengths = found
        return buffer.texts(starts + begin, lengths - begin)
    cut = pl.col("text").cast(pl.Binary).bin.slice(pl.col("begin")).cast(pl.String)
    return pl.DataFrame({"text": column, "begin": begin}).select(cut).to_series()


def first_four(column: pl.Series) -> np.ndarray:
    """The first four bytes of each text as one number, the first byte lowest; zeros behind a shorter text.

    >>> first_four(pl.Series(["from", "to", None])).tolist() == [four("from"), four("to"), 0]
    True
    """
    views, _ = _parts(column.rechunk())
    words: np.ndarray = views[:, 1].copy()
    if column.has_nulls():
        words[column.is_null().to_numpy()] = 0
    return words


def first_eight(column: pl.Series) -> np.ndarray:
    """The first eight bytes of each text as one number, the first byte lowest; zeros behind a shorter text.

    >>> first_eight(pl.Series(["connect from mx.example.net", "to", None])).tolist() == [eight("connect "), eight("to"), 0]
    True
    """
    views, data = _parts(column.rechunk())
    known = column.is_not_null().to_numpy() if column.has_nulls() else True
    long = np.flatnonzero((views[:, 0] > INLINE) & known)
    if len(data) > 1 and len(long):
        # Texts of several buffers: their heads are short texts, which stand in their views.
        return first_eight(column.cast(pl.Binary).bin.head(8))
    words: np.ndarray = views[:, 1:3].copy().view("<u8").ravel()
    if len(long):
        words[long] = Buffer(data[0]).words_at(views[long, 3].astype(np.int64))
    return words if known is True else np.where(known, words, np.uint64(0))


def four(text: str) -> int:
    """The first four bytes of a text as `first_four` gives them."""
    return int.from_bytes(text.encode()[:4].ljust(4, b"\0"), "little")


def eight(text: str) -> int:
    """The first eight bytes of a text as `first_eight` gives them."""
    return int.from_bytes(text.encode()[:8].ljust(8, b"\0"), "little")


def _parts(column: pl.Series) -> tuple[np.ndarray, list[pa.Buffer]]:
    array = column.to_arrow(compat_level=pl.CompatLevel.newest())
    if not len(array):
        return np.empty((0, _WORDS), dtype=np.uint32), []
    _, views, *data = array.buffers()
    words: np.ndarray = np.frombuffer(views, dtype=np.uint32).reshape(-1, _WORDS)
    return words[array.offset : array.offset + len(array)], data
