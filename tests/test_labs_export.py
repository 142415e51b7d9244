"""A notebook as a page: its labs work without a kernel, from the disk, and nothing is fetched from anywhere."""

import json
import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from lesson_lib.labs.export import STATE, WIDGET, live, main, with_live_labs
from tests import notebooks
from tests.moves import by_keyboard, by_mouse, controls_of, idle_controls, name_of, reached_by_tab

SOURCES = [
    "from lesson_lib import labs\nlabs.aggregation('dear')",
    "labs.softmax((2.0, 1.0, 0.0, -1.0))",
    "labs.aggregation(['</script>', '<b>', '&amp;'])",
    "labs.derivative('sin(x)')  # reads its formulas in Python",
    "labs.query_key('dear')",
    """import torch
from lesson_lib.attention import AttentionLanguageModel, Block
from lesson_lib.text import CharTokenizer

torch.manual_seed(1)
tokenizer = CharTokenizer("<script>alert(1)</script> dear")
model, untrained = (AttentionLanguageModel(len(tokenizer), 32, 8, Block(8, 2)) for _ in range(2))
labs.attention(model, tokenizer, "<script>alert(1)</script>", untrained)""",
    """from lesson_lib.gpt import GPT

torch.manual_seed(1)
labs.sampling(GPT(len(tokenizer), 32, 2, 2, 8, std=0.3), tokenizer, "<script>alert(1)</script>")""",
]
WORKING = ["aggregation", "softmax", "aggregation", "query_key", "attention", "sampling"]
TEXT = "# A title\n\nThe share is $p_i = \\frac{e^{z_i}}{\\sum_j e^{z_j}}$, and\n\n$$a < b$$"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    cells = [new_markdown_cell(TEXT), *map(new_code_cell, SOURCES)]
    notebooks.write(folder / "made.ipynb", new_notebook(cells=cells))
    assert main([str(folder / "made.ipynb"), str(folder / "made.html")]) == 0
    return folder / "made.html"


class Opened:
    """The page in a browser, from the disk; `errors` and `strangers` collect what should not be."""

    def __init__(self, browser, path, width=1280):
        self.errors, self.strangers = [], []
        self.page = browser.new_page(viewport={"width": width, "height": 900})
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.errors.append(said.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.strangers.append(request.url))
        self.page.route(re.compile("^https?:"), lambda route: route.abort())
        self.page.goto(path.as_uri())
        self.page.locator(".ll-lab:not([data-draws='0'])").nth(len(WORKING) - 1).wait_for()

    def labs(self):
        return self.page.locator(".ll-lab").all()


@pytest.fixture(scope="module")
def opened(browser, exported):
    page = Opened(browser, exported)
    yield page
    assert page.errors == [] and [url for url in page.strangers if not url.startswith(("file:", "data:"))] == []
    page.page.close()


def test_the_labs_that_work_alone_are_there_and_the_other_one_is_a_picture(opened):
    assert [lab.get_attribute("data-lab") for lab in opened.labs()] == WORKING
    [still] = opened.page.locator(".jp-OutputArea-output img").all()
    assert still.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100


@pytest.mark.parametrize(("operate", "typed"), [(by_keyboard, "dear"), (by_mouse, "alter")])
def test_every_control_changes_the_picture(opened, operate, typed):
    for lab in (opened.labs()[place] for place in (0, 1, 3, 4, 5)):
        assert idle_controls(lab, operate, typed) == []
        assert lab.locator(".ll-sentence").inner_text() and not lab.locator(".ll-problem").inner_text()


def test_the_tab_key_reaches_every_control(opened):
    for lab in (opened.labs()[place] for place in (0, 1, 3, 4, 5)):
        assert reached_by_tab(lab) == [name_of(control) for control in controls_of(lab)]


def test_a_text_that_looks_like_html_stays_text(opened):
    text = opened.labs()[2].locator(".ll-stage").inner_text()
    assert "&amp;" in text and "<b>" in text and opened.labs()[2].locator("b, script").count() == 0
    attention = opened.labs()[4]
    attention.get_by_label("text").fill("dear <script>alert(1)</script>")
    attention.locator(".ll-sentence", has_text="“\u2068>\u2069” (position 30 of 30)").wait_for()
    assert attention.locator("script").count() == 0
    sampling = opened.labs()[5]
    sampling.get_by_label("prompt").fill("<script>alert(1)</script>")
    sampling.locator(".sa-prompt", has_text="<script>alert(1)</script>").wait_for()
    assert sampling.locator("script").count() == 0


def test_formulas_are_drawn_by_the_browser_itself(opened):
    formulas = opened.page.locator("math")
    assert formulas.count() == 2 and formulas.first.locator("mfrac").count() == 1
    assert "$" not in opened.page.locator(".jp-MarkdownOutput").first.inner_text()
    assert opened.page.title() == "A title"


def test_a_page_from_elsewhere_would_be_noticed(browser, exported, tmp_path):
    bad = tmp_path / "bad.html"
    source = exported.read_text(encoding="utf-8")
    bad.write_text(source.replace("</head>", "<script src='https://example.org/planted.js'></script></head>"))
    page = Opened(browser, bad)
    assert "https://example.org/planted.js" in page.strangers and page.errors
    page.page.close()


def state(**traits):
    return {"_esm": "function render() {}\nexport default { render };", "_css": "", "works_alone": True} | traits


def test_the_values_cannot_end_the_script():
    html = live(state(text="</script><script>alert(1)</script>"), "lab-1")
    assert html.count("</script>") == 1
    values = json.loads(re.search(r"standIn\((.*)\), el:", html).group(1))
    assert values == {"works_alone": True, "text": "</script><script>alert(1)</script>"}


@pytest.mark.parametrize(
    ("traits", "told"),
    [
        ({"_esm": "render()"}, "ends with `export default"),
        ({"_esm": "'</SCRIPT>'\nexport default { render };"}, "would end its element"),
        ({"_css": "</style>"}, "would end its element"),
        ({"x": float("nan")}, "not JSON compliant"),
    ],
)
def test_what_cannot_stand_in_a_page_is_refused(traits, told):
    with pytest.raises(ValueError, match=told):
        live(state(**traits), "lab-1")


def test_without_a_widgets_state_the_still_picture_is_left():
    output = {"output_type": "display_data", "metadata": {}, "data": {WIDGET: {"model_id": "1"}, "text/html": "<img>"}}
    cells = [new_code_cell("lab", outputs=[output]), new_code_cell("lab", outputs=[json.loads(json.dumps(output))])]
    notebook = new_notebook(cells=cells)
    notebook.cells[1].outputs[0]["data"][WIDGET]["model_id"] = "2"
    notebook.metadata["widgets"] = {STATE: {"state": {"2": {"state": state()}}}}
    first, second = (cell.outputs[0]["data"] for cell in with_live_labs(notebook).cells)
    assert first == {"text/html": "<img>"} and "widgets" not in notebook.metadata
    assert set(second) == {"text/html"} and f"lab-{notebook.cells[1].id}-0" in second["text/html"]


def test_called_without_names_it_says_what_it_takes(capsys):
    assert main([]) == 2
    assert "python -m lesson_lib.labs.export" in capsys.readouterr().out
