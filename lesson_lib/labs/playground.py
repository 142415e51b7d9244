"""The playground: the learner's own network learns a data set, live, while the kernel goes on answering.

Everything happens on the thread and in the event loop of the cell that made the lab, in one task that hands over
after every step. So a cell always finds the network between two steps.
"""

import asyncio
import math
import operator
import signal
import threading
import time
import weakref

from traitlets import Bool, Dict, Float, Int, List, TraitError, Unicode, observe, validate

from lesson_lib.labs import playground_view as view
from lesson_lib.labs.base import HERE, Lab, describe, script, style
from lesson_lib.labs.trainer import DATA, Trainer, make, read_data
from lesson_lib.mlp import MLP

OWN = "your data"
LAYERS = ("", "4", "8", "8, 8", "16, 16", "8, 8, 8")
TICK = 0.1  # seconds from one message to the page to the next
READING = 1.0  # seconds from one sentence to the next
TURNS = 8  # of the event loop after each step


class Playground(Lab):
    """The widget behind `labs.playground`.

    network: the network that learns. losses: the list of losses, one for each step.
    running, rate, data, layers: the controls; the page and Python both may set them. layers is a text: "8, 8".
    steps, resets: the page counts these up, to ask for a step or for a reset.
    scene: what stays while it learns: the examples, the picture's edges, the parameters' names and places.
    now: what changes: step, loss, the curve of losses, the answers, the parameters, their gradients.
    heights: the network's answers all over the picture.
    """

    _esm = script("plot.js", "playground.js")
    _css = style() + (HERE / "playground.css").read_text(encoding="utf-8")

    title = Unicode("A network learns").tag(sync=True)
    running = Bool(False).tag(sync=True)
    rate = Float().tag(sync=True)
    data = Unicode().tag(sync=True)
    layers = Unicode().tag(sync=True)
    steps = Int(0).tag(sync=True)
    resets = Int(0).tag(sync=True)
    choices = Dict().tag(sync=True)
    scene = Dict().tag(sync=True)
    now = Dict().tag(sync=True)
    heights = List().tag(sync=True)

    _trainer = _task = None
    _heights = ()  # the network's answers, all over the picture
    _interrupted = _stale = False
    _said = -READING

    def __init__(self, network, data, layers, rate, seed, options):
        self._thread = threading.get_ident()
        try:
            self._loop = asyncio.get_running_loop()
        except RuntimeError:
            self._loop = None  # no notebook: only run() trains
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

    def run(self, n):
        """Train n steps now. An interrupt stops it between two steps, and is raised; the lab can go on after it.

        Raises FloatingPointError, with the step and the likely cause, where the loss is no longer a finite number.
        """
        if not n >= 1:
            raise ValueError(f"run(n) does n steps, at least 1, and not {n}")
        self._begin()
        sent = 0.0
        try:
            for _ in range(n):
                self._step()
                if time.monotonic() > sent + TICK:
                    self._show()
                    sent = time.monotonic()
        except KeyboardInterrupt:
            self._stopped()
            raise
        except Exception as error:
            self._failed(error)
            raise
        finally:
            self._changed()

    def step(self):
        """Train one step."""
        self.run(1)

    def start(self):
        """Train in the background until pause(); the kernel goes on answering.

        Raises TraitError outside a notebook.
        """
        self.running = True

    def pause(self):
        """Stop after the step that is at work."""
        self.running = False

    def reset(self):
        """Go back to the parameters at the beginning, and to step 0."""
        self._trainer.reset()
        self._most, self._note, self.problem = 0.0, "", ""
        self._changed()

    def close(self):
        """Stop training, and take the lab off the page."""
        self.running = False
        super().close()

    def set_state(self, sync_data):
        # JupyterLab has what comes from the page handled on a thread of its own, amid a step
        if threading.get_ident() == self._thread or self._loop is None:
            super().set_state(sync_data)
        else:
            self._loop.call_soon_threadsafe(super().set_state, sync_data)

    @validate("running")
    def _check_running(self, proposal):
        if proposal["value"] and self._loop is None:
            raise TraitError("there is no notebook here in which to train in the background: use run(n)")
        return proposal["value"]

    @observe("running")
    def _turn(self, change):
        if self.running:
            self._begin()
        self._changed()

    @observe("steps")
    def _step_from_page(self, change):
        self.running = False
        try:
            self.run(1)
        except FloatingPointError:
            pass  # the lab shows it as its problem

    @observe("resets")
    def _reset_from_page(self, change):
        self.running = False
        self.reset()

    def _begin(self):
        self.problem = self._note = ""
        self._interrupted = False

    def _step(self):
        self._trainer.step(self.rate)
        self._most = max(self._most, *(abs(p.grad) for p in self._trainer.parameters))

    def _failed(self, error):
        self.running = False
        self.problem = str(error) if isinstance(error, FloatingPointError) else describe(error)

    def _stopped(self):
        self.running = False
        self._note = f"Interrupted after step {len(self._trainer.losses)}: no step is half done, and you can go on."

    def _changed(self):
        """See to it that the picture follows, or that the training goes on, in the background."""
        self._stale = True
        if self._loop is None:
            asyncio.run(self._work())
        elif self._task is None or self._task.done():
            self._task = self._loop.create_task(self._work())

    async def _work(self):
        sent = looked = 0.0  # when the page was last sent to, and when the last look ended
        looking = 0.0  # how long that took
        _working.add(self)
        try:
            while self.running or self._stale:
                _listen()
                try:
                    if self._interrupted and self.running:
                        self._stopped()
                    if self.running:
                        self._step()
                    # a look takes no more than a third of the time
                    began = time.monotonic()
                    if not self.running or began > looked + max(TICK, 2 * looking):
                        await self._look()
                        looked = time.monotonic()
                        looking = looked - began
                except KeyboardInterrupt:
                    self._stopped()  # raised again, it would end the kernel
                except Exception as error:
                    self._failed(error)
                if not self.running or time.monotonic() > sent + TICK:
                    self._show()
                    sent = time.monotonic()
                await _others()
        finally:
            _working.discard(self)

    # -- what is shown ------------------------------------------------------------------------------------

    async def _look(self):
        """Ask the network for its answers all over the picture, in small pieces."""
        self._stale = False
        if not self.running:
            self._trainer.measure()
        heights, began = [], time.monotonic()
        for x in view.grid(self.scene):
            heights.append(self._height(x))
            if time.monotonic() > began + 0.02:
                await _others()
                began = time.monotonic()
                if self._stale:
                    return  # the network was changed meanwhile
        self._heights = heights

    def _height(self, x):
        try:
            return float(self._trainer(x).data)
        except OverflowError:
            return math.nan

    def _show(self):
        """Tell the page how things stand."""
        self.now = view.state(self._trainer, self._most, at_rest=not self.running)
        self.heights = [view.short(height) for height in self._heights]
        # a sentence that changes all the time cannot be read
        if not self.running or time.monotonic() > self._said + READING:
            self._said = time.monotonic()
            self.sentence = self._words()

    def _words(self):
        words = view.words(self._trainer, self.scene["names"])
        return f"{self._note} {words}" if self._note else words

    def still(self):
        """Return the network as it stands, its loss curve and its gradients, as a `draw.Picture`."""
        self._trainer.measure()
        now = view.state(self._trainer, self._most, at_rest=True)
        heights = [view.short(self._height(x)) for x in view.grid(self.scene)]
        return view.picture(self.scene, now, heights, self.rate, f"{self.title}. {self._words()}")


async def _others():
    """Let the kernel answer: a message on its way to a cell, and back, needs several turns of the event loop."""
    for _ in range(TURNS):
        await asyncio.sleep(0)


# -- interrupts: a kernel ignores them between the cells, which is when the background trains ------------------

_working = weakref.WeakSet()


def _listen():
    here = threading.current_thread() is threading.main_thread()
    if here and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(number, frame):
    # raising here could stop the kernel itself
    for lab in _working:
        lab._interrupted = True


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
