"""What there is to see in the playground: as numbers for the page, in words, and as a still picture."""

import math

from lesson_lib import draw
from lesson_lib.draw import colors
from lesson_lib.labs.curves import short, thin

PLACES, PLACES_1D = 24, 81  # where the network is asked: on each side of the map, along a curve
RECENT = 20  # losses that tell how it goes
SMALL = 1e-4  # below this a gradient moves nothing that could be seen

# -- numbers for the page ---------------------------------------------------------------------------------


def scene(trainer):
    """Return what stays while the network learns: the examples, the edges of the picture, the parameters' places."""
    blocks, known = trainer.blocks()
    return {
        "inputs": trainer.inputs,
        "targets": trainer.targets,
        "labels": trainer.labels,
        "window": _window(trainer),
        "places": PLACES,
        "blocks": blocks,
        "known": known,
        "names": _names(blocks, known),
    }


def _window(trainer):
    """Return [[low, high], [bottom, top]], the edges of the picture; with 1 input, the targets go upward."""
    columns = list(zip(*trainer.inputs))
    flat = len(columns) == 2
    if not flat:
        columns.append(trainer.targets)
    middles = [(min(c) + max(c)) / 2 for c in columns]
    halves = [(max(c) - min(c)) / 2 * 1.15 or 1.0 for c in columns]
    if not flat and trainer.labels:
        halves[1] = 2.0  # the answer goes beyond the labels
    if flat and max(halves) < 3 * min(halves):
        halves = [max(halves)] * 2  # the same scale on both axes
    return [[m - h, m + h] for m, h in zip(middles, halves)]


def _names(blocks, known):
    """Return what each parameter is called, in the order of the parameters."""
    names = {}
    for k, rows in enumerate(blocks, 1):
        for j, row in enumerate(rows, 1):
            for i, place in enumerate(row, 1):
                what = "bias" if i == len(row) else f"weight {i}"
                names[place] = f"layer {k}, neuron {j}, {what}" if known else f"parameter {place + 1}"
    return [names[i] for i in range(len(names))]


def grid(scene):
    """Return the inputs for which the picture needs the answer: along the curve, or row by row from the lower edge."""
    flat = len(scene["inputs"][0]) == 2
    n = PLACES if flat else PLACES_1D
    across, up = ([low + (high - low) * i / (n - 1) for i in range(n)] for low, high in scene["window"])
    return [[x, y] for y in up for x in across] if flat else [[x] for x in across]


def state(trainer, most, *, at_rest):
    """Return what changes while the network learns. most is the largest gradient so far.

    At rest the curve ends with the loss as it is now; in training that is not known before the next step.
    """
    step = len(trainer.losses)
    return {
        "step": step,
        "loss": short(trainer.loss),
        "curve": thin(trainer.losses) + ([[step, short(trainer.loss)]] if at_rest else []),
        "scores": [short(score) for score in trainer.scores],
        "data": [short(p.data) for p in trainer.parameters],
        "grads": [short(p.grad) for p in trainer.parameters],
        "most": short(most),
    }


# -- words ------------------------------------------------------------------------------------------------


def words(trainer, names):
    """Return how things stand, in a few sentences."""
    step = len(trainer.losses)
    if not math.isfinite(trainer.loss):
        return f"Step {step}: the loss ({trainer.kind}) is no longer a finite number."
    said = [f"Step {step}: the loss ({trainer.kind}) is {trainer.loss:.4g}."]
    if trainer.labels:
        said.append(f"{trainer.right()} of {len(trainer.targets)} points are on the right side.")
    else:
        said.append(f"Typically the answer is off by {math.sqrt(trainer.loss):.2g}.")
    if step == 0:
        return " ".join([*said, "Nothing is learned yet, and there is no gradient before the first step."])

    place, largest = max(enumerate(p.grad for p in trainer.parameters), key=lambda pair: abs(pair[1]))
    if abs(largest) < SMALL:
        verdict = "so further steps change hardly anything"
        if trainer.labels:
            verdict += ": it is done" if trainer.right() == len(trainer.targets) else ": it is stuck"
        return " ".join([*said, f"All gradients are nearly 0, {verdict}."])
    said.append(f"The largest gradient is {largest:.2g}, of {names[place]}.")
    return " ".join([*said, *_trend(trainer.losses)])


def _trend(losses):
    last = losses[-RECENT:]
    rises = sum(after > 1.01 * before for before, after in zip(last, last[1:]))
    if losses[-1] > 1.5 * losses[0]:
        return ["The loss is higher than at the beginning: the rate is too high."]
    if rises > RECENT / 4 and max(last) > losses[0] / 10:
        return ["The loss goes up and down: the rate is rather high."]
    if len(last) == RECENT and last[-1] > 0.99 * last[0]:
        return [f"In the last {RECENT} steps the loss fell by less than 1 %."]
    return []


# -- the still picture --------------------------------------------------------------------------------------


def picture(scene, now, heights, rate, alt):
    """Return a `draw.Picture` of what the page draws from the same scene, now and heights."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with draw.house_style():
        fig = Figure(figsize=(9.6, 3.3), layout=ConstrainedLayoutEngine(wspace=0.06))
        answers, losses, gradients = fig.subplots(1, 3, width_ratios=(1, 1, 1.1))
        _answers(answers, scene, heights)
        step, loss = zip(*now["curve"])
        losses.plot(step, [math.nan if y is None else y for y in loss], color=colors.DATA)
        losses.plot(step[-1:], loss[-1:], "o", color=colors.DATA, clip_on=False)
        losses.set(title=f"Loss, rate {rate:g}", xlabel="step", xlim=(0, max(10, step[-1])), ylim=(0, None))
        _gradients(gradients, scene, now)
        return draw.figure(fig, alt)


def _answers(ax, scene, heights):
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap

    (low, high), (bottom, top) = scene["window"]
    targets = scene["targets"]
    heights = np.array([math.nan if height is None else height for height in heights])
    flat = len(scene["inputs"][0]) == 2
    if flat:
        heights = heights.reshape(scene["places"], -1)
        full = 1 if scene["labels"] else max(map(abs, targets)) or 1
        shades = LinearSegmentedColormap.from_list("house", [colors.MUTED, colors.PAPER, colors.DATA])
        look = {"cmap": shades, "vmin": -full, "vmax": full, "interpolation": "bilinear", "origin": "lower"}
        ax.imshow(heights, extent=(low, high, bottom, top), aspect="auto", alpha=0.75, **look)
        if np.nanmin(heights) < 0 < np.nanmax(heights):
            sides = [np.linspace(*edges, scene["places"]) for edges in scene["window"]]
            ax.contour(*sides, heights, levels=[0], colors=colors.INK, linewidths=1.8)
    else:
        ax.plot(np.linspace(low, high, len(heights)), heights, color=colors.DATA)
    for x, target in zip(scene["inputs"], targets):
        square = (flat or scene["labels"]) and target > 0
        face = colors.INK if square else colors.PAPER
        ax.plot(*(x if flat else (*x, target)), "s" if square else "o", color=colors.INK, mfc=face, ms=4, mew=0.8)
    ax.grid(not flat)
    ax.set(title="The answer", xlim=(low, high), ylim=(bottom, top))


def _gradients(ax, scene, now):
    from matplotlib.patches import Rectangle

    y = 0.0
    most = now["most"] or 1
    for k, rows in enumerate(scene["blocks"], 1):
        if len(rows) > len(rows[0]):
            rows = list(zip(*rows))
        if scene["known"]:
            ax.text(-0.6, y + 0.5, f"layer {k}", ha="right", va="center", color=colors.MUTED)
        for j, row in enumerate(rows):
            for i, place in enumerate(row):
                grad = now["grads"][place] or 0
                ax.add_patch(Rectangle((i + 0.05, y + j + 0.05), 0.9, 0.9, facecolor=colors.GRID, alpha=0.5))
                # as in the page, half as wide is 100 times less
                side = 0.9 * max(0.0, 1 + math.log10(abs(grad) / most) / 4) if grad else 0
                look = {"edgecolor": colors.GRADIENT, "facecolor": colors.GRADIENT if grad > 0 else colors.PAPER}
                if side > 0.05:
                    corner = (i + 0.5 - side / 2, y + j + 0.5 - side / 2)
                    ax.add_patch(Rectangle(corner, side, side, linewidth=0.9, **look))
        y += len(rows) + 0.8
    wide = max(max(len(rows), len(rows[0])) for rows in scene["blocks"])
    ax.set(xlim=(-4 if scene["known"] else 0, wide), ylim=(max(y, 4), 0), aspect="equal")
    ax.set_title("Gradients (filled: above 0)")  # ■ is the mark of a label beside it
    ax.axis("off")
