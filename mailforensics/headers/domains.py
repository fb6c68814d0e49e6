"""Domain names in headers: the domain of an address, and the organisational domain without asking anyone.

DMARC compares organisational domains. RFC 9989 §4.10 finds them by walking up the DNS tree, which needs DNS (see
:mod:`mailforensics.headers.verify`). Offline this is a heuristic: the last two labels, or three where the last
two are a country and a generic second level such as ``co.uk`` or ``com.br``. It errs towards the smaller domain
for suffixes that only registries know, and calls shared hosts such as ``github.io`` one organisation.
"""

from __future__ import annotations

import re

from mailforensics.headers.received import canonical_ip

_SECOND_LEVELS = frozenset(
    [
        "ac",
        "co",
        "com",
        "edu",
        "go",
        "gob",
        "gov",
        "gouv",
        "gv",
        "ltd",
        "me",
        "mil",
        "ne",
        "net",
        "nom",
        "or",
        "org",
        "plc",
        "priv",
        "sch",
        "asso",
        "nhs",
    ]
)
_DOMAIN = re.compile(r"@?\[?([^@\[\]<>\s\"]+?)\.?\]?>?$")


def domain_of(address: str) -> str | None:
    """The domain of an address, or of a bare domain, in lower case; None when there is none.

    >>> domain_of("Bob <bob@Example.ORG>"), domain_of("@example.net"), domain_of("<>")
    ('example.org', 'example.net', None)
    """
    match = _DOMAIN.search(address.strip()[-320:].rpartition("@")[2] or "")
    if match is None:
        return None
    return match[1].lower()


def organisational_domain(domain: str) -> str:
    """The domain that an organisation probably registered; an address stays as it is.

    >>> organisational_domain("mail.example.co.uk"), organisational_domain("a.b.example.org")
    ('example.co.uk', 'example.org')
    """
    domain = domain.lower().rstrip(".")
    labels = domain.split(".")
    if canonical_ip(domain) or len(labels) < 3:
        return domain
    if len(labels[-1]) == 2 and labels[-2] in _SECOND_LEVELS:
        return ".".join(labels[-3:])
    return ".".join(labels[-2:])


def aligned(domain: str, from_domain: str, *, strict: bool = False) -> bool:
    """Whether two domains are aligned (RFC 9989 §4.4): equal, or relaxed with one organisational domain.

    >>> aligned("bounce.example.org", "example.org"), aligned("bounce.example.org", "example.org", strict=True)
    (True, False)
    """
    domain, from_domain = domain.lower().rstrip("."), from_domain.lower().rstrip(".")
    return domain == from_domain or (
        not strict and organisational_domain(domain) == organisational_domain(from_domain)
    )
