"""The data sets: the right number, the right places, the same on every machine, and bad input."""

import math
import statistics

import pytest

from lesson_lib import datasets

LABELLED = [datasets.moons, datasets.circles, datasets.spirals]
MADE = [*LABELLED, datasets.wave]


def by_label(pair):
    return {label: [x for x, y in zip(*pair) if y == label] for label in (-1.0, 1.0)}


def test_the_four_examples_are_the_lecture_s():
    inputs, labels = datasets.four_examples()
    assert inputs == [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    assert labels == [1.0, -1.0, -1.0, 1.0]
    inputs[0][0] = labels[0] = 7.0
    assert datasets.four_examples()[0][0][0] == 2.0 and datasets.four_examples()[1][0] == 1.0


@pytest.mark.parametrize("make", MADE)
@pytest.mark.parametrize("n", [2, 3, 40, 101])
def test_there_are_n_examples_of_plain_numbers(make, n):
    inputs, targets = make(n=n)
    assert len(inputs) == len(targets) == n
    width = 1 if make is datasets.wave else 2
    assert all(len(x) == width and all(type(v) is float and abs(v) < 2 for v in x) for x in inputs)
    assert all(type(y) is float for y in targets)


@pytest.mark.parametrize("make", LABELLED)
@pytest.mark.parametrize("n", [2, 40, 101])
def test_half_of_the_labels_are_1_and_the_order_is_mixed(make, n):
    labels = make(n=n)[1]
    assert sorted(labels) == [-1.0] * (n - n // 2) + [1.0] * (n // 2)
    if n >= 40:
        assert 0.3 < sum(a != b for a, b in zip(labels, labels[1:])) / n < 0.7


@pytest.mark.parametrize("make", MADE)
def test_a_seed_gives_the_same_examples_and_another_one_others(make):
    assert make(seed=3) == make(seed=3) != make(seed=4)
    assert make() == make(seed=1)


@pytest.mark.parametrize(
    ("make", "first"),
    [
        (datasets.moons, [0.59791, -0.68546, 1.0]),
        (datasets.circles, [-0.460938, -0.0001, 1.0]),
        (datasets.spirals, [-0.806967, -0.084505, 1.0]),
        (datasets.wave, [0.269231, 0.490929]),
    ],
)
def test_the_examples_are_the_same_on_every_machine(make, first):
    inputs, targets = make()
    assert [*inputs[0], targets[0]] == pytest.approx(first, abs=1e-6)


def test_without_noise_the_points_lie_on_their_curves():
    groups = by_label(datasets.moons(noise=0))
    assert all(math.hypot(x + 0.5, y + 0.25) == pytest.approx(1) and y > -0.26 for x, y in groups[-1.0])
    assert all(math.hypot(x - 0.5, y - 0.25) == pytest.approx(1) and y < 0.26 for x, y in groups[1.0])

    groups = by_label(datasets.circles(noise=0))
    assert all(math.hypot(*x) == pytest.approx(0.5) for x in groups[1.0])
    assert all(math.hypot(*x) == pytest.approx(1.3) for x in groups[-1.0])
    assert len({(round(x, 6), round(y, 6)) for x, y in groups[1.0]}) == 50  # no point twice

    groups = by_label(datasets.spirals(noise=0))
    turned = sorted((round(-x, 9), round(-y, 9)) for x, y in groups[-1.0])
    assert turned == sorted((round(x, 9), round(y, 9)) for x, y in groups[1.0])
    for x, y in groups[1.0]:
        share = (math.hypot(x, y) - 0.2) / 1.2
        assert math.cos(2 * math.pi * share) == pytest.approx(x / math.hypot(x, y))

    inputs, targets = datasets.wave(noise=0)
    assert targets == pytest.approx([math.sin(math.pi * x / 1.5) for (x,) in inputs])
    assert min(inputs) == [-1.5] and max(inputs) == [1.5] and inputs != sorted(inputs)


@pytest.mark.parametrize("make", MADE)
def test_the_noise_has_the_spread_that_was_asked_for(make):
    (clean, true), (noisy, moved) = make(n=4000, noise=0.0), make(n=4000, noise=0.2)
    pairs = zip(true, moved) if make is datasets.wave else ((a, b) for p, q in zip(clean, noisy) for a, b in zip(p, q))
    differences = [b - a for a, b in pairs]
    assert statistics.stdev(differences) == pytest.approx(0.2, rel=0.05)
    assert abs(statistics.mean(differences)) < 0.01


@pytest.mark.parametrize("make", MADE)
def test_bad_input_is_told_what_would_be_right(make):
    for n in (1, 0, -3):
        with pytest.raises(ValueError, match=f"^a data set needs at least 2 examples, and not {n}$"):
            make(n=n)
    for noise in (-0.1, math.nan):
        with pytest.raises(ValueError, match=f"^the noise must be 0 or more, and not {noise}$"):
            make(noise=noise)
