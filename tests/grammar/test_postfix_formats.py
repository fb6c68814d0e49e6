"""Every format string of Postfix 2.0 to 3.11 is understood, with plausible and with nasty values in its places.

The list of formats (``postfix-formats.tsv``) was made by a machine from the source; a line is built from each of them and
must be read by a shape of the daemon that writes it.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from mailforensics.grammar.postfix import GRAMMAR
from mailforensics.grammar.postfix.reasons import read_reason

FORMATS = Path(__file__).parents[3] / "shared" / "facts" / "postfix-formats.tsv"
REASONS = FORMATS.with_name("postfix-reasons.tsv")
if not FORMATS.exists():
    pytest.skip("../shared/facts is not here: the formats cannot be tried", allow_module_level=True)

# Left out. A format that is all value holds no word of Postfix by which a line could be known: its shape would read anything.
# Their frequent forms (deliveries, refusals, header checks) have shapes of their own.
ALL_VALUE = {
    "%s", "%s: %s", "%s: %m", "%s:%s", '"%s"', "%lu != %lu", "%.*s", "%s: %s -> %d: %s", "%s: %s: %s %.200s", "%s: %s: %s %.200s: %s",
    "%s: %s: %s while %s", "%s%s%s %s: %u %u %u %s%s%s", "%s: %s: %u %u %u %s%s%s", '%s in "%s"', "%s: %s: %m",
}  # fmt: skip

# Which daemons say what the libraries say; a few of many.
DAEMONS = {
    "tls": ("smtpd", "smtp", "tlsproxy"),
    "dns": ("smtpd", "smtp"),
    "global": ("smtpd", "cleanup", "local"),
    "util": ("smtpd", "postscreen", "qmgr"),
    "milter": ("smtpd", "cleanup"),
    "xsasl": ("smtpd", "smtp"),
    "smtp": ("smtp", "lmtp"),
    "bounce": ("bounce", "defer", "trace"),
}

# What goes into the places of a format, by the role of the place; the first is plausible, the others are nasty.
VALUES = {
    "text": ("hash:/etc/postfix/access", "müller.example/<a,b> %s\"'$(x)", "", ": warning: fatal: 4jYDFF2L8ZzqDd: removed"),
    "word": ("example", "x" * 300, "2001:db8::7", "ünïcode"),
    "number": ("25", "-1", "0", "2147483647"),
    "natural": ("25", "1", "0", "2147483647"),
    "decimal": ("0.5", "1e-05", "1", "100"),
    "letter": ("z", '"', "é", "'"),
    "error": ("No such file or directory", 'a: b; c, "d" <e>', "", "Connection timed out"),
    "client": ("mx.example.net[192.0.2.7]", "unknown[unknown]", "unknown[2001:db8::7]", "a-b.c.example.org[2001:db8:a::10]:25"),
    "address": ("192.0.2.7", "2001:db8::7", "::ffff:192.0.2.7", "fe80::1"),
    "port": ("40212", "1", "65535", "25"),
    "id": ("4jYDFF2L8ZzqDd", "DEADBEEF", "ED06590130AA1C9D6D862", "12"),
    "function": ("dict_open", "4jYDFF2L8ZzqDd", "DEADBEEF", "mx.example.net[192.0.2.7]:25"),
    "stamp": ("Oct 26 18:13:50",) * 4,
    "session": ("smtpd:192.0.2.7", "127.0.0.1:2525:127.0.0.1", "smtp:unknown", "smtpd:2001:db8:0:1::3"),
    "counters": ("", " ehlo=1 quit=1 commands=2", " helo=0/1 commands=0/1", " ehlo=1 mail=1 bdat=1/2 commands=3/4 notes=bare_lf"),
    "envelope": (" from=<a@example.com> to=<b@example.org> proto=ESMTP helo=<h>", " proto=SMTP", " from=<> to=<\"x>\"@example.org> proto=SMTP", ""),
    "nothing": ("",) * 4,
}  # fmt: skip

# The roles of the places in formats whose values cannot be anything; `=` stands before a fixed text.
ROLES = {
    "statistics: max … rate %d/%ds for (%s) at %.15s": "natural|natural|session|stamp",
    "statistics: max … count %d for (%s) at %.15s": "natural|session|stamp",
    "%s: postmaster non-delivery notification: %s": "id|id",
    "%s: sender non-delivery notification: %s": "id|id",
    "%s: sender delivery status notification: %s": "id|id",
    "%s: postmaster delay notification: %s": "id|id",
    "%s: sender delay notification: %s": "id|id",
    "%s: removed (%s)": "id|=canceled",
    "%s: %smessage-id=<%s>": "id|=resent-|text",
    "%s: from=<%s>, size=%ld, nrcpt=%d%s%s%s": "id|text|natural|natural|= (queue |=active|=)",
    "%s: from=<%s>, status=%s, returned to sender": "id|text|=expired",
    "%s: uid=%d from=<%s> orig_id=%s": "id|natural|text|id",
    "%s: uid=%d from=<%s>": "id|natural|text",
    "%s: passing <%s> to transport=%s": "id|word|word",
    "%s: status=deferred (%s failed)": "id|text",
    "%s: reject: mime-error %s: %.*s from %s; from=<%s> to=<%s>": "id|word|text|client|text|text",
    "CONNECT from [%s]:%s to [%s]:%s": "address|port|address|port",
    "NOQUEUE: reject: CONNECT from [%s]:%s: too many connections": "address|port",
    "NOQUEUE: reject: CONNECT from [%s]:%s: all server ports busy": "address|port",
    "reject: connect from [%s]:%s: all screening ports busy": "address|port",
    "%sLISTED [%s]:%s": "=ALLOW|address|port",
    "%sLIST VETO [%s]:%s": "=WHITE|address|port",
    "PASS OLD [%s]:%s": "address|port",
    "PASS %s [%s]:%s": "=NEW|address|port",
    "DNSBL rank %d for [%s]:%s": "number|address|port",
    "PREGREET %d after %s from [%s]:%s: %.100s": "natural|=0.22|address|port|text",
    "DISCONNECT [%s]:%s": "address|port",
    "HANGUP after %s from [%s]:%s in %s": "=0.63|address|port|text",
    "[%s]%s: discarding EHLO keywords: %s": "address|port|text",
    "NOQUEUE: reject: RCPT from [%s]:%s: %.*s; from=<%s>, to=<%s>, proto=%s, helo=<%s>": "address|port|text|word|word|=ESMTP|text",
    "DATA without valid RCPT from [%s]:%s": "address|port",
    "BDAT without valid RCPT from [%s]:%s": "address|port",
    "COMMAND TIME LIMIT from [%s]:%s after %s": "address|port|text",
    "COMMAND LENGTH LIMIT from [%s]:%s after %s": "address|port|text",
    "COMMAND COUNT LIMIT from [%s]:%s after %s": "address|port|text",
    "BARE NEWLINE from [%s]:%s after %s": "address|port|text",
    '[%s]:%s: replacing command "%.100s" with "%.100s"': "address|port|text|text",
    "NON-SMTP COMMAND from [%s]:%s after %s: %.100s %s": "address|port|=EHLO|text|text",
    "COMMAND PIPELINING from [%s]:%s after %.100s: %s": "address|port|=EHLO|text",
    "using backwards-compatible default setting …=no for client [%s]:%s": "address|port",
    "entering STRESS mode with %d connections": "natural",
    "leaving STRESS mode with %d connections": "natural",
    "addr %s listed by domain %s as %s": "address|=dnsbl.example.org|text",
    "%s: client=%s": "id|client",
    "connect from %s": "client",
    "disconnect from %s": "client",
    "disconnect from %s%s": "client|counters",
    "%s: client=%s%s%s%s%s%s%s%s%s%s%s": "id|client|=, sasl_method=|=PLAIN|=, sasl_username=|word|nothing|nothing|nothing|nothing|nothing|nothing",
    "%s: %s: %s from %s: %s;%s": "id|=milter-reject|=END-OF-MESSAGE|client|text|envelope",
    "%s: reject: %s from %s: 421 4.3.0 %s Server local data error": "id|=DATA|client|word",
    "proxy-%s: %s: %s;%s": "=accept|=END-OF-MESSAGE|text|envelope",
    "NOQUEUE: abort: TLS from %s: %s": "client|text",
    "improper command pipelining after %s from %s: %s": "=EHLO|client|text",
    "%s: %s after %s (%lu bytes) from %s": "id|=timeout|=DATA|natural|client",
    "%s: %s after %s from %s": "id|=lost connection|=CONNECT|client",
    "%s: reply filter in: %s": "id|text",
    "Requeued: %d message%s": "natural|=s",
    "Deleted: %d message%s": "natural|=s",
    "Force-expired: %d message%s": "natural|nothing",
    "Placed on hold: %d message%s": "natural|=s",
    "Released from hold: %d message%s": "natural|=s",
    "Renamed to match inode number: %d message%s": "natural|=s",
    "statistics: max cache size %d at %.15s": "natural|stamp",
    "statistics: start interval %.15s": "stamp",
    "statistics: domain lookup hits=%d miss=%d success=%d%%": "natural|natural|natural",
    "statistics: address lookup hits=%d miss=%d success=%d%%": "natural|natural|natural",
    "statistics: max simultaneous domains=%d addresses=%d connection=%d": "natural|natural|natural",
    "cache %s %s cleanup: retained=%d dropped=%d entries": "word|=full|natural|natural",
    "daemon started -- version %s, configuration %s": "word|text",
    "reload -- version %s, configuration %s": "word|text",
    "terminating on signal %d": "natural",
    "CONNECT %s %s": "=from|=[192.0.2.7]:51637",
    "DISCONNECT %s": "=[192.0.2.7]:51637",
    "TLSRPT: status=failure, domain=%s, receiving_mx=%s[%s], failure_type=%s%s%s": "word|=mx.example.net|address|=validation_failure|=, failure_reason=|text",
    "TLSRPT: status=success, domain=%s, receiving_mx=%s[%s]": "word|=mx.example.net|address",
    "%s: enabling PIX workarounds: %s for %s": "id|word|=mx.example.net[192.0.2.7]:25",
    "%s: subject_CN=%s, issuer=%s%s%s%s%s": "function|text|text|=, fingerprint=|=AB:CD|nothing|nothing",
    "Host offered STARTTLS: [%s]": "word",
    "hostname %s does not resolve to address %s: %s": "word|address|error",
    "hostname %s does not resolve to address %s": "word|address",
    "host %s said: %s (in reply to %s)": "client|=550|=RCPT",
    "%s: SASL %.100s authentication failed: %s, sasl_username=%.100s": "client|word|text|text",
    "%s: SASL %s authentication aborted": "client|word",
    "%s: RBL lookup error: %s": "word|error",
    "%s: TXT lookup error: %s": "word|error",
    "%s: address or MX lookup error: %s": "word|error",
    "%s: MX or address lookup error: %s": "word|error",
    "mail for %s is using up %d of %d active queue entries": "word|natural|natural",
}

_PLACE = re.compile(r"%%|%[-+ #0]*(?:\*|[0-9]+)?(?:\.(?:\*|[0-9]+))?(?:hh|h|ll|l|z)?([a-zA-Z])|…")
_GAPS = {
    "statistics:": "connection",
    "using": "example_setting",
    "cannot": "/etc/ssl/certs",
    "reason:": "dnssec_probe",
    "event_loop:": "epoll_wait",
}
_CLIENT_PLACES = re.compile(r"(?:from|to|for|[Hh]ost|announced to|for) $")
_SAYS_ID = {"bounce", "cleanup", "qmgr", "oqmgr", "smtp", "smtpd", "pickup", "postsuper", "global"}
_OF_CLIENT = {"smtpd", "tls", "smtp", "qmqpd", "milter"}


def rows(severities: set[str]) -> Iterator[dict[str, str]]:
    """The formats of these severities, C escapes undone, those that are all value left out."""
    with FORMATS.open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE):
            row["format"] = row["format"].replace('\\"', '"').replace("\\n", "").replace("\\\\", "\\")
            if row["severity"] in severities and row["format"] not in ALL_VALUE:
                yield row


def line(row: dict[str, str], number: int) -> str:
    """The line of one format with the values of one column of VALUES."""
    text = row["format"]
    roles = ROLES[text].split("|") if text in ROLES else None
    out, at, place_number = "", 0, 0
    for place in _PLACE.finditer(text):
        out += text[at : place.start()]
        at = place.end()
        if place[0] == "%%":
            out += "%"
        elif place[0] == "…":
            out += _GAPS[text.split()[0]]
        else:
            role = roles[place_number] if roles else _role(text, place, row)
            place_number += 1
            out += role[1:] if role.startswith("=") else VALUES[role][number]
    return out + text[at:]


def _role(text: str, place: re.Match[str], row: dict[str, str]) -> str:
    """What a place is, by its conversion and the words around it."""
    before, after = text[: place.start()], text[place.end() :]
    kind = place[1]
    if kind == "m":
        return "error"
    if kind in "dui":
        return (
            "natural"
            if kind == "u" or re.search(r"(?:line|uid|pid|signal|status|rate|after|=)[ =]?$|\($", before)
            else "number"
        )
    if kind in "xXp":
        return "natural"
    if kind in "gfeo":
        return "decimal" if kind != "o" else "natural"
    if kind == "c":
        return "letter"
    if not before and after.startswith(": "):
        return "id" if row["severity"] == "info" and row["daemon_dir"] in _SAYS_ID else "function"
    if row["daemon_dir"] in _OF_CLIENT and _CLIENT_PLACES.search(before) and "service" not in before[-9:]:
        return "client"
    if before.endswith(('"', "'", "<")) and after[:1] in ('"', "'", ">"):
        return "text"
    return "text" if not after and before.endswith(": ") else "word"


PREFIX = {"warning": "warning: ", "error": "error: ", "info": "", "fatal": "fatal: "}


@pytest.mark.parametrize("number", range(4), ids=["plausible", "nasty", "sparse", "twisted"])
@pytest.mark.parametrize(
    "severities", [{"info"}, {"warning", "error"}, {"fatal"}], ids=["info", "warning", "fatal"]
)
def test_every_format_is_understood(severities: set[str], number: int) -> None:
    lines = [
        (f"postfix/{daemon}", PREFIX[row["severity"]] + line(row, number), row["format"])
        for row in rows(severities)
        for daemon in DAEMONS.get(row["daemon_dir"], (row["daemon_dir"],))
    ]
    frame = pl.DataFrame(lines, schema=["program", "text", "format"], orient="row").with_columns(
        pid=pl.lit(1)
    )
    split = GRAMMAR.split(frame).with_columns(frame["text"], frame["format"])
    unread = []
    for (daemon, loud), some in split.group_by("daemon", pl.col("severity").is_not_null()):
        mask = pl.Series([True] * some.height)
        for hit in GRAMMAR.matcher(str(daemon), bool(loud)).read(some["body"]):
            mask[hit.rows] = False
        unread += some.filter(mask).select("daemon", "format", "body").rows()
    assert unread == [], unread


# What stands for a place in a reason, by the words before it.
_IN_REASONS = (
    ("host %s", "host mx.example.net[192.0.2.7]"),
    ("server %s", "server mx.example.net[192.0.2.7]"),
    ("with %s", "with mx.example.net[192.0.2.7]"),
    ("connect to %s[%s]:%d", "connect to mx.example.net[192.0.2.7]:25"),
    ("connect to %s[%s]", "connect to mx.example.net[192.0.2.7]"),
    ("said: %s (in reply to %s)", "said: 550 5.1.1 no such user (in reply to RCPT TO command)"),
    ("said: %s", "said: 550 5.1.1 no such user"),
    ("%s service%s", "filter service"),
    ("%lu", "31457280"),
    ("%.0f", "10485760"),
)
_NO_REASON = {"(error report unavailable)": "stands for a reason that was lost"}


def test_every_reason_of_a_delivery_is_understood() -> None:
    texts = set()
    with REASONS.open(encoding="utf-8") as handle:
        for row in csv.DictReader(handle, delimiter="\t", quoting=csv.QUOTE_NONE):
            pieces = [
                piece for piece in row["text"].split(" | ") if not re.fullmatch(r"[245.0-9]+|\\\\n| *", piece)
            ]
            text = max(pieces, key=len).replace('\\"', '"') if pieces else "%s"
            if row["daemon_dir"] != "smtpd" and text not in {"%s", *_NO_REASON}:
                for place, value in _IN_REASONS:
                    text = text.replace(place, value)
                texts.add(re.sub(r"%[a-z]", "example", text))
    assert len(texts) > 70
    read = pl.DataFrame({"text": sorted(texts)})
    assert read.filter(read_reason(read["text"])["reason"].is_null())["text"].to_list() == []
