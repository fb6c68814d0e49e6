"""The folder of a saved case: what fails before its first commit leaves nothing behind."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import pytest

import mailforensics as mf
from mailforensics import samples
from mailforensics.errors import CaseError, NoEvidenceError
from mailforensics.store import Store


def test_an_ingest_of_nothing_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no mail here\n")

    with pytest.raises(NoEvidenceError):
        mf.ingest(tmp_path / "notes.txt", tmp_path / "case")
    assert not (tmp_path / "case").exists()


def test_an_ingest_that_fails_half_way_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("the disk is gone")

    monkeypatch.setattr(Store, "commit", fail)
    with pytest.raises(RuntimeError):
        mf.ingest(samples.path("lost-in-sieve"), tmp_path / "case")
    assert not (tmp_path / "case").exists()


def test_an_empty_folder_that_was_there_stays_and_is_empty_again(tmp_path: Path) -> None:
    folder = tmp_path / "case"
    folder.mkdir()
    (tmp_path / "notes.txt").write_text("no mail here\n")

    with pytest.raises(NoEvidenceError):
        mf.ingest(tmp_path / "notes.txt", folder)
    assert list(folder.iterdir()) == []


def test_a_failed_ingest_leaves_a_saved_case_as_it_was(tmp_path: Path) -> None:
    saved = mf.ingest(samples.path("lost-in-sieve"), tmp_path / "case")
    before = saved.polars("events").height

    with pytest.raises(mf.EvidenceError):
        mf.ingest(tmp_path / "missing.log", tmp_path / "case")
    assert mf.open_case(tmp_path / "case").polars("events").height == before


def test_a_flipped_bit_is_an_error_or_changes_nothing(tmp_path: Path) -> None:
    """1,000 flipped bits in the files of a case (S10): 0 crashes, 0 wrong tables."""
    folder = tmp_path / "case"
    mf.ingest(samples.path("lost-in-sieve"), folder)
    names = ("sources", "events", "messages", "deliveries", "journeys")

    def told() -> list[object]:
        case = mf.open_case(folder)
        return [case.about()["sources"], *(case.table(name).to_pydict() for name in names)]

    before, chance = told(), random.Random(10)
    files = [
        folder / "manifest.json",
        *(path for name in names for path in (folder / name).glob("*.parquet")),
    ]
    refused = 0
    for _ in range(1000):
        path = chance.choice(files)
        data = path.read_bytes()
        at, bit = chance.randrange(len(data)), 1 << chance.randrange(8)
        path.write_bytes(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])
        try:
            assert told() == before
        except CaseError:
            refused += 1
        path.write_bytes(data)
    assert refused > 900
    assert told() == before


def test_a_part_that_was_cut_is_refused(tmp_path: Path) -> None:
    case = mf.ingest(samples.path("lost-in-sieve"), tmp_path / "case")
    [part] = (tmp_path / "case" / "deliveries").glob("*.parquet")
    part.write_bytes(part.read_bytes()[:-1])
    with pytest.raises(CaseError, match="not what was written"):
        mf.open_case(tmp_path / "case").table("deliveries")
    assert case.table("sources").num_rows > 0


def test_nothing_is_added_to_a_case_whose_events_are_damaged(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    shutil.copytree(samples.path("lost-in-sieve"), logs)
    mf.ingest(logs, tmp_path / "case")
    part = min((tmp_path / "case" / "events").glob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-1])
    with (logs / "mx" / "mail.log").open("a") as log:
        log.write("Nov 23 21:59:00 mx postfix/qmgr[1]: 4jYJ2n06v2z3k: removed\n")
    with pytest.raises(CaseError, match="not what was written"):
        mf.ingest(logs, tmp_path / "case")
