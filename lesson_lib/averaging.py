"""The average of the past: how each token can use everything before it, as a loop and as one matrix product.

Follows Andrej Karpathy's lecture "Let's build GPT: from scratch, in code, spelled out". Shapes: B examples in a
batch, T positions (tokens) in an example, C channels (numbers) for each token, V tokens in the vocabulary.
softmax.py has the third way to the same average.
"""

import torch
import torch.nn.functional as F
from torch import nn


def average_with_loop(x):
    """Return for each position the mean of its vector and of all before it: (B, T, C) → (B, T, C).

    >>> average_with_loop(torch.tensor([[[4.0, 0.0], [2.0, 6.0]]]))
    tensor([[[4., 0.],
             [3., 3.]]])
    """
    means = [x[:, : t + 1].mean(dim=1) for t in range(x.shape[1])]  # T times (B, C)
    return torch.stack(means, dim=1)  # (B, T, C)


def averaging_weights(T, dtype=None, device=None):
    """Return the (T, T) matrix whose row t holds 1 / (t + 1) up to place t, and 0 behind it: each row sums to 1.

    >>> averaging_weights(2)
    tensor([[1.0000, 0.0000],
            [0.5000, 0.5000]])
    """
    allowed = torch.ones(T, T, dtype=dtype, device=device).tril()
    return allowed / allowed.sum(dim=1, keepdim=True)


def average_with_matmul(x):
    """Return the same as `average_with_loop`, from one matrix product: (T, T) @ (B, T, C) → (B, T, C).

    x may also be (T, C). Its numbers must be of a floating-point type, and the result is of that type.
    """
    weights = averaging_weights(x.shape[-2], x.dtype, x.device)  # (T, T)
    return weights @ x


class BagOfWordsLanguageModel(nn.Module):
    """Predicts the next token from the average of all tokens in the block so far.

    Each token has a vector of n_embd numbers. `average` turns the vectors, (B, T, n_embd), into averages of the same
    shape; it is a function such as `average_with_loop`, or a module with weights of its own. With
    `keep_token=True` the last layer gets the token's own vector beside the average. Without any average (None) the
    model is a bigram.

    Raises ValueError for a size below 1, and for keep_token without an average.
    """

    def __init__(self, vocab_size, block_size, n_embd, average=average_with_loop, keep_token=False):
        super().__init__()
        if min(vocab_size, block_size, n_embd) < 1:
            sizes = f"{vocab_size}, {block_size} and {n_embd}"
            raise ValueError(f"vocab_size, block_size and n_embd must be at least 1, and are {sizes}")
        if keep_token and average is None:
            raise ValueError("keep_token=True puts the token beside the average, and there is none")
        self.block_size = block_size
        self.average = average
        self.keep_token = keep_token
        self.token_embedding_table = nn.Embedding(vocab_size, n_embd)
        self.lm_head = nn.Linear(2 * n_embd if keep_token else n_embd, vocab_size)

    def forward(self, idx, targets=None):
        """Return the logits, (B, T, V), and the mean cross-entropy with the targets, or None without them.

        idx and targets are (B, T) tensors of token numbers.
        """
        x = self.token_embedding_table(idx)  # (B, T, C)
        out = x if self.average is None else self.average(x)  # (B, T, C)
        if self.keep_token:
            out = torch.cat([x, out], dim=-1)  # (B, T, 2 * C)
        logits = self.lm_head(out)  # (B, T, V)
        if targets is None:
            return logits, None
        loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())
        return logits, loss

    @torch.no_grad()
    def generate(self, idx, max_new_tokens, *, generator=None):
        """Return idx, a (B, T) tensor of token numbers, with max_new_tokens more drawn: (B, T + max_new_tokens).

        Each is drawn from what the last block_size tokens say. generator is a `torch.Generator` on the model's device.
        """
        for _ in range(max_new_tokens):
            logits, _ = self(idx[:, -self.block_size :])  # (B, at most block_size, V)
            probs = F.softmax(logits[:, -1], dim=-1)  # (B, V)
            idx = torch.cat([idx, torch.multinomial(probs, num_samples=1, generator=generator)], dim=1)
        return idx
