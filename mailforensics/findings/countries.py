"""Accounts that log in from several countries within a day, where the user names a database of countries.

    compromised_account   warning  Within 24 h of 2026-03-02 01:00 UTC, anna@example.com logged in from 3 countries (BR, DE, VN) ...

The database is one in MaxMind's format (``.mmdb``: GeoLite2 or GeoIP2 Country or City, DB-IP, ipinfo; the format is described in
MaxMind DB File Format Specification 2.0). It is read from disk; nothing is asked of the network. An address that it does
not know (private ones, for instance) has no country and counts for nothing.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import polars as pl

from mailforensics.errors import OptionError
from mailforensics.findings.rows import counted, few, finding_rows

Frame = pl.DataFrame

_WINDOW, _STEP = "24h", "6h"


def account_countries(sessions: Frame, database: str | os.PathLike[str], *, countries: int = 2) -> Frame:
    """Rows of ``findings``: accounts that logged in from that many `countries` or more within 24 hours, the worst day of each.

    `sessions` is the table of that name, `database` the path of a MaxMind database. Severity is warning from the
    threshold on, and high from twice as many. Raises OptionError when the database cannot be read or the package that
    reads it is not installed.
    """
    logins = sessions.filter((pl.col("auth_outcome") == "ok") & pl.col("username").is_not_null()).select(
        pl.col("username").alias("account"), "client_ip", "evidence", time="start_time"
    )
    known = countries_of(logins["client_ip"], database)
    located = logins.with_columns(country=known).drop_nulls(["country", "time"]).sort("time")
    days = located.group_by_dynamic("time", every=_STEP, period=_WINDOW, group_by="account").agg(
        pl.col("country").unique().sort().alias("countries"),
        pl.col("client_ip").unique().sort().alias("addresses"),
        pl.col("evidence").explode(),
    )
    far = days.with_columns(number=pl.col("countries").list.len().cast(pl.Int64)).filter(
        pl.col("number") >= countries
    )
    worst = far.sort(
        "number", "time", descending=[True, False], maintain_order=True
    ).unique("account", keep="first", maintain_order=True)  # fmt: skip
    sentence = pl.format(
        "Within 24 h of {} UTC, {} logged in from {} ({}), by the addresses {}.",
        pl.col("time").dt.strftime("%Y-%m-%d %H:%M"), "account", counted(pl.col("number"), "country", "countries"),
        few(pl.col("countries"), 6), few(pl.col("addresses")),
    )  # fmt: skip
    severity = pl.when(pl.col("number") >= 2 * countries).then(pl.lit("high")).otherwise(pl.lit("warning"))
    return finding_rows(
        worst, finding="compromised_account", severity=severity, subject=pl.col("account"), sentence=sentence, certainty="inferred",
        rule="incident.compromised_account.countries", innocent="A journey, a VPN, or a telephone that roams abroad.",
    )  # fmt: skip


def countries_of(addresses: pl.Series, database: str | os.PathLike[str]) -> pl.Series:
    """The ISO 3166 code of the country of each address, null where the database knows none; each address is asked once.

    Raises OptionError when the database cannot be read.
    """
    found = _looked_up(addresses.drop_nulls().unique().to_list(), database)
    return addresses.replace_strict(found, default=None, return_dtype=pl.String).alias("country")


def _looked_up(addresses: list[str], database: str | os.PathLike[str]) -> dict[str, str | None]:
    try:
        import maxminddb
    except ImportError as error:
        raise OptionError(
            "geo needs the package maxminddb, which is not installed: pip install 'mailforensics[geo]'"
        ) from error
    try:
        with maxminddb.open_database(database, maxminddb.MODE_MEMORY) as reader:
            return {address: _country(reader, address) for address in addresses}
    except OSError as error:
        raise OptionError(
            f"{os.fspath(database)}: the country database could not be read ({error.strerror}); check the path."
        ) from error
    except maxminddb.InvalidDatabaseError as error:
        raise OptionError(
            f"{os.fspath(database)}: this is not a MaxMind database ({error}); give a .mmdb file."
        ) from error


def _country(reader: Any, address: str) -> str | None:
    try:
        record = reader.get(address)
    except ValueError:  # no address, or one of a family that the database does not hold
        return None
    if not isinstance(record, Mapping):
        return None
    country = record.get("country") or record.get("registered_country") or record.get("country_code")
    code = country.get("iso_code") if isinstance(country, Mapping) else country
    return code if isinstance(code, str) else None
