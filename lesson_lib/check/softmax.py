"""Checks of lesson 11: softmax in a list and in rows, masked weights, entropy, temperature, logarithm, gradient.

torch is imported inside the functions, so that the checks of the first lessons do not wait for it.
"""

import math

from ._exercise import Wrong, call, exercise, number
from ._tensors import alike, fitting, rows, same, tensor, tensor_of, told_of, unchanged
from .neural_networks import uses

LESSON = "11_softmax"


def shares(values):
    total = sum(values)
    return [value / total if total else math.nan for value in values]


def near(got, right, tolerance=1e-6):
    """Whether two lists have the same finite numbers."""
    return all(math.isfinite(a) and abs(a - b) <= tolerance for a, b in zip(got, right))


def listed(values):
    return "[" + ", ".join(f"{value:.4g}" for value in values) + "]"


@exercise(
    lesson=LESSON,
    minutes=6,
    allows="You can make weights of any numbers, with a pencil if need be, however large they are.",
    hints=(
        "Three steps: e to the power of each, the sum, each divided by the sum.",
        "math.exp(1000) is too large for the computer. Only differences count: what can you subtract from every logit?",
        "Subtract max(logits) from each before math.exp.",
    ),
    solution="""
        def list_softmax(logits):
            largest = max(logits)
            exps = [math.exp(logit - largest) for logit in logits]
            total = sum(exps)
            return [e / total for e in exps]
    """,
    reasons="Subtracting the same number from all changes nothing in the result. With the largest subtracted, the "
    "largest power is 1: none overflows, and the sum is at least 1.",
)
def list_softmax(answer):
    for logits in ([1.0, -1.0, 2.0, 1.0], [0.0, 0.0], [0.5, 3.0, -2.0, 1.0]):
        given = list(logits)
        what = f"list_softmax({logits})"
        got = call(answer, given)
        if given != logits:
            raise Wrong("The list that came in is changed", f"It was {logits} and is {given} now.")
        if not isinstance(got, (list, tuple)):
            raise Wrong("Not a list", f"{what} should be a list and is {got!r:.60} ({type(got).__name__}).")
        got = [number(value, f"Each entry of {what}") for value in got]
        exps = [math.exp(logit) for logit in logits]
        right = shares(exps)
        if len(got) != len(logits):
            raise Wrong("Not as many as the logits", f"{what} has {len(got)} entries for {len(logits)} logits.")
        if near(got, right):
            continue
        told = f"{what} is {listed(got)} and should be {listed(right)}."
        if near(got, exps) or near(got, [math.exp(logit - max(logits)) for logit in logits]):
            raise Wrong("Not divided by the sum", f"{told} Do yours sum to 1?")
        if any(logits) and near(got, shares(logits)):
            raise Wrong("Without e to the power", f"{told} A negative logit has become a negative weight.")
        if near(got, shares([math.exp(-logit) for logit in logits])):
            raise Wrong("The wrong way round", f"{told} The largest logit should get most.")
        if near(got, shares([2**logit for logit in logits])) or near(got, shares([10**logit for logit in logits])):
            raise Wrong("Another base than e", f"{told} How many times as much does a logit get that is 1 higher?")
        if near(got, [e / len(exps) for e in exps]):
            raise Wrong("Divided by how many, not by the sum", f"{told} Do yours sum to 1?")
        if any(logits) and near(got, [e / sum(logits) for e in exps]):
            raise Wrong("Divided by the sum of the logits", f"{told} The sum is over the powers.")
        if near(got, sorted(right)) or near(got, sorted(right, reverse=True)):
            raise Wrong("In another order", f"{told} Each weight belongs to the logit in its place.")
        if near(got, shares([abs(logit) for logit in logits])) or near(got, shares([x * x for x in logits])):
            raise Wrong("The sign is lost", f"{told} −1 is not as much as 1.")
        if near(got, [float(logit == max(logits)) for logit in logits]):
            raise Wrong("The maximum, not a soft one", f"{told} The others keep a share.")
        raise Wrong("Other numbers", told)
    for logits in ([1000.0, 999.0, 1000.0], [-1000.0, -1001.0], [0.0, -1000.0, 1000.0]):
        right = shares([math.exp(logit - max(logits)) for logit in logits])
        try:
            got = [float(value) for value in answer(list(logits))]
        except (OverflowError, ZeroDivisionError, ValueError) as error:
            got, told = [math.nan], f"it stops with {type(error).__name__}"
        else:
            told = f"it is {listed(got)}"
        if not near(got, right):
            raise Wrong(
                "Large numbers break it",
                f"For {logits}, {told} and should be {listed(right)}. Which number may you subtract from all of them?",
            )


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You have written the softmax that every library has.",
    hints=(
        "The largest of each row: logits.max(dim=-1, keepdim=True).values.",
        "Is yours the largest of the *row*, or of the whole tensor? What happens to a row that is far below it?",
        "exps = (logits - largest).exp(), then divided by their sum over the last dimension, with keepdim=True.",
    ),
    solution="""
        def row_softmax(logits):
            largest = logits.max(dim=-1, keepdim=True).values
            exps = (logits - largest).exp()
            return exps / exps.sum(dim=-1, keepdim=True)
    """,
    reasons="Each row is on its own: its largest logit and its sum are those of the row, and keepdim=True lines them "
    "up with it. With the largest of the whole tensor, a row that is far below it would be 0 divided by 0.",
)
def row_softmax(answer):
    import torch

    if uses(answer, "softmax", "masked_softmax", "log_softmax", "logsumexp", "Softmax"):
        raise Wrong("Somebody else's softmax", "The exercise asks for max, exp, sum and a division.")
    square = tensor([[1, 0, -1], [2, 2, 0], [0, 3, 1]])
    tall = tensor([[1, 2], [0, 0], [3, -1], [1, 4]])
    deep = torch.stack([square, square.flip(0) - 1])
    for logits in (square, tall, deep, tensor([2, 0, 1])):
        what = f"row_softmax of a {tuple(logits.shape)} tensor"
        given = logits.clone()
        made = fitting(answer, given, what=what, question="What does keepdim=True do to a sum?")
        got = tensor_of(made, tuple(logits.shape), what).detach()
        unchanged(given, logits, "logits")
        right = logits.softmax(dim=-1)
        if same(got, right):
            continue
        told = told_of(what, got, right)
        exps = logits.exp()
        largest = (logits - logits.max(dim=-1, keepdim=True).values).exp()
        if same(got, exps) or same(got, largest):
            raise Wrong("Not divided by the sum", f"{told} Do your rows sum to 1?")
        if same(got, logits / logits.sum(dim=-1, keepdim=True)):
            raise Wrong("Without e to the power", f"{told} What of a negative logit?")
        if logits.dim() == 2 and same(got, logits.softmax(dim=0)):
            raise Wrong("Columns, not rows", f"{told} Do your rows sum to 1, or your columns?")
        if same(got, logits.softmax(dim=0)):
            raise Wrong("The first dimension, not the last", f"{told} It should be the last, however many there are.")
        if logits.dim() == 3 and same(got, logits.softmax(dim=1)):
            raise Wrong("Right for a matrix only", f"{told} Which number has the last of any number of dimensions?")
        if logits.dim() > 1 and (same(got, exps / exps.sum()) or same(got, largest / largest.sum())):
            raise Wrong("One sum for the whole tensor", f"{told} Each row should sum to 1.")
        if logits is square and (same(got, exps / exps.sum(-1)) or same(got, largest / largest.sum(-1))):
            raise Wrong("The sums lie the wrong way", f"{told} Which shape have your sums, (3,) or (3, 1)?")
        if logits is square and same(got, (logits - logits.max(-1).values).softmax(-1)):
            raise Wrong("The largest lies the wrong way", f"{told} Which shape has your largest, (3,) or (3, 1)?")
        raise Wrong("Other numbers", told)
    for logits in (tensor([[1000, 999], [0, 1]]), tensor([[1000, 999, 998], [-1000, -1000, -1002], [0, 0, 1]])):
        got = tensor_of(call(answer, logits.clone()), tuple(logits.shape), "row_softmax of large logits").detach()
        right = logits.softmax(dim=-1)
        if same(got, right):
            continue
        told = told_of(f"row_softmax of {rows(logits)}", got, right)
        if not got[0].isnan().any() and got[1].isnan().any():
            raise Wrong("The largest of the whole tensor", f"{told} The second row is far below it. What is its sum?")
        raise Wrong("Large numbers break it", f"{told} Only differences count. Which number may you subtract?")
    far = tensor([[3000, 0, 0], [0, 0, 0]])
    got = tensor_of(call(answer, far.clone()), (2, 3), "row_softmax of one large logit").detach()
    if not same(got, far.softmax(dim=-1)):
        told = told_of("row_softmax of 3000, 0, 0; 0, 0, 0", got, far.softmax(dim=-1))
        raise Wrong("What you subtract is not the largest", f"{told} Is every logit at most 0 after it?")


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can hide the future from any table of logits.",
    hints=(
        "torch.ones(T, T, dtype=torch.bool).tril() is True where a place may be heard. `~` turns it round.",
        "The future must be out of the race *before* the softmax. Which logit gets the weight 0 exactly?",
        "logits.masked_fill(where, -torch.inf) makes a copy, masked_fill_ with the underscore does not.",
    ),
    solution="""
        def past_weights(logits):
            mask = torch.ones(logits.shape, dtype=torch.bool).tril()
            return logits.masked_fill(~mask, -torch.inf).softmax(dim=-1)
    """,
    reasons="−∞ becomes exactly 0, and the rest of the row shares the whole: so each row sums to 1, and no hidden "
    "logit has a say. The diagonal stays: a token may listen to itself.",
)
def past_weights(answer):
    import torch

    if uses(answer, "masked_softmax", "causal_mask"):
        raise Wrong("The lesson's function does it", "The exercise asks you to write it without.")
    equal, uneven = torch.zeros(3, 3).double(), tensor([[1, 3, 0, 2], [0, 1, 4, -1], [2, 0, 1, 3], [-1, 0, 1, 2]])
    far, high = tensor([[0, 500, 900], [1, 0, 800], [0, 0, 1]]), tensor([[800, 0, 0], [801, 800, 0], [0, 0, 1]])
    for logits in (uneven, equal, far, high, torch.zeros(1, 1).double()):
        T = len(logits)
        what = f"past_weights of {rows(logits)}"
        given = logits.clone()
        got = tensor_of(call(answer, given), (T, T), f"past_weights of a ({T}, {T}) tensor").detach().double()
        unchanged(given, logits, "logits")
        mask = torch.ones(T, T, dtype=torch.bool).tril()
        right = logits.masked_fill(~mask, -torch.inf).softmax(dim=-1)
        if same(got, right) and not got[~mask].any():
            continue
        told = told_of(what, got, right)

        def hidden(where, dim=-1, logits=logits):
            return logits.masked_fill(where, -torch.inf).softmax(dim=dim)

        if same(got, right, 1e-2) and got[~mask].any():
            raise Wrong("Nearly 0, not 0", f"{told} In the future, yours are small, but not exactly 0.")
        if logits is far:
            raise Wrong(
                "Mask after the softmax, and the row divided again",
                f"{told} If a hidden logit is very large, what has the softmax left for the others?",
            )
        if logits is high:
            raise Wrong("Large numbers break it", f"{told} Only differences count. Which number may you subtract?")
        if same(got, logits.softmax(-1)):
            raise Wrong("The future is included", f"{told} The first token listens to what comes after it.")
        if same(got, logits.softmax(-1) * mask):
            raise Wrong("Mask after the softmax", f"{told} Do your rows sum to 1? Who has the rest?")
        if same(got, (logits * mask).softmax(-1)):
            raise Wrong(
                "A logit of 0 is not hidden", f"{told} The hidden ones have 0 in place of −∞. What is e to the power 0?"
            )
        if same(got, hidden(~mask.T)):
            raise Wrong("It looks into the future only", f"{told} Which triangle may be heard?")
        if same(got, hidden(mask)) or same(got, hidden(mask & ~torch.eye(T, dtype=torch.bool))):
            raise Wrong("The mask is turned round", f"{told} You hide where the mask is True. What does `~` do?")
        if same(got, hidden(~mask.tril(-1))):
            raise Wrong("A token does not hear itself", f"{told} What does the first token listen to, then?")
        if same(got, hidden(~mask, dim=0)):
            raise Wrong("Columns, not rows", f"{told} Do your rows sum to 1?")
        if got.isnan().any():
            raise Wrong("Not a number", f"{told} nan is not a number. Where do you compute 0 · −∞ or 0 / 0?")
        if same(got, hidden(~mask | (logits == 0))):
            raise Wrong("A visible logit of 0 is hidden", f"{told} Ask the mask where to hide, and not the logits.")
        if same(got, right.softmax(-1)):
            raise Wrong("A second softmax", f"{told} What came out are weights already.")
        if same(got, mask / mask.sum(-1, keepdim=True)):
            raise Wrong("The logits are not used", f"{told} That is the plain average.")
        raise Wrong("Other weights", told)


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can say of each position how decided it is.",
    hints=(
        "For one row: the sum of -p ln p. Over which dimension do you sum?",
        "0 · ln 0 is 0 · −∞ for the computer, and that is nan. It should add nothing.",
        "What if you take the logarithm of 1 wherever the weight is 0? torch.where or masked_fill.",
    ),
    solution="""
        def row_entropy(weights):
            logs = weights.masked_fill(weights == 0, 1).log()
            return -(weights * logs).sum(dim=-1)
    """,
    reasons="Where the weight is 0, its logarithm is now ln 1 = 0, and 0 · 0 is 0. All other terms are as they were. "
    "(torch.special.entr does the same.)",
)
def row_entropy(answer):
    import torch

    full = tensor([[0.5, 0.25, 0.25], [0.1, 0.2, 0.7], [0.6, 0.3, 0.1]])
    masked = tensor([[1, 0, 0, 0], [0.5, 0.5, 0, 0], [0.2, 0.3, 0.5, 0], [0.25, 0.25, 0.25, 0.25]])
    for weights in (full, masked):
        given = weights.clone()
        what = f"row_entropy of {rows(weights)}"
        made = call(answer, given)
        logs = weights.masked_fill(weights == 0, 1).log()
        right = -(weights * logs).sum(-1)
        if isinstance(made, torch.Tensor) and made.shape == () and alike(made.double(), right.sum(), 1e-5):
            raise Wrong("One number for all rows", f"{what} should be {len(right)} numbers, one for each row.")
        if isinstance(made, torch.Tensor) and made.shape == weights.shape:
            raise Wrong("The sum is missing", f"{what} has still the shape {tuple(made.shape)}.")
        got = tensor_of(made, (len(weights),), what).detach().double()
        unchanged(given, weights, "weights")
        if same(got, right):
            continue
        told = told_of(what, got, right)
        if got.isnan().any():
            raise Wrong("Not a number", f"{told} What is the logarithm of 0, and what is 0 times that?")
        if same(got, -right):
            raise Wrong("The minus is missing", f"{told} A surprise is never below 0.")
        if same(got, right / math.log(2)) or same(got, right / math.log(10)):
            raise Wrong("Another logarithm", f"{told} It is ln: in PyTorch `log`.")
        if same(got, -(weights * logs).sum(0)):
            raise Wrong("Columns, not rows", told)
        if same(got, -(weights * logs).mean(-1)):
            raise Wrong("The mean of the terms, not their sum", f"{told} The weights make a mean of it already.")
        if same(got, -logs.mean(-1)) or same(got, -logs.sum(-1)):
            raise Wrong("Not weighted", f"{told} A surprise counts as often as it happens.")
        if same(got, right.exp()):
            raise Wrong("e to the power of the entropy", f"{told} Leave the last step out.")
        raise Wrong("Other numbers", told)


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can make any weights sharper or flatter, without knowing where they come from.",
    hints=(
        "Only differences of logits count. Which numbers would give these weights, if they were the logits?",
        "The logarithm is the way back from e to the power: softmax of ln w gives w again.",
        "So divide ln w by the temperature, and take the softmax. (ln 0 is −∞, and that is just right.)",
    ),
    solution="""
        def at_temperature(weights, temperature):
            return (weights.log() / temperature).softmax(dim=-1)
    """,
    reasons="ln w is the lost logits, less one number that is the same for all and does not count. For a weight of 0 "
    "it is −∞, which stays −∞ and becomes 0 again. (On paper it is w ** (1 / temperature), divided by its sum.)",
)
def at_temperature(answer):
    cases = [([0.5, 0.25, 0.25], 1.0), ([0.6, 0.3, 0.1], 0.5), ([0.6, 0.3, 0.1], 2.0), ([0.7, 0.2, 0.1, 0.0], 3.0)]
    for values, temperature in cases:
        weights = tensor(values)
        given = weights.clone()
        what = f"at_temperature({values}, {temperature})"
        got = tensor_of(call(answer, given, temperature), tuple(weights.shape), what).detach().double()
        unchanged(given, weights, "weights")
        raised = weights ** (1 / temperature)
        right = raised / raised.sum()
        if same(got, right):
            continue
        told = told_of(what, got, right)
        if got.isnan().any():
            raise Wrong("Not a number", f"{told} A weight of exactly 0 should stay 0.")
        if same(got, (weights / temperature).softmax(-1)):
            raise Wrong("Weights used as logits", f"{told} At temperature 1 the weights should come back. Do they?")
        if same(got, weights / temperature):
            raise Wrong("The weights divided", f"{told} Yours do not sum to 1.")
        if same(got, weights):
            raise Wrong("The temperature has no effect", f"{told} A factor goes away when you divide by the sum.")
        inverse = weights**temperature
        if same(got, inverse / inverse.sum()):
            raise Wrong("Multiplied in place of divided", f"{told} A low temperature should make them sharper.")
        if same(got, raised) or same(got, inverse):
            raise Wrong("Not divided by the sum", f"{told} Do yours sum to 1?")
        if (got[weights == 0] != 0).any() and same(got[weights > 0], right[weights > 0], 0.05):
            raise Wrong("The impossible has become possible", f"{told} A weight of exactly 0 should stay 0.")
        raise Wrong("Other weights", told)
    sharp = tensor([0.5, 0.3, 0.2])
    got = tensor_of(call(answer, sharp.clone(), 0.0005), (3,), "at_temperature at 0.0005").detach().double()
    if not same(got, tensor([1, 0, 0])):
        raise Wrong(
            "The powers become 0",
            f"{told_of('at_temperature([0.5, 0.3, 0.2], 0.0005)', got, tensor([1, 0, 0]))} "
            "0.5 to the power of 2000 is too small for the computer. Are there logits whose softmax you can take?",
        )


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You know what cross_entropy does inside, and why it never takes the logarithm of 0.",
    hints=(
        "The logarithm of a quotient is a difference: ln p = z − ln of the sum of all e^z.",
        "Subtract the largest of each row from z first, as in the softmax: then no power overflows.",
        "shifted = logits - largest. The rest is shifted minus the logarithm of the sum of shifted.exp().",
    ),
    solution="""
        def log_of_softmax(logits):
            shifted = logits - logits.max(dim=-1, keepdim=True).values
            return shifted - shifted.exp().sum(dim=-1, keepdim=True).log()
    """,
    reasons="The logarithm undoes the exponential, so z never has to go through it: only the sum does, and that is at "
    "least 1. So no logarithm of 0 is ever taken, however far apart the logits are.",
)
def log_of_softmax(answer):
    import torch

    if uses(answer, "log_softmax", "softmax", "logsumexp", "LogSoftmax", "cross_entropy"):
        raise Wrong("Somebody else's softmax", "The exercise asks for max, exp, sum and log.")
    square, deep = tensor([[1, 0, -1], [2, 2, 0], [0, 3, 1]]), tensor([[[1, 2], [0, 0]], [[3, -1], [1, 4]]])
    for logits in (square, tensor([[1, 2], [0, 0], [3, -1], [1, 4]]), deep, tensor([2, 0, 1])):
        what = f"log_of_softmax of a {tuple(logits.shape)} tensor"
        given = logits.clone()
        made = fitting(answer, given, what=what, question="What does keepdim=True do to a sum?")
        got = tensor_of(made, tuple(logits.shape), what).detach().double()
        unchanged(given, logits, "logits")
        right = logits.log_softmax(-1)
        if same(got, right):
            continue
        told = told_of(what, got, right)
        if same(got, right.exp()):
            raise Wrong("The logarithm is missing", f"{told} That is the softmax itself.")
        if same(got, -right):
            raise Wrong("A minus too many", f"{told} The logarithm of a share is never above 0.")
        if logits.dim() > 1 and (same(got, logits.log_softmax(0)) or same(got, logits.log_softmax(-2))):
            raise Wrong("Columns, not rows", f"{told} It should be along the last dimension.")
        if logits.dim() == 3 and same(got, logits.log_softmax(1)):
            raise Wrong("Columns, not rows", f"{told} It should be along the last dimension.")
        sums = logits.exp().sum(-1, keepdim=True)
        shifted = logits - logits.max(-1, keepdim=True).values
        below = shifted.exp().sum(-1, keepdim=True)
        if any(same(got, left - total) for left in (logits, shifted) for total in (sums, below)):
            raise Wrong("The sum without its logarithm", f"{told} The logarithm of a quotient is a difference of two.")
        if same(got, logits / sums.log()):
            raise Wrong("A quotient, not a difference", f"{told} ln(a / b) = ln a − ln b.")
        if same(got, shifted - sums.log()):
            raise Wrong("The largest subtracted once only", f"{told} You subtract it from z. And in the sum?")
        if same(got, logits - below.log()):
            raise Wrong("The largest subtracted in the sum only", f"{told} And from the z that stands before it?")
        if logits.dim() == 2 and same(got, logits - logits.exp().sum().log()):
            raise Wrong("One sum for the whole tensor", f"{told} Each row has its own.")
        if logits is square:
            across = logits - logits.max(-1).values
            if same(got, logits - logits.logsumexp(-1)) or same(got, shifted - below.squeeze(-1).log()):
                raise Wrong("The sums lie the wrong way", f"{told} Which shape have your sums, (3,) or (3, 1)?")
            if same(got, across.log_softmax(-1)) or same(got, across - across.logsumexp(-1)):
                raise Wrong("The largest lies the wrong way", f"{told} Which shape has your largest, (3,) or (3, 1)?")
        raise Wrong("Other numbers", told)
    for logits in (tensor([[0, -2000, 1]]), tensor([[2000, 1999, 0]]), tensor([[1000, 999], [-1000, -1001]])):
        got = tensor_of(call(answer, logits.clone()), tuple(logits.shape), "log_of_softmax").detach().double()
        right = logits.log_softmax(-1)
        if same(got, right):
            continue
        told = told_of(f"log_of_softmax of {rows(logits)}", got, right)
        of_largest = got.gather(-1, logits.argmax(dim=-1, keepdim=True))
        if of_largest.isfinite().all() and (got == -torch.inf).any():
            raise Wrong("The logarithm of 0", f"{told} The softmax is rounded to 0 there. Need you compute it at all?")
        tiny = right < -20
        if tiny.any() and same(got[~tiny], right[~tiny]) and (got[tiny] > right[tiny]).all():
            raise Wrong(
                "The logarithm of nearly 0",
                f"{told} The softmax is rounded to 0 there, and a small number in its place has another logarithm. "
                "Need you compute the softmax at all?",
            )
        if len(got) > 1 and same(got[0], right[0]):
            raise Wrong("The largest of the whole tensor", f"{told} The second row is far below it. What is its sum?")
        raise Wrong("Large numbers break it", f"{told} Which number may you subtract from each row?")
    far = tensor([[3000, 0, 0], [0, 0, 0]])
    got = tensor_of(call(answer, far.clone()), (2, 3), "log_of_softmax of one large logit").detach().double()
    if not same(got, far.log_softmax(-1)):
        told = told_of("log_of_softmax of 3000, 0, 0; 0, 0, 0", got, far.log_softmax(-1))
        raise Wrong("What you subtract is not the largest", f"{told} Is every logit at most 0 after it?")


@exercise(
    lesson=LESSON,
    minutes=12,
    allows="You have gone back from an output to the logits: that is how a model learns whom to listen to.",
    hints=(
        "First the gradient of each *weight*: the output is a sum of weight · x. Which x meets which grad?",
        "x @ grad is (T, C) @ (C,) → (T,): one number for each weight. Call it g.",
        "Then section 8: p times (g minus the weighted average of g).",
    ),
    solution="""
        def logit_gradient(weights, x, grad):
            g = x @ grad
            return weights * (g - (weights * g).sum())
    """,
    reasons="The output is the sum of weights[i] · x[i], so the gradient of weight i is x[i] times grad, summed over "
    "the C numbers. Then a logit hears how its token compares with the weighted average: that is (x[i] − out) @ grad.",
)
def logit_gradient(answer):
    import torch

    if uses(answer, "backward", "autograd", "softmax_backward", "requires_grad_"):
        raise Wrong("Somebody else's gradient", "The exercise asks for products and sums.")
    cases = (
        ([0.5, 0.25, 0.25], [[1, 0], [0, 2], [3, 1]], [1, 0.5]),
        ([0.1, 0.6, 0.3], [[1, -1, 2], [0, 2, 1], [3, 1, 0]], [1, -2, 0.5]),
        ([0.1, 0.2, 0.3, 0.4], [[4, 0], [2, 6], [0, 3], [6, 7]], [-1, 2]),
    )
    for weights, x, grad in cases:
        given = [tensor(weights), tensor(x), tensor(grad)]
        before = [part.clone() for part in given]
        weights, x, grad = before
        T = len(weights)
        what = f"logit_gradient(weights {rows(weights[None])}; x {rows(x)}; grad {rows(grad[None])})"
        got = tensor_of(call(answer, *given), (T,), f"logit_gradient for T = {T}").detach().double()
        for name, part, kept in zip(("weights", "numbers of x", "numbers of grad"), given, before):
            unchanged(part, kept, name)
        g = x @ grad
        right = weights * (g - (weights * g).sum())
        if same(got, right):
            continue
        told = told_of(what, got, right)
        if same(got, g):
            raise Wrong("The gradient of the weights", f"{told} Yours stops at the weights. And the softmax?")
        if same(got, weights * g):
            raise Wrong("The average is not subtracted", f"{told} Yours should sum to 0. Why must they?")
        if same(got, g - (weights * g).sum()):
            raise Wrong("The weight as a factor is missing", f"{told} Who is hardly heard should hardly learn.")
        if same(got, weights * (1 - weights) * g):
            raise Wrong("Only the diagonal", f"{told} Each logit moves the other weights as well.")
        if same(got, weights * (g - g.mean())):
            raise Wrong("The plain average", f"{told} The average is weighted: who is heard more counts more.")
        if same(got, -right):
            raise Wrong("The sign is turned round", f"{told} Is it the average minus g, or g minus the average?")
        if same(got, weights * (g - g.sum())):
            raise Wrong("The sum, not the weighted average", f"{told} Where are the weights in it?")
        raise Wrong("Other numbers", told)
    weights = torch.full((4,), 0.25).double()
    got = tensor_of(call(answer, weights, torch.ones(4, 2).double(), tensor([1, 1])), (4,), "logit_gradient").double()
    if not same(got, torch.zeros(4)):
        raise Wrong("Other numbers", f"If all tokens are the same, no logit matters: not {rows(got[None])}, but 0.")


@exercise(
    lesson=LESSON,
    minutes=15,
    allows="You have made weights that depend on the distance only, and work for any number of tokens.",
    hints=(
        "First a (T, T) table of distances: places[:, None] - places, with places = torch.arange(T).",
        "A negative distance is the future. scores[distance] takes the scores; -1 would take the last, so mind those.",
        "distance.clamp(min=0) makes an index of it that is never negative; then masked_fill with −∞, and a softmax.",
    ),
    solution="""
        def weights_by_distance(scores):
            places = torch.arange(len(scores), device=scores.device)
            distance = places[:, None] - places  # (T, T): how far back
            logits = scores[distance.clamp(min=0)]  # (T, T)
            return logits.masked_fill(distance < 0, -torch.inf).softmax(dim=-1)
    """,
    reasons="Row t, column i is t − i places back. Below the diagonal all is as it should be. Above it, the distance "
    "is negative, and the mask decides. Indexing keeps the way back open: each score collects from its diagonal.",
)
def weights_by_distance(answer):
    import torch

    for values in ([2, 1, -1], [0, 0, 0], [0.5, 2, 1, -1], [1.0], [0, 900, 0]):
        scores = tensor(values)
        T = len(values)
        what = f"weights_by_distance({values})"
        given = scores.clone()
        leaf = given.requires_grad_()
        made = tensor_of(call(answer, leaf), (T, T), what)
        unchanged(leaf, scores, "scores")
        got = made.detach().double()
        places = torch.arange(T)
        distance = places[:, None] - places
        future = distance < 0

        def made_of(table, where, dim=-1):
            return table.masked_fill(where, -torch.inf).softmax(dim)

        reference = scores.clone().requires_grad_()
        expected = made_of(reference[distance.clamp(min=0)], future)
        right = expected.detach()
        if same(got, right) and not got[future].any():
            if not made.requires_grad:
                raise Wrong("No gradient can flow", f"{what} has the right numbers. What cut the graph to the scores?")
            factors = torch.arange(T * T).double().view(T, T) ** 2
            (theirs,) = torch.autograd.grad((made * factors).sum(), leaf, allow_unused=True)
            (ours,) = torch.autograd.grad((expected * factors).sum(), reference)
            if theirs is None or not same(theirs, ours):
                raise Wrong("No gradient can flow", f"{what} has the right numbers, but not the right gradient.")
            continue
        told = told_of(what, got, right)
        table = scores[distance.clamp(min=0)]
        if same(got, right, 1e-2) and got[future].any():
            raise Wrong("Nearly 0, not 0", f"{told} In the future, yours are small, but not exactly 0.")
        late = [scores[back].softmax(-1) * ~future for back in (distance.abs(), distance)]
        if got.isnan().any() and any(same(got, part / part.sum(-1, keepdim=True)) for part in late):
            raise Wrong(
                "Mask after the softmax, and the row divided again",
                f"{told} If a hidden logit is very large, what has the softmax left for the others?",
            )
        if got.isnan().any():
            raise Wrong("Not a number", f"{told} nan is not a number. Where do you compute 0 · −∞ or 0 / 0?")
        if same(got, scores[distance.abs()].softmax(-1)) or same(got, table.softmax(-1)):
            raise Wrong("The future is included", f"{told} The first row gives weight to what comes after it.")
        if same(got, scores[distance].softmax(-1)):
            raise Wrong("The future is included", f"{told} A negative index counts from the end. What stands there?")
        if same(got, table.softmax(-1) * ~future) or same(got, scores[distance.abs()].softmax(-1) * ~future):
            raise Wrong("Mask after the softmax", f"{told} Do your rows sum to 1?")
        if same(got, scores[distance].softmax(-1) * ~future):
            raise Wrong("Mask after the softmax", f"{told} Do your rows sum to 1?")
        if same(got, made_of(scores.expand(T, T), future)):
            raise Wrong("The place, not the distance", f"{told} scores[0] should be on the diagonal of every row.")
        if same(got, made_of(scores.flip(0).expand(T, T), future)):
            raise Wrong("The place, not the distance", f"{told} Only your last row counts from the token itself.")
        if same(got, made_of(scores[:, None].expand(T, T), future)):
            raise Wrong("The row's score for all", f"{told} A number that is the same in a whole row has no effect.")
        if same(got, made_of(table, future, 0)):
            raise Wrong("Columns, not rows", f"{told} Do your rows sum to 1?")
        if same(got, made_of(scores[(-distance).clamp(min=0)], distance > 0)):
            raise Wrong("It looks into the future only", f"{told} Which triangle may be heard?")
        if same(got, table.masked_fill(future, 0).softmax(-1)):
            raise Wrong("A logit of 0 is not hidden", f"{told} What is e to the power 0?")
        if (got[0] == got[0, 0]).all() and T > 1 and got[0, 0] == 0:
            raise Wrong("A token does not hear itself", told)
        raise Wrong("Other weights", told)
