"""Framings: every form of prefix gives the same event; what fits no form is a row that says so."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import polars as pl
import pytest

import mailforensics as mf
from mailforensics.grammar import syslog
from tests.pace import growth

TEXT = "3F2A1C0B2: removed"
EVENT = {"kind": "postfix.removed", "queue_id": "3F2A1C0B2", "host": "mail", "pid": 22, "daemon": "qmgr"}
TIME = "2026-03-02 09:02:11"

FORMS = {
    "RFC 3164": f"Mar  2 09:02:11 mail postfix/qmgr[22]: {TEXT}",
    "RFC 3164 with PRI": f"<22>Mar  2 09:02:11 mail postfix/qmgr[22]: {TEXT}",
    "RFC 3339": f"2026-03-02T10:02:11.000000+01:00 mail postfix/qmgr[22]: {TEXT}",
    "RFC 3339 with PRI": f"<22>2026-03-02T09:02:11Z mail postfix/qmgr[22]: {TEXT}",
    "journalctl short-iso": f"2026-03-02T10:02:11+0100 mail postfix/qmgr[22]: {TEXT}",
    "RFC 5424": f"<22>1 2026-03-02T09:02:11Z mail postfix/qmgr 22 - - {TEXT}",
    "RFC 5424 with data": f'<22>1 2026-03-02T09:02:11Z mail postfix/qmgr 22 ID [a@1 b="]\\" c"][d@1] {TEXT}',
    "a date with a blank": f"2026-03-02 09:02:11 mail postfix/qmgr[22]: {TEXT}",
    "journald as JSON": json.dumps(
        {"__REALTIME_TIMESTAMP": "1772442131000000", "_HOSTNAME": "mail", "SYSLOG_IDENTIFIER": "postfix/qmgr",
         "SYSLOG_PID": "22", "_PID": "9", "MESSAGE": TEXT}
    ),
    "journald with bytes": json.dumps(
        {"__REALTIME_TIMESTAMP": "1772442131000000", "_HOSTNAME": "mail", "SYSLOG_IDENTIFIER": "postfix/qmgr",
         "_PID": "22", "MESSAGE": list(TEXT.encode())}
    ).replace(", ", ","),
    "Docker around syslog": json.dumps(
        {"log": f"Mar  2 09:02:11 mail postfix/qmgr[22]: {TEXT}\n", "stream": "stdout", "time": "2026-03-02T09:02:12.1Z"}
    ),
    "Kubernetes around syslog": f"2026-03-02T09:02:12.204123456Z stdout F Mar  2 09:02:11 mail postfix/qmgr[22]: {TEXT}",
    "syslogd -v of BSD": f"Mar  2 09:02:11 <mail.info> mail postfix/qmgr[22]: {TEXT}",
    "syslogd -v of BSD in numbers": f"Mar  2 09:02:11 <2.6> mail postfix/qmgr[22]: {TEXT}",
    "Solaris": f"Mar  2 09:02:11 mail postfix/qmgr[22]: [ID 197553 mail.info] {TEXT}",
    "a year behind the day": f"Mar  2 2026 09:02:11 mail postfix/qmgr[22]: {TEXT}",
    "a year behind a bare day, a colon behind the stamp": f"Mar 2 2026 09:02:11: mail postfix/qmgr[22]: {TEXT}",
    "a year in front": f"2026 Mar  2 09:02:11 mail postfix/qmgr[22]: {TEXT}",
    "a weekday in front": f"<22>Mon Mar  2 09:02:11 2026 mail postfix/qmgr[22]: {TEXT}",
    "RFC 3164 with a fraction": f"Mar  2 09:02:11.204 mail postfix/qmgr[22]: {TEXT}",
    "a shipper's members": json.dumps(
        {"@timestamp": "2026-03-02T09:02:11.204Z", "host": {"name": "mail"}, "message": TEXT,
         "process": {"name": "postfix/qmgr", "pid": 22}}
    ),
    "a shipper around syslog": json.dumps(
        {"@timestamp": "2026-03-02T09:05:00Z", "host": {"name": "shipper"}, "message": f"Mar  2 09:02:11 mail postfix/qmgr[22]: {TEXT}"}
    ),
    "another shipper's members": json.dumps(
        {"timestamp": "2026-03-02T10:02:11+01:00", "hostname": "mail", "programname": "postfix/qmgr", "procid": "22", "msg": TEXT}
    ),
    "RFC 5424 without a version": f"<22>2026-03-02T09:02:11Z mail postfix/qmgr 22 - - {TEXT}",
    "RFC 5424 without priority and version": f'2026-03-02T09:02:11Z mail postfix/qmgr 22 ID47 [a@1 b="c"] {TEXT}',
    "facility and severity behind the host": f"Mar  2 09:02:11 mail <mail.info> postfix/qmgr[22]: {TEXT}",
    "busybox": f"Mar  2 09:02:11 mail mail.info postfix/qmgr[22]: {TEXT}",
    "AIX": f"Mar  2 09:02:11 mail mail:info postfix/qmgr[22]: {TEXT}",
    "a severity alone": f"2026-03-02T09:02:11Z mail [info] postfix/qmgr[22]: {TEXT}",
    "facility and severity in front": f"mail.info: Mar  2 09:02:11 mail postfix/qmgr[22]: {TEXT}",
    "a priority behind the stamp": f"Mar  2 09:02:11 <22> mail postfix/qmgr[22]: {TEXT}",
    "a priority at the tag": f"Mar  2 09:02:11 mail <22>postfix/qmgr[22]: {TEXT}",
    "macOS": f"Mar  2 09:02:11 mail postfix/qmgr[22] <Info>: {TEXT}",
    "macOS log show": f"2026-03-02 10:02:11.204000+0100  mail postfix/qmgr[22]: {TEXT}",
    "journalctl short-full": f"Mon 2026-03-02 09:02:11 UTC mail postfix/qmgr[22]: {TEXT}",
    "journalctl short-unix": f"1772442131.204000 mail postfix/qmgr[22]: {TEXT}",
    "a log server's own prefix": f"Mar  2 09:05:00 192.0.2.3 <22>Mar  2 09:02:11 mail postfix/qmgr[22]: {TEXT}",
    "docker compose": f"postfix-mailcow-1  | Mar  2 09:02:11 mail postfix/qmgr[22]: {TEXT}",
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_the_same_event(form: str) -> None:
    [event] = mf.parse_lines([FORMS[form]], year=2026)
    assert {key: event[key] for key in EVENT} == EVENT
    assert str(event["time"]).startswith(TIME)
    assert event["text"] == TEXT


@pytest.mark.parametrize(
    ("stamp", "month"),
    [("Mär  2", 3), ("Mär 02", 3), ("Mrz 02", 3), ("M\\xe4r 02", 3), ("mars 02", 3), ("févr. 02", 2), ("août 02", 8),
     ("Mai  2", 5), ("Okt  2", 10), ("Dez 2", 12), ("ene 02", 1), ("lug 02", 7), ("mrt 02", 3), ("maj 02", 5),
     ("paź 02", 10), ("čec 02", 7), ("мая 02", 5), ("Şub 02", 2), (" 3月 02", 3), ("12月 02", 12), ("MAR 02", 3)],
)  # fmt: skip
def test_months_of_other_languages_are_read_and_kept_as_written(stamp: str, month: int) -> None:
    [event] = mf.parse_lines([f"{stamp} 09:02:11 mail postfix/qmgr[22]: {TEXT}"], year=2026)
    assert {key: event[key] for key in EVENT} == EVENT
    assert str(event["time"]).startswith(f"2026-{month:02}-02 09:02:11")
    assert event["time_original"] == f"{stamp.strip()} 09:02:11"


def test_a_line_that_names_no_host_has_none() -> None:
    for line in (
        "Mar  2 09:02:11 postfix/qmgr[22]: ",
        "Mon Mar  2 09:02:11 2026 mail.info postfix/qmgr[22]: ",
        "Mar  2 09:02:11 <mail.info> postfix/qmgr[22]: ",
    ):
        [event] = mf.parse_lines([line + TEXT], year=2026)
        assert {key: event[key] for key in EVENT} == EVENT | {"host": None}


def test_severity_words_of_the_prefix_are_kept() -> None:
    said = [
        ("Mar  2 09:02:11 mail mail.err sshd[22]: x", "error"), ("Mar  2 09:02:11 mail <mail.warning> sshd[22]: x", "warning"),
        ("Mar  2 09:02:11 <2.3> mail sshd[22]: x", "error"), ("Mar  2 09:02:11 mail <19>sshd[22]: x", "error"),
        ("Mar  2 09:02:11 mail sshd[22] <Notice>: x", "notice"),
    ]  # fmt: skip
    assert [event["severity"] for event in mf.parse_lines([line for line, _ in said])] == [
        word for _, word in said
    ]


@pytest.mark.parametrize(
    "line",
    [
        "Mar  2 09:02:11 mail postfix/smtpd[9]: mail.info postfix/qmgr[22]: 3F2A1C0B2: removed",
        "Mar  2 09:02:11 mail postfix/smtpd[9]: Mar  2 09:02:11 mail postfix/qmgr[22]: 3F2A1C0B2: removed",
        "Mar  2 09:02:11 mail postfix/smtpd[9] <Info>: <22>Mar  2 09:02:11 mail postfix/qmgr[22]: 3F2A1C0B2: removed",
        "Mär  2 09:02:11 mail postfix/smtpd[9]: Mär  2 09:02:11 mail postfix/qmgr[22]: 3F2A1C0B2: removed",
        "<22>2026-03-02T09:02:11Z mail postfix/smtpd 9 - - 2026-03-02T09:02:11Z mail postfix/qmgr 22 - - 3F2A1C0B2: removed",
    ],
)
def test_a_prefix_inside_a_text_makes_no_event(line: str) -> None:
    [event] = mf.parse_lines([line], year=2026)
    assert (event["daemon"], event["kind"]) == ("smtpd", None)


WRAPPERS = {
    "compose": lambda line, _: f"a | {line}",
    "docker": lambda line, _: json.dumps({"log": line, "time": "2026-03-02T09:02:12.1Z"}) if len(line) < 9000 else line,
    "labels": lambda line, _: f"mail.info {line}",
    "relays": lambda line, _: f"Mar  2 09:02:11 relay {line}",
}  # fmt: skip


@pytest.mark.parametrize("kind", WRAPPERS)
def test_a_line_wrapped_ten_thousand_times_is_a_row_and_no_crash(kind: str) -> None:
    line = f"Mar  2 09:02:11 mail postfix/qmgr[22]: {TEXT}"
    for times in range(10_000 if kind != "docker" else 12):
        line = WRAPPERS[kind](line, times)
    assert len(mf.parse_lines([line, FORMS["RFC 3164"]], year=2026)) == 2


@pytest.mark.parametrize(
    "line",
    [
        "Mar  2 20262 09:02:11 mail x: y",
        "Mar  2 2026 mail x: y",
        '{"time": "yesterday", "msg": "x"}',
        "Foo 2 2026 09:02:11 mail x: y",
    ],
)
def test_a_stamp_that_only_looks_like_one_is_not_guessed(line: str) -> None:
    [event] = mf.parse_lines([line])
    assert (event["time"], event["parse_status"]) == (None, "unparsed")


OWN_FILES: dict[str, tuple[str, dict[str, Any]]] = {
    "Dovecot": (
        "Nov 23 16:42:24 lmtp(15025): Info: Connect from 127.0.0.1",
        {"program": "dovecot", "system": "dovecot", "host": None},
    ),
    "Dovecot 2.2 with process and user": (
        "Nov 23 16:42:24 lmtp(602, anna@example.com): Info: v2M4MPBsBGuxOgAAg+zDdQ: msgid=<a@example.com>: saved mail to INBOX",
        {"program": "dovecot", "host": None, "kind": "dovecot.mailbox", "session_id": "v2M4MPBsBGuxOgAAg+zDdQ"},
    ),
    "Dovecot with a date": (
        "2026-11-23 18:15:39 imap-login: Info: Login: user=<bella@example.net>, method=PLAIN, rip=192.0.2.100, "
        "lip=203.0.113.10, mpid=649, TLS, session=<LKUrvvRgAurAAAJk>",
        {"program": "dovecot", "kind": "dovecot.login"},
    ),
    "Rspamd": (
        "2026-11-23 17:57:14 #256(rspamd_proxy) <95137e>; proxy; proxy_accept_socket: accepted milter connection from "
        "127.0.0.1 port 46316",
        {"program": "rspamd", "system": "rspamd", "time_precision": "s"},
    ),
    "Rspamd with fractions": (
        "2026-11-23 17:57:14.12345 #256(rspamd_proxy) <95137e>; proxy; proxy_accept_socket: accepted milter connection "
        "from 127.0.0.1 port 46316",
        {"program": "rspamd", "time_precision": "us"},
    ),
    "Rspamd as JSON": (
        json.dumps({"ts": 1795456771.754655, "pid": 641, "severity": "notice", "worker_type": "normal", "id": "aef239",
                    "module": "proxy", "function": "proxy_accept_socket",
                    "message": "accepted milter connection from 127.0.0.1 port 46316"}),
        {"program": "rspamd", "pid": 641, "time_method": "stated"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", OWN_FILES)
def test_the_servers_own_files_are_known(form: str) -> None:
    line, wanted = OWN_FILES[form]
    [event] = mf.parse_lines([line], year=2026)
    assert {key: event[key] for key in wanted} == wanted
    assert event["parse_status"] == "ok"


def test_forms_may_be_mixed_and_keep_their_order() -> None:
    events = mf.parse_lines([*FORMS.values(), "rubbish", *FORMS.values()], year=2026)
    assert [e["line_number"] for e in events] == list(range(1, 2 * len(FORMS) + 2))
    assert [e["parse_status"] for e in events].count("ok") == 2 * len(FORMS)


def test_a_repeated_message_is_counted_not_expanded() -> None:
    folded = f"Mar  2 09:02:11 mail postfix/qmgr[22]: message repeated 3 times: [ {TEXT}]"
    [event] = mf.parse_lines([folded], year=2026)
    assert (event["kind"], event["repeated"], event["text"]) == ("postfix.removed", 3, TEXT)


@pytest.mark.parametrize(
    "line", ["", "   ", "hello", "Mar 99 09:02:11 mail x: y", "{}", '{"log": 3}', "\x00\x00", "<999>"]
)
def test_what_fits_no_form_is_a_row_that_says_so(line: str) -> None:
    events = mf.parse_lines([FORMS["RFC 3164"], line], year=2026)
    assert len(events) == 2
    assert events[1]["parse_status"] in ("unparsed", "continuation")
    assert events[1]["kind"] is None


@pytest.mark.parametrize(
    "line",
    ["Mar  2 09:02:11 mail kernel: [ 12.3] eth0: link up", "Mar  2 09:02:11 mail CRON[3]: (root) CMD (run-parts)",
     "Mar  2 09:02:11 mail sshd[9]: Failed password for root from 192.0.2.1 port 22 ssh2",
     "Mar  2 09:02:11 mail notpostfix/smtp[1]x: 3F2A1C0B2: removed"],
)  # fmt: skip
def test_other_programs_are_other(line: str) -> None:
    [event] = mf.parse_lines([line], year=2026)
    assert event["system"] == "other" or event["parse_status"] == "unparsed"
    assert event["kind"] is None


@pytest.mark.parametrize(
    ("program", "instance", "daemon"),
    [("postfix/smtpd", "postfix", "smtpd"), ("postfix/submission/smtpd", "postfix/submission", "smtpd"),
     ("postfix-out/smtp", "postfix-out", "smtp"), ("postfix-mx/content-filter/smtp", "postfix-mx/content-filter", "smtp")],
)  # fmt: skip
def test_syslog_names_in_all_their_shapes(program: str, instance: str, daemon: str) -> None:
    [event] = mf.parse_lines(
        [f"Mar  2 09:02:11 mail {program}[22]: connect to x.example.net[192.0.2.1]:25: Connection refused"]
    )
    assert (event["system"], event["instance"], event["daemon"]) == ("postfix", instance, daemon)


@pytest.mark.parametrize(
    ("start", "more"),
    [("Mar  2 09:02:11 ", "a "), ('{"__REALTIME_TIMESTAMP', "x"), ("mail.info: ", "mail.info "), ("Mar  2 09:02:11 mail ", "<22> "),
     ("Mär  2 09:02:11 ", "Mär "), ("Mar  2 09:02:11 relay ", "Mar  2 09:02:11 "), ("<22>2026-03-02T09:02:11Z m p 2 - ", '[a b="c'),
     ("Mon 2026-03-02 09:02:11 UTC ", "mail:"), ("a | ", "b | ")],
)  # fmt: skip
def test_framing_is_linear_in_the_length_of_a_line(start: str, more: str) -> None:
    def framing(length: int) -> Callable[[], object]:
        lines = pl.DataFrame({"line": [(start + more * (length // len(more)))[:length]] * 8})
        return lambda: syslog.frame(lines)

    assert growth(framing(16_000), framing(64_000), enough=8, floor=0.001) <= 8


def test_an_odd_queue_id_is_taken_where_the_rest_is_a_line_of_postfix() -> None:
    [event] = mf.parse_lines(["Mar  2 09:02:11 mail postfix/qmgr[22]: 4cTest145: removed"], year=2026)
    assert (event["kind"], event["queue_id"]) == ("postfix.removed", "4cTest145")
    [other] = mf.parse_lines(["Mar  2 09:02:11 mail postfix/qmgr[22]: hello3: nothing of ours"], year=2026)
    assert (other["parse_status"], other["queue_id"]) == ("unparsed", None)
