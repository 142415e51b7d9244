"""The bigram model: the next token is guessed from the last one alone. Once counted, once learned.

Follows Andrej Karpathy's lecture "Let's build GPT: from scratch, in code, spelled out". Shapes: B examples in a
batch, T positions (tokens) in an example, V tokens in the vocabulary.
"""

import torch
import torch.nn.functional as F
from torch import nn


def count_bigrams(ids, vocab_size):
    """Return how often each token follows each other one: a (V, V) tensor, whose row is the first of the two.

    ids is a one-dimensional int64 tensor of token numbers from 0 to V - 1. Raises ValueError for any other number.
    """
    if len(ids) > 0 and not 0 <= ids.min() <= ids.max() < vocab_size:
        raise ValueError(f"tokens have numbers from 0 to {vocab_size - 1}; here are {ids.min()} to {ids.max()}")
    pairs = ids[:-1] * vocab_size + ids[1:]
    return torch.bincount(pairs, minlength=vocab_size**2).view(vocab_size, vocab_size)  # (V, V)


def probabilities(counts, smoothing=0.0):
    """Return each row of the counts as probabilities, which sum to 1: a (V, V) tensor.

    smoothing is added to every count first, so that what was never seen is not impossible.
    Raises ValueError for a row without any count.
    """
    counts = counts + smoothing
    totals = counts.sum(dim=1, keepdim=True)  # (V, 1)
    if not (totals > 0).all():
        row = totals[:, 0].argmin().item()
        raise ValueError(f"row {row} has no counts, so it has no probabilities: give it some smoothing, such as 1")
    return counts / totals


def negative_log_likelihood(table, ids):
    """Return the mean of minus the logarithm of the probability that the table gave to each next token.

    table is a (V, V) tensor of probabilities, ids a one-dimensional tensor of at least 2 token numbers. The result is
    a tensor of one number, inf where the table called impossible what came.
    """
    return -table[ids[:-1], ids[1:]].log().mean()


class BigramLanguageModel(nn.Module):
    """A table with one row of V logits for each of the V tokens: the logits of what comes next.

    Raises ValueError for a vocabulary without tokens.
    """

    def __init__(self, vocab_size):
        super().__init__()
        if vocab_size < 1:
            raise ValueError(f"a vocabulary has at least 1 token, and not {vocab_size}")
        self.token_embedding_table = nn.Embedding(vocab_size, vocab_size)

    def forward(self, idx, targets=None):
        """Return the logits, (B, T, V), and the mean cross-entropy with the targets, or None without them.

        idx and targets are (B, T) tensors of token numbers.
        """
        logits = self.token_embedding_table(idx)  # (B, T, V)
        if targets is None:
            return logits, None
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())  # (B*T, V) against (B*T)
        return logits, loss

    @torch.no_grad()
    def generate(self, idx, max_new_tokens, temperature=1.0, generator=None):
        """Return idx, a (B, T) tensor of token numbers, with max_new_tokens more drawn: (B, T + max_new_tokens).

        A temperature below 1 makes the probable more probable, one above 1 makes all more alike.
        generator is a `torch.Generator` on the model's device. Raises ValueError for a temperature that is not above 0.
        """
        if not temperature > 0:
            raise ValueError(f"the temperature must be above 0, and is {temperature}")
        for _ in range(max_new_tokens):
            logits, _ = self(idx)  # (B, T, V)
            probs = F.softmax(logits[:, -1] / temperature, dim=-1)  # (B, V)
            idx_next = torch.multinomial(probs, num_samples=1, generator=generator)  # (B, 1)
            idx = torch.cat([idx, idx_next], dim=1)  # (B, T + 1)
        return idx
