"""A watched page for each test, and one JupyterLab for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.browser.machine import Seen, Server, jupyter, watched


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def page(browser: Any, seen: Seen) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1280, "height": 1600})
    yield watched(context, seen)
    context.close()


@pytest.fixture(scope="session")
def lab(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed: pip install jupyterlab")
    folder, home = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("home")
    with jupyter("jupyterlab", folder, home) as server:
        yield server
