"""A trace names the mail by its own subject, not by that of a notification about it."""

from __future__ import annotations

import pytest

from mailforensics import samples

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
