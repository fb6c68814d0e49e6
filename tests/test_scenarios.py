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
from mailforensics.findings.rows import SEVERITIES

SAMPLES = Path(__file__).parents[1] / "sample_data"
SCENARIOS = sorted(path.parent.name for path in SAMPLES.glob("*/expected.json"))

# What a log cannot say: a client that is turned away before RCPT has named no recipient, one whose login fails no sender.
NO_RECIPIENT = "552"  # refused at MAIL for its announced size
MANY = "reject_multi_recipient_bounce"  # refused at DATA: Postfix logs a recipient only if there is just one
NO_TRANSACTION = "535"  # the login failed


@cache
def case_of(name: str) -> mf.Case:
    truth = truth_of(name)
    return mf.open_case(SAMPLES / name, own=truth["own"])


@cache
def truth_of(name: str) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads((SAMPLES / name / "expected.json").read_text(encoding="utf-8"))
    return truth


def fates(journey: dict[str, Any]) -> list[tuple[str | None, str, str | None]]:
    """(recipient as it was addressed, outcome, mailbox) of each copy."""
    return sorted(
        (
            (end["original_recipient"] or end["recipient"], end["outcome"], end["mailbox"])
            for end in journey["outcomes"]
        ),
        key=str,
    )


def wanted(mail: dict[str, Any]) -> list[tuple[str | None, str, str | None]]:
    unnamed = str(mail["reply"] or "").startswith(NO_RECIPIENT)
    if mail.get("restriction") == MANY:
        return [(None, "rejected", None)]
    unnamed = unnamed or any(r.get("never_handed_over") for r in mail["recipients"])
    rows = [(None if unnamed else r["recipient"], r["outcome"], r["mailbox"]) for r in mail["recipients"]]
    return sorted(rows, key=str)


def agrees(journey: dict[str, Any], mail: dict[str, Any]) -> bool:
    """The journey tells of each recipient what happened, or what an honest reader of cut or missing logs may say."""
    told, truth = fates(journey), wanted(mail)
    allowed = {(r["recipient"], word) for r in mail["recipients"] for word in r.get("acceptable", ())}
    if len(told) != len(truth):
        return False
    return all(
        (who, outcome, box) in truth
        or ((who, outcome) in allowed and box in (None, *(b for w, _, b in truth if w == who)))
        for who, outcome, box in told
    )


def visible(mail: dict[str, Any]) -> bool:
    """Whether the logs that were kept can show it at all."""
    return any(r.get("visible", True) for r in mail["recipients"])


def candidates(mail: dict[str, Any], journeys: list[dict[str, Any]]) -> list[dict[str, Any]]:
    named = [j for j in journeys if mail["message_id"] and j["message_id"] == mail["message_id"]]
    if any(
        r.get("never_handed_over") for r in mail["recipients"]
    ):  # broken off before the log saw who and whom
        return named or [j for j in journeys if j["message_id"] is None and j["sender"] is None]
    # a message that is refused or discarded for its header may never have shown its Message-ID to the log
    return named or [j for j in journeys if j["message_id"] is None and j["sender"] == mail["sender"]]


def test_there_are_scenarios() -> None:
    assert {"normal", "slow", "lost-in-sieve"} <= set(SCENARIOS)


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_recipient_has_the_outcome_that_the_driver_saw(name: str) -> None:
    journeys = case_of(name).table("journeys").to_pylist()
    left = {j["journey_key"]: j for j in journeys}
    wrong = []
    for mail in truth_of(name)["mails"]:
        if str(mail["reply"] or "").startswith(NO_TRANSACTION) or not visible(mail):
            continue
        fitting = [j for j in candidates(mail, [*left.values()]) if agrees(j, mail)]
        if fitting:
            del left[fitting[0]["journey_key"]]
        else:
            wrong.append((mail["label"], wanted(mail), [fates(j) for j in candidates(mail, journeys)]))
    assert wrong == []
    assert [(j["message_id"], j["sender"], fates(j)) for j in left.values()] == [], (
        "journeys that nobody sent"
    )


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
