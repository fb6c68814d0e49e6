"""Ends of sessions: IMAP, POP3, submission and ManageSieve with their counters, and the connections of LMTP.

    Disconnected: Logged out in=123 out=7611 deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=2 body_bytes=6431
    Disconnected: Logged out top=0/0, retr=4/7031, del=4/6963, size=6963
    Disconnect from local: Logged out (state=READY)

Source: ``imap_logout_format``, ``pop3_logout_format``, ``managesieve_logout_format``, ``submission_logout_format`` in the
settings, ``src/lmtp/lmtp-client.c``; real logs of 2.3.19, 2.4.1 and 2.4.5.
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.shape import Shape

Frame = pl.DataFrame

# Why a session ends, by its first words; what follows may hold anything (OpenSSL's texts, the last command).
_WHY = (
    r"(?P<close_reason>(?:Disconnected|Logged out|Connection closed|Server shutting down|Inactivity|Too many|Too long|Internal error|Remote closed|"
    r"Client |Timed out|Timeout|Autologout|Kicked|Aborted|Killed|Shutting down|Output|Input|SSL|TLS|read\(|write\(|EOF|Unexpected|Maximum|Failed|"
    r"Process|Master|User |Session|Idle|IDLE|Hibernat|Unhibernat|Mailbox|Namespace|Lost|Selected|State)"
)
IMAP_SERVICES = ("imap", "imap-hibernate", "imap-urlauth", "submission")
_IMAP_COUNTERS = (
    r"in=(?P<bytes_in>[0-9]+) out=(?P<bytes_out>[0-9]+)(?: deleted=(?P<deleted>[0-9]+) expunged=(?P<expunged>[0-9]+)"
    r"(?: trashed=(?P<trashed>[0-9]+))?(?: hdr_count=(?P<header_count>[0-9]+) hdr_bytes=(?P<header_bytes>[0-9]+)"
    r" body_count=(?P<body_count>[0-9]+) body_bytes=(?P<body_bytes>[0-9]+))?)?"
)

# Counters by key, for a `..._logout_format` of the site's own.
_COUNTERS = {
    "bytes_in": "in",
    "bytes_out": "out",
    "deleted": "deleted",
    "expunged": "expunged",
    "trashed": "trashed",
    "autoexpunged": "autoexpunged",
    "appended": "appended",
    "header_count": "hdr_count",
    "header_bytes": "hdr_bytes",
    "body_count": "body_count",
    "body_bytes": "body_bytes",
}


# POP3 counts messages and bytes, or what is left to delete, with a slash between them.
_PAIRS = {
    "top": ("top_count", "top_bytes"),
    "retr": ("retrieved", "retrieved_bytes"),
    "del": ("deleted", "deleted_of"),
    "bytes": ("bytes_in", "bytes_out"),
}


def _by_key(fields: Frame) -> Frame:
    """Each counter found by its key, wherever the site's format puts it."""
    counters = pl.col("counters")
    return fields.with_columns(
        counters.str.extract(rf"(?:\A|[ ,]){key}=([0-9]{{1,18}})").cast(pl.Int64).alias(name)
        for name, key in _COUNTERS.items()
    )


def _pop3_by_key(fields: Frame) -> Frame:
    counters = pl.col("counters")
    pairs = [
        counters.str.extract(rf"(?:\A|[ ,]){key}=([0-9]{{1,18}})/([0-9]{{1,18}})", group)
        .cast(pl.Int64)
        .alias(name)
        for key, names in _PAIRS.items()
        for group, name in enumerate(names, start=1)
    ]
    size = counters.str.extract(r"(?:\A|[ ,])size=([0-9]{1,18})").cast(pl.Int64).alias("mailbox_bytes")
    return fields.with_columns(*pairs, size)


SESSION_SHAPES = (
    Shape(
        kind="dovecot.session_end",
        programs=IMAP_SERVICES,
        pattern=rf"Disconnected: (?P<close_reason>.+?) {_IMAP_COUNTERS}",
        example=(
            "Disconnected: Logged out in=123 out=7611 deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 "
            "body_count=2 body_bytes=6431"
        ),
        means="The session ended; the counters say what was sent, deleted and expunged in it.",
    ),
    Shape(
        kind="dovecot.session_end",
        programs=IMAP_SERVICES,
        holds=" out=",
        pattern=rf"{_WHY}.*?) {_IMAP_COUNTERS}",
        example="Connection closed (UID FETCH finished 0.210 secs ago) in=840 out=91331 deleted=0 expunged=0",
        means="The session ended; the counters say what was sent, deleted and expunged in it.",
    ),
    Shape(
        kind="dovecot.session_end",
        programs=("pop3",),
        pattern=(
            rf"(?:Disconnected: )?{_WHY}.*?) top=(?P<top_count>[0-9]+)/(?P<top_bytes>[0-9]+), "
            r"retr=(?P<retrieved>[0-9]+)/(?P<retrieved_bytes>[0-9]+), "
            r"del=(?P<deleted>[0-9]+)/(?P<deleted_of>[0-9]+), size=(?P<mailbox_bytes>[0-9]+)"
        ),
        example="Disconnected: Logged out top=0/0, retr=4/7031, del=4/6963, size=6963",
        means="The session ended; the counters say what was fetched and deleted in it.",
    ),
    Shape(
        kind="dovecot.session_end",
        programs=("pop3",),
        holds="=",
        pattern=r"(?P<close_reason>(?:Disconnected|Logged out|Connection closed|Server shutting down|Aborted).*?)[ ,]+(?P<counters>(?:[a-z_]+=<?[!-+\--~]*>?(?:[ ,]+|\z))+)",
        finish=_pop3_by_key,
        adds=(*(name for names in _PAIRS.values() for name in names), "mailbox_bytes"),
        example="Disconnected: Logged out top=0/0, retr=1/2345, del=1/3, size=4567, bytes=121/2601",
        means="The session ended; the site writes its counters in a format of its own.",
    ),
    Shape(
        kind="dovecot.session_end",
        programs=("managesieve", "imap", "sieve"),
        pattern=rf"(?:Disconnected: )?{_WHY}.*?) bytes=(?P<bytes_in>[0-9]+)/(?P<bytes_out>[0-9]+)",
        example="Disconnected: Logged out bytes=145/1089",
        means="The session ended (ManageSieve; IMAP up to 2.0).",
    ),
    Shape(
        kind="dovecot.session_end",
        programs=IMAP_SERVICES,
        holds="in=",
        pattern=r"(?P<close_reason>(?:Disconnected|Logged out|Connection closed|Server shutting down).*?)[ ,]+(?P<counters>(?:[a-z_]+=<?[!-+\--~]*>?(?:[ ,]+|\z))+)",
        finish=_by_key,
        adds=tuple(_COUNTERS),
        example="Disconnected: Logged out rcvd=1 in=123, out=7611, session=<Gu15oPdgc5jAAAJm>",
        means="The session ended; the site writes its counters in a format of its own.",
    ),
    Shape(
        kind="dovecot.lmtp.connect",
        programs=("lmtp",),
        pattern=r"Connect from (?P<client_ip>[!-~]+)",
        example="Connect from local",
        means="The mail server opened an LMTP connection to hand over mail (`local` is a unix socket).",
    ),
    Shape(
        kind="dovecot.lmtp.disconnect",
        programs=("lmtp",),
        pattern=(
            r"Disconnect from (?P<client_ip>[!-9;-~]+(?::[0-9A-Fa-f:.]+)?): (?P<close_reason>.+?)"
            r"(?: \(state=(?P<state>[A-Z _]+)\))?(?: in=(?P<bytes_in>[0-9]+) out=(?P<bytes_out>[0-9]+))?"
        ),
        example="Disconnect from local: Logged out (state=READY)",
        means="The LMTP connection ended.",
    ),
)
