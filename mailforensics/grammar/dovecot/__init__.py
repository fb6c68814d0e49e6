"""The grammar of Dovecot and Pigeonhole, 2.2 to 2.4: logins, sessions, LMTP, Sieve, mail_log and the server itself.

    2026-11-23T21:42:04+01:00 mail dovecot: lmtp(anna@example.com)<787><1cpWBhylBGsTAwAAZU03Dg>: Mailbox INBOX: save: uid=1, ...

``prefix.py`` cuts service, user, process and session off; the shapes stand in ``sessions.py``, ``delivery.py``, ``sieve.py``,
``login.py``, ``auth.py`` and ``service.py``; ``fields.py`` says what their groups hold.
"""

from __future__ import annotations

from mailforensics.grammar.dovecot.auth import AUTH_SHAPES, redact
from mailforensics.grammar.dovecot.delivery import LDA_SHAPES, MAIL_LOG_SHAPES, PROXY_SHAPES
from mailforensics.grammar.dovecot.fields import FIELDS
from mailforensics.grammar.dovecot.login import LOGIN_SHAPES
from mailforensics.grammar.dovecot.prefix import PROGRAMS, split
from mailforensics.grammar.dovecot.service import SERVICE_SHAPES
from mailforensics.grammar.dovecot.sessions import SESSION_SHAPES
from mailforensics.grammar.dovecot.sieve import SIEVE_SHAPES
from mailforensics.grammar.shape import Grammar

__all__ = ["GRAMMAR", "redact", "split"]

GRAMMAR = Grammar(
    system="dovecot",
    programs=PROGRAMS,
    split=split,
    shapes=(
        *SESSION_SHAPES,
        *MAIL_LOG_SHAPES,
        *SIEVE_SHAPES,
        *LDA_SHAPES,
        *LOGIN_SHAPES,
        *AUTH_SHAPES,
        *PROXY_SHAPES,
        *SERVICE_SHAPES,
    ),
    fields=FIELDS,
    carries=("username",),
    redact=redact,
)
