"""Outlook's .msg files: the header as Outlook kept it, bodies and attachments with their sizes and hashes.

A .msg file is a compound file ([MS-CFB]) whose streams are properties ([MS-OXMSG] §2.1), named by number and type::

    __substg1.0_007D001F                                    the header of the message as it came, in UTF-16
    __substg1.0_1000001F                                    its text
    __attach_version1.0_#00000000/__substg1.0_37010102      the bytes of an attachment

The message as it came is not in it: the body was taken apart, so that no signature can be checked and places count in
the header text, not in the file. Drafts and mail within one Exchange keep no header; then a few fields are made from
the properties, which the defect ``made_from_properties`` says. olefile reads the compound file; mail-parser's own way
to .msg writes header fields anew and needs thirteen packages more.
"""

from __future__ import annotations

import hashlib
import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import olefile
import polars as pl

from mailforensics.errors import EvidenceError
from mailforensics.headers.parts import SCHEMA
from mailforensics.limits import DEFAULT, Limits

MAGIC = bytes.fromhex("d0cf11e0a1b11ae1")  # [MS-CFB] §2.2
_INTERNET_HEADERS = "Microsoft Mail Internet Headers Version 2.0"
_ATTACHMENT = "__attach_version1.0_#"
_EMBEDDED = "__substg1.0_3701000D"

# Properties ([MS-OXPROPS]); the first that is there counts.
_HEADER, _TEXT, _HTML, _RTF = 0x007D, 0x1000, 0x1013, 0x1009
_FROM_ADDRESS, _FROM_NAME = (0x5D01, 0x0C1F), 0x0C1A
_WORDS = (("To", 0x0E04), ("Cc", 0x0E03), ("Subject", 0x0037), ("Message-ID", 0x1035))
_TIMES = (0x0039, 0x0E06)  # sent, else delivered
_CODE_PAGES = (0x3FFD, 0x3FDE)


@dataclass(frozen=True, slots=True)
class OutlookFile:
    """What a .msg file holds: the header section as bytes, what is odd about it, and its parts (columns of ``parts``)."""

    header: bytes
    defects: tuple[str, ...]
    parts: pl.DataFrame


def is_outlook(data: bytes) -> bool:
    """Whether these are the bytes of a compound file, as a .msg is.

    >>> is_outlook(b"From: a@example.org")
    False
    """
    return data.startswith(MAGIC)


def read_outlook(data: bytes, *, document_id: int = 0, limits: Limits = DEFAULT) -> OutlookFile:
    """The header, bodies and attachments of a .msg file from its bytes.

    Raises :class:`EvidenceError` when it is damaged, or another kind of compound file, such as an old Word document.
    """
    try:
        with olefile.OleFileIO(io.BytesIO(data)) as file:
            storage = _Storage(file, limits)
            if not file.exists("__properties_version1.0"):
                raise EvidenceError(
                    "This is a compound file, but no Outlook message: an old Office document, perhaps."
                )
            header, defects = _header(storage)
            parts = pl.DataFrame(list(_parts(storage, document_id, limits)), schema=SCHEMA)
    except EvidenceError:
        raise
    except Exception as error:  # whatever damaged bytes make the reader of compound files raise
        raise EvidenceError(
            f"The Outlook file is damaged: {error}. Save the message again, or ask for it as .eml."
        ) from error
    return OutlookFile(header, defects, parts)


class _Storage:
    """The streams of a compound file by property number."""

    def __init__(self, file: olefile.OleFileIO[Any], limits: Limits, folder: str = "") -> None:
        self.file, self.limits, self.folder = file, limits, folder

    def inside(self, name: str) -> _Storage:
        return _Storage(self.file, self.limits, f"{self.folder}{name}/")

    def stream(self, name: str) -> bytes | None:
        if not self.file.exists(self.folder + name):
            return None
        with self.file.openstream(self.folder + name) as stream:
            content: bytes = stream.read(self.limits.message_bytes)
            return content

    def text(self, number: int) -> str | None:
        wide = self.stream(f"__substg1.0_{number:04X}001F")
        if wide is not None:
            return wide.decode("utf-16-le", "backslashreplace").rstrip("\0")
        narrow = self.stream(f"__substg1.0_{number:04X}001E")
        return None if narrow is None else narrow.decode(self._code_page(), "backslashreplace").rstrip("\0")

    def binary(self, number: int) -> bytes | None:
        return self.stream(f"__substg1.0_{number:04X}0102")

    def fixed(self) -> dict[int, bytes]:
        """The properties of eight bytes and less, which stand in one stream together ([MS-OXMSG] §2.4)."""
        content = self.stream("__properties_version1.0") or b""
        start = 32 if not self.folder else 8
        found: dict[int, bytes] = {}
        for place in range(start, len(content) - 15, 16):
            _, number, _, value = struct.unpack_from("<HHI8s", content, place)
            found.setdefault(number, value)
        return found

    def _code_page(self) -> str:
        fixed = self.fixed()
        for number in _CODE_PAGES:
            page = struct.unpack("<I", fixed.get(number, bytes(8))[:4])[0]
            try:
                "".encode(f"cp{page}")
            except LookupError:
                continue
            return f"cp{page}"
        return "utf-8"


def _header(storage: _Storage) -> tuple[bytes, tuple[str, ...]]:
    kept = storage.text(_HEADER)
    if kept and kept.strip():
        kept = kept.removeprefix(_INTERNET_HEADERS).lstrip("\r\n")
        text = kept.rstrip("\r\n") + "\r\n\r\n"
        return text.encode("utf-8", "backslashreplace"), ("from_outlook",)
    lines = [f"{name}: {value}\r\n" for name, value in _made(storage)]
    return "".join([*lines, "\r\n"]).encode("utf-8", "backslashreplace"), (
        "from_outlook",
        "made_from_properties",
    )


def _made(storage: _Storage) -> Iterator[tuple[str, str]]:
    """Fields for a message of which Outlook keeps no header."""
    address = next(
        (found for number in _FROM_ADDRESS if (found := storage.text(number)) and "@" in found), None
    )
    name = storage.text(_FROM_NAME)
    if address or name:
        yield "From", _line(f"{name} <{address}>" if name and address else address or name or "")
    for field, number in _WORDS:
        if value := storage.text(number):
            yield field, _line(value)
    fixed = storage.fixed()
    for number in _TIMES:
        if number in fixed:
            ticks = struct.unpack("<Q", fixed[number])[0]
            try:
                time = datetime(1601, 1, 1, tzinfo=UTC) + timedelta(microseconds=ticks // 10)
            except OverflowError:
                continue
            yield "Date", format_datetime(time)
            return


def _line(text: str) -> str:
    return " ".join(text.split())


def _parts(storage: _Storage, document_id: int, limits: Limits) -> Iterator[dict[str, object]]:
    """The whole as row ``0``, then bodies and attachments."""
    attachments = sorted(
        entry[0] for entry in storage.file.listdir(streams=False, storages=True)
        if len(entry) == 1 and entry[0].startswith(_ATTACHMENT)
    )  # fmt: skip
    rows = [
        *_bodies(storage),
        *(_attachment(storage.inside(name)) for name in attachments[: limits.mime_parts]),
    ]
    defects = ["mime_parts_limit"] if len(attachments) > limits.mime_parts else []
    whole = _row("application/vnd.ms-outlook", None) | {"defects": defects}
    for number, row in enumerate([whole, *rows]):
        yield row | {"document_id": document_id, "part": str(number), "depth": min(number, 1)}


def _bodies(storage: _Storage) -> Iterator[dict[str, object]]:
    text = storage.text(_TEXT)
    if text:
        yield _row("text/plain", text.encode("utf-8", "backslashreplace")) | {"charset": "utf-8"}
    page = storage.binary(_HTML)
    written = storage.text(_HTML) if page is None else None
    if page is not None:
        yield _row("text/html", page)
    elif written:
        yield _row("text/html", written.encode("utf-8", "backslashreplace")) | {"charset": "utf-8"}
    packed = storage.binary(_RTF)
    if packed:
        yield _row("application/rtf", packed) | {"defects": ["compressed_rtf"]}


def _attachment(storage: _Storage) -> dict[str, object]:
    name = storage.text(0x3707) or storage.text(0x3704) or storage.text(0x3001)
    kind = storage.text(0x370E) or "application/octet-stream"
    content = storage.binary(0x3701)
    if content is None and storage.file.exists(storage.folder + _EMBEDDED):
        kind = "application/vnd.ms-outlook"
    row = _row(kind.lower(), content) | {"disposition": "attachment", "filename": name}
    return row | ({} if content is not None else {"defects": ["content_not_in_one_stream"]})


def _row(kind: str, content: bytes | None) -> dict[str, object]:
    known = {} if content is None else {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return dict.fromkeys(SCHEMA) | {"content_type": kind, "defects": []} | known
