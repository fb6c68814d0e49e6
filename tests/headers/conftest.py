"""Real cases that lie beside the project; tests that use them say so when they are not there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SHARED_CASES = Path(__file__).parents[3] / "shared" / "cases"


@pytest.fixture
def cases() -> Callable[[str], list[dict[str, Any]]]:
    """The cases of a file of ``../shared/cases``, as dicts."""

    def read(name: str) -> list[dict[str, Any]]:
        file = SHARED_CASES / name
        if not file.exists():
            pytest.skip(f"../shared/cases/{name} is not there")
        return [json.loads(line) for line in file.read_text("utf-8").splitlines()]

    return read
