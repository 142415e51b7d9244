"""Labs: pictures to play with. Each is a widget that a cell shows as its last expression.

>>> from lesson_lib import labs
>>> labs.derivative("sin(x)", x=1.0, h=0.1)  # doctest: +SKIP

`labs.derivative` is derivative.py and derivative.js; expression.py and expression.js read and run the formulas,
plot.js draws the axes. `labs.backprop` is backprop.py, backprop.js and backprop.css; graph.py reads the learner's
graph, passes.py walks backward through it. What all labs share is in base.py, base.js and base.css.
"""

from lesson_lib.labs.backprop import backprop
from lesson_lib.labs.derivative import derivative

__all__ = ["backprop", "derivative"]
