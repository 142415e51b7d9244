"""What all labs share, in a page: first the picture, then Python; and an old answer of Python's does not win."""

import pytest
from traitlets import Float

from lesson_lib.labs.base import HERE, Lab, script
from lesson_lib.labs.tokens import short, two
from tests.lab_page import LabPage, shows

CODE = """
function render(page) {
  window.log = [];
  const lab = window.lab = frame(page, "toy", () => {
    window.log.push(`drawn ${lab.get("x")}`);
    put(dot, { cx: lab.get("x") });
  });
  const dot = svg("circle", { r: 5 });
  lab.stage.append(svg("svg", { height: 20 }, dot));
  slider(lab, { label: "x", name: "x", min: 0, max: 100 });
  return lab.dispose;
}
export default { render };
"""


class Toy(Lab):
    _esm = script() + CODE
    x = Float(0).tag(sync=True)


class ToyPage(LabPage):
    traits = ("title", "problem", "sentence", "x")

    def run(self, source):
        """Run JavaScript, wait until everything is drawn and sent, and return what happened meanwhile."""
        self.page.evaluate("() => { window.log.length = 0; window.sent.length = 0; }")
        self.page.evaluate(source)
        self.drawn()
        self.page.wait_for_timeout(30)
        return self.page.evaluate("() => [window.log, window.sent.map(traits => traits.x)]")


show = shows(ToyPage)


@pytest.fixture
def page(show):
    opened = show(Toy())
    opened.page.evaluate("""() => {
        const save = window.model.save_changes;
        window.model.save_changes = () => { window.log.push("told Python"); save(); };
    }""")
    return opened


def test_the_picture_comes_first_and_python_is_told_once(page):
    log, sent = page.run("() => { for (const x of [1, 2, 3]) window.lab.set({ x }); }")
    assert log == ["drawn 3", "told Python"] and sent == [3]


def test_an_old_answer_from_python_does_not_win_over_the_latest_move(page):
    log, sent = page.run("() => { window.lab.set({ x: 7 }); window.model.set('x', 1); }")
    assert "drawn 1" not in log and log[-1] == "drawn 7" or log[-2:] == ["told Python", "drawn 7"]
    assert sent == [7] and page.page.evaluate("() => window.model.get('x')") == 7
    assert page.page.get_by_role("slider", name="x").input_value() == "7"


def test_what_python_sets_later_is_shown_and_not_sent_back(page):
    page.run("() => window.lab.set({ x: 7 })")
    log, sent = page.run("() => window.model.set('x', 1)")
    assert log == ["drawn 1"] and sent == []


def test_what_is_not_sent_yet_is_sent_when_the_lab_goes(page):
    log, sent = page.run("() => { window.lab.set({ x: 7 }); window.dispose(); }")
    assert log == ["told Python"] and sent == [7]


def test_in_a_hidden_page_python_is_told_at_once(page):
    page.page.evaluate("() => Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    told = page.page.evaluate("() => { window.sent.length = 0; window.lab.set({ x: 7 }); return window.sent.length; }")
    assert told == 1


# the number, in two decimals, and for a cell; 0.145, 0.015 and 1.005 are stored as a little less
WRITTEN = [
    (0, "0.00", "0"), (1, "1.00", "1"), (0.5, "0.50", "0.5"), (1 / 3, "0.33", "0.33"), (0.125, "0.13", "0.13"),
    (0.145, "0.14", "0.14"), (0.015, "0.01", "0.01"), (1.005, "1.00", "1.00"), (0.9997, "1.00", "1.00"),
    (0.0003, "0.00", "0.00"), (-0.003, "-0.00", "0.00"), (-1e-12, "-0.00", "0"), (-2.5, "-2.50", "−2.5"),
    (-0.125, "-0.13", "−0.13"), (123.456, "123.46", "123.46"), (99_999, "99999.00", "1.0e5"),
    (-1e6, "-1000000.00", "−1.0e6"),
]  # fmt: skip


def test_page_and_python_write_a_number_alike(page):
    source = (HERE / "numbers.js").read_text(encoding="utf-8")
    numbers = [number for number, *_ in WRITTEN]
    shown = page.page.evaluate(f"numbers => {{ {source} return numbers.map(n => [n.toFixed(2), short(n)]); }}", numbers)
    assert shown == [[two(number), short(number)] for number in numbers] == [texts for _, *texts in WRITTEN]
