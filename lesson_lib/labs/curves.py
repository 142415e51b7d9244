"""Curves of losses as the page gets them: in few digits, and of few points."""

import math

POINTS = 300  # of a curve, at most


def short(x, digits=4):
    """Return x in so many digits, and None for what JSON does not know."""
    return float(f"{x:.{digits}g}") if math.isfinite(x) else None


def kept(losses):
    """Return the places of the losses that are shown: all of them, or the lowest and the highest of each piece.

    So the zig-zags stay.
    """
    size = math.ceil(2 * len(losses) / POINTS)
    places = range(len(losses))
    if size <= 2:
        return places
    pieces = [places[i : i + size] for i in places[::size]]
    return sorted({pick(piece, key=losses.__getitem__) for piece in pieces for pick in (min, max)})


def thin(losses):
    """Return points [step, loss] of the losses."""
    return [[i, short(losses[i])] for i in kept(losses)]
