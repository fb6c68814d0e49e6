"""A reader of usual lines says nothing but what the shape's own pattern says, on lines as they are and on lines that are bent."""

from __future__ import annotations

import random

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from mailforensics.grammar import grammars
from mailforensics.grammar.postfix import reasons
from mailforensics.grammar.shape import Compiled, Shape
from mailforensics.grammar.usual import Usual

_ALL = (*(shape for grammar in grammars() for shape in grammar.shapes), *reasons.SHAPES)
READ = [shape for shape in _ALL if isinstance(shape.reader, Usual)]
STUMBLES = (
    "; from=<a@example.com> to=<b@example.org> proto=SMTP helo=<h>", ", sasl_username=eve", ", sasl_sender=eve", ", orig_client=x[192.0.2.1]", "; client ", ">, to=<x",
    " queued as 4B", " [InternalId=7]", " from MTA(x): 250 Ok: queued as 5C", "]", "[", ">", "<", ")", "(", ";", ",", ": ", " ", '"', "\\", "-", "\n", "ü", "", " 554 5.7.1 ",
    ", Queue-ID: 4B", ", 7 ms", "{x}", " to ", ":25", " key-exchange x", " with cipher ", "receiver=", " notes=bare_lf", " quit=1",
)  # fmt: skip


def _bent(text: str, chance: random.Random) -> str:
    """The text with something put in, cut out or said twice somewhere."""
    for _ in range(chance.randint(1, 2)):
        at, end = sorted(chance.choices(range(len(text) + 1), k=2))
        put = chance.choice((*STUMBLES, text[at:end]))
        text = text[:at] + put + (text[at:] if chance.random() < 0.7 else text[end:])
    return text


def _same_where_read(shape: Shape, bodies: pl.Series) -> int:
    """Compare what the reader says with what the pattern says; the number of bodies that it says anything of."""
    assert isinstance(shape.reader, Usual)
    said = shape.reader(bodies)
    read = pl.any_horizontal(pl.all().is_not_null())
    rows = said.select(read).to_series()
    slow = Compiled(shape).extract(bodies.filter(rows))
    unsaid = [name for name in shape.groups if name not in said.columns]
    assert_frame_equal(said.filter(rows), slow.select(said.columns))
    assert all(slow[name].null_count() == slow.height for name in unsaid)
    return int(rows.sum())


@pytest.mark.parametrize("shape", READ, ids=lambda shape: f"{shape.kind}-{shape.example[:20]}")
def test_a_reader_of_usual_lines_says_what_the_pattern_says(shape: Shape) -> None:
    assert shape.example.isascii()
    assert _same_where_read(shape, pl.Series([shape.example])) == 1
    chance = random.Random(shape.example)
    bent = [_bent(shape.example, chance) for _ in range(20_000)]
    assert 20 < _same_where_read(shape, pl.Series(bent)) < len(bent)


@pytest.mark.parametrize("shape", READ, ids=lambda shape: f"{shape.kind}-{shape.example[:20]}")
def test_a_reader_of_usual_lines_leaves_the_lines_of_other_shapes(shape: Shape) -> None:
    _same_where_read(shape, pl.Series([other.example for other in _ALL]))


def test_short_bodies_and_bodies_of_several_buffers_are_read_alike() -> None:
    read = Usual(r"a=(?P<a>[a-z]*) ", rest="b")
    some = pl.Series(["a=x ", "a=x short", "a=x a text that has no place in a view", "b", ""])
    expected = [
        ("x", ""),
        ("x", "short"),
        ("x", "a text that has no place in a view"),
        (None, None),
        (None, None),
    ]
    assert read(some).rows() == expected
    assert read(pl.concat([some, some], rechunk=False)).rows() == expected * 2
