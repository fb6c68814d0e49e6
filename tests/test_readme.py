"""What the README says works: its commands, its Python, its links, and what its picture shows."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from mailforensics import cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [path for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")) if "_build" not in path.parts]


@pytest.fixture
def tour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in that holds the sample data, as a clone does."""
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_of_the_tour_work_one_after_the_other(tour: Path) -> None:
    commands = re.findall(r"^\$ mailforensics (.+)$", README, re.MULTILINE)
    assert len(commands) >= 7
    for command in commands:
        result = CliRunner().invoke(cli.main, shlex.split(command))
        assert result.exit_code == 0, f"{command}: {result.output}"
        assert result.stdout
    assert (tour / "out" / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_answer_of_the_tour_is_the_one_of_the_picture(tour: Path) -> None:
    (command, *_) = re.findall(r"^\$ mailforensics (trace .+)$", README, re.MULTILINE)
    answer = CliRunner().invoke(cli.main, shlex.split(command)).stdout
    picture = "".join(ElementTree.parse(ROOT / "docs" / "trace.svg").getroot().itertext())  # noqa: S314  our own file
    assert "∅ DISCARDED BY SIEVE    (seen)" in answer
    assert "∅ DISCARDED BY SIEVE    (seen)" in picture
    assert f"$ mailforensics {command}" in picture


def test_the_python_of_the_tour_works(tour: Path) -> None:
    (program,) = re.findall(r"```python\n(.+?)```", README, re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(program, "README.md", "exec"), names)  # noqa: S102
    assert "case" in names


def test_every_make_target_that_is_named_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert {"demo", "test", "lint", "types", "docs", "bench", "sample-data"} <= targets
    for page in PAGES:
        named = set(
            re.findall(
                r"`make ([a-z-]+)`|^    make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE
            )
        )
        assert {one or other for one, other in named} <= targets, page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_command_is_in_the_readme() -> None:
    assert [
        name
        for name in cli.main.commands
        if f"`{name}`" not in README and f"mailforensics {name}" not in README
    ] == []
