"""Format files with which lnav, the log viewer, reads the logs themselves: made from our line shapes, a format per grammar.

    mailforensics export case/ --to lnav -o mail.json && lnav -i mail.json
    lnav /var/log/mail.log     then  ;SELECT status, count(*) FROM mailforensics_mail GROUP BY status

A format has a pattern for each kind of line that people ask for: the framing of syslog (or of Rspamd's own log), the prefix of
the system, and the shape as the grammar has it; what else its programs write is a line with a body. ``mailforensics_mail`` is
Postfix and Dovecot in one file, as most systems log them; ``mailforensics_events`` reads the table of events as JSON lines.

Source: lnav's documentation of log formats, format-v1.schema.json, 0.11.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

import polars as pl

from mailforensics.grammar import grammars
from mailforensics.grammar.postfix.prefix import DAEMONS, QUEUE_ID_IN_TEXT
from mailforensics.grammar.shape import Grammar, Shape

SCHEMA = "https://lnav.org/schemas/format-v1.schema.json"

_FRAME = (
    r"^(?P<timestamp>[A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8}"
    r"|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]+)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?) (?P<log_host>[^ ]+) "
)
_PID = r"(?:\[(?P<pid>[0-9]+)\])?: "
_LOUD = r"(?:(?P<severity>[Ww]arning|[Ee]rror|[Ff]atal|[Pp]anic|Info|Debug): )?"
_QUEUE = rf"(?:(?P<queue_id>NOQUEUE|{QUEUE_ID_IN_TEXT}): )?"
# the program, and what stands between it and the body that a shape of these daemons reads
_POSTFIX = (r"(?P<program>(?:[^ /\[]+/)*(?:{daemons}))", _LOUD + _QUEUE)
_DOVECOT = (
    r"(?P<program>dovecot)",
    r"(?P<service>{daemons})(?:\((?P<user>[^)]*)\))?(?:<[0-9]*>)?(?:<(?P<session>[^<>]*)>)?: " + _LOUD,
)
_FRAME_OF_RSPAMD = r"^(?P<timestamp>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?) #(?P<pid>[0-9]+)\((?P<program>[^)]+)\) "
_TAG = r"(?:<(?P<tag>[^<>]*)>; )?(?:(?P<module>[a-z_]+); )?"
_RESERVED = ("where",)  # words that SQL, in which lnav asks, keeps for itself
_EXAMPLES = {
    "postfix": "Mar  2 10:02:11 mail postfix/{daemon}[525]: 3F2A1C0B2: ",
    "dovecot": "Mar  2 10:02:11 mx dovecot: {daemon}(bob@example.org)<602><kztSJHp+BGtaAgAAYIgGOA>: ",
    "rspamd": "2026-03-02 10:02:11 #88(rspamd_proxy) <1f5651>; {daemon}; ",
}
_KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    "postfix": ("postfix.smtpd.connect", "postfix.smtpd.disconnect", "postfix.smtpd.client", "postfix.smtpd.reject",
                "postfix.smtpd.lost", "postfix.smtpd.auth_failed", "postfix.cleanup.message_id", "postfix.cleanup.milter",
                "postfix.cleanup.check", "postfix.qmgr.active", "postfix.pickup", "postfix.delivery", "postfix.removed",
                "postfix.bounce.notification", "postfix.tls.established", "postfix.postscreen.reject"),
    "dovecot": ("dovecot.login", "dovecot.login_failed", "dovecot.session_end", "dovecot.mailbox", "dovecot.sieve_left",
                "dovecot.sieve_failed", "dovecot.lmtp.connect", "dovecot.lmtp.disconnect"),
    "rspamd": ("rspamd.task", "rspamd.message", "rspamd.greylist", "rspamd.ratelimit", "rspamd.learned", "rspamd.forced"),
})  # fmt: skip
_TITLES = {
    "mail": "Postfix and Dovecot",
    "postfix": "Postfix",
    "dovecot": "Dovecot",
    "rspamd": "Rspamd's own log",
}
_SYSTEMS = {
    "mail": ("postfix", "dovecot"),
    "postfix": ("postfix",),
    "dovecot": ("dovecot",),
    "rspamd": ("rspamd",),
}
_IDENTIFIERS = (
    "queue_id",
    "log_host",
    "program",
    "service",
    "user",
    "session",
    "session_id",
    "message_id",
    "client_ip",
    "username",
)

EVENTS: Mapping[str, Any] = MappingProxyType({
    "title": "mailforensics events",
    "description": "Lines of mail logs as mailforensics understands them",
    "file-type": "json",
    "line-format": [
        {"field": "__timestamp__"}, " ", {"field": "host"}, " ", {"field": "program"}, " ",
        {"field": "kind", "default-value": "-"}, " ", {"field": "text"},
    ],
    "timestamp-field": "time",
    "level-field": "severity",
    "level": {"error": "^error$", "critical": "^(fatal|panic)$", "warning": "^warning$"},
    "body-field": "text",
    "opid-field": "queue_id",
    "hide-extra": True,
    "value": {name: {"kind": "string", "identifier": True} for name in ("host", "program", "kind", "queue_id", "session_id",
                                                                        "message_id")},
})  # fmt: skip


def formats(names: Iterable[str] = ("mail", "rspamd")) -> dict[str, Any]:
    """A format file with these formats (mail, postfix, dovecot, rspamd) and the one for the table of events.

    >>> [*formats(["postfix"])]
    ['$schema', 'mailforensics_postfix', 'mailforensics_events']
    """
    made = {f"mailforensics_{name}": _format(name) for name in names}
    return {"$schema": SCHEMA, **made, "mailforensics_events": dict(EVENTS)}


def _format(name: str) -> dict[str, Any]:
    systems = [grammar for grammar in grammars() if grammar.system in _SYSTEMS[name]]
    told = [(grammar, shape) for grammar in systems for shape in _shapes(grammar)]
    frame = _FRAME_OF_RSPAMD if name == "rspamd" else _FRAME
    rests = [_rest(grammar, shape) for grammar, shape in told]
    patterns = [frame + rest for rest in rests] + [frame + _nothing_of(rests) + _anything(name)]
    names = [re.sub("[^a-z0-9]", "_", shape.kind) for _, shape in told] + ["anything"]
    return {
        "title": f"{_TITLES[name]} (mailforensics)",
        "description": f"Log lines of {_TITLES[name]} with their fields, as mailforensics reads them",
        "regex": {f"{at:02d}_{kind}": {"pattern": it} for at, (kind, it) in enumerate(zip(names, patterns, strict=True))},
        "level-field": "severity",
        "level": {"error": "(?i)^error$", "critical": "(?i)^(fatal|panic)$", "warning": "(?i)^warning$", "debug": "^Debug$"},
        "opid-field": {"rspamd": "tag", "dovecot": "session"}.get(name, "queue_id"),
        "value": {group: _value(group, systems) for group in sorted(_groups(patterns) - {"timestamp", "body"})},
        "sample": [{"line": _example(grammar, shape)} for grammar, shape in told],
    }  # fmt: skip


def _shapes(grammar: Grammar) -> Iterator[Shape]:
    """The shapes that people ask for, without those that also read what a more exact one reads.

    lnav tries the pattern that fitted the last line first, so a broad one would keep the exact ones from their lines.
    """
    kept: list[Shape] = []
    for shape in grammar.shapes:
        if (
            shape.kind in _KINDS[grammar.system]
            and not shape.rare
            and not any(_reads(shape, other) for other in kept)
        ):
            kept.append(shape)
    return iter(kept)


def _reads(shape: Shape, other: Shape) -> bool:
    """Whether a shape reads the example of another, of the same daemons."""
    shared = "*" in (*shape.programs, *other.programs) or {*shape.programs} & {*other.programs}
    return bool(shared) and bool(pl.Series([other.example]).str.contains(rf"\A(?:{shape.pattern})\z").item())


def _rest(grammar: Grammar, shape: Shape) -> str:
    """Program, prefix and shape; the fields of the shape stand in the body."""
    daemons = "[A-Za-z0-9-]+" if shape.programs == ("*",) else "|".join(map(re.escape, shape.programs))
    pattern = shape.pattern
    for word in _RESERVED:
        pattern = pattern.replace(f"(?P<{word}>", f"(?P<{word}_>")
    body = f"(?P<body>{pattern})$"
    if grammar.system == "rspamd":
        return _TAG + body
    program, prefix = _POSTFIX if grammar.system == "postfix" else _DOVECOT
    return program.replace("{daemons}", daemons) + _PID + prefix.replace("{daemons}", daemons) + body


def _nothing_of(rests: Iterable[str]) -> str:
    """What follows is none of these."""
    unnamed = (re.sub(r"\(\?P<[a-z_0-9]+>", "(?:", rest) for rest in rests)
    return f"(?!{'|'.join(unnamed)})"


def _anything(name: str) -> str:
    """Every other line of the log."""
    if name == "rspamd":
        return _TAG + r"(?P<body>.*)$"
    programs = {"mail": r"[^ :\[]+", "postfix": rf"(?:[^ /\[]+/)*(?:{DAEMONS})", "dovecot": "dovecot"}[name]
    queue = "" if name == "dovecot" else _QUEUE
    return rf"(?P<program>{programs})" + _PID + _LOUD + queue + r"(?P<body>.*)$"


def _example(grammar: Grammar, shape: Shape) -> str:
    daemon = (
        shape.programs[0]
        if shape.programs != ("*",)
        else {"postfix": "smtpd", "rspamd": "proxy"}.get(grammar.system, "lmtp")
    )
    return _EXAMPLES[grammar.system].format(daemon=daemon) + shape.example


def _groups(patterns: Iterable[str]) -> set[str]:
    return {group for pattern in patterns for group in re.findall(r"\(\?P<([a-z_0-9]+)>", pattern)}


def _value(group: str, systems: Iterable[Grammar]) -> dict[str, Any]:
    """What lnav is told of a field: whether it is a number, and whether it names somebody or something."""
    field = next((grammar.fields[group] for grammar in systems if group in grammar.fields), None)
    empty = pl.Series(dtype=field.dtype if field else pl.String).dtype
    number = "integer" if empty.is_integer() else "float" if empty.is_float() else "string"
    value: dict[str, Any] = {"kind": "integer" if group == "pid" else number}
    if group in _IDENTIFIERS:
        value["identifier"] = True
    return value | ({"description": field.sentence} if field else {})
