"""The SMTP server's lines: connections, clients, refusals, broken sessions and the counters at their end.

    connect from mx.example.net[192.0.2.7]
    4jYDFF2L8ZzqDd: client=mx.example.net[192.0.2.7]
    NOQUEUE: reject: RCPT from mx.example.net[192.0.2.7]: 554 5.7.1 <x@example.org>: Relay access denied; from=<...> to=<...> ...
    disconnect from mx.example.net[192.0.2.7] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4

Sources: Postfix ``src/smtpd/smtpd.c`` (log_whatsup, smtpd_chat), ``smtpd_check.c``, ``smtpd_proxy.c``; COMPATIBILITY and
RELEASE_NOTES 3.0 (counters), 3.9 (notes=), 3.10 (queue id before "lost connection", sasl_* on refusals).
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.postfix.envelope import ENVELOPE, cut_envelope
from mailforensics.grammar.postfix.fields import CLIENT, CLIENT_SAYS
from mailforensics.grammar.shape import Frame, Shape
from mailforensics.grammar.usual import Usual

_SMTPD = ("smtpd",)
_STAGE = r"(?P<stage>[A-Z-]+(?: content)?|\.)"
_CODES = r"(?:(?P<reply_code>[2-5][0-9][0-9])(?:[ -]|\z))?(?:(?P<enhanced_code>[245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |\z))?"
_REJECT = (
    rf"(?P<action>reject): (?P<stage>[A-Z-]+) from {CLIENT_SAYS} (?P<reply_code>[2-5][0-9][0-9]) "
    r"(?P<enhanced_code>[245]\.[0-9]+\.[0-9]+) "
)
_COMMANDS = r"(?P<commands>(?: [a-z]+=[0-9/]+)*)"
_ACTIONS = (
    "reject_warning|reject|hangup|info|warn|filter|hold|delay|discard|redirect|bcc|prepend|permit|auth|"
    "milter-[a-z-]+|[a-z]+_[a-z]+"
)


def count_commands(frame: Frame) -> Frame:
    """Turn ``ehlo=1 rcpt=0/2 commands=1/3`` into a list of counters and their sum, once per distinct text."""
    distinct = frame.select(counters=pl.col("commands")).unique().drop_nulls()
    one = pl.element().str.extract_groups(r"\A([a-z]+)=([0-9]+)(?:/([0-9]+))?\z")
    counter = pl.struct(
        command=one.struct[0],
        accepted=one.struct[1].cast(pl.Int64, strict=False),
        tried=pl.coalesce(one.struct[2], one.struct[1]).cast(pl.Int64, strict=False),
    )
    read = distinct.with_columns(
        each=pl.col("counters").str.strip_chars().str.split(" ").list.eval(counter, parallel=False)
    ).with_columns(
        sum=pl.col("each")
        .list.eval(pl.element().filter(pl.element().struct["command"] == "commands"))
        .list.first(),
        each=pl.col("each").list.eval(pl.element().filter(pl.element().struct["command"] != "commands")),
    )
    joined = frame.join(read, left_on="commands", right_on="counters", how="left", maintain_order="left")
    return joined.with_columns(
        commands=pl.when(pl.col("commands") != "").then("each"),
        commands_accepted=pl.col("sum").struct["accepted"],
        commands_tried=pl.col("sum").struct["tried"],
    ).drop("each", "sum")


FREQUENT: tuple[Shape, ...] = (
    Shape(
        kind="postfix.smtpd.connect",
        programs=(*_SMTPD, "qmqpd"),
        severity="info",
        pattern=rf"connect from {CLIENT}",
        example="connect from mx.example.net[192.0.2.7]",
        means="A client opened a connection.",
    ),
    Shape(
        kind="postfix.smtpd.disconnect",
        programs=(*_SMTPD, "qmqpd"),
        severity="info",
        pattern=rf"disconnect from {CLIENT}{_COMMANDS}",
        example="disconnect from mx.example.net[192.0.2.7] ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4",
        means="The connection ended; the counters (since 3.0) say how many commands were accepted of how many tried.",
        finish=count_commands,
        adds=("commands_accepted", "commands_tried"),
    ),
    Shape(
        kind="postfix.smtpd.disconnect",
        programs=_SMTPD,
        severity="info",
        pattern=rf"disconnect from {CLIENT}{_COMMANDS} notes=(?P<notes>[!-~]+)",
        example="disconnect from out.example.net[192.0.2.7] ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5 notes=bare_lf",
        means="The connection ended; the note says that the client ended lines with a bare line feed.",
        since="3.9",
        finish=count_commands,
        adds=("commands_accepted", "commands_tried"),
    ),
    Shape(
        kind="postfix.smtpd.client",
        programs=(*_SMTPD, "qmqpd"),
        severity="info",
        pattern=rf"client={CLIENT}",
        example="client=mx.example.net[192.0.2.7]",
        means="The server opened a queue file for a message from this client.",
    ),
    Shape(
        kind="postfix.smtpd.client",
        programs=_SMTPD,
        severity="info",
        pattern=rf"client={CLIENT}(?:, sasl_method=(?P<sasl_method>[^,]*))?(?:, sasl_username=(?P<sasl_username>.*?))?"
        r"(?:, sasl_sender=(?P<sasl_sender>.*?))?(?:, orig_queue_id=(?P<orig_queue_id>[^,]*))?"
        r"(?:, orig_client=(?P<orig_client>.*))?",
        reader=Usual(
            rf"client={CLIENT}, (?:sasl_method=(?P<sasl_method>[^,]*), sasl_username=(?P<sasl_username>[^,]*)|"
            r"orig_queue_id=(?P<orig_queue_id>[^,]*), orig_client=(?P<orig_client>[^,]*))"
        ),
        example="client=laptop.example.net[192.0.2.9], sasl_method=PLAIN, sasl_username=alex@example.com",
        means="The server opened a queue file for a user who logged in, or for a message that the server in front "
        "passed on with its own queue id and client (XFORWARD, since 2.8).",
        since="2.1",
    ),
    Shape(
        kind="postfix.smtpd.reject",
        programs=_SMTPD,
        severity="info",
        starts="reject: ",
        pattern=rf"{_REJECT}(?P<text>.*)",
        reader=Usual(_REJECT, rest="text"),
        example="reject: RCPT from mx.example.net[192.0.2.7]: 554 5.7.1 <bob@example.org>: Relay access denied; "
        "from=<alex@example.com> to=<bob@example.org> proto=ESMTP helo=<mx.example.net>",
        means="The server refused a command of the client; the text is what the client was told.",
        finish=cut_envelope,
        adds=ENVELOPE,
    ),
)

SHAPES: tuple[Shape, ...] = (
    Shape(
        kind="postfix.smtpd.reject",
        programs=_SMTPD,
        severity="info",
        pattern=rf"(?P<action>{_ACTIONS}): {_STAGE} from {CLIENT_SAYS} {_CODES}(?P<text>.*)",
        example="hold: RCPT from mx.example.net[192.0.2.7]: <bob@example.org>: Recipient address triggers HOLD action; "
        "from=<alex@example.com> to=<bob@example.org> proto=ESMTP helo=<mx.example.net>",
        means="A rule or a milter decided about a command of the client: warn, hold, discard, redirect, refuse, ...",
        finish=cut_envelope,
        adds=ENVELOPE,
    ),
    Shape(
        kind="postfix.smtpd.lost",
        programs=_SMTPD,
        severity="info",
        pattern=rf"(?P<reason>lost connection|timeout|too many errors) after {_STAGE}"
        rf"(?: \((?:approximately )?(?P<bytes>[0-9]+) bytes\))? from {CLIENT}",
        example="lost connection after DATA (69 bytes) from dsl-101.isp.example.net[192.0.2.101]",
        means="The session broke: the client went away, fell silent or made too many errors; what it was sending is lost "
        "unless it tries again.",
    ),
    Shape(
        kind="postfix.smtpd.proxy",
        programs=_SMTPD,
        severity="info",
        pattern=rf"proxy-(?P<action>accept|reject): {_STAGE}: {_CODES}(?P<text>.*)",
        example="proxy-accept: END-OF-MESSAGE: 250 2.0.0 from MTA(smtp:[127.0.0.1]:10013): 250 2.0.0 Ok: queued as "
        "DF66E940333; from=<alex@example.com> to=<bob@example.org> proto=ESMTP helo=<[192.0.2.9]>",
        means="The filter in front of the queue took or refused the message; its answer was passed on to the client.",
        since="2.7",
        finish=cut_envelope,
        adds=ENVELOPE,
    ),
    Shape(
        kind="postfix.smtpd.pipelining",
        programs=_SMTPD,
        severity="info",
        pattern=rf"improper command pipelining after (?P<stage>[A-Z-]+|\.) from {CLIENT_SAYS} (?P<data>.*)",
        example=r"improper command pipelining after HELO from host.example.net[192.0.2.8]: MAIL FROM:<x@example.net>\r\n",
        means="The client talked on without waiting for the answer, as spam software does.",
        since="2.9",
    ),
    Shape(
        kind="postfix.smtpd.tls_abort",
        programs=_SMTPD,
        severity="info",
        pattern=rf"abort: TLS from {CLIENT_SAYS} (?P<text>.*)",
        example="abort: TLS from host.example.net[192.0.2.8]: TLS is required but unavailable",
        means="The session ended because TLS was asked for and could not be had.",
        since="2.5",
    ),
    Shape(
        kind="postfix.ehlo_discarded",
        programs=("smtpd", "smtp", "lmtp"),
        severity="info",
        pattern=r"discarding EHLO keywords: (?P<text>.*)",
        example="discarding EHLO keywords: CHUNKING ETRN DSN",
        means="Some features were kept out of this SMTP session by a setting.",
        since="2.2",
    ),
    Shape(
        kind="postfix.smtpd.reply_filter",
        programs=_SMTPD,
        severity="info",
        pattern=r"reply filter (?P<direction>in|out): (?P<answer>.*)",
        example="reply filter in: 550 5.1.1 <bob@example.org>: Recipient address rejected: User unknown",
        means="smtpd_reject_filter_maps looked at an answer to the client (in) or changed it (out).",
        since="3.11",
    ),
)

LATE: tuple[Shape, ...] = (
    Shape(
        kind="postfix.smtpd.command_replaced",
        programs=("smtpd", "postscreen"),
        severity="info",
        pattern=r'(?:\[(?P<client_ip>[0-9A-Fa-f:.]+)\]:(?P<client_port>[0-9]+): )?replacing command "(?P<was>.*)" with "(?P<command>.*)"',
        example='replacing command "BDAT 51 LAST" with "NOOP"',
        means="smtpd_command_filter or postscreen_command_filter changed what the client said.",
        since="2.8",
        holds='replacing command "',
    ),
)
"""Tried after the shapes of postscreen too: a literal that may stand anywhere has to be looked for in every line that is left."""
