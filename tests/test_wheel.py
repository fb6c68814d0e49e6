"""What one installs: the wheel holds the package, its templates, the sample cases and the notebooks, and no lab."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
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
