"""Checks of lesson 2: gradients by hand on small graphs, local derivatives, the gradient check, the neuron."""

import math

from ..derivatives import central_difference, numerical_gradient
from ._exercise import Wrong, call, close, exercise, number

LESSON = "02_chain_rule"


def numbers_of(answer, count, what):
    """Return the numbers of the answer as a list; raise Wrong where it is no list or tuple of `count` numbers."""
    told = f"A list of length {count} is asked for, and {what} is {answer!r:.60}"
    if not isinstance(answer, (list, tuple)):
        raise Wrong("Not a list", f"{told} ({type(answer).__name__}).")
    if len(answer) != count:
        raise Wrong("Not a list of the right length", f"{told}, of length {len(answer)}.")
    return [number(x, f"Number {i} of {what}") for i, x in enumerate(answer, start=1)]


def numbers_by_name(answer, names, what):
    """Return the answer's numbers as a dict with these names, in this order; raise Wrong where it is none."""
    asked = f"{what} should be a dict with the names {', '.join(names)}"
    if not isinstance(answer, dict):
        raise Wrong("Not a dict", f"{asked}, and is {answer!r:.60} ({type(answer).__name__}).")
    if missing := [name for name in names if name not in answer]:
        raise Wrong("A name is missing", f"{asked}. Yours has no {' and no '.join(map(repr, missing))}.")
    if others := [name for name in answer if name not in names]:
        raise Wrong("A name too many", f"{asked}. Yours has {others[0]!r:.60} as well.")
    return {name: number(answer[name], f"{what}[{name!r}]") for name in names}


def same(got, expected, tolerance=1e-9):
    """Whether both lists hold the same numbers, up to the tolerance."""
    return len(got) == len(expected) and all(close(g, e, tolerance) for g, e in zip(got, expected))


def shown(numbers):
    """Return the numbers as text, rounded."""
    return "(" + ", ".join(f"{x:.6g}" for x in numbers) + ")"


@exercise(
    lesson=LESSON,
    minutes=4,
    allows="You can read gradients off a graph without running anything.",
    hints=(
        "Start at q, where the gradient is 1, and go left. First the multiplication, then the addition.",
        "A multiplication swaps: what reaches x is the number in p, times the incoming gradient 1.",
        "An addition passes on what it gets. Which gradient comes in at p?",
    ),
    solution="""
        small_graph = {"p": 3.0, "x": 2.0, "y": 3.0, "z": 3.0}
    """,
    reasons="q.grad is 1. The multiplication swaps: p gets x's number, 3, and x gets p's number, -4 + 6 = 2. "
    "The addition passes on p's gradient, so y and z get 3 each.",
)
def small_graph(answer):
    got = numbers_by_name(answer, ("p", "x", "y", "z"), "small_graph")
    p, x, y, z = got.values()
    if same((x, y, z), (3, -4, 6)):
        raise Wrong(
            "Numbers, not gradients",
            "You wrote down the data of each node. Its gradient answers another question: "
            "how fast does q change when only this number does?",
        )
    if close(p, 2) and close(x, 3):
        raise Wrong(
            "The product not swapped",
            "With x = 3 and p = 2, move x to 3.01: q goes from 6 to 6.02. Which of the two numbers is that 2?",
        )
    if same((y, z), (1, 1)):
        raise Wrong(
            "The local derivative alone",
            "You have y.grad = 1. That is how y moves p. Move y by 0.01: p moves by 0.01, and what does q do then?",
        )
    if close(p, 3) and same((y, z), (1.5, 1.5)):
        raise Wrong(
            "The gradient shared out",
            "Your p has 3, and y and z have half of it each. Move y alone by 0.01. Does p move by 0.005?",
        )
    if close(y, 18) or close(z, -12):
        raise Wrong(
            "An addition is no multiplication",
            f"You have y.grad = {y:g} and z.grad = {z:g}. Swapping is for products. "
            "If y moves by 0.01, does it matter for p = y + z how large z is?",
        )
    for name, right in zip("pxyz", (3, 2, 3, 3)):
        if not close(got[name], right):
            raise Wrong(
                "Not its slope",
                f"You have {name}.grad = {got[name]:g}. "
                f"Move only {name} by 0.01 and compute q anew: by how much does it move?",
            )


@exercise(
    lesson=LESSON,
    minutes=5,
    allows="You can change inputs so that the result gets smaller. Training a network is this step, many times.",
    hints=(
        "Each input moves by itself: its own gradient decides.",
        "Where the gradient is positive, a smaller input gives a smaller result. So which sign goes in front?",
        "New input: x - step * g. Build a new list from the pairs zip(inputs, gradients).",
    ),
    solution="""
        def gradient_step(inputs, gradients, step):
            return [x - step * g for x, g in zip(inputs, gradients)]
    """,
    reasons="The gradient says where the result grows, so the step goes the other way. "
    "An input with a larger gradient moves further. The comprehension makes a new list and leaves the old one alone.",
)
def gradient_step(answer):
    cases = [([5.0], [6.0], 0.5), ([1.0, 2.0, 0.5], [-4.0, 0.0, 10.0], 0.1), ([5.0, 5.0], [0.25, -1.0], 2.0)]
    for inputs, gradients, step in cases:
        given = list(inputs)
        what = f"gradient_step({given}, {gradients}, {step:g})"
        got = numbers_of(call(answer, given, list(gradients), step), len(inputs), what)
        expected = [x - step * g for x, g in zip(inputs, gradients)]
        if given != inputs:
            raise Wrong(
                "The old inputs are gone",
                f"Your function changed the list that it was given, from {inputs} to {given}. "
                "How could you then compare the result before and after? Make a new list.",
            )
        if same(got, expected):
            continue
        change = [round(g - x, 9) for g, x in zip(got, inputs)]
        if same(got, [x + step * g for x, g in zip(inputs, gradients)]):
            raise Wrong(
                "Uphill",
                f"{what} gives {got}. With a gradient of {gradients[0]:g} a larger input makes the result larger. "
                "Do you want it larger?",
            )
        if same(got, [x - step * abs(g) for x, g in zip(inputs, gradients)]):
            raise Wrong(
                "The sign is lost",
                f"{what} moves the inputs by {change}. Does a smaller input make the result smaller "
                f"where the gradient is {min(gradients):g}?",
            )
        if same(got, [x - g for x, g in zip(inputs, gradients)]):
            raise Wrong("The step left out", f"{what} gives {got}. Where does the number {step:g} come in?")
        if same(got, [-step * g for g in gradients]):
            raise Wrong(
                "The change, not the new input",
                f"{what} gives {got}: that is how far to move. From where do you start?",
            )
        if same(got, [x - step * (g > 0) + step * (g < 0) for x, g in zip(inputs, gradients)]):
            raise Wrong(
                "All moved equally far",
                f"{what} moves the inputs by {change}. "
                "Should an input with a gradient of 6 not move further than one with 0.1?",
            )
        raise Wrong(
            "Not the step",
            f"{what} gives {shown(got)} and should give {shown(expected)}. "
            "Which way should each input move, and how far?",
        )


@exercise(
    lesson=LESSON,
    minutes=6,
    allows="You can find the local derivatives of an operation that nobody has told you about.",
    hints=(
        "Nudge the left input of each operation by h and ask by how much the result moves. Then the right one.",
        "(left + h) * right is h * right more than before. And left * (right + h)?",
        "left - (right + h) is h less than before.",
    ),
    solution="""
        def local_derivatives(op, left, right):
            if op == "+":
                return 1.0, 1.0
            if op == "-":
                return 1.0, -1.0
            if op == "*":
                return right, left
    """,
    reasons="A nudge of either input reaches a sum in full. In a difference, a larger right input makes the result "
    "smaller. In a product a nudge of one input is made larger by the other input.",
)
def local_derivatives(answer):
    first = [("+", 2.0, 3.0), ("*", 2.0, 5.0), ("-", 2.0, 5.0)]
    for op, left, right in first + [("*", -1.5, 4.0), ("+", 7.0, -2.0), ("-", 0.0, 8.0)]:
        what = f'local_derivatives("{op}", {left:g}, {right:g})'
        got = call(answer, op, left, right)
        if isinstance(got, (int, float)):
            raise Wrong(
                "One number for two inputs",
                f"{what} gives {got:g}. There are two inputs, and each asks: how fast does the result move with me?",
            )
        got = numbers_of(got, 2, what)
        expected = {"+": (1.0, 1.0), "-": (1.0, -1.0), "*": (right, left)}[op]
        if same(got, expected, 1e-6):
            continue
        told = f"{what} gives {shown(got)}."
        side = "right" if close(got[0], expected[0], 1e-6) else "left"
        nudge = _nudge(op, left, right, side)
        if op == "+" and sorted(got) == sorted((left, right)):
            raise Wrong(
                "An addition is no multiplication",
                f"{told} {nudge} Does it matter for this move how large the other input is?",
            )
        if op == "*" and same(got, (left, right)):
            raise Wrong("Not swapped", f"{told} {nudge} Which of the inputs set the rate of this move?")
        if op == "*" and same(got, (left * right, left * right)):
            raise Wrong("The result, not its slope", f"{told} That is the product. {nudge} How far did it move?")
        if op == "-" and same(got, (1, 1)):
            raise Wrong(
                "The second sign", f"{told} When the number that you take away grows, does the result grow too?"
            )
        raise Wrong(
            "Not the local derivatives",
            f"{told} Look at the one for the {side} input. {nudge} How far did the result move, and which way?",
        )


def _nudge(op, left, right, side):
    """Say what moving the input on this side by 0.01 does."""
    compute = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b}[op]
    moved = (left + 0.01, right) if side == "left" else (left, right + 0.01)
    before, after = (f"{a:g} {op} {b:g} is {compute(a, b):g}" for a, b in ((left, right), moved))
    return f"{before}, and {after}."


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can take a chain of functions apart into its links. The product of their slopes is that of the whole.",
    hints=(
        "central_difference(f, x) measures one slope. You need it once for each function of the list.",
        "The second function never sees x. What number reaches it?",
        "In the loop: measure the slope at x, put it in the list, then let x = f(x) for the next function.",
    ),
    solution="""
        def local_slopes(functions, x):
            slopes = []
            for f in functions:
                slopes.append(central_difference(f, x))
                x = f(x)
            return slopes
    """,
    reasons="Each link is measured at the number that reaches it, and that is the result of the link before. "
    "So x goes forward through the chain while the slopes are collected.",
)
def local_slopes(answer):
    bicycle = [lambda turns: 3.0 * turns, lambda turns: 2.0 * turns]
    links = [lambda x: x * x, lambda u: 5.0 - 3.0 * u, lambda v: v * v]
    cases = [
        ("one link, 5 - 3u, at 2", links[1:2], 2.0, [-3.0]),
        ("the bicycle, 3x and then 2x, at 10", bicycle, 10.0, [3.0, 2.0]),
        ("x * x, 5 - 3u, v * v at 2", links, 2.0, [4.0, -3.0, -14.0]),
        ("x * x, 5 - 3u, v * v at 1.5", links, 1.5, [3.0, -3.0, -3.5]),
        ("v * v, x * x at 0.5", [links[2], links[0]], 0.5, [1.0, 0.5]),
    ]
    for what, functions, x, expected in cases:
        given = list(functions)
        got = call(answer, given, x)
        if isinstance(got, (int, float)):
            raise Wrong(
                "One number for the whole chain",
                f"For {what} you give {got:.6g}. The exercise asks for the list of the single slopes. "
                "From the list you can always get the product, but can you get the list from the product?",
            )
        got = numbers_of(got, len(functions), f"the answer for {what}")
        if given != functions:
            raise Wrong(
                "The list of functions is changed",
                f"For {what} the list of functions is not the same after the call: its length is {len(given)} and was "
                f"{len(functions)}. Whoever calls you may still need it. Can you go through it and leave it alone?",
            )
        if same(got, expected, 1e-4):
            continue
        told = f"For {what} you give {shown(got)} and not {shown(expected)}."
        values, products = [x], [1.0]
        for f, slope in zip(functions, expected):
            values.append(f(values[-1]))
            products.append(products[-1] * slope)
        from_the_end = [products[-1] / before for before in products[:-1]]
        if same(got, [central_difference(f, x) for f in functions], 1e-4):
            raise Wrong(
                "All slopes at the first number",
                f"{told} You measured every function at {x:g}. Which number does the last function really get?",
            )
        if same(got, expected[::-1], 1e-4):
            raise Wrong("From the other end", f"{told} The slopes are right. Which function of the list comes first?")
        if same(got, values[1:], 1e-4):
            raise Wrong(
                "Results, not slopes", f"{told} Those are the results of the functions. How fast does each one change?"
            )
        if same(got, [central_difference(f, value) for f, value in zip(functions, values[1:])], 1e-4):
            raise Wrong(
                "One function too late",
                f"{told} You measured each function at its own result. When should x become f(x)?",
            )
        if same(got, [slope * value for slope, value in zip(expected, values)], 1e-4):
            raise Wrong(
                "Slopes times inputs",
                f"{told} Yours are the slopes, each times the number that comes in. What did central_difference give?",
            )
        if same(got, products[1:], 1e-4) or same(got, from_the_end, 1e-4):
            raise Wrong(
                "Multiplied already",
                f"{told} Yours are products of several slopes. What is the slope of each function by itself?",
            )
        if same(got, expected, 0.15):
            raise Wrong(
                "Not exact enough",
                f"{told} Near, and not near enough. Did you round, or measure with a large step or to one side?",
            )
        raise Wrong("Not the local slopes", f"{told} Which number reaches each of the functions?")


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You did a backward pass with letters in place of numbers: it holds for every input at once.",
    hints=(
        "Call the two halves s = u + v and p = w * t, and draw the graph of L = s * p. Which gradients do s and p get?",
        "ds = p and dp = s, because the last multiplication swaps. Now go on from s to u and v, and from p to w and t.",
        "An addition passes on, a multiplication swaps: dw = t * dp. And dt?",
    ),
    solution="""
        def expression_gradients(u, v, w, t):
            s = u + v
            p = w * t
            ds, dp = p, s          # L = s * p swaps, and dL/dL is 1
            return ds, ds, t * dp, w * dp
    """,
    reasons="Backward from L: the multiplication gives s the number p, and p the number s. "
    "The addition passes ds on to u and v. The other multiplication swaps w and t, each times the incoming dp.",
)
def expression_gradients(answer):
    for n, (u, v, w, t) in enumerate([(1.0, 3.0, 2.0, 5.0), (-2.0, 0.5, 3.0, -1.0), (0.0, 7.0, -4.0, 0.25)]):
        s, p = u + v, w * t
        what = f"expression_gradients({u:g}, {v:g}, {w:g}, {t:g})"
        got = numbers_of(call(answer, u, v, w, t), 4, what)
        expected = (p, p, t * s, w * s)
        if same(got, expected, 1e-13):
            continue
        told = f"{what} gives {shown(got)} and should give {shown(expected)}."
        if same(got, expected, 1e-3):
            off = max(abs(g - e) for g, e in zip(got, expected))
            raise Wrong(
                "Measured, not exact",
                f"{what} differs from the exact gradients by {off:.0e}. A measured slope is for checking. "
                "Which products do you find when you go backward through the graph with letters?",
            )
        if n and same(got, (10, 10, 20, 8)):
            raise Wrong(
                "One answer for all inputs", f"{told} For (1, 3, 2, 5) you were right. Where do u, v, w and t come in?"
            )
        if same(got, (1, 1, t, w)):
            raise Wrong(
                "The incoming gradient left out",
                f"{told} Yours are the local derivatives of the first two operations. What reaches them from L?",
            )
        if same(got, (p, p, s, s)):
            raise Wrong(
                "One step short",
                f"{told} u and v are right. But w does not reach L directly: it goes through w * t first. "
                "Which factor does that step bring?",
            )
        if same(got[:2], (s, s)):
            raise Wrong(
                "The last product not swapped",
                f"{told} The gradient of u comes through u + v. "
                "In L = (u + v) * (w * t), what sets how fast L moves with u + v?",
            )
        if same(got[2:], (w * s, t * s)):
            raise Wrong(
                "The first product not swapped",
                f"{told} Move w by 0.01: by how much does w * t move? Who sets that rate?",
            )
        if same(got[:2], (v * p, u * p)):
            raise Wrong(
                "An addition is no multiplication",
                f"{told} Move u by 0.01: by how much does u + v move? Does it matter how large v is?",
            )
        first = next(name for name, g, e in zip("uvwt", got, expected) if not close(g, e))
        raise Wrong(
            "Not the gradients",
            f"{told} The first to differ is that of {first}. Which operations does {first} go through on its way to L, "
            "and what is the local derivative of each?",
        )


@exercise(
    lesson=LESSON,
    minutes=12,
    allows="From now on you can test every derivative that anybody claims, your own ones too.",
    hints=(
        "numerical_gradient(f, inputs) gives the list to compare with. Go through both lists with enumerate and zip.",
        "Measured slopes are never exact. Two numbers agree when the size of their difference, abs(a - b), is small.",
        "Small against what? 0.001 is much for a slope of 1 and nothing for a slope of 3,000,000. "
        "Compare with tolerance * max(1, abs(measured)).",
    ),
    solution="""
        def gradient_check(f, inputs, claimed):
            wrong = []
            for i, measured in enumerate(numerical_gradient(f, inputs)):
                if abs(claimed[i] - measured) > 1e-4 * max(1.0, abs(measured)):
                    wrong.append(i)
            return wrong
    """,
    reasons="Every input is measured and compared. A small difference is allowed, because measuring has an error. "
    "More is allowed where the slope itself is large, because there the error of measuring is larger too.",
)
def gradient_check(answer):
    def lecture(a, b, c, f):
        return (a * b + c) * f

    def power(x):
        return x**3

    def flat(a, b):
        return (a - 2) ** 3 + b

    names = {lecture: "(a * b + c) * f", power: "x ** 3", flat: "(a - 2) ** 3 + b"}
    at = [2.0, -3.0, 10.0, -2.0]

    def places(what, f, inputs, claimed):
        """Return the list of places that the answer gives, and raise Wrong where it is none."""
        got = call(answer, f, list(inputs), list(claimed))
        if isinstance(got, bool):
            raise Wrong(
                "A verdict without a place",
                f"For {what} you give {got}. Whoever made the claim now knows whether something is wrong. "
                "Where should they look?",
            )
        if not isinstance(got, (list, tuple)):
            raise Wrong("Not a list of places", f"For {what} you give {got!r:.60}. A list such as [0, 2] is asked for.")
        if got and all(isinstance(entry, bool) for entry in got):
            raise Wrong(
                "Verdicts, not places",
                f"For {what} you give {got!r:.60}: one verdict for each claim. In which places are the wrong ones?",
            )
        return list(got)

    too_large, too_small = (places(f"a claim that is {what}", lecture, at, [6.0, -4.0, -2.0, last])
                            for what, last in (("too large", 5.0), ("too small", 3.0)))  # fmt: skip
    if (too_large, too_small) in (([], [3]), ([3], [])):
        raise Wrong(
            "Errors in one direction only",
            f"For (a * b + c) * f at {at} the slope for the last input is 4. Where the claim is 5, your list of wrong "
            f"places is {too_large}, and where it is 3, {too_small}. What does your subtraction give, each time?",
        )
    cases = [
        ("one wrong gradient", lecture, at, [6.0, -4.0, -2.0, 5.0], [3]),
        ("only right gradients", lecture, at, [6.0, -4.0, -2.0, 4.0], []),
        ("a wrong sign", lecture, at, [6.0, 4.0, -2.0, 4.0], [1]),
        ("two wrong ones", lecture, at, [5.0, -4.0, 3.0, 4.0], [0, 2]),
        ("two errors that cancel", lecture, at, [7.0, -5.0, -2.0, 4.0], [0, 1]),
        ("a small error", lecture, at, [6.0, -4.0, -2.05, 4.0], [2]),
        ("a wrong claim of 0", lecture, at, [6.0, 0.0, -2.0, 4.0], [1]),
        ("a right claim of 0", flat, [2.0, 1.0], [0.0, 1.0], []),
        ("a large and right slope", power, [10000.0], [3e8], []),
        ("a slope that is 5 % too large", power, [10000.0], [3.15e8], [0]),
    ]
    for what, f, inputs, claimed, expected in cases:
        got = places(what, f, inputs, claimed)
        if got == expected:
            continue
        measured = numerical_gradient(f, inputs)
        asked = f"gradient_check({names[f]}, {inputs}, {claimed})"
        told = f"For {what}, {asked} gives {got!r:.60} and should give {expected}."
        if got == [i + 1 for i in expected]:
            raise Wrong("Counted from 1", f"{told} Which number has the first place of a list in Python?")
        if got in ([claimed[i] for i in expected], [measured[i] for i in expected]):
            raise Wrong("The number, not its place", f"{told} Yours is the number. In which place of the list is it?")
        if f is lecture and got == [i for i in range(len(inputs)) if i not in expected]:
            raise Wrong(
                "The right ones", f"{told} You list what agrees. What should whoever made the claim look at again?"
            )
        extra = [i for i in range(len(inputs)) if i in got and i not in expected]
        if f is lecture and extra and all(i in got for i in expected):
            right, i = claimed[extra[0]], extra[0]
            raise Wrong(
                "Right claims called wrong",
                f"{told} In place {i} the claim is {right:g}, and that is right. Measured it is {measured[i]!r}. "
                "What does your comparison make of these two?",
            )
        if what == "a wrong sign" and not got:
            raise Wrong("A sign that does not count", f"{told} The measured slope is -4. Is a claim of 4 as good?")
        if what == "two wrong ones" and got in ([0], [2]):
            raise Wrong(
                "Only one of them",
                f"{told} There are two wrong claims. What happens in your function when it finds the second one?",
            )
        if what == "a small error" and not got:
            raise Wrong(
                "Too generous",
                f"{told} The claim -2.05 stands against a slope of -2. How exact is a measured slope, and how much "
                "does your comparison allow?",
            )
        if what == "a right claim of 0":
            raise Wrong(
                "A slope of 0",
                f"{told} The claim of 0 is right, and it is measured as {measured[0]:.0e}. You compare the difference "
                "with the size of the slope. What if that size is almost 0?",
            )
        if what == "a large and right slope":
            if places("a tiny error", power, [1.0], [3.0000003]):
                raise Wrong(
                    "Too strict",
                    f"{told} At x = 1 you do not accept 3.0000003 for a slope of 3 either. (math.isclose allows one "
                    "part in a thousand million, if it is not told otherwise.) How exact is a measured slope?",
                )
            raise Wrong(
                "The same tolerance for every size",
                f"{told} The slope is three hundred million, and the measured one is off by about "
                f"{abs(measured[0] - 3e8):.0f}. Is that much, for so large a number?",
            )
        raise Wrong("Not the wrong ones", f"{told} What does each comparison say there, one by one?")


@exercise(
    lesson=LESSON,
    minutes=15,
    allows="You have done by hand what training does for each neuron of a network.",
    hints=(
        "Compute n = x1*w1 + x2*w2 + b and o = tanh(n) first. Then go backward from o, where the gradient is 1.",
        "The gradient that comes out of tanh at n is 1 - o**2. The additions pass it on to both products and to b.",
        "Each product swaps: x1 gets w1 times the gradient of n, and w1 gets x1 times it.",
    ),
    solution="""
        def neuron_gradients(x1, x2, w1, w2, b):
            n = x1 * w1 + x2 * w2 + b
            o = math.tanh(n)
            dn = 1 - o**2          # local derivative of tanh, times do/do = 1
            return {"x1": w1 * dn, "x2": w2 * dn, "w1": x1 * dn, "w2": x2 * dn, "b": dn}
    """,
    reasons="tanh hands 1 - o**2 to n. The two additions pass it on unchanged, so both products and b get it. "
    "Each product swaps. w2 gets x2 = 0: as long as x2 is 0, w2 has no influence at all.",
)
def neuron_gradients(answer):
    names = ("x1", "x2", "w1", "w2", "b")
    lecture = (2.0, 0.0, -3.0, 1.0, 6.8813735870195432)
    for inputs in [lecture, (0.5, -1.0, 0.8, 0.3, 0.1), (-1.0, 2.0, 0.4, 0.6, -0.9)]:
        x1, x2, w1, w2, b = inputs
        n = x1 * w1 + x2 * w2 + b
        o = math.tanh(n)
        what = f"neuron_gradients({', '.join(f'{x:.6g}' for x in inputs)})"
        got = list(numbers_by_name(call(answer, *inputs), names, what).values())
        rates = (w1, w2, x1, x2, 1.0)
        expected = [rate * (1 - o * o) for rate in rates]
        if same(got, expected, 1e-12):
            continue
        told = f"{what} gives {shown(got)} for {', '.join(names)} and should give {shown(expected)}."
        if same(got, expected, 1e-6):
            off = max(abs(g - e) for g, e in zip(got, expected))
            raise Wrong(
                "Measured, not exact",
                f"{what} differs from the exact gradients by {off:.0e}. A measured slope is for checking. "
                "Which local derivatives lie between o and each of the five inputs?",
            )
        if inputs is not lecture and same(got, (-1.5, 0.5, 1.0, 0.0, 0.5), 1e-3):
            raise Wrong(
                "One neuron only", f"{told} For the lecture's neuron you were right. Where do the inputs come in?"
            )
        if same(got, rates, 1e-6):
            raise Wrong(
                "The tanh left out",
                f"{told} You found how n moves. Between n and o stands tanh: what does it do to these gradients?",
            )
        if same(got, [rate * (1 - n * n) for rate in rates], 1e-6):
            raise Wrong(
                "n in place of o",
                f"{told} You squared n = {n:.4g}. A slope of tanh is never larger than 1 or below 0. "
                "Which number belongs into 1 - o**2?",
            )
        if same(got, [rate * (1 - o) for rate in rates], 1e-6) or same(got, [rate * o for rate in rates], 1e-6):
            raise Wrong(
                "Not the slope of tanh",
                f"{told} Measure the slope of tanh at n = {n:.4g}. What do you find, and what is 1 - o**2?",
            )
        if same(got[:4], [x * got[4] for x in (x1, x2, w1, w2)], 1e-6):
            raise Wrong("Not swapped", f"{told} In x1 * w1, by what is a nudge of x1 made larger: by x1 or by w1?")
        if same(got[:4], expected[:4], 1e-6):
            raise Wrong(
                "The gradient of b",
                f"{told} Only b differs. It enters by an addition. What does that do with a gradient?",
            )
        if not close(got[4], expected[4], 1e-6):
            raise Wrong(
                "Not the gradient of b",
                f"{told} Begin with b. It enters n by an addition, so it gets what n gets. "
                "What comes in at the tanh, and what does the tanh make of it?",
            )
        first = next(name for name, g, e in zip(names, got, expected) if not close(g, e, 1e-6))
        raise Wrong(
            "Not the gradients",
            f"{told} b is right. The first to differ is {first}. How fast does n move with {first}, "
            "and how fast does o move with n?",
        )
