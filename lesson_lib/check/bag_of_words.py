"""Checks of lesson 9: averages of the past in many forms, the bag, whom an output hears, weights that fade.

torch is imported inside the functions, so that the checks of the first lessons do not wait for it.
"""

from collections import Counter

from ._exercise import Wrong, call, close, exercise, number
from ._tensors import alike, divided, rows, tensor_of
from .neural_networks import uses

LESSON = "09_bag_of_words"


def digits(*shape):
    """Return whole numbers from -9 to 9, always the same for a shape, as float32."""
    import torch

    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randint(-9, 10, shape, generator=generator).float()


def inputs():
    """Return what to try an average on: the lesson's three words, then sizes that tell apart, and the smallest."""
    import torch

    d, e, a, r = [4.0, 0.0], [2.0, 6.0], [0.0, 3.0], [6.0, 7.0]
    words = torch.tensor([[d, e, a, r], [d, a, r, e], [r, e, a, d]])
    return words, digits(1, 4, 2), digits(2, 5, 3), digits(3, 3, 3), digits(4, 1, 2), digits(2, 6, 4)


def weighted(weights, x):
    """Return the sums of the positions of x with these weights, (T, T) @ (B, T, C), in float64."""
    return weights.double() @ x.double()


def ones(T):
    """Return ones up to the diagonal, and 0 after it: (T, T)."""
    import torch

    return torch.ones(T, T).double().tril()


def before(T):
    """Return the weights of an average of all positions strictly before each one; row 0 is empty."""
    return ones(T).tril(-1) / ones(T).tril(-1).sum(dim=1, keepdim=True).clamp(min=1)


def first_gap(got, right):
    """Say where two (B, T, C) tensors first differ, and what stands there: the position is the slowest index."""
    apart = ~((got - right).abs() <= 1e-5 * right.abs().clamp(min=1))
    t, b, _ = apart.transpose(0, 1).nonzero()[0].tolist()
    return b, t, f"at example {b}, position {t} it is {rows(got[b, t][None])} and should be {rows(right[b, t][None])}"


def other_examples(x):
    """Return averages of the past into which another example has leaked, each a way to get them wrong."""
    import torch

    B, T, C = x.shape
    x = x.double()
    joined = x.flatten(0, 1).cumsum(0) / torch.arange(1, B * T + 1)[:, None]
    return (
        weighted(divided(ones(T)), x.mean(dim=0, keepdim=True)).expand(B, T, C),
        x.cumsum(0) / torch.arange(1, B + 1)[:, None, None],
        x.cumsum(0) / torch.arange(1, T + 1)[:, None],
        x.mean(dim=0, keepdim=True).expand(B, T, C),
        weighted(divided(ones(T)), x[:1]).expand(B, T, C),
        weighted(divided(ones(T)), x[-1:]).expand(B, T, C),
        joined.view(B, T, C),
    )


def along_channels(x):
    """Return what comes out of an average along the numbers of a vector: their running means, and their mean."""
    import torch

    x = x.double()
    sums, (_, T, C) = x.cumsum(2), x.shape
    by_place, by_position = torch.arange(1, C + 1), torch.arange(1, T + 1)[:, None]
    return sums / by_place, sums / by_position, x.mean(dim=2, keepdim=True).expand_as(x)


def gradient_of(function, x, *args):
    """Return the gradient for x of a sum with uneven weights over function(x); None where none can flow."""
    import torch

    leaf = x.clone().requires_grad_()
    out = call(function, leaf, *args)
    if not isinstance(out, torch.Tensor) or not out.requires_grad:
        return None
    (out * torch.arange(1.0, out.numel() + 1).view(out.shape)).sum().backward()
    return leaf.grad


def is_any(got, others):
    return any(other.shape == got.shape and alike(got, other) for other in others)


@exercise(
    lesson=LESSON,
    minutes=5,
    allows="You know what an average of the past is, number by number.",
    hints=(
        "At place t the past is numbers[: t + 1]. Why + 1?",
        "How many numbers are in numbers[: t + 1]? Divide their sum by that.",
        "A list comprehension over t in range(len(numbers)) gives one average for each place.",
    ),
    solution="""
        def past_averages(numbers):
            return [sum(numbers[: t + 1]) / (t + 1) for t in range(len(numbers))]
    """,
    reasons="A slice ends before its second number, so [: t + 1] holds the places 0 to t, and those are t + 1 "
    "numbers. Each place has a past of another length, and divides by its own.",
)
def past_averages(answer):
    for numbers in ([4, 2, 0, 6], [7.5], [1, 2, 4, 8, 16], [-3, 5, 5.5, 0, 1, 9]):
        given = list(numbers)
        what = f"past_averages({numbers})"
        got = call(answer, given)
        if given != numbers:
            raise Wrong("The list that came in is changed", f"It was {numbers} and is {given!r:.60} after the call.")
        if isinstance(got, (int, float)):
            raise Wrong("One number, not a list", f"{what} should be a list of {len(numbers)} numbers and is {got!r}.")
        if not isinstance(got, (list, tuple)):
            raise Wrong("Not a list", f"{what} should be a list of numbers and is {got!r:.60}.")
        if len(got) != len(numbers):
            raise Wrong("Not one for each place", f"{what} should have {len(numbers)} numbers and has {len(got)}.")
        got = [number(value, f"Each entry of {what}") for value in got]
        n = len(numbers)
        totals = [sum(numbers[: t + 1]) for t in range(n)]
        right = [total / (t + 1) for t, total in enumerate(totals)]

        def like(others, got=got):
            return all(close(a, b) for a, b in zip(got, others))

        if like(right):
            continue
        shown = [float(f"{value:.4g}") for value in got]
        told = f"{what} is {shown} and should be {[float(f'{value:.4g}') for value in right]}."
        if like(totals):
            raise Wrong("Sums, not averages", f"{told} How many numbers are in each sum?")
        if like([totals[-1] / n] * n):
            raise Wrong("The future is included", f"{told} Place 0 knows {numbers[0]} only. And yours?")
        if like([total / n for total in totals]):
            raise Wrong("Divided by the whole length", f"{told} Place 0 has a past of 1 number, and not of {n}.")
        if like([total // (t + 1) for t, total in enumerate(totals)]):
            raise Wrong("Rounded down", f"{told} `//` drops what stands behind the point. Which division keeps it?")
        if like([total / max(t, 1) for t, total in enumerate(totals)]):
            raise Wrong("Divided by one too few", f"{told} At place 1 there are 2 numbers: those at places 0 and 1.")
        if n > 1 and like([got[0], *(totals[t - 1] / t for t in range(1, n))]):
            raise Wrong("The place itself is left out", f"{told} Where does the slice [:t] end?")
        if like([sum(numbers[: t + 2]) / len(numbers[: t + 2]) for t in range(n)]):
            raise Wrong("The future is included", f"{told} Place 0 hears place 1, which comes after it.")
        if like([sum(numbers[t:]) / (n - t) for t in range(n)]):
            raise Wrong("The past is the wrong way round", f"{told} Yours averages what comes *after* each place.")
        halves = [numbers[0]]
        for value in numbers[1:]:
            halves.append((halves[-1] + value) / 2)
        if n > 3 and like([numbers[0], *((a + b) / 2 for a, b in zip(numbers, numbers[1:]))]):
            raise Wrong("Only two places", f"{told} Where is what came before the last two?")
        if like(halves):
            raise Wrong("Each new one counts half", f"{told} The third of three numbers should count a third.")
        if like(numbers):
            raise Wrong("Only the place itself", f"{told} Nothing of the past is in it.")
        raise Wrong("Other numbers", told)


@exercise(
    lesson=LESSON,
    minutes=5,
    allows="You can take the past out of a whole batch at once, and average along the right dimension.",
    hints=(
        "x[:, : t + 1] is the past of position t in every example. Which shape has it?",
        "B, t + 1 and C: which of the three shall be gone?",
        "mean(dim=1) averages along dimension 1 and leaves (B, C).",
    ),
    solution="""
        def average_at(x, t):
            return x[:, : t + 1].mean(dim=1)
    """,
    reasons="The slice takes positions 0 to t of every example, (B, t + 1, C). The mean along dimension 1 runs over "
    "these positions, and each example and each of the C numbers stays by itself.",
)
def average_at(answer):
    import torch

    x = digits(5, 4, 3)  # more examples than the past of position 1 has tokens
    made = call(answer, x.clone(), 1)
    if isinstance(made, torch.Tensor) and made.shape == (2, 3) and alike(made.double(), x[:2].double().mean(dim=1)):
        raise Wrong(
            "You cut the examples, not the positions",
            "For x of shape (5, 4, 3) and t=1 you take examples 0 and 1, and all 4 positions of each. Which dimension "
            "does the first slice in x[...] cut? All 5 examples shall stay.",
        )
    for x, t in ((digits(3, 4, 3), 2), (digits(2, 5, 4), 3), (digits(2, 5, 4), 0), (digits(1, 3, 2), 1)):
        B, T, C = x.shape
        what = f"average_at(x, t={t}) for x of shape {(B, T, C)}"
        given = x.clone()
        made = call(answer, given, t)
        if not given.equal(x):
            raise Wrong("What came in is changed", f"{what}: x is another one after the call.")
        if isinstance(made, torch.Tensor) and made.shape == (C,):
            raise Wrong("One for all examples", f"{what} has the shape {(C,)}. Each of the {B} examples has its own.")
        if isinstance(made, torch.Tensor) and made.shape == (B, T, C):
            raise Wrong("All positions, not one", f"{what} should be the average at position {t} alone, {(B, C)}.")
        if isinstance(made, torch.Tensor) and made.shape in {(B, t + 1), (t + 1, C)} - {(B, C)}:
            raise Wrong(
                "The mean over another dimension",
                f"{what} has the shape {tuple(made.shape)} and should have {(B, C)}. The past is {(B, t + 1, C)}: "
                "which of these three shall be gone?",
            )
        got = tensor_of(made, (B, C), what).double()
        x = x.double()
        past = x[:, : t + 1]
        right = past.mean(dim=1)
        if alike(got, right):
            continue
        told = f"{what}: for example 0 it is {rows(got[:1])} and should be {rows(right[:1])}."
        if t == 0 and got.isnan().any():
            raise Wrong("The mean of nothing", f"{told} The past of position 0 is position 0. What is x[:, :0]?")
        if t > 0 and alike(got, x[:, :t].mean(dim=1)):
            raise Wrong("The position itself is left out", f"{told} Where does the slice [:t] end?")
        if alike(got, x.mean(dim=1)):
            raise Wrong("The future is included", f"{told} Yours averages all {T} positions.")
        if alike(got, x[:, : t + 2].mean(dim=1)):
            raise Wrong("One position too many", f"{told} Yours hears position {t + 1}, which is the future.")
        if alike(got, x[:, t]):
            raise Wrong("Only the position itself", f"{told} Nothing of the past is in it.")
        if alike(got, past.sum(dim=1)):
            raise Wrong("The sum, not the mean", f"{told} Of how many vectors is it the sum?")
        if t > 0 and alike(got, past.sum(dim=1) / t):
            raise Wrong("Divided by one too few", f"{told} The past of position {t} has {t + 1} tokens, not {t}.")
        if alike(got, past.sum(dim=1) / T):
            raise Wrong("Divided by the whole length", f"{told} The past of position {t} has {t + 1} tokens, not {T}.")
        if is_any(got, (past.mean(dim=0), x.mean(dim=0))):
            raise Wrong(
                "One example leaks into another",
                f"{told} The shape is right by chance. Which dimension are the examples, and which the positions?",
            )
        if is_any(got, (past.mean(dim=2), x[:, :, : t + 1].mean(dim=1), x[:, :, : t + 1].mean(dim=2))):
            raise Wrong(
                "The numbers of a vector are mixed",
                f"{told} The last dimension are the C numbers of one vector. Along which one are the positions?",
            )
        if is_any(got, (past.mean(dim=(0, 1)).expand(B, C), right[:1].expand(B, C), right[-1:].expand(B, C))):
            raise Wrong("The same for all examples", f"{told} Your {B} rows are all alike.")
        raise Wrong("Another average", told)


@exercise(
    lesson=LESSON,
    minutes=5,
    allows="You know exactly what an average keeps of a text: the share of each character, and nothing else.",
    hints=(
        "Two anagrams have the same average. And 'ab' and 'abab'? Try it with vectors of your own.",
        "The average is the sum over the characters of their share times their vector. What must be equal, then?",
        "text.count(character) / len(text) is the share of a character. Compare it for all characters of both texts.",
    ),
    solution="""
        def same_average(a, b):
            return all(a.count(c) / len(a) == b.count(c) / len(b) for c in set(a + b))
    """,
    reasons="The average is the share of each character times its vector, added up. Equal shares give equal averages, "
    "in any order and at any length. Where a share differs, there are vectors that show it: 1 for that character "
    "and 0 for all others.",
)
def same_average(answer):
    cases = [
        ("dear", "dear"), ("dear", "read"), ("dear", "dog"), ("dear", "deer"), ("ab", "abab"), ("aab", "ab"),
        ("aab", "abb"), ("ab", "ac"), ("ac", "bb"), ("aabb", "abab"), ("aaabbb", "ba"), ("abc", "cabbac"),
        ("aab", "abc"), ("abc", "ab"), ("a", "aaa"), ("aaab", "aab"), ("xy z", "zy x"), ("abba", "abbb"), ("ab", "abc"),
        ("a b", "ab"), ("Ab", "ab"),
    ]  # fmt: skip
    for a, b in cases:
        right = {c: n / len(a) for c, n in Counter(a).items()} == {c: n / len(b) for c, n in Counter(b).items()}
        what = f"same_average({a!r}, {b!r})"
        got = call(answer, a, b)
        if getattr(got, "dtype", None) is not None and getattr(got, "shape", None) == ():
            got = got.item()
        if not isinstance(got, bool):
            raise Wrong("Not True or False", f"{what} should be {right} and is {got!r:.60}.")
        if got == right:
            continue
        told = f"{what} is {got} and should be {right}."
        if not right and set(a) == set(b):
            raise Wrong("How often is lost", f"{told} The characters are the same, but not how often each one comes.")
        if not right and len(a) == len(b) and sum(map(ord, a)) == sum(map(ord, b)):
            raise Wrong(
                "One choice of vectors",
                f"{told} They may have the same average with the numbers that you gave the characters. With others?",
            )
        if not right and a.replace(" ", "") == b:
            raise Wrong("The space is left out", f"{told} A space is a character too, and has a vector.")
        if not right and a.lower() == b:
            raise Wrong("Capital and small are taken for one", f"{told} They are two characters, with two vectors.")
        if not right:
            raise Wrong("Different bags", f"{told} Which character has another share in the one than in the other?")
        if len(a) == len(b):
            raise Wrong("The order is counted", f"{told} Does a sum change when its terms change places?")
        raise Wrong(
            "The length is counted",
            f"{told} If every character comes twice as often, and you divide by twice as many: what changes?",
        )


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can carry an average along for as long as you like, without keeping a single token.",
    hints=(
        "average * count is the sum of the tokens that you no longer have.",
        "Add the new token to that sum. How many tokens are in it now?",
        "Or: the average moves towards the new token, by 1 / (count + 1) of the way.",
    ),
    solution="""
        def moved_average(average, count, new):
            return average + (new - average) / (count + 1)
    """,
    reasons="The old sum is count * average, and (count * average + new) / (count + 1) is the same as moving by "
    "1 / (count + 1) of the way to the new token. So the longer the past, the less a new token moves it.",
)
def moved_average(answer):
    import torch

    tokens = digits(8, 3)
    for count in (3, 1, 2, 7):
        average, new = tokens[:count].double().mean(dim=0), tokens[count].double()
        old = [average.clone(), new.clone()]
        what = f"moved_average(average, count={count}, new)"
        got = tensor_of(call(answer, average, count, new), (3,), what).double()
        if not (average.equal(old[0]) and new.equal(old[1])):
            raise Wrong(
                "What came in is changed",
                f"{what} changes the tensors that it gets. `+=` works in place. Who else may still need them?",
            )
        right = average + (new - average) / (count + 1)
        if alike(got, right):
            continue
        told = f"For the average {rows(average[None])} of {count} and the new {rows(new[None])} you get "
        told += f"{rows(got[None])}, and it should be {rows(right[None])}."
        if alike(got, (average + new) / 2):
            raise Wrong("Always half of the way", f"{told} The average speaks for {count} tokens, the new one for 1.")
        if alike(got, average * count + new):
            raise Wrong("The sum, not the average", f"{told} How many tokens are in your sum?")
        if alike(got, (average * count + new) / count):
            raise Wrong("Divided by one too few", f"{told} How many tokens are there, with the new one?")
        if alike(got, average + (new - average) / count):
            raise Wrong("The new one is not counted", f"{told} The first of all new tokens would replace the average.")
        if alike(got, (average + new) / (count + 1)):
            raise Wrong("The past counts only once", f"{told} The average stands for {count} tokens. Where are they?")
        if alike(got, average + new / (count + 1)):
            raise Wrong("The old share stays", f"{told} When the new one gets a share, the others must give some.")
        if alike(got, average * count + new / (count + 1)):
            raise Wrong("Only the new one is divided", f"{told} The whole sum is to be divided: set parentheses.")
        if alike(got, average - (new - average) / (count + 1)):
            raise Wrong("Away from the new token", told)
        if alike(got, new + (average - new) / (count + 1)):
            raise Wrong("Old and new exchanged", f"{told} Which of the two should count 1/{count + 1}?")
        if alike(got, average) or alike(got, new):
            raise Wrong("Only one of the two", told)
        raise Wrong("Another average", told)
    average = torch.tensor([3.0, 4.0])
    got = tensor_of(call(answer, average, 4, average.clone()), (2,), "moved_average(average, 4, the same)")
    if not alike(got, average):
        raise Wrong("It moves without a reason", f"From {rows(average[None])} to {rows(got[None])}: nothing new came.")


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You have built the average of the past from memory.",
    hints=(
        "For one t: the past of all examples is x[:, : t + 1], and its mean is over dimension 1.",
        "Collect the T results, each (B, C), in a list. How does torch.stack get the positions into dimension 1?",
        "Or without a loop: x.cumsum(dim=1) are the sums of the past. By which numbers must each position be divided?",
    ),
    solution="""
        def average_batch(x):
            T = x.shape[1]
            sums = x.cumsum(dim=1)  # (B, T, C): the sums of the past
            return sums / torch.arange(1, T + 1).unsqueeze(-1)  # (T, 1): 1, 2, 3, ...
    """,
    reasons="This is the way without a loop: running sums along the positions, each divided by how many it has. (T, 1) "
    "is stretched over the C numbers and over all examples. The way with a loop, as in the lesson, is as good.",
)
def average_batch(answer):
    import torch

    if uses(answer, "average_with_loop", "with_two_loops", "average_with_matmul", "average_with_softmax"):
        raise Wrong("The lesson's function does it", "The exercise asks you to write it without.")
    for x in inputs():
        B, T, C = x.shape
        what = f"average_batch(x) for x of shape {(B, T, C)}"
        given = x.clone()
        made = call(answer, given)
        if not given.equal(x):
            raise Wrong("What came in is changed", f"{what}: x is another one after the call. Make a new tensor.")
        if isinstance(made, torch.Tensor) and made.shape == (T, B, C) and B != T:
            raise Wrong(
                "Positions and examples exchanged",
                f"{what} has the shape {(T, B, C)}. Along which dimension do you stack the positions?",
            )
        got = tensor_of(made, (B, T, C), what).double()
        right = weighted(divided(ones(T)), x)
        if alike(got, right):
            continue
        b, t, where = first_gap(got, right)
        told = f"{what}: {where}."
        sums = x.double().cumsum(1)
        counts = torch.arange(1, T + 1).double()[:, None]
        if alike(got, right.transpose(0, 1).reshape(B, T, C)):
            raise Wrong("Positions and examples exchanged", f"{told} Along which dimension do you stack the positions?")
        if got.isnan().any():
            raise Wrong("The mean of nothing", f"{told} Is there a position whose past is empty with you?")
        if T > 1 and alike(got[:, 1:], weighted(before(T), x)[:, 1:]):
            raise Wrong("The position itself is left out", f"{told} Where does the slice [:t] end?")
        if alike(got, sums):
            raise Wrong("Sums, not averages", f"{told} How many vectors are in each sum?")
        if alike(got, sums / T):
            raise Wrong("Divided by the whole length", f"{told} Position {t} has a past of {t + 1}, and not of {T}.")
        if alike(got, sums / (counts - 1).clamp(min=1)):
            raise Wrong("Divided by one too few", f"{told} At position 1 there are 2 tokens: those at 0 and 1.")
        everything = x.double().mean(dim=1, keepdim=True).expand(B, T, C)
        nexts = torch.stack([x[:, : s + 2].double().mean(dim=1) for s in range(T)], dim=1)
        if is_any(got, (everything, nexts, weighted(divided(ones(T).T), x))):
            raise Wrong("The future is included", f"{told} Which positions may position {t} hear?")
        if alike(got, x.double()):
            raise Wrong("Only the position itself", f"{told} Nothing of the past is in it.")
        if is_any(got, other_examples(x)):
            raise Wrong(
                "One example leaks into another",
                f"{told} Each example has a past of its own. Along which dimension are the examples?",
            )
        if is_any(got, (right.mean(dim=dims, keepdim=True).expand(B, T, C) for dims in (2, (0, 2)))):
            raise Wrong(
                "All numbers are mixed into one",
                f"{told} All {C} numbers are the same with you. Along which dimension does your mean run?",
            )
        if is_any(got, along_channels(x)):
            raise Wrong(
                "The numbers of a vector are mixed",
                f"{told} The last dimension are the C numbers of one vector. Along which one are the positions?",
            )
        pairs = ones(T) - ones(T).tril(-2)
        if alike(got, weighted(divided(pairs), x)):
            raise Wrong("Only two positions", f"{told} Where is what came before the last two?")
        halves = [x[:, 0].double()]
        for s in range(1, T):
            halves.append((halves[-1] + x[:, s].double()) / 2)
        if alike(got, torch.stack(halves, dim=1)):
            raise Wrong("Each new one counts half", f"{told} The third of three tokens should count a third.")
        raise Wrong("Another average", told)
    x = digits(2, 4, 3)
    gradient = gradient_of(answer, x)
    if gradient is None:
        raise Wrong(
            "No gradient can flow",
            "The numbers are right, but they are cut off from x: a model could not learn through it. Do you go "
            "through Python numbers, `tolist()`, `detach()` or `torch.tensor(...)`?",
        )
    if not alike(gradient, gradient_of(lambda x: weighted(divided(ones(4)), x), x), 1e-4):
        raise Wrong("Another gradient", "The averages are right, but not what flows back to x. Is a part detached?")


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You can take the weights out of any such function, without looking into its code.",
    hints=(
        "Each output is a weighted sum of the positions. Which numbers at the positions leave one single weight over?",
        "With a 1 at position i and 0 at all others, the output at t is the weight of i in row t. That is one channel.",
        "Use C = T channels, one for each i: the positions are one-hot, as in lesson 8. torch.eye(T) is such a table.",
    ),
    solution="""
        def loudness(average, T):
            one_hots = torch.eye(T).unsqueeze(0)  # (1, T, T): position i has its 1 in channel i
            return average(one_hots)[0]
    """,
    reasons="torch.eye(T) has ones on the diagonal: each position is one-hot. In channel i only position i is not 0, "
    "so the output of position t in channel i is the weight with which t hears i. All channels are averaged at once.",
)
def loudness(answer):
    import torch

    uneven = torch.tensor([[1.0, 0, 0, 0], [3, 1, 0, 0], [1, 2, 5, 0], [0, 4, 1, 3]])
    tries = [
        ("the average of the past", divided(ones(3))),
        ("the average of the past", divided(ones(5))),
        ("the average of the last two", divided(ones(4) - ones(4).tril(-2))),
        ("uneven weights", divided(uneven)),
        ("an average of everything, with the future", torch.full((3, 3), 1 / 3)),
        ("the token alone", torch.eye(2)),
        ("the sum of the past", ones(3)),
        ("the average of the past", divided(ones(1))),
    ]
    for name, weights in tries:
        T = len(weights)
        calls = []

        def average(x, weights=weights, T=T, calls=calls):
            if not isinstance(x, torch.Tensor) or x.dim() != 3 or x.shape[1] != T:
                shape = tuple(x.shape) if isinstance(x, torch.Tensor) else type(x).__name__
                raise Wrong("Not what an average takes", f"`average` takes (B, T, C) with T = {T}, not {shape}.")
            if x.requires_grad:
                raise Wrong("With a gradient", "That was section 4. Which numbers must go in, if no gradient helps?")
            calls.append(tuple(x.shape))
            return weights.to(x.dtype if x.dtype.is_floating_point else torch.float32) @ x

        what = f"loudness(average, {T}) for {name}"
        made = call(answer, average, T)
        if len(calls) > 1:
            raise Wrong(
                "More than one call",
                f"{what} calls `average` {len(calls)} times. In one call there can be many channels, or many examples.",
            )
        if made is not ... and not calls:
            raise Wrong("The function is not asked", f"{what} never calls `average`. Could you know what it does?")
        if isinstance(made, torch.Tensor) and made.dim() == 3 and 1 in made.shape:
            raise Wrong("One dimension too many", f"{what} has the shape {tuple(made.shape)} and should have {(T, T)}.")
        got = tensor_of(made, (T, T), what).double()
        right = weights.double()
        if alike(got, right, 1e-3):
            continue
        told = f"{what} is {rows(got)} and should be {rows(right)}."
        if alike(got, right.T, 1e-3):
            raise Wrong("Rows and columns exchanged", f"{told} The row is the position that hears.")
        if alike(got, right.sum(dim=1, keepdim=True).expand(T, T), 1e-3):
            raise Wrong("All positions get the same", f"{told} With one vector for all, who can tell them apart?")
        if alike(got, (got != 0).double()):
            raise Wrong("Who, but not how loud", f"{told} How loud is each one heard?")
        if alike(got, divided(right), 1e-3):
            raise Wrong("Made to sum to 1", f"{told} Not all weights sum to 1. Take them as they come.")
        raise Wrong("Other weights", f"{told} Your call had the shape {calls[0]}. What did you feed it?")


@exercise(
    lesson=LESSON,
    minutes=12,
    allows="You can average what came before a token, and leave the token to speak for itself.",
    hints=(
        "The sum of the positions before t is the sum of the past, without x at t.",
        "Position t has t positions before it. For position 0 that is a division by 0: what could you divide by there?",
        "torch.arange(T).clamp(min=1) is 1, 1, 2, 3, ... The sum before position 0 is 0, so 0 / 1 is what you want.",
    ),
    solution="""
        def average_of_earlier(x):
            sums = x.cumsum(dim=1) - x  # (B, T, C): all before, without the position itself
            counts = torch.arange(x.shape[1]).clamp(min=1)  # (T,): 1, 1, 2, 3, ...
            return sums / counts.unsqueeze(-1)
    """,
    reasons="Position t has t tokens before it. At position 0 the sum is 0, and divided by 1 it stays 0. The clamp "
    "comes *before* the division: if 0 / 0 makes a nan and you replace it afterwards, it comes back in the gradient. "
    "(The nan of an empty mean does not come back, once it is replaced: no number of x went into it.)",
)
def average_of_earlier(answer):
    import torch

    for x in inputs():
        B, T, C = x.shape
        what = f"average_of_earlier(x) for x of shape {(B, T, C)}"
        given = x.clone()
        made = call(answer, given)
        if not given.equal(x):
            raise Wrong("What came in is changed", f"{what}: x is another one after the call. Make a new tensor.")
        if isinstance(made, torch.Tensor) and made.shape == (B, T - 1, C):
            raise Wrong("Position 0 is missing", f"{what} has only {T - 1} positions. The first one shall be all 0.")
        if isinstance(made, torch.Tensor) and made.shape == (T, B, C) and B != T:
            raise Wrong("Positions and examples exchanged", f"{what} has the shape {(T, B, C)}: stack along which one?")
        got = tensor_of(made, (B, T, C), what).double()
        right = weighted(before(T), x)
        if alike(got, right):
            continue
        b, t, where = first_gap(got, right)
        told = f"{what}: {where}."
        sums = x.double().cumsum(1)
        if got[:, 0].isnan().any() or got[:, 0].isinf().any():
            raise Wrong("0 divided by 0", f"{told} Before position 0 there is nothing. What do you divide by there?")
        plain = weighted(divided(ones(T)), x)
        zeroed = torch.cat([torch.zeros_like(plain[:, :1]), plain[:, 1:]], dim=1)
        if is_any(got, (plain, zeroed)):
            raise Wrong("The position itself is included", f"{told} The token speaks for itself already.")
        if T > 1 and alike(got[:, 1:], right[:, 1:]):
            raise Wrong("Position 0 is not 0", f"{told} The rest is right. What came before the first token?")
        if is_any(got, (plain - x.double(),)):
            raise Wrong("Taken from the mean", f"{told} In the mean, x counts 1/{t + 1}. In which sum is it whole?")
        if is_any(got, (sums - x.double(),)):
            raise Wrong("Sums, not averages", f"{told} How many vectors are in each sum?")
        if is_any(got, ((sums - x.double()) / torch.arange(1, T + 1)[:, None],)):
            raise Wrong("Divided by one too many", f"{told} Position {t} has {t} before it, and not {t + 1}.")
        if is_any(got, ((sums - x.double()) / T, (sums - x.double()) / max(T - 1, 1))):
            raise Wrong("Divided by the whole length", f"{told} Position {t} has {t} before it.")
        if is_any(got, (torch.cat([0 * x[:, :1], x[:, :-1]], dim=1).double(),)):
            raise Wrong("Only the one before", f"{told} All that came before is asked for.")
        if is_any(got, (weighted(before(T).flip(0, 1), x),)):
            raise Wrong("The future, not the past", f"{told} Yours averages what comes after each position.")
        others = (x.double().sum(dim=1, keepdim=True) - x.double()) / max(T - 1, 1)
        if is_any(got, (others,)):
            raise Wrong("The future is included", f"{told} Yours averages all others, and some of them come later.")
        leaks = (torch.cat([0 * leak[:, :1], leak[:, :-1]], dim=1) for leak in other_examples(x))
        if is_any(got, leaks):
            raise Wrong("One example leaks into another", f"{told} Along which dimension are the examples?")
        raise Wrong("Another average", told)
    x = digits(2, 4, 3)
    gradient = gradient_of(answer, x)
    if gradient is None:
        raise Wrong(
            "No gradient can flow",
            "The numbers are right, but they are cut off from x, and a model could not learn through it.",
        )
    if gradient.isnan().any():
        raise Wrong(
            "nan in the gradient",
            "The result is right, but the gradient of x has nan in it. Do you divide by 0 first, and mend it "
            "afterwards? Going back, the division is met again.",
        )
    if not alike(gradient, gradient_of(lambda x: weighted(before(4), x), x), 1e-4):
        raise Wrong("Another gradient", "The averages are right, but not what flows back to x. Is a part detached?")


def fades(T, fade):
    """Return fade to the power of how far back each position is, and 0 for what comes later: (T, T)."""
    import torch

    back = torch.arange(T)[:, None] - torch.arange(T)
    return ones(T) * float(fade) ** back.clamp(min=0).double()


@exercise(
    lesson=LESSON,
    minutes=12,
    allows="You have chosen weights of your own: the more recent, the more.",
    hints=(
        "With S for the weighted sum at the position before: the new one is S * fade + x[:, t]. Everything fades once "
        "more, and the new token comes with weight 1.",
        "The sum of the weights goes the same way: 1, then fade + 1, then (fade + 1) * fade + 1, and so on.",
        "At each t: new sum of vectors, new sum of weights, and their quotient into a list. In the end torch.stack.",
    ),
    solution="""
        def fading_average(x, fade):
            total, weight, averages = 0.0, 0.0, []
            for t in range(x.shape[1]):
                total = total * fade + x[:, t]  # (B, C)
                weight = weight * fade + 1
                averages.append(total / weight)
            return torch.stack(averages, dim=1)  # (B, T, C)
    """,
    reasons="At each step everything so far fades by one more factor, and the new token comes with weight 1. The sum "
    "of the weights is carried along in the same way. At fade 1 it counts the tokens, at fade 0 it is always 1.",
)
def fading_average(answer):
    import torch

    if uses(answer, "average_with_loop", "with_two_loops", "average_with_matmul", "average_with_softmax"):
        raise Wrong("The lesson's function does it", "The exercise asks you to write it without.")
    for x in inputs():
        for fade in (0.5, 0.25, 1.0, 0.0):
            B, T, C = x.shape
            what = f"fading_average(x, fade={fade}) for x of shape {(B, T, C)}"
            given = x.clone()
            made = call(answer, given, fade)
            if not given.equal(x):
                raise Wrong("What came in is changed", f"{what}: x is another one after the call. Make a new tensor.")
            if isinstance(made, torch.Tensor) and made.shape == (T, B, C) and B != T:
                raise Wrong("Positions and examples exchanged", f"{what} has the shape {(T, B, C)}: stack along which?")
            got = tensor_of(made, (B, T, C), what).double()
            weights = fades(T, fade)
            right = weighted(divided(weights), x)
            if alike(got, right):
                continue
            b, t, where = first_gap(got, right)
            told = f"{what}: {where}."
            raw = weighted(weights, x)
            counts = torch.arange(1, T + 1).double()[:, None]
            if got.isnan().any():
                raise Wrong("Not a number", f"{told} Do you divide by 0, or take 0 to a negative power?")
            if alike(got, raw):
                raise Wrong("Not divided by the weights", f"{told} At position 1 the weights are 1 and {fade}.")
            if is_any(got, (raw / counts, raw / T)):
                raise Wrong("Divided by the number of tokens", f"{told} What do the weights at position 1 sum to?")
            if alike(got, raw / weights[-1].sum()):
                raise Wrong(
                    "Divided by the weights of the whole length",
                    f"{told} The past of position {t} has {t + 1} weights, not {T}. What is *their* sum?",
                )
            plain = weighted(divided(ones(T)), x)
            mixed = [share * plain + (1 - share) * x.double() for share in (fade, 1 - fade)]
            if T > 2 and is_any(got, mixed):
                raise Wrong(
                    "The token mixed with the plain average",
                    f"{told} Within the plain average nothing fades: all that came before are equally loud.",
                )
            if alike(got, plain):
                raise Wrong("It does not fade", f"{told} That is the plain average.")
            back = torch.arange(T)
            oldest = ones(T) * fade ** back.double()
            if is_any(got, (weighted(divided(oldest), x),)):
                raise Wrong("The oldest counts most", f"{told} The token itself should have the weight 1.")
            mirrored = fade ** (back[:, None] - back).abs().double()
            everything = weighted(mirrored / mirrored.sum(dim=1, keepdim=True), x)
            if is_any(got, (everything, weighted(divided(weights).flip(0, 1), x))):
                raise Wrong("The future is included", f"{told} Which positions may position {t} hear?")
            if T > 1 and alike(got, weighted(weights / weights.sum(dim=0, keepdim=True), x)):
                raise Wrong("Divided over the columns", f"{told} The weights of each *row* should sum to 1.")
            if alike(got, x.double()):
                raise Wrong("Only the position itself", f"{told} Nothing of the past is in it.")
            moved, other = [x[:, 0].double()], [x[:, 0].double()]
            for s in range(1, T):
                moved.append(fade * moved[-1] + (1 - fade) * x[:, s].double())
                other.append((1 - fade) * other[-1] + fade * x[:, s].double())
            steps = torch.stack(moved, dim=1), torch.stack(other, dim=1)
            if is_any(got, steps):
                raise Wrong(
                    "The first token never counts less",
                    f"{told} Mixing old and new as {fade} and {1 - fade} gives the first token a larger share than "
                    "its weight. What is the sum of the weights at each position?",
                )
            straight = (1 - (1 - fade) * (back[:, None] - back).double()).clamp(min=0) * ones(T)
            if is_any(got, (weighted(divided(straight), x),)):
                raise Wrong("It fades by steps, not by factors", f"{told} Two places back it is fade · fade.")
            once = ones(T).tril(-1) * fade + torch.eye(T).double()
            if T > 2 and is_any(got, (weighted(divided(once), x),)):
                raise Wrong("It fades only once", f"{told} Two places back it is fade · fade.")
            folded = [weighted(divided(weights), leak) for leak in (x.mean(dim=0, keepdim=True), x[:1], x[-1:])]
            if is_any(got, (fold.expand(B, T, C) for fold in folded)):
                raise Wrong("One example leaks into another", f"{told} Each example has a past of its own.")
            raise Wrong("Another average", told)
    x = digits(2, 4, 3)
    gradient = gradient_of(answer, x, 0.5)
    if gradient is None:
        raise Wrong(
            "No gradient can flow",
            "The numbers are right, but they are cut off from x, and a model could not learn through it.",
        )
    if not alike(gradient, gradient_of(lambda x: weighted(divided(fades(4, 0.5)), x), x), 1e-4):
        raise Wrong("Another gradient", "The averages are right, but not what flows back to x. Is a part detached?")
