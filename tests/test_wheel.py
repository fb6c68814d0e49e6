"""What one installs: the wheel holds the package, its templates, the sample cases and the notebooks, and no lab."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    return set(zipfile.ZipFile(wheel).namelist())


def test_the_sample_cases_are_in_the_wheel_and_the_lab_is_not(names: set[str]) -> None:
    assert "mailforensics/_sample_data/lost-in-sieve/expected.json" in names
    assert "mailforensics/_sample_data/lost-in-sieve/mx/mail.log" in names
    assert not [name for name in names if "/lab/" in name or "__pycache__" in name]


def test_templates_notebooks_and_the_typing_mark_are_in_the_wheel(names: set[str]) -> None:
    assert "mailforensics/_notebooks/01_where_is_my_mail.ipynb" in names
    assert "mailforensics/show/templates/trace.html" in names
    assert "mailforensics/py.typed" in names


def test_every_file_of_the_package_is_in_the_wheel(names: set[str]) -> None:
    package = ROOT / "mailforensics"
    files = [path for path in package.rglob("*") if path.is_file() and path.suffix not in (".pyc", ".pyo")]
    missing = [
        path.relative_to(ROOT).as_posix() for path in files if path.relative_to(ROOT).as_posix() not in names
    ]
    assert missing == []


# --- Installed, with nothing of a developer's around --------------------------------------------------------------------------


def closure(requirements: Iterable[str]) -> set[str]:
    """The distributions that these requirements bring, and theirs, here and now; extras as they are asked for."""
    wanted = [Requirement(text) for text in requirements]
    found: set[str] = set()
    seen: set[tuple[str, frozenset[str]]] = set()
    while wanted:
        asked = wanted.pop()
        if (asked.name, frozenset(asked.extras)) in seen:
            continue
        seen.add((asked.name, frozenset(asked.extras)))
        found.add(asked.name)
        for text in importlib.metadata.requires(asked.name) or []:
            needed = Requirement(text)
            extras = asked.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                wanted.append(needed)
    return found


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with the wheel in it and what the wheel requires, and nothing else."""
    folder = tmp_path_factory.mktemp("site")
    zipfile.ZipFile(wheel).extractall(folder)
    metadata = next(folder.glob("*.dist-info")) / "METADATA"
    lines = [
        line
        for line in metadata.read_text(encoding="utf-8").splitlines()
        if line.startswith("Requires-Dist: ")
    ]
    required = [Requirement(line.removeprefix("Requires-Dist: ")) for line in lines]
    plain = [
        str(it).split(";")[0] for it in required if it.marker is None or it.marker.evaluate({"extra": ""})
    ]
    for name in closure(plain):
        for file in importlib.metadata.files(name) or []:
            if file.parts[0] in ("..", "__pycache__") or (folder / file.parts[0]).exists():
                continue
            (folder / file.parts[0]).symlink_to(
                Path(str(file.locate())).parents[len(file.parts) - 2]
                if len(file.parts) > 1
                else Path(str(file.locate()))
            )
    return folder


def run(site: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.path.insert(0, {str(site)!r}); from mailforensics.cli import main; main(prog_name='mailforensics')"
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    command = [sys.executable, "-I", "-S", "-c", program, *arguments]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)


def test_the_environment_has_no_developers_packages(site: Path, tmp_path: Path) -> None:
    there = {path.name for path in site.iterdir()}
    assert {"polars", "pyarrow", "matplotlib"} <= there
    assert (
        not {"pytest", "hypothesis", "mypy", "openpyxl", "playwright", "jupyterlab", "weasyprint", "sphinx"}
        & there
    )
    assert run(site, tmp_path, "--version").stdout.startswith("mailforensics, version ")


def test_installed_alone_it_helps_traces_a_sample_and_writes_reports(site: Path, tmp_path: Path) -> None:
    helped = run(site, tmp_path, "--help")
    assert (helped.returncode, "trace" in helped.stdout, helped.stderr) == (0, True, "")
    told = run(site, tmp_path, "demo", "lost-in-sieve", "--report", "report.html")
    assert (told.returncode, told.stderr) == (0, "")
    assert "DISCARDED BY SIEVE" in told.stdout
    assert "default-src" in (tmp_path / "report.html").read_text(encoding="utf-8")
    sample = str(site / "mailforensics" / "_sample_data" / "bounced")
    assert run(site, tmp_path, "report", sample, "-o", "tables.xlsx").returncode == 0
    assert (tmp_path / "tables.xlsx").read_bytes().startswith(b"PK")
    lacks = run(site, tmp_path, "report", sample, "--section", "summary", "-o", "report.pdf")
    assert (lacks.returncode, "pip install 'mailforensics-notebooks[pdf]'" in lacks.stderr) == (2, True)


def test_installed_alone_it_lists_its_samples_and_copies_its_notebooks(site: Path, tmp_path: Path) -> None:
    listed = run(site, tmp_path, "demo", "--list")
    assert {line.split()[0] for line in listed.stdout.splitlines()} >= {
        "lost-in-sieve",
        "bounced",
        "week",
        "phish",
    }
    assert run(site, tmp_path, "notebooks", "work").returncode == 0
    assert sorted(path.name for path in (tmp_path / "work").iterdir()) == sorted(
        path.name for path in (ROOT / "notebooks").glob("*.ipynb")
    )
