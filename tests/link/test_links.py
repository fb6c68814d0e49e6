"""Lives and links: ids that come back, strangers' ids, hostile Message-IDs, duplicates."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import mailforensics as mf

SHARED = Path(__file__).parents[2].parent / "shared"


def case(tmp_path: Path, **logs: str) -> mf.Case:
    for name, text in logs.items():
        (tmp_path / f"{name}.log").write_text(text, encoding="utf-8")
    return mf.open_case(tmp_path, year=2026)


def stamp(second: int) -> str:
    return f"2026-03-02T10:{second // 60:02d}:{second % 60:02d}.000000+01:00"


def mail(
    host: str,
    at: int,
    qid: str,
    mid: str,
    to: str,
    end: str,
    sender: str = "alex@example.com",
    relay: str = "mx.example.org[203.0.113.10]:25",
) -> str:
    return "".join(
        f"{stamp(at + i)} {host} postfix/{text}\n"
        for i, text in enumerate(
            [f"smtpd[7]: {qid}: client=c.example.net[192.0.2.7]", f"cleanup[8]: {qid}: message-id={mid}",
             f"qmgr[9]: {qid}: from=<{sender}>, size=100, nrcpt=1 (queue active)",
             f"smtp[5]: {qid}: to=<{to}>, relay={relay}, delay=1, delays=1/0/0/0, dsn=2.0.0, status={end}",
             f"qmgr[9]: {qid}: removed"]
        )
    )  # fmt: skip


def fates(found: mf.Case) -> list[tuple[str, list[tuple[str, str]]]]:
    return [
        (j["message_id"], [(o["recipient"], o["outcome"]) for o in j["outcomes"]])
        for j in found.table("journeys").to_pylist()
    ]


SENT = "sent (250 2.0.0 Ok: queued as {})"


def test_a_queue_id_that_comes_back_is_another_message(tmp_path: Path) -> None:
    log = mail("a", 0, "3F2A1C0B2", "<one@x>", "b@example.org", SENT.format("X1")) + mail(
        "a", 60, "3F2A1C0B2", "<two@x>", "c@example.org", "bounced (host mx[203.0.113.10] said: 550 5.1.1 no (in reply to RCPT TO command))"
    )  # fmt: skip
    messages = case(tmp_path, a=log).table("messages").to_pylist()
    assert [(m["message_id"], m["status"], m["complete"]) for m in messages] == [
        ("<one@x>", "delivered", True), ("<two@x>", "bounced", True),
    ]  # fmt: skip


def test_lines_just_after_the_end_belong_to_the_life_that_ended(tmp_path: Path) -> None:
    log = mail("a", 0, "3F2A1C0B2", "<one@x>", "b@example.org", SENT.format("X1"))
    late = f"{stamp(5)} a postfix/smtp[5]: 3F2A1C0B2: to=<c@example.org>, relay=mx[203.0.113.10]:25, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 ok)\n"
    assert case(tmp_path, a=log + late).table("messages").num_rows == 1


def test_a_log_that_begins_in_the_middle_is_not_complete(tmp_path: Path) -> None:
    log = mail("a", 0, "3F2A1C0B2", "<one@x>", "b@example.org", SENT.format("X1")).split("\n", 2)[2]
    [message] = case(tmp_path, a=log).table("messages").to_pylist()
    assert message["complete"] is False
    assert message["status"] == "delivered"


def test_two_hosts_with_the_same_queue_id_are_two_messages(tmp_path: Path) -> None:
    logs = {h: mail(h, 0, "3F2A1C0B2", f"<{h}@x>", "b@example.org", SENT.format("X1")) for h in ("a", "b")}
    assert case(tmp_path, **logs).table("messages").num_rows == 2


def test_queued_as_joins_two_hosts(tmp_path: Path) -> None:
    a = mail("a", 0, "3F2A1C0B2", "<one@x>", "b@example.org", SENT.format("4jYBcn5tsvz1"))
    b = mail("b", 1, "4jYBcn5tsvz1", "<one@x>", "b@example.org", SENT.format("Z9"))
    found = case(tmp_path, a=a, b=b)
    [journey] = found.table("journeys").to_pylist()
    assert [(link["method"], link["confidence"]) for link in journey["links"]] == [("queued_as", 1.0)]


def test_a_strangers_queue_id_that_equals_one_of_ours_joins_nothing(tmp_path: Path) -> None:
    a = mail("a", 0, "3F2A1C0B2", "<one@x>", "b@example.org", SENT.format("4jYBcn5tsvz1"))
    b = mail(
        "b", 2, "4jYBcn5tsvz1", "<other@x>", "c@example.org", SENT.format("Z9"), sender="eve@example.net"
    )
    assert case(tmp_path, a=a, b=b).table("journeys").num_rows == 2


def test_a_duplicate_message_id_sent_twice_is_two_mails_with_fates_of_their_own(tmp_path: Path) -> None:
    a = mail("a", 0, "3F2A1C0B2", "<dup@x>", "b@example.org", SENT.format("4jYBcn5tsvz1")) + mail(
        "a", 20, "3F2A1C0B3", "<dup@x>", "b@example.org", SENT.format("4jYBcn5tsvz2"))  # fmt: skip
    b = mail("b", 1, "4jYBcn5tsvz1", "<dup@x>", "b@example.org", SENT.format("Z8")) + mail(
        "b", 21, "4jYBcn5tsvz2", "<dup@x>", "b@example.org", "bounced (no)")  # fmt: skip
    assert sorted(fate for _, ends in fates(case(tmp_path, a=a, b=b)) for _, fate in ends) == [
        "bounced",
        "handed_to_remote",
    ]


def test_the_same_message_id_from_two_senders_is_not_one_mail(tmp_path: Path) -> None:
    a = mail("a", 0, "3F2A1C0B2", "<victim@x>", "b@example.org", SENT.format("REMOTE1"))
    b = mail(
        "b", 30, "4jYBcn5tsvz1", "<victim@x>", "b@example.org", SENT.format("Z9"), sender="eve@example.net"
    )
    assert case(tmp_path, a=a, b=b).table("journeys").num_rows == 2


@pytest.mark.parametrize(
    "hostile",
    ["<a> 3F2A1C0B2: removed", "<x@y>, to=<b@z>, relay=local, status=sent (ok)", "<a\u202eb@x>", "no brackets at all",
     "<x@y>: message-id=<victim@x>", "<a b: c>: saved mail to INBOX@x>, size=400"],
)  # fmt: skip
def test_a_message_id_that_imitates_a_line_invents_nothing(tmp_path: Path, hostile: str) -> None:
    log = mail("a", 0, "3F2A1C0B2", hostile, "b@example.org", SENT.format("X1"))
    found = case(tmp_path, a=log)
    assert found.table("events")["kind"].to_pylist() == [
        "postfix.smtpd.client", "postfix.cleanup.message_id", "postfix.qmgr.active", "postfix.delivery", "postfix.removed",
    ]  # fmt: skip
    assert fates(found)[0][1] == [("b@example.org", "handed_to_remote")]
    assert found.table("mailbox_events").num_rows == 0


def test_a_logged_subject_that_names_a_message_id_joins_nothing(tmp_path: Path) -> None:
    victim = mail("a", 0, "3F2A1C0B2", "<victim@x>", "b@example.org", SENT.format("X1"))
    warn = f"{stamp(9)} a postfix/cleanup[8]: 3F2A1C0B9: warning: header Subject: message-id=<victim@x> from c.example.net[192.0.2.7]; from=<eve@example.net> to=<b@example.org> proto=ESMTP helo=<c>\n"
    eve = mail("a", 8, "3F2A1C0B9", "<eve@x>", "b@example.org", SENT.format("X2"), sender="eve@example.net")
    assert case(tmp_path, a=victim + eve.replace("\n", "\n" + warn, 1)).table("journeys").num_rows == 2


def test_the_offset_between_two_clocks_is_found(tmp_path: Path) -> None:
    a = "".join(
        mail("a", i * 20, f"3F2A1C0B{i}", f"<m{i}@x>", "b@example.org", SENT.format(f"4jYBcn5tsvz{i}"))
        for i in range(1, 6)
    )
    b = "".join(
        mail("b", i * 20 + 600, f"4jYBcn5tsvz{i}", f"<m{i}@x>", "b@example.org", SENT.format("Z9"))
        for i in range(1, 6)
    )
    assert case(tmp_path, a=a, b=b).table("journeys").num_rows == 5


def generated(tmp_path: Path, lines: int) -> tuple[mf.Case, dict[str, Any]]:
    script = SHARED / "bench" / "generate_postfix_log.py"
    if not script.is_file():
        pytest.skip("the log generator of ../shared is not here")
    log = tmp_path / "mail.log"
    subprocess.run(
        [sys.executable, str(script), str(log), "--lines", str(lines)], check=True, capture_output=True
    )
    truth: dict[str, Any] = json.loads((tmp_path / "mail.log.truth.json").read_text(encoding="utf-8"))
    return mf.open_case(log, year=2026), truth


def test_the_counts_of_a_generated_log_are_those_of_its_truth(tmp_path: Path) -> None:
    found, truth = generated(tmp_path, 100_000)
    written = truth["written"]
    status = dict(found.polars("deliveries")["status"].value_counts().rows())
    assert {word: status.get(word, 0) for word in ("sent", "deferred", "bounced")} == {
        word: written[word] for word in ("sent", "deferred", "bounced")
    }
    assert found.table("messages").num_rows == written["message_id"]
    assert found.polars("messages")["removed_time"].is_not_null().sum() == written["removed"]
    assert found.polars("rejects")["queue_id"].is_null().sum() == written["noqueue_reject"]
    links = found.polars("journeys")["links"].explode(empty_as_null=True).drop_nulls()
    assert len(links) == truth["links"]
    ids = dict(found.polars("messages").select("message_key", "queue_id").rows())
    made = {(ids[link["from"]], ids[link["to"]]) for link in links.to_list()}
    assert [pair for pair in truth["links_sample"] if (pair[0], pair[1]) not in made] == []


def test_each_described_message_of_a_generated_log_is_right(tmp_path: Path) -> None:
    found, truth = generated(tmp_path, 100_000)
    messages, deliveries = found.polars("messages"), found.polars("deliveries")
    for told in truth["sample"]:
        mine = messages.filter((pl.col("queue_id") == told["qid"]) & (pl.col("message_id") == told["msgid"]))
        assert mine.height == 1, told["qid"]
        tried = deliveries.filter(pl.col("message_key") == mine["message_key"][0])
        seen = set(tried.select("recipient", "status", "dsn").rows())
        assert {tuple(one[:3]) for one in told["rcpt"]} <= seen
        assert mine["sender"][0] == told["sender"]


AMAVIS = (
    "(13034-18) Passed CLEAN {{RelayedInbound}}, [192.0.2.7]:23249 [192.0.2.7] <alex@example.com> -> <b@example.org>, "
    "Queue-ID: 3F2A1C0B2, Message-ID: <one@x>, mail_id: smLxhtBpJGek, Hits: -0.498, size: 100, queued_as: {}, 1663 ms"
)


def filtered(tmp_path: Path, named: str) -> list[dict[str, Any]]:
    """A mail through a filter whose replies are in no delivery line (it was killed in between, say): only amavis tells."""
    relay = "127.0.0.1[127.0.0.1]:10024"
    front = mail(
        "a", 0, "3F2A1C0B2", "<one@x>", "b@example.org", "sent (250 2.0.0 Ok, id=13034-18)", relay=relay
    )
    behind = mail("a", 2, "8FB8EA92F9", "<one@x>", "b@example.org", SENT.format("X1"))
    line = f"{stamp(3)} a amavis[99]: {AMAVIS.format(named)}\n"
    return case(tmp_path, a=front + line + behind).table("journeys").to_pylist()


def test_amavis_own_line_joins_what_stood_before_and_behind_it(tmp_path: Path) -> None:
    [journey] = filtered(tmp_path, "8FB8EA92F9")
    assert [link["method"] for link in journey["links"]] == ["filter_log"]
    assert [(o["recipient"], o["outcome"]) for o in journey["outcomes"]] == [
        ("b@example.org", "handed_to_remote")
    ]


def test_a_filters_line_that_names_an_id_we_do_not_have_joins_nothing(tmp_path: Path) -> None:
    assert len(filtered(tmp_path, "9999999999")) == 2
