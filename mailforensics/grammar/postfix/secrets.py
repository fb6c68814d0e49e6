"""Passwords that Postfix may write into its log, masked before anything is kept.

    improper command pipelining after AUTH from host.example.net[192.0.2.8]: AGJvYgBzM2NyZXQ=\\r\\n
    < host.example.net[192.0.2.8]: AUTH PLAIN AGJvYgBzM2NyZXQ=                             (smtpd -v, debug_peer_list)
    xsasl_dovecot_server_first: sasl_method PLAIN, init_response AGJvYgBzM2NyZXQ=
    smtp_sasl_passwd_lookup: host `mx.example.net' user `bob' pass `s3cret'
    cfg_get_str: /etc/postfix/mysql.cf: password = s3cret

A line of a conversation that is nothing but base64 is the answer to a 334 of the server: a user's name or password. Who logs in is
told by the lines that Postfix writes without ``-v``, so nothing is lost by masking both. What a lookup through proxymap brings
(``input attribute value: ...``) cannot be told from any other value and stays.

Sources: Postfix ``src/smtpd/smtpd.c``, ``src/smtpd/smtpd_chat.c``, ``src/postscreen/postscreen_smtpd.c``, ``src/smtp/smtp_sasl_glue.c``,
``src/xsasl/*.c``, ``src/global/cfg_parser.c``, ``src/global/maps.c``.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from mailforensics.evidence.spans import first_four, four

MASK = "[masked]"

_TALK = (four("< "), four("> "))  # the first two bytes of a line of a conversation
_BEGINNINGS = [
    four(text)
    for text in (
        "improper command pipelining", "warning: non-SMTP command", "COMMAND PIPELINING", "NON-SMTP COMMAND", "PREGREET",
        "replacing command", "SASL authentication", "xsasl_", "smtp_sasl_", "smtpd_sasl_", "cfg_get_str", "maps_find", "mail_addr_find", "dict_proxy",
    )
]  # fmt: skip
_SECRETS = (
    r"\A(improper command pipelining after AUTH from [^ ]+:).*",
    r"\A((?:COMMAND PIPELINING|NON-SMTP COMMAND) from [^ ]+ after AUTH\b[^:]*:).*",
    r"((?:: |\\n|\")(?i:AUTH [A-Z0-9_-]+))[ \\][^\"]*",
    r"((?i:authorization: [A-Z]+)) [!-~]+",
    r"\A((?:xsasl|smtpd?_sasl)_[a-z0-9_]+: .*?(?:response|reply|pass|password|secret|challenge)\b:?).+",
    r"\A(SASL authentication (?:pass|trace|debug):).+",
    r"\A(cfg_get_str: [^ ]+: [a-z_]*(?:pass|pw|secret)[a-z_]* =).+",
    r"\A((?:maps_find|mail_addr_find): [^:]*passw[^:]*: .* =).+",
    r"\A(dict_[a-z_]+: .*passw.* result=).+",
)
_ARGUMENT = r"\A((?:COMMAND PIPELINING|NON-SMTP COMMAND) from [^ ]+ after AUTH)\b[^:]*:"
_NO_OTHER_WARNING = (
    r"\A(?:[^w]|warning: non-SMTP command )"  # `AUTH command rate limit exceeded` holds no password
)
_ONLY_BASE64 = r"\A([<>] [^ ]+: )(?:[0-9A-Za-z+/]+={0,2}|=)\z"
_VERBS = r"(?i): (?:QUIT|RSET|DATA|NOOP|STARTTLS|HELP|AUTH|HELO|EHLO|LHLO|MAIL|RCPT|BDAT|EXPN|VRFY|ETRN|TURN|XCLIENT|XFORWARD)\z"


def redact(text: pl.Series) -> pl.Series:
    """The texts with every password masked. Only texts that begin like a line with a password are looked at.

    >>> redact(pl.Series(["< host.example.net[192.0.2.8]: AUTH PLAIN AGJvYgBzM2NyZXQ="])).item()
    '< host.example.net[192.0.2.8]: AUTH PLAIN [masked]'
    """
    start = first_four(text)
    suspect = np.isin(start & 0xFFFF, _TALK) | np.isin(start, _BEGINNINGS) | (start & 0xFF == ord("["))
    rows = np.flatnonzero(suspect).astype(np.uint32)
    rows = rows[text[rows].str.contains(_NO_OTHER_WARNING).to_numpy()]
    if not len(rows):
        return text
    some = text[rows]
    masked = some.to_frame("text").select(_masked(pl.col("text"))).to_series()
    changed = (masked != some).fill_null(False)
    if not changed.any():
        return text
    return text.clone().scatter(rows[changed.to_numpy()], masked.filter(changed))


def _masked(text: pl.Expr) -> pl.Expr:
    answer = text.str.contains(_ONLY_BASE64) & ~text.str.contains(_VERBS)
    for pattern in _SECRETS:
        text = text.str.replace(pattern, rf"${{1}} {MASK}")
    text = text.str.replace(_ARGUMENT, "${1}:")
    return pl.when(answer).then(text.str.replace(_ONLY_BASE64, rf"${{1}}{MASK}")).otherwise(text)
