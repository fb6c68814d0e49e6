"""The subjects of mails. Postfix alone does not log them: they stand in Dovecot's lines, in verdicts and in message files."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from mailforensics.case import Case

Frame = pl.DataFrame


def subjects(case: Case, keys: pl.Series | None = None) -> Frame:
    """Subjects by journey and Message-ID, from mailbox events, scans and message files.

    `keys` are the messages that are asked about (None: all).
    """
    names = ("message_key", "journey_key", "message_id")
    if keys is None:
        owned = case.scan("messages").select(names).collect()
        boxes = case.scan("mailbox_events").select("message_key", "evidence").collect()
    else:
        owned = case.rows("messages", "message_key", keys, *names)
        boxes = case.rows("mailbox_events", "message_key", keys, "message_key", "evidence")
    parts: list[Frame] = []
    boxes = boxes.select("message_key", pl.col("evidence").list.first().alias("event_id")).drop_nulls()
    if boxes.height:
        lines = (
            case.kind("dovecot.mailbox")
            if keys is None
            else case.fields_of(boxes["event_id"], "dovecot.mailbox")
        )
        if "subject" in lines.columns:
            told = boxes.join(lines.select("event_id", "subject"), on="event_id")
            parts.append(told.join(owned, on="message_key"))
    scanned = case.scan("scans").select("message_key", "subject").drop_nulls().collect()
    parts.append(scanned.join(owned, on="message_key"))
    files = case.scan("documents").select("message_id", "subject").drop_nulls().collect()
    parts.append(files.join(owned, on="message_id"))
    whole = pl.concat([part.select("journey_key", "message_id", "subject") for part in parts])
    return whole.drop_nulls(["journey_key", "subject"]).unique(maintain_order=True)
