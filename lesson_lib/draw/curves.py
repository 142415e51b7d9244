"""Draw functions of one number: a curve with its tangent and secant, and errors against the step size."""

import io
import math
import sys

from lesson_lib.draw import colors
from lesson_lib.draw.picture import Picture

SAMPLES = 801
# pixels of the page in an inch; a picture holds twice as many, for sharp screens
PIXELS = 100
STYLE = {
    "figure.figsize": (6.4, 4.2), "figure.dpi": PIXELS, "figure.constrained_layout.use": True,
    "figure.facecolor": colors.PAPER, "axes.facecolor": colors.PAPER,
    "font.family": "DejaVu Sans", "font.size": 12, "axes.titlesize": 13, "axes.labelsize": 12,
    "xtick.labelsize": 12, "ytick.labelsize": 12, "legend.fontsize": 12, "legend.frameon": False,
    "text.color": colors.INK, "axes.labelcolor": colors.INK, "axes.titlecolor": colors.INK,
    "xtick.labelcolor": colors.INK, "ytick.labelcolor": colors.INK,
    "xtick.color": colors.MUTED, "ytick.color": colors.MUTED, "axes.edgecolor": colors.MUTED,
    "axes.spines.top": False, "axes.spines.right": False,
    "axes.grid": True, "axes.axisbelow": True, "grid.color": colors.GRID,
    "lines.linewidth": 2.2, "lines.markersize": 7,
}  # fmt: skip


def curve(f, low, high, *, tangent=None, secant=None, points=(), title="", xlabel="x", ylabel="f(x)", alt=None):
    """Return a Picture (PNG) of f from low to high. f takes a float and gives one.

    `tangent` is (x, slope): a dashed line of that slope through the curve at x. `secant` is (x, h): the
    line through the curve at x and at x + h; (x, h, text) writes text in place of "h = ...". `points` are
    pairs (x, y), or (x, y, text) to name one.
    Where f raises ArithmeticError or ValueError, or gives nan, inf or a complex number, the curve has a gap.

    Raises ValueError where low is not below high, or f has no value where one is needed.
    """
    low, high = float(low), float(high)
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise ValueError(f"low must be below high, and both finite; here low is {low:g} and high is {high:g}")
    with house_style():
        xs = [low + (high - low) * i / (SAMPLES - 1) for i in range(SAMPLES)]
        ys = [_value(f, x) for x in xs]
        finite = sorted(y for y in ys if math.isfinite(y))
        if not finite:
            raise ValueError(f"the function has no finite value anywhere from {low:g} to {high:g}")
        bottom, top = _limits(finite)

        fig, ax = _axes(title, xlabel, ylabel)
        ax.set(xlim=(low, high), ylim=(bottom, top))
        ax.plot(xs, _without_leaps(ys, top - bottom), color=colors.DATA, label=ylabel)
        # a bottom that the samples just miss is 0 to the eye, and no 1.563e-06
        least, most = (0 if abs(y) < (finite[-1] - finite[0]) / 1e4 else y for y in (finite[0], finite[-1]))
        values = f"with values from {least:.4g} to {most:.4g}"
        words = [f"Curve of {ylabel} for {xlabel} from {low:g} to {high:g}, {values}."]
        if secant:
            x, h, *text = secant
            words.append(_secant(ax, f, float(x), float(h), *text))
        if tangent:
            words.append(_tangent(ax, f, *map(float, tangent)))
        for x, y, *text in points:
            words.append(_point(ax, float(x), float(y), *text))
        if secant or tangent:
            fig.legend(loc="outside lower center", ncols=3)
        return figure(fig, alt or " ".join(words))


def errors(steps, errors, *, title="", xlabel="step h", ylabel="error of the slope", alt=None):
    """Return a Picture (PNG) of errors against step size, both axes logarithmic.

    `steps` holds n steps; `errors` maps the name of a formula to its n errors, one for each step. The
    sign of an error is dropped. An error of exactly 0 has no place on a logarithmic axis: it is an
    open triangle at the foot of the picture. nan and inf leave a gap.

    Raises ValueError where a step is not above 0, where there is not one error for each step, and for no errors at all.
    """
    steps = [float(h) for h in steps]
    if not steps or not all(0 < h < math.inf for h in steps):
        raise ValueError("every step must be a finite number above 0, and there must be at least one")
    if not errors:
        raise ValueError("there are no errors to draw: give at least one formula's name with its errors")
    for name, found in errors.items():
        if len(found) != len(steps):
            raise ValueError(f"{name!r} has {len(found)} errors for {len(steps)} steps: each step needs one")
    order = sorted(range(len(steps)), key=steps.__getitem__)
    steps = [steps[i] for i in order]
    series = {name: [abs(float(found[i])) for i in order] for name, found in errors.items()}

    with house_style():
        fig, ax = _axes(title, xlabel, ylabel)
        ax.set(xscale="log", yscale="log")
        looks = [("-", "o", colors.DATA), ("--", "s", colors.INK), (":", "^", colors.GRADIENT)]
        for (name, found), (style, marker, color) in zip(series.items(), looks * len(series)):
            shown = [e if 0 < e < math.inf else math.nan for e in found]
            ax.plot(steps, shown, style, marker=marker, markersize=6, color=color, label=name)
        zeros = [h for found in series.values() for h, e in zip(steps, found) if e == 0]
        if zeros:
            foot = min((e for found in series.values() for e in found if 0 < e < math.inf), default=1e-16) / 10
            ax.set_ylim(bottom=foot / 2, top=None if len(zeros) < len(steps) * len(series) else foot * 1e4)
            ax.plot(zeros, [foot] * len(zeros), "v", color=colors.INK, mfc=colors.PAPER, label="exactly 0")
        sides = _sides(series.values())
        ax.set_title(title, pad=26 if any(sides) else None)
        texts = "← round-off grows", "the formula's own error grows →"
        for grows, x, side, text in zip(sides, (0, 1), ("left", "right"), texts):
            if grows:
                ax.annotate(text, (x, 1), (0, 6), xycoords="axes fraction", textcoords="offset points", ha=side)
        fig.legend(loc="outside lower center", ncols=3)
        return figure(fig, alt or _errors_in_words(steps, series, sides))


def figure(fig, alt):
    """Return a Picture (PNG) of any matplotlib figure, and close the figure.

    An inch is 100 pixels of the page, at twice the resolution. The file holds no date and no version.
    """
    from PIL import Image

    full, small = io.BytesIO(), io.BytesIO()
    fig.savefig(full, format="png", dpi=2 * PIXELS, facecolor=colors.PAPER)
    # a palette of 128 colours looks the same here, and the notebooks that hold the file stay small
    Image.open(full).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(small, "png", optimize=True)
    # pyplot keeps the figures that it made, and a notebook would show them a second time
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)
    return Picture(small.getvalue(), "image/png", alt, width=fig.get_figwidth() * PIXELS)


def house_style():
    """Return a context in which matplotlib draws as in all pictures of the course, whatever style is set outside."""
    import matplotlib.style

    return matplotlib.style.context(["default", STYLE])


def _axes(title, xlabel, ylabel):
    from matplotlib.figure import Figure

    fig = Figure()
    ax = fig.subplots()
    ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
    return fig, ax


def _secant(ax, f, x, h, text=""):
    y, end = _value(f, x), _value(f, x + h)
    if h == 0 or not (math.isfinite(y) and math.isfinite(end)):
        raise ValueError(f"a secant needs two points of the curve; here x is {x:g} and h is {h:g}")
    slope = (end - y) / h
    _straight(ax, x, y, slope, color=colors.INK, linewidth=1.6, label=f"secant, slope {slope:.4g}")
    ax.plot([x, x + h, x + h], [y, y, end], ":", color=colors.INK, linewidth=1.4)
    ax.plot([x, x + h], [y, end], "o", color=colors.INK)
    text, below = str(text) or f"h = {h:g}", end >= y
    low, high = ax.get_xlim()
    if abs(h) > (high - low) / 12:
        _words(ax, text, (x + h / 2, y), (0, -6 if below else 6), "center")
    else:
        # under a short step there is no room
        _words(ax, text, *_free_corner(ax, [(x + h, y), (x, y)], text))
    there = f"{x:g} + h, with {text}," if text == f"h = {h:g}" else f"{x + h:g} ({text})"
    return f"The secant through the curve at {x:g} and {there} has slope {slope:.4g}."


def _tangent(ax, f, x, slope):
    y = _value(f, x)
    if not math.isfinite(y):
        raise ValueError(f"the function has no finite value at {x:g}, so no tangent touches it there")
    look = {"color": colors.GRADIENT, "linestyle": (0, (5, 3))}
    _straight(ax, x, y, slope, **look, label=f"tangent, slope {slope:.4g}")
    ax.plot([x], [y], "o", color=colors.GRADIENT, markeredgecolor=colors.PAPER)
    return f"The tangent at {x:g} has slope {slope:.4g}."


def _point(ax, x, y, text=""):
    text = str(text)
    if text:
        _words(ax, text, *_free_corner(ax, [(x, y)], text))
    ax.plot([x], [y], "s", color=colors.INK)
    return f"{f'The point {text}' if text else 'A point'} is marked at ({x:.4g}, {y:.4g})."


def _free_corner(ax, places, text):
    """Return where a text beside one of the places covers the fewest lines: place, shift in points, side."""
    (low, high), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    # the size of the text in the units of the axes, which are about 500 by 270 pixels
    width, height = (len(text) * 9 + 12) * (high - low) / 500, 26 * (top - bottom) / 270
    best = None
    for x, y in places:
        for side, right, up in (("left", 1, 1), ("right", -1, 1), ("left", 1, -1), ("right", -1, -1)):
            end, edge = x + right * width, y + up * height
            outside = not (low <= end <= high and bottom <= edge <= top)
            cost = 1000 * outside + _lines_between(ax, sorted((x, end)), sorted((y, edge)))
            if best is None or cost < best[0]:
                best = cost, (x, y), (7 * right, 5 * up), side
    return best[1:]


def _lines_between(ax, xs, ys):
    """Return how much of the lines of ax lies in the box of these xs and ys."""
    import numpy as np

    # a little less on each side, because the lines meet in the corner where the box begins
    (x0, x1), (y0, y1) = xs, ys
    across = np.linspace(x0 + 0.1 * (x1 - x0), x1 - 0.1 * (x1 - x0), 50)
    covered = 0
    for line in ax.lines:
        x, y = (np.asarray(values, float) for values in line.get_data())
        if len(x) > 1 and (np.diff(x) > 0).all():
            height = np.interp(across, x, y)
            covered += np.count_nonzero((height > y0 + 0.1 * (y1 - y0)) & (height < y1))
    return covered


def _straight(ax, x, y, slope, **look):
    ends = ax.get_xlim()
    ax.plot(ends, [y + slope * (end - x) for end in ends], **look)


def _words(ax, text, where, shift, ha):
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=4, foreground=colors.PAPER)]
    va = "bottom" if shift[1] > 0 else "top"
    ax.annotate(text, where, shift, textcoords="offset points", ha=ha, va=va, path_effects=halo, parse_math=False)


def _value(f, x):
    import numpy as np

    try:
        with np.errstate(all="ignore"):
            y = f(x)
    except (ArithmeticError, ValueError):
        return math.nan
    if y is None:
        raise TypeError(f"{getattr(f, '__name__', 'f')}({x:g}) gave None: does the function return its result?")
    # a gap in a line is a nan
    return float(y) if not isinstance(y, complex) and math.isfinite(y) else math.nan


def _limits(finite):
    """Return the ends of the y axis for sorted values; a pole must not press the rest of the curve flat."""
    low, high = finite[0], finite[-1]
    a, b = finite[len(finite) // 20], finite[-1 - len(finite) // 20]
    if high - low > 6 * (b - a) > 0:
        low, high = a, b
    room = (high - low) * 0.12 or abs(high) * 0.5 or 1.0
    return low - room, high + room


def _without_leaps(ys, height):
    """Return ys with a gap where the curve leaps from above the picture to below it, as 1/x does at 0."""
    pairs = zip([ys[0], *ys], ys)
    return [math.nan if before * y < 0 and abs(y - before) > height else y for before, y in pairs]


def _sides(series):
    """Return whether any of the errors grows towards the smallest step, and whether towards the largest."""
    left = right = False
    for found in series:
        finite = [e for e in found if math.isfinite(e)]
        if finite:
            left |= finite[0] > 10 * min(finite)
            right |= finite[-1] > 10 * min(finite)
    return left, right


def _errors_in_words(steps, series, sides):
    words = ["Error against step size, both axes logarithmic."]
    for name, found in series.items():
        pairs = [(e, h) for e, h in zip(found, steps) if math.isfinite(e)]
        if not pairs:
            words.append(f"For {name} there is no finite error.")
            continue
        (least, best), (first, small), (last, large) = min(pairs), pairs[0], pairs[-1]
        words.append(
            f"For {name} the error is smallest at h = {best:.0e}, where it is {_size(least)}; "
            f"it is {_size(last)} at the largest step, {large:.0e}, and {_size(first)} at the smallest, {small:.0e}."
        )
    if all(sides):
        words.append("Towards smaller steps round-off grows, towards larger ones the formula's own error.")
    return " ".join(words)


def _size(error):
    return f"{error:.1e}" if error else "exactly 0"
