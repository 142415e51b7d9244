"""What there is to see in the training lab: as numbers for the page, in words, and as a still picture."""

import math
import textwrap
import unicodedata

from lesson_lib import draw
from lesson_lib.draw import colors
from lesson_lib.labs.curves import kept, short
from lesson_lib.labs.signs import drawable, mark

LOOKS = 100  # evaluations in the picture, at most
SCHEDULE = 120  # points of the learning rate's curve
WORSE = 0.05  # a validation loss that is so much above the best has risen

# -- numbers for the page ---------------------------------------------------------------------------------


def scene(run):
    """Return what stays while the model learns."""
    steps = run.run.steps
    places = sorted({round(i * (steps - 1) / SCHEDULE) for i in range(SCHEDULE + 1)})
    rates = [short(rate(run, step)) for step in places]
    vocabulary = size(run.tokenizer)
    return {
        "steps": steps,
        "window": run.window,
        "block": run.run.block_size,
        "batch": run.tokens // run.run.block_size,
        "vocabulary": vocabulary,
        "chance": short(math.log(vocabulary)) if vocabulary else None,
        "schedule": [[step, at] for step, at in zip(places, rates)],
        "fastest": round_up(max((at for at in rates if at is not None), default=0.0)),
        "writes": run.can_write,
        "length": run.length,
    }


def size(tokenizer):
    """Return how many tokens there are, or 0 where the tokenizer does not say so, or knows but one."""
    count = len(tokenizer) if hasattr(tokenizer, "__len__") else 0
    return count if count > 1 else 0


def rate(run, step):
    """Return the learning rate of the step that comes after `step` steps."""
    return run.schedule(step) if run.schedule else run.run.rate


def round_up(x):
    """Return the next round number that is not below x, for the upper end of an axis.

    >>> round_up(0.00475), round_up(3e-4), round_up(0)
    (0.005, 0.0003, 1.0)
    """
    if not x > 0:
        return 1.0
    power = 10 ** math.floor(math.log10(x))
    return float(f"{min(m * power for m in (1, 1.5, 2, 3, 4, 5, 6, 8, 10) if m * power >= 0.9999 * x):.3g}")


def state(run, mood):
    """Return what changes while the model learns."""
    losses, looks = run.run.history.losses, run.run.history.evaluations
    best = min(looks, key=lambda look: look[2], default=None)
    places = list(kept(losses))
    if losses and places[-1] != len(losses) - 1:
        places.append(len(losses) - 1)
    every = math.ceil(len(looks) / LOOKS) or 1
    shown = [look for i, look in enumerate(looks) if (len(looks) - 1 - i) % every == 0 or look is best]
    left = run.left() if mood in ("training", "paused") else None
    return {
        "mood": mood,
        "step": run.done,
        "loss": short(losses[-1]) if losses else None,
        # in more digits than the curves have: the page rounds them to 2, and must come to what the sentence says
        "mean": short(run.means[-1], 8) if losses else None,
        "curve": [[i, short(losses[i]), short(run.means[i])] for i in places],
        "looks": [[step, short(training, 8), short(validation, 8)] for step, training, validation in shown],
        "best": [best[0], short(best[2], 8)] if best else None,
        "rate": short(run.run.rate if run.done else rate(run, 0)),
        "speed": round(float(f"{run.speed():.3g}")),
        "left": duration(left) if left is not None else None,
    }


def samples(run):
    """Return what the model has written, the newest first."""
    return [
        # so that the prompt can be seen, its newlines too
        {"step": one.step, "prompt": visible(one.prompt).replace("\n", "⏎\n"), "text": visible(one.text)}
        | {"done": one.done}
        for one in reversed(run.samples)
    ]


def visible(text):
    """Return the text with a sign for what could not be seen, or would turn the line around; a newline stays one.

    >>> visible("a\\tb\\n\\u202e")
    'a⇥b\\n[202E]'
    """

    def sign(character):
        if character in "\n " or unicodedata.category(character)[0] not in "CZ":
            return character
        shown, meaning = mark(character)
        return f"[{shown}]" if meaning.startswith("an invisible") else shown

    return "".join(map(sign, text))


def duration(seconds):
    """Return a time as one says it.

    >>> duration(0.4), duration(14.2), duration(200), duration(4000), duration(200_000)
    ('1 s', '15 s', '3 min 20 s', '1 h 6 min', '2 d 7 h')
    """
    seconds = max(1, math.ceil(seconds))
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 600:
        return f"{seconds // 60} min {seconds % 60} s"
    if seconds < 3600:
        return f"{seconds // 60} min"
    if seconds < 86_400:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds // 86_400} d {seconds % 86_400 // 3600} h"


# -- words ------------------------------------------------------------------------------------------------


def words(run, mood):
    """Return how the run stands, in a few sentences."""
    done, steps, vocabulary = run.done, run.run.steps, size(run.tokenizer)
    said = [_mood(run, mood, done, steps)]
    if done:
        mean, window = run.means[-1], min(run.window, done)
        last = "The loss of the first step" if done == 1 else f"The mean loss of the last {window} steps"
        said.append(f"{last} is {mean:.2f}{_against(mean, vocabulary) if vocabulary else ''}.")
        if done > run.window and mean > 1.05 * run.means[0]:
            said.append("That is more than at the beginning: the learning rate is too high.")
    elif vocabulary:
        guess = _guess(vocabulary)
        said.append(f"Who guesses, and holds all {vocabulary} tokens for equally probable, has a loss of {guess}.")
    said += _validation(run)
    if run.samples:
        said.append(f"The newest sample was written {after(run.samples[-1].step)}.")
    elif not run.can_write:
        said.append("This model has no generate(idx, n), so it writes no samples.")
    left = run.left() if mood == "training" else None
    if left is not None:
        said.append(f"There is about {duration(left)} to go.")
    return " ".join(part for part in said if part)


def after(step):
    return f"after step {step:,}" if step else "before the first step"


def _mood(run, mood, done, steps):
    count = f"{done:,} of {steps:,} steps"
    if mood == "ready":
        blocks = f"{run.tokens // run.run.block_size} blocks of {run.run.block_size} tokens"
        return f"Nothing is learned yet: {steps:,} steps lie ahead, each on {blocks}."
    return {
        "training": f"The model is learning: {count} are done.",
        "working": f"At work, after {count}.",
        "paused": f"Paused after {count}; it can go on from there.",
        "stopped": f"Stopped after {count}, with both losses measured; it can be resumed all the same, or reset.",
        "done": f"All {steps:,} steps are done.",
        "broken": f"It broke off after {count}.",
    }[mood]


def _guess(vocabulary):
    return f"ln\u00a0{vocabulary} = {math.log(vocabulary):.2f}"


def _against(mean, vocabulary):
    guess = math.log(vocabulary)
    if mean > 1.05 * guess:
        return f", worse than guessing ({_guess(vocabulary)})"
    if mean > 0.97 * guess:
        return f", about that of guessing ({_guess(vocabulary)})"
    return f", {guess - mean:.2f} below guessing ({_guess(vocabulary)})"


def _validation(run):
    looks = run.run.history.evaluations
    if not looks:
        return []
    step, _, loss = looks[-1]
    best_step, _, best = min(looks, key=lambda look: look[2])
    said = f"On the validation text it was {loss:.2f} {after(step)}"
    if best_step == step:
        return [said + (", the best so far." if len(looks) > 1 else ".")]
    said += f"; the best was {best:.2f} {after(best_step)}."
    before = next(training for at, training, _ in looks if at == best_step)
    if loss > best + WORSE and looks[-1][1] < before:
        said += " It rises while the training loss falls: the model begins to learn its text by heart."
    return [said]


# -- the still picture --------------------------------------------------------------------------------------


def picture(scene, now, written, log_scale, alt):
    """Return a `draw.Picture` of what the page draws from the same scene, now and samples."""
    from matplotlib.figure import Figure

    with draw.house_style():
        fig = Figure(figsize=(9.6, 4.4))
        axes = fig.subplot_mosaic([["loss", "text"], ["rate", "text"]], width_ratios=(1.5, 1), height_ratios=(3.2, 1))
        _losses(axes["loss"], scene, now, log_scale)
        _rate(axes["rate"], scene, now)
        _text(axes["text"], scene, written)
        return draw.figure(fig, alt)


def _losses(ax, scene, now, log_scale):
    nan = [[place, *(math.nan if x is None else x for x in pair)] for place, *pair in now["curve"]]
    if nan:
        step, loss, mean = zip(*nan)
        ax.plot(step, loss, color=colors.DATA, alpha=0.35, linewidth=0.9, label="each step")
        ax.plot(step, mean, color=colors.DATA, label=f"mean of {scene['window']} steps")
    if now["looks"]:
        step, _, loss = zip(*now["looks"])
        loss = [math.nan if x is None else x for x in loss]
        ax.plot(step, loss, "o", color=colors.INK, mfc=colors.PAPER, ms=5, clip_on=False, label="validation")
    if scene["chance"]:
        guess = f"guessing: ln {scene['vocabulary']} = {scene['chance']:.2f}"
        ax.axhline(scene["chance"], color=colors.INK, linestyle="--", linewidth=1, label=guess)
    ax.set_title(f"Loss, {now['step']:,} of {scene['steps']:,} steps done", fontsize=11)
    ax.set_xlim(0, scene["steps"])
    if log_scale:
        from matplotlib.ticker import FixedLocator, FormatStrFormatter, NullLocator

        ax.set_yscale("log")
        ax.yaxis.set_major_locator(FixedLocator([0.1, 0.2, 0.5, 1, 1.5, 2, 3, 4, 6, 10, 20, 50, 100]))
        ax.yaxis.set_major_formatter(FormatStrFormatter("%g"))
        ax.yaxis.set_minor_locator(NullLocator())
    ax.tick_params(labelsize=9.5)
    low, high = limits(scene, now)
    ax.set_ylim(low, high)
    if ax.get_legend_handles_labels()[0]:
        # below the line of guessing
        place = ax.transAxes.inverted().transform(ax.transData.transform((0, scene["chance"] or high)))[1]
        ax.legend(loc="upper right", bbox_to_anchor=(1.0, place - 0.01), fontsize=8.5)


def limits(scene, now):
    """Return the lowest and the highest loss of the picture."""
    known = [loss for _, *pair in now["curve"] for loss in pair if loss is not None]
    known += [loss for _, _, loss in now["looks"] if loss is not None]
    first = scene["chance"] or max(known[:1], default=5.0)
    lowest = min(known, default=first)
    low = math.floor(2 * min(lowest, first / 3)) / 2 if lowest > 0.5 else math.floor(10 * lowest) / 10
    # one leap to a million must not press all the others flat
    return max(low, 0.01), 1.12 * max(min(max(known, default=first), 3 * first), first)


def _rate(ax, scene, now):
    ax.plot(*zip(*scene["schedule"]), ":", color=colors.DATA)
    done = [pair for pair in scene["schedule"] if pair[0] < now["step"]]
    if done:
        ax.plot(*zip(*done, [now["step"] - 1, now["rate"]]), color=colors.DATA)
        ax.plot(now["step"] - 1, now["rate"], "o", color=colors.DATA, ms=5, clip_on=False)
    top = scene["fastest"]
    ax.set(xlim=(0, scene["steps"]), ylim=(0, 1.15 * top))
    ax.set_title("Learning rate", fontsize=11)
    ax.set_xlabel("step", fontsize=10)
    ax.set_yticks([0, top], ["0", f"{top:g}"])
    ax.tick_params(labelsize=9.5)


def _text(ax, scene, written):
    ax.axis("off")
    if not scene["writes"]:
        title, text = "No sample", "The model has no generate(idx, n)."
    elif not written:
        title, text = "No sample yet", ""
    else:
        title, text = f"Written {after(written[0]['step'])}", written[0]["prompt"] + written[0]["text"]
    lines = [
        piece or " " for line in text.strip("\n").split("\n")
        for piece in (textwrap.wrap(line, 40, drop_whitespace=False) or [""])
    ][:17]  # fmt: skip
    shown = "\n".join("".join(drawable(sign, "DejaVu Sans Mono") for sign in line) for line in lines)
    ax.set_title(title, fontsize=11)
    style = {"family": "DejaVu Sans Mono", "fontsize": 9, "linespacing": 1.35, "va": "top", "parse_math": False}
    ax.text(0, 0.98, shown, transform=ax.transAxes, **style)
