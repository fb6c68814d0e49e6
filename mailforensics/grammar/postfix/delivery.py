"""One attempt to deliver to one recipient, by whichever agent: smtp, lmtp, local, virtual, pipe, error, discard, ...

    4jYDFF2L8ZzqDd: to=<bob@example.net>, orig_to=<sales@example.org>, relay=mx.example.net[192.0.2.7]:25, conn_use=2, delay=1.8,
        delays=0.19/0.01/0.2/1.4, tls=may, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4jYDDG6D2Bzn7N)

Source: Postfix ``src/global/log_adhoc.c`` (one line of the log; broken here). ``delays=``, ``dsn=``, ``conn_use=`` since 2.3, ``tls=``
since 3.11 (``smtp_log_tls_feature_status``). Before 3.5 addresses stood there without quotes and may hold anything.
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.postfix.fields import address
from mailforensics.grammar.postfix.reasons import ADDS, FAILED, host_said_stage, read_response
from mailforensics.grammar.shape import Frame, Shape

AGENTS = (
    "smtp",
    "lmtp",
    "local",
    "virtual",
    "pipe",
    "error",
    "retry",
    "discard",
    "qmgr",
    "oqmgr",
    "nqmgr",
    "cleanup",
    "bounce",
)
_CLIENTS = ("smtp", "lmtp")

_RELAY = (
    r"relay=(?P<relay_name>[^\[,:]*)"
    r"(?:\[(?:(?P<relay_ip>[0-9A-Fa-f:][^\]]*)|(?P<relay_socket>[^0-9A-Fa-f:\]][^\]]*))\])?(?::(?P<relay_port>[0-9]+))?, "
)
_DELAYS = (
    r"delays=(?P<delay_before_queue_s>[0-9.]+)/(?P<delay_in_queue_s>[0-9.]+)/"
    r"(?P<delay_connect_s>[0-9.]+)/(?P<delay_transmit_s>[0-9.]+), "
)
_NUMBERS = rf"(?:conn_use=(?P<connection_reuse>[0-9]+), )?delay=(?P<delay_s>[0-9.]+), {_DELAYS}"
_OLD_NUMBERS = rf"(?:conn_use=(?P<connection_reuse>[0-9]+),? )?delay=(?P<delay_s>[0-9.]+), (?:{_DELAYS})?"
_OLD_RELAY = (
    r"relay=(?P<relay_name>[^\[,]*?)(?:\[(?:(?P<relay_ip>[0-9A-Fa-f:.]+(?:%[^\]]+)?)|(?P<relay_socket>[^\]]*))\])?"
    r"(?::(?P<relay_port>[0-9]+))?, "
)
_STATUS = r"status=(?P<status>[a-zA-Z-]+) \((?P<response>.*)"


TLS_STATUS = ("tls_level", "tls_downgrade", "tls_outcome", "requiretls", "requiretls_downgrade")
_TLS_STATUS = (
    r"\A(?P<unmet>!)?(?P<tls_level>[a-z-]+)(?::(?P<tls_downgrade>[a-z]+))?(?P<undecided>\?)?"
    r"(?:/(?P<required_unmet>!)?(?P<required>requiretls)(?::(?P<requiretls_downgrade>[a-z]+))?(?P<required_undecided>\?)?)?\z"
)


def _outcome(unmet: str, undecided: str) -> pl.Expr:
    return (
        pl.when(pl.col(unmet).is_not_null())
        .then(pl.lit("unmet"))
        .when(pl.col(undecided).is_not_null())
        .then(pl.lit("undecided"))
        .otherwise(pl.lit("met"))
    )


def read_tls_status(frame: Frame) -> Frame:
    """Take ``tls=may?/!requiretls:nocertmatch`` apart, once per distinct value: adds ``TLS_STATUS``.

    >>> read_tls_status(pl.DataFrame({"tls": ["dane/!requiretls:nostarttls"]})).row(0)
    ('dane/!requiretls:nostarttls', 'dane', None, 'met', 'unmet', 'nostarttls')
    """
    if frame["tls"].null_count() == frame.height:
        return frame.with_columns(pl.lit(None, dtype=pl.String).alias(name) for name in TLS_STATUS)
    values = frame.select("tls").unique().drop_nulls()
    parts = values.hstack(values["tls"].str.extract_groups(_TLS_STATUS).struct.unnest())
    known = pl.col("tls_level").is_not_null()
    read = parts.select(
        "tls",
        "tls_level",
        "tls_downgrade",
        pl.when(known).then(_outcome("unmet", "undecided")).alias("tls_outcome"),
        pl.when(pl.col("required").is_not_null())
        .then(_outcome("required_unmet", "required_undecided"))
        .alias("requiretls"),
        "requiretls_downgrade",
    )
    return frame.join(read, on="tls", how="left", maintain_order="left")


def _read(frame: Frame) -> Frame:
    """Read the reason; mark a line whose reason holds a delivery of its own, since either may be the made-up one."""
    twice = frame["response"].str.contains(">, relay=", literal=True)
    read = read_response(frame.with_columns(partial=frame["partial"] | twice))
    return read_tls_status(read).select(pl.exclude("partial"), "partial")


def _host_said(reason: Shape) -> Shape:
    """The line that the smtp client logs when one server of several failed: the reason's text alone."""
    return Shape(
        kind="postfix.host_said",
        programs=_CLIENTS,
        severity="info",
        pattern=reason.pattern,
        holds=reason.holds,
        example=reason.example,
        means=f"{reason.means} This is one attempt with one server, no delivery result: others may follow.",
        since=reason.since,
        constants={**reason.constants, "reason": reason.kind},
        finish=host_said_stage,
    )


DELIVERY: tuple[Shape, ...] = (
    Shape(
        kind="postfix.delivery",
        programs=AGENTS,
        severity="info",
        pattern=rf"to=<{address('recipient')}>, (?:orig_to=<{address('original_recipient')}>, )?{_RELAY}{_NUMBERS}"
        rf"(?:tls=(?P<tls>[^,]*), )?dsn=(?P<dsn>[0-9.]+), {_STATUS}",
        example="to=<bob@example.net>, relay=mx.example.net[192.0.2.7]:25, delay=1.8, delays=0.19/0.01/0.2/1.4, tls=may, dsn=2.0.0, "
        "status=sent (250 2.0.0 Ok: queued as 4jYDDG6D2Bzn7N)",
        means="One attempt to deliver to one recipient, with its delays, its status and the reason.",
        since="2.3",
        finish=_read,
        adds=(*ADDS, *TLS_STATUS),
    ),
    Shape(
        kind="postfix.delivery",
        programs=AGENTS,
        severity="info",
        pattern=rf"to=<?(?P<recipient>.*?)>?, (?:orig_to=<?(?P<original_recipient>.*?)>?, )?{_OLD_RELAY}{_OLD_NUMBERS}"
        rf"(?:tls=(?P<tls>[^,]*), )?(?:dsn=(?P<dsn>[0-9.]+), )?{_STATUS}",
        example="to=<a>b, c@example.com>, relay=none, delay=141602, status=deferred (connect to mx.example.net[192.0.2.7]: "
        "Connection refused)",
        means="The same, as old releases wrote it: without delays= or dsn=, or with addresses that hold brackets.",
        finish=_read,
        adds=(*ADDS, *TLS_STATUS),
    ),
)

SHAPES: tuple[Shape, ...] = (
    Shape(
        kind="postfix.passing",
        programs=AGENTS,
        severity="info",
        pattern=r"passing <(?P<recipient>.*)> to transport=(?P<transport>[^ ]+)",
        example="passing <bob@example.org> to transport=lmtp",
        means="A delivery agent gave the recipient to another transport (mailbox_transport, fallback_transport).",
        since="3.6",
    ),
    *(_host_said(reason) for reason in FAILED),
    Shape(
        kind="postfix.delivery.deferred",
        programs=("*",),
        severity="info",
        pattern=r"status=deferred \((?P<text>.*) failed\)",
        example="status=deferred (bounce failed)",
        means="The bounce or defer service did not answer, so the message stays in the queue.",
    ),
)
