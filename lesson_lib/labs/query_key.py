"""The query–key lab: queries, keys and values as arrows to drag, and why scores are divided by √head_size."""

import math

import numpy as np
from traitlets import Bool, Dict, Float, Int, List, TraitError, Unicode, validate

from lesson_lib import draw
from lesson_lib.draw import colors
from lesson_lib.labs.attention_model import shares
from lesson_lib.labs.base import HERE, Lab, script, style
from lesson_lib.labs.signs import drawable
from lesson_lib.labs.tokens import label, matrix, name_of, read_tokens, short, vectors_of

FEWEST, MOST = 2, 6  # tokens
FURTHEST = 100.0
REACH = 8.0  # a plane shows arrows of at most this length, and longer ones where longer ones are given
SIZES = tuple(2**k for k in range(9))  # of a head, in the experiment
PAIRS, GROUP = 1000, 8
# from a token's two numbers to its query, key and value: one row for each of the two
QUERY, KEY, VALUE = ((-0.5, 0.25), (0.5, 0)), ((-0.5, 0), (-0.5, 0.5)), ((0.5, -1), (0, 1))
SUBSCRIPTS = "₀₁₂₃₄₅"


class QueryKey(Lab):
    """The widget behind `labs.query_key`. T is the number of tokens; the page computes and draws everything.

    labels: T short texts to show; names: the same for a sentence.
    query, key, value: T vectors of two floats each.
    reach: the longest that an arrow can be: of a query or key, and of a value.
    row: the token that asks; column: the token whose key is looked at.
    mask: later tokens give nothing. divide: the scores are divided by √2, the root of the arrows' head size.
    head_size, seed: of the experiment: how many numbers a random query or key has, and which numbers.
    start: the vectors, row and column to begin with, and the switches.
    """

    _esm = script("plot.js", "numbers.js", "plane.js", "query_key_words.js", "query_key_view.js", "query_key.js")
    _css = style() + (HERE / "query_key.css").read_text(encoding="utf-8")

    title = Unicode("Queries, keys and values").tag(sync=True)
    sentence = Unicode()  # not synced: the page makes its own
    works_alone = Bool(True, read_only=True).tag(sync=True)
    labels = List(Unicode(), minlen=FEWEST, maxlen=MOST).tag(sync=True)
    names = List(Unicode()).tag(sync=True)
    reach = List(Float()).tag(sync=True)
    query = List().tag(sync=True)
    key = List().tag(sync=True)
    value = List().tag(sync=True)
    row = Int(0, min=0).tag(sync=True)
    column = Int(0, min=0).tag(sync=True)
    mask = Bool(True).tag(sync=True)
    divide = Bool(True).tag(sync=True)
    head_size = Int(16).tag(sync=True)
    seed = Int(4, min=0, max=2**31 - 1).tag(sync=True)
    start = Dict().tag(sync=True)

    def __init__(self, tokens, query, key, value, head_size):
        tokens = read_tokens(tokens, FEWEST, MOST)
        T = len(tokens)
        x = np.array(vectors_of(tokens, 1), dtype=float)
        given = {"query": (query, QUERY), "key": (key, KEY), "value": (value, VALUE)}
        vectors = {
            name: matrix(name, x @ np.array(made_by) if own is None else own, (T, 2), -FURTHEST, FURTHEST)
            for name, (own, made_by) in given.items()
        }
        # a token that is there twice is told apart by its position
        twice = [tokens.count(token) > 1 for token in tokens]
        labels = [label(token) + (SUBSCRIPTS[i] if twice[i] else "") for i, token in enumerate(tokens)]
        names = [name_of(token) + (f" at {i}" if twice[i] else "") for i, token in enumerate(tokens)]
        reach = [_reach(vectors["query"] + vectors["key"]), _reach(vectors["value"])]
        places = {"row": T - 1, "column": 0}
        super().__init__(labels=labels, names=names, reach=reach, head_size=head_size, **vectors, **places)
        self.start = {**vectors, **places, "mask": True, "divide": True}

    @validate("query", "key", "value")
    def _has_vectors(self, proposal):
        name = proposal["trait"].name
        try:
            found = matrix(name, proposal["value"], (len(self.labels), 2), -FURTHEST, FURTHEST)
        except (TypeError, ValueError) as error:
            raise TraitError(str(error)) from None  # what was there before comes back
        reach = self.reach[name == "value"]
        longest = max(math.hypot(*vector) for vector in found)
        if longest > reach * (1 + 1e-9):
            raise TraitError(f"in this lab a {name} can be {reach:g} long, and one of these is {longest:.3g} long")
        return found

    @validate("row", "column")
    def _has_place(self, proposal):
        if proposal["value"] >= len(self.labels):
            name, most = proposal["trait"].name, len(self.labels) - 1
            raise TraitError(f"{name} must be from 0 to {most}, one of the tokens: it is {proposal['value']}")
        return proposal["value"]

    @validate("head_size")
    def _is_size(self, proposal):
        if proposal["value"] not in SIZES:
            raise TraitError(f"head_size must be one of {', '.join(map(str, SIZES))}: it is {proposal['value']}")
        return proposal["value"]

    # -- what the page computes too ------------------------------------------------------------------

    def attention(self):
        """Return what the arrows make, as a dict of NumPy arrays.

        scores: (T, T), each query's dot product with each key. fed: (T, T), what goes into the softmax; -inf where
        masked. weights: (T, T). out: (T, 2).
        """
        scores = np.array(self.query) @ np.array(self.key).T
        fed = scores / math.sqrt(2) if self.divide else scores
        if self.mask:
            fed = np.where(np.tri(len(self.labels), dtype=bool), fed, -math.inf)
        weights = shares(fed)
        return {"scores": scores, "fed": fed, "weights": weights, "out": weights @ np.array(self.value)}

    def experiment(self):
        """Return what random queries and keys of head_size numbers make: a dict of lists of two, without and with ÷.

        scores: (1000,). variance: of these. weights: (8,), what a softmax over 8 of them makes, the largest first, on
        average over all 125 groups of 8.
        """
        products = _products(self.seed, self.head_size)
        found = {"scores": [products, products / math.sqrt(self.head_size)]}
        groups = [scores.reshape(-1, GROUP) for scores in found["scores"]]
        found["variance"] = [float(scores.var()) for scores in found["scores"]]
        found["weights"] = [np.sort(one, axis=1)[:, ::-1].mean(axis=0) for one in map(shares, groups)]
        return found

    # -- the still picture ---------------------------------------------------------------------------

    def still(self):
        """Return the arrows, the weights and the experiment as they stand, as a `draw.Picture`."""
        from matplotlib.figure import Figure

        now, tried = self.attention(), self.experiment()
        signs = [drawable(text) for text in self.labels]
        with draw.house_style():
            fig = Figure(figsize=(10, 6))
            top, bottom = fig.subfigures(2, 1, height_ratios=(1.75, 1))
            left, middle, right = top.subplots(1, 3, width_ratios=(1.05, 1, 1.05))
            self._draw_keys(left, signs)
            self._draw_weights(middle, signs, now)
            self._draw_values(right, signs, now)
            self._draw_experiment(bottom, tried)
            return draw.figure(fig, self._in_words(now, tried))

    def _plane(self, ax, title, reach):
        ax.set_title(title, fontsize=11, parse_math=False)
        ax.set(xlim=(-1.1 * reach, 1.1 * reach), ylim=(-1.1 * reach, 1.1 * reach), aspect="equal")
        ticks = [reach * share for share in (-1, -0.5, 0, 0.5, 1)]
        ax.set_xticks(ticks, [short(tick) for tick in ticks], fontsize=9)
        ax.set_yticks(ticks, [short(tick) for tick in ticks], fontsize=9)
        ax.axhline(0, color=colors.MUTED, linewidth=0.8)
        ax.axvline(0, color=colors.MUTED, linewidth=0.8)

    def _say(self, ax, tags, reach):
        """Write beside the tips of the arrows: outward where there is room, and else where there is most."""
        from matplotlib.patheffects import withStroke

        halo = withStroke(linewidth=3, foreground=colors.PAPER)
        scale = 92 / reach  # points of the picture for 1
        taken = [(x * scale, y * scale, 9) for _, (x, y), _ in tags]
        for text, point, weight in tags:
            x, y = (part * scale for part in point)
            wide = 3.4 * len(text)  # half of it
            spots = [
                (x + math.cos(turn) * (far + 0.8 * wide), y + math.sin(turn) * far)
                for far in (14, 26)
                for turn in (math.atan2(y, x) + k * math.pi / 4 * side for k in range(5) for side in (1, -1))
            ]

            def crowd(spot, wide=wide):
                over = [max(0, wide + w - abs(spot[0] - a)) * max(0, 13 - abs(spot[1] - b)) for a, b, w in taken]
                return sum(over) + 1000 * (abs(spot[0]) + wide > 100)

            best = min(spots, key=crowd)
            taken.append((*best, wide))
            ax.annotate(
                text, point, (best[0] - x, best[1] - y), textcoords="offset points", ha="center", va="center",
                fontsize=10, weight=weight, parse_math=False, path_effects=[halo],
            )  # fmt: skip

    def _arrow(self, ax, point, style="-", width=1.8, color=colors.DATA):
        look = {"arrowstyle": "-|>,head_width=0.25,head_length=0.5", "linestyle": style, "linewidth": width}
        if any(point):
            ax.annotate("", point, (0, 0), arrowprops={**look, "color": color, "shrinkA": 0, "shrinkB": 0})
        else:
            ax.plot(0, 0, "o", color=color, markersize=5)

    def _draw_keys(self, ax, signs):
        reach, asking = self.reach[0], self.query[self.row]
        self._plane(ax, f"keys, and query of {signs[self.row]}", reach)
        ax.plot(*zip((0, 0), asking), color=colors.HIGHLIGHT, linewidth=9, solid_capstyle="round", zorder=1)
        for i, point in enumerate(self.key):
            off = self.mask and i > self.row
            self._arrow(ax, point, "--", 1.4, colors.MUTED if off else colors.DATA)
        self._arrow(ax, asking, width=2.8)
        keys = [(f"k({sign})", point, "normal") for sign, point in zip(signs, self.key)]
        keys[self.column] = (*keys[self.column][:2], "bold")
        self._say(ax, [(f"q({signs[self.row]})", asking, "bold"), *keys], reach)

    def _draw_weights(self, ax, signs, now):
        T, t = len(signs), self.row
        off = [self.mask and i > t for i in range(T)]
        ax.barh(range(T), now["weights"][t], color=colors.ATTENTION, height=0.55)
        ax.barh(range(T), off, color="none", edgecolor=colors.GRID, hatch="///", height=0.55, linewidth=0)
        ax.set(xlim=(0, 1.45), ylim=(T - 0.4, -0.8))
        ax.set_xticks([0, 0.5, 1], ["0", "0.5", "1"], fontsize=9)
        sums = [f"{signs[i]}:  {short(now['scores'][t, i])}" for i in range(T)]
        ax.set_yticks(range(T), sums, parse_math=False, fontsize=10)
        for i, (weight, hidden) in enumerate(zip(now["weights"][t], off)):
            ax.text(1.05, i, "−∞, 0" if hidden else f"{weight:.2f}", va="center", fontsize=10)
        ax.grid(False, axis="y")
        ax.set_title("score q · k, and the weight", fontsize=11)
        ax.set_xlabel(f"softmax of q · k{' ÷ √2' * self.divide}", fontsize=10)

    def _draw_values(self, ax, signs, now):
        out = now["out"][self.row]
        self._plane(ax, f"values, and output of {signs[self.row]}", self.reach[1])
        for point, weight in zip(self.value, now["weights"][self.row]):
            if weight > 0:
                look = {"linewidth": 0.8 + 8 * weight, "solid_capstyle": "round", "alpha": 0.75}
                ax.plot(*zip(point, out), color=colors.ATTENTION, **look)
        ax.plot(*zip((0, 0), out), color=colors.HIGHLIGHT, linewidth=9, solid_capstyle="round", zorder=1)
        ax.plot(*zip((0, 0), out), color=colors.DATA, linewidth=2.8, zorder=2)
        for i, point in enumerate(self.value):
            off = self.mask and i > self.row
            look = {"markerfacecolor": colors.PAPER, "markeredgecolor": colors.MUTED} if off else {}
            ax.plot(*point, "o", color=colors.DATA, markersize=7, zorder=3, **look)
        tags = [(f"v({sign})", point, "normal") for sign, point in zip(signs, self.value)]
        self._say(ax, [*tags, ("output", out, "bold")], self.reach[1])
        ax.plot(*out, "D", color=colors.HIGHLIGHT, markeredgecolor=colors.INK, markersize=10, zorder=4)

    def _draw_experiment(self, fig, tried):
        size, axes = self.head_size, fig.subplots(1, 4, width_ratios=(1.5, 1, 1.5, 1))
        for k, name in enumerate(("q · k", f"q · k ÷ √{size}")):
            bars, ranked = axes[2 * k], axes[2 * k + 1]
            bars.hist(tried["scores"][k], bins=np.arange(-64.5, 65), histtype="stepfilled", color=colors.DATA)
            bars.set_title(f"{name}: variance {_about(tried['variance'][k])}", fontsize=10)
            bars.set_yticks([])
            bars.tick_params(labelsize=9)
            ranked.bar(range(GROUP), tried["weights"][k], color=colors.ATTENTION)
            ranked.axhline(1 / GROUP, color=colors.INK, linewidth=1, linestyle="--")
            ranked.set(ylim=(0, 1), xticks=[])
            ranked.set_yticks([0, 0.5, 1], ["0", "0.5", "1"], fontsize=9)
            ranked.set_title(f"weights of {GROUP}, sorted", fontsize=10)

    def _in_words(self, now, tried):
        t, names = self.row, self.names
        got = [f"score {short(s)}, weight {w:.2f}" for s, w in zip(now["scores"][t], now["weights"][t])]
        parts = [
            f"{name}: key {_pair(self.key[i])}, {'masked' if self.mask and i > t else got[i]}"
            for i, name in enumerate(names)
        ]
        size, (raw, scaled), ((sharp, *_), (even, *_)) = self.head_size, tried["variance"], tried["weights"]
        return (
            f"The query of {names[t]} is {_pair(self.query[t])}. {'; '.join(parts)}. The weights are the softmax of "
            f"the scores{', divided by √2' * self.divide}. The output, the weighted sum of the values, is "
            f"{_pair(now['out'][t])}. Below, {PAIRS:,} random queries and keys of {size} numbers: the variance of "
            f"q · k is {_about(raw)}, and {_about(scaled)} after the division by √{size}; a softmax over {GROUP} "
            f"scores gives its largest weight {sharp:.2f} on average without the division, {even:.2f} with it."
        )


def _pair(vector):
    return f"({short(vector[0])}, {short(vector[1])})"


def _about(variance):
    """Return a variance in three digits: 0.987, 16.3, 251."""
    rounded = float(f"{variance:.3g}")
    return f"{rounded:.{max(0, 2 - math.floor(math.log10(rounded)))}f}"


def _reach(vectors):
    """Return how far a plane must reach for these vectors: 8 times a power of 2, and 8 where they are of usual size."""
    longest = max(math.hypot(*vector) for vector in vectors)
    if REACH / 8 < longest <= REACH or longest == 0:
        return REACH
    return REACH * 2.0 ** max(-10, math.ceil(math.log2(longest / REACH)))


def _products(seed, size):
    """Return the dot products of PAIRS random queries and keys, each of `size` standard normal numbers: (PAIRS,).

    The page draws the same ones: pair p's numbers c come from the counters 2n and 2n + 1 with n = 256 p + c, so that a
    larger size adds to what was drawn before.
    """
    n = np.arange(PAIRS, dtype=np.uint32)[:, None] * np.uint32(SIZES[-1]) + np.arange(size, dtype=np.uint32)
    first, second = _noise(seed, 2 * n), _noise(seed, 2 * n + 1)
    # Box and Muller: two numbers from 0 to 1 become a point of the plane, its coordinates are two normal numbers
    radius, turn = np.sqrt(-2 * np.log((first + 1.0) / 2**32)), 2 * np.pi * second / 2**32
    return (radius * np.cos(turn) * (radius * np.sin(turn))).sum(axis=1)


def _noise(seed, counter):
    """Return a whole number below 2**32 for each counter; which one cannot be guessed from its neighbours.

    A counter is mixed as MurmurHash3 mixes its last 32 bits.
    """
    x = counter * np.uint32(0x9E3779B9) + np.uint32((seed + 1) * 0x7F4A7C15 % 2**32)
    x = (x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    x = (x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    return x ^ (x >> np.uint32(16))


def query_key(tokens="dear", query=None, key=None, value=None, head_size=16):
    """Return the query–key lab: drag queries, keys and values, and see scores, weights and the output follow.

    tokens: 2 to 6 of them: a string (each character is one) or a list of strings.
    query, key, value: their vectors of two numbers, (T, 2): lists, arrays or tensors, from -100 to 100. What is not
        given is made from small whole numbers, the same for a token wherever it stands, with the lesson's matrices.
    head_size: how many numbers a random query or key of the experiment has to begin with: 1, 2, 4, ..., 256.

    Raises TypeError for what are no tokens or no numbers; ValueError for another number of tokens, an empty one, and
    numbers of another shape or out of range; TraitError for a head_size that there is not.
    """
    return QueryKey(tokens, query, key, value, head_size)
