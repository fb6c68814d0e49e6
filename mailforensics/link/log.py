"""The log as the link floor sees it: events, and the fields of each kind with the event columns one asks for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

Frame = pl.DataFrame

KINDS = (
    "postfix.smtpd.client", "postfix.smtpd.connect", "postfix.smtpd.disconnect", "postfix.smtpd.auth_failed",
    "postfix.smtpd.reject", "postfix.smtpd.lost", "postfix.smtpd.proxy", "postfix.tls.established", "postfix.cleanup.message_id",
    "postfix.cleanup.milter", "postfix.cleanup.check", "postfix.postscreen.reject", "postfix.qmgr.active",
    "postfix.qmgr.expired", "postfix.delivery", "postfix.removed", "postfix.pickup", "postfix.postsuper",
    "postfix.bounce.notification", "rspamd.task", "dovecot.mailbox", "dovecot.login", "dovecot.login_failed",
    "dovecot.session_end",
)  # fmt: skip
"""The kinds of line that links are made from; the fields of all others are read again when someone asks for them."""

EVENT_COLUMNS = (
    "event_id", "source_id", "time", "host", "instance", "daemon", "system", "pid", "queue_id", "session_id", "kind",
)  # fmt: skip
"""The event columns that links are made from."""


@dataclass
class Log:
    """All events of a case, and the typed lines of each kind. Events are kept in the order of their event_id."""

    events: Frame
    lines: Mapping[str, Frame]
    _ids: np.ndarray = field(init=False, repr=False)

    def __post_init__(self) -> None:
        ordered = self.events["event_id"].is_sorted()
        self.events = self.events.rechunk() if ordered else self.events.sort("event_id")
        self._ids = self.events["event_id"].to_numpy()

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
        return table.hstack(self.events.select(wanted)[self.places(table["event_id"])])

    def kinds(self, names: Sequence[str], *columns: str) -> Iterator[tuple[str, Frame]]:
        """The kinds of a list that there are lines of."""
        for name in names:
            if name in self.lines and self.lines[name].height:
                yield name, self.kind(name, *columns)

    def places(self, event_ids: pl.Series) -> np.ndarray:
        """The rows of ``events`` where these events stand (they must be there)."""
        return np.searchsorted(self._ids, event_ids.to_numpy())

    def marked(self, name: str, event_ids: pl.Series, values: pl.Series) -> Log:
        """The log with one more column of ``events``: a value for each of these events, null for all others."""
        row = np.zeros(self.events.height, dtype=np.uint32)
        row[self.places(event_ids)] = np.arange(1, len(event_ids) + 1, dtype=np.uint32)
        nothing = pl.Series(name, [None], dtype=values.dtype)
        column = pl.concat([nothing, values.alias(name)]).gather(pl.Series(row))
        return Log(self.events.with_columns(column.alias(name)), self.lines)


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
