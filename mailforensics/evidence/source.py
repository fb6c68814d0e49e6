"""What was given as evidence: files, folders, globs, archives, standard input; each found source by its content.

    mail.log, mail.log.1, mail.log.2.gz, maillog-20260301.xz, logs.tar.gz   logs, compressed or not
    message.eml, Maildir/cur/..., archive.mbox                              messages
    postqueue-j.json, postconf-n.txt, doveconf-n.txt                        saved queue and configuration

What a file is follows from its bytes, never from its name. Everything is opened read-only. A file of a folder that is no
evidence is left alone and named; the same bytes given twice are read once.
"""

from __future__ import annotations

import bz2
import datetime as dt
import glob
import hashlib
import io
import lzma
import os
import re
import stat
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, BinaryIO, Literal, cast

import polars as pl

from mailforensics.errors import EvidenceError
from mailforensics.evidence.clock import Survey, february_ends, survey
from mailforensics.evidence.journal import save_journal
from mailforensics.limits import DEFAULT, Limits

Role = Literal["log", "message", "mbox", "queue", "postconf", "doveconf", "history"]
Framer = Callable[[pl.DataFrame], pl.DataFrame]

_HEAD = 64 * 1024
_SAMPLES = 64
_STRIDE = 1 << 20  # bytes in which a day is looked for at a time


@dataclass
class Source:
    """One stream of evidence: a file, or a member of an archive.

    path, member   where it is, as text; `member` is the name inside an archive (None: the file itself)
    role           what its bytes are
    compression    "", gzip, bzip2, xz or zstd (of the file, or of the member)
    """

    path: str
    role: Role
    compression: str = ""
    member: str | None = None
    given_as: str = ""
    size: int = 0
    mtime: dt.datetime | None = None
    gzip_time: dt.datetime | None = None
    mtime_is_local: bool = False  # a zip states times without their zone
    sha256: str = ""
    decompressed_size: int | None = None
    limits_hit: list[str] = field(default_factory=list)
    source_id: int = 0
    _opener: Callable[[], BinaryIO] | None = None
    skip_bytes: int = 0  # an ingest that has read so far goes on from here
    skip_lines: int = 0
    resume_at: tuple[int, int] = (0, 0)  # bytes and lines up to the end of the last whole line that was read
    _samples: list[tuple[int, str]] | None = None
    _content: str | None = None

    @property
    def name(self) -> str:
        """How the source is called in answers: its path, with the member of an archive behind an exclamation mark."""
        return f"{self.path}!{self.member}" if self.member else self.path

    @property
    def written_at(self) -> dt.datetime | None:
        """When it was last written, by the gzip header, else by the archive or the file system (None: not known in UTC)."""
        return self.gzip_time or (None if self.mtime_is_local else self.mtime)

    def open(self, limits: Limits = DEFAULT) -> Stream:
        """The decompressed bytes, read-only, within the limits."""
        raw = self.raw() if self.compression else cast(BinaryIO, _Bounded(self.raw(), self.size))
        return Stream(raw, self.compression, self.limits_hit, limits)

    def raw(self) -> BinaryIO:
        """The bytes as they lie there, compressed or not."""
        return self._opener() if self._opener else open(self.path, "rb")

    def survey(self, framer: Framer, limits: Limits = DEFAULT) -> Survey:
        """A look at the stamps in file order: at some places of a plain file, all through a compressed one."""
        plain = not self.compression and self._opener is None
        if not plain and self._samples is None:
            self.look_through(limits)
        texts = self._seek_samples() if plain else self._samples or []
        new = [(at, text) for at, text in texts if at >= self.skip_bytes]
        framed = framer(_lines(new)) if new else None
        if plain and framed is not None and (ends := february_ends(framed)):
            new = _in_order(new + self._leap_days([(new[row][0], new[row + 1][0]) for row in ends]))
            framed = framer(_lines(new))
        return Survey() if framed is None else survey(framed)

    def look_through(self, limits: Limits) -> None:
        """Read a stream once from end to end: its length, its SHA-256, and sample lines of each half megabyte."""
        texts: list[tuple[int, str]] = []
        digest, at = hashlib.sha256(), 0
        with Stream(self.raw(), self.compression, [], limits) as stream:
            block = stream.read(1 << 19)
            while block:
                digest.update(block)
                following = stream.read(1 << 19)
                texts += _whole_lines(
                    block[:4096], at, first=at == 0, last=len(block) <= 4096 and not following
                )
                tail = max(len(block) - 8192, 0)
                texts += _whole_lines(block[tail:], at + tail, first=at + tail == 0, last=not following)
                texts += _leap_day(block, at)
                if at == 0 and not following and len(block) <= _HEAD:
                    texts = _every_line(block, 0)
                at += len(block)
                block = following
            self.decompressed_size = stream.out
        self._samples, self._content = _in_order(texts), digest.hexdigest()

    def content_hash(self, limits: Limits = DEFAULT) -> str:
        """SHA-256 of the decompressed bytes."""
        if self._content is None and not self.compression and self._opener is None:
            self._content = self.sha256 or file_hash(self)
        if self._content is None:
            self.look_through(limits)
        return self._content or ""

    def _leap_days(self, stretches: list[tuple[int, int]]) -> list[tuple[int, str]]:
        """A line of each 29 February in some stretches of a plain file, with its offset."""
        found: list[tuple[int, str]] = []
        with open(self.path, "rb") as raw:
            for begin, end in stretches:
                for at in range(begin, end, _STRIDE):
                    raw.seek(at)
                    found += _leap_day(raw.read(min(_STRIDE + 4096, end - at)), at)
        return found

    def _seek_samples(self) -> list[tuple[int, str]]:
        """Lines of a plain file with the offset of their block: its head, its tail, and some between."""
        texts: list[tuple[int, str]] = []
        begin = self.skip_bytes
        if self.size - begin <= _HEAD:
            with open(self.path, "rb") as raw:
                raw.seek(begin)
                return _every_line(raw.read(_HEAD), begin)
        step = max((self.size - begin) // _SAMPLES, 8192)
        with open(self.path, "rb") as raw:
            for at in [*range(begin, self.size, step), max(self.size - 8192, begin)]:
                raw.seek(at)
                block = raw.read(min(8192, self.size - at))
                texts += _whole_lines(block, at, first=at == begin, last=at + len(block) >= self.size)
        return _in_order(texts)


def _lines(texts: list[tuple[int, str]]) -> pl.DataFrame:
    return pl.DataFrame({"line": [text for _, text in texts]}, schema={"line": pl.String})


def _leap_day(block: bytes, at: int) -> list[tuple[int, str]]:
    """The first whole line of a block that begins with 29 February, alone or behind a priority, with its offset."""
    for mark in (b"\nFeb 29 ", b">Feb 29 "):
        found = block.find(mark)
        begin = block.rfind(b"\n", 0, found + 1) + 1
        end = block.find(b"\n", begin)
        if found >= 0 and end >= 0:
            return [(at + begin, block[begin : min(end, begin + 4096)].decode("utf-8", "replace"))]
    return []


def _whole_lines(block: bytes, at: int, *, first: bool, last: bool) -> list[tuple[int, str]]:
    """Some whole lines of a block that stands at this offset, each with its own; its first and last line may be cut."""
    found = _every_line(block, at)[0 if first else 1 : None if last else -1]
    return found if len(found) <= 8 else found[:4] + found[-4:]


def _every_line(block: bytes, at: int) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []
    for line in block.split(b"\n"):
        found.append((at, line[:4096].decode("utf-8", "replace")))
        at += len(line) + 1
    return found


def _in_order(texts: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Lines of overlapping blocks, each once, in the order of the file."""
    return sorted(dict(texts).items())


class _Bounded:
    """The first so many bytes of a file: a log that grows while it is read ends where it ended when it was found."""

    def __init__(self, raw: BinaryIO, size: int) -> None:
        self._raw, self._left = raw, size

    def read(self, size: int) -> bytes:
        data = self._raw.read(min(size, self._left))
        self._left -= len(data)
        return data

    def skip(self, size: int) -> bool:
        """Go on behind so many bytes; False when this stream cannot be entered in the middle."""
        if not self._raw.seekable():
            return False
        self._raw.seek(size)
        self._left -= size
        return True

    def close(self) -> None:
        self._raw.close()


class Stream:
    """Decompressed bytes with bounds. A damaged or cut file gives what can be read; the cut stands in `limits_hit`."""

    def __init__(self, raw: BinaryIO, compression: str, limits_hit: list[str], limits: Limits) -> None:
        self._raw = raw
        self._counted = _Counting(raw)
        self._bytes = _decompressor(self._counted, compression)
        self._compressed = bool(compression)
        self._limits, self._hit = limits, limits_hit
        self.out = 0
        self._lines = 0

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._raw.close()

    def skip(self, size: int) -> None:
        """Go on behind the first so many decompressed bytes."""
        if isinstance(self._raw, _Bounded) and self._raw.skip(size):
            return
        while size > 0 and (part := self.read(min(size, 1 << 20))):
            size -= len(part)

    def read(self, size: int) -> bytes:
        if self._stopped:
            return b""
        parts: list[bytes] = []
        left = size
        while left > 0:
            part = self._some(min(left, 1 << 20))
            if not part:
                break
            parts.append(part)
            left -= len(part)
        return b"".join(parts)

    _stopped = False

    def _some(self, size: int) -> bytes:
        try:
            part = self._bytes.read(size)
        except EOFError:
            return self._stop("truncated: the compressed file ends too early")
        except Exception as error:  # each decompressor has its own errors; all mean damaged bytes
            return self._stop(f"damaged: {type(error).__name__} while reading")
        self.out += len(part)
        return self._within_bounds(part) if self._compressed else part

    def _within_bounds(self, part: bytes) -> bytes:
        """What came out of a decompressor, unless far more comes out of it than a log packs into so few bytes."""
        limits, taken = self._limits, self._counted.bytes
        if self.out > max(limits.expansion_floor, taken * limits.expansion):
            return self._stop(f"expansion: more than {limits.expansion} bytes out of one")
        self._lines += part.count(b"\n")
        if self._lines > max(limits.expansion_lines_floor, taken * limits.expansion_lines):
            return self._stop(f"expansion: more than {limits.expansion_lines} lines out of one byte")
        return part

    def _stop(self, why: str) -> bytes:
        self._stopped = True
        if why not in self._hit:
            self._hit.append(why)
        return b""


class _Counting(io.RawIOBase):
    """Counts the compressed bytes that a decompressor takes."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.bytes = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(cast(bytearray, buffer))
        data = self._raw.read(len(view))
        view[: len(data)] = data
        self.bytes += len(data)
        return len(data)


class _Gzip:
    """gzip, member by member, giving out all bytes that come before a cut or a damage (the gzip module holds them back)."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw, self._pending = raw, b""
        self._inflate = zlib.decompressobj(31)
        self._started = False

    def read(self, size: int) -> bytes:
        while True:
            data = self._pending or self._raw.read(1 << 16) or b""
            self._pending = b""
            if not data and not self._inflate.unconsumed_tail:
                if self._started and not self._inflate.eof:
                    raise EOFError
                return b""
            if self._inflate.eof:
                data = data.lstrip(b"\0")
                if not data:
                    continue
                self._inflate = zlib.decompressobj(31)
            self._started = True
            out = self._inflate.decompress(data, size)
            self._pending = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
            if out:
                return out
            if self._inflate.eof and not self._pending:
                self._started = False


def _decompressor(raw: _Counting, compression: str) -> IO[bytes]:
    buffered = cast(BinaryIO, raw)
    if compression == "gzip":
        return cast("IO[bytes]", _Gzip(raw))
    if compression == "bzip2":
        return cast("IO[bytes]", bz2.BZ2File(buffered))
    if compression == "xz":
        return cast("IO[bytes]", lzma.LZMAFile(buffered))
    if compression == "zstd":
        return _zstd(buffered)
    return cast("IO[bytes]", raw)


def _zstd(raw: BinaryIO) -> IO[bytes]:
    if sys.version_info >= (3, 14):
        from compression import zstd

        return cast("IO[bytes]", zstd.ZstdFile(raw))
    import zstandard

    return cast("IO[bytes]", zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True))


_MAGIC = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zXZ\x00", "xz"), (b"\x28\xb5\x2f\xfd", "zstd"))


def _compression(head: bytes) -> str:
    return next((name for magic, name in _MAGIC if head.startswith(magic)), "")


# --- Finding ----------------------------------------------------------------------------------------------------------


@dataclass
class Found:
    """What was found under the given paths: sources in reading order, and the files left alone with the reason."""

    sources: list[Source] = field(default_factory=list)
    left_alone: list[tuple[str, str]] = field(default_factory=list)
    duplicates: list[tuple[str, str]] = field(default_factory=list)


def find(paths: Iterable[str | os.PathLike[str]], framer: Framer, *, limits: Limits = DEFAULT) -> Found:
    """The sources under paths: files, folders (all that is in them), globs, archives, ``-`` for standard input.

    Raises EvidenceError when a path does not exist or cannot be read.
    """
    found = Found()
    seen: set[str] = set()
    for given in paths:
        for path, explicit in _expand(os.fspath(given)):
            real = os.path.realpath(path)
            if real not in seen:
                seen.add(real)
                _look_at(path, os.fspath(given), explicit, framer, limits, found)
    _drop_twins(found, limits)
    for number, source in enumerate(found.sources, start=1):
        source.source_id = number
    return found


def _expand(given: str) -> Iterator[tuple[str, bool]]:
    """The files a path stands for, and whether each was named by the user."""
    if given == "-" or given.startswith(JOURNAL):
        yield (_spool_stdin() if given == "-" else _spool_journal(given)), True
        return
    path = Path(given).expanduser()
    if path.is_dir():
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if name not in _SKIPPED_FOLDERS)
            for name in sorted(names):
                yield os.path.join(folder, name), False
        return
    if path.exists():
        yield str(path), True
        return
    matches = sorted(glob.glob(str(path), recursive=True))
    if not matches:
        raise EvidenceError(
            f"There is no file or folder {given!r}: check the path, or quote a pattern such as 'mail.log*'."
        )
    for match in matches:
        if os.path.isdir(match):
            yield from _expand(match)
        else:
            yield match, True


_SKIPPED_FOLDERS = {".git", "__pycache__", ".ipynb_checkpoints", ".venv"}
_spooled: dict[str, str] = {}  # temporary copy -> how the source is called


def printable(path: str) -> str:
    """A path as text: bytes that are not UTF-8 are written as ``\\xNN``, for tables and terminals take nothing else.

    >>> printable(os.fsdecode(b"mail\\xff.log"))
    'mail\\\\xff.log'
    """
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def real_path(text: str) -> str:
    """The path that is called so: the file of that very name, else the one whose bytes it spells out."""
    if os.path.exists(text):
        return text
    spelt = re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes.fromhex(found[1].decode()), text.encode("utf-8"))
    return os.fsdecode(spelt)


def _spool_stdin() -> str:
    """Standard input as a temporary file: it is read twice (a look at the stamps, then the lines)."""
    with tempfile.NamedTemporaryFile(prefix="mailforensics-stdin-", suffix=".log", delete=False) as copy:
        while block := sys.stdin.buffer.read(1 << 20):
            copy.write(block)
        _spooled[copy.name] = "-"
        return copy.name


def _spool_journal(given: str) -> str:
    """The journal of this machine as a temporary file: ``journal:`` or ``journal:since=yesterday,unit=postfix``."""
    words = dict(part.split("=", 1) for part in given.removeprefix(JOURNAL).split(",") if "=" in part)
    unknown = sorted(set(words) - {"since", "until", "unit"})
    if unknown:
        raise EvidenceError(
            f"{given!r} asks for {unknown[0]!r}; a journal is asked for by since, until and unit."
        )
    with tempfile.NamedTemporaryFile(prefix="mailforensics-journal-", suffix=".json", delete=False) as copy:
        _spooled[copy.name] = given
    units = [words["unit"]] if "unit" in words else []
    save_journal(Path(copy.name), since=words.get("since"), until=words.get("until"), units=units)
    return copy.name


JOURNAL = "journal:"


def forget_copies() -> None:
    """Remove the temporary copies of standard input and of the journal."""
    for path in [*_spooled]:
        Path(path).unlink(missing_ok=True)
        del _spooled[path]


def _look_at(path: str, given: str, explicit: bool, framer: Framer, limits: Limits, found: Found) -> None:
    shown = _spooled.get(path) or printable(path)
    try:
        info = os.stat(path)
        if not stat.S_ISREG(info.st_mode):
            found.left_alone.append((shown, "not a regular file"))
            return
        with open(path, "rb") as raw:
            head = raw.read(_HEAD)
    except OSError as error:
        if explicit:
            raise EvidenceError(f"{shown} cannot be read: {error.strerror or error}.") from error
        found.left_alone.append((shown, f"cannot be read: {error.strerror or error}"))
        return
    if not head:
        found.left_alone.append((shown, "empty file"))
        return
    moment = dt.datetime.fromtimestamp(info.st_mtime, dt.UTC)
    if head.startswith(b"PK\x03\x04") and zipfile.is_zipfile(path):
        _look_into_zip(path, given, framer, limits, found)
        return
    base = Source(
        path=shown,
        role="log",
        given_as=given,
        size=info.st_size,
        mtime=moment,
        compression=_compression(head),
    )
    if shown != path:
        base._opener = lambda: open(path, "rb")  # noqa: SIM115 (the stream closes it)
    if path in _spooled:
        base.mtime = None
    if base.compression == "gzip" and len(head) > 8 and head[4:8] != b"\0\0\0\0":
        base.gzip_time = dt.datetime.fromtimestamp(int.from_bytes(head[4:8], "little"), dt.UTC)
    inside = _peek(base, limits)
    if inside[257:262] == b"ustar":
        _look_into_tar(path, base, framer, limits, found)
        return
    _add(base, inside, framer, found)


def _peek(source: Source, limits: Limits) -> bytes:
    """The first decompressed bytes; damage met here is met again, and noted, when the source is read."""
    with Stream(source.raw(), source.compression, [], limits) as stream:
        return stream.read(_HEAD)


def _add(source: Source, head: bytes, framer: Framer, found: Found) -> None:
    role, why = role_of(head, framer)
    if role is None:
        found.left_alone.append((source.name, why))
        return
    source.role = role
    if not source.compression:
        source.decompressed_size = source.size
    found.sources.append(source)


def _look_into_tar(path: str, base: Source, framer: Framer, limits: Limits, found: Found) -> None:
    """Members of a tar archive are read straight from it; nothing is ever unpacked to a path of its choosing."""
    mode = {"gzip": "r:gz", "bzip2": "r:bz2", "xz": "r:xz", "": "r:"}.get(base.compression)
    if mode is None:
        found.left_alone.append(
            (base.path, f"a tar archive compressed with {base.compression}: unpack it first")
        )
        return
    try:
        with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
            members: list[tarfile.TarInfo] = []
            for member in archive:
                if len(members) >= limits.archive_members:
                    found.left_alone.append(
                        (base.path, f"more than {limits.archive_members} members: the rest was not read")
                    )
                    break
                if member.isfile():
                    members.append(member)
            for member in members:
                inner = archive.extractfile(member)
                head = inner.read(_HEAD) if inner else b""
                moment = dt.datetime.fromtimestamp(member.mtime, dt.UTC)
                _add_member(
                    member.name,
                    member.size,
                    moment,
                    head,
                    _tar_opener(path, mode, member),
                    base,
                    framer,
                    limits,
                    found,
                )
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        found.left_alone.append((base.path, f"damaged archive: {error}"))


class _Member(io.RawIOBase):
    """A member that is being read; its archive is closed with it."""

    def __init__(self, archive: tarfile.TarFile | zipfile.ZipFile, inner: IO[bytes]) -> None:
        self._archive, self._inner = archive, inner

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return self._inner.seekable()

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._inner.seek(offset, whence)

    def readinto(self, buffer: object, /) -> int:
        view = memoryview(cast(bytearray, buffer))
        data = self._inner.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            self._archive.close()
        super().close()


def _tar_opener(path: str, mode: str, member: tarfile.TarInfo) -> Callable[[], BinaryIO]:
    """Opens just this member: an archive may hold several of one name."""

    def opener() -> BinaryIO:
        archive = tarfile.open(path, mode)  # type: ignore[call-overload]  # noqa: SIM115 (closed with the member)
        return cast(BinaryIO, _Member(archive, cast("IO[bytes]", archive.extractfile(member))))

    return opener


def _look_into_zip(path: str, given: str, framer: Framer, limits: Limits, found: Found) -> None:
    base = Source(path=printable(path), role="log", given_as=given, mtime_is_local=True)
    try:
        with zipfile.ZipFile(path) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            for info in infos[: limits.archive_members]:
                with archive.open(info) as inner:
                    head = inner.read(_HEAD)
                moment = dt.datetime(*info.date_time, tzinfo=dt.UTC)
                _add_member(
                    info.filename,
                    info.file_size,
                    moment,
                    head,
                    _zip_opener(path, info),
                    base,
                    framer,
                    limits,
                    found,
                )
            if len(infos) > limits.archive_members:
                found.left_alone.append(
                    (base.path, f"more than {limits.archive_members} members: the rest was not read")
                )
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError, zlib.error, ValueError) as error:
        found.left_alone.append((base.path, f"damaged or locked archive: {error}"))


def _zip_opener(path: str, member: zipfile.ZipInfo) -> Callable[[], BinaryIO]:
    def opener() -> BinaryIO:
        archive = zipfile.ZipFile(path)
        return cast(BinaryIO, _Member(archive, archive.open(member)))

    return opener


def _add_member(
    name: str, size: int, moment: dt.datetime, head: bytes, opener: Callable[[], BinaryIO],
    base: Source, framer: Framer, limits: Limits, found: Found,
) -> None:  # fmt: skip
    source = Source(
        path=base.path, member=printable(name), role="log", given_as=base.given_as, size=size, mtime=moment,
        compression=_compression(head), mtime_is_local=base.mtime_is_local, _opener=opener,
    )  # fmt: skip
    inside = _peek(source, limits) if source.compression else head
    if not inside:
        found.left_alone.append((source.name, "empty file"))
        return
    _add(source, inside, framer, found)


# --- What a file is ---------------------------------------------------------------------------------------------------

_FIELD = re.compile(rb"\A(?:[!-9;-~]+:[ \t\r\n]|[ \t]|\r?\n|>?From )")
# A compound file ([MS-CFB] §2.2) is Outlook's .msg, unless it has a stream of other programs.
_COMPOUND = bytes.fromhex("d0cf11e0a1b11ae1")
_OFFICE_STREAMS = tuple(
    name.encode("utf-16-le") for name in ("WordDocument", "Workbook", "PowerPoint Document")
)
_MESSAGE_FIELDS = re.compile(
    rb"^(?:received|return-path|from|to|subject|message-id|date|delivered-to|dkim-signature|authentication-results|"
    rb"mime-version|x-[a-z-]+|arc-seal):",
    re.IGNORECASE | re.MULTILINE,
)


def role_of(head: bytes, framer: Framer) -> tuple[Role | None, str]:
    """What the first bytes of a file say it is, or None with the reason why it is no evidence."""
    if head.startswith(b"From ") and _MESSAGE_FIELDS.search(head):
        return "mbox", ""
    if head.lstrip().startswith(b'{"queue_name"') or head.lstrip().startswith(b'{"queue_name" '):
        return "queue", ""
    if re.match(rb"# \S+ \([0-9a-f]+\): |# \S+: /\S*dovecot", head):
        return "doveconf", ""
    if _MESSAGE_FIELDS.match(head) and _looks_like_message(
        head
    ):  # no log begins so; quick for a large Maildir
        return "message", ""
    if _looks_like_log(head, framer):
        return "log", ""
    if _looks_like_postconf(head):
        return "postconf", ""
    if _looks_like_history(head):
        return "history", ""
    if _looks_like_message(head):
        return "message", ""
    if head.startswith(_COMPOUND) and not any(name in head for name in _OFFICE_STREAMS):
        return "message", ""
    if b"\0" in head[:4096]:
        return None, "binary file: no log and no message"
    return None, "no line of it looks like a mail log, and it is no message"


def _looks_like_log(head: bytes, framer: Framer) -> bool:
    lines = [line.decode("utf-8", "replace")[:2048] for line in head.split(b"\n")[:200] if line.strip()]
    if not lines:
        return False
    framed = framer(pl.DataFrame({"line": lines}))
    share = framed["framing"].is_not_null().sum() / len(lines)
    return bool(share >= 0.05)


def _looks_like_postconf(head: bytes) -> bool:
    lines = [line for line in head.split(b"\n") if line.strip() and not line.startswith(b" ")]
    settings = [line for line in lines if re.match(rb"[a-z][a-z0-9_]+ ?=", line)]
    known = (
        b"mydestination",
        b"myhostname",
        b"mail_owner",
        b"smtpd_",
        b"mynetworks",
        b"alias_maps",
        b"queue_directory",
    )
    return (
        bool(lines) and len(settings) / len(lines) > 0.8 and any(line.startswith(known) for line in settings)
    )


def _looks_like_history(head: bytes) -> bool:
    start = head.lstrip()[:2048]
    return start[:1] in (b"{", b"[") and b'"required_score"' in head and b'"symbols"' in head


def _looks_like_message(head: bytes) -> bool:
    top = re.split(rb"\r?\n\r?\n", head.lstrip(b"\r\n"), maxsplit=1)[0]
    lines = top.split(b"\n")
    fields = sum(bool(_FIELD.match(line)) for line in lines)
    named = {match.group(0).lower() for match in _MESSAGE_FIELDS.finditer(top)}
    return len(named) >= 2 and fields / len(lines) > 0.8


def _drop_twins(found: Found, limits: Limits) -> None:
    """The same log given twice is read once. Only sources of equal size can be twins, so only those are hashed early."""
    by_size: dict[int, list[Source]] = {}
    for source in found.sources:
        if source.role == "log":
            if source.decompressed_size is None:
                source.look_through(limits)
            by_size.setdefault(source.decompressed_size or 0, []).append(source)
    for group in by_size.values():
        first: dict[str, Source] = {}
        for source in group if len(group) > 1 else ():
            twin = first.setdefault(source.content_hash(limits), source)
            if twin is not source:
                found.duplicates.append((source.name, twin.name))
                found.sources.remove(source)


def file_hash(source: Source) -> str:
    """SHA-256 of the file as it lies there (of a member: of the whole archive), up to the size it was found with."""
    path = next((copy for copy, shown in _spooled.items() if shown == source.path), None) or real_path(
        source.path
    )
    digest = hashlib.sha256()
    left = os.stat(path).st_size if source.member else source.size
    with open(path, "rb") as raw:
        while left > 0 and (block := raw.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
    return digest.hexdigest()
