"""What a source is called in answers."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import polars as pl

_DEEPEST = 8  # parts of a path


def source_name(row: Mapping[str, Any]) -> str:
    """The path of a source, with the member of an archive behind an exclamation mark.

    >>> source_name({"path": "logs.tar.gz", "member": "mx/mail.log"})
    'logs.tar.gz!mx/mail.log'
    """
    return f"{row['path']}!{row['member']}" if row.get("member") else str(row["path"])


def source_names(sources: pl.DataFrame) -> dict[int, str]:
    """Short names of the sources, by source_id: as much of the path as tells them apart."""
    parts = {row["source_id"]: source_name(row).split(os.sep) for row in sources.iter_rows(named=True)}
    depth = 1
    while depth < _DEEPEST and len({tuple(p[-depth:]) for p in parts.values()}) < len(parts):
        depth += 1
    return {key: os.sep.join(p[-depth:]) for key, p in parts.items()}
