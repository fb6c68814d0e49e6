"""Bounces as the world's servers write them, in words of our own: who was meant, why, and whether the server still tries."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from mailforensics.findings.dsn import read_dsn
from tests.findings.notices import report


@dataclass(frozen=True)
class Variant:
    """One bounce: its header fields, its text, and what it says."""

    text: str
    recipients: tuple[str, ...]
    cause: str
    action: str = "failed"
    sender: str = "MAILER-DAEMON@mx.example.net"
    subject: str = "Undelivered mail"
    fields: str = ""

    def message(self) -> bytes:
        head = f"From: {self.sender}\nTo: alex@example.com\nSubject: {self.subject}\nDate: Mon, 02 Mar 2026 10:05:00 +0000\n"
        return f"{head}{self.fields}\n{self.text}".encode()


RETURNED = "\n--- Below this line is a copy of the message.\n\nReturn-Path: <alex@example.com>\nMessage-ID: <offer-1@example.com>\nSubject: Offer\n\nHello\n"

VARIANTS = {
    "qmail unknown": Variant(
        "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n<anna@example.net>:\nSorry, no mailbox here by that name. (#5.1.1)\n" + RETURNED,
        ("anna@example.net",), "user_unknown", subject="failure notice"),
    "qmail remote full": Variant(
        "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n\n"
        "<bob@example.org>:\n203.0.113.10 does not like recipient.\nRemote host said: 552 5.2.2 The mailbox is over quota\nGiving up on 203.0.113.10.\n" + RETURNED,
        ("bob@example.org",), "mailbox_full", subject="failure notice"),
    "qmail two recipients": Variant(
        "Hi. This is the qmail-send program at mx.example.net.\n\n<anna@example.net>:\nThis address no longer accepts mail.\n\n"
        "<bob@nowhere.example>:\nSorry, I couldn't find any host named nowhere.example. (#5.1.2)\n" + RETURNED,
        ("anna@example.net", "bob@nowhere.example"), "mailbox_disabled", subject="failure notice"),
    "exim unknown": Variant(
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of its\n"
        "recipients. This is a permanent error. The following address(es) failed:\n\n  anna@example.net\n    host mx.example.org [203.0.113.10]\n"
        "    SMTP error from remote mail server after RCPT TO:<anna@example.net>:\n    550 5.1.1 No such user here\n",
        ("anna@example.net",), "user_unknown", sender="Mail Delivery System <Mailer-Daemon@mx.example.net>",
        subject="Mail delivery failed: returning message to sender", fields="X-Failed-Recipients: anna@example.net\n"),
    "exim delayed": Variant(
        "This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its\n"
        "recipients after more than 24 hours on the queue on mx.example.net.\n\nThe address to which the message has not yet been delivered is:\n\n"
        "  anna@example.net\n    host mx.example.org [203.0.113.10]\n    Delay reason: Connection timed out\n\n"
        "No action is required on your part. Delivery attempts will continue for\nsome time, and this warning may be repeated.\n",
        ("anna@example.net",), "connect_failed", "delayed", sender="Mail Delivery System <Mailer-Daemon@mx.example.net>",
        subject="Warning: message 1rZ0aB-000001-2C delayed 24 hours"),
    "exim timeout": Variant(
        "This message was created automatically by mail delivery software.\n\nThe following address(es) failed:\n\n  anna@example.net\n"
        "    retry timeout exceeded\n", ("anna@example.net",), "expired", subject="Mail delivery failed: returning message to sender"),
    "exchange classic": Variant(
        "Your message did not reach some or all of the intended recipients.\n\n      Subject:\tOffer\n      Sent:\t02.03.2026 10:00\n\n"
        "The following recipient(s) could not be reached:\n\n      anna@example.net on 02.03.2026 10:01\n            The e-mail account does not exist at the "
        "organization this message was sent to.\n            <mx.example.net #5.1.1>\n",
        ("anna@example.net",), "user_unknown", sender="System Administrator <postmaster@example.net>", subject="Undeliverable: Offer"),
    "exchange 2016": Variant(
        "Delivery has failed to these recipients or groups:\n\nanna@example.net<mailto:anna@example.net>\nThe email address you entered couldn't be found. "
        "Please check the recipient's email address and try to resend the message.\n\nDiagnostic information for administrators:\n\n"
        "Generating server: mx.example.net\n\nanna@example.net\nRemote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup'\n",
        ("anna@example.net",), "user_unknown", sender="postmaster@example.net", subject="Undeliverable: Offer"),
    "exchange online full": Variant(
        "Your message to bob@example.org couldn't be delivered.\n\nbob's mailbox is full and can't accept messages now.\n\n"
        "bob@example.org\nRemote Server returned '554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException'\n",
        ("bob@example.org",), "mailbox_full", sender="postmaster@example.org", subject="Undeliverable: Offer"),
    "gmail": Variant(
        "Delivery to the following recipient failed permanently:\n\n     anna@example.net\n\nTechnical details of permanent failure:\n"
        "Google tried to deliver your message, but it was rejected by the server for the recipient domain example.net by mx.example.net. [192.0.2.1].\n\n"
        "The error that the other server returned was:\n550 5.1.1 <anna@example.net>: Recipient address rejected: User unknown\n",
        ("anna@example.net",), "user_unknown", sender="Mail Delivery Subsystem <mailer-daemon@example.com>",
        subject="Delivery Status Notification (Failure)", fields="X-Failed-Recipients: anna@example.net\n"),
    "gmail new": Variant(
        "** Address not found **\n\nYour message wasn't delivered to anna@example.net because the address couldn't be found, or is unable to receive mail.\n\n"
        "The response was:\n\n550 5.1.1 The email account that you tried to reach does not exist.\n",
        ("anna@example.net",), "user_unknown", sender="Mail Delivery Subsystem <mailer-daemon@example.com>",
        subject="Delivery Status Notification (Failure)", fields="X-Failed-Recipients: anna@example.net\n"),
    "yahoo": Variant(
        "Sorry, we were unable to deliver your message to the following address.\n\n<anna@example.net>:\n"
        "554: delivery error: dd This user doesn't have an account here (anna@example.net) [0] - mta1.example.net\n\n--- Below this line is a copy of the message.\n\n",
        ("anna@example.net",), "user_unknown", subject="Failure Notice"),
    "sendmail transcript": Variant(
        "The original message was received at Mon, 2 Mar 2026 10:00:00 GMT\nfrom mail.example.com [198.51.100.1]\n\n"
        "   ----- The following addresses had permanent fatal errors -----\n<anna@example.net>\n    (reason: 550 5.1.1 <anna@example.net>... User unknown)\n\n"
        "   ----- Transcript of session follows -----\n... while talking to mx.example.net.:\n>>> DATA\n<<< 550 5.1.1 <anna@example.net>... User unknown\n",
        ("anna@example.net",), "user_unknown", subject="Returned mail: see transcript for details"),
    "sendmail warning": Variant(
        "    **********************************************\n    **      THIS IS A WARNING MESSAGE ONLY      **\n    **  YOU DO NOT NEED TO RESEND YOUR MESSAGE  **\n"
        "    **********************************************\n\nThe original message was received at Mon, 2 Mar 2026 10:00:00 GMT\n\n"
        "   ----- The following addresses had transient non-fatal errors -----\n<anna@example.net>\n\n   ----- Transcript of session follows -----\n"
        "<anna@example.net>... Deferred: Connection refused by mx.example.net.\nWarning: message still undelivered after 4 hours\nWill keep trying until message is 5 days old\n",
        ("anna@example.net",), "connect_failed", "delayed", subject="Warning: could not send message for past 4 hours"),
    "postfix text": Variant(
        "This is the mail system at host mail.example.com.\n\nI'm sorry to have to inform you that your message could not\nbe delivered to one or more recipients.\n\n"
        "<anna@example.net>: host mx.example.net[192.0.2.1] said: 552 5.3.4 Message size\n    exceeds fixed limit (in reply to MAIL FROM command)\n",
        ("anna@example.net",), "message_too_large", subject="Undelivered Mail Returned to Sender"),
    "domino": Variant(
        "Your message\n\n  Subject: Offer\n\nwas not delivered to:\n\n  anna@example.net\n\nbecause:\n\n  User anna (anna@example.net) not listed in Domino Directory\n",
        ("anna@example.net",), "user_unknown", sender="Postmaster@example.net", subject="DELIVERY FAILURE: User anna (anna@example.net) not listed in Domino Directory"),
    "groupwise": Variant(
        "The message that you sent was undeliverable to the following:\n\tanna@example.net (user not found)\n\n",
        ("anna@example.net",), "user_unknown", sender="Mailer-Daemon@example.net", subject="Message status - undeliverable"),
    "courier": Variant(
        "This is a delivery status notification from mx.example.net,\nrunning the Courier mail server, version 1.0.\n\n"
        "The original message was received on Mon, 02 Mar 2026 10:00:00 +0000\n\n---------------------------------------------------------------------------\n\n"
        "                           UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<anna@example.net>:\n"
        "    mx.example.org [203.0.113.10]:\n>>> RCPT TO:<anna@example.net>\n<<< 550 User unknown.\n\n",
        ("anna@example.net",), "user_unknown", subject="NOTICE: mail delivery status."),
    "x400": Variant(
        "This report relates to your message: Subject: Offer\n\nYour message was not delivered to\n\n   anna@example.net\n\nfor the following reason:\n\n"
        "   Recipient name unknown to the message transfer system (unrecognised-OR-name)\n",
        ("anna@example.net",), "user_unknown", sender="postmaster@example.net", subject="Delivery Report (failure) for anna@example.net"),
    "mailchannels": Variant(
        "This message was created automatically by the mail system.\n\nWe were unable to deliver a message that you sent to the following recipient:\n\n"
        "anna@example.net\n\nThe reason for the problem:\n5.1.2 - Bad destination host 'DNS Hard Error looking up example.net (MX): NXDomain'\n",
        ("anna@example.net",), "domain_not_found", sender="Mail Delivery System <postmaster@example.com>", subject="Undeliverable: Offer"),
    "mdaemon": Variant(
        "The following data may contain information about a delivery failure.\n\nFailed address: anna@example.net\n\n--- Session Transcript ---\n"
        "<-- 550 <anna@example.net>, Recipient unknown\n--- End Transcript ---\n",
        ("anna@example.net",), "user_unknown", sender="MDaemon at example.net <postmaster@example.net>", subject="Permanent Delivery Failure"),
    "james": Variant(
        "Hi. This is the James mail server at mx.example.net.\nI'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out. Below\nI include the list of recipients and the reason why I was unable to deliver\nyour message.\n\n"
        "Failed recipient(s):\nanna@example.net\n\nError message:\n550 5.1.1 unknown user\n",
        ("anna@example.net",), "user_unknown", sender="postmaster@example.net", subject="Delivery failure"),
    "german provider": Variant(
        "Diese Nachricht wurde automatisch erzeugt.\n\nIhre E-Mail konnte nicht zugestellt werden an:\n\nanna@example.net\n\nGrund:\nDas Postfach des Empfängers ist voll.\n",
        ("anna@example.net",), "mailbox_full", subject="Unzustellbar: Angebot"),
    "french provider": Variant(
        "Votre message n'a pas pu être remis au destinataire suivant :\n\n<anna@example.net>:\n550 5.1.1 Utilisateur inconnu\n",
        ("anna@example.net",), "user_unknown", subject="Message non remis"),
    "smtp relay service": Variant(
        "The following message to <anna@example.net> was undeliverable.\nThe reason for the problem:\n5.1.0 - Unknown address error 550-'5.7.1 Client host rejected: 192.0.2.1 is on our blacklist'\n",
        ("anna@example.net",), "ip_blocklisted", subject="Delivery Status Notification (Failure)"),
    "imail": Variant(
        "Unknown user: anna@example.net\n\nOriginal message follows.\n\nReceived: from mail.example.com\n",
        ("anna@example.net",), "user_unknown", sender="postmaster@example.net", subject="Undeliverable Mail"),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_a_bounce_says_who_was_meant_and_why(name: str) -> None:
    variant = VARIANTS[name]
    rows = read_dsn(variant.message()).to_pylist()
    assert tuple(row["final_recipient"] for row in rows) == variant.recipients
    assert (rows[0]["cause"], rows[0]["action"]) == (variant.cause, variant.action)


COMPLAINT = (
    "Feedback-Type: {kind}\nUser-Agent: SomeLoop/1.0\nVersion: 1\n"
    "Original-Rcpt-To: <anna@example.net>\nArrival-Date: Mon, 02 Mar 2026 10:00:00 +0000\n{more}"
)


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("abuse", ""),
        ("not-spam", ""),
        ("auth-failure", "Auth-Failure: dmarc\n"),
        ("opt-out", ""),
        ("virus", ""),
    ],
)
def test_a_feedback_report_is_told_apart_from_a_bounce_and_its_kind_is_named(kind: str, more: str) -> None:
    blocks = COMPLAINT.format(kind=kind, more=more)
    text = report(blocks, kind="feedback-report", sender="feedback@example.net")
    (row,) = read_dsn(text.encode()).to_pylist()
    assert (row["format"], row["final_recipient"]) == ("feedback", "anna@example.net")
    assert row["original_message_id"] == "<d7979c16f20c@example.com>"
    assert row["cause_family"] == "not_a_bounce"
    assert kind in row["diagnostic"]
