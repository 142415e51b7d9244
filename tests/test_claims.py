"""Every claim is shown by a cell that fails when the claim is made false."""

import ast
import contextlib
import functools
import re

import pytest

from tests import notebooks
from tests.plain_run import run, run_with_variants
from tests.sabotage import SABOTAGE, Sabotage

CLAIMS = [
    "A1", "A2", "A3",
    "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8",
    "C1", "C2", "C3", "C4", "C5",
    "D1", "D2", "D3", "D4", "D5", "D6",
    "E1", "E2", "E3", "E4", "E5", "E6", "E7", "E8", "E9", "E10", "E11",
    "F1", "F2", "F3", "F4", "F5", "F6",
    "G1", "G2", "G3", "G4", "G5", "G6", "G7",
    "H1", "H2", "H3", "H4", "H5", "H6",
    "I1", "I2", "I3", "I4", "I5", "I6", "I7", "I8", "I9", "I10", "I11", "I12", "I13",
]  # fmt: skip


@functools.cache
def cells(lesson):
    return notebooks.code_cells(notebooks.shortened(notebooks.read(notebooks.FOLDER / f"{lesson}.ipynb")))


@functools.cache
def runs(lesson):
    """Run the lesson as it is and under each of its sabotages: a dictionary, "" for the first.

    All go only as far as their last claim: what trains for long comes after it.
    """
    sources = [cell.source for cell in cells(lesson)]
    ends = {claim: max(claim_cells(claim, lesson), default=-1) + 1 for claim in CLAIMS}
    broken = {}
    for claim, sabotage in SABOTAGE.items():
        if sabotage.notebook == lesson:
            with contextlib.suppress(ValueError):  # what cannot be applied is for `check` to say
                broken[claim] = sabotage.apply(sources)[: ends.get(claim, 0)]
    ran = run_with_variants(sources[: max(ends.values())], list(broken.values()))
    return dict(zip(["", *broken], ran))


def claim_cells(claim, lesson):
    """Return the places of the cells that show the claim."""
    return [n for n, cell in enumerate(cells(lesson)) if f"claim-{claim}" in notebooks.tags(cell)]


def asserts(source):
    return [ast.unparse(node) for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)]


def check(sources, places, sabotage, clean, ran=None):
    """Assert that the cells at these places assert something, pass as they are, and fail under the sabotage.

    `clean` is what became of them as they are, and `ran` what under the sabotage, where that has been run already.
    """
    assert places, "no cell has the claim's tag"
    broken = sabotage.apply(sources)
    ran = ran or run(broken[: max(places) + 1])
    for place in places:
        assert asserts(sources[place]), f"nothing is asserted in\n{sources[place]}"
        assert asserts(broken[place]) == asserts(sources[place]), "the sabotage must leave the assert alone"
        assert not clean[place].error, f"without sabotage: {clean[place].traceback}"
        shown = ran[place].traceback or "no error"
        assert ran[place].error == "AssertionError", f"under the sabotage: {shown}\n{sources[place]}"


@pytest.mark.parametrize("claim", CLAIMS)
def test_the_claims_cells_pass_and_fail_under_sabotage(claim):
    lesson = SABOTAGE[claim].notebook
    sources, ran = [cell.source for cell in cells(lesson)], runs(lesson)
    check(sources, claim_cells(claim, lesson), SABOTAGE[claim], ran[""], ran.get(claim))


def test_each_claim_is_where_its_sabotage_is_and_none_is_unknown():
    found = {
        (tag.removeprefix("claim-"), path.stem)
        for path in notebooks.paths()
        for cell in notebooks.read(path).cells
        for tag in notebooks.tags(cell)
        if tag.startswith("claim-")
    }
    assert found == {(claim, sabotage.notebook) for claim, sabotage in SABOTAGE.items()}
    assert set(SABOTAGE) == set(CLAIMS)


ROW = re.compile(r"^\| (\w+) \| (.+) \| (\[.+\)) \|$", re.M)
LINK = re.compile(r"\[(?:lesson (\d+)|and here)\]\((\w+)\.ipynb#cell-id=([\w-]+)\)")


def test_the_table_on_the_start_page_leads_to_the_cell_of_each_claim():
    [table] = [
        cell.source
        for cell in notebooks.read(notebooks.FOLDER / "00_start_here.ipynb").cells
        if cell.source.startswith("## The claims")
    ]
    rows = ROW.findall(table)
    assert [claim for claim, _, _ in rows] == CLAIMS and f"makes {len(CLAIMS)} claims" in table
    for claim, said, links in rows:
        lesson = SABOTAGE[claim].notebook
        shown = [cell.id for cell in notebooks.read(notebooks.FOLDER / f"{lesson}.ipynb").cells
                 if f"claim-{claim}" in notebooks.tags(cell)]  # fmt: skip
        assert [(stem, cell) for _, stem, cell in LINK.findall(links)] == [(lesson, cell) for cell in shown], claim
        assert LINK.match(links)[1] == str(int(lesson[:2])) and said.endswith((".", ".)")), claim


ENGINE = ["def twice(x):\n    return x + x", "y = twice(2)", "assert y == 4"]


@pytest.mark.parametrize(
    ("sources", "places", "sabotage", "message"),
    [
        (ENGINE, [], ("x + x", "x"), "no cell has"),
        (ENGINE, [2], ("x * x", "x"), "is 0 times"),
        (ENGINE, [2], ("x + x", "x * x"), "under the sabotage: no error"),
        (ENGINE, [2], ("x + x", "x / 0"), "under the sabotage: .*NameError"),
        (ENGINE, [2], ("== 4", "== 5"), "leave the assert alone"),
        (ENGINE, [1], ("x + x", "x"), "nothing is asserted"),
        ([*ENGINE, "assert y == 3"], [2, 3], ("x + x", "x"), "without sabotage: .*AssertionError"),
        ([*ENGINE, "assert True, y"], [2, 3], ("x + x", "x"), "under the sabotage: no error"),
    ],
)
def test_the_test_itself_fails(sources, places, sabotage, message):
    with pytest.raises((AssertionError, ValueError), match=f"(?s){message}"):
        check(sources, places, Sabotage("made", sabotage), run(sources))


def test_the_test_itself_passes():
    check(ENGINE, [2], Sabotage("made", ("x + x", "x")), run(ENGINE))


def test_variants_are_run_as_if_each_had_been_run_from_the_top():
    sources = ["import random\nrandom.seed(1)\nx = [1]", "x.append(random.random())", "print(len(x))\nassert x[1] > 2"]
    variants = [
        [*sources[:2], "assert x[1] < 2"],
        [sources[0], "x.append(random.random() + 2)", sources[2]],
        [sources[0], "x = y", sources[2]],
        ["x = [1, 3]", "x.append(1)", "assert len(x) == 3"],
        sources[:1],
        sources,
    ]
    found = run_with_variants(sources, variants)
    assert found == [run(cells) for cells in (sources, *variants)]
    errors = [[cell.error for cell in rows] for rows in found]
    assert errors == [
        ["", "", "AssertionError"],
        ["", "", ""],
        ["", "", ""],
        ["", "NameError", "IndexError"],
        ["", "", ""],
        [""],
        ["", "", "AssertionError"],
    ]
