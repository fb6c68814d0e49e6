"""The evidence beside the logs: messages, saved configuration, saved queue listings, Rspamd's history."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from mailforensics import schema
from mailforensics.evidence import mailbox
from mailforensics.evidence.config import ServerConfig, dovecot_config, own_of, postfix_config
from mailforensics.evidence.queue import queue_entries
from mailforensics.evidence.source import Found, Source
from mailforensics.findings.dsn import Bounces, may_be_notification
from mailforensics.grammar.rspamd.history import read_history
from mailforensics.headers.message import document_id, read_messages
from mailforensics.limits import Limits

Frame = pl.DataFrame

TABLES = ("documents", "headers", "hops", "auth_results", "queue_entries", "dsns")


@dataclass(frozen=True)
class Aside:
    """What was read beside the logs: tables in polars, verdicts, configuration, and what is ours."""

    tables: dict[str, Frame]
    scans: Frame
    configs: tuple[ServerConfig, ...]
    own: tuple[str, ...]


def read_aside(
    found: Found,
    own: Sequence[str],
    limits: Limits,
    known: Iterable[ServerConfig] = (),
    progress: Callable[[int, int], None] | None = None,
) -> Aside:
    """Read messages, configuration, queue listings and filter history.

    What is ours is what the user named; when that is nothing, what the saved configuration says. ``progress`` is called
    with (bytes read, bytes in all), logs counted as read already.
    """
    configs = (
        *known,
        *(_config(source, limits) for source in found.sources if source.role in ("postconf", "doveconf")),
    )
    ours = tuple(own) or tuple(own_of(configs))
    bounces = Bounces(limits)
    read = read_messages(_watched(_mails(found, limits, progress), bounces), own=ours, limits=limits)
    queues = [
        queue_entries(_bytes(source, limits), source_id=source.source_id, time=source.mtime)
        for source in found.sources
        if source.role == "queue"
    ]
    tables = {name: read.frames[name] for name in TABLES if name in read.frames}
    tables["dsns"] = bounces.frame().rename({"message": "document_id"})
    tables["queue_entries"] = pl.concat(queues) if queues else schema.empty("queue_entries")
    return Aside(tables, _scans(read.frames["scans"], found, limits), configs, ours)


def _mails(
    found: Found, limits: Limits, progress: Callable[[int, int], None] | None
) -> Iterator[tuple[int, int, bytes]]:
    """The messages of all sources, one at a time; how far it came is told after each source."""
    sizes = {source.source_id: source.decompressed_size or source.size for source in found.sources}
    total = sum(sizes.values())
    done = sum(sizes[source.source_id] for source in found.sources if source.role == "log")
    for source in found.sources:
        if source.role in ("message", "mbox"):
            yield from mailbox.messages(source, limits=limits)
            done += sizes[source.source_id]
            if progress is not None:
                progress(min(done, total), total)


def _watched(mails: Iterable[tuple[int, int, bytes]], bounces: Bounces) -> Iterator[tuple[int, int, bytes]]:
    """The same messages; what notifications among them say is read as they pass by."""
    for source_id, offset, data in mails:
        if may_be_notification(data):
            bounces.add(document_id(source_id, offset), data)
        yield source_id, offset, data


def _config(source: Source, limits: Limits) -> ServerConfig:
    text = _bytes(source, limits).decode("utf-8", "backslashreplace")
    return (
        postfix_config(text, source.name) if source.role == "postconf" else dovecot_config(text, source.name)
    )


def _bytes(source: Source, limits: Limits) -> bytes:
    with source.open(limits) as stream:
        return stream.read(limits.message_bytes)


def _scans(headers: Frame, found: Found, limits: Limits) -> Frame:
    """Verdicts of message headers and of Rspamd's history."""
    histories = [read_history(_bytes(source, limits)) for source in found.sources if source.role == "history"]
    parts = [schema.conform("scans", part) for part in (headers, *histories) if part.height]
    return pl.concat(parts, how="diagonal_relaxed") if parts else headers
