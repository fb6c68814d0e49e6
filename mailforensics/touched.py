"""What new lines touch in a saved case: only that is linked again; everything else stays as it lies on disk.

A queue entry is touched by a new line that tells of it, that names it, or that says a word that it says too (``link/outline.py``),
directly or by way of others; a connection by a new line of its process. Whatever happened within an hour of the new lines counts as
touched, since some links are made by time alone. The words of the old lines were kept when they were read.

Where that would not give what one reading of all evidence gives (new message files or settings, hosts that were not known, a
clock that was set, another release), everything is linked again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from mailforensics.link.build import Lanes
from mailforensics.link.hosts import CLOCKS, NEAR_S, Hosts
from mailforensics.link.journeys import tried
from mailforensics.link.log import QUEUE, Frame, of_mail, of_talk
from mailforensics.link.outline import node_of, talker_of
from mailforensics.store import OUTLINE, Store

WINDOW = dt.timedelta(hours=1)
MOST = 0.5  # share of the old lines from which on linking all of it again is no more work

_LOOKED_AT = [
    "event_id", "source_id", "byte_offset", "time", "host", "system", "instance", "daemon", "pid", "queue_id", "session_id", "message_id", "kind",
]  # fmt: skip
_MAIL_TABLES = ("messages", "deliveries", "rejects", "scans", "mailbox_events")


@dataclass
class Fresh:
    """What is noted of the new lines while they are read."""

    mail: list[pl.Series] = field(default_factory=list)
    talk: list[pl.Series] = field(default_factory=list)
    times: list[tuple[dt.datetime, dt.datetime]] = field(default_factory=list)

    def note(self, lanes: Lanes) -> None:
        """Take the nodes and the time of a piece."""
        mail, talk = lanes
        for log, nodes in ((mail, self.mail), (talk, self.talk)):
            nodes.append(log.events["node"].unique())
            first, last = log.events["time"].min(), log.events["time"].max()
            if isinstance(first, dt.datetime) and isinstance(last, dt.datetime):
                self.times.append((first, last))


@dataclass(frozen=True)
class Touched:
    """The old lines that are linked again: the nodes of the mail, and the events of each lane."""

    mail: pl.Series
    mail_events: pl.Series
    talk_events: pl.Series

    def only(self, lanes: Lanes) -> Lanes:
        """The lines of a piece that are linked again, each lane by its own."""
        mail, talk = lanes
        return mail.of_events(self.mail_events), talk.of_events(self.talk_events)


def may_grow(before: Store, versions: Mapping[str, str], roles: set[str], own: Sequence[str]) -> bool:
    """Whether new logs alone can be added to what was linked before: `roles` of the new sources, `own` as given now."""
    about = before.about
    told = before.scan("scans").filter(pl.col("origin") != "log").select(pl.len()).collect().item()
    messages = before.scan("documents").select(pl.len()).collect().item()
    return (
        OUTLINE in before.tables
        and about.get("versions") == dict(versions)
        and "hosts" in about
        and roles <= {"log"}
        and (not own or list(own) == about.get("own"))
        and not (told or messages or about.get("configs"))
    )


def known_hosts(before: Store) -> Hosts:
    """What was known of all hosts."""
    said = before.about["hosts"]
    managers = pl.DataFrame(said["managers"], schema={"host": pl.String, "root": pl.String}, orient="row")
    clocks = pl.DataFrame(before.about.get("clocks", []), schema=CLOCKS)
    return Hosts(dict(said["same"]), managers, clocks, tuple(said["names"]))


def hosts_as_dict(hosts: Hosts) -> dict[str, Any]:
    """The same for a manifest (the clocks stand there already)."""
    return {
        "same": hosts.same,
        "managers": [list(row) for row in hosts.managers.rows()],
        "names": list(hosts.names),
    }


def grown_hosts(old: Hosts, new: Hosts) -> Hosts | None:
    """What is known of all hosts now; None: the new lines say something that the old ones are to be read by, too."""
    names = {new.same.get(name, name) for name in new.names}
    names = {old.same.get(name, name) for name in names}
    managers = set(new.managers.rows()) <= set(old.managers.rows())
    if not (names <= set(old.names) and managers and new.same.items() <= old.same.items()):
        return None
    clocks = old.clocks.join(new.clocks, on=["host", "to_host"], how="full", coalesce=True, suffix="_new")
    apart = (pl.col("offset_s") - pl.col("offset_s_new")).abs() > NEAR_S
    if clocks.select((pl.col("offset_s").is_null() | apart.fill_null(False)).any()).item():
        return None
    more = pl.col("pairs") + pl.col("pairs_new").fill_null(0)
    return Hosts(
        old.same, old.managers, clocks.select("host", "to_host", "offset_s", more.alias("pairs")), old.names
    )


def find(before: Store, fresh: Fresh, words: Frame, resumed: Mapping[int, int]) -> Touched | None:
    """What the new lines touch of the old ones. None: so much that all may be linked again.

    `words` are those of the new lines; `resumed` the byte of each source at which a last line that was cut is read again.
    """
    nothing = dt.datetime.max.replace(tzinfo=dt.UTC), dt.datetime.min.replace(tzinfo=dt.UTC)
    begin = min((first for first, _ in fresh.times), default=nothing[0])
    end = max((last for _, last in fresh.times), default=nothing[1])
    near = stale(resumed)
    if fresh.times:
        near = near | pl.col("time").is_between(begin - WINDOW, end + WINDOW)
    events = _nodes(before.scan("events").select(_LOOKED_AT)).with_columns(near=near.fill_null(False))
    by_time = events.filter("near").select("mail").collect()["mail"]
    said = pl.concat([before.scan(OUTLINE).collect(), words])
    mail = spread(pl.concat([*fresh.mail, by_time.drop_nulls()]), said)
    marked = events.with_columns(again=pl.col("mail").is_in(mail.implode()).fill_null(False))
    some = marked.filter(pl.col("again") | pl.col("near")).select("event_id", "talk", "again").collect()
    talk = pl.concat([*fresh.talk, some["talk"].drop_nulls()]).unique()
    talk_events = _connections(marked.filter(pl.col("talk").is_in(talk.implode())).collect(), begin, end)
    mail_events = some.filter("again")["event_id"]
    lines = before.scan("events").select(pl.len()).collect().item()
    if len(mail_events) + len(talk_events) > MOST * lines:
        return None
    return Touched(mail, mail_events, talk_events)


def _connections(events: Frame, begin: dt.datetime, end: dt.datetime) -> pl.Series:
    """The events of connections that lines from `begin` to `end` may belong to, or that brought mail that is linked again.

    A process of smtpd serves one connection after the other: of all that came before only the last may go on.
    """
    rows = events.sort("talk", "instance", "time", "event_id")
    other = (pl.col("talk") != pl.col("talk").shift()) | pl.col("instance").ne_missing(
        pl.col("instance").shift()
    )
    starts = (pl.col("kind") == "postfix.smtpd.connect") | (
        pl.col("kind").shift() == "postfix.smtpd.disconnect"
    )
    # refusals of other daemons belong together by their moment
    single = (pl.col("system") == "postfix") & (pl.col("daemon") != "smtpd")
    rows = rows.with_columns(part=(other | starts | single).fill_null(True).cum_sum())
    process = ["talk", "instance"]
    parts = rows.group_by("part", maintain_order=True).agg(
        pl.col(process).first(), single.first().alias("single"), pl.col("time").min().alias("first"), pl.col("time").max().alias("last"),
        again=(pl.col("near") | pl.col("again") | pl.col("time").is_null()).any(),
    )  # fmt: skip
    before = pl.col("part").filter(pl.col("first") <= begin).max().over(process)
    after = pl.col("part").filter(pl.col("last") >= end).min().over(process)
    between = (pl.col("last") >= begin) & (pl.col("first") <= end)
    next_to = ((pl.col("part") == before) | (pl.col("part") == after) | between).fill_null(False)
    chosen = parts.filter(pl.col("again") | (next_to & ~pl.col("single").fill_null(False)))
    return rows.filter(pl.col("part").is_in(chosen["part"].implode()))["event_id"]


def _nodes(events: pl.LazyFrame) -> pl.LazyFrame:
    """The events with the node of each lane, null where a lane does not have them."""
    return events.with_columns(
        mail=pl.when(of_mail()).then(node_of()), talk=pl.when(of_talk()).then(talker_of())
    )


def stale(resumed: Mapping[int, int]) -> pl.Expr:
    """The old events of lines that were cut when they were read, and come again."""
    cut = [(pl.col("source_id") == key) & (pl.col("byte_offset") >= at) for key, at in resumed.items()]
    return pl.any_horizontal([pl.lit(False), *cut])


def spread(nodes: pl.Series, words: Frame) -> pl.Series:
    """These nodes and all that share a word with them, directly or not (``outline.WORDS``).

    >>> words = pl.DataFrame({"kind": ["pair"] * 3, "node": [1, 2, 3], "word": [8, 8, 9]}, schema=dict(zip(("kind", "node", "word"), (pl.String, pl.UInt64, pl.UInt64))))
    >>> spread(pl.Series([1], dtype=pl.UInt64), words).sort().to_list()
    [1, 2, 8]
    """
    moved = words.filter(pl.col("kind") == "mailbox")["word"]
    by_user = (pl.col("kind") == "user") & pl.col("word").is_in(moved.implode())
    pairs = words.filter((pl.col("kind") == "pair") | by_user).select("node", "word").unique()
    reached = nodes.unique()
    edge = reached
    while len(edge):
        said = pairs.filter(pl.col("node").is_in(edge.implode()))["word"]
        saying = pairs.filter(pl.col("word").is_in(pl.concat([said, edge]).implode()))["node"]
        wider = pl.concat([reached, said, saying]).unique()
        edge = wider.filter(~wider.is_in(reached.implode()))
        reached = wider
    return reached


def kept_rows(
    before: Store, touched: Touched, write: Callable[[str, Frame, int], str]
) -> Iterator[tuple[str, str]]:
    """The parts of the linked tables without the rows that are made again: name of the table, and part."""
    mail, talk = touched.mail.implode(), touched.talk_events.implode()
    first = pl.col("evidence").list.first()
    queue = pl.col("queue_id").hash(QUEUE).is_in(mail)
    by_event = first.is_in(touched.mail_events.implode())
    gone = dict.fromkeys(("scans", "mailbox_events"), by_event)
    gone |= dict.fromkeys(
        ("messages", "deliveries"), pl.when(pl.col("queue_id").is_null()).then(by_event).otherwise(queue)
    )
    gone["rejects"] = pl.when(pl.col("queue_id").is_null()).then(first.is_in(talk)).otherwise(queue)
    gone["sessions"] = pl.col("session_key").is_in(talk)
    dropped = before.scan("messages").filter(gone["messages"]).select("message_key").collect()["message_key"]
    mine = pl.col("message_keys").list.eval(pl.element().is_in(dropped.implode())).list.any()
    alone = pl.col("message_keys").list.len().fill_null(0) == 0
    gone["journeys"] = pl.when(alone).then(pl.col("journey_key").is_in(talk)).otherwise(mine)
    number = REWRITTEN
    for name, rows in gone.items():
        for part in before.tables.get(name, []):
            kept = before.parts([part]).filter(~rows.fill_null(False))
            whole, left = (lf.select(pl.len()).collect().item() for lf in (before.parts([part]), kept))
            number += 1
            if left == whole:
                yield name, part
            elif left:
                yield name, write(name, kept.collect(), number)


REWRITTEN = 50_000  # parts that lost rows are numbered from here


def tried_before(before: Store, touched: Touched) -> Frame:
    """The tries that failed of queue entries that are not linked again."""
    kept = ~pl.col("queue_id").hash(QUEUE).is_in(touched.mail.implode()).fill_null(False)
    bad = (
        before.scan("deliveries")
        .filter(kept & pl.col("status").is_in(["bounced", "deferred", "undeliverable"]))
        .collect()
    )
    senders = before.scan("messages").select("message_key", "sender").collect()
    return tried(bad, senders)
