"""Measured slopes against exact ones, from calculus and from PyTorch, and the errors against their theory."""

import doctest
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lesson_lib import derivatives
from lesson_lib.derivatives import central_difference, forward_difference, numerical_gradient

# a function, where, and its exact derivative there
EXACT = [
    (lambda x: 3 * x - 7, 2.0, 3.0),
    (lambda x: 5.0, 1.0, 0.0),
    (lambda x: x**2, 3.0, 6.0),
    (lambda x: x**2, -3.0, -6.0),
    (lambda x: 3 * x**2 - 4 * x + 5, 3.0, 14.0),
    (lambda x: 3 * x**2 - 4 * x + 5, 2 / 3, 0.0),
    (lambda x: x**3, 2.5, 18.75),
    (lambda x: 1 / x, 0.5, -4.0),
    (math.sin, 1.0, math.cos(1.0)),
    (math.exp, 1.5, math.exp(1.5)),
    (math.log, 3.0, 1 / 3),
    (math.tanh, 0.8814, 1 - math.tanh(0.8814) ** 2),
    (math.sqrt, 2, 1 / (2 * math.sqrt(2))),
]
DIFFERENCES = [forward_difference, central_difference]


@pytest.mark.parametrize(("f", "x", "exact"), EXACT)
def test_the_slope_is_that_of_calculus(f, x, exact):
    assert forward_difference(f, x) == pytest.approx(exact, rel=1e-6, abs=1e-6)
    assert central_difference(f, x) == pytest.approx(exact, rel=1e-9, abs=1e-9)


BENT = [case for case in EXACT if case[0] in (math.sin, math.exp, math.log, math.tanh)]


def order(difference, f, x, exact):
    """Return p where the error shrinks like h to the power p."""
    large, small = (abs(difference(f, x, h) - exact) for h in (1e-2, 1e-3))
    return math.log10(large / small)


@pytest.mark.parametrize(("f", "x", "exact"), BENT)
def test_the_error_shrinks_like_h_forward_and_like_h_squared_central(f, x, exact):
    assert order(forward_difference, f, x, exact) == pytest.approx(1, abs=0.05)
    assert order(central_difference, f, x, exact) == pytest.approx(2, abs=0.05)


@given(x=st.fractions(-100, 100), h=st.fractions("1e-20", 1))
def test_the_algebra_of_the_lesson_without_any_round_off(x, h):
    """With fractions nothing is rounded: the formula's own error, and nothing else, is left."""
    assert forward_difference(lambda x: x * x, x, h) == 2 * x + h
    assert forward_difference(lambda x: 3 * x * x - 4 * x + 5, x, h) == 6 * x - 4 + 3 * h
    assert central_difference(lambda x: x * x, x, h) == 2 * x
    assert forward_difference(lambda x: x**3, x, h) == 3 * x**2 + 3 * x * h + h**2
    assert central_difference(lambda x: x**3, x, h) == 3 * x**2 + h**2


@pytest.mark.parametrize(("difference", "best"), [(forward_difference, -8), (central_difference, -5)])
def test_the_default_step_is_about_the_best(difference, best):
    """The typical error of many functions and places is smallest within a factor of 10 of the default."""
    cases = [(f, x, d) for f, d in [(math.sin, math.cos), (math.exp, math.exp)] for x in (0.3, 0.7, 1.1, 1.9, 2.3)]
    typical = {
        k: math.exp(sum(math.log(abs(difference(f, x, 10.0**k) - d(x)) + 1e-18) for f, x, d in cases) / len(cases))
        for k in range(-16, 0)
    }
    assert abs(min(typical, key=typical.get) - best) <= 1
    assert difference.__defaults__ == (10.0**best,)
    assert typical[-15] > 1e4 * typical[best]


@pytest.mark.parametrize("x", [3.0, -0.5, 0.0])
def test_a_negative_step_looks_to_the_left(x):
    assert forward_difference(math.exp, x, -0.25) == (math.exp(x) - math.exp(x - 0.25)) / 0.25
    assert central_difference(math.exp, x, -0.25) == central_difference(math.exp, x, 0.25)


def test_at_a_kink_forward_gives_its_side_and_central_the_mean():
    assert (forward_difference(abs, 0.0, 1e-3), forward_difference(abs, 0.0, -1e-3)) == (1.0, -1.0)
    assert central_difference(abs, 0.0) == 0.0


def test_a_step_that_is_rounded_away_gives_zero():
    assert forward_difference(lambda x: x * x, 3.0, 1e-16) == 0.0
    assert forward_difference(lambda x: x * x, 1e9) == 0.0
    assert forward_difference(lambda x: x * x, 1e9, 1e-8 * 1e9) == pytest.approx(2e9, rel=1e-6)


@pytest.mark.parametrize("difference", DIFFERENCES)
@pytest.mark.parametrize(("f", "x", "h", "error"), [
    (abs, 1.0, 0, ZeroDivisionError),
    (abs, 1.0, 0.0, ZeroDivisionError),
    (abs, "1", 0.1, TypeError),
    (abs, None, 0.1, TypeError),
    (abs, 1.0, "0.1", TypeError),
    (9.0, 1.0, 0.1, TypeError),
    (lambda x: None, 1.0, 0.1, TypeError),
    (math.log, -3.0, 0.1, ValueError),
])  # fmt: skip
def test_bad_input_raises(difference, f, x, h, error):
    with pytest.raises(error):
        difference(f, x, h)
    with pytest.raises(error):
        numerical_gradient(f, [x], h)


def test_an_error_in_f_comes_through_unchanged():
    planted = RuntimeError("planted")

    def f(*inputs):
        raise planted

    for measure in (lambda: forward_difference(f, 1.0), lambda: numerical_gradient(f, [1.0, 2.0])):
        with pytest.raises(RuntimeError) as caught:
            measure()
        assert caught.value is planted


def test_nan_and_infinity_are_not_hidden():
    assert math.isnan(central_difference(lambda x: math.nan, 1.0))
    assert math.isnan(central_difference(math.exp, math.inf))


def test_each_slope_calls_f_twice_where_it_should():
    places = []
    forward_difference(lambda x: places.append(x) or 0.0, 1.0, 0.25)
    central_difference(lambda x: places.append(x) or 0.0, 1.0, 0.25)
    assert places == [1.25, 1.0, 1.25, 0.75]


def test_the_lectures_gradient():
    assert numerical_gradient(lambda a, b, c: a * b + c, [2.0, -3.0, 10.0]) == pytest.approx([-3, 2, 1])
    assert numerical_gradient(lambda a, b, c: a * b + c, (2, -3, 10)) == pytest.approx([-3, 2, 1])
    assert numerical_gradient(lambda: 1.0, []) == []


@given(inputs=st.lists(st.fractions(-9, 9), min_size=1, max_size=5), h=st.fractions("1e-20", 1))
def test_the_gradient_is_one_central_difference_for_each_input(inputs, h):
    """For a sum of products of neighbours the exact gradient is known, and so is the one measured with fractions."""

    def f(*xs):
        return sum(x * y for x, y in zip(xs, xs[1:])) + xs[0] ** 2

    before = list(inputs)
    neighbours = [2 * inputs[0], *inputs, 0]
    assert numerical_gradient(f, inputs, h) == [left + right for left, right in zip(neighbours, neighbours[2:])]
    assert inputs == before and all(isinstance(x, Fraction) for x in inputs)


def test_the_gradient_agrees_with_pytorch():
    import torch

    inputs = [0.3, -1.2, 0.8]
    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
    (torch.tanh(leaves[0] * leaves[1]) + torch.exp(leaves[2]) / leaves[0]).backward()
    measured = numerical_gradient(lambda a, b, c: math.tanh(a * b) + math.exp(c) / a, inputs)
    assert measured == pytest.approx([leaf.grad.item() for leaf in leaves], rel=1e-8)


def test_the_examples_in_the_docstrings():
    failed, tried = doctest.testmod(derivatives)
    assert tried == 3 and failed == 0
