"""Ten exercises in header reading, from easy to forged, with answers that are graded: right, nearly, or where to look.

The texts lie in ``exercises.toml``. An answer is a number, a word or several words::

    check(4, 210)                               right
    check(9, ["core.bank.test"])                one is missing, and where to look for it
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from mailforensics.errors import OptionError
from mailforensics.show import escape, html, words


@dataclass(frozen=True)
class Exercise:
    """One exercise: a header and a question about it. In a notebook it is HTML, in a terminal text."""

    number: int
    title: str
    question: str
    header: str
    answer: tuple[str, ...]
    where: str
    why: str
    nearly: Mapping[str, str]
    own: tuple[str, ...]

    def __str__(self) -> str:
        return f"Exercise {self.number}: {self.title}\n{self.question}\n\n{self.header}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        body = Markup('<section aria-label="Exercise"><h3>Exercise {}: {}</h3><p>{}</p>'
                      '<pre tabindex="0" role="region" aria-label="Raw header">{}</pre></section>')  # fmt: skip
        texts = (escape.html(it) for it in (self.number, self.title, self.question))
        return html.fragment(body.format(*texts, escape.html(self.header, keep="\n\t")))


@dataclass(frozen=True)
class Verdict:
    """What is said of an answer: whether it is right, and a sentence that helps."""

    right: bool
    sentence: str

    def __bool__(self) -> bool:
        return self.right

    def __str__(self) -> str:
        return f"{'✓ Right.' if self.right else '✗ Not yet.'} {self.sentence}"

    def __repr__(self) -> str:
        return str(self)


@cache
def _all() -> dict[int, Exercise]:
    text = files("mailforensics.lesson").joinpath("exercises.toml").read_text(encoding="utf-8")
    return {row["number"]: _exercise(row) for row in tomllib.loads(text)["exercise"]}


def _exercise(row: Mapping[str, Any]) -> Exercise:
    plain: dict[str, Any] = {key: row[key].strip() for key in ("title", "question", "where", "why")}
    plain |= {key: tuple(row.get(key, ())) for key in ("answer", "own")}
    return Exercise(number=row["number"], header=row["header"].lstrip("\n"), nearly=row["nearly"], **plain)


def exercises() -> list[Exercise]:
    """All exercises, in order.

    >>> len(exercises())
    10
    """
    return [_all()[number] for number in sorted(_all())]


def exercise(number: int) -> Exercise:
    """The exercise of that number; raises OptionError, naming the numbers there are, for another.

    >>> exercise(1).title
    'Count the servers'
    """
    if number not in _all():
        raise OptionError(f"There is no exercise {number!r}; they are numbered 1 to {len(_all())}.")
    return _all()[number]


def check(number: int, answer: object) -> Verdict:
    """Grade an answer: a number, a word, or several words in a list or with commas. Says what is right, what is missing, where to look.

    Raises OptionError for an exercise that there is not.

    >>> check(1, 2)
    ✗ Not yet. Each server puts one Received field on top: count the fields, not the names.
    >>> check(9, "mail.bank.test and secure.bank.test").right
    True
    """
    asked = exercise(number)
    given, wanted = _words(answer), {_word(it) for it in asked.answer}
    if not given:
        return Verdict(False, asked.where)
    if given == wanted:
        return Verdict(True, asked.why)
    for wrong in given:
        if wrong in asked.nearly:
            return Verdict(False, asked.nearly[wrong])
    return Verdict(False, _what_is_missing(given, wanted, asked.where))


def _what_is_missing(given: set[str], wanted: set[str], where: str) -> str:
    said = []
    if len(wanted) > 1 and given & wanted:
        said.append(f"Right so far: {words.listed(sorted(given & wanted))}.")
        if wanted - given:
            said.append(f"{words.counted(wanted - given, 'more is', 'more are')} missing.")
    if len(wanted) > 1 and given - wanted:
        said.append(f"Not part of it: {words.listed(sorted(given - wanted))}.")
    return " ".join([*said, where])


def _words(answer: object) -> set[str]:
    if isinstance(answer, str):
        return {_word(part) for part in re.split(r"[,;\n]|\band\b", answer) if part.strip()}
    if isinstance(answer, int | float):
        return {_word(answer)}
    return {_word(it) for it in answer} if isinstance(answer, Iterable) else set()


def _word(answer: object) -> str:
    """An answer as it is compared: lower case, no brackets, numbers without needless zeros."""
    if isinstance(answer, bool):
        return "yes" if answer else "no"
    if isinstance(answer, int | float):
        return f"{answer:g}"
    return str(answer).strip().strip("<>[]().").lower()


def solutions() -> str:
    """The teacher's page, as Markdown: each question with its answer and the reason.

    >>> solutions().count("## Exercise")
    10
    """
    return "\n\n".join(
        f"## Exercise {it.number}: {it.title}\n\n{it.question}\n\n**{', '.join(it.answer)}.** {it.why}"
        for it in exercises()
    )
