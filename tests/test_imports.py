"""Who imports whom: check, labs → draw → nothing of ours; a reference module only earlier ones, nothing heavy."""

import ast
import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell

from tests import notebooks
from tests.plain_run import Ran, run

PACKAGE = Path(__file__).resolve().parent.parent / "lesson_lib"

# in the order of the lessons: each may import those before it
REFERENCE = [
    "derivatives",
    "micrograd",
    "mlp",
    "descent",
    "datasets",
    "tensors",
    "corpus",
    "text",
    "bigram",
    "averaging",
    "softmax",
    "attention",
    "gpt",
    "checkpoint",
    "training",
    "command",
    "ladder",
]
# lesson 6 is where torch comes in: its module and later ones may load it
WITH_TORCH = {
    "tensors", "text", "bigram", "averaging", "softmax", "attention", "gpt", "checkpoint", "training", "command",
    "ladder",
}  # fmt: skip
MAY_IMPORT = {
    "__init__": set(),
    "draw": {"draw"},
    "labs": {"labs", "draw", *REFERENCE},
    "check": {"check", "draw", *REFERENCE},
    "site": {"labs"},  # the course as web pages
    **{name: set(REFERENCE[:n]) for n, name in enumerate(REFERENCE)},
}
HEAVY = {"matplotlib", "graphviz", "IPython", "torch"}
WITHOUT_TORCH = [
    "00_start_here",
    "01_derivatives",
    "02_chain_rule",
    "03_micrograd",
    "04_neural_networks",
    "05_gradient_descent",
]
COMPARES_WITH_TORCH = {"03_micrograd", "04_neural_networks"}


def imported(path, package):
    """Return the full name of every module that the file imports, inside its functions too."""
    module = ".".join(path.relative_to(package.parent).with_suffix("").parts)
    names = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        if isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            source = importlib.util.resolve_name(source, module.rpartition(".")[0])
            names += [f"{source}.{alias.name}" for alias in node.names]
    return names


def too_heavy(name):
    """Return what the reference module of this name must not import."""
    return HEAVY - {"torch"} if name in WITH_TORCH else HEAVY


def wrong_arrows(package=PACKAGE):
    """Return a line for each import in the folder `package` that points the wrong way."""
    found = []
    for path in sorted(package.rglob("*.py")):
        here = path.relative_to(package).parts[0].removesuffix(".py")
        for name in imported(path, package):
            top, _, rest = name.partition(".")
            ours = top == "lesson_lib" and rest.partition(".")[0] not in MAY_IMPORT[here]
            if ours or (here in REFERENCE and top in too_heavy(here)):
                found.append(f"{path.relative_to(package).as_posix()} imports {name}")
    return found


def loaded(statement, package=PACKAGE):
    """Return the names of the modules that the statement loads in a fresh process."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*sorted(set(sys.modules) - before))"
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=package.parent, capture_output=True, text=True, check=True).stdout.split()


def ours(names):
    return {name for name in names if name.partition(".")[0] == "lesson_lib"}


def heavy(names):
    return {name.partition(".")[0] for name in names} & HEAVY


def test_every_import_points_the_right_way():
    assert wrong_arrows() == []


def test_the_list_of_reference_modules_is_complete():
    assert {path.stem for path in PACKAGE.glob("*.py")} == {"__init__", "site", *REFERENCE}


def test_the_package_alone_loads_nothing():
    assert loaded("import lesson_lib") == ["lesson_lib"]


@pytest.mark.parametrize("name", REFERENCE)
def test_a_reference_module_loads_nothing_heavy(name):
    names = loaded(f"import lesson_lib.{name}")
    assert f"lesson_lib.{name}" in names and not heavy(names) & too_heavy(name)
    # this is also how we know that a fresh process shows torch where there is one
    assert ("torch" in heavy(names)) == (name in WITH_TORCH)


@pytest.mark.parametrize("name", ["check", "labs"])
def test_checks_and_labs_load_no_torch(name):
    names = loaded(f"import lesson_lib.{name}")
    assert f"lesson_lib.{name}" in names and "torch" not in heavy(names)


def test_draw_loads_nothing_of_ours_and_nothing_heavy():
    names = loaded("import lesson_lib.draw")
    assert "lesson_lib.draw" in names and not heavy(names)
    assert {name for name in ours(names) if not name.startswith("lesson_lib.draw")} == {"lesson_lib"}


def torch_free(cells, ran):
    """Return how many cells run before torch is loaded; the cell that loads it must say so with its tag."""
    first = next((n for n, cell in enumerate(ran) if cell.torch), len(ran))
    assert not ran[first:] or "uses-torch" in notebooks.tags(cells[first]), f"torch is loaded in\n{cells[first].source}"
    return first


@pytest.mark.parametrize("lesson", WITHOUT_TORCH)
def test_torch_is_loaded_only_where_the_lesson_says_so(lesson):
    cells = notebooks.code_cells(notebooks.read(notebooks.FOLDER / f"{lesson}.ipynb"))
    first = torch_free(cells, run([cell.source for cell in cells]))
    # some lessons compare with torch at their end, and this is also how we know that the guard can see it
    assert first > 0 and (first < len(cells)) == (lesson in COMPARES_WITH_TORCH)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("__init__.py", "from lesson_lib import micrograd"),
        ("derivatives.py", "from lesson_lib.micrograd import Value"),
        ("derivatives.py", "from .micrograd import Value"),
        ("micrograd.py", "from . import draw"),
        ("micrograd.py", "def draw():\n    import matplotlib.pyplot"),
        ("descent.py", "import torch"),
        ("datasets.py", "def moons():\n    from torch import nn"),
        ("descent.py", "from .tensors import MLP"),
        ("tensors.py", "import matplotlib.pyplot"),
        ("draw/graph.py", "from ..micrograd import Value"),
        ("draw/__init__.py", "from .. import micrograd"),
        ("labs/base.py", "import lesson_lib.check"),
        ("check/__init__.py", "from ..labs import base"),
        ("site.py", "from .gpt import GPT"),
    ],
)
def test_the_arrows_can_fail(file, line, tmp_path):
    package = shutil.copytree(PACKAGE, tmp_path / "lesson_lib")
    with open(package / file, "a", encoding="utf-8") as module:
        module.write(f"\n{line}\n")
    assert len(wrong_arrows(package)) == 1 and wrong_arrows(package)[0].startswith(f"{file} imports ")


def test_the_fresh_process_can_fail(tmp_path):
    package = shutil.copytree(PACKAGE, tmp_path / "lesson_lib")
    (package / "__init__.py").write_text("from lesson_lib import micrograd", encoding="utf-8")
    (package / "micrograd.py").write_text("import IPython", encoding="utf-8")
    assert ours(loaded("import lesson_lib", package)) == {"lesson_lib", "lesson_lib.micrograd"}
    assert heavy(loaded("import lesson_lib.draw", package)) == {"IPython"}


def test_torch_can_come_too_early():
    cells = [new_code_cell("1"), new_code_cell("import torch")]
    ran = [Ran("", False, ""), Ran("", True, "")]
    with pytest.raises(AssertionError, match="torch is loaded in"):
        torch_free(cells, ran)
    cells[1].metadata.tags = ["uses-torch"]
    assert torch_free(cells, ran) == 1
