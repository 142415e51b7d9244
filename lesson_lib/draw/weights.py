"""Draw (T, T) matrices: the weights with which each position takes from each other one, and the logits below them."""

import math

from lesson_lib.draw import colors
from lesson_lib.draw.curves import figure, house_style

# up to so many rows and columns the cells hold their numbers
READABLE = 8


def weights(panels, tokens=None, *, columns=None, alt=None):
    """Return a Picture (PNG) with one panel for each matrix: row t takes from column i.

    `panels` maps a panel's title to a (T, S) matrix: a tensor, an array or a list of lists. The darker the green, the
    larger the number; grey is below 0; minus infinity is hatched and written −∞. All matrices of weights, from 0 to 1,
    have the same shades, and so have all others. `tokens` name the T rows, and the S
    columns too, where those have no names of their own in `columns`; without them rows and columns are numbered.

    Raises ValueError for no matrix, for one that is not a table, for nan or infinity in one, and where the number of
    names does not fit.
    """
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure
    from matplotlib.patches import Rectangle

    if not panels:
        raise ValueError("there is nothing to draw: give at least one title with its matrix")
    tables = {title: _table(title, matrix) for title, matrix in panels.items()}
    names = {title: _names(title, table.shape, tokens, columns) for title, table in tables.items()}
    largest = {True: 1e-12, False: 1e-12}  # of the weights, and of what is none
    for table in tables.values():
        kind = _holds_weights(table)
        largest[kind] = max(largest[kind], np.abs(table[np.isfinite(table)]).max(initial=0.0))
    shades = LinearSegmentedColormap.from_list("house", [colors.MUTED, colors.PAPER, colors.ATTENTION])
    widths = [table.shape[1] for table in tables.values()]
    cell = 0.62 if max(max(table.shape) for table in tables.values()) <= READABLE else 0.3
    with house_style():
        height = cell * max(table.shape[0] for table in tables.values()) + 1.5
        fig = Figure(figsize=(sum(max(cell * width, 1.6) + 1.0 for width in widths), height))
        axes = fig.subplots(1, len(tables), squeeze=False, width_ratios=widths)[0]
        for ax, (title, table) in zip(axes, tables.items()):
            shown, most = np.where(np.isfinite(table), table, 0.0), largest[_holds_weights(table)]
            ax.imshow(shown, cmap=shades, vmin=-most, vmax=most, interpolation="nearest")
            readable = max(table.shape) <= READABLE
            for (row, column), number in np.ndenumerate(table):
                if number == -math.inf:
                    look = {"facecolor": colors.PAPER, "edgecolor": colors.MUTED, "hatch": "////", "linewidth": 0}
                    ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, **look))
                if readable:
                    dark = math.isfinite(number) and abs(number) > 0.75 * most
                    box = {"facecolor": colors.PAPER, "edgecolor": "none", "pad": 1.5} if number == -math.inf else None
                    ink = colors.PAPER if dark else colors.INK
                    ax.text(column, row, short(number), ha="center", va="center", color=ink, fontsize=11, bbox=box)
            rows, heads = names[title]
            ax.set_xticks(range(table.shape[1]), heads, parse_math=False)
            ax.set_yticks(range(table.shape[0]), rows, parse_math=False)
            ax.set_xticks(np.arange(table.shape[1] - 1) + 0.5, minor=True)
            ax.set_yticks(np.arange(table.shape[0] - 1) + 0.5, minor=True)
            ax.grid(False)
            ax.grid(True, which="minor", color=colors.GRID, linewidth=1)
            ax.tick_params(which="both", length=0)
            ax.set(title=title, xlabel="takes from")
            ax.spines[["top", "right"]].set_visible(True)
        axes[0].set_ylabel("position")
        return figure(fig, alt or _in_words(tables, names))


def short(number):
    """Return the number with two decimals, from 100 on with none: 0, 0.33, 1, −1.5, −11.25, −∞."""
    if number == -math.inf:
        return "−∞"
    number = round(number, 2) + 0.0  # + 0.0, so that there is no -0
    return f"{number:.{4 if abs(number) < 100 else 3}g}".replace("-", "−")


def _holds_weights(table):
    return table.min() >= 0 and table.max() <= 1 + 1e-6


def _table(title, matrix):
    import numpy as np

    matrix = matrix.detach().cpu().double().numpy() if hasattr(matrix, "detach") else matrix
    table = np.array(matrix, dtype=float)
    if table.ndim != 2 or not table.size:
        raise ValueError(f"{title!r} must be a matrix with rows and columns, and its shape is {table.shape}")
    if np.isnan(table).any() or (table == math.inf).any():
        raise ValueError(f"{title!r} holds nan or infinity, which have no shade (only minus infinity has)")
    return table


def _names(title, shape, tokens, columns):
    columns = tokens if columns is None else columns
    found = []
    for names, count, kind in ((tokens, shape[0], "rows"), (columns, shape[1], "columns")):
        names = [str(i) for i in range(count)] if names is None else [{" ": "␣", "\n": "⏎"}.get(n, n) for n in names]
        if len(names) != count:
            raise ValueError(f"{title!r} has {count} {kind}, and there are {len(names)} names for them")
        found.append(names)
    return found


def _in_words(tables, names):
    words = []
    for title, table in tables.items():
        rows, heads = names[title]
        if max(table.shape) > READABLE:
            words.append(f"{title}: a matrix of {table.shape[0]} by {table.shape[1]} shades.")
            continue
        lines = "; ".join(f"{name}: {', '.join(map(short, row))}" for name, row in zip(rows, table))
        words.append(f"{title}, row by row, taking from {', '.join(heads)}: {lines}.")
    return " ".join(words)
