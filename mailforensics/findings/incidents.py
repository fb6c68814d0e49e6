"""Incidents: what a postmaster must act on, found in the tables of a case, each by a rule with thresholds in the open.

    compromised_account   high     anna@example.com logged in from 6 networks within 24 h of 2026-03-02 01:00 UTC, sent to ...
    password_guessing     notice   203.0.113.0/24 failed to log in 120 times on 40 accounts on 2026-03-02.

A rule takes :class:`Material` and :class:`Thresholds` and gives rows of ``findings``: who, what, when, from where, how
many, the queue entries and the log lines. Networks are /24 and /48. Severity "high" is kept for what does harm now.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from mailforensics.findings.networks import networks
from mailforensics.findings.rows import counted, few, finding_rows

Frame = pl.DataFrame


@dataclass(frozen=True)
class Thresholds:
    """From which number on something is told. Counts are per window: a day, or an hour where the name says so.

    account_networks     networks from which one account logs in
    account_recipients   recipients in an hour, and account_factor times the account's usual busiest hours
    account_bounces      returned mails, if they are account_bounce_share of all
    night                the hours of the night in the zone of the case, first and last
    guess_failures       failed logins from one network in an hour, or on one account from guess_networks networks
    guess_accounts       accounts tried from one network
    backscatter          notifications about mail that nobody here sent
    relay_attempts       refused relaying by one network
    snowshoe_addresses   addresses of one network whose mail is refused as spam
    tls_deliveries       deliveries without TLS to a server that had always used it
    dns_domains          domains that cannot be looked up, in an hour
    filter_problems      complaints about one milter in an hour, from which on it is high
    queue_messages       mails waiting at once, and queue_factor times the usual number
    """

    account_networks: int = 4
    account_recipients: int = 100
    account_factor: float = 10.0
    account_bounces: int = 20
    account_bounce_share: float = 0.2
    night: tuple[int, int] = (0, 5)
    guess_failures: int = 20
    guess_accounts: int = 8
    guess_networks: int = 5
    backscatter: int = 20
    relay_attempts: int = 10
    snowshoe_addresses: int = 8
    tls_deliveries: int = 5
    dns_domains: int = 5
    filter_problems: int = 5
    queue_messages: int = 100
    queue_factor: float = 5.0


@dataclass(frozen=True)
class Material:
    """What the rules look at: tables of the case, and lines that no table holds.

    failures   failed logins: time, host, client_ip, username, failures (how many), event_id
    troubles   lines of trouble: time, host, kind, text, event_id
    tls        TLS sessions that were opened to other servers: time, host, remote_name
    """

    messages: Frame
    deliveries: Frame
    rejects: Frame
    sessions: Frame
    mailbox_events: Frame
    failures: Frame
    troubles: Frame
    tls: Frame
    zone: str = "UTC"


def find_incidents(material: Material, thresholds: Thresholds = Thresholds()) -> Frame:
    """All incidents as rows of ``findings``, in the order of the rules."""
    return pl.concat([rule(material, thresholds) for rule in RULES])


_STAMP = "%Y-%m-%d %H:%M UTC"


def _when(column: str = "time") -> pl.Expr:
    return pl.col(column).dt.strftime(_STAMP)


def _worst(windows: Frame, by: str, *order: str) -> Frame:
    """The one window of each group that has most of what matters."""
    return windows.sort(*order, descending=True).unique(by, keep="first", maintain_order=True).sort("time")


def _with_network(frame: Frame) -> Frame:
    return frame.with_columns(networks(frame["client_ip"]).alias("network"))


# --- Accounts ---------------------------------------------------------------------------------------------------------


def _compromised_account(material: Material, limits: Thresholds) -> Frame:
    """One account, from many networks (twice as many as accounts usually have), to many recipients, much of it returned."""
    days = _account_days(material, limits).with_columns(used=pl.col("networks").list.len())
    networks_, burst, bounces = (
        (pl.col("used") >= limits.account_networks)
        & (pl.col("used") >= 2 * pl.col("used").filter(pl.col("used") > 0).median()),
        pl.col("burst").fill_null(False),
        (pl.col("bounces") >= limits.account_bounces)
        & (pl.col("bounces") >= limits.account_bounce_share * pl.col("recipients")),
    )
    signs = pl.sum_horizontal(networks_.cast(pl.Int8), burst.cast(pl.Int8), bounces.cast(pl.Int8))
    found = days.with_columns(signs=signs).filter(pl.col("signs") > 0)
    found = _worst(found, "account", "signs", "used", "recipients", "time")
    night = pl.when((pl.col("at_night") > 0) & (pl.col("at_night") * 2 >= pl.col("mails"))).then(
        pl.format(", {} of {} mails at night", "at_night", "mails")
    ).otherwise(pl.lit(""))  # fmt: skip
    sentence = pl.format(
        "Within 24 h of {}, {} logged in from {} ({}), sent {} to {}, and {} came back{}.",
        _when(), "account", counted(pl.col("used"), "network", "networks"), few(pl.col("networks")),
        counted(pl.col("mails"), "mail", "mails"), counted(pl.col("recipients"), "recipient", "recipients"), "bounces", night,
    )  # fmt: skip
    severity = (
        pl.when(pl.col("signs") >= 2).then(pl.lit("high"))
        .when(pl.col("bounces") >= limits.account_bounces).then(pl.lit("warning")).otherwise(pl.lit("notice"))
    )  # fmt: skip
    return finding_rows(
        found, finding="compromised_account", severity=severity, subject=pl.col("account"), sentence=sentence, certainty="inferred",
        rule="incident.compromised_account", innocent="A newsletter, a journey, or a telephone that changes its network.",
    )  # fmt: skip


def _account_days(material: Material, limits: Thresholds) -> Frame:
    """Per account and window of 24 h: the networks, mails, recipients, bounces, nightly mails, and whether there was a burst."""
    logins = material.sessions.filter((pl.col("auth_outcome") == "ok") & pl.col("username").is_not_null())
    logins = _with_network(
        logins.select(pl.col("username").alias("account"), "client_ip", "evidence", time="start_time")
    )
    sent = _account_mails(material)
    hour = pl.col("time").dt.convert_time_zone(material.zone).dt.hour()
    rows = pl.concat(
        [
            logins.select("account", "time", "network", "evidence"),
            sent.with_columns(night=hour.is_between(*limits.night)),
        ],
        how="diagonal_relaxed",
    ).drop_nulls("time")
    windows = rows.sort("time").group_by_dynamic("time", every="6h", period="24h", group_by="account").agg(
        pl.col("network").drop_nulls().unique().sort().alias("networks"), pl.col("message_key").drop_nulls().alias("message_keys"),
        pl.col("message_key").count().cast(pl.Int64).alias("mails"), pl.col("recipients").sum(), pl.col("bounces").sum(),
        pl.col("night").sum().cast(pl.Int64).alias("at_night"), pl.col("evidence").explode(),
    )  # fmt: skip
    return windows.join(_bursts(sent, limits), on="account", how="left").with_columns(
        burst=pl.col("burst_time").is_between(pl.col("time"), pl.col("time") + pl.duration(hours=24))
    )


def _account_mails(material: Material) -> Frame:
    """The mails that accounts sent: account, time, message_key, recipients, bounces."""
    returned = material.deliveries.filter(pl.col("status") == "bounced").group_by("message_key")
    bounces = returned.agg(pl.len().cast(pl.Int64).alias("bounces"))
    sent = material.messages.filter(pl.col("sasl_username").is_not_null()).select(
        "message_key", account="sasl_username", time="received_time",
        recipients=pl.coalesce("recipient_count", pl.col("recipients").list.len()).cast(pl.Int64),
    )  # fmt: skip
    return sent.join(bounces, on="message_key", how="left").with_columns(pl.col("bounces").fill_null(0))


def _bursts(sent: Frame, limits: Thresholds) -> Frame:
    """The busiest hour of each account, if it is far above the account's usual hours: account, burst_time."""
    hours = sent.drop_nulls("time").group_by("account", pl.col("time").dt.truncate("1h").alias("burst_time")).agg(
        pl.col("recipients").sum()
    )  # fmt: skip
    usual = pl.col("recipients").median().over("account")
    alone = pl.len().over("account") < 3
    much = pl.col("recipients") >= limits.account_recipients
    above = much & (alone | (pl.col("recipients") >= limits.account_factor * usual))
    return hours.filter(above).sort("recipients", "burst_time", descending=True).unique("account", keep="first").select(
        "account", "burst_time"
    )  # fmt: skip


def _password_guessing(material: Material, limits: Thresholds) -> Frame:
    """Many failures from one network, or on one account from many; worse when a login follows."""
    tries = _with_network(material.failures).drop_nulls("time")
    by_network = tries.filter(pl.col("network").is_not_null())
    hours = _guess_windows(by_network, "network", "username", "1h", "1h").filter(
        pl.col("failures") >= limits.guess_failures
    )
    days = _guess_windows(by_network, "network", "username", "6h", "24h").filter(
        pl.col("others").list.len() >= limits.guess_accounts
    )
    spread = _guess_windows(
        tries.filter(pl.col("username").is_not_null()), "username", "network", "6h", "24h"
    ).filter(
        (pl.col("failures") >= limits.guess_failures) & (pl.col("others").list.len() >= limits.guess_networks)
    )
    from_one = _worst(pl.concat([hours, days]), "who", "failures", "time")
    return pl.concat(
        [
            _guesses(from_one, material, "network", "{} failed to log in {} from {} on {}: {}{}."),
            _guesses(
                _worst(spread, "who", "failures", "time"),
                material,
                "username",
                "{} was tried {} from {} on {}: {}{}.",
            ),
        ]
    )


def _guess_windows(tries: Frame, who: str, other: str, every: str, period: str) -> Frame:
    """Failures per window: who, others (accounts or networks), failures, evidence, first and last."""
    return tries.sort("time").group_by_dynamic("time", every=every, period=period, group_by=pl.col(who).alias("who")).agg(
        pl.col(other).drop_nulls().unique().sort().alias("others"), pl.col("failures").sum().cast(pl.Int64),
        pl.col("event_id").alias("evidence"), pl.col("time").min().alias("first"), pl.col("time").max().alias("last"),
    )  # fmt: skip


def _guesses(found: Frame, material: Material, by: str, words: str) -> Frame:
    """Findings of guessing, by network or by account, with the login that followed from the guessing side."""
    logins = _with_network(
        material.sessions.filter((pl.col("auth_outcome") == "ok") & pl.col("username").is_not_null())
    )
    first = logins.select("username", "network", got_in="start_time", login_lines="evidence").sort("got_in")
    pairs = found.with_row_index("at").explode("others", empty_as_null=True)
    keys = ("who", "others") if by == "network" else ("others", "who")
    met = pairs.join(first, left_on=list(keys), right_on=["network", "username"]).filter(
        (pl.col("got_in") >= pl.col("first")) & (pl.col("got_in") <= pl.col("last") + pl.duration(hours=24))
    )
    met = met.unique("at", keep="first", maintain_order=True).select(
        "at", "got_in", "login_lines", with_=pl.format("{} from {}", keys[1], keys[0])
    )
    found = found.with_row_index("at").join(met, on="at", how="left")
    found = found.with_columns(
        evidence=pl.concat_list(
            "evidence", pl.col("login_lines").fill_null(pl.lit([], dtype=pl.List(pl.Int64)))
        )
    )
    then = pl.when(pl.col("got_in").is_not_null()).then(
        pl.format("; then {} succeeded at {}", "with_", _when("got_in"))
    ).otherwise(pl.lit("; none succeeded"))  # fmt: skip
    number, noun = (
        pl.col("others").list.len(),
        ("account", "accounts") if by == "network" else ("network", "networks"),
    )
    where = counted(number, *noun) if by == "username" else pl.lit("one network")
    told = (
        few(pl.col("others"))
        if by == "username"
        else pl.format("{} tried ({})", counted(number, *noun), few(pl.col("others")))
    )
    sentence = pl.format(
        words,
        "who",
        counted(pl.col("failures"), "time", "times"),
        where,
        pl.col("time").dt.strftime("%Y-%m-%d"),
        told,
        then,
    )
    severity = pl.when(pl.col("got_in").is_not_null()).then(pl.lit("high")).otherwise(pl.lit("notice"))
    return finding_rows(
        found, finding="password_guessing", severity=severity, subject=pl.col("who"), sentence=sentence, certainty="inferred",
        rule=f"incident.password_guessing_by_{by}", innocent="A program of the owner's with an old password.",
    )  # fmt: skip


# --- Strangers --------------------------------------------------------------------------------------------------------


def _backscatter(material: Material, limits: Thresholds) -> Frame:
    """Notifications that reach somebody who sent nothing, or that we send to people who sent nothing."""
    null = material.messages.filter(
        (pl.col("sender").fill_null("") == "")
        & (pl.col("direction") == "inbound")
        & pl.col("client_ip").is_not_null()
    )
    null = (
        _with_network(null)
        .explode("recipients", empty_as_null=True)
        .drop_nulls(["recipients", "received_time"])
    )
    came = null.select("message_key", "network", "evidence", who="recipients", time="received_time")
    days = came.sort("time").group_by_dynamic("time", every="6h", period="24h", group_by="who").agg(
        pl.col("network").unique().drop_nulls().alias("networks"), pl.col("message_key").alias("message_keys"),
        pl.col("evidence").explode(), pl.len().alias("mails"),
    ).filter((pl.col("mails") >= limits.backscatter) & (pl.col("networks").list.len() >= 5))  # fmt: skip
    sentence = pl.format(
        "{} got {} notifications from {} networks within 24 h of {}: somebody sends mail in this name.",
        "who", "mails", pl.col("networks").list.len(), _when(),
    )  # fmt: skip
    got = finding_rows(
        _worst(days, "who", "mails", "time"), finding="backscatter", severity="notice", subject=pl.col("who"), sentence=sentence,
        certainty="inferred", rule="incident.backscatter_received", innocent="A mailing to a list with many dead addresses.",
    )  # fmt: skip
    return pl.concat([got, _backscatter_sent(material, limits)])


def _backscatter_sent(material: Material, limits: Thresholds) -> Frame:
    ours = material.messages.filter((pl.col("origin") == "bounce") & (pl.col("direction") == "outbound"))
    ours = ours.select(
        "message_key", "host", "evidence", to=pl.col("recipients").list.first(), time="received_time"
    ).drop_nulls("time")
    days = ours.sort("time").group_by_dynamic("time", every="6h", period="24h", group_by="host").agg(
        pl.col("to").drop_nulls().unique().sort().alias("to"), pl.col("message_key").alias("message_keys"),
        pl.col("evidence").explode(), pl.len().alias("mails"),
    ).filter(pl.col("mails") >= limits.backscatter)  # fmt: skip
    sentence = pl.format(
        "{} sent {} notifications to strangers ({}) within 24 h of {}: mail is taken first and refused later.",
        "host", "mails", few(pl.col("to")), _when(),
    )  # fmt: skip
    return finding_rows(
        _worst(days, "host", "mails", "time"), finding="backscatter", severity="warning", subject=pl.col("host"), sentence=sentence,
        rule="incident.backscatter_sent", source="RFC 3834 §2",
    )  # fmt: skip


def _relay_attempt(material: Material, limits: Thresholds) -> Frame:
    """Refused relaying by one network, and what relayed all the same."""
    refused = _with_network(material.rejects.filter(pl.col("cause") == "relay_denied"))
    refused = refused.group_by("network", maintain_order=True).agg(
        pl.len().alias("tries"), pl.col("client_ip").unique(), pl.col("evidence").explode(), pl.col("time").min(),
        pl.col("recipient_domain").drop_nulls().unique().sort().alias("domains"),
    ).filter((pl.col("tries") >= limits.relay_attempts) & pl.col("network").is_not_null())  # fmt: skip
    clients = refused.select("network", "client_ip").explode("client_ip", empty_as_null=True)
    through = material.messages.filter(
        (pl.col("direction") == "outbound") & pl.col("sasl_username").is_null()
    )
    passed = (
        through.join(clients, on="client_ip")
        .group_by("network")
        .agg(pl.col("message_key").alias("message_keys"))
    )
    refused = refused.join(passed, on="network", how="left")
    went = pl.col("message_keys").list.len().fill_null(0)
    sentence = pl.format(
        "{} tried {} times since {} to relay through our servers (to {}); {} went through.",
        "network", "tries", _when(), few(pl.col("domains")), went,
    )  # fmt: skip
    return finding_rows(
        refused, finding="relay_attempt", severity=pl.when(went > 0).then(pl.lit("high")).otherwise(pl.lit("notice")),
        subject=pl.col("network"), sentence=sentence, rule="incident.relay_attempt", source="RFC 5321 §7.1",
        innocent="A client of ours that forgot to log in.",
    )  # fmt: skip


def _snowshoe(material: Material, limits: Thresholds) -> Frame:
    """Spam spread over the addresses of one network."""
    spam = material.rejects.filter(
        pl.col("cause").is_in(["spam_content", "ip_blocklisted", "sender_reputation"])
    )
    nets = _with_network(spam).group_by("network", maintain_order=True).agg(
        pl.col("client_ip").unique().sort(), pl.len().alias("mails"), pl.col("evidence").explode(), pl.col("time").min(),
    ).filter(pl.col("client_ip").list.len() >= limits.snowshoe_addresses)  # fmt: skip
    sentence = pl.format(
        "{} addresses of {} had {} mails refused as spam since {}: it comes spread over a network.",
        pl.col("client_ip").list.len(), "network", "mails", _when(),
    )  # fmt: skip
    return finding_rows(nets, finding="snowshoe", severity="notice", subject=pl.col("network"), sentence=sentence, certainty="inferred",
                        rule="incident.snowshoe", innocent="A large provider with some bad customers.")  # fmt: skip


# --- Our standing and our servers -------------------------------------------------------------------------------------


def _blocklisting(material: Material, limits: Thresholds) -> Frame:
    """Other servers say that our address is on a list."""
    tries = material.deliveries.filter(pl.col("recipient_domain").is_not_null())
    listed = tries.filter(pl.col("cause") == "ip_blocklisted")
    hosts = listed.group_by("host", maintain_order=True).agg(
        pl.col("recipient_domain").unique().sort().alias("domains"), pl.len().alias("refusals"), pl.col("time").min(),
        pl.col("message_key").alias("message_keys"), pl.col("evidence").explode(), pl.col("response").first(),
    )  # fmt: skip
    before = (
        tries.filter(pl.col("status") == "sent")
        .join(hosts.select("host", "domains", first="time"), on="host")
        .filter((pl.col("time") < pl.col("first")) & pl.col("recipient_domain").is_in(pl.col("domains")))
        .group_by("host").agg(pl.len().alias("before"))
    )  # fmt: skip
    hosts = hosts.join(before, on="host", how="left")
    sentence = pl.format(
        "Since {}, mail from our host {} was refused because of a blocklist {}, by {}; before that {} had gone to the same domains. The first answer: \"{}\"",
        _when(), "host", counted(pl.col("refusals"), "time", "times"), few(pl.col("domains")),
        counted(pl.col("before").fill_null(0), "mail", "mails"), pl.col("response").fill_null(""),
    )  # fmt: skip
    severity = pl.when(pl.col("domains").list.len() >= 3).then(pl.lit("high")).otherwise(pl.lit("warning"))
    return finding_rows(hosts, finding="blocklisting", severity=severity, subject=pl.col("host"), sentence=sentence,
                        rule="incident.blocklisting", source="RFC 5782")  # fmt: skip


def _tls_missing(material: Material, limits: Thresholds) -> Frame:
    """A server that we always spoke TLS with, and then no longer, while others still do."""
    by = ["host", "remote_name"]
    used = material.tls.drop_nulls(["remote_name", "time"])
    last = used.group_by(by).agg(pl.col("time").max().alias("last"), pl.len().alias("before"))
    still = used.group_by("host").agg(pl.col("time").max().alias("newest"))
    spent = pl.duration(seconds=pl.sum_horizontal("delay_connect_s", "delay_transmit_s"))
    plain = material.deliveries.filter(
        (pl.col("agent") == "smtp") & (pl.col("status") == "sent") & pl.col("connection_reuse").is_null()
    ).join(last, left_on=["host", "relay_name"], right_on=by).filter(pl.col("time") - spent > pl.col("last"))  # fmt: skip
    found = plain.group_by("host", "relay_name", "last", "before", maintain_order=True).agg(
        pl.len().alias("mails"), pl.col("time").min(), pl.col("message_key").alias("message_keys"), pl.col("evidence").explode(),
    ).join(still, on="host")  # fmt: skip
    enough = (pl.col("mails") >= limits.tls_deliveries) & (pl.col("before") >= limits.tls_deliveries)
    found = found.filter(enough & (pl.col("newest") > pl.col("time")))
    sentence = pl.format(
        "{} took {} from {} without TLS since {}, after {} with it.", "relay_name",
        counted(pl.col("mails"), "mail", "mails"), "host", _when(), counted(pl.col("before"), "connection", "connections"),
    )  # fmt: skip
    return finding_rows(found, finding="tls_missing", severity="warning", subject=pl.col("relay_name"), sentence=sentence, certainty="inferred",
                        rule="incident.tls_missing", source="RFC 3207 §6", innocent="The other side changes its servers.")  # fmt: skip


def _certificate_expired(material: Material, limits: Thresholds) -> Frame:
    """A certificate past its date: ours, when clients say so; theirs, when we do."""
    lines = material.troubles.filter(pl.col("text").str.contains(r"(?i)certificate(?: has)?[ _]expired"))
    ours = pl.col("text").str.contains(r"(?i)alert certificate expired|SSL alert number 45")
    peer = pl.coalesce(pl.col("text").str.extract(r" for ([^ \[]+)\["), pl.lit("a server"))
    found = lines.with_columns(ours=ours, who=pl.when(ours).then("host").otherwise(peer)).group_by(
        "who", "ours", maintain_order=True
    ).agg(pl.len().alias("times"), pl.col("time").min(), pl.col("host").first(), pl.col("event_id").alias("evidence"))  # fmt: skip
    sentence = (
        pl.when(pl.col("ours"))
        .then(pl.format("Since {}, {} said to {} that its certificate has expired.", _when(), counted(pl.col("times"), "client", "clients"), "who"))
        .otherwise(pl.format("Since {}, the certificate of {} has expired ({}).", _when(), "who", counted(pl.col("times"), "line", "lines")))
    )  # fmt: skip
    severity = pl.when(pl.col("ours")).then(pl.lit("high")).otherwise(pl.lit("warning"))
    return finding_rows(found, finding="certificate_expired", severity=severity, subject=pl.col("who"), sentence=sentence,
                        rule="incident.certificate_expired", innocent="The clock of the side that says so is wrong.")  # fmt: skip


def _dns_trouble(material: Material, limits: Thresholds) -> Frame:
    """Many domains at once that cannot be looked up: not they, but our resolver."""
    failed = material.deliveries.filter(
        (pl.col("cause") == "dns_failure") & (pl.col("status") == "deferred")
    ).select("host", "time", "message_key", "evidence", name="recipient_domain")
    looked = material.troubles.filter(
        pl.col("text").str.contains(r"(?i)temporary failure in name resolution|Name service error.*try again|resolver|DNS.* timed? ?out")
    ).select("host", "time", evidence=pl.concat_list("event_id"), name=pl.col("text").str.extract(r"hostname ([^ ]+)|name=([^ ]+)"))  # fmt: skip
    rows = (
        pl.concat([failed, looked], how="diagonal_relaxed").drop_nulls(["time", "host", "name"]).sort("time")
    )
    hours = rows.group_by_dynamic("time", every="30m", period="1h", group_by="host").agg(
        pl.col("name").unique().sort().alias("names"), pl.col("message_key").drop_nulls().alias("message_keys"),
        pl.col("evidence").explode(), pl.len().alias("times"),
    ).with_columns(many=pl.col("names").list.len()).filter(pl.col("many") >= limits.dns_domains)  # fmt: skip
    sentence = pl.format(
        "Within an hour of {}, {} could not look up {} different names ({}): its resolver is in trouble.",
        _when(), "host", "many", few(pl.col("names")),
    )  # fmt: skip
    return finding_rows(_worst(hours, "host", "many", "times"), finding="dns_trouble", severity="high", subject=pl.col("host"),
                        sentence=sentence, certainty="inferred", rule="incident.dns_trouble")  # fmt: skip


def _filter_silent(material: Material, limits: Thresholds) -> Frame:
    """A milter that does not answer; mail waits, or passes without having been looked at."""
    said = r"milter (\S+): |[Mm]ilter service (\S+): "
    lines = material.troubles.filter(pl.col("kind") == "postfix.milter.problem").drop_nulls("time")
    lines = lines.with_columns(
        milter=pl.coalesce(
            pl.col("text").str.extract(said, 1), pl.col("text").str.extract(said, 2), pl.lit("a milter")
        )
    )
    hours = lines.sort("time").group_by_dynamic("time", every="30m", period="1h", group_by=["host", "milter"]).agg(
        pl.len().alias("times"), pl.col("event_id").alias("evidence"), pl.col("text").first(), pl.col("time").min().alias("first")
    )  # fmt: skip
    found = hours.with_columns(who=pl.format("{} on {}", "milter", "host"))
    sentence = pl.format(
        "{} failed {} within an hour of {}: \"{}\". What came then was not looked at, or was refused for now.",
        "who", counted(pl.col("times"), "time", "times"), _when("first"), "text",
    )  # fmt: skip
    severity = (
        pl.when(pl.col("times") >= limits.filter_problems).then(pl.lit("high")).otherwise(pl.lit("warning"))
    )
    return finding_rows(_worst(found, "who", "times", "time"), finding="filter_silent", severity=severity, subject=pl.col("who"),
                        sentence=sentence, rule="incident.filter_silent")  # fmt: skip


def _queue_growth(material: Material, limits: Thresholds) -> Frame:
    """More mails waiting at once than is usual for the host."""
    stays = material.messages.filter(pl.col("queued_time").is_not_null())
    steps = pl.concat(
        [
            stays.select("host", time="queued_time", step=pl.lit(1)),
            stays.filter(pl.col("removed_time").is_not_null()).select(
                "host", time="removed_time", step=pl.lit(-1)
            ),
        ]
    ).sort("time", "step", descending=[False, True])
    depth = steps.with_columns(waiting=pl.col("step").cum_sum().over("host"))
    hours = depth.group_by("host", pl.col("time").dt.truncate("1h").alias("time")).agg(
        pl.col("waiting").max()
    )
    before = pl.col("waiting").rolling_median(24 * 7, min_samples=1).shift(1).over("host")
    hours = hours.sort("host", "time").with_columns(usual=before.fill_null(0))
    high = (pl.col("waiting") >= limits.queue_messages) & (
        pl.col("waiting") >= limits.queue_factor * pl.col("usual")
    )
    top = _worst(hours.filter(high), "host", "waiting", "time")
    held = top.join(
        stays.select("host", "message_key", "queued_time", "removed_time", "evidence"), on="host"
    ).filter(
        (pl.col("queued_time") < pl.col("time") + pl.duration(hours=1))
        & (pl.col("removed_time").is_null() | (pl.col("removed_time") > pl.col("time")))
    )
    held = held.group_by("host").agg(
        pl.col("message_key").head(1000).alias("message_keys"), pl.col("evidence").list.first().head(1000)
    )
    sentence = pl.format(
        "At {} {} mails were waiting in the queue of {}; in the hours before usually {}.",
        _when(),
        "waiting",
        "host",
        pl.col("usual").cast(pl.Int64),
    )
    return finding_rows(top.join(held, on="host", how="left"), finding="queue_growth", severity="warning", subject=pl.col("host"),
                        sentence=sentence, certainty="inferred", rule="incident.queue_growth", innocent="A mailing of our own.")  # fmt: skip


def _mailbox_full(material: Material, limits: Thresholds) -> Frame:
    """A mailbox of ours without room."""
    here = pl.col("agent").is_in(["lmtp", "local", "virtual", "pipe"])
    refused = material.deliveries.filter(here & (pl.col("cause") == "mailbox_full")).select(
        "time", "message_key", "evidence", "host", who=pl.col("recipient").str.to_lowercase()
    )
    noted = material.mailbox_events.filter(pl.col("action") == "quota_exceeded").select(
        "time", "message_key", "evidence", "host", who=pl.col("username").str.to_lowercase()
    )
    found = pl.concat([refused, noted]).drop_nulls("who").sort("time").group_by("who", maintain_order=True).agg(
        pl.len().alias("times"), pl.col("time").min(), pl.col("time").max().alias("last"), pl.col("host").first(),
        pl.col("message_key").drop_nulls().alias("message_keys"), pl.col("evidence").explode(),
    )  # fmt: skip
    sentence = pl.format(
        "The mailbox of {} was full {} between {} and {}.",
        "who",
        counted(pl.col("times"), "time", "times"),
        _when(),
        _when("last"),
    )
    return finding_rows(found, finding="mailbox_full", severity="notice", subject=pl.col("who"), sentence=sentence,
                        rule="incident.mailbox_full")  # fmt: skip


def _loop(material: Material, limits: Thresholds) -> Frame:
    """Mail that goes round."""
    rounds = material.deliveries.filter(pl.col("cause") == "routing_loop").sort("time")
    found = rounds.group_by(pl.col("recipient").str.to_lowercase().alias("who"), maintain_order=True).agg(
        pl.len().alias("times"), pl.col("time").min(), pl.col("host").first(), pl.col("response").first(),
        pl.col("message_key").alias("message_keys"), pl.col("evidence").explode(),
    ).drop_nulls("who")  # fmt: skip
    sentence = pl.format(
        "{} to {} went in a circle, first at {}: \"{}\"", counted(pl.col("times"), "mail", "mails"), "who", _when(),
        pl.col("response").fill_null(""),
    )  # fmt: skip
    return finding_rows(found, finding="loop", severity="warning", subject=pl.col("who"), sentence=sentence, rule="incident.loop",
                        source="RFC 5321 §6.3")  # fmt: skip


RULES: tuple[Callable[[Material, Thresholds], Frame], ...] = (
    _compromised_account, _password_guessing, _backscatter, _relay_attempt, _snowshoe, _blocklisting, _tls_missing,
    _certificate_expired, _dns_trouble, _filter_silent, _queue_growth, _mailbox_full, _loop,
)  # fmt: skip
