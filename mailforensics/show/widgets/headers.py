"""The header reader: paste or upload, name what is yours, and read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets

from mailforensics.errors import OptionError
from mailforensics.headers.message import read_headers, read_message
from mailforensics.show import export, html
from mailforensics.show.widgets.shown import WIDE, Shown, call_of


def header_reader(text: str = "", *, own: Sequence[str] = (), zone: str | None = None) -> ipywidgets.VBox:
    """A reader of message headers: paste or upload, name what is yours, and read.

    The plain function is ``mailforensics.read_headers``.
    """
    pasted = ipywidgets.Textarea(value=text, description="Header", placeholder="Paste a raw header here",
                                 layout={"width": "auto", "height": "10rem"})  # fmt: skip
    mine = ipywidgets.Text(value=", ".join(own), description="Yours", placeholder="mx.example.org, 192.0.2.0/24",
                           layout=WIDE)  # fmt: skip
    upload = ipywidgets.FileUpload(description="Upload", accept=".eml,.txt,message/rfc822", multiple=False)
    button = ipywidgets.Button(description="Read the header", button_style="primary")
    shown = Shown()

    def read(_: Any = None) -> None:
        files = upload.value
        servers = words_of(mine.value)
        source = files[0]["name"] if files and not pasted.value.strip() else None
        call = (
            call_of("mf.read_headers", source, own=servers)
            if source
            else f"mf.read_headers(text, own={servers!r})"
        )
        shown.answer(lambda: _reader_html(pasted.value, files, servers, zone), call)

    def read_again(_: Any) -> None:  # a click can overtake the last letters that were typed
        if shown.widget.value:
            read()

    button.on_click(read)
    upload.observe(read, names="value")
    pasted.observe(read_again, names="value")
    mine.observe(read_again, names="value")
    if text:
        read()
    return ipywidgets.VBox([pasted, mine, ipywidgets.HBox([button, upload]), shown.widget])


def words_of(text: str) -> list[str]:
    """The words of a field in which names stand between commas or blanks.

    >>> words_of("mx.example.org, 192.0.2.0/24")
    ['mx.example.org', '192.0.2.0/24']
    """
    return text.replace(",", " ").split()


def _reader_html(
    pasted: str, files: Sequence[Mapping[str, Any]], own: Sequence[str], zone: str | None
) -> str:
    if files and not pasted.strip():
        read = read_message(bytes(files[0]["content"]), own=own)
    elif pasted.strip():
        read = read_headers(pasted + "\n", own=own)
    else:
        raise OptionError("Paste a header above, or upload a message file.")
    return html.message(export.message_answer(read, zone))
