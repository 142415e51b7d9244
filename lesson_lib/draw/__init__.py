"""Still pictures: expression graphs, curves, error plots, planes, tables. Each one carries its alt text.

>>> from lesson_lib import draw
>>> draw.curve(lambda x: x**2, -2, 2, tangent=(1, 2))  # doctest: +SKIP

matplotlib and graphviz are imported when the first picture is drawn, so this import is quick.
"""

from lesson_lib.draw import colors
from lesson_lib.draw.curves import curve, errors, figure, house_style
from lesson_lib.draw.graph import graph
from lesson_lib.draw.picture import Picture, TextPicture
from lesson_lib.draw.place import NoRenderer, layout
from lesson_lib.draw.plane import planes
from lesson_lib.draw.table import sheet, table

__all__ = [
    "NoRenderer", "Picture", "TextPicture", "colors", "curve", "errors", "figure", "graph", "house_style", "layout",
    "planes", "sheet", "table",
]  # fmt: skip
