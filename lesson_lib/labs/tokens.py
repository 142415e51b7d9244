"""What labs of a few tokens share: reading tokens and their numbers, and how a picture and a sentence name them."""

import random
import unicodedata
from decimal import ROUND_HALF_UP, Decimal

import numpy as np

from lesson_lib.labs.signs import mark

VECTORS = {"d": (4, 0), "e": (2, 6), "a": (0, 3), "r": (6, 7)}  # their averages along "dear" are whole numbers


def read_tokens(tokens, fewest, most):
    """Return the tokens as a list of strings, from a string or a list; raises where they are none, or not so many."""
    if not isinstance(tokens, str):
        try:
            tokens = list(tokens)
        except TypeError:
            tokens = [tokens]
        strange = next((token for token in tokens if not isinstance(token, str)), None)
        if strange is not None:
            raise TypeError(f"tokens must be a string or a list of strings, and this is a {type(strange).__name__}")
    if not fewest <= len(tokens) <= most:
        raise ValueError(f"the lab has room for {fewest} to {most} tokens, and these are {len(tokens)}")
    if "" in [*tokens]:
        raise ValueError(f"token {[*tokens].index('')} is an empty string: there is nothing to show")
    return [*tokens]


def vectors_of(tokens, seed):
    """Return a vector for each token: equal tokens have equal ones, different tokens different ones."""
    found, taken = dict(VECTORS), set(VECTORS.values())
    for token in sorted(set(tokens) - set(VECTORS)):
        # ascii, because half a surrogate pair cannot be a seed
        generator = random.Random(f"{seed} {ascii(token)}")
        while token not in found:
            vector = (generator.randrange(8), generator.randrange(8))
            if vector not in taken:
                found[token] = vector
                taken.add(vector)
    return [found[token] for token in tokens]


def matrix(name, value, shape, low, high):
    """Return numbers of the shape as lists of floats; raises where they are none, or out of range."""
    if hasattr(value, "detach"):  # a tensor, on whatever device and in whatever precision
        value = value.detach().cpu().double().numpy()
    try:
        found = np.array(value, dtype=float)
    except (TypeError, ValueError):
        message = f"{name} must be a table of numbers of the shape {shape}, and this is a {type(value).__name__}"
        raise TypeError(f"{message} that cannot be read as one") from None
    if found.shape != shape:
        raise ValueError(f"{name} must be of the shape {shape}, and it is of the shape {found.shape}")
    bad = ~((found >= low) & (found <= high))  # nan is neither
    if bad.any():
        limits = f"from {low:,.7g} to {high:,.7g}"
        raise ValueError(f"{name} must hold numbers {limits}, and one of them is {found[bad][0]:g}")
    return (found + 0.0).tolist()  # + 0.0, so that there is no -0


def label(token):
    """Return the token in signs that can be seen, cut where it is too wide for a cell."""
    signs, width = [], 0
    for sign in (mark(character)[0] for character in token):
        wide = sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in sign if not _joins(one))
        if signs and width + wide > 5:
            return "".join(signs) + "…"
        signs.append(sign)
        width += wide
    return "".join(signs)


def _joins(character):
    return unicodedata.category(character)[0] == "M"


def name_of(token):
    """Return how a sentence names the token: d as it is, “+” in quotes; isolated, so that it turns nothing around."""
    shown = f"\u2068{label(token)}\u2069"
    return shown if token.isalpha() else f"“{shown}”"


def two(number):
    """Return the number in two decimals as JavaScript's toFixed does, half of one rounded up: 0.125 is 0.13.

    >>> two(0.125), two(0.145), two(1.005)  # the last two are a little below what is written here
    ('0.13', '0.14', '1.00')
    """
    return str(Decimal(float(number)).quantize(Decimal("0.01"), ROUND_HALF_UP))


def short(number):
    """Return the number for a cell: without zeros at the end where that is all of it, and else in two decimals.

    >>> short(0.5), short(1 / 3), short(0.9997), short(-0.003), short(-2000.0), short(1e6)
    ('0.5', '0.33', '1.00', '0.00', '−2000', '1.0e6')
    """
    if abs(number) >= 10_000:
        text = f"{number:.1e}".replace("e+0", "e")
    else:
        text = two(number)
        if abs(number - float(text)) < 1e-9:
            text = text.rstrip("0").rstrip(".")
    return text[1:] if text in ("-0", "-0.00") else text.replace("-", "−")
