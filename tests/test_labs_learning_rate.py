"""The learning-rate lab: the page walks as Python does, says the true reason, and draws nothing that is no number."""

import json
import math
import random
import re
from collections import namedtuple

import numpy as np
import pytest
from traitlets import TraitError

from lesson_lib import labs
from lesson_lib.descent import constant, cosine_decay, linear_decay, step_decay
from lesson_lib.labs.landscape import (
    DECAYS,
    FORMULAS,
    GAP,
    HEIGHT,
    LANDSCAPES,
    WIDTH,
    network,
    schedule,
    trained_network,
    walk,
)
from lesson_lib.labs.learning_rate import LearningRate
from tests.lab_page import LabPage

Settings = namedtuple("Settings", "landscape x y rate momentum decay steps")


def function(landscape):
    return network() if landscape == "network" else FORMULAS[landscape]


def some_settings(n, seed=1):
    """Return n random settings, spread over all that the controls allow."""
    dice = random.Random(seed)
    return [
        Settings(
            dice.choice(LANDSCAPES),
            round(dice.uniform(-WIDTH, WIDTH), 2),
            round(dice.uniform(-HEIGHT, HEIGHT), 2),
            10 ** dice.uniform(-3, 0.5),
            dice.choice((0, 0, 0.3, 0.8, 0.95)),
            dice.choice(DECAYS),
            dice.choice((1, 7, 50)),
        )
        for _ in range(n)
    ]


# -- the landscapes ---------------------------------------------------------------------------------


@pytest.mark.parametrize("landscape", LANDSCAPES)
def test_the_derivatives_are_those_of_the_loss(landscape):
    f, h = function(landscape), 1e-5
    for settings in some_settings(200):
        # a step across the seam of two cubics would see the second derivative's leap
        x, y = 0.99 * settings.x, 0.99 * settings.y
        _, dx, dy = f(x, y)
        assert dx == pytest.approx((f(x + h, y)[0] - f(x - h, y)[0]) / (2 * h), rel=1e-4, abs=1e-4)
        assert dy == pytest.approx((f(x, y + h)[0] - f(x, y - h)[0]) / (2 * h), rel=1e-4, abs=1e-4)


@pytest.fixture(scope="module")
def real():
    """Return a function that gives the real network's loss and its two derivatives, by backpropagation."""
    net, loss = trained_network()
    neuron = net.layers[0].neurons[3]

    def at(x, y):
        neuron.w[0].data, neuron.b.data = x, y
        now = loss()
        net.zero_grad()
        now.backward()
        return now.data, neuron.w[0].grad, neuron.b.grad

    return at


def test_the_slice_is_the_loss_of_a_real_network(real):
    f = network()
    for i, j in ((0, 0), (7, 3), (24, 16), (48, 32)):
        x, y = -WIDTH + i * GAP, -HEIGHT + j * GAP
        assert f(x, y)[0] == pytest.approx(real(x, y)[0], abs=1e-6), "at the places themselves"
    for settings in some_settings(100):
        loss, dx, dy = real(settings.x, settings.y)
        assert f(settings.x, settings.y)[0] == pytest.approx(loss, abs=0.005), "and between them"
        assert f(settings.x, settings.y)[1:] == pytest.approx((dx, dy), abs=0.1)


def test_outside_of_the_slice_there_is_no_loss():
    f = network()
    for x, y in ((3.001, 0), (-3.001, 0), (0, 2.001), (0, -2.001), (math.inf, 0), (0, math.nan)):
        assert all(math.isnan(value) for value in f(x, y))
    for x, y in ((3, 2), (-3, -2), (3, -2), (-3, 2)):
        assert all(math.isfinite(value) for value in f(x, y))


def test_the_network_is_trained_once_and_the_learners_random_numbers_are_left_alone():
    random.seed(5)
    expected = random.random()
    random.seed(5)
    net, loss = trained_network()
    assert random.random() == expected
    assert len(net.parameters()) == 13 and loss().data < 0.03
    assert network() is network()


# -- the way down in Python -------------------------------------------------------------------------


def test_the_rates_are_those_of_the_lesson():
    expected = [constant(0.4), step_decay(0.4, 0.5, 10), linear_decay(0.4, 50), cosine_decay(0.4, 50)]
    for decay, rate in zip(DECAYS, expected, strict=True):
        ours = schedule(decay, 0.4, 50)
        assert [ours(step) for step in range(50)] == [rate(step) for step in range(50)]
    assert [schedule("step", 8, 3)(step) for step in range(3)] == [8, 4, 2]


@pytest.mark.parametrize("rate", [0.01, 0.3, 0.9, 1.1])
def test_on_the_bowl_each_step_multiplies_by_what_the_lab_says(rate):
    for step, (x, y, loss) in enumerate(walk(FORMULAS["bowl"], 2.4, 1.4, constant(rate), 0, 30)):
        assert (x, y) == pytest.approx(((1 - 2 * rate) ** step * 2.4, (1 - 2 * rate) ** step * 1.4))
        assert loss == pytest.approx(x * x + y * y)


def test_momentum_is_torchs():
    import torch

    place = torch.tensor([2.4, 1.4], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([place], lr=0.3, momentum=0.8)
    expected = [place.tolist()]
    for _ in range(20):
        loss = 0.02 * place[0] ** 2 + place[1] ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append(place.tolist())
    found = walk(FORMULAS["narrow valley"], 2.4, 1.4, constant(0.3), 0.8, 20)
    for (x, y, _), place in zip(found, expected, strict=True):
        assert [x, y] == pytest.approx(place, rel=1e-12, abs=1e-15)


def test_the_way_ends_with_the_first_loss_that_is_no_finite_number():
    *before, (_, _, last) = walk(FORMULAS["two minima"], 2.4, 1.4, constant(5), 0, 50)
    assert not math.isfinite(last) and 1 < len(before) < 50
    assert all(math.isfinite(loss) for *_, loss in before)


# -- the page: its own functions, run in a browser ---------------------------------------------------

WALK = """([script, rows, settings]) => {
    const { walk, slice, rateAt, LANDSCAPES } = new Function(script)();
    const network = slice({ rows, gap: GAP });
    return settings.map(([landscape, x, y, rate, momentum, decay, steps]) => {
        const at = { x, y, rate, momentum, decay, steps };
        // JSON knows no inf and no nan
        const places = walk(LANDSCAPES[landscape].f || network, at).map(({ x, y, loss }) => [x, y, loss].map(String));
        return [places, Array.from({ length: steps }, (_, step) => rateAt(step, at))];
    });
}""".replace("GAP", str(GAP))


def number(text):
    return float(text.replace("Infinity", "inf"))


def other_ways(page, script, settings):
    """Return those of the settings for which the script's way is not Python's."""
    found = []
    for one, (places, rates) in zip(settings, page.evaluate(WALK, [script, network().rows, settings]), strict=True):
        f, rate = function(one.landscape), schedule(one.decay, one.rate, one.steps)
        places = [tuple(map(number, place)) for place in places]
        ours = walk(f, one.x, one.y, rate, one.momentum, one.steps)
        same = len(places) == len(ours)
        same &= rates == pytest.approx([rate(step) for step in range(one.steps)], rel=1e-12, abs=1e-16)
        # a wild path makes much of the last digit: so step by step, each from where the page is
        vx = vy = 0.0
        for step, ((x, y, loss), there) in enumerate(zip(places, places[1:])):
            expected, dx, dy = f(x, y)
            vx, vy = one.momentum * vx + dx, one.momentum * vy + dy
            size = 1 + math.hypot(x, y)
            same &= loss == pytest.approx(expected, rel=1e-9)
            same &= there[:2] == pytest.approx((x - rate(step) * vx, y - rate(step) * vy), rel=1e-9, abs=1e-12 * size)
        # and where no cosine and no cubic is in it, to the last digit
        if one.landscape in FORMULAS and one.decay != "cosine":
            same &= str(places) == str(ours)
        if not same:
            found.append(one)
    return found


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page()
    yield page
    page.close()


SCRIPT = re.sub(r"export default .*", "return { walk, slice, rateAt, LANDSCAPES, RATES };", str(LearningRate._esm))


def test_the_page_walks_as_python_does(page):
    settings = some_settings(300)
    assert other_ways(page, SCRIPT, settings) == []
    assert {one.landscape for one in settings} == set(LANDSCAPES) and {one.decay for one in settings} == set(DECAYS)


@pytest.mark.parametrize(
    ("code", "broken", "touched"),
    [
        ("settings.momentum * vx + dx", "settings.momentum * vx - dx", lambda one: True),
        ("settings.momentum * vy", "0.9 * settings.momentum * vy", lambda one: one.momentum > 0 and one.steps > 1),
        ("(1 - step / steps)", "(1 - (step + 1) / steps)", lambda one: one.decay == "linear"),
        ("Math.PI * step", "Math.PI * (step + 0.01)", lambda one: one.decay == "cosine"),
        ("rate * 0.5 **", "rate * 0.51 **", lambda one: one.decay == "step" and one.steps > 1),
        ("0.04 * x", "0.041 * x", lambda one: one.landscape == "narrow valley"),
        ("(x - 1.5)", "(x - 1.51)", lambda one: one.landscape == "two minima"),
        ("9 * t * t - 10 * t", "9 * t * t - 10.1 * t", lambda one: one.landscape == "network"),
    ],
)
def test_a_page_that_walks_otherwise_is_found_out(page, code, broken, touched):
    settings = some_settings(100)
    assert SCRIPT.count(code) == 1
    found = other_ways(page, SCRIPT.replace(code, broken), settings)
    # where a rate is the same at one step alone, or a start is on an axis, the way can be the same
    assert found and set(found) <= set(filter(touched, settings))
    assert len(found) > 0.8 * len(list(filter(touched, settings)))


def test_the_slider_goes_over_six_decades_in_fine_steps(page):
    rates = page.evaluate("script => new Function(script)().RATES", SCRIPT)
    assert (rates[0], rates[-1]) == (1e-5, 10)
    assert all(1 < after / before < 1.051 for before, after in zip(rates, rates[1:]))
    assert {0.95, 1, 1.05} <= set(rates), "just below and above the bowl's limit"


# -- the page: what it says and draws ---------------------------------------------------------------



class RatePage(LabPage):
    traits = ("title", "problem", "landscape", "rate", "x", "y", "momentum", "decay", "steps", "slice")

    def __init__(self, browser, lab=None, width=1000):
        super().__init__(browser, lab or labs.learning_rate("network"), width)

    def say(self, **settings):
        # each from the same start, whatever was set before
        start = {"landscape": "bowl", "rate": 0.1, "x": 2.4, "y": 1.4, "momentum": 0, "decay": "none", "steps": 50}
        return self.set(**start | settings).page.locator(".ll-sentence").inner_text().replace("\xa0", " ")

    def texts(self):
        return self.page.locator(".ll-stage svg text:visible").all_text_contents()

    def picture(self):
        return self.page.locator(".ll-stage").inner_html()


@pytest.fixture(scope="module")
def lab(browser):
    lab = RatePage(browser)
    yield lab
    lab.close()


VALLEY, TWO, NETWORK = "narrow valley", "two minima", "network"


VERDICTS = [
    ({"rate": 1e-5}, "Crawls: 50 steps make 0.2 % of the way", "1 − 2 · rate = 0.99998."),
    ({"rate": 0.01}, "Slow: 87 % of the way down is done", "1 − 2 · rate = 0.98."),
    ({"rate": 0.1}, "Good: arrives at the lowest place at step 15, and stays.", "1 − 2 · rate = 0.8."),
    ({"rate": 0.5}, "Good: arrives at the lowest place at step 1,", "= 0: one step is enough."),
    ({"rate": 0.5, "steps": 1}, "Good: arrives at the lowest place at step 1,", "= 0: one step is enough."),
    ({"rate": 0.9}, "Zig-zags, but arrives at the lowest place at step 15", "−0.8: it lands on the other side"),
    ({"rate": 0.99}, "Zig-zags: the steps turn back", "each time a little shorter; after 50 of them"),
    ({"rate": 1}, "Jumps about: after 50 steps the lowest place is still 2.78", "= −1: as far away as before"),
    ({"rate": 1.001, "x": 1, "y": 0.5}, "Diverges, slowly: ", "loss, from 1.25 to 1.53. Each step"),
    ({"rate": 1.05}, "Diverges: at step 3 the path leaves the picture for good, and after", "= −1.1: more than 1"),
    ({"rate": 10, "steps": 400}, "Diverges: at step 1 ", "at step 121 the loss is too large for a float."),
    ({"rate": 1.2, "decay": "linear"}, "Zig-zags, but arrives", "From step 10 on the decayed rate is below the limit"),
    ({"rate": 1.2, "decay": "step"}, "Zig-zags, but arrives", "On the way it leaves the picture, and comes back."),
    ({"rate": 4, "decay": "linear"}, "Diverges: at step 1", "From step 39 on the decayed rate is below"),
    ({"rate": 0.01, "momentum": 0.95}, "Swings: momentum carries it past the lowest", "up to 20 times as long."),
    ({"rate": 0.5, "momentum": 0.95}, "Swings: momentum carries it past the", "below the limit, with this momentum"),
    ({"rate": 2.5, "momentum": 0.5}, "Diverges: at step 1", "above the limit, with this momentum 1.5 here."),
    ({"rate": 0.1, "momentum": 0.3}, "Good: arrives at the lowest place at step 9", "up to 1.43 times as long."),
    ({"x": 0, "y": 0}, "The start is at a minimum already", "the path stays."),
    ({"landscape": VALLEY, "rate": 0.3}, "Slow: 98 % of the way", "the distance along it by 1 − 0.04 · rate = 0.988."),
    ({"landscape": VALLEY, "rate": 0.95}, "Zig-zags: the steps", "= −0.9 (from side to side), and the distance along"),
    ({"landscape": VALLEY, "rate": 0.9}, "Zig-zags at first, and then is slow", "= −0.8 (from side to side)"),
    ({"landscape": VALLEY, "rate": 0.95, "momentum": 0.6}, "Zig-zags, but arrives", "Momentum adds 0.6"),
    ({"landscape": VALLEY, "rate": 1.05}, "Diverges: at step 4", "across the valley by 1 − 2 · rate = −1.1: more"),
    ({"landscape": TWO}, "Ends in the worse minimum, at step 26: the loss is 0.636 there, and 0.1", "1.27 here."),
    ({"landscape": TWO, "x": -1}, "Good: arrives at the better minimum at step 26", "limit, 0.952 here."),
    ({"landscape": TWO, "rate": 0.3, "momentum": 0.8, "x": -2.4}, "Swings, but arrives at the", "Momentum adds 0.8"),
    ({"landscape": TWO, "x": 0}, "Stuck on a saddle", "Move the start a little."),
    ({"landscape": TWO, "rate": 1.05}, "Jumps about: after 50 steps the nearest", "above 2 / 2.1 = 0.952 a step"),
    ({"landscape": TWO, "rate": 1.05, "decay": "cosine"}, "Good: arrives", "From step 11 on the decayed rate"),
    ({"landscape": TWO, "rate": 1.3}, "Jumps about", "and it does not settle."),  # the last step is near by chance
    ({"landscape": TWO, "rate": 3}, "Diverges: at step 1", "at step 6 the loss is too large for a float."),
    ({"landscape": TWO, "rate": 0.9, "momentum": 0.8}, "Diverges: at step 5", "At step 4 the gradient is 5.76 long"),
    ({"landscape": NETWORK}, "Good: arrives at the lowest place at step 39", "below the limit, 0.346 here."),
    ({"landscape": NETWORK, "rate": 0.001}, "Crawls", "times a gradient of 0.899 is a first step of 8.99e−4"),
    ({"landscape": NETWORK, "rate": 3}, "Leaves the picture at step 1", "outside no loss was computed. Near this"),
]


@pytest.mark.parametrize(("settings", "begins", "because"), VERDICTS, ids=lambda value: str(value)[:40])
def test_the_sentence_gives_the_verdict_and_the_true_reason(lab, settings, begins, because):
    said = lab.say(**settings)
    assert said.startswith(begins)
    assert because in said


def test_the_verdict_names_the_step_at_which_the_path_leaves_for_good(lab):
    for rate in (1.01, 1.05, 1.3, 3):
        said = lab.say(rate=rate)
        places = walk(FORMULAS["bowl"], 2.4, 1.4, constant(rate), 0, 50)
        inside = [step for step, (x, y, _) in enumerate(places) if abs(x) <= WIDTH and abs(y) <= HEIGHT]
        assert f"Diverges: at step {max(inside) + 1} the path" in said


EXTREMES = [
    {"rate": rate, "momentum": momentum, "decay": decay, "steps": steps, "x": x, "y": y}
    for rate, momentum, decay, steps, x, y in [
        (1e-12, 0, "none", 50, 3, 2),
        (1e-5, 0, "cosine", 50, -3, -2),
        (1e6, 0.95, "step", 50, 3, -2),
        (10, 0.999999, "linear", 1000, -3, 2),
        (1, 0, "none", 1, 0, 0),
        (10, 0, "none", 1, 0, 2),
        (2, 0.5, "step", 3, 1.5, 0),
        (0.346, 0, "linear", 2, -0.5, 0),
    ]
]


@pytest.mark.parametrize("landscape", LANDSCAPES)
def test_nothing_in_the_picture_is_not_a_number_and_no_words_are_outside(lab, landscape):
    for settings in EXTREMES + [one._asdict() for one in some_settings(60)]:
        said = lab.say(**settings | {"landscape": landscape})
        for text in (said, lab.picture()):
            assert not re.search("NaN|Infinity|undefined|null", text), settings
        numbers = re.findall(r"[\d.]+(?:e[+]?\d+)?", " ".join(lab.page.locator(".ll-stage path").evaluate_all(PATHS)))
        assert max(map(float, numbers)) < 1e5, "a browser draws no path to a place that is further away"
        outside = lab.page.locator(".ll-stage svg text").evaluate_all(OUTSIDE)
        assert outside == [], settings


PATHS = "paths => paths.map(path => path.getAttribute('d') || '')"
OUTSIDE = """texts => texts.filter(text => text.textContent && text.checkVisibility()).filter(text => {
    const [box, room] = [text.getBoundingClientRect(), text.ownerSVGElement.getBoundingClientRect()];
    return Math.max(room.left - box.left, box.right - room.right, room.top - box.top, box.bottom - room.bottom) > 1;
}).map(text => text.textContent)"""
OVERLAPS = """texts => {
    const boxes = texts.filter(text => text.textContent && text.checkVisibility())
        .map(text => [text.textContent, text.getBoundingClientRect()]);
    return boxes.flatMap(([a, one], i) => boxes.slice(i + 1).filter(([, two]) => Math.min(one.right, two.right) >
        Math.max(one.left, two.left) + 1 && Math.min(one.bottom, two.bottom) > Math.max(one.top, two.top) + 5)
        .map(([b]) => [a, b]));
}"""


@pytest.mark.parametrize("width", [420, 600, 1000])
def test_no_words_lie_over_others(browser, width):
    lab = RatePage(browser, width=width)
    for settings in some_settings(40, seed=2):
        lab.say(**settings._asdict())
        texts = lab.page.locator(".ll-stage svg text")
        assert texts.evaluate_all(OVERLAPS) == [], settings
        assert texts.evaluate_all(OUTSIDE) == [], settings
    assert lab.errors == []
    lab.page.close()


def test_the_picture_shows_the_verdict_the_end_and_the_limit(lab):
    lab.say(rate=0.1)
    texts = lab.texts()
    assert {"Good: arrives at step 15", "start", "step 50", "learning rate; the limit is 1"} <= set(texts)
    lab.say(rate=1.05)
    assert {"Diverges at step 3", "start", "step 3", "learning rate; dashed: the limit 1"} <= set(lab.texts())
    lab.say(x=0, y=0)
    assert "start, step 50" in lab.texts()


def test_a_press_in_the_landscape_moves_the_start(lab):
    lab.say()
    paper = lab.page.locator(".ll-stage svg .ll-paper").first
    box = paper.bounding_box()
    lab.page.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 4)
    lab.page.mouse.down()
    lab.drawn()
    sent = lab.page.evaluate("() => window.sent.at(-1)")
    assert (sent["x"], sent["y"]) == (-1.5, 1)
    lab.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    lab.page.mouse.up()
    sent = lab.page.evaluate("() => window.sent.at(-1)")
    assert (sent["x"], sent["y"]) == (0, 0)
    lab.page.mouse.move(box["x"] + 3, box["y"] + 3)
    assert lab.page.evaluate("() => window.sent.at(-1)") == sent, "let go is let go"


def test_without_the_slice_the_page_says_what_it_waits_for(browser):
    fresh = RatePage(browser, labs.learning_rate())
    fresh.set(landscape="network")
    said = fresh.page.locator(".ll-sentence")
    assert said.inner_text().startswith("Python is computing the loss of a real network at 1,785 places")
    assert sum(map(len, network().rows)) == 1785
    fresh.set(slice=labs.learning_rate("network").slice)
    assert said.inner_text().startswith("Good: arrives")
    fresh.close()


# -- the widget -------------------------------------------------------------------------------------


def test_the_bundle_has_the_widget_and_a_still_picture_with_words():
    lab = labs.learning_rate("narrow valley", 0.95)
    data, _ = lab._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == lab.model_id
    assert data["text/html"].startswith('<img src="data:image/')
    assert 'alt="Gradient descent on the landscape narrow valley, from x = 2.4, y = 1.4,' in data["text/html"]
    assert data["text/plain"] == "Gradient descent, and its learning rate (lab)…"
    lab.rate = 0.1
    assert lab._repr_mimebundle_()[0]["text/plain"] == data["text/plain"]


def test_the_words_of_the_still_picture_follow_the_state():
    lab = labs.learning_rate()
    places = lab.places()
    assert len(places) == 51
    assert f"After 50 steps it is {places[-1][2]:.3g}, at x = {places[-1][0]:.3g}" in lab.sentence
    lab.rate = 1.05
    assert lab.sentence.endswith("The loss is 7.72 at the start. At step 3 the path leaves the picture for good.")
    assert lab.still().alt == lab.sentence
    lab.set_state({"momentum": 0.5})
    assert "momentum 0.5" in lab.still().alt


def test_a_still_picture_is_the_same_each_time_and_shows_the_state():
    pictures = [labs.learning_rate("two minima", 0.3, momentum=m).still().data for m in (0, 0, 0.8)]
    assert pictures[0] == pictures[1] != pictures[2]


@pytest.mark.parametrize("landscape", LANDSCAPES)
@pytest.mark.parametrize("settings", [{}, {"rate": 1.3}, *EXTREMES], ids=lambda settings: str(settings)[:40])
def test_every_state_has_a_small_still_picture(landscape, settings):
    settings = dict(settings)
    if "x" in settings:
        settings["start"] = settings.pop("x"), settings.pop("y")
    still = labs.learning_rate(landscape, **settings).still()
    assert still.mime == "image/png" and len(still.data) < 40_000


def test_the_slice_is_computed_when_it_is_needed():
    lab = labs.learning_rate()
    assert lab.slice == {}
    lab.set_state({"landscape": "network"})
    assert lab.slice == {"rows": network().rows, "gap": GAP}
    assert len(json.dumps(lab.slice)) < 20_000


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"rate": 0}, "the learning rate must be above 0, here from 1e-12 to 1e6, and not 0"),
        ({"rate": -0.1}, "and not -0.1"),
        ({"rate": math.nan}, "and not nan"),
        ({"rate": math.inf}, "and not inf"),
        ({"rate": "fast"}, "fast"),
        ({"landscape": "hill"}, "no landscape 'hill'; there are 'bowl', 'narrow valley', 'two minima', 'network'"),
        ({"landscape": ["bowl"]}, "no landscape"),
        ({"decay": "exp"}, "no decay 'exp'; there are 'none', 'step', 'linear', 'cosine'"),
        ({"momentum": 1}, "the momentum must be 0 or more, and below 1, and not 1"),
        ({"momentum": -0.1}, "and not -0.1"),
        ({"momentum": math.nan}, "and not nan"),
        ({"start": (3.1, 0)}, "x from -3 to 3 and y from -2 to 2"),
        ({"start": (0, math.nan)}, "x from -3 to 3"),
        ({"start": 3}, r"a pair of numbers \(x, y\), and not 3"),
        ({"start": (1, 2, 3)}, "a pair of numbers"),
        ({"steps": 0}, "a whole number from 1 to 1000, and not 0"),
        ({"steps": 2.5}, "a whole number"),
        ({"steps": 1001}, "a whole number"),
    ],
    ids=str,
)
def test_bad_arguments_raise_in_the_cell(settings, message):
    with pytest.raises(ValueError, match=message):
        labs.learning_rate(**settings)


def test_a_whole_number_of_numpy_will_do():
    assert labs.learning_rate(steps=np.int64(7)).steps == 7


def test_a_bad_value_later_raises_or_is_shown_in_the_lab():
    lab = labs.learning_rate()
    for name, bad in (("rate", 0), ("x", math.nan), ("y", 2.1), ("momentum", 1), ("decay", "exp"), ("steps", 0)):
        with pytest.raises(TraitError):
            setattr(lab, name, bad)
    assert lab.rate == 0.1
    lab.set_state({"rate": -1})
    assert "above 0, here from 1e-12 to 1e6, and not -1" in lab.problem and lab.rate == 0.1
    lab.set_state({"rate": 0.2})
    assert lab.problem == "" and lab.rate == 0.2
