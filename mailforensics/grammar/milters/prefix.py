"""What the neighbours of Postfix put in front of their text: mostly nothing, or the queue id of the mail server.

    opendkim[811]: DB74B469E0: DKIM verification successful
                   \\________/
                    queue id (``(unknown-jobid)`` when the mail server gave none)

Sources: Postfix ``src/global/mail_queue.h`` (queue ids), Sendmail's 14 characters; real lines of the programs.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

Frame = pl.DataFrame

_LONG = "[0-9B-DF-HJ-NP-TV-Zb-df-hj-np-tv-z]"
_QUEUE_ID = rf"\A([0-9A-F]{{5,20}}|{_LONG}{{10,}}z{_LONG}+|[0-9][0-9A-Za-z]{{13}}|\(unknown-jobid\)): "
_UNKNOWN = "(unknown-jobid)"
_SEVERITY = r"\A(?i:(warning|error|fatal|panic)): "


def splitter(daemon: str, *, queue_id: bool = False, severity: bool = False) -> Callable[[Frame], Frame]:
    """The ``split`` of a program whose lines may begin with a queue id or a severity word (``warning: ``).

    >>> split = splitter("opendkim", queue_id=True)
    >>> lines = pl.DataFrame({"program": "opendkim", "pid": 811, "text": "DB74B469E0: no signature data"})
    >>> split(lines).select("daemon", "queue_id", "body").row(0)
    ('opendkim', 'DB74B469E0', 'no signature data')
    """

    def split(frame: Frame) -> Frame:
        text = pl.col("text")
        said = pl.col("severity") if "severity" in frame.columns else pl.lit(None, pl.String)
        nothing = pl.lit(None, pl.String)
        cut = frame.with_columns(
            id=text.str.extract(_QUEUE_ID) if queue_id else nothing,
            word=text.str.extract(_SEVERITY).str.to_lowercase() if severity else nothing,
        )
        length = pl.coalesce(pl.col("id").str.len_bytes(), pl.col("word").str.len_bytes()) + len(": ")
        return cut.select(
            "pid",
            daemon=pl.lit(daemon),
            instance=pl.col("program"),
            severity=pl.coalesce("word", said).replace(
                {"info": None, "notice": None, "crit": "error", "err": "error"}
            ),
            queue_id=pl.col("id").replace({_UNKNOWN: None}),
            session_id=nothing,
            body=text.cast(pl.Binary).bin.slice(length.fill_null(0)).cast(pl.String),
        )

    return split
