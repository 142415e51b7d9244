"""The still picture of the sampling lab: the text, and the candidates of the place that is looked at."""

import numpy as np

from lesson_lib import draw
from lesson_lib.draw import colors
from lesson_lib.labs.signs import drawable
from lesson_lib.labs.tokens import two

WIDTH, HEIGHT = 940, 440  # in pixels of the page
ROWS, PITCH, FIRST = 12, 22, 106  # the candidates: how many, how high, where they begin
LEFT, BAR, COLUMNS = 486, 38, 168  # where their part begins; in it the bars, and the room right of these
CELL, LINE, LINES = 10.4, 33, 12  # of the text: how wide a sign is, how high a line, how many of them


def picture(lab):
    """Return a `draw.Picture` of the lab as it stands."""
    from matplotlib.figure import Figure

    ids, written = lab.numbers_of(lab.prompt), lab.numbers_of(lab.written)
    # far beyond the block each place is a pass of its own: then the picture goes without the surprises
    read = len(ids) + len(written) <= lab.program["room"] or len(written) <= 100
    surprises = lab.surprises() if read else []
    with draw.house_style():
        fig = Figure(figsize=(WIDTH / 100, HEIGHT / 100), facecolor=colors.PAPER, layout="none")
        ax = fig.add_axes((0, 0, 1, 1))
        ax.axis("off")
        sheet = _Sheet(ax, lab)
        sheet.text(ids, written, surprises)
        sheet.candidates()
        ax.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0), aspect="auto")
        return draw.figure(fig, _in_words(lab, written, surprises))


class _Sheet:
    """Draws on axes whose units are the pixels of the page, y downward."""

    def __init__(self, ax, lab):
        self.ax, self.lab = ax, lab
        # a code point's number, such as 200D, has no room between the others
        self.signs = [drawable(label) if len(label) < 3 else "□" for label in lab.labels]

    def words(self, x, y, text, **look):
        self.ax.text(x, y, text, **{"va": "center", "fontsize": 9.5, "parse_math": False} | look)

    def box(self, x, y, width, height, **look):
        from matplotlib.patches import Rectangle

        self.ax.add_patch(Rectangle((x, y), width, height, **{"facecolor": "none", "edgecolor": colors.INK} | look))

    def text(self, prompt, written, surprises):
        place = self.lab.place
        places, column, line = [], 0, 0
        for n, i in enumerate([*prompt, *written, None]):
            if column >= (LEFT - 44) // CELL:
                column, line = 0, line + 1
            places.append((n - len(prompt), i, column, line))
            column, line = (0, line + 1) if i is not None and self.lab.vocabulary[i] == "\n" else (column + 1, line)
        looked = places[len(prompt) + place][3]
        first = max(0, min(looked - LINES // 2, line - LINES + 1))
        for n, i, column, line in places:
            if not first <= line < first + LINES:
                continue
            x, y = 14 + column * CELL, 24 + (line - first) * LINE
            if n == place:
                self.box(x - 1, y - 11, CELL + 2, 22, facecolor=colors.HIGHLIGHT, linewidth=1.6, zorder=1)
            if i is None:
                continue
            color = colors.DATA if n >= 0 and n != place else colors.INK if n == place else colors.MUTED
            faint = {"alpha": 0.5} if self.signs[i] in "␣⏎" and n != place else {}
            font = {"fontsize": 10.5, "family": ["DejaVu Sans Mono", "DejaVu Sans"]}
            look = {"ha": "center", "color": color, "zorder": 3} | font
            self.words(x + CELL / 2, y, self.signs[i], **look, **faint)
            if 0 <= n < len(surprises):
                high = min(9, 1.5 * surprises[n])
                self.box(x, y + 20 - high, CELL, high, facecolor=colors.DATA, edgecolor="none", zorder=2)

    def candidates(self):
        lab, width = self.lab, WIDTH - LEFT - 12
        order, chances, own = lab.order(), lab.chances(), lab.own_chances()
        falls, end = lab.drawn(), lab.place == len(lab.written)
        here = falls if end else lab.numbers_of(lab.written)[lab.place]
        title = "the next character" if end else f"character {lab.place + 1} of {len(lab.written)}"
        self.words(LEFT, 14, title, weight="bold")
        x = LEFT
        for k, i in enumerate(order):
            wide = chances[i] * width
            if wide >= 1 or i == falls:
                face = colors.HIGHLIGHT if i == falls else colors.tint(colors.DATA, 0.2 if k % 2 else 0.42)
                self.box(x, 26, wide, 22, facecolor=face, edgecolor=colors.INK if i == falls else "none")
                if wide >= 13:
                    self.words(x + wide / 2, 37, self.signs[i], ha="center", fontsize=8.5)
            x += wide
        self.box(LEFT, 26, width, 22, edgecolor=colors.MUTED, linewidth=0.8)
        at = LEFT + lab.die() * width
        self.ax.plot([at], [52], marker="^", color=colors.INK, markersize=6)
        side = {"ha": "right", "x": at - 9} if at > WIDTH - 110 else {"ha": "left", "x": at + 9}
        self.words(y=60, text=f"the die: {two(lab.die())}", fontsize=8.5, **side)

        full = width - BAR - COLUMNS
        columns = {"share": LEFT + BAR + full + 52, "own": LEFT + BAR + full + 98}
        for text, x in columns.items():
            self.words(x, FIRST - 11, text, ha="right", fontsize=8.5, color=colors.MUTED)
        listed = list(order[:ROWS])
        for i in here, falls:
            if i not in listed:
                listed[ROWS:] = [i]
        for k, i in enumerate(listed):
            y, cut = FIRST + k * PITCH, chances[i] == 0
            if i == here:
                self.box(LEFT + 1, y, width - 2, PITCH - 1, facecolor=colors.HIGHLIGHT, linewidth=0.9)
            color = {"color": colors.MUTED if cut else colors.INK}
            self.words(LEFT + 18, y + 10, self.signs[i], ha="center", weight="bold", fontsize=10.5, **color)
            self.box(LEFT + BAR, y + 4, chances[i] * full, PITCH - 9, facecolor=colors.DATA, edgecolor="none")
            hatch = {"hatch": "////", "edgecolor": colors.MUTED} if cut else {}
            self.box(LEFT + BAR, y + 4.5, max(0.5, own[i] * full), PITCH - 10, **{"linewidth": 0.9} | hatch)
            self.words(columns["share"], y + 11, "cut" if cut else _part(chances[i]), ha="right", fontsize=8.5, **color)
            self.words(columns["own"], y + 11, _part(own[i]), ha="right", fontsize=8.5, color=colors.MUTED)
            mark = ("◂ next" if end else "◂ drawn" if i == falls else "◂ in text") if i == here else ""
            self.words(columns["own"] + 9, y + 11, mark or ("▴ die" if i == falls else ""), fontsize=8.5)
        rest = [i for i in order if i not in listed]
        if rest:
            text = f"{len(rest)} other{'s' * (len(rest) > 1)}, together {_part(chances[rest].sum())}"
            self.words(LEFT + BAR, FIRST + (ROWS + 1) * PITCH + 12, text, fontsize=8.5, color=colors.MUTED)


def _in_words(lab, written, surprises):
    order, chances, own, falls = lab.order(), lab.chances(), lab.own_chances(), lab.drawn()
    end = lab.place == len(written)
    here = falls if end else written[lab.place]
    what = "The next character will be" if end else f"Character {lab.place + 1} of the {len(written)} written is"
    share = f"{what} {lab.names[here]}, with a share of {_part(chances[here])} (the model's own: {_part(own[here])})"
    best = ", ".join(f"{lab.names[i]} {_part(chances[i])}" for i in order[:5])
    cut = int((chances == 0).sum())
    how = f"temperature {lab.temperature:g}, {f'top-k cuts {cut} of the {len(own)}' if cut else 'no character cut'}"
    loss = f" On average what is written surprises the model by {two(np.mean(surprises))}." if surprises else ""
    return (
        f"A text: {lab.prompt + lab.written!r}. {share}; the die is {two(lab.die())}. The most probable, at {how}: "
        f"{best}.{loss}"
    )


def _part(number):
    return "<0.01" if 0 < number < 0.005 else two(number)
