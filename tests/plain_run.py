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
    return run_with_variants(sources, [], timeout, env)[0]


def run_with_variants(sources, variants, timeout=600, env=()):
    """Run the sources, and variants of them, each a list of sources too: return one list of `Ran` for each of these.

    What a variant has in common with the sources before its first change is run only once: there the process is
    forked, with all that has been computed. Where a process cannot fork, each variant is run from the top.
    """
    if variants and not hasattr(os, "fork"):
        return [run(cells, timeout, env) for cells in (sources, *variants)]
    process = subprocess.run(
        [sys.executable, __file__],
        input=json.dumps([sources, *variants]),
        capture_output=True,
        timeout=timeout,
        cwd=ROOT / "notebooks",
        encoding="utf-8",
        env=os.environ | {"MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"} | dict(env),
    )
    assert process.returncode == 0, process.stderr
    return [[Ran(*row) for row in rows] for rows in json.loads(process.stdout)]


def run_cell(source, number, scope):
    name = f"<cell {number}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    error = lines = ""
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, name, "exec"), scope)
    except Exception as e:
        error, lines = type(e).__name__, traceback.format_exc()
    return error, "torch" in sys.modules, lines


def in_a_fork(function):
    """Return what the function returns, which JSON must be able to say; what it changes is lost."""
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            with open(theirs, "w", encoding="utf-8") as pipe:
                json.dump(function(), pipe)
            os._exit(0)
        finally:
            os._exit(1)  # whatever is raised, the child never goes on with what is the parent's
    os.close(theirs)
    with open(ours, encoding="utf-8") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if status:
        raise RuntimeError(f"a fork ended with status {status}, after saying {said!r}")
    return json.loads(said)


def first_change(sources, variant):
    pairs = zip(sources, variant)
    return next((place for place, (a, b) in enumerate(pairs) if a != b), min(len(sources), len(variant)))


def child(sources, *variants):
    scope = {"__name__": "__main__", "display": lambda *objects: None}
    waiting = [(first_change(sources, variant), variant) for variant in variants]
    clean, found = [], [None] * len(variants)
    for place in range(len(sources) + 1):
        for n, (change, variant) in enumerate(waiting):
            if change == place:
                rest = list(enumerate(variant))[place:]
                found[n] = clean + in_a_fork(lambda rest=rest: [run_cell(s, at + 1, scope) for at, s in rest])
        if place < len(sources):
            clean.append(run_cell(sources[place], place + 1, scope))
    return [clean, *found]


if __name__ == "__main__":
    print(json.dumps(child(*json.load(sys.stdin))))
