"""Draw functions of two numbers over the plane: how large they are, and where they change their sign."""

from lesson_lib.draw import colors
from lesson_lib.draw.curves import figure, house_style

# places along each axis; between them the colours are interpolated
STEPS = 41


def planes(functions, low, high, *, points=(), xlabel="x1", ylabel="x2", alt=None):
    """Return a Picture (PNG) with one panel for each function, all of them in the same colours.

    `functions` maps a panel's title to a function of two floats that returns one. Both axes go from low to
    high. Blue is above 0, grey below, white about 0, and a line is drawn where the function is 0.
    `points` are triples (x1, x2, target): a black square where the target is above 0, a white circle elsewhere.

    Raises ValueError for no function at all, where low is not below high, and for a height that is not finite.
    """
    import numpy as np
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    if not functions:
        raise ValueError("there is nothing to draw: give at least one title with its function")
    if not low < high:
        raise ValueError(f"low must be below high; here low is {low:g} and high is {high:g}")
    places = np.linspace(low, high, STEPS)
    heights = {
        title: np.array([[float(f(float(x1), float(x2))) for x1 in places] for x2 in places])
        for title, f in functions.items()
    }
    for title, height in heights.items():
        if not np.isfinite(height).all():
            found = height[~np.isfinite(height)][0]
            raise ValueError(f"{title!r} is not a finite number everywhere: {found} cannot be drawn")
    most = max(np.abs(height).max() for height in heights.values()) or 1.0
    shades = LinearSegmentedColormap.from_list("house", [colors.MUTED, colors.PAPER, colors.DATA])
    with house_style():
        fig = Figure(figsize=(max(3.0 * len(heights) + 0.9, 4.4), 3.5), layout="compressed")
        axes = fig.subplots(1, len(heights), squeeze=False, sharey=True)[0]
        for ax, (title, height) in zip(axes, heights.items()):
            look = {"cmap": shades, "vmin": -most, "vmax": most, "interpolation": "bilinear", "origin": "lower"}
            shown = ax.imshow(height, extent=(low, high, low, high), **look)
            if height.min() < 0 < height.max():
                ax.contour(places, places, height, levels=[0], colors=colors.INK, linewidths=1.8)
            for x1, x2, target in points:
                ax.plot(x1, x2, "s" if target > 0 else "o", color=colors.INK, mfc=None if target > 0 else colors.PAPER)
            ax.grid(False)
            ax.set(title=title, xlabel=xlabel)
        axes[0].set_ylabel(ylabel)
        # ticks that do not depend on the bar's length: else new, longer labels come after the layout, and are cut
        fig.colorbar(shown, ax=list(axes), shrink=0.9, ticks=MaxNLocator(7, steps=[1, 2, 5, 10]))
        return figure(fig, alt or _in_words(heights, low, high))


def _in_words(heights, low, high):
    words = [f"Heights over the plane, both axes from {low:g} to {high:g}."]
    for title, height in heights.items():
        above = f"above 0 on {100 * float((height > 0).mean()):.0f} % of the plane"
        words.append(f"{title}: values from {height.min():.3g} to {height.max():.3g}, {above}.")
    return " ".join(words)
