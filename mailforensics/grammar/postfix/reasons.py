"""The reason in brackets behind ``status=``: what the next server answered, where it broke, under which id mail went on.

    (250 2.0.0 Ok: queued as 4jYDDG6D2Bzn7N)
    (host mx.example.net[192.0.2.7] said: 450 4.2.0 <bob@example.net>: Recipient address rejected: Greylisted (in reply to RCPT TO command))
    (connect to mx.example.net[192.0.2.7]:25: Connection refused)

A grammar within the grammar: the same ``Shape``, read by the same engine, but on the reason's text. Each shape's ``kind`` is the
word that stands in the column ``reason``. The text comes from remote servers: it can say what it likes, but not
change the outcome, which stands before the bracket.

Sources: Postfix ``src/smtp/smtp_proto.c``, ``smtp_trouble.c``, ``smtp_connect.c``, ``smtp_sasl_glue.c``, ``src/local/*.c``,
``src/virtual/*.c``, ``src/pipe/pipe.c``; answers of Exim, Sendmail, qmail, Exchange, Gmail, amavis, Dovecot, Cyrus, Proxmox.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import polars as pl

from mailforensics.grammar.distinct import distinct, for_each
from mailforensics.grammar.postfix.fields import FIELDS, SERVER, SERVER_SAYS
from mailforensics.grammar.shape import Frame, Matcher, Shape
from mailforensics.grammar.usual import Usual

ADDS = (
    "suspended",
    "reason",
    "reply_code",
    "enhanced_code",
    "stage",
    "remote_name",
    "remote_ip",
    "remote_socket",
    "remote_port",
    "remote_queue_id",
    "remote_session_id",
    "next_queue_id",
    "next_form",
    "error",
)

_CODE = r"(?P<reply_code>[2-5][0-9][0-9])"
_ENHANCED = r"(?P<enhanced_code>[245]\.[0-9]{1,3}\.[0-9]{1,3})"
_REPLY = rf"{_CODE}(?:[ -]+{_ENHANCED}(?:[ :]|\z))?"
_ID = r"(?P<remote_queue_id>[0-9A-Za-z][0-9A-Za-z._:@+/=-]*)"
_SUSPENDED = "delivery temporarily suspended: "

# Where the conversation stood: from Postfix's words ("RCPT TO command", "sending message body") to one of SMTP.
_STAGES = (
    ("greeting", "CONNECT"),
    ("end of data", "END-OF-DATA"),
    ("end of DATA", "END-OF-DATA"),
    ("MAIL FROM", "MAIL"),
    ("RCPT TO", "RCPT"),
    ("message body", "DATA"),
    ("EHLO", "EHLO"),
    ("LHLO", "LHLO"),
    ("HELO", "HELO"),
    ("STARTTLS", "STARTTLS"),
    ("TLS", "STARTTLS"),
    ("AUTH", "AUTH"),
    ("SASL", "AUTH"),
    ("XFORWARD", "XFORWARD"),
    ("XCLIENT", "XCLIENT"),
    ("DATA", "DATA"),
    ("RSET", "RSET"),
    ("QUIT", "QUIT"),
    ("VRFY", "VRFY"),
)


def _reason(
    kind: str,
    pattern: str,
    example: str,
    means: str,
    *,
    holds: str = "",
    since: str = "",
    usual: str = "",
    **constants: object,
) -> Shape:
    return Shape(
        kind=kind,
        programs=("*",),
        pattern=pattern,
        example=example,
        means=means,
        holds=holds,
        since=since,
        reader=Usual(usual) if usual else None,
        constants=constants,
    )


ACCEPTED: tuple[Shape, ...] = (
    _reason(
        "accepted",
        rf"{_CODE} (?P<enhanced_code>2\.[0-9]\.[0-9]) Ok: queued as (?P<remote_queue_id>[0-9A-Za-z]+)",
        "250 2.0.0 Ok: queued as 4jYDDG6D2Bzn7N",
        "The next Postfix took the message under this queue id.",
        holds=" Ok: queued as ",
        next_form="queued_as",
    ),
    _reason(
        "accepted",
        rf"{_CODE} {_ENHANCED} <[^>]*> (?P<remote_session_id>[!-~]+) Saved",
        "250 2.0.0 <bob@example.org> kztSJHp+BGtaAgAAYIgGOA Saved",
        "Dovecot took the message; what Sieve did with it stands in Dovecot's log under this session id.",
        holds=" Saved",
        next_form="dovecot_session",
    ),
    _reason(
        "accepted",
        rf"{_REPLY}\s?(?:.*[^0-9A-Za-z])?from MTA[(:].*queued as {_ID}(?:[^0-9A-Za-z].*)?",
        "250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 8FB8EA92F9",
        "The filter (amavis) gave the message back to a Postfix, which queued it under this id.",
        holds="from MTA",
        usual=rf"{_CODE} {_ENHANCED} from MTA\([!-'*-~]*\): 2[0-9][0-9] 2\.[0-9]\.[0-9] Ok: queued as (?P<remote_queue_id>[0-9A-Za-z]+)",
        next_form="amavis",
    ),
    _reason(
        "accepted",
        rf"{_REPLY}\s?(?:.*[^0-9A-Za-z])?(?:queued|Queued)(?: on [!-~]+)? as {_ID}(?:[^0-9A-Za-z].*)?",
        "250 2.0.0 Ok: 757 bytes queued as 4jYDJh1g5wzvK6",
        "The next server took the message under this queue id.",
        holds="ueued ",
        next_form="queued_as",
    ),
    _reason(
        "discarded",
        rf"{_REPLY} ?Ok, discarded, id=.*",
        "250 2.7.0 Ok, discarded, id=40185-05 - SPAM",
        "The filter (amavis) took the message and threw it away.",
        holds="Ok, discarded, id=",
    ),
    _reason(
        "accepted",
        rf"{_REPLY}.*\[InternalId=(?P<remote_queue_id>[0-9]+)(?:, Hostname=(?P<remote_name>[!-+\-.-Z^-~]+))?.*",
        "250 2.6.0 <8d28aac5@example.com> [InternalId=1234567890123, Hostname=MX01.example.net] Queued mail for delivery",
        "An Exchange server took the message under this internal id.",
        holds="[InternalId=",
        usual=rf"{_CODE} {_ENHANCED} <[^<>]*> \[InternalId=(?P<remote_queue_id>[0-9]+), Hostname=(?P<remote_name>[!-+\-.-Z^-~]+)\][^\[]*",
        next_form="internal_id",
    ),
    _reason(
        "accepted",
        rf"{_REPLY}\s?(?:.*[^0-9A-Za-z])?[iI][dD][=:] ?{_ID}(?:[^0-9A-Za-z].*)?",
        "250 OK id=1xVXaW-00000s-18",
        "The next server (Exim writes it so) took the message under this id.",
        holds="id=",
        next_form="ok_id",
    ),
    _reason(
        "accepted",
        rf"{_REPLY} ?(?P<remote_queue_id>[0-9A-Za-z]+) Message accepted for delivery.*",
        "250 2.0.0 6ANHwq4n000075 Message accepted for delivery",
        "A Sendmail (or a server that talks like one) took the message under this queue id.",
        holds=" Message accepted for delivery",
        next_form="message_accepted",
    ),
    _reason(
        "accepted",
        rf"{_REPLY} ?OK +[0-9]+ (?P<remote_queue_id>[!-~]+) - g?smtp",
        "250 2.0.0 OK  1764000000 5b1f17b1804b1-477a9df9a1csi1234567f8f.99 - gsmtp",
        "Gmail took the message under this id.",
        holds=" - gsmtp",
        next_form="gsmtp",
    ),
    _reason(
        "accepted",
        rf"{_REPLY}.* qp (?P<remote_queue_id>[0-9]+)(?:[^0-9].*)?",
        "250 ok 1764000000 qp 12345",
        "A qmail took the message under this process number.",
        holds=" qp ",
        next_form="qmail",
    ),
    _reason(
        "accepted",
        rf"{_REPLY}.*SESSIONID=<(?P<remote_session_id>[^>]+)>",
        "250 2.1.5 Ok SESSIONID=<imap.example.org-12345-1764000000-1-1234567890>",
        "Cyrus took the message in this session.",
        holds="SESSIONID=<",
        next_form="cyrus_session",
    ),
    _reason(
        "accepted",
        rf"{_REPLY} ?(?i:ok|message queued)[.:]? \((?P<remote_queue_id>[0-9A-Za-z-]+)\)",
        "250 2.5.0 OK (1A2B3C4D5E6F70)",
        "The filter (Proxmox Mail Gateway, Haraka) took the message under this id.",
        holds=" (",
        next_form="ok_in_brackets",
    ),
    _reason(
        "accepted",
        rf"{_CODE} Ok (?P<remote_queue_id>[0-9a-f]{{16}}-[0-9a-f-]+)",
        "250 Ok 0102018f00000000-00000000-0000-0000-0000-000000000000-000000",
        "Amazon SES took the message under this id.",
        next_form="ok_id",
    ),
    _reason(
        "accepted",
        rf"(?P<reply_code>2[0-9][0-9])(?:[ -]+{_ENHANCED})?(?:[ -].*)?",
        "250 2.1.5 Delivery OK",
        "The next server took the message and named no id.",
    ),
)

DONE_HERE: tuple[Shape, ...] = (
    _reason(
        "forwarded",
        r"forwarded as (?P<remote_queue_id>[0-9A-Za-z]+)",
        "forwarded as 4jYDDG6D2Bzn7N",
        "The local agent sent the mail on, as a new message under this queue id.",
        next_form="forwarded_as",
    ),
    _reason(
        "to_mailbox",
        "deliver(?:ed|s) to (?:mailbox|maildir)",
        "delivered to maildir",
        "The mail is in the mailbox.",
    ),
    _reason(
        "to_command",
        r"deliver(?:ed|s) to command: (?P<error>.*)",
        "delivered to command: /usr/bin/procmail",
        "The mail was handed to a command.",
    ),
    _reason(
        "to_file",
        "deliver(?:ed|s) to file: (?P<error>.*)",
        "delivered to file: /dev/null",
        "The mail was written to a file.",
    ),
    _reason(
        "to_command",
        r"delivered via (?P<error>[!-~]+) service(?: \(.*\))?",
        "delivered via filter service",
        "The mail was handed to the command of a pipe service.",
    ),
    _reason(
        "discarded",
        "(?:discarded|.*triggers DISCARD action.*)",
        "discarded",
        "The mail was thrown away by a rule.",
        holds="iscard",
    ),
    _reason(
        "expanded",
        "alias expanded|(?:aliased|forwards) to .*|forward via file: .*",
        "aliased to bob@example.org",
        "The address is an alias and was expanded.",
    ),
)

REMOTE: tuple[Shape, ...] = (
    _reason(
        "host_said",
        rf"host {SERVER} said: {_CODE}(?:[ -]+{_ENHANCED})?(?:[^0-9.].*)? \(in reply to (?P<stage>[^()]*)\)",
        "host mx.example.net[192.0.2.7] said: 450 4.2.0 <bob@example.net>: Recipient address rejected: Greylisted "
        "(in reply to RCPT TO command)",
        "The next server refused this command, for now (4xx) or for good (5xx).",
    ),
    _reason(
        "refused_to_talk",
        rf"host {SERVER} refused to talk to me: (?:{_CODE}(?:[ -]+{_ENHANCED})?(?:[^0-9.].*)?|.*)",
        "host mx.example.net[192.0.2.7] refused to talk to me: 421 4.3.2 All server ports are busy",
        "The next server answered the connection itself with a refusal.",
        stage="CONNECT",
    ),
    _reason(
        "connect_failed",
        rf"connect to {SERVER_SAYS} (?P<error>.*)",
        "connect to mx.example.net[192.0.2.7]:25: Connection refused",
        "The next server could not be reached.",
        stage="CONNECT",
    ),
    _reason(
        "lost_connection",
        rf"lost connection with {SERVER} while (?P<stage>.*)",
        "lost connection with mx.example.net[192.0.2.7] while sending RCPT TO",
        "The next server closed the connection in the middle.",
    ),
    _reason(
        "timed_out",
        rf"conversation with {SERVER} timed out while (?P<stage>.*)",
        "conversation with mx.example.net[192.0.2.7] timed out while receiving the initial server greeting",
        "The next server fell silent.",
    ),
    _reason(
        "name_service",
        r"(?:Host or domain name not found\. )?Name service error for name=.* type=[0-9A-Za-z]+: (?P<error>.*)",
        "Host or domain name not found. Name service error for name=example.invalid type=MX: Host not found",
        "The DNS had no answer for the recipient's domain or the next server.",
        holds="Name service error for name=",
    ),
)
# Failures that the SMTP client itself decides; the same texts stand in lines of it without `to=`.
CLIENT: tuple[Shape, ...] = (
    _reason(
        "sasl_failed",
        rf"SASL (?:\[CACHED\] )?authentication failed; server {SERVER} said: {_CODE}(?:[ -]+{_ENHANCED})?(?:[^0-9.].*)?",
        "SASL authentication failed; server relay.example.net[192.0.2.9] said: 535 5.7.8 Error: authentication failed",
        "The next server refused our login.",
        stage="AUTH",
    ),
    _reason(
        "sasl_failed",
        r"SASL (?:\[CACHED\] )?authentication failed[;:] (?:cannot authenticate to server |authentication protocol loop with server "
        rf"|non-empty initial .* challenge from server |server |cannot SASL authenticate to server ){SERVER}(?::? (?P<error>.*))?",
        "SASL authentication failed; cannot authenticate to server relay.example.net[192.0.2.9]: no mechanism available",
        "Our login at the next server failed before it could be tried.",
        stage="AUTH",
    ),
    _reason(
        "tls_required",
        rf"TLS is required, but (?:was not offered by host {SERVER}|host [!-~]+ refused to start TLS: .*|our TLS engine is unavailable|unavailable)",
        "TLS is required, but was not offered by host mx.example.net[192.0.2.7]",
        "Our policy asks for TLS and the next server has none.",
        stage="STARTTLS",
    ),
    _reason(
        "requiretls",
        r"Sender requested REQUIRETLS, but (?P<error>.*)",
        "Sender requested REQUIRETLS, but no server was found that supports REQUIRETLS. The last attempted server was mx.example.net",
        "The sender demands TLS all the way, and the next hop cannot promise it.",
        since="3.10",
        stage="STARTTLS",
    ),
    _reason(
        "requiretls",
        r"REQUIRETLS policy configuration error\. The last attempted server was (?P<remote_name>[!-~]+)",
        "REQUIRETLS policy configuration error. The last attempted server was mx.example.net",
        "The settings for REQUIRETLS are wrong here.",
        since="3.11",
        stage="STARTTLS",
    ),
    _reason(
        "tls_failed",
        r"(?:Cannot start TLS: handshake failure|Server certificate not (?:verified|trusted)|client TLS configuration problem|"
        r"TLSA lookup error for .*|Temporary lookup error)",
        "Server certificate not verified",
        "TLS with the next server failed: handshake, certificate or settings.",
        stage="STARTTLS",
    ),
    _reason(
        "smtputf8",
        rf"SMTPUTF8 is required, but was not offered by host {SERVER}",
        "SMTPUTF8 is required, but was not offered by host mx.example.net[192.0.2.7]",
        "The addresses hold non-ASCII characters and the next server cannot take them.",
        since="3.0",
    ),
    _reason(
        "smtputf8",
        rf"message requires SMTPUTF8, but no server was found that supports SMTPUTF8\. The last attempted server was {SERVER}",
        "message requires SMTPUTF8, but no server was found that supports SMTPUTF8. The last attempted server was mx.example.net",
        "The addresses hold non-ASCII characters and no server of the destination can take them.",
        since="3.11",
    ),
    _reason(
        "too_large",
        rf"message size [0-9]+ exceeds size limit [0-9]+ of server {SERVER}",
        "message size 31457280 exceeds size limit 10485760 of server mx.example.net[192.0.2.7]",
        "The message is larger than the next server allows.",
    ),
    _reason(
        "too_large",
        "message too large",
        "message too large",
        "The message is larger than the pipe service allows.",
    ),
    _reason(
        "loop",
        r"mail (?:for (?P<error>.*) loops back to myself|forwarding loop for .*)|alias database loop for .*|"
        r"recipient nesting limit exceeded|:include: nesting limit exceeded",
        "mail for example.org loops back to myself",
        "The mail would go round in circles.",
    ),
    _reason(
        "name_service",
        r"unable to (?:look up host .*: (?P<error>.*)|find primary relay for .*)|[!-~]+: host not found|"
        r"(?:Domain|all network protocols are disabled|.* does not accept mail \(nullMX\)).*|network address conversion failed: .*",
        "unable to look up host mx.example.net: Name or service not known",
        "The next server's name has no address.",
    ),
    _reason(
        "local_problem",
        r"local data error while talking to .*|[sS]erver configuration error|mail system configuration error|unreadable mail queue entry|"
        r"unexpected server message|server unavailable or unable to receive mail|protocol error|[!-~]+ configuration problem",
        "mail system configuration error",
        "Something is wrong on this machine.",
    ),
)

# Failures of the agents that deliver on this machine, and of the queue.
AGENTS: tuple[Shape, ...] = (
    _reason(
        "unknown_user",
        r'(?:unknown user: ".*"|User unknown in (?P<error>[a-z ]+ table)|user unknown\.?.*)',
        'unknown user: "bob"',
        "There is no such mailbox here.",
    ),
    _reason(
        "command_failed",
        r"(?P<error>command line usage error|data format error|cannot open input|host name unknown|service unavailable|"
        r"internal software error|system resource problem|critical OS file missing|can't create user output file|"
        r"input/output error|temporary failure|remote error in protocol|permission denied|local configuration error|"
        r"Command died with (?:status|signal) [0-9]+: .*?|Command time limit exceeded: .*?|Command failed: .*?)"
        r"(?:\. Command output: .*)?",
        "temporary failure. Command output: lock failed",
        "The command that should take the mail failed.",
    ),
    _reason(
        "mailbox_failed",
        r"(?:cannot (?:update mailbox|append message to (?:file|destination file)) .*|maildir delivery failed: (?P<error>.*)|"
        r"mailbox .*: (?:cannot|unable) .*|create maildir file .*)",
        "maildir delivery failed: create maildir file /home/bob/Maildir/tmp/1.P2.mx: Permission denied",
        "The mailbox could not be written.",
    ),
    _reason(
        "lookup_failed",
        r"(?:table lookup failure|user lookup error|alias database unavailable|cannot find alias database owner|"
        r"address resolver failure|unable to forward message|error reading forwarding file: (?P<error>.*))",
        "alias database unavailable",
        "A lookup table or alias file did not answer; the mail waits.",
    ),
    _reason(
        "not_allowed",
        r"(?:mail to (?:file|command) is restricted|file is executable|"
        r"destination .* is not (?:a regular file|owned by recipient)|cannot access home directory (?P<error>.*))",
        "destination /var/mail/bob is not owned by recipient",
        "The mailbox, file or command may not be used: owner, rights or settings.",
    ),
    _reason(
        "bad_address",
        r"(?:null username in .*|bad recipient address syntax: .*|bad address syntax.*)",
        'null username in "@example.org"',
        "The recipient is no address.",
    ),
    _reason(
        "transport_unavailable",
        r"(?:mail transport unavailable|transport is unavailable|unknown mail transport error|mail for .* has been on hold)",
        "mail transport unavailable",
        "The delivery agent for this mail does not run or died; its own log lines say why.",
    ),
    _reason(
        "too_many_hops",
        r"(?:too many hops|hopcount exceeded)",
        "too many hops",
        "The message has been through too many servers: it goes round in circles.",
    ),
)

FAILED: tuple[Shape, ...] = (*REMOTE, *CLIENT)
_OTHERS = (*REMOTE, *ACCEPTED[4:], *DONE_HERE, *CLIENT, *AGENTS)
SHAPES: tuple[Shape, ...] = (*ACCEPTED[:4], *(replace(shape, rare=True) for shape in _OTHERS))


@cache
def _matcher() -> Matcher:
    return Matcher(SHAPES, FIELDS)


def read_response(frame: Frame) -> Frame:
    """Take the bracket off column ``response`` and read the reason in it: adds ``ADDS``.

    >>> one = pl.DataFrame({"response": ["250 2.0.0 Ok: queued as 4jYDDG6D2Bzn7N)"], "partial": [False]})
    >>> read_response(one).select("response", "remote_queue_id", "next_form").row(0)
    ('250 2.0.0 Ok: queued as 4jYDDG6D2Bzn7N', '4jYDDG6D2Bzn7N', 'queued_as')
    """
    response = frame["response"]
    whole = response.str.ends_with(")")
    bare = pl.Series("response", response).str.strip_suffix(")")
    return (
        frame.with_columns(bare, partial=frame["partial"] | ~whole)
        .hstack(read_reason(bare))
        .select(*[name for name in frame.columns if name != "partial"], *ADDS, "partial")
    )


def read_reason(text: pl.Series) -> Frame:
    """The columns ``ADDS`` of each reason, in order; all null where no shape reads it."""
    suspended = text.str.starts_with(_SUSPENDED).fill_null(False)
    hits = _matcher().read(text.str.strip_prefix(_SUSPENDED) if suspended.any() else text)
    parts = [
        pl.DataFrame(
            [
                *(column for column in hit.fields if column.name != "partial"),
                pl.Series("reason", [hit.shape.kind]).new_from_index(0, len(hit.rows)),
                pl.Series("row", hit.rows),
            ]
        )
        for hit in hits
    ]
    schema = {"row": pl.UInt32, **{name: FIELDS[name].dtype for name in ADDS if name != "suspended"}}
    nothing = pl.DataFrame([None], schema={"row": pl.UInt32}, orient="row")
    found = pl.concat([pl.DataFrame(schema=schema), nothing, *parts], how="diagonal", rechunk=True)
    place = np.zeros(len(text), dtype=np.uint32)
    place[found["row"].to_numpy()[1:].astype(np.uint32)] = np.arange(1, found.height, dtype=np.uint32)
    read = found[place]
    return read.with_columns(
        stage_of(read["stage"]), pl.when(suspended).then(True).alias("suspended")
    ).select(ADDS)


def stage_of(words: pl.Series) -> pl.Series:
    """The SMTP stage in Postfix's words: `RCPT TO command`, `sending message body`; other words stay."""
    names, which = distinct(words)
    return for_each(names.to_frame("words").select(_stage(pl.col("words"))).to_series(), which).alias("stage")


def _stage(words: pl.Expr) -> pl.Expr:
    named = words
    for part, stage in reversed(_STAGES):
        named = pl.when(words.str.contains(part, literal=True)).then(pl.lit(stage)).otherwise(named)
    return named


def host_said_stage(frame: Frame) -> Frame:
    """Put the stage, where the shape has one, into the words of SMTP."""
    return frame.with_columns(stage_of(frame["stage"])) if "stage" in frame.columns else frame
