"""What header fields say about authentication, one row per method: claims, until their writer is known.

Read are Authentication-Results (RFC 8601) and Microsoft's form of it without an authserv-id, its sealed copy
ARC-Authentication-Results and the ARC-Seal (RFC 8617), Received-SPF (RFC 7208 §9.1) and the tags of
DKIM-Signature (RFC 6376 §3.5)::

    Authentication-Results: mx.example.net; spf=pass smtp.mailfrom=example.org;
            dkim=pass (good signature) header.d=example.org header.s=k1

Rows are dicts with the columns of ``auth_results``; what cannot be read is a row with parse_status ``unparsed``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mailforensics.headers.domains import aligned, domain_of
from mailforensics.headers.received import canonical_ip
from mailforensics.limits import DEFAULT

Row = dict[str, Any]

_KEY = r'(?:"(?:[^"\\]|\\.)*"|[A-Za-z0-9_-]{1,80})'
_VALUE = r'(?:"(?:[^"\\]|\\.)*"|[^\s;"])*'
_METHOD = re.compile(
    rf"\s*(?P<method>{_KEY})\s*(?:/\s*(?P<version>[0-9]+)\s*)?=\s*(?P<result>\"(?:[^\"\\]|\\.)*\"|[^\s;\"=]+)"
)
_PAIR = re.compile(rf"\s*(?:(?P<ptype>{_KEY})\s*\.\s*)?(?P<property>{_KEY})\s*=\s*(?P<value>{_VALUE})")
_SERVER = re.compile(
    r"\s*(?P<id>\"(?:[^\"\\]|\\.)*\"|[^\s;=\"]+)(?:\s+(?P<version>[0-9]+))?(?:\s+(?P<rest>.*))?\s*", re.S
)
_PLAIN_PAIRS = re.compile(r"(?:[^\s=.]+=[^\s=]+|[^\s=.]+)(?:\s+[^\s=.]+=[^\s=]+)*")
_TAG = re.compile(r"\s*(?P<tag>[A-Za-z][A-Za-z0-9_]*)\s*=\s*(?P<value>[^;]*)")
_SPF_RESULT = re.compile(r"\s*(?P<result>[A-Za-z]+)")
_ADDRESS_IN_WORDS = re.compile(
    r"(?:sender IP is|designates?|client-ip=) ?(?P<ip>[0-9A-Fa-f:.]+[0-9A-Fa-f])"
    r"|(?:^|\s)(?P<other>[0-9A-Fa-f:.]{3,45}) is (?:neither|not) "
)
_POLICY_IN_WORDS = re.compile(r"\bp(?:olicy)?=(?P<policy>[A-Za-z]+)")

_COLUMNS: Mapping[tuple[str | None, str], str] = {
    ("smtp", "mailfrom"): "smtp_mailfrom", ("smtp", "mail"): "smtp_mailfrom", ("smtp", "helo"): "smtp_helo",
    ("smtp", "auth"): "smtp_auth", ("smtp", "remote-ip"): "smtp_remote_ip", ("smtp", "client-ip"): "smtp_remote_ip",
    ("policy", "iprev"): "smtp_remote_ip", ("header", "from"): "header_from", ("header", "d"): "header_d",
    ("header", "i"): "header_i", ("header", "s"): "header_s", ("header", "a"): "header_a",
    ("header", "b"): "header_b", ("policy", "dmarc"): "policy", ("policy", "published-domain-policy"): "policy", (None, "envelope-from"): "smtp_mailfrom",
    (None, "helo"): "smtp_helo", (None, "client-ip"): "smtp_remote_ip", (None, "x-selector"): "header_s",
}  # fmt: skip


def read_results(value: str, *, field: str = "Authentication-Results") -> list[Row]:
    """The rows of one Authentication-Results value (RFC 8601 §2.2) or its ARC copy (RFC 8617 §4.1.1).

    A field that says ``none`` gives one row without a method. Methods, results and property names are in lower
    case, values as written. Nothing is raised.

    >>> rows = read_results("mx.example.net; spf=pass (ok) smtp.mailfrom=example.org; dkim=none")
    >>> [(row["authserv_id"], row["method"], row["result"], row["smtp_mailfrom"]) for row in rows]
    [('mx.example.net', 'spf', 'pass', 'example.org'), ('mx.example.net', 'dkim', 'none', None)]
    """
    segments = list(_segments(value))
    instance = _instance(segments)
    server, understood = _server(segments[0][0]) if segments else (None, False)
    bodies = segments if server is None else segments[1:]
    rows = [
        _method_row(text, comments)
        for text, comments in bodies
        if text.strip() and _says_something(text, bodies)
    ]
    if not understood and server is not None:
        rows = []
    if not rows:
        rows = [_row(result=None, parse_status="ok" if understood else "unparsed")]
    if rows[-1]["parse_status"] == "ok" and _left_open(value):
        rows[-1]["parse_status"] = "partial"
    for row in rows:
        row.update(field=field, authserv_id=server, arc_instance=instance)
    return rows


def _says_something(text: str, bodies: list[tuple[str, list[str]]]) -> bool:
    """Microsoft puts a lone host name between its results; it is no result."""
    return "=" in text or len(bodies) == 1 or not re.fullmatch(r"[A-Za-z0-9.-]+", text.strip())


def _segments(value: str) -> Iterator[tuple[str, list[str]]]:
    """The parts between semicolons, each with its comments taken out and listed."""
    piece: list[str] = []
    comments: list[str] = []
    for kind, text in _scan(" ".join(value[: DEFAULT.line_bytes].split())):
        if kind == ";":
            yield _spaced(piece), comments
            piece, comments = [], []
        elif kind == "comment":
            comments.append(" ".join(text.split()))
            piece.append(" ")
        else:
            piece.append(text)
    if "".join(piece).strip() or comments:
        yield _spaced(piece), comments


def _spaced(pieces: list[str]) -> str:
    """The pieces as one text without long runs of spaces, which patterns would pay for."""
    return " ".join("".join(pieces).split())


_PIECE = re.compile(r'"(?:[^"\\]|\\.)*"|[^"();\\]+|\\.|.', re.S)


def _scan(value: str) -> Iterator[tuple[str, str]]:
    depth, comment = 0, []
    for match in _PIECE.finditer(value):
        text = match.group()
        if depth and text.startswith('"') and len(text) > 1:
            comment.append(text)
        elif text == "(":
            depth += 1
            comment += [text] if depth > 1 else []
        elif text == ")" and depth:
            depth -= 1
            if depth:
                comment.append(text)
            else:
                yield "comment", "".join(comment)
                comment = []
        elif depth:
            comment.append(text)
        else:
            yield (";", text) if text == ";" else ("text", text)
    if depth:
        yield "comment", "".join(comment)


def _left_open(value: str) -> bool:
    """Whether a comment has no end: the field was cut."""
    depth = 0
    for match in _PIECE.finditer(value[: DEFAULT.line_bytes]):
        if match.group() == "(":
            depth += 1
        elif match.group() == ")":
            depth = max(0, depth - 1)
    return depth > 0


def _instance(segments: list[tuple[str, list[str]]]) -> int | None:
    match = re.fullmatch(r"\s*i\s*=\s*([0-9]{1,4})\s*", segments[0][0]) if segments else None
    if match is None:
        return None
    segments.pop(0)
    return int(match[1])


def _server(text: str) -> tuple[str | None, bool]:
    """(authserv-id or None, whether the segment is understood)."""
    if _METHOD.match(text) and not re.match(rf"\s*{_KEY}[.\w-]*\s+", text):
        return None, True
    match = _SERVER.fullmatch(text)
    if match is None:
        return None, bool(_METHOD.match(text))
    first = text.strip().split(maxsplit=1)[0] if text.strip() else ""
    if "=" in first:
        return None, True
    rest = (match["rest"] or "").strip()
    return _unquoted(match["id"]), not rest or bool(_PLAIN_PAIRS.fullmatch(rest))


def _method_row(text: str, comments: list[str]) -> Row:
    if text.strip().strip('"').lower() == "none":
        return _row(result="none", comment="; ".join(comments) or None)
    match = _METHOD.match(text)
    if match is None:
        return _row(parse_status="unparsed", reason=" ".join(text.split())[:200])
    row = _row(method=_unquoted(match["method"]).lower(), result=_unquoted(match["result"]).lower())
    row["comment"] = "; ".join(comments) or None
    row["method_version"] = match["version"]
    place = match.end()
    while place < len(text):
        pair = _PAIR.match(text, place)
        if pair is None or (not pair["value"] and text[pair.end() : pair.end() + 1] == '"'):
            row["parse_status"] = "ok" if not text[place:].strip() else "partial"
            break
        _add_property(row, pair)
        place = pair.end()
    _fill_from_words(row)
    return row


def _add_property(row: Row, pair: re.Match[str]) -> None:
    ptype = _unquoted(pair["ptype"]).lower() if pair["ptype"] else None
    name, value = _unquoted(pair["property"]).lower(), _unquoted(pair["value"])
    if ptype is None and "." in name:
        ptype, _, name = name.partition(".")
    if ptype is None and name == "reason":
        row["reason"] = value
        return
    if ptype is None and name == "action" and row["method"] == "dmarc":
        row["action"] = value
    row["properties"].append({"ptype": ptype, "property": name, "value": value})
    column = _COLUMNS.get((ptype, name))
    if column in ("smtp_mailfrom", "header_from") and value != "<>":
        value = value.strip("<>")
    if column in ("header_d", "header_i") and value == "none":
        column = None  # Microsoft's way to say that nobody signed
    if column and row[column] is None:
        row[column] = value


def _fill_from_words(row: Row) -> None:
    """What servers say in comments only: the client's address (spf) and the policy (dmarc)."""
    words = row["comment"] or ""
    row["reason"] = row["reason"] or row["comment"]
    match = _ADDRESS_IN_WORDS.search(words)
    if match and row["smtp_remote_ip"] is None:
        row["smtp_remote_ip"] = canonical_ip(match["ip"] or match["other"])
    match = _POLICY_IN_WORDS.search(words)
    if match and row["method"] == "dmarc" and row["policy"] is None:
        row["policy"] = match["policy"].lower()


def _unquoted(text: str) -> str:
    text = text.strip()
    if '"' not in text:
        return text
    return re.sub(r'"((?:[^"\\]|\\.)*)"', lambda match: re.sub(r"\\(.)", r"\1", match[1]), text)


def _row(**values: Any) -> Row:
    row: Row = dict.fromkeys(
        (
            "field", "authserv_id", "authserv_trust", "method", "result", "reason", "smtp_mailfrom", "smtp_helo",
            "smtp_auth", "smtp_remote_ip", "header_from", "header_d", "header_i", "header_s", "header_a", "header_b",
            "policy", "arc_instance", "aligned", "comment", "method_version", "action",
        )
    )  # fmt: skip
    return row | {"properties": [], "parse_status": "ok"} | values


def read_received_spf(value: str) -> list[Row]:
    """The row of one Received-SPF value (RFC 7208 §9.1): result, comment and key-value pairs.

    >>> row = read_received_spf("pass (ok) receiver=mx.example.net; client-ip=192.0.2.1; helo=a.example.org")[0]
    >>> row["result"], row["authserv_id"], row["smtp_remote_ip"], row["smtp_helo"]
    ('pass', 'mx.example.net', '192.0.2.1', 'a.example.org')
    """
    segments = list(_segments(value))
    match = _SPF_RESULT.match(segments[0][0]) if segments else None
    if match is None:
        return [_row(field="Received-SPF", parse_status="unparsed")]
    row = _row(field="Received-SPF", method="spf", result=match["result"].lower())
    row["comment"] = segments[0][1][0] if segments[0][1] else None
    texts = [segments[0][0][match.end() :], *(text for text, _ in segments[1:])]
    for text in texts:
        for pair in _PAIR.finditer(text):
            _add_property(row, pair)
    values = {entry["property"]: entry["value"] for entry in row["properties"]}
    row["authserv_id"] = values.get("receiver")
    row["parse_status"] = "partial" if _left_open(value) else "ok"
    _fill_from_words(row)
    row["smtp_remote_ip"] = canonical_ip(row["smtp_remote_ip"] or "") or row["smtp_remote_ip"]
    return [row]


def read_tags(value: str) -> dict[str, str]:
    """The tag list of a DKIM-Signature, ARC-Seal or a DNS key (RFC 6376 §3.2), white space in values removed
    where it only folds.

    >>> read_tags("v=1; a=rsa-sha256; d=example.org; s=k1; b=AB CD")
    {'v': '1', 'a': 'rsa-sha256', 'd': 'example.org', 's': 'k1', 'b': 'ABCD'}
    """
    tags: dict[str, str] = {}
    for part in value[: DEFAULT.line_bytes].split(";"):
        match = _TAG.fullmatch(part)
        if match and match["tag"] not in tags:
            text = match["value"].strip()
            tags[match["tag"]] = "".join(text.split()) if match["tag"] in ("b", "bh", "h", "p") else text
    return tags


def read_signature(value: str, *, field: str = "DKIM-Signature") -> list[Row]:
    """The row of a DKIM-Signature (RFC 6376 §3.5) or ARC-Seal (RFC 8617 §4.1.3): who claims to have signed.

    The result of a DKIM-Signature is null, since the field is no check; that of an ARC-Seal is its ``cv``.

    >>> row = read_signature("v=1; a=rsa-sha256; d=example.org; s=k1; bh=x; b=QUJDREVGR0hJSg==")[0]
    >>> row["method"], row["result"], row["header_d"], row["header_b"]
    ('dkim', None, 'example.org', 'QUJDREVG')
    """
    tags = read_tags(value)
    sealed = field == "ARC-Seal"
    row = _row(field=field, method="arc" if sealed else "dkim", result=tags.get("cv") if sealed else None)
    row.update({f"header_{tag}": tags.get(tag) for tag in ("d", "s", "a")})
    row["header_i"] = None if sealed else tags.get("i")
    row["header_b"] = tags["b"][:8] if tags.get("b") else None
    if sealed and tags.get("i", "").isdigit() and len(tags["i"]) < 5:
        row["arc_instance"] = int(tags["i"])
    row["properties"] = [{"ptype": "tag", "property": tag, "value": text} for tag, text in tags.items()]
    needed = ("d", "s", "a", "b")
    row["parse_status"] = "ok" if all(tags.get(tag) for tag in needed) else "partial" if tags else "unparsed"
    return [row]


def read_field(name: str, value: str) -> list[Row]:
    """The rows of any of the fields above by its name, any case; no rows for other fields.

    >>> read_field("authentication-results", "mx.example.net; dkim=pass")[0]["field"]
    'Authentication-Results'
    """
    key = name.lower()
    if key in ("authentication-results", "arc-authentication-results"):
        return read_results(
            value,
            field="Authentication-Results"
            if key[0] == "a" and key[1] == "u"
            else "ARC-Authentication-Results",
        )
    if key == "received-spf":
        return read_received_spf(value)
    if key in ("dkim-signature", "arc-seal"):
        return read_signature(value, field="DKIM-Signature" if key == "dkim-signature" else "ARC-Seal")
    return []


def mark_alignment(rows: list[Row], from_domain: str | None) -> None:
    """Sets ``aligned``: whether the domain that passed or signed is that of From, relaxed (RFC 9989 §4.4).

    Null where no domain is given. The organisational domain is a heuristic: see :mod:`.domains`.
    """
    for row in rows:
        domain = None
        if row["method"] == "spf":
            domain = domain_of(row["smtp_mailfrom"] or "") or domain_of(row["smtp_helo"] or "")
        elif row["method"] == "dkim":
            domain = row["header_d"] or domain_of(row["header_i"] or "")
        elif row["method"] == "dmarc":
            domain = domain_of(row["header_from"] or "")
        if domain and from_domain:
            row["aligned"] = aligned(domain, from_domain)
