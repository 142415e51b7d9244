"""The course as a site: pages from the disk whose links lead somewhere, whose labs work, and that fetch nothing."""

import ast
import contextlib
import html.parser
import io
import os
import re

import pytest
from nbconvert.filters.markdown_mistune import MarkdownWithMath
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lesson_lib import site
from lesson_lib.site import Course, Renderer, build, is_like, main
from tests import notebooks
from tests.moves import by_keyboard, by_mouse, controls_of, idle_controls, name_of, reached_by_tab
from tests.notebooks import WIDGET

FIRST = """# The <first> page

The share is $p_i = \\frac{e^{z_i}}{\\sum_j e^{z_j}}$, and

$$a < b$$

![a dot](../assets/dot.svg) Go to [the second](02_second.ipynb), to [its end](02_second.ipynb#The-end), to
[its cell](02_second.ipynb#cell-id=kept), to [a file](../assets/a%20note.md), [elsewhere](https://example.org/), or
[down](#Below).

<details><summary>What you should have seen</summary>

*an answer*

</details>

## Below"""
LABS = {
    "aggregation": "from lesson_lib import labs\nlabs.aggregation('dear')",
    "softmax": "labs.softmax((2.0, 1.0, 0.0, -1.0))",
    "aggregation of html": "labs.aggregation(['</script>', '<b>', '&amp;'])",
    "query_key": "labs.query_key('dear')",
    "derivative": "labs.derivative('sin(2*x)')",
    "learning_rate": "labs.learning_rate()",
    "batches": "labs.batches('<script>alert(1)</script> a text to cut', 4, 2)",
    "bigram": "import numpy as np\nlabs.bigram('</script>abracadabra', np.eye(12))",
    "backprop": """from lesson_lib.micrograd import Value
labs.backprop((Value(2.0, label="a") * Value(-3.0, label="<b>")).tanh())""",
    "attention": """import torch
from lesson_lib.attention import AttentionLanguageModel, Block
from lesson_lib.text import CharTokenizer

torch.manual_seed(1)
tokenizer = CharTokenizer("<script>alert(1)</script> dear")
model, untrained = (AttentionLanguageModel(len(tokenizer), 32, 8, Block(8, 2)) for _ in range(2))
labs.attention(model, tokenizer, "<script>alert(1)</script>", untrained)""",
    "sampling": """from lesson_lib.gpt import GPT

torch.manual_seed(1)
labs.sampling(GPT(len(tokenizer), 32, 2, 2, 8, std=0.3), tokenizer, "<script>alert(1)</script>")""",
}
STAYS = "labs.playground(data='wave', layers=(4,))  # asks Python for each step"
PICTURE = '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=" alt="0.5 of it">'


def lab_output(picture):
    return new_output("display_data", {WIDGET: {"model_id": "1"}, "text/html": picture, "text/plain": "(lab)…"})


def lab_cell(source, names):
    """Return the cell with what it would store; what it defines goes into `names`."""
    *lines, last = ast.parse(source).body
    exec(compile(ast.Module(lines, []), "cell", "exec"), names)
    lab = eval(compile(ast.Expression(last.value), "cell", "eval"), names)
    return new_code_cell(source, outputs=[lab_output(lab._repr_mimebundle_()[0]["text/html"])])


# -- links --------------------------------------------------------------------------------------------------------


class Found(html.parser.HTMLParser):
    """The ids, the links and the pictures' addresses of some HTML."""

    def __init__(self, source):
        super().__init__()
        self.ids, self.links, self.pictures = [], [], []
        self.feed(source)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.ids.append(attributes.get("id"))
        if tag == "a":
            self.links.append(attributes["href"])
        if tag == "img":
            self.pictures.append(attributes["src"])


def dead_links(course):
    """Return (notebook, URL) for all that the text of the notebooks links to and that is not there, in their pages."""
    ids, links, dead = {}, [], []
    for path in course.notebooks:
        cells = notebooks.read(path).cells
        ids[course.pages[path]] = {f"cell-id={cell.id}" for cell in cells}
        for cell in cells:
            if cell.cell_type == "markdown":
                found = Found(MarkdownWithMath(renderer=Renderer(course, path, {})).render(cell.source))
                ids[course.pages[path]].update(found.ids)
                links += [(path.name, course.pages[path], url) for url in found.links]
                dead += [(path.name, url) for url in found.pictures if not url.startswith("data:")]
    for name, page, url in links:
        place, _, fragment = url.partition("#")
        if fragment and ids.get(place or page, {fragment}).isdisjoint({fragment}):
            dead.append((name, url))
    return dead


def test_every_link_in_the_lessons_leads_somewhere():
    course = Course(notebooks.paths(), site.ROOT)
    assert dead_links(course) == []
    assert course.pages[notebooks.paths()[0]] == "index.html" and len(course.pages) == 15


@pytest.mark.parametrize("url", ["00.ipynb#No-such-heading", "#cell-id=none", "00.ipynb#cell-id=none"])
def test_a_link_to_a_place_that_is_not_there_is_found(tmp_path, url):
    cells = [new_markdown_cell(f"# A\n\n[x]({url}) [y](00.ipynb#A) [z](#cell-id=c)"), new_code_cell("", id="c")]
    notebooks.write(tmp_path / "00.ipynb", new_notebook(cells=cells))
    [(name, found)] = dead_links(Course([tmp_path / "00.ipynb"], tmp_path))
    assert name == "00.ipynb" and found.partition("#")[2] == url.partition("#")[2]


@pytest.mark.parametrize("text", ["[x](gone.ipynb)", "[x](../outside.md)", "![x](gone.png)", "![x](https://a.org/b.png)"])
def test_what_is_no_file_of_the_course_is_refused_by_name(tmp_path, text):
    (tmp_path / "outside.md").touch()
    path = tmp_path / "course" / "00.ipynb"
    path.parent.mkdir()
    notebooks.write(path, new_notebook(cells=[new_markdown_cell(text)]))
    with pytest.raises(ValueError, match=r"00\.ipynb (links to|shows) \S+[,;]"):
        build(Course([path], path.parent), tmp_path / "site", [path])
    assert not (tmp_path / "site").exists()


# -- a small course, built ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A course of three notebooks, and what was printed while its site was made."""
    root = tmp_path_factory.mktemp("course")
    (root / "notebooks").mkdir()
    (root / "assets").mkdir()
    (root / "assets" / "dot.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>')
    (root / "assets" / "a note.md").write_text("a note")
    names = {}
    first = [new_markdown_cell(FIRST), *(lab_cell(source, names) for source in [*LABS.values(), STAYS])]
    # after the last lab nothing is run, and nothing at all where there is no lab
    first.append(new_code_cell("open('ran', 'w')"))
    kept = new_code_cell("open('ran', 'w')", outputs=[new_output("stream", text="what was stored")], id="kept")
    second = [new_markdown_cell("# The second"), kept, new_markdown_cell("## The end")]
    made = "labs.softmax((2.0, share))"
    same = lab_cell(made, names | {"share": 0.05})  # what the lab says with a twentieth of the budget
    same.id = "same"
    third = [
        new_code_cell("1 / 0  # an exercise, half written"),
        new_code_cell("from lesson_lib import labs\nshare = 1.0  # of all steps", metadata={"tags": ["budget"]}),
        new_code_cell(made, outputs=[lab_output(PICTURE)], id="changed"),
        new_code_cell("nothing", outputs=[lab_output(PICTURE)], id="fails"),
        same,
    ]
    for name, cells in [("00_first", first), ("02_second", second), ("03_third", third)]:
        notebooks.write(root / "notebooks" / f"{name}.ipynb", new_notebook(cells=cells))
    course = Course(sorted((root / "notebooks").glob("*.ipynb")), root)
    with contextlib.redirect_stdout(io.StringIO()) as said:
        build(course, root / "site", course.notebooks)
    assert not (root / "notebooks" / "ran").exists()
    return root / "site", said.getvalue()


class Opened:
    """A page in a browser, from the disk; `errors` and `strangers` collect what should not be."""

    def __init__(self, browser, path, **options):
        self.errors, self.strangers = [], []
        self.page = browser.new_page(viewport={"width": 1280, "height": 900}, **options)
        self.page.on("console", lambda said: said.type in ("error", "warning") and self.errors.append(said.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", lambda request: self.strangers.append(request.url))
        self.page.route(re.compile("^https?:"), lambda route: route.abort())
        self.page.goto(path.as_uri())
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.ll-lab')].every(lab => lab.dataset.draws !== '0')"
        )
        self.labs = dict(zip(LABS, self.page.locator(".ll-lab").all()))

    def close(self):
        assert self.errors == []
        assert [url for url in self.strangers if not url.startswith(("file:", "data:"))] == []
        self.page.close()


@pytest.fixture(scope="module")
def opened(browser, built):
    page = Opened(browser, built[0] / "index.html")
    yield page
    page.close()


def test_the_labs_that_work_alone_are_there_and_the_other_one_is_a_picture_and_says_so(opened):
    kinds = [lab.get_attribute("data-lab") for lab in opened.page.locator(".ll-lab").all()]
    assert kinds == [name.partition(" ")[0] for name in LABS]
    [image] = opened.page.locator(".jp-OutputArea-output img").all()
    assert image.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100
    assert image.get_attribute("alt")
    assert "In the notebook it is live." in opened.page.locator(".ll-still").inner_text()


@pytest.mark.parametrize(("operate", "typed"), [(by_keyboard, "dear"), (by_mouse, "alter")])
@pytest.mark.parametrize("name", sorted(LABS.keys() - {"aggregation of html"}))
def test_every_control_is_reached_by_tab_and_changes_the_picture(opened, name, operate, typed):
    lab = opened.labs[name]
    assert reached_by_tab(lab) == [name_of(control) for control in controls_of(lab)]
    assert idle_controls(lab, operate, typed) == []
    assert lab.locator(".ll-sentence").inner_text() and not lab.locator(".ll-problem").inner_text()


@pytest.mark.parametrize(
    ("name", "gone", "told"),
    [
        ("derivative", "input[type=text]", "type a function of your own"),
        ("backprop", "input[type=number]", "change the leaves"),
        ("learning_rate", "option[value=network]", "one more landscape"),
    ],
)
def test_what_only_python_can_do_is_left_out_and_told(opened, name, gone, told):
    assert opened.labs[name].locator(gone).count() == 0
    assert told in opened.labs[name].locator(".ll-remark").inner_text()


def test_a_text_that_looks_like_html_stays_text(opened):
    text = opened.labs["aggregation of html"].locator(".ll-stage").inner_text()
    assert "&amp;" in text and "<b>" in text
    opened.labs["attention"].get_by_label("text").fill("dear <script>alert(1)</script>")
    opened.labs["attention"].locator(".ll-sentence", has_text="(position 30 of 30)").wait_for()
    opened.labs["sampling"].get_by_label("prompt").fill("<script>alert(1)</script>")
    opened.labs["sampling"].locator(".sa-prompt", has_text="<script>alert(1)</script>").wait_for()
    for name in ("aggregation of html", "attention", "sampling", "batches", "bigram", "backprop"):
        assert opened.labs[name].locator("b:not(.bt-item b), script").count() == 0
    assert opened.page.title() == "The <first> page"


def test_formulas_are_drawn_by_the_browser_itself(opened):
    formulas = opened.page.locator("math")
    assert formulas.count() == 2 and formulas.first.locator("mfrac").count() == 1
    assert "$" not in opened.page.locator(".jp-MarkdownOutput").first.inner_text()


def test_no_lab_is_cut(opened):
    cut = """() => [...document.querySelectorAll('.jp-OutputArea-output')].filter(
        output => output.scrollHeight > output.clientHeight || output.scrollWidth > output.clientWidth).length"""
    assert opened.page.evaluate(cut) == 0
    # there a wide picture would be made narrow, where the lab lets it scroll
    assert opened.page.locator(".jp-RenderedHTMLCommon .ll-lab").count() == 0


def test_an_answer_stays_folded_until_it_is_asked_for(opened):
    answer = opened.page.get_by_text("an answer")
    assert answer.evaluate("answer => answer.tagName") == "EM" and not answer.is_visible()
    opened.page.get_by_text("What you should have seen").click()
    assert answer.is_visible()


def test_the_links_lead_on(browser, built):
    folder, _ = built
    page = Opened(browser, folder / "index.html")
    target = "() => document.querySelector(':target')?.textContent"
    for words, place in [("its end", "The end"), ("its cell", "what was stored"), ("down", "Below")]:
        page.page.goto((folder / "index.html").as_uri())
        page.page.get_by_role("link", name=words, exact=True).click()
        assert place in page.page.evaluate(target)
    assert (folder / "assets" / "a note.md").read_text() == "a note"
    assert page.page.locator("img[alt='a dot']").evaluate("image => image.naturalWidth") == 9
    names = {"index.html": ["The second →"], "02_second.html": ["← The <first> page", "03_third →"]}
    names["03_third.html"] = ["← The second", "The <first> page"]
    for name, words in names.items():
        page.page.goto((folder / name).as_uri())
        for way in page.page.get_by_role("navigation", name="lessons").all():
            assert way.get_by_role("link").all_inner_texts() == words
    page.page.get_by_role("link", name="The <first> page").first.click()
    assert page.page.url.endswith("/index.html")
    page.close()


def test_a_page_is_as_dark_as_its_reader_wants(browser, built):
    grounds = []
    for scheme in ("light", "dark"):
        page = Opened(browser, built[0] / "02_second.html", color_scheme=scheme)
        grounds.append(page.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert page.page.evaluate("document.documentElement.lang") == "en"
        page.close()
    assert grounds == ["rgb(255, 255, 255)", "rgb(17, 17, 17)"]


def test_a_lab_that_comes_out_other_than_stored_stays_a_picture_and_it_is_said(built):
    folder, words = built
    page = (folder / "03_third.html").read_text(encoding="utf-8")
    assert re.findall(r"cell (\w+) comes out other than stored", words) == ["changed", "fails"]
    assert re.findall(r'<div id="lab-(\w+)-0"', page) == ["same"]
    assert page.count('alt="0.5 of it"') == page.count("In the notebook it is live.") == 2
    assert "what was stored" in (folder / "02_second.html").read_text(encoding="utf-8")
    assert re.findall(r"(\w+\.html) .*live labs: (\d+)", words) == [
        ("index.html", "11"), ("02_second.html", "0"), ("03_third.html", "1"),
    ]  # fmt: skip
    assert [path for path in folder.rglob("*") if path.suffix == ".part"] == []


def test_a_page_from_elsewhere_would_be_noticed(browser, built, tmp_path):
    source = (built[0] / "02_second.html").read_text(encoding="utf-8")
    planted = source.replace("</head>", "<script src='https://example.org/planted.js'></script></head>")
    (tmp_path / "bad.html").write_text(planted, encoding="utf-8")
    page = Opened(browser, tmp_path / "bad.html")
    assert "https://example.org/planted.js" in page.strangers and page.errors
    page.page.close()


@pytest.mark.parametrize(
    ("other", "alike"),
    [("weight 0.42 of 8", True), ("weight 0.80 of 8", False), ("weight 0.42 of 9", False), ("height 0.42 of 8", False)],
)
def test_words_are_compared_to_the_letter_and_numbers_nearly(other, alike):
    assert is_like("weight 0.44 of 8", other) == alike


# -- the command ----------------------------------------------------------------------------------------------------


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of two notebooks without labs; returns the folder of its site."""
    for name in ("00_a", "01_b"):
        notebooks.write(tmp_path / f"{name}.ipynb", new_notebook(cells=[new_markdown_cell(f"# {name}")]))
    for name, path in {"ROOT": tmp_path, "NOTEBOOKS": tmp_path, "SITE": tmp_path / "site"}.items():
        monkeypatch.setattr(site, name, path)
    return tmp_path / "site"


def test_the_command_makes_all_pages_or_those_that_are_named(course, capsys):
    assert main([str(course.parent / "01_b.ipynb")]) == 0
    assert [path.name for path in course.iterdir()] == ["01_b.html"]
    assert main([]) == 0
    assert {path.name for path in course.iterdir()} == {"index.html", "01_b.html"}
    assert f"Open {course / 'index.html'}" in capsys.readouterr().out


def test_a_name_that_is_no_notebook_is_told(course, capsys):
    assert main(["01_c.ipynb"]) == 2
    assert "01_c.ipynb" in capsys.readouterr().err and not course.exists()


def test_who_stops_it_keeps_whole_pages(course, monkeypatch, capsys):
    assert main([]) == 0
    before = {path: path.read_bytes() for path in course.iterdir()}
    replace = os.replace

    def stopped(part, path):
        if path.name == "01_b.html":
            raise KeyboardInterrupt
        replace(part, path)

    monkeypatch.setattr(site, "page", lambda *_: "new")
    monkeypatch.setattr(os, "replace", stopped)
    assert main([]) == 1
    assert "Stopped" in capsys.readouterr().err
    assert (course / "index.html").read_bytes() == b"new"
    assert (course / "01_b.html").read_bytes() == before[course / "01_b.html"]
