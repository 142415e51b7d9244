"""The rules that every notebook keeps. Each rule yields a line for each breach, and is itself seen to fail below."""

import ast
import base64
import copy
import html.parser
import re
import types

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from lesson_lib.check import exercises
from tests import notebooks
from tests.notebooks import FOLDER, WIDGET, code_cells, tagged, tags
from tests.test_claims import CLAIMS

LESSONS = [
    "01_derivatives",
    "02_chain_rule",
    "03_micrograd",
    "04_neural_networks",
    "05_gradient_descent",
    "06_tensors",
    "07_text",
    "08_bigram",
    "09_bag_of_words",
    "10_matmul_trick",
    "11_softmax",
    "12_self_attention",
    "13_multi_head_attention",
    "14_gpt",
]
NOTEBOOKS = ["00_start_here", *LESSONS]
SECTIONS = ["What you need", "What you will be able", "Where people trip", "Exercises", "Summary", "The next question"]
TAGS = {"nbval-ignore-output", "uses-torch", "budget", *(f"claim-{claim}" for claim in CLAIMS)}
HERE = "|".join({"root", "home", "tmp", "var", "private", "Users", re.escape(FOLDER.resolve().parts[1])})
OF_ONE_MACHINE = rf"(?<![\w/.])/(?:{HERE})\b|\b[A-Z]:\\\w|\b0x[0-9a-f]{{6,}}|site-packages"
DATA_URI = r"data:([\w/+-]+);base64,([\w+/=\s]+)"


def prose(notebook):
    """Return the text of all Markdown cells, without the code blocks in it."""
    text = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    return re.sub(r"(?ms)^```.*?^```", "", text)


def outputs(notebook):
    return [output for cell in code_cells(notebook) for output in cell.outputs]


def texts(notebook):
    """Return all that can be read in the notebook: sources, outputs, and the SVG pictures inside the outputs."""
    found = [cell.source for cell in notebook.cells]
    for output in outputs(notebook):
        for text in [output.get("text", ""), *output.get("data", {}).values()]:
            text = str(text)
            found.append(re.sub(DATA_URI, "", text))
            pictures = re.findall(DATA_URI, text)
            found += [base64.b64decode(data).decode() for kind, data in pictures if kind == "image/svg+xml"]
    return found


class Images(html.parser.HTMLParser):
    """Collects the alt text of each <img>, and "" where there is none."""

    def __init__(self, text):
        super().__init__()
        self.alts = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        if tag == "img":
            self.alts.append(dict(attributes).get("alt") or "")


def outputs_are_complete(notebook, name, exercises):
    for count, cell in enumerate(code_cells(notebook), start=1):
        if cell.execution_count != count:
            yield f"cell {count} has the count {cell.execution_count}: run `python -m tests.notebooks`"
        for output in cell.outputs:
            if output.output_type == "error" or output.get("name") == "stderr":
                yield f"cell {count} has stored an error or a warning: {output.get('evalue') or output.get('text')}"


def nothing_is_of_one_machine(notebook, name, exercises):
    for text in texts(notebook):
        for found in re.finditer(OF_ONE_MACHINE, text):
            yield f"of one machine only: {text[found.start() : found.end() + 30]!r}"


def no_widget_is_without_a_picture(notebook, name, exercises):
    if "widgets" in notebook.metadata:
        yield "the state of widgets is stored"
    for output in outputs(notebook):
        data = output.get("data", {})
        if WIDGET in data and not Images(str(data.get("text/html", ""))).alts:
            yield f"a widget without a still picture: {data.get('text/plain')}"


def every_picture_has_alt_text(notebook, name, exercises):
    alts = re.findall(r"!\[(.*?)\]\(", prose(notebook)) + Images(prose(notebook)).alts
    for output in outputs(notebook):
        data = output.get("data", {})
        alts += Images(str(data.get("text/html", ""))).alts
        for kind in data:
            if kind.startswith("image/"):
                yield f"a bare {kind} has no alt text: show a draw.Picture"
    for alt in alts:
        if len(alt.split()) < 3:
            yield f"this alt text says too little: {alt!r}"


def structure_is_the_same(notebook, name, exercises):
    headings = re.findall(r"(?m)^# .+", prose(notebook))
    if len(headings) != 1 or not notebook.cells[0].source.startswith("# "):
        yield f"one title, at the top: {headings}"
    if name in LESSONS:
        for section in SECTIONS:
            if not re.search(rf"(?m)^(#+ |\*\*){section}", prose(notebook)):
                yield f"no section {section!r}"


def links_lead_somewhere(notebook, name, exercises):
    for target in re.findall(r"(?<=\]\()[^)\s]+|(?<=href=\")[^\"]+|(?<=src=\")[^\"]+", prose(notebook)):
        file, _, heading = target.partition("#")
        if re.match(r"https?://|mailto:|data:|attachment:", target):
            continue
        if file and not (FOLDER / file).exists():
            yield f"no such file: {target}"
        elif heading:
            other = notebooks.read(FOLDER / file) if file else notebook
            headings = [line.replace(" ", "-") for line in re.findall(r"(?m)^#+ (.+?)\s*$", prose(other))]
            if heading not in headings + [f"cell-id={cell.id}" for cell in other.cells]:
                yield f"no such heading or cell: {target}"


def cells_are_well_formed(notebook, name, exercises):
    ids = [cell.id for cell in notebook.cells]
    if len(set(ids)) < len(ids):
        yield "two cells have one id"
    known = TAGS | {f"exercise-{exercise}" for exercise in exercises}
    for cell in notebook.cells:
        if unknown := set(tags(cell)) - known:
            yield f"unknown tags: {unknown}"
    for cell in code_cells(notebook):
        try:
            ast.parse(cell.source)
        except SyntaxError:
            yield f"magic, or not Python:\n{cell.source}"
        if re.search(r";\s*$|\b(clear_output|get_ipython|display_id)\b", cell.source):
            yield f"this does not come out the same in every run: {cell.source}"
        if "nbval-ignore-output" in tags(cell) and not re.search(r"(?m)^\s*assert ", cell.source):
            yield f"its output is not compared, so it should assert what matters: {cell.source}"
        if re.search(r"#\s*(NBVAL|PYTEST)_", cell.source):
            yield f"nbval is told what to do by tags, which the tests see: {cell.source}"


def exercises_are_complete(notebook, name, exercises):
    mine = {key: exercise for key, exercise in exercises.items() if exercise.lesson == name}
    found = [tag for cell in notebook.cells for tag in tags(cell)]
    used = [tag.removeprefix("exercise-") for tag in found if tag.startswith("exercise-")]
    if sorted(used) != sorted(mine):
        yield f"the notebook has {sorted(used)} and lesson_lib.check has {sorted(mine)}"
    if name in LESSONS and len(used) < 4:
        yield "fewer than 4 exercises"
    for key in set(used) & set(mine):
        place = next(n for n, cell in enumerate(notebook.cells) if f"exercise-{key}" in tags(cell))
        task, stub, *after = notebook.cells[place - 1 :]
        check = next((cell for cell in after if cell.cell_type == "code"), new_code_cell())
        if not re.search(rf"\({mine[key].minutes} minutes?\)", task.source):
            yield f"{key}: the task should say ({mine[key].minutes} minutes)"
        if "..." not in stub.source:
            yield f"{key}: the stub has no `...`"
        if f"check.{key}({key})" not in check.source or "nbval-ignore-output" in tags(check):
            yield f"{key}: the next code cell should be its check"
        if not str([output.get("text") for output in check.outputs]).startswith("['○ not attempted yet"):
            yield f"{key}: the check of the stub should say that it was not attempted yet"


def no_answer_is_given_away(notebook, name, exercises):
    cells = ["\n".join(line.strip() for line in cell.source.splitlines()) for cell in notebook.cells]
    for key, exercise in exercises.items():
        answer = [line.strip() for line in exercise.solution.splitlines()]
        stubs = [line.strip() for cell in tagged(notebook, f"exercise-{key}") for line in cell.source.splitlines()]
        while answer and answer[0] in stubs:
            answer.pop(0)
        for secret in ["\n".join(answer), exercise.reasons, *exercise.hints]:
            if stubs and any(f"\n{secret}\n" in f"\n{cell}\n" for cell in cells):
                yield f"{key}: the notebook gives away {secret!r}"
        if any(f"{key}.answer()" in cell.source or f"{key}.hint()" in cell.source for cell in code_cells(notebook)):
            yield f"{key}: a cell asks for the answer or a hint"


RULES = [
    outputs_are_complete,
    nothing_is_of_one_machine,
    no_widget_is_without_a_picture,
    every_picture_has_alt_text,
    structure_is_the_same,
    links_lead_somewhere,
    cells_are_well_formed,
    exercises_are_complete,
    no_answer_is_given_away,
]


def test_the_notebooks_are_those_that_we_know():
    assert [path.stem for path in notebooks.paths()] == NOTEBOOKS
    assert set(LESSONS) <= {exercise.lesson for exercise in exercises.values()} <= set(NOTEBOOKS)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_every_notebook_keeps_the_rules(name, rule):
    assert list(rule(notebooks.read(FOLDER / f"{name}.ipynb"), name, exercises)) == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_files_are_small(name):
    assert (FOLDER / f"{name}.ipynb").stat().st_size < 1_500_000


# the rules themselves: a small notebook that keeps them all, and then breaks one after the other

LESSON = LESSONS[0]
HTML = '<img src="data:image/svg+xml;base64,{}" alt="A line that rises">'


def picture(svg="<svg>fine</svg>", **others):
    html = HTML.format(base64.b64encode(svg.encode()).decode())
    return new_output("display_data", {"text/html": html, "text/plain": "Picture: a line", **others})


def good():
    cells = [
        new_markdown_cell("# Title\n\n**What you need:** nothing.\n\n![A line that rises](https://example.org/a.png)"),
        new_markdown_cell("".join(f"## {section}\n\n" for section in SECTIONS[1:])),
        new_code_cell("lab", outputs=[picture(**{WIDGET: {"model_id": "1"}})]),
        new_code_cell("print(1)", outputs=[new_output("stream", text="1\n")], metadata={"tags": ["claim-A1"]}),
        new_markdown_cell("See [the title](#Title).\n\n```python\n# not a title\n```"),
    ]
    for name in EXERCISES:
        stub = new_code_cell(f"def {name}(x):\n    return ...", metadata={"tags": [f"exercise-{name}"]})
        unsolved = new_output("stream", text="○ not attempted yet. And so on.\n")
        cells += [new_markdown_cell(f"### {name} (3 minutes)"), stub]
        cells += [new_code_cell(f"check.{name}({name})", outputs=[unsolved])]
    notebook = new_notebook(cells=cells)
    for count, cell in enumerate(code_cells(notebook), start=1):
        cell.execution_count = count
    return notebook


EXERCISES = {
    name: types.SimpleNamespace(
        lesson=LESSON,
        minutes=3,
        hints=[f"Think of {name}."],
        reasons="So.",
        solution=f"def {name}(x):\n    y = x + 1\n    return y",
    )
    for name in ("one", "two", "three", "four")
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_good_notebook_passes(rule):
    assert list(rule(good(), LESSON, EXERCISES)) == []


def add(cell):
    return lambda notebook: notebook.cells.append(cell)


def output(**parts):
    return lambda notebook: code_cells(notebook)[0].outputs.append(new_output(**parts))


def change(old, new):
    """Replace old by new in every source that has it."""

    def apply(notebook):
        for cell in notebook.cells:
            cell.source = cell.source.replace(old, new)

    return apply


def check_cell(**parts):
    return lambda notebook: code_cells(notebook)[3].update(parts)


BREACHES = [
    (outputs_are_complete, add(new_code_cell("1"))),
    (outputs_are_complete, lambda notebook: notebook.cells.pop(2)),
    (outputs_are_complete, output(output_type="error", ename="ValueError", evalue="no", traceback=[])),
    (outputs_are_complete, output(output_type="stream", name="stderr", text="a warning")),
    (nothing_is_of_one_machine, output(output_type="stream", text="<object at 0x7f12ab34cd56>")),
    (nothing_is_of_one_machine, output(output_type="stream", text='File "/tmp/ipykernel_1/2.py"')),
    (nothing_is_of_one_machine, output(output_type="stream", text=r"C:\Users\me")),
    (nothing_is_of_one_machine, output(output_type="execute_result", data={"text/plain": "/home/me/x"})),
    (nothing_is_of_one_machine, lambda notebook: code_cells(notebook)[0].outputs.append(picture("<svg>/root/x</svg>"))),
    (nothing_is_of_one_machine, add(new_markdown_cell("Look into /var/x."))),
    (no_widget_is_without_a_picture, output(output_type="display_data", data={WIDGET: {}, "text/html": "<p>lab</p>"})),
    (no_widget_is_without_a_picture, lambda notebook: notebook.metadata.update(widgets={})),
    (every_picture_has_alt_text, output(output_type="display_data", data={"text/html": '<img src="x">'})),
    (every_picture_has_alt_text, output(output_type="display_data", data={"text/html": '<img src="x" alt="">'})),
    (every_picture_has_alt_text, output(output_type="display_data", data={"image/png": "x", "text/plain": "y"})),
    (every_picture_has_alt_text, add(new_markdown_cell("![](a.png)"))),
    (every_picture_has_alt_text, add(new_markdown_cell('<img src="a.png">'))),
    (structure_is_the_same, add(new_markdown_cell("# Another title"))),
    (structure_is_the_same, change("# Title", "## Title")),
    *((structure_is_the_same, change(section, "Other words")) for section in SECTIONS),
    (links_lead_somewhere, add(new_markdown_cell("[next](99_no_such.ipynb)"))),
    (links_lead_somewhere, add(new_markdown_cell("[above](#No-such-heading)"))),
    (links_lead_somewhere, add(new_markdown_cell('<a href="../no_such.md">x</a>'))),
    (cells_are_well_formed, lambda notebook: notebook.cells.append(copy.deepcopy(notebook.cells[0]))),
    (cells_are_well_formed, add(new_code_cell("1", metadata={"tags": ["calim-A1"]}))),
    (cells_are_well_formed, add(new_markdown_cell("1", metadata={"tags": ["exercise-five"]}))),
    (cells_are_well_formed, add(new_code_cell("%timeit 1"))),
    (cells_are_well_formed, add(new_code_cell("plot();"))),
    (cells_are_well_formed, add(new_code_cell("get_ipython()"))),
    (cells_are_well_formed, add(new_code_cell("# NBVAL_SKIP\n1"))),
    (cells_are_well_formed, add(new_code_cell("print(1)", metadata={"tags": ["nbval-ignore-output"]}))),
    (exercises_are_complete, lambda notebook: code_cells(notebook)[2].metadata.update(tags=[])),
    (exercises_are_complete, change("(3 minutes)", "(4 minutes)")),
    (exercises_are_complete, change("return ...", "return 1")),
    (exercises_are_complete, change("check.one(one)", "check.one(two)")),
    (exercises_are_complete, check_cell(outputs=[])),
    (exercises_are_complete, check_cell(outputs=[new_output("stream", text="✗ Wrong.\n")])),
    (exercises_are_complete, check_cell(metadata={"tags": ["nbval-ignore-output"]})),
    (no_answer_is_given_away, add(new_code_cell("def five(x):\n    y = x + 1\n    return y"))),
    (no_answer_is_given_away, add(new_markdown_cell("Think of two."))),
    (no_answer_is_given_away, add(new_code_cell("check.one.answer()"))),
]


@pytest.mark.parametrize(("rule", "breach"), BREACHES)
def test_each_rule_fails_where_it_should(rule, breach):
    notebook = good()
    breach(notebook)
    assert list(rule(notebook, LESSON, EXERCISES)) != []


def test_every_rule_is_seen_to_fail():
    assert {rule for rule, _ in BREACHES} == set(RULES)
