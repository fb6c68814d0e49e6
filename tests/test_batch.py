"""Reports from cron: three cases, twice; a damaged one does not stop the others; each exit code as documented."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import shutil
import stat
import subprocess
import sys
import time
from email import message_from_bytes, policy
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailforensics import Case, batch, cli, samples
from mailforensics.errors import OptionError

CONFIG = """
log = "batch.log"

[[cases]]
name = "quiet"
evidence = ["logs/quiet"]
case = "cases/quiet"

[[cases.reports]]
path = "reports/quiet.html"

[[cases.reports]]
path = "reports/never.html"
only_if_findings = true

[[cases]]
name = "damaged"
evidence = ["logs/damaged"]
case = "cases/damaged"

[[cases.reports]]
path = "reports/damaged.md"
sections = ["summary", "evidence"]
only_if_findings = true

[[cases]]
name = "tables"
evidence = ["logs/tables"]
case = "cases/tables"

[[cases.reports]]
path = "reports/tables.xlsx"
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    for name in ("quiet", "damaged", "tables"):
        (tmp_path / "logs" / name).mkdir(parents=True)
        shutil.copyfile(samples.path("normal") / "mx" / "mail.log", tmp_path / "logs" / name / "mail.log")
    damaged = tmp_path / "logs" / "damaged" / "mail.log"
    damaged.with_suffix(".log.gz").write_bytes(gzip.compress(damaged.read_bytes())[:-400])
    damaged.unlink()
    path = tmp_path / "batch.toml"
    path.write_text(CONFIG)
    return path


def run(config: Path) -> Result:
    return CliRunner().invoke(cli.main, ["batch", str(config)])


def state(folder: Path) -> dict[str, tuple[str, int]]:
    files = [path for path in folder.rglob("*") if path.is_file() and path.name not in ("batch.log", ".lock")]
    return {
        str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) for path in files
    }


def test_a_damaged_source_is_told_and_the_others_are_done(config: Path) -> None:
    result = run(config)
    assert result.exit_code == batch.FINDINGS, result.output
    assert "damaged: look at: " in result.output
    assert "truncated: the compressed file ends too early" in result.output
    reports = {path.name for path in (config.parent / "reports").iterdir()}
    assert reports == {"quiet.html", "damaged.md", "tables.xlsx"}


def test_the_second_run_changes_nothing_but_its_log(config: Path) -> None:
    run(config)
    before = state(config.parent)
    second = run(config)
    assert state(config.parent) == before
    assert second.output.count("unchanged") == 3
    assert len((config.parent / "batch.log").read_text().splitlines()) == 2 * len(second.output.splitlines())


def test_a_case_that_cannot_be_read_has_its_own_exit_code_and_stops_nobody(config: Path) -> None:
    shutil.rmtree(config.parent / "logs" / "quiet")
    result = run(config)
    assert result.exit_code == batch.FAILED
    assert "quiet: FAILED: " in result.output
    assert (config.parent / "reports" / "tables.xlsx").is_file()


def test_nothing_to_look_at_is_exit_code_nought(config: Path) -> None:
    config.write_text(CONFIG.split('[[cases]]\nname = "damaged"')[0])
    assert run(config).exit_code == batch.WELL


def test_two_runs_at_once_are_refused(config: Path) -> None:
    with config.open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        result = run(config)
    assert result.exit_code == batch.LOCKED
    assert "Another run" in result.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cases = 1", "wrong type"),
        ("[[cases]]\nname = 'a'\nevidence = ['x']", "lacks 'case'"),
        ("[[cases]]\nname = 'a'\nevidence = [1]\ncase = 'c'", "wrong type"),
        ("[[cases]]\nname = 'a'\nevidence = ['x']\ncase = 'c'\ncolour = 'red'", "'colour' is not known"),
        ("[[cases]]\nname = 'a'\nevidence = ['x']\ncase = 'c'\n[[cases.reports]]\npath = 'r'\nsections = ['no']", "no section 'no'"),
        ("[[cases]]\nname = 'a'\nevidence = ['x']\ncase = 'c'\n[[cases.reports]]\npath = 'r'\ntitle = \"a\\nBcc: x\"", "title must stand on one line"),
        ("[[cases]]\nname = 'a'\nevidence = ['x']\ncase = 'c'\n[[cases.reports]]\npath = 'r'\nmail_to = [\"a\\nb\"]", "must stand on one line"),
        ("[[cases]", "is no TOML"),
        ("", "lacks 'cases'"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_understood_is_told_and_nothing_runs(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "batch.toml"
    path.write_text(text)
    with pytest.raises(OptionError, match=said):
        batch.run(path)
    assert run(path).exit_code == batch.WRONG_USE
    assert [it.name for it in tmp_path.iterdir()] == ["batch.toml"]


QUIET = CONFIG.split('[[cases]]\nname = "damaged"')[0].split(
    '[[cases.reports]]\npath = "reports/never.html"'
)[0]


def with_sendmail(config: Path, script: str, more: str = "") -> Path:
    """The quiet case with a report that is mailed by a sendmail of ours, and the folder in which that leaves what it got."""
    sendmail = config.parent / "sendmail"
    sendmail.write_text(f'#!/bin/sh\ncd "$(dirname "$0")"\n{script}\n')
    sendmail.chmod(sendmail.stat().st_mode | stat.S_IXUSR)
    config.write_text(f'sendmail = "{sendmail}"\n{QUIET}\nmail_to = ["postmaster@example.com"]\n{more}')
    return config.parent


KEEP = 'echo "$@" > arguments\ncat > message'


def test_a_report_is_mailed_when_it_changed_and_only_then(config: Path) -> None:
    got = with_sendmail(config, KEEP)
    assert "mailed to postmaster@example.com" in run(config).output
    assert (got / "arguments").read_text() == "-i -- postmaster@example.com\n"
    mailed = message_from_bytes((got / "message").read_bytes(), policy=policy.default)
    assert (mailed["Subject"], mailed["To"], mailed["Auto-Submitted"]) == (
        "Mail report", "postmaster@example.com", "auto-generated",
    )  # fmt: skip
    (attached,) = mailed.iter_attachments()
    assert (attached.get_filename(), attached.get_content_type()) == ("quiet.html", "text/html")
    assert attached.get_content().encode().strip() == (got / "reports" / "quiet.html").read_bytes().strip()
    (got / "message").unlink()
    assert "mailed to" not in run(config).output
    assert not (got / "message").exists()


def test_a_report_that_could_not_be_mailed_is_told_and_mailed_by_the_next_run(config: Path) -> None:
    with_sendmail(config, "exit 75")
    failed = run(config)
    assert failed.exit_code == batch.FAILED
    assert "was written but not mailed" in failed.output
    assert (config.parent / "reports" / "quiet.html").is_file()
    got = with_sendmail(config, KEEP)
    again = run(config)
    assert (again.exit_code, "unchanged" in again.output, "mailed to" in again.output) == (
        batch.WELL,
        True,
        True,
    )
    assert (got / "message").exists()
    assert "mailed to" not in run(config).output


def test_the_words_of_the_mail_are_pseudonyms_too_where_the_report_is(config: Path) -> None:
    (config.parent / "key").write_bytes(b"a key that nobody else knows")
    got = with_sendmail(config, KEEP, 'pseudonymise = true\nkey_file = "key"\n')
    log = config.parent / "logs" / "quiet" / "mail.log"
    shutil.copyfile(samples.path("lost-in-sieve") / "mx" / "mail.log", log)
    told = run(config)
    assert (told.exit_code, "bob@example.org" in told.output) == (batch.FINDINGS, True)
    mailed = message_from_bytes((got / "message").read_bytes(), policy=policy.default)
    body = mailed.get_body(preferencelist=("plain",))
    assert body is not None
    assert "a Sieve script of" in body.get_content()
    assert "example.org" not in mailed.as_string()


def test_a_run_that_is_killed_leaves_no_lock_behind(config: Path) -> None:
    got = with_sendmail(config, "touch here\nwhile [ ! -e go ]; do sleep 0.1; done\ncat > message")
    command = [sys.executable, "-m", "mailforensics.cli", "batch", str(config)]
    under_way = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(1200):
            if (got / "here").exists() or under_way.poll() is not None:
                break
            time.sleep(0.1)
        assert (got / "here").exists()
        assert run(config).exit_code == batch.LOCKED
    finally:
        under_way.kill()
        under_way.wait()
        (got / "go").touch()
    after = run(config)
    assert (after.exit_code, "mailed to" in after.output) == (batch.WELL, True)


def test_a_fault_of_ours_in_one_case_stops_no_other(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    really = batch.findings

    def broken(case: Case) -> list[str]:
        if any("quiet" in path for path in case.polars("sources")["path"]):
            raise ZeroDivisionError("nought")
        return really(case)

    monkeypatch.setattr(batch, "findings", broken)
    result = run(config)
    assert result.exit_code == batch.FAILED
    assert (
        "quiet: FAILED: A fault of mailforensics, not of your evidence: ZeroDivisionError: nought."
        in result.output
    )
    assert (config.parent / "reports" / "tables.xlsx").is_file()


def test_a_report_may_be_a_pdf(config: Path) -> None:
    config.write_text(QUIET.replace("quiet.html", "quiet.pdf"))
    assert run(config).exit_code == batch.WELL
    assert (config.parent / "reports" / "quiet.pdf").read_bytes().startswith(b"%PDF")
    assert "unchanged" in run(config).output


def test_a_shared_report_holds_no_names(config: Path) -> None:
    (config.parent / "key").write_bytes(b"a key that nobody else knows")
    config.write_text(f'{QUIET}\npseudonymise = true\nkey_file = "key"\n')
    assert run(config).exit_code == batch.WELL
    assert "example.org" not in (config.parent / "reports" / "quiet.html").read_text()


def test_the_json_form_names_each_case(config: Path) -> None:
    result = CliRunner().invoke(cli.main, ["batch", str(config), "--json"])
    assert [row["name"] for row in json.loads(result.stdout)] == ["quiet", "damaged", "tables"]
