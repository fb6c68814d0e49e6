"""A stranger's path through the docs: each command and each piece of Python in them runs as written on the sample data."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest
from click.testing import CliRunner

import mailforensics
from mailforensics import cli
from mailforensics.grammar import grammars

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
MADE = {"lines.md", "commands.md", "api.md"}
PAGES = [
    DOCS / "tutorial.md",
    *sorted((DOCS / "how-to").glob("*.md")),
    *sorted((DOCS / "explanation").glob("*.md")),
]
BLOCK = re.compile(r"^```(console|python|toml)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def blocks(page: Path) -> list[tuple[str, str]]:
    return BLOCK.findall(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=lambda page: page.stem)
def test_what_a_page_says_works_one_after_the_other(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data")
    monkeypatch.chdir(tmp_path)
    for kind, text in blocks(page):
        if kind == "toml":
            (tmp_path / "mailforensics.toml").write_text(text, encoding="utf-8")
        elif kind == "python":
            exec(compile(text, str(page), "exec"), {})  # noqa: S102
        else:
            run_commands(text)


def run_commands(text: str) -> None:
    commands = re.findall(r"^\$ mailforensics (.+?)(?:   # exit code ([0-9]))?$", text, re.MULTILINE)
    assert commands
    for command, code in commands:
        result = CliRunner().invoke(cli.main, shlex.split(command))
        wanted = {int(code)} if code else {0, 1} if command.startswith("batch") else {0}
        assert result.exit_code in wanted, f"{command}: {result.output}"


def test_each_task_has_its_page() -> None:
    assert len(list((DOCS / "how-to").glob("*.md"))) >= 9
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    for page in PAGES:
        assert page.relative_to(DOCS).with_suffix("").as_posix() in index


def test_every_command_is_documented_with_its_help(generate: ModuleType) -> None:
    page = generate.commands_page()
    for name, command in cli.main.commands.items():
        assert f"## {name}\n" in page
        assert isinstance(command, click.Command)
        assert all(
            option in page
            for parameter in command.params
            for option in parameter.opts
            if option.startswith("--")
        )


def test_every_public_name_is_documented(generate: ModuleType) -> None:
    page = generate.api_page()
    for name in mailforensics.__all__:
        assert f"## {name}\n" in page
    assert "### Case.trace\n" in page


def test_every_kind_of_line_is_on_the_page_of_the_shapes(generate: ModuleType) -> None:
    page = generate.lines_page()
    assert [
        shape.kind for grammar in grammars() for shape in grammar.shapes if f"| `{shape.kind}` |" not in page
    ] == []


# --- The worked example of a package of one's own -------------------------------------------------------------------------

USE = """
import io
import mailforensics as mf
from mailforensics.grammar import grammars
from mailforensics.show import neighbours, report

event = mf.parse_lines(["Mar  2 10:02:11 mx gatekeeper[7]: let in bob@example.org from 192.0.2.7"], year=2026)[0]
assert event["kind"] == "gatekeeper.let_in", event
assert event["fields"]["recipient"] == "bob@example.org"
answer = mf.classify_replies([{"text": "554 5.7.1 refused by gateway rule 7"}])
assert answer["cause_rule"][0].as_py() == "house.gateway", answer
case = mf.open_case("sample_data/lost-in-sieve")
large = [row for row in case.findings("notice").to_pylist() if row["rule"] == "house.large_mail"]
assert large and all(row["evidence"] and row["certainty"] == "seen" for row in large), large
assert large[0]["sentence"] in report.markdown(case, sections=["incidents"]).replace("\\\\", "")
assert "## Mail at night" in report.markdown(case, sections=["night"])
out = io.BytesIO()
assert neighbours.write(case, "senders", out) > 0
assert b"alex@example.com" in out.getvalue()
"""


def test_the_worked_example_of_an_own_package_works_when_it_is_installed(tmp_path: Path) -> None:
    install = ["-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target", str(tmp_path)]
    subprocess.run(
        [sys.executable, *install, str(DOCS / "examples" / "house_rules")], check=True, capture_output=True
    )
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"}
    done = subprocess.run(
        [sys.executable, "-c", USE], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
