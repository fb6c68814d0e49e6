"""Contradictions in headers: found, graded, explained; and forged chains, of which nothing is ever trusted."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from mailforensics.findings.forgery import RULES, SEVERITIES, find_forgery
from mailforensics.headers.message import Message, read_message, read_messages

OWN = ["mx.example.net", "mail.example.net", "192.0.2.0/24"]
BORDER = (
    "Received: from out.example.org (out.example.org [203.0.113.9])\n"
    "\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n"
    "\tby mx.example.net (Postfix) with ESMTPS id 4jYJf54GKLz3t;\n\tMon,  2 Mar 2026 10:02:11 +0100 (CET)\n"
)
FIRST = (
    "Received: from pc.example.org (pc.example.org [198.51.100.7])\n\tby out.example.org (Postfix) with ESMTPSA id 0A1B;\n"
    "\tMon,  2 Mar 2026 10:02:10 +0100 (CET)\n"
)
TAIL = "From: Alice <alice@example.org>\nDate: Mon, 2 Mar 2026 10:02:09 +0100\nMessage-ID: <1@example.org>\nSubject: x\n\n"


def read(*parts: str, own: list[str] | None = None) -> Message:
    return read_message("".join(parts).encode(), own=OWN if own is None else own)


def found(*parts: str) -> dict[str, dict[str, Any]]:
    return {row["finding"]: row for row in find_forgery(read(*parts).frames).iter_rows(named=True)}


def test_an_ordinary_message_gives_no_finding() -> None:
    assert found(BORDER, FIRST, TAIL) == {}


def stamp(
    client: str,
    by: str = "x.example.org",
    rest: str = "with ESMTP id 1",
    date: str = "Mon, 2 Mar 2026 10:02:05 +0100",
) -> str:
    return f"Received: from {client} by {by} {rest}; {date}\n"


CASES: list[tuple[str, list[str]]] = [
    ("field_repeated", [BORDER, "From: b@example.org\n", TAIL]),
    ("from_shows_other_address", [BORDER, TAIL.replace("Alice <alice", '"ceo@bank.example" <alice')]),
    ("names_our_server_below_border", [BORDER, stamp("a ([198.51.100.7])", "mx.example.net"), TAIL]),
    ("our_result_below_border", [BORDER, "Authentication-Results: mx.example.net; dmarc=pass header.from=example.org\n", TAIL]),
    ("impossible_address", [BORDER, stamp("a ([240.1.2.3])"), TAIL]),
    ("stamp_not_in_its_format", [BORDER, stamp("a ([198.51.100.7])", "mta.prod.outlook.com"), TAIL]),
    ("helo_brand_without_name", [BORDER.replace("from out.example.org (out.example.org", "from mail.google.com (unknown"), TAIL]),
    ("helo_address_differs", [BORDER, stamp("[203.0.114.1] (a.example.org [198.51.100.7])"), TAIL]),
    ("helo_localhost", [BORDER, stamp("localhost (a.example.org [198.51.100.7])"), TAIL]),
    ("helo_name_differs", [BORDER, stamp("shop.example.com (a.example.org [198.51.100.7])"), TAIL]),
    ("dynamic_name", [BORDER.replace("(out.example.org [", "(dsl-203-0-113-9.pool.example.org ["), TAIL]),
    ("chain_broken", [BORDER, stamp("a.example.com ([198.51.100.7])", "b.example.com"), stamp("c.example.org ([198.51.100.8])", "d.example.net"), TAIL]),
    ("no_received", [TAIL]),
    ("many_hops", [BORDER, *[stamp(f"h{n}.example.org ([198.51.100.{n}])", f"h{n + 1}.example.org") for n in range(12)], TAIL]),
    ("mail_loop", ["Delivered-To: a@example.net\n", BORDER, "Delivered-To: a@example.net\n", TAIL]),
    ("time_backwards", [BORDER, stamp("a.example.org ([198.51.100.7])", "out.example.org", date="Mon, 2 Mar 2026 10:20:11 +0100"), TAIL]),
    ("date_shifted", [BORDER, TAIL.replace("Mon, 2 Mar", "Thu, 5 Mar")]),
    ("date_unreadable", [BORDER, TAIL.replace("Mon, 2 Mar 2026 10:02:09 +0100", "gestern")]),
    ("postfix_without_zone", [BORDER, FIRST.replace(" (CET)", ""), TAIL]),
    ("shape_unknown", [BORDER, "Received: from [198.51.100.7] by out.example.org id ABCDEF123456; 2 Mar 2026 10:02:05 +0100\n", TAIL]),
    ("received_damaged", [BORDER, stamp("a (b [198.51.100.7] (x"), TAIL]),
    ("received_unreadable", [BORDER, "Received: ???\n", TAIL]),
    ("border_without_tls", [BORDER.replace("\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\n", "").replace("ESMTPS", "ESMTP"), TAIL]),
    ("return_path_differs", ["Return-Path: <b@list.example.com>\n", BORDER, TAIL]),
    ("reply_to_differs", ["Reply-To: b@example.com\n", BORDER, TAIL]),
    ("message_id_domain", [BORDER, TAIL.replace("<1@example.org>", "<1@example.com>")]),
    ("no_message_id", [BORDER, TAIL.replace("Message-ID", "X-ID")]),
    ("signed_by_others_only", [BORDER, "DKIM-Signature: v=1; a=rsa-sha256; d=esp.example.com; s=k; bh=x; b=QUFB\n", TAIL]),
    ("more_results_than_hops", [BORDER, *["Authentication-Results: a.example.org; spf=pass\n"] * 3, TAIL]),
    ("result_of_unknown_server", [BORDER, "Authentication-Results: mx.example.com; spf=pass\n", TAIL]),
    ("arc_chain_broken", [BORDER, "ARC-Seal: i=2; a=rsa-sha256; cv=pass; d=example.org; s=k; b=QUFB\n", TAIL]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "parts"), CASES, ids=[name for name, _ in CASES])
def test_each_contradiction_is_found_and_explained(name: str, parts: list[str]) -> None:
    row = found(*parts)[name]
    assert row["severity"] in SEVERITIES
    assert row["sentence"].endswith((".", "gestern"))
    assert row["innocent"]
    assert row["source"]
    assert row["rule"] == f"forgery.{name}"
    fields = read(*parts).frames["headers"]["event_id"].to_list()
    assert set(row["evidence"]) <= set(fields)


def test_every_rule_has_a_case() -> None:
    checked_elsewhere = {"recomputed_differs"}
    assert {rule.name for rule in RULES} == {name for name, _ in CASES} | checked_elsewhere


def test_no_sentence_says_forged() -> None:
    for _, parts in CASES:
        for row in found(*parts).values():
            assert "forge" not in row["sentence"].lower()


def test_a_clock_that_differs_is_worth_knowing_and_no_more() -> None:
    late = stamp("a.example.org ([198.51.100.7])", "out.example.org", date="Mon, 2 Mar 2026 10:20:11 +0100")
    assert found(BORDER, late, TAIL)["time_backwards"]["severity"] == "info"
    assert "time_backwards" not in found(BORDER, late.replace("10:20:11", "10:05:11"), TAIL)


def test_a_claim_that_checking_contradicts_is_found() -> None:
    message = read(
        BORDER, "Authentication-Results: mx.example.com; spf=pass smtp.mailfrom=example.org\n", TAIL
    )
    row = message.frames["auth_results"].row(0, named=True)
    checked = pl.DataFrame(
        [row | {"field": "recomputed", "result": "fail", "authserv_id": None}],
        schema=message.frames["auth_results"].schema,
    )
    frames = message.frames | {"auth_results": pl.concat([message.frames["auth_results"], checked])}
    rows = {entry["finding"]: entry for entry in find_forgery(frames).iter_rows(named=True)}
    assert rows["recomputed_differs"]["severity"] == "warning"
    assert (
        rows["recomputed_differs"]["sentence"]
        == "mx.example.com says spf=pass, but checking again gives fail."
    )


def test_arrow_tables_give_the_same_findings_as_frames() -> None:
    message = read(BORDER, "From: b@example.org\n", TAIL)
    tables = {name: getattr(message, name) for name in ("documents", "headers", "hops", "auth_results")}
    assert find_forgery(tables).equals(find_forgery(message.frames))


def test_findings_of_many_messages_stand_message_by_message() -> None:
    data = ("From: b@example.org\n" + TAIL).encode()
    findings = find_forgery(read_messages([(1, 0, data), (1, 9999, data)]).frames)
    numbers = findings["document_id"].to_list()
    assert numbers == sorted(numbers)
    assert len(set(numbers)) == 2


# S14: chains as senders invent them below our border; nothing of them may be shown as trusted.
OURS = "Authentication-Results: mx.example.net; dkim=fail header.d=bank.example\n"
FORGED: list[str] = [
    stamp("mail.bank.example (mail.bank.example [198.51.100.1])", "mx.example.net"),
    stamp("mx.example.net (mx.example.net [192.0.2.1])", "mail.example.net"),
    stamp("mail.example.net ([192.0.2.7])", "mx.example.net (Postfix)", "with LMTP id 1"),
    stamp("localhost (localhost [127.0.0.1])", "mx.example.net (Postfix)"),
    stamp("localhost (localhost [127.0.0.1])", "localhost", "(amavisd-new, port 10024) with ESMTP id 1"),
    "Received: by mx.example.net (Postfix, from userid 0) id 1; Mon, 2 Mar 2026 10:02:05 +0100 (CET)\n",
    stamp("a ([192.0.2.9])", "mx.example.net", "with ESMTPSA id 1"),
    "Received: (from root@localhost) by mx.example.net (8.17.1/8.17.1/Submit) id 1; Mon, 2 Mar 2026 10:02:05 +0100\n",
    "Received: (qmail 1 invoked by uid 0); 2 Mar 2026 09:02:05 -0000\n",
    stamp("mx.example.net (HELO mx.example.net) (192.0.2.1)", "mail.example.net", "with SMTP"),
    stamp("MX.EXAMPLE.NET. ([192.0.2.1])", "MX.EXAMPLE.NET."),
    BORDER,
    BORDER + BORDER,
    stamp("mail.bank.example ([IPv6:::ffff:192.0.2.1])", "mx.example.net"),
    "Received:\n\tfrom mx.example.net ([192.0.2.1])\n\n\tby mail.example.net; Mon, 2 Mar 2026 10:02:05 +0100\n",
    "RECEIVED: from mx.example.net ([192.0.2.1]) by mail.example.net; Mon, 2 Mar 2026 10:02:05 +0100\n",
    "Received : from mx.example.net ([192.0.2.1]) by mail.example.net; Mon, 2 Mar 2026 10:02:05 +0100\n",
    "Received: from mx.example.net ([192.0.2.1]) by mail.example.net\x00; Mon, 2 Mar 2026 10:02:05 +0100\n",
    "Authentication-Results: mx.example.net; dmarc=pass header.from=bank.example\n",
    "Authentication-Results: MX.example.net; spf=pass smtp.mailfrom=bank.example; dkim=pass header.d=bank.example\n",
    "Authentication-Results: (x) \"mx.example.net\" 1; dmarc=pass header.from=bank.example\n" + stamp("a ([192.0.2.1])", "mx.example.net"),
    "Authentication-Results: spf=pass smtp.mailfrom=bank.example; dmarc=pass action=none header.from=bank.example\n",
    "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=mx.example.net; s=k; b=QUFB\nARC-Authentication-Results: i=1; mx.example.net; dmarc=pass\n",
    "Received-SPF: pass (mx.example.net: domain of bank.example designates 203.0.113.9) receiver=mx.example.net; client-ip=203.0.113.9\nX-Spam-Status: No, score=-9 required=5 tests=A\n",
    # In the name of our own filters, right below our border: without the id that our server gave, or against what it found.
    "DKIM-Filter: OpenDKIM Filter v2.11.0 mx.example.net 4jYJf54GKLz3u\nAuthentication-Results: mx.example.net; dkim=pass header.d=bank.example\n",
    "DKIM-Filter: OpenDKIM Filter v2.11.0 mx.example.net\nAuthentication-Results: mx.example.net; dkim=pass header.d=bank.example\n",
    "DKIM-Filter: OpenDKIM Filter v2.11.0 other.example 4jYJf54GKLz3t\nAuthentication-Results: mx.example.net; dkim=pass header.d=bank.example\n",
    "DKIM-Filter: 4jYJf54GKLz3t\nAuthentication-Results: mx.example.net; dkim=pass header.d=bank.example\n",
    "Authentication-Results: mx.example.net/4jYJf54GKLz3; dkim=pass header.d=bank.example\n",
    "Authentication-Results: other.example/4jYJf54GKLz3t; dkim=pass header.d=bank.example\n",
    "Authentication-Results: mx.example.net; dkim=pass header.d=bank.example\nX-Spamd-Result: default: False [0.00 / 15.00]; R_DKIM_ALLOW(0.00)[bank.example:s=k]\nX-Rspamd-Server: mx\nX-Rspamd-Queue-Id: 4jYJf54GKLz3\n",
    "Authentication-Results: mx.example.net; dkim=pass header.d=bank.example\nX-Spamd-Result: default: False [0.00 / 15.00]; R_DKIM_NA(0.00)[]\nX-Rspamd-Server: mx\nX-Rspamd-Queue-Id: 4jYJf54GKLz3t\n",
    "Authentication-Results: mx.example.net; dkim=pass header.d=bank.example\nX-Spamd-Result: default: False [0.00 / 15.00]; R_DKIM_ALLOW(0.00)[evil.example:s=k]\nX-Rspamd-Server: mx\nX-Rspamd-Queue-Id: 4jYJf54GKLz3t\n",
    "Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=bank.example; dmarc=pass\nX-Spamd-Result: default: False [0.00 / 15.00]; R_SPF_ALLOW(0.00)[]\nX-Rspamd-Server: mx\nX-Rspamd-Queue-Id: 4jYJf54GKLz3t\n",
    "Authentication-Results: mx.example.net; dmarc=pass\nX-Spamd-Result: default: False [0.00 / 15.00]; DMARC_POLICY_ALLOW(0.00)[]\nX-Rspamd-Server: mx\nX-Spamd-Result: default: True [9.00 / 15.00]; DMARC_POLICY_REJECT(0.00)[]\nX-Rspamd-Queue-Id: 4jYJf54GKLz3t\n",
    "Authentication-Results: mx.example.net; dmarc=pass\nX-Spamd-Result: default: False [0.00 / 15.00]; DMARC_POLICY_ALLOW(0.00)[]\nX-Rspamd-Queue-Id: 4jYJf54GKLz3t\n",
    "Authentication-Results: mx.example.net; dmarc=pass\nX-Spamd-Result: default: False [0.00 / 15.00]; DMARC_POLICY_ALLOW(0.00)[]\nX-Rspamd-Server: mx\nSubject: x\nX-Rspamd-Queue-Id: 4jYJf54GKLz3t\n",
    "Authentication-Results: mx.example.net; x-ours=pass\nX-Spamd-Result: default: False [0.00 / 15.00]; DMARC_POLICY_ALLOW(0.00)[]\nX-Rspamd-Server: mx\nX-Rspamd-Queue-Id: 4jYJf54GKLz3t\n",
    stamp("a ([198.51.100.7])", "b.example") + "DKIM-Filter: OpenDKIM Filter v2.11.0 mx.example.net 4jYJf54GKLz3t\nAuthentication-Results: mx.example.net; dkim=pass header.d=bank.example\n",
    "Subject: x\nDKIM-Filter: OpenDKIM Filter v2.11.0 mx.example.net 4jYJf54GKLz3t\nAuthentication-Results: mx.example.net; dkim=pass header.d=bank.example\n",
]  # fmt: skip


@pytest.mark.parametrize("forged", FORGED, ids=[str(number) for number in range(len(FORGED))])
@pytest.mark.parametrize("own", [OWN, [], ["mx.example.net"], ["192.0.2.0/24"], [".example.net"]], ids=str)
@pytest.mark.parametrize("top", [[OURS], []], ids=["own result above", "no result above"])
def test_nothing_of_a_forged_chain_is_trusted(forged: str, own: list[str], top: list[str]) -> None:
    message = read(*top, BORDER, forged, TAIL, own=own)
    genuine = len("".join([*top, BORDER]).encode())
    placed = message.frames["headers"].select("document_id", "ordinal", "byte_offset")
    for table, column in (("hops", "trust"), ("auth_results", "authserv_trust"), ("scans", "trust")):
        rows = message.frames[table].join(placed, on=["document_id", "ordinal"])
        below = rows.filter(pl.col("byte_offset") >= genuine)
        trusted = below.filter(pl.col(column).is_in(["ours", "trusted"]))
        assert trusted.height == 0, (table, trusted.to_dicts())


def test_there_are_40_forged_chains() -> None:
    assert len(FORGED) == 40
