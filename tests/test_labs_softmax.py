"""The softmax lab: its numbers against torch, in Python and in the page, and what it says of them."""

import math
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from traitlets import TraitError

from lesson_lib.labs.softmax import MOST, softmax
from lesson_lib.softmax import softmax as reference
from lesson_lib.softmax import softmax_derivatives
from tests.lab_page import LabPage, overlap, shows

INF = math.inf
TEN = [2, 1.5, 0.3, -1, -0.25, 4, 3.3, -7, 6, -8]
ODD = ["<b>", "שלום", "👩\u200d🚀", "e\u0301", " \n", "床前明月光", "\u200b", "WWWWWWWWWW", "", "&amp;"]


def fed(lab):
    """Return what goes into the softmax, as a float64 tensor."""
    logits = torch.tensor([-INF if off else z for z, off in zip(lab.logits, lab.masked)], dtype=torch.float64)
    return logits * (8 if lab.times_eight else 1) / lab.temperature + (100 if lab.plus_hundred else 0)


def plain(logits):
    """The softmax as it is written on paper, in PyTorch's usual type."""
    exps = logits.float().exp()
    return exps / exps.sum()


def truth(lab):
    """Return the probabilities by torch, or by the plain formula where the lab is asked for that."""
    return torch.softmax(fed(lab), dim=0) if lab.subtract_largest else plain(fed(lab))


def change(lab, **state):
    for name, value in state.items():
        setattr(lab, name, value)
    return lab


numbers = st.integers(-80, 80).map(lambda tenths: tenths / 10)
states = st.fixed_dictionaries(
    {
        "logits": st.lists(st.one_of(numbers, st.just(-INF)), min_size=2, max_size=MOST),
        "temperature": st.sampled_from([0.05, 0.1, 0.5, 1.0, 1.3, 8.0, 20.0]),
        "times_eight": st.booleans(),
        "plus_hundred": st.booleans(),
        "subtract_largest": st.booleans(),
    }
)


def opened(state):
    rest = {name: value for name, value in state.items() if name != "logits"}
    return change(softmax(state["logits"]), **rest)


# -- the numbers in Python --------------------------------------------------------------------------------


@settings(max_examples=200)
@given(states)
def test_the_probabilities_and_the_derivatives_are_those_of_torch(state):
    lab = opened(state)
    now, p = lab.shares(), truth(lab)
    assert now["scaled"] == pytest.approx(fed(lab).numpy())
    assert now["probs"] == pytest.approx(p.numpy(), rel=1e-5, abs=1e-12, nan_ok=True)
    assert now["derivatives"] == pytest.approx(softmax_derivatives(p).numpy(), rel=1e-4, abs=1e-6, nan_ok=True)
    if not lab.subtract_largest:
        return
    if all(lab.masked):
        assert math.isnan(now["entropy"]) and np.isnan(now["probs"]).all()
    else:
        assert now["entropy"] == pytest.approx(torch.special.entr(p).sum().item(), abs=1e-9)
        assert (now["probs"][np.array(lab.masked)] == 0).all()
        assert p.numpy() == pytest.approx(reference(fed(lab)).numpy(), abs=1e-12)


def test_logits_come_in_any_form():
    for same in [2, -INF, 0.5], (2.0, -INF, 0.5), np.array([2, -INF, 0.5]), torch.tensor([2, -INF, 0.5]):
        lab = softmax(same)
        assert (lab.logits, lab.masked) == ([2, 0, 0.5], [False, True, False])
    trained = torch.tensor([1.0, 2.0], dtype=torch.bfloat16, requires_grad=True)
    assert softmax(trained).logits == [1, 2]
    assert softmax().logits == [2, 1, 0, -1] and softmax().labels == ["z0", "z1", "z2", "z3"]
    assert [softmax(z).reach for z in ([8, 0], [0, -8.1], [-INF, 100])] == [8, 9, 100]


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        (([1],), ValueError, "from 2 to 10 logits, and these are 1"),
        (([0] * 11,), ValueError, "from 2 to 10 logits, and these are 11"),
        (([],), ValueError, "and these are 0"),
        (([[1, 2], [3, 4]],), ValueError, r"one row of numbers, and these have the shape \(2, 2\)"),
        ((3,), ValueError, r"the shape \(\)"),
        (("high",), TypeError, "a row of numbers, and this is of type str"),
        (([1, "two"],), TypeError, "a row of numbers"),
        (([0, math.nan],), ValueError, "logit 1 is nan"),
        (([INF, 0],), ValueError, "logit 0 is inf: .* -inf for one that is masked"),
        (([0, 101],), ValueError, "logit 1 is 101: the lab shows logits from -100 to 100"),
        (([0, 1], ["a"]), ValueError, r"labels must be 2 strings, one for each logit, and not \['a'\]"),
        (([0, 1], 3), ValueError, "labels must be 2 strings, one for each logit, and not 3"),
        (([0, 1], "ab"), ValueError, "labels must be 2 strings"),
        (([0, 1], [1, 2]), ValueError, "labels must be 2 strings"),
        (([0, 1], None, 0), TraitError, "the temperature must be from 0.05 to 20, and not 0"),
        (([0, 1], None, math.nan), TraitError, "and not nan"),
        (([0, 1], None, "hot"), TraitError, "temperature"),
    ],
)
def test_bad_arguments_raise_in_the_cell(arguments, error, words):
    with pytest.raises(error, match=words):
        softmax(*arguments)


def test_bad_states_are_refused_in_a_cell_and_shown_in_the_page():
    lab = softmax()
    for name, bad, words in (
        ("logits", [1.0], "must hold 4 values"),
        ("logits", [1.0, 2.0, 3.0, 8.5], "from -8 to 8 here"),
        ("logits", [1.0, 2.0, 3.0, -INF], "set its place in masked to True"),
        ("logits", [1.0, 2.0, 3.0, math.nan], "from -8 to 8 here"),
        ("masked", [True], "must hold 4 values"),
        ("chosen", 4, "must be below 4"),
        ("temperature", 21, "and not 21"),
    ):
        before = getattr(lab, name)
        with pytest.raises(TraitError, match=words):
            setattr(lab, name, bad)
        assert getattr(lab, name) == before
    lab.set_state({"temperature": 21.0})
    assert "the temperature must be from 0.05 to 20" in lab.problem
    lab.set_state({"temperature": 2})
    assert (lab.problem, lab.temperature) == ("", 2)


@pytest.mark.parametrize(
    ("label", "shown"),
    [("e", "e"), (" \n", "␣⏎"), ("", "□"), ("\u200b", "[200B]"), ("\u202eabc", "[202E]ab…"), ("שלום", "שלום"),
     ("e\u0301", "e\u0301"), ("\u0301", "◌\u0301"), ("👩\u200d🚀", "👩\u200d🚀"), ("\u200d", "[200D]"),
     ("\ud800", "[D800]"), ("<b>", "<b>"), ("proceedings", "proceedi…"), ("床前明月光", "床前明月…")],
)  # fmt: skip
def test_of_a_label_everything_can_be_seen(label, shown):
    lab = softmax([0, 1], [label, "other"])
    assert lab.labels[0] == shown and lab.names[0] == f"“\u2068{shown}\u2069”"


def test_torch_is_not_needed():
    code = "import sys; from lesson_lib.labs.softmax import softmax; softmax().still(); print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


# -- the still picture ------------------------------------------------------------------------------------

STATES = [
    {},
    {"logits": [0.0, 0.0, 0.0, 0.0]},
    {"temperature": 0.05},
    {"times_eight": True},
    {"masked": [False, True, False, False]},
    {"masked": [True, True, False, True]},
    {"masked": [True] * 4},
    {"plus_hundred": True, "subtract_largest": False},
]


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_still_picture_follows_the_state(state):
    lab = softmax()
    before = lab.still()
    after = change(lab, **state).still()
    assert (after.data != before.data) == bool(state)
    p = truth(lab)
    for name, one in zip(lab.names, p.tolist()):
        assert re.search(rf"{name}: (minus infinity|\S+), probability {one:.3f}[;.]", after.alt)
    if p.isnan().any():
        assert after.alt.endswith("They are no shares: their sum is not 1.")
    else:
        entropy, largest = torch.special.entr(p).sum(), softmax_derivatives(p).abs().max()
        assert f"entropy is {entropy:.3f} nats. The largest derivative is {largest:.3g}." in after.alt


def test_the_bundle_has_the_widget_and_a_still_picture():
    lab = softmax()
    data, _ = lab._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == lab.model_id
    assert data["text/html"].startswith('<img src="data:image/png') and "z0: 2, probability 0.644" in data["text/html"]
    assert data["text/plain"] == "Softmax: from logits to probabilities (lab)…"


def test_a_still_picture_needs_no_letter_that_the_font_lacks():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a glyph that is missing
        lab = softmax(TEN, ODD)
        assert lab.still().mime == "image/png"
    assert "<b>" not in lab._repr_mimebundle_()[0]["text/html"]


# -- the page -----------------------------------------------------------------------------------------------

MOVED = "logits masked chosen temperature times_eight plus_hundred subtract_largest".split()
LOOK = """() => {
    const all = (css) => [...document.querySelectorAll(css)];
    const box = (element) => element.getBoundingClientRect();
    const bars = (css) => all(css).map((bar) => [box(bar).left, box(bar).width]);
    return {
        numbers: all('.sm-number').map((text) => text.textContent),
        logits: bars('.sm-logit'), probs: bars('.sm-prob'),
        entropy: box(document.querySelector('.sm-entropy')).width,
        cells: all('.sm-cell').map((cell) => [cell.classList.contains('sm-more') ? 1 : -1,
            Number(cell.getAttribute('fill-opacity')), box(cell).left, box(cell).top]),
        entries: all('.sm-entry').map((text) => text.textContent),
    };
}"""


class SoftmaxPage(LabPage):
    traits = ["title", "problem", "labels", "names", "reach", "start", *MOVED]
    moved = MOVED
    height = 1300

    def set(self, **traits):
        change(self.lab, **traits)
        return super().set(**traits)

    def handle(self, i):
        return self.page.locator(".sm-handle").nth(i)

    def type(self, i, *keys):
        self.handle(i).focus()
        for key in keys:
            self.page.keyboard.press(key)
        self.drawn()
        return self.hear()

    def track(self, i):
        """Return where the track of logit i is: its left and right end, and its middle line, in pixels."""
        svg = self.page.locator(".sm-picture svg").bounding_box()
        # its own size: what is drawn of a masked one is larger, by its border
        x, y, width, height = (
            self.page.locator(".sm-track")
            .nth(2 * i)
            .evaluate("track => ['x', 'y', 'width', 'height'].map(name => track[name].baseVal.value)")
        )
        return svg["x"] + x, svg["x"] + x + width, svg["y"] + y + height / 2

    def look(self):
        return self.page.evaluate(LOOK)

    def numbers(self):
        """Return the numbers beside the bars: a list (logit, s, power, probability) of texts for each row."""
        texts = self.look()["numbers"]
        return [texts[i : i + 4] for i in range(0, len(texts), 4)]


show = shows(SoftmaxPage)


def read(text):
    """Return the number that a text of the page shows."""
    return float(text.replace("−", "-").replace("∞", "inf"))


def fits(text, value):
    """Whether the text is a true and short form of the number, 0 or more."""
    if text[0] in "<>":
        return 0 < value < 0.000501 if text == "<0.001" else text == ">0.999" and 0.9994 < value <= 1
    near, least = (0.5 if value < 1e-99 else 0.06), (0.000501 if value > 0.000499 else 0)
    return read(text) == pytest.approx(value, rel=near, abs=least, nan_ok=True)


def assert_page_is_true(page):
    """The page shows, in numbers, bars, squares and words, what torch computes of the same logits."""
    lab, seen, rows = page.lab, page.look(), page.numbers()
    p, scaled = truth(lab), fed(lab)
    shifted = scaled - scaled.max() if lab.subtract_largest else scaled.float()
    computed = zip(rows, lab.logits, lab.masked, scaled.tolist(), shifted.exp().tolist(), p.tolist())
    for row, z, off, s, e, one in computed:
        assert read(row[0]) == (-INF if off else pytest.approx(z, abs=0.005))
        assert read(row[1]) == pytest.approx(s, abs=0.0051 if abs(s) < 100 else 0.51)
        assert fits(row[2], e) and fits(row[3], one)
        # what is neither 0 nor 1 is not written as such
        assert (row[3] == "0") == (one == 0) and row[3] not in ("0.000", "1.000")
        assert row[3] != "1" or p.count_nonzero() == 1

    # the bars: from the zero line to the logit, and from 0 to the probability
    left, right, _ = page.track(0)
    unit, zero = (right - left) / 2 / lab.reach, (left + right) / 2
    for (x, width), z, off in zip(seen["logits"], lab.logits, lab.masked):
        if not off:
            assert (x, x + width) == pytest.approx((zero + min(z, 0) * unit, zero + max(z, 0) * unit), abs=0.1)
    whole = page.page.locator(".sm-track").nth(1).bounding_box()["width"]
    assert [width for _, width in seen["probs"]] == pytest.approx((p.nan_to_num() * whole).tolist(), abs=0.1)

    # the squares: sign and depth
    slopes = softmax_derivatives(p).nan_to_num()
    n = len(lab.labels)
    order = sorted(seen["cells"], key=lambda cell: (round(cell[3]), cell[2]))
    for (sign, depth, *_), d in zip(order, slopes.flatten().tolist(), strict=True):
        assert depth == pytest.approx((0.8 if d >= 0 else 0.4) * min(1, abs(d) / 0.25), abs=0.001)
        assert sign == (-1 if d < 0 else 1) or abs(d) < 1e-9
    shown = [read(text) for text in seen["entries"] if text]
    expected = softmax_derivatives(p).flatten().tolist() if n <= 6 else []
    assert shown == pytest.approx(expected, abs=0.00501, nan_ok=True)

    assert_sentence_is_true(page.say(), lab)


def assert_sentence_is_true(said, lab):
    p, names = truth(lab), lab.names
    stable = torch.softmax(fed(lab), dim=0)
    n = sum(not off for off in lab.masked)
    assert "NaN" not in said and "undefined" not in said and "null" not in said and "Infinity" not in said
    if n == 0:
        assert said.startswith("Every logit is −∞")
        return
    top = fed(lab).max()
    first = [name for name, z in zip(names, fed(lab)) if z == top]
    if not lab.subtract_largest and not torch.allclose(p.double(), stable, atol=1e-3):
        assert said.startswith("Without subtracting the largest, ")
        exps = fed(lab).float().exp()
        kind = (
            "more than a float32 can hold" if exps.isinf().any()
            else "but their sum does not" if exps.sum().isinf()
            else "so small that a float32 makes it 0" if exps.sum() == 0
            else "a share is wrong by"
        )  # fmt: skip
        assert kind in said
        assert fits(said_number(r"the largest is (.+)\.$", said), stable.max().item())
        return
    entropy, slopes = torch.special.entr(p).sum().item(), softmax_derivatives(p)
    if n == 1:
        assert said.startswith(f"Only {first[0]} is left: it gets 1") and "Every derivative is 0" in said
        assert "entropy is 0" in said
    else:
        if len(first) == n:
            who = f"The {n} logits that are left" if any(lab.masked) else f"All {n} logits"
            assert said.startswith(f"{who} are equal: each gets the same share, 1/{n} = ")
            assert fits(said_number(r"share, 1/\d+ = (\S+)\. The", said), 1 / n)
        else:
            who = ", ".join(first[:-1]) + " and " + first[-1] if len(first) > 1 else first[0]
            flat = p.max() < 1.1 * min(one for one, off in zip(p.tolist(), lab.masked) if not off)
            assert said.startswith(f"Nearly flat: {who} ha" if flat else f"{who} ha")
            assert fits(said_number(r"largest probability: (.+?)(?: each)?\. The entropy", said), p.max().item())
        h, count, most, choices = re.search(
            r"entropy is (\S+) nats, of at most ln (\d+) = (\S+): as unsure as among (\S+) equal choices", said
        ).groups()
        assert (float(h), float(most)) == pytest.approx((entropy, math.log(n)), abs=0.0051) and int(count) == n
        assert float(choices) == pytest.approx(math.exp(entropy), abs=0.051)
        largest = slopes.abs().max().item()
        assert ("Saturated" in said) == (largest < 0.01)
        rest = said.split("choices. ")[1]
        given = read(said_number(r"(?:largest derivative|the largest) is (\S+?)[.,](?: |$)", rest))
        assert given == pytest.approx(largest, rel=0.5, abs=0.00051 if largest > 0.0005 else 0)
        grows = re.search(r"Raise the s of (\S+) a little: its probability grows (\S+) times", said)
        if grows and lab.labels[0] == "z0":
            i = names.index(grows[1])
            assert i == lab.chosen and not lab.masked[i]
            assert read(grows[2]) == pytest.approx(slopes[i, i].item(), rel=0.5, abs=0.00051)
    factor = (8 if lab.times_eight else 1) / lab.temperature
    times = re.search(r"each difference (\S+) times as large", said)
    assert bool(times) == (factor != 1) and (factor == 1 or float(times[1]) == pytest.approx(factor, rel=0.005))
    assert ("The 100 added to all changes no probability" in said) == lab.plus_hundred
    if n < len(names):
        off = [name for name, masked in zip(names, lab.masked) if masked]
        assert re.search(r"in all derivatives too: (.*)\.$", said)[1].replace(" and ", ", ").split(", ") == off
    else:
        assert "Masked" not in said


def said_number(pattern, said):
    return re.search(pattern, said)[1].replace("less than ", "<").replace("more than ", ">")


GRID = [
    {**state, **more}
    for state in (
        {"logits": [2.0, 1.0, 0.0, -1.0]},
        {"logits": [0.0, 0.0, 0.0, 0.0]},
        {"logits": [3.0, -8.0, 3.0, 1.0]},
        {"logits": [8.0, -8.0, 7.9, 0.0]},
        {"masked": [False, True, False, False], "chosen": 1},
        {"masked": [True, False, True, True], "chosen": 1},
        {"masked": [True] * 4},
    )
    for more in (
        {},
        {"temperature": 0.05},
        {"temperature": 20.0, "chosen": 2},
        {"times_eight": True},
        {"times_eight": True, "temperature": 8.0},
        {"times_eight": True, "temperature": 0.05, "plus_hundred": True},
        {"plus_hundred": True},
        {"subtract_largest": False},
        {"subtract_largest": False, "plus_hundred": True, "temperature": 2.0},
        {"subtract_largest": False, "times_eight": True, "temperature": 0.5},
    )
]


def test_the_page_shows_and_says_what_torch_computes(show):
    page, usual = show(softmax()), {name: getattr(softmax(), name) for name in MOVED}
    for state in GRID:
        page.set(**(usual | state))
        assert_page_is_true(page)
    assert len(GRID) == 70


@pytest.mark.parametrize("seed", range(4))
def test_the_page_is_true_in_random_states(show, seed):
    random = np.random.default_rng(seed)
    n = (2, 5, 7, 10)[seed]
    page = show(softmax([0] * n))
    for _ in range(25):
        page.set(
            logits=(random.integers(-80, 81, n) / 10).tolist(),
            masked=(random.random(n) < 0.2).tolist(),
            chosen=int(random.integers(n)),
            temperature=float(random.choice([0.05, 0.3, 1, 2.5, 20])),
            times_eight=bool(random.random() < 0.4),
            plus_hundred=bool(random.random() < 0.4),
            subtract_largest=bool(random.random() < 0.7),
        )
        assert_page_is_true(page)


def test_the_plain_formula_fails_in_four_ways(show):
    page = show(softmax([2, 1]))
    page.set(subtract_largest=False)
    assert_page_is_true(page)
    for logits, temperature, words in (
        ([8.0, 1.0], 0.08, "e to the power of 100.0 is more than a float32 can hold"),
        ([8.0, 8.0], 0.0905, "their sum does not"),
        ([-8.0, -8.0], 0.07, "is so small that a float32 makes it 0"),
        ([-5.1, -5.15], 0.05, "a share is wrong by"),
    ):
        page.set(logits=logits, temperature=temperature)
        assert words in page.say()
        assert_page_is_true(page)
        page.set(subtract_largest=True)
        assert "Without" not in page.say()
        assert_page_is_true(page)
        page.set(subtract_largest=False)


def test_what_a_learner_is_to_see(show):
    page = show(softmax())

    def probs():
        return [row[3] for row in page.numbers()]

    before = probs()
    page.set(logits=[6.0, 5.0, 4.0, 3.0])  # the same number added to all
    assert probs() == before == ["0.644", "0.237", "0.087", "0.032"]
    page.set(plus_hundred=True)
    assert probs() == before
    page.set(plus_hundred=False, logits=[1.0, 1.0, 0.0, -3.0], temperature=0.05)  # ties share
    assert probs() == ["0.500", "0.500", "<0.001", "<0.001"]
    page.set(logits=[2.0, 1.0, 0.0, -1.0], temperature=20.0)
    assert page.say().startswith("z0 has") and all(abs(read(p) - 0.25) < 0.03 for p in probs())
    page.set(temperature=1.0, masked=[False, True, False, True])
    assert probs()[1] == probs()[3] == "0"
    column = page.look()["entries"][1::4] + page.look()["entries"][4:8]
    assert column == ["0.00"] * 8


# -- moving it ------------------------------------------------------------------------------------------------


def test_the_keyboard_moves_a_logit(show):
    page = show(softmax())
    assert page.type(1, "ArrowRight", "ArrowUp").logits[1] == pytest.approx(1.2)
    assert page.type(1, "ArrowLeft", "ArrowDown", "ArrowDown").logits[1] == pytest.approx(0.9)
    assert page.type(1, "Shift+ArrowRight").logits[1] == pytest.approx(1.9)
    assert page.type(1, "PageUp", "PageUp", "PageDown").logits[1] == pytest.approx(2.9)
    assert page.type(1, "End", "ArrowRight").logits[1] == 8
    assert page.type(1, "Home", "PageDown").logits[1] == -8
    assert page.lab.chosen == 1 and page.lab.logits[0] == 2
    assert_page_is_true(page)
    # keys of the page itself are left alone
    assert page.type(1, "Control+ArrowRight", "x", "Tab").logits[1] == -8


def test_a_logit_that_is_off_the_grid_of_tenths_comes_onto_it(show):
    page = show(softmax([0.4967, -0.1383]))
    assert page.numbers()[0][0] == "0.50" and page.numbers()[1][0] == "−0.14"
    assert page.type(0, "ArrowRight").logits[0] == 0.6
    assert page.type(1, "ArrowLeft").logits[1] == -0.2


@pytest.mark.parametrize("key", ["Delete", "m", "M", "Enter"])
def test_a_key_masks_and_brings_back(show, key):
    page = show(softmax([2, 1.5, 0]))
    assert page.type(1, key).masked == [False, True, False]
    assert page.handle(1).get_attribute("aria-valuetext") == "minus infinity, masked; probability 0"
    assert_page_is_true(page)
    lab = page.type(1, key)
    assert (lab.masked, lab.logits) == ([False] * 3, [2, 1.5, 0])
    # so does a key that moves it
    page.type(1, key)
    assert (page.type(1, "ArrowRight").masked, lab.logits) == ([False] * 3, [2, 1.6, 0])
    assert page.handle(1).get_attribute("aria-valuetext").startswith("1.6; probability 0.3")


def test_a_logit_can_be_dragged_and_beyond_the_left_end_it_is_masked(show):
    page = show(softmax([2, 1, -INF]))
    left, right, y = page.track(0)
    mouse = page.page.mouse

    def at(value):
        return left + (value + 8) / 16 * (right - left)

    mouse.move(at(2), y)
    mouse.down()
    for value in (2.5, 4, 5.3):
        mouse.move(at(value), y)
    page.drawn()
    assert page.hear().logits[0] == pytest.approx(5.3, abs=0.1) and page.lab.chosen == 0
    assert_page_is_true(page)
    mouse.move(right + 200, y + 90)  # the pointer is held, wherever it goes
    page.drawn()
    assert page.hear().logits[0] == 8
    mouse.move(left - 4, y)
    assert page.hear().logits[0] == -8 and not page.lab.masked[0]
    mouse.move(left - 30, y)
    assert page.hear().masked == [True, False, True]
    mouse.up()
    mouse.move(at(3), y)
    assert page.hear().masked[0], "nothing moves once the button is up"
    # a press is enough, and brings a masked one back
    mouse.click(at(-3), page.track(2)[2])
    page.drawn()
    lab = page.hear()
    assert lab.logits[2] == pytest.approx(-3, abs=0.1) and lab.masked == [True, False, False] and lab.chosen == 2
    assert page.page.evaluate("() => document.activeElement.getAttribute('aria-label')") == "logit z2"
    assert_page_is_true(page)
    mouse.click(at(0), page.track(1)[2], button="right")
    assert page.hear().logits[1] == 1


def test_a_finger_drags_a_logit_and_not_the_page(show):
    page = show(softmax())
    assert page.handle(0).evaluate("handle => getComputedStyle(handle).touchAction") == "none"
    left, right, y = page.track(3)
    events = [("pointerdown", left + 5), ("pointermove", right - 2)]
    for kind, x in events:
        page.handle(3).evaluate(
            """(handle, [kind, x, y]) => {
                handle.setPointerCapture = () => {};
                handle.hasPointerCapture = () => true;
                handle.dispatchEvent(new PointerEvent(kind,
                    { pointerType: 'touch', pointerId: 7, clientX: x, clientY: y, button: 0, bubbles: true }));
            }""",
            [kind, x, y],
        )
    assert page.hear().logits[3] == pytest.approx(7.8, abs=0.2)


def test_the_temperature_slider_has_1_in_its_middle(show):
    page = show(softmax())
    slider = page.page.locator("input[type=range]").first
    low, high = float(slider.get_attribute("min")), float(slider.get_attribute("max"))
    value = float(slider.input_value())
    assert abs((value - low) / (high - low) - 0.5) < 0.03 and slider.get_attribute("aria-valuetext") == "1"
    seen = []
    page.press("temperature", 1, "Home", "slider")
    for _ in range(int(high - low) + 1):
        seen.append(page.hear().temperature)
        page.press("temperature", 1, "ArrowRight", "slider")
    assert (seen[0], seen[-1]) == (0.05, 20) and seen == sorted(set(seen))
    assert {0.1, 0.2, 0.5, 1, 2, 5, 8, 10} <= set(seen)
    ratios = [b / a for a, b in zip(seen, seen[1:])]
    assert 1.04 < min(ratios) and max(ratios) < 1.2
    assert_page_is_true(page)


def test_every_other_control_by_key_and_by_mouse(show):
    page = show(softmax([2, -INF, 1], temperature=2))
    for label, name in (
        ("multiply all by √64 = 8", "times_eight"),
        ("add 100 to all", "plus_hundred"),
        ("subtract the largest first", "subtract_largest"),
    ):
        before = getattr(page.lab, name)
        page.press(label, 1, "Space", "switch")
        assert getattr(page.hear(), name) is not before
        assert_page_is_true(page)
    for label, name in (("multiply all by √64 = 8", "times_eight"), ("subtract the largest first", "subtract_largest")):
        before = getattr(page.lab, name)
        page.page.get_by_role("switch", name=label, exact=True).click()
        assert getattr(page.hear(), name) is not before
    page.press("All equal")
    assert (page.hear().logits, page.lab.masked) == ([0, 0, 0], [False] * 3)
    assert page.say().startswith("All 3 logits are equal: each gets the same share, 1/3 = 0.333.")
    page.type(0, "End")
    page.page.get_by_role("button", name="Start again").click()
    page.drawn()
    lab = page.hear()
    assert (lab.logits, lab.masked, lab.temperature) == ([2, 0, 1], [False, True, False], 2)
    assert (lab.times_eight, lab.plus_hundred, lab.subtract_largest) == (False, False, True)
    assert_page_is_true(page)
    # what was moved since is no part of the start
    page.type(0, "Home")
    page.press("Start again")
    assert page.hear().logits == [2, 0, 1]


def test_a_logit_looked_at_is_marked_by_more_than_a_colour(show):
    page = show(softmax())
    page.type(2)
    assert page.texts(".sm-name.sm-strong") == page.texts(".sm-head.sm-strong") == ["z2"]
    frame = page.page.locator(".sm-column").bounding_box()
    head = page.page.locator(".sm-head").nth(2).bounding_box()
    assert frame["x"] < head["x"] and head["x"] + head["width"] < frame["x"] + frame["width"]
    assert "Raise the s of z2" in page.say()
    page.type(2, "Enter")
    assert page.texts(".sm-note:not([display])") == ["masked"]


# -- how it looks ---------------------------------------------------------------------------------------------

BOXES = """() => {
    const svg = document.querySelector('.sm-picture svg').getBoundingClientRect();
    const look = (one) => ({
        text: one.textContent, kind: one.getAttribute('class') || '', ...one.getBoundingClientRect().toJSON(),
    });
    const visible = (css) => [...document.querySelectorAll(css)].map(look).filter((one) => one.width);
    const texts = visible('.sm-picture svg text');
    const shapes = visible('.sm-track, .sm-knob, .sm-logit, .sm-prob, .sm-entropy').filter((one) => one.width > 0);
    const cells = visible('.sm-cell');
    return {
        texts, shapes, cells, knobs: visible('.sm-knob'),
        cut: [...texts, ...shapes].filter((one) => one.left < svg.left - 1 || one.right > svg.right + 1
            || one.top < svg.top - 1 || one.bottom > svg.bottom + 1).map((one) => one.text),
        scrolls: document.querySelector('.ll-stage').scrollWidth > document.querySelector('.ll-stage').clientWidth,
        page: document.documentElement.scrollWidth <= innerWidth,
        height: document.querySelector('.ll-lab').getBoundingClientRect().height,
        picture: svg.height,
    };
}"""


WORDS = ["proceed", "any", "further", "hear me speak", " \n", "WWWWWWWW"]


@pytest.mark.parametrize("width", [1040, 920, 840, 640, 560])
@pytest.mark.parametrize(
    ("logits", "labels"), [((2, 1, 0, -1), None), (TEN, None), (TEN[:6], WORDS), (TEN, ODD), ((100, -100), None)]
)
def test_nothing_is_cut_or_overlaps_or_jumps(show, width, logits, labels):
    page = show(softmax(logits, labels), width=width)
    n, heights = len(logits), set()
    usual = {name: getattr(page.lab, name) for name in MOVED}
    for state in (
        {},
        {"logits": [page.lab.reach] * n, "times_eight": True, "temperature": 0.05, "plus_hundred": True},
        {"logits": [-page.lab.reach] * n, "times_eight": True, "temperature": 0.06, "plus_hundred": True},
        {"times_eight": True, "temperature": 0.05, "subtract_largest": False, "chosen": n - 1},
        {"temperature": 15.0, "masked": [True] + [False] * (n - 1)},
        {"masked": [True] * n, "times_eight": True, "temperature": 0.055, "plus_hundred": True},
        {"masked": [False] + [True] * (n - 1), "times_eight": True, "temperature": 0.055, "plus_hundred": True},
        {"masked": [False] * 2 + [True] * (n - 2), "times_eight": True, "temperature": 2.2, "plus_hundred": True},
    ):
        page.set(**(usual | state))
        seen = page.page.evaluate(BOXES)
        # long labels need more than the narrowest page has
        assert seen["cut"] == [] and seen["scrolls"] == (width == 560 and labels is not None)
        assert seen["page"]
        texts = seen["texts"]
        assert [(a["text"], b["text"]) for i, a in enumerate(texts) for b in texts[:i] if overlap(a, b, lower=2)] == []
        outside = [text for text in texts if "sm-note" not in text["kind"] and "sm-entry" not in text["kind"]]
        shapes = seen["shapes"] + seen["cells"]
        assert [(a["text"], b["kind"]) for a in outside for b in shapes if overlap(a, b, lower=2)] == []
        heights.add((seen["picture"], seen["height"]))
    assert len(heights) == 1, "what stands below the lab would jump"


def test_below_its_narrowest_the_picture_scrolls_and_the_page_does_not(show):
    page = show(softmax(TEN), width=400)
    seen = page.page.evaluate(BOXES)
    assert seen["cut"] == [] and seen["page"] and seen["scrolls"]
    # a drag counts from the picture, wherever it was scrolled to
    page.page.locator(".ll-stage").evaluate("stage => { stage.scrollLeft = 40; }")
    left, right, y = page.track(1)
    page.page.mouse.click((left + right) / 2, y)
    assert page.hear().logits[1] == pytest.approx(0, abs=0.2)


def test_labels_are_text_and_never_run(show):
    page = show(softmax([1, 2, 3], ["<b>x", "<img src=x>", "&amp;"]))
    assert page.texts(".sm-name") == page.texts(".sm-head") == ["<b>x", "<img␣src…", "&amp;"]
    assert page.page.locator(".ll-lab img, .ll-lab b").count() == 0
    assert "“\u2068&amp;\u2069” has the largest logit" in page.say()


def test_a_draw_moves_the_elements_it_has(show):
    page = show(softmax(TEN))
    page.page.evaluate("() => { window.before = [...document.querySelectorAll('.ll-stage :not(text, tspan)')]; }")
    page.type(3, "ArrowRight", "End", "Enter")
    page.set(temperature=0.05, plus_hundred=True)
    lost = "() => [before.length > 300, before.filter((one) => !one.isConnected).length]"
    assert page.page.evaluate(lost) == [True, 0]


def test_what_python_sets_is_drawn_and_a_disposed_lab_is_left_alone(show):
    page = show(softmax())
    page.set(logits=[0.0, 5.0, 0.0, 0.0], temperature=0.7, problem="planted")
    assert page.say().startswith("z1 has the largest logit, 5.0") and page.texts(".ll-problem") == ["planted"]
    page.set(problem="")
    assert_page_is_true(page)
    before = page.say()
    page.dispose()
    page.set(logits=[5.0, 0.0, 0.0, 0.0])
    page.handle(2).focus()
    page.page.keyboard.press("ArrowRight")
    page.drawn()
    assert page.say() == before and page.page.evaluate("() => model.get('logits')") == [5, 0, 0, 0]
