"""Wrong answers to the exercises of lesson 1."""

SETUP = """
from lesson_lib.derivatives import central_difference, forward_difference, numerical_gradient


def square(x):
    return x * x


def g(x):
    return 2 * x * x + 5 * x - 7


def slope_of_f(x):
    return 6 * x - 4
"""


def function(head, *body):
    return "\n    ".join((f"def {head}:", *body)) + "\n"


def changes(answer):
    return f"changes = {answer}\n"


def exact(formula):
    return function("exact_slope(x)", f"return {formula}")


def backward(formula):
    return function("backward_difference(f, x, h)", f"return {formula}")


def step(formula):
    return function("best_step(digits)", f"return {formula}")


def walk(line, last="return x"):
    return function("walk_downhill(f, x, size, steps)", "for _ in range(steps):", f"    {line}", last)


def second(formula):
    return function("second_difference(f, x, h)", f"return {formula}")


def predicted(formula):
    head = "predicted_change(f, inputs, nudges)"
    return function(head, "slopes = numerical_gradient(f, inputs)", f"return {formula}")


PAIRS = "for slope, nudge in zip(slopes, nudges)"

WRONG = [
    ("changes", "Not three numbers", changes("0.02")),
    ("changes", "Not three numbers", changes("[0.02, -0.02]")),
    ("changes", "Not a number", changes("[0.02, '-0.02', 0]")),
    ("changes", "The slope, not the change", changes("[10, -2, 0]")),
    ("changes", "The nudge, not the change", changes("[0.002, 0.01, 0.01]")),
    ("changes", "The nudge, not the change", changes("[0.02, -0.02, 0.01]")),
    ("changes", "The new height, not the change", changes("[25.02, 0.98, 0.0001]")),
    ("changes", "The height in place of the slope", changes("[0.05, 0.01, 0]")),
    ("changes", "The sign is lost", changes("[0.02, 0.02, 0]")),
    ("changes", "The sign is lost", changes("[-0.02, 0.02, 0]")),
    ("changes", "Not slope times nudge", changes("[0.2, -0.2, 0]")),
    ("changes", "Not slope times nudge", changes("[0.02, -0.02, float('nan')]")),
    ("exact_slope", "The height, not the slope", exact("2 * x**2 + 5 * x - 7")),
    ("exact_slope", "The height, not the slope", exact("g(x)")),
    ("exact_slope", "The constant is still there", exact("4 * x + 5 - 7")),
    ("exact_slope", "The line's part is lost", exact("4 * x")),
    ("exact_slope", "The factor 2 is lost", exact("2 * x + 5")),
    ("exact_slope", "Measured, not exact", exact("forward_difference(g, x)")),
    ("exact_slope", "Measured, not exact", exact("central_difference(g, x)")),
    ("exact_slope", "Not the slope of g", exact("4 * x + 5 * x")),
    ("exact_slope", "Not the slope of g", exact("9")),
    ("exact_slope", "Not the slope of g", exact("round(central_difference(g, x))")),
    ("exact_slope", "Nothing comes back", function("exact_slope(x)", "4 * x + 5")),
    ("backward_difference", "The sign is turned", backward("(f(x - h) - f(x)) / h")),
    ("backward_difference", "The sign is turned", backward("(f(x) - f(x - h)) / -h")),
    ("backward_difference", "The inputs do not fit", function("backward_difference(f, x)", "return f(x) - f(x - 1)")),
    ("backward_difference", "The rise without the run", backward("f(x) - f(x - h)")),
    ("backward_difference", "Twice the run", backward("(f(x) - f(x - h)) / (2 * h)")),
    ("backward_difference", "Missing parentheses", backward("f(x) - f(x - h) / h")),
    ("backward_difference", "Not a slope", backward("(f(x + h) - f(x - h)) / h")),
    ("backward_difference", "Not a slope", backward("f(x - h) / h")),
    ("backward_difference", "Forward, not backward", backward("(f(x + h) - f(x)) / h")),
    ("backward_difference", "Central, not backward", backward("(f(x + h) - f(x - h)) / (2 * h)")),
    ("backward_difference", "A step of your own", backward("forward_difference(f, x, -1e-8)")),
    ("backward_difference", "Not a number", backward("[f(x), f(x - h)]")),
    ("best_step", "Not a step", step("0")),
    ("best_step", "Not a step", step("-1e-8")),
    ("best_step", "Not a step", step("10 ^ -digits")),
    ("best_step", "Your code stopped with an error", step("10 ^ (-digits / 2)")),
    ("best_step", "The round-off itself", step("10**-digits")),
    ("best_step", "The wrong sign in the exponent", step("10 ** (digits / 2)")),
    ("best_step", "The central difference's step", step("10 ** (-digits / 3)")),
    ("best_step", "Half the number, not half the exponent", step("10**-digits / 2")),
    ("best_step", "One step for all", step("1e-8")),
    ("best_step", "Half an exponent is lost", step("10 ** -(digits // 2)")),
    ("best_step", "Half an exponent is lost", step("10.0 ** (-digits // 2)")),
    ("best_step", "Not where the two errors meet", step("1e-5")),
    ("best_step", "Not where the two errors meet", step("digits / 2")),
    ("walk_downhill", "Uphill, not downhill", walk("x = x + size * central_difference(f, x)")),
    ("walk_downhill", "Every step the same", walk("x = x - size if central_difference(f, x) > 0 else x + size")),
    ("walk_downhill", "The size is lost", walk("x = x - central_difference(f, x)")),
    ("walk_downhill", "The height in place of the slope", walk("x = x - size * f(x)")),
    ("walk_downhill", "The step, not the place", walk("x = -size * central_difference(f, x)")),
    ("walk_downhill", "The step, not the place", walk("x = size * central_difference(f, x)")),
    (
        "walk_downhill",
        "One step too many",
        function(
            "walk_downhill(f, x, size, steps)",
            "for _ in range(steps + 1):",
            "    x = x - size * central_difference(f, x)",
            "return x",
        ),
    ),
    (
        "walk_downhill",
        "Not moved at all",
        function(
            "walk_downhill(f, x, size, steps)",
            "for _ in range(1, steps):",
            "    x = x - size * central_difference(f, x)",
            "return x",
        ),
    ),
    ("walk_downhill", "The height, not the place", walk("x = x - size * central_difference(f, x)", "return f(x)")),
    ("walk_downhill", "The slope of one f for all", walk("x = x - size * slope_of_f(x)")),
    ("walk_downhill", "A slope measured roughly", walk("x = x - size * forward_difference(f, x, 0.001)")),
    ("walk_downhill", "A slope measured roughly", walk("x = x - size * forward_difference(f, x, size)")),
    ("walk_downhill", "A step for two purposes", walk("x = x - size * central_difference(f, x, size)")),
    ("walk_downhill", "Only one step", walk("new = x - size * central_difference(f, x)", "return new")),
    ("walk_downhill", "Not a step against the slope", walk("x = x - central_difference(f, x) / size")),
    ("walk_downhill", "Not moved at all", walk("slope = central_difference(f, x)")),
    ("walk_downhill", "The slope's sign is lost", walk("x = x - size * abs(central_difference(f, x))")),
    ("walk_downhill", "Only one step", walk("x = x - size * central_difference(f, x)", "    return x")),
    (
        "walk_downhill",
        "One slope for the whole walk",
        function(
            "walk_downhill(f, x, size, steps)",
            "slope = central_difference(f, x)",
            "for _ in range(steps):",
            "    x = x - size * slope",
            "return x",
        ),
    ),
    (
        "walk_downhill",
        "Not two steps",
        function(
            "walk_downhill(f, x, size, steps)",
            "for i in range(steps):",
            "    for _ in range(i + 1):",
            "        x = x - size * central_difference(f, x)",
            "return x",
        ),
    ),
    ("walk_downhill", "The slope of another function", walk("x = x - size * 2 * x")),
    ("walk_downhill", "Nothing comes back", walk("x = x - size * central_difference(f, x)", "x")),
    ("second_difference", "The slope, not the slope of the slope", second("central_difference(f, x, h)")),
    ("second_difference", "f(x) is there only once", second("(f(x + h) - f(x) + f(x - h)) / h**2")),
    ("second_difference", "A line does not bend", second("(f(x + h) + 2 * f(x) + f(x - h)) / h**2")),
    ("second_difference", "A line does not bend", second("(f(x + h) - 2 * f(x) + f(x - h) / h**2)")),
    ("second_difference", "The sign is turned", second("-(f(x + h) - 2 * f(x) + f(x - h)) / h**2")),
    ("second_difference", "Divided by h only once", second("(f(x + h) - 2 * f(x) + f(x - h)) / h")),
    ("second_difference", "Twice the run", second("(f(x + h) - 2 * f(x) + f(x - h)) / (2 * h**2)")),
    ("second_difference", "Twice the run", second("(f(x + h) - 2 * f(x) + f(x - h)) / (2 * h) ** 2")),
    ("second_difference", "Not the slope of the slope", second("(f(x + h) - 2 * f(x) + f(x - h)) / (2 * h)")),
    ("second_difference", "Not the slope of the slope", second("0.0")),
    (
        "second_difference",
        "A step of your own",
        second("(forward_difference(f, x + 1e-5, 1e-5) - forward_difference(f, x, 1e-5)) / 1e-5"),
    ),
    ("second_difference", "Looks to one side", second("(f(x + 2 * h) - 2 * f(x + h) + f(x)) / h**2")),
    ("second_difference", "Other pieces", second("central_difference(lambda y: central_difference(f, y, h), x, h)")),
    (
        "second_difference",
        "Other pieces",
        second("(central_difference(f, x + h) - central_difference(f, x - h)) / (2 * h)"),
    ),
    (
        "second_difference",
        "Another answer is missing",
        function("backward_difference(f, x, h)", "return ...")
        + second("backward_difference(lambda y: forward_difference(f, y, h), x, h)"),
    ),
    (
        "second_difference",
        "Your code stopped with an error",
        function("backward_difference(f, x, h)", "return ...")
        + second("(forward_difference(f, x, h) - backward_difference(f, x, h)) / h"),
    ),
    ("predicted_change", "A list, not one number", predicted(f"[slope * nudge {PAIRS}]")),
    ("predicted_change", "The nudges are lost", predicted("sum(slopes)")),
    (
        "predicted_change",
        "The inputs in place of the slopes",
        predicted("sum(x * nudge for x, nudge in zip(inputs, nudges))"),
    ),
    ("predicted_change", "The sign is lost", predicted(f"sum(abs(slope) * nudge {PAIRS})")),
    ("predicted_change", "The new value, not the change", predicted(f"f(*inputs) + sum(slope * nudge {PAIRS})")),
    ("predicted_change", "Not slope times nudge", predicted(f"sum(slope + nudge {PAIRS})")),
    ("predicted_change", "Only the first input", predicted("slopes[0] * nudges[0]")),
    (
        "predicted_change",
        "Only the last input",
        function(
            "predicted_change(f, inputs, nudges)",
            "slopes = numerical_gradient(f, inputs)",
            "for i in range(len(inputs)):",
            "    total = slopes[i] * nudges[i]",
            "return total",
        ),
    ),
    (
        "predicted_change",
        "The slopes where the move ends",
        function(
            "predicted_change(f, inputs, nudges)",
            "slopes = numerical_gradient(f, [x + nudge for x, nudge in zip(inputs, nudges)])",
            f"return sum(slope * nudge {PAIRS})",
        ),
    ),
    (
        "predicted_change",
        "Your code stopped with an error",
        predicted("slopes[0] * nudges[0] + slopes[1] * nudges[1] + slopes[2] * nudges[2]"),
    ),
    (
        "predicted_change",
        "The change itself, not its prediction",
        predicted("f(*[x + nudge for x, nudge in zip(inputs, nudges)]) - f(*inputs)"),
    ),
    ("predicted_change", "The inputs do not add up", predicted(f"max([slope * nudge {PAIRS}], key=abs)")),
    (
        "predicted_change",
        "Only that one function",
        function(
            "predicted_change(f, inputs, nudges)",
            "a, b = (inputs + [0, 0])[:2]",
            "da, db, dc = (nudges + [0, 0, 0])[:3]",
            "return b * da + a * db + dc",
        ),
    ),
]

RIGHT = [
    ("exact_slope", "def exact_slope(x):\n    return 5 + 2 * x * 2"),
    ("backward_difference", "def backward_difference(f, x, h):\n    return (f(x - h) - f(x)) / -h"),
    ("best_step", "import math\ndef best_step(digits):\n    return math.sqrt(0.1**digits)"),
    ("walk_downhill", "def walk_downhill(f, x, size, steps):\n    if steps == 0:\n        return x\n    return walk_downhill(f, x - size * central_difference(f, x), size, steps - 1)"),
    ("second_difference", "def second_difference(f, x, h):\n    return (f(x + h) - 2 * f(x) + f(x - h)) / h**2"),
    ("predicted_change", "import math\ndef predicted_change(f, inputs, nudges):\n    return math.fsum(map(lambda s, n: s * n, numerical_gradient(f, inputs), nudges))"),
]
