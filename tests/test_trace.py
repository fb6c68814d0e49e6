"""A trace names the mail by its own subject, not by that of a notification about it."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

import mailforensics as mf
from mailforensics import samples
from mailforensics.trace import as_pasted, near_addresses

SAMPLES = Path(__file__).parents[1] / "sample_data"

NOTIFICATION = "Undelivered Mail Returned to Sender"


@pytest.mark.parametrize("scenario", ["bounced", "forwarded"])
def test_the_subject_of_a_notification_is_never_that_of_the_mail(scenario: str) -> None:
    told = samples.load(scenario).trace(sender="example").journeys

    assert any(journey["subject"] for journey in told)
    assert NOTIFICATION not in {journey["subject"] for journey in told}


def test_the_mail_keeps_its_own_subject_where_a_notification_has_one_too() -> None:
    told = samples.load("bounced").trace(to="alexander@example.com").journeys

    assert [journey["subject"] for journey in told] == ["Minutes of the meeting"]


def test_the_words_of_a_notification_still_find_the_mail_it_is_about() -> None:
    assert len(samples.load("bounced").trace(subject=NOTIFICATION)) > 0


def test_steps_stand_in_the_order_of_corrected_clocks() -> None:
    """The clock of gw is 37 s ahead: by the stamps mail arrives there after it left it."""
    case = mf.open_case(SAMPLES / "three-hosts")
    told = case.trace(to="nobody@example.org").to_dict()
    assert [clock.split(" is ")[0] for clock in told["searched"]["clocks"]] == ["the clock of gw"]
    hosts = [
        step["host"]
        for step in told["journeys"][0]["timeline"]
        if step["what"].startswith(("accepted", "bounced"))
    ]
    assert hosts == ["mail", "gw", "gw", "mail"]
    waits = [step["wait_s"] for step in told["journeys"][0]["timeline"] if step["wait_s"] is not None]
    assert all(abs(wait) < 10 for wait in waits)
    assert any("the clock of gw is 3" in said for said in case.summary()["notable"])


def test_a_saved_case_keeps_the_clocks(tmp_path: Path) -> None:
    case = mf.ingest(SAMPLES / "three-hosts", tmp_path / "case")
    again = mf.open_case(tmp_path / "case")
    assert again.trace(to="nobody").to_dict() == case.trace(to="nobody").to_dict()
    assert again.clocks.equals(mf.open_case(SAMPLES / "three-hosts").clocks)


def test_hosts_whose_clocks_agree_are_not_spoken_of() -> None:
    assert mf.open_case(SAMPLES / "normal").trace(to="example").to_dict()["searched"]["clocks"] == []


LIST = "bounces+4711-bob=example.org@lists.example.net"


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ({"sender": "alex@example.com"}, 2),  # as it is, and rewritten by a forwarder
        ({"sender": "bob@example.org"}, 0),  # a list's sender names him, but it is no mail of his
        (
            {"to": "bob@example.org"},
            3,
        ),  # with a detail, and as the list's address that a bounce about him goes to
        ({"to": "bob"}, 3),
    ],
)
def test_an_address_is_found_in_the_forms_that_others_give_it(
    question: dict[str, str], found: int, tmp_path: Path
) -> None:
    mails = [
        ("alex@example.com", "bob@example.org"),
        ("SRS0=ab12=XY=example.com=alex@forwarder.example.net", "bob+news@example.org"),
        ("", LIST),
    ]
    lines = [
        f"2026-03-02T10:0{n}:0{i}+01:00 a postfix/{text}\n"
        for n, (sender, to) in enumerate(mails)
        for i, text in enumerate([
            f"smtpd[7]: 3F2A1C0B{n}: client=c.example.net[192.0.2.7]",
            f"qmgr[9]: 3F2A1C0B{n}: from=<{sender}>, size=100, nrcpt=1 (queue active)",
            f"smtp[5]: 3F2A1C0B{n}: to=<{to}>, relay=mx[203.0.113.10]:25, delay=1, delays=1/0/0/0, dsn=2.0.0, status=sent (250 ok)",
        ])
    ]  # fmt: skip
    (tmp_path / "mail.log").write_text("".join(lines), encoding="utf-8")
    case = mf.open_case(tmp_path / "mail.log")
    assert len(case.trace(**question)) == found


def test_a_rewritten_sender_is_told_with_what_it_stands_for() -> None:
    from mailforensics.show.sentences import route
    from mailforensics.trace import stands_for

    assert route(
        {"sender": LIST, "recipients": ["bob@example.org"], "sender_stands_for": stands_for(LIST)}
    ) == (f"{LIST} (VERP: bob@example.org) -> bob@example.org")


@pytest.mark.parametrize(
    "question",
    [
        {"to": "Bob <bob@example.org>"}, {"to": "mailto:bob@example.org"}, {"to": "to=<bob@example.org>,"}, {"to": " bob@example.org "},
        {"to": '"Bob, the other" <bob@example.org>'}, {"message_id": "Message-ID: <c7e2c7d6-b6b4-2d68956e83da@example.com>"},
        {"message_id": "message-id=<c7e2c7d6-b6b4-2d68956e83da@example.com>"}, {"queue_id": "4jYJ2p3pFsz4b:"},
        {"client": "out.example.edu[192.0.2.40]"}, {"client": "[192.0.2.40]"}, {"client": "out.example.edu"},
        {"sender": "Emma <emma@example.edu>"}, {"sender": "from=<emma@example.edu>"}, {"relay": "mx.example.org[203.0.113.10]:25"},
    ],
)  # fmt: skip
def test_a_question_may_be_pasted_from_a_mail_or_a_log(question: dict[str, str]) -> None:
    assert len(mf.open_case(SAMPLES / "lost-in-sieve").trace(**question))


def test_the_null_sender_is_still_asked_for_as_angle_brackets() -> None:
    assert as_pasted("sender", "<>") == "<>"
    assert len(mf.open_case(SAMPLES / "bounced").trace(sender="<>"))


@pytest.mark.parametrize("time", ["25:00", "24:00", "10:60", "yesterday", "2026-13-45"])
def test_a_time_that_there_is_not_is_refused_in_words(time: str) -> None:
    with pytest.raises(mf.OptionError, match="cannot be read"):
        mf.open_case(SAMPLES / "lost-in-sieve").trace(to="bob", since=time)


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(mf.OptionError, match="later than"):
        mf.open_case(SAMPLES / "lost-in-sieve").trace(
            to="bob", since="2026-11-23 22:00", until="2026-11-23 21:00"
        )


def test_near_addresses_are_all_that_a_comparison_letter_by_letter_finds() -> None:
    case = samples.load("week")
    known = sorted(set(case.polars("journeys")["recipients"].explode().drop_nulls()))
    asked = {
        known[0][1:],
        known[-1] + "x",
        known[len(known) // 2].replace("e", "ee"),
        "nobody@elsewhere.test",
    }
    found = {address: near_addresses(case, {"to": address}) for address in asked}
    assert found == {address: difflib.get_close_matches(address, known, n=3, cutoff=0.8) for address in asked}
    assert sum(map(bool, found.values())) == 3
