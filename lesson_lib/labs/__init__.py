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
- softmax: softmax_view.js draws, softmax_words.js says what there is to see;
- query_key: query_key_words.js computes and says, query_key_view.js draws, with the labels of plane.js;
- attention: attention_model.py reads the learner's model into steps, attention_model.js runs them in the page,
  attention_view.js draws, attention_words.js says what there is to see, attention_still.py draws the still picture;
- sampling: attention_model.py and .js too; sampling_text.js draws characters, sampling_view.js shows them,
  sampling_words.js says what there is to see, sampling_still.py draws the still picture;
- training: training_run.py does the steps, the evaluations and the samples in pieces, training_view.py and
  training_view.js say and draw what there is to see;
- playground and training: background.py trains while the kernel goes on answering, curves.py thins the losses.

What all labs share is in base.py, base.js and base.css; plot.js draws axes, numbers.js computes, dice.js draws
by chance, tokens.py reads and names tokens; characters.py and typed.js take a text for a trained model. export.py
puts labs into a page that works without Python.
"""

from lesson_lib.labs.aggregation import aggregation
from lesson_lib.labs.attention import attention
from lesson_lib.labs.backprop import backprop
from lesson_lib.labs.batches import batches
from lesson_lib.labs.bigram import bigram
from lesson_lib.labs.derivative import derivative
from lesson_lib.labs.learning_rate import learning_rate
from lesson_lib.labs.playground import playground
from lesson_lib.labs.query_key import query_key
from lesson_lib.labs.sampling import sampling
from lesson_lib.labs.softmax import softmax
from lesson_lib.labs.training import training

__all__ = [
    "aggregation", "attention", "backprop", "batches", "bigram", "derivative", "learning_rate", "playground",
    "query_key", "sampling", "softmax", "training",
]  # fmt: skip
