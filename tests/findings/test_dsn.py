"""Bounce messages: RFC 3464, the looser bounces of other servers, complaints, and hostile ones."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import mailforensics as mf
from mailforensics.errors import OptionError
from mailforensics.findings.causes import COLUMNS
from mailforensics.findings.dsn import dsn_frame, may_be_notification, read_dsn
from mailforensics.findings.reported import join_deliveries
from mailforensics.limits import Limits
from tests.findings.notices import MESSAGE_BLOCK, report
from tests.findings.synthetic import SAMPLES


def rows(text: str) -> list[dict[str, Any]]:
    return read_dsn(text.encode()).to_pylist()


def standard(recipient_block: str, message_block: str = MESSAGE_BLOCK) -> str:
    return report(f"{message_block}\n\n{recipient_block}")


POSTFIX = standard(
    "Final-Recipient: rfc822; anna@example.net\nOriginal-Recipient: rfc822;Anna@example.net\nAction: failed\n"
    "Status: 5.2.2\nRemote-MTA: dns; mx.example.net\nDiagnostic-Code: smtp; 552 5.2.2 <anna@example.net>:\n"
    "    Recipient address rejected: Mailbox full",
    "Reporting-MTA: dns; mail.example.com\nX-Postfix-Queue-ID: 4jYDGq425VzsLq\n"
    "X-Postfix-Sender: rfc822; alex@example.com\nArrival-Date: Mon,  2 Mar 2026 10:02:11 +0100 (CET)",
)


def test_a_notification_of_postfix_gives_every_column() -> None:
    (row,) = rows(POSTFIX)
    assert row["format"] == "rfc3464"
    assert row["final_recipient"] == "anna@example.net"
    assert row["original_recipient"] == "Anna@example.net"
    assert (row["action"], row["status"]) == ("failed", "5.2.2")
    assert row["diagnostic"] == "552 5.2.2 <anna@example.net>: Recipient address rejected: Mailbox full"
    assert (row["reporting_mta"], row["remote_mta"]) == ("mail.example.com", "mx.example.net")
    assert row["queue_id"] == "4jYDGq425VzsLq"
    assert row["arrival_date"] == datetime(2026, 3, 2, 9, 2, 11, tzinfo=UTC)
    assert row["original_message_id"] == "<d7979c16f20c@example.com>"
    assert (row["cause"], row["who_acts"]) == ("mailbox_full", "recipient")
    assert row["defects"] == []


def test_each_recipient_is_a_row() -> None:
    blocks = "\n\n".join(
        f"Final-Recipient: rfc822; {name}@example.net\nAction: failed\nStatus: 5.1.1\n"
        f"Diagnostic-Code: smtp; 550 5.1.1 User unknown"
        for name in ("anna", "bob", "eva")
    )
    assert [row["final_recipient"][:-12] for row in rows(standard(blocks))] == ["anna", "bob", "eva"]


def test_failed_with_a_status_of_class_4_has_expired_and_tells_of_the_last_try() -> None:
    block = (
        "Final-Recipient: rfc822; anna@example.net\nAction: failed\nStatus: 4.4.1\n"
        "Diagnostic-Code: X-Postfix; connect to mx.example.net[192.0.2.1]:25: Connection timed out"
    )
    (row,) = rows(standard(block))
    assert (row["cause"], row["last_cause"], row["permanence"]) == ("expired", "connect_failed", "hard")


def test_a_delay_is_not_expired_and_a_delivery_has_no_cause() -> None:
    delayed = "Final-Recipient: rfc822; a@example.net\nAction: delayed\nStatus: 4.2.2\nDiagnostic-Code: smtp; 452 4.2.2 full"
    delivered = "Final-Recipient: rfc822; a@example.net\nAction: relayed\nStatus: 2.1.5\nDiagnostic-Code: smtp; 250 2.1.5 ok"
    assert rows(standard(delayed))[0]["cause"] == "mailbox_full"
    assert rows(standard(delivered))[0]["cause"] is None


@pytest.mark.parametrize(
    ("written", "action"),
    [
        ("Failed (bad destination)", "failed"),
        ("failure", "failed"),
        ("DELAYED", "delayed"),
        ("expanded", "expanded"),
        ("?", None),
    ],
)
def test_actions_are_read_as_servers_write_them(written: str, action: str | None) -> None:
    assert (
        rows(standard(f"Final-Recipient: rfc822; a@example.net\nAction: {written}\nStatus: 5.0.0"))[0][
            "action"
        ]
        == action
    )


def head(sender: str, subject: str, extra: str = "") -> str:
    return f"From: {sender}\nReturn-Path: <>\nSubject: {subject}\n{extra}\n"


LOOSE = {
    "qmail": (
        head("MAILER-DAEMON@example.com", "failure notice")
        + "Hi. This is the qmail-send program at example.com.\nI'm afraid I wasn't able to deliver your message.\n\n"
        "<anna@example.net>:\n192.0.2.1 does not like recipient.\nRemote host said: 550 5.1.1 No such user\n"
        "Giving up on 192.0.2.1.\n\n--- Below this line is a copy of the message.\n\nMessage-ID: <1@example.com>\n\nHi bob@example.org\n",
        [("anna@example.net", "user_unknown")],
    ),
    "exim": (
        head("Mail Delivery System <Mailer-Daemon@example.com>", "Mail delivery failed: returning message to sender",
             "X-Failed-Recipients: anna@example.net,\n  bob@example.net\n")
        + "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
        "delivered to one or more of its recipients.\n\n  anna@example.net\n    SMTP error from remote mail server after "
        "RCPT TO:<anna@example.net>:\n    host mx.example.net [192.0.2.1]: 552 5.2.2 Mailbox full\n  bob@example.net\n"
        "    Unrouteable address\n\n------ This is a copy of the message, including all the headers. ------\n\n"
        "Message-ID: <1@example.com>\n",
        [("anna@example.net", "mailbox_full"), ("bob@example.net", "domain_not_found")],
    ),
    "gmail": (
        head("Mail Delivery Subsystem <mailer-daemon@googlemail.com>", "Delivery Status Notification (Failure)",
             "X-Failed-Recipients: anna@example.net\n")
        + "Delivery to the following recipient failed permanently:\n\n     anna@example.net\n\nTechnical details of "
        "permanent failure: \nGoogle tried to deliver your message, but it was rejected by the recipient domain. The error "
        "that the other server returned was: 550 550 5.1.1 <anna@example.net>... User Unknown (state 14).\n\n"
        "----- Original message -----\n\nMessage-ID: <1@example.com>\n",
        [("anna@example.net", "user_unknown")],
    ),
    "yahoo": (
        head("MAILER-DAEMON@yahoo.com", "failure delivery")
        .replace("failure delivery", "Failure Notice")
        + "Sorry, we were unable to deliver your message to the following address.\n\n<anna@example.net>:\n"
        "Remote host said: 554 delivery error: dd This user doesn't have an example.net account (anna@example.net) [0]\n\n"
        "--- Original message ---\n\nMessage-ID: <1@example.com>\n",
        [("anna@example.net", "user_unknown")],
    ),
    "exchange": (
        head("postmaster@example.com", "Undeliverable: Offer")
        + "Delivery has failed to these recipients or groups:\n\nAnna Example\nThe e-mail address you entered couldn't be "
        "found.\n\nDiagnostic information for administrators:\n\nGenerating server: mail.example.com\n\nanna@example.net\n"
        "#550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##\n\nOriginal message headers:\n\nMessage-ID: <1@example.com>\n",
        [("anna@example.net", "user_unknown")],
    ),
    "sendmail": (
        head("Mail Delivery Subsystem <MAILER-DAEMON@example.com>", "Returned mail: see transcript for details")
        + "The original message was received at Mon, 2 Mar 2026 10:02:11 +0100\n\n   ----- The following addresses had "
        "permanent fatal errors -----\n<anna@example.net>\n    (reason: 550 5.1.1 <anna@example.net>... User unknown)\n\n"
        "   ----- Transcript of session follows -----\n... while talking to mx.example.net.:\n>>> DATA\n",
        [("anna@example.net", "user_unknown")],
    ),
    "postfix text only": (
        head("MAILER-DAEMON@example.com", "Undelivered Mail Returned to Sender")
        + "This is the mail system at host mail.example.com.\n\n<anna@example.net>: host mx.example.net[192.0.2.1] said: 554\n"
        "    5.7.1 Spam message rejected (in reply to end of DATA command)\n",
        [("anna@example.net", "spam_content")],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LOOSE)
def test_looser_bounces_give_recipient_and_cause(name: str) -> None:
    text, expected = LOOSE[name]
    found = rows(text)
    assert [(row["final_recipient"], row["cause"]) for row in found] == expected
    assert {row["format"] for row in found} == {"text"}


def test_the_message_id_is_that_of_the_mail_that_came_back() -> None:
    assert rows(LOOSE["qmail"][0])[0]["original_message_id"] == "<1@example.com>"


def test_html_bounces_are_read_too() -> None:
    text = (
        "From: postmaster@example.com\nReturn-Path: <>\nSubject: Undeliverable: x\nContent-Type: text/html\n\n"
        "<html><p>Delivery failed:</p><div>anna@example.net</div><div>550 5.1.1 User unknown</div></html>\n"
    )
    assert [(row["final_recipient"], row["cause"]) for row in rows(text)] == [
        ("anna@example.net", "user_unknown")
    ]


def test_a_complaint_is_a_row_of_its_own_kind() -> None:
    text = (
        "From: abuse@example.net\nSubject: complaint\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nThis is an email abuse report\n\n--b\nContent-Type: message/feedback-report\n\n"
        "Feedback-Type: abuse\nUser-Agent: X/1\nVersion: 1\nOriginal-Rcpt-To: <anna@example.net>\n\n"
        "--b\nContent-Type: message/rfc822\n\nMessage-ID: <1@example.com>\n\nhi\n\n--b--\n"
    )
    (row,) = rows(text)
    assert (row["format"], row["final_recipient"], row["cause"]) == (
        "feedback",
        "anna@example.net",
        "complaint",
    )


@pytest.mark.parametrize(
    "text",
    [
        "Subject: hello\nFrom: bob@example.org\n\nanna@example.net\nuser unknown\n",
        "Subject: delivery failed last week\nFrom: bob@example.org\n\n<anna@example.net>:\n550 User unknown\n",
        "",
        "\n\n",
    ],
)
def test_mail_that_is_no_bounce_gives_no_rows(text: str) -> None:
    assert rows(text) == []


def test_the_columns_are_those_of_the_report_and_of_causes() -> None:
    assert dsn_frame([]).columns[-len(COLUMNS) :] == list(COLUMNS)
    assert dsn_frame([]).height == 0


def test_many_messages_are_counted_from_zero() -> None:
    assert dsn_frame([POSTFIX.encode(), b"", POSTFIX.encode()])["message"].to_list() == [0, 2]


def test_what_is_no_message_is_an_error() -> None:
    with pytest.raises(OptionError, match="binary mode"):
        read_dsn("Subject: x\n\n")  # type: ignore[arg-type]


def test_deep_nesting_is_read_without_recursion_and_says_so() -> None:
    nested = "".join(f'Content-Type: multipart/mixed; boundary="{n}"\n\n--{n}\n' for n in range(10_000))
    found = rows(
        head("MAILER-DAEMON@example.com", "failure notice").rstrip("\n")
        + "\n"
        + nested
        + "\n<anna@example.net>:\nfull\n"
    )
    assert all("mime_too_deep" in row["defects"] for row in found)


@pytest.mark.parametrize(
    "body",
    [
        "<" * 200_000,
        "a@" * 100_000,
        " \n" * 100_000,
        "<a@b>:\n" * 50_000,
        "Content-Type: x\n" * 20_000,
        "\x00\xff" * 50_000,
    ],
)
def test_hostile_bodies_take_a_bounded_time(body: str) -> None:
    start = time.process_time()
    read_dsn((head("MAILER-DAEMON@example.com", "failure notice") + body).encode("latin-1"))
    assert time.process_time() - start < 2


def test_a_message_that_is_too_long_is_cut_and_says_so() -> None:
    data = POSTFIX.encode() + b"x" * 10_000
    (row,) = read_dsn(data, limits=Limits(message_bytes=len(POSTFIX))).to_pylist()
    assert row["defects"] == ["message_cut"]


def test_damaged_fields_do_no_harm() -> None:
    block = "Final-Recipient: rfc822; \xe4nna@example.net\nAction: \nStatus: five\nDiagnostic-Code: \xff\nLast-Attempt-Date: never"
    (row,) = read_dsn(standard(block).encode("latin-1")).to_pylist()
    assert (row["status"], row["action"], row["last_attempt_date"]) == (None, None, None)


# ------------------------------------------------------------------ the delivery in the log that a notification reports


def joined(text: str, deliveries: list[dict[str, Any]], queue_id: str = "4jYDGq425VzsLq") -> dict[str, Any]:
    messages = pl.DataFrame(
        {
            "message_key": [7],
            "journey_key": [5],
            "queue_id": [queue_id],
            "message_id": ["<d7979c16f20c@example.com>"],
        }
    )
    columns = {"message_key": 7, "original_recipient": None, "remote_queue_id": None, "status": "bounced"}
    tries = pl.DataFrame(
        [columns | each for each in deliveries],
        schema={
            "message_key": pl.Int64,
            "recipient": pl.String,
            "original_recipient": pl.String,
            "remote_queue_id": pl.String,
            "status": pl.String,
            "time": pl.Datetime("us", "UTC"),
        },
    )
    (row,) = join_deliveries(dsn_frame([text.encode()]), messages, tries).to_dicts()
    return row


TRIED = datetime(2026, 3, 2, 9, 2, 12, tzinfo=UTC)


def test_a_notification_is_joined_by_its_queue_id_and_recipient_to_the_try_that_failed() -> None:
    earlier = {"recipient": "Anna@example.net", "status": "deferred", "time": TRIED - timedelta(minutes=1)}
    row = joined(POSTFIX, [earlier, {"recipient": "Anna@example.net", "time": TRIED}])
    assert (row["message_key"], row["delivery_time"], row["delivery_status"]) == (7, TRIED, "bounced")
    assert (row["matched_by"], row["match_certainty"]) == ("queue_id", "seen")


def test_a_queue_id_of_another_year_or_another_recipient_is_not_the_same_mail() -> None:
    text = POSTFIX.replace("Message-ID: <d7979c16f20c@example.com>\n", "")
    year_ago = {"recipient": "anna@example.net", "time": TRIED - timedelta(days=365)}
    assert joined(text, [year_ago])["message_key"] is None
    assert joined(text, [{"recipient": "bob@example.net", "time": TRIED}])["matched_by"] is None


def test_the_next_server_is_known_by_the_queue_id_with_which_it_took_the_mail() -> None:
    taken = {
        "recipient": "anna@example.net",
        "status": "sent",
        "remote_queue_id": "4jYDGq425VzsLq",
        "time": TRIED,
    }
    row = joined(POSTFIX, [taken], queue_id="88357C9")
    assert (row["matched_by"], row["delivery_status"]) == ("remote_queue_id", "sent")


def test_without_an_id_of_ours_the_message_id_decides_and_at_last_the_recipient() -> None:
    tried = [{"recipient": "anna@example.net", "time": TRIED}]
    assert joined(POSTFIX, tried, queue_id="88357C9")["matched_by"] == "message_id"
    loose = (
        "From: MAILER-DAEMON@example.com\nSubject: failure notice\nDate: Mon, 2 Mar 2026 09:03:00 +0000\n\n"
        "<anna@example.net>:\nMailbox full\n"
    )
    row = joined(loose, tried)
    assert (row["matched_by"], row["match_certainty"]) == ("recipient", "inferred")
    late = loose.replace("2 Mar 2026", "2 Jun 2026")
    assert joined(late, tried)["matched_by"] is None


def test_the_notifications_of_the_lab_find_their_deliveries_and_the_trace_shows_them() -> None:
    case = mf.open_case(SAMPLES / "bounced")
    read = [read_dsn(path.read_bytes(), case=case) for path in (SAMPLES / "bounced" / "messages").iterdir()]
    rows = [row for table in read for row in table.to_pylist()]
    assert len(rows) >= 4
    failed = case.polars("deliveries").filter(pl.col("status") == "bounced")
    for row in rows:
        assert (row["delivery_status"], row["matched_by"]) == ("bounced", "queue_id")
        assert row["final_recipient"] in failed.filter(message_key=row["message_key"])["recipient"]
        (journey,) = case.trace(queue_id=row["queue_id"]).to_dict()["journeys"]
        assert any("non-delivery notification to the sender" in step["what"] for step in journey["timeline"])


def test_nothing_in_the_log_leaves_the_columns_empty() -> None:
    row = joined(POSTFIX, [])
    assert [row[name] for name in ("message_key", "delivery_time", "matched_by")] == [None, None, None]


def test_the_notifications_among_the_messages_of_a_case_are_a_table_joined_to_the_log(tmp_path: Path) -> None:
    case = mf.open_case(SAMPLES / "bounced")
    table = case.table("dsns")
    told = {row["final_recipient"]: row for row in table.to_pylist()}
    assert set(told) == {
        "nobody@example.org",
        "hugo@nodomain.test",
        "erik@example.net",
        "alexander@example.com",
    }
    assert {(row["matched_by"], row["delivery_status"], row["match_certainty"]) for row in told.values()} == {
        ("queue_id", "bounced", "seen")
    }
    messages = {row["message_key"]: row for row in case.table("messages").to_pylist()}
    row = told["nobody@example.org"]
    assert messages[row["message_key"]]["queue_id"] == row["queue_id"] == "88357C9"
    assert messages[row["message_key"]]["journey_key"] == row["journey_key"]
    assert row["document_id"] in case.table("documents")["document_id"].to_pylist()
    assert (row["cause"], row["diagnostic"][:9]) == ("user_unknown", "550 5.1.1")
    case.save(tmp_path / "saved")
    assert mf.open_case(tmp_path / "saved").table("dsns").equals(table)
    assert mf.ingest(SAMPLES / "bounced", tmp_path / "read").table("dsns").equals(table)


def test_a_notification_finds_its_delivery_when_the_log_comes_later(tmp_path: Path) -> None:
    folder = SAMPLES / "bounced"
    first = mf.ingest(folder / "messages", tmp_path / "case")
    assert first.table("dsns")["message_key"].null_count == first.table("dsns").num_rows == 4
    later = mf.ingest(folder / "mail" / "mail.log", tmp_path / "case")
    # the fourth is of the other host, whose log is not there
    assert later.table("dsns")["matched_by"].to_pylist().count("queue_id") == 3


def test_shared_notifications_name_nobody_and_still_join() -> None:
    case = mf.open_case(SAMPLES / "bounced").pseudonymise(key=b"k" * 16)
    rows = case.table("dsns").to_pylist()
    assert all(row["final_recipient"].endswith(".invalid") for row in rows)
    assert not any(name in str(rows) for name in ("nobody@", "example.org", "alexander"))
    recipients = {name for row in case.table("messages").to_pylist() for name in row["recipients"]}
    assert {row["final_recipient"] for row in rows} <= recipients


@pytest.mark.parametrize("text", [POSTFIX, *(text for text, _ in LOOSE.values())])
def test_every_notification_looks_like_one_and_ordinary_mail_does_not(text: str) -> None:
    assert may_be_notification(text.encode())
    assert may_be_notification(text.replace("\n", "\r\n").encode())
    ordinary = "From: anna@example.com\nTo: postmaster@example.org\nSubject: multipart\n\n" + text
    assert not may_be_notification(ordinary.encode())
