"""What truly happened to each mail of the sample data, as the lab's driver saw it, against what the toolkit says.

``expected.json`` is written by the driver from what it did and from what lay in the mailboxes, never by our parser.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import mailforensics as mf
from bench.outcomes import NO_TRANSACTION, compare
from mailforensics.findings.rows import SEVERITIES

SAMPLES = Path(__file__).parents[1] / "sample_data"
SCENARIOS = sorted(path.parent.name for path in SAMPLES.glob("*/expected.json"))


@cache
def case_of(name: str) -> mf.Case:
    truth = truth_of(name)
    return mf.open_case(SAMPLES / name, own=truth["own"])


@cache
def truth_of(name: str) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads((SAMPLES / name / "expected.json").read_text(encoding="utf-8"))
    return truth


def test_there_are_scenarios() -> None:
    assert {"normal", "slow", "lost-in-sieve"} <= set(SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_recipient_has_the_outcome_that_the_driver_saw(name: str) -> None:
    result = compare(case_of(name), truth_of(name))
    assert result.wrong == []
    assert result.left == [], "journeys that nobody sent"


def test_each_refusal_names_the_setting_that_refused() -> None:
    rejects = case_of("restrictions").table("rejects").to_pylist()
    mails = [mail for mail in truth_of("restrictions")["mails"] if "restriction" in mail]
    told = {
        mail["label"]: sorted({r["restriction"] for r in rejects if (r["sender"] or "") == mail["sender"]})
        for mail in mails
    }
    assert told == {mail["label"]: [mail["restriction"]] for mail in mails}
    assert len({mail["restriction"] for mail in mails}) >= 30


INCIDENTS = [name for name in SCENARIOS if name.startswith("incident-")]


@pytest.mark.parametrize("name", INCIDENTS)
def test_each_incident_is_found_and_nothing_else_is_called_grave(name: str) -> None:
    rows = case_of(name).findings().to_pylist()
    told = {(row["finding"], row["subject"]): row["severity"] for row in rows}
    meant = {(true["finding"], true["subject"]): true["least"] for true in truth_of(name)["findings"]}
    assert {what: told.get(what) for what in meant if severity(told.get(what)) < severity(meant[what])} == {}
    assert {what for what, how in told.items() if how == "high"} - set(meant) == set()
    assert all(
        row["evidence"]
        for row in rows
        if (row["finding"], row["subject"]) in meant and row["finding"] != "log_gap"
    )


def severity(word: str | None) -> int:
    return SEVERITIES.index(word) if word else -1


def test_every_incident_that_there_is_a_rule_for_was_played() -> None:
    played = {true["finding"] for name in INCIDENTS for true in truth_of(name)["findings"]}
    assert played >= {
        "compromised_account", "password_guessing", "backscatter", "relay_attempt", "snowshoe", "blocklisting", "tls_missing",
        "certificate_expired", "dns_trouble", "filter_silent", "queue_growth", "mailbox_full", "loop", "clock_step", "log_gap",
    }  # fmt: skip


@pytest.mark.parametrize("name", SCENARIOS)
def test_failed_logins_are_sessions(name: str) -> None:
    failed = [mail for mail in truth_of(name)["mails"] if str(mail["reply"] or "").startswith(NO_TRANSACTION)]
    sessions = case_of(name).table("sessions").to_pylist()
    assert sum(s["auth_outcome"] == "failed" for s in sessions) >= len(failed)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_mail_line_is_understood_and_none_by_a_catch_all(name: str) -> None:
    events = case_of(name).polars("events")
    missed = events.filter(events["parse_status"] != "ok").select("program", "text").rows()
    assert missed == []
    other = events.filter((events["system"] == "other") & events["program"].is_in(["dovecot", "rspamd"]))
    assert other.height == 0


@pytest.mark.parametrize("name", SCENARIOS)
def test_rows_out_are_lines_in_and_each_can_be_read_again(name: str) -> None:
    case = case_of(name)
    events = case.polars("events")
    for source in case.table("sources").to_pylist():
        if source["lines"] is None:
            continue
        data = read_bytes(source)
        rows = events.filter(events["source_id"] == source["source_id"])
        lines = data.split(b"\n")
        physical = len(lines) - (lines[-1] == b"")
        assert rows.height == physical == source["lines"] == source["events"]
        assert rows["line_number"].to_list() == list(range(1, physical + 1))
        for number, offset, length in rows.select("line_number", "byte_offset", "byte_length").iter_rows():
            assert data[offset : offset + length] == lines[number - 1]


def read_bytes(source: dict[str, Any]) -> bytes:
    import gzip

    raw = Path(source["path"]).read_bytes()
    return gzip.decompress(raw) if source["compression"] == "gzip" else raw


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_text_of_an_event_stands_at_the_end_of_its_line(name: str) -> None:
    case = case_of(name)
    for source in case.table("sources").to_pylist():
        if source["format"] not in ("rfc3164", "rfc3339", "rspamd"):
            continue
        data = read_bytes(source)
        rows = case.polars("events").filter(case.polars("events")["source_id"] == source["source_id"])
        for offset, length, text, stamp in rows.select(
            "byte_offset", "byte_length", "text", "time_original"
        ).iter_rows():
            line = data[offset : offset + length].decode("utf-8", "backslashreplace").rstrip("\r")
            assert line.endswith(text)
            assert line.startswith(stamp)
