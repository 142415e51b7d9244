"""The derivative lab, the formulas it reads, and the base that all labs share."""

import json
import math
import re
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from traitlets import Int, TraitError, observe

from lesson_lib import draw, labs
from lesson_lib.labs import base, expression
from lesson_lib.labs.base import Lab, style
from lesson_lib.labs.expression import FUNCTIONS, LONGEST, ExpressionError, parse
from tests.lab_page import LabPage

FOLDER = Path(labs.__file__).parent
SCRIPTS = sorted(FOLDER.glob("*.js"))

# -- formulas against Python's and torch's own ------------------------------------------------------

leaves = st.sampled_from(["x", "x", "x", "pi", "e", "0", "1", "2", "3.5", "1e-3", ".5", "2e1"])


def _grow(inner):
    return st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", " + ", " - "]), inner).map("({0[0]}{0[1]}{0[2]})".format),
        st.tuples(inner, st.sampled_from(["2", "3", "-1", "0.5", "0", "x"])).map("({0[0]})**{0[1]}".format),
        st.tuples(st.sampled_from(FUNCTIONS), inner).map("{0[0]}({0[1]})".format),
        inner.map("(-{})".format),
        st.tuples(inner, inner, inner).map("({0[0]} - {0[1]}*{0[2]}**2)".format),
    )


formulas = st.recursive(leaves, _grow, max_leaves=12).filter(lambda text: len(text) <= LONGEST)
places = st.floats(-4, 4).map(lambda x: round(x, 3))

PYTHON = {name: getattr(math, name) for name in ("cos", "exp", "log", "sin", "sqrt", "tan", "tanh", "pi", "e")} | {
    "abs": math.fabs,  # which refuses a complex number, as all the others do
    "relu": lambda u: u if u > 0 else 0.0,
    "sigmoid": lambda u: 1 / (1 + math.exp(-u)),
    "__builtins__": {},
}


@settings(max_examples=500)
@given(formulas, places)
def test_a_formula_has_the_value_that_python_gives_it(text, x):
    try:
        expected = eval(text, {**PYTHON, "x": x})
        expected = math.nan if isinstance(expected, complex) else float(expected)
    except (ZeroDivisionError, ValueError, TypeError):
        expected = math.nan  # a pole, a log or root of a negative number, a function of a complex number
    except OverflowError:
        assume(False)
    found = parse(text)(x)
    if not math.isfinite(expected):
        assert not math.isfinite(found)
    else:
        assert found == pytest.approx(expected, rel=1e-12, abs=1e-300)


@settings(max_examples=300)
@given(formulas, places)
def test_a_slope_is_the_one_that_torch_finds(text, x):
    import torch

    def of_tensor(f):
        return lambda u: f(torch.as_tensor(u, dtype=torch.float64))

    names = {name: of_tensor(getattr(torch, name)) for name in FUNCTIONS}
    at = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    try:
        value = eval(text, {**names, "pi": math.pi, "e": math.e, "__builtins__": {}, "x": at})
    except (ArithmeticError, TypeError, RuntimeError):
        assume(False)  # constants alone, which Python computes: a pole, or a complex number
    assume(isinstance(value, torch.Tensor) and value.requires_grad and not value.is_complex())
    assume(math.isfinite(value.detach()))
    (expected,) = torch.autograd.grad(value, at, allow_unused=True)
    expected = 0.0 if expected is None else float(expected)
    found = parse(text).slope(x)
    # where we see a kink, torch picks one side
    assume(math.isfinite(expected) and not math.isnan(found))
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "x", "value", "slope"),
    [
        ("3*x**2 - 4*x + 5", 2 / 3, 3 + 2 / 3, 0),
        ("abs(x)", 0, 0, math.nan),  # a kink
        ("abs(x)", -2, 2, -1),
        ("abs(x)**2", 0, 0, 0),  # no kink: both sides agree
        ("relu(x)", 0, 0, math.nan),
        ("relu(x) - relu(-x)", 0, 0, 1),
        ("sqrt(x)", 0, 0, math.inf),
        ("1/x", 0, math.nan, math.nan),
        ("1/(1/x)", 0, math.nan, math.nan),
        ("(1/x)**0", 0, math.nan, math.nan),
        ("log(x)", -1, math.nan, math.nan),
        ("exp(x)", 1000, math.inf, math.nan),
        ("tanh(1000*x)", 1, 1, 0),
        ("sigmoid(-1000*x)", 1, 0, 0),
        ("x**x", 2, 4, 4 * (1 + math.log(2))),
        ("-x**2", 3, -9, -6),
        ("2**-x", 1, 0.5, -0.5 * math.log(2)),
        ("1_000*x", 2, 2000, 1000),
    ],
)
def test_values_and_slopes_that_are_known(text, x, value, slope):
    f = parse(text)
    assert f(float(x)) == pytest.approx(value, nan_ok=True)
    assert f.slope(float(x)) == pytest.approx(slope, abs=1e-12, nan_ok=True)


# -- formulas that cannot be read -------------------------------------------------------------------

ATTACKS = [
    '__import__("os").system("ls")',
    "x.__class__",
    "().__class__.__bases__[0].__subclasses__()",
    "lambda x: x",
    "(lambda: 1)()",
    "[x for x in range(10**9)]",
    "open('notes.txt')",
    "eval('1')",
    "exec",
    "exp.__globals__",
    "f'{x}'",
    "x if x else x",
    "x := 2",
    "sin(*x)",
    "sin(x=1)",
    "abs(x, x)",
    "abs(x, **x)",
    "True",
    "'x' * 10**9",
    "2 << 10**9",
    "~x",
    "not x",
    "x, x",
    "x; x",
    "x\nx",
    "\0",
    "\ud800",
    "1j",
    "1e999",
    "",
    "  ",
    "(" * 150 + ")" * 150,
    "x" * 100_000,
    "(" * 100_000,
    "9" * 100_000,
    "constructor",
    "__proto__",
]


@pytest.mark.parametrize("text", ATTACKS, ids=lambda text: ascii(text)[:30])
def test_what_is_not_arithmetic_is_refused(text):
    with pytest.raises(ExpressionError):
        parse(text)


LARGE = ["9**9**9", "9**9**9**9**9", "-" * 199 + "x", "(" * 99 + "x" + ")" * 99, "9" * LONGEST, "x+" * 99 + "x"]


@pytest.mark.parametrize("text", LARGE)
def test_what_is_large_or_deep_is_harmless(text):
    f = parse(text)
    f(2.0), f.slope(2.0)


LETTERS = "x0123456789.eE+-*/()^, sincoexplgabt_[]{}'\"\\\n#=:;"


@settings(max_examples=400)
@given(st.one_of(st.text(max_size=220), st.text(LETTERS, max_size=220)), places)
def test_any_text_is_a_formula_or_is_refused_with_its_place(text, x):
    try:
        f = parse(text)
    except ExpressionError as error:
        assert 0 <= error.position <= len(text)
        assert str(error).endswith(error.advice)
    else:
        assert isinstance(f(x), float)
        json.dumps(f.program, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "position", "advice"),
    [
        ("x^2", 1, "**"),
        ("2x", 1, "2*x"),
        ("3*x + 2x", 7, "2*x"),
        ("2(x + 1)", 1, "2*("),
        ("x(x + 1)", 1, "x*("),
        ("pi(x+1)", 2, "Between pi and (x+1) goes a *: write pi*(x+1)"),
        ("2*e (sin(x))", 4, "write e*("),
        ("e(x", 1, "write e*("),
        ("(x + 1)(x - 1)", 7, ")*("),
        ("1e-3x", 4, "1e-3*x"),
        ("2e5x", 3, "2e5*x"),
        ("x x", 2, "x*x"),
        ("sin x", 4, "sin(x)"),
        ("2*sinx", 5, "sin(x)"),
        ("sin", 0, "sin(x)"),
        ("1 + sin()", 4, "sin(x)"),
        ("x**2 +", 5, "missing"),
        ("(x", 0, "never closed"),
        ("x)", 1, "no ( before it"),
        ("2*y", 2, "The name y is not known here. Known are x, the numbers pi and e, and the functions abs, cos"),
        ("max(0, x)", 0, "relu"),
        ("math.sin(x)", 0, "without math."),
        ("0,5*x", 1, "decimal point"),
        ("|x|", 0, "abs(x)"),
        ("f = x", 2, "to the right of the ="),
        ("x²", 1, "**"),
        ("ln(x)", 0, "log(x)"),
        ("x % 2", 2, "Only + - * / and **"),
        ("é*x", 0, "The name é is not known"),
        ("x + é*y", 4, "The name é is not known"),
        ("  y", 2, "The name y"),
        ("\uff58 + y", 4, "The name y"),  # a full-width x, which Python takes for an x, has three bytes
        ("x ++* 2", 4, "cannot stand here"),
    ],
)
def test_a_formula_that_cannot_be_read_says_where_and_what_to_write(text, position, advice):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert caught.value.position == position
    assert advice in caught.value.advice
    shown, caret, _ = str(caught.value).split("\n")
    assert shown[caret.index("^") :] == text[position:]


def test_the_place_in_a_long_formula_is_still_shown():
    with pytest.raises(ExpressionError) as caught:
        parse("x + " * 40 + "2x")
    shown, caret, advice = str(caught.value).split("\n")
    assert shown.endswith("2x") and len(shown) < 70
    assert caret.index("^") == len(shown) - 1


def test_a_formula_has_at_most_so_many_characters():
    assert parse("x".ljust(LONGEST)).program == ("x",)
    with pytest.raises(ExpressionError, match="too long") as caught:
        parse("x".ljust(LONGEST + 1))
    assert caught.value.position == LONGEST


def test_a_function_in_place_of_text_is_refused():
    with pytest.raises(TypeError, match="a formula is text"):
        labs.derivative(lambda x: x**2)


# -- the lab ----------------------------------------------------------------------------------------


def _bundle(lab):
    data, _ = lab._repr_mimebundle_()
    return data


def test_the_bundle_has_the_widget_and_a_still_picture_with_words():
    lab = labs.derivative("sin(x)", x=1.0, h=0.5)
    data = _bundle(lab)
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == lab.model_id
    assert data["text/html"].startswith('<img src="data:image/')
    assert 'alt="The curve of sin(x) at x = 1, with the step h = 0.5.' in data["text/html"]
    assert data["text/plain"] == "The slope of a curve, and the step h (lab)…"


def test_the_text_is_the_same_whatever_the_state():
    lab = labs.derivative()
    before = _bundle(lab)["text/plain"]
    lab.x, lab.f = 2.0, "cos(x)"
    assert _bundle(lab)["text/plain"] == before == _bundle(labs.derivative("exp(x)"))["text/plain"]


def test_the_still_picture_follows_the_state():
    lab = labs.derivative()
    before = lab.still()
    lab.x = 2.0
    assert lab.still().data != before.data
    assert "at x = 2" in lab.still().alt


@pytest.mark.parametrize(
    ("f", "x", "h"),
    [("1/x", 0, 1), ("1/x", -1, 1), ("abs(x)", 0, 0.1), ("x**2", 1, 1e-16), ("log(x)", -1, 1), ("sqrt(x)", 0, 0.1),
     ("exp(300*x)", 1, 1), ("5", 1, 1), ("x**2", 1000, 1)],
)  # fmt: skip
def test_every_state_has_a_still_picture(f, x, h):
    still = labs.derivative(f, x, h).still()
    assert still.mime.startswith("image/")
    assert f in still.alt


def test_a_function_without_any_value_has_words_for_a_picture():
    still = labs.derivative("log(-5 - x**2)").still()
    assert isinstance(still, draw.TextPicture)
    assert "no finite value anywhere" in repr(still)


def test_the_sentence_says_the_two_slopes_and_the_error():
    lab = labs.derivative("x**2", x=1.0, h=0.5)
    assert lab.sentence == (
        "The curve of x**2 at x = 1, with the step h = 0.5. "
        "The secant's slope is 2.5. The exact slope is 2. The error is 0.5."
    )
    lab.h = 1e-16
    assert "slope is 0. The exact slope is 2. The error is 2." in lab.sentence


def test_bad_arguments_raise_in_the_cell():
    with pytest.raises(ExpressionError, match=r"2\*x"):
        labs.derivative("2x")
    for bad in ({"h": 0}, {"h": 2}, {"x": math.nan}, {"x": math.inf}, {"x": "1"}):
        with pytest.raises(TraitError):
            labs.derivative(**bad)


def test_what_is_moved_in_the_page_arrives_in_python():
    lab = labs.derivative()
    lab.set_state({"f": "x**3", "x": 2.0, "h": 0.1, "zoom": True})
    assert (lab.f, lab.x, lab.h, lab.zoom) == ("x**3", 2.0, 0.1, True)
    assert lab.expression(2.0) == 8
    assert lab.programs["x**3"] == ("x", 3.0, "**")
    assert not lab.problem


def test_a_typed_formula_gets_a_program_and_a_bad_one_a_problem():
    lab = labs.derivative()
    lab.set_state({"f": "x*x*x"})
    assert lab.programs["x*x*x"] == ("x", "x", "*", "x", "*")
    lab.set_state({"f": "x^3"})
    assert lab.problem == "x^3\n ^\nA power is written **, as in x**2."
    assert "x^3" not in lab.programs and lab.expression.text == "x*x*x"
    lab.set_state({"x": 0.5})
    assert "A power" in lab.problem, "moving a slider does not make the formula right"
    lab.set_state({"f": "x**3"})
    assert lab.problem == ""


# -- the base ---------------------------------------------------------------------------------------


class Broken(Lab):
    title = base.Unicode("Broken").tag(sync=True)
    number = Int(0).tag(sync=True)

    @observe("number")
    def _moved(self, change):
        if change["new"] == 13:
            raise ZeroDivisionError("thirteen")


def test_an_error_on_a_move_in_the_page_is_shown_and_goes_when_all_is_well():
    lab = Broken()
    lab.set_state({"number": 13})
    assert re.fullmatch(r"ZeroDivisionError: thirteen \(test_labs_derivative.py, line \d+\)", lab.problem)
    lab.set_state({"number": 1})
    assert lab.problem == ""
    lab.set_state({"number": "many"})
    assert lab.problem.startswith("The 'number' trait of") and lab.number == 1
    with pytest.raises(ZeroDivisionError):
        lab.number = 13


def test_a_lab_must_have_a_still_picture():
    with pytest.raises(NotImplementedError, match="Broken"):
        Broken()._repr_mimebundle_()


def test_all_colours_come_from_one_place():
    css = style()
    for name in ("DATA", "GRADIENT", "HIGHLIGHT", "INK", "MUTED", "GRID", "PAPER"):
        assert f"--ll-{name.lower()}: {getattr(draw.colors, name)};" in css
    for file in [*SCRIPTS, *FOLDER.glob("*.css")]:
        assert not re.findall(r"#[0-9a-fA-F]{3,8}\b", file.read_text(encoding="utf-8")), file.name


def test_every_style_is_kept_to_the_labs():
    css = re.sub(r"/\*.*?\*/", "", style(), flags=re.DOTALL)
    css = re.sub(r"@media[^{]*\{(.*?\})\s*\}", r"\1", css, flags=re.DOTALL)
    selectors = [part.strip() for rule in re.findall(r"([^{}]+)\{", css) for part in re.split(r",(?![^(]*\))", rule)]
    assert len(selectors) > 20
    assert [selector for selector in selectors if not selector.startswith(".ll-lab")] == []


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda file: file.name)
def test_scripts_fetch_nothing_and_write_text_as_text(file):
    code = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
    for word in ("http:", "https:", "import ", "import(", "fetch(", "XMLHttpRequest"):
        assert word not in code, word
    for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
        assert word not in code, word


def test_page_and_python_know_the_same_operations():
    code = (FOLDER / "expression.js").read_text(encoding="utf-8")
    for name, known in (("TWO", expression._TWO), ("ONE", expression._ONE)):
        table = re.search(rf"const {name} = \{{(.*?)\n\}};", code, re.DOTALL).group(1)
        assert set(re.findall(r'^  "?([^\s":]+)"?: \(u', table, re.MULTILINE)) == set(known)
    assert set(expression._ONE) == {*FUNCTIONS, "neg"}


# -- the sentence: the lab's own JavaScript in a browser, with a stand-in for the widget's model --------

SAY = """async ([f, program, x, h]) => {
    Object.entries({ programs: { [f]: program }, x, h, f }).forEach(([name, value]) => window.model.set(name, value));
    await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    return document.querySelector(".ll-sentence").textContent;
}"""


class DerivativePage(LabPage):
    traits = ("title", "sentence", "problem", "f", "x", "h", "zoom", "choices", "programs")


@pytest.fixture(scope="module")
def say(browser):
    """Return a function that gives the page's sentence for f, x and h."""
    page = DerivativePage(browser, labs.derivative())
    yield lambda f, x, h: page.page.evaluate(SAY, [f, parse(f).program, x, h])
    page.close()


def test_a_lab_that_is_hidden_for_a_moment_keeps_its_width(browser):
    page = DerivativePage(browser, labs.derivative())
    width = "() => document.querySelector('.ll-stage svg').getAttribute('width')"
    display = "document.body.style.display"
    before = page.page.evaluate(width)
    page.page.evaluate(f"() => {{ {display} = 'none' }}")
    page.set(x=1.5)  # drawn while there is no place to draw in
    assert page.page.evaluate(width) == before != "640"
    page.page.evaluate(f"() => {{ {display} = '' }}")
    page.drawn()
    assert page.page.evaluate(width) == before
    page.close()


def test_a_place_more_that_shows_the_lab_draws_a_formula_that_can_be_read(browser):
    lab = labs.derivative("x**3")
    lab.set_state({"f": "x**"})
    page = DerivativePage(browser, lab)
    assert "something is missing" in page.texts(".ll-problem")[0] and "The picture still shows x**3." in page.say()
    page.close()


BENDS, STRAIGHT, BREAKS = "The curve bends away", "The curve is straight between", "breaks off or runs off to infinity"
SAME, LOST, BACK = "so their difference is 0", "rises or falls between them is lost", "is back there at x + h"
DIGITS, BALANCE = "of 16 digits", "the two reasons for errors balance"
REASONS = (BENDS, STRAIGHT, BREAKS, SAME, LOST, BACK, DIGITS, BALANCE)


@pytest.mark.parametrize(
    ("f", "x", "h", "phrase", "not_this"),
    [
        ("log(x)", -1, 1, "has no value. There is none for", "too large"),
        ("exp(300*x)", 3, 1, "is too large for a float", "has no value"),
        ("abs(x)", 0, 0.1, "the curve has a kink: its slope is -1 to the left and 1 to the right", "an error of"),
        ("abs(x)", 0, 0.1, "The secant, which looks to the right, says 1", "an error of"),
        ("abs(x) + sqrt(0.5 - x)", 0, 1, "so there is no single slope and no tangent", "The secant"),
        ("sqrt(x)", 0, 0.25, "The secant's slope is 2; watch it", "an error of"),
        ("sqrt(-x)", 0, 1, "it stands upright, or it begins or ends here", "The secant"),
        ("1/x", -1, 1, "At x + h = 0 the function has no value", "an error of"),
        ("x**2", 1, 1e-16, "For the computer x + h is x itself", "same float"),
        ("x + 1000", 0, 1e-14, SAME, "Infinity"),
        ("(x + 1e10) - 1e10", 0, 1e-7, SAME, "Infinity"),
        ("x**2 + 1", -1e-9, 2e-9, SAME, "Infinity"),
        ("x**2", -0.5, 1, BENDS, "same float"),
        ("abs(x)", -0.5, 1, BENDS, "The central difference"),
        ("x*(1 - x)", 0, 1, BENDS, "same float"),
        ("cos(x)", 0, 1e-9, LOST, "Infinity"),
        ("x**2 + 1", 0, 1e-8, LOST, "Infinity"),
        ("5", 1, 1, STRAIGHT, "same float"),
        ("relu(x)", -0.5, 0.5, STRAIGHT, "NaN"),
        ("2*x", 1, 0.5, STRAIGHT, "even a large h"),
        ("0.1*x", 0.3, 0.5, "even a large h gives its slope", DIGITS),
        ("x**2*(x - 1)**2", 0, 1, BACK, "straight"),
        ("cos(2*pi*x)", 0, 1, BACK, "same float"),
        ("1/x", -0.5, 1, BREAKS, "same float"),
        ("1/x", -0.15, 0.2, BREAKS, "same float"),
        ("1/(x - 0.5)**2", 0, 1, BREAKS, "same float"),
        ("tan(x)", 1, 1, BREAKS, "same float"),
        ("sqrt(x**2 - 0.01)", -0.5, 1, BREAKS, "same float"),
        ("sin(pi*x)", 0, 1, BENDS, "infinity"),
        ("1/x", 0.001, 1, BENDS, "infinity"),  # the pole lies outside, just beside one of the points
        ("1/x", 1e-6, 1, BENDS, "infinity"),
        ("1/(x - 1.001)", 0, 1, BENDS, "infinity"),
        ("sqrt(1.001 - x)", 0, 1, BENDS, "infinity"),
        ("sin(x)", 1, 1e-12, "agree in their first 13 of 16 digits", "Infinity"),
        ("sin(x)", 1, 0.5, BENDS, "has no error"),
        ("sin(x)", 1, 0.01, "The central difference is off by only", "has no error"),
        ("x**2", 1, 1, "The central difference has no error here", "off by only"),
        ("sin(x)", 1, 2e-8, BALANCE, "Infinity"),
    ],
)  # fmt: skip
def test_the_sentence_gives_the_true_reason(say, f, x, h, phrase, not_this):
    said = say(f, x, h)
    assert phrase in said
    assert not_this not in said
    assert not [reason for reason in REASONS if reason in said and reason != phrase and phrase in REASONS], said
