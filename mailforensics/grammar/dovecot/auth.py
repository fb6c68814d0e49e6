"""Lines of the authentication services: which password database refused whom, and what it could not do.

    passwd-file(anna@example.com,192.0.2.100,<JutsufRguNrAAAJk>): Password mismatch                          2.2, 2.3
    (anna@example.com,192.0.2.100,sasl:plain)<fkzEVfVg9pvAAAJk>: passwd-file: Password mismatch              2.4
    conn unix:auth-worker (pid=919,uid=112): auth-worker<1>: sql(anna@example.com,192.0.2.1): unknown user   auth-worker, 2.3

With ``auth_verbose_passwords`` and ``auth_debug_passwords`` lines hold passwords. They are in no field, and ``redact`` takes
them out of the text.

The user name is written by the client. It ends at the last ``,ADDRESS`` before the closing bracket.

Source: ``src/auth/auth-request.c``, ``passdb-*.c`` of 2.2 to 2.4; real logs of 2.3.19, 2.4.1 and 2.4.5.
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.shape import Shape

AUTH_SERVICES = ("auth", "auth-worker")

MASK = "[masked]"
_SECRETS = (
    (r"given password: (?s:.*)\)", f"given password: {MASK})"),
    (r"([A-Z0-9.-]+)\((?s:.*)\) != '(?s:.*)'", f"${{1}}({MASK}) != '{MASK}'"),
    (r"\b(resp|pass|password|oauth_token|token|nonce)=(?:[^\s<,]+)", f"${{1}}={MASK}"),
    (r"(?i)\b(Credentials|scheme password|plaintext password): \S+", f"${{1}}: {MASK}"),
)

_PASSDB = r"(?P<passdb>[a-z0-9]+(?:[-_][a-z0-9]+)*)"
_MECHANISMS = (
    "anonymous|apop|cram-md5|digest-md5|dovecot-token|external|gss-spnego|gssapi|login|ntlm|oauthbearer|otp|plain|rpa|"
    "scram-sha-1(?:-plus)?|scram-sha-256(?:-plus)?|skey|winbind|xoauth2"
)
_KNOWN = (
    rf"(?P<passdb>passwd-file|passwd|pam|sql|ldap|lua|static|checkpassword|imap|oauth2|dict|bsdauth|shadow|vpopmail|sia|cache|"
    rf"prefetch|userdb|policy|allow_nets|{_MECHANISMS})"
)
_ADDRESS = "[0-9A-Fa-f.:]+"
_SESSION = r"<(?P<session_id>[!-;=?-~]*)>"
_WORKER = r"(?:conn unix:[^:]*: auth-worker<[0-9]+>: |request \[[0-9]+\]: )?"
_WHO_OLD = rf"{_KNOWN}\((?:\?|(?P<username>.*?))(?:,(?P<client_ip>{_ADDRESS}))?(?:,{_SESSION})?\): "
_WHO_NEW = (
    rf"\((?:\?|(?P<username>.*?))(?:,(?P<client_ip>{_ADDRESS}))?(?:,sasl:(?P<auth_method>[!-+\--~]+?))?\)"
    rf"(?:<[0-9]+>)?(?:{_SESSION})?: {_WORKER}{_PASSDB}: "
)
_REASON = (
    r"(?P<reason>[Uu]nknown user|Password mismatch \(for LDAP bind\)|Password mismatch|[Ii]nvalid credentials"
    r"|pam_[a-z_]+\(\) failed: [^()]*(?:\([^()]*\))?|Authentication failure[^()]*|[Uu]ser (?:is|has been|not|disabled|unknown|found)[^()]*"
    r"|[Pp]assword (?:expired|has expired|data is not valid)[^()]*|Login not allowed|[Ll]ogin disabled|[Aa]ccount[^()]*"
    r"|Empty (?:username|password)|[Ii]nvalid (?:input|username|password|token|authzid|authid|base64)[^()]*|[Uu]sername (?:character|contains|is)[^()]*"
    r"|Credential validation failed[^()]*|Requested [!-~]+ scheme[^()]*|allow_nets check failed[^()]*|oauth2 failed[^()]*|[Tt]oken [^()]*"
    r"|No password returned[^()]*|[Mm]aster user[^()]*|Not (?:allowed|logged in|found)[^()]*|[Cc]lient (?:not|certificate)[^()]*|Disabled by[^()]*"
    r"|Authenticated username[^()]*|[Aa]uthentication (?:aborted|failed|attempted)[^()]*|[Pp]roxying[^()]*|IP [^()]*|[Ww]eak[^()]*|[Ss]chemes?[^()]*)"
)
_GIVEN = r"(?: \((?:SHA1 of )?given password: .*\)| \([^()]*\))?(?: - trying the next (?:passdb|userdb))?"


def redact(text: pl.Series) -> pl.Series:
    """The texts with every password masked that Dovecot may write (``auth_verbose_passwords``, ``auth_debug_passwords``).

    >>> redact(pl.Series(["auth: sql(bob,192.0.2.1): unknown user (given password: s3cret)"])).item()
    'auth: sql(bob,192.0.2.1): unknown user (given password: [masked])'
    """
    masked = pl.col("text")
    for pattern, replaced in _SECRETS:
        masked = masked.str.replace_all(pattern, replaced)
    return text.to_frame("text").select(masked).to_series()


def _failed(pattern: str, example: str, since: str = "") -> Shape:
    return Shape(
        kind="dovecot.auth_failed",
        programs=AUTH_SERVICES,
        pattern=pattern,
        example=example,
        means="A password database did not know the user or the password, or does not let the user in.",
        since=since,
        severity="info",
    )


def _error(pattern: str, example: str, since: str = "", severity: str = "warning") -> Shape:
    return Shape(
        kind="dovecot.auth_error",
        programs=AUTH_SERVICES,
        pattern=pattern,
        example=example,
        means="A password database could not be asked, or gave an answer that Dovecot cannot use.",
        since=since,
        severity=severity,
    )


AUTH_SHAPES = (
    _failed(
        rf"{_WORKER}{_WHO_OLD}{_REASON}{_GIVEN}",
        "passwd-file(anna@example.com,192.0.2.100,<PNnIufRgnNnAAAJk>): Password mismatch",
    ),
    _failed(
        rf"{_WHO_NEW}{_REASON}{_GIVEN}",
        "(anna@example.com,192.0.2.100,sasl:plain)<fkzEVfVg9pvAAAJk>: passwd-file: Password mismatch",
        since="2.4",
    ),
    _failed(
        rf"\((?:\?|(?P<username>.*?))(?:,(?P<client_ip>{_ADDRESS}))?(?:,sasl:(?P<auth_method>[!-+\--~]+?))?\)"
        rf"(?:<[0-9]+>)?(?:{_SESSION})?: {_REASON}{_GIVEN}",
        "(?,192.0.2.7,sasl:plain)<fkzEVfVg9pvAAAJk>: Empty username",
        since="2.4",
    ),
    _error(
        rf"{_WORKER}{_WHO_OLD}(?P<error>.*)",
        "sql(anna@example.com,192.0.2.100,<PNnIufRgnNnAAAJk>): Password query failed: Not connected to database",
    ),
    _error(
        rf"{_WHO_NEW}(?P<error>.*)",
        "(anna@example.com,192.0.2.100,sasl:plain)<fkzEVfVg9pvAAAJk>: sql: Password query failed: Not connected to database",
        since="2.4",
    ),
    _error(
        rf"{_WORKER}(?P<error>(?:auth client|auth worker|auth-worker|auth-policy|Master (?:requested|request)|Worker process|Aborted|BUG:|Authentication client"
        r"|Authentication server|userdb|passdb|LDAP|ldap|Auth |Auth-|Login process|conn |client |Timeout|Disconnected|Socket|Request |PLAIN\(|LOGIN\("
        r"|http-client|Lua|lua|policy|Policy|Database|Token|Failed|Invalid|Unknown|No passdbs|Empty)[^a-z].*|passwd-file /.*)",
        "auth client 0 disconnected with 1 pending requests: EOF",
        severity="",
    ),
    Shape(
        kind="dovecot.database",
        programs=(*AUTH_SERVICES, "dict", "dict-async"),
        pattern=r"(?:conn unix:[^:]*: auth-worker<[0-9]+>: )?(?P<driver>mysql|pgsql|sqlite|cassandra|ldap)\((?P<database>[^()]*)\): Connected to .*",
        example="mysql(localhost): Connected to database mail",
        means="The database that holds users or passwords was reached.",
    ),
)
