"""Lines of the authentication services: which password database refused whom.

    passwd-file(anna@example.com,192.0.2.100,<JutsufRguNrAAAJk>): Password mismatch                        2.3
    (anna@example.com,192.0.2.100,sasl:plain)<fkzEVfVg9pvAAAJk>: passwd-file: Password mismatch            2.4
    conn unix:auth-worker (pid=919,uid=112): auth-worker<1>: sql(anna@example.com,192.0.2.1): unknown user   auth-worker, 2.3

With ``auth_verbose_passwords`` these lines hold the password that was tried. It is in no field, and ``redact`` takes it
out of the text.

Source: ``src/auth/auth-request.c``, ``passdb-*.c`` of 2.2 to 2.4; real logs of 2.3.19, 2.4.1 and 2.4.5.
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.shape import Shape

AUTH_SERVICES = ("auth", "auth-worker")

MASK = "[masked]"
_PASSDBS = "bsdauth|checkpassword|cache|dict|imap|ldap|lua|oauth2|pam|passwd|passwd-file|shadow|sia|sql|static|vpopmail|userdb|prefetch"
_ADDRESS = "[0-9A-Fa-f.:]+"
_WORKER = r"(?:conn unix:[^:]*: auth-worker<[0-9]+>: |request \[[0-9]+\]: )?"
_WHO_OLD = rf"(?P<passdb>[a-z0-9-]+)\((?P<username>[^)]*?)(?:,(?P<client_ip>{_ADDRESS}))?(?:,<(?P<session_id>[!-;=?-~]*)>)?\): "
_WHO_NEW = (
    rf"\((?P<username>.*?)(?:,(?P<client_ip>{_ADDRESS}))?(?:,sasl:(?P<auth_method>[!-+\--~]+?))?\)"
    r"(?:<[0-9]+>)?(?:<(?P<session_id>[!-;=?-~]*)>)?: "
)
_REASON = (
    r"(?P<reason>[Uu]nknown user|Password mismatch|[Ii]nvalid credentials|pam_authenticate\(\) failed: [^()]*(?:\([^()]*\))?"
    r"|pam_acct_mgmt\(\) failed: [^()]*|User (?:is|has been) disabled|Password expired|Login not allowed|Account expired"
    r"|Password mismatch \(for LDAP bind\))"
)
_GIVEN = r"(?: \((?:SHA1 of )?given password: .*\))?(?: - trying the next passdb)?"


def redact(text: pl.Expr) -> pl.Expr:
    """The text with every password that Dovecot may write (``auth_verbose_passwords``, ``auth_debug_passwords``) masked.

    >>> line = pl.DataFrame({"text": ["auth: sql(bob,192.0.2.1): unknown user (given password: s3cret)"]})
    >>> line.select(redact(pl.col("text"))).item()
    'auth: sql(bob,192.0.2.1): unknown user (given password: [masked])'
    """
    return text.str.replace(r"given password: (?s:.*)\)", f"given password: {MASK})")


AUTH_SHAPES = (
    Shape(
        kind="dovecot.auth_failed",
        programs=AUTH_SERVICES,
        pattern=rf"{_WORKER}{_WHO_OLD}{_REASON}{_GIVEN}",
        example="passwd-file(anna@example.com,192.0.2.100,<PNnIufRgnNnAAAJk>): Password mismatch",
        means="A password database did not know the user or the password.",
    ),
    Shape(
        kind="dovecot.auth_failed",
        programs=AUTH_SERVICES,
        pattern=rf"{_WHO_NEW}{_WORKER}(?P<passdb>[a-z0-9-]+): {_REASON}{_GIVEN}",
        example="(anna@example.com,192.0.2.100,sasl:plain)<fkzEVfVg9pvAAAJk>: passwd-file: Password mismatch",
        means="A password database did not know the user or the password.",
        since="2.4",
    ),
)
