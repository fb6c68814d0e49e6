"""Real Rspamd lines of other projects: every line understood, with the fields that those projects expect."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import mailforensics as mf
from mailforensics.grammar.rspamd.history import read_history

CASES = Path(__file__).parents[3] / "shared" / "cases" / "rspamd.jsonl"
if not CASES.exists():
    pytest.skip("../shared/cases is not here", allow_module_level=True)

LOADED = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines()]
TASKS = [case for case in LOADED if case["expect_kind"] == "task"]
OTHERS = [case for case in LOADED if case["expect_kind"] == "non-task"]
FILTERS = [case for case in LOADED if case["expect_kind"] == "other_filter"]
HISTORY = [
    case for case in LOADED if case["expect_kind"] == "history_json"
]  # headers are read by the tests of headers

# Our field for a name of the cases, where it is another.
NAMES = {
    "msgid": "message_id", "qid": "queue_id", "ip": "client_ip", "from": "sender", "required": "required_score", "len": "size", "dns_req": "dns_requests",
    "rcpts": "recipients", "mime_rcpts": "mime_recipients", "time_ms": "scan_time_s", "forced": "forced_action",
}  # fmt: skip


def event(case: Mapping[str, Any]) -> Mapping[str, Any]:
    return mf.parse_lines([case["line"]], timezone="UTC", year=2026)[0]


def as_the_case_says_it(name: str, fields: Mapping[str, Any]) -> object:
    """Our value in the words of the cases: no brackets, milliseconds, lists joined, symbols as triples."""
    value = fields.get(NAMES.get(name, name))
    if name == "msgid":
        return "undef" if value is None else value[1:-1]
    if name == "digest":
        return value or "undef"
    if name == "time_ms":
        return pytest.approx(value * 1000)
    if name == "forced":
        return f'{value} "{fields["forced_text"]}"; score={fields["forced_score"]:.2f} (set by {fields["forced_by"]})'
    if name in ("rcpts", "mime_rcpts"):
        cut = [*value, "..."] if fields["recipients_cut"] and name == "mime_rcpts" else value
        return ",".join(cut)
    if name == "symbols":
        return [[one["name"], one["score"], one["options"]] for one in value]
    return value


@pytest.mark.parametrize("case", TASKS, ids=lambda case: case["line"][:60])
def test_a_real_verdict_has_the_fields_that_are_expected(case: dict[str, Any]) -> None:
    found = event(case)
    assert (found["kind"], found["parse_status"]) == ("rspamd.task", "ok")
    fields: dict[str, Any] = dict(found["fields"])
    for name, expected in case["fields"].items():
        assert as_the_case_says_it(name, fields) == expected, name
    assert len(fields["symbols"]) == case["n_symbols"]
    assert sum(one["score"] for one in fields["symbols"]) == pytest.approx(case["score_sum"], abs=0.005)


@pytest.mark.parametrize("case", OTHERS, ids=lambda case: case["line"][:60])
def test_a_real_line_that_is_no_verdict_has_worker_tag_module_and_function(case: dict[str, Any]) -> None:
    found = event(case)
    fields: dict[str, Any] = dict(found["fields"])
    expected = case["fields"]
    assert found["parse_status"] == "ok"
    assert (found["instance"], fields["tag"], found["daemon"]) == (
        expected["process"],
        expected["tag"],
        expected["module"],
    )
    assert fields.get("function", expected["func"]) == expected["func"]


@pytest.mark.parametrize("case", FILTERS, ids=lambda case: case["line"][:60])
def test_a_real_line_of_another_filter(case: dict[str, Any]) -> None:
    found = event(case)
    fields: dict[str, Any] = dict(found["fields"])
    expected = case["fields"]
    assert found["system"] == expected["kind"]
    assert f"{fields['action']} {fields['category']}" == expected["action"]
    assert (found["queue_id"], found["message_id"], fields["score"]) == (
        expected["queue_id"],
        expected["msgid"],
        expected["hits"],
    )


@pytest.mark.parametrize("case", HISTORY, ids=lambda case: case["line"][:60])
def test_a_real_entry_of_the_history(case: dict[str, Any]) -> None:
    row = read_history(case["line"]).row(0, named=True)
    expected = case["fields"]
    assert row["message_id"] == (f"<{expected['id']}>" if expected["id"] else None)
    assert (row["action"], row["score"], row["parse_status"]) == (expected["action"], expected["score"], "ok")
