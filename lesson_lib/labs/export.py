"""A lab as a part of a page that has no kernel: its JavaScript, with a stand-in for the widget's model (stand_in.js).

Saved widget state would need a script from elsewhere. A lab that needs Python for all that it does (`works_alone` is
False) stays the still picture that it is in the notebook. site.py makes the pages.
"""

import json
from pathlib import Path

HERE = Path(__file__).parent
LAST_LINE = "export default { render };"
STILL = '<p class="ll-still">This is a picture of the lab. In the notebook it is live.</p>'


def live(state, name):
    """Return the HTML of a lab that works in any page; `name` is an id that no other element of the page has.

    state is the dictionary of the widget's traits, with its JavaScript as `_esm` and its styles as `_css`.
    """
    script, css = state["_esm"].rstrip(), state["_css"]
    if not script.endswith(LAST_LINE):
        raise ValueError(f"the JavaScript of a lab ends with `{LAST_LINE}`; this one does not")
    traits = {key: value for key, value in state.items() if not key.startswith("_")} | {"alone": True}
    # "<" could end the script element; in JSON it can be written otherwise
    values = json.dumps(traits, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    start = f'render({{ model: standIn({values}), el: document.getElementById("{name}") }});'
    code = "\n".join([script.removesuffix(LAST_LINE), (HERE / "stand_in.js").read_text(encoding="utf-8"), start])
    for part in (code, css):
        if "</script" in part.lower() or "</style" in part.lower():
            raise ValueError("the JavaScript or CSS of a lab would end its element in the page")
    return f'<div id="{name}"></div>\n<style>{css}</style>\n<script type="module">\n{code}\n</script>'


def still(picture):
    """Return the HTML of a lab that is only a picture in the page, and of a sentence that says so."""
    return f"{picture}\n{STILL}"
