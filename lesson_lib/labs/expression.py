"""Formulas that a learner types: read without `eval`, computed together with their exact slope.

`parse` lets Python's own parser (`ast`) build the tree, takes only arithmetic from it, and flattens
it into a small program in postfix order. Python and the lab's JavaScript run the same program:

>>> parse("3*x**2 - 4*x").program
(3.0, 'x', 2.0, '**', '*', 4.0, 'x', '*', '-')
>>> parse("3*x**2 - 4*x").slope(1.0)
2.0
"""

import ast
import math
import re
import warnings
from dataclasses import dataclass

LONGEST = 200  # characters
CONSTANTS = {"pi": math.pi, "e": math.e}
FUNCTIONS = ("abs", "cos", "exp", "log", "relu", "sigmoid", "sin", "sqrt", "tan", "tanh")
OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
KNOWN = f"x, the numbers {' and '.join(CONSTANTS)}, and the functions {', '.join(FUNCTIONS)}"
NUMBER = r"(?>\d+\.?\d*|\.\d+)(?>[eE][+-]?\d+)?+"  # without backtracking: the e of 2e5 belongs to it

# what people write from habit, and what to write here; none of these is ever part of a right formula
HABITS = [
    (r"[\n\r#]", "A formula is one line, and nothing but the formula."),
    (r"\b(if|else|and|or|not|in|is|for|lambda)\b", "Only arithmetic is read here: {0} is no part of it."),
    (r"\^|[²³]", "A power is written **, as in x**2."),
    (r"[×·⋅∙]", "Times is written *."),
    (r"[÷∶]", "A division is written /."),
    (r"[−–—]", "This is a dash. Minus is the shorter sign -."),
    (r"√", "The square root is written sqrt(x)."),
    (r"π", "Write pi."),
    (r"\|", "The absolute value is written abs(x)."),
    (r"=", "Write only what stands to the right of the =, as in x**2."),
    (r"//|%", "Only + - * / and ** are read here."),
    (r"(?<=\d),(?=\d)", "A number has a decimal point: 0.5."),
    (r"\b(math|np|numpy|torch)\.", "Write the name alone, without {0}. before it."),
    (rf"(?<![\w.])({NUMBER})\s*([A-Za-z]\w*|\()", "Between {0} and {1} goes a *: write {0}*{1}"),
    (r"(\))\s*(\w+|\()", "Between {0} and {1} goes a *: write {0}*{1}"),
    (r"\b(x|pi|e)\s*(\([^()]*\)|\()", "Between {0} and {1} goes a *: write {0}*{1}"),
    (r"\b(x|pi|e)\s+(\w+)", "Between {0} and {1} goes a *: write {0}*{1}"),
    (rf"\b({'|'.join(FUNCTIONS)})\s+(\w+)", "A function has its argument in parentheses: {0}({1})"),
    (rf"\b({'|'.join(FUNCTIONS)})(x)\b", "A function has its argument in parentheses: {0}({1})"),
    (r"\bln\b", "The natural logarithm is written log(x)."),
    (r"[-+*/]\s*$", "After this something is missing."),
]


class ExpressionError(ValueError):
    """A formula that cannot be read. The message shows where, with a caret below the place, and what to write.

    `text` is the formula, `position` the index of the character in it, `advice` the sentence.
    """

    def __init__(self, text, position, advice):
        # of a long text only the part around the place
        start = max(0, position - 30)
        part = re.sub(r"\s", " ", text[start : start + 60])
        super().__init__(f"{part}\n{' ' * (position - start)}^\n{advice}")
        self.text, self.position, self.advice = text, position, advice


@dataclass(frozen=True)
class Expression:
    """A function of x as it was typed, and its program: numbers, "x", and names of operations in postfix order."""

    text: str
    program: tuple

    def __call__(self, x):
        """Return f(x): nan where there is no real value, inf where it is too large for a float."""
        return self.run(x, 1.0)[0]

    def slope(self, x):
        """Return the exact slope at x: nan where there is none, as at a kink, where the two sides differ."""
        right, left = self.run(x, 1.0)[1], -self.run(x, -1.0)[1]
        return right if right == left else math.nan

    def run(self, x, direction):
        """Return f(x) and how fast f grows from there when x moves in `direction` (1.0 or -1.0).

        Forward-mode differentiation with dual numbers: each entry of the stack is a value and its slope.
        """
        stack = []
        for step in self.program:
            if step == "x":
                stack.append((x, direction))
            elif isinstance(step, float):
                stack.append((step, 0.0))
            elif step in _TWO:
                v = stack.pop()
                stack.append(_TWO[step](*stack.pop(), *v))
            else:
                stack.append(_ONE[step](*stack.pop()))
        value, slope = stack.pop()
        return value, slope if math.isfinite(value) else math.nan


def parse(text):
    """Return the Expression for a formula in x.

    Raises ExpressionError, which says where and what to write instead, and TypeError for what is not text.
    """
    if not isinstance(text, str):
        raise TypeError(f"a formula is text, such as 'x**2', and not a {type(text).__name__}")
    if not text.strip():
        raise ExpressionError(text, 0, "Type a function of x, for example x**2.")
    if len(text) > LONGEST:
        raise ExpressionError(text, LONGEST, f"From here on it is too long: {LONGEST} characters are the most.")
    for pattern, advice in HABITS:
        if found := re.search(pattern, text):
            place = found.start(2) if found.re.groups == 2 else found.start()
            raise ExpressionError(text, place, advice.format(*found.groups()))
    program = []
    _flatten(_tree(text), text, program)
    return Expression(text.strip(), tuple(program))


def _tree(text):
    _match_parentheses(text)
    blank = len(text) - len(text.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        place = min(blank + max((error.offset or 1) - 1, 0), len(text))
        advice = "This cannot stand here." if place < len(text.rstrip()) else "Here something is missing."
        raise ExpressionError(text, place, advice) from None
    except (ValueError, MemoryError, RecursionError):
        # characters that no source code may hold, or parentheses nested too deeply for Python's parser
        raise ExpressionError(text, blank, "This nests too deeply, or holds strange characters.") from None


def _match_parentheses(text):
    still_open = []
    for place, character in enumerate(text):
        if character == "(":
            still_open.append(place)
        elif character == ")":
            if not still_open:
                raise ExpressionError(text, place, "This ) has no ( before it.")
            still_open.pop()
    if still_open:
        raise ExpressionError(text, still_open[-1], "This ( is never closed.")


def _flatten(node, text, program):
    """Append the node's part of the program: its arguments' parts, then its own operation."""

    def refuse(advice):
        # ast counts in bytes of the text without the blanks before it
        source = text.lstrip()
        place = len(source.encode()[: node.col_offset].decode()) + len(text) - len(source)
        raise ExpressionError(text, place, advice)

    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            if not math.isfinite(float(number)):
                refuse("This number is too large for a float, which ends at about 1.8e308.")
            program.append(float(number))
        case ast.Name(id="x"):
            program.append("x")
        case ast.Name(id=name) if name in CONSTANTS:
            program.append(CONSTANTS[name])
        case ast.Name(id=name) if name in FUNCTIONS:
            refuse(f"A function has its argument in parentheses: {name}(x)")
        case ast.Name(id=name):
            refuse(f"The name {name} is not known here. Known are {KNOWN}.")
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            _flatten(operand, text, program)
            program.append("neg")
        case ast.UnaryOp(op=ast.UAdd(), operand=operand):
            _flatten(operand, text, program)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in OPERATORS:
            _flatten(left, text, program)
            _flatten(right, text, program)
            program.append(OPERATORS[type(operator)])
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
            _flatten(argument, text, program)
            program.append(name)
        case ast.Call(func=ast.Name(id=name)) if name in FUNCTIONS:
            refuse(f"The function {name} takes one argument: {name}(x)")
        case ast.Call(func=ast.Name(id=name)):
            refuse(f"The name {name} is not known here. Known are {KNOWN}.")
        case _:
            refuse(f"Only arithmetic is read here: + - * / **, parentheses, {KNOWN}.")


# -- operations on dual numbers: a value u and its slope du ------------------------------------------


def _real(f, u):
    """Return f(u): nan where it has no real value, inf where it is too large for a float."""
    try:
        return f(u)
    except ValueError:
        return math.nan
    except OverflowError:
        return math.inf


def _divide(a, b):
    return a / b if b else math.nan


def _power(a, b):
    # Python has 1 ** nan = 1 and JavaScript has not: here both give nan
    if math.isnan(a) or not math.isfinite(b):
        return math.nan
    try:
        result = a**b
    except ZeroDivisionError:
        return math.nan
    except OverflowError:
        return math.inf if a > 0 or b % 2 == 0 else -math.inf
    return math.nan if isinstance(result, complex) else result


def _dual_power(u, du, v, dv):
    value = _power(u, v)
    if dv == 0:
        return value, v * _power(u, v - 1) * du if v else 0.0
    return value, value * (dv * _real(math.log, u) + v * _divide(du, u))


def _dual_divide(u, du, v, dv):
    value = _divide(u, v)
    return value, _divide(du - value * dv, v)


def _dual_abs(u, du):
    return abs(u), math.copysign(1.0, u) * du if u else abs(du)


def _dual_relu(u, du):
    return (u, du) if u > 0 else (0.0 * u, 0.0 if u else max(du, 0.0))


def _dual_exp(u, du):
    value = _real(math.exp, u)
    return value, value * du


def _dual_sqrt(u, du):
    value = _real(math.sqrt, u)
    return value, du / (2 * value) if value else math.inf * du


def _dual_tan(u, du):
    value = _real(math.tan, u)
    return value, (1 + value * value) * du


def _dual_tanh(u, du):
    value = math.tanh(u)
    return value, (1 - value * value) * du


def _dual_sigmoid(u, du):
    value = 1 / (1 + _real(math.exp, -u))
    return value, value * (1 - value) * du


_TWO = {
    "+": lambda u, du, v, dv: (u + v, du + dv),
    "-": lambda u, du, v, dv: (u - v, du - dv),
    "*": lambda u, du, v, dv: (u * v, du * v + u * dv),
    "/": _dual_divide,
    "**": _dual_power,
}
_ONE = {
    "neg": lambda u, du: (-u, -du),
    "abs": _dual_abs,
    "cos": lambda u, du: (_real(math.cos, u), -_real(math.sin, u) * du),
    "exp": _dual_exp,
    "log": lambda u, du: (_real(math.log, u), _divide(du, u)),
    "relu": _dual_relu,
    "sigmoid": _dual_sigmoid,
    "sin": lambda u, du: (_real(math.sin, u), _real(math.cos, u) * du),
    "sqrt": _dual_sqrt,
    "tan": _dual_tan,
    "tanh": _dual_tanh,
}
