"""S1 and S2 for whole reports in a real browser: no request, no dialog, nothing that runs; printed with its evidence open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from mailforensics import samples
from mailforensics.show import html
from mailforensics.show.report import blocks
from mailforensics.show.report.blocks import Folded, Listed, Rows, Says
from tests.show.hostile import PAYLOADS


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    case = samples.load("phish")
    messages = sorted((samples.path("phish") / "messages").glob("*.eml"))
    path = tmp_path_factory.mktemp("report") / "report.html"
    return case.report(path, traces=[case.trace(to="bella")], messages=messages)


class Watched:
    """A page, and whom it asked and what it opened."""

    def __init__(self, browser: Any, path: Path, scheme: str = "light") -> None:
        self.page = browser.new_page(color_scheme=scheme)
        self.requests: list[str] = []
        self.dialogs: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("dialog", lambda dialog: (self.dialogs.append(dialog.message), dialog.dismiss()))
        self.page.goto(path.as_uri())

    def asked(self, path: Path) -> list[str]:
        return [
            url for url in self.requests if url != path.as_uri() and not url.startswith("data:image/png;")
        ]


def poke(page: Any) -> None:
    """Open, focus, point at and click what there is, as a curious reader would."""
    page.evaluate("document.querySelectorAll('details').forEach(it => { it.open = true })")
    page.evaluate(
        "document.querySelectorAll('*').forEach(it => { it.focus && it.focus(); it.click && it.click() })"
    )
    page.evaluate(
        "document.querySelectorAll('*').forEach(it => it.dispatchEvent(new MouseEvent('mouseover', {bubbles: true})))"
    )
    page.wait_for_timeout(200)


def test_a_report_asks_nobody_and_opens_nothing_whatever_the_reader_does(browser: Any, report: Path) -> None:
    watched = Watched(browser, report)
    poke(watched.page)
    assert watched.asked(report) == []
    assert watched.dialogs == []
    assert watched.page.locator("script, iframe, object, embed, form, link").count() == 0
    watched.page.close()


def test_hostile_texts_in_every_block_open_no_dialog_and_ask_nobody(browser: Any, tmp_path: Path) -> None:
    told = [text for text in PAYLOADS if not any("\ud800" <= sign <= "\udfff" for sign in text)]
    rows = Rows(
        "Hostile", ("a", *told[:3]), [(text, 1, None, 0.5) for text in told], [[text] for text in told]
    )
    built = [
        *(Says(text, [text]) for text in told),
        Listed(told),
        rows,
        *(Folded(text, Rows(text, (text,), [(text,)])) for text in told),
    ]
    sections = html.sections(
        [{"name": text, "title": text, "body": blocks.html_of(built)} for text in told[:2]]
    )
    path = tmp_path / "page.html"
    path.write_text(html.document(told[0], sections, [(text, text) for text in told]), encoding="utf-8")
    watched = Watched(browser, path)
    poke(watched.page)
    assert watched.dialogs == []
    assert watched.asked(path) == []
    watched.page.close()


def test_on_paper_the_folded_evidence_is_open_and_black_on_white(browser: Any, report: Path) -> None:
    watched = Watched(browser, report, "dark")
    evidence = watched.page.locator("details pre").first
    assert not evidence.is_visible()
    watched.page.emulate_media(media="print", color_scheme="light")
    assert evidence.is_visible()
    assert watched.page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert watched.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    watched.page.close()


@pytest.mark.parametrize("width", [360, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_telephone_and_a_screen_and_follows_the_theme(
    browser: Any, report: Path, width: int, scheme: str
) -> None:
    watched = Watched(browser, report, scheme)
    watched.page.set_viewport_size({"width": width, "height": 800})
    assert watched.page.evaluate("document.documentElement.scrollWidth") <= width
    ground = watched.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is (scheme == "light")
    watched.page.close()


def test_each_entry_of_the_contents_leads_to_a_section_with_a_heading(browser: Any, report: Path) -> None:
    watched = Watched(browser, report)
    targets = watched.page.eval_on_selector_all("nav a", "links => links.map(it => it.getAttribute('href'))")
    assert len(targets) >= 6
    for target in targets:
        assert watched.page.locator(f"section{target} > h2").count() == 1
    watched.page.close()
