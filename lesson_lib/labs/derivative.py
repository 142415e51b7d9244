"""The derivative lab: secant and tangent of a function, and how the error of the slope depends on the step h."""

import math

from traitlets import Bool, Dict, Float, List, TraitError, Unicode, observe, validate

from lesson_lib import draw
from lesson_lib.labs.base import Lab, script
from lesson_lib.labs.expression import ExpressionError, parse

FUNCTIONS = ("x**2", "3*x**2 - 4*x + 5", "x**3", "sin(x)", "exp(x)", "tanh(x)", "log(x)", "1/x", "abs(x)", "relu(x)")


class Derivative(Lab):
    """The widget behind `labs.derivative`. Its state is f, x, h and zoom; the page and Python both may set them."""

    _esm = script("expression.js", "plot.js", "derivative.js")

    title = Unicode("The slope of a curve, and the step h").tag(sync=True)
    works_alone = Bool(True, read_only=True).tag(sync=True)
    sentence = Unicode()  # not synced: the page makes its own while x and h slide
    f = Unicode("x**2").tag(sync=True)
    x = Float(1.0, min=-1000.0, max=1000.0).tag(sync=True)
    h = Float(1.0, min=1e-16, max=1.0).tag(sync=True)
    zoom = Bool(False).tag(sync=True)
    choices = List(list(FUNCTIONS)).tag(sync=True)
    programs = Dict().tag(sync=True)  # formula -> postfix program: of f, as last read, then of the choices

    def __init__(self, f, x, h):
        self.expression = parse(f)  # a formula that cannot be read raises here, in the cell
        super().__init__(f=f, x=x, h=h)
        self._read()

    @observe("f")
    def _read(self, change=None):
        """Take over a formula. One that cannot be read is shown as the problem, and the last good one stays."""
        try:
            self.expression = parse(self.f)
        except ExpressionError as error:
            self.problem = str(error)
            return
        self.problem = ""
        self.programs = {text: parse(text).program for text in (self.f, *FUNCTIONS)}
        self._speak()

    @validate("x", "h")
    def _check(self, proposal):
        if math.isnan(proposal["value"]):  # which is neither below nor above its bounds
            raise TraitError(f"{proposal['trait'].name} must be a number, and nan is none")
        return proposal["value"]

    @observe("x", "h")
    def _speak(self, change=None):
        slope, secant = self._slopes()
        words = [f"The curve of {self.expression.text} at x = {self.x:g}, with the step h = {self.h:g}."]
        words.append(f"The secant's slope is {secant:.6g}." if math.isfinite(secant) else "There is no secant.")
        words.append(f"The exact slope is {slope:.6g}." if math.isfinite(slope) else "There is no exact slope.")
        if math.isfinite(secant - slope):
            words.append(f"The error is {abs(secant - slope):.2g}.")
        self.sentence = " ".join(words)

    def _slopes(self):
        f, x, h = self.expression, self.x, self.h
        return f.slope(x), (f(x + h) - f(x)) / h

    def still(self):
        """Return the curve with its secant and tangent as they stand now, as a `draw.Picture`."""
        f, x, h = self.expression, self.x, self.h
        slope, secant = self._slopes()
        low, high = (-3.6, 4.4) if abs(x) <= 3 else (x - 4, x + 4)
        try:
            return draw.curve(
                f,
                low,
                high,
                tangent=(x, slope) if math.isfinite(slope) else None,
                secant=(x, h) if math.isfinite(secant) else None,
                title=f"f(x) = {f.text}",
                alt=self.sentence,
            )
        except ValueError as error:
            # a curve without any point has no picture but the words for it
            return draw.TextPicture(f"f(x) = {f.text}: {error}", alt=self.sentence)


def derivative(f="x**2", x=1.0, h=1.0):
    """Return the derivative lab: the slope of f at x, measured with the step h and computed exactly.

    f: a formula in x, as text: numbers, x, + - * / **, parentheses, pi, e, and abs, cos, exp, log, relu,
        sigmoid, sin, sqrt, tan, tanh. It is parsed, never evaluated as Python.
    x: where, from -1000 to 1000.
    h: the step, from 1 down to 1e-16.

    Raises ExpressionError (a ValueError) for a formula that cannot be read, TraitError for an x or h out of range.
    """
    return Derivative(f, x, h)
