"""S12: the same evidence gives the same bytes, in every form that leaves, whatever Python hashes and however many threads there are."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mailforensics import samples, schema
from mailforensics.show import export, neighbours, report

WRITE = """
import sys
from pathlib import Path
import mailforensics as mf
from mailforensics import schema
from mailforensics.show import export, neighbours

evidence, out = sys.argv[1], Path(sys.argv[2])
case = mf.open_case(evidence)
for kind in ("html", "md", "pdf", "xlsx"):
    case.report(out / f"report.{kind}", traces=[case.trace(to="example")], messages=sorted(Path(evidence).glob("messages/*.eml"))[:2])
for name in schema.TABLES:
    table = case.table(name)
    if "opened_at" in table.column_names:  # says when it was read
        table = table.drop_columns(["opened_at"])
    for kind, write in export.FORMATS.items():
        with (out / f"{name}.{kind}").open("wb") as file:
            write(table, file)
for name in neighbours.neighbours():
    with (out / f"to-{name}").open("wb") as file:
        neighbours.write(case, name, file)
"""


def written(folder: Path, seed: str, threads: str) -> dict[str, str]:
    """The hash of each file that a process of its own wrote."""
    folder.mkdir()
    settings = {
        "PYTHONHASHSEED": seed,
        "POLARS_MAX_THREADS": threads,
        "TZ": "UTC" if seed == "1" else "Asia/Kathmandu",
    }
    command = [sys.executable, "-c", WRITE, str(samples.path("phish")), str(folder)]
    root = str(Path(__file__).parents[1])
    run = subprocess.run(
        command, env=os.environ | settings | {"PYTHONPATH": root}, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, str], dict[str, str]]:
    folder = tmp_path_factory.mktemp("runs")
    return written(folder / "one", "1", "1"), written(folder / "two", "2", "4")


def test_every_form_was_written(runs: tuple[dict[str, str], dict[str, str]]) -> None:
    forms = {f"report.{kind}" for kind in report.FORMATS} | {f"to-{name}" for name in neighbours.neighbours()}
    forms |= {f"{name}.{kind}" for name in schema.TABLES for kind in export.FORMATS}
    assert set(runs[0]) == forms


def test_two_processes_write_the_same_bytes(runs: tuple[dict[str, str], dict[str, str]]) -> None:
    assert [name for name in sorted(runs[0]) if runs[0][name] != runs[1][name]] == []
