"""The batch lab: what it says and draws against slices of the text itself, in Python and in the page."""

import json
import re
import sys
import unicodedata
import warnings

import pytest
from traitlets import TraitError

from lesson_lib.labs.batches import HELD, MOST_BATCH, MOST_BLOCK, batches
from lesson_lib.labs.signs import drawable, mark
from tests.lab_page import LabPage, overlap, shows

TEXT = "First Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n"
# Chinese, an emoji of three code points, a combining mark, right to left, a tag, a tab, a formula, a lone surrogate
ODD = "床前明月光\n👩\u200d🚀 e\u0301 שלום <script>alert(1)</script>\t$x^2$ \xad\ud800 <b>&amp; "


# -- marks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("character", "shown"),
    [("a", "a"), ("\n", "⏎"), (" ", "␣"), ("\t", "⇥"), ("\r", "000D"), ("\xa0", "00A0"), ("\u200d", "200D"), ("<", "<"),
     ("\u0301", "◌\u0301"), ("\ufe0f", "FE0F"), ("\u3164", "3164"), ("床", "床"), ("👩", "👩"), ("ש", "ש"), ("$", "$"),
     ("\ud800", "D800"), ("\U000e0041", "E0041"), ("\u034f", "034F"), ("\u2800", "2800")],
)  # fmt: skip
def test_a_character_has_a_mark(character, shown):
    assert mark(character)[0] == shown
    # who sees a mark in place of the character is told what it means
    assert bool(mark(character)[1]) == (shown != character)


def test_every_character_there_is_has_a_mark_that_can_be_seen():
    seen = 0
    for character in map(chr, range(sys.maxunicode + 1)):
        shown = mark(character)[0]
        seen += 1
        if unicodedata.category(shown[0])[0] in "MCZ" or (len(shown) > 2 and shown != f"{ord(character):04X}"):
            pytest.fail(f"U+{ord(character):04X} is shown as {shown!r}")
    assert seen == 0x110000


# -- the lab in Python ------------------------------------------------------------------------------

SENTENCE = re.compile(
    r"Row b = (\d+), position t = (\d+): given “\u2068(.*)\u2069”, the next is “\u2068(.*)\u2069”\. "
    r"In ids: given (\[.*\]), the next is (\d+)\. The (\d+) characters of this window hold one example for each "
    r"position, (\d+) in all; a batch of (\d+) rows? holds (\d+) · (\d+) = (\d+)\."
)


def shown(text):
    """Return the text in marks; TEXT's own need no more than two."""
    return text.replace("\n", "⏎").replace(" ", "␣")


def encode(text, whole):
    vocabulary = sorted(set(whole))
    return [vocabulary.index(character) for character in text]


def assert_true(sentence, lab, text):
    """The sentence is about slices of the text."""
    b, t, context, target, ids, number, *counts = SENTENCE.fullmatch(sentence).groups()
    b, t = int(b), int(t)
    block, batch = lab.block_size, lab.batch_size
    start = min(lab.starts[b], len(text) - block - 1)
    assert (b, t) == (min(lab.row, batch - 1), min(lab.t, block - 1))
    x, y = text[start : start + block], text[start + 1 : start + block + 1]
    assert (context, target) == (shown(x[: t + 1]), shown(y[t]))
    assert (json.loads(ids), int(number)) == (encode(x[: t + 1], text), encode(y[t], text)[0])
    assert [int(count) for count in counts] == [block + 1, block, batch, batch, block, batch * block]


STATES = [
    {},
    {"t": 0},
    {"starts": [30] * MOST_BATCH},
    {"t": 7, "row": 3},
    {"block_size": 1, "batch_size": 1},
    {"block_size": MOST_BLOCK, "batch_size": MOST_BATCH, "t": MOST_BLOCK - 1, "row": MOST_BATCH - 1},
    {"starts": [len(TEXT)] * MOST_BATCH, "block_size": 3},
    {"row": 7, "t": 15, "block_size": 5, "batch_size": 2},
]


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_sentence_is_true(state):
    lab = batches(TEXT)
    for name, value in state.items():
        setattr(lab, name, value)
    assert_true(lab.sentence, lab, TEXT)


def test_the_first_picture_is_the_beginning_of_the_text():
    lab = batches(TEXT)
    assert "given “\u2068Fir\u2069”, the next is “\u2068s\u2069”" in lab.sentence
    assert lab.starts[0] == 0 and len(set(lab.starts)) > 4


def test_a_smaller_block_and_back_leaves_the_windows_where_they_were():
    lab = batches(TEXT, block_size=8)
    lab.starts = [len(TEXT) - 9] * MOST_BATCH
    lab.block_size = 16
    assert lab._now()[2] == [len(TEXT) - 17] * 4
    lab.block_size = 8
    assert lab._now()[2] == [len(TEXT) - 9] * 4


def test_a_text_that_is_too_short_is_refused_with_what_it_needs():
    with pytest.raises(ValueError, match=r"a text of 5 characters is too short .* at least block_size \+ 1 = 9"):
        batches("hello")
    with pytest.raises(ValueError, match="a text of 0 characters .* = 2"):
        batches("", block_size=1)
    with pytest.raises(ValueError, match="a text of 1 character is"):
        batches("a", block_size=1)
    lab = batches("hello you", batch_size=MOST_BATCH)
    assert set(lab.starts) == {0} and "[2], the next is 1" not in lab.sentence
    with pytest.raises(ValueError, match="= 10"):
        lab.block_size = 9
    assert lab.block_size == 8


def test_bad_arguments_raise_in_the_cell():
    for bad in (b"bytes are no text", ["a"] * 20, 7):
        with pytest.raises(TypeError, match="text must be a string, and this is a (bytes|list|int)"):
            batches(bad)
    for bad in ({"block_size": 2.5}, {"batch_size": "4"}):
        with pytest.raises(TypeError, match="_size must be a whole number, and not (2.5|'4')"):
            batches(TEXT, **bad)
    with pytest.raises(TraitError, match="block_size must be from 1 to 16, and not 25000"):
        batches("ab" * 20_000, block_size=25_000)
    for bad in ({"block_size": 0}, {"block_size": MOST_BLOCK + 1}, {"batch_size": 0}, {"batch_size": MOST_BATCH + 1}):
        with pytest.raises(TraitError):
            batches(TEXT, **bad)


def test_of_a_long_text_only_the_beginning_goes_to_the_page():
    long = "The quick brown fox. " * 50_000 + "\x01ÿ"
    lab = batches(long)
    assert (len(lab.ids), lab.total) == (HELD, len(long))
    # the ids are those of the whole text's vocabulary, in which \x01 is the first character
    assert lab.ids == encode(long[:HELD], long) and min(lab.ids) == 1
    assert len(json.dumps(lab.get_state())) < 300_000
    assert max(batches(long, seed=seed).starts[1] for seed in range(40)) < HELD - 8


# -- the still picture ------------------------------------------------------------------------------


def test_the_bundle_has_the_widget_and_a_still_picture_with_words():
    lab = batches(TEXT)
    data, _ = lab._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == lab.model_id
    assert data["text/html"].startswith('<img src="data:image/png') and "given “" in data["text/html"]
    assert data["text/plain"] == "Windows on a text, and a batch of them (lab)…"
    assert len(data["text/html"]) < 80_000


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_still_picture_follows_the_state(state):
    lab = batches(TEXT)
    before = lab.still()
    for name, value in state.items():
        setattr(lab, name, value)
    after = lab.still()
    assert (after.data != before.data) == bool(state)
    assert lab.sentence in after.alt
    lab.show_ids = True
    assert lab.still().data != after.data


def test_a_still_picture_needs_no_letter_that_the_font_lacks():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a glyph that is missing
        lab = batches(ODD, block_size=MOST_BLOCK, batch_size=MOST_BATCH)
        for start in 0, 20, len(ODD) - MOST_BLOCK - 1:
            lab.starts = [start] * MOST_BATCH
            assert lab.still().mime == "image/png"
    assert drawable("床") == "□" and drawable("◌\u0301") == "◌\u0301"
    html = lab._repr_mimebundle_()[0]["text/html"]
    assert "<script" not in html and "<b>" not in html


# -- the page: the lab's own JavaScript in a browser, with a stand-in for the widget's model ------------

MOVED = ("block_size", "batch_size", "starts", "row", "t", "show_ids", "draws")


class BatchesPage(LabPage):
    traits = ("title", "problem", "ids", "total", "marks", "legend", "most_block", "seed", *MOVED)
    height = 1300

    def press(self, role, name, key, times=1):
        super().press(name, times, key, role)
        # Python hears of it
        sent = self.page.evaluate("() => sent.at(-1)")
        self.lab.set_state({name: sent[name] for name in MOVED})

    def slider(self, name):
        return self.page.get_by_role("slider", name=name, exact=True)

    def cells(self):
        """Return the cells as the learner sees them: rows from the top, each from the left, as (text, kind)."""
        found = self.page.evaluate("""() => [...document.querySelectorAll('.bt-cell')].map(cell => {
            const box = cell.querySelector('rect').getBoundingClientRect();
            return [Math.round(box.top + box.height / 2), box.left, cell.textContent, cell.classList[1].slice(3)];
        })""")
        rows = {}
        for top, left, text, kind in found:
            rows.setdefault(top, []).append((left, text, kind))
        return [[(text, kind) for _, text, kind in sorted(rows[top])] for top in sorted(rows)]


show = shows(BatchesPage)


@pytest.mark.parametrize("state", STATES, ids=str)
def test_the_page_says_what_python_says(show, state):
    lab = batches(TEXT)
    page = show(lab)
    for name, value in state.items():
        setattr(lab, name, value)
    page.set(**state)
    assert page.say() == lab.sentence


# where the batch stands below the window, one row of cells is one row of the picture
NARROW = 500


def test_the_page_shows_the_slices_of_the_text(show):
    start, block, t = 20, 5, 2
    lab = batches(TEXT, block_size=block, batch_size=2)
    lab.starts, lab.row, lab.t = [40, start, *lab.starts[2:]], 1, t
    strip, x, y, *rest = show(lab, width=NARROW).cells()
    window = shown(TEXT[start : start + block + 1])
    inside = [cell for cell in strip if cell[1] != "outside"]
    assert "".join(text for text, _ in inside) == window
    assert "".join(text for text, _ in strip) in shown(TEXT)
    assert "".join(text for text, _ in x) == window[:-1] and "".join(text for text, _ in y) == window[1:]
    assert [kind for _, kind in x] == ["context"] * 3 + ["data"] * 2
    assert [kind for _, kind in y] == ["data"] * 2 + ["target"] + ["data"] * 2
    # the examples: one character more in each row, and the one after it outlined
    for i, row in enumerate(rest[:block]):
        context = "context" if i == t else "data"
        assert row == [(letter, context) for letter in window[: i + 1]] + [(window[i + 1], "target")]
    tensors = rest[block:]
    assert ["".join(text for text, _ in row) for row in tensors] == [
        shown(TEXT[at + shift : at + shift + block]) for shift in (0, 1) for at in (40, start)
    ]
    assert [kind for _, kind in tensors[0] + tensors[2]] == ["data"] * 2 * block
    assert (tensors[1], tensors[3]) == (x, y)


def test_the_page_shows_ids_as_a_tokenizer_gives_them(show):
    lab = batches(TEXT, block_size=8, batch_size=3)
    page = show(lab, width=NARROW)
    page.press("switch", "ids in the batch", "Space")
    assert lab.show_ids
    tensors = [[int(text) for text, _ in row] for row in page.cells()[-6:]]
    assert tensors == [encode(TEXT[s + i : s + i + 8], TEXT) for i in (0, 1) for s in lab.starts[:3]]
    below = page.page.locator(".bt-id").all_text_contents()
    assert sorted(map(int, below)) == sorted(encode(TEXT[:8] + TEXT[1:9], TEXT))


def test_the_keyboard_moves_the_window_and_its_row_of_the_batch(show):
    lab = batches(TEXT)
    page = show(lab, width=NARROW)
    page.press("slider", "window starts at", "ArrowRight", 3)
    assert lab.starts[0] == 3 and "given “\u2068st␣\u2069”" in page.say()
    page.press("slider", "position t", "ArrowLeft", 2)
    page.press("slider", "row b", "ArrowRight", 2)
    assert (lab.t, lab.row) == (0, 2)
    before = list(lab.starts)
    page.press("slider", "window starts at", "End")
    assert lab.starts == before[:2] + [len(TEXT) - 9] + before[3:]
    assert_true(page.say(), lab, TEXT)


def test_the_sliders_end_where_the_text_and_the_sizes_end(show):
    lab = batches("hello you", block_size=4)
    page = show(lab)

    def ends():
        return [page.slider(name).get_attribute("max") for name in ("window starts at", "position t", "row b")]

    assert page.slider("block size T").get_attribute("max") == "8"
    assert ends() == ["4", "3", "3"]
    page.press("slider", "block size T", "End")
    page.press("slider", "batch size B", "Home")
    assert (lab.block_size, lab.batch_size) == (8, 1) and ends() == ["0", "7", "0"]
    assert page.slider("window starts at").is_disabled() and page.slider("row b").is_disabled()
    page.press("slider", "block size T", "Home")
    assert ends() == ["7", "0", "0"] and page.slider("position t").is_disabled()
    page.press("slider", "window starts at", "End")
    assert "given “\u2068o\u2069”, the next is “\u2068u\u2069”" in page.say()
    assert show(batches(TEXT)).slider("block size T").get_attribute("max") == "16"


def test_a_new_batch_moves_all_windows(show):
    lab = batches(TEXT)
    page = show(lab, width=NARROW)
    before = page.cells()
    page.press("button", "New batch", "Enter")
    assert lab.draws == 1 and lab.starts != batches(TEXT).starts
    assert page.cells() != before
    assert ["".join(text for text, _ in row) for row in page.cells()[-4:]] == [
        shown(TEXT[s + 1 : s + 9]) for s in lab.starts[:4]
    ]


def test_the_same_seed_and_the_same_number_of_draws_give_the_same_places(show):
    def places(seed, *draws):
        lab = batches(TEXT, seed=seed)
        page, found = show(lab), [lab.starts]
        for draw in draws:
            page.set(draws=draw - 1)
            page.press("button", "New batch", "Enter")
            found.append(lab.starts)
        return found

    first = places(1, 1, 2, 3)
    assert first == places(1, 1, 2, 3)
    # the third batch is the same one, whatever was looked at before
    assert places(1, 3)[-1] == places(1, 2, 1, 3)[-1] == first[-1]
    assert len({tuple(starts) for seed in range(5) for starts in places(seed, 1, 2, 3)}) == 20


def test_a_batch_comes_from_everywhere_in_the_text_and_ends_within_it(show):
    lab = batches("abcdefghijkl", block_size=8)
    page, found = show(lab), set()
    for _ in range(39):
        page.press("button", "New batch", "Enter")
        found |= set(lab.starts)
    assert found == {0, 1, 2, 3}


def test_a_click_on_a_cell_goes_there(show):
    lab = batches(TEXT)
    page = show(lab, width=NARROW)
    page.page.locator("[data-b='3'][data-t='6']").first.click()
    assert page.page.evaluate("() => [sent.at(-1).row, sent.at(-1).t]") == [3, 6]
    page.drawn()
    assert page.say().startswith("Row b = 3, position t = 6")
    page.page.locator(".bt-strong.bt-target").click()
    assert page.page.evaluate("() => [sent.at(-1).row, sent.at(-1).t]") == [3, 6]


def test_any_text_is_split_as_python_does_and_never_run(show):
    lab = batches(ODD, block_size=MOST_BLOCK, batch_size=1)
    page = show(lab, width=NARROW)
    for start in range(0, len(ODD) - MOST_BLOCK, 7):
        page.set(starts=[start] * MOST_BATCH)
        window = [mark(character)[0] for character in ODD[start : start + MOST_BLOCK + 1]]
        assert [text for text, _ in page.cells()[1]] == window[:-1]
        assert [text for text, kind in page.cells()[0] if kind != "outside"] == window
    assert page.page.locator("script, .ll-lab b b, .ll-stage svg b").count() == 0
    legend = page.page.locator(".bt-legend").inner_text()
    for words in ("newline", "space", "tab", "a sign that joins", "by its code point"):
        assert words in legend
    assert "newline" not in show(batches("no line ends here")).page.locator(".bt-legend").inner_text()


def test_the_page_says_that_it_holds_a_part(show):
    page = show(batches("0123456789" * 3000))
    assert "the first 20,000 of the text's 30,000 characters" in page.page.locator(".bt-legend").inner_text()
    page.press("slider", "window starts at", "End")
    assert page.page.get_by_text("…", exact=True).count() == 1
    short = show(batches(TEXT))
    short.press("slider", "window starts at", "End")
    assert "first" not in short.page.locator(".bt-legend").inner_text()
    assert short.page.get_by_text("…", exact=True).count() == 0


BOXES = """() => {
    const svg = document.querySelector('.ll-stage svg').getBoundingClientRect();
    const box = (element) => ({ text: element.textContent, ...element.getBoundingClientRect().toJSON() });
    const texts = [...document.querySelectorAll('.ll-stage svg > g:last-child > text')].map(box);
    const cells = [...document.querySelectorAll('.bt-cell:not(.bt-outside) rect')].map(box);
    const letters = [...document.querySelectorAll('.bt-cell')].map((cell) =>
        [box(cell.querySelector('rect')), box(cell.querySelector('text'))]);
    return {
        cut: [...texts, ...cells].filter((one) =>
            one.left < svg.left - 1 || one.right > svg.right + 1 || one.top < svg.top || one.bottom > svg.bottom),
        wide: letters.filter(([cell, text]) => text.left < cell.left - 1 || text.right > cell.right + 1),
        smallest: Math.min(...[...document.querySelectorAll('.ll-stage text')].map((text) =>
            parseFloat(getComputedStyle(text).fontSize))),
        page: document.documentElement.scrollWidth <= innerWidth,
        texts, cells, height: svg.height,
    };
}"""


# vocabularies whose ids have up to two, three and four digits
@pytest.mark.parametrize("ids", [80, 900, 5000])
@pytest.mark.parametrize("width", [1040, 860, 640])
def test_nothing_is_cut_or_overlaps(show, width, ids):
    text = "".join(map(chr, range(0x4E00, 0x4E00 + ids)))[::-1]
    page = show(batches(text), width=width)
    page.set(starts=[20] * MOST_BATCH)  # the text begins with its largest ids
    heights = set()
    for show_ids in False, True:
        for block, batch in (1, 1), (8, 4), (9, 8), (16, 1), (16, 8):
            page.set(block_size=block, batch_size=batch, t=block - 1, row=batch - 1, show_ids=show_ids)
            seen = page.page.evaluate(BOXES)
            assert seen["cut"] == [] and seen["wide"] == [] and seen["page"]
            assert seen["smallest"] >= 9, "letters too small to read"
            texts = seen["texts"]
            pairs = [(a, b) for i, a in enumerate(texts) for b in texts[:i]]
            assert not [(a["text"], b["text"]) for a, b in pairs if overlap(a, b, lower=0, narrower=0)]
            # only the small ids lie on cells, which are theirs
            labels = [text for text in texts if not text["text"].isdigit()]
            assert not [a["text"] for a in labels for b in seen["cells"] if overlap(a, b, lower=0, narrower=0)]
            heights.add(seen["height"])
    assert len(heights) == 1 if width > 1000 and ids < 1000 else len(heights) <= 2


def test_the_target_is_told_by_more_than_a_colour(show):
    page = show(batches(TEXT))
    look = "([kind]) => getComputedStyle(document.querySelector(`.bt-${kind} rect`)).stroke"
    assert page.page.evaluate(look, ["context"]) == page.page.evaluate(look, ["data"]) == "none"
    assert page.page.evaluate(look, ["target"]) != "none"
