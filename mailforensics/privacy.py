"""A case that can leave the house: people, hosts and texts become keyed pseudonyms, and everything still joins.

    shared = case.pseudonymise(key=read_key("key.bin"), keep_domains=["example.com"])

Pseudonyms are HMAC-SHA-256 (RFC 2104) of the value in lower case, so that the same value is the same pseudonym in every table, in every
text and in every case that the same key is used for; without the key nobody can try values. Local parts and domains are replaced apart:
``bob@mx.example.org`` becomes ``u7k2...@n4a....n9c....invalid``, and a subdomain keeps its domain. Addresses of hosts keep common
prefixes (in the manner of Crypto-PAn, Xu et al. 2002): two clients of one network stay two clients of one network. The key is never stored.

:data:`DECISIONS` says for every text column of the schema what happens to it; a test fails for a column without a decision.
"""

from __future__ import annotations

import base64
import hmac
import ipaddress
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import polars as pl

from mailforensics import schema
from mailforensics.errors import OptionError
from mailforensics.grammar import grammars

if TYPE_CHECKING:
    from mailforensics.case import Case
    from mailforensics.trace import Trace

Frame = pl.DataFrame

KEY_BYTES = 16  # the least that a key must have
KEY_VARIABLE = "MAILFORENSICS_KEY"

_BY_DECISION: Mapping[str, str] = MappingProxyType({
    # addresses, Message-IDs, accounts: local part and domain apart
    "address": """message_id sender recipient recipients original_recipient sasl_username username user from_address
        return_path for_address envelope_from auth_user smtp_mailfrom smtp_auth header_i final_recipient original_message_id""",
    # names of hosts and domains
    "host": """host sender_domain recipient_domain client_name helo from_helo from_name by_name by_ip relay_ip client_ip
        local_ip from_ip authserv_id smtp_helo smtp_remote_ip header_from header_d question resolver ident remote_mta reporting_mta blocklist""",
    "mailbox": "mailbox target",
    "phrase": "subject value",
    # words of servers and people, in which everything that is replaced elsewhere is replaced too
    "text": """relay_name text extra response reason close_reason comment software answer sentence innocent symbols outcomes
        properties limits_hit cause_sentence diagnostic original_envelope_id""",
    "path": "path member",
    "drop": "raw",
    # words of closed lists, numbers of queues and sessions, names of programs: nobody is named by them
    "keep": """sha256 compression format timezone timezone_method year_method tool_version time_original time_precision time_method
        program instance daemon system severity queue_id session_id kind parse_status direction protocol sasl_method tls_version
        tls_cipher origin previous_queue_id next_queue_ids status agent dsn enhanced_code stage remote_queue_id remote_session_id
        tls_level cause cause_family permanence who_acts cause_rule tls action restriction auth_method auth_outcome commands engine
        forced_action settings_id module flags links defects name with_protocol via id spans role trust field authserv_trust method
        result header_s header_a header_b policy finding severity certainty rule source type queue_name
        rule_basis last_cause delivery_status matched_by match_certainty""",
})  # fmt: skip

#: What happens to a text column, by its name; ``(table, name)`` wins where one table differs.
DECISIONS: Mapping[str, str] = MappingProxyType(
    {name: decision for decision, names in _BY_DECISION.items() for name in names.split()}
)
EXCEPTIONS: Mapping[tuple[str, str], str] = MappingProxyType({("findings", "subject"): "text"})

_WORDS = r"[0-9A-Za-z_.@%+~!#$&*?^'\x{80}-\x{10FFFF}-]"
_PIECES = rf"(?:[0-9A-Fa-f]{{0,4}}:){{2,7}}[0-9A-Fa-f.]{{0,15}}|{_WORDS}+|[^0-9A-Za-z_.@%+~!#$&*?^'\x{{80}}-\x{{10FFFF}}-]+"
_WORD = re.compile(r"(?:[0-9A-Za-z_.@%+~!#$&*?^'-]|[^\x00-\x7f])+")  # the same, for one word at a time
_ENCODED = r"=\?[^?\s]+\?[BbQq]\?[^?\s]*\?="  # RFC 2047
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?)*\.?")
_TOP = re.compile(r"[a-z][a-z0-9-]*[a-z0-9]")
_NO_TOP = frozenset(
    {"lua", "conf", "log", "sieve", "sock", "inc", "map"}
)  # endings of file names that are no top-level domain
_SPECIAL_MAILBOXES = frozenset(
    {"inbox", "junk", "spam", "trash", "sent", "drafts", "archive"}
)  # RFC 6154 and INBOX
_NOBODY = frozenset({"unknown", "none", "localhost", "<>", "", "local"})
_FILE_WORDS = frozenset(
    {
        "log",
        "logs",
        "gz",
        "xz",
        "bz",
        "zst",
        "eml",
        "mbox",
        "tar",
        "zip",
        "json",
        "txt",
        "mail",
        "maillog",
        "rspamd",
        "dovecot",
        "syslog",
        "journal",
    }
)
_AT_ONCE = 200_000  # texts that are taken apart at once


def read_key(path: str | os.PathLike[str] | None = None) -> bytes:
    """The key for pseudonyms: the bytes of a file, or what the environment variable MAILFORENSICS_KEY holds.

    Raises OptionError where there is none, or where it is shorter than 16 bytes.
    """
    if path is not None:
        try:
            key = Path(path).read_bytes().strip(b"\r\n")
        except OSError as error:
            raise OptionError(f"The key {path} cannot be read: {error.strerror}.") from error
    else:
        key = os.environ.get(KEY_VARIABLE, "").encode()
    return check_key(key)


def check_key(key: bytes | str) -> bytes:
    """The key as bytes. Raises OptionError where it is too short to be one."""
    raw = key.encode() if isinstance(key, str) else bytes(key)
    if len(raw) < KEY_BYTES:
        raise OptionError(
            f"Pseudonyms need a key of {KEY_BYTES} bytes or more, from a file or from {KEY_VARIABLE}:"
            " make one with  head -c 32 /dev/urandom | base64 > key.txt  and keep it to yourself."
        )
    return raw


def decision(table: str, column: str) -> str | None:
    """What happens to a column: address, host, mailbox, phrase, text, path, drop or keep; None where nobody decided."""
    return EXCEPTIONS.get((table, column)) or DECISIONS.get(column)


@dataclass
class Pseudonyms:
    """Values to pseudonyms, by key. ``known`` and ``phrases`` are what is to be replaced inside texts."""

    key: bytes
    keep_domains: Sequence[str] = ()
    known: dict[str, str] = field(default_factory=dict)
    phrases: dict[str, str] = field(default_factory=dict)
    mapping: dict[str, str] = field(default_factory=dict)
    _flips: dict[str, int] = field(default_factory=dict)

    def token(self, kind: str, value: str) -> str:
        """The pseudonym of a value: a letter for its kind and ten characters.

        >>> Pseudonyms(b"sixteen bytes or more").token("u", "bob") == Pseudonyms(b"another key, as long").token("u", "bob")
        False
        """
        digest = hmac.digest(
            self.key, f"{kind}:{value.lower()}".encode("utf-8", "backslashreplace"), "sha256"
        )
        made = kind + base64.b32encode(digest)[:10].decode("ascii").lower()
        self.mapping.setdefault(made, value)
        return made

    def address(self, value: str) -> str:
        """An address, a Message-ID or an account; brackets around it stay.

        >>> hidden = Pseudonyms(b"sixteen bytes or more", keep_domains=["example.org"])
        >>> hidden.address("<bob@example.org>").endswith("@example.org>")
        True
        """
        if value.lower() in _NOBODY:
            return value
        if value.startswith("<") and value.endswith(">"):
            return f"<{self.address(value[1:-1])}>"
        local, at, domain = value.rpartition("@")
        if not at:
            return self.token("u", value)
        return (self.token("u", local) if local else "") + "@" + self.host(domain)

    def host(self, value: str) -> str:
        """A name or address of a host, or a domain; what is neither becomes one word."""
        bare = value.strip("[]")
        found = self.ip(bare.removeprefix("IPv6:"))
        if found is not None:
            return value.replace(bare.removeprefix("IPv6:"), found)
        lowered = value.lower()
        if lowered in _NOBODY or self._kept(lowered):
            return value
        return self._labels(lowered) if _NAME.fullmatch(lowered) else self.token("x", value)

    def _kept(self, name: str) -> bool:
        return any(name == own or name.endswith(f".{own}") for own in self.keep_domains)

    def _labels(self, name: str) -> str:
        labels = name.rstrip(".").split(".")
        if len(labels) == 1:
            return self.token("h", name)
        suffixes = [".".join(labels[at:]) for at in range(len(labels) - 1)]
        return ".".join(self.token("n", suffix) for suffix in suffixes) + ".invalid"

    def ip(self, value: str) -> str | None:
        """An IP address with common prefixes kept (None: it is none); loopback stays.

        >>> hidden = Pseudonyms(b"sixteen bytes or more")
        >>> one, other = hidden.ip("192.0.2.1"), hidden.ip("192.0.2.77")
        >>> one.rsplit(".", 1)[0] == other.rsplit(".", 1)[0], one == other
        (True, False)
        """
        try:
            address = ipaddress.ip_address(value)
        except ValueError:
            return None
        if address.is_loopback or address.is_unspecified:
            return value
        bits = f"{int(address):0{address.max_prefixlen}b}"
        flipped = "".join(
            str(int(bit) ^ self._flip(f"{address.version}:{bits[:at]}")) for at, bit in enumerate(bits)
        )
        made = str(type(address)(int(flipped, 2)))
        self.mapping.setdefault(made, value)
        return made

    def _flip(self, prefix: str) -> int:
        if prefix not in self._flips:
            self._flips[prefix] = hmac.digest(self.key, f"ip:{prefix}".encode(), "sha256")[0] & 1
        return self._flips[prefix]

    def mailbox(self, value: str) -> str:
        """A mailbox; the special ones stay. A target of a redirection is an address."""
        if "@" in value:
            return self.address(value)
        return value if value.lower() in _SPECIAL_MAILBOXES else self.token("f", value)

    def path(self, value: str) -> str:
        """The last two parts of a path; a part with other words than those of logs is one word, its ending stays."""
        return "/".join(self._path_part(part) for part in value.split("/")[-2:])

    def _path_part(self, part: str) -> str:
        words = {word.lower() for word in re.findall(r"[^\W\d_]+", part)}
        if words <= reserved_words() | _FILE_WORDS and part.lower() not in self.known:
            return part
        stem, dot, ending = part.rpartition(".")
        kept = f".{ending}" if dot and ending.lower() in _FILE_WORDS else ""
        return self.token("f", stem if kept else part) + kept

    def phrase(self, value: str) -> str:
        """A subject, or another text that is a person's: one word for all of it."""
        return self.token("t", value) if value else value

    def word(self, word: str) -> str:
        """A word of a text: replaced when it is an address, an IP, a name with dots, or known from a column."""
        core = word.strip(".'!?*")
        lowered = core.lower()
        if not core or lowered in _NOBODY:
            return word
        made = self.known.get(lowered) or (self.address(core) if "@" in core[:-1] else self.ip(core))
        if made is None and "." in core and _NAME.fullmatch(lowered) and _is_top(lowered.rpartition(".")[2]):
            made = self.host(core)
        return word if made is None else word.replace(core, made)

    def asked(self, value: str) -> str:
        """What somebody asked for: as in texts, or one word where it would stay as it is."""
        made = self._texts(pl.Series([value]))[0]
        return str(made) if made != value else self.phrase(value)

    def column(self, series: pl.Series, how: str) -> pl.Series:
        """A column of texts, or of lists and structs of texts, after a decision."""
        if how == "keep" or not series.len():
            return series
        if how == "drop":
            return pl.Series(series.name, [None] * series.len(), dtype=series.dtype)
        if isinstance(series.dtype, pl.List):
            return _within_lists(series, lambda inner: self.column(inner, how))
        if isinstance(series.dtype, pl.Struct):
            fields = [self.column(inner, _MEMBERS.get(inner.name, how)) for inner in series.struct.unnest()]
            made = pl.DataFrame(fields).to_struct(series.name)
            return (
                made
                if not series.null_count()
                else pl.select(pl.when(series.is_not_null()).then(made)).to_series().alias(series.name)
            )
        if series.dtype != pl.String:
            return series
        return self._texts(series) if how == "text" else self._values(series, getattr(self, how))

    def _values(self, series: pl.Series, make: Callable[[str], str]) -> pl.Series:
        distinct = series.drop_nulls().unique()
        return _mapped(series, distinct, pl.Series([make(value) for value in distinct], dtype=pl.String))

    def _texts(self, series: pl.Series) -> pl.Series:
        """Texts are taken apart into words and what stands between; each distinct word is looked at once."""
        distinct = series.drop_nulls().unique()
        parts = [self._some_texts(some) for some in distinct.to_frame().iter_slices(_AT_ONCE)]
        return _mapped(series, distinct, pl.concat(parts) if parts else pl.Series(dtype=pl.String))

    def _some_texts(self, texts: Frame) -> pl.Series:
        whole = texts.to_series().str.replace_all(_ENCODED, "[encoded]")
        if self.phrases:
            whole = whole.str.replace_many(list(self.phrases), list(self.phrases.values()), leftmost=True)
        pieces = whole.str.extract_all(_PIECES).alias("piece").to_frame().with_row_index("at")
        pieces = pieces.explode("piece", empty_as_null=True)
        words = pieces["piece"].drop_nulls().unique()
        changed = {word: made for word in words if (made := self.word(word)) != word}
        if changed:
            pieces = pieces.with_columns(pl.col("piece").replace(changed))
        joined = pieces.group_by("at", maintain_order=True).agg(pl.col("piece").fill_null("").str.join(""))
        return joined["piece"]


def _is_top(label: str) -> bool:
    """Whether a name with this last label may be that of a host."""
    return _TOP.fullmatch(label) is not None and label not in _NO_TOP


#: Members of nested columns that are not what their column is.
_MEMBERS: Mapping[str, str] = MappingProxyType({
    "recipient": "address", "original_recipient": "address", "outcome": "keep", "mailbox": "mailbox", "certainty": "keep",
    "name": "keep", "ptype": "keep", "property": "keep", "key": "keep",
})  # fmt: skip


def _mapped(series: pl.Series, before: pl.Series, after: pl.Series) -> pl.Series:
    table = pl.DataFrame({"before": before.cast(pl.String), "after": after.cast(pl.String)})
    joined = series.alias("before").to_frame().join(table, on="before", how="left", maintain_order="left")
    return joined["after"].alias(series.name)


def _within_lists(series: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """The same lists with changed elements; empty lists and nulls stay what they are."""
    rows = series.alias("item").to_frame().with_row_index("at")
    filled = rows.filter(pl.col("item").list.len() > 0).explode("item", empty_as_null=True)
    if not filled.height:
        return series
    made = filled.with_columns(change(filled["item"]).alias("item"))
    lists = made.group_by("at", maintain_order=True).agg(pl.col("item").alias("made"))
    both = rows.join(lists, on="at", how="left", maintain_order="left")
    return both.select(pl.coalesce("made", "item").cast(series.dtype).alias(series.name)).to_series()


@cache
def reserved_words() -> frozenset[str]:
    """The words of the line shapes: a name that is one of them is replaced in columns, not in the midst of a line."""
    patterns = (shape.pattern for grammar in grammars() for shape in grammar.shapes)
    return frozenset(word.lower() for pattern in patterns for word in re.findall(r"[A-Za-z_-]+", pattern))


_PHRASE_FIELDS = ("subject", "content")  # of lines, which no table holds


def pseudonymise(case: Case, key: bytes | str, keep_domains: Iterable[str] = ()) -> tuple[Case, Pseudonyms]:
    """A case in which persons, hosts and texts are pseudonyms, and the pseudonyms that were made.

    Raises OptionError where the key is too short.
    """
    hidden = Pseudonyms(check_key(key), [domain.lower().strip(".") for domain in keep_domains])
    _learn(case, hidden)
    frames = {name: _table(case, name, hidden) for name in schema.TABLES}
    own = [hidden.host(name) if "/" not in name else name for name in case.own if "/" not in name]
    shared = type(case)(frames=frames, own=own, timezone=case.zone)
    shared.kept("clocks", lambda _: _clocks(case.clocks, hidden))
    return shared, hidden


def _clocks(clocks: Frame, hidden: Pseudonyms) -> Frame:
    """How far the clocks of the hosts are apart, under their other names."""
    names = {name: hidden.host(name) for name in pl.concat([clocks["host"], clocks["to_host"]]).unique()}
    return clocks.with_columns(pl.col("host", "to_host").replace(names))


_PSEUDONYM = re.compile(
    r"(?P<domain>n[a-z2-7]{10})(?:\.n[a-z2-7]{10})*\.invalid|\b[fhtux][a-z2-7]{10}\b|\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b"
    r"|(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4}"
)


def keep_mapping(hidden: Pseudonyms, path: str | os.PathLike[str]) -> Path:
    """Write what each pseudonym stands for, readable by its owner only, so that an answer can be turned back."""
    target = Path(path)
    check = hmac.new(hidden.key, b"mapping", "sha256").hexdigest()
    try:
        with open(
            os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8"
        ) as out:
            json.dump({"check": check, "pseudonyms": hidden.mapping}, out, indent=1, sort_keys=True)
    except OSError as error:
        raise OptionError(f"The mapping {target} cannot be written: {error.strerror}.") from error
    return target


def reveal(text: str, mapping: str | os.PathLike[str], key: bytes | str) -> str:
    """A text with its pseudonyms turned back, by a mapping that was kept. Raises OptionError where the key is not its key."""
    try:
        kept = json.loads(Path(mapping).read_text(encoding="utf-8"))
        check, known = str(kept["check"]), dict(kept["pseudonyms"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OptionError(f"{mapping} is no mapping of pseudonyms ({error}).") from error
    if not hmac.compare_digest(check, hmac.new(check_key(key), b"mapping", "sha256").hexdigest()):
        raise OptionError(f"The key is not the one that {mapping} was made with.")
    return _PSEUDONYM.sub(lambda hit: str(known.get(hit["domain"] or hit[0], hit[0])), text)


def retell(trace: Trace, shared: Case, hidden: Pseudonyms) -> Trace:
    """An answer of the case itself, as the case with pseudonyms tells it; what was asked for is replaced as well."""
    plain = ("since", "until", "queue_id")
    query = {key: value if key in plain else hidden.asked(str(value)) for key, value in trace.query.items()}
    return trace.retold(shared, query)


def _table(case: Case, name: str, hidden: Pseudonyms) -> Frame:
    frame = case.polars(name)
    frame = frame.select(column for column in schema.TABLES[name].names if column in frame.columns)
    texts = [column for column in frame.columns if has_text(frame.schema[column])]
    # a column that nobody decided on does not leave the house
    return frame.with_columns(
        hidden.column(frame[column], decision(name, column) or "drop") for column in texts
    )


def has_text(kind: Any) -> bool:
    """Whether a polars type holds text anywhere."""
    if isinstance(kind, pl.List):
        return has_text(kind.inner)
    if isinstance(kind, pl.Struct):
        return any(has_text(member.dtype) for member in kind.fields)
    return bool(kind in (pl.String, pl.Binary))


def _learn(case: Case, hidden: Pseudonyms) -> None:
    """Fill in what is to be replaced inside texts: everything that identifying columns hold, and subjects that only lines tell."""
    for name in schema.TABLES:
        frame = case.polars(name)
        for column in frame.columns:
            how = decision(name, column) or "drop"
            if (
                how in ("address", "host", "mailbox") or (how, column) == ("phrase", "subject")
            ) and column in schema.TABLES[name].names:
                for value in _distinct(frame[column]):
                    _remember(hidden, how, value)
    for kind in case.kinds:
        if kind in _kinds_with_phrases():
            lines = case.kind(kind)
            for column in _PHRASE_FIELDS:
                if column in lines.columns:
                    for value in _distinct(lines[column]):
                        _remember(hidden, "phrase", value)


@cache
def _kinds_with_phrases() -> frozenset[str]:
    shapes = (shape for grammar in grammars() for shape in grammar.shapes)
    return frozenset(shape.kind for shape in shapes if {*shape.groups, *shape.adds} & {*_PHRASE_FIELDS})


def _distinct(series: pl.Series) -> Iterator[str]:
    flat = series.explode(empty_as_null=True) if isinstance(series.dtype, pl.List) else series
    if flat.dtype == pl.String:
        yield from flat.drop_nulls().unique()


def _remember(hidden: Pseudonyms, how: str, value: str) -> None:
    made = getattr(hidden, how)(value)
    bare = value.strip("<>")
    if made == value or not bare:
        return
    if not _WORD.fullmatch(bare):
        if len(bare) > 3:
            hidden.phrases[bare] = made.strip("<>")
        return
    for part in _parts_to_know(how, bare):
        if len(part) > 1 and part.lower() not in reserved_words() and part.lower() not in _NOBODY:
            kind = hidden.address if how == "address" else getattr(hidden, how)
            hidden.known.setdefault(part.lower(), kind(part))


def _parts_to_know(how: str, value: str) -> Iterator[str]:
    """The words by which a value may stand in a text: the whole, and of an address its local part."""
    if how == "address" and "@" in value:
        yield value.rpartition("@")[0]
    else:
        yield value
