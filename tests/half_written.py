"""A bank of half-written answers: what a learner's cell may leave behind on the way to an answer, or by accident.

Each can be handed to any exercise. VALUES are made anew by a call: as the answer, as what the answer returns, or as
the numbers within a result that is right in everything else. FUNCTIONS are answers that go wrong when they are called.
SPOILERS make of the right answer one that is right and does harm on the way; those of HARMLESS leave it right.
"""

import asyncio
import builtins
import contextlib
import decimal
import fractions
import math
import os
import random
import sys
import threading
import time
import unittest.mock
import warnings

import numpy
import torch

FLOOD = 1_000_000  # lines


def named(things):
    return {thing.__name__.strip("_"): thing for thing in things}


# -- values ---------------------------------------------------------------------------------------------------


class Liar(float):
    """A number that says yes to every comparison."""

    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return 0.0

    __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __eq__
    __rsub__ = __sub__
    __hash__ = float.__hash__


class Agrees:
    """Not even a number, and equal to everything."""

    def __eq__(self, other):
        return True

    __hash__ = None


class Undecided:
    def __eq__(self, other):
        return numpy.array([True, False])

    __hash__ = None


class Raises:
    """An object of which nothing can be asked."""

    def __getattribute__(self, name):
        raise RuntimeError(f"no {name} here")

    def __refuse(self, *args):
        raise RuntimeError("not this either")

    __eq__ = __repr__ = __str__ = __float__ = __int__ = __len__ = __iter__ = __bool__ = __hash__ = __refuse
    __getitem__ = __call__ = __array__ = __sub__ = __rsub__ = __abs__ = __format__ = __contains__ = __refuse


class Lengthy:
    def __repr__(self):
        return "x" * 10_000_000


class Painted:
    def __repr__(self):
        return "\x1b[2J\x1b[31m<script>alert(1)</script>\x07\r\0"


class LongList(list):
    """A list that says it has other entries than it has."""

    def __len__(self):
        return 10**9

    def __eq__(self, other):
        return True

    __hash__ = None


class EmptyList(list):
    def __iter__(self):
        return iter(())

    def __eq__(self, other):
        return True

    __hash__ = None


class Text(str):
    __slots__ = ()

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


def endless_generator():
    while True:
        yield 0.0


async def coroutine():
    return 1.0


def closed_coroutine():
    made = coroutine()
    made.close()  # so that nobody is told that it was never awaited
    return made


def within_itself():
    made = []
    made.append(made)
    return made


def deep():
    made = []
    for _ in range(20_000):
        made = [made]
    return made


def no_number():
    return math.nan


def infinite():
    return -math.inf


def huge():
    return 10**5000


def huge_range():
    return range(10**12)


VALUES = {
    "none": lambda: None,
    "text": lambda: "12.5",
    "no text": lambda: "",
    "bytes": lambda: b"\xff\x00",
    "nan": no_number,
    "infinite": infinite,
    "huge": huge,
    "negative zero": lambda: -0.0,
    "true": lambda: True,
    "complex": lambda: 1 + 2j,
    "decimal": lambda: decimal.Decimal("0.1"),
    "fraction": lambda: fractions.Fraction(10**400, 3),
    "not implemented": lambda: NotImplemented,
    "empty list": lambda: [],
    "empty dict": lambda: {},
    "empty tuple": lambda: (),
    "set": lambda: {1.0, 2.0},
    "ragged": lambda: [[1.0], [2.0, 3.0], 4.0],
    "list of stubs": lambda: [...] * 3,
    "within itself": within_itself,
    "deep": deep,
    "huge range": huge_range,
    "generator": lambda: (x for x in (1.0, 2.0)),
    "endless generator": endless_generator,
    "coroutine": closed_coroutine,
    "map": lambda: map(float, ("1", "one")),
    "class": lambda: Lengthy,
    "module": lambda: math,
    "object": object,
    "type": lambda: type,
    "int": lambda: int,
    "print": lambda: print,
    "exit": lambda: sys.exit,
    "error": lambda: ValueError("returned, not raised"),
    "error's class": lambda: ValueError,
    "lambda": lambda: lambda: 1.0,
    "too many inputs": lambda: lambda a, b, c, d, e, f, g, h: 1.0,
    "only by name": lambda: lambda *, a=1: a,
    "mock": unittest.mock.MagicMock,
    "numpy number": lambda: numpy.float64("nan"),
    "numpy array": lambda: numpy.zeros((2, 3)),
    "numpy objects": lambda: numpy.array([None, "x"], dtype=object),
    "tensor": lambda: torch.tensor(2.5),
    "no tensor": lambda: torch.empty(0),
    "long tensor": lambda: torch.zeros(3, dtype=torch.int64),
    "complex tensor": lambda: torch.zeros(2, 2, dtype=torch.complex64),
    "tensor of nan": lambda: torch.full((2, 3, 4), math.nan, requires_grad=True),
    "tensor of many dimensions": lambda: torch.zeros([1] * 20),
    "sparse tensor": lambda: torch.eye(3).to_sparse(),
    "expanded tensor": lambda: torch.zeros(1).expand(10**6),
    "parameter": lambda: torch.nn.Parameter(torch.ones(2)),
    "network": lambda: torch.nn.Linear(1, 1),
    "liar": lambda: Liar(0.5),
    "agrees": Agrees,
    "undecided": Undecided,
    "raises": lambda: object.__new__(Raises),
    "lengthy": Lengthy,
    "painted": Painted,
    "long list": lambda: LongList([1.0]),
    "list that hides": lambda: EmptyList([1.0, 2.0]),
    "text that agrees": lambda: Text("x"),
}

# these say themselves that they are right: a check may believe them
AGREEING = {"liar", "agrees", "long list", "list that hides", "text that agrees"}

# what else may come in place of a right tensor
TENSORS = {
    "nan": lambda right: torch.full_like(right, math.nan, dtype=torch.float32),
    "infinite": lambda right: right.float() + math.inf,
    "huge": lambda right: torch.full(right.shape, 1e300, dtype=torch.float64),
    "complex": lambda right: right.to(torch.complex64) + 1j,
    "bytes": lambda right: torch.zeros(right.shape, dtype=torch.uint8),
    "half": lambda right: torch.zeros(right.shape, dtype=torch.float16),
    "sparse": lambda right: torch.zeros(right.shape).to_sparse(),
    "one dimension more": lambda right: right[None],
    "flat": lambda right: right.flatten()[1:],
    "list": lambda right: [right],
    "numpy": lambda right: right.detach().numpy() + 1,
}


def within(right, value):
    """Return the result with a value in place of each number, text or other thing in its lists, tuples and dicts."""
    if isinstance(right, dict):
        return {key: within(part, value) for key, part in right.items()}
    if isinstance(right, (list, tuple)):
        return type(right)(within(part, value) for part in right)
    return value()


def other_tensors(right, other):
    """Return the result with another tensor in place of each one in it; None where there is none."""
    if isinstance(right, (list, tuple)) and any(isinstance(part, torch.Tensor) for part in right):
        return type(right)(other_tensors(part, other) for part in right)
    return other(right) if isinstance(right, torch.Tensor) else None


# -- functions ------------------------------------------------------------------------------------------------


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError("not even its message")


class Unstoppable(BaseException):
    pass


def raising(error):
    def raises(*inputs, **more):
        raise error() if callable(error) else error

    return raises


def syntax_error(*inputs):
    exec("def f(x)\n    return x")


def wrong_name(*inputs):
    return reslut  # noqa: F821


def same_name(*inputs):
    total = total + 1  # noqa: F821
    return total


def wrong_key(*inputs):
    return {}["a key"]


def wrong_operand(*inputs):
    return inputs + 1


def divides_by_zero(*inputs):
    return 1 / 0


def recursion(*inputs):
    return recursion(*inputs)


def mutual_recursion(*inputs):
    return [mutual_recursion(x) for x in [inputs]]


def of_a_chain(*inputs):
    try:
        return {}["first"]
    except KeyError as error:
        raise ValueError("second") from error


def group(*inputs):
    raise ExceptionGroup("several", [ValueError("one"), TypeError("two")])


def cause_of_itself(*inputs):
    error = ValueError("round")
    error.__context__ = KeyError("and round")
    raise error


def stops_an_iteration(*inputs):
    return next(iter(()))


def gives_its_inputs(*inputs):
    return inputs[0] if len(inputs) == 1 else inputs


def gives_itself(*inputs):
    return gives_itself


def random_shape(*inputs):
    return torch.randn(random.randint(1, 3), random.randint(1, 3))


def counts_calls():
    calls = []

    def answer(*inputs):
        calls.append(inputs)
        return float(len(calls))

    return answer


def yields(*inputs):
    yield from inputs


async def awaits(*inputs):
    return inputs


def misuses_torch(*inputs):
    return torch.zeros(2, 3) @ torch.zeros(2, 3)


def too_much_memory(*inputs):
    return torch.empty(10**15)


def empties_its_inputs(*inputs):
    for thing in inputs:
        empty(thing)
    return inputs[0] if inputs else 0.0


FUNCTIONS = named(
    [syntax_error, wrong_name, same_name, wrong_key, wrong_operand, divides_by_zero, recursion, mutual_recursion,
     of_a_chain, group, cause_of_itself, stops_an_iteration, gives_its_inputs, gives_itself, random_shape, yields,
     misuses_torch, too_much_memory, empties_its_inputs]
) | {"counts calls": counts_calls()} | {
    f"raises {error.__name__}": raising(error)
    for error in (SystemExit, MemoryError, AssertionError, NotImplementedError, GeneratorExit, asyncio.CancelledError,
                  Unspeakable, Unstoppable)
} | {
    "says much": raising(ValueError("x" * 10_000_000)),
    "says many lines": raising(ValueError("line\n" * 100_000)),
    "says a page": raising(ValueError("<img src=x onerror=alert(1)>\x1b[31m\x1b[2J\x07")),
    "says bytes": raising(ValueError("\udcff\0")),
}  # fmt: skip


# -- right, with harm on the way -------------------------------------------------------------------------------


def empty(thing):
    """Change what came in, as far as it can be."""
    with contextlib.suppress(Exception):
        if isinstance(thing, torch.nn.Module):
            for p in thing.parameters():
                empty(p)
        elif isinstance(thing, torch.Tensor):
            thing.data.zero_()
        elif isinstance(thing, (list, dict, set)):
            thing.clear()
        else:
            thing.data, thing.grad = 0.0, 99.0


def spoils(harm):
    """Make a spoiler of a function that does harm: before the right answer is worked out."""

    def spoiler(right):
        def answer(*inputs, **more):
            harm()
            return right(*inputs, **more)

        return answer

    spoiler.__name__ = harm.__name__
    return spoiler


@spoils
def prints_a_flood():
    if not flooded:
        flooded.append(True)
        for i in range(FLOOD):
            print(i)


flooded = []  # once for each exercise is enough: a test empties it


@spoils
def prints_one_long_line():
    print("x" * 10_000_000)


@spoils
def warns():
    warnings.warn("w" * 100_000, stacklevel=2)
    print("e" * 100_000, file=sys.stderr)


@spoils
def paints():
    print("\x1b[2J\x1b[31m<script>alert(1)</script>\x07\r\0\udcff")


@spoils
def closes_its_output():
    sys.stdout.close()
    sys.stderr.close()


@spoils
def loses_its_output():
    sys.stdout = sys.stderr = None


@spoils
def throws_dice():
    random.seed(0)
    torch.manual_seed(0)
    numpy.random.seed(0)


@spoils
def computes_in_double():
    torch.set_default_dtype(torch.float64)


@spoils
def switches_gradients_off():
    torch.set_grad_enabled(False)


@spoils
def warns_of_everything():
    warnings.simplefilter("error")


@spoils
def replaces_builtins():
    builtins.print = builtins.str = builtins.isinstance = None


@spoils
def replaces_mathematics():
    math.isfinite = math.exp = None
    random.random = lambda: 0.0


@spoils
def replaces_the_course():
    from lesson_lib import datasets, derivatives, micrograd

    derivatives.central_difference = micrograd.Value = datasets.circles = None


@spoils
def goes_elsewhere():
    os.chdir(os.path.sep)


@spoils
def lowers_the_limit():
    sys.setrecursionlimit(10_000_000)


@spoils
def sleeps():
    time.sleep(0.001)


@spoils
def starts_a_thread():
    threading.Thread(target=time.sleep, args=(0.01,)).start()


@spoils
def starts_a_thread_that_fails():
    thread = threading.Thread(target=divides_by_zero)
    thread.start()
    thread.join()


HARMLESS = named(
    [prints_a_flood, prints_one_long_line, warns, paints, closes_its_output, loses_its_output, throws_dice,
     goes_elsewhere, lowers_the_limit, sleeps, starts_a_thread, starts_a_thread_that_fails]
)  # fmt: skip


def empties_first(right):
    def answer(*inputs):
        for thing in inputs:
            empty(thing)
        return right(*inputs)

    return answer


def empties_after(right):
    def answer(*inputs):
        made = right(*inputs)
        for thing in inputs:
            empty(thing)
        return made

    return answer


def right_once(right):
    calls = []

    def answer(*inputs):
        calls.append(inputs)
        return right(*inputs) if len(calls) == 1 else None

    return answer


def always_the_first(right):
    made = []

    def answer(*inputs):
        made.append(right(*inputs))
        return made[0]

    return answer


def fails_at_the_second(right):
    calls = []

    def answer(*inputs):
        calls.append(inputs)
        if len(calls) == 2:
            raise ValueError("the second time")
        return right(*inputs)

    return answer


def in_a_list(right):
    return lambda *inputs: [right(*inputs)]


def as_text(right):
    return lambda *inputs: str(right(*inputs))


def as_a_call(right):
    return lambda *inputs: lambda: right(*inputs)


def without_the_last_input(right):
    return lambda *inputs: right(*inputs[:-1])


def turned_round(right):
    return lambda *inputs: right(*inputs[::-1])


SPOILERS = HARMLESS | named(
    [computes_in_double, switches_gradients_off, warns_of_everything, replaces_builtins, replaces_mathematics,
     replaces_the_course, empties_first, empties_after, right_once, always_the_first, fails_at_the_second, in_a_list,
     as_text, as_a_call, without_the_last_input, turned_round]
)  # fmt: skip


# -- all together ------------------------------------------------------------------------------------------------


def calls(function):
    """Return a function that takes any inputs and gives what the function makes without them."""
    return lambda *inputs: function()


def answers(right):
    """Yield each answer of the bank, made for an exercise with this right one: (its name, the answer)."""
    for name, value in VALUES.items():
        yield f"{name}, as it is", value()
    for name, function in FUNCTIONS.items():
        yield name, function
    if isinstance(right, type):
        for name, value in VALUES.items():
            yield f"{name}, from +", type(right.__name__, (right,), {"__add__": calls(value)})
        for name, function in FUNCTIONS.items():
            yield f"{name}, when made", type(right.__name__, (right,), {"__init__": function})
    elif callable(right):
        for name, value in VALUES.items():
            yield f"{name}, returned", calls(value)
            yield f"{name}, within", lambda *inputs, value=value: within(right(*inputs), value)
        for name, other in TENSORS.items():
            yield f"{name} tensor", lambda *inputs, other=other: other_tensors(right(*inputs), other)
        for name, spoiler in SPOILERS.items():
            yield name, spoiler(right)
    else:
        for name, value in VALUES.items():
            yield f"{name}, within", within(right, value)
