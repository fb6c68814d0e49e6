"""One Received field read clause by clause, each value with its place in the raw text.

The form is the Time-stamp-line of RFC 5321 §4.4; what servers write around it differs by family::

    from mail.example.org (unknown [192.0.2.7]) by mx.example.net (Postfix) with ESMTP id 4F3D21; date     Postfix
    from host.example.org ([192.0.2.7] helo=mail) by mx.example.net with esmtp (Exim 4.96) id 1a2b3c-...   Exim
    from unknown (HELO mail) (192.0.2.7) by mx.example.net with SMTP; date                                 qmail
    from a.example.org (192.0.2.7) by b.example.org (192.0.2.8) with Microsoft SMTP Server id 15.20.1.2    Exchange

The word behind ``from`` is a claim of the client in the first form and an observation of the server in the next
two; which one is decided by the family. A value that is not there is None; an id or a version is never an
address. :mod:`mailforensics.headers.stamps` reads whole columns of fields and uses this reader for odd ones.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from ipaddress import IPv4Address, ip_address

from mailforensics.headers.dates import HeaderDate, find_date, read_date
from mailforensics.limits import DEFAULT

Span = tuple[str, int, int]


@dataclass(slots=True)
class Stamp:
    """What one Received field says; the names are the columns of ``hops``.

    ``spans`` are (column, start, end) in bytes of the value that was read. Beyond ``hops`` there are
    ``from_domain`` (the words behind ``from`` as written), ``with_clause`` (the words behind ``with``),
    ``auth`` (what says that the client had logged in) and ``time_method``.
    """

    from_domain: str | None = None
    from_helo: str | None = None
    from_name: str | None = None
    from_ip: str | None = None
    from_port: int | None = None
    ident: str | None = None
    by_name: str | None = None
    by_ip: str | None = None
    with_protocol: str | None = None
    with_clause: str | None = None
    via: str | None = None
    id: str | None = None
    for_address: str | None = None
    envelope_from: str | None = None
    tls_version: str | None = None
    tls_cipher: str | None = None
    tls_bits: int | None = None
    auth: str | None = None
    auth_user: str | None = None
    software: str | None = None
    comment: str | None = None
    time: datetime | None = None
    time_original: str | None = None
    time_precision: str = "none"
    time_method: str = "unknown"
    utc_offset_min: int | None = None
    format: str | None = None
    parse_status: str = "unparsed"
    defects: list[str] = field(default_factory=list)
    spans: list[Span] = field(default_factory=list)


@dataclass(slots=True)
class _Clause:
    word: str
    start: int
    items: list[tuple[str, int, int]]

    def words(self) -> list[tuple[int, int]]:
        return [(start, end) for kind, start, end in self.items if kind == "word"]

    def comments(self) -> list[tuple[int, int]]:
        return [(start + 1, end - 1) for kind, start, end in self.items if kind == "comment"]


def read_stamp(raw_value: bytes) -> Stamp:
    """The clauses of one Received field from its raw value, folding included (RFC 5321 §4.4).

    Places in ``spans`` count bytes of ``raw_value``. Values keep their 8-bit bytes: UTF-8 decoded, others as
    ``\\xNN``. Nothing is raised: ``parse_status`` is ``ok`` when the writing server and the time are known,
    ``partial`` when something was read, else ``unparsed``; ``defects`` name what is odd.

    >>> stamp = read_stamp(b"from a.example (b.example [192.0.2.1]) by c.example with ESMTP id 7; 1 Jan 2026 00:00 +0000")
    >>> stamp.from_helo, stamp.from_name, stamp.from_ip, stamp.by_name, stamp.with_protocol, stamp.id
    ('a.example', 'b.example', '192.0.2.1', 'c.example', 'ESMTP', '7')
    """
    reader = _Reader(raw_value)
    reader.read()
    return reader.stamp


def mask(raw_value: bytes) -> str:
    """The value as ASCII of the same length: line ends and tabs as spaces, other odd bytes as ``\\x7f``.

    >>> mask(b"a\\r\\n\\tb\\xe9")
    'a   b\\x7f'
    """
    return raw_value.translate(_MASK).decode("ascii")


def mask_all(raw_values: Sequence[bytes]) -> list[str]:
    """Many values masked at once, in one pass over all their bytes.

    >>> mask_all([b"a\\n\\tb", b"c\\xe9"])
    ['a  b', 'c\\x7f']
    """
    joined = b"\0".join(raw_values)
    if not raw_values or joined.count(b"\0") != len(raw_values) - 1:
        return [mask(value) for value in raw_values]
    return joined.translate(b"\n" + _MASK[1:]).decode("ascii").split("\n")


_MASK = bytes(
    32 if byte in b"\t\r\n\x0b\x0c" else 127 if byte > 126 or byte < 32 else byte for byte in range(256)
)

_CONTROLS = bytes([*range(9), *range(14, 32), 127])

# The words that begin a clause, and one unbroken run of characters between them.
_KEYWORDS = frozenset(("from", "by", "via", "with", "id", "for", "envelope-from", "envelope-sender"))
_ITEM = re.compile(r'(?:<[^<> ]*>|\[[^\[\]()]*\]|"[^"]*"|[^ ;()<>\[\]"]|[<>\[\]"])+')

_IP_TEXT = r"(?:IPv6:)?(?P<ip>[0-9A-Fa-f:.\x7f]*[0-9A-Fa-f:])(?:%[0-9A-Za-z]+)?"
_PORT = r"(?::(?P<port>[0-9]{1,5}))?"
_DOTTED = r"(?=[0-9.]*[A-Za-z_-])[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+"
_PEER = re.compile(
    rf"\s*(?:IDENT:)?(?:(?P<ident>[^\s\[\]()]*)@)?(?P<name>\[unknown\]|[^\s\[\]()@]*)\s*\[ ?{_IP_TEXT} ?\]{_PORT}",
    re.I,
)
_LONE_IP = re.compile(
    rf"\s*(?:(?P<ident>[^\s\[\]]*)@)?(?:(?P<name>{_DOTTED}(?=[:,/])|[A-Za-z0-9_-]*(?=/))[:,/] ?)?\[?{_IP_TEXT}\]?{_PORT}\s*,?"
    r"(?:\s+with\s+(?P<mechanism>\S+))?\s*",
    re.I,
)
_LITERAL = re.compile(rf"\[{_IP_TEXT}\]{_PORT}", re.I)
_IDENT = re.compile(r"\bident(?:=|: )(?P<ident>[^\s(),\"]+)", re.I)
_HELO = re.compile(r"(?<![^\s(])(?:HELL?O|EHLO|LHLO)(?:\s+(?P<helo>\S+(?: [^\s=:]+){0,3})?)?\s*$", re.I)
_BRACKETED = re.compile(rf"(?P<name>[^\[\]]*)\[{_IP_TEXT}\]{_PORT}", re.I)
_BARE_IP = re.compile(rf"{_IP_TEXT}{_PORT}", re.I)
_HELO_EQUALS = re.compile(r"\bhelo=(?P<helo>[^\s()]+)", re.I)
_HELO_QUOTED = re.compile(r'"(?:HELO|EHLO)(?: (?P<helo>[^\s"]*))?"', re.I)
_NAMED_IP = re.compile(
    rf"\s*(?!(?:for|from|via|by|at|port)\s)(?:(?P<name>{_DOTTED})|[A-Za-z0-9+/]+==?)\s+{_IP_TEXT}\s*",
    re.I,
)
_NAMELIKE = re.compile(r"\.[a-z][a-z0-9-]+$")
_CLAIMING = re.compile(r'claiming to be "(?P<helo>[^"]*)"', re.I)
_TOKEN = re.compile(r"[A-Za-z0-9_.+=-]+")
_PORT_EQUALS = re.compile(r"\bport=(?P<port>[0-9]{1,5})\b", re.I)
_HOST = re.compile(
    r"\s*(?:(?P<ident>[^\s()@]+)@)?(?P<name>(?=[^\s]*[A-Za-z])[A-Za-z0-9_](?:[A-Za-z0-9_.:-]*[A-Za-z0-9_])?)\.?\s*"
)
_LATE_ID = re.compile(r"[0-9]{2} [+-][0-9]{4} id (?P<id>[0-9A-Za-z.-]+) *$")
_VERIFIED = re.compile(r"(?:^|[\s\]])verified\b")
_NO_NAME = frozenset(
    (
        "unknown",
        "softdnserr",
        "[unknown]",
        "unverified",
        "no-dns",
        "may",
        "nodnsquery",
        "hidden",
        "verified",
        "misconfigured",
    )
)
_ENVELOPE = re.compile(
    r"\benvelope[- ](?:from|sender)[:=]?\s*(?:<(?P<path>[^<>\s]*)>|\"(?P<quoted>[^\s\"]*)\"|(?P<bare>[^\s()<>;\"]+))",
    re.I,
)
_BY_ADDRESS = re.compile(rf"\s*(?:{_DOTTED}\s+|[^\s\[\]()]+\s+(?=\[))?\[?{_IP_TEXT}\]?{_PORT}\s*", re.I)

_PROTOCOL = re.compile(
    r"(?<![A-Za-z0-9.@_])(?P<word>(?:UTF8)?E?SMTPS?A?|(?:UTF8)?LMTPS?A?|ASMTP|B?SMTP|local-e?smtp|local-bsmtp|ESMTP-TLS|"
    r"E?SMTPTLS|HTTP-DAV|HTTPS?(?:REST|U)?|SMTPSVC|mapi|local|IMAPS?4?|POP3S?|UUCP|ECSTREAM|TCP|QMQP|QMTP|MMS|DSN|NNTP|PIPE|RULES|"
    r"BSMTP|SMTPD|MESSAGE|STARTTLS)(?![A-Za-z0-9_-]|\.[A-Za-z0-9])",
    re.I,
)
_PROTOCOL_WORDS = {
    "SMTPSVC": "SMTP",
    "BSMTP": "SMTP",
    "LOCAL-BSMTP": "SMTP",
    "LOCAL-SMTP": "SMTP",
    "LOCAL-ESMTP": "ESMTP", "ESMTP-TLS": "ESMTPS", "ESMTPTLS": "ESMTPS", "SMTPTLS": "SMTPS", "HTTPREST": "HTTP",
    "HTTPU": "HTTP", "HTTP-DAV": "HTTP", "SMTPD": "SMTP",
}  # fmt: skip

_CIPHER = r"(?:TLS|ECDHE|DHE|ADH|AECDH|RSA|PSK|AES|DES|RC4|CAMELLIA|CHACHA20)[_0-9-][A-Z0-9_-]+"
_TLS = tuple(
    re.compile(form, re.I)
    for form in (
        r"using (?P<version>TLSv[0-9.]+(?:/SSLv[23])?|SSLv[23]) with cipher (?P<cipher>[^\s()]+)(?: \((?P<bits>[0-9]+)(?:/[0-9]+)? bits\))?",
        r"version=(?P<version>[^\s,()]+),?\s+cipher=(?P<cipher>[^\s,()]+)(?:,?\s+bits=(?P<bits>[0-9]+))?",
        r"cipher=(?P<cipher>[^\s,()]+),?\s+(?:bits=(?P<bits>[0-9]+),?\s+)?version=(?P<version>[^\s,()]+)",
        r"\((?P<version>TLS-?v?1(?:\.[0-9])?|SSLv?3)(?::(?P<cipher>[^\s:()]+)(?::(?P<bits>[0-9]+))?(?::[A-Za-z]+)?)?\)"
        r"(?:\s+tls\s+(?P<cipher2>[A-Z0-9_-]+))?",
        r"TLS: (?P<version>TLSv[0-9.]+|SSLv3)(?:/SSLv[0-9])?,(?P<bits>[0-9]+)bits,(?P<cipher>[^\s,()]+)",
        r"E?SMTPS?A?/TLS/(?P<cipher>[A-Z0-9_-]+)",
        r"\((?P<version>TLSv1(?:\.[0-9])?|SSLv3):(?P<cipher>[A-Z0-9][A-Z0-9_-]{2,60}) encrypted\)",
        r"(?P<cipher>[A-Z0-9][A-Z0-9_-]{2,60}) encrypted\)? E?SMTP",
        r"crypted with (?P<version>TLSv[0-9.]+|SSLv3): (?P<cipher>[A-Z0-9_-]+)(?: \[(?P<bits>[0-9]+)/[0-9]+\])?",
        r"\((?P<version>TLS1\.[0-9]) (?P<cipher>[A-Z0-9_-]+)\)",
        r"\btls (?P<cipher>[A-Z0-9_-]+) \(over [A-Z+]+, (?P<version>TLS-1\.[0-9])",
        rf"\btls (?P<cipher>{_CIPHER})",
        rf"\b(?P<version>TLSv1\.[0-9]) (?P<cipher>{_CIPHER})",
        r"Using TLS: (?P<version>TLSv[0-9.]+), (?P<cipher>[A-Z0-9_-]+)(?:, (?P<bits>[0-9]+) bits)?",
        r"\(cipher=(?P<cipher>[A-Z0-9_-]+)\)",
        r"\(using (?P<version>TLSv[0-9.]+|SSLv3)\)",
        r"\bTLS cipher (?P<cipher>[A-Z0-9_-]+)",
    )
)
_TLS_NUMBER = re.compile(r"(?P<family>SSL|TLS)[^0-9]*(?P<major>[0-9])(?:[._]?(?P<minor>[0-9]))?", re.I)

_AUTH = tuple(
    re.compile(form, re.I)
    for form in (
        r"Authenticated (?:sender|user): (?P<user>[^\s()]+)",
        r"\b(?P<auth>[A-Za-z]{1,20}Mail|Horde|IMP|Roundcube|RoundCube|Kerio|Courier|Nemesis)? ?authenticated user:? (?P<user>[^\s();]+)",
        r"\bauthenticated as (?P<user>[^\s();]+)",
        r"\(AUTH: (?P<auth>[A-Za-z0-9-]+) (?P<user>[^\s(),;]+)",
        r"\bauthenticated user=(?P<user>[^\s()]+)(?: mech=(?P<auth>[^\s()]+))?",
        r"\(user=(?P<user>[^\s()]+) mech=(?P<auth>[^\s()]+)",
        r"\bsmtp-auth username (?P<user>[^\s(),]+),? mechanism (?P<auth>[^\s(),]+)",
        r"\bsmtp-auth: \"?(?P<user>[^\s()<>\"]+)",
        r"\bauth=yes user=(?P<user>[^\s()]+)",
        r"\(auth\. user (?P<user>[^\s()]+)",
        r"\) as user (?P<user>[^\s()]+) by ",
        r"\(AUTH (?P<user>[^\s():]+)\)",
        r"\((?:account|userid) <?(?P<user>[^\s<>()]+)>?",
        r"\bauthenticated (?P<auth>bits=[0-9]+)",
        r"\bwith (?P<auth>login|plain|cram-md5|digest-md5|ntlm)\)",
        r"\bSTARTTLS and (?P<auth>AUTH)\b",
        r"\bauthenticated \((?P<auth>[0-9]+ bits)\)",
        r"\([^()]*(?<!not )(?<![A-Za-z])authenticated\b",
    )
)
_AUTH_HINTS = ("auth", "(account ", "(userid ", "(user=", " as user ", "login)", "plain)", "md5)", "ntlm)")
_LOGGED_IN = re.compile(r"(?:UTF8)?E?SMTPS?A|(?:UTF8)?LMTPS?A|ASMTP", re.I)

# The family of software, by what only it writes. The first that fits counts.
FORMATS: tuple[tuple[str, str], ...] = (
    ("exchange", r"Microsoft +SMTP +Server|with +mapi *(?:id|;)|with +ShadowRedundancy|Exchange +Server +HTTP-DAV|\.outlook\.com +with +HTTPS?"),
    ("smtpsvc", r"Microsoft +SMTPSVC|^mail +pickup +service"),
    ("exchange_ims", r"Internet +Mail +Service"),
    ("fetchmail", r"\(fetchmail-|\(mpop|getmail"),
    ("amavis", r"\(amavis"),
    ("exim", r"(?i:\(exim +|/exim\)|incSMTP +Exim)| id +[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}(?:[ ;]|$)"),
    ("communigate", r"CommuniGate"),
    ("postfix", r"\(Postfix[,) ]| \(using +(?:TLS|SSL)v[0-9.]+ +with +cipher +[^ ()]+ +\([0-9]+/[0-9]+ +bits\)\)"),
    ("gmail", r"(?:google|gmail)\.com +with +|named +unknown +by +gmailapi|Google +Transport +Security|^by +[0-9a-f:]+ +with +SMTP +id +"),
    ("opensmtpd", r"\(OpenSMTPD\)"),
    ("haraka", r"\(Haraka"),
    ("stalwart", r"\(Stalwart"),
    ("momentum", r"\((?:ecelerity|momentum)"),
    ("powermta", r"\(PowerMTA"),
    ("kumomta", r"\(KumoMTA"),
    ("chasquid", r"\(chasquid\)"),
    ("zmailer", r"\[[0-9A-Fa-f:.]+\](?::[0-9]+)? +\"(?:HELO|EHLO) "),
    ("sendgrid", r"sendgrid\.net|geopod-ismtpd"),
    ("domino", r"\((?:Lotus|IBM|HCL) +Domino"),
    ("oracle", r"\((?:Oracle +Communications|Sun +Java|iPlanet|Sun +ONE|PMDF)"),
    ("groupwise", r"GroupWise"),
    ("cyrus", r"\(Cyrus"),
    ("courier", r"\((?:AUTH|TLS|IDENT): +[A-Z]|\[::ffff:[0-9.]+\]\) +(?:\([^()]*\) +)?by +[^ ]+ +with +e?smtp"),
    ("dovecot", r" with +LMTPS? +id +[0-9A-Za-z+/]{10,} +\(envelope-from|^by +[^ ]+ +with +LMTPS?A? +id +[0-9A-Za-z+/]{10,} +"),
    ("zimbra", r"\(LHLO +"),
    ("mdaemon", r"\(MDaemon"),
    ("xmail", r"\[XMail"),
    ("webmail", r"(?:Mail|Horde|Roundcube) +authenticated +user|with +HTTPS?(?:[ ;/]|$)|via +HTTP"),
    ("qmail", r"qmail|\((?:HELO|EHLO)(?: +[^ ()]*)?\) +\(|\(ofmipd|with +(?:[A-Z0-9-]+ +encrypted +)?E?SMTPS?A?; +[0-9]{1,2} +[A-Z][a-z]{2} +[0-9]{4} +[0-9:]{8} +-0000"),
    ("yahoo", r"yahoo\.com +with|VZM +Hermes"),
    ("sendmail", r"\([0-9]+\.[0-9]+[0-9.a-zA-Z+_]*/[0-9A-Za-z.+_/-]+\)|authenticated +bits=|sSMTP +sendmail"),
    ("nemesis", r"\(Nemesis\)"),
    ("smap", r"via +smap|via +csmap|id +smtpd"),
)  # fmt: skip
# Words of which one must be in the text for a pattern to fit: looking for them first is ten times faster.
_HINTS: dict[str, tuple[str, ...]] = {
    "exchange": ("Microsoft SMTP", "with mapi", "ShadowRedundancy", "HTTP-DAV", "outlook.com with HTTP"),
    "smtpsvc": ("SMTPSVC", "pickup service"), "exchange_ims": ("Internet Mail Service",),
    "fetchmail": ("(fetchmail-", "(mpop", "getmail"), "amavis": ("(amavis",), "exim": ("xim ", " id ", "xim)"),
    "communigate": ("CommuniGate",), "postfix": ("(Postfix", "(using "),
    "gmail": ("google.com", "gmail.com", "gmailapi", "Google", "by "), "opensmtpd": ("(OpenSMTPD",),
    "haraka": ("(Haraka",), "stalwart": ("(Stalwart",), "momentum": ("(ecelerity", "(momentum"),
    "powermta": ("(PowerMTA",), "kumomta": ("(KumoMTA",), "chasquid": ("(chasquid",), "zmailer": (' "',),
    "sendgrid": ("sendgrid.net", "geopod"), "domino": ("Domino",), "oracle": ("(Oracle", "(Sun ", "(iPlanet", "(PMDF"),
    "groupwise": ("GroupWise",), "cyrus": ("(Cyrus",), "courier": ("(AUTH", "(TLS", "(IDENT", "[::ffff:"),
    "dovecot": (" with LMTP",), "zimbra": ("(LHLO",), "mdaemon": ("(MDaemon",), "xmail": ("[XMail",),
    "webmail": ("HTTP", "authenticated user"), "qmail": ("qmail", "(HELO", "(EHLO", "(ofmipd", "-0000"),
    "yahoo": ("yahoo.com", "Hermes"), "sendmail": ("/", "authenticated bits", "sSMTP"), "nemesis": ("(Nemesis",),
    "smap": ("smap", "id smtpd"),
}  # fmt: skip
_FORMATS = tuple((name, _HINTS[name], re.compile(form)) for name, form in FORMATS)


def family(text: str) -> str | None:
    """The family of server software whose shape a Received value (in single-spaced ASCII) has, or None.

    >>> family("from a (b [192.0.2.1]) by c (Postfix) with ESMTP id 1")
    'postfix'
    """
    for name, hints, form in _FORMATS:
        for hint in hints:
            if hint in text:
                if form.search(text):
                    return name
                break
    return None


@lru_cache(maxsize=65536)
def canonical_ip(text: str) -> str | None:
    """The address as RFC 5952 writes it, an IPv4-mapped one as IPv4; None when it is no address.

    >>> canonical_ip("2001:DB8:0:0::1"), canonical_ip("::ffff:192.0.2.1"), canonical_ip("15.20.696.11")
    ('2001:db8::1', '192.0.2.1', None)
    """
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = None if isinstance(address, IPv4Address) else address.ipv4_mapped
    return str(mapped or address)


def tls_version(text: str) -> str | None:
    """The version in OpenSSL's words, whatever the server wrote.

    >>> [tls_version(text) for text in ("TLS1_2", "TLSv1.3", "TLS-1.0", "TLSv1/SSLv3")]
    ['TLSv1.2', 'TLSv1.3', 'TLSv1.0', 'TLSv1.0']
    """
    match = _TLS_NUMBER.search(text)
    if not match:
        return None
    if match["family"].upper() == "SSL":
        return f"SSLv{match['major']}"
    return f"TLSv{match['major']}.{match['minor'] or 0}"


class _Reader:
    """Reads one field; the text is ASCII of the same length as the bytes, so that places are byte offsets."""

    def __init__(self, raw_value: bytes) -> None:
        self.stamp = Stamp()
        self.oversize = len(raw_value) > DEFAULT.line_bytes
        self.raw = raw_value[: DEFAULT.line_bytes]
        self.text, self.shifts = _single_spaced(mask(self.raw))
        self.used: set[int] = set()  # where comments begin whose content stands in a column

    def read(self) -> None:
        self._note_bytes()
        self.pairs, balanced = _pairs(self.text)
        if not balanced:
            self.stamp.defects.append("unbalanced_comment")
        end = self._read_time()
        self.stamp.format = family(self.text)
        clauses = self._clauses(end)
        self._read_clauses(clauses)
        self._read_tls()
        self._read_auth()
        self._read_envelope(clauses)
        self._leftover_comments()
        self._finish()

    def keep(self, column: str, start: int, end: int) -> str:
        """The text between two places, its span noted under the column."""
        if start < end:
            self.stamp.spans.append((column, *self.place(start, end)))
        return self.slice(start, end)

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where a stretch of the single-spaced text stands in the raw value."""
        if not self.shifts or start >= end:
            return start, end
        low, high = bisect_right(self.shifts, (start, 1 << 40)), bisect_right(self.shifts, (end - 1, 1 << 40))
        return start + (self.shifts[low - 1][1] if low else 0), end + (
            self.shifts[high - 1][1] if high else 0
        )

    def slice(self, start: int, end: int) -> str:
        piece = self.text[start:end]
        if "\x7f" in piece:
            start, end = self.place(start, end)
            return self.raw[start:end].translate(None, _CONTROLS).decode("utf-8", "backslashreplace")
        return piece

    def _note_bytes(self) -> None:
        if "\x7f" in self.text:
            odd = {byte for byte in self.raw if byte > 126 or (byte < 32 and byte not in b"\t\r\n")}
            if any(byte > 127 for byte in odd):
                self.stamp.defects.append("not_ascii")
            if any(byte < 128 for byte in odd):
                self.stamp.defects.append("control_characters")

    # The time: behind the last semicolon that a date follows.

    def _read_time(self) -> int:
        end = self._late_id()
        semicolons = list(_top_level(self.text, self.pairs, ";"))
        for place in reversed(semicolons[-8:]):
            date = read_date(self.text[place + 1 : end])
            if date.time is not None or (
                "date_unreadable" not in date.defects and "date_missing" not in date.defects
            ):
                self._set_time(date, place + 1, end)
                return place
        start = find_date(self.text)
        if start is not None and not any(low <= start < high for low, high in self.pairs.items()):
            date = read_date(self.text[start:])
            if date.time is not None:
                self._set_time(date, start, len(self.text))
                self.stamp.defects.append("semicolon_missing")
                return start
        if semicolons and self.text[semicolons[-1] + 1 :].strip():
            date = HeaderDate(None, defects=("date_unreadable",))
            self._set_time(date, semicolons[-1] + 1, len(self.text))
            return semicolons[-1]
        self.stamp.defects.append("date_missing")
        return len(self.text)

    def _late_id(self) -> int:
        """Where an id begins that stands behind the date, as Courier writes it; else the end of the text."""
        match = _LATE_ID.search(self.text, max(0, len(self.text) - 120))
        if match is None or ";" not in self.text[: match.start()] or " id " in self.text[: match.start()]:
            return len(self.text)
        self.stamp.id = self.keep("id", *match.span("id"))
        return match.start()

    def _set_time(self, date: HeaderDate, start: int, stop: int) -> None:
        stamp = self.stamp
        stamp.time, stamp.utc_offset_min = date.time, date.utc_offset_min
        stamp.time_precision, stamp.time_method = date.precision, date.method
        stamp.defects += date.defects
        end = len(self.text[:stop].rstrip())
        start += len(self.text[start:]) - len(self.text[start:].lstrip())
        if start < end:
            stamp.time_original = " ".join(self.keep("time", start, end).split())
        for place in self.pairs:
            if place >= start and "nvelope" not in self.text[place : self.pairs[place]]:
                self.used.add(place)

    # Clauses: a keyword outside comments, and what stands up to the next.

    def _clauses(self, end: int) -> list[_Clause]:
        items = list(_items(self.text, self.pairs, end))
        clauses: list[_Clause] = []
        for number, (kind, start, stop) in enumerate(items):
            word = self.text[start:stop].lower() if kind == "word" else ""
            if word in _KEYWORDS and not self._is_value(clauses, items, number):
                clauses.append(_Clause(word, start, []))
            elif word.startswith("for<"):
                clauses.append(_Clause("for", start, [(kind, start + 3, stop)]))
            elif clauses:
                clauses[-1].items.append((kind, start, stop))
            elif kind == "comment":
                clauses.append(_Clause("", start, [(kind, start, stop)]))
        return clauses

    def _is_value(self, clauses: list[_Clause], items: list[tuple[str, int, int]], number: int) -> bool:
        """Whether a keyword is the value of the ``from`` before it: a client may call itself "by"."""
        if not clauses or clauses[-1].word != "from" or clauses[-1].items:
            return False
        following = items[number + 1 : number + 2]
        return bool(following) and following[0][0] == "comment" and number == 1

    def _read_clauses(self, clauses: list[_Clause]) -> None:
        seen: set[str] = set()
        for clause in clauses:
            if clause.word in seen:
                self._read_repeated(clause)
                continue
            seen.add(clause.word)
            if clause.word == "from":
                _FromReader(self, clause).read()
            elif clause.word == "by":
                self._read_by(clause)
            elif clause.word == "with":
                self._read_with(clause)
            elif clause.word in ("via", "id", "for"):
                self._read_plain(clause)
            elif not clause.word:
                self._read_submitter(clause)

    def _read_repeated(self, clause: _Clause) -> None:
        if clause.word == "from" and self.stamp.envelope_from is None and clause.words():
            start, end = clause.words()[0]
            if "@" in self.text[start:end] or self.text[start:end] == "<>":
                self.stamp.envelope_from = self._path("envelope_from", start, end)
                return
        if clause.word in ("from", "by"):
            self.stamp.defects.append(f"two_{clause.word}")
        elif clause.word == "with" and self.stamp.with_protocol is None:
            self._read_with(clause)

    def _read_submitter(self, clause: _Clause) -> None:
        """``(from user@localhost)``: Sendmail names the local user who handed the message in."""
        match = re.compile(r"from (?P<ident>[^\s()]+)").fullmatch(self.text, *clause.comments()[0])
        if match:
            self.stamp.ident = self.keep("ident", *match.span("ident"))
            self.used.add(clause.start)

    def _read_by(self, clause: _Clause) -> None:
        for start, end in clause.words()[:1]:
            end = _trimmed(self.text, start, end)
            self.stamp.by_name = self.keep("by_name", start, end)
            self.stamp.by_ip = canonical_ip(self.text[start:end].strip("[]").removeprefix("IPv6:"))
        for start, end in clause.words()[1:2]:
            if self.text[start] == "[":
                self._read_by_comment(start, end)
        for start, end in clause.comments():
            self._read_by_comment(start, end)

    def _read_by_comment(self, start: int, end: int) -> None:
        match = _BY_ADDRESS.fullmatch(self.text, start, end)
        address = match and canonical_ip(match["ip"])
        if match and address:
            if self.stamp.by_ip is None:
                self.stamp.by_ip = address
                self.keep("by_ip", match.start("ip"), match.end("ip"))
            self.used.add(start - 1)
        elif self.stamp.software is None and not _is_aside(self.text[start:end]):
            self._set_software(start, end)

    def _set_software(self, start: int, end: int) -> None:
        self.stamp.software = self.keep("software", start, end).strip()
        self.used.add(start - 1)

    def _read_with(self, clause: _Clause) -> None:
        words = clause.words() or clause.comments()[:1]
        if not words:
            return
        start, end = words[0][0], words[-1][1]
        for low, _high in clause.comments():
            if low - 1 > words[0][0]:
                end = min(end, low - 1)
                break
        end = len(self.text[:end].rstrip())
        self.stamp.with_clause = self.slice(start, end)
        match = _PROTOCOL.search(self.text, start, words[-1][1])
        if match:
            word = match["word"].upper()
            self.stamp.with_protocol = _PROTOCOL_WORDS.get(word, word)
            self.keep("with_protocol", *match.span("word"))
        self._read_with_software(clause, start, end)

    def _read_with_software(self, clause: _Clause, start: int, end: int) -> None:
        if self.stamp.software is not None:
            return
        for low, high in clause.comments():
            if re.match(
                r"(?i)exim |[a-z]+/exim|assp |mailanyone|nemesis|novell|version [0-9]", self.text[low:high]
            ):
                self._set_software(low, high)
                return
        phrase = self.text[start:end]
        if re.search(r"(?i)microsoft|service|scanner|xmail|spamassassin|groupwise|mailenable|qmail", phrase):
            self.stamp.software = self.keep("software", start, end).strip("[]")

    def _read_plain(self, clause: _Clause) -> None:
        words = clause.words()
        if not words:
            return
        start, end = words[0]
        if clause.word == "via":
            end = len(self.text[: words[-1][1]].rstrip(" ,"))
            if any(low < end for low, _ in clause.comments()):
                end = words[0][1]
            self.stamp.via = self.keep("via", start, _trimmed(self.text, start, end))
        elif clause.word == "id":
            self.stamp.id = self._path("id", start, end)
        else:
            self.stamp.for_address = self._path("for_address", start, end)

    def _path(self, column: str, start: int, end: int) -> str:
        """A value that may stand in angle brackets, without them."""
        end = _trimmed(self.text, start, end)
        if self.text[start] == "<" and ">" in self.text[start:end]:
            start, end = start + 1, self.text.index(">", start)
        return self.keep(column, start, end)

    # What may stand anywhere.

    def _read_tls(self) -> None:
        if (
            "TLS" not in self.text
            and "SSL" not in self.text
            and "encrypted" not in self.text
            and "cipher" not in self.text
        ):
            return
        for form in _TLS:
            match = form.search(self.text)
            if match:
                self._set_tls(match)
                return

    def _set_tls(self, match: re.Match[str]) -> None:
        part = match.groupdict()
        self.stamp.tls_version = tls_version(part.get("version") or "")
        cipher = part.get("cipher") or part.get("cipher2")
        if cipher and cipher.upper() not in ("OTHER", "NONE"):
            self.stamp.tls_cipher = cipher
        self.stamp.tls_bits = int(part["bits"]) if part.get("bits") and len(part["bits"]) < 6 else None
        for column in ("version", "cipher", "cipher2", "bits"):
            if part.get(column) and getattr(self.stamp, f"tls_{column.rstrip('2')}") is not None:
                self.keep(f"tls_{column.rstrip('2')}", *match.span(column))
        self._use_comment_around(match.end("cipher" if part.get("cipher") else "version") - 1)

    def _use_comment_around(self, place: int) -> None:
        for low, high in self.pairs.items():
            if low < place < high:
                self.used.add(low)

    def _read_auth(self) -> None:
        lower = self.text.lower()
        for form in _AUTH if any(hint in lower for hint in _AUTH_HINTS) else ():
            match = form.search(self.text)
            if match:
                part = match.groupdict()
                if part.get("user"):
                    self.stamp.auth_user = self.keep("auth_user", *match.span("user"))
                self.stamp.auth = part.get("auth") or "authenticated"
                self._use_comment_around(match.end() - 1)
                break
        if self.stamp.auth is None and self.stamp.format == "webmail" and self.stamp.from_ip:
            self.stamp.auth = self.stamp.with_protocol
        if self.stamp.auth is None and _LOGGED_IN.fullmatch(self.stamp.with_protocol or ""):
            self.stamp.auth = self.stamp.with_protocol

    def _read_envelope(self, clauses: list[_Clause]) -> None:
        if self.stamp.envelope_from is not None:
            return
        match = _ENVELOPE.search(self.text) if "nvelope" in self.text else None
        if match:
            column = next(name for name, found in match.groupdict().items() if found is not None)
            self.stamp.envelope_from = self.keep("envelope_from", *match.span(column))
            self._use_comment_around(match.end() - 1)

    def _leftover_comments(self) -> None:
        inner_end = -1
        left: list[str] = []
        for low in sorted(self.pairs):
            high = self.pairs[low]
            if low > inner_end:
                inner_end = high
                if low not in self.used:
                    left.append(" ".join(self.slice(low + 1, high - 1).split()))
        self.stamp.comment = "; ".join(piece for piece in left if piece) or None

    def _finish(self) -> None:
        stamp = self.stamp
        if self.oversize:
            stamp.parse_status = "oversize"
        elif stamp.time is not None and (stamp.by_name or stamp.from_domain or stamp.format == "qmail"):
            stamp.parse_status = "ok"
        elif stamp.time is not None or stamp.by_name or stamp.from_domain:
            stamp.parse_status = "partial"
        stamp.spans.sort(key=lambda span: (span[1], span[2], span[0]))


class _FromReader:
    """The ``from`` clause: who the client said it was, and what the server saw."""

    def __init__(self, reader: _Reader, clause: _Clause) -> None:
        self.reader, self.text, self.stamp, self.clause = reader, reader.text, reader.stamp, clause
        words = clause.words()
        comments = clause.comments()
        first = words[0] if words and (not comments or words[0][0] < comments[0][0]) else None
        if first and comments and first == words[0]:
            first = self._with_spaces(words, comments[0][0])
        self.word = (first[0], _trimmed(self.text, *first)) if first else None
        self.helo: tuple[int, int] | None = None
        self.helo_said = False  # the server tells the HELO apart from the word behind "from"
        self.name: tuple[int, int] | None = None
        self.verified = False
        self.peer_damaged = False  # brackets stand where the address should, but hold none

    def _with_spaces(self, words: list[tuple[int, int]], stop: int) -> tuple[int, int]:
        """The words up to the first comment: a client may call itself "my pc"."""
        ahead = [word for word in words if word[1] < stop]
        plain = all(not {"[", ",", "@", ":"} & set(self.text[slice(*word)]) for word in ahead)
        return (ahead[0][0], ahead[-1][1]) if plain else words[0]

    def read(self) -> None:
        if self.word:
            self._set_domain()
        for start, end in self.clause.comments():
            self._read_comment(start, end)
        if not self.helo_said:
            self._read_claim()
        if self.stamp.from_ip is None:
            self._read_named_address()
        if self.stamp.from_ip is None:
            self._read_brackets()
        self._decide()

    def _set_domain(self) -> None:
        assert self.word is not None  # noqa: S101
        phrase = re.compile(r"mail pickup service").match(self.text, self.word[0])
        self.stamp.from_domain = self.reader.slice(*(phrase.span() if phrase else self.word))

    def _read_comment(self, start: int, end: int) -> None:
        stop = self._read_said(start, end)
        if self.stamp.from_ip is None and start < stop:
            match = _PEER.match(self.text, start, stop) or _LONE_IP.fullmatch(self.text, start, stop)
            if not (match and self._set_peer(match)):
                match = _LITERAL.search(self.text, start, stop)
                match = match if match and self._set_peer(match) else None
            if match:
                self.verified = bool(_VERIFIED.search(self.text, start, stop))
                if "may be forged" in self.text[start:stop]:
                    self.stamp.defects.append("name_not_confirmed")
                return
            self.peer_damaged = self.peer_damaged or "[" in self.text[start:stop]
        if self.name is None and not self.helo_said:
            self._read_lone_name(start, end)

    def _read_claim(self) -> None:
        """``claiming to be "name"``, as Obtuse smtpd and others write it."""
        match = _CLAIMING.search(
            self.text, self.clause.start, self.clause.items[-1][2] if self.clause.items else 0
        )
        if match:
            self.helo, self.helo_said = match.span("helo"), True

    def _read_said(self, start: int, end: int) -> int:
        """Reads ``HELO name``, ``helo=name``, ``port=n`` and ``ident=user``; where what the client said begins."""
        command = _HELO.search(self.text, start, end)
        match = (
            command
            or _HELO_EQUALS.search(self.text, start, end)
            or _HELO_QUOTED.search(self.text, start, end)
        )
        if command and self.word and self.text[self.word[0]] == "[":
            self._read_brackets()  # CommuniGate: from [192.0.2.1] (HELO name)
        if match:
            self.helo_said = True
            self.helo = match.span("helo") if match["helo"] else None
            self.reader.used.add(start - 1)
        port = _PORT_EQUALS.search(self.text, start, end)
        if port and self.stamp.from_port is None:
            self._set_port(port)
        ident = _IDENT.search(self.text, start, end)
        if ident and self.stamp.ident is None:
            self.stamp.ident = self.reader.keep("ident", *ident.span("ident"))
        return match.start() if match else end

    def _read_lone_name(self, start: int, end: int) -> None:
        match = _HOST.fullmatch(self.text, start, end)
        name = match["name"].lower() if match else ""
        if match and match["ident"] and self.stamp.format != "sendmail":
            return
        if (
            match
            and (_NAMELIKE.search(name) or name == "localhost")
            and name not in _NO_NAME
            and not canonical_ip(name)
        ):
            self.name = match.span("name")
            if match["ident"]:
                self.stamp.ident = self.reader.keep("ident", *match.span("ident"))
            self.reader.used.add(start - 1)

    def _set_peer(self, match: re.Match[str]) -> bool:
        part = match.groupdict()
        written = match["ip"].strip()
        port = part.get("port")
        address = canonical_ip(written.replace("\x7f", ""))
        if address is None:  # 192.0.2.1:50387 and, from Exim 3, 192.0.2.1.13219
            split = re.fullmatch(r"([0-9]+\.[0-9]+\.[0-9]+\.[0-9]+)[:.]([0-9]{1,5})", written)
            address = canonical_ip(split[1]) if split else None
            if split is None or address is None:
                return False
            port, written = split[2], split[1]
            place = match.start("ip") + split.start(2)
        elif port:
            place = match.start("port")
        self.stamp.from_ip = address
        start = match.start("ip") + len(match["ip"]) - len(match["ip"].lstrip())
        self.reader.keep("from_ip", start, start + len(written))
        if port and int(port) < 65536:
            self.stamp.from_port = int(port)
            self.reader.keep("from_port", place, place + len(port))
        self._set_peer_words(match, part)
        return True

    def _set_peer_words(self, match: re.Match[str], part: dict[str, str | None]) -> None:
        if part.get("ident"):
            self.stamp.ident = self.reader.keep("ident", *match.span("ident"))
        name = (part.get("name") or "").strip()
        if name and name.lower().rstrip(".") not in _NO_NAME and canonical_ip(name) is None:
            start, end = match.span("name")
            self.name = (start, start + len(self.text[start:end].rstrip(" .")))
        if part.get("helo"):
            self.helo, self.helo_said = match.span("helo"), True
        self._use(match.start())

    def _use(self, place: int) -> None:
        for low, high in self.reader.pairs.items():
            if low < place < high or low == place - 1:
                self.reader.used.add(low)

    def _read_named_address(self) -> None:
        """``(name 192.0.2.1)``, without brackets."""
        for start, end in self.clause.comments():
            match = _NAMED_IP.fullmatch(self.text, start, end)
            if match:
                self._set_peer(match)

    def _set_port(self, match: re.Match[str]) -> None:
        if int(match["port"]) < 65536:
            self.stamp.from_port = int(match["port"])
            self.reader.keep("from_port", *match.span("port"))

    def _read_brackets(self) -> None:
        """An address that stands outside comments: ``name [192.0.2.1]`` or alone."""
        before = self.word
        for start, end in self.clause.words()[1:]:
            match = _BRACKETED.match(self.text, start, end)
            if match and self._set_peer(match):
                if self.stamp.format == "exim" and not self.helo_said:
                    self._read_exim3(start)
                if before and self.text[before[0] - 1] == "(" and _HOST.fullmatch(self.text, *before):
                    self.name = before  # the parenthesis was never closed
                return
            before = start, end
        if self.word is None or self.peer_damaged:
            return
        word = _BRACKETED.fullmatch(self.text, *self.word) or _BARE_IP.fullmatch(self.text, *self.word)
        if word and self._set_peer(word) and not word.groupdict().get("name"):
            self.word = None  # the address is all there is: nothing was claimed

    # Whose word it is: of the client (HELO) or of the server (reverse name).

    def _decide(self) -> None:
        word_is_name = self._word_is_name()
        if self.name is None and word_is_name and self.word:
            self.name = self.word
        if self.stamp.format == "chasquid" and self.word is None and self.name:
            self.helo, self.name, self.helo_said = self.name, None, True  # from [192.0.2.1] (HELO)
        if not self.helo_said and self.word and not self._not_a_client():
            self.helo = self.word
        if self.helo and self.helo[0] < self.helo[1] and self.text[self.helo[0]] != "<":
            self.stamp.from_helo = self.reader.keep("from_helo", *self.helo)
        if self.name:
            start, end = self.name[0], self.name[0] + len(self.text[slice(*self.name)].rstrip("."))
            self.stamp.from_name = self.reader.keep("from_name", start, end) or None

    def _read_exim3(self, address: int) -> None:
        """Exim 3 writes ``from name (helo) [address] (ident)``: what stands in parentheses was claimed."""
        for start, end in self.clause.comments():
            if not _TOKEN.fullmatch(self.text, start, end):
                continue
            if start > address:
                self.stamp.ident = self.reader.keep("ident", start, end)
            else:
                self.helo, self.helo_said, self.name = (start, end), True, None
            self.reader.used.add(start - 1)

    def _word_is_name(self) -> bool:
        """Whether the word behind ``from`` is what the server found: qmail, Exim and their relatives."""
        if self.word is None:
            return False
        word = self.text[self.word[0] : self.word[1]]
        if word.lower().rstrip(".") in _NO_NAME or canonical_ip(word.strip("[]")) or word.startswith("["):
            return False
        if self.helo_said or self.verified or self.stamp.format == "smap":
            return True
        if self.stamp.from_ip is None or self.name is not None:
            return False
        if self.stamp.format == "exim":
            return True
        return self._address_in_parentheses() and self.stamp.format not in _HELO_FIRST

    def _address_in_parentheses(self) -> bool:
        return any(
            _LONE_IP.fullmatch(self.text, *span) and not {"[", "/"} & set(self.text[span[0] : span[1]])
            for span in self.clause.comments()
        )

    def _not_a_client(self) -> bool:
        """Whether the word is no HELO: a local user, a web mail, a pick-up folder."""
        if self.stamp.format == "smap" or self._is_nameless():
            return True
        protocol = re.search(r"(?i)\bwith (local|HTTP[A-Z]*)\b", self.text)
        if (
            self.word
            and self.text[self.word[0] : self.word[1]].lower() == "mail"
            and "pickup service" in self.text
        ):
            return True
        if protocol and protocol[1].lower() == "local" and self.stamp.from_ip is None:
            self.stamp.ident = self.stamp.ident or self._local_user()
            return True
        if self.stamp.from_ip is not None:
            return False
        return bool(protocol) or self._is_person()

    def _is_nameless(self) -> bool:
        """``from unknown (192.0.2.1)`` of qmail, ``from 192.0.2.1 ([192.0.2.1])`` of a web mail: no name was said."""
        if self.word is None or self.stamp.from_ip is None:
            return False
        word = self.text[slice(*self.word)]
        if self.stamp.format == "webmail":
            return canonical_ip(word) == self.stamp.from_ip
        return word.lower() == "unknown" and self._address_in_parentheses() and not self.helo_said

    def _is_person(self) -> bool:
        """``from bob@localhost by``: who handed the message in, or for qmail-scanner the envelope sender."""
        word = self.text[slice(*self.word)] if self.word else ""
        if "@" in word.strip("<>") and self.name is None:
            scanner = "qmail-scanner" in self.text
            setattr(self.stamp, *(self._kept("envelope_from") if scanner else self._kept("ident")))
            return True
        if self.stamp.format == "exim" and "." not in word and "[" not in word:
            setattr(self.stamp, *self._kept("ident"))
            return True
        return False

    def _kept(self, column: str) -> tuple[str, str]:
        assert self.word is not None  # noqa: S101
        return column, self.reader.keep(column, *self.word)

    def _local_user(self) -> str | None:
        if self.word and "." not in self.text[self.word[0] : self.word[1]]:
            return self.reader.keep("ident", *self.word)
        return None


# Families that put the HELO name before an address in parentheses.
_HELO_FIRST = frozenset(("exchange", "smtpsvc", "powermta", "kumomta", "xmail", "domino", "mdaemon"))


def _pairs(text: str) -> tuple[dict[int, int], bool]:
    """Where comments begin and end, nested ones included, and whether every parenthesis has its partner."""
    stack: list[int] = []
    pairs: dict[int, int] = {}
    balanced = True
    for match in re.finditer(r"\\.|[()]", text):
        if match.group() == "(":
            stack.append(match.start())
        elif match.group() == ")":
            if stack:
                pairs[stack.pop()] = match.end()
            else:
                balanced = False
    return dict(sorted(pairs.items())), balanced and not stack


def _top_level(text: str, pairs: dict[int, int], mark: str) -> Iterator[int]:
    place = 0
    for low, high in [*pairs.items(), (len(text), len(text))]:
        if low < place:
            continue
        found = text.find(mark, place, low)
        while found >= 0:
            yield found
            found = text.find(mark, found + 1, low)
        place = high


def _items(text: str, pairs: dict[int, int], end: int) -> Iterator[tuple[str, int, int]]:
    """The comments and words of the text up to ``end``, in order."""
    place = 0
    while place < end:
        if place in pairs and pairs[place] <= end:
            yield "comment", place, pairs[place]
            place = pairs[place]
        elif text[place] in " ;,()":
            place += 1
        else:
            match = _ITEM.match(text, place, end)
            stop = match.end() if match else place + 1
            yield "word", place, stop
            place = stop


def _trimmed(text: str, start: int, end: int) -> int:
    """The end of a value without the comma that some servers put behind it."""
    while end > start + 1 and text[end - 1] in ",":
        end -= 1
    return end


def _is_aside(body: str) -> bool:
    return bool(
        re.match(
            r"(?i)\s*(envelope-|authenticated|using |version=|TLS|AUTH|No client|Client |HELO |EHLO |via )",
            body,
        )
    )


def _single_spaced(text: str) -> tuple[str, list[tuple[int, int]]]:
    """The text with runs of spaces as one, and from which place on how many characters are missing before it.

    No pattern then meets a long run of spaces, which would make some of them slow.
    """
    if "  " not in text:
        return text, []
    shifts: list[tuple[int, int]] = []
    missing = 0
    for match in re.finditer(" {2,}", text):
        place = match.start() + 1 - missing
        missing += len(match.group()) - 1
        shifts.append((place, missing))
    return re.sub(" {2,}", " ", text), shifts
