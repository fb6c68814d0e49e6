"""Addresses change on the way: the original is recognised behind what forwarders, lists and filters make of it.

    SRS0=HHHH=TT=example.com=alex@forwarder.example.net      alex@example.com        SRS, the forwarder's rewriting
    prvs=0123456789=alex@example.com                         alex@example.com        BATV (draft-levine-smtp-batv)
    bounces+4711-alex=example.com@lists.example.net          alex@example.com        VERP, a list's sender for one recipient
    list-bounces-alex=example.com@lists.example.net          alex@example.com        the same
    alex+news@example.com                                    alex@example.com        the recipient delimiter of postconf(5)

Both forms are kept: the tables hold addresses as written, and a question for the one finds the other.
"""

from __future__ import annotations

import re

import polars as pl

_SRS0 = r"(?i)^SRS0[=+-][^=]+=[^=]+=([^=@]+)=(.+)@[^@]+$"
_SRS1 = r"(?i)^SRS1[=+-][^=]+=[^=]+=[=+-][^=]+=[^=]+=([^=@]+)=(.+)@[^@]+$"
_BATV = r"(?i)^(?:prvs|btv1)=[^=]+=(.+@[^@]+)$"
_BATV_TAIL = r"(?i)^(.+)=(?:prvs|btv1)=[0-9A-Fa-f]+(@[^@]+)$"
# the list's own part ends with a plus, or with its word for bounces; a number of the mailing may follow
_VERP = (
    r"(?i)^(?:[^=@]*\+|(?:[^=@]*[-.])?(?:bounces?|returns?|owner|errors?)-)(?:[0-9]+[-+])*"
    r"([^=@+]+)=([^=@]+\.[^=@]+)@[^@]+$"
)


def original(address: pl.Expr) -> pl.Expr:
    """The address before SRS, BATV or VERP; the address itself where there is none of them.

    >>> odd = ["SRS0=ab12=XY=example.com=alex@forwarder.example.net", "prvs=0123456789=alex@example.com",
    ...        "bounces+4711-alex=example.com@lists.example.net", "list-bounces-alex=example.com@lists.example.net",
    ...        "a=b@example.com"]
    >>> pl.DataFrame({"address": odd}).select(original(pl.col("address")))["address"].to_list()
    ['alex@example.com', 'alex@example.com', 'alex@example.com', 'alex@example.com', 'a=b@example.com']
    """

    def joined(pattern: str, user: int, domain: int) -> pl.Expr:
        return pl.concat_str(
            address.str.extract(pattern, user), pl.lit("@"), address.str.extract(pattern, domain)
        )

    tail = pl.concat_str(address.str.extract(_BATV_TAIL, 1), address.str.extract(_BATV_TAIL, 2))
    return pl.coalesce(
        joined(_SRS0, 2, 1),
        joined(_SRS1, 2, 1),
        address.str.extract(_BATV, 1),
        tail,
        joined(_VERP, 1, 2),
        address,
    )


def stands_for(address: str) -> dict[str, str] | None:
    """What a rewritten address stands for: its form (SRS, BATV, VERP) and the address in it; None where it is none.

    That of SRS and BATV is the sender; VERP names the recipient that a bounce would be about.

    >>> stands_for("bounces+alex=example.com@lists.example.net")
    {'form': 'VERP', 'address': 'alex@example.com'}
    """
    if "=" not in address:
        return None
    before = str(pl.select(original(pl.lit(address))).item())
    if before == address:
        return None
    begin = address.lower()
    form = "SRS" if begin.startswith(("srs0", "srs1")) else "VERP" if re.search(_VERP, address) else "BATV"
    return {"form": form, "address": before}


def originals(addresses: pl.Series) -> pl.Series:
    """The same for a column; the few that are rewritten are looked at once each."""
    odd = addresses.unique().drop_nulls()
    odd = odd.filter(odd.str.contains("=", literal=True))
    if not len(odd):
        return addresses
    return addresses.replace(odd, odd.to_frame("address").select(original(pl.col("address")))["address"])


def forms(address: str, delimiters: str = "+", *, verp: bool = True) -> str:
    """A pattern, for text in lower case, that finds an address in all its forms; of half an address, just that.

    Without ``verp``, not the senders of lists that name it as their recipient.

    >>> [bool(re.search(forms("Alex@example.com"), text)) for text in
    ...  ("alex@example.com", "alex+news@example.com", "b+alex=example.com@lists.example", "alexa@example.com")]
    [True, True, True, False]
    """
    user, at, domain = address.lower().rpartition("@")
    if not at or not user or not domain:
        return re.escape(address.lower())
    user, domain = re.escape(user), re.escape(domain)
    detail = f"(?:[{re.escape(delimiters)}][^@]*)?" if delimiters else ""
    found = f"{user}{detail}@{domain}|={domain}={user}@|{user}=(?:prvs|btv1)=[^@]*@{domain}"
    return f"{found}|{user}={domain}@" if verp else found
