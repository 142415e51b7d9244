"""Read, run and store the notebooks of the course.

    python -m tests.notebooks                              every notebook in notebooks/
    python -m tests.notebooks notebooks/01_derivatives.ipynb

runs each one from the top in a fresh kernel and stores its outputs. Do this after every edit: the
outputs of an edited cell are those of the old code. A notebook with a failing cell is left as it was.
"""

import os
import re
import sys
import tempfile
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
WIDGET = "application/vnd.jupyter.widget-view+json"


def paths():
    """Return the paths of all notebooks, in the order of the lessons."""
    return sorted(FOLDER.glob("*.ipynb"))


def read(path):
    return nbformat.read(path, as_version=4)


def write(path, notebook):
    """Write the notebook in one move, so that an interrupted run never leaves half a file."""
    part = Path(path).with_suffix(".part")
    part.write_text(nbformat.writes(notebook) + "\n", encoding="utf-8", newline="\n")
    os.replace(part, path)


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tags(cell):
    return cell.metadata.get("tags", [])


def tagged(notebook, tag):
    """Return the code cells that carry the tag."""
    return [cell for cell in code_cells(notebook) if tag in tags(cell)]


def shortened(notebook):
    """Cut the notebook's budget of training steps, where it has one, to a twentieth; return the notebook.

    For the runs in which it is not the training that is tested. A cell tagged `budget` has the line `share = 1.0`.
    """
    for cell in tagged(notebook, "budget"):
        cell.source, found = re.subn(r"(?m)^share = 1\.0\b", "share = 0.05", cell.source)
        assert found == 1, f"the budget's cell has {found} lines `share = 1.0`"
    return notebook


def isolated(home):
    """Return the settings of the environment that keep the user's own progress and Jupyter out of a run.

    Everything that Jupyter, IPython and our checks write goes into the folder `home`.
    """
    names = ("LESSON_LIB_HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    unset = ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH", "MPLBACKEND")
    return dict.fromkeys(unset, "") | {name: str(Path(home) / name) for name in names}


def run(notebook, *, folder=FOLDER, timeout=120):
    """Run all cells in a fresh kernel that starts in `folder`, and put the outputs into `notebook`.

    The kernel finds no progress of an earlier run. `timeout` is in seconds, for each cell. Raises
    nbclient's CellExecutionError, CellTimeoutError or DeadKernelError, which name the cell.
    """
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        extra_arguments=["--log-level=ERROR"],
        store_widget_state=False,
        record_timing=False,
        coalesce_streams=True,
    )
    # on Windows a kernel that has just ended may still hold a file of its home
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        client.execute(env=os.environ | isolated(home))


def tidy(notebook):
    """Drop what differs from run to run or from machine to machine, and keep the rest in one form."""
    notebook.metadata = nbformat.from_dict({
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    })
    for cell in notebook.cells:
        kept = {key: cell.metadata[key] for key in ("jupyter", "tags") if key in cell.metadata}
        cell.metadata = nbformat.from_dict(kept)
    for count, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = count
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
            if WIDGET in output.get("data", {}):
                # the model itself is gone: its id is kept the same, so that a new run changes nothing
                output.data[WIDGET]["model_id"] = cell.id


def main(arguments):
    failed = False
    for path in map(Path, arguments or paths()):
        notebook, start = read(path), time.perf_counter()
        try:
            run(notebook, folder=path.resolve().parent)
        except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
            failed = True
            print(f"{path.name}: not stored\n{error}", file=sys.stderr)
        else:
            tidy(notebook)
            write(path, notebook)
            print(f"{path.name}: {len(code_cells(notebook))} code cells in {time.perf_counter() - start:.1f} s")
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
