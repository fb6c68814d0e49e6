"""The house: imports only look down, the front door opens quickly, and nothing reaches out or runs data."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "mailforensics"
FLOORS = {"evidence": 0, "grammar": 1, "headers": 1, "link": 2, "findings": 3, "show": 4}
EVERYWHERE = {"errors", "limits", "plugins", "schema"}
FRONT = 5  # the modules of the package itself: case, cli and so on
MODULES = sorted(PACKAGE.rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module_name(path) for path in MODULES}


def room(module: str) -> str:
    """The part of the package that a module such as mailforensics.show.text is in."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def floor(module: str) -> int:
    return FLOORS.get(room(module), FRONT)


def type_checking_only(tree: ast.Module) -> set[ast.AST]:
    blocks = [
        it for it in ast.walk(tree) if isinstance(it, ast.If) and ast.unparse(it.test) == "TYPE_CHECKING"
    ]
    return {inner for block in blocks for inner in ast.walk(block)}


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports at run time, also inside functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = type_checking_only(tree)
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            assert node.module
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from {name if name in NAMES else node.module for name in names}


@functools.cache
def own_imports(path: Path) -> set[str]:
    return {name for name in imports(path) if name.split(".")[0] == "mailforensics"}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_a_floor_imports_only_the_floors_below_it_and_what_all_may_use(path: Path) -> None:
    here = module_name(path)
    if floor(here) == FRONT:
        return
    upwards = [
        name
        for name in own_imports(path)
        if room(name) not in EVERYWHERE and room(name) != room(here) and floor(name) >= floor(here)
    ]
    assert not upwards, f"{here} imports {', '.join(upwards)}"


@pytest.mark.parametrize("name", sorted(EVERYWHERE))
def test_what_all_may_use_stands_on_nothing_but_errors(name: str) -> None:
    assert own_imports(PACKAGE / f"{name}.py") <= {"mailforensics.errors"}


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_no_import_goes_round_in_a_circle(path: Path) -> None:
    graph = {module_name(it): own_imports(it) for it in MODULES}
    start = module_name(path)
    seen: set[str] = set()
    ahead = set(graph[start])
    while ahead:
        name = ahead.pop()
        assert name != start
        if name not in seen:
            seen.add(name)
            ahead |= graph.get(name, set())


def test_importing_the_package_takes_less_than_0_3_seconds_and_loads_no_engine() -> None:
    program = (
        "import time, sys; begun = time.perf_counter(); import mailforensics; "
        "print(time.perf_counter() - begun, 'polars' in sys.modules, 'pandas' in sys.modules)"
    )
    runs = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    seconds, *loaded = min(run.stdout.split() for run in runs)
    assert float(seconds) < 0.3
    assert loaded == ["False", "False"]


def test_no_name_of_the_front_door_is_hidden_by_a_module() -> None:
    program = (
        "import importlib, pkgutil, types, mailforensics as mf\n"
        "for module in pkgutil.walk_packages(mf.__path__, 'mailforensics.'):\n"
        "    importlib.import_module(module.name)\n"
        "print([name for name in mf.__all__ if name not in ('lesson', 'samples', 'schema', 'widgets')\n"
        "       and isinstance(getattr(mf, name), types.ModuleType)])"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said == "[]\n"


FORBIDDEN = {"pickle", "marshal", "shelve", "authres", "tldextract", "requests", "urllib.request", "socket"}


# The newer policies of the standard library take quadratic time on hostile fields; compat32 does not.
QUADRATIC = re.compile(r"policy(\.| import )(default|strict|SMTP|SMTPUTF8|HTTP)|EmailPolicy")


@pytest.mark.parametrize("path", MODULES, ids=module_name)
def test_no_module_runs_data_or_reaches_out(path: Path) -> None:
    assert not set(imports(path)) & FORBIDDEN
    assert not QUADRATIC.search(path.read_text(encoding="utf-8"))
