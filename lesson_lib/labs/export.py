"""A notebook as one HTML page that needs no kernel, no network and no other file, and whose labs go on working.

    python -m lesson_lib.labs.export notebooks/11_softmax.ipynb softmax.html

The notebook is run from the top, so that each lab says what its page starts with. Then each lab's JavaScript is put
into the page, with a stand-in for the widget's model that holds the traits (stand_in.js). A lab that needs Python
for what it computes (`works_alone` is False) stays the still picture that it is in the notebook. Formulas become
MathML, which browsers draw by themselves.
"""

import json
import sys
from html import escape
from pathlib import Path

import nbformat
from jinja2 import DictLoader, pass_context
from latex2mathml.converter import convert
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath

HERE = Path(__file__).parent
WIDGET = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
LAST_LINE = "export default { render };"
# what nbconvert would fetch from elsewhere is left out
TEMPLATE = """{% extends "lab/index.html.j2" %}
{% block html_head_js %}{% endblock %}
{% block jupyter_widgets %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}"""


def live(state, name):
    """Return the HTML of a lab that works in any page; `name` is an id that no other element of the page has.

    state is the dictionary of the widget's traits, with its JavaScript as `_esm` and its styles as `_css`.
    """
    script, css = state["_esm"].rstrip(), state["_css"]
    if not script.endswith(LAST_LINE):
        raise ValueError(f"the JavaScript of a lab ends with `{LAST_LINE}`; this one does not")
    traits = {key: value for key, value in state.items() if not key.startswith("_")}
    # "<" could end the script element; in JSON it can be written otherwise
    values = json.dumps(traits, allow_nan=False).replace("<", "\\u003c")
    start = f'render({{ model: standIn({values}), el: document.getElementById("{name}") }});'
    code = "\n".join([script.removesuffix(LAST_LINE), (HERE / "stand_in.js").read_text(encoding="utf-8"), start])
    for part in (code, css):
        if "</script" in part.lower() or "</style" in part.lower():
            raise ValueError("the JavaScript or CSS of a lab would end its element in the page")
    return f'<div id="{name}"></div>\n<style>{css}</style>\n<script type="module">\n{code}\n</script>'


def with_live_labs(notebook):
    """Put the HTML of `live` in place of each lab that works alone, in a notebook that was run with its widgets' state.

    Of the others the still picture is left. The state itself is taken away.
    """
    states = notebook.metadata.pop("widgets", {}).get(STATE, {}).get("state", {})
    for cell in notebook.cells:
        for number, output in enumerate(cell.get("outputs", [])):
            if WIDGET not in output.get("data", {}):
                continue
            model = output["data"].pop(WIDGET)["model_id"]
            traits = states.get(model, {}).get("state", {})
            if traits.get("works_alone"):
                output["data"]["text/html"] = live(traits, f"lab-{cell.id}-{number}")
    return notebook


class Renderer(IPythonRenderer):
    """Markdown to HTML, with formulas as MathML."""

    def inline_math(self, body):
        return convert(body)

    def block_math(self, body):
        return convert(body, display="block")


class PageExporter(HTMLExporter):
    """nbconvert's page in JupyterLab's look, without what it would fetch from elsewhere."""

    @pass_context
    def markdown2html(self, context, source):
        """Return the HTML of a Markdown cell's source."""
        attachments = context.get("cell", {}).get("attachments", {})
        path = context.get("resources", {}).get("metadata", {}).get("path", "")
        renderer = Renderer(escape=False, attachments=attachments, embed_images=True, path=path)
        return MarkdownWithMath(renderer=renderer).render(source)


def page(notebook, folder, title, timeout=600):
    """Run the notebook in `folder`, with at most `timeout` seconds for a cell, and return its page as a string.

    Raises nbclient's CellExecutionError where a cell fails.
    """
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(
        notebook, timeout=timeout, kernel_name="python3", resources=resources, store_widget_state=True
    )
    client.execute()
    notebook.metadata["title"] = escape(title)
    exporter = PageExporter(
        template_file="page.html.j2",
        extra_loaders=[DictLoader({"page.html.j2": TEMPLATE})],
        embed_images=True,
        anchor_link_text="",
    )
    body, _ = exporter.from_notebook_node(with_live_labs(notebook), resources)
    return body


def main(arguments):
    if len(arguments) != 2:
        print(__doc__)
        return 2
    source, target = map(Path, arguments)
    notebook = nbformat.read(source, as_version=4)
    title = next((line[2:] for line in notebook.cells[0].source.splitlines() if line.startswith("# ")), source.stem)
    target.write_text(page(notebook, source.resolve().parent, title), encoding="utf-8")
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
