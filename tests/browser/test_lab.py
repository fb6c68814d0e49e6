"""JupyterLab in a real browser: the first notebooks, and the header reader and the search by keyboard."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.machine import PATIENCE, Seen, Server, faults, notebook, ours, run_in_lab, save

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="Playwright is not installed: pip install playwright"
)


def test_the_first_notebook_runs_and_tells_the_story(page: Any, lab: Server, seen: Seen) -> None:
    run_in_lab(page, lab, ours(lab, "01_where_is_my_mail"))
    page.wait_for_selector(".jp-OutputArea-output img")
    assert page.get_by_text("DISCARDED BY SIEVE").count()
    assert faults(page) == []
    assert page.locator(".jp-OutputArea-output img").count() == 2
    aligned = "it => getComputedStyle(it).textAlign"
    assert page.locator(".mf td.mf-what").first.evaluate(aligned) == "start"
    page.locator(".mf-outcome").first.scroll_into_view_if_needed()
    save(page, "01_where_is_my_mail")
    assert (seen.dialogs, seen.strangers) == ([], [])


def test_the_lesson_runs_and_sends_its_mail(page: Any, lab: Server, seen: Seen) -> None:
    run_in_lab(page, lab, ours(lab, "02_reading_headers"))
    page.wait_for_selector(".jp-OutputArea-output img")
    assert page.get_by_text("552 5.2.2 <bella@example.org> Mailbox is full").count()
    assert page.get_by_text("✗ Not yet.").count() == 10
    assert faults(page) == []
    save(page, "02_reading_headers")
    assert (seen.dialogs, seen.strangers) == ([], [])


def test_the_header_reader_is_used_by_keyboard(page: Any, lab: Server, seen: Seen) -> None:
    notebook(lab, "reader.ipynb", "import mailforensics as mf\nmf.widgets.header_reader()")
    run_in_lab(page, lab, "reader.ipynb")
    page.get_by_placeholder("Paste a raw header here").focus()
    page.keyboard.insert_text(
        "Received: from mail.example.com (mail.example.com [198.51.100.10]) by mx.example.org (Postfix)\n"
        "\twith ESMTPS id 4jYBcn5tsv; Mon, 2 Mar 2026 10:02:12 +0100\nSubject: Offer 4711\n"
    )
    page.keyboard.press("Tab")
    page.keyboard.type("mx.example.org", delay=30)
    page.keyboard.press("Tab")
    button = page.get_by_role("button", name="Read the header")
    sync_api.expect(button).to_be_focused(timeout=PATIENCE)
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


def test_the_search_is_used_by_keyboard(page: Any, lab: Server, seen: Seen) -> None:
    notebook(
        lab, "search.ipynb",
        "import mailforensics as mf\n"
        "mf.widgets.search(mf.samples.load('lost-in-sieve'))",
    )  # fmt: skip
    run_in_lab(page, lab, "search.ipynb")
    page.get_by_placeholder("bob@example.org").focus()
    page.keyboard.type("bob@example.org")
    for _ in range(7):  # the other fields, the two ends of the slider, the button
        page.keyboard.press("Tab")
    sync_api.expect(page.get_by_role("button", name="Search", exact=True)).to_be_focused(timeout=PATIENCE)
    page.keyboard.press("Enter")
    page.locator(".widget-select option").first.wait_for(state="attached")
    page.wait_for_selector(".mf-outcome")
    assert page.locator(".widget-select option").count() >= 2
    save(page, "search")
    assert (seen.dialogs, seen.strangers) == ([], [])
