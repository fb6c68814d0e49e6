"""Dates of header fields: right, or null with the reason; never a guess that could be wrong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from mailforensics.headers.dates import find_date, read_date

AT = datetime(2026, 3, 2, 9, 2, 11, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon, 2 Mar 2026 10:02:11 +0100 (CET)", AT),
        ("Mon,  2 Mar 2026 10:02:11 +0100", AT),
        ("2 Mar 2026 09:02:11 -0000", AT),
        ("2 Mar 26 09:02:11 GMT", AT),
        ("Mon, 2 Mar 2026 04:02:11 EST", AT),
        ("Mon Mar  2 10:02:11 2026 +0100", AT),
        ("Mon Mar  2 01:02:11 PST 2026", AT),
        ("2026-03-02 09:02:11 +0000 UTC m=+12345.678", AT),
        ("2026-03-02T10:02:11+01:00", AT),
        ("3/2/2026 10:02:11 AM +0100 (CET)", AT),
        ("Mon, 2 (a comment) Mar 2026 10:02:11+0100", AT),
        ("Mon, 2 Mar 2026 10 : 02 : 11 +0100", AT),
        ("Mon, 2 Mar 2026 10:02:11 GMT+0100", AT),
        ("Mon, 2 Mar 2026 09:02:11 Z", AT),
        ("Mon, 2 Mar 2026 10:02:11 GMT+1", AT),
        ("Mon, 2 Mar 2026 10:02:11 +01", AT),
        ("Mon, 2 Mar 2026 10:02:11 (CET)", AT),
        ("2026/03/02 09:02:11 UTC", AT),
        ("Monday, March 2, 2026 9:02:11 AM GMT", AT),
        ("Sat, 28 Feb 2026 23:59:60 +0000", datetime(2026, 3, 1, tzinfo=UTC)),
        ("Thu, 29 Feb 2024 12:00:00 +0000", datetime(2024, 2, 29, 12, tzinfo=UTC)),
        ("Thu, 01 Jan 2026 00:30:00 +0200", datetime(2025, 12, 31, 22, 30, tzinfo=UTC)),
        ("1 Jan 76 00:00 GMT", datetime(1976, 1, 1, tzinfo=UTC)),
        ("1 Jan 106 00:00 GMT", datetime(2006, 1, 1, tzinfo=UTC)),
    ],
)
def test_a_date_is_the_moment_it_states(text: str, expected: datetime) -> None:
    assert read_date(text).time == expected


@pytest.mark.parametrize(
    ("text", "defect"),
    [
        ("", "date_missing"),
        ("tomorrow", "date_unreadable"),
        ("32 Jan 2020 00:00 GMT", "no_such_day"),
        ("29 Feb 2025 00:00 GMT", "no_such_day"),
        ("31 Apr 2025 00:00 GMT", "no_such_day"),
        ("1 Jan 2025 24:00:00 +0000", "no_such_time"),
        ("1 Jan 2025 10:60:00 +0000", "no_such_time"),
        ("1 Jan 2025 10:00:61 +0000", "no_such_time"),
        ("13:01:01 PM", "date_unreadable"),
        ("1/13/2025 13:00:00 PM", "no_such_time"),
        ("1 Jan 2025 10:00:00 IST", "unknown_zone"),
        ("1 Jan 2025 10:00:00 (IST)", "unknown_zone"),
        ("1 Jan 2025 10:00:00 +123456", "unknown_zone"),
        ("1 Jan 2025 10:00:00 +0199", "unknown_zone"),
        ("1 Jan 2025 10:00:00 PST8PDT", "unknown_zone"),
        ("14:47:44 +0000", "date_unreadable"),
        ("1 Foo 2025 10:00:00 +0000", "date_unreadable"),
        ("1 Jan 0000 10:00:00 +0000", "no_such_day"),
    ],
)
def test_what_is_no_moment_is_null_with_the_reason(text: str, defect: str) -> None:
    date = read_date(text)
    assert date.time is None
    assert date.defects == (defect,)


@pytest.mark.parametrize(
    ("text", "defect"),
    [
        ("Tue, 2 Mar 2026 10:02:11 +0100", "weekday_differs"),
        ("2 Mar 2026 09:02:11", "zone_missing"),
        ("3/2/2026 09:02:11 +0000", "month_before_day_assumed"),
        ("2 Mar 26 09:02:11 GMT", "short_year"),
        ("Mon, 2 Mar 2026 10:02:11 +0100 : <g @example.org>", "text_after_date"),
        ("2 Mar 1926 09:02:11 GMT", "implausible_year"),
        ("28 Feb 2026 23:59:60 +0000", "leap_second"),
    ],
)
def test_an_odd_date_says_what_is_odd(text: str, defect: str) -> None:
    assert defect in read_date(text).defects


def test_the_weekday_of_a_leap_second_is_that_of_the_day_it_ends() -> None:
    assert read_date("Wed, 31 Dec 2025 23:59:60 +0000").defects == ("leap_second",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon, 2 Mar 2026 10:02:11 +0100 (Mitteleurop\u00e4ische Zeit)", AT),
        ("Monday, 02-Mar-2026 09:02:11 UTC", AT),
        ("Mon, 2 Mar 2026 10:02:11 +100", AT),
        ("Mon, 2 Mar 2026 10:02:11 AM +0100", AT),
        ("lun., 2 mars 2026 10:02:11 +0100", AT),
        ("Mon, 2 Mar 2026 14:32:11 +0530 (IST)", AT),
        ("2026-03-02 10:02:11 +0100 CET", AT),
        ("Mon, 2 Mar 2026 10:02:11 0100", None),
        ("Mon, 2 Mar 2026 10:02:11 +9999", None),
        ("Mon, 2 Mar 2026 10:02:11 BST", None),
        ("Mon, 2 Mar 2026 10:02:11 ACST", None),
        ("Mon, 2 Mar 2026 10:02:11 Europe/Berlin", None),
        ("Mo, 2 Mrz 2026 10:02:11 +0100", None),
        ("2.3.2026 10:02:11 +0100", None),
        ("Mon, 2 Mar 12026 10:02:11 +0100", None),
        ("Mon, 2 Mar 2026", None),
        ("1772442131", None),
        ("=?utf-8?q?Mon=2C?= 2 Mar 2026", None),
    ],
)
def test_no_date_is_guessed(text: str, expected: datetime | None) -> None:
    date = read_date(text)
    assert date.time == expected
    assert (date.time is None) == (date.precision == "none")
    assert date.time is not None or date.defects


def test_minus_zero_says_that_the_zone_is_unknown() -> None:
    assert read_date("2 Mar 2026 09:02:11 -0000").utc_offset_min is None
    assert read_date("2 Mar 2026 09:02:11 +0000").utc_offset_min == 0
    assert read_date("2 Mar 2026 09:02:11").method == "zone_assumed"


def test_precision_is_what_the_stamp_states() -> None:
    assert [
        read_date(f"2 Mar 2026 09:02{rest} +0000").precision for rest in ("", ":11", ":11.1", ":11.123456")
    ] == [
        "min",
        "s",
        "ms",
        "us",
    ]


def test_a_date_is_found_without_its_semicolon() -> None:
    text = "by mx.example.net with SMTP id a-1 2026-03-02 09:02:11.028704749 +0000 UTC"
    place = find_date(text)
    assert place is not None
    assert read_date(text[place:]).time == AT.replace(microsecond=28704)


def test_all_shared_dates_are_right_or_null(cases) -> None:  # type: ignore[no-untyped-def]
    wrong = []
    for case in cases("dates.jsonl"):
        time = read_date(case["text"]).time
        epoch = None if time is None else round(time.timestamp() * 1000)
        if epoch != case["epoch_ms"]:
            wrong.append((case["text"], epoch))
    assert wrong == []
