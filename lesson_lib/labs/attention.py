"""The attention lab: what each token of a text listens to, in every layer and head of the learner's model."""

import numpy as np
from traitlets import Bool, Int, List, TraitError, Unicode, observe, validate

from lesson_lib.labs.attention_model import encoded, read, run, shares
from lesson_lib.labs.attention_still import picture
from lesson_lib.labs.base import HERE, script, style
from lesson_lib.labs.characters import CharacterLab, characters, refuse_unknown

EXAMPLES = ("First Ci", "the king", "my lord,", "KING HEN", "I am not", "hear me.\n")
LARGEST = 12  # layers, and heads in one


class Attention(CharacterLab):
    """The widget behind `labs.attention`; V is the size of the vocabulary.

    untrained_numbers: as numbers, of the untrained model; "" without one.
    text: all of it known to the model; of a longer one the last program["room"] characters count. examples: texts.
    position: the token that is looked at; layer and head: the map. All three count from 1.
    mask: nobody hears what comes later. divide: scores are divided by √head_size. trained: which numbers are used.
    """

    _esm = script(
        "plot.js", "numbers.js", "typed.js", "attention_model.js", "attention_words.js", "attention_view.js",
        "attention.js",
    )  # fmt: skip
    _css = style() + (HERE / "attention.css").read_text(encoding="utf-8")

    title = Unicode("Who listens to whom").tag(sync=True)
    untrained_numbers = Unicode().tag(sync=True)
    text = Unicode().tag(sync=True)
    examples = List(Unicode()).tag(sync=True)
    position = Int(1, min=1).tag(sync=True)
    layer = Int(1, min=1).tag(sync=True)
    head = Int(1, min=1).tag(sync=True)
    mask = Bool(True).tag(sync=True)
    divide = Bool(True).tag(sync=True)
    trained = Bool(True).tag(sync=True)

    def __init__(self, model, tokenizer, text, untrained, examples, position, layer, head):
        program, numbers = read(model)
        if max(len(program["heads"]), *program["heads"]) > LARGEST:
            raise ValueError(f"the lab has room for {LARGEST} layers of {LARGEST} heads, and the model has more")
        self._numbers = {True: numbers}
        if untrained is not None:
            other, self._numbers[False] = read(untrained)
            if _parts(other) != _parts(program):
                raise ValueError("the untrained model must have the same parts, of the same sizes, as the trained one")
        vocabulary = characters(tokenizer, program["vocabulary"])
        known = set(vocabulary)
        if examples is None:
            examples = [example for example in EXAMPLES if known.issuperset(example)]
        elif isinstance(examples, str) or not hasattr(examples, "__iter__"):
            raise TypeError(f"examples must be a list of texts, and not {examples!r}")
        examples = list(examples)
        for example in examples:
            refuse_unknown(example, known, ValueError)
        refuse_unknown(text, known, ValueError)
        super().__init__(
            vocabulary,
            program,
            numbers,
            untrained_numbers=encoded(self._numbers[False]) if untrained is not None else "",
            text=text,
            examples=examples,
            layer=layer,
            head=head,
            mask=program["mask"],
            divide=program["divide"],
        )
        self.position = max(1, len(self.ids())) if position is None else position

    @validate("text")
    def _is_known(self, proposal):
        refuse_unknown(proposal["value"], set(self.vocabulary), TraitError)
        return proposal["value"]

    @validate("position")
    def _has_position(self, proposal):
        T = max(1, len(self.ids()))
        if proposal["value"] > T:
            raise TraitError(f"position must be from 1 to {T} in this text: it is {proposal['value']}")
        return proposal["value"]

    @validate("layer")
    def _has_layer(self, proposal):
        layers = len(self.program["heads"])
        if proposal["value"] > layers:
            raise TraitError(f"layer must be from 1 to {layers}, the model has no more: it is {proposal['value']}")
        return proposal["value"]

    @validate("head")
    def _has_head(self, proposal):
        heads = max(self.program["heads"])
        if proposal["value"] > heads:
            raise TraitError(f"head must be from 1 to {heads}, a layer has no more: it is {proposal['value']}")
        return proposal["value"]

    @validate("trained")
    def _has_untrained(self, proposal):
        if not proposal["value"] and not self.untrained_numbers:
            raise TraitError("there is no untrained model to show: hand one to labs.attention as `untrained`")
        return proposal["value"]

    @observe("text")
    def _stay_inside(self, change):
        self.position = min(self.position, max(1, len(self.ids())))

    # -- what the page computes too ------------------------------------------------------------------

    def ids(self):
        """Return the numbers of the characters that the model sees: T of them, the last of the text."""
        return self.numbers_of(self.text[-self.program["room"] :])

    def _run(self):
        return run(self.program, self._numbers[self.trained], self.ids(), self.mask, self.divide)

    def maps(self):
        """Return the weights of now: for each layer an array (H, T, T)."""
        return self._run()[1]

    def next_probabilities(self):
        """Return for each of the T positions how probable each of the V characters is as the next: (T, V)."""
        return shares(self._run()[0])

    def average(self):
        """Return the weights of the average of the past, or without the mask of the whole text: (T, T)."""
        T = len(self.ids())
        return np.tri(T) / np.arange(1, T + 1)[:, None] if self.mask else np.full((T, T), 1 / T)

    def still(self):
        """Return the arcs, the maps and the next characters as they stand now, as a `draw.Picture`."""
        return picture(self, self.maps() if self.text else [], self.next_probabilities() if self.text else [])

    def head_index(self):
        """Return the place of the head that is looked at, from 0, in its layer: a layer may have fewer heads."""
        return min(self.head, self.program["heads"][self.layer - 1]) - 1

    def map_name(self):
        return f"layer {self.layer}, head {self.head_index() + 1}"


def attention(model, tokenizer, text="First Ci", untrained=None, examples=None, *, position=None, layer=1, head=1):
    """Return the attention lab: type a text, and see what each token of it listens to in each head of your model.

    model: an `AttentionLanguageModel`, a `GPT`, or one of your own with the same attributes. It is read once: what
        it learns afterwards the lab does not know.
    tokenizer: a `CharTokenizer`, or one with `encode` and its `vocabulary`.
    untrained: another model of the same parts, for instance a copy from before the training, to switch to.
    examples: texts to choose from. Without them a few that the tokenizer knows.
    position, layer, head: what is looked at first, counted from 1. Without a position the last token.

    Of a text that is longer than the block, the last part counts; of a block longer than 64, 64 tokens are used.
    Raises TypeError for a model or tokenizer that cannot be read; ValueError for a model of more than a million numbers
    or 12 layers or heads, one without attention, an untrained one of other parts, characters that are unknown;
    TraitError for a position, layer or head that there is not.
    """
    return Attention(model, tokenizer, text, untrained, examples, position, layer, head)


def _parts(program):
    """Return all of a program but whether its attentions hide the future and divide: the lab has switches for that."""
    steps = [{name: step[name] for name in step if name not in ("mask", "divide")} for step in program["steps"]]
    return {**program, "steps": steps, "mask": None, "divide": None}
