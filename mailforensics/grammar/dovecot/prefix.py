"""What stands before the text of a Dovecot line: service, user, process, session and severity word.

    lmtp(anna@example.com)<602><kztSJHp+BGtaAgAAYIgGOA:R2>: Info: Mailbox INBOX: save: uid=1, ...
    \\__/ \\______________/  \\_/  \\_______________________/   \\__/
    service   username     pid         session           severity (own log file only; syslog has none for info)

Up to 2.2 the process and session stand elsewhere (``lmtp(602, anna@example.com): <session>: ...``), 1.x puts the severity
first (``Info: imap-login: ...``). Connection lines of LMTP name the process only (``lmtp(602): Connect from local``).

Debug lines tell steps in words that could be mistaken for what came of them, so ``Debug: `` stays in front of their body.

What stands in brackets behind ``auth`` is written by whoever tries to log in, so it stays in the body, where the shapes
of ``auth.py`` read it: ``(anna@example.com,192.0.2.1,sasl:plain)<session>: passwd-file: Password mismatch``.

Source: ``mail_log_prefix`` in Dovecot's settings, ``src/lib/failures.c`` (severity words), and real logs of 2.3.19, 2.4.1, 2.4.5.
"""

from __future__ import annotations

import polars as pl

Frame = pl.DataFrame

PROGRAMS = r"dovecot(?:-lda|-deliver|-auth|-imapd|-pop3d)?|auth|dovecot/[!-~]+"

_SEVERITIES = "Info|Warning|Error|Fatal|Panic|Debug"
_PREFIX = (
    rf"\A(?P<prefix>(?:(?P<first>{_SEVERITIES}): )?(?:dovecot: )?(?P<service>[A-Za-z][A-Za-z0-9_-]*)"
    rf"(?P<brackets>(?:\([^)]*\))?(?:<[^<>]*>)*): (?:(?P<second>{_SEVERITIES}): )?)"
)
# A user name may hold a bracket; this second try is only for lines whose prefix did not fit the first.
_ODD_PREFIX = _PREFIX.replace(r"\([^)]*\)", r"\((?s:.*?)\)")
_INNER = (
    r"\A(?:\((?:(?P<number>[0-9]+)(?:, (?P<late_user>(?s:.*)))?|(?P<user>(?s:.*)))\))?"
    r"(?:<(?P<own_pid>[0-9]*)>)?(?:<(?P<session>[^<>]*)>)?\z"
)
# 2.2 writes the session behind the user: `lmtp(602, anna@example.com): v2M4MPBsBGuxOgAAg+zDdQ: msgid=...`
_OLD_SESSION = r"\A((?:<[!-;=?-~]+>|[0-9A-Za-z+/]{16,24}={0,2}(?::[RT]?[0-9]+)*): )"
_AUTH = ("auth", "auth-worker")


def split(frame: Frame) -> Frame:
    """Cut the prefix off each line: a frame with ``program``, ``pid`` and ``text`` in, the same rows out.

    Columns: ``daemon`` (the service: ``imap-login``, ``lmtp``, ``auth``...; ``dovecot`` where the line names none), ``instance``
    (the program), ``pid``, ``severity`` (lower case; null = info), ``queue_id`` (always null), ``session_id``, ``username``
    and ``body``.

    >>> text = "lmtp(anna@example.com)<602><kztSJHp+BGtaAgAAYIgGOA>: sieve: msgid=<a@example.com>: discarded"
    >>> lines = pl.DataFrame({"program": "dovecot", "pid": [None], "text": text}, schema_overrides={"pid": pl.Int32})
    >>> split(lines).select("daemon", "username", "pid", "session_id").row(0)
    ('lmtp', 'anna@example.com', 602, 'kztSJHp+BGtaAgAAYIgGOA')
    """
    cut = frame.select("program", "pid", "text").hstack(_prefixes(frame["text"]))
    own = pl.col("brackets").str.contains(r"\A\((?:[0-9]+|default)\)\z")
    is_auth = pl.col("service").is_in(_AUTH) & ~own
    cut = cut.with_columns(
        is_auth.alias("is_auth"),
        inner=pl.when(
            is_auth | (pl.col("brackets") == "(default)") | pl.col("service").str.starts_with("pam_")
        )
        .then(pl.lit(""))
        .otherwise("brackets")
        .str.extract_groups(_INNER),
        rest=_after(pl.col("text"), pl.col("prefix").str.len_bytes()),
    ).unnest("inner")
    cut = cut.with_columns(old_session=pl.col("rest").str.extract(_OLD_SESSION))
    has_pid = pl.col("own_pid").is_not_null()
    return cut.select(
        daemon=pl.col("service").str.to_lowercase().fill_null("dovecot"),
        instance=pl.col("program"),
        pid=_number("own_pid").fill_null(pl.when(~has_pid).then(_number("number"))).fill_null(pl.col("pid")),
        severity=pl.coalesce("first", "second").str.to_lowercase().replace({"info": None}),
        queue_id=pl.lit(None, pl.String),
        session_id=_full("session").fill_null(pl.col("old_session").str.strip_chars("<>: ")),
        username=_full("user").fill_null(pl.col("late_user")).fill_null(pl.when(has_pid).then("number")),
        body=_body(),
    )


def _prefixes(text: pl.Series) -> Frame:
    """The parts of each line's prefix; all null where the line has none."""
    found = text.to_frame("text").select(pl.col("text").str.extract_groups(_PREFIX).struct.unnest())
    missed = found["prefix"].is_null()
    if not missed.any():
        return found
    again = text.to_frame("text").select(
        pl.when(missed).then(pl.col("text")).str.extract_groups(_ODD_PREFIX).struct.unnest()
    )
    return found.select(pl.coalesce(pl.col(name), again[name]) for name in found.columns)


def _body() -> pl.Expr:
    """What the shapes see: the text behind the prefix, with the brackets of ``auth`` put back in front of it."""
    in_brackets = pl.concat_str("brackets", pl.lit(": "), "rest")
    without_session = _after(pl.col("rest"), pl.col("old_session").str.len_bytes())
    is_debug = (pl.col("first") == "Debug") | (pl.col("second") == "Debug")
    return (
        pl.when(is_debug.fill_null(False))
        .then(pl.concat_str(pl.lit("Debug: "), "rest"))
        .when(pl.col("is_auth") & (pl.col("brackets") != ""))
        .then(in_brackets)
        .when(pl.col("old_session").is_not_null())
        .then(without_session)
        .otherwise("rest")
    )


def _after(text: pl.Expr, length: pl.Expr) -> pl.Expr:
    """The text behind the first `length` bytes (all of it where the length is null), without copying."""
    return text.cast(pl.Binary).bin.slice(length.fill_null(0)).cast(pl.String)


def _number(name: str) -> pl.Expr:
    return pl.col(name).cast(pl.Int32, strict=False)


def _full(name: str) -> pl.Expr:
    """The column, null where it is empty."""
    return pl.when(pl.col(name) != "").then(pl.col(name))
