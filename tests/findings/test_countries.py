"""Countries of logins: a small database in MaxMind's format, accounts that travel too fast, and what cannot be read."""

from __future__ import annotations

import builtins
from itertools import chain
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner
from mmdb_writer import MMDBWriter
from netaddr import IPSet

import mailforensics as mf
from mailforensics.cli import main
from mailforensics.errors import OptionError
from mailforensics.findings.countries import account_countries, countries_of
from tests.findings.synthetic import login, over_traffic

NETWORKS = {"203.0.113.0/26": "BR", "203.0.113.64/26": "VN", "198.51.100.0/24": "DE", "2001:db8:7::/48": "DE"}


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Test-Country")
    for network, code in NETWORKS.items():
        writer.insert_network(IPSet([network]), {"country": {"iso_code": code}})
    writer.insert_network(IPSet(["192.0.2.0/24"]), {"registered_country": {"iso_code": "FR"}})
    path = tmp_path_factory.mktemp("geo") / "countries.mmdb"
    writer.to_db_file(str(path))
    return path


def travelling(tmp_path: Path) -> Path:
    """One account in three countries within two hours and one at home."""
    logins = (
        login(60, "anna@example.org", "198.51.100.7"),
        login(600, "anna@example.org", "203.0.113.7"),
        login(7200, "anna@example.org", "203.0.113.77"),
        login(90, "bob@example.org", "198.51.100.8"),
        login(95, "bob@example.org", "198.51.100.9"),
        login(99, "bob@example.org", "10.0.0.9"),
    )
    return over_traffic(tmp_path, chain(*logins))


def test_the_country_of_an_address_is_looked_up_and_an_unknown_one_has_none(database: Path) -> None:
    asked = pl.Series(["203.0.113.1", "2001:db8:7::5", "192.0.2.1", "10.0.0.1", "unknown", None])
    assert countries_of(asked, database).to_list() == ["BR", "DE", "FR", None, None, None]


def test_an_account_in_three_countries_within_a_day_is_told_with_its_lines(
    tmp_path: Path, database: Path
) -> None:
    case = mf.open_case(travelling(tmp_path))
    rows = [row for row in case.findings(geo=database).to_pylist() if row["rule"].endswith(".countries")]
    (row,) = rows
    assert (row["finding"], row["severity"], row["subject"]) == (
        "compromised_account",
        "warning",
        "anna@example.org",
    )
    assert "3 countries (BR, DE, VN)" in row["sentence"]
    assert len(row["evidence"]) >= 3
    assert all(
        not each["rule"].endswith(".countries") for each in case.findings().to_pylist()
    )  # nothing unless asked


def test_twice_as_many_countries_as_the_threshold_are_high(tmp_path: Path, database: Path) -> None:
    sessions = mf.open_case(travelling(tmp_path)).polars("sessions")
    assert account_countries(sessions, database, countries=1).filter(pl.col("subject") == "anna@example.org")[
        "severity"
    ].to_list() == ["high"]
    assert account_countries(sessions, database, countries=4).height == 0


def test_the_command_takes_the_database_and_refuses_it_beside_pseudonyms(
    tmp_path: Path, database: Path
) -> None:
    log = str(travelling(tmp_path))
    told = CliRunner().invoke(main, ["findings", log, "--geo", str(database)])
    assert told.exit_code == 0, told.output
    assert "3 countries (BR, DE, VN)" in " ".join(told.output.split())
    refused = CliRunner().invoke(main, ["findings", log, "--geo", str(database), "--pseudonymise"])
    assert refused.exit_code == 2
    assert "real addresses" in refused.output


@pytest.mark.parametrize(
    ("content", "words"), [(None, "check the path"), (b"no database", "not a MaxMind database")]
)
def test_a_database_that_cannot_be_read_is_an_error_that_says_so(
    tmp_path: Path, content: bytes | None, words: str
) -> None:
    path = tmp_path / "countries.mmdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(OptionError, match=words):
        countries_of(pl.Series(["192.0.2.1"]), path)


def test_without_the_extra_the_error_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, database: Path
) -> None:
    imported = builtins.__import__

    def without(name: str, *rest: Any, **more: Any) -> Any:
        if name == "maxminddb":
            raise ImportError(name)
        return imported(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(OptionError, match=r"mailforensics\[geo\]"):
        countries_of(pl.Series(["192.0.2.1"]), database)
