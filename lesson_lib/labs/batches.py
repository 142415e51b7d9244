"""The batch lab: a window slides over a text, and B such windows on top of each other are a batch."""

import random

from traitlets import Bool, Int, List, TraitError, Unicode, observe, validate

from lesson_lib import draw
from lesson_lib.draw import colors
from lesson_lib.labs.base import HERE, Lab, script, style, whole_number
from lesson_lib.labs.signs import drawable, mark

HELD = 20_000  # characters that go to the page: a lab needs no whole book
MOST_BLOCK = 16
MOST_BATCH = 8


class Batches(Lab):
    """The widget behind `labs.batches`. The page draws everything, the places of a new batch too.

    ids: the token ids of the characters in the lab, which are the first HELD of the text's `total`.
    marks: what to show for each id. legend: the marks that need words, as pairs (mark, meaning).
    starts: where the windows begin, for the largest batch there can be; the first `batch_size` of them count.
    row, t: the row b and the position t that are looked at. draws: how often "New batch" was pressed.
    seed: of the places; a new batch is the same for the same seed and number of draws.
    A row, position or start that is too large for the sizes of now stands for the last one there is.
    """

    _esm = script("plot.js", "numbers.js", "dice.js", "batches.js")
    _css = style() + (HERE / "batches.css").read_text(encoding="utf-8")

    title = Unicode("Windows on a text, and a batch of them").tag(sync=True)
    works_alone = Bool(True, read_only=True).tag(sync=True)
    sentence = Unicode()  # not synced: the page makes its own while the sliders move
    ids = List().tag(sync=True)
    total = Int().tag(sync=True)
    marks = List().tag(sync=True)
    legend = List().tag(sync=True)
    block_size = Int(8, min=1, max=MOST_BLOCK).tag(sync=True)
    batch_size = Int(4, min=1, max=MOST_BATCH).tag(sync=True)
    most_block = Int(MOST_BLOCK).tag(sync=True)
    starts = List(Int(min=0), minlen=MOST_BATCH, maxlen=MOST_BATCH).tag(sync=True)
    row = Int(0, min=0).tag(sync=True)
    t = Int(2, min=0).tag(sync=True)
    show_ids = Bool(False).tag(sync=True)
    draws = Int(0, min=0).tag(sync=True)
    seed = Int(1, min=0, max=2**32 - 1).tag(sync=True)

    def __init__(self, text, block_size, batch_size, seed):
        # the ids of a tokenizer of the whole text, although only its beginning is shown
        vocabulary = sorted(set(text))
        number = {character: i for i, character in enumerate(vocabulary)}
        held = text[:HELD]
        meanings = {}
        for shown, meaning in map(mark, sorted(set(held))):
            if meaning:
                meanings.setdefault(meaning, shown)
        generator = random.Random(f"{seed} 0")
        places = [generator.randrange(len(held) - block_size) for _ in range(MOST_BATCH)]
        super().__init__(
            ids=[number[character] for character in held],
            total=len(text),
            marks=[mark(character)[0] for character in vocabulary],
            legend=[[shown, meaning] for meaning, shown in meanings.items()],
            block_size=block_size,
            batch_size=batch_size,
            # to begin with, row 0 is the beginning of the text
            starts=[0, *places[1:]],
            seed=seed,
        )

    @validate("block_size")
    def _check(self, proposal):
        _check_length(len(self.ids), proposal["value"])
        return proposal["value"]

    def _now(self):
        """Return the row b, the position t, and the starts of all rows."""
        starts = [min(start, len(self.ids) - self.block_size - 1) for start in self.starts[: self.batch_size]]
        return min(self.row, self.batch_size - 1), min(self.t, self.block_size - 1), starts

    @observe("block_size", "batch_size", "starts", "row", "t")
    def _speak(self, change=None):
        block, batch, (b, t, starts) = self.block_size, self.batch_size, self._now()
        start = starts[b]
        context, target = self.ids[start : start + t + 1], self.ids[start + t + 1]
        self.sentence = (
            f"Row b = {b}, position t = {t}: given {self._quote(context)}, the next is {self._quote([target])}. "
            f"In ids: given {context}, the next is {target}. "
            f"The {block + 1} characters of this window hold one example for each position, {block} in all; "
            f"a batch of {_count(batch, 'row')} holds {batch} · {block} = {batch * block}."
        )

    def _quote(self, ids):
        # a code point in brackets; the isolates keep right-to-left letters from carrying the words around them along
        marks = [self.marks[i] for i in ids]
        return "“\u2068" + "".join(f"[{shown}]" if _is_code(shown) else shown for shown in marks) + "\u2069”"

    def still(self):
        """Return the window and the batch as they stand now, as a `draw.Picture`."""
        from matplotlib.figure import Figure

        block, batch, (b, t, starts) = self.block_size, self.batch_size, self._now()
        left = max(block, 8) + 4  # the column where the batch begins
        height = max(block + 4.9, 2 * batch + 3.9)
        fig = Figure(figsize=((left + max(block, 4) + 3) * 0.36, height * 0.3))
        ax = fig.add_axes((0, 0, 1, 1))
        ax.set(xlim=(-2.5, left + max(block, 4) + 0.5), ylim=(height - 0.6, -0.6))
        ax.axis("off")

        def words(x, y, text, **look):
            look = {"va": "center", "color": colors.INK, "fontsize": 10, "family": "DejaVu Sans", "zorder": 3} | look
            ax.text(x, y, text, **look)

        def cell(x, y, number, look, as_id=False):
            text = str(number) if as_id else drawable(self.marks[number])
            ax.add_patch(_square(x, y, **LOOKS[look]))
            words(x, y, text, ha="center", fontsize=7 if _is_code(text) else 10)

        window = self.ids[starts[b] : starts[b] + block + 1]
        words(-2.2, 0, f"The window text[{starts[b]}:{starts[b] + block + 1}]", weight="bold")
        for name, row, shift in (("x", 1, 0), ("y", 2, 1)):
            words(-0.8, row, name, ha="right", weight="bold")
            for i in range(block):
                cell(i + shift, row, window[i + shift], _look(i, t, shift))
        words(-2.2, 3.2, f"Its {_count(block, 'example')}: a context, and the target outlined", weight="bold")
        for i in range(block):
            words(-0.8, 4.2 + i, f"t = {i}", ha="right", weight="bold" if i == t else "normal")
            for j in range(i + 2):
                cell(j, 4.2 + i, window[j], "target" if j > i else "context" if i == t else "data")
        for name, top, shift in (("x", 0, 0), ("y", batch + 1.9, 1)):
            words(left - 0.4, top, f"{name}: shape ({batch}, {block})", weight="bold")
            for row, start in enumerate(starts):
                words(left - 0.8, top + 1 + row, f"b = {row}", ha="right", weight="bold" if row == b else "normal")
                for i in range(block):
                    look = _look(i, t, shift) if row == b else "data"
                    cell(left + i, top + 1 + row, self.ids[start + i + shift], look, self.show_ids)
        return draw.figure(fig, f"A window on a text with its examples, and the tensors x and y. {self.sentence}")


LOOKS = {
    "data": {"facecolor": (colors.DATA, 0.15)},
    "context": {"facecolor": colors.HIGHLIGHT},
    "target": {"facecolor": colors.PAPER, "edgecolor": colors.INK, "linewidth": 2, "zorder": 2},
}


def _look(i, t, shift):
    """Return how position i of x (shift 0) or y (shift 1) looks when t is looked at."""
    return "target" if shift and i == t else "context" if not shift and i <= t else "data"


def _square(x, y, **look):
    from matplotlib.patches import Rectangle

    return Rectangle((x - 0.46, y - 0.46), 0.92, 0.92, **look)


def _is_code(shown):
    return len(shown) >= 4


def _count(number, noun):
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _check_length(length, block_size):
    if length < block_size + 1:
        raise ValueError(
            f"a text of {_count(length, 'character')} is too short for a block size of {block_size}: "
            f"it needs at least block_size + 1 = {block_size + 1}, because the last target comes after the block"
        )


def batches(text, block_size=8, batch_size=4, seed=1):
    """Return the batch lab: a window slides over the text, and shows what its examples and its batch are.

    text: any text; the lab holds its first 20,000 characters. Its sorted characters are the vocabulary: the id
        of a character is its place there.
    block_size: T, the length of a context, from 1 to 16. A window has one character more.
    batch_size: B, how many windows are in a batch, from 1 to 8.
    seed: of the random places, from 0 to 2**32 - 1. Row 0 of the first batch is the beginning of the text.

    Raises ValueError for a text of less than block_size + 1 characters, TypeError for what is no text or no whole
    number, TraitError for sizes or a seed out of range.
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be a string, and this is a {type(text).__name__}")
    block_size, batch_size = whole_number("block_size", block_size), whole_number("batch_size", batch_size)
    if not 1 <= block_size <= MOST_BLOCK:
        raise TraitError(f"block_size must be from 1 to {MOST_BLOCK}, and not {block_size}")
    _check_length(len(text), block_size)
    return Batches(text, block_size, batch_size, seed)
