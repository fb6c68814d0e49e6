"""Lines of the login services: who came in, who did not, and why.

    Logged in: user=<anna@example.com>, method=PLAIN, rip=192.0.2.100, lip=198.51.100.10, mpid=1038, TLS, session=<NqdpXfVgsubAAAJk>
    Login aborted: Connection closed (auth failed, 1 attempts in 1 secs) (auth_failed): user=<anna@example.com>, ...

The elements behind the text are those of ``login_log_format_elements``; the shapes with the default elements come first, then
one for elements of the site's own. The user name is written by the client and may hold anything: the greedy group up to
the fixed elements keeps what the server wrote in its own fields.

Source: ``src/login-common/client-common.c``, ``client-common-auth.c`` of 2.2 to 2.4; real logs of 2.3.19, 2.4.1 and 2.4.5.
"""

from __future__ import annotations

from mailforensics.grammar.shape import Shape

LOGIN_SERVICES = (
    "imap-login", "pop3-login", "submission-login", "managesieve-login", "imap-urlauth-login", "sieve-login",
)  # fmt: skip

_ADDRESS = "[0-9A-Fa-f.:]+"
_ELEMENTS = (
    r"user=<(?P<username>.*)>(?:, method=(?P<auth_method>[!-+\--~]+))?"
    rf"(?:, rip=(?P<client_ip>{_ADDRESS}))?(?:, rport=(?P<client_port>[0-9]+))?"
    rf"(?:, lip=(?P<local_ip>{_ADDRESS}))?(?:, lport=(?P<local_port>[0-9]+))?"
    r"(?:, mpid=(?P<mail_pid>[0-9]+))?(?:, (?P<tls>(?:TLS|secured)(?:[ :].*?)?))?(?:, session=<(?P<session_id>[!-;=?-~]*)>)?"
)
_HOW = r"(?P<how>Disconnected|Aborted login|Login aborted)"
_REASON = r"(?:: (?P<reason>[^(]*(?:\([^)]*\)[^(]+)*?)|\.)?"
_TRIED = r"(?:auth failed, (?P<auth_failures>[0-9]+) attempts(?: in (?P<duration_s>[0-9]+) secs)?)"

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
        pattern=rf"{_HOW}{_REASON} ?\({_TRIED}\)(?: \((?P<event_reason>[a-z_]+)\))?: {_ELEMENTS}",
        example=(
            "Login aborted: Connection closed (auth failed, 1 attempts in 1 secs) (auth_failed): user=<anna@example.com>, "
            "method=PLAIN, rip=192.0.2.100, lip=198.51.100.10, TLS: Connection closed, session=<fkzEVfVg9pvAAAJk>"
        ),
        means="The client left, or was sent away, after wrong passwords.",
    ),
    Shape(
        kind="dovecot.login_failed",
        programs=LOGIN_SERVICES,
        pattern=rf"{_HOW}{_REASON} ?\((?P<auth_detail>[^()]*)\)(?: \((?P<event_reason>[a-z_]+)\))?: {_ELEMENTS}",
        example=(
            "Disconnected: Connection closed: read(size=1026) failed: Connection reset by peer (no auth attempts in 0 secs): "
            "user=<>, rip=192.0.2.7, lip=198.51.100.10, secured, session=<Kp/TR/RgJop/AAAB>"
        ),
        means="The client left before it had logged in.",
    ),
)
