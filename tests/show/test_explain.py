"""A line explained: the words come from the grammars, the places are those of the values."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import polars as pl
import pytest

import mailforensics as mf
from mailforensics.grammar import grammars
from mailforensics.grammar.shape import Shape
from mailforensics.show.spans import locate
from tests.pace import seconds
from tests.show.hostile import PAYLOADS

DELIVERY = (
    "2026-03-02T10:02:11.5+01:00 mail postfix/smtp[12]: 3F2A1C0B2: to=<bob@example.org>, relay=mx[192.0.2.1]:25, "
    "delay=0.4, delays=0.1/0/0.1/0.2, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4jYBcn5tsv)"
)
SHAPES = [shape for grammar in grammars() for shape in grammar.shapes if shape.groups]


def values(shape: Shape) -> dict[str, str | None]:
    return pl.select(pl.lit(shape.example).str.extract_groups(shape.regex).alias("hit"))["hit"].item() or {}


def test_a_delivery_is_named_part_by_part() -> None:
    told = mf.explain(DELIVERY)
    assert (told.kind, told.system, told.since) == ("postfix.delivery", "postfix", "2.3")
    found = {part.name: told.line[part.start : part.end] for part in told.parts if part.start is not None}
    assert found["queue_id"] == "3F2A1C0B2"
    assert found["relay_port"] == "25"
    assert found["delay_connect_s"] == "0.1"
    assert found["response"] == "250 2.0.0 Ok: queued as 4jYBcn5tsv"
    assert {part.name: part.value for part in told.parts}["remote_queue_id"] == "4jYBcn5tsv"


def test_equal_values_stand_at_their_own_places() -> None:
    parts = {part.name: part for part in mf.explain(DELIVERY).parts}
    first, third = parts["delay_before_queue_s"], parts["delay_connect_s"]
    assert (DELIVERY[first.start : first.end], DELIVERY[third.start : third.end]) == ("0.1", "0.1")
    assert first.start == DELIVERY.index("0.1/0/")
    assert third.start == DELIVERY.index("0.1/0.2")


@pytest.mark.parametrize(
    "line",
    [
        "Mar  2 10:02:11 mx dovecot: lmtp(bob@example.org)<77><abc>: msgid=<a@b.test>: saved mail to INBOX",
        "2026-03-02 10:02:11 #7(normal) <a1b2c3>; task; rspamd_task_write_log: id: <a@b.test>, qid: <4X>, "
        "ip: 192.0.2.1, from: <a@b.test>, (default: F (no action): [1.2/15.0] [R_SPF_ALLOW(-0.2){+ip4}]), len: 12, "
        "time: 3.0ms, dns req: 1, digest: <ab>, rcpts: <x@y.test>",
    ],
)
def test_lines_of_dovecot_and_rspamd_are_explained(line: str) -> None:
    told = mf.explain(line)
    assert told.kind in ("dovecot.mailbox", "rspamd.task")
    assert all(part.sentence for part in told.parts)


def test_each_value_of_each_example_is_where_the_place_says() -> None:
    for shape in SHAPES:
        found = values(shape)
        spans = locate(shape.pattern, found, shape.example)
        told = {name: shape.example[start:end] for name, (start, end) in spans.items()}
        assert told == {name: value for name, value in found.items() if value is not None and name in told}, (
            shape.kind
        )
        assert {name for name, value in found.items() if value} <= set(spans), shape.kind


def test_the_places_are_those_that_a_regex_engine_finds() -> None:
    wrong, seen = [], 0
    for shape in SHAPES:
        hit = re.fullmatch(shape.pattern.replace(r"\z", r"\Z"), shape.example, re.DOTALL)
        found = values(shape)
        if hit is None or hit.groupdict() != found:
            continue
        for name, place in locate(shape.pattern, found, shape.example).items():
            seen += 1
            if found[name] and place != hit.span(name):
                wrong.append((shape.kind, name))
    assert seen > 500
    assert not wrong


@pytest.mark.parametrize(
    "line", ["", b"", "no log line", b"\xff\x00", "Mar  2 10:02:11 mail cron[7]: x", "\ud800"]
)
def test_what_is_no_mail_line_is_said_to_be_none(line: str | bytes) -> None:
    told = mf.explain(line)
    assert told.kind is None
    assert "kept as it is" in told.means


def test_a_line_that_no_shape_reads_is_not_understood() -> None:
    told = mf.explain("Mar  2 10:02:11 mail postfix/smtpd[7]: xyzzy")
    assert told.kind is None
    assert "not understood" in str(told)


def test_the_explanation_is_plain_data() -> None:
    told = json.loads(json.dumps(mf.explain(DELIVERY).to_dict()))
    assert told["kind"] == "postfix.delivery"
    assert told["parts"][0]["name"] == "time_original"


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.handlers: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.handlers |= {name for name, _ in attrs if name.startswith("on")}


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_lines_stay_text(payload: str) -> None:
    told = mf.explain(DELIVERY.replace("bob", payload).replace("queued", payload))
    tags = Tags(told._repr_html_())
    allowed = {"div", "style", "section", "p", "strong", "span", "pre", "mark", "table", "thead", "tbody"}
    assert tags.found <= allowed | {"tr", "th", "td"}
    assert not tags.handlers
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", str(told))


def test_a_long_hostile_line_is_explained_quickly() -> None:
    line = DELIVERY.replace("bob", "delay=" * 10_000)
    assert seconds(lambda: mf.explain(line), enough=1) < 2
