"""Bad input: a clear message that names the file and says what to do, or a row that says so; never a traceback."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import mailforensics as mf
from mailforensics.cli import main

LINE = b"Mar  2 10:02:11 mail postfix/qmgr[7]: 3F2A1C0B2: removed\n"
LOG = LINE * 50


def test_a_missing_path_is_named() -> None:
    with pytest.raises(mf.EvidenceError, match=r"'nowhere\.log'"):
        mf.open_case("nowhere.log")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.log", b"", "empty file"),
        ("noise.bin", bytes(range(256)) * 40, "binary file"),
        ("notes.txt", b"hello\nworld\n", "no line of it looks like a mail log"),
    ],
)
def test_what_is_no_evidence_is_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(mf.NoEvidenceError, match=said):
        mf.open_case(path)
    answer = CliRunner().invoke(main, ["open", str(path)])
    assert answer.exit_code in (1, 2)
    assert name in answer.output
    assert "Traceback" not in answer.output


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(mf.NoEvidenceError, match="holds no files"):
        mf.open_case(tmp_path)


def test_a_truncated_gzip_gives_what_can_be_read_and_records_the_cut(tmp_path: Path) -> None:
    lines = [
        b"Mar  2 10:02:%02d mail postfix/qmgr[%d]: 3F2A1C0B%d: removed\n" % (i % 60, i, i)
        for i in range(3000)
    ]
    whole = gzip.compress(b"".join(lines))
    path = tmp_path / "mail.log.2.gz"
    path.write_bytes(whole[: len(whole) // 2])
    case = mf.open_case(path, year=2026)
    [source] = case.table("sources").to_pylist()
    assert 500 < source["events"] < 3000
    assert any("truncated" in hit for hit in source["limits_hit"])
    assert any("truncated" in note for note in case.summary()["notable"])


@pytest.mark.parametrize("compress", [gzip.compress, bz2.compress, lzma.compress])
def test_compression_is_known_by_content_not_by_name(
    tmp_path: Path, compress: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "log-of-march"
    path.write_bytes(compress(LOG))
    assert mf.open_case(path, year=2026).table("events").num_rows == 50


def test_zstd_is_read(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    path = tmp_path / "mail.log.zst"
    path.write_bytes(zstandard.ZstdCompressor().compress(LOG))
    assert mf.open_case(path, year=2026).table("events").num_rows == 50


def test_archives_are_read_member_by_member(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "logs.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("../../var/log/mail.log")
        info.size = len(LOG)
        tar.addfile(info, io.BytesIO(LOG))
    with zipfile.ZipFile(tmp_path / "logs.zip", "w") as archive:
        archive.writestr("/etc/mail.log", LOG + LINE)
    case = mf.open_case([tmp_path / "logs.tar.gz", tmp_path / "logs.zip"], year=2026)
    assert case.table("events").num_rows == 101
    assert sorted(case.table("sources")["member"].to_pylist()) == ["../../var/log/mail.log", "/etc/mail.log"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["logs.tar.gz", "logs.zip"]


def test_the_same_bytes_given_twice_are_counted_once_and_said_so(tmp_path: Path) -> None:
    (tmp_path / "mail.log").write_bytes(LOG)
    (tmp_path / "copy.log.gz").write_bytes(gzip.compress(LOG))
    case = mf.open_case(tmp_path, year=2026)
    assert case.table("events").num_rows == 50
    assert any("same bytes" in note for note in case.summary()["notable"])


def test_a_file_of_a_folder_that_is_no_evidence_is_left_alone_and_named(tmp_path: Path) -> None:
    (tmp_path / "mail.log").write_bytes(LOG)
    (tmp_path / "README").write_text("about this folder", encoding="utf-8")
    case = mf.open_case(tmp_path, year=2026)
    assert case.summary()["left_alone"] == [str(tmp_path / "README")]


def test_a_log_without_mail_is_named_in_every_answer(tmp_path: Path) -> None:
    path = tmp_path / "kern.log"
    path.write_bytes(b"Mar  2 10:02:11 mail kernel: [1] eth0 up\n" * 5)
    case = mf.open_case(path, year=2026)
    assert case.summary()["silent"] == [str(path)]
    assert case.trace(to="bob").to_dict()["searched"]["silent"] == [str(path)]
    assert "kern.log" in repr(case)


@pytest.mark.parametrize("zone", ["Europe/Berln", "Mars/Olympus", "", "../etc/passwd"])
def test_a_wrong_time_zone_is_refused(zone: str) -> None:
    with pytest.raises(mf.OptionError, match="time zone"):
        mf.open_case(Path(__file__), timezone={"*": zone})


def test_a_bomb_is_cut_and_the_cut_recorded(tmp_path: Path) -> None:
    limits = mf.Limits(expansion=10, expansion_floor=1 << 20, piece_bytes=1 << 18)
    path = tmp_path / "bomb.gz"
    path.write_bytes(gzip.compress(LOG + b"\0" * 50_000_000))
    case = mf.open_case(path, year=2026, limits=limits)
    [source] = case.table("sources").to_pylist()
    assert source["events"] == 51
    assert any("expansion" in hit for hit in source["limits_hit"])


BOMBS: dict[str, tuple[Callable[[bytes], bytes], bytes]] = {
    "gzip": (gzip.compress, b"\0"),
    "bzip2": (bz2.compress, b"\0"),
    "xz": (lzma.compress, b"\0"),
    "empty lines": (bz2.compress, b"\n"),
    "one line again and again": (gzip.compress, LINE),
}
MEASURED = (
    "import resource, sys; import mailforensics as mf; "
    "case = mf.open_case(sys.argv[1], year=2026); "
    "usage = resource.getrusage(resource.RUSAGE_SELF); "
    "print(usage.ru_maxrss // 1024, usage.ru_utime + usage.ru_stime, case.table('sources')['limits_hit'].to_pylist())"
)


@pytest.mark.parametrize("name", BOMBS)
def test_ten_gigabytes_in_a_small_file_cost_neither_memory_nor_time(tmp_path: Path, name: str) -> None:
    """10 GB behind the lines of a log (S5): under 5 s of processor time, and little more memory than for the log alone."""
    compress, filling = BOMBS[name]
    path = tmp_path / "mail.log.1"
    one = compress(filling * ((10 << 20) // len(filling)))
    with path.open("wb") as out:
        out.write(compress(LOG))
        for _ in range(1030):
            out.write(one)
    megabytes, seconds, hits = _measured(path)
    (tmp_path / "mail.log").write_bytes(LOG)
    usual = _measured(tmp_path / "mail.log")[0]
    assert "expansion: more than" in hits
    assert seconds < 5
    assert megabytes - usual < (256 if filling == b"\0" else 1024)


def _measured(path: Path) -> tuple[int, float, str]:
    run = subprocess.run([sys.executable, "-c", MEASURED, path], capture_output=True, text=True, check=True)
    megabytes, seconds, hits = run.stdout.split(" ", 2)
    return int(megabytes), float(seconds), hits


def test_an_overlong_line_is_one_row_that_says_so(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_bytes(LINE + b"Mar  2 10:02:11 mail postfix/smtpd[1]: " + b"x" * 3_000_000 + b"\n" + LINE)
    for piece in (1 << 17, 1 << 24):
        case = mf.open_case(path, year=2026, limits=mf.Limits(piece_bytes=piece))
        rows = case.table("events").to_pylist()
        assert [row["parse_status"] for row in rows] == ["ok", "oversize", "ok"]
        assert rows[1]["byte_length"] == 3_000_039
        assert len(rows[1]["text"]) < 70_000
        assert rows[2]["byte_offset"] == len(LINE) + 3_000_040


def test_bytes_that_are_not_utf8_are_shown_and_offsets_stay(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    odd = b"Mar  2 10:02:11 mail postfix/cleanup[1]: 3F2A1C0B2: message-id=<a\xff\x00b@example.com>\r\n"
    path.write_bytes(odd + LINE.rstrip(b"\n"))
    rows = mf.open_case(path, year=2026).table("events").to_pylist()
    assert rows[0]["message_id"] == "<a\\xff\x00b@example.com>"
    assert (rows[1]["byte_offset"], rows[1]["parse_status"]) == (len(odd), "ok")
