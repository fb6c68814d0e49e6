"""The programs that look into a message: amavis, SpamAssassin's spamd, clamav-milter, Proxmox' pmg-smtp-filter.

    amavis[252403]: (13034-18) Passed CLEAN {RelayedInbound}, [192.0.2.7]:23249 [192.0.2.7] <alex@example.net> -> <anna@example.com>,
        Queue-ID: 99FC4DB2D4, Message-ID: <a@example.net>, mail_id: smLxhtBpJGek, Hits: -0.498, size: 8156, queued_as: 8FB8EA92F9, 1663 ms
    spamd[22796]: spamd: result: Y 21 - BAYES_99,HTML_MESSAGE scantime=3.1,size=1098,user=anna,...,mid=<a@example.net>,bayes=1,autolearn=spam
    clamav-milter[77]: Message 99FC4DB2D4 from <alex@example.net> to <anna@example.com> ... infected by Eicar-Signature
    pmg-smtp-filter[26838]: 4800765FAD1117D3F6F: accept mail to <anna@example.com> (99FC4DB2D4) (rule: default-accept)

amavis joins two queue entries: ``Queue-ID`` is the one before it, ``queued_as`` the one behind it. In pmg-smtp-filter the number in front
(the filter id) is what Postfix gets as the reply; the queue id of the new entry stands in brackets.

The addresses, Message-ID and Subject are the sender's words; the numbers behind them are not reached by them, because each
key is read in its place.

Sources: ``$log_templ`` of amavisd-new 2.4 to amavis 2.13; the SpamAssassin wiki's SpamdSyslogFormat; ``clamav-milter`` (``LogInfected``, ``LogClean``);
``pmg-smtp-filter`` of pmg-api.
"""

from __future__ import annotations

import polars as pl

from mailforensics.grammar.milters.prefix import splitter
from mailforensics.grammar.shape import Field, Grammar, Shape
from mailforensics.grammar.usual import Usual

Frame = pl.DataFrame

SYMBOLS = pl.List(pl.Struct({"name": pl.String, "score": pl.Float64, "options": pl.List(pl.String)}))


def _milliseconds(text: pl.Expr) -> pl.Expr:
    return (text.cast(pl.Float64, strict=False) / 1000).round(
        9
    )  # the engine divides one value, but multiplies many


FIELDS = {
    "scan_id": Field("The number of the scan: the process and its count (amavis), the filter id (pmg)."),
    "action": Field("What the filter did with the message."),
    "category": Field("What the filter found: CLEAN, SPAMMY, SPAM, INFECTED, BANNED, BAD-HEADER, UNCHECKED."),
    "virus": Field("The name of the virus, or what was banned.", personal=True),
    "handling": Field(
        "How the message was handled, in amavis' words: RelayedInbound, DiscardedInbound and so on."
    ),
    "policy_banks": Field("The policy banks of amavis."),
    "client_ip": Field("The address of the client.", personal=True),
    "client_port": Field("The TCP port of the client.", pl.Int64),
    "origin_ip": Field("The first public address in the Received fields, as amavis sees it.", personal=True),
    "sender": Field("The envelope sender.", personal=True, rfc="RFC 5321 §4.1.1.2"),
    "recipients": Field(
        "The envelope recipients.", pl.List(pl.String), personal=True, rfc="RFC 5321 §4.1.1.3"
    ),
    "recipient": Field("The envelope recipient.", personal=True, rfc="RFC 5321 §4.1.1.3"),
    "quarantine": Field("Where a copy of the message lies."),
    "queue_id": Field("The queue id before the filter."),
    "message_id": Field("The Message-ID.", personal=True, rfc="RFC 5322 §3.6.4"),
    "mail_id": Field("amavis' own id of the message."),
    "score": Field("The spam score of the message, and whose settings applied.", pl.Float64),
    "required_score": Field("The score from which it counts as spam.", pl.Float64),
    "is_spam": Field("Whether the filter calls it spam.", pl.Boolean),
    "size": Field("Size of the message in bytes.", pl.Int64),
    "next_queue_id": Field("The queue id behind the filter."),
    "more": Field("Further values, as written.", personal=True),
    "subject": Field("The subject.", personal=True, rfc="RFC 5322 §3.6.5"),
    "header_from": Field("The From field.", personal=True),
    "symbols": Field("The rules that hit, with their scores where they are told.", SYMBOLS),
    "tests": Field("The rules that hit, as written."),
    "scan_time_s": Field("Seconds that the scan took.", pl.Float64),
    "user": Field("The user whose settings applied.", personal=True),
    "verdict": Field("Y for spam, a dot for other mail."),
    "details": Field("key=value pairs, as written.", personal=True),
    "rule": Field("The rule of the gateway that decided."),
    "text": Field("What it says.", personal=True),
    "error": Field("What went wrong, as written.", personal=True),
    "version": Field("The version."),
}

_AMAVIS_FIELDS = FIELDS | {
    "scan_time_s": Field("Seconds that the scan took.", pl.Float64, convert=_milliseconds)
}


def _shape(daemon: str, kind: str, pattern: str, example: str, means: str) -> Shape:
    return Shape(kind=f"{daemon}.{kind}", programs=(daemon,), pattern=pattern, example=example, means=means)


# --- amavis -----------------------------------------------------------------------------------------------------------

_ID = r"\((?P<scan_id>[0-9]+-[0-9]+(?:-[0-9]+)?)\) "
# amavis quotes local parts as SMTP does, so a bracket inside an address stands in quotes.
_ADDRESS = r"(?:\"(?:[^\"\\]|\\.)*\"|[^\"<>])*"
_FRONT = (
    _ID
    + r"(?P<action>Passed|Blocked|Not-Delivered) (?P<category>[A-Z]+(?:-[A-Z]+)*)(?:-[0-9]+)?(?: \((?P<virus>.*?)\))?"
    r"(?: \{(?P<handling>[^{}]*)\})?, (?:(?P<policy_banks>[A-Z][A-Za-z0-9_./ -]*?) )?"
    r"(?:\[(?P<client_ip>[0-9A-Fa-f.:]*)\](?::(?P<client_port>[0-9]+))? )?(?:\[(?P<origin_ip>[0-9A-Fa-f.:]*)\] )?"
    rf"<(?P<sender>{_ADDRESS})> -> (?P<recipients><{_ADDRESS}>(?:,<{_ADDRESS}>)*)"
    r"(?:, quarantine: (?P<quarantine>[^ ,]*))?(?:, Queue-ID: (?P<queue_id>[0-9A-Za-z]+))?"
)
_BACK = (
    r"(?:, Resent-Message-ID: <.*?>)?, mail_id: (?P<mail_id>[!-+\--~]+)(?:, b: [!-+\--~]+)?, Hits: (?:(?P<score>-?[0-9.]+)|-|None)"
    r", size: (?P<size>[0-9]+)(?:, pt: [0-9]+)?(?:, queued_as: (?P<next_queue_id>[0-9A-Za-z]+)(?:[/,][0-9A-Za-z/]+)*)?"
    r"(?:, (?P<more>.*))?, (?P<scan_time_s>[0-9]+) ms"
)
_USUAL = (
    _ID
    + r"(?P<action>Passed|Blocked|Not-Delivered) (?P<category>[A-Z]+(?:-[A-Z]+)*) \{(?P<handling>[^{}]*)\}, "
    r"\[(?P<client_ip>[0-9A-Fa-f.:]*)\](?::(?P<client_port>[0-9]+))? (?:\[(?P<origin_ip>[0-9A-Fa-f.:]*)\] )?"
    r"<(?P<sender>[^\"<>]*)> -> (?P<recipients><[^\"<>]*>), Queue-ID: (?P<queue_id>[0-9A-Za-z]+), Message-ID: (?P<message_id><[^<> ]+>), "
    r"mail_id: (?P<mail_id>[!-+\--~]+), Hits: (?P<score>-?[0-9.]+), size: (?P<size>[0-9]+), "
    r"(?:queued_as: (?P<next_queue_id>[0-9A-Za-z]+), )?(?P<scan_time_s>[0-9]+) ms"
)


def _finish_amavis(fields: Frame) -> Frame:
    """The recipients as a list, and the rules and the subject out of the further values."""
    more = pl.col("more")
    return fields.with_columns(
        recipients=pl.col("recipients").str.strip_prefix("<").str.strip_suffix(">").str.split(">,<"),
        subject=more.str.extract(r"(?:\A|, )Subject: \"((?s:.*?))\"(?:, [A-Za-z_-]+[:=]|\z)"),
        header_from=more.str.extract(r"(?:\A|, )From: (<.*?>|[^,]*)"),
        symbols=_symbols(more.str.extract(r"(?:\A|, )Tests: \[([^\]]*)\]")),
        is_spam=pl.when(pl.col("category").is_in(["SPAM", "SPAMMY"]))
        .then(True)
        .when(pl.col("category") == "CLEAN")
        .then(False),
    )


def _symbols(tests: pl.Expr) -> pl.Expr:
    """``A=1.2,B=-0.1`` (or names alone) as a list of rules with scores."""
    one = pl.element().str.strip_chars(" ")
    scored = pl.struct(
        name=one.str.extract(r"\A([^=(]*)"),
        score=one.str.extract(r"[=(](-?[0-9.]+)\)?\z").cast(pl.Float64, strict=False),
        options=pl.lit(None, dtype=pl.List(pl.String)),
    )
    return pl.when(tests != "").then(tests).str.split(",").list.eval(scored)


_AMAVIS = (
    Shape(
        kind="amavis.result",
        programs=("amavis",),
        pattern=_FRONT + r"(?:, Message-ID: (?:<>|(?P<message_id><[^<> ]*>|<.*>)))?" + _BACK,
        reader=Usual(_USUAL),
        finish=_finish_amavis,
        adds=("subject", "header_from", "symbols", "is_spam"),
        example=(
            "(13034-18) Passed CLEAN {RelayedInbound}, [192.0.2.7]:23249 [192.0.2.7] <alex@example.net> -> <anna@example.com>, "
            "Queue-ID: 99FC4DB2D4, Message-ID: <a@example.net>, mail_id: smLxhtBpJGek, Hits: -0.498, size: 8156, "
            "queued_as: 8FB8EA92F9, 1663 ms"
        ),
        means="amavis is through with the message: what it found, and where the message went.",
    ),
    Shape(
        kind="amavis.result",
        programs=("amavis",),
        pattern=_FRONT + r"(?:, (?P<more>.*))?, (?P<scan_time_s>[0-9]+) ms",
        finish=_finish_amavis,
        adds=("subject", "header_from", "symbols", "is_spam"),
        example="(13034-18) Blocked BANNED (.exe), <alex@example.net> -> <anna@example.com>, Hits: -, 84 ms",
        means="amavis is through with the message; the site has it logged in words of its own.",
    ),
    Shape(
        kind="amavis.spam_tag",
        programs=("amavis",),
        pattern=(
            _ID + r"spam-tag, <(?P<sender>.*?)> -> (?P<recipients><.*?>), (?P<verdict>Yes|No), (?:score|hits)=(?P<score>-?[0-9.]+|x)"
            r"(?: tag(?:ged_above)?=[!-~]+)?(?: tag2=[!-~]+)?(?: (?:required|kill)=(?P<required_score>-?[0-9.]+|x))?(?: kill=[!-~]+)? tests=\[(?P<tests>[^\]]*)\](?P<more>.*)"
        ),
        finish=lambda fields: fields.with_columns(
            recipients=pl.col("recipients").str.strip_prefix("<").str.strip_suffix(">").str.split(">,<"),
            symbols=_symbols(pl.col("tests")),
            is_spam=pl.col("verdict") == "Yes",
        ),
        adds=("symbols", "is_spam"),
        example=(
            "(20776-02) spam-tag, <alex@example.net> -> <anna@example.com>, Yes, score=9.781 tagged_above=-999 required=6.31 "
            "tests=[BAYES_00=-0.001, DKIM_SIGNED=0.1] autolearn=ham autolearn_force=no"
        ),
        means="The spam score and the rules behind it.",
    ),
    _shape(
        "amavis", "forwarded",
        _ID + r"(?:(?P<mail_id>[0-9A-Za-z_-]{12,}) )?FWD (?:from|via [A-Z]+:?|[A-Z]+).*?<(?P<sender>.*?)> -> (?P<text><.*?>.*?)(?:queued as (?P<next_queue_id>[0-9A-Za-z]+).*)?",
        "(13034-18) FWD from <alex@example.net> -> <anna@example.com>, BODY=7BIT 250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): "
        "250 2.0.0 Ok: queued as 8FB8EA92F9",
        "amavis gave the message back to the mail server.",
    ),
    _shape(
        "amavis", "begun", _ID + r"Checking: (?P<mail_id>[!-~]+) (?:(?P<policy_banks>[A-Z][A-Za-z0-9_./ -]*) )?(?:\[(?P<client_ip>[0-9A-Fa-f.:]*)\] )?<(?P<sender>.*?)> -> (?P<text>.*)",
        "(13034-18) Checking: smLxhtBpJGek [192.0.2.7] <alex@example.net> -> <anna@example.com>", "amavis begins to look at the message.",
    ),
    _shape(
        "amavis", "begun", _ID + r"[A-Z]*(?:SMTP|LMTP)[:> ].*?<(?P<sender>.*?)> -> (?P<text><.*)",
        "(13034-18) ESMTP:[127.0.0.1]:10024 /var/lib/amavis/tmp/amavis-x: <alex@example.net> -> <anna@example.com> SIZE=8156",
        "amavis was given a message.",
    ),
    _shape("amavis", "error", _ID + r"\(!+\) ?(?P<error>.*)", "(13034-18) (!)ClamAV-clamd av-scanner FAILED: run_av error: Too many retries", "Something went wrong."),
    _shape(
        "amavis", "note", _ID + r"(?P<text>(?:TIMING|size:|run_av|virus_scan|spam_scan|header_edits|dkim|DKIM|SEND|DSN|NOTICE|INFO|WARN|WHITELISTED|BLACKLISTED|p[0-9]+|p\.path|smtp|lookup|wbl"
        r"|extra modules|do_[a-z]+|Amavis|SA |bounce|quarantine|local delivery|mangling|one_response|query|get_deadline|prolong|idle_proc|inspect_dsn|rw_loop|Cached|cached|Banned|Inactive|loaded"
        r"|penpals|Penpals|log_id|collect|decoding|result_line|ask_[a-z]+|AM\.PDP|[A-Za-z_-]+[:,=(]).*)",
        "(13034-18) TIMING [total 1663 ms] - SMTP greeting: 2 (0%)0", "amavis tells how it works.",
    ),
    _shape(
        "amavis", "server",
        r"(?P<text>(?:\(!+\)|starting\.|Starting|Net::Server|Module |Amavis::|SpamControl|Found |No (?:ext|decoder|\$)|Using |Creating |Valid PID|config|user=|perl=|INFO|WARN|Deleting|Reloading|logging"
        r"|initializing|extra modules|SIG|Daemon|Shutting|TROUBLE|Open relay|OpenSSL|storage|Amavis-DB|BerkeleyDB|DENIED|_WARN|sd_notify|socket|Internal decoder|Primary|Secondary|SQL|Lookup::|/).*)",
        "starting. /usr/sbin/amavisd-new at mail.example.com amavisd-new-2.11.0 (20160426), Unicode aware", "amavis starts or ends.",
    ),
)  # fmt: skip

# --- spamd ------------------------------------------------------------------------------------------------------------

_DETAILS = {
    "scan_time_s": (r"(?:\A|,)scantime=([0-9.]+)", pl.Float64),
    "size": (r"(?:\A|,)size=([0-9]+)", pl.Int64),
    "user": (r"(?:\A|,)user=([^,]*)", pl.String),
    "required_score": (r"(?:\A|,)required_score=([0-9.]+)", pl.Float64),
    "client_ip": (r"(?:\A|,)raddr=([0-9A-Fa-f.:]+)", pl.String),
    "message_id": (r"(?:\A|,)mid=(<[^<>]*>)(?:,|\z)", pl.String),
}


def _finish_spamd(fields: Frame) -> Frame:
    """The values that stand as key=value in any order, and the rules as a list."""
    found = [
        pl.col("details").str.extract(pattern).cast(kind, strict=False).alias(name)
        for name, (pattern, kind) in _DETAILS.items()
    ]
    return fields.with_columns(*found, symbols=_symbols(pl.col("tests")), is_spam=pl.col("verdict") == "Y")


_SPAMD = (
    Shape(
        kind="spamd.result",
        programs=("spamd",),
        pattern=r"(?:spamd: )?result: (?P<verdict>[Y.]) (?P<score>-?[0-9.]+) - (?P<tests>[!-+\--~]*(?:,[!-+\--<>-~]+)*) ?(?P<details>scantime=.*)",
        finish=_finish_spamd,
        adds=(*_DETAILS, "symbols", "is_spam"),
        example=(
            "spamd: result: Y 21 - BAYES_99,HTML_MESSAGE scantime=3.1,size=1098,user=anna,uid=1000,required_score=5.0,rhost=localhost,"
            "raddr=127.0.0.1,rport=4711,mid=<a@example.net>,bayes=1.000000,autolearn=spam"
        ),
        means="The spam score and the rules behind it.",
    ),
    _shape(
        "spamd", "summary",
        r"(?:spamd: )?(?P<category>identified spam|clean message) \((?P<score>-?[0-9.]+)/(?P<required_score>-?[0-9.]+)\) for (?P<user>.*?)(?::[0-9]+)? in (?P<scan_time_s>[0-9.]+) seconds, (?P<size>[0-9]+) bytes\.? ?",
        "spamd: identified spam (21.6/5.0) for anna:1012 in 3.1 seconds, 1098 bytes.", "The spam score of the message, and whose settings applied.",
    ),
    _shape(
        "spamd", "begun", r"(?:spamd: )?(?:processing|checking|handling) message (?:\(unknown\)|(?P<message_id><.*?>))?(?: aka <.*?>)? ?for (?P<user>.*?)(?::[0-9]+)?",
        "spamd: processing message <a@example.net> for anna:1012", "spamd begins to look at the message.",
    ),
    _shape(
        "spamd", "connection", r"(?:spamd: )?(?:got )?connection from (?P<text>.*?)(?: \[(?P<client_ip>[0-9A-Fa-f.:]*)\])?(?::[0-9]+)?(?: at port (?P<client_port>[0-9]+))?(?: to port [0-9]+.*)?",
        "spamd: connection from localhost [127.0.0.1]:45010 to port 783, fd 6", "A client opened a connection.",
    ),
    _shape(
        "spamd", "note",
        r"(?P<text>(?:spamd|prefork|logger|rules|dns|util|config|plugin|bayes|auto-whitelist|auto-welcomelist|locker|netset|info|warn|error|dbg|check|message|received|pyzor|razor2|dcc|spf|dkim|uri|reporter|learn|sa-update|archive-iterator|TxRep|geodb|async|internal|rulesrun|txrep|dcc2?): .*)",
        "prefork: child states: II", "spamd tells how it works.",
    ),
)  # fmt: skip

# --- clamav-milter ----------------------------------------------------------------------------------------------------

_MAIL = r"(?: from <(?P<sender>.*?)> to (?P<recipients><.*?>) with subject '(?P<subject>.*)' message-id '(?P<message_id>.*?)' date '.*?')?"


def _list_of_brackets(fields: Frame) -> Frame:
    bare = pl.col("recipients").str.strip_prefix("<").str.strip_suffix(">")
    return fields.with_columns(recipients=bare.str.split(">,<"))


_CLAMAV = (
    Shape(
        kind="clamav-milter.infected",
        programs=("clamav-milter",),
        pattern=rf"Message(?: (?P<queue_id>[0-9A-Za-z]{{5,}}))?{_MAIL} infected by (?P<virus>.*)",
        finish=_list_of_brackets,
        example="Message 99FC4DB2D4 from <alex@example.net> to <anna@example.com> with subject 'Bill' message-id '<a@example.net>' "
        "date 'Mon, 23 Nov 2026 10:00:00 +0100' infected by Eicar-Signature",
        means="The message holds a virus.",
    ),
    Shape(
        kind="clamav-milter.clean",
        programs=("clamav-milter",),
        pattern=rf"Clean message(?: (?P<queue_id>[0-9A-Za-z]{{5,}}))?{_MAIL}",
        finish=_list_of_brackets,
        example="Clean message 99FC4DB2D4",
        means="The message holds no known virus.",
    ),
    _shape(
        "clamav-milter", "note",
        r"(?P<text>(?:\+\+\+|---|ERROR|WARNING|WARN|LibClamAV|ClamAV|Database|No clamd|Probe|clamd|Failed|Can't|Cannot|Listening|Running|Local socket|Socket|Bound|Connect|Exiting|Stopping|mi_[a-z]+|smfi_[a-z]+"
        r"|Limits|Self|Streaming|Activating|Log|Received|Incoming|Rejecting|Quarantin|Whitelist|Skipping|milter|Postfix|Virus|Adding).*)",
        "+++ Started at Mon Nov 23 10:00:00 2026", "clamav-milter starts, ends, or cannot reach clamd.",
    ),
)  # fmt: skip

# --- Proxmox Mail Gateway ---------------------------------------------------------------------------------------------

_FILTER_ID = r"(?P<scan_id>[0-9A-F]{8,32}): "


def _finish_score(fields: Frame) -> Frame:
    return fields.with_columns(
        symbols=_symbols(pl.col("tests")), is_spam=pl.col("score") >= pl.col("required_score")
    )


_PMG = (
    _shape(
        "pmg-smtp-filter", "begun", _FILTER_ID + r"new mail message-id=(?:<>|(?P<message_id><.*>))?(?:#012|\\n| )*",
        "4800765FAD1117D3F6F: new mail message-id=<a@example.net>#012", "The gateway has a message in hand.",
    ),
    Shape(
        kind="pmg-smtp-filter.score",
        programs=("pmg-smtp-filter",),
        pattern=(
            _FILTER_ID + r"SA score=(?P<score>-?[0-9.]+)/(?P<required_score>-?[0-9.]+) time=(?P<scan_time_s>[0-9.]+) (?P<details>.*?) ?hits=(?P<tests>.*)"
        ),
        finish=_finish_score,
        adds=("symbols", "is_spam"),
        example="4800765FAD1117D3F6F: SA score=3/5 time=3.569 bayes=undefined autolearn=no autolearn_force=no hits=AWL(0.323),SPF_FAIL(0.919)",
        means="The spam score and the rules behind it.",
    ),
    _shape(
        "pmg-smtp-filter", "accepted", _FILTER_ID + r"(?P<action>accept) mail to <(?P<recipient>.*)> \((?P<next_queue_id>[0-9A-Za-z]+)\)(?: \(rule: (?P<rule>.*)\))?",
        "4800765FAD1117D3F6F: accept mail to <anna@example.com> (99FC4DB2D4) (rule: default-accept)", "The gateway passed the message on under a new queue id.",
    ),
    _shape(
        "pmg-smtp-filter", "quarantined",
        _FILTER_ID + r"(?P<action>moved) mail for <(?P<recipient>.*)> to (?P<category>spam|virus|attachment) quarantine - (?P<quarantine>[!-~]+)(?: \(rule: (?P<rule>.*)\))?",
        "4800765FAD1117D3F6F: moved mail for <anna@example.com> to spam quarantine - 3F2A15FAD1117D8A1B (rule: Quarantine/Mark Spam (Level 3))",
        "The gateway put the message into quarantine.",
    ),
    _shape(
        "pmg-smtp-filter", "blocked", _FILTER_ID + r"(?P<action>block) mail to <(?P<recipient>.*)>(?: \(rule: (?P<rule>.*)\))?",
        "4800765FAD1117D3F6F: block mail to <anna@example.com> (rule: Block Viruses)", "The gateway threw the message away.",
    ),
    _shape(
        "pmg-smtp-filter", "infected", _FILTER_ID + r"virus detected: (?P<virus>.*)",
        "4800765FAD1117D3F6F: virus detected: Eicar-Signature (clamav)", "The message holds a virus.",
    ),
    _shape(
        "pmg-smtp-filter", "done", _FILTER_ID + r"processing time: (?P<scan_time_s>[0-9.]+) seconds(?: \((?P<details>[^()]*)\))?",
        "4800765FAD1117D3F6F: processing time: 3.679 seconds (3.569, 0.041, 0)", "The gateway is through with the message.",
    ),
    _shape(
        "pmg-smtp-filter", "note", _FILTER_ID + r"(?P<text>(?:notify|bcc|add|remove|modif|sender|found|unpack|delete|error|mail |could|detach|disclaimer|whitelist|welcomelist|DKIM|SPF|connect|timeout|unable|failed|reject|archive|counter|attachment|no |not |SA |clam|avast|custom|info|warning|[a-z_]+[: ]).*)",
        "4800765FAD1117D3F6F: notify <admin@example.com> (rule: Notify Admin)", "What the gateway did with the message besides.",
    ),
    _shape(
        "pmg-smtp-filter", "server",
        r"(?P<text>(?:[0-9]{4}/[0-9]{2}/[0-9]{2}-|Filter daemon|reloading configuration|starting database|end database|Process|Received|Server|Starting|Binding|Setting|Group|User|WARNING|ERROR|SpamAssassin|Cleanup|Sending|Child|child|using|demo|pmg|could|can't|detected|total memory|exit).*)",
        "Filter daemon (re)started (max. 40 processes)", "The filter of the gateway starts, ends or tidies up.",
    ),
)  # fmt: skip

SCANNER_GRAMMARS = (
    Grammar(
        system="amavis",
        programs=r"(?:[!-~]*/)?amavis(?:d|d-new)?",
        split=splitter("amavis"),
        shapes=_AMAVIS,
        fields=_AMAVIS_FIELDS,
    ),
    Grammar(
        system="spamd",
        programs=r"spamd(?:-child| child)?|spamassassin",
        split=splitter("spamd"),
        shapes=_SPAMD,
        fields=FIELDS,
    ),
    Grammar(
        system="other",
        programs="clamav-milter",
        split=splitter("clamav-milter"),
        shapes=_CLAMAV,
        fields=FIELDS,
    ),
    Grammar(
        system="other",
        programs="pmg-smtp-filter",
        split=splitter("pmg-smtp-filter"),
        shapes=_PMG,
        fields=FIELDS,
    ),
)
