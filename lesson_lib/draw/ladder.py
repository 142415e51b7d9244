"""Draw the loss ladder: how good each model of the course is, one below the other."""

import math

from lesson_lib.draw import colors
from lesson_lib.draw.curves import figure, house_style


def ladder(rungs, *, new=(), nothing=None, xlabel="validation loss", alt=None):
    """Return a Picture (PNG) with a row for each rung: its name, a dot at its loss, and the number.

    `rungs` maps a model's name to its loss, in the order from top to bottom. Those whose names are in `new` are drawn
    as large squares, the others as dots. `nothing` is the loss of a model that knows nothing: a dashed line.

    Raises ValueError for no rungs, for a loss that is not a finite number, and for a new one that is no rung.
    """
    rungs = {name: float(loss) for name, loss in rungs.items()}
    if not rungs:
        raise ValueError("there is no rung to draw: give at least one name with its loss")
    for name, loss in rungs.items():
        if not math.isfinite(loss):
            raise ValueError(f"the loss of {name!r} must be a finite number, and is {loss}")
    if unknown := set(new) - set(rungs):
        raise ValueError(f"{sorted(unknown)} should be new, but the rungs are {list(rungs)}")
    from matplotlib.figure import Figure

    places = range(len(rungs))
    with house_style():
        fig = Figure(figsize=(8, 1.1 + 0.42 * len(rungs)))
        ax = fig.subplots()
        for place, (name, loss) in zip(places, rungs.items()):
            look = {"marker": "s", "markersize": 11} if name in new else {"marker": "o", "markersize": 8}
            ax.plot(loss, place, color=colors.DATA, zorder=3, **look)
            weight = "bold" if name in new else "normal"
            box = {"facecolor": colors.PAPER, "edgecolor": "none", "pad": 1}  # no line of the grid runs through
            words = {"textcoords": "offset points", "va": "center", "weight": weight, "bbox": box}
            ax.annotate(f"{loss:.3f}", (loss, place), (11, 0), **words)
        ends = [*rungs.values(), *([] if nothing is None else [nothing])]
        room = (max(ends) - min(ends)) or 1.0
        ax.set(xlim=(min(ends) - 0.06 * room, max(ends) + 0.14 * room), ylim=(len(rungs) - 0.5, -0.6), xlabel=xlabel)
        ax.set_yticks(places, list(rungs), parse_math=False)
        ax.tick_params(axis="y", length=0)
        for label, name in zip(ax.get_yticklabels(), rungs):
            label.set_fontweight("bold" if name in new else "normal")
        ax.spines["left"].set_visible(False)
        if nothing is not None:
            ax.axvline(nothing, linestyle="--", color=colors.INK, linewidth=1.5)
            words = {"va": "bottom", "ha": "right", "rotation": 90}
            ax.annotate("knows nothing", (nothing, len(rungs) - 0.5), (-4, 4), textcoords="offset points", **words)
        return figure(fig, alt or _in_words(rungs, nothing))


def _in_words(rungs, nothing):
    words = ", ".join(f"{name} {loss:.3f}" for name, loss in rungs.items())
    return f"A ladder of losses: {words}{'' if nothing is None else f'; knowing nothing costs {nothing:.3f}'}."
