"""What all labs share: a widget with a title, a picture, a sentence in words, and a line for problems.

A lab is at least one Python file and one JavaScript file:

    class Swing(Lab):
        _esm = script("swing.js")            # base.js + swing.js
        title = Unicode("Swing").tag(sync=True)
        angle = Float(0.0).tag(sync=True)    # every trait with sync=True is shared with the page

        def still(self):                     # the picture for GitHub, paper, and a page without a kernel
            return draw.figure(...)

base.js says how to write the JavaScript. Page and Python speak through synced traits alone, so that
the same JavaScript can later run in a page without Python.
"""

import operator
import traceback
from pathlib import Path

import anywidget
from traitlets import Bool, TraitError, Unicode

from lesson_lib.draw import colors

HERE = Path(__file__).parent


def script(*names):
    """Return a lab's whole JavaScript: base.js, then the files `names` beside it, the lab's own last."""
    return "\n".join((HERE / name).read_text(encoding="utf-8") for name in ("base.js", *names))


def style():
    """Return the labs' CSS: the course's colours as custom properties (`--ll-data`, ...), then base.css."""
    names = [name for name in vars(colors) if name.isupper()]
    palette = "".join(f"  --ll-{name.lower()}: {getattr(colors, name)};\n" for name in names)
    return f".ll-lab {{\n{palette}}}\n" + (HERE / "base.css").read_text(encoding="utf-8")


def describe(error):
    """Return an exception as one line for the learner: its type, what it says, and where it was raised.

    Of a TraitError, with which a lab refuses what was put into it, only what it says.
    """
    if isinstance(error, TraitError):
        return str(error)
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {error}{where}"


def whole_number(name, value):
    """Return the value as an int. Raises TypeError where it is no whole number."""
    try:
        return operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be a whole number, and not {value!r}") from None


class Lab(anywidget.AnyWidget):
    """The base of all labs. A subclass sets `_esm`, `title` and its own traits, and writes `still`.

    title: the lab's name, above the picture.
    sentence: what there is to see now, in words. A lab whose JavaScript makes the sentence from what it
        draws calls `lab.say` in there, and this one then belongs to the still picture.
    problem: what went wrong, shown in the lab; "" when nothing did.
    works_alone: whether the lab also works in a page without Python. What Python would have to do for it is left out
        there, and the lab says so (`lab.alone` and `remark` in base.js).
    """

    _css = style()

    title = Unicode().tag(sync=True)
    sentence = Unicode().tag(sync=True)
    problem = Unicode().tag(sync=True)
    works_alone = Bool(False, read_only=True).tag(sync=True)

    _failure = ""

    def still(self):
        """Return the lab as it stands as a `draw.Picture`. It is stored beside the widget."""
        raise NotImplementedError(f"{type(self).__name__} needs a still(), for pages that cannot show a widget")

    def set_state(self, sync_data):
        """Take over what was changed in the page; an error on the way is shown in the lab as its `problem`.

        Without this it would only reach the log: no cell is running that could show it. Values set
        from a cell raise there, as usual.
        """
        try:
            super().set_state(sync_data)
        except Exception as error:
            self.problem = self._failure = describe(error)
        else:
            if self.problem == self._failure:
                self.problem = ""

    def _repr_mimebundle_(self, **kwargs):
        data, metadata = super()._repr_mimebundle_(**kwargs)
        data["text/plain"] = f"{self.title} (lab)…"
        # a page that cannot show the widget falls back to this
        data["text/html"] = self.still()._repr_mimebundle_()["text/html"]
        return data, metadata
