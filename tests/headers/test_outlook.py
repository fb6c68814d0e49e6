"""Outlook's .msg: the header as it was kept, bodies and attachments; damaged files are errors or rows, never crashes."""

from __future__ import annotations

import hashlib
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import mailforensics
from mailforensics.errors import EvidenceError
from mailforensics.headers.message import read_headers, read_message
from mailforensics.headers.outlook import read_outlook
from mailforensics.headers.resolver import Resolver
from mailforensics.headers.verify import verify_message
from tests.headers.compound import compound

HEADER = (
    "Received: from mail.example.org (mail.example.org [192.0.2.7])\r\n\tby mx.example.net (Postfix) with ESMTPS id 4F3D21;"
    "\r\n\tMon,  2 Mar 2026 10:02:11 +0100 (CET)\r\nDKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=k; h=from;"
    " bh=x; b=QUJD\r\nFrom: Büro <a@example.org>\r\nSubject: Offer 4711\r\nDate: Mon, 2 Mar 2026 10:02:09 +0100\r\n"
    "Message-ID: <1@example.org>\r\nContent-Type: multipart/mixed; boundary=b\r\n"
)
PDF = b"%PDF-1.4 " + b"x" * 9000


def wide(text: str) -> bytes:
    return text.encode("utf-16-le")


def properties(**fixed: bytes) -> bytes:
    rows = [struct.pack("<HHI8s", 0x0040, int(name[1:], 16), 6, value) for name, value in fixed.items()]
    return bytes(32) + b"".join(rows)


WHOLE = {
    "__properties_version1.0": properties(),
    "__nameid_version1.0/__substg1.0_00020102": b"",
    "__substg1.0_001A001F": wide("IPM.Note"),
    "__substg1.0_007D001F": wide(HEADER),
    "__substg1.0_0037001F": wide("Offer 4711"),
    "__substg1.0_1000001F": wide("Grüße\r\n"),
    "__substg1.0_10130102": b"<p>Gr\xc3\xbc\xc3\x9fe</p>",
    "__substg1.0_10090102": b"packed",
    "__attach_version1.0_#00000000/__properties_version1.0": bytes(8),
    "__attach_version1.0_#00000000/__substg1.0_3707001F": wide("../offer.pdf"),
    "__attach_version1.0_#00000000/__substg1.0_370E001F": wide("application/pdf"),
    "__attach_version1.0_#00000000/__substg1.0_37010102": PDF,
    "__attach_version1.0_#00000001/__substg1.0_3704001F": wide("MAIL~1.MSG"),
    "__attach_version1.0_#00000001/__substg1.0_3701000D/__properties_version1.0": bytes(24),
}


def test_the_header_that_outlook_kept_is_read_like_any_other(tmp_path: Path) -> None:
    file = tmp_path / "offer.msg"
    file.write_bytes(compound(WHOLE))
    message = read_headers(file, own=["mx.example.net"])
    assert b"".join(message.headers["raw"].to_pylist()).decode() == HEADER
    (document,) = message.documents.to_pylist()
    assert (document["subject"], document["from_address"], document["message_id"]) == (
        "Offer 4711", "a@example.org", "<1@example.org>",
    )  # fmt: skip
    assert document["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert document["size"] == file.stat().st_size
    assert "from_outlook" in document["defects"]
    assert message.hops.select(["from_ip", "trust"]).to_pylist() == [
        {"from_ip": "192.0.2.7", "trust": "ours"}
    ]


def test_bodies_and_attachments_are_listed_with_sizes_and_hashes() -> None:
    rows = read_message(compound(WHOLE)).parts.to_pylist()
    assert [(row["part"], row["content_type"], row["filename"], row["size"]) for row in rows] == [
        ("0", "application/vnd.ms-outlook", None, None),
        ("1", "text/plain", None, len("Grüße\r\n".encode())),
        ("2", "text/html", None, 14),
        ("3", "application/rtf", None, 6),
        ("4", "application/pdf", "../offer.pdf", len(PDF)),
        ("5", "application/vnd.ms-outlook", "MAIL~1.MSG", None),
    ]
    assert rows[4]["sha256"] == hashlib.sha256(PDF).hexdigest()


def test_a_draft_without_a_header_gets_its_fields_from_the_properties() -> None:
    ticks = (
        int(
            (datetime(2026, 3, 2, 9, 2, 9, tzinfo=UTC) - datetime(1601, 1, 1, tzinfo=UTC))
            / timedelta(microseconds=1)
        )
        * 10
    )
    page = struct.pack("<HHI8s", 3, 0x3FFD, 6, struct.pack("<Q", 1252))
    streams = {
        "__properties_version1.0": properties(x0039=struct.pack("<Q", ticks)) + page,
        "__substg1.0_0C1A001E": b"B\xfcro\r\nX: y",
        "__substg1.0_0C1F001E": b"/O=EXAMPLE/CN=BUERO",
        "__substg1.0_5D01001F": wide("a@example.org"),
        "__substg1.0_0E04001F": wide("Bob"),
    }
    message = read_message(compound(streams))
    fields = [(row["name"], row["value"]) for row in message.headers.to_pylist()]
    assert fields == [
        ("From", "Büro X: y <a@example.org>"),
        ("To", "Bob"),
        ("Date", "Mon, 02 Mar 2026 09:02:09 +0000"),
    ]
    assert {"from_outlook", "made_from_properties"} <= set(message.documents["defects"][0].as_py())


def test_exchange_writes_a_line_of_its_own_above_the_header() -> None:
    first = "Microsoft Mail Internet Headers Version 2.0\r\n"
    streams = WHOLE | {"__substg1.0_007D001F": wide(first + HEADER)}
    assert read_message(compound(streams)).headers["name"][0].as_py() == "Received"


def test_a_signature_is_not_checked_because_the_body_was_taken_apart() -> None:
    data = compound(WHOLE)
    rows = verify_message(data, read_message(data), Resolver.replay(Resolver().records)).to_dicts()
    signature = next(row for row in rows if row["method"] == "dkim")
    assert signature["result"] == "neutral"
    assert "Outlook" in signature["reason"]


def test_a_case_takes_outlook_files_beside_others(tmp_path: Path) -> None:
    (tmp_path / "a.msg").write_bytes(compound(WHOLE))
    (tmp_path / "b.eml").write_text("From: b@example.org\nSubject: b\nDate: 2 Mar 2026 09:00:02 +0000\n\n")
    (tmp_path / "c.doc").write_bytes(compound({"WordDocument": b"x" * 5000}))
    case = mailforensics.open_case(tmp_path)
    assert sorted(case.table("documents")["subject"].to_pylist()) == ["Offer 4711", "b"]
    assert [Path(path).name for path, _ in case.left_alone] == ["c.doc"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100), "damaged"),
        (compound({"WordDocument": b"x" * 5000}), "no Outlook message"),
        (compound(WHOLE)[:700], "cannot be read"),
    ],
    ids=["cut", "word", "header only"],
)
def test_a_damaged_file_is_an_error_alone_and_a_row_among_many(
    data: bytes, words: str, tmp_path: Path
) -> None:
    (tmp_path / "a.msg").write_bytes(data)
    with pytest.raises(EvidenceError, match=words):
        read_headers(tmp_path / "a.msg")
    assert "outlook_unreadable" in read_message(data).documents["defects"][0].as_py()


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 255)), min_size=1, max_size=20))
def test_no_changed_bytes_make_anything_but_our_error_come(changes: list[tuple[int, int]]) -> None:
    data = bytearray(compound(WHOLE))
    for place, byte in changes:
        data[8 + place % (len(data) - 8)] = byte
    try:
        parts: Any = read_outlook(bytes(data)).parts
    except EvidenceError:
        return
    assert parts.height >= 1
