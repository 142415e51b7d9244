"""Every notebook in a real JupyterLab and a browser: it runs, its labs move, nothing is fetched from elsewhere."""

import itertools
import os
import re
import statistics

import pytest
from nbformat.v4 import new_code_cell, new_notebook

import tests.browser
from lesson_lib import labs
from lesson_lib.labs.derivative import FUNCTIONS
from lesson_lib.labs.expression import parse
from tests import notebooks
from tests.browser import Jupyter, Page
from tests.moves import (
    by_keyboard,
    by_mouse,
    controls_of,
    idle_controls,
    name_of,
    reached_by_tab,
    slider_to_pixels,
    traps,
)

# the labs of each notebook, in their order
LABS = {
    "00_start_here": ["derivative"],
    "01_derivatives": ["derivative"],
    "02_chain_rule": ["backprop"],
    "03_micrograd": ["backprop", "backprop"],
    "04_neural_networks": ["backprop"],
    "05_gradient_descent": ["learning_rate", "playground"],
    "06_tensors": [],
    "07_text": ["batches"],
    "08_bigram": ["bigram"],
    "09_bag_of_words": ["aggregation"],
    "10_matmul_trick": ["aggregation"],
    "11_softmax": ["softmax", "aggregation"],
    "12_self_attention": ["query_key", "backprop", "attention"],
    "13_multi_head_attention": ["attention"],
    "14_gpt": ["training", "sampling", "attention"],
}


# what is typed into a lab's text fields, by keyboard and by mouse
TYPED = (
    {"derivative": "sin(x) / 2", "backprop": "2.5", "attention": "hear", "training": "A", "sampling": "KING:"},
    {"derivative": "x**3 / 2", "backprop": "1.5", "attention": "me, my", "training": "B", "sampling": "The "},
)


@pytest.fixture(scope="session")
def jupyter(browser, tmp_path_factory):
    server = Jupyter(tmp_path_factory.mktemp("jupyter"))
    try:
        server.wait()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module", params=LABS)
def opened(request, browser, jupyter):
    """A notebook as it opens: not trusted, nothing run. Then all is run. Returns its page, and what was seen before."""
    page = Page(browser, jupyter, f"notebooks/{request.param}.ipynb")
    page.name = request.param
    page.stills = [still_is_seen(page, place) for place in page.lab_places()]
    page.run_all()
    if "LESSON_LIB_SHOTS" in os.environ:
        page.shoot(os.environ["LESSON_LIB_SHOTS"], page.name)
    yield page
    page.close()


def still_is_seen(page, place):
    """Whether the output of the cell shows a picture, as it does where there is no kernel."""
    picture = page.show(place).locator(".jp-OutputArea-output img").first
    picture.wait_for(timeout=10_000)
    return picture.evaluate("image => image.decode().then(() => image.naturalWidth > 100)")


def breaches(page):
    """Return what should never be: failed cells, errors in the page's console, requests to other hosts."""
    failed = [
        output["evalue"]
        for cell in page.cells()
        for output in cell.get("outputs", [])
        if output["output_type"] == "error"
    ]
    return failed + page.errors + page.strangers


# the notebooks


def test_before_it_is_run_every_lab_shows_its_still_picture(opened):
    assert opened.stills == [True] * len(LABS[opened.name])


def test_the_notebook_runs_from_the_top(opened):
    code = [cell for cell in opened.cells() if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert [opened.lab(place).get_attribute("data-lab") for place in opened.lab_places()] == LABS[opened.name]
    assert breaches(opened) == []


def test_the_tab_key_reaches_every_control_and_leads_out_again(opened):
    for place in opened.lab_places():
        lab = opened.lab(place)
        assert reached_by_tab(lab) == [name_of(control) for control in controls_of(lab)]
        assert traps(lab) == []


@pytest.mark.parametrize(
    ("operate", "typed"),
    [
        (by_keyboard, TYPED[0]),
        (by_mouse, TYPED[1]),
    ],
)
def test_every_control_of_every_lab_changes_the_picture(opened, operate, typed):
    for place, name in zip(opened.lab_places(), LABS[opened.name]):
        lab = opened.lab(place)
        assert idle_controls(lab, operate, typed.get(name, "")) == []
        assert lab.locator(".ll-sentence").inner_text() and not lab.locator(".ll-problem").inner_text()
    assert breaches(opened) == []


def test_slider_to_pixels_is_measured(opened, record_property):
    """The times are for the table at the end of the run; how fast the machine is decides no test."""
    for place, name in zip(opened.lab_places(), LABS[opened.name]):
        lab = opened.lab(place)
        if lab.locator("input[type=range]").count():
            times = sorted(slider_to_pixels(lab))
            assert len(times) >= 30
            middle, p95 = statistics.median(times), times[int(0.95 * len(times))]
            row = f"{opened.name:16} {name:12} {len(times)} moves   median {middle:6.1f} ms   p95 {p95:6.1f} ms"
            record_property("slider to pixels", row)


# the derivative lab: what the page computes is what Python computes


def other_slopes(page, script):
    """Return where the script's slopes differ from Python's, over all functions that the lab offers."""
    look = "([script, ...at]) => new Function(script)().look(...at)"
    found = []
    for text, x, h in itertools.product(FUNCTIONS, (-2.5, -0.75, 0.5, 2.0), (1.0, 1e-4)):
        f = parse(text)
        now = page.evaluate(look, [script, text, f.program, x, h])
        ours = pytest.approx([f.slope(x), (f(x + h) - f(x)) / h], rel=1e-9, abs=1e-9, nan_ok=True)
        if [now["slope"], now["secant"]] != ours:
            found.append((text, x, h, now["slope"], now["secant"]))
    return found


def test_the_page_finds_the_slopes_that_python_finds(browser):
    page = browser.new_page()
    script = re.sub(r"export default .*", "return { look };", str(labs.derivative()._esm))
    assert other_slopes(page, script) == []
    assert {text for text, *_ in other_slopes(page, script.replace("Math.cos(u)", "Math.sin(u)"))} == {"sin(x)"}


def test_the_lab_says_the_slope_that_python_finds(opened):
    for place in [place for place, name in zip(opened.lab_places(), LABS[opened.name]) if name == "derivative"]:
        lab = opened.lab(place)
        for text in "cos(x) * x", "exp(x) / 3":
            by_keyboard(lab.locator("input[type=text]"), text)
            # the title changes when Python has read the formula
            lab.locator(".ll-stage text", has_text=text).first.wait_for()
            said = lab.locator(".ll-sentence").inner_text()
            x, slope = re.search(r"exact slope at x = (\S+) is (\S+)[:,.] ", said).groups()
            assert float(slope) == pytest.approx(parse(text).slope(float(x)), rel=1e-5)


def test_without_a_browser_the_tests_are_skipped_and_in_ci_they_fail(monkeypatch):
    monkeypatch.setattr(tests.browser, "chromium", lambda: None)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="set CHROME"):
        tests.browser.required()
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="set CHROME"):
        tests.browser.required()


# the tests themselves, on a lab in which everything is wrong

TOY = """
from traitlets import Bool, Float, Unicode
from lesson_lib import draw
from lesson_lib.labs import base

SCRIPT = (base.HERE / "base.js").read_text(encoding="utf-8") + '''
function render(page) {
  const draw = () => put(dot, { cx: lab.get("x"), r: lab.get("big") ? 9 : 5, class: lab.get("text") });
  const lab = frame(page, "toy", draw);
  const dot = svg("circle", { cy: 50 });
  lab.stage.append(svg("svg", { height: 100 }, dot));
  slider(lab, { label: "x", name: "x", min: 0, max: 100 });
  toggle(lab, { label: "big", name: "big" });
  textField(lab, { label: "text", name: "text" });
  button(lab, { label: "back", press: () => lab.set({ x: 0 }) });
  PLANT
  return lab.dispose;
}
export default { render };
'''
BAD = '''
  lab.listen(lab.controls.lastChild, "keydown", (event) => { if (event.key === "Tab") event.preventDefault(); });
  put(slider(lab, { label: "dead", name: "dead", min: 0, max: 100 }), { tabindex: -1 });
  fetch("http://example.org/planted").catch(() => {});
  console.error("planted in the console");
'''

class Toy(base.Lab):
    x = Float(0).tag(sync=True)
    dead = Float(0).tag(sync=True)
    big = Bool(False).tag(sync=True)
    text = Unicode("one").tag(sync=True)

    def still(self):
        return draw.Picture(b"<svg xmlns='http://www.w3.org/2000/svg'/>", "image/svg+xml", "A toy")

class Good(Toy):
    _esm = SCRIPT.replace("PLANT", "")

class Bad(Toy):
    _esm = SCRIPT.replace("PLANT", BAD)
"""


def test_the_tests_themselves(browser, jupyter):
    sources = [TOY, "Good()", "Bad()", "raise ValueError('planted in a cell')"]
    path = jupyter.folder / "notebooks" / "toy.ipynb"
    notebook = new_notebook(cells=[new_code_cell(source) for source in sources])
    notebooks.tidy(notebook)
    notebooks.write(path, notebook)
    page = Page(browser, jupyter, "notebooks/toy.ipynb")
    page.run_all()
    good, bad = page.lab_places()
    for operate, typed in (by_keyboard, "two"), (by_mouse, "three"):
        assert idle_controls(page.lab(good), operate, typed) == []
        assert idle_controls(page.lab(bad), operate, typed) == ["dead"]
    assert reached_by_tab(page.lab(good)) == reached_by_tab(page.lab(bad)) == ["x", "big", "text", "back"]
    assert traps(page.lab(good)) == [] and traps(page.lab(bad)) == ["Tab", "Shift+Tab"]
    assert len(slider_to_pixels(page.lab(good))) == 40
    assert page.strangers == ["http://example.org/planted"]
    assert "planted in the console" in page.errors and "planted in a cell" in breaches(page)
    page.close()
