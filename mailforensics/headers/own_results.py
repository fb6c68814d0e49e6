"""Which results right below our border filters of ours wrote: what shows it, since place and name alone do not.

A milter adds its fields below the Received field of its mail server, where a stranger's own fields begin too::

    Received: from evil.example (unknown [203.0.113.9]) by mx.example.net (Postfix) with ESMTP id 4jYJf54GKLz3t; ...
    DKIM-Filter: OpenDKIM Filter v2.11.0 mx.example.net 4jYJf54GKLz3t
    Authentication-Results: mx.example.net; dkim=none                  ours, or sent with the message?

The id that our server gave to the message is what no sender can know, so a field that quotes it was written after the
message had come. A result counts as ours where such a field stands for it:

* it carries the id itself (``AuthservIDWithJobID`` of OpenDKIM: ``mx.example.net/4jYJf54GKLz3t``);
* a ``DKIM-Filter`` or ``DMARC-Filter`` field with the id and the same name stands right above it. OpenDKIM removes
  results in its own name from what comes in, OpenDMARC always writes one;
* Rspamd's fields with the id (``X-Rspamd-Queue-Id``) hold a verdict whose symbols say the same, result by result. Whoever
  wrote the field, our filter then found what it says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mailforensics.headers.fields import Field
from mailforensics.headers.spam import read_scans

Row = dict[str, Any]

_FILTER = re.compile(r"Open(?:DKIM|DMARC) Filter v\S+ (?P<host>\S+) (?P<id>\S+)")
_BY_FILTERS = ("authentication-results", "arc-", "received-spf", "dkim-filter", "dmarc-filter", "x-")
_RSPAMD = ("x-spam", "x-rspamd")
_SHORTEST_ID = 6

SYMBOLS: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("spf", "pass"): ("R_SPF_ALLOW",), ("spf", "fail"): ("R_SPF_FAIL",), ("spf", "softfail"): ("R_SPF_SOFTFAIL",),
    ("spf", "neutral"): ("R_SPF_NEUTRAL",), ("spf", "none"): ("R_SPF_NA",), ("spf", "temperror"): ("R_SPF_DNSFAIL",),
    ("spf", "permerror"): ("R_SPF_PERMFAIL",), ("dkim", "pass"): ("R_DKIM_ALLOW",), ("dkim", "fail"): ("R_DKIM_REJECT",),
    ("dkim", "none"): ("R_DKIM_NA",), ("dkim", "temperror"): ("R_DKIM_TEMPFAIL",), ("dkim", "permerror"): ("R_DKIM_PERMFAIL",),
    ("dkim", "invalid"): ("R_DKIM_PERMFAIL", "R_DKIM_REJECT"), ("arc", "pass"): ("ARC_ALLOW",), ("arc", "fail"): ("ARC_REJECT",),
    ("arc", "reject"): ("ARC_REJECT",), ("arc", "none"): ("ARC_NA",), ("arc", "invalid"): ("ARC_INVALID",),
    ("dmarc", "pass"): ("DMARC_POLICY_ALLOW",), ("dmarc", "none"): ("DMARC_NA",), ("dmarc", "temperror"): ("DMARC_DNSFAIL",),
    ("dmarc", "fail"): ("DMARC_POLICY_REJECT", "DMARC_POLICY_QUARANTINE", "DMARC_POLICY_SOFTFAIL"),
    ("dmarc", "permerror"): ("DMARC_BAD_POLICY",),
}  # fmt: skip
"""The symbols by which Rspamd says a result; a result that is not here is never confirmed by it."""


def own_results(
    fields: Sequence[Field], results: Mapping[int, Sequence[Row]], hops: Sequence[Row], names: frozenset[str]
) -> frozenset[int]:
    """The ordinals of Authentication-Results between our lowest Received field and the next that ours wrote.

    ``results`` are the rows of each field by its ordinal, ``hops`` have ``ordinal``, ``trust`` and ``id``, ``names`` are
    ours in lower case. Empty where nothing shows it.

    >>> own_results([], {}, [], frozenset())
    frozenset()
    """
    ids = {hop["id"] for hop in hops if hop["trust"] == "ours" and len(hop["id"] or "") >= _SHORTEST_ID}
    if not ids:
        return frozenset()
    found = set()
    scan = _rspamd_verdict(fields, ids)
    for ordinal in _right_below(fields, hops):
        rows = results.get(ordinal)
        if not rows or fields[ordinal].key != "authentication-results":
            continue
        name, _, job = str(rows[0]["authserv_id"] or "").lower().partition("/")
        if name not in names:
            continue
        quoted = job in {one.lower() for one in ids} or _filter_above(fields[ordinal - 1], name, ids)
        if quoted or (scan is not None and _confirmed(rows, scan)):
            found.add(ordinal)
    return frozenset(found)


def _right_below(fields: Sequence[Field], hops: Sequence[Row]) -> Iterator[int]:
    """The places below our lowest Received field, as long as only fields of filters stand there."""
    start = max(hop["ordinal"] for hop in hops if hop["trust"] == "ours")
    for ordinal in range(start + 1, len(fields)):
        if not fields[ordinal].key.startswith(_BY_FILTERS):
            return
        yield ordinal


def _filter_above(field: Field, name: str, ids: set[str]) -> bool:
    """``DKIM-Filter: OpenDKIM Filter v2.11.0 mx.example.net 4jYJf54GKLz3t``."""
    if field.key not in ("dkim-filter", "dmarc-filter"):
        return False
    match = _FILTER.match(field.value.strip())
    return match is not None and match["host"].lower() == name and match["id"] in ids


def _rspamd_verdict(fields: Sequence[Field], ids: set[str]) -> Row | None:
    """Rspamd's verdict among the fields that stand together with our id; None where two could be meant."""
    for place, field in enumerate(fields):
        if field.key == "x-rspamd-queue-id" and field.value.strip() in ids:
            together = [fields[number] for number in _run(fields, place)]
            keys = [one.key for one in together]
            if keys.count("x-spamd-result") != 1 or keys.count("x-rspamd-server") != 1:
                return None
            scans = read_scans((one.name, one.value) for one in together if one.key == "x-spamd-result")
            return scans[0] if scans else None
    return None


def _run(fields: Sequence[Field], place: int) -> range:
    """The stretch of Rspamd's fields around a place."""
    first = last = place
    while first > 0 and fields[first - 1].key.startswith(_RSPAMD):
        first -= 1
    while last + 1 < len(fields) and fields[last + 1].key.startswith(_RSPAMD):
        last += 1
    return range(first, last + 1)


def _confirmed(rows: Sequence[Row], scan: Row) -> bool:
    """Whether the symbols say each result, and for a signature that passed its domain as well."""
    said = {symbol["name"]: " ".join(symbol["options"]).lower() for symbol in scan["symbols"]}
    for row in rows:
        symbols = [name for name in SYMBOLS.get((row["method"], row["result"]), ()) if name in said]
        if not symbols:
            return False
        domain = row["header_d"] or str(row["header_i"] or "").rpartition("@")[2]
        if row["method"] == "dkim" and row["result"] == "pass":
            domains = {option.partition(":")[0] for option in said[symbols[0]].split()}
            if domain.lower() not in domains:
                return False
    return True
