"""Per daemon how many lines are understood: ``make coverage-of-lines`` over the sample data and, where they are there, the shared cases.

Lines of other programs (cron, the kernel) are no mail lines and not counted. A line that is not understood is printed,
three examples a daemon, since a number alone cannot be worked on.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl

import mailforensics as mf

ROOT = Path(__file__).parents[1]
CASES = ("postfix_logwatch", "postfix_npm", "dovecot", "rspamd")
COUNTS = ("ok", "partial", "unparsed", "oversize", "continuation")


def sample_events() -> Iterator[tuple[str, pl.DataFrame]]:
    """The mail events of each sample case, named by the Debian generation that made it."""
    for folder in sorted(path.parent for path in (ROOT / "sample_data").glob("*/expected.json")):
        suite = json.loads((folder / "expected.json").read_text(encoding="utf-8"))["suite"]
        yield (
            f"sample_data ({suite})",
            mf.open_case(folder).polars("events").select("system", "daemon", "parse_status", "text"),
        )


def case_events() -> Iterator[tuple[str, pl.DataFrame]]:
    """The lines of the shared cases that have a prefix."""
    for name in CASES:
        path = ROOT.parent / "shared" / "cases" / f"{name}.jsonl"
        if path.is_file():
            rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
            events = mf.parse_lines([row["line"] for row in rows if "line" in row], year=2026)
            framed = [event for event in events if event["framing"] is not None]
            yield (
                f"cases/{name}",
                pl.DataFrame(framed, infer_schema_length=None).select(
                    "system", "daemon", "parse_status", "text"
                ),
            )


def main() -> int:
    """Print the table and the examples; exit code 1 when a mail line of the samples is not understood."""
    parts = [
        events.filter((pl.col("system") != "other") | (pl.col("parse_status") != "ok")).with_columns(
            where=pl.lit(where)
        )
        for where, events in (*sample_events(), *case_events())
    ]
    whole = pl.concat(parts, how="vertical_relaxed")
    counts = whole.group_by("where", "system", "daemon").agg(
        pl.len().alias("lines"), *[(pl.col("parse_status") == word).sum().alias(word) for word in COUNTS]
    )
    print(f"{'':24} {'system':12} {'daemon':22}" + "".join(f"{word:>13}" for word in ("lines", *COUNTS)))
    for row in counts.sort("where", "system", "daemon", nulls_last=True).iter_rows(named=True):
        numbers = "".join(f"{row[word]:13,}" for word in ("lines", *COUNTS))
        print(f"{row['where']:24} {row['system']:12} {row['daemon'] or '-':22}{numbers}")
    missed = whole.filter(pl.col("parse_status").is_in(["unparsed", "oversize"]))
    for (where, daemon), rows in missed.group_by("where", "daemon", maintain_order=True):
        print(f"\nnot understood, {where}, {daemon}:")
        print("\n".join(f"  {text[:200]!r}" for text in rows["text"].head(3)))
    return int(missed.filter(pl.col("where").str.starts_with("sample_data")).height > 0)


if __name__ == "__main__":
    sys.exit(main())
