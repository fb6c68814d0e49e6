"""The command line: answers, exit codes and complaints; the case behind it is a stand-in here."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

import mailforensics
from mailforensics import cli, schema
from mailforensics.errors import CaseError, EvidenceError, NoEvidenceError
from tests.show.answers import SUMMARY, TRACE, hostile
from tests.show.hostile import CONTROLS
from tests.show.test_escape import is_seen

COMMANDS = sorted(cli.main.commands)


class StandInTrace:
    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def to_dict(self) -> dict[str, Any]:
        return self.data


class StandInCase:
    """Answers every call with the answers of tests/show/answers.py and keeps what it was asked."""

    def __init__(self) -> None:
        self.opened: dict[str, Any] = {}
        self.asked: dict[str, Any] = {}
        self.answer = TRACE
        self.reported: list[Any] = []

    def open(self, evidence: list[str], **options: Any) -> StandInCase:
        self.opened = {"evidence": evidence} | options
        return self

    def summary(self) -> dict[str, Any]:
        return SUMMARY

    def trace(self, **asked: Any) -> StandInTrace:
        self.asked = asked
        return StandInTrace(self.answer)

    def table(self, name: str) -> pa.Table:
        frame = pl.DataFrame({"path": ["mail.log", "=1+1"], "lines": [10, -1]})
        return schema.to_table(name, frame if name == "sources" else schema.empty(name))

    def report(self, path: str, *, traces: list[Any], **options: Any) -> None:
        self.reported = traces
        self.report_options = options
        Path(path).write_text("report", encoding="utf-8")


@pytest.fixture
def case(monkeypatch: pytest.MonkeyPatch) -> StandInCase:
    stand_in = StandInCase()
    monkeypatch.setattr(mailforensics, "open_case", stand_in.open, raising=False)
    return stand_in


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, list(arguments))


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def open_case(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(mailforensics, "open_case", open_case, raising=False)


def test_a_trace_that_is_found_prints_it_and_ends_with_0(case: StandInCase) -> None:
    result = run("trace", "a.log", "b.log", "--to", "bob@example.org", "--from", "alex", "--since", "10:00")
    assert result.exit_code == 0
    assert "∅ DISCARDED BY SIEVE    (seen)" in result.stdout
    assert case.opened["evidence"] == ["a.log", "b.log"]
    assert case.asked == {"to": "bob@example.org", "sender": "alex", "since": "10:00"}


def test_a_trace_that_finds_nothing_says_so_and_ends_with_1(case: StandInCase) -> None:
    case.answer = TRACE | {"journeys": []}
    result = run("trace", "a.log", "--to", "nobody")
    assert result.exit_code == 1
    assert result.stdout.startswith("Nothing found for to=bob@example.org, since=10:00.")


def test_a_trace_without_a_question_is_wrong_use(case: StandInCase) -> None:
    result = run("trace", "a.log")
    assert result.exit_code == 2
    assert "Say which mail" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("open", "a.log"), SUMMARY),
        (("trace", "a.log", "--to", "bob"), TRACE),
    ],
)
def test_json_is_the_data_and_nothing_else(
    case: StandInCase, arguments: tuple[str, ...], expected: Any
) -> None:
    result = run(*arguments, "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == expected


def test_zones_are_one_for_all_or_by_pattern(case: StandInCase) -> None:
    run("open", "a.log", "--timezone", "Europe/Berlin", "--year", "2026", "--own", "192.0.2.0/24")
    assert case.opened["timezone"] == "Europe/Berlin"
    assert case.opened["year"] == 2026
    assert case.opened["own"] == ["192.0.2.0/24"]
    run("open", "a.log", "--timezone", "mx*=America/New_York", "--timezone", "Europe/Berlin")
    assert case.opened["timezone"] == {"mx*": "America/New_York", "*": "Europe/Berlin"}
    run("open", "a.log")
    assert case.opened["timezone"] is None
    assert run("open", "a.log", "--timezone", "UTC", "--timezone", "Asia/Tokyo").exit_code == 2


def test_a_table_is_printed_as_csv_json_or_parquet(case: StandInCase, tmp_path: Path) -> None:
    rows = [*csv.DictReader(io.StringIO(run("table", "case", "sources").stdout))]
    assert [(row["path"], row["lines"]) for row in rows] == [("mail.log", "10"), ("'=1+1", "-1")]
    printed = json.loads(
        run("table", "case", "sources", "--format", "json", "--columns", "lines,path").stdout
    )
    assert printed == [{"lines": 10, "path": "mail.log"}, {"lines": -1, "path": "=1+1"}]
    target = tmp_path / "sources.parquet"
    assert (
        run("table", "case", "sources", "--format", "parquet", "--limit", "1", "-o", str(target)).exit_code
        == 0
    )
    assert pq.read_table(target).num_rows == 1


def test_a_table_without_rows_ends_with_1_and_an_unknown_one_with_2(case: StandInCase) -> None:
    assert run("table", "case", "scans").exit_code == 1
    result = run("table", "case", "mails")
    assert result.exit_code == 2
    assert "There is no table 'mails'; the tables are sources, events" in result.stderr
    assert run("table", "case", "sources", "--columns", "colour").exit_code == 2


def test_a_report_is_written_with_the_trace_that_was_asked_for(case: StandInCase, tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    assert run("report", "a.log", "-o", str(target)).exit_code == 0
    assert case.reported == []
    result = run("report", "a.log", "-o", str(target), "--to", "bob")
    assert result.stdout == f"Report written to {target}\n"
    assert len(case.reported) == 1
    case.answer = TRACE | {"journeys": []}
    assert run("report", "a.log", "-o", str(target), "--to", "bob").exit_code == 1


MAIL = b"""Received: from pc ([192.0.2.1]) by mx.example.org with ESMTP id 4jYB; Mon, 2 Mar 2026 10:02:11 +0100
Authentication-Results: other.example.net; spf=pass smtp.mailfrom=example.com
Subject: Offer 4711

"""


def test_headers_of_a_file_or_of_standard_input(tmp_path: Path) -> None:
    mail = tmp_path / "mail.eml"
    mail.write_bytes(MAIL)
    result = run("headers", str(mail), "--own", "mx.example.org", "--timezone", "Europe/Berlin")
    assert result.exit_code == 0
    said = " ".join(result.stdout.split())
    assert said.startswith("subject Offer 4711")
    assert "Mon 2 Mar 2026 10:02:11 +01:00" in said
    assert "mx.example.org took it from 192.0.2.1, which called itself pc, by ESMTP" in said
    assert "SPF pass for example.com is claimed by other.example.net, not vouched for" in said
    piped = CliRunner().invoke(cli.main, ["headers", "-", "--json"], input=MAIL)
    assert [hop["by_name"] for hop in json.loads(piped.stdout)["hops"]] == ["mx.example.org"]
    both = run("headers", str(mail), str(mail))
    assert both.stdout.count(f"== {mail}") == 2
    assert len(json.loads(run("headers", str(mail), str(mail), "--json").stdout)) == 2


def test_a_message_that_is_missing_is_wrong_use_and_one_without_fields_is_nothing_found(
    tmp_path: Path,
) -> None:
    missing = run("headers", str(tmp_path / "none.eml"))
    assert missing.exit_code == 2
    assert "none.eml could not be read as a message" in missing.stderr
    empty = tmp_path / "empty.eml"
    empty.touch()
    assert run("headers", str(empty)).exit_code == 1


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (EvidenceError("There is no file mail.log. Check the path."), 2, "There is no file mail.log"),
        (NoEvidenceError("notes.txt holds no mail log."), 1, "notes.txt holds no mail log."),
        (CaseError("case/ is of another version."), 2, "case/ is of another version."),
        (
            PermissionError(13, "Permission denied", "/var/log/mail.log"),
            2,
            "Permission denied (/var/log/mail.log)",
        ),
        (KeyboardInterrupt(), 130, "Stopped"),
        (
            ZeroDivisionError("oops"),
            3,
            "A fault of mailforensics, not of your evidence: ZeroDivisionError: oops.",
        ),
    ],
)
def test_an_error_is_a_sentence_and_an_exit_code(
    monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    failing(monkeypatch, error)
    result = run("open", "mail.log")
    assert result.exit_code == code
    assert said in result.stderr
    assert "Traceback" not in result.output
    assert result.stdout == ""


@pytest.mark.parametrize("payload", CONTROLS)
def test_nothing_that_is_printed_steers_the_terminal(
    case: StandInCase, monkeypatch: pytest.MonkeyPatch, payload: str
) -> None:
    case.answer = hostile(TRACE, payload)
    printed = [
        run("trace", "a.log", "--to", "bob"),
        run("trace", "a.log", "--to", "bob", "--json"),
        run(payload),
    ]
    printed += [
        run("schema", payload),
        run("demo", payload),
        run("table", "case", payload),
        run("open", f"--{payload}"),
    ]
    failing(monkeypatch, EvidenceError(f"There is no file {payload}."))
    printed.append(run("open", payload))
    for result in printed:
        assert result.output
        assert all(is_seen(character) for character in result.output if character != "\n")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0
    assert f"  mailforensics {command}" in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_gives_its_data_as_json(command: str) -> None:
    options = {name for option in cli.main.commands[command].params for name in option.opts}
    assert options & {"--json", "--format"} or command == "lab"  # which answers nothing: it opens


@pytest.mark.parametrize(
    "arguments", [(), ("nonsense",), ("open",), ("trace", "--colour"), ("demo", "nonsense")]
)
def test_wrong_use_ends_with_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


def test_schema_lists_tables_and_columns() -> None:
    assert run("schema").stdout.startswith("sources ")
    assert "from_helo" in run("schema", "hops").stdout
    (words,) = [
        it["vocabulary"]
        for it in json.loads(run("schema", "hops", "--json").stdout)["columns"]
        if it["name"] == "trust"
    ]
    assert words == ["ours", "trusted", "claimed"]
    assert [table["name"] for table in json.loads(run("schema", "--json").stdout)] == list(schema.TABLES)


def test_notebooks_are_copied_once_and_not_written_over(tmp_path: Path) -> None:
    target = tmp_path / "work"
    copied = json.loads(run("notebooks", str(target), "--json").stdout)["notebooks"]
    assert str(target / "01_where_is_my_mail.ipynb") in copied
    result = run("notebooks", str(target))
    assert result.exit_code == 2
    assert "is there already. Name another folder, or say --force." in result.stderr
    assert run("notebooks", str(target), "--force").exit_code == 0


def test_doctor_names_a_lack_and_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    result = run("doctor")
    assert result.exit_code == 0
    assert "browser             lacks  none found" in result.stdout
    rows = {row["what"]: row for row in json.loads(run("doctor", "--json").stdout)}
    assert rows["polars"]["works"]
    assert rows["jupyterlab"]["extra"] == "lab"


def test_the_sample_cases_are_listed_with_a_sentence_each() -> None:
    stories = json.loads(run("demo", "--list", "--json").stdout)
    assert {"normal", "lost-in-sieve"} <= set(stories)
    assert all(said.endswith(".") for said in stories.values())


def test_the_version_is_told() -> None:
    assert run("--version").stdout.startswith("mailforensics, version ")


def test_python_runs_the_package_as_the_command() -> None:
    asked = [sys.executable, "-m", "mailforensics", "--version"]
    assert subprocess.run(asked, capture_output=True, text=True, check=True).stdout == run("--version").stdout


def test_a_terminal_without_utf_8_gets_signs_spelt_out() -> None:
    program = [sys.executable, "-c", "from mailforensics.cli import main; main()", "demo", "--list"]
    environment = {"PYTHONIOENCODING": "ascii", "PATH": ""}
    result = subprocess.run(program, capture_output=True, env=environment, check=False)
    assert result.returncode == 0
    assert result.stdout.isascii()


def test_a_reader_that_goes_away_is_no_traceback() -> None:
    program = f"{sys.executable} -c 'from mailforensics.cli import main; main()' schema --json | head -c 10"
    result = subprocess.run(["/bin/sh", "-c", program], capture_output=True, text=True, check=False)
    assert "Traceback" not in result.stderr


def test_the_commands_are_those_of_the_documentation() -> None:
    assert isinstance(cli.main, click.Group)
    assert {
        "open",
        "ingest",
        "trace",
        "headers",
        "table",
        "report",
        "schema",
        "lab",
        "notebooks",
        "demo",
        "doctor",
    } <= set(COMMANDS)
