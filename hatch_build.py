"""Puts the sample cases and the notebooks into the wheel, without the lab that recorded them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class SamplesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds each folder with an expected.json below sample_data, and notebooks, to the files of a wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by hatchling; an editable install needs no copies, it reads the source tree."""
        if self.target_name != "wheel" or version == "editable":
            return
        root = Path(self.root)
        for kind in ("sample_data", "notebooks"):
            for file in sorted((root / kind).rglob("*")):
                inside = file.relative_to(root / kind)
                if file.is_file() and inside.parts[0] != "lab" and not _is_cache(inside):
                    build_data["force_include"][str(file)] = f"mailforensics/_{kind}/{inside.as_posix()}"


def _is_cache(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts)
