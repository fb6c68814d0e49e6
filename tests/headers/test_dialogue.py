"""SMTP dialogues in the hands of textbooks, Postfix, swaks and smtpd -v; secrets masked."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.headers.dialogue import SCHEMA, read_dialogue, traces

TURNS = [
    ("S", "220 mx.example.net ESMTP"),
    ("C", "EHLO mail.example.org"),
    ("S", "250-mx.example.net"),
    ("S", "250-SIZE 10240000"),
    ("S", "250 STARTTLS"),
    ("C", "STARTTLS"),
    ("S", "220 2.0.0 Ready"),
    ("C", "EHLO mail.example.org"),
    ("S", "250-mx.example.net"),
    ("S", "250 AUTH PLAIN LOGIN"),
    ("C", "AUTH PLAIN AGFsaWNlAHNlY3JldA=="),
    ("S", "235 2.7.0 Welcome"),
    ("C", "MAIL FROM:<alice@example.org> SIZE=120 BODY=8BITMIME"),
    ("S", "250 2.1.0 Ok"),
    ("C", "RCPT TO:<bob@example.net> NOTIFY=NEVER"),
    ("S", "250 2.1.5 Ok"),
    ("C", "RCPT TO:<nobody@example.net>"),
    ("S", "550 5.1.1 <nobody@example.net>: Recipient address rejected"),
    ("C", "DATA"),
    ("S", "354 End data with <CR><LF>.<CR><LF>"),
    ("C", "Subject: x"),
    ("C", ""),
    ("C", "250 this is no reply"),
    ("C", "..a dot"),
    ("C", "."),
    ("S", "250 2.0.0 Ok: queued as 4F3D2"),
    ("C", "QUIT"),
    ("S", "221 2.0.0 Bye"),
]
STYLES = {
    "textbook": {"S": "S: ", "C": "C: "},
    "postfix": {"S": " Out: ", "C": " In:  "},
    "swaks": {"S": "<-  ", "C": " -> "},
    "smtpd": {"S": "> unknown[192.0.2.7]: ", "C": "< unknown[192.0.2.7]: "},
    "syslog": {"S": "Mar  2 10:02:11 mx postfix/smtpd[7]: > a.example[192.0.2.7]:25: ", "C": "Mar  2 10:02:11 mx postfix/smtpd[7]: < a.example[192.0.2.7]:25: "},
    "bare": {"S": "", "C": ""},
}  # fmt: skip


def written(style: str) -> str:
    return "\n".join(STYLES[style][speaker] + line for speaker, line in TURNS)


@pytest.mark.parametrize("style", STYLES)
def test_a_dialogue_reads_the_same_in_every_hand(style: str) -> None:
    rows = read_dialogue(written(style)).to_dicts()
    assert [(row["command"], row["reply_code"], row["enhanced_code"]) for row in rows] == [
        (None, 220, None), ("EHLO", 250, None), ("STARTTLS", 220, "2.0.0"), ("EHLO", 250, None), ("AUTH", 235, "2.7.0"),
        ("MAIL", 250, "2.1.0"), ("RCPT", 250, "2.1.5"), ("RCPT", 550, "5.1.1"), ("DATA", 354, None),
        ("(message)", 250, "2.0.0"), ("QUIT", 221, "2.0.0"),
    ]  # fmt: skip
    assert [row["accepted"] for row in rows].count(False) == 1
    assert rows[1]["reply"] == ["mx.example.net", "SIZE 10240000", "STARTTLS"]
    assert rows[5]["parameters"] == [{"key": "SIZE", "value": "120"}, {"key": "BODY", "value": "8BITMIME"}]
    assert rows[6]["address"] == "bob@example.net"
    assert [row["secure"] for row in rows[1:5]] == [False, False, True, True]
    assert all(row["defects"] == [] for row in rows)


def test_secrets_are_masked() -> None:
    text = (
        "S: 220 mx\nC: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: YWxpY2U=\nS: 334 UGFzc3dvcmQ6\nC: c2VjcmV0\nS: 535 5.7.8 No\n"
        "C: AUTH PLAIN\nS: 334\nC: AGFsaWNlAHNlY3JldA==\nS: 235 2.7.0 Ok\nC: AUTH PLAIN AGFsaWNlAHNlY3JldA==\nS: 503 Already\n"
    )
    rows = read_dialogue(text)
    assert [(row["argument"], row["reply_code"]) for row in rows.to_dicts()[1:]] == [
        ("LOGIN", 535), ("PLAIN", 235), ("PLAIN ********", 503),
    ]  # fmt: skip
    kept = str(rows.to_dicts())
    for secret in ("YWxpY2U=", "c2VjcmV0", "AGFsaWNlAHNlY3JldA=="):
        assert secret not in kept


def test_lmtp_answers_for_each_recipient() -> None:
    text = (
        "S: 220 mx LMTP\nC: LHLO a\nS: 250 mx\nC: MAIL FROM:<>\nS: 250 ok\nC: RCPT TO:<a@example.net>\nS: 250 ok\n"
        "C: RCPT TO:<b@example.net>\nS: 250 ok\nC: DATA\nS: 354 go\nC: x\nC: .\nS: 250 2.0.0 Saved\nS: 452 4.2.2 Full\n"
    )
    rows = read_dialogue(text).to_dicts()
    assert [(row["recipient"], row["reply_code"], row["enhanced_code"]) for row in rows[-2:]] == [
        ("a@example.net", 250, "2.0.0"), ("b@example.net", 452, "4.2.2"),
    ]  # fmt: skip


def test_what_is_out_of_order_is_said() -> None:
    rows = read_dialogue(
        "S: 220 mx\nC: DATA\nS: 503 no\nC: MAIL\nS: 501 no\nC: MOO x\nS: 502 no\nC: RSET\nS: 550 2.0.0 x\nC: NOOP\n"
    ).to_dicts()
    assert [row["defects"] for row in rows] == [
        [], ["no_recipient"], ["address_missing"], ["unknown_command"], ["codes_disagree"], ["no_reply"],
    ]  # fmt: skip


def test_pipelined_commands_find_their_replies() -> None:
    text = "S: 220 mx\nC: MAIL FROM:<a@example.org>\nC: RCPT TO:<b@example.net>\nC: DATA\nS: 250 one\nS: 250 two\nS: 354 three\nC: x\nC: .\nS: 250 four\n"
    assert [(row["command"], row["reply"]) for row in read_dialogue(text).to_dicts()[1:]] == [
        ("MAIL", ["one"]), ("RCPT", ["two"]), ("DATA", ["three"]), ("(message)", ["four"]),
    ]  # fmt: skip


def test_every_row_is_explained() -> None:
    rows = read_dialogue(written("textbook"))
    assert rows["meaning"][7] == "One more recipient. No (550: refused)."
    assert rows["meaning"].null_count() == 0


def test_the_traces_that_a_dialogue_leaves() -> None:
    left = traces(read_dialogue(written("swaks")), by="mx.example.net", client="mail.example.org [192.0.2.7]")
    assert (
        left.received
        == "from mail.example.org (mail.example.org [192.0.2.7]) by mx.example.net with ESMTPSA id 4F3D2 for <bob@example.net>"
    )
    assert left.return_path == "<alice@example.org>"
    assert traces(read_dialogue("S: 220 mx\nC: HELO a\nS: 250 mx\n")).return_path is None


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.text(max_size=400),
        st.lists(
            st.sampled_from([line for _, line in TURNS] + ["S: ", "C: ", "\n", " In: ", "334", "."]),
            max_size=40,
        ).map("\n".join),
    )
)
def test_no_text_at_all_makes_it_raise(text: Any) -> None:
    rows = read_dialogue(text)
    assert rows.columns == list(SCHEMA)
    traces(rows)
