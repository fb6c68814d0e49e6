"""Answers as HTML: fragments for notebooks, whole documents that call nobody when they are opened.

Fragments carry their style and follow the light or dark theme of JupyterLab, VS Code or the browser. Documents are
self-contained, with a Content-Security-Policy that allows inline style and data: images and nothing else. Templates
stand in ``templates/``; jinja2 escapes every value, after :func:`mailforensics.show.escape.html` has made control
characters visible, so that no template can forget to.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from mailforensics.show import escape, fieldwords, sentences, words
from mailforensics.show.sentences import Data
from mailforensics.show.text import FULL_STORIES


def trace(data: Data, *, full: int = FULL_STORIES) -> str:
    """The trace as an HTML fragment; ``data`` is ``Trace.to_dict()``.

    >>> "Nothing found for to=&lt;b&gt;." in trace({"query": {"to": "<b>"}})
    True
    """
    return fragment(trace_body(data, full=full))


def trace_body(data: Data, *, full: int = FULL_STORIES) -> Markup:
    """The trace without frame and style, to put into a document."""
    zone = words.zone_of(data.get("zone"))
    journeys = data.get("journeys") or []
    return _render(
        "trace.html",
        data=data,
        journeys=journeys,
        zone=zone,
        zone_name=words.zone_words(zone),
        full=full,
        bar=_bar,
    )


def summary(data: Data) -> str:
    """The case at a glance as an HTML fragment; ``data`` is ``Case.summary()``.

    >>> "1 source, 0 hosts, 7 lines" in summary({"sources": [{"path": "mail.log"}], "lines": 7})
    True
    """
    return fragment(summary_body(data))


def summary_body(data: Data) -> Markup:
    """The case at a glance without frame and style, to put into a document."""
    return _render(
        "summary.html", data=data, zone=words.zone_of(data.get("zone")), root=_root(data.get("sources") or [])
    )


def _root(sources: Sequence[Data]) -> str:
    """The folder that all sources lie in, with a slash at its end; nothing where there is none."""
    folders = [str(source.get("path") or "").split("/")[:-1] for source in sources]
    alike = itertools.takewhile(lambda parts: len({*parts}) == 1, zip(*folders, strict=False))
    common = "/".join(parts[0] for parts in alike)
    return f"{common}/" if common.strip("/") else ""


def message(data: Data) -> str:
    """The static header reader as an HTML fragment: the raw header, the hops, the authentication.

    ``data`` holds ``document`` (a row or None), ``headers``, ``hops`` and ``auth_results`` (lists of rows) and ``zone``.
    What our servers wrote is underlined solid, what others claim dashed.

    >>> "nothing tells which way it came" in message({})
    True
    """
    return fragment(message_body(data))


def message_body(data: Data) -> Markup:
    """The header reader without frame and style, to put into a document."""
    hops = sorted(data.get("hops") or [], key=lambda hop: hop.get("hop") or 0)
    zone = words.zone_of(data.get("zone"))
    return _render(
        "message.html",
        about=[*_about(data.get("document") or {}, zone)],
        fields=[*_raw_fields(data.get("headers") or [], hops)],
        hops=hops,
        border=_border(hops),
        results=[*sentences.authentication(data.get("auth_results") or [])],
        zone=zone,
    )


def explanation(data: Data) -> str:
    """A log line with its parts as an HTML fragment; ``data`` is ``Explanation.to_dict()``.

    >>> "not understood" in explanation({"line": "x", "parts": []})
    True
    """
    line = _with_marks(str(data.get("line") or ""), data.get("parts") or [])
    return fragment(_render("explain.html", told=data, line=line))


def table_page(data: Data) -> str:
    """A page of a table as an HTML fragment; ``data`` holds ``columns`` (name and sentence), ``rows`` (lists) and ``caption``.

    What a column is stands at its head, for whoever points at it or comes to it with the Tab key.

    >>> "nothing here" in table_page({"columns": [], "rows": [], "caption": "nothing here"})
    True
    """
    return fragment(_render("table.html", **data))


def says(sentence: str) -> str:
    """One sentence as an HTML fragment, told to screen readers when it appears.

    >>> "a &lt;b&gt;" in says("a <b>")
    True
    """
    return fragment(Markup('<p role="status">{}</p>').format(escape.html(sentence)))


def same_in_a_cell(call: str) -> str:
    """How one gets what a widget shows by a call in a cell, as an HTML fragment."""
    code = Markup('<p class="mf-quiet">The same in a cell: <code>{}</code></p>')
    return fragment(code.format(escape.html(call)))


def lines(data: Data) -> str:
    """Log lines with their places as an HTML fragment; ``data`` holds ``lines`` (mappings of place, time and text).

    ``asked`` of a line marks it among its neighbours; ``finding`` of the data is the row that the lines stand behind.

    >>> "mail.log:7" in lines({"lines": [{"place": "mail.log:7", "time": None, "text": "x"}]})
    True
    """
    zone = words.zone_of(data.get("zone"))
    return fragment(_render("lines.html", zone=zone, lines=data["lines"], finding=data.get("finding")))


def fragment(body: Markup) -> str:
    """A body with its style, fit for a notebook's output cell."""
    return str(_render("fragment.html", body=body, style=_style()))


def document(title: str, body: Markup, contents: Sequence[tuple[str, str]] = ()) -> str:
    """A whole HTML document around a body; ``contents`` are (anchor, heading) pairs.

    >>> "default-src 'none'" in document("Report", Markup("<p>text</p>"))
    True
    """
    return str(_render("document.html", title=title, body=body, contents=contents, style=_style()))


def sections(named: Sequence[Mapping[str, Any]]) -> Markup:
    """Sections of a document, each a mapping of name, title and body (Markup)."""
    return _render("report.html", sections=named)


@functools.cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("mailforensics", "show/templates"),
        autoescape=True,
        finalize=escape.html,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(words=words, say=sentences)
    return environment


def _render(template: str, **values: Any) -> Markup:
    return Markup(_environment().get_template(template).render(values))  # noqa: S704  autoescape made it


@functools.cache
def _style() -> Markup:
    source, _, _ = PackageLoader("mailforensics", "show/templates").get_source(_environment(), "style.css")
    return Markup(source)  # noqa: S704  our own file


def _bar(entry: Data, timeline: Sequence[Data]) -> Markup:
    """A bar as long as the wait's share of the longest wait."""
    waits = [step.get("wait_s") for step in timeline]
    longest = max((wait for wait in waits if isinstance(wait, int | float)), default=0)
    wait = entry.get("wait_s")
    if not isinstance(wait, int | float) or wait <= 0 or not longest > 0:
        return Markup("")
    return Markup('<span class="mf-bar" style="width:{}%"></span>').format(round(100 * wait / longest))


def _about(document: Data, zone: Any) -> Iterator[tuple[str, str]]:
    keys = {
        "subject": "Subject",
        "from_address": "From",
        "return_path": "Envelope sender",
        "message_id": "Message-ID",
    }
    for key, word in keys.items():
        if document.get(key) is not None:
            yield word, str(document[key]) or "<>"
    if document.get("date"):
        yield "Date", f"{words.full(document['date'], zone)}, by the sender's clock"
    if document.get("defects"):
        yield "Defects", ", ".join(map(str, document["defects"]))


def _border(hops: Sequence[Data]) -> int | None:
    """The first hop that a server of ours wrote, where hops that are only claimed stand before it."""
    ours = [at for at, hop in enumerate(hops) if hop.get("trust") in ("ours", "trusted")]
    return ours[0] if ours and ours[0] > 0 else None


def _raw_fields(headers: Sequence[Data], hops: Sequence[Data]) -> Iterator[Markup]:
    by_ordinal = {hop.get("ordinal"): hop for hop in hops}
    for row in headers:
        raw = row.get("raw") or b""
        yield _marked(
            raw if isinstance(raw, bytes) else str(raw).encode(), by_ordinal.get(row.get("ordinal"))
        )


def _marked(raw: bytes, hop: Data | None) -> Markup:
    """The raw field with each value that was read from it underlined, in the way of who vouches for it."""
    if not hop:
        return _field_explained(raw)
    claimed = hop.get("trust") == "claimed"
    parts, done = [], 0
    for span in sorted(hop.get("spans") or [], key=lambda span: span["start"]):
        start, end = span["start"], span["end"]
        if not done <= start < end <= len(raw):
            continue
        said = f"{span['field']}: {fieldwords.hop_value(span['field'], claimed=claimed)}"
        parts += [_raw_text(raw[done:start]), _token(_raw_text(raw[start:end]), said, claimed=claimed)]
        done = end
    return Markup("").join([*parts, _raw_text(raw[done:])])


def _field_explained(raw: bytes) -> Markup:
    """A field other than Received: its name is the token, explained as what the field is."""
    name, colon, rest = raw.partition(b":")
    said = fieldwords.field(name.decode("ascii", "replace"))
    if not colon or not said:
        return _raw_text(raw)
    return _token(_raw_text(name), said, claimed=True) + _raw_text(colon + rest)


def _token(value: Markup, said: str, *, claimed: bool) -> Markup:
    """A piece of text that explains itself when one points at it or comes to it with the Tab key."""
    mark = Markup('<mark class="{}" tabindex="0" role="note" aria-label="{}" data-say="{}">{}</mark>')
    style = "mf-claimed" if claimed else "mf-ours"
    return mark.format(style, Markup("{}. {}").format(value, escape.html(said)), escape.html(said), value)


def _with_marks(line: str, parts: Sequence[Data]) -> Markup:
    """The line with each part underlined and named; of parts within parts the outer one."""
    placed = sorted(
        (it for it in parts if it.get("start") is not None), key=lambda it: (it["start"], -it["end"])
    )
    out, done = [], 0
    for part in placed:
        if not done <= part["start"] < part["end"] <= len(line):
            continue
        out += [escape.html(line[done : part["start"]])]
        value = escape.html(line[part["start"] : part["end"]])
        out += [_token(value, f"{part['name']}: {part['sentence']}", claimed=False)]
        done = part["end"]
    return Markup("").join([*out, escape.html(line[done:])])


def _raw_text(raw: bytes) -> Markup:
    text = raw.decode("utf-8", "backslashreplace").replace("\r\n", "\n")
    return escape.html(text, keep="\n\t")
