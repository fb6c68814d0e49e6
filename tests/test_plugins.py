"""Findings of installed packages: rows among ours; a rule that fails, or gives what is no finding, is an error that names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

from mailforensics import Case, plugins, samples
from mailforensics.errors import OptionError

ROW = {"finding": "mine", "severity": "high", "sentence": "Look at this."}


@pytest.fixture(scope="module")
def case() -> Case:
    return samples.load("lost-in-sieve")


def install(monkeypatch: pytest.MonkeyPatch, rule: Callable[[Case], Any]) -> None:
    really = plugins.load
    monkeypatch.setattr(
        plugins, "load", lambda group: {"house": rule} if group == plugins.FINDINGS else really(group)
    )


@pytest.mark.parametrize(
    "rows", [[ROW], pl.DataFrame([ROW]), iter([ROW])], ids=["dicts", "frame", "generator"]
)
def test_rows_of_an_installed_rule_stand_among_ours_by_severity(
    case: Case, monkeypatch: pytest.MonkeyPatch, rows: Any
) -> None:
    before = case.findings().num_rows
    install(monkeypatch, lambda _: rows)
    found = case.findings().to_pylist()
    assert len(found) == before + 1
    assert {key: found[0][key] for key in (*ROW, "certainty", "rule", "evidence")} == ROW | {
        "certainty": "seen", "rule": "house.own", "evidence": [],
    }  # fmt: skip


def test_a_rule_that_finds_nothing_adds_nothing(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    before = case.findings()
    install(monkeypatch, lambda _: [])
    assert case.findings().equals(before)


@pytest.mark.parametrize(
    "rule",
    [
        lambda _: [ROW | {"severity": "terrible"}],
        lambda _: [{"finding": "mine"}],
        lambda _: [ROW | {"certainty": "perhaps"}],
        lambda _: [ROW | {"evidence": ["mail.log:7"]}],
        lambda _: 1 / 0,
        lambda _: 7,
    ],
    ids=["severity", "no sentence", "certainty", "evidence", "fails", "no rows"],
)
def test_a_rule_that_fails_or_gives_no_findings_is_named(
    case: Case, monkeypatch: pytest.MonkeyPatch, rule: Any
) -> None:
    install(monkeypatch, rule)
    with pytest.raises(OptionError, match="installed rule 'house' of findings failed"):
        case.findings()
