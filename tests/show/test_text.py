from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from mailforensics import schema
from mailforensics.show import sentences, text, words
from tests.show.answers import MESSAGE, SUMMARY, TRACE


def with_journey(**changes: Any) -> dict[str, Any]:
    return TRACE | {"journeys": [TRACE["journeys"][0] | changes]}


def test_the_outcome_comes_before_the_evidence_with_certainty_and_next_step() -> None:
    lines = text.trace(TRACE).splitlines()
    assert lines[0] == 'alex@example.com -> bob@example.org     "Offer 4711"     <d7979c16f20c@example.com>'
    assert lines[1] == "submitted Mon 2 Mar 2026 10:02:11 +01:00    2 hosts, 2 queue ids, 17 lines"
    assert lines[3] == "  bob@example.org    ∅ DISCARDED BY SIEVE    (seen)"
    assert "    Bob's Sieve script discarded the message (mx.log:2210)." in lines
    assert "    Next: look at Bob's active Sieve script." in lines


def test_each_step_has_its_local_time_its_signed_wait_and_its_line() -> None:
    steps = [line.split() for line in text.trace(TRACE).splitlines() if line.startswith("  10:02")]
    assert steps[0] == [
        "10:02:11.20",
        "mail",
        "submission",
        "accepted",
        "from",
        "alex@example.com",
        "mail.log:1042",
    ]
    assert steps[1][:3] == ["10:02:11.93", "+0.73", "s"]
    assert steps[2][1:] == ["-3.04", "s", "mx", "sieve", "discard", "mx.log:2210"]


def test_a_step_on_another_day_stands_below_that_day() -> None:
    late = [*TRACE["journeys"][0]["timeline"][:1], {"time": "2026-03-04T09:00:00Z", "what": "returned"}]
    lines = text.trace(with_journey(timeline=late)).splitlines()
    assert lines[lines.index("  Wed 4 Mar 2026") + 1].split() == ["10:00:00", "returned"]


def test_a_long_step_goes_on_below_itself_within_the_width_of_the_screen() -> None:
    step = {
        "time": "2026-03-02T09:02:11Z",
        "host": "mail",
        "what": "said " * 40,
        "source": "mail.log",
        "line": 7,
    }
    lines = text.trace(with_journey(timeline=[step]), width=90).splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("  10:02"))
    assert lines[first].endswith("mail.log:7")
    assert max(map(len, lines[first : first + 4])) <= 90
    assert lines[first + 1].index("said") == lines[first].index("said")
    assert " ".join(lines).count("said") == 40


def test_a_gap_is_told_when_it_is_near_the_message_and_else_its_absence() -> None:
    assert "12 not understood (0.025 %). No gap near this message." in text.trace(TRACE).replace("\n", " ")
    near = with_journey(first_time="2026-03-01T02:00:00Z", last_time="2026-03-01T02:05:00Z")
    assert "mx has no line from 1 Mar 03:10 to 04:02 +01:00." in text.trace(near).replace("\n", " ")


def test_a_source_without_a_mail_line_is_named() -> None:
    assert text.trace(TRACE).endswith("No mail line in boot.log.")


def test_nothing_found_names_the_addresses_that_are_spelt_almost_alike() -> None:
    said = text.trace(TRACE | {"journeys": []})
    assert said.startswith(
        "Nothing found for to=bob@example.org, since=10:00. Spelt almost alike: bob@example.net."
    )


def test_hosts_with_other_ranges_are_told_apart() -> None:
    hosts = [
        {"host": "mail", "from": "2026-03-01T00:00:00Z", "to": "2026-03-02T00:00:00Z"},
        {"host": "mx", "from": "2026-03-01T00:00:00Z", "to": "2026-03-01T09:58:00Z"},
    ]
    searched = {"hosts": hosts, "lines": 1}
    said = next(sentences.coverage({"searched": searched, "journeys": TRACE["journeys"]}))
    assert said.startswith(
        "Searched mail, 1 Mar 00:00 to 2 Mar 00:00 +00:00; mx, 1 Mar 00:00 to 09:58 +00:00: "
    )
    nothing = next(sentences.coverage({"searched": searched}))
    assert nothing.startswith("Searched mail, 1 Mar 2026 00:00 to 2 Mar 00:00 +00:00; mx, 1 Mar 2026 00:00 ")


def test_more_journeys_than_five_get_a_line_each() -> None:
    said = text.trace(TRACE | {"journeys": TRACE["journeys"] * 7})
    assert said.count("DISCARDED BY SIEVE") == 5
    assert "2 more journeys" in said
    assert said.count("∅ discarded by sieve") == 2


def test_a_null_sender_is_a_pair_of_brackets_and_an_unknown_one_is_said_so() -> None:
    assert sentences.route({"sender": "", "recipients": ["a@example.com"]}) == "<> -> a@example.com"
    assert sentences.route({"sender": None}) == "(sender not seen) -> (recipient not seen)"


def test_the_summary_tells_sources_counts_and_what_was_not_understood() -> None:
    said = text.summary(SUMMARY)
    assert said.startswith(
        "Case  1 source, 2 hosts, 48,210 lines, 28 Feb 2026 00:00 to 3 Mar 06:25 +01:00 (year"
    )
    assert "deliveries 4,410: 4,181 sent, 152 deferred, 77 bounced" in said
    assert "not understood 8 lines (8 postfix/tlsproxy)" in said
    assert "gap: mx 1 Mar 03:10 to 04:02 +01:00" in said
    assert "no mail line in boot.log" in said
    assert "left alone, no mail evidence: notes.txt" in said


def test_a_message_tells_its_hops_from_the_sender_on_and_who_wrote_them() -> None:
    said = text.message(MESSAGE)
    assert said.index(" 1 : ") < said.index(" 2 | ")
    assert "envelope  <>" in said
    assert "SPF pass for bounce.example.net, says mx.example.org; that is not the domain in From" in said
    assert (
        "DKIM pass is claimed by evil.test, not vouched for by a server of ours: it proves nothing." in said
    )


def test_every_outcome_of_the_schema_has_its_one_sign_and_word() -> None:
    assert set(words.OUTCOME_WORDS) == set(schema.OUTCOMES)
    assert len({it.word for it in words.OUTCOME_WORDS.values()}) == len(schema.OUTCOMES)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.0004, "0 s"),
        (0.0095, "10 ms"),
        (0.41, "0.41 s"),
        (9.99, "9.99 s"),
        (9.999, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3599, "1 h"),
        (3600, "1 h"),
        (7800, "2 h 10 min"),
        (86_400, "1 d"),
        (5 * 86_400, "5 d"),
        (-300, "-5 min"),
        (float("nan"), ""),
        (float("inf"), ""),
        ("12", ""),
    ],
)
def test_durations_are_said_as_people_say_them(seconds: Any, said: str) -> None:
    assert words.duration(seconds) == said


def test_times_that_are_none_and_zones_that_are_none_do_not_fail() -> None:
    assert words.clock("yesterday") == "--:--:--"
    assert words.moment(datetime.min, words.zone_of("America/New_York")) is None
    assert words.zone_of("../../etc/passwd") is UTC
    assert words.zone_of("Mars/Olympus") is UTC
