"""The slope of a function, measured by a small nudge: the tools of lesson 1.

All three take the function itself, so they work for anything that you can call with numbers. They
estimate, and the step h decides how well. Two errors pull against each other: a curve bends within a
large step, and a small step leaves few correct digits in the difference of two nearly equal numbers.
The default of each h is about where the two are equal, for inputs and results of ordinary size (from
0.1 to 100, say). For an input of size 1e6 take an h of 1e6 times the default. The rule is that of Press
et al., "Numerical Recipes", section 5.7.

Nothing is guarded. h = 0 raises ZeroDivisionError, an error inside f comes through as it is, and an h so
small that x + h is x gives 0 without a word. At a kink, where the slope jumps, there is no right answer:
`forward_difference` gives the slope on the side of h, `central_difference` the mean of both sides.
"""


def forward_difference(f, x, h=1e-8):
    """Return the slope of f from x to x + h; a negative h looks to the left. The error shrinks like h.

    >>> round(forward_difference(lambda x: x * x, 3.0), 4)
    6.0
    """
    return (f(x + h) - f(x)) / h


def central_difference(f, x, h=1e-5):
    """Return the slope of f from x - h to x + h. The error shrinks like h squared.

    >>> round(central_difference(lambda x: x * x, 3.0), 4)
    6.0
    """
    return (f(x + h) - f(x - h)) / (2 * h)


def numerical_gradient(f, inputs, h=1e-5):
    """Return the list of the slopes of f, one for each of its inputs, the others held still.

    f is called as f(*inputs), twice for each input; `inputs` is any sequence of numbers, left as it is.

    >>> [round(slope, 4) for slope in numerical_gradient(lambda a, b, c: a * b + c, [2.0, -3.0, 10.0])]
    [-3.0, 2.0, 1.0]
    """
    gradient = []
    for i in range(len(inputs)):
        up, down = list(inputs), list(inputs)
        up[i] += h
        down[i] -= h
        gradient.append((f(*up) - f(*down)) / (2 * h))
    return gradient
