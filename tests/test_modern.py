"""Today's servers and what they write into Received: each hop of ``sample_data/modern*`` against what its server said itself.

``hops.json`` is written by the lab's driver from milters, from Exim's own words, from Amavis' log and Dovecot's reply.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import mailforensics as mf

SAMPLES = Path(__file__).parents[1] / "sample_data"
TRUTHS: dict[str, dict[str, Any]] = {
    path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in SAMPLES.glob("*/hops.json")
}
MAILS = [
    pytest.param(name, mail, id=f"{name}/{mail['file']}")
    for name, truth in sorted(TRUTHS.items())
    for mail in truth["mails"]
]
each_set = pytest.mark.parametrize("name", sorted(TRUTHS))
each_mail = pytest.mark.parametrize(("name", "mail"), MAILS)

COLUMNS = (
    "by_name", "from_helo", "from_ip", "from_name", "with_protocol", "id", "tls_version", "tls_cipher", "auth_user", "envelope_from",
)  # fmt: skip
# What a server knows and does not write into its field, as it is configured here.
SILENT = {
    "postfix": {"envelope_from"},
    "postfix-pickup": {"envelope_from"},
    "sendmail": {"envelope_from", "auth_user"},
    "sendmail-submit": {"envelope_from"},
    "exim": {"auth_user"},
    "amavis": {"envelope_from"},
    "dovecot": set(),
}
NAMES_NOBODY = (
    "postfix-pickup"  # its field has no "for"; the others have none where there are several recipients
)


@cache
def case(name: str) -> mf.Case:
    return mf.open_case(SAMPLES / name, own=TRUTHS[name]["own"])


def told(name: str, mail: dict[str, Any]) -> list[dict[str, Any]]:
    """The hops of one message as we read them, nearest to the sender first."""
    documents = case(name).polars("documents").filter(pl.col("message_id") == mail["message_id"])
    hops = case(name).polars("hops").filter(pl.col("document_id") == documents["document_id"].item())
    return hops.sort("hop").to_dicts()


def written(hop: dict[str, Any]) -> dict[str, Any]:
    """What the field of this hop can say of the truth, in our words for protocols and TLS versions."""
    row = {name: None if name in SILENT[hop["software"]] else hop.get(name) for name in COLUMNS}
    if hop["software"] == "exim":
        row["with_protocol"] = hop["with_protocol"].upper()
        row["tls_version"] = hop["tls_version"] and hop["tls_version"].replace("TLS", "TLSv")
        if str(row["from_helo"]).startswith("["):  # Exim leaves out a HELO that is the address itself
            row["from_helo"] = hop["from_name"]
    return row


def test_debian_12_and_13_are_there() -> None:
    assert {truth["suite"] for truth in TRUTHS.values()} >= {"bookworm", "trixie"}


@each_set
def test_the_set_holds_every_server_and_both_releases_of_tls(name: str) -> None:
    hops = [hop for mail in TRUTHS[name]["mails"] for hop in mail["hops"]]
    assert {hop["software"] for hop in hops} == set(SILENT)
    assert {hop.get("tls_version") for hop in hops} >= {"TLSv1.3", "TLSv1.2", "TLS1.3", "TLS1.2", None}
    assert any(hop.get("client_certificate") for hop in hops)


@each_mail
def test_each_hop_says_what_its_server_said(name: str, mail: dict[str, Any]) -> None:
    hops = told(name, mail)
    assert len(hops) == len(mail["hops"])
    wrong = [
        (number, column, hop[column], value)
        for number, (hop, true) in enumerate(zip(hops, mail["hops"], strict=True), 1)
        for column, value in written(true).items()
        if hop[column] != value
    ]
    assert wrong == []


@each_mail
def test_the_recipient_of_each_hop_is_the_one_that_its_server_was_given(
    name: str, mail: dict[str, Any]
) -> None:
    for hop, true in zip(told(name, mail), mail["hops"], strict=True):
        several = len(true["recipients"]) > 1 or true["software"] == NAMES_NOBODY
        assert hop["for_address"] == (None if several else true["recipients"][0])


@each_set
def test_every_line_of_these_hosts_is_understood(name: str) -> None:
    events = case(name).polars("events")
    missed = events.filter((pl.col("parse_status") != "ok") & (pl.col("host") != "sm"))
    assert missed.select("program", "text").rows() == []


@each_set
def test_the_queue_ids_of_fields_join_the_lives_in_the_logs(name: str) -> None:
    lives = case(name).polars("messages").select("host", "queue_id").rows()
    ours = [
        (hop["by_name"].split(".")[0], hop["id"])
        for mail in TRUTHS[name]["mails"]
        for hop in mail["hops"]
        if hop["software"].startswith("postfix")
    ]
    assert set(ours) <= set(lives)
