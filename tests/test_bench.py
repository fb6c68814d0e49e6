from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[1] / "bench"


def test_the_generator_writes_the_same_bytes_again_and_as_many_lines_as_it_says(tmp_path: Path) -> None:
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    for log in logs:
        subprocess.run(
            [sys.executable, BENCH / "generate.py", log, "--lines", "2000"], check=True, capture_output=True
        )
    assert logs[0].read_bytes() == logs[1].read_bytes()
    truth = json.loads((tmp_path / "one.log.truth.json").read_text(encoding="utf-8"))
    assert truth["lines"] == len(logs[0].read_bytes().splitlines()) >= 2000


def test_what_is_ingested_is_what_the_generator_knows() -> None:
    bench = [sys.executable, BENCH / "bench.py", "--lines", "2000"]
    result = subprocess.run(bench, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    assert json.loads(result.stdout.splitlines()[-1])["differences"] == []
