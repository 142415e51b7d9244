"""Checks of the start page: is the learner's Python ready?"""

import numbers

from ._exercise import Wrong, call, close, exercise, number


@exercise(
    lesson="00_start_here",
    minutes=1,
    allows="That is how exercises work. The next one asks for a function.",
    hints=(
        "Add the three numbers, then divide by how many there are.",
        "Python divides before it adds. Where do parentheses belong?",
    ),
    solution="first_number = (3 + 5 + 10) / 3",
    reasons="The parentheses make Python add first. The mean is 6.",
)
def first_number(answer):
    got = number(answer, "first_number")
    if got == 18:
        raise Wrong("The sum, not the mean", "18 is the sum. Divided by how many?")
    if close(got, 3 + 5 + 10 / 3):
        raise Wrong(
            "Missing parentheses",
            "Python divides 10 by 3 first, and adds after that. What must be added before the division?",
        )
    if got == 5:
        raise Wrong(
            "The middle one, not the mean",
            "5 stands in the middle of the three. The mean is the sum divided by the count.",
        )
    if got != 6:
        raise Wrong("Not the mean", f"You have {got:g}. Add the three numbers and divide by 3.")


@exercise(
    lesson="00_start_here",
    minutes=3,
    allows="You can hand a function to a function. Lesson 1 does it on every page.",
    hints=(
        "f(a) is the value at a. What is the value at b?",
        "The rise is the value at the end minus the value at the beginning.",
    ),
    solution="""
        def rise(f, a, b):
            return f(b) - f(a)
    """,
    reasons="End minus beginning: the result is negative when f falls.",
)
def rise(answer):
    cases = (
        (lambda x: x * x, "x * x", 1, 4),
        (lambda x: -2 * x, "-2 * x", 5, 6),
        (lambda x: 10 + x, "10 + x", 2, 2.5),
    )
    for f, name, a, b in cases:
        got = number(call(answer, f, a, b), f"rise(f, {a}, {b})")
        right = f(b) - f(a)
        told = f"For f(x) = {name}, rise(f, {a}, {b}) gives {got:g} and should give {right:g}."
        if close(got, right):
            continue
        if got == -right and right < 0:
            raise Wrong("The sign is lost", f"{told} This f falls on the way. Which sign should tell that?")
        if got == -right:
            raise Wrong("Beginning minus end", f"{told} Which value should be taken away from which?")
        if got == b - a:
            raise Wrong("The way, not the rise", f"{told} You took b - a. Where is f called?")
        if close(got, f(b - a)):
            raise Wrong(
                "f of the difference",
                f"{told} You called f once, with b - a. The rise compares two values of f.",
            )
        if close(got, right / (b - a)):
            raise Wrong("The slope, not the rise", f"{told} You divided by b - a. That comes in lesson 1.")
        raise Wrong("Not the rise", told)


@exercise(
    lesson="00_start_here",
    minutes=5,
    allows="You can build a list in a loop. Much later, attention will begin with this very loop.",
    hints=(
        "Keep a total that starts at 0, and an empty list for the results.",
        "For each number: add it to the total, then append the total to the results.",
    ),
    solution="""
        def running_sum(numbers):
            total, sums = 0, []
            for x in numbers:
                total += x
                sums.append(total)
            return sums
    """,
    reasons="The total carries what came before. A new list keeps the old one as it was.",
)
def running_sum(answer):
    for given in ([2, 1, 4], [5], [1, -1, 0.5, 3], []):
        handed = list(given)
        got = call(answer, handed)
        right = [sum(given[: i + 1]) for i in range(len(given))]
        told = f"running_sum({given}) gives {got!r:.60} and should give {right}."
        if handed != given:
            raise Wrong(
                "The list that came in is changed",
                f"After the call, {given} has become {handed!r:.60}. Fill a new list.",
            )
        if isinstance(got, numbers.Real):
            raise Wrong("One number, not a list", f"{told} Each place of the list has its own sum.")
        if not isinstance(got, (list, tuple)):
            raise Wrong("Not a list", f"{told} Yours is of the type {type(got).__name__}. Return a list.")
        got = list(got)
        if got == right[:1] and len(right) > 1:
            raise Wrong("Only the first sum", f"{told} Is your `return` inside the loop?")
        if got == right[-1:] and len(right) > 1:
            raise Wrong("Only the last sum", f"{told} Where do you make the empty list, before the loop or in it?")
        if got == given and len(right) > 1:
            raise Wrong("The numbers as they came", f"{told} Where does your total begin, before the loop or in it?")
        if got == [0, *right[:-1]]:
            raise Wrong("The number itself is left out", f"{told} Do you append before you add?")
        if got == [0, *right]:
            raise Wrong("A zero too many", f"{told} The first place holds the first number.")
        if got != right:
            raise Wrong("Not the running sum", told)


@exercise(
    lesson="00_start_here",
    minutes=5,
    allows="You can teach a class what + means. Lesson 2 teaches it to numbers that remember.",
    hints=(
        "self is the arrow on the left of the plus sign, other the one on the right.",
        "Make a new one: Arrow(…, …), with the sum of the two x and the sum of the two y.",
    ),
    solution="""
        class Arrow:
            def __init__(self, x, y):
                self.x = x
                self.y = y

            def __add__(self, other):
                return Arrow(self.x + other.x, self.y + other.y)
    """,
    reasons="A new Arrow leaves both old ones as they were, so p + q can be written anywhere in an expression.",
)
def Arrow(answer):
    if not issubclass(type(answer), type):
        raise Wrong("Not a class", f"The check needs the class Arrow itself and got {answer!r:.60}.")
    p, q = call(answer, 1, 20), call(answer, 3, 50)
    out = call(lambda: p + q)
    if out is p or out is q or (p.x, p.y, q.x, q.y) != (1, 20, 3, 50):
        raise Wrong("An old arrow is changed", "p + q should be a new arrow, and p and q should stay as they were.")
    if not isinstance(out, answer):
        raise Wrong("Not an Arrow", f"p + q gives {out!r:.60}. Then (p + q) + r could not work. Return an Arrow.")
    if (out.x, out.y) == (70, 4):
        raise Wrong("x and y have changed places", "For (1, 20) + (3, 50) your arrow is (70, 4).")
    if (out.x, out.y) != (4, 70):
        raise Wrong("Not the sum", f"(1, 20) + (3, 50) gives ({out.x!r:.20}, {out.y!r:.20}) and should give (4, 70).")
    total = call(lambda: p + q + answer(-0.5, 1))
    if (total.x, total.y) != (3.5, 71):
        raise Wrong("Not the sum", "Three arrows added up give the wrong arrow.")
