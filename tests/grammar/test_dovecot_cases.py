"""Real Dovecot lines of other projects: every line understood, with the fields that those projects expect.

Where we differ, the reason stands in ``DIFFERENT``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import mailforensics as mf

CASES = Path(__file__).parents[3] / "shared" / "cases" / "dovecot.jsonl"
if not CASES.exists():
    pytest.skip("../shared/cases is not here", allow_module_level=True)

Row = Mapping[str, Any]
TEXT = CASES.read_text(encoding="utf-8").splitlines()
# The Postfix lines among the cases are read by the tests of Postfix.
LOADED = [case for case in map(json.loads, TEXT) if case["expect_kind"] != "postfix_lmtp"]

KINDS = {
    "lmtp_conn": {"dovecot.lmtp.connect", "dovecot.lmtp.disconnect"},
    "delivery": {"dovecot.mailbox"},
    "mail_log": {"dovecot.mailbox"},
    "auth_failed": {"dovecot.auth_failed"},
    "login_aborted": {"dovecot.login_failed"},
    "login_success": {"dovecot.login"},
    "auth/login": {"dovecot.auth_failed", "dovecot.login_failed"},
}
OUTCOMES = {
    "stored": {"saved", "sieve_filed"},
    "failed": {"save_failed", "quota_exceeded"},
    "rejected": {"sieve_rejected"},
    "forwarded": {"sieve_redirected"},
}
EVENTS = {"save": "saved", "delete": "deleted", "expunge": "expunged", "copy": "copied"}


def fields(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = row["fields"]
    return found


# How a name of the cases is found in an event of ours. What stands in no column is not compared.
READ: dict[str, Callable[[Row], object]] = {
    "service": lambda row: row["daemon"],
    "level": lambda row: row["severity"] or "info",
    "pid": lambda row: str(row["pid"]),
    "user": lambda row: fields(row).get("username", ""),
    "session": lambda row: row["session_id"],
    "msgid": lambda row: row["message_id"],
    "action": lambda row: None,
    "outcome": lambda row: next((k for k, v in OUTCOMES.items() if fields(row).get("action") in v), None),
    "mailbox": lambda row: fields(row).get("mailbox"),
    "box": lambda row: fields(row).get("mailbox"),
    "event": lambda row: next((k for k, v in EVENTS.items() if fields(row).get("action") == v), None),
    "uid": lambda row: str(fields(row).get("uid")),
    "size": lambda row: str(fields(row).get("size")),
    "subject": lambda row: fields(row).get("subject"),
    "rip": lambda row: fields(row).get("client_ip"),
    "lip": lambda row: fields(row).get("local_ip"),
    "method": lambda row: fields(row).get("auth_method"),
    "mpid": lambda row: str(fields(row).get("mail_pid")),
    "passdb": lambda row: fields(row).get("passdb"),
    "reason": lambda row: fields(row).get("reason"),
    "detail": lambda row: fields(row).get("reason", fields(row).get("target")),
    "sieve": lambda row: fields(row).get("source") == "sieve",
    "result": lambda row: "auth_failed" if row["kind"] in KINDS["auth/login"] else None,
}
# Not in the line itself: Dovecot's answer to the mail server, and the text cut out again.
NOT_IN_THE_LINE = {"lmtp_reply", "text"}
DIFFERENT: dict[tuple[str, object], str] = {
    ("msgid", "unspecified"): "a word for no Message-ID is null here",
    ("msgid", ""): "an empty Message-ID is null here",
}
EVENTS_READ = mf.parse_lines([case["line"] for case in LOADED], timezone="UTC", year=2026)


@pytest.mark.parametrize(
    ("case", "row"),
    list(zip(LOADED, EVENTS_READ, strict=True)),
    ids=lambda one: str(one.get("line", ""))[:60],
)
def test_a_real_line_is_understood_with_its_fields(case: dict[str, Any], row: Row) -> None:
    assert (row["system"], row["parse_status"]) == ("dovecot", "ok")
    assert row["kind"] in KINDS.get(case["expect_kind"], {row["kind"]})
    for key, expected in case["fields"].items():
        if key in NOT_IN_THE_LINE:
            continue
        if (key, expected) in DIFFERENT:
            assert READ[key](row) is None
        else:
            assert READ[key](row) == expected, key


def test_no_password_of_a_real_line_is_kept() -> None:
    given = [
        case["line"].split("given password: ")[1].rstrip(")")
        for case in LOADED
        if "given password: " in case["line"]
    ]
    assert given
    for password in given:
        assert not any(password in str(row) for row in EVENTS_READ)
