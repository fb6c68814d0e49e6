"""Queue lives: a short queue id comes back within hours, so a message is (host, instance, queue id, which life).

    3F2A1C0B2: client=...          a life begins (or with uid=, or with cleanup's message-id for mail that Postfix made itself)
    3F2A1C0B2: removed             a life ends (or removed (canceled), removed (discarded), postsuper)
    3F2A1C0B2: client=...          the id is back: the next life

Lines that come a moment after the end belong to it still (syslog may change the order of neighbours). A log that
begins or ends in the middle of a life gives a life all the same; ``messages.complete`` says so.
The key of a life is the event_id of its first line: stable when more evidence is added behind. A line with client= is always the
first of its life, so it names the message that it brings without a look at the queue.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from mailforensics.link.hosts import Hosts
from mailforensics.link.log import Log

Frame = pl.DataFrame

STRAGGLER_S = 5  # lines this long after the end of a life still belong to it

_BEGIN, _NAMED, _END = 1, 2, 3
_MARKS = {
    "postfix.smtpd.client": _BEGIN,
    "postfix.pickup": _BEGIN,
    "postfix.cleanup.message_id": _NAMED,
    "postfix.removed": _END,
}


def lives(log: Log, hosts: Hosts) -> Frame:
    """Which life each line with a queue id belongs to: event_id, message_key, time, and the key columns host, queue, queue_id.

    ``queue`` is the Postfix instance that owns the queue (``postfix/submission`` and ``postfix`` are one). The lines of a
    life stand together, in order of time.
    """
    events = log.events.lazy().filter(pl.col("system") == "postfix")
    rows = events.select("event_id", "time", "host", "instance", "queue_id", "kind").collect()
    if not rows.height:
        return rows.select(
            "event_id", pl.col("event_id").alias("message_key"), "time", "host", pl.col("instance").alias("queue"), "queue_id"
        )  # fmt: skip
    rows = in_time(rows)
    rows = rows.with_columns(hosts.queue(rows), pl.col("host").replace(hosts.same).alias("host_key"))
    rows = _marked(rows, log)
    rows = rows.with_columns(key=pl.struct("host_key", "queue", "queue_id").hash())
    return _split(rows.sort("key", maintain_order=True))


def in_time(rows: Frame) -> Frame:
    """Rows in order of time, then of reading; a log is nearly always in that order already."""
    ordered = rows["time"].is_sorted() and rows["event_id"].is_sorted()
    return (
        rows if ordered and not rows["time"].null_count() else rows.sort("time", "event_id", nulls_last=True)
    )


def _marked(rows: Frame, log: Log) -> Frame:
    """What each line says of a life's begin and end."""
    mark = pl.col("kind").replace_strict(_MARKS, default=0, return_dtype=pl.Int8)
    rows = rows.with_columns(mark=mark)
    gone = log.kind("postfix.postsuper", "action")
    if gone.height and "action" in gone.columns:
        ends = gone.filter(pl.col("action").is_in(["removed", "requeued"]))["event_id"]
        rows = rows.with_columns(
            mark=pl.when(pl.col("event_id").is_in(ends.implode()))
            .then(pl.lit(_END, dtype=pl.Int8))
            .otherwise("mark")
        )
    return rows


def _split(rows: Frame) -> Frame:
    """Number the lives: `rows` sorted by key and time."""
    changed = (rows["key"] != rows["key"].shift()) | (rows["queue_id"] != rows["queue_id"].shift())
    first = changed.fill_null(True).to_numpy()
    mark = rows["mark"].to_numpy()
    seconds = rows["time"].dt.epoch("us").fill_null(0).to_numpy() / 1e6
    before = _last_before(mark > 0, first)
    state = np.where(before >= 0, mark[before], 0)
    late = seconds - seconds[before] > STRAGGLER_S
    orphan = ((mark == 0) | (mark == _END)) & (state == _END) & late
    follows_orphan = np.concatenate([[False], orphan[:-1]]) & ~first
    starts = first | (mark == _BEGIN) | ((mark == _NAMED) & (state != _BEGIN)) | (orphan & ~follows_orphan)
    life = np.cumsum(starts)
    heads = np.flatnonzero(starts)
    keys = rows["event_id"].to_numpy()[heads]
    return rows.select(
        "event_id", "time", pl.col("host_key").alias("host"), "queue", "queue_id"
    ).insert_column(1, pl.Series("message_key", keys[life - 1]))


def _last_before(marked: np.ndarray, first: np.ndarray) -> np.ndarray:
    """For each row the index of the last marked row before it in its group (-1: there is none)."""
    index = np.arange(len(marked))
    last = np.maximum.accumulate(np.where(marked, index, -1))
    before = np.concatenate([[-1], last[:-1]])
    begin = np.maximum.accumulate(np.where(first, index, 0))
    return np.where(before >= begin, before, -1)
