"""Spam verdicts: what each symbol added, flips, rates, histogram, groups, headers against the log, greylisting."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.errors import OptionError
from mailforensics.findings.spam import (
    action_statistics,
    greylisted,
    header_against_log,
    score_histogram,
    symbol_contributions,
    symbol_statistics,
    verdicts_by,
)

START = datetime(2026, 3, 2, 10, tzinfo=UTC)

SCHEMA = {
    "score": pl.Float64,
    "required_score": pl.Float64,
    "forced_action": pl.String,
    "is_skipped": pl.Boolean,
    "symbols": pl.List(pl.Struct({"name": pl.String, "score": pl.Float64})),
}


def scan(symbols: dict[str, float], action: str = "no action", **more: Any) -> dict[str, Any]:
    return {
        "action": action,
        "score": sum(symbols.values()),
        "required_score": 15.0,
        "forced_action": None,
        "is_skipped": False,
        "symbols": [{"name": name, "score": score} for name, score in symbols.items()],
        **more,
    }


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema_overrides=SCHEMA)


def test_the_symbols_of_a_scan_come_largest_first_with_the_verdict_without_each() -> None:
    rows = symbol_contributions(table(scan({"SMALL": 1.0, "BIG": 6.0, "GOOD": -0.5}, "add header")))
    assert rows["symbol"].to_list() == ["BIG", "SMALL", "GOOD"]
    assert rows["action_without"].to_list() == ["no action", "greylist", "add header"]
    assert rows["flips"].to_list() == [True, True, False]
    assert rows["share"].to_list() == [6 / 7, 1 / 7, 1.0]


def test_thresholds_are_those_that_are_given() -> None:
    rows = symbol_contributions(table(scan({"A": 5.0})), thresholds={"add header": 5.0})
    assert rows.select("action_by_score", "action_without").row(0) == ("add header", "no action")


def test_forced_and_skipped_scans_flip_nothing() -> None:
    forced = scan({"GTUBE": 15.0}, "reject", forced_action="reject")
    skipped = scan({"WHITE": 15.0}, is_skipped=True)
    assert symbol_contributions(table(forced, skipped))["flips"].to_list() == [False, False]


def test_scores_that_are_no_number_flip_nothing_and_are_counted() -> None:
    odd = table(scan({"A": 3.0}, score=math.nan), scan({}))
    assert symbol_contributions(odd)["flips"].to_list() == [None]
    assert symbol_statistics(odd).select("symbol", "hits", "ham_hits").rows() == [("A", 1, 1)]


def test_each_symbol_has_its_hits_by_class_and_its_flips() -> None:
    scans = table(
        scan({"A": 9.0, "B": 7.0}, "reject"),
        scan({"A": 9.0}, "add header"),
        scan({"A": 1.0}),
        scan({"A": 8.0, "GOOD": -3.0}),
    )
    found = {row["symbol"]: row for row in symbol_statistics(scans).to_dicts()}
    assert [found["A"][name] for name in ("hits", "ham_hits", "junk_hits", "spam_hits")] == [4, 2, 1, 1]
    assert (found["A"]["spam_flips"], found["A"]["junk_flips"]) == (1, 1)
    assert (found["GOOD"]["junk_flips"], found["GOOD"]["spam_flips"]) == (1, 0)
    assert found["A"]["average_score"] == pytest.approx(6.75)
    assert found["B"]["hit_share"] == 0.25


def test_small_scores_are_left_out_when_asked_as_logstats_does() -> None:
    scans = table(scan({"TINY": 0.05, "A": 1.0}))
    assert symbol_statistics(scans, all_symbols=False)["symbol"].to_list() == ["A"]
    assert symbol_statistics(scans).height == 2


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from("ABCD"), st.integers(-80, 160), max_size=4), max_size=30))
def test_statistics_equal_those_counted_one_by_one(drawn: list[dict[str, int]]) -> None:
    """The rules of rspamd_stats, written down again as a plain loop."""
    scans = [scan({name: score / 10 for name, score in each.items()}) for each in drawn]
    hits: Counter[tuple[str, str]] = Counter()
    for each in scans:
        spam, junk = each["score"] >= 15, 6 <= each["score"] < 15
        for symbol in each["symbols"]:
            name, score, rest = symbol["name"], symbol["score"], each["score"] - symbol["score"]
            hits[name, "hits"] += 1
            hits[name, "spam_hits"] += spam
            hits[name, "junk_hits"] += junk
            hits[name, "spam_flips"] += (score > 0 and spam and rest < 15) or (
                score < 0 and not spam and rest >= 15
            )
            hits[name, "junk_flips"] += (score > 0 and junk and rest < 6) or (
                score < 0 and not junk and rest >= 6
            )
    found = symbol_statistics(table(*scans) if scans else table(scan({})))
    for row in found.to_dicts():
        for measure in ("hits", "spam_hits", "junk_hits", "spam_flips", "junk_flips"):
            assert row[measure] == hits[row["symbol"], measure]
    assert found["hits"].sum() == sum(number for (_, measure), number in hits.items() if measure == "hits")


def test_actions_are_counted_with_their_scan_times() -> None:
    rows = [scan({}, "reject", scan_time_s=time) for time in (1.0, 2.0, 3.0)] + [scan({}, scan_time_s=0.5)]
    first = action_statistics(table(*rows)).to_dicts()[0]
    assert (first["action"], first["scans"], first["share"]) == ("reject", 3, 0.75)
    assert (first["scan_time_min_s"], first["scan_time_mean_s"], first["scan_time_max_s"]) == (1.0, 2.0, 3.0)


def test_a_histogram_has_its_empty_bands_and_no_numbers_that_are_none() -> None:
    frame = pl.DataFrame({"score": [-0.5, 0.0, 2.9, math.nan, math.inf, None]})
    assert score_histogram(frame)["scans"].to_list() == [1, 1, 0, 1]
    assert score_histogram(frame, width=5)["from_score"].to_list() == [-5.0, 0.0]
    with pytest.raises(OptionError, match="wider than 0"):
        score_histogram(frame, width=0)


def test_groups_are_by_recipient_domain_and_hour_too() -> None:
    rows = table(
        scan(
            {"A": 9.0},
            sender="x@Bad.test",
            recipients=["a@example.org", "b@example.org"],
            is_spam=True,
            time=START,
        ),
        scan(
            {"A": 1.0},
            sender="y@good.test",
            recipients=["a@example.org"],
            is_spam=False,
            time=START + timedelta(hours=2),
        ),
    )
    assert verdicts_by(rows, ["sender_domain"])["sender_domain"].to_list() == ["bad.test", "good.test"]
    by_recipient = verdicts_by(rows, ["recipient"]).sort("recipient")
    assert by_recipient["scans"].to_list() == [2, 1]
    assert verdicts_by(rows, ["hour"]).height == 2
    with pytest.raises(OptionError, match="colour"):
        verdicts_by(rows, ["colour"])


def test_a_header_is_held_against_the_log_by_message_id() -> None:
    frame = pl.DataFrame(
        {
            "origin": ["log", "header", "header"],
            "message_id": ["<1@example.com>", "<1@example.com>", "<2@example.com>"],
            "engine": ["rspamd"] * 3,
            "score": [7.0, 1.0, 1.0],
            "action": ["add header", None, None],
        }
    )
    rows = header_against_log(frame).to_dicts()
    assert [row["agree"] for row in rows] == [False, None]
    assert rows[0]["log_action"] == "add header"


def test_greylisted_mail_comes_back_or_does_not() -> None:
    frame = pl.DataFrame(
        {
            "message_id": ["<1@example.com>", "<2@example.com>", "<1@example.com>"],
            "action": ["greylist", "soft reject", "no action"],
            "time": [START, START, START + timedelta(seconds=301)],
        }
    )
    rows = {row["message_id"]: row for row in greylisted(frame).to_dicts()}
    assert (rows["<1@example.com>"]["came_back"], rows["<1@example.com>"]["waited_s"]) == (True, 301.0)
    assert (rows["<2@example.com>"]["came_back"], rows["<2@example.com>"]["next_action"]) == (False, None)


def test_other_tables_are_an_error() -> None:
    with pytest.raises(OptionError, match="symbols"):
        symbol_statistics(pl.DataFrame({"score": [1.0], "required_score": [1.0]}))
