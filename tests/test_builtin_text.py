"""Where nothing can be downloaded: every lesson that reads a text runs through with Python's own documentation."""

import re

import pytest

from tests import notebooks
from tests.plain_run import run

READERS = [
    path.stem
    for path in notebooks.paths()
    if any(re.search(r"\bload\(\)", cell.source) for cell in notebooks.code_cells(notebooks.read(path)))
]
SAY_WHICH = "from lesson_lib import text\nassert text.load() == text.builtin_text()"


def nowhere(tmp_path):
    """The environment of a machine without a network, a cache or a folder of texts."""
    proxies = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    return proxies | {"LESSON_LIB_DATA": "", "LESSON_LIB_HOME": str(tmp_path), "no_proxy": "", "NO_PROXY": ""}


def test_the_lessons_that_read_a_text_are_found():
    readers = {"07_text", "08_bigram", "09_bag_of_words", "10_matmul_trick", "11_softmax"}
    assert readers | {"12_self_attention", "13_multi_head_attention"} <= set(READERS)


@pytest.mark.parametrize("lesson", READERS)
def test_the_lesson_runs_with_the_builtin_text_alone(lesson, tmp_path):
    sources = [cell.source for cell in notebooks.code_cells(notebooks.read(notebooks.FOLDER / f"{lesson}.ipynb"))]
    ran = run([*sources, SAY_WHICH], env=nowhere(tmp_path))
    assert [cell.traceback for cell in ran if cell.error] == []
