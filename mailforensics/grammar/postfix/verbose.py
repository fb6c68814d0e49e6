"""What Postfix says about its own work with ``-v`` in master.cf or for a client of ``debug_peer_list``: conversations and steps.

    < host.example.net[192.0.2.8]: EHLO host.example.net
    > host.example.net[192.0.2.8]: 250-mx.example.org
    generic_checks: name=reject_unauth_destination
    input attribute name: status
    match_hostname: smtpd_client_event_limit_exceptions: host.example.net ~? 127.0.0.0/8

These lines tell steps and never what came of them, and they quote what clients and servers say: so they are one sort of line each,
with the quoted text in a field, and they are tried last. A step is known by the name of a function of Postfix in front of it.

Sources: the calls of msg_info under ``msg_verbose`` in Postfix 2.3 to 3.11, such as ``src/smtpd/smtpd_chat.c``, ``src/smtp/smtp_chat.c``,
``src/util/attr_scan0.c``, ``src/smtpd/smtpd_check.c``, ``src/global/match_list.c``.
"""

from __future__ import annotations

from mailforensics.grammar.shape import Shape

_SERVERS = ("smtpd", "postscreen", "qmqpd", "tlsproxy")
_CLIENTS = ("smtp", "lmtp", "posttls-finger")
_CLIENT = (
    r"(?P<client_name>[^\[ ]*)\[(?:(?P<client_ip>[0-9A-Fa-f:][^\]]*)|unknown)\](?::(?P<client_port>[0-9]+))?"
)
_SERVER = r"(?P<remote_name>[^\[ ]*)\[(?:(?P<remote_ip>[0-9A-Fa-f:][0-9A-Fa-f:.]*(?:%[^\]]*)?)|(?P<remote_socket>[^\]]*))\](?::(?P<remote_port>[0-9]+))?"


def _talk(sign: str, direction: str, programs: tuple[str, ...], peer: str, example: str, means: str) -> Shape:
    return Shape(
        kind="postfix.verbose.conversation",
        programs=programs,
        severity="info",
        pattern=rf"{sign} {peer}: ?(?P<data>.*)",
        holds=f"{sign} ",
        example=example,
        means=means,
        constants={"direction": direction},
        rare=True,
    )


def _step(
    kind: str, pattern: str, holds: str, example: str, means: str, *, programs: tuple[str, ...] = ("*",)
) -> Shape:
    return Shape(
        kind=f"postfix.verbose.{kind}",
        programs=programs,
        severity="info",
        pattern=pattern,
        holds=holds,
        example=example,
        means=means,
        rare=True,
    )


SHAPES: tuple[Shape, ...] = (
    _talk(
        "<", "from", _SERVERS, _CLIENT, "< host.example.net[192.0.2.8]: EHLO host.example.net",
        "What a client said in an SMTP session that is watched (-v, debug_peer_list).",
    ),
    _talk(
        ">", "to", _SERVERS, _CLIENT, "> host.example.net[192.0.2.8]: 250-mx.example.org",
        "What our server answered in a session that is watched.",
    ),
    _talk(
        "<", "from", _CLIENTS, _SERVER, "< mx.example.net[192.0.2.7]:25: 220 mx.example.net ESMTP",
        "What the next server said in a session that is watched.",
    ),
    _talk(
        ">", "to", _CLIENTS, _SERVER, "> mx.example.net[192.0.2.7]:25: EHLO mx.example.org",
        "What our client said to the next server in a session that is watched.",
    ),
    _step(
        "restrictions", r">>> (?P<action>START|END|CHECKING) (?P<name>.*) (?:RESTRICTIONS|MAPS) <<<", ">>> ",
        ">>> START Recipient address RESTRICTIONS <<<", "The server begins or ends a list of restrictions or look-ups.",
    ),
    _step(
        "attribute", r"(?P<direction>send|input) attr(?:ibute)? (?:(?:name|value): (?P<value>.*)|(?P<name>[a-z0-9_]+) = ?(?P<data>.*))",
        " attr", "send attr request = rewrite", "One value that two Postfix programs told each other.",
    ),
    _step(
        "attribute", r"(?P<server>[!-~]+(?: socket)?): wanted attribute: (?P<name>.*)", ": wanted attribute: ",
        "private/rewrite socket: wanted attribute: flags", "A Postfix program waits for a value of another.",
    ),
    _step(
        "connection", r"connect(?:ion)? (?P<action>established|closed|to subsystem)(?: fd (?P<number>[0-9]+)| (?P<server>[!-~]+))?",
        "connect", "connection established fd 9", "Two Postfix programs have a connection, or end it.",
    ),
    _step(
        "connection", r"(?P<service>[a-z-]+) stream disconnect", " stream disconnect", "rewrite stream disconnect",
        "A Postfix program gave up its connection with a service.",
    ),
    _step(
        "restriction", r"(?P<name>(?:permit|reject|check|defer|warn)_[a-z_]+|generic_checks)(?:: |:? name=)(?P<text>.*)", "_",
        "generic_checks: name=permit_mynetworks status=1", "One restriction, and what it says of this client.",
    ),
    _step(
        "step", r"(?P<text>(?:report .* to|abort|disconnect|free) all milters|reply: SMFIR_.*|skipping event .*|start .* address list|"
        r"(?:before|after) [a-z_]+: cleanup flags = .*|lookup .* type .* flags .*|pref +[0-9]+ host .*)", "",
        "report connect to all milters", "A step that is told without the name of a function.",
    ),
    _step(
        "step", r"(?P<text>(?:report|receive|send|free|override) .*\bmilters?\b.*|override .* macro list with .*|reply: [A-Z]+_.*|skipping (?:reply for |non-protocol )?event .*|"
        r"(?:initial|extracted) envelope [A-Za-z] .*|cleanup flags = .*|masquerade: .* -> .*|(?:enter|leave) [a-z0-9_]+|"
        r"PROXY: .*|source=.* address=.*|policy (?:query|reply).*)", "",
        "initial envelope S anna@example.com", "A step of taking a message in.", programs=("cleanup", "smtpd", "qmqpd", "postscreen"),
    ),
    _step(
        "step", r"(?P<text>host name lookup methods: .*|v6_target=[0-9]+, v4_target=[0-9]+|[^ ]* asciified to .*|connecting to [^ ]+ port [^ ]+|trying to connect to [^ ]+|"
        r"server features: 0x.*|[Uu]sing E?[A-Z]* ?PIPELINING, .*|.* TLS level: [a-z-]+|looking for session .*|(?:reason: )?dnssec_probe '.*|"
        r"SASL authentication (?:info|debug|trace|pass): .*|starting new SASL client)", "",
        "host name lookup methods: dns", "A step of speaking with another server.", programs=("smtp", "lmtp", "smtpd", "posttls-finger", "tlsproxy", "verify"),
    ),
    _step(
        "step", r"(?P<text>(?:level|fp|offset|sender|recipient|domain|local|user|extension|unmatched|owner|delivered|relay|why|exp_(?:from|type)|encoding|"
        r"queue_(?:name|id)|data_offset|request|rcpt|dsn|home|logname|shell|uid|gid): .*|forward (?:via file: .*|delivered=.*)|forward-done .*|spool_uid/gid .*|"
        r"deliver_file \(.*)", "",
        "unmatched: lists", "A step of delivering to a local user: what is known of the delivery.", programs=("local", "virtual", "pipe"),
    ),
    _step(
        "step", r"(?P<text>(?:start|end) move queue .* -> .*|wakeup .* after -?[0-9]+ secs?|enable (?:transport|site) .*|request: -?[0-9]+ \(.*\)|done .* queue scan|"
        r"defer (?:transport|site) .*|old-style scan record .*)", "",
        "wakeup incoming after 0 secs", "A step of the queue manager.", programs=("qmgr", "oqmgr", "nqmgr"),
    ),
    _step(
        "step", r"(?P<text>spawn command .*|start conditional timer for .*|throttle released for command .*|throttling command .*|got sigchld|"
        r"old value: \".*\", new value: \".*\"|site .* to path .*|(?:allow|white)listing .* from .*|record [A-Za-z] .*|"
        r"(?:PUT|GOT|PROBE) .* status=.*|received master trigger|`.*' -> .*|wildcard_.*)", "",
        "spawn command /usr/lib/postfix/sbin/smtpd; pid 712", "A step of a service of Postfix for the others.",
        programs=("master", "flush", "proxymap", "proxywrite", "showq", "verify", "tlsmgr", "trivial-rewrite", "rewrite"),
    ),
    _step(
        "step", r"(?P<text>(?:time to retire|master disconnect) -- .*|daemon started|(?:PUSH|POP) boundary .*|chroot .* user .*|setugid: .*|loaded .* = 0x.*|"
        r"fd=[0-9]+: stream buffer size .*|begin [a-z0-9_]+|(?:send|input) attr .*|[a-z][a-z0-9]*(?:_[a-z0-9]+)+(?: [a-z_]+=[^ ]*)+)", "",
        "master disconnect -- exiting", "A step that any program of Postfix takes.",
    ),
    _step(
        "step", r"(?P<name>[a-z][a-z0-9]*(?:_[a-z0-9]+)+|vstream|watchdog|event|milter8?|mynetworks|process generation|idle timeout|fsspace)(?:\[[0-9]+\])?(?:: ?| -- )(?P<text>.*)", "",
        "match_hostname: smtpd_client_event_limit_exceptions: host.example.net ~? 127.0.0.0/8",
        "A function of Postfix tells one of its steps.",
    ),
)  # fmt: skip
