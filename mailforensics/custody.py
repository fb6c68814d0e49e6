"""Whether a saved case still agrees with its evidence: what `mailforensics verify CASE` asks.

    case/manifest.json      the inputs with size and SHA-256 before they were read, what was assumed, the outputs with SHA-256

Each input is hashed again, random events are read again from their source by byte offset, and the tables of the case are hashed.
Nothing is written.
"""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from mailforensics.errors import EvidenceError, OptionError
from mailforensics.evidence.names import source_name
from mailforensics.evidence.source import Source, file_hash, find, real_path
from mailforensics.grammar import syslog
from mailforensics.limits import DEFAULT, Limits
from mailforensics.reading import parse_lines
from mailforensics.store import Store

EVENTS = 200  # events that are read again, over all sources

SENTENCES = {
    "same": "The same bytes as when it was read.",
    "changed": "Its bytes are not those that were read: find the original, or ingest again.",
    "grown": "It has grown since; what was read of it is still there.",
    "missing": "It is not there any more: bring it back to its path, or keep the copy with the case.",
    "events differ": "Lines that were read stand no more at their place: find the original, or ingest again.",
    "stream": "It came in by standard input: there is nothing to compare with.",
    "damaged": "A table of the case was changed after it was written: ingest the evidence again.",
}


@dataclass(frozen=True)
class Verification:
    """What a verification found. ``ok`` says whether all is as it was (a log that only grew is).

    inputs    a row for each source: source, status, sentence, size, sha256, events_checked, events_equal
    outputs   a row for each file of the case that is not what was written: part, status, sentence
    """

    inputs: list[dict[str, Any]]
    outputs: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.outputs and all(row["status"] in ("same", "grown", "stream") for row in self.inputs)

    def to_dict(self) -> dict[str, Any]:
        """The answer as plain data."""
        checked = sum(row["events_checked"] for row in self.inputs)
        equal = sum(row["events_equal"] for row in self.inputs)
        return {"ok": self.ok, "events_checked": checked, "events_equal": equal, "inputs": self.inputs,
                "outputs": self.outputs}  # fmt: skip


def verify(
    case: str | os.PathLike[str], *, events: int = EVENTS, seed: int | None = None, limits: Limits = DEFAULT
) -> Verification:
    """Compare a saved case with its evidence.

    events   how many events, drawn at random over all sources, are read again by byte offset
    seed     makes the draw repeatable

    Raises CaseError when the case cannot be read, OptionError for a negative number of events.
    """
    if events < 0:
        raise OptionError(f"{events} events cannot be read again: give 0 or more.")
    store = Store.open(case)
    drawn = _draw(store, events, seed)
    contents = {row["source_id"]: row for row in store.about.get("contents", [])}
    rows = []
    for known in store.read("sources").sort("source_id").iter_rows(named=True):
        sample = drawn.filter(pl.col("source_id") == known["source_id"])
        rows.append(_input(known, contents.get(known["source_id"]), sample, limits))
    return Verification(rows, [*_changed_outputs(store)])


def _draw(store: Store, events: int, seed: int | None) -> pl.DataFrame:
    """Some events at random, in the order of their source."""
    columns = ("source_id", "byte_offset", "byte_length", "text")
    known = store.scan("events").select("event_id", *columns)
    ids = known.select("event_id").collect()["event_id"]
    chosen = random.Random(seed).sample(range(len(ids)), min(events, len(ids)))  # noqa: S311  a draw, no secret
    wanted = ids.gather(chosen)
    rows = known.filter(pl.col("event_id").is_in(wanted.implode())).select(columns).collect()
    return rows.sort("source_id", "byte_offset")


def _input(
    known: Mapping[str, Any], content: Mapping[str, Any] | None, sample: pl.DataFrame, limits: Limits
) -> dict[str, Any]:
    source = _found(known, limits)
    status, equal, checked = _status(known, source), 0, 0
    if source is not None and status != "missing":
        equal, checked = _read_again(source, sample, limits), sample.height
        if status == "changed" and equal == checked and _begins_as_before(source, content, limits):
            status = "grown"
        elif status in ("same", "grown") and equal != checked:
            status = "events differ"
    return {"source": source_name(dict(known)), "status": status, "sentence": SENTENCES[status], "size": known["size"],
            "sha256": known["sha256"], "events_checked": checked, "events_equal": equal}  # fmt: skip


def _found(known: Mapping[str, Any], limits: Limits) -> Source | None:
    """The source as it lies there now."""
    if known["path"] == "-":
        return None
    try:
        sources = find([real_path(known["path"])], syslog.frame, limits=limits).sources
    except EvidenceError:
        return None
    return next((source for source in sources if source.member == known["member"]), None)


def _status(known: Mapping[str, Any], source: Source | None) -> str:
    if known["path"] == "-":
        return "stream"
    if source is None:
        return "changed" if Path(real_path(known["path"])).is_file() else "missing"
    return "same" if file_hash(source) == known["sha256"] else "changed"


def _begins_as_before(source: Source, content: Mapping[str, Any] | None, limits: Limits) -> bool:
    """Whether what was read then is still the beginning of the source."""
    if content is None:
        return False
    digest, left = hashlib.sha256(), content["bytes"]
    with source.open(limits) as stream:
        while left and (block := stream.read(min(left, 1 << 20))):
            digest.update(block)
            left -= len(block)
    return not left and digest.hexdigest() == content["sha256"]


def _read_again(source: Source, sample: pl.DataFrame, limits: Limits) -> int:
    """How many of the events say the same when their bytes are read again."""
    equal, at = 0, 0
    with source.open(limits) as stream:
        for offset, length, text in sample.select("byte_offset", "byte_length", "text").iter_rows():
            while at < offset and (gap := stream.read(min(offset - at, 1 << 20))):
                at += len(gap)
            line = stream.read(length)
            at += len(line)
            equal += len(line) == length and _says(line, text or "")
    return equal


def _says(line: bytes, text: str) -> bool:
    """Whether a line holds the text of its event; secrets are masked in both, and a long line is cut in both."""
    if line.decode("utf-8", "backslashreplace").rstrip("\r").endswith(text):
        return True
    return any(event["text"] == text for event in parse_lines([line]))


def _changed_outputs(store: Store) -> Iterable[dict[str, Any]]:
    for part, written in sorted(store.outputs.items()):
        if store.measure(part) != written:
            yield {"part": part, "status": "damaged", "sentence": SENTENCES["damaged"]}
