"""saslauthd, which checks passwords for Cyrus SASL, and fail2ban, which shuts out who guesses them.

    saslauthd[55]: do_auth         : auth failure: [user=anna] [service=smtp] [realm=example.com] [mech=pam] [reason=PAM auth error]
    fail2ban.actions[123]: NOTICE [postfix-sasl] Ban 192.0.2.7

fail2ban also bans for services that have nothing to do with mail; the jail says which. Sources: ``saslauthd-main.c``; fail2ban's ``actions.py``.
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.milters.prefix import splitter
from mailforensics.grammar.shape import Field, Grammar, Shape

FIELDS = {
    "username": Field("The user who tried.", personal=True),
    "service": Field("The service that asked: smtp, imap, sieve."),
    "realm": Field("The realm."),
    "mechanism": Field("How the password was checked: pam, shadow, rimap, ldap."),
    "reason": Field("The reason as written.", personal=True),
    "client_ip": Field("The address that is meant.", personal=True),
    "action": Field("Ban, Unban, Restore Ban or Found."),
    "jail": Field("The rule set of fail2ban: postfix-sasl, dovecot and so on."),
    "seen_at": Field("The time of the line that fail2ban saw, as written."),
    "times": Field("How often the address has been banned before.", pl.Int64),
    "text": Field("What it says.", personal=True),
}
_LEVEL = r"(?:(?:NOTICE|WARNING|INFO|DEBUG|ERROR|CRITICAL) +)?"

_SASLAUTHD = (
    Shape(
        kind="saslauthd.failed",
        programs=("saslauthd",),
        pattern=(
            r"do_auth +: auth failure: \[user=(?P<username>.*)\] \[service=(?P<service>[^\]]*)\] \[realm=(?P<realm>[^\]]*)\] "
            r"\[mech=(?P<mechanism>[^\]]*)\] \[reason=(?P<reason>[^\]]*)\]"
        ),
        example="do_auth         : auth failure: [user=anna] [service=smtp] [realm=example.com] [mech=pam] [reason=PAM auth error]",
        means="The password was wrong, or the user is not known.",
    ),
    Shape(
        kind="saslauthd.passed",
        programs=("saslauthd",),
        pattern=r"do_auth +: auth success: \[user=(?P<username>.*)\] \[service=(?P<service>[^\]]*)\] \[realm=(?P<realm>[^\]]*)\] \[mech=(?P<mechanism>[^\]]*)\]",
        example="do_auth         : auth success: [user=anna] [service=smtp] [realm=example.com] [mech=pam]",
        means="The password was right.",
    ),
    Shape(
        kind="saslauthd.pam",
        programs=("saslauthd",),
        pattern=r"(?P<mechanism>pam_[a-z0-9_]+)\([^()]*\): (?P<reason>check pass; user unknown|[^;]*)(?:;.*?rhost=(?P<client_ip>[0-9A-Fa-f.:]*) *(?:user=(?P<username>.*))?)?",
        example="pam_unix(smtp:auth): authentication failure; logname= uid=0 euid=0 tty= ruser= rhost=  user=anna",
        means="The system's own authentication (PAM) refused the password.",
    ),
    Shape(
        kind="saslauthd.note",
        programs=("saslauthd",),
        pattern=r"(?P<text>(?:[a-z_0-9]+ +: |DEBUG: |auth_[a-z_]+: |PAM |Authentication failed|[A-Za-z_]+\(\)).*)",
        example="detach_tty      : master pid is: 4711",
        means="saslauthd starts, ends, or tells how it works.",
    ),
)

_FAIL2BAN = (
    Shape(
        kind="fail2ban.ban",
        programs=("fail2ban",),
        pattern=rf"{_LEVEL}\[(?P<jail>[^\]]*)\] (?P<action>Ban|Unban|Restore Ban|Increase Ban) (?P<client_ip>[0-9A-Fa-f.:/]+)(?: \((?P<times>[0-9]+) #.*\))?",
        example="NOTICE [postfix-sasl] Ban 192.0.2.7",
        means="The address is shut out (or let in again).",
    ),
    Shape(
        kind="fail2ban.found",
        programs=("fail2ban",),
        pattern=rf"{_LEVEL}\[(?P<jail>[^\]]*)\] (?P<action>Found|Ignore) (?P<client_ip>[0-9A-Fa-f.:/]+)(?: (?:- (?P<seen_at>[0-9].*)|(?P<reason>by .*)))?",
        example="INFO [dovecot] Found 192.0.2.7 - 2026-11-23 10:00:00",
        means="fail2ban saw a failed try of the address.",
    ),
    Shape(
        kind="fail2ban.already",
        programs=("fail2ban",),
        pattern=rf"{_LEVEL}\[(?P<jail>[^\]]*)\] (?P<client_ip>[0-9A-Fa-f.:/]+) (?P<reason>already banned)",
        example="WARNING [postfix-sasl] 192.0.2.7 already banned",
        means="The address tries again although it is shut out.",
    ),
    Shape(
        kind="fail2ban.note",
        programs=("fail2ban",),
        pattern=(
            r"(?P<text>(?:(?:NOTICE|WARNING|INFO|DEBUG|ERROR|CRITICAL)(?: |:)|Jail |Creating |Stopping |Started|Starting|Server |Exiting|Changed|Added|Set |Flush|Reload|Rotating|\[[^\]]*\] |-----|Connected|Observer|Shutdown"
            r"|Unable|Failed|Could not|Log ).*)"
        ),
        example="INFO Jail 'postfix-sasl' started",
        means="fail2ban starts, ends, or tells how it works.",
    ),
)

GUARD_GRAMMARS = (
    Grammar(
        system="other", programs="saslauthd", split=splitter("saslauthd"), shapes=_SASLAUTHD, fields=FIELDS
    ),
    Grammar(
        system="other",
        programs=r"fail2ban(?:[.-][a-z]+)?",
        split=splitter("fail2ban"),
        shapes=_FAIL2BAN,
        fields=FIELDS,
    ),
)
