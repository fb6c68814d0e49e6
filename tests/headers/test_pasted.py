"""Headers pasted from windows, tickets and web mails: quoting, margins, lost folding and more are undone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mailforensics.headers.message import read_headers

LINES = [
    "Received: from mail.example.org (mail.example.org [192.0.2.7])",
    "\tby mx.example.net (Postfix) with ESMTPS id 4F3D21",
    "\tfor <b@example.net>; Mon,  2 Mar 2026 10:02:11 +0100 (CET)",
    "Received: from pc (pc.example.org [198.51.100.7])",
    "\tby mail.example.org (Postfix) with ESMTPSA id 0A1B;",
    "\tMon,  2 Mar 2026 10:02:10 +0100 (CET)",
    "From: Alice <a@example.org>",
    "Subject: Offer",
    "\t4711",
    "Message-ID: <1@example.org>",
]


def each(change: Callable[[str], str]) -> str:
    return "\n".join(change(line) for line in LINES)


PASTES = {
    "as it is": "\n".join(LINES),
    "with a body": "\r\n".join(LINES) + "\r\n\r\nReceived: in the body\r\n",
    "old line ends": "\r".join(LINES),
    "quoted": each(lambda line: f"> {line}"),
    "quoted twice": each(lambda line: f">> {line}"),
    "quoted without spaces": each(lambda line: f">{line}"),
    "quoted, folding lost": each(lambda line: f"> {line.strip()}"),
    "quoted and wrapped": each(lambda line: f"> {line}").replace(" with ESMTPS", "\nwith ESMTPS"),
    "quoted behind words": "On Monday Bob wrote:\n" + each(lambda line: f"> {line}"),
    "quoted with bars": each(lambda line: f"| {line}"),
    "indented": each(lambda line: f"    {line}"),
    "indented with tabs": each(lambda line: f"\t{line}"),
    "indented but for the first": LINES[0] + "\n" + "\n".join(f"    {line}" for line in LINES[1:]),
    "folding lost": each(str.strip),
    "hard spaces": each(lambda line: line.replace("\t", "\u00a0\u00a0")),
    "hard spaces before all": each(lambda line: f"\u00a0{line}"),
    "empty lines between": "\n\n".join(LINES),
    "words before": "Hello,\n\nthis is the header:\n\n" + "\n".join(LINES),
    "signature behind": "\n".join(LINES) + "\n\n-- \nAlice",
    "values on lines of their own": each(
        lambda line: line if line[0] == "\t" else line.replace(": ", ":\n", 1)
    ),
    "two columns of a table": each(lambda line: line.replace(": ", ":\t", 1)),
    "a block of code": "```\n" + "\n".join(LINES) + "\n```",
    "numbered": "\n".join(f"{number:3} {line}" for number, line in enumerate(LINES, 1)),
    "bullets": each(lambda line: f"* {line}"),
    "invisible marks": "\ufeff\u200b" + "\n".join(LINES),
}


@pytest.mark.parametrize("paste", PASTES)
def test_a_pasted_header_is_read_as_it_was(paste: str) -> None:
    message = read_headers(PASTES[paste] + "\n")
    hops = [
        (row["from_ip"], row["by_name"], row["id"], row["for_address"]) for row in message.hops.to_pylist()
    ]
    assert hops == [
        ("192.0.2.7", "mx.example.net", "4F3D21", "b@example.net"),
        ("198.51.100.7", "mail.example.org", "0A1B", None),
    ]
    assert message.hops["time"].null_count == 0
    (document,) = message.documents.to_pylist()
    assert (document["from_address"], document["message_id"]) == ("a@example.org", "<1@example.org>")
    assert document["subject"].split() == ["Offer", "4711"]


def test_paragraphs_of_a_body_stay_in_the_body() -> None:
    message = read_headers("Subject: x\n\nOne.\n\nTwo.\n\nThree.\n\nFour.\n")
    assert message.headers["value"].to_pylist() == ["x"]


def test_a_folded_line_that_looks_like_a_field_stays_folded() -> None:
    message = read_headers("Subject: x\n\tReceived: from a by b\nFrom: a@example.org\n")
    assert message.headers["name"].to_pylist() == ["Subject", "From"]
    assert message.hops.num_rows == 0


def test_text_without_any_field_stays_a_row_that_says_so() -> None:
    message = read_headers("no field at all\nnor here\n")
    assert message.headers["defects"].to_pylist() == [["not_a_field"]]
