"""What the training lab trains: a `training.Run` in pieces that are short, its samples, and the way back."""

import copy
import inspect
import time
from collections import deque
from numbers import Real
from pathlib import Path

import torch
from torch import nn

from lesson_lib.descent import linear_decay, warm_up
from lesson_lib.gpt import adamw
from lesson_lib.training import Run, evaluating

RATE, BATCH, CLIP = 5e-3, 12, 1.0  # what suits a small GPT
PIECE = 0.05  # seconds of writing, from one yield to the next
PACE = 50  # steps that tell how quick it is


class TrainingRun:
    """A `Run`, its samples (the newest last), and the mean of the last losses at each step.

    Its generators yield after each short piece of work, and can be dropped there: what was not finished is then done
    anew, and a sample is written on.
    Raises TypeError or ValueError that says what is wrong with the model, the texts or the options.
    """

    def __init__(self, model, train_data, validation_data, tokenizer, steps, length, sample_every, options):
        if not isinstance(model, nn.Module):
            raise TypeError(f"the model must be a PyTorch module, and this is a {type(model).__name__}")
        for name, number in (("steps", steps), ("sample", length), ("sample_every", sample_every)):
            if number is not None and (not isinstance(number, int) or number < 1):
                raise ValueError(f"{name} must be a whole number of at least 1, and is {number!r}")
        for part in ("encode", "decode"):
            if not hasattr(tokenizer, part):
                raise TypeError(f"the tokenizer must have {part}, and a {type(tokenizer).__name__} has none")
        options = with_defaults(model, steps, options)
        known = getattr(getattr(model, "token_embedding_table", None), "num_embeddings", None)
        for name, text in (("train_data", train_data), ("validation_data", validation_data)):
            if not torch.is_tensor(text) or text.dim() != 1 or text.is_floating_point():
                raise TypeError(f"{name} must be a one-dimensional tensor of token numbers: torch.tensor(ids)")
            if len(text) <= options["block_size"]:
                raise ValueError(
                    f"{name} has {len(text)} tokens, too few for a block of {options['block_size']}: "
                    f"it takes {options['block_size'] + 1}"
                )
            if known is not None and not 0 <= text.min() <= text.max() < known:
                held = f"from {text.min()} to {text.max()}"
                raise ValueError(f"{name} holds token numbers {held}, and the model knows those from 0 to {known - 1}")
        self.model, self.tokenizer, self.length = model, tokenizer, length
        self.evaluate_every = options["evaluate_every"]
        self.sample_every = sample_every or max(20, steps // 5)
        self.window = min(50, max(5, steps // 40))  # how many losses make a mean
        self.folder = options.get("folder")
        self.schedule = options["schedule"]
        self.device = next((part.device for part in model.parameters()), torch.device("cpu"))
        self.tokens = options["block_size"] * options["batch_size"] * options.get("accumulate", 1)  # in one step
        generate = getattr(model, "generate", None)
        self.can_write = callable(generate)
        self._takes_generator = self.can_write and "generator" in inspect.signature(generate).parameters
        # the way back: the weights, the optimizers, and all dice as they are now
        optimizers = options["optimizer"]
        self._optimizers = optimizers if isinstance(optimizers, list) else [optimizers]
        self._weights = copy.deepcopy(model.state_dict())
        self._states = [copy.deepcopy(optimizer.state_dict()) for optimizer in self._optimizers]
        self._dice = Dice(self.device)
        self._first_dice = self._dice.state
        self._make = lambda: Run(model, train_data, validation_data, steps=steps, **options)
        with self._dice:  # a run that goes on from its folder has its own
            self.run = self._make()
        self._clear()

    def _clear(self):
        self.samples, self.means = [], []
        self.seconds = deque(maxlen=PACE)
        self._evaluating = self._writing = 0.0  # seconds that the last evaluation and the last sample took
        for _ in self.run.history.losses:
            self._mean()
        self.begin()

    @property
    def done(self):
        return self.run.done

    @property
    def finished(self):
        """Whether all is done, the last evaluation and the last sample too."""
        return self.done >= self.run.steps and self.run.looked and not self._due()

    def begin(self):
        """Let the time that has passed count for no step."""
        self._mark = time.perf_counter()

    # -- pieces of work -------------------------------------------------------------------------------------

    def step(self, prompt):
        """Do the next step, and what is due before it; after the last one, what is due at the end."""
        if self.done < self.run.steps:
            if self.done % self.evaluate_every == 0:
                yield from self.evaluate()
            if self._due():
                yield from self.write(prompt)
            self._train()
            yield
        if self.done >= self.run.steps:
            yield from self.evaluate()
            if self._due():
                yield from self.write(prompt)

    def _train(self):
        done = self.done
        try:
            with self._dice:
                self.run.step()
        except FloatingPointError as error:
            raise FloatingPointError(self._cause(done)) from error
        self._mean()
        now = time.perf_counter()
        self.seconds.append(now - self._mark)
        self._mark = now

    def _mean(self):
        last = self.run.history.losses[max(0, len(self.means) + 1 - self.window) : len(self.means) + 1]
        self.means.append(sum(last) / len(last))

    def _cause(self, done):
        if not done:
            return (
                "Step 1 failed: the loss is not a finite number before anything was learned. Look at the model's "
                "weights, and at what its forward computes."
            )
        return (
            f"Stopped at step {done + 1}: the loss is no longer a finite number. The likely cause: the learning rate, "
            f"{self.run.rate:.3g} now, is too high. The weights are as they were after step {done}. Make the lab anew "
            "with a lower learning_rate, or with clip=1.0 where there is none."
        )

    def evaluate(self):
        """Measure both losses, and leave a checkpoint where there is a folder."""
        if self.run.looked:
            return
        began = time.perf_counter()
        pieces = self.run.looking()
        more = True
        while more:
            with self._dice:
                more = next(pieces, self) is not self
            if more:
                yield
        self._evaluating = time.perf_counter() - began
        self.begin()

    def write(self, prompt):
        """Write a sample, or write on the one that was left unfinished at this step."""
        if not self.can_write:
            return
        began = time.perf_counter()
        sample = self.samples[-1] if self.samples else None
        if sample is None or sample.done or (sample.step, sample.prompt) != (self.done, prompt):
            sample = Sample(self.done, prompt, self.length, self.tokenizer, len(self.samples), self.device)
            self.samples.append(sample)
        count = 1
        while not sample.done:
            piece = time.perf_counter()
            written = min(count, sample.left)
            self._write(sample, written)
            # as many the next time as fit into a piece
            took = (time.perf_counter() - piece) / written
            count = max(1, min(64, int(PIECE / max(took, 1e-6))))
            yield
        self._writing = time.perf_counter() - began
        self.begin()

    def _write(self, sample, count):
        with evaluating(self.model):
            if self._takes_generator:
                idx = self.model.generate(sample.idx, count, generator=sample.generator)
            else:
                with sample.dice:
                    idx = self.model.generate(sample.idx, count)
        sample.take(idx)

    def _due(self):
        """Whether it is time for a sample, and none has been written at this step."""
        if not self.can_write or (self.done % self.sample_every and self.done < self.run.steps):
            return False
        return not any(sample.done and sample.step == self.done for sample in self.samples)

    def reset(self):
        """Go back: the weights, the optimizer and the dice as they were at the beginning. Return what to say of it."""
        self.model.load_state_dict(self._weights)
        for optimizer, state in zip(self._optimizers, self._states):
            optimizer.load_state_dict(copy.deepcopy(state))
        self._dice.state = self._first_dice
        said = self._set_aside()
        with self._dice:
            self.run = self._make()
        self._clear()
        return said

    def _set_aside(self):
        """Keep what the run has left in its folder from the one that begins anew."""
        left = [] if self.folder is None else [
            path for name in ("last.safetensors", "best.safetensors", "log.csv")
            if (path := Path(self.folder) / name).exists()
        ]  # fmt: skip
        if not left:
            return ""
        number = 1
        while (aside := Path(self.folder) / f"set_aside_{number}").exists():
            number += 1
        aside.mkdir()
        for path in left:
            path.rename(aside / path.name)
        return f"The checkpoint of the run before is kept in {aside.name}."

    # -- the time -------------------------------------------------------------------------------------------

    def speed(self):
        """Return how many tokens it reads in a second, of late; 0 where that is not known yet."""
        took = sum(self.seconds)
        return self.tokens * len(self.seconds) / took if took else 0.0

    def left(self):
        """Return how many seconds there are to go, as quick as it is now, or None where that is not known yet."""
        if not self.seconds:
            return None
        first, last = self.done - 1, self.run.steps - 1
        looks, samples = (last // every - first // every + 1 for every in (self.evaluate_every, self.sample_every))
        steps = (last - first) * sum(self.seconds) / len(self.seconds)
        return steps + looks * self._evaluating + samples * self._writing * self.can_write


def with_defaults(model, steps, options):
    """Return the options of a `Run`, and for what is not among them what suits a small GPT."""
    options = dict(options)
    if "watch" in options and not (options["watch"] is None or callable(options["watch"])):
        raise TypeError(f"watch must be a function that is called with the run, and not {options['watch']!r}")
    if "block_size" not in options:
        if not hasattr(model, "block_size"):
            raise ValueError("the model does not say its block_size: give it to the lab, as block_size=...")
        options["block_size"] = model.block_size
    own_schedule, own_optimizer = options.get("schedule"), options.get("optimizer")
    optimizers = own_optimizer if isinstance(own_optimizer, list) else [own_optimizer]
    if own_optimizer is not None and not all(isinstance(part, torch.optim.Optimizer) for part in optimizers):
        raise TypeError(f"optimizer must be one of torch.optim, or a list of such, and not {own_optimizer!r}")
    rate = options.pop("learning_rate", RATE)
    if not isinstance(rate, Real):
        raise TypeError(f"the learning rate must be a number, and not {rate!r}")
    if not rate > 0:
        raise ValueError(f"the learning rate must be above 0, and is {rate}")
    if own_optimizer is None:
        options["optimizer"] = adamw(model, rate)
        if own_schedule is None:
            own_schedule = warm_up(linear_decay(rate, steps), min(50, max(1, steps // 10)))
    options["schedule"] = own_schedule
    often = max(20, steps // 10)
    return {"batch_size": BATCH, "clip": CLIP, "evaluate_every": often, **options}


class Sample:
    """A text that the model writes, a few tokens at a time. The n-th sample of a run always has the same dice."""

    def __init__(self, step, prompt, length, tokenizer, number, device):
        self.step, self.prompt, self.length, self._tokenizer = step, prompt, length, tokenizer
        ids = [int(i) for i in tokenizer.encode(prompt)]
        self._begin = len(ids)
        self.idx = torch.tensor([ids], device=device)  # (1, T)
        self.generator = torch.Generator(device).manual_seed(number)
        self.dice = Dice(device, seed=number)
        self.text = ""

    @property
    def left(self):
        """How many tokens are still to be written."""
        return self.length - (self.idx.shape[1] - self._begin)

    @property
    def done(self):
        return self.left <= 0

    def take(self, idx):
        """Take over the text with what was written."""
        if idx.shape[1] <= self.idx.shape[1]:
            raise ValueError("the model's generate(idx, n) must return idx with n more tokens, and returned no more")
        self.idx = idx
        self.text = self._tokenizer.decode(idx[0, self._begin :].tolist())


class Dice:
    """PyTorch's dice within a `with` block, so that what is thrown outside of it changes nothing inside."""

    def __init__(self, device, seed=None):
        self._cuda = device if device.type == "cuda" else None
        self.state = self._get()
        if seed is not None:
            with torch.random.fork_rng([] if self._cuda is None else [self._cuda]):
                torch.manual_seed(seed)
                self.state = self._get()

    def _get(self):
        return torch.get_rng_state(), None if self._cuda is None else torch.cuda.get_rng_state(self._cuda)

    def _set(self, state):
        torch.set_rng_state(state[0])
        if self._cuda is not None:
            torch.cuda.set_rng_state(state[1], self._cuda)

    def __enter__(self):
        self._outside = self._get()
        self._set(self.state)

    def __exit__(self, *error):
        self.state = self._get()
        self._set(self._outside)
