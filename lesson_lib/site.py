"""The course as a site: a page for each notebook, to be opened from the disk, without Python and without a network.

    python3 start.py site                                  every page, into the folder build/site
    python3 start.py site notebooks/11_softmax.ipynb       only this one, anew

A page shows the notebook's text and its stored outputs. The notebook is also run, up to its last lab, to learn what
each lab begins with; labs that can do without Python then work in the page (labs/export.py). Formulas become MathML,
which browsers draw by themselves.
"""

import base64
import math
import mimetypes
import os
import re
import sys
from html import escape
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import nbformat
from jinja2 import DictLoader, pass_context
from latex2mathml.converter import convert
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

from lesson_lib.labs.export import live, still

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = ROOT / "notebooks"
SITE = ROOT / "build" / "site"
WIDGET = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
# nbconvert's page in JupyterLab's look, without what it would fetch from elsewhere
TEMPLATE = """{% extends "lab/index.html.j2" %}
{% block html_head_js %}{% endblock %}
{% block jupyter_widgets %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block notebook_css %}
{{ super() }}
<style media="(prefers-color-scheme: dark)">{% include "static/theme-dark.css" %}</style>
<style>
:root { color-scheme: light dark; }
main, .course-way { max-width: 1060px; margin: 0 auto; }
/* a table cell, as nbconvert has it, does not grow with a lab whose styles depend on its width */
.jp-OutputArea-child { display: flex; }
.jp-OutputArea-prompt { flex: none; }
.jp-OutputArea-output { flex: 1; min-width: 0; }
.course-way { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 6px 24px; padding: 12px 8px;
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Helvetica Neue", Arial, sans-serif; }
.course-way a { color: var(--jp-content-link-color); }
.course-way a:last-child { margin-left: auto; }
.course-note, .ll-still { font-style: italic; }
.course-note { margin: 8px; }
</style>
{% endblock %}
{# not among what JupyterLab styles as text: its rules for pictures and tables are not for labs #}
{% block data_html scoped %}{% if output.metadata.live %}
<div class="jp-OutputArea-output">{{ output.data["text/html"] }}</div>
{% else %}{{ super() }}{% endif %}{% endblock %}
{% block body_header %}<body class="jp-Notebook">
{{ resources.way }}
<main>{{ resources.note }}{% endblock %}
{% block body_footer %}</main>
{{ resources.way }}
</body>{% endblock %}
"""
NOTE = """<p class="course-note">These pages are the course to read; most of its labs can be moved in them. To run the
cells and do the exercises, take the notebooks themselves: the course's README says how.</p>"""


class Course:
    """The notebooks as the pages that they become: their names, their titles, and where a link leads.

    root is the folder outside of which nothing is taken. The first notebook becomes the index.
    """

    def __init__(self, notebooks, root):
        self.root = Path(root).resolve()
        self.notebooks = [Path(path).resolve() for path in notebooks]
        self.pages = {path: f"{path.stem}.html" if place else "index.html" for place, path in enumerate(self.notebooks)}
        self.titles = {path: title(read(path), path.stem) for path in self.notebooks}
        self.files = set()  # what else is linked to, by the pages made so far

    def file(self, url, notebook):
        """Return the path of the file that a relative URL in the notebook's text names; None for other URLs."""
        parts = urlsplit(url)
        if parts.scheme or parts.netloc or not parts.path:
            return None
        path = (notebook.parent / unquote(parts.path)).resolve()
        if not (path.is_file() and path.is_relative_to(self.root)):
            raise ValueError(f"{notebook.name} links to {url}, and this is no file of the course")
        return path

    def target(self, url, notebook):
        """Return where the page of the notebook links to, for a URL in its text."""
        path = self.file(url, notebook)
        if path is None:
            return url
        if path not in self.pages:
            self.files.add(path)
        place = self.pages.get(path) or quote(path.relative_to(self.root).as_posix())
        fragment = urlsplit(url).fragment
        return f"{place}#{fragment}" if fragment else place

    def picture(self, url, notebook):
        """Return a picture in the notebook's text as a URL that holds it."""
        if url.startswith(("attachment:", "data:")):
            return url
        path = self.file(url, notebook)
        if path is None:
            raise ValueError(f"{notebook.name} shows {url}; a picture must be a file of the course")
        return f"data:{mimetypes.guess_type(path)[0]};base64,{base64.b64encode(path.read_bytes()).decode()}"

    def way(self, notebook):
        """Return the HTML of the links to the page before, to the first page, and to the one after."""
        place = self.notebooks.index(notebook)
        links = [(place - 1, "← {}"), (0, "{}") if place > 1 else (-1, ""), (place + 1, "{} →")]
        html = ""
        for there, words in links:
            if 0 <= there < len(self.notebooks):
                path = self.notebooks[there]
                html += f'<a href="{self.pages[path]}">{words.format(escape(self.titles[path]))}</a>'
        return f'<nav class="course-way" aria-label="lessons">{html}</nav>'


def read(path):
    return nbformat.read(path, as_version=4)


def title(notebook, otherwise):
    """Return the notebook's first heading."""
    lines = (line for cell in notebook.cells if cell.cell_type == "markdown" for line in cell.source.splitlines())
    return next((line[2:] for line in lines if line.startswith("# ")), otherwise)


# -- text and outputs -----------------------------------------------------------------------------------------


class Renderer(IPythonRenderer):
    """A notebook's Markdown to HTML: formulas as MathML, links as the site needs them, pictures embedded."""

    def __init__(self, course, notebook, attachments):
        super().__init__(escape=False, anchor_link_text="", attachments=attachments)
        self.course, self.notebook = course, notebook

    def inline_math(self, body):
        return convert(body)

    def block_math(self, body):
        return convert(body, display="block")

    def link(self, text, url, title=None):
        return super().link(text, self.course.target(url, self.notebook), title)

    def image(self, text, url, title=None):
        return super().image(text, self.course.picture(url, self.notebook), title)


class PageExporter(HTMLExporter):
    """nbconvert's page of a notebook, with our Markdown."""

    course = path = None  # the `Course` and its notebook: to be set before an export

    @pass_context
    def markdown2html(self, context, source):
        """Return the HTML of a Markdown cell's source."""
        attachments = context.get("cell", {}).get("attachments", {})
        return MarkdownWithMath(renderer=Renderer(self.course, self.path, attachments)).render(source)


def page(course, path, labs):
    """Return the page of a notebook of the course as a string. labs are the live ones, as `lab_states` returns them."""
    notebook = read(path)
    for cell, number, output in shown(notebook):
        data, state = output["data"], labs.get((cell.id, number))
        del data[WIDGET]
        if state:
            data["text/html"] = live(state, f"lab-{cell.id}-{number}")
            output["metadata"]["live"] = True
        elif "text/html" in data:
            data["text/html"] = still(data["text/html"])
    notebook.metadata["title"] = course.titles[path]
    note = NOTE if path == course.notebooks[0] else ""
    loaders = [DictLoader({"page.html.j2": TEMPLATE})]
    exporter = PageExporter(template_file="page.html.j2", extra_loaders=loaders)
    exporter.course, exporter.path = course, path
    body, _ = exporter.from_notebook_node(notebook, {"way": course.way(path), "note": note})
    return once(body)


def once(body):
    """Return the page with only one copy of a model's numbers, where several of its labs hold the same ones."""
    long = re.findall(r'"[\w+/=]{100000,}"', body, re.ASCII)
    shared = [text for text in dict.fromkeys(long) if long.count(text) > 1]
    if not shared:
        return body
    for number, text in enumerate(shared):
        body = body.replace(text, f"shared[{number}]")
    if "<head>" not in body:
        raise ValueError("nbconvert's page has no <head> for the numbers that its labs share")
    return body.replace("<head>", f"<head>\n<script>const shared = [{','.join(shared)}];</script>", 1)


# -- what the labs begin with ---------------------------------------------------------------------------------


def shown(notebook):
    """Yield (cell, number of the output, output) for each output that shows a widget."""
    for cell in notebook.cells:
        for number, output in enumerate(cell.get("outputs", [])):
            if WIDGET in output.get("data", {}):
                yield cell, number, output


def lab_states(path):
    """Run the notebook up to its last lab; return the traits of the labs that work alone, by (cell id, output number).

    Exercises may fail. A budget of training steps, in a cell tagged `budget`, is cut to a twentieth. A lab that does
    not come out as its stored picture says is not among them, and this is told: it may need the whole budget, a text
    that is not here, or a cell that was changed since.
    """
    notebook = read(path)
    stored = {(cell.id, number): output["data"].get("text/html", "") for cell, number, output in shown(notebook)}
    last = max((i for i, cell in enumerate(notebook.cells) if any(cell.id == lab for lab, _ in stored)), default=-1)
    if last < 0:
        return {}
    del notebook.cells[last + 1 :]
    for cell in notebook.cells:
        if "budget" in cell.metadata.get("tags", []):
            cell.source, found = re.subn(r"(?m)^share = 1\.0\b", "share = 0.05", cell.source)
            if found != 1:
                raise ValueError(f"{path.name}: the cell tagged budget needs one line `share = 1.0`; it has {found}")
    NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--log-level=ERROR"],
        allow_errors=True,
        store_widget_state=True,
        on_cell_start=lambda cell, cell_index: passing(f"{path.name}: cell {cell_index + 1} of {last + 1}"),
    ).execute()
    states = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    came = {(cell.id, number): output["data"] for cell, number, output in shown(notebook)}
    labs = {}
    for place, picture in stored.items():
        data = came.get(place)
        traits = states.get(data[WIDGET]["model_id"], {}).get("state", {}) if data else {}
        if data and not traits.get("works_alone"):
            continue
        if data and is_like(said(picture), said(data.get("text/html", ""))):
            labs[place] = traits
        else:
            print(f"{path.name}: the lab in the cell {place[0]} comes out other than stored, so it stays a picture.")
    return labs


def said(picture):
    """Return what the HTML of a picture says in words."""
    alt = re.search(r'\balt="([^"]*)"', picture)
    return alt.group(1) if alt else picture


def is_like(one, other):
    """Whether two texts have the same words, and nearly the same numbers: those of a training differ by machine."""
    number = re.compile(r"\d+(?:\.\d+)?")
    pairs = zip(number.findall(one), number.findall(other))
    near = all(math.isclose(float(a), float(b), rel_tol=0.1, abs_tol=0.05) for a, b in pairs)
    return near and number.sub("#", one) == number.sub("#", other)


# -- the site -------------------------------------------------------------------------------------------------


def write(path, data):
    """Write the file in one move, so that an interrupted run never leaves half a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    os.replace(part, path)


def passing(words):
    """Print what the next line may replace, where somebody looks on."""
    if sys.stdout.isatty():
        print(f"{words:<70}", end="\r", flush=True)


def build(course, folder, wanted):
    """Write the pages of the notebooks `wanted`, and what they link to, into the folder."""
    for path in wanted:
        labs = lab_states(path)
        target = folder / course.pages[path]
        write(target, page(course, path, labs).encode())
        print(f"{target.name:<32} {target.stat().st_size / 1e6:5.1f} MB   live labs: {len(labs)}", flush=True)
    for file in course.files:
        write(folder / file.relative_to(course.root), file.read_bytes())


def main(arguments):
    course = Course(sorted(NOTEBOOKS.glob("*.ipynb")), ROOT)
    wanted = [Path(name).resolve() for name in arguments] or course.notebooks
    unknown = [str(path) for path in wanted if path not in course.pages]
    if unknown:
        print(f"This is no notebook of the course: {', '.join(unknown)}\n{__doc__}", file=sys.stderr)
        return 2
    try:
        build(course, SITE, wanted)
    except (KeyboardInterrupt, DeadKernelError):  # at Ctrl-C nbclient ends the kernel
        print("\nStopped, because the kernel was ended. The pages that were written before stay.", file=sys.stderr)
        return 1
    print(f"Open {SITE / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
