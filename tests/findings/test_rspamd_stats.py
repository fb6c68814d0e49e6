"""Rspamd's own statistics beside ours on the same log: equal for every symbol and action, but for the lines it drops.

``rspamd_stats`` is the Perl script of Debian's rspamd package (``rspamadm logstats`` of later releases counts in the same
way). It skips verdicts without symbols and with a score ``nan``, and loses the symbols behind one whose option
holds a ``]``.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import mailforensics as mf
from bench import generate
from mailforensics.findings.spam import action_statistics, symbol_statistics

PEER = shutil.which("rspamd_stats")
LINES = 20_000
COLUMNS = {
    "hits": "hits",
    "ham_hits": "ham_hits",
    "spam_hits": "spam_hits",
    "junk_hits": "junk_hits",
    "spam_change": "spam_flips",
    "junk_change": "junk_flips",
}
needs_the_peer = pytest.mark.skipif(
    PEER is None, reason="rspamd_stats is not installed (it comes with the Debian package rspamd)"
)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    log = tmp_path_factory.mktemp("plain") / "rspamd.log"
    generate.write_rspamd(log, LINES)
    return log


def peer(log: Path) -> dict[str, Any]:
    program = [str(PEER), "--json", "--alpha=0.1", f"--log={log}"]
    answer = subprocess.run(program, capture_output=True, text=True, check=True)
    counted: dict[str, Any] = json.loads(answer.stdout)
    return counted


def ours(log: Path) -> tuple[int, dict[str, int], dict[str, dict[str, int]]]:
    """Scans, scans by action, and per symbol the counts under the peer's names."""
    scans = mf.open_case(log).polars("scans")
    actions = {row["action"]: row["scans"] for row in action_statistics(scans).to_dicts()}
    symbols = symbol_statistics(scans, reject_score=15.0, all_symbols=False).to_dicts()
    return (
        scans.height,
        actions,
        {row["symbol"]: {name: row[column] for name, column in COLUMNS.items()} for row in symbols},
    )


def peers_symbols(counted: dict[str, Any]) -> dict[str, dict[str, int]]:
    """The peer leaves the changes of a symbol out whose weights add up to nothing."""
    return {
        symbol: {name: int(row.get(name, 0)) for name in COLUMNS}
        for symbol, row in counted["symbols"].items()
    }


def with_quirks(log: Path, target: Path) -> Counter[str]:
    """Every hundredth line is one that the peer drops, and another one that it reads to the first bracket only."""
    done: Counter[str] = Counter()
    with target.open("w", encoding="utf-8") as out:
        for number, line in enumerate(log.read_text("utf-8").splitlines()):
            before, _, rest = line.partition("/15.00] [")
            symbols, _, after = rest.partition("]), len:")
            kind = {1: "cut", 2: "empty", 3: "nan"}.get(number % 100, "")
            if kind == "cut":
                symbols = "SUBJ_TAG(1.00){[EXT] hi;}," + symbols
            elif kind == "empty":
                symbols = ""
            elif kind == "nan":
                before = before[: before.rindex("[") + 1] + "nan"
            done[kind] += 1
            out.write(f"{before}/15.00] [{symbols}]), len:{after}\n")
    return done


@needs_the_peer
def test_every_symbol_and_action_is_counted_as_rspamd_stats_counts_it(plain: Path) -> None:
    theirs = peer(plain)
    scans, actions, symbols = ours(plain)
    assert scans == theirs["total"] == LINES
    assert actions == theirs["actions"]
    assert len(symbols) >= 8
    assert symbols == peers_symbols(theirs)


@needs_the_peer
def test_where_the_counts_differ_the_peer_has_dropped_lines_or_cut_them(plain: Path, tmp_path: Path) -> None:
    quirky, left = tmp_path / "quirky.log", tmp_path / "left.log"
    done = with_quirks(plain, quirky)
    lines = quirky.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if " [])" not in line and "[nan/" not in line]
    left.write_text("".join(("SUBJ_TAG" in each and _cut(each)) or each for each in kept), "utf-8")
    theirs = peer(quirky)
    scans, actions, symbols = ours(quirky)
    assert (scans, sum(actions.values())) == (LINES, LINES)
    assert theirs["total"] == LINES - done["empty"] - done["nan"]
    assert symbols["SUBJ_TAG"]["hits"] == done["cut"]
    assert symbols != peers_symbols(theirs)
    scans, actions, symbols = ours(left)
    assert (scans, actions, symbols) == (theirs["total"], theirs["actions"], peers_symbols(theirs))


def _cut(line: str) -> str:
    """What the peer sees of a line with a bracket in an option: the symbol that holds it, and none behind it."""
    before, _, rest = line.partition("SUBJ_TAG(1.00){[EXT] hi;}")
    return f"{before}SUBJ_TAG(1.00){{}}{rest[rest.index(']), len:') :]}"


def test_lines_that_the_peer_drops_are_counted_by_us(plain: Path, tmp_path: Path) -> None:
    done = with_quirks(plain, tmp_path / "quirky.log")
    scans = mf.open_case(tmp_path / "quirky.log").polars("scans")
    assert scans.height == LINES
    assert int((scans["symbols"].list.len() == 0).sum()) == done["empty"] > 0
    assert int((scans["score"].is_nan() | scans["score"].is_null()).sum()) == done["nan"] > 0
