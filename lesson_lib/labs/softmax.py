"""The softmax lab: logits as bars to drag, the shares that a softmax makes of them, and its derivatives."""

import math
import unicodedata

import numpy as np
from traitlets import Bool, Dict, Float, Int, List, TraitError, Unicode, validate

from lesson_lib import draw
from lesson_lib.draw import colors
from lesson_lib.labs.base import HERE, Lab, script, style
from lesson_lib.labs.signs import INVISIBLE, drawable, mark

FEWEST, MOST = 2, 10
REACH = 8.0  # the bars go from -8 to 8, and further where a given logit does
FURTHEST = 100.0
COOLEST, HOTTEST = 0.05, 20.0
ROOM = 8  # the widest label, in letters
JOINERS = "\u200d\ufe0e\ufe0f"  # what makes one emoji of several characters


class Softmax(Lab):
    """The widget behind `labs.softmax`. n is the number of logits; the page computes and draws everything.

    labels: n short texts to show; names: the same for a sentence.
    logits: n floats from -reach to reach. masked: n bools, True where the logit counts as minus infinity; what
        stands in `logits` there comes back with it.
    chosen: the logit that is looked at.
    temperature, times_eight, plus_hundred: what goes into the softmax is 8 · logit / temperature + 100.
    subtract_largest: whether the largest is subtracted first. Without that the page computes as PyTorch
        would with the plain formula, in float32, so that it can be seen to break.
    start: logits, masked and temperature to begin with.
    """

    _esm = script("plot.js", "numbers.js", "softmax_words.js", "softmax_view.js", "softmax.js")
    _css = style() + (HERE / "softmax.css").read_text(encoding="utf-8")

    title = Unicode("Softmax: from logits to probabilities").tag(sync=True)
    sentence = Unicode()  # not synced: the page makes its own
    works_alone = Bool(True, read_only=True).tag(sync=True)
    labels = List(Unicode()).tag(sync=True)
    names = List(Unicode()).tag(sync=True)
    reach = Float(REACH).tag(sync=True)
    logits = List(Float()).tag(sync=True)
    masked = List(Bool()).tag(sync=True)
    chosen = Int(0, min=0).tag(sync=True)
    temperature = Float(1.0).tag(sync=True)
    times_eight = Bool(False).tag(sync=True)
    plus_hundred = Bool(False).tag(sync=True)
    subtract_largest = Bool(True).tag(sync=True)
    start = Dict().tag(sync=True)

    def __init__(self, logits, labels, temperature):
        values = _read(logits)
        names = [f"z{i}" for i in range(len(values))]
        if labels is None:
            shown = names
        else:
            given = _texts(labels, len(values))
            shown = [_sign(text) for text in given]
            names = [f"“\u2068{text}\u2069”" for text in shown]  # no label turns the sentence around
        masked = [value == -math.inf for value in values]
        kept = [0.0 if value == -math.inf else value for value in values]
        reach = max(REACH, math.ceil(max(map(abs, kept))))
        super().__init__(labels=shown, names=names, reach=reach, logits=kept, masked=masked, temperature=temperature)
        self.start = {"logits": kept, "masked": masked, "temperature": self.temperature}

    @validate("temperature")
    def _check_temperature(self, proposal):
        value = proposal["value"]
        if not COOLEST <= value <= HOTTEST:
            raise TraitError(f"the temperature must be from {COOLEST:g} to {HOTTEST:g}, and not {value:g}")
        return value

    @validate("logits", "masked")
    def _check_length(self, proposal):
        name, value = proposal["trait"].name, proposal["value"]
        if len(value) != len(self.labels):
            raise TraitError(f"{name} must hold {len(self.labels)} values, one for each label, and not {len(value)}")
        if name == "logits" and not all(abs(logit) <= self.reach for logit in value):
            raise TraitError(
                f"a logit must be from {-self.reach:g} to {self.reach:g} here, and these are {value}; "
                "to mask one, set its place in masked to True"
            )
        return value

    @validate("chosen")
    def _check_chosen(self, proposal):
        if proposal["value"] >= len(self.labels):
            raise TraitError(f"chosen must be below {len(self.labels)}, the number of logits")
        return proposal["value"]

    def shares(self):
        """Return what the picture shows: a dict of NumPy arrays, of the type that the page computes in.

        scaled: (n,), what goes into the softmax. exps: (n,), e to the power of each, once the largest is subtracted.
        probs: (n,). derivatives: (n, n), of probability i (the row) with respect to the scaled logit j (the column).
        entropy: of the probabilities, in nats; nan where they are no shares.
        """
        with np.errstate(all="ignore"):
            logits = np.where(self.masked, -math.inf, self.logits)
            scaled = logits * (8 if self.times_eight else 1) / self.temperature + (100 if self.plus_hundred else 0)
            exps = np.exp(scaled - scaled.max() if self.subtract_largest else scaled.astype(np.float32))
            probs = exps / exps.sum()
            surprise = -np.log(np.where(probs > 0, probs, 1))  # what has no probability adds nothing
            entropy = float((probs * surprise).sum()) if abs(probs.sum() - 1) < 1e-3 else math.nan
            derivatives = np.diag(probs) - np.outer(probs, probs)
        return {"scaled": scaled, "exps": exps, "probs": probs, "derivatives": derivatives, "entropy": entropy}

    def still(self):
        """Return the logits, the probabilities and the derivatives as they stand, as a `draw.Picture`."""
        from matplotlib.colors import LinearSegmentedColormap
        from matplotlib.figure import Figure
        from matplotlib.patches import Rectangle

        now, n, signs = self.shares(), len(self.labels), [drawable(text) for text in self.labels]
        probs, derivatives, places = now["probs"], now["derivatives"], range(len(self.labels))
        shown = [0 if off else logit for logit, off in zip(self.logits, self.masked)]
        with draw.house_style():
            fig = Figure(figsize=(10, max(2.4, 0.36 * n + 1.2)))
            left, middle, right = fig.subplots(1, 3, width_ratios=(1.1, 1, 1.1))
            left.barh(places, shown, color=colors.DATA, height=0.6)
            middle.barh(places, np.nan_to_num(probs), color=colors.ATTENTION, height=0.6)
            for axes, low, high in ((left, -self.reach, self.reach), (middle, 0, 1)):
                axes.set(xlim=(low, high * 1.3), xticks=(low, (low + high) / 2, high), ylim=(n - 0.5, -0.5))
                axes.grid(False, axis="y")
            left.axvline(0, color=colors.INK, linewidth=1)
            for i in places:
                if self.masked[i]:
                    box = {"facecolor": "none", "edgecolor": colors.MUTED, "hatch": "///", "linewidth": 0}
                    left.add_patch(Rectangle((-self.reach, i - 0.3), 2 * self.reach, 0.6, **box))
                text = "−∞" if self.masked[i] else f"{self.logits[i]:.3g}".replace("-", "−")
                left.text(self.reach * 1.06, i, text, va="center", fontsize=10)
                middle.text(max(np.nan_to_num(probs[i]), 0) + 0.03, i, f"{probs[i]:.3f}", va="center", fontsize=10)
            left.set_yticks(places, signs, parse_math=False)
            middle.set_yticks([])
            shades = LinearSegmentedColormap.from_list("house", [colors.MUTED, colors.PAPER, colors.GRADIENT])
            right.imshow(np.nan_to_num(derivatives), cmap=shades, vmin=-0.32, vmax=0.32, aspect="auto")
            right.grid(False)
            for i in places:
                for j in places:
                    if derivatives[i, j] < 0:
                        look = {"fill": False, "edgecolor": colors.MUTED, "hatch": "//", "linewidth": 0}
                        look["alpha"] = min(1, -4 * derivatives[i, j])
                        right.add_patch(Rectangle((j - 0.5, i - 0.5), 1, 1, **look))
                    if n <= 6:
                        look = {"facecolor": colors.PAPER, "edgecolor": "none", "pad": 1, "alpha": 0.75}
                        text = f"{derivatives[i, j] + 0:.2f}".replace("-0.00", "0.00").replace("-", "−")
                        right.text(j, i, text, ha="center", va="center", fontsize=9, bbox=look)
            crowded = max(map(len, signs)) * n > 24
            right.set_xticks(places, signs, parse_math=False, fontsize=9, rotation=90 if crowded else 0)
            right.set_yticks(places, signs, parse_math=False, fontsize=9)
            for axes, text in ((left, "logits"), (middle, "probabilities"), (right, "derivative of probability (row)")):
                axes.set_title(text, fontsize=11)
            left.set_xlabel("hatched: masked, −∞" if any(self.masked) else "", fontsize=10)
            middle.set_xlabel(f"softmax of {self._formula()}", fontsize=10)
            right.set_xlabel("with respect to logit (column)", fontsize=10)
            return draw.figure(fig, self._in_words(now))

    def _formula(self):
        heat = "" if self.temperature == 1 else f" ÷ {self.temperature:g}"
        return ("8 · z" if self.times_eight else "z") + heat + " + 100" * self.plus_hundred

    def _in_words(self, now):
        logits = [
            f"{name}: {'minus infinity' if off else f'{logit:.3g}'}, probability {p:.3f}"
            for name, logit, off, p in zip(self.names, self.logits, self.masked, now["probs"])
        ]
        plain = "" if self.subtract_largest else ", without subtracting the largest first"
        words = f"Logits z, and the softmax of {self._formula()}{plain}. {'; '.join(logits)}. "
        if math.isnan(now["entropy"]):
            return words + "They are no shares: their sum is not 1."
        largest = np.abs(now["derivatives"]).max()
        return words + f"The entropy is {now['entropy']:.3f} nats. The largest derivative is {largest:.3g}."


def _read(logits):
    """Return the logits as a list of floats; an error that says what is wrong where they are none."""
    if hasattr(logits, "detach"):  # a tensor, on whatever device and in whatever precision
        logits = logits.detach().cpu().double().numpy()
    try:
        values = np.array(logits, dtype=float)
    except (TypeError, ValueError):
        raise TypeError(f"the logits must be a row of numbers, and this is of type {type(logits).__name__}") from None
    if values.ndim != 1:
        raise ValueError(f"the logits must be one row of numbers, and these have the shape {values.shape}")
    if not FEWEST <= len(values) <= MOST:
        raise ValueError(f"the lab shows from {FEWEST} to {MOST} logits, and these are {len(values)}")
    for i, value in enumerate(values.tolist()):
        if math.isnan(value) or FURTHEST < abs(value) and value != -math.inf:
            raise ValueError(
                f"logit {i} is {value:g}: the lab shows logits from {-FURTHEST:g} to {FURTHEST:g}, "
                "and -inf for one that is masked"
            )
    return values.tolist()


def _texts(labels, n):
    texts = list(labels) if hasattr(labels, "__iter__") and not isinstance(labels, str) else [labels]
    if len(texts) != n or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"labels must be {n} strings, one for each logit, and not {labels!r}")
    return texts


def _sign(text):
    """Return a label as it is shown: all of it can be seen, and what is too long ends in "…"."""
    shown, width, glue = "", 0, False
    for character in text:
        sign, meaning = mark(character)
        joins = shown and (character in JOINERS or unicodedata.category(character)[0] == "M")
        if joins or glue:  # a mark on the character before it, or the next part of one emoji
            sign, more = character, 0
        elif meaning == INVISIBLE:
            sign, more = f"[{sign}]", len(sign) + 2
        else:
            more = 2 if unicodedata.east_asian_width(character) in "WF" else 1
        if width + more > ROOM:
            return shown + "…"
        shown, width, glue = shown + sign, width + more, joins and character == "\u200d"
    return shown or "□"


def softmax(logits=(2.0, 1.0, 0.0, -1.0), labels=None, temperature=1.0):
    """Return the softmax lab: drag the logits, and see what shares a softmax makes of them, and its derivatives.

    logits: from 2 to 10 numbers from -100 to 100, in a list, an array or a tensor; -inf for one that is masked.
    labels: as many texts to show beside them; z0, z1, ... without.
    temperature: what the logits are divided by, from 0.05 to 20.

    Raises TypeError where logits are no numbers, ValueError where they are too many, too few or too large, or the
    labels are not as many, and TraitError for a temperature out of range.
    """
    return Softmax(logits, labels, temperature)
