"""The commands findings, why and summary: what they print, as text and as data, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner, Result

from mailforensics import cli

SAMPLES = Path(__file__).parents[1] / "sample_data"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, arguments)


def test_findings_are_told_with_severity_certainty_and_what_is_next() -> None:
    result = run("findings", str(SAMPLES / "hold"), "--severity", "warning")
    assert result.exit_code == 0
    assert result.stdout.startswith("WARNING  discarded_by_rule    (seen)")
    assert "header_checks" in result.stdout


def test_findings_in_the_same_words_are_told_once_with_each_mail_and_its_lines_beneath() -> None:
    text = run("findings", str(SAMPLES / "week"), "--severity", "warning").stdout
    assert text.count("a Sieve script of ben@example.org then discarded it") == 1
    assert "(seen)    16 times" in text
    assert text.count("-> ben@example.org  <") == 5
    assert "(mail/mail.log.7.gz:333, mx/mail.log.7.gz:232, mx/mail.log.7.gz:234)" in text
    assert "and 11 more, all of them with --json" in text


def test_a_finding_as_data_names_its_mails_and_lines() -> None:
    [held, *_] = [
        row
        for row in json.loads(run("findings", str(SAMPLES / "hold"), "--json").stdout)
        if row["finding"] == "deleted_from_queue"
    ]
    assert held["lines"] == ["mail/mail.log:13", "mail/mail.log:27"]
    assert (held["mails"][0]["sender"], held["mails"][0]["recipients"]) == (
        "amy@example.com",
        ["bella@example.org"],
    )
    assert "the last try" not in held["sentence"]  # it was deleted before any


def test_nothing_of_a_severity_ends_with_1() -> None:
    result = run("findings", str(SAMPLES / "hold"), "--severity", "high", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (1, [])


def test_why_tells_each_mail_that_matches() -> None:
    result = run("why", str(SAMPLES / "slow"), "--to", "ben@example.org", "--json")
    mails = json.loads(result.stdout)
    assert [row["cause"] for row in mails[0]["why"]] == ["connect_failed", "local_mailbox_store", None]
    assert "(3 tries)" in run("why", str(SAMPLES / "slow"), "--to", "ben@example.org").stdout


def test_why_asks_which_mail_and_says_when_there_is_none() -> None:
    assert run("why", str(SAMPLES / "slow")).exit_code == 2
    result = run("why", str(SAMPLES / "slow"), "--to", "nobody@nowhere.test")
    assert (result.exit_code, result.stdout.strip()) == (1, "No such mail is in the evidence.")


def test_summary_prints_the_totals_and_gives_the_tables() -> None:
    assert run("summary", str(SAMPLES / "normal"), "--top", "1").stdout.startswith("Grand Totals\n")
    tables = json.loads(run("summary", str(SAMPLES / "normal"), "--json").stdout)
    assert {"totals", "days", "hours", "senders", "recipients"} <= set(tables)
