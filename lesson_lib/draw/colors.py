"""The colours of the course, as hex strings: pictures and labs take theirs from here.

Okabe and Ito's palette, which people with colour-blindness can tell apart. A colour never stands
alone: a line style, a marker or a word always says the same.
"""

DATA = "#0072B2"  # blue: numbers going forward, functions, data
GRADIENT = "#D55E00"  # vermillion: slopes, gradients, whatever goes backward
GRADIENT_TEXT = "#af4d00"  # the same, dark enough for small letters
ATTENTION = "#009E73"  # green
HIGHLIGHT = "#F0E442"  # yellow: what is at work now
INK = "#1f2933"
MUTED = "#5f6b7a"
GRID = "#d9dee4"
PAPER = "#ffffff"


def tint(color, share):
    """Return the colour thinned with paper, as three numbers from 0 to 1: a share of 1 leaves it, 0 is paper."""
    return tuple(share * int(color[k : k + 2], 16) / 255 + 1 - share for k in (1, 3, 5))
