"""Lost mail: what the lab lost is found, graded and ranked, and mail that arrived or was returned is not called lost."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import polars as pl
import pytest

import mailforensics as mf
from mailforensics import answers
from mailforensics.errors import OptionError
from mailforensics.findings.causes import classify_replies
from mailforensics.findings.lost import KINDS, lost_mail
from tests.findings.notices import report
from tests.findings.synthetic import BACKGROUND, SAMPLES, line, login, mail, over_traffic


def lost(path: Path) -> pl.DataFrame:
    case = mf.open_case(path)
    tables = [
        case.polars(name) for name in ("journeys", "messages", "deliveries", "mailbox_events", "sessions")
    ]
    return lost_mail(*tables, *answers.stretches(case), rules=answers.discards(case))


def counts(path: Path) -> dict[str, int]:
    return dict(lost(path).group_by("finding").len().rows())


@pytest.mark.parametrize(
    ("scenario", "kind", "number"),
    [
        ("content-filter", "discarded_by_rule", 1),
        ("lost-in-sieve", "discarded_by_sieve", 2),
        ("deleted", "deleted_from_queue", 1),
        ("deleted", "expunged", 2),
        ("hold", "held", 3),
        ("loop", "forwarded_into_loop", 1),
        ("forwarded", "forwarded_to_dead_address", 1),
        ("phish", "filed_where_nobody_looks", 3),
        ("cut-log", "still_queued", 1),
        ("missing-log", "handed_over_not_followed", 2),
        ("lost-connection", "never_ours", 2),
    ],
)
def test_what_the_lab_lost_is_found(scenario: str, kind: str, number: int) -> None:
    assert counts(SAMPLES / scenario)[kind] == number


@pytest.mark.parametrize("scenario", ["slow", "requeue", "rejected", "bounced", "odd-ids"])
def test_mail_that_arrived_or_whose_sender_was_told_is_not_lost(scenario: str) -> None:
    assert counts(SAMPLES / scenario) == {}


def test_a_week_agrees_with_what_the_driver_did() -> None:
    truth = json.loads((SAMPLES / "week" / "expected.json").read_text(encoding="utf-8"))
    outcomes = [copy["outcome"] for sent in truth["mails"] for copy in sent["recipients"]]
    found = counts(SAMPLES / "week")
    assert found["discarded_by_sieve"] == outcomes.count("discarded_by_sieve")
    assert found["deleted_from_queue"] == outcomes.count("deleted_from_queue")
    assert found["still_queued"] == outcomes.count("deferred")
    assert "accepted_and_gone" not in found


def test_mail_that_was_accepted_and_is_gone_comes_first(tmp_path: Path) -> None:
    gone = [text for text in mail(0, "CA00001", removed=False) if "status=" not in text]
    rows = lost(over_traffic(tmp_path, gone))
    assert rows["finding"][0] == "accepted_and_gone"
    assert rows["severity"][0] == "high"
    assert rows["sentence"][0].startswith("CA00001 on mail was accepted for ")
    assert rows["rank"].is_sorted()
    assert "accepted_and_gone" not in counts(BACKGROUND)


def test_mail_that_stands_at_the_end_of_the_log_was_cut_by_it(tmp_path: Path) -> None:
    end = time_of(BACKGROUND.read_text(encoding="utf-8").splitlines()[-1])
    late = (end - time_of(line(0, "postfix/qmgr", ""))).total_seconds() - 30
    gone = [text for text in mail(late, "CA00002", removed=False) if "status=" not in text]
    found = counts(over_traffic(tmp_path, gone))
    assert found["cut_by_the_evidence"] == 1
    assert "accepted_and_gone" not in found


def time_of(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text.split(" ", 1)[0])


def test_a_bounce_of_which_nobody_was_told_is_a_warning(tmp_path: Path) -> None:
    said = "status=bounced (host mx.example.net[192.0.2.25] said: 550 5.1.1 User unknown (in reply to RCPT TO command))"
    rows = lost(over_traffic(tmp_path, mail(0, "CA00003", answer=said))).filter(
        pl.col("finding") == "returned_untold"
    )
    assert rows["recipient"].to_list() == ["nina@example.net"]
    assert rows["severity"].to_list() == ["warning"]


def test_a_bounce_whose_notification_lies_among_the_messages_was_told(tmp_path: Path) -> None:
    said = "status=bounced (host mx.example.net[192.0.2.25] said: 550 5.1.1 User unknown (in reply to RCPT TO command))"
    log = over_traffic(tmp_path, mail(0, "CA00003", answer=said))
    blocks = "Reporting-MTA: dns; mail.example.com\nX-Postfix-Queue-ID: CA00003\n\nFinal-Recipient: rfc822; nina@example.net\nAction: failed\nStatus: 5.1.1"
    (tmp_path / "bounce.eml").write_text(report(blocks), encoding="utf-8")
    names = mf.open_case([log, tmp_path / "bounce.eml"]).table("dsns")["matched_by"].to_pylist()
    assert names == ["queue_id"]
    found = mf.open_case([log, tmp_path / "bounce.eml"]).findings().column("finding").to_pylist()
    assert "returned_untold" not in found
    assert "returned_untold" in mf.open_case(log).findings().column("finding").to_pylist()


def test_every_kind_says_what_to_look_at_next() -> None:
    rows = lost(SAMPLES / "hold")
    assert all(said.endswith(following) for said, following in rows.select("sentence", "next").rows())
    assert len({kind.name for kind in KINDS}) == len(KINDS)


@pytest.mark.parametrize(
    ("scenario", "kind", "named"),
    [
        ("hold", "held", "On mail: postcat -q 0BB8ADA, then release it (postsuper -H 0BB8ADA)"),
        ("hold", "discarded_by_rule", 'header_checks body_checks) that this line names: "discard: header Subject: Lottery numbers from'),
        ("content-filter", "discarded_by_rule", 'On mail: look at the rules of the content filter that took it: "relay=127.0.0.1[127.0.0.1]:10025'),
        ("lost-in-sieve", "discarded_by_sieve", "On mx: doveadm sieve get -u bob@example.org"),
        ("deleted", "deleted_from_queue", "On mail: ask who ran postsuper -d for 27ADBC7 after 2026-11-23 20:56:50 UTC"),
        ("deleted", "expunged", "Ask anna@example.com; a backup of that mailbox on mail"),
        ("phish", "filed_where_nobody_looks", "Look into Junk of bob@example.org on mx"),
        ("loop", "forwarded_into_loop", "transport maps of circle@example.com on "),
        ("forwarded", "forwarded_to_dead_address", "On mail: look up arno@example.com in the alias maps"),
        ("cut-log", "still_queued", "On mail: postqueue -j"),
        ("lost-connection", "never_ours", "Ask the server that sent it, "),
    ],
)  # fmt: skip
def test_the_next_step_names_host_mail_and_rule(scenario: str, kind: str, named: str) -> None:
    steps = lost(SAMPLES / scenario).filter(pl.col("finding") == kind)["next"].to_list()
    assert any(named in step for step in steps), steps


ALIAS = "status=sent (delivered to file: /dev/null)"


def test_a_mail_written_to_dev_null_is_lost_by_a_rule(tmp_path: Path) -> None:
    rows = lost(over_traffic(tmp_path, mail(0, "CA00004", answer=ALIAS, agent="local", relay="local")))
    [row] = rows.filter(
        pl.col("finding") == "discarded_by_rule", pl.col("recipient") == "nina@example.net"
    ).to_dicts()
    assert "postconf transport_maps alias_maps" in row["next"]
    assert "/dev/null" in row["next"]


def test_a_transport_that_discards_is_lost_by_a_rule(tmp_path: Path) -> None:
    said = "status=sent (example.net)"
    rows = lost(over_traffic(tmp_path, mail(0, "CA00005", answer=said, agent="discard", relay="none")))
    [row] = rows.filter(
        pl.col("finding") == "discarded_by_rule", pl.col("recipient") == "nina@example.net"
    ).to_dicts()
    assert "look at the transport map" in row["next"]


def acted(seconds: float, action: str, queue_id: str | None) -> list[str]:
    """A mail on which an access table acted before it had a queue id, and which then got one, or none."""
    client, smtpd = "unknown[203.0.113.9]", "postfix/smtpd"
    text = f"NOQUEUE: {action}: RCPT from {client}: <zoe@example.net>: Recipient address triggers {action.upper()} action; from=<alex@example.com> to=<zoe@example.net> proto=ESMTP helo=<x>"
    lines = [line(seconds, smtpd, f"connect from {client}"), line(seconds + 0.1, smtpd, text)]
    if queue_id:
        lines += [line(seconds + 0.2, smtpd, f"{queue_id}: client={client}"),
                  line(seconds + 0.3, "postfix/cleanup", f"{queue_id}: message-id=<{queue_id}@example.com>")]  # fmt: skip
    return [
        *lines,
        line(seconds + 0.5, smtpd, f"disconnect from {client} ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5"),
    ]


@pytest.mark.parametrize(
    ("action", "queue_id", "kind", "step"),
    [
        ("discard", "CA00009", "discarded_by_rule", 'On mail: look for the access table (postconf -n: check_..._access) that this line names: "discard: RCPT'),
        ("discard", None, "discarded_by_rule", 'On mail: look for the access table (postconf -n: check_..._access) that this line names: "discard: RCPT'),
        ("hold", "CA00009", "held", "On mail: postcat -q CA00009"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("way", ["open", "ingest"])
def test_what_an_access_table_does_before_there_is_a_queue_id_is_told_of_the_mail(
    action: str, queue_id: str | None, kind: str, step: str, way: str, tmp_path: Path
) -> None:
    other = [*mail(20, "CA00010", recipients=["amy@example.net"])]
    path = over_traffic(tmp_path, [*acted(0, action, queue_id), *other])
    if way == "ingest":
        mf.ingest(path, tmp_path / "case")
        path = tmp_path / "case"
    case = mf.open_case(path)
    [row] = lost(path).filter(pl.col("recipient") == "zoe@example.net").to_dicts()
    assert row["finding"] == kind
    assert step in row["next"]
    [journey] = case.trace(to="zoe@example.net", since="2026-01-04 01:59").found.to_dicts()
    assert journey["sender"] == "alex@example.com"
    assert not case.polars("rejects").filter(pl.col("recipient") == "zoe@example.net").height


def saved(seconds: float, user: str, message_id: str, box: str = "INBOX") -> str:
    return line(
        seconds,
        "dovecot",
        f"lmtp({user})<8157><K{int(seconds)}LaDg6yBGvdHwAAZU03Dg>: sieve: msgid=<{message_id}>: stored mail into mailbox '{box}'",
    )


def expunged(seconds: float, session: str, user: str, message_id: str) -> str:
    return line(
        seconds,
        "dovecot",
        f"imap({user})<1038><{session}>: expunge: box=INBOX, uid=1, msgid=<{message_id}>, size=1200",
    )


def to_mailbox(seconds: float, queue_id: str, user: str, box: str = "INBOX") -> list[str]:
    said = f"status=sent (250 2.0.0 <{user}> K{int(seconds)}LaDg6yBGvdHwAAZU03Dg Saved)"
    taken = mail(
        seconds, queue_id, recipients=[user], answer=said, agent="lmtp", relay="mail[private/dovecot-lmtp]"
    )
    return [*taken, saved(seconds + 0.4, user, f"{queue_id}@example.com", box)]


def test_mail_removed_by_a_session_from_elsewhere_is_told_with_its_session(tmp_path: Path) -> None:
    user = "zoe@example.com"
    own = [text for at in (10, 20, 30) for text in login(at, user, "192.0.2.77")]
    other = [*login(60, user, "203.0.113.66"), expunged(62, "s600", user, "CA00006@example.com")]
    rows = lost(over_traffic(tmp_path, [*to_mailbox(0, "CA00006", user), *own, *other]))
    [row] = rows.filter(pl.col("recipient") == user).to_dicts()
    assert (row["finding"], row["severity"], row["certainty"]) == (
        "expunged_by_stranger",
        "warning",
        "inferred",
    )
    assert f"session s600 of {user} from 203.0.113.66" in row["next"]
    own.append(expunged(33, "s300", user, "CA00006@example.com"))
    rows = lost(over_traffic(tmp_path, [*to_mailbox(0, "CA00006", user), *own]))
    assert rows.filter(pl.col("recipient") == user)["finding"].to_list() == ["expunged"]


@pytest.mark.parametrize("box", ["Junk", "Gelöschte Elemente", "INBOX/Corbeille", "INBOX.Quarantine"])
def test_a_mailbox_nobody_looks_into_is_known_in_other_languages(box: str, tmp_path: Path) -> None:
    rows = lost(over_traffic(tmp_path, to_mailbox(0, "CA00007", "zoe@example.com", box)))
    [row] = rows.filter(pl.col("recipient") == "zoe@example.com").to_dicts()
    assert row["finding"] == "filed_where_nobody_looks"
    assert box in row["next"]


def test_mail_cut_by_a_gap_names_the_log_to_add(tmp_path: Path) -> None:
    busy = [
        line(seconds, "postfix/anvil", "statistics: max cache size 1 at Jan  4 02:00:00")
        for seconds in range(0, 7200, 20)
    ]
    late = [
        line(seconds, "postfix/anvil", "statistics: max cache size 1 at Jan  4 12:00:00")
        for seconds in range(50_000, 57_200, 20)
    ]
    gone = [text for text in mail(7150, "CA00008", removed=False) if "status=" not in text]
    path = tmp_path / "mail.log"
    path.write_text("\n".join(sorted([*busy, *gone, *late])) + "\n", encoding="utf-8")
    [row] = lost(path).to_dicts()
    assert row["finding"] == "cut_by_the_evidence"
    assert "Add the log of mail after 2026-01-04 0" in row["next"]
    assert "CA00008 goes on there" in row["next"]


def test_the_worst_comes_first(tmp_path: Path) -> None:
    user = "zoe@example.com"
    gone = [
        text
        for text in mail(0, "CA00011", recipients=["gone@example.net"], removed=False)
        if "status=" not in text
    ]
    wait = mail(
        1,
        "CA00012",
        recipients=["wait@example.net"],
        answer="status=deferred (connect to x: Connection refused)",
        removed=False,
    )
    rule = mail(2, "CA00013", recipients=["rule@example.net"], answer=ALIAS, agent="local", relay="local")
    rows = lost(over_traffic(tmp_path, [*gone, *wait, *rule, *to_mailbox(3, "CA00014", user, "Junk")]))
    mine = rows.filter(
        pl.col("recipient").is_in(["wait@example.net", "rule@example.net", user])
        | (pl.col("finding") == "accepted_and_gone")
    )
    assert mine["finding"].to_list() == [
        "accepted_and_gone",
        "discarded_by_rule",
        "still_queued",
        "filed_where_nobody_looks",
    ]
    assert "postcat -q CA00011" in mine["next"][0]


def test_findings_of_a_case_are_sorted_and_can_be_cut_by_severity() -> None:
    case = mf.open_case(SAMPLES / "hold")
    all_, some = case.findings(), case.findings("warning")
    assert all_.column("severity").to_pylist() == ["warning", "notice", "notice", "notice", "notice"]
    assert some.column("finding").to_pylist() == ["discarded_by_rule"]
    with pytest.raises(OptionError, match="There are info, notice, warning, high"):
        case.findings("loud")


def test_findings_of_a_saved_case_are_the_same(tmp_path: Path) -> None:
    case = mf.open_case(SAMPLES / "phish")
    case.save(tmp_path / "case")
    assert mf.open_case(tmp_path / "case").findings().equals(case.findings())


def test_why_tells_each_cause_once_in_the_order_of_time() -> None:
    case = mf.open_case(SAMPLES / "slow")
    key = case.trace(to="ben@example.org").found["message_keys"][0][0]
    rows = case.why(key)
    assert [(row["status"], row["cause"]) for row in rows] == [
        ("deferred", "connect_failed"), ("deferred", "local_mailbox_store"), ("delivered", None),
    ]  # fmt: skip
    assert "(3 tries)" in rows[0]["sentence"]
    assert len(rows[0]["evidence"]) == 3


def test_why_names_the_symbols_of_a_spam_verdict() -> None:
    case = mf.open_case(SAMPLES / "spam")
    scans = case.polars("scans").filter(pl.col("action") == "add header")
    rows = case.why(scans["message_key"].drop_nulls()[0])
    assert any(row["cause"] == "spam_verdict" and "most came from" in row["sentence"] for row in rows)


def test_why_refuses_a_message_that_is_not_there() -> None:
    with pytest.raises(OptionError, match="no message 1 in this case"):
        mf.open_case(SAMPLES / "slow").why(1)


def test_a_forged_hop_of_our_own_host_is_not_in_its_log(tmp_path: Path) -> None:
    log = over_traffic(tmp_path, [])
    (tmp_path / "forged.eml").write_bytes(
        b"Received: from x (x [203.0.113.9])\r\n by mail.example.com (Postfix) with ESMTP id 7FFFFFFF\r\n"
        b" for <anna@example.com>; Sun, 04 Jan 2026 12:00:00 +0100 (CET)\r\nFrom: a@example.net\r\n\r\n"
    )
    rows = mf.open_case([log, tmp_path / "forged.eml"]).findings().to_pylist()
    said = [row["sentence"] for row in rows if row["finding"] == "hop_not_in_log"]
    assert len(said) == 1
    assert "7FFFFFFF" in said[0]


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        (
            "bounced",
            "nobody@example.org: The recipient's address does not exist; the sender must correct the address. The answer was: \"host",
        ),
        (
            "slow",
            "ben@example.org: Their server could not be reached; its administrator or the network between must act (3 tries). "
            'The answer was: "connect to',
        ),
    ],
)
def test_why_speaks_in_whole_sentences_and_says_each_thing_once(scenario: str, words: str) -> None:
    case = mf.open_case(SAMPLES / scenario)
    recipient = words.split(":")[0]
    (key, *_) = case.trace(to=recipient).found["message_keys"][0]
    sentences = [row["sentence"] for row in case.why(key)]
    assert sum(each.startswith(words) for each in sentences) == 1
    assert len({(row["recipient"], row["status"], row["cause"]) for row in case.why(key)}) == len(sentences)
    assert not any(" The answer was" in each and ". The answer was" not in each for each in sentences)


def test_nobody_asked_to_try_later_where_no_server_answered() -> None:
    refused = classify_replies(
        [{"text": "connect to mx.example.net[192.0.2.9]:25: Connection refused", "dsn": "4.4.1"}]
    )
    busy = classify_replies([{"text": "421 4.4.2 mx.example.net Error: timeout exceeded"}])
    assert "asked to try later" not in refused["sentence"][0].as_py()
    assert "asked to try later" in busy["sentence"][0].as_py()
