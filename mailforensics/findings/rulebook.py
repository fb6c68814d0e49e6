"""The rule book of causes: the taxonomy and rules of ``causes.toml``, the user's rules before them.

A user's ``mailforensics.toml`` holds rules of the same shape ::

    [[causes]]
    id = "house.gateway"
    cause = "policy_refused"
    words = ["gateway rule 17"]
    what = "The partner's gateway allows no invoices by mail"

A distribution can add rules under the entry point group ``mailforensics.causes``: a list of such mappings, or a
function without arguments that returns one.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from functools import cached_property, lru_cache
from importlib import metadata, resources
from pathlib import Path
from typing import Any

import polars as pl

from mailforensics.errors import OptionError
from mailforensics.findings.literals import needed_words
from mailforensics.findings.replies import STAGES, plain_words

ENTRY_POINTS = "mailforensics.causes"

PERMANENCES = ("hard", "soft")
ACTORS = ("sender", "recipient", "us", "remote", "nobody")

_LISTS = ("words", "codes", "replies", "stages")
_PATTERNS = ("pattern", "unless")
_ANY = "[^ ]*"
_WORD = "[!-\u05ff]"  # letters of one or two bytes: Latin, Greek, Cyrillic; all characters would compile to much more
_GAP = re.compile(r"<([0-9])>")  # up to so many words
_EITHER = re.compile(r"^(.*) <~([0-9])>(.*)$")  # the same, and the two sides in either order
_SHORT_NOT = re.compile(r"\b(do|does|did|is|was|has|have|could|ca|wo)n[.']t")
_NAME = re.compile(r"\{([A-Z_]+)\}")  # an entry of the vocabulary


@dataclass(frozen=True, slots=True)
class Cause:
    """One entry of the taxonomy: what a cause means and what a support desk says about it."""

    name: str
    family: str
    permanence: str
    who_acts: str
    what: str
    act: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; every condition that is given must hold.

    >>> Rule(id="house.closed", cause="mailbox_disabled", words=("office closed",)).basis
    'text'
    """

    id: str
    cause: str
    words: tuple[str, ...] = ()
    pattern: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    stages: tuple[str, ...] = ()
    local: bool = False
    what: str | None = None
    act: str | None = None
    who_acts: str | None = None
    permanence: str | None = None
    example: str | None = None

    @property
    def basis(self) -> str:
        """What the rule stands on: ``text``, ``local``, ``enhanced code`` or ``reply code``."""
        if self.words or self.pattern:
            return "local" if self.local else "text"
        return "enhanced code" if self.codes else "reply code"

    @property
    def reads_text(self) -> bool:
        """Whether the rule looks at the words of the reply."""
        return bool(self.words or self.pattern or self.unless)

    @property
    def keys(self) -> frozenset[str] | None:
        """Words of which one stands in each text that a pattern of the rule fits; None when that is not certain."""
        needed = [needed_words(each) for each in self.pattern]
        certain = [words for words in needed if words is not None]
        return frozenset().union(*certain) if len(certain) == len(needed) else None

    @property
    def has_conditions(self) -> bool:
        """Whether the rule asks for codes or stages, too."""
        return bool(self.codes or self.replies or self.stages)

    def condition(self) -> pl.Expr:
        """What the rule asks of the columns enhanced_code, reply_code and stage."""
        tests = [_codes_test(self.codes)] if self.codes else []
        if self.replies:
            tests.append(pl.col("reply_code").is_in(list(self.replies)))
        if self.stages:
            tests.append(pl.col("stage").is_in(list(self.stages)))
        return pl.all_horizontal(*(test.fill_null(False) for test in tests)) if tests else pl.lit(True)


@dataclass(frozen=True)
class Rulebook:
    """The taxonomy and the rules in their order, with the tables that matching joins on."""

    taxonomy: Mapping[str, Cause]
    rules: tuple[Rule, ...]
    callers: pl.DataFrame = field(repr=False)  # word, rule, enough: what follows from a word in a text
    everywhere: frozenset[int]  # the rules that no word calls up: they are asked of every text
    answers: pl.DataFrame = field(repr=False)  # rule and the columns that follow from it
    remembered: dict[str, pl.DataFrame] = field(
        default_factory=dict, repr=False
    )  # replies that were read before, and their rules

    @property
    def unclassified(self) -> int:
        """The number in `answers` of what is said when no rule fits."""
        return len(self.rules)

    @property
    def expired(self) -> int:
        """The number in `answers` of mail that is known to have expired without a rule."""
        return len(self.rules) + 1

    @cached_property
    def conditions(self) -> dict[int, pl.Expr]:
        """What rules ask of codes and stage, by the number of the rule; a rule that asks nothing of them is not here."""
        return {number: rule.condition() for number, rule in enumerate(self.rules) if rule.has_conditions}

    @cached_property
    def vocabulary(self) -> list[str]:
        """Every word of every rule, once."""
        return self.callers["word"].unique(maintain_order=True).to_list()


def rulebook(rules: Any = None) -> Rulebook:
    """The built-in rules, the rules of entry points before them, the user's `rules` before all.

    `rules` is None, the path of a TOML file with ``[[causes]]``, or a list of rule mappings. Raises `OptionError`
    for what is none of these, and for a rule that is not understood.

    >>> rulebook([{"id": "house", "cause": "policy_refused", "words": ["gateway rule"]}]).rules[0].id
    'house'
    """
    if rules is None:
        return _standard()
    standard = _standard()
    own = _own_rules(rules, standard.taxonomy)
    for number, rule in enumerate(own, 1):
        _check_pattern(rule, f"rule {number}")
    return _assemble(standard.taxonomy, (*own, *standard.rules))


@lru_cache(maxsize=1)
def _standard() -> Rulebook:
    book = _book()
    taxonomy = {name: Cause(name=name, **entry) for name, entry in book["taxonomy"].items()}
    built_in = [_rule(entry, taxonomy, f"causes.toml, rule {n}") for n, entry in enumerate(book["causes"], 1)]
    return _assemble(taxonomy, (*_entry_point_rules(taxonomy), *built_in))


@lru_cache(maxsize=1)
def _book() -> dict[str, Any]:
    return tomllib.loads(resources.files("mailforensics.findings").joinpath("causes.toml").read_text("utf-8"))


def _entry_point_rules(taxonomy: Mapping[str, Cause]) -> list[Rule]:
    found: list[Rule] = []
    for entry in metadata.entry_points(group=ENTRY_POINTS):
        given: Any = entry.load()
        listed = given() if isinstance(given, Callable) else given  # type: ignore[arg-type]
        found += [
            _rule(each, taxonomy, f"entry point {entry.name}, rule {n}") for n, each in enumerate(listed, 1)
        ]
    return found


def _own_rules(rules: Any, taxonomy: Mapping[str, Cause]) -> list[Rule]:
    if isinstance(rules, (str, Path)):
        listed, place = _read_file(Path(rules)), str(rules)
    elif isinstance(rules, Iterable) and not isinstance(rules, (bytes, Mapping)):
        listed, place = list(rules), "rules"
    else:
        raise OptionError(
            f"rules is {type(rules).__name__}; give a list of mappings or the path of a TOML file."
        )
    return [_rule(entry, taxonomy, f"{place}, rule {n}") for n, entry in enumerate(listed, 1)]


def _read_file(path: Path) -> list[Any]:
    try:
        entries = tomllib.loads(path.read_text("utf-8")).get("causes", [])
    except OSError as error:
        raise OptionError(
            f"{path}: the rules could not be read ({error.strerror}); check the path."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OptionError(f"{path}: this is not TOML ({error}); correct the file.") from error
    if not isinstance(entries, list):
        raise OptionError(f"{path}: causes is one table; write each rule under [[causes]].")
    return entries


def _rule(entry: Any, taxonomy: Mapping[str, Cause], place: str) -> Rule:
    if not isinstance(entry, Mapping):
        raise OptionError(f"{place}: a rule is a mapping with id and cause, this is {type(entry).__name__}.")
    _check_keys(entry, place)
    _check_choice(entry, "cause", tuple(taxonomy), place)
    _check_choice(entry, "permanence", PERMANENCES, place)
    _check_choice(entry, "who_acts", ACTORS, place)
    values = {key: _value(value, key, place) for key, value in entry.items()}
    for stage in values.get("stages", ()):
        _check_choice({"stages": stage}, "stages", STAGES, place)
    rule = Rule(**values)
    if not (rule.reads_text or rule.has_conditions):
        raise OptionError(
            f"{place} ({rule.id}): it fits every reply; give words, a pattern, codes or replies."
        )
    return rule


def _check_keys(entry: Mapping[str, Any], place: str) -> None:
    known = [each.name for each in fields(Rule)]
    for key in entry:
        if key not in known:
            raise OptionError(f"{place}: the key {key!r} is not known{_did_you_mean(str(key), known)}")
    for key in ("id", "cause"):
        if not isinstance(entry.get(key), str):
            raise OptionError(f"{place}: {key} is missing; every rule needs an id and a cause.")


def _check_choice(entry: Mapping[str, Any], key: str, choices: tuple[str, ...], place: str) -> None:
    value = entry.get(key)
    if value is not None and value not in choices:
        raise OptionError(f"{place}: {key} {value!r} is not known{_did_you_mean(str(value), choices)}")


def _check_pattern(rule: Rule, place: str) -> None:
    for pattern in (*rule.pattern, *rule.unless):
        try:
            pl.Series([""]).str.contains(pattern)
        except pl.exceptions.ComputeError as error:
            reason = str(error).strip().splitlines()[-1]
            raise OptionError(
                f"{place} ({rule.id}): the pattern {pattern!r} does not compile: {reason}"
            ) from error


def _value(value: Any, key: str, place: str) -> Any:
    if key in _PATTERNS:
        alternatives = _words([value] if isinstance(value, str) else value, key, place)
        return tuple(_pattern(each, place) for each in alternatives)
    if key == "words":
        return tuple(plain_words(pl.Series(_words(value, key, place), dtype=pl.String)))
    return tuple(_words(value, key, place)) if key in _LISTS else value


def _pattern(written: str, place: str) -> str:
    """The regular expression of a pattern as rules write it: with ``{NAMES}``, gaps and sides in either order."""
    named = _NAME.sub(lambda found: _vocabulary_entry(found[1], place), _SHORT_NOT.sub(_long_not, written))
    either = _EITHER.match(named)
    if either:
        one, gap, other = either.groups()
        named = f"{one} <{gap}>{other}|{other} <{gap}>{one}"
    return _GAP.sub(f"(?:{_WORD}+ ){{0,\\1}}", named)


def _long_not(found: re.Match[str]) -> str:
    """``does not`` for ``doesn.t``: patterns may say either, replies are read in the long form."""
    return "cannot" if found[1] == "ca" else "will not" if found[1] == "wo" else f"{found[1]} not"


def _vocabulary_entry(name: str, place: str) -> str:
    entries = _vocabulary()
    if name not in entries:
        raise OptionError(f"{place}: {{{name}}} is not in the vocabulary{_did_you_mean(name, entries)}")
    return f"(?:{entries[name]})"


@lru_cache(maxsize=1)
def _vocabulary() -> Mapping[str, str]:
    """The words of many languages for one thing, by name: ``{MAILBOX}``, ``{MISSING}``; later ones may use earlier ones."""
    found: dict[str, str] = {}
    for name, words in _book()["vocabulary"].items():
        found[name] = _either([_NAME.sub(lambda each: found[each[1]], word) for word in words])
    return found


def _either(words: list[str]) -> str:
    """The words as alternatives, those with any beginning or ending together, which compiles to less."""
    kinds: dict[tuple[bool, bool], list[str]] = {}
    for word in words:
        kind = (word.startswith(_ANY), word.endswith(_ANY))
        kinds.setdefault(kind, []).append(word[kind[0] * len(_ANY) : len(word) - kind[1] * len(_ANY)])
    parts = kinds.pop((False, False), [])
    return "|".join(
        [
            *parts,
            *(
                f"{_ANY * before}(?:{'|'.join(ends)}){_ANY * after}"
                for (before, after), ends in kinds.items()
            ),
        ]
    )


def _words(value: Any, key: str, place: str) -> list[str]:
    if not isinstance(value, (list, tuple)) or not all(isinstance(each, str) and each for each in value):
        raise OptionError(f'{place}: {key} is a list of strings; write {key} = ["..."].')
    return list(value)


def _did_you_mean(word: str, choices: Iterable[str]) -> str:
    close = get_close_matches(word, list(choices), n=1)
    return f". Did you mean {close[0]!r}?" if close else f"; use one of {', '.join(choices)}."


def _codes_test(codes: tuple[str, ...]) -> pl.Expr:
    whole = [f"{kind}{code[1:]}" for code in codes if not code.endswith(".x") for kind in _classes(code)]
    tests = [pl.col("enhanced_code").is_in(whole)]
    tests += [
        pl.col("enhanced_code").str.starts_with(f"{kind}{code[1:-1]}")
        for code in codes
        if code.endswith(".x")
        for kind in _classes(code)
    ]
    return pl.any_horizontal(*tests)


def _classes(code: str) -> str:
    return "45" if code.startswith("x") else code[0]


def _assemble(taxonomy: Mapping[str, Cause], rules: tuple[Rule, ...]) -> Rulebook:
    keys = [rule.keys for rule in rules]
    calls = [(word, number, True) for number, rule in enumerate(rules) for word in rule.words]
    calls += [(word, number, False) for number, words in enumerate(keys) for word in words or ()]
    callers = pl.DataFrame(
        calls, schema={"word": pl.String, "rule": pl.UInt16, "enough": pl.Boolean}, orient="row"
    )
    everywhere = frozenset(
        number
        for number, rule in enumerate(rules)
        if keys[number] is None or not (rule.words or rule.pattern)
    )
    return Rulebook(
        taxonomy, rules, callers.unique(maintain_order=True), everywhere, _answers(taxonomy, rules)
    )


def _answers(taxonomy: Mapping[str, Cause], rules: tuple[Rule, ...]) -> pl.DataFrame:
    rows = [_answer_row(taxonomy[rule.cause], rule) for rule in rules]
    rows += [_answer_row(taxonomy[name], None) for name in ("unclassified", "expired")]
    return pl.DataFrame(rows).with_columns(rule=pl.int_range(len(rows), dtype=pl.UInt16))


def _answer_row(cause: Cause, rule: Rule | None) -> dict[str, str | bool | None]:
    return {
        "cause": cause.name,
        "cause_family": cause.family,
        "default_permanence": (rule and rule.permanence) or cause.permanence,
        "fixed_permanence": bool(rule and rule.permanence),
        "who_acts": (rule and rule.who_acts) or cause.who_acts,
        "cause_rule": rule.id if rule else None,
        "rule_basis": rule.basis if rule else None,
        "what": (rule and rule.what) or cause.what,
        "act": (rule and rule.act) or cause.act,
    }
