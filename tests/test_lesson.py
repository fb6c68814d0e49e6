"""The lesson: each answer is what the toolkit reads from the header, wrong answers are helped, and the servers talk."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import mailforensics as mf
from mailforensics import lesson

NUMBERS = range(1, 11)


def read(number: int) -> list[dict[str, Any]]:
    """The hops of an exercise's header, from the sender."""
    one = lesson.exercise(number)
    hops: list[dict[str, Any]] = mf.read_headers(one.header, own=one.own).hops.to_pylist()
    return sorted(hops, key=lambda hop: hop["hop"])


def results(number: int) -> list[dict[str, Any]]:
    one = lesson.exercise(number)
    rows: list[dict[str, Any]] = mf.read_headers(one.header, own=one.own).auth_results.to_pylist()
    return rows


READINGS: dict[int, Callable[[], Any]] = {
    1: lambda: len(read(1)),
    2: lambda: read(2)[0]["by_name"],
    3: lambda: read(3)[-1]["from_ip"],
    4: lambda: read(4)[-1]["delay_s"],
    5: lambda: read(5)[-1]["from_helo"],
    6: lambda: mf.read_headers(lesson.exercise(6).header).documents["return_path"][0].as_py(),
    7: lambda: next(it["smtp_mailfrom"] for it in results(7) if it["method"] == "spf").rpartition("@")[2],
    8: lambda: next(it["by_name"] for it in read(8) if it["clock_suspect"]),
    9: lambda: [it["by_name"] for it in read(9) if it["trust"] == "claimed"],
    10: lambda: next(
        it["result"] for it in results(10) if it["authserv_trust"] == "ours" and it["method"] == "dkim"
    ),
}


@pytest.mark.parametrize("number", NUMBERS)
def test_the_answer_is_what_the_toolkit_reads(number: int) -> None:
    verdict = lesson.check(number, READINGS[number]())
    assert verdict.right, str(verdict)
    assert str(verdict).startswith("✓ Right.")


@pytest.mark.parametrize("number", NUMBERS)
def test_likely_wrong_answers_are_helped(number: int) -> None:
    one = lesson.exercise(number)
    assert one.nearly
    for wrong, sentence in one.nearly.items():
        verdict = lesson.check(number, wrong)
        assert not verdict
        assert verdict.sentence == sentence


@pytest.mark.parametrize("answer", ["", None, 99, object(), [], ["x", "y"], float("nan")])
def test_any_other_answer_is_told_where_to_look(answer: object) -> None:
    for number in NUMBERS:
        assert lesson.exercise(number).where in lesson.check(number, answer).sentence


def test_a_part_of_an_answer_is_told_what_is_missing() -> None:
    said = lesson.check(9, ["mail.bank.test", "evil.test"]).sentence
    assert "Right so far: mail.bank.test." in said
    assert "1 more is missing." in said
    assert "Not part of it: evil.test." in said


def test_an_exercise_that_there_is_not_is_refused() -> None:
    with pytest.raises(mf.OptionError, match="1 to 10"):
        lesson.check(11, 1)


def test_a_question_does_not_give_its_answer_away() -> None:
    for one in lesson.exercises():
        assert one.why not in str(one) + one._repr_html_()
        assert one.question in str(one)


def test_the_teacher_has_every_answer() -> None:
    page = lesson.solutions()
    assert all(it.why in page for it in lesson.exercises())


def test_a_mail_is_really_sent_and_each_server_adds_its_field() -> None:
    said = lesson.dialogue()
    assert [ends for ends, _ in said.talks] == [
        "pc-135.example.com to mail.example.com, ESMTP",
        "mail.example.com to mx.example.org, ESMTP",
        "mx.example.org to store.example.org, LMTP",
    ]
    message = said.delivered["bob@example.org"]
    assert message.startswith("Return-Path: <alex@example.com>\nReceived: from mx.example.org")
    hops = mf.read_headers(message).hops
    assert hops["by_name"].to_pylist() == ["store.example.org", "mx.example.org", "mail.example.com"]


def test_lmtp_answers_for_each_recipient_and_smtp_once() -> None:
    said = lesson.dialogue()
    ends = [[line for who, line in talk if who == "server"][-3:-1] for _, talk in said.talks]
    assert ends[2] == ["250 2.1.5 <bob@example.org> Saved", "552 5.2.2 <bella@example.org> Mailbox is full"]
    assert ends[0][1].startswith("250 2.0.0 Ok: queued as")
    assert list(said.delivered) == ["bob@example.org"]


def test_dots_are_stuffed_on_the_way_and_not_in_the_mailbox() -> None:
    said = lesson.dialogue("Subject: x\n\n.one\n..two\n.", recipients=["bob@example.org"])
    lines = [line for who, line in said.talks[0][1] if who == "client"]
    assert lines[lines.index("DATA") :] == ["DATA", "Subject: x", "", "..one", "...two", "..", ".", "QUIT"]
    assert said.delivered["bob@example.org"].endswith("\n\n.one\n..two\n.")


def test_an_address_cannot_be_a_command() -> None:
    with pytest.raises(mf.OptionError, match="no address"):
        lesson.dialogue(recipients=["bob@example.org>\r\nQUIT"])


def test_hostile_words_stay_text() -> None:
    said = lesson.dialogue("Subject: <script>alert(1)</script>\x1b[31m\n\nx")
    assert "<script>" not in said._repr_html_()
    assert "\x1b" not in str(said)
