"""What became of verdicts in the lab, and users who say that a verdict was wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest

import mailforensics as mf
from mailforensics.findings.verdicts import retrained, verdict_and_fate
from tests.findings.synthetic import SAMPLES


def fates(case: mf.Case) -> pl.DataFrame:
    return verdict_and_fate(*map(case.polars, ("scans", "messages", "rejects", "journeys")))


def test_in_the_lab_postfix_and_sieve_did_what_the_filter_said() -> None:
    rows = fates(mf.open_case(SAMPLES / "spam"))
    by_action = {action: part for (action,), part in rows.group_by("action")}
    assert set(by_action) >= {"reject", "soft reject", "add header", "no action"}
    assert rows["followed"].to_list() == [True] * rows.height
    assert by_action["reject"]["postfix"].to_list() == ["Gtube pattern"] * by_action["reject"].height
    assert set(by_action["add header"]["mailbox"]) == {"Junk"}
    assert (by_action["add header"]["header_action"].drop_nulls() == "add header").all()


def one(action: str, outcome: str, mailbox: str | None, refused: str | None = None) -> dict[str, Any]:
    scans = pl.DataFrame(
        {"origin": ["log"], "action": [action], "time": [datetime(2026, 3, 2, tzinfo=UTC)], "message_key": [1], "message_id": ["<1@x>"],
         "score": [7.0], "forced_action": [None]}
    )  # fmt: skip
    messages = pl.DataFrame({"message_key": [1], "journey_key": [1]})
    rejects = pl.DataFrame(
        {"message_key": [1] if refused else [], "text": [refused] if refused else []},
        schema={"message_key": pl.Int64, "text": pl.String},
    )
    ends = [{"recipient": "bob@example.org", "outcome": outcome, "mailbox": mailbox}]
    shape = pl.Struct(dict.fromkeys(ends[0], pl.String))
    journeys = pl.DataFrame(
        {"journey_key": [1], "outcomes": [ends]}, schema_overrides={"outcomes": pl.List(shape)}
    )
    (row,) = verdict_and_fate(scans, messages, rejects, journeys).to_dicts()
    return row


@pytest.mark.parametrize(
    ("action", "outcome", "mailbox", "refused", "followed"),
    [
        ("reject", "delivered", "INBOX", None, False),
        ("reject", "rejected", None, "Spam", True),
        ("greylist", "delivered", "INBOX", "Try again later", True),
        ("add header", "delivered", "INBOX", None, False),
        ("add header", "delivered", "Folders.Junk", None, True),
        ("rewrite subject", "discarded_by_sieve", None, None, True),
        ("add header", "not_seen", None, None, None),
        ("no action", "delivered", "INBOX", None, True),
        ("no action", "delivered", "Spam", None, False),
        ("no action", "rejected", None, "another milter", False),
    ],
)
def test_a_verdict_was_followed_or_not_or_nobody_knows(
    action: str, outcome: str, mailbox: str | None, refused: str | None, followed: bool | None
) -> None:
    assert one(action, outcome, mailbox, refused)["followed"] is followed


@pytest.mark.parametrize("suite", ["mailbox-events", "mailbox-events-bookworm"])
def test_users_who_move_mail_into_junk_or_out_of_it_contradict_the_verdict(suite: str) -> None:
    case = mf.open_case(SAMPLES / suite)
    rows = retrained(case.polars("mailbox_events"), case.polars("scans"))
    told = {row["username"]: row for row in rows.to_dicts()}
    assert set(told) == {"bob@example.org", "bella@example.org"}
    assert (told["bob@example.org"]["learned"], told["bob@example.org"]["action"]) == ("spam", "no action")
    assert (told["bella@example.org"]["learned"], told["bella@example.org"]["action"]) == (
        "ham",
        "add header",
    )
    assert rows["contradicts"].to_list() == [True, True]
    assert all(row["evidence"] for row in told.values())


def events(*placed: tuple[str, str]) -> pl.DataFrame:
    rows = [
        {"time": datetime(2026, 3, 2, 10, n, tzinfo=UTC), "host": "mx", "username": "bob", "message_id": "<1@x>", "action": action,
         "mailbox": mailbox, "target": None, "evidence": [n]}
        for n, (action, mailbox) in enumerate(placed)
    ]  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"target": pl.String})


@pytest.mark.parametrize(
    ("placed", "learned"),
    [
        ([("saved", "INBOX"), ("copied", "Junk")], ["spam"]),
        ([("saved", "INBOX"), ("copied", "Junk"), ("copied", "INBOX")], ["spam", "ham"]),
        ([("sieve_filed", "Junk"), ("copied", "Trash")], []),
        ([("sieve_filed", "Junk"), ("copied", "Spam")], []),
        ([("saved", "INBOX"), ("copied", "Projects")], []),
    ],
)
def test_only_moves_between_junk_and_elsewhere_are_a_lesson(
    placed: list[tuple[str, str]], learned: list[str]
) -> None:
    scans = mf.open_case(SAMPLES / "spam").polars("scans").clear()
    assert retrained(events(*placed), scans)["learned"].to_list() == learned
