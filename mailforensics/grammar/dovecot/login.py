"""Lines of the login services: who came in, who did not, and why; and what a login proxy does.

    Logged in: user=<anna@example.com>, method=PLAIN, rip=192.0.2.100, lip=198.51.100.10, mpid=1038, TLS, session=<NqdpXfVgsubAAAJk>
    Login aborted: Connection closed (auth failed, 1 attempts in 1 secs) (auth_failed): user=<anna@example.com>, ...
    proxy(anna@example.com): started proxying to 192.0.2.20:143: user=<anna@example.com>, ...

The elements behind the text are those of ``login_log_format_elements``: the shapes with the default elements come first, then
those that find each element by its key in a format of the site's own. The user name is written by the client and may
hold anything: the greedy group up to the fixed elements keeps what the server wrote in its own fields.

Source: ``src/login-common/client-common.c``, ``client-common-auth.c``, ``login-proxy.c`` of 2.2 to 2.4; real logs of 2.3.19, 2.4.1, 2.4.5.
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.shape import Shape

Frame = pl.DataFrame

LOGIN_SERVICES = (
    "imap-login", "pop3-login", "submission-login", "managesieve-login", "imap-urlauth-login", "sieve-login",
)  # fmt: skip

_ADDRESS = "[0-9A-Fa-f.:]+"
_ELEMENTS = (
    r"user=<(?P<username>.+)?>(?:, method=(?P<auth_method>[!-+\--~]+))?"
    rf", rip=(?P<client_ip>{_ADDRESS})(?:, rport=(?P<client_port>[0-9]+))?"
    rf"(?:, lip=(?P<local_ip>{_ADDRESS}))?(?:, lport=(?P<local_port>[0-9]+))?(?:, mpid=(?P<mail_pid>[0-9]+))?"
    r"(?:, (?P<tls>(?:TLS|secured)(?:[ :].*?)?))?(?:, session=<(?P<session_id>[!-;=?-~]*)>)?"
)
_HOW = (
    r"(?P<how>Disconnected|Aborted login|Login aborted|Client has quit the connection|Remote closed connection(?: unexpectedly)?"
    r"|Connection closed|Timed out|Aborted)"
)
_WHY = r"(?::? (?P<reason>[^(].*?))??(?: ?\((?P<auth_detail>[^()]*)\))?(?: \((?P<event_reason>[a-z]+(?:_[a-z]+)+)\))?"
_OTHER_END = (
    r"(?P<reason>Maximum number of connections from user\+IP exceeded[^:]*|Internal login failure.*?|Connection queue full.*?"
    r"|Auth process (?:not responding|broken).*?|Authentication response too large|Remote authentication .*?|proxy: .*?)"
)
# Elements by key, for a format of the site's own.
_KEYS = {
    "username": r"user=<(.+?)>(?:[ ,]|\z)",
    "auth_method": r"(?:\A|[ ,])method=([!-+\--~]+)",
    "client_ip": rf"(?:\A|[ ,])rip=({_ADDRESS})",
    "client_port": r"(?:\A|[ ,])rport=([0-9]+)",
    "local_ip": rf"(?:\A|[ ,])lip=({_ADDRESS})",
    "local_port": r"(?:\A|[ ,])lport=([0-9]+)",
    "mail_pid": r"(?:\A|[ ,])mpid=([0-9]+)",
    "tls": r"(?:\A|[ ,])((?:TLS|secured)(?:[ :v][^,]*)?)(?:,|\z)",
    "session_id": r"(?:\A|[ ,])session=<?([!-+\--;=?-~]+)>?",
}
_NUMBERS = ("client_port", "local_port", "mail_pid")


def _by_key(fields: Frame) -> Frame:
    """Each element found by its key, wherever the site's format puts it."""
    found = [
        pl.col("elements").str.extract(pattern).cast(pl.Int64 if name in _NUMBERS else pl.String).alias(name)
        for name, pattern in _KEYS.items()
    ]
    return fields.with_columns(found)


def _of_proxy(fields: Frame) -> Frame:
    """Who is proxied, by the elements behind the text."""
    return _by_key(fields).with_columns(fields["username"])


def _attempts(fields: Frame) -> Frame:
    """How many attempts failed, and in how many seconds, out of Dovecot's words for what had been tried."""
    detail = pl.col("auth_detail")
    failures = detail.str.extract(r"auth(?:orization)? failed, ([0-9]+) attempts").cast(pl.Int64)
    none = pl.when(detail.str.starts_with("no auth attempts")).then(pl.lit(0, pl.Int64))
    seconds = detail.str.extract(r"([0-9]+) secs\z").cast(pl.Float64)
    return fields.with_columns(auth_failures=failures.fill_null(none), duration_s=seconds)


_ATTEMPTS = ("auth_failures", "duration_s")
_OF_PROXY = tuple(name for name in _KEYS if name != "username")

LOGIN_SHAPES = (
    Shape(
        kind="dovecot.login",
        programs=LOGIN_SERVICES,
        starts="Log",
        pattern=rf"(?:Logged in|Login): {_ELEMENTS}",
        example=(
            "Logged in: user=<anna@example.com>, method=PLAIN, rip=192.0.2.100, lip=198.51.100.10, mpid=1038, TLS, "
            "session=<NqdpXfVgsubAAAJk>"
        ),
        means="The user gave a right password and the session begins.",
    ),
    Shape(
        kind="dovecot.login_failed",
        programs=LOGIN_SERVICES,
        pattern=rf"{_HOW}{_WHY}: {_ELEMENTS}",
        finish=_attempts,
        adds=_ATTEMPTS,
        example=(
            "Login aborted: Connection closed (auth failed, 1 attempts in 1 secs) (auth_failed): user=<anna@example.com>, "
            "method=PLAIN, rip=192.0.2.100, lip=198.51.100.10, TLS: Connection closed, session=<fkzEVfVg9pvAAAJk>"
        ),
        means="The client left, or was sent away, before it had logged in: see what it had tried.",
    ),
    Shape(
        kind="dovecot.login_failed",
        programs=LOGIN_SERVICES,
        pattern=rf"{_OTHER_END}: {_ELEMENTS}",
        example=(
            "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10): user=<anna@example.com>, "
            "method=PLAIN, rip=192.0.2.100, lip=198.51.100.10, TLS, session=<fkzEVfVg9pvAAAJk>"
        ),
        means="The login was refused although the password may be right: see the reason.",
    ),
    Shape(
        kind="dovecot.login",
        programs=LOGIN_SERVICES,
        starts="Log",
        pattern=r"(?:Logged in|Login): (?P<elements>.*(?:user|rip|session)=.*)",
        finish=_by_key,
        adds=tuple(_KEYS),
        example="Login: rip=192.0.2.100, user=<anna@example.com>, session=<NqdpXfVgsubAAAJk>, cipher=TLS_AES_256_GCM_SHA384",
        means="The user gave a right password and the session begins.",
    ),
    Shape(
        kind="dovecot.login_failed",
        programs=LOGIN_SERVICES,
        pattern=rf"{_HOW}{_WHY}: (?P<elements>(?:user|rip|lip|method|session|[a-z_]+)=.*)",
        finish=lambda fields: _by_key(_attempts(fields)),
        adds=(*_ATTEMPTS, *_KEYS),
        example="Aborted login (tried to use disabled plaintext auth): rip=192.0.2.7, lip=198.51.100.10",
        means="The client left, or was sent away, before it had logged in: see what it had tried.",
    ),
    Shape(
        kind="dovecot.proxy.started",
        programs=LOGIN_SERVICES,
        pattern=(
            r"proxy\((?P<username>.*?)(?:,[^,()]*:[0-9]+)?\): [Ss]tarted proxying to <?(?P<relay_name>[!-9;=?-~]+|[0-9A-Fa-f:.]+?)>?"
            r"(?::(?P<relay_port>[0-9]+))?(?:/(?P<target>[!-~]+?))?(?: \((?P<reason>[^()]*)\))?(?:: (?P<elements>.*))?"
        ),
        finish=_of_proxy,
        adds=_OF_PROXY,
        example=(
            "proxy(anna@example.com): started proxying to 192.0.2.20:143: user=<anna@example.com>, method=PLAIN, "
            "rip=192.0.2.100, lip=198.51.100.10, TLS, session=<NqdpXfVgsubAAAJk>"
        ),
        means="The session goes on at another server; its own log tells the rest.",
    ),
    Shape(
        kind="dovecot.proxy.ended",
        programs=LOGIN_SERVICES,
        pattern=(
            r"proxy\((?P<username>.*?)(?:,[^,()]*:[0-9]+)?\): (?:disconnecting [!-~]+ \((?P<close_reason>.*?)\)"
            r"|(?P<reason>Disconnected.*?))(?:: (?P<elements>user=<.*))?"
        ),
        finish=_of_proxy,
        adds=_OF_PROXY,
        example="proxy(anna@example.com): disconnecting 192.0.2.100 (Disconnected by client (0s idle, in=120, out=4100))",
        means="A session that was handed to another server ended.",
    ),
    Shape(
        kind="dovecot.proxy.failed",
        programs=LOGIN_SERVICES,
        pattern=(
            r"proxy\((?P<username>.*?)(?:,[^,()]*:[0-9]+)?\): (?P<reason>Login failed to .*|connect\(.*\) failed.*|Login timed out .*"
            r"|Host is down.*|TTL reached zero.*|Remote .*|Received invalid .*|Timeout.*)"
        ),
        example="proxy(anna@example.com): connect(192.0.2.20, 143) failed: Connection refused (after 0 secs)",
        means="The server that should take the session over did not.",
    ),
)
