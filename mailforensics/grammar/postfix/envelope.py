"""The envelope that Postfix puts behind the last semicolon of a refusal, a header check or a milter's verdict.

    ...: Relay access denied; from=<alex@example.com> to=<bob@example.org> proto=ESMTP helo=<mx.example.net> sasl_method=PLAIN ...

Sources: ``log_whatsup`` in Postfix ``src/smtpd/smtpd_check.c``, ``cleanup_act`` in ``src/cleanup/cleanup_message.c``; sasl_* since
3.10. The text before it, the addresses and the HELO name come from outside and may imitate an envelope: a line that can
be cut in two ways is marked ``partial``.
"""

from __future__ import annotations

from functools import cache

import polars as pl

from mailforensics.grammar.postfix.fields import address

Frame = pl.DataFrame

ENVELOPE = ("sender", "recipient", "protocol", "helo", "sasl_method", "sasl_username", "sasl_sender")
ENVELOPE_AND_ARGUMENT = (*ENVELOPE, "argument")

_SENDER = "; from=<"
_FAST = (
    rf"{address('sender')}>(?: to=<{address('recipient')}>)?(?: proto=(?P<protocol>[A-Z]+))?(?: helo=<(?P<helo>[^>]*)>)?"
    r"(?: sasl_method=(?P<sasl_method>[^ >]+)(?: sasl_username=(?P<sasl_username>[^ >]+)(?: sasl_sender=(?P<sasl_sender>[^ >]+))?)?)?"
)
# The HELO name takes all that it can: what looks like a login inside its brackets was put there by the client.
_SLOW = (
    r"(?P<text>.*?);(?: from=<(?P<sender>.*?)>)?(?: to=<(?P<recipient>.*?)>)?(?: proto=(?P<protocol>[A-Z]+))?"
    r"(?: helo=<(?P<helo>.*)>)?(?: sasl_method=(?P<sasl_method>[!-~]+)(?: sasl_username=(?P<sasl_username>.*?))?"
    r"(?: sasl_sender=(?P<sasl_sender>.*?))?)?"
)
_ARGUMENT = r"(?:: (?P<argument>.*))?"


@cache
def _patterns(argument: bool) -> tuple[str, str]:
    tail = _ARGUMENT if argument else ""
    return rf"\A(?s:{_FAST}{tail})\z", rf"\A(?s:{_SLOW}{tail})\z"


def cut_envelope(frame: Frame, *, argument: bool = False) -> Frame:
    """Cut the envelope off column ``text``: adds ``ENVELOPE`` (and ``argument``); what allows two readings is ``partial``.

    >>> one = pl.DataFrame({"text": ["Relay access denied; from=<a@example.com> to=<> proto=SMTP helo=<h>"], "partial": [False]})
    >>> cut_envelope(one).select("text", "sender", "recipient", "helo", "partial").row(0)
    ('Relay access denied', 'a@example.com', '', 'h', False)
    """
    fast, slow = _patterns(argument)
    halves = frame["text"].str.splitn(_SENDER, 2).struct.unnest()
    found = halves["field_1"].str.extract_groups(fast).struct.unnest()
    good = found["sender"].is_not_null()
    read = found.with_columns(
        pl.when(good).then(halves["field_0"]).otherwise(frame["text"]).alias("text"),
        (frame["partial"] | halves["field_1"].str.contains(_SENDER, literal=True).fill_null(False)).alias(
            "partial"
        ),
    )
    if not good.all():
        read = _read_slowly(read, ~good, slow)
    return frame.drop("text", "partial").hstack(read.select("text", *found.columns, "partial"))


def _read_slowly(read: Frame, rows: pl.Series, pattern: str) -> Frame:
    """Read the rows again that lack a sender, or whose addresses hold brackets: any part of the envelope may be missing."""
    numbered = read.with_row_index("row")
    some = numbered.filter(rows)
    found = some["text"].str.extract_groups(pattern).struct.unnest()
    hit = found["text"].is_not_null()
    found = found.with_columns(
        pl.when(hit).then("text").otherwise(some["text"]).alias("text"),
        (some["partial"] | (~hit & some["text"].str.contains(_SENDER, literal=True))).alias("partial"),
        some["row"],
    )
    whole = pl.concat([numbered.filter(~rows), found.select(numbered.columns)])
    return whole.sort("row").drop("row")
