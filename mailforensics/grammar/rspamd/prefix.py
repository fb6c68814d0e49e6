"""What stands before the text of an Rspamd line: process, worker, tag, module and function.

    #256(rspamd_proxy) <95137e>; proxy; rspamd_task_write_log: id: <...>, qid: <D50A81995E>, ...
     \\_/ \\__________/  \\____/   \\___/
     pid     worker      tag     module    (the function stays in the body: it says what kind of line this is)

In Rspamd's own file (and in JSON, which the framing puts together in this form) all parts are there; with ``systemd`` the
process is missing, in syslog process and worker are. A severity (``[info]``) stands in front with ``log_severity``. Some lines
have no tag or no module. Rspamd cuts the part from the tag to the function after 63 bytes.

Source: ``src/libserver/logger/logger_file.c``, ``logger_syslog.c``, ``logger_console.c``; real logs of 3.4, 3.12.1 and 4.1.5.
"""

from __future__ import annotations

import polars as pl

Frame = pl.DataFrame

PROGRAMS = r"rspamd(?:[-_][a-z_]+)?"

_PROCESS = r"(?:\[(?P<word>[a-z]+)\] )?(?:#(?P<own_pid>[0-9]+))?(?:\((?P<worker>[^()<>]*)\) )?(?:<(?P<tag>[^<>; ]*)>; )?"
_FULL = rf"\A(?P<prefix>{_PROCESS}(?P<module>[0-9A-Za-z_-]+); )"
_SHORT = rf"\A(?P<prefix>{_PROCESS}(?P<module>; )?)"  # no module: all parts are optional
_QUIET = ("notice", "info", "message")
_ERRORS = {"critical": "error", "crit": "error", "alert": "error", "emerg": "error"}
_NO_MODULE = "rspamd"


def split(frame: Frame) -> Frame:
    """Cut the prefix off each line: a frame with ``program``, ``pid`` and ``text`` in, the same rows out.

    Columns: ``daemon`` (the module: ``proxy``, ``task``, ``milter``...; ``rspamd`` where the line names none), ``instance`` (the
    worker), ``pid``, ``severity`` (null = info and notice), ``queue_id`` and ``session_id`` (always null), ``tag`` and ``body``.

    >>> text = "#256(rspamd_proxy) <95137e>; milter; rspamd_milter_process_command: got connection from 192.0.2.1:39739"
    >>> lines = pl.DataFrame({"program": "rspamd", "pid": [None], "text": text}, schema_overrides={"pid": pl.Int32})
    >>> split(lines).select("daemon", "instance", "pid", "tag").row(0)
    ('milter', 'rspamd_proxy', 256, '95137e')
    """
    said = pl.col("severity") if "severity" in frame.columns else pl.lit(None, pl.String)
    cut = frame.hstack(_prefixes(frame["text"]))
    return cut.select(
        daemon=pl.col("module").fill_null(_NO_MODULE),
        instance=pl.when(pl.col("worker") != "").then("worker"),
        pid=pl.coalesce(pl.col("own_pid").cast(pl.Int32, strict=False), "pid"),
        severity=pl.coalesce("word", said).replace({**_ERRORS, **dict.fromkeys(_QUIET)}),
        queue_id=pl.lit(None, pl.String),
        session_id=pl.lit(None, pl.String),
        tag=pl.when(pl.col("tag") != "").then("tag"),
        body=pl.col("text").cast(pl.Binary).bin.slice(pl.col("prefix").str.len_bytes()).cast(pl.String),
    )


def _prefixes(text: pl.Series) -> Frame:
    """The parts of each line's prefix."""
    found = text.to_frame("text").select(pl.col("text").str.extract_groups(_FULL).struct.unnest())
    missed = found["prefix"].is_null()
    if not missed.any():
        return found
    again = text.to_frame("text").select(
        pl.when(missed).then(pl.col("text")).str.extract_groups(_SHORT).struct.unnest()
    )
    again = again.with_columns(module=pl.lit(None, pl.String))
    return found.select(pl.coalesce(pl.col(name), again[name]) for name in found.columns)
