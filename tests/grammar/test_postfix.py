"""The Postfix grammar: prefix, shapes, reasons."""

from __future__ import annotations

import polars as pl
import pytest

from mailforensics.grammar import shape
from mailforensics.grammar.postfix import GRAMMAR


def test_the_grammar_s_data_is_sound() -> None:
    assert shape.check(GRAMMAR) == []


@pytest.mark.parametrize("one", GRAMMAR.shapes, ids=lambda one: f"{one.kind}-{one.example[:30]}")
def test_an_example_is_read_by_its_own_shape_first(one: shape.Shape) -> None:
    daemon = one.programs[0] if one.programs[0] != "*" else "smtpd"
    hits = GRAMMAR.matcher(daemon, loud=one.severity == "warning").read(pl.Series([one.example]))
    assert [hit.shape for hit in hits] == [one]
