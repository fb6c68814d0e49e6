"""Opening evidence: paths, or an upload, with what is ours and the zone; a bar while it is read."""

from __future__ import annotations

import hashlib
import os
import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import ipywidgets

from mailforensics.errors import EvidenceError, MailforensicsError, OptionError
from mailforensics.show import html
from mailforensics.show.escape import terminal
from mailforensics.show.widgets.headers import words_of
from mailforensics.show.widgets.shown import WIDE, Shown, call_of

_NAME_CHARACTERS = 80
Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
Opener = Callable[..., Any]  # mailforensics.open_case: the floors below the front do not know it


class EvidenceBox(ipywidgets.VBox):  # type: ignore[misc]
    """The widget that opens evidence; ``case`` is the Case once it is open, None before."""

    case: Any = None


def evidence_box(
    opener: Opener, paths: Paths = "", *, own: Sequence[str] = (), timezone: str = "",
    folder: str = "evidence", then: Callable[[Any], ipywidgets.Widget] | None = None,
) -> EvidenceBox:  # fmt: skip
    """The widget behind ``mailforensics.widgets.open_evidence``; ``opener`` is ``mailforensics.open_case``."""
    return _Opening(opener, paths, own, timezone, folder, then).box


class _Opening:
    """The controls, and what happens when one opens."""

    def __init__(
        self, opener: Opener, paths: Paths, own: Sequence[str], timezone: str, folder: str,
        then: Callable[[Any], ipywidgets.Widget] | None,
    ) -> None:  # fmt: skip
        self.opener, self.folder, self.then = opener, folder, then
        given = [paths] if isinstance(paths, str | os.PathLike) else paths
        self.paths = ipywidgets.Textarea(value="\n".join(os.fspath(it) for it in given), description="Paths", layout={"width": "auto", "height": "4rem"},
                                         placeholder="One a line: /var/log/mail.log*, a folder, a saved case")  # fmt: skip
        self.upload = ipywidgets.FileUpload(description="Upload", multiple=True)
        self.own = ipywidgets.Text(value=", ".join(own), description="Yours", layout=WIDE,
                                   placeholder="Your servers: mx.example.org, 192.0.2.0/24")  # fmt: skip
        self.zone = ipywidgets.Combobox(value=timezone, options=sorted(zoneinfo.available_timezones()),
                                        description="Time zone", placeholder="of stamps that state none")  # fmt: skip
        self.button = ipywidgets.Button(description="Open", button_style="primary")
        self.bar = ipywidgets.FloatProgress(min=0, max=1, description="Reading", layout=WIDE)
        self.bar.layout.display = "none"
        self.shown = Shown()
        self.after = ipywidgets.VBox()
        self.button.on_click(self.open)
        line = ipywidgets.HBox
        self.box = EvidenceBox(
            [
                self.paths,
                self.own,
                line([self.zone, self.upload, self.button]),
                self.bar,
                self.shown.widget,
                self.after,
            ]
        )

    def open(self, _: Any = None) -> None:
        """Open what is named and what was uploaded, and show the case at a glance."""
        self.box.case, self.after.children = None, ()
        self.button.disabled, self.bar.value, self.bar.layout.display = True, 0, None
        self.shown.say("Reading ...")
        try:
            files = [line.strip() for line in self.paths.value.splitlines() if line.strip()]
            files += map(str, keep_files(self.upload.value, self.folder))
            if not files:
                raise OptionError("Name a log, a message, a folder or a saved case; or upload files.")
            options = {"own": words_of(self.own.value), "timezone": self.zone.value.strip()}
            given = {key: value for key, value in options.items() if value}
            case = self.opener(files, progress=self.advance, **given)
            self.bar.description = "Linking"
            self.shown.answer(
                lambda: html.summary(case.summary()), f"case = {call_of('mf.open_case', files, **given)}"
            )
            self.box.case = case
            if self.then:
                self.after.children = (self.then(case),)
        except MailforensicsError as error:
            self.shown.say(str(error))
        finally:
            self.button.disabled, self.bar.layout.display, self.bar.description = False, "none", "Reading"

    def advance(self, done: int, total: int) -> None:
        """Move the bar to so many bytes of all."""
        self.bar.value = done / total if total else 1


def keep_files(files: Iterable[Mapping[str, Any]], folder: str) -> list[Path]:
    """Write uploaded files into a folder and return their paths; a file that is there already is not written again.

    ``files`` is the value of an ipywidgets ``FileUpload``. A name is data: only its last part is used, with letters,
    digits, dots and dashes, and with the beginning of the content's SHA-256 in front, so that no name leaves the folder and
    none takes another's place. Raises EvidenceError where the folder cannot be written.
    """
    kept = []
    for file in files:
        content = bytes(file["content"])
        path = Path(folder) / f"{hashlib.sha256(content).hexdigest()[:8]}-{_plain_name(str(file['name']))}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if not (path.is_file() and path.read_bytes() == content):
                path.write_bytes(content)
        except OSError as error:
            raise EvidenceError(
                f"Cannot keep the upload in {terminal(folder)}: {error.strerror}. Name another folder."
            ) from error
        kept.append(path)
    return kept


def _plain_name(name: str) -> str:
    r"""A file name of letters, digits, dots and dashes.

    >>> _plain_name("../../etc/mail log.1"), _plain_name("..\\..\\x.eml"), _plain_name("")
    ('mail-log.1', 'x.eml', 'file')
    """
    last = re.split(r"[/\\]", name)[-1]
    plain = re.sub(r"[^A-Za-z0-9._@-]+", "-", last).strip(".-")
    return plain[-_NAME_CHARACTERS:].lstrip(".-") or "file"
