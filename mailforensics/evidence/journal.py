"""The journal of this machine as evidence: what ``journalctl -o json`` gives for the mail programs.

    mailforensics open --journal "since=2 hours ago"

journalctl is run without a shell, its output kept in a temporary file that is read like any other log. Source: journalctl(1),
systemd.journal-fields(7).
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from mailforensics.errors import EvidenceError

PROGRAM = "journalctl"
SECONDS = 600  # more than a journal of any size needs; a hanging journalctl is ended then


def save_journal(
    target: Path, *, since: str | None = None, until: str | None = None, units: Sequence[str] = ()
) -> None:
    """Write the journal (of some time, of some units) as JSON lines into a file.

    Raises EvidenceError when there is no journalctl, when it refuses the times or units, or when nothing is found.
    """
    tool = shutil.which(PROGRAM)
    if tool is None:
        raise EvidenceError("There is no journalctl on this machine: give the log files instead.")
    command = [tool, "--output=json", "--no-pager", "--all"]
    command += [f"--since={since}"] if since else []
    command += [f"--until={until}"] if until else []
    command += [f"--unit={unit}" for unit in units]
    with target.open("wb") as out:
        try:
            done = subprocess.run(command, stdout=out, stderr=subprocess.PIPE, timeout=SECONDS, check=False)  # noqa: S603 (no shell, fixed program)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise EvidenceError(f"journalctl did not answer: {error}.") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise EvidenceError(f"journalctl refused: {said[-1] if said else f'exit code {done.returncode}'}.")
    if not target.stat().st_size:
        raise EvidenceError("The journal holds no line for these units and times.")
