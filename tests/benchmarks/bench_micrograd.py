"""The engine side by side with micrograd, on the training step of micrograd's own demo.

    pip install -e ".[benchmark]"
    python -m tests.benchmarks.bench_micrograd

An MLP(2, [16, 16, 1]) sorts 100 points into two moons: forward, hinge loss and L2, backward, update.
All contestants run in one process, in turn, from the same weights; the benchmark first sees that they
compute the same loss and the same gradients. A turn is several steps, because an engine whose graphs are
full of reference cycles pays for the last step's garbage in the next one, as it does in real training.
It prints a table and decides nothing: absolute numbers move from machine to machine, so compare the ratios.
A further contestant is one more line in contestants().
"""

import argparse
import gc
import math
import platform
import random
import statistics
import time
import tracemalloc
from collections.abc import Callable
from typing import NamedTuple

from lesson_lib.micrograd import Value
from lesson_lib.mlp import MLP

SIZES = (2, 16, 16, 1)
LEARNING_RATE = 0.05
SEED = 1337
STEPS_IN_A_TURN = 5
CHAIN_LIMIT = 1_000_000


class Network:
    """A multi-layer perceptron with relu neurons and a linear last layer, made of any Value class."""

    def __init__(self, value):
        rng = random.Random(SEED)
        self.layers = [
            [([value(rng.uniform(-1, 1)) for _ in range(n_in)], value(0.0)) for _ in range(n_out)]
            for n_in, n_out in zip(SIZES, SIZES[1:])
        ]

    def __call__(self, x):
        for k, layer in enumerate(self.layers):
            x = [sum((w * x_i for w, x_i in zip(weights, x)), bias) for weights, bias in layer]
            if k < len(self.layers) - 1:
                x = [out.relu() for out in x]
        return x[0]

    def parameters(self):
        return [p for layer in self.layers for weights, bias in layer for p in (*weights, bias)]


class Contestant(NamedTuple):
    """One engine in the race: its Value class, what makes a network of it, and how to find a node's parents."""

    name: str
    value: type
    network: Callable  # network(value) is called with a point, and has parameters()
    parents: Callable  # parents(node) -> nodes


def course_network(fused):
    """Return what makes the course's own network, from the weights that `Network` has too."""

    def network(value):
        random.seed(SEED)
        return MLP(SIZES[0], SIZES[1:], fused=fused)

    return network


def parents(node):
    return [parent for parent, _ in node.edges()]


OURS = Contestant("lesson_lib.micrograd", Value, Network, parents)
SMALL = Contestant("with mlp, small nodes", Value, course_network(fused=False), parents)
FUSED = Contestant("with mlp, fused sums", Value, course_network(fused=True), parents)


def contestants():
    """Return all contestants, the peer first."""
    try:
        from micrograd.engine import Value as PeerValue
    except ModuleNotFoundError:
        raise SystemExit('micrograd is missing, the peer to compare with: pip install -e ".[benchmark]"') from None
    return [Contestant("micrograd", PeerValue, Network, lambda node: node._prev), OURS, SMALL, FUSED]


def moons(n=100, noise=0.1, seed=1):
    """Return n points on two interleaved half circles, and the side (-1 or 1) that each one is on."""
    rng = random.Random(seed)
    points, sides = [], []
    for k in range(n):
        angle = rng.uniform(0, math.pi)
        x, y = (math.cos(angle), math.sin(angle)) if k % 2 else (1 - math.cos(angle), 0.5 - math.sin(angle))
        points.append((x + rng.gauss(0, noise), y + rng.gauss(0, noise)))
        sides.append(1 if k % 2 else -1)
    return points, sides


def forward(value, network, points, sides):
    """Return the loss: the mean hinge loss, and a little of the weights squared."""
    scores = [network([value(x) for x in point]) for point in points]
    losses = [(1 + -side * score).relu() for side, score in zip(sides, scores)]
    return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in network.parameters())


def step(value, network, points, sides):
    """Take one step of gradient descent and return the loss before it, a plain number."""
    loss = forward(value, network, points, sides)
    for p in network.parameters():
        p.grad = 0.0
    loss.backward()
    for p in network.parameters():
        p.data -= LEARNING_RATE * p.grad
    return loss.data


def assert_same_result(racers, points, sides):
    """See that every contestant computes the loss and the gradients of the first."""
    results = []
    for racer in racers:
        network = racer.network(racer.value)
        loss = forward(racer.value, network, points, sides)
        loss.backward()
        results.append([loss.data, *(p.grad for p in network.parameters())])
    for racer, result in zip(racers, results):
        same = all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12) for a, b in zip(result, results[0], strict=True))
        assert same, f"{racer.name} does not compute what {racers[0].name} does"


def seconds(racers, points, sides, repetitions):
    """Return the processor seconds of one step, for each contestant and repetition, measured in turn."""
    networks = [racer.network(racer.value) for racer in racers]
    times = [[] for _ in racers]
    for repetition in range(repetitions + 1):
        for racer, network, own in zip(racers, networks, times):
            gc.collect()  # nobody cleans up after another
            start = time.process_time()
            for _ in range(STEPS_IN_A_TURN):
                step(racer.value, network, points, sides)
            if repetition:  # the first one warms up
                own.append((time.process_time() - start) / STEPS_IN_A_TURN)
    return times


def count_nodes(root, parents):
    seen, stack = set(), [root]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            stack.extend(parents(node))
    return len(seen)


def memory(racer, points, sides):
    """Return the number of nodes of one step's graph, and its bytes a node after forward and after backward."""
    gc.collect()
    tracemalloc.start()
    network = racer.network(racer.value)
    loss = forward(racer.value, network, points, sides)
    after_forward, _ = tracemalloc.get_traced_memory()
    loss.backward()
    gc.collect()
    after_backward, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    nodes = count_nodes(loss, racer.parents)
    return nodes, after_forward / nodes, after_backward / nodes


def survives(value, additions):
    """Say whether a chain of so many additions goes forward and backward."""
    x = value(1.0)
    y = x
    try:
        for _ in range(additions):
            y = y + x
        y.backward()
    except RecursionError:
        return False
    assert x.grad == additions + 1
    return True


def longest_chain(value):
    """Return the longest chain of additions that survives, CHAIN_LIMIT at most."""
    if survives(value, CHAIN_LIMIT):
        return CHAIN_LIMIT
    low, high = 0, 1
    while survives(value, high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if survives(value, middle) else (low, middle)
    return low


def main():
    parser = argparse.ArgumentParser(description="The engine side by side with micrograd.")
    parser.add_argument("--repetitions", type=int, default=5, help="timed turns for each contestant (default 5)")
    repetitions = parser.parse_args().repetitions

    racers, (points, sides) = contestants(), moons()
    assert_same_result(racers, points, sides)
    times = seconds(racers, points, sides, repetitions)
    print(
        f"One step of the moons: {len(points)} points, {repetitions} repetitions of {STEPS_IN_A_TURN} steps, "
        f"Python {platform.python_version()}. Bytes a node: after forward, after backward."
    )
    print(f"{'':24}{'ms':>8}{'times faster, min-max':>26}{'nodes':>8}{'bytes a node':>15}{'longest chain':>19}")
    for racer, own in zip(racers, times):
        ratios = [peer / mine for peer, mine in zip(times[0], own)]
        ratio = f"{statistics.median(ratios):.1f} ({min(ratios):.1f}-{max(ratios):.1f})"
        nodes, after_forward, after_backward = memory(racer, points, sides)
        chain = longest_chain(racer.value)
        chain = f"{chain:,}" + (" or more" if chain == CHAIN_LIMIT else "")
        print(
            f"{racer.name:24}{1000 * statistics.median(own):>8.1f}{ratio:>26}{nodes:>8,}"
            f"{f'{after_forward:.0f}, {after_backward:.0f}':>15}{chain:>19}"
        )


if __name__ == "__main__":
    main()
