"""The desk: notebooks are copied once, renewed while nobody touched them, and never written over; JupyterLab opens there."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from mailforensics import cli, desk, samples
from mailforensics.errors import EvidenceError

NAMES = sorted(path.name for path in samples.folder("notebooks").glob("*.ipynb"))


def copied(folder: Path) -> dict[str, str]:
    return {it.path.name: it.what for it in desk.copy_notebooks(folder)}


def test_every_notebook_is_copied_and_then_is_there(tmp_path: Path) -> None:
    assert copied(tmp_path / "a" / "b") == dict.fromkeys(NAMES, "copied")
    assert copied(tmp_path / "a" / "b") == dict.fromkeys(NAMES, "current")
    for name in NAMES:
        assert (tmp_path / "a" / "b" / name).read_bytes() == (samples.folder("notebooks") / name).read_bytes()


def test_a_changed_notebook_is_never_written_over(tmp_path: Path) -> None:
    desk.copy_notebooks(tmp_path)
    (tmp_path / NAMES[0]).write_text("mine")
    for _ in range(3):
        assert copied(tmp_path)[NAMES[0]] == "kept"
        assert (tmp_path / NAMES[0]).read_text() == "mine"


def test_a_file_of_that_name_that_we_never_copied_is_kept(tmp_path: Path) -> None:
    (tmp_path / NAMES[1]).write_text("mine")
    assert copied(tmp_path)[NAMES[1]] == "kept"
    assert copied(tmp_path)[NAMES[1]] == "kept"


def test_an_older_copy_that_nobody_touched_is_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    older, mine = tmp_path / "older", tmp_path / "mine"
    older.mkdir()
    (older / NAMES[0]).write_text("an older one")
    with monkeypatch.context() as patched:
        patched.setattr(samples, "folder", lambda kind: older)
        assert copied(mine) == {NAMES[0]: "copied"}
    assert copied(mine)[NAMES[0]] == "renewed"
    assert (mine / NAMES[0]).read_bytes() == (samples.folder("notebooks") / NAMES[0]).read_bytes()


@pytest.mark.parametrize("record", ["", "[]", "{", '{"a": 1}'])
def test_a_damaged_record_costs_no_work_of_anybody(tmp_path: Path, record: str) -> None:
    desk.copy_notebooks(tmp_path)
    (tmp_path / NAMES[0]).write_text("mine")
    (tmp_path / ".mailforensics-notebooks.json").write_text(record)
    assert copied(tmp_path)[NAMES[0]] == "kept"


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EvidenceError, match="Name another folder"):
        desk.copy_notebooks(tmp_path / "file")


def test_without_jupyterlab_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    result = CliRunner().invoke(cli.main, ["lab", str(tmp_path / "mine")])
    assert result.exit_code == 2
    assert "pip install 'mailforensics-notebooks[lab]'" in result.stderr
    assert str(tmp_path / "mine") in result.stderr
    assert (tmp_path / "mine" / NAMES[0]).is_file()


def test_the_command_opens_jupyterlab_in_the_folder(tmp_path: Path) -> None:
    pytest.importorskip("jupyterlab", reason="JupyterLab is not installed: pip install jupyterlab")
    mine, home = tmp_path / "mine", tmp_path / "home"
    places = {"JUPYTER_CONFIG_DIR": home, "JUPYTER_RUNTIME_DIR": home, "IPYTHONDIR": home}
    options = ["--allow-root", "--ip=127.0.0.1", "--port=0", "--IdentityProvider.token="]
    server = subprocess.Popen(
        [sys.executable, "-m", "mailforensics.cli", "lab", str(mine), "--no-browser", "--", *options],
        env=os.environ | {name: str(place) for name, place in places.items()},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        told = wait_for_server(home, server)
        assert Path(told["root_dir"]) == mine.resolve()
        with urlopen(f"{told['url']}api/contents", timeout=60) as answer:  # noqa: S310  our own server
            shown = {it["name"] for it in json.load(answer)["content"]}
        assert shown >= set(NAMES)
    finally:
        server.terminate()
        server.wait(60)


def wait_for_server(home: Path, server: subprocess.Popen[bytes]) -> dict[str, str]:
    """What JupyterLab says of itself once it listens."""
    ends = time.monotonic() + 180
    while time.monotonic() < ends:
        assert server.poll() is None
        for file in home.glob("jpserver-*.json"):
            try:
                told: dict[str, str] = json.loads(file.read_text())
                with urlopen(f"{told['url']}api", timeout=30) as answer:  # noqa: S310  our own server
                    answer.read()
            except (OSError, ValueError):
                continue
            return told
        time.sleep(0.25)
    raise AssertionError("JupyterLab does not answer")
