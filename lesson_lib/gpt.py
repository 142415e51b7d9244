"""The GPT: the language model of lesson 13 in full size, quick to train and quick to write.

Follows Andrej Karpathy's lecture "Let's build GPT: from scratch, in code, spelled out"; how the weights begin is from
"Language Models are Unsupervised Multitask Learners" (Radford et al., 2019), GPT-2. Shapes: B examples in a batch, T
positions (tokens) in an example, C = n_embd channels for each token, H heads of hs = C / H numbers, V tokens in the
vocabulary.
"""

import torch
import torch.nn.functional as F
from torch import nn

from .attention import join_heads, split_heads
from .softmax import causal_mask


class Cache:
    """The keys and values of the tokens that one layer has seen: what is computed once need not be computed again."""

    def __init__(self):
        self.k = self.v = None  # (B, H, tokens so far, hs)

    def add(self, k, v):
        """Append the new tokens' keys and values, (B, H, T, hs), and return those of all tokens so far."""
        if self.k is not None:
            k, v = torch.cat([self.k, k], dim=2), torch.cat([self.v, v], dim=2)
        self.k, self.v = k, v
        return k, v

    def __len__(self):
        return 0 if self.k is None else self.k.shape[2]


class CausalSelfAttention(nn.Module):
    """Lesson 13's `MultiHeadAttention`, quicker: one matrix for queries, keys and values, and PyTorch's own attention.

    (B, T, C) → (B, T, C). With a `Cache`, x is what comes after the tokens in there.
    """

    def __init__(self, n_embd, n_head, dropout=0.0):
        super().__init__()
        self.n_head = n_head
        self.qkv = nn.Linear(n_embd, 3 * n_embd, bias=False)
        self.proj = nn.Linear(n_embd, n_embd)
        self.dropout = dropout

    def forward(self, x, cache=None):
        q, k, v = split_heads(self.qkv(x), 3 * self.n_head).chunk(3, dim=1)  # (B, H, T, hs) each
        before = 0
        if cache is not None:
            before = len(cache)
            k, v = cache.add(k, v)  # (B, H, S, hs), with S = before + T
        # the last T rows of the mask: the new tokens hear all before them, and themselves; a single one needs no mask
        mask = causal_mask(k.shape[2], x.device)[before:] if before and x.shape[1] > 1 else None
        dropout = self.dropout if self.training else 0.0
        out = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, dropout_p=dropout, is_causal=not before)
        return F.dropout(self.proj(join_heads(out)), self.dropout, self.training)


class GPTBlock(nn.Module):
    """Lesson 13's `Block` with the quicker attention, and with dropout: (B, T, C) → (B, T, C)."""

    def __init__(self, n_embd, n_head, dropout=0.0):
        super().__init__()
        self.norm1 = nn.LayerNorm(n_embd)
        self.attention = CausalSelfAttention(n_embd, n_head, dropout)
        self.norm2 = nn.LayerNorm(n_embd)
        self.inner = nn.Linear(n_embd, 4 * n_embd)
        self.proj = nn.Linear(4 * n_embd, n_embd)
        self.dropout = dropout

    def forward(self, x, cache=None):
        x = x + self.attention(self.norm1(x), cache)
        out = self.proj(self.inner(self.norm2(x)).relu())
        return x + F.dropout(out, self.dropout, self.training)


class GPT(nn.Module):
    """A GPT: token and position embeddings, n_layer blocks, a last LayerNorm, and a layer that makes V logits.

    `std` is how far the weights are spread at the beginning; the projections that are added to the residual stream
    begin smaller, by the root of how many they are. Raises ValueError for a size below 1, for an n_embd that is no
    multiple of n_head, and for a dropout outside of [0, 1).
    """

    def __init__(self, vocab_size, block_size, n_layer, n_head, n_embd, dropout=0.0, std=0.02):
        super().__init__()
        sizes = {"vocab_size": vocab_size, "block_size": block_size, "n_layer": n_layer, "n_head": n_head}
        for name, size in (sizes | {"n_embd": n_embd}).items():
            if size < 1:
                raise ValueError(f"{name} must be at least 1, and is {size}")
        if n_embd % n_head:
            raise ValueError(f"n_embd must be a multiple of n_head: {n_embd} numbers, {n_head} heads")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be from 0 to below 1, and is {dropout}")
        self.block_size = block_size
        self.dropout = dropout
        self.token_embedding_table = nn.Embedding(vocab_size, n_embd)
        self.position_embedding_table = nn.Embedding(block_size, n_embd)
        self.blocks = nn.ModuleList(GPTBlock(n_embd, n_head, dropout) for _ in range(n_layer))
        self.norm = nn.LayerNorm(n_embd)
        self.lm_head = nn.Linear(n_embd, vocab_size)
        for name, part in self.named_parameters():
            if name.endswith("proj.weight"):
                nn.init.normal_(part, std=std / (2 * n_layer) ** 0.5)
            elif part.dim() == 2:
                nn.init.normal_(part, std=std)
            elif name.endswith("bias"):
                nn.init.zeros_(part)

    def forward(self, idx, targets=None, caches=None):
        """Return the logits, (B, T, V), and the mean cross-entropy with the targets, or None without them.

        idx and targets are (B, T) tensors of token numbers. With caches, one for each block, idx is what comes after
        the tokens in there. Raises ValueError for more than block_size tokens, those in the caches included.
        """
        before = len(caches[0]) if caches else 0
        end = before + idx.shape[1]
        if end > self.block_size:
            raise ValueError(f"the model has {self.block_size} positions, and these are {end} tokens")
        x = self.token_embedding_table(idx) + self.position_embedding_table.weight[before:end]  # (B, T, C)
        x = F.dropout(x, self.dropout, self.training)
        for block, cache in zip(self.blocks, caches or [None] * len(self.blocks)):
            x = block(x, cache)
        logits = self.lm_head(self.norm(x))  # (B, T, V)
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    def parameter_count(self):
        """Return how many numbers the model learns."""
        return sum(part.numel() for part in self.parameters())

    @torch.no_grad()
    def generate(self, idx, max_new_tokens, temperature=1.0, top_k=None, *, generator=None, use_cache=True):
        """Return idx, a (B, T) tensor of token numbers, with max_new_tokens more drawn: (B, T + max_new_tokens).

        Each is drawn from what the last block_size tokens say. A temperature below 1 makes the probable more
        probable; top_k leaves only that many of the most probable tokens. generator is a `torch.Generator` on the
        model's device. The model is switched to evaluation meanwhile, so nothing is dropped out.

        With the cache only the newest token goes through the model, and the text is the same as without. That lasts
        until the block is full: from then on every token has another position at each step, nothing can be kept,
        and the whole block is computed each time.
        Raises ValueError for no tokens to begin with, a temperature that is not above 0, or a top_k below 1.
        """
        if idx.shape[1] < 1:
            raise ValueError("there must be at least 1 token to begin with")
        if not temperature > 0:
            raise ValueError(f"the temperature must be above 0, and is {temperature}")
        if top_k is not None and top_k < 1:
            raise ValueError(f"top_k must be at least 1, and is {top_k}")
        caches, was_training = None, self.training
        self.eval()
        try:
            for _ in range(max_new_tokens):
                T = idx.shape[1]
                if use_cache and T <= self.block_size:
                    new = idx if caches is None else idx[:, -1:]
                    caches = caches or [Cache() for _ in self.blocks]
                    logits, _ = self(new, caches=caches)
                else:
                    logits, _ = self(idx[:, -self.block_size :])
                logits = logits[:, -1] / temperature  # (B, V)
                if top_k is not None and top_k < logits.shape[1]:
                    least = logits.topk(top_k).values[:, -1:]  # (B, 1)
                    logits = logits.masked_fill(logits < least, -torch.inf)
                probs = F.softmax(logits, dim=-1)
                idx = torch.cat([idx, torch.multinomial(probs, num_samples=1, generator=generator)], dim=1)
        finally:
            self.train(was_training)
        return idx


def adamw(model, rate, weight_decay=0.1, beta2=0.99):
    """Return the AdamW with which GPTs are trained: only matrices decay, neither biases nor LayerNorms do.

    beta2 is the share of its memory of the gradients' squares that it keeps at each step.
    """
    matrices = [part for part in model.parameters() if part.dim() >= 2]
    others = [part for part in model.parameters() if part.dim() < 2]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=rate, betas=(0.9, beta2), fused=True)
