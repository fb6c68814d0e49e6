"""Parts of messages: names, types, sizes and hashes; nesting that would end a recursive reader does not end this."""

from __future__ import annotations

import base64
import hashlib
from email.message import EmailMessage
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.headers.parts import SCHEMA, read_parts
from mailforensics.limits import Limits


def test_attachments_have_their_names_sizes_and_hashes() -> None:
    message = EmailMessage()
    message["Subject"] = "x"
    message.set_content("hello\n")
    message.add_alternative("<p>hello</p>\n", subtype="html")
    message.add_attachment(
        b"%PDF-1.4\x00\xff", maintype="application", subtype="pdf", filename="Angebot Größe.pdf"
    )
    rows = read_parts(message.as_bytes()).to_dicts()
    assert [(row["part"], row["content_type"], row["filename"]) for row in rows] == [
        ("0", "multipart/mixed", None), ("1", "multipart/alternative", None), ("1.1", "text/plain", None),
        ("1.2", "text/html", None), ("2", "application/pdf", "Angebot Größe.pdf"),
    ]  # fmt: skip
    assert (rows[4]["size"], rows[4]["sha256"]) == (10, hashlib.sha256(b"%PDF-1.4\x00\xff").hexdigest())
    assert rows[4]["disposition"] == "attachment"
    assert all(row["defects"] == [] for row in rows)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="a;b.txt"', "a;b.txt"),
        ("attachment; filename=a.txt", "a.txt"),
        ("attachment; filename*=utf-8''%C3%A4.txt", "ä.txt"),
        ('attachment; filename*0="a"; filename*1="b.txt"', "ab.txt"),
        ('attachment; filename="=?utf-8?B?w6QudHh0?="', "ä.txt"),
        ('attachment; filename="../../etc/passwd"', "../../etc/passwd"),
        ("attachment; filename*=nowhere''x", "x"),
        ("attachment", None),
    ],
)
def test_names_are_read_as_written(header: str, name: str | None) -> None:
    data = f"Content-Disposition: {header}\n\nx".encode()
    assert read_parts(data)["filename"].to_list() == [name]


def test_a_message_within_a_message_is_a_part() -> None:
    data = b"Content-Type: message/rfc822\n\nContent-Type: text/html\n\n<p>"
    assert read_parts(data)["content_type"].to_list() == ["message/rfc822", "text/html"]


def test_what_is_broken_is_said() -> None:
    assert read_parts(b"Content-Type: multipart/mixed\n\nx")["defects"].to_list() == [["boundary_missing"]]
    assert read_parts(b"Content-Type: multipart/mixed; boundary=b\n\nx")["defects"].to_list() == [
        ["boundary_not_found"]
    ]
    cut = read_parts(b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx")
    assert cut["defects"].to_list() == [["end_missing"], []]
    assert cut["size"].to_list() == [None, 1]


def test_10000_nested_multiparts_are_cut_and_said(soon_done: Any) -> None:
    data = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(10_000))
    rows = read_parts(data)
    assert soon_done(lambda: read_parts(data), seconds=10)
    assert rows.height == 51
    assert rows["defects"][-1].to_list()[-1] == "mime_depth_limit"


def test_very_many_parts_are_cut_and_said() -> None:
    data = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 500 + b"--b--\n"
    rows = read_parts(data, limits=Limits(mime_parts=100))
    assert rows.height == 100
    assert rows["defects"][0].to_list() == ["mime_parts_limit"]


def test_damaged_base64_gives_what_can_be_read() -> None:
    data = b"Content-Transfer-Encoding: base64\n\n" + base64.b64encode(b"hello") + b"!\n\x00 Q"
    assert read_parts(data)["size"][0] >= 5


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [
                b"Content-Type: multipart/mixed; boundary=b\n",
                b"\n",
                b"--b\n",
                b"--b--\n",
                b"--b",
                b"x",
                b"\r\n",
                b'Content-Type: text/plain; name="',
                b"Content-Transfer-Encoding: base64\n",
                b"A===",
                b"\xff",
                b"Content-Type: message/rfc822\n",
                b"filename*0*=''%",
            ]
        ),
        max_size=40,
    ).map(b"".join)
)
def test_no_bytes_at_all_make_it_raise(data: bytes) -> None:
    rows = read_parts(data)
    assert rows.columns == list(SCHEMA)
    assert rows.height >= 1
