"""Addresses change on the way: the original is recognised behind what forwarders and lists make of it.

    SRS0=HHHH=TT=example.com=alex@forwarder.example.net      alex@example.com        (SRS, the forwarder's rewriting)
    prvs=0123456789=alex@example.com                         alex@example.com        (BATV, draft-levine-smtp-batv)

Both forms are kept: the tables hold addresses as written.
"""

from __future__ import annotations

import polars as pl

_SRS0 = r"(?i)^SRS0[=+-][^=]+=[^=]+=([^=@]+)=(.+)@[^@]+$"
_SRS1 = r"(?i)^SRS1[=+-][^=]+=[^=]+=[=+-][^=]+=[^=]+=([^=@]+)=(.+)@[^@]+$"
_BATV = r"(?i)^(?:prvs|btv1)=[^=]+=(.+@[^@]+)$"
_BATV_TAIL = r"(?i)^(.+)=(?:prvs|btv1)=[0-9A-Fa-f]+(@[^@]+)$"


def original(address: pl.Expr) -> pl.Expr:
    """The address before SRS or BATV; the address itself where there is neither.

    >>> pl.select(original(pl.lit("SRS0=ab12=XY=example.com=alex@forwarder.example.net"))).item()
    'alex@example.com'
    >>> pl.select(original(pl.lit("prvs=0123456789=alex@example.com"))).item()
    'alex@example.com'
    """

    def swapped(pattern: str) -> pl.Expr:
        return pl.concat_str(address.str.extract(pattern, 2), pl.lit("@"), address.str.extract(pattern, 1))

    tail = pl.concat_str(address.str.extract(_BATV_TAIL, 1), address.str.extract(_BATV_TAIL, 2))
    return pl.coalesce(swapped(_SRS0), swapped(_SRS1), address.str.extract(_BATV, 1), tail, address)
