"""Checks of lesson 13: parameters, a block, padding, heads by view, cross-attention, LayerNorm, gradients by layer.

torch is imported inside the functions, so that the checks of the first lessons do not wait for it.
"""

import math

from ._exercise import NotAttempted, Wrong, call, exercise, number
from ._tensors import (
    fitting,
    learnable,
    plain,
    random_numbers,
    rows,
    same,
    tensor,
    tensor_of,
    told_at,
    told_of,
    unchanged,
)
from .neural_networks import uses
from .softmax import listed

LESSON = "13_multi_head_attention"


def linear(seed, n_in, n_out, bias=False):
    """Return an nn.Linear with numbers of its own, which leaves the learner's random numbers as they are."""
    import torch

    with torch.random.fork_rng(devices=[]):
        layer = torch.nn.Linear(n_in, n_out, bias=bias)
    with torch.no_grad():
        layer.weight.copy_(random_numbers(seed, n_out, n_in))
        if bias:
            layer.bias.copy_(random_numbers(seed + 100, n_out))
    return layer


def of_matrix(matrix):
    """Return an nn.Linear without a bias that multiplies by this matrix, one row for each number that comes in."""
    layer = linear(0, len(matrix), len(matrix[0]))
    layer.weight.data = tensor(matrix).float().T.contiguous()
    return layer


@exercise(
    lesson=LESSON,
    minutes=5,
    allows="You can say what attention costs before you make it, and that more heads cost nothing.",
    hints=(
        "Four matrices: query, key, value, projection. Which shape has each, and which of them has a bias?",
        "All heads together have n_embd queries' numbers. So how large is the matrix that makes them?",
        "Each of the four is n_embd × n_embd; the projection has n_embd biases as well.",
    ),
    solution="""
        def attention_parameters(n_embd, n_head):
            return 4 * n_embd * n_embd + n_embd
    """,
    reasons="Each head has a C × hs matrix for its queries. H of them side by side are C × (H · hs) = C × C, however "
    "many there are: more heads are smaller heads. The same for keys and values. The projection is C × C with a bias.",
)
def attention_parameters(answer):
    if uses(answer, "MultiHeadAttention", "CrossAttention", "parameters", "numel"):
        raise Wrong(
            "The module is made after all",
            "Your function makes it and lets it count. Can you tell from n_embd and n_head alone?",
        )
    for n_embd, n_head in ((6, 1), (10, 5), (32, 4), (24, 3), (12, 12)):
        C, H, hs = n_embd, n_head, n_embd // n_head
        got = number(call(answer, C, H), f"attention_parameters({C}, {H})")
        right = 4 * C * C + C
        if got == right:
            continue
        told = f"attention_parameters({C}, {H}) is {got:g} and should be {right}."
        if got == 3 * C * C:
            raise Wrong("The projection is forgotten", f"{told} What mixes the heads' results?")
        if got == 4 * C * C:
            raise Wrong("The bias is forgotten", f"{told} Which of the four nn.Linear has no bias=False?")
        if got == 3 * C * C + C:
            raise Wrong("A matrix is missing", f"{told} There are queries, keys, values and the projection.")
        if got in (4 * C * C + 2 * C, 4 * C * C + 3 * C, 4 * C * C + 4 * C):
            raise Wrong("Biases that are not there", f"{told} Which of the four nn.Linear have bias=False?")
        if got in (4 * C, 5 * C, 3 * C, 3 * C + C + C):
            raise Wrong("A matrix is more than a row", f"{told} How many numbers has an nn.Linear({C}, {C})?")
        if got == right + 8 * C * C + 9 * C:
            raise Wrong("The whole block", f"{told} That has the feed-forward network and the norms in it.")
        if H > 1 and got in (H * right, 3 * H * C * C + C * C + C, 3 * H * C * C, 4 * H * C * C, 4 * H * C * C + C):
            raise Wrong("Each head as large as all together", f"{told} How many numbers has one head's query?")
        wide, narrow = C * hs, hs * hs  # narrow, H times, is as much as wide
        if H > 1 and got in (3 * wide + C * C + C, 3 * wide + wide + C, 4 * wide + hs, 4 * wide, 3 * wide):
            raise Wrong("Too small for all the heads", f"{told} There are {H} heads. How many numbers does each read?")
        if H > 1 and got in (3 * narrow + C * C + C, 4 * narrow + C, 4 * narrow + hs, 4 * narrow, 3 * narrow):
            raise Wrong("A head reads the whole token", f"{told} One head makes {hs} numbers. Of how many?")
        if H > 1 and got in (4 * C * C + H * C, 4 * C * C + H, 4 * C * C + hs, 3 * C * C + H * C * C + C):
            raise Wrong("One projection for all heads", f"{told} How many has it, and how many biases?")
        raise Wrong("Another number", told)


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can write the block that a GPT is a stack of, from memory.",
    hints=(
        "Two steps of the same form: something is made of x, and added to x.",
        "What goes into the attention is normalized. What is the sum added to: the normalized x, or x itself?",
        "The second step starts from what the first one made: call it x again.",
    ),
    solution="""
        def one_block(x, norm1, attention, norm2, feed_forward):
            x = x + attention(norm1(x))
            return x + feed_forward(norm2(x))
    """,
    reasons="x goes straight through, and each step adds to it: that is the way on which the gradient comes back "
    "whole. Only what the attention and the feed-forward network *read* is normalized. x += would write into the x "
    "of the caller; x = x + ... makes a new one.",
)
def one_block(answer):
    import torch

    def first_norm(x):
        return x - x.mean(-1, keepdim=True)

    def attention(x):
        return x.cumsum(-2) * 0.5

    def second_norm(x):
        return x / (1 + x.abs().sum(-1, keepdim=True))

    def feed_forward(x):
        return (x * 4 - 1).relu()

    functions = (first_norm, attention, second_norm, feed_forward)
    cases = (
        (functions, torch.tensor([[[4.0, 0.0], [2.0, 6.0]]]), "x = d, e of dear and four small functions"),
        (functions, random_numbers(1, 2, 3, 5), "x of the shape (2, 3, 5) and four small functions"),
        (
            (torch.nn.LayerNorm(4, elementwise_affine=False), linear(2, 4, 4, True), torch.tanh, linear(3, 4, 4)),
            random_numbers(4, 3, 2, 4),
            "x of the shape (3, 2, 4), and four modules",
        ),
    )
    for (n1, a, n2, f), x, words in cases:
        given = x.clone()
        what = f"For {words}, one_block"
        made = tensor_of(call(answer, given, n1, a, n2, f), tuple(x.shape), "What one_block returns")
        unchanged(given, x, "numbers of x")
        h = x + a(n1(x))
        right = (h + f(n2(h))).detach()
        got = made.detach()
        if same(got, right):
            continue
        told = told_of(what, got, right)
        alone, normal = a(n1(x)), n1(x) + a(n1(x))
        if same(got, h):
            raise Wrong("The feed-forward network is missing", f"{told} Yours stops after the attention.")
        if same(got, x + f(n2(x))):
            raise Wrong("The attention is missing", f"{told} Where does the attention's part come in?")
        if same(got, f(n2(alone))):
            raise Wrong("No residual connection", f"{told} What each step makes should be added to something.")
        if same(got, alone + f(n2(alone))):
            raise Wrong("The attention is not added to its input", f"{told} Your first step loses x.")
        if same(got, f(n2(h))):
            raise Wrong("The feed-forward network is not added to its input", f"{told} Your second step loses x.")
        mixed = n2(h) + f(n2(h)), n2(normal) + f(n2(normal)), normal + f(n2(normal))
        if any(same(got, other) for other in mixed):
            raise Wrong("The normalized x is carried on", f"{told} What should go straight through: norm(x), or x?")
        after = n1(x + a(x))
        if same(got, n2(after + f(after))):
            raise Wrong("Normalized after the addition", f"{told} That is the paper's block. And this lesson's?")
        late = x + n1(a(x))
        if same(got, late + n2(f(late))):
            raise Wrong("The result is normalized, not the input", f"{told} What should each norm get?")
        if same(got, x + alone + f(n2(x))):
            raise Wrong("Side by side", f"{told} The feed-forward network should read what the attention has added.")
        if same(got, x + f(n2(h))):
            raise Wrong("The attention's part is lost", f"{told} The second step adds to what the first one made.")
        if same(got, h + f(n2(alone))):
            raise Wrong("The feed-forward network reads a part", f"{told} Should it see the attention's part alone?")
        if same(got, h + f(n1(h))):
            raise Wrong("norm1 twice", f"{told} Which norm belongs to the feed-forward network?")
        other = x + a(n2(x))
        if same(got, other + f(n1(other))) or same(got, other + f(n2(other))):
            raise Wrong("The wrong norm", f"{told} norm1 is the attention's, norm2 the feed-forward network's.")
        bare = x + a(x)
        if any(same(got, made) for made in (bare + f(n2(bare)), h + f(h), bare + f(bare))):
            raise Wrong("A norm is missing", f"{told} What goes into each of the two should be normalized first.")
        if same(got, x + h + f(n2(h))):
            raise Wrong("x is added twice", f"{told} What the first step made has x in it already.")
        first = x + f(n2(x))
        turned = x + f(n1(x))
        if same(got, first + a(n1(first))) or same(got, turned + a(n2(turned))):
            raise Wrong("Computation before communication", f"{told} Which of the two comes first?")
        raise Wrong("Other numbers", told)
    leaf = x.clone().requires_grad_()
    made, h = call(answer, leaf, n1, a, n2, f), leaf + a(n1(leaf))
    try:
        learns = learnable(made, h + f(n2(h)), [leaf, a.weight, a.bias, f.weight])
    except RuntimeError as error:
        if "inplace operation" not in str(error):
            raise
        raise Wrong(
            "Written over",
            "The numbers are right, but no backward pass can follow: += and other operations in place write over "
            "numbers that it needs.",
        ) from None
    if not learns:
        raise Wrong("No gradient can flow", "The numbers are right, the gradients are not. What cuts the graph?")


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can put sources of different lengths into one batch, and nobody listens to the filling.",
    hints=(
        "torch.arange(S) numbers the places, from 0. Which of them are real, if the length is 3?",
        "Compare (S,) with (B, 1): each length with each place gives (B, S).",
        "Then put the two missing dimensions between them: [:, None, None, :].",
    ),
    solution="""
        def padding_mask(lengths, S):
            real = torch.arange(S, device=lengths.device) < lengths[:, None]  # (S,) with (B, 1) → (B, S)
            return real[:, None, None, :]  # (B, 1, 1, S)
    """,
    reasons="Places are counted from 0, so the real ones are those below the length. The two dimensions of size 1 "
    "stand for the heads and the queries, and are broadcast. Without the first of them, the B of a mask of "
    "(B, 1, S) would lie over the heads of (B, H, T, S): an error, or, where B and H are the same, wrong in silence.",
)
def padding_mask(answer):
    import torch

    for values, S in (([3, 1, 4], 5), ([2, 6, 1, 5], 6), ([3, 2], 7), ([0, 2, 1], 4), ([1], 1)):
        lengths = torch.tensor(values)
        B = len(values)
        given = lengths.clone()
        what = f"padding_mask({values}, {S})"
        question = "Which shape should the lengths have, so that each of them meets each place?"
        got = fitting(answer, given, S, what=what, question=question)
        if not isinstance(got, torch.Tensor):
            raise Wrong("Not a tensor", f"{what} should be a tensor and is {got!r:.60} ({type(got).__name__}).")
        unchanged(given, lengths, "lengths")
        shape = tuple(got.shape)
        told = f"{what} has the shape {shape} and should have {(B, 1, 1, S)}."
        if B > 1 and shape == (B, S):
            raise Wrong("No room for heads and queries", f"{told} Where would your B lie, over (B, H, T, S)?")
        if B > 1 and shape == (B, 1, S):
            raise Wrong("The batch lies over the heads", f"{told} Line up yours and (B, H, T, S) from the right.")
        if B > 1 and shape in ((B, S, 1, 1), (B, 1, S, 1), (1, 1, B, S), (1, B, 1, S), (B, S, 1)):
            raise Wrong("A dimension in the wrong place", f"{told} Which dimension of (B, H, T, S) is the last?")
        if len(shape) == 4 and shape[0] == B and shape[-1] == max(values) != S:
            raise Wrong("As long as the longest", f"{told} There are S places, even if no source is that long.")
        tensor_of(got, (B, 1, 1, S), what)
        if got.dtype != torch.bool:
            raise Wrong("Not of the type bool", f"{what} should say True and False, and is of the type {got.dtype}.")
        got = got[:, 0, 0]
        places = torch.arange(S)
        right = places < lengths[:, None]
        if got.equal(right):
            continue
        told = told_of(what, got.int(), right.int()).replace("gives", "(1 for True) gives")
        if got.equal(~right):
            raise Wrong("The mask is turned round", f"{told} True is where one may listen.")
        if got.equal(places <= lengths[:, None]):
            raise Wrong("One place too many", f"{told} The first place has the number 0.")
        if got.equal(places < lengths[:, None] - 1):
            raise Wrong("One place too few", f"{told} The first place has the number 0.")
        if got.equal(places == lengths[:, None]) or got.equal(places == lengths[:, None] - 1):
            raise Wrong("One place only", f"{told} All places up to the length are real.")
        if got.equal(places >= S - lengths[:, None]):
            raise Wrong("Filled at the wrong end", f"{told} The filling is at the end.")
        if got.all():
            raise Wrong("Nothing is hidden", f"{told} Which places are only filling?")
        if B > 1 and got.equal(got[:1].expand(B, S)):
            raise Wrong("One length for all", f"{told} Each source has a length of its own.")
        if 0 in values and got[lengths > 0].equal(right[lengths > 0]):
            raise Wrong("A source without any place", f"{told} What does yours do with the length 0?")
        raise Wrong("Another mask", told)


def placed(T, C, B):
    """Return a (B, T, C) tensor whose numbers say where they are: 2103 is number 3 of token 1 of example 2."""
    import torch

    b, t, c = (torch.arange(1.0, size + 1) for size in (B, T, C))
    return 1000 * b[:, None, None] + 100 * t[:, None] + c


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You can deal out the numbers of every token to the heads, without mixing tokens and heads.",
    hints=(
        "By hand: for h = 0, 1, …, cut the channels from h · hs up to (h + 1) · hs out of all tokens. Then stack them.",
        "With views: view may only cut a dimension in parts that lie next to each other. Which dimension is to be cut?",
        "First (B, T, C) → (B, T, n_head, hs). Then let T and the heads change places.",
    ),
    solution="""
        def into_heads(x, n_head):
            B, T, C = x.shape
            return x.view(B, T, n_head, C // n_head).transpose(1, 2)  # (B, H, T, hs)
    """,
    reasons="view cuts C in n_head runs of neighbours, and moves nothing. transpose then brings the heads before the "
    "tokens. A view straight to (B, H, T, hs) has the right shape, and cuts the *tokens* in groups. The slow way is "
    "torch.stack([x[..., h * hs : (h + 1) * hs] for h in range(n_head)], dim=1).",
)
def into_heads(answer):
    import torch

    if uses(answer, "split_heads"):
        raise Wrong("The lesson's function does it", "Yours should do it without split_heads.")
    for B, T, C, H in ((2, 5, 12, 4), (3, 4, 10, 5), (1, 3, 6, 2), (2, 7, 6, 1), (2, 4, 6, 6)):
        hs = C // H
        x = placed(T, C, B)
        given = x.clone()
        what = f"into_heads of a {(B, T, C)} tensor with n_head = {H}"
        got = call(answer, given, H)
        if isinstance(got, (list, tuple)) and got and all(isinstance(part, torch.Tensor) for part in got):
            raise Wrong(
                "Several tensors, not one",
                f"{what} is a {type(got).__name__} of {len(got)} tensors. Put them together: torch.stack, in which "
                "dimension?",
            )
        if not isinstance(got, torch.Tensor):
            raise Wrong("Not a tensor", f"{what} should be a tensor and is {got!r:.60} ({type(got).__name__}).")
        unchanged(given, x, "numbers of x")
        shape = tuple(got.shape)
        told = f"{what} has the shape {shape} and should have {(B, H, T, hs)}."
        if shape != (B, H, T, hs):
            if shape == (B, T, H, hs):
                raise Wrong("The tokens before the heads", f"{told} Which two should change places?")
            if shape == (H, B, T, hs):
                raise Wrong("The heads before the batch", f"{told} In which dimension do you put the heads together?")
            if shape in ((B, H, hs, T), (B, T, hs, H), (B, hs, H, T)):
                raise Wrong("The dimensions in another order", f"{told} Each head should have rows of hs numbers.")
            if shape == (B, hs, T, H):
                raise Wrong("hs heads of n_head numbers", f"{told} How many heads are there, and how large is each?")
            if shape == (B, H, T, C):
                raise Wrong("Each head gets all numbers", f"{told} They share the C numbers.")
            if shape == (B * H, T, hs):
                raise Wrong(
                    "Batch and heads in one dimension",
                    f"{told} cat lengthens a dimension, flatten takes one away. What makes a new one?",
                )
            if shape in ((H, T, hs), (1, H, T, hs), (T, H, hs)):
                raise Wrong("Only one example", f"{told} There are {B} in the batch.")
            tensor_of(got, (B, H, T, hs), what)
        got = got.detach()
        cut = x.view(B, T, H, hs)
        right = cut.permute(0, 2, 1, 3)
        if same(got, right, 1e-7):
            continue
        b, h, t = next(
            (b, h, t) for b in range(B) for h in range(H) for t in range(T) if not got[b, h, t].equal(right[b, h, t])
        )
        told = (
            f"Each number of x says where it was: {x[-1, 1, 0]:.0f} is example {B}, token 2, number 1. Then "
            f"{what} has, at [{b}, {h}, {t}], {rows(got[b, h, t][None])} and not {rows(right[b, h, t][None])}."
        )
        if same(got, x.reshape(B, H, T, hs), 1e-7):
            raise Wrong("Tokens and heads are mixed", f"{told} A view straight to the shape cuts up the wrong thing.")
        if same(got, x.view(B, T, hs, H).permute(0, 3, 1, 2), 1e-7):
            raise Wrong("Dealt out like cards", f"{told} Each head should have numbers that lie next to each other.")
        if same(got, x.reshape(H, B, T, hs).transpose(0, 1), 1e-7):
            raise Wrong("Examples and heads are mixed", f"{told} Which dimension does your view cut?")
        if same(got, x.transpose(1, 2).reshape(B, H, T, hs), 1e-7):
            raise Wrong("Tokens and numbers are mixed", f"{told} Yours lets T and C change places, and then cuts.")
        if H > 1 and same(got, cut[:, :, :1].permute(0, 2, 1, 3).expand_as(right), 1e-7):
            raise Wrong("Each head gets the same", told)
        if H > 1 and same(got, right.flip(1), 1e-7):
            raise Wrong("The heads in another order", f"{told} The first head gets the first share.")
        if B > 1 and same(got, right[:1].expand_as(right), 1e-7):
            raise Wrong("Only one example", f"{told} Example 1 is in all places of the batch.")
        raise Wrong("Other numbers", told)
    leaf = x.clone().requires_grad_()
    made = call(answer, leaf, H)
    if not learnable(made, leaf.view(B, T, H, hs).transpose(1, 2), [leaf]):
        raise Wrong("No gradient can flow", "The numbers are right, but no gradient comes back to x. What cuts it off?")


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You have written a head that pulls in what another sequence knows.",
    hints=(
        "Who asks? Who is asked, and hands something over? Two of the three Linear get the source.",
        "The scores are (B, T, hs) @ (B, hs, S) → (B, T, S). Each row is one query's.",
        "Divide by the square root of hs, take the softmax over the last dimension, multiply by the values.",
    ),
    solution="""
        def listen_elsewhere(x, source, query, key, value):
            q, k, v = query(x), key(source), value(source)  # (B, T, hs), (B, S, hs), (B, S, hs)
            scores = q @ k.transpose(-2, -1) / q.shape[-1] ** 0.5  # (B, T, S)
            return scores.softmax(dim=-1) @ v  # (B, T, S) @ (B, S, hs) → (B, T, hs)
    """,
    reasons="The tokens of x ask; the source's are asked, so they have the keys, and they hand over the values. There "
    "is no future to hide: the source is known from its first token to its last. T and S need not be the same.",
)
def listen_elsewhere(answer):
    import torch

    if uses(
        answer, "attention_weights", "scaled_dot_product_attention", "fused_attention", "Head", "CrossAttention",
        "MultiHeadAttention", "MultiheadAttention",
    ):  # fmt: skip
        raise Wrong("Somebody else's attention", "The exercise asks for products, a division and a softmax.")
    of_dear = [[[-0.5, 0.25], [0.5, 0]], [[-0.5, 0], [-0.5, 0.5]], [[0.5, -1], [0, 1]]]
    small = torch.tensor([[[4.0, 0.0], [2.0, 6.0], [0.0, 3.0]]])
    cases = (
        # B, T, S, C, hs; the first has x = d, e, a; then T = S, where keys from x are no error; then all different
        (small, torch.tensor([[[6.0, 7.0], [1.0, -1.0], [0.0, 2.0]]]), [of_matrix(matrix) for matrix in of_dear]),
        (random_numbers(1, 2, 3, 5), random_numbers(2, 2, 3, 5), [linear(seed, 5, 4) for seed in (3, 4, 5)]),
        (random_numbers(6, 2, 3, 4), random_numbers(7, 2, 5, 4), [linear(seed, 4, 6, True) for seed in (8, 9, 10)]),
        (random_numbers(11, 3, 4, 5), random_numbers(12, 3, 2, 5), [linear(seed, 5, 5) for seed in (13, 14, 15)]),
    )
    for x, source, (query, key, value) in cases:
        B, T, C = x.shape
        S, hs = source.shape[1], query.out_features
        before = x.clone(), source.clone()
        what = f"listen_elsewhere with B = {B}, T = {T}, S = {S}, C = {C}, hs = {hs}"
        question = "Which of your q, k and v have T rows, and which S?"
        got = fitting(answer, x, source, query, key, value, what=what, question=question)
        if not isinstance(got, torch.Tensor):
            raise Wrong("Not a tensor", f"{what} should be a tensor and is {got!r:.60} ({type(got).__name__}).")
        for name, part, kept in zip(("numbers of x", "numbers of the source"), (x, source), before):
            unchanged(part, kept, name)
        shape = tuple(got.shape)
        told = f"{what} has the shape {shape} and should have {(B, T, hs)}."
        if shape == (B, S, hs) and S != T:
            raise Wrong("The source asks", f"{told} For each token of x you should return what it has heard.")
        if shape == (B, T, S) and S != hs:
            raise Wrong("The weights, not what they fetch", f"{told} What are the weights multiplied by?")
        if shape in ((1, T, hs), (T, hs)) and B > 1:
            raise Wrong("Only one example", f"{told} There are {B} in the batch.")
        got = tensor_of(got, (B, T, hs), what).detach()

        def made(asks, asked, gives, scale=hs**-0.5, hidden=None, dim=-1):
            q, k, v = asks, asked, gives
            scores = q @ k.mT * scale
            if hidden is not None:
                scores = scores.masked_fill(hidden, -torch.inf)
            return scores.softmax(dim) @ v

        def is_one(*others, got=got):
            return any(same(got, other.detach(), 1e-4) for other in others)

        q, k, v = query(x), key(source), value(source)
        right = made(q, k, v).detach()
        if same(got, right, 1e-4):
            continue
        told = told_at(what, got, right)
        if is_one(made(q, key(x), value(x))):
            raise Wrong("Self-attention", f"{told} In yours x listens to itself. Where is the source?")
        if T == S and is_one(made(q, key(x), v)):
            raise Wrong("The keys come from x", f"{told} Who is asked: the tokens of x, or those of the source?")
        if T == S and is_one(made(q, k, value(x))):
            raise Wrong("The values come from x", f"{told} Who has something to hand over?")
        if T == S and is_one(made(query(source), key(x), value(x))):
            raise Wrong("x and the source change places", f"{told} Who asks: the tokens of x, or those of the source?")
        theirs = query(source)
        if T == S and is_one(made(theirs, k, v), made(theirs, key(x), v), made(theirs, k, value(x))):
            raise Wrong("The queries come from the source", f"{told} Who asks: the tokens of x, or the source's?")
        if is_one(made(key(x), query(source), v)):
            raise Wrong("Queries and keys change places", f"{told} Which of the three should read x?")
        if is_one(made(q, k, k)):
            raise Wrong("The keys are handed over", f"{told} A token is found by its key. What does it hand over?")
        if is_one(made(q, v, v)):
            raise Wrong("The values are asked", f"{told} What is compared with a query?")
        if is_one(made(q, k, v, hidden=torch.ones(T, S, dtype=torch.bool).triu(1))):
            raise Wrong("A causal mask is left in", f"{told} Has the source a future that x must not see?")
        if is_one(made(q, k, v, dim=-2)):
            raise Wrong("Columns, not rows", f"{told} The weights of each query should sum to 1.")
        if B > 1 and is_one(made(q, k, v, dim=0)):
            raise Wrong("Shared among the examples", f"{told} Which dimension is your softmax over?")
        if is_one(q @ k.mT * hs**-0.5 @ v, q @ k.mT @ v):
            raise Wrong("No softmax", f"{told} Do the weights of a query sum to 1?")
        if is_one(made(q, k, v, scale=1)):
            raise Wrong("The scores are not scaled", f"{told} By what are they divided?")
        if is_one(made(q, k, v, scale=hs**0.5), made(q, k, v, scale=hs)):
            raise Wrong("Multiplied in place of divided", f"{told} Large scores saturate the softmax.")
        if is_one(made(q, k, v, scale=1 / hs)):
            raise Wrong("The root is missing", f"{told} By what are the scores divided?")
        if is_one(right * hs**-0.5, made(q, k, v, scale=1) * hs**-0.5):
            raise Wrong("Scaled after the softmax", f"{told} Do your weights still sum to 1?")
        if is_one(made(q, k, v, scale=C**-0.5)):
            raise Wrong("Scaled by C", f"{told} A score is a sum of as many products as a query has numbers.")
        if is_one(made(q, k, v, scale=S**-0.5), made(q, k, v, scale=T**-0.5)):
            raise Wrong("Scaled by the number of tokens", f"{told} A score is a sum of how many products?")
        if is_one((q @ k.reshape(B, hs, S) * hs**-0.5).softmax(-1) @ v):
            raise Wrong("A view is no transpose", f"{told} Your keys are cut anew, not turned.")
        if is_one(v.mean(1, keepdim=True).expand_as(right)):
            raise Wrong("The plain average", f"{told} Yours does not depend on the scores.")
        raise Wrong("Other numbers", told)
    leaves = [part.clone().requires_grad_() for part in (x, source)]
    weights = [part.weight for part in (query, key, value)]
    q, k, v = query(leaves[0]), key(leaves[1]), value(leaves[1])
    if not learnable(call(answer, *leaves, query, key, value), made(q, k, v), leaves + weights):
        raise Wrong("No gradient can flow", "The numbers are right, the gradients are not. What cuts the graph?")


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You know what LayerNorm does to a token, down to the place of the epsilon.",
    hints=(
        "mean = x.mean(dim=-1, keepdim=True), and likewise the variance: the mean of the squared distances from it.",
        "Divide by C, not by C − 1: var has a correction, which is 1 if you do not say correction=0.",
        "The root is taken of variance + eps. Then times the gain, plus the bias.",
    ),
    solution="""
        def normalize(x, gain, bias, eps=1e-5):
            centred = x - x.mean(dim=-1, keepdim=True)
            variance = (centred**2).mean(dim=-1, keepdim=True)
            return gain * centred / (variance + eps).sqrt() + bias
    """,
    reasons="Each token is on its own: mean and variance are over its C numbers, the last dimension, and keepdim=True "
    "lines them up with it. The eps under the root keeps a token of equal numbers, whose variance is 0, from a "
    "division by 0, and its gradient too. Gain and bias come last, so that they are not normalized away.",
)
def normalize(answer):
    import torch

    if uses(answer, "layer_norm", "LayerNorm", "native_layer_norm", "batch_norm", "group_norm", "normalize"):
        raise Wrong("Somebody else's LayerNorm", "The exercise asks for means, a root and a division.")
    small = tensor([[[1, 3, 5, 7], [4, 0, 2, 2], [-3, 1, 1, 1]], [[0, 0, 0, 8], [9, 6, 2, -1], [2, 4, 4, 6]]])
    square = tensor([[1, 0, 5], [2, 2, -4], [0, 3, 9]])
    gains = [[1, 2, 0.5, 1], [2, 1, -1], [3, 1, 1, 0.5, 2], [1, 2, 3]]
    biases = [[0, 1, 0, -1], [0, 0, 3], [1, 0, 0, 2, -2], [0, 0.5, 0]]
    cases = (
        # first, the usual eps is too small to be seen; then it is what counts
        (small, gains[0], biases[0], None, 1e-4),
        (square, gains[1], biases[1], None, 1e-4),
        (random_numbers(1, 5).double() * 3 + 2, gains[2], biases[2], None, 1e-4),
        (random_numbers(2, 2, 4, 6, 3).double() * 9, gains[3], biases[3], None, 1e-4),
        (small, gains[0], biases[0], 3.0, 1e-7),
        (small / 1000, gains[0], biases[0], None, 1e-6),
        (tensor([[[7, 7, 7, 7], [1, 3, 5, 7]]]), gains[0], biases[0], None, 1e-6),
    )
    for x, gain, bias, given_eps, tolerance in cases:
        eps = 1e-5 if given_eps is None else given_eps
        gain, bias = tensor(gain), tensor(bias)
        given = [x.clone(), gain.clone(), bias.clone()]
        more = [] if given_eps is None else [given_eps]
        words = f"gain {rows(gain[None])} and bias {rows(bias[None])}" + (f", eps = {eps}" if more else "")
        what = f"normalize of a {tuple(x.shape)} tensor with {words}"
        try:
            got = fitting(answer, *given, *more, what=what, question="What does keepdim=True do to a mean?")
        except IndexError as error:
            if "Dimension out of range" not in str(error):
                raise
            raise Wrong(
                "Right for three dimensions only",
                f"In {what} PyTorch stops: {error}. Which number has the last of any number of dimensions?",
            ) from None
        got = tensor_of(got, tuple(x.shape), what).detach()
        for name, part, kept in zip(("numbers of x", "gain", "bias"), given, (x, gain, bias)):
            unchanged(part, kept, name)

        def over(dims, correction=0, x=x, gain=gain, bias=bias, eps=eps):
            variance = x.var(dim=dims, keepdim=True, correction=correction)
            return gain * (x - x.mean(dim=dims, keepdim=True)) / (variance + eps).sqrt() + bias

        def is_one(*others, got=got, tolerance=tolerance):
            return any(same(got, other, tolerance) for other in others)

        right = over(-1)
        if same(got, right, tolerance):
            continue
        told = told_at(what, got, right)
        mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, correction=0)
        size, centred, normal = (variance + eps).sqrt(), x - mean, (x - mean) / (variance + eps).sqrt()
        if x.dim() == 3 and is_one(over(0), over(0, 1)):
            raise Wrong("Over the batch", f"{told} What has a token to do with the other examples?")
        if x.dim() == 3 and is_one(over(1), over(1, 1)):
            raise Wrong("Over the tokens", f"{told} Each token should be normalized by itself.")
        if x.dim() > 1 and is_one(over(tuple(range(x.dim())))):
            raise Wrong("Over all numbers together", f"{told} Each token should be normalized by itself.")
        if x.dim() == 3 and is_one(over((1, 2)), over((0, 1))):
            raise Wrong("Over two dimensions", f"{told} Each token should be normalized by itself.")
        if x.dim() in (2, 4) and is_one(over(1 if x.dim() == 4 else 0), over(0), over(2 if x.dim() == 4 else 0)):
            raise Wrong("Right for three dimensions only", f"{told} It should be over the last one.")
        if x is square:
            flat = (x - x.mean(-1)) / (x.var(-1, correction=0) + eps).sqrt()
            if is_one(gain * flat + bias, gain * (x - x.mean(-1)) / size + bias):
                raise Wrong("The means lie the wrong way", f"{told} Which shape have your means, (3,) or (3, 1)?")
        if is_one(over(-1, 1)):
            raise Wrong("Divided by C − 1", f"{told} var and std do that, if you do not tell them otherwise.")
        if is_one(gain * x / size + bias):
            raise Wrong("The mean is not subtracted", f"{told} Which mean should a token have before gain and bias?")
        if is_one(gain * x / ((x**2).mean(-1, keepdim=True) + eps).sqrt() + bias):
            raise Wrong("The mean is not subtracted", f"{told} The variance is the mean square of what?")
        if is_one(gain * centred + bias):
            raise Wrong("Not divided", f"{told} Which variance should a token have before gain and bias?")
        if is_one(gain * centred / (variance + eps) + bias):
            raise Wrong("The root is missing", f"{told} You divide by the variance, a square.")
        if is_one(gain * centred * size + bias):
            raise Wrong("Multiplied in place of divided", told)
        if is_one(gain * centred / centred.abs().mean(-1, keepdim=True) + bias):
            raise Wrong("The mean distance, not the root of the mean square", told)
        if is_one(normal):
            raise Wrong("Gain and bias are not used", told)
        if is_one(gain * normal):
            raise Wrong("The bias is not used", told)
        if is_one(normal + bias):
            raise Wrong("The gain is not used", told)
        if is_one(gain * (normal + bias)):
            raise Wrong("The bias before the gain", f"{told} Which of the two comes last?")
        if is_one((1 + gain) * normal + bias):
            raise Wrong("The gain plus 1", told)
        if is_one(over(-1, x=x * gain, gain=1), over(-1, x=x * gain + bias, gain=1, bias=0)):
            raise Wrong("Gain and bias before the normalization", f"{told} What becomes of them, when it follows?")
        # what the eps alone tells apart
        root = variance.sqrt()
        if is_one(gain * centred / (root + eps) + bias):
            raise Wrong("eps outside the root", f"{told} Is it added to the variance, or to its root?")
        if is_one(gain * centred / root + bias):
            raise Wrong("No eps", f"{told} By what do you divide, if all numbers of a token are the same?")
        if is_one(gain * centred / (variance + eps**2).sqrt() + bias):
            raise Wrong("eps is squared", told)
        if is_one(over(-1, eps=1e-5)):
            raise Wrong("The eps that came in is not used", f"{told} Yours is always 0.00001.")
        if is_one(gain * centred / root.clamp(min=eps) + bias, gain * centred / variance.clamp(min=eps).sqrt() + bias):
            raise Wrong("eps as a lower limit", f"{told} It is added, to every variance.")
        if more:
            raise Wrong("Another eps", f"{told} With the usual eps, yours was right.")
        raise Wrong("Other numbers", told)
    leaves = [part.clone().requires_grad_() for part in (small, gain, bias)]
    if not learnable(call(answer, *leaves), over(-1, 0, *leaves), leaves):
        raise Wrong("No gradient can flow", "The numbers are right, the gradients are not. What cuts the graph?")
    equal = tensor([[7, 7, 7, 7]]).requires_grad_()
    (grad,) = torch.autograd.grad((call(answer, equal, gain, bias) * tensor([1, 2, 3, 4])).sum(), equal)
    if not grad.isfinite().all():
        raise Wrong(
            "The gradient breaks for equal numbers",
            f"For a token 7, 7, 7, 7 the gradient is {rows(grad)}. How steep is the root of 0? "
            "Does your eps come before it?",
        )


def hidden(heard, *parts, **options):
    """Return what is heard where a row may hear nobody: nan, the plain average, or 0 as the lesson's masked_softmax."""
    made = [heard(*parts, filler=filler, **options) for filler in (-math.inf, -1e9)]
    return [*made, made[0].nan_to_num(0)]


@exercise(
    lesson=LESSON,
    minutes=15,
    allows="You have written multi-head attention by hand, the heart of every transformer.",
    hints=(
        "q, k and v are (B, T, C). Give each head its share: (B, H, T, hs). From there on, @ does all heads at once.",
        "The scores, (B, H, T, T), are divided by the square root of hs. The future becomes −∞, and then the softmax.",
        "Before the projection, the heads' results lie side by side: let H and T change places back, then flatten(2).",
    ),
    solution="""
        def several_heads(x, query, key, value, proj, n_head):
            B, T, C = x.shape
            hs = C // n_head
            q, k, v = (part(x).view(B, T, n_head, hs).transpose(1, 2) for part in (query, key, value))  # (B, H, T, hs)
            scores = q @ k.transpose(-2, -1) / hs**0.5  # (B, H, T, T)
            past = torch.ones(T, T, dtype=torch.bool, device=x.device).tril()
            weights = scores.masked_fill(~past, -torch.inf).softmax(dim=-1)
            out = weights @ v  # (B, H, T, T) @ (B, H, T, hs) → (B, H, T, hs)
            return proj(out.transpose(1, 2).flatten(2))  # (B, T, C)
    """,
    reasons="@ takes all dimensions before the last two as a batch, so the heads need no loop. On the way back the "
    "heads' results must lie side by side in each token: transpose first, then flatten. The projection is the only "
    "place where what one head has found meets what another one has.",
)
def several_heads(answer):
    import torch

    from ..attention import join_heads, split_heads

    if uses(
        answer, "attention_weights", "scaled_dot_product_attention", "fused_attention", "Head", "CrossAttention",
        "MultiHeadAttention", "MultiheadAttention", "multi_head_attention_forward", "split_heads", "join_heads",
    ):  # fmt: skip
        raise Wrong("Somebody else's attention", "The exercise asks for products, views, a mask and a softmax.")
    for B, T, C, H in ((2, 5, 12, 4), (3, 4, 10, 5), (1, 6, 8, 2), (2, 3, 5, 1)):
        x, hs = random_numbers(C, B, T, C), C // H
        query, key, value = (linear(seed + C, C, C) for seed in (10, 20, 30))
        proj = linear(40 + C, C, C, True)
        given = x.clone()
        what = f"several_heads with B = {B}, T = {T}, C = {C}, n_head = {H}"
        got = call(answer, given, query, key, value, proj, H)
        if not isinstance(got, torch.Tensor):
            raise Wrong("Not a tensor", f"{what} should be a tensor and is {got!r:.60} ({type(got).__name__}).")
        unchanged(given, x, "numbers of x")
        if tuple(got.shape) in ((B, H, T, hs), (B, T, H, hs)) and H > 1:
            raise Wrong(
                "The heads are not put together", f"{what} has the shape {tuple(got.shape)}, and not {tuple(x.shape)}."
            )
        if tuple(got.shape) in ((1, T, C), (T, C)) and B > 1:
            raise Wrong("Only one example", f"{what} has the shape {tuple(got.shape)}, and not {tuple(x.shape)}.")
        got = tensor_of(got, tuple(x.shape), what).detach()
        past = torch.ones(T, T, dtype=torch.bool).tril()

        def attended(q, k, v, scale=None, mask=past, dim=-1, filler=-torch.inf):
            scores = q @ k.mT * (q.shape[-1] ** -0.5 if scale is None else scale)
            return scores.masked_fill(~mask, filler).softmax(dim) @ v

        def is_one(*others, got=got):
            return any(same(got, other.detach(), 1e-4) for other in others)

        flat = query(x), key(x), value(x)
        parts = [split_heads(part, H) for part in flat]
        out = attended(*parts)
        right = proj(join_heads(out)).detach()
        if same(got, right, 1e-4):
            continue
        told = told_at(what, got, right)
        everyone = torch.ones_like(past)
        if is_one(join_heads(out)):
            raise Wrong("The projection is forgotten", f"{told} Where do the heads' results get mixed?")
        if is_one(right - proj.bias):
            raise Wrong("The projection's bias is forgotten", f"{told} proj(...) does both, matrix and bias.")
        if is_one(proj(join_heads(attended(*parts, mask=everyone)))):
            raise Wrong("No mask", f"{told} The first token hears the ones after it.")
        if is_one(proj(join_heads(attended(*parts, mask=past.T)))):
            raise Wrong("The mask is turned round", f"{told} Which triangle may be heard?")
        for mask in (~past, past.tril(-1)):
            if not is_one(*(proj(join_heads(made)) for made in hidden(attended, *parts, mask=mask))):
                continue
            alone = "nan is a row that may listen to nobody. " if got.isnan().any() else ""
            if mask[0, -1]:
                raise Wrong("The mask is turned round", f"{told} {alone}Which places should become −∞?")
            raise Wrong(
                "A token does not hear itself", f"{told} {alone}A token may hear itself: your mask hides the diagonal."
            )
        if is_one(proj(join_heads(attended(*parts, filler=0)))):
            raise Wrong("A score of 0 is not hidden", f"{told} What is e to the power 0?")
        unmasked = (parts[0] @ parts[1].mT * hs**-0.5).softmax(-1)
        if is_one(proj(join_heads(unmasked.tril() @ parts[2]))):
            raise Wrong("Mask after the softmax", f"{told} Do the weights of each query sum to 1?")
        if is_one(proj(join_heads(attended(*parts, scale=1)))):
            raise Wrong("The scores are not scaled", f"{told} By what are they divided?")
        if H > 1 and is_one(proj(join_heads(attended(*parts, scale=C**-0.5)))):
            raise Wrong("Scaled by C", f"{told} A score is a sum of how many products, in one head?")
        scales = 1 / hs, hs**0.5, H**-0.5, T**-0.5, 1 / C
        if is_one(*(proj(join_heads(attended(*parts, scale=scale))) for scale in scales)):
            raise Wrong("Scaled by another number", f"{told} Divide by the square root of hs.")
        if is_one(proj(join_heads(attended(*parts, dim=1))), proj(join_heads(attended(*parts, dim=1, filler=-1e9)))):
            raise Wrong("Shared among the heads", f"{told} Which dimension is your softmax over?")
        if is_one(proj(join_heads(attended(*parts, dim=1, mask=everyone)))):
            raise Wrong("Shared among the heads", f"{told} Which dimension is your softmax over?")
        if is_one(proj(join_heads(attended(*parts, dim=-2)))):
            raise Wrong("Columns, not rows", f"{told} The weights of each query should sum to 1.")
        if H > 1 and is_one(proj(attended(*flat)), proj(attended(*flat, scale=hs**-0.5))):
            raise Wrong("One head only", f"{told} Yours is a single head of {C} numbers. Where are the {H} heads?")
        cut = [part.reshape(B, H, T, hs) for part in flat]
        mixed = attended(*cut)
        if H > 1 and is_one(proj(join_heads(mixed)), proj(mixed.reshape(B, T, C))):
            raise Wrong("Tokens and heads are mixed", f"{told} Look at how you give each head its share.")
        if H > 1 and is_one(proj(out.reshape(B, T, C)), out.reshape(B, T, C)):
            raise Wrong("The heads are joined by a view alone", f"{told} Which dimension must the heads lie next to?")
        dealt = attended(*(part.view(B, T, hs, H).permute(0, 3, 1, 2) for part in flat))
        if H > 1 and is_one(proj(join_heads(dealt)), proj(dealt.permute(0, 2, 3, 1).flatten(2))):
            raise Wrong("Dealt out like cards", f"{told} Each head should have numbers that lie next to each other.")
        if H > 1 and is_one(proj(out.permute(0, 2, 3, 1).flatten(2))):
            raise Wrong("Joined in another order", f"{told} First the first head's numbers, then the second's.")
        if H > 1 and is_one(proj(join_heads(out.flip(1)))):
            raise Wrong("Joined in another order", f"{told} First the first head's numbers, then the second's.")
        across = [part.view(B, T, H, hs) for part in flat]
        between = attended(*across, mask=torch.ones(H, H, dtype=torch.bool))
        before = attended(*across, mask=torch.ones(H, H, dtype=torch.bool).tril())
        if H > 1 and is_one(*(proj(part.flatten(2)) for part in (between, before))):
            raise Wrong("The heads listen to each other", f"{told} Which two dimensions should q and k end with?")
        if H > 1 and is_one(proj(join_heads(out[:, :1].expand_as(out)))):
            raise Wrong("The first head for all", told)
        if is_one(proj(join_heads(attended(parts[1], parts[0], parts[2])))):
            raise Wrong("Queries and keys change places", f"{told} Row t of the scores is the query of token t.")
        if is_one(proj(join_heads(attended(parts[0], parts[1], split_heads(x, H))))):
            raise Wrong("The values are forgotten", f"{told} What does a token hand over: itself?")
        if is_one(proj(join_heads(attended(parts[0], parts[1], parts[1])))):
            raise Wrong("Keys in place of values", f"{told} A token is found by its keys. What does it hand over?")
        if is_one(x + right):
            raise Wrong("A residual connection too many", f"{told} That is the block's, not the attention's.")
        raise Wrong("Other numbers", told)
    x = random_numbers(12, 2, 5, 12).requires_grad_()
    modules = [*(linear(seed, 12, 12) for seed in (1, 2, 3)), linear(4, 12, 12, True)]
    query, key, value, proj = modules
    leaves = [x, *(part.weight for part in modules), proj.bias]
    past = torch.ones(5, 5, dtype=torch.bool).tril()
    expected = proj(join_heads(attended(*(split_heads(part(x), 4) for part in modules[:3]), mask=past)))
    if not learnable(call(answer, x, *modules, 4), expected, leaves):
        raise Wrong("No gradient can flow", "The numbers are right, the gradients are not. What cuts the graph?")


def gradients_of(layers, x, loss_of):
    """Return the lists of the layers' gradients and of the gradients of what comes out of each."""
    import torch

    outputs = []
    for layer in layers:
        x = layer(x)
        outputs.append(x)
    parameters = [list(layer.parameters()) for layer in layers]
    found = list(torch.autograd.grad(loss_of(x), [*sum(parameters, []), *outputs]))
    return [[found.pop(0) for _ in group] for group in parameters], found


def norm(tensors, power=2):
    return math.fsum((part.double().abs() ** power).sum().item() for part in tensors) ** (1 / power)


def agree(got, right):
    """Whether both lists have the same numbers, up to a share of each."""
    return len(got) == len(right) and all(abs(a - b) <= 1e-4 * abs(b) for a, b in zip(got, right))


@exercise(
    lesson=LESSON,
    minutes=15,
    allows="You can look into any stack of layers and see where the gradient dies.",
    hints=(
        "Forward: for each layer, x = layer(x). Then the loss, and loss.backward().",
        "For each layer: over all p in layer.parameters(), add up (p.grad ** 2).sum(), and take the root at the end.",
        "Set every p.grad to None before the backward pass, and again when you have read it.",
    ),
    solution="""
        def gradient_by_layer(layers, x):
            parameters = [list(layer.parameters()) for layer in layers]
            for p in sum(parameters, []):
                p.grad = None
            for layer in layers:
                x = layer(x)
            (x**2).mean().backward()
            sizes = [sum((p.grad**2).sum() for p in group).sqrt().item() for group in parameters]
            for p in sum(parameters, []):
                p.grad = None
            return sizes
    """,
    reasons="All of a layer's gradients together are one long vector, and this is its length: squares, sum, root. "
    "backward() adds to the gradients that are there, so clear them first, and afterwards as well, so that your "
    "looking does not change the next training step.",
)
def gradient_by_layer(answer):
    import torch
    from torch import nn

    def squares(out):
        return (out**2).mean()

    with torch.random.fork_rng(devices=[]):
        norms = nn.LayerNorm(4), nn.LayerNorm(5)
    wide = nn.Sequential(linear(4, 4, 7, True), nn.ReLU(), linear(5, 7, 4, True))
    cases = (
        ([of_matrix([[2]]), of_matrix([[3]])], torch.ones(1, 1), "two layers, times 2 and times 3, and x = 1"),
        ([linear(n, n + 2, n + 3, n != 2) for n in (1, 2, 3)], random_numbers(6, 7, 3), "three layers"),
        (
            [linear(7, 3, 4, True), nn.Sequential(norms[0], nn.Tanh()), wide, linear(8, 4, 5), norms[1]],
            random_numbers(9, 2, 3, 3),
            "five layers of several kinds",
        ),
        ([linear(10, 3, 2, True)], random_numbers(11, 4, 3), "one layer"),
    )
    for layers, x, words in cases:
        parameters = [p for layer in layers for p in layer.parameters()]
        old_weights = [p.detach().clone() for p in parameters]
        grads, outer = gradients_of(layers, x, squares)
        right = [norm(group) for group in grads]
        what = f"For {words}, gradient_by_layer"
        for planted in (None, 10.0):
            for p in parameters:
                p.grad = None if planted is None else torch.full_like(p, planted)
            given, before = x.clone(), list(layers)
            try:
                got = call(answer, layers, given)
            except (AttributeError, TypeError, RuntimeError) as error:
                reached = [p.grad is not None for p in parameters]
                if "through the graph a second time" in str(error):
                    raise Wrong(
                        "A loss after every layer",
                        "PyTorch stops, because the same graph is gone through twice. You call backward after every "
                        "layer. There is one loss, at the end.",
                    ) from None
                if "NoneType" not in str(error) or all(reached):
                    raise
                if not any(reached):
                    raise Wrong(
                        "No gradient has been computed",
                        f"PyTorch stops: {error}. Every p.grad is still None. What fills it?",
                    ) from None
                raise Wrong(
                    "The gradient stops",
                    f"PyTorch stops: {error}. Some p.grad is still None: the gradient has not come that far. What "
                    "cuts the graph?",
                ) from None
            if before != layers:
                raise Wrong("The list that came in is changed", f"It has {len(layers)} layers now, not {len(before)}.")
            unchanged(given, x, "numbers of x")
            if not all(p.equal(old) for p, old in zip(parameters, old_weights)):
                raise Wrong("The parameters are changed", "You are to look at the layers, not to train them.")
            if isinstance(got, torch.Tensor) and got.dim() == 1:
                got = list(got)
            if not isinstance(got, (list, tuple)):
                raise Wrong("Not a list", f"{what} should give a list and gives {got!r:.60} ({type(got).__name__}).")
            if len(got) == len(parameters) != len(layers):
                raise Wrong("One for each parameter", f"{what} gives {len(got)} for {len(layers)} layers.")
            if len(got) != len(layers):
                raise Wrong("Not one for each layer", f"{what} gives {len(got)} for {len(layers)} layers.")
            if any(value is ... for value in got):
                raise NotAttempted
            got = [plain(value, f"Each entry of what gradient_by_layer gives for {words}") for value in got]
            told = f"{what} gives {listed(got)} and should give {listed(right)}."
            if planted is None and agree(got, right):
                left = [p.grad for p in parameters if p.grad is not None and p.grad.any()]
                if left:
                    raise Wrong(
                        "Gradients stay behind",
                        "The numbers are right. But parameters have a .grad now that had none before. What would "
                        "happen in the next backward pass?",
                    )
                continue
            if agree(got, right):
                stale = [p.grad for p in parameters if p.grad is not None and p.grad.any()]
                if any(not grad.equal(torch.full_like(grad, planted)) for grad in stale):
                    raise Wrong("Gradients stay behind", "In a layer that had some before, yours are added to them.")
                continue
            if planted is not None:
                raise Wrong("Old gradients are counted", f"{told} Each .grad was {planted:g} before. backward() adds.")
            if agree(got[::-1], right):
                raise Wrong("The last layer first", f"{told} The first layer's number comes first.")
            if agree(got, [norm(p.detach() for p in layer.parameters()) for layer in layers]):
                raise Wrong("The weights, not their gradients", f"{told} How large the numbers are is not asked.")
            if agree(got, [size**2 for size in right]):
                raise Wrong("The root is missing", f"{told} Yours are the sums of the squares.")
            if agree(got, [norm(group, 1) for group in grads]):
                raise Wrong("The absolute values are added", f"{told} First the squares, then the sum, then the root.")
            if agree(got, [sum(norm([part]) for part in group) for group in grads]):
                raise Wrong("The sizes are added", f"{told} All of a layer's squares belong under one root.")
            chosen = [[norm([part]) for part in group] for group in grads]
            if any(agree(got, [one(sizes) for sizes in chosen]) for one in (max, lambda s: s[0], lambda s: s[-1])):
                raise Wrong("One parameter of each layer", f"{told} A layer may have a weight and a bias, or more.")
            counts = [sum(part.numel() for part in group) for group in grads]
            if agree(got, [size / n**0.5 for size, n in zip(right, counts)]):
                raise Wrong("The mean of the squares", f"{told} In a layer's size the squares are *added*.")
            if agree(got, [norm(group, 1) / n for group, n in zip(grads, counts)]):
                raise Wrong("The mean of the absolute values", f"{told} Squares, then their sum, then the root.")
            if agree(got, [max(part.abs().max().item() for part in group) for group in grads]):
                raise Wrong("The largest gradient only", told)
            if agree(got, [norm([part]) for part in outer]):
                raise Wrong("The gradients of what comes out", f"{told} The layers' *parameters* are asked for.")
            losses = {
                "sum": lambda out: (out**2).sum(),
                "mean": torch.mean,
                "plain": torch.sum,
                "abs": lambda out: out.abs().mean(),
                "square": lambda out: out.mean() ** 2,
                "half": lambda out: (out**2).mean() / 2,
            }
            other = {name: [norm(group) for group in gradients_of(layers, x, loss)[0]] for name, loss in losses.items()}
            if agree(got, other["sum"]):
                raise Wrong("The sum of the squares as the loss", f"{told} The loss is their mean.")
            if any(agree(got, other[name]) for name in ("mean", "plain", "abs", "square", "half")):
                raise Wrong("Another loss", f"{told} The loss is the mean of the squares.")
            if not any(got):
                raise Wrong("No gradient has been computed", f"{told} Does yours call backward()?")
            stages = [x]
            for layer in layers:
                stages.append(layer(stages[-1]))
            summed = torch.autograd.grad(sum(map(squares, stages[1:])), parameters)
            groups = torch.arange(len(parameters)).split([len(group) for group in grads])
            each = [norm(summed[i] for i in group) for group in groups]
            own = [norm(gradients_of([layer], start.detach(), squares)[0][0]) for layer, start in zip(layers, stages)]
            if agree(got, each) or agree(got, own):
                raise Wrong(
                    "A loss after every layer",
                    f"{told} You call backward after every layer. There is one loss, at the end.",
                )
            if len(got) > 1 and not any(got[:-1]):
                raise Wrong("The gradient stops", f"{told} It does not get past the last layer. What cuts the graph?")
            if len({layer.weight.shape for layer in layers if isinstance(layer, nn.Linear)}) == 1:
                apart = [norm(gradients_of([layer], x, squares)[0][0]) for layer in layers]
                if agree(got, apart):
                    raise Wrong("Each layer by itself", f"{told} What comes out of one should go into the next.")
            raise Wrong("Other numbers", told)
