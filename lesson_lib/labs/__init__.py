"""Labs: pictures to play with. Each is a widget that a cell shows as its last expression.

>>> from lesson_lib import labs
>>> labs.derivative("sin(x)", x=1.0, h=0.1)  # doctest: +SKIP

Each lab is a Python file and a JavaScript file of its name, and some CSS where it needs any. What is more than that:

- derivative: expression.py and expression.js read and run the formulas;
- backprop: graph.py reads the learner's graph, passes.py walks backward through it;
- learning_rate: landscape.py and landscape.js, where one can descend;
- playground: trainer.py does the steps, playground_view.py says and draws what there is to see;
- batches, bigram and aggregation: signs.py has a sign that can be seen for each character;
- aggregation: weights.js computes and says the weights, plane.js draws the points, aggregation_view.js the tables;
- softmax: softmax_view.js draws, softmax_words.js says what there is to see.

What all labs share is in base.py, base.js and base.css; plot.js draws axes. export.py puts labs into a page
that works without Python.
"""

from lesson_lib.labs.aggregation import aggregation
from lesson_lib.labs.backprop import backprop
from lesson_lib.labs.batches import batches
from lesson_lib.labs.bigram import bigram
from lesson_lib.labs.derivative import derivative
from lesson_lib.labs.learning_rate import learning_rate
from lesson_lib.labs.playground import playground
from lesson_lib.labs.softmax import softmax

__all__ = [
    "aggregation", "backprop", "batches", "bigram", "derivative", "learning_rate", "playground", "softmax",
]  # fmt: skip
