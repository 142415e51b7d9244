"""The bigram lab: the table of all pairs of characters, counted and learned, and a walk through a sample from it."""

import math
import unicodedata

import numpy as np
from traitlets import Bool, Enum, Float, Int, List, TraitError, Unicode, validate

from lesson_lib import draw
from lesson_lib.labs.base import HERE, Lab, script, style
from lesson_lib.labs.signs import INVISIBLE, NAMED, drawable, mark

VIEWS = ("counted", "learned", "difference")
LARGEST = 110  # rows in the table; the rarest characters of a larger vocabulary share one
OTHER = "…"


class Bigram(Lab):
    """The widget behind `labs.bigram`. V is the number of characters, row and column i stand for `labels[i]`.

    labels: V texts of one sign each; names: the same for a sentence, such as "'␣' (space)".
    counts: V rows of V ints, how often the column's character follows the row's. logits: V rows of V floats
        (None for minus infinity) whose softmax is the learned row; no rows without a model.
    view, temperature, first, second: what is shown, and the chosen pair.
    walk: the sample so far, as indices. chance: the probability with which its last character was drawn.
    seed: of the page's random numbers; the same seed gives the same draws.
    """

    _esm = script("plot.js", "dice.js", "bigram.js")
    _css = style() + (HERE / "bigram.css").read_text(encoding="utf-8")

    title = Unicode("Which character comes next").tag(sync=True)
    works_alone = Bool(True, read_only=True).tag(sync=True)
    sentence = Unicode()  # not synced: the page makes its own
    labels = List(Unicode()).tag(sync=True)
    names = List(Unicode()).tag(sync=True)
    counts = List().tag(sync=True)
    logits = List().tag(sync=True)
    view = Enum(VIEWS, "counted").tag(sync=True)
    temperature = Float(1.0, min=0.1, max=3.0).tag(sync=True)
    first = Int(0, min=0).tag(sync=True)
    second = Int(0, min=0).tag(sync=True)
    walk = List(Int()).tag(sync=True)
    chance = Float(0.0).tag(sync=True)
    seed = Int(1, min=0, max=2**32 - 1).tag(sync=True)

    def __init__(self, text, model, seed):
        vocabulary, ids, counts, learned = _tables(text, model)
        labels = [OTHER if character is None else _label(character) for character in vocabulary]
        names = ["another character" if character is None else _name(character) for character in vocabulary]
        first, second = divmod(int(counts.argmax()), len(vocabulary))
        # samples begin where a line begins, if any line does
        start = vocabulary.index("\n") if "\n" in vocabulary else int(ids[0])
        super().__init__(
            labels=labels,
            names=names,
            counts=counts.tolist(),
            logits=[[None if x == -math.inf else x for x in row] for row in learned.tolist()],
            first=first,
            second=second,
            walk=[start if counts[start].any() else int(ids[0])],
            seed=seed,
        )

    @validate("view")
    def _has_view(self, proposal):
        if proposal["value"] != "counted" and not self.logits:
            raise TraitError("there is no model to compare with: only the counted table can be shown")
        return proposal["value"]

    @validate("first", "second")
    def _has_place(self, proposal):
        if proposal["value"] >= len(self.labels):
            raise TraitError(f"{proposal['trait'].name} must be below {len(self.labels)}, the size of the table")
        return proposal["value"]

    def table(self, view=None):
        """Return the (V, V) array of what the map shows: probabilities at the temperature, or their difference.

        view: one of VIEWS; without it the lab's own. The row of a character that nothing follows is nan.
        """
        view = view or self.view
        if view == "difference":
            return self.table("learned") - self.table("counted")
        with np.errstate(divide="ignore", invalid="ignore"):
            logits = np.log(self.counts) if view == "counted" else np.array(self.logits, dtype=float)
            logits[np.isnan(logits)] = -math.inf  # a None
            weights = np.exp((logits - logits.max(axis=1, keepdims=True)) / self.temperature)
            return weights / weights.sum(axis=1, keepdims=True)

    def still(self):
        """Return the table with the chosen pair, and the row's most probable characters, as a `draw.Picture`."""
        from matplotlib.colors import LinearSegmentedColormap
        from matplotlib.figure import Figure

        table, signs, first, second = self.table(), [*map(drawable, self.labels)], self.first, self.second
        size, differs = len(signs), self.view == "difference"
        power = np.sign(table) * np.maximum(0, 1 + np.log10(np.maximum(np.abs(table), 1e-12)) / 4)
        less = draw.colors.MUTED if differs else draw.colors.PAPER
        shades = LinearSegmentedColormap.from_list("house", [less, draw.colors.PAPER, draw.colors.DATA])
        with draw.house_style():
            fig = Figure(figsize=(9.4, 5.2), layout="constrained", facecolor=draw.colors.PAPER)
            left, right = fig.subplots(1, 2, width_ratios=(1.25, 1))
            left.imshow(power, cmap=shades, vmin=-1, vmax=1, interpolation="nearest")
            left.grid(False)
            right.grid(False)
            left.axhline(first, color=draw.colors.INK, linewidth=0.8)
            left.axvline(second, color=draw.colors.INK, linewidth=0.8)
            # labels that would touch stand in two columns; of more than 68 some are left out
            columns, every = 1 + (size > 34), -(-size // 68)
            for axis in (left.xaxis, left.yaxis):
                for column in range(columns):
                    places = range(column * every, size, columns * every)
                    shown, outer = [signs[i] for i in places], column == 1
                    axis.set_ticks(places, shown, minor=outer, fontsize=7.5, parse_math=False)
                    axis.set_tick_params(which="minor" if outer else "major", length=0, pad=13 if outer else 3)
            left.set(xlabel="the next character", ylabel="a character")
            key = "blue: learned is larger" if differs else "the darker, the more probable"
            left.set_title(f"{size} × {size} pairs, {self.view} ({key}; logarithmic)", fontsize=9)

            row = np.nan_to_num(table[first])
            order = np.argsort(-np.abs(row), kind="stable")[:12]
            looks = [draw.colors.DATA if value >= 0 else draw.colors.MUTED for value in row[order]]
            right.barh(range(len(order)), row[order], color=looks)
            right.set_yticks(range(len(order)), [signs[i] for i in order], parse_math=False)
            right.invert_yaxis()
            right.spines[["top", "right"]].set_visible(False)
            right.set_xlabel("learned minus counted" if differs else f"probability at temperature {self.temperature:g}")
            right.set_title(f"after {signs[first]}", fontsize=11, parse_math=False)
            return draw.figure(fig, self._in_words())

    def _in_words(self):
        first, second, value = self.first, self.second, self.table()[self.first, self.second]
        count, places = self.counts[first][second], sum(self.counts[first])
        pair = f"{self.names[second]} comes after {self.names[first]} {count:,} times in {places:,} places"
        what = "the difference learned minus counted" if self.view == "difference" else f"its {self.view} probability"
        number = "none" if math.isnan(value) else f"{value:.3g}"
        return (
            f"A table of {len(self.labels)} by {len(self.labels)} pairs of characters, and one row of it as bars. "
            f"{pair}; {what} at temperature {self.temperature:g} is {number}."
        )


def bigram(text, model=None, seed=1):
    """Return the bigram lab: how often each character of the text follows each other one, and samples from that.

    text: the text to count in. Its vocabulary is `sorted(set(text))`, of V characters; where V is above 110, the
        rarest share one row and one column.
    model: to compare with what was counted: a trained model whose `token_embedding_table.weight` is a (V, V) tensor,
        or such an array: row i holds the logits of what follows character i of the vocabulary.
    seed: of the draws, from 0 to 2**32 - 1.

    Raises TypeError where text is no string or model has no table; ValueError for a text of fewer than two
    characters, and for a table of another size than (V, V) or with a row that is no logits; TraitError for
    a seed that is none.
    """
    return Bigram(text, model, seed)


def _tables(text, model):
    """Return the vocabulary (None for all other characters), the text's indices, and both tables."""
    if not isinstance(text, str):
        raise TypeError(f"the text must be a string, and this is of type {type(text).__name__}")
    if len(text) < 2:
        raise ValueError("a text of fewer than two characters has no pair to count")
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    known, ids, often = np.unique(codes, return_inverse=True, return_counts=True)
    vocabulary = [chr(code) for code in known]
    logits = np.zeros((0, 0)) if model is None else _logits(model, len(vocabulary))
    if len(vocabulary) > LARGEST:
        kept = np.sort(np.argsort(-often, kind="stable")[: LARGEST - 1])
        place = np.full(len(vocabulary), LARGEST - 1)
        place[kept] = np.arange(LARGEST - 1)
        if model is not None:
            logits = _shared(logits, place, often)
        vocabulary, ids = [*(vocabulary[i] for i in kept), None], place[ids]
    size = len(vocabulary)
    counts = np.bincount(ids[:-1] * size + ids[1:], minlength=size * size).reshape(size, size)
    return vocabulary, ids, counts, logits


def _logits(model, size):
    weight = getattr(getattr(model, "token_embedding_table", None), "weight", model)
    if hasattr(weight, "detach"):  # a tensor, on whatever device and in whatever precision
        weight = weight.detach().cpu().double().numpy()
    try:
        logits = np.array(weight, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(
            "the model must have a token_embedding_table with a weight, or be a (V, V) array of logits; "
            f"this is of type {type(model).__name__}"
        ) from None
    if logits.shape != (size, size):
        raise ValueError(
            f"the text has V = {size} different characters, so the model's table must be of shape ({size}, {size}), "
            f"and it is of shape {logits.shape}. Was the model made for the vocabulary of another text?"
        )
    with np.errstate(invalid="ignore"):
        logits -= logits.max(axis=1, keepdims=True)  # the same probabilities; inf and rows of -inf become nan
    if np.isnan(logits).any():
        row = int(np.isnan(logits).any(axis=1).argmax())
        raise ValueError(f"row {row} of the model's table holds no logits that have a softmax: nan, inf or -inf alone")
    return logits


def _shared(logits, place, often):
    """Return the logits of the table in which several characters share a row: the mean of theirs, by frequency."""
    probabilities = np.exp(logits)
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    size = int(place.max()) + 1
    columns = np.zeros((len(place), size))
    np.add.at(columns.T, place, probabilities.T)
    rows = np.zeros((size, size))
    np.add.at(rows, place, columns * often[:, None])
    with np.errstate(divide="ignore"):
        return np.log(rows / rows.sum(axis=1, keepdims=True))


def _label(character):
    """Return one sign that can be seen for the character; □ for all that are invisible."""
    shown, meaning = mark(character)
    return "□" if meaning == INVISIBLE else shown


def _name(character):
    """Return how a sentence names the character: 'e', '␣' (space), U+200B."""
    shown, meaning = mark(character)
    if character in NAMED:
        return f"'{shown}' ({meaning})"
    if meaning == INVISIBLE:
        return f"U+{shown}"
    if unicodedata.bidirectional(character) in ("R", "AL"):
        shown = f"\u2068{shown}\u2069"  # so that it does not turn the sentence around
    return f'"{shown}"' if character == "'" else f"'{shown}'"
