"""Notifications made for tests: a report of RFC 3462 around the blocks of one about a delivery, or a complaint."""

from __future__ import annotations

MESSAGE_BLOCK = "Reporting-MTA: dns; mail.example.com"
RETURNED = "Message-ID: <d7979c16f20c@example.com>\nSubject: Offer\n\nHello\n"


def report(
    blocks: str,
    *,
    kind: str = "delivery-status",
    sender: str = "MAILER-DAEMON@mail.example.com",
    returned: str = RETURNED,
) -> str:
    """A multipart/report with words for people, the blocks of fields, and the mail that it is about."""
    part = "feedback-report" if kind == "feedback-report" else "delivery-status"
    return (
        f"From: {sender}\nSubject: Undelivered Mail Returned to Sender\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"\n\n'
        "--b\nContent-Type: text/plain\n\nI'm sorry\n\n"
        f"--b\nContent-Type: message/{part}\n\n{blocks}\n\n"
        f"--b\nContent-Type: message/rfc822\n\n{returned}\n--b--\n"
    )
