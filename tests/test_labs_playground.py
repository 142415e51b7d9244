"""The playground: it trains networks of any class, never by halves, and a real kernel goes on answering meanwhile."""

import itertools
import json
import math
import random
import sys
import threading

import numpy as np
import pytest
from traitlets import TraitError

from lesson_lib import labs
from lesson_lib.datasets import circles, moons, wave
from lesson_lib.descent import gradient_descent, hinge_loss, mean_squared_error
from lesson_lib.labs import curves
from lesson_lib.labs import playground_view as view
from lesson_lib.labs.trainer import DATA, Trainer, read_data
from lesson_lib.micrograd import Value
from lesson_lib.mlp import MLP
from tests.lab_kernel import no_event_loop, starts  # noqa: F401 (a fixture)
from tests.lab_page import BackgroundPage, shows

# -- the networks that a learner may bring --------------------------------------------------------------


class Neuron:
    def __init__(self, nin):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0.0)

    def __call__(self, x):
        return sum((wi * xi for wi, xi in zip(self.w, x)), self.b).tanh()


class Layer:
    def __init__(self, nin, nout):
        self.neurons = [Neuron(nin) for _ in range(nout)]

    def __call__(self, x):
        return [n(x) for n in self.neurons]


class Draft:
    """Lesson 4's draft: tanh everywhere, and a list with one entry as the result."""

    def __init__(self, nin, nouts):
        sizes = [nin, *nouts]
        self.layers = [Layer(sizes[i], sizes[i + 1]) for i in range(len(nouts))]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [p for layer in self.layers for n in layer.neurons for p in [*n.w, n.b]]


class Plain:
    """No layers, only parameters."""

    def __init__(self, nin=2, nouts=(1,), start=0.1):
        self.p = [Value(start * (i + 1)) for i in range(nin + 1)]

    def __call__(self, x):
        return sum((w * xi for w, xi in zip(self.p, x)), self.p[-1])

    def parameters(self):
        return self.p


def numbers(lab):
    return [p.data for p in lab.network.parameters()]


def small(**options):
    return labs.playground(**{"layers": (3,), "data": ([[0.0, 1.0], [1.0, 0.5], [2.0, -1.0]], [1, -1, 1]), **options})


# -- training -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("data", "make", "loss"), [("moons", moons, hinge_loss), ("wave", wave, mean_squared_error)])
def test_run_is_the_same_as_gradient_descent_by_hand(data, make, loss):
    lab = labs.playground(data=data, layers=(4,), rate=0.05, seed=3)
    random.seed(3)
    inputs, targets = make()
    network = MLP(len(inputs[0]), [4, 1], activation="tanh", fused=True)
    losses = gradient_descent(network.parameters(), lambda: loss([network(x) for x in inputs], targets), 0.05, 12)
    lab.run(5)
    lab.run(7)
    assert lab.losses == losses
    assert numbers(lab) == [p.data for p in network.parameters()]


def test_it_learns_the_moons():
    lab = labs.playground()
    lab.run(150)
    assert "100 of 100 points are on the right side" in lab.sentence


@pytest.mark.parametrize("network", [Draft, lambda nin, nouts: Draft(nin, nouts), Plain, Plain(), MLP(2, [3, 1])])
def test_a_network_of_any_kind_learns(network):
    lab = labs.playground(network, layers=(3,), rate=0.3)
    lab.run(20)
    assert lab.losses[-1] < lab.losses[0]
    assert len(lab.now["grads"]) == len(lab.network.parameters()) == len(lab.scene["names"])
    assert len(lab.heights) == view.PLACES**2


def test_our_mlp_is_tanh_and_fused_unless_you_say_otherwise():
    def first(lab):
        return lab.network.layers[0].neurons[0]

    assert (first(small()).activation, first(small()).fused) == ("tanh", True)
    assert first(small(activation="relu", fused=False)).activation == "relu"
    assert not first(small(fused=False)).fused
    assert first(labs.playground(lambda nin, nouts: MLP(nin, nouts))).activation == "relu"


def test_the_same_seed_gives_the_same_network_and_leaves_random_alone():
    random.seed(5)
    expected = [random.random(), random.random()]
    random.seed(5)
    assert random.random() == expected[0]
    one, two, other = small(), small(), small(seed=2)
    assert random.random() == expected[1]
    assert numbers(one) == numbers(two) != numbers(other)


def test_reset_goes_back_to_the_beginning():
    for lab in (small(), labs.playground(MLP(2, [3, 1]), data=([[0.0, 1.0], [1.0, 0.0]], [1, -1]))):
        before = numbers(lab)
        lab.run(4)
        assert numbers(lab) != before and len(lab.losses) == 4
        lab.reset()
        assert numbers(lab) == before and lab.losses == [] and lab.now["step"] == 0
        assert {p.grad for p in lab.network.parameters()} == {0.0}
        lab.step()
        assert len(lab.losses) == 1


def test_other_data_and_other_layers_begin_anew():
    lab = small()
    lab.run(2)
    lab.data = "wave"
    assert lab.losses == [] and len(lab.network.layers[0].neurons[0].w) == 1 and len(lab.heights) == view.PLACES_1D
    assert lab.rate == 0.03, "nobody had chosen a rate"
    lab.rate = 0.01
    lab.layers = "5, 2"
    assert [len(layer.neurons) for layer in lab.network.layers] == [5, 2, 1]
    lab.data = "your data"
    assert lab.rate == 0.01 and lab.scene["targets"] == [1, -1, 1]


def test_a_network_that_is_already_made_offers_only_data_that_fits():
    lab = labs.playground(MLP(2, [3, 1]))
    before = numbers(lab)
    assert lab.choices == {"data": ["moons", "circles", "spirals"], "layers": []}
    lab.run(3)
    lab.data = "circles"
    assert numbers(lab) == before and lab.scene["inputs"] == circles()[0]
    lab.run(3)
    lab.reset()
    assert numbers(lab) == before


def test_what_the_network_cannot_take_leaves_all_as_it_was():
    lab = labs.playground(lambda nin, nouts: MLP(2, nouts), layers=(3,))
    lab.run(2)
    before = numbers(lab)
    with pytest.raises(ValueError, match="expected 2 inputs, got 1"):
        lab.data = "wave"
    assert lab.data == "moons" and numbers(lab) == before and len(lab.losses) == 2
    lab.set_state({"data": "wave"})
    assert "expected 2 inputs, got 1" in lab.problem and lab.data == "moons" and numbers(lab) == before
    lab.set_state({"data": "circles", "layers": "0"})
    assert "at least 1 neuron" in lab.problem and numbers(lab) == before
    assert (lab.data, lab.layers) == ("moons", "3")


# -- bad input ------------------------------------------------------------------------------------------

PAIR = [[0.0, 1.0], [1.0, 0.0]]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"data": ([], [])}, "the data is empty: at least 1 example"),
        ({"data": (PAIR, [1])}, "2 inputs and 1 targets"),
        ({"data": ([[1, 2, 3]], [1])}, "a list of 1 or 2 numbers.* the first one is 3 numbers"),
        ({"data": ([1, 2], [1, 2])}, "a list of 1 or 2 numbers.* the first one is a number"),
        ({"data": ([[]], [1])}, "the first one is 0 numbers"),
        ({"data": ([[1, 2], [1]], [1, 1])}, "input 0 has 2 numbers, input 1 has 1"),
        ({"data": ([[1, math.nan]], [1])}, "every input must be a finite number, and one is nan"),
        ({"data": (PAIR, [1, math.inf])}, "every target must be a finite number, and one is inf"),
        ({"data": (PAIR, 1)}, r"a pair \(inputs, targets\)"),
        ({"data": ("ab", [1, 1])}, "every input must be a number, and one is 'a'"),
        ({"data": (PAIR, [[1], [1]])}, r"every target must be a number, and one is \[1\]"),
        ({"data": PAIR + PAIR}, r"a pair \(inputs, targets\)"),
        ({"data": 7}, r"a pair \(inputs, targets\)"),
        ({"data": "moon"}, "no data set 'moon': take moons, circles, spirals, wave"),
        ({"layers": (8, 0)}, "at least 1 neuron, and not 0"),
        ({"layers": (-3,)}, "at least 1 neuron, and not -3"),
        ({"layers": 8}, r"such as \(8, 8\), and not 8"),
        ({"layers": (2.5,)}, r"such as \(8, 8\), and not \(2.5,\)"),
        ({"rate": 0}, "above 0, and not 0"),
        ({"rate": -0.1}, "above 0, and not -0.1"),
        ({"rate": math.nan}, "above 0, and not nan"),
        ({"rate": math.inf}, "above 0, and not inf"),
        ({"network": 5}, "network is a class, a function, or a network"),
        ({"network": Plain(), "speed": 3}, "takes no options: speed"),
        ({"network": lambda nin, nouts: MLP(nin, [3])}, "one number for each input; it gave 3"),
        ({"network": lambda nin, nouts: MLP(3, [1])}, "expected 3 inputs, got 2"),
    ],
)
def test_bad_input_is_refused_in_words(options, said):
    with pytest.raises((ValueError, TypeError, TraitError), match=said):
        labs.playground(**options)


class Empty(Plain):
    def parameters(self):
        return []


class Numbers(Plain):
    def __call__(self, x):
        return 1.0


class Texts(Plain):
    def parameters(self):
        return ["w"]


@pytest.mark.parametrize(
    ("network", "said"),
    [(Empty, "no parameters"), (Numbers, "must give a Value.* 1.0"), (Texts, "data and grad.* 'w'")],
)
def test_what_is_no_network_is_refused_in_words(network, said):
    with pytest.raises((ValueError, TypeError), match=said):
        labs.playground(network)


def test_a_bad_rate_leaves_the_good_one():
    lab = small(rate=0.25)
    with pytest.raises(TraitError, match="above 0"):
        lab.rate = 0
    lab.set_state({"rate": -1.0})
    assert "above 0" in lab.problem and lab.rate == 0.25
    with pytest.raises(ValueError, match="at least 1, and not 0"):
        lab.run(0)
    for bad in (1e3, "3"):
        with pytest.raises(TypeError, match=f"n must be a whole number, and not {bad!r}"):
            lab.run(bad)
    with pytest.raises(ValueError, match='such as "8, 8", and not'):
        lab.layers = "8; 8"


def test_data_may_be_arrays():
    inputs, targets = read_data((np.array(PAIR), np.array([1, -1])))
    assert (inputs, targets) == (PAIR, [1.0, -1.0]) and type(targets[0]) is float


def test_the_loss_follows_from_the_targets():
    for name, make in DATA.items():
        inputs, targets = make()
        kind = "mean squared error" if name == "wave" else "hinge loss"
        assert Trainer(Plain(len(inputs[0])), inputs, targets).kind == kind
    assert "hinge loss" in small().sentence
    assert "mean squared error" in small(data=(PAIR, [0, 1])).sentence


# -- numbers that are too large -----------------------------------------------------------------------------


class Bursts(Plain):
    """Its tanh is made as books have it, and exp is too large for a float from 710 on."""

    def __call__(self, x):
        out = super().__call__(x)
        t = (math.exp(2 * out.data) - 1) / (math.exp(2 * out.data) + 1)
        return out + Value(t, "tanh", out, 1 - t**2)


def test_a_rate_that_is_too_high_stops_with_the_step_and_the_cause():
    lab = labs.playground(data="wave", rate=10.0)
    with pytest.raises(FloatingPointError, match=r"Stopped at step \d+: .* the rate 10 is too high"):
        lab.run(500)
    step = len(lab.losses)
    assert f"Stopped at step {step + 1}:" in lab.problem and f"as they were after step {step}" in lab.problem
    assert all(map(math.isfinite, numbers(lab))) and all(map(math.isfinite, lab.losses))
    json.dumps([lab.now, lab.heights, lab.scene], allow_nan=False)
    assert lab.still().mime == "image/png"
    lab.reset()
    lab.rate = 0.03
    lab.run(50)
    assert lab.problem == "" and lab.losses[-1] < lab.losses[0]


def test_an_overflow_in_the_learners_own_function_is_a_rate_that_is_too_high():
    lab = labs.playground(Bursts, data="wave", rate=300.0)
    with pytest.raises(FloatingPointError, match="the rate 300 is too high"):
        lab.run(500)
    assert "the rate 300 is too high" in lab.problem, "drawing it must not say something else"
    lab.reset()
    lab.rate = 0.01
    lab.run(5)
    assert lab.problem == "" and lab.losses[-1] < lab.losses[0]


def test_what_is_too_large_from_the_beginning_is_not_blamed_on_the_rate_alone():
    lab = labs.playground(Plain(start=1e200), data=(PAIR, [0.0, 5.0]))
    with pytest.raises(FloatingPointError, match="Step 1 failed.*the data or a parameter is much too large"):
        lab.step()
    assert numbers(lab) == numbers(labs.playground(Plain(start=1e200))) and lab.losses == []


def test_an_update_that_is_too_large_is_not_done():
    lab = labs.playground(Plain(), data=([[1e5], [2e5]], [1.0, 2.0]), rate=1e300)
    before = numbers(lab)
    with pytest.raises(FloatingPointError):
        lab.step()
    assert numbers(lab) == before


# -- interrupts: all of a step or nothing -------------------------------------------------------------------


class Alarm:
    """Raise KeyboardInterrupt at the n-th line that Python runs."""

    def __init__(self, n):
        self.n = n

    def __call__(self, frame, event, arg):
        if event == "line":
            self.n -= 1
            if self.n == 0:
                raise KeyboardInterrupt
        return self

    def __enter__(self):
        self.old = sys.gettrace()
        sys.settrace(self)
        return self

    def __exit__(self, *error):
        sys.settrace(self.old)


def everything(trainer):
    return [(p.data, p.grad) for p in trainer.parameters], list(trainer.losses)


def test_wherever_a_step_is_interrupted_it_is_whole():
    random.seed(1)
    network = MLP(2, [2, 1], activation="tanh", fused=True)
    trainer = Trainer(network, [[0.5, 1.0], [1.0, -1.0]], [1.0, -1.0])
    trainer.step(0.5)
    before = everything(trainer)
    trainer.step(0.5)
    after = everything(trainer)
    found = []
    for n in itertools.count(1):
        trainer.reset()
        trainer.step(0.5)
        try:
            with Alarm(n):
                trainer.step(0.5)
        except KeyboardInterrupt:
            found.append(everything(trainer))
        else:
            break  # it has fewer lines than that
    assert len(found) > 300
    assert [now for now in found if now not in (before, after)] == []
    assert before in found


# -- a real kernel ------------------------------------------------------------------------------------------

START = """
import math, random, threading, time
from lesson_lib import labs
from lesson_lib.micrograd import Value
from lesson_lib.mlp import MLP

def numbers(lab):
    return [p.data for p in lab.network.parameters()]

def whole(lab):
    "Whether the network is as it is after so many whole steps."
    other = labs.playground(layers=(4,))
    if lab.losses:
        other.run(len(lab.losses))
    return numbers(lab) == numbers(other) and lab.losses == other.losses

class Spy(MLP):
    threads, left = set(), math.inf

    def __call__(self, x):
        Spy.threads.add(threading.current_thread() is threading.main_thread())
        Spy.left -= 1
        if Spy.left < 0:
            raise ArithmeticError("no more")
        return super().__call__(x)
"""


kernel = starts(START)


def test_the_kernel_goes_on_answering_and_finds_a_whole_network(kernel):
    kernel.run("lab = labs.playground(layers=(4,))\nlab.start()")
    assert kernel.until("len(lab.losses) > 3")
    seen = [kernel.run("print(lab.running, len(lab.losses), whole(lab))").split() for _ in range(5)]
    assert [(running, intact) for running, _, intact in seen] == [("True", "True")] * 5
    assert kernel.until(f"len(lab.losses) > {seen[0][1]}")
    kernel.run("lab.pause()")
    assert kernel.until("lab._task.done()")
    step = kernel.run("print(len(lab.losses))")
    assert kernel.run("time.sleep(0.2); print(len(lab.losses), lab.now['step'], whole(lab))") == f"{step} {step} True"


def test_the_page_starts_and_pauses_it_on_the_thread_of_the_cells(kernel):
    model = kernel.run("Spy.threads.clear()\nlab = labs.playground(Spy, layers=(4,))\nprint(lab.model_id)")
    kernel.page(model, running=True)
    assert kernel.until("len(lab.losses) > 3 and lab.running")
    kernel.page(model, data="circles", rate=0.25)
    assert kernel.until("lab.scene['inputs'] != labs.playground().scene['inputs'] and len(lab.losses) > 1")
    kernel.page(model, running=False)
    assert kernel.until("not lab.running and lab._task.done()")
    kernel.page(model, running=False, resets=1)
    assert kernel.until("lab.losses == []")
    kernel.page(model, running=False, steps=1)
    assert kernel.until("len(lab.losses) == 1")
    assert kernel.run("print(lab.rate, Spy.threads)") == "0.25 {True}"


def test_an_interrupt_stops_the_background_and_it_can_go_on(kernel):
    kernel.run("lab, two = labs.playground(layers=(4,)), labs.playground(layers=(4,))\nlab.start(); two.start()")
    assert kernel.until("lab.losses and two.losses")
    kernel.manager.interrupt_kernel()
    assert kernel.until("not lab.running and not two.running and lab._task.done()")
    said = kernel.run("print(lab.sentence)\nprint(whole(lab), whole(two), lab.problem == '')")
    assert said.startswith("Interrupted after step") and said.endswith("True True True")
    step = int(kernel.run("n = len(lab.losses); print(n); lab.start()"))
    assert kernel.until(f"len(lab.losses) > {step}")
    assert kernel.run("lab.pause(); print(whole(lab))") == "True"


def test_an_interrupt_of_a_run_leaves_the_network_whole(kernel):
    kernel.run("lab = labs.playground(layers=(4,))")
    for wait in (0.3, 0.45, 0.61):
        # on a busy machine a cell begins late, and an interrupt before it would be lost
        alarm = threading.Timer(wait, kernel.manager.interrupt_kernel)
        said = kernel.run("print('on the way', flush=True)\nlab.run(100000)", on_word=alarm.start).split("\n")
        if "Unexpected exception formatting exception" in said[1]:
            # where the interrupt falls between two lines IPython stumbles, and shows Python's traceback and its own
            said = said[:1] + [line for line in said if line == "KeyboardInterrupt"]
        assert said == ["on the way", "KeyboardInterrupt"]
        assert kernel.until("lab._task.done()")
        said = kernel.run("print(lab.sentence)\nprint(whole(lab))")
        assert said.startswith("Interrupted after step") and said.endswith("True")
    assert kernel.run("n = len(lab.losses)\nlab.run(2)\nprint(len(lab.losses) - n, whole(lab))") == "2 True"


def test_an_error_in_the_background_is_shown_in_the_lab(kernel):
    kernel.run("Spy.left = 5000\nlab = labs.playground(Spy, layers=(4,), activation='tanh', fused=True)\nlab.start()")
    assert kernel.until("not lab.running and lab._task.done()")
    assert kernel.run("Spy.left = math.inf\nprint(lab.problem)").startswith("ArithmeticError: no more (")
    assert kernel.run("print(whole(lab))\nlab.start()") == "True"
    assert kernel.until("lab.running and lab.problem == ''")
    kernel.run("lab.pause()")


def test_a_rate_that_is_too_high_stops_the_background(kernel):
    kernel.run("lab = labs.playground(data='wave', layers=(4,), rate=10.0)\nlab.start()")
    assert kernel.until("not lab.running and lab._task.done()")
    assert "the rate 10 is too high" in kernel.run("print(lab.problem)")


def test_a_closed_lab_trains_no_longer(kernel):
    kernel.run("lab = labs.playground(layers=(4,))\nlab.start()")
    assert kernel.until("len(lab.losses) > 3")
    step = kernel.run("lab.close()\nprint(len(lab.losses))")
    assert kernel.until("lab._task.done()")
    assert kernel.run("print(len(lab.losses))") == step


def test_outside_a_notebook_only_run_trains():
    with pytest.raises(TraitError, match=r"use run\(n\)"):
        small().start()


# -- what there is to see -------------------------------------------------------------------------------------


def test_the_bundle_has_a_still_picture_with_words_that_is_the_same_every_time():
    lab = small()
    data, _ = lab._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == lab.model_id
    assert data["text/html"].startswith('<img src="data:image/png')
    assert 'alt="A network learns. Step 0:' in data["text/html"]
    assert lab.still().data == small().still().data
    lab.run(3)
    assert lab.still().data != small().still().data and "Step 3:" in lab.still().alt


@pytest.mark.parametrize("data", [*DATA, ([[1.0], [2.0]], [1, -1]), (PAIR, [0.5, 3.0])])
def test_every_data_set_has_a_still_picture_that_is_small(data):
    lab = labs.playground(data=data, layers=(16, 16))
    lab.run(5)
    assert len(lab.still().data) < 60_000
    assert labs.playground(Plain, data=data).still().mime == "image/png"


def test_the_picture_holds_all_examples():
    for data in [*DATA, ([[1.0], [2.0]], [1, -1]), ([[5.0, 0.0]], [1]), ([[0.0, 0.0], [1000.0, 1.0]], [0, 5])]:
        scene = small(data=data).scene
        for x, target in zip(scene["inputs"], scene["targets"]):
            for place, (low, high) in zip([*x, target][:2], scene["window"]):
                assert low < place < high


def test_each_parameter_has_its_place_and_its_name():
    lab = labs.playground(layers=(3, 2))
    layers = lab.network.layers
    for k, rows in enumerate(lab.scene["blocks"]):
        for j, row in enumerate(rows):
            neuron = layers[k].neurons[j]
            assert [lab.network.parameters()[i] for i in row] == [*neuron.w, neuron.b]
            names = [lab.scene["names"][i] for i in row]
            assert names[0] == f"layer {k + 1}, neuron {j + 1}, weight 1"
            assert names[-1] == f"layer {k + 1}, neuron {j + 1}, bias"
    plain = labs.playground(Plain).scene
    assert (plain["blocks"], plain["known"]) == ([[[0, 1], [2]]], False)
    assert plain["names"] == ["parameter 1", "parameter 2", "parameter 3"]


def test_the_heights_are_the_networks_own_answers():
    for data in ("moons", "wave"):
        lab = labs.playground(data=data)
        lab.run(3)
        places = view.grid(lab.scene)
        assert lab.heights == [curves.short(lab.network(x).data) for x in places]
        (low, high), (bottom, top) = lab.scene["window"]
        assert places[0] == ([low] if data == "wave" else [low, bottom])
        assert places[-1] == pytest.approx([high] if data == "wave" else [high, top])


def test_the_scores_and_the_loss_at_rest_are_those_after_the_last_step():
    lab = small()
    lab.run(3)
    inputs, targets = lab.scene["inputs"], lab.scene["targets"]
    answers = [lab.network(x) for x in inputs]
    assert lab.now["scores"] == [curves.short(a.data) for a in answers]
    assert lab.now["loss"] == curves.short(hinge_loss(answers, targets).data) == lab.now["curve"][-1][1]
    assert lab.now["curve"] == [[i, curves.short(loss)] for i, loss in enumerate(lab.losses)] + [lab.now["curve"][-1]]


def test_a_long_curve_is_thinned_and_keeps_its_zig_zags():
    losses = [1.0 + i % 2 for i in range(10_000)]
    losses[5_001] = 9.0
    points = curves.thin(losses)
    assert len(points) <= curves.POINTS
    assert [5_001, 9.0] in points and {loss for _, loss in points} == {1.0, 2.0, 9.0}
    assert points == sorted(points)
    assert curves.thin(losses[:200]) == [[i, loss] for i, loss in enumerate(losses[:200])]


def learned(losses, grads, *, scores=(1.0,), targets=(1.0,)):
    trainer = Trainer(Plain(1), [[1.0]] * len(targets), list(targets))
    trainer.losses, trainer.loss, trainer.scores = list(losses), losses[-1] if losses else 1.0, list(scores)
    for p, grad in zip(trainer.parameters, grads):
        p.grad = grad
    return view.words(trainer, ["the weight", "the bias"])


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (learned([], (0, 0)), "there is no gradient before the first step"),
        (learned([1.0, 0.5], (0.1, -0.25)), "The largest gradient is -0.25, of the bias."),
        (learned([1.0, 0.0], (1e-6, 0)), "it is done"),
        (learned([1.0, 1.0], (0, 0), scores=[-1.0]), "it is stuck"),
        (learned([0.25, 0.25], (0, 0), targets=[0.5]), "so further steps change hardly anything."),
        (learned([1.0, 2.0], (1, 0)), "the rate is too high"),
        (learned([1.0, 0.8, 0.9] * 7, (1, 0)), "goes up and down"),
        (learned([0.5] * 30, (1, 0)), "fell by less than 1 %"),
        (learned([0.25, 0.04], (1, 0), targets=[0.5]), "Typically the answer is off by 0.2."),
        (learned([1.0], (1, 0), scores=[1.0, -0.5, 0.0], targets=[1.0, -1.0, -1.0]), "2 of 3 points"),
    ],
)
def test_the_sentence_says_how_it_stands(said, told):
    assert told in said
    verdicts = ["it is done", "it is stuck", "too high", "up and down", "less than 1 %", "no gradient before"]
    assert [verdict for verdict in verdicts if verdict in said and verdict not in told and told not in verdict] == []


# -- the page: the lab's own JavaScript in a browser, with a stand-in for the widget's model --------------------

class PlaygroundPage(BackgroundPage):
    traits = "title sentence problem running rate data layers steps resets choices scene now heights".split()


show = shows(PlaygroundPage)


def test_in_the_page_the_buttons_ask_python(show):
    lab = small()
    page = show(lab)
    page.press("Start")
    assert page.sent()["running"] is True and page.texts(".pg-start") == ["Pause"]
    page.press("Step")
    assert (page.sent()["running"], page.sent()["steps"]) == (False, 1) and page.texts(".pg-start") == ["Start"]
    page.press("Reset")
    assert (page.sent()["running"], page.sent()["resets"]) == (False, 1)
    assert page.page.get_by_role("button", name="Reset").get_attribute("aria-disabled") == "true"
    lab.run(2)
    page.tell(lab)
    assert page.page.get_by_role("button", name="Reset").get_attribute("aria-disabled") == "false"


def test_in_the_page_the_rate_is_seen_at_once_and_nothing_else_is_sent(show):
    lab = small(rate=0.5)
    page = show(lab)
    assert page.sent() is None
    page.press("rate", role="slider", key="ArrowRight")
    sent, known = page.sent(), json.loads(json.dumps(page.state(lab)))
    assert [name for name in page.traits if sent[name] != known[name]] == ["rate"]
    assert sent["rate"] == 0.7 and "rate 0.7" in page.texts(".ll-stage text")
    page.press("rate", role="slider", key="Home")
    assert page.sent()["rate"] == 0.001
    page.press("rate", role="slider", key="End")
    assert page.sent()["rate"] == 10


def test_in_the_page_there_is_a_mark_for_each_example_and_a_ring_where_it_is_wrong(show):
    lab = labs.playground()
    lab.run(10)
    page = show(lab)
    wrong = 100 - int(page.texts(".ll-sentence")[0].split(" of 100")[0].split()[-1])
    assert page.page.locator(".pg-point").count() == 100 and page.page.locator(".pg-square").count() == 50
    assert page.page.locator(".pg-wrong:visible").count() == wrong > 0
    (x1, x2), score = lab.scene["inputs"][0], lab.now["scores"][0]
    said = f"at {x1:.3g}, {x2:.3g}: target 1, answer {score:.3g}".replace("-", "−")
    assert page.texts(".ll-stage title")[0] == said


def test_in_the_page_every_gradient_has_its_square_and_the_sign_its_shape(show):
    lab = small()
    page = show(lab)
    assert page.page.locator(".pg-grad:visible").count() == 0 and "No gradient yet:" in page.texts(".ll-stage text")
    lab.run(1)
    page.tell(lab)
    grads = lab.now["grads"]
    titles = page.texts(".pg-cell title")
    assert len(titles) == len(grads) and titles[0].startswith("layer 1, neuron 1, weight 1: gradient ")
    assert page.page.locator(".pg-grad.pg-minus").count() == sum(g < 0 for g in grads)
    widths = page.page.locator(".pg-grad").evaluate_all("all => all.map(it => +it.getAttribute('width'))")
    largest = max(range(len(grads)), key=lambda i: abs(grads[i]))
    assert widths[largest] == pytest.approx(max(widths), abs=3)
    lab.reset()
    page.tell(lab)
    assert page.page.locator(".pg-grad:visible").count() == 0


ROW = """() => {
    const canvas = document.querySelector("canvas");
    const row = canvas.getContext("2d").getImageData(0, Math.round(canvas.height / 3), canvas.width, 1).data;
    return [0.1, 0.617, 0.9].map(part => [...row.slice(4 * Math.round(part * (canvas.width - 1))).slice(0, 3)]);
}"""


def test_in_the_page_the_map_is_blue_above_0_and_grey_below(show):
    class Slope(Plain):
        """It answers x1 - 0.27, whatever it is told."""

        def __call__(self, x):
            return self.p[0] * 0 + (x[0] - 0.27)

    lab = labs.playground(Slope, data=([[-1.0, -1.0], [1.0, 1.0]], [-1, 1]))
    page = show(lab)
    left, middle, right = page.page.evaluate(ROW)
    assert right[2] > right[0] + 80 and max(left) - min(left) < 40 and min(middle) > 240 > max(left)
    # its border is upright, at 0.27 between -1.15 and 1.15
    path = page.page.locator(".pg-border").get_attribute("d")
    places = [float(pair.split(",")[0]) for pair in path.replace("L", "M").split("M")[1:]]
    expected = page.page.locator("canvas").evaluate("it => it.offsetLeft + it.offsetWidth * (0.27 + 1.15) / 2.3")
    assert len(places) > 20 and places == pytest.approx([expected] * len(places), abs=1)


def test_in_the_page_one_input_has_a_curve_and_no_map(show):
    lab = labs.playground(data="wave")
    page = show(lab)
    assert page.page.locator("canvas").is_hidden() and page.page.locator(".pg-border").count() == 0
    assert page.page.locator(".pg-line").get_attribute("d").count("L") == view.PLACES_1D - 1
    lab.data = "moons"
    page.tell(lab)
    assert page.page.locator("canvas").is_visible() and page.page.locator(".pg-line").count() == 0


def test_in_the_page_what_is_no_longer_finite_is_said_and_the_rest_is_drawn(show):
    lab = labs.playground(data="wave", rate=10.0)
    with pytest.raises(FloatingPointError):
        lab.run(500)
    page = show(lab)
    step = len(lab.losses)
    assert f"Loss not a finite number at step {step}" in page.texts(".ll-stage text")
    assert page.texts(".ll-sentence") == [f"Step {step}: the loss (mean squared error) is no longer a finite number."]
    assert page.texts(".ll-problem")[0].startswith(f"Stopped at step {step + 1}:")
    assert page.page.locator(".pg-losses").get_attribute("d").startswith("M")


def test_in_the_page_a_made_network_has_no_layers_to_choose(show):
    page = show(labs.playground(MLP(2, [3, 1])))
    assert page.page.get_by_role("combobox").count() == 1
    page = show(labs.playground(layers=(5, 5)))
    assert page.page.get_by_role("combobox", name="layers").locator("option:checked").inner_text() == "[5, 5, 1]"


def test_in_the_page_training_is_paused_when_nobody_sees_it_any_longer(show):
    page = show(small())
    page.press("Start")
    page.page.evaluate("() => { window.again = window.show(); }")
    page.page.evaluate("() => window.dispose()")
    assert page.sent()["running"] is True, "it is still shown in another place"
    page.page.evaluate("() => window.again()")
    assert page.sent()["running"] is False


@pytest.mark.parametrize("width", [1000, 616])
@pytest.mark.parametrize("options", [{}, {"layers": (16, 16)}, {"layers": ()}, {"data": "wave"}, {"network": Plain}])
def test_in_the_page_nothing_is_cut_or_overlaps(show, width, options):
    lab = labs.playground(**options)
    lab.run(1)
    page = show(lab, width=width)
    boxes = """() => {
        const [picture] = document.querySelectorAll(".ll-stage svg");
        const shown = [...picture.querySelectorAll("text")].filter(text => text.textContent && text.checkVisibility());
        const outer = picture.getBoundingClientRect();
        const box = text => text.getBoundingClientRect();
        const cut = shown.filter(text => box(text).left < outer.left - 1 || box(text).right > outer.right + 1
            || box(text).top < outer.top || box(text).bottom > outer.bottom);
        const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1
            && a.top < b.bottom - 2 && b.top < a.bottom - 2;
        const cells = [...picture.querySelectorAll(".pg-cell")];
        const pairs = shown.flatMap((one, i) => [...shown.slice(i + 1), ...cells]
            .filter(other => meet(box(one), box(other))).map(other => [one.textContent, other.textContent]));
        return [cut.map(text => text.textContent), pairs];
    }"""
    assert page.page.evaluate(boxes) == [[], []]
    stage = page.page.locator(".ll-stage")
    assert stage.evaluate("it => it.scrollWidth <= it.clientWidth")


def test_in_the_page_the_controls_stay_where_they_are(show):
    lab = labs.playground()
    page = show(lab)
    places = set()
    for layers in ("8, 8", "16, 16", "", "4"):
        lab.layers = layers
        for _ in range(2):
            page.tell(lab)
            places.add(page.page.locator(".pg-start").bounding_box()["y"])
            lab.step()
    assert len(places) == 1
