"""The Rspamd grammar: prefix, verdicts of 1.9 to 4, symbols, formats of the site's own, history, and hostile text."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from mailforensics.grammar import shape
from mailforensics.grammar.rspamd import GRAMMAR, split
from mailforensics.grammar.rspamd.history import looks_like_history, read_history
from mailforensics.grammar.rspamd.symbols import symbols

SYMBOLS = "[R_SPF_ALLOW(-0.20){+ip4:192.0.2.0/24;},ARC_NA(0.00){}]"
TAIL = "digest: <2bcf62459046d404225681c9dabcf182>, rcpts: <anna@example.com>, mime_rcpts: <anna@example.com,bob@example.org>"
VERDICT = (
    f"(default: F (no action): [-0.20/15.00] {SYMBOLS}), len: 1290, time: 1481.519ms, dns req: 6, {TAIL}"
)
USUAL = f"id: <a@example.com>, qid: <D50A81995E>, ip: 192.0.2.122, user: amy@example.com, from: <amy@example.com>, {VERDICT}"


def prefix(text: str, severity: str | None = None) -> dict[str, Any]:
    schema = {"program": pl.String, "pid": pl.Int32, "severity": pl.String, "text": pl.String}
    return split(pl.DataFrame([["rspamd", None, severity, text]], schema=schema, orient="row")).row(
        0, named=True
    )


def read(body: str, daemon: str = "proxy") -> dict[str, Any]:
    hits = GRAMMAR.matcher(daemon).read(pl.Series([body]))
    found = {"kind": hits[0].shape.kind, **hits[0].fields.row(0, named=True)} if hits else {"kind": None}
    return {key: value for key, value in found.items() if value is not None}


def task(text: str) -> dict[str, Any]:
    found = read(f"rspamd_task_write_log: {text}")
    assert found["kind"] == "rspamd.task"
    return found


@pytest.mark.parametrize(
    ("text", "daemon", "worker", "pid", "tag", "severity"),
    [
        ("#256(rspamd_proxy) <95137e>; proxy; f: x", "proxy", "rspamd_proxy", 256, "95137e", None),
        ("<95137e>; task; f: x", "task", None, None, "95137e", None),
        ("(rspamd_proxy) <95137e>; proxy; f: x", "proxy", "rspamd_proxy", None, "95137e", None),
        ("[warning] #7(normal) <95137e>; task; f: x", "task", "normal", 7, "95137e", "warning"),
        ("[critical] #7(normal) <95137e>; task; f: x", "task", "normal", 7, "95137e", "error"),
        ("[info] #7(normal) <95137e>; task; f: x", "task", "normal", 7, "95137e", None),
        ("#1001(normal) <a1b2c3>; f: x", "rspamd", "normal", 1001, "a1b2c3", None),
        ("#256(main) f: x", "rspamd", "main", 256, None, None),
        ("<>; map; f: x", "map", None, None, None, None),
        ("#504() <>; ; f: x", "rspamd", None, 504, None, None),
    ],
)  # fmt: skip
def test_the_prefix_says_module_worker_process_tag_and_severity(
    text: str, daemon: str, worker: str | None, pid: int | None, tag: str | None, severity: str | None
) -> None:
    cut = prefix(text)
    assert (cut["daemon"], cut["instance"], cut["pid"], cut["tag"]) == (daemon, worker, pid, tag)
    assert (cut["severity"], cut["body"]) == (severity, "f: x")


def test_the_severity_of_json_lines_counts() -> None:
    assert prefix("#7(normal) <>; task; f: x", "warning")["severity"] == "warning"
    assert prefix("#7(normal) <>; task; f: x", "notice")["severity"] is None


def test_a_verdict_in_the_default_format() -> None:
    found = task(USUAL)
    assert found == {
        "kind": "rspamd.task", "partial": False, "message_id": "<a@example.com>", "queue_id": "D50A81995E", "client_ip": "192.0.2.122",
        "user": "amy@example.com", "sender": "amy@example.com", "flag": "F", "action": "no action", "score": -0.2, "required_score": 15.0,
        "symbols": [{"name": "R_SPF_ALLOW", "score": -0.2, "options": ["+ip4:192.0.2.0/24"]}, {"name": "ARC_NA", "score": 0.0, "options": []}],
        "size": 1290, "scan_time_s": 1.481519, "dns_requests": 6, "digest": "2bcf62459046d404225681c9dabcf182",
        "recipients": ["anna@example.com"], "mime_recipients": ["anna@example.com", "bob@example.org"], "recipients_cut": False,
        "is_skipped": False, "is_spam": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id: <undef>, (default: F (no action): [0.00/15.00] []), len: 0, time: 0.385ms, dns req: 0, digest: <undef>",
         {"message_id": None, "digest": None, "symbols": [], "score": 0.0, "recipients": None, "recipients_cut": None}),
        (USUAL.replace("from: <amy@example.com>, ", ""), {"sender": None, "user": "amy@example.com"}),
        (USUAL.replace("ip: 192.0.2.122", "ip: 2001:db8::7"), {"client_ip": "2001:db8::7"}),
        (USUAL.replace("amy@", "jürgen@"), {"sender": "jürgen@example.com", "user": "jürgen@example.com"}),
        (USUAL.replace("bob@example.org>", "bob@example.org,...>"), {"mime_recipients": ["anna@example.com", "bob@example.org"], "recipients_cut": True}),
        (USUAL.replace("F (no action)", "T (greylist)"), {"flag": "T", "action": "greylist", "is_spam": False}),
        (USUAL.replace("F (no action)", "T (add header)"), {"action": "add header", "is_spam": True}),
        (USUAL.replace("F (no action)", "T (our own)"), {"action": "our own", "is_spam": True}),
        (USUAL.replace("F (no action)", "S (no action)"), {"is_skipped": True, "is_spam": False}),
        (USUAL.replace("(default: F (no action)", "((no action)"), {"flag": None, "action": "no action"}),
        (USUAL + ", settings_id: outbound", {"settings_id": "outbound"}),
        (USUAL + ", file: /tmp/a.eml", {"file": "/tmp/a.eml"}),  # noqa: S108
        (USUAL + ', forced: reject "Gtube pattern"; score=15.00 (set by GTUBE)',
         {"forced_action": "reject", "forced_text": "Gtube pattern", "forced_score": 15.0, "forced_by": "GTUBE"}),
        (USUAL + ', forced: reject "cut after 128 bytes aaaaaaaaaaa', {"forced_action": "reject", "forced_text": "cut after 128 bytes aaaaaaaaaaa", "forced_by": None}),
        (USUAL + ', forced: soft reject "Try "again" later"; score=nan (set by Unknown lua), settings_id: x',
         {"forced_action": "soft reject", "forced_text": 'Try "again" later', "forced_by": "Unknown lua", "settings_id": "x"}),
        (USUAL.replace("time: 1481.519ms", "time: 345.123ms real, 12.345ms virtual"), {"scan_time_s": 0.345123, "virtual_time_s": 0.012345}),
        (USUAL.replace(", dns req: 6", ""), {"dns_requests": None, "size": 1290}),
        (USUAL.replace(SYMBOLS, "[BAYES_SPAM(5.0),MISSING_MID(1.0)]"),
         {"symbols": [{"name": "BAYES_SPAM", "score": 5.0, "options": None}, {"name": "MISSING_MID", "score": 1.0, "options": None}]}),
    ],
)  # fmt: skip
def test_what_may_stand_or_be_missing_in_a_verdict(text: str, expected: dict[str, object]) -> None:
    found = task(text)
    assert {key: found.get(key) for key in expected} == expected
    assert not found["partial"]


def test_a_score_that_is_not_a_number_is_nan() -> None:
    found = task(USUAL.replace("[-0.20/", "[nan/"))
    assert math.isnan(found["score"])
    assert not found["partial"]


def test_a_verdict_with_numbers_too_great_is_partial() -> None:
    assert task(USUAL.replace("len: 1290", "len: 99999999999999999999999"))["partial"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("qid: <Q1>, id: <a@example.com>, action: add header, [7.40/15.00] [A(2.50){}], from: <amy@example.com>, ip: 192.0.2.1, time: 12.5ms",
         {"queue_id": "Q1", "message_id": "<a@example.com>", "action": "add header", "score": 7.4, "sender": "amy@example.com", "client_ip": "192.0.2.1", "scan_time_s": 0.0125}),
        ("len: 5, (default: F (no action): [1.00/15.00] [A{x;},B{}]), id: <undef>, time: 1.0ms", {"size": 5, "flag": "F", "action": "no action", "message_id": None}),
        (USUAL.replace(", len:", ",  len:") + ", subject: <Offer, qid: <FAKE>", {"queue_id": "D50A81995E", "size": 1290, "subject": "Offer, qid: "}),
        ('[1.2/15.0] [A(1.0),B(2.0)] (reject): ip: 2001:db8::1, qid: Q1, subject: "hi"', {"action": "reject", "score": 1.2, "subject": "hi", "queue_id": "Q1"}),
    ],
)  # fmt: skip
def test_a_format_of_the_site_s_own_is_read_by_key_in_any_order(
    text: str, expected: dict[str, object]
) -> None:
    found = task(text)
    assert {key: found.get(key) for key in expected} == expected
    assert found["symbols"]
    assert not found["partial"]


def test_a_verdict_in_which_nothing_is_found_is_partial() -> None:
    assert task("something else altogether")["partial"]


ODD = (
    USUAL,
    USUAL.replace("192.0.2.122", "2001:db8::7"),
    USUAL.replace(SYMBOLS, "[]"),
    USUAL.replace("id: <a@example.com>", "id: <undef>"),
    USUAL.replace(SYMBOLS, "[SUBJ(1.00){[EXT] (x), {y}]), len: 1, time: 2;},B(0.00){}]"),
    USUAL.replace("<amy@example.com>", '<"x>, (default: F (no action): [0.00/15.00] ["@example.com>'),
    USUAL.replace("<amy@example.com>", '<"a] [b"@example.com>'),
    USUAL + ", settings_id: x",
    USUAL + ", file: a",
    USUAL.replace(", mime_rcpts: <anna@example.com,bob@example.org>", ""),
    "id: <a]), len: > ] [",
    "id: <ü>, ] [ü]), len: ü",
    "id: <",
)


def test_the_fast_reader_never_says_other_than_the_pattern() -> None:
    fast = GRAMMAR.shapes[0]
    slow = dataclasses.replace(fast, reader=None)
    bodies = pl.Series([f"rspamd_task_write_log: {text}" for text in ODD * 50])
    results = [shape.Matcher([one], GRAMMAR.fields).read(bodies)[0] for one in (fast, slow)]
    assert results[0].rows.tolist() == results[1].rows.tolist()
    assert_frame_equal(results[0].fields, results[1].fields)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A(1.00){}", [("A", 1.0, [])]),
        ("A(1.00){x;y;}", [("A", 1.0, ["x", "y"])]),
        ("A(-0.10){text/plain;},B(0.00){}", [("A", -0.1, ["text/plain"]), ("B", 0.0, [])]),
        ("A(1.00){[EXT] hi;},B(2.00){}", [("A", 1.0, ["[EXT] hi"]), ("B", 2.0, [])]),
        ("A(0.00){asn:64500, ipnet:192.0.2.0/24, country:DE;}", [("A", 0.0, ["asn:64500, ipnet:192.0.2.0/24, country:DE"])]),
        ("A(1.00){a},b;c;},B(0.00){}", [("A", 1.0, ["a},b", "c"]), ("B", 0.0, [])]),
        ("A(1.00){(x), {y};...;},B(0.00){}", [("A", 1.0, ["(x), {y}", "..."]), ("B", 0.0, [])]),
        ("A(1.00){;}", [("A", 1.0, [""])]),
        ("A(1.5),B(-3)", [("A", 1.5, None), ("B", -3.0, None)]),
        ("A,B", [("A", None, None), ("B", None, None)]),
        ("A{x;},B{}", [("A", None, ["x"]), ("B", None, [])]),
        ("", []),
    ],
)  # fmt: skip
def test_a_list_of_symbols(text: str, expected: list[tuple[str, float | None, list[str] | None]]) -> None:
    found = symbols(pl.Series([text, None, "Z(1.00){}"])).to_list()
    assert [tuple(one.values()) for one in found[0]] == expected
    assert found[1] is None
    assert found[2][0]["name"] == "Z"


def test_symbols_of_many_lines_keep_their_rows() -> None:
    texts = [f"A({n}.00){{{n};}},B(0.00){{}}" if n % 3 else "" for n in range(1000)]
    found = symbols(pl.Series(texts)).to_list()
    assert [len(one) for one in found] == [2 if n % 3 else 0 for n in range(1000)]
    assert all(one[0]["options"] == [str(n)] for n, one in enumerate(found) if n % 3)


@pytest.mark.parametrize(
    ("body", "daemon", "expected"),
    [
        ("rspamd_message_parse: loaded message; id: <a@example.com>; queue-id: <5D0E71C0F3>; size: 429; checksum: <b976308de938a029d9cb229106060680>",
         "proxy", {"kind": "rspamd.message", "message_id": "<a@example.com>", "queue_id": "5D0E71C0F3", "size": 429}),
        ("proxy_accept_socket: accepted milter connection from 127.0.0.1 port 46316", "proxy", {"kind": "rspamd.connection", "client_ip": "127.0.0.1", "client_port": 46316}),
        ("rspamd_worker_body_handler: accepted connection from 127.0.0.1 port 49702, task ptr: 00007F2D5A3B14A0", "task", {"kind": "rspamd.connection", "client_port": 49702}),
        ("rspamd_milter_process_command: got connection from 198.51.100.210:39739", "milter", {"kind": "rspamd.milter_client", "client_ip": "198.51.100.210", "client_port": 39739}),
        ("rspamd_milter_process_command: got connection from 2001:db8::7:39739", "milter", {"kind": "rspamd.milter_client", "client_ip": "2001:db8::7"}),
        ("proxy_milter_finish_handler: finished milter connection", "proxy", {"kind": "rspamd.connection_end"}),
        ("rspamd_controller_learn_fin_task: <127.0.0.1> learned message as spam: a@example.com", "csession", {"kind": "rspamd.learned", "learned_as": "spam", "message_id": "<a@example.com>"}),
        ('greylist.lua:433: greylisted until "Mon, 23 Nov 2026 18:02:49 GMT", new record', "lua", {"kind": "rspamd.greylist", "until": "Mon, 23 Nov 2026 18:02:49 GMT"}),
        ("rspamd_map_add: added map https://example.com/list", "map", {"kind": "rspamd.map", "function": "rspamd_map_add"}),
        ("rspamd_url_init: initialized 6 url match suffixes", "rspamd", {"kind": "rspamd.server", "function": "rspamd_url_init"}),
        ("multimap.lua:1246: added map", "lua", {"kind": "rspamd.check", "function": "multimap.lua:1246"}),
        ("rspamd_log_reset_repeated: Last message repeated 12 times", "rspamd", {"kind": "rspamd.repeated", "count": 12}),
    ],
)  # fmt: skip
def test_the_other_lines_by_module(body: str, daemon: str, expected: dict[str, object]) -> None:
    found = read(body, daemon)
    assert {key: found.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    ("body", "daemon"),
    [("rspamd_map_add: x", "unheard_of"), ("no function", "map"), (": x", "map"), ("a b: c", "cfg")],
)
def test_a_line_of_an_unknown_module_or_without_a_function_is_not_guessed(body: str, daemon: str) -> None:
    assert read(body, daemon) == {}


FORGED = "(default: F (no action): [0.00/15.00] []), len: 1, time: 1.0ms, dns req: 1, digest: <aa>"
REAL = f"(default: T (reject): [16.00/15.00] [BAD(16.00){{}}]), len: 77, time: 3.0ms, dns req: 2, digest: <{'0' * 32}>"
INJECTED = (
    f'id: <a@example.com>, from: <"x>, {FORGED}"@example.com>, {REAL}',
    f'id: <a@example.com>, from: <"x>, (default: F (no action): [0.00/15.00] ["@example.com>, {REAL}',
    f'id: <a@example.com>, from: <"q\\">, {FORGED}"@example.com>, {REAL}',
    f"id: <a@example.com>, from: <b@example.com>, {REAL.replace('BAD(16.00){}', 'BAD(16.00){]), len: 1, time: 1.0ms, dns req: 1;}')}",
    f"id: <a@example.com>, from: <b@example.com>, {REAL.replace('BAD(16.00){}', f'BAD(16.00){{{FORGED};}}')}",
    f"id: <a@example.com>, from: <b@example.com>, {REAL}, rcpts: <c@example.com>, mime_rcpts: <(default: F (no action): [0/1] [])@example.com>",
    f"id: <(default:F(noaction):[0.00/15.00][]),len:1>, from: <b@example.com>, {REAL}",
    f"id: <a, qid: FAKE>, qid: <REAL>, from: <b@example.com>, {REAL}",
    f'id: <a@example.com>, from: <b@example.com>, {REAL}, rcpts: <c@example.com>, forced: reject "x"; score=1.00 (set by A)"; score=nan (set by RULE)',
)


@pytest.mark.parametrize("text", INJECTED)
def test_text_of_strangers_changes_no_verdict(text: str) -> None:
    found = task(text)
    assert (found["action"], found["score"], found["flag"], found["size"]) == ("reject", 16.0, "T", 77)
    assert found.get("queue_id") in (None, "REAL")
    assert found.get("forced_by") in (None, "RULE")


def test_the_history_of_the_web_interface() -> None:
    text = (
        '[{"unix_time": 1795452060, "id": "m1@example.net", "ip": "2001:db8::7", "action": "no action", "score": 0.9, "required_score": 15.0, '
        '"symbols": {"ARC_NA": {"score": 0.0}}, "size": 398, "scan_time": 0.201838, "user": "bob", "from": "2001:db8::7"}]'
    )
    assert looks_like_history(text)
    row = read_history(text.encode()).row(0, named=True)
    assert (row["message_id"], row["client_ip"], row["user"], row["size"]) == (
        "<m1@example.net>",
        "2001:db8::7",
        "bob",
        398,
    )
    assert row["sender"] is None  # the client's address stands in its place
    assert row["symbols"] == [
        {"name": "ARC_NA", "score": None, "options": None}
    ]  # 0.0 is what is written for every score
    assert (row["is_spam"], row["parse_status"], row["time"].year) == (False, "ok", 2026)


def test_rows_of_history_redis() -> None:
    text = (
        '{"version": 2, "rows": [{"unix_time": 1795452060, "message-id": "<m2@example.net>", "sender_smtp": "a@example.net", "rcpt_smtp": ["b@example.org"], '
        '"subject": "Hi", "action": "reject", "score": 16, "time_real": 0.5, "is_skipped": false, "symbols": {"BAD": {"metric_score": 16, "score": 8, "options": ["x"]}}}]}'
    )
    row = read_history(text).row(0, named=True)
    assert (row["message_id"], row["sender"], row["recipients"], row["subject"]) == (
        "<m2@example.net>",
        "a@example.net",
        ["b@example.org"],
        "Hi",
    )
    assert row["symbols"] == [{"name": "BAD", "score": 16.0, "options": ["x"]}]
    assert (row["scan_time_s"], row["is_spam"], row["is_skipped"]) == (0.5, True, False)


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        ("", []), ("[]", []), ("null", ["unparsed"]), ("[1, {}]", ["unparsed", "ok"]), ("[" * 100_000, ["unparsed"]),
        ('{"unix_time": "x", "symbols": [], "rcpt_smtp": "a"}\n{"score": 1e999}\nbroken', ["ok", "ok", "unparsed"]),
        ('[{"id": "\\ud800", "size": 1e300, "unix_time": -5}]', ["ok"]),
    ],
)  # fmt: skip
def test_a_damaged_history_is_rows_that_say_so(text: str, statuses: list[str]) -> None:
    assert read_history(text)["parse_status"].to_list() == statuses
