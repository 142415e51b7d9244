"""Checks of lesson 8: followers and their probabilities, surprise, cross-entropy, sampling, a learned table, trigrams.

torch is imported inside the functions, so that the checks of the first lessons do not wait for it.
"""

import math
from collections import Counter

from ._exercise import Wrong, call, close, exercise, number
from ._tensors import alike, fitting, plain, rows, tensor_of
from .neural_networks import uses

LESSON = "08_bigram"
DRAWS = 3000


def surprises(chances):
    return [-math.log(p) for p in chances]


def mean(values):
    return sum(values) / len(values)


@exercise(
    lesson=LESSON,
    minutes=5,
    allows="You have read one row of the table, and found its largest entry.",
    hints=(
        "zip(text, text[1:]) gives you all pairs of neighbours. In which of them do you want to look at the second?",
        "Make a dictionary: for each follower, how often it came. Only count where the first is your character.",
        "max(counts, key=counts.get) is the key with the largest count.",
    ),
    solution="""
        def usual_follower(text, character):
            counts = {}
            for first, second in zip(text, text[1:]):
                if first == character:
                    counts[second] = counts.get(second, 0) + 1
            return max(counts, key=counts.get)
    """,
    reasons="The pairs whose first is the character are its row of the table. The largest count of the row is the "
    "usual follower. zip ends with the shorter text, so the last character, which has no follower, makes no trouble.",
)
def usual_follower(answer):
    cases = ("xyxwxyxzxyxz", "x"), ("the other mother went there", "e"), ("aaaaababab", "a"), ("on an onion", "n")
    for text, character in cases:
        followers = [second for first, second in zip(text, text[1:]) if first == character]
        count = Counter(followers)
        right = count.most_common(1)[0][0]
        what = f"usual_follower({text!r}, {character!r})"
        got = call(answer, text, character)
        if isinstance(got, (list, tuple)) and right in got:
            raise Wrong("More than the character", f"{what} should be {right!r} alone, and is {got!r:.60}.")
        if isinstance(got, (int, float)):
            raise Wrong("A number, not the character", f"{what} should be {right!r}, and is {got!r:.60}. Whose is it?")
        if not isinstance(got, str):
            raise Wrong("Not a character", f"{what} should be {right!r}, and is {got!r:.60}.")
        if got == right:
            continue
        told = f"{what} is {got!r} and should be {right!r}: after {character!r} come {', '.join(map(repr, followers))}."
        before = Counter(first for first, second in zip(text, text[1:]) if second == character)
        if len(got) != 1:
            raise Wrong("More than the character", told)
        if text == cases[2][0]:
            raise Wrong(
                "Pairs that overlap are missed", f"{told} In 'aaa' there are two pairs 'aa'. Does your way find both?"
            )
        if got == before.most_common(1)[0][0]:
            raise Wrong("What comes before", f"{told} Yours is what usually comes *before* it.")
        if got == Counter(text).most_common(1)[0][0]:
            raise Wrong("The most frequent of all", f"{told} Have you looked at the character before it at all?")
        if right == " " and got == Counter("".join(followers).replace(" ", "")).most_common(1)[0][0]:
            raise Wrong("The space is left out", f"{told} A space is a character like any other.")
        if got == followers[0]:
            raise Wrong("Only the first follower", f"{told} Yours is the first. Which is the most frequent?")
        if got == followers[-1]:
            raise Wrong("Only the last follower", f"{told} Does each follower overwrite the one before it?")
        if got == min(count, key=count.get):
            raise Wrong("The rarest follower", told)
        raise Wrong("Another character", told)


@exercise(
    lesson=LESSON,
    minutes=5,
    allows="You can measure any model that gives probabilities, with a pencil if need be.",
    hints=(
        "The surprise of one number p is -math.log(p).",
        "Take the logarithm of each number first, then add up. Do not multiply the probabilities: the product gets 0.",
        "The mean is the sum divided by len(chances).",
    ),
    solution="""
        def mean_surprise(chances):
            return sum(-math.log(p) for p in chances) / len(chances)
    """,
    reasons="The logarithm turns the product of the probabilities into a sum, which stays a number of a decent size. "
    "The minus makes it a loss, the mean makes texts of different lengths comparable.",
)
def mean_surprise(answer):
    for chances in ([0.5, 0.25, 1.0, 0.125], [0.9, 0.2, 0.35], [0.5]):
        given = list(chances)
        got = number(call(answer, given), f"mean_surprise({chances})")
        if given != chances:
            raise Wrong("The list that came in is changed", f"It was {chances} and is {given!r:.60} after the call.")
        parts = surprises(chances)
        right = mean(parts)
        if close(got, right):
            continue
        told = f"mean_surprise({chances}) is {got:.4g} and should be {right:.4g}."
        if close(got, -right):
            raise Wrong("The minus is missing", f"{told} A loss should be smaller when the model is better.")
        if close(got, sum(parts)) or close(got, -sum(parts)):
            raise Wrong("The sum, not the mean", f"{told} Could you compare texts of different lengths with yours?")
        if close(abs(got), right / math.log(2)) or close(abs(got), right / math.log(10)):
            raise Wrong("Another logarithm", f"{told} Here ln is asked for, the way back from e^x: math.log.")
        if close(abs(got), -math.log(mean(chances))):
            raise Wrong("The logarithm of the mean", f"{told} First the logarithm of each, then the mean.")
        if close(got, math.prod(chances)):
            raise Wrong("That is the likelihood", f"{told} You have the product. Where are the logarithms?")
        if close(got, math.exp(right)):
            raise Wrong("That is the perplexity", f"{told} Leave the last step out.")
        if close(got, mean(chances)) or close(got, 1 - mean(chances)):
            raise Wrong("The logarithm is missing", f"{told} What does a probability near 0 cost with yours?")
        raise Wrong("Another number", f"{told} For one number, such as 0.5, it is -ln 0.5 = 0.6931.")
    long = [0.01] * 2000
    try:
        got = number(call(answer, list(long)), "mean_surprise([0.01] * 2000)")
    except (ValueError, OverflowError, ZeroDivisionError):
        got = math.inf
    if not close(got, -math.log(0.01), 1e-6):
        raise Wrong(
            "The product becomes 0",
            "For 2000 numbers of 0.01 each, your way breaks down: their product is too small for the computer. "
            "Which comes first, the product or the logarithm?",
        )


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can turn any table of counts into probabilities, and broadcasting does not trick you.",
    hints=(
        "The sums of the rows, with keepdim=True, have the shape (V, 1). Divide by them.",
        "For the empty rows, change the counts before you divide: what if all their counts were 1?",
        "torch.where(condition, a, b) takes a where the condition is True, and b elsewhere. Which rows need another b?",
    ),
    solution="""
        def next_probabilities(counts):
            empty = counts.sum(dim=1, keepdim=True) == 0
            counts = torch.where(empty, 1, counts)
            return counts / counts.sum(dim=1, keepdim=True)
    """,
    reasons="(V, 1) is stretched to the right, so each row gets its own sum. Where the row is empty, V ones make V "
    "equal probabilities. torch.where makes a new tensor, and the counts that came in stay as they are.",
)
def next_probabilities(answer):
    import torch

    full = torch.tensor([[3, 1, 0], [2, 2, 4], [0, 1, 4]])
    one_empty = torch.tensor([[1, 3, 0, 0], [0, 0, 0, 0], [2, 0, 1, 1], [0, 5, 0, 0]])
    for counts in (full, one_empty):
        given = counts.clone()
        made = call(answer, given)
        got = tensor_of(made, tuple(counts.shape), f"next_probabilities of a {tuple(counts.shape)} table").double()
        if not given.equal(counts):
            raise Wrong("The counts that came in are changed", f"They were {rows(counts)} and are {rows(given)} now.")
        totals = counts.sum(dim=1, keepdim=True)
        right = torch.where(totals > 0, counts.double() / totals, 1 / len(counts))
        never = (counts == 0) & (totals > 0)
        if alike(got, right) and not got[never].any():
            continue
        told = f"For the counts {rows(counts)} you get {rows(got)}."
        empty = totals[:, 0] == 0
        in_rows = counts.double() / totals
        if alike(got, counts.double() / counts.sum(dim=0, keepdim=True)):
            raise Wrong("Columns, not rows", f"{told} Your columns sum to 1. What stands in a row of the table?")
        if alike(got, counts.double() / counts.sum(dim=1)):
            raise Wrong("The sums lie the wrong way", f"{told} Which shape have your sums, (3,) or (3, 1)?")
        if alike(got, counts.double() / counts.sum()):
            raise Wrong("One sum for the whole table", f"{told} All entries together sum to 1. And each row?")
        if alike(got, in_rows.T):
            raise Wrong("Rows and columns exchanged", f"{told} Row 0 should say what comes after token 0.")
        if alike(got, counts.double().softmax(dim=1)):
            raise Wrong("A softmax of counts", f"{told} Softmax is for logits. How do counts become shares?")
        if not made.dtype.is_floating_point:
            raise Wrong("Whole numbers", f"{told} Probabilities have a part after the point.")
        if (got[never] > 0).any():
            raise Wrong(
                "Smoothing everywhere",
                f"{told} A pair that was never counted has the probability {got[never].max():.3g}, and should have 0.",
            )
        if empty.any() and alike(got[~empty], right[~empty]):
            at = got[empty]
            if at.isnan().any():
                raise Wrong("0 divided by 0", f"{told} The row without counts is nan. What do you divide by there?")
            if (at == 0).all():
                raise Wrong("The empty row stays empty", f"{told} It should say 1/V for each of the {len(counts)}.")
            raise Wrong("The empty row is not 1/V", f"{told} Which {len(counts)} equal numbers sum to 1?")
        raise Wrong("Other probabilities", f"{told} It should be {rows(right)}.")


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can say how many characters a model hesitates between.",
    hints=(
        "The perplexity is e to the power of the mean negative log-likelihood.",
        "Each token is a row, and the token after it the column: ids[:-1] and ids[1:].",
        "table[rows, columns] takes one entry for each pair. For a long text, take logarithms before anything else.",
    ),
    solution="""
        def perplexity(table, ids):
            given = table[ids[:-1], ids[1:]]
            return (-given.log().mean()).exp()
    """,
    reasons="For a table with 1/V everywhere each surprise is ln V, and e^(ln V) is V: it hesitates between all of "
    "them. The mean is over the surprises; a mean of the 1/p would be ruled by a few unlikely characters.",
)
def perplexity(answer):
    import torch
    import torch.nn.functional as F

    if uses(answer, "negative_log_likelihood"):
        raise Wrong("The lesson's function does it", "The exercise asks you to write it without.")
    uniform = torch.full((4, 4), 0.25)
    uneven = torch.tensor([[0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.7, 0.1, 0.2]])
    for table, ids in (
        (uniform, torch.tensor([0, 3, 1, 1, 2])),
        (uneven, torch.tensor([0, 2, 1, 1, 0])),
        (uneven, torch.tensor([2, 1, 0, 1, 2, 2, 0])),
    ):
        shown = "a table of 1/4 everywhere" if table is uniform else f"the table {rows(table)}"
        what = f"perplexity(table, ids) for ids {ids.tolist()} and {shown}"
        got = plain(call(answer, table.clone(), ids.clone()), "perplexity(table, ids)")
        given = table[ids[:-1], ids[1:]].double()
        loss = -given.log().mean().item()
        if close(got, math.exp(loss), 1e-4):
            continue
        told = f"{what} is {got:.4g} and should be {math.exp(loss):.4g}."
        n = len(given)
        if close(got, loss, 1e-4):
            raise Wrong("The loss, not the perplexity", f"{told} That is the mean surprise. What makes V of ln V?")
        if close(got, math.exp(-loss), 1e-4):
            raise Wrong("The minus is missing", f"{told} A model cannot hesitate between fewer than 1.")
        if close(got, math.exp(loss * n), 1e-4):
            raise Wrong("The sum, not the mean", f"{told} A longer text should not make the same model worse.")
        others = [2**loss, 10**loss, *(math.exp(loss / math.log(base)) for base in (2, 10))]
        if any(close(got, other, 1e-4) for other in others):
            raise Wrong("Two bases mixed", f"{told} The way back from a logarithm has the same base: e for ln.")
        if close(got, math.exp(loss * n / (n + 1)), 1e-4):
            raise Wrong("Divided by one too many", f"{told} How many pairs have {n + 1} tokens?")
        selves = (table[i, i].double() for i in (ids, ids[:-1], ids[1:]))
        if any(close(got, math.exp(-own.log().mean().item()), 1e-4) for own in selves):
            raise Wrong("The targets are not shifted", f"{told} You ask how well each token predicts itself.")
        if close(got, math.exp(-table[ids[1:], ids[:-1]].double().log().mean().item()), 1e-4):
            raise Wrong("Row and column exchanged", f"{told} The row is the token that came first.")
        if close(got, (1 / given).mean().item(), 1e-4) or close(got, 1 / given.mean().item(), 1e-4):
            raise Wrong("A mean without logarithms", f"{told} The mean is over the surprises.")
        if close(got, given.prod().item(), 1e-4):
            raise Wrong("That is the likelihood", f"{told} From there: the logarithm, the mean, the minus, and exp.")
        if close(got, math.exp(-given.mean().item()), 1e-4):
            raise Wrong("The logarithm is missing", f"{told} The surprise is -ln p, not -p.")
        if close(got, F.cross_entropy(table[ids[:-1]], ids[1:]).exp().item(), 1e-4):
            raise Wrong("A softmax of probabilities", f"{told} cross_entropy takes logits, not probabilities.")
        if close(got, math.exp(-table[ids].double().log().mean().item()), 1e-4):
            raise Wrong("The column is not chosen", f"{told} You took whole rows. Which entry of a row is what came?")
        grid = table[ids[:-1]][:, ids[1:]].double()
        if close(got, math.exp(-grid.log().mean().item()), 1e-4):
            raise Wrong(
                "Every row with every column", f"{told} You took {n} · {n} entries. table[rows, columns] takes {n}."
            )
        raise Wrong("Another number", told)
    long = torch.arange(3000) % 3
    right = math.exp(-uneven[long[:-1], long[1:]].double().log().mean().item())
    try:
        got = plain(call(answer, uneven.clone(), long), "perplexity(table, ids)")
    except (OverflowError, ZeroDivisionError):
        got = math.inf
    if not close(got, right, 1e-3):
        raise Wrong(
            "The product becomes 0",
            f"For a text of {len(long)} tokens, perplexity(table, ids) is {got:.4g} and should be {right:.4g}. "
            "What is the product of so many probabilities, for the computer?",
        )


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="The loss of every model in the rest of the course holds no secret for you.",
    hints=(
        "First the softmax, for each row: exp of all, divided by the sum along the last dimension, with keepdim=True.",
        "Then one entry for each row, probs[rows, columns]. The rows are torch.arange(len(targets)). And the columns?",
        "Then the logarithm, the mean, and the minus.",
    ),
    solution="""
        def cross_entropy_by_hand(logits, targets):
            exps = logits.exp()  # (N, V)
            probs = exps / exps.sum(dim=1, keepdim=True)  # (N, V)
            given = probs[torch.arange(len(targets)), targets]  # (N,)
            return -given.log().mean()
    """,
    reasons="Each row is one prediction, so the softmax sums along the row. torch.arange picks the rows in their "
    "order, one target for each; with `:` in its place you would get every target for every row.",
)
def cross_entropy_by_hand(answer):
    import torch
    import torch.nn.functional as F

    ready_made = "cross_entropy", "nll_loss", "log_softmax", "softmax", "CrossEntropyLoss", "logsumexp"
    if uses(answer, *ready_made):
        raise Wrong("PyTorch does it for you", "The exercise asks for exp, sum, log, indexing and mean.")
    cases = (
        (torch.tensor([[2.0, 1.0, 0.5], [0.4, 1.5, 3.0]]), torch.tensor([1, 0])),
        (torch.tensor([[0.5, -1.0, 2.0, 0.0], [1.0, 0.3, -0.7, 0.2], [-2.0, 0.1, 0.4, 1.0]]), torch.tensor([2, 1, 1])),
    )
    for logits, targets in cases:
        n, v = logits.shape
        leaf = logits.clone().requires_grad_()
        what = f"cross_entropy_by_hand({rows(logits)}; targets {targets.tolist()})"
        question = f"Which shape have your sums, ({n},) or ({n}, 1)?"
        made = fitting(answer, leaf, targets.clone(), what=what, question=question)
        right = F.cross_entropy(logits, targets).item()
        if isinstance(made, torch.Tensor) and made.shape == (n,):
            raise Wrong("The mean is missing", f"{what} gives {n} numbers, one for each row. One is asked for.")
        got = plain(made, what)
        if close(got, right, 1e-5):
            if not isinstance(made, torch.Tensor) or not made.requires_grad:
                cut = "cut off from the logits" if isinstance(made, torch.Tensor) else "a plain number"
                raise Wrong("No gradient can flow", f"{what} is right, {right:.4f}, but {cut}. What cut the graph?")
            (gradient,) = torch.autograd.grad(made, leaf, allow_unused=True)
            expected = (logits.softmax(dim=1) - F.one_hot(targets, v)) / n
            if gradient is None or not alike(gradient, expected):
                raise Wrong("No gradient can flow", f"{what} is right, {right:.4f}, but its gradient is not.")
            continue
        told = f"{what} is {got:.4f} and should be {right:.4f}."
        at = torch.arange(n), targets
        probs = logits.softmax(dim=1)
        across = logits.exp() / logits.exp().sum(dim=0)
        broadcast = logits.exp() / logits.exp().sum()
        if close(got, -right, 1e-5):
            raise Wrong("The minus is missing", f"{told} The logarithm of a probability is never above 0.")
        if close(got, right * n, 1e-5) or close(got, -right * n, 1e-5):
            raise Wrong("The sum, not the mean", f"{told} Yours grows with the number of rows.")
        if close(got, right / v, 1e-5):
            raise Wrong("The mean over too many", f"{told} You have {n} predictions and {n * v} numbers.")
        if close(got, -across[at].log().mean().item(), 1e-5):
            raise Wrong("The softmax over the wrong axis", f"{told} Do your rows sum to 1, or your columns?")
        if close(got, -broadcast[at].log().mean().item(), 1e-5):
            raise Wrong("One softmax for all rows", f"{told} Each row is a prediction of its own.")
        if close(got, -logits[at].log().mean().item(), 1e-5) or close(got, -logits[at].mean().item(), 1e-5):
            raise Wrong("Logits used as probabilities", f"{told} Logits can be negative. What makes shares of them?")
        if close(got, -(logits / logits.sum(dim=1, keepdim=True))[at].log().mean().item(), 1e-5):
            raise Wrong("Logits used as probabilities", f"{told} They sum to 1 now, but what of a negative one?")
        if close(got, -logits.exp()[at].log().mean().item(), 1e-5):
            raise Wrong("Logits used as probabilities", f"{told} After exp they are above 0. Do they sum to 1?")
        if close(got, -probs[:, targets].log().mean().item(), 1e-5):
            raise Wrong("Every target for every row", f"{told} Row 0 belongs to targets[0] alone. Which index is `:`?")
        if close(got, -probs.log().mean().item(), 1e-5):
            raise Wrong("The targets are not used", f"{told} Only the probability of what really came counts.")
        if close(got, -probs.max(dim=1).values.log().mean().item(), 1e-5):
            raise Wrong("The largest in place of the true one", f"{told} What came may be something else.")
        if close(got, F.cross_entropy(probs, targets).item(), 1e-5):
            raise Wrong("Softmax twice", told)
        if close(got, right / math.log(2), 1e-5) or close(got, right / math.log(10), 1e-5):
            raise Wrong("Another logarithm", f"{told} It is ln: in PyTorch `log`.")
        if close(abs(got), probs[at].mean().item(), 1e-5) or close(got, 1 - probs[at].mean().item(), 1e-5):
            raise Wrong("The logarithm is missing", told)
        if close(got, -probs[at].mean().log().item(), 1e-5):
            raise Wrong("The logarithm of the mean", f"{told} First the logarithm of each, then the mean.")
        raise Wrong("Another number", told)


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can let any model write, as boldly as you like.",
    hints=(
        "Three steps: the temperature, the softmax, the draw. In this order.",
        "The temperature divides the logits, not the probabilities. F.softmax with dim=0 is for a single row.",
        "torch.multinomial draws, and takes the generator by its name. It gives a tensor of one number: .item()?",
    ),
    solution="""
        def draw_next(logits, temperature, generator):
            probs = F.softmax(logits / temperature, dim=0)
            return torch.multinomial(probs, 1, generator=generator).item()
    """,
    reasons="The temperature belongs to the logits. After the softmax it would come too late: multinomial makes its "
    "weights sum to 1 anyway, so a common factor changes nothing.",
)
def draw_next(answer):
    import torch

    def seeded(seed):
        return torch.Generator().manual_seed(seed)

    logits = torch.tensor([0.5, 3.0, 2.0, 1.0])
    given = logits.clone()
    first = call(answer, given, 0.5, seeded(1))
    if isinstance(first, torch.Tensor):
        raise Wrong("A tensor, not an int", f"draw_next gives {first!r:.60}. `.item()` makes a plain number of it.")
    if isinstance(first, bool) or not isinstance(first, int) or not 0 <= first < 4:
        raise Wrong("Not a token number", f"draw_next of 4 logits gives {first!r:.60}, and should give 0, 1, 2 or 3.")
    if not given.equal(logits):
        raise Wrong("The logits that came in are changed", f"They were {logits.tolist()}, now {given.tolist()}.")
    repeated = [[answer(logits.clone(), 2.0, generator) for _ in range(40)] for generator in (seeded(1), seeded(1))]
    if repeated[0] != repeated[1]:
        raise Wrong("The generator is not used", "Two generators of the same seed should give the same 40 draws.")
    for temperature in (0.5, 2.0):
        generator = seeded(3)
        count = Counter(answer(logits.clone(), temperature, generator) for _ in range(DRAWS))
        shares = torch.tensor([count[i] / DRAWS for i in range(4)])
        right = (logits / temperature).softmax(dim=0)

        def near(weights, shares=shares):
            return bool((shares - weights / weights.sum()).abs().max() < 0.03)

        if near(right):
            continue
        told = (
            f"{DRAWS} draws from the logits {logits.tolist()} at temperature {temperature}: the shares are "
            f"{rows(shares[None])} and should be near {rows(right[None])}."
        )
        plain_probs = logits.softmax(dim=0)
        if count[1] == DRAWS:
            raise Wrong("Always the most probable", f"{told} That is no draw. What does argmax do to a text?")
        if len(count) == 1:
            raise Wrong("Always the same", f"{told} Is something set back at each call?")
        if near(plain_probs):
            raise Wrong("The temperature has no effect", f"{told} multinomial makes its weights sum to 1 in any case.")
        if near((logits * temperature).softmax(dim=0)):
            raise Wrong("Multiplied in place of divided", f"{told} A low temperature should make the sure surer.")
        if near(torch.ones(4)):
            raise Wrong("All equally probable", f"{told} Do the logits count at all?")
        if near(logits):
            raise Wrong("Logits used as probabilities", f"{told} Where is the softmax?")
        if near((plain_probs / temperature).softmax(dim=0)) or near(right.softmax(dim=0)):
            raise Wrong("A softmax of probabilities", f"{told} Does a softmax come twice?")
        if near((-logits / temperature).softmax(dim=0)):
            raise Wrong("The wrong way round", f"{told} The largest logit should be drawn most often.")
        raise Wrong("Other shares", told)


def learned(ids, vocab_size, steps, rate, *, loss=None, sign=-1, zero=True, optimizer=None):
    """Return the table of logits after plain gradient descent from zeros, or after a slip in it."""
    import torch
    import torch.nn.functional as F

    table = torch.zeros(vocab_size, vocab_size, requires_grad=True)
    loss = loss or (lambda table: F.cross_entropy(table[ids[:-1]], ids[1:]))
    chosen = optimizer and optimizer([table], lr=rate)
    for _ in range(steps):
        if zero:
            table.grad = None
        loss(table).backward()
        if chosen:
            chosen.step()
            continue
        with torch.no_grad():
            table += sign * rate * table.grad
    return table.detach()


@exercise(
    lesson=LESSON,
    minutes=15,
    allows="You trained a language model from an empty cell.",
    hints=(
        "torch.zeros(vocab_size, vocab_size, requires_grad=True) is the table. ids[:-1] are the inputs, ids[1:] the "
        "targets.",
        "table[ids[:-1]] are the logits, (N, V). F.cross_entropy of them and the targets is the mean loss.",
        "At each step: loss, gradient set back, backward, update. Which of the four does not belong into the graph?",
    ),
    solution="""
        def learn_table(ids, vocab_size, steps, rate):
            table = torch.zeros(vocab_size, vocab_size, requires_grad=True)
            for _ in range(steps):
                loss = F.cross_entropy(table[ids[:-1]], ids[1:])
                table.grad = None
                loss.backward()
                with torch.no_grad():
                    table -= rate * table.grad
            return table
    """,
    reasons="The table is the model, its logits are the parameters. Everything else is the loop that you know. With "
    "the whole text as one batch, every run gives the same numbers.",
)
def learn_table(answer):
    import torch
    import torch.nn.functional as F

    ids = torch.tensor([0, 1, 2, 0, 1, 1, 2, 2, 0, 1, 0, 2])
    for steps, rate in ((0, 1.0), (1, 1.0), (7, 2.0)):
        what = f"learn_table(ids, 3, steps={steps}, rate={rate})"
        try:
            made = call(answer, ids.clone(), 3, steps, rate)
        except (RuntimeError, TypeError, AttributeError) as error:
            stopped = f"{what} stops: {str(error).split('.')[0]}."
            if "a leaf Variable that requires grad" in stopped:
                raise Wrong(
                    "The update is in the graph",
                    f"{stopped} In lesson 6 the update stood inside `with torch.no_grad():`. What is it there for?",
                ) from None
            lost = "does not require grad" in stopped or "NoneType" in stopped
            if lost and steps == 1 and "does not require grad" in stopped:
                raise Wrong(
                    "The table has no gradient",
                    f"{stopped} In lesson 6 a parameter was made with `requires_grad=True`. What is it without that?",
                ) from None
            if lost and steps == 1:
                raise Wrong(
                    "No gradient yet", f"{stopped} The gradient is None until `backward()` has run, as in lesson 6."
                ) from None
            if lost:
                raise Wrong(
                    "The table is replaced",
                    f"{stopped} One step works, the second does not: `W = W - ...` makes a new tensor, which is no "
                    "parameter. Lesson 6 changed the old one in place. How?",
                ) from None
            raise
        if isinstance(made, (list, float)) or isinstance(made, torch.Tensor) and made.dim() == 0:
            raise Wrong("The loss comes back", f"{what} gives {made!r:.60}. The table is asked for.")
        got = tensor_of(made, (3, 3), what).detach()
        right = learned(ids, 3, steps, rate)
        if alike(got, right, 1e-4):
            continue
        if steps == 0 and alike(got, torch.full((3, 3), 1 / 3)):
            raise Wrong("Probabilities, not logits", f"{what} should be the logits, and before any step they are 0.")
        if steps == 0 and alike(got, learned(ids, 3, 1, rate), 1e-4):
            raise Wrong("Another number of steps", f"{what} has made a step. How often does your loop run?")
        if steps == 0:
            raise Wrong("It does not begin with zeros", f"{what} is {rows(got)}: without a step it should be zeros.")
        told = f"{what} for ids {ids.tolist()} is {rows(got)} and should be {rows(right)}."
        slips = {
            name: learned(ids, 3, steps, rate, **slip)
            for name, slip in {
                "uphill": {"sign": 1},
                "added": {"zero": False},
                "sum": {"loss": lambda w: F.cross_entropy(w[ids[:-1]], ids[1:], reduction="sum")},
                "itself": {"loss": lambda w: F.cross_entropy(w[ids], ids)},
                "itself, one less": {"loss": lambda w: F.cross_entropy(w[ids[:-1]], ids[:-1])},
                "back": {"loss": lambda w: F.cross_entropy(w[ids[1:]], ids[:-1])},
                "twice": {"loss": lambda w: F.cross_entropy(w[ids[:-1]].softmax(dim=1), ids[1:])},
                "AdamW": {"optimizer": torch.optim.AdamW},
                "Adam": {"optimizer": torch.optim.Adam},
            }.items()
        }

        def is_like(*names, got=got, slips=slips):
            return any(alike(got, slips[name], 1e-4) for name in names)

        if alike(got, torch.zeros(3, 3)):
            raise Wrong("Nothing has moved", f"{told} Is the gradient there when the update needs it?")
        if is_like("uphill"):
            raise Wrong("Uphill", f"{told} Against the gradient, the loss falls.")
        if is_like("sum"):
            raise Wrong("The sum, not the mean", f"{told} Each step is {len(ids) - 1} times as long as it should be.")
        if is_like("itself", "itself, one less"):
            raise Wrong("The targets are not shifted", f"{told} Each token learned to predict itself.")
        if is_like("back"):
            raise Wrong("It predicts backwards", f"{told} The row is the token, the target the one *after* it.")
        if is_like("twice"):
            raise Wrong("Softmax twice", f"{told} cross_entropy takes logits, and makes the softmax itself.")
        if is_like("AdamW", "Adam"):
            raise Wrong("Another optimizer", f"{told} Plain gradient descent is asked for.")
        if steps > 1 and is_like("added"):
            raise Wrong("The gradients add up", f"{told} The first step is right. What must happen before the second?")
        if rate != 1 and alike(got, learned(ids, 3, steps, 1.0), 1e-4):
            raise Wrong("The rate is left out", f"{told} It is right for the rate 1. And for another?")
        if steps > 1 and any(alike(got, learned(ids, 3, n, rate), 1e-4) for n in (1, steps - 1, steps + 1)):
            raise Wrong("Another number of steps", f"{told} How often does your loop run?")
        if alike(got, right.softmax(dim=1), 1e-4):
            raise Wrong("Probabilities, not logits", told)
        if alike(got, right.T, 1e-4):
            raise Wrong("Rows and columns exchanged", told)
        raise Wrong("Another table", told)


def trigrams(first, second, third, vocab_size):
    """Return the counts of these triples: a (V, V, V) tensor."""
    import torch

    triples = (first * vocab_size + second) * vocab_size + third
    return torch.bincount(triples, minlength=vocab_size**3).view(vocab_size, vocab_size, vocab_size)


def calls_of_torch(answer, *args):
    """Return how many of PyTorch's functions run in answer(*args), each index and each sum one of them."""
    from torch.overrides import TorchFunctionMode

    class Count(TorchFunctionMode):
        calls = 0

        def __torch_function__(self, function, types, args=(), kwargs=None):
            self.calls += 1
            return function(*args, **(kwargs or {}))

    with Count() as count:
        call(answer, *args)
    return count.calls


@exercise(
    lesson=LESSON,
    minutes=12,
    allows="You have built a model with two characters of context.",
    hints=(
        "The three columns of triples are ids[:-2], ids[1:-1] and ids[2:].",
        "Give each triple one number, as each pair had one: (first * V + second) * V + third.",
        "torch.bincount counts them all at once. How long must its result be, so that .view makes a (V, V, V) of it?",
    ),
    solution="""
        def count_trigrams(ids, vocab_size):
            pairs = ids[:-2] * vocab_size + ids[1:-1]
            triples = pairs * vocab_size + ids[2:]
            return torch.bincount(triples, minlength=vocab_size**3).view(vocab_size, vocab_size, vocab_size)
    """,
    reasons="first · V² + second · V + third is a number with three digits in base V, so every triple has its own. "
    "bincount counts all of them at once.",
)
def count_trigrams(answer):
    import torch

    for tokens, v in (([0, 1, 2, 0, 1, 1, 2], 3), ([0, 1, 1, 0, 1], 4), ([2, 2, 2, 2, 0, 1, 2, 2], 3)):
        ids = torch.tensor(tokens)
        what = f"count_trigrams({tokens}, {v})"
        try:
            made = call(answer, ids.clone(), v)
        except RuntimeError as error:
            if "is invalid for input of size" not in str(error):
                raise
            if int(str(error).split()[-1]) > v**3:
                raise Wrong(
                    "In the wrong places",
                    f"{what} stops: {error}. No triple should have a number above {v**3 - 1}. By what do you multiply?",
                ) from None
            raise Wrong(
                "The last triples are missing",
                f"{what} stops: {error}. What if the last triples never occur? How long is what bincount returns then?",
            ) from None
        if isinstance(made, torch.Tensor) and made.shape == (v, v):
            raise Wrong("Pairs, not triples", f"{what} has the shape {(v, v)}. Where is the third token?")
        if isinstance(made, torch.Tensor) and made.dim() == 1:
            raise Wrong("One long row", f"{what} has the shape {tuple(made.shape)}. `view` cuts it up.")
        got = tensor_of(made, (v, v, v), what)
        first, second, third = ids[:-2], ids[1:-1], ids[2:]
        right = trigrams(first, second, third, v)
        if got.equal(right.to(got.dtype)):
            continue
        got = got.long()
        i, j, k = (got != right).nonzero()[0].tolist()
        told = f"For ids {tokens}, counts[{i}, {j}, {k}] is {got[i, j, k]} and should be {right[i, j, k]}."
        if got.equal(right.permute(2, 1, 0)):
            raise Wrong("The order is turned round", f"{told} The first index is the first token.")
        if any(got.equal(right.permute(order)) for order in ((1, 0, 2), (0, 2, 1), (1, 2, 0), (2, 0, 1))):
            raise Wrong("The tokens in another order", f"{told} i, j, k are the tokens as they come in the text.")
        first, second, third = (ids[place : len(ids) // 3 * 3 : 3] for place in range(3))
        apart = trigrams(first, second, third, v)
        if got.equal(apart):
            raise Wrong("Each token in one triple only", f"{told} A triple begins at every place, and they overlap.")
        if got.sum() < right.sum() and (got <= right).all():
            raise Wrong("Triples are missing", f"{told} {len(tokens)} tokens have {len(tokens) - 2} triples.")
        if got.sum() == right.sum():
            raise Wrong("In the wrong places", f"{told} Does each triple have a number of its own?")
        raise Wrong("Other counts", told)
    many = torch.randint(5, (5000,), generator=torch.Generator().manual_seed(1))
    if (calls := calls_of_torch(answer, many, 5)) > len(many):
        raise Wrong(
            "A loop over the text",
            f"The counts are right, but for {len(many):,} tokens your function asks PyTorch {calls:,} times. "
            "Can each triple get a number, as each pair has one?",
        )
