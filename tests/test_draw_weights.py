"""T×T weights and the loss ladder: what stands in the picture, what its words say, and what is refused."""

import io
import math
import sys

import numpy as np
import pytest
from PIL import Image

from lesson_lib import draw
from lesson_lib.draw.weights import short

THIRDS = [[1, 0, 0], [1 / 2, 1 / 2, 0], [1 / 3, 1 / 3, 1 / 3]]


def seen(picture):
    return np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGB")).astype(int)


def near(pixels, color):
    """How many pixels have about this colour."""
    wanted = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])
    return int((np.abs(pixels - wanted).max(axis=2) < 12).sum())


@pytest.fixture
def figures(monkeypatch):
    """The matplotlib figures that are drawn, so that a test can read their axes."""
    drawn = []

    def keep(fig, alt):
        drawn.append(fig)
        return draw.figure(fig, alt)

    for name in "ladder", "weights":  # lesson_lib.draw has functions of these names
        monkeypatch.setattr(sys.modules[f"lesson_lib.draw.{name}"], "figure", keep)
    return drawn


def test_each_cell_holds_its_number_and_the_alt_text_says_all(figures):
    picture = draw.weights({"weights": THIRDS}, "abc")
    assert picture.alt == "weights, row by row, taking from a, b, c: a: 1, 0, 0; b: 0.5, 0.5, 0; c: 0.33, 0.33, 0.33."
    [ax] = figures[0].axes
    texts = {text.get_position(): text.get_text() for text in ax.texts}
    assert texts[0, 0] == "1" and texts[2, 0] == "0" and texts[0, 2] == texts[2, 2] == "0.33"  # (column, row)
    assert [label.get_text() for label in ax.get_xticklabels()] == list("abc")
    assert near(seen(picture), draw.colors.ATTENTION) > 1000


def test_torch_tensors_are_drawn_with_masked_logits_and_their_gradient_graph():
    import torch

    logits = torch.tensor([[-1.5, -torch.inf], [0.25, 2.0]], requires_grad=True)
    picture = draw.weights({"logits": logits, "softmax": logits.softmax(-1)}, [" ", "\n"])
    assert "logits, row by row, taking from ␣, ⏎: ␣: −1.5, −∞; ⏎: 0.25, 2. softmax, " in picture.alt
    assert near(seen(picture), draw.colors.MUTED) > 300


def test_rows_and_columns_can_have_names_of_their_own_and_other_counts(figures):
    draw.weights({"across": [[0.2, 0.3, 0.5], [1, 0, 0]]}, "xy", columns=["one", "$two$", "<three>"])
    [ax] = figures[0].axes
    assert [label.get_text() for label in ax.get_xticklabels()] == ["one", "$two$", "<three>"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x", "y"]


def test_of_a_large_matrix_only_the_shades_are_shown(figures):
    picture = draw.weights({"many": np.tri(20) / 20})
    assert picture.alt == "many: a matrix of 20 by 20 shades." and not figures[0].axes[0].texts


def test_numbers_on_a_dark_ground_are_white_below_0_too(figures):
    draw.weights({"logits": [[-6.5, -2.0], [5.0, -math.inf]]})
    inks = {text.get_text(): text.get_color() for text in figures[0].axes[0].texts}
    white = [text for text, ink in inks.items() if ink == draw.colors.PAPER]
    assert white == ["−6.5", "5"]


def test_weights_share_their_shades_and_logits_have_their_own(figures):
    draw.weights({"low": [[0.1]], "high": [[0.9]], "logits": [[-3.0]], "masked": [[-math.inf, 2.0]]})
    limits = [image.get_clim() for ax in figures[0].axes for image in ax.images]
    assert limits == [(-0.9, 0.9), (-0.9, 0.9), (-3, 3), (-3, 3)]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-0.0, "0"),
        (-0.001, "0"),
        (1 / 3, "0.33"),
        (-1.5, "−1.5"),
        (9.999, "10"),
        (-11.25, "−11.25"),
        (12.346, "12.35"),
        (123.4, "123"),
        (100, "100"),
        (-math.inf, "−∞"),
    ],
)
def test_numbers_are_short(number, text):
    assert short(number) == text


@pytest.mark.parametrize(
    ("panels", "names", "told"),
    [
        ({}, None, "nothing to draw"),
        ({"w": [1, 2]}, None, r"'w' must be a matrix .* \(2,\)"),
        ({"w": [[]]}, None, "'w' must be a matrix"),
        ({"w": [[1, math.nan]]}, None, "nan or infinity"),
        ({"w": [[1, math.inf]]}, None, "nan or infinity"),
        ({"w": THIRDS}, "ab", "'w' has 3 rows, and there are 2 names"),
        ({"w": [[1, 0]]}, "a", "'w' has 2 columns, and there are 1 names"),
    ],
)
def test_what_cannot_be_drawn_is_refused(panels, names, told):
    with pytest.raises(ValueError, match=told):
        draw.weights(panels, names)


def test_a_matrix_without_any_number_is_drawn():
    assert "−∞" in draw.weights({"all masked": [[-math.inf]]}).alt


# the ladder


def test_every_rung_stands_at_its_loss_and_the_new_one_stands_out(figures):
    picture = draw.ladder({"bigram": 2.488, "average": 2.83}, new=["average"], nothing=4.174)
    assert picture.alt == "A ladder of losses: bigram 2.488, average 2.830; knowing nothing costs 4.174."
    [ax] = figures[0].axes
    points = [line for line in ax.lines if len(line.get_xdata()) == 1]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in points] == [(2.488, 0), (2.83, 1)]
    assert [line.get_marker() for line in points] == ["o", "s"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["bigram", "average"]
    assert [text.get_text() for text in ax.texts] == ["2.488", "2.830", "knows nothing"]


@pytest.mark.parametrize(
    ("rungs", "new", "told"),
    [
        ({}, (), "no rung"),
        ({"a": math.nan}, (), "'a' must be a finite number"),
        ({"a": 2.0}, ["b"], r"\['b'\] should be new"),
    ],
)
def test_a_ladder_that_cannot_stand_is_refused(rungs, new, told):
    with pytest.raises(ValueError, match=told):
        draw.ladder(rungs, new=new)


def test_one_rung_is_a_ladder_too():
    assert draw.ladder({"bigram": 2.5}).alt == "A ladder of losses: bigram 2.500."
