"""Slow connections: what the delivering process said meanwhile tells name service, address, greeting and TLS apart."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

import mailforensics as mf
from mailforensics.findings.connections import slow_connections
from tests.findings.synthetic import SAMPLES

DELIVERY = (
    "Mar  2 10:00:40 mx postfix/smtp[77]: 4jYDGq425VzsLq: to=<anna@example.net>, relay=mx2.example.net[192.0.2.11]:25, delay=40, "
    "delays=0.1/0/31/9, dsn=2.0.0, status=sent (250 2.0.0 Ok)"
)
TOLD = {
    "address": "Mar  2 10:00:30 mx postfix/smtp[77]: connect to mx1.example.net[192.0.2.10]:25: Connection timed out",
    "greeting": "Mar  2 10:00:30 mx postfix/smtp[77]: 4jYDGq425VzsLq: lost connection with mx1.example.net[192.0.2.10] while "
    "receiving the initial server greeting",
    "tls": "Mar  2 10:00:10 mx postfix/smtp[77]: SSL_connect error to mx1.example.net[192.0.2.10]:25: Connection timed out",
    "name_service": "Mar  2 10:00:20 mx postfix/smtp[77]: warning: no MX host for example.net has a valid address record",
}


def because(tmp_path: Path, *lines: str) -> list[str]:
    log = tmp_path / "mail.log"
    log.write_text("\n".join([*lines, DELIVERY]) + "\n", encoding="utf-8")
    case = mf.open_case(log, year=2026)
    rows = slow_connections(case.polars("deliveries"), case.polars("events"))
    assert rows.height == 1
    assert rows["evidence"].list.len().item() == len(lines) + 1
    told: list[str] = rows["because"].to_list()[0]
    return told


@pytest.mark.parametrize("sign", TOLD)
def test_what_the_process_said_meanwhile_tells_what_was_slow(tmp_path: Path, sign: str) -> None:
    assert because(tmp_path, TOLD[sign]) == [sign]


def test_a_setup_can_be_slow_for_two_reasons(tmp_path: Path) -> None:
    assert because(tmp_path, TOLD["tls"], TOLD["address"]) == ["address", "tls"]


@pytest.mark.parametrize(
    "elsewhere",
    [
        TOLD["address"].replace("smtp[77]", "smtp[78]"),
        TOLD["address"].replace("10:00:30", "09:40:00"),
        TOLD["address"].replace(" mx ", " mx9 "),
    ],
)
def test_lines_of_another_process_time_or_host_tell_nothing(tmp_path: Path, elsewhere: str) -> None:
    log = tmp_path / "mail.log"
    log.write_text(f"{elsewhere}\n{DELIVERY}\n", encoding="utf-8")
    case = mf.open_case(log, year=2026)
    rows = slow_connections(case.polars("deliveries"), case.polars("events"))
    assert rows["because"].to_list() == [["not_logged"]]


def test_a_resolver_that_does_not_answer_is_named_by_the_answers() -> None:
    case = mf.open_case(SAMPLES / "incident-resolver")
    rows = slow_connections(case.polars("deliveries"), case.polars("events"), least_s=1)
    named = rows.filter(pl.col("because").list.contains("name_service"))
    assert named.height >= 40
    assert rows["delay_connect_s"].is_sorted(descending=True)


def test_fast_connections_are_not_told() -> None:
    case = mf.open_case(SAMPLES / "normal")
    assert slow_connections(case.polars("deliveries"), case.polars("events"), least_s=60).height == 0
