"""The header section of a message as a list of fields: bytes kept, order kept, nothing repaired.

A field begins at the start of a line with a name and a colon and goes on while lines begin with a space or a
tab (RFC 5322 §2.2.3)::

    Received: from mail.example.org (mail.example.org [192.0.2.7])
            by mx.example.net (Postfix) with ESMTPS id 4F3D21234

Each field keeps its raw bytes and its place. ``value`` is for reading: unfolded, UTF-8 (RFC 6532) decoded, other
8-bit bytes as ``\\xNN``, encoded words (RFC 2047) decoded where that standard allows them. Words such as
``encoded_word_damaged`` in ``defects`` say what was not as it should be.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from mailforensics.limits import DEFAULT, Limits

_LINE = re.compile(rb"[^\r\n]*(?:\r\n|\n|\r|$)")
_FIELD_START = re.compile(rb"([!-9;-~]+)[ \t]*:")
_BREAK = re.compile(rb"\r\n(?=[ \t])|\n(?=[ \t])|[\r\n]")
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_ENCODED_WORD = re.compile(r"=\?([!-<>@-~]{1,75})\?([bBqQ])\?([^?\x00-\x1f]*)\?=")
_BETWEEN_WORDS = re.compile(r"(=\?[!-<>@-~]{1,75}\?[bBqQ]\?[^?]*\?=)\s+(?==\?[!-<>@-~]{1,75}\?[bBqQ]\?)")
_CHARSET = re.compile(
    r"(?i)(?:utf-?8|us-ascii|ascii|iso-?8859-[0-9]{1,2}|latin-?1|(?:windows|cp)-?[0-9]{3,4}|koi8-[ru]|gb2312|gbk|"
    r"gb18030|big5(?:-hkscs)?|shift[_-]jis|euc-(?:jp|kr)|iso-2022-(?:jp|kr)(?:-[0-9])?|mac(?:intosh|-?roman)|tis-620)"
)

STRUCTURED = frozenset(
    (
        "received", "x-received", "return-path", "message-id", "in-reply-to", "references", "date", "mime-version",
        "authentication-results", "arc-authentication-results", "arc-seal", "arc-message-signature",
        "dkim-signature", "x-google-dkim-signature", "received-spf", "delivered-to", "x-original-to",
    )
)  # fmt: skip
"""Fields in which RFC 2047 allows no encoded words: there they stand as written."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field: ``raw`` is all of it with its line end, ``value_start`` where the value begins within ``raw``."""

    name: str
    raw: bytes
    value_start: int
    byte_offset: int
    line_number: int
    defects: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The name in lower case, as fields are looked up by."""
        return self.name.lower()

    @property
    def raw_value(self) -> bytes:
        """The bytes behind the colon, folding and all, without the last line end."""
        return self.raw[self.value_start :].rstrip(b"\r\n")

    @property
    def value(self) -> str:
        """The value for reading: unfolded, decoded; see :func:`readable`."""
        return readable(self.key, self.raw_value)[0]


@dataclass(frozen=True, slots=True)
class HeaderSection:
    """The fields of one message in order, where its body begins, and what is wrong with the section."""

    fields: tuple[Field, ...]
    body_start: int
    defects: tuple[str, ...] = ()

    def all(self, name: str) -> tuple[Field, ...]:
        """All fields of that name, from the top."""
        return tuple(field for field in self.fields if field.key == name)

    def first(self, name: str) -> str | None:
        """The readable value of the topmost field of that name, or None."""
        for field in self.fields:
            if field.key == name:
                return field.value.strip()
        return None


def read_fields(data: bytes, *, limits: Limits = DEFAULT) -> HeaderSection:
    """The header section at the start of ``data`` (RFC 5322 §2.1), up to the first empty line.

    An mbox ``From `` line in front is stepped over. A line that is neither a field nor a continuation becomes a
    field without a name and the defect ``not_a_field``. Sections longer than ``limits`` allow are cut, which the
    section's defects say. Nothing is raised, whatever the bytes are.

    >>> section = read_fields(b"Subject: a\\n b\\nTo: x@example.org\\n\\nbody")
    >>> [(field.name, field.value) for field in section.fields]
    [('Subject', 'a b'), ('To', 'x@example.org')]
    """
    fields: list[Field] = []
    defects: list[str] = []
    end = start = 0
    for start, end, line_number in _logical_lines(data, min(len(data), limits.header_bytes)):
        if len(fields) >= limits.header_fields:
            defects.append("header_fields_limit")
            break
        fields.append(_field(data, start, end, line_number))
    body_start = _body_start(data, end)
    if body_start is None:
        body_start = len(data)
        if end >= limits.header_bytes:
            defects.append("header_bytes_limit")
    return HeaderSection(tuple(fields), body_start, tuple(defects))


def _logical_lines(data: bytes, stop: int) -> Iterator[tuple[int, int, int]]:
    """(start, end, line number) of each field with its continuation lines, until an empty line."""
    position, line_number = _skip_front(data)
    begin, begin_line = position, line_number
    while position < stop:
        match = _LINE.match(data, position, stop)
        if match is None or match.end() == position or data[position] in b"\r\n":
            break
        if data[position] not in b" \t" and position > begin:
            yield begin, position, begin_line
            begin, begin_line = position, line_number
        position = match.end()
        line_number += 1
    if position > begin:
        yield begin, position, begin_line


def _skip_front(data: bytes) -> tuple[int, int]:
    """Where the first field begins: behind empty lines and an mbox separator line."""
    position = len(data) - len(data.lstrip(b"\r\n"))
    line_number = 1 + data.count(b"\n", 0, position)
    if data.startswith((b"From ", b">From "), position):
        match = _LINE.match(data, position)
        position = match.end() if match else position
        line_number += 1
    return position, line_number


def _field(data: bytes, start: int, end: int, line_number: int) -> Field:
    raw = data[start:end]
    match = _FIELD_START.match(raw)
    if match is None:
        return Field("", raw, 0, start, line_number, ("not_a_field",))
    value_start = match.end() + (raw[match.end() : match.end() + 1] in (b" ", b"\t"))
    defects = () if match.end(1) == match.end() - 1 else ("space_before_colon",)
    return Field(match.group(1).decode("ascii"), raw, value_start, start, line_number, defects)


def _body_start(data: bytes, end: int) -> int | None:
    match = re.compile(rb"\r\n|\n|\r").match(data, end)
    return match.end() if match else None


def unfold(raw_value: bytes) -> bytes:
    """The value on one line: folding undone (RFC 5322 §2.2.3), stray line ends as spaces.

    >>> unfold(b"from a\\r\\n\\tby b")
    b'from a\\tby b'
    """
    return _BREAK.sub(
        lambda match: b"" if len(match.group()) > 1 or match.group() == b"\n" else b" ", raw_value
    )


def readable(key: str, raw_value: bytes) -> tuple[str, tuple[str, ...]]:
    """The value as text and what was wrong with it; ``key`` is the field's name in lower case.

    >>> readable("subject", b"=?utf-8?Q?Gr=C3=BC=C3=9Fe?=")
    ('Grüße', ())
    >>> readable("subject", b"caf\\xe9")
    ('caf\\\\xe9', ('not_utf8',))
    """
    flat = unfold(raw_value)
    text, defects = _decoded(flat)
    if _CONTROL.search(flat):
        defects.append("control_characters")
    if key not in STRUCTURED and "=?" in text:
        text, damaged = decode_words(text)
        defects += ["encoded_word_damaged"] * damaged
    return text, tuple(defects)


def _decoded(flat: bytes) -> tuple[str, list[str]]:
    if flat.isascii():
        return flat.decode("ascii"), []
    try:
        return flat.decode("utf-8"), ["not_ascii"]
    except UnicodeDecodeError:
        return flat.decode("utf-8", "backslashreplace"), ["not_utf8"]


def decode_words(text: str) -> tuple[str, bool]:
    """Encoded words (RFC 2047) as the text they stand for, and whether one of them was damaged.

    A word whose character set or encoding cannot be read stays as written.

    >>> decode_words("=?iso-8859-1?Q?a?= =?utf-8?B?Yg==?= c")
    ('ab c', False)
    """
    damaged = False

    def one(match: re.Match[str]) -> str:
        nonlocal damaged
        decoded = _word(*match.groups())
        damaged = damaged or decoded is None
        return match.group() if decoded is None else decoded

    return _ENCODED_WORD.sub(one, _BETWEEN_WORDS.sub(r"\1", text)), damaged


def _word(charset: str, encoding: str, payload: str) -> str | None:
    charset = charset.partition("*")[0]  # RFC 2231 §5: a language may follow
    if not payload.isascii() or not _CHARSET.fullmatch(charset):
        return None
    try:
        if encoding in "bB":
            data = base64.b64decode(payload + "=" * (-len(payload) % 4), validate=True)
        else:
            data = binascii.a2b_qp(payload, header=True)
        return data.decode(charset.lower().replace("macintosh", "mac-roman"), "backslashreplace")
    except (ValueError, LookupError, UnicodeError):
        return None


_QUOTED = re.compile(r"^ *(?:[>|] ?)+")
_NUMBERED = re.compile(r" *([0-9]{1,5})[.:)]? ?")
_BULLET = re.compile(r"[*\u2022-] ")
_PASTED_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,75}:(?:[ \t]|$)")
_FAMILIAR = re.compile(
    r"(?:received|return-path|from|to|cc|subject|date|message-id|delivered-to|reply-to|sender|mime-version|content-[a-z-]+|"
    r"authentication-results|dkim-signature|arc-[a-z-]+|received-spf|list-[a-z-]+|x-[a-z0-9-]+):(?:[ \t]|$)",
    re.I,
)
_FRONT = re.compile("[\\s\u00ad\u200b-\u200f\u2060\ufeff]*")  # spaces and what shows as nothing


def clean_pasted(text: str) -> bytes:
    """Header text from a mail program's window as the bytes of a header section.

    Undone are quoting with ``>`` or ``|`` and lines wrapped within it, numbers and bullets before lines, an indentation
    that lines share, empty lines between all lines, spaces that only look like spaces, and folding that lost its
    indentation, so that a line which begins no field continues the one before. Words before the first familiar field are
    left out. Offsets then refer to the cleaned bytes.

    >>> clean_pasted("> Received: from a\\n> by b\\n> Subject: x")
    b'Received: from a\\n by b\\nSubject: x\\n'
    """
    lines = [_with_plain_front(line) for line in text.splitlines() if not line.startswith("```")]
    for undo in (_unquoted_lines, _unnumbered, _single_spaced_lines, _without_words_before, _without_margin):
        lines = undo(lines)
        while lines and not lines[0].strip():
            lines.pop(0)
    out: list[str] = []
    for number, line in enumerate(lines):
        if not line.strip():
            out += ["", *lines[number + 1 :]]
            break
        starts = _PASTED_FIELD.match(line) or line[0] in " \t" or not out
        out.append(line if starts else f" {line}")
    return "".join(f"{line}\n" for line in out).encode("utf-8", "backslashreplace")


def _with_plain_front(line: str) -> str:
    """The line with hard spaces before its first letter as spaces and invisible marks there gone."""
    match = _FRONT.match(line)
    front = match.group() if match else ""
    plain = "".join(mark if mark == "\t" else " " for mark in front if mark.isspace())
    return plain + line[len(front) :]


def _unquoted_lines(lines: list[str]) -> list[str]:
    """Without quoting, where nearly all lines from the first quoted one on have it; others go on with the line before."""
    first = next((number for number, line in enumerate(lines) if _QUOTED.match(line)), None)
    if first is None:
        return lines
    written = [line for line in lines[first:] if line.strip()]
    quoted = sum(bool(_QUOTED.match(line)) for line in written)
    unquoted_fields = any(_FAMILIAR.match(line) for line in lines if not _QUOTED.match(line))
    if unquoted_fields or quoted < 0.6 * len(written):
        return lines
    out = []
    for line in lines[first:]:
        match = _QUOTED.match(line)
        out.append(line[match.end() :] if match else f" {line}" if line.strip() else line)
    return out


def _unnumbered(lines: list[str]) -> list[str]:
    """Without the numbers or bullets that an editor put before every line."""
    written = [line for line in lines if line.strip()]
    numbers = [_NUMBERED.match(line) for line in written]
    counted = [int(match[1]) for match in numbers if match]
    if len(counted) == len(written) > 1 and all(b == a + 1 for a, b in pairwise(counted)):
        return [_NUMBERED.sub("", line, count=1) for line in lines]
    if len(written) > 1 and all(_BULLET.match(line) for line in written):
        return [line[2:] for line in lines]
    return lines


def _single_spaced_lines(lines: list[str]) -> list[str]:
    """Without the empty lines that stand between all lines."""
    written = [line for line in lines if line.strip()]
    empty = len(lines) - len(written)
    between = sum(not a.strip() and bool(b.strip()) for a, b in pairwise(lines))
    headerlike = sum(bool(_FAMILIAR.match(line)) or line[0] in " \t" for line in written)
    spaced = len(written) > 3 and min(between, empty) >= len(written) - 2
    return written if spaced and 2 * headerlike >= len(written) else lines


def _without_words_before(lines: list[str]) -> list[str]:
    """From the first familiar field on, where the text does not begin with a field."""
    if not lines or _PASTED_FIELD.match(lines[0].lstrip()):
        return lines
    for number, line in enumerate(lines):
        if _FAMILIAR.match(line.lstrip()):
            return lines[number:]
    return lines


def _without_margin(lines: list[str]) -> list[str]:
    """Without the indentation that all lines share, or all but the first when fields are among the others."""
    head = lines[: next((number for number, line in enumerate(lines) if not line.strip()), len(lines))]
    margins = [len(line) - len(line.lstrip()) for line in head]
    margin = min(margins, default=0)
    others = min(margins[1:], default=0)
    if not margin and others and sum(bool(_FAMILIAR.match(line.lstrip())) for line in head[1:]) > 1:
        return [lines[0], *(line[others:] if line[:others].isspace() else line for line in lines[1:])]
    return [line[margin:] if margin and line[:margin].isspace() else line for line in lines]
