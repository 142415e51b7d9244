"""Draw tensors as tables of numbers, to show their shapes."""

from lesson_lib.draw import colors

# inches for the side of a square, which holds one number
SIDE = 0.5


def sheet(width, height):
    """Return a matplotlib figure and its axes, empty, `width` squares wide and `height` squares high.

    In its coordinates a square has the side 1, and (0, 0) is at the bottom left.
    """
    from matplotlib.figure import Figure

    fig = Figure(figsize=(width * SIDE, height * SIDE))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height))
    ax.axis("off")
    return fig, ax


def table(ax, left, top, rows, title="", *, color=colors.DATA, marked=(), dashed=()):
    """Draw `rows`, a list of lists of numbers, into the axes of a `sheet`, with the title above it.

    Its top left corner is at (left, top), so row i, column j has its middle at (left + j + 0.5, top - i - 0.5).
    `marked` and `dashed` hold pairs (i, j): those squares are yellow, or have a dashed border and grey numbers.
    """
    from matplotlib.patches import Rectangle

    for i, row in enumerate(rows):
        for j, number in enumerate(row):
            face = colors.HIGHLIGHT if (i, j) in marked else colors.PAPER
            edge, ink, style = (colors.MUTED, colors.MUTED, "--") if (i, j) in dashed else (color, colors.INK, "-")
            look = {"facecolor": face, "edgecolor": edge, "linestyle": style, "linewidth": 1.6}
            ax.add_patch(Rectangle((left + j + 0.05, top - i - 0.95), 0.9, 0.9, **look))
            ax.text(left + j + 0.5, top - i - 0.52, f"{number:g}", ha="center", va="center", color=ink)
    ax.text(left + len(rows[0]) / 2, top + 0.15, title, ha="center", va="bottom")
