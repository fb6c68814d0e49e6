"""The bounds on what hostile or damaged evidence may cost; a bound that is hit is recorded, never silent.

A limit that is reached stands in ``sources.limits_hit`` (or ``defects`` of the row that met it), so that a cut
is always visible in the answer. The defaults suit logs of any size and messages of up to 100 MB.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds for reading one piece of evidence. Sizes are bytes.

    >>> Limits(line_bytes=1024).line_bytes
    1024
    """

    line_bytes: int = 64 * 1024  # longer lines are kept as rows with parse_status "oversize", text cut here
    piece_bytes: int = (
        32 * 1024 * 1024
    )  # how much of a log is parsed at once: a piece costs 0.05 s whatever is in it
    expansion: int = 200  # decompressed bytes allowed per compressed byte ...
    expansion_floor: int = 64 * 1024 * 1024  # ... once more than this has come out
    expansion_lines: int = 4  # lines allowed per compressed byte ...
    expansion_lines_floor: int = 500_000  # ... once more than this have come out
    archive_members: int = 10_000
    message_bytes: int = 100 * 1024 * 1024
    header_bytes: int = 1024 * 1024  # header section of one message
    header_fields: int = 2_000
    mime_parts: int = 1_000
    mime_depth: int = 50


DEFAULT = Limits()
