"""What must hold for every shape of Dovecot, Rspamd and the neighbours of Postfix: sound data, own examples, speed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import polars as pl
import pytest

from mailforensics.grammar import dovecot, milters, rspamd, shape
from tests.pace import growth, seconds

GRAMMARS = (dovecot.GRAMMAR, rspamd.GRAMMAR, *milters.GRAMMARS)
ALL = [(grammar, one) for grammar in GRAMMARS for one in grammar.shapes]
# Kinds for what no other shape of the program reads: they come last, and may fit lines that are read before them.
REST = {f"rspamd.{topic}" for topic in ("check", "config", "map", "server", "controller", "network")} | {
    f"{program}.note"
    for program in (
        "opendkim", "opendmarc", "policyd-spf", "amavis", "spamd", "clamav-milter", "pmg-smtp-filter", "saslauthd",
        "fail2ban", "postfwd",
    )
}  # fmt: skip
NAMED = [(grammar, one) for grammar, one in ALL if one.kind not in REST]
LONGEST = 65_536  # what is read of one line at most (S6)


def name(pair: tuple[shape.Grammar, shape.Shape]) -> str:
    return f"{pair[1].kind}-{pair[1].example[:30]}"


def daemons(one: shape.Shape) -> Iterator[tuple[str, bool]]:
    """Each program that writes the line, with and without a severity word where the shape leaves it open."""
    for program in one.programs:
        for loud in (False, True):
            if one.severity != ("warning" if not loud else "info"):
                yield program.replace("*", "any"), loud


@pytest.mark.parametrize("grammar", GRAMMARS, ids=lambda grammar: grammar.programs[:20])
def test_the_data_of_a_grammar_is_sound(grammar: shape.Grammar) -> None:
    assert shape.check(grammar) == []


@pytest.mark.parametrize("pair", ALL, ids=name)
def test_an_example_is_read_as_its_own_kind(pair: tuple[shape.Grammar, shape.Shape]) -> None:
    grammar, one = pair
    for daemon, loud in daemons(one):
        hits = grammar.matcher(daemon, loud).read(pl.Series([one.example]))
        assert [hit.shape.kind for hit in hits] == [one.kind], (daemon, loud)
        assert not hits[0].fields["partial"].any()


@pytest.mark.parametrize("pair", ALL, ids=name)
def test_an_example_fits_no_other_kind(pair: tuple[shape.Grammar, shape.Shape]) -> None:
    grammar, one = pair
    example = pl.Series([one.example])
    for other in grammar.shapes:
        together = "*" in (*one.programs, *other.programs) or set(one.programs) & set(other.programs)
        apart = {one.severity, other.severity} == {"info", "warning"}
        if together and not apart and other.kind != one.kind and other.kind not in REST:
            assert not example.str.contains(other.regex).item(), other.kind


@pytest.mark.parametrize("pair", NAMED, ids=name)
def test_an_example_with_one_more_word_in_front_fits_no_shape(
    pair: tuple[shape.Grammar, shape.Shape],
) -> None:
    """Patterns are anchored: a line that somebody quotes is not that line."""
    _, one = pair
    quoted = pl.Series([f"Xyzzy {one.example}"])
    assert not quoted.str.contains(one.regex).item()


@pytest.mark.parametrize("pair", ALL, ids=name)
def test_every_shape_says_what_it_means(pair: tuple[shape.Grammar, shape.Shape]) -> None:
    _, one = pair
    assert one.means.endswith(".")
    assert len(one.means) > 20


def test_the_longest_line_takes_less_than_50_ms_and_time_does_not_grow_faster_than_length() -> None:
    """Growth is measured where the regex engine has no faster way left, for it changes its way with length."""
    shapes = [one for _, one in ALL]
    took = [seconds(reading(one, LONGEST), enough=0.02) for one in shapes]
    assert [one.kind for one, time_ in zip(shapes, took, strict=True) if time_ >= 0.05] == []
    for slow in sorted(range(len(shapes)), key=took.__getitem__)[-4:]:
        one = shapes[slow]
        assert growth(reading(one, 4 * LONGEST), reading(one, 16 * LONGEST), enough=5) <= 5, one.kind


def reading(one: shape.Shape, length: int) -> Callable[[], object]:
    """The run that reads one long line, which looks like this shape's for as long as it can."""
    column = pl.Series([(one.example * (length // len(one.example) + 1))[:length]])
    return lambda: column.str.extract_groups(one.regex) if one.groups else column.str.contains(one.regex)


@pytest.mark.parametrize("grammar", GRAMMARS, ids=lambda grammar: grammar.programs[:20])
@pytest.mark.parametrize(
    "text", ["", " ", ":", "\x00", "lorem ipsum dolor", "\U0001f4e7", "<" * 5000, "a" * 70_000]
)
def test_a_line_that_says_nothing_is_kept_and_not_understood(grammar: shape.Grammar, text: str) -> None:
    frame = pl.DataFrame(
        {"program": ["x"], "pid": [None], "severity": [None], "text": [text]},
        schema={"program": pl.String, "pid": pl.Int32, "severity": pl.String, "text": pl.String},
    )
    split = grammar.split(frame)
    assert split.height == 1
    daemon = split["daemon"].item()
    assert grammar.matcher(daemon).read(split["body"]) == []
