"""The folder of a saved case: what fails before its first commit leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest

import mailforensics as mf
from mailforensics import samples
from mailforensics.errors import NoEvidenceError
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
