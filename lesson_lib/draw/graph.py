"""Draw an expression graph: a card for each node, and an arrow from each parent to what is made from it."""

from xml.sax.saxutils import escape

from lesson_lib.draw import colors
from lesson_lib.draw.nodes import describe, is_backward_done, listing, number, read
from lesson_lib.draw.picture import Picture, TextPicture
from lesson_lib.draw.place import INSTALL, LINE, PAD, SIZE, SMALL, NoRenderer, cards, place

FONT = "'DejaVu Sans Mono',Menlo,Consolas,'Liberation Mono',monospace"


def graph(root, alt=None):
    """Return a Picture (SVG) of the expression graph that ends in root.

    Each node is a card with its label, its data (blue) and its gradient (vermillion; grey while all are 0).
    A dark field on the left of a card names the operation that made it; a leaf has no such field, and
    round corners. Nodes of any class will do: the parents are found by `edges()`, else by `left` and
    `right`, `parents` or `_prev`, the operation by `op` or `_op`; label and gradient may be missing.
    The same graph gives the same bytes on every run.

    Raises TypeError where root is no node of a graph, and ValueError for more than 200 nodes.
    Where no renderer is installed it returns a TextPicture: the same graph, one line for each node.
    """
    nodes = read(root)
    alt = alt or describe(nodes)
    numbers = [node.data for node in nodes] + [node.grad for node in nodes if node.grad is not None]
    try:
        plan = place(nodes, cards(nodes, max(len(number(x)) for x in numbers)))
    except NoRenderer:
        return TextPicture(f"{INSTALL} Here it is as text:\n\n{listing(nodes)}", alt)
    # the smallest text may shrink to 10 pixels, and no further
    least = plan["width"] * 10 / SMALL
    return Picture(_svg(nodes, plan).encode(), "image/svg+xml", alt, width=plan["width"], min_width=least)


def _svg(nodes, plan):
    width, height = plan["width"], plan["height"]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="{FONT}" font-size="{SIZE}">',
        f'<rect width="{width}" height="{height}" fill="{colors.PAPER}"/>',
    ]
    for edge in plan["edges"]:
        parts.append(f'<path d="{edge["path"]}" fill="none" stroke="{colors.MUTED}" stroke-width="1.3"/>')
        parts.append(f'<polygon points="{edge["arrow"]}" fill="{colors.MUTED}"/>')
    grad_color = colors.GRADIENT_TEXT if is_backward_done(nodes) else colors.MUTED
    for node, where in zip(nodes, plan["nodes"]):
        parts.extend(_card(node, where, grad_color))
    return "\n".join([*parts, "</svg>", ""])


def _card(node, where, grad_color):
    x, y, width, height, strip = (where[key] for key in ("x", "y", "width", "height", "strip"))
    corner = 12 if where["leaf"] else 3
    yield (
        f'<rect x="{x:g}" y="{y:g}" width="{width}" height="{height}" rx="{corner}" '
        f'fill="{colors.PAPER}" stroke="{colors.INK}" stroke-width="1.2"/>'
    )
    if strip:
        yield f'<rect x="{x:g}" y="{y:g}" width="{strip}" height="{height}" rx="{corner}" fill="{colors.INK}"/>'
        size = 16 if len(where["op"]) == 1 else SIZE
        yield _text(where["op"], x + strip / 2, y + height / 2 + size * 0.35, colors.PAPER, "middle", size, bold=True)

    left, right, line = x + strip + PAD, x + width - PAD, y + LINE - 2
    if where["label"]:
        yield _text(where["label"], left, line, colors.INK, bold=True)
        line += LINE
    rows = [("data", node.data, colors.DATA), ("grad", node.grad, grad_color)]
    for name, value, color in rows if node.grad is not None else rows[:1]:
        yield _text(name, left, line, color, size=SMALL)
        yield _text(number(value), right, line, color, "end")
        line += LINE


def _text(text, x, y, color, anchor="start", size=SIZE, bold=False):
    look = (f' font-size="{size}"' if size != SIZE else "") + (' font-weight="bold"' if bold else "")
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}"{look}>{escape(text)}</text>'
