"""Policy servers: postgrey (whom it made wait, and whom it let pass) and postfwd (which rule decided).

    postgrey[812]: action=greylist, reason=new, client_name=mail.example.net, client_address=192.0.2.25, sender=a@example.net, recipient=...
    postgrey[812]: DB74B469E0: action=pass, reason=triplet found, delay=312, client_name=mail.example.net, ...

The queue id stands in front only where Postfix asks after the end of data. Sources: ``postgrey`` 1.37, ``postfwd`` 1.35,
``Net::Server`` (lifecycle lines).
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.milters.prefix import splitter
from mailforensics.grammar.shape import Field, Grammar, Shape

FIELDS = {
    "action": Field("pass or greylist (postgrey); what Postfix is told to do (postfwd)."),
    "reason": Field(
        "Why: new, early-retry, triplet found, client AWL, client whitelist, recipient whitelist."
    ),
    "wait_s": Field("Seconds that the client still has to wait.", pl.Float64),
    "delay_s": Field("Seconds that the message was held up.", pl.Float64),
    "client_name": Field("The name of the client.", personal=True),
    "client_ip": Field("The address of the client.", personal=True),
    "sender": Field("The envelope sender.", personal=True, rfc="RFC 5321 §4.1.1.2"),
    "recipient": Field("The envelope recipient.", personal=True, rfc="RFC 5321 §4.1.1.3"),
    "rule": Field("The rule that decided."),
    "queue_id": Field("The queue id."),
    "helo": Field("The HELO name.", personal=True),
    "protocol": Field("The protocol: SMTP or ESMTP."),
    "stage": Field("The command at which Postfix asked."),
    "text": Field("What it says.", personal=True),
}
_NET_SERVER_STAMP = r"(?:[0-9]{4}/[01][0-9]/[0-3][0-9]-[0-2][0-9]:[0-5][0-9]:[0-6][0-9] )?"

_SHAPES = (
    Shape(
        kind="postgrey.decision",
        programs=("postgrey",),
        pattern=(
            r"action=(?P<action>[a-z]+), reason=(?P<reason>[^,]*?)(?: \((?P<wait_s>[0-9]+)s missing\))?"
            r"(?:, delay=(?P<delay_s>[0-9]+))?(?:, client_name=(?P<client_name>[^,]*))?(?:, client_address=(?P<client_ip>[^, /]*)(?:/[0-9]+)?)?"
            r"(?:, sender=(?P<sender>.*?))?(?:, recipient=(?P<recipient>.*))?"
        ),
        example=(
            "action=greylist, reason=new, client_name=mail.example.net, client_address=192.0.2.25, sender=alex@example.net, "
            "recipient=anna@example.com"
        ),
        means="Greylisting let the message pass, or told the client to come again later.",
    ),
    Shape(
        kind="postgrey.whitelisted",
        programs=("postgrey",),
        pattern=r"(?:request: |whitelisted: |grey: )(?P<text>.*)",
        example="whitelisted: mail.example.net[192.0.2.25]",
        means="A client came back often enough: it need not wait any more.",
    ),
    Shape(
        kind="postgrey.server",
        programs=("postgrey",),
        pattern=(
            rf"{_NET_SERVER_STAMP}(?P<text>(?:cleaning |Setting [ug]id|Process Backgrounded|postgrey \(type|Server closing|ignoring garbage|rm |Pid_file|Resolved |Binding to"
            r"|Starting|HUP|Couldn't|couldn't|Can't|cannot|could not|ERROR|error|fatal|FATAL|warning|Unable|Group Not Defined|User Not Defined|Port Not Defined|Host Not Defined"
            r"|Sending|Received|Adding|Reloading|reloading|Bad|unknown|rebuilding|verif|database|Berkeley|unrecognized|signal|DB_|Beginning|Exiting|Connection|client disconnect).*)"
        ),
        example="cleaning clients database finished. before: 207, after: 207",
        means="postgrey starts, ends, or tidies its database.",
    ),
)

_POSTFWD = (
    Shape(
        kind="postfwd.decision",
        programs=("postfwd",),
        pattern=(
            r"\[RULES\] rule=[0-9]+, id=(?P<rule>[^,]*)(?:, queue=(?P<queue_id>[0-9A-Za-z]*))?, client=(?P<client_name>[^\[\],]*)\[(?P<client_ip>[^\[\]]*)\]"
            r"(?:, user=[^,]*)?, sender=<(?P<sender>.*?)>, recipient=<(?P<recipient>.*?)>, helo=<(?P<helo>.*?)>"
            r"(?:, proto=(?P<protocol>[A-Z]+))?(?:, state=(?P<stage>[A-Z-]+))?(?:, rate=[^,]*)?(?:, delay=(?P<delay_s>[0-9.]+)s)?(?:, hits=[^,]*)?, action=(?P<action>.*)"
        ),
        example=(
            "[RULES] rule=3, id=RBL, client=mail.example.net[192.0.2.25], sender=<alex@example.net>, recipient=<anna@example.com>, "
            "helo=<mail.example.net>, proto=ESMTP, state=RCPT, delay=0.02s, hits=RBL, action=DUNNO"
        ),
        means="A rule of the policy server decided on the client or recipient.",
    ),
    Shape(
        kind="postfwd.note",
        programs=("postfwd",),
        pattern=r"(?P<text>(?:\[[A-Z0-9 -]+\]|postfwd|warning|Setting|Process|Server|Binding|TIMEOUT|ready|parent|child|[0-9]{4}/).*)",
        example="[STATS] Counters: 213000 seconds uptime, 39 rules",
        means="The policy server tells how it works.",
    ),
)

GREYLISTING_GRAMMARS = (
    Grammar(
        system="postgrey",
        programs=r"(?:[!-~]+/)?postgrey",
        split=splitter("postgrey", queue_id=True, severity=True),
        shapes=_SHAPES,
        fields=FIELDS,
    ),
    Grammar(
        system="other",
        programs=r"(?:[!-~]+/)?postfwd[0-9]?(?:-script)?",
        split=splitter("postfwd"),
        shapes=_POSTFWD,
        fields=FIELDS,
    ),
)
