"""The many lines that are seen seldom: warnings, errors, fatal ends and notes, as tables of Postfix's own format strings.

A table has three sorts of lines: the kind and the daemons that write it, a subject with what it means, and under it each
format with the release that brought it::

    = smtpd.problem: smtpd
    - rate_limit: A client did something more often than the limits allow and was refused for a while.
      2.2  Connection rate limit exceeded: {count} from {client} for service {service*}

``{name}`` stands for a value: numbers for fields that are numbers, one word for names of things (host, file, table), any text
for what is text (error, key, value); ``{name*}`` for any text in any case. ``{client}`` and ``{remote}`` stand for ``host[ip]:port``,
``{any}`` for what is not kept. A ``{name}: `` in front is optional: it is the queue id, which the prefix takes, or the place in the
program. Text in braces of Postfix itself is doubled.

Source: the calls of msg_info, msg_warn, msg_error, msg_fatal in Postfix 2.0 to 3.11.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from mailforensics.grammar.postfix.fields import CLIENT, FIELDS, SERVER
from mailforensics.grammar.postfix.prefix import QUEUE_ID_IN_TEXT
from mailforensics.grammar.shape import Shape

_PLACE = re.compile(r"\{\{|\}\}|\{([a-z_]+)(\*?)\}")
_ANY_TEXT = {
    "error", "text", "data", "value", "other", "third", "fourth", "fifth", "key", "recipient", "sender", "command", "answer", "query",
}  # fmt: skip
_PLACE_IN_PROGRAM = r"[^ ]+(?: socket(?: service)?| support|: line [0-9]+)?"
_NUMBER = {pl.Int64: r"-?[0-9]+", pl.Float64: r"-?[0-9.]+"}
_EXAMPLES = {
    "client": "mx.example.net[192.0.2.7]",
    "remote": "mx.example.net[192.0.2.7]:25",
    "client_ip": "192.0.2.7",
    "any": "it",
    "name": "example",
    "error": "No such file or directory",
    "text": "words",
    "data": "GET / HTTP/1.1",
    "file": "/var/spool/postfix/private/example",
    "queue": "deferred",
    "queue_id": "4jYDFF2L8ZzqDd",
    "table": "hash:/etc/postfix/example",
    "key": "bob@example.org",
    "recipient": "bob@example.org",
    "sender": "alex@example.com",
    "domain": "example.net",
    "host": "mx.example.net",
    "server": "127.0.0.1:10024",
    "service": "smtpd",
    "milter": "inet:localhost:11332",
    "setting": "example_setting",
    "query": "7.2.0.192.dnsbl.example.org",
    "transport": "smtp",
    "nexthop": "example.net",
    "sasl_method": "PLAIN",
    "type": "MX",
    "user": "bob",
    "command": "/usr/local/bin/example",
    "program": "/usr/lib/postfix/sbin/smtpd",
}


@dataclass(frozen=True, slots=True)
class Format:
    """One format string of a table, made ready to become a shape."""

    text: str

    @property
    def pattern(self) -> str:
        """The regex of the format; a ``{name}: `` in front is optional."""
        out, at = "", 0
        for place in _PLACE.finditer(self.text):
            out += _literal(self.text[at : place.start()])
            out += _pattern(place, first=place.start() == 0)
            at = place.end()
        out += _literal(self.text[at:])
        if self.text.startswith("{name}: "):
            out = rf"(?:(?P<name>{_PLACE_IN_PROGRAM}): )?{out.partition(': ')[2]}"
        return re.sub(
            r": (\(\?P<[a-z]+>\.\*\))\Z", r":(?: \1)?", out
        )  # an empty end loses its blank in many logs

    @property
    def longest_literal(self) -> str:
        """The longest text without a place in it: a line without it cannot be this one."""
        pieces = _PLACE.sub(lambda place: {"{{": "{", "}}": "}"}.get(place[0], "\0"), self.text).split("\0")
        if self.text.startswith("{name}: "):
            pieces[1] = pieces[1].removeprefix(": ")
        if not pieces[-1]:
            pieces[-2] = pieces[-2].rstrip(" ")
        return max(pieces, key=len)

    @property
    def weight(self) -> tuple[bool, int, int]:
        """Formats that begin with text come first, then those with more text, then those with more places."""
        literal = re.sub(r"\{[a-z_]+\*?\}", "", self.text)
        bare = self.text.removeprefix("{name}: ")
        return (
            bare.startswith("{") and not bare.startswith("{{"),
            -len(literal),
            -len(_PLACE.findall(self.text)),
        )

    @property
    def example(self) -> str:
        """A line in this format, with values from the documentation's names."""
        bare = self.text.removeprefix("{name}: ")
        return _PLACE.sub(lambda place: place[0][0] if place[0] in ("{{", "}}") else _value(place[1]), bare)


def _literal(text: str) -> str:
    return re.sub(r"([\\.+*?()|\[\]{}^$#&~-])", r"\\\1", text)


def _pattern(place: re.Match[str], *, first: bool) -> str:
    if place[0] in ("{{", "}}"):
        return re.escape(place[0][0])
    name, free = place[1], bool(place[2])
    if name in ("client", "remote"):
        return CLIENT if name == "client" else SERVER
    if name == "any":
        return ".*"
    dtype = FIELDS[name].dtype
    if dtype in _NUMBER:
        value = _NUMBER[dtype]  # type: ignore[index]
    elif name == "queue_id":
        value = QUEUE_ID_IN_TEXT
    elif free or (name in _ANY_TEXT and not first):
        value = ".*"
    else:
        value = "[^ ]+" if first else "[^ ]*"
    return rf"(?P<{name}>{value})"


def _value(name: str) -> str:
    if name in _EXAMPLES:
        return _EXAMPLES[name]
    return "7" if FIELDS[name].dtype in _NUMBER else "example"


def formats(table: str) -> Iterator[tuple[str, tuple[str, ...], str, str, str, Format]]:
    """The rows of a table: kind, programs, subject, what it means, release, format."""
    kind, subject, means = "", "", ""
    programs: tuple[str, ...] = ("*",)
    for line in table.splitlines():
        sign, rest = line[:2], line[2:]
        if sign == "= ":
            kind, _, daemons = rest.partition(": ")
            programs = tuple(daemons.split())
        elif sign == "- ":
            subject, _, means = rest.partition(": ")
        elif sign == "  ":
            since, _, text = rest.partition(" ")
            yield kind, programs, subject, means, since, Format(text.strip())


def shapes(*tables: str, severity: str) -> tuple[Shape, ...]:
    """The shapes of tables, the most particular first.

    >>> one = shapes("= x.problem: smtpd\\n- size: Too big.\\n  2.4  {name}: queue file size limit exceeded", severity="warning")[0]
    >>> one.kind, one.constants["subject"], one.pattern
    ('postfix.x.problem', 'size', '(?:(?P<name>[^ ]+(?: socket...)?): )?queue file size limit exceeded ?')
    """
    rows = sorted((row for table in tables for row in formats(table)), key=lambda row: row[-1].weight)
    return tuple(
        Shape(
            kind=f"postfix.{kind}",
            programs=programs,
            severity=severity,
            pattern=form.pattern + " ?",
            holds=form.longest_literal,
            example=form.example,
            means=means,
            since=since,
            constants={"subject": subject},
            rare=True,
        )
        for kind, programs, subject, means, since, form in rows
    )
