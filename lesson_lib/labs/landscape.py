"""Landscapes to walk down, and the way down by gradient descent. landscape.js is the same for the page.

A landscape is a function from x and y to three floats: the loss, and its derivatives with respect to x and y.
"""

import functools
import math
import random

from lesson_lib.datasets import wave
from lesson_lib.descent import constant, cosine_decay, gradient_descent, linear_decay, mean_squared_error, step_decay
from lesson_lib.mlp import MLP

# every picture shows x from -3 to 3 and y from -2 to 2
WIDTH, HEIGHT = 3.0, 2.0
# the losses of the network's slice are this far apart; there is one row and one column more than is seen on each side
GAP = 0.125
DECAYS = ("none", "step", "linear", "cosine")


def bowl(x, y):
    return x * x + y * y, 2 * x, 2 * y


def narrow_valley(x, y):
    return 0.02 * x * x + y * y, 0.04 * x, 2 * y


def two_minima(x, y):
    loss = 0.075 * x * x * x * x + 0.05 * x * x * x - 0.45 * x * x + 0.5 * y * y + 1.1
    return loss, 0.3 * x * (x + 2) * (x - 1.5), y


class Slice:
    """A landscape between given losses: cubic, and with the exact derivatives of just this cubic.

    rows is a list of lists of losses: row j, column i belongs to x = -WIDTH + (i - 1) * GAP and
    y = -HEIGHT + (j - 1) * GAP. Outside of the picture there is no loss: nan. (The cubic is Catmull and Rom's.)
    """

    def __init__(self, rows):
        self.rows = rows

    def __call__(self, x, y):
        if not (abs(x) <= WIDTH and abs(y) <= HEIGHT):
            return math.nan, math.nan, math.nan
        i, wx, dx = _cubic((x + WIDTH) / GAP, len(self.rows[0]))
        j, wy, dy = _cubic((y + HEIGHT) / GAP, len(self.rows))
        across = [sum(w * z for w, z in zip(wx, row[i : i + 4])) for row in self.rows[j : j + 4]]
        slopes = [sum(d * z for d, z in zip(dx, row[i : i + 4])) for row in self.rows[j : j + 4]]
        return (
            sum(w * a for w, a in zip(wy, across)),
            sum(w * s for w, s in zip(wy, slopes)) / GAP,
            sum(d * a for d, a in zip(dy, across)) / GAP,
        )


def _cubic(place, n):
    """Return the first of the four losses about a place, their four weights, and the weights' derivatives."""
    i = min(int(place), n - 4)
    t = place - i
    weights = (
        (-t + 2 * t * t - t * t * t) / 2,
        (2 - 5 * t * t + 3 * t * t * t) / 2,
        (t + 4 * t * t - 3 * t * t * t) / 2,
        (t * t * t - t * t) / 2,
    )
    derivatives = (
        (-1 + 4 * t - 3 * t * t) / 2,
        (9 * t * t - 10 * t) / 2,
        (1 + 8 * t - 9 * t * t) / 2,
        (3 * t * t - 2 * t) / 2,
    )
    return i, weights, derivatives


def trained_network():
    """Return a small network that was trained on `wave`, and the function that computes its loss."""
    state = random.getstate()
    random.seed(1)
    net = MLP(1, [4, 1], activation="tanh", fused=True)
    random.setstate(state)  # the learner's own random numbers are not to depend on this lab
    inputs, targets = wave(20)

    def loss():
        return mean_squared_error([net(x) for x in inputs], targets)

    gradient_descent(net.parameters(), loss, 0.2, 500)
    return net, loss


@functools.cache
def network():
    """Return the `Slice` through a real network's loss along two of its parameters, computed at the first call.

    x is the weight and y the bias of the last hidden neuron; the other 11 parameters stay as they were trained.
    """
    net, loss = trained_network()
    neuron = net.layers[0].neurons[3]
    rows = []
    for j in range(round(2 * HEIGHT / GAP) + 3):
        neuron.b.data = -HEIGHT + (j - 1) * GAP
        rows.append([])
        for i in range(round(2 * WIDTH / GAP) + 3):
            neuron.w[0].data = -WIDTH + (i - 1) * GAP
            rows[-1].append(round(loss().data, 6))  # the same on every machine
    return Slice(rows)


FORMULAS = {"bowl": bowl, "narrow valley": narrow_valley, "two minima": two_minima}
LANDSCAPES = (*FORMULAS, "network")


# -- the way down -----------------------------------------------------------------------------------


def schedule(decay, rate, steps):
    """Return the learning rate as a function of the number of the step, from 0 to steps - 1."""
    if decay == "none":
        return constant(rate)
    if decay == "step":
        return step_decay(rate, 0.5, max(1, steps // 5))
    return {"linear": linear_decay, "cosine": cosine_decay}[decay](rate, steps)


def walk(landscape, x, y, rate, momentum, steps):
    """Return the places on the way down as triples (x, y, loss): the start, then one for each step.

    rate is a schedule. The way ends early with the first place whose loss is no finite number.
    """
    vx = vy = 0.0
    loss, dx, dy = landscape(x, y)
    places = [(x, y, loss)]
    for step in range(steps):
        vx, vy = momentum * vx + dx, momentum * vy + dy
        x, y = x - rate(step) * vx, y - rate(step) * vy
        loss, dx, dy = landscape(x, y)
        places.append((x, y, loss))
        if not math.isfinite(loss):
            break
    return places


def out_at(places):
    """Return the step at which the path leaves the picture for good, or None where it ends inside."""
    seen = [abs(x) <= WIDTH and abs(y) <= HEIGHT for x, y, _ in places]
    return None if seen[-1] else max(i for i, inside in enumerate(seen) if inside) + 1
