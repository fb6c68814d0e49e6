"""How fast, next to its neighbours: ``make bench`` ingests a log of a million lines, beside wc and pflogsumm.

Each program runs on its own, one after the other, on the same file; time is wall time, memory the peak of the process.
The tables that come out are compared with the truth that the generator knows, so that speed is not bought with errors.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import generate


def measure(program: Sequence[str]) -> tuple[float, float]:
    """Wall seconds and peak MB of a program; its output is thrown away."""
    begun = time.perf_counter()
    process = os.posix_spawn(
        program[0], program, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    )
    _, status, usage = os.wait4(process, 0)
    if status:
        sys.exit(f"{' '.join(program)} failed")
    return time.perf_counter() - begun, usage.ru_maxrss / 1024


def programs(log: Path, case: Path) -> dict[str, list[str]]:
    """What is measured; a neighbour that is not installed is left out."""
    ours = [sys.executable, "-m", "mailforensics.cli", "ingest", str(log), "-o", str(case)]
    named = {"wc -l": ("wc", "-l", str(log)), "pflogsumm": ("pflogsumm", str(log))}
    found = {name: [path, *rest] for name, (tool, *rest) in named.items() if (path := shutil.which(tool))}
    return {**found, "mailforensics ingest": ours}


def differences(case: Path, truth: dict[str, int]) -> list[str]:
    """Where the tables differ from the truth."""
    import mailforensics

    opened = mailforensics.open_case(case)
    summary = opened.summary()
    counts = {**summary["counts"], "lines": summary["lines"]}
    missed = [
        f"{name}: {counts[name]} instead of {wanted}"
        for name, wanted in truth.items()
        if counts[name] != wanted
    ]
    return missed + [
        f"{row['lines']} lines of {row['program']} not understood" for row in summary["not_understood"]
    ]


def main() -> None:
    """Generate, measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--log", type=Path, help="measure on this log instead of a generated one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = given.log or Path(folder) / "mail.log"
        truth = {} if given.log else generate.write(log, given.lines)
        total = truth.get("lines") or sum(1 for _ in log.open("rb"))
        print(f"{total:,} lines, {log.stat().st_size / 1e6:.0f} MB, {os.cpu_count()} cores")
        for name, program in programs(log, Path(folder) / "case").items():
            seconds, peak = measure(program)
            print(f"{name:22} {seconds:8.2f} s {total / seconds:14,.0f} lines/s {peak:8.0f} MB")
        wrong = differences(Path(folder) / "case", truth)
        print(json.dumps({"truth": truth, "differences": wrong}))
        sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
