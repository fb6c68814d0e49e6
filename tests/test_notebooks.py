"""The notebooks: paired with their scripts, without outputs, and running from top to bottom with no network."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import jupytext
import nbformat
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
EVERY = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)

RUN = """
import socket, sys, nbformat, nbclient
notebook = nbformat.read(sys.argv[1], as_version=4)
guard = nbformat.v4.new_code_cell(
    "import socket\\n"
    "def _refuse(self, address, _connect=socket.socket.connect):\\n"
    "    if self.family != socket.AF_UNIX and address[0] not in ('127.0.0.1', '::1'):\\n"
    "        raise AssertionError(f'asked the network: {address}')\\n"
    "    return _connect(self, address)\\n"
    "socket.socket.connect = _refuse"
)
drawn = nbformat.v4.new_code_cell(
    "import json, sys\\n"
    "_told = []\\n"
    "def _note():\\n"
    "    plt = sys.modules.get('matplotlib.pyplot')\\n"
    "    for number in plt.get_fignums() if plt else []:\\n"
    "        _told.append([bool(plt.figure(number).get_label()), *(axes.has_data() for axes in plt.figure(number).axes)])\\n"
    "    json.dump(_told, open('pictures.json', 'w'))\\n"
    "get_ipython().events.register('post_execute', _note)"
)
spent = nbformat.v4.new_code_cell("import time; json.dump(time.process_time(), open('seconds.json', 'w'))")
notebook.cells.insert(0, guard)
notebook.cells.insert(1, drawn)
notebook.cells.append(spent)
nbclient.NotebookClient(notebook, timeout=600, resources={"metadata": {"path": sys.argv[2]}}).execute()
nbformat.write(notebook, sys.argv[3])
"""


def test_there_is_a_notebook() -> None:
    assert NOTEBOOKS


@EVERY
def test_a_notebook_and_its_script_hold_the_same_cells(path: Path) -> None:
    script, notebook = jupytext.read(path.with_suffix(".py")), nbformat.read(path, as_version=4)
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        (cell.cell_type, cell.source) for cell in script.cells
    ], f"run: jupytext --sync {path}"


@EVERY
def test_no_output_is_committed(path: Path) -> None:
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook["cells"])


@EVERY
def test_a_notebook_runs_offline_in_less_than_20_seconds_and_shows_its_pictures(
    path: Path, tmp_path: Path
) -> None:
    done = tmp_path / path.name
    run = subprocess.run(
        [sys.executable, "-c", RUN, path, tmp_path, done], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr[-3000:]
    # Processor seconds, of all threads: on an idle machine of one core no notebook takes longer than that.
    assert json.loads((tmp_path / "seconds.json").read_text()) < 20
    outputs = [
        output for cell in nbformat.read(done, as_version=4).cells for output in cell.get("outputs", [])
    ]
    kinds = [kind for output in outputs for kind in output.get("data", {})]
    assert "image/png" in kinds
    assert "text/html" in kinds
    assert not [output["text"] for output in outputs if output.get("name") == "stderr"]
    told = json.loads((tmp_path / "pictures.json").read_text())
    assert kinds.count("image/png") == len(told)
    assert all(all(picture) for picture in told), told


def test_the_batch_report_takes_a_folder_as_its_parameter(tmp_path: Path) -> None:
    notebook = nbformat.read(FOLDER / "08_batch_report.ipynb", as_version=4)
    assert [cell.metadata.get("tags") for cell in notebook.cells].count(["parameters"]) == 1
    evidence = tmp_path / "evidence"
    for name in ("one", "empty"):
        (evidence / name).mkdir(parents=True)
    shutil.copytree(FOLDER.parent / "sample_data" / "bounced", evidence / "one", dirs_exist_ok=True)
    for cell in notebook.cells:
        if cell.metadata.get("tags") == ["parameters"]:
            cell.source = f"folder, output, timezone = {str(evidence)!r}, 'reports', 'Europe/Berlin'"
    changed = tmp_path / "changed.ipynb"
    nbformat.write(notebook, changed)
    run = subprocess.run(
        [sys.executable, "-c", RUN, changed, tmp_path, tmp_path / "done.ipynb"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["one.html"]
    assert "There is nothing in" in (tmp_path / "done.ipynb").read_text()
