"""The playground: the learner's own network learns a data set, live, while the kernel goes on answering."""

import math
import operator
import time

from traitlets import Dict, Float, List, TraitError, Unicode, observe, validate

from lesson_lib.labs import playground_view as view
from lesson_lib.labs.background import TICK, BackgroundLab
from lesson_lib.labs.base import HERE, script, style
from lesson_lib.labs.curves import short
from lesson_lib.labs.trainer import DATA, Trainer, make, read_data
from lesson_lib.mlp import MLP

OWN = "your data"
LAYERS = ("", "4", "8", "8, 8", "16, 16", "8, 8, 8")


class Playground(BackgroundLab):
    """The widget behind `labs.playground`.

    network: the network that learns. losses: the list of losses, one for each step.
    rate, data, layers: the controls; the page and Python both may set them. layers is a text: "8, 8".
    scene: what stays while it learns: the examples, the picture's edges, the parameters' names and places.
    now: what changes: step, loss, the curve of losses, the answers, the parameters, their gradients.
    heights: the network's answers all over the picture.
    """

    _esm = script("plot.js", "playground.js")
    _css = style() + (HERE / "playground.css").read_text(encoding="utf-8")

    title = Unicode("A network learns").tag(sync=True)
    rate = Float().tag(sync=True)
    data = Unicode().tag(sync=True)
    layers = Unicode().tag(sync=True)
    choices = Dict().tag(sync=True)
    scene = Dict().tag(sync=True)
    now = Dict().tag(sync=True)
    heights = List().tag(sync=True)

    _trainer = None
    _heights = ()  # the network's answers, all over the picture
    _looked = _looking = 0.0  # when the last look ended, and how long it took

    def __init__(self, network, data, layers, rate, seed, options):
        self._find_loop()
        if not callable(network):
            raise TypeError(f"network is a class, a function, or a network that is already made, and not {network!r}")
        self._is_made = hasattr(network, "parameters") and not isinstance(network, type)
        if self._is_made and options:
            raise TypeError(f"this network is already made, and takes no options: {', '.join(options)}")
        self._network, self._seed, self._options = network, seed, options
        self._own = None if isinstance(data, str) else read_data(data)
        name = data if self._own is None else OWN
        layers = "" if self._is_made else _text(layers)
        trainer = self._make(name, layers)
        super().__init__(
            data=name,
            layers=layers,
            rate=trainer.usual_rate if rate is None else rate,
            choices={
                "data": self._data_choices(trainer),
                "layers": [] if self._is_made else [*LAYERS, *({layers} - {*LAYERS})],
            },
        )
        self._take(trainer)

    # -- what is trained ----------------------------------------------------------------------------------

    @property
    def network(self):
        return self._trainer.network

    @property
    def losses(self):
        return list(self._trainer.losses)

    def _make(self, data, layers):
        """Return a new Trainer, ready to begin."""
        inputs, targets = self._own if data == OWN and self._own else read_data(data)
        if not self._is_made:
            network = make(self._network, len(inputs[0]), _sizes(layers), self._seed, self._options)
            return Trainer(network, inputs, targets)
        trainer = Trainer(self._network, inputs, targets)
        if self._trainer:  # the same network, from its beginning
            trainer.begin = self._trainer.begin
            trainer.reset()
        return trainer

    def _data_choices(self, trainer):
        nin = len(trainer.inputs[0])
        # a network that is already made has its number of inputs
        known = [name for name in DATA if not self._is_made or len(read_data(name)[0][0]) == nin]
        return [*known, OWN] if self._own else known

    def _take(self, trainer):
        """Let this one be trained from now on."""
        self._trainer = trainer
        self._taken = self.data, self.layers
        self._most = 0.0  # the largest gradient so far
        self._note = ""
        self.problem = ""
        with self.hold_sync():  # the page never has the one without the other
            self.scene = view.scene(trainer)
            if len(self._heights) != len(view.grid(self.scene)):
                self._heights = []  # a map where the curve goes; else the old one stays for a moment, without a flicker
            self._show()
        self._changed()

    @observe("data", "layers")
    def _replace(self, change):
        """Begin anew with other data or other layers. Where that fails, all stays as it was."""
        if self._trainer is None:
            return  # still in __init__, or on the way back
        try:
            trainer = self._make(self.data, self.layers)
        except Exception:
            trainer, self._trainer = self._trainer, None
            self.data, self.layers = self._taken  # one message can change both
            self._trainer = trainer
            raise
        if self.rate == self._trainer.usual_rate:  # nobody has chosen another
            self.rate = trainer.usual_rate
        self._take(trainer)

    @validate("rate")
    def _check_rate(self, proposal):
        if not 0 < proposal["value"] < math.inf:
            raise TraitError(f"the learning rate must be a number above 0, and not {proposal['value']}")
        return proposal["value"]

    # -- training -----------------------------------------------------------------------------------------

    def _done(self):
        return len(self._trainer.losses)

    def _step(self):
        self._trainer.step(self.rate)
        self._most = max(self._most, *(abs(p.grad) for p in self._trainer.parameters))
        yield

    def _restart(self):
        self._trainer.reset()
        self._most = 0.0

    # -- what is shown ------------------------------------------------------------------------------------

    def _look(self):
        """Ask the network for its answers all over the picture, in small pieces."""
        began = time.monotonic()
        # a look takes no more than a third of the time
        if self.running and began <= self._looked + max(TICK, 2 * self._looking):
            return
        if not self.running:
            self._trainer.measure()
        heights, piece = [], began
        for x in view.grid(self.scene):
            heights.append(self._height(x))
            if time.monotonic() > piece + 0.02:
                yield
                piece = time.monotonic()
        self._heights = heights
        self._looked = time.monotonic()
        self._looking = self._looked - began

    def _height(self, x):
        try:
            return float(self._trainer(x).data)
        except OverflowError:
            return math.nan

    def _state(self):
        self.now = view.state(self._trainer, self._most, at_rest=not self.running)
        self.heights = [short(height) for height in self._heights]

    def _words(self):
        return view.words(self._trainer, self.scene["names"])

    def still(self):
        """Return the network as it stands, its loss curve and its gradients, as a `draw.Picture`."""
        self._trainer.measure()
        now = view.state(self._trainer, self._most, at_rest=True)
        heights = [short(self._height(x)) for x in view.grid(self.scene)]
        return view.picture(self.scene, now, heights, self.rate, f"{self.title}. {self._sentence()}")


def _text(layers):
    """Return the sizes of the hidden layers as a text, "8, 8"."""
    try:
        return ", ".join(str(operator.index(size)) for size in layers)
    except TypeError:
        raise TypeError(f"layers lists the sizes of the hidden layers, such as (8, 8), and not {layers!r}") from None


def _sizes(text):
    try:
        return [int(size) for size in text.split(",") if size.strip()]
    except ValueError:
        raise ValueError(f'layers is a text of whole numbers, such as "8, 8", and not {text!r}') from None


def playground(network=MLP, data="moons", *, layers=(8, 8), rate=None, seed=1, **options):
    """Return the playground: `network` learns `data` before your eyes, and the kernel goes on answering.

    network: a class or function that is called as network(nin, [*layers, 1], **options), or a network that is
        already made. Our MLP gets the options activation="tanh" and fused=True, unless you say otherwise.
    data: "moons", "circles", "spirals" or "wave", or a pair (inputs, targets) of your own: n inputs, each a list
        of 1 or 2 numbers, and n targets. Where these are all -1 or 1, the loss is the hinge loss, and the mean
        squared error otherwise.
    layers: the sizes of the hidden layers; the last layer, with 1 neuron, is added.
    rate: the learning rate, above 0; without one, one that suits the data.
    seed: what the network's first parameters are drawn from, as far as it asks `random` for them.

    start() and pause() do what the button does, run(n) trains n steps and returns, reset() goes back to the
    beginning. `network` is the network, `losses` the losses so far, in the middle of training too.
    Raises ValueError, TypeError or TraitError that says what is wrong with the data, the sizes or the rate.
    """
    if network is MLP:
        options = {"activation": "tanh", "fused": True, **options}
    return Playground(network, data, layers, rate, seed, options)
