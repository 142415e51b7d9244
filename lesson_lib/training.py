"""The training loop of all language models of the course: batches, AdamW, evaluation, a progress bar.

A model is anything of the form that the lectures use: `logits, loss = model(x, y)` for x and y of shape (B, T).
"""

import contextlib
import math
import sys
from dataclasses import dataclass, field

import torch
from tqdm import tqdm

from .text import get_batch


@dataclass
class History:
    """What a training run leaves behind: a loss for each step, and the evaluations as (step, training, validation)."""

    losses: list[float] = field(default_factory=list)
    evaluations: list[tuple[int, float, float]] = field(default_factory=list)
    interrupted: bool = False


@contextlib.contextmanager
def evaluating(model):
    """Switch the model to evaluation within the block, without gradients, and then back to how it was."""
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was_training)


def evaluate(model, data, block_size, batch_size, batches=20, seed=1):
    """Return the model's mean loss over several batches of the data, a float; no gradients are computed.

    The batches are drawn from the seed, so that two models are measured on the same ones, and on others than `train`
    begins with. The model is switched to evaluation (`model.eval()`) meanwhile, and then back.
    Raises ValueError for fewer than 1 batch.
    """
    if batches < 1:
        raise ValueError(f"at least 1 batch is needed, and not {batches}")
    generator = torch.Generator().manual_seed(seed)
    with evaluating(model):
        losses = [model(*get_batch(data, block_size, batch_size, generator))[1].item() for _ in range(batches)]
    return sum(losses) / batches


def whole_loss(model, data, block_size, batch_size=1024):
    """Return the model's mean loss over all of the data, a float; no gradients are computed.

    The data, a one-dimensional tensor of token numbers, is cut into blocks of block_size tokens, one after the other;
    what is left over at the end, less than a block, is not counted. `batch_size` blocks go through the model at once.
    Unlike `evaluate` it draws nothing, so it always gives the same number: it is the one for comparing models.
    Raises ValueError where the data has less than block_size + 1 tokens, or a size is below 1.
    """
    if block_size < 1 or batch_size < 1:
        raise ValueError(f"block_size and batch_size must be at least 1, and are {block_size} and {batch_size}")
    if len(data) <= block_size:
        raise ValueError(f"{len(data)} tokens are too few for a block of {block_size}: it takes {block_size + 1}")
    n = (len(data) - 1) // block_size
    x, y = (part[: n * block_size].view(n, block_size) for part in (data[:-1], data[1:]))  # (n, block_size) each
    with evaluating(model):
        batches = zip(x.split(batch_size), y.split(batch_size))
        return sum(model(*batch)[1].item() * len(batch[0]) for batch in batches) / n


def train(
    model,
    train_data,
    validation_data,
    *,
    block_size,
    batch_size,
    steps,
    learning_rate=1e-3,
    optimizer=None,
    evaluate_every=500,
    evaluation_batches=20,
    seed=1337,
    progress=True,
):
    """Train the model for so many steps, and return the `History`.

    train_data and validation_data are one-dimensional tensors of token numbers, on the model's device. The optimizer
    is AdamW with the learning rate, unless you hand over your own. Every `evaluate_every` steps, and at the end, the
    loss is measured on `evaluation_batches` batches of each. The batches are drawn from the seed: the same seed gives
    the same numbers on one machine. An interrupt ends the run, and the model keeps what it has learned.
    Raises FloatingPointError, with the step, when the loss is not a finite number, and ValueError for texts of less
    than block_size + 1 tokens, or where `steps`, `evaluate_every` or
    `evaluation_batches` is too small.
    """
    if steps < 0:
        raise ValueError(f"steps must be 0 or more, and is {steps}")
    if evaluate_every < 1:
        raise ValueError(f"evaluate_every must be at least 1, and is {evaluate_every}")
    if optimizer is None:
        optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    generator = torch.Generator().manual_seed(seed)
    history = History()

    def look(step):
        sizes = block_size, batch_size, evaluation_batches
        pair = evaluate(model, train_data, *sizes), evaluate(model, validation_data, *sizes)
        history.evaluations.append((step, *pair))

    model.train()
    bar = tqdm(range(steps), file=sys.stdout, disable=not progress, mininterval=0.5, unit=" steps")
    try:
        for step in bar:
            if step % evaluate_every == 0:
                look(step)
            x, y = get_batch(train_data, block_size, batch_size, generator)
            _, loss = model(x, y)
            now = loss.item()
            if not math.isfinite(now):
                raise FloatingPointError(f"the loss is {now} at step {step}: is the learning rate too high?")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            history.losses.append(now)
            bar.set_postfix(loss=f"{now:.3f}", validation=f"{history.evaluations[-1][2]:.3f}", refresh=False)
        look(steps)
    except KeyboardInterrupt:
        history.interrupted = True
        print(f"stopped after {len(history.losses)} of {steps} steps: the model keeps what it has learned")
    finally:
        bar.close()
    return history
