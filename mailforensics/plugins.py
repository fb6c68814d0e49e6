"""What other packages add to mailforensics: line shapes, causes, findings, report sections and exports.

A package names its object in its ``pyproject.toml``::

    [project.entry-points."mailforensics.report_sections"]
    managers = "my_mail_rules:SECTION"

and it is there after ``pip install``. docs/how-to/add-your-own.md has an example of each kind. Nothing is loaded but what the
user installed, and a package that cannot be loaded is an error that names it, never a silent lack.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any

from mailforensics.errors import OptionError

GRAMMARS = "mailforensics.grammars"
CAUSES = "mailforensics.causes"
FINDINGS = "mailforensics.findings"
REPORT_SECTIONS = "mailforensics.report_sections"
EXPORTS = "mailforensics.exports"
GROUPS = (GRAMMARS, CAUSES, FINDINGS, REPORT_SECTIONS, EXPORTS)


def load(group: str) -> dict[str, Any]:
    """The objects that installed packages name in a group, by their name, in alphabetical order.

    Raises OptionError for a group that is none, and where an object cannot be loaded.

    >>> load("mailforensics.no_such_group")
    Traceback (most recent call last):
    mailforensics.errors.OptionError: There is no group 'mailforensics.no_such_group'; the groups are ...
    """
    if group not in GROUPS:
        raise OptionError(f"There is no group {group!r}; the groups are {', '.join(GROUPS)}.")
    found: dict[str, Any] = {}
    for point in sorted(entry_points(group=group), key=lambda point: point.name):
        try:
            found[point.name] = point.load()
        except Exception as error:  # whatever a stranger's module raises
            raise OptionError(
                f"{point.value}, which is installed as {group} {point.name!r}, cannot be loaded"
                f" ({type(error).__name__}: {error}): mend or uninstall that package."
            ) from error
    return found
