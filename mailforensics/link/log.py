"""The log as the link floor sees it: events, and the fields of each kind with the event columns one asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

Frame = pl.DataFrame

MAIL_KINDS = (
    "postfix.smtpd.client", "postfix.smtpd.reject", "postfix.smtpd.lost", "postfix.smtpd.proxy", "postfix.cleanup.message_id",
    "postfix.cleanup.milter", "postfix.cleanup.check", "postfix.cleanup.problem", "postfix.smtpd.problem",
    "postfix.postscreen.reject", "postfix.qmgr.active", "postfix.qmgr.expired", "postfix.delivery", "postfix.removed",
    "postfix.pickup", "postfix.postsuper", "postfix.bounce.notification", "rspamd.task", "dovecot.mailbox", "amavis.result",
)  # fmt: skip
"""The kinds of line that tell of a queue entry."""

TALK_KINDS = (
    "postfix.smtpd.client", "postfix.smtpd.connect", "postfix.smtpd.disconnect", "postfix.smtpd.auth_failed",
    "postfix.smtpd.reject", "postfix.smtpd.lost", "postfix.smtpd.proxy", "postfix.tls.established",
    "postfix.cleanup.milter", "postfix.cleanup.check", "postfix.postscreen.reject", "dovecot.login",
    "dovecot.login_failed", "dovecot.session_end",
)  # fmt: skip
"""The kinds of line that tell of a connection."""

KINDS = tuple(dict.fromkeys((*MAIL_KINDS, *TALK_KINDS)))
"""The kinds of line that links are made from; the fields of all others are read again when someone asks for them."""

EVENT_COLUMNS = (
    "event_id", "time", "host", "instance", "daemon", "system", "pid", "queue_id", "session_id", "kind",
)  # fmt: skip
"""The event columns that links are made from."""


QUEUE = 1  # the seed by which queue ids become numbers


def of_mail() -> pl.Expr:
    """The events that tell of queue entries: lines of Postfix with a queue id, of filters, and what Dovecot did with mail."""
    queued = (pl.col("system") == "postfix") & pl.col("queue_id").is_not_null()
    return pl.col("kind").is_not_null() & (
        queued | pl.col("kind").is_in(["rspamd.task", "dovecot.mailbox", "amavis.result"])
    )


def of_talk() -> pl.Expr:
    """The events that tell of connections: what a process of smtpd writes, refusals before a queue id, logins."""
    smtpd = (pl.col("daemon") == "smtpd") & pl.col("pid").is_not_null()
    others = pl.col("kind").is_in(TALK_KINDS) & pl.col("queue_id").is_null()
    return pl.col("kind").is_not_null() & (smtpd | others)


@dataclass
class Log:
    """Events of a case in the order of their event_id, and the typed lines of each kind."""

    events: Frame
    lines: Mapping[str, Frame]
    _places: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, events: Frame, lines: Mapping[str, Frame]) -> Log:
        """The log of these events and lines, which may come in any order."""
        return cls(_sorted(events).rechunk(), {name: _sorted(table) for name, table in lines.items()})

    def kind(self, name: str, *columns: str) -> Frame:
        """The lines of a kind with some columns of their events; empty (event_id and those columns) when there are none.

        Columns of the kind itself win over columns of the event of the same name.
        """
        table = self.lines.get(name)
        if table is None or not table.height:
            types = self.events.schema
            return pl.DataFrame(
                schema={"event_id": pl.Int64, **{c: types.get(c, pl.String()) for c in columns}}
            )
        wanted = [c for c in columns if c not in table.columns and c in self.events.columns]
        if not wanted:
            return table
        if name not in self._places:
            self._places[name] = self.places(table["event_id"])
        return table.hstack(self.events.select(wanted)[self._places[name]])

    def kinds(self, names: Sequence[str], *columns: str) -> Iterator[tuple[str, Frame]]:
        """The kinds of a list that there are lines of."""
        for name in names:
            if name in self.lines and self.lines[name].height:
                yield name, self.kind(name, *columns)

    def places(self, event_ids: pl.Series) -> np.ndarray:
        """The rows of ``events`` where these events stand (they must be there)."""
        return np.searchsorted(self.events["event_id"].to_numpy(), event_ids.to_numpy())

    def of_events(self, event_ids: pl.Series) -> Log:
        """Some of the events, and their lines."""
        mine = self.events["event_id"].is_in(event_ids.implode()).to_numpy()
        lines = {
            name: table.filter(mine[self.places(table["event_id"])]) for name, table in self.lines.items()
        }
        return Log(self.events.filter(mine), {name: table for name, table in lines.items() if table.height})

    def marked(self, event_ids: pl.Series, **values: pl.Series) -> Log:
        """The log with more columns of ``events``: a value for each of these events, null for all others."""
        row = np.zeros(self.events.height, dtype=np.uint32)
        row[self.places(event_ids)] = np.arange(1, len(event_ids) + 1, dtype=np.uint32)
        place = pl.Series(row)
        columns = [
            pl.concat([pl.Series(name, [None], dtype=column.dtype), column.alias(name)]).gather(place)
            for name, column in values.items()
        ]
        return Log(self.events.with_columns(columns), self.lines, self._places)


def _sorted(table: Frame) -> Frame:
    return table if table["event_id"].is_sorted() else table.sort("event_id")


def column(frame: Frame, name: str, dtype: type[pl.DataType] | pl.DataType = pl.String) -> pl.Expr:
    """A column that a kind may lack (an older release, another shape): null then."""
    return pl.col(name) if name in frame.columns else pl.lit(None, dtype=dtype).alias(name)


def ensure(frame: Frame, **columns: type[pl.DataType] | pl.DataType) -> Frame:
    """The frame with these columns, null where they were missing."""
    missing = [
        pl.lit(None, dtype=kind).alias(name) for name, kind in columns.items() if name not in frame.columns
    ]
    return frame.with_columns(missing) if missing else frame


def domain_of(address: pl.Expr) -> pl.Expr:
    """The domain of an address in lower case (null when there is none)."""
    return address.str.extract(r"@([^@]+)$", 1).str.to_lowercase()


def norm_address(address: pl.Expr) -> pl.Expr:
    """An address for comparing: the local part as it is in lower case too, since no real system tells them apart."""
    return address.str.to_lowercase().str.replace_all('"', "", literal=True)
