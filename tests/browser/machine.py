"""A browser and the servers that it visits: JupyterLab, Notebook 7 and Voila on this machine, Chromium by Playwright.

Each wait is for a condition, with patience for a slow machine; nothing but this machine is asked, and every dialog and
every other request is kept to be held against us.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import nbformat

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ROOT = Path(__file__).parents[2]
PATIENCE = (
    int(os.environ.get("MAILFORENSICS_PATIENCE", "180")) * 1000
)  # milliseconds, for a machine of two busy cores
LOCAL = ("http://127.0.0.1:", "ws://127.0.0.1:", "file:", "data:", "blob:", "about:")
IDLE = "Python 3 (ipykernel) | Idle"
DARK = "JupyterLab Dark"


@dataclass
class Seen:
    """What the browser did that it must not do."""

    dialogs: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@dataclass
class Server:
    """A server that shows the notebooks of a folder."""

    url: str
    folder: Path


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def settings(home: Path, theme: str | None = None) -> None:
    """JupyterLab's settings: all cells in the page, no news, and the theme."""
    chosen: dict[str, dict[str, Any]] = {
        "notebook-extension/tracker": {"windowingMode": "none"},
        "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    }
    if theme:
        chosen["apputils-extension/themes"] = {"theme": theme}
    for name, setting in chosen.items():
        file = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(setting))


@contextmanager
def jupyter(module: str, folder: Path, home: Path, theme: str | None = None) -> Iterator[Server]:
    """JupyterLab (``jupyterlab``) or Notebook 7 (``notebook``) over a folder, with a home of its own."""
    settings(home, theme)
    places = {
        "JUPYTER_CONFIG_DIR": home,
        "JUPYTER_RUNTIME_DIR": home,
        "JUPYTERLAB_SETTINGS_DIR": home / "settings",
        "JUPYTERLAB_WORKSPACES_DIR": home / "workspaces",
        "IPYTHONDIR": home / "ipython",
    }
    options = ["--no-browser", "--allow-root", "--ip=127.0.0.1", "--IdentityProvider.token="]
    options += [f"--ServerApp.root_dir={folder}"]
    with _running(module, options, "--port={}", "/api", places) as url:
        yield Server(url, folder)


@contextmanager
def voila(folder: Path, *options: str) -> Iterator[Server]:
    """Voila over a folder."""
    given = [str(folder), "--no-browser", "--Voila.ip=127.0.0.1", *options]
    with _running("voila", given, "--port={}", "/voila/tree", {}) as url:
        yield Server(url, folder)


@contextmanager
def _running(
    module: str, options: Sequence[str], port_option: str, path: str, places: dict[str, Path]
) -> Iterator[str]:
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", module, *options, port_option.format(port)],
        env=os.environ | {key: str(value) for key, value in places.items()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(url + path, server)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(60)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(60)


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + PATIENCE / 1000
    while time.monotonic() < ends:
        assert server.poll() is None, f"the server of {url} ended with {server.returncode}"
        try:
            with urlopen(url, timeout=30) as answer:  # noqa: S310  our own server
                answer.read()
                return
        except OSError:
            time.sleep(0.25)
    raise AssertionError(f"{url} does not answer")


def watched(context: Any, seen: Seen) -> Any:
    """A page of a browser context in which every dialog, error and request to a stranger is noted, and no stranger reached."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: seen.errors.append(str(error)))

    def note(request: Any) -> None:
        if not request.url.startswith(LOCAL):
            seen.strangers.append(request.url)

    context.on("request", note)
    context.route(lambda url: not url.startswith(LOCAL), lambda route: route.abort())
    return page


def notebook(server: Server, name: str, *cells: str) -> str:
    """Write a notebook of these cells into the server's folder."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, server.folder / name)
    return name


def ours(server: Server, stem: str) -> str:
    """Copy one of our notebooks into the server's folder."""
    shutil.copy(ROOT / "notebooks" / f"{stem}.ipynb", server.folder)
    return f"{stem}.ipynb"


def run_in_lab(page: Any, server: Server, name: str) -> None:
    """Open a notebook in JupyterLab and run it from top to bottom by the menu."""
    page.goto(f"{server.url}/lab/workspaces/{Path(name).stem}/tree/{name}")
    page.get_by_text(IDLE).wait_for()
    run_all(page)


def run_in_notebook7(page: Any, server: Server, name: str) -> None:
    """The same in Notebook 7."""
    page.goto(f"{server.url}/notebooks/{name}")
    page.locator(".jp-Notebook-ExecutionIndicator[data-status='idle']").wait_for()
    run_all(page)


def run_all(page: Any) -> None:
    from playwright.sync_api import TimeoutError

    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    prompts = "[...document.querySelectorAll('.jp-CodeCell .jp-InputPrompt')].map(it => it.textContent)"
    begun = f"{prompts}.some(text => /\\[[0-9*]+\\]/.test(text))"
    for _ in range(20):  # what is asked of a kernel that is not there yet is forgotten
        page.get_by_role("menuitem", name="Run", exact=True).click()
        page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        with suppress(TimeoutError):
            page.wait_for_function(begun, timeout=10_000)
            break
    page.wait_for_function(f"{prompts}.length && {prompts}.every(text => /\\[[0-9]+\\]/.test(text))")
    assert not (told := page.locator("[data-mime-type='application/vnd.jupyter.error']").all_inner_texts()), (
        told
    )


def faults(page: Any) -> list[str]:
    """What the cells complained of."""
    kinds = ("application/vnd.jupyter.error", "application/vnd.jupyter.stderr")
    return [text for kind in kinds for text in page.locator(f"[data-mime-type='{kind}']").all_inner_texts()]


def save(page: Any, name: str, **options: Any) -> None:
    """Keep a picture where MAILFORENSICS_SCREENSHOTS says, for eyes."""
    folder = os.environ.get("MAILFORENSICS_SCREENSHOTS")
    if folder:
        page.screenshot(path=str(Path(folder) / f"{name}.png"), **options)
