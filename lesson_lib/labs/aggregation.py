"""The aggregation lab: a (T, T) matrix of weights, the tokens' vectors, and what each position takes from others."""

import numpy as np
from traitlets import Bool, Enum, Int, List, TraitError, Unicode, validate

from lesson_lib import draw
from lesson_lib.draw import colors
from lesson_lib.labs.base import HERE, Lab, script, style
from lesson_lib.labs.signs import drawable, mark
from lesson_lib.labs.tokens import label, matrix, name_of, read_tokens, short, vectors_of

WAYS = ("loop", "triangular", "softmax")
MOST = 8  # tokens
FARTHEST = 1_000_000  # a larger number in a vector has no place in a cell
NUMBERS = (0.0, 4.0)  # of the triangular matrix
LOGITS = (-4.0, 4.0)


class Aggregation(Lab):
    """The widget behind `labs.aggregation`. The page computes and draws everything; T is the number of tokens.

    labels: T texts, the tokens as a picture shows them; names: as a sentence does. legend: the signs in them that
        need words, as pairs (sign, meaning). x: T vectors of two floats.
    order: at position t stands token order[t], and vector order[t]. All else counts in positions.
    way: one of WAYS. numbers: T rows of T floats, which are divided by their sum. logits: the same, for the softmax.
    mask: later positions give nothing. divide: each row is divided by its sum. Neither matters in the loop.
    row, column: the position that asks and the one that it takes from, which are looked at now.
    step: how many of the T (T + 1) / 2 additions the loop has made; in the loop it stands for row and column.
    shuffles: how often the past was shuffled; the same number gives the same order.
    """

    _esm = script("plot.js", "numbers.js", "weights.js", "plane.js", "aggregation_view.js", "aggregation.js")
    _css = style() + (HERE / "aggregation.css").read_text(encoding="utf-8")

    title = Unicode("Who takes how much from whom").tag(sync=True)
    sentence = Unicode()  # not synced: the page makes its own
    works_alone = Bool(True, read_only=True).tag(sync=True)
    labels = List(Unicode(), minlen=1, maxlen=MOST).tag(sync=True)
    names = List(Unicode()).tag(sync=True)
    legend = List().tag(sync=True)
    x = List().tag(sync=True)
    order = List(Int()).tag(sync=True)
    way = Enum(WAYS, "triangular").tag(sync=True)
    numbers = List().tag(sync=True)
    logits = List().tag(sync=True)
    mask = Bool(True).tag(sync=True)
    divide = Bool(True).tag(sync=True)
    row = Int(0, min=0).tag(sync=True)
    column = Int(0, min=0).tag(sync=True)
    step = Int(0, min=0).tag(sync=True)
    shuffles = Int(0, min=0).tag(sync=True)

    def __init__(self, tokens, x, way, numbers, logits, mask, row, step, seed):
        tokens = read_tokens(tokens, 1, MOST)
        T = len(tokens)
        if x is None:
            x = vectors_of(tokens, seed)
        meanings = {}
        for shown, meaning in (mark(character) for token in tokens for character in token):
            if meaning:
                meanings.setdefault(meaning, shown)
        super().__init__(
            labels=[label(token) for token in tokens],
            names=[name_of(token) for token in tokens],
            legend=[[shown, meaning] for meaning, shown in meanings.items()],
            x=matrix("x", x, (T, 2), -FARTHEST, FARTHEST),
            order=list(range(T)),
            way=way,
            numbers=matrix("numbers", np.ones((T, T)) if numbers is None else numbers, (T, T), *NUMBERS),
            logits=matrix("logits", np.zeros((T, T)) if logits is None else logits, (T, T), *LOGITS),
            mask=mask,
            row=max(0, T - 2) if row is None else row,
            step=T * (T + 1) // 2 if step is None else step,
        )

    @validate("x")
    def _has_vectors(self, proposal):
        return matrix("x", proposal["value"], (len(self.labels), 2), -FARTHEST, FARTHEST)

    @validate("numbers", "logits")
    def _has_table(self, proposal):
        name, T = proposal["trait"].name, len(self.labels)
        return matrix(name, proposal["value"], (T, T), *(NUMBERS if name == "numbers" else LOGITS))

    @validate("order")
    def _is_order(self, proposal):
        if sorted(proposal["value"]) != list(range(len(self.labels))):
            raise TraitError(f"order must hold each of 0 to {len(self.labels) - 1} once, and it is {proposal['value']}")
        return proposal["value"]

    @validate("row", "column", "step")
    def _has_place(self, proposal):
        name, T = proposal["trait"].name, len(self.labels)
        most = T * (T + 1) // 2 if name == "step" else T - 1
        if proposal["value"] > most:
            raise TraitError(f"{name} must be from 0 to {most} where there are {T} tokens: it is {proposal['value']}")
        return proposal["value"]

    # -- what the page computes too ------------------------------------------------------------------

    def weights(self):
        """Return the weights of now, (T, T). A row that has none is nan: it sums to 0, or the loop is not there yet."""
        T = len(self.labels)
        allowed = np.tri(T, dtype=bool)
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.way == "loop":
                done = np.cumsum(np.arange(1, T + 1)) <= self.step
                return np.where(done[:, None], allowed / allowed.sum(axis=1, keepdims=True), np.nan)
            shares = np.array(self.numbers) if self.way == "triangular" else np.exp(self.logits)
            if self.mask:
                shares = np.where(allowed, shares, 0.0)
            return shares / shares.sum(axis=1, keepdims=True) if self.divide else shares

    def outputs(self):
        """Return the weights times the vectors, (T, 2)."""
        return self.weights() @ np.array(self.x)[self.order]

    def _at_work(self):
        """Return the position t that asks and the position i that it takes from; -1 and -1 before the loop begins."""
        if self.way != "loop":
            return self.row, self.column
        t = i = -1
        for _ in range(self.step):
            t, i = (t, i + 1) if i < t else (t + 1, 0)
        return t, i

    # -- the still picture ---------------------------------------------------------------------------

    def still(self):
        """Return the matrices and the plane as they stand now, as a `draw.Picture`."""
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle

        T, weights, out, (t, column) = len(self.labels), self.weights(), self.outputs(), self._at_work()
        signs, x = [drawable(self.labels[k]) for k in self.order], np.array(self.x)[self.order]
        left, right = T + 1.6, T + 4.8  # where x and out begin, in cells
        size = 0.46 if T > 5 else 0.54  # of a cell, in inches
        wide, high = (right + 2.4 + 1.7) * size, max((T + 2.1) * size, 3.4)
        with draw.house_style():
            fig = Figure(figsize=(wide + 4.1, high), facecolor=colors.PAPER, layout="none")
            ax = fig.add_axes((0, 0, wide / (wide + 4.1), 1))
            ax.set(xlim=(-1.7, right + 2.4), ylim=(high / size - 1.7, -1.7))
            ax.axis("off")

            def words(x, y, text, **look):
                ax.text(x, y, text, **{"ha": "center", "va": "center", "fontsize": 10, "parse_math": False} | look)

            def cell(x, y, text, **look):
                ax.add_patch(Rectangle((x, y), 1, 1, **{"edgecolor": colors.GRID, "zorder": 2} | look))
                words(x + 0.5, y + 0.5, text, zorder=4)

            def band(x, y, width):
                ax.add_patch(Rectangle((x, y), width, 1.16, facecolor=colors.HIGHLIGHT, edgecolor=colors.INK, zorder=1))

            for name, at, width in (("weights", 0, T), ("x", left, 2), ("out", right, 2)):
                words(at, -1.3, f"{name} ({T}, {width})", weight="bold", ha="left")
            words(T / 2, -0.85, "takes from", color=colors.MUTED, fontsize=9)
            if t >= 0:
                band(-1.5, t - 0.08, T + 1.58)
                band(right - 0.08, t - 0.08, 2.16)
            for p in range(T):
                words(-0.75, p + 0.5, f"t = {p}  {signs[p]}", weight="bold" if p == t else "normal")
                words(p + 0.5, -0.35, signs[p])
                words(left - 0.3, p + 0.5, signs[p])
                for i in range(T):
                    hidden = i > p and (self.mask or self.way == "loop")
                    weight = weights[p, i]
                    shade = colors.tint(colors.ATTENTION, 0 if np.isnan(weight) else 0.8 * min(1, weight))
                    text = short(weight)
                    if np.isnan(weight):
                        text = "–" if self.way != "loop" else "+" if p == t and i <= column else ""
                    elif hidden and self.way == "loop":
                        text = ""
                    look = {"hatch": "////", "edgecolor": colors.GRID} if hidden else {}
                    cell(i, p, text, facecolor=shade, **look)
                adding = self.way == "loop" and p == t and np.isnan(out[p, 0])
                for c in range(2):
                    cell(left + c, p, short(x[p, c]), facecolor=colors.tint(colors.DATA, 0.16))
                    number = x[: column + 1, c].sum() if adding else out[p, c]
                    empty = np.isnan(number)
                    shade = colors.tint(colors.DATA, 0 if adding or empty else 0.16)
                    nothing = "" if self.way == "loop" else "–"
                    cell(right + c, p, nothing if empty else short(number), facecolor=shade)
                if adding:
                    words(right + 2.2, p + 0.5, "sum", ha="left", weight="bold")
            ax.plot(*_stairs(T), color=colors.INK, linewidth=1.6, zorder=3)
            if t >= 0:
                ax.add_patch(Rectangle((column, t), 1, 1, fill=False, edgecolor=colors.INK, linewidth=2.2, zorder=5))
            words(T + 0.75, T / 2, "@", fontsize=17)
            words(right - 0.6, T / 2, "=", fontsize=17)

            plane = fig.add_axes(((wide + 0.55) / (wide + 4.1), 0.6 / high, 3.35 / (wide + 4.1), 1 - 1.1 / high))
            self._draw_plane(plane, t, signs, x, weights, out)
            return draw.figure(fig, self._in_words())

    def _draw_plane(self, ax, t, signs, x, weights, out):
        known = t >= 0 and np.isfinite(out[t]).all()
        if known:
            for p, weight in enumerate(weights[t]):
                if weight > 0:
                    width = 1 + 7 * min(1, weight)
                    ax.plot(*zip(x[p], out[t]), color=colors.ATTENTION, linewidth=width, solid_capstyle="round")
            ax.plot(*out[t], "D", color=colors.HIGHLIGHT, markeredgecolor=colors.INK, markersize=11, zorder=4)
        ax.plot(x[:, 0], x[:, 1], "o", color=colors.DATA, markersize=9, zorder=3)
        for sign, point in zip(signs, x):
            ax.annotate(
                sign, point, (0, 9), textcoords="offset points", ha="center", fontsize=11, weight="bold",
                parse_math=False, bbox={"facecolor": colors.PAPER, "edgecolor": "none", "pad": 0.8},
            )  # fmt: skip
        ax.margins(0.16)
        ax.set_title(f"the diamond: out[{t}]" if known else "each token a point", fontsize=10)
        ax.set(xlabel="x[:, 0]", ylabel="x[:, 1]")

    def _in_words(self):
        weights, out, (t, _) = self.weights(), self.outputs(), self._at_work()
        T, names = len(self.labels), [self.names[k] for k in self.order]
        words = [f"The weights, a ({T}, {T}) matrix, times x, ({T}, 2), are out, ({T}, 2). The way: {self.way}."]
        if self.way == "loop":
            words.append(f"{self.step} of {T * (T + 1) // 2} additions are made.")
        else:
            words.append(f"The mask is {'on' if self.mask else 'off'}.")
        if t < 0:
            words.append("There is no output yet.")
        elif np.isnan(out[t]).any():
            words.append(f"The sum of row {t} is {'not complete' if self.way == 'loop' else '0: it has no output'}.")
        else:
            terms = [f"{short(w)} · {name}" for w, name in zip(weights[t], names) if w > 0]
            words.append(f"out[{t}] = {' + '.join(terms) or '0'} = ({short(out[t, 0])}, {short(out[t, 1])}).")
        return " ".join(words)


def aggregation(
    tokens="dear", x=None, way="triangular", *, numbers=None, logits=None, mask=True, row=None, step=None, seed=1
):
    """Return the aggregation lab: each of T tokens takes a weighted average of the tokens' vectors; change the weights.

    tokens: 1 to 8 of them: a string (each character is one) or a list of strings.
    x: their vectors of two numbers, (T, 2): a list, an array or a tensor. Without it a token gets the same small whole
        numbers wherever it stands; `seed` chooses them, but for the letters of "dear".
    way: how the weights are made: "loop", "triangular" (numbers divided by their sum) or "softmax" (of logits).
    numbers, logits: (T, T), what the weights are made from: from 0 to 4, and from -4 to 4. Without them all are equal.
    mask: whether later tokens give nothing. row: the position looked at, from 0 to T - 1.
    step: how many additions the loop has made; without it all.

    Raises TypeError for what are no tokens or no numbers; ValueError for another number of tokens, an empty one, and
    numbers of another shape or out of range; TraitError for a way, row or step that there is not.
    """
    return Aggregation(tokens, x, way, numbers, logits, mask, row, step, seed)


def _stairs(T):
    """Return the x and y of the line below which a position looks at itself and the past."""
    return [0, *(k for p in range(1, T + 1) for k in (p, p))], [*(k for p in range(T) for k in (p, p)), T]
