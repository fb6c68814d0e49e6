"""What must be known of all hosts before any queue can be told apart: their names, their queue managers, their clocks.

With maillog_file the host field follows $myhostname of each service, so that one host may log under two names; a host with
one queue manager has one queue, whatever its services are called; and two hosts seldom have the same time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl

from mailforensics.link.log import Frame

NEAR_S = 10  # clocks of one host, and of hosts whose offset is known, agree within this
LOOSE_S = 26 * 3600  # two hosts whose zones are not known may differ by this

CLOCKS: dict[str, pl.DataType | type[pl.DataType]] = {
    "host": pl.String, "to_host": pl.String, "offset_s": pl.Float64, "pairs": pl.Int64,
}  # fmt: skip


@dataclass(frozen=True)
class Hosts:
    """What the lines of all hosts say of the hosts.

    same      the other names of a host, each with the one that it is called by
    managers  host and root (``postfix``, ``postfix-out``) of each queue manager that logs
    clocks    by how many seconds the clock of `host` is ahead of that of `to_host` (from `pairs` hand-overs)
    names     the hosts on which Postfix logs
    """

    same: dict[str, str] = field(default_factory=dict)
    managers: Frame = field(
        default_factory=lambda: pl.DataFrame(schema={"host": pl.String, "root": pl.String})
    )
    clocks: Frame = field(default_factory=lambda: pl.DataFrame(schema=CLOCKS))
    names: tuple[str, ...] = ()

    def queue(self, rows: Frame) -> pl.Expr | pl.Series:
        """The instance that owns the queue: the first element of the program, unless that has no queue manager of its own."""
        kinds = rows.select("host", "instance").unique().with_columns(root=_root())
        own = self.managers.with_columns(own=pl.lit(True))
        counts = self.managers.group_by("host").agg(pl.len().alias("n"), pl.col("root").first().alias("only"))
        kinds = kinds.join(own, on=["host", "root"], how="left").join(counts, on="host", how="left")
        alone = pl.col("own").is_null() & (pl.col("n") == 1)
        kinds = kinds.select("host", "instance", pl.when(alone).then("only").otherwise("root").alias("queue"))
        if kinds.height == 1:
            return pl.lit(kinds["queue"].item(), dtype=pl.String).alias("queue")
        on = ["host", "instance"]
        return rows.select(on).join(kinds, on=on, how="left", nulls_equal=True, maintain_order="left")[
            "queue"
        ]


def _root() -> pl.Expr:
    return pl.col("instance").str.extract(r"\A([^/]+)", 1)


def same_hosts(ids: Frame, managers: Frame) -> dict[str, str]:
    """The names that mean one host: half of one name's queue ids also stand under the other. `ids`: host and id, each pair once.

    Two hosts that each have a queue manager of their own are two hosts, whatever ids they share.
    """
    ids = ids.drop_nulls("host")
    if ids["host"].n_unique() < 2:
        return {}
    shared = ids.join(ids, on="id", suffix="_other").filter(pl.col("host") < pl.col("host_other"))
    pairs = shared.group_by("host", "host_other").len("common").sort("host", "host_other")
    sizes = dict(ids.group_by("host").len().rows())
    own = set(managers["host"].to_list())
    same: dict[str, str] = {}
    for one, other, common in pairs.rows():
        if common * 2 >= min(sizes[one], sizes[other]) and common > 1 and not {one, other} <= own:
            same[other] = same.get(one, one)
    return same


def clock_offsets(handed: Frame) -> Frame:
    """Seconds by which the clock of one host is ahead of another's (``CLOCKS``), from mail that one handed to the other.

    `handed`: host, to_host, and ``lag``, the seconds from when `to_host` began to take a mail, by its clock, to when `host` noted
    that it was taken, by its own; only pairs that are sure (same queue id, same Message-ID). The median stands for the clocks, since
    a transfer takes seconds; hosts of one clock have offset 0.
    """
    sure = handed.filter((pl.col("host") != pl.col("to_host")) & (pl.col("lag").abs() <= LOOSE_S))
    medians = sure.group_by("host", "to_host").agg(
        pl.col("lag").median().alias("offset_s"), pl.len().cast(pl.Int64).alias("pairs")
    )
    small = pl.col("offset_s").abs() <= NEAR_S
    return medians.with_columns(offset_s=pl.when(small).then(0.0).otherwise("offset_s")).sort(
        "host", "to_host"
    )


def ahead(clocks: Frame) -> dict[str, tuple[float, int]]:
    """The hosts whose clocks are wrong as far as the others can tell: seconds ahead (negative: behind), and from how many hand-overs.

    Of hosts that hand mail to one another the reference is the one whose time most others have. Where mail goes both ways, the time
    that a transfer takes cancels out.

    >>> rows = [("gw", "mx", 37.0, 4), ("mail", "gw", -36.0, 6), ("mx", "mail", 0.0, 9)]
    >>> ahead(pl.DataFrame(rows, schema=CLOCKS, orient="row"))
    {'gw': (36.0, 10)}
    """
    steps: dict[str, dict[str, float]] = {}
    pairs: dict[str, int] = {}
    said: dict[tuple[str, str], list[float]] = {}
    for host, other, offset, count in clocks.select(*CLOCKS).rows():
        said.setdefault((host, other), []).append(offset)
        said.setdefault((other, host), []).append(-offset)
        for name in (host, other):
            pairs[name] = pairs.get(name, 0) + count
    for (host, other), offsets in sorted(said.items()):
        steps.setdefault(host, {})[other] = sum(offsets) / len(offsets)
    wrong: dict[str, tuple[float, int]] = {}
    left = set(steps)
    while left:
        views = {host: _seen_from(host, steps) for host in sorted(left)}
        group = views[min(left)].keys()
        best = min(sorted(group), key=lambda host: sum(abs(s) > NEAR_S for s in views[host].values()))
        wrong |= {name: (s, pairs[name]) for name, s in views[best].items() if abs(s) > NEAR_S}
        left -= group
    return dict(sorted(wrong.items()))


def _seen_from(base: str, steps: dict[str, dict[str, float]]) -> dict[str, float]:
    """How many seconds each host that can be compared with this one is ahead of it."""
    seen = {base: 0.0}
    waiting = [base]
    for host in waiting:
        for other, offset in steps[host].items():
            if other not in seen:
                seen[other] = seen[host] - offset
                waiting.append(other)
    return seen
