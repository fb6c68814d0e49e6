"""The cleanup server's lines: Message-IDs, header and body checks, milter verdicts, queue files that went away early.

    4jYDFF2L8ZzqDd: message-id=<8d28aac5de57@example.com>
    4jYDFF2L8ZzqDd: warning: header Subject: test from mx.example.net[192.0.2.7]; from=<...> to=<...> proto=ESMTP helo=<...>
    4jYDFF2L8ZzqDd: milter-reject: END-OF-MESSAGE from mx.example.net[192.0.2.7]: 5.7.1 Spam message rejected; from=<...> ...
    4jYDFF2L8ZzqDd: removed (canceled)

Sources: Postfix ``src/cleanup/cleanup_message.c``, ``cleanup_milter.c``, ``cleanup_api.c``; ``removed (...)`` since 3.10. A
Message-ID is free text of the sender: it may be empty, lack brackets, hold blanks.
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.postfix.envelope import ENVELOPE, ENVELOPE_AND_ARGUMENT, cut_envelope
from mailforensics.grammar.postfix.fields import CLIENT_SAYS
from mailforensics.grammar.shape import Frame, Shape

_CLEANUP = ("cleanup",)
_ACTIONS = "reject|warning|warn|info|hold|discard|filter|redirect|prepend|replace|strip|delay|bcc|pass|ignore|dunno|access"
_ORIGIN = r"\A(?s:(?P<content>.*) from (?:(?P<client_name>[^\[ ]*)\[(?:(?P<client_ip>[0-9A-Fa-f:][^\]]*)|unknown)\]|local))\z"


def _message_id(frame: Frame) -> Frame:
    """An empty Message-ID, with or without brackets, is none."""
    empty = pl.col("message_id").is_in(["<>", ""])
    return frame.with_columns(message_id=pl.when(~empty).then("message_id"))


def _check(frame: Frame) -> Frame:
    """Cut ``header TEXT from CLIENT; envelope: argument`` into its parts."""
    cut = cut_envelope(frame, argument=True)
    origin = cut["text"].str.extract_groups(_ORIGIN).struct.unnest()
    content = pl.coalesce(origin["content"], cut["text"]).alias("content")
    return cut.hstack(origin.drop("content")).with_columns(content, text=pl.col("argument"))


def _milter(frame: Frame) -> Frame:
    return cut_envelope(frame.with_columns(pl.format("milter-{}", "action").alias("action")))


_CHECK_FIELDS = ("content", "client_name", "client_ip", *ENVELOPE_AND_ARGUMENT)

SHAPES: tuple[Shape, ...] = (
    Shape(
        kind="postfix.cleanup.message_id",
        programs=_CLEANUP,
        severity="info",
        pattern=r"message-id=(?P<message_id>.*)",
        reader=lambda bodies: bodies.str.slice(len("message-id=")).to_frame("message_id"),
        example="message-id=<8d28aac5de57@example.com>",
        means="The Message-ID that the header of this message claims; without one Postfix makes one or logs `<>`.",
        finish=_message_id,
    ),
    Shape(
        kind="postfix.cleanup.message_id",
        programs=_CLEANUP,
        severity="info",
        pattern=r"resent-message-id=(?P<resent_message_id>.*)",
        example="resent-message-id=<120b11@example.com>",
        means="The message was sent again by hand and bears a second Message-ID.",
    ),
    Shape(
        kind="postfix.cleanup.milter",
        programs=_CLEANUP,
        severity="info",
        pattern=rf"milter-(?P<action>[a-z]+): (?P<stage>[A-Z-]+) from {CLIENT_SAYS} "
        r"(?:(?P<reply_code>[2-5][0-9][0-9])(?: |\z))?(?:(?P<enhanced_code>[245]\.[0-9]+\.[0-9]+)(?: |\z))?(?P<text>.*)",
        example="milter-reject: END-OF-MESSAGE from mx.example.net[192.0.2.7]: 5.7.1 Spam message rejected; "
        "from=<alex@example.com> to=<bob@example.org> proto=ESMTP helo=<mx.example.net>",
        means="A milter decided about the message: reject, discard, hold (quarantine), redirect, ...; the text is its reason.",
        since="2.3",
        finish=_milter,
        adds=ENVELOPE,
    ),
    Shape(
        kind="postfix.cleanup.milter",
        programs=_CLEANUP,
        severity="info",
        pattern=r"milter-(?P<where>header|body)-(?P<action>[a-z]+): (?P<text>.*)",
        example="milter-header-redirect: header X-Spam-Status: Yes from mx.example.net[192.0.2.7]; from=<alex@example.com> "
        "to=<bob@example.org> proto=ESMTP helo=<mx.example.net>: spam@example.org",
        means="A rule of milter_header_checks hit a header that a milter added.",
        since="2.7",
        finish=_check,
        adds=_CHECK_FIELDS,
    ),
    Shape(
        kind="postfix.cleanup.check",
        programs=_CLEANUP,
        severity="info",
        pattern=rf"(?P<action>{_ACTIONS}): (?P<where>header|body|mime-error) (?P<text>.*)",
        example="warning: header Subject: test from mx.example.net[192.0.2.7]; from=<alex@example.com> to=<bob@example.org> "
        "proto=ESMTP helo=<mx.example.net>: a remark",
        means="A rule of header_checks or body_checks hit a line of the message; the action says what was done.",
        finish=_check,
        adds=_CHECK_FIELDS,
    ),
    Shape(
        kind="postfix.removed",
        programs=_CLEANUP,
        severity="info",
        pattern=r"removed \((?P<removal>[a-z -]+)\)",
        example="removed (canceled)",
        means="The queue file went before any delivery: canceled (refused, client lost) or discarded (a DISCARD action).",
        since="3.10",
    ),
)
