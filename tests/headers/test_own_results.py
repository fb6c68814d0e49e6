"""Results right below our border count where a field that quotes our queue id stands for them, and only there."""

from __future__ import annotations

from pathlib import Path

import pytest

from mailforensics.headers.message import read_message

BORDER = (
    "Received: from out.example.org (out.example.org [203.0.113.9])\n\tby mx.example.net (Postfix) with ESMTPS"
    " id 4jYJf54GKLz3t;\n\tMon,  2 Mar 2026 10:02:11 +0100 (CET)\n"
)
BELOW = (
    "Received: from pc (pc.example.org [198.51.100.7]) by out.example.org with ESMTPA id 1; 2 Mar 2026 10:02:10 +0100\n"
    "From: a@example.org\n\n"
)
RSPAMD = (
    "X-Spamd-Result: default: False [-0.20 / 15.00]; R_DKIM_ALLOW(-0.20)[example.org:s=k1,example.com:s=k2];\n"
    "\tR_SPF_ALLOW(-0.20)[+ip4:203.0.113.0/24]; DMARC_POLICY_ALLOW(-0.50)[example.org,none]\n"
    "X-Rspamd-Server: mx\nX-Rspamd-Queue-Id: 4jYJf54GKLz3t\n"
)


def trusts(*parts: str) -> list[str]:
    message = read_message("".join([BORDER, *parts, BELOW]).encode(), own=["mx.example.net"])
    return message.auth_results["authserv_trust"].to_pylist()


@pytest.mark.parametrize(
    "fields",
    [
        "DKIM-Filter: OpenDKIM Filter v2.11.0 mx.example.net 4jYJf54GKLz3t\nAuthentication-Results: mx.example.net; dkim=pass header.d=example.org\n",
        "DMARC-Filter: OpenDMARC Filter v1.4.2 mx.example.net 4jYJf54GKLz3t\nAuthentication-Results: mx.example.net; dmarc=pass header.from=example.org\n",
        "Authentication-Results: mx.example.net/4jYJf54GKLz3t; dkim=pass header.d=example.org\n",
        "Authentication-Results: mx.example.net; dkim=pass header.d=example.org\n" + RSPAMD,
        RSPAMD + "Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=example.org\n",
    ],
    ids=["OpenDKIM", "OpenDMARC", "job id", "Rspamd", "Rspamd above"],
)
def test_a_result_that_quotes_our_queue_id_is_ours(fields: str) -> None:
    assert trusts(fields) == ["ours"]
    assert trusts(fields.replace("4jYJf54GKLz3t", "4jYJf54GKLz3u")) == ["foreign"]


def test_two_filters_of_ours_each_vouch_for_their_own_result() -> None:
    fields = (
        "DMARC-Filter: OpenDMARC Filter v1.4.2 mx.example.net 4jYJf54GKLz3t\n"
        "Authentication-Results: mx.example.net; dmarc=pass header.from=example.org\n"
        "DKIM-Filter: OpenDKIM Filter v2.11.0 mx.example.net 4jYJf54GKLz3t\n"
        "Authentication-Results: mx.example.net; dkim=pass header.d=example.org\n"
        "Authentication-Results: mx.example.net; dkim=pass header.d=bank.example\n"
    )
    assert trusts(fields) == ["ours", "ours", "foreign"]


def test_a_field_is_ours_only_when_all_its_results_are_confirmed() -> None:
    start = "Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=example.org; dkim=pass header.d="
    assert trusts(start + "example.com\n" + RSPAMD) == ["ours", "ours"]
    assert trusts(start + "bank.example\n" + RSPAMD) == ["foreign", "foreign"]


def test_a_short_id_that_could_be_guessed_stands_for_nothing() -> None:
    message = (
        BORDER.replace("4jYJf54GKLz3t", "7") + "Authentication-Results: mx.example.net/7; dkim=pass\n" + BELOW
    )
    assert read_message(message.encode(), own=["mx.example.net"]).auth_results[
        "authserv_trust"
    ].to_pylist() == ["foreign"]


def test_results_of_the_lab_are_ours_and_the_forged_ones_below_are_not() -> None:
    messages = sorted((Path(__file__).parents[2] / "sample_data").glob("*/messages/*.eml"))
    seen = set()
    for file in messages:
        read = read_message(file.read_bytes(), own=["mx.example.org", "mail.example.com"])
        written = {row["ordinal"]: row["trust"] for row in read.hops.to_pylist()}
        for row in read.auth_results.to_pylist():
            if row["field"] == "Authentication-Results" and row["authserv_id"] in (
                "mx.example.org",
                "mail.example.com",
            ):
                above = written.get(row["ordinal"] - 1)
                assert row["authserv_trust"] == ("ours" if above == "ours" else "foreign"), (file, row)
                seen.add(row["authserv_trust"])
    assert seen == {"ours", "foreign"}
