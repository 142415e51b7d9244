"""The engine of lesson 3: numbers that remember how they were made, and backpropagation through them.

Follows Andrej Karpathy's lecture "The spelled-out intro to neural networks and backpropagation:
building micrograd". The lecture gives each node a closure that knows how to go backward. Here each
node stores the local derivative with respect to each of its parents, and one loop does the rest.
"""

import math
import numbers


def as_number(x):
    """Return x as a float; x is an int, a float, a NumPy scalar or an array of no dimensions.

    Raises TypeError for anything else, and OverflowError for a whole number too large for a float.
    """
    if getattr(x, "shape", None) == ():
        x = x.item()
    if not isinstance(x, numbers.Real):
        raise TypeError(f"a Value holds one real number, such as 3.0, and not {x!r} ({type(x).__name__})")
    try:
        return float(x)
    except OverflowError:
        raise OverflowError("this whole number is too large for a float: the largest is about 1.8e308") from None


def exp_or_inf(x):
    """Return e to the power x, and inf where that is too large for a float."""
    try:
        return math.exp(x)
    except OverflowError:
        return math.inf


def power_or_inf(x, n):
    """Return x ** n, and inf (or -inf) where that is too large for a float, as it is for 0 ** -1."""
    try:
        return x**n
    except (OverflowError, ZeroDivisionError):
        return -math.inf if x < 0 and n % 2 == 1 else math.inf


def topological_order(root):
    """Return root and every node it is made from, each one after all of its parents.

    It keeps its own stack and does not call itself, so a chain of a million nodes is no trouble.
    """
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, parents_done = stack.pop()
        if parents_done:
            order.append(node)
        elif node not in seen:
            seen.add(node)
            stack.append((node, True))
            for parent, _ in node.edges():
                stack.append((parent, False))
    return order


class Value:
    """A number that remembers the operation and the parents it was made from.

    >>> a = Value(2.0, label="a")
    >>> b = a * a + 1
    >>> b.backward()
    >>> b.data, a.grad
    (5.0, 4.0)

    `data` is the number. `grad` is how fast the result of `backward()` changes with it; in a leaf, the
    sum over all calls since `zero_grad()`.
    `left` and `right` are the parents (None where there is none), `d_left` and `d_right` the local
    derivatives: how fast this node's data changes when that parent's data does.

    A result too large for a float is inf and 0 * inf is nan, as in PyTorch. What has no real answer
    at all (a division by zero, the logarithm of -1) raises ZeroDivisionError or ValueError.
    """

    __slots__ = ("data", "grad", "op", "left", "d_left", "right", "d_right", "label")

    # without this a NumPy number on the left would take the Value apart before we are asked
    __array_ufunc__ = None

    def __init__(self, data, op="", left=None, d_left=0.0, right=None, d_right=0.0, *, label=""):
        self.data = data if type(data) is float else as_number(data)
        self.grad = 0.0
        self.op = op
        self.left = left
        self.d_left = d_left
        self.right = right
        self.d_right = d_right
        self.label = label

    def __repr__(self):
        return f"Value(data={self.data:.6g}, grad={self.grad:.6g})"

    # forward: each operation computes its number and its local derivatives

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, "+", self, 1.0, other, 1.0)

    def __sub__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data - other.data, "-", self, 1.0, other, -1.0)

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, "*", self, other.data, other, self.data)

    def __pow__(self, other):
        x, n = self.data, other.data if isinstance(other, Value) else as_number(other)
        if x == 0 and n < 0:
            raise ZeroDivisionError(f"0 to the power {n:g} would divide by zero")
        if x < 0 and n % 1 > 0:
            raise ValueError(f"{x:g} to the power {n:g} is not a real number: the base must not be negative")
        # n == 0 stands alone because 0 * inf would be nan
        d_left = n * power_or_inf(x, n - 1) if n != 0 else 0.0
        if not isinstance(other, Value):
            return Value(power_or_inf(x, n), f"**{n:g}", self, d_left)
        if x < 0:
            raise ValueError(f"a Value as exponent needs the logarithm of the base, and {x:g} has none: use a number")
        d_right = power_or_inf(x, n) * math.log(x) if x != 0 else 0.0
        return Value(power_or_inf(x, n), "**", self, d_left, other, d_right)

    def exp(self):
        out = exp_or_inf(self.data)
        return Value(out, "exp", self, out)

    def log(self):
        if self.data <= 0:
            raise ValueError(f"the logarithm of {self.data:g} is not a real number: it needs a number above 0")
        return Value(math.log(self.data), "log", self, 1 / self.data)

    def tanh(self):
        out = math.tanh(self.data)
        return Value(out, "tanh", self, 1 - out**2)

    def sigmoid(self):
        # e^x / (1 + e^x) is the same number; this way e is never large
        e = math.exp(-abs(self.data))
        out = 1 / (1 + e) if self.data > 0 else e / (1 + e)
        return Value(out, "sigmoid", self, out * (1 - out))

    def relu(self):
        return Value(0.0 if self.data < 0 else self.data, "relu", self, 1.0 if self.data > 0 else 0.0)

    # the rest is made of the operations above

    def __neg__(self):
        return self * -1

    def __truediv__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return self * other**-1

    def __radd__(self, other):
        return self + other

    def __rsub__(self, other):
        return Value(other) - self

    def __rmul__(self, other):
        return self * other

    def __rpow__(self, other):
        return Value(other) ** self

    def __rtruediv__(self, other):
        return Value(other) / self

    # backward: the chain rule, once for each edge of the graph

    def edges(self):
        """Return a pair (parent, local derivative) for each parent."""
        if self.left is None:
            return ()
        if self.right is None:
            return ((self.left, self.d_left),)
        return (self.left, self.d_left), (self.right, self.d_right)

    def backward(self):
        """Add d(self)/d(leaf) to the `grad` of every leaf, and set that of every node in between.

        A leaf keeps adding from call to call until `zero_grad`, as in PyTorch.
        """
        order = topological_order(self)
        for node in order:
            if node.edges():
                node.grad = 0.0
        self.grad += 1.0
        for node in reversed(order):
            for parent, local in node.edges():
                parent.grad += local * node.grad

    def zero_grad(self):
        """Set the `grad` of this node, and of every node it is made from, to zero."""
        for node in topological_order(self):
            node.grad = 0.0
