"""Lines of Postfix's -v and debug_peer_list: understood as what they are, passwords masked, quoted text never taken for more."""

from __future__ import annotations

import base64

import polars as pl
import pytest

import mailforensics as mf
from mailforensics.grammar.postfix.secrets import redact

WORD = "s3cret-of-bob"
PLAIN = base64.b64encode(f"\0bob\0{WORD}".encode()).decode()
ENCODED = base64.b64encode(WORD.encode()).decode()
PEER = "host.example.net[192.0.2.8]"

WITH_SECRETS = (
    ("smtpd", rf"improper command pipelining after AUTH from {PEER}: {PLAIN}\r\n", "postfix.smtpd.pipelining"),
    ("smtpd", rf"improper command pipelining after EHLO from {PEER}: AUTH LOGIN\r\nYm9i\r\n{ENCODED}\r\n", "postfix.smtpd.pipelining"),
    ("smtpd", f"< {PEER}: AUTH PLAIN {PLAIN}", "postfix.verbose.conversation"),
    ("smtpd", f"< {PEER}: auth plain {PLAIN}", "postfix.verbose.conversation"),
    ("smtpd", f"< {PEER}: {ENCODED}", "postfix.verbose.conversation"),
    ("smtp", f"> mx.example.net[192.0.2.7]:587: AUTH PLAIN {PLAIN}", "postfix.verbose.conversation"),
    ("smtpd", f"xsasl_dovecot_server_first: sasl_method PLAIN, init_response {PLAIN}", "postfix.verbose.step"),
    ("smtp", f"smtp_sasl_passwd_lookup: host `mx.example.net' user `bob' pass `{WORD}'", "postfix.verbose.step"),
    ("smtpd", f"cfg_get_str: /etc/postfix/mysql.cf: password = {WORD}", "postfix.verbose.step"),
    ("smtp", f"maps_find: smtp_sasl_password_maps: hash:/etc/postfix/sasl_passwd(0,lock|fold_fix): mx.example.net = bob:{WORD}",
     "postfix.verbose.step"),
    ("postscreen", rf"COMMAND PIPELINING from [192.0.2.8]:4711 after AUTH PLAIN {PLAIN}: {ENCODED}\r\n", "postfix.postscreen.violation"),
    ("postscreen", rf"PREGREET 30 after 0.1 from [192.0.2.8]:4711: EHLO x\r\nAUTH LOGIN\r\nYm9i\r\n{ENCODED}", "postfix.postscreen.pregreet"),
    ("smtpd", f"warning: non-SMTP command from {PEER}: Authorization: Basic {ENCODED}", "postfix.smtpd.problem"),
    ("smtp", f"SASL authentication pass: {WORD}", "postfix.verbose.step"),
    ("smtpd", f'replacing command "AUTH PLAIN {PLAIN}" with "NOOP"', "postfix.smtpd.command_replaced"),
)  # fmt: skip


@pytest.mark.parametrize(("daemon", "text", "kind"), WITH_SECRETS)
def test_no_password_is_kept_and_the_line_is_understood(daemon: str, text: str, kind: str) -> None:
    [event] = mf.parse_lines([f"Mar  2 10:02:11 mx postfix/{daemon}[7]: {text}"])
    assert (event["kind"], event["parse_status"]) == (kind, "ok")
    kept = f"{event['text']} {event['fields']}"
    assert "[masked]" in kept
    assert not any(secret in kept for secret in (WORD, PLAIN, ENCODED))


@pytest.mark.parametrize(
    "text",
    [f"< {PEER}: QUIT", f"< {PEER}: AUTH LOGIN", f"> {PEER}: 250-AUTH PLAIN LOGIN", f"> {PEER}: 334 VXNlcm5hbWU6",
     f"< {PEER}: MAIL FROM:<bob@example.net>", "cfg_get_str: /etc/postfix/mysql.cf: hosts = 192.0.2.1",
     f"improper command pipelining after HELO from {PEER}: MAIL FROM:<x@example.net>", "warning: AUTH command rate limit exceeded: 7 from mx.example.net[192.0.2.7] for service smtpd",
     "connect from [192.0.2.8]"],
)  # fmt: skip
def test_what_is_no_password_stays(text: str) -> None:
    assert redact(pl.Series([text])).item() == text


VERBOSE = (
    "match_hostname: smtpd_client_event_limit_exceptions: host.example.net ~? 127.0.0.0/8", "send attr request = connect",
    "input attribute name: status", "private/anvil: wanted attribute: status", "rewrite_clnt: local: bob -> bob@example.org",
    "vstream_buf_get_ready: fd 9 got 27", "connection established fd 9", "connection closed", "master_notify: status 1",
    ">>> START Recipient address RESTRICTIONS <<<", "generic_checks: name=permit_mynetworks status=0", "rewrite stream disconnect",
    "smtpd_check_addr: addr=bob@example.org", "dict_update: myhostname = mx.example.org", "report connect to all milters",
    "process generation: 1 (1)", "auto_clnt_open: connected to private/anvil",
)  # fmt: skip


@pytest.mark.parametrize("text", VERBOSE)
def test_a_step_is_understood_as_one(text: str) -> None:
    [event] = mf.parse_lines([f"Mar  2 10:02:11 mx postfix/smtpd[7]: {text}"])
    assert str(event["kind"]).startswith("postfix.verbose.")


BY_DAEMON = (
    ("smtp", "trying to connect to mx.example.net[192.0.2.7]:25"), ("smtp", "connecting to mx.example.net port 25"),
    ("smtp", "host name lookup methods: dns"), ("smtp", "server features: 0x101f size 10240000"), ("smtp", "smtp TLS level: may"),
    ("smtp", "Using ESMTP PIPELINING, TCP send buffer size is 87040, PIPELINING buffer size is 4096"), ("smtp", "v6_target=1, v4_target=1"),
    ("cleanup", "initial envelope S anna@example.com"), ("cleanup", "extracted envelope R bob@example.org"), ("cleanup", "cleanup flags = enable_header_body_filter"),
    ("cleanup", "masquerade: a@mx.example.org -> a@example.org"), ("smtpd", "report recipient to all milters (flags=0x1)"), ("smtpd", "receive 2 milters"),
    ("local", "deliver_alias[1]: local bob recip bob@example.org exten lists deliver bob exp_from "), ("local", "unmatched: lists"),
    ("local", "forward delivered=bob@example.org sender=a@example.com recip=c@example.net"), ("local", "sender: 4jYDFF2L8ZzqDd: removed"),
    ("qmgr", "start move queue incoming -> active"), ("qmgr", "wakeup incoming after 0 secs"), ("qmgr", "done deferred queue scan"),
    ("qmgr", "defer site smtp: example.net 4.4.1 connection refused"), ("master", "spawn command /usr/lib/postfix/sbin/smtpd; pid 712"),
    ("smtpd", "time to retire -- exiting"), ("anvil", "master disconnect -- exiting"), ("flush", "site example.net to path example_net"),
    ("anvil", "anvil_remote_connect fd=9 stream=0x55 ident=smtp:192.0.2.8"), ("tlsproxy", "tls_proxy_context_scan ret=18"),
    ("verify", "PUT bob@example.org status=0 probed=0 updated=1772442131 text=delivers to mailbox"), ("showq", "record S anna@example.com"),
    ("trivial-rewrite", "`local' `bob' -> `bob@example.org'"), ("proxymap", "allowlisting hash:/etc/aliases from alias_maps"),
)  # fmt: skip


@pytest.mark.parametrize(("daemon", "text"), BY_DAEMON)
def test_a_step_in_words_of_one_daemon_is_understood(daemon: str, text: str) -> None:
    [event] = mf.parse_lines([f"Mar  2 10:02:11 mx postfix/{daemon}[7]: {text}"])
    assert str(event["kind"]).startswith("postfix.verbose.")
    assert event["queue_id"] is None


@pytest.mark.parametrize(
    "text",
    ["connecting to nothing of ours", "unmatched words", "wakeup", "lost in words", "bob: said something"],
)
def test_words_that_are_no_step_are_not_read_as_one(text: str) -> None:
    [event] = mf.parse_lines([f"Mar  2 10:02:11 mx postfix/pickup[7]: {text}"])
    assert (event["kind"], event["parse_status"]) == (None, "unparsed")


QUOTED = (
    "4jYDFF2L8ZzqDd: removed", "removed", "connect from mx.example.org[192.0.2.1]", "client=mx.example.org[192.0.2.1]",
    "to=<bob@example.org>, relay=none, delay=1, delays=0/0/0/1, dsn=2.0.0, status=sent (250 ok)",
    "4jYDFF2L8ZzqDd: from=<a@example.com>, size=1, nrcpt=1 (queue active)", "warning: 3F2A1C0B2: queue file size limit exceeded",
)  # fmt: skip


@pytest.mark.parametrize("quoted", QUOTED)
@pytest.mark.parametrize(
    "before",
    [
        f"< {PEER}: ",
        f"> {PEER}: ",
        "smtpd_check_addr: addr=",
        "input attribute value: ",
        "rewrite_clnt: local: ",
    ],
)
def test_what_a_verbose_line_quotes_is_never_an_event_of_its_own(before: str, quoted: str) -> None:
    [event] = mf.parse_lines([f"Mar  2 10:02:11 mx postfix/smtpd[7]: {before}{quoted}"])
    assert str(event["kind"]).startswith("postfix.verbose.")
    assert (event["queue_id"], event["severity"]) == (None, None)
