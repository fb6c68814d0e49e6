"""Accessibility: axe-core over every HTML form and over whole reports, in light and in dark: nothing serious, nothing critical.

Contrast is among what axe measures; what it could not measure for contrast is a failure too.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from markupsafe import Markup

import mailforensics as mf
from mailforensics.show import html
from mailforensics.show.widgets.tables import for_eyes

axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="axe is not installed: pip install axe-playwright-python"
)

PHISH = mf.samples.path("phish") / "messages" / "bella@example.org-Junk-1.eml"
LINE = "Mar  2 10:02:11 mail postfix/qmgr[7]: 3F2A1C0B2: from=<alex@example.com>, size=2387, nrcpt=1 (queue active)"
WIDE = 4000  # so that no cell is scrolled out of sight, where its contrast cannot be measured
SIGN = "nonBmp"  # axe's word for text without letters: our signs, which have their word beside them
# Where a form is shown: what the body says of the theme, and the ground behind it.
PLACES = {
    "report": ("", ""),
    "JupyterLab light": ('data-jp-theme-light="true"', "background: #ffffff; color: #000000"),
    "JupyterLab dark": ('data-jp-theme-light="false"', "background: #111111; color: #ffffff"),
    "JupyterLab dark, in a tab": ('data-jp-theme-light="false"', "background: #212121; color: #ffffff"),
    "VS Code dark": ('class="vscode-dark"', "background: #1f1f1f; color: #cccccc"),
}


def finding(case: mf.Case) -> str:
    row = case.findings().to_pylist()[0]
    lines = mf.widgets.lines_of(case, row["evidence"], around=2)
    return html.lines({"finding": row, "lines": lines, "zone": case.zone})


def table(case: mf.Case) -> str:
    return html.table_page(for_eyes(mf.widgets.page(case.scan("deliveries")), "deliveries"))


def opened(case: mf.Case) -> str:
    return case._repr_html_().replace("<details>", "<details open>")


FORMS: dict[str, Callable[[mf.Case], str]] = {
    "case": opened,
    "trace": lambda case: case.trace(to="example")._repr_html_(),
    "nothing found": lambda case: case.trace(to="nobody@example.org")._repr_html_(),
    "message": lambda case: mf.read_headers(PHISH, own=["mx.example.org"])._repr_html_(),
    "finding": finding,
    "table": table,
    "explanation": lambda case: mf.explain(LINE)._repr_html_(),
    "exercise": lambda case: mf.lesson.exercise(9)._repr_html_(),
    "dialogue": lambda case: mf.lesson.dialogue()._repr_html_(),
    "widget": lambda case: html.says("Written.") + html.same_in_a_cell("case.report('report.html')"),
    "preview": lambda case: mf.widgets.preview(case),
}


@pytest.fixture(scope="module")
def case() -> mf.Case:
    return mf.samples.load("phish")


def faults(browser: Any, address: str, scheme: str) -> list[str]:
    """What axe finds that is serious or critical, or cannot measure of contrast."""
    context = browser.new_context(color_scheme=scheme, viewport={"width": WIDE, "height": 900})
    page = context.new_page()
    try:
        page.goto(address)
        page.evaluate("document.body.style.maxWidth = 'none'")
        found = axe.Axe().run(page).response
    finally:
        context.close()
    assert found["passes"]
    bad = [it for it in found["violations"] if it["impact"] in ("serious", "critical")]
    unsure = [it for it in found["incomplete"] if it["id"] == "color-contrast"]
    told = [
        (it["id"], node) for it in (*bad, *unsure) for node in it["nodes"] if it in bad or not is_sign(node)
    ]
    return [f"{name}: {node['html'][:160]}: {node['failureSummary'][:200]}" for name, node in told]


def is_sign(node: dict[str, Any]) -> bool:
    return any((one.get("data") or {}).get("messageKey") == SIGN for one in node["any"])


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("place", PLACES)
def test_no_form_has_a_serious_fault(
    place: str, scheme: str, browser: Any, case: mf.Case, tmp_path: Path
) -> None:
    attribute, ground = PLACES[place]
    one = Markup('<section aria-label="{}">{}</section>')
    forms = (one.format(name, Markup(form(case))) for name, form in FORMS.items())  # noqa: S704  our own forms
    page = html.document("All forms", Markup("").join(forms))
    if ground:
        page = page.replace('<body class="mf">', f'<body {attribute} style="{ground}">')
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    assert faults(browser, (tmp_path / "page.html").as_uri(), scheme) == []


def test_a_fault_would_be_found(browser: Any, tmp_path: Path) -> None:
    page = html.document(
        "Faults", Markup('<p class="mf-quiet" style="color: #aaaaaa">pale</p><img src="data:,x">')
    )
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    found = faults(browser, (tmp_path / "page.html").as_uri(), "light")
    assert [it.split(":")[0] for it in found] == ["color-contrast", "image-alt"]


@pytest.mark.parametrize("name", ["week", "phish"])
def test_a_report_has_no_serious_fault(name: str, browser: Any, tmp_path: Path) -> None:
    case = mf.samples.load(name)
    question = {"sender": "bank.test"} if name == "phish" else mf.samples.question(name)
    page = case.report(tmp_path / "report.html", traces=[case.trace(**question)], messages=[PHISH])
    for scheme in ("light", "dark"):
        assert faults(browser, page.as_uri(), scheme) == [], scheme
