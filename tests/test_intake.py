"""Ingest: only what is new, the same tables as from one reading, and never half a case."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest

import mailforensics as mf
from mailforensics.store import Store

SAMPLES = Path(__file__).parents[1] / "sample_data"
LOG = (SAMPLES / "slow" / "mail" / "mail.log").read_bytes()
VOLATILE = {"opened_at", "written_at"}


def same(one: mf.Case, other: mf.Case) -> None:
    for name in mf.schema.TABLES:
        a, b = one.table(name), other.table(name)
        keep = [c for c in a.column_names if c not in VOLATILE]
        assert a.select(keep).equals(b.select(keep)), name


def test_an_ingested_case_holds_the_tables_of_an_opened_one(tmp_path: Path) -> None:
    same(mf.ingest(SAMPLES / "slow", tmp_path / "case"), mf.open_case(SAMPLES / "slow"))
    same(mf.open_case(tmp_path / "case"), mf.open_case(SAMPLES / "slow"))


@pytest.mark.parametrize("cut", [len(LOG) // 2, LOG.index(b"\n", 4000) + 1])
def test_a_log_that_grew_gives_the_same_tables_as_one_reading(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "logs" / "mail.log"
    path.parent.mkdir()
    path.write_bytes(LOG[:cut])
    first = mf.ingest(path.parent, tmp_path / "case")
    assert 0 < first.table("events").num_rows < LOG.count(b"\n")
    path.write_bytes(LOG)
    grown = mf.ingest(path.parent, tmp_path / "case")
    same(grown, mf.open_case(path.parent))


def test_a_rotated_and_compressed_log_is_not_read_again(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "mail.log").write_bytes(LOG)
    before = mf.ingest(logs, tmp_path / "case").table("events").num_rows
    (logs / "mail.log.1.gz").write_bytes(gzip.compress(LOG))
    (logs / "mail.log").write_bytes(b"2026-11-24T00:00:01+01:00 mail postfix/qmgr[7]: 3F2A1C0B2: removed\n")
    case = mf.ingest(logs, tmp_path / "case")
    assert case.table("events").num_rows == before + 1
    paths = {row["source_id"]: Path(row["path"]).name for row in case.table("sources").to_pylist()}
    assert paths == {1: "mail.log.1.gz", 2: "mail.log"}


def test_a_second_ingest_of_the_same_changes_nothing(tmp_path: Path) -> None:
    mf.ingest(SAMPLES / "normal", tmp_path / "case")
    before = {path: path.read_bytes() for path in (tmp_path / "case").rglob("*") if path.is_file()}
    mf.ingest(SAMPLES / "normal", tmp_path / "case")
    assert {path: path.read_bytes() for path in (tmp_path / "case").rglob("*") if path.is_file()} == before


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear", encoding="utf-8")
    with pytest.raises(mf.CaseError, match="other files"):
        mf.ingest(SAMPLES / "normal", tmp_path)


def test_only_one_process_writes_to_a_case(tmp_path: Path) -> None:
    store = Store.create(tmp_path / "case")
    with store.locked(), pytest.raises(mf.CaseError, match="Another process"):
        mf.ingest(SAMPLES / "normal", tmp_path / "case")


def test_a_manifest_that_points_outside_is_refused(tmp_path: Path) -> None:
    """Even one whose checksum was forged with it."""
    mf.ingest(SAMPLES / "normal", tmp_path / "case")
    path = tmp_path / "case" / "manifest.json"
    forged = json.loads(path.read_text(encoding="utf-8").replace("events/g1", "../events/g1"))
    whole = json.dumps({k: v for k, v in forged.items() if k != "crc32"}, indent=1, sort_keys=True)
    path.write_text(json.dumps(forged | {"crc32": zlib.crc32(whole.encode())}), encoding="utf-8")
    with pytest.raises(mf.CaseError, match="outside"):
        mf.open_case(tmp_path / "case")


def test_a_case_that_lacks_a_part_says_so(tmp_path: Path) -> None:
    mf.ingest(SAMPLES / "normal", tmp_path / "case")
    next((tmp_path / "case" / "messages").iterdir()).unlink()
    with pytest.raises(mf.CaseError, match="lacks messages"):
        mf.open_case(tmp_path / "case")


PROGRAM = "import sys, mailforensics as mf; mf.ingest(sys.argv[1], sys.argv[2])"


def test_an_ingest_that_is_killed_leaves_the_case_as_it_was_or_complete(tmp_path: Path) -> None:
    """kill -9 at 20 random moments of an ingest over a case: 20 of 20 cases open clean."""
    logs, case = tmp_path / "logs", tmp_path / "case"
    logs.mkdir()
    (logs / "mail.log").write_bytes(LOG[: len(LOG) // 2])
    before = mf.ingest(logs, case).table("events").num_rows
    (logs / "mail.log").write_bytes(LOG)
    whole = LOG.count(b"\n")
    begun = time.monotonic()
    subprocess.run([sys.executable, "-c", PROGRAM, str(logs), str(tmp_path / "other")], check=True)
    usual = time.monotonic() - begun
    chance = random.Random(20)
    for _ in range(20):
        child = subprocess.Popen([sys.executable, "-c", PROGRAM, str(logs), str(case)])
        time.sleep(chance.uniform(0.3, 1.0) * usual)
        os.kill(child.pid, signal.SIGKILL)
        child.wait(timeout=60)
        opened = mf.open_case(case)
        assert opened.table("events").num_rows in (before, whole)
        assert opened.table("journeys").num_rows > 0
    assert mf.ingest(logs, case).table("events").num_rows == whole
