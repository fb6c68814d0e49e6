"""Whether an address may send for a domain: the check_host function of RFC 7208, through a resolver.

A record is a list of mechanisms, each with a result when it matches::

    example.org. TXT "v=spf1 ip4:192.0.2.0/24 include:_spf.example.net ~all"

Counted as the standard says: at most ten terms that ask DNS and two that find nothing (§4.6.4), and ten names for
each MX or PTR. An answer today says what the record says today; it may have been another when the mail came.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from mailforensics.headers.resolver import Answer, Resolver, reverse_name

_TERM = re.compile(r"(?P<qualifier>[-+?~]?)(?P<name>[A-Za-z][A-Za-z0-9_.-]*)(?P<rest>[:/=].*)?")
_MACRO = re.compile(
    r"%(?:\{(?P<letter>[A-Za-z])(?P<digits>[0-9]{0,3})(?P<reverse>r?)(?P<delimiters>[.+,/_=-]*)\}|(?P<plain>[%_-])|(?P<bad>.?))"
)
_RESULTS = {"": "pass", "+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_LOOKUPS = 10
_VOID_LOOKUPS = 2


@dataclass(frozen=True, slots=True)
class SpfResult:
    """``result`` as in RFC 7208 §2.6, the ``mechanism`` that decided, and ``reason`` where it is an error."""

    result: str
    domain: str
    mechanism: str | None = None
    reason: str | None = None


class _Stop(Exception):
    """A permerror or temperror, which ends the check at once."""

    def __init__(self, result: str, reason: str) -> None:
        super().__init__(reason)
        self.result, self.reason = result, reason


@dataclass
class _Check:
    address: IPv4Address | IPv6Address
    sender: str
    helo: str
    resolver: Resolver
    lookups: int = 0
    void: int = 0
    depth: int = field(default=0)


def check_host(address: str, domain: str, sender: str, helo: str, resolver: Resolver) -> SpfResult:
    """Whether ``address`` may send for ``domain`` (RFC 7208 §4); ``sender`` and ``helo`` fill macros.

    Nothing is raised for what records or servers say; an address that is none gives ``permerror``.

    >>> check_host("192.0.2.7", "example.org", "a@example.org", "mail", Resolver.replay(Resolver().records)).result
    'temperror'
    """
    try:
        check = _Check(
            ip_address(address), sender if "@" in sender else f"postmaster@{domain}", helo, resolver
        )
        result, mechanism = _evaluate(check, domain.rstrip(".").lower())
    except _Stop as stop:
        return SpfResult(stop.result, domain, reason=stop.reason)
    except ValueError:
        return SpfResult("permerror", domain, reason="no address")
    return SpfResult(result, domain, mechanism)


def _evaluate(check: _Check, domain: str) -> tuple[str, str | None]:
    if check.depth > _LOOKUPS or not _is_domain(domain):
        return "none", None
    record = _record(check, domain)
    if record is None:
        return "none", None
    terms = [_term(text) for text in record.split(" ")[1:] if text]
    for qualifier, name, argument in terms:
        if (
            name not in ("redirect", "exp")
            and argument[:1] != "="
            and _matches(check, domain, name, argument)
        ):
            return _RESULTS[qualifier], f"{qualifier}{name}{argument}"
    redirects = [argument[1:] for _, name, argument in terms if name == "redirect" and argument[:1] == "="]
    if redirects:
        _count(check)
        check.depth += 1
        target = _expand(check, domain, redirects[0])
        result, mechanism = _evaluate(check, target)
        if result == "none":
            raise _Stop("permerror", f"redirect to {target}, which has no record")
        return result, mechanism
    return "neutral", None


def _record(check: _Check, domain: str) -> str | None:
    answer = check.resolver.txt(domain)
    if answer.failed:
        raise _Stop("temperror", f"{domain} TXT: {answer.status}")
    records = [text for text in answer.answer if re.match(r"v=spf1( |$)", text, re.I)]
    if len(records) > 1:
        raise _Stop("permerror", f"{domain} has {len(records)} SPF records")
    return records[0] if records else None


def _term(text: str) -> tuple[str, str, str]:
    match = _TERM.fullmatch(text)
    if match is None:
        raise _Stop("permerror", f"no term: {text[:60]}")
    name, rest = match["name"].lower(), match["rest"] or ""
    known = name in ("all", "include", "a", "mx", "ptr", "ip4", "ip6", "exists")
    if rest[:1] == "=" and not known and not match["qualifier"]:
        return "", name, rest
    if not known or rest[:1] == "=" or (name == "all" and rest):
        raise _Stop("permerror", f"no mechanism: {text[:60]}")
    return match["qualifier"], name, rest


def _matches(check: _Check, domain: str, name: str, argument: str) -> bool:
    if name == "all":
        return True
    if name in ("ip4", "ip6"):
        return _in_network(check, name, argument)
    _count(check)
    target, bits = _target(check, domain, argument)
    if name == "include":
        return _included(check, target)
    if name == "exists":
        return bool(_asked(check, target, "A").answer)
    if name == "a":
        return _has_address(check, target, bits)
    if name == "mx":
        return _is_mx(check, target, bits)
    return _is_ptr(check, target)


def _in_network(check: _Check, name: str, argument: str) -> bool:
    try:
        network = ip_network(argument[1:], strict=False)
    except ValueError:
        raise _Stop("permerror", f"no network: {name}{argument[:60]}") from None
    if network.version != (4 if name == "ip4" else 6):
        raise _Stop("permerror", f"no network: {name}{argument[:60]}")
    return check.address.version == network.version and check.address in network


def _target(check: _Check, domain: str, argument: str) -> tuple[str, int | None]:
    """The domain of a mechanism and the prefix length that counts for this address."""
    name, _, lengths = argument.lstrip(":").partition("/") if argument else ("", "", "")
    four, _, six = lengths.partition("//") if not lengths.startswith("/") else ("", "", lengths[1:])
    chosen = four if check.address.version == 4 else six
    if chosen and not chosen.isdigit():
        raise _Stop("permerror", f"no prefix length: {argument[:60]}")
    bits = int(chosen) if chosen else None
    if bits is not None and bits > check.address.max_prefixlen:
        raise _Stop("permerror", f"no prefix length: {argument[:60]}")
    return (_expand(check, domain, name) if name else domain), bits


def _included(check: _Check, target: str) -> bool:
    check.depth += 1
    result, _ = _evaluate(check, target)
    check.depth -= 1
    if result == "none":
        raise _Stop("permerror", f"include of {target}, which has no record")
    return result == "pass"


def _has_address(check: _Check, name: str, bits: int | None) -> bool:
    answer = _asked(check, name, "A" if check.address.version == 4 else "AAAA")
    return any(_near(check, text, bits) for text in answer.answer)


def _near(check: _Check, text: str, bits: int | None) -> bool:
    length = check.address.max_prefixlen if bits is None else bits
    return check.address in ip_network(f"{text}/{length}", strict=False)


def _is_mx(check: _Check, target: str, bits: int | None) -> bool:
    answer = _asked(check, target, "MX")
    if len(answer.answer) > _LOOKUPS:
        raise _Stop("permerror", f"{target} has more than ten MX records")
    hosts = [text.split()[-1].rstrip(".") for text in answer.answer]
    return any(_has_address(check, host, bits) for host in hosts if host)


def _is_ptr(check: _Check, target: str) -> bool:
    return any(name == target or name.endswith(f".{target}") for name in _names(check))


def _names(check: _Check) -> list[str]:
    """The names of the address that have the address again (§5.5); errors count as none."""
    found = check.resolver.query(reverse_name(str(check.address)), "PTR")
    names = [name.rstrip(".").lower() for name in found.answer[:_LOOKUPS]]
    return [name for name in names if str(check.address) in check.resolver.addresses(name)]


def _asked(check: _Check, name: str, kind: str) -> Answer:
    answer = check.resolver.query(name, kind)
    if answer.failed:
        raise _Stop("temperror", f"{name} {kind}: {answer.status}")
    if not answer.answer:
        check.void += 1
        if check.void > _VOID_LOOKUPS:
            raise _Stop("permerror", "more than two questions without an answer")
    return answer


def _count(check: _Check) -> None:
    check.lookups += 1
    if check.lookups > _LOOKUPS:
        raise _Stop("permerror", "more than ten questions to DNS")


# Macros (§7).


def _expand(check: _Check, domain: str, text: str) -> str:
    expanded = _MACRO.sub(lambda match: _macro(check, domain, match), text)
    while len(expanded) > 253 and "." in expanded:
        expanded = expanded.partition(".")[2]
    return expanded.rstrip(".").lower()


def _macro(check: _Check, domain: str, match: re.Match[str]) -> str:
    if match["plain"]:
        return {"%": "%", "_": " ", "-": "%20"}[match["plain"]]
    if match["letter"] is None:
        raise _Stop("permerror", "damaged macro")
    value = _letter(check, domain, match["letter"].lower())
    parts = re.split(f"[{re.escape(match['delimiters'] or '.')}]", value)
    if match["reverse"]:
        parts.reverse()
    if match["digits"]:
        if int(match["digits"]) == 0:
            raise _Stop("permerror", "damaged macro")
        parts = parts[-int(match["digits"]) :]
    return ".".join(parts)


def _letter(check: _Check, domain: str, letter: str) -> str:
    local, _, sender_domain = check.sender.rpartition("@")
    if letter == "i":
        if check.address.version == 4:
            return str(check.address)
        return ".".join(check.address.exploded.replace(":", ""))
    if letter == "p":
        return (_names(check) or ["unknown"])[0]
    values = {"s": check.sender, "l": local, "o": sender_domain, "d": domain, "h": check.helo,
              "v": "in-addr" if check.address.version == 4 else "ip6"}  # fmt: skip
    if letter not in values:
        raise _Stop("permerror", f"unknown macro {letter}")
    return values[letter]


def _is_domain(domain: str) -> bool:
    labels = domain.split(".")
    return 0 < len(domain) <= 253 and len(labels) > 1 and all(0 < len(label) <= 63 for label in labels)
