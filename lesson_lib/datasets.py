"""Small data sets to learn from, made from a seed: the same on every machine, and nothing is downloaded.

Each function returns a pair (inputs, targets): a list of n inputs, each a list of numbers, and a list of n
targets, each a number. n is the number of examples, noise the standard deviation of what is added to each
coordinate, seed what the noise and the random order are drawn from.
Raises ValueError for fewer than 2 examples or a negative noise.
"""

import math
import random


def four_examples():
    """Return the four examples of Andrej Karpathy's lecture "building micrograd": three numbers and a label each."""
    inputs = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    return inputs, [1.0, -1.0, -1.0, 1.0]


def moons(n=100, noise=0.1, seed=1):
    """Return n points on two half circles that reach into each other, label -1.0 or 1.0, as in micrograd's demo."""

    def moon(share, label):
        x, y = math.cos(math.pi * share), math.sin(math.pi * share)
        return (x - 0.5, y - 0.25) if label < 0 else (0.5 - x, 0.25 - y)

    return _labelled(moon, n, noise, seed)


def circles(n=100, noise=0.1, seed=1):
    """Return n points on two circles around (0, 0): label 1.0 on the inner one, -1.0 on the outer one."""

    def circle(share, label):
        radius, angle = 0.5 if label > 0 else 1.3, 2 * math.pi * share
        return radius * math.cos(angle), radius * math.sin(angle)

    return _labelled(circle, n, noise, seed)


def spirals(n=100, noise=0.03, seed=1):
    """Return n points on two arms of a spiral that wind around each other, label -1.0 or 1.0."""

    def arm(share, label):
        radius, angle = label * (0.2 + 1.2 * share), 2 * math.pi * share
        return radius * math.cos(angle), radius * math.sin(angle)

    return _labelled(arm, n, noise, seed)


def wave(n=40, noise=0.05, seed=1):
    """Return n points of a curve to fit: inputs [x] from -1.5 to 1.5, the targets one wave of a sine and noise."""
    _check(n, noise)
    dice = random.Random(seed)
    places = [1.5 * (2 * i / (n - 1) - 1) for i in range(n)]
    dice.shuffle(places)
    return [[x] for x in places], [math.sin(math.pi * x / 1.5) + dice.gauss(0, noise) for x in places]


def _labelled(place, n, noise, seed):
    """Return n points and their labels; place(share, label) says where one lies, share goes from 0 to 1."""
    _check(n, noise)
    dice = random.Random(seed)
    pairs = [(2 * (i // 2) / n, 1.0 if i % 2 else -1.0) for i in range(n)]
    dice.shuffle(pairs)
    inputs = [[c + dice.gauss(0, noise) for c in place(share, label)] for share, label in pairs]
    return inputs, [label for _, label in pairs]


def _check(n, noise):
    if n < 2:
        raise ValueError(f"a data set needs at least 2 examples, and not {n}")
    if not noise >= 0:
        raise ValueError(f"the noise must be 0 or more, and not {noise}")
