"""The parts of a message: types, names, sizes and hashes of what is attached, without opening any of it.

A message is a tree of parts (RFC 2046 §5.1), cut at lines of two hyphens and the boundary::

    Content-Type: multipart/mixed; boundary="b1"

    --b1
    Content-Type: application/pdf; name="offer.pdf"
    Content-Disposition: attachment; filename*=utf-8''Angebot.pdf
    Content-Transfer-Encoding: base64

The walk keeps its own stack and is bounded by ``mime_parts`` and ``mime_depth``, so that no nesting can end it. Names
are data: nothing is ever written under them.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from email.utils import decode_params, decode_rfc2231

import polars as pl
import pyarrow as pa

from mailforensics.headers.fields import HeaderSection, decode_words, read_fields
from mailforensics.limits import DEFAULT, Limits

SCHEMA: dict[str, pl.DataType] = {
    "document_id": pl.Int64(), "part": pl.String(), "depth": pl.Int32(), "content_type": pl.String(),
    "charset": pl.String(), "disposition": pl.String(), "filename": pl.String(), "transfer_encoding": pl.String(),
    "byte_offset": pl.Int64(), "size": pl.Int64(), "sha256": pl.String(), "defects": pl.List(pl.String()),
}  # fmt: skip
"""The columns: one row per part; ``size`` and ``sha256`` are those of the decoded content, null for multiparts."""

_ARROW: dict[pl.DataType, pa.DataType] = {
    pl.String(): pa.string(), pl.Int32(): pa.int32(), pl.Int64(): pa.int64(), pl.List(pl.String()): pa.list_(pa.string()),
}  # fmt: skip
PARTS = pa.schema([(name, _ARROW[kind]) for name, kind in SCHEMA.items()])
"""The same columns in Arrow types."""

_PARAMETER = re.compile(r';\s*(?P<key>[A-Za-z0-9*_-]{1,60})\s*=\s*(?P<value>"(?:[^"\\]|\\.)*"|[^\s;]*)')


@dataclass(frozen=True, slots=True)
class _Piece:
    start: int
    end: int
    number: str
    depth: int


def read_parts(data: bytes, *, document_id: int = 0, limits: Limits = DEFAULT) -> pl.DataFrame:
    """The parts of one message from its bytes, in order: one row each, columns :data:`SCHEMA`.

    ``part`` counts as IMAP does (RFC 3501 §6.4.5), the whole message being ``0``. Parts beyond the limits are left
    out, which the defects ``mime_parts_limit`` and ``mime_depth_limit`` of the row above say. Nothing is raised.

    >>> read_parts(b"Content-Type: text/plain\\n\\nhello").select("part", "content_type", "size").rows()
    [('0', 'text/plain', 5)]
    """
    rows: list[dict[str, object]] = []
    waiting = [_Piece(0, min(len(data), limits.message_bytes), "0", 0)]
    while waiting:
        piece = waiting.pop()
        row, inner = _part(data, piece, document_id)
        if inner and piece.depth >= limits.mime_depth:
            row["defects"] = [*_listed(row), "mime_depth_limit"]
            inner = []
        room = limits.mime_parts - len(rows) - len(waiting) - 1
        if len(inner) > room:
            row["defects"] = [*_listed(row), "mime_parts_limit"]
        waiting += reversed(inner[: max(0, room)])
        rows.append(row)
    return pl.DataFrame(rows, schema=SCHEMA)


def _listed(row: dict[str, object]) -> list[object]:
    defects = row["defects"]
    return list(defects) if isinstance(defects, list) else []


def _part(data: bytes, piece: _Piece, document_id: int) -> tuple[dict[str, object], list[_Piece]]:
    section = _section(data, piece)
    body = piece.start + section.body_start
    kind, parameters = _parsed(section.first("content-type") or "text/plain")
    disposition, named = _parsed(section.first("content-disposition") or "")
    encoding = (section.first("content-transfer-encoding") or "7bit").strip().lower()
    name = named.get("filename") or parameters.get("name")
    defects: list[str] = []
    inner = _inner(data, body, piece, kind, parameters, defects)
    row: dict[str, object] = {
        "document_id": document_id, "part": piece.number, "depth": piece.depth, "content_type": kind,
        "charset": parameters.get("charset"), "disposition": disposition or None,
        "filename": decode_words(name)[0] if name else None, "transfer_encoding": encoding, "byte_offset": piece.start,
        "size": None, "sha256": None, "defects": defects,
    }  # fmt: skip
    if not inner:
        content = _content(data[body : piece.end], encoding, defects)
        row |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return row, inner


def _section(data: bytes, piece: _Piece) -> HeaderSection:
    """The header of a part; it may be empty, and then the part begins with an empty line."""
    empty = re.compile(rb"\r?\n").match(data, piece.start, piece.end) if piece.depth else None
    if empty:
        return HeaderSection((), empty.end() - piece.start)
    return read_fields(data[piece.start : piece.end])


def _parsed(value: str) -> tuple[str, dict[str, str]]:
    """(the word in front in lower case, the parameters), RFC 2231 continuations and languages undone."""
    word = value.partition(";")[0].strip().lower()[:255]
    raw = [(match["key"].lower(), match["value"]) for match in _PARAMETER.finditer(value[:8192])]
    try:
        decoded = decode_params([("", ""), *raw])[1:]
    except (ValueError, IndexError, KeyError):
        decoded = list(raw)
    parameters: dict[str, str] = {}
    for key, text in decoded:
        parameters.setdefault(key, _plain(text))
    return word, parameters


def _plain(text: str | tuple[str | None, str | None, str]) -> str:
    if isinstance(text, tuple):
        charset, _, encoded = text
        encoded = encoded.strip('"')
        try:
            return encoded.encode("latin-1", "replace").decode(charset or "ascii", "replace")
        except LookupError:
            return encoded
    bare = re.sub(r"\\(.)", r"\1", text[1:-1]) if len(text) > 1 and text[0] == text[-1] == '"' else text
    if "''" not in bare:
        return bare
    return decode_rfc2231(bare)[-1] or bare


def _inner(
    data: bytes, body: int, piece: _Piece, kind: str, parameters: dict[str, str], defects: list[str]
) -> list[_Piece]:
    if kind == "message/rfc822" and piece.depth >= 0:
        return [_Piece(body, piece.end, f"{piece.number}.1".removeprefix("0."), piece.depth + 1)]
    if not kind.startswith("multipart/"):
        return []
    boundary = parameters.get("boundary", "").rstrip()
    if not boundary:
        defects.append("boundary_missing")
        return []
    marker = re.compile(rb"^--" + re.escape(boundary.encode("utf-8", "replace")) + rb"(--)?[ \t]*\r?$", re.M)
    found = list(marker.finditer(data, body, piece.end))
    if not found:
        defects.append("boundary_not_found")
    elif found[-1][1] is None:
        defects.append("end_missing")
    return _between(data, found, piece)


def _between(data: bytes, found: list[re.Match[bytes]], piece: _Piece) -> list[_Piece]:
    inner: list[_Piece] = []
    for number, match in enumerate(found):
        if match[1] is not None:
            break
        start = min(match.end() + 1, piece.end)
        end = found[number + 1].start() if number + 1 < len(found) else piece.end
        if number + 1 < len(
            found
        ):  # the line end before a boundary belongs to the boundary (RFC 2046 §5.1.1)
            end -= 2 if data[end - 2 : end] == b"\r\n" else 1
        prefix = "" if piece.number == "0" else f"{piece.number}."
        inner.append(_Piece(start, max(start, end), f"{prefix}{number + 1}", piece.depth + 1))
    return inner


def _content(raw: bytes, encoding: str, defects: list[str]) -> bytes:
    if encoding == "base64":
        clean = re.sub(rb"[^A-Za-z0-9+/]", b"", raw)
        try:
            return base64.b64decode(clean + b"=" * (-len(clean) % 4))
        except (ValueError, binascii.Error):
            defects.append("base64_damaged")
            return base64.b64decode(clean[: len(clean) // 4 * 4])
    if encoding == "quoted-printable":
        return binascii.a2b_qp(raw)
    return raw
