"""The neighbours of Postfix: their main lines, their join keys, and text that imitates a line."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import mailforensics as mf
from mailforensics.grammar import grammars

CASES = Path(__file__).parents[3] / "shared" / "cases" / "postfix_logwatch.jsonl"


def read(line: str) -> dict[str, Any]:
    """System, kind, queue id and fields of ``PROGRAM[PID]: TEXT``."""
    event = mf.parse_lines([f"2026-11-23T10:00:00+00:00 mail {line}"])[0]
    fields: Mapping[str, Any] = event["fields"]  # type: ignore[assignment]
    names = ("system", "kind", "parse_status", "queue_id", "message_id")
    return {**fields, **{name: event[name] for name in names}}


def test_a_neighbour_that_logs_under_the_name_of_postfix_is_asked_before_postfix() -> None:
    owners = [
        grammar.system for grammar in grammars() if re.fullmatch(grammar.programs, "postfix/policy-spf")
    ]
    assert owners[0] == "policyd-spf"


Q = "DB74B469E0"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"opendkim[1]: {Q}: DKIM-Signature field added (s=mail, d=example.com)", {"kind": "opendkim.signed", "queue_id": Q, "selector": "mail", "domain": "example.com"}),
        (f"opendkim[1]: {Q}: DKIM verification successful", {"kind": "opendkim.verified", "queue_id": Q, "result": "pass"}),
        (f"opendkim[1]: {Q}: mail.example.net [192.0.2.7] not internal", {"kind": "opendkim.not_signed", "client_ip": "192.0.2.7"}),
        ("opendkim[1]: 4T8Zh133D8zGpCM: no signature data", {"kind": "opendkim.unsigned", "queue_id": "4T8Zh133D8zGpCM"}),
        ("opendkim[1]: (unknown-jobid): no signature data", {"kind": "opendkim.unsigned", "queue_id": None}),
        (f"opendkim[1]: {Q}: bad signature data", {"kind": "opendkim.failed", "result": "fail"}),
        (f"opendkim[1]: {Q}: key retrieval failed (s=s1, d=example.net): 's1._domainkey.example.net' record not found", {"kind": "opendkim.failed", "selector": "s1", "domain": "example.net"}),
        (f"opendkim[1]: {Q}: s=s1 d=example.net a=rsa-sha256 SSL error:04091068:rsa routines", {"kind": "opendkim.failed", "algorithm": "rsa-sha256", "selector": "s1"}),
        (f"opendkim[1]: {Q}: s=20120113 d=example.net SSL", {"kind": "opendkim.looked_at", "selector": "20120113", "result": None}),
        (f'opendkim[1]: {Q}: signature=AbCd domain=example.net selector=s1 result="no signature error"', {"kind": "opendkim.result", "result": "no signature error"}),
        ("opendkim[1]: OpenDKIM Filter v2.11.0 starting (args: -f)", {"kind": "opendkim.server", "version": "2.11.0"}),
        (f"opendmarc[1]: {Q}: example.com fail", {"kind": "opendmarc.result", "domain": "example.com", "result": "fail", "queue_id": Q}),
        (f"opendmarc[1]: {Q}: SPF(mailfrom): example.com pass", {"kind": "opendmarc.spf", "identity": "mailfrom", "result": "pass"}),
        (f"opendmarc[1]: {Q}: rejected by DMARC policy for example.com", {"kind": "opendmarc.applied", "action": "rejected", "domain": "example.com"}),
        (f"opendmarc[1]: {Q}: ignoring Authentication-Results at 2 from mx.example.net", {"kind": "opendmarc.ignored_results", "ordinal": 2, "authserv_id": "mx.example.net"}),
        ("policyd-spf[1]: prepend Received-SPF: Softfail (mailfrom) identity=mailfrom; client-ip=192.0.2.7; helo=mx.example.net; envelope-from=a@example.net; receiver=<UNKNOWN> ",
         {"kind": "policyd-spf.result", "result": "Softfail", "client_ip": "192.0.2.7", "helo": "mx.example.net", "sender": "a@example.net", "identity": "mailfrom"}),
        ("policyd-spf[1]: 550 5.7.23 Message rejected due to: SPF fail - not authorized.", {"kind": "policyd-spf.refused", "reply_code": 550, "enhanced_code": "5.7.23"}),
        ("postfix/policy-spf[1]: SPF pass (Mechanism 'ip4:192.0.2.0/24' matched): Envelope-from: a@example.com", {"system": "policyd-spf", "kind": "policyd-spf.perl", "result": "pass"}),
        ("postgrey[1]: action=greylist, reason=early-retry (213s missing), client_name=mx, client_address=192.0.2.7, sender=a@example.net, recipient=b@example.com",
         {"kind": "postgrey.decision", "action": "greylist", "wait_s": 213.0, "client_ip": "192.0.2.7", "sender": "a@example.net", "recipient": "b@example.com"}),
        (f"postgrey[1]: {Q}: action=pass, reason=triplet found, delay=312, client_name=mx, client_address=192.0.2.7", {"kind": "postgrey.decision", "delay_s": 312.0, "queue_id": Q}),
        ("postfix/postfwd[1]: [STATS] Counters: 213000 seconds uptime, 39 rules", {"kind": "postfwd.note"}),
        ("amavis[1]: (05136-09) Passed CLEAN, [192.0.2.7] [198.51.100.7] <a@example.net> -> <b@example.com>,<c@example.com>, mail_id: 0gehnk-A5kVd, Hits: -, size: 1332, "
         "queued_as: B60132CB20, 152 ms",
         {"kind": "amavis.result", "recipients": ["b@example.com", "c@example.com"], "next_queue_id": "B60132CB20", "scan_time_s": 0.152, "is_spam": False, "queue_id": None}),
        ("amavis[1]: (1-2) Blocked INFECTED (Eicar-Signature) {DiscardedInbound,Quarantined}, [192.0.2.7]:4321 <a@example.net> -> <b@example.com>, quarantine: v/x.gz, "
         f"Queue-ID: {Q}, Message-ID: <m@example.net>, mail_id: Abc, Hits: 12.5, size: 9, 5 ms",
         {"action": "Blocked", "category": "INFECTED", "virus": "Eicar-Signature", "queue_id": Q, "message_id": "<m@example.net>", "score": 12.5, "client_port": 4321}),
        ('amavis[1]: (1-2) Passed SPAMMY {RelayedTaggedInbound}, MYNETS LOCAL [192.0.2.7]:1 [192.0.2.7] <> -> <b@example.com>, Message-ID: <m>, mail_id: A, Hits: 7.1, size: 9, '
         'queued_as: Q1, Subject: "Hi, all", From: <a@example.net>, Tests: [BAYES_99=3.5,HTML=0.001], autolearn=no, 5 ms',
         {"policy_banks": "MYNETS LOCAL", "sender": "", "subject": "Hi, all", "is_spam": True,
          "symbols": [{"name": "BAYES_99", "score": 3.5, "options": None}, {"name": "HTML", "score": 0.001, "options": None}]}),
        ("spamd[1]: spamd: result: Y 21 - BAYES_99,HTML_MESSAGE scantime=3.1,size=1098,user=anna,uid=1,required_score=5.0,raddr=192.0.2.7,mid=<m@example.net>,bayes=1,autolearn=spam",
         {"kind": "spamd.result", "is_spam": True, "score": 21.0, "scan_time_s": 3.1, "size": 1098, "user": "anna", "message_id": "<m@example.net>"}),
        ("spamd[1]: spamd: clean message (-2.0/5.0) for anna:111 in 0.5 seconds, 1098 bytes.", {"kind": "spamd.summary", "score": -2.0, "required_score": 5.0}),
        (f"clamav-milter[1]: Message {Q} from <a@example.net> to <b@example.com> with subject 'x' message-id '<m@example.net>' date 'Mon' infected by Eicar",
         {"kind": "clamav-milter.infected", "queue_id": Q, "virus": "Eicar", "recipients": ["b@example.com"]}),
        (f"pmg-smtp-filter[1]: 4800765FAD1117D3F6F: accept mail to <b@example.com> ({Q}) (rule: default-accept)",
         {"kind": "pmg-smtp-filter.accepted", "scan_id": "4800765FAD1117D3F6F", "next_queue_id": Q, "recipient": "b@example.com", "rule": "default-accept"}),
        ("pmg-smtp-filter[1]: 4800765FAD1117D3F6F: SA score=3/5 time=3.569 bayes=undefined autolearn=no autolearn_force=no hits=AWL(0.323),SPF_FAIL(0.919)",
         {"kind": "pmg-smtp-filter.score", "score": 3.0, "required_score": 5.0, "is_spam": False}),
        ("saslauthd[1]: do_auth         : auth failure: [user=anna] [service=smtp] [realm=example.com] [mech=pam] [reason=PAM auth error]",
         {"kind": "saslauthd.failed", "username": "anna", "service": "smtp", "reason": "PAM auth error"}),
        ("fail2ban.actions[1]: NOTICE [postfix-sasl] Ban 192.0.2.7", {"kind": "fail2ban.ban", "jail": "postfix-sasl", "action": "Ban", "client_ip": "192.0.2.7"}),
    ],
)  # fmt: skip
def test_a_main_line_and_its_join_keys(line: str, expected: dict[str, object]) -> None:
    found = read(line)
    assert found["parse_status"] == "ok"
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.parametrize(
    "line",
    [
        "opendkim[1]: DB74B469E0: something new",
        "opendmarc[1]: DB74B469E0: example.com perhaps",
        "amavis[1]: (1-2) Something Else",
        "spamd[1]: lorem ipsum",
        "postgrey[1]: lorem ipsum",
        "policyd-spf[1]: lorem ipsum",
        "clamav-milter[1]: lorem ipsum",
        "pmg-smtp-filter[1]: lorem ipsum",
    ],
)
def test_a_line_that_is_not_known_is_kept_and_not_guessed(line: str) -> None:
    found = read(line)
    assert (found["kind"], found["parse_status"]) == (None, "unparsed")


@pytest.mark.parametrize(
    "line",
    [
        "cron[1]: DKIM verification successful",
        "sshd[1]: action=pass, reason=x",
        "kernel: result: Y 7 - A scantime=1",
    ],
)
def test_lines_of_other_programs_stay_other(line: str) -> None:
    found = read(line)
    assert (found["system"], found["kind"]) == ("other", None)


AMAVIS = "amavis[1]: (1-2) Passed CLEAN {RelayedInbound}, [192.0.2.7]:1 <%s> -> <%s>, Queue-ID: REA1, Message-ID: %s, mail_id: M, Hits: 1.5, size: 9, queued_as: REA2, 5 ms"
INJECTED: list[tuple[str, dict[str, object]]] = [
    (AMAVIS % ("a", "b", "<x, mail_id: F, Hits: 99>"), {"queue_id": "REA1", "score": 1.5, "next_queue_id": "REA2"}),
    (AMAVIS % ("a", "b", "<x>, Hits: 99, size: 1>"), {"queue_id": "REA1", "next_queue_id": "REA2"}),
    (AMAVIS % ('"a> -> <c>, Queue-ID: FAKE, x: <y"@example.net', "b", "<m>"), {"action": "Passed", "queue_id": "REA1", "next_queue_id": "REA2"}),
    (AMAVIS % ("a", '"b>, queued_as: FAKE, 1 ms, <c"@example.com', "<m>"), {"next_queue_id": "REA2", "scan_time_s": 0.005}),
    (AMAVIS % ("Blocked SPAM {x}, q", "b", "<m>"), {"action": "Passed", "category": "CLEAN"}),
    ("spamd[1]: spamd: result: . 1 - A scantime=0.5,size=10,user=a,mid=<x,size=99,bayes=1>,autolearn=no", {"size": 10, "is_spam": False}),
    ("spamd[1]: spamd: processing message <x> for root:0: identified spam (99/5) for a in 1 seconds, 1 bytes> for anna:1", {"kind": "spamd.begun"}),
    ("postgrey[1]: action=greylist, reason=new, client_name=mx, client_address=192.0.2.7, sender=a, recipient=b, client_address=203.0.113.1", {"client_ip": "192.0.2.7", "action": "greylist"}),
    ("postgrey[1]: action=greylist, reason=new, client_name=mx, client_address=192.0.2.7, sender=action=pass, reason=triplet found, recipient=b", {"action": "greylist", "reason": "new"}),
    ("policyd-spf[1]: prepend Received-SPF: Fail (mailfrom) identity=mailfrom; client-ip=192.0.2.7; helo=Pass; envelope-from=a@x; receiver=y; receiver=b", {"result": "Fail", "client_ip": "192.0.2.7"}),
    ("policyd-spf[1]: prepend Received-SPF: Fail (mailfrom) identity=mailfrom; client-ip=192.0.2.7; helo=550 5.7.23 Message rejected due to: x; envelope-from=; receiver=", {"kind": "policyd-spf.result"}),
    ("clamav-milter[1]: Message DB74B from <a> to <b> with subject 'x' message-id '<m>' date 'd' infected by None' message-id '<m>' date 'd' infected by Eicar",
     {"virus": "Eicar"}),
    ("clamav-milter[1]: Clean message DB74B from <infected by Eicar> to <b> with subject 'infected by Eicar' message-id '<m>' date 'd'", {"kind": "clamav-milter.clean"}),
    ("pmg-smtp-filter[1]: 4800765FAD1117D3F6F: new mail message-id=<4800765FAD1117D3F6F: accept mail to <x> (FAKE1)>#012", {"kind": "pmg-smtp-filter.begun"}),
    ("pmg-smtp-filter[1]: 4800765FAD1117D3F6F: block mail to <a> (FAKE1) (rule: default-accept)> (rule: Block)", {"kind": "pmg-smtp-filter.blocked", "rule": "Block"}),
    ("saslauthd[1]: do_auth         : auth failure: [user=x] [service=a] [realm=b] [mech=c] [reason=d]] [service=smtp] [realm=r] [mech=pam] [reason=PAM auth error]",
     {"kind": "saslauthd.failed", "service": "smtp", "reason": "PAM auth error"}),
    ("opendkim[1]: DB74B469E0: no signing table match for 'DKIM verification successful'", {"kind": "opendkim.not_signed"}),
    ("opendkim[1]: DB74B469E0: message has signatures from example.net (s=a, d=b): DKIM verification successful", {"kind": "opendkim.seen"}),
    ("opendmarc[1]: DB74B469E0: ignoring Authentication-Results at 1 from evil.test pass", {"kind": "opendmarc.ignored_results"}),
    ("opendmarc[1]: DB74B469E0: SPF(mailfrom): rejected by DMARC policy for x pass", {"kind": "opendmarc.spf"}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "expected"), INJECTED)
def test_text_of_strangers_changes_neither_kind_nor_what_the_program_wrote(
    line: str, expected: dict[str, object]
) -> None:
    found = read(line)
    assert {name: found.get(name) for name in expected} == expected


@pytest.mark.skipif(not CASES.exists(), reason="../shared/cases is not here")
def test_every_real_line_of_a_neighbour_is_understood() -> None:
    lines = [json.loads(line)["line"] for line in CASES.read_text(encoding="utf-8").splitlines()]
    lines = [line for line in lines if re.search(r" (?:postgrey|postfix/policy-spf|postfix/postfwd)\[", line)]
    events = mf.parse_lines(lines, timezone="UTC", year=2026)
    assert lines
    assert [line for line, event in zip(lines, events, strict=True) if event["parse_status"] != "ok"] == []
