"""The learner's own graph as plain nodes: read without changing it, and computed again from other numbers."""

import copy
import math
import operator
from dataclasses import dataclass

from lesson_lib.draw import nodes
from lesson_lib.micrograd import Value

MAX_NODES = 100
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow}


class Unknown(Exception):
    """What an operation does, or its local derivative, cannot be found out; the text says what would help."""


@dataclass(eq=False)
class Node:
    """One node of the graph, with all that a backward pass needs.

    `locals` holds the local derivative with respect to each of the parents. `value` is the object of the
    learner's own class. `op` is what its class calls the operation, `exact_op` the same with all digits
    of an exponent. `grad` is for the one who runs a backward pass.
    """

    value: object
    data: float
    op: str
    exact_op: str
    label: str
    parents: tuple
    locals: tuple
    grad: float = 0.0


def read(root, operations=()):
    """Return the graph that ends in root as a list of Node in topological order, root last.

    The local derivatives come from each node's `edges()`; where the class has none, from the name of the
    operation; where that is not one of ours, from the node's `_backward`; and last by nudging the parents.
    Where the parents are a set, their places are those that give the node's number; where several do,
    those that also give what its `_backward` passes on.
    `operations` maps the name of an operation to the function that does it, where it is no method.

    Raises TypeError where root is no node, ValueError for a graph of more than 100 nodes, and Unknown
    where a local derivative cannot be found.
    """
    graph = []
    for node in nodes.read(root, MAX_NODES):
        parents, ordered = [graph[i] for i in node.parents], not _keeps_a_set(node.value)
        parents = parents if ordered else _operands(node.value, node.op, parents)
        graph.append(_node(node.value, node.op, node.label, parents, operations))
    # operands of a set may have changed places, and with them the order
    return [node.value for node in nodes.read(graph[-1], MAX_NODES)]


def compute_again(graph, numbers, operations=()):
    """Return a graph like this one, computed anew by the learner's class with other numbers in its leaves.

    `numbers` maps the index of a leaf to its new number. The given graph stays as it is. Raises Unknown
    where an operation cannot be done again, and whatever the learner's class raises.
    """
    new = {}
    for i, node in enumerate(graph):
        parents = [new[parent] for parent in node.parents]
        if parents:
            value = apply(node.exact_op, [parent.value for parent in parents], operations)
        else:
            value = _copy(node.value, numbers[i]) if i in numbers else copy.copy(node.value)
        new[node] = _node(value, node.exact_op, node.label, parents, operations)
        new[node].op = node.op
    return list(new.values())


def apply(op, operands, operations=()):
    """Return what the operation called op makes of the operands, which are objects of one class."""
    first, *rest = operands
    if op in operations:
        return _checked(op, operations[op](*operands))
    if op in OPERATORS and len(operands) == 2:
        return OPERATORS[op](*operands)
    if op == "-" and not rest:
        return -first
    if op.startswith("**") and not rest:
        try:
            exponent = float(op[2:])
        except ValueError:
            raise Unknown(f'the exponent in the operation "{op}" is not a number') from None
        return first**exponent
    for name in (op, op.lower()):
        if name.isidentifier() and callable(getattr(first, name, None)):
            return _checked(op, getattr(first, name)(*rest))
    raise Unknown(
        f'the class {type(first).__name__} has no method for its operation "{op}". If a function does it, '
        f'hand it over: labs.backprop(root, operations={{"{op}": that_function}})'
    )


def _checked(op, made):
    if not hasattr(made, "data"):
        raise Unknown(f'the operation "{op}" gave no node back: {made!r} has no .data')
    return made


def _node(value, op, label, parents, operations):
    try:
        data = float(value.data)
    except (TypeError, ValueError, OverflowError):
        raise TypeError(f"each node of the graph must hold one number; this one holds {value.data!r}") from None
    exact = _exact(op, parents, data)
    return Node(value, data, op, exact, label, tuple(parents), tuple(_locals(value, exact, parents, data, operations)))


def _keeps_a_set(value):
    return isinstance(getattr(value, "_prev", None), (set, frozenset))


def _operands(value, op, parents):
    """Return the operands in their places; a set has forgotten which came first, and that a + a has two."""
    fitting = []  # the choices that give the node's number, each with what it would pass on to each parent
    for choice in [parents, parents[::-1]] if len(parents) == 2 else [parents, parents * 2]:
        ours = {parent: Value(parent.data) for parent in parents}
        try:
            made = apply(op, [ours[parent] for parent in choice])
            if not _close(made.data, float(value.data)):
                continue
            made.backward()
        except (ArithmeticError, TypeError, ValueError, Unknown):
            continue
        fitting.append((choice, [x.grad for x in ours.values()]))
    if not fitting:
        return parents
    if any(not _all_close(passed, fitting[0][1]) for _, passed in fitting) and callable(
        getattr(value, "_backward", None)
    ):
        # a - b where both are equal: only the node itself knows which of them was subtracted
        probed = _probe(value, [parent.value for parent in parents])
        fitting.sort(key=lambda choice: not _all_close(choice[1], probed))
    return fitting[0][0]


def _exact(op, parents, data):
    """Return op with all the digits of its exponent: the name "**0.333333" has lost some of 1/3."""
    if not (op.startswith("**") and len(parents) == 1 and parents[0].data > 0 and 0 < data < math.inf):
        return op
    x = parents[0].data
    try:
        rounded = float(op[2:])
    except ValueError:
        return op
    if x == 1 or math.isclose((Value(x) ** rounded).data, data, rel_tol=1e-12):
        return op
    exponent = math.log(data) / math.log(x)
    return f"**{exponent!r}" if math.isclose(exponent, rounded, rel_tol=1e-5) else op


def _locals(value, op, parents, data, operations):
    """Return the local derivative of the node with respect to each of its parents."""
    if not parents:
        return []
    if callable(getattr(value, "edges", None)):
        edges = list(value.edges())
        if [id(parent) for parent, _ in edges] == [id(parent.value) for parent in parents]:
            return [float(local) for _, local in edges]
    try:
        ours = [Value(parent.data) for parent in parents]
        made = apply(op, ours)
        if _close(made.data, data):
            made.backward()
            return [x.grad for x in ours]
    except (ArithmeticError, TypeError, ValueError, Unknown):
        pass  # no operation of ours, or not the same one
    if callable(getattr(value, "_backward", None)):
        return _probe(value, [parent.value for parent in parents])
    return [_nudge(op, [p.value for p in parents], i, operations) for i in range(len(parents))]


def _probe(value, parents):
    """Return what the node's own `_backward` passes to each parent when the incoming gradient is 1."""
    before = [(x, x.grad, x.data) for x in (value, *parents)]
    try:
        for parent in parents:
            parent.grad = 0.0
        value.grad = 1.0
        value._backward()
        # a parent that is there twice gets both shares at once
        return [float(parent.grad) / sum(p is parent for p in parents) for parent in parents]
    finally:
        for x, grad, data in before:
            x.grad, x.data = grad, data


def _nudge(op, parents, i, operations):
    """Return the slope of the operation in its i-th operand: the central difference of lesson 1."""
    x = float(parents[i].data)
    h = 1e-5 * max(1.0, abs(x))
    try:
        high, low = (
            apply(op, [_copy(p, x + s) if k == i else copy.copy(p) for k, p in enumerate(parents)], operations).data
            for s in (h, -h)
        )
    except Unknown as error:
        raise Unknown(
            f'no local derivative of the operation "{op}" was found. A method edges() of your class would give it, '
            f"or a _backward; without either the lab nudges the parents and computes again, but {error}"
        ) from None
    return float((high - low) / (2 * h))


def _copy(value, data):
    new = copy.copy(value)
    new.data = data
    return new


def _all_close(a, b):
    return all(map(_close, a, b))


def _close(a, b):
    return math.isclose(a, b, rel_tol=1e-6, abs_tol=1e-12) or a == b or (a != a and b != b)
