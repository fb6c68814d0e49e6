"""Authentication-Results, ARC, Received-SPF and DKIM-Signature as rows; whose word counts."""

from __future__ import annotations

from typing import Any

import pytest

from mailforensics.headers.authentication import (
    mark_alignment,
    read_field,
    read_received_spf,
    read_results,
    read_signature,
    read_tags,
)
from mailforensics.headers.domains import aligned, domain_of, organisational_domain
from mailforensics.headers.message import read_message


def test_columns_are_filled_from_properties() -> None:
    (row,) = read_results(
        "mx.example.net 1; dkim=pass (2048-bit key) header.d=example.org header.i=@example.org header.s=k1 header.a=rsa-sha256 header.b=AbC/="
    )
    assert {name: row[name] for name in ("authserv_id", "method", "result", "reason", "header_d", "header_i", "header_s", "header_a", "header_b")} == {
        "authserv_id": "mx.example.net", "method": "dkim", "result": "pass", "reason": "2048-bit key", "header_d": "example.org",
        "header_i": "@example.org", "header_s": "k1", "header_a": "rsa-sha256", "header_b": "AbC/=",
    }  # fmt: skip


def test_what_servers_say_in_comments_only_is_read_too() -> None:
    spf, dmarc = read_results(
        "mx.example.net; spf=pass (domain of a@example.org designates 192.0.2.7 as permitted sender) smtp.mailfrom=a@example.org;"
        " dmarc=fail (p=REJECT sp=NONE dis=QUARANTINE) header.from=example.org"
    )
    assert spf["smtp_remote_ip"] == "192.0.2.7"
    assert dmarc["policy"] == "reject"


def test_the_form_of_microsoft_has_no_authserv_id() -> None:
    rows = read_results(
        "spf=pass (sender IP is 192.0.2.7) smtp.mailfrom=example.org; dkim=none header.d=none;dmarc=pass action=none header.from=example.org;compauth=pass reason=100"
    )
    assert [(row["authserv_id"], row["method"], row["result"]) for row in rows] == [
        (None, "spf", "pass"), (None, "dkim", "none"), (None, "dmarc", "pass"), (None, "compauth", "pass"),
    ]  # fmt: skip
    assert rows[3]["reason"] == "100"


def test_none_is_a_row_without_a_method() -> None:
    (row,) = read_results("mx.example.net; none")
    assert (row["method"], row["result"], row["parse_status"]) == (None, "none", "ok")


def test_the_sealed_copy_has_its_instance() -> None:
    (row,) = read_field(
        "ARC-Authentication-Results", "i=2; mx.example.net; spf=fail smtp.mailfrom=example.org"
    )
    assert (row["field"], row["arc_instance"], row["authserv_id"], row["result"]) == (
        "ARC-Authentication-Results",
        2,
        "mx.example.net",
        "fail",
    )


def test_a_seal_says_its_chain_and_a_signature_claims_only() -> None:
    (seal,) = read_signature("i=1; a=rsa-sha256; t=1; cv=none; d=example.net; s=k; b=QUFB", field="ARC-Seal")
    assert (seal["arc_instance"], seal["result"], seal["header_d"], seal["header_i"]) == (
        1,
        "none",
        "example.net",
        None,
    )
    (signature,) = read_signature(
        "v=1; a=ed25519-sha256; d=example.org; s=k;\n b=QU\n FB; bh=x; i=@a.example.org"
    )
    assert (signature["result"], signature["header_b"], signature["header_i"]) == (
        None,
        "QUFB",
        "@a.example.org",
    )


def test_a_tag_that_comes_twice_counts_once() -> None:
    assert read_tags("d=a.example; d=b.example")["d"] == "a.example"


@pytest.mark.parametrize(
    "value",
    ["", ";", "=", "a b = = c", "x; y / . z = 1", "(((", '"', "; spf", "i=1", "\x00", "mx; spf=" + "(" * 500],
)
def test_what_is_no_result_is_a_row_that_says_so(value: str) -> None:
    for name in (
        "Authentication-Results",
        "ARC-Authentication-Results",
        "Received-SPF",
        "DKIM-Signature",
        "ARC-Seal",
    ):
        assert read_field(name, value)


def test_received_spf_of_exchange_and_of_policyd() -> None:
    (row,) = read_received_spf(
        "Pass (mx.example.net: domain of example.org designates 192.0.2.7 as permitted sender)\n receiver=mx.example.net; client-ip=192.0.2.7; helo=out.example.org; pr=C"
    )
    assert (row["result"], row["authserv_id"], row["smtp_remote_ip"], row["smtp_helo"]) == (
        "pass",
        "mx.example.net",
        "192.0.2.7",
        "out.example.org",
    )
    (row,) = read_received_spf(
        "Softfail (mailfrom) identity=mailfrom; client-ip=2001:DB8::7; envelope-from=a@example.org; receiver=<UNKNOWN>"
    )
    assert (row["result"], row["smtp_remote_ip"], row["smtp_mailfrom"]) == (
        "softfail",
        "2001:db8::7",
        "a@example.org",
    )


def test_alignment_is_relaxed_over_the_organisation() -> None:
    rows = read_results(
        "mx; spf=pass smtp.mailfrom=bounce.example.net; dkim=pass header.d=mail.example.org; dkim=pass header.d=example.co.uk; iprev=pass"
    )
    mark_alignment(rows, "example.org")
    assert [row["aligned"] for row in rows] == [False, True, False, None]
    assert organisational_domain("a.b.example.co.uk") == "example.co.uk"
    assert organisational_domain("192.0.2.7") == "192.0.2.7"
    assert not aligned("example.co.uk", "other.co.uk")
    assert domain_of('"a b"@Example.org') == "example.org"


MESSAGE = (
    b"Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=example.org\n"
    b"Received: from mx.example.net ([192.0.2.1]) by mail.example.net with LMTP id aaaaaaaaaaaa; 2 Mar 2026 09:00:05 +0000\n"
    b"Authentication-Results: mx.example.net; dkim=pass header.d=example.org\n"
    b"Received: from a ([203.0.113.9]) by mx.example.net with ESMTP id b; 2 Mar 2026 09:00:03 +0000\n"
    b"Authentication-Results: mx.example.net; dmarc=pass header.from=example.org\n"
    b"Received: from b ([198.51.100.7]) by a with ESMTP id c; 2 Mar 2026 09:00:02 +0000\n"
    b"Authentication-Results: mx.example.net; arc=pass\n"
    b"Authentication-Results: spf=pass smtp.mailfrom=example.org\n"
    b"From: x@example.org\n\n"
)
OWN = ["mail.example.net", "mx.example.net", "192.0.2.0/24"]


def _trusts(**options: Any) -> dict[str, str]:
    rows = read_message(MESSAGE, **options).auth_results.to_pylist()
    return {row["method"] + str(row["ordinal"]): row["authserv_trust"] for row in rows}


def test_results_count_above_our_border_only() -> None:
    assert _trusts(own=OWN) == {
        "spf0": "ours",
        "dkim2": "ours",
        "dmarc4": "foreign",
        "arc6": "foreign",
        "spf7": "missing",
    }


def test_results_of_a_named_filter_count_right_below_the_border_too() -> None:
    assert _trusts(own=OWN, authserv=["mx.example.net"])["dmarc4"] == "ours"
    assert _trusts(own=OWN, authserv=["mx.example.net"])["arc6"] == "foreign"


def test_no_result_counts_without_own_servers() -> None:
    assert set(_trusts().values()) == {"foreign", "missing"}


def _same(row: dict[str, Any], expected: dict[str, Any], *, partial: bool) -> bool:
    if (row["method"], row["result"]) != (expected["method"], expected["result"]):
        return False
    if any(row[name] != expected[name] for name in ("reason", "method_version") if name in expected):
        return False
    got = [entry for entry in row["properties"] if entry["property"] != "action"]
    if partial:
        return all(entry in got for entry in expected["properties"])
    return bool(got == expected["properties"])


def _agrees(case: dict[str, Any]) -> bool:
    expect, rows = case["expect"], read_results(case["header"])
    if "parses" in expect:
        return bool(expect["parses"] == all(row["parse_status"] == "ok" for row in rows))
    partial = case.get("partial", False)
    found = [row for row in rows if row["method"]]
    if expect["authserv_id"] != rows[0]["authserv_id"] and not (partial and expect["authserv_id"] is None):
        return False
    if not partial and len(found) != len(expect["results"]):
        return False
    return all(any(_same(row, one, partial=partial) for row in found) for one in expect["results"])


def test_all_shared_results_are_read_as_expected(cases: Any) -> None:
    assert [case["id"] for case in cases("authres.jsonl") if not _agrees(case)] == []


def test_all_shared_received_spf_are_read_as_expected(cases: Any) -> None:
    for case in cases("received_spf.jsonl"):
        (row,) = read_received_spf(case["header"])
        said = {entry["property"]: entry["value"] for entry in row["properties"]} | {"result": row["result"]}
        assert {name: said[name] for name in case["expect"] if name != "dmarc_usable"} == {
            name: value for name, value in case["expect"].items() if name != "dmarc_usable"
        }
