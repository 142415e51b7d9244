"""Plausible mistakes in the exercises of the start page."""

SETUP = ""

ARROW = """
class Arrow:
    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        {}
"""


def loop(*lines):
    return "\n    ".join(("def running_sum(numbers):", *lines)) + "\n"


WRONG = [
    ("first_number", "The sum, not the mean", "first_number = 3 + 5 + 10"),
    ("first_number", "Missing parentheses", "first_number = 3 + 5 + 10 / 3"),
    ("first_number", "The middle one, not the mean", "first_number = 5"),
    ("first_number", "Not the mean", "first_number = (3 + 5 + 10) / 2"),
    ("first_number", "Not a number", "first_number = '(3 + 5 + 10) / 3'"),
    ("rise", "Beginning minus end", "def rise(f, a, b):\n    return f(a) - f(b)"),
    ("rise", "The sign is lost", "def rise(f, a, b):\n    return abs(f(b) - f(a))"),
    ("rise", "The inputs do not fit", "def rise(f, a):\n    return f(a)"),
    ("rise", "Your code stopped with an error", "def rise(f, a, b):\n    return f.b - f.a"),
    ("rise", "The way, not the rise", "def rise(f, a, b):\n    return b - a"),
    ("rise", "f of the difference", "def rise(f, a, b):\n    return f(b - a)"),
    ("rise", "The slope, not the rise", "def rise(f, a, b):\n    return (f(b) - f(a)) / (b - a)"),
    ("rise", "Not the rise", "def rise(f, a, b):\n    return f(b) + f(a)"),
    ("rise", "Not a function", "rise = 4 - 1"),
    ("rise", "The last line is still the stub's", "def rise(f, a, b):\n    start, end = map(f, (a, b))\n    return ..."),
    ("rise", "Nothing comes back", "def rise(f, a, b):\n    f(b) - f(a)"),
    ("running_sum", "One number, not a list", "def running_sum(numbers):\n    return sum(numbers)"),
    (
        "running_sum",
        "Not a list",
        "import itertools\n\n\ndef running_sum(numbers):\n    return itertools.accumulate(numbers)",
    ),
    (
        "running_sum",
        "Only the first sum",
        loop("total, sums = 0, []", "for x in numbers:", "    total += x", "    sums.append(total)", "    return sums"),
    ),
    (
        "running_sum",
        "Only the last sum",
        loop("total = 0", "for x in numbers:", "    sums = []", "    total += x", "    sums.append(total)", "return sums"),
    ),
    (
        "running_sum",
        "The numbers as they came",
        loop("sums = []", "for x in numbers:", "    total = 0", "    total += x", "    sums.append(total)", "return sums"),
    ),
    (
        "running_sum",
        "Your code stopped with an error",
        loop("sums = [numbers[0]]", "for x in numbers[1:]:", "    sums.append(sums[-1] + x)", "return sums"),
    ),
    (
        "running_sum",
        "The list that came in is changed",
        "def running_sum(numbers):\n    for i in range(1, len(numbers)):\n        numbers[i] += numbers[i - 1]\n    return numbers",
    ),
    (
        "running_sum",
        "The number itself is left out",
        "def running_sum(numbers):\n    return [sum(numbers[:i]) for i in range(len(numbers))]",
    ),
    (
        "running_sum",
        "A zero too many",
        "def running_sum(numbers):\n    sums = [0]\n    for x in numbers:\n        sums.append(sums[-1] + x)\n    return sums",
    ),
    (
        "running_sum",
        "Not the running sum",
        "def running_sum(numbers):\n    return [x + y for x, y in zip(numbers, [0, *numbers])]",
    ),
    ("Arrow", "Not an Arrow", ARROW.format("return (self.x + other.x, self.y + other.y)")),
    ("Arrow", "An old arrow is changed", ARROW.format("self.x += other.x; self.y += other.y; return self")),
    ("Arrow", "Nothing comes back", ARROW.format("Arrow(self.x + other.x, self.y + other.y)")),
    ("Arrow", "x and y have changed places", ARROW.format("return Arrow(self.y + other.y, self.x + other.x)")),
    ("Arrow", "Not the sum", ARROW.format("return Arrow(self.x + other.x, self.y)")),
    ("Arrow", "Not a class", "def Arrow(x, y):\n    return (x, y)"),
]

RIGHT = [
    ("rise", "def rise(f, a, b):\n    start, end = map(f, (a, b))\n    return end - start"),
    ("running_sum", "from itertools import accumulate\ndef running_sum(numbers):\n    return list(accumulate(numbers))"),
    ("Arrow", "from dataclasses import dataclass\n@dataclass\nclass Arrow:\n    x: float\n    y: float\n    def __add__(self, other):\n        return Arrow(self.x + other.x, self.y + other.y)"),
]
