"""A lesson's cells in a wrong order, and then again and again: the kernel stays good for a run from the top."""

import copy
import random

import pytest
from nbformat.v4 import new_notebook

from tests.notebooks import code_cells, paths, read, run, tags

# the lessons that take few seconds
QUICK = [path for path in paths() if path.stem[:2] in ("00", "01", "02", "03", "04")]


def copies(cells, *more):
    made = copy.deepcopy(cells)
    for cell in made:
        cell.id, cell.outputs = f"{random.getrandbits(60):x}", []
        cell.metadata["tags"] = [*tags(cell), *more]
    return made


def printed(cells):
    """Return what each cell prints, or shows as text, if that is the same on every machine."""
    shown = [[output.get("text") or output.get("data", {}).get("text/plain") for output in cell.outputs]
             for cell in cells if "nbval-ignore-output" not in tags(cell)]  # fmt: skip
    assert any(any(texts) for texts in shown)
    return shown


@pytest.mark.parametrize("path", QUICK, ids=lambda path: path.stem)
def test_after_any_order_a_run_from_the_top_works_and_so_does_the_next(path):
    cells = code_cells(read(path))
    mixed = random.Random(8).sample(copies(cells, "raises-exception"), len(cells))
    first, second = copies(cells), copies(cells)
    run(new_notebook(cells=mixed + first + second))
    errors = {output.ename for cell in mixed for output in cell.outputs if output.output_type == "error"}
    # Python's own words for what is not there yet, or is still a draft
    assert "NameError" in errors and errors <= {"NameError", "TypeError", "AttributeError"}
    assert printed(first) == printed(second) == printed(cells)
