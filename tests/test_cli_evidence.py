"""The command line on evidence as it comes: whole, damaged, empty, foreign; one clear sentence, never a traceback."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailforensics import cli, samples
from tests.show.test_escape import is_seen

SAMPLE = samples.folder("sample_data") / "lost-in-sieve"
LOG = SAMPLE / "mail" / "mail.log"
CRON = "".join(f"Nov 23 21:49:{at:02} host CRON[{at}]: (root) CMD (true)\n" for at in range(50))


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(cli.main, [str(argument) for argument in arguments])
    assert "Traceback" not in result.output
    assert "A fault of mailforensics" not in result.output
    return result


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "empty.log").touch()
    (tmp_path / "noise.log").write_bytes(bytes(range(256)) * 64)
    whole = gzip.compress(LOG.read_bytes(), mtime=0)
    (tmp_path / "cut.log.gz").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "cron.log").write_text(CRON)
    (tmp_path / "notes.txt").write_text("call Bob back\n")
    (tmp_path / "hollow").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "code"),
    [("gone.log", 2), ("*.nothing", 2), ("empty.log", 1), ("noise.log", 1), ("notes.txt", 1), ("hollow", 1)],
)
def test_what_is_no_evidence_is_named_with_what_to_do(folder: Path, name: str, code: int) -> None:
    result = run("open", folder / name)
    assert result.exit_code == code
    assert result.stdout == ""
    assert name in result.stderr
    assert result.stderr.startswith("Error: ")


def test_a_truncated_gzip_is_read_as_far_as_it_goes_and_the_cut_is_told(folder: Path) -> None:
    result = run("open", folder / "cut.log.gz", "--json")
    assert result.exit_code == 0
    (source,) = json.loads(result.stdout)["sources"]
    assert 0 < source["lines"] < len(LOG.read_bytes().splitlines())
    assert source["limits_hit"]
    assert "truncated" in run("open", folder / "cut.log.gz").stdout


def test_a_log_without_a_line_of_mail_is_said_to_be_so(folder: Path) -> None:
    assert "no mail line in" in run("open", folder / "cron.log").stdout


def test_what_is_left_alone_in_a_folder_is_named(folder: Path) -> None:
    said = run("open", folder).stdout
    for name in ("empty.log", "noise.log", "notes.txt"):
        assert name in said


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (("--timezone", "Mars/Olympus"), "There is no time zone 'Mars/Olympus'"),
        (("--since", "the day before"), "The time 'the day before' cannot be read"),
    ],
)
def test_an_option_that_does_not_fit_is_named(option: tuple[str, str], said: str) -> None:
    result = run("trace", LOG, "--to", "bob", *option)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_report_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    result = run("report", LOG, "-o", tmp_path / "none" / "report.html")
    assert result.exit_code == 2
    assert "Cannot write the report to" in result.stderr


def test_a_case_is_saved_and_answers_as_the_logs_do(tmp_path: Path) -> None:
    saved = tmp_path / "case"
    ingested = run("ingest", SAMPLE, "-o", saved, "--json")
    assert ingested.exit_code == 0
    assert json.loads(ingested.stdout)["case"] == str(saved)
    question = ("--to", "bob@example.org", "--from", "alex@example.com")
    assert run("trace", saved, *question).stdout == run("trace", SAMPLE, *question).stdout
    rows = json.loads(run("table", saved, "deliveries", "--format", "json").stdout)
    assert {row["status"] for row in rows} == {"sent"}


def test_a_folder_with_other_files_is_not_written_over(folder: Path) -> None:
    result = run("ingest", LOG, "-o", folder)
    assert result.exit_code == 2
    assert "holds other files" in result.stderr
    assert (folder / "notes.txt").exists()


def test_a_damaged_case_is_said_to_be_damaged(tmp_path: Path) -> None:
    saved = tmp_path / "case"
    assert run("ingest", SAMPLE, "-o", saved).exit_code == 0
    for part in (saved / "journeys").glob("*.parquet"):
        part.write_bytes(b"PAR1 nothing PAR1")
    result = run("trace", saved, "--to", "bob")
    assert result.exit_code == 2
    assert "it is damaged. Ingest the evidence again" in result.stderr
    assert "ngest the evidence again" in result.stderr


def test_a_log_comes_by_standard_input() -> None:
    program = [sys.executable, "-m", "mailforensics.cli", "trace", "-", "--to", "bob@example.org", "--json"]
    result = subprocess.run(program, input=LOG.read_bytes(), capture_output=True, check=False)
    assert result.returncode == 0, result.stderr
    assert {journey["sender"] for journey in json.loads(result.stdout)["journeys"]} >= {"alex@example.com"}


@pytest.mark.parametrize("name", samples.names())
def test_each_sample_case_is_traced_and_prints_no_control_character(name: str, tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    result = run("demo", name, "--report", report)
    assert result.exit_code == 0
    for said in (result.stdout, report.read_text(encoding="utf-8"), run("open", samples.path(name)).stdout):
        assert all(is_seen(character) for character in said if character not in "\n\t")


def test_hostile_names_of_the_samples_are_shown_and_not_live(tmp_path: Path) -> None:
    report = tmp_path / "report.html"
    result = run("report", samples.path("rejected"), "--to", "example", "-o", report)
    assert result.exit_code == 0
    assert "<script>alert" not in report.read_text(encoding="utf-8")
