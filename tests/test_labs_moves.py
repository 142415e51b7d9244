"""A thousand moves leave nothing behind: no element and no listener in the page, no object in Python."""

import gc
import itertools

import pytest
import torch
from anywidget import AnyWidget

from lesson_lib import labs
from lesson_lib.attention import AttentionLanguageModel, Block
from lesson_lib.gpt import GPT
from lesson_lib.labs.base import Lab
from lesson_lib.micrograd import Value
from lesson_lib.text import CharTokenizer
from tests.lab_kernel import no_event_loop  # noqa: F401 (a fixture)
from tests.lab_page import LabPage
from tests.moves import MANY_MOVES

TEXT = "First Citizen:\nBefore we proceed any further, hear me speak.\n" * 8
PLAIN = CharTokenizer(TEXT)
IDS = torch.tensor(PLAIN.encode(TEXT))


def neuron():
    x, w, b = Value(2.0, label="x"), Value(-3.0, label="w"), Value(6.9, label="b")
    return (x * w + b).tanh() * x


def model_of(make):
    torch.manual_seed(1)
    return make(len(PLAIN))


def gpt():
    return model_of(lambda V: GPT(V, 16, 1, 2, 8, std=0.3))


def attention():
    model = model_of(lambda V: AttentionLanguageModel(V, 16, 8, Block(8, 2)))
    return labs.attention(model, PLAIN, "hear me", examples=["First", "speak"])


def training():
    few = {"steps": 10_000, "evaluate_every": 1000, "evaluation_batches": 1, "sample": 5, "sample_every": 1000}
    return labs.training(gpt(), IDS, IDS, PLAIN, batch_size=2, **few)


# how each lab is made
MAKE = {
    "derivative": lambda: labs.derivative("sin(x)"),
    "backprop": lambda: labs.backprop(neuron()),
    "learning_rate": labs.learning_rate,
    "playground": lambda: labs.playground(layers=(4,)),
    "batches": lambda: labs.batches(TEXT),
    "bigram": lambda: labs.bigram(TEXT),
    "aggregation": lambda: labs.aggregation("dear"),
    "softmax": labs.softmax,
    "query_key": lambda: labs.query_key("dear"),
    "attention": attention,
    "training": training,
    "sampling": lambda: labs.sampling(gpt(), PLAIN, "hear", length=10),
}
# what Python hears of it from the page: of each trait the next value in turn, good and bad
TOLD = {
    "derivative": {"f": ["x**2", "x**", "exp(x) / 3"], "x": [-1.0, 0.5], "h": [1e-9, 0.1, 1.0], "zoom": [True, False]},
    "backprop": {"leaves": [["2", "-1", "0"], ["2", "no", "1"], ["1e200", "3", "1"]], "step": [3, 0]},
    "learning_rate": {"rate": [0.1, 0.9, 3.0], "x": [1.0, -2.0], "decay": ["linear", "none"], "steps": [5, 30]},
    "playground": {"rate": [0.1, -1.0], "data": ["wave", "moons"], "layers": ["4", "two", "2"], "resets": [1, 2]},
    "batches": {"draws": [3, 4, 5], "block_size": [4, 8], "row": [1, 0], "t": [0, 5]},
    "bigram": {"view": ["counted"], "temperature": [0.5, 9.0, 1.0], "walk": [[0, 3, 4], [0]], "first": [2, 5]},
    "aggregation": {"way": ["loop", "softmax"], "step": [2, 7], "row": [1, 3], "mask": [True, False]},
    "softmax": {"logits": [[1.0, 0.0, 2.0, -9.0], [0.0] * 4], "temperature": [0.1, 4.0], "chosen": [1, 3]},
    "query_key": {"query": [[[1.0, 0.0]] * 4, [[0.5, -2.0]] * 4], "row": [1, 3], "head_size": [4, 16]},
    "attention": {"text": ["hear", "€", "First Citizen"], "position": [1, 3], "mask": [True, False]},
    "training": {"prompt": ["A", "", "hear"], "log_scale": [True, False], "resets": [1, 2]},
    "sampling": {"prompt": ["me", "€", "hear"], "written": ["", "any"], "temperature": [0.1, 1.0], "seed": [1, 2]},
}
TRAINED = ("playground", "training")  # Python has news of these


def test_each_lab_is_here():
    assert list(MAKE) == list(TOLD) and sorted(MAKE) == sorted(labs.__all__)


TYPED = ["2", "hear", "x**2", "sin(x) / 2", "", "€", "-0.5"]  # whatever the field

# frames that come at once, and not 60 times a second
AT_ONCE = """() => {
    let last = 0;
    const waiting = new Map();
    window.requestAnimationFrame = paint => {
        waiting.set(++last, paint);
        const now = last;
        scheduler.postTask(() => {
            const paint = waiting.get(now);
            waiting.delete(now);
            paint?.(performance.now());
        });
        return now;
    };
    window.cancelAnimationFrame = asked => waiting.delete(asked);
}"""


class AnyPage(LabPage):
    """Any lab in a page of its own, which counts what the browser holds."""

    def __init__(self, browser, lab):
        self.traits = sorted(set(lab.class_trait_names(sync=True)) - set(AnyWidget.class_trait_names(sync=True)))
        super().__init__(browser, lab)
        self.page.evaluate(AT_ONCE)
        self.begin = self.later = self.state(lab)
        self.devtools = self.page.context.new_cdp_session(self.page)
        self.devtools.send("Performance.enable")

    def move(self, moves):
        """Move the lab's controls at random. Now and then Python has news."""
        for part in range(4):
            self.set(**(self.later if part % 2 else self.begin))
            self.page.evaluate(MANY_MOVES, [moves // 4, part, TYPED])

    def show_again(self, times):
        """Take the lab off the page and put it there again."""
        self.page.evaluate("times => { for (; times; times--) { dispose(); dispose = show(); } }", times)

    def counts(self):
        """Go back to the beginning; return how many nodes and listeners there are then, without the garbage."""
        self.page.evaluate("() => document.activeElement.blur()")
        self.set(**self.begin)
        self.page.wait_for_timeout(100)
        for _ in range(2):
            self.devtools.send("HeapProfiler.collectGarbage")
        found = {row["name"]: row["value"] for row in self.devtools.send("Performance.getMetrics")["metrics"]}
        print(f"{found['JSHeapUsedSize'] / 1e6:.2f} MB")
        return found["Nodes"], found["JSEventListeners"]


def page_of(browser, name, break_code=str):
    lab = MAKE[name]()
    lab._esm = break_code(lab._esm)
    page = AnyPage(browser, lab)
    if name in TRAINED:
        lab.run(3)
        page.later = page.state(lab)
    return page


def left_in_the_page(page, moves, times):
    """Return the nodes and the listeners in the page, before and after."""
    page.move(100)
    page.show_again(2)
    before = page.counts()
    page.move(moves)
    page.show_again(times)
    return before, page.counts()


@pytest.mark.parametrize("name", MAKE)
def test_in_the_page(browser, name):
    page = page_of(browser, name)
    before, after = left_in_the_page(page, moves=1000, times=20)
    assert before == after
    page.close()


@pytest.mark.parametrize(("line", "plant", "grows"), [
    ("redraw() {", "(window.kept ??= []).push(document.createElement('i'));", (True, False)),
    ("redraw() {", "stage.addEventListener('click', () => draw());", (False, True)),
    ("dispose() {", "return;", (True, True)),
])  # fmt: skip
def test_what_stays_in_the_page_is_seen(browser, line, plant, grows):
    page = page_of(browser, "softmax", lambda code: code.replace(line, line + plant))
    before, after = left_in_the_page(page, moves=40, times=3)
    assert tuple(later > earlier for earlier, later in zip(before, after)) == grows


def objects(lab, at_first):
    """Go back to the beginning; return how many objects Python holds then, without the garbage."""
    for trait, value in at_first.items():
        lab.set_state({trait: value})
    gc.collect()
    gc.collect()
    return len(gc.get_objects())


def left_in_python(name, moves):
    """Return how many objects there are more after so many moves of the lab."""
    lab = MAKE[name]()
    at_first = {trait: getattr(lab, trait) for trait in TOLD[name]}
    turns = itertools.cycle([(trait, itertools.cycle(values)) for trait, values in TOLD[name].items()])
    for many in 100, moves:
        before = objects(lab, at_first)
        for trait, values in itertools.islice(turns, many):
            lab.set_state({trait: next(values)})
    return objects(lab, at_first) - before


@pytest.mark.parametrize("name", MAKE)
def test_in_python(name):
    assert left_in_python(name, 1000) < 50


def test_what_stays_in_python_is_seen(monkeypatch):
    kept = []
    hear = Lab.set_state
    monkeypatch.setattr(Lab, "set_state", lambda lab, data: (kept.append([data]), hear(lab, data)))
    assert left_in_python("softmax", 100) > 50
