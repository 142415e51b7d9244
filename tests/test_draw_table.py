"""Tables of numbers: where each number stands, what its square looks like, and that the sheet holds them."""

import pytest
from matplotlib.colors import to_hex

from lesson_lib import draw
from lesson_lib.draw import colors


def words(ax):
    """Return the texts of the axes, each with its place."""
    return {text.get_text(): text.get_position() for text in ax.texts}


def test_a_number_stands_in_the_middle_of_its_square_and_the_title_above():
    _, ax = draw.sheet(8, 5)
    draw.table(ax, 2, 4, [[1.0, -2.5, 7], [0, 10, 0.25]], "T  (2, 3)")
    places = words(ax)
    assert set(places) == {"1", "-2.5", "7", "0", "10", "0.25", "T  (2, 3)"}
    assert places["-2.5"] == pytest.approx((3.5, 3.5), abs=0.05)
    assert places["0.25"] == pytest.approx((4.5, 2.5), abs=0.05)
    assert places["T  (2, 3)"][0] == 3.5 and 4 < places["T  (2, 3)"][1] < 4.5
    for square, number in zip(ax.patches, ("1", "-2.5", "7", "0", "10", "0.25"), strict=True):
        x, y = square.get_center()
        assert places[number] == pytest.approx((x, y), abs=0.05)


def test_marked_squares_are_yellow_and_dashed_ones_have_grey_numbers_too():
    _, ax = draw.sheet(3, 3)
    draw.table(ax, 0, 2, [[1, 2], [3, 4]], color=colors.ATTENTION, marked=[(0, 1)], dashed=[(1, 0)])
    faces = [to_hex(square.get_facecolor()).upper() for square in ax.patches]
    assert faces == [colors.PAPER.upper(), colors.HIGHLIGHT, colors.PAPER.upper(), colors.PAPER.upper()]
    assert [square.get_linestyle() for square in ax.patches] == ["-", "-", "--", "-"]
    edges = [to_hex(square.get_edgecolor()) for square in ax.patches]
    assert edges == [colour.lower() for colour in (*[colors.ATTENTION] * 2, colors.MUTED, colors.ATTENTION)]
    assert [text.get_color() == colors.MUTED for text in ax.texts[:4]] == [False, False, True, False]


def test_a_sheet_is_as_large_as_its_squares_and_shows_nothing_else():
    fig, ax = draw.sheet(10, 4)
    width, height = fig.get_size_inches()
    assert width / height == 10 / 4
    assert ax.get_xlim() == (0, 10) and ax.get_ylim() == (0, 4) and not ax.axison
    draw.table(ax, 1, 3, [[5]])
    picture = draw.figure(fig, "A single square with a 5.")
    assert picture.alt == "A single square with a 5." and picture.width == width * 100
