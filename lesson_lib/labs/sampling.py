"""The sampling lab: a trained model writes, character by character, and each choice that it had can be looked at."""

import math

import numpy as np
from traitlets import Float, Int, TraitError, Unicode, validate

from lesson_lib.labs.attention_model import read, run, shares
from lesson_lib.labs.base import HERE, script, style, whole_number
from lesson_lib.labs.characters import CharacterLab, characters, refuse_unknown
from lesson_lib.labs.sampling_still import picture

LONGEST = 2000  # characters that are written


class Sampling(CharacterLab):
    """The widget behind `labs.sampling`; V is the size of the vocabulary.

    prompt: where the text begins. written: what the model, or you, put after it.
    place: the place that is looked at, from 0 to len(written), where the next character will come.
    temperature, top_k: how the next character is drawn; with a top_k of V all characters are left.
    seed: of the dice. Each place of the written text has its own die, a number from 0 to below 1.
    """

    _esm = script(
        "plot.js", "numbers.js", "dice.js", "typed.js", "attention_model.js", "sampling_text.js", "sampling_words.js",
        "sampling_view.js", "sampling.js",
    )  # fmt: skip
    _css = style() + (HERE / "sampling.css").read_text(encoding="utf-8")

    title = Unicode("What comes next, character by character").tag(sync=True)
    prompt = Unicode().tag(sync=True)
    written = Unicode().tag(sync=True)
    place = Int(0, min=0).tag(sync=True)
    temperature = Float(1.0, min=0.1, max=2.0).tag(sync=True)
    top_k = Int(1, min=1).tag(sync=True)
    seed = Int(1, min=0, max=2**32 - 1).tag(sync=True)

    def __init__(self, model, tokenizer, prompt, temperature, top_k, seed, length):
        if not isinstance(length, int) or not 0 <= length <= LONGEST:
            raise ValueError(f"length must be a whole number from 0 to {LONGEST}, and is {length!r}")
        program, self._numbers = read(model, room=None)
        vocabulary = characters(tokenizer, program["vocabulary"])
        refuse_unknown(prompt, set(vocabulary), ValueError)
        if not prompt:
            raise ValueError("the prompt is empty: there must be at least 1 token to go on from")
        self._known = _Known()
        super().__init__(
            vocabulary,
            program,
            self._numbers,
            prompt=prompt,
            temperature=temperature,
            top_k=len(vocabulary) if top_k is None else top_k,
            seed=seed,
        )
        self.write(length)

    @validate("prompt", "written")
    def _is_known(self, proposal):
        text = proposal["value"]
        refuse_unknown(text, set(self.vocabulary), TraitError)
        if proposal["trait"].name == "prompt" and not text:
            raise TraitError("the prompt is empty: there must be at least 1 token to go on from")
        if proposal["trait"].name == "written" and len(text) > LONGEST:
            raise TraitError(f"the lab has room for {LONGEST} written characters, and these are {len(text)}")
        return text

    @validate("place")
    def _has_place(self, proposal):
        if proposal["value"] > len(self.written):
            most = len(self.written)
            raise TraitError(f"place must be from 0 to {most}, after what is written: it is {proposal['value']}")
        return proposal["value"]

    @validate("top_k")
    def _is_within(self, proposal):
        return min(proposal["value"], len(self.vocabulary))

    # -- what the page computes too ------------------------------------------------------------------

    def logits(self, place=None):
        """Return the model's logits for the character at the place, or where it is looked: V numbers."""
        place = self.place if place is None else place
        ids = self.numbers_of(self.prompt + self.written[:place])
        return self._known.logits(self.program, self._numbers, ids)

    def chances(self, place=None):
        """Return how probable each of the V characters is at the place, with the temperature and top_k of now."""
        logits = self.logits(place)
        kept = np.where(logits >= np.sort(logits)[-self.top_k], logits / self.temperature, -math.inf)
        return shares(kept)

    def own_chances(self, place=None):
        """Return how probable the model itself finds each of the V characters: temperature 1, none cut."""
        return shares(self.logits(place))

    def order(self, place=None):
        """Return the characters' numbers, the most probable first."""
        return np.argsort(-self.logits(place), kind="stable")

    def die(self, place=None):
        """Return the die of the place, from 0 to below 1."""
        return uniform(self.seed, self.place if place is None else place)

    def drawn(self, place=None):
        """Return the number of the character that the die falls on: the chances stand in a row, the largest first."""
        order, chances = self.order(place), self.chances(place)
        ends = np.cumsum(chances[order])
        # rounding can leave the last end just below 1
        place_in_row = min(int(np.searchsorted(ends, self.die(place), side="right")), np.count_nonzero(chances) - 1)
        return int(order[place_in_row])

    def write(self, count=1):
        """Write so many characters more, and look at the place after them."""
        count = whole_number("count", count)
        if count < 0:
            raise ValueError(f"count must be 0 or more, and not {count}")
        text = self.written
        for place in range(len(text), min(len(text) + count, LONGEST)):
            self.written = text = text + self.vocabulary[self.drawn(place)]
        self.place = len(text)

    def surprises(self):
        """Return −ln of the model's own chance for each character that is written: their mean is the loss."""
        own = (self.own_chances(place)[i] for place, i in enumerate(self.numbers_of(self.written)))
        return [-math.log(max(chance, 1e-300)) for chance in own]

    def still(self):
        """Return the text and the candidates as they stand now, as a `draw.Picture`."""
        return picture(self)


class _Known:
    """The logits after each beginning of a text: what was computed once is kept until the text begins differently."""

    def __init__(self):
        self.seen, self.rows, self.cache = [], {}, {}  # rows: the logits by the number of tokens before

    def logits(self, program, numbers, ids):
        """Return the model's logits, V numbers, for what follows the tokens ids."""
        other = next((n for n, (old, new) in enumerate(zip(self.seen, ids)) if old != new), None)
        if other is not None:
            self.seen = self.seen[:other]
            self.rows = {n: row for n, row in self.rows.items() if n <= other}
            self.cache = {n: tuple(part[:, :other] for part in pair) for n, pair in self.cache.items() if other}
        self.seen += ids[len(self.seen) :]
        n, room = len(ids), program["room"]
        if n not in self.rows:
            if n <= room and program["mask"]:
                before = self.cache[0][0].shape[1] if self.cache else 0
                found = run(program, numbers, ids[before:], cache=self.cache)[0]
                self.rows |= {before + 1 + t: row for t, row in enumerate(found)}
            else:  # every token has another position than before: nothing that was kept holds
                self.rows[n] = run(program, numbers, ids[-room:])[0][-1]
        return self.rows[n]


def sampling(model, tokenizer, prompt="ROMEO:", temperature=1.0, top_k=None, seed=1, *, length=80):
    """Return the sampling lab: your model goes on from a prompt, and you see what it could have written at each place.

    model: a `GPT`, an `AttentionLanguageModel`, or one of your own with the same attributes. It is read once: what it
        learns afterwards the lab does not know.
    tokenizer: a `CharTokenizer`, or one with `encode` and its `vocabulary`.
    prompt: at least one character. length: how many characters are written after it at first, from 0 to 2000.
    temperature: from 0.1 to 2. top_k: only so many of the most probable characters are left; None or more than V: all.
    seed: of the lab's dice, from 0 to 2**32 - 1. They are its own and not torch's, so that page and Python draw
        alike: a text of `GPT.generate` with the same seed is another one.

    Raises TypeError for a model or tokenizer that cannot be read; ValueError for a model of more than a million numbers
    or one without attention, a prompt that is empty or has unknown characters, a length out of range; TraitError for
    a temperature, top_k or seed that is none.
    """
    return Sampling(model, tokenizer, prompt, temperature, top_k, seed, length)


def uniform(seed, n):
    """Return the n-th random number of a seed, from 0 to below 1: the same as in dice.js."""
    return _mix(_mix(seed) + n) / 2**32


def _mix(number):
    # the last step of the hash MurmurHash3, on 32 bits
    bits = number & 0xFFFFFFFF
    bits = (bits ^ bits >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    bits = (bits ^ bits >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return bits ^ bits >> 16
