"""S1, S2 and S4: hostile texts through every renderer, as values and as names."""

from __future__ import annotations

from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from markupsafe import Markup

from mailforensics import schema
from mailforensics.show import html, report, sentences, text
from tests.show.answers import MESSAGE, SUMMARY, TRACE, hostile
from tests.show.hostile import MARKUP, PAYLOADS
from tests.show.test_escape import is_seen

HTML_FORMS = [(html.trace, TRACE), (html.summary, SUMMARY), (html.message, MESSAGE)]
TEXT_FORMS = [(text.trace, TRACE), (text.summary, SUMMARY), (text.message, MESSAGE)]

Form = Callable[[Any], str]


class Skeleton(HTMLParser):
    """The tags and attribute names of a page: what is live in it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.live: list[tuple[str, ...]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.live.append((tag, *(name for name, _ in attrs)))

    def handle_endtag(self, tag: str) -> None:
        self.live.append(("/" + tag,))

    def handle_comment(self, data: str) -> None:
        self.live.append(("comment",))


class FakeCase:
    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def summary(self) -> dict[str, Any]:
        return self.data

    def to_dict(self) -> dict[str, Any]:
        return self.data

    def polars(self, name: str) -> pl.DataFrame:
        return schema.empty(name)

    def scan(self, name: str) -> pl.LazyFrame:
        return self.polars(name).lazy()

    def table(self, name: str) -> pa.Table:
        return schema.to_table(name, schema.empty(name))

    def findings(self) -> pa.Table:
        return self.table("findings")


def write_report(data: dict[str, Any]) -> str:
    return report.render(FakeCase(data["summary"]), traces=[FakeCase(data["trace"])], pictures=False)


REPORT = (write_report, {"summary": SUMMARY, "trace": TRACE})


def test_there_are_forty_payloads_and_more() -> None:
    assert len(set(MARKUP)) >= 40


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize(("form", "answer"), [*HTML_FORMS, REPORT])
def test_a_hostile_text_adds_no_tag_and_no_attribute(
    form: Form, answer: dict[str, Any], payload: str
) -> None:
    page = form(hostile(answer, payload))
    harmless = "p" * len(payload.encode("utf-8", "surrogatepass"))
    assert Skeleton(page).live == Skeleton(form(hostile(answer, harmless))).live
    assert all(is_seen(character) for character in page if character not in "\n\t")
    page.encode("utf-8")


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize(("form", "answer"), TEXT_FORMS)
def test_a_hostile_text_adds_no_line_and_no_control_character(
    form: Form, answer: dict[str, Any], payload: str
) -> None:
    said = form(hostile(answer, payload))
    assert all(is_seen(character) for character in said if character != "\n")
    said.encode("utf-8")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_names_of_questions_and_documents_stay_text(payload: str) -> None:
    asked = {"query": {payload: payload}}
    assert Skeleton(html.trace(asked)).live == Skeleton(html.trace({"query": {"to": "x"}})).live
    page = html.document(payload, Markup("<p></p>"), [(payload, payload)])
    assert Skeleton(page).live == Skeleton(html.document("x", Markup("<p></p>"), [("x", "x")])).live
    assert all(is_seen(character) for character in text.trace(asked) if character != "\n")


def test_a_plain_text_answer_is_there_in_every_form() -> None:
    for form, answer in [*HTML_FORMS, *TEXT_FORMS, REPORT]:
        assert "marker-4711" in form(hostile(answer, "marker-4711"))


@pytest.mark.parametrize(("form", "answer"), [*HTML_FORMS, REPORT])
def test_no_page_names_an_address_to_load_from(form: Form, answer: dict[str, Any]) -> None:
    page = form(answer)
    assert not {"src", "action", "srcset", "data"} & {
        name for _, *names in Skeleton(page).live for name in names
    }
    assert "url(" not in page
    assert "@import" not in page
    assert "http:" not in page


def test_a_document_allows_inline_style_and_data_images_only() -> None:
    page = html.document("Report", Markup("<p></p>"))
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page
    assert page.index("Content-Security-Policy") < page.index("<title>")


def test_the_report_holds_the_trace_and_the_case_and_a_contents_list() -> None:
    page = write_report({"summary": SUMMARY, "trace": TRACE})
    assert "DISCARDED BY SIEVE" in page
    assert "48,210 lines" in page
    assert page.count('href="#') == page.count("<h2>") > 4


@pytest.mark.parametrize(
    "form", [html.trace, html.summary, html.message, text.trace, text.summary, text.message]
)
def test_an_empty_answer_is_no_error(form: Form) -> None:
    assert form({})


@pytest.mark.parametrize("outcome", [None, "", "unheard_of"])
def test_an_outcome_without_words_is_not_seen(outcome: str | None) -> None:
    assert sentences.headline({"outcome": outcome}) == "NOT SEEN"
