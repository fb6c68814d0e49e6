"""What spam filters wrote into a header, as rows of ``scans`` with ``origin`` ``header``.

One message can carry verdicts of several filters::

    X-Spamd-Result: default: False [-0.30 / 15.00];  R_SPF_ALLOW(-0.20)[+mx]; ARC_NA(0.00)[]          rspamd
    X-Spam-Status: Yes, score=7.3 required=5.0 tests=BAYES_99,HTML_MESSAGE autolearn=no version=4.0.0   SpamAssassin
    X-Spam-Status: No, hits=-1.9 tagged_above=-999 required=6.3 tests=[BAYES_00=-1.9]                   amavis
    X-Forefront-Antispam-Report: CIP:192.0.2.7;CTRY:DE;SCL:1;SFV:NSPM;SFTY:;                            Microsoft

Sources: rspamd's milter_headers module, Mail::SpamAssassin::Conf, amavisd-new's release notes and Microsoft's page
on anti-spam message headers. All of it is a claim of whoever wrote the field; see ``trust`` of the hop below it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from mailforensics.headers.received import canonical_ip
from mailforensics.limits import DEFAULT

Row = dict[str, Any]

_NUMBER = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+|nan|inf)"
_SPAMD_RESULT = re.compile(
    rf"\s*(?P<setting>[^:;\[]*):\s*(?P<spam>[A-Za-z]+)\s*(?:\((?P<action>[^()]*)\)\s*)?"
    rf"\[\s*(?P<score>{_NUMBER})\s*/\s*(?P<required>{_NUMBER})\s*\]",
    re.I,
)
_SYMBOL = re.compile(
    rf"\s*(?P<name>[A-Za-z0-9_.:-]{{1,128}})\((?P<score>{_NUMBER})\)\s*(?:\[(?P<options>[^\]]*)\]|\{{(?P<braced>[^}}]*)\}})?",
    re.I,
)
_STATUS = re.compile(r"\s*(?P<spam>Yes|No|True|False|Spam|Ham)\b", re.I)
_STATUS_PAIR = re.compile(
    r"(?P<key>score|hits|required|tagged_above|autolearn|version|tests|bayes)=(?P<value>\[[^\]]*\]?|[^\s,]*(?:,\s*[A-Za-z][A-Za-z0-9_]*(?:=[-+0-9.]+)?(?=[,\s]|$))*)",
    re.I,
)
_TEST = re.compile(rf"(?P<name>[A-Za-z0-9_]+)(?:=(?P<score>{_NUMBER}))?")
_FOREFRONT_KEY = re.compile(r"\s*(?P<key>[A-Za-z0-9_-]+)\s*:\s*(?P<value>[^;]*)")

FIELDS = frozenset(
    (
        "x-spamd-result", "x-spam-status", "x-spam-score", "x-spam-flag", "x-spam-level", "x-spam-report",
        "x-rspamd-queue-id", "x-rspamd-server", "x-rspamd-action", "x-rspamd-pre-result", "x-rspamd-score",
        "x-forefront-antispam-report", "x-microsoft-antispam", "x-ms-exchange-organization-scl",
    )
)  # fmt: skip
"""The fields that are read, in lower case."""


def read_scans(fields: Iterable[tuple[str, str]]) -> list[Row]:
    """The verdicts in the fields of one message, given as (name, unfolded value) from the top.

    Fields of one filter that stand together become one row: a second verdict of the same filter begins a new
    one. Columns are those of ``scans``, ``spam_field`` with the names of the fields used and ``places`` with their
    numbers among the fields given. Nothing is raised.

    >>> row = read_scans([("X-Spamd-Result", "default: False [-0.30 / 15.00]; ARC_NA(0.00)[]")])[0]
    >>> row["engine"], row["score"], row["required_score"], row["symbols"]
    ('rspamd', -0.3, 15.0, [{'name': 'ARC_NA', 'score': 0.0, 'options': []}])
    """
    rows: list[Row] = []
    for place, (name, value) in enumerate(fields):
        key = name.lower()
        if key in FIELDS:
            found = _read(key, " ".join(value[: DEFAULT.line_bytes].split()))
            if found:
                _merge(rows, place, key, found)
    for row in rows:
        row["engine"] = None if row["engine"] == "any" else row["engine"]
    return rows


def _merge(rows: list[Row], place: int, key: str, found: Row) -> None:
    """Adds what a field says to the row of its filter, or begins a row where it would contradict."""
    for row in rows:
        clash = any(
            row.get(column) and row[column] != value for column, value in found.items() if column != "engine"
        )
        same = found["engine"] in (row["engine"], "any") or row["engine"] == "any"
        if same and not clash and key not in row["spam_field"]:
            row.update({column: value for column, value in found.items() if value != "any"})
            row["spam_field"].append(key)
            row["places"].append(place)
            return
    rows.append({"origin": "header", "spam_field": [key], "places": [place], "symbols": []} | found)


def _read(key: str, value: str) -> Row | None:
    if key == "x-spamd-result":
        return _spamd_result(value)
    if key == "x-spam-status":
        return _spam_status(value)
    if key == "x-forefront-antispam-report":
        return _forefront(value)
    if key == "x-microsoft-antispam":
        return _microsoft(value)
    return _plain(key, value.strip())


def _spamd_result(value: str) -> Row | None:
    match = _SPAMD_RESULT.match(value)
    if match is None:
        return None
    symbols = [
        {
            "name": hit["name"],
            "score": float(hit["score"]),
            "options": _options(hit["options"] or hit["braced"] or ""),
        }
        for hit in _SYMBOL.finditer(value, match.end())
    ]
    row: Row = {
        "engine": "rspamd", "score": float(match["score"]), "required_score": float(match["required"]),
        "is_spam": match["spam"].lower() in ("true", "t", "yes"),
    }  # fmt: skip
    if match["spam"].lower() in ("skip", "s"):
        row |= {"is_skipped": True, "is_spam": None}
    return (
        row
        | ({"symbols": symbols} if symbols else {})
        | ({"action": match["action"]} if match["action"] else {})
    )


def _options(text: str) -> list[str]:
    return [option.strip() for option in text.split(",") if option.strip()]


def _spam_status(value: str) -> Row | None:
    match = _STATUS.match(value)
    if match is None:
        return None
    said = {
        pair["key"].lower(): pair["value"].strip(" ,") for pair in _STATUS_PAIR.finditer(value, match.end())
    }
    amavis = "tagged_above" in said or said.get("tests", "").startswith("[")
    named = bool(said.keys() & {"tests", "required", "autolearn", "version"})  # rspamd writes a score alone
    row: Row = {"engine": "amavis" if amavis else "spamassassin" if named else "any"}
    row["is_spam"] = match["spam"].lower() in ("yes", "true", "spam")
    for column, keys in (("score", ("score", "hits")), ("required_score", ("required",))):
        numbers = [number for key in keys if (number := _float(said.get(key))) is not None]
        if numbers:
            row[column] = numbers[0]
    tests = said.get("tests", "").strip("[]")
    if tests and tests.lower() != "none":
        row["symbols"] = [_test(hit) for hit in _TEST.finditer(tests)]
    return row


def _test(hit: re.Match[str]) -> dict[str, Any]:
    return {"name": hit["name"], "score": float(hit["score"]) if hit["score"] else None, "options": []}


def _forefront(value: str) -> Row | None:
    said = _keys(value)
    if not said:
        return None
    row: Row = {"engine": "microsoft", "client_ip": canonical_ip(said.get("CIP", ""))}
    if said.get("SFV"):
        row["action"] = said["SFV"]
        row["is_spam"] = {"SPM": True, "SKS": True, "SKB": True, "NSPM": False}.get(said["SFV"])
        row["is_skipped"] = said["SFV"] in ("SKN", "SKI", "SKQ", "SKA", "SFE")
    if (level := _float(said.get("SCL"))) is not None:
        row["score"] = level
    row["symbols"] = _said_symbols(
        said, ("CTRY", "LANG", "SFTY", "CAT", "DIR", "PTR", "H", "IPV", "SRV", "SFS")
    )
    return {column: found for column, found in row.items() if found is not None}


def _microsoft(value: str) -> Row | None:
    said = _keys(value)
    symbols = _said_symbols(said, tuple(said))
    return {"engine": "microsoft_antispam", "symbols": symbols} if symbols else None


def _keys(value: str) -> dict[str, str]:
    pairs = (_FOREFRONT_KEY.match(part) for part in value.split(";"))
    return {pair["key"].upper(): pair["value"].strip() for pair in pairs if pair}


def _said_symbols(said: dict[str, str], keys: Iterable[str]) -> list[dict[str, Any]]:
    return [
        {
            "name": key,
            "score": _float(said[key]) if key in ("BCL", "PCL", "SCL") else None,
            "options": [said[key]],
        }
        for key in keys
        if said.get(key)
    ]


def _plain(key: str, value: str) -> Row | None:
    """Fields that hold one value."""
    engine = "rspamd" if key.startswith("x-rspamd") else "microsoft" if key.startswith("x-ms-") else "any"
    if key == "x-rspamd-queue-id":
        return {"engine": engine, "queue_id": value}
    if key == "x-rspamd-server":
        return {"engine": engine, "host": value}
    if key == "x-rspamd-action":
        return {"engine": engine, "action": value}
    if key == "x-rspamd-pre-result":
        match = re.search(r"(?:^|;)\s*action\s*[=:]\s*([^;]+)", value)
        return {"engine": engine, "forced_action": (match[1] if match else value).strip()}
    if key == "x-spam-flag":
        return {"engine": engine, "is_spam": value.lower() in ("yes", "true")} if value else None
    if key in ("x-spam-score", "x-rspamd-score", "x-ms-exchange-organization-scl"):
        match = re.match(_NUMBER, value, re.I)
        return {"engine": engine, "score": float(match[0])} if match else None
    return None


def _float(text: str | None) -> float | None:
    return float(text) if text and re.fullmatch(_NUMBER, text, re.I) else None
