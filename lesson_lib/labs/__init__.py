"""Labs: pictures to play with. Each is a widget that a cell shows as its last expression.

>>> from lesson_lib import labs
>>> labs.derivative("sin(x)", x=1.0, h=0.1)  # doctest: +SKIP

A lab is one Python file and one JavaScript file; what all labs share is in base.py, base.js and base.css.
"""

from lesson_lib.labs.backprop import backprop
from lesson_lib.labs.derivative import derivative

__all__ = ["backprop", "derivative"]
