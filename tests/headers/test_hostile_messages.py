"""Whatever bytes come: no exception, bounded time, the bytes kept, and nothing trusted that is not ours."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.errors import EvidenceError, OptionError
from mailforensics.findings.forgery import find_forgery
from mailforensics.headers.authentication import read_field
from mailforensics.headers.dates import read_date
from mailforensics.headers.fields import clean_pasted, decode_words, read_fields
from mailforensics.headers.message import (
    address_of,
    read_headers,
    read_in_batches,
    read_message,
    read_messages,
)
from mailforensics.headers.received import read_stamp
from mailforensics.headers.resolver import Resolver
from mailforensics.headers.spam import read_scans
from mailforensics.headers.verify import verify_message
from mailforensics.limits import Limits

NAMES = (
    b"Received", b"Authentication-Results", b"ARC-Authentication-Results", b"ARC-Seal", b"ARC-Message-Signature",
    b"DKIM-Signature", b"Received-SPF", b"X-Spamd-Result", b"X-Spam-Status", b"X-Forefront-Antispam-Report", b"From",
    b"Date", b"Subject", b"Message-ID", b"Return-Path", b"Delivered-To", b"Reply-To", b"X-Rspamd-Pre-Result",
)  # fmt: skip
PIECES = (
    b"from ", b"by ", b"with ", b"id ", b"for ", b"; ", b"(", b")", b"[", b"]", b"<", b">", b'"', b"\\", b"\r\n ", b"\n\t",
    b"=", b"i=1; ", b"192.0.2.7", b"::1", b"mx.example.net", b"spf=pass", b"dkim=pass ", b"header.d=example.net", b"\x00",
    b"\xff", b"\xc3\xa9", b"=?utf-8?B?w6Q=?=", b"Mon, 2 Mar 2026 10:02:11 +0100", b"HELO ", b"helo=", b"(envelope-from <>)",
    b"a=rsa-sha256; b=QUFB; bh=QUFB; d=example.net; s=k; h=from; v=1; ", b"[1 / 2] A(1)[x]", b"score=1 required=2 tests=A", b"%",
)  # fmt: skip

field = st.tuples(st.sampled_from(NAMES), st.lists(st.sampled_from(PIECES), max_size=14)).map(
    lambda made: made[0] + b": " + b"".join(made[1]) + b"\r\n"
)
message = st.lists(st.one_of(field, st.binary(max_size=40)), max_size=10).map(
    lambda made: b"".join(made) + b"\r\nbody"
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(message, st.binary(max_size=600)))
def test_no_bytes_at_all_make_reading_raise(data: bytes) -> None:
    tables = read_message(data, own=["mx.example.net", "192.0.2.0/24"])
    for name in ("documents", "headers", "hops", "auth_results", "scans"):
        getattr(tables, name).validate(full=True)
    for row in tables.headers.to_pylist():
        assert data[row["byte_offset"] : row["byte_offset"] + row["byte_length"]] == row["raw"]
    raws = {row["ordinal"]: row["raw"] for row in tables.headers.to_pylist()}
    for hop in tables.hops.to_pylist():
        for span in hop["spans"]:
            assert 0 <= span["start"] < span["end"] <= len(raws[hop["ordinal"]])
    find_forgery(tables.frames)


@settings(max_examples=60, deadline=None)
@given(message)
def test_no_bytes_at_all_make_checking_raise(data: bytes) -> None:
    resolver = Resolver.replay(Resolver().records)
    verify_message(data, read_message(data, own=["mx.example.net", "192.0.2.0/24"]), resolver)


@settings(max_examples=40, deadline=None)
@given(st.lists(message, min_size=1, max_size=6))
def test_many_messages_are_read_like_each_one_alone(many: list[bytes]) -> None:
    together = read_messages(
        [(1, number << 20, data) for number, data in enumerate(many)], own=["mx.example.net"]
    )
    for number, data in enumerate(many):
        alone = read_message(data, source_id=1, base_offset=number << 20, own=["mx.example.net"])
        for name in ("documents", "headers", "hops", "auth_results"):
            mine = alone.frames[name]
            rows = together.frames[name].filter(
                together.frames[name]["document_id"] == (1 << 40) + (number << 20)
            )
            assert rows.to_dicts() == mine.to_dicts()


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_no_text_at_all_makes_a_small_reader_raise(text: str) -> None:
    read_date(text)
    decode_words(text)
    address_of(text)
    read_headers(text + "\n")
    read_scans([("X-Spamd-Result", text), ("X-Spam-Status", text), ("X-Forefront-Antispam-Report", text)])


FILLINGS = (b" ", b"(", b"[", b"<", b"a", b"A", b";", b"1:", b"a@", b'"', b"\\", b"=", b".", b"()", b" by ", b"1 Jan ", b"TLS", b"helo= ", b"; a=", b"=?a?q?", b"i=1;", b", ", b"\n ", b"x:")  # fmt: skip


def _stamp(data: bytes) -> Any:
    return read_stamp(b"from x (" + data)


def _results(data: bytes) -> Any:
    return [
        read_field(name, "mx; dkim=pass " + data.decode())
        for name in ("Authentication-Results", "Received-SPF", "DKIM-Signature")
    ]


def _scans(data: bytes) -> Any:
    text = data.decode()
    return read_scans(
        [
            ("X-Spamd-Result", "d: F [1 / 2]" + text),
            ("X-Spam-Status", "Yes, tests=" + text),
            ("X-Microsoft-Antispam", text),
        ]
    )


def _texts(data: bytes) -> Any:
    text = data.decode()
    return [read_date(text), decode_words(text), address_of(text), clean_pasted(text), read_fields(data)]


@pytest.mark.parametrize("reader", [_stamp, _results, _scans, _texts], ids=lambda reader: reader.__name__)
@pytest.mark.parametrize("filling", FILLINGS, ids=repr)
def test_reading_takes_time_in_proportion_to_the_length(
    reader: Callable[[bytes], Any], filling: bytes, soon_done: Any
) -> None:
    long = (filling * 40_000)[:32_000]
    assert soon_done(lambda: reader(long), seconds=2)


def test_a_message_of_many_fields_is_cut_by_the_limits() -> None:
    tables = read_message(
        b"Received: from a by b; 1 Jan 2026 00:00 +0000\r\n" * 5000 + b"\r\n",
        limits=Limits(header_fields=100),
    )
    assert tables.hops.num_rows == 100
    assert tables.documents["defects"][0].as_py()[0] == "header_fields_limit"


def test_names_are_data_and_come_back_as_they_were() -> None:
    hostile = (
        '"><script>alert(1)</script>',
        "=HYPERLINK(1)",
        "\x1b[31m",
        "../../etc/passwd",
        "\u202e",
        "{{7*7}}",
        "$x^2$",
    )
    for text in hostile:
        data = f"Subject: {text}\nFrom: {text} <a@example.org>\n\n".encode()
        assert read_message(data).documents["subject"][0].as_py() == text


def test_a_lone_surrogate_in_pasted_text_is_no_trouble() -> None:
    assert read_headers("Subject: \udcff\n").documents["subject"][0].as_py() == "\\udcff"


def test_a_path_that_cannot_be_read_is_an_error_that_says_what_to_do(tmp_path: Any) -> None:
    with pytest.raises(EvidenceError, match="Give a file, bytes or header text"):
        read_headers(tmp_path / "missing.eml")
    with pytest.raises(EvidenceError):
        read_headers("no\x00path")


def test_parts_belong_to_one_message() -> None:
    assert read_message(b"Content-Type: text/html\n\nx").parts["content_type"].to_pylist() == ["text/html"]
    with pytest.raises(OptionError, match="one message at a time"):
        _ = read_messages([(1, 0, b"A: b\n\n")]).parts


def test_a_file_and_its_bytes_give_the_same(tmp_path: Any) -> None:
    data = b"Subject: x\r\nFrom: a@example.org\r\n\r\nbody"
    (tmp_path / "a.eml").write_bytes(data)
    assert read_headers(tmp_path / "a.eml").documents.equals(read_headers(data).documents)
    assert read_headers(str(tmp_path / "a.eml")).headers.equals(read_headers(data).headers)


def test_bodies_are_let_go_when_many_messages_are_read() -> None:
    head = b"From: a@example.org\r\n\r\n"
    many = ((1, number << 24, head + bytes(1 << 20)) for number in range(200))
    tracemalloc.start()
    tables = read_messages(many)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert tables.documents["size"].to_pylist() == [len(head) + (1 << 20)] * 200
    assert peak < 40 << 20


def test_tables_do_not_depend_on_how_many_are_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    many = [
        (1, number << 20, b"Received: by mx id %d; 1 Jan 2026 00:00 +0000\n\n" % number)
        for number in range(7)
    ]
    whole = read_messages(many)
    monkeypatch.setattr("mailforensics.headers.message._AT_ONCE", 3)
    for name in ("documents", "headers", "hops"):
        assert read_messages(many).frames[name].equals(whole.frames[name])
    assert read_messages([]).documents.num_rows == 0


def test_batches_hold_a_part_of_the_messages_each() -> None:
    batches = list(read_in_batches(((1, number * 100, b"A: b\n\n") for number in range(7)), size=3))
    assert [batch.documents.num_rows for batch in batches] == [3, 3, 1]
