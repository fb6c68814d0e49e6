"""A log that is larger than memory is linked in buckets; here is found out which lines must meet in one.

Whatever may join two queue entries is a word that both of them say: a queue id that one names of the other, a Message-ID, an LMTP
session id, a user and a minute. Words are kept as numbers, a few dozen bytes for each mail, while the lines themselves lie on disk.
Those that share a word, directly or not, are one group and go into one bucket; within it the link floor works as on a small log.
Too many words only make groups larger than they need be; so every word counts that a link could be made by.

What must be known of all hosts (``hosts.py``) is collected on the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from mailforensics.link.hosts import Hosts, clock_offsets, same_hosts
from mailforensics.link.log import QUEUE, Frame, Log, ensure, norm_address
from mailforensics.link.scans import plain_id

_MESSAGE, _SESSION, _USER, _MINUTE, _DOCUMENT = range(
    QUEUE + 1, QUEUE + 6
)  # each kind of word has numbers of its own
_AGENTS = ["lmtp", "pipe", "local", "virtual"]


def node_of() -> pl.Expr:
    """The number of what an event of ``log.of_mail`` is about: its queue id, else its session or Message-ID."""
    queue, session = pl.col("queue_id").hash(QUEUE), pl.col("session_id").hash(_SESSION)
    message = plain_id(pl.col("message_id")).hash(_MESSAGE)
    mailbox = pl.col("kind") == "dovecot.mailbox"
    return (
        pl.when(mailbox & pl.col("session_id").is_not_null()).then(session)
        .when(pl.col("queue_id").is_not_null()).then(queue)
        .otherwise(message)
    )  # fmt: skip


def talker_of() -> pl.Expr:
    """The number of the connection's process, or of its session, for an event of ``log.of_talk``."""
    process = pl.struct("host", "pid").hash()
    session = pl.struct("host", "session_id").hash()
    return pl.when(pl.col("system") == "dovecot").then(session).otherwise(process)


@dataclass
class Outline:
    """Collects the words of each piece of a log.

    buckets   how many buckets there will be
    wordy     whether words are needed: for more than one bucket, or for a case that may grow
    thin      of a very large log, only one in so many queue entries is asked for host names and clocks
    """

    buckets: int = 1
    thin: int = 1
    wordy: bool = False
    _parts: dict[str, list[Frame]] = field(default_factory=dict)

    def add(self, log: Log) -> None:
        """Take the words of a piece: events of ``log.of_mail`` with the column ``node``, and their lines."""
        for name, part in self._words(log):
            if part.height:
                if (
                    "host" in part.columns
                ):  # a text column would keep the whole piece of log that it was cut from
                    part = part.with_columns(pl.col("host").cast(pl.Categorical))
                self._parts.setdefault(name, []).append(part.shrink_to_fit())

    def _words(self, log: Log) -> list[tuple[str, Frame]]:
        queued = log.events.lazy().filter(pl.col("system") == "postfix")
        ids = queued.select("host", pl.col("node").alias("id")).filter(pl.col("id") % self.thin == 0).unique()
        root = pl.col("instance").str.extract(r"\A([^/]+)", 1).alias("root")
        managers = queued.filter(pl.col("daemon") == "qmgr").select("host", root).unique()
        known = [("ids", ids.collect()), ("managers", managers.collect()), *self._handed(log)]
        return [*known, *_pairs(log)] if self.wordy else known

    def _handed(self, log: Log) -> list[tuple[str, Frame]]:
        """Mail that was handed on, and where it came in: what the clocks of two hosts are compared by."""
        sent = _kind(log, "postfix.delivery", "time", "host", remote_queue_id=pl.String, next_form=pl.String)
        sent = sent.filter(
            pl.col("remote_queue_id").is_not_null() & (pl.col("next_form").fill_null("") != "forwarded_as")
        )
        sent = sent.select(
            "time", "host", pl.col("node").alias("from"), pl.col("remote_queue_id").hash(QUEUE).alias("to")
        )
        came = _kind(log, "postfix.smtpd.client", "time", "host").select("node", "host", "time")
        named = _kind(log, "postfix.cleanup.message_id", "host", message_id=pl.String).drop_nulls(
            "message_id"
        )
        named = named.select("node", "host", pl.col("message_id").hash(_MESSAGE).alias("id"))
        thin = pl.col("node") % self.thin == 0
        sent = sent.filter(pl.col("to") % self.thin == 0)
        return [
            ("sent", sent),
            ("came", came.filter(thin)),
            ("named", named.filter(thin | pl.col("node").is_in(sent["from"].implode()))),
        ]

    def _all(self, name: str, **schema: pl.DataType | type[pl.DataType]) -> Frame:
        parts = self._parts.get(name, [])
        if not parts:
            return pl.DataFrame(schema=schema)
        return pl.concat(parts).with_columns(pl.col(pl.Categorical).cast(pl.String))

    # --- Hosts --------------------------------------------------------------------------------------------------------

    def hosts(self) -> Hosts:
        """What the lines say of all hosts."""
        managers = self._all("managers", host=pl.String, root=pl.String).unique().sort("host", "root")
        ids = self._all("ids", host=pl.String, id=pl.UInt64).unique()
        same = same_hosts(ids, managers)
        names = ids["host"].drop_nulls().unique().sort().replace(same).unique().sort().to_list()
        return Hosts(same, managers, clock_offsets(self._lags(same)), tuple(names))

    def _lags(self, same: dict[str, str]) -> Frame:
        """Each mail that one host handed to another with the same Message-ID: host, to_host, lag in seconds."""
        moment = pl.Datetime("us", "UTC")
        sent = self._all("sent", time=moment, host=pl.String, **{"from": pl.UInt64, "to": pl.UInt64})
        came = self._all("came", node=pl.UInt64, host=pl.String, time=moment)
        named = self._all("named", node=pl.UInt64, host=pl.String, id=pl.UInt64).unique()
        called = pl.col("host").replace(same)
        sent, came, named = (frame.with_columns(host=called) for frame in (sent, came, named))
        if not sent.height or pl.concat([sent["host"], came["host"]]).n_unique() < 2:
            return pl.DataFrame(schema={"host": pl.String, "to_host": pl.String, "lag": pl.Float64})
        there = came.rename({"node": "to", "host": "to_host", "time": "to_time"})
        both = sent.join(there, on="to").filter(pl.col("host") != pl.col("to_host"))
        here = named.rename({"node": "from"})
        far = named.rename({"node": "to", "host": "to_host"})
        both = both.join(here, on=["from", "host"]).join(far, on=["to", "to_host", "id"])
        lag = (pl.col("time") - pl.col("to_time")).dt.total_microseconds() / 1e6
        return both.select("host", "to_host", lag.alias("lag"))

    # --- Groups -------------------------------------------------------------------------------------------------------

    def moves(self, documents: Frame) -> Frame:
        """The nodes whose group lives in another bucket than their own number says: node and bucket.

        `documents`: document_id and id (of a Received field) of message files, which name the lives that they went through.
        """
        said = [*self._parts.get("pairs", []), self._by_user(), self._by_refusal(), _by_document(documents)]
        named, own = self._parts.get("queued", []), self._parts.get("own", [])
        passes = 1 + sum(part.height for part in (*said, *named)) // _AT_ONCE
        met = [_met(said, named, own, number, passes) for number in range(passes)]
        return homes(pl.concat(met), self.buckets)

    def forget(self) -> None:
        """Let go of the words, when all that is to be known of them is known."""
        self._parts.clear()

    def words(self) -> Iterator[Frame]:
        """All that was said (``WORDS``): who must meet whom when more lines come."""
        mailboxes = self._all("mailboxes", word=pl.UInt64).unique().select(node=pl.col("word"), word="word")
        parts = [
            ("user", self._all("users", **_PAIR).unique()),
            ("mailbox", mailboxes),
            ("pair", self._by_refusal()),
        ]
        parts += [("pair", part) for name in ("pairs", "queued") for part in self._parts.get(name, [])]
        waiting: list[Frame] = []
        for kind, part in parts:
            waiting.append(part.select(pl.lit(kind).alias("kind"), *_PAIR))
            if sum(one.height for one in waiting) >= _WRITTEN_AT_ONCE:
                yield pl.concat(waiting).unique()
                waiting.clear()
        yield pl.concat(waiting).unique()

    def _by_user(self) -> Frame:
        """A mailbox that was deleted or renamed takes all mail of its user along."""
        moved = self._all("mailboxes", word=pl.UInt64).unique()
        return self._all("users", **_PAIR).join(moved, on="word", how="semi")

    def _by_refusal(self) -> Frame:
        """Two hosts of ours, of which one refused what the other tried to deliver: the same sender in the same minute.

        Of some refused mail (a loop, say) neither sender nor Message-ID is told; then the minute must do.
        """
        tried = self._all("tried", node=pl.UInt64, minute=pl.Int64)
        senders = self._all("senders", node=pl.UInt64, sender=pl.UInt64).unique()
        refused = self._all("refused", **_PAIR)
        blank = self._all("canceled", node=pl.UInt64, minute=pl.Int64)
        for known in (refused, self._all("with_id", node=pl.UInt64)):
            blank = blank.join(known, on="node", how="anti")
        also = tried.join(blank, on="minute", how="semi")
        said = [tried.join(senders, on="node"), blank, also]
        both = pl.concat([ensure(part, sender=pl.UInt64).select("node", "sender", "minute") for part in said])
        return pl.concat([refused, both.select("node", _SENDER_AND_MINUTE)])


_PAIR = {"node": pl.UInt64, "word": pl.UInt64}
WORDS = {"kind": pl.String, **_PAIR}
"""kind ``pair``: a node says a word; ``user``: the same, of a user; ``mailbox``: the users whose mailbox was deleted or renamed."""


_SENDER_AND_MINUTE = pl.struct("sender", "minute").hash(_MINUTE).alias("word")
_AT_ONCE = 5_000_000  # words that are looked at in one go
_WRITTEN_AT_ONCE = 2_000_000


def _met(
    said: Sequence[Frame], named: Sequence[Frame], own: Sequence[Frame], number: int, passes: int
) -> Frame:
    """The pairs whose word more than one node says; of all words those that have this remainder.

    A queue id is both: the number of its own lines (`own`), and a word of those that name it (`named`).
    """

    def some(parts: Sequence[Frame], column: str, **types: type[pl.DataType]) -> Frame:
        mine = [part.filter(pl.col(column) % passes == number) for part in parts]
        return pl.concat([pl.DataFrame(schema=types), *mine]).unique()

    ids = some(own, "node", node=pl.UInt64)
    queued = some(named, "word", **_PAIR).join(ids, left_on="word", right_on="node", how="semi")
    pairs = pl.concat([some(said, "word", **_PAIR), queued]).unique()
    return pairs.filter((pl.len().over("word") > 1) | pl.col("word").is_in(ids["node"].implode()))


def _kind(log: Log, kind: str, *columns: str, **types: type[pl.DataType]) -> Frame:
    """The lines of a kind with ``node``, the event columns asked for, and these fields."""
    return ensure(log.kind(kind, "node", *columns), **types)


def _minute(seconds: int = 0) -> pl.Expr:
    return (pl.col("time").dt.epoch("s") + seconds) // 60


def _pairs(log: Log) -> list[tuple[str, Frame]]:
    """Who says which word."""
    makers: tuple[Callable[[Log], list[tuple[str, Frame]]], ...] = (
        _of_queue, _of_names, _of_mailbox, _of_scans, _of_refusals,
    )  # fmt: skip
    return [part for make in makers for part in make(log)]


def _of_queue(log: Log) -> list[tuple[str, Frame]]:
    """Message-IDs, the ids of queue entries, and (for replies of Dovecot, whose queue id nobody names) host and minute."""
    named = _kind(log, "postfix.cleanup.message_id", "time", "host", message_id=pl.String).drop_nulls(
        "message_id"
    )
    own = log.events.lazy().filter(pl.col("system") == "postfix").select("node").unique().collect()
    replies = named.filter(pl.col("message_id").str.contains("dovecot-", literal=True))
    at = pl.struct("host", _minute().alias("minute")).hash(_MINUTE).alias("word")
    message = plain_id(pl.col("message_id")).hash(_MESSAGE).alias("word")
    return [
        ("own", own),
        ("with_id", named.select("node")),
        ("pairs", named.select("node", message)),
        ("pairs", replies.select("node", at)),
    ]


def _of_names(log: Log) -> list[tuple[str, Frame]]:
    """Lines that name the queue id of another entry, or a session of Dovecot."""
    columns = {
        "remote_queue_id": pl.String,
        "next_queue_id": pl.String,
        "remote_session_id": pl.String,
        "recipient": pl.String,
    }
    sent = _kind(log, "postfix.delivery", "time", "daemon", **columns)
    parts = [(sent, "remote_queue_id"), (sent, "next_queue_id")]
    for kind, name in (
        ("postfix.smtpd.client", "orig_queue_id"), ("postfix.pickup", "orig_id"),
        ("postfix.bounce.notification", "next_queue_id"),
        ("amavis.result", "next_queue_id"),
    ):  # fmt: skip
        parts.append((_kind(log, kind, **{name: pl.String}), name))
    queued = [
        table.drop_nulls(name).select("node", pl.col(name).hash(QUEUE).alias("word")) for table, name in parts
    ]
    session = sent.drop_nulls("remote_session_id").select(
        "node", pl.col("remote_session_id").hash(_SESSION).alias("word")
    )
    silent = sent.filter(pl.col("daemon").is_in(_AGENTS) & pl.col("remote_session_id").is_null())
    at = pl.struct(norm_address(pl.col("recipient")).alias("user"), _minute().alias("minute")).hash(_MINUTE)
    return [
        ("queued", pl.concat(queued)),
        ("pairs", session),
        ("pairs", silent.select("node", at.alias("word"))),
    ]


def _of_mailbox(log: Log) -> list[tuple[str, Frame]]:
    """What Dovecot tells: the Message-ID, the user at the time, and who deleted or renamed a mailbox."""
    columns = {"username": pl.String, "action": pl.String, "message_id": pl.String}
    told = _kind(log, "dovecot.mailbox", "time", "host", "daemon", **columns)
    user = pl.col("username").hash(_USER).alias("word")
    whole = told.filter(pl.col("action").is_in(["mailbox_deleted", "mailbox_renamed"]))
    replies = told.filter(pl.col("action").is_in(["vacation_sent", "sieve_rejected"]))
    saved = told.filter(pl.col("daemon").is_in(["lmtp", "lda"]))
    message = plain_id(pl.col("message_id")).hash(_MESSAGE).alias("word")
    parts = [
        ("users", told.drop_nulls("username").select("node", user)),
        ("mailboxes", whole.select(user)),
        ("pairs", told.drop_nulls("message_id").select("node", message)),
        ("pairs", told.select("node", word="node")),
    ]
    for seconds in (-10, 10):
        at = pl.struct(norm_address(pl.col("username")).alias("user"), _minute(seconds).alias("minute")).hash(
            _MINUTE
        )
        parts.append(("pairs", saved.select("node", at.alias("word"))))
    for seconds in (-10, 60):
        at = pl.struct("host", _minute(seconds).alias("minute")).hash(_MINUTE)
        parts.append(("pairs", replies.select("node", at.alias("word"))))
    return parts


def _of_scans(log: Log) -> list[tuple[str, Frame]]:
    told = _kind(log, "rspamd.task", message_id=pl.String).drop_nulls("message_id")
    return [("pairs", told.select("node", plain_id(pl.col("message_id")).hash(_MESSAGE).alias("word")))]


def _of_refusals(log: Log) -> list[tuple[str, Frame]]:
    tried = _kind(log, "postfix.delivery", "time", "daemon", status=pl.String)
    bad = pl.col("status").str.to_lowercase().is_in(["bounced", "deferred", "softbounce"])
    tried = tried.filter(bad & (pl.col("daemon") == "smtp")).select("node", _minute().alias("minute"))
    senders = _kind(log, "postfix.qmgr.active", sender=pl.String).drop_nulls("sender")
    parts = [("tried", tried.unique()), ("senders", senders.select("node", pl.col("sender").hash(_USER)))]
    ended = _kind(log, "postfix.removed", "time", removal=pl.String).filter(pl.col("removal") == "canceled")
    for seconds in (-60, 0, 60):
        parts.append(("canceled", ended.select("node", _minute(seconds).alias("minute"))))
    for kind in (
        "postfix.smtpd.reject",
        "postfix.smtpd.proxy",
        "postfix.cleanup.milter",
        "postfix.cleanup.check",
    ):
        table = _kind(log, kind, "time", sender=pl.String).drop_nulls("sender")
        for seconds in (-60, 0, 60):
            said = table.select("node", _minute(seconds).alias("minute"), pl.col("sender").hash(_USER))
            parts.append(("refused", said.select("node", _SENDER_AND_MINUTE).unique()))
    return parts


def _by_document(documents: Frame) -> Frame:
    named = documents.drop_nulls("id")
    return named.select(
        pl.col("id").hash(QUEUE).alias("node"), pl.col("document_id").hash(_DOCUMENT).alias("word")
    )


def homes(pairs: Frame, buckets: int) -> Frame:
    """The nodes that must move so that each group is in one bucket: node and bucket. `pairs`: node and word, each a number.

    >>> pairs = pl.DataFrame({"node": [1, 2], "word": [9, 9]}, schema=_PAIR)
    >>> homes(pairs, 2).rows()
    [(2, 1)]
    """
    both = np.concatenate([pairs["node"].to_numpy(), pairs["word"].to_numpy()])
    numbers = np.unique(both)
    kind = np.int32 if len(numbers) < 2**31 else np.int64
    one, other = (
        np.searchsorted(numbers, half).astype(kind) for half in (both[: pairs.height], both[pairs.height :])
    )
    del both
    group = _groups(one, other, len(numbers))
    bucket = numbers[group] % np.uint64(buckets)
    moved = bucket != numbers % np.uint64(buckets)
    found = {"node": numbers[moved], "bucket": bucket[moved]}
    return pl.DataFrame(found, schema={"node": pl.UInt64, "bucket": pl.UInt64})


def _groups(one: np.ndarray, other: np.ndarray, count: int) -> np.ndarray:
    """For each of so many nodes the least node that it is joined to, directly or not."""
    group = np.arange(count, dtype=one.dtype)
    while True:
        before = group.copy()
        least = np.minimum(group[one], group[other])
        np.minimum.at(group, group[one], least)
        np.minimum.at(group, group[other], least)
        group = group[group]
        if np.array_equal(group, before):
            return group
