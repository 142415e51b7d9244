"""What surrounds the learner's code while a check runs it: nothing that it does on the way lasts longer than that."""

import collections
import contextlib
import io
import os
import random
import sys
import warnings

KEPT = 2000  # characters of what is printed that are shown: so many of the beginning, and of the end


class Brief(io.TextIOBase):
    """A stream that passes on the beginning of what is written, at once, and by `finish()` its end."""

    def __init__(self, stream):
        self.stream, self.room, self.last = stream, KEPT, ""
        self.held, self.holding, self.left_out = collections.deque(), 0, 0

    @property
    def encoding(self):
        return self.stream.encoding

    def write(self, text):
        later, self.last = text, text[-1:] or self.last
        if self.room:
            now, later = text[: self.room], text[self.room :]
            self.stream.write(now)
            self.room -= len(now)
        if later:
            self.held.append(later)
            self.holding += len(later)
            while self.holding - len(self.held[0]) >= KEPT:
                first = len(self.held.popleft())
                self.holding -= first
                self.left_out += first
        return len(text)

    def finish(self):
        end = "".join(self.held)
        if left_out := self.left_out + len(end[:-KEPT]):
            self.stream.write(f"\n… {left_out:,} characters that were printed here are left out …\n")
        self.stream.write(end[-KEPT:])
        if self.last not in ("", "\n"):
            self.stream.write("\n")  # what the check says begins a line


@contextlib.contextmanager
def printing_briefly():
    """Show the beginning and the end of what the block prints, however much it is."""
    out, err = Brief(sys.stdout), Brief(sys.stderr)
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            yield
    finally:
        out.finish()
        err.finish()


@contextlib.contextmanager
def restoring_names():
    """Put back what the block replaces in Python's own names and in ours."""
    ours = [module for name, module in sys.modules.items() if name.startswith("lesson_lib.")]
    modules = [sys.modules[name] for name in ("builtins", "math", "random")] + ours
    saved = [(vars(module), dict(vars(module))) for module in modules]
    try:
        yield
    finally:
        for names, before in saved:
            names.update(before)


@contextlib.contextmanager
def restoring_python():
    """Put back the dice, the current folder and the limit of the recursion."""
    dice, limit = random.getstate(), sys.getrecursionlimit()
    try:
        here = os.getcwd()
    except OSError:
        here = None  # the folder is gone
    try:
        yield
    finally:
        random.setstate(dice)
        sys.setrecursionlimit(limit)
        if here is not None:
            with contextlib.suppress(OSError):
                os.chdir(here)


@contextlib.contextmanager
def restoring_torch():
    """Give the block PyTorch's usual settings, and put back what it finds: these, and the dice."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    dice, kind, gradients = torch.get_rng_state(), torch.get_default_dtype(), torch.is_grad_enabled()
    try:
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        yield
    finally:
        torch.set_rng_state(dice)
        torch.set_default_dtype(kind)
        torch.set_grad_enabled(gradients)


@contextlib.contextmanager
def guard():
    """Run the block so that what it prints is bounded, and what it changes of Python and PyTorch is put back.

    The names come back first: the others need them.
    """
    with printing_briefly(), warnings.catch_warnings(), restoring_python(), restoring_torch(), restoring_names():
        yield
