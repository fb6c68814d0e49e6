"""The bar while evidence is read: bytes of logs and of messages, up to all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

import mailforensics
from mailforensics.show.progress import bar


def test_messages_count_as_well_as_logs(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.eml").write_text(f"From: a@example.org\nSubject: {number}\n\n" + "x" * 1000)
    calls: list[tuple[int, int]] = []
    mailforensics.open_case(tmp_path, progress=lambda done, total: calls.append((done, total)))
    size = sum(file.stat().st_size for file in tmp_path.iterdir())
    assert len(calls) == 5
    assert calls == sorted(calls)
    assert calls[-1] == (size, size)


def test_a_bar_is_drawn_on_standard_error_only_when_wanted_and_seen(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.eml").write_text("From: a@example.org\nSubject: x\n\nx")
    mailforensics.open_case(tmp_path)
    assert capsys.readouterr() == ("", "")
    mailforensics.open_case(tmp_path, progress=True)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then takes standard error for a terminal
    mailforensics.open_case(tmp_path, progress=True)
    out, error = capsys.readouterr()
    assert out == ""
    assert "Reading" in error


def test_a_function_stays_as_it_is() -> None:
    def own(done: int, total: int) -> None: ...

    with bar(own) as advance:
        assert advance is own
    with bar(False) as advance:
        assert advance is None
