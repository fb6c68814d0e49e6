"""Lines with a severity word: the frequent ones as shapes of their own, all others from the tables in ``formats``.

    warning: unknown[192.0.2.8]: SASL LOGIN authentication failed: UGFzc3dvcmQ6, sasl_username=admin@example.com
    warning: hostname host.example.net does not resolve to address 192.0.2.8: Name or service not known

Sources: Postfix ``src/smtpd/smtpd_sasl_glue.c`` (user name since 3.9, and before in Debian's 3.7), ``smtpd_peer.c``; ``src/smtp/smtp_proto.c``.
"""

from __future__ import annotations

from mailforensics.grammar.postfix import formats
from mailforensics.grammar.postfix.fields import CLIENT_SAYS, SERVER
from mailforensics.grammar.postfix.formats import (
    bounce,
    cleanup,
    delivery,
    fatal,
    library,
    master,
    milter,
    older,
    postscreen,
    queue,
    sasl,
    services,
    smtp,
    smtpd,
    tables,
    tls,
)
from mailforensics.grammar.postfix.reasons import host_said_stage
from mailforensics.grammar.shape import Shape
from mailforensics.grammar.usual import Usual

FREQUENT: tuple[Shape, ...] = (
    Shape(
        kind="postfix.smtpd.auth_failed",
        programs=("smtpd",),
        severity="warning",
        pattern=rf"{CLIENT_SAYS} SASL (?P<sasl_method>[^ ]*) authentication failed(?:: (?P<error>.*?))?"
        r"(?:, sasl_username=(?P<sasl_username>.*))?",
        reader=Usual(
            rf"{CLIENT_SAYS} SASL (?P<sasl_method>[^ ]*) authentication failed: (?P<error>[^,]*)"
            r"(?:, sasl_username=(?P<sasl_username>[^,]*))?"
        ),
        holds=" authentication failed",
        example="unknown[192.0.2.8]: SASL LOGIN authentication failed: (reason unavailable), sasl_username=admin@example.com",
        means="A login failed: wrong user name or password, or the client broke off; many of them are an attack.",
        since="2.3",
    ),
    Shape(
        kind="postfix.smtpd.hostname",
        programs=("smtpd", "qmqpd"),
        severity="warning",
        pattern=r"hostname (?P<domain>[^ ]+) does not resolve to address (?P<client_ip>[0-9A-Fa-f:.]*[0-9A-Fa-f.])(?:: (?P<error>.*))?",
        example="hostname host.example.net does not resolve to address 192.0.2.8: Name or service not known",
        means="The client's reverse DNS name does not lead back to its address, so the client is logged as `unknown`.",
        since="2.9",
    ),
    Shape(
        kind="postfix.smtpd.hostname",
        programs=("smtpd", "qmqpd"),
        severity="warning",
        pattern=r"(?:[a-z_]+: )?(?P<client_ip>[0-9A-Fa-f:.]+): (?:hostname (?P<domain>[^ ]+) verification failed|address not listed for hostname (?P<host>[^ ]+))"
        r"(?:: (?P<error>.*))?",
        holds="hostname ",
        example="192.0.2.8: hostname host.example.net verification failed: Name or service not known",
        means="The same in the words of releases before 2.9.",
    ),
    Shape(
        kind="postfix.host_said",
        programs=("smtp", "lmtp"),
        severity="warning",
        pattern=rf"host {SERVER} said: (?P<reply_code>[2-5][0-9][0-9])(?:[ -]+(?P<enhanced_code>[245]\.[0-9]+\.[0-9]+))?"
        r"(?:[^0-9.].*)? \(in reply to (?P<stage>[^()]*)\)",
        example="host mx.example.net[192.0.2.7] said: 550 5.7.1 Go away (in reply to RSET command)",
        means="The next server refused a command that should always work, so the answer belongs to no recipient.",
        constants={"reason": "host_said"},
        finish=host_said_stage,
    ),
)

RARE: tuple[Shape, ...] = formats.shapes(
    smtpd.WARNINGS,
    cleanup.WARNINGS,
    queue.WARNINGS,
    smtp.WARNINGS,
    delivery.WARNINGS,
    bounce.WARNINGS,
    postscreen.WARNINGS,
    tls.WARNINGS,
    sasl.WARNINGS,
    milter.WARNINGS,
    tables.WARNINGS,
    library.WARNINGS,
    services.WARNINGS,
    master.WARNINGS,
    fatal.FATAL,
    older.WARNINGS,
    severity="warning",
)

SHAPES: tuple[Shape, ...] = (*FREQUENT, *RARE)
