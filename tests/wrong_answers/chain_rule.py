"""Wrong answers to the exercises of lesson 2."""

SETUP = """
import math
from lesson_lib.derivatives import central_difference, numerical_gradient
"""

WRONG = [
    # small_graph
    ("small_graph", "A name is missing", 'small_graph = {"x": 2.0, "y": 3.0, "z": 3.0}'),
    ("small_graph", "A name too many", 'small_graph = {"p": 3.0, "x": 2.0, "y": 3.0, "z": 3.0, "q": 1.0}'),
    ("small_graph", "Not a dict", "small_graph = [3.0, 2.0, 3.0, 3.0]"),
    ("small_graph", "Not a number", 'small_graph = {"p": 3.0, "x": 2.0, "y": "3", "z": 3.0}'),
    ("small_graph", "Numbers, not gradients", 'small_graph = {"p": 2.0, "x": 3.0, "y": -4.0, "z": 6.0}'),
    ("small_graph", "The product not swapped", 'small_graph = {"p": 2.0, "x": 3.0, "y": 2.0, "z": 2.0}'),
    ("small_graph", "The local derivative alone", 'small_graph = {"p": 3.0, "x": 2.0, "y": 1.0, "z": 1.0}'),
    ("small_graph", "The gradient shared out", 'small_graph = {"p": 3.0, "x": 2.0, "y": 1.5, "z": 1.5}'),
    ("small_graph", "An addition is no multiplication", 'small_graph = {"p": 3.0, "x": 2.0, "y": 18.0, "z": -12.0}'),
    ("small_graph", "Not its slope", 'small_graph = {"p": 3.0, "x": -2.0, "y": 3.0, "z": 3.0}'),
    ("small_graph", "Not its slope", 'small_graph = {"p": 3.0, "x": 2.0, "y": -3.0, "z": 3.0}'),
    ("small_graph", "Not its slope", 'small_graph = {"p": 6.0, "x": 2.0, "y": 3.0, "z": 3.0}'),
    ("small_graph", "Not its slope", 'small_graph = {"p": 0.0, "x": 0.0, "y": 0.0, "z": 0.0}'),
    # gradient_step
    ("gradient_step", "Not a list", """
def gradient_step(inputs, gradients, step):
    return inputs[0] - step * gradients[0]
"""),
    ("gradient_step", "Not a list", """
def gradient_step(inputs, gradients, step):
    return map(lambda x, g: x - step * g, inputs, gradients)
"""),
    ("gradient_step", "Not a list of the right length", """
def gradient_step(inputs, gradients, step):
    return [x - step * g for x in inputs for g in gradients]
"""),
    ("gradient_step", "The old inputs are gone", """
def gradient_step(inputs, gradients, step):
    for i in range(len(inputs)):
        inputs[i] -= step * gradients[i]
    return inputs
"""),
    ("gradient_step", "Uphill", """
def gradient_step(inputs, gradients, step):
    return [x + step * g for x, g in zip(inputs, gradients)]
"""),
    ("gradient_step", "The step left out", """
def gradient_step(inputs, gradients, step):
    return [x - g for x, g in zip(inputs, gradients)]
"""),
    ("gradient_step", "The change, not the new input", """
def gradient_step(inputs, gradients, step):
    return [-step * g for g in gradients]
"""),
    ("gradient_step", "All moved equally far", """
def gradient_step(inputs, gradients, step):
    return [x - math.copysign(step, g) if g else x for x, g in zip(inputs, gradients)]
"""),
    ("gradient_step", "The sign is lost", """
def gradient_step(inputs, gradients, step):
    return [x - step * abs(g) for x, g in zip(inputs, gradients)]
"""),
    ("gradient_step", "Not the step", """
def gradient_step(inputs, gradients, step):
    return [x * (1 - step * g) for x, g in zip(inputs, gradients)]
"""),
    # local_derivatives
    ("local_derivatives", "One number for two inputs", """
def local_derivatives(op, left, right):
    return {"+": 1.0, "-": -1.0, "*": right}[op]
"""),
    ("local_derivatives", "Not a list of the right length", """
def local_derivatives(op, left, right):
    return {"+": [1.0], "-": [1.0, -1.0], "*": [right, left]}[op]
"""),
    ("local_derivatives", "An addition is no multiplication", """
def local_derivatives(op, left, right):
    return right, left
"""),
    ("local_derivatives", "Not swapped", """
def local_derivatives(op, left, right):
    if op == "+":
        return 1.0, 1.0
    if op == "-":
        return 1.0, -1.0
    return left, right
"""),
    ("local_derivatives", "The result, not its slope", """
def local_derivatives(op, left, right):
    if op == "+":
        return 1.0, 1.0
    if op == "-":
        return 1.0, -1.0
    return left * right, left * right
"""),
    ("local_derivatives", "The second sign", """
def local_derivatives(op, left, right):
    if op == "*":
        return right, left
    return 1.0, 1.0
"""),
    ("local_derivatives", "Not the local derivatives", """
def local_derivatives(op, left, right):
    if op == "+":
        return 1.0, 1.0
    if op == "-":
        return left, -right
    return right, left
"""),
    ("local_derivatives", "Not the local derivatives", """
def local_derivatives(op, left, right):
    return {"+": (1.0, 1.0), "-": (1.0, -1.0), "*": (5.0, 2.0)}[op]
"""),
    ("local_derivatives", "Not the local derivatives", """
def local_derivatives(op, left, right):
    return {"+": (1.0, 1.0), "-": (1.0, -right), "*": (right, left)}[op]
"""),
    ("local_derivatives", "Nothing comes back", """
def local_derivatives(op, left, right):
    if op == "+":
        return 1.0, 1.0
    if op == "*":
        return right, left
"""),
    # local_slopes
    ("local_slopes", "One number for the whole chain", """
def local_slopes(functions, x):
    product = 1.0
    for f in functions:
        product *= central_difference(f, x)
        x = f(x)
    return product
"""),
    ("local_slopes", "Not a list of the right length", """
def local_slopes(functions, x):
    return [central_difference(functions[0], x)]
"""),
    ("local_slopes", "All slopes at the first number", """
def local_slopes(functions, x):
    return [central_difference(f, x) for f in functions]
"""),
    ("local_slopes", "From the other end", """
def local_slopes(functions, x):
    slopes = []
    for f in functions:
        slopes.insert(0, central_difference(f, x))
        x = f(x)
    return slopes
"""),
    ("local_slopes", "Results, not slopes", """
def local_slopes(functions, x):
    results = []
    for f in functions:
        x = f(x)
        results.append(x)
    return results
"""),
    ("local_slopes", "Multiplied already", """
def local_slopes(functions, x):
    slopes = []
    for i in range(len(functions)):
        def first_links(x):
            for f in functions[:i + 1]:
                x = f(x)
            return x
        slopes.append(central_difference(first_links, x))
    return slopes
"""),
    ("local_slopes", "Multiplied already", """
def local_slopes(functions, x):
    def last_links(start):
        def g(x):
            for f in functions[start:]:
                x = f(x)
            return x
        return g
    slopes = []
    for i, f in enumerate(functions):
        slopes.append(central_difference(last_links(i), x))
        x = f(x)
    return slopes
"""),
    ("local_slopes", "Not the local slopes", """
def local_slopes(functions, x):
    slopes = []
    for f in functions:
        slopes.append(central_difference(functions[0], x))
        x = f(x)
    return slopes
"""),
    ("local_slopes", "One function too late", """
def local_slopes(functions, x):
    slopes = []
    for f in functions:
        x = f(x)
        slopes.append(central_difference(f, x))
    return slopes
"""),
    ("local_slopes", "Slopes times inputs", """
def local_slopes(functions, x):
    slopes = []
    for f in functions:
        slopes.append(central_difference(f, x) * x)
        x = f(x)
    return slopes
"""),
    ("local_slopes", "Not exact enough", """
def local_slopes(functions, x):
    slopes = []
    for f in functions:
        slopes.append((f(x + 0.001) - f(x)) / 0.001)
        x = f(x)
    return slopes
"""),
    ("local_slopes", "Not exact enough", """
def local_slopes(functions, x):
    slopes = []
    for f in functions:
        slopes.append(round(central_difference(f, x)))
        x = f(x)
    return slopes
"""),
    ("local_slopes", "The list of functions is changed", """
def local_slopes(functions, x):
    slopes = []
    while functions:
        f = functions.pop(0)
        slopes.append(central_difference(f, x))
        x = f(x)
    return slopes
"""),
    ("local_slopes", "Not a list", """
def local_slopes(functions, x):
    slopes = {}
    for f in functions:
        slopes[f] = central_difference(f, x)
        x = f(x)
    return slopes
"""),
    # expression_gradients
    ("expression_gradients", "Not a list of the right length", """
def expression_gradients(u, v, w, t):
    return w * t, t * (u + v), w * (u + v)
"""),
    ("expression_gradients", "One answer for all inputs", """
def expression_gradients(u, v, w, t):
    return 10.0, 10.0, 20.0, 8.0
"""),
    ("expression_gradients", "The incoming gradient left out", """
def expression_gradients(u, v, w, t):
    return 1.0, 1.0, t, w
"""),
    ("expression_gradients", "The last product not swapped", """
def expression_gradients(u, v, w, t):
    ds, dp = u + v, w * t
    return ds, ds, t * dp, w * dp
"""),
    ("expression_gradients", "The first product not swapped", """
def expression_gradients(u, v, w, t):
    ds, dp = w * t, u + v
    return ds, ds, w * dp, t * dp
"""),
    ("expression_gradients", "An addition is no multiplication", """
def expression_gradients(u, v, w, t):
    ds, dp = w * t, u + v
    return v * ds, u * ds, t * dp, w * dp
"""),
    ("expression_gradients", "Not the gradients", """
def expression_gradients(u, v, w, t):
    ds, dp = w * t, u + v
    return ds, ds, t + dp, w + dp
"""),
    ("expression_gradients", "Not the gradients", """
def expression_gradients(u, v, w, t):
    ds, dp = w * t, u + v
    return ds / 2, ds / 2, t * dp, w * dp
"""),
    ("expression_gradients", "One step short", """
def expression_gradients(u, v, w, t):
    return w * t, w * t, u + v, u + v
"""),
    ("expression_gradients", "Measured, not exact", """
def expression_gradients(u, v, w, t):
    return numerical_gradient(lambda u, v, w, t: (u + v) * (w * t), [u, v, w, t])
"""),
    ("expression_gradients", "Measured, not exact", """
def expression_gradients(u, v, w, t):
    def L(u, v, w, t):
        return (u + v) * (w * t)
    return (
        central_difference(lambda h: L(u + h, v, w, t), 0.0),
        central_difference(lambda h: L(u, v + h, w, t), 0.0),
        central_difference(lambda h: L(u, v, w + h, t), 0.0),
        central_difference(lambda h: L(u, v, w, t + h), 0.0),
    )
"""),
    # gradient_check
    ("gradient_check", "A verdict without a place", """
def gradient_check(f, inputs, claimed):
    return all(abs(c - m) < 1e-4 for c, m in zip(claimed, numerical_gradient(f, inputs)))
"""),
    ("gradient_check", "Not a list of places", """
def gradient_check(f, inputs, claimed):
    for i, m in enumerate(numerical_gradient(f, inputs)):
        if abs(claimed[i] - m) > 1e-4:
            return i
    return []
"""),
    ("gradient_check", "The right ones", """
def gradient_check(f, inputs, claimed):
    return [i for i, m in enumerate(numerical_gradient(f, inputs)) if abs(claimed[i] - m) < 1e-4]
"""),
    ("gradient_check", "Right claims called wrong", """
def gradient_check(f, inputs, claimed):
    return [i for i, m in enumerate(numerical_gradient(f, inputs)) if claimed[i] != m]
"""),
    ("gradient_check", "A sign that does not count", """
def gradient_check(f, inputs, claimed):
    return [i for i, m in enumerate(numerical_gradient(f, inputs)) if abs(abs(claimed[i]) - abs(m)) > 1e-4]
"""),
    ("gradient_check", "Only one of them", """
def gradient_check(f, inputs, claimed):
    for i, m in enumerate(numerical_gradient(f, inputs)):
        if abs(claimed[i] - m) > 1e-4:
            return [i]
    return []
"""),
    ("gradient_check", "Errors in one direction only", """
def gradient_check(f, inputs, claimed):
    return [i for i, m in enumerate(numerical_gradient(f, inputs)) if claimed[i] - m > 1e-4]
"""),
    ("gradient_check", "The same tolerance for every size", """
def gradient_check(f, inputs, claimed):
    return [i for i, m in enumerate(numerical_gradient(f, inputs)) if abs(claimed[i] - m) > 1e-4]
"""),
    ("gradient_check", "Not the wrong ones", """
def gradient_check(f, inputs, claimed):
    return [] if abs(sum(claimed) - sum(numerical_gradient(f, inputs))) < 1e-4 else [len(inputs) - 1]
"""),
    ("gradient_check", "Too generous", """
def gradient_check(f, inputs, claimed):
    return [i for i, m in enumerate(numerical_gradient(f, inputs)) if abs(claimed[i] - m) > 0.1 * max(1, abs(m))]
"""),
    ("gradient_check", "Counted from 1", """
def gradient_check(f, inputs, claimed):
    return [i + 1 for i, m in enumerate(numerical_gradient(f, inputs)) if abs(claimed[i] - m) > 1e-4]
"""),
    ("gradient_check", "The same tolerance for every size", """
def gradient_check(f, inputs, claimed):
    return [i for i, m in enumerate(numerical_gradient(f, inputs)) if abs(claimed[i] - m) > 0.01]
"""),
    ("gradient_check", "The same tolerance for every size", """
def gradient_check(f, inputs, claimed):
    return [i for i, m in enumerate(numerical_gradient(f, inputs)) if round(claimed[i], 4) != round(m, 4)]
"""),
    ("gradient_check", "Your code stopped with an error", """
def gradient_check(f, inputs, claimed):
    return [i for i, m in enumerate(numerical_gradient(f, inputs)) if abs(m / claimed[i] - 1) > 1e-4]
"""),
    ("gradient_check", "A slope of 0", """
def gradient_check(f, inputs, claimed):
    return [i for i, m in enumerate(numerical_gradient(f, inputs)) if abs(claimed[i] - m) > 1e-4 * abs(m)]
"""),
    ("gradient_check", "A slope of 0", """
def gradient_check(f, inputs, claimed):
    return [i for i, m in enumerate(numerical_gradient(f, inputs)) if not math.isclose(m, claimed[i], rel_tol=1e-4)]
"""),
    ("gradient_check", "Too strict", """
def gradient_check(f, inputs, claimed):
    return [i for i, m in enumerate(numerical_gradient(f, inputs)) if not math.isclose(m, claimed[i], abs_tol=1e-9)]
"""),
    ("gradient_check", "Right claims called wrong", """
def gradient_check(f, inputs, claimed):
    return [i for i, m in enumerate(numerical_gradient(f, inputs)) if int(claimed[i]) != int(m)]
"""),
    ("gradient_check", "Errors in one direction only", """
def gradient_check(f, inputs, claimed):
    return [i for i, m in enumerate(numerical_gradient(f, inputs)) if m - claimed[i] > 1e-4]
"""),
    ("gradient_check", "The number, not its place", """
def gradient_check(f, inputs, claimed):
    return [claimed[i] for i, m in enumerate(numerical_gradient(f, inputs)) if abs(claimed[i] - m) > 1e-4]
"""),
    ("gradient_check", "The number, not its place", """
def gradient_check(f, inputs, claimed):
    return [m for i, m in enumerate(numerical_gradient(f, inputs)) if abs(claimed[i] - m) > 1e-4]
"""),
    ("gradient_check", "Verdicts, not places", """
def gradient_check(f, inputs, claimed):
    return [abs(claimed[i] - m) > 1e-4 for i, m in enumerate(numerical_gradient(f, inputs))]
"""),
    ("gradient_check", "Only one of them", """
def gradient_check(f, inputs, claimed):
    wrong = []
    for i, m in enumerate(numerical_gradient(f, inputs)):
        if abs(claimed[i] - m) > 1e-4:
            wrong = [i]
    return wrong
"""),
    ("gradient_check", "Not the wrong ones", """
def gradient_check(f, inputs, claimed):
    return []
"""),
    # neuron_gradients
    ("neuron_gradients", "Not a dict", """
def neuron_gradients(x1, x2, w1, w2, b):
    dn = 1 - math.tanh(x1 * w1 + x2 * w2 + b) ** 2
    return w1 * dn, x1 * dn, w2 * dn, x2 * dn, dn
"""),
    ("neuron_gradients", "One neuron only", """
def neuron_gradients(x1, x2, w1, w2, b):
    return {"x1": -1.5, "x2": 0.5, "w1": 1.0, "w2": 0.0, "b": 0.5}
"""),
    ("neuron_gradients", "The tanh left out", """
def neuron_gradients(x1, x2, w1, w2, b):
    return {"x1": w1, "w1": x1, "x2": w2, "w2": x2, "b": 1.0}
"""),
    ("neuron_gradients", "n in place of o", """
def neuron_gradients(x1, x2, w1, w2, b):
    dn = 1 - (x1 * w1 + x2 * w2 + b) ** 2
    return {"x1": w1 * dn, "w1": x1 * dn, "x2": w2 * dn, "w2": x2 * dn, "b": dn}
"""),
    ("neuron_gradients", "Not the slope of tanh", """
def neuron_gradients(x1, x2, w1, w2, b):
    dn = 1 - math.tanh(x1 * w1 + x2 * w2 + b)
    return {"x1": w1 * dn, "w1": x1 * dn, "x2": w2 * dn, "w2": x2 * dn, "b": dn}
"""),
    ("neuron_gradients", "Not the slope of tanh", """
def neuron_gradients(x1, x2, w1, w2, b):
    dn = math.tanh(x1 * w1 + x2 * w2 + b)
    return {"x1": w1 * dn, "w1": x1 * dn, "x2": w2 * dn, "w2": x2 * dn, "b": dn}
"""),
    ("neuron_gradients", "Not swapped", """
def neuron_gradients(x1, x2, w1, w2, b):
    dn = 1 - math.tanh(x1 * w1 + x2 * w2 + b) ** 2
    return {"x1": x1 * dn, "w1": w1 * dn, "x2": x2 * dn, "w2": w2 * dn, "b": dn}
"""),
    ("neuron_gradients", "The gradient of b", """
def neuron_gradients(x1, x2, w1, w2, b):
    dn = 1 - math.tanh(x1 * w1 + x2 * w2 + b) ** 2
    return {"x1": w1 * dn, "w1": x1 * dn, "x2": w2 * dn, "w2": x2 * dn, "b": b * dn}
"""),
    ("neuron_gradients", "The gradient of b", """
def neuron_gradients(x1, x2, w1, w2, b):
    dn = 1 - math.tanh(x1 * w1 + x2 * w2 + b) ** 2
    return {"x1": w1 * dn, "w1": x1 * dn, "x2": w2 * dn, "w2": x2 * dn, "b": 1.0}
"""),
    ("neuron_gradients", "Not the gradients", """
def neuron_gradients(x1, x2, w1, w2, b):
    dn = 1 - math.tanh(x1 * w1 + x2 * w2 + b) ** 2
    return {"x1": w1 * dn, "w1": x1 * dn, "x2": w2 * dn / 2, "w2": x2 * dn / 2, "b": dn}
"""),
    ("neuron_gradients", "Not the gradients", """
def neuron_gradients(x1, x2, w1, w2, b):
    dn = 1 - math.tanh(x1 * w1 + x2 * w2 + b) ** 2
    return {"x1": w2 * dn, "x2": w1 * dn, "w1": x2 * dn, "w2": x1 * dn, "b": dn}
"""),
    ("neuron_gradients", "Not the gradients", """
def neuron_gradients(x1, x2, w1, w2, b):
    dn = 1 - math.tanh(x1 * w1 + x2 * w2 + b) ** 2
    return {"x1": w1 * dn, "x2": w2 * dn, "w1": x1 * dn, "w2": 0.0, "b": dn}
"""),
    ("neuron_gradients", "Not the gradients", """
def neuron_gradients(x1, x2, w1, w2, b):
    dn = 1 - math.tanh(x1 * w1 + x2 * w2 + b) ** 2
    return {"x1": dn * x1 * w1, "x2": dn * x2 * w2, "w1": dn * x1 * w1, "w2": dn * x2 * w2, "b": dn}
"""),
    ("neuron_gradients", "Not the gradient of b", """
def neuron_gradients(x1, x2, w1, w2, b):
    dn = 1 - math.tanh(x1 * w1 + x2 * w2 + b) ** 2
    return {"x1": w1 * dn / 2, "x2": w2 * dn / 2, "w1": x1 * dn / 2, "w2": x2 * dn / 2, "b": dn / 2}
"""),
    ("neuron_gradients", "A name is missing", """
def neuron_gradients(x1, x2, w1, w2, b):
    dn = 1 - math.tanh(x1 * w1 + x2 * w2 + b) ** 2
    return {"x1": w1 * dn, "x2": w2 * dn, "w1": x1 * dn, "w2": x2 * dn}
"""),
    ("neuron_gradients", "A name too many", """
def neuron_gradients(x1, x2, w1, w2, b):
    dn = 1 - math.tanh(x1 * w1 + x2 * w2 + b) ** 2
    return {"x1": w1 * dn, "x2": w2 * dn, "w1": x1 * dn, "w2": x2 * dn, "b": dn, "n": dn}
"""),
    ("neuron_gradients", "Measured, not exact", """
def neuron_gradients(x1, x2, w1, w2, b):
    def o(x1, x2, w1, w2, b):
        return math.tanh(x1 * w1 + x2 * w2 + b)
    return dict(zip(["x1", "x2", "w1", "w2", "b"], numerical_gradient(o, [x1, x2, w1, w2, b])))
"""),
]  # fmt: skip

RIGHT = [
    ("gradient_step", "def gradient_step(inputs, gradients, step):\n    moved = []\n    for i in range(len(inputs)):\n        moved.append(inputs[i] + gradients[i] * -step)\n    return moved"),
    ("local_derivatives", 'def local_derivatives(op, left, right):\n    return {"+": (1, 1), "-": (1, -1), "*": (right, left)}[op]'),
    ("local_slopes", "def local_slopes(functions, x):\n    if not functions:\n        return []\n    first, *others = functions\n    return [central_difference(first, x), *local_slopes(others, first(x))]"),
    ("expression_gradients", "def expression_gradients(u, v, w, t):\n    return [w * t, w * t, (u + v) * t, (u + v) * w]"),
    ("gradient_check", "import math\ndef gradient_check(f, inputs, claimed):\n    measured = numerical_gradient(f, inputs)\n    return [i for i, (m, c) in enumerate(zip(measured, claimed)) if not math.isclose(m, c, rel_tol=1e-4, abs_tol=1e-4)]"),
    ("neuron_gradients", "import math\ndef neuron_gradients(x1, x2, w1, w2, b):\n    dn = 1 / math.cosh(x1 * w1 + x2 * w2 + b) ** 2\n    return dict(b=dn, w1=x1 * dn, w2=x2 * dn, x1=w1 * dn, x2=w2 * dn)"),
]
