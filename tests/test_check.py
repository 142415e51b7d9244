"""The checks: every worked answer passes, every wrong answer is told its own misconception, progress is kept."""

import ast
import collections
import errno
import importlib
import inspect
import linecache
import os
import pkgutil
import re
import subprocess
import sys

import platformdirs
import pytest

import tests.wrong_answers
from lesson_lib import check
from lesson_lib.check import _progress
from lesson_lib.check._exercise import Exercise, NotAttempted, Wrong, call, close, exercises, number

BANKS = {
    module.name: importlib.import_module(f"tests.wrong_answers.{module.name}")
    for module in pkgutil.iter_modules(tests.wrong_answers.__path__)
}
WRONG = [(name, *row) for name, bank in BANKS.items() for row in bank.WRONG]
RIGHT = [(name, *row) for name, bank in BANKS.items() for row in bank.RIGHT]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("LESSON_LIB_HOME", str(tmp_path))
    return tmp_path


def run(source, name, setup=""):
    """Run source as if it were a cell, and return what it calls `name`."""
    file = f"<cell {name}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    scope = {}
    exec(setup, scope)
    exec(compile(source, file, "exec"), scope)
    return scope[name]


def verdict(name, answer, capsys):
    capsys.readouterr()
    exercises[name](answer)
    return capsys.readouterr().out


def bank_of(exercise):
    return BANKS[exercise.lesson.split("_", 1)[1]]


@pytest.mark.parametrize("name", exercises)
def test_the_worked_answer_passes_and_is_remembered(name, capsys):
    exercise = exercises[name]
    assert not _progress.is_done(name)
    out = verdict(name, run(exercise.solution, name, bank_of(exercise).SETUP), capsys)
    assert out == f"✓ {exercise.allows}\n"
    assert _progress.is_done(name)


@pytest.mark.parametrize(("bank", "name", "source"), RIGHT, ids=lambda part: str(part)[:40])
def test_another_right_way_passes_too(bank, name, source, capsys):
    assert verdict(name, run(source, name, BANKS[bank].SETUP), capsys) == f"✓ {exercises[name].allows}\n"


@pytest.mark.parametrize(("bank", "name", "misconception", "source"), WRONG, ids=lambda part: str(part)[:40])
def test_a_wrong_answer_is_told_its_own_misconception(bank, name, misconception, source, capsys):
    out = verdict(name, run(source, name, BANKS[bank].SETUP), capsys)
    assert out.startswith(f"✗ {misconception}. ")
    assert not _progress.is_done(name)


def test_each_exercise_has_at_least_four_wrong_answers():
    count = collections.Counter(name for _, name, _, _ in WRONG)
    assert exercises and {name: count[name] for name in exercises if count[name] < 4} == {}
    assert set(count) <= set(exercises)


def test_each_exercise_in_code_has_another_right_way():
    coded = {name for name, exercise in exercises.items() if re.search("^(def|class) ", exercise.solution, re.M)}
    assert coded and coded - {name for _, name, _ in RIGHT} == set()


def raises(*args):
    raise KeyError("planted")


def endless(*args):
    return endless(*args)


@pytest.mark.parametrize("name", exercises)
@pytest.mark.parametrize(
    "answer",
    [None, "text", float("nan"), [], {}, object(), raises, endless, print, lambda: 1, lambda *a: "text",
     lambda *a: float("nan"), lambda *a: [], exit, int, type],
    ids=lambda answer: getattr(answer, "__name__", repr(answer))[:20],
)  # fmt: skip
def test_nonsense_is_refused_without_an_exception(name, answer, capsys):
    out = verdict(name, answer, capsys)
    assert "✗ " in out and "✓" not in out


def test_every_misconception_of_the_checks_is_in_the_bank():
    """What a check says is said to a wrong answer: to its own exercise's or, where a helper says it, its lesson's."""
    told = {(place, misconception) for *places, misconception, _ in WRONG for place in (*places, "any")}
    named = set()
    for module in pkgutil.iter_modules(check.__path__):
        lesson = module.name if module.name in BANKS else "any"
        for part in ast.parse(inspect.getsource(importlib.import_module(f"lesson_lib.check.{module.name}"))).body:
            place = part.name if getattr(part, "name", "") in exercises else lesson
            for node in ast.walk(part):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Wrong":
                    assert isinstance(node.args[0], ast.Constant), f"{place}: name the misconception in plain text"
                    named.add((place, node.args[0].value))
    assert named and named - told == set()


@pytest.mark.parametrize("name", exercises)
def test_a_stub_is_not_attempted(name, capsys):
    for stub in (..., lambda *a: ...):
        if stub is not ... and not callable(run(exercises[name].solution, name, bank_of(exercises[name]).SETUP)):
            continue
        if stub is not ... and isinstance(run(exercises[name].solution, name, bank_of(exercises[name]).SETUP), type):
            continue
        assert verdict(name, stub, capsys).startswith("○ not attempted yet")


def test_an_error_shows_the_learners_own_line(capsys):
    made = make(lambda answer: call(answer, 0))
    made(run("def made(x):\n    y = x + 1\n    return 1 / x\n", "made"))
    out = capsys.readouterr().out
    assert out.startswith("✗ Your code stopped with an error. ZeroDivisionError: division by zero")
    assert "by zero. It happened in made(0).\n  line 3 of your cell: return 1 / x" in out


@pytest.mark.parametrize(
    ("source", "args", "told"),
    [
        ("def made(f, a):\n    return a[7]", (lambda x: x, [1, 2]), "It happened in made(f, [1, 2])."),
        ("def made(f):\n    return 1 / 0", (abs,), "It happened in made(abs)."),
        ("def made(a):\n    return 1 / 0", (list(range(100)),), "It happened in made([0, 1, 2, 3, 4, 5, ...])."),
        ("def made(a):\n    a.clear()\n    return a[0]", ([1, 2],), "It happened in made([1, 2])."),
        ("made = lambda x: x.y", (1,), "It happened in your function(1)."),
        ("def made(x):\n    return x ^ 2", (1.5,), "In Python a power is written `**`. It happened in made(1.5)."),
        ("def made(x):\n    return ... - x", (1,), "Somewhere a `...` is left"),
        ("def made(x):\n    return made(x)", (1,), "without end? It happened in made(1)."),
        ("def made(x):\n    pass", (1,), "✗ Nothing comes back. The check calls made(1) and gets None."),
        ("def made(f):\n    return 1", (abs, 1, 4), "The check calls made(abs, 1, 4). Yours takes (f)."),
        ("made = lambda: 1", (4,), "The check calls your function(4). Yours takes ()."),
        ("made = abs", (1, 2), "The check calls abs(1, 2). Yours takes (x, /)."),
        ("made = int", ("one", 2, 3), "It happened in int('one', 2, 3)."),
        ("def other():\n    return ...\n\ndef made(x):\n    return other()", (1,), "made uses other, which is still"),
        ("def made(x):\n    print()\n    return ...", (1,), "The last line is still the stub's"),
    ],
)
def test_the_verdict_says_what_the_check_called(source, args, told, capsys):
    make(lambda answer: call(answer, *args))(run(source, "made"))
    assert told in capsys.readouterr().out


def test_an_error_outside_a_call_asks_for_what_the_answer_lacks(capsys):
    out = verdict("Arrow", run("class Arrow:\n    def __init__(self, x, y):\n        pass", "Arrow"), capsys)
    assert "for +: 'Arrow' and 'Arrow'.\n  It came up when the check used" in out


def make(check_function, **parts):
    check_function.__name__ = "made"
    given = dict(lesson="00_none", minutes=1, allows="Yes.", hints=("one", "two"), solution="made = 1", reasons="So.")
    return Exercise(check_function, **(given | parts))


def test_a_finished_answer_above_the_stubs_last_line_is_no_stub(capsys):
    made = make(lambda answer: call(answer, [1]))
    made(run("def made(x):\n    x.append(2)\n    return ...\n", "made"))
    assert capsys.readouterr().out.startswith("✗ The last line is still the stub's. made does something")
    made(run("def made(x):\n    return ...\n", "made"))
    assert capsys.readouterr().out.startswith("○")


def test_hints_come_one_by_one_and_the_last_points_to_the_answer(capsys):
    made = make(lambda answer: None)
    made.hint()
    first = capsys.readouterr().out
    made.hint()
    second = capsys.readouterr().out
    made.hint()
    assert first == "Hint 1 of 2: one\n"
    assert second.startswith("Hint 2 of 2: two\n") and "check.made.answer()" in second
    assert capsys.readouterr().out == second
    made.answer()
    assert capsys.readouterr().out == "made = 1\n\nSo.\n"


def test_no_hint_and_no_answer_before_they_are_asked_for(capsys):
    make(lambda answer: number(answer, "made"))("text")
    out = capsys.readouterr().out
    assert "one" not in out and "made = 1" not in out


def test_interrupting_a_check_is_the_learners_right():
    def stop(answer):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(stop)(1)


def test_the_helpers():
    with pytest.raises(NotAttempted):
        call(lambda: ...)
    with pytest.raises(NotAttempted):
        number(..., "it")
    for bad in (lambda: call(3), lambda: call(lambda: None), lambda: number("1", "it"), lambda: number(True, "it")):
        with pytest.raises(Wrong):
            bad()
    assert number(2, "it") == 2 and call(lambda x: x + 1, 1) == 2
    assert close(1e9 + 0.5, 1e9) and not close(1e-6, 0) and not close(float("nan"), 0)


def test_progress_counts_what_is_done(capsys):
    check.progress()
    before = capsys.readouterr().out
    assert before.startswith(f"0 of {len(exercises)} exercises done") and "✓" not in before
    name = next(iter(exercises))
    _progress.mark_done(name)
    check.progress()
    after = capsys.readouterr().out
    assert after.startswith(f"1 of {len(exercises)} exercises done") and f"✓ {name} " in after


def a_file_for_the_folder(home):
    (home / "done").write_bytes(bytes(range(256)))


def a_file_for_the_home(home):
    home.rmdir()
    home.write_text("{}")


def a_link_to_itself(home):
    (home / "done").symlink_to(home / "done")


def a_link_to_nowhere(home):
    (home / "done").symlink_to(home / "not there")


def a_name_too_long(home):
    return home / ("x" * 300)


def nothing(home):
    home.rmdir()


def other_things(home):
    (home / "done" / "a folder").mkdir(parents=True)
    (home / "done" / "a file").write_bytes(bytes(range(256)))
    (home / "done" / "rise").mkdir()


@pytest.mark.parametrize(
    ("damage", "saved"),
    [(nothing, True), (other_things, True), (a_file_for_the_folder, False), (a_file_for_the_home, False),
     (a_name_too_long, False)] + [(a_link_to_itself, False), (a_link_to_nowhere, False)] * (os.name == "posix"),
    ids=lambda part: getattr(part, "__name__", ""),
)  # fmt: skip
def test_whatever_stands_in_the_place_of_the_progress_the_verdict_stands(damage, saved, tmp_path, monkeypatch, capsys):
    (place := tmp_path / "home").mkdir()
    place = damage(place) or place
    monkeypatch.setenv("LESSON_LIB_HOME", str(place))
    check.progress()
    capsys.readouterr()
    out = verdict("first_number", 6.0, capsys)
    assert out.startswith(f"✓ {exercises['first_number'].allows}\n")
    told = "  (Your answer stands, but your progress could not be saved: "
    assert (told in out) is not saved and _progress.is_done("first_number") is saved
    check.progress()
    assert capsys.readouterr().out.startswith(f"{saved + (damage is other_things)} of {len(exercises)} exercises done")


@pytest.mark.parametrize("call", ["mkdir", "open"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EDQUOT, errno.EIO])
def test_a_disk_that_refuses_does_not_spoil_the_verdict(call, number, home, monkeypatch, capsys):
    _progress.mark_done("rise")
    real = getattr(os, call)

    def refuses(path, *args, **options):
        if str(path).startswith(str(home)):
            raise OSError(number, os.strerror(number), str(path))
        return real(path, *args, **options)

    monkeypatch.setattr(os, call, refuses)
    if call == "mkdir":
        monkeypatch.setenv("LESSON_LIB_HOME", str(home / "new"))
    out = verdict("first_number", 6.0, capsys)
    assert out.startswith("✓ ") and f"could not be saved: [Errno {number}] {os.strerror(number)}" in out
    monkeypatch.setenv("LESSON_LIB_HOME", str(home))
    assert _progress.is_done("rise") and not _progress.is_done("first_number")


def test_two_kernels_that_mark_at_once_lose_nothing(home):
    code = (
        "import sys; from lesson_lib.check import _progress\n"
        "print(flush=True); sys.stdin.readline()\n"
        "for i in range(200): _progress.mark_done(f'{sys.argv[1]} {i}'); _progress.mark_done(f'both {i}')"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    kernels = [subprocess.Popen([sys.executable, "-c", code, name], **pipes) for name in ("one", "other")]
    for kernel in kernels:
        kernel.stdout.readline()  # both are ready
    for kernel in kernels:
        kernel.stdin.write("\n")
        kernel.stdin.flush()
    assert [kernel.communicate(timeout=60)[0] for kernel in kernels] == ["", ""]  # no word of what was not saved
    assert [kernel.returncode for kernel in kernels] == [0, 0]
    names = {f"{who} {i}" for who in ("one", "other", "both") for i in range(200)}
    assert {file.name for file in (home / "done").iterdir()} == names and all(map(_progress.is_done, names))


def test_progress_lives_in_the_users_data_folder_by_default(monkeypatch):
    monkeypatch.delenv("LESSON_LIB_HOME")
    assert _progress.folder().parent == platformdirs.user_data_path("lesson_lib", appauthor=False)


def test_progress_that_cannot_be_read_is_none(home, monkeypatch, capsys):
    def refuse(*args, **options):
        raise PermissionError(13, "planted")

    monkeypatch.setattr(os, "stat", refuse)
    check.progress()
    assert capsys.readouterr().out.startswith(f"0 of {len(exercises)} exercises done")


def test_an_error_in_code_without_a_source_shows_the_line_that_led_there(capsys):
    made = make(lambda answer: call(answer, 0))
    source = "def made(x):\n    inner = {}\n    exec('def f(x): return 1 / x', inner)\n    return inner['f'](x)\n"
    made(run(source, "made"))
    assert "line 4 of your cell: return inner['f'](x)" in capsys.readouterr().out


def test_an_unknown_exercise_gets_the_nearest_name():
    name = next(iter(exercises))
    with pytest.raises(AttributeError, match=f"Did you mean check.{name}"):
        getattr(check, name[:-1] + "_")
    assert set(exercises) < set(dir(check))


def test_every_exercise_is_complete():
    for exercise in exercises.values():
        assert 1 <= len(exercise.hints) <= 3 and exercise.allows.endswith(".") and exercise.reasons, exercise.name
        assert 1 <= exercise.minutes <= 30, exercise.name
