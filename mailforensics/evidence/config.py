"""Saved configuration as evidence: ``postconf -n`` and ``doveconf -n`` say what nobody should have to type.

    myhostname = mail.example.com
    mynetworks = 127.0.0.0/8 198.51.100.0/24
    virtual_mailbox_domains = example.com

Own host names, domains and networks, the backoff times and the queue lifetime come from it. Lookup tables (``hash:/etc/...``) are
named but not read. Source: postconf(1), postconf(5), doveconf(1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_DEFAULTS = {
    "mydestination": "$myhostname, localhost.$mydomain, localhost",
    "mynetworks": "127.0.0.0/8 [::1]/128",
    "recipient_delimiter": "",
    "minimal_backoff_time": "300s",
    "maximal_backoff_time": "4000s",
    "queue_run_delay": "300s",
    "maximal_queue_lifetime": "5d",
}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DOMAIN_SETTINGS = ("mydestination", "relay_domains", "virtual_mailbox_domains", "virtual_alias_domains")


@dataclass(frozen=True, slots=True)
class ServerConfig:
    """The settings of one server. ``settings`` holds the lines as saved; the rest is read from them.

    >>> config = postfix_config("myhostname = mail.example.com\\nmynetworks = 127.0.0.0/8 198.51.100.0/24\\n")
    >>> config.hostname, config.networks, config.duration("minimal_backoff_time")
    ('mail.example.com', ('198.51.100.0/24',), 300.0)
    """

    system: str
    path: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str:
        """A setting with its ``$name`` references replaced; the default of Postfix where it is not set."""
        return _expand(name, self.settings, 0)

    @property
    def hostname(self) -> str | None:
        """The name that the server goes by."""
        return self.value("myhostname" if self.system == "postfix" else "hostname") or None

    @property
    def domains(self) -> tuple[str, ...]:
        """The domains that end here, as far as they are written out and not in a table."""
        if self.system != "postfix":
            return ()
        words = (word for name in _DOMAIN_SETTINGS for word in _words(self.value(name)))
        return tuple(dict.fromkeys(w.lower() for w in words if _is_domain(w)))

    @property
    def networks(self) -> tuple[str, ...]:
        """The networks whose clients count as ours, without loopback."""
        if self.system != "postfix":
            return ()
        words = (word.replace("[", "").replace("]", "") for word in _words(self.value("mynetworks")))
        return tuple(
            w
            for w in words
            if re.fullmatch(r"[0-9A-Fa-f:.]+(?:/[0-9]+)?", w) and not w.startswith(("127.", "::1"))
        )

    def duration(self, name: str) -> float:
        """A time such as ``12s`` or ``5d`` in seconds (0.0 when it cannot be read)."""
        match = re.fullmatch(r"([0-9]+)([smhdw]?)", self.value(name).strip())
        return float(match[1]) * _UNITS.get(match[2] or "s", 1) if match else 0.0


def postfix_config(text: str, path: str = "") -> ServerConfig:
    """The settings of a saved ``postconf -n`` (or main.cf: continuation lines are joined)."""
    return ServerConfig("postfix", path, dict(_assignments(text)))


def dovecot_config(text: str, path: str = "") -> ServerConfig:
    """The settings of a saved ``doveconf -n`` that stand outside of blocks."""
    depth, flat = 0, []
    for line in text.splitlines():
        if depth == 0 and "{" not in line:
            flat.append(line)
        depth = max(depth + line.count("{") - line.count("}"), 0)
    return ServerConfig("dovecot", path, dict(_assignments("\n".join(flat))))


def own_of(configs: Iterable[ServerConfig]) -> list[str]:
    """Networks and host names that are ours, for reading headers."""
    found: list[str] = []
    for config in configs:
        found += [config.hostname] if config.hostname else []
        found += config.networks
    return list(dict.fromkeys(found))


def as_dict(config: ServerConfig) -> dict[str, Any]:
    """The config as plain data, for the manifest."""
    return {"system": config.system, "path": config.path, "settings": dict(config.settings)}


def _assignments(text: str) -> Iterable[tuple[str, str]]:
    joined = re.sub(r"\n[ \t]+", " ", text)
    for line in joined.splitlines():
        name, equals, value = line.partition("=")
        if equals and re.fullmatch(r"[A-Za-z0-9_]+", name.strip()):
            yield name.strip(), value.strip()


def _expand(name: str, settings: Mapping[str, str], depth: int) -> str:
    raw = settings.get(name)
    if raw is None and name == "mydomain":
        raw = ".".join(settings.get("myhostname", "").split(".")[1:])
    if raw is None:
        raw = _DEFAULTS.get(name, "")
    if depth > 8:
        return raw
    return re.sub(
        r"\$\{?([a-z0-9_]+)\}?", lambda m: _expand(m[1], settings, depth + 1) if m[1] != name else "", raw
    )


def _words(value: str) -> list[str]:
    return [word for word in re.split(r"[,\s]+", value) if word]


def _is_domain(word: str) -> bool:
    return bool(re.fullmatch(r"(?:[A-Za-z0-9_-]+\.)+[A-Za-z0-9-]+", word))
