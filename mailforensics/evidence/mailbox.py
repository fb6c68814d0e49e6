"""Messages out of files: one message (.eml, a Maildir file) or many (mbox, RFC 4155), each with its place.

From alex@example.com Mon Mar  2 10:02:11 2026        an mbox separates its messages by such lines
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mailforensics.evidence.source import Source
from mailforensics.limits import DEFAULT, Limits

_SEPARATOR = re.compile(rb"^From [^\n]*(?:\n|\Z)", re.MULTILINE)


def messages(source: Source, *, limits: Limits = DEFAULT) -> Iterator[tuple[int, int, bytes]]:
    """The messages of a source: (source_id, byte offset, bytes). A message over the limit is cut, and the cut recorded."""
    with source.open(limits) as stream:
        data = stream.read(limits.message_bytes + 1)
        if len(data) > limits.message_bytes:
            source.limits_hit.append(f"message_bytes: only the first {limits.message_bytes} bytes were read")
            data = data[: limits.message_bytes]
    if source.role != "mbox":
        yield source.source_id, 0, data
        return
    for begin, end in _parts(data):
        yield source.source_id, begin, data[begin:end]


def _parts(data: bytes) -> Iterator[tuple[int, int]]:
    """Where each message of an mbox begins (behind its separator) and ends."""
    marks = [match for match in _SEPARATOR.finditer(data) if _after_blank(data, match.start())]
    for mark, following in zip(marks, [*marks[1:], None], strict=True):
        end = following.start() if following is not None else len(data)
        yield mark.end(), end


def _after_blank(data: bytes, at: int) -> bool:
    return at == 0 or data[max(at - 2, 0) : at] == b"\n\n" or data[max(at - 4, 0) : at] == b"\r\n\r\n"
