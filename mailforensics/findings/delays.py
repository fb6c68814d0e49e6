"""Where mail waited: the four parts of Postfix's ``delays=``, the time in each state over all tries, and the retries.

    delay=312, delays=300.1/0.02/10/1.9, dsn=2.0.0, status=sent (250 2.0.0 Ok)

The parts are the time before the queue manager took the mail up for this try (``a``: on a first try its reception,
later also all tries and pauses before), in the active queue (``b``), setting up the connection (``c``: DNS, greeting,
TLS) and transmitting (``d``), see postconf(5) "delay_logging_resolution_limit" and the release notes of Postfix 2.3.
They are rounded to two digits, so their sum may miss ``delay`` by a little.

A deferred mail is tried again when as much time has passed as the mail is old, but not sooner than
minimal_backoff_time and not later than maximal_backoff_time, at the next run of the queue (queue_run_delay), see qmgr(8).

All functions take the table ``deliveries`` (or a part of it) as a polars frame and give a polars frame; durations are
seconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from mailforensics.errors import OptionError

PARTS = ("delay_before_queue_s", "delay_in_queue_s", "delay_connect_s", "delay_transmit_s")

STATES = ("before_queue_s", "active_s", "waiting_s", "connecting_s", "transmitting_s")

_COPY = ("message_key", "recipient")  # what is tried again and again

_ROUNDING = 0.05  # two digits: the largest relative error of a part
_WHOLE_SECONDS = 1.5  # two stamps without fractions, and the time until the first line is written
_RESOLUTION = 0.02  # seconds, twice delay_logging_resolution_limit


def check_delays(deliveries: pl.DataFrame) -> pl.DataFrame:
    """Each delivery with its longest part and whether the four parts make up the whole delay.

    Adds longest_part (the name of the part without ``delay_`` and ``_s``), parts_s (their sum), missing_s (delay minus sum)
    and consistent (the difference is no more than rounding explains; null where a part is missing).

    >>> row = {"delay_s": 312.0, **dict(zip(PARTS, (300.0, 0.02, 10.0, 1.9)))}
    >>> check_delays(pl.DataFrame([row])).select("longest_part", "consistent").row(0)
    ('before_queue', True)
    """
    _require(deliveries, "delay_s", *PARTS)
    total = pl.sum_horizontal(*PARTS, ignore_nulls=False)
    allowed = _RESOLUTION * len(PARTS) + _ROUNDING * pl.max_horizontal(total, "delay_s")
    longest = pl.max_horizontal(*PARTS)
    name = pl.coalesce(
        pl.when(pl.col(part) == longest).then(pl.lit(part.removeprefix("delay_").removesuffix("_s")))
        for part in PARTS
    )
    return deliveries.with_columns(
        name.alias("longest_part"),
        total.alias("parts_s"),
        (pl.col("delay_s") - total).alias("missing_s"),
        ((pl.col("delay_s") - total).abs() <= allowed).alias("consistent"),
    )


def check_stamps(deliveries: pl.DataFrame, messages: pl.DataFrame) -> pl.DataFrame:
    """Each delivery with the delay that the stamps of its lines give, beside the one that Postfix measured.

    Adds stamped_s (from the line with which the mail came to that of this try), stamp_difference_s (delay minus that) and stamps_agree:
    the difference is no more than rounding and whole seconds explain. A larger one is a clock that was set meanwhile, a line
    that came late through syslog, or a log that was edited. Null where the first line is not in the evidence.

    >>> from datetime import datetime, timezone
    >>> at = lambda second: datetime(2026, 3, 2, 10, 0, second, tzinfo=timezone.utc)
    >>> messages = pl.DataFrame({"message_key": [1], "received_time": [at(0)]})
    >>> check_stamps(pl.DataFrame({"message_key": [1], "time": [at(7)], "delay_s": [7.2]}), messages)["stamps_agree"].item()
    True
    """
    _require(deliveries, "message_key", "time", "delay_s")
    came = messages.select("message_key", "received_time").unique("message_key")
    stamped = (pl.col("time") - pl.col("received_time")).dt.total_microseconds() / 1e6
    joined = deliveries.join(came, on="message_key", how="left", maintain_order="left")
    told = joined.with_columns(stamped_s=stamped).with_columns(
        stamp_difference_s=pl.col("delay_s") - pl.col("stamped_s")
    )
    allowed = _WHOLE_SECONDS + _ROUNDING * pl.col("delay_s")
    return told.with_columns(stamps_agree=pl.col("stamp_difference_s").abs() <= allowed).drop("received_time")


def hop_delays(hops: pl.DataFrame, messages: pl.DataFrame, deliveries: pl.DataFrame) -> pl.DataFrame:
    """The way that a message file tells beside the queues of the hosts whose logs are held: one row per hop known to both.

    A hop is a queue entry by its id and the name of its host. Columns: document_id, hop, host, queue_id, message_key, hop_time
    (what the field says), log_time, clock_s (hop_time minus log_time: how the two clocks differ), hop_delay_s (between
    this field and the one before it: travel to this host), next_hop_delay_s (between this field and the next: time in this
    host's queue as the headers tell it) and queue_delay_s (the same as Postfix measured it, of the last successful try).

    >>> hop_delays(*(pl.DataFrame(schema=dict.fromkeys(names, pl.String)) for names in _HOP_TABLES)).height
    0
    """
    for frame, names in zip((hops, messages, deliveries), _HOP_TABLES, strict=True):
        _require(frame, *names)
    short = pl.col("by_name").str.to_lowercase().str.extract(r"^([^.]+)")
    told = hops.sort("document_id", "hop").with_columns(
        next_hop_delay_s=pl.col("delay_s").shift(-1).over("document_id"), label=short
    )
    entries = messages.select(
        "message_key", "queue_id", "host", log_time="received_time",
        label=pl.col("host").str.to_lowercase().str.extract(r"^([^.]+)"),
    )  # fmt: skip
    sent = deliveries.filter(pl.col("status") == "sent").group_by("message_key").agg(
        queue_delay_s=pl.col("delay_s").max()
    )  # fmt: skip
    pairs = told.join(entries, left_on=["id", "label"], right_on=["queue_id", "label"], maintain_order="left")
    clock = (
        (pl.col("time") - pl.col("log_time")).dt.total_microseconds() / 1e6 if pairs.height else pl.lit(None)
    )
    return pairs.join(sent, on="message_key", how="left", maintain_order="left").select(
        "document_id", "hop", "host", "message_key", "log_time", "next_hop_delay_s", "queue_delay_s",
        queue_id="id", hop_time="time", clock_s=clock, hop_delay_s="delay_s",
    )  # fmt: skip


_HOP_TABLES = (
    ("document_id", "hop", "by_name", "id", "time", "delay_s"),
    ("message_key", "queue_id", "host", "received_time"),
    ("message_key", "status", "delay_s"),
)


def time_in_states(deliveries: pl.DataFrame) -> pl.DataFrame:
    """How long each copy (message_key, recipient) was in which state, over all its tries so far.

    Columns: message_key, recipient, recipient_domain, tries, first_time, last_time, status (of the last try), total_s,
    before_queue_s (reception), active_s, waiting_s (deferred, between tries), connecting_s, transmitting_s. The states
    add up to total_s.

    >>> tries = [
    ...     {"message_key": 1, "recipient": "a@example.org", "time": 10, "delay_s": 10.0, "status": "deferred", **dict(zip(PARTS, (1, 1, 8, 0)))},
    ...     {"message_key": 1, "recipient": "a@example.org", "time": 320, "delay_s": 320.0, "status": "sent", **dict(zip(PARTS, (310, 1, 1, 8)))},
    ... ]
    >>> time_in_states(pl.DataFrame(tries)).select(STATES).row(0)
    (1.0, 2.0, 300.0, 9.0, 8.0)
    """
    _require(deliveries, *_COPY, "time", "status", "delay_s", *PARTS)
    before, active, connect, transmit = (pl.col(part).cast(pl.Float64) for part in PARTS)
    domain = pl.col("recipient").str.extract("@([^@]*)$").str.to_lowercase()
    copies = deliveries.sort("time", maintain_order=True).with_columns(domain.alias("recipient_domain"))
    states = copies.group_by(*_COPY, maintain_order=True).agg(
        pl.col("recipient_domain").first(),
        pl.len().alias("tries"),
        pl.col("time").first().alias("first_time"),
        pl.col("time").last().alias("last_time"),
        pl.col("status").last(),
        pl.col("delay_s").last().cast(pl.Float64).alias("total_s"),
        before.first().alias("before_queue_s"),
        active.sum().alias("active_s"),
        connect.sum().alias("connecting_s"),
        transmit.sum().alias("transmitting_s"),
    )
    known = [name for name in STATES if name != "waiting_s"]
    waiting = (pl.col("total_s") - pl.sum_horizontal(known, ignore_nulls=False)).clip(lower_bound=0)
    waited = states.with_columns(pl.when(pl.col("tries") > 1).then(waiting).otherwise(0.0).alias("waiting_s"))
    others = [name for name in waited.columns if name not in STATES]
    return waited.select(*others, *STATES)


def delay_quantiles(
    deliveries: pl.DataFrame,
    by: Sequence[str] = ("recipient_domain",),
    *,
    quantiles: Sequence[float] = (0.5, 0.9, 0.99),
) -> pl.DataFrame:
    """Quantiles of the delay and its four parts for each group: one row per group and measure.

    `by` are columns of the table (recipient_domain, relay_name, agent, ...); ``hour`` stands for the hour of ``time``.
    Columns: those of `by`, measure, deliveries (how many had it), p50, p90, p99 (for the default `quantiles`), max;
    seconds, the slowest groups first. Raises `OptionError` for a column that is not there or a quantile beyond 0 to 1.

    >>> frame = pl.DataFrame({"relay_name": ["a", "a", "b"], "delay_s": [1.0, 3.0, 9.0], **{part: [0.0] * 3 for part in PARTS}})
    >>> delay_quantiles(frame, ["relay_name"], quantiles=[0.5]).filter(measure="delay_s").rows()
    [('b', 'delay_s', 1, 9.0, 9.0), ('a', 'delay_s', 2, 2.0, 3.0)]
    """
    if not all(0 <= each <= 1 for each in quantiles):
        raise OptionError(f"quantiles are numbers from 0 to 1, these are {list(quantiles)}.")
    hourly = (
        deliveries.with_columns(pl.col("time").dt.truncate("1h").alias("hour"))
        if "hour" in by
        else deliveries
    )
    _require(hourly, *by, "delay_s", *PARTS)
    long = hourly.unpivot(["delay_s", *PARTS], index=list(by), variable_name="measure", value_name="seconds")
    named = [
        pl.col("seconds").quantile(each, "linear").alias(f"p{100 * each:g}".replace(".", "_"))
        for each in quantiles
    ]
    groups = long.drop_nulls("seconds").group_by(*by, "measure", maintain_order=True)
    table = groups.agg(pl.len().alias("deliveries"), *named, pl.col("seconds").max().alias("max"))
    return table.sort("max", descending=True, maintain_order=True)


def retry_schedule(
    deliveries: pl.DataFrame,
    *,
    minimal_backoff_s: float = 300,
    maximal_backoff_s: float = 4000,
    queue_run_s: float = 300,
) -> pl.DataFrame:
    """Each retry beside the time at which Postfix was to make it; the settings are those of main.cf, in seconds.

    Columns: message_key, recipient, try (2 for the first retry), time, waited_s (since the try before), due_s (the shortest
    wait that qmgr allows: the age of the mail at the try before, within the two bounds) and schedule: ``on time``,
    ``early`` (a flush, or another setting) or ``late`` (more than one queue run after it was due: the queue was not
    run, or was busy).

    >>> from datetime import datetime
    >>> times = [datetime(2026, 3, 2, 10, 0), datetime(2026, 3, 2, 10, 6), datetime(2026, 3, 2, 10, 7)]
    >>> frame = pl.DataFrame({"message_key": 1, "recipient": "a@example.org", "time": times, "delay_s": [5.0, 365.0, 425.0]})
    >>> retry_schedule(frame)["schedule"].to_list()
    ['on time', 'early']
    """
    _require(deliveries, *_COPY, "time", "delay_s")
    tries = deliveries.sort("time", maintain_order=True).with_columns(
        (pl.int_range(pl.len()).over(*_COPY) + 1).alias("try"),
        (pl.col("time").diff().over(*_COPY).dt.total_microseconds() / 1e6).alias("waited_s"),
        pl.col("delay_s").shift().over(*_COPY).clip(minimal_backoff_s, maximal_backoff_s).alias("due_s"),
    )
    slack = 1.0  # whole seconds in many logs
    schedule = (
        pl.when(pl.col("waited_s") < pl.col("due_s") - slack)
        .then(pl.lit("early"))
        .when(pl.col("waited_s") > pl.col("due_s") + queue_run_s + slack)
        .then(pl.lit("late"))
        .otherwise(pl.lit("on time"))
    )
    retries = tries.filter(pl.col("try") > 1).with_columns(schedule.alias("schedule"))
    return retries.select(*_COPY, "try", "time", "waited_s", "due_s", "schedule")


def congestion(deliveries: pl.DataFrame, *, by: str = "recipient_domain", least: int = 5) -> pl.DataFrame:
    """Destinations for which mail stood in the active queue at the same time: the most at once, and when.

    A delivery waits from when the queue manager took it up until its connection was begun (part ``b``). Columns: the column
    `by`, waiting (the most at once), time (when that was), longest_s (the longest wait), deliveries; only where
    at least `least` waited at once, the most crowded first.

    >>> congestion(pl.DataFrame(schema={"recipient_domain": pl.String, "time": pl.Datetime("us", "UTC"), **{p: pl.Float64 for p in PARTS}})).height
    0
    """
    _require(deliveries, by, "time", *PARTS)
    leaves = pl.col("time") - pl.duration(
        microseconds=((pl.col("delay_connect_s") + pl.col("delay_transmit_s")) * 1e6).cast(pl.Int64)
    )
    stay = pl.duration(microseconds=(pl.col("delay_in_queue_s") * 1e6).cast(pl.Int64))
    waits = deliveries.drop_nulls([by, "time", *PARTS]).filter(pl.col("delay_in_queue_s") > 0)
    waits = waits.select(
        by,
        (leaves - stay).alias("enters"),
        leaves.alias("leaves"),
        pl.col("delay_in_queue_s").alias("wait_s"),
    )
    steps = pl.concat(
        [
            waits.select(by, pl.col("enters").alias("time"), pl.lit(1).alias("step")),
            waits.select(by, pl.col("leaves").alias("time"), pl.lit(-1).alias("step")),
        ]
    ).sort("time", "step")
    crowd = steps.with_columns(pl.col("step").cum_sum().over(by).alias("waiting"))
    most = crowd.group_by(by).agg(
        pl.col("waiting").max(), pl.col("time").get(pl.col("waiting").arg_max()).alias("time")
    )
    lengths = waits.group_by(by).agg(pl.col("wait_s").max().alias("longest_s"), pl.len().alias("deliveries"))
    found = most.join(lengths, on=by).filter(pl.col("waiting") >= least)
    return found.sort("waiting", by, descending=[True, False])


def _require(frame: pl.DataFrame, *columns: str) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        raise OptionError(
            f"the table has no column {', '.join(missing)}; give the table deliveries or a part of it."
        )
