"""Self-attention, from one head to a whole block: tokens that choose, from what they are, whom they listen to.

Follows Andrej Karpathy's lecture "Let's build GPT: from scratch, in code, spelled out", and "Attention Is All You
Need" (Vaswani et al., 2017). Shapes: B examples in a batch, T positions (tokens) in an example, S positions in
another sequence that is listened to, C channels (numbers) for each token, hs the head size, H heads, V tokens in the
vocabulary; "..." stands for any dimensions. A mask is a bool tensor, True where a token may listen.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

from .averaging import BagOfWordsLanguageModel
from .softmax import causal_mask, masked_softmax, softmax


def attention_weights(q, k, mask=None):
    """Return how much each query listens to each key: (..., T, hs) and (..., S, hs) → (..., T, S).

    The score of a query and a key is their dot product, divided by the square root of the head size; the softmax of
    a row of scores is a row of weights, positive and with the sum 1. Where the mask, of a shape that broadcasts to
    (..., T, S), is False, the weight is exactly 0. Without a mask, everyone may listen to everyone. A query that may
    listen to nobody at all gets 0 everywhere, and so do its gradients.

    >>> attention_weights(torch.tensor([[8.0, 0.0]]), torch.tensor([[1.0, 0.0], [1.0, 5.0]]))
    tensor([[0.5000, 0.5000]])
    """
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])  # (..., T, hs) @ (..., hs, S) → (..., T, S)
    if mask is None:
        return softmax(scores)
    hears = mask.any(dim=-1, keepdim=True)  # (..., T, 1)
    # a row that hears nobody goes through the softmax unmasked, and becomes 0 after it: no nan, and none backward
    return masked_softmax(scores, mask | ~hears) * hears


def scaled_dot_product_attention(q, k, v, mask=None):
    """Return for each query the weighted sum of the values: (..., T, hs), (..., S, hs), (..., S, hv) → (..., T, hv).

    The weights are those of `attention_weights`. A query that may listen to nobody gets zeros.
    """
    return attention_weights(q, k, mask) @ v  # (..., T, S) @ (..., S, hv) → (..., T, hv)


def fused_attention(q, k, v, mask=None):
    """Return the same as `scaled_dot_product_attention`, from PyTorch's own, which never keeps the (T, S) weights.

    It does all steps in one, which is faster and takes less memory, and cannot say what the weights were.
    """
    if mask is None:
        return F.scaled_dot_product_attention(q, k, v)
    hears = mask.any(dim=-1, keepdim=True)  # (..., T, 1)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask | ~hears) * hears


class Head(nn.Module):
    """One head of self-attention: (B, T, C) → (B, T, head_size), with C = n_embd.

    Each token emits a query, a key and a value, each of head_size numbers, by three matrices that are learned. With
    `causal=True` no token listens to one that comes after it; a mask given with the input counts in its place.
    `attend` does the rest: `scaled_dot_product_attention`, or `fused_attention`.
    """

    def __init__(self, n_embd, head_size, causal=True, attend=scaled_dot_product_attention):
        super().__init__()
        self.query = nn.Linear(n_embd, head_size, bias=False)
        self.key = nn.Linear(n_embd, head_size, bias=False)
        self.value = nn.Linear(n_embd, head_size, bias=False)
        self.causal = causal
        self.attend = attend

    def forward(self, x, mask=None):
        if mask is None and self.causal:
            mask = causal_mask(x.shape[-2], x.device)  # (T, T)
        q, k, v = self.query(x), self.key(x), self.value(x)  # (B, T, hs) each
        return self.attend(q, k, v, mask)  # (B, T, hs)


def head_of_values(x, query, key, value):
    """Compute a head of causal self-attention number by number: return its outputs and its weights, as nested lists.

    x is a list of T lists of C numbers, query, key and value are lists of C lists of head-size numbers: matrices,
    one row for each channel. The numbers are floats or `Value`s; of these at least the queries' or keys' must be, as
    e to the power of a score is asked for by `score.exp()`. Row t of the weights has the t + 1 numbers up to t.
    """

    def dot(a, b):
        first, *rest = (one * other for one, other in zip(a, b))
        return sum(rest, first)

    def project(matrix):
        return [[dot(token, column) for column in zip(*matrix)] for token in x]  # (T, hs)

    q, k, v = project(query), project(key), project(value)
    scale = len(q[0]) ** -0.5
    weights, out = [], []
    for t in range(len(x)):
        exps = [(dot(q[t], k[i]) * scale).exp() for i in range(t + 1)]
        first, *rest = exps
        total = sum(rest, first)
        weights.append([e / total for e in exps])
        out.append([dot(weights[t], column) for column in zip(*v[: t + 1])])
    return out, weights


def split_heads(x, n_head):
    """Return each token's C numbers as n_head groups of C / n_head, one for each head: (B, T, C) → (B, H, T, hs)."""
    B, T, C = x.shape
    return x.view(B, T, n_head, C // n_head).transpose(1, 2)


def join_heads(x):
    """Undo `split_heads`: (B, H, T, hs) → (B, T, C)."""
    return x.transpose(1, 2).flatten(2)


class MultiHeadAttention(nn.Module):
    """Several heads of self-attention side by side: (B, T, C) → (B, T, C), with C = n_embd.

    Each of the n_head heads has n_embd / n_head of the queries', keys' and values' numbers, and weights of its own.
    Their outputs are put side by side, and one more matrix, the projection, mixes them. `causal`, the mask and
    `attend` are those of `Head`. Raises ValueError where n_embd cannot be divided by n_head.
    """

    def __init__(self, n_embd, n_head, causal=True, attend=scaled_dot_product_attention):
        super().__init__()
        if n_head < 1 or n_embd % n_head:
            raise ValueError(
                f"n_embd must be a multiple of n_head: {n_embd} numbers cannot be shared by {n_head} heads"
            )
        self.n_head = n_head
        self.query = nn.Linear(n_embd, n_embd, bias=False)
        self.key = nn.Linear(n_embd, n_embd, bias=False)
        self.value = nn.Linear(n_embd, n_embd, bias=False)
        self.proj = nn.Linear(n_embd, n_embd)
        self.causal = causal
        self.attend = attend

    def listen(self, x, source, mask=None):
        """Let the tokens of x, (B, T, C), listen to those of the source, (B, S, C): return (B, T, C)."""
        q = split_heads(self.query(x), self.n_head)  # (B, H, T, hs)
        k = split_heads(self.key(source), self.n_head)  # (B, H, S, hs)
        v = split_heads(self.value(source), self.n_head)  # (B, H, S, hs)
        return self.proj(join_heads(self.attend(q, k, v, mask)))

    def forward(self, x, mask=None):
        if mask is None and self.causal:
            mask = causal_mask(x.shape[-2], x.device)  # (T, T)
        return self.listen(x, x, mask)


class CrossAttention(MultiHeadAttention):
    """Several heads that listen to another sequence: (B, T, C) and the source's (B, S, C) → (B, T, C).

    The queries come from x, the keys and values from the source. Nothing is hidden, unless by a mask of (T, S).
    """

    def __init__(self, n_embd, n_head, attend=scaled_dot_product_attention):
        super().__init__(n_embd, n_head, causal=False, attend=attend)

    def forward(self, x, source, mask=None):
        return self.listen(x, source, mask)


class FeedForward(nn.Module):
    """A small network for each token by itself: (..., C) → (..., C), over 4 · C numbers and a relu."""

    def __init__(self, n_embd):
        super().__init__()
        self.inner = nn.Linear(n_embd, 4 * n_embd)
        self.proj = nn.Linear(4 * n_embd, n_embd)

    def forward(self, x):
        return self.proj(self.inner(x).relu())


class LayerNorm(nn.Module):
    """Give each token's numbers the mean 0 and the variance 1, and then a gain and a bias that are learned.

    (..., C) → (..., C), along the last dimension alone: no token sees another one, no example another one. eps keeps
    a token whose numbers are all equal from a division by 0. The same as `torch.nn.LayerNorm(n_embd)`.
    From "Layer Normalization" (Ba, Kiros and Hinton, 2016).
    """

    def __init__(self, n_embd, eps=1e-5):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(n_embd))
        self.bias = nn.Parameter(torch.zeros(n_embd))
        self.eps = eps

    def forward(self, x):
        mean = x.mean(dim=-1, keepdim=True)
        variance = x.var(dim=-1, keepdim=True, correction=0)
        return self.gain * (x - mean) / (variance + self.eps).sqrt() + self.bias


class Block(nn.Module):
    """Communication, then computation: attention and a feed-forward network, each added to its input.

    (B, T, C) → (B, T, C). Each gets its input normalized ("pre-norm", as the lecture does it; the paper normalized
    after the addition).
    """

    def __init__(self, n_embd, n_head, causal=True, attend=scaled_dot_product_attention):
        super().__init__()
        self.norm1 = LayerNorm(n_embd)
        self.attention = MultiHeadAttention(n_embd, n_head, causal, attend)
        self.norm2 = LayerNorm(n_embd)
        self.feed_forward = FeedForward(n_embd)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.feed_forward(self.norm2(x))


class AttentionLanguageModel(nn.Module):
    """Predicts the next token from what `body` makes of the tokens and of their positions.

    Each token and each of the block_size positions has a vector of n_embd numbers; their sum goes through the body,
    a module (B, T, n_embd) → (B, T, n_embd) such as a `Head` or an `nn.Sequential` of `Block`s, and a last layer makes
    logits of what comes out. Raises ValueError for a size below 1.
    """

    def __init__(self, vocab_size, block_size, n_embd, body):
        super().__init__()
        if min(vocab_size, block_size, n_embd) < 1:
            sizes = f"{vocab_size}, {block_size} and {n_embd}"
            raise ValueError(f"vocab_size, block_size and n_embd must be at least 1, and are {sizes}")
        self.block_size = block_size
        self.token_embedding_table = nn.Embedding(vocab_size, n_embd)
        self.position_embedding_table = nn.Embedding(block_size, n_embd)
        self.body = body
        self.lm_head = nn.Linear(n_embd, vocab_size)

    def forward(self, idx, targets=None):
        """Return the logits, (B, T, V), and the mean cross-entropy with the targets, or None without them.

        idx and targets are (B, T) tensors of token numbers. Raises ValueError for more than block_size tokens.
        """
        T = idx.shape[1]
        if T > self.block_size:
            raise ValueError(f"the model has {self.block_size} positions, and these are {T} tokens")
        positions = torch.arange(T, device=idx.device)
        x = self.token_embedding_table(idx) + self.position_embedding_table(positions)  # (B, T, C) + (T, C)
        logits = self.lm_head(self.body(x))  # (B, T, V)
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    generate = BagOfWordsLanguageModel.generate  # from the last block_size tokens, as in lesson 9


def attention_maps(model, *inputs):
    """Run the model on the inputs, and return the weights of each attention in it, in the order of the computation.

    Each is a tensor (..., T, S): (B, T, T) from a `Head`, (B, H, T, T) from a `MultiHeadAttention`. The model is as
    it was afterwards.
    """
    maps, modules = [], [module for module in model.modules() if hasattr(module, "attend")]
    before = [module.attend for module in modules]

    def attend(q, k, v, mask=None):
        maps.append(attention_weights(q, k, mask))
        return maps[-1] @ v

    try:
        for module in modules:
            module.attend = attend
        with torch.no_grad():
            model(*inputs)
    finally:
        for module, function in zip(modules, before):
            module.attend = function
    return maps
