"""A case that grows: only what new lines touch is linked again, and the tables are those of one reading."""

from __future__ import annotations

import datetime as dt
import os
import shutil
from pathlib import Path

import polars as pl
import pytest

import mailforensics as mf
from bench import generate
from mailforensics import intake, linking, touched
from mailforensics.store import Store
from tests.test_intake import VOLATILE

SAMPLES = Path(__file__).parents[1] / "sample_data"
LATER = dt.datetime(
    2027, 6, 1, tzinfo=dt.UTC
).timestamp()  # the same file time however much of a log is there


def only_logs(folder: Path, into: Path) -> dict[Path, bytes]:
    """The logs of a scenario without its messages and settings: path below `into`, and content."""
    logs: dict[Path, bytes] = {}
    for source in mf.evidence.source.find([folder], mf.grammar.syslog.frame).sources:
        if source.role == "log":
            with source.open() as stream:
                logs[into / Path(source.path.removesuffix(".gz")).relative_to(folder)] = stream.read(1 << 30)
    return logs


def same(one: mf.Case, other: mf.Case) -> None:
    """All tables are equal; events stand in the order in which they were read, which is another one for a case that grew."""
    for name in mf.schema.TABLES:
        a, b = one.table(name), other.table(name)
        if name == "events":
            a, b = a.sort_by("event_id"), b.sort_by("event_id")
        keep = [column for column in a.column_names if column not in VOLATILE]
        assert a.select(keep).equals(b.select(keep)), name


def write(logs: dict[Path, bytes], share: float) -> None:
    for path, data in logs.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data[: round(len(data) * share)])
        os.utime(path, (LATER, LATER))


def generated(folder: Path, lines: int, per_second: float = 2.0) -> tuple[Path, bytes]:
    """A log of the bench, and its content."""
    log = folder / "logs" / "mail.log"
    log.parent.mkdir()
    generate.write(log, lines, per_second=per_second)
    return log, log.read_bytes()


@pytest.fixture
def linked_again(monkeypatch: pytest.MonkeyPatch) -> list[touched.Touched | None]:
    """Growth is never thought too much; what each ingest into a case found to be touched."""
    monkeypatch.setattr(touched, "MOST", 2.0)
    seen: list[touched.Touched | None] = []
    real = touched.find

    def find(*given: object) -> touched.Touched | None:
        seen.append(real(*given))  # type: ignore[arg-type]
        return seen[-1]

    monkeypatch.setattr(touched, "find", find)
    return seen


SCENARIOS = [
    "aliases", "busy", "duplicate-id", "forwarded", "incident-account", "incident-backscatter", "loop-bookworm", "lost-in-sieve", "mailbox-events", "modern", "quota", "rejected",
    "requeue-forky", "reused-id", "sieve-actions", "slow", "spam-forky", "three-hosts", "week",
]  # fmt: skip


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_case_that_grows_holds_the_tables_of_one_reading(
    scenario: str, tmp_path: Path, linked_again: list[touched.Touched | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        touched, "WINDOW", dt.timedelta(minutes=5)
    )  # less than there is, so that little is touched by time alone
    logs = only_logs(SAMPLES / scenario, tmp_path / "logs")
    if sum(map(len, logs.values())) > 3_000_000:
        monkeypatch.setattr(linking, "BUCKET_BYTES", 400_000)
    for share in (0.4, 0.7, 1.0):
        write(logs, share)
        mf.ingest(tmp_path / "logs", tmp_path / "grown")
    same(mf.open_case(tmp_path / "grown"), mf.ingest(tmp_path / "logs", tmp_path / "whole"))


def test_what_nobody_touched_is_not_linked_again(
    tmp_path: Path, linked_again: list[touched.Touched | None]
) -> None:
    log, data = generated(tmp_path, 20_000, per_second=0.02)
    cut = data.index(b"\n", len(data) * 9 // 10) + 1
    write({log: data}, cut / len(data))
    first = mf.ingest(log, tmp_path / "grown")
    lines = first.table("events").num_rows
    write({log: data}, 1.0)
    grown = mf.ingest(log, tmp_path / "grown")
    (again,) = linked_again
    assert again is not None
    assert 0 < len(pl.concat([again.mail_events, again.talk_events]).unique()) < lines / 4
    same(grown, mf.ingest(log, tmp_path / "whole"))


def test_a_new_host_or_a_message_file_has_all_linked_again(
    tmp_path: Path, linked_again: list[touched.Touched | None]
) -> None:
    logs = only_logs(SAMPLES / "slow", tmp_path / "logs")
    one = next(path for path in logs if path.name == "mail.log" and path.parent.name == "mail")
    write({one: logs[one]}, 1.0)
    mf.ingest(tmp_path / "logs", tmp_path / "grown")
    write(logs, 1.0)
    mf.ingest(tmp_path / "logs", tmp_path / "grown")
    shutil.copytree(SAMPLES / "slow", tmp_path / "all", dirs_exist_ok=True)
    grown = mf.ingest([tmp_path / "logs", tmp_path / "all"], tmp_path / "grown")
    assert linked_again == []
    assert grown.table("documents").num_rows > 0


def test_growth_that_turns_out_to_be_most_of_a_case_is_linked_in_buckets_for_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, data = generated(tmp_path, 20_000)
    write({log: data}, 0.9)
    mf.ingest(log, tmp_path / "grown")
    monkeypatch.setattr(touched, "MOST", 0.0)
    monkeypatch.setattr(linking, "BUCKET_BYTES", 400_000)
    write({log: data}, 1.0)
    widened: list[int] = []
    real = linking.Shuffle.widen
    monkeypatch.setattr(
        linking.Shuffle, "widen", lambda self, size: (real(self, size), widened.append(self.spill.buckets))
    )
    grown = mf.ingest(log, tmp_path / "grown")
    assert widened[0] > 4
    same(grown, mf.ingest(log, tmp_path / "whole"))


def test_a_case_of_another_release_is_linked_anew(
    tmp_path: Path, linked_again: list[touched.Touched | None]
) -> None:
    log, data = generated(tmp_path, 2_000)
    write({log: data}, 0.5)
    mf.ingest(log, tmp_path / "grown")
    store = Store.open(tmp_path / "grown")
    versions = {**intake.versions(), "polars": "0.1"}
    assert not touched.may_grow(store, versions, {"log"}, ())
    assert touched.may_grow(store, intake.versions(), {"log"}, ())
    assert linked_again == []
