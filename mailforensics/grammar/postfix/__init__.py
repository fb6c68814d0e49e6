"""The grammar of Postfix 2.3 to 3.11: every line that its daemons and commands write, by daemon.

    2026-03-02T10:02:11.204+01:00 mail postfix/smtp[616]: 4jYDFF2L8ZzqDd: to=<bob@example.net>, relay=..., status=sent (250 ...)

``prefix.py`` cuts severity word and queue id off; the other files hold the shapes of one family of daemons each, frequent
ones first. Source: Postfix source code 2.0 to 3.11 and the manual pages; real logs of Debian 12, 13 and forky.
"""

from __future__ import annotations

from mailforensics.grammar.postfix import (
    cleanup,
    delivery,
    postscreen,
    qmgr,
    small_daemons,
    smtpd,
    tls,
    verbose,
    warnings,
)
from mailforensics.grammar.postfix.fields import FIELDS
from mailforensics.grammar.postfix.prefix import PROGRAMS, odd_queue_id, split
from mailforensics.grammar.postfix.secrets import redact
from mailforensics.grammar.shape import Grammar

GRAMMAR = Grammar(
    system="postfix",
    programs=PROGRAMS,
    split=split,
    shapes=(
        *smtpd.FREQUENT,
        *cleanup.SHAPES,
        *qmgr.SHAPES,
        *delivery.DELIVERY,
        *tls.SHAPES,
        *smtpd.SHAPES,
        *delivery.SHAPES,
        *postscreen.SHAPES,
        *smtpd.LATE,
        *small_daemons.SHAPES,
        *warnings.SHAPES,
        *verbose.SHAPES,
    ),
    fields=FIELDS,
    carries=("noqueue",),
    shared=True,
    redact=redact,
    second_look=odd_queue_id,
)

__all__ = ["GRAMMAR"]
