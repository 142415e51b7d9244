"""Pictures of functions over the plane: what they say in words, their colours, and bad input."""

import io

import pytest
from PIL import Image

from lesson_lib import draw


def pixels(picture):
    return Image.open(io.BytesIO(picture.data)).convert("RGB")


def blue_and_grey(picture):
    """Return how many pixels have the blue of what is above 0, and how many the grey of what is below."""
    found = [0, 0]
    for count, (r, g, b) in pixels(picture).getcolors(maxcolors=1 << 24):
        found[0] += count * (b - r > 60)
        found[1] += count * (0 <= b - r < 40 and 80 < g < 160)
    return found


def test_the_words_say_how_high_and_how_much_is_above_zero():
    picture = draw.planes({"ramp": lambda x1, x2: x1 + 1}, -1, 1)
    assert picture.mime == "image/png"
    assert picture.alt == (
        "Heights over the plane, both axes from -1 to 1. ramp: values from 0 to 2, above 0 on 98 % of the plane."
    )
    assert draw.planes({"flat": lambda x1, x2: 0}, -1, 1, alt="Nothing at all here.").alt == "Nothing at all here."


def test_blue_is_above_zero_and_grey_below():
    (blue, grey), (blue_below, grey_below) = (
        blue_and_grey(draw.planes({"f": lambda x1, x2, s=s: s * 1.0}, -1, 1)) for s in (1, -1)
    )
    assert blue > 20 * blue_below and grey_below > 20 * grey


def test_x1_runs_to_the_right_and_x2_upward():
    picture = pixels(draw.planes({"f": lambda x1, x2: 1.0 if x1 > 0 > x2 else -1.0}, -1, 1))
    width, height = picture.size

    def is_blue(right, up):
        r, _, b = picture.getpixel((int(width * right), int(height * (1 - up))))
        return b - r > 60

    assert is_blue(0.6, 0.35) and not any(is_blue(*at) for at in ((0.3, 0.8), (0.3, 0.35), (0.6, 0.8)))


def test_a_line_marks_where_the_sign_changes():
    def dark_columns(f):
        picture = pixels(draw.planes({"f": f}, -1, 1))
        width, height = picture.size
        dark = [sum(max(picture.getpixel((x, y))) < 80 for y in range(height)) for x in range(width)]
        return sum(count > 0.6 * height for count in dark)

    assert dark_columns(lambda x1, x2: x1) >= 2 and dark_columns(lambda x1, x2: x1 + 5) == 0


def test_each_function_gets_a_panel_and_points_are_marked():
    one = draw.planes({"a": lambda x1, x2: x1}, 0, 1)
    two = draw.planes({"a": lambda x1, x2: x1, "b": lambda x1, x2: x2}, 0, 1)
    assert pixels(two).width > 1.4 * pixels(one).width and "a: " in two.alt and "b: " in two.alt
    assert draw.planes({"a": lambda x1, x2: x1}, 0, 1, points=[(0.5, 0.5, 1), (0.2, 0.2, -1)]).data != one.data


@pytest.mark.parametrize("panels", [1, 2, 3])
def test_no_label_is_cut(panels):
    picture = pixels(draw.planes({str(i): lambda x1, x2: x1 for i in range(panels)}, -0.5, 1.5))
    for edge in (0, picture.width - 1):
        assert {picture.getpixel((edge, y)) for y in range(picture.height)} == {(255, 255, 255)}


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="give at least one title with its function"):
        draw.planes({}, -1, 1)
    for low, high in ((1, 1), (2, 1), (float("nan"), 1)):
        with pytest.raises(ValueError, match="low must be below high"):
            draw.planes({"f": lambda x1, x2: x1}, low, high)
    with pytest.raises(ValueError, match="'log' is not a finite number everywhere: nan cannot be drawn"):
        draw.planes({"f": lambda x1, x2: x1, "log": lambda x1, x2: float("nan") if x1 > 0.5 else x1}, -1, 1)
