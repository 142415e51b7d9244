"""Still pictures: expression graphs, curves, errors, planes, tables, weights, the loss ladder, each with its alt text.

>>> from lesson_lib import draw
>>> draw.curve(lambda x: x**2, -2, 2, tangent=(1, 2))  # doctest: +SKIP

matplotlib and graphviz are imported when the first picture is drawn, so this import is quick.
"""

from lesson_lib.draw import colors
from lesson_lib.draw.curves import curve, errors, figure, house_style
from lesson_lib.draw.graph import graph
from lesson_lib.draw.ladder import ladder
from lesson_lib.draw.picture import Picture, TextPicture
from lesson_lib.draw.place import NoRenderer, layout
from lesson_lib.draw.plane import planes
from lesson_lib.draw.table import sheet, table
from lesson_lib.draw.weights import weights

__all__ = [
    "NoRenderer", "Picture", "TextPicture", "colors", "curve", "errors", "figure", "graph", "house_style", "ladder",
    "layout", "planes", "sheet", "table", "weights",
]  # fmt: skip
