"""The solved run: every stub replaced by its worked answer, the whole notebook in a real kernel, every check says ✓.

The blank run, as the learner gets the notebook, is nbval's: every cell runs and its output is the stored one.
"""

import pytest

from lesson_lib.check import exercises
from tests import notebooks


@pytest.mark.parametrize("lesson", sorted({exercise.lesson for exercise in exercises.values()}))
def test_every_check_says_yes_to_the_worked_answers(lesson):
    notebook = notebooks.shortened(notebooks.read(notebooks.FOLDER / f"{lesson}.ipynb"))
    cells = notebooks.code_cells(notebook)
    names = [name for name, exercise in exercises.items() if exercise.lesson == lesson]
    for name in names:
        [stub] = notebooks.tagged(notebook, f"exercise-{name}")
        stub.source = exercises[name].solution
    notebooks.run(notebook)
    said = {}
    for name in names:
        [check] = [cell for cell in cells if f"check.{name}({name})" in cell.source]
        said[name] = "".join(output.text for output in check.outputs)
    assert said == {name: f"✓ {exercises[name].allows}\n" for name in names}
