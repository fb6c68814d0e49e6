"""SQL over a case: the tables under their names, and nothing of the machine."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import mailforensics as mf


@pytest.fixture(scope="module")
def case() -> mf.Case:
    return mf.samples.load("rejected")


def test_a_query_sees_every_table_by_its_name(case: mf.Case) -> None:
    answer = case.sql("select cause, count(*) as number from Rejects group by cause order by cause")
    counted = case.polars("rejects").group_by("cause").len("number").sort("cause")
    assert pl.DataFrame(answer)["number"].to_list() == counted["number"].to_list()
    joined = case.sql("select count(*) as n from deliveries join messages using (message_key)")
    assert joined["n"].to_pylist() == [case.table("deliveries").num_rows]


@pytest.mark.parametrize(
    "query",
    [
        "select * from '{file}'",
        "select * from read_csv('{file}')",
        "copy rejects to '{file}.out'",
        "install httpfs",
        "set enable_external_access = true",
        "select * from case",
        "selec",
    ],
)
def test_a_query_reads_and_writes_nothing_else(case: mf.Case, query: str, tmp_path: Path) -> None:
    file = tmp_path / "other.csv"
    file.write_text("a,b\n1,2\n")
    with pytest.raises(mf.OptionError):
        case.sql(query.format(file=file))
    assert [it.name for it in tmp_path.iterdir()] == ["other.csv"]


def test_a_table_goes_into_other_libraries_by_the_arrow_capsule(case: mf.Case) -> None:
    table = case.table("rejects")
    assert hasattr(table, "__arrow_c_stream__")
    assert pl.DataFrame(table).height == table.num_rows
