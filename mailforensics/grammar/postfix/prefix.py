"""What stands before the text of a Postfix line: program, severity word and queue id.

    postfix/submission/smtpd[525]: warning: 4T8Zh133D8zGpCM: queue file size limit exceeded
    \\______________________/       \\_____/  \\____________/
     instance + daemon             severity    queue id

Sources: Postfix ``src/util/msg_logger.c`` (severity words), ``src/global/mail_queue.h`` (queue ids: short ones are five hex
digits of microseconds and a hex inode number; long ones, since 2.9, are at least ten characters of a 52-letter
alphabet without vowels, a ``z`` and an inode number), ``syslog_name`` in postconf(5).
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.distinct import places

Frame = pl.DataFrame

# Every Postfix daemon and command that logs; a program such as `mta1/smtpd` (syslog_name = mta1) is known by it.
DAEMONS = (
    "smtpd|smtp|lmtp|cleanup|qmgr|nqmgr|oqmgr|local|virtual|pipe|error|retry|discard|bounce|defer|trace|pickup|postscreen|"
    "dnsblog|tlsproxy|anvil|scache|verify|trivial-rewrite|proxymap|proxywrite|master|flush|showq|tlsmgr|spawn|qmqpd|"
    "postlogd|postsuper|postqueue|postdrop|postmap|postalias|postmulti|postconf|postcat|postkick|postlock|postlog|"
    "posttls-finger|postfix-script|postfix-tls-script|postmulti-script|post-install|sendmail|nbdb_reindexd"
)
PROGRAMS = rf"postfix|postfix-script|postfix-tls-script|postfix[-.@_0-9A-Za-z]*/[!-~]+|[!-~]+/(?:{DAEMONS})"

_LONG = "[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]"
_QUEUE_ID = rf"\A(?:[0-9A-F]{{2,}}|{_LONG}{{10,}}z{_LONG}+)\z"
# the same in the middle of a text, where short numbers and words are something else
QUEUE_ID_IN_TEXT = rf"(?:[0-9A-F]{{5,}}|{_LONG}{{10,}}z{_LONG}+)"
_SEVERITY = r"\A(warning|error|fatal|panic): "


def split(frame: Frame) -> Frame:
    """Cut the prefix off each line: a frame with ``program``, ``pid`` and ``text`` in, the same rows out.

    Columns: ``daemon`` (last element of the program's path; ``postfix`` when syslog cut the path off), ``instance`` (what stands
    before it), ``pid``, ``severity`` (warning, error, fatal, panic; null = info), ``queue_id``, ``noqueue`` (true where the line
    says NOQUEUE: no queue file then), ``session_id`` (always null), ``body``.

    >>> lines = pl.DataFrame({"program": ["postfix-out/relay/smtpd"], "pid": [7],
    ...                       "text": ["warning: 4T8Zh133D8zGpCM: queue file size limit exceeded"]})
    >>> split(lines).select("instance", "daemon", "severity", "queue_id", "body").row(0)
    ('postfix-out/relay', 'smtpd', 'warning', '4T8Zh133D8zGpCM', 'queue file size limit exceeded')
    """
    severity, text = _cut_severity(frame["text"])
    queue_id, noqueue, body = _cut_queue_id(text)
    instance, daemon = _cut_program(frame["program"])
    return frame.select("pid").with_columns(
        daemon, instance, severity, queue_id, noqueue, pl.lit(None, pl.String).alias("session_id"), body
    )


def _cut_program(programs: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Instance and daemon; programs are few, so each is cut once."""
    names = programs.unique().drop_nulls()
    parts = pl.DataFrame({"name": names}).select(
        daemon=pl.col("name").str.extract(r"([^/]*)\z"),
        instance=pl.col("name").str.extract(r"\A(.+)/[^/]*\z").fill_null(pl.col("name")),
    )
    rows = pl.Series(places(programs, names))
    nothing = pl.Series([None], dtype=pl.String)
    instance = pl.concat([parts["instance"], nothing]).gather(rows)
    return instance.alias("instance"), pl.concat([parts["daemon"], nothing]).gather(rows).alias("daemon")


def _cut_severity(text: pl.Series) -> tuple[pl.Series, pl.Series]:
    severity = pl.Series("severity", [None], dtype=pl.String).new_from_index(0, len(text))
    loud = text.str.contains(_SEVERITY).fill_null(False).arg_true()
    if not len(loud):
        return severity, text
    cut = pl.DataFrame({"text": text.gather(loud)}).select(
        severity=pl.col("text").str.extract(_SEVERITY),
        text=pl.col("text").str.slice(pl.col("text").str.find(": ", literal=True) + 2),
    )
    return severity.scatter(loud, cut["severity"]), text.clone().scatter(loud, cut["text"])


_WORD = (
    r"\A([0-9A-HJ-NP-Zb-df-hj-np-tv-z]{2,32}): "  # what an id is made of; most first words fail at a vowel
)


def _cut_queue_id(text: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series]:
    """The queue id in front of the text. Only words that could be one are looked at closely: that is a third of the time."""
    word = text.str.extract(_WORD)
    rows = word.is_not_null().arg_true()
    body = text.clone()
    noqueue = pl.Series("noqueue", [None], dtype=pl.Boolean).new_from_index(0, len(text))
    if len(rows):
        words = word.gather(rows)
        is_id = words.str.contains(_QUEUE_ID)
        word = word.scatter(rows.filter(~is_id), None)
        rows, words = rows.filter(is_id), words.filter(is_id)
        cut = pl.DataFrame({"text": text.gather(rows), "at": words.str.len_bytes() + 2})
        body = body.scatter(rows, cut.select(pl.col("text").str.slice("at")).to_series())
        noqueue = noqueue.scatter(rows, False)
    without = text.str.starts_with("NOQUEUE: ").fill_null(False).arg_true()
    if len(without):
        body = body.scatter(without, text.gather(without).str.slice(len("NOQUEUE: ")))
        noqueue = noqueue.scatter(without, True)
    return word.alias("queue_id"), noqueue, body.alias("body")


_ODD_QUEUE_ID = r"\A([0-9A-Za-z]{5,32}): "


def odd_queue_id(rows: Frame) -> Frame:
    """Take a word in front of the text for a queue id although Postfix would not have made it (another server's, a patch's).

    Asked only for lines that no shape reads otherwise, so that no word of a message is ever taken for an id.

    >>> row = pl.DataFrame({"body": ["4cTest145: removed"], "queue_id": [None], "noqueue": [None]},
    ...                    schema={"body": pl.String, "queue_id": pl.String, "noqueue": pl.Boolean})
    >>> odd_queue_id(row).select("queue_id", "body").row(0)
    ('4cTest145', 'removed')
    """
    word = pl.col("body").str.extract(_ODD_QUEUE_ID)
    fits = pl.col("queue_id").is_null() & word.is_not_null() & word.str.contains(r"[0-9]")
    return rows.with_columns(
        queue_id=pl.when(fits).then(word).otherwise("queue_id"),
        noqueue=pl.when(fits).then(pl.lit(False)).otherwise("noqueue"),
        body=pl.when(fits).then(pl.col("body").str.slice(word.str.len_bytes() + 2)).otherwise("body"),
    )
