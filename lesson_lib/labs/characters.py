"""What the labs share whose text a trained model reads character by character: its vocabulary, and how to name it."""

from lesson_lib.labs.signs import INVISIBLE, NAMED, mark


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
