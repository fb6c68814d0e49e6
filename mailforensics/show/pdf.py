"""A report as PDF: the same page that a browser shows, laid out for paper by WeasyPrint (the extra ``pdf``).

    mailforensics report case/ -o report.pdf

Nothing is fetched: pictures stand in the page, the fonts are those that come with matplotlib, and any other address is refused.
There is no script, no form and no link to anywhere in the file, and no time of its making: the same case gives the same bytes.
It is tagged for screen readers (PDF/UA-1).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mailforensics.errors import OptionError

_FONTS = {
    "DejaVuSans.ttf": ("mf-sans", "normal", "normal"),
    "DejaVuSans-Bold.ttf": ("mf-sans", "bold", "normal"),
    "DejaVuSansMono.ttf": ("mf-mono", "normal", "normal"),
}  # fmt: skip
_FACE = '@font-face {{ font-family: {}; font-weight: {}; font-style: {}; src: url("font:{}"); }}'
_STYLE = """
@page { size: A4; }
html body.mf { font-family: mf-sans, sans-serif; }
body.mf pre { font-family: mf-mono, monospace; }
"""
_LACKS = (
    "A report as PDF needs WeasyPrint: pip install 'mailforensics-notebooks[pdf]'."
    " Or write it as .html, open that in a browser and print it there."
)
_LACKS_PANGO = (
    "A report as PDF needs the library Pango, which is not on this machine ({}). On Debian and Ubuntu:"
    " apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0. Or write it as .html, open that in a browser and print it there."
)


def pdf(page: str) -> bytes:
    """An HTML document of ours (:func:`mailforensics.show.html.document`) as PDF.

    Raises OptionError, with what to install, where WeasyPrint or the system library that it needs is not there.
    """
    weasyprint, fetcher = _engine()
    fonts = weasyprint.text.fonts.FontConfiguration()
    faces = "\n".join(_FACE.format(*face, name) for name, face in _FONTS.items())
    style = weasyprint.CSS(string=faces + _STYLE, font_config=fonts, url_fetcher=fetcher)
    document = weasyprint.HTML(string=page, url_fetcher=fetcher)
    made: bytes = document.write_pdf(stylesheets=[style], font_config=fonts, pdf_variant="pdf/ua-1")
    return made


def _engine() -> tuple[Any, Any]:
    """WeasyPrint, and what it may fetch: pictures that stand in the page, and our fonts."""
    try:
        import weasyprint
        from weasyprint.urls import URLFetcher, URLFetcherResponse
    except ImportError as error:
        raise OptionError(_LACKS) from error
    except OSError as error:  # Pango is loaded when WeasyPrint is
        raise OptionError(_LACKS_PANGO.format(str(error).splitlines()[0])) from error

    class Fetcher(URLFetcher):  # type: ignore[misc]
        def fetch(self, url: str, headers: Any = None) -> Any:
            name = url.removeprefix("font:")
            if url.startswith("font:") and name in _FONTS:
                return URLFetcherResponse(url, _font(name).read_bytes())
            return super().fetch(url, headers)

    return weasyprint, Fetcher(allowed_protocols={"data"}, allow_redirects=False)


def _font(name: str) -> Path:
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name
