"""What the named groups of the Rspamd shapes hold: a type and one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from mailforensics.grammar.rspamd.symbols import SYMBOLS
from mailforensics.grammar.shape import Field


def _milliseconds(text: pl.Expr) -> pl.Expr:
    return (text.cast(pl.Float64, strict=False) / 1000).round(
        9
    )  # the engine divides one value, but multiplies many


_INTEGER, _NUMBER = pl.Int64, pl.Float64

FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        # the verdict on a message
        "message_id": Field(
            "The Message-ID as Rspamd cleans it: `?` for blanks, no comments.",
            personal=True,
            rfc="RFC 5322 §3.6.4",
        ),
        "queue_id": Field("The queue id that the mail server gave."),
        "client_ip": Field("The address of the client.", personal=True),
        "user": Field("The account that had logged in.", personal=True),
        "sender": Field(
            "The envelope sender (null for the null sender too).", personal=True, rfc="RFC 5321 §4.1.1.2"
        ),
        "recipients": Field(
            "The envelope recipients.", pl.List(pl.String), personal=True, rfc="RFC 5321 §4.1.1.3"
        ),
        "mime_recipients": Field("The addresses of To and Cc.", pl.List(pl.String), personal=True),
        "recipients_cut": Field("Whether Rspamd cut one of the two lists of recipients short.", pl.Boolean),
        "flag": Field("T, F or S as written: not a spam flag (T for greylist too); S = skipped."),
        "is_skipped": Field(
            "Whether the rules did not run (flag S: a forced result, or a passed message).", pl.Boolean
        ),
        "is_spam": Field("Whether the action is one for spam.", pl.Boolean),
        "action": Field("What Rspamd asks the mail server to do."),
        "score": Field("The score; NaN where Rspamd wrote nan.", _NUMBER),
        "required_score": Field("The score that the strongest action needs.", _NUMBER),
        "symbols": Field("The rules that hit, with score and options.", SYMBOLS, personal=True),
        "size": Field("Size of the message in bytes.", _INTEGER),
        "scan_time_s": Field(
            "Seconds that the scan took, waits for DNS included.", _NUMBER, convert=_milliseconds
        ),
        "virtual_time_s": Field("Seconds of processor time (1.x).", _NUMBER, convert=_milliseconds),
        "dns_requests": Field("How many DNS questions the scan asked.", _INTEGER),
        "digest": Field("The checksum of the message (MD5-like, 32 hex digits)."),
        "file": Field("The file that was scanned."),
        "forced_action": Field("The action that a rule forced, whatever the score."),
        "forced_text": Field("The text that goes to the client with the forced action.", personal=True),
        "forced_score": Field("The score that the rule forced; NaN where it forced none.", _NUMBER),
        "forced_by": Field("The rule that forced it."),
        "settings_id": Field("The settings that applied."),
        "subject": Field(
            "The subject, where the format of the site tells it.", personal=True, rfc="RFC 5322 §3.6.5"
        ),
        # the other lines
        "client_port": Field("The TCP port of the client.", _INTEGER),
        "function": Field("The function, or the Lua file and line, that wrote the line."),
        "text": Field("What it says.", personal=True),
        "learned_as": Field("The class that was taught: spam or ham."),
        "bare_message_id": Field("The Message-ID, which stands without brackets here.", personal=True),
        "until": Field("The time until which the message has to wait, as written."),
        "until_again": Field("The time until which the message still has to wait, as written."),
        "count": Field("How many times.", _INTEGER),
        "written": Field("The whole text, where the `log_format` is one of the site's own.", personal=True),
    }
)
