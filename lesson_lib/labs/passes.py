"""A backward pass as a list of steps, done right or in one of two wrong ways, with each step in words.

The graph is the list of nodes that `graph.read` gives. A number in words is a short text, for people.
"""

import itertools
import math
from dataclasses import dataclass

MAX_STEPS = 400


@dataclass(frozen=True)
class Step:
    """One edge of a backward pass: child passes on, parent receives; each is an index into the graph.

    `product` is local * incoming, and it turns the parent's gradient from `before` into `after`. `arrived`
    says how many gradients the parent had received before this one.
    """

    edge: int
    child: int
    parent: int
    local: float
    incoming: float
    product: float
    before: float
    after: float
    arrived: int


def edges(graph):
    """Return (parent, child, local derivative) for each edge, nodes as indices; those into one child stand together."""
    index = {node: i for i, node in enumerate(graph)}
    return [(index[p], i, local) for i, node in enumerate(graph) for p, local in zip(node.parents, node.locals)]


def backward(graph, overwrite=False, unordered=False):
    """Yield the steps of a backward pass through graph.

    The right way: from the last node to the first, so that each has its whole gradient before it passes it on.
    overwrite: the parent's gradient is replaced by the product instead of growing by it.
    unordered: whoever receives something passes on at once all it has so far. A node that is reached in
    many ways then passes on many times: the number of steps can double with every node.
    """
    into = [[] for _ in graph]
    for i, (parent, child, local) in enumerate(edges(graph)):
        into[child].append((i, parent, local))
    grads, arrived = [0.0] * len(graph), [0] * len(graph)
    grads[-1] = 1.0

    def pass_on(child):
        for edge, parent, local in into[child]:
            product, before = local * grads[child], grads[parent]
            grads[parent] = product if overwrite else before + product
            yield Step(edge, child, parent, local, grads[child], product, before, grads[parent], arrived[parent])
            arrived[parent] += 1

    if not unordered:
        for child in reversed(range(len(graph))):
            yield from pass_on(child)
        return
    waiting = [pass_on(len(graph) - 1)]
    while waiting:
        step = next(waiting[-1], None)
        if step is None:
            waiting.pop()
        else:
            yield step
            waiting.append(pass_on(step.parent))


def gradients(graph, steps=None):
    """Return the gradient of each node after the steps; without them, after the whole of the right pass."""
    grads = [0.0] * len(graph)
    grads[-1] = 1.0
    for step in backward(graph) if steps is None else steps:
        grads[step.parent] = step.after
    return grads


def frames(graph, overwrite=False, unordered=False):
    """Return what the lab shows, one dict for each place of its slider: the start, the seed, each edge, the end.

    "sentence" says it in words. Where a node is at work there are "node" and, where one gets a gradient,
    "to" and "grad"; for an edge also "edge", "product" and "sum". The end has "wrong", the nodes whose
    gradient is not the right one. Nodes and edges are indices, numbers are texts.
    """
    steps = list(itertools.islice(backward(graph, overwrite, unordered), MAX_STEPS + 1))
    called, last = names(graph), len(graph) - 1
    root = called[last]
    start = f"Before the start every gradient is 0, shown as a dash. The first step is at the end of the graph: {root}."
    seed = f"{root} is where it starts: it changes exactly as fast as itself, so its own gradient is 1."
    return [
        {"sentence": _capital(start)},
        {"node": last, "to": last, "grad": "1", "sum": f"grad of {root} = 1", "sentence": _capital(seed)},
        *(_frame(graph, called, step, overwrite, unordered) for step in steps[:MAX_STEPS]),
        _end(graph, called, steps, overwrite, unordered),
    ]


def _frame(graph, called, step, overwrite, unordered):
    child, parent = called[step.child], called[step.parent]
    local, incoming, product = short(step.local), short(step.incoming), short(step.product)
    before, after = short(step.before), short(step.after)
    total = f"grad of {parent}: {before} + {_bracketed(product)} = {after}"
    words = [
        f"{child} passes a gradient back to {parent}: "
        f"local derivative {local} times incoming gradient {incoming} is {product}."
    ]
    if overwrite:
        total = f"grad of {parent} = {after}" + (f" (the {before} is lost)" if step.arrived else "")
    if step.arrived and overwrite:
        words.append(f"It takes the place of the {before} that had arrived before, which is lost.")
    elif step.arrived:
        words.append(f"It is added to the {before} that had arrived before: the gradient of {parent} is now {after}.")
    elif not unordered:
        uses = sum(node.parents.count(graph[step.parent]) for node in graph)
        words.append("This is its whole gradient." if uses == 1 else f"More will come: {parent} is used {uses} times.")
    if unordered and graph[step.parent].parents:
        words.append(f"Without waiting for more, {parent} passes on what it has.")
    return {
        "node": step.child,
        "edge": step.edge,
        "to": step.parent,
        "grad": after,
        "product": f"local {local} × incoming {_bracketed(incoming)} = {product}",
        "sum": total,
        "sentence": " ".join(map(_capital, words)),
    }


def _end(graph, called, steps, overwrite, unordered):
    right, found = gradients(graph), gradients(graph, steps[:MAX_STEPS])
    wrong = [i for i in range(len(graph)) if not same(right[i], found[i])]
    if len(steps) > MAX_STEPS:
        words = (
            f"The lab stops here, after {MAX_STEPS} steps, and this is not done. Each arrival sets off everything "
            "behind it again, so the work doubles and doubles. With an order there is one step for each edge."
        )
    elif not (overwrite or unordered):
        leaves = [i for i, node in enumerate(graph) if not node.parents]
        shown = _list([f"{called[i]} {short(found[i])}" for i in leaves], 8)
        words = f"Done. Each gradient says how fast {called[-1]} changes when that number does: {shown}."
    elif not wrong:
        words = (
            "Done, and every gradient is right: in this graph nothing is lost and nothing is counted twice. "
            "Try it on one in which a node is used twice, such as b = a + a and then c = b + b."
        )
    else:
        shown = _list([f"{called[i]} has {short(found[i])} and should have {short(right[i])}" for i in wrong], 3)
        are = "is" if len(wrong) == 1 else "are"
        words = f"Done, but {len(wrong)} of the {len(graph)} gradients {are} wrong: {shown}."
        if overwrite:
            words += " Where a node is used twice only what arrived last is kept, and it should be the sum."
        elif unordered:
            words += " A node that is used twice passes on before all has arrived, and then again: parts count twice."
    return {"sentence": words, "wrong": wrong}


def _list(texts, most):
    more = [f"and {len(texts) - most} more"] if len(texts) > most else []
    return ", ".join(texts[:most] + more)


def _capital(sentence):
    # a label keeps its letter
    return "The " + sentence[4:] if sentence.startswith("the ") else sentence


def names(graph):
    """Return what to call each node: its label; else a leaf's number, or how the node was made where that is short."""
    return [name for name, _ in named(graph)]


def named(graph):
    """Return a pair (name, how it was made from its parents) for each node, such as ("d", "a * b"); a leaf has ""."""
    index, out = {node: i for i, node in enumerate(graph)}, []
    for node in graph:
        made = _made(node.op, [(p, out[index[p]][0]) for p in node.parents]) if node.parents else ""
        # a long name is not built into longer ones: a graph of 50 doublings would fill the memory
        name = made if len(made) <= 24 else f"the {node.op} node"
        out.append((node.label or name or short(node.data), made))
    return out


def _made(op, operands):
    # what stands beside an operator needs brackets, unless it is one name or one call
    inside = [name if p.label or not p.parents or p.op.isidentifier() else f"({name})" for p, name in operands]
    if op.startswith("**") and len(operands) == 1:
        return f"{inside[0]} ** {op[2:]}"
    if len(operands) == 2 and not op.isidentifier():
        return f"{inside[0]} {op} {inside[1]}"
    return f"{op or 'something'}({', '.join(name for _, name in operands)})"


def short(x):
    """Return a number as a text of about eight characters: four decimals, or some digits and a power of ten.

    >>> [short(x) for x in (2.0, 0.70711, -1.5e-7, 123456.7)]
    ['2', '0.7071', '−1.5e−7', '1.23e5']
    """
    if not math.isfinite(x):
        text = str(x)
    elif x == 0 or 1e-3 <= abs(x) < 1e5:
        text = f"{round(x, 4) + 0.0:.6g}"
    else:
        digits, power = f"{x:.2e}".split("e")
        text = f"{float(digits):g}e{int(power)}"
    return text.replace("-", "−")


def same(a, b):
    """Return whether two gradients agree up to rounding; nan agrees with nan."""
    return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) or a != a and b != b


def _bracketed(text):
    return f"({text})" if text.startswith("−") else text
