"""The resolver against a real DNS server on loopback: answers, failures, record and replay."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

import mailforensics
from mailforensics.errors import OptionError
from mailforensics.headers.message import read_message
from mailforensics.headers.resolver import Answer, Resolver, questions, reverse_name

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def test_each_question_is_asked_once_and_kept(dns_server: Any) -> None:
    dns_server.zone["example.org", "MX"] = ["10 mx.example.org."]
    dns_server.txt("example.org", "v=spf1 " + "x" * 300)
    resolver = dns_server.resolver(clock=lambda: NOW)
    assert resolver.query("Example.ORG.", "mx").answer == ("10 mx.example.org.",)
    assert resolver.txt("example.org").answer == ("v=spf1 " + "x" * 300,)
    resolver.txt("example.org")
    assert dns_server.asked == [("example.org", "MX"), ("example.org", "TXT")]
    rows = resolver.records.to_pylist()
    assert [(row["question"], row["type"], row["status"], row["ttl_s"], row["resolver"], row["time"]) for row in rows] == [
        ("example.org", "MX", "NOERROR", 300.0, "127.0.0.1", NOW), ("example.org", "TXT", "NOERROR", 300.0, "127.0.0.1", NOW),
    ]  # fmt: skip


def test_what_did_not_work_is_an_answer_too(dns_server: Any) -> None:
    dns_server.zone["example.org", "A"] = ["192.0.2.7"]
    dns_server.broken.add("broken.example.org")
    dns_server.silent.add("silent.example.org")
    patient, hasty = dns_server.resolver(), dns_server.resolver(timeout_s=0.5)
    statuses = {
        name: (hasty if "silent" in name else patient).query(name, "MX").status
        for name in ("example.org", "no.example.org", "broken.example.org", "silent.example.org", "a" * 64 + ".org", "x..org", "\x00 ")
    }  # fmt: skip
    assert list(statuses.values())[:4] == ["NODATA", "NXDOMAIN", "SERVFAIL", "TIMEOUT"]
    assert set(list(statuses.values())[4:]) <= {"BAD_NAME", "NXDOMAIN"}


def test_the_record_gives_the_same_answers_without_asking(dns_server: Any) -> None:
    dns_server.zone["example.org", "A"] = ["192.0.2.7"]
    live = dns_server.resolver()
    live.query("example.org")
    live.query("no.example.org")
    before = len(dns_server.asked)
    again = Resolver.replay(live.records)
    assert [again.query(name).status for name in ("example.org", "no.example.org", "other.example.org")] == [
        "NOERROR", "NXDOMAIN", "NOT_RECORDED",
    ]  # fmt: skip
    assert again.query("example.org").answer == ("192.0.2.7",)
    assert again.query("other.example.org").failed
    assert len(dns_server.asked) == before


def test_a_saved_case_gives_the_same_answers_next_year(dns_server: Any, tmp_path: Path) -> None:
    dns_server.zone["example.org", "A"] = ["192.0.2.7"]
    live = dns_server.resolver()
    (tmp_path / "a.eml").write_bytes(b"From: a@example.org\nDate: 2 Mar 2026 09:00:02 +0000\n\n")
    case = mailforensics.open_case(tmp_path / "a.eml")
    live.query("example.org")
    case.keep(live)
    live.query("no.example.org", "MX")
    case.keep(live)
    before = len(dns_server.asked)
    again = Resolver.replay(mailforensics.open_case(case.save(tmp_path / "case")))
    assert again.query("example.org").answer == ("192.0.2.7",)
    assert [again.query(name, "MX").status for name in ("no.example.org", "x.example.org")] == [
        "NXDOMAIN",
        "NOT_RECORDED",
    ]
    assert case.table("dns_records").num_rows == 2
    assert len(dns_server.asked) == before


def test_answers_come_from_a_case_or_a_table_only() -> None:
    with pytest.raises(OptionError, match="not from dict"):
        Resolver.replay({})  # type: ignore[arg-type]


def test_many_questions_are_asked_at_once(dns_server: Any) -> None:
    names = [f"together{number}.example.org" for number in range(8)]
    dns_server.together.update(names)
    answers = dns_server.resolver(concurrency=8).query_all([(name, "A") for name in names])
    assert [answer.status for answer in answers] == ["NXDOMAIN"] * 8


def test_not_more_questions_are_under_way_than_allowed() -> None:
    under_way, most = [0], [0]
    lock = threading.Lock()

    class Counting(Resolver):
        def _ask(self, name: str, kind: str) -> Answer:
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            time.sleep(0.02)
            with lock:
                under_way[0] -= 1
            return Answer(name, kind, status="NXDOMAIN")

    Counting(concurrency=3).query_all([(f"{number}.example.org", "A") for number in range(24)])
    assert 1 <= most[0] <= 3


def test_a_reverse_name_is_confirmed_by_its_address(dns_server: Any) -> None:
    dns_server.zone[reverse_name("192.0.2.7"), "PTR"] = ["mail.example.org."]
    dns_server.zone["mail.example.org", "A"] = ["192.0.2.7"]
    dns_server.zone[reverse_name("192.0.2.8"), "PTR"] = ["mail.example.org."]
    dns_server.broken.add(reverse_name("192.0.2.9"))
    resolver = dns_server.resolver()
    assert resolver.confirmed_name("192.0.2.7") == ("mail.example.org", "pass")
    assert resolver.confirmed_name("192.0.2.8") == ("mail.example.org", "fail")
    assert resolver.confirmed_name("192.0.2.9") == (None, "temperror")
    assert resolver.confirmed_name("192.0.2.10") == (None, "permerror")


def test_block_lists_are_asked_only_when_named(dns_server: Any) -> None:
    dns_server.zone["7.2.0.192.list.example", "A"] = ["127.0.0.2"]
    found = dns_server.resolver().listed("192.0.2.7", ["list.example", "other.example"])
    assert found == {"list.example": ("127.0.0.2",), "other.example": ()}


def test_what_an_expert_would_ask_about_a_message() -> None:
    frames = read_message(
        b"Return-Path: <b@bounce.example.org>\n"
        b"Received: from a ([192.0.2.7]) by mx.example.net with ESMTP id 1; 2 Mar 2026 09:00:03 +0000\n"
        b"DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=k1; h=from; bh=x; b=QUFB\nFrom: a@example.org\n\n"
    ).frames
    asked = questions(frames["hops"], frames["auth_results"], frames["documents"])
    assert asked == [
        ("7.2.0.192.in-addr.arpa", "PTR"),
        ("example.org", "MX"), ("example.org", "TXT"), ("_dmarc.example.org", "TXT"),
        ("bounce.example.org", "MX"), ("bounce.example.org", "TXT"), ("_dmarc.bounce.example.org", "TXT"),
        ("k1._domainkey.example.org", "TXT"),
    ]  # fmt: skip


def test_an_option_that_cannot_work_is_refused() -> None:
    with pytest.raises(OptionError, match="timeout_s above 0"):
        Resolver(timeout_s=0)
