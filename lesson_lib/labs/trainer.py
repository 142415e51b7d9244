"""What the playground trains: a network of any class, a data set, the loss, and steps that never happen by halves."""

import collections
import itertools
import math
import random

from lesson_lib import datasets
from lesson_lib.descent import gradient_descent, hinge_loss, mean_squared_error

DATA = {name: getattr(datasets, name) for name in ("moons", "circles", "spirals", "wave")}


def read_data(data):
    """Return (inputs, targets) as lists of floats; data is a name of DATA, or such a pair of the learner's own.

    Each input has 1 or 2 numbers, all equally many. Raises ValueError, or TypeError, that says what is wrong.
    """
    if isinstance(data, str):
        if data not in DATA:
            raise ValueError(f"there is no data set {data!r}: take {', '.join(DATA)}, or a pair (inputs, targets)")
        return DATA[data]()
    try:
        inputs, targets = map(list, data)
    except (TypeError, ValueError):
        raise ValueError("the data is a name, such as 'moons', or a pair (inputs, targets)") from None
    if len(inputs) == 0:
        raise ValueError("the data is empty: at least 1 example is needed")
    if len(inputs) != len(targets):
        raise ValueError(f"there are {len(inputs)} inputs and {len(targets)} targets: each input needs its target")
    sizes = [len(x) if hasattr(x, "__len__") else None for x in inputs]
    if sizes[0] not in (1, 2):
        wrong = "a number" if sizes[0] is None else f"{sizes[0]} numbers"
        raise ValueError(f"each input is a list of 1 or 2 numbers, such as [0.5, 1.0]; the first one is {wrong}")
    for i, size in enumerate(sizes):
        if size != sizes[0]:
            raise ValueError(f"all inputs must be equally long: input 0 has {sizes[0]} numbers, input {i} has {size}")
    return [[_finite("input", c) for c in x] for x in inputs], [_finite("target", t) for t in targets]


def _finite(name, value):
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"every {name} must be a number, and one is {value!r}") from None
    if not math.isfinite(number):
        raise ValueError(f"every {name} must be a finite number, and one is {number}")
    return number


def make(network, nin, layers, seed, options):
    """Return network(nin, [*layers, 1], **options), made with this seed; `random` goes on as if nothing had been."""
    for size in layers:
        if size < 1:
            raise ValueError(f"a layer needs at least 1 neuron, and not {size}: layers={tuple(layers)}")
    state = random.getstate()
    random.seed(seed)
    try:
        return network(nin, [*layers, 1], **options)
    finally:
        random.setstate(state)


class Trainer:
    """A network, the examples it learns from, and the losses so far, one for each step.

    network: anything with `parameters()`, each with `data` and `grad`, that turns a list of numbers into a Value (or
        a list of one).
    begin: the parameters' numbers at the beginning.
    loss, scores: the loss and the network's answers to the inputs, as of the last forward pass.
    Raises TypeError or ValueError where the network is not of that kind.
    """

    def __init__(self, network, inputs, targets):
        self.network = network
        self.inputs, self.targets = inputs, targets
        self.labels = set(targets) <= {-1.0, 1.0}
        self.kind = "hinge loss" if self.labels else "mean squared error"
        self.usual_rate = 0.5 if self.labels else 0.03  # what suits our data sets and small networks
        self.parameters = list(network.parameters())
        if not self.parameters:
            raise ValueError("the network has no parameters: its parameters() is empty, so there is nothing to train")
        for p in self.parameters:
            if not (hasattr(p, "data") and hasattr(p, "grad")):
                raise TypeError(f"each parameter needs data and grad, as a Value has them, and {p!r} has not")
        self.losses = []
        self.begin = [p.data for p in self.parameters]
        self.measure()

    def __call__(self, x):
        """Return the network's answer to the list of numbers x, a Value."""
        out = self.network(x)
        if isinstance(out, (list, tuple)):
            if len(out) != 1:
                raise ValueError(f"the network must give one number for each input; it gave {len(out)}")
            out = out[0]
        if not (hasattr(out, "data") and hasattr(out, "backward")):
            raise TypeError(f"the network must give a Value, with data and backward(), and gave {out!r}")
        return out

    def _loss(self):
        answers = [self(x) for x in self.inputs]
        self.scores = [float(a.data) for a in answers]
        return (hinge_loss if self.labels else mean_squared_error)(answers, self.targets)

    def measure(self):
        """Go forward, and keep the loss as it is now in `loss`, and the answers in `scores`."""
        try:
            self.loss = float(self._loss().data)
        except OverflowError:
            self.loss, self.scores = math.inf, [math.nan] * len(self.inputs)

    def step(self, rate):
        """Do one step of gradient descent: all of it or, where anything is raised on the way, nothing.

        Raises FloatingPointError, with the step and the likely cause, when a number is too large or none any more.
        """
        done = len(self.losses)
        before = [(p.data, p.grad) for p in self.parameters]
        try:
            losses = gradient_descent(self.parameters, self._loss, rate, 1)
            if not all(math.isfinite(p.data) for p in self.parameters):
                raise FloatingPointError
            self.losses += losses
            self.loss = losses[0]
        except BaseException as error:
            self._put(before)
            del self.losses[done:]
            # OverflowError is what math.exp raises in a tanh written by hand
            if isinstance(error, (FloatingPointError, OverflowError)):
                raise FloatingPointError(self._cause(done, rate)) from error
            raise

    def _cause(self, done, rate):
        if not done:
            return (
                "Step 1 failed: the loss or a gradient is too large, or not a number. Either the data or a parameter "
                f"is much too large already, or the rate is: {rate:g}."
            )
        return (
            f"Stopped at step {done + 1}: the loss or a gradient is no longer a finite number. The likely cause: the "
            f"rate {rate:g} is too high. All parameters are as they were after step {done}. Reset, and lower the rate."
        )

    def reset(self):
        """Go back to the parameters at the beginning."""
        self._put([(data, 0.0) for data in self.begin])
        self.losses.clear()
        self.measure()

    def _put(self, numbers):
        """Set (data, grad) of every parameter, in one go: no signal is answered between two parameters."""
        data, grads = zip(*numbers)
        # a deque without room runs the whole map outside Python's loop, where alone an interrupt is raised
        for name, column in (("data", data), ("grad", grads)):
            collections.deque(map(setattr, self.parameters, itertools.repeat(name), column), maxlen=0)

    def right(self):
        """Return how many of the last answers are on the side of their label."""
        return sum(score * target > 0 for score, target in zip(self.scores, self.targets))

    def blocks(self):
        """Return (blocks, known): for each layer, a row of indices into `parameters` for each neuron, the bias last.

        Where the parameters are not those of `layers[i].neurons[j].w` and `.b`, known is False, and there is one
        block whose rows mean nothing.
        """
        place = {id(p): i for i, p in enumerate(self.parameters)}
        try:
            layers = [[[*neuron.w, neuron.b] for neuron in layer.neurons] for layer in self.network.layers]
            blocks = [[[place[id(p)] for p in row] for row in rows] for rows in layers]
            known = sorted(i for rows in blocks for row in rows for i in row) == list(range(len(place)))
        except (AttributeError, KeyError, TypeError):
            known = False
        if known:
            return blocks, True
        count = len(self.parameters)
        width = math.ceil(math.sqrt(count))
        return [[list(range(i, min(i + width, count))) for i in range(0, count, width)]], False
