"""The command `python -m lesson_lib.training`: train a GPT on a text, on one machine or on several.

What it takes is said by

    python -m lesson_lib.training --help

and several processes train one model together under PyTorch's own launcher:

    torchrun --standalone --nproc-per-node 2 -m lesson_lib.training
"""

import argparse
import contextlib
import os
import sys

import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel

from .descent import constant, cosine_decay, linear_decay, warm_up
from .gpt import GPT, adamw
from .text import CharTokenizer, load, split
from .training import check_device, train, whole_loss

SCHEDULES = {"linear": linear_decay, "cosine": cosine_decay, "constant": lambda rate, steps: constant(rate)}
PRECISIONS = {"float32": None, "bfloat16": torch.bfloat16}
# what changes a run's numbers, beside the model and the text: a run that is to go on must have the same
RECIPE = ("rate", "warm_up", "schedule", "weight_decay", "beta2")
PRESETS = {
    "minute": {},  # the defaults
    "course": {  # the small GPT that comes with the course
        "n_layer": 4, "block_size": 128, "batch_size": 16, "steps": 6000, "rate": 4e-3, "warm_up": 100, "std": 0.05,
        "dropout": 0.1, "evaluate_every": 500,
    },
    "lecture": {  # the lecture's largest model: for a GPU
        "n_layer": 6, "n_head": 6, "n_embd": 384, "block_size": 256, "batch_size": 64, "steps": 5000, "rate": 3e-4,
        "warm_up": 1, "schedule": "constant", "std": 0.02, "dropout": 0.2, "weight_decay": 0.01, "beta2": 0.999,
        "clip": 0.0, "precision": "bfloat16",
    },
}  # fmt: skip


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m lesson_lib.training",
        description="Train a GPT on a text, character by character. As it stands it comes to a validation loss of "
        "about 1.75 on tiny Shakespeare, in about a minute without a GPU. A run that was stopped goes on when the "
        "same command is given again.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--preset", choices=PRESETS, default="minute", help="where the other defaults come from")
    add("--folder", default="run", help="where the checkpoints go")
    add("--text", help="a UTF-8 text file; without it tiny Shakespeare")
    add("--n-layer", type=int, default=2, help="blocks")
    add("--n-head", type=int, default=4, help="heads in each block")
    add("--n-embd", type=int, default=128, help="numbers for each token")
    add("--block-size", type=int, default=64, help="tokens that the model can look at")
    add("--dropout", type=float, default=0.0, help="share of the numbers that is dropped while training")
    add("--std", type=float, default=0.05, help="spread of the weights at the beginning")
    add("--batch-size", type=int, default=12, help="examples in a batch, all processes together")
    add("--accumulate", type=int, default=1, help="batches whose mean gradient makes a step")
    add("--steps", type=int, default=2000, help="steps of AdamW")
    add("--rate", type=float, default=5e-3, help="the highest learning rate")
    add("--warm-up", type=int, default=50, help="steps in which the rate rises")
    add("--schedule", choices=SCHEDULES, default="linear", help="how the rate falls")
    add("--weight-decay", type=float, default=0.1, help="of AdamW, for matrices")
    add("--beta2", type=float, default=0.99, help="of AdamW: how long it remembers the sizes of gradients")
    add("--clip", type=float, default=1.0, help="the largest norm of the gradients; 0 for none")
    add("--compile", action="store_true", help="let torch.compile translate the model; it needs a C++ compiler")
    add("--precision", choices=PRECISIONS, default="float32", help="of the computation; the weights stay float32")
    add("--device", help="such as cpu, cuda or mps; without it the best that is there")
    add("--evaluate-every", type=int, default=200, help="steps between two evaluations and checkpoints")
    add("--seed", type=int, default=1337, help="of the weights and of the batches")
    add("--sample", type=int, default=300, help="characters to write at the end")
    return parser


def _device(name):
    if name is None:
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    check_device(name)
    return name


def main(arguments=None):
    """Train as the command line says, and return 0; 2 where something in it is wrong, and 130 after an interrupt."""
    parser, first = _parser(), argparse.ArgumentParser(add_help=False)
    first.add_argument("--preset", default="minute")
    # known before the rest is read, so that --help says the preset's own defaults
    parser.set_defaults(**PRESETS.get(first.parse_known_args(arguments)[0].preset, {}))
    options = parser.parse_args(arguments)
    for name in ("std", "warm_up"):
        if getattr(options, name) < 0:
            parser.error(f"--{name.replace('_', '-')} must be 0 or more, and is {getattr(options, name)}")
    ranks, rank = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("RANK", 0))
    try:
        if ranks > 1:
            cuda = torch.cuda.is_available() and options.device in (None, "cuda")
            options.device = f"cuda:{os.environ['LOCAL_RANK']}" if cuda else options.device or "cpu"
            distributed.init_process_group("nccl" if cuda else "gloo")
        with contextlib.redirect_stdout(None if rank else sys.stdout):
            return _run(options, ranks, rank)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except (ValueError, OSError, FloatingPointError) as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 2
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


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
    if options.compile:
        model.compile()  # in place, so the weights keep their names
    recipe = {name: getattr(options, name) for name in RECIPE}
    if options.schedule != "constant":
        recipe["steps"] = options.steps  # on which the rate depends
    history = train(
        DistributedDataParallel(model) if ranks > 1 else model,
        *data,
        block_size=options.block_size,
        batch_size=options.batch_size,
        steps=options.steps,
        schedule=warm_up(SCHEDULES[options.schedule](options.rate, options.steps), max(1, options.warm_up)),
        clip=options.clip or None,
        accumulate=options.accumulate,
        optimizer=adamw(model, options.rate, options.weight_decay, options.beta2),
        evaluate_every=options.evaluate_every,
        seed=options.seed,
        folder=options.folder,
        about={"model": sizes, "vocabulary": tokenizer.vocabulary, "recipe": recipe},
        precision=PRECISIONS[options.precision],
    )
    for step, training, validation in history.evaluations:
        print(f"step {step:6,}: training loss {training:.3f}, validation loss {validation:.3f}")
    if history.interrupted:
        print("to go on from the last checkpoint, give the same command again")
        return 130
    print(f"validation loss, whole text: {whole_loss(model, data[1], options.block_size):.4f}")
    if options.sample:
        start = torch.tensor([[tokenizer.ids.get("\n", 0)]], device=device)
        generator = torch.Generator(device).manual_seed(options.seed)
        written = model.generate(start, options.sample, generator=generator)
        print(tokenizer.decode(written[0].tolist()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
