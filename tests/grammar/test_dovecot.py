"""The Dovecot grammar: prefix, fields of the main lines of 2.2 to 2.4, secrets, and text that imitates a line."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import mailforensics as mf
from mailforensics.grammar.dovecot import GRAMMAR, redact, split


def prefix(text: str, program: str = "dovecot", pid: int | None = None) -> dict[str, Any]:
    frame = pl.DataFrame(
        {"program": [program], "pid": [pid], "text": [text]}, schema_overrides={"pid": pl.Int32}
    )
    return split(frame).row(0, named=True)


def read(text: str) -> dict[str, Any]:
    """Kind and fields of one line, prefix included; fields that say nothing are left out."""
    cut = prefix(text)
    loud = cut["severity"] in ("warning", "error", "fatal", "panic")
    hits = GRAMMAR.matcher(cut["daemon"], loud).read(pl.Series([cut["body"]]))
    found = {"kind": hits[0].shape.kind, **hits[0].fields.row(0, named=True)} if hits else {"kind": None}
    return {key: value for key, value in found.items() if value is not None}


@pytest.mark.parametrize(
    ("text", "daemon", "username", "pid", "session_id", "severity"),
    [
        ("lmtp(anna@example.com)<602><kztSJHp+BGtaAgAAYIgGOA:T2:R2>: x", "lmtp", "anna@example.com", 602, "kztSJHp+BGtaAgAAYIgGOA:T2:R2", None),
        ("lmtp(15025): Info: Connect from 127.0.0.1", "lmtp", None, 15025, None, None),
        ("lmtp(12345, anna@example.com): v2M4MPBsBGuxOgAAg+zDdQ: msgid=<a>: saved mail to INBOX", "lmtp", "anna@example.com", 12345, "v2M4MPBsBGuxOgAAg+zDdQ", None),
        ("lmtp(anna@example.com): Error: 2JP2Br5ApFqQAgAAuWCjbw:2: sieve: x", "lmtp", "anna@example.com", None, "2JP2Br5ApFqQAgAAuWCjbw:2", "error"),
        ("lmtp(anna@example.com): <v2M4MPBsBGuxOgAAg+zDdQ>: x", "lmtp", "anna@example.com", None, "v2M4MPBsBGuxOgAAg+zDdQ", None),
        ("imap(2anna@example.com): x", "imap", "2anna@example.com", None, None, None),
        ("imap(4711)<99><QZJRR/RgoJx/AAAB>: x", "imap", "4711", 99, "QZJRR/RgoJx/AAAB", None),
        ("Info: imap-login: Login: x", "imap-login", None, None, None, None),
        ("imap-login: Info: Login: x", "imap-login", None, None, None, None),
        ("IMAP(anna): Disconnected", "imap", "anna", None, None, None),
        ("master: Warning: Killed with signal 15", "master", None, None, None, "warning"),
        ("imap(anna)<1><s>: Error: x", "imap", "anna", 1, "s", "error"),
        ("auth-worker(24544): pam(anna,192.0.2.1): unknown user", "auth-worker", None, 24544, None, None),
        ("auth(default): pam(anna,192.0.2.1): unknown user", "auth", None, None, None, None),
        ("no service here", "dovecot", None, None, None, None),
    ],
)  # fmt: skip
def test_the_prefix_says_service_user_process_session_and_severity(
    text: str,
    daemon: str,
    username: str | None,
    pid: int | None,
    session_id: str | None,
    severity: str | None,
) -> None:
    cut = prefix(text)
    assert (cut["daemon"], cut["username"], cut["pid"]) == (daemon, username, pid)
    assert (cut["session_id"], cut["severity"]) == (session_id, severity)


def test_the_process_of_syslog_counts_where_the_line_names_none() -> None:
    assert prefix("imap-login: Login: x", pid=77)["pid"] == 77


LOGIN = "user=<anna@example.com>, method=PLAIN, rip=192.0.2.100, lip=198.51.100.10"


@pytest.mark.parametrize("word", ["Login", "Logged in"])
def test_a_login_of_2_3_and_of_2_4(word: str) -> None:
    found = read(f"imap-login: {word}: {LOGIN}, mpid=649, TLS, session=<LKUrvvRgAurAAAJk>")
    assert found == {
        "kind": "dovecot.login", "username": "anna@example.com", "auth_method": "PLAIN", "client_ip": "192.0.2.100",
        "local_ip": "198.51.100.10", "mail_pid": 649, "tls": "TLS", "session_id": "LKUrvvRgAurAAAJk", "partial": False,
    }  # fmt: skip


def test_elements_of_the_site_s_own_are_found_by_their_keys() -> None:
    found = read(
        "imap-login: Login: session=<abc>, rip=192.0.2.1, user=<anna>, TLSv1.3 with cipher X (256/256 bits)"
    )
    assert (found["kind"], found["username"]) == ("dovecot.login", "anna")
    assert (found["client_ip"], found["session_id"]) == ("192.0.2.1", "abc")
    assert found["tls"] == "TLSv1.3 with cipher X (256/256 bits)"


def test_an_ipv4_client_of_an_ipv6_socket_stands_under_its_ipv4_address() -> None:
    assert (
        read("imap-login: Login: user=<a>, rip=::ffff:192.0.2.1, lip=::ffff:192.0.2.2, TLS")["client_ip"]
        == "192.0.2.1"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): {LOGIN}, TLS: Connection closed, session=<JutsufRguNrAAAJk>",
         {"how": "Disconnected", "reason": "Connection closed", "auth_failures": 1, "duration_s": 2.0, "tls": "TLS: Connection closed"}),
        (f"Login aborted: Connection closed (auth failed, 3 attempts in 18 secs) (auth_failed): {LOGIN}, session=<jD5mXvVg/IfAAAJk>",
         {"how": "Login aborted", "auth_failures": 3, "duration_s": 18.0, "event_reason": "auth_failed"}),
        ("Aborted login (tried to use disallowed plaintext auth): user=<>, rip=192.0.2.1, lip=192.0.2.2, session=<x>",
         {"how": "Aborted login", "auth_detail": "tried to use disallowed plaintext auth", "client_ip": "192.0.2.1"}),
        ("Disconnected: Connection closed: read(size=1026) failed: Connection reset by peer (no auth attempts in 0 secs): user=<>, "
         "rip=127.0.0.1, lip=127.0.0.1, secured, session=<Kp/TR/RgJop/AAAB>",
         {"reason": "Connection closed: read(size=1026) failed: Connection reset by peer", "auth_failures": 0, "tls": "secured"}),
        (f"Client has quit the connection (auth failed, 1 attempts in 2 secs): {LOGIN}", {"auth_failures": 1}),
        (f"Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10): {LOGIN}, TLS",
         {"reason": "Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)"}),
        ("Login aborted: Connection closed: SSL_accept() failed: error:0A000416:SSL routines::ssl alert (disconnected during TLS handshake) "
         "(tls_handshake_not_finished): user=<>, rip=192.0.2.1, lip=192.0.2.2, TLS handshaking: SSL_accept() failed: error:0A000416, session=<x>",
         {"event_reason": "tls_handshake_not_finished", "tls": "TLS handshaking: SSL_accept() failed: error:0A000416", "session_id": "x"}),
    ],
)  # fmt: skip
def test_a_failed_login_says_how_and_why(text: str, expected: dict[str, object]) -> None:
    found = read(f"imap-login: {text}")
    assert found["kind"] == "dovecot.login_failed"
    assert {key: found.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("auth: passwd-file(anna@example.com,192.0.2.100,<PNnIufRgnNnAAAJk>): Password mismatch",
         {"passdb": "passwd-file", "username": "anna@example.com", "client_ip": "192.0.2.100", "session_id": "PNnIufRgnNnAAAJk", "reason": "Password mismatch"}),
        ("auth(anna@example.com,192.0.2.100,sasl:plain)<+t8vVvVgAsHAAAJk>: Info: passwd-file: Password mismatch",
         {"passdb": "passwd-file", "username": "anna@example.com", "auth_method": "plain", "session_id": "+t8vVvVgAsHAAAJk"}),
        ("auth(admin@example.com,192.0.2.149,sasl:login): passwd-file: unknown user", {"auth_method": "login", "reason": "unknown user"}),
        ("auth(ghost@example.com): passwd-file: unknown user", {"username": "ghost@example.com", "reason": "unknown user"}),
        ("auth-worker(14877): conn unix:auth-worker (pid=14830,uid=109): auth-worker<5>: pam(anna,192.0.2.7): pam_authenticate() failed: "
         "Authentication failure (Password mismatch?)", {"passdb": "pam", "username": "anna", "client_ip": "192.0.2.7"}),
        ("auth-worker(anna,192.0.2.7)<12><sess>: request [3]: sql: unknown user", {"passdb": "sql", "session_id": "sess"}),
        ("auth: ldap(anna,192.0.2.7): unknown user - trying the next passdb", {"reason": "unknown user"}),
        ("auth: login(?,192.0.2.7): Empty username", {"passdb": "login", "reason": "Empty username"}),
    ],
)  # fmt: skip
def test_who_was_refused_by_which_database(text: str, expected: dict[str, str]) -> None:
    found = read(text)
    assert found["kind"] == "dovecot.auth_failed"
    assert {key: found.get(key) for key in expected} == expected


SECRETS = (
    "auth-worker(10377): sql(bob,192.0.2.1): unknown user (given password: S3cret)Word$)",
    "auth: Info: passwd-file(bob,192.0.2.1,<abc>): Password mismatch (SHA1 of given password: S3cretWord)",
    "auth(bob,192.0.2.1,sasl:plain)<abc>: sql: Password mismatch (given password: S3cret Word)",
    "auth: Debug: client in: AUTH 1 PLAIN service=imap resp=S3cretWord",
    "auth: Debug: client passdb out: OK 1 user=bob pass=S3cretWord",
    "auth: Debug: sql(bob,192.0.2.1): CRYPT(S3cretWord) != '$1$S3cretWord'",
    "auth: Debug: master in: PASS 3 bob password=S3cretWord",
)


@pytest.mark.parametrize("text", SECRETS)
def test_no_password_is_kept_in_the_text_or_in_a_field(text: str) -> None:
    masked = redact(pl.Series([text])).item()
    assert "S3cret" not in masked
    assert "[masked]" in masked
    assert "S3cret" not in str(mf.parse_lines([f"2026-11-23T10:00:00Z mail dovecot: {text}"]))


def test_other_text_is_not_masked() -> None:
    text = "imap-login: Login: user=<pass@example.com>, method=PLAIN, rip=192.0.2.1"
    assert redact(pl.Series([text])).item() == text


ID = "<7c7ad0bf@example.org>"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"msgid={ID}: saved mail to INBOX", {"action": "saved", "mailbox": "INBOX", "source": "lda", "message_id": ID}),
        ("sieve: msgid=<0123456789...: stored mail into mailbox 'INBOX'", {"action": "saved", "message_id": "<0123456789..."}),
        ("Mailbox INBOX: save: uid=1, msgid=<0123456789..., size=1868", {"action": "saved", "message_id": "<0123456789...", "size": 1868}),
        ("msgid=unspecified: saved mail to INBOX", {"action": "saved", "mailbox": "INBOX"}),
        (f"msgid={ID}: save failed to INBOX: Quota exceeded (mailbox for user is full)", {"action": "quota_exceeded", "reason": "Quota exceeded (mailbox for user is full)"}),
        (f"msgid={ID}: save failed to open mailbox Archive: Permission denied", {"action": "save_failed", "mailbox": "Archive", "reason": "Permission denied"}),
        (f"msgid={ID}: rejected: too big", {"action": "sieve_rejected", "reason": "too big"}),
        (f"sieve: msgid={ID}: stored mail into mailbox 'INBOX'", {"action": "saved", "mailbox": "INBOX", "source": "sieve"}),
        (f"sieve: msgid={ID}: stored mail into mailbox 'inbox' (INBOX)", {"action": "saved", "mailbox": "inbox", "virtual_name": "INBOX"}),
        (f"sieve: msgid={ID}: fileinto action: stored mail into mailbox 'Junk'", {"action": "sieve_filed", "mailbox": "Junk"}),
        (f"sieve: msgid={ID}: fileinto action: stored mail into mailbox 'INBOX'", {"action": "sieve_filed", "mailbox": "INBOX"}),
        (f"sieve: msgid={ID}: stored mail into mailbox 'Junk'", {"action": "sieve_filed", "mailbox": "Junk"}),
        (f"sieve: msgid={ID}: redirect action: forwarded to <bea@example.net>", {"action": "sieve_redirected", "target": "bea@example.net"}),
        (f"sieve: msgid={ID}: discard action: Marked message to be discarded if not explicitly delivered (discard action)", {"action": "sieve_discarded"}),
        (f"sieve: msgid={ID}: reject action: rejected message from <alex@example.com> (reject)", {"action": "sieve_rejected", "sender": "alex@example.com", "reason": "reject"}),
        (f"sieve: msgid={ID}: vacation action: sent vacation response to <alex@example.com>", {"action": "vacation_sent", "target": "alex@example.com"}),
        (f"sieve: msgid={ID}: discarded duplicate vacation response to <alex@example.com>", {"action": "duplicate_dropped", "target": "alex@example.com"}),
        (f"sieve: msgid={ID}: discarded duplicate forward to <bea@example.net>", {"action": "duplicate_dropped", "target": "bea@example.net"}),
        (f"sieve: msgid={ID}: failed to store into mailbox 'Archive': Mailbox does not exist", {"action": "save_failed", "mailbox": "Archive", "reason": "Mailbox does not exist"}),
        (f"sieve: msgid={ID}, from=anna@example.com, subject=plan: b, size=24514, vsize=24514: failed to store into mailbox 'INBOX': Quota exceeded (mailbox for user is full)",
         {"action": "quota_exceeded", "mailbox": "INBOX", "message_id": ID}),
        (f"sieve: msgid={ID} size=2345: stored mail into mailbox 'Junk'", {"action": "sieve_filed", "mailbox": "Junk", "message_id": ID}),
        (f"sieve: from=<alex@example.com>, subject=saved mail to x: {ID}: msgid={ID}: stored mail into mailbox 'Junk'",
         {"action": "sieve_filed", "mailbox": "Junk", "message_id": ID}),
        (f"msgid={ID}; delivery_time=12: saved mail to lists/announce", {"action": "saved", "mailbox": "lists/announce", "message_id": ID}),
        (f"save: box=INBOX, uid=1, msgid={ID}, size=3078, vsize=3153, from=amy@example.com, subject=draft, flags=()",
         {"action": "saved", "mailbox": "INBOX", "uid": 1, "size": 3078, "virtual_size": 3153, "header_from": "amy@example.com", "subject": "draft", "flags": ""}),
        (f"save: uid=1, msgid={ID}, size=3078", {"action": "saved", "uid": 1, "size": 3078, "message_id": ID}),
        ("save: box=INBOX, uid=3, msgid=, size=355", {"action": "saved", "uid": 3, "size": 355}),
        ("save: box=INBOX, uid=error, msgid= <folded@example.org>, size=error", {"action": "saved", "message_id": "<folded@example.org>"}),
        (f"Mailbox INBOX: save: uid=1, msgid={ID}, size=3127", {"action": "saved", "mailbox": "INBOX", "uid": 1, "size": 3127, "source": "mail_log"}),
        (f"Mailbox Keep: copy from INBOX: box=Keep, uid=1, msgid={ID}, size=1832, vsize=1884, from=p@partner.test, subject=holiday, flags=(\\Seen)",
         {"action": "copied", "mailbox": "Keep", "origin_mailbox": "INBOX", "uid": 1, "flags": "\\Seen"}),
        (f"copy from INBOX: box=T1, uid=1, msgid={ID}, size=332", {"action": "copied", "mailbox": "T1", "origin_mailbox": "INBOX"}),
        (f"autoexpunge: box=Trash, uid=9, msgid={ID}, size=332", {"action": "expunged", "mailbox": "Trash"}),
        (f"flag_change: box=INBOX, uid=3, msgid={ID}, size=12, flags=(\\Seen $Forwarded)", {"action": "flag_changed", "flags": "\\Seen $Forwarded"}),
        (f"delete: uid=4, msgid={ID}, size=12", {"action": "deleted"}),
        (f"undelete: uid=4, msgid={ID}, size=12", {"action": "undeleted"}),
        ("Mailbox created: Junk", {"action": "mailbox_created", "mailbox": "Junk"}),
        ("Mailbox Junk: Mailbox created", {"action": "mailbox_created", "mailbox": "Junk"}),
        ("Mailbox deleted: Old", {"action": "mailbox_deleted", "mailbox": "Old"}),
        ("Mailbox renamed: Old -> Archive/Old", {"action": "mailbox_renamed", "mailbox": "Old", "target": "Archive/Old"}),
    ],
)  # fmt: skip
def test_what_happened_to_a_message_after_the_hand_over(body: str, expected: dict[str, object]) -> None:
    found = read(f"lmtp(anna@example.com)<602><kztSJHp+BGtaAgAAYIgGOA>: {body}")
    assert found["kind"] == "dovecot.mailbox"
    assert {key: found.get(key) for key in expected} == expected
    assert "message_id" in found or ID not in body


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("imap(a)<1><s>: Disconnected: Logged out in=123 out=7611 deleted=1 expunged=2 trashed=3 hdr_count=4 hdr_bytes=5 body_count=6 body_bytes=7",
         {"close_reason": "Logged out", "bytes_in": 123, "bytes_out": 7611, "deleted": 1, "expunged": 2, "trashed": 3, "header_count": 4, "body_bytes": 7}),
        ("imap(a): Connection closed (UID FETCH finished 0.210 secs ago) in=840 out=91331", {"close_reason": "Connection closed (UID FETCH finished 0.210 secs ago)", "bytes_in": 840}),
        ("imap(a)<1><s>: Disconnected: Logged out rcvd=3 in=12, out=34", {"bytes_in": 12, "bytes_out": 34}),
        ("pop3(a)<1><s>: Disconnected: Logged out top=1/20, retr=4/7031, del=4/6963, size=6963",
         {"top_count": 1, "top_bytes": 20, "retrieved": 4, "retrieved_bytes": 7031, "deleted": 4, "deleted_of": 6963, "mailbox_bytes": 6963}),
        ("pop3(a)<1><s>: Disconnected: Logged out top=0/0, retr=1/2345, del=1/3, size=4567, bytes=121/2601",
         {"retrieved": 1, "retrieved_bytes": 2345, "deleted": 1, "deleted_of": 3, "mailbox_bytes": 4567, "bytes_in": 121, "bytes_out": 2601}),
        ("pop3(a)<1><s>: Logged out retr=1/2345 del=0/3", {"close_reason": "Logged out", "retrieved": 1, "deleted": 0}),
        ("submission(a)<1><s>: Disconnected: Connection closed in=12 out=34", {"bytes_in": 12, "bytes_out": 34}),
        ("managesieve(a)<1><s>: Disconnected: Logged out bytes=145/1089", {"bytes_in": 145, "bytes_out": 1089}),
    ],
)  # fmt: skip
def test_the_end_of_a_session_and_its_counters(text: str, expected: dict[str, object]) -> None:
    found = read(text)
    assert found["kind"] == "dovecot.session_end"
    assert {key: found.get(key) for key in expected} == expected


def test_the_connections_of_lmtp() -> None:
    assert read("lmtp(602): Connect from local")["kind"] == "dovecot.lmtp.connect"
    ended = read("lmtp(602): Disconnect from 2001:db8::1: Logged out (state=MAIL FROM)")
    assert ended["kind"] == "dovecot.lmtp.disconnect"
    assert (ended["client_ip"], ended["close_reason"], ended["state"]) == (
        "2001:db8::1",
        "Logged out",
        "MAIL FROM",
    )


def test_the_submission_service_names_the_reply_with_the_next_queue_id() -> None:
    text = "message: from=<a@example.com>, size=12, id=kztSJHp, nrcpt=2, reply=`250 2.0.0 Ok: queued as 4jYBcn5tsv'"
    found = read(f"submission(a@example.com)<1><s>: Successfully relayed {text}")
    assert (found["kind"], found["action"], found["sender"]) == (
        "dovecot.submission.relayed",
        "sent",
        "a@example.com",
    )
    assert (found["recipient_count"], found["response"]) == (2, "250 2.0.0 Ok: queued as 4jYBcn5tsv")
    failed = read("submission(a)<1><s>: Failed to relay message: from=<>, size=12, nrcpt=1, reply=`550 no'")
    assert (failed["kind"], failed["action"], failed["response"]) == (
        "dovecot.submission.relayed",
        "failed",
        "550 no",
    )


@pytest.mark.parametrize(
    ("text", "jump"),
    [
        ("Time moved forward by 3865.238192 seconds - adjusting timeouts.", 3865.238192),
        ("Time jumped forwards 12.3 seconds", 12.3),
        ("Time just moved backwards by 35 seconds. This might cause a lot of problems", -35.0),
        ("Time moved backwards by 0.5 secs", -0.5),
    ],
)
def test_a_jump_of_the_clock_is_signed(text: str, jump: float) -> None:
    found = read(f"master: Warning: {text}")
    assert (found["kind"], found["jump_s"]) == ("dovecot.server.clock", jump)


def test_an_lmtp_proxy_names_both_sessions() -> None:
    text = (
        "lmtp(12): v2M4MPBsBGuxOgAAg+zDdQ: Sent message to <anna@example.com> at 192.0.2.20:24: 250 2.0.0 <anna@example.com> "
        "KGjvNPBsBGuxOgAAg+zDdQ Saved (1/1 at 23 ms)"
    )
    found = read(text)
    assert prefix(text)["session_id"] == "v2M4MPBsBGuxOgAAg+zDdQ"
    assert (found["kind"], found["action"], found["relay_port"]) == ("dovecot.lmtp.proxied", "sent", 24)
    assert found["response"] == "250 2.0.0 <anna@example.com> KGjvNPBsBGuxOgAAg+zDdQ Saved"
    assert found["delay_s"] == 0.023


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("master: Dovecot v2.4.1-4 (7d8c0e5759) starting up for imap, pop3, lmtp (core dumps disabled)", "dovecot.server.start"),
        ("master: Warning: Killed with signal 15 (by pid=15353 uid=0 code=kill)", "dovecot.server.signal"),
        ("master: Warning: service(imap-login): client_limit (100) reached, client connections are being dropped", "dovecot.server.limit"),
        ("master: Error: service(imap): child 4711 killed with signal 11 (core dumped)", "dovecot.server.child"),
        ("imap(a)<1><s>: Warning: Time jumped forwards 12.345 seconds", "dovecot.server.clock"),
        ("imap(a)<1><s>: Panic: file mail-index.c: line 112 (f): assertion failed: (map != NULL)", "dovecot.server.crash"),
        ("imap-login: Error: SSL: Stacked error: error:14094418:SSL routines:x", "dovecot.tls_error"),
        ("imap-login: Warning: Auth connection closed with 1 pending requests (max 0 secs, pid=13, EOF)", "dovecot.login_error"),
        ("auth: Error: sql(a,192.0.2.1): Password query failed: Unknown column 'x'", "dovecot.auth_error"),
        ("auth-worker(12): Error: mysql(localhost): Connect failed to database (mail): Access denied", "dovecot.dict_error"),
        ("lmtp(12): Error: lmtp-server: conn unix:pid=123,uid=89 [1]: rcpt x@y: Failed to lookup user x@y: Internal error", "dovecot.lmtp.error"),
        ("imap(a)<1><s>: Error: Corrupted index cache file /x: invalid record size", "dovecot.storage_error"),
        ("imap(a)<1><s>: Error: fts_solr: Lookup failed: 500", "dovecot.search_error"),
        ("imap(a)<1><s>: Error: quota: Failed to get quota resource STORAGE", "dovecot.quota_error"),
        ("indexer-worker(a)<1><s>: Indexed 12 messages in INBOX (UIDs 1..12)", "dovecot.indexed"),
        ("dsync-local(a)<s>: Warning: Timeout during state=sync_mails (send=mails recv=recv_last_common)", "dovecot.sync"),
        ("lmtp(a)<1><s>: sieve: Execution of script 'junk/10-junk' failed with unsuccessful implicit keep", "dovecot.sieve_failed"),
        ("imap(a)<1><s>: sieve: left message in mailbox 'INBOX'", "dovecot.sieve_left"),
        ("imap(a)<1><s>: sieve: pipe action: piped message to program 'learn.sh'", "dovecot.sieve_program"),
        ("imap-login: proxy(a): started proxying to 192.0.2.20:143: user=<a>, method=PLAIN, rip=192.0.2.1", "dovecot.proxy.started"),
    ],
)  # fmt: skip
def test_the_rest_is_known_by_its_words(text: str, kind: str) -> None:
    assert read(text)["kind"] == kind


@pytest.mark.parametrize(
    "text",
    [
        "lmtp(anna)<1><s>: mail was saved to INBOX",
        "lmtp(anna)<1><s>: sieve: nothing that is known",
        "imap-login: Somebody came in: user=<anna>",
        "imap(anna)<1><s>: A line of a plugin of the site's own",
        "auth: Hello world",
        "unheard-of: stored mail into mailbox 'INBOX'",
        "dovecot",
    ],
)
def test_a_line_that_is_not_known_is_not_guessed(text: str) -> None:
    assert read(text) == {}


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "lmtp(a)<1><s>: Debug: Module loaded: /usr/lib/dovecot/modules/lib20_fts_plugin.so",
            "dovecot.debug",
        ),
        ("lmtp(a)<1><s>: Debug: sieve: msgid=<a@b>: Execute storing into mailbox 'INBOX'", "dovecot.debug"),
        ("lmtp(a)<1><s>: Debug: sieve: msgid=<a@b>: stored mail into mailbox 'INBOX'", None),
        ("imap-login: Debug: Login: user=<a>, rip=192.0.2.1", None),
    ],
)
def test_a_debug_line_is_never_taken_for_what_it_speaks_of(text: str, kind: str | None) -> None:
    assert read(text).get("kind") == kind


def test_a_number_that_is_none_leaves_the_line_partial() -> None:
    found = read("imap-login: Login: user=<a>, rip=192.0.2.1, lip=192.0.2.2, mpid=99999999999999999999")
    assert found["kind"] == "dovecot.login"
    assert found["partial"]
    assert "mail_pid" not in found


# Text of strangers that imitates the rest of a line: kind and the fields that the server wrote must not change (S16).
LMTP = "lmtp(anna@example.com)<602><kztSJHp+BGtaAgAAYIgGOA>: "
INJECTED: list[tuple[str, str, dict[str, object]]] = [
    (LMTP + "Mailbox INBOX: save: uid=3, msgid=<a b: c>: saved mail to INBOX@x>, size=400", "dovecot.mailbox", {"mailbox": "INBOX", "size": 400, "source": "mail_log"}),
    (LMTP + "save: box=INBOX, uid=3, msgid=<a b: c>: saved mail to INBOX@x>, size=400, from=Alice, subject=x", "dovecot.mailbox", {"mailbox": "INBOX", "source": "mail_log"}),
    (LMTP + "msgid=<a: saved mail to Stolen>: saved mail to INBOX", "dovecot.mailbox", {"mailbox": "INBOX", "message_id": "<a: saved mail to Stolen>"}),
    (LMTP + "sieve: msgid=<a: discard action: Marked message to be discarded>: stored mail into mailbox 'INBOX'", "dovecot.mailbox", {"action": "saved", "mailbox": "INBOX"}),
    (LMTP + "sieve: msgid=<a>: fileinto action: stored mail into mailbox 'Junk'x>: stored mail into mailbox 'INBOX'", "dovecot.mailbox", {"source": "sieve"}),
    (LMTP + "sieve: msgid=<a>, subject=x: forwarded to <y@z>: stored mail into mailbox 'INBOX'", "dovecot.mailbox", {"action": "saved", "mailbox": "INBOX"}),
    (LMTP + "expunge: box=INBOX, uid=3, msgid=<a>, size=4, from=B, subject=Mailbox deleted: INBOX", "dovecot.mailbox", {"action": "expunged", "mailbox": "INBOX"}),
    (LMTP + "expunge: box=INBOX, uid=3, msgid=<a>, size=4, subject=x, flags=(\\Deleted), flags=()", "dovecot.mailbox", {"flags": "", "subject": "x, flags=(\\Deleted)"}),
    (LMTP + "msgid=<a>, from=Bob: rejected: x, subject=hello: saved mail to INBOX", "dovecot.mailbox", {"action": "saved", "mailbox": "INBOX"}),
    ("imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<x>, rip=192.0.2.1, lip=192.0.2.2, session=<a>, method=PLAIN, rip=203.0.113.9, "
     "lip=198.51.100.1, session=<real>", "dovecot.login_failed", {"client_ip": "203.0.113.9", "session_id": "real"}),
    ("imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<x): Logged in: user=<root>, method=PLAIN, rip=203.0.113.9, lip=198.51.100.1",
     "dovecot.login_failed", {"client_ip": "203.0.113.9"}),
    ("auth: passwd-file(x): Password mismatch,203.0.113.9,<sess>): unknown user", "dovecot.auth_failed", {"client_ip": "203.0.113.9", "reason": "unknown user"}),
    ("auth(x): Info: Logged in: user=<root>,203.0.113.9,sasl:plain)<sess>: passwd-file: unknown user", "dovecot.auth_failed", {"client_ip": "203.0.113.9"}),
    ("auth(bob,192.0.2.1,203.0.113.9,sasl:plain)<sess>: passwd-file: unknown user", "dovecot.auth_failed", {"client_ip": "203.0.113.9", "username": "bob,192.0.2.1"}),
    ("auth: passwd-file(bob,192.0.2.1,203.0.113.9,<sess>): unknown user", "dovecot.auth_failed", {"client_ip": "203.0.113.9"}),
    (LMTP + "sieve: msgid=<a>: reject action: rejected message from <x> (reject)@evil.test> (ereject)", "dovecot.mailbox", {"action": "sieve_rejected", "reason": "ereject"}),
    (LMTP + "sieve: msgid=<x>: vacation action: sent vacation response to <a> (x)@evil.test>", "dovecot.mailbox", {"action": "vacation_sent"}),
    ("lmtp(12): v2M4MPBsBGuxOgAAg+zDdQ: Failed to send message to <anna@example.com> at 192.0.2.20:24: 550 Sent message to <x> at h:1: 250 Saved (1/1 at 3 ms)",
     "dovecot.lmtp.proxied", {"action": "failed", "recipient": "anna@example.com"}),
    ("imap(x: stored mail into mailbox 'INBOX')<1><s>: Disconnected: Logged out in=1 out=2", "dovecot.session_end", {"bytes_in": 1}),
    ("imap-login: Login: user=<a>, method=PLAIN, rip=192.0.2.1, lip=192.0.2.2, mpid=1, TLS, session=<Disconnected (auth failed, 9 attempts)>, rip=203.0.113.9",
     "dovecot.login", {"client_ip": "203.0.113.9"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "expected"), INJECTED)
def test_text_of_strangers_changes_neither_kind_nor_what_the_server_wrote(
    text: str, kind: str, expected: dict[str, object]
) -> None:
    found = read(text)
    assert found["kind"] == kind
    assert {key: found.get(key) for key in expected} == expected
