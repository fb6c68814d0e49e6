"""What the evidence covers: the gaps that are found window by window are those of all times in a row."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import mailforensics as mf
from mailforensics import coverage

START = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)


def events(seconds: np.ndarray, host: str = "a") -> pl.DataFrame:
    micro = (seconds * 1e6).astype(np.int64)
    time = pl.Series("time", micro).cast(pl.Duration("us")) + START
    return pl.DataFrame({"time": time}).with_columns(host=pl.lit(host), kind=pl.lit("x"), source_id=pl.lit(1))


def gaps_of_all_times(times: pl.Series) -> list[dict[str, dt.datetime]]:
    times = times.sort()
    steps = times.diff()
    usual = steps.quantile(0.999, "nearest")
    assert isinstance(usual, dt.timedelta)
    limit = max(usual * coverage.GAP_FACTOR, coverage.GAP_FLOOR)
    ends = (steps > limit).fill_null(False).arg_true().to_list()
    return [{"from": times[index - 1], "to": times[index]} for index in ends]


@pytest.mark.parametrize("pace", [0.01, 3.0, 60.0, 91.0, 400.0])
@pytest.mark.parametrize("lines", [201, 1000, 5000])
def test_gaps_are_those_of_all_times_in_a_row(pace: float, lines: int) -> None:
    chance = np.random.default_rng(lines)
    steps = chance.exponential(pace, lines)
    steps[[lines // 3, lines // 2]] += [2400.0, 90_000.0]
    busy = events(np.cumsum(steps))
    [host] = coverage.survey(busy.sample(fraction=1, shuffle=True, seed=1).lazy())["hosts"]
    assert host["gaps"] == gaps_of_all_times(busy["time"])
    assert (host["from"], host["to"]) == (busy["time"].min(), busy["time"].max())


def test_few_lines_prove_no_gap() -> None:
    [host] = coverage.survey(events(np.array([0.0, 1.0, 90_000.0])).lazy())["hosts"]
    assert host["gaps"] == []


def test_a_saved_case_keeps_what_it_covers(tmp_path: Path) -> None:
    case = mf.open_case(Path(__file__).parents[1] / "sample_data" / "three-hosts")
    case.save(tmp_path / "case")
    saved = mf.open_case(tmp_path / "case")
    assert "coverage" in (tmp_path / "case" / "manifest.json").read_text(encoding="utf-8")
    assert coverage.covered(saved) == coverage.covered(case)
    assert saved.summary()["gaps"] == case.summary()["gaps"]
