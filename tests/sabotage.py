"""How to make each claim false: the smallest change of the notebook's source under which its cell must fail.

A row for claim C1, which lesson 3 shows in its cell tagged `claim-C1`:

    "C1": Sabotage("03_micrograd", ("parent.grad += local", "parent.grad = local")),

A replacement is (old, new), or (old, new, times) where `old` is in the notebook's code more than once:
all of them are replaced, and a count that does not fit is an error. Several replacements may follow each
other. Break the thing that the claim is about (the engine, the formula), never the `assert` itself.
The claim's cells run with everything above them, as the learner would run them; each of them must raise
AssertionError, so check that the sabotage does not stop an earlier cell which they need. Try a row with
`python -m pytest tests/test_claims.py -k C1`.
"""


class Sabotage:
    """A notebook's name without `.ipynb`, and the replacements in its code cells."""

    def __init__(self, notebook, *replacements):
        self.notebook = notebook
        self.replacements = replacements

    def apply(self, sources):
        """Return the sources with every replacement made; ValueError where one is not found as often as it says."""
        for old, new, times in (row if len(row) == 3 else (*row, 1) for row in self.replacements):
            found = sum(source.count(old) for source in sources)
            if found != times:
                raise ValueError(f"{old!r} is {found} times in {self.notebook}, and not {times}")
            sources = [source.replace(old, new) for source in sources]
        return sources


SABOTAGE = {
    # lesson 1
    "A2": Sabotage("01_derivatives", ("(f(x + h) - f(x - h)) / (2 * h)\n", "(f(x + h) - f(x)) / h\n", 2)),
    # lesson 2
    "A1": Sabotage("02_chain_rule", ("def __repr__(self):", "def show(self):", 4)),
    "A3": Sabotage("02_chain_rule", ("b.data * 1.0 * f.data)", "b.data + 1.0 + f.data)")),
    "B1": Sabotage("02_chain_rule", ("dw_du = -3 * dw_dv", "dw_du = -3 + dw_dv")),
    "B2": Sabotage(
        "02_chain_rule",
        ("product = central_difference(outer, inner(at))", "product = central_difference(outer, at)"),
    ),
    "B3": Sabotage("02_chain_rule", ("1.0 * d.grad", "0.5 * d.grad", 2)),
    "B4": Sabotage("02_chain_rule", ("a.grad = b.data * e.grad", "a.grad = a.data * e.grad")),
    "B6": Sabotage("02_chain_rule", ("[leaf.data + step * leaf.grad", "[leaf.data - step * leaf.grad")),
    "B7": Sabotage("02_chain_rule", ("sum(leaf.grad * step * leaf.grad", "sum(step * leaf.grad")),
    # lesson 3
    "B5": Sabotage("03_micrograd", ('return Value(out, "tanh", self, 1 - out**2)', 'return Value(out, "tanh", self, 1 - out)')),
    "B8": Sabotage("03_micrograd", ("math.sin(x.data), \"sin\", x, math.cos(x.data)", "math.sin(x.data), \"sin\", x, math.sin(x.data)")),
    "C1": Sabotage(
        "03_micrograd",
        ("parent.grad += local * node.grad  # adds up", "parent.grad = local * node.grad  # adds up"),
        (
            "        for node in reversed(order):\n            for parent, local in node.edges():\n                parent.grad += local",
            "        for node in reversed(order):\n            for parent, local in node.edges():\n                parent.grad = local",
        ),
    ),
    "C2": Sabotage("03_micrograd", ("class MixedBothWays(Mixed):\n    def __rmul__", "class MixedBothWays(Mixed):\n    def multiply")),
    "C3": Sabotage("03_micrograd", ('return Value(out, "exp", self, out)', 'return Value(out, "exp", self, self.data)')),
    "C4": Sabotage("03_micrograd", ("return self * other**-1", "return self * other**-2")),
    "C5": Sabotage("03_micrograd", ('return Value(out, "tanh", self, 1 - out**2)', 'return Value(out, "tanh", self, 1 - out)')),
    # lesson 4
    "D1": Sabotage("04_neural_networks", ("return act.tanh()", "return Value(act.tanh().data)")),
    "D2": Sabotage("04_neural_networks", ("[Neuron(nin) for _ in range(nout)]", "[Neuron(nin)] * nout")),
    "D3": Sabotage("04_neural_networks", ("return [*self.w, self.b]", "return self.w")),
    "D5": Sabotage("04_neural_networks", ("(p - t) ** 2 for", "(p + t) ** 2 for")),
    "D6": Sabotage("04_neural_networks", ("zip(predictions, targets)) / len(targets)", "zip(predictions, targets))")),
}
