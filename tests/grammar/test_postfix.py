"""The Postfix grammar: prefix, shapes, reasons, hostile text."""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.grammar import shape
from mailforensics.grammar.postfix import GRAMMAR, reasons
from mailforensics.grammar.postfix.prefix import split
from mailforensics.grammar.usual import Usual
from tests.pace import growth, seconds

FREQUENT = [one for one in GRAMMAR.shapes if not one.rare]


def read(program: str, text: str) -> dict[str, Any]:
    """All that the grammar makes of one line: prefix columns, kind and fields; kind None when it is not understood."""
    frame = GRAMMAR.split(pl.DataFrame({"program": [program], "pid": [1], "text": [text]}))
    prefix = frame.row(0, named=True)
    hits = GRAMMAR.matcher(prefix["daemon"], prefix["severity"] is not None).read(frame["body"])
    fields = hits[0].fields.row(0, named=True) if hits else {}
    return {**prefix, **fields, "kind": hits[0].shape.kind if hits else None}


def some(fields: Mapping[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(fields[name] for name in names)


# ---- the data


def test_anvil_counts_clients_and_since_3_8_networks_of_clients() -> None:
    seen = "statistics: max connection rate 1/60s for (submission:2001:db8:2101::{}) at Mar  4 01:02:00"
    one, many = read("postfix/anvil", seen.format("7")), read("postfix/anvil", seen.format("/84"))
    assert some(one, "service", "client_ip", "client_network") == ("submission", "2001:db8:2101::7", None)
    assert some(many, "service", "client_ip", "client_network") == ("submission", None, "2001:db8:2101::/84")


def test_the_grammar_s_data_is_sound() -> None:
    assert shape.check(GRAMMAR) == []
    assert shape.check(dataclasses.replace(GRAMMAR, shapes=reasons.SHAPES)) == []


def test_every_example_is_read_by_its_own_shape_first() -> None:
    groups: dict[tuple[str, bool], list[shape.Shape]] = defaultdict(list)
    for one in GRAMMAR.shapes:
        groups[one.programs[0] if one.programs[0] != "*" else "smtpd", one.severity == "warning"].append(one)
    strangers = []
    for (daemon, loud), shapes in groups.items():
        hits = GRAMMAR.matcher(daemon, loud).read(pl.Series([one.example for one in shapes]))
        reader = {int(row): hit.shape for hit in hits for row in hit.rows}
        strangers += [(one.example, one.kind) for i, one in enumerate(shapes) if reader.get(i) is not one]
    assert strangers == []


def test_no_example_fits_a_shape_of_another_kind() -> None:
    strangers = []
    for severity in ("info", "warning"):
        ours = [one for one in FREQUENT if one.severity == severity]
        examples = pl.Series([one.example for one in ours])
        for other in GRAMMAR.shapes:
            if other.severity != severity:
                continue
            for i in examples.str.contains(other.regex).arg_true().to_list():
                together = "*" in (*ours[i].programs, *other.programs) or set(ours[i].programs) & set(
                    other.programs
                )
                if ours[i].kind != other.kind and together:
                    strangers.append((ours[i].example, other.kind, other.pattern))
    assert strangers == []


def test_every_reason_is_read_by_its_own_shape_first() -> None:
    read_as = reasons.read_reason(pl.Series([one.example for one in reasons.SHAPES]))
    assert read_as["reason"].to_list() == [one.kind for one in reasons.SHAPES]
    assert read_as["next_form"].to_list() == [one.constants.get("next_form") for one in reasons.SHAPES]


def test_every_line_has_a_meaning_and_every_field_a_sentence() -> None:
    assert [one.kind for one in GRAMMAR.shapes if not one.means.endswith(".")] == []
    assert [name for name, field in GRAMMAR.fields.items() if not field.sentence] == []


# ---- the prefix


@pytest.mark.parametrize(
    ("program", "instance", "daemon"),
    [
        ("postfix/smtpd", "postfix", "smtpd"),
        ("postfix/submission/smtpd", "postfix/submission", "smtpd"),
        ("postfix-out/smtp", "postfix-out", "smtp"),
        ("postfix-mx/content-filter/smtp", "postfix-mx/content-filter", "smtp"),
        ("postfix-192.0.2.10/smtp", "postfix-192.0.2.10", "smtp"),
        ("postfix/postfix-script", "postfix", "postfix-script"),
        ("postfix", "postfix", "postfix"),
        ("mta1/smtpd", "mta1", "smtpd"),
    ],
)
def test_the_last_element_of_the_path_is_the_daemon(program: str, instance: str, daemon: str) -> None:
    assert some(read(program, "x"), "instance", "daemon") == (instance, daemon)
    assert pl.Series([program]).str.contains(rf"\A(?:{GRAMMAR.programs})\z").item()


@pytest.mark.parametrize(
    "program",
    ["cron", "dovecot", "rspamd", "postgrey", "sshd", "opendkim", "/usr/sbin/cron", "smtpd", "postfixadmin"],
)
def test_other_programs_are_not_postfix(program: str) -> None:
    assert not pl.Series([program]).str.contains(rf"\A(?:{GRAMMAR.programs})\z").item()


@pytest.mark.parametrize(
    ("text", "severity", "queue_id", "noqueue", "body"),
    [
        ("3F2A1C0B2: removed", None, "3F2A1C0B2", False, "removed"),
        ("4jYDFF2L8ZzqDd: removed", None, "4jYDFF2L8ZzqDd", False, "removed"),
        ("ED06590130AA1C9D6D862: removed", None, "ED06590130AA1C9D6D862", False, "removed"),
        ("12: removed", None, "12", False, "removed"),
        ("NOQUEUE: client=a[192.0.2.7]", None, None, True, "client=a[192.0.2.7]"),
        (
            "warning: 4jYDFF2L8ZzqDd: write queue file: x",
            "warning",
            "4jYDFF2L8ZzqDd",
            False,
            "write queue file: x",
        ),
        ("fatal: usage: x", "fatal", None, None, "usage: x"),
        ("panic: myfree: x", "panic", None, None, "myfree: x"),
        ("connect from a[192.0.2.7]", None, None, None, "connect from a[192.0.2.7]"),
        ("statistics: max cache size 4", None, None, None, "statistics: max cache size 4"),
        ("Deleted: 7 messages", None, None, None, "Deleted: 7 messages"),
        ("warning: 192.0.2.7: hostname x", "warning", None, None, "192.0.2.7: hostname x"),
        ("bcdfghjklmnpqrst: removed", None, None, None, "bcdfghjklmnpqrst: removed"),
        ("grüße: removed", None, None, None, "grüße: removed"),
        ("", None, None, None, ""),
    ],
)
def test_severity_and_queue_id_are_cut_off(
    text: str, severity: str | None, queue_id: str | None, noqueue: bool | None, body: str
) -> None:
    got = split(pl.DataFrame({"program": ["postfix/smtpd"], "pid": [1], "text": [text]})).row(0, named=True)
    assert some(got, "severity", "queue_id", "noqueue", "body") == (severity, queue_id, noqueue, body)


def test_rows_stay_in_order_when_some_have_a_severity() -> None:
    texts = ["removed", "warning: a: b", "4jYDFF2L8ZzqDd: removed", "fatal: c", "x"]
    got = split(pl.DataFrame({"program": ["postfix/qmgr"] * 5, "pid": range(5), "text": texts}))
    assert got["severity"].to_list() == [None, "warning", None, "fatal", None]
    assert got["body"].to_list() == ["removed", "a: b", "removed", "c", "x"]
    assert got["pid"].to_list() == [0, 1, 2, 3, 4]


def test_a_null_text_is_a_row_without_a_body() -> None:
    got = split(
        pl.DataFrame(
            {"program": ["postfix/qmgr", None], "pid": [1, 2], "text": [None, "removed"]},
            schema_overrides={"text": pl.String},
        )
    )
    assert got["body"].to_list() == [None, "removed"]
    assert got["daemon"].to_list() == ["qmgr", None]


# ---- the changes from release to release


@pytest.mark.parametrize(
    ("program", "text", "kind", "fields"),
    [
        ("postfix/smtp", "4B: to=<b@example.net>, relay=mx[192.0.2.7]:25, delay=2, status=sent (250 ok)", "postfix.delivery", {"delay_s": 2.0, "dsn": None}),  # 2.0
        ("postfix/smtp", "4B: to=<b@example.net>, relay=mx[192.0.2.7]:25, conn_use=2, delay=2.5, delays=1/0/1/0.5, dsn=2.0.0, status=sent (250 ok)", "postfix.delivery", {"connection_reuse": 2, "delay_connect_s": 1.0, "dsn": "2.0.0"}),  # 2.3
        ("postfix/smtpd", "4B: client=localhost[127.0.0.1], orig_queue_id=4C, orig_client=mx.example.net[192.0.2.7]", "postfix.smtpd.client", {"orig_queue_id": "4C", "orig_client": "mx.example.net[192.0.2.7]"}),  # 2.8
        ("postfix/postscreen", "CONNECT from [192.0.2.7]:4711 to [198.51.100.10]:25", "postfix.postscreen.connect", {"client_port": 4711, "local_ip": "198.51.100.10", "local_port": 25}),  # 2.9
        ("postfix/smtpd", "disconnect from mx[192.0.2.7] ehlo=1 rcpt=0/2 commands=1/3", "postfix.smtpd.disconnect", {"commands_tried": 3, "commands_accepted": 1}),  # 3.0
        ("postfix/smtpd", "disconnect from mx[192.0.2.7]", "postfix.smtpd.disconnect", {"commands": None}),
        ("postfix/smtp", "Trusted TLS connection reused to mx[192.0.2.7]:25: TLSv1.3 with cipher A (256/256 bits)", "postfix.tls.established", {"tls_use": "reused", "tls_bits": "256/256"}),  # 3.4
        ("postfix/smtp", '4B: to=<"a, b> c"@example.net>, relay=none, delay=2.5, delays=1/0/1/0.5, dsn=4.0.0, status=deferred (x)', "postfix.delivery", {"recipient": '"a, b> c"@example.net'}),  # 3.5
        ("postfix/qmgr", "4B: from=<a@example.com>, status=force-expired, returned to sender", "postfix.qmgr.expired", {"status": "force-expired"}),  # 3.5
        ("postfix/postscreen", "DENYLISTED [192.0.2.7]:4711", "postfix.postscreen.list", {"reason": "DENYLISTED"}),  # 3.6
        ("postfix/postscreen", "BLACKLISTED [192.0.2.7]:4711", "postfix.postscreen.list", {"reason": "BLACKLISTED"}),
        ("postfix/local", "4B: passing <b@example.org> to transport=lmtp", "postfix.passing", {"transport": "lmtp"}),  # 3.6
        ("postfix/smtpd", "warning: unknown[192.0.2.8]: SASL LOGIN authentication failed: UGFzc3dvcmQ6", "postfix.smtpd.auth_failed", {"error": "UGFzc3dvcmQ6", "sasl_username": None}),
        ("postfix/smtpd", "warning: unknown[192.0.2.8]: SASL LOGIN authentication failed: (reason unavailable), sasl_username=a@example.com", "postfix.smtpd.auth_failed", {"error": "(reason unavailable)", "sasl_username": "a@example.com"}),  # 3.9
        ("postfix/smtpd", "disconnect from mx[192.0.2.7] ehlo=1 quit=1 commands=2 notes=bare_lf", "postfix.smtpd.disconnect", {"notes": "bare_lf", "commands_tried": 2}),  # 3.9
        ("postfix/smtpd", "lost connection after CONNECT from mx[192.0.2.7]", "postfix.smtpd.lost", {"noqueue": None, "stage": "CONNECT"}),
        ("postfix/smtpd", "NOQUEUE: lost connection after CONNECT from mx[192.0.2.7]", "postfix.smtpd.lost", {"noqueue": True, "queue_id": None}),  # 3.10
        ("postfix/smtpd", "9CA811CC1F: timeout after DATA (15 bytes) from mx[192.0.2.7]", "postfix.smtpd.lost", {"queue_id": "9CA811CC1F", "bytes": 15, "reason": "timeout"}),
        ("postfix/cleanup", "9CA811CC1F: removed (canceled)", "postfix.removed", {"removal": "canceled"}),  # 3.10
        ("postfix/cleanup", "9CA811CC1F: removed (discarded)", "postfix.removed", {"removal": "discarded"}),
        ("postfix/qmgr", "9CA811CC1F: removed", "postfix.removed", {"removal": "done"}),
        ("postfix/smtpd", "NOQUEUE: reject: RCPT from h[192.0.2.9]: 553 5.7.1 <a@example.com>: Sender address rejected: not owned by user b; from=<a@example.com> to=<c@example.com> proto=ESMTP helo=<[192.0.2.9]> sasl_method=PLAIN sasl_username=b", "postfix.smtpd.reject", {"sasl_username": "b", "helo": "[192.0.2.9]", "reply_code": 553}),  # 3.10
        ("postfix/cleanup", "4B: milter-hold: END-OF-MESSAGE from h[192.0.2.9]: lab wants quarantine; from=<a@example.com> to=<c@example.com> proto=ESMTP helo=<h>", "postfix.cleanup.milter", {"action": "milter-hold", "text": "lab wants quarantine"}),  # 3.10
        ("postfix/smtp", "TLSRPT: status=failure, domain=badtls.test, receiving_mx=mx.badtls.test[203.0.113.72], failure_type=validation_failure, failure_reason=tls-handshake-failure", "postfix.tls.report", {"failure_type": "validation_failure", "error": "tls-handshake-failure"}),  # 3.10
        ("postfix/smtp", "4B: to=<b@example.net>, relay=none, delay=0.06, delays=0.05/0/0/0, tls=may?/!requiretls:nocertmatch, dsn=5.7.10, status=bounced (Sender requested REQUIRETLS, but x)", "postfix.delivery", {"tls": "may?/!requiretls:nocertmatch", "tls_level": "may", "tls_outcome": "undecided", "requiretls": "unmet", "reason": "requiretls"}),  # 3.11
        ("postfix/bounce", "warning: 4B: sender notification failed to a@example.com: disk full", "postfix.bounce.problem", {"queue_id": "4B", "subject": "notification_failed"}),  # 3.11
        ("postfix/smtpd", "NOQUEUE: reply filter in: 550 5.1.1 x", "postfix.smtpd.reply_filter", {"direction": "in"}),  # 3.11
        ("postfix", "4B: to=<b@example.net>, relay=local, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (delivered to maildir)", "postfix.delivery", {"reason": "to_mailbox"}),  # rsyslog cut the path
    ],
)  # fmt: skip
def test_lines_of_all_releases(program: str, text: str, kind: str, fields: dict[str, Any]) -> None:
    got = read(program, text)
    assert got["kind"] == kind
    assert {name: got[name] for name in fields} == fields


def test_the_counters_of_a_session_are_a_list() -> None:
    got = read("postfix/smtpd", "disconnect from mx[192.0.2.7] ehlo=1 rcpt=0/2 commands=1/3")
    assert got["commands"] == [
        {"command": "ehlo", "accepted": 1, "tried": 1},
        {"command": "rcpt", "accepted": 0, "tried": 2},
    ]


# ---- reasons


@pytest.mark.parametrize(
    ("reason", "fields"),
    [
        ("250 2.0.0 Ok: queued as 4jYDDG6D2Bzn7N", {"remote_queue_id": "4jYDDG6D2Bzn7N", "next_form": "queued_as", "reply_code": 250, "enhanced_code": "2.0.0"}),
        ("250 2.0.0 Ok: 757 bytes queued as 4jYDJh1g5wzvK6", {"remote_queue_id": "4jYDJh1g5wzvK6"}),
        ("250 Ok: queued as 6EAC4719EB", {"remote_queue_id": "6EAC4719EB", "enhanced_code": None}),
        ("250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as 8FB8EA92F9", {"remote_queue_id": "8FB8EA92F9", "next_form": "amavis"}),
        ("250 2.6.0 Ok, id=11912-03, from MTA([127.0.0.1]:10025): 250 Ok: queued as 8FB8EA92F9", {"remote_queue_id": "8FB8EA92F9", "next_form": "amavis"}),
        ("250 2.0.0 <bob@example.org> kztSJHp+BGtaAgAAYIgGOA:T2:R2 Saved", {"remote_session_id": "kztSJHp+BGtaAgAAYIgGOA:T2:R2", "remote_queue_id": None}),
        ("250 OK id=1xVXaW-00000s-18", {"remote_queue_id": "1xVXaW-00000s-18", "next_form": "ok_id"}),
        ("250 Requested mail action okay, completed: id=1MUGyh-1jR7Xy0Abc-00RXyZ", {"remote_queue_id": "1MUGyh-1jR7Xy0Abc-00RXyZ"}),
        ("250 2.0.0 6ANHwq4n000075 Message accepted for delivery", {"remote_queue_id": "6ANHwq4n000075", "next_form": "message_accepted"}),
        ("250 2.6.0 <x@example.com> [InternalId=123456, Hostname=MX01.example.net] Queued mail for delivery", {"remote_queue_id": "123456", "next_form": "internal_id", "remote_name": "MX01.example.net"}),
        ("250 2.0.0 OK  1764000000 a1b2-c3.99 - gsmtp", {"remote_queue_id": "a1b2-c3.99", "next_form": "gsmtp"}),
        ("250 ok 1764000000 qp 12345", {"remote_queue_id": "12345", "next_form": "qmail"}),
        ("250 2.5.0 OK (1A2B3C4D5E6F70)", {"remote_queue_id": "1A2B3C4D5E6F70", "next_form": "ok_in_brackets"}),
        ("forwarded as 4jYDDG6D2Bzn7N", {"remote_queue_id": "4jYDDG6D2Bzn7N", "next_form": "forwarded_as"}),
        ("250 2.0.0 OK", {"remote_queue_id": None, "next_form": None, "reason": "accepted"}),
        ("host mx.example.net[2001:db8::7] said: 550-5.1.1 no such user 550 5.1.1 really (in reply to RCPT TO command)", {"reason": "host_said", "reply_code": 550, "enhanced_code": "5.1.1", "stage": "RCPT", "remote_ip": "2001:db8::7"}),
        ("host mx.example.net[192.0.2.7] said: 511 sorry, no mailbox here (#5.1.1 - chkuser) (in reply to end of DATA command)", {"reply_code": 511, "enhanced_code": None, "stage": "END-OF-DATA"}),
        ("host mx.example.net[private/dovecot-lmtp] said: 550 5.1.1 <x@example.org> User doesn't exist: x (in reply to RCPT TO command)", {"reply_code": 550, "remote_socket": "private/dovecot-lmtp", "remote_ip": None}),
        ("host mx.example.net[192.0.2.7] refused to talk to me: 554-mx.example.net 554 go away", {"reason": "refused_to_talk", "reply_code": 554, "stage": "CONNECT"}),
        ("connect to mx.example.net[192.0.2.7]:25: Connection refused", {"reason": "connect_failed", "remote_port": 25, "error": "Connection refused"}),
        ("connect to mx.example.net[192.0.2.7]: No route to host (port 25)", {"reason": "connect_failed", "error": "No route to host (port 25)"}),
        ("delivery temporarily suspended: lost connection with mx[192.0.2.7] while sending message body", {"reason": "lost_connection", "suspended": True, "stage": "DATA"}),
        ("conversation with mx[192.0.2.7] timed out while receiving the initial server greeting", {"reason": "timed_out", "stage": "CONNECT"}),
        ("Host or domain name not found. Name service error for name=x.test type=MX: Host not found, try again", {"reason": "name_service", "error": "Host not found, try again"}),
        ('unknown user: "bob"', {"reason": "unknown_user"}),
        ("what no server ever said", {"reason": None, "remote_queue_id": None}),
    ],
)  # fmt: skip
def test_a_reason_gives_its_parts(reason: str, fields: dict[str, Any]) -> None:
    got = reasons.read_reason(pl.Series([reason])).row(0, named=True)
    assert {name: got[name] for name in fields} == fields


# ---- damaged and hostile lines

DELIVERY = (
    "4B: to=<{}>, relay=mx.example.net[192.0.2.7]:25, delay=1, delays=0/0/0/1, dsn=5.0.0, status=bounced ({})"
)
REJECT = "NOQUEUE: reject: RCPT from mx.example.net[192.0.2.7]: 554 5.7.1 <{}>: Relay access denied; from=<{}> to=<{}> proto=ESMTP helo=<{}>"


def test_a_line_that_was_cut_off_is_partial() -> None:
    got = read(
        "postfix/smtp", DELIVERY.format("b@example.net", "host mx.example.net[192.0.2.7] said: 550 5.1")[:-2]
    )
    assert some(got, "kind", "status", "partial") == ("postfix.delivery", "bounced", True)


def test_a_number_that_is_none_makes_the_line_partial() -> None:
    got = read("postfix/qmgr", "4B: from=<a@example.com>, size=99999999999999999999, nrcpt=1 (queue active)")
    assert some(got, "kind", "size", "partial") == ("postfix.qmgr.active", None, True)


@pytest.mark.parametrize(
    ("program", "text"),
    [
        ("postfix/qmgr", "4B: removed by hand"),
        ("postfix/qmgr", "4B: removed\n"),
        ("postfix/smtp", "4B: to=<b@example.net>, relay=none, delay=x, delays=0/0/0/0, dsn=4.0.0, status=deferred (x)"),
        ("postfix/smtp", "4B: to=<b@example.net>, status=sent (250 ok)"),
        ("postfix/smtpd", "connect from mx.example.net[192.0.2.7"),
        ("postfix/smtpd", "a connect from mx.example.net[192.0.2.7]"),
        ("postfix/smtpd", "disconnect from mx.example.net[192.0.2.7] and more"),
        ("postfix/cleanup", "4B: message=<a@example.com>"),
        ("postfix/postscreen", "PASS MAYBE [192.0.2.7]:25"),
        ("postfix/smtpd", "warning: whatever this may be"),
        ("postfix/smtpd", "any words at all"),
        ("postfix/unheard-of", "any words at all"),
    ],
)  # fmt: skip
def test_what_no_postfix_writes_is_not_understood(program: str, text: str) -> None:
    assert read(program, text)["kind"] is None


FAKE_DELIVERY = "x>, relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok"
FAKE_ENVELOPE = "x; from=<y@example.com> to=<z@example.com> proto=SMTP helo=<h>"
INJECTED = [
    ("postfix/smtp", DELIVERY.format(f'"{FAKE_DELIVERY}"@example.net', "no"), "postfix.delivery", {"status": "bounced", "recipient": f'"{FAKE_DELIVERY}"@example.net'}),
    ("postfix/smtp", DELIVERY.format("b@example.net", f"host a[192.0.2.7] said: 550 {FAKE_DELIVERY} (in reply to RCPT TO command)"), "postfix.delivery", {"status": "bounced", "recipient": "b@example.net", "partial": True}),
    ("postfix/smtp", DELIVERY.format("b@example.net", "host a[192.0.2.7] said: 550 250 2.0.0 Ok: queued as 4C (in reply to RCPT TO command)"), "postfix.delivery", {"reason": "host_said", "remote_queue_id": None, "reply_code": 550}),
    ("postfix/smtp", DELIVERY.format("b@example.net", "250 2.0.0 <x> status=sent (250 2.0.0 Ok: queued as 4C)"), "postfix.delivery", {"status": "bounced"}),
    ("postfix/qmgr", '4B: from=<"x>, size=1, nrcpt=1 (queue active)"@example.com>, size=2, nrcpt=3 (queue active)', "postfix.qmgr.active", {"size": 2, "recipient_count": 3}),
    ("postfix/qmgr", "4B: from=<x>, status=expired, returned to sender@example.com>, size=2, nrcpt=3 (queue active)", "postfix.qmgr.active", {"size": 2}),
    ("postfix/qmgr", "4B: from=<removed>, size=2, nrcpt=3 (queue active)", "postfix.qmgr.active", {"sender": "removed"}),
    ("postfix/cleanup", "4B: message-id=<a b: c>: saved mail to INBOX@x>", "postfix.cleanup.message_id", {"message_id": "<a b: c>: saved mail to INBOX@x>"}),
    ("postfix/cleanup", "4B: message-id=removed (canceled)", "postfix.cleanup.message_id", {"message_id": "removed (canceled)"}),
    ("postfix/cleanup", "4B: message-id=<x@y>?4C: to=<z>, relay=local, delay=0, status=sent (ok)", "postfix.cleanup.message_id", {"queue_id": "4B"}),
    ("postfix/cleanup", "4B: warning: header Subject: x from evil[192.0.2.1]; from=<a@example.com> from real[192.0.2.7]; from=<b@example.com> to=<c@example.com> proto=ESMTP helo=<h>", "postfix.cleanup.check", {"action": "warning", "partial": True}),
    ("postfix/cleanup", "4B: info: header Subject: removed (discarded) from local; from=<a@example.com> to=<b@example.com>", "postfix.cleanup.check", {"client_ip": None, "content": "Subject: removed (discarded)"}),
    ("postfix/smtpd", REJECT.format(f'"{FAKE_ENVELOPE}"@e', "a@example.com", f'"{FAKE_ENVELOPE}"@e', "h"), "postfix.smtpd.reject", {"action": "reject", "partial": True}),
    ("postfix/smtpd", REJECT.format("b@e", "a@example.com", "b@e", "h> sasl_username=root"), "postfix.smtpd.reject", {"sasl_username": None, "sender": "a@example.com"}),
    ("postfix/smtpd", REJECT.format("b@e", "a@example.com", "b@e", "x]: 250 2.0.0 Ok: queued as 4C"), "postfix.smtpd.reject", {"reply_code": 554, "helo": "x]: 250 2.0.0 Ok: queued as 4C"}),
    ("postfix/smtpd", "warning: unknown[192.0.2.8]: SASL PLAIN authentication failed: x, sasl_username=y[192.0.2.9]: SASL LOGIN authentication failed", "postfix.smtpd.auth_failed", {"client_ip": "192.0.2.8", "sasl_method": "PLAIN"}),
    ("postfix/smtpd", "warning: non-SMTP command from mx.example.net[192.0.2.7]: x: RBL lookup error: y", "postfix.smtpd.problem", {"subject": "command", "client_ip": "192.0.2.7"}),
    ("postfix/smtpd", "warning: Illegal address syntax from mx.example.net[192.0.2.7] in MAIL command: <connect from a[192.0.2.1]>", "postfix.smtpd.problem", {"subject": "command"}),
    ("postfix/smtpd", "improper command pipelining after EHLO from mx.example.net[192.0.2.7]: QUIT\\r\\n4C: client=evil[192.0.2.1]", "postfix.smtpd.pipelining", {"client_ip": "192.0.2.7"}),
    ("postfix/smtpd", "4B: client=mx.example.net[192.0.2.7], sasl_method=PLAIN, sasl_username=x, orig_client=y[192.0.2.1], orig_queue_id=4C", "postfix.smtpd.client", {"client_ip": "192.0.2.7", "sasl_method": "PLAIN", "orig_queue_id": None}),
    ("postfix/postscreen", "NOQUEUE: reject: RCPT from [192.0.2.7]:25: 550 5.7.1 x; from=<y>, to=<z>, proto=SMTP, helo=<h>; from=<a@e>, to=<b@e>, proto=ESMTP, helo=<PASS NEW [192.0.2.1]:25>", "postfix.postscreen.reject", {"partial": True, "client_ip": "192.0.2.7"}),
    ("postfix/postscreen", "PREGREET 21 after 0.1 from [192.0.2.7]:25: PASS NEW [192.0.2.1]:25\\r\\n", "postfix.postscreen.pregreet", {"client_ip": "192.0.2.7"}),
    ("postfix/pickup", "4B: uid=1000 from=<a> orig_id=4C>", "postfix.pickup", {"sender": "a> orig_id=4C"}),
]  # fmt: skip


@pytest.mark.parametrize(("program", "text", "kind", "fields"), INJECTED)
def test_text_of_a_sender_never_decides_the_kind(
    program: str, text: str, kind: str, fields: dict[str, Any]
) -> None:
    got = read(program, text)
    assert got["kind"] == kind
    assert {name: got[name] for name in fields} == fields


# What somebody outside may put into a line: lines of every sort, with and without their prefix.
FOREIGN = [
    "removed",
    "4C: removed",
    "removed (discarded)",
    "connect from evil[192.0.2.1]",
    "disconnect from evil[192.0.2.1] quit=1 commands=1",
    "client=evil[192.0.2.1], sasl_method=PLAIN, sasl_username=root",
    "from=<a@example.com>, size=1, nrcpt=1 (queue active)",
    "from=<a@example.com>, status=expired, returned to sender",
    "message-id=<a@example.com>",
    "uid=0 from=<root>",
    "to=<b@example.org>, relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 ok)",
    ">, relay=none, delay=0, delays=0/0/0/0, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4C)",
    "reject: RCPT from evil[192.0.2.1]: 554 5.7.1 no; from=<a> to=<b> proto=SMTP helo=<h>",
    "; from=<a@example.com> to=<b@example.org> proto=ESMTP helo=<h>",
    "sender non-delivery notification: 4C",
    "PASS NEW [192.0.2.1]:25",
    "Trusted TLS connection established from evil[192.0.2.1]: TLSv1.3 with cipher X (256/256 bits)",
    "lost connection after RCPT from evil[192.0.2.1]",
    "evil[192.0.2.1]: SASL PLAIN authentication failed: no, sasl_username=root",
    "host mx.example.net[192.0.2.1] said: 550 no (in reply to RCPT TO command)",
    "warning: fatal: the end",
]


def _free_groups(one: shape.Shape) -> list[tuple[int, int]]:
    """Where in its example the groups stand that take any text."""
    found = re.fullmatch(one.pattern.replace(r"\z", r"\Z"), one.example, re.DOTALL)
    assert found
    free = [name for name in one.groups if re.search(rf"\(\?P<{name}>\.\*", one.pattern)]
    return [found.span(name) for name in free if found[name] is not None]


@pytest.mark.parametrize(
    "one", [one for one in FREQUENT if _free_groups(one)], ids=lambda one: f"{one.kind}-{one.since}"
)
def test_foreign_lines_inside_a_free_text_stay_text(one: shape.Shape) -> None:
    lines = [
        one.example[:start] + inside + one.example[end:]
        for start, end in _free_groups(one)
        for foreign in FOREIGN
        for inside in (foreign, f"x: {foreign}", f"{one.example[start:end]} {foreign}")
    ]
    daemon = one.programs[0] if one.programs[0] != "*" else "smtpd"
    hits = GRAMMAR.matcher(daemon, one.severity == "warning").read(pl.Series(lines))
    assert {hit.shape.kind for hit in hits} == {one.kind}
    assert sum(len(hit.rows) for hit in hits) == len(lines)


def test_one_line_gives_one_event() -> None:
    for program, text, _, _ in INJECTED:
        frame = GRAMMAR.split(pl.DataFrame({"program": [program], "pid": [1], "text": [text]}))
        loud = frame["severity"].item() is not None
        assert (
            sum(len(hit.rows) for hit in GRAMMAR.matcher(frame["daemon"].item(), loud).read(frame["body"]))
            == 1
        )


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from([one.example for one in FREQUENT]),
    st.text(max_size=40),
    st.integers(0, 200),
    st.sampled_from(["", "warning: ", "4B: "]),
)
def test_any_text_is_read_or_left_but_never_raises(example: str, text: str, at: int, prefix: str) -> None:
    line = prefix + example[:at] + text + example[at:]
    frame = GRAMMAR.split(pl.DataFrame({"program": ["postfix/smtpd"], "pid": [1], "text": [line]}))
    hits = GRAMMAR.matcher("smtpd", frame["severity"].item() is not None).read(frame["body"])
    assert sum(len(hit.rows) for hit in hits) <= 1


@pytest.mark.parametrize(
    "one",
    [one for one in FREQUENT if one.reader and not isinstance(one.reader, Usual)],
    ids=lambda one: one.kind,
)
def test_a_fast_reader_says_what_the_pattern_says(one: shape.Shape) -> None:
    assert one.reader is not None
    start = shape.literal_start(one.pattern)
    bodies = pl.Series([one.example, start, f"{start}<a b>, ü>", f"{start}<>\n"])
    assert one.reader(bodies).equals(bodies.str.extract_groups(one.regex).struct.unnest())


# ---- time


def _hostile(one: shape.Shape, size: int) -> pl.Series:
    """Long lines that look like this shape for as long as they can, and then do not."""
    start = one.example[: len(one.example) // 2]
    fillings = ("a", "<>", '"', "[", ": ", ", ", "; from=<", " status=sent (")
    texts = [start + filling * ((size - len(start)) // len(filling)) for filling in fillings]
    return pl.Series([*texts, one.example * (size // len(one.example)), one.example + " " * size])


def _seconds_a_line(matcher: shape.Matcher, lines: pl.Series) -> float:
    return seconds(lambda: matcher.read(lines), enough=0.02 * len(lines)) / len(lines)


@pytest.mark.parametrize("one", [*FREQUENT, *reasons.SHAPES], ids=lambda one: f"{one.kind}-{one.since}")
def test_no_shape_is_slow_on_hostile_lines(one: shape.Shape) -> None:
    """From 1 kB to 64 kB the time grows by no more than 5 for each of the three quadruplings.

    Taken over all three, since the regex engine changes its method once on the way (both are linear).
    """
    matcher = shape.Matcher([one], GRAMMAR.fields)
    small, large = _hostile(one, 1_000), _hostile(one, 64_000)
    assert _seconds_a_line(matcher, large) < 0.05, "a line of 64 kB took more than 50 ms"
    assert growth(lambda: matcher.read(small), lambda: matcher.read(large), enough=5**3) <= 5**3


def test_the_tables_are_not_slow_on_hostile_lines() -> None:
    tables = [one for one in GRAMMAR.shapes if one.rare]
    matcher = shape.Matcher(tables, GRAMMAR.fields)
    worst = pl.Series([one.example + "x: y " * 13_000 for one in tables[::40]])
    assert _seconds_a_line(matcher, worst) < 0.05
