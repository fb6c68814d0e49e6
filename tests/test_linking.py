"""A log that is linked in buckets gives the tables of one that is linked at once, whoever does the work."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

import mailforensics as mf
from mailforensics import linking, spill
from mailforensics.link.outline import homes

SAMPLES = Path(__file__).parents[1] / "sample_data"
VOLATILE = {"opened_at"}


def same(one: mf.Case, other: mf.Case) -> None:
    for name in mf.schema.TABLES:
        a, b = one.table(name), other.table(name)
        keep = [c for c in a.column_names if c not in VOLATILE]
        assert a.select(keep).equals(b.select(keep)), name


@pytest.fixture
def seven_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven buckets, and so little room that all goes to disk on the way."""
    monkeypatch.setattr(linking, "buckets_for", lambda size: 7)
    monkeypatch.setattr(linking, "ROOM", 500)


@pytest.mark.usefixtures("seven_buckets")
@pytest.mark.parametrize(
    "scenario",
    ["three-hosts", "loop", "sieve-actions", "content-filter", "mailbox-events", "reused-id", "missing-log"],
)
def test_many_buckets_give_the_tables_of_one(scenario: str, tmp_path: Path) -> None:
    ingested = mf.ingest(SAMPLES / scenario, tmp_path / "case")
    same(ingested, mf.open_case(SAMPLES / scenario))
    assert not (tmp_path / "case" / ".spill").exists()


@pytest.mark.usefixtures("seven_buckets")
def test_the_workers_of_dask_give_the_tables_that_threads_give(tmp_path: Path) -> None:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster),
    ):
        logs = SAMPLES / "three-hosts"
        ingested = mf.ingest(logs, tmp_path / "dask", engine="dask")
        opened = mf.open_case(logs, engine="dask")
    threads = mf.ingest(logs, tmp_path / "threads")
    same(ingested, threads)
    same(opened, threads)


def test_an_engine_that_there_is_not_is_named(tmp_path: Path) -> None:
    with pytest.raises(mf.OptionError, match="threads, dask"):
        mf.ingest(SAMPLES / "normal", tmp_path / "case", engine="spark")


def test_groups_that_share_a_word_directly_or_not_end_in_one_bucket() -> None:
    chance = np.random.default_rng(7)
    nodes = chance.integers(0, 400, 600).astype(np.uint64)
    words = chance.integers(400, 700, 600).astype(np.uint64)
    moved = dict(homes(pl.DataFrame({"node": nodes, "word": words}), 5).rows())
    where = {int(n): moved.get(int(n), int(n) % 5) for n in [*nodes, *words]}
    assert all(where[int(node)] == where[int(word)] for node, word in zip(nodes, words, strict=True))
    assert len(set(where.values())) > 1


def test_what_is_spilled_to_disk_is_what_was_put(tmp_path: Path) -> None:
    kept = spill.Spill(tmp_path / "spill", 3, room=10)
    whole = pl.DataFrame(
        {
            "node": pl.Series(range(25), dtype=pl.UInt64),
            "event_id": range(25),
            "words": [[str(n)] for n in range(25)],
        }
    )
    for at in range(0, 25, 4):
        kept.put("mail", {"events": whole[at : at + 4]})
    kept.put("mail", {"more": whole[:2]}, 1)
    tables = [kept.get("mail", bucket) for bucket in range(3)]
    found = [each["events"] for each in tables]
    assert pl.concat(found).sort("event_id").equals(whole)
    assert all((part["node"] % 3 == bucket).all() for bucket, part in enumerate(found))
    assert tables[1]["more"].equals(whole[:2])
    kept.clear()
    assert not (tmp_path / "spill").exists()
