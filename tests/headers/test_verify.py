"""Signatures, SPF and DMARC checked again with generated keys and a real DNS server on loopback."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import time
from pathlib import Path
from typing import Any

import dkim
import dkim.crypto
import polars as pl
import pytest

from mailforensics.findings.forgery import find_forgery
from mailforensics.headers.message import read_message
from mailforensics.headers.resolver import Resolver, reverse_name
from mailforensics.headers.verify import discover, organisation, verify_message, with_recomputed

BODY = b"Dear Bob,\r\n\r\nhere is offer 4711.\r\n"
HEAD = b"From: Alice <alice@example.org>\r\nTo: bob@example.net\r\nSubject: Offer\r\nDate: Mon, 2 Mar 2026 10:02:09 +0100\r\nMessage-ID: <1@example.org>\r\n"
MESSAGE = HEAD + b"\r\n" + BODY
OWN = ["mx.example.net"]


def border(stamp: str = "Mon, 2 Mar 2026 10:02:11 +0100") -> bytes:
    return (
        "Return-Path: <alice@example.org>\r\n"
        "Received: from out.example.org (out.example.org [192.0.2.7])\r\n\tby mx.example.net (Postfix) with ESMTPS id 4F3D;\r\n"
        f"\t{stamp} (CET)\r\n"
    ).encode()


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[int, tuple[bytes, str]]:
    """Generated RSA keys by size: (private key, the p= of the record)."""
    folder: Path = tmp_path_factory.mktemp("keys")
    made = {}
    for bits in (2048, 512):
        private = folder / f"{bits}.pem"
        subprocess.run(
            ["openssl", "genrsa", "-traditional", "-out", str(private), str(bits)],
            check=True,
            capture_output=True,
        )
        public = subprocess.run(
            ["openssl", "rsa", "-in", str(private), "-pubout", "-outform", "DER"],
            check=True,
            capture_output=True,
        )
        made[bits] = (private.read_bytes(), base64.b64encode(public.stdout).decode())
    return made


def signed(
    key: bytes,
    message: bytes = MESSAGE,
    *,
    selector: bytes = b"k1",
    domain: bytes = b"example.org",
    **options: Any,
) -> bytes:
    return (
        bytes(
            dkim.sign(message, selector, domain, key, include_headers=[b"from", b"to", b"subject"], **options)
        )
        + message
    )


def recomputed(data: bytes, resolver: Resolver) -> list[dict[str, Any]]:
    return verify_message(data, read_message(data, own=OWN), resolver).to_dicts()


def dkim_results(data: bytes, resolver: Resolver) -> list[tuple[str, str | None]]:
    return [(row["result"], row["reason"]) for row in recomputed(data, resolver) if row["method"] == "dkim"]


@pytest.fixture
def server(dns_server: Any, keys: dict[int, tuple[bytes, str]]) -> Any:
    dns_server.txt("k1._domainkey.example.org", f"v=DKIM1; k=rsa; p={keys[2048][1]}")
    dns_server.txt("small._domainkey.example.org", f"v=DKIM1; k=rsa; p={keys[512][1]}")
    dns_server.txt("gone._domainkey.example.org", "v=DKIM1; k=rsa; p=")
    dns_server.broken.add("broken._domainkey.example.org")
    dns_server.txt("example.org", "v=spf1 ip4:192.0.2.7 -all")
    dns_server.txt("out.example.org", "v=spf1 a -all")
    dns_server.zone["out.example.org", "A"] = ["192.0.2.7"]
    dns_server.txt("_dmarc.example.org", "v=DMARC1; p=reject; sp=quarantine")
    dns_server.zone[reverse_name("192.0.2.7"), "PTR"] = ["out.example.org."]
    return dns_server


def test_a_signature_that_holds_passes(server: Any, keys: Any) -> None:
    assert dkim_results(signed(keys[2048][0]), server.resolver()) == [("pass", None)]


@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_line_ends_of_the_file_do_not_matter(server: Any, keys: Any, end: bytes) -> None:
    data = signed(keys[2048][0]).replace(b"\r\n", end)
    assert dkim_results(data, server.resolver())[0][0] == "pass"


def test_a_changed_body_fails(server: Any, keys: Any) -> None:
    assert dkim_results(signed(keys[2048][0]).replace(b"4711", b"4712"), server.resolver()) == [
        ("fail", "the body was changed")
    ]


def test_a_changed_header_fails(server: Any, keys: Any) -> None:
    data = signed(keys[2048][0]).replace(b"Subject: Offer", b"Subject: Order")
    assert dkim_results(data, server.resolver()) == [
        ("fail", "a signed header was changed, or the key was replaced")
    ]


def test_a_second_from_fails(server: Any, keys: Any) -> None:
    data = b"From: mallory@example.com\r\n" + signed(keys[2048][0])
    assert dkim_results(data, server.resolver())[0][0] == "fail"


@pytest.mark.parametrize(
    ("selector", "result", "reason"),
    [
        (b"none", "permerror", "no key at none._domainkey.example.org"),
        (b"gone", "permerror", "the key at gone._domainkey.example.org is withdrawn"),
        (b"broken", "temperror", "key broken._domainkey.example.org: SERVFAIL"),
    ],
)
def test_a_key_that_is_not_there_is_told(
    server: Any, keys: Any, selector: bytes, result: str, reason: str
) -> None:
    assert dkim_results(signed(keys[2048][0], selector=selector), server.resolver(timeout_s=1.0)) == [
        (result, reason)
    ]


class _Expiring(dkim.DKIM):
    """Signs with an x= tag, which dkimpy itself never writes."""

    expires = 0

    def gen_header(self, fields: Any, *rest: Any, **options: Any) -> Any:
        return super().gen_header(
            [*fields[:-1], (b"x", str(self.expires).encode()), fields[-1]], *rest, **options
        )


def expiring(key: bytes, expires: int) -> bytes:
    signer = _Expiring(MESSAGE)
    signer.expires = expires
    return (
        bytes(signer.sign(b"k1", b"example.org", key, include_headers=[b"from", b"to", b"subject"])) + MESSAGE
    )


def at(seconds: int) -> bytes:
    return border(time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime(seconds)))


def test_a_signature_expires_by_the_clock_of_the_border(server: Any, keys: Any) -> None:
    now = int(time.time())
    data = expiring(keys[2048][0], now + 3600)
    assert dkim_results(at(now) + data, server.resolver()) == [("pass", None)]
    assert dkim_results(at(now + 7200) + data, server.resolver()) == [("fail", "the signature had expired")]
    assert dkim_results(at(now - 90_000) + data, server.resolver()) == [
        ("fail", "the signature is dated in the future")
    ]
    assert dkim_results(data, server.resolver()) == [("pass", None)]


def test_an_old_signature_still_holds_for_the_day_it_came(server: Any, keys: Any) -> None:
    old = int(time.time()) - 400_000
    data = expiring(keys[2048][0], int(time.time()) - 200_000)
    (row,) = [row for row in recomputed(at(old) + data, server.resolver()) if row["method"] == "dkim"]
    assert row["reason"] == "the signature is dated in the future"
    assert dkim_results(at(int(time.time())) + data, server.resolver()) == [
        ("fail", "the signature had expired")
    ]


def test_text_added_behind_a_signed_part_is_told(server: Any, keys: Any) -> None:
    data = signed(keys[2048][0], length=True)
    assert dkim_results(data, server.resolver()) == [("pass", None)]
    (row,) = [
        row for row in recomputed(data + b"Pay here.\r\n", server.resolver()) if row["method"] == "dkim"
    ]
    assert (row["result"], row["signed_bytes"], row["unsigned_bytes"]) == ("policy", len(BODY), 11)
    assert "only the first" in row["reason"]


def test_every_signature_has_its_row(server: Any, keys: Any) -> None:
    data = signed(keys[2048][0], signed(keys[2048][0]), selector=b"none", domain=b"list.example.com")
    rows = [row for row in recomputed(data, server.resolver()) if row["method"] == "dkim"]
    assert [(row["header_d"], row["result"], row["ordinal"], row["aligned"]) for row in rows] == [
        ("list.example.com", "permerror", 0, False),
        ("example.org", "pass", 1, True),
    ]


def test_ed25519_signatures_are_checked(server: Any) -> None:
    signing = pytest.importorskip(
        "nacl.signing", reason="PyNaCl is not installed: dkimpy needs it for Ed25519"
    )
    key = signing.SigningKey.generate()
    server.txt(
        "ed._domainkey.example.org",
        "v=DKIM1; k=ed25519; p=" + base64.b64encode(bytes(key.verify_key)).decode(),
    )
    private = base64.b64encode(bytes(key))
    data = signed(private, selector=b"ed", signature_algorithm=b"ed25519-sha256")
    (row,) = [row for row in recomputed(data, server.resolver()) if row["method"] == "dkim"]
    assert (row["result"], row["header_a"]) == ("pass", "ed25519-sha256")
    assert dkim_results(data.replace(b"Offer", b"Order"), server.resolver())[0][0] == "fail"


def test_small_keys_and_old_algorithms_do_not_count(server: Any, keys: Any) -> None:
    assert dkim_results(signed(keys[512][0], selector=b"small"), server.resolver())[0][0] == "policy"
    old = signed(keys[2048][0], signature_algorithm=b"rsa-sha256").replace(b"a=rsa-sha256", b"a=rsa-sha1")
    assert dkim_results(old, server.resolver())[0][0] in ("fail", "policy")


@pytest.mark.parametrize(
    "signature",
    [
        b"v=1",
        b"v=1; a=rsa-sha256; d=example.org; s=k1; h=to; bh=x; b=y",
        b"v=1; a=rsa-sha256; d=example.org; s=k1; h=from; i=@example.com; bh=x; b=y",
        b"v=1; a=rsa-sha256; d=example.org; s=k1; h=from; bh=!!; b=!!",
        b"v=1; a=nothing; d=example.org; s=k1; h=from; bh=QUFB; b=QUFB",
        b"v=2; a=rsa-sha256; d=example.org; s=k1; h=from; bh=QUFB; b=QUFB",
        b"v=1; a=rsa-sha256; d=example.org; s=k1; h=from; bh=QUFB; b=QUFB; l=x",
        b"v=1; a=rsa-sha256; c=odd/odd; d=example.org; s=k1; h=from; bh=QUFB; b=QUFB",
        b"\xff\x00;;;=",
    ],
)
def test_a_damaged_signature_is_a_permerror(server: Any, signature: bytes) -> None:
    results = dkim_results(b"DKIM-Signature: " + signature + b"\r\n" + MESSAGE, server.resolver())
    assert [result for result, _ in results] == ["permerror"]


def canonical(header: bytes) -> bytes:
    """A header in the relaxed form of RFC 6376 §3.4.2."""
    name, _, value = header.partition(b":")
    return name.strip().lower() + b":" + b" ".join(value.split()) + b"\r\n"


def arc_sealed(key: bytes, message: bytes, *, instance: int = 1, chain: bytes = b"none") -> bytes:
    """The message with one more ARC set in front (RFC 8617 §5.1), signed by k1 of example.org."""
    private = dkim.crypto.parse_pem_private_key(key)

    def sign(text: bytes) -> bytes:
        return base64.b64encode(dkim.crypto.RSASSA_PKCS1_v1_5_sign(hashlib.sha256(text), private))

    number = b"i=%d; " % instance
    earlier = [
        line + b"\r\n" for line in message.split(b"\r\n\r\n")[0].split(b"\r\n") if line.startswith(b"ARC-")
    ]
    results = b"ARC-Authentication-Results: " + number + b"mx.example.org; spf=pass\r\n"
    body = hashlib.sha256(message.partition(b"\r\n\r\n")[2]).digest()
    start = (
        b"ARC-Message-Signature: "
        + number
        + b"a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=k1; h=from:subject; bh="
    )
    start += base64.b64encode(body) + b"; b="
    covered = b"".join(
        canonical(line) for line in HEAD.split(b"\r\n") if line.startswith((b"From:", b"Subject:"))
    )
    signature = start + sign(covered + canonical(start)[:-2]) + b"\r\n"
    seal = b"ARC-Seal: " + number + b"a=rsa-sha256; cv=" + chain + b"; d=example.org; s=k1; b="
    order = [results, signature]
    before = [
        one for name in (b"ARC-Auth", b"ARC-Mess", b"ARC-Seal") for one in earlier if one.startswith(name)
    ]
    seal += sign(b"".join(canonical(one) for one in [*before, *order]) + canonical(seal)[:-2]) + b"\r\n"
    return seal + signature + results + message


def arc_result(data: bytes, resolver: Resolver) -> tuple[str, int | None]:
    (row,) = [row for row in recomputed(data, resolver) if row["method"] == "arc"]
    return row["result"], row["arc_instance"]


def test_an_arc_chain_that_holds_passes(server: Any, keys: Any) -> None:
    once = arc_sealed(keys[2048][0], MESSAGE)
    assert arc_result(once, server.resolver()) == ("pass", 1)
    assert arc_result(arc_sealed(keys[2048][0], once, instance=2, chain=b"pass"), server.resolver()) == (
        "pass",
        2,
    )


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"4711", b"4712"),
        (b"Subject: Offer", b"Subject: Order"),
        (b"spf=pass", b"spf=fail"),
        (b"i=1;", b"i=2;"),
        (b"s=k1", b"s=no"),
    ],
)
def test_an_arc_chain_that_was_changed_fails(server: Any, keys: Any, old: bytes, new: bytes) -> None:
    assert arc_result(arc_sealed(keys[2048][0], MESSAGE).replace(old, new), server.resolver())[0] == "fail"


def test_without_arc_the_chain_is_none_and_half_a_set_fails(server: Any) -> None:
    resolver = server.resolver()
    assert [row["result"] for row in recomputed(MESSAGE, resolver) if row["method"] == "arc"] == ["none"]
    half = b"ARC-Seal: i=1; a=rsa-sha256; cv=none; d=example.org; s=k1; b=QUFB\r\n" + MESSAGE
    assert [row["result"] for row in recomputed(half, resolver) if row["method"] == "arc"] == ["fail"]


def by_method(data: bytes, resolver: Resolver) -> dict[str, list[dict[str, Any]]]:
    rows: dict[str, list[dict[str, Any]]] = {}
    for row in recomputed(data, resolver):
        rows.setdefault(row["method"], []).append(row)
    return rows


def test_the_border_hop_is_checked_with_spf_and_iprev(server: Any) -> None:
    rows = by_method(border() + MESSAGE, server.resolver())
    helo, sender = rows["spf"]
    assert (helo["smtp_helo"], helo["result"], helo["aligned"]) == ("out.example.org", "pass", True)
    assert (sender["smtp_mailfrom"], sender["result"], sender["reason"], sender["aligned"]) == (
        "alice@example.org", "pass", "ip4:192.0.2.7", True,
    )  # fmt: skip
    assert (rows["iprev"][0]["result"], rows["iprev"][0]["reason"], rows["iprev"][0]["ordinal"]) == (
        "pass",
        "out.example.org",
        1,
    )


def test_dmarc_passes_by_either_and_fails_without_both(server: Any, keys: Any) -> None:
    resolver = server.resolver()
    (row,) = by_method(border() + MESSAGE, resolver)["dmarc"]
    assert (row["result"], row["policy"], row["reason"]) == ("pass", "reject", "aligned: spf")
    elsewhere = at(int(time.time())).replace(b"192.0.2.7", b"192.0.2.8")
    assert by_method(elsewhere + signed(keys[2048][0]), resolver)["dmarc"][0]["reason"] == "aligned: dkim"
    assert by_method(elsewhere + MESSAGE, resolver)["dmarc"][0]["result"] == "fail"


def test_spf_of_another_domain_does_not_help_dmarc(server: Any) -> None:
    server.txt("esp.example.com", "v=spf1 ip4:192.0.2.7 -all")
    data = border().replace(b"<alice@example.org>", b"<b@esp.example.com>") + MESSAGE
    rows = by_method(data, server.resolver())
    assert [(row["result"], row["aligned"]) for row in rows["spf"]] == [("pass", True), ("pass", False)]
    assert rows["dmarc"][0]["result"] == "fail"


def test_the_tree_is_walked_for_policy_and_organisation(server: Any) -> None:
    server.txt("_dmarc.bank", "v=DMARC1; p=reject; psd=y")
    server.txt("_dmarc.own.example.org", "v=DMARC1; p=none; psd=n; aspf=s")
    resolver = server.resolver()
    below = discover("a.b.example.org", resolver)
    assert below is not None
    assert (below.domain, below.organisation, below.asks) == ("example.org", "example.org", "quarantine")
    assert organisation("www.one.bank", resolver) == "one.bank"
    assert organisation("x.own.example.org", resolver) == "own.example.org"
    assert organisation("x.nothing.example", resolver) == "x.nothing.example"
    assert discover("x.nothing.example", resolver) is None
    deep = "a.b.c.d.e.f.g.h.i.j.example.org"
    organisation(deep, resolver)
    asked = [name for name, _ in server.asked if name.endswith(".j.example.org")]
    assert len([name for name in asked if name.startswith("_dmarc.") and name.count(".") > 7]) == 1


def test_a_name_that_does_not_exist_has_a_policy_of_its_own(server: Any) -> None:
    server.txt("_dmarc.shop.example", "v=DMARC1; p=none; sp=quarantine; np=reject")
    server.zone["news.shop.example", "A"] = ["192.0.2.9"]
    resolver = server.resolver()
    asked = {
        name: discover(name, resolver) for name in ("shop.example", "news.shop.example", "no.shop.example")
    }
    assert {name: policy and policy.asks for name, policy in asked.items()} == {
        "shop.example": "none", "news.shop.example": "quarantine", "no.shop.example": "reject",
    }  # fmt: skip


def test_the_same_answer_comes_from_the_record(server: Any, keys: Any) -> None:
    data = border() + signed(keys[2048][0])
    live = server.resolver()
    first = verify_message(data, read_message(data, own=OWN), live)
    again = verify_message(data, read_message(data, own=OWN), Resolver.replay(live.records))
    assert first.equals(again)


def test_a_claim_that_checking_contradicts_becomes_a_finding(server: Any) -> None:
    claim = b"Authentication-Results: mx.example.net; dmarc=pass header.from=example.org\r\n"
    data = claim + border().replace(b"192.0.2.7", b"192.0.2.8") + MESSAGE
    message = read_message(data, own=OWN)
    message = with_recomputed(message, verify_message(data, message, server.resolver()))
    found = find_forgery(message.frames).filter(pl.col("finding") == "recomputed_differs")
    assert found["sentence"].to_list() == ["mx.example.net says dmarc=pass, but checking again gives fail."]
    assert found["innocent"].to_list() == [
        "Keys and records may have changed since the message was received."
    ]


def test_a_claimed_hop_is_not_asked_about(server: Any) -> None:
    rows = by_method(border().replace(b"mx.example.net", b"mx.example.com") + MESSAGE, server.resolver())
    assert set(rows) == {"arc", "dmarc"}
