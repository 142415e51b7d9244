"""The backprop lab: it reads a graph of any class, computes it again, and walks through right and wrong passes."""

import json
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lesson_lib import draw, labs
from lesson_lib.labs import graph, passes
from lesson_lib.labs.graph import Unknown
from lesson_lib.micrograd import Value
from tests.lab_page import LabPage, overlap, shows

# -- the classes that a learner may bring -------------------------------------------------------------


class Forward:
    """Lesson 2: it remembers how it was made, and cannot go backward."""

    def __init__(self, data, op="", left=None, right=None, label=""):
        self.data, self.grad, self.op, self.left, self.right, self.label = data, 0.0, op, left, right, label

    def __add__(self, other):
        return Forward(self.data + other.data, "+", self, other)

    def __mul__(self, other):
        return Forward(self.data * other.data, "*", self, other)

    def tanh(self):
        return Forward(math.tanh(self.data), "tanh", self)

    def sin(self):
        return Forward(math.sin(self.data), "sin", self)


class Lecture:
    """The lecture's class: parents in a set, and a closure that goes backward."""

    def __init__(self, data, _children=(), _op="", label=""):
        self.data, self.grad, self.label = data, 0.0, label
        self._prev, self._op, self._backward = set(_children), _op, lambda: None

    def __add__(self, other):
        out = Lecture(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        out = Lecture(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __sub__(self, other):
        out = Lecture(self.data - other.data, (self, other), "-")

        def _backward():
            self.grad += out.grad
            other.grad -= out.grad

        out._backward = _backward
        return out

    def __neg__(self):
        out = Lecture(-self.data, (self,), "-")

        def _backward():
            self.grad -= out.grad

        out._backward = _backward
        return out

    def tanh(self):
        out = Lecture(math.tanh(self.data), (self,), "tanh")

        def _backward():
            self.grad += (1 - out.data**2) * out.grad

        out._backward = _backward
        return out

    def sin(self):
        out = Lecture(math.sin(self.data), (self,), "sin")

        def _backward():
            self.grad += math.cos(self.data) * out.grad

        out._backward = _backward
        return out


class Own(Value):
    """Our class with an operation of the learner's."""

    __slots__ = ()

    def __add__(self, other):
        return Own(self.data + other.data, "+", self, 1.0, other, 1.0)

    def __mul__(self, other):
        return Own(self.data * other.data, "*", self, other.data, other, self.data)

    def sin(self):
        return Own(math.sin(self.data), "sin", self, math.cos(self.data))


def state(root):
    """Everything that the objects of a graph hold, to see whether any of it was changed."""
    objects = [node.value for node in draw.nodes.read(root)]
    names = ["data", "grad", "label", "op", "_op", "left", "right", "d_left", "d_right", "_prev", "_backward"]
    return [(id(x), [(n, getattr(x, n)) for n in names if hasattr(x, n)]) for x in objects]


# -- random graphs ------------------------------------------------------------------------------------

NUMBERS = st.floats(-2, 2).map(lambda x: round(x, 2))
ALL = ("+", "-", "*", "/", "**2", "**-1", "**0.5", "exp", "log", "tanh", "sigmoid", "relu")
RECIPES = {
    ops: st.tuples(
        st.lists(NUMBERS, min_size=1, max_size=4),
        st.lists(st.tuples(st.sampled_from(ops), st.integers(0, 99), st.integers(0, 99)), max_size=8),
    )
    for ops in (ALL, ("+", "*", "tanh"))
}


def build(recipe, make=Value):
    """Return the leaves and the root of the expression that the recipe describes."""
    numbers, operations = recipe
    made = [make(x) for x in numbers]
    for op, i, j in operations:
        a, b = made[i % len(made)], made[j % len(made)]
        try:
            made.append(graph.apply(op, [a, b] if op in graph.OPERATORS else [a]))
        except (ArithmeticError, ValueError):
            continue  # a logarithm of a negative number, a division by zero
    # every node counts, so that each leaf is used and most of them more than once
    root = made[0]
    for node in made[1:]:
        root = root + node
    return made[: len(numbers)], root


def grads_of(root):
    nodes = graph.read(root)
    return {id(node.value): grad for node, grad in zip(nodes, passes.gradients(nodes))}


def agree(a, b):
    return a == pytest.approx(b, rel=1e-9, abs=1e-9, nan_ok=True)


@settings(max_examples=400)
@given(RECIPES[ALL])
def test_the_right_pass_ends_with_the_gradients_of_the_engine(recipe):
    _, root = build(recipe)
    before = state(root)
    found = grads_of(root)
    assert state(root) == before
    root.backward()
    for node in draw.nodes.read(root):
        assert agree(found[id(node.value)], node.grad)


@pytest.mark.parametrize("make", [Forward, Lecture, Own])
@settings(max_examples=150)
@given(recipe=RECIPES["+", "*", "tanh"])
def test_a_learners_class_gives_the_same_and_stays_as_it_is(make, recipe):
    ours, root = build(recipe)
    root.backward()
    theirs, other = build(recipe, make)
    before = state(other)
    found = grads_of(other)
    graph.compute_again(graph.read(other), {0: 1.5})
    assert state(other) == before
    for leaf, value in zip(ours, theirs):
        assert agree(found[id(value)], leaf.grad)


@settings(max_examples=300)
@given(RECIPES[ALL], st.lists(NUMBERS, min_size=4, max_size=4))
def test_computing_again_is_building_anew(recipe, numbers):
    leaves, root = build(recipe)
    nodes = graph.read(root)
    index = {id(node.value): i for i, node in enumerate(nodes)}
    changed = {index[id(leaf)]: x for leaf, x in zip(leaves, numbers)}
    try:
        again = graph.compute_again(nodes, changed)
    except (ArithmeticError, ValueError):
        with pytest.raises((ArithmeticError, ValueError)):
            copy_of(root, leaves, numbers)
        return
    expected = copy_of(root, leaves, numbers)
    assert agree(again[-1].data, expected.data)
    expected.backward()
    order = [node.value for node in draw.nodes.read(expected)]
    assert [node.op for node in again] == [node.op for node in nodes]
    for value, grad in zip(order, passes.gradients(again)):
        assert agree(grad, value.grad)


def copy_of(root, leaves, numbers):
    """Build the same expression by hand, from the operations' names."""
    new = {id(leaf): Value(x) for leaf, x in zip(leaves, numbers)}
    for node in draw.nodes.read(root):
        value = node.value
        if id(value) in new or not node.parents:
            continue
        a, b = (new.get(id(parent)) for parent in (value.left, value.right))
        match node.op:
            case "+":
                made = a + b
            case "-":
                made = a - b
            case "*":
                made = a * b
            case op if op.startswith("**"):
                made = a ** float(op[2:])
            case op:
                made = getattr(a, op)()
        new[id(value)] = made
    return new[id(root)]


# -- the wrong passes ---------------------------------------------------------------------------------


def run(root, **wrong):
    """Return the gradients, by label, after a pass."""
    nodes = graph.read(root)
    return {n.label: g for n, g in zip(nodes, passes.gradients(nodes, passes.backward(nodes, **wrong)))}


def doubled(make=Value, times=1):
    node = make(3.0, label="a")
    for i in range(times):
        node = node + node
        node.label = "bcdefg"[i] if i < 6 else f"n{i}"
    return node


@pytest.mark.parametrize("make", [Value, Forward, Lecture])
def test_overwriting_says_1_for_a_plus_a(make):
    assert run(doubled(make)) == {"a": 2, "b": 1}
    assert run(doubled(make), overwrite=True) == {"a": 1, "b": 1}


@pytest.mark.parametrize("make", [Value, Forward, Lecture])
def test_without_an_order_b_plus_b_counts_twice(make):
    root = doubled(make, 2)
    assert run(root) == {"a": 4, "b": 2, "c": 1}
    # the first 1 that arrives at b goes on to a twice; then b holds 2, and that goes on twice
    assert run(root, unordered=True) == {"a": 1 + 1 + 2 + 2, "b": 2, "c": 1}


@settings(max_examples=100)
@given(st.integers(0, 10**6), st.booleans())
def test_on_a_tree_the_wrong_ways_are_right(seed, overwrite):
    pick = random.Random(seed)
    trees = [Value(pick.uniform(-1, 1), label=f"x{i}") for i in range(6)]
    while len(trees) > 1:
        a, b = trees.pop(pick.randrange(len(trees))), trees.pop(pick.randrange(len(trees)))
        trees.append(pick.choice([a + b, a * b, (a - b).tanh()]))
    right = run(trees[0])
    assert run(trees[0], unordered=True, overwrite=overwrite) == pytest.approx(right)


def test_the_end_of_a_wrong_pass_names_each_wrong_gradient():
    lab = labs.backprop(doubled(times=2))
    right, overwritten, unordered = (lab.runs["steps"][name][-1] for name in ("", "overwrite", "unordered"))
    assert lab.runs["right"] == ["4", "2", "1"]
    assert right["wrong"] == [] and overwritten["wrong"] == [0, 1] and unordered["wrong"] == [0]
    assert "2 of the 3 gradients are wrong: a has 1 and should have 4, b has 1 and should" in overwritten["sentence"]
    assert "1 of the 3 gradients is wrong: a has 6 and should have 4." in unordered["sentence"]


def test_a_pass_that_explodes_is_cut_and_says_so():
    # 40 doublings, and a pass without an order takes more than 2 ** 40 steps
    lab = labs.backprop(doubled(times=40))
    steps = lab.runs["steps"]["unordered"]
    assert len(steps) == passes.MAX_STEPS + 3
    assert "stops here, after 400 steps" in steps[-1]["sentence"]
    assert 0 in steps[-1]["wrong"]
    assert len(lab.runs["steps"][""]) == 2 * 40 + 3


# -- the steps ----------------------------------------------------------------------------------------


def test_each_step_shows_the_numbers_of_one_edge():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    c = a * b
    c.label = "c"
    root = c + a
    root.label = "d"
    start, seed, *edges, end = passes.frames(graph.read(root))
    assert "every gradient is 0" in start["sentence"] and "d" in start["sentence"] and "node" not in start
    assert (seed["node"], seed["to"], seed["grad"]) == (3, 3, "1")
    assert [(e["node"], e["to"], e["grad"]) for e in edges] == [(3, 2, "1"), (3, 0, "1"), (2, 0, "−2"), (2, 1, "2")]
    assert edges[2]["product"] == "local −3 × incoming 1 = −3"
    assert edges[2]["sum"] == "grad of a: 1 + (−3) = −2"
    assert edges[2]["sentence"] == (
        "c passes a gradient back to a: local derivative −3 times incoming gradient 1 is −3. "
        "It is added to the 1 that had arrived before: the gradient of a is now −2."
    )
    assert "More will come: a is used 2 times." in edges[1]["sentence"]
    assert "This is its whole gradient." in edges[3]["sentence"]
    assert end["sentence"] == "Done. Each gradient says how fast d changes when that number does: a −2, b 2."


def test_a_node_without_a_label_is_called_by_what_made_it():
    a = Value(2.0, label="a")
    root = (a + 1).tanh() ** 2 * a
    called = ["a", "1", "a + 1", "tanh(a + 1)", "tanh(a + 1) ** 2", "(tanh(a + 1) ** 2) * a"]
    assert passes.names(graph.read(root)) == called
    for _ in range(60):
        root = root + root
    assert passes.names(graph.read(root))[-1] == "the + node"


def test_one_node_alone_has_a_lab():
    lab = labs.backprop(Value(3.0, label="a"))
    assert [len(steps) for steps in lab.runs["steps"].values()] == [3, 3, 3, 3]
    assert lab.runs["right"] == ["1"]


def test_numbers_that_json_does_not_know_arrive_as_text():
    x = Value(800.0, label="x")
    lab = labs.backprop(x.exp() * x.exp() - x.exp())
    assert "inf" in lab.runs["data"] and "nan" in lab.runs["right"]
    json.dumps([lab.runs, lab.graph, lab.leaves], allow_nan=False)


@pytest.mark.parametrize(
    ("number", "text"),
    [(2.0, "2"), (-0.5, "−0.5"), (0.70711, "0.7071"), (-0.0, "0"), (99999.96, "100000"), (1e5, "1e5"),
     (-1.5e-7, "−1.5e−7"), (-12345.678, "−12345.7"), (math.nan, "nan"), (-math.inf, "−inf")],
)  # fmt: skip
def test_short_numbers(number, text):
    assert passes.short(number) == text


# -- where the local derivatives come from ------------------------------------------------------------


@pytest.mark.parametrize("make", [Own, Lecture, Forward])
def test_an_operation_of_the_learners_own(make):
    x = make(0.5, label="x")
    root = x.sin() * x
    nodes = graph.read(root)
    expected = math.sin(0.5) + 0.5 * math.cos(0.5)
    assert dict(zip([n.label for n in nodes], passes.gradients(nodes)))["x"] == pytest.approx(expected)
    lab = labs.backprop(root)
    lab.set_state({"leaves": ["2"]})
    assert not lab.problem and not lab.graph["note"]
    assert lab.runs["right"][0] == passes.short(math.sin(2) + 2 * math.cos(2))


def test_what_edges_says_comes_first():
    """A learner's wrong local derivative must be seen, and not be put right behind their back."""
    x = Value(3.0, label="x")
    wrong = Value(9.0, "*", x, 1.0, x, 1.0)
    assert run(wrong)["x"] == 2


def test_a_name_that_means_something_else_is_not_believed():
    class Leaky(Forward):
        def relu(self):
            return Leaky(max(0.1 * self.data, self.data), "relu", self)

    x = Leaky(-2.0, label="x")
    assert run(x.relu())["x"] == pytest.approx(0.1)


def test_a_set_forgets_the_order_and_the_lab_finds_it():
    for _ in range(20):
        a, b = Lecture(5.0, label="a"), Lecture(2.0, label="b")
        assert run(a - b) == {"a": 1, "b": -1, "": 1}


def test_where_two_orders_give_the_same_number_the_node_itself_is_asked():
    for _ in range(20):
        a, b = Lecture(5.0, label="a"), Lecture(5.0, label="b")
        root = a - b
        before = state(root)
        lab = labs.backprop(root)
        leaves = {leaf["name"]: place for place, leaf in enumerate(lab.graph["leaves"])}
        assert run(root) == {"a": 1, "b": -1, "": 1} and state(root) == before
        # and the order is right for other numbers too
        lab.set_state({"leaves": ["7" if place == leaves["a"] else "5" for place in range(2)]})
        assert not lab.problem and lab.runs["data"][-1] == "2"


def test_a_minus_a_and_minus_a_are_told_apart_at_0():
    a = Lecture(0.0, label="a")
    assert run(a - a) == {"a": 0, "": 1}
    assert run(-a) == {"a": -1, "": 1}


def test_the_node_is_not_asked_where_every_order_gives_the_same():
    a, b = Lecture(5.0, label="a"), Lecture(5.0, label="b")
    root = a * b

    def explode():
        raise AssertionError("asked")

    root._backward = explode
    assert run(root) == {"a": 5, "b": 5, "": 1}


def sin(x):
    return Value(math.sin(x.data), "sin", x, math.cos(x.data))


def test_a_function_of_the_learners_is_handed_over_or_asked_for():
    x = Value(0.5, label="x")
    lab = labs.backprop(sin(x))
    assert lab.graph["fixed"]
    assert 'cannot be changed here: the class Value has no method for its operation "sin"' in lab.graph["note"]
    lab.set_state({"leaves": ["1"]})
    assert "shows the numbers from before" in lab.problem and lab.runs["data"][0] == "0.5"
    lab = labs.backprop(sin(x), operations={"sin": sin})
    lab.set_state({"leaves": ["1"]})
    assert not lab.problem and lab.runs["right"][0] == passes.short(math.cos(1))


def test_an_operation_that_nothing_is_known_about_is_refused_in_words():
    x = Forward(1.0)
    with pytest.raises(Unknown, match=r'no local derivative of the operation "mystery".*edges\(\)'):
        labs.backprop(Forward(2.0, "mystery", x))


def test_a_probe_leaves_the_objects_as_they_were():
    x = Lecture(0.5, label="x")
    root = x.sin()
    x.grad, root.grad = 7.0, 9
    before = state(root)
    assert graph.read(root)[-1].locals == (pytest.approx(math.cos(0.5)),)
    assert state(root) == before

    def explode():
        x.grad = 123.0
        raise RuntimeError("in the learner's own line")

    root._backward = explode
    with pytest.raises(RuntimeError, match="own line"):
        graph.read(root)
    assert (x.grad, root.grad) == (7.0, 9)


@pytest.mark.parametrize("exponent", [1 / 3, math.pi, -2.5, 7])
def test_an_exponent_that_its_name_has_rounded(exponent):
    x = Value(2.0)
    again = graph.compute_again(graph.read(x**exponent), {0: 3.0})
    assert again[-1].data == pytest.approx(3.0**exponent, rel=1e-12)
    assert again[-1].op == (x**exponent).op
    assert graph.compute_again(again, {0: 5.0})[-1].data == pytest.approx(5.0**exponent, rel=1e-12)


# -- the lab ------------------------------------------------------------------------------------------


def test_a_changed_leaf_changes_everything_and_nothing_of_the_learners():
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    root = a * b
    before = state(root)
    lab = labs.backprop(root)
    assert lab.leaves == ["2", "-3"] and [leaf["name"] for leaf in lab.graph["leaves"]] == ["a", "b"]
    lab.set_state({"leaves": ["2.5", "-3"]})
    assert lab.runs["data"] == ["2.5", "−3", "−7.5"] and lab.runs["right"] == ["−3", "2.5", "1"]
    assert "a −3, b 2.5" in lab.sentence and "b with data 2.5" not in lab.still().alt
    assert "data -7.5" in lab.still().alt
    assert state(root) == before


@pytest.mark.parametrize("text", ["", "two", "nan", "1e999", "0x10"])
def test_what_is_no_number_is_a_problem(text):
    lab = labs.backprop(Value(2.0, label="a") * 3)
    lab.set_state({"leaves": [text]})
    assert f"a needs a number, such as 2 or -0.5, and not {text!r}." in lab.problem
    lab.set_state({"leaves": ["4"]})
    assert lab.problem == "" and lab.runs["data"][0] == "4"


def test_what_the_learners_class_raises_is_a_problem():
    lab = labs.backprop(Value(2.0, label="a").log())
    lab.set_state({"leaves": ["-1"]})
    assert lab.problem.startswith("The graph still shows the numbers from before. ValueError: the logarithm of -1")
    assert "micrograd.py, line" in lab.problem
    assert lab.runs["data"] == ["2", "0.6931"]
    lab.set_state({"leaves": ["1"]})
    assert lab.problem == "" and lab.runs["data"] == ["1", "0"]


def test_leaves_without_a_label_are_offered_only_where_none_has_one():
    labelled = labs.backprop(Value(2.0, label="a") * 3 + 1)
    assert [leaf["name"] for leaf in labelled.graph["leaves"]] == ["a"]
    bare = labs.backprop(Value(2.0) * Value(3.0))
    assert [leaf["name"] for leaf in bare.graph["leaves"]] == ["leaf 1", "leaf 2"]


def test_numbers_that_are_older_than_the_leaves_are_noted():
    a = Value(2.0, label="a")
    root = a * a
    a.data = 5.0
    assert "its numbers are old" in labs.backprop(root).graph["note"]
    assert labs.backprop(a * a).graph["note"] == ""


def test_the_places_are_those_of_the_same_edges():
    a, b = Lecture(5.0, label="a"), Lecture(2.0, label="b")
    root = (a - b) * (b + b) * a
    lab = labs.backprop(root)
    nodes = graph.read(root)
    for layout in lab.graph["layouts"]:
        assert [(e["from"], e["to"]) for e in layout["edges"]] == [(p, c) for p, c, _ in passes.edges(nodes)]
        assert [n["label"] for n in layout["nodes"]] == [n.label for n in nodes]


def test_the_still_picture_has_the_final_gradients():
    lab = labs.backprop(doubled())
    data, _ = lab._repr_mimebundle_()
    assert data["text/plain"] == "The backward pass, step by step (lab)…"
    assert "a with data 3.0000 and gradient 2.0000" in data["text/html"]


def test_without_a_renderer_the_lab_says_so(monkeypatch):
    def missing(*args, **kwargs):
        raise draw.NoRenderer("install a renderer")

    monkeypatch.setattr(draw, "layout", missing)
    lab = labs.backprop(doubled())
    assert lab.graph["layouts"] == [] and lab.graph["missing"] == "install a renderer"
    assert lab.runs["names"] == ["a", "b = a + a"]


def test_a_graph_that_is_too_large_is_refused():
    node = Value(1.0)
    for _ in range(200_000):
        node = node + 1
    with pytest.raises(ValueError, match="more than 100 nodes.*draw one of its first nodes"):
        labs.backprop(node)


@pytest.mark.parametrize("root", [3, "a", None, ..., [Value(1.0)]])
def test_what_is_no_graph_is_refused(root):
    with pytest.raises(TypeError):
        labs.backprop(root)


def test_a_node_without_a_number_is_refused():
    with pytest.raises(TypeError, match="must hold one number"):
        labs.backprop(Forward([1.0], "+", Forward(1.0), Forward(2.0)))


# -- the page: the lab's own JavaScript in a browser, with a stand-in for the widget's model ------------

class BackpropPage(LabPage):
    traits = ("title", "problem", "graph", "runs", "leaves", "step", "overwrite", "unordered")

    def grads(self):
        return self.texts(".bp-grad.bp-number")


show = shows(BackpropPage)


def test_in_the_page_the_keyboard_walks_through_the_steps(show):
    lab = labs.backprop(doubled(times=2))
    page = show(lab)
    assert page.grads() == ["—", "—", "—"] and page.texts(".bp-sums span") == []
    page.press("Step", 3)
    assert page.say() == lab.runs["steps"][""][3]["sentence"]
    assert page.grads() == ["—", "2", "1"]
    assert page.texts(".bp-work .bp-label") == ["c"] and page.texts(".bp-gets .bp-label") == ["b"]
    assert page.texts(".bp-now text") == ["×1"] and page.page.locator(".bp-now path[marker-start]").count() == 1
    assert page.texts(".bp-sums span") == ["local 1 × incoming 1 = 1", "grad of b: 1 + 1 = 2"]
    page.press("Back")
    assert page.grads() == ["—", "1", "1"] and page.texts(".bp-gets .bp-grad") == ["grad…", "1"]
    page.press("step", key="End", role="slider")
    assert page.grads() == ["4", "2", "1"] and page.say().startswith("Done.")
    page.press("Step")
    assert page.grads() == ["4", "2", "1"]
    page.press("Reset", key="Space")
    assert page.grads() == ["—", "—", "—"]


def test_in_the_page_the_switches_show_the_wrong_ways(show):
    page = show(labs.backprop(doubled(times=2)))
    page.press("step", key="End", role="slider")
    assert page.texts(".bp-rule strong") == [] and not page.page.locator(".bp-wrong").count()
    page.press("no topological order", key="Space", role="switch")
    # the end of this run, although it is longer
    assert page.grads() == ["6", "2", "1"] and page.page.get_by_role("slider").input_value() == "8"
    assert page.texts(".bp-rule strong") == ["✗ each node, whenever reached:"]
    assert page.texts(".bp-wrong .bp-label") == ["a"] and page.texts(".bp-wrong .bp-name")[-1] == "grad ✗"
    assert [tag.is_visible() for tag in page.page.locator(".bp-right").all()] == [True, False, False]
    assert page.texts(".bp-wrong .bp-right") == ["right: 4"]
    page.press("no topological order", key="Space", role="switch")
    page.press("overwrite instead of add", key="Space", role="switch")
    assert page.grads() == ["1", "1", "1"] and page.texts(".bp-wrong .bp-right") == ["right: 4", "right: 2"]
    assert page.texts(".bp-rule strong") == ["✗ parent.grad = local × node.grad"]


def test_in_the_page_play_goes_to_the_end_and_can_be_paused(show):
    # long enough that it is not over before a slow machine presses "Pause"
    page = show(labs.backprop(doubled(times=30)))
    page.page.clock.install()
    page.press("Fast")
    page.press("Pause")
    paused = page.say()
    page.page.clock.fast_forward(500)
    page.drawn()
    assert page.say() == paused and not paused.startswith("Done")
    page.press("step", key="End", role="slider")
    page.press("Back", 3)
    page.press("Fast")
    page.page.locator(".ll-sentence", has_text="Done.").wait_for(timeout=30_000)
    page.drawn()
    assert page.page.get_by_role("button", name="Fast", exact=True).count() == 1
    page.press("Play")
    assert set(page.grads()) == {"—"}, "at the end it begins again"
    page.page.evaluate("() => dispose()")


def test_in_the_page_a_leaf_is_changed_in_its_field(show):
    lab = labs.backprop(doubled())
    page = show(lab)
    field = page.page.get_by_role("spinbutton", name="a")
    field.focus()
    page.drawn()
    assert page.texts(".bp-picked .bp-label") == ["a"]
    field.press("ControlOrMeta+a")
    page.page.keyboard.type("-")
    # an answer to what was typed before must not wipe out what is half typed now
    page.page.evaluate("runs => model.set('runs', runs)", lab.runs)
    page.page.keyboard.type("2.5")
    page.drawn()
    assert page.page.evaluate("() => sent.at(-1).leaves") == ["-2.5"]
    lab.set_state({"leaves": ["-2.5"]})
    page.page.evaluate("runs => model.set('runs', runs)", lab.runs)
    page.drawn()
    assert page.texts(".bp-data.bp-number") == ["−2.5", "−5"]
    field.press("ControlOrMeta+a")
    field.press("Delete")
    field.press("Tab")
    assert field.input_value() == "-2.5", "an empty field is filled again"


def test_in_the_page_many_leaves_are_behind_a_choice(show):
    leaves = [Value(i, label=f"x{i}") for i in range(9)]
    page = show(labs.backprop(sum(leaves[1:], leaves[0])))
    assert page.page.get_by_role("spinbutton").count() == 1
    page.page.get_by_role("combobox", name="leaf").focus()
    page.page.get_by_role("combobox", name="leaf").select_option("x7")
    page.drawn()
    assert page.texts(".bp-picked .bp-label") == ["x7"]
    page.press("number", key="ArrowUp", role="spinbutton")
    assert page.page.evaluate("() => sent.at(-1).leaves") == ["0", "1", "2", "3", "4", "5", "6", "8", "8"]


def test_in_the_page_the_learners_text_is_text(show):
    evil = "<script>alert(1)</script>"
    root = Value(2.0, label=evil) * 3
    root.label = "<img src=x onerror=alert(1)>"
    lab = labs.backprop(root)
    page = show(lab)
    page.press("Step", 2)
    assert page.page.locator("script, img").count() == 0
    assert evil in page.say() and root.label in page.say()
    assert page.texts(".bp-card title")[0] == evil
    assert "<script" not in lab.still().data.decode() and "<script" not in lab._repr_mimebundle_()[0]["text/html"]


def neuron():
    x1, x2, w1, w2 = (Value(x, label=name) for x, name in ((2, "x1"), (0, "x2"), (-3, "w1"), (1, "w2")))
    return (x1 * w1 + x2 * w2 + Value(6.8813735870195432, label="b")).tanh()


@pytest.mark.parametrize("width", [1000, 620, 340])
def test_in_the_page_nothing_is_cut_or_overlaps(show, width):
    lab = labs.backprop(neuron())
    page = show(lab, width=width)
    for _ in lab.runs["steps"][""]:
        boxes = page.page.evaluate("""() => ({
            inside: [...document.querySelectorAll('.bp-card, .bp-edge text')].map(card => {
                const a = card.getBoundingClientRect(), b = card.closest('svg').getBoundingClientRect();
                return a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
            }),
            cards: [...document.querySelectorAll('.bp-body')].map(card => card.getBoundingClientRect().toJSON()),
            texts: [...document.querySelectorAll('.bp-edge text')].map(text => text.getBoundingClientRect().toJSON()),
            // two texts on one line of a card: the name on the left ends before the number on the right begins
            lines: [...document.querySelectorAll('.bp-card')].every(card => ['data', 'grad'].every(row => {
                const [name, number] = card.querySelectorAll(`.bp-${row}`);
                return name.getBoundingClientRect().right < number.getBoundingClientRect().left;
            })),
            wide: document.documentElement.scrollWidth <= innerWidth,
            whole: document.querySelector('.bp-room').scrollWidth <= document.querySelector('.bp-room').clientWidth,
            work: [...document.querySelectorAll('.bp-work, .bp-gets')].every(card => {
                const a = card.getBoundingClientRect(), b = document.querySelector('.bp-room').getBoundingClientRect();
                return a.right > b.left && a.left < b.right && a.bottom > b.top && a.top < b.bottom;
            }),
        })""")
        assert all(boxes["inside"]) and boxes["lines"] and boxes["wide"] and boxes["work"]
        assert boxes["whole"] == (width > 400), "only on a telephone the graph of a neuron is wider than the page"
        cards = boxes["cards"]
        assert not any(overlap(a, b, lower=0, narrower=0) for i, a in enumerate(cards) for b in cards[:i])
        assert not any(overlap(text, card, lower=0, narrower=0) for text in boxes["texts"] for card in cards)
        page.press("Step")


def test_in_the_page_without_a_renderer_the_graph_is_a_table(show, monkeypatch):
    def missing(*args, **kwargs):
        raise draw.NoRenderer("install a renderer")

    monkeypatch.setattr(draw, "layout", missing)
    page = show(labs.backprop(doubled(times=2)))
    assert page.texts(".bp-room .bp-note") == ["install a renderer Here it is as a table:"]
    page.press("overwrite instead of add", key="Space", role="switch")
    page.press("step", key="End", role="slider")
    assert page.texts("tbody tr:first-child td") == ["a", "3", "1", "✗ right: 4"]
    assert page.texts("tbody tr:last-child td") == ["c = b + b", "12", "1", ""]


def test_in_the_page_leaves_that_cannot_be_changed_are_locked_with_a_reason(show):
    page = show(labs.backprop(sin(Value(0.5, label="x"))))
    assert page.page.get_by_role("spinbutton", name="x").is_disabled()
    assert "has no method for its operation" in page.page.locator(".bp-note").inner_text()
