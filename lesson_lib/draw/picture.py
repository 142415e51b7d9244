"""A still picture that a notebook shows by itself, with words for those who cannot see it."""

import base64
import html
from pathlib import Path

from lesson_lib.draw import colors


class Picture:
    """A picture with its alternative text. As the last expression of a cell it shows itself.

    `data` is the file's content in bytes, `mime` is "image/svg+xml" or "image/png", `alt` says in
    words what there is to see. `width` is how wide to show it, in CSS pixels (None: as wide as the
    file says). It shrinks to fit the page, but never below `min_width`, where its text would get
    too small to read: then the page scrolls.

    >>> Picture(b"<svg/>", "image/svg+xml", "An empty picture.")
    Picture: An empty picture.
    """

    def __init__(self, data, mime, alt, *, width=None, min_width=0):
        if not alt or not alt.strip():
            raise ValueError("a picture needs alt text: a sentence that says what there is to see")
        self.data = data
        self.mime = mime
        self.alt = alt
        self.width = width
        self.min_width = min_width

    def __repr__(self):
        return f"Picture: {self.alt}"

    def html(self):
        """Return the picture as an HTML element that needs no other file."""
        # an inline <svg> or image/svg+xml is not shown in a notebook that has not been trusted; an <img> is
        src = f"data:{self.mime};base64,{base64.b64encode(self.data).decode()}"
        width = f' width="{round(self.width)}"' if self.width else ""
        least = f"min-width:{round(self.min_width)}px;" if self.min_width else ""
        image = (
            f'<img src="{src}" alt="{html.escape(self.alt)}"{width} '
            f'style="max-width:100%;height:auto;{least}background:{colors.PAPER}">'
        )
        return f'<div style="overflow-x:auto">{image}</div>' if self.min_width else image

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"text/html": self.html(), "text/plain": repr(self)}

    def save(self, path):
        """Write the picture to a file, and return its path."""
        path = Path(path)
        path.write_bytes(self.data)
        return path


class TextPicture(Picture):
    """What stands in for a picture where nothing can draw it: the same content as lines of text."""

    def __init__(self, text, alt):
        super().__init__(text.encode(), "text/plain", alt)

    def __repr__(self):
        return self.data.decode()

    def html(self):
        return f"<pre>{html.escape(repr(self))}</pre>"
