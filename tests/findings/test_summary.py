"""The summary against pflogsumm on the same logs: all totals and all tables, differences only where they are explained."""

from __future__ import annotations

import gzip
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path

import polars as pl
import pytest

import mailforensics as mf
from mailforensics.findings.summary import TOTALS, MailSummary, as_text

SAMPLES = Path(__file__).parents[2] / "sample_data"
ZONE = "Europe/Berlin"
UNITS = {"k": 2**10, "m": 2**20, " ": 1, "": 1}
WORDS = {"sending hosts/domains": "sending_domains", "recipient hosts/domains": "recipient_domains"}

# Debian puts it where only root's PATH leads
PFLOGSUMM = shutil.which("pflogsumm") or shutil.which("pflogsumm", path="/usr/sbin:/usr/local/sbin")
needs_pflogsumm = pytest.mark.skipif(
    PFLOGSUMM is None, reason="pflogsumm is not installed (Debian package pflogsumm)"
)


def joined_log(host: Path, target: Path) -> Path:
    """The rotated logs of a host in their order, unpacked into one file."""
    rotated = sorted(
        host.glob("mail.log*"), key=lambda path: -int((re.findall(r"log\.([0-9]+)", path.name) or ["0"])[0])
    )
    opened = (
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in rotated
    )
    target.write_bytes(b"".join(opened))
    return target


@cache
def summary_of(log: Path) -> MailSummary:
    return mf.open_case(log, timezone=ZONE, year=2026).traffic()


def theirs(log: Path) -> str:
    assert PFLOGSUMM is not None
    return subprocess.run([PFLOGSUMM, log], capture_output=True, text=True, check=True).stdout


def their_totals(report: str) -> dict[str, int]:
    """The grand totals; rounded numbers as they stand, to be compared as rounded."""
    part = report.split("messages\n")[1].split("Per-")[0]
    found = {}
    for line in part.splitlines():
        if match := re.match(
            r" +([0-9]+)([km ]) +([a-z/ ]+?)(?: +\(([0-9]+)[km ]* +deferrals\)| \([0-9]+%\))?$", line
        ):
            found[WORDS.get(match[3], match[3].replace(" ", "_"))] = int(match[1]) * UNITS[match[2]]
            found |= {"deferrals": int(match[4])} if match[4] else {}
    return {"deferrals": 0} | found


def rounded(number: int) -> int:
    for limit, unit in ((2**29, 2**20), (2**19, 2**10)):
        if number > limit:
            return number // unit * unit
    return number


def section(report: str, title: str) -> list[str]:
    """The rows of one part of a report, without heading and rules."""
    lines = report.split(f"{title}")[1].split("\n\n")[0].splitlines()[1:]
    return [line.rstrip() for line in lines if line.strip() and not set(line.strip()) <= {"-", " "}]


@needs_pflogsumm
@pytest.mark.parametrize("host", ["mail", "mx"])
def test_every_total_of_a_week_equals_pflogsumm(host: str, tmp_path: Path) -> None:
    log = joined_log(SAMPLES / "week" / host, tmp_path / "mail.log")
    ours, totals = summary_of(log), their_totals(theirs(log))
    assert set(totals) == set(TOTALS)
    assert {what: rounded(ours.total(what, every_queue=True)) for what in TOTALS} == totals


@needs_pflogsumm
@pytest.mark.parametrize("host", ["mail", "mx"])
@pytest.mark.parametrize(
    "title",
    [
        "Per-Day Traffic Summary",
        "Per-Hour Traffic Daily Average",
        "Host/Domain Summary: Message Delivery",
        "Host/Domain Summary: Messages Received",
        "Senders by message count",
        "Recipients by message count",
    ],
)
def test_the_tables_of_the_report_are_those_of_pflogsumm(host: str, title: str, tmp_path: Path) -> None:
    log = joined_log(SAMPLES / "week" / host, tmp_path / "mail.log")
    mine, peer = section(as_text(summary_of(log)), title), section(theirs(log), title)
    assert len(mine) > 1
    assert sorted(mine) == sorted(peer)


@needs_pflogsumm
def test_mail_that_a_filter_gave_back_is_counted_once_and_the_number_of_pflogsumm_stands_beside(
    tmp_path: Path,
) -> None:
    """pflogsumm passes over an smtpd with a syslog_name it does not know; under the usual name it counts mail twice."""
    log = SAMPLES / "content-filter" / "mail" / "mail.log"
    named = tmp_path / "mail.log"
    named.write_text(
        log.read_text(encoding="utf-8").replace("postfix/reinject/smtpd", "postfix/smtpd"), encoding="utf-8"
    )
    ours, totals = summary_of(log), their_totals(theirs(named))
    assert {what: rounded(ours.total(what, every_queue=True)) for what in TOTALS} == totals
    assert ours.total("received") == their_totals(theirs(log))["received"] < totals["received"]
    assert ours.total("delivered") < totals["delivered"]
    assert f"{totals['received']} received" in as_text(ours)


def test_the_numbers_agree_with_each_other() -> None:
    ours = mf.open_case(SAMPLES / "week").traffic()
    for what in ("received", "delivered", "bounced", "rejected"):
        assert ours.days[what].sum() == ours.hours[what].sum() == ours.total(what)
    assert (
        ours.recipient_domains["sent"].sum() == ours.total("delivered") == ours.recipients["messages"].sum()
    )
    assert ours.recipient_domains["bytes"].sum() == ours.total("bytes_delivered")
    assert ours.senders.height == ours.total("senders")


def test_one_mail_over_two_hosts_is_one_mail() -> None:
    ours = mf.open_case(SAMPLES / "normal").traffic()
    assert ours.total("mails") < ours.total("received")


def test_a_list_can_be_cut() -> None:
    text = as_text(mf.open_case(SAMPLES / "week").traffic(), top=2)
    assert len(section(text, "top 2 Senders by message count")) == 2


def test_a_case_without_mail_has_a_summary_of_zeros() -> None:
    ours = mf.open_case(SAMPLES / "phish" / "messages").traffic()
    assert ours.totals.filter(pl.col("number") != 0).is_empty()
    assert as_text(ours).startswith("Grand Totals\n------------\n")
