"""Checks of lesson 14: parameters, positions, blocks, clipping, top-k, accumulation, a text's loss, writing, the cache.

torch is imported inside the functions, so that the checks of the first lessons do not wait for it.
"""

import itertools
import math

from ._exercise import Wrong, call, exercise, number
from ._tensors import fitting, learnable, plain, random_numbers, rows, same, tensor_of, told_at, told_of, unchanged
from .multi_head_attention import agree, hidden, norm
from .neural_networks import uses
from .text import pair_of

LESSON = "14_gpt"


def small_gpt(seed, vocab_size=5, block_size=4, n_embd=8, dropout=0.0, spread=1.0):
    """Return a GPT of one block that notes what goes through it, and leaves the learner's random numbers as they are.

    `seen` has the shape of each input, whether the model was in training, and whether gradients were computed.
    `waiting` says, of each call but the first that computes gradients, whether no backward pass had come in between.
    """
    import torch

    from ..gpt import GPT

    class Watched(GPT):
        def forward(self, idx, targets=None, caches=None):
            self.seen.append((tuple(idx.shape), self.training, torch.is_grad_enabled()))
            logits, loss = super().forward(idx, targets, caches)
            if logits.requires_grad:
                self.waiting.append(self.open > 0)
                self.open += 1
                logits.register_hook(self.done)
            return logits, loss

        def done(self, gradient):
            self.open = 0

        def forget(self):
            self.seen, self.waiting, self.open = [], [], 0

        def __repr__(self):  # short, for the messages that name what the answer was called with
            return f"GPT({vocab_size}, {block_size}, 1, 2, {n_embd})"

    with torch.random.fork_rng(devices=[]):
        model = Watched(vocab_size, block_size, 1, 2, n_embd, dropout)
    with torch.no_grad():
        for i, part in enumerate(model.parameters()):
            if part.dim() == 2:
                part.copy_(random_numbers(100 * seed + i, *part.shape))
        model.lm_head.weight *= spread
    model.forget()
    return model


def random_tokens(seed, vocab_size, *shape):
    import torch

    return torch.randint(vocab_size, shape, generator=torch.Generator().manual_seed(seed))


def parameters_of(V, P, L, C, **other):
    """Return how many parameters a GPT has, if each part is there as many times as it should, or as `other` says."""
    part = {
        "tokens": 1, "positions": 1, "projections": 1, "qkv": 3, "qkv_bias": 0, "bias": 1, "inner_bias": 4, "wide": 4,
        "inner": 1, "outer": 1, "norms": 2, "last": 1, "norm": 2, "head": 1, "head_bias": 1,
    } | other  # fmt: skip
    attention = part["qkv"] * C * C + part["qkv_bias"] * C + part["projections"] * (C * C + part["bias"] * C)
    inner = part["inner"] * (part["wide"] * C * C + part["bias"] * part["inner_bias"] * C)
    outer = part["outer"] * (part["wide"] * C * C + part["bias"] * C)
    block = attention + inner + outer + part["norms"] * part["norm"] * C
    last = part["last"] * part["norm"] * C + part["head"] * C * V + part["head_bias"] * V
    return part["tokens"] * V * C + part["positions"] * P * C + L * block + last


@exercise(
    lesson=LESSON,
    minutes=6,
    allows="You can say how large a GPT is before you make it, and in which part its numbers are.",
    hints=(
        "Go through the model from the bottom up: two tables, the blocks, the last LayerNorm, the last layer.",
        "A LayerNorm has 2C numbers. An nn.Linear from n to m has n · m weights, and m biases unless it has none.",
        "A block: C × 3C without biases, C × C, two LayerNorms, C × 4C and 4C × C. That is 12C² + 10C.",
    ),
    solution="""
        def gpt_parameters(vocab_size, block_size, n_layer, n_embd):
            C = n_embd
            tables = vocab_size * C + block_size * C
            attention = 3 * C * C + C * C + C
            feed_forward = C * 4 * C + 4 * C + 4 * C * C + C
            norms = 2 * 2 * C
            head = C * vocab_size + vocab_size
            return tables + n_layer * (attention + feed_forward + norms) + 2 * C + head
    """,
    reasons="Each block has 12C² weights, and that is nearly everything: 4C² in the attention, 8C² in the "
    "feed-forward network. Biases and norms are a few C. Twice as many layers are twice as many numbers; twice the "
    "width is four times as many. A longer block costs C more for each position, and nothing in the attention.",
)
def gpt_parameters(answer):
    if uses(answer, "GPT", "GPTBlock", "CausalSelfAttention", "parameters", "parameter_count", "numel"):
        raise Wrong(
            "The model is made after all",
            "Your function makes it and lets it count. Can you tell from the four numbers alone?",
        )
    cases = ((5, 3, 1, 2), (65, 64, 4, 128), (7, 11, 3, 6), (2, 9, 6, 10))
    got = [number(call(answer, *case), f"gpt_parameters{case}") for case in cases]
    right = [parameters_of(*case) for case in cases]
    if got == right:
        return

    def is_one(*others):
        return any(got == [count(*case) for case in cases] for count in others)

    def having(**other):
        return lambda *case: parameters_of(*case, **other)

    case, came, should = next(row for row in zip(cases, got, right) if row[1] != row[2])
    told = f"gpt_parameters{case} is {came:g} and should be {should}."
    if is_one(having(positions=0)):
        raise Wrong("The positions are forgotten", f"{told} Where does the model learn what stands where?")
    if is_one(having(tokens=0)):
        raise Wrong("One table of V × C, not two", f"{told} There is one on the way in, and one on the way out.")
    if is_one(having(tokens=0, positions=0)):
        raise Wrong("The embeddings are forgotten", f"{told} What comes before the first block?")
    if is_one(lambda V, P, L, C: parameters_of(V, P, L, C) - V * C - P * C + V * P * C):
        raise Wrong("A row for each token at each position", f"{told} Is there one table, or two that are added?")
    if is_one(having(last=0)):
        raise Wrong("The last LayerNorm is forgotten", f"{told} What stands between the last block and the logits?")
    if is_one(having(norms=0), having(norms=0, last=0)):
        raise Wrong("The norms are forgotten", f"{told} How many LayerNorms has each block?")
    if is_one(having(norms=1)):
        raise Wrong("One norm in each block", f"{told} What is normalized in a block, and how often?")
    if is_one(having(norm=1)):
        raise Wrong("Half a norm", f"{told} A LayerNorm has a gain for each channel. And what else?")
    if is_one(having(head_bias=0)):
        raise Wrong("The head without its bias", f"{told} Which of the model's Linear layers have bias=False?")
    if is_one(having(head=0, head_bias=0)):
        raise Wrong("The last layer is forgotten", f"{told} What makes V logits of C numbers?")
    if is_one(having(qkv_bias=3), having(qkv_bias=1)):
        raise Wrong("A bias that is not there", f"{told} Which Linear has bias=False?")
    if is_one(having(bias=0), having(bias=0, head_bias=0)):
        raise Wrong("No biases", f"{told} Only one kind of Linear layer in this GPT has bias=False.")
    if is_one(having(inner_bias=1), having(inner_bias=0)):
        raise Wrong("The inner layer's biases", f"{told} An nn.Linear has a bias for each number that it *makes*.")
    if is_one(having(qkv=1)):
        raise Wrong("One for queries, keys and values", f"{told} Its shape is C × 3C: each of the three has its own.")
    if is_one(having(projections=0)):
        raise Wrong("The projection is forgotten", f"{told} What mixes the heads' results?")
    if is_one(having(wide=1), having(wide=1, inner_bias=1)):
        raise Wrong("The inner layer is not wider", f"{told} The feed-forward network makes 4C numbers of C.")
    if is_one(having(outer=0)):
        raise Wrong(
            "4C² + C are missing in each block",
            f"{told} So many has the attention, and the second layer of the feed-forward network. Which is missing?",
        )
    if is_one(having(inner=0)):
        raise Wrong("Half a feed-forward network", f"{told} There is a layer before the relu and one after it.")
    if is_one(having(inner=0, outer=0)):
        raise Wrong("The feed-forward network is forgotten", f"{told} What comes after the attention in a block?")
    if is_one(lambda V, P, L, C: parameters_of(V, P, 1, C), lambda V, P, L, C: parameters_of(V, P, 0, C)):
        raise Wrong("The blocks are not counted", f"{told} There are n_layer of them, each with numbers of its own.")
    if is_one(lambda V, P, L, C: L * parameters_of(V, P, 1, C)):
        raise Wrong("Everything n_layer times", f"{told} What is there once for each block, and what once for all?")
    if is_one(lambda V, P, L, C: 12 * L * C * C, lambda V, P, L, C: 12 * L * C * C + 2 * V * C + P * C):
        raise Wrong("Only the large matrices", f"{told} That is a good rule of thumb. Here it should be exact.")
    if is_one(*(lambda V, P, L, C, k=k: parameters_of(V, P, L, C) - k * L * C for k in (1, 2, 5))):
        raise Wrong("Biases of a block are forgotten", f"{told} Which Linear layers of a block have one, how long?")
    raise Wrong("Another number", told)


@exercise(
    lesson=LESSON,
    minutes=6,
    allows="You know what a GPT reads: what each token is, and where it stands.",
    hints=(
        "token_table[tokens] takes a row for each token: (B, T, C).",
        "The T tokens stand at the positions before, before + 1, …: the same for each of the B texts.",
        "The rows of these positions are (T, C). Added to (B, T, C), they are broadcast over the batch.",
    ),
    solution="""
        def with_positions(tokens, token_table, position_table, before):
            T = tokens.shape[1]
            return token_table[tokens] + position_table[before : before + T]  # (B, T, C) + (T, C)
    """,
    reasons="Attention alone does not know in which order the tokens came. So each position has C numbers of its own, "
    "learned like the tokens', and they are added. With a cache only the new tokens go through the model: they do not "
    "stand at the beginning, but after those that were kept.",
)
def with_positions(answer):
    import torch

    small = torch.tensor([[1.0, 0], [2, 0], [5, 0]]), torch.tensor([[0, 0.1], [0, 0.2], [0, 0.3], [0, 0.4]])
    cases = (
        # tokens, tables, before; the first can be seen, in the second T is all there is, in the last T is 1
        (torch.tensor([[2, 0], [1, 2]]), *small, 0),
        (random_tokens(1, 6, 2, 4), random_numbers(2, 6, 3), random_numbers(3, 4, 3), 0),
        (random_tokens(4, 4, 3, 5), random_numbers(5, 4, 6), random_numbers(6, 9, 6), 0),
        (torch.tensor([[2, 0], [1, 2]]), *small, 2),
        (random_tokens(7, 7, 2, 3), random_numbers(8, 7, 5), random_numbers(9, 8, 5), 4),
        (random_tokens(10, 5, 3, 1), random_numbers(11, 5, 4), random_numbers(12, 7, 4), 6),
    )
    for tokens, token_table, position_table, before in cases:
        B, T = tokens.shape
        P, C = position_table.shape
        originals = tokens, token_table, position_table
        given = [part.clone() for part in originals]
        what = f"with_positions with B = {B}, T = {T}, C = {C}, {P} positions and before = {before}"
        question = "How many rows of the position table do T tokens need?"
        got = fitting(answer, *given, before, what=what, question=question)
        if isinstance(got, torch.Tensor) and tuple(got.shape) == (B, T, 2 * C):
            raise Wrong("Side by side, not added", f"{what} has the shape {tuple(got.shape)}, and not {(B, T, C)}.")
        if isinstance(got, torch.Tensor) and tuple(got.shape) in ((T, C), (1, T, C)) and B > 1:
            raise Wrong("Only one text", f"{what} has the shape {tuple(got.shape)}, and not {(B, T, C)}.")
        got = tensor_of(got, (B, T, C), what).detach()
        for name, part, kept in zip(("tokens", "token table", "position table"), given, originals):
            unchanged(part, kept, f"numbers of the {name}" if part.is_floating_point() else name)

        def is_one(*others, got=got):
            return any(same(got, other) for other in others)

        words, right_rows = token_table[tokens], position_table[before : before + T]
        right = words + right_rows
        if same(got, right):
            continue
        told = told_at(what, got, right)
        if is_one(words):
            raise Wrong("The positions are forgotten", f"{told} Does yours know which token came first?")
        if is_one(right_rows.expand_as(right)):
            raise Wrong("The tokens are forgotten", f"{told} Yours says where, but not what.")
        if T > 1 and is_one(words * right_rows):
            raise Wrong("Multiplied, not added", told)
        if is_one(words + position_table[tokens.clamp(max=P - 1)]):
            raise Wrong("The token's number as its position", f"{told} Which number says where a token stands?")
        if T > 1 and is_one(*(words + row for row in position_table)):
            raise Wrong("One position for all", f"{told} Each of the T tokens has a position of its own.")
        if is_one(words + position_table.sum(0), words + position_table.mean(0)):
            raise Wrong("All positions at every token", f"{told} Which one row belongs to a token?")
        if is_one(words + position_table[torch.arange(B) % P][:, None]):
            raise Wrong("The number of the text as its position", f"{told} Along which dimension do positions run?")
        if before and is_one(words + position_table[:T]):
            raise Wrong("Always from position 0", f"{told} {before} came before: where does the first one stand?")
        last = position_table[(torch.arange(T) + before - 1) % P], position_table[(torch.arange(T) + before + 1) % P]
        if is_one(*(words + part for part in last)):
            raise Wrong("One position off", f"{told} The very first token of a text stands at position 0.")
        if is_one(words + position_table[P - T :]):
            raise Wrong("The last positions", f"{told} Counted from where does a text begin?")
        if is_one(words + right_rows.flip(0)):
            raise Wrong("The positions run backwards", told)
        if is_one(right + right_rows):
            raise Wrong("The positions are added twice", told)
        raise Wrong("Other numbers", told)
    leaves = [part.clone().requires_grad_() for part in cases[2][1:3]]
    tokens, expected = cases[2][0], leaves[0][cases[2][0]] + leaves[1][: cases[2][0].shape[1]]
    if not learnable(call(answer, tokens, *leaves, 0), expected, leaves):
        raise Wrong("No gradient can flow", "The numbers are right, but the tables cannot learn. What cuts the graph?")


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can lay a whole text before a model so that each token is predicted once.",
    hints=(
        "The target of each input is the token after it: two views of the same text, one token apart.",
        "The last token of the text has no token after it. So L tokens have L − 1 pairs: how many blocks is that?",
        "N = (L − 1) // block_size. Then tokens[: N * block_size] and tokens[1 : N * block_size + 1]: view both anew.",
    ),
    solution="""
        def blocks_of(tokens, block_size):
            N = (len(tokens) - 1) // block_size
            inputs = tokens[: N * block_size].view(N, block_size)
            targets = tokens[1 : N * block_size + 1].view(N, block_size)
            return inputs, targets
    """,
    reasons="First shift, then cut: so the last target of a block is the first input of the next one, and no token is "
    "left out. Where L is a multiple of block_size, the last block would lack one target: hence the − 1.",
)
def blocks_of(answer):
    import torch

    # L // (T + 1) is N in the first alone, L // T is more than N in the third
    for L, T in ((10, 4), (7, 3), (12, 4), (9, 4), (6, 5), (14, 2)):
        tokens = torch.arange(11, 11 + L)
        given = tokens.clone()
        N = (L - 1) // T
        what = f"blocks_of of {L} tokens, {tokens[0]} to {tokens[-1]}, and block_size = {T}"
        try:
            pair = pair_of(call(answer, given, T), what, "the inputs and the targets")
        except RuntimeError as error:
            if not any(part in str(error) for part in ("is invalid for input of size", "equal size", "divisible")):
                raise
            raise Wrong(
                "The rest does not fit",
                f"In {what} PyTorch stops: {str(error).rstrip('.')}. How many whole blocks have a target for each "
                "of their inputs?",
            ) from None
        unchanged(given, tokens, "tokens")
        x, y = (
            part if part is ... or isinstance(part, torch.Tensor) else tensor_of(part, (N, T), f"The {name} of {what}")
            for part, name in zip(pair, ("inputs", "targets"))
        )
        windows = tokens.unfold(0, T + 1, T + 1)
        right = tokens[: N * T].view(N, T), tokens[1 : N * T + 1].view(N, T)
        shapes = [tuple(part.shape) for part in (x, y) if part is not ...]
        told = f"The inputs and targets of {what} have the shapes {' and '.join(map(str, shapes))}, not {(N, T)}."

        def is_pair(a, b, x=x, y=y):
            return all(part.shape == other.shape and part.equal(other) for part, other in ((x, a), (y, b)))

        if shapes != [(N, T)] * 2 and len(shapes) == 2:
            whole = L // T
            if shapes in ([(N, T), (N,)], [(N, T), (N, 1)], [(whole, T), (whole,)]):
                raise Wrong("One target for each block", f"{told} Each of the {T} inputs has a target of its own.")
            if shapes[0][1:] == shapes[1][1:] == (T - 1,) or shapes[1][1:] == (T - 1,):
                raise Wrong("The last of each block has no target", f"{told} First shift, or first cut?")
            if shapes == [(L - T, T)] * 2 or shapes == [(L - T + 1, T)] * 2:
                raise Wrong("The blocks overlap", f"{told} Where does the second block begin?")
            if shapes == [(T, N)] * 2:
                raise Wrong("Blocks in the columns", f"{told} Each *row* is a block.")
            if any(len(shape) == 1 for shape in shapes):
                raise Wrong("Not cut", f"{told} Each row is a block.")
            if shapes[0] == (N, T + 1) or shapes[1] == (N, T + 1):
                raise Wrong("Blocks of block_size + 1", f"{told} How many *inputs* has a block?")
            if shapes[0][1:] == (T,) and shapes[0][0] > N:
                raise Wrong("One block too many", f"{told} What is the target of the very last token?")
            if shapes[0][1:] == (T,) and shapes[0][0] < N:
                raise Wrong("One block too few", f"{told} Each pair of neighbours can be an input and its target.")
        for part, name in ((x, "inputs"), (y, "targets")):
            tensor_of(part, (N, T), f"The {name} of {what}")
            if part.is_floating_point() or part.dtype == torch.bool:
                raise Wrong("Not token numbers", f"The {name} of {what} are of the type {part.dtype}.")
        if is_pair(*right):
            continue
        # in the place where the first wrong number is
        wrong = (x != right[0]) if not x.equal(right[0]) else (y != right[1])
        b = int(wrong.nonzero()[0, 0])
        told = (
            f"In {what}, block {b} has the inputs {rows(x[b][None])} and the targets {rows(y[b][None])}, and should "
            f"have {rows(right[0][b][None])} and {rows(right[1][b][None])}."
        )
        if x.equal(y):
            raise Wrong("No shift", f"{told} What would a model learn that is asked for what it sees?")
        if is_pair(right[1], right[0]) or x.equal(right[0]) and y[0, 1:].equal(x[0, :-1]):
            raise Wrong("Shifted the wrong way", f"{told} What comes *after* each input?")
        if x.equal(right[0]) and (y[:, 0].equal(x[:, 0] + 2)):
            raise Wrong("Shifted by two", f"{told} What comes right after the first input?")
        if x.equal(right[0]) and y.equal(x.roll(-1, 1)):
            raise Wrong("Turned round inside the block", f"{told} What comes after the last input of a block?")
        if x.equal(right[0]) and y[:, :-1].equal(right[1][:, :-1]):
            raise Wrong("The last target of a block", f"{told} What comes after the last input of a block?")
        if is_pair(windows[:, :-1], windows[:, 1:]):
            raise Wrong("A token is lost between the blocks", f"{told} Is every token but the first a target?")
        if x.equal(tokens[: N * T].view(T, N).T):
            raise Wrong("Blocks in the columns", f"{told} Neighbours in a row should be neighbours in the text.")
        if x[0].equal(right[0][0]) and N > 1 and x[1, 0] == tokens[1]:
            raise Wrong("The blocks overlap", f"{told} Where does the second block begin?")
        if x[-1, -1] in tokens[-2:] and not x.equal(right[0]):
            raise Wrong("Dropped at the beginning", f"{told} What is left over is at the end.")
        raise Wrong("Other tokens", told)


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can keep one wild step from throwing a model off its way.",
    hints=(
        "How long is the vector of all gradients together? Squares, their sum over all tensors, one root.",
        "If it is too long, every number is multiplied by the same factor. Which factor makes the length `largest`?",
        "largest / length, but never more than 1: min(1, …). And what if the length is 0?",
    ),
    solution="""
        def shorten(gradients, largest):
            length = sum((gradient**2).sum() for gradient in gradients).sqrt().item()
            factor = largest / length if length > largest else 1.0
            return [gradient * factor for gradient in gradients]
    """,
    reasons="One factor for all keeps the direction: the step is shorter, but goes the same way. Each tensor by "
    "itself, or each number by itself, would turn it. A short vector stays as it is, and a vector of zeros is never "
    "divided by its length.",
)
def shorten(answer):
    import torch

    if uses(answer, "clip_grad_norm_", "clip_grad_norm", "clip_grads_with_norm_", "clip_grad_value_"):
        raise Wrong("Somebody else's clipping", "The exercise asks for squares, a sum, a root and a factor.")
    shapes = (3, 4), (), (2, 5, 2), (6,)
    many = [random_numbers(seed, math.prod(shape)).view(shape) * (seed + 1) for seed, shape in enumerate(shapes)]
    cases = (
        ([torch.tensor([4.0, -2.0]), torch.tensor([5.0]), torch.tensor([2.0])], 0.7, "[4, −2], [5] and [2]"),
        ([torch.tensor([[2.0], [-1.0]]), torch.tensor([-2.0, 4.0])], 10.0, "[[2], [-1]] and [-2, 4]"),
        ([torch.tensor([3.0, 0.0]), torch.tensor([4.0])], 5.0, "[3, 0] and [4]"),
        (many, 2.5, "four tensors of several shapes"),
        ([part / 1000 for part in many], 2.5, "four tensors of small numbers"),
        ([torch.zeros(2), torch.zeros(1, 3)], 1.0, "[0, 0] and [[0, 0, 0]]"),
        ([torch.tensor([[6.0, -8.0]])], 3.0, "[[6, -8]] alone"),
    )
    for gradients, largest, words in cases:
        given = [part.clone() for part in gradients]
        handed = list(given)
        length = norm(gradients)
        what = f"For {words}, whose length together is {length:.3g}, and largest = {largest:g}, shorten"
        got = call(answer, handed, largest)
        if len(handed) != len(given) or any(a is not b for a, b in zip(handed, given)):
            raise Wrong("The list that came in is changed", "Return a new one.")
        for part, kept in zip(given, gradients):
            unchanged(part, kept, "gradients")
        if not isinstance(got, (list, tuple)):
            raise Wrong("Not a list", f"{what} should give a list and gives {got!r:.60} ({type(got).__name__}).")
        if len(got) != len(given):
            raise Wrong("Not as many", f"{what} gives a list of {len(got)} for {len(given)} tensors.")
        got = [
            tensor_of(part, tuple(kept.shape), f"{what} gives a list, of which part {i}").detach()
            for i, (part, kept) in enumerate(zip(got, gradients))
        ]
        flat = torch.cat([part.flatten() for part in got])
        factor = min(1.0, largest / length) if length else 1.0
        right = torch.cat([part.flatten() * factor for part in gradients])

        def is_times(*factors, gradients=gradients, flat=flat):
            whole = torch.cat([part.flatten() for part in gradients])
            return any(same(flat, whole * factor, 1e-4) for factor in factors)

        if same(flat, right, 1e-4):
            continue
        told = told_of(what, flat[:6], right[:6]).replace("should give", "not")
        if length == 0 and flat.isnan().any():
            raise Wrong("Divided by a length of 0", f"{told} When is there anything to shorten?")
        if length == 0:
            raise Wrong("Other numbers", told)
        lengths = [norm([part]) for part in gradients]
        if is_times(1 / length) and length > largest != 1:
            raise Wrong("Always of length 1", f"{told} How long may it be?")
        if length <= largest and is_times(largest / length, 1 / length):
            raise Wrong("What is short is made long", f"{told} It is not longer than {largest:g} to begin with.")
        if is_times(1):
            raise Wrong("Nothing is shortened", told)
        for factors in ([largest / max(one, largest) for one in lengths], [largest / one for one in lengths]):
            apart = [(part * factor).flatten() for part, factor in zip(gradients, factors)]
            if same(flat, torch.cat(apart), 1e-4):
                raise Wrong("Each by itself", f"{told} Does your vector still point the same way?")
        limits = {"max": largest}, {"min": -largest, "max": largest}
        if any(same(flat, torch.cat([part.flatten() for part in gradients]).clamp(**limit), 1e-4) for limit in limits):
            raise Wrong("Each number by itself", f"{told} Does your vector still point the same way?")
        if is_times(largest):
            raise Wrong("Multiplied by largest alone", f"{told} How long is yours now?")
        if is_times(length / largest):
            raise Wrong("The factor upside down", f"{told} Is yours shorter than before?")
        if is_times(largest / sum(lengths)):
            raise Wrong("The lengths are added", f"{told} Sides of 3 and 4: how long is the way across?")
        if is_times(largest / length**2):
            raise Wrong("The root is missing", f"{told} The sum of the squares is the length's square.")
        if is_times(largest / norm(gradients, 1)):
            raise Wrong("Absolute values, not squares", f"{told} Sides of 3 and 4: how long is the way across?")
        means = [min(1.0, largest / length * n**0.5) for n in (len(flat), len(got))]
        if is_times(*means):
            raise Wrong("The mean of the squares", f"{told} The squares are added.")
        longest = max(part.abs().max().item() for part in gradients)
        if is_times(min(1.0, largest / longest), min(1.0, largest / max(lengths))):
            raise Wrong("Measured by the largest alone", f"{told} All numbers together are one vector.")
        if is_times(min(1.0, largest / lengths[0]), min(1.0, largest / lengths[-1])):
            raise Wrong("Measured by one tensor", f"{told} All tensors together are one vector.")
        if is_times(0):
            raise Wrong("Thrown away", f"{told} Too long is not useless: which way does it point?")
        raise Wrong("Other numbers", told)


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You have both knobs of writing in your hand: how bold, and from how many.",
    hints=(
        "Which logit is the k-th largest of its row? topk(k).values has the largest first.",
        "What is below it becomes −∞ before the softmax: then it gets nothing, and the others share out the whole.",
        "topk cannot give more than there are: min(k, V). The temperature divides the logits.",
    ),
    solution="""
        def top_k_shares(logits, k, temperature):
            k = min(k, logits.shape[-1])
            least = logits.topk(k).values[:, -1:]  # (B, 1)
            logits = logits.masked_fill(logits < least, -torch.inf)
            return (logits / temperature).softmax(dim=-1)  # (B, V)
    """,
    reasons="Both belong before the softmax, which then makes each row sum to 1. Which of the two comes first does not "
    "matter: dividing by the temperature changes no order. The limit is the k-th logit itself, so what equals it "
    "stays; each row has a limit of its own.",
)
def top_k_shares(answer):
    import torch

    small = torch.tensor([[1.0, 3.0, 2.0, 0.5, -0.5], [0.25, -1.0, 1.5, 2.0, 0.0]])
    cases = (
        # logits, k, temperature: the last but two has ties, then more than there are, then one alone
        (small, 2, 1.0),
        (small, 3, 2.0),
        (random_numbers(1, 3, 6) * 3, 4, 0.5),
        (-random_numbers(2, 5, 4).abs() - 1, 4, 1.5),
        (torch.tensor([[2.0, 2.0, 1.0, 2.0], [0.0, 1.0, 1.0, -1.0], [3.0, 2.0, 1.0, 0.0]]), 2, 0.8),
        (small, 9, 0.7),
        (random_numbers(3, 2, 7), 1, 1.3),
    )
    for logits, k, temperature in cases:
        B, V = logits.shape
        given = logits.clone()
        what = f"top_k_shares with k = {k} and temperature = {temperature:g}, for {B} rows of {V} logits,"
        try:
            got = call(answer, given, k, temperature)
        except (IndexError, RuntimeError) as error:
            if k <= V or not any(part in str(error) for part in ("out of range", "out of bounds")):
                raise
            raise Wrong("More than there are", f"In {what} PyTorch stops: {error}. There are only {V}.") from None
        if isinstance(got, torch.Tensor) and tuple(got.shape) == (B, k) != (B, V):
            raise Wrong("Only the k that stay", f"{what} has the shape {(B, k)}. Which tokens do they belong to?")
        got = tensor_of(got, (B, V), what.rstrip(",")).detach()
        unchanged(given, logits, "logits")
        least = logits.topk(min(k, V)).values[:, -1:]
        stays = logits >= least
        scaled = logits / temperature

        def shares(logits, stays=stays):
            return logits.masked_fill(~stays, -torch.inf).softmax(-1)

        def is_one(*others, got=got):
            return any(same(got, other) for other in others)

        right = shares(scaled)
        if same(got, right):
            continue
        b = int((got - right).abs().nan_to_num(torch.inf).amax(-1).argmax())
        told = (
            f"For the logits {rows(logits[b][None])}, k = {k} and temperature = {temperature:g}, yours are "
            f"{rows(got[b][None])} and should be {rows(right[b][None])}."
        )
        every = scaled.softmax(-1)
        if is_one(scaled.masked_fill(~stays, -torch.inf), scaled, scaled * stays, right.log()):
            raise Wrong("Not probabilities", f"{told} Does a row of yours sum to 1?")
        if k < V and is_one(every * stays):
            raise Wrong("They do not sum to 1", f"{told} What becomes of the shares of those that may not come?")
        if k < V and is_one(every):
            raise Wrong("k has no effect", f"{told} How many tokens of a row may come?")
        if is_one(scaled.masked_fill(~stays, 0).softmax(-1), (logits.masked_fill(~stays, 0) / temperature).softmax(-1)):
            raise Wrong("A logit of 0 is not hidden", f"{told} What is e to the power 0?")
        if temperature != 1 and is_one(shares(logits)):
            raise Wrong("The temperature has no effect", f"{told} What does it divide: logits or probabilities?")
        if temperature != 1 and is_one(shares(logits * temperature)):
            raise Wrong("Multiplied in place of divided", f"{told} A low temperature should make the sure surer.")
        late = shares(logits) / temperature, logits.softmax(-1) / temperature * stays
        if temperature != 1 and is_one(*late):
            raise Wrong("The temperature after the softmax", f"{told} What does a common factor do to a row's sum?")
        if is_one(shares(every), shares(logits.softmax(-1) / temperature), shares(right)):
            raise Wrong("A softmax of probabilities", f"{told} Does a softmax come twice?")
        if is_one(shares(scaled, logits <= -(-logits).topk(min(k, V)).values[:, -1:])):
            raise Wrong("The k smallest", f"{told} Which may come: the most probable, or the least?")
        if k < V and is_one(shares(scaled, ~stays)):
            raise Wrong("The others", f"{told} Yours leaves out the very ones that may come.")
        if k > 1 and is_one(shares(scaled, logits > least)):
            raise Wrong("One too few", f"{told} Is the k-th itself among those that may come?")
        if k == 1 and is_one(shares(scaled, logits > least), torch.zeros_like(got)):
            raise Wrong("One too few", f"{told} Is the k-th itself among those that may come?")
        if k + 1 <= V and is_one(shares(scaled, logits >= logits.topk(k + 1).values[:, -1:])):
            raise Wrong("One too many", f"{told} With indices from 0: where is the k-th?")
        limits = logits.flatten().topk(min(k, B * V)).values[-1], least[0], least.min()
        if is_one(*(shares(scaled, logits >= limit) for limit in limits)):
            raise Wrong("One limit for the whole batch", f"{told} Each row is a text of its own.")
        if is_one(shares(scaled, torch.arange(V) < k)):
            raise Wrong("The first k", f"{told} The most probable may stand anywhere in a row.")
        if is_one(stays / stays.sum(-1, keepdim=True)):
            raise Wrong("All k alike", f"{told} Among those that may come, the probable still come more often.")
        hidden = scaled.masked_fill(~stays, -torch.inf)
        if is_one(hidden.softmax(0), hidden.softmax(0).nan_to_num(0)):
            raise Wrong("Columns, not rows", f"{told} Each row of yours should sum to 1.")
        if is_one(*(part * stays / (part * stays).sum(-1, keepdim=True) for part in (logits, logits.relu()))):
            raise Wrong("Logits used as probabilities", f"{told} Where is the softmax?")
        if k < V and is_one(right.sort(descending=True).values):
            raise Wrong("The tokens' order is lost", f"{told} Column i belongs to token i.")
        kept = got > 0
        tied = stays.sum(-1) > k
        if tied.any() and same(got[~tied], right[~tied]) and (kept.sum(-1)[tied] == k).all():
            raise Wrong("A tie is cut", f"{told} Several are as probable as the k-th. Which of them may come?")
        raise Wrong("Other numbers", told)


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You can take a step with a batch that is larger than your memory.",
    hints=(
        "backward() adds to the gradients that are there. Here you want that, but only from the first part on.",
        "The mean of everything is the mean of the parts' means, as the parts are equally large. So what must be done "
        "to each part's loss before it goes backward?",
        "First every p.grad = None. Then for each pair of parts: loss / parts, and that backward.",
    ),
    solution="""
        def gradient_in_parts(model, x, y, parts):
            model.zero_grad()
            total = 0.0
            for some_x, some_y in zip(x.chunk(parts), y.chunk(parts)):  # (B / parts, T) each
                _, loss = model(some_x, some_y)
                loss = loss / parts
                loss.backward()
                total += loss.item()
            return total
    """,
    reasons="A gradient of a sum is the sum of the gradients, and backward() adds by itself. Dividing each loss by "
    "the number of parts makes the sum a mean. backward() in the loop frees what the part has left in memory; one "
    "backward pass at the end would need all parts at once. zero_grad comes once, before the loop.",
)
def gradient_in_parts(answer):
    import torch

    for B, T, parts, planted in ((6, 3, 2, None), (6, 4, 3, 10.0), (3, 2, 1, 10.0), (8, 4, 2, None), (5, 3, 5, 10.0)):
        model = small_gpt(B)
        parameters = list(model.parameters())
        x, y = random_tokens(B, 5, B, T), random_tokens(B + 1, 5, B, T)
        pairs = list(zip(x.chunk(parts), y.chunk(parts)))
        many = [torch.autograd.grad(model(*pair)[1], parameters) for pair in pairs]
        losses = [model(*pair)[1].item() for pair in pairs]
        right = [sum(group) / parts for group in zip(*many)]
        weights = [part.detach().clone() for part in parameters]
        for part in parameters:
            part.grad = None if planted is None else torch.full_like(part, planted)
        model.forget()
        what = f"gradient_in_parts with B = {B}, T = {T} and parts = {parts}"
        given = x.clone(), y.clone()
        returned = call(answer, model, *given, parts)
        unchanged(given[0], x, "tokens of x")
        unchanged(given[1], y, "tokens of y")
        if not all(part.equal(old) for part, old in zip(parameters, weights)):
            raise Wrong("The parameters are changed", "You are to compute the gradient, not to take the step.")
        shapes = [shape for shape, _, _ in model.seen]
        told = f"In {what}, this went through the model: {', '.join(map(str, shapes))}."
        if not shapes:
            raise Wrong("The model is not used", f"{what} does not call model(x, y).")
        if any(shape[1] != T for shape in shapes):
            raise Wrong("The texts are cut, not the batch", f"{told} Which dimension is the batch?")
        if parts > 1 and (B, T) in shapes:
            raise Wrong("All at once", f"{told} There is room for {B // parts} of the {B} examples at a time.")
        if parts != B // parts and all(shape[0] == parts for shape in shapes):
            raise Wrong("parts is how many, not how large", f"{told} There should be {parts} parts.")
        if any(shape[0] != B // parts for shape in shapes):
            raise Wrong("Parts of another size", f"{told} There should be {parts} parts of {B // parts} examples.")
        if len(shapes) < parts:
            raise Wrong("Not every part", f"{told} There should be {parts} parts.")
        got = [part.grad for part in parameters]
        got = [torch.zeros_like(part) if grad is None else grad for part, grad in zip(parameters, got)]
        sizes = f"After {what} the gradient's length is {norm(got):.4g} and should be {norm(right):.4g}."

        def is_one(other, got=got):
            return all(same(a, b, 1e-4) for a, b in zip(got, other))

        def times(factor, grads):
            return [grad * factor for grad in grads]

        if not is_one(right):
            start = planted or 0.0
            if is_one([grad + start for grad in right]):
                raise Wrong("Old gradients are counted", f"{sizes} Each number in .grad was {start:g} before.")
            if is_one([torch.full_like(grad, start) for grad in right]):
                raise Wrong("No gradient has been computed", f"{sizes} Does yours call backward()?")
            if parts > 1 and is_one(times(parts, right)):
                raise Wrong("The sum, not the mean", f"{sizes} Yours is {parts} times as long.")
            if parts > 1 and is_one(times(1 / parts, right)):
                raise Wrong("Divided twice", f"{sizes} How often do you divide by the number of parts?")
            if parts > 1 and any(is_one(times(1 / n, many[-1])) for n in (1, parts, B)):
                raise Wrong("Only the last part counts", f"{sizes} What sets the gradients back within the loop?")
            if parts > 1 and any(is_one(times(1 / n, many[0])) for n in (1, parts, B)):
                raise Wrong("Only the first part counts", f"{sizes} Does every part go backward?")
            if any(is_one(times(parts / n, right)) for n in (B, B * T, B // parts, T)):
                raise Wrong("Divided by another number", f"{sizes} Each part's loss is a mean. How many are there?")
            raise Wrong("Another gradient", sizes)
        if any(model.waiting):
            raise Wrong(
                "All parts are kept until the end",
                "The gradient is right, but a part goes in before the one before it has gone backward. What stays in "
                "memory meanwhile?",
            )
        loss = plain(returned, f"What {what} returns")
        told = f"{what} returns {loss:.5g} and should return {sum(losses) / parts:.5g}."
        if not agree([loss], [sum(losses) / parts]):
            if parts > 1 and agree([loss], [sum(losses)]):
                raise Wrong("The losses are added", f"{told} The gradient is right. And the mean of the losses?")
            if parts > 1 and any(agree([loss], [losses[-1] / n]) for n in (1, parts)):
                raise Wrong("The loss of the last part", f"{told} The gradient is right. And the mean of the losses?")
            if parts > 1 and agree([loss], [sum(losses) / parts**2]):
                raise Wrong("The loss is divided twice", f"{told} The gradient is right.")
            raise Wrong("Another loss", f"{told} The gradient is right.")


def block_losses(model, pairs):
    """Return the mean loss of each pair of inputs and targets, and how many tokens it has; in evaluation."""
    import torch

    model.eval()
    with torch.no_grad():
        return [(model(x[None], y[None])[1].item(), len(x)) for x, y in pairs]


@exercise(
    lesson=LESSON,
    minutes=12,
    allows="You can measure a model on a whole text, so that two numbers can be compared.",
    hints=(
        "Inputs are tokens[:-1], targets are tokens[1:]. split(block_size) cuts both and keeps the rest.",
        "model(x, y) gives the *mean* loss of a block. A short block has fewer tokens: how many times does it count?",
        "Sum of (mean loss · number of its tokens), divided by L − 1. model.eval() before, model.train(as it was) "
        "after, and torch.no_grad() around it.",
    ),
    solution="""
        @torch.no_grad()
        def text_loss(model, tokens, block_size):
            was_training = model.training
            model.eval()
            total = 0.0
            for x, y in zip(tokens[:-1].split(block_size), tokens[1:].split(block_size)):  # (T,) each
                _, loss = model(x[None], y[None])  # (1, T) each
                total += loss.item() * len(x)
            model.train(was_training)
            return total / (len(tokens) - 1)
    """,
    reasons="A mean of means is the mean of all only where all are of the same size. So each block's mean is turned "
    "back into a sum, times its number of tokens, and the sum of all is divided once. The model's dropout would "
    "measure a thinned-out model. model.train(was_training), and not model.train(): who comes with a model in "
    "evaluation wants it back like that.",
)
def text_loss(answer):
    if uses(answer, "whole_loss", "evaluate"):
        raise Wrong("The lesson's function does it", "Yours should do it by itself.")
    for L, T, train in ((9, 4, True), (12, 4, True), (12, 4, False), (4, 5, True), (2, 3, False), (20, 3, True)):
        model = small_gpt(7 * L + T, 6, 7, dropout=0.4)
        tokens = random_tokens(L, 6, L)
        x, y = tokens[:-1].split(T), tokens[1:].split(T)
        found = block_losses(model, zip(x, y))

        def mean(pairs):
            return sum(loss * n for loss, n in pairs) / sum(n for _, n in pairs)

        right = mean(found)
        weights = [part.detach().clone() for part in model.parameters()]
        model.train(train)
        model.forget()
        given = tokens.clone()
        what = f"text_loss of {L} tokens with block_size = {T}"
        try:
            got = plain(call(answer, model, given, T), what)
        except ValueError as error:
            if "positions, and these are" not in str(error):
                raise
            raise Wrong("More than the model can read", f"In {what} the model stops: {error}.") from None
        except RuntimeError as error:
            if not any(part in str(error) for part in ("is invalid for input of size", "stack expects")):
                raise
            raise Wrong(
                "The last block is shorter",
                f"In {what} PyTorch stops: {str(error).rstrip('.')}. Blocks of two sizes do not fit into one tensor.",
            ) from None
        unchanged(given, tokens, "tokens")
        if not all(part.equal(old) for part, old in zip(model.parameters(), weights)):
            raise Wrong("The parameters are changed", "You are to measure the model, not to train it.")
        was, is_now = ("training" if mode else "evaluation" for mode in (train, model.training))
        seen = list(model.seen)
        if not seen:
            raise Wrong("The model is not used", f"{what} does not call model(x, y).")
        if any(training for _, training, _ in seen):
            raise Wrong(
                "Dropout in evaluation",
                f"In {what} the model is in training, so {model.dropout:.0%} of its numbers are dropped out. "
                "What switches that off?",
            )
        told = f"{what} is {got:.5g} and should be {right:.5g}."
        if not agree([got], [right]):
            rest = (L - 1) % T
            means = [loss for loss, _ in found]
            if rest and L > T and agree([got], [sum(means) / len(means)]):
                raise Wrong("Each block counts the same", f"{told} The last block has {rest} tokens, the others {T}.")
            if rest and L > T and agree([got], [mean(found[:-1])]):
                raise Wrong("The rest is dropped", f"{told} There are {L - 1} predictions. How many are yours?")
            if rest and L > T and agree([got], [sum(means) / ((L - 1) // T)]):
                raise Wrong("Divided by another number", f"{told} Divide the sum of all losses by their number.")
            if L > 2 and agree([got], [right * (L - 1)]):
                raise Wrong("The sum, not the mean", f"{told} There are {L - 1} predictions.")
            if len(found) > 1 and agree([got], [sum(means)]):
                raise Wrong("The blocks' means are added", f"{told} Is the text twice as bad if it is twice as long?")
            wrong = L, len(found) * T, len(found), T, (L - 1) / len(found) * (L - 1) / T
            if any(agree([got], [right * (L - 1) / n]) for n in wrong) or agree([got], [right / len(found)]):
                raise Wrong("Divided by another number", f"{told} Divide the sum of all losses by their number.")
            if agree([got], [mean(block_losses(model, zip(x, x)))]):
                raise Wrong("No shift", f"{told} The target of each token is the one after it, not itself.")
            if agree([got], [mean(block_losses(model, zip(y, x)))]):
                raise Wrong("Shifted the wrong way", f"{told} What is predicted: what comes, or what came?")
            if agree([got], [means[0]]) or agree([got], [means[-1]]):
                raise Wrong("One block only", f"{told} The text has {len(found)} blocks.")
            if agree([got], [math.exp(right)]):
                raise Wrong("The perplexity", f"{told} Yours is e to the power of the loss.")
            inside = [(part[:-1], part[1:]) for part in tokens.split(T) if len(part) > 1]
            if T > 1 and agree([got], [mean(block_losses(model, inside))]):
                raise Wrong("The first of each block is not predicted", f"{told} First shift, or first cut?")
            turned = zip(tokens.split(T), (part.roll(-1) for part in tokens.split(T)))
            if agree([got], [mean(block_losses(model, turned))]):
                raise Wrong("Turned round inside the block", f"{told} What comes after the last token of a block?")
            slides = [(tokens[i : i + T], tokens[i + 1 : i + T + 1]) for i in range(L - T)]
            if slides and agree([got], [mean(block_losses(model, slides))]):
                raise Wrong("The blocks overlap", f"{told} How often is each token predicted?")
            if agree([got], [mean(block_losses(model, zip(tokens[:-1].split(1), tokens[1:].split(1))))]):
                raise Wrong("Each token alone", f"{told} What does a token of a block hear before it?")
            own = zip(tokens[:-1].split(model.block_size), tokens[1:].split(model.block_size))
            if agree([got], [mean(block_losses(model, own))]):
                raise Wrong("The model's block_size", f"{told} Here {T} tokens make a block, not {model.block_size}.")
            raise Wrong("Another number", told)
        if any(grads for _, _, grads in seen):
            raise Wrong(
                "Gradients that nobody needs", "The loss is right. But each call builds a graph. What stops that?"
            )
        if train != model.training:
            raise Wrong("Another mode than before", f"The model came in {was}, and is left in {is_now}.")


def written(model, tokens, n, window=None, place=-1, largest=True, read=True):
    """Return what the model writes with the most probable token each time, and the least lead it had over another.

    window cuts what is read of the text; with read=False it reads the beginning only.
    """
    import torch

    text, lead = tokens, math.inf
    with torch.no_grad():
        for _ in range(n):
            given = text if read else tokens
            context = given[:, -model.block_size :] if window is None else window(given)
            logits = model(context)[0][:, place]
            best = logits.topk(2).values
            lead = min(lead, (best[:, 0] - best[:, 1]).min().item())
            token = logits.argmax(-1) if largest else logits.argmin(-1)
            text = torch.cat([text, token[:, None]], 1)
    return text, lead


def sure_gpt(tokens, n, first):
    """Return a GPT that is so sure of what comes after these tokens that no draw is ever anything else.

    The first seed gives one at once, unless random numbers are others on this machine: then the next that does.
    """
    for seed in itertools.count(first):
        model = small_gpt(seed, dropout=0.5, spread=13.0).eval()
        text, lead = written(model, tokens, n)
        if lead > 12 and len(text[:, tokens.shape[1] :].unique()) > 3:
            return model


DRAWS = 1000
BIASES = (0.5, 2.5, 1.0)


def unsure_gpt():
    """Return a GPT that says the same everywhere: logits that are all above 0."""
    import torch

    model = small_gpt(1, len(BIASES))
    with torch.no_grad():
        model.lm_head.weight.zero_()
        model.lm_head.bias.copy_(torch.tensor(BIASES))
    return model


def writes(answer, model, tokens, n, generator, what):
    """Return the text that the answer writes, a (B, T + n) tensor, and say what stopped it where something did."""
    import torch

    B, T = tokens.shape
    given = tokens.clone()
    try:
        got = call(answer, model, given, n, generator)
    except ValueError as error:
        if "positions, and these are" not in str(error):
            raise
        raise Wrong(
            "The context is not cropped",
            f"In {what} the model stops: {error}. How much of a long text can it read, and which end of it?",
        ) from None
    except RuntimeError as error:
        if "probability tensor" in str(error):
            raise Wrong(
                "Drawn from logits",
                f"In {what} PyTorch stops: {str(error).rstrip('.')}. Are the numbers that you draw from probabilities?",
            ) from None
        if "prob_dist must be 1 or 2 dim" in str(error):
            raise Wrong(
                "Every position at once",
                f"In {what} PyTorch stops: {str(error).rstrip('.')}. Which position says what comes next?",
            ) from None
        if "cannot be converted to Scalar" in str(error):
            raise Wrong("Only one text", f"In {what} PyTorch stops: {error}. There are {B} texts.") from None
        raise
    unchanged(given, tokens, "tokens")
    if not isinstance(got, torch.Tensor):
        raise Wrong("Not a tensor", f"{what} should be a tensor and is {got!r:.60} ({type(got).__name__}).")
    told = f"{what} has the shape {tuple(got.shape)} and should have {(B, T + n)}."
    if tuple(got.shape) == (B, n):
        raise Wrong("The beginning is missing", f"{told} Return it too.")
    if got.dim() == 2 and got.shape[0] == B and got.shape[1] in (T + n - 1, T + n + 1):
        raise Wrong("One token too many or too few", told)
    if T + n > model.block_size + 1 and tuple(got.shape) in ((B, model.block_size), (B, model.block_size + 1)):
        raise Wrong("What is cropped is lost", f"{told} What the model reads is cropped, not what is returned.")
    if B > 1 and tuple(got.shape) in ((T + n,), (1, T + n), (B * T + n,)):
        raise Wrong("Only one text", told)
    got = tensor_of(got, (B, T + n), what)
    if got.is_floating_point():
        raise Wrong("Not token numbers", f"{what} is of the type {got.dtype}.")
    return got


@exercise(
    lesson=LESSON,
    minutes=12,
    allows="You have the machine that writes, and you could write it down again on a desert island.",
    hints=(
        "n times: the model reads, its logits become probabilities, a token is drawn and appended to each text.",
        "It can read the last block_size tokens at most: tokens[:, -model.block_size :]. The last position of its "
        "logits says what comes next.",
        "torch.multinomial(probs, num_samples=1, generator=generator) draws one token for each row, (B, 1): append it "
        "with torch.cat in dimension 1. And model.eval() first, model.train(as it was) at the end.",
    ),
    solution="""
        @torch.no_grad()
        def write_on(model, tokens, n, generator):
            was_training = model.training
            model.eval()
            for _ in range(n):
                logits, _ = model(tokens[:, -model.block_size :])  # (B, T, V)
                probs = logits[:, -1].softmax(dim=-1)  # (B, V)
                new = torch.multinomial(probs, num_samples=1, generator=generator)  # (B, 1)
                tokens = torch.cat([tokens, new], dim=1)
            model.train(was_training)
            return tokens
    """,
    reasons="What the model reads is cropped, the text itself is not. Only the last position has heard everything, and "
    "what it predicts is what is not there yet. Logits may be negative, so the softmax comes before the draw. Without "
    "model.eval() a part of the model is dropped out at every step, and the text gets worse for no reason.",
)
def write_on(answer):
    import torch

    if uses(answer, "generate"):
        raise Wrong("Somebody else writes", "The exercise asks for the loop of generate by hand.")
    for B, T, n, train, seed in ((3, 2, 2, True, 1172), (2, 1, 9, True, 248), (3, 6, 4, False, 1146)):
        tokens = random_tokens(B + T, 5, B, T)
        model = sure_gpt(tokens, n, seed)
        right, _ = written(model, tokens, n)
        weights = [part.detach().clone() for part in model.parameters()]
        model.train(train)
        model.forget()
        what = f"write_on with B = {B}, T = {T}, n = {n} and block_size = {model.block_size}"
        got = writes(answer, model, tokens, n, torch.Generator().manual_seed(B), what)
        seen, left = list(model.seen), model.training
        if not seen:
            raise Wrong("The model is not asked", f"{what} does not call model(…).")
        if any(training for _, training, _ in seen):
            raise Wrong(
                "Dropout while writing",
                f"In {what} the model is in training, so {model.dropout:.0%} of its numbers are dropped out. "
                "What switches that off?",
            )
        if not all(part.equal(old) for part, old in zip(model.parameters(), weights)):
            raise Wrong("The parameters are changed", "The model is to write, not to learn.")
        model.eval()

        def is_one(*others, got=got, model=model, tokens=tokens, n=n):
            return any(got.equal(written(model, tokens, n, **other)[0]) for other in others)

        if not got.equal(right):
            b = int((got != right).any(1).nonzero()[0, 0])
            told = (
                f"This model is so sure that each text has only one end. In {what}, text {b} is "
                f"{rows(got[b][None])} and should be {rows(right[b][None])}."
            )
            if not got[:, :T].equal(tokens):
                raise Wrong("The beginning is another one", f"{told} Where does what is new belong?")
            if is_one({"place": 0}):
                raise Wrong("The first position, not the last", f"{told} Which position has heard everything?")
            if T > 1 and is_one({"place": -2}, {"window": lambda text, P=model.block_size: text[:, :-1][:, -P:]}):
                raise Wrong("The newest token does not count", f"{told} Which position has heard everything?")
            if is_one({"largest": False}, {"largest": False, "window": lambda text: text[:, -1:]}):
                raise Wrong("The least probable", told)
            if is_one({"window": lambda text: text[:, -1:]}):
                raise Wrong("Only the newest token is read", f"{told} What of the tokens before it?")
            if is_one({"read": False}):
                raise Wrong("What is new is not read", f"{told} Each new token is read before the next is drawn.")
            if is_one({"window": lambda text, P=model.block_size: text[:, :P]}):
                raise Wrong("The beginning is read, not the end", f"{told} Which end of a long text says what comes?")
            if is_one(*({"window": lambda text, k=k: text[:, -k:]} for k in range(2, model.block_size))):
                raise Wrong("Too little is read", f"{told} The model can read {model.block_size} tokens.")
            if B > 1 and (got[:, T:] == got[:1, T:]).all():
                raise Wrong("The same for all texts", f"{told} Each text goes on by itself.")
            raise Wrong("Another text", told)
        if any(grads for _, _, grads in seen):
            raise Wrong(
                "Gradients that nobody needs", "The text is right. But each call builds a graph. What stops that?"
            )
        if left != train:
            was, is_now = ("training" if mode else "evaluation" for mode in (train, left))
            raise Wrong("Another mode than before", f"The model came in {was}, and is left in {is_now}.")
    model, tokens, n = unsure_gpt().eval(), torch.zeros(DRAWS, 1, dtype=torch.long), 4
    logits = torch.tensor(BIASES)
    what = f"write_on of {DRAWS} texts by a model that has the logits {list(BIASES)} everywhere"
    texts = []
    for stream in (1, 2):
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream)  # what does not come from the generator comes from here
            texts.append(writes(answer, model, tokens, n, torch.Generator().manual_seed(5), what)[:, 1:])
    drawn = texts[0]
    counts = torch.bincount(drawn.flatten(), minlength=3)[:3] / drawn.numel()

    def close_to(weights):
        return bool((counts - weights / weights.sum()).abs().max() < 0.04)

    right = logits.softmax(0)
    told = f"In {what}, the shares of the three are {rows(counts[None])} and should be near {rows(right[None])}."
    if (drawn == 1).all():
        raise Wrong("Always the most probable", f"{told} That is no draw. What does argmax do to a text?")
    if not texts[0].equal(texts[1]):
        raise Wrong("The generator is not used", "Two generators of the same seed should write the same texts.")
    if drawn.equal(drawn[:1].expand_as(drawn)):
        raise Wrong("One draw for all texts", f"In {what}, all go on alike. Each text has a draw of its own.")
    if drawn.equal(drawn[:, :1].expand_as(drawn)):
        raise Wrong("The same draw at every step", f"In {what}, each text repeats one token. What is set back?")
    if not close_to(right):
        if close_to(logits):
            raise Wrong("Drawn from logits", f"{told} Where is the softmax?")
        if close_to(torch.ones(3)):
            raise Wrong("All equally probable", f"{told} Do the logits count at all?")
        if close_to(right.softmax(0)):
            raise Wrong("A softmax of probabilities", f"{told} Does a softmax come twice?")
        if close_to((-logits).softmax(0)):
            raise Wrong("The wrong way round", f"{told} The largest logit should be drawn most often.")
        raise Wrong("Other shares", told)


@exercise(
    lesson=LESSON,
    minutes=15,
    allows="You have built what makes every chat quick: what was computed once is never computed again.",
    hints=(
        "First put together: keys = torch.cat([past_k, k], dim=2), and likewise the values. These are two of the three "
        "results, and also what the attention works with.",
        "The scores are (B, H, T, hs) @ (B, H, hs, P + T) → (B, H, T, P + T), over the root of hs. What may new "
        "token number t hear? All P that were kept, and the new ones up to itself.",
        "That is the mask of P + T tokens, of which the last T rows count: causal_mask(P + T)[P:].",
    ),
    solution="""
        def attend_on(q, k, v, past_k, past_v):
            k = torch.cat([past_k, k], dim=2)  # (B, H, P + T, hs)
            v = torch.cat([past_v, v], dim=2)  # (B, H, P + T, hs)
            T, total = q.shape[2], k.shape[2]
            past = torch.ones(total, total, dtype=torch.bool, device=q.device).tril()[total - T :]  # (T, P + T)
            scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (B, H, T, P + T)
            weights = scores.masked_fill(~past, -torch.inf).softmax(dim=-1)
            return weights @ v, k, v
    """,
    reasons="The kept tokens ask nothing any more: no queries of theirs are needed, only what they answer (keys) and "
    "hand over (values). The new tokens are rows P to P + T − 1 of the full square, so they take the mask's last "
    "rows; its first T rows would hide nearly all that was kept. With one new token there is nothing to hide.",
)
def attend_on(answer):
    import torch

    if uses(
        answer, "attention_weights", "scaled_dot_product_attention", "fused_attention", "Head", "CrossAttention",
        "MultiHeadAttention", "MultiheadAttention", "CausalSelfAttention", "Cache",
    ):  # fmt: skip
        raise Wrong("Somebody else's attention", "The exercise asks for cat, products, a mask and a softmax.")
    # q, k, v, past_k, past_v: the values of the first are such that what is heard are the weights
    rows_of = [[2, 0, 1, 1]], [[1, 0, 0, 1]], [[0, 0, 1, 0]], [[1, 0, 0, 0], [0, 1, 1, 0]], [[1, 0, 0, 0], [0, 1, 0, 0]]
    cases = [[torch.tensor([[part]]).float() for part in rows_of]]
    for B, H, P, T, hs in ((2, 3, 4, 1, 5), (2, 3, 0, 1, 4), (2, 3, 0, 4, 5), (2, 3, 5, 4, 6), (3, 2, 2, 4, 5)):
        cases.append([random_numbers(10 * hs + i, B, H, n, hs) for i, n in enumerate((T, T, T, P, P))])
    for parts in cases:
        q, k, v, past_k, past_v = parts
        (B, H, T, hs), P = q.shape, past_k.shape[2]
        given = [part.clone() for part in parts]
        what = f"attend_on with B = {B}, H = {H}, hs = {hs}, P = {P} kept and T = {T} new"
        made = fitting(answer, *given, what=what, question="Which of your tensors should have P + T rows, and which T?")
        if not isinstance(made, (list, tuple)) or len(made) != 3:
            shown = f"{type(made).__name__} of {len(made)}" if isinstance(made, (list, tuple)) else type(made).__name__
            raise Wrong("Not three", f"{what} should give three tensors: heard, keys, values. It gives: {shown}.")
        for name, part, kept in zip(("q", "k", "v", "past_k", "past_v"), given, parts):
            unchanged(part, kept, f"numbers of {name}")
        out, keys, values = (part.detach() if isinstance(part, torch.Tensor) else part for part in made)
        both = torch.cat([past_k, k], 2), torch.cat([past_v, v], 2)
        for name, got, old, new, right in (("keys", keys, past_k, k, both[0]), ("values", values, past_v, v, both[1])):
            whats = f"The {name} that {what} gives back"

            def is_one(other, got=got):
                return isinstance(got, torch.Tensor) and got.shape == other.shape and got.equal(other)

            if is_one(right):
                continue
            if P and is_one(new):
                raise Wrong("What was kept is lost", f"{whats} are the new ones alone. What about the next time?")
            if is_one(old):
                raise Wrong("The new ones are not kept", f"{whats} are the old ones alone. What about the next time?")
            if is_one(torch.cat([old, new, new], 2)) or is_one(torch.cat([right, right], 2)):
                raise Wrong("Kept twice", f"{whats} have the shape {tuple(got.shape)}, not {tuple(right.shape)}.")
            if P and is_one(torch.cat([new, old], 2)):
                raise Wrong("The new ones come first", f"{whats} should be in the text's order.")
            if is_one(both[1] if right is both[0] else both[0]):
                raise Wrong("Keys and values change places", f"{whats} are the other ones.")
            if is_one(torch.cat([old, new], 2)[:, :, 1:]):
                raise Wrong("The oldest is dropped", f"{whats} have {tuple(got.shape)[2]} rows, not {P + T}.")
            tensor_of(got, tuple(right.shape), whats)
            raise Wrong("Other keys or values are kept", told_at(f"For the {name} to be kept, {what}", got, right))
        if isinstance(out, torch.Tensor) and P and tuple(out.shape) == (B, H, P + T, hs):
            raise Wrong("The old tokens ask again", f"{what} gives {P + T} rows. How many tokens are new?")
        if isinstance(out, torch.Tensor) and tuple(out.shape) == (B, H, T, P + T) and P + T != hs:
            raise Wrong(
                "The weights, not what they fetch", f"{what} gives rows of {P + T}. What are weights multiplied by?"
            )
        out = tensor_of(out, (B, H, T, hs), f"What {what} hears")
        causal = torch.ones(P + T, P + T, dtype=torch.bool).tril()

        def heard(q, k, v, mask, scale=hs**-0.5, filler=-torch.inf, dim=-1):
            return (q @ k.mT * scale).masked_fill(~mask, filler).softmax(dim) @ v

        def hears(*others, out=out):
            return any(same(out, other, 1e-4) for other in others)

        last, everyone = causal[P:], torch.ones(T, P + T, dtype=torch.bool)
        right = heard(q, *both, last)
        if same(out, right, 1e-4):
            continue
        told = told_at(f"What {what} hears", out, right)
        if P and hears(heard(q, past_k, past_v, everyone[:, :P])):
            raise Wrong("The new tokens' keys are not in", f"{told} May a token hear itself?")
        if P and hears(heard(q, k, v, causal[:T, :T]), heard(q, k, v, everyone[:, :T])):
            raise Wrong("Nothing that was kept is heard", f"{told} What are past_k and past_v for?")
        if T > 1 and hears(heard(q, *both, everyone)):
            raise Wrong("The new tokens hear the future", f"{told} The first of {T} new tokens: may it hear the last?")
        if P and hears(heard(q, *both, causal[:T]), heard(q, *both, causal[:T], filler=-1e9)):
            raise Wrong("The first rows of the mask", f"{told} Which of the P + T tokens are the new ones?")
        if hears(*hidden(heard, q, *both, causal.tril(-1)[P:])):
            alone = " nan is a row that may listen to nobody." if out.isnan().any() else ""
            raise Wrong("A token does not hear itself", f"{told}{alone} Up to where may new token number t hear?")
        more = torch.ones(T, P + T, dtype=torch.bool).tril(P + 1)
        if T > 1 and hears(heard(q, *both, more)):
            raise Wrong("One token too far", f"{told} Up to where may new token number t hear?")
        twice = (torch.cat([both[0], k], 2), torch.cat([both[1], v], 2))
        doubled = torch.cat([last, last[:, P:]], 1)
        if hears(heard(q, *twice, torch.ones_like(doubled)), heard(q, *twice, doubled)):
            raise Wrong("The new tokens are heard twice", f"{told} How often are they in your keys?")
        if P and hears(*(heard(q, *both, last & (torch.arange(P + T) != i)) for i in (0, P - 1))):
            raise Wrong("A kept token is not heard", f"{told} All {P} that were kept may be heard.")
        if P and B > 1:
            keys, values = (torch.cat([old[:1].expand_as(old), new], 2) for old, new in ((past_k, k), (past_v, v)))
            if hears(heard(q, keys, values, last)):
                raise Wrong("Another text's past", f"{told} Each of the {B} texts has a past of its own.")
        if hears(heard(q, *both, last, scale=1)):
            raise Wrong("The scores are not scaled", f"{told} By what are they divided?")
        others = 1 / hs, hs**0.5, (H * hs) ** -0.5, (P + T) ** -0.5, T**-0.5
        if hears(*(heard(q, *both, last, scale=scale) for scale in others)):
            raise Wrong("Scaled by another number", f"{told} Divide by the square root of hs.")
        if hears(heard(q, both[0], both[0], last)):
            raise Wrong("The keys are handed over", f"{told} A token is found by its key. What does it hand over?")
        if P == 0 and hears(heard(k, q, v, last)):
            raise Wrong("Queries and keys change places", f"{told} Row t of the scores is the query of token t.")
        if hears(heard(q, *both, last, filler=0)):
            raise Wrong("A score of 0 is not hidden", f"{told} What is e to the power 0?")
        if hears((q @ both[0].mT * hs**-0.5).softmax(-1).masked_fill(~last, 0) @ both[1]):
            raise Wrong("Mask after the softmax", f"{told} Do the weights of each query sum to 1?")
        if hears(*hidden(heard, q, *both, last, dim=-2), *hidden(heard, q, *both, everyone, dim=-2)):
            raise Wrong("Columns, not rows", f"{told} The weights of each query should sum to 1.")
        raise Wrong("Other numbers", told)
