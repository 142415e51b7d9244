"""The training loop of all language models of the course: batches, AdamW, evaluation, a progress bar, checkpoints.

A model is anything of the form that the lectures use: `logits, loss = model(x, y)` for x and y of shape (B, T).

As a command, `python -m lesson_lib.training`, it trains a GPT: see command.py.
"""

import contextlib
import csv
import io
import json
import math
import runpy
import sys
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm import tqdm

from . import checkpoint as checkpoints
from .gpt import GPT
from .text import CharTokenizer, get_batch

LOG = ("step", "training_loss", "validation_loss", "learning_rate", "tokens_per_second")
PRETRAINED = Path(__file__).resolve().parent.parent / "assets" / "gpt.safetensors"


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


def batch_losses(model, data, block_size, batch_size, batches=20, seed=1):
    """Yield the model's loss on each of several batches of the data, a float; no gradients are computed.

    Whoever takes them one by one finds the model, after each, as it was before.
    Raises ValueError for fewer than 1 batch.
    """
    if batches < 1:
        raise ValueError(f"at least 1 batch is needed, and not {batches}")
    generator = torch.Generator().manual_seed(seed)
    for _ in range(batches):
        with evaluating(model):
            loss = model(*get_batch(data, block_size, batch_size, generator))[1].item()
        yield loss


def evaluate(model, data, block_size, batch_size, batches=20, seed=1):
    """Return the model's mean loss over several batches of the data, a float; no gradients are computed.

    The batches are drawn from the seed, so that two models are measured on the same ones, and on others than `train`
    begins with. The model is switched to evaluation (`model.eval()`) meanwhile, and then back.
    Raises ValueError for fewer than 1 batch.
    """
    return sum(batch_losses(model, data, block_size, batch_size, batches, seed)) / batches


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


class Run:
    """A training run that is done step by step: `step()` does one, and all that it needs for the next is in here.

    train_data and validation_data are one-dimensional tensors of token numbers, on the model's device. The optimizer
    is AdamW with the learning rate, unless you hand over your own, or a list of several that share the parameters.
    With a schedule, a function from the number of a step to its learning rate, the rate is set before each step. With
    `clip`, gradients whose norm all together is above it are shortened to it. With `accumulate` above 1, each step
    takes the mean gradient of so many batches: the same as one batch that is so many times as large, in less memory.

    Every `evaluate_every` steps, and at the end, the loss is measured on `evaluation_batches` batches of each text. The
    batches are drawn from the seed: the same seed gives the same numbers on one machine.

    `precision` is the type in which the model computes where that is exact enough, such as `torch.bfloat16`; the
    weights stay what they are ("mixed precision"). A model in PyTorch's DistributedDataParallel is trained by all
    processes together: each takes its part of the examples of each batch, and without dropout the numbers are those
    of one process.

    With a `folder`, a checkpoint `last.safetensors` is left in it at each evaluation, and `best.safetensors` holds the
    weights that had the lowest validation loss, and what `about` says, anything that JSON can hold. A run that finds
    its own `last.safetensors` there goes on from it, and ends with the same numbers as one that was never stopped,
    however this one was: by an interrupt, or killed. The schedule itself is not kept in it: hand over the same one,
    and name it in `about`, which must be the same too. `log.csv` gets a line at each evaluation; `read_log` reads it.
    `watch` is called with the run after each evaluation, for whatever you want to look at; the dice that it throws
    are not those of the training.
    Raises ValueError for texts of less than block_size + 1 tokens, where a number is too small, or where the
    checkpoint in the folder is damaged, or of another model or run.
    """

    def __init__(
        self,
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
        folder=None,
        about=None,
        precision=None,
        watch=None,
    ):
        if steps < 0:
            raise ValueError(f"steps must be 0 or more, and is {steps}")
        if evaluate_every < 1:
            raise ValueError(f"evaluate_every must be at least 1, and is {evaluate_every}")
        if accumulate < 1:
            raise ValueError(f"accumulate must be at least 1, and is {accumulate}")
        if clip is not None and not clip > 0:
            raise ValueError(f"clip must be above 0, and is {clip}")
        self._together = isinstance(model, DistributedDataParallel)
        self.rank, self.ranks = (distributed.get_rank(), distributed.get_world_size()) if self._together else (0, 1)
        if batch_size % self.ranks:
            raise ValueError(
                f"batch_size must be a multiple of the {self.ranks} processes that share it, and is {batch_size}"
            )
        self._settings = {"block_size": block_size, "batch_size": batch_size, "accumulate": accumulate, "seed": seed}
        self._settings |= {"evaluate_every": evaluate_every, "evaluation_batches": evaluation_batches}
        self._settings |= {"clip": clip, "precision": str(precision), "about": about}
        if optimizer is None:
            self._settings["learning_rate"] = learning_rate
            optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate)
        self.optimizers = optimizer if isinstance(optimizer, list) else [optimizer]
        self.model, self.train_data, self.validation_data = model, train_data, validation_data
        self.block_size, self.batch_size, self.steps = block_size, batch_size, steps
        self.history = History()
        self._schedule, self._clip, self._accumulate, self._precision = schedule, clip, accumulate, precision
        self._evaluate_every, self._evaluation_batches = evaluate_every, evaluation_batches
        self._about, self._watch = about, watch
        self._generator = torch.Generator().manual_seed(seed)
        self._timed, self._seconds = 0, 0.0  # steps since the last evaluation, and how long they took
        self._last = None
        if folder is not None:
            self._last = Path(folder) / "last.safetensors"
            self._settings["texts"] = [
                zlib.crc32(text.cpu().numpy().tobytes()) for text in (train_data, validation_data)
            ]
            if self._last.exists():
                self._resume()
            if (log := self._last.with_name("log.csv")).exists():
                read_log(log)  # if it cannot be read, better now than in the middle of the run
            if self.done > steps:
                raise ValueError(f"{self._last} has {self.done} steps already, and steps is {steps}")

    @property
    def done(self):
        """How many steps are done."""
        return len(self.history.losses)

    @property
    def rate(self):
        """The learning rate of the last step, or of the first."""
        return self.optimizers[0].param_groups[0]["lr"]

    @property
    def looked(self):
        """Whether both losses have been measured at this step."""
        looks = self.history.evaluations
        return bool(looks) and looks[-1][0] == self.done

    def step(self):
        """Do one step, and the evaluation before it where one is due; return the step's loss, a float.

        Raises FloatingPointError, with the step, when the loss is not a finite number: the weights are then those
        before the step.
        """
        if self.done % self._evaluate_every == 0:
            self.look()
        began = time.perf_counter()
        if self._schedule is not None:
            for optimizer in self.optimizers:
                for group in optimizer.param_groups:
                    group["lr"] = self._schedule(self.done)
        self.model.train()
        loss = self._gradients()
        if self._clip is not None:
            nn.utils.clip_grad_norm_(self.model.parameters(), self._clip)
        for optimizer in self.optimizers:
            optimizer.step()
        self.history.losses.append(loss)
        self._timed += 1
        self._seconds += time.perf_counter() - began
        return loss

    def look(self):
        """Measure both losses, and leave the checkpoints, unless that has been done at this step."""
        for _ in self.looking():
            pass

    def looking(self):
        """Do what `look` does, in pieces that are short: a generator that stops after each batch.

        Where it is left before its end, nothing is written down.
        """
        if self.looked:
            return
        model = self.model.module if self._together else self.model
        pair = []
        for text in (self.train_data, self.validation_data):
            losses = []
            for loss in batch_losses(model, text, self.block_size, self.batch_size, self._evaluation_batches):
                losses.append(loss)
                yield
            pair.append(sum(losses) / len(losses))
        self.history.evaluations.append((self.done, *pair))
        if self._last is not None and not self.rank:
            try:
                if pair[1] == min(validation for _, _, validation in self.history.evaluations):
                    facts = {"step": self.done, "loss": pair[1], "about": self._about}
                    checkpoints.save(self._last.with_name("best.safetensors"), model.state_dict(), facts)
                self._log()
                self._keep(model)
            except BaseException:
                self.history.evaluations.pop()  # what is not written is not done: the next look does it again
                raise
        if self._watch is not None:
            with torch.random.fork_rng():
                self._watch(self)
        self._timed, self._seconds = 0, 0.0

    def _gradients(self):
        """Put the mean gradient of the step's batches into the parameters, and return their mean loss."""
        for optimizer in self.optimizers:
            optimizer.zero_grad()
        total = 0.0
        for part in range(self._accumulate):
            x, y = get_batch(self.train_data, self.block_size, self.batch_size, self._generator)
            # the processes exchange their gradients in the last backward pass of the step alone
            quiet = self._together and part < self._accumulate - 1
            with self.model.no_sync() if quiet else contextlib.nullcontext():
                with torch.autocast(x.device.type, self._precision, enabled=self._precision is not None):
                    _, loss = self.model(x[self.rank :: self.ranks], y[self.rank :: self.ranks])
                total += self._mean_of_all(loss) / self._accumulate
                if not math.isfinite(total):
                    raise FloatingPointError(f"the loss is {total} at step {self.done}: is the learning rate too high?")
                (loss / self._accumulate).backward()
        return total

    def _mean_of_all(self, loss):
        if self._together:
            loss = loss.detach().clone()
            distributed.all_reduce(loss)
        return loss.item() / self.ranks

    def _log(self):
        """Write the log with one more line; lines of steps that were done again are replaced."""
        step, training, validation = self.history.evaluations[-1]
        path = self._last.with_name("log.csv")
        rows = [row for row in read_log(path) if row["step"] < step] if path.exists() else []
        tokens = self._timed * self.batch_size * self._accumulate * self.block_size
        speed = tokens / self._seconds if self._timed else 0.0
        row = (step, training, validation, self.rate, speed)
        rows.append(dict(zip(LOG, row)))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, LOG, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        checkpoints.write(path, text.getvalue().encode())

    def _keep(self, model):
        """Write all that the run needs to go on, as a checkpoint."""
        tensors = {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
        groups = []
        for i, optimizer in enumerate(self.optimizers):
            state = optimizer.state_dict()
            groups.append(state["param_groups"])
            for n, own in state["state"].items():
                tensors |= {f"optimizer.{i}.{n}.{name}": tensor for name, tensor in own.items()}
        tensors |= {"batches": self._generator.get_state(), "dice": torch.get_rng_state()}
        if torch.cuda.is_available():
            tensors["dice.cuda"] = torch.cuda.get_rng_state()
        tensors["losses"] = torch.tensor(self.history.losses, dtype=torch.float64)
        facts = {"run": self._settings, "evaluations": self.history.evaluations, "optimizers": groups}
        checkpoints.save(self._last, tensors, facts)

    def _resume(self):
        """Put everything back as `_keep` found it."""
        tensors, facts = checkpoints.load(self._last)
        if not isinstance(facts, dict) or not isinstance(facts.get("run"), dict):
            raise ValueError(f"{self._last} holds no run to go on with, only weights")
        theirs, ours = facts["run"], json.loads(json.dumps(self._settings))
        if theirs != ours:
            other = next(name for name in {**ours, **theirs} if theirs.get(name) != ours.get(name))
            name, their, our = _difference(other, theirs.get(other), ours.get(other))
            raise ValueError(
                f"{self._last} is of another run: its {name} is {their}, and here it is {our}; take another folder"
            )
        try:
            states = [{} for _ in self.optimizers]
            for name, tensor in tensors.items():
                if name.startswith("optimizer."):
                    _, i, n, own = name.split(".", 3)
                    states[int(i)].setdefault(int(n), {})[own] = tensor
            for optimizer, state, groups in zip(self.optimizers, states, facts["optimizers"], strict=True):
                optimizer.load_state_dict({"state": state, "param_groups": groups})
            self._generator.set_state(tensors["batches"])
            torch.Generator().set_state(tensors["dice"])  # which says whether it is one
            losses = [float(loss) for loss in tensors["losses"]]
            evaluations = [(int(step), float(training), float(validation)) for step, training, validation in
                           facts["evaluations"]]  # fmt: skip
        except (KeyError, IndexError, TypeError, ValueError, RuntimeError) as error:
            raise ValueError(
                f"{self._last} is not what a run leaves ({type(error).__name__}: {error}); take another folder"
            ) from error
        # the weights and the dice last: where something is wrong, they stay what they were
        weights = {name.removeprefix("model."): tensor for name, tensor in tensors.items() if name.startswith("model.")}
        checkpoints.fill(self.model.module if self._together else self.model, weights)
        torch.set_rng_state(tensors["dice"])
        if "dice.cuda" in tensors and torch.cuda.is_available():
            torch.cuda.set_rng_state(tensors["dice.cuda"])
        self.history.losses, self.history.evaluations = losses, evaluations


def _difference(name, theirs, ours):
    """Follow two dictionaries down to the first thing in which they differ: its name, and both."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        other = next(key for key in {**ours, **theirs} if theirs.get(key) != ours.get(key))
        return _difference(other, theirs.get(other), ours.get(other))
    return name, theirs, ours


def read_log(path):
    """Return the lines of a run's `log.csv` as a list of dictionaries of numbers; it may be read while the run goes on.

    step: how many steps were done; training_loss and validation_loss: on the evaluation's batches; learning_rate: of
    the last step; tokens_per_second: of the steps since the evaluation before. Raises ValueError for what is no log.
    """
    try:
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return [{name: int(row[name]) if name == "step" else float(row[name]) for name in LOG} for row in rows]
    except (KeyError, TypeError, ValueError, csv.Error) as error:
        raise ValueError(
            f"{path} is not the log of a run, or is damaged ({type(error).__name__}: {error}): move it out of the way"
        ) from error


def train(model, train_data, validation_data, *, progress=True, **options):
    """Train the model for so many steps, and return the `History`.

    The options are those of a `Run`: block_size, batch_size and steps must be among them. With progress, a bar says
    how far it is. An interrupt ends the training, and the model keeps what it has learned.
    Raises FloatingPointError, with the step, when the loss is not a finite number, and ValueError as a `Run` does.
    """
    run = Run(model, train_data, validation_data, **options)
    if progress and run.done:
        print(f"going on from step {run.done:,}")
    bar = tqdm(
        initial=run.done, total=run.steps, file=sys.stdout,
        disable=not progress or run.rank > 0, mininterval=0.5, unit=" steps",
    )  # fmt: skip

    def say(loss):
        bar.set_postfix(loss=f"{loss:.3f}", validation=f"{run.history.evaluations[-1][2]:.3f}", refresh=False)

    try:
        while run.done < run.steps:
            say(run.step())
            bar.update()
        run.look()
        if run.history.losses:
            say(run.history.losses[-1])  # so that the bar's last word is the validation loss at the end
    except KeyboardInterrupt:
        run.history.interrupted = True
        print(f"stopped after {run.done} of {run.steps} steps: the model keeps what it has learned")
    finally:
        bar.close()
    return run.history


def check_device(device):
    """Raise ValueError where this machine, or this PyTorch, does not have the device."""
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        told = str(error).splitlines()[0]
        raise ValueError(f"the device {str(device)!r} is not there, but 'cpu' always is: {told}") from error


def restore(path=PRETRAINED, device="cpu"):
    """Return the GPT and the tokenizer that a run of the command left in `best.safetensors`.

    Without a path it is the small GPT that comes with the course, trained on tiny Shakespeare; assets/gpt.md says how.
    Raises FileNotFoundError where it is not there, and ValueError where it is damaged or was left by something else,
    or for a device that is not there.
    """
    check_device(device)
    weights, facts = checkpoints.load(path, device)
    try:
        vocabulary = facts["about"]["vocabulary"]
        tokenizer = CharTokenizer("".join(vocabulary))
        model = GPT(**facts["about"]["model"])
    except (KeyError, TypeError, ValueError, RuntimeError, MemoryError) as error:
        raise ValueError(
            f"{path} does not say what model it holds: it was not left by python -m lesson_lib.training "
            f"({type(error).__name__}: {error})"
        ) from error
    V = model.lm_head.out_features
    if tokenizer.vocabulary != vocabulary or len(tokenizer) != V:
        raise ValueError(f"the vocabulary of {path} must be {V} different characters, sorted: its model has {V} tokens")
    checkpoints.fill(model, weights)
    return model.to(device).eval(), tokenizer


if __name__ == "__main__":
    runpy.run_module("lesson_lib.command", run_name="__main__")
