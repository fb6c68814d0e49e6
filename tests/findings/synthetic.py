"""Log lines of incidents, made for tests: each in the form that Postfix and Dovecot write, laid over real traffic of the lab."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from pathlib import Path

SAMPLES = Path(__file__).parents[2] / "sample_data"
BACKGROUND = SAMPLES / "week" / "mail" / "mail.log"  # a night and a day of the week's traffic, zone +01:00
NIGHT = dt.datetime.fromisoformat("2026-01-04T02:00:00+01:00")


def line(seconds: float, program: str, text: str) -> str:
    when = (NIGHT + dt.timedelta(seconds=seconds)).isoformat(timespec="microseconds")
    return f"{when} mail {program}[{4000 + int(seconds) % 900}]: {text}"


def over_traffic(folder: Path, lines: Iterable[str]) -> Path:
    """A log in which these lines stand among the lab's own, in the order of their stamps."""
    background = BACKGROUND.read_text(encoding="utf-8").splitlines()
    path = folder / "mail.log"
    path.write_text("\n".join(sorted([*background, *lines])) + "\n", encoding="utf-8")
    return path


def mail(
    seconds: float,
    queue_id: str,
    *,
    sender: str = "alex@example.com",
    recipients: Iterable[str] = ("nina@example.net",),
    client: str = "unknown[203.0.113.9]",
    account: str | None = None,
    answer: str = "status=sent (250 2.0.0 Ok: queued as 77A0)",
    relay: str = "mx.example.net[192.0.2.25]:25",
    agent: str = "smtp",
    removed: bool = True,
) -> Iterator[str]:
    """A mail from connect to removal, each recipient with the same answer."""
    names = list(recipients)
    login = f", sasl_method=PLAIN, sasl_username={account}" if account else ""
    smtpd = "postfix/submission/smtpd" if account else "postfix/smtpd"
    code = {"sent": "2.0.0", "deferred": "4.4.0", "bounced": "5.1.1"}[
        answer.removeprefix("status=").split(" ")[0]
    ]
    yield line(seconds, smtpd, f"connect from {client}")
    yield line(seconds + 0.01, smtpd, f"{queue_id}: client={client}{login}")
    yield line(seconds + 0.02, "postfix/cleanup", f"{queue_id}: message-id=<{queue_id}@example.com>")
    yield line(
        seconds + 0.03,
        "postfix/qmgr",
        f"{queue_id}: from=<{sender}>, size=1200, nrcpt={len(names)} (queue active)",
    )
    yield line(
        seconds + 0.04,
        smtpd,
        f"disconnect from {client} ehlo=1 auth=1 mail=1 rcpt={len(names)} data=1 quit=1 commands={5 + len(names)}",
    )
    for name in names:
        yield line(
            seconds + 0.5, f"postfix/{agent}",
            f"{queue_id}: to=<{name}>, relay={relay}, delay=0.5, delays=0.1/0.1/0.1/0.2, dsn={code}, {answer}",
        )  # fmt: skip
    if removed:
        yield line(seconds + 0.6, "postfix/qmgr", f"{queue_id}: removed")


def failed_login(seconds: float, account: str, ip: str) -> str:
    return line(
        seconds, "dovecot",
        f"imap-login: Login aborted: Connection closed (auth failed, 1 attempts in 2 secs) (auth_failed): user=<{account}>, "
        f"method=PLAIN, rip={ip}, lip=198.51.100.10, TLS, session=<s{int(seconds * 10)}>",
    )  # fmt: skip


def login(seconds: float, account: str, ip: str) -> Iterator[str]:
    session = f"s{int(seconds * 10)}"
    yield line(
        seconds, "dovecot",
        f"imap-login: Logged in: user=<{account}>, method=PLAIN, rip={ip}, lip=198.51.100.10, mpid=1038, TLS, session=<{session}>",
    )  # fmt: skip
    yield line(
        seconds + 5, "dovecot",
        f"imap({account})<1038><{session}>: Disconnected: Logged out in=100 out=900 deleted=0 expunged=0 trashed=0 "
        "hdr_count=0 hdr_bytes=0 body_count=0 body_bytes=0",
    )  # fmt: skip
