"""Whatever a learner's answer is or does, its check says one bounded word about it, and leaves all else as it was."""

import contextlib
import io
import os
import random
import re
import signal
import sys
import warnings

import pytest
import torch

from lesson_lib import derivatives
from lesson_lib.check import _guard, _progress
from lesson_lib.check._exercise import Wrong, exercises
from tests import half_written
from tests.lab_kernel import starts
from tests.test_check import bank_of, home, make, run  # noqa: F401

# one for each kind of thing that an exercise asks for or hands to the answer: these meet the whole bank
KINDS = {
    "a number": "first_number", "numbers in a list": "changes", "numbers by name": "small_graph", "a class": "Arrow",
    "a function": "rise", "a list": "running_sum", "a graph": "pass_back", "parameters and a loss": "train",
    "text": "merged", "a tensor": "row_softmax", "layers": "who_hears", "a model": "text_loss",
}  # fmt: skip
# they work on what they are handed, and what they return does not matter
IN_PLACE = {"pass_back", "backpropagate"}
# each of the others meets one answer in so many, each time others
ONE_IN = 8
BOUND = 10_500  # characters: the beginning and the end of both streams, 2,000 each, the verdict, and some words
# a thread of the bank fails on purpose
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
kernel = starts("""
import os, tempfile
progress = tempfile.TemporaryDirectory()
os.environ["LESSON_LIB_HOME"] = progress.name  # what is done here is not for the notebooks of this run
from lesson_lib import check
""")


@pytest.fixture(autouse=True)
def shorter_flood(monkeypatch):
    monkeypatch.setattr(half_written, "FLOOD", 5_000)


def right_answer(name):
    right = run(exercises[name].solution, name, bank_of(exercises[name]).SETUP)
    if name != "circles_network":
        return right
    made = right()  # trained once, and not again for each answer
    return lambda: made


def settings():
    """Return what a check must leave as it was."""
    dice = random.getstate(), torch.get_rng_state().numpy().tobytes()
    of_torch = torch.get_default_dtype(), torch.is_grad_enabled()
    names = print, str, isinstance, random.random, derivatives.central_difference
    return dice, of_torch, names, os.getcwd(), sys.getrecursionlimit(), list(warnings.filters)


def told(name, answer):
    """Return what the check prints, on both streams; it must leave the streams in their places, and open."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        exercises[name](answer)
        assert sys.stdout is out and sys.stderr is err
    return out.getvalue(), err.getvalue()


def may_be_right(name, which):
    value, _, where = which.partition(", ")
    return which in half_written.SPOILERS or value in half_written.AGREEING or where == "within" and name in IN_PLACE


def complaint(name, which, answer):
    """Return what is not as it should be in the verdict on this answer, or None."""
    before = settings()
    out, err = told(name, answer)
    verdict = out[max(out.rfind(mark) for mark in "✓✗○") :]
    if settings() != before:
        return "something is not put back"
    if len(out) + len(err) > BOUND:
        return f"{len(out)} and {len(err)} characters"
    if verdict[:2] not in ("✓ ", "✗ ", "○ "):
        return f"no verdict: {out[-200:]!r}"
    if not verdict.replace("\n", "").isprintable():
        return f"a verdict that paints the page: {verdict!r:.200}"
    if verdict[0] == "○" and "list of stubs" not in which:
        return f"taken for a stub: {verdict:.200}"
    if which in half_written.HARMLESS and verdict[0] != "✓":
        return f"refused, though it is right: {verdict:.200}"
    if verdict[0] == "✓" and not may_be_right(name, which):
        return f"taken for right: {verdict:.200}"
    return None


def the_check_withstands(name, chosen):
    right = right_answer(name)
    half_written.flooded.clear()
    found = {}
    for which, answer in list(half_written.answers(right))[chosen]:
        if wrong := complaint(name, which, answer):
            found[which] = wrong
    assert found == {}
    assert told(name, right)[0] == f"✓ {exercises[name].allows}\n"


@pytest.mark.parametrize("name", KINDS.values())
def test_the_whole_bank(name):
    the_check_withstands(name, slice(None))


@pytest.mark.parametrize("name", sorted(set(exercises) - set(KINDS.values())))
def test_a_share_of_the_bank(name):
    the_check_withstands(name, slice(sorted(exercises).index(name) % ONE_IN, None, ONE_IN))


# -- what is printed ---------------------------------------------------------------------------------------------


def printed(*texts):
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), _guard.guard():
        for text in texts:
            print(text, end="")
    return stream.getvalue()


@pytest.mark.parametrize("count", [0, 1, 1_999, 2_000, 2_001, 3_999])
def test_what_is_short_is_printed_whole(count):
    text = "".join(chr(ord("a") + i % 26) for i in range(count))
    assert printed(text) == printed(*text) == (f"{text}\n" if text else "")
    assert printed(text, "\n", "") == f"{text}\n"


@pytest.mark.parametrize("length", [13, 1_999, 5_000, 123_456])
def test_of_what_is_long_the_beginning_and_the_end_are_printed(length):
    text = "".join(chr(ord("a") + i % 26) for i in range(123_456))
    pieces = [text[i : i + length] for i in range(0, len(text), length)]
    told = f"\n… {123_456 - 4_000:,} characters that were printed here are left out …\n"
    assert printed(*pieces) == text[:2_000] + told + text[-2_000:] + "\n"


def test_what_is_printed_comes_at_once():
    stream = io.StringIO()
    with contextlib.redirect_stdout(stream), _guard.guard():
        print("on the way")
        assert stream.getvalue() == "on the way\n"


def test_many_lines_and_an_error_are_a_page():
    def floods(*inputs):
        for i in range(100_000):
            print(i)
        raise ValueError("x" * 1_000_000)

    out, err = told("rise", floods)
    assert out.startswith("0\n1\n2\n") and "\n99999\n✗ Your code stopped with an error. ValueError: xxx" in out
    assert "It happened in floods(f, 1, 4).\n  line " in out and "raise ValueError" in out.splitlines()[-1]
    assert len(out) < BOUND / 2 and not err


def test_a_verdict_is_short_and_paints_nothing(capsys):
    def lengthy(answer):
        raise Wrong("Long", f"\x1b[31m\udcff é…\n{'x' * 10_000}")

    make(lengthy)(1)
    out = capsys.readouterr().out
    assert out.startswith("✗ Long. \\x1b[31m\\udcff é…\nxxx") and out.endswith("x…\n") and len(out) == 2_001


def test_a_check_runs_under_the_usual_settings_and_gives_back_the_learners_own(tmp_path, monkeypatch):
    (gone := tmp_path / "gone").mkdir()
    monkeypatch.chdir(gone)
    right = right_answer("tensor_step_down")
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            with _guard.guard():
                assert torch.is_grad_enabled() and torch.get_default_dtype() == torch.float32
            assert told("tensor_step_down", right)[0].startswith("✓")
            assert not torch.is_grad_enabled()
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    if os.name == "posix":  # elsewhere the folder in which one is cannot be deleted
        gone.rmdir()
        assert told("tensor_step_down", right)[0].startswith("✓")


# -- interrupts --------------------------------------------------------------------------------------------------


def test_an_interrupted_check_says_where_and_passes_the_interrupt_on(capsys):
    def rise(f, a, b):
        print("on the way")
        signal.raise_signal(signal.SIGINT)
        return f(b) - f(a)

    before, was = settings(), signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            exercises["rise"](rise)
    finally:
        signal.signal(signal.SIGINT, was)
    first, verdict, line = capsys.readouterr().out.splitlines()
    assert first == "on the way"
    assert verdict == "✗ Interrupted. Nothing is lost: run the check again when you like."
    assert line.startswith("  line ") and line.endswith("of your cell: signal.raise_signal(signal.SIGINT)")
    assert settings() == before and not _progress.is_done("rise")


ENDLESS = {
    "a loop": "    while True:\n        pass",
    "a loop that prints": "    while True:\n        print(a, flush=True)",
    "a sleep": "    time.sleep(1000)",
    "an endless list": "    return sum(x for x in itertools.count())",
    "a loop that catches errors": "    while True:\n        try: f(None)\n        except Exception: pass",
}  # fmt: skip


@pytest.mark.parametrize("body", ENDLESS.values(), ids=ENDLESS)
def test_an_endless_answer_is_interrupted_like_any_cell(kernel, body):
    kernel.run(f"import itertools, time\ndef rise(f, a, b):\n    print('on the way', flush=True)\n{body}")
    said = kernel.run("check.rise(rise)", on_word=kernel.manager.interrupt_kernel)
    assert said.startswith("on the way\n") and "\n✗ Interrupted. Nothing is lost: run" in said
    assert re.search(r"\n  line \d of your cell: ", said)
    assert said.endswith("KeyboardInterrupt") and len(said) < BOUND
    kernel.run("def rise(f, a, b):\n    return f(b) - f(a)")
    assert kernel.run("check.rise(rise)") == "✓ " + exercises["rise"].allows
