"""The restriction of main.cf behind each reject text: documented texts, every text of the sources, hostile names."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import polars as pl
import pytest

from mailforensics.errors import OptionError
from mailforensics.findings.restrictions import COLUMNS, name_restrictions

REASONS = Path(__file__).parents[3] / "shared" / "facts" / "postfix-reasons.tsv"

DOCUMENTED = [
    (
        "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.1]",
        "reject_unknown_reverse_client_hostname",
    ),
    (
        "450 4.7.25 Client host rejected: cannot find your hostname, [192.0.2.1]",
        "reject_unknown_client_hostname",
    ),
    ("450 4.7.1 Session encryption is required", "reject_plaintext_session"),
    ("530 5.7.0 Must issue a STARTTLS command first", "smtpd_tls_security_level"),
    ("501 5.5.2 <[192.0.2]>: Helo command rejected: invalid ip address", "reject_invalid_helo_hostname"),
    ("501 5.5.2 <a_b>: Helo command rejected: Invalid name", "reject_invalid_helo_hostname"),
    (
        "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname",
        "reject_non_fqdn_helo_hostname",
    ),
    ("450 4.7.1 <nowhere.example>: Helo command rejected: Host not found", "reject_unknown_helo_hostname"),
    ("503 5.5.1 Error: send HELO/EHLO first", "smtpd_helo_required"),
    ("504 5.5.2 <alex>: Sender address rejected: need fully-qualified address", "reject_non_fqdn_sender"),
    (
        "504 5.5.2 <anna>: Recipient address rejected: need fully-qualified address",
        "reject_non_fqdn_recipient",
    ),
    (
        "450 4.1.8 <a@nowhere.example>: Sender address rejected: Domain not found",
        "reject_unknown_sender_domain",
    ),
    (
        "450 4.1.2 <a@nowhere.example>: Recipient address rejected: Malformed DNS server reply",
        "reject_unknown_recipient_domain",
    ),
    (
        "550 5.7.27 <a@example.com>: Sender address rejected: Domain example.com does not accept mail (nullMX)",
        "reject_unknown_sender_domain",
    ),
    (
        "450 4.1.1 <a@example.com>: Recipient address rejected: undeliverable address: x",
        "reject_unverified_recipient",
    ),
    (
        "450 4.1.7 <a@example.com>: Sender address rejected: undeliverable address: x",
        "reject_unverified_sender",
    ),
    (
        "450 4.1.1 <a@example.com>: Recipient address rejected: unverified address: Address verification in progress",
        "reject_unverified_recipient",
    ),
    (
        "553 5.7.1 <amy@example.com>: Sender address rejected: not owned by user alex",
        "reject_sender_login_mismatch",
    ),
    (
        "553 5.7.1 <amy@example.com>: Sender address rejected: not logged in",
        "reject_unauthenticated_sender_login_mismatch",
    ),
    (
        "550 5.1.1 <x@example.com>: Recipient address rejected: User unknown in local recipient table",
        "reject_unlisted_recipient",
    ),
    (
        "550 5.1.1 <x@example.com>: Recipient address rejected: User unknown in virtual mailbox table",
        "reject_unlisted_recipient",
    ),
    (
        "550 5.1.1 <x@example.com>: Recipient address rejected: User unknown in virtual alias table",
        "reject_unlisted_recipient",
    ),
    (
        "550 5.1.1 <x@example.com>: Recipient address rejected: User unknown in relay recipient table",
        "reject_unlisted_recipient",
    ),
    (
        "550 5.1.0 <x@example.com>: Sender address rejected: User unknown in virtual mailbox table",
        "reject_unlisted_sender",
    ),
    ("554 5.7.1 <x@example.net>: Relay access denied", "reject_unauth_destination"),
    ("454 4.7.1 <x@example.net>: Relay access denied", "defer_unauth_destination"),
    (
        "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
        "reject_rbl_client",
    ),
    (
        "554 5.7.1 Service unavailable; Client host [2001:db8::1] blocked using bl.example.org",
        "reject_rbl_client",
    ),
    (
        "554 5.7.1 Service unavailable; Client host [mail.example.com] blocked using bl.example.org",
        "reject_rhsbl_client",
    ),
    (
        "554 5.7.1 Service unavailable; Unverified Client host [mail.example.com] blocked using bl.example.org",
        "reject_rhsbl_reverse_client",
    ),
    (
        "554 5.7.1 Service unavailable; Helo command [mail.example.com] blocked using bl.example.org",
        "reject_rhsbl_helo",
    ),
    (
        "554 5.7.1 Service unavailable; Sender address [a@example.com] blocked using bl.example.org",
        "reject_rhsbl_sender",
    ),
    (
        "554 5.7.1 Service unavailable; Recipient address [a@example.com] blocked using bl.example.org",
        "reject_rhsbl_recipient",
    ),
    ("550 5.5.3 <DATA>: Data command rejected: Multi-recipient bounce", "reject_multi_recipient_bounce"),
    (
        "503 5.5.0 <DATA>: Data command rejected: Improper use of SMTP command pipelining",
        "reject_unauth_pipelining",
    ),
    ("521 5.5.2 mx.example.com Error: bare <LF> received", "smtpd_forbid_bare_newline"),
    ("552 5.3.4 Message size exceeds fixed limit", "message_size_limit"),
    ("452 4.3.1 Insufficient system storage", "queue_minfree"),
    ("452 4.5.3 Error: too many recipients", "smtpd_recipient_limit"),
    ("450 4.7.1 Error: too much mail from 192.0.2.1", "smtpd_client_message_rate_limit"),
    ("450 4.7.1 Error: too many recipients from 192.0.2.1", "smtpd_client_recipient_rate_limit"),
    (
        "421 4.7.0 mx.example.com Error: too many connections from 192.0.2.1",
        "smtpd_client_connection_count_limit",
    ),
    ("421 4.7.0 mx.example.com Error: too many errors", "smtpd_hard_error_limit"),
    (
        "550 5.7.1 Service unavailable; client [192.0.2.1] blocked using zen.spamhaus.org",
        "postscreen_dnsbl_sites",
    ),
    ("421 4.3.2 All server ports are busy", "postscreen_pre_queue_limit"),
    ("450 4.3.2 <x@example.com>: Recipient address rejected: Try again later", "defer"),
    (
        "451 4.3.5 <x@example.com>: Recipient address rejected: Server configuration problem",
        "check_policy_service",
    ),
    (
        "450 4.2.0 <x@example.com>: Recipient address rejected: Greylisted, see http://example.org",
        "check_policy_service",
    ),
    ("554 5.7.1 <unknown[192.0.2.1]>: Client host rejected: Access denied", "check_client_access"),
    ("554 5.7.1 <spammer.example>: Helo command rejected: Access denied", "check_helo_access"),
    ("554 5.7.1 <a@example.com>: Sender address rejected: we know you", "check_sender_access"),
    ("554 5.7.1 <DATA>: Data command rejected: Access denied", "reject"),
    ("451 4.3.0 <a@example.com>: Temporary lookup failure", "lookup table failure"),
    ("451 4.3.5 Server configuration error", "configuration error"),
]


def restriction(text: str, **columns: str) -> dict[str, object]:
    return name_restrictions(pl.DataFrame([{"text": text, **columns}])).to_dicts()[0]


@pytest.mark.parametrize(("text", "expected"), DOCUMENTED)
def test_the_documented_texts_name_their_restriction(text: str, expected: str) -> None:
    assert restriction(text)["restriction"] == expected


def test_the_reply_code_can_stand_in_its_own_column() -> None:
    assert (
        restriction("4.7.1 <x@example.net>: Relay access denied", reply_code="454")["restriction"]
        == "defer_unauth_destination"
    )


def test_the_list_that_an_rbl_reject_names_is_given() -> None:
    answer = restriction(
        "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org; see x"
    )
    assert (answer["blocklist"], answer["certain"]) == ("zen.spamhaus.org", True)


def test_texts_that_several_restrictions_write_are_marked() -> None:
    assert (
        restriction("554 5.7.1 <a@example.com>: Sender address rejected: Access denied")["certain"] is False
    )
    assert restriction("554 5.7.1 <a@example.com>: Relay access denied")["certain"] is True


def test_the_action_of_the_line_goes_before_its_text() -> None:
    assert (
        restriction("5.7.1 Spam message rejected", action="milter-reject")["restriction"] == "smtpd_milters"
    )
    assert restriction("554 5.7.1 id=1 - SPAM", action="proxy-reject")["restriction"] == "smtpd_proxy_filter"


def test_what_postfix_does_not_write_names_nothing() -> None:
    assert restriction("hello world") == dict.fromkeys(COLUMNS)


def test_names_that_a_client_chose_decide_nothing() -> None:
    text = "504 5.5.2 <Relay access denied>: Helo command rejected: need fully-qualified hostname"
    assert restriction(text)["restriction"] == "reject_non_fqdn_helo_hostname"


def test_rows_stay_in_order_with_null_texts() -> None:
    frame = pl.DataFrame(
        {
            "text": [
                "554 <a@example.com>: Relay access denied",
                None,
                "554 <b@example.com>: Relay access denied",
            ]
        }
    )
    assert name_restrictions(frame)["restriction"].to_list() == [
        "reject_unauth_destination",
        None,
        "reject_unauth_destination",
    ]


def test_a_table_without_text_is_an_error() -> None:
    with pytest.raises(OptionError, match="column text"):
        name_restrictions(pl.DataFrame({"reason": ["x"]}))


CODE = re.compile(r"[45]\.[0-9]+\.[0-9]+")
CLASSES = ("Client host", "Helo command", "Sender address", "Recipient address")


@pytest.mark.skipif(not REASONS.exists(), reason="the shared facts are not beside this project")
def test_every_text_that_smtpd_can_write_names_a_restriction() -> None:
    """Each format of smtpd_check.c, filled as smtpd fills it; formats that are one %s hold anybody's text."""
    with REASONS.open(encoding="utf-8") as file:
        formats = [
            row["text"] for row in csv.DictReader(file, delimiter="\t") if row["daemon_dir"] == "smtpd"
        ]
    texts = [text for each in formats for text in _filled(each)]
    answers = name_restrictions(pl.DataFrame({"text": texts}))
    unnamed = [text for text, name in zip(texts, answers["restriction"], strict=True) if name is None]
    assert len(texts) >= 60
    assert unnamed == []


def _filled(written: str) -> list[str]:
    """The texts that one format can become; ``a | b`` in it are codes, the format and what goes into its %s."""
    parts = [part for part in written.split(" | ") if part.strip() and not CODE.fullmatch(part)]
    form, inserts = (parts[0], parts[1:]) if parts else ("%s", [])
    if form == "%s":
        return inserts
    texts = []
    for name in CLASSES if "> rejected" in form.replace("%s rejected", "> rejected") else CLASSES[:1]:
        for insert in inserts or ["house rule"]:
            text = form.replace("<%s>: %s rejected", f"<x@example.com>: {name} rejected").replace(
                "<%s>", "<x@example.com>"
            )
            texts.append("550 5.7.1 " + text.replace("[%s]", "[192.0.2.1]").replace("%s", insert))
    return texts
