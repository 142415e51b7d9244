"""The learning-rate lab: the path of gradient descent on a landscape, and its losses, for any learning rate."""

import math
import numbers

from traitlets import Bool, Dict, Enum, Float, Int, TraitError, Unicode, observe, validate

from lesson_lib import draw
from lesson_lib.draw import colors
from lesson_lib.labs.base import Lab, script
from lesson_lib.labs.landscape import DECAYS, FORMULAS, GAP, HEIGHT, LANDSCAPES, WIDTH, network, out_at, schedule, walk

MOST_STEPS = 1000


class LearningRate(Lab):
    """The widget behind `labs.learning_rate`. The page and Python both may set its traits."""

    _esm = script("plot.js", "numbers.js", "landscape.js", "learning_rate.js")

    title = Unicode("Gradient descent, and its learning rate").tag(sync=True)
    works_alone = Bool(True, read_only=True).tag(sync=True)
    sentence = Unicode()  # not synced: the page makes its own while the sliders move
    landscape = Enum(LANDSCAPES, "bowl").tag(sync=True)
    rate = Float(0.1).tag(sync=True)
    x = Float(0.0, min=-WIDTH, max=WIDTH).tag(sync=True)
    y = Float(0.0, min=-HEIGHT, max=HEIGHT).tag(sync=True)
    momentum = Float(0.0).tag(sync=True)
    decay = Enum(DECAYS, "none").tag(sync=True)
    steps = Int(50, min=1, max=MOST_STEPS).tag(sync=True)
    slice = Dict().tag(sync=True)  # the losses of the network's slice, once they are needed

    def __init__(self, **settings):
        super().__init__(**settings)
        self._need_slice()
        self._speak()

    @observe("landscape")
    def _need_slice(self, change=None):
        if self.landscape == "network" and not self.slice:
            self.slice = {"rows": network().rows, "gap": GAP}

    @validate("rate", "momentum", "x", "y")
    def _check(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if name == "rate" and not 1e-12 <= value <= 1e6:
            raise TraitError(f"the learning rate must be above 0, here from 1e-12 to 1e6, and not {value:g}")
        if name == "momentum" and not 0 <= value < 1:
            raise TraitError(f"the momentum must be 0 or more, and below 1, and not {value:g}")
        if math.isnan(value):  # which is neither below nor above its bounds
            raise TraitError(f"{name} must be a number, and nan is none")
        return value

    @observe("landscape", "rate", "x", "y", "momentum", "decay", "steps")
    def _speak(self, change=None):
        places = self.places()
        last, (_, _, first), (x, y, loss) = len(places) - 1, places[0], places[-1]
        out = out_at(places)
        words = [
            f"Gradient descent on the landscape {self.landscape}, from x = {self.x:g}, y = {self.y:g},",
            f"with learning rate {self.rate:g}, momentum {self.momentum:g} and decay {self.decay}.",
            f"The loss is {first:.3g} at the start.",
            f"After {last} steps it is {loss:.3g}, at x = {x:.3g}, y = {y:.3g}."
            if out is None
            else f"At step {out} the path leaves the picture for good.",
        ]
        self.sentence = " ".join(words)

    def places(self):
        """Return the places on the way down as triples (x, y, loss): what the picture shows."""
        rate = schedule(self.decay, self.rate, self.steps)
        return walk(self.function(), self.x, self.y, rate, self.momentum, self.steps)

    def function(self):
        """Return the landscape: a function from x, y to the loss and its derivatives with respect to x and y."""
        return network() if self.landscape == "network" else FORMULAS[self.landscape]

    def still(self):
        """Return the path and its losses as they stand now, as a `draw.Picture`."""
        return _picture(self)


def learning_rate(landscape="bowl", rate=0.1, *, start=(2.4, 1.4), momentum=0.0, decay="none", steps=50):
    """Return the learning-rate lab: a landscape, the path of gradient descent on it, and the loss at each step.

    landscape: "bowl", "narrow valley", "two minima", or "network": the loss of a real, trained network,
        of which only two parameters move.
    rate: the learning rate, from 1e-12 to 1e6. The slider goes from 0.00001 to 10.
    start: a pair (x, y), x from -3 to 3 and y from -2 to 2.
    momentum: from 0 to below 1. Each step is v = momentum * v + gradient, then place -= rate * v.
    decay: "none", "step" (half the rate after each fifth of the steps), "linear" or "cosine" (both down to 0).
    steps: how many steps are made, from 1 to 1000.

    Raises ValueError for anything else, and says what there is.
    """
    settings = {"landscape": landscape, "rate": rate, "momentum": momentum, "decay": decay, "steps": steps}
    for name, value, known in (("landscape", landscape, LANDSCAPES), ("decay", decay, DECAYS)):
        if value not in known:
            raise ValueError(f"there is no {name} {value!r}; there are {', '.join(map(repr, known))}")
    try:
        settings["x"], settings["y"] = map(float, start)
    except (TypeError, ValueError):
        raise ValueError(f"start is a pair of numbers (x, y), and not {start!r}") from None
    if not (abs(settings["x"]) <= WIDTH and abs(settings["y"]) <= HEIGHT):
        raise ValueError(f"start must have x from -3 to 3 and y from -2 to 2, and not {start!r}")
    if not (isinstance(steps, numbers.Integral) and 1 <= steps <= MOST_STEPS):
        raise ValueError(f"steps must be a whole number from 1 to {MOST_STEPS}, and not {steps!r}")
    settings["steps"] = int(steps)  # a NumPy integer is none to traitlets
    try:
        return LearningRate(**settings)
    except TraitError as error:
        raise ValueError(str(error)) from None


def _picture(lab):
    """Return the landscape with the path, and the losses beside it, as a `draw.Picture`."""
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    f, places = lab.function(), lab.places()
    xs, ys = np.linspace(-WIDTH, WIDTH, 61), np.linspace(-HEIGHT, HEIGHT, 41)
    heights = np.array([[f(float(x), float(y))[0] for x in xs] for y in ys])
    # equally far apart on a bowl, as in the page
    levels = heights.min() + (heights.max() - heights.min()) * (np.arange(10) / 9) ** 2
    out = out_at(places)
    shown = np.array([place[:2] for place in places[: len(places) if out is None else out + 1]])
    # the way into infinity, or down to 0, is long: the plot shows where it begins
    losses = [min(max(loss, 1e-99), 1e99) for *_, loss in places if math.isfinite(loss)]
    low, high = max(min(losses), 1e-9), min(max(losses), 1e9)
    with draw.house_style():
        fig = Figure(figsize=(8.4, 3.5))
        left, right = fig.subplots(1, 2)
        shades = LinearSegmentedColormap.from_list("house", [colors.DATA, colors.PAPER])
        left.contourf(xs, ys, heights, levels=levels, colors=[shades(0.55 + 0.05 * k) for k in range(9)])
        left.plot(*shown.T, ".-", color=colors.GRADIENT, linewidth=1.4, markersize=5)
        left.plot(*shown[0], "o", color=colors.INK, mfc=colors.PAPER, label="start")
        if out is None:
            left.plot(*shown[-1], "s", color=colors.INK, label=f"step {len(places) - 1}")
        left.set(title=lab.landscape, xlabel="x", ylabel="y", aspect="equal")
        left.set(xlim=(-WIDTH, WIDTH), ylim=(-HEIGHT, HEIGHT))
        left.grid(False)
        right.plot(losses, ".-", color=colors.GRADIENT, linewidth=1.4, markersize=5)
        right.set(title=f"learning rate {lab.rate:g}", xlabel="step", ylabel="loss", yscale="log", xlim=(0, lab.steps))
        right.set_ylim(low / 2, high * 2)
        fig.legend(loc="outside lower left", ncols=2)
        return draw.figure(fig, lab.sentence)
