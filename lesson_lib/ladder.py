"""The loss ladder: the models of lessons 8 to 14, each rung one change against the one before it, on one text.

    python -m lesson_lib.ladder

trains all of them with the lecture's budget, each with several seeds, and writes a table; about 10 minutes on one
core. The losses are over the whole validation split, so they say more than the lecture's, which are from some batches.
"""

import argparse
import csv
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import nn

from . import checkpoint
from .attention import AttentionLanguageModel, Block, FeedForward, Head, LayerNorm, MultiHeadAttention
from .averaging import BagOfWordsLanguageModel, average_with_matmul
from .bigram import BigramLanguageModel
from .gpt import GPT
from .text import CharTokenizer, load, split
from .training import train, whole_loss

TABLE = Path(__file__).resolve().parent.parent / "assets" / "ladder.csv"


class Rung(NamedTuple):
    """One model of the ladder, and how the lecture trains it.

    build: makes it, from the size of the vocabulary. rate: of AdamW. lecture: the loss that the lecture reports, if
    it does.
    """

    name: str
    build: Callable
    lecture: float | None = None
    block_size: int = 8
    batch_size: int = 32
    steps: int = 5000
    rate: float = 1e-3


class DraftBlock(nn.Module):
    """A block on the way to `Block`: attention and a network for each token, with or without the `+`: (B, T, C)."""

    def __init__(self, attention, feed_forward, plus=False):
        super().__init__()
        self.attention, self.feed_forward, self.plus = attention, feed_forward, plus

    def forward(self, x):
        for layer in (self.attention, self.feed_forward):
            x = x + layer(x) if self.plus else layer(x)
        return x


def heads_only(n_embd, n_head):
    """Return a `MultiHeadAttention` without its projection."""
    attention = MultiHeadAttention(n_embd, n_head)
    attention.proj = nn.Identity()
    return attention


def rungs(n_embd=32, n_head=4, n_layer=3, block_size=8):
    """Return the list of `Rung`s, from the bigram to a GPT; the sizes are those of the rungs with attention."""
    C, H = n_embd, n_head

    def model(body):  # body is a function, so that nothing is made, and no die thrown, before the rung is built
        return lambda vocab_size: AttentionLanguageModel(vocab_size, block_size, C, body())

    def stack(make):
        return model(lambda: nn.Sequential(*(make() for _ in range(n_layer))))

    def small():
        return DraftBlock(heads_only(C, H), nn.Sequential(nn.Linear(C, C), nn.ReLU()))

    def large(plus):
        return DraftBlock(MultiHeadAttention(C, H), FeedForward(C), plus)

    def normed():
        return nn.Sequential(*(Block(C, H) for _ in range(n_layer)), LayerNorm(C))

    return [
        Rung("bigram", BigramLanguageModel, 2.5, steps=3000, rate=1e-2),
        Rung("bag of words", lambda V: BagOfWordsLanguageModel(V, block_size, C, average_with_matmul)),
        Rung("one head", model(lambda: Head(C, C)), 2.4),
        Rung("four heads", model(lambda: heads_only(C, H)), 2.28),
        Rung("+ feed-forward", model(small), 2.24),
        Rung("3 blocks", stack(small)),
        Rung("3 larger blocks", stack(lambda: large(plus=False))),
        Rung("+ residual", stack(lambda: large(plus=True)), 2.08),
        Rung("+ LayerNorm", model(normed), 2.06),
        Rung("4 layers of 64", lambda V: GPT(V, 32, 4, 4, 64), 1.82, block_size=32, batch_size=16),
    ]


def climb(rung, data, vocab_size, seed=1337, **options):
    """Train the rung's model, and return it and its loss on all of the validation text.

    data is the pair (train_data, validation_data) of token numbers. The options are those of `training.train`;
    without them it is the lecture's budget.
    """
    torch.manual_seed(seed)
    model = rung.build(vocab_size)
    recipe = {
        "block_size": rung.block_size, "batch_size": rung.batch_size, "steps": rung.steps, "seed": seed,
        "evaluate_every": rung.steps + 1, "progress": False,
    } | options  # fmt: skip
    if "optimizer" not in recipe:
        recipe["optimizer"] = torch.optim.AdamW(model.parameters(), lr=rung.rate, fused=True)
    train(model, *data, **recipe)
    return model, whole_loss(model, data[1], rung.block_size)


def read_table(path=TABLE):
    """Return what the command wrote: a dictionary of the rung's name → {seed: loss}."""
    found = {}
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["rung"], {})[int(row["seed"])] = float(row["loss"])
    return found


def main(arguments=None):
    """Train all rungs with each seed, print the table, write it, and return 0; 2 where something is wrong.

    What is done stands in the table's `.part` after each rung. The table itself is replaced when all are.
    """
    parser = argparse.ArgumentParser(prog="python -m lesson_lib.ladder", description="Train every rung of the ladder.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="one training for each")
    parser.add_argument("--text", help="a UTF-8 text file; without it tiny Shakespeare")
    parser.add_argument("--share", type=float, default=1.0, help="share of the steps: less than 1 for a quick look")
    parser.add_argument("--table", default=TABLE, help="the file to write")
    options = parser.parse_args(arguments)
    if not 0 < options.share <= 1:
        parser.error(f"--share must be above 0 and at most 1, and is {options.share}")
    try:
        _measure(options)
    except (ValueError, OSError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    return 0


def _measure(options):
    part = f"{options.table}.part"
    torch.set_num_threads(1)
    text = load(options.text)
    tokenizer = CharTokenizer(text)
    data = split(torch.tensor(tokenizer.encode(text)))
    rows = []
    print(f"{'rung':16} {'lecture':>8} {'mean':>7} {'min':>7} {'max':>7} {'parameters':>11}")
    for rung in rungs():
        losses = []
        for seed in options.seeds:
            steps = max(1, round(options.share * rung.steps))
            model, loss = climb(rung, data, len(tokenizer), seed, steps=steps)
            size = sum(part.numel() for part in model.parameters())
            losses.append(loss)
            rows.append({"rung": rung.name, "seed": seed, "steps": steps, "parameters": size, "loss": f"{loss:.4f}"})
        said = "" if rung.lecture is None else f"{rung.lecture:.2f}"
        mean = sum(losses) / len(losses)
        print(f"{rung.name:16} {said:>8} {mean:7.3f} {min(losses):7.3f} {max(losses):7.3f} {size:11,}", flush=True)
        written = io.StringIO(newline="")
        writer = csv.DictWriter(written, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        checkpoint.write(part, written.getvalue().encode())
    os.replace(part, options.table)


if __name__ == "__main__":
    sys.exit(main())
