"""The bigram lab: what is counted and learned, and in a browser the table, the walk, and the sentence."""

import math
import re
import subprocess
import sys
import warnings
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traitlets import TraitError

from lesson_lib.labs.bigram import LARGEST, bigram
from tests.lab_page import LabPage, shows

TEXT = "she sells sea shells\nby the sea shore; the shells she sells are sea shells, for sure.\nQuite! a quiz?\n" * 3
SIZE = len(set(TEXT))
LOGITS = np.random.default_rng(7).normal(size=(SIZE, SIZE)) * 2
LOGITS[3, 4] = -math.inf


def place(lab, character):
    return lab.labels.index({"\n": "⏎", " ": "␣"}.get(character, character))


# -- what is counted ---------------------------------------------------------------------------------------


@settings(max_examples=150)
@given(st.text(st.characters(exclude_categories=()), min_size=2, max_size=60))
def test_every_pair_is_counted_whatever_the_characters(text):
    lab, vocabulary = bigram(text), sorted(set(text))
    pairs = Counter(zip(text, text[1:]))
    assert lab.counts == [[pairs[first, second] for second in vocabulary] for first in vocabulary]
    assert len(lab.labels) == len(lab.names) == len(vocabulary)
    assert all(0 < len(label) <= 2 and label.isprintable() for label in lab.labels)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0, 3.0])
def test_the_tables_are_those_of_torch(temperature):
    import torch

    lab = bigram(TEXT, LOGITS)
    lab.temperature = temperature
    learned = torch.softmax(torch.tensor(LOGITS) / temperature, dim=1).numpy()
    assert lab.table("learned") == pytest.approx(learned, abs=1e-12)
    counts = np.array(lab.counts) ** (1 / temperature)
    counted = counts / counts.sum(axis=1, keepdims=True)
    assert lab.table("counted") == pytest.approx(counted, abs=1e-12)
    assert lab.table("difference") == pytest.approx(learned - counted, abs=1e-12)


def test_a_model_is_read_in_any_form_and_its_rows_may_be_shifted():
    import torch

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.token_embedding_table = torch.nn.Embedding.from_pretrained(torch.tensor(LOGITS + 1000))

    expected = bigram(TEXT, LOGITS).table("learned")
    model = Model()
    for same in model, model.token_embedding_table.weight, LOGITS.tolist(), model.float():
        assert bigram(TEXT, same).table("learned") == pytest.approx(expected, abs=1e-3)
    assert bigram(TEXT, model.bfloat16()).table("learned").sum(axis=1) == pytest.approx(1)


def test_torch_is_not_needed():
    code = "import sys; from lesson_lib.labs.bigram import bigram; bigram('hi').still(); print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


def many(size):
    generator = np.random.default_rng(3)
    letters = [chr(0x4E00 + i) for i in range(size)]
    # the later a letter, the rarer
    return "".join(letters) + "".join(letters[i] for i in (size * generator.random(5000) ** 2).astype(int))


def test_up_to_the_largest_table_every_character_has_its_row():
    lab = bigram(many(LARGEST))
    assert len(lab.labels) == LARGEST and "…" not in lab.labels


def test_of_a_larger_vocabulary_the_rarest_share_a_row():
    text, size = many(LARGEST + 40), LARGEST + 40
    logits = np.random.default_rng(4).normal(size=(size, size))
    lab, often, vocabulary = bigram(text, logits), Counter(text), sorted(set(text))
    assert len(lab.labels) == LARGEST and (lab.labels[-1], lab.names[-1]) == ("…", "another character")
    kept = set(lab.labels[:-1])
    assert min(often[c] for c in kept) >= max(often[c] for c in set(text) - kept)

    # the same, said for each pair
    row = {c: lab.labels.index(c) if c in kept else LARGEST - 1 for c in vocabulary}
    pairs = Counter((row[a], row[b]) for a, b in zip(text, text[1:]))
    assert lab.counts == [[pairs[i, j] for j in range(LARGEST)] for i in range(LARGEST)]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    learned, weight = np.zeros((LARGEST, LARGEST)), np.zeros(LARGEST)
    for i, a in enumerate(vocabulary):
        weight[row[a]] += often[a]
        for j, b in enumerate(vocabulary):
            learned[row[a], row[b]] += often[a] * p[i, j]
    assert lab.table("learned") == pytest.approx(learned / weight[:, None], abs=1e-12)


@pytest.mark.parametrize(
    ("character", "label", "name"),
    [
        (" ", "␣", "'␣' (space)"),
        ("\n", "⏎", "'⏎' (newline)"),
        ("\t", "⇥", "'⇥' (tab)"),
        ("e", "e", "'e'"),
        ("'", "'", '"\'"'),
        ("é", "é", "'é'"),
        ("\u0301", "◌\u0301", "'◌\u0301'"),
        ("😀", "😀", "'😀'"),
        ("\u200b", "□", "U+200B"),
        ("\x07", "□", "U+0007"),
        ("\xa0", "□", "U+00A0"),
        ("\ud800", "□", "U+D800"),
        ("ש", "ש", "'\u2068ש\u2069'"),
    ],
)
def test_every_character_has_a_sign_to_see_and_a_name_to_say(character, label, name):
    lab = bigram(character * 2)
    assert (lab.labels, lab.names) == ([label], [name])


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ((b"bytes",), TypeError, "must be a string, and this is of type bytes"),
        (([1, 2, 3],), TypeError, "must be a string, and this is of type list"),
        (("",), ValueError, "no pair"),
        (("a",), ValueError, "no pair"),
        (("abab", object()), TypeError, "token_embedding_table.*of type object"),
        (("abab", "model"), TypeError, "token_embedding_table"),
        (("abab", [[1, 2], [3]]), TypeError, "token_embedding_table"),
        (("abab", np.zeros((3, 3))), ValueError, r"V = 2 .* shape \(2, 2\), and it is of shape \(3, 3\)"),
        (("abab", np.zeros(4)), ValueError, r"shape \(4,\)"),
        (("abab", np.zeros((1, 4))), ValueError, r"shape \(1, 4\)"),
        (("abab", [[0, 0], [0, math.nan]]), ValueError, "row 1 "),
        (("abab", [[math.inf, 0], [0, 0]]), ValueError, "row 0 "),
        (("abab", [[0, 0], [-math.inf, -math.inf]]), ValueError, "row 1 "),
        (("abab", None, -1), TraitError, "seed"),
        (("abab", None, 2**32), TraitError, "seed"),
        (("abab", None, 0.5), TraitError, "seed"),
    ],
)
def test_bad_arguments_raise_in_the_cell(arguments, error, words):
    with pytest.raises(error, match=words), warnings.catch_warnings():
        warnings.simplefilter("error")
        bigram(*arguments)


def test_what_cannot_be_shown_cannot_be_set():
    lab = bigram("abab")
    for name, value in (("view", "learned"), ("view", "other"), ("first", 2), ("second", -1), ("temperature", 0.0)):
        with pytest.raises(TraitError):
            setattr(lab, name, value)
    lab = bigram("abab", np.zeros((2, 2)))
    lab.view, lab.second, lab.temperature = "difference", 1, 3.0
    assert lab.table()[0, 1] == pytest.approx(-0.5)


def test_a_sample_begins_where_a_line_begins():
    assert bigram("the\nsea").walk == [0]
    assert bigram("sea").walk == [2]
    # nothing follows this newline
    assert bigram("sea\n").walk == [3]


# -- the still picture ---------------------------------------------------------------------------------------


def test_the_bundle_has_the_widget_and_a_small_still_picture_with_words():
    lab = bigram(TEXT)
    data, _ = lab._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == lab.model_id
    assert data["text/plain"] == "Which character comes next (lab)…"
    assert data["text/html"].startswith('<img src="data:image/png') and len(lab.still().data) < 80_000
    alt = lab.still().alt
    assert alt.startswith(f"A table of {SIZE} by {SIZE} pairs")
    pairs = Counter(zip(TEXT, TEXT[1:]))
    (first, second), count = pairs.most_common(1)[0]
    places = sum(n for (a, _), n in pairs.items() if a == first)
    assert f"{count} times in {places} places; its counted probability at temperature 1 is {count / places:.3g}" in alt
    assert (lab.first, lab.second) == (place(lab, first), place(lab, second))


@pytest.mark.parametrize("text", [TEXT, "ab", "aa", "你好吗 שלום \u200b\u0301 😀 $a_b$ <b>\x07 \ud800", many(300)])
@pytest.mark.parametrize("view", ["counted", "learned", "difference"])
def test_every_table_has_a_still_picture(text, view):
    size = min(len(set(text)), LARGEST)
    lab = bigram(text, np.zeros((len(set(text)),) * 2))
    lab.view = view
    lab.first = size - 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a sign that the font has not would be one
        still = lab.still()
    assert still.mime == "image/png" and len(still.data) < 80_000
    value = lab.table()[lab.first, lab.second]
    what = "the difference learned minus counted" if view == "difference" else f"its {view} probability"
    assert f"{what} at temperature 1 is {'none' if math.isnan(value) else format(value, '.3g')}." in still.alt


# -- the page's numbers ----------------------------------------------------------------------------------------

NUMBERS = "return { counted, learned, difference, uniform, pick, chance, percent, signed };"


def numbers(script):
    return re.sub(r"export default .*", NUMBERS, script)


CALL = """([script, call, ...rest]) =>
    new Function("page", ..."abcd", `return ${call}`)(new Function(script)(), ...rest)"""


@pytest.fixture(scope="module")
def script():
    return numbers(str(bigram("ab")._esm))


@pytest.fixture(scope="module")
def run(browser, script):
    """Return a function that calls one of the page's functions, of the script as it is or of a broken one."""
    page = browser.new_page()
    yield lambda call, *arguments, script=script: page.evaluate(CALL, [script, call, *arguments])
    page.close()


TABLES = """(([c, l]) => [c, l, l.map((row, i) => page.difference(row, c[i]))])(
    [a.map(row => page.counted(row, c)), b.map(row => page.learned(row, c))])"""


def other_tables(run, script):
    """Return the views and temperatures at which the script's table is not Python's."""
    text, found = TEXT + "#", []  # nothing follows the last character
    lab = bigram(text, np.pad(LOGITS, (0, 1)))
    for lab.temperature in (0.1, 0.5, 1.0, 1.3, 3.0):
        tables = run(TABLES, lab.counts, lab.logits, lab.temperature, script=script)
        for view, table in zip(("counted", "learned", "difference"), tables):
            size = len(lab.labels)
            rows = np.array([[math.nan] * size if row is None else row for row in table], dtype=float)
            if not np.allclose(rows, lab.table(view), rtol=0, atol=1e-12, equal_nan=True):
                found.append((view, lab.temperature))
    return found


def test_the_page_computes_the_tables_that_python_computes(run, script):
    assert other_tables(run, script) == []
    always_one = other_tables(run, script.replace("(logit - top) / temperature", "logit - top"))
    assert always_one == [(view, t) for t in (0.1, 0.5, 1.3, 3.0) for view in ("counted", "learned", "difference")]
    turned = other_tables(run, script.replace("p - countedRow[i]", "countedRow[i] - p"))
    assert {view for view, _ in turned} == {"difference"}
    assert {view for view, _ in other_tables(run, script.replace("logit ?? -Infinity", "logit"))} >= {"learned"}


def mixed(bits):
    """MurmurHash3's last step, on 32 bits."""
    bits ^= bits >> 16
    bits = bits * 0x85EBCA6B % 2**32
    bits ^= bits >> 13
    bits = bits * 0xC2B2AE35 % 2**32
    return bits ^ bits >> 16


def uniform(seed, n):
    return mixed((mixed(seed) + n) % 2**32) / 2**32


def picked(row, u):
    return int((np.cumsum(row) > u).argmax())


def test_the_random_numbers_are_the_same_everywhere_and_even(run):
    for seed in (0, 1, 1337, 2**32 - 1):
        found = run("Array.from({ length: b }, (_, n) => page.uniform(a, n))", seed, 2000)
        assert found == [uniform(seed, n) for n in range(2000)]
        tenths, _ = np.histogram(found, 10, (0, 1))
        assert ((tenths - 200) ** 2 / 200).sum() < 27.9  # chi-squared with 9 degrees of freedom, p = 0.001
        assert abs(np.corrcoef(found[1:], found[:-1])[0, 1]) < 0.08
    assert uniform(1, 0) != uniform(2, 0)


DRAWS = "Array.from({ length: d }, (_, n) => page.pick(page.counted(a, b), page.uniform(c, n)))"


@pytest.mark.parametrize("temperature", [0.5, 1.0, 3.0])
def test_ten_thousand_draws_are_distributed_as_the_row_says(run, script, temperature):
    counts = [0, 60, 0, 25, 10, 0, 4, 1, 0]
    p = np.array(counts) ** (1 / temperature)
    p /= p.sum()

    def off(script):
        drawn = np.bincount(run(DRAWS, counts, temperature, 1, 10_000, script=script), minlength=len(counts))
        assert not drawn[p == 0].any()
        seen = p > 0
        return ((drawn - 10_000 * p)[seen] ** 2 / (10_000 * p[seen])).sum()

    assert off(script) < 18.5  # 4 degrees of freedom, p = 0.001
    assert off(script.replace("(sum += p) > u", "(sum += p) > u * u")) > 100
    most = script.replace("row.findIndex((p) => (sum += p) > u)", "row.indexOf(Math.max(...row))")
    assert off(most) > 100


def test_a_draw_at_the_edges_never_takes_what_has_no_probability(run):
    row = [0, 0.25, 0, 0.75, 0]
    assert [run("page.pick(a, b)", row, u) for u in (0, 0.2499, 0.25, 0.9999)] == [1, 1, 3, 3]
    assert run("page.pick(a, b)", [0, 0.3, 0.6999999999999999, 0], 1 - 1e-17) == 2


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("chance(0)", "0"), ("chance(1)", "1"), ("chance(0.30915)", "0.309"), ("chance(0.00213)", "0.0021"),
        ("chance(0.00012)", "0.00012"), ("chance(0.00002)", "<0.0001"), ("chance(0.9996)", ">0.999"),
        ("percent(609, 609)", "100 %"), ("percent(9999, 10000)", "more than 99.9 %"), ("percent(1, 3)", "33.3 %"),
        ("percent(1, 100000)", "less than 0.01 %"), ("percent(1, 40)", "2.5 %"),
        ("signed(-0.2)", "−0.2"), ("signed(0.0123)", "+0.012"), ("signed(-0.00001)", "0"),
    ],
)  # fmt: skip
def test_no_number_says_never_or_always_of_what_is_not(run, call, words):
    assert run(f"page.{call}") == words


# -- the page ----------------------------------------------------------------------------------------------------

PIXELS = """() => {
    const map = document.querySelector("canvas");
    const copy = Object.assign(document.createElement("canvas"), { width: map.width, height: map.height });
    const context = copy.getContext("2d", { willReadFrequently: true });
    context.drawImage(map, 0, 0);
    return [...context.getImageData(0, 0, map.width, map.height).data];
}"""
CUT = """() => {
    const picture = document.querySelector(".bg-picture svg").getBoundingClientRect();
    const tiles = [...document.querySelectorAll(".bg-tile")].map(tile => tile.getBoundingClientRect());
    const covered = (text, box) => text.classList.contains("bg-label") && tiles.some(tile => box.left < tile.right - 2
        && box.right > tile.left + 2 && box.top < tile.bottom - 2 && box.bottom > tile.top + 2);
    return [...document.querySelectorAll(".bg-picture svg text")].filter(text => {
        const box = text.getBoundingClientRect();
        return box.width && (box.left < picture.left - 1 || box.right > picture.right + 1
            || box.top < picture.top - 1 || box.bottom > picture.bottom + 1 || covered(text, box));
    }).map(text => text.textContent);
}"""


class BigramPage(LabPage):
    traits = "title problem labels names counts logits view temperature first second walk chance seed".split()
    height = 1100

    def __init__(self, browser, text, model=None, seed=1, width=1000):
        super().__init__(browser, bigram(text, model, seed), width)
        self.map = self.page.get_by_role("application")

    def type(self, *keys):
        for key in keys:
            self.map.press(key)
        self.drawn()
        return self.pair()

    def pair(self):
        """Return the pair that is named large, beside the map."""
        return "".join(self.texts(".bg-huge"))

    def cell(self, first, second):
        """Return where a cell's middle is, in pixels of the page."""
        box, size = self.map.bounding_box(), len(self.lab.labels)
        return box["x"] + (second + 0.5) * box["width"] / size, box["y"] + (first + 0.5) * box["height"] / size


show = shows(BigramPage)


@pytest.mark.parametrize("view", ["counted", "learned"])
def test_in_the_page_the_walk_draws_each_character_from_the_row_of_the_one_before(show, view):
    page = show(TEXT, LOGITS, 5)
    page.set(view=view, temperature=0.7)
    page.lab.temperature = 0.7
    table, walk = page.lab.table(view), [0]
    for n in range(1, 62):
        walk.append(picked(table[walk[-1]], uniform(5, n)))
    page.press("Next character")
    assert page.get("walk") == walk[:2]
    page.press("Walk 20", 3)
    assert page.get("walk") == walk
    assert (page.get("first"), page.get("second")) == tuple(walk[-2:])
    assert page.get("chance") == pytest.approx(table[walk[-2], walk[-1]])
    labels, names = page.lab.labels, page.lab.names
    assert "".join(page.texts(".bg-sample span")) == "".join(labels[i] for i in walk)
    assert page.texts(".bg-last") == [labels[walk[-1]]] and page.texts(".bg-drawn") == ["◂ drawn"]
    first, second = names[walk[-2]], names[walk[-1]]
    assert page.say().startswith(f"From the row of {first} the character {second} was drawn; its probability was 0")
    assert page.texts(".bg-walked") == [
        f"The sample so far: 61 characters drawn. The next one comes from the row of {second}."
    ]


def test_in_the_page_start_again_gives_the_same_sample_and_another_seed_another(show):
    text = TEXT.replace("\n", " ")
    page, other = show(text), show(text, None, 2)
    page.press("Walk 20")
    walk = page.get("walk")
    assert walk[0] == place(page.lab, "s"), "no line begins here, so it begins as the text does"
    page.press("Start again")
    assert page.get("walk") == walk[:1] and page.texts(".bg-drawn") == []
    page.press("Next character", 20)
    assert page.get("walk") == walk
    other.press("Walk 20")
    assert other.get("walk") != walk


def test_in_the_page_a_long_sample_shows_its_end(show):
    page = show(TEXT)
    page.press("Walk 20", 16)
    assert len(page.get("walk")) == 321 and page.page.locator(".bg-sample span").count() == 300
    assert "320 characters drawn, the last 300 shown." in page.texts(".bg-walked")[0]
    assert page.texts(".bg-last") == [page.lab.labels[page.get("walk")[-1]]]


def test_in_the_page_the_sample_ends_where_nothing_follows(show):
    page = show("ab", [[0, 0], [0, 0]])
    page.press("Walk 20")
    assert page.get("walk") == [0, 1]
    assert page.say() == (
        "From the row of 'a' the character 'b' was drawn; its probability was 1. "
        "Nothing follows 'b' in the text, so the sample ends here: start again."
    )
    assert page.texts(".bg-walked") == ["The sample so far: 1 character drawn. The row of 'b' is empty."]
    page.press("Next character")
    assert page.get("walk") == [0, 1]
    page.type("PageDown")
    assert page.say() == (
        "Nothing comes after 'b' in this text: it occurs only as the last character. "
        "The sample ends here: start again."
    )
    page.set(temperature=0.1)
    assert "NaN" not in page.page.inner_text(".ll-lab") and "no probability" in page.texts(".bg-picture text")
    page.set(view="difference")
    assert "So there is nothing to compare the learned row with." in page.say()
    assert "NaN" not in page.page.inner_text(".ll-lab")
    # the learned table has a row for every character
    page.press("Walk 20")
    assert len(page.get("walk")) == 22


def test_in_the_page_the_keyboard_chooses_the_pair(show):
    page = show(TEXT)
    labels = page.lab.labels
    assert page.type("q", "u") == "qu" and page.texts(".bg-large") == ["q", "u"]
    assert page.type("ArrowRight") == "q" + labels[place(page.lab, "u") + 1]
    assert page.type("ArrowLeft", "ArrowUp") == labels[place(page.lab, "q") - 1] + "u"
    assert page.type("ArrowDown", "ArrowDown", "ArrowUp") == "qu"
    assert page.type("Home") == "q" + labels[0] and page.type("ArrowLeft") == "q" + labels[0]
    assert page.type("End", "PageDown", "ArrowRight", "ArrowDown") == labels[-1] * 2
    assert page.type("PageUp") == labels[0] + labels[-1]
    assert page.type("Enter", "Space") == "⏎␣"
    assert page.type("Z", "Control+q", "Escape") == "⏎␣"
    assert page.page.evaluate("() => sent.at(-1).second") == place(page.lab, " ")


def test_in_the_page_the_pointer_shows_a_pair_and_a_click_keeps_it(show):
    page = show(TEXT)
    chosen = page.pair()
    s, h, e = (place(page.lab, c) for c in "she")
    page.page.mouse.move(*page.cell(s, h))
    page.drawn()
    assert page.pair() == "sh" and page.say().startswith("After 's' comes 'h' in ")
    page.page.mouse.move(0, 0)
    page.drawn()
    assert page.pair() == chosen
    page.page.mouse.click(*page.cell(h, e))
    page.page.mouse.move(0, 0)
    page.drawn()
    assert page.pair() == "he" and (page.get("first"), page.get("second")) == (h, e)
    # a draw is shown although the pointer rests on another pair
    page.page.mouse.move(*page.cell(s, h))
    page.press("Next character")
    assert page.pair() == "".join(page.lab.labels[i] for i in page.get("walk"))


def test_in_the_page_each_cell_is_as_dark_as_its_number_is_large(show):
    page = show(TEXT, LOGITS)
    for view in ("counted", "learned", "difference"):
        page.set(view=view)
        pixels = np.array(page.page.evaluate(PIXELS)).reshape(SIZE, 3, SIZE, 4)
        table = page.lab.table(view)
        colour, alpha = pixels[..., 2], pixels[..., 3] / 255
        up, down = table > 0, table < 0
        # a full square in blue, or the middle line alone in ink
        assert (alpha[:, 0] == alpha[:, 2]).all() and (alpha[:, 0] == np.where(down, 0, alpha[:, 1])).all()
        dark = alpha[:, 1] > 0.2
        assert (colour[:, 1][up & dark] > 150).all() and (colour[:, 1][down & dark] < 80).all()
        size = np.abs(table)
        if view == "difference":
            expected = np.where(size >= 0.001, 1 + 0.28 * np.log10(np.maximum(size, 1e-9)), 0)
        else:
            expected = np.where(size > 0, np.maximum(0.1, 1 + 0.225 * np.log10(np.maximum(size, 1e-9))), 0)
        assert np.abs(alpha[:, 1] - expected).max() < 0.01


def test_in_the_page_the_bars_are_the_most_probable_and_the_rest_is_summed(show):
    page = show(TEXT, LOGITS)
    e = place(page.lab, "e")
    row = page.lab.table("learned")[e]
    order = np.argsort(-row).tolist()
    listed = [*order[:12], order[14]]  # the chosen one has a bar, however improbable
    page.set(view="learned", first=e, second=order[14])
    assert page.texts(".bg-sign") == [page.lab.labels[i] for i in listed]
    others = 1 - row[listed].sum()
    words = next(text for text in page.texts(".bg-picture text") if "together" in text)
    count, rest = re.fullmatch(r"(\d+) others, together (\S+)", words).groups()
    assert int(count) == SIZE - len(listed) and float(rest) == pytest.approx(others, rel=0.01)
    widths = [float(bar.get_attribute("width")) for bar in page.page.locator("rect.bg-bar").all()][: len(listed)]
    assert widths == pytest.approx([max(1, widths[0] * row[i] / row[order[0]]) for i in listed])
    page.set(view="difference")
    difference = page.lab.table("difference")[e]
    largest = np.argsort(-np.abs(difference), kind="stable")[:12]
    assert page.texts(".bg-sign")[:12] == [page.lab.labels[i] for i in largest]


def test_in_the_page_the_longest_bar_may_belong_to_the_smallest_difference(show):
    counted = dict.fromkeys("cegikmo", 1) | dict.fromkeys("dfhjlnp", 2) | {"b": 30}
    learned = {letter: 3 - n if n < 3 else n for letter, n in counted.items()}
    logits = np.zeros((16, 16))
    logits[0] = [math.log(learned[letter]) if letter in learned else -math.inf for letter in "abcdefghijklmnop"]
    page = show("".join(f"a{letter}" * n for letter, n in counted.items()) + "a", logits)
    page.set(view="difference")  # the chosen pair is the most frequent one, ab
    assert page.texts(".bg-sign")[-1] == "b" and page.texts(".bg-picture text").count("0") == 2
    room = float(page.page.locator(".bg-chosen").get_attribute("width"))
    widths = [float(bar.get_attribute("width")) for bar in page.page.locator("rect.bg-bar, rect.bg-other").all()]
    assert room / 3 < max(widths) < room - 100


def test_in_the_page_there_is_a_choice_of_tables_only_with_a_model(show):
    assert show("abab").page.get_by_role("combobox").count() == 0
    page = show("abab", np.zeros((2, 2)))
    assert page.page.get_by_role("combobox").locator("option:not([hidden])").all_inner_texts() == [
        "counted", "learned", "difference"
    ]  # fmt: skip


Q = "qu" * 3 + "qa" + "u" * 4 + "q" + "uz"


@pytest.mark.parametrize(
    ("pair", "state", "words"),
    [
        ("qu", {}, "After 'q' comes 'u' in 80 % of its 5 places."),
        ("qz", {}, "After 'q' never comes 'z' in its 5 places."),
        ("au", {}, "After 'a' comes 'u' in its only place."),
        ("az", {}, "After 'a' never comes 'z' in its only place."),
        ("za", {}, "Nothing comes after 'z' in this text: it occurs only as the last character."),
        ("qu", {"temperature": 0.5}, "After 'q' comes 'u' in 80 % of its 5 places. Its probability at temperature 0.5 "
         "is 0.941. Temperature 0.5 favours what is probable. The most probable one, 'u', has 0.941 now; at "
         "temperature 1 it has 0.8."),
        ("qa", {"temperature": 0.1}, "After 'q' comes 'a' in 20 % of its 5 places. Its probability at temperature 0.1 "
         "is <0.0001. At temperature 0.1 nearly always the most probable character is drawn. The most probable one, "
         "'u', has >0.999 now; at temperature 1 it has 0.8."),
        ("qu", {"temperature": 0.4}, "After 'q' comes 'u' in 80 % of its 5 places. Its probability at temperature 0.4 "
         "is 0.97. At temperature 0.4 nearly always the most probable character is drawn. The most probable one, 'u', "
         "has 0.97 now; at temperature 1 it has 0.8."),
        ("au", {"temperature": 0.1}, "After 'a' comes 'u' in its only place. Its probability at temperature 0.1 is 1. "
         "Temperature 0.1 changes nothing in this row."),
        ("qz", {"temperature": 3}, "After 'q' never comes 'z' in its 5 places. Its probability at temperature 3 is 0. "
         "Temperature 3 flattens the row a lot. The most probable one, 'u', has 0.614 now; at temperature 1 it has "
         "0.8. What was never seen stays at 0 at any temperature."),
        ("qu", {"view": "learned"}, "The learned table gives 'u' after 'q' the probability 0.25. After 'q' comes 'u' "
         "in 80 % of its 5 places."),
        ("qu", {"view": "difference"}, "For 'u' after 'q' the learned table has 0.25, the counted one 0.8: learned is "
         "smaller by 0.55."),
        ("qz", {"view": "difference", "temperature": 2}, "For 'z' after 'q' the learned table has 0.25 at temperature "
         "2, the counted one 0: learned is larger by 0.25. Temperature 2 changes nothing in this row."),
    ],
)  # fmt: skip
def test_the_sentence_says_what_there_is(show, pair, state, words):
    page = show(Q, np.zeros((4, 4)))
    page.set(first=place(page.lab, pair[0]), second=place(page.lab, pair[1]), **state)
    assert page.say() == words


def test_in_the_page_a_draw_keeps_the_probability_that_it_had(show):
    page = show(Q)
    page.press("Next character")
    before = page.say()
    page.set(temperature=2)
    assert page.say().startswith(before) and len(page.say()) > len(before)


@pytest.mark.parametrize("width", [1280, 800, 620, 400])
def test_in_the_page_no_text_is_cut_or_covered(show, width):
    tables = [(TEXT, LOGITS), (many(LARGEST), np.zeros((LARGEST, LARGEST))), ("ab", np.zeros((2, 2)))]
    for text, logits in tables:
        page = show(text, logits, width=width)
        last = len(page.lab.labels) - 1
        for view in ("counted", "learned", "difference"):
            for first, second in ((0, 0), (last, last), (0, last)):
                page.set(view=view, first=first, second=second, temperature=0.3)
                assert page.page.evaluate(CUT) == [], (len(page.lab.labels), view, first, second)


def test_in_the_page_text_stays_text(show):
    page = show("<img src=x onerror=alert(1)> & \u200b\u202e שלום 😀")
    page.press("Walk 20", 3)
    assert page.page.locator(".ll-lab img").count() == 0
    assert "<" in page.texts(".bg-label") and "😀" in page.texts(".bg-label")


def test_the_learner_s_own_style_does_not_get_into_the_still_picture():
    import matplotlib.style

    plain = bigram(TEXT).still().data
    with matplotlib.style.context("dark_background"):
        assert bigram(TEXT).still().data == plain


@pytest.mark.parametrize("invisible", ["\u200b", "\u3164", "\u2800", "\ufe0f", "\x00"])
def test_a_character_that_cannot_be_seen_has_a_box_and_its_code_point(invisible):
    lab = bigram(f"a{invisible}a")
    i = sorted({"a", invisible}).index(invisible)
    assert lab.labels[i] == "□" and lab.names[i] == f"U+{ord(invisible):04X}"
