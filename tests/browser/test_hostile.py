"""S1 and S2 in JupyterLab: hostile texts through every representation, every widget and every picture.

No dialog, no script, no request. The lists of surfaces are compared with what there is, so that a new widget or picture
cannot be left out.
"""

from __future__ import annotations

import inspect
from typing import Any

import ipywidgets

import mailforensics as mf
from mailforensics.show import html, plots
from tests.browser.machine import ROOT, Seen, Server, faults, notebook, run_in_lab, save
from tests.show.hostile import PAYLOADS

START = f"""
import re, sys; sys.path.insert(0, {str(ROOT)!r})
import warnings; warnings.filterwarnings("ignore", "Glyph .* missing from font")
import mailforensics as mf
from mailforensics import widgets
from mailforensics.show import html, plots
from tests.show.answers import MESSAGE, SUMMARY, TRACE, hostile
from tests.show.hostile import PAYLOADS
from tests.show.hostile_case import STORED, hostile_case

class Shown:
    def __init__(self, texts):
        first, *rest = texts
        self.text = first + "".join(re.sub("<style>.*?</style>", "", it, flags=re.S) for it in rest)  # one style will do
    def _repr_html_(self): return self.text

case = hostile_case()
"""
REPRESENTATIONS = """
def surfaces(payload):
    header = f"Received: from {payload} by mx.example.org; 1 Jan 2026 00:00 +0000\\nSubject: {payload}\\n"
    line = f"Mar  2 10:02:11 mail postfix/smtpd[7]: connect from {payload}[192.0.2.1]"
    row = {"sentence": payload, "subject": payload, "innocent": payload, "source": payload, "rule": payload}
    yield mf.read_headers(header)._repr_html_()
    yield mf.explain(line)._repr_html_()
    yield mf.lesson.Exercise(1, payload, payload, payload, (), payload, payload, {}, ())._repr_html_()
    yield html.trace(hostile(TRACE, payload))
    yield html.summary(hostile(SUMMARY, payload))
    yield html.message(hostile(MESSAGE, payload))
    yield html.lines({"finding": row, "lines": [{"place": payload, "time": None, "text": payload, "asked": True}]})
    yield html.table_page({"columns": [(payload, payload)], "rows": [[payload]], "caption": payload})
    yield html.says(payload)
    yield html.same_in_a_cell(payload)

Shown(text for payload in PAYLOADS for text in surfaces(payload))
"""
WHOLE = "Shown([case._repr_html_(), case.trace(to='a')._repr_html_(), widgets.preview(case)])"
# The widgets by name, and what is shown of each: the widget itself after everything that it can show was shown once.
WIDGETS = {
    "header_reader": "widgets.header_reader(''.join(f'Subject: {it}\\n' for it in STORED))",
    "search": "every(widgets.search(case), 'Found', lambda box: box.children[0].set_trait('value', 'a') or press(box, 'Search'))",
    "findings_browser": "every(widgets.findings_browser(case), 'Findings', lambda box: None)",
    "table_viewer": "widgets.table_viewer(case, 'messages', size=100)",
    "report_builder": "pressed(widgets.report_builder(case, '<img src=x onerror=alert(1)>'), 'Preview')",
    "open_evidence": "pressed(widgets.open_evidence('\\n'.join(STORED)), 'Open')",
    "workbench": "pressed(widgets.workbench([mf.samples.path('rejected')]), 'Open')",  # whose senders are hostile
}
HELP = """
import ipywidgets
def parts(box):
    yield box
    for child in getattr(box, "children", ()): yield from parts(child)
def named(box, name): return next(it for it in parts(box) if getattr(it, "description", None) == name)
def press(box, name): named(box, name).click()
def pressed(box, name):
    press(box, name)
    return box
def every(box, name, begin):
    begin(box)
    shown = [it for it in parts(box) if isinstance(it, ipywidgets.HTML)][-1]
    texts = []
    for at in range(len(named(box, name).options)):
        named(box, name).index = at
        texts.append(shown.value)
    assert len(texts) >= 40, len(texts)
    display(Shown(texts))
    return box
"""
PICTURES = {name: f"axes = case.plot({name!r})" for name in ("coverage", *plots.OFFERS)}
PICTURES |= {
    "hop_path": "axes = plots.hop_path(case.polars('hops').with_columns(document_id=1))",
    "hop_delays": "axes = plots.hop_delays(case.polars('hops').with_columns(document_id=1))",
    "symbols": "axes = plots.symbols({'symbols': [{'name': it, 'score': 1.0} for it in STORED]})",
    "timeline": "axes = plots.timeline(hostile(TRACE, STORED[0])['journeys'][0] | {'timeline': "
    "[{'time': '2026-03-02T09:00:00Z', 'host': it, 'program': it} for it in STORED[:30]]})",
}


def test_every_surface_is_under_test() -> None:
    made = {
        name
        for name in mf.widgets.__all__
        if inspect.isfunction(function := getattr(mf.widgets, name))
        and str(inspect.signature(function).return_annotation).endswith(("VBox", "EvidenceBox"))
    }
    assert made == set(WIDGETS)
    assert issubclass(mf.widgets.EvidenceBox, ipywidgets.VBox)
    assert set(plots.__all__) - {"OFFERS", "alt_text", "draw"} == set(PICTURES)
    forms = {
        name
        for name, function in vars(html).items()
        if inspect.isfunction(function) and function.__module__ == html.__name__
        and not name.startswith("_") and not name.endswith("_body")
    }  # fmt: skip
    frames = {"fragment", "document", "sections", "explanation"}  # by which the others are made
    assert [name for name in forms - frames if f"html.{name}(" not in REPRESENTATIONS] == []


def test_hostile_texts_raise_no_dialog_and_ask_nobody(page: Any, lab: Server, seen: Seen) -> None:
    cells = [START, REPRESENTATIONS, WHOLE, HELP, *WIDGETS.values(), *PICTURES.values()]
    run_in_lab(page, lab, notebook(lab, "hostile.ipynb", *cells))
    page.wait_for_function(
        f"document.querySelectorAll('.jp-OutputArea-output img').length >= {len(PICTURES)}"
    )
    page.wait_for_function(f"document.querySelectorAll('.widget-box, .widget-vbox').length >= {len(WIDGETS)}")
    assert faults(page) == []
    assert page.locator(".mf").count() >= 10 * len(PAYLOADS)
    live = page.evaluate(
        """() => [...document.querySelectorAll('.mf *')].filter(it =>
            ['SCRIPT', 'IFRAME', 'SVG', 'OBJECT', 'EMBED', 'FORM', 'LINK', 'META', 'BASE', 'VIDEO'].includes(it.tagName)
            || (it.tagName === 'IMG' && !it.src.startsWith('data:image/png;base64,'))
            || [...it.attributes].some(one => one.name.startsWith('on'))).map(it => it.outerHTML.slice(0, 80))"""
    )
    assert live == []
    page.mouse.move(600, 700)
    page.keyboard.press("Tab")
    page.wait_for_timeout(1000)  # for whatever would still call
    save(page, "hostile")
    assert (seen.dialogs, seen.strangers) == ([], [])
