"""The aggregation lab: its weights and outputs against torch, in Python and in the page, and all that can be moved."""

import re
import warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traitlets import TraitError

from lesson_lib import averaging, labs, softmax
from lesson_lib.labs.aggregation import FARTHEST, LOGITS, MOST, NUMBERS, WAYS, aggregation
from lesson_lib.labs.tokens import label, short
from tests.lab_page import LabPage, overlap, shows

DEAR = [[4.0, 0.0], [2.0, 6.0], [0.0, 3.0], [6.0, 7.0]]
MEANS = [[4.0, 0.0], [3.0, 3.0], [2.0, 3.0], [3.0, 4.0]]
# markup, right to left, an emoji of three code points, a space, a combining mark, wide letters, a line end, a formula
ODD = ["<b>", "שלום", "👩\u200d🚀", " ", "e\u0301", "床前明月", "\n", "$x$"]
LONG = ["letters", "WWWWW", "hello", "iiiii", "of", "床床床", "🚀🚀🚀"]


def tables(low, high):
    """Return a strategy of lab arguments: T tokens, vectors, and two (T, T) tables."""
    number = st.floats(low, high, width=32)

    def of_size(T):
        def table(*limits):
            return st.lists(st.lists(st.floats(*limits, width=32), min_size=T, max_size=T), min_size=T, max_size=T)

        return st.fixed_dictionaries({
            "tokens": st.just("abcdefgh"[:T]),
            "x": st.lists(st.lists(number, min_size=2, max_size=2), min_size=T, max_size=T),
            "numbers": table(*NUMBERS),
            "logits": table(*LOGITS),
            "mask": st.booleans(),
            "way": st.sampled_from(WAYS[1:]),
            "row": st.integers(0, T - 1),
        })  # fmt: skip

    return st.integers(1, MOST).flatmap(of_size)


def truth(lab):
    """Return weights and outputs as torch and the lessons' own functions make them, from the lab's traits."""
    T = len(lab.labels)
    x = torch.tensor(lab.x, dtype=torch.double)[lab.order]
    mask = softmax.causal_mask(T) if lab.mask else torch.ones(T, T, dtype=torch.bool)
    if lab.way == "triangular":
        shares = torch.tensor(lab.numbers, dtype=torch.double) * mask
        weights = shares / shares.sum(dim=1, keepdim=True) if lab.divide else shares
    else:
        logits = torch.tensor(lab.logits, dtype=torch.double).masked_fill(~mask, -torch.inf)
        weights = torch.softmax(logits, dim=1) if lab.divide else logits.exp()
    return weights.numpy(), (weights @ x).numpy()


# -- the lab in Python --------------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_all_three_ways_begin_with_the_average_of_the_past(way):
    lab = aggregation(way=way)
    assert lab.x == DEAR and lab.outputs().tolist() == pytest.approx(np.array(MEANS))
    loop = averaging.average_with_loop(torch.tensor([DEAR], dtype=torch.double))[0]
    assert np.allclose(lab.outputs(), loop)
    assert np.allclose(lab.weights(), averaging.averaging_weights(4, torch.double))


@settings(max_examples=60)
@given(tables(-100, 100), st.booleans())
def test_weights_and_outputs_are_torchs(arguments, divide):
    lab = aggregation(**arguments)
    lab.divide = divide
    weights, out = truth(lab)
    assert np.allclose(lab.weights(), weights, equal_nan=True) and np.allclose(lab.outputs(), out, equal_nan=True)


def test_a_row_that_sums_to_0_has_no_weights():
    lab = aggregation(numbers=[[1] * 4, [0, 0, 1, 1], [1] * 4, [1] * 4])
    assert np.isnan(lab.weights()).any(axis=1).tolist() == [False, True, False, False]
    assert np.isnan(lab.outputs()[1]).all() and "The sum of row 1 is 0" not in lab.still().alt
    lab.row = 1
    assert "The sum of row 1 is 0: it has no output." in lab.still().alt


def test_the_loop_finishes_one_row_after_the_other():
    lab = aggregation(way="loop")
    done = []
    for step in range(11):
        lab.step = step
        done.append(int((~np.isnan(lab.outputs()).any(axis=1)).sum()))
    assert done == [0, 1, 1, 2, 2, 2, 3, 3, 3, 3, 4]
    places = []
    for step in range(11):
        lab.step = step
        places.append(lab._at_work())
    assert places == [(-1, -1)] + [(t, i) for t in range(4) for i in range(t + 1)]


def test_equal_tokens_have_equal_vectors_and_anagrams_the_same_end():
    ends = [labs.aggregation(word).outputs()[-1].tolist() for word in ("dear", "dare", "read")]
    assert np.allclose(ends, [3, 4])
    lab = aggregation("sequence")
    s, e, q, u, e2, n, c, e3 = map(tuple, lab.x)
    assert e == e2 == e3 == (2, 6) and len({s, e, q, u, n, c}) == 6
    assert all(value in range(8) for vector in lab.x for value in vector)
    assert aggregation("sequence").x == lab.x != aggregation("sequence", seed=2).x
    assert len(aggregation(ODD).x) == 8 and aggregation("\ud800").labels == ["D800"]


@pytest.mark.parametrize("x", [DEAR, np.array(DEAR), torch.tensor(DEAR, requires_grad=True), tuple(map(tuple, DEAR))])
def test_vectors_may_be_lists_arrays_or_tensors(x):
    assert aggregation("wxyz", x).x == DEAR


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"tokens": ""}, ValueError, "1 to 8 tokens, and these are 0"),
        ({"tokens": "nine toks"}, ValueError, "these are 9"),
        ({"tokens": ["a", ""]}, ValueError, "token 1 is an empty string"),
        ({"tokens": ["a", 3]}, TypeError, "a list of strings, and this is a int"),
        ({"tokens": 7}, TypeError, "this is a int"),
        ({"x": [[1, 2]]}, ValueError, r"x must be of the shape \(4, 2\), and it is of the shape \(1, 2\)"),
        ({"x": "dear"}, TypeError, "x must be a table of numbers"),
        ({"x": [[1, 2], [3]] * 2}, TypeError, "a list that cannot be read"),
        ({"x": [[1, np.nan]] * 4}, ValueError, "one of them is nan"),
        ({"x": [[1, 2 * FARTHEST]] * 4}, ValueError, "from -1,000,000 to 1,000,000, and one of them is 2e"),
        ({"numbers": np.full((4, 4), -1)}, ValueError, "numbers must hold numbers from 0 to 4, and one of them is -1"),
        ({"logits": np.full((4, 4), -np.inf)}, ValueError, "logits must hold numbers from -4 to 4"),
        ({"logits": np.zeros((3, 4))}, ValueError, r"\(4, 4\), and it is of the shape \(3, 4\)"),
        ({"way": "magic"}, TraitError, "way"),
        ({"row": 4}, TraitError, "row must be from 0 to 3 where there are 4 tokens: it is 4"),
        ({"step": 11}, TraitError, "step must be from 0 to 10"),
    ],
    ids=str,
)
def test_bad_arguments_raise_in_the_cell(arguments, error, words):
    with pytest.raises(error, match=words):
        aggregation(**arguments)


def test_bad_values_are_refused_later_too():
    lab = aggregation()
    for name, value in (("order", [0, 0, 1, 2]), ("column", 4), ("row", -1)):
        with pytest.raises(TraitError):
            setattr(lab, name, value)
    with pytest.raises(ValueError, match="numbers must"):
        lab.numbers = [[9] * 4] * 4
    lab.set_state({"step": 50})
    assert "step must be from 0 to 10" in lab.problem and lab.step == 10
    lab.set_state({"step": 3})
    assert lab.problem == "" and lab.step == 3


@pytest.mark.parametrize(
    ("token", "shown"),
    [("a", "a"), ("<b>", "<b>"), ("hello", "hello"), ("letters", "lette…"), ("床前明月", "床前…"), (" ", "␣"),
     ("e\u0301", "e◌\u0301"), ("\u200d", "200D"), ("👩\u200d🚀", "👩…"), ("a\nb", "a⏎b")],
)  # fmt: skip
def test_a_label_fits_into_a_cell(token, shown):
    assert label(token) == shown


def test_the_still_picture_follows_the_state():
    lab = aggregation()
    assert "out[2] = 0.33 · \u2068d\u2069 + 0.33 · \u2068e\u2069 + 0.33 · \u2068a\u2069 = (2, 3)." in lab.still().alt
    seen = {lab.still().data}
    table = [[1.0, 0, 0, 0], [1, 1, 0, 0], [4, 1, 1, 0], [1, 1, 1, 1]]
    moves = [("row", 3), ("column", 1), ("mask", False), ("divide", False), ("numbers", table), ("order", [1, 0, 2, 3])]
    moves += [("way", "softmax"), ("logits", table), ("way", "loop"), ("step", 5), ("step", 0)]
    for name, value in moves:
        setattr(lab, name, value)
        seen.add(lab.still().data)
    assert len(seen) == 1 + len(moves)
    assert "There is no output yet." in lab.still().alt and "0 of 10 additions" in lab.still().alt
    lab.step = 5
    assert "The sum of row 2 is not complete." in lab.still().alt


def test_the_still_picture_shows_any_token_and_harms_no_page():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a glyph that is missing
        html = aggregation(ODD)._repr_mimebundle_()[0]["text/html"]
        for T in range(1, MOST + 1):
            assert aggregation(ODD[:T], way="softmax").still().mime == "image/png"
    assert "<b>" not in html and len(html) < 110_000


# -- the page: the lab's own JavaScript in a browser, with a stand-in for the widget's model -------------------

TRAITS = ("title", "problem", "labels", "names", "legend", "x", "order", "way", "numbers", "logits", "mask", "divide",
          "row", "column", "step", "shuffles")  # fmt: skip

SEEN = """() => {
    const text = (css) => (cell) => cell.querySelector(css).textContent;
    const rows = (cells, width) => cells.reduce((found, cell, i) =>
        (i % width ? found.at(-1).push(cell) : found.push([cell]), found), []);
    const weights = [...document.querySelectorAll('.ag-weight')];
    const size = Math.sqrt(weights.length);
    const data = [...document.querySelectorAll('.ag-data')].map(text('.ag-big'));
    return {
        weights: rows(weights.map(text('.ag-big')), size), numbers: rows(weights.map(text('.ag-small')), size),
        off: rows(weights.map((cell) => cell.classList.contains('ag-off')), size),
        x: rows(data.slice(0, 2 * size), 2), out: rows(data.slice(2 * size), 2),
        lines: document.querySelectorAll('.ag-lines line').length,
    };
}"""
# what the page computes, unrounded
COMPUTE = "([code, state]) => new Function(code)()(state)"


class AggregationPage(LabPage):
    traits = TRAITS
    height = 1300

    def seen(self):
        return self.page.evaluate(SEEN)

    def cell(self, t, i):
        return self.page.locator(f".ag-weight[data-t='{t}'][data-i='{i}']")

    def choose(self, way):
        self.page.get_by_role("combobox", name="way").select_option(way)
        self.drawn()


show = shows(AggregationPage)


@pytest.fixture(scope="module")
def compute(browser):
    """What the page makes of a state: a function from a lab to weights and outputs, nan where there are none."""
    code = re.sub(r"export default .*", "return aggregate;", aggregation()._esm)
    page = browser.new_page()

    def from_lab(lab):
        state = {name: getattr(lab, name) for name in ("way", "numbers", "logits", "mask", "divide", "step")}
        state["x"] = [lab.x[k] for k in lab.order]
        rows = page.evaluate(COMPUTE, [code, state])["rows"]
        T = len(rows)
        return [np.array([row[key] or [np.nan] * n for row in rows]) for key, n in (("weights", T), ("out", 2))]

    yield from_lab
    page.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tables(-1000, 1000), st.booleans(), st.randoms())
def test_the_page_computes_what_torch_does(compute, arguments, divide, random):
    lab = aggregation(**arguments)
    lab.divide = divide
    order = list(lab.order)
    random.shuffle(order)
    lab.order = order
    weights, out = compute(lab)
    expected = truth(lab)
    assert np.allclose(weights, expected[0], equal_nan=True, rtol=1e-9)
    assert np.allclose(out, expected[1], equal_nan=True, rtol=1e-9)
    assert np.allclose(weights, lab.weights(), equal_nan=True) and np.allclose(out, lab.outputs(), equal_nan=True)


@pytest.mark.parametrize("word", ["d", "de", "dear", "sequence"])
def test_the_loop_in_the_page_is_where_pythons_is(compute, word):
    lab = aggregation(word, way="loop")
    for step in range(lab.step + 1):
        lab.step = step
        weights, out = compute(lab)
        assert np.allclose(weights, lab.weights(), equal_nan=True) and np.allclose(out, lab.outputs(), equal_nan=True)


def test_the_page_shows_the_three_matrices(show):
    page = show(aggregation())
    seen = page.seen()
    assert seen["x"] == [["4", "0"], ["2", "6"], ["0", "3"], ["6", "7"]]
    assert seen["out"] == [["4", "0"], ["3", "3"], ["2", "3"], ["3", "4"]]
    shares = [["1", "0", "0", "0"], ["0.5", "0.5", "0", "0"], ["0.33", "0.33", "0.33", "0"], ["0.25"] * 4]
    assert seen["weights"] == shares
    assert seen["off"] == [[i > t for i in range(4)] for t in range(4)] and seen["lines"] == 3
    assert page.say() == (
        "out[2] = 1/3 · \u2068d\u2069 + 1/3 · \u2068e\u2069 + 1/3 · \u2068a\u2069 = 1/3 · (4, 0) + 1/3 · (2, 6) + "
        "1/3 · (0, 3) = (2, 3). Row 2 gives \u2068r\u2069, which comes later, nothing. "
        "It is the plain average of the past: all three ways make these numbers."
    )


def test_all_three_ways_show_the_same_weights_and_outputs(show):
    page = show(aggregation())
    found = {}
    for way in WAYS:
        page.choose(way)
        seen = page.seen()
        found[way] = (seen["out"], [[weight or "0" for weight in row] for row in seen["weights"]])
        sums = [text for text in page.texts(".ll-stage svg > g:nth-of-type(2) text") if text.startswith("÷")]
        assert sums == ["÷ 1", "÷ 2", "÷ 3", "÷ 4"]
    assert found["loop"] == found["triangular"] == found["softmax"]
    assert page.seen()["numbers"][1] == ["0", "0", "−∞", "−∞"]


SUM = re.compile(r"^out\[(\d+)\] = (.*?) (=|≈) \((\S+), (\S+)\)\.")


@pytest.mark.parametrize("way", WAYS[1:])
@pytest.mark.parametrize("mask", [True, False])
@pytest.mark.parametrize("divide", [True, False])
def test_the_sentence_is_true(show, way, mask, divide):
    random = np.random.default_rng(5)
    lab = aggregation()
    page = show(lab)
    for _ in range(3):
        state = {
            "numbers": (random.integers(0, 5, (4, 4)) * (random.random((4, 4)) < 0.7)).astype(float).tolist(),
            "logits": (random.integers(-8, 9, (4, 4)) / 2).tolist(),
            "way": way,
            "mask": mask,
            "divide": divide,
        }
        for name, value in state.items():
            setattr(lab, name, value)
        page.set(**state)
        for t in range(4):
            page.set(row=t)
            check_sentence(page.say(), lab, t)


def check_sentence(said, lab, t):
    weights, out = (found[t] for found in truth(lab))
    names = [lab.names[k] for k in lab.order]
    if np.isnan(out).any():
        assert said.startswith(f"Row {t} sums to 0: there is nothing to share")
        return
    if not weights.any():
        assert said.startswith(f"out[{t}] = (0, 0): nothing is taken from any token.")
    else:
        row, terms, _, *result = SUM.match(said).groups()
        assert int(row) == t
        letters = re.findall(r"(\S+) · (\S*[a-z]\S*)", terms)
        assert [name for _, name in letters] == [name for name, weight in zip(names, weights) if weight > 0]
        spoken = [float(eval(text.replace("−", "-"))) for text, _ in letters]  # 1/3 or 0.33
        assert spoken == pytest.approx(weights[weights > 0], abs=0.0051)
        assert [float(text.replace("−", "-")) for text in result] == pytest.approx(out, abs=0.0051)
    future = weights[t + 1 :]
    assert ("looks into the future" in said) == bool(future.any())
    for i in np.nonzero(future)[0]:
        assert re.search(rf"[\d.]+ from {names[t + 1 + i]}", said)
    assert ("later, nothing" in said) == (lab.mask and t < 3)
    assert ("It takes nothing from" in said) == bool((weights[: t + 1] == 0).any())
    assert ("Without the division" in said) == (not lab.divide)
    plain = lab.divide and np.allclose(weights, [1 / (t + 1)] * (t + 1) + [0] * (3 - t))
    assert ("plain average of the past" in said) == plain


def test_an_almost_zero_weight_is_not_called_zero(show):
    logits = [[0.0] * 4] * 3 + [[-4.0, 4, -4, -4]]
    page = show(aggregation(way="softmax", logits=logits, row=3))
    assert page.seen()["weights"][3] == ["0.00", "1.00", "0.00", "0.00"]
    assert "0.0003 · \u2068d\u2069 + 1.00 · \u2068e\u2069" in page.say() and " ≈ (" in page.say()
    assert "takes nothing" not in page.say()


# -- what can be done ---------------------------------------------------------------------------------


def test_the_keyboard_moves_among_the_cells_and_changes_them(show):
    page = show(aggregation())
    page.cell(2, 0).focus()
    page.keys("ArrowRight", "ArrowUp")
    assert (page.get("row"), page.get("column")) == (1, 1)
    assert page.page.evaluate("() => document.activeElement.getAttribute('aria-label')").startswith("row 1")
    page.keys("+", "=", "PageUp")
    assert page.get("numbers")[1] == [1, 3, 1, 1] and page.seen()["weights"][1][:2] == ["0.25", "0.75"]
    page.keys("-", "PageDown")
    assert page.get("numbers")[1][1] == 1.5
    page.keys("2")
    assert page.get("numbers")[1][1] == 2
    page.keys("9", "+")
    assert page.get("numbers")[1][1] == 4
    page.keys("Home", "End", "+")  # the mask is over the last one
    assert page.get("column") == 3 and page.get("numbers")[1] == [1, 4, 1, 1]
    assert page.page.evaluate("() => document.activeElement.getAttribute('aria-readonly')") == "true"
    page.keys("ArrowUp", "ArrowUp", "ArrowRight")
    assert (page.get("row"), page.get("column")) == (0, 3)
    tabs = page.page.locator(".ag-weight[tabindex='0']")
    assert tabs.count() == 1 and tabs.get_attribute("data-i") == "3"


def test_logits_go_below_zero(show):
    page = show(aggregation(way="softmax"))
    page.cell(2, 0).focus()
    page.keys("-", "PageDown")
    assert page.get("logits")[2] == [-1.5, 0, 0, 0] and page.get("numbers") == [[1] * 4] * 4
    assert page.seen()["numbers"][2] == ["−1.5", "0", "0", "−∞"]
    page.keys("PageDown", "PageDown", "PageDown")
    assert page.get("logits")[2][0] == -4
    weights = torch.softmax(torch.tensor([-4.0, 0, 0]), dim=0).tolist()
    assert page.seen()["weights"][2] == [f"{weight:.2f}" for weight in weights] + ["0"]


def test_a_drag_changes_a_cell_and_what_is_masked_stays(show):
    page = show(aggregation())

    def drag(t, i, by):
        box = page.cell(t, i).bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.page.mouse.move(x, y)
        page.page.mouse.down()
        page.page.mouse.move(x, y + by / 2)
        page.page.mouse.move(x, y + by)
        page.page.mouse.up()
        page.drawn()

    drag(3, 1, -36)
    assert page.get("numbers")[3] == [1, 3, 1, 1] and (page.get("row"), page.get("column")) == (3, 1)
    drag(3, 1, 500)
    assert page.get("numbers")[3] == [1, 0, 1, 1] and "takes nothing from \u2068e\u2069" in page.say()
    drag(0, 2, -40)
    assert page.get("numbers")[0] == [1] * 4 and (page.get("row"), page.get("column")) == (0, 2)
    assert page.page.get_by_role("slider", name="number [0, 2]").is_disabled()
    page.press("mask the future", key="Space", role="switch")
    drag(0, 2, -18)
    assert page.get("numbers")[0] == [1, 1, 2, 1] and "looks into the future" in page.say()
    touch = "css => getComputedStyle(document.querySelector(css)).touchAction"
    assert page.page.evaluate(touch, ".ag-edit") == "none"


def test_the_slider_edits_the_chosen_cell(show):
    page = show(aggregation(row=1))
    slider = page.page.locator("input[type=range]").first
    assert slider.get_attribute("aria-label") == "number [1, 0]"
    slider.focus()
    page.keys("ArrowRight", "End")
    assert page.get("numbers")[1] == [4, 1, 1, 1] and slider.get_attribute("aria-valuetext") == "4, weight 0.8"
    page.keys("Home")
    assert page.seen()["out"][1] == ["2", "6"]
    page.choose("softmax")
    assert slider.get_attribute("aria-label") == "logit [1, 0]" and slider.get_attribute("min") == "-4"
    page.keys("Tab")
    slider.focus()
    page.keys("Home")
    assert page.get("logits")[1] == [-4, 0, 0, 0] and page.get("numbers")[1] == [0, 1, 1, 1]
    page.choose("loop")
    assert slider.get_attribute("aria-label") == "additions" and slider.get_attribute("aria-valuetext") == "10 of 10"
    slider.focus()
    page.keys("ArrowLeft")
    assert page.get("step") == 9 and page.get("logits")[1] == [-4, 0, 0, 0]


def test_the_pointer_looks_and_a_click_chooses(show):
    page = show(aggregation())
    outputs, points = page.page.locator(".ag-row"), page.page.locator(".ag-dot")
    outputs.nth(0).hover()
    page.drawn()
    assert page.say().startswith("out[0] = 1 · ") and page.get("row") == 2
    page.cell(3, 1).hover()
    page.drawn()
    assert page.say().startswith("out[3]")
    points.nth(1).hover()
    page.drawn()
    assert page.say().startswith("out[1]")
    page.page.mouse.move(5, 5)
    page.drawn()
    assert page.say().startswith("out[2]") and page.get("row") == 2
    for target, row in ((outputs.nth(0), 0), (points.nth(3), 3), (page.cell(1, 0), 1)):
        target.click()
        page.page.mouse.move(5, 5)
        page.drawn()
        assert page.get("row") == row and page.say().startswith(f"out[{row}]")
    outputs.nth(1).focus()
    page.keys("ArrowDown", "ArrowDown", "ArrowDown")
    assert page.get("row") == 3
    assert page.page.evaluate("() => document.activeElement.dataset.out") == "3"


def test_a_row_without_a_sum_is_explained_and_can_be_mended(show):
    page = show(aggregation())
    page.cell(0, 0).click()
    page.keys("0")
    assert page.say().startswith("Row 0 sums to 0: there is nothing to share")
    assert page.seen()["out"][0] == ["–", "–"] and "NaN" not in page.page.content()
    assert page.page.locator(".ag-target").evaluate("it => getComputedStyle(it).display") == "none"
    page.keys("+")
    assert page.seen()["out"][0] == ["4", "0"]


def test_the_presets(show):
    page = show(aggregation(row=3))
    page.press("Own token only")
    assert page.seen()["out"] == page.seen()["x"]
    page.press("Last two")
    assert page.seen()["out"] == [["4", "0"], ["3", "3"], ["1", "4.5"], ["3", "5"]]
    page.choose("softmax")
    assert page.seen()["weights"][3] == ["0.00", "0.00", "0.50", "0.50"]  # a softmax never gives exactly 0
    page.press("divide each row by its sum", key="Space", role="switch")
    page.press("Average again")
    assert page.get("divide") and page.seen()["out"] == [["4", "0"], ["3", "3"], ["2", "3"], ["3", "4"]]
    page.choose("triangular")
    assert page.seen()["out"] == [["4", "0"], ["3", "3"], ["2", "3"], ["3", "4"]]


def test_shuffling_the_past_moves_the_last_output_only_where_the_weights_are_uneven(show):
    page = show(aggregation())
    orders = [page.get("order")]
    for _ in range(8):
        page.press("Shuffle the past")
        orders.append(page.get("order"))
        assert page.seen()["out"][3] == ["3", "4"] and page.get("row") == 3
        if orders[-1] != [0, 1, 2, 3]:
            assert "The past is shuffled, and this output is what it was before" in page.say()
    assert all(a != b for a, b in zip(orders, orders[1:])) and len(set(map(tuple, orders))) >= 4
    assert all(sorted(order) == [0, 1, 2, 3] and order[3] == 3 for order in orders)
    if orders[-1] == [0, 1, 2, 3]:
        page.press("Shuffle the past")
    page.cell(3, 0).click()
    page.keys("4")
    ends = set()
    for _ in range(6):
        page.press("Shuffle the past")
        ends.add(tuple(page.seen()["out"][3]))
        assert page.get("order") == [0, 1, 2, 3] or "here the order matters" in page.say()
    assert len(ends) >= 2
    page.press("Average again")
    assert page.get("order") == [0, 1, 2, 3]
    assert show(aggregation("de")).page.get_by_role("button", name="Shuffle the past").is_disabled()


# -- the loop -----------------------------------------------------------------------------------------


def test_the_loop_says_each_addition(show):
    page = show(aggregation(way="loop", step=0))
    assert page.say().startswith("No addition yet, 10 to come") and page.seen()["out"] == [["", ""]] * 4
    slider = page.page.get_by_role("slider", name="additions")
    total, step = np.zeros(2), 0
    for t in range(4):
        total[:] = 0
        for i in range(t + 1):
            slider.press("ArrowRight")
            page.drawn()
            step += 1
            total += DEAR[i]
            said, seen = page.say(), page.seen()
            assert said.startswith(f"Addition {step} of 10, t = {t}, i = {i}: the sum takes in ")
            assert f" = ({total[0]:g}, {total[1]:g})." in said
            last = i == t
            assert (f"divided by {t + 1}, it is out[{t}] = ({MEANS[t][0]:g}, {MEANS[t][1]:g})" in said) == last
            shown = MEANS[t] if last else total
            assert seen["out"] == [[f"{v:g}" for v in mean] for mean in MEANS[:t]] + [[f"{v:g}" for v in shown]] + [
                ["", ""]
            ] * (3 - t)
            assert seen["weights"][t][: i + 1] == ([short(1 / (t + 1))] if last else ["+"]) * (i + 1)
            assert seen["lines"] == i + 1
    assert "All 4 averages took 10 additions and 4 divisions, one after the other." in page.say()


def test_the_loop_by_keys_and_by_pointer(show):
    page = show(aggregation(way="loop"))
    assert not page.page.locator(".ag-edit").count()
    page.cell(3, 3).focus()
    page.keys("ArrowLeft", "ArrowLeft")
    assert page.get("step") == 8
    page.keys("ArrowUp", "ArrowRight", "ArrowRight")  # (2, 1), (2, 2), and over the end of the row
    assert page.get("step") == 7 and page.page.evaluate("() => document.activeElement.dataset.t") == "3"
    page.keys("+", "3")
    assert page.get("numbers") == [[1] * 4] * 4
    page.cell(1, 0).click()
    page.page.mouse.move(5, 5)
    page.drawn()
    assert page.get("step") == 2
    page.page.locator(".ag-row").nth(0).hover()
    page.drawn()
    assert page.say().startswith("out[0] = 1 · ")
    page.page.locator(".ag-row").nth(3).hover()  # not there yet
    page.drawn()
    assert page.say().startswith("Addition 2 of 10")
    page.page.locator(".ag-row").nth(3).click()
    page.drawn()
    assert page.get("step") == 10


def test_play_goes_on_and_stops(show):
    page = show(aggregation(way="loop"))
    page.page.clock.install()
    page.press("Play")
    assert page.get("step") == 1 and page.page.get_by_role("button", name="Pause").count()
    page.page.wait_for_function("() => model.get('step') >= 3", timeout=6000)
    page.press("Pause")
    step = page.get("step")
    page.page.clock.fast_forward(1100)
    assert page.get("step") == step and page.page.get_by_role("button", name="Play").count()
    page.set(step=9)
    page.press("Play")
    assert page.get("step") == 10 and page.page.get_by_role("button", name="Play").count()
    page.press("Play")
    page.choose("softmax")
    page.page.clock.fast_forward(1100)
    assert page.get("step") == 1


def test_a_lab_that_is_taken_away_plays_no_more(show):
    page = show(aggregation(way="loop"))
    page.page.clock.install()
    page.press("Play")
    page.dispose()
    page.page.clock.fast_forward(1100)
    assert page.get("step") == 1
    draws = page.page.locator(".ll-lab").get_attribute("data-draws")
    page.set(step=4)
    assert page.page.locator(".ll-lab").get_attribute("data-draws") == draws


# -- looks ---------------------------------------------------------------------------------------------


def test_any_token_is_text(show):
    page = show(aggregation(ODD, way="softmax"))
    assert page.page.locator(".ll-lab b b, .ll-stage svg b, .ll-sentence b").count() == 0
    labels = aggregation(ODD).labels
    columns = page.texts(".ll-stage svg > g:nth-of-type(2) text.ag-token")
    assert columns == [label for label in labels for _ in range(3)]
    page.set(row=7)
    assert "“\u2068<b>\u2069” + " in page.say() and "“\u2068$x$\u2069”" in page.say()
    legend = page.page.locator(".ag-legend").inner_text()
    assert "newline" in legend and "a sign that joins" in legend


BOXES = """() => {
    const svg = document.querySelector('.ll-stage svg').getBoundingClientRect();
    const box = (element) => ({ text: element.textContent, ...element.getBoundingClientRect().toJSON() });
    const words = (root) => [...root.querySelectorAll('svg text')].filter((one) => one.textContent.trim());
    const all = words(document.querySelector('.ll-stage'));
    const inside = [...document.querySelectorAll('.ag-cell')].flatMap((cell) => {
        const base = box(cell.querySelector('.ag-base'));
        return [...cell.querySelectorAll('text')].filter((one) => one.textContent).map((one) => [base, box(one)]);
    });
    const out = (a, b) => a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1;
    const stage = document.querySelector('.ll-stage');
    return {
        texts: all.map(box),
        cut: all.map(box).filter((one) => out(one, svg)),
        wide: inside.filter(([cell, one]) => one.left < cell.left - 1 || one.right > cell.right + 1),
        smallest: Math.min(...all.map((one) => parseFloat(getComputedStyle(one).fontSize))),
        overflow: document.documentElement.scrollWidth - innerWidth,
        scroll: stage.scrollWidth - stage.clientWidth,
        height: document.querySelector('.ll-lab').getBoundingClientRect().height,
    };
}"""


@pytest.mark.parametrize("tokens", ["d", "dear", "sequence", LONG, ODD], ids=["1", "4", "8", "long", "odd"])
@pytest.mark.parametrize("width", [1280, 1000, 860, 800, 600])
def test_nothing_is_cut_or_overlaps_or_jumps(show, tokens, width):
    lab = aggregation(tokens)
    T, random = len(lab.labels), np.random.default_rng(1)
    page = show(lab, width=width)
    heights = set()
    for way in WAYS:
        for mask, divide, step in ((True, True, T), (False, True, T - 1), (True, False, 0), (False, False, 1)):
            numbers, logits = random.integers(0, 9, (T, T)) / 2, random.integers(-8, 9, (T, T)) / 2
            page.set(
                way=way, mask=mask, divide=divide, step=step, row=T - 1 if divide else 0,
                numbers=numbers.tolist(), logits=logits.tolist(),
            )  # fmt: skip
            seen = page.page.evaluate(BOXES)
            assert seen["cut"] == [] and seen["wide"] == [] and seen["overflow"] <= 0 and seen["scroll"] <= 0
            assert seen["smallest"] >= 8.4
            texts = seen["texts"]
            assert [(a["text"], b["text"]) for n, a in enumerate(texts) for b in texts[:n] if overlap(a, b)] == []
            heights.add(seen["height"])
    # with many long tokens a sentence can need more lines than there is room for; else nothing below the lab moves
    assert max(heights) - min(heights) <= (60 if T > 5 else 0)


FAR = [[1e6, -1e6], [0, 0], [1e-7, 3], [-999999, 5]]


@pytest.mark.parametrize("x", [FAR, [[5, 5]] * 4, [[0, 0]] * 4, [[-1.234, 100.5]] * 4], ids=str)
def test_extreme_vectors_are_drawn(show, x):
    page = show(aggregation(x=x, row=3))
    for divide in True, False:
        page.set(divide=divide)
        seen = page.page.evaluate(BOXES)
        assert seen["cut"] == [] and seen["wide"] == []
    assert "NaN" not in page.page.content() and "Infinity" not in page.page.content()


def test_an_output_outside_is_an_arrow_at_the_edge(show):
    page = show(aggregation(row=3))
    target = page.page.locator(".ag-target")
    assert "ag-away" not in target.get_attribute("class")
    page.set(divide=False)
    assert "ag-away" in target.get_attribute("class")
    box, paper = target.bounding_box(), page.page.locator(".ll-paper").bounding_box()
    assert box["x"] + box["width"] <= paper["x"] + paper["width"] + 3 and box["y"] >= paper["y"] - 3


def test_lines_are_as_wide_as_the_weights(show):
    page = show(aggregation(numbers=[[1] * 4] * 3 + [[0, 1, 1, 2]], row=3))
    widths = page.page.evaluate(
        "() => [...document.querySelectorAll('.ag-lines line')].map(line => +line.getAttribute('stroke-width'))"
    )
    one, same, double = widths
    assert one == same and double - 0.8 == pytest.approx(2 * (one - 0.8), abs=0.02)


def test_a_drawing_moves_the_elements_it_has(show):
    page = show(aggregation("sequence", way="softmax"))
    took = page.drawing_times(
        60,
        """
        const logits = model.get('logits').map((row) => row.map((_, i) => ((n + i) % 17) / 2 - 4));
        model.set('logits', logits);
    """,
    )
    # 64 cells that all change, each time
    assert len(took) >= 60 and page.made == 0
