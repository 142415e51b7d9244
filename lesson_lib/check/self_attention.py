"""Checks of lesson 12: scores, weights, masks from a graph, a head, a layer's graph, distance, wishes by hand.

torch is imported inside the functions, so that the checks of the first lessons do not wait for it.
"""

import math

from ._exercise import Wrong, call, exercise, number
from ._tensors import rows, same, tensor, tensor_of, unchanged
from .neural_networks import uses
from .softmax import near

LESSON = "12_self_attention"

# the lesson's numbers for `dear`: tokens, queries, keys, values, and the three matrices
X = [[4, 0], [2, 6], [0, 3], [6, 7]]
QUERIES = [[-2, 1], [2, 0.5], [1.5, 0], [0.5, 1.5]]
KEYS = [[-2, 0], [-4, 3], [-1.5, 1.5], [-6.5, 3.5]]
VALUES = [[2, -4], [1, 4], [0, 3], [3, 1]]
MATRICES = [[-0.5, 0.25], [0.5, 0]], [[-0.5, 0], [-0.5, 0.5]], [[0.5, -1], [0, 1]]
CUT = "view and reshape leave all numbers in their order. What makes two dimensions change places?"


def two_texts(table):
    """Return the rows of `dea` and of `ear` as a batch of two: (2, 3, 2)."""
    return tensor([table[:3], table[1:]])


def randoms(seed):
    """Return a function that makes random tensors of a shape, the same ones for the same seed."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    return lambda *shape: torch.randn(*shape, generator=generator, dtype=torch.float64)


def told_in_example(what, got, right):
    """Say what came and what should have come, (B, T, n) each: in the first example that is wrong.

    Small examples are shown whole, of others the first row that is wrong.
    """
    import torch

    wrong = ~torch.isclose(got.double(), right.double(), rtol=1e-5, atol=1e-5, equal_nan=True)
    if not wrong.any():
        wrong = got != right  # by very little
    b, t, _ = wrong.nonzero()[0].tolist()
    T, n = right.shape[1:]
    part, named = slice(t, t + 1), f"row {t} is"
    if 1 < T and T * n <= 12:
        part, named = slice(None), f"rows 0 to {T - 1} are"
    return f"{what}: in example {b}, {named} {rows(got[b, part])} and should be {rows(right[b, part])}."


def unchanged_each(names, given, before):
    for name, part, kept in zip(names, given, before):
        unchanged(part, kept, f"numbers of {name}")


def call_on_scores(answer, *args, masked=True):
    """Return what the answer makes of the tensors; where PyTorch cannot fit shapes together, say so in words.

    masked: whether something is laid over the scores.
    """
    try:
        return call(answer, *args)
    except RuntimeError as error:
        told = str(error).split("\n")[0].rstrip(".")
        if not any(word in told for word in ("must match", "size", "shape", "dimension")):
            raise
        if masked and "must match the size" in told:
            raise Wrong(
                "A table of another size",
                f"PyTorch stops: {told}. {error.__notes__[0]} Is what you lay over the scores, a mask for example, "
                "(T, T)? Which entry of the shape is T?",
            ) from None
        raise Wrong(
            "Shapes that do not fit",
            f"PyTorch stops: {told}. {error.__notes__[0]} Which two dimensions should change places, and which is "
            "summed over?",
        ) from None


def causal(T):
    import torch

    return torch.ones(T, T, dtype=torch.bool).tril()


@exercise(
    lesson=LESSON,
    minutes=5,
    allows="You can compute any entry of a matrix of scores with a pencil.",
    hints=(
        "Two steps: the dot product, and one division.",
        "The dot product: zip(q, k) gives the pairs. Multiply each pair, and add up.",
        "Divide by the square root of the head size, which is len(q): math.sqrt, or ** 0.5.",
    ),
    solution="""
        def one_score(q, k):
            return sum(a * b for a, b in zip(q, k)) / math.sqrt(len(q))
    """,
    reasons="The dot product is large where both vectors point the same way. It sums len(q) products, so it grows with "
    "√len(q) for random vectors, and the division takes that growth away.",
)
def one_score(answer):
    short = ([2.0, 0.5, 1.0], [-4.0, 3.0, -1.0]), ([2.0, 0.5], [-4.0, 3.0]), ([-1.5], [2.0])
    long = ([3.0, -1.0, 2.0, 1.0], [1.0, 2.0, 0.0, 4.0]), ([1.0, 0.5, 2.0, -1.0, 1.0], [2.0, 4.0, 1.0, 0.0, -3.0])
    for q, k in short + long:
        given = list(q), list(k)
        what = f"one_score({q}, {k})"
        made = call(answer, *given)
        if given != (q, k):
            raise Wrong("A list that came in is changed", f"They were {q} and {k}, and are {given[0]} and {given[1]}.")
        if isinstance(made, (list, tuple)):
            raise Wrong("A list, not a number", f"{what} should be one number and is {made!r:.60}. What adds it up?")
        got = number(made, what)
        products = [a * b for a, b in zip(q, k)]
        dot, hs = sum(products), len(q)
        right = dot / math.sqrt(hs)

        def is_(other, got=got):
            return near([got], [other])

        if is_(right):
            continue
        told = f"{what} is {got:.5g} and should be {right:.5g}."
        if is_(dot):
            raise Wrong("Not scaled", f"{told} Yours is the dot product. What has the lesson divided it by?")
        if is_(dot / hs):
            raise Wrong("Divided by the head size, not by its root", told)
        if is_(dot * math.sqrt(hs)):
            raise Wrong("Multiplied in place of divided", told)
        if is_(dot / math.sqrt(2)):
            raise Wrong("√2, whatever the head size", f"{told} Here a query has {hs} numbers.")
        if is_(dot / math.sqrt(2 * hs)):
            raise Wrong("Both vectors counted", f"{told} The head size is how many numbers *one* of them has.")
        if is_(sum(q) * sum(k) / math.sqrt(hs)) or is_(sum(q) * sum(k)):
            raise Wrong("The product of the sums", f"{told} First each pair is multiplied, then comes the sum.")
        if is_(math.prod(products) / math.sqrt(hs)) or is_(math.prod(products)):
            raise Wrong("Multiplied where a sum should be", f"{told} The products of the pairs are *added*.")
        if is_(products[0] / math.sqrt(hs)) or is_(products[-1] / math.sqrt(hs)):
            raise Wrong("One pair only", f"{told} Does your loop return in its first round, or overwrite its sum?")
        if is_(sum(a + b for a, b in zip(q, k)) / math.sqrt(hs)):
            raise Wrong("Sums of pairs, not products", told)
        if is_(abs(right)):
            raise Wrong("The sign is lost", f"{told} Vectors that point away from each other score below 0.")
        if is_(dot / math.hypot(*q) / math.hypot(*k)):
            raise Wrong("Divided by the lengths", f"{told} A longer key may score more. Only the head size counts.")
        if is_(math.dist(q, k)) or is_(math.dist(q, k) / math.sqrt(hs)) or is_(math.dist(q, k) ** 2):
            raise Wrong("The distance", f"{told} Yours is how far the two are from each other.")
        raise Wrong("Another number", told)


def is_root_of(got, raw, counts):
    """Whether got is raw divided by the root of one of the counts."""
    return any(same(got, raw / math.sqrt(count)) for count in counts)


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can ask every query for its score with every key, for a whole batch at once.",
    hints=(
        "(T, hs) @ (hs, S) is (T, S): for one example, the keys must be turned on their side.",
        "In a batch, only the last two dimensions change places: k.transpose(-2, -1) is (B, hs, S).",
        "The head size is q.shape[-1]. Divide by its root: ** 0.5, or math.sqrt.",
    ),
    solution="""
        def score_matrix(q, k):
            return q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
    """,
    reasons="`@` multiplies the last two dimensions and repeats that for each example. Entry t, s is row t of q times "
    "row s of k: one_score for all pairs at once. Each sums over hs products, so the root of hs is the scale.",
)
def score_matrix(answer):
    draw = randoms(1)
    small = two_texts(QUERIES), two_texts(KEYS)
    for q, k in (small, (draw(3, 5, 4), draw(3, 6, 4)), (draw(2, 3, 5), draw(2, 3, 5)), (draw(5, 2, 1), draw(5, 7, 1))):
        (B, T, hs), S = q.shape, k.shape[1]
        given = q.clone(), k.clone()
        what = f"score_matrix of q {tuple(q.shape)} and k {tuple(k.shape)}"
        made = call_on_scores(answer, *given, masked=False)
        raw = q @ k.transpose(-2, -1)
        right = raw / math.sqrt(hs)
        if T != S and getattr(made, "shape", None) == (B, S, T):
            raise Wrong("Queries and keys swapped", f"{what} should have T = {T} rows, and yours has S = {S}.")
        got = tensor_of(made, (B, T, S), what).detach()
        unchanged_each("qk", given, (q, k))
        if same(got, right):
            continue
        told = told_in_example(what, got, right)
        if same(got, raw):
            raise Wrong("Not scaled", f"{told} Yours are the dot products.")
        if S == T and (same(got, right.transpose(1, 2)) or same(got, raw.transpose(1, 2))):
            raise Wrong("Queries and keys swapped", f"{told} Row t belongs to *query* t. Yours is turned on its side.")
        if same(got, raw / hs):
            raise Wrong("Divided by the head size, not by its root", told)
        if same(got, raw * math.sqrt(hs)):
            raise Wrong("Multiplied in place of divided", told)
        if is_root_of(got, raw, (T, B, S)):
            raise Wrong("The root of another size", f"{told} Over how many products is one entry summed?")
        if is_root_of(got, raw, (2,)):
            raise Wrong("√2, whatever the head size", f"{told} Here a query has {hs} numbers.")
        if any(same(got, q @ key.T / math.sqrt(hs)) for key in (k[0], k[-1])):
            raise Wrong("Right for one example only", f"{told} All examples have been given the keys of one.")
        if same(got, right.softmax(-1)) or same(got, raw.softmax(-1)):
            raise Wrong("Weights already", f"{told} The softmax comes later. Stop at the scores.")
        if S == T and (same(got, right.tril()) or same(got, right.masked_fill(~causal(T), -math.inf))):
            raise Wrong("Masked already", f"{told} Here nobody is hidden yet.")
        if S == T and same(got, q @ q.transpose(1, 2) / math.sqrt(hs)):
            raise Wrong("Queries with queries", f"{told} Where do your keys come in?")
        if any(same(got, q @ k.reshape(B, hs, S) / by) for by in (1, math.sqrt(hs))):
            raise Wrong("The keys are cut anew, not turned", f"{told} {CUT}")
        raise Wrong("Other scores", told)


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You have written the heart of self-attention: who listens to whom, and how much.",
    hints=(
        "Four steps, in this order: dot products, scale, mask, softmax.",
        "The mask is that of lesson 11: causal_mask(T), True where a token may listen. It fits each example.",
        "masked_softmax(scores, mask), or scores.masked_fill(~mask, -torch.inf).softmax(dim=-1).",
    ),
    solution="""
        def weights_of(q, k):
            T = q.shape[1]
            scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
            mask = torch.ones(T, T, dtype=torch.bool).tril()
            return scores.masked_fill(~mask, -torch.inf).softmax(dim=-1)
    """,
    reasons="Scale and mask work on the scores, before the softmax: after it, a row would no longer sum to 1. The mask "
    "is (T, T) and is the same for each example. The softmax is along the last dimension: over the keys.",
)
def weights_of(answer):
    if uses(answer, "attention_weights", "scaled_dot_product_attention", "fused_attention", "Head"):
        raise Wrong("The lesson's function does it", "The exercise asks you to write it without.")
    draw = randoms(2)
    far = tensor([[[1, 0, 2], [0, 1, 1]], [[2, 1, 0], [1, 1, 0]]]), tensor([[[0, 0, 1], [2000, 0, 2000]]] * 2)
    small = two_texts(QUERIES), two_texts(KEYS)
    cases = [small, (draw(3, 5, 4), draw(3, 5, 4)), (draw(2, 1, 3), draw(2, 1, 3)), far]
    for q, k in cases:
        B, T, hs = q.shape
        given = q.clone(), k.clone()
        what = f"weights_of q and k of {tuple(q.shape)}"
        got = tensor_of(call_on_scores(answer, *given), (B, T, T), what).detach()
        unchanged_each("qk", given, (q, k))
        mask, raw = causal(T), q @ k.transpose(-2, -1)
        scores = raw / math.sqrt(hs)

        def weights(scores, where=mask, dim=-1):
            return scores.masked_fill(~where, -math.inf).softmax(dim=dim)

        right = weights(scores)
        if same(got, right) and not got[:, ~mask].any():
            continue
        told = told_in_example(what, got, right)
        if same(got, right, 1e-2) and (most := got[:, ~mask].abs().max().item() if T > 1 else 0):
            raise Wrong("Nearly 0, not 0", f"{told} Yours in the future are small, up to {most:.2g}, but not 0.")
        if q is far[0] and same(got[:, 0], right[:, 0]):
            raise Wrong("Large scores break it", f"{told} Is the largest score subtracted before e to the power?")
        if q is far[0]:
            raise Wrong(
                "Mask after the softmax, and the row divided again",
                f"{told} If a hidden score is very large, what has the softmax left for the others?",
            )
        if same(got, weights(raw)):
            raise Wrong("Not scaled", f"{told} What has the lesson divided the dot products by?")
        if same(got, weights(raw / hs)):
            raise Wrong("Divided by the head size, not by its root", told)
        if any(same(got, weights(raw / math.sqrt(count))) for count in (T, B)):
            raise Wrong("The root of another size", f"{told} Over how many products is one score summed?")
        if same(got, weights(raw / math.sqrt(2))):
            raise Wrong("√2, whatever the head size", f"{told} Here a query has {hs} numbers.")
        if same(got, weights(raw * math.sqrt(hs))):
            raise Wrong("Multiplied in place of divided", told)
        if same(got, weights(raw) / math.sqrt(hs)) or same(got, right / math.sqrt(hs)):
            raise Wrong("Scaled after the softmax", f"{told} Do your rows sum to 1? The scale is for the scores.")
        if same(got, weights(scores.transpose(1, 2))) or same(got, weights(raw.transpose(1, 2))):
            raise Wrong("Queries and keys swapped", f"{told} Whose scores stand in row t, query t's or key t's?")
        if same(got, scores.softmax(-1)) or same(got, raw.softmax(-1)):
            raise Wrong("The future is included", f"{told} The first token listens to what comes after it.")
        if same(got, scores.softmax(-1) * mask):
            raise Wrong("Mask after the softmax", f"{told} Do your rows sum to 1? Who has the rest?")
        if same(got, weights(scores, mask.T)):
            raise Wrong("The mask is transposed", f"{told} Your last token hears itself only. Which triangle is it?")
        if same(got, weights(scores, ~mask)):
            raise Wrong("The mask is turned round", f"{told} You hide where the mask is True. What does `~` do?")
        if same(got, weights(scores, mask.tril(-1))):
            raise Wrong("A token does not hear itself", f"{told} What does the first token listen to, then?")
        if same(got, weights(scores, dim=-2)) or same(got, scores.softmax(-2) * mask):
            raise Wrong("Columns, not rows", f"{told} Do your rows sum to 1, or your columns?")
        if same(got, weights(scores, dim=0)):
            raise Wrong("Across the examples", f"{told} dim=0 is the batch. The weights share out among the *keys*.")
        if same(got, (scores * mask).softmax(-1)):
            raise Wrong("A score of 0 is not hidden", f"{told} They have 0, not −∞. What is e to the power 0?")
        if same(got, (scores + mask).softmax(-1)) or same(got, (scores + ~mask).softmax(-1)):
            raise Wrong("The mask is added as 1 and 0", f"{told} A score that is 1 higher or lower is not hidden.")
        if same(got, scores) or same(got, scores.masked_fill(~mask, -math.inf)) or same(got, scores * mask):
            raise Wrong("Scores, not yet weights", f"{told} What makes shares of them?")
        if same(got, weights(scores[:1])) or same(got, weights(q @ k[0].T / math.sqrt(hs))):
            raise Wrong("Right for one example only", f"{told} Each example has queries and keys of its own.")
        if got.isnan().any():
            raise Wrong("Not a number", f"{told} nan is not a number. Where do you compute 0 · −∞ or 0 / 0?")
        if same(got, mask / mask.sum(-1, keepdim=True)):
            raise Wrong("The scores are not used", f"{told} That is the plain average.")
        if any(same(got, weights(q @ k.reshape(B, hs, T) / by)) for by in (1, math.sqrt(hs))):
            raise Wrong("The keys are cut anew, not turned", f"{told} {CUT}")
        raise Wrong("Other weights", told)


def arrows(mask):
    """Return a mask as rows of 0 and 1, for messages."""
    return "; ".join("".join(str(int(x)) for x in row) for row in mask.tolist())


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can make attention of any directed graph, not only of a line of text.",
    hints=(
        "Begin with a mask in which everyone listens to itself only: torch.eye(T, dtype=torch.bool).",
        "Row t says to whom t may listen. In an arrow (i, j), which of the two is the listener?",
        "For each arrow one entry becomes True: in the row of j, in the column of i.",
    ),
    solution="""
        def mask_of(edges, T):
            mask = torch.eye(T, dtype=torch.bool)
            for i, j in edges:
                mask[j, i] = True
            return mask
    """,
    reasons="The row is the listener, the column is whom it hears. The arrow runs the way the information does, from "
    "i to j, so it stands in row j: an arrow's end comes first in the matrix.",
)
def mask_of(answer):
    import torch

    cases = [
        ([(0, 2), (1, 2), (3, 1)], 4),
        ([], 3),
        ([(0, 1), (1, 1), (0, 1), (4, 0), (2, 3), (1, 4)], 5),
        ([(i, j) for j in range(3) for i in range(j + 1)], 3),
        ([(0, 1), (1, 0)], 2),
        ([], 1),
    ]
    for edges, T in cases:
        given = list(edges)
        what = f"mask_of({edges}, {T})"
        got = tensor_of(call(answer, given, T), (T, T), what).detach()
        if given != edges:
            raise Wrong("The list that came in is changed", f"It was {edges} and is {given!r:.60} after the call.")
        own = torch.eye(T, dtype=torch.bool)
        bare = torch.zeros(T, T, dtype=torch.bool)
        for i, j in edges:
            bare[j, i] = True
        right = bare | own
        told = f"{what} is {arrows(got.isfinite() & (got != 0))} and should be {arrows(right)} (1 is True)."
        if got.dtype != torch.bool:
            if got.is_floating_point() and got.isinf().any():
                raise Wrong("Minus infinity already", f"{what} should be the mask: True and False. −∞ comes later.")
            if not got.equal(right.to(got.dtype)):
                raise Wrong("Another graph, and numbers", f"{told} And it should be of the type torch.bool.")
            raise Wrong(
                "Numbers, not True and False",
                f"{what} has the type {got.dtype} and should have torch.bool. What would `~` make of yours?",
            )
        if got.equal(right):
            continue
        if (got | own).equal(right):
            raise Wrong("Not everyone hears itself", f"{told} The diagonal is True, whether the list names it or not.")
        if (got | own).equal(right.T):
            raise Wrong("The mask is transposed", f"{told} In (0, 2), token 2 is the listener. Which row is its own?")
        if (got | own).equal(right | right.T):
            raise Wrong("Both ways", f"{told} An arrow has one direction: i does not hear j.")
        if got.equal(~right) or got.equal(~bare):
            raise Wrong("The mask is turned round", f"{told} In this lesson True says who *may* listen.")
        if got.equal(right.tril()) or got.equal(right | causal(T)) or got.equal(right.T.tril()):
            raise Wrong("A causal mask as well", f"{told} Only the arrows count here. 3 → 1 goes back, and may.")
        if got.equal(own):
            raise Wrong("No arrow arrives", f"{told} Everyone hears itself only. Does your loop write into the mask?")
        reach = right.double()
        if got.equal(torch.linalg.matrix_power(reach, T) > 0):
            raise Wrong("Hearsay counts as hearing", f"{told} 3 points at 1, and 1 at 2, but 3 does not point at 2.")
        if (got & right).equal(got) and (got & ~own).sum() <= 1:
            raise Wrong("One arrow only", f"{told} Do you make a new mask, or return, in each round of the loop?")
        raise Wrong("Another graph", told)


def linear_layers(*weights):
    """Return layers without biases with these weights, (out, in) each."""
    from torch import nn

    layers = []
    for weight in weights:
        layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        layer.weight.data = weight.float().clone()
        layers.append(layer)
    return layers


def random_layers(seed, B, T, C, hs):
    """Return a random x of (B, T, C) and three layers (C → hs)."""
    draw = randoms(seed)
    return draw(B, T, C).float(), linear_layers(*(draw(hs, C) for _ in range(3)))


@exercise(
    lesson=LESSON,
    minutes=12,
    allows="You have written a head of self-attention. A GPT is mostly many of these.",
    hints=(
        "Begin with q = query(x), k = key(x), v = value(x): (B, T, hs) each.",
        "The weights come from q and k, as in exercise 3: scores, scale, mask, softmax.",
        "The output is the weights times the values: weights @ v. Not x, and not the keys.",
    ),
    solution="""
        def one_head(x, query, key, value):
            T = x.shape[1]
            q, k, v = query(x), key(x), value(x)
            scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5
            mask = torch.ones(T, T, dtype=torch.bool, device=x.device).tril()
            return scores.masked_fill(~mask, -torch.inf).softmax(dim=-1) @ v
    """,
    reasons="All three vectors come from the same x: that is the *self* in self-attention. Queries and keys decide "
    "who listens to whom, and what is then passed on are the values. The scale is the root of the head size, which is "
    "how many numbers a query has, however many x has.",
)
def one_head(answer):
    import torch

    if uses(answer, "attention_weights", "scaled_dot_product_attention", "fused_attention", "Head", "head_of_values"):
        raise Wrong("Somebody else's attention", "The exercise asks for the steps: scores, mask, softmax, values.")
    small = two_texts(X).float(), linear_layers(*(tensor(matrix).T for matrix in MATRICES))
    # a future that would be heard above all
    far = torch.tensor([[[1.0, 0], [0, 1], [500, 500]]]), linear_layers(*[torch.eye(2)] * 3)
    others = random_layers(3, 3, 5, 6, 4), random_layers(4, 2, 1, 3, 5), random_layers(5, 4, 6, 2, 3)
    for x, layers in (small, *others, far):
        B, T, C = x.shape
        hs = len(layers[0].weight)
        given, before = x.clone(), [layer.weight.detach().clone() for layer in layers]
        what = f"one_head of x {tuple(x.shape)} and layers {C} → {hs}"
        try:
            made = call_on_scores(answer, given, *layers)
        except (TypeError, AttributeError) as error:
            if "Linear" not in str(error):
                raise
            raise Wrong("A layer is called", f"Python stops: {error}. A layer is a function: query(x).") from None
        if C != hs and getattr(made, "shape", None) == (B, T, C):
            raise Wrong("Values without the projection", f"{what} still has {C} channels. What does a token *give*?")
        if T != hs and getattr(made, "shape", None) == (B, T, T):
            raise Wrong("Weights, not the output", f"{what} has the shape of the weights. What is multiplied by them?")
        out = tensor_of(made, (B, T, hs), what)
        got = out.detach()
        unchanged(given, x, "numbers of x")
        for name, layer, weight in zip(("query", "key", "value"), layers, before):
            unchanged(layer.weight, weight, f"weights of the {name}")
        xx = x.double()
        q, k, v = (xx @ w.double().T for w in before)
        mask = causal(T)

        def head(q, k, v, scale=hs, where=mask, dim=-1):
            scores = q @ k.transpose(-2, -1) / math.sqrt(scale)
            return scores.masked_fill(~where, -math.inf).softmax(dim) @ v

        right = head(q, k, v)
        if not same(got, right, 1e-4):
            told = told_in_example(what, got, right)
            raw = q @ k.transpose(-2, -1)
            scores = raw / math.sqrt(hs)
            weights = scores.masked_fill(~mask, -math.inf).softmax(-1)

            if x is far[0] and same(got[:, 0], right[:, 0]):
                raise Wrong("Large scores break it", f"{told} Is the largest score subtracted before e to the power?")
            if x is far[0]:
                raise Wrong(
                    "Mask after the softmax, and the row divided again",
                    f"{told} If a hidden score is very large, what has the softmax left for the others?",
                )

            def is_(*others, got=got):
                return any(other.shape == got.shape and same(got, other, 1e-4) for other in others)

            if is_(head(q, k, v, 1)):
                raise Wrong("Not scaled", f"{told} What has the lesson divided the dot products by?")
            if is_(head(q, k, v, C)):
                raise Wrong("Scaled by √C", f"{told} A score sums {hs} products, whatever size x has.")
            if is_(head(q, k, v, hs * hs)):
                raise Wrong("Divided by the head size, not by its root", told)
            if is_(head(q, k, v, T), head(q, k, v, 2)):
                raise Wrong("The root of another size", f"{told} Over how many products is one score summed?")
            if is_(weights @ xx, head(q, k, xx, 1)):
                raise Wrong("Values without the projection", f"{told} Yours passes on x itself. What does `value` do?")
            if is_(head(k, q, v)):
                raise Wrong("Queries and keys swapped", f"{told} Row t should hold the scores of *query* t.")
            if is_(head(q, v, v), head(k, k, v), head(q, q, v), head(v, k, v)):
                raise Wrong("One layer does two jobs", f"{told} Is each of query, key and value used once?")
            if is_(head(q, k, k), head(q, v, k)):
                raise Wrong("Keys in place of values", f"{told} A key says what a token offers. What does it *give*?")
            if is_(head(q, k, q)):
                raise Wrong("Queries in place of values", f"{told} What does a token give when it is listened to?")
            if is_(weights.transpose(1, 2) @ v):
                raise Wrong("The weights are transposed", f"{told} Output t is row t of the weights, times the values.")
            if is_(head(q, k, v, where=torch.ones_like(mask))):
                raise Wrong("The future is included", f"{told} The first output should be the first value.")
            if is_(scores.softmax(-1).tril() @ v):
                raise Wrong("Mask after the softmax", f"{told} Do the rows of your weights sum to 1?")
            if is_(head(q, k, v, where=mask.T), head(q, k, v, where=~mask)):
                raise Wrong("The mask is transposed", f"{told} The first output should be the first value. Is it?")
            if is_(head(q, k, v, where=mask.tril(-1))):
                raise Wrong("A token does not hear itself", f"{told} Whom does the first token listen to?")
            if is_(head(q, k, v, dim=-2)):
                raise Wrong("Columns, not rows", f"{told} Do the rows of your weights sum to 1, or the columns?")
            if is_(scores.tril().softmax(-1) @ v):
                raise Wrong("A score of 0 is not hidden", f"{told} What is e to the power 0?")
            if is_(scores.tril() @ v, raw.tril() @ v):
                raise Wrong("Scores, not yet weights", f"{told} Where is the softmax?")
            if is_(right / math.sqrt(hs), head(q, k, v, 1) / math.sqrt(hs)):
                raise Wrong("Scaled after the softmax", f"{told} The scale is for the scores, before the softmax.")
            if C == hs and is_(right + xx):
                raise Wrong("x is added", f"{told} A good idea, for lesson 13. A head gives only what it hears.")
            if C == hs and is_(head(*(xx @ w.double() for w in before))):
                raise Wrong("The matrices lie the wrong way", f"{told} A Linear's weight is (out, in). Call query(x).")
            if is_(mask.double() / mask.sum(-1, keepdim=True) @ v):
                raise Wrong("The scores are not used", f"{told} That is the plain average of the values.")
            if is_(weights[:1] @ v, weights[-1:] @ v):
                raise Wrong("Right for one example only", f"{told} All examples have been given the weights of one.")
            if got.isnan().any():
                raise Wrong("Not a number", f"{told} nan is not a number. Where do you compute 0 · −∞ or 0 / 0?")
            raise Wrong("Other outputs", told)
        if T == 1:
            continue  # the only weight is 1, whatever query and key say
        for layer in layers:
            layer.weight.grad = None
        if out.requires_grad:
            out.square().sum().backward()
        dead = [
            name
            for name, layer in zip(("query", "key", "value"), layers)
            if layer.weight.grad is None or not layer.weight.grad.any()
        ]
        if dead:
            raise Wrong(
                "No gradient can flow",
                f"The outputs are right, but after backward() nothing has come back to {' and '.join(dead)}: it could "
                "never learn. Is there a no_grad, a detach, an item or a .data on the way?",
            )


def any_of(masks):
    """Return where at least one of the masks is True."""
    import torch

    return torch.stack(masks).any(dim=0)


def means(mask):
    """Return a layer in which each position has the mean of those whom the mask lets it hear."""

    def layer(x):
        weights = mask.to(x.dtype)
        return weights / weights.sum(-1, keepdim=True) @ x

    return layer


def hidden_layers(T, C):
    """Return [(what the layer does, the layer, its mask)] for T positions of C channels, by rising difficulty."""
    import torch

    from ..attention import Head
    from ..softmax import causal_mask

    past, own = causal_mask(T), torch.eye(T, dtype=torch.bool)
    everyone, before = torch.ones(T, T, dtype=torch.bool), torch.eye(T, dtype=torch.bool).roll(1, 0).tril()
    web = own.clone()
    web[0, 3] = web[2, 1] = web[1, 3] = True
    heads = [Head(C, 3, causal=flag).double() for flag in (True, False)]
    for n, head in enumerate(heads):
        draw = randoms(20 + n)
        for parameter in head.parameters():
            parameter.data = draw(*parameter.shape) / 4

    def also(t, i):
        mask = own.clone()
        mask[t, i] = True
        return mask

    def faint(x):
        return torch.cat([x[:, :1] + x[:, -1:] / 1000, x[:, 1:]], dim=1)

    def shifted(x):
        return torch.cat([0 * x[:, :1], x[:, :-1]], dim=1)

    def peek(x):  # one number of one example
        out = x.clone()
        out[-1, 1, -1] = out[-1, 1, -1] + x[-1, 2, -1]
        return out

    def opposite(x):  # each channel twice, once with a minus
        out = means(past)(x)
        return torch.cat([out, -out], dim=-1)

    return [
        ("gives each token as it is", lambda x: 1.0 * x, own),
        ("averages the past", means(past), past),
        ("averages everything", means(everyone), everyone),
        ("averages over a graph", lambda x: means(web)(x), web),
        ("gives each token the one before it", shifted, before),
        ("adds 0.001 of the last token to the first", faint, also(0, T - 1)),
        ("is a causal head", heads[0], past),
        ("is a head without a mask", heads[1], everyone),
        ("hears one number of one example more", peek, also(1, 2)),
        ("gives each average twice, with plus and with minus", opposite, past),
        ("averages the past, less the mean of the channels", lambda x: means(past)(x - x.mean(-1, keepdim=True)), past),
        ("averages the past, less the mean of the examples", lambda x: means(past)(x - x.mean(0)), past),
    ]


@exercise(
    lesson=LESSON,
    minutes=15,
    allows="You can draw the graph of a layer that you cannot look into.",
    hints=(
        "Run the layer once on x as it is. Then, for each i, on a copy in which token i is another one.",
        "Give the copy x.clone() new random numbers at [:, i]. Where does the output differ at all, anywhere in "
        "example or channel? (out != before).any(dim=-1).any(dim=0) is one column.",
        "Adding 1 to all channels, or doubling, is no good change: some layers take it away again, and 0 doubled is 0. "
        "With gradients: not of a sum of the outputs, where plus and minus cancel.",
    ),
    solution="""
        def who_hears(layer, x):
            T = x.shape[1]
            hears = torch.zeros(T, T, dtype=torch.bool)
            with torch.no_grad():
                before = layer(x)
                for i in range(T):
                    other = x.clone()
                    other[:, i] = torch.randn_like(other[:, i])
                    moved = (layer(other) != before).any(dim=-1)
                    hears[:, i] = moved.any(dim=0)
            return hears
    """,
    reasons="One token at a time becomes another one; whoever moves has heard it: that is a "
    "column. New random numbers, different in each example and channel, are a change that no layer takes away by "
    "chance. (With gradients: multiply the outputs by random numbers before the sum, so that nothing cancels. Then "
    "each position gives a row.)",
)
def who_hears(answer):
    import torch

    T, C = 4, 4
    # small numbers whose means are exact; token 1 is 0 in both examples
    one = [[2, -1, 3, 0], [0, 0, 0, 0], [1, 4, -2, 1], [3, 1, 0, -4]]
    x = tensor([one, [[1, 5, 2, -4], [0, 0, 0, 0], [-3, 2, 1, 4], [2, 2, -1, 1]]])
    seen, asked = [], []
    for does, hidden, right in hidden_layers(T, C):
        given = x.clone()

        def layer(x, hidden=hidden):
            seen.append(x.detach().clone())
            asked.append(x.requires_grad)
            return hidden(x)

        what = f"For a layer that {does}, who_hears"
        got = tensor_of(call(answer, layer, given), (T, T), what).detach()
        unchanged(given, x, "numbers of x")
        if got.dtype != torch.bool:
            raise Wrong("Not True and False", f"{what} is of the type {got.dtype} and should be of torch.bool.")
        if got.equal(right):
            continue
        told = f"{what} is {arrows(got)} and should be {arrows(right)} (1 is True)."
        if not any(asked) and all(one.equal(x) for one in seen):
            raise Wrong("No experiment", f"{told} The layer is never given another x than this one.")
        if not all(torch.isfinite(one).all() for one in seen):
            raise Wrong("0 · nan is nan", f"{told} A weight of 0 keeps neither nan nor ∞ out. Take ordinary numbers.")
        if does.startswith("gives each token as it is"):
            if got.all():
                raise Wrong("The whole output is compared", f"{told} Which position has moved? Look at each by itself.")
            if got.equal(right.roll(1, 0)) or got.equal(right.roll(-1, 0)):
                raise Wrong("One place beside", f"{told} Which token have you changed, and which column is that?")
            if got.diagonal().tolist() == [True, False, True, True]:
                why = (
                    "how steep is a square there?"
                    if any(asked)
                    else "with your change it stays 0. Try new random numbers."
                )
                raise Wrong("A change that changes nothing", f"{told} Token 1 of x is 0, and {why}")
            if any(asked) and got.equal(causal(T)):
                raise Wrong("What was heard before is still there", f"{told} Gradients add up in x.grad. A fresh x?")
            if got.equal(causal(T)) or got.equal(causal(T).T):
                raise Wrong("Several tokens are changed at once", f"{told} Does each i begin with a fresh copy of x?")
            if not got.any():
                raise Wrong("It never hears anything", f"{told} Does your change arrive in what the layer is given?")
            raise Wrong("Another graph", told)
        if got.equal(right.T):
            raise Wrong("The graph is transposed", f"{told} Whom you change is the column, who moves is the row.")
        if got.equal(right & ~torch.eye(T, dtype=torch.bool)):
            raise Wrong("A token's own voice is left out", f"{told} A position may hear its own token, too.")
        if got.equal(causal(T)) or got.equal(right & causal(T)) and "graph" in does:
            raise Wrong("Only the past is tried", f"{told} Any token may be heard, later ones as well.")
        if "0.001" in does:
            raise Wrong("The tolerance is too wide", f"{told} A thousandth of a token is heard, too.")
        tried = [one != x for one in seen if one.shape == x.shape]
        if "one number" in does and not any(asked) and len(tried) == len(seen) and not any_of(tried).all():
            raise Wrong(
                "Not every number is changed",
                f"{told} Do you *change* every channel of every example, and then look at all of them?",
            )
        if "one number" in does:
            raise Wrong("One number is enough", f"{told} Do you look at all examples and channels? any(), not all().")
        if "plus and with minus" in does:
            raise Wrong("Plus and minus cancel", f"{told} In a sum of the channels, nothing is left.")
        if "less the mean" in does and any(asked):
            raise Wrong("The gradients cancel", f"{told} These outputs sum to 0 whatever you change.")
        if "less the mean" in does:
            raise Wrong(
                "A change that the layer takes away",
                f"{told} If all channels, or all examples, change by the same number, so does their mean.",
            )
        raise Wrong("Another graph", told)


@exercise(
    lesson=LESSON,
    minutes=15,
    allows="You have given attention a sense of distance, without a table of positions.",
    hints=(
        "The distances are a (T, T) table: row t, column i has t − i. With p = torch.arange(T): p[:, None] - p.",
        "Order: dot products, scale, minus slope · distance, mask, softmax, values.",
        "The table (T, T) fits (B, T, T) by broadcasting. Where t − i is below 0, the mask hides it in any case.",
    ),
    solution="""
        def attend_with_distance(q, k, v, slope):
            p = torch.arange(q.shape[1], device=q.device)
            distance = p[:, None] - p
            scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5 - slope * distance
            return scores.masked_fill(distance < 0, -torch.inf).softmax(dim=-1) @ v
    """,
    reasons="A handicap of slope for each step back multiplies the weight by e to the power −slope for each step, "
    "before the row is shared out again. It is part of the scores, so it comes before the softmax, and after "
    "the scale, so that it does not depend on the head size. It is the same for texts of any length.",
)
def attend_with_distance(answer):
    import torch

    draw = randoms(6)
    small = two_texts(QUERIES), two_texts(KEYS), two_texts(VALUES)
    # a future that would be heard above all
    loud = tensor([[[0, 0], [0, 1], [2000, 2000]]])
    far = tensor([[[1, 1], [1, 1], [1, 0]]]), loud, tensor([[[1], [2], [1000]]]), 0.5
    cases = [
        (*small, 0.0),
        (*small, 1.0),
        (draw(3, 5, 4), draw(3, 5, 4), draw(3, 5, 6), 0.7),
        (draw(2, 1, 3), draw(2, 1, 3), draw(2, 1, 4), 2.0),
        far,
    ]
    for q, k, v, slope in cases:
        B, T, hs = q.shape
        given = q.clone(), k.clone(), v.clone()
        what = f"attend_with_distance of q and k {tuple(q.shape)}, v {tuple(v.shape)} and the slope {slope}"
        made = call_on_scores(answer, *given, slope)
        if T != v.shape[-1] and getattr(made, "shape", None) == (B, T, T):
            raise Wrong("Weights, not the output", f"{what} has the shape of the weights. Where are the values?")
        got = tensor_of(made, (B, T, v.shape[-1]), what).detach().double()
        unchanged_each("qkv", given, (q, k, v))
        p = torch.arange(T)
        distance, mask, raw = p[:, None] - p, causal(T), q @ k.transpose(-2, -1)
        scores = raw / math.sqrt(hs)

        def attend(scores, where=mask, dim=-1, v=v):
            return scores.masked_fill(~where, -math.inf).softmax(dim) @ v

        right = attend(scores - slope * distance)
        if same(got, right):
            continue
        told = told_in_example(what, got, right)
        if q is far[0] and same(got[:, 0], right[:, 0]):
            raise Wrong("Large scores break it", f"{told} Is the largest score subtracted before e to the power?")
        if q is far[0]:
            raise Wrong(
                "The future has had a say",
                f"{told} The last key scores very high, and the first two must not notice. Do you hide it before the "
                "softmax, with −∞?",
            )

        def is_(*others, got=got):
            return any(other.shape == got.shape and same(got, other) for other in others)

        plain, without = attend(scores), scores.masked_fill(~mask, -math.inf).softmax(-1)
        everyone = torch.ones_like(mask)
        if slope == 0:
            if is_(attend(scores, everyone)):
                raise Wrong("The future is included", f"{told} With the slope 0 it should be causal attention.")
            if is_(attend(raw)):
                raise Wrong("Not scaled", f"{told} With the slope 0 it should be scaled attention.")
            if is_(scores.softmax(-1).tril() @ v):
                raise Wrong("Mask after the softmax", f"{told} Do the rows of your weights sum to 1?")
            if is_(attend(scores.transpose(1, 2))):
                raise Wrong("Queries and keys swapped", f"{told} With the slope 0 it should be causal attention.")
            if is_(attend(scores, dim=-2)):
                raise Wrong("Columns, not rows", f"{told} Do the rows of your weights sum to 1?")
            if is_(without.transpose(1, 2) @ v):
                raise Wrong("The weights are transposed", told)
            if got.isnan().any():
                raise Wrong("Not a number", f"{told} nan is not a number. Where do you compute 0 · −∞ or 0 / 0?")
            raise Wrong("Wrong without a slope already", f"{told} With the slope 0 it should be what exercise 5 did.")
        if is_(plain):
            raise Wrong(
                "The same handicap for the whole row",
                f"{told} Yours is attention without a slope. What does a softmax do with a number that is the same "
                "for all?",
            )
        if is_(attend(scores + slope * distance)):
            raise Wrong("The far ones get more", f"{told} Far tokens gain by yours. Which sign, which index?")
        if is_(attend((raw - slope * distance) / math.sqrt(hs))):
            raise Wrong("Before the scaling", f"{told} The slope is not scaled: first the scale, then the slope.")
        if is_(attend(raw - slope * distance)):
            raise Wrong("Not scaled", told)
        if is_((without - slope * distance * mask) @ v, (without - slope * distance) @ v):
            raise Wrong("After the softmax", f"{told} Do your rows sum to 1? Are all your weights positive?")
        faded = without * (-slope * distance * mask).exp()
        if is_(faded @ v):
            raise Wrong("After the softmax", f"{told} The weights fade, but do your rows sum to 1?")
        if is_(attend(scores - slope * distance, everyone), attend(scores - slope * distance.abs(), everyone)):
            raise Wrong("The future is included", f"{told} A handicap does not hide anyone. Where is the mask?")
        if is_(*((scores - slope * d).softmax(-1).tril() @ v for d in (distance, distance.abs(), distance * mask))):
            raise Wrong("Mask after the softmax", f"{told} Do the rows of your weights sum to 1?")
        if is_(attend(scores - slope * distance**2)):
            raise Wrong("The distance squared", f"{told} Two steps back cost twice as much as one, not four times.")
        if is_(attend(scores - slope * (distance > 0))):
            raise Wrong("The same handicap for all others", f"{told} Two steps back cost twice as much as one.")
        if is_(attend(scores - distance)):
            raise Wrong("The slope is not used", f"{told} The handicap for one step is {slope}, not 1.")
        if is_(attend(scores - slope * distance / T), attend(scores - slope * distance / max(T - 1, 1))):
            raise Wrong("A share of the length", f"{told} One step costs the slope, however long the text is.")
        if is_(attend(scores * (-slope * distance).exp()), attend(scores * (1 - slope * distance))):
            raise Wrong("Multiplied, not subtracted", f"{told} A score below 0 would be helped by a small factor.")
        raise Wrong("Other outputs", told)


def say_vowels(vowel):
    """Return a row of vowels and others for messages: V for a vowel, · for another."""
    return "".join("V" if flag else "·" for flag in vowel.tolist())


@exercise(
    lesson=LESSON,
    minutes=15,
    allows="You can say by hand whom each token shall hear, and each one something else.",
    hints=(
        "The keys may be those of section 2: (is it a vowel, place). Which two queries are there, then?",
        "All want 'late', by as much. A consonant wants vowels, and a vowel wants the opposite: the sign of its first "
        "number. 1 - 2 * vowel is -1 for a vowel and 1 for a consonant.",
        "Two conditions, and the scale divides by √2: one step later must win clearly (by 7 or more in the scaled "
        "score), and the kind must count for more than all T steps together.",
    ),
    solution="""
        def last_other(vowel):
            T = len(vowel)
            place = torch.arange(T, dtype=vowel.dtype)
            k = torch.stack([vowel, place], dim=-1)
            q = torch.stack([20.0 * T * (1 - 2 * vowel), torch.full_like(vowel, 20.0)], dim=-1)
            return q, k
    """,
    reasons="The keys are the same for every listener; what differs is the wish. The kind counts for 20 T, more than "
    "all steps together, so no token of the own kind can win, however late it is. One step is 20/√2 = 14 in the score: "
    "of two neighbours the later one gets e^14 times as much. What comes after the listener is hidden by the mask.",
)
def last_other(answer):
    import torch

    from ..attention import attention_weights

    short = "0100", "0110100", "1", "1111", "1010001", "0" * 5
    for text in (*short, "10" * 15, "1" + "0" * 29, "0" + "1" * 29, "0" * 9 + "11" + "0" * 12):
        vowel = torch.tensor([float(letter) for letter in text])
        T, given = len(text), vowel.clone()
        told = f"With {say_vowels(vowel)} (V is a vowel)"
        pair = call(answer, given)
        unchanged(given, vowel, "numbers of vowel")
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise Wrong("Not a pair", f"last_other should return (q, k), and returns {type(pair).__name__}.")
        q, k = (tensor_of(one, (T, 2), f"{told}, {name}").detach() for one, name in zip(pair, "qk"))
        if not (torch.isfinite(q).all() and torch.isfinite(k).all()):
            raise Wrong("Not a finite number", f"{told}, there is nan or ∞ in q or k. Large is enough.")
        dtype = torch.promote_types(torch.promote_types(q.dtype, k.dtype), torch.float32)
        q, k = q.to(dtype), k.to(dtype)
        weights, swapped = (attention_weights(*one, causal(T)) for one in ((q, k), (k, q)))
        heard = {t: [i for i in range(t) if text[i] != text[t]] for t in range(T)}
        for t, others in heard.items():
            if not others or weights[t, others[-1]] >= 0.99:
                continue
            row = weights[t, : t + 1]
            last, most = others[-1], row.argmax().item()
            if row.isnan().any():
                raise Wrong("Too large for the computer", f"{told}, a weight is nan. Smaller numbers will do.")
            # rounded down, so that 0.9899 is not called 0.99
            share = math.floor(1e4 * row[last].item()) / 1e4
            told = f"{told}, position {t} gives {share:g} to position {last} and should give at least 0.99"
            if most != last:
                told = f"{told}. Most, {row[most]:.3g}, goes to position {most}"
            if all(swapped[t, others[-1]] >= 0.99 for t, others in heard.items() if others):
                raise Wrong("The pair is swapped", f"{told}. With q and k exchanged it would be right.")
            if same(weights, causal(T) / causal(T).sum(-1, keepdim=True), 1e-3):
                raise Wrong("Everyone scores the same", f"{told}. Nothing in these scores tells one from another.")
            if len(others) > 1 and near(row[others].tolist(), [1 / len(others)] * len(others), 5e-2):
                raise Wrong("All of the other kind, not the last", f"{told}. What tells a late one from an early one?")
            if len(others) > 1 and most == others[0]:
                raise Wrong("The first of the other kind", f"{told}. Early ones score more than late ones. Which sign?")
            own = max(row[i] for i in range(t + 1) if text[i] == text[t]) > row[most] - 0.01
            if own and T > 8:
                raise Wrong("Right for short texts only", f"{told}. How far back may it stand, and still win?")
            if own:
                raise Wrong(
                    "Its own kind",
                    f"{told}. Do vowels and consonants wish for different things, and is the kind worth more than to "
                    "be late?",
                )
            if most == last:
                raise Wrong("Right, but undecided", f"{told}. How do you make a softmax more decided?")
            raise Wrong("Another token", f"{told}.")
