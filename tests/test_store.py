"""`python -m tests.notebooks` stores what a run of the notebook gives, and nothing of the machine or the moment."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tests import notebooks

SOURCES = [
    "import os\nos.path.exists(os.environ['LESSON_LIB_HOME'])",
    "import ipywidgets\nipywidgets.IntSlider()",
    "for word in 'one', 'two':\n    print(word, flush=True)",
]


@pytest.fixture
def path(tmp_path):
    cells = [new_markdown_cell("Text"), *(new_code_cell(source) for source in SOURCES)]
    cells[2].metadata.update(tags=["claim-A1"], execution={"iopub.status.busy": "now"})
    metadata = {"language_info": {"name": "python", "version": "2.7"}, "widgets": {}}
    notebook = new_notebook(cells=cells, metadata=metadata)
    nbformat.write(notebook, tmp_path / "made.ipynb")
    return tmp_path / "made.ipynb"


def test_a_second_run_changes_not_one_byte(path):
    ids = [cell.id for cell in notebooks.read(path).cells]
    assert not notebooks.main([path])
    first = path.read_bytes()
    assert not notebooks.main([path])
    assert path.read_bytes() == first and [file.name for file in path.parent.iterdir()] == ["made.ipynb"]
    stored = notebooks.read(path)
    assert [cell.id for cell in stored.cells] == ids
    assert set(stored.metadata) == {"kernelspec", "language_info"}
    assert stored.metadata.language_info == {"name": "python"}
    home, widget, words = notebooks.code_cells(stored)
    assert [cell.execution_count for cell in (home, widget, words)] == [1, 2, 3]
    assert widget.metadata == {"tags": ["claim-A1"]} and notebooks.WIDGET in widget.outputs[0].data
    assert home.outputs[0].data["text/plain"] == "False", "there is progress of an earlier run"
    assert [output.text for output in words.outputs] == ["one\ntwo\n"]


def test_a_failing_cell_is_named_and_the_old_file_stays(path, capsys):
    notebook = notebooks.read(path)
    notebook.cells[2].source = "the_cell_that_fails()"
    notebooks.write(path, notebook)
    before = path.read_bytes()
    assert notebooks.main([path])
    assert path.read_bytes() == before
    said = capsys.readouterr().err
    assert "made.ipynb" in said and "the_cell_that_fails()" in said and "NameError" in said
