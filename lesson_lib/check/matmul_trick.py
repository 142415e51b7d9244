"""Checks of lesson 10: rows of weights, aggregation by hand, a tolerance, shares, a window, leaks, gradients.

torch is imported inside the functions, so that the checks of the first lessons do not wait for it.
"""

import numbers

from ._exercise import NotAttempted, Wrong, call, close, exercise
from ._tensors import alike, divided, rows, tensor_of
from .neural_networks import uses

LESSON = "10_matmul_trick"


def random(seed, *shape):
    """Return a float64 tensor of random numbers from N(0, 1) that are the same for the same seed."""
    import torch

    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def row_in_words(numbers):
    return "[" + ", ".join(f"{x:.3g}" for x in numbers) + "]"


def is_row(answer):
    return isinstance(answer, (list, tuple)) and all(
        isinstance(x, numbers.Real) and not isinstance(x, bool) for x in answer
    )


@exercise(
    lesson=LESSON,
    minutes=4,
    allows="You know who is in a row of weights, and who is not.",
    hints=(
        "Position 0 has itself only. How many tokens are there up to position t, with t itself?",
        "A list can be multiplied by a whole number: [0.5] * 3 is [0.5, 0.5, 0.5].",
        "Two lists, one behind the other: the t + 1 places of the past, then T - t - 1 zeros.",
    ),
    solution="""
        def row_of_weights(t, T):
            return [1 / (t + 1)] * (t + 1) + [0.0] * (T - t - 1)
    """,
    reasons="Up to and with position t there are t + 1 tokens, because we count from 0. Each gets the same share, and "
    "all that come later get nothing. So the row sums to 1.",
)
def row_of_weights(answer):
    for t, T in ((2, 5), (0, 3), (4, 5), (3, 9), (0, 1)):
        what = f"row_of_weights({t}, {T})"
        got = call(answer, t, T)
        got = got.tolist() if hasattr(got, "tolist") else got
        if not is_row(got):
            raise Wrong("Not a list of numbers", f"{what} should be a list of {T} numbers, and is {got!r:.60}.")
        right = [1 / (t + 1)] * (t + 1) + [0.0] * (T - t - 1)

        def same(other, got=got):
            return len(got) == len(other) and all(close(a, b, 1e-6) for a, b in zip(got, other))

        if same(right):
            continue
        told = f"{what} is {row_in_words(got)} and should be {row_in_words(right)}."
        if same(right[: t + 1]):
            raise Wrong("The later places are missing", f"{told} All {T} tokens have a place in the row.")
        if len(got) != T:
            raise Wrong("Not the right length", f"{what} has {len(got)} numbers and should have {T}.")
        if same([1 / T] * T):
            raise Wrong("The future is included", f"{told} What should a token that comes later than {t} get?")
        if t + 2 <= T and same([1 / (t + 2)] * (t + 2) + [0.0] * (T - t - 2)):
            raise Wrong("One of the future is included", f"{told} Which place is the last that position {t} may see?")
        if t and (same([1 / t] * t + [0.0] * (T - t)) or same([1 / (t + 1)] * t + [0.0] * (T - t))):
            raise Wrong("The own position is left out", f"{told} Position {t} takes from itself as well.")
        if same([0.0] * t + [1 / (T - t)] * (T - t)):
            raise Wrong("The future in place of the past", f"{told} Which end of the row is the past?")
        if same([1.0] * (t + 1) + [0.0] * (T - t - 1)):
            raise Wrong("The row does not sum to 1", f"{told} That makes a sum. And the average?")
        if same([1 / T] * (t + 1) + [0.0] * (T - t - 1)):
            raise Wrong("Divided by T", f"{told} How many tokens has position {t} to share among?")
        if t and same([1 / t] * (t + 1) + [0.0] * (T - t - 1)):
            raise Wrong("Counted one too few", f"{told} We count from 0: how many tokens are 0 to {t}?")
        if same([1 / (i + 1) if i <= t else 0.0 for i in range(T)]):
            raise Wrong("Each place has another share", f"{told} Position {t} gives to all that it hears alike.")
        if same([float(i == t) for i in range(T)]):
            raise Wrong("Only the own position", f"{told} Where is the past?")
        raise Wrong("Another row", told)


def table_of(answer, height, width, what):
    """Return the answer if it is a list of `height` lists with `width` numbers each, and raise Wrong if it is not."""
    if answer is ...:
        raise NotAttempted
    if not isinstance(answer, (list, tuple)) or not all(is_row(row) for row in answer):
        raise Wrong("Not a list of lists", f"{what} should be a list of lists of numbers, and is {answer!r:.70}.")
    shape = len(answer), len(answer[0]) if answer else 0
    if len({len(row) for row in answer}) > 1:
        raise Wrong("Not the right shape", f"The rows of {what} are not equally long.")
    if shape == (width, height) != (height, width):
        raise Wrong("Rows and columns exchanged", f"{what} has the shape {shape} and should have {(height, width)}.")
    if shape != (height, width):
        raise Wrong("Not the right shape", f"{what} has the shape {shape} and should have {(height, width)}.")
    return answer


def products(weights, x, term=lambda w, t, i: w[t][i]):
    """Return the weighted sums of the rows of x; `term` says which number of w stands in row t, place i."""
    T, C = range(len(x)), range(len(x[0]))
    return [[sum(term(weights, t, i) * x[i][c] for i in T) for c in C] for t in T]


def carried(parts, over_rows):
    """Return the running totals of a table: along each row or, with over_rows, from its first number to its last."""
    out, total = [], 0.0
    for row in parts:
        total = total if over_rows else 0.0
        out.append([total := total + part for part in row])
    return out


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You have made a matrix product yourself, and each number in it says who takes how much from whom.",
    hints=(
        "Each number of the result has a position t and a channel c. Which numbers of x go into it?",
        "It is the sum of weights[t][i] * x[i][c] over all positions i.",
        "Three loops: over t, over c, and inside the sum over i. Make a fresh list for each row of the result.",
    ),
    solution="""
        def aggregate(weights, x):
            out = []
            for row in weights:
                out.append([sum(w * x[i][c] for i, w in enumerate(row)) for c in range(len(x[0]))])
            return out
    """,
    reasons="Row t of the weights says how much position t takes from each position i. In each channel c it takes that "
    "share of x[i][c], and adds up. Nothing is divided: how the weights share, is their own business.",
)
def aggregate(answer):
    if uses(answer, "torch", "matmul", "tensor", "numpy", "np", "einsum"):
        raise Wrong("PyTorch does it for you", "This once the sums should be your own: lists and loops, no tensors.")
    cases = (
        ([[1.0, 2.0, 0.5], [0.0, 3.0, -1.0], [2.0, 1.0, 4.0]], [[1.0, 10.0], [2.0, 30.0], [5.0, -20.0]]),
        ([[0.5, 0.25], [3.0, 1.0]], [[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]]),
        ([[3.0]], [[2.0, 4.0]]),
        ([[1.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0], [0.25, 0.25, 0.5, 0.0], [0.0, 0.0, 1.0, 2.0]],
         [[4.0], [2.0], [0.0], [6.0]]),
    )  # fmt: skip
    for weights, x in cases:
        T, C = len(x), len(x[0])
        given = [list(row) for row in weights], [list(row) for row in x]
        what = f"aggregate({weights}, {x})"
        got = table_of(call(answer, *given), T, C, what)
        if given != (weights, x):
            raise Wrong("What came in is changed", f"After the call it is {given!r:.120}. Make a new list.")
        right = products(weights, x)

        def same(other, got=got):
            return all(close(a, b) for ours, theirs in zip(got, other) for a, b in zip(ours, theirs))

        if same(right):
            continue
        told = f"{what} is {got} and should be {right}."
        if len({id(row) for row in got}) < T:
            raise Wrong(
                "All rows are one list",
                f"{told} All your rows are one and the same list: `[[0.0] * C] * T` is T times that one. Make a new "
                "one for each row.",
            )
        if same(products(weights, x, lambda w, t, i: w[i][t])):
            raise Wrong("Columns in place of rows", f"{told} What position t takes stands in *row* t of the weights.")
        if same(products(weights, x, lambda w, t, i: w[t][i] * (i <= t))):
            raise Wrong("Nobody asked for a mask", f"{told} The weights may be any numbers, also above the diagonal.")
        if same(products(weights, x, lambda w, t, i: w[t][i] * (i < t))):
            raise Wrong("The own position is left out", f"{told} Where does the range of your sum end?")
        if same(products(weights, x, lambda w, t, i: w[t][i] * (i == t))):
            raise Wrong("Only the own position", f"{told} Position t takes from every i. Where is the sum?")
        if C <= T and same([[weights[t][c] * x[t][c] for c in range(C)] for t in range(T)]):
            raise Wrong("Place by place", f"{told} That is `*`, not `@`: each number of the result is a sum.")
        if C < T and same(products(weights, x, lambda w, t, i, C=C: w[t][i] * (i < C))):
            raise Wrong("The sum is too short", f"{told} It has {C} terms, one for each channel. And the positions?")
        if same(products(weights, x, lambda w, t, i: 1.0)):
            raise Wrong("The weights are left out", f"{told} That is the sum of the columns of x.")
        if same(products(weights, x, lambda w, t, i: w[t][i] / len(w))) or (
            all(sum(row) for row in weights) and same(products(weights, x, lambda w, t, i: w[t][i] / sum(w[t])))
        ):
            raise Wrong("Divided once more", f"{told} Nothing is divided here: the weights are as they should be.")
        if same(products(weights, x, lambda w, t, i: w[t][i] * (i == len(w) - 1))):
            raise Wrong("Only the last term is left", f"{told} Does each term of the sum overwrite the one before?")
        if same(carried(right, True)) or same(carried(right, False)):
            raise Wrong("The sum is not set back", f"{told} With what does the sum of the next number begin?")
        raise Wrong("Other numbers", told)


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You know what a tolerance asks, and what a comparison must not let through.",
    hints=(
        "First the shapes. Then (a - b).abs() is how far the numbers are apart, place by place.",
        "Each place has its own limit: atol + rtol * b.abs().",
        "All places must keep it: .all(). A comparison with nan is False, so ask `<=`, and not whether one is `>`.",
    ),
    solution="""
        def nearly_equal(a, b, rtol, atol):
            if a.shape != b.shape:
                return False
            return bool(((a - b).abs() <= atol + rtol * b.abs()).all())
    """,
    reasons="The absolute part is for numbers near 0, where a share of b would be nothing. The relative part "
    "grows with b, as round-off does. Without the test of the shapes, broadcasting would compare what does not belong "
    "together. And nan <= limit is False, so a nan is never near to anything.",
)
def nearly_equal(answer):
    import torch

    if uses(answer, "allclose", "isclose", "assert_close"):
        raise Wrong("PyTorch does it for you", "That is the function that you should build. What does it compare?")

    def says(a, b, rtol, atol):
        a, b = (torch.tensor(part, dtype=torch.float64) if isinstance(part, list) else part for part in (a, b))
        copies = a.clone(), b.clone()
        got = call(answer, a, b, rtol, atol)
        if not (a.equal(copies[0]) and b.equal(copies[1])) and not a.isnan().any():
            raise Wrong("What came in is changed", f"a is {a.tolist()} and b is {b.tolist()} after the call.")
        if isinstance(got, torch.Tensor) and got.dim() == 0 and got.dtype == torch.bool:
            return got.item()
        if isinstance(got, torch.Tensor) and got.dim():
            raise Wrong("A table, not one answer", "You return an answer for each place. Do *all* of them keep it?")
        if not isinstance(got, bool):
            raise Wrong("Not True or False", f"nearly_equal should return True or False, and returns {got!r:.60}.")
        return got

    if not says([1.0, 2.0, 3.0], [1.0, 2.0, 3.0], 1e-5, 1e-8):
        raise Wrong("Equal tensors are refused", "a and b are the same, [1, 2, 3], and you say False.")
    below, above = says([1.0, 2.0], [1.5, 2.5], 0.0, 0.1), says([1.5, 2.5], [1.0, 2.0], 0.0, 0.1)
    if below and above:
        raise Wrong("It says True to everything", "a = [1, 2], b = [1.5, 2.5] and atol = 0.1 should be False.")
    if below or above:
        raise Wrong(
            "The sign of the difference",
            f"a = [1, 2] and b = [1.5, 2.5] with atol = 0.1: you say {below}, and {above} with a and b exchanged. "
            "How far are -0.5 and 0.5 from 0?",
        )
    many = [0.0] * 99 + [0.5]
    if says(many, [0.0] * 100, 0.0, 0.1) or says(many[::-1], [0.0] * 100, 0.0, 0.1):
        raise Wrong(
            "One bad place is not seen",
            "In 99 of 100 places a and b are the same, in one they are 0.5 apart; atol is 0.1. You say True. A mean is "
            "no judge: must not *every* place keep the limit?",
        )
    by_atol, by_rtol = says([0.001], [0.0], 0.0, 0.01), says([1001.0], [1000.0], 0.01, 0.0)
    if not by_atol and not by_rtol:
        raise Wrong(
            "Both limits at once",
            "With rtol = 0 nothing passes, and with atol = 0 neither. The two are added: they are *one* limit.",
        )
    if not by_atol:
        raise Wrong("atol has no effect", "a = [0.001], b = [0], rtol = 0 and atol = 0.01: you say False.")
    if not by_rtol:
        raise Wrong("rtol has no effect", "a = [1001], b = [1000], rtol = 0.01 and atol = 0: you say False.")
    if not says([-1001.0], [-1000.0], 0.01, 0.0):
        raise Wrong("A negative b", "a = [-1001], b = [-1000], rtol = 0.01: you say False. What is rtol * b there?")
    if not says([101.5], [100.0], 0.01, 1.0):
        raise Wrong(
            "The larger of the two, not the sum",
            "a = [101.5], b = [100], rtol = 0.01 and atol = 1: the limit is 1 + 0.01 · 100 = 2, and you say False.",
        )
    if says([110.0], [100.0], 0.095, 0.0) or not says([90.0], [100.0], 0.105, 0.0):
        raise Wrong(
            "Measured by a, not by b",
            "a = [110], b = [100], rtol = 0.095: the limit is 0.095 · 100 = 9.5, so False; and with a = [90] and "
            "rtol = 0.105 it is 10.5, so True. Which of the two is the measure?",
        )
    if not says([0.5], [0.0], 0.0, 0.5):
        raise Wrong("The border itself", "a = [0.5], b = [0], atol = 0.5: at most 0.5 is allowed, so True.")
    if not says([0.09] * 100, [0.0] * 100, 0.0, 0.1):
        raise Wrong(
            "Each place has its own limit",
            "In each of 100 places a and b are 0.09 apart; atol is 0.1, so True. You say False. Do you add up the "
            "differences? Each has to keep the limit alone, however many there are.",
        )
    if says([1000.0, 0.5], [1000.0, 0.0], 1e-3, 0.0):
        raise Wrong(
            "Each place has its own limit",
            "a = [1000, 0.5], b = [1000, 0], rtol = 0.001 and atol = 0: you say True. At place 1 the limit is "
            "0.001 · 0 = 0, and the difference 0.5. A large number elsewhere must not excuse this one.",
        )
    if not says([1000.5, 0.0], [1000.0, 0.0], 1e-3, 0.0):
        raise Wrong(
            "Each place has its own limit",
            "a = [1000.5, 0], b = [1000, 0], rtol = 0.001 and atol = 0: you say False. At place 0 the limit is "
            "0.001 · 1000 = 1, and the difference 0.5; at place 1 both are 0. The one must not condemn the other.",
        )
    if says([float("nan"), 1.0], [0.0, 1.0], 0.1, 0.1):
        raise Wrong(
            "nan passes",
            "a = [nan, 1], b = [0, 1]: you say True. Every comparison with nan is False. Which question do you ask?",
        )
    try:
        shapes = says(torch.ones(3), torch.ones(3, 1), 0.1, 0.1) or says(torch.ones(2), torch.ones(1), 0.1, 0.1)
        says([1.0, 2.0, 3.0], [1.0, 2.0], 0.1, 0.1)
    except RuntimeError as error:
        raise Wrong(
            "Other shapes stop it", f"For shapes (3,) and (2,) it should say False, and it stops: {error}."
        ) from None
    if shapes:
        raise Wrong("Other shapes pass", "Shapes (3,) and (3, 1), all ones: you say True. Broadcasting did that.")


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can make weights out of any positive numbers.",
    hints=(
        "Two steps: what comes later gets 0, and each row is divided by its sum. In which order?",
        "raw.tril() keeps the diagonal and what is left of it, and it is a new tensor.",
        "The sums of the rows must be a column, (T, 1): sum(dim=1, keepdim=True).",
    ),
    solution="""
        def shares_of_the_past(raw):
            past = raw.tril()
            return past / past.sum(dim=1, keepdim=True)
    """,
    reasons="First away with the future, then divide: so the future has no part in the sum either. The other way "
    "round, what was cut away is missing, and the row sums to less than 1.",
)
def shares_of_the_past(answer):
    import torch

    small = [[2.0, 5.0, 1.0], [1.0, 3.0, 4.0], [4.0, 2.0, 2.0]]
    for raw in (torch.tensor(small), random(1, 5, 5).abs() + 0.1, torch.tensor([[3.0]]), 50 * random(2, 4, 4) ** 2 + 1):
        T = len(raw)
        what = f"shares_of_the_past(raw) for raw {rows(raw)}"
        given = raw.clone()
        got = tensor_of(call(answer, given), (T, T), what).detach()
        if not given.equal(raw):
            raise Wrong("The table that came in is changed", f"It was {rows(raw)} and is {rows(given)} after the call.")
        past = raw.tril()
        right = divided(past)
        if alike(got, right):
            continue
        told = f"{what} is {rows(got)} and should be {rows(right)}."
        if alike(got, divided(raw)):
            raise Wrong("The future is included", f"{told} Row t may only have weight up to place t.")
        if alike(got, divided(raw).tril()):
            raise Wrong("The mask comes too late", f"{told} Your row 0 sums to {got[0].sum():.3g}. What is in the sum?")
        if alike(got, past):
            raise Wrong("The rows do not sum to 1", f"{told} Divide each row by its sum.")
        if alike(got, divided(past, -2)):
            raise Wrong("Columns, not rows", f"{told} Which numbers should sum to 1: those that one position takes?")
        if alike(got, past / past.sum(dim=1)):
            raise Wrong("The sums lie the wrong way", f"{told} Which shape have your sums: a row, or a column?")
        if alike(got, past / past.sum()):
            raise Wrong("One sum for the whole table", f"{told} Each row should get its own.")
        if alike(got, past / torch.arange(1, T + 1)[:, None]):
            raise Wrong("Divided by the count", f"{told} That is right for ones. And for other numbers?")
        if alike(got, divided(torch.ones_like(raw).tril())):
            raise Wrong("The raw numbers are not used", f"{told} That is the plain average, whatever raw says.")
        if alike(got, divided(raw.triu())):
            raise Wrong("The past is cut off", f"{told} Which side of the diagonal is the past?")
        own = divided(raw.tril(-1))[1:]
        if T > 1 and alike(got[1:], own) and (got[0].isnan().all() or not got[0].any()):
            raise Wrong("The own position is left out", f"{told} What is there for row 0 to share among?")
        if not alike(got.sum(dim=1), torch.ones(T)):
            raise Wrong("The rows have other sums", f"{told} Yours sum to {rows(got.sum(dim=1)[None])}.")
        raise Wrong("Other shares", told)


def window(T, first, last):
    """Return the (T, T) table of ones where place i is from t - first to t - last, and of zeros elsewhere."""
    import torch

    back = torch.arange(T)[:, None] - torch.arange(T)  # how far place i lies behind position t
    return ((back <= first) & (back >= last)).double()


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You can write any rule of who listens to whom as a matrix. Models with a window like yours are in use.",
    hints=(
        "Begin with ones where there may be a weight, and zeros elsewhere. The division comes last.",
        "tril(-1) leaves the diagonal out, tril(-2) the one below it as well. What is tril() minus tril(-n)?",
        "At the beginning there are fewer than n tokens. Divide by the sum of the row, and not by n.",
    ),
    solution="""
        def window_weights(T, n):
            near = torch.ones(T, T).tril() - torch.ones(T, T).tril(-n)
            return near / near.sum(dim=1, keepdim=True)
    """,
    reasons="tril() has ones for all of the past, tril(-n) for what lies n or more places back. The difference is the "
    "window. The sum of each row says how many there really are.",
)
def window_weights(answer):
    import torch

    for T, n in ((6, 3), (5, 1), (4, 9), (7, 2), (1, 1)):
        what = f"window_weights({T}, {n})"
        got = tensor_of(call(answer, T, n), (T, T), what).detach()
        near = window(T, n - 1, 0)
        right = divided(near)
        if alike(got, right):
            continue
        t = ((got - right).abs().nan_to_num(nan=1e9) > 1e-5).any(dim=1).nonzero()[0].item()
        told = f"Row {t} of {what} is {row_in_words(got[t])} and should be {row_in_words(right[t])}."
        if alike(got, near):
            raise Wrong("The rows do not sum to 1", f"{told} Divide each row by its sum.")
        if alike(got, near / n):
            raise Wrong("Divided by n", f"{told} Position 0 has one token only. How many has it to share among?")
        if alike(got, near / near.sum(dim=1)):
            raise Wrong("The sums lie the wrong way", f"{told} Which shape have your sums: a row, or a column?")
        if alike(got, divided(near, -2)):
            raise Wrong("Columns, not rows", f"{told} Which numbers should sum to 1: those that one position takes?")
        if alike(got, divided(window(T, T, 0))):
            raise Wrong("No window", f"{told} That takes all of the past.")
        if alike(got, divided(window(T, n, 0))):
            raise Wrong("One too many", f"{told} The last {n}, with the own position among them.")
        if n > 1 and alike(got, divided(window(T, n - 2, 0))):
            raise Wrong("One too few", f"{told} The last {n}, with the own position among them.")
        if alike(got, divided(window(T, 0, 1 - n))):
            raise Wrong("The future in place of the past", f"{told} Which side of the diagonal is the past?")
        if alike(got, divided(window(T, n - 1, 1 - n))):
            raise Wrong("The future is included", f"{told} Your window reaches to both sides.")
        if T > 1 and any(alike(got[1:], divided(window(T, first, 1))[1:]) for first in (n, n - 1)):
            raise Wrong("The own position is left out", f"{told} Row t takes from t as well.")
        if not alike(got.sum(dim=1), torch.ones(T)):
            raise Wrong("The rows have other sums", f"{told} Yours sum to {rows(got.sum(dim=1)[None])}.")
        raise Wrong("Another window", told)


WITHOUT_ARITHMETIC = "gives each token itself", "gives each position the token before it"


def honest_ways():
    """Return functions that never hear the future, with what each of them does."""
    import torch

    from ..averaging import average_with_loop, average_with_matmul

    def one_back(x):
        return torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], dim=1)

    return {
        WITHOUT_ARITHMETIC[0]: lambda x: x * 1.0,
        WITHOUT_ARITHMETIC[1]: one_back,
        "is average_with_loop": average_with_loop,
        "is average_with_matmul": average_with_matmul,
        "averages the examples of the batch": lambda x: x.mean(dim=0, keepdim=True).expand_as(x),
    }


def leaks():
    """Return functions that hear the future, each in its own place: at all examples and channels, and at some."""
    import torch

    def leak(at, source, example=slice(None), channel=slice(None), share=1.0):
        def way(x):
            out, T = x * 1.0, x.shape[1]
            if not (-T <= at < T and -T <= source < T):
                return out  # too short a text for this leak
            out[example, at, channel] = out[example, at, channel] + share * x[example, source, channel]
            return out

        return way

    def opposite(dim):
        """Return a way that adds token 2 to output 1 in one example or channel, and takes it from the next."""

        def way(x):
            out = x * 1.0
            if x.shape[1] > 2:
                parts = out[:, 1].movedim(dim, 0)  # a view: what is written here, is written into out
                parts[0] += x[:, 2].mean()
                parts[1:2] -= x[:, 2].mean()
            return out

        return way

    plain = {
        "everything": lambda x: x.mean(dim=1, keepdim=True).expand_as(x),
        "from token 1 into output 0": leak(0, 1),
        "from token 2 into output 1": leak(1, 2),
        "from token 3 into output 2": leak(2, 3),
        "from the last token into the output before it": leak(-2, -1),
        "from the last token into output 0": leak(0, -1),
    }
    # in the place of a plain one, but smaller
    small = {
        "examples": leak(1, 2, example=-1),
        "channels": leak(1, 2, channel=-1),
        "channels that cancel": opposite(-1),
        "examples that cancel": opposite(0),
        "downward": leak(1, 2, share=-1.0),
        "tolerance": leak(1, 2, share=0.01),
    }

    def everything_in_one_number(x):
        out = x * 1.0
        out[0, :, 0] = x[0, :, 0].mean()
        return out

    # large leaks, to tell apart who asks for too much
    large = {
        "in one channel": everything_in_one_number,
        "at each position": lambda x: torch.cat([x[:, 1:], x[:, -1:]], dim=1),
    }
    return plain, small, large


def probes_with_nan(detector, x):
    """Return whether the detector puts nan or an infinite number into the function that it tests."""
    from ..averaging import average_with_matmul

    strange = []

    def watched(given):
        strange.append(not given.isfinite().all())
        return average_with_matmul(given)

    call(detector, watched, x.clone())
    return any(strange)


@exercise(
    lesson=LESSON,
    minutes=12,
    allows="You have a detector that works for any model, also for one whose code you cannot read.",
    hints=(
        "An experiment: keep a copy of x in which you change only tokens after position t. Which outputs may move?",
        "For each t: other = x.clone(), then other[:, t + 1:] += 1.0. Compare the outputs up to t, before and after.",
        "Every t must be tried: a leak may be at one place only. Look at all examples and all channels.",
    ),
    solution="""
        def hears_the_future(average, x):
            before = average(x)
            for t in range(x.shape[1] - 1):
                other = x.clone()
                other[:, t + 1 :] += 1.0
                after = average(other)
                if not torch.allclose(before[:, : t + 1], after[:, : t + 1], atol=1e-6):
                    return True
            return False
    """,
    reasons="Only what comes after t was changed. If an output up to t moves all the same, it has heard it. Outputs "
    "after t may move, they should even. No look into the code is needed.",
)
def hears_the_future(answer):
    import torch

    x = torch.randn(3, 6, 4, generator=torch.Generator().manual_seed(7))

    def says(way):
        given = x.clone()
        got = call(answer, way, given)
        if not given.equal(x):
            raise Wrong(
                "The x that came in is changed",
                "Who called your function still needs it. Work on a copy: x.clone().",
            )
        if isinstance(got, torch.Tensor) and got.dim() == 0 and got.dtype == torch.bool:
            got = got.item()
        if not isinstance(got, bool):
            raise Wrong("Not True or False", f"hears_the_future should return True or False, and returns {got!r:.60}.")
        return got

    plain, small, large = leaks()
    honest = {name: says(way) for name, way in honest_ways().items()}
    found = {name: says(way) for name, way in plain.items()}
    found_small = {name: says(way) for name, way in small.items()}
    found_large = {name: says(way) for name, way in large.items()}
    # an honest one, too, but its rounding depends on the length of the text
    rounded = says(lambda x: (x + x.shape[1]) - x.shape[1])
    if all(honest.values()) and all(found.values()):
        raise Wrong(
            "The later outputs may move",
            "It says True even of a function that gives each token itself. Which outputs may a change at t + 1 move?",
        )
    if not any(found.values()):
        raise Wrong("It never hears anything", "It says False even of the mean of *all* tokens. What do you change?")
    if not any(honest.values()) and not found["everything"]:
        raise Wrong(
            "A shuffle is no change for an average",
            "It misses the mean of all tokens, but finds other leaks. Do you only exchange tokens, as in lesson 9?",
        )
    accused = [name for name, said in honest.items() if said]
    missed = [name for name, said in found.items() if not said]
    averages = {"is average_with_loop", "is average_with_matmul"}
    if accused and set(accused) == honest.keys() - averages:
        raise Wrong(
            "Not the average is asked for",
            f"It accuses a function that {accused[0]}. That is no average of the past, but it hears nothing that comes "
            "later. Only this is asked: whether the future is heard. Change the future, and look.",
        )
    if accused == ["is average_with_matmul"] and probes_with_nan(answer, x):
        raise Wrong(
            "0 · nan is nan",
            "It accuses average_with_matmul, where the weight of the future is 0. But 0 · nan is nan, and 0 · inf as "
            "well. Change the later tokens by an ordinary number.",
        )
    if accused and missed:
        raise Wrong("Both kinds of error", f"It accuses a function that {accused[0]}, and misses a leak {missed[0]}.")
    if rounded and not any(honest[name] for name in WITHOUT_ARITHMETIC):
        raise Wrong(
            "Round-off is taken for a leak",
            "No leak is missed. But in a text of another length the last digits may come out otherwise, by 1e-7 or so. "
            "Which tolerance is honest?",
        )
    if accused:
        raise Wrong(
            "An innocent is accused",
            f"It says True of a function that {accused[0]}. Compare only outputs before what you changed.",
        )
    only_some = missed or not (found_small["examples"] or found_small["channels"])
    if found["everything"] and not found_large["in one channel"] and only_some:
        raise Wrong(
            "One changed number is enough",
            "A leak in one channel of one example is missed. Do you ask for `all()` where `any()` is meant? One number "
            "that moves proves a leak.",
        )
    at_one_position = [name for name in plain if name not in ("everything", "from the last token into output 0")]
    if found_large["at each position"] and all(name in missed for name in at_one_position):
        raise Wrong(
            "One changed number is enough",
            f"A leak {missed[0]} is missed. Must your experiment succeed at *all* positions? One of them is enough: "
            "`any()`, not `all()`.",
        )
    if missed:
        told = f"A leak {missed[0]} is missed."
        if not found["from token 1 into output 0"] and found["from the last token into the output before it"]:
            raise Wrong("Only the last token is changed", told)
        if missed == ["from the last token into output 0"]:
            raise Wrong("Only the next token is looked at", told)
        if found["from token 1 into output 0"] and found["from the last token into output 0"] and len(missed) == 3:
            raise Wrong("Only the first position is looked at", told)
        raise Wrong("Some positions are not tried", told)
    if not found_small["examples"]:
        raise Wrong("Only some examples are looked at", "A leak in the last example of the batch is missed.")
    if not found_small["channels"]:
        raise Wrong("Only some channels are looked at", "A leak in the last channel is missed.")
    if not (found_small["channels that cancel"] and found_small["examples that cancel"]):
        raise Wrong(
            "Plus and minus cancel",
            "One number before the change goes up, another down by as much: a leak, and you miss it. In a sum or a "
            "mean they cancel. Take abs() first, of each number.",
        )
    if not found_small["downward"]:
        raise Wrong("Only a rise is noticed", "A leak that makes an output *smaller* is missed. Take abs() first.")
    if not found_small["tolerance"]:
        raise Wrong("The tolerance is too wide", "A leak of a hundredth of a token is missed. Round-off is 1e-7.")
    later_are_0 = torch.ones(1, 3, 2)
    later_are_0[:, 1:] = 0.0
    if call(answer, plain["everything"], later_are_0) is False:
        raise Wrong(
            "What is 0 stays 0",
            "Where the later tokens of x are 0 already, the mean of *all* tokens is not caught. To set them to 0 or to "
            "multiply them is no change. Add something.",
        )


def importance_weights(importance):
    """Return (B, T, T): in each row t the importance of each place, and 0 behind t."""
    T = importance.shape[1]
    return importance[:, None, :].expand(-1, T, T).tril()


@exercise(
    lesson=LESSON,
    minutes=15,
    allows="Your weights depend on the text: each example has its own (T, T) matrix. The course is going there.",
    hints=(
        "Each example needs weights of its own: (B, T, T). In every row t stand the importances of that example.",
        "importance[:, None, :] is (B, 1, T). Times torch.ones(T, T).tril() it broadcasts to (B, T, T).",
        "Divide each row by its sum: the last dimension, with keepdim=True. Then (B, T, T) @ (B, T, C).",
    ),
    solution="""
        def by_importance(x, importance):
            T = x.shape[1]
            past = importance[:, None, :] * torch.ones(T, T).tril()  # (B, T, T)
            weights = past / past.sum(dim=-1, keepdim=True)
            return weights @ x
    """,
    reasons="In column i of every row stands how important token i is. The triangle takes the future away before the "
    "rows are divided. @ pairs the matrix of each example with its own tokens, so nothing leaks from one to another. "
    "(Two running sums do it as well: of importance times x, divided by that of the importance.)",
)
def by_importance(answer):
    import torch

    for seed, (B, T, C) in enumerate(((3, 3, 3), (2, 4, 3), (1, 5, 2), (4, 1, 2)), start=1):
        # halves, so that the numbers in a message are short
        x = (random(seed, B, T, C) * 4).round().float() / 2
        importance = (random(seed + 10, B, T).abs() * 4).round().float() / 2 + 0.5
        what = f"by_importance(x, importance) with x of shape {(B, T, C)}"
        given = x.clone(), importance.clone()
        got = tensor_of(call(answer, *given), (B, T, C), what).detach()
        if not (given[0].equal(x) and given[1].equal(importance)):
            raise Wrong("What came in is changed", "x or importance is another one after the call.")
        past = importance_weights(importance)
        right = divided(past) @ x
        if alike(got, right):
            continue
        b, t, c = ((got - right).abs().nan_to_num(nan=1e9) > 1e-5).nonzero()[0].tolist()
        told = (
            f"{what}: in example {b}, position {t}, channel {c} you have {got[b, t, c]:.4g} and should have "
            f"{right[b, t, c]:.4g}. The x of this example and channel are {rows(x[b, :, c][None])}, its importances "
            f"{rows(importance[b][None])}."
        )
        everything = importance[:, None, :].expand(-1, T, T)
        sums = past.sum(dim=-1)
        if alike(got, divided(torch.ones(T, T).tril()) @ x):
            raise Wrong(
                "The importance has no effect",
                f"{told} Whose importance stands in row t, column i? If it is that of the *listener* t, the whole row "
                "has it, and the division takes it away.",
            )
        listener = importance[:, :, None] * torch.ones(T, T).tril()
        if T > 1 and any(alike(got, other) for other in (listener @ x, listener / sums[:, :, None] @ x)):
            raise Wrong(
                "The listener's importance",
                f"{told} In row t, column i should stand the importance of token i, which is listened to. Yours has "
                "that of t, which listens.",
            )
        if alike(got, divided(everything) @ x):
            raise Wrong("The future is included", f"{told} Position {t} has heard a later token.")
        if alike(got, divided(everything).tril() @ x):
            raise Wrong("The mask comes too late", f"{told} The future has gone, but it is still in the sum.")
        if alike(got, past @ x):
            raise Wrong("The weights do not sum to 1", f"{told} Divide each row of weights by its sum.")
        if alike(got, past @ x / torch.arange(1, T + 1)[:, None]):
            raise Wrong("Divided by the count", f"{told} Divide by the sum of the importances, and not by how many.")
        if alike(got, divided(past, -2) @ x):
            raise Wrong("Columns, not rows", f"{told} Which numbers should sum to 1: those that one position takes?")
        if alike(got, divided(past[:1]) @ x):
            raise Wrong("One example's importance for all", f"{told} Each example has importances of its own.")
        if alike(got, divided(importance_weights(importance.mean(dim=0, keepdim=True))) @ x):
            raise Wrong("The examples are mixed", f"{told} The importances of the others should have no part in it.")
        if alike(got, divided(importance_weights(importance / importance.sum(dim=0))) @ x):
            raise Wrong("Divided over the batch", f"{told} Over which dimension do you sum: examples, or positions?")
        if B == T and C == T:
            flat = importance * torch.ones(T, T).tril()  # (B, T) * (T, T)
            for other in (divided(flat), flat, flat / flat.sum(dim=-1)):
                if alike(got, other @ x):
                    raise Wrong(
                        "One table for all examples",
                        f"{told} Which shape has (B, T) * (T, T)? There the examples are taken for rows, and that B "
                        f"and T are both {T} is chance. You need (B, 1, T) * (T, T): importance[:, None, :].",
                    )
            for other in (past / sums @ x, (past @ x) / sums):
                if alike(got, other):
                    raise Wrong(
                        "The sums lie the wrong way",
                        f"{told} Is keepdim missing? Your sums have the shape {(B, T)}, not {(B, T, 1)}, and "
                        f"broadcasting takes them for rows. That it fits is chance: here B, T and C are all {T}.",
                    )
        before = divided(past.tril(-1)) @ x
        if T > 1 and alike(got[:, 1:], before[:, 1:]):
            raise Wrong("The own position is left out", f"{told} Row t takes from t as well.")
        raise Wrong("Other numbers", told)


@exercise(
    lesson=LESSON,
    minutes=15,
    allows="You have written the backward pass of aggregation: what was taken goes back, with the same weight.",
    hints=(
        "For one example, it is lesson 6: out = W @ x, and G has the shape of out. Which product gives the shape of x?",
        "x: what position t took from i with weight w goes back to i with the same weight: the matrix is turned, W.T.",
        "weights: each example says G[b] @ x[b].T. The weights are shared by all examples. What do shares of one do?",
    ),
    solution="""
        def mixing_gradients(weights, x, G):
            for_weights = (G @ x.transpose(1, 2)).sum(dim=0)  # (B, T, C) @ (B, C, T), summed over B
            for_x = weights.T @ G  # (T, T) @ (B, T, C)
            return for_weights, for_x
    """,
    reasons="The gradient of weight (t, i) is the x that it multiplies, times what came in at t: summed over channels "
    "(that is the product) and over examples, because all of them use the same weight, and gradients of uses add up. "
    "The gradient of x is collected from all rows that took from it: the same weights, turned.",
)
def mixing_gradients(answer):
    import torch

    if uses(answer, "backward", "autograd", "grad", "requires_grad", "requires_grad_"):
        raise Wrong("PyTorch does it for you", "You are PyTorch here. Two matrix products are enough.")
    for seed, (B, T, C) in enumerate(((2, 3, 3), (3, 2, 4), (1, 4, 1)), start=1):
        weights, x, G = random(seed, T, T), random(seed + 5, B, T, C), random(seed + 9, B, T, C)
        given = weights.clone(), x.clone(), G.clone()
        what = f"mixing_gradients for shapes {(T, T)}, {(B, T, C)}, {(B, T, C)}"
        made = call(answer, *given)
        if not all(a.equal(b) for a, b in zip(given, (weights, x, G))):
            raise Wrong("What came in is changed", "One of the three is another one after the call.")
        if not isinstance(made, (tuple, list)) or len(made) != 2:
            raise Wrong("Not a pair", f"Two tensors are asked for, and {what} gives {made!r:.60}.")
        each = G @ x.transpose(1, 2)  # (B, T, T)
        for_weights, for_x = each.sum(dim=0), weights.T @ G
        shapes = [tuple(part.shape) if isinstance(part, torch.Tensor) else None for part in made]
        if shapes == [(B, T, C), (T, T)] and alike(made[0], for_x):
            raise Wrong("The two are exchanged", f"{what}: first the gradient for the weights, then the one for x.")
        if shapes[0] == (B, T, T):
            raise Wrong(
                "One gradient for each example",
                f"Yours for the weights has the shape {(B, T, T)}. There is one matrix, and all {B} examples use it.",
            )
        got_weights = tensor_of(made[0], (T, T), "The gradient for the weights").detach()
        got_x = tensor_of(made[1], (B, T, C), "The gradient for x").detach()
        told = f"For {what} the gradient for the weights is {rows(got_weights)} and should be {rows(for_weights)}."
        if not alike(got_weights, for_weights):
            if alike(got_weights, for_weights.T):
                raise Wrong("Turned round", f"{told} Row t of the weights made output t: so G comes from the left.")
            if alike(got_weights, each.mean(dim=0)):
                raise Wrong("The mean, not the sum", f"{told} Gradients of several uses add up.")
            if alike(got_weights, each[0]) or alike(got_weights, each[-1]):
                raise Wrong("Only one example", f"{told} The others use the same weights.")
            if alike(got_weights, for_weights.tril()):
                raise Wrong("Nobody asked for a mask", f"{told} A weight of 0 has a gradient too.")
            raise Wrong("Another gradient for the weights", told)
        if not alike(got_x, for_x):
            told = f"For {what} the gradient for x in example 0 is {rows(got_x[0])} and should be {rows(for_x[0])}."
            if alike(got_x, weights @ G):
                raise Wrong("The weights are not turned", f"{told} What i gets back, comes from those that took of i.")
            raise Wrong("Another gradient for x", told)
