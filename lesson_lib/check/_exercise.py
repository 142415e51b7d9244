"""What every exercise is made of: its check, its hints, its worked answer.

A check is a function of the learner's answer. It goes from the simplest property to the full one and
raises `Wrong` at the first that does not hold:

    @exercise(
        lesson="01_derivatives",
        minutes=3,
        allows="You can now measure the slope of any function that you can call.",
        hints=("A slope is rise over run. Which of the two do you have already?", "..."),
        solution='''
            def slope(f, x, h):
                return (f(x + h) - f(x)) / h
        ''',
        reasons="The rise is f(x + h) - f(x), the run is h.",
    )
    def slope(answer):
        got = number(call(answer, lambda x: 3 * x, 1.0, 0.5), "slope(f, 1.0, 0.5)")
        if close(got, 1.5):
            raise Wrong("The rise without the run", f"For f(x) = 3x your answer is {got:g} and not 3. ...?")
        if not close(got, 3.0):
            raise Wrong("Not the slope", f"For f(x) = 3x, slope(f, 1.0, 0.5) is {got:g} and not 3.")

The exercise, the learner's name for the answer and the check all have the same name, so that the
notebook's check cell is always `check.slope(slope)`.
"""

import inspect
import linecache
import numbers
import pathlib
import reprlib
import sysconfig
import textwrap
import traceback

from . import _progress
from ._guard import guard

exercises = {}
LONGEST = 2000  # characters of a verdict
MESSAGE = 600  # and of an error's message in it


class Wrong(Exception):
    """The answer is wrong: the misconception's name, and a sentence or two that lead on."""

    def __init__(self, misconception, detail):
        super().__init__(misconception, detail)
        self.misconception = misconception
        self.detail = detail


class NotAttempted(Exception):
    """The answer is still the stub's `...`."""


class Short(reprlib.Repr):
    """repr for messages: what is long is shortened, a function is its name, or f, a tensor its shape."""

    def repr_function(self, function, level):
        return function.__name__.replace("<lambda>", "f")

    repr_builtin_function_or_method = repr_method = repr_type = repr_function

    def repr_Tensor(self, tensor, level):
        return f"tensor{tuple(tensor.shape)}"


def is_stub(function):
    return ... in getattr(getattr(function, "__code__", None), "co_consts", ())


def stub_behind(function):
    """Return the name of a stub that function uses, or None: then the `...` that came back is its own."""
    names = getattr(getattr(function, "__code__", None), "co_names", ())
    used = (name for name in names if is_stub(function.__globals__.get(name)))
    return None if is_stub(function) else next(used, None)


def takes_instead(function, args):
    """Return what function takes, as `(f, x)`, where that is not args; None where args fit."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return None  # some built-in functions do not say what they take
    try:
        signature.bind(*args)
    except TypeError:
        return str(signature)
    return None


def call(function, *args):
    """Return function(*args): the way in which a check runs the learner's code.

    An error inside the function gets a note that says in which call it came up.
    """
    if not callable(function):
        raise Wrong("Not a function", f"The check needs the function itself and got {function!r:.60}.")
    name = getattr(function, "__name__", "<lambda>").replace("<lambda>", "your function")
    # before the call, which may change the arguments
    shown = f"{name}({', '.join(map(Short().repr, args))})" if args else "your code"
    if takes := takes_instead(function, args):
        raise Wrong("The inputs do not fit", f"The check calls {shown}. Yours takes {takes}.")
    try:
        result = function(*args)
    except BaseException as error:
        if args:
            error.add_note(f"It happened in {shown}.")
        raise
    if result is ... and (other := stub_behind(function)):
        raise Wrong("Another answer is missing", f"{name} uses {other}, which is still `...`.")
    if result is ... and is_stub(function) and function.__code__.co_names:
        raise Wrong(
            "The last line is still the stub's",
            f"{name} does something, but ends with `return ...`. Replace that too.",
        )
    if result is ...:
        raise NotAttempted
    if result is None:
        raise Wrong("Nothing comes back", f"The check calls {shown} and gets None. Is a `return` missing?")
    return result


def number(value, what):
    """Return value if it is a real number, and raise Wrong if it is not; `what` says where it came from."""
    if value is ...:
        raise NotAttempted
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise Wrong("Not a number", f"{what} should be a number and is {value!r:.60} ({type(value).__name__}).")
    return value


def close(a, b, tolerance=1e-9):
    """Whether a and b agree, relative to the larger of 1 and the size of b."""
    return abs(a - b) <= tolerance * max(1.0, abs(b))


class Exercise:
    """One exercise: call it with the answer, ask for a `hint()`, or for the worked `answer()`."""

    def __init__(self, check, lesson, minutes, allows, hints, solution, reasons):
        self.name = check.__name__
        self.check = check
        self.lesson = lesson
        self.minutes = minutes
        self.allows = allows
        self.hints = hints
        self.solution = textwrap.dedent(solution).strip()
        self.reasons = reasons
        self.hints_given = 0

    def __repr__(self):
        return f"check.{self.name}(…): exercise of lesson {self.lesson}, {self.minutes} minutes"

    def __call__(self, answer):
        """Check the answer and print the verdict; whatever the answer is, nothing is raised.

        Only an interrupt is passed on, after a word: who stops a run of all cells wants it to stop.
        """
        try:
            with guard():
                if answer is ...:
                    raise NotAttempted
                self.check(answer)
        except NotAttempted:
            print(f"○ not attempted yet. When you are stuck: check.{self.name}.hint()")
        except Wrong as wrong:
            self._no(wrong.misconception, wrong.detail)
        except KeyboardInterrupt as stop:
            self._no("Interrupted", f"Nothing is lost: run the check again when you like.{learners_line(stop)}")
            raise
        except BaseException as error:
            self._no("Your code stopped with an error", describe(error))
        else:
            print(f"✓ {self.allows}")
            _progress.mark_done(self.name)

    def _no(self, misconception, detail):
        print(shortened(f"✗ {misconception}. {detail}", LONGEST))

    def hint(self):
        """Print the next hint."""
        if self.hints_given < len(self.hints):
            self.hints_given += 1
        count = f"{self.hints_given} of {len(self.hints)}"
        print(f"Hint {count}: {self.hints[self.hints_given - 1]}")
        if self.hints_given == len(self.hints):
            print(f"That is the last hint. check.{self.name}.answer() shows a worked answer.")

    def answer(self):
        """Print the worked answer and its reasons."""
        print(f"{self.solution}\n\n{self.reasons}")


def exercise(**parts):
    """Make the check below it an exercise; the parts are those of `Exercise`."""

    def register(check):
        if check.__name__ in exercises:
            raise ValueError(f"two exercises have the name {check.__name__}")
        exercises[check.__name__] = Exercise(check, **parts)
        return exercises[check.__name__]

    return register


ADVICE = (
    (RecursionError, "", "Does a function call itself without end?"),
    (TypeError, " ^", "In Python a power is written `**`."),
    (TypeError, "ellipsis", "Somewhere a `...` is left, in your function or in one that it uses."),
)


def shortened(text, most):
    """Return the text, with … where it is cut, and codes in place of what would not show or would paint the page."""
    shown = (c if c.isprintable() or c == "\n" else ascii(c)[1:-1] for c in text[: most + 1])
    whole = "".join(shown)
    return whole if len(whole) <= most else f"{whole[: most - 1]}…"


def short(value, most=120):
    """Return the value's repr, with … where it is cut."""
    return shortened(repr(value), most)


def learners_line(error):
    """Return the line of the learner's own code at which the error came up, after a line break; "" if there is none."""
    ours = str(pathlib.Path(inspect.getfile(describe)).parent.parent)
    not_theirs = (ours, *map(sysconfig.get_path, ("stdlib", "purelib", "platlib")))
    for frame, line in reversed(list(traceback.walk_tb(error.__traceback__))):
        file = frame.f_code.co_filename
        source = linecache.getline(file, line, frame.f_globals).strip()
        if source and not file.startswith(not_theirs):
            return f"\n  line {line} of your cell: {source:.120}"
    return ""


def describe(error):
    """Say what went wrong, in which call, and on which line of the learner's own code."""
    try:
        message = shortened(str(error), MESSAGE)
    except Exception:
        message = "(its message cannot be read)"
    what = f"{type(error).__name__}: {message}" if message else type(error).__name__
    advice = [words for kind, part, words in ADVICE if isinstance(error, kind) and part in message]
    notes = getattr(error, "__notes__", [])[:1]
    told = " ".join(part if part.endswith((".", "?")) else f"{part}." for part in (what, *advice, *notes))
    used = "\n  It came up when the check used your answer. Does that have all that the exercise names?"
    return told + (learners_line(error) or used)
