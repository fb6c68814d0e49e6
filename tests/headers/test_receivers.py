"""Authentication-Results as receivers all over the world write them, each row with what it says and no more."""

from __future__ import annotations

from typing import Any

import pytest

from mailforensics.headers.authentication import (
    mark_alignment,
    read_received_spf,
    read_results,
    read_signature,
)

SAID = (
    "method", "result", "reason", "smtp_mailfrom", "smtp_helo", "smtp_auth", "smtp_remote_ip", "header_from", "header_d",
    "header_i", "header_s", "header_a", "header_b", "policy", "action", "method_version",
)  # fmt: skip
A = "a@example.org"
SPF = "domain of a@example.org designates 192.0.2.7 as permitted sender"

RECEIVERS: list[tuple[str, str | None, list[dict[str, Any]]]] = [
    ("mx.google.com; dkim=pass header.i=@example.org header.s=s1 header.b=AbCdEfGh; arc=pass (i=1 spf=pass spfdomain=example.org);"
     f" spf=pass (google.com: {SPF}) smtp.mailfrom=a@example.org; dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=example.org",
     "mx.google.com", [
         {"method": "dkim", "result": "pass", "header_i": "@example.org", "header_s": "s1", "header_b": "AbCdEfGh"},
         {"method": "arc", "result": "pass", "reason": "i=1 spf=pass spfdomain=example.org"},
         {"method": "spf", "result": "pass", "reason": f"google.com: {SPF}", "smtp_mailfrom": A, "smtp_remote_ip": "192.0.2.7"},
         {"method": "dmarc", "result": "pass", "reason": "p=REJECT sp=REJECT dis=NONE", "header_from": "example.org", "policy": "reject"}]),
    ("mx.google.com; spf=softfail (google.com: domain of transitioning a@example.org does not designate 2001:db8::7 as permitted sender)",
     "mx.google.com", [{"method": "spf", "result": "softfail", "smtp_remote_ip": "2001:db8::7",
                        "reason": "google.com: domain of transitioning a@example.org does not designate 2001:db8::7 as permitted sender"}]),
    ("spf=pass (sender IP is 192.0.2.7) smtp.mailfrom=example.org; dkim=pass (signature was verified) header.d=example.org;dmarc=pass"
     " action=none header.from=example.org;compauth=pass reason=100", None, [
         {"method": "spf", "result": "pass", "reason": "sender IP is 192.0.2.7", "smtp_mailfrom": "example.org", "smtp_remote_ip": "192.0.2.7"},
         {"method": "dkim", "result": "pass", "reason": "signature was verified", "header_d": "example.org"},
         {"method": "dmarc", "result": "pass", "header_from": "example.org", "action": "none"},
         {"method": "compauth", "result": "pass", "reason": "100"}]),
    ("dkim=none (message not signed) header.d=none;dmarc=none action=none header.from=example.org;", None, [
        {"method": "dkim", "result": "none", "reason": "message not signed"},
        {"method": "dmarc", "result": "none", "header_from": "example.org", "action": "none"}]),
    ("mail.outlook.example; spf=pass (sender IP is 192.0.2.7) smtp.mailfrom=example.org; mail.outlook.example; dkim=pass (signature was"
     " verified) header.d=example.org;mail.outlook.example; dmarc=bestguesspass action=none header.from=example.org;", "mail.outlook.example", [
         {"method": "spf", "result": "pass", "reason": "sender IP is 192.0.2.7", "smtp_mailfrom": "example.org", "smtp_remote_ip": "192.0.2.7"},
         {"method": "dkim", "result": "pass", "reason": "signature was verified", "header_d": "example.org"},
         {"method": "dmarc", "result": "bestguesspass", "header_from": "example.org", "action": "none"}]),
    ("atlas.mail.example; dkim=pass header.i=@example.org header.s=k1; spf=pass smtp.mailfrom=example.org; dmarc=pass(p=REJECT) header.from=example.org;",
     "atlas.mail.example", [
         {"method": "dkim", "result": "pass", "header_i": "@example.org", "header_s": "k1"},
         {"method": "spf", "result": "pass", "smtp_mailfrom": "example.org"},
         {"method": "dmarc", "result": "pass", "reason": "p=REJECT", "header_from": "example.org", "policy": "reject"}]),
    ('bimi.mail.example; bimi=skipped reason="insufficient dmarc"', "bimi.mail.example", [{"method": "bimi", "result": "skipped", "reason": "insufficient dmarc"}]),
    ("dkim-verifier.mail.example; dkim=pass (2048-bit key) header.d=example.org header.i=@example.org header.b=AbCdEf", "dkim-verifier.mail.example", [
        {"method": "dkim", "result": "pass", "reason": "2048-bit key", "header_d": "example.org", "header_i": "@example.org", "header_b": "AbCdEf"}]),
    ("mx6.example; bimi=skipped (DMARC Policy is not at enforcement); dkim=pass (2048-bit rsa key sha256) header.d=example.org header.a=rsa-sha256"
     " x-bits=2048; dmarc=pass policy.published-domain-policy=none policy.applied-disposition=none header.from=example.org; iprev=pass"
     " smtp.remote-ip=192.0.2.7 (mail.example.org); x-tls=pass smtp.version=TLSv1.3 smtp.cipher=X smtp.bits=256/256; x-vs=clean score=0 state=0", "mx6.example", [
         {"method": "bimi", "result": "skipped", "reason": "DMARC Policy is not at enforcement"},
         {"method": "dkim", "result": "pass", "reason": "2048-bit rsa key sha256", "header_d": "example.org", "header_a": "rsa-sha256"},
         {"method": "dmarc", "result": "pass", "header_from": "example.org", "policy": "none"},
         {"method": "iprev", "result": "pass", "reason": "mail.example.org", "smtp_remote_ip": "192.0.2.7"},
         {"method": "x-tls", "result": "pass"}, {"method": "x-vs", "result": "clean"}]),
    ("mx.example.net; dkim=pass header.d=example.org header.s=k1; dmarc=fail reason=\"SPF not aligned (relaxed), No valid DKIM\" header.from=example.org (policy=quarantine)",
     "mx.example.net", [
         {"method": "dkim", "result": "pass", "header_d": "example.org", "header_s": "k1"},
         {"method": "dmarc", "result": "fail", "reason": "SPF not aligned (relaxed), No valid DKIM", "header_from": "example.org", "policy": "quarantine"}]),
    ('mx.example.net (amavis); dkim=pass (2048-bit key) reason="pass (just generated, assumed good)" header.d=example.org', "mx.example.net", [
        {"method": "dkim", "result": "pass", "reason": "pass (just generated, assumed good)", "header_d": "example.org"}]),
    ("OpenDMARC; dmarc=pass (p=none dis=none) header.from=example.org", "OpenDMARC", [
        {"method": "dmarc", "result": "pass", "reason": "p=none dis=none", "header_from": "example.org", "policy": "none"}]),
    ("mx.example.net/4jYJf54GKLz3t; dkim=pass (1024-bit key; unprotected) header.d=example.org header.a=rsa-sha256", "mx.example.net/4jYJf54GKLz3t", [
        {"method": "dkim", "result": "pass", "reason": "1024-bit key; unprotected", "header_d": "example.org", "header_a": "rsa-sha256"}]),
    ("mx.example.net 1; dkim/1=pass header.d=example.org", "mx.example.net", [
        {"method": "dkim", "result": "pass", "header_d": "example.org", "method_version": "1"}]),
    (f"relay.gateway.example; dmarc=pass (policy=quarantine) header.from=example.org; spf=pass (relay.gateway.example: {SPF}) smtp.mailfrom=a@example.org", "relay.gateway.example", [
        {"method": "dmarc", "result": "pass", "reason": "policy=quarantine", "header_from": "example.org", "policy": "quarantine"},
        {"method": "spf", "result": "pass", "reason": f"relay.gateway.example: {SPF}", "smtp_mailfrom": A, "smtp_remote_ip": "192.0.2.7"}]),
    ("mxfront.mail.example; spf=pass (mxfront.mail.example: domain of example.org designates 192.0.2.7 as permitted sender, rule=[ip4:192.0.2.0/24]) smtp.mail=a@example.org", "mxfront.mail.example", [
        {"method": "spf", "result": "pass", "smtp_mailfrom": A, "smtp_remote_ip": "192.0.2.7",
         "reason": "mxfront.mail.example: domain of example.org designates 192.0.2.7 as permitted sender, rule=[ip4:192.0.2.0/24]"}]),
    ("mx.mail.example; dkim=pass; dmarc=pass(p=reject dis=none) header.from=<a@example.org>", "mx.mail.example", [
        {"method": "dkim", "result": "pass"},
        {"method": "dmarc", "result": "pass", "reason": "p=reject dis=none", "header_from": A, "policy": "reject"}]),
    ("mx.example.net; none", "mx.example.net", [{"result": "none"}]),
    ("mx.example.net 1; none", "mx.example.net", [{"result": "none"}]),
    ("mx.example.net; vbr=pass header.mv=certifier.example header.md=example.org; dkim-atps=pass header.from=example.org", "mx.example.net", [
        {"method": "vbr", "result": "pass"}, {"method": "dkim-atps", "result": "pass", "header_from": "example.org"}]),
    ('mx.example.net; dkim=pass reason="good; really \\"good\\"" header.i="@example.org"; dkim=fail (bad (nested) comment) header.i=@example.com', "mx.example.net", [
        {"method": "dkim", "result": "pass", "reason": 'good; really "good"', "header_i": "@example.org"},
        {"method": "dkim", "result": "fail", "reason": "bad (nested) comment", "header_i": "@example.com"}]),
    ("mx.example.net;\r\n\tspf=pass\r\n\tsmtp.mailfrom=a@example.org;\r\n\tdkim=pass\r\n\theader.d=\r\n\texample.org", "mx.example.net", [
        {"method": "spf", "result": "pass", "smtp_mailfrom": A}, {"method": "dkim", "result": "pass", "header_d": "example.org"}]),
    ("(first) mx.example.net (second) 1 (third) ; (fourth) dkim (fifth) / (sixth) 1 = (seventh) pass header (eighth) . (ninth) d = example.org", "mx.example.net", [
        {"method": "dkim", "result": "pass", "reason": "fourth; fifth; sixth; seventh; eighth; ninth", "header_d": "example.org", "method_version": "1"}]),
    ("mx.example.net; auth=pass (plain) smtp.auth=bob@example.net smtp.mailfrom=bob@example.net", "mx.example.net", [
        {"method": "auth", "result": "pass", "reason": "plain", "smtp_auth": "bob@example.net", "smtp_mailfrom": "bob@example.net"}]),
    ("mx.example.net; iprev=fail policy.iprev=192.0.2.7 (NXDOMAIN)", "mx.example.net", [
        {"method": "iprev", "result": "fail", "reason": "NXDOMAIN", "smtp_remote_ip": "192.0.2.7"}]),
    ("mx.example.net;;spf=pass smtp.mailfrom=<>;", "mx.example.net", [{"method": "spf", "result": "pass", "smtp_mailfrom": "<>"}]),
    ('mx.example.net; dnswl=pass dns.zone=list.example dns.sec=na policy.ip=127.0.10.1 policy.txt="example.org https://x.example/?d=example.org"', "mx.example.net", [
        {"method": "dnswl", "result": "pass"}]),
    ('mx.example.net; rrvs=pass smtp.rrvs="bob@example.net; 2014-04-03T23:01:00Z"; smime=pass (certificate verified) body.smime-identifier=a@example.org', "mx.example.net", [
        {"method": "rrvs", "result": "pass"}, {"method": "smime", "result": "pass", "reason": "certificate verified"}]),
    ('"mx.example.net"; spf=permerror (too many lookups) smtp.helo=mail.example.org', "mx.example.net", [
        {"method": "spf", "result": "permerror", "reason": "too many lookups", "smtp_helo": "mail.example.org"}]),
    ("MX.Example.NET; DKIM=Pass Header.D=Example.ORG", "MX.Example.NET", [{"method": "dkim", "result": "pass", "header_d": "Example.ORG"}]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "server", "expected"), RECEIVERS, ids=[str(number) for number in range(len(RECEIVERS))]
)
def test_each_row_says_what_the_receiver_said(
    value: str, server: str | None, expected: list[dict[str, Any]]
) -> None:
    rows = read_results(value)
    assert [{name: row[name] for name in SAID if row[name] is not None} for row in rows] == expected
    assert {row["authserv_id"] for row in rows} == {server}
    assert {row["parse_status"] for row in rows} == {"ok"}


@pytest.mark.parametrize(
    "value",
    [
        "mx.example.net; spf=pass smtp.mailfrom=a@example.org; dkim=pass (a comment without",
        'mx.example.net; spf=pass; dkim=pass header.d="unclosed',
        "mx.example.net; spf=pass; dkim=pass header.d",
        "mx.example.net (spf=pass; dkim=pass",
    ],
)
def test_a_field_that_was_cut_says_so_and_keeps_what_it_said(value: str) -> None:
    rows = read_results(value)
    assert rows[-1]["parse_status"] == "partial"
    assert rows[-1]["header_d"] is None


def test_nobody_who_signed_is_aligned_with_nothing() -> None:
    rows = read_results("dkim=none (message not signed) header.d=none")
    mark_alignment(rows, "example.org")
    assert rows[0]["aligned"] is None


@pytest.mark.parametrize(
    ("value", "result", "ip", "sender", "status"),
    [
        (
            "pass (mx.example.net: domain of a@example.org designates 192.0.2.7 as permitted sender) client-ip=192.0.2.7;",
            "pass",
            "192.0.2.7",
            None,
            "ok",
        ),
        (
            "Pass (protection.example: domain of example.org designates 192.0.2.7 as permitted sender) receiver=protection.example; client-ip=192.0.2.7; helo=mail.example.org; pr=C",
            "pass",
            "192.0.2.7",
            None,
            "ok",
        ),
        (
            'none (mx.example.net: a@example.org does not designate permitted sender hosts) client-ip=2001:db8::7; envelope-from="a@example.org"; helo=x;',
            "none",
            "2001:db8::7",
            A,
            "ok",
        ),
        (
            "softfail (mailfrom) identity=mailfrom; client-ip=192.0.2.7; helo=mail; envelope-from=a@example.org; receiver=<UNKNOWN> ",
            "softfail",
            "192.0.2.7",
            A,
            "ok",
        ),
        (
            "neutral (192.0.2.7 is neither permitted nor denied by domain of a@example.org) client-ip=192.0.2.7",
            "neutral",
            "192.0.2.7",
            None,
            "ok",
        ),
        (
            "Fail (SPF fail - not authorized) identity=mailfrom; client-ip=192.0.2.7; envelope-from=<a@example.org>",
            "fail",
            "192.0.2.7",
            A,
            "ok",
        ),
        ("error (timeout) x-software=spfmilter 2.0", "error", None, None, "ok"),
        ("permerror (cut in the mid", "permerror", None, None, "partial"),
    ],
)
def test_received_spf_of_many_receivers(
    value: str, result: str, ip: str | None, sender: str | None, status: str
) -> None:
    (row,) = read_received_spf(value)
    assert (row["result"], row["smtp_remote_ip"], row["smtp_mailfrom"], row["parse_status"]) == (
        result,
        ip,
        sender,
        status,
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.org; s=k1;\r\n\tt=1772442131; h=from:to;\r\n\tbh=AA\r\n\t AA=; b=QU\r\n\tJDREVGR0g=", ("example.org", "k1", "ed25519-sha256", "QUJDREVG", None, "ok")),
        ("v=1;a=rsa-sha256;d=example.org;s=k1;i=@mail.example.org;b=", ("example.org", "k1", "rsa-sha256", None, "@mail.example.org", "partial")),
        (" v = 1 ; a = rsa-sha256 ; d = example.org ; s = k1 ; bh = x ; b = QUJDREVG ; ", ("example.org", "k1", "rsa-sha256", "QUJDREVG", None, "ok")),
        ("a=rsa-sha1; q=dns; c=nofws; s=k1; d=example.org; d=other.example; b=QUJD", ("example.org", "k1", "rsa-sha1", "QUJD", None, "ok")),
        ("v=1; a=rsa-sha256; d=example.org; s=k1; i=a=2Bb@example.org; z=From:a|To:b; b=QUJD;;", ("example.org", "k1", "rsa-sha256", "QUJD", "a=2Bb@example.org", "ok")),
        ("no tags at all", (None, None, None, None, None, "unparsed")),
    ],
)  # fmt: skip
def test_the_tags_of_signatures(value: str, expected: tuple[str | None, ...]) -> None:
    (row,) = read_signature(value)
    assert (
        row["header_d"],
        row["header_s"],
        row["header_a"],
        row["header_b"],
        row["header_i"],
        row["parse_status"],
    ) == expected
