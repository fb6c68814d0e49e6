"""The lines of the queue manager and of those around it: pickup, bounce / defer / trace, postsuper.

    4jYDFF2L8ZzqDd: from=<alex@example.com>, size=2387, nrcpt=1 (queue active)
    4jYDFF2L8ZzqDd: sender non-delivery notification: 4jYDFH5kq1zqDf
    4jYDFF2L8ZzqDd: removed

Sources: Postfix ``src/qmgr/qmgr_active.c``, ``src/global/opened.c``, ``src/pickup/pickup.c``, ``src/bounce/*.c``,
``src/postsuper/postsuper.c``. The active line comes once per attempt, not once per message.
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.postfix.fields import SHORT_OR_LONG_ID, address
from mailforensics.grammar.shape import Frame, Shape

_QMGR = ("qmgr", "oqmgr", "nqmgr")
_BOUNCE = ("bounce", "defer", "trace")
_ACTIVE = r"size=(?P<size>[0-9]+), nrcpt=(?P<recipient_count>[0-9]+) \(queue active\)"
_EXPIRED = r"status=(?P<status>[a-z-]+), returned to sender"

_NOTIFICATIONS = {
    "sender non-delivery": "non_delivery",
    "sender delay": "delay",
    "sender delivery status": "success",
    "postmaster non-delivery": "postmaster_non_delivery",
    "postmaster delay": "postmaster_delay",
    "postmaster delivery status": "postmaster_success",
}


def _name_notification(frame: Frame) -> Frame:
    return frame.with_columns(pl.col("notification").replace(_NOTIFICATIONS))


QMGR: tuple[Shape, ...] = (
    Shape(
        kind="postfix.removed",
        programs=_QMGR,
        severity="info",
        pattern="removed",
        example="removed",
        means="The queue file went: every recipient has been delivered, bounced or expired.",
        since="2.1",
        constants={"removal": "done"},
    ),
    Shape(
        kind="postfix.qmgr.active",
        programs=_QMGR,
        severity="info",
        pattern=rf"from=<{address('sender')}>, {_ACTIVE}",
        example="from=<alex@example.com>, size=2387, nrcpt=1 (queue active)",
        means="The queue manager took the message into the active queue, to deliver it now.",
    ),
    Shape(
        kind="postfix.qmgr.active",
        programs=_QMGR,
        severity="info",
        pattern=rf"from=<(?P<sender>.*)>, {_ACTIVE}",
        example="from=<a>b c, d@example.com>, size=2387, nrcpt=1 (queue active)",
        means="The same, with a sender address of before 3.5, when addresses were logged without quotes.",
    ),
    Shape(
        kind="postfix.qmgr.expired",
        programs=_QMGR,
        severity="info",
        pattern=rf"from=<(?P<sender>.*)>, {_EXPIRED}",
        example="from=<alex@example.com>, status=expired, returned to sender",
        means="The message was too old (or was expired by hand: force-expired, since 3.5) and went back to its sender.",
    ),
    Shape(
        kind="postfix.qmgr.skipped",
        programs=_QMGR,
        severity="info",
        pattern="skipped, still being delivered",
        example="skipped, still being delivered",
        means="The message was due again while an earlier attempt was still running.",
    ),
)

PICKUP: tuple[Shape, ...] = (
    Shape(
        kind="postfix.pickup",
        programs=("pickup",),
        severity="info",
        pattern=r"uid=(?P<uid>[0-9]+) from=<(?P<sender>.*)>",
        example="uid=33 from=<www-data>",
        means="A program on this machine handed in a message with sendmail(1).",
    ),
    Shape(
        kind="postfix.pickup",
        programs=("pickup",),
        severity="info",
        pattern=rf"uid=(?P<uid>[0-9]+) from=<(?P<sender>.*)> orig_id=(?P<orig_id>{SHORT_OR_LONG_ID})",
        example="uid=108 from=<alex@example.com> orig_id=4jYDFF2L8ZzqDd",
        means="A message that was requeued by hand (postsuper -r) starts again under a new queue id.",
        since="2.1",
    ),
)

BOUNCE: tuple[Shape, ...] = (
    Shape(
        kind="postfix.bounce.notification",
        programs=_BOUNCE,
        severity="info",
        pattern=rf"(?P<notification>(?:sender|postmaster) (?:non-delivery|delay|delivery status)) notification: "
        rf"(?P<next_queue_id>{SHORT_OR_LONG_ID})",
        example="sender non-delivery notification: 4jYDFH5kq1zqDf",
        means="A report about this message was sent, as a message of its own.",
        since="2.3",
        finish=_name_notification,
    ),
    Shape(
        kind="postfix.bounce.not_sent",
        programs=_BOUNCE,
        severity="info",
        pattern=r"not sending trace/success notification for (?P<type>double-bounce|single-bounce) message",
        example="not sending trace/success notification for double-bounce message",
        means="No report was sent, because the message was a report itself.",
        since="2.9",
    ),
)

POSTSUPER: tuple[Shape, ...] = (
    Shape(
        kind="postfix.postsuper",
        programs=("postsuper",),
        severity="info",
        pattern=r"(?P<action>removed|requeued|placed on hold|released from hold|released|expired)",
        example="placed on hold",
        means="Somebody changed the queue by hand with postsuper: removed, requeued, held, released or expired this message.",
    ),
    Shape(
        kind="postfix.postsuper.summary",
        programs=("postsuper",),
        severity="info",
        pattern=r"(?P<action>Deleted|Requeued|Placed on hold|Released from hold|Force-expired|Renamed to match inode number): "
        r"(?P<count>[0-9]+) messages?",
        example="Deleted: 115 messages",
        means="How many messages one run of postsuper changed.",
    ),
)

SHAPES: tuple[Shape, ...] = (*QMGR, *PICKUP, *BOUNCE, *POSTSUPER)
