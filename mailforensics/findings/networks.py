"""The network that an address is counted by: /24 for IPv4, /48 for IPv6, the usual size of one customer's site.

192.0.2.135          192.0.2.0/24
2001:db8:7:1::25     2001:db8:7::/48
"""

from __future__ import annotations

import ipaddress

import polars as pl

PREFIXES = {4: 24, 6: 48}


def network(address: str) -> str | None:
    """The /24 or /48 around an address; None for what is no address.

    >>> network("2001:db8::25"), network("unknown")
    ('2001:db8::/48', None)
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return str(ipaddress.ip_network((parsed, PREFIXES[parsed.version]), strict=False))


def networks(addresses: pl.Series) -> pl.Series:
    """The network of each address; each distinct address is looked at once."""
    distinct = addresses.drop_nulls().unique()
    known = pl.DataFrame(
        {
            "address": distinct,
            "network": pl.Series([network(each) for each in distinct.to_list()], dtype=pl.String),
        },
        schema={"address": pl.String, "network": pl.String},
    )
    return addresses.to_frame("address").join(known, on="address", how="left", maintain_order="left")[
        "network"
    ]
