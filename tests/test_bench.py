from __future__ import annotations

import json
import os
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


def test_a_message_that_is_told_otherwise_is_a_difference(tmp_path: Path) -> None:
    script = (
        "import sys, generate, bench; from pathlib import Path; import mailforensics as mf\n"
        "folder = Path(sys.argv[1]); truth = generate.write(folder / 'mail.log', 2000)\n"
        "mf.ingest(folder / 'mail.log', folder / 'case')\n"
        "truth['described'][1]['sender'] = 'mallory@example.com'; truth['sent'] += 1\n"
        "print(len(bench.differences(folder / 'case', truth)))\n"
    )
    path = {"PYTHONPATH": f"{BENCH}:{BENCH.parent}"}
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **path},
    )
    assert result.stdout.split() == ["2"]
