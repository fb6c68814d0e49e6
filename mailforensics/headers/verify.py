"""Checking again what headers claim: DKIM and ARC signatures, SPF for the border hop, DMARC from both.

The rows stand beside the claims in ``auth_results`` with ``field`` ``recomputed``. They say what holds with the keys and
records that the resolver gave, live or recorded: keys are replaced and records change, so a failure today does not
prove that the mail was false when it came, and a finding says so.

Sources: RFC 6376 and 8301 (DKIM), RFC 8463 (Ed25519), RFC 8617 (ARC), RFC 7208 (SPF), RFC 9989 (DMARC, with its tree
walk in §4.10), RFC 8601 §2.7 and §3 for the words of the results. Signatures are checked with dkimpy.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import dkim
import polars as pl
from dkim.util import InvalidTagValueList, parse_tag_value

from mailforensics import schema
from mailforensics.headers.authentication import Row, read_tags
from mailforensics.headers.domains import domain_of
from mailforensics.headers.fields import Field, read_fields
from mailforensics.headers.message import Message
from mailforensics.headers.outlook import is_outlook, read_outlook
from mailforensics.headers.resolver import Resolver
from mailforensics.headers.spf import check_host

MAX_SIGNATURES = 20
_MAX_SKEW = timedelta(hours=10)
_QUIET = logging.Logger("mailforensics.dkim", logging.CRITICAL + 1)


@dataclass(frozen=True, slots=True)
class _Verdict:
    result: str
    reason: str | None = None


def verify_message(data: bytes, message: Message, resolver: Resolver) -> pl.DataFrame:
    """What checking gives for one message: rows of ``auth_results`` with ``field`` ``recomputed``.

    ``data`` are its bytes, ``message`` its tables. One row for each DKIM-Signature (``ordinal`` is that of its
    field), one for the ARC chain, ``iprev`` and ``spf`` (for MAIL FROM and for HELO) of the border hop, and one for
    DMARC. SPF and iprev need a hop that is ours: read the message with ``own=``. The time that counts for
    expiry is that of the border hop. Nothing is raised for what the message or DNS say.

    >>> from mailforensics.headers.message import read_message
    >>> data = b"From: a@example.org\\n\\n"
    >>> rows = verify_message(data, read_message(data), Resolver.replay(Resolver().records))
    >>> rows.select("method", "result").rows()
    [('arc', 'none'), ('dmarc', 'temperror')]
    """
    outlook = is_outlook(data)
    section = read_fields(read_outlook(data).header if outlook else data)
    hop = _border_hop(message)
    at: datetime | None = hop["time"] if hop else None
    if outlook:
        rows = _unchecked_rows(section.fields)
    else:
        rows = [*_dkim_rows(data, section.fields, at, resolver), _arc_row(data, resolver)]
    if hop is not None and hop["from_ip"]:
        rows += [_iprev_row(hop, resolver), *_spf_rows(hop, section.first("return-path"), resolver)]
    from_domain = domain_of(message.frames["documents"]["from_address"][0] or "")
    rows.append(_dmarc_row(from_domain, rows, resolver))
    number = message.frames["documents"]["document_id"][0]
    for row in rows:
        row |= {"document_id": number, "field": "recomputed"}
    return schema.conform("auth_results", pl.DataFrame(rows, schema=_SCHEMA, strict=False))


_SCHEMA = dict(schema.polars_schema("auth_results")) | {
    "signed_bytes": pl.Int64(),
    "unsigned_bytes": pl.Int64(),
}


def with_recomputed(message: Message, recomputed: pl.DataFrame) -> Message:
    """The message with the rows of :func:`verify_message` in its ``auth_results``.

    >>> from mailforensics.headers.message import read_message
    >>> message = read_message(b"From: a@example.org\\n\\n")
    >>> with_recomputed(message, verify_message(b"", message, Resolver.replay(Resolver().records))).auth_results.num_rows
    2
    """
    results = pl.concat([message.frames["auth_results"], recomputed], how="diagonal_relaxed")
    return Message(dict(message.frames) | {"auth_results": results}, message.data)


def _border_hop(message: Message) -> dict[str, Any] | None:
    hops = message.frames["hops"]
    border = hops.filter(pl.col("is_border") & pl.col("trust").is_in(["ours", "trusted"]))
    return border.row(0, named=True) if border.height else None


def _row(method: str, verdict: _Verdict, **more: Any) -> Row:
    return {
        "method": method,
        "result": verdict.result,
        "reason": verdict.reason,
        "parse_status": "ok",
        "properties": [],
    } | more


# DKIM (RFC 6376 §6).


def _dkim_rows(data: bytes, fields: tuple[Field, ...], at: datetime | None, resolver: Resolver) -> list[Row]:
    signatures = [(place, one) for place, one in enumerate(fields) if one.key == "dkim-signature"]
    rows = []
    for number, (ordinal, one) in enumerate(signatures[:MAX_SIGNATURES]):
        tags = read_tags(one.value)
        verdict, sizes = _checked(data, number, tags, at, resolver)
        row = _row(
            "dkim",
            verdict,
            ordinal=ordinal,
            header_b=(tags.get("b") or "")[:8] or None,
            header_i=tags.get("i"),
            **sizes,
        )
        rows.append(row | {f"header_{tag}": tags.get(tag) for tag in ("d", "s", "a")})
    return rows


def _unchecked_rows(fields: tuple[Field, ...]) -> list[Row]:
    """Signatures in an Outlook file: there, and not to be checked."""
    verdict = _Verdict("neutral", "Outlook took the body apart, so that the signature cannot be checked")
    return [
        _row(
            "dkim",
            verdict,
            ordinal=ordinal,
            **{f"header_{tag}": tags.get(tag) for tag in ("d", "s", "a", "i")},
        )
        for ordinal, one in enumerate(fields)
        if one.key == "dkim-signature" and (tags := read_tags(one.value)) is not None
    ][:MAX_SIGNATURES]


def _checked(
    data: bytes, number: int, tags: Mapping[str, str], at: datetime | None, resolver: Resolver
) -> tuple[_Verdict, dict[str, int]]:
    before = _before_key(tags) or _key(tags, resolver)
    if before is not None:
        return before, {}
    verdict, sizes = _signature(data, number, resolver)
    if verdict.result == "pass":
        verdict = _policy(tags) or _expired(tags, at) or _partly_signed(sizes) or verdict
    return verdict, sizes


def _before_key(tags: Mapping[str, str]) -> _Verdict | None:
    """What makes a signature unusable before its key is looked at (§6.1.1)."""
    missing = [tag for tag in ("v", "a", "b", "bh", "d", "h", "s") if not tags.get(tag)]
    if missing:
        return _Verdict("permerror", f"tag {missing[0]}= is missing")
    if "from" not in [name.lower() for name in tags["h"].split(":")]:
        return _Verdict("permerror", "From is not signed")
    identity = domain_of(tags.get("i", "")) or tags["d"].lower()
    if identity != tags["d"].lower() and not identity.endswith("." + tags["d"].lower()):
        return _Verdict("permerror", "i= is not below d=")
    return None


def _key(tags: Mapping[str, str], resolver: Resolver) -> _Verdict | None:
    """What is wrong with the key in DNS (§6.1.2), or None."""
    name = f"{tags['s']}._domainkey.{tags['d']}"
    answer = resolver.txt(name)
    if answer.failed:
        return _Verdict("temperror", f"key {name}: {answer.status}")
    if not answer.answer:
        return _Verdict("permerror", f"no key at {name}")
    key = read_tags(answer.answer[0])
    if key.get("p") == "":
        return _Verdict("permerror", f"the key at {name} is withdrawn")
    if "p" not in key:
        return _Verdict("permerror", f"no key at {name}")
    return None


def _signature(data: bytes, number: int, resolver: Resolver) -> tuple[_Verdict, dict[str, int]]:
    """The cryptographic answer of dkimpy, with times left to us: it would compare them with today."""
    try:
        signer = dkim.DKIM(data, logger=_QUIET, minkey=1024)
        header = [one for one in signer.headers if one[0].lower() == b"dkim-signature"][number]
        tags = parse_tag_value(header[1])
        dkim.validate_signature_fields({tag: text for tag, text in tags.items() if tag not in (b"t", b"x")})
        names = [name.lower() for name in re.split(rb"\s*:\s*", tags[b"h"])]
        valid = signer.verify_sig(tags, names, header, _dns_function(resolver))
    except dkim.ValidationError as error:
        changed = "body hash mismatch" in str(error)
        return (
            _Verdict("fail", "the body was changed") if changed else _Verdict("permerror", str(error)[:200])
        ), {}
    except dkim.NaClNotFoundError:
        return _Verdict("neutral", "Ed25519 needs PyNaCl: pip install 'dkimpy[ed25519]'"), {}
    except dkim.KeyFormatError as error:
        small = "too small" in str(error)
        return _Verdict("policy" if small else "permerror", str(error)[:200]), {}
    except (dkim.DKIMException, InvalidTagValueList, ValueError, IndexError, KeyError, TypeError) as error:
        return _Verdict("permerror", str(error)[:200] or type(error).__name__), {}
    if not valid:
        return _Verdict("fail", "a signed header was changed, or the key was replaced"), {}
    return _Verdict("pass"), _sizes(signer, tags)


def _dns_function(resolver: Resolver) -> Any:
    def ask(name: bytes | str, timeout: int = 5) -> str | None:
        text = name.decode("ascii", "replace") if isinstance(name, bytes) else name
        answers = resolver.txt(text).answer
        return answers[0] if answers and answers[0].isascii() else None

    return ask


def _sizes(signer: dkim.DKIM, tags: Mapping[bytes, bytes]) -> dict[str, int]:
    """How much of the body ``l=`` covers, where it leaves some out."""
    if b"l" not in tags:
        return {}
    policy = dkim.CanonicalizationPolicy.from_c_value(tags.get(b"c", b"simple/simple"))
    whole, signed = len(policy.canonicalize_body(signer.body)), int(tags[b"l"] or b"0")
    return {"signed_bytes": min(signed, whole), "unsigned_bytes": max(0, whole - signed)}


def _policy(tags: Mapping[str, str]) -> _Verdict | None:
    if tags["a"].lower() == "rsa-sha1":
        return _Verdict("policy", "rsa-sha1 no longer counts (RFC 8301 §3.1)")
    return None


def _expired(tags: Mapping[str, str], at: datetime | None) -> _Verdict | None:
    """Whether the signature was past its time when our border took the message; not when the time is unknown."""
    if at is None or not all(
        tags.get(tag, "0").isdigit() and len(tags.get(tag, "0")) < 12 for tag in ("t", "x")
    ):
        return None
    now = at.timestamp()
    if "x" in tags and now > int(tags["x"]):
        return _Verdict("fail", "the signature had expired")
    if int(tags.get("t", "0")) > now + _MAX_SKEW.total_seconds():
        return _Verdict("fail", "the signature is dated in the future")
    return None


def _partly_signed(sizes: Mapping[str, int]) -> _Verdict | None:
    left = sizes.get("unsigned_bytes", 0)
    if left == 0:
        return None
    return _Verdict(
        "policy",
        f"only the first {sizes['signed_bytes']} bytes of the body are signed; {left} more were added (RFC 6376 §8.2)",
    )


# ARC (RFC 8617 §5.2).


def _arc_row(data: bytes, resolver: Resolver) -> Row:
    try:
        chain, sets, reason = dkim.ARC(data, logger=_QUIET, minkey=1024).verify(
            dnsfunc=_dns_function(resolver)
        )
    except (dkim.DKIMException, ValueError, IndexError, KeyError, TypeError, AttributeError) as error:
        return _row("arc", _Verdict("fail", str(error)[:200] or type(error).__name__))
    words = {dkim.CV_Pass: "pass", dkim.CV_None: "none"}
    verdict = _Verdict(words.get(chain, "fail"), None if chain in words else str(reason)[:200])
    return _row("arc", verdict, arc_instance=max((one["instance"] for one in sets), default=None))


# What the border hop saw: iprev (RFC 8601 §3) and SPF (RFC 7208).


def _iprev_row(hop: Mapping[str, Any], resolver: Resolver) -> Row:
    name, result = resolver.confirmed_name(hop["from_ip"])
    return _row("iprev", _Verdict(result, name), ordinal=hop["ordinal"], smtp_remote_ip=hop["from_ip"])


def _spf_rows(hop: Mapping[str, Any], return_path: str | None, resolver: Resolver) -> list[Row]:
    """SPF for HELO, and for MAIL FROM where Return-Path or the hop tells it; for ``<>`` HELO stands in (§2.4)."""
    helo = (hop["from_helo"] or "").strip("[]")
    said = hop["envelope_from"] if hop["envelope_from"] is not None else return_path
    sender = None if said is None else said.strip().strip("<>")
    rows = (
        [_spf_row(hop, helo, f"postmaster@{helo}", helo, resolver, smtp_helo=helo)] if domain_of(helo) else []
    )
    if sender is not None:
        address = sender or f"postmaster@{helo}"
        domain = domain_of(address) or ""
        rows.append(_spf_row(hop, domain, address, helo, resolver, smtp_mailfrom=sender))
    return rows


def _spf_row(
    hop: Mapping[str, Any], domain: str, sender: str, helo: str, resolver: Resolver, **who: str
) -> Row:
    found = check_host(hop["from_ip"], domain, sender, helo, resolver)
    verdict = _Verdict(found.result, found.reason or found.mechanism)
    return _row("spf", verdict, ordinal=hop["ordinal"], smtp_remote_ip=hop["from_ip"], **who)


# DMARC (RFC 9989).


@dataclass(frozen=True, slots=True)
class Policy:
    """The DMARC record that counts for a domain: where it stands, its tags, and what it asks for."""

    domain: str
    organisation: str
    tags: Mapping[str, str]
    asks: str


def _dmarc_row(from_domain: str | None, rows: list[Row], resolver: Resolver) -> Row:
    if from_domain is None:
        return _row("dmarc", _Verdict("permerror", "From has no domain"))
    records, failed = _walk(from_domain, resolver)
    if failed:
        return _row("dmarc", _Verdict("temperror", failed), header_from=from_domain)
    policy = _policy_of(from_domain, records, resolver)
    _align(rows, from_domain, policy, resolver)
    if policy is None:
        return _row("dmarc", _Verdict("none", "no DMARC record"), header_from=from_domain)
    passed = [
        row["method"]
        for row in rows
        if row.get("aligned") and row["result"] == "pass" and row.get("smtp_helo") is None
    ]
    waits = any(row["result"] == "temperror" for row in rows if row["method"] in ("dkim", "spf"))
    result = "pass" if passed else "temperror" if waits else "fail"
    reason = (
        f"aligned: {', '.join(dict.fromkeys(passed))}"
        if passed
        else "neither SPF nor DKIM passed for this domain"
    )
    return _row(
        "dmarc", _Verdict(result, reason), header_from=from_domain, policy=policy.asks, aligned=bool(passed)
    )


def _align(rows: list[Row], from_domain: str, policy: Policy | None, resolver: Resolver) -> None:
    tags = policy.tags if policy else {}
    own = policy.organisation if policy else organisation(from_domain, resolver)
    for row in rows:
        domain = row.get("header_d") if row["method"] == "dkim" else None
        if row["method"] == "spf":
            domain = domain_of(row.get("smtp_mailfrom") or row.get("smtp_helo") or "")
        if domain is None:
            continue
        strict = tags.get("adkim" if row["method"] == "dkim" else "aspf", "r").lower() == "s"
        same = domain.lower() == from_domain
        row["aligned"] = same or (not strict and organisation(domain.lower(), resolver) == own)


def discover(domain: str, resolver: Resolver) -> Policy | None:
    """The DMARC policy for a domain in From, by the tree walk of RFC 9989 §4.10, or None.

    >>> discover("example.org", Resolver.replay(Resolver().records)) is None
    True
    """
    return _policy_of(domain, _walk(domain.lower(), resolver)[0], resolver)


def organisation(domain: str, resolver: Resolver) -> str:
    """The organisational domain by the tree walk; the domain itself where no record is found (RFC 9989 §4.10.2).

    >>> organisation("mail.example.org", Resolver.replay(Resolver().records))
    'mail.example.org'
    """
    return _organisation(domain, _walk(domain, resolver)[0])


def _walk(domain: str, resolver: Resolver) -> tuple[dict[str, Mapping[str, str]], str | None]:
    """(the DMARC records from the domain up to the root, by domain; what failed or None)."""
    labels = domain.rstrip(".").split(".")
    names = [domain.rstrip(".")]
    rest = labels[1:] if len(labels) < 8 else labels[-7:]
    names += [".".join(rest[place:]) for place in range(len(rest))]
    records: dict[str, Mapping[str, str]] = {}
    for name in names:
        answer = resolver.txt(f"_dmarc.{name}")
        if answer.failed:
            return records, f"_dmarc.{name}: {answer.status}"
        found = [text for text in answer.answer if re.match(r"v\s*=\s*DMARC1\s*(;|$)", text)]
        if len(found) == 1:
            records[name] = read_tags(found[0])
            if records[name].get("psd", "u").lower() in ("y", "n"):
                break
    return records, None


def _organisation(domain: str, records: Mapping[str, Mapping[str, str]]) -> str:
    for name, tags in records.items():
        if tags.get("psd", "u").lower() == "n":
            return name
        if tags.get("psd", "u").lower() == "y" and name != domain:
            return domain.removesuffix(f".{name}").rpartition(".")[2] + f".{name}"
    return min(records, key=lambda name: name.count("."), default=domain)


def _policy_of(domain: str, records: Mapping[str, Mapping[str, str]], resolver: Resolver) -> Policy | None:
    owner = _organisation(domain, records)
    for place in (domain, owner, *records):
        if place in records:
            tags = records[place]
            asks = tags.get("p") or "none"
            if place != domain:
                asks = tags.get("sp") or asks
                if tags.get("np") and not _exists(domain, resolver):
                    asks = tags["np"]
            return Policy(place, owner, tags, asks.lower())
    return None


def _exists(domain: str, resolver: Resolver) -> bool:
    """Whether a name is there at all: the tag np is for names that are not (RFC 9989)."""
    return any(resolver.query(domain, kind).status != "NXDOMAIN" for kind in ("A", "AAAA", "MX"))
