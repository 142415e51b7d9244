"""Checks of lesson 1: changes, an exact slope, backward, the best step, a walk, a second difference, a prediction."""

import math

from ..derivatives import central_difference
from ._exercise import Wrong, call, close, exercise, number

LESSON = "01_derivatives"


def line(x):
    return 3 * x


def square(x):
    return x * x


def cube(x):
    return x * x * x


def result(answer, what, *args):
    """Return answer(*args) as a float; `what` is the call as the learner would write it."""
    return float(number(call(answer, *args), what))


@exercise(
    lesson=LESSON,
    minutes=2,
    allows="You can now tell what a nudge will do before you make it.",
    hints=(
        "The change is the slope times the nudge.",
        "At x = 5 the slope of x² is 2 · 5 = 10, and the nudge is 0.002.",
        "At x = -1 the slope is -2: there the curve goes down when x goes up.",
    ),
    solution="changes = [0.02, -0.02, 0.0]",
    reasons="""\
The slope of x² at x is 2x, and the change is about the slope times the nudge:
at  5: 10 times 0.002 is 0.02   (the true change is 0.020004)
at -1: -2 times 0.01 is -0.02   (the true change is -0.0199)
at  0:  0 times 0.01 is 0       (the true change is 0.0001)
What is missing each time is the nudge squared: tiny, because the nudge is small.""",
)
def changes(answer):
    if not isinstance(answer, (list, tuple)) or len(answer) != 3:
        raise Wrong("Not three numbers", f"Write a list like [0.1, 0.2, 0.3]. Yours is {answer!r:.60}.")
    for got, x, nudge in zip(answer, (5, -1, 0), (0.002, 0.01, 0.01), strict=True):
        got, case = float(number(got, f"The change at {x}")), f"From {x} to {x + nudge:g}"

        def near(wanted, got=got):
            return abs(got - wanted) <= 5e-4

        if near(2 * x * nudge):
            continue
        if near(2 * x):
            raise Wrong(
                "The slope, not the change",
                f"{case}, you say {got:g}. That is the change for a nudge of 1. How large is the nudge here?",
            )
        if near(nudge):
            raise Wrong(
                "The nudge, not the change",
                f"{case}, you say {got:g}. That is how far x moves. How many times as fast does x² move there?",
            )
        if near((x + nudge) ** 2):
            raise Wrong(
                "The new height, not the change",
                f"{case}, you say {got:g}. That is where x² arrives. How far is that from where it began?",
            )
        if near(x * x * nudge):
            raise Wrong(
                "The height in place of the slope",
                f"{case}, you say {got:g}: {x * x} times the nudge. But {x * x} is the height. What is the slope?",
            )
        if near(-2 * x * nudge):
            raise Wrong(
                "The sign is lost",
                f"{case}, you say {got:g}. Is x² larger or smaller at the end than at the beginning?",
            )
        raise Wrong(
            "Not slope times nudge",
            f"{case}, you say {got:g}. The slope there is {2 * x}, the nudge {nudge:g}. What do they give together?",
        )


@exercise(
    lesson=LESSON,
    minutes=4,
    allows="You can now find an exact slope with school algebra, as we did for x².",
    hints=(
        "Write down g(x + h) - g(x) and expand (x + h)².",
        "2(x + h)² - 2x² is 4xh + 2h². 5(x + h) - 5x is 5h. What becomes of the -7?",
        "Divide the sum, 4xh + 2h² + 5h, by h. Then let h go to 0.",
    ),
    solution="""
        def exact_slope(x):
            return 4 * x + 5
    """,
    reasons="""\
The rise is 2(x + h)² + 5(x + h) - 7 - (2x² + 5x - 7) = 4xh + 2h² + 5h.
Divided by the run h that is 4x + 2h + 5, and 4x + 5 is left when h goes to 0.
The -7 lifts or lowers the whole curve and changes no slope. Each x adds its 5, and 2x² adds 2 times 2x.""",
)
def exact_slope(answer):
    points = (0, 1, -2, 3, 0.125)
    got = {x: result(answer, f"exact_slope({x})", x) for x in points}

    def is_always(formula):
        return all(close(got[x], formula(x)) for x in points)

    example = f"At x = 1 your slope is {got[1]:g}"
    if is_always(lambda x: 2 * x * x + 5 * x - 7):
        raise Wrong("The height, not the slope", f"{example}, which is g(1) itself. How fast does g change there?")
    if is_always(lambda x: 4 * x + 5 - 7):
        raise Wrong(
            "The constant is still there",
            f"{example}. The -7 stands in g(x + h) and in g(x). What is left of it in the rise?",
        )
    if is_always(lambda x: 4 * x):
        raise Wrong("The line's part is lost", f"{example}. 5(x + h) - 5x is 5h. What is left of that over h?")
    if is_always(lambda x: 2 * x + 5):
        raise Wrong("The factor 2 is lost", f"{example}. x² has the slope 2x. What has 2x², twice as high everywhere?")
    for x in points:
        if got[x] != 4 * x + 5 and abs(got[x] - (4 * x + 5)) < 1e-3:
            raise Wrong(
                "Measured, not exact",
                f"At x = {x} your slope differs from the exact one by {abs(got[x] - (4 * x + 5)):.0e}. "
                "Which formula is left on paper when h goes to 0?",
            )
        if not close(got[x], 4 * x + 5):
            raise Wrong(
                "Not the slope of g",
                f"At x = {x} the slope is {4 * x + 5} and yours is {got[x]:g}. What is (g(x + h) - g(x)) / h on paper?",
            )


@exercise(
    lesson=LESSON,
    minutes=4,
    allows="You can now look to the left as well as to the right.",
    hints=(
        "Which two points does it compare? One of them is x itself.",
        "A slope is the right height minus the left one, over how far they are apart. Which is the left one here?",
    ),
    solution="""
        def backward_difference(f, x, h):
            return (f(x) - f(x - h)) / h
    """,
    reasons="""\
The two points are x - h on the left and x on the right. The rise is what f gains from left to right,
f(x) - f(x - h), and the run is h. It is forward_difference(f, x, -h) too: both signs turn, above and below.""",
)
def backward_difference(answer):
    what = "backward_difference(f, 1.0, 0.25)"
    got = result(answer, what, line, 1.0, 0.25)
    case = f"For f(x) = 3x, {what} is 3 and yours is {got:g}."
    if close(got, -3.0):
        raise Wrong("The sign is turned", f"{case} Right minus left: is that so in your rise, and in your run too?")
    if close(got, 0.75):
        raise Wrong("The rise without the run", f"{case} That is how far f rises. Over which run?")
    if close(got, 1.5):
        raise Wrong("Twice the run", f"{case} How far is it from x - h to x?")
    if close(got, 3.0 - 2.25 / 0.25):
        raise Wrong("Missing parentheses", f"{case} Python divides before it subtracts. What should be divided by h?")
    if not close(got, 3.0, 1e-6):
        raise Wrong("Not a slope", f"{case} Which two heights make the rise, and how far are they apart?")
    what = "backward_difference(f, 2.0, 0.5)"
    got = result(answer, what, cube, 2.0, 0.5)
    case = f"For f(x) = x³, {what} is 9.25 and yours is {got:g}."
    if close(got, 15.25):
        raise Wrong("Forward, not backward", f"{case} You compare x with x + h. Where is the point on the other side?")
    if close(got, 12.25):
        raise Wrong("Central, not backward", f"{case} You look to both sides. Which point should be x itself?")
    if not close(got, 9.25):
        raise Wrong("A step of your own", f"{case} Do you use the h that is given, and only on the left of x?")


@exercise(
    lesson=LESSON,
    minutes=5,
    allows="You can now choose a step for numbers of any precision, not only for Python's.",
    hints=(
        "With 16 digits: set the two errors equal, h = 10⁻¹⁶ / h. What do you get when you multiply by h?",
        "h² = 10⁻¹⁶. Take the square root: what does it do to the exponent?",
        "The square root of 10⁻¹⁶ is 10⁻⁸: the exponent is halved. In Python a power is written 10 ** exponent.",
    ),
    solution="""
        def best_step(digits):
            return 10 ** (-digits / 2)
    """,
    reasons="""\
With 16 digits the errors are equal where h = 10⁻¹⁶ / h, so h² = 10⁻¹⁶ and h = 10⁻⁸: the exponent is halved.
So it is for any number of digits. For 7 it is about 0.0003; a step of 1e-08 would vanish in the round-off there.""",
)
def best_step(answer):
    for digits in (16, 7, 4):
        what = f"best_step({digits})"
        step = result(answer, what, digits)
        if not 0 < step < math.inf:
            raise Wrong(
                "Not a step",
                f"{what} should be a small number above 0 and is {step:g}. (A power is written 10 ** exponent.)",
            )
        power = math.log10(step)

        def near(wanted, power=power):
            return abs(power - wanted) < 0.01

        if near(-digits / 2):
            continue
        errors = f"{what} is {step:.2g}: the formula's error is {step:.0e}, the round-off {10**-digits / step:.0e}."
        if near(-digits):
            raise Wrong("The round-off itself", f"{errors} Which of the two is far too large?")
        if near(digits / 2):
            raise Wrong("The wrong sign in the exponent", f"{errors} Should a small step be above or below 1?")
        if near(-digits / 3):
            raise Wrong("The central difference's step", f"{errors} Does the forward error shrink like h or like h²?")
        if near(-digits + math.log10(0.5)):
            raise Wrong("Half the number, not half the exponent", f"{errors} What is the root of {10**-digits:.0e}?")
        if digits != 16 and near(-8):
            raise Wrong("One step for all", f"{errors} Where does `digits` come in?")
        if near(-(digits // 2)) or near(-digits // 2):
            raise Wrong("Half an exponent is lost", f"{errors} {digits} is odd. What does `//` make of its half?")
        raise Wrong("Not where the two errors meet", f"{errors} For which h are the two equal?")


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can now walk to the bottom of a valley. A network is trained in just this way.",
    hints=(
        "One step: measure the slope where you stand with central_difference(f, x), then move x against it.",
        "The new x is x - size * slope. Why minus? Where the slope is positive, down is to the left.",
        "Repeat with `for _ in range(steps):`. Measure the slope inside the loop, where x changes. Return x after it.",
    ),
    solution="""
        def walk_downhill(f, x, size, steps):
            for _ in range(steps):
                x = x - size * central_difference(f, x)
            return x
    """,
    reasons="""\
The slope points uphill: positive means that f grows to the right. So x goes the other way, which is the minus.
The slope is measured anew at each place. Near the bottom it shrinks, the steps shrink with it, and x comes to rest.""",
)
def walk_downhill(answer):
    def walk(f, name, x, size, steps):
        what = f"walk_downhill(f, {x:g}, {size:g}, {steps})"
        # rounded, because the slope is measured: no one wants to read -1.96532e-11
        return round(result(answer, what, f, x, size, steps), 6) + 0.0, f"For f(x) = {name}, {what}"

    def near(a, b):
        return close(a, b, 1e-5)

    got, case = walk(square, "x²", 3.0, 0.1, 1)
    case = f"{case} is 2.4 and yours is {got:g}."
    if near(got, 3.6):
        raise Wrong("Uphill, not downhill", f"{case} The slope at 3 is 6: f grows to the right. Which way is down?")
    if near(got, 2.9):
        raise Wrong("Every step the same", f"{case} You move by the size alone. What makes a step long?")
    if near(got, -3.0):
        raise Wrong("The size is lost", f"{case} You move by the whole slope, 6. What should `size` do to it?")
    if near(got, 2.1):
        raise Wrong("The height in place of the slope", f"{case} f(3) is 9, but how steep is f at 3?")
    if near(abs(got), 0.6):
        raise Wrong("The step, not the place", f"{case} That is how far the step goes. Where does it begin and arrive?")
    if near(got, 3.0):
        raise Wrong("Not moved at all", f"{case} You are where you began. Does the loop run, and does x change in it?")
    if near(got, 1.92):
        raise Wrong("One step too many", f"{case} Two steps lead to 1.92. How often does your loop run?")
    if near(got, 5.76):
        raise Wrong("The height, not the place", f"{case} 5.76 is how high you are after the step. Where are you?")
    if near(got, 1.6):
        raise Wrong("The slope of one f for all", f"{case} 14 is the slope of another f. What is that of this f?")
    if not near(got, 2.4) and abs(got - 2.4) < 0.05:
        raise Wrong("A slope measured roughly", f"{case} Nearly: the way is right. Which tool measures slopes better?")
    if not near(got, 2.4):
        raise Wrong("Not a step against the slope", f"{case} The slope is 6 and the size 0.1. How far is the step?")
    got, case = walk(square, "x²", -3.0, 0.1, 1)
    if not near(got, -2.4):
        raise Wrong(
            "The slope's sign is lost",
            f"{case} is -2.4 and yours is {got:g}. On the left side the slope is negative. Which way is down there?",
        )
    got, case = walk(square, "x²", 3.0, 0.1, 2)
    case = f"{case} is 1.92 and yours is {got:g}."
    if near(got, 2.4):
        raise Wrong("Only one step", f"{case} Is your `return` inside the loop? Or does x never change?")
    if near(got, 1.8):
        raise Wrong("One slope for the whole walk", f"{case} The first step leads to 2.4. How steep is it there?")
    if not near(got, 1.92):
        raise Wrong("Not two steps", f"{case} The first step leads from 3 to 2.4. How many steps did you take?")
    got, case = walk(lambda x: 3 * x * x - 4 * x + 5, "3x² - 4x + 5", 3.0, 0.1, 1)
    if not near(got, 1.6):
        raise Wrong(
            "The slope of another function",
            f"{case} is 1.6 and yours is {got:g}. 2x is the slope of x² alone. How do you measure that of any f?",
        )
    got, case = walk(cube, "x³", 3.0, 0.1, 1)
    if not near(got, 0.3):
        raise Wrong(
            "A step for two purposes",
            f"{case} is 0.3 and yours is {got:g}. `size` says how far you go. Should you also look as far as that?",
        )


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can now measure how a curve bends: the slope of its slope.",
    hints=(
        "You need two slopes: the one from x - h to x, and the one from x to x + h.",
        "The right one is (f(x + h) - f(x)) / h, the left one (f(x) - f(x - h)) / h. How much does the slope gain?",
        "The slope gains right - left. Divide that by h once more.",
    ),
    solution="""
        def second_difference(f, x, h):
            right = (f(x + h) - f(x)) / h
            left = (f(x) - f(x - h)) / h
            return (right - left) / h
    """,
    reasons="""\
`left` is the slope in the middle of x - h and x, `right` that in the middle of x and x + h. These middles are h
apart, so the slope of the slope is (right - left) / h. In one line: (f(x + h) - 2 * f(x) + f(x - h)) / h**2.
Its name is the second derivative. It is positive where the curve bends upward, as at the bottom of a valley.""",
)
def second_difference(answer):
    what = "second_difference(f, 1.0, 0.2)"
    got = result(answer, what, line, 1.0, 0.2)
    case = f"For f(x) = 3x, {what} is 0 and yours is {got:g}."
    if close(got, 3.0):
        raise Wrong("The slope, not the slope of the slope", f"{case} How fast does the slope of a line change?")
    if close(got, 3.0 / 0.2**2):
        raise Wrong("f(x) is there only once", f"{case} Write out right - left. How often does f(x) come in?")
    if not abs(got) <= 1e-2:
        raise Wrong("A line does not bend", f"{case} What is the slope on its right, and what on its left?")
    got = result(answer, what, square, 1.0, 0.2)
    case = f"For f(x) = x², whose slope is 2x, {what} is 2 and yours is {got:g}."
    if close(got, -2.0):
        raise Wrong("The sign is turned", f"{case} The slope of x² grows to the right. Which slope comes first?")
    if close(got, 0.4):
        raise Wrong("Divided by h only once", f"{case} That is how much the slope gains. Over which run?")
    if close(got, 1.0) or close(got, 0.5):
        raise Wrong("Twice the run", f"{case} How far apart are the middles of your two pieces?")
    if not close(got, 2.0) and abs(got - 2.0) < 1e-2:
        raise Wrong(
            "A step of your own",
            f"For f(x) = x² it is 2 and yours is off by {abs(got - 2.0):.0e}. Do you use the h that is given? "
            "A tiny h is worse here than before: the round-off is divided by h twice.",
        )
    if not close(got, 2.0):
        raise Wrong("Not the slope of the slope", f"{case} How much does the slope gain, and over which run?")
    what = "second_difference(f, 2.0, 0.2)"
    got = result(answer, what, cube, 2.0, 0.2)
    if not close(got, 12.0):
        raise Wrong(
            "Looks to one side",
            f"For f(x) = x³, {what} is 12 and yours is {got:g}. Do you look as far to the left as to the right?",
        )
    what = "second_difference(f, 2.0, 0.5)"
    got = result(answer, what, lambda x: x**4, 2.0, 0.5)
    if not close(got, 48.5):
        raise Wrong(
            "Other pieces",
            f"For f(x) = x⁴, {what} is 48.5 and yours is {got:g}. It is a slope of the slope too, but of two other "
            "pieces. Where do the pieces of this exercise begin and end?",
        )


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can now foretell a change from a gradient, however many inputs move at once.",
    hints=(
        "With one input the change was slope times nudge. Now each input brings its own.",
        "numerical_gradient(f, inputs) is the list of slopes. `zip(slopes, nudges)` pairs each one with its nudge.",
        "Multiply each pair and add the products up with sum(...).",
    ),
    solution="""
        def predicted_change(f, inputs, nudges):
            slopes = numerical_gradient(f, inputs)
            return sum(slope * nudge for slope, nudge in zip(slopes, nudges))
    """,
    reasons="""\
Each input adds its own slope times its own nudge, and for small nudges these simply add up.
What is left out are products of two or more nudges, far smaller than the nudges themselves. So a gradient tells
you what any small move will do, without another call of f. That is how training knows where to go.""",
)
def predicted_change(answer):
    def near(a, b):
        return close(a, b, 1e-6)

    def expression(a, b, c):
        return a * b + c

    def predict(nudges):
        what = f"predicted_change(f, [4.0, -3.0, 10.0], {nudges})"
        got = call(answer, expression, [4.0, -3.0, 10.0], nudges)
        if isinstance(got, (list, tuple)):
            raise Wrong("A list, not one number", f"{what} gives {got!r:.60}. What is the change of the one result?")
        return float(number(got, what)), f"For f = a * b + c, {what}"

    got, case = predict([0.25, 0.0, 0.0])
    case = f"{case} is -0.75 and yours is {got:g}."
    if near(got, 2.0):
        raise Wrong("The nudges are lost", f"{case} You added up the slopes. How far does each input move?")
    if near(got, 1.0):
        raise Wrong("The inputs in place of the slopes", f"{case} a is 4. But how fast does f change when a does?")
    if near(got, 0.75):
        raise Wrong("The sign is lost", f"{case} The slope with respect to a is b, here -3. Does f grow or shrink?")
    if near(got, -2.75):
        raise Wrong("The new value, not the change", f"{case} f was -2 before. How far did it move?")
    if near(got, 0.0):
        raise Wrong("Only the last input", f"{case} Only a moves. Does each round add to the total, or begin it anew?")
    if not near(got, -0.75):
        raise Wrong("Not slope times nudge", f"{case} Only a moves, by 0.25, and the slope with respect to a is -3.")
    got, case = predict([0.25, 0.5, 0.0])
    case = f"{case} is 1.25 and yours is {got:g}."
    if near(got, -0.75):
        raise Wrong("Only the first input", f"{case} b moves too, by 0.5, and the slope with respect to b is 4.")
    if near(got, 4.25 * -2.5 - 4.0 * -3.0):
        raise Wrong("The change itself, not its prediction", f"{case} What do the slopes alone say?")
    if near(got, -2.5 * 0.25 + 4.25 * 0.5):
        raise Wrong("The slopes where the move ends", f"{case} At which inputs is the gradient asked for?")
    if not near(got, 1.25):
        raise Wrong("The inputs do not add up", f"{case} a adds -3 times 0.25 and b adds 4 times 0.5. Together?")
    got = result(answer, "predicted_change(f, [3.0], [0.5])", square, [3.0], [0.5])
    if not near(got, 0.5 * central_difference(square, 3.0)):
        raise Wrong(
            "Only that one function",
            f"For f(x) = x², at 3 with a nudge of 0.5, it is 3 and yours is {got:g}. Do you use the f that is given?",
        )
