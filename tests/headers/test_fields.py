"""Header sections: bytes, order, folding and duplicates kept; nothing repaired; pasted text cleaned."""

from __future__ import annotations

import pytest

from mailforensics.headers.fields import clean_pasted, decode_words, read_fields
from mailforensics.limits import Limits

MESSAGE = b"Received: from a\r\n\tby b\r\nSubject: x\r\nsubject : y\r\nX-Empty:\r\n\r\nbody: not a field\r\n"


def test_fields_keep_their_bytes_places_and_order() -> None:
    section = read_fields(MESSAGE)
    assert [field.name for field in section.fields] == ["Received", "Subject", "subject", "X-Empty"]
    assert b"".join(field.raw for field in section.fields) == MESSAGE[: section.body_start - 2]
    for field in section.fields:
        assert MESSAGE[field.byte_offset : field.byte_offset + len(field.raw)] == field.raw
    assert [field.line_number for field in section.fields] == [1, 3, 4, 5]
    assert [field.value for field in section.all("subject")] == ["x", "y"]
    assert section.fields[2].defects == ("space_before_colon",)
    assert section.first("x-empty") == ""
    assert MESSAGE[section.body_start :] == b"body: not a field\r\n"


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_any_line_end_is_understood(end: bytes) -> None:
    section = read_fields(b"A: 1" + end + b" 2" + end + b"B: 3" + end + end + b"body")
    assert [(field.name, field.value.split()) for field in section.fields] == [
        ("A", ["1", "2"]),
        ("B", ["3"]),
    ]
    assert section.body_start == len(b"A: 1 2B: 3body") + 4 * len(end) - 4


def test_an_mbox_line_and_empty_lines_in_front_are_stepped_over() -> None:
    section = read_fields(b"\n\nFrom a@example.org Mon Mar  2 10:02:11 2026\nA: 1\n\n")
    assert [(field.name, field.line_number) for field in section.fields] == [("A", 4)]


def test_a_line_that_is_no_field_is_a_row_that_says_so() -> None:
    fields = read_fields(b"A: 1\nno field here\n more\nB: 2\n\n").fields
    assert [(field.name, field.defects) for field in fields] == [("A", ()), ("", ("not_a_field",)), ("B", ())]
    assert fields[1].value == "no field here more"


def test_a_section_without_a_body_is_read_to_its_end() -> None:
    assert [field.value for field in read_fields(b"A: 1\nB: 2").fields] == ["1", "2"]


@pytest.mark.parametrize(
    ("text", "decoded", "damaged"),
    [
        ("=?utf-8?Q?a_b?=", "a b", False),
        ("=?UTF-8?b?w6TDtg==?=", "äö", False),
        ("=?iso-8859-1*de?q?=FC?= x", "ü x", False),
        ("=?utf-8?Q?a?=\t =?utf-8?Q?b?=", "ab", False),
        ("=?utf-8?Q?a?= x =?utf-8?Q?b?=", "a x b", False),
        ("=?utf-8?B?w6Q?=", "ä", False),
        ("=?unicode_escape?Q?=5Cx41?=", "=?unicode_escape?Q?=5Cx41?=", True),
        ("=?utf-8?B?!!!!?=", "=?utf-8?B?!!!!?=", True),
        ("=?utf-8?Q?=ff?=", "\\xff", False),
        ("no =? word", "no =? word", False),
    ],
)
def test_encoded_words_are_decoded_or_left_as_written(text: str, decoded: str, damaged: bool) -> None:
    assert decode_words(text) == (decoded, damaged)


def test_trace_fields_are_never_decoded() -> None:
    field = read_fields(b"Received: from =?utf-8?Q?a?= by b\n\n").fields[0]
    assert field.value == "from =?utf-8?Q?a?= by b"


def test_limits_cut_the_section_and_say_so() -> None:
    many = read_fields(b"A: 1\n" * 50 + b"\n", limits=Limits(header_fields=10))
    assert (len(many.fields), many.defects) == (10, ("header_fields_limit",))
    long = read_fields(b"A: " + b"x" * 500, limits=Limits(header_bytes=100))
    assert (len(long.fields[0].raw), long.defects) == (100, ("header_bytes_limit",))


@pytest.mark.parametrize(
    "pasted",
    [
        "Received: from a\n  by b; date\nSubject: x\n",
        "> Received: from a\n>   by b; date\n> Subject: x\n",
        ">> Received: from a\n>>  by b; date\n>> Subject: x\n",
        "    Received: from a\n      by b; date\n    Subject: x\n",
        "\n\nReceived: from a\nby b; date\nSubject: x",
        "Received: from a\r\nby b; date\r\nSubject: x\r\n\r\nbody",
        "\ufeffReceived: from a\n\tby b; date\nSubject: x\n",
    ],
)
def test_pasted_text_is_cleaned(pasted: str) -> None:
    section = read_fields(clean_pasted(pasted))
    assert [(field.name, field.value.split()) for field in section.fields] == [
        ("Received", ["from", "a", "by", "b;", "date"]),
        ("Subject", ["x"]),
    ]
