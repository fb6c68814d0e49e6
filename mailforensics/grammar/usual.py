"""A faster way to the groups of the usual lines of a shape, for its ``reader``.

The engine reads a pattern in one pass only when the next character always decides the branch; any other pattern takes it two to
five times as long, and so does a long tail of free text. So a narrower pattern reads nearly all lines of a kind, and may stop in
front of a text that need not be looked at character by character:

    reject: RCPT from mx.example.net[192.0.2.7]: 554 5.7.1 <x@example.org>: Relay access denied; from=...
    \\____________________________________________________/ \\___________________________________________
     pattern                                                rest: taken as it is

A reader never says other than the shape's own pattern (tests/grammar/test_usual.py holds them against each other).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from mailforensics.evidence.spans import behind

Frame = pl.DataFrame

_HEAD = "head"


@dataclass(frozen=True)
class Usual:
    """Bodies in, a frame of the groups out, all null where the pattern or the tail does not match.

    pattern  of the whole body, or of its beginning when there is a `rest`
    rest     the group that holds all that stands behind the beginning

    >>> read = Usual(r"reject: (?P<stage>[A-Z]+) ", rest="text")
    >>> read(pl.Series(["reject: RCPT from mx.example.net", "hold: RCPT from mx.example.net"])).rows()
    [('RCPT', 'from mx.example.net'), (None, None)]
    """

    pattern: str
    rest: str = ""

    @cached_property
    def _groups(self) -> pl.Expr:
        whole = rf"(?P<{_HEAD}>{self.pattern})" if self.rest else rf"{self.pattern}\z"
        return pl.col("body").str.extract_groups(rf"\A(?s:{whole})")

    def __call__(self, bodies: pl.Series) -> Frame:
        found = bodies.to_frame("body").select(self._groups).to_series().struct.unnest()
        if not self.rest:
            return found
        length = found[_HEAD].str.len_bytes()
        unread = length.is_null()
        rest = behind(bodies, length.fill_null(0).to_numpy().astype(np.int64)).alias(self.rest)
        return found.drop(_HEAD).with_columns(rest.set(unread, None) if unread.any() else rest)
