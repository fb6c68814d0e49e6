"""The journal of this machine: asked without a shell, kept like any log, its refusals told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import mailforensics as mf

LINE = {"__REALTIME_TIMESTAMP": "1772442131000000", "_HOSTNAME": "mail", "SYSLOG_IDENTIFIER": "postfix/qmgr", "_PID": "7",
        "MESSAGE": "3F2A1C0B2: removed"}  # fmt: skip


def journalctl(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tool = folder / "journalctl"
    tool.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_journal_is_evidence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "asked"
    journalctl(tmp_path, f"echo \"$@\" > {asked}; echo '{json.dumps(LINE)}'", monkeypatch)
    case = mf.open_case("journal:since=2 hours ago,unit=postfix@-")
    assert case.table("events")["kind"].to_pylist() == ["postfix.removed"]
    assert case.table("sources")["path"].to_pylist() == ["journal:since=2 hours ago,unit=postfix@-"]
    assert asked.read_text(encoding="utf-8").split() == [
        "--output=json", "--no-pager", "--all", "--since=2", "hours", "ago", "--unit=postfix@-",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("script", "said"), [("echo no such unit >&2; exit 1", "no such unit"), ("true", "holds no line")]
)
def test_what_journalctl_refuses_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    journalctl(tmp_path, script, monkeypatch)
    with pytest.raises(mf.EvidenceError, match=said):
        mf.open_case("journal:")


def test_a_machine_without_a_journal_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(mf.EvidenceError, match="no journalctl"):
        mf.open_case("journal:")


def test_only_since_until_and_unit_can_be_asked() -> None:
    with pytest.raises(mf.EvidenceError, match="since, until and unit"):
        mf.open_case("journal:file=/etc/shadow")
