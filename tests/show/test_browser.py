"""S1 and S2 in a real browser: what Chromium makes of a page full of hostile texts, and whom it asks for what."""

from __future__ import annotations

import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import Markup

from mailforensics import samples
from mailforensics.show import html
from tests.show.answers import MESSAGE, SUMMARY, TRACE, hostile
from tests.show.hostile import PAYLOADS

CHROMIUM = shutil.which("chromium")
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
INERT = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "main",
        "nav",
        "section",
        "div",
        "span",
        "p",
        "br",
        "strong",
    ),
    *(
        "h1",
        "h2",
        "h3",
        "ul",
        "ol",
        "li",
        "a",
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
        "pre",
        "mark",
    ),
    *("details", "summary", "colgroup", "col"),
}

pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"
)


class Elements(HTMLParser):
    """The elements and attributes that the browser holds."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.targets: set[str] = set()
        self.sources: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.targets |= {value or "" for name, value in attrs if name == "href"}
        self.sources |= {value or "" for name, value in attrs if name == "src"}


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """The page as the browser holds it, and the browser's log of everything it asked for."""
    folder = tmp_path_factory.mktemp("browser")
    page, log = folder / "page.html", folder / "net.json"
    page.write_text(hostile_page(), encoding="utf-8")
    options = [
        *QUIET,
        f"--user-data-dir={folder / 'profile'}",
        f"--log-net-log={log}",
        "--dump-dom",
        page.as_uri(),
    ]
    run = subprocess.run([str(CHROMIUM), *options], capture_output=True, timeout=120, check=True)
    return run.stdout.decode("utf-8"), log.read_text(encoding="utf-8")


def hostile_page() -> str:
    body = Markup("")
    for payload in PAYLOADS:
        body += html.trace_body(hostile(TRACE, payload))
        body += html.summary_body(hostile(SUMMARY, payload))
        body += html.message_body(hostile(MESSAGE, payload))
    return html.document(PAYLOADS[0], body, [(payload, payload) for payload in PAYLOADS])


def test_the_browser_holds_inert_elements_only(opened: tuple[str, str]) -> None:
    elements = Elements(opened[0])
    assert elements.tags <= INERT
    assert not {name for name in elements.attributes if name.startswith("on")}
    assert all(target.startswith("#") for target in elements.targets)


def test_the_page_asks_nobody(opened: tuple[str, str]) -> None:
    assert Path("page.html").name in opened[1]  # the log is that of this page
    assert "evil.test" not in opened[1]


def test_a_whole_report_with_its_pictures_holds_inert_elements_and_asks_nobody(tmp_path: Path) -> None:
    case = samples.load("rejected")  # whose senders, subjects and HELO names are hostile
    message = samples.path("phish") / "messages" / "bella@example.org-Junk-1.eml"
    page = case.report(tmp_path / "page.html", traces=[case.trace(to="example")], messages=[message])
    log = tmp_path / "net.json"
    options = [
        *QUIET,
        f"--user-data-dir={tmp_path / 'profile'}",
        f"--log-net-log={log}",
        "--dump-dom",
        page.as_uri(),
    ]
    run = subprocess.run([str(CHROMIUM), *options], capture_output=True, timeout=120, check=True)
    elements = Elements(run.stdout.decode("utf-8"))

    assert "img" in elements.tags
    assert elements.tags <= INERT | {"img"}
    assert all(target.startswith("#") for target in elements.targets)
    assert not {name for name in elements.attributes if name.startswith("on")}
    assert all(source.startswith("data:image/png;base64,") for source in elements.sources)
    assert page.name in log.read_text(encoding="utf-8")
    assert page.stat().st_size < 3_000_000
