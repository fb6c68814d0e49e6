"""Every widget by keyboard and mouse in JupyterLab, Notebook 7 and Voila; the lesson as a page of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import mailforensics as mf
from tests.browser.machine import (
    Seen,
    Server,
    jupyter,
    notebook,
    ours,
    run_in_lab,
    run_in_notebook7,
    save,
    voila,
)

WORKBENCH = (
    "import mailforensics as mf\nmf.widgets.workbench(mf.samples.path('phish'), own=['mx.example.org'])"
)
MESSAGE = mf.samples.path("phish") / "messages" / "bella@example.org-Junk-1.eml"


def use_the_workbench(page: Any, name: str) -> None:
    """Open, search, look at findings, filter a table, read a header, write a report, open an upload."""
    page.get_by_role("button", name="Open", exact=True).press("Enter")
    page.get_by_role("tab", name="Search").last.wait_for()
    page.get_by_text("case = mf.open_case(").first.wait_for()

    page.get_by_role("combobox", name="To", exact=True).press_sequentially("bob@example.org")
    page.get_by_role("button", name="Search", exact=True).press("Enter")
    page.locator(".mf-outcome").first.wait_for()
    page.get_by_text("case.trace(to='bob@example.org')").first.wait_for()
    save(page, f"{name}-search")

    page.get_by_role("tab", name="Findings").click()
    page.get_by_role("listbox", name="Findings").select_option(index=0)
    page.locator(".mf-line").first.wait_for()
    save(page, f"{name}-findings")

    page.get_by_role("tab", name="Tables").click()
    page.get_by_role("combobox", name="Column").select_option("recipient")
    page.get_by_placeholder("value", exact=True).fill("bob@")
    page.get_by_placeholder("value", exact=True).press("Enter")
    page.get_by_text("deliveries: 3 rows").wait_for()
    save(page, f"{name}-tables")

    page.get_by_role("tab", name="Headers").click()
    page.get_by_placeholder("Paste a raw header here").fill(MESSAGE.read_text(encoding="utf-8"))
    page.get_by_role("button", name="Read the header").press("Enter")
    page.locator(".mf mark.mf-ours").first.wait_for()

    page.get_by_role("tab", name="Report").click()
    page.get_by_role("button", name="Preview").press("Enter")
    page.locator("#preview-summary").wait_for()
    page.get_by_role("button", name="Write the report").press("Enter")
    page.get_by_text("Written: report.html").wait_for()
    save(page, f"{name}-report")

    with page.expect_file_chooser() as chosen:
        page.get_by_role("button", name="Upload (0)").first.click()
    chosen.value.set_files(MESSAGE)
    page.get_by_role("button", name="Upload (1)").wait_for()
    page.get_by_label("Paths").fill("")
    page.get_by_role("button", name="Open", exact=True).press("Enter")
    page.get_by_text("case = mf.open_case(['evidence/").wait_for()


def test_the_workbench_in_jupyterlab(page: Any, lab: Server, seen: Seen) -> None:
    run_in_lab(page, lab, notebook(lab, "workbench.ipynb", WORKBENCH))
    use_the_workbench(page, "workbench-lab")
    assert (lab.folder / "report.html").stat().st_size > 10_000
    assert [path.read_bytes() for path in (lab.folder / "evidence").iterdir()] == [MESSAGE.read_bytes()]
    assert (seen.dialogs, seen.strangers) == ([], [])


def test_the_workbench_in_notebook_7(page: Any, seen: Seen, tmp_path: Path) -> None:
    pytest.importorskip(
        "notebook", minversion="7", reason="Notebook 7 is not installed: pip install 'notebook>=7'"
    )
    (tmp_path / "folder").mkdir()
    with jupyter("notebook", tmp_path / "folder", tmp_path / "home") as server:
        run_in_notebook7(page, server, notebook(server, "workbench.ipynb", WORKBENCH))
        use_the_workbench(page, "workbench-notebook7")
    assert (seen.dialogs, seen.strangers) == ([], [])


# Voila's own template asks a content network for its icons (and is not let through here); nothing of ours asks.
VOILA_ASKS = "/npm/@fortawesome/"


def test_the_workbench_and_the_lesson_are_pages_of_their_own_in_voila(
    page: Any, seen: Seen, tmp_path: Path
) -> None:
    pytest.importorskip("voila", reason="Voila is not installed: pip install voila")
    with voila(tmp_path) as server:
        page.goto(f"{server.url}/voila/render/{notebook(server, 'workbench.ipynb', WORKBENCH)}")
        use_the_workbench(page, "workbench-voila")

        page.goto(f"{server.url}/voila/render/{ours(server, '02_reading_headers')}")
        page.get_by_placeholder("Paste a raw header here").fill("Subject: Offer 4711\n")
        page.get_by_role("button", name="Read the header").press("Enter")
        page.get_by_text("nothing tells which way it came").wait_for()
        save(page, "voila")
        assert page.get_by_text("552 5.2.2 <bella@example.org> Mailbox is full").count()
    assert not seen.dialogs
    assert not [url for url in seen.strangers if VOILA_ASKS not in url]
