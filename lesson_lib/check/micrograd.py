"""Checks of lesson 3: two paths, a step back, the logistic function, the whole way back, an operation, a neuron."""

import math
import random

from ..derivatives import central_difference, forward_difference
from ..micrograd import Value, topological_order
from ._exercise import Wrong, call, close, exercise, number

LESSON = "03_micrograd"
# crooked, since kinks and jumps like round numbers
PLACES = (0.53, 0.91, 1.37, 1.93)
OPERATORS = ("+", "-", "*")
KNOWN = {
    "exp": math.exp,
    "log": math.log,
    "tanh": math.tanh,
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)),
    "relu": lambda x: max(0.0, x),
    "sin": math.sin,
}


def value_class(answer):
    """Return the class Value that the answer's notebook uses, or ours where it has none that can go backward."""
    own = getattr(answer, "__globals__", {}).get("Value")
    return own if hasattr(own, "backward") and hasattr(own, "edges") else Value


def a_value(answer, what):
    """Return answer if it is a Value (the learner's class or ours), and raise Wrong if it is not."""
    if all(hasattr(answer, field) for field in ("data", "grad", "op", "edges")):
        return answer
    if callable(answer):
        raise Wrong("A method, not its result", f"{what} is {answer!r:.60}. Are parentheses () missing after a name?")
    raise Wrong(
        "The graph is cut",
        f"{what} is {answer!r:.60}, not a Value, so no gradient can flow back through it. "
        "Did you compute with `x.data`, or with a function from `math`, where the Value itself was needed?",
    )


@exercise(
    lesson=LESSON,
    minutes=3,
    allows="You can now follow a gradient along several paths and add up what arrives.",
    hints=(
        "How many paths lead from a to L? Follow each one alone.",
        "Along the first path: how fast does a * b change when a does, and how fast does L change when a * b does?",
        "The first path brings b, the second brings c. What happens to the two where they meet in a?",
    ),
    solution="""
        # one path through a * b brings b = 5, the other through a * c brings c = 7, and they add up
        two_paths = 5.0 + 7.0
    """,
    reasons="L = a(b + c), so dL/da = b + c = 12. The engine gets there by adding one share for each path.",
)
def two_paths(answer):
    got = number(answer, "two_paths")
    if got in (5, 7):
        raise Wrong("One path only", f"{got:g} is what one of the two products brings. Where else is a used?")
    if got == 35:
        raise Wrong(
            "Paths multiplied",
            "You multiplied the shares of the two paths. Within a path you multiply; what do you do between paths?",
        )
    if got == 4:
        raise Wrong(
            "The number itself in place of the other one",
            "2 + 2 uses a's own number. How fast does a * b grow when a does: by a, or by b?",
        )
    if got == 24:
        raise Wrong("The value in place of the slope", "24 is L itself. The question is how fast L changes with a.")
    if got == 2:
        raise Wrong(
            "The paths counted, not measured",
            "There are two paths, but each brings its own local derivative. What stands beside a in each product?",
        )
    if not close(got, 12, 1e-6):
        raise Wrong("Not the gradient of a", f"You say {got:g}. What does each of the two products bring to a?")


def a_small_node(kind, op):
    """Return a node with two parents, 3 and -5, and an incoming gradient of 4."""
    p, q = kind(3.0), kind(-5.0)
    node = p * q if op == "*" else p + q
    node.grad = 4.0
    return p, q, node


@exercise(
    lesson=LESSON,
    minutes=5,
    allows="You wrote the line that all of deep learning runs on.",
    hints=(
        "node.edges() gives you pairs (parent, local derivative). A for loop takes them one by one.",
        "The chain rule: a parent's share is the local derivative times the gradient that comes in at the node.",
        "The share is added to what the parent has: parent.grad += …",
    ),
    solution="""
        def pass_back(node):
            for parent, local in node.edges():
                parent.grad += local * node.grad  # local derivative times incoming gradient, added up
            return node
    """,
    reasons="Each parent gets local * node.grad. It is added, because other nodes may have paid in before.",
)
def pass_back(answer):
    kind = value_class(answer)
    p, q, node = a_small_node(kind, "+")
    call(answer, node)
    told = f"For p + q with incoming gradient 4, p got {p.grad:g} and q got {q.grad:g}."
    if (p.grad, q.grad) == (0, 0):
        raise Wrong("Nothing is passed on", "The parents' gradients are still 0. Do you add something to parent.grad?")
    if node.grad != 4:
        raise Wrong(
            "The node's own gradient is changed",
            f"It was 4 and is now {node.grad:g}. Only parents should change.",
        )
    if 0 in (p.grad, q.grad):
        raise Wrong("Only one parent", f"{told} Does your loop end after its first turn?")
    if (p.grad, q.grad) == (1, 1):
        raise Wrong(
            "The incoming gradient is missing",
            f"{told} That is the local derivative alone. What does the chain rule multiply it with?",
        )
    if (p.grad, q.grad) == (5, 5):
        raise Wrong("Added where the chain rule multiplies", f"{told} You have 1 + 4, and the chain rule says 1 · 4.")
    if (p.grad, q.grad) == (2, 2):
        raise Wrong("The gradient is shared out", f"{told} An addition gives its gradient to each parent in full.")
    if not (close(p.grad, 4) and close(q.grad, 4)):
        raise Wrong("Not the chain rule", f"{told} Each should get local derivative times incoming gradient, 1 · 4.")
    p, q, node = a_small_node(kind, "*")
    call(answer, node)
    told = f"For p * q with p = 3, q = -5 and incoming gradient 4, p got {p.grad:g} and q got {q.grad:g}."
    if (p.grad, q.grad) == (12, -20):
        raise Wrong(
            "Each parent multiplied with its own number",
            f"{told} Which number is p's local derivative: its own, or the other one? `edges()` has it ready.",
        )
    if not (close(p.grad, -20) and close(q.grad, 12)):
        raise Wrong("Not right for a product", f"{told} Where is the local derivative?")
    p, q, node = a_small_node(kind, "*")
    p.grad = 100.0
    call(answer, node)
    if p.grad == -20:
        raise Wrong("Overwritten", "p had 100 from elsewhere, and your function put -20 in its place. It should be 80.")
    same = kind(3.0)
    node = same + same
    node.grad = 1.0
    call(answer, node)
    if not close(same.grad, 2):
        raise Wrong(
            "One share is lost",
            f"For a + a with incoming gradient 1, a got {same.grad:g}, and there are two edges.",
        )
    x = kind(2.0)
    node = x**3
    node.grad = 1.0
    try:
        call(answer, node)
        call(answer, kind(1.0))
    except (AttributeError, ValueError, TypeError, IndexError) as error:
        raise Wrong(
            "Two parents taken for granted",
            f"x ** 3 has one parent, and a leaf has none. There your function stops with {type(error).__name__}: "
            f"{error}",
        ) from None
    if not close(x.grad, 12):
        raise Wrong(
            "Not right for one parent",
            f"For x ** 3 at x = 2 with incoming gradient 1, x got {x.grad:g}, not 12.",
        )
    a, b = kind(2.0), kind(3.0)
    inner = a * b
    node = inner * kind(5.0)
    node.grad = 1.0
    call(answer, node)
    if a.grad or b.grad:
        raise Wrong(
            "Too far back",
            "For (a * b) * c, a and b have been given something too. Their turn comes later, "
            "when a * b has everything: this function is for one node.",
        )


@exercise(
    lesson=LESSON,
    minutes=5,
    allows="You can now build new functions from the engine's operations, gradient included.",
    hints=(
        "x is a Value. -x, x.exp(), 1 + x and 1 / x all give a Value again.",
        "Start from the inside: first -x, then its exp(), then add 1, then divide.",
        "Python multiplies and divides before it adds. Do you need parentheses?",
    ),
    solution="""
        def logistic(x):
            return 1 / (1 + (-x).exp())
    """,
    reasons="Every step gives a Value, so every step remembers its local derivative, and backward() needs nothing new.",
)
def logistic(answer):
    kind = value_class(answer)
    for point in (1.0, 0.0, -2.0, 0.3):
        x = kind(point)
        out = a_value(call(answer, x), f"logistic(Value({point:g}))")
        if out.op == "sigmoid":
            raise Wrong("Not put together", "That is the class's own sigmoid. Now build it from exp, + and /.")
        right = 1 / (1 + math.exp(-point))
        if not close(out.data, right):
            told = f"logistic({point:g}) gave {out.data:.7f} and should be {right:.7f}."
            if close(out.data, 1 / (1 + math.exp(point))):
                raise Wrong(
                    "The mirror image",
                    f"{told} You have 1 / (1 + e^x). Which sign has the exponent, and what stands above the line?",
                )
            if close(out.data, 1 / (1 - math.exp(-point))):
                raise Wrong("Subtracted where the formula adds", f"{told} Look at the sign after the 1.")
            if close(out.data, 1 / (1 - math.exp(point))):
                raise Wrong(
                    "The minus sign is in the wrong place",
                    f"{told} It belongs to x: (-x).exp(). What does -x.exp() do?",
                )
            if close(out.data, 1 + math.exp(-point)):
                raise Wrong("Not one over all of it", f"{told} You have 1 + e^(-x). Is all of that below the line?")
            if close(out.data, right, 1e-2):
                raise Wrong("Nearly e", f"{told} So close: is your e only 2.718? The method exp() has all digits.")
            raise Wrong("Another function", told)
        out.backward()
        if x.grad == 0:
            raise Wrong(
                "A fresh Value has no past",
                "The number is right, but no gradient reaches x. Did you wrap a finished number?",
            )
        known = ("", "+", "-", "*", "exp", "log", "tanh", "relu")
        strange = [node.op for node in topological_order(out) if node.op not in known and node.op[:2] != "**"]
        if strange:
            raise Wrong(
                "A node made by hand",
                f"Your graph has a node {strange[0]!r}. Use the class's own operations: no need for any derivative.",
            )
        if not close(x.grad, right * (1 - right)):
            raise Wrong(
                "The gradient is off",
                f"At {point:g} the gradient of x is {x.grad:.6f} and should be {right * (1 - right):.6f}.",
            )


def uses_name(code, name):
    """Whether the code, or a function made inside it, uses a global name or an attribute of that name."""
    inner = [const for const in getattr(code, "co_consts", ()) if hasattr(const, "co_names")]
    return name in getattr(code, "co_names", ()) or any(uses_name(part, name) for part in inner)


def many_kinds(a, b, c, d):
    return (a * b - c).tanh() ** 2 / d


def tangled(kind, seed):
    """Return (leaves, all nodes, root) of a random graph whose nodes are used again and again."""
    dice = random.Random(seed)
    leaves = [kind(dice.uniform(-1, 1)) for _ in range(3)]
    pool = list(leaves)
    for _ in range(9):
        x, y = dice.choice(pool), dice.choice(pool)
        pool.append(x * y if dice.random() < 0.5 else x + y)
    root = pool[-1]
    for node in pool[:-1]:
        root = root + node
    return leaves, pool, root


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You can now write backpropagation from memory. Few who use it can.",
    hints=(
        "Three parts: the result's own gradient, the order of the nodes, and the chain rule for each edge.",
        "The result's gradient with respect to itself is 1. Then go through reversed(topological_order(root)).",
        "What does one node do when its turn comes? You wrote that in exercise 2, for each pair of node.edges().",
    ),
    solution="""
        def backpropagate(root):
            root.grad = 1.0  # how fast the result changes when the result changes
            for node in reversed(topological_order(root)):
                for parent, local in node.edges():
                    parent.grad += local * node.grad
            return root
    """,
    reasons="Beginning, order, chain rule. In this order a node's gradient is complete before it is passed on.",
)
def backpropagate(answer):
    kind = value_class(answer)

    if uses_name(getattr(answer, "__code__", None), "backward"):
        raise Wrong(
            "Called, not written",
            "A `backward` that is there does your work. Write what it does: beginning, order, chain rule.",
        )

    class Counted(kind):
        __slots__ = ()
        visits = 0

        def edges(self):
            Counted.visits += 1
            return super().edges()

    a, b = kind(2.0), kind(-3.0)
    root = a * b
    call(answer, root)
    told = f"For a * b with a = 2, b = -3 you get {a.grad:g} and {b.grad:g}"
    if root.grad == 0:
        raise Wrong(
            "No beginning",
            "The result's own gradient is still 0, so there is nothing to pass on. How fast does L change when L "
            "changes?",
        )
    if (a.grad, b.grad) == (0, 0):
        raise Wrong("The leaves get nothing", f"{told}.")
    if (a.grad, b.grad) == (1, 1):
        raise Wrong(
            "Just 1 for each",
            f"{told}. Is the local derivative in your product? And is only the *result's* own gradient set to 1?",
        )
    if not (close(a.grad, -3) and close(b.grad, 2)):
        raise Wrong("Wrong from the first product on", f"{told}, and should get -3 and 2.")
    a = kind(5.0)
    call(answer, a + a)
    if close(a.grad, 1):
        raise Wrong(
            "Overwritten, not added",
            "For a + a the gradient of a is 1 and should be 2. What happens to the first share when the second "
            "arrives?",
        )
    a, b, c = kind(2.0), kind(-3.0), kind(4.0)
    call(answer, (a * b) * c)
    if (a.grad, b.grad) == (0, 0):
        raise Wrong(
            "Nothing beyond the last step",
            "For (a * b) * c no gradient reaches a and b. Is the result's turn the first, and does every node get one?",
        )
    if close(a.grad, -3):
        raise Wrong(
            "Not the node's own gradient",
            "For (a * b) * c with b = -3 and c = 4 you get -3 for a, its local derivative times 1. "
            "The chain rule multiplies the local derivative with the gradient of *which* node?",
        )
    a, b, c = kind(2.0), kind(-3.0), kind(4.0)
    call(answer, (a * b + c) * c)
    if not close(a.grad, -12):
        raise Wrong(
            "Lost on a longer way",
            f"For (a * b + c) * c the gradient of a is {a.grad:g} and should be -12. How many steps does your "
            "function go back?",
        )
    a = kind(3.0)
    b = a + a
    call(answer, b + b)
    if not close(a.grad, 4):
        raise Wrong(
            "Passed on too early",
            f"For b = a + a, c = b + b the gradient of a is {a.grad:g} and should be 4. "
            "Did b pass its gradient on before both shares had come in, or more than once?",
        )
    right = [Value(x) for x in (0.4, -0.5, 0.3, 2.0)]
    leaves = [kind(x.data) for x in right]
    many_kinds(*right).backward()
    try:
        call(answer, many_kinds(*leaves))
    except (AttributeError, TypeError, ValueError) as error:
        raise Wrong(
            "Two parents taken for granted",
            f"(a * b - c).tanh() ** 2 / d has nodes with one parent. There you have {type(error).__name__}: {error}",
        ) from None
    if not all(close(x.grad, y.grad) for x, y in zip(leaves, right)):
        raise Wrong(
            "Not for every operation",
            "Graphs of + and * come out right, but (a * b - c).tanh() ** 2 / d does not. "
            "Does your function know rules for some operations only? Where does each node keep its own?",
        )
    for seed in range(20):
        _, nodes, root = tangled(kind, seed)
        _, right_nodes, right_root = tangled(kind, seed)
        call(answer, root)
        right_root.backward()
        if not all(close(x.grad, y.grad) for x, y in zip(nodes, right_nodes)):
            raise Wrong(
                "Not always in the right order",
                "Simple graphs come out right, but a tangled one does not: some node had its turn before all who "
                "use it had theirs. Which order makes sure that this never happens?",
            )
    x = kind(1.0)
    for _ in range(14):
        x = Counted(x.data * 2, "+", x, 1.0, x, 1.0)
    call(answer, x)
    if Counted.visits > 1000:
        raise Wrong(
            "Every path one by one",
            f"All gradients are right. But for 14 doublings you look at nodes {Counted.visits} times, once for each "
            "path. How can one visit to each node be enough?",
        )
    start = x = kind(0.0)
    for _ in range(3000):
        x = x + 1
    try:
        call(answer, x)
    except RecursionError:
        raise Wrong(
            "One call for each step",
            "All gradients are right, but on a chain of 3000 additions Python allows no more calls inside one another. "
            "The part 'A long chain' of section 4 has the cure.",
        ) from None
    if start.grad != 1:
        raise Wrong(
            "Lost on a longer way",
            f"On a chain of 3000 additions the first number's gradient is {start.grad:g}, not 1.",
        )


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="The engine has a new operation, and nothing else had to change.",
    hints=(
        "Look at sin in section 7, A new operation: a function of x that returns Value(number, name, x, local "
        "derivative).",
        "Compute the number from x.data with `math`. Then ask: what is the derivative of that function, at x.data?",
        "Not sure of the derivative? central_difference of your function tells you what it should be.",
    ),
    solution="""
        import math

        def own_operation(x):
            out = math.sqrt(x.data)
            return Value(out, "sqrt", x, 1 / (2 * out))  # the derivative of the square root
    """,
    reasons="A node needs its number, a name, its parent and the local derivative. backward() does the rest.",
)
def own_operation(answer):
    kind = value_class(answer)

    def at(point):
        x = kind(point)
        try:
            return x, call(answer, x)
        except (ValueError, ZeroDivisionError, OverflowError) as error:
            told = f"At x = {point:g} there is a {type(error).__name__}: {error}"
            raise Wrong("Not defined everywhere", f"{told}. Choose a function with a value from 0.5 to 2.") from None

    def f(point):
        return number(at(point)[1].data, "The node's data")

    for point in PLACES:
        x, out = at(point)
        a_value(out, f"own_operation(Value({point:g}))")
        if out is x:
            raise Wrong("Nothing new is made", "You gave back x itself. Make a new Value from it.")
        if x.grad != 0:
            raise Wrong(
                "Too early to go backward",
                "x has a gradient already. The operation only goes forward; leave .backward() to whoever uses it.",
            )
        if out.op in OPERATORS or out.op.startswith("**") or out.op in KNOWN and close(out.data, KNOWN[out.op](point)):
            raise Wrong(
                "We have this one already",
                f"Your node is a {out.op!r}, as the lesson has it. Choose another function, and make the node "
                "yourself: Value(number, name, x, local derivative).",
            )
        if [parent for parent, _ in out.edges()] != [x]:
            raise Wrong(
                "Not one node with parent x",
                "Your result should be a single new node, made straight from x: Value(number, name, x, local "
                "derivative).",
            )
        if not out.op:
            raise Wrong("The operation has no name", "The name is the second argument: what made this node?")
        if out.op in KNOWN:
            raise Wrong(
                "The name is taken",
                f"The function is new, but {out.op!r} is the name of another one. Give it its own.",
            )
    for name, known in KNOWN.items():
        if all(close(f(point), known(point)) for point in PLACES):
            raise Wrong(
                "An old one under a new name",
                f"From 0.5 to 2 your function is {name}, which the lesson has. Choose another.",
            )
    if len({f(point) for point in PLACES}) == 1:
        raise Wrong("Nothing depends on x", "Your function gives the same number everywhere.")
    for point in PLACES:
        local = number(at(point)[1].edges()[0][1], "Your local derivative")
        left, right = forward_difference(f, point, -1e-6), forward_difference(f, point, 1e-6)
        measured = central_difference(f, point)
        if abs(left - right) > 1e-3 * max(abs(left), abs(right), 1e-3):
            raise Wrong("A kink or a jump", f"At x = {point:g} your function has no slope. Choose a smooth one.")
        exactness = 1e-4 * max(abs(measured), 1e-6)
        if abs(local - measured) <= exactness:
            continue
        told = f"At x = {point:g} your local derivative is {local:.6g}, and the measured slope is {measured:.6g}."
        if local == 0:
            raise Wrong("No local derivative", f"{told} Did you give the fourth argument?")
        if close(local, f(point)):
            raise Wrong(
                "The value in place of the slope",
                f"{told} You gave the function's value. Only e^x is its own slope.",
            )
        if abs(local + measured) <= exactness:
            raise Wrong("The wrong sign", f"{told} Does your function rise or fall here?")
        raise Wrong(
            "The local derivative disagrees",
            f"{told} Is it the derivative of your function, and taken at x.data?",
        )


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You built a neuron. Lesson 4 puts many of them together.",
    hints=(
        "zip(weights, inputs) gives you each weight with its input.",
        "Start from the bias and add w * x for each pair.",
        "The last step is .tanh() of the whole sum, not of its parts.",
    ),
    solution="""
        def one_neuron(weights, inputs, bias):
            total = bias
            for w, x in zip(weights, inputs):
                total = total + w * x
            return total.tanh()
    """,
    reasons="A weighted sum, then a tanh. The gradients of all weights come for free.",
)
def one_neuron(answer):
    kind = value_class(answer)
    cases = (
        ([0.5, -0.3], [1.0, 2.0], 0.3),
        ([0.5], [1.0], 0.25),
        ([0.1, 0.2, -0.3, 0.4], [1.0, -2.0, 0.5, 3.0], -0.2),
    )
    for weights, inputs, bias in cases:
        where = f"With weights {weights}, inputs {inputs} and bias {bias:g}"
        w, b = [kind(x) for x in weights], kind(bias)
        given, handed = list(w), list(inputs)
        out = a_value(call(answer, w, handed, b), "one_neuron(weights, inputs, bias)")
        if w != given or handed != inputs:
            raise Wrong(
                "The lists that came in are changed",
                f"{where} a list is no longer what it was after the call.",
            )
        products = [x * y for x, y in zip(weights, inputs)]
        total = sum(products) + bias
        right = math.tanh(total)
        if not close(out.data, right):
            told = f"{where} you get {out.data:.4f} and should get {right:.4f}."
            if close(out.data, total):
                raise Wrong("The tanh is missing", f"{told} That is the sum before the tanh.")
            if close(out.data, math.tanh(total - bias)):
                raise Wrong("The bias is missing", told)
            if close(out.data, math.tanh(total - bias) + bias):
                raise Wrong("The bias comes too late", f"{told} Is the bias inside the tanh?")
            if close(out.data, total - bias + math.tanh(bias)):
                raise Wrong(
                    "The tanh is around the bias alone",
                    f"{told} A dot binds tighter than a plus. Are there parentheses around the sum?",
                )
            if close(out.data, math.tanh(total + bias * (len(w) - 1))):
                raise Wrong("The bias once for each input", f"{told} How often is the bias added?")
            if close(out.data, math.tanh(bias + products[0])):
                raise Wrong("Only the first input", f"{told} Does your loop end after its first turn?")
            if close(out.data, math.tanh(bias + products[-1])) or close(out.data, math.tanh(products[-1])):
                raise Wrong("Only the last input", f"{told} Does each turn of your loop forget the one before?")
            if close(out.data, sum(map(math.tanh, products)) + bias):
                raise Wrong("A tanh for each product", f"{told} The tanh comes once, around the whole sum.")
            if close(out.data, math.tanh(sum(weights) * sum(inputs) + bias)):
                raise Wrong(
                    "Sums multiplied",
                    f"{told} Each weight belongs to its own input: multiply first, then add.",
                )
            raise Wrong("Another expression", told)
        out.backward()
        slope = 1 - right**2
        if b.grad == 0 and not any(v.grad for v in w):
            raise Wrong(
                "A fresh Value has no past",
                f"{where} the number is right, but no gradient reaches anything. Did you wrap a finished number?",
            )
        if not (close(b.grad, slope) and all(close(v.grad, slope * x) for v, x in zip(w, inputs))):
            raise Wrong(
                "The gradient does not reach every parameter",
                f"{where} the number is right, but not all gradients of weights and bias are.",
            )
    x = kind(2.0)
    out = a_value(call(answer, [kind(0.5)], [x], kind(0.0)), "one_neuron with a Value as input")
    out.backward()
    if not close(x.grad, 0.5 * (1 - math.tanh(1.0) ** 2)):
        raise Wrong(
            "The gradient does not reach the inputs",
            "With a Value as input, the number is right but its gradient is not.",
        )
