"""Training and writing, side by side with what else one might take: a head-by-head model, and `transformers`' GPT-2.

    pip install -e ".[benchmark]"
    python -m tests.benchmarks.bench_gpt
    python -m tests.benchmarks.bench_gpt --parts writing memory

Four parts. `training`: tokens per second, and what share that is of the fastest large matrix product on the same
threads. `writing`: 256 positions. `memory`: the peak of a training run, each in a process of its own. `loss`: the
seconds of training until the whole validation split is predicted to a certain loss; this part takes minutes.
All contestants run in one process and in short turns, one after the other, so that a busy machine hits all alike;
each ratio compares turns that stood side by side, and the median of them is printed, with the smallest and the
largest. Before anything is timed the benchmark sees that ours and the head-by-head model compute the same loss, the
same gradients and the same text from the same weights. GPT-2 differs in details (another activation, one table for
the first and the last layer), so that its size is compared and not its numbers.
It prints tables and decides nothing: absolute numbers move from machine to machine, so compare the ratios.
Without `transformers` it says so and goes on. A further contestant is one more line in contestants().
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import torch
import torch.nn.functional as F
from torch import nn
from tqdm import tqdm

from lesson_lib.descent import cosine_decay, linear_decay, warm_up
from lesson_lib.gpt import GPT, adamw
from lesson_lib.text import CharTokenizer, get_batch, load, split
from lesson_lib.training import Run, evaluate, whole_loss

N_HEAD = 4
RATE = 1e-3
SEED = 1337
MATMUL = 2048  # rows and columns of the large product


class Size(NamedTuple):
    """What all contestants have in common."""

    n_layer: int
    n_embd: int
    block_size: int
    batch_size: int


SIZES = [Size(4, 32, 8, 32), Size(4, 64, 32, 16), Size(4, 128, 64, 12), Size(4, 128, 64, 64)]
WRITING = Size(4, 128, 256, 1)
# the goals for ours against the head-by-head model
GOALS = {SIZES[0]: 2.2, SIZES[2]: 1.4}
WRITING_GOALS = {"head by head": 8.0, "ours, no cache": 3.0}


# the head-by-head model: what one writes down when one follows the lecture


class Head(nn.Module):
    def __init__(self, size, hs):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(size.n_embd, hs, bias=False) for _ in range(3))
        self.register_buffer("tril", torch.tril(torch.ones(size.block_size, size.block_size)))
        self.dropout = nn.Dropout(0.0)

    def forward(self, x):
        T = x.shape[1]
        q, k = self.query(x), self.key(x)  # (B, T, hs)
        scores = q @ k.transpose(-2, -1) * k.shape[-1] ** -0.5  # (B, T, T)
        scores = scores.masked_fill(self.tril[:T, :T] == 0, float("-inf"))
        return self.dropout(F.softmax(scores, dim=-1)) @ self.value(x)


class Heads(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.heads = nn.ModuleList(Head(size, size.n_embd // N_HEAD) for _ in range(N_HEAD))
        self.proj = nn.Linear(size.n_embd, size.n_embd)
        self.dropout = nn.Dropout(0.0)

    def forward(self, x):
        return self.dropout(self.proj(torch.cat([head(x) for head in self.heads], dim=-1)))


class HeadBlock(nn.Module):
    def __init__(self, size):
        super().__init__()
        C = size.n_embd
        self.attention = Heads(size)
        self.feed_forward = nn.Sequential(nn.Linear(C, 4 * C), nn.ReLU(), nn.Linear(4 * C, C), nn.Dropout(0.0))
        self.norm1, self.norm2 = nn.LayerNorm(C), nn.LayerNorm(C)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.feed_forward(self.norm2(x))


class HeadByHead(nn.Module):
    """A GPT whose heads are modules that compute one after the other, and which keeps nothing while it writes."""

    def __init__(self, vocab_size, size):
        super().__init__()
        self.block_size = size.block_size
        self.token_embedding_table = nn.Embedding(vocab_size, size.n_embd)
        self.position_embedding_table = nn.Embedding(size.block_size, size.n_embd)
        self.blocks = nn.Sequential(*(HeadBlock(size) for _ in range(size.n_layer)))
        self.norm = nn.LayerNorm(size.n_embd)
        self.lm_head = nn.Linear(size.n_embd, vocab_size)

    def forward(self, idx, targets=None):
        B, T = idx.shape
        x = self.token_embedding_table(idx) + self.position_embedding_table(torch.arange(T))
        logits = self.lm_head(self.norm(self.blocks(x)))
        if targets is None:
            return logits, None
        return logits, F.cross_entropy(logits.view(B * T, -1), targets.view(B * T))

    @torch.no_grad()
    def generate(self, idx, max_new_tokens, generator=None):
        for _ in range(max_new_tokens):
            logits, _ = self(idx[:, -self.block_size :])
            probs = F.softmax(logits[:, -1], dim=-1)
            idx = torch.cat([idx, torch.multinomial(probs, 1, generator=generator)], dim=1)
        return idx

    @torch.no_grad()
    def take(self, gpt):
        """Copy the weights of our GPT, which keeps those of all heads in one matrix."""
        for name in ("token_embedding_table", "position_embedding_table", "norm", "lm_head"):
            getattr(self, name).load_state_dict(getattr(gpt, name).state_dict())
        for mine, theirs in zip(self.blocks, gpt.blocks, strict=True):
            for name, matrix in zip(("query", "key", "value"), theirs.attention.qkv.weight.chunk(3)):
                for head, part in zip(mine.attention.heads, matrix.chunk(N_HEAD), strict=True):
                    getattr(head, name).weight.copy_(part)
            mine.attention.proj.load_state_dict(theirs.attention.proj.state_dict())
            mine.feed_forward[0].load_state_dict(theirs.inner.state_dict())
            mine.feed_forward[2].load_state_dict(theirs.proj.state_dict())
            mine.norm1.load_state_dict(theirs.norm1.state_dict())
            mine.norm2.load_state_dict(theirs.norm2.state_dict())
        return self


def slices(data, block_size, batch_size, generator=None):
    """Return a batch as the lecture cuts it: one slice after the other, stacked."""
    starts = torch.randint(len(data) - block_size, (batch_size,), generator=generator)
    x = torch.stack([data[i : i + block_size] for i in starts])
    y = torch.stack([data[i + 1 : i + block_size + 1] for i in starts])
    return x, y


# the contestants


class Contestant(NamedTuple):
    """One way to train: what makes the model, its optimizer and its batches."""

    name: str
    model: Callable  # model(vocab_size, size): called with (x, y) it returns logits and the loss
    optimizer: Callable  # optimizer(model)
    batch: Callable  # batch(data, block_size, batch_size, generator) -> x, y


def ours(vocab_size, size):
    return GPT(vocab_size, size.block_size, size.n_layer, N_HEAD, size.n_embd)


def compiled(vocab_size, size):
    torch._dynamo.reset()  # else the second size would be translated for sizes of all kinds
    model = ours(vocab_size, size)
    model.compile()
    return model


def fused(model):
    return adamw(model, RATE)


HEADS = Contestant("head by head", HeadByHead, lambda model: torch.optim.AdamW(model.parameters(), lr=RATE), slices)
OURS = Contestant("ours", ours, fused, get_batch)
COMPILED = Contestant("ours, compiled", compiled, fused, get_batch)


def gpt2():
    """Return `transformers`' GPT-2 as a contestant, or None where that is not installed.

    It gets our optimizer and our batches: what is compared is the model.
    """
    try:
        from transformers import GPT2Config, GPT2LMHeadModel
    except ImportError:
        return None

    class GPT2(nn.Module):
        def __init__(self, vocab_size, size):
            super().__init__()
            config = GPT2Config(
                vocab_size=vocab_size, n_positions=size.block_size, n_embd=size.n_embd, n_layer=size.n_layer,
                n_head=N_HEAD, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=None, eos_token_id=None,
            )  # fmt: skip
            self.model = GPT2LMHeadModel(config)

        def forward(self, idx, targets):
            logits = self.model(idx, use_cache=False).logits
            return logits, F.cross_entropy(logits.flatten(0, 1), targets.flatten())

        def generate(self, idx, max_new_tokens):
            options = {"do_sample": True, "top_k": 0, "use_cache": True, "pad_token_id": 0}
            return self.model.generate(idx, max_new_tokens=max_new_tokens, **options)

    return Contestant("transformers' GPT-2", GPT2, fused, get_batch)


def contestants(compile=True):
    """Return all contestants, the one to beat first; say which are missing."""
    found = [HEADS, OURS]
    if other := gpt2():
        found.append(other)
    else:
        print('transformers is missing, so its GPT-2 does not take part: pip install -e ".[benchmark]"')
    if compile:
        found.append(COMPILED)
    return found


def assert_same_result(vocab_size, size, rival=HEADS):
    """See that ours and the head-by-head model cut the same batch, and compute the same loss, text and gradients."""
    torch.manual_seed(SEED)
    gpt = ours(vocab_size, size).double()
    model = rival.model(vocab_size, size).double().take(gpt)
    data = torch.randint(vocab_size, (20 * size.block_size,))
    batches = [c.batch(data, size.block_size, size.batch_size, torch.Generator().manual_seed(1)) for c in (OURS, rival)]
    assert all(torch.equal(a, b) for a, b in zip(*batches)), f"{rival.name} does not cut the batch that ours cuts"
    losses = [each(*batches[0])[1] for each in (gpt, model)]
    assert abs(losses[0] - losses[1]) < 1e-9, f"{rival.name} does not compute the loss that ours computes"
    start = torch.zeros(1, 1, dtype=torch.long)
    texts = [
        write(start, size.block_size - 1, generator=torch.Generator().manual_seed(1), **options)
        for write, options in ((gpt.generate, {}), (gpt.generate, {"use_cache": False}), (model.generate, {}))
    ]
    assert all(torch.equal(text, texts[0]) for text in texts), f"{rival.name} does not write what ours writes"
    for loss in losses:
        loss.backward()
    with torch.no_grad():  # our gradients take the places of the weights, so that they can be copied like these
        for part in gpt.parameters():
            part.copy_(part.grad)
    expected = rival.model(vocab_size, size).double().take(gpt).parameters()
    same = all((part.grad - grad).abs().max() < 1e-9 for part, grad in zip(model.parameters(), expected, strict=True))
    assert same, f"{rival.name} does not compute the gradients that ours computes"


# turns


def in_turns(turns, rounds):
    """Return the seconds of each turn, a list for each name; turns is a dictionary of name -> function."""
    times = {name: [] for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            start = time.perf_counter()
            turn()
            times[name].append(time.perf_counter() - start)
    return times


def ratio(slow, quick):
    """Return the median, the smallest and the largest of the ratios of turns that stood side by side."""
    ratios = [a / b for a, b in zip(slow, quick, strict=True)]
    return statistics.median(ratios), min(ratios), max(ratios)


def told(median, low, high):
    return f"{median:.2f} ({low:.2f}-{high:.2f})"


# training


class Loop:
    """The training loop of one contestant, step by step."""

    def __init__(self, contestant, vocab_size, size, data):
        torch.manual_seed(SEED)
        self.model = contestant.model(vocab_size, size)
        self.optimizer = contestant.optimizer(self.model)
        self.generator = torch.Generator().manual_seed(SEED)
        self.batch, self.data, self.size = contestant.batch, data, size

    def steps(self, n):
        for _ in range(n):
            _, loss = self.model(*self.batch(self.data, self.size.block_size, self.size.batch_size, self.generator))
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()


def work(model, size):
    """Return how many additions and multiplications a token needs in training, forward and backward together.

    6 for each weight that multiplies (embedding tables are only looked up), and attention's: at each of the
    block's places, two products of C numbers, as if nothing were masked.
    """
    tables = sum(part.weight.numel() for part in model.modules() if isinstance(part, nn.Embedding))
    weights = sum(part.numel() for part in model.parameters()) - tables
    return 6 * weights + 12 * size.n_layer * size.n_embd * size.block_size


def training(size, racers, vocab_size, data, rounds, seconds=0.3):
    """Return a row for each contestant: a dictionary of its numbers; a turn of ours takes so many seconds."""
    loops, first = {}, {}
    for racer in racers:
        loop = Loop(racer, vocab_size, size, data)
        start = time.perf_counter()
        try:
            loop.steps(1)
        except torch._dynamo.exc.TorchDynamoException as error:
            print(f"{racer.name} does not take part: {str(error).splitlines()[0]}")
            continue
        first[racer.name] = time.perf_counter() - start
        loop.steps(2)
        loops[racer.name] = loop
    start = time.perf_counter()
    loops[OURS.name].steps(3)
    steps = max(1, round(3 * seconds / (time.perf_counter() - start)))
    a, b = torch.rand(2, MATMUL, MATMUL)
    turns = {name: lambda loop=loop: loop.steps(steps) for name, loop in loops.items()}
    times = in_turns(turns | {"matmul": lambda: a @ b}, rounds)
    matmul = times.pop("matmul")
    tokens = steps * size.batch_size * size.block_size
    # ours does the work that has to be done: who takes detours gets nothing for them
    needed = tokens * work(loops[OURS.name].model, size) / (2 * MATMUL**3)
    return {
        name: {
            "speed": tokens / statistics.median(own),
            "against": {other: ratio(times[other], own) for other in times},
            "share": needed * ratio(matmul, own)[0],
            "first": first[name],
            "parameters": sum(part.numel() for part in loops[name].model.parameters()),
            "peak": 2 * MATMUL**3 / statistics.median(matmul),
        }
        for name, own in times.items()
    }


def training_part(racers, vocab_size, data, options):
    print("\nTRAINING. Share: of the speed of a large matrix product, by the work that ours needs.")
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:  # what was translated before is not found
            with mock.patch.dict(os.environ, TORCHINDUCTOR_CACHE_DIR=folder):
                rows = training(size, racers, vocab_size, data, options.rounds)
        peak = next(iter(rows.values()))["peak"] / 1e9
        print(
            f"\n{size.n_layer} layers, {size.n_embd} channels, block {size.block_size}, batch {size.batch_size}; "
            f"matrix product {peak:.0f} GFLOP/s"
        )
        others = [name for name in rows if name not in (OURS.name, COMPILED.name)]
        heads = "".join(f"{f'x {name}':>29}" for name in others)
        print(f"{'':22}{'tokens/s':>10}{heads}{'share':>7}{'first step':>12}{'parameters':>12}")
        for name, row in rows.items():
            ratios = "".join(f"{told(*row['against'][other]):>29}" for other in others)
            print(
                f"{name:22}{row['speed']:>10,.0f}{ratios}{row['share']:>7.0%}{row['first']:>10.2f} s"
                f"{row['parameters']:>12,}"
            )
        if size in GOALS:
            print(f"goal of ours: {GOALS[size]} x {HEADS.name}")


# writing


def writing(size, rival, vocab_size, rounds):
    """Return the seconds in which each contestant writes the whole block, a list for each name."""
    torch.manual_seed(SEED)
    gpt, heads = ours(vocab_size, size), HEADS.model(vocab_size, size)
    start, n = torch.zeros(1, 1, dtype=torch.long), size.block_size - 1
    turns = {
        OURS.name: lambda: gpt.generate(start, n),
        "ours, no cache": lambda: gpt.generate(start, n, use_cache=False),
        HEADS.name: lambda: heads.generate(start, n),
    }
    if rival:
        other = rival.model(vocab_size, size).eval()
        turns[rival.name] = lambda: other.generate(start, n)
    for name, turn in turns.items():  # which warms up
        assert turn().shape == (1, size.block_size), f"{name} did not write {size.block_size} positions"
    return in_turns(turns, rounds)


def writing_part(rival, vocab_size, options):
    print(f"\nWRITING {WRITING.block_size} positions: {WRITING.n_layer} layers, {WRITING.n_embd} channels, batch 1")
    times = writing(WRITING, rival, vocab_size, options.rounds)
    print(f"{'':22}{'seconds':>10}{'ours is faster by':>24}{'goal':>8}")
    for name, own in times.items():
        goal = WRITING_GOALS.get(name, "")
        print(f"{name:22}{statistics.median(own):>10.2f}{told(*ratio(own, times[OURS.name])):>24}{goal:>8}")


# memory


def peak_memory():
    """Return the most memory that this process has had so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says here is at least what the process had that started this one
        [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 1024
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def memory(name, size, steps=20, vocab_size=65):
    """Return the peak of this process in MB, after the imports and after so many steps of the contestant."""
    racer = next((racer for racer in (HEADS, OURS, COMPILED) if racer.name == name), None) or gpt2()
    imports = peak_memory()
    Loop(racer, vocab_size, size, torch.randint(vocab_size, (100_000,))).steps(steps)
    return imports, peak_memory()


def memory_of(name, size):
    """Return what `memory` does in a fresh process, or None where the system does not say."""
    if sys.platform == "win32":
        return None
    command = [sys.executable, "-m", "tests.benchmarks.bench_gpt", "--memory-of", name, "--size", json.dumps(size)]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(command, cwd=root, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def memory_part(racers, size):
    print(
        f"\nMEMORY, the peak of 20 training steps in a fresh process, MB: "
        f"{size.n_layer} layers, {size.n_embd} channels, block {size.block_size}, batch {size.batch_size}"
    )
    print(f"{'':22}{'imports':>10}{'training on top':>18}")
    for racer in racers:
        if pair := memory_of(racer.name, size):
            print(f"{racer.name:22}{pair[0]:>10.0f}{pair[1] - pair[0]:>18.0f}")
        else:
            print(f"{racer.name:22}{'this system does not say':>28}")


# time to a loss


class Recipe(NamedTuple):
    """How a model is trained; both recipes train ours, so that nothing but the recipe is compared."""

    name: str
    n_layer: int
    std: float
    rate: float
    schedule: Callable  # schedule(rate, steps) -> function from a step to its rate


def falling(rate, steps):
    return warm_up(linear_decay(rate, steps), 50)


def waving(rate, steps):
    """Fall along half a cosine wave to a tenth of the rate."""
    wave = cosine_decay(0.9 * rate, steps)
    return warm_up(lambda step: 0.1 * rate + wave(step), 100)


MINUTE = Recipe("ours", 2, 0.05, 5e-3, falling)
NANO = Recipe("nanoGPT's", 4, 0.02, 1e-3, waving)
BUDGETS = [(MINUTE, 1000), (MINUTE, 2000), (NANO, 2000), (NANO, 5000)]
LOSSES = (1.88, 1.75)


class Race:
    """A run of a recipe: the seconds of training alone, and those until each loss on the whole validation split."""

    def __init__(self, recipe, steps, vocab_size, texts, losses, n_embd=128, block_size=64, batch_size=12):
        torch.manual_seed(SEED)
        self.model = GPT(vocab_size, block_size, recipe.n_layer, N_HEAD, n_embd, std=recipe.std)
        self.recipe, self.validation, self.losses = recipe, texts[1], losses
        self.run = Run(
            self.model, *texts, block_size=block_size, batch_size=batch_size, steps=steps, clip=1.0, seed=SEED,
            schedule=recipe.schedule(recipe.rate, steps), optimizer=adamw(self.model, recipe.rate),
            evaluate_every=steps + 1, evaluation_batches=1,
        )  # fmt: skip
        self.run.look()  # it is due before the first step, and not to be timed
        self.seconds, self.reached, self.loss = 0.0, {}, math.inf

    @property
    def over(self):
        return self.run.done == self.run.steps or len(self.reached) == len(self.losses)

    def turn(self, steps):
        """Train for so many steps on the clock, and then see what that has brought."""
        start = time.perf_counter()
        for _ in range(min(steps, self.run.steps - self.run.done)):
            self.run.step()
        self.seconds += time.perf_counter() - start
        missing = [loss for loss in self.losses if loss not in self.reached]
        # the whole split takes its time: 20 batches of it say whether it is worth it
        near = evaluate(self.model, self.validation, self.run.block_size, self.run.batch_size) < max(missing) + 0.05
        if near or self.run.done == self.run.steps:
            self.loss = whole_loss(self.model, self.validation, self.run.block_size)
            self.reached |= {loss: self.seconds for loss in missing if self.loss <= loss}


def races(budgets, vocab_size, texts, losses, turns=40, **sizes):
    """Run all recipes, each in so many turns, and return the `Race` of each."""
    found = [Race(recipe, steps, vocab_size, texts, losses, **sizes) for recipe, steps in budgets]
    for _ in tqdm(range(turns), unit=" turns", leave=False):
        for race in found:
            if not race.over:
                race.turn(math.ceil(race.run.steps / turns))
    return found


def quickest(found, recipe, loss):
    """Return the race of the recipe that came to the loss first, or None."""
    there = [race for race in found if race.recipe is recipe and loss in race.reached]
    return min(there, key=lambda race: race.reached[loss], default=None)


def loss_part(vocab_size, texts, budgets):
    print("\nTIME TO A LOSS on the whole validation split, seconds of training alone (it ends where all are reached)")
    found = races(budgets, vocab_size, texts, LOSSES)
    heads = "".join(f"{f'to {loss}':>10}" for loss in LOSSES)
    print(f"{'':22}{'steps':>8}{'of':>8}{'seconds':>10}{'loss':>8}{heads}")
    for race in found:
        times = "".join(f"{f'{race.reached[loss]:.1f}' if loss in race.reached else '-':>10}" for loss in LOSSES)
        print(
            f"{race.recipe.name:22}{race.run.done:>8,}{race.run.steps:>8,}{race.seconds:>10.1f}{race.loss:>8.3f}{times}"
        )
    for loss in LOSSES:
        mine, theirs = (quickest(found, recipe, loss) for recipe in (MINUTE, NANO))
        if mine and theirs:
            share = mine.reached[loss] / theirs.reached[loss]
            print(
                f"to {loss}: ours of {mine.run.steps:,} steps takes {share:.2f} of the time of nanoGPT's of "
                f"{theirs.run.steps:,} steps (goal 0.25)"
            )


PARTS = ("training", "writing", "memory", "loss")


def main(arguments=None):
    parser = argparse.ArgumentParser(description="Training and writing, side by side with what else one might take.")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="what to measure (default: all)")
    parser.add_argument("--rounds", type=int, default=9, help="timed turns for each contestant (default 9)")
    parser.add_argument("--threads", type=int, help="threads of PyTorch (default: as many as it takes by itself)")
    parser.add_argument("--no-compile", action="store_true", help="without the translated model, which takes long")
    parser.add_argument("--memory-of", help=argparse.SUPPRESS)  # in the fresh process
    parser.add_argument("--size", type=json.loads, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.memory_of:
        print(json.dumps(memory(options.memory_of, Size(*options.size))))
        return
    racers = contestants(not options.no_compile)
    rival = next((racer for racer in racers if racer.name not in (HEADS.name, OURS.name, COMPILED.name)), None)
    text = load()
    tokenizer = CharTokenizer(text)
    texts = split(torch.tensor(tokenizer.encode(text)))
    for size in SIZES[:3]:
        assert_same_result(len(tokenizer), size)
    print(f"Python {platform.python_version()}, PyTorch {torch.__version__}, {torch.get_num_threads()} thread(s)")
    if "training" in options.parts:
        training_part(racers, len(tokenizer), texts[0], options)
    if "writing" in options.parts:
        writing_part(rival, len(tokenizer), options)
    if "memory" in options.parts:
        memory_part(racers, SIZES[2])
    if "loss" in options.parts:
        loss_part(len(tokenizer), texts, BUDGETS)


if __name__ == "__main__":
    main()
