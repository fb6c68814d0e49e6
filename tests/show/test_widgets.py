"""Widgets: what they show is what the plain functions give, and hostile text stays text."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import ipywidgets
import polars as pl
import pytest

import mailforensics as mf
from mailforensics.show import widgets
from tests.show.hostile import PAYLOADS

PACKAGE = Path(mf.__file__).parent
PHISH = mf.samples.path("phish") / "messages" / "bella@example.org-Junk-1.eml"


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


LIVE = {
    "script",
    "img",
    "iframe",
    "svg",
    "math",
    "object",
    "embed",
    "form",
    "input",
    "link",
    "meta",
    "base",
    "video",
    "b",
    "u",
    "i",
    "q",
    "s",
}


@pytest.fixture(scope="module")
def case() -> mf.Case:
    return mf.samples.load("lost-in-sieve")


def parts(box: ipywidgets.Widget, kind: type[ipywidgets.Widget]) -> list[ipywidgets.Widget]:
    inside = [it for child in getattr(box, "children", ()) for it in parts(child, kind)]
    return [*([box] if isinstance(box, kind) else []), *inside]


def named(box: ipywidgets.Widget, description: str) -> ipywidgets.Widget:
    return next(
        it for it in parts(box, ipywidgets.DOMWidget) if getattr(it, "description", None) == description
    )


def shown(box: ipywidgets.Widget) -> str:
    return str(parts(box, ipywidgets.HTML)[-1].value)


def test_a_message_has_the_reader_as_its_form() -> None:
    message = mf.read_headers(PHISH, own=["mx.example.org"])
    page = Elements(message._repr_html_())
    assert "by_name: The server that wrote the field" in message._repr_html_()
    assert "Claimed by others: whoever sent it could have written it." in message._repr_html_()
    assert {"tabindex", "data-say"} <= page.attributes
    assert "Hops, from the sender to the mailbox" in str(message)
    assert message.plot().has_data()
    assert message.plot("delays").has_data()


def test_the_header_reader_shows_what_read_headers_gives() -> None:
    reader = widgets.header_reader(own=["mx.example.org"])
    named(reader, "Header").value = PHISH.read_text()
    named(reader, "Read the header").click()
    assert (
        Elements(shown(reader)).text
        == Elements(mf.read_headers(PHISH.read_text() + "\n", own=["mx.example.org"])._repr_html_()).text
    )


def test_the_header_reader_takes_an_uploaded_file() -> None:
    reader = widgets.header_reader(own=["mx.example.org"])
    file = {
        "name": "a.eml",
        "type": "",
        "size": 1,
        "content": memoryview(PHISH.read_bytes()),
        "last_modified": datetime(2026, 3, 2, tzinfo=UTC),
    }
    named(reader, "Upload").set_trait("value", (file,))
    assert "The way it came" in shown(reader)


def test_an_empty_header_reader_says_what_to_do() -> None:
    reader = widgets.header_reader()
    named(reader, "Read the header").click()
    assert "Paste a header above" in shown(reader)


def test_the_search_gives_the_trace(case: mf.Case) -> None:
    box = widgets.search(case)
    assert "bob@example.org" in named(box, "To").options
    named(box, "To").value = "bob@example.org"
    named(box, "From").value = "alex@example.com"
    named(box, "Search").click()
    found = named(box, "Found")
    assert len(found.options) == len(case.trace(to="bob@example.org", sender="alex@example.com"))
    pages = []
    for index in range(len(found.options)):
        found.index = index
        pages.append(shown(box))
    assert any("DISCARDED BY SIEVE" in page for page in pages)
    assert len(set(pages)) == len(pages)


def test_a_search_that_cannot_be_read_says_why(case: mf.Case) -> None:
    box = widgets.search(case)
    named(box, "Since").value = "yesterday noonish"
    named(box, "Search").click()
    assert "noonish" in shown(box)


def test_a_table_is_shown_in_pages(case: mf.Case) -> None:
    box = widgets.table_viewer(case, "events", size=50)
    total = case.table("events").num_rows
    assert f"events: {total:,} rows, page 1 of {-(-total // 50)}" in shown(box)
    named(box, "Page").value = 2
    assert "page 2" in shown(box)
    named(box, "Column").value = "daemon"
    named(box, "holds").value = "LMTP"
    fitting = case.polars("events").filter(pl.col("daemon").str.to_lowercase().str.contains("lmtp")).height
    assert f"events: {fitting} rows" in shown(box)
    named(box, "Table").value = "deliveries"
    assert "deliveries: " in shown(box)


def test_every_table_has_its_page(case: mf.Case) -> None:
    for name in mf.schema.TABLES:
        told = widgets.page(case.table(name), 99)
        assert told["total"] == case.table(name).num_rows
        assert told["rows"].height <= widgets.PAGE


def test_a_page_of_a_million_rows_is_quick() -> None:
    rows = pl.DataFrame({"n": range(1_000_000)}).with_columns(name=pl.format("user{}@example.org", "n"))
    begun = time.perf_counter()
    told = widgets.page(rows.lazy(), 40_000, column="name", holds="USER", order="n", descending=True)
    assert told["rows"]["n"].to_list() == list(range(200_019, 199_999, -1))
    assert (told["page"], told["total"]) == (40_000, 1_000_000)
    assert time.perf_counter() - begun < 5


def test_an_unknown_column_is_refused() -> None:
    with pytest.raises(mf.OptionError, match="there are n"):
        widgets.page({"n": [1]}, column="m", holds="x")


def test_a_finding_leads_to_its_lines() -> None:
    case = mf.samples.load("phish")
    found = widgets.findings_of(case)
    assert found.height
    box = widgets.findings_browser(case)
    choice = named(box, "Findings")
    assert len(choice.options) == found.height
    choice.index = 0
    assert "No line of a log" in shown(box) or "<td" in shown(box)


def test_lines_are_named_by_source_and_number(case: mf.Case) -> None:
    events = case.polars("events").head(3)
    told = widgets.lines_of(case, events["event_id"].to_list())
    assert [it["text"] for it in told] == events["text"].to_list()
    assert told[0]["place"].endswith(":1")


@pytest.mark.parametrize("payload", PAYLOADS)
def test_hostile_headers_stay_text(payload: str) -> None:
    reader = widgets.header_reader(
        f"Received: from {payload} by mx.example.org; 1 Jan 2026 00:00 +0000\nSubject: {payload}\n"
    )
    elements = Elements(shown(reader))
    assert not elements.tags & LIVE
    assert not {name for name in elements.attributes if name.startswith("on")}


def test_hostile_cells_and_columns_stay_text() -> None:
    stored = [it.encode("utf-8", "backslashreplace").decode() for it in PAYLOADS]
    told = widgets.page({"subject": stored}, size=200)
    elements = Elements(widgets.html.table_page(widgets._for_eyes(told, "messages")))
    assert not elements.tags & LIVE
    lines = [{"place": it, "time": None, "text": it} for it in stored]
    assert not Elements(widgets.html.lines({"lines": lines})).tags & LIVE


def test_widgets_take_html_from_one_place_only() -> None:
    sources = {path.name: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    assert [name for name, text in sources.items() if "ipywidgets.HTML(" in text] == ["widgets.py"]
    assert sources["widgets.py"].count("ipywidgets.HTML(") == 1
    assert not [name for name, text in sources.items() if "HTMLMath(" in text or "display.HTML(" in text]
