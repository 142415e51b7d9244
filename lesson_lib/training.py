"""The training loop of all language models of the course: batches, AdamW, evaluation, a progress bar, checkpoints.

A model is anything of the form that the lectures use: `logits, loss = model(x, y)` for x and y of shape (B, T).

As a command it trains a GPT; what it takes is said by

    python -m lesson_lib.training --help

and several processes train one model together under PyTorch's own launcher:

    torchrun --standalone --nproc-per-node 2 -m lesson_lib.training
"""

import argparse
import contextlib
import math
import os
import sys
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from . import checkpoint as checkpoints
from .descent import constant, cosine_decay, linear_decay
from .gpt import GPT
from .text import CharTokenizer, get_batch, load, split

SCHEDULES = {"linear": linear_decay, "cosine": cosine_decay, "constant": lambda rate, steps: constant(rate)}
PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16}


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


def _keep(path, model, optimizer, generator, history, settings):
    """Write all that a run needs to go on, as a checkpoint."""
    state = optimizer.state_dict()
    tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    tensors |= {f"optimizer.{n}.{name}": tensor for n, own in state["state"].items() for name, tensor in own.items()}
    tensors |= {"batches": generator.get_state(), "dice": torch.get_rng_state()}
    tensors["losses"] = torch.tensor(history.losses, dtype=torch.float64)
    facts = {"run": settings, "evaluations": history.evaluations, "optimizer": state["param_groups"]}
    checkpoints.save(path, tensors, facts)


def _resume(path, model, optimizer, generator, history, settings):
    """Put everything back as `_keep` found it."""
    tensors, facts = checkpoints.load(path)
    if not isinstance(facts, dict) or "run" not in facts:
        raise ValueError(f"{path} holds no run to go on with, only weights")
    theirs = facts["run"]
    if theirs != settings:
        other = next(name for name in {**settings, **theirs} if theirs.get(name) != settings.get(name))
        raise ValueError(
            f"{path} is of another run: its {other} is {theirs.get(other)}, and here it is {settings.get(other)}; "
            "take another folder"
        )
    weights = {name.removeprefix("model."): tensor for name, tensor in tensors.items() if name.startswith("model.")}
    checkpoints.fill(model, weights)
    state = {}
    for name, tensor in tensors.items():
        if name.startswith("optimizer."):
            _, n, own = name.split(".", 2)
            state.setdefault(int(n), {})[own] = tensor
    optimizer.load_state_dict({"state": state, "param_groups": facts["optimizer"]})
    generator.set_state(tensors["batches"])
    torch.set_rng_state(tensors["dice"])
    history.losses = tensors["losses"].tolist()
    history.evaluations = [tuple(row) for row in facts["evaluations"]]


def warm_up(schedule, steps):
    """Return the schedule that rises to the given one along a straight line during the first `steps` steps.

    A schedule is a function from the number of a step, counted from 0, to its learning rate, as in lesson 5.
    """
    return lambda step: schedule(step) * min(1.0, (step + 1) / steps)


def train(
    model,
    train_data,
    validation_data,
    *,
    block_size,
    batch_size,
    steps,
    learning_rate=1e-3,
    schedule=None,
    clip=None,
    accumulate=1,
    optimizer=None,
    evaluate_every=500,
    evaluation_batches=20,
    seed=1337,
    progress=True,
    folder=None,
    about=None,
    precision=None,
):
    """Train the model for so many steps, and return the `History`.

    train_data and validation_data are one-dimensional tensors of token numbers, on the model's device. The optimizer
    is AdamW with the learning rate, unless you hand over your own. With a schedule, a function from the number of a
    step to its learning rate, the rate is set before each step. With `clip`, gradients whose norm all together is
    above it are shortened to it. With `accumulate` above 1, each step takes the mean gradient of so many batches: the
    same as one batch that is so many times as large, in less memory.

    Every `evaluate_every` steps, and at the end, the loss is measured on `evaluation_batches` batches of each text. The
    batches are drawn from the seed: the same seed gives the same numbers on one machine. An interrupt ends the run,
    and the model keeps what it has learned.

    `precision` is the type in which the model computes where that is exact enough, such as `torch.bfloat16`; the
    weights stay what they are ("mixed precision"). A model in PyTorch's DistributedDataParallel is trained by all
    processes together: each takes its part of the examples of each batch, and without dropout the numbers are those
    of one process.

    With a `folder`, a checkpoint `last.safetensors` is left in it at each evaluation, and `best.safetensors` holds the
    weights that had the lowest validation loss, and what `about` says, anything that JSON can hold. A run that finds
    its own `last.safetensors` there goes on from it, and ends with the same numbers as one that was never stopped,
    however this one was: by an interrupt, or killed. (On a GPU that holds without dropout.) The schedule is not kept
    in it: hand over the same one.
    Raises FloatingPointError, with the step, when the loss is not a finite number, and ValueError for texts of less
    than block_size + 1 tokens, where a number is too small, or where the checkpoint in the folder is damaged, or of
    another model or run.
    """
    if steps < 0:
        raise ValueError(f"steps must be 0 or more, and is {steps}")
    if evaluate_every < 1:
        raise ValueError(f"evaluate_every must be at least 1, and is {evaluate_every}")
    if accumulate < 1:
        raise ValueError(f"accumulate must be at least 1, and is {accumulate}")
    if clip is not None and not clip > 0:
        raise ValueError(f"clip must be above 0, and is {clip}")
    settings = {"block_size": block_size, "batch_size": batch_size, "accumulate": accumulate, "seed": seed}
    settings |= {"evaluate_every": evaluate_every, "clip": clip, "precision": str(precision)}
    if optimizer is None:
        settings["learning_rate"] = learning_rate
        optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
    together = isinstance(model, DistributedDataParallel)
    rank, ranks = (distributed.get_rank(), distributed.get_world_size()) if together else (0, 1)
    if batch_size % ranks:
        raise ValueError(f"batch_size must be a multiple of the {ranks} processes that share it, and is {batch_size}")
    bare = model.module if together else model
    generator = torch.Generator().manual_seed(seed)
    history = History()
    sizes = block_size, batch_size, evaluation_batches
    last = None
    if folder is not None:
        last = Path(folder) / "last.safetensors"
        settings["texts"] = [zlib.crc32(text.cpu().numpy().tobytes()) for text in (train_data, validation_data)]
        if last.exists():
            _resume(last, bare, optimizer, generator, history, settings)
        if len(history.losses) > steps:
            raise ValueError(f"{last} has {len(history.losses)} steps already, and steps is {steps}")

    def look(step):
        pair = evaluate(bare, train_data, *sizes), evaluate(bare, validation_data, *sizes)
        history.evaluations.append((step, *pair))
        if last is None or rank:
            return
        if pair[1] == min(validation for _, _, validation in history.evaluations):
            facts = {"step": step, "loss": pair[1], "about": about}
            checkpoints.save(last.with_name("best.safetensors"), bare.state_dict(), facts)
        _keep(last, bare, optimizer, generator, history, settings)

    def mean_of_all(loss):
        if together:
            loss = loss.detach().clone()
            distributed.all_reduce(loss)
        return loss.item() / ranks

    model.train()
    done = len(history.losses)
    bar = tqdm(
        range(done, steps), initial=done, total=steps,
        file=sys.stdout, disable=not progress or rank > 0, mininterval=0.5, unit=" steps",
    )  # fmt: skip
    try:
        for step in bar:
            if step % evaluate_every == 0 and (not history.evaluations or history.evaluations[-1][0] != step):
                look(step)
            if schedule is not None:
                for group in optimizer.param_groups:
                    group["lr"] = schedule(step)
            optimizer.zero_grad()
            now = 0.0
            for part in range(accumulate):
                x, y = get_batch(train_data, block_size, batch_size, generator)
                # the processes exchange their gradients in the last backward pass of the step alone
                quiet = model.no_sync() if together and part < accumulate - 1 else contextlib.nullcontext()
                with quiet:
                    with torch.autocast(x.device.type, precision, enabled=precision is not None):
                        _, loss = model(x[rank::ranks], y[rank::ranks])
                    now += mean_of_all(loss) / accumulate
                    if not math.isfinite(now):
                        raise FloatingPointError(f"the loss is {now} at step {step}: is the learning rate too high?")
                    (loss / accumulate).backward()
            if clip is not None:
                nn.utils.clip_grad_norm_(model.parameters(), clip)
            optimizer.step()
            history.losses.append(now)
            bar.set_postfix(loss=f"{now:.3f}", validation=f"{history.evaluations[-1][2]:.3f}", refresh=False)
        if not history.evaluations or history.evaluations[-1][0] != steps:
            look(steps)
    except KeyboardInterrupt:
        history.interrupted = True
        print(f"stopped after {len(history.losses)} of {steps} steps: the model keeps what it has learned")
    finally:
        bar.close()
    return history


def restore(path, device="cpu"):
    """Return the GPT and the tokenizer that a run of the command left in `best.safetensors`.

    Raises FileNotFoundError where it is not there, and ValueError where it is damaged or was left by something else.
    """
    weights, facts = checkpoints.load(path, device)
    about = (facts or {}).get("about") or {}
    if not {"model", "vocabulary"} <= about.keys():
        raise ValueError(f"{path} does not say what model it holds: it was not left by python -m lesson_lib.training")
    model = GPT(**about["model"]).to(device)
    checkpoints.fill(model, weights)
    return model, CharTokenizer("".join(about["vocabulary"]))


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m lesson_lib.training",
        description="Train a GPT on a text, character by character. As it stands it comes to a validation loss of "
        "about 1.9 on tiny Shakespeare, in about half a minute on two cores. A run that was stopped goes on when the "
        "same command is given again.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--folder", default="run", help="where the checkpoints go")
    add("--text", help="a UTF-8 text file; without it tiny Shakespeare")
    add("--n-layer", type=int, default=2, help="blocks")
    add("--n-head", type=int, default=4, help="heads in each block")
    add("--n-embd", type=int, default=128, help="numbers for each token")
    add("--block-size", type=int, default=64, help="tokens that the model can look at")
    add("--dropout", type=float, default=0.0, help="share of the numbers that is dropped while training")
    add("--std", type=float, default=0.08, help="spread of the weights at the beginning")
    add("--batch-size", type=int, default=12, help="examples in a batch, all processes together")
    add("--accumulate", type=int, default=1, help="batches whose mean gradient makes a step")
    add("--steps", type=int, default=1000, help="steps of AdamW")
    add("--rate", type=float, default=5e-3, help="the highest learning rate")
    add("--warm-up", type=int, default=50, help="steps in which the rate rises")
    add("--schedule", choices=SCHEDULES, default="linear", help="how the rate falls")
    add("--clip", type=float, default=1.0, help="the largest norm of the gradients")
    add("--precision", choices=PRECISIONS, default="float32", help="of the computation; the weights stay float32")
    add("--device", help="such as cpu, cuda or mps; without it the best that is there")
    add("--evaluate-every", type=int, default=250, help="steps between two evaluations and checkpoints")
    add("--seed", type=int, default=1337, help="of the weights and of the batches")
    add("--sample", type=int, default=300, help="characters to write at the end")
    return parser


def _device(name):
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(f"the device {name!r} is not there: {str(error).splitlines()[0]}") from error
    return name


def main(arguments=None):
    """Train as the command line says, and return 0; 2 where something in it is wrong, which is then said."""
    options = _parser().parse_args(arguments)
    ranks, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    try:
        if ranks > 1:
            cuda = torch.cuda.is_available() and options.device in (None, "cuda")
            options.device = f"cuda:{os.environ['LOCAL_RANK']}" if cuda else options.device or "cpu"
            distributed.init_process_group("nccl" if cuda else "gloo")
        with contextlib.redirect_stdout(None if rank else sys.stdout):
            _run(options, ranks, rank)
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()
    return 0


def _run(options, ranks, rank):
    device = _device(options.device)
    text = load(options.text)
    tokenizer = CharTokenizer(text)
    data = [part.to(device) for part in split(torch.tensor(tokenizer.encode(text)))]
    names = ("block_size", "n_layer", "n_head", "n_embd", "dropout", "std")
    sizes = {"vocab_size": len(tokenizer)} | {name: getattr(options, name) for name in names}
    torch.manual_seed(options.seed)
    model = GPT(**sizes).to(device)
    print(f"{model.parameter_count():,} parameters on {device}, {ranks} process{'es' if ranks > 1 else ''}")
    torch.manual_seed(options.seed + rank)  # each process drops out other numbers
    history = train(
        DistributedDataParallel(model) if ranks > 1 else model,
        *data,
        block_size=options.block_size,
        batch_size=options.batch_size,
        steps=options.steps,
        schedule=warm_up(SCHEDULES[options.schedule](options.rate, options.steps), max(1, options.warm_up)),
        clip=options.clip,
        accumulate=options.accumulate,
        learning_rate=options.rate,
        evaluate_every=options.evaluate_every,
        seed=options.seed,
        folder=options.folder,
        about={"model": sizes, "vocabulary": tokenizer.vocabulary, "options": vars(options)},
        precision=PRECISIONS[options.precision],
    )
    for step, training, validation in history.evaluations:
        print(f"step {step:6,}: training loss {training:.3f}, validation loss {validation:.3f}")
    print(f"validation loss, whole text: {whole_loss(model, data[1], options.block_size):.4f}")
    if options.sample:
        start = torch.tensor([[tokenizer.ids.get("\n", 0)]], device=device)
        generator = torch.Generator(device).manual_seed(options.seed)
        written = model.generate(start, options.sample, generator=generator)
        print(tokenizer.decode(written[0].tolist()))


if __name__ == "__main__":
    sys.exit(main())
