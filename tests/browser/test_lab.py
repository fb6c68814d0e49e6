"""JupyterLab in a real browser: the first notebook, the header reader by keyboard, and hostile texts on every surface.

Chromium is driven by Playwright. Nothing but this machine is asked; every dialog and every other request is a failure.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import nbformat
import pytest

from tests.show.hostile import PAYLOADS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ROOT = Path(__file__).parents[2]
PATIENCE = 60_000  # milliseconds
LOCAL = ("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:")
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}

pytest.importorskip("jupyterlab", reason="JupyterLab is not installed: pip install jupyterlab")
sync_api = pytest.importorskip(
    "playwright.sync_api", reason="Playwright is not installed: pip install playwright"
)
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="Chromium is not installed: apt-get install chromium"
)


@dataclass
class Seen:
    """What the browser did that it must not do."""

    dialogs: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)


@dataclass
class Lab:
    url: str
    folder: Path


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder, home = tmp_path_factory.mktemp("lab"), tmp_path_factory.mktemp("home")
    for name, setting in SETTINGS.items():
        file = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(setting))
    port = free_port()
    places = {
        "JUPYTER_CONFIG_DIR": home,
        "JUPYTER_RUNTIME_DIR": home,
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
    }
    places |= {"JUPYTERLAB_WORKSPACES_DIR": home / "workspaces", "IPYTHONDIR": home / "ipython"}
    options = [
        "--no-browser",
        "--allow-root",
        f"--port={port}",
        "--ip=127.0.0.1",
        "--IdentityProvider.token=",
    ]
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", *options, f"--ServerApp.root_dir={folder}"],
        env=os.environ | {key: str(value) for key, value in places.items()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        wait_for(f"{url}/api")
        yield Lab(url, folder)
    finally:
        server.terminate()
        server.wait(30)


def wait_for(url: str) -> None:
    for _ in range(240):
        try:
            with urlopen(url, timeout=5) as answer:  # noqa: S310  our own server
                answer.read()
                return
        except OSError:
            time.sleep(0.25)
    raise AssertionError(f"{url} does not answer")


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def page(browser: sync_api.Browser, seen: Seen) -> Iterator[sync_api.Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 1600})
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE)
    opened.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))

    def note(request: sync_api.Request) -> None:
        if not request.url.startswith(LOCAL):
            seen.strangers.append(request.url)

    context.on("request", note)
    context.route(lambda url: not url.startswith(LOCAL), lambda route: route.abort())
    yield opened
    context.close()


def run_all(page: sync_api.Page, lab: Lab, name: str) -> None:
    """Open a notebook and run it from top to bottom by the menu."""
    page.goto(f"{lab.url}/lab/workspaces/{Path(name).stem}/tree/{name}")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    page.wait_for_function(
        """() => {
            const cells = [...document.querySelectorAll('.jp-CodeCell')];
            const prompts = cells.map(cell => cell.querySelector('.jp-InputPrompt')?.textContent || '');
            return cells.length && prompts.every(text => /\\[[0-9]+\\]/.test(text));
        }"""
    )


def save(page: sync_api.Page, name: str) -> None:
    """Keep a picture where MAILFORENSICS_SCREENSHOTS says, for eyes."""
    folder = os.environ.get("MAILFORENSICS_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"))


def notebook(lab: Lab, name: str, *cells: str) -> None:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, lab.folder / name)


def test_the_first_notebook_runs_and_tells_the_story(page: sync_api.Page, lab: Lab, seen: Seen) -> None:
    shutil.copy(ROOT / "notebooks" / "01_where_is_my_mail.ipynb", lab.folder)
    run_all(page, lab, "01_where_is_my_mail.ipynb")
    page.wait_for_selector(".jp-OutputArea-output img")
    assert page.get_by_text("DISCARDED BY SIEVE").count()
    assert not page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count()
    assert page.locator(".jp-OutputArea-output img").count() == 2
    aligned = "it => getComputedStyle(it).textAlign"
    assert page.locator(".mf td.mf-what").first.evaluate(aligned) == "start"
    page.locator(".mf-outcome").first.scroll_into_view_if_needed()
    save(page, "01_where_is_my_mail")
    assert (seen.dialogs, seen.strangers) == ([], [])


def test_the_lesson_runs_and_sends_its_mail(page: sync_api.Page, lab: Lab, seen: Seen) -> None:
    shutil.copy(ROOT / "notebooks" / "02_reading_headers.ipynb", lab.folder)
    run_all(page, lab, "02_reading_headers.ipynb")
    page.wait_for_selector(".jp-OutputArea-output img")
    assert page.get_by_text("552 5.2.2 <bella@example.org> Mailbox is full").count()
    assert page.get_by_text("✗ Not yet.").count() == 10
    assert not page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count()
    save(page, "02_reading_headers")
    assert (seen.dialogs, seen.strangers) == ([], [])


def test_the_header_reader_is_used_by_keyboard(page: sync_api.Page, lab: Lab, seen: Seen) -> None:
    notebook(lab, "reader.ipynb", "import mailforensics as mf\nmf.widgets.header_reader()")
    run_all(page, lab, "reader.ipynb")
    page.get_by_placeholder("Paste a raw header here").focus()
    page.keyboard.insert_text(
        "Received: from mail.example.com (mail.example.com [198.51.100.10]) by mx.example.org (Postfix)\n"
        "\twith ESMTPS id 4jYBcn5tsv; Mon, 2 Mar 2026 10:02:12 +0100\nSubject: Offer 4711\n"
    )
    page.keyboard.press("Tab")
    page.keyboard.type("mx.example.org", delay=30)
    page.keyboard.press("Tab")
    button = page.get_by_role("button", name="Read the header")
    sync_api.expect(button).to_be_focused()
    page.wait_for_timeout(1000)  # as long as a person takes: the widget's last letters are on their way
    page.keyboard.press("Enter")
    page.locator(".mf mark.mf-ours").first.wait_for()
    page.keyboard.press("Tab")  # to the upload
    page.keyboard.press("Tab")  # to the raw header
    page.keyboard.press("Tab")  # to its first value
    save(page, "header_reader")
    focused = page.evaluate("document.activeElement.dataset.say")
    assert focused
    assert focused.startswith("from_helo: What the client called itself")
    shown = page.evaluate("getComputedStyle(document.activeElement, '::after').content")
    assert "Our server wrote down what the client said" in shown
    inside = """() => { const pre = document.activeElement.closest('.mf-reader > div').getBoundingClientRect();
        const style = getComputedStyle(document.activeElement, '::after');
        return parseFloat(style.width) <= pre.width; }"""
    assert page.evaluate(inside)
    assert page.get_by_text("mx.example.org took it from mail.example.com").count()
    assert (seen.dialogs, seen.strangers) == ([], [])


def test_the_search_is_used_by_keyboard(page: sync_api.Page, lab: Lab, seen: Seen) -> None:
    notebook(
        lab, "search.ipynb",
        "import mailforensics as mf\n"
        "mf.widgets.search(mf.samples.load('lost-in-sieve'))",
    )  # fmt: skip
    run_all(page, lab, "search.ipynb")
    page.get_by_placeholder("bob@example.org").focus()
    page.keyboard.type("bob@example.org")
    for _ in range(5):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector(".widget-select option")
    page.wait_for_selector(".mf-outcome")
    assert page.locator(".widget-select option").count() >= 2
    save(page, "search")
    assert (seen.dialogs, seen.strangers) == ([], [])


HOSTILE = """
import mailforensics as mf
from mailforensics import widgets
from mailforensics.show import html
from mailforensics.show.plots import symbols
from tests.show.answers import MESSAGE, SUMMARY, TRACE, hostile

class Shown:
    def __init__(self, text): self.text = text
    def _repr_html_(self): return self.text

def surfaces(payload):
    header = f"Received: from {payload} by mx.example.org; 1 Jan 2026 00:00 +0000\\nSubject: {payload}\\n"
    line = f"Mar  2 10:02:11 mail postfix/smtpd[7]: connect from {payload}[192.0.2.1]"
    yield mf.read_headers(header)._repr_html_()
    yield mf.explain(line)._repr_html_()
    yield html.trace(hostile(TRACE, payload))
    yield html.summary(hostile(SUMMARY, payload))
    yield html.message(hostile(MESSAGE, payload))
    yield html.lines({"lines": [{"place": payload, "time": None, "text": payload}]})
    yield html.table_page({"columns": [(payload, payload)], "rows": [[payload]], "caption": payload})

Shown("".join(text for payload in PAYLOADS for text in surfaces(payload)))
"""


def test_hostile_texts_raise_no_dialog_and_ask_nobody(page: sync_api.Page, lab: Lab, seen: Seen) -> None:
    shown = f"import sys; sys.path.insert(0, {str(ROOT)!r})\nPAYLOADS = {list(PAYLOADS)!r}\n{HOSTILE}"
    reader = "widgets.header_reader('Subject: ' + PAYLOADS[0] + '\\n')"
    viewer = "axes = symbols({'symbols': [{'name': it, 'score': 1.0} for it in PAYLOADS[:10]]})"
    notebook(lab, "hostile.ipynb", shown, reader, viewer)
    run_all(page, lab, "hostile.ipynb")
    page.wait_for_selector(".jp-OutputArea-output img")
    assert not page.locator("[data-mime-type='application/vnd.jupyter.error']").count()
    assert page.locator(".mf").count() >= 7 * len(PAYLOADS)
    live = page.evaluate(
        """() => [...document.querySelectorAll('.mf *')].filter(it =>
            ['SCRIPT', 'IMG', 'IFRAME', 'SVG', 'OBJECT', 'EMBED', 'FORM', 'LINK', 'META', 'BASE', 'VIDEO'].includes(it.tagName)
            || [...it.attributes].some(one => one.name.startsWith('on'))).map(it => it.outerHTML.slice(0, 80))"""
    )
    assert live == []
    page.mouse.move(600, 700)
    page.wait_for_timeout(500)
    save(page, "hostile")
    assert (seen.dialogs, seen.strangers) == ([], [])


@pytest.fixture
def voila(tmp_path: Path) -> Iterator[str]:
    pytest.importorskip("voila", reason="Voila is not installed: pip install voila")
    shutil.copy(ROOT / "notebooks" / "02_reading_headers.ipynb", tmp_path)
    port = free_port()
    server = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "voila",
            str(tmp_path),
            "--no-browser",
            f"--port={port}",
            "--Voila.ip=127.0.0.1",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(f"http://127.0.0.1:{port}/voila/tree")
        yield f"http://127.0.0.1:{port}/voila/render/02_reading_headers.ipynb"
    finally:
        server.terminate()
        server.wait(30)


def test_the_lesson_is_a_page_of_its_own_in_voila(page: sync_api.Page, voila: str, seen: Seen) -> None:
    page.goto(voila)
    page.get_by_placeholder("Paste a raw header here").focus()
    page.keyboard.insert_text("Subject: Offer 4711\n")
    page.get_by_role("button", name="Read the header").press("Enter")
    page.get_by_text("nothing tells which way it came").wait_for()
    save(page, "voila")
    assert page.get_by_text("552 5.2.2 <bella@example.org> Mailbox is full").count()
    assert not seen.dialogs
    # Voila's own template asks a content network for its icons (and is not let through here); nothing of ours asks.
    assert not [url for url in seen.strangers if "/npm/@fortawesome/" not in url]
