"""nbval, with our settings, sees a changed number, a changed drawing and a changed alt text; pixels may differ."""

import copy
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from nbformat.v4 import new_code_cell, new_notebook

from tests import notebooks

ROOT = Path(__file__).resolve().parent.parent
PYTEST = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
# from another folder, so the path of the file is made a whole one
OPTIONS = [option.replace("-with=", f"-with={ROOT}{os.sep}") for option in PYTEST["addopts"]]
SOURCES = [
    "import base64, os\nfrom IPython.display import HTML",
    "def picture(kind, data, alt):\n"
    "    data = base64.b64encode(data.encode()).decode()\n"
    "    return HTML(f'<img src=\"data:image/{kind};base64,{data}\" alt=\"{alt}\">')",
    "1 / 8",
    "picture('svg+xml', '<svg>a line</svg>', 'A straight line')",
    "picture('svg+xml', '<svg>another</svg>', 'A line that rises')",
    "picture('png', 'pixels', 'A line that falls')",
    "print('progress' if os.path.exists(os.environ['LESSON_LIB_HOME']) else 'no progress yet')",
]
PIXELS = [("cGl4ZWxz", "cGl4ZWxzIGFuZCBtb3Jl")]
# each in the cell of this number
CHANGES = {
    2: ("0.125", "0.126"),
    3: ("PHN2Zz5hIGxpbmU8L3N2Zz4=", "PHN2Zz4yIGxpbmU8L3N2Zz4="),
    4: ("rises", "turns"),
    5: ("falls", "turns"),
    6: ("no progress yet", ""),
}


def change(notebook, changes):
    """Return a copy in whose stored outputs each old is replaced by new; it must be there once."""
    changed = copy.deepcopy(notebook)
    for old, new in changes:
        count = 0
        for output in (output for cell in notebooks.code_cells(changed) for output in cell.outputs):
            texts = output.get("data", output)
            for kind in {"text", "text/plain", "text/html"} & set(texts):
                count += texts[kind].count(old)
                texts[kind] = texts[kind].replace(old, new)
        assert count == 1, old
    return changed


def test_every_run_compares_the_notebooks():
    assert "--nbval" in PYTEST["addopts"]
    assert "notebooks" in PYTEST["testpaths"]


def test_the_font_cache_is_made_before_a_kernel_starts(tmp_path):
    env = os.environ | {"MPLCONFIGDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", "import conftest"], cwd=ROOT, env=env, check=True)
    assert list(tmp_path.glob("fontlist-*.json"))


def test_nbval_finds_every_change_but_that_of_pixels(tmp_path):
    notebook = new_notebook(cells=[new_code_cell(source) for source in SOURCES])
    notebooks.run(notebook, folder=tmp_path)
    notebooks.tidy(notebook)
    notebooks.write(tmp_path / "same.ipynb", change(notebook, PIXELS))
    notebooks.write(tmp_path / "changed.ipynb", change(notebook, CHANGES.values()))
    command = [sys.executable, "-m", "pytest", *OPTIONS, "-rA", "-p", "no:cacheprovider", "."]
    env = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_")}
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, encoding="utf-8", env=env)
    summary = re.findall(r"(?m)^(PASSED|FAILED) (?:.*[\\/])?(\w+)\.ipynb::Cell (\d+)", ran.stdout)
    assert len(summary) == 2 * len(SOURCES), ran.stdout + ran.stderr
    failed = [(name, int(cell)) for word, name, cell in summary if word == "FAILED"]
    assert sorted(failed) == [("changed", cell) for cell in CHANGES]
