"""Read an expression graph, whatever class its nodes are of: ours, the lecture's or the learner's own."""

import hashlib
import math
import numbers
import unicodedata
from dataclasses import dataclass

MAX_NODES = 200


@dataclass
class Node:
    """What a drawing needs to know about one node of an expression graph.

    `index` is its place in topological order and `parents` holds the indices of its parents, left
    one first. `value` is the learner's object itself. `grad` is None where the class has none yet.
    """

    index: int
    value: object
    label: str
    op: str
    data: object
    grad: object
    parents: tuple


def read(root, max_nodes=MAX_NODES):
    """Return the graph that ends in root as a list of Node in topological order, root last.

    Raises TypeError where root is no node of a graph, and ValueError where the graph has more than
    max_nodes nodes or runs in a circle. A left parent and all it is made from comes before a right one.
    """
    if not is_node(root):
        raise TypeError(
            "a graph is drawn from one of its nodes: an object with .data and its parents, such as Value(2.0); "
            f"this is {_name_of(root)}"
        )
    parents = _collect(root, max_nodes)
    if any(isinstance(_raw_parents(value), (set, frozenset)) for value, _ in parents.values()):
        _sort_sets(root, parents)
    order = _order(root, parents)
    index = {id(value): i for i, value in enumerate(order)}
    return [
        Node(
            index=i,
            value=value,
            label=_text(value, "label"),
            op=_text(value, "op", "_op"),
            data=value.data,
            grad=getattr(value, "grad", None),
            parents=tuple(index[id(parent)] for parent in parents[id(value)][1]),
        )
        for i, value in enumerate(order)
    ]


def is_node(value):
    """Return whether value looks like a node: it has a number in .data, or .data and parents."""
    if isinstance(value, type) or not hasattr(value, "data"):
        return False
    return isinstance(value.data, numbers.Real) or _raw_parents(value) is not None


def number(x):
    """Return x as a short text: four decimals, and four significant digits where it is very large or small.

    >>> [number(x) for x in (2, -1.5e-7, 12345678.0, float("nan"))]
    ['2.0000', '-1.500e-07', '1.235e+07', 'nan']
    """
    try:
        x = float(x)
    except (TypeError, ValueError):
        return shorten(str(x), 12)
    except OverflowError:
        return "too large"
    if not math.isfinite(x):
        return str(x)
    if x == 0:
        return "0.0000"
    return f"{x:.4f}" if 1e-3 <= abs(x) < 1e5 else f"{x:.3e}"


def shorten(text, most):
    """Return text on one line and at most `most` columns wide, with an ellipsis where it was cut."""
    kept, width = "", 0.0
    for c in " ".join(text.split()):
        # what may not stand in XML, or would turn the direction of the text around, becomes a visible sign
        c = "\ufffd" if _is_unprintable(c) else c
        if width + columns(c) > most:
            while width > most - 1:
                kept, width = kept[:-1], width - columns(kept[-1])
            return kept.rstrip() + "…"
        kept, width = kept + c, width + columns(c)
    return kept


def columns(text):
    """Return how many columns of a monospaced font the text takes, and rather too many than too few."""
    return sum(0.0 if unicodedata.combining(c) else 1.0 if c.isascii() else 2.2 if _is_wide(c) else 1.3 for c in text)


def names(nodes):
    """Return a name for each node: its label, with its index where others have that label too, else v and its index."""
    labels = [shorten(node.label, 20) for node in nodes]
    return [
        (f"{label}#{node.index}" if labels.count(label) > 1 else label) if label else f"v{node.index}"
        for label, node in zip(labels, nodes)
    ]


def formula(node, called):
    """Return how the node was made, such as `a * b` or `tanh(n)`, with the names in `called`; a leaf gives ""."""
    inputs = [called[parent] for parent in node.parents]
    op = shorten(node.op, 16)
    if not inputs:
        return ""
    if op.startswith("**") and len(inputs) == 1:
        return f"{inputs[0]} ** {op[2:]}"
    if len(inputs) == 2 and op and not op[0].isalnum():
        return f"{inputs[0]} {op} {inputs[1]}"
    return f"{op or '?'}({', '.join(inputs)})"


def listing(nodes):
    """Return the graph as text, one line for each node.

        a          data 2.0000   grad 3.0000
        b          data 3.0000   grad 2.0000
        d = a * b  data 6.0000   grad 1.0000
    """
    called = names(nodes)
    made = [f"{called[node.index]} = {formula(node, called)}" if node.parents else called[node.index] for node in nodes]
    data = [number(node.data) for node in nodes]
    grad = ["" if node.grad is None else number(node.grad) for node in nodes]
    m, d, g = (max(map(len, texts)) for texts in (made, data, grad))
    lines = (f"{made[i]:<{m}}  data {data[i]:>{d}}   grad {grad[i]:>{g}}" for i in range(len(nodes)))
    return "\n".join(line.removesuffix("   grad ") for line in lines)


def describe(nodes):
    """Return the graph in words, for the alt text of its picture."""
    called, root = names(nodes), nodes[-1]
    if len(nodes) == 1:
        text = f"Expression graph of one node: {_in_words(root, called)}."
    else:
        leaves = [node for node in nodes if not node.parents]
        shown = [_in_words(node, called) for node in leaves if node.label][:8]
        if len(leaves) > len(shown):
            shown.append(f"{len(leaves) - len(shown)} {'more' if shown else 'without a name'}")
        text = (
            f"Expression graph of {len(nodes)} nodes that ends in {called[-1]} = {formula(root, called)}, "
            f"with {_numbers(root)}. Its leaves: {'; '.join(shown)}."
        )
    if has_grads(nodes) and not is_backward_done(nodes):
        text += " All gradients are still 0: nobody has computed them yet."
    return text


def has_grads(nodes):
    """Return whether the nodes hold gradients at all; a first draft of the class has none."""
    return any(node.grad is not None for node in nodes)


def is_backward_done(nodes):
    """Return whether any gradient is other than 0."""
    return any(node.grad is not None and number(node.grad) != "0.0000" for node in nodes)


def _collect(root, max_nodes):
    # by id, because a learner's class with an __eq__ of its own need not be hashable
    found, stack = {}, [root]
    while stack:
        value = stack.pop()
        if id(value) in found:
            continue
        if len(found) == max_nodes:
            raise ValueError(
                f"this graph has more than {max_nodes} nodes (the count stopped there), too many to read as a picture: "
                "draw one of its first nodes, or build the same expression with fewer inputs and draw that"
            )
        parents = _parents(value)
        found[id(value)] = (value, parents)
        stack.extend(reversed(parents))
    return found


def _order(root, parents):
    order, state, stack = [], {}, [(root, False)]
    while stack:
        value, parents_done = stack.pop()
        if parents_done:
            state[id(value)] = "done"
            order.append(value)
        elif id(value) not in state:
            state[id(value)] = "open"
            stack.append((value, True))
            for parent in reversed(parents[id(value)][1]):
                if state.get(id(parent)) == "open":
                    raise ValueError("this graph runs in a circle: a node is made from itself, so it has no first node")
                stack.append((parent, False))
    return order


def _sort_sets(root, parents):
    """Put the parents that a class keeps in a set into an order that does not change from run to run."""
    keys = {}
    for value in _order(root, parents):
        ours = parents[id(value)][1]
        if isinstance(_raw_parents(value), (set, frozenset)):
            ours.sort(key=lambda parent: keys[id(parent)])
        about = [_text(value, "op", "_op"), _text(value, "label"), number(value.data)]
        keys[id(value)] = hashlib.sha256(repr(about + [keys[id(p)] for p in ours]).encode()).hexdigest()


def _raw_parents(value):
    if callable(getattr(value, "edges", None)):
        return value.edges()
    if hasattr(value, "left") or hasattr(value, "right"):
        return [p for p in (getattr(value, "left", None), getattr(value, "right", None)) if p is not None]
    for name in ("parents", "_prev"):
        if hasattr(value, name):
            found = getattr(value, name)
            return found() if callable(found) else found
    return None


def _parents(value):
    # edges() and some learners' parents are pairs: (parent, local derivative)
    found = [p[0] if isinstance(p, tuple) else p for p in _raw_parents(value) or ()]
    for parent in found:
        if not is_node(parent):
            raise TypeError(f"a parent in this graph is no node with .data and parents of its own: {_name_of(parent)}")
    return found


def _name_of(x):
    return f"{shorten(repr(x), 60)} ({type(x).__name__})"


def _text(value, *attributes):
    for name in attributes:
        text = getattr(value, name, None)
        if text is not None:
            return str(text)
    return ""


def _is_unprintable(c):
    # a zero width joiner is of the same category, and holds many an emoji together
    return unicodedata.category(c) in ("Cc", "Cs", "Cf") and c != "\u200d" or c in "\ufffe\uffff"


def _is_wide(c):
    return unicodedata.east_asian_width(c) in "WF"


def _numbers(node):
    return f"data {number(node.data)}" + ("" if node.grad is None else f" and gradient {number(node.grad)}")


def _in_words(node, called):
    return f"{called[node.index]} with {_numbers(node)}"
