"""The other lines of Rspamd: the life of a connection and a task, learning, greylisting, and the rest by module.

    #256(rspamd_proxy) <907634>; milter; rspamd_milter_process_command: got connection from 198.51.100.210:39739
    #256(rspamd_proxy) <bdc1a0>; proxy; rspamd_message_parse: loaded message; id: <8d28@partner.test>; queue-id: <5D0E71C0F3>; ...
    #256(rspamd_proxy) <bdc1a0>; lua; greylist.lua:360: Score too low - skip greylisting

The lines that name a message or a client have shapes of their own. All others are ``FUNCTION: text``; they are kept by the
module that wrote them (``_MODULES``), with the function (or Lua file and line) as a field.

Source: ``src/rspamd_proxy.c``, ``src/libserver/milter.c``, ``src/libmime/message.c``, ``src/controller.c``,
``src/plugins/lua/greylist.lua``, ``ratelimit.lua``; real logs of 3.4, 3.12.1 and 4.1.5.
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.shape import Shape

Frame = pl.DataFrame

_ANY = ("*",)
_ADDRESS = r"(?P<client_ip>[0-9A-Fa-f.:]+?|[/!-9;-~][!-~]*?)"
_FUNCTION = r"(?P<function>[0-9A-Za-z_.~-]+(?::[0-9]+)?)"


def _shape(kind: str, pattern: str, example: str, means: str, programs: tuple[str, ...] = _ANY) -> Shape:
    return Shape(kind=kind, programs=programs, pattern=pattern, example=example, means=means)


def _bracketed(fields: Frame) -> Frame:
    """The Message-ID with the brackets that it has everywhere else."""
    bare = pl.col("bare_message_id")
    known = pl.when((bare != "") & (bare != "undef")).then(pl.concat_str(pl.lit("<"), bare, pl.lit(">")))
    return fields.with_columns(message_id=known)


TASK_LIFE = (
    _shape(
        "rspamd.message",
        r"rspamd_message_parse: loaded message; id: (?:<(?:undef)?>|(?P<message_id><[!-;=?-~]+>)); queue-id: <(?:undef|(?P<queue_id>[!-;=?-~]*))>; "
        r"size: (?P<size>[0-9]+); checksum: <(?P<digest>[0-9a-f]*)>",
        "rspamd_message_parse: loaded message; id: <8d28@partner.test>; queue-id: <5D0E71C0F3>; size: 429; "
        "checksum: <b976308de938a029d9cb229106060680>",
        "Rspamd has a message in hand and begins to look at it.",
    ),
    _shape(
        "rspamd.message",
        r"rspamd_message_parse: loaded message; id: (?P<message_id><.*>); queue-id: <(?:undef|(?P<queue_id>[!-;=?-~]*))>.*",
        "rspamd_message_parse: loaded message; id: <odd id@partner.test>; queue-id: <5D0E71C0F3>",
        "Rspamd has a message in hand and begins to look at it.",
    ),
    _shape(
        "rspamd.connection",
        rf"(?P<function>[a-z_]+): accepted (?:milter |fuzzy |tcp |http )*connection from {_ADDRESS}(?: port (?P<client_port>[0-9]+))?(?:, task ptr: [0-9A-Fa-fx]+)?",
        "proxy_accept_socket: accepted milter connection from 127.0.0.1 port 46316",
        "The mail server (or another client of Rspamd) opened a connection.",
    ),
    _shape(
        "rspamd.milter_client",
        rf"rspamd_milter_process_command: got connection from {_ADDRESS}(?::(?P<client_port>[0-9]+))?",
        "rspamd_milter_process_command: got connection from 198.51.100.210:39739",
        "The mail server told which client it talks to.",
    ),
    _shape(
        "rspamd.connection_end",
        r"(?P<function>[a-z_]+): (?P<text>finished milter connection.*|abnormally closing .*connection.*|closing .*connection.*)",
        "proxy_milter_finish_handler: finished milter connection",
        "The connection with the mail server ended.",
    ),
    Shape(
        kind="rspamd.learned",
        programs=_ANY,
        pattern=(
            r"(?P<function>[a-z_]+): <(?P<client_ip>[0-9A-Fa-f.:/!-~]*)> learned message as (?P<learned_as>[!-~]+): (?P<bare_message_id>.*)"
        ),
        finish=_bracketed,
        adds=("message_id",),
        example="rspamd_controller_learn_fin_task: <127.0.0.1> learned message as spam: 8d28@partner.test",
        means="Somebody taught the classifier with a message; its Message-ID stands without brackets.",
    ),
    _shape(
        "rspamd.greylist",
        r"greylist\.lua:[0-9]+: (?P<text>greylisted until \"(?P<until>[^\"]*)\".*|greylisting delayed until \"(?P<until_again>[^\"]*)\": .*"
        r"|greylisting pass .*|skip greylisting .*|Score too low.*|Downgrading .*|[a-z].*)",
        'greylist.lua:433: greylisted until "Mon, 23 Nov 2026 18:02:49 GMT", new record',
        "What greylisting decided on the message.",
        ("lua",),
    ),
    _shape(
        "rspamd.ratelimit",
        r"ratelimit\.lua:[0-9]+: (?P<text>.*(?:[Rr]atelimit|limit|bucket).*)",
        'ratelimit.lua:712: ratelimit "to(anna@example.com)" exceeded, (101.0 / 100.0): 0.02 (dynamic rate: 1.0)',
        "A limit on the number of messages was looked at.",
        ("lua",),
    ),
    _shape(
        "rspamd.forced",
        r"rspamd_add_passthrough_result: (?:<(?:undef)?>|(?P<message_id><.*>)): set pre-result to '(?P<forced_action>[^']*)'(?: \((?P<forced_score>[-+0-9.a-z]+)\))?: "
        r"'(?P<forced_text>.*)' from (?P<forced_by>.*?)(?:\([0-9]+\))?",
        "rspamd_add_passthrough_result: <8d28@partner.test>: set pre-result to 'reject' (15.00): 'Gtube pattern' from GTUBE(1)",
        "A rule forced an action, whatever the score.",
    ),
    _shape(
        "rspamd.timeout",
        r"(?P<function>rspamd_(?:worker_)?task_timeout|rspamd_[a-z_]*timeout[a-z_]*): (?P<text>.*)",
        "rspamd_task_timeout: processing of task time out: 8.0 second spent; 8.0 second limit; forced processing",
        "Rspamd did not get ready with the message in time.",
    ),
    _shape(
        "rspamd.repeated",
        r"rspamd_log_reset_repeated: Last message repeated (?P<count>[0-9]+) times",
        "rspamd_log_reset_repeated: Last message repeated 12 times",
        "The line before was written that many times more.",
    ),
)  # fmt: skip

_CHECKS = (
    "task", "proxy", "milter", "lua", "normal", "protocol", "mime", "message", "composites", "regexp", "chartable", "fuzzy_check",
    "dkim", "dkim_signing", "arc", "spf", "dmarc", "rbl", "surbl", "asn", "hfilter", "greylist", "ratelimit", "multimap", "settings",
    "antivirus", "external_services", "phishing", "mx_check", "replies", "reputation", "url_redirector", "url_reputation", "whitelist",
    "milter_headers", "metadata_exporter", "metric_exporter", "history_redis", "force_actions", "bayes", "bayes_expiry", "neural", "clickhouse",
    "elastic", "known_senders", "mime_types", "maillist", "spamassassin", "spamtrap", "emails", "dcc", "p0f", "gpt", "bimi", "aliases", "once_received",
    "forged_recipients", "trie", "rspamd_update", "dynamic_conf", "archive", "images", "html", "css", "lang_det", "language", "scan_result",
    "symbols", "contextal", "vadesecure", "icap", "oletools", "pyzor", "razor", "spamhaus", "uribl", "url", "urls", "mempool", "session",
    "tokenizer", "rfc2047", "task_input", "fuzzy_merge",
)  # fmt: skip
_MODULES: tuple[tuple[str, tuple[str, ...], str, str], ...] = (
    (
        "check", _CHECKS,
        "dkim_symbol_callback: skip DKIM checks for local networks and authorized users",
        "A module says what it did, or did not do, with a message.",
    ),
    (
        "config", (
            "cfg", "config", "ucl", "symcache", "re_cache", "radix", "multipattern", "hyperscan", "expression", "lua_cfg", "plugins",
            "rcl", "cfg_transform", "actions", "worker_conf",
        ),
        "rspamd_init_lua_filters: init lua module whitelist from /usr/share/rspamd/plugins/whitelist.lua; digest: 5c8c1ad7c0",
        "Rspamd reads its configuration and prepares its rules.",
    ),
    (
        "map", ("map", "http_map", "static_map", "map_helpers", "monitored"),
        "rspamd_map_add: added map https://maps.rspamd.com/freemail/free.txt.zst",
        "A map (a list that rules look things up in) was loaded, or could not be.",
    ),
    (
        "server", (
            "main", "worker", "control", "srv_cmd", "hs_helper", "log_helper", "logger", "rspamadm", "rrd", "stat", "stats", "proctitle", "keypair",
            "keypairs", "event", "events", "ev_base", "signal", "pidfile", "file", "util", "aio", "rspamd",
        ),
        "rspamd_fork_worker: prepare to fork process normal (0); listen on: 127.0.0.1:11333",
        "The main process starts, watches and ends its workers.",
    ),
    (
        "controller", ("controller", "csession", "http", "http_context", "http_router", "fuzzy", "fuzzy_storage", "fuzzy_backend", "fuzzy_redis", "fuzzy_sqlite"),
        "rspamd_controller_password_sane: your normal password is not encrypted, we strongly recommend to replace it",
        "The controller (web interface, statistics, learning) or the fuzzy storage says something.",
    ),
    (
        "network", (
            "upstreams", "upstream", "dns", "redis", "redis_pool", "stat_redis", "lua_redis", "redis_backend", "sqlite3", "ssl", "ssl_util", "inet_addr", "addr",
            "tcp", "udp", "lua_tcp", "lua_udp", "lua_http", "lua_dns", "resolver", "cryptobox", "smtp_proxy", "smtp",
        ),
        "rspamd_resolve_addrs: address resolution for fuzzy1.rspamd.com failed: Name or service not known",
        "A server that Rspamd needs (DNS, Redis, another Rspamd) was reached, or was not.",
    ),
)  # fmt: skip

MODULE_SHAPES = tuple(
    _shape(f"rspamd.{topic}", rf"{_FUNCTION}: (?P<text>.*)", example, means, programs)
    for topic, programs, example, means in _MODULES
)
