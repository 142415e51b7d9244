"""The still picture of the attention lab: the arcs, the maps, and what comes next, as the page draws them."""

import numpy as np

from lesson_lib import draw
from lesson_lib.draw import colors
from lesson_lib.labs.signs import drawable
from lesson_lib.labs.tokens import two

WIDTH, MAP, MEAN, BAR = 940, 288, 104, 23  # in pixels of the page
TOP, BOX, MAPS = 104, 46, 262  # where the tokens begin, how high they are, where the maps begin
NOTHING = "The text is empty: there is nothing to attend to."


def picture(lab, maps, probabilities):
    """Return a `draw.Picture` of the lab as it stands: maps are (H, T, T) for each layer, probabilities (T, V)."""
    from matplotlib.figure import Figure

    T = len(probabilities)
    with draw.house_style():
        height = MAPS + MAP + 16 if T else 90
        fig = Figure(figsize=(WIDTH / 100, height / 100), facecolor=colors.PAPER, layout="none")
        ax = fig.add_axes((0, 0, 1, 1))
        ax.axis("off")
        if T:
            sheet = _Sheet(ax, lab, T)
            sheet.tokens(maps[lab.layer - 1][lab.head_index()])
            sheet.maps(maps)
            sheet.next(probabilities[lab.position - 1])
        else:
            ax.text(WIDTH / 2, height / 2, NOTHING, ha="center", va="center")
        ax.set(xlim=(0, WIDTH), ylim=(height, 0), aspect="auto")
        return draw.figure(fig, _in_words(lab, maps, probabilities))


class _Sheet:
    """Draws on axes whose units are the pixels of the page, y downward."""

    def __init__(self, ax, lab, T):
        self.ax, self.lab, self.T, self.t = ax, lab, T, lab.position - 1
        self.signs = [drawable(lab.labels[i]) for i in lab.ids()]
        self.average = lab.average()

    def words(self, x, y, text, **look):
        self.ax.text(x, y, text, **{"va": "center", "fontsize": 9.5, "parse_math": False} | look)

    def box(self, x, y, width, height, **look):
        from matplotlib.patches import Rectangle

        self.ax.add_patch(Rectangle((x, y), width, height, **{"facecolor": "none", "edgecolor": colors.INK} | look))

    def tokens(self, chosen):
        T, t, weights, average = self.T, self.t, chosen[self.t], self.average[self.t]
        size = min(76, (WIDTH - 100) / T)
        self.words(10, TOP - 24, "attention", weight="bold")
        self.words(10, TOP + BOX + 14, "average", weight="bold")
        self.words(10, TOP + BOX + 32, f"{two(average.max())} each", color=colors.MUTED)
        for i, sign in enumerate(self.signs):
            x, off = 96 + i * size, self.lab.mask and i > t
            paper = colors.tint(colors.GRID, 0.55) if off else colors.HIGHLIGHT if i == t else colors.PAPER
            edge, line = (colors.INK, 2.2) if i == t else (colors.MUTED, 0.8)
            look = {"facecolor": paper, "edgecolor": edge, "linewidth": line, "linestyle": ":" if off else "-"}
            self.box(x + 1.5, TOP, size - 3, BOX, **look, zorder=2)
            middle = {"ha": "center", "zorder": 4}
            self.words(x + size / 2, TOP + 14, sign, fontsize=min(12, 0.42 * size), weight="bold", **middle)
            if off:
                continue
            shade = colors.tint(colors.ATTENTION, _share(weights[i]))
            self.box(x + 3, TOP + 26, size - 6, BOX - 28, facecolor=shade, edgecolor="none", zorder=3)
            if size >= 24:
                self.words(x + size / 2, TOP + 35, two(weights[i]), fontsize=8.5 if size > 30 else 6.5, **middle)
            here, there = 96 + (t + 0.5) * size, 96 + (i + 0.5) * size
            if weights[i] >= 0.005:
                look = {"linewidth": 0.8 + 0.7 * min(9, size / 2) * weights[i], "alpha": 0.35 + 0.6 * weights[i]}
                self.arc(here, there, TOP - 2, 86, size, **look)
            self.arc(here, there, TOP + BOX + 2, -38, size, linewidth=1, linestyle="--")

    def arc(self, here, there, y, rise, size, **look):
        from matplotlib.patches import PathPatch
        from matplotlib.path import Path

        if here == there:
            near, far = min(9, size / 4), min(28, size / 2)
            points = [(here - near, y), (here - far, y - 0.45 * rise), (here + far, y - 0.45 * rise), (here + near, y)]
        else:
            high = rise * (0.26 + 0.7 * abs(there - here) / ((self.T - 1) * size)) / 0.75
            points = [(here, y), (here, y - high), (there, y - high), (there, y)]
        path = Path(points, [Path.MOVETO, *[Path.CURVE4] * 3])
        self.ax.add_patch(PathPatch(path, facecolor="none", edgecolor=colors.ATTENTION, capstyle="butt", **look))

    def maps(self, maps):
        lab, T, y0 = self.lab, self.T, MAPS + 8
        side = min(44, MAP / T) * T
        chosen, cell = maps[lab.layer - 1][lab.head_index()], side / T
        self.words(30, MAPS - 28, lab.map_name(), weight="bold")
        self.map(chosen, 30, y0, side)
        for i, sign in enumerate(self.signs if T <= 40 else []):
            size = min(10, 0.72 * cell)
            self.words(30 + (i + 0.5) * cell, y0 - 9, sign, ha="center", fontsize=size)
            weight = "bold" if i == self.t else "normal"
            self.words(22, y0 + (i + 0.5) * cell, sign, ha="right", fontsize=size, weight=weight)
        for p, i in np.ndindex(T, T) if cell >= 27 else ():
            if i <= p or not lab.mask:
                place = (30 + (i + 0.5) * cell, y0 + (p + 0.5) * cell)
                self.words(*place, two(chosen[p, i]), ha="center", fontsize=min(8.5, cell / 4), zorder=4)

        self.words(366, MAPS - 28, "all layers and heads", weight="bold")
        number = {"color": colors.MUTED, "fontsize": 8}
        small = min(MEAN, 218 / max(map(len, maps)) - 5, (MAP + 4) / len(maps) - 5)
        for layer, heads in enumerate(maps):
            self.words(376, y0 + layer * (small + 5) + small / 2, str(layer + 1), ha="right", **number)
            for head, weights in enumerate(heads):
                x, y = 384 + head * (small + 5), y0 + layer * (small + 5)
                self.map(weights, x, y, small, marked=False)
                if (layer, head) == (lab.layer - 1, lab.head_index()):
                    self.box(x, y, small, small, linewidth=2.6, zorder=6)
        for head in range(max(map(len, maps))):
            x = 384 + head * (small + 5) + small / 2
            self.words(x, y0 - 9, str(head + 1), ha="center", **number)

        self.words(640, MAPS - 28, "the average", weight="bold")
        self.map(self.average, 640, MAPS - 12, MEAN)

    def map(self, weights, x, y, side, marked=True):
        T = self.T
        image = np.stack(colors.tint(colors.ATTENTION, _share(weights)), axis=-1)
        if self.lab.mask:
            image[np.triu_indices(T, 1)] = colors.tint(colors.GRID, 0.55)
        self.ax.imshow(image, extent=(x, x + side, y + side, y), interpolation="nearest", zorder=2)
        self.box(x, y, side, side, edgecolor=colors.MUTED, linewidth=0.8, zorder=3)
        if marked:
            self.box(x, y + self.t * side / T, side, side / T, linewidth=1.8, zorder=5)

    def next(self, chances):
        y = MAPS + MEAN + 20
        self.words(640, y, "what comes next", weight="bold")
        for k, i in enumerate(np.argsort(-chances, kind="stable")[:5]):
            middle = y + 24 + k * BAR
            self.words(672, middle, drawable(self.lab.labels[i]), ha="right", fontsize=10.5, weight="bold")
            self.box(684, middle - 8, max(1, 200 * chances[i]), 16, facecolor=colors.DATA, edgecolor="none")
            self.words(690 + 200 * chances[i], middle, two(chances[i]))


def _share(weight):
    # the root, so that small weights can be seen; in 40 steps, so that the file's palette has room for all colours
    return np.round(40 * 0.85 * np.sqrt(weight)) / 40


def _in_words(lab, maps, probabilities):
    if not len(probabilities):
        return NOTHING
    t, T = lab.position - 1, len(probabilities)
    row, chances = maps[lab.layer - 1][lab.head_index()][t], probabilities[t]
    names = [lab.names[i] for i in lab.ids()]
    most = np.argsort(-row[: t + 1 if lab.mask else T], kind="stable")[:5]
    terms = ", ".join(f"{names[i]} (position {i + 1}) {two(row[i])}" for i in most)
    switches = f"Mask {_on(lab.mask)}, division by √head_size {_on(lab.divide)}"
    weights = f"{'trained' if lab.trained else 'untrained'} weights"
    return (
        f"{lab.map_name().capitalize()}: {names[t]}, position {t + 1} of {T}, listens most to {terms}; the average "
        f"would give each {two(lab.average()[t].max())}. {switches}, {weights}. "
        f"Most probable next: {lab.names[int(chances.argmax())]}, {two(chances.max())}."
    )


def _on(switch):
    return "on" if switch else "off"
