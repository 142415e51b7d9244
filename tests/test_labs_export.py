"""A lab as a part of a page without a kernel: what may stand there, and what is refused. test_site.py opens pages."""

import json
import re

import pytest

from lesson_lib.labs.export import live, still


def state(**traits):
    return {"_esm": "function render() {}\nexport default { render };", "_css": "", "works_alone": True} | traits


def test_the_values_cannot_end_the_script():
    html = live(state(text="</script><script>alert(1)</script>"), "lab-1")
    assert html.count("</script>") == 1
    values = json.loads(re.search(r"standIn\((.*)\), el:", html).group(1))
    assert values == {"works_alone": True, "alone": True, "text": "</script><script>alert(1)</script>"}


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


def test_a_lab_that_is_only_a_picture_says_so():
    assert still("<img>").startswith("<img>") and "In the notebook it is live." in still("<img>")
