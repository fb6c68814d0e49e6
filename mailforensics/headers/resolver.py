"""The one way to DNS: only when the user makes a resolver and passes it in, and every question is kept.

Asking can tell an attacker that a message is being looked at, and answers change. So nothing here asks by itself,
and a notebook gives the same answer next year from the record of this one::

    resolver = Resolver(nameservers=["192.0.2.53"])
    resolver.txt("example.org")
    again = Resolver.replay(resolver.records)         # answers from the record, never asks
    case.keep(resolver); case.save("case")            # or with the case, for next year:
    again = Resolver.replay(open_case("case"))

Names and types are those of RFC 1035; reverse names follow RFC 1035 §3.5 and RFC 3596 §2.5, block lists RFC 5782.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, Protocol

import dns.exception
import dns.name
import dns.rdatatype
import dns.resolver
import polars as pl
import pyarrow as pa

from mailforensics import schema
from mailforensics.errors import OptionError

STATUSES = ("NOERROR", "NXDOMAIN", "NODATA", "SERVFAIL", "TIMEOUT", "BAD_NAME", "NOT_RECORDED")


@dataclass(frozen=True, slots=True)
class Answer:
    """One question and what came back; ``answer`` is empty unless ``status`` is ``NOERROR``."""

    question: str
    type: str
    answer: tuple[str, ...] = ()
    status: str = "NOERROR"
    ttl_s: float | None = None
    resolver: str | None = None
    time: datetime | None = None

    @property
    def failed(self) -> bool:
        """Whether it is not known what the answer would be, so that asking again may help."""
        return self.status in ("SERVFAIL", "TIMEOUT", "NOT_RECORDED")


class Resolver:
    """Asks name servers, each question once, and keeps every answer.

    ``nameservers`` are addresses; without them those of this machine are asked. ``timeout_s`` bounds one
    question, ``concurrency`` how many are under way at once. Making a resolver asks nothing.

    >>> Resolver(nameservers=["192.0.2.53"]).records.num_rows
    0
    """

    def __init__(
        self,
        nameservers: Sequence[str] | None = None,
        *,
        port: int = 53,
        timeout_s: float = 5.0,
        concurrency: int = 8,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if timeout_s <= 0 or concurrency < 1:
            raise OptionError("A resolver needs timeout_s above 0 and concurrency of at least 1.")
        self._stub: dns.resolver.Resolver | None = None
        self._nameservers, self._port = nameservers, port
        self._timeout_s, self._concurrency, self._clock = timeout_s, concurrency, clock
        self._known: dict[tuple[str, str], Answer] = {}
        self._lock = threading.Lock()

    @classmethod
    def replay(cls, records: pl.DataFrame | pa.Table | HoldsTables) -> Resolver:
        """A resolver that answers from a record alone and never asks.

        ``records`` is a case that :meth:`mailforensics.Case.keep` gave the record to, or a ``dns_records`` table.
        What the record does not hold has the status ``NOT_RECORDED``. Raises :class:`OptionError` for anything else.

        >>> Resolver.replay(Resolver().records).txt("example.org").status
        'NOT_RECORDED'
        """
        return _Replay(records)

    def query(self, question: str, kind: str = "A") -> Answer:
        """The answer to one question, from the record where it was asked before. Nothing is raised.

        >>> Resolver.replay(Resolver().records).query("example.org", "MX").answer
        ()
        """
        name, kind = question.rstrip(".").lower(), kind.upper()
        with self._lock:
            known = self._known.get((name, kind))
        if known is not None:
            return known
        answer = self._ask(name, kind)
        with self._lock:
            return self._known.setdefault((name, kind), answer)

    def query_all(self, questions: Iterable[tuple[str, str]]) -> list[Answer]:
        """The answers to many questions, given as (name, type), in the same order; several are asked at once."""
        wanted = list(questions)
        distinct = list(dict.fromkeys((name.rstrip(".").lower(), kind.upper()) for name, kind in wanted))
        with ThreadPoolExecutor(max_workers=self._concurrency) as pool:
            list(pool.map(lambda one: self.query(*one), distinct))
        return [self.query(name, kind) for name, kind in wanted]

    def txt(self, name: str) -> Answer:
        """The TXT records of a name, the strings of each joined (RFC 7208 §3.3, RFC 6376 §3.6.2.2)."""
        return self.query(name, "TXT")

    def addresses(self, name: str) -> tuple[str, ...]:
        """The A and AAAA records of a name."""
        return self.query(name, "A").answer + self.query(name, "AAAA").answer

    def confirmed_name(self, address: str) -> tuple[str | None, str]:
        """(the reverse name of an address, the result of iprev): RFC 8601 §3.

        ``pass`` when one of its reverse names has the address again, ``fail`` when none has, ``permerror``
        without a reverse name, ``temperror`` when servers did not answer.
        """
        reverse = self.query(reverse_name(address), "PTR")
        if reverse.failed:
            return None, "temperror"
        names = [name.rstrip(".") for name in reverse.answer[:10]]
        for name in names:
            if address in self.addresses(name):
                return name, "pass"
        return (names[0], "fail") if names else (None, "permerror")

    def listed(self, address: str, zones: Sequence[str]) -> dict[str, tuple[str, ...]]:
        """For each block list that the user names, the codes under which it lists the address (RFC 5782)."""
        base = reverse_name(address).removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")
        answers = self.query_all([(f"{base}.{zone}", "A") for zone in zones])
        return {zone: answer.answer for zone, answer in zip(zones, answers, strict=True)}

    @property
    def records(self) -> pa.Table:
        """Every question so far and what came back: the table ``dns_records``, in order of name and type."""
        with self._lock:
            kept = sorted(self._known.values(), key=lambda one: (one.question, one.type))
        rows = [
            {
                "time": one.time, "question": one.question, "type": one.type, "answer": list(one.answer),
                "status": one.status, "resolver": one.resolver, "ttl_s": one.ttl_s,
            }
            for one in kept
        ]  # fmt: skip
        return schema.to_table("dns_records", pl.DataFrame(rows, schema=schema.polars_schema("dns_records")))

    def _ask(self, name: str, kind: str) -> Answer:
        time = self._clock()
        try:
            found = self._asker().resolve(
                f"{name}.", kind, raise_on_no_answer=False, lifetime=self._timeout_s
            )
        except Exception as error:  # whatever a server or a name does, a question never ends the work
            return Answer(name, kind, status=_status(error), time=time)
        texts = tuple(_text(record) for record in found.rrset or ())
        ttl = float(found.rrset.ttl) if found.rrset is not None else None
        status = "NOERROR" if texts else "NODATA"
        return Answer(name, kind, texts, status, ttl, str(found.nameserver or "") or None, time)

    def _asker(self) -> dns.resolver.Resolver:
        with self._lock:
            if self._stub is None:
                self._stub = dns.resolver.Resolver(configure=self._nameservers is None)
                if self._nameservers is not None:
                    self._stub.nameservers = list(self._nameservers)
                self._stub.port = self._port
                self._stub.timeout = min(self._timeout_s, 2.0)
            return self._stub


class HoldsTables(Protocol):
    """What a case is to the resolver: something that has ``dns_records``."""

    def polars(self, name: str) -> pl.DataFrame:
        """A table by its name."""


def _recorded(records: pl.DataFrame | pa.Table | HoldsTables) -> pl.DataFrame:
    if isinstance(records, pa.Table):
        table = pl.from_arrow(records)
        assert isinstance(table, pl.DataFrame)  # noqa: S101
        return table
    if isinstance(records, pl.DataFrame):
        return records
    if hasattr(records, "polars"):
        return records.polars("dns_records")
    raise OptionError(
        f"Answers are replayed from a case or a dns_records table, not from {type(records).__name__}."
    )


class _Replay(Resolver):
    """Answers from a record."""

    def __init__(self, records: pl.DataFrame | pa.Table | HoldsTables) -> None:
        super().__init__(nameservers=[])
        for row in _recorded(records).iter_rows(named=True):
            answer = Answer(
                row["question"], row["type"], tuple(row["answer"] or ()), row["status"], row["ttl_s"],
                row["resolver"], row["time"],
            )  # fmt: skip
            self._known[row["question"], row["type"]] = answer

    def _ask(self, name: str, kind: str) -> Answer:
        return Answer(name, kind, status="NOT_RECORDED")


def _status(error: Exception) -> str:
    if isinstance(error, dns.resolver.NXDOMAIN):
        return "NXDOMAIN"
    if isinstance(error, dns.exception.Timeout):
        return "TIMEOUT"
    if isinstance(error, (dns.resolver.NoNameservers, OSError)):
        return "SERVFAIL"
    return "BAD_NAME"


def _text(record: Any) -> str:
    if record.rdtype == dns.rdatatype.TXT:
        return b"".join(record.strings).decode("utf-8", "backslashreplace")
    return (
        str(record.to_text()).rstrip(".")
        if record.rdtype in (dns.rdatatype.PTR, dns.rdatatype.NS)
        else str(record.to_text())
    )


def reverse_name(address: str) -> str:
    """The name under which the reverse names of an address stand.

    >>> reverse_name("192.0.2.7")
    '7.2.0.192.in-addr.arpa'
    """
    return ip_address(address).reverse_pointer


def questions(
    hops: pl.DataFrame, auth_results: pl.DataFrame, documents: pl.DataFrame
) -> list[tuple[str, str]]:
    """What an expert would ask about messages: reverse names of hops; MX, SPF and DMARC of the domains
    involved; the keys of signatures. For :meth:`Resolver.query_all`; the order is the same in every run.

    >>> from mailforensics.headers.message import read_message
    >>> frames = read_message(b"From: a@example.org\\n\\n").frames
    >>> questions(frames["hops"], frames["auth_results"], frames["documents"])
    [('example.org', 'MX'), ('example.org', 'TXT'), ('_dmarc.example.org', 'TXT')]
    """
    asked = [
        (reverse_name(address), "PTR") for address in hops["from_ip"].drop_nulls().unique(maintain_order=True)
    ]
    domains = pl.concat([documents["from_address"], documents["return_path"]]).drop_nulls()
    for domain in domains.str.split("@").list.last().str.to_lowercase().unique(maintain_order=True):
        if domain:
            asked += [(domain, "MX"), (domain, "TXT"), (f"_dmarc.{domain}", "TXT")]
    signed = auth_results.filter(pl.col("field").is_in(["DKIM-Signature", "ARC-Seal"])).drop_nulls(
        ["header_d", "header_s"]
    )
    for selector, domain in signed.select("header_s", "header_d").unique(maintain_order=True).iter_rows():
        asked.append((f"{selector}._domainkey.{domain}", "TXT"))
    return list(dict.fromkeys(asked))
