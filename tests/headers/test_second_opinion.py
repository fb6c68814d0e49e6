"""mail-parser as a second opinion: silent where it agrees, a row where it does not, never an exception."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import mailforensics
from mailforensics.headers.message import read_message
from mailforensics.headers.second_opinion import second_opinion

FIELD = "from mail.example.org (mail.example.org [192.0.2.7]) by mx.example.net (Postfix) with ESMTPS id 4F3D21 for <b@example.net>"
DATE = "; Mon, 2 Mar 2026 10:02:11 +0100 (CET)"


def differences(value: str) -> list[tuple[str, str | None, str | None]]:
    message = mailforensics.read_headers(f"Received: {value}\n\n".encode())
    rows = message.second_opinion().to_pylist()
    return [(row["clause"], row["ours"], row["theirs"]) for row in rows]


def test_a_plain_field_is_read_alike() -> None:
    assert differences(FIELD + DATE) == []


def test_a_clause_that_is_cut_in_another_way_is_a_row_with_a_sentence() -> None:
    late = "from a.example.org ([192.0.2.7]) by mx.example.net with esmtp; Mon, 2 Mar 2026 10:02:11 +0100 id 00A1B2.4EAB"
    assert differences(late) == [("id", "00A1B2.4EAB", None)]
    (row,) = mailforensics.read_headers(f"Received: {late}\n\n".encode()).second_opinion().to_pylist()
    assert row["sentence"] == "Hop 1: we read id as 00A1B2.4EAB, mail-parser as not there."


def test_a_field_that_it_cannot_read_or_is_too_long_is_said() -> None:
    assert differences("by /PRMD=EXAMPLE/ADMD= /C=GB/; Relayed" + DATE) == [
        ("field", "/PRMD=EXAMPLE/ADMD=", None)
    ]
    assert differences(FIELD + " (" + "x" * 5000 + ")" + DATE) == [("field", None, None)]
    assert differences("(qmail 12345 invoked by uid 89)" + DATE) == []
    assert differences("nothing at all") == []


def test_on_the_lab_both_agree_but_for_forms_that_are_known() -> None:
    seen: Counter[str] = Counter()
    fields = 0
    for file in sorted((Path(__file__).parents[2] / "sample_data").glob("*/messages/*.eml")):
        message = read_message(file.read_bytes())
        fields += message.hops.num_rows
        seen.update(second_opinion(message.frames)["clause"].to_list())
    assert fields > 500
    assert sum(seen.values()) <= fields // 20, seen
