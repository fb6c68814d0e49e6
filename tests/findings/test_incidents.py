"""Incidents: each is laid over a day of real traffic and found there; the traffic alone raises none of severity high."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import mailforensics as mf
from mailforensics import answers
from mailforensics.case import Case
from mailforensics.findings.clocks import clock_findings
from mailforensics.findings.incidents import Thresholds, find_incidents
from tests.findings.synthetic import BACKGROUND, NIGHT, SAMPLES, failed_login, line, login, mail, over_traffic

Rows = list[dict[str, Any]]


def found(path: Path, name: str, thresholds: Thresholds | None = None) -> Rows:
    material = answers.material(mf.open_case(path))
    rows = find_incidents(material, thresholds or Thresholds())
    return rows.filter(pl.col("finding") == name).to_dicts()


def incident(tmp_path: Path, lines: Iterable[str], name: str) -> dict[str, Any]:
    """The one incident of this name among the traffic; no other of it is there without the lines."""
    assert found(BACKGROUND, name) == []
    rows = found(over_traffic(tmp_path, lines), name)
    assert len(rows) == 1, rows
    assert rows[0]["evidence"]
    return rows[0]


@pytest.mark.parametrize("name", ["week", "normal", "normal-bookworm", "normal-forky"])
def test_an_ordinary_week_raises_nothing_of_severity_high(name: str) -> None:
    assert mf.open_case(SAMPLES / name).findings("high").num_rows == 0


def test_an_account_used_from_many_networks_for_a_burst_that_bounces_is_compromised(tmp_path: Path) -> None:
    lines = chain.from_iterable(
        mail(
            60 * n, f"AA{n:05X}", account="anna@example.com", client=f"unknown[203.0.{n}.9]", sender="anna@example.com",
            recipients=[f"user{n}-{m}@example.net" for m in range(30)],
            answer="status=bounced (host mx.example.net[192.0.2.25] said: 550 5.1.1 User unknown (in reply to RCPT TO command))",
        )
        for n in range(6)
    )  # fmt: skip
    row = incident(tmp_path, lines, "compromised_account")
    assert (row["severity"], row["subject"]) == ("high", "anna@example.com")
    assert "8 networks" in row["sentence"] or "7 networks" in row["sentence"]
    assert "180 came back" in row["sentence"]
    assert "203.0.0.0/24" in row["sentence"]
    assert len(row["message_keys"]) >= 6


def test_one_more_network_alone_is_no_compromise(tmp_path: Path) -> None:
    lines = mail(0, "AB00001", account="anna@example.com", client="unknown[203.0.113.9]")
    assert found(over_traffic(tmp_path, lines), "compromised_account") == []


def test_guessing_of_one_network_over_many_accounts(tmp_path: Path) -> None:
    lines = [failed_login(10 * n, f"user{n % 12}@example.com", "203.0.113.9") for n in range(40)]
    row = incident(tmp_path, lines, "password_guessing")
    assert (row["severity"], row["subject"]) == ("notice", "203.0.113.0/24")
    assert "40 times" in row["sentence"]
    assert "12 accounts" in row["sentence"]
    assert len(row["evidence"]) == 40


def test_guessing_that_succeeds_is_high(tmp_path: Path) -> None:
    lines = [failed_login(10 * n, f"user{n % 12}@example.com", "203.0.113.9") for n in range(40)]
    row = incident(tmp_path, [*lines, *login(420, "user3@example.com", "203.0.113.9")], "password_guessing")
    assert row["severity"] == "high"
    assert "then user3@example.com from 203.0.113.0/24 succeeded at 2026-01-04 01:07 UTC" in row["sentence"]
    assert len(row["evidence"]) > 40


def test_guessing_of_one_account_from_many_networks(tmp_path: Path) -> None:
    lines = [failed_login(600 * n, "anna@example.com", f"203.0.{n % 8}.9") for n in range(24)]
    row = incident(tmp_path, lines, "password_guessing")
    assert row["subject"] == "anna@example.com"
    assert "from 8 networks" in row["sentence"]


def test_smtp_logins_that_fail_count_too(tmp_path: Path) -> None:
    said = "warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: (reason unavailable), sasl_username=anna@example.com"
    lines = [line(10 * n, "postfix/submission/smtpd", said) for n in range(25)]
    assert incident(tmp_path, lines, "password_guessing")["subject"] == "203.0.113.0/24"


def test_notifications_about_mail_that_nobody_sent(tmp_path: Path) -> None:
    lines = chain.from_iterable(
        mail(
            60 * n, f"AC{n:05X}", sender="", client=f"mx{n}.example.net[203.0.{n}.25]", recipients=["anna@example.com"],
            agent="lmtp", relay="mail.example.com[private/dovecot-lmtp]", answer="status=sent (250 2.0.0 <anna@example.com> Saved)",
        )
        for n in range(25)
    )  # fmt: skip
    row = incident(tmp_path, lines, "backscatter")
    assert (row["subject"], len(row["message_keys"])) == ("anna@example.com", 25)


def refusal(seconds: float, ip: str, text: str, recipient: str) -> str:
    return line(
        seconds, "postfix/smtpd",
        f"NOQUEUE: reject: RCPT from unknown[{ip}]: {text}; from=<x@example.net> to=<{recipient}> proto=ESMTP helo=<x>",
    )  # fmt: skip


def test_relay_attempts_of_a_network(tmp_path: Path) -> None:
    lines = [
        refusal(n, "203.0.113.9", f"554 5.7.1 <v{n}@example.edu>: Relay access denied", f"v{n}@example.edu")
        for n in range(15)
    ]
    rows = [
        row
        for row in found(over_traffic(tmp_path, lines), "relay_attempt")
        if row["subject"] == "203.0.113.0/24"
    ]
    assert len(rows) == 1
    assert rows[0]["severity"] == "notice"
    assert "15 times" in rows[0]["sentence"]
    assert "0 went through" in rows[0]["sentence"]


def test_spam_from_all_over_one_network(tmp_path: Path) -> None:
    text = "554 5.7.1 Service unavailable; Client host [203.0.113.1] blocked using zen.example.org"
    lines = [refusal(n, f"203.0.113.{n}", text, "anna@example.com") for n in range(1, 12)]
    row = incident(tmp_path, lines, "snowshoe")
    assert "11 addresses of 203.0.113.0/24" in row["sentence"]


def test_our_address_on_a_blocklist(tmp_path: Path) -> None:
    answer = (
        "status=bounced (host mx.{0}[192.0.2.25] said: 550 5.7.1 Service unavailable; client [198.51.100.10] blocked using "
        "zen.example.org (in reply to RCPT TO command))"
    )
    domains = ("one.test", "two.test", "three.test")
    lines = chain.from_iterable(
        mail(60 * n, f"AD{n:05X}", recipients=[f"a@{domain}"], answer=answer.format(domain))
        for n, domain in enumerate(domains)
    )
    row = incident(tmp_path, lines, "blocklisting")
    assert (row["severity"], row["subject"]) == ("high", "mail")
    assert "one.test, three.test, two.test" in row["sentence"]


def test_tls_that_goes_missing_for_one_server_only(tmp_path: Path) -> None:
    peer = "mx.partner.test[203.0.113.25]:25"
    opened = f"Trusted TLS connection established to {peer}: TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits)"
    with_tls = [line(60 * n + 0.4, "postfix/smtp", opened) for n in range(8)]
    mails = chain.from_iterable(
        mail(60 * n, f"AE{n:05X}", recipients=["a@partner.test"], relay=peer) for n in range(16)
    )
    row = incident(tmp_path, [*with_tls, *mails], "tls_missing")
    assert (row["severity"], row["subject"]) == ("warning", "mx.partner.test")
    assert "8 mails" in row["sentence"]
    assert "after 8 connections with it" in row["sentence"]


def test_our_own_certificate_has_expired(tmp_path: Path) -> None:
    said = "warning: TLS library problem: error:0A000415:SSL routines::sslv3 alert certificate expired:../ssl/record/rec_layer_s3.c:1593:SSL alert number 45:"
    row = incident(tmp_path, [line(n, "postfix/smtpd", said) for n in range(3)], "certificate_expired")
    assert (row["severity"], row["subject"]) == ("high", "mail")


def test_the_certificate_of_another_server_has_expired(tmp_path: Path) -> None:
    said = (
        "server certificate verification failed for mx.partner.test[203.0.113.25]:25: certificate has expired"
    )
    row = incident(tmp_path, [line(1, "postfix/smtp", said)], "certificate_expired")
    assert (row["severity"], row["subject"]) == ("warning", "mx.partner.test")


def test_many_domains_at_once_cannot_be_looked_up(tmp_path: Path) -> None:
    answer = "status=deferred (Host or domain name not found. Name service error for name={0} type=MX: Host not found, try again)"
    lines = chain.from_iterable(
        mail(
            30 * n,
            f"AF{n:05X}",
            recipients=[f"a@d{n}.test"],
            relay="none",
            answer=answer.format(f"d{n}.test"),
            removed=False,
        )
        for n in range(8)
    )
    row = incident(tmp_path, lines, "dns_trouble")
    assert (row["severity"], row["subject"]) == ("high", "mail")
    assert "8 different names" in row["sentence"]


def test_a_filter_that_does_not_answer(tmp_path: Path) -> None:
    said = "warning: milter inet:127.0.0.1:11332: can't read SMFIC_BODYEOB reply packet header: Connection timed out"
    row = incident(tmp_path, [line(60 * n, "postfix/cleanup", said) for n in range(7)], "filter_silent")
    assert (row["severity"], row["subject"]) == ("high", "inet:127.0.0.1:11332 on mail")
    assert "7 times" in row["sentence"]


def test_a_queue_that_grows(tmp_path: Path) -> None:
    answer = "status=deferred (connect to mx.example.net[192.0.2.25]:25: Connection timed out)"
    lines = chain.from_iterable(
        mail(n, f"BA{n:05X}", relay="none", answer=answer, removed=False) for n in range(150)
    )
    row = incident(tmp_path, lines, "queue_growth")
    assert row["subject"] == "mail"
    assert "152 mails were waiting" in row["sentence"]  # 150, and two of the traffic
    assert len(row["message_keys"]) >= 150


def test_a_full_mailbox_and_a_loop_of_the_lab() -> None:
    assert [row["subject"] for row in found(SAMPLES / "quota", "mailbox_full")] == ["bob@example.org"]
    assert [row["subject"] for row in found(SAMPLES / "loop", "loop")] == ["circle@example.com"]


def test_thresholds_can_be_set(tmp_path: Path) -> None:
    path = over_traffic(tmp_path, [failed_login(n, "anna@example.com", "203.0.113.9") for n in range(10)])
    assert found(path, "password_guessing") == []
    assert len(found(path, "password_guessing", Thresholds(guess_failures=10))) == 1


def test_steps_and_stamps_of_clocks() -> None:
    host, moment = "mail", NIGHT.astimezone(dt.UTC)
    sources = pl.DataFrame(
        {"source_id": [1], "path": ["mail.log"], "time_min": [moment], "time_max": [moment + dt.timedelta(days=300)],
         "opened_at": [moment]},
        schema_overrides=dict.fromkeys(("time_min", "time_max", "opened_at"), pl.Datetime("us", "UTC")),
    )  # fmt: skip
    events = pl.DataFrame(
        {
            "event_id": [1, 2, 3], "source_id": [1, 1, 1], "host": [host] * 3,
            "time": [moment, moment + dt.timedelta(hours=1), moment + dt.timedelta(minutes=30)],
        }
    )  # fmt: skip
    steps = pl.DataFrame({"time": [moment], "host": [host], "jump_s": [-90.0], "event_id": [2]})
    undated = pl.DataFrame({"event_id": [4], "source_id": [1], "time_original": ["Feb 29 10:00:00"]})
    rows = clock_findings(sources, events, steps, undated).to_dicts()
    assert [(row["finding"], row["severity"]) for row in rows] == [
        ("stamp_in_future", "warning"), ("no_such_day", "warning"), ("clock_step", "warning"), ("stamps_go_back", "notice"),
    ]  # fmt: skip
    assert "300.0 days after it was read" in rows[0]["sentence"]
    assert "1 line of 29 February" in rows[1]["sentence"]
    assert "30 min" in rows[3]["sentence"]


def in_future(log: Path, line: str, written: dt.datetime) -> tuple[Case, Rows]:
    """What is told of a log with this line that was last written then."""
    log.write_text(f"{line}\n")
    os.utime(log, (written.timestamp(), written.timestamp()))
    case = mf.open_case(log)
    return case, [row for row in case.findings().to_pylist() if row["finding"] == "stamp_in_future"]


@pytest.mark.parametrize(("hours", "told"), [(-1, ["warning"]), (1, [])])
def test_a_stamp_after_the_file_was_written_is_told(hours: int, told: list[str], tmp_path: Path) -> None:
    written = dt.datetime(2026, 3, 2, 10 + hours, tzinfo=dt.UTC)
    case, rows = in_future(
        tmp_path / "mail.log", "2026-03-02T10:02:11Z mail postfix/qmgr[7]: 3F2A1C0B2: removed", written
    )
    assert [row["severity"] for row in rows] == told
    assert case.polars("sources")["written_at"].to_list() == [written]
    assert all("after it was last written" in row["sentence"] for row in rows)


def test_stamps_of_a_zone_that_was_only_assumed_are_a_hint_at_the_zone(tmp_path: Path) -> None:
    written = dt.datetime(2026, 3, 2, 9, 2, 12, tzinfo=dt.UTC)
    _, [row] = in_future(
        tmp_path / "mail.log", "Mar  2 10:02:11 mail postfix/qmgr[7]: 3F2A1C0B2: removed", written
    )
    assert (row["severity"], "timezone=" in row["sentence"]) == ("notice", True)


def test_clocks_that_agree_are_not_told() -> None:
    case = mf.open_case(SAMPLES / "deleted")
    names = set(case.findings().column("finding").to_pylist())
    assert not names & {"stamp_in_future", "stamps_go_back"}
