"""What stands before the text of a Postfix line: program, severity word and queue id.

    postfix/submission/smtpd[525]: warning: 4T8Zh133D8zGpCM: queue file size limit exceeded
    \\______________________/       \\_____/  \\____________/
     instance + daemon             severity    queue id

Sources: Postfix ``src/util/msg_logger.c`` (severity words), ``src/global/mail_queue.h`` (queue ids: short ones are five hex
digits of microseconds and a hex inode number; long ones, since 2.9, are at least ten characters of a 52-letter
alphabet without vowels, a ``z`` and an inode number), ``syslog_name`` in postconf(5).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from mailforensics.evidence.spans import behind, first_four, four, spans
from mailforensics.grammar.distinct import coded, distinct, for_each

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
_QUEUE_ID = rf"\A(?:[0-9A-F]{{2,}}|{_LONG}{{10,}}z{_LONG}+): "
_LONGEST_ID = 32
_NOQUEUE = "NOQUEUE: "
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
    severity, queue_id, noqueue, body = _cut_prefix(frame["text"])
    instance, daemon = _cut_program(frame["program"])
    return frame.select("pid").with_columns(
        daemon, instance, severity, queue_id, noqueue, pl.lit(None, pl.String).alias("session_id"), body
    )


def _cut_program(programs: pl.Series) -> tuple[pl.Series, pl.Series]:
    """Instance and daemon; programs are few, so each is cut once."""
    names, which = distinct(programs)
    parts = pl.DataFrame({"name": names}).select(
        daemon=pl.col("name").str.extract(r"([^/]*)\z"),
        instance=pl.col("name").str.extract(r"\A(.+)/[^/]*\z").fill_null(pl.col("name")),
    )
    return for_each(coded(parts["instance"]), which), for_each(coded(parts["daemon"]), which)


_SEVERITY_WORDS = [four(word) for word in ("warning", "error", "fatal", "panic")]


def _severities(text: pl.Series) -> tuple[pl.Series, np.ndarray]:
    """The severity word in front of each text (null: none), and how many bytes of the text it takes."""
    maybe = np.flatnonzero(np.isin(first_four(text), _SEVERITY_WORDS))
    words = text[maybe].str.extract(_SEVERITY)
    loud = words.is_not_null().to_numpy()
    rows, words = maybe[loud], words.filter(pl.Series(loud))
    cut = np.zeros(len(text), dtype=np.int64)
    cut[rows] = words.str.len_bytes().to_numpy() + len(": ")
    names, which = distinct(words)
    number = np.full(len(text), len(names), dtype=np.uint32)
    number[rows] = which
    return for_each(coded(names.rename("severity")), number), cut


def _of_ids() -> np.ndarray:
    """Which pairs of bytes may stand in the first four of a text that begins with a queue id: most words fail at a vowel."""
    one = np.zeros(256, dtype=bool)
    one[[*b"0123456789ABCDEF: ", *b"BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"]] = True
    return np.logical_and.outer(one, one).ravel()


_OF_IDS = _of_ids()


def _ids(text: pl.Series) -> tuple[np.ndarray, np.ndarray]:
    """The length of the queue id in front of each text (0: none), and which texts begin with NOQUEUE.

    Only texts that may begin with an id are looked at closely.
    """
    start = first_four(text)
    maybe = np.flatnonzero(_OF_IDS[start & 0xFFFF] & _OF_IDS[start >> 16])
    some = text[maybe]
    colon = some.str.find(": ", literal=True).fill_null(_LONGEST_ID + 1).to_numpy()
    is_id = (colon <= _LONGEST_ID) & some.str.contains(_QUEUE_ID).to_numpy()
    lengths = np.zeros(len(text), dtype=np.int64)
    lengths[maybe[is_id]] = colon[is_id]
    without = np.flatnonzero(start == four(_NOQUEUE))
    without = without[text[without].str.starts_with(_NOQUEUE).to_numpy()]
    noqueue = np.zeros(len(text), dtype=bool)
    noqueue[without] = True
    return lengths, noqueue


def _cut_prefix(text: pl.Series) -> tuple[pl.Series, pl.Series, pl.Series, pl.Series]:
    """Severity, queue id, ``noqueue`` and body of each text."""
    severity, begin = _severities(text)
    lengths, noqueue = _ids(text)
    loud = np.flatnonzero(begin)
    if len(loud):
        lengths[loud], noqueue[loud] = _ids(behind(text[loud], begin[loud]))
    has_id = lengths > 0
    end = begin + np.where(has_id, lengths + len(": "), np.where(noqueue, len(_NOQUEUE), 0))
    queue_id, body = _parts(text, begin, lengths, end)
    said = pl.Series("noqueue", noqueue)
    without = ~(has_id | noqueue)
    return severity, queue_id.alias("queue_id"), said.set(pl.Series(without), None), body.alias("body")


def _parts(
    text: pl.Series, begin: np.ndarray, lengths: np.ndarray, end: np.ndarray
) -> tuple[pl.Series, pl.Series]:
    """So many bytes of each text from `begin` on (null where it is none), and what stands behind `end`."""
    found = spans(text.rechunk())
    if found is not None:
        buffer, starts, whole = found
        return buffer.texts(starts + begin, lengths, lengths > 0), buffer.texts(starts + end, whole - end)
    part = pl.col("text").cast(pl.Binary).bin.slice(pl.col("begin"), pl.col("length")).cast(pl.String)
    ids = pl.DataFrame({"text": text, "begin": begin, "length": lengths}).select(
        pl.when(pl.col("length") > 0).then(part)
    )
    return ids.to_series(), behind(text, end)


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
