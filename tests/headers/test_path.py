"""The border between known and claimed, delays, clocks and roles of the hops of one message."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from mailforensics.errors import OptionError
from mailforensics.headers.message import read_message
from mailforensics.headers.path import Border, Own, clock_offsets, clock_suspects, delays, judge

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def hop(by: str, ip: str | None = None, name: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "by_name": by,
        "by_ip": None,
        "from_ip": ip,
        "from_name": name,
        "from_domain": "x",
        "with_protocol": "ESMTP",
        "software": "Postfix",
    } | more


def trusts(hops: list[dict[str, Any]], **border: Any) -> list[str]:
    return [judged["trust"] for judged in judge(hops, Border.of(**border))]


CHAIN = [
    hop("mail.example.net", "192.0.2.1", "mx.example.net"),
    hop("mx.example.net", "203.0.113.9"),
    hop("evil.example", "198.51.100.7", "bank.example"),
]


def test_without_own_servers_everything_is_claimed() -> None:
    assert trusts(CHAIN) == ["claimed", "claimed", "claimed"]


def test_the_border_is_below_the_field_that_saw_a_stranger() -> None:
    assert trusts(CHAIN, own=["mail.example.net", "mx.example.net"]) == ["ours", "ours", "claimed"]
    assert trusts(CHAIN, own=["192.0.2.0/24"]) == ["ours", "ours", "claimed"]
    assert trusts(CHAIN, own=[".example.net"]) == ["ours", "ours", "claimed"]


def test_a_field_that_only_names_our_server_is_claimed_below_the_border() -> None:
    forged = [
        *CHAIN[:2],
        hop("mx.example.net", "192.0.2.1", "mail.example.net"),
        hop("mail.example.net", "192.0.2.1"),
    ]
    assert trusts(forged, own=[".example.net", "192.0.2.0/24"]) == ["ours", "ours", "claimed", "claimed"]


def test_a_helo_name_of_ours_proves_nothing() -> None:
    top = hop("mx.example.net", "203.0.113.9", None, from_helo="mail.example.net")
    assert trusts(
        [top, hop("mail.example.net", "198.51.100.7")], own=["mx.example.net", "mail.example.net"]
    ) == ["ours", "claimed"]


@pytest.mark.parametrize("software", [None, "qmail", "SomeMTA"])
def test_a_reverse_name_that_the_server_did_not_confirm_proves_nothing(software: str | None) -> None:
    top = hop("mx.example.net", "203.0.113.9", "mail.example.net", software=software)
    own = ["mx.example.net", "mail.example.net"]
    assert trusts([top, hop("mail.example.net")], own=own) == ["ours", "claimed"]
    assert trusts([top | {"software": "Postfix"}, hop("mail.example.net")], own=own) == ["ours", "ours"]


def test_a_name_that_sendmail_doubts_proves_nothing() -> None:
    data = (
        b"Received: from mail.example.net (mail.example.net [203.0.113.9] (may be forged)) by mx.example.net (8.17.1/8.17.1)"
        b" with ESMTP id 1; 2 Mar 2026 09:00:03 +0000\n"
        b"Received: from a ([198.51.100.7]) by mail.example.net with ESMTP id 2; 2 Mar 2026 09:00:02 +0000\n\n"
    )
    hops = read_message(data, own=["mx.example.net", "mail.example.net"]).hops
    assert hops["trust"].to_pylist() == ["ours", "claimed"]
    assert hops["defects"].to_pylist()[0] == ["name_not_confirmed"]


def test_a_top_field_of_another_host_is_claimed() -> None:
    assert trusts(CHAIN, own=["other.example.net"]) == ["claimed", "claimed", "claimed"]


def test_trusted_servers_extend_the_border_but_are_not_ours() -> None:
    chain = [
        hop("mx.example.net", "198.51.100.1"),
        hop("relay.example.com", "203.0.113.9"),
        hop("x.example", None),
    ]
    assert trusts(chain, own=["192.0.2.0/24"], trusted=["198.51.100.0/24"]) == ["ours", "trusted", "claimed"]


def test_a_pick_up_within_one_host_keeps_the_border_open() -> None:
    chain = [
        hop("mx.example.net", None, None, from_domain=None),
        hop("mx.example.net", "203.0.113.9"),
        hop("x.example"),
    ]
    assert trusts(chain, own=["mx.example.net"]) == ["ours", "ours", "claimed"]


def test_a_client_without_an_address_ends_what_is_known() -> None:
    chain = [hop("mx.example.net", None), hop("mx.example.net", "192.0.2.1")]
    assert trusts(chain, own=["mx.example.net", "192.0.2.0/24"]) == ["ours", "claimed"]


@pytest.mark.parametrize(
    ("word", "inside", "outside"),
    [
        ("192.0.2.0/24", "192.0.2.9", "192.0.3.1"),
        ("192.0.2.", "192.0.2.9", "192.0.3.1"),
        ("192.0/16", "192.0.9.9", "192.1.0.1"),
        ("192.0.2.9", "192.0.2.9", "192.0.2.8"),
        ("2001:db8::/32", "2001:db8::1", "2001:db9::1"),
    ],
)
def test_networks_are_read_as_people_write_them(word: str, inside: str, outside: str) -> None:
    own = Own.of([word])
    assert own.has_ip(inside)
    assert not own.has_ip(outside)
    assert own.has_ip("127.0.0.1")


def test_a_word_that_is_no_network_and_no_host_is_refused_with_advice() -> None:
    with pytest.raises(OptionError, match=r"write 192\.0\.2\.0/24 or mx\.example\.net"):
        Own.of(["mx example net"])


def test_delays_are_signed_and_a_missing_clock_is_null() -> None:
    times = [
        START,
        START + timedelta(seconds=5),
        None,
        START + timedelta(seconds=9),
        START + timedelta(seconds=2),
    ]
    assert delays(times) == [None, 5.0, None, None, -7.0]


@pytest.mark.parametrize(
    ("seconds", "suspects"),
    [
        ([0, 1, 2], [False, False, False]),
        ([0, 90, 2], [False, True, True]),
        ([0, 90, 2, 3], [False, True, False, False]),
        ([50, 1, 60], [True, True, False]),
        ([0, 5, -300, 6], [False, False, True, False]),
        ([10, 0], [True, True]),
    ],
)
def test_the_clock_that_contradicts_its_neighbours_is_suspect(
    seconds: list[int], suspects: list[bool]
) -> None:
    assert clock_suspects([START + timedelta(seconds=second) for second in seconds]) == suspects


def test_a_clock_that_is_off_shows_over_many_messages() -> None:
    rows = [
        {"document_id": number, "hop": hop, "by_name": name, "delay_s": delay}
        for number in range(5)
        for hop, name, delay in ((1, "A.example", None), (2, "b.example", 2.0 + number), (3, "c.example", -118.0 + number), (4, "d.example", 121.0))
    ]  # fmt: skip
    offsets = {row["host"]: row["offset_s"] for row in clock_offsets(pl.DataFrame(rows)).to_dicts()}
    assert offsets == {"a.example": None, "b.example": 60.0, "c.example": -119.5, "d.example": None}
    assert clock_offsets(pl.DataFrame(rows), at_least=6).height == 0


def test_a_last_clock_that_is_slow_shows_as_at_least_that() -> None:
    rows = [
        {"document_id": n, "hop": h, "by_name": b, "delay_s": d}
        for n in range(3)
        for h, b, d in ((1, "a", None), (2, "b", -30.0))
    ]
    assert [(row["host"], row["offset_s"]) for row in clock_offsets(pl.DataFrame(rows)).to_dicts()] == [
        ("a", 30.0),
        ("b", -30.0),
    ]


def test_each_hop_has_a_role() -> None:
    message = (
        b"Received: from mx.example.net ([192.0.2.1]) by mail.example.net with LMTP id aaaaaaaaaaaaaa; 2 Mar 2026 09:00:05 +0000\n"
        b"Received: from mx.example.net ([127.0.0.1]) by localhost (amavisd-new, port 10024) with ESMTP id a; 2 Mar 2026 09:00:04 +0000\n"
        b"Received: from out.example.org (out.example.org [203.0.113.9]) by mx.example.net (Postfix) with ESMTPS id b; 2 Mar 2026 09:00:03 +0000\n"
        b"Received: from pc (pc.example.org [198.51.100.7]) by out.example.org (Postfix) with ESMTPSA id c; 2 Mar 2026 09:00:02 +0000\n\n"
    )
    hops = read_message(message, own=["mail.example.net", "mx.example.net", "192.0.2.0/24", "localhost"]).hops
    assert hops["role"].to_pylist() == ["delivery", "filter", "boundary_mx", "submission"]
    assert hops["is_border"].to_pylist() == [False, False, True, False]


# SpamAssassin's chains: a relay is trusted when the field that names its address counts it so.


def _networks(config: list[str], word: str) -> list[str]:
    return [network for line in config if line.startswith(word) for network in line.split()[1:]]


def test_the_border_is_where_spamassassin_puts_it(cases: Any) -> None:
    wrong = []
    for case in cases("trust_paths.jsonl"):
        trusted = _networks(case["config"], "trusted_networks")
        own = _networks(case["config"], "internal_networks") or trusted
        submission = _networks(case["config"], "msa_networks")
        message = read_message(
            case["headers"].encode() + b"\n\n",
            own=[*own, "127.0.0.0/8"],
            trusted=trusted,
            submission=submission,
        )
        got = [(row["from_ip"], row["peer_trust"] != "external") for row in message.hops.to_pylist()]
        (document,) = message.frames["documents"].to_dicts()
        if document["originating_ip"]:
            got.append((document["originating_ip"], document["originating_trust"] != "external"))
        expected = [(relay["ip"].lower(), True) for relay in case["expect"]["trusted"]]
        expected += [(relay["ip"].lower(), False) for relay in case["expect"]["untrusted"]]
        if [(ip, known) for ip, known in got] != [
            (
                ip.replace(":0a", ":a")
                .replace("0102:0304:0506:0708", "102:304:506:708")
                .replace(":0000:", ":0:"),
                known,
            )
            for ip, known in expected
        ]:
            wrong.append(case["id"])
    assert wrong == []


@pytest.mark.parametrize(
    ("border", "trust"),
    [
        ({"own": ["192.0.2.0/24"]}, "external"),
        ({"own": ["192.0.2.0/24"], "submission": ["192.0.2.0/24"]}, "ours"),
        ({"own": ["192.0.2.0/24", "198.51.100.0/24"]}, "ours"),
        ({"own": ["192.0.2.9"], "submission": ["192.0.2.0/24"]}, "external"),
        ({}, "external"),
    ],
)
def test_the_client_of_a_web_mail_is_named_and_whose_word_that_is(border: dict[str, Any], trust: str) -> None:
    data = (
        b"Received: from web.example.net (192.0.2.1) by mx.example.net with SMTP; 2 Mar 2026 09:00:02 +0000\n"
        b"X-Originating-IP: [198.51.100.7]\n\n"
    )
    (document,) = read_message(data, **border).documents.to_pylist()
    assert (document["originating_ip"], document["originating_trust"]) == ("198.51.100.7", trust)
