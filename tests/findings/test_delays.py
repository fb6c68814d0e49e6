"""Delays: the parts against the whole, states over all tries, quantiles, retries against the backoff, congestion."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

import mailforensics as mf
from mailforensics.errors import OptionError
from mailforensics.findings.delays import (
    PARTS,
    STATES,
    check_delays,
    check_stamps,
    congestion,
    delay_quantiles,
    hop_delays,
    retry_schedule,
    time_in_states,
)
from tests.findings.synthetic import SAMPLES

START = datetime(2026, 3, 2, 10, tzinfo=UTC)


def attempt(second: float, parts: tuple[float | None, ...], **more: Any) -> dict[str, Any]:
    known = [part for part in parts if part is not None]
    return {
        "message_key": 1,
        "recipient": "anna@example.net",
        "recipient_domain": "example.net",
        "relay_name": "mx.example.net",
        "time": START + timedelta(seconds=second),
        "status": "deferred",
        "delay_s": sum(known),
        **dict(zip(PARTS, parts, strict=True)),
        **more,
    }


def table(*rows: dict[str, Any]) -> pl.DataFrame:
    schema = dict.fromkeys(["delay_s", *PARTS], pl.Float64)
    return pl.DataFrame(rows, schema_overrides=schema)


def test_rounded_parts_make_up_the_delay() -> None:
    checked = check_delays(table(attempt(0, (0.19, 0.01, 0.05, 1.4), delay_s=1.7)))
    assert checked.select("longest_part", "consistent").row(0) == ("transmit", True)


def test_parts_that_do_not_make_up_the_delay_are_marked_and_missing_ones_are_unknown() -> None:
    wrong = attempt(0, (0.1, 0.1, 0.1, 0.1), delay_s=40.0)
    unknown = attempt(0, (None, None, None, None), delay_s=4.0)
    assert check_delays(table(wrong, unknown))["consistent"].to_list() == [False, None]


def test_the_states_of_a_copy_add_up_to_its_whole_delay() -> None:
    rows = table(
        attempt(10, (2, 1, 7, 0)),
        attempt(400, (391, 2, 6, 1)),
        attempt(1210, (1198, 3, 5, 4), status="sent"),
    )
    (row,) = time_in_states(rows).to_dicts()
    assert (row["tries"], row["status"], row["total_s"]) == (3, "sent", 1210.0)
    assert sum(row[state] for state in STATES) == pytest.approx(row["total_s"])
    assert (row["before_queue_s"], row["active_s"], row["connecting_s"], row["transmitting_s"]) == (
        2,
        6,
        18,
        5,
    )


def test_a_single_try_never_waited_between_tries() -> None:
    assert time_in_states(table(attempt(0, (1, 1, 1, 1))))["waiting_s"].to_list() == [0.0]


def test_each_recipient_of_a_message_is_a_copy_of_its_own() -> None:
    rows = table(attempt(0, (1, 0, 0, 0)), attempt(0, (1, 0, 0, 0), recipient="bob@example.org"))
    assert time_in_states(rows)["recipient"].to_list() == ["anna@example.net", "bob@example.org"]


def test_quantiles_are_given_for_each_group_and_part() -> None:
    rows = table(
        *(attempt(n, (0, 0, n, 0)) for n in range(101)),
        attempt(0, (0, 0, 500, 0), recipient_domain="slow.example"),
    )
    found = delay_quantiles(rows).filter(pl.col("measure") == "delay_connect_s")
    assert found["recipient_domain"].to_list() == ["slow.example", "example.net"]
    assert found.row(1, named=True)["p50"] == 50.0
    assert found.row(1, named=True)["deliveries"] == 101


def test_quantiles_by_hour_use_the_hour_of_the_time() -> None:
    rows = table(attempt(0, (1, 0, 0, 0)), attempt(3_700, (2, 0, 0, 0)))
    assert delay_quantiles(rows, ["hour"])["hour"].unique().sort().to_list() == [
        START,
        START + timedelta(hours=1),
    ]


@pytest.mark.parametrize(
    ("waited", "schedule"), [(250, "early"), (300, "on time"), (599, "on time"), (700, "late")]
)
def test_a_retry_is_measured_against_the_backoff(waited: int, schedule: str) -> None:
    rows = table(attempt(0, (5, 0, 0, 0)), attempt(waited, (5 + waited, 0, 0, 0)))
    assert retry_schedule(rows)["schedule"].to_list() == [schedule]


def test_the_wait_that_is_due_grows_with_the_age_up_to_the_bound() -> None:
    ages = (10, 900, 1_800, 5_400, 9_500)
    due = retry_schedule(table(*(attempt(age, (age, 0, 0, 0)) for age in ages)))["due_s"].to_list()
    assert due == [300.0, 900.0, 1_800.0, 4_000.0]


def test_mail_that_waits_for_one_destination_at_once_is_congestion() -> None:
    crowded = [attempt(60 + n / 100, (0, 50, 1, 1), recipient=f"u{n}@example.net") for n in range(20)]
    alone = [attempt(n * 100, (0, 1, 0, 0), recipient_domain="example.org") for n in range(20)]
    (row,) = congestion(table(*crowded, *alone)).to_dicts()
    assert (row["recipient_domain"], row["waiting"], row["longest_s"]) == ("example.net", 20, 50.0)


def test_no_deliveries_give_no_rows() -> None:
    nothing = table(attempt(0, (1, 1, 1, 1))).clear()
    for function in (check_delays, time_in_states, delay_quantiles, retry_schedule, congestion):
        assert function(nothing).height == 0


def test_other_tables_and_wrong_quantiles_are_errors() -> None:
    with pytest.raises(OptionError, match="delay_s"):
        check_delays(pl.DataFrame({"a": [1]}))
    with pytest.raises(OptionError, match="0 to 1"):
        delay_quantiles(table(attempt(0, (1, 1, 1, 1))), quantiles=[50])


def test_the_stamps_of_the_lab_agree_with_what_postfix_measured() -> None:
    for name in ("week", "slow", "three-hosts"):
        case = mf.open_case(SAMPLES / name)
        rows = check_stamps(case.polars("deliveries"), case.polars("messages"))
        assert rows.height == case.polars("deliveries").height
        assert rows["stamps_agree"].drop_nulls().all()
        assert rows["stamps_agree"].null_count() < rows.height


def test_a_clock_that_was_set_meanwhile_shows_in_the_stamps() -> None:
    came = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
    messages = pl.DataFrame({"message_key": [1], "received_time": [came]})
    tries = pl.DataFrame(
        {"message_key": [1, 2], "time": [came + timedelta(seconds=65)] * 2, "delay_s": [5.0, 5.0]}
    )
    rows = check_stamps(tries, messages)
    assert rows["stamp_difference_s"].to_list() == [-60.0, None]
    assert rows["stamps_agree"].to_list() == [False, None]


def test_hops_stand_beside_the_queues_of_the_hosts_whose_logs_are_held() -> None:
    """In the lab the gateway's clock is 37 seconds fast, and one mail waited 49 seconds in its queue."""
    case = mf.open_case(SAMPLES / "three-hosts")
    rows = hop_delays(case.polars("hops"), case.polars("messages"), case.polars("deliveries"))
    assert set(rows["host"]) == {"mail", "gw", "mx"}
    assert (rows["clock_s"].abs() < 1).all()
    waited = rows.filter(pl.col("queue_delay_s") > 40)
    assert set(waited["host"]) == {"gw"}
    assert (waited["queue_delay_s"] - waited["next_hop_delay_s"] - 37).abs().max() < 2
    assert not rows.filter(pl.col("queue_id").is_null()).height
