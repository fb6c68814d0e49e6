r"""Where in a line the values of a shape's groups stand, found without a second regex engine.

polars gives the text of each group and not its place, and Python's ``re`` could be stalled by a hostile line. So each
value is looked for from left to right, together with the literal text that the pattern has before and behind its group::

    to=<(?P<recipient>[^>]*)>, relay=(?P<relay_name>[^,]*)      before "to=<", behind ">, relay="

Every look is a plain search of text, and never starts before the end of the value before it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

_TOKEN = re.compile(
    r"(?P<name>\(\?P<[a-z_0-9]+>)|(?P<open>\(\?(?:[a-z]+:|:)|\()|(?P<close>\))"
    r"|(?P<escape>\\.)|(?P<set>\[\^?\]?(?:\\.|[^\]\\])*\])|(?P<count>[?*+]|\{[0-9,]+\})|(?P<meta>[.^$|])|(?P<char>.)",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Group:
    """A named group of a pattern: the literal text on both sides, and the group that it stands in."""

    name: str
    before: str
    behind: str
    inside: str | None


@lru_cache(maxsize=4096)
def groups(pattern: str) -> tuple[Group, ...]:
    r"""The named groups of a pattern, in order.

    >>> groups(r"from=<(?P<sender>.*)>, size=(?P<size>[0-9]+)")[0]
    Group(name='sender', before='from=<', behind='>, size=', inside=None)
    """
    tokens = [(str(hit.lastgroup), hit[0]) for hit in _TOKEN.finditer(pattern)]
    found: list[Group] = []
    open_: list[str | None] = []
    for place, (kind, text) in enumerate(tokens):
        if kind == "name":
            name = text[4:-1]
            outer = next((it for it in reversed(open_) if it), None)
            found.append(Group(name, _before(tokens, place), _behind(tokens, _close(tokens, place)), outer))
            open_.append(name)
        elif kind == "open":
            open_.append(None)
        elif kind == "close" and open_:
            open_.pop()
    return tuple(found)


def locate(pattern: str, values: Mapping[str, str | None], text: str) -> dict[str, tuple[int, int]]:
    r"""The (start, end) of each group's value in the text that the pattern matched; absent groups are left out.

    >>> locate(r"a=(?P<a>[0-9]*) b=(?P<b>[0-9]*)", {"a": "1", "b": "1"}, "a=1 b=1")
    {'a': (2, 3), 'b': (6, 7)}
    """
    spans: dict[str, tuple[int, int]] = {}
    cursor = 0
    for group in groups(pattern):
        value = values.get(group.name)
        if value is None:
            continue
        since = spans[group.inside][0] if group.inside in spans else cursor
        start = _find(text, group, value, since)
        if start is None:
            continue
        spans[group.name] = (start, start + len(value))
        cursor = max(cursor, start + len(value)) if group.inside not in spans else cursor
    return spans


def _find(text: str, group: Group, value: str, since: int) -> int | None:
    """The first place of the value with the text around it, with the one before it, with the one behind it, alone."""
    for before, behind in ((group.before, group.behind), (group.before, ""), ("", group.behind), ("", "")):
        if not (before or value or behind):
            continue
        found = text.find(before + value + behind, since)
        if found >= 0:
            return found + len(before)
    return None


def _before(tokens: list[tuple[str, str]], place: int) -> str:
    """The literal text that ends right before the token at this place."""
    out: list[str] = []
    while place > 0 and (text := _literal(tokens[place - 1])) is not None:
        out.append(text)
        place -= 1
    return "".join(reversed(out))


def _behind(tokens: list[tuple[str, str]], place: int) -> str:
    """The literal text that begins right behind the token at this place (none behind a group that may be absent)."""
    out: list[str] = []
    while place + 1 < len(tokens) and (text := _literal(tokens[place + 1])) is not None:
        if place + 2 < len(tokens) and tokens[place + 2][0] == "count":
            break
        out.append(text)
        place += 1
    return "".join(out)


def _close(tokens: list[tuple[str, str]], place: int) -> int:
    """The place of the bracket that closes the one at this place."""
    depth = 0
    for at in range(place, len(tokens)):
        depth += {"name": 1, "open": 1, "close": -1}.get(tokens[at][0], 0)
        if depth == 0:
            return at
    return len(tokens)


def _literal(token: tuple[str, str]) -> str | None:
    kind, text = token
    if kind == "char":
        return text
    return text[1] if kind == "escape" and not text[1].isalnum() else None
