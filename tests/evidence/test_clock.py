"""Clocks (S15): years, zones, folds and gaps; otherwise null, never a wrong time."""

from __future__ import annotations

import gzip
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

import mailforensics as mf
from mailforensics.evidence import clock


def times(stamps: list[str], *, timezone: str = "UTC", year: int | None = 2026) -> list[str | None]:
    events = mf.parse_lines(
        [f"{stamp} mail postfix/qmgr[7]: 3F2A1C0B2: removed" for stamp in stamps],
        timezone=timezone,
        year=year,
    )
    return [f"{e['time']:%Y-%m-%d %H:%M:%S}" if e["time"] else None for e in events]  # type: ignore[str-format]


CASES = [
    (["Mar  2 10:02:11"], "UTC", ["2026-03-02 10:02:11"]),
    (["Mar 12 10:02:11"], "Europe/Berlin", ["2026-03-12 09:02:11"]),
    (["Mar  2 10:02:60"], "UTC", ["2026-03-02 10:03:00"]),  # a leap second is the next one
    (["Dec 31 23:59:59", "Jan  1 00:00:01"], "UTC", ["2026-12-31 23:59:59", "2027-01-01 00:00:01"]),
    (["Dec 31 23:59:59", "Jan  1 00:00:00", "Dec 31 23:59:59", "Jan  1 00:00:02"], "UTC",
     ["2026-12-31 23:59:59", "2027-01-01 00:00:00", "2026-12-31 23:59:59", "2027-01-01 00:00:02"]),
    (["Jun  1 10:00:05", "Jun  1 10:00:01"], "UTC", ["2026-06-01 10:00:05", "2026-06-01 10:00:01"]),
    (["Jun  1 10:00:05", "Jun  1 08:00:01"], "UTC", ["2026-06-01 10:00:05", "2026-06-01 08:00:01"]),
    (["Feb 29 10:00:00"], "UTC", [None]),  # 2026 has no such day
    (["Oct 25 01:59:00", "Oct 25 02:10:00", "Oct 25 02:59:00", "Oct 25 02:05:00", "Oct 25 03:00:00"], "Europe/Berlin",
     ["2026-10-24 23:59:00", "2026-10-25 00:10:00", "2026-10-25 00:59:00", "2026-10-25 01:05:00", "2026-10-25 02:00:00"]),
    (["Mar 29 02:30:00"], "Europe/Berlin", ["2026-03-29 01:30:00"]),  # in the hour that was skipped
    (["2026-03-02T10:02:11.5+01:00"], "America/New_York", ["2026-03-02 09:02:11"]),  # the stamp's own zone wins
    (["2026-03-02T10:02:11Z"], "Europe/Berlin", ["2026-03-02 10:02:11"]),
    (["2026-03-02T10:02:11-0330"], "UTC", ["2026-03-02 13:32:11"]),
    (["2026-02-30T10:02:11Z"], "UTC", [None]),
    (["2026-03-02T25:02:11Z"], "UTC", [None]),
]  # fmt: skip


@pytest.mark.parametrize(("stamps", "zone", "wanted"), CASES)
def test_stamps_become_utc(stamps: list[str], zone: str, wanted: list[str | None]) -> None:
    assert times(stamps, timezone=zone) == wanted


def test_the_29th_of_february_in_a_leap_year() -> None:
    assert times(["Feb 28 23:00:00", "Feb 29 10:00:00", "Mar  1 00:00:00"], year=2028) == [
        "2028-02-28 23:00:00", "2028-02-29 10:00:00", "2028-03-01 00:00:00",
    ]  # fmt: skip


def test_without_a_year_there_is_no_time() -> None:
    assert times(["Mar  2 10:02:11"], year=None) == [None]


def test_a_time_says_how_it_is_known() -> None:
    line = "{} mail postfix/qmgr[7]: 3F2A1C0B2: removed"
    stated = mf.parse_lines([line.format("2026-03-02T10:02:11.25+01:00")])[0]
    assert (stated["time_method"], stated["time_precision"]) == ("stated", "ms")
    given = mf.parse_lines([line.format("Mar  2 10:02:11")], timezone="Europe/Berlin", year=2026)[0]
    assert (given["time_method"], given["time_precision"]) == ("stated", "s")
    assumed = mf.parse_lines([line.format("2026-03-02T10:02:11")])[0]
    assert assumed["time_method"] == "zone_assumed"


def write(path: Path, stamps: list[str], mtime: str | None = None) -> Path:
    text = "".join(f"{stamp} mail postfix/qmgr[7]: 3F2A1C0B2: removed\n" for stamp in stamps).encode()
    path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
    if mtime:
        moment = datetime.fromisoformat(mtime).replace(tzinfo=UTC).timestamp()
        os.utime(path, (moment, moment))
    return path


def years(case: mf.Case) -> dict[str, tuple[int, int, str]]:
    rows = case.table("sources").to_pylist()
    return {Path(r["path"]).name: (r["time_min"].year, r["time_max"].year, r["year_method"]) for r in rows}


def test_the_year_comes_from_the_file_time(tmp_path: Path) -> None:
    write(tmp_path / "mail.log", ["Dec 28 10:00:00", "Jan  3 10:00:00"], "2024-01-03T12:00")
    assert years(mf.open_case(tmp_path)) == {"mail.log": (2023, 2024, "file_time")}


def test_the_year_comes_from_the_files_name_before_its_time(tmp_path: Path) -> None:
    write(tmp_path / "maillog-20250105", ["Dec 30 10:00:00", "Jan  4 10:00:00"], "2026-07-01T12:00")
    assert years(mf.open_case(tmp_path)) == {"maillog-20250105": (2024, 2025, "file_name")}


def test_a_rotated_set_is_walked_back_from_the_newest(tmp_path: Path) -> None:
    for name, stamps in (("mail.log", ["Jan 10 10:00:00"]), ("mail.log.1", ["Dec 20 10:00:00", "Jan  2 10:00:00"]),
                         ("mail.log.2.gz", ["Nov 20 10:00:00", "Dec 19 10:00:00"])):  # fmt: skip
        write(tmp_path / name, stamps, "2026-01-10T12:00")
    found = years(mf.open_case(tmp_path))
    assert {name: (a, b) for name, (a, b, _) in found.items()} == {
        "mail.log": (2026, 2026), "mail.log.1": (2025, 2026), "mail.log.2.gz": (2025, 2025),
    }  # fmt: skip


def test_several_years_in_one_set(tmp_path: Path) -> None:
    stamps = ["Mar  1 10:00:00", "Nov  1 10:00:00", "Feb  1 10:00:00", "Dec  1 10:00:00", "Jan  5 10:00:00"]
    write(tmp_path / "mail.log", stamps, "2026-01-05T12:00")
    case = mf.open_case(tmp_path)
    assert [t.year for t in case.table("events")["time"].to_pylist()] == [2024, 2024, 2025, 2025, 2026]


def test_neighbours_that_state_their_year_decide(tmp_path: Path) -> None:
    write(tmp_path / "mx.log", ["Mar  2 10:00:00"], "2030-06-01T12:00")
    (tmp_path / "mail.log").write_text(
        "2026-03-02T10:00:01+01:00 mail postfix/qmgr[7]: 3F2A1C0B2: removed\n", encoding="utf-8"
    )
    case = mf.open_case(tmp_path)
    assert years(case)["mx.log"] == (2026, 2026, "neighbours")
    zones = {
        Path(r["path"]).name: (r["timezone"], r["timezone_method"]) for r in case.table("sources").to_pylist()
    }
    assert zones == {"mx.log": ("Etc/GMT-1", "neighbour"), "mail.log": ("Etc/GMT-1", "stated")}


def test_the_user_has_the_last_word(tmp_path: Path) -> None:
    write(tmp_path / "mail.log", ["Mar  2 10:00:00"], "2030-06-01T12:00")
    case = mf.open_case(tmp_path, year=2019, timezone={"mail*": "Asia/Kolkata"})
    assert str(case.table("events")["time"][0].as_py()) == "2019-03-02 04:30:00+00:00"
    assert years(case) == {"mail.log": (2019, 2019, "given")}


def test_a_year_out_of_range_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "mail.log", ["Mar  2 10:00:00"])
    with pytest.raises(mf.OptionError, match="year"):
        mf.open_case(tmp_path, year=20260)


def test_similar_zone_names_are_offered() -> None:
    with pytest.raises(mf.OptionError, match="Europe/Berlin"):
        clock.check_zone("Europe/Berln")


LEAP = ["Feb 28 10:00:00", "Feb 29 10:00:00", "Mar  3 10:00:00"]


@pytest.mark.parametrize("name", ["mail.log", "mail.log.gz", "maillog-20260305"])
def test_the_29th_of_february_moves_an_inferred_year_back_to_a_leap_year(name: str, tmp_path: Path) -> None:
    write(tmp_path / name, LEAP, "2026-03-05T12:00")
    case = mf.open_case(tmp_path)
    method = "file_name+leap_day" if "2026" in name else "file_time+leap_day"
    assert years(case) == {name: (2024, 2024, method)}
    assert case.table("events")["time"].null_count == 0
    assert "and its 29 February" in case.summary()["zone_note"]


def test_a_leap_year_that_fits_is_no_news(tmp_path: Path) -> None:
    write(tmp_path / "mail.log", LEAP, "2024-03-05T12:00")
    assert years(mf.open_case(tmp_path)) == {"mail.log": (2024, 2024, "file_time")}


@pytest.mark.parametrize(
    ("stamps", "first", "last"),
    [
        (["Feb 29 10:00:00"], 2024, 2024),
        (["Feb 29 10:00:00", "Dec 31 10:00:00", "Jan  2 10:00:00"], 2024, 2025),
        (["Dec 31 10:00:00", "Jan  2 10:00:00", "Feb 29 10:00:00", "Mar  1 10:00:00"], 2023, 2024),
        (["Feb 29 10:00:00", *["Nov 30 10:00:00", "Jan 20 10:00:00"] * 4, "Feb 29 10:00:00"], 2020, 2024),
        (
            ["Jan  1 00:00:01", "Dec 31 23:59:59", "Feb 29 10:00:00"],
            2023,
            2024,
        ),  # a late line of the old year
    ],
)
def test_new_years_and_several_leap_days_are_counted_from_the_newest_stamp(
    stamps: list[str], first: int, last: int, tmp_path: Path
) -> None:
    write(tmp_path / "mail.log", stamps, "2026-11-05T12:00")
    case = mf.open_case(tmp_path)
    assert years(case)["mail.log"] == (first, last, "file_time+leap_day")
    assert case.table("events")["time"].null_count == 0


@pytest.mark.parametrize("name", ["mail.log", "mail.log.gz"])
def test_a_29th_of_february_is_found_among_many_lines(name: str, tmp_path: Path) -> None:
    stamps = ["Feb 28 10:00:00"] * 20_000 + ["<22>Feb 29 10:00:00"] + ["Mar  1 10:00:00"] * 20_000
    write(tmp_path / name, stamps, "2026-03-05T12:00")
    assert years(mf.open_case(tmp_path))[name] == (2024, 2024, "file_time+leap_day")


def test_a_rotated_set_goes_back_together(tmp_path: Path) -> None:
    for name, stamps in (
        ("mail.log", ["Mar  8 10:00:00"]),
        ("mail.log.1", LEAP),
        ("mail.log.2", ["Jan  5 10:00:00"]),
    ):
        write(tmp_path / name, stamps, "2026-03-09T12:00")
    found = years(mf.open_case(tmp_path))
    assert {name: (first, method.split("+")[1:]) for name, (first, _, method) in found.items()} == {
        "mail.log": (2024, ["leap_day"]), "mail.log.1": (2024, ["leap_day"]), "mail.log.2": (2024, ["leap_day"]),
    }  # fmt: skip


def test_an_old_file_of_a_set_whose_own_time_fits_does_not_take_the_set_along(tmp_path: Path) -> None:
    write(tmp_path / "mail.log", ["Mar  8 10:00:00"], "2026-03-09T12:00")
    write(tmp_path / "mail.log.1", LEAP, "2024-03-03T12:00")
    assert years(mf.open_case(tmp_path)) == {
        "mail.log": (2026, 2026, "file_time"), "mail.log.1": (2024, 2024, "file_time"),
    }  # fmt: skip


def test_a_given_year_without_that_day_is_kept_and_told(tmp_path: Path) -> None:
    write(tmp_path / "mail.log", LEAP, "2024-03-05T12:00")
    case = mf.open_case(tmp_path, year=2026)
    assert years(case) == {"mail.log": (2026, 2026, "given-leap_day")}
    assert "which its year has not" in case.summary()["zone_note"]
    [found] = [row for row in case.findings().to_pylist() if row["finding"] == "no_such_day"]
    assert "1 line of 29 February, but the year that was given has no such day" in found["sentence"]
    assert len(found["evidence"]) == 1


def test_leap_days_that_no_year_explains_leave_the_year_as_it_was(tmp_path: Path) -> None:
    write(
        tmp_path / "mail.log", ["Feb 29 10:00:00", "Dec 31 10:00:00", "Feb 29 10:00:00"], "2026-03-05T12:00"
    )
    assert years(mf.open_case(tmp_path))["mail.log"][2] == "file_time-leap_day"


def test_neighbours_of_a_year_without_that_day_do_not_decide(tmp_path: Path) -> None:
    write(tmp_path / "mx.log", LEAP, "2024-03-05T12:00")
    (tmp_path / "mail.log").write_text(
        "2026-03-02T10:00:01+01:00 mail postfix/qmgr[7]: 3F2A1C0B2: removed\n", encoding="utf-8"
    )
    assert years(mf.open_case(tmp_path))["mx.log"] == (2024, 2024, "file_time")
