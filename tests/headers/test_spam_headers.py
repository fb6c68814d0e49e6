"""Verdicts of spam filters in header fields."""

from __future__ import annotations

import pytest

from mailforensics.headers.message import read_message
from mailforensics.headers.spam import read_scans


def test_rspamd_fields_become_one_row() -> None:
    (row,) = read_scans(
        [
            ("X-Rspamd-Queue-Id", "4ABC"),
            ("X-Rspamd-Server", "mx1"),
            ("X-Spamd-Result", "default: False [-0.30 / 15.00];\n\tR_SPF_ALLOW(-0.20)[+mx];\n\tASN(0.00)[asn:64500, country:DE];\n\tARC_NA(0.00)[]"),
            ("X-Rspamd-Action", "no action"),
        ]
    )  # fmt: skip
    assert {name: row[name] for name in ("engine", "score", "required_score", "is_spam", "action", "queue_id", "host")} == {
        "engine": "rspamd", "score": -0.3, "required_score": 15.0, "is_spam": False, "action": "no action", "queue_id": "4ABC", "host": "mx1",
    }  # fmt: skip
    assert [(hit["name"], hit["score"], hit["options"]) for hit in row["symbols"]] == [
        ("R_SPF_ALLOW", -0.2, ["+mx"]), ("ASN", 0.0, ["asn:64500", "country:DE"]), ("ARC_NA", 0.0, []),
    ]  # fmt: skip


def test_spamassassin_and_amavis_are_told_apart() -> None:
    (spamassassin,) = read_scans(
        [
            (
                "X-Spam-Status",
                "Yes, score=7.3 required=5.0 tests=BAYES_99,HTML_MESSAGE,\n\tRCVD_IN_XBL autolearn=no version=4.0.0",
            )
        ]
    )
    (amavis,) = read_scans(
        [
            (
                "X-Spam-Status",
                "No, score=-1.9 tagged_above=-999 required=6.3\n\ttests=[BAYES_00=-1.9, HTML_MESSAGE=0.001] autolearn=ham",
            )
        ]
    )
    assert (spamassassin["engine"], spamassassin["is_spam"], spamassassin["score"]) == (
        "spamassassin",
        True,
        7.3,
    )
    assert [hit["name"] for hit in spamassassin["symbols"]] == ["BAYES_99", "HTML_MESSAGE", "RCVD_IN_XBL"]
    assert (amavis["engine"], amavis["required_score"]) == ("amavis", 6.3)
    assert [(hit["name"], hit["score"]) for hit in amavis["symbols"]] == [
        ("BAYES_00", -1.9),
        ("HTML_MESSAGE", 0.001),
    ]


def test_a_status_with_a_score_alone_belongs_to_the_filter_that_says_more() -> None:
    (row,) = read_scans(
        [("X-Spam-Status", "No, score=-0.10"), ("X-Spamd-Result", "default: False [-0.10 / 15.00]; A(0.1)[]")]
    )
    assert (row["engine"], row["score"], row["spam_field"]) == (
        "rspamd",
        -0.1,
        ["x-spam-status", "x-spamd-result"],
    )
    (row,) = read_scans([("X-Spam-Flag", "YES")])
    assert (row["engine"], row["is_spam"]) == (None, True)


def test_microsoft_reports_are_read() -> None:
    rows = read_scans(
        [
            ("X-Forefront-Antispam-Report", "CIP:192.0.2.7;CTRY:DE;LANG:en;SCL:5;SRV:;IPV:NLI;SFV:SPM;H:mail.example.org;PTR:mail.example.org;CAT:SPM;"),
            ("X-MS-Exchange-Organization-SCL", "5"),
            ("X-Microsoft-Antispam", "BCL:0;"),
        ]
    )  # fmt: skip
    assert (rows[0]["client_ip"], rows[0]["is_spam"], rows[0]["score"], rows[0]["action"]) == (
        "192.0.2.7",
        True,
        5.0,
        "SPM",
    )
    assert rows[0]["spam_field"] == ["x-forefront-antispam-report", "x-ms-exchange-organization-scl"]
    assert rows[1]["symbols"] == [{"name": "BCL", "score": 0.0, "options": ["0"]}]


def test_two_verdicts_of_one_filter_are_two_rows() -> None:
    rows = read_scans(
        [
            ("X-Spam-Status", "No, score=1 required=5 tests=A"),
            ("X-Spam-Status", "Yes, score=9 required=5 tests=B"),
        ]
    )
    assert [row["is_spam"] for row in rows] == [False, True]


@pytest.mark.parametrize(
    "value",
    ["", "x", "[", "default: False [", "Yes, score=", "CIP:;;", "\x00", "default: T [nan / inf]; A(1)["],
)
def test_a_damaged_verdict_raises_nothing(value: str) -> None:
    for name in (
        "X-Spamd-Result",
        "X-Spam-Status",
        "X-Spam-Score",
        "X-Spam-Flag",
        "X-Forefront-Antispam-Report",
        "X-Rspamd-Pre-Result",
        "X-Microsoft-Antispam",
    ):
        assert len(read_scans([(name, value)])) <= 1


def test_a_verdict_knows_its_field_and_its_writer() -> None:
    data = b"X-Spam-Flag: YES\nReceived: from a ([203.0.113.9]) by mx.example.net with ESMTP id b; 2 Mar 2026 09:00:03 +0000\nX-Spam-Flag: NO\n\n"
    rows = read_message(data, own=["mx.example.net"]).scans.to_pylist()
    assert [(row["is_spam"], row["trust"], row["evidence"], row["origin"]) for row in rows] == [
        (True, "ours", [0], "header"), (False, "claimed", [len(data) - len(b"X-Spam-Flag: NO\n\n")], "header"),
    ]  # fmt: skip
