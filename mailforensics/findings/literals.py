"""Which words must stand in any text that a pattern matches: the key to running few regular expressions.

For ``mail ?box <3>(?:full|stuffed)`` that is one of ``full`` and ``stuffed``: an Aho-Corasick pass over all texts for
such words leaves few texts to each pattern. The patterns are those of ``causes.toml``: literals, ``.``, classes,
groups, alternatives and quantifiers. For anything else, or when no word is certain, the answer is None: the
pattern must then be run on every text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

Needed = frozenset[str]

_SHORTEST = 3  # bytes

# Words of nearly every reply: poor keys, taken only when a pattern has no better ones.
_COMMON = frozenset(
    [
        "access",
        "account",
        "address",
        "authorized",
        "block",
        "blocked",
        "client",
        "connect",
        "connection",
        "content",
        "domain",
        "e-mail",
        "email",
        "error",
        "fail",
        "file",
        "format",
        "found",
        "from",
        "has",
        "host",
        "ip",
        "is",
        "known",
        "limit",
        "list",
        "listed",
        "locked",
        "look",
        "mail",
        "mailbox",
        "message",
        "mx",
        "name",
        "no",
        "not",
        "please",
        "post",
        "recipient",
        "reject",
        "rejected",
        "relay",
        "request",
        "sender",
        "server",
        "service",
        "size",
        "spam",
        "system",
        "the",
        "this",
        "to",
        "unknown",
        "user",
        "you",
        "your",
    ]
)

_ENDS = ("|", ")")
_TOKEN = re.compile(r"\\.|\[\^?\]?[^\]]*\]|\(\?:|\(\?|[()|.^$]|[^\\\[(){}|.^$?*+]")
_QUANTIFIER = re.compile(r"[?*+]|\{([0-9]+)(?:,[0-9]*)?\}")


class _Unknown(Exception):
    """The pattern holds something this module does not read."""


def needed_words(pattern: str) -> Needed | None:
    """Words of which each text that `pattern` matches holds at least one, or None when none is certain.

    >>> sorted(needed_words("mail ?box (?:[^ ]+ ){0,3}(?:full|stuffed)"))
    ['full', 'stuffed']
    >>> needed_words("[0-9]+") is None
    True
    """
    try:
        choices = _alternatives(_Reader(pattern), closing=False)
    except _Unknown:
        return None
    return choices if choices and _shortest(choices) >= _SHORTEST else None


class _Reader:
    """The tokens of a pattern, one after the other, each with whether it may be left out."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0

    def peek(self) -> str:
        return self.pattern[self.position : self.position + 1]

    def token(self) -> str:
        found = _TOKEN.match(self.pattern, self.position)
        if not found or found[0] == "(?":
            raise _Unknown
        self.position = found.end()
        return found[0]

    def quantifier(self) -> tuple[bool, bool]:
        """(may be left out, may be repeated) of what was just read."""
        found = _QUANTIFIER.match(self.pattern, self.position)
        if not found:
            return False, False
        self.position = found.end()
        if self.peek() == "?":  # lazy, the same words
            self.position += 1
        return found[0] in ("?", "*") or found[1] == "0", found[0] != "?"


def _alternatives(reader: _Reader, *, closing: bool) -> Needed | None:
    """Read alternatives up to the end of the group: the words of all of them, None when one has none."""
    gathered: set[str] = set()
    certain = True
    while True:
        best, more = _sequence(reader)
        certain = certain and best is not None
        gathered |= best or frozenset()
        if not more:
            break
    if closing and reader.position >= len(reader.pattern) + 1:
        raise _Unknown
    return frozenset(gathered) if certain else None


def _sequence(reader: _Reader) -> tuple[Needed | None, bool]:
    """Read one alternative: the best words it needs, and whether another alternative follows."""
    found: list[Needed] = []
    run = ""
    more = False
    for kind, value in _items(reader):
        if kind == "literal":
            run += str(value)
            continue
        found += [frozenset((run,))] if run else []
        run = ""
        if kind == "group" and isinstance(value, frozenset):
            found.append(value)
        more = kind == "next"
    found += [frozenset((run,))] if run else []
    return max(found, key=_worth, default=None), more


def _items(reader: _Reader) -> Iterator[tuple[str, str | Needed | None]]:
    """What an alternative is made of: ``literal``, ``group`` (with its words), ``break`` and at its end ``next``."""
    while reader.position < len(reader.pattern):
        token = reader.token()
        if token in _ENDS:
            if token == _ENDS[0]:
                yield "next", None
            return
        group = _alternatives(reader, closing=True) if token in ("(", "(?:") else None
        optional, repeated = reader.quantifier()
        if token in ("(", "(?:"):
            yield "group", None if optional else group
        elif token[0] in "[.^$" or (token[0] == "\\" and token[1].isalnum()):
            yield "break", None
        elif not optional:
            yield "literal", token[-1]
            if repeated:
                yield "break", None
        else:
            yield "break", None


def _worth(words: Needed) -> tuple[bool, int, int, int]:
    """How good a key these words are: long enough, not the words of every reply, long, few."""
    common = sum(word.strip() in _COMMON for word in words)
    return _shortest(words) >= _SHORTEST, -common, min(_shortest(words), 8), -len(words)


def _shortest(words: Needed) -> int:
    return min(len(word.strip().encode()) for word in words)


@lru_cache(maxsize=4096)
def union(patterns: tuple[str, ...]) -> str:
    """One pattern for all of them; what several begin or end with is written once, so that it is compiled once.

    >>> union(("(?:a|b) x", "(?:a|b) y", "z"))
    '(?:a|b)(?: x| y)|z'
    """
    heads: dict[str, list[str]] = {}
    for pattern in patterns:
        at = _end_of_first_group(pattern)
        heads.setdefault(pattern[:at], []).append(pattern[at:])
    joined, single = [], []
    for head, rests in heads.items():
        if head and len(rests) > 1:
            joined.append(f"{head}(?:{'|'.join(rests)})")
        else:
            single += [head + rest for rest in rests]
    tails: dict[str, list[str]] = {}
    for pattern in single:
        at = _start_of_last_group(pattern)
        tails.setdefault(pattern[at:], []).append(pattern[:at])
    for tail, starts in tails.items():
        several = tail and len(starts) > 1
        joined += [f"(?:{'|'.join(starts)}){tail}"] if several else [start + tail for start in starts]
    return "|".join(joined)


def _groups(pattern: str) -> list[tuple[int, int]] | None:
    """Where the groups at the top of a pattern begin and end; None when it has alternatives outside of groups."""
    depth, begin = 0, 0
    found: list[tuple[int, int]] = []
    for token in _TOKEN.finditer(pattern):
        if token[0] in ("(", "(?:"):
            begin = token.start() if depth == 0 else begin
            depth += 1
        elif token[0] == ")":
            depth -= 1
            found += [(begin, token.end())] if depth == 0 else []
        elif token[0] == "|" and depth == 0:
            return None
    return found


def _end_of_first_group(pattern: str) -> int:
    """Where the rest of a pattern begins after its first group, 0 when it is not to be taken apart."""
    for _, end in (_groups(pattern) or [])[:1]:
        return 0 if _QUANTIFIER.match(pattern, end) else end
    return 0


def _start_of_last_group(pattern: str) -> int:
    for begin, end in (_groups(pattern) or [])[-1:]:
        return len(pattern) if _QUANTIFIER.match(pattern, end) else begin
    return len(pattern)
