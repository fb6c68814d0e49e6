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
    assert "Next: Look at header_checks" in result.stdout


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
