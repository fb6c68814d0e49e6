"""Widgets: what they show is what the plain functions give, and hostile text stays text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import ipywidgets
import polars as pl
import pytest

import mailforensics as mf
from mailforensics import widgets
from mailforensics.show import html
from mailforensics.show.escape import terminal
from mailforensics.show.widgets.pages import Pages
from mailforensics.show.widgets.tables import for_eyes
from tests.pace import seconds
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
    plain = mf.read_headers(PHISH.read_text() + "\n", own=["mx.example.org"])._repr_html_()
    assert Elements(shown(reader)).text.startswith(Elements(plain).text)
    assert "mf.read_headers(text, own=['mx.example.org'])" in Elements(shown(reader)).text


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
    named(box, "Next page").click()
    assert "page 2" in shown(box)
    named(box, "Previous page").click()
    assert "page 1" in shown(box)
    named(box, "Page").value = 2
    assert "page 2" in shown(box)
    named(box, "Table").value = "deliveries"
    assert "deliveries: " in shown(box)


def test_the_filters_of_a_table_must_all_hold_and_can_be_taken_away(case: mf.Case) -> None:
    box = widgets.table_viewer(case, "events")
    events = case.polars("events")
    lmtp = events.filter(pl.col("daemon").str.to_lowercase().str.contains("lmtp"))
    named(box, "Column").value = "daemon"
    comparison, value = box.children[1].children[0].children[1:3]
    assert comparison.value == "holds"
    value.value = "LMTP"
    assert f"events: {lmtp.height} rows" in shown(box)
    named(box, "Add a filter").click()
    column, comparison, value, away = box.children[1].children[1].children
    column.value, comparison.value, value.value = "line_number", "at least", "100"
    assert f"events: {lmtp.filter(pl.col('line_number') >= 100).height} rows" in shown(box)
    assert (
        "where=[('daemon', 'holds', 'LMTP'), ('line_number', 'at least', '100')]" in Elements(shown(box)).text
    )
    value.value = "a hundred"
    assert "does not fit this column" in shown(box)
    away.click()
    assert f"events: {lmtp.height} rows" in shown(box)


@pytest.mark.parametrize(
    ("where", "kept"),
    [
        (("name", "holds", "OB"), [0, 2]),
        (("name", "is", "BOB"), [0]),
        (("name", "is not", "bob"), [1, 2, 3]),
        (("name", "is empty", ""), [1, 3]),
        (("name", "is not empty", ""), [0, 2]),
        (("n", "at least", "2"), [2, 3]),
        (("n", "at most", "0.5"), [0]),
        (("n", "is", "3"), [3]),
        (("t", "at least", "2026-03-02 10:00"), [2, 3]),
        (("t", "at most", "2026-03-02 10:00+01:00"), [0, 1]),
        (("many", "holds", "b"), [0]),
        (("many", "is empty", ""), [1, 2]),
        (("inside", "holds", "x9"), [3]),
    ],
)
def test_each_comparison_keeps_the_rows_that_fit(where: tuple[str, str, str], kept: list[int]) -> None:
    begun = datetime(2026, 3, 2, 8, tzinfo=UTC)
    rows = {
        "n": [0, 1, 2, 3],
        "name": ["bob", None, "rob", ""],
        "t": [begun + timedelta(hours=it) for it in range(4)],
        "many": [["a", "b"], [], None, ["c"]],
        "inside": [[{"name": "x", "score": float(it)}] for it in (1, 2, 3)]
        + [[{"name": "x9", "score": 0.0}]],
    }
    assert widgets.page(rows, where=[where])["rows"]["n"].to_list() == kept


def test_every_table_has_its_page(case: mf.Case) -> None:
    for name in mf.schema.TABLES:
        told = widgets.page(case.table(name), 99)
        assert told["total"] == case.table(name).num_rows
        assert told["rows"].height <= widgets.PAGE


def test_a_page_of_a_million_rows_is_quick(tmp_path: Path) -> None:
    rows = pl.DataFrame({"n": range(1_000_000)}).with_columns(name=pl.format("user{}@example.org", "n"))
    rows.write_parquet(tmp_path / "rows.parquet")
    for table in (rows.lazy(), pl.scan_parquet(tmp_path / "rows.parquet")):
        made: list[Pages] = []

        def ask(table: pl.LazyFrame = table, made: list[Pages] = made) -> None:
            made.append(Pages(table, [("name", "holds", "USER")], "n", descending=True))

        assert seconds(ask, enough=1) < 5
        told = made[-1].page(40_000)
        assert told["rows"]["n"].to_list() == list(range(200_019, 199_999, -1))
        assert (told["page"], told["total"]) == (40_000, 1_000_000)
        assert seconds(lambda made=made: made[-1].page(30_000), enough=0.2) < 1  # type: ignore[misc]


def test_only_the_page_goes_to_the_browser() -> None:
    class Many:
        zone = "UTC"

        def scan(self, name: str) -> pl.LazyFrame:
            return pl.DataFrame({it: ["x" * 50] * 200_000 for it in ("recipient", "response")}).lazy()

    box = widgets.table_viewer(Many(), "deliveries")  # type: ignore[arg-type]
    assert "deliveries: 200,000 rows, page 1 of 10000" in shown(box)
    assert len(shown(box)) < 20_000


@pytest.mark.parametrize("asked", [{"where": [("m", "holds", "x")]}, {"order": "m"}])
def test_an_unknown_column_is_refused(asked: dict[str, Any]) -> None:
    with pytest.raises(mf.OptionError, match="there are n"):
        widgets.page({"n": [1]}, **asked)


def test_an_unknown_comparison_is_refused() -> None:
    with pytest.raises(mf.OptionError, match="there are holds"):
        widgets.page({"n": [1]}, where=[("n", "resembles", "x")])


@pytest.mark.parametrize("name", ["phish", "lost-in-sieve"])
def test_each_finding_leads_to_its_lines_or_header_fields(name: str) -> None:
    case = mf.samples.load(name)
    found = case.findings().to_pylist()
    box = widgets.findings_browser(case)
    choice = named(box, "Findings")
    assert len(choice.options) == len(found) > 0
    for index, finding in enumerate(found):
        choice.index = index
        told = Elements(shown(box)).text
        assert finding["sentence"] in told
        lines = widgets.lines_of(case, finding["evidence"] or [])
        assert len(lines) == len(set(finding["evidence"] or []))
        assert all(line["place"] in told and terminal(line["text"]) in told for line in lines)


def test_only_findings_as_bad_as_asked_for_are_offered() -> None:
    case = mf.samples.load("phish")
    box = widgets.findings_browser(case)
    named(box, "At least").value = "warning"
    assert len(named(box, "Findings").options) == case.findings("warning").num_rows > 0
    assert all(it.startswith(("warning", "high")) for it in named(box, "Findings").options)


def test_a_finding_is_shown_among_the_lines_around_it(case: mf.Case) -> None:
    line = case.polars("events").row(10, named=True)
    told = widgets.lines_of(case, [line["event_id"]], around=2)
    assert [it["asked"] for it in told] == [False, False, True, False, False]
    assert told[2]["text"] == line["text"]


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
    elements = Elements(html.table_page(for_eyes(told, "messages")))
    assert not elements.tags & LIVE
    lines = [{"place": it, "time": None, "text": it} for it in stored]
    assert not Elements(html.lines({"lines": lines})).tags & LIVE


def upload(*files: tuple[str, bytes]) -> tuple[dict[str, Any], ...]:
    """What a FileUpload holds."""
    return tuple(
        {"name": name, "type": "", "size": len(content), "content": memoryview(content),
         "last_modified": datetime(2026, 3, 2, tzinfo=UTC)}
        for name, content in files
    )  # fmt: skip


def test_evidence_is_opened_by_its_path_with_a_bar() -> None:
    box = widgets.open_evidence([mf.samples.path("lost-in-sieve")], timezone="Europe/Berlin")
    seen: list[float] = []
    bar = parts(box, ipywidgets.FloatProgress)[0]
    bar.observe(lambda change: seen.append(change["new"]), names="value")
    assert box.case is None
    named(box, "Open").click()
    assert box.case.table("events").num_rows > 100
    assert seen == sorted(seen)
    assert 0 < seen[-1] <= 1
    assert bar.layout.display == "none"
    assert Elements(box.case._repr_html_()).text in Elements(shown(box)).text
    assert "case = mf.open_case([" in Elements(shown(box)).text
    assert "timezone='Europe/Berlin'" in Elements(shown(box)).text


def test_uploaded_evidence_is_kept_and_opened(tmp_path: Path) -> None:
    folder = mf.samples.path("lost-in-sieve")
    box = widgets.open_evidence(timezone="Europe/Berlin", folder=str(tmp_path / "evidence"))
    files = [(f"{it}.log", (folder / it / "mail.log").read_bytes()) for it in ("mail", "mx")]
    named(box, "Upload").set_trait("value", upload(*files))
    named(box, "Open").click()
    assert box.case.trace(to="bob@example.org").found.height
    kept = sorted((tmp_path / "evidence").iterdir())
    assert sorted(path.read_bytes() for path in kept) == sorted(content for _, content in files)
    again = mf.open_case(kept, timezone="Europe/Berlin")
    assert again.table("events").num_rows == box.case.table("events").num_rows


@pytest.mark.parametrize(
    ("paths", "said"),
    [("", "Name a log"), ("no/such/file", "no/such/file"), ("<script>alert(1)</script>", "&lt;script&gt;")],
)
def test_what_cannot_be_opened_is_said(paths: str, said: str) -> None:
    box = widgets.open_evidence(paths)
    named(box, "Open").click()
    assert said in shown(box)
    assert box.case is None
    assert not named(box, "Open").disabled


BAD_NAMES = [
    "../x", "..\\x", "/etc/passwd", "C:\\x", "..", ".", "", "a/../../b", "\x00", "\n", "~/.ssh/id", "-rf", "|id",
    "$(id)", "con", "x" * 5000, "\u202egnp.exe", "....//x", "%2e%2e/x", "file:///etc/passwd", *PAYLOADS,
]  # fmt: skip


def test_no_name_of_an_upload_leaves_its_folder(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    kept = widgets.keep_files(upload(*((name, name.encode("utf-8", "replace")) for name in BAD_NAMES)), str(tmp_path / "in"))  # fmt: skip
    assert len(BAD_NAMES) >= 60
    assert all(path.resolve().parent == (tmp_path / "in").resolve() and path.is_file() for path in kept)
    assert [path.read_bytes() for path in kept] == [name.encode("utf-8", "replace") for name in BAD_NAMES]
    assert not [*(tmp_path / "outside").iterdir()]
    assert sorted(it.name for it in tmp_path.iterdir()) == ["in", "outside"]


def test_a_report_is_put_together_seen_and_written(case: mf.Case, tmp_path: Path) -> None:
    box = widgets.report_builder(case, str(tmp_path / "mine"))
    for section in parts(box, ipywidgets.Checkbox):
        section.value = section.description in ("Traces", "Evidence")
    named(box, "Title").value = "The offer"
    named(box, "Mails").value = "to=bob@example.org sender=alex@example.com"
    named(box, "Preview").click()
    assert "DISCARDED BY SIEVE" in shown(box)
    assert "Method and version" not in shown(box)
    for kind in ("html", "md", "xlsx"):
        named(box, "Format").value = kind
        named(box, "Write the report").click()
        assert f"mine.{kind}" in shown(box)
        assert (tmp_path / f"mine.{kind}").stat().st_size > 1000
    plain = case.report(
        tmp_path / "plain.html", traces=[case.trace(to="bob@example.org", sender="alex@example.com")],
        sections=["traces", "evidence"], title="The offer",
    )  # fmt: skip
    assert plain.read_bytes() == (tmp_path / "mine.html").read_bytes()


def test_the_call_that_a_report_builder_shows_writes_the_same_report(case: mf.Case, tmp_path: Path) -> None:
    box = widgets.report_builder(case, str(tmp_path / "mine"))
    named(box, "Mails").value = "to=bob@example.org\nsender=alex@example.com"
    named(box, "Messages").value = str(PHISH.parent / "*Junk*")
    named(box, "Write the report").click()
    first = (tmp_path / "mine.html").read_bytes()
    (tmp_path / "mine.html").unlink()
    call = Elements(shown(box)).text.rpartition("The same in a cell: ")[2].strip()
    exec(compile(call, "cell", "exec"), {"case": case})  # noqa: S102  what the widget tells the user to run
    assert (tmp_path / "mine.html").read_bytes() == first


@pytest.mark.parametrize(
    ("field", "text", "said"),
    [
        ("Mails", "bob", "is no question"),
        ("Mails", "colour=red", "colour"),
        ("Messages", "no/such/*.eml", "There is no file"),
        ("File", "", "Name the file"),
        ("File", "/no/such/folder/report", "Cannot write"),
    ],
)
def test_a_report_that_cannot_be_made_says_why(case: mf.Case, field: str, text: str, said: str) -> None:
    box = widgets.report_builder(case)
    named(box, field).value = text
    named(box, "Write the report").click()
    assert said in shown(box)


def test_the_workbench_holds_every_tool_for_the_case_it_opened() -> None:
    box = widgets.workbench(mf.samples.path("slow"), timezone="Europe/Berlin")
    assert not parts(box, ipywidgets.Tab)
    named(box, "Open").click()
    (tabs,) = parts(box, ipywidgets.Tab)
    assert list(tabs.titles) == ["Search", "Findings", "Tables", "Headers", "Report"]
    named(tabs, "To").value = mf.samples.question("slow")["to"]
    named(tabs, "Search").click()
    assert named(tabs, "Found").options


def test_known_addresses_are_offered_while_one_types() -> None:
    known = pl.Series([f"user{it}@example.org" for it in range(100_000)])
    assert widgets.suggestions(known, "ser99999@") == ["user99999@example.org"]
    assert len(widgets.suggestions(known, "USER")) == 50


def test_the_slider_of_time_fills_the_two_fields(case: mf.Case) -> None:
    box = widgets.search(case)
    slider = named(box, "Between")
    assert len(slider.options) <= 100
    slider.index = (1, len(slider.options) - 2)
    assert named(box, "Since").value == slider.options[1][0]
    assert named(box, "Until").value == slider.options[-2][0]
    slider.index = (0, len(slider.options) - 1)
    assert (named(box, "Since").value, named(box, "Until").value) == ("", "")


def test_letters_that_a_click_overtook_are_asked_for_too(
    case: mf.Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailforensics.show.widgets.shown._LATE", 600)  # however busy this machine is
    box = widgets.search(case)
    named(box, "To").value = "bob@example.or"
    named(box, "Search").click()
    named(box, "To").value = "nobody@example.org"
    assert "nobody@example.org" in shown(box)


def every_widget(case: mf.Case) -> list[ipywidgets.Widget]:
    opened = widgets.workbench(str(mf.samples.path("slow")))
    named(opened, "Open").click()
    return [widgets.header_reader(), widgets.search(case), widgets.table_viewer(case), widgets.findings_browser(case),
            widgets.report_builder(case), widgets.open_evidence(), opened]  # fmt: skip


def test_every_widget_is_made_of_standard_ones_alone(case: mf.Case) -> None:
    """JupyterLab, Notebook 7, VS Code and Voila all know the standard ones; JavaScript of our own they would have to fetch."""
    inside = [it for box in every_widget(case) for it in parts(box, ipywidgets.Widget)]
    assert len(inside) > 60
    for one in inside:
        assert one._model_module == one._view_module == "@jupyter-widgets/controls", one
        assert one.layout._model_module == "@jupyter-widgets/base"
    assert not [path for path in PACKAGE.rglob("*") if path.suffix in (".js", ".ts", ".wasm")]


def test_every_control_has_a_name(case: mf.Case) -> None:
    containers = (ipywidgets.Box, ipywidgets.Tab, ipywidgets.HTML)
    for box in every_widget(case):
        for one in parts(box, ipywidgets.Widget):
            if not isinstance(one, containers):
                assert one.description or one.tooltip or getattr(one, "placeholder", ""), one


def test_widgets_take_html_from_one_place_only() -> None:
    sources = {path.name: path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py")}
    assert [name for name, text in sources.items() if "ipywidgets.HTML(" in text] == ["shown.py"]
    assert sources["shown.py"].count("ipywidgets.HTML(") == 1
    assert not [name for name, text in sources.items() if "HTMLMath(" in text or "display.HTML(" in text]
