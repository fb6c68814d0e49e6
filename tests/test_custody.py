"""S12: evidence is never changed by the tool, and what was changed since by others is told."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import zlib
from pathlib import Path

import pytest
from click.testing import CliRunner

import mailforensics as mf
from mailforensics import cli, custody, samples
from mailforensics.errors import CaseError, OptionError


@pytest.fixture
def evidence(tmp_path: Path) -> Path:
    folder = tmp_path / "evidence"
    shutil.copytree(samples.path("lost-in-sieve"), folder, ignore=shutil.ignore_patterns("*.json", "*.md"))
    return folder


def digests(folder: Path) -> dict[str, str]:
    return {str(p): hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


def test_the_evidence_is_untouched_and_every_event_is_read_again_as_it_was(
    evidence: Path, tmp_path: Path
) -> None:
    before = digests(evidence)
    case = mf.ingest(evidence, tmp_path / "case")
    case.report(tmp_path / "report.html")
    found = custody.verify(tmp_path / "case", events=10**6)

    assert digests(evidence) == before
    assert found.ok
    assert (
        found.to_dict()["events_checked"] == found.to_dict()["events_equal"] == case.polars("events").height
    )


def test_the_manifest_names_inputs_assumptions_versions_and_outputs(evidence: Path, tmp_path: Path) -> None:
    mf.ingest(evidence, tmp_path / "case", own=["mx.example.org"], timezone="Europe/Berlin")
    manifest = json.loads((tmp_path / "case" / "manifest.json").read_text())

    assert {row["sha256"] for row in manifest["about"]["sources"]} == set(digests(evidence).values())
    assert manifest["about"]["versions"]["mailforensics"] == case_version()
    assert {"timezone", "timezone_method", "year_method", "size"} <= set(manifest["about"]["sources"][0])
    for part, written in manifest["outputs"].items():
        content = (tmp_path / "case" / part).read_bytes()
        assert (written["size"], written["crc32"]) == (len(content), zlib.crc32(content))
        assert written["sha256"] == hashlib.sha256(content).hexdigest()


def case_version() -> str:
    from mailforensics.case import tool_version

    return tool_version()


def test_a_changed_a_grown_and_a_missing_log_are_told_apart(evidence: Path, tmp_path: Path) -> None:
    mf.ingest(evidence, tmp_path / "case")
    changed, grown, missing = (evidence / name for name in ("mx/mail.log", "mail/mail.log", "mx/rspamd.log"))
    changed.write_bytes(changed.read_bytes().replace(b"status=sent", b"status=lost"))
    with grown.open("ab") as log:
        log.write(b"Mar  2 10:02:11 mail postfix/qmgr[7]: 3F2A1C0B2: removed\n")
    missing.unlink()
    found = custody.verify(tmp_path / "case", events=10**6)

    told = {"/".join(Path(row["source"]).parts[-2:]): row["status"] for row in found.inputs}
    assert told["mx/mail.log"] == "changed"
    assert told["mail/mail.log"] == "grown"
    assert told["mx/rspamd.log"] == "missing"
    assert {*told.values()} == {"changed", "grown", "missing", "same"}
    assert not found.ok


def test_events_of_a_compressed_log_are_read_again_too(evidence: Path, tmp_path: Path) -> None:
    plain = evidence / "mail" / "mail.log"
    (evidence / "mail" / "mail.log.gz").write_bytes(gzip.compress(plain.read_bytes()))
    plain.unlink()
    mf.ingest(evidence, tmp_path / "case")
    found = custody.verify(tmp_path / "case", events=10**6)

    row = next(row for row in found.inputs if row["source"].endswith("mail.log.gz"))
    assert row["status"] == "same"
    assert row["events_checked"] == row["events_equal"] > 0


def test_a_table_that_was_changed_behind_our_back_is_told(evidence: Path, tmp_path: Path) -> None:
    mf.open_case(evidence).save(tmp_path / "case")
    part = next((tmp_path / "case" / "journeys").iterdir())
    part.write_bytes(part.read_bytes() + b"!")
    found = custody.verify(tmp_path / "case", events=5)

    assert [row["part"] for row in found.outputs] == [f"journeys/{part.name}"]
    assert not found.ok


def test_the_draw_can_be_repeated_and_a_wrong_number_is_told(evidence: Path, tmp_path: Path) -> None:
    mf.ingest(evidence, tmp_path / "case")
    first, second = (custody.verify(tmp_path / "case", events=9, seed=4).to_dict() for _ in range(2))
    assert first == second
    assert first["events_checked"] == 9
    with pytest.raises(OptionError, match="give 0 or more"):
        custody.verify(tmp_path / "case", events=-1)
    with pytest.raises(CaseError, match="cannot be read"):
        custody.verify(evidence)


def test_the_command_says_it_and_its_exit_code_too(evidence: Path, tmp_path: Path) -> None:
    mf.ingest(evidence, tmp_path / "case")
    right = CliRunner().invoke(cli.main, ["verify", str(tmp_path / "case"), "--events", "50"])
    assert (right.exit_code, "50 of 50 events read again are equal." in right.output) == (0, True)
    (evidence / "mail" / "mail.log").unlink()
    wrong = CliRunner().invoke(cli.main, ["verify", str(tmp_path / "case"), "--json"])
    assert wrong.exit_code == 1
    assert json.loads(wrong.stdout)["ok"] is False
