"""One sign that can be seen for each character, for labs that show a text character by character."""

import unicodedata

NAMED = {"\n": ("⏎", "newline"), " ": ("␣", "space"), "\t": ("⇥", "tab")}
INVISIBLE = "an invisible character, by its code point"


def mark(character):
    """Return what to show for one character, and what that means, or "" where it is the character itself.

    >>> mark("\\n"), mark("é"), mark("\\u200d")
    (('⏎', 'newline'), ('é', ''), ('200D', 'an invisible character, by its code point'))
    """
    if character in NAMED:
        return NAMED[character]
    kind, name = unicodedata.category(character), unicodedata.name(character, "")
    if kind[0] in "CZ" or "VARIATION SELECTOR" in name or name.endswith(("FILLER", "JOINER", "BLANK")):
        return f"{ord(character):04X}", INVISIBLE
    return (f"◌{character}", "a sign that joins the character before it") if kind[0] == "M" else (character, "")


def drawable(text, font="DejaVu Sans"):
    """Return the text, or □ where the font of the still pictures lacks a letter of it."""
    from matplotlib.font_manager import findfont, get_font

    known = get_font(findfont(font))
    return text if all(known.get_char_index(ord(character)) for character in text) else "□"
