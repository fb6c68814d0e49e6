"""The desk to work at: the notebooks in a folder of one's own, and JupyterLab opened there.

    mailforensics lab ~/mail

A copy that somebody has worked in is never written over; one that nobody touched is renewed when the toolkit has a newer
one. What was copied stands with its SHA-256 in a small file beside the notebooks, so that the two can be told apart.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mailforensics import samples
from mailforensics.errors import EvidenceError, OptionError

FIRST = "01_where_is_my_mail.ipynb"
_RECORD = ".mailforensics-notebooks.json"


@dataclass(frozen=True)
class Copied:
    """What became of one notebook: ``copied``, ``renewed``, ``current`` (there already) or ``kept`` (yours is changed)."""

    path: Path
    what: str


def copy_notebooks(folder: Path) -> list[Copied]:
    """Copy the notebooks of the toolkit into a folder, but never over one that was changed there.

    Raises EvidenceError where the folder cannot be written.
    """
    sources = sorted(samples.folder("notebooks").glob("*.ipynb"))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        before = _record(folder / _RECORD)
        done = [_copy(source, folder / source.name, before.get(source.name)) for source in sources]
        after = before | dict(_given(done, sources))
        (folder / _RECORD).write_text(json.dumps(after, indent=1, sort_keys=True), encoding="utf-8")
    except OSError as error:
        raise EvidenceError(
            f"Cannot put the notebooks into {folder}: {error.strerror}. Name another folder."
        ) from error
    return done


def _copy(source: Path, target: Path, given: str | None) -> Copied:
    """Copy one notebook; ``given`` is the SHA-256 of what was copied to that place before."""
    content = source.read_bytes()
    if not target.exists():
        target.write_bytes(content)
        return Copied(target, "copied")
    there = target.read_bytes()
    if there == content:
        return Copied(target, "current")
    if hashlib.sha256(there).hexdigest() != given:
        return Copied(target, "kept")
    target.write_bytes(content)
    return Copied(target, "renewed")


def _record(file: Path) -> dict[str, str]:
    try:
        known = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return known if isinstance(known, dict) else {}


def _given(done: Sequence[Copied], sources: Sequence[Path]) -> Iterator[tuple[str, str]]:
    for copy, source in zip(done, sources, strict=True):
        if copy.what != "kept":
            yield source.name, hashlib.sha256(source.read_bytes()).hexdigest()


def open_lab(folder: Path, options: Sequence[str] = (), *, browser: bool = True) -> None:
    """Start JupyterLab in a folder, at the first notebook; it runs until it is stopped.

    Raises OptionError when JupyterLab is not installed.
    """
    if importlib.util.find_spec("jupyterlab") is None:
        raise OptionError(
            "JupyterLab is not installed: pip install 'mailforensics-notebooks[lab]'. "
            f"The notebooks lie in {folder}, and any other Jupyter can open them."
        )
    from jupyterlab.labapp import LabApp

    start = [f"--ServerApp.root_dir={folder.resolve()}", f"--LabApp.default_url=/lab/tree/{FIRST}"]
    LabApp.launch_instance(argv=[*start, *([] if browser else ["--no-browser"]), *options])
