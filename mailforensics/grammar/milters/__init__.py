"""The grammars of the programs around Postfix: filters, policy servers, scanners and guards.

    opendkim[811]: DB74B469E0: DKIM verification successful
    amavis[252403]: (13034-18) Passed CLEAN {RelayedInbound}, ... Queue-ID: 99FC4DB2D4, ... queued_as: 8FB8EA92F9, 1663 ms

``authentication.py`` reads opendkim, opendmarc and the SPF policy servers, ``greylisting.py`` postgrey and postfwd, ``scanners.py`` amavis, spamd,
clamav-milter and pmg-smtp-filter, ``guards.py`` saslauthd and fail2ban. Each program has a grammar of its own, because the values in their
lines mean different things.

Some call themselves ``postfix/policy-spf``: offer these grammars the lines before the grammar of Postfix.
"""

from __future__ import annotations

from mailforensics.grammar.milters.authentication import AUTHENTICATION_GRAMMARS
from mailforensics.grammar.milters.greylisting import GREYLISTING_GRAMMARS
from mailforensics.grammar.milters.guards import GUARD_GRAMMARS
from mailforensics.grammar.milters.scanners import SCANNER_GRAMMARS
from mailforensics.grammar.shape import Grammar

__all__ = ["GRAMMARS"]

GRAMMARS: tuple[Grammar, ...] = (
    *AUTHENTICATION_GRAMMARS,
    *GREYLISTING_GRAMMARS,
    *SCANNER_GRAMMARS,
    *GUARD_GRAMMARS,
)
