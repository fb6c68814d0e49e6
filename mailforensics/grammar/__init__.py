"""Lines of mail logs become events with typed fields: Postfix, Dovecot, Rspamd and their neighbours."""

from __future__ import annotations

from functools import cache

from mailforensics import plugins
from mailforensics.grammar.shape import Grammar


@cache
def grammars() -> tuple[Grammar, ...]:
    """All grammars, in the order in which programs are offered to them: some neighbours log as ``postfix/policy-spf``.

    Those of installed packages (entry point ``mailforensics.grammars``) come first.
    """
    from mailforensics.grammar import dovecot, milters, postfix, rspamd

    installed = plugins.load(plugins.GRAMMARS).values()
    return (*installed, *milters.GRAMMARS, postfix.GRAMMAR, dovecot.GRAMMAR, rspamd.GRAMMAR)
