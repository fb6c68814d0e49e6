"""Names out of archives and attachments are data (S7): none of them decides where a file is written."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

import mailforensics as mf
from mailforensics.custody import verify

LINE = b"Mar  2 10:02:11 mail postfix/qmgr[22]: 3F2A1C0B2: removed\n"
CLIMBS = tuple(
    "../" * depth + name for depth in (1, 2, 8) for name in ("x", "etc/passwd", ".ssh/authorized_keys")
)
BAD_NAMES = (
    *CLIMBS,
    *(name.replace("/", "\\") for name in CLIMBS),
    *(f"a/{name}" for name in CLIMBS),
    "/x", "//x", "/etc/passwd", "/usr/../x", "C:\\x", "C:/x", "c:x", "\\\\host\\share\\x", "file:///etc/passwd",
    ".", "..", "./..", "...", "a/..", "a/../../x", "./../x", "x/", "~", "~/x", "~root/x", "$HOME/x", "%2e%2e%2fx", "..%2fx",
    "x\ny", "x\ty", "x\x1b[2Jy", "\u202ex", "CON", "NUL", "aux.txt", "x.", "x ", " x", "-rf", "--output=x", "|x", ";x", "`x`", "$(x)",
    "a" * 200, "a/" * 60 + "x", "\u2025/x", "\uff0e\uff0e/x", "é" * 60,
)  # fmt: skip
assert len(set(BAD_NAMES)) >= 60


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A place deep enough that a name which climbs would leave a trace above it."""
    deep = tmp_path / "a" / "b" / "c"
    deep.mkdir(parents=True)
    return deep


def everything(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*")}


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_in_archives_are_kept_as_data(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    with tarfile.open(folder / "logs.tar", "w") as tar, zipfile.ZipFile(folder / "logs.zip", "w") as archive:
        for number, name in enumerate(BAD_NAMES):
            info = tarfile.TarInfo(name)
            info.size = len(LINE * (number + 1))
            tar.addfile(info, io.BytesIO(LINE * (number + 1)))
            archive.writestr(zipfile.ZipInfo(name), b"\n" + LINE * (number + 1))
    before = everything(tmp_path)
    for archive_name in ("logs.tar", "logs.zip"):
        case = mf.ingest(folder / archive_name, folder / f"case-{archive_name}", year=2026)
        assert case.table("events").num_rows >= sum(range(1, 50))
        case.report(path=folder / "report.html")
    new = everything(tmp_path) - before
    assert {name.split("/")[3] for name in new} == {"case-logs.tar", "case-logs.zip", "report.html"}
    assert not [name for name in new if not name.startswith("a/b/c/")]


def test_names_of_attachments_are_kept_as_data(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    before = everything(tmp_path)
    for name in BAD_NAMES:
        quoted = name.replace("\\", "\\\\").replace("\n", " ")
        data = (
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain\n"
            f'Content-Disposition: attachment; filename="{quoted}"\n\nx\n--b--\n'
        ).encode()
        parts = mf.read_headers(data).parts
        assert parts["filename"].to_pylist()[-1] == name.replace("\n", " ")
    assert everything(tmp_path) == before


def test_members_of_one_name_are_each_read(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "logs.tar.gz", "w:gz") as tar:
        for data in (LINE, LINE * 2, LINE * 3):
            info = tarfile.TarInfo("mail.log")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    case = mf.open_case(tmp_path / "logs.tar.gz", year=2026)
    assert sorted(case.table("sources")["events"].to_pylist()) == [1, 2, 3]


def test_files_are_read_whatever_they_are_called(tmp_path: Path) -> None:
    """Names with a line break, and with bytes that are no text: told as text, and found again."""
    logs = tmp_path / "logs"
    logs.mkdir()
    names = (
        b"mail\xff.log",
        b"mail\n.log",
        b"mail \x1b[2J.log",
        "b\u00fcro.log".encode(),
        b"-x.log",
        b"<script>.log",
        b"mail\\x41.log",
    )
    for number, name in enumerate(names, start=1):
        (logs / os.fsdecode(name)).write_bytes(LINE * number)
    case = mf.ingest(logs, tmp_path / "case", year=2026)
    told = {row["path"].rsplit("/", 1)[1]: row["events"] for row in case.table("sources").to_pylist()}
    assert told["mail\\xff.log"] == 1
    assert sorted(told.values()) == [1, 2, 3, 4, 5, 6, 7]
    assert verify(tmp_path / "case").ok
    assert mf.ingest(logs, tmp_path / "case", year=2026).table("events").num_rows == sum(told.values())
    (logs / os.fsdecode(names[0])).write_bytes(LINE * 2)
    assert [row["status"] for row in verify(tmp_path / "case").inputs].count("same") == 6
