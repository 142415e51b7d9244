"""What the labs share in which a trained model reads a text character by character: its vocabulary, and its names."""

from traitlets import Bool, Dict, List, Unicode

from lesson_lib.labs.attention_model import encoded
from lesson_lib.labs.base import Lab
from lesson_lib.labs.signs import INVISIBLE, NAMED, mark


class CharacterLab(Lab):
    """The base of these labs. The page computes and draws everything; V is the size of the vocabulary.

    vocabulary: V characters, in the order of their numbers; labels: a sign for each; names: as a sentence has them.
    program, numbers: what attention_model.py read of the model; the array as base64 of float32, little end first.
    """

    sentence = Unicode()  # not synced: the page makes its own
    works_alone = Bool(True, read_only=True).tag(sync=True)
    vocabulary = List(Unicode()).tag(sync=True)
    labels = List(Unicode()).tag(sync=True)
    names = List(Unicode()).tag(sync=True)
    program = Dict().tag(sync=True)
    numbers = Unicode().tag(sync=True)

    def __init__(self, vocabulary, program, numbers, **traits):
        super().__init__(
            vocabulary=vocabulary,
            labels=[mark(character)[0] for character in vocabulary],
            names=[name_of(character) for character in vocabulary],
            program=program,
            numbers=encoded(numbers),
            **traits,
        )

    def numbers_of(self, text):
        """Return the numbers of the text's characters."""
        places = {character: i for i, character in enumerate(self.vocabulary)}
        return [places[character] for character in text]


def characters(tokenizer, V):
    """Return the tokenizer's V characters in the order of their numbers.

    tokenizer: a `CharTokenizer`, or one with `encode` and a list `vocabulary` (or `chars`). Raises TypeError for one
    without these or whose tokens are more than a character each, ValueError for another number of tokens.
    """
    known = next((getattr(tokenizer, name) for name in ("vocabulary", "chars") if hasattr(tokenizer, name)), None)
    if known is None or not hasattr(tokenizer, "encode"):
        message = "the tokenizer must have `encode` and a list `vocabulary` of its characters, and"
        raise TypeError(f"{message} a {type(tokenizer).__name__} has not")
    found = {}
    for character in known:
        ids = [int(i) for i in tokenizer.encode(character)]
        if len(character) != 1 or len(ids) != 1:
            raise TypeError(f"each token must be one character, and {character!r} is {len(ids)} of {len(character)}")
        found[ids[0]] = character
    if sorted(found) != list(range(V)):
        raise ValueError(f"the model knows {V} tokens, and the tokenizer {len(found)}: they do not belong together")
    return [found[i] for i in range(V)]


def refuse_unknown(text, known, error):
    """Raise the error where the text has characters that are not among the known ones; TypeError where it is none."""
    if not isinstance(text, str):
        raise TypeError(f"a text must be a string, and this is a {type(text).__name__}")
    unknown = [character for character in dict.fromkeys(text) if character not in known]
    if unknown:
        shown = ", ".join(f"{character!r}" for character in unknown[:5]) + ("…" if len(unknown) > 5 else "")
        raise error(f"{shown} in {text[:40]!r}: not among the {len(known)} characters that the model knows")


def name_of(character):
    """Return how a sentence names the character: “e”, or ␣ (space); isolated, so that it turns nothing around."""
    shown, meaning = mark(character)
    if character in NAMED:
        return f"{shown} ({meaning})"
    return f"{shown} (an invisible character)" if meaning == INVISIBLE else f"“\u2068{shown}\u2069”"
