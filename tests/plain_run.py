"""Run a notebook's cells one after the other in one namespace, without Jupyter: quick, and open to sabotage.

    run(["x = 1", "assert x == 2"])  ->  [Ran("", ...), Ran("AssertionError", ...)]

A cell that fails is passed over.
"""

import contextlib
import io
import json
import linecache
import os
import subprocess
import sys
import traceback
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent


class Ran(NamedTuple):
    """What became of a cell: the error's name or "", whether torch was imported by then, and the traceback or ""."""

    error: str
    torch: bool
    traceback: str


def run(sources, timeout=600, env=()):
    """Run the sources in a fresh process, with `env` added to its environment, and return a `Ran` for each."""
    process = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps(sources),
        capture_output=True,
        timeout=timeout,
        cwd=ROOT / "notebooks",
        encoding="utf-8",
        env=os.environ | {"MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"} | dict(env),
    )
    assert process.returncode == 0, process.stderr
    return [Ran(*row) for row in json.loads(process.stdout)]


def child(sources):
    scope = {"__name__": "__main__", "display": lambda *objects: None}
    for number, source in enumerate(sources, start=1):
        name = f"<cell {number}>"
        linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
        error = lines = ""
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(source, name, "exec"), scope)
        except Exception as e:
            error, lines = type(e).__name__, traceback.format_exc()
        yield error, "torch" in sys.modules, lines


if __name__ == "__main__":
    print(json.dumps(list(child(json.load(sys.stdin)))))
