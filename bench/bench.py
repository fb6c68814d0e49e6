"""How fast, next to its neighbours: ``make bench`` ingests a log of a million lines, beside wc, pflogsumm and logwatch.

Each program runs on its own, one after the other, on the same file; wall and processor time, memory is the peak of the
process. The tables that come out are compared with the truth that the generator knows (counts, and messages that it describes), so
that speed is not bought with errors; then one question is asked of the saved case. Then the parser alone (framing and all fields, one core), Postfix lines and Rspamd task lines, beside rspamd_stats.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import generate

if TYPE_CHECKING:
    from mailforensics.case import Case


def measure(program: Sequence[str]) -> tuple[float, float, float]:
    """Wall seconds, processor seconds and peak MB of a program; its output is thrown away."""
    begun = time.perf_counter()
    process = os.posix_spawn(
        program[0], program, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)]
    )
    _, status, usage = os.wait4(process, 0)
    if status:
        sys.exit(f"{' '.join(program)} failed")
    return time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def _says_anything(watch: Path, log: Path) -> bool:
    """Whether logwatch reads lines of this log at all: stamps of RFC 3339 it passes over, which is no speed to compare with."""
    with log.open("rb") as lines:
        head = b"".join(line for _, line in zip(range(5000), lines, strict=False))
    environment = {**os.environ, "LOGWATCH_DATE_RANGE": "all"}
    program = [shutil.which("perl") or "perl", str(watch)]
    said = subprocess.run(program, input=head, capture_output=True, env=environment, check=False).stdout  # noqa: S603 (a program of Debian)
    if not said.strip():
        print("logwatch postfix       left out: it reads none of these lines")
    return bool(said.strip())


def programs(log: Path, case: Path) -> dict[str, list[str]]:
    """What is measured; a neighbour that is not installed is left out."""
    ours = [sys.executable, "-m", "mailforensics.cli", "ingest", str(log), "-o", str(case)]
    named: dict[str, tuple[str, ...]] = {
        "wc -l": ("wc", "-l", str(log)),
        "pflogsumm": ("pflogsumm", str(log)),
    }
    watch = Path("/usr/share/logwatch/scripts/services/postfix")
    if watch.is_file() and _says_anything(watch, log):
        # the reader of logwatch alone, on standard input, as logwatch itself calls it
        named["logwatch postfix"] = ("sh", "-c", f"LOGWATCH_DATE_RANGE=all perl {watch} < {log}")
    everywhere = (
        f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"  # Debian puts pflogsumm where root looks
    )
    found = {
        name: [path, *rest]
        for name, (tool, *rest) in named.items()
        if (path := shutil.which(tool, path=everywhere))
    }
    return {**found, "mailforensics ingest": ours}


def differences(case: Path, truth: dict[str, Any]) -> list[str]:
    """Where the tables differ from the truth: its counts, and each message that it describes."""
    import mailforensics

    opened = mailforensics.open_case(case)
    summary = opened.summary()
    counts = {**summary["counts"], "lines": summary["lines"]}
    missed = [
        f"{name}: {counts[name]} instead of {wanted}"
        for name, wanted in truth.items()
        if name != "described" and counts[name] != wanted
    ]
    return [
        *missed,
        *misread(opened, truth.get("described", [])),
        *(f"{row['lines']} lines of {row['program']} not understood" for row in summary["not_understood"]),
    ]


def misread(case: Case, described: list[dict[str, Any]]) -> list[str]:
    """The messages that the truth describes and the tables tell otherwise."""
    import polars as pl

    if not described:
        return []
    names = [name for name in ("queue_id", "message_id", "sender", "size") if name in described[0]]
    messages = case.scan("messages").select("message_key", *names).collect()
    last = case.scan("deliveries").select("message_key", "time", "recipient", "status").collect()
    last = last.sort("time").unique("message_key", keep="last").drop("time")
    told = messages.join(last, on="message_key").select(*names, "recipient", "status")
    wanted = pl.DataFrame(described, schema=told.schema)
    return [f"not as described: {row}" for row in wanted.join(told, on=told.columns, how="anti").iter_rows()]


def described_by(log: Path) -> dict[str, Any]:
    """The truth beside a log that came from elsewhere, as far as its names are understood: counts and described messages."""
    beside = log.with_name(log.name + ".truth.json")
    if not beside.is_file():
        return {}
    known = json.loads(beside.read_text(encoding="utf-8"))
    written = known.get("written", {})
    counts = {name: written[name] for name in ("sent", "deferred", "bounced") if name in written}
    if "message_id" in written:
        counts["messages"] = written["message_id"]
    whole = [
        {"queue_id": row["qid"], "message_id": row["msgid"], "sender": row["sender"],
         "recipient": row["rcpt"][0][0], "status": row["rcpt"][0][1]}
        for row in known.get("sample", []) if len(row["rcpt"]) == 1
    ]  # fmt: skip
    return {**counts, "lines": known["lines"], "described": whole}


def question(case: Path) -> list[str]:
    """A trace of one recipient of the case: a new process each, as at the command line."""
    import polars as pl

    import mailforensics

    known = mailforensics.open_case(case).scan("deliveries").select(pl.col("recipient").drop_nulls().get(-1))
    return [sys.executable, "-m", "mailforensics.cli", "trace", str(case), "--to", known.collect().item()]


def rspamd_differences(log: Path, peer: str) -> list[str]:
    """Counts of symbols and actions that are not those of rspamd_stats."""
    import mailforensics
    from mailforensics.findings.spam import action_statistics, symbol_statistics

    answer = subprocess.run(  # noqa: S603 (the program that is compared)
        [peer, "--json", "--alpha=0.1", f"--log={log}"], capture_output=True, text=True, check=True
    )
    theirs = json.loads(answer.stdout)
    scans = mailforensics.open_case(log).polars("scans")
    ours = {row["action"]: row["scans"] for row in action_statistics(scans).to_dicts()}
    counted = {
        row["symbol"]: row
        for row in symbol_statistics(scans, reject_score=15.0, all_symbols=False).to_dicts()
    }
    names = {"hits": "hits", "ham_hits": "ham_hits", "spam_hits": "spam_hits", "junk_hits": "junk_hits",
             "spam_change": "spam_flips", "junk_change": "junk_flips"}  # fmt: skip
    wrong = [f"action {name}" for name in ours.keys() | theirs["actions"].keys()
             if ours.get(name) != theirs["actions"].get(name)]  # fmt: skip
    wrong += [f"symbol {name}" for name in counted.keys() ^ theirs["symbols"].keys()]
    return wrong + [
        f"{symbol} {name}: {counted[symbol][mine]} instead of {row[name]:.0f}"
        for symbol, row in theirs["symbols"].items()
        for name, mine in names.items()
        if name in row and symbol in counted and counted[symbol][mine] != row[name]
    ]


def report(name: str, lines: int, wall: float, processor: float, peak: float) -> None:
    """One line of the comparison."""
    print(
        f"{name:22} {wall:8.2f} s {processor:8.2f} CPU s {lines / processor:12,.0f} lines/CPU s {peak:8.0f} MB"
    )


def parser_alone(system: str, log: Path) -> None:
    """Framing and all fields on one core, without linking or writing: a process of its own, imports not counted."""
    program = (
        "import sys, time\n"
        "from mailforensics.evidence.lines import pieces\n"
        "from mailforensics.reading import parse_piece\n"
        "whole = list(pieces(open(sys.argv[1], 'rb')))\n"
        "parse_piece(whole[0])\n"
        "begun, lines = time.process_time(), 0\n"
        "for piece in whole:\n"
        "    lines += parse_piece(piece).events.height\n"
        "print(lines, time.process_time() - begun)\n"
    )
    environment = {**os.environ, "POLARS_MAX_THREADS": "1"}
    answer = subprocess.run(  # noqa: S603 (our own program)
        [sys.executable, "-c", program, str(log)], env=environment, capture_output=True, text=True, check=True
    )
    lines, seconds = answer.stdout.split()
    print(
        f"parser alone, {system:8} {float(seconds):17.2f} CPU s {int(lines) / float(seconds):12,.0f} lines/CPU s"
    )


def main() -> None:
    """Generate, measure, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--log", type=Path, help="measure on this log instead of a generated one")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        log = given.log or Path(folder) / "mail.log"
        truth = described_by(log) if given.log else generate.write(log, given.lines)
        total = truth.get("lines") or sum(1 for _ in log.open("rb"))
        print(f"{total:,} lines, {log.stat().st_size / 1e6:.0f} MB, {os.cpu_count()} cores")
        for name, program in programs(log, Path(folder) / "case").items():
            report(name, total, *measure(program))
        report("mailforensics trace", total, *measure(question(Path(folder) / "case")))
        parser_alone("Postfix", log)
        rspamd_log = Path(folder) / "rspamd.log"
        tasks = generate.write_rspamd(rspamd_log, given.lines // 5)
        if (peer := shutil.which("rspamd_stats")) is not None:
            report("rspamd_stats", tasks, *measure([peer, f"--log={rspamd_log}"]))
            print(f"rspamd_stats counts otherwise: {rspamd_differences(rspamd_log, peer) or 'nothing'}")
        parser_alone("Rspamd", rspamd_log)
        wrong = differences(Path(folder) / "case", truth)
        known = truth | {"described": len(truth.get("described", []))}
        print(json.dumps({"truth": known, "differences": wrong}))
        sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
