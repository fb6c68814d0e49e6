"""The way of one message from its Received fields: order, delays, and the border between known and claimed.

Received fields are prepended, so the top one is the last hop. Each was written by the host behind its ``by``; it
proves something only when that host is ours, or one we trust. The border is found from the top down, as
SpamAssassin's trusted and internal networks do: a field is ours when the field above it is ours and says that the
message came from a host of ours. The first field below that is claimed, and so is everything under it::

    Received: from mx.example.net (mx.example.net [192.0.2.1]) by mail.example.net ...     ours
    Received: from evil.example (unknown [203.0.113.9]) by mx.example.net ...              ours: the border hop
    Received: from bank.example (bank.example [198.51.100.7]) by evil.example ...          claimed
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

import polars as pl

from mailforensics.errors import OptionError

Network = IPv4Network | IPv6Network
_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_SHORT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3}){0,2})\.?(?:/([0-9]{1,2}))?")
_HOST = re.compile(r"(?:\*?\.)?[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")


@dataclass(frozen=True)
class Own:
    """Networks and host names that are ours; made by :meth:`of`.

    ``networks`` are (network, counts) with the most specific first: an exclusion (``!192.0.2.9``) does not count.
    """

    networks: tuple[tuple[Network, bool], ...] = ()
    hosts: tuple[str, ...] = field(default=())

    @classmethod
    def of(cls, words: Sequence[str]) -> Own:
        """Ours from words: addresses, networks (``192.0.2.0/24``, ``192.0.2.`` and ``192.0/16`` too), host names
        (``mx.example.net``), domains with a dot in front (``.example.net``), and ``!`` before what is excepted.

        Raises :class:`OptionError` for a word that is none of these.

        >>> Own.of(["192.0.2.0/24", "!192.0.2.9"]).has_ip("192.0.2.9")
        False
        """
        networks, hosts = [], []
        for word in words:
            network = _network(word.strip().lstrip("!"))
            if network is not None:
                networks.append((network, not word.strip().startswith("!")))
            elif _HOST.fullmatch(word.strip()):
                hosts.append(word.strip().lower().rstrip(".").removeprefix("*"))
            else:
                raise OptionError(
                    f"{word!r} is neither a network nor a host name; write 192.0.2.0/24 or mx.example.net."
                )
        networks.sort(key=lambda entry: -entry[0].prefixlen)
        return cls(tuple(networks), tuple(hosts))

    def has_ip(self, address: str | None) -> bool:
        """Whether the address is in one of the networks; loopback always is."""
        return address is not None and _contains(self.networks, address)

    def has_host(self, name: str | None) -> bool:
        """Whether the name is one of the hosts or below one of the domains."""
        name = (name or "").lower().rstrip(".")
        return bool(name) and any(
            name == host or (host.startswith(".") and (name.endswith(host) or name == host[1:]))
            for host in self.hosts
        )

    def __bool__(self) -> bool:
        return bool(self.networks or self.hosts)


@lru_cache(maxsize=65536)
def _contains(networks: tuple[tuple[Network, bool], ...], text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if any(address in network for network in _LOOPBACK):
        return True
    for network, counts in networks:
        if address.version == network.version and address in network:
            return counts
    return False


def _network(word: str) -> Network | None:
    try:
        return ip_network(word.strip("[]"), strict=False)
    except ValueError:
        pass
    match = _SHORT.fullmatch(word)
    if match is None:
        return None
    parts = match[1].split(".")
    bits = int(match[2]) if match[2] else 8 * len(parts)
    try:
        return ip_network(".".join(parts + ["0"] * (4 - len(parts))) + f"/{bits}", strict=False)
    except ValueError:
        return None


@dataclass(frozen=True)
class Border:
    """Who is ours, whom we trust, and the submission servers whose clients had to log in (SpamAssassin's msa)."""

    own: Own = field(default_factory=Own)
    trusted: Own = field(default_factory=Own)
    submission: Own = field(default_factory=Own)

    @classmethod
    def of(
        cls, own: Sequence[str] = (), trusted: Sequence[str] = (), submission: Sequence[str] = ()
    ) -> Border:
        """A border from words as :meth:`Own.of` reads them."""
        return cls(Own.of(own), Own.of(trusted), Own.of(submission))

    def __bool__(self) -> bool:
        return bool(self.own or self.trusted)


def judge(hops: Sequence[Mapping[str, Any]], border: Border) -> list[dict[str, Any]]:
    """For each hop of one message, top first: ``trust`` of the field, ``peer_trust`` and ``is_border``.

    ``trust`` says who wrote the field: ``ours``, ``trusted`` or ``claimed``. ``peer_trust`` says who handed the
    message to that writer: ``ours``, ``trusted`` or ``external``. ``is_border`` marks the lowest field that is ours or
    trusted. Without ``own`` and ``trusted`` everything is claimed: nothing then says whose word counts.

    >>> top = {"from_ip": "203.0.113.9", "from_name": None, "by_name": "mx.example.net", "by_ip": None}
    >>> [hop["trust"] for hop in judge([top, top], Border.of(own=["mx.example.net"]))]
    ['ours', 'claimed']
    """
    level = _top_level(hops[0], border) if hops else "claimed"
    judged: list[dict[str, Any]] = []
    for number, hop in enumerate(hops):
        peer = _peer(hop, border)
        if level == "claimed":
            judged.append({"trust": "claimed", "peer_trust": "external", "is_border": False})
            continue
        following = hops[number + 1] if number + 1 < len(hops) else None
        next_level = _next_level(hop, peer, level, following, border)
        peer = "external" if next_level == "claimed" and not _same_host(hop, border) else peer
        judged.append(
            {
                "trust": level,
                "peer_trust": peer,
                "is_border": following is not None and next_level == "claimed",
            }
        )
        level = next_level
    if judged and judged[-1]["trust"] != "claimed":
        judged[-1]["is_border"] = True
    return judged


def _top_level(hop: Mapping[str, Any], border: Border) -> str:
    """The top field was written where the message was found: ours, unless it names another host than ours."""
    if not border:
        return "claimed"
    if border.own.has_host(hop["by_name"]) or border.own.has_ip(hop["by_ip"]):
        return "ours"
    if border.trusted.has_host(hop["by_name"]) or border.trusted.has_ip(hop["by_ip"]):
        return "trusted"
    return "claimed" if border.own.hosts or border.trusted.hosts else "ours"


def _peer(hop: Mapping[str, Any], border: Border) -> str:
    name = hop["from_name"] if _confirms_names(hop) else None
    if border.own.has_ip(hop["from_ip"]) or border.own.has_host(name):
        return "ours"
    if border.trusted.has_ip(hop["from_ip"]) or border.trusted.has_host(name):
        return "trusted"
    return "external"


_CONFIRMING = re.compile(r"Postfix|Exim |[0-9]+\.[0-9.]+/[0-9]+\.[0-9.]+")


def _confirms_names(hop: Mapping[str, Any]) -> bool:
    """Whether the server writes a reverse name only when that name has the address again.

    Whoever owns an address can give it any reverse name. Postfix, Exim and Sendmail look the name up and say so
    when it does not fit; qmail and others write what they are told.
    """
    confirms = _CONFIRMING.match(hop.get("software") or "") is not None
    return confirms and "name_not_confirmed" not in (hop.get("defects") or ())


def _next_level(
    hop: Mapping[str, Any], peer: str, level: str, following: Mapping[str, Any] | None, border: Border
) -> str:
    """The trust of the field below: that of the host that this hop received from."""
    if border.submission.has_ip(hop["from_ip"]) and peer != "external":
        return peer
    if peer != "external":
        return "trusted" if "trusted" in (peer, level) else "ours"
    if hop["from_ip"] is None and following is not None and _stays_on_host(hop, following):
        return level
    return "claimed"


def originating_trust(lowest: Mapping[str, Any] | None, address: str, border: Border) -> str:
    """Whose word an X-Originating-IP is, below the lowest hop: SpamAssassin reads it as one more relay.

    Where the lowest hop is ours or trusted and its client is a submission server, whose clients had to log in, the
    address counts as that server's word; else as ours, trusted or external by the address itself.

    >>> originating_trust(None, "192.0.2.1", Border.of(own=["192.0.2.0/24"]))
    'external'
    """
    if lowest is None or lowest["trust"] == "claimed" or lowest["peer_trust"] == "external":
        return "external"
    if border.submission.has_ip(lowest["from_ip"]):
        return str(lowest["peer_trust"])
    own, trusted = border.own.has_ip(address), border.trusted.has_ip(address)
    return "ours" if own else "trusted" if trusted else "external"


def _stays_on_host(hop: Mapping[str, Any], following: Mapping[str, Any]) -> bool:
    """A hand-over within one host, which leaves no address: pick-up, local delivery, a socket."""
    no_client = hop.get("from_domain") is None or (hop.get("with_protocol") or "").startswith(
        ("LMTP", "LOCAL")
    )
    return (
        no_client
        and bool(hop["by_name"])
        and str(hop["by_name"]).lower() == str(following["by_name"]).lower()
    )


def _same_host(hop: Mapping[str, Any], border: Border) -> bool:
    return hop["from_ip"] is None and border.own.has_host(hop["by_name"])


def delays(times: Sequence[datetime | None]) -> list[float | None]:
    """Seconds between each hop and the one before it, signed; times are given nearest the sender first.

    Where a hop has no time, its delay and the next one are null: a missing clock is not zero.

    >>> delays([datetime(2026, 1, 1, 0, 0, 9), datetime(2026, 1, 1, 0, 0, 2), None])
    [None, -7.0, None]
    """
    out: list[float | None] = []
    before: datetime | None = None
    for time in times:
        out.append((time - before).total_seconds() if time is not None and before is not None else None)
        before = time
    return out


def clock_suspects(times: Sequence[datetime | None], *, tolerance_s: float = 1.0) -> list[bool | None]:
    """Which hops' clocks contradict their neighbours, nearest the sender first; null without a time.

    Where time runs backwards between two hops, the one without which the rest would be in order is suspect; where
    that does not decide it, both are.

    >>> at = lambda second: datetime(2026, 1, 1, 0, 0, second)
    >>> clock_suspects([at(1), at(50), at(3), at(4)])
    [False, True, False, False]
    """
    known = [(place, time) for place, time in enumerate(times) if time is not None]
    suspects: list[bool | None] = [None if time is None else False for time in times]
    for here in range(1, len(known)):
        before, now = known[here - 1], known[here]
        if (now[1] - before[1]).total_seconds() >= -tolerance_s:
            continue
        without_before = here < 2 or known[here - 2][1] <= now[1]
        without_now = here + 1 >= len(known) or before[1] <= known[here + 1][1]
        if without_before or not without_now:
            suspects[before[0]] = True
        if without_now or not without_before:
            suspects[now[0]] = True
    return suspects


def clock_offsets(hops: pl.DataFrame, *, at_least: int = 3) -> pl.DataFrame:
    """How far the clock of each host seems to be off, from the ``hops`` of many messages.

    Columns: ``host``, ``offset_s`` (seconds, positive when its clock is ahead; null where nothing shows), ``messages``,
    ``wait_in_s`` and ``wait_out_s`` (the shortest waits on the way to it and from it). A host that is ahead makes
    every wait before it longer and every wait after it shorter by as much, so half the difference of the shortest
    ones is its offset, if its neighbours are right. Where only one side is known, only a wait below zero shows
    something: the offset is then at least that. Hosts with fewer than ``at_least`` messages are left out.

    >>> rows = [{"document_id": n, "hop": h, "by_name": b, "delay_s": d}
    ...     for n in range(3) for h, b, d in ((1, "a", None), (2, "b", 61.0), (3, "c", -59.0))]
    >>> clock_offsets(pl.DataFrame(rows)).filter(pl.col("host") == "b")["offset_s"].to_list()
    [60.0]
    """
    frame = hops.select("document_id", "hop", pl.col("by_name").str.to_lowercase().alias("host"), "delay_s")
    following = frame.select("document_id", pl.col("hop") - 1, pl.col("delay_s").alias("wait_out_s"))
    both = frame.drop_nulls("host").join(following, on=["document_id", "hop"], how="left")
    waits = both.group_by("host").agg(
        pl.col("document_id").n_unique().alias("messages"),
        pl.col("delay_s").min().alias("wait_in_s"),
        pl.col("wait_out_s").min(),
    )
    before, after = pl.col("wait_in_s"), pl.col("wait_out_s")
    offset = (
        pl.when(before.is_not_null() & after.is_not_null()).then((before - after) / 2)
        .when(before < 0).then(before)
        .when(after < 0).then(-after)
    )  # fmt: skip
    known = waits.filter(pl.col("messages") >= at_least).with_columns(offset.alias("offset_s")).sort("host")
    return known.select("host", "offset_s", "messages", "wait_in_s", "wait_out_s")


def role(hop: Mapping[str, Any], *, first: bool, last: bool) -> str:
    """What a hop is: retrieval, submission, delivery, filter, boundary_mx, internal or relay.

    >>> role({"auth": "ESMTPSA", "with_protocol": "ESMTPSA", "from_ip": "192.0.2.1", "format": "postfix",
    ...       "from_domain": "a", "trust": "claimed", "peer_trust": "external"}, first=True, last=False)
    'submission'
    """
    protocol = hop["with_protocol"] or ""
    if hop["format"] == "fetchmail" or protocol.startswith(("POP3", "IMAP")):
        return "retrieval"
    if protocol.startswith(("LMTP", "UTF8LMTP")):
        return "delivery"
    if hop["auth"] or (
        first
        and (
            (hop["from_ip"] is None and hop["from_domain"] is None) or protocol in ("LOCAL", "HTTP", "HTTPS")
        )
    ):
        return "submission"
    if hop["format"] == "amavis" or (hop["from_ip"] and _contains((), hop["from_ip"])):
        return "filter"
    if hop["trust"] == "ours" and hop["peer_trust"] == "external":
        return "boundary_mx"
    if last and protocol == "LOCAL":
        return "delivery"
    if hop["trust"] == "ours":
        return "internal"
    return "relay"
