"""What the evidence covers, and who logged in from where."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

from mailforensics.show import words
from mailforensics.show.plots.canvas import (
    BLUE,
    SKY,
    VERMILLION,
    axes_for,
    finish,
    frame_of,
    local_times,
    name_rows,
    nothing,
    tall,
    whole_numbers,
    write,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def coverage(summary: Mapping[str, Any], *, zone: str | None = None, ax: Axes | None = None) -> Axes:
    """Draw from when to when each source reaches, and the gaps of each host, hatched.

    ``summary`` is ``Case.summary()``.
    """
    spans = [
        (str(row.get("path")), row["time_min"], row["time_max"], row.get("host"))
        for row in summary.get("sources") or []
        if row.get("time_min") and row.get("time_max")
    ]
    axes = axes_for(ax, height=tall(len(spans)))
    if not spans:
        return nothing(axes, "No source with times")
    for at, (_, begun, ended, host) in enumerate(spans):
        axes.barh(at, ended - begun, left=begun, color=SKY, edgecolor=BLUE, height=0.5)
        for gap in summary.get("gaps") or []:
            if gap["host"] == host and begun <= gap["from"] <= ended:
                axes.barh(at, gap["to"] - gap["from"], left=gap["from"], color="white", edgecolor=VERMILLION,
                          hatch="///", height=0.5)  # fmt: skip
    names = ["/".join(path.replace("\\", "/").split("/")[-2:]) for path, *_ in spans]
    name_rows(axes, names)
    where = zone or summary.get("zone")
    axes.xaxis_date()
    local_times(axes, where, min(begun for _, begun, *_ in spans))
    gaps = summary.get("gaps") or []
    said = f"{words.counted(len(spans), 'source')} from {words.short(min(s[1] for s in spans), words.zone_of(where))} to "
    said += f"{words.short(max(s[2] for s in spans), words.zone_of(where))}; {words.counted(gaps, 'gap')}."
    return finish(
        axes, f"What the evidence covers ({words.counted(len(spans), 'source')}, gaps hatched)", said
    )


def logins(sessions: Any, *, most: int = 20, ax: Axes | None = None) -> Axes:
    """Draw logins by network (IPv4 /24, IPv6 /48): plain bars are logins that succeeded, hatched ones failed.

    ``sessions`` is that table; those in which nobody tried to log in are left out.
    """
    rows = frame_of(sessions, "client_ip", "username", "auth_outcome").filter(
        pl.col("auth_outcome").is_not_null() & pl.col("client_ip").is_not_null()
    )
    networks = {address: network_of(address) for address in rows["client_ip"].unique().to_list()}
    rows = rows.with_columns(network=pl.col("client_ip").replace_strict(networks, return_dtype=pl.String))
    failed = pl.col("auth_outcome") == "failed"
    counted = rows.group_by("network").agg(
        good=(~failed).sum(), bad=failed.sum(), users=pl.col("username").n_unique(), number=pl.len()
    )
    counted = counted.sort("number", "network", descending=[True, False])
    shown = counted.head(most)
    axes = axes_for(ax, height=tall(shown.height))
    if not shown.height:
        return nothing(axes, "No login")
    axes.barh(range(shown.height), shown["good"], color=SKY, height=0.65)
    axes.barh(range(shown.height), shown["bad"], left=shown["good"], color=VERMILLION, hatch="///",
              edgecolor="white", height=0.65)  # fmt: skip
    for at, row in enumerate(shown.to_dicts()):
        write(
            axes,
            row["number"],
            at,
            f"{row['good']} logged in, {row['bad']} failed, {words.counted(row['users'], 'account')}",
        )
    name_rows(axes, shown["network"].to_list())
    axes.set_xlabel("logins: hatched failed")
    whole_numbers(axes.xaxis)
    axes.margins(x=0.5)
    bad = int(counted["bad"].sum())
    more = "" if shown.height == counted.height else f", {shown.height} of {counted.height} networks shown"
    said = f"{words.counted(rows.height, 'login')} from {words.counted(counted.height, 'network')}, {bad} failed."
    return finish(axes, f"Logins by network ({words.counted(rows.height, 'login')}{more})", said)


def network_of(address: str) -> str:
    """The network of an address as one counts them: /24 for IPv4, /48 for IPv6; what is no address stays as it is.

    >>> network_of("192.0.2.77"), network_of("2001:db8:1:2::3"), network_of("unix socket")
    ('192.0.2.0/24', '2001:db8:1::/48', 'unix socket')
    """
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network(f"{parsed}/{24 if parsed.version == 4 else 48}", strict=False))
