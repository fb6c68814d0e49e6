"""Draws docs/trace.svg, the picture of the README, from what the command line really prints.

``python docs/picture.py docs/trace.svg``; the picture follows the light or dark theme of the page it stands on.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rich.cells import cell_len

from mailforensics.show.escape import html

COMMAND = ("trace", "sample_data/lost-in-sieve", "--to", "bob@example.org", "--from", "alex@example.com")
ROW, COLUMN, MARGIN = 18, 7.3, 16
STYLE = """
  rect { fill: #f6f8fa; } text { fill: #1c2127; font: 12px ui-monospace, monospace; white-space: pre; }
  .asked { fill: #0b5a94; } .answer { fill: #a3341c; font-weight: bold; }
  @media (prefers-color-scheme: dark) {
    rect { fill: #161b22; } text { fill: #e6edf3; } .asked { fill: #7cc1f2; } .answer { fill: #ff9f84; }
  }
"""


def printed() -> list[str]:
    """The lines of the command and of its answer."""
    program = [sys.executable, "-m", "mailforensics.cli", *COMMAND]
    answer = subprocess.run(program, capture_output=True, text=True, check=True).stdout  # noqa: S603
    asked = " ".join(f'"{word}"' if " " in word else word for word in COMMAND)
    return [f"$ mailforensics {asked}", "", *answer.rstrip().splitlines()]


def drawn(lines: list[str]) -> str:
    """The lines as SVG."""
    width = round(2 * MARGIN + COLUMN * max(map(cell_len, lines)))
    height = 2 * MARGIN + ROW * len(lines)
    rows = [_row(line, MARGIN + ROW * (at + 0.75)) for at, line in enumerate(lines) if line]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="A trace">'
    return "\n".join(
        [head, f"<style>{STYLE}</style>", '<rect width="100%" height="100%" rx="8"/>', *rows, "</svg>", ""]
    )


def _row(line: str, down: float) -> str:
    kind = "asked" if line.startswith("$") else "answer" if "DISCARDED" in line else "plain"
    return f'<text class="{kind}" x="{MARGIN}" y="{down:g}" xml:space="preserve">{html(line)}</text>'


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(drawn(printed()), encoding="utf-8")
