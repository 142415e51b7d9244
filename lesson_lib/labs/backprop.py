"""The backprop lab: step through the backward pass of the learner's own graph, one edge at a time."""

import math

from traitlets import Bool, Dict, Int, List, Unicode, observe

from lesson_lib import draw
from lesson_lib.labs import graph as graphs
from lesson_lib.labs import passes
from lesson_lib.labs.base import HERE, Lab, describe, script, style

RUNS = {  # the name of a run in the page, and what is done wrong in it
    "": {},
    "overwrite": {"overwrite": True},
    "unordered": {"unordered": True},
    "overwrite unordered": {"overwrite": True, "unordered": True},
}


class Backprop(Lab):
    """The widget behind `labs.backprop`. Python works out all steps of all runs, and the page walks through them.

    graph: what stays as it is: the places of the cards, the edges, the leaves, and words on what cannot be done.
    runs: what follows from the leaves' numbers: texts for the cards, and the steps of each run in RUNS.
    leaves: the numbers of the leaves, as texts. Set one, and everything is computed again.
    step: the step that is shown, 0 for the start. overwrite, unordered: the two switches.
    """

    _esm = script("backprop.js")
    _css = style() + (HERE / "backprop.css").read_text(encoding="utf-8")

    title = Unicode("The backward pass, step by step").tag(sync=True)
    works_alone = Bool(True, read_only=True).tag(sync=True)
    sentence = Unicode()  # not synced: the page says what each step does
    graph = Dict().tag(sync=True)
    runs = Dict().tag(sync=True)
    leaves = List(Unicode()).tag(sync=True)
    step = Int(0, min=0).tag(sync=True)
    overwrite = Bool(False).tag(sync=True)
    unordered = Bool(False).tag(sync=True)

    def __init__(self, root, operations=None):
        self._operations = operations or {}
        self._nodes = graphs.read(root, self._operations)
        leaves = _leaves(self._nodes)
        super().__init__(graph=self._plan(leaves), leaves=[_typed(self._nodes[i].data) for i in leaves])
        self._show()

    def _plan(self, leaves):
        layouts, missing = [], ""
        try:
            for page in (1150, 1):  # wide as it likes, and as narrow as it can be
                layout = draw.layout(self._nodes[-1], digits=9, label_size=(54, 24), page=page)
                layouts += [layout] if layout not in layouts else []
        except draw.NoRenderer as error:
            missing = str(error)
        note, fixed = "", False
        try:
            again = graphs.compute_again(self._nodes, {}, self._operations)
            if not passes.same(again[-1].data, self._nodes[-1].data):
                note = (
                    "Some leaves were changed after this graph was computed, so its numbers are old. "
                    "Change a leaf here, and everything is computed again."
                )
        except Exception as error:  # a learner's class can raise anything, and it is told in the lab
            note, fixed = f"The leaves cannot be changed here: {_reason(error)}", True
        return {
            "layouts": layouts,
            "missing": missing,
            "leaves": [{"node": i, "name": self._nodes[i].label or f"leaf {n}"} for n, i in enumerate(leaves, 1)],
            "fixed": fixed,
            "note": note,
        }

    def _show(self):
        """Send all that follows from the nodes' numbers to the page."""
        called = passes.named(self._nodes)
        steps = {name: passes.frames(self._nodes, **wrong) for name, wrong in RUNS.items()}
        self.runs = {
            "names": [f"{name} = {made}" if made not in ("", name) else name for name, made in called],
            "data": [passes.short(node.data) for node in self._nodes],
            "locals": [passes.short(local) for _, _, local in passes.edges(self._nodes)],
            "right": [passes.short(grad) for grad in passes.gradients(self._nodes)],
            "steps": steps,
        }
        self.sentence = steps[""][-1]["sentence"]

    @observe("leaves")
    def _follow(self, change):
        if not self.runs:
            return  # still in __init__
        try:
            numbers = {
                leaf["node"]: _number(leaf["name"], text)
                for leaf, text in zip(self.graph["leaves"], self.leaves, strict=True)
                if text != _typed(self._nodes[leaf["node"]].data)
            }
            self._nodes = graphs.compute_again(self._nodes, numbers, self._operations)
        except Exception as error:  # a learner's class can raise anything, and it is told in the lab
            self.problem = f"The graph still shows the numbers from before. {_reason(error)}"
        else:
            self.problem = ""
            self._show()

    def still(self):
        """Return the graph with its numbers as they stand, and the gradients of the right backward pass."""
        for node, grad in zip(self._nodes, passes.gradients(self._nodes)):
            node.grad = grad
        return draw.graph(self._nodes[-1])


def backprop(root, operations=None):
    """Return the backprop lab for the graph that ends in root.

    The nodes may be of any class: ours, the lecture's, your own. They have `data` and their parents (by
    `edges()`, `left` and `right`, `parents` or `_prev`); gradients and local derivatives the lab works out. It
    never changes your objects. Where a function, and no method, does an operation of yours, name it:
    `labs.backprop(y, operations={"sin": sin})`.

    Raises TypeError where root is no node, ValueError for a graph of more than 100 nodes, and
    `lesson_lib.labs.graph.Unknown` where a local derivative cannot be found.
    """
    return Backprop(root, operations)


def _leaves(graph):
    """Return the indices of the leaves to play with: those with a label, or all of them where none has one."""
    leaves = [i for i, node in enumerate(graph) if not node.parents]
    return [i for i in leaves if graph[i].label] or leaves


def _typed(x):
    return f"{x:.0f}" if x.is_integer() and abs(x) < 1e15 else repr(x)


def _number(name, text):
    try:
        x = float(text)
    except ValueError:
        x = math.nan
    if not math.isfinite(x):
        raise graphs.Unknown(f"{name} needs a number, such as 2 or -0.5, and not {text!r}.")
    return x


def _reason(error):
    return str(error) if isinstance(error, graphs.Unknown) else describe(error)
