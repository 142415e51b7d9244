"""The checks of the exercises: `check.<exercise>(answer)`, `.hint()`, `.answer()`, and `check.progress()`."""

import difflib
import itertools

# each registers its exercises
from . import (  # noqa: F401
    _progress,
    bag_of_words,
    bigram,
    chain_rule,
    derivatives,
    gpt,
    gradient_descent,
    matmul_trick,
    micrograd,
    multi_head_attention,
    neural_networks,
    self_attention,
    softmax,
    start_here,
    tensors,
    text,
)
from ._exercise import exercises


def progress():
    """Print every exercise of the course, lesson by lesson, and which of them you have done."""
    done = sum(_progress.is_done(name) for name in exercises)
    print(f"{done} of {len(exercises)} exercises done")
    by_lesson = sorted(exercises.values(), key=lambda e: e.lesson)
    for lesson, group in itertools.groupby(by_lesson, key=lambda e: e.lesson):
        print(f"\n{lesson}")
        for e in group:
            mark = "✓" if _progress.is_done(e.name) else "○"
            print(f"  {mark} {e.name} ({e.minutes} min)")


def __getattr__(name):
    if name in exercises:
        return exercises[name]
    near = difflib.get_close_matches(name, exercises, n=1)
    meant = f"Did you mean check.{near[0]}?" if near else "check.progress() lists them all."
    raise AttributeError(f"there is no exercise {name!r}. {meant}")


def __dir__():
    return ["progress", *exercises]
