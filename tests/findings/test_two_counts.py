"""The two totals in which pflogsumm and the summary differ on large logs, proved by the lines that make the difference."""

from __future__ import annotations

from pathlib import Path

import pytest

import mailforensics as mf
from bench import generate, two_counts
from bench.two_counts import counted, organisation, three_letters
from tests.findings.test_summary import needs_pflogsumm, their_totals, theirs


def mail(second: int, queue_id: str, client: str, sender: str) -> list[str]:
    """A mail that came, was saved and removed."""
    stamp = f"Mar  2 10:{second // 60:02}:{second % 60:02} mx postfix"
    return [
        f"{stamp}/smtpd[10]: {queue_id}: client={client}",
        f"{stamp}/cleanup[11]: {queue_id}: message-id=<{second}@example.com>",
        f"{stamp}/qmgr[12]: {queue_id}: from=<{sender}>, size=900, nrcpt=1 (queue active)",
        f"{stamp}/smtp[13]: {queue_id}: to=<bob@example.org>, relay=mx.example.org[192.0.2.9]:25, delay=0.1, "
        "delays=0.1/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok)",
        f"{stamp}/qmgr[12]: {queue_id}: removed",
    ]


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Short queue ids that come again, and bounces from hosts with long names."""
    mails = [
        mail(1, "4A1B2C3D4E", "mail.example.com[192.0.2.1]", "anna@example.com"),
        mail(2, "5A1B2C3D4E", "mail.example.com[192.0.2.1]", "bob@example.com"),
        mail(300, "4A1B2C3D4E", "mail.example.com[192.0.2.1]", "carl@example.com"),
        mail(301, "5A1B2C3D4E", "mail.example.com[192.0.2.1]", "anna@example.com"),
        mail(302, "6A1B2C3D4E", "mx1.mail.example.de[192.0.2.2]", ""),
        mail(303, "7A1B2C3D4E", "mx2.mail.example.de[192.0.2.3]", ""),
        mail(304, "8A1B2C3D4E", "mx2.mail.example.net[192.0.2.4]", ""),
    ]
    path = tmp_path / "mail.log"
    path.write_text("\n".join(line for each in mails for line in each) + "\n", encoding="utf-8")
    return path


def both(log: Path) -> tuple[two_counts.Counts, two_counts.Counts]:
    lines = log.read_text(encoding="utf-8").splitlines()
    return counted(lines, forget=False, cut=three_letters), counted(lines, forget=True, cut=organisation)


def ours(log: Path) -> tuple[int, int]:
    summary = mf.open_case(log, timezone="Europe/Berlin", year=2026).traffic()
    return summary.total("senders", every_queue=True), summary.total("sending_domains", every_queue=True)


@needs_pflogsumm
def test_a_queue_id_that_comes_again_hides_a_sender_and_a_host_name_is_cut_otherwise(log: Path) -> None:
    as_theirs, as_ours = both(log)
    report = their_totals(theirs(log))
    assert (report["senders"], report["sending_domains"]) == (3, 4)
    assert (len(as_theirs.senders), len(as_theirs.domains)) == (3, 4)
    assert ours(log) == (len(as_ours.senders), len(as_ours.domains)) == (4, 3)
    assert as_ours.senders - as_theirs.senders == {"carl@example.com"}
    assert as_theirs.passed_over[13] == "carl@example.com"
    assert as_theirs.domains - as_ours.domains == {"mx1.mail.example.de", "mx2.mail.example.de"}


def test_with_either_rule_alone_one_count_changes_and_the_other_does_not(log: Path) -> None:
    lines = log.read_text(encoding="utf-8").splitlines()
    as_theirs, as_ours = both(log)
    assert counted(lines, forget=True, cut=three_letters).senders == as_ours.senders
    assert counted(lines, forget=False, cut=organisation).senders == as_theirs.senders


@needs_pflogsumm
def test_on_a_generated_log_both_counts_are_those_that_the_rules_explain(tmp_path: Path) -> None:
    log = tmp_path / "mail.log"
    generate.write(log, 20_000)
    as_theirs, as_ours = both(log)
    report = their_totals(theirs(log))
    assert (report["senders"], report["sending_domains"]) == (len(as_theirs.senders), len(as_theirs.domains))
    assert ours(log) == (len(as_ours.senders), len(as_ours.domains))
