"""The query–key lab: its numbers against torch, in Python and in the page, and all that can be moved."""

import math
import re
import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traitlets import TraitError

from lesson_lib import attention, labs
from lesson_lib.labs.query_key import GROUP, MOST, PAIRS, SIZES, query_key
from lesson_lib.labs.tokens import short
from lesson_lib.softmax import causal_mask
from tests.lab_page import LabPage, overlap, shows

# the lesson's: tokens (T, C), and the matrices that make queries, keys and values of them
X = torch.tensor([[4.0, 0], [2, 6], [0, 3], [6, 7]], dtype=torch.double)
QUERY = torch.tensor([[-0.5, 0.25], [0.5, 0]], dtype=torch.double)
KEY = torch.tensor([[-0.5, 0], [-0.5, 0.5]], dtype=torch.double)
VALUE = torch.tensor([[0.5, -1], [0, 1]], dtype=torch.double)
# markup, right to left, an emoji of three code points, a space, a combining mark, wide letters
ODD = ["<b>", "שלום", "👩\u200d🚀", " ", "e\u0301", "床前明月"]
LONG = ["letters", "WWWWW", "hello", "iiiii", "of", "letters"]


def truth(lab):
    """Return weights and outputs as the lessons' own code and torch make them, from the lab's traits."""
    q, k, v = (torch.tensor(vectors, dtype=torch.double) for vectors in (lab.query, lab.key, lab.value))
    T = len(lab.labels)
    if not lab.divide:
        q = q * math.sqrt(2)  # what the division takes away again
    weights = attention.attention_weights(q, k, causal_mask(T) if lab.mask else None)
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=lab.mask)
    return weights.numpy(), out.numpy()


def change(lab, **state):
    for name, value in state.items():
        setattr(lab, name, value)
    return lab


half = st.integers(-11, 11).map(lambda n: n / 2)
arrows = st.tuples(half, half).map(list)


def of_size(T):
    table = st.lists(arrows, min_size=T, max_size=T)
    return st.fixed_dictionaries(
        {
            "query": table, "key": table, "value": table, "mask": st.booleans(), "divide": st.booleans(),
            "row": st.integers(0, T - 1), "column": st.integers(0, T - 1),
        }
    )  # fmt: skip


states = st.integers(2, MOST).flatmap(of_size)


def opened(state):
    vectors = {name: state[name] for name in ("query", "key", "value")}
    rest = {name: value for name, value in state.items() if name not in vectors}
    return change(query_key("abcdef"[: len(state["key"])], **vectors), **rest)


# -- the numbers in Python --------------------------------------------------------------------------------


def test_it_begins_with_the_numbers_of_the_lesson():
    lab = query_key()
    assert lab.query == (X @ QUERY).tolist() == [[-2, 1], [2, 0.5], [1.5, 0], [0.5, 1.5]]
    assert lab.key == (X @ KEY).tolist() == [[-2, 0], [-4, 3], [-1.5, 1.5], [-6.5, 3.5]]
    assert lab.value == (X @ VALUE).tolist() == [[2, -4], [1, 4], [0, 3], [3, 1]]
    now = lab.attention()
    assert now["scores"].tolist()[0] == [4, 11, 4.5, 16.5] and now["scores"].tolist()[3] == [-1, 2.5, 1.5, 2]
    head = attention.Head(2, 2).double()
    for linear, matrix in ((head.query, QUERY), (head.key, KEY), (head.value, VALUE)):
        linear.weight.data = matrix.T
    assert now["out"] == pytest.approx(head(X[None])[0].detach().numpy())
    assert now["weights"][2] == pytest.approx([0.35, 0.04, 0.60, 0], abs=0.005)
    assert (lab.row, lab.column, lab.mask, lab.divide, lab.head_size) == (3, 0, True, True, 16)


@settings(max_examples=100)
@given(states)
def test_weights_and_outputs_are_torchs(state):
    lab = opened(state)
    weights, out = truth(lab)
    now = lab.attention()
    assert now["weights"] == pytest.approx(weights, abs=1e-12) and now["out"] == pytest.approx(out, abs=1e-12)
    fed = np.array(lab.query) @ np.array(lab.key).T / (math.sqrt(2) if lab.divide else 1)
    later = np.triu(np.ones_like(fed), 1).astype(bool) & lab.mask
    assert (now["fed"][later] == -math.inf).all() and now["fed"][~later] == pytest.approx(fed[~later])


def test_a_token_has_the_same_vectors_wherever_it_stands():
    dear, read = query_key(), labs.query_key("read")
    for name in ("query", "key", "value"):
        assert sorted(getattr(dear, name)) == sorted(getattr(read, name))
        assert getattr(read, name)[0] == getattr(dear, name)[3]
    hello = query_key("hello!")
    assert hello.key[2] == hello.key[3] and len(set(map(tuple, hello.key))) > 3
    assert query_key("hello!").value == hello.value
    assert all(math.hypot(*vector) <= 8 for vector in hello.key + hello.query + hello.value)
    given = query_key(value=[[0, 1]] * 4)
    assert given.key == dear.key and given.value == [[0, 1]] * 4 != dear.value


def test_vectors_come_in_any_form_and_the_plane_is_as_wide_as_they_need():
    table = [[1, 2], [3, 4], [0, 0], [5, -6]]
    for same in table, np.array(table), torch.tensor(table), torch.tensor(table, dtype=torch.bfloat16):
        assert query_key(key=same).key == table
    assert query_key(key=torch.tensor(table, dtype=torch.float, requires_grad=True)).key == table
    for longest, reach in ((8, 8), (8.01, 16), (100, 128), (1.01, 8), (1, 1), (0.9, 1), (0.3, 0.5), (0, 8)):
        assert query_key("ab", value=[[longest, 0], [0, 0]]).reach == [8, reach]
    assert query_key("ab", key=[[0, 0.1], [0, 0]], query=[[0, 0.4], [0, 0]]).reach[0] == 0.5


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"tokens": "a"}, ValueError, "room for 2 to 6 tokens, and these are 1"),
        ({"tokens": "letters"}, ValueError, "room for 2 to 6 tokens, and these are 7"),
        ({"tokens": "nine toks"}, ValueError, "room for 2 to 6 tokens, and these are 9"),
        ({"tokens": ""}, ValueError, "and these are 0"),
        ({"tokens": ["a", ""]}, ValueError, "token 1 is an empty string"),
        ({"tokens": ["a", 3]}, TypeError, "a list of strings"),
        ({"tokens": 7}, TypeError, "this is a int"),
        ({"query": [[1, 2]]}, ValueError, r"query must be of the shape \(4, 2\), and it is of the shape \(1, 2\)"),
        ({"key": np.zeros((4, 3))}, ValueError, r"key must be of the shape \(4, 2\)"),
        ({"value": "dear"}, TypeError, "value must be a table of numbers"),
        ({"value": [[1, math.nan]] * 4}, ValueError, "one of them is nan"),
        ({"key": [[0, 101]] * 4}, ValueError, "from -100 to 100, and one of them is 101"),
        ({"head_size": 3}, TraitError, "head_size must be one of 1, 2, 4, 8, 16, 32, 64, 128, 256: it is 3"),
        ({"head_size": 512}, TraitError, "it is 512"),
        ({"head_size": "big"}, TraitError, "head_size"),
    ],
    ids=str,
)
def test_bad_arguments_raise_in_the_cell(arguments, error, words):
    with pytest.raises(error, match=words):
        query_key(**arguments)


@pytest.mark.parametrize(
    ("name", "bad", "words"),
    [
        ("query", [[0, 9]] * 4, "a query can be 8 long, and one of these is 9 long"),
        ("value", [[6, 6]] * 4, "a value can be 8 long, and one of these is 8.49 long"),
        ("key", [[0, 1]] * 3, r"key must be of the shape \(4, 2\)"),
        ("key", [[0, math.nan]] * 4, "one of them is nan"),
        ("row", 4, "row must be from 0 to 3"),
        ("column", 9, "column must be from 0 to 3, one of the tokens: it is 9"),
        ("head_size", 7, "it is 7"),
        ("seed", -1, "seed"),
    ],
    ids=str,
)
def test_bad_states_are_refused_in_a_cell_and_shown_in_the_page(name, bad, words):
    lab = query_key()
    before = getattr(lab, name)
    with pytest.raises(TraitError, match=words):
        setattr(lab, name, bad)
    assert getattr(lab, name) == before
    lab.set_state({name: bad})
    assert re.search(words, lab.problem) and getattr(lab, name) == before
    lab.set_state({"row": 1})
    assert (lab.problem, lab.row) == ("", 1)


def test_labels_show_all_tokens_and_tell_equal_ones_apart():
    lab = query_key(["l", "<b>", "l", "\u200b", "שלום", "proceed"])
    assert lab.labels == ["l₀", "<b>", "l₂", "200B", "שלום", "proce…"]
    assert lab.names == ["\u2068l\u2069 at 0", "“\u2068<b>\u2069”", "\u2068l\u2069 at 2", "“\u2068200B\u2069”",
                         "\u2068שלום\u2069", "\u2068proce…\u2069"]  # fmt: skip


# -- the experiment in Python -------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 4, 2**31 - 1])
def test_the_variance_of_a_score_is_the_head_size_and_the_division_makes_it_1(seed):
    lab = change(query_key(), seed=seed)
    largest = []
    for size in SIZES:
        found = change(lab, head_size=size).experiment()
        raw, scaled = found["scores"]
        assert raw.shape == scaled.shape == (PAIRS,)
        # one standard deviation of the measured variance is 9% of it for size 1, and comes down to 4.5%
        assert found["variance"][0] == pytest.approx(size, rel=0.3 if size < 4 else 0.2)
        assert found["variance"][0] == pytest.approx(torch.tensor(raw).var(correction=0).item())
        assert found["variance"][1] == pytest.approx(found["variance"][0] / size)
        assert abs(raw.mean()) < 4 * math.sqrt(size / PAIRS)
        for k, scores in enumerate(torch.tensor(np.array(found["scores"]))):
            shares = torch.softmax(scores.view(-1, GROUP), dim=1)
            ranked = shares.sort(dim=1, descending=True).values.mean(dim=0)
            assert found["weights"][k] == pytest.approx(ranked.numpy())
        largest.append([weights[0] for weights in found["weights"]])
    assert all(a[0] < b[0] for a, b in zip(largest, largest[1:])) and largest[-1][0] > 0.85
    assert all(0.3 < even < 0.45 for _, even in largest) and largest[0][0] == largest[0][1]


def test_the_scores_are_those_of_independent_normal_numbers():
    lab = change(query_key(), head_size=256)
    scores = np.sort(lab.experiment()["scores"][1])
    # the sum of many is nearly normal: the largest distance to its curve, as Kolmogorov measures it
    normal = np.array([0.5 * (1 + math.erf(score / math.sqrt(2))) for score in scores])
    assert np.abs(normal - (np.arange(PAIRS) + 0.5) / PAIRS).max() < 0.05
    # a product of two normal numbers is far from normal: its fourth power is 9 on average, and theirs 3
    one = np.concatenate([change(lab, head_size=1, seed=seed).experiment()["scores"][0] for seed in range(200)])
    assert (one**4).mean() == pytest.approx(9, rel=0.15) and (one**2).mean() == pytest.approx(1, abs=0.05)
    assert np.abs(np.corrcoef(one.reshape(200, -1)[:30]) - np.eye(30)).max() < 0.15  # seeds have nothing in common
    again = change(lab, head_size=1, seed=3).experiment()["scores"][0]
    assert again.tolist() == one.reshape(200, -1)[3].tolist()
    assert abs(np.corrcoef(again[1:], again[:-1])[0, 1]) < 0.1  # nor neighbours


def test_torch_is_not_needed():
    code = "import sys; from lesson_lib import labs; labs.query_key().still(); print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"


# -- the still picture ------------------------------------------------------------------------------------


def test_the_still_picture_follows_the_state():
    lab = query_key()
    alt = lab.still().alt
    assert "The query of \u2068r\u2069 is (0.5, 1.5)." in alt
    assert "\u2068e\u2069: key (−4, 3), score 2.5, weight 0.44" in alt and "is (1.44, 2.56)." in alt
    assert "random queries and keys of 16 numbers: the variance of q · k is 16.0, and 1.00 after" in alt
    seen = {lab.still().data}
    vectors = [[1, 2], [3, 4], [5, 6], [-3, 2]]
    for move in {"row": 1}, {"divide": False}, {"head_size": 64}, {"key": vectors}, {"value": vectors}:
        picture = change(lab, **move).still()
        seen.add(picture.data)
    assert len(seen) == 6
    assert "\u2068r\u2069: key (−3, 2), masked." in picture.alt and "divided by √2" not in picture.alt


@pytest.mark.parametrize("seed", range(3))
def test_a_variance_has_three_digits_in_the_still_picture(seed):
    for size in SIZES:
        alt = change(query_key(), seed=seed, head_size=size)._in_words(query_key().attention(), change(
            query_key(), seed=seed, head_size=size).experiment())  # fmt: skip
        found = re.search(r"q · k is ([\d.]+), and ([\d.]+) after", alt).groups()
        assert all(len(text.replace(".", "").lstrip("0")) == 3 for text in found)


def test_the_still_picture_shows_any_token_and_harms_no_page():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a glyph that is missing
        data = query_key(ODD)._repr_mimebundle_()[0]
    assert "<b>" not in data["text/html"] and len(data["text/html"]) < 110_000
    assert data["text/html"].startswith('<img src="data:image/png')
    assert query_key(query=np.zeros((4, 2)), key=np.zeros((4, 2)), value=np.zeros((4, 2))).still().mime == "image/png"


# -- the page -----------------------------------------------------------------------------------------------

MOVED = "query key value row column mask divide head_size seed".split()
LOOK = """() => {
    const all = (css) => [...document.querySelectorAll(css)];
    const text = (css) => (it) => it.querySelector(css).textContent;
    const T = all('.qk-row').length;
    const line = (it) => ['x1', 'y1', 'x2', 'y2'].map((name) => it[name].baseVal.value);
    const place = (it) => { const { e, f } = it.transform.baseVal[0].matrix; return [e, f]; };
    const size = (row, css) => row.querySelector(css).width.baseVal.value;
    const box = (it) => ['x', 'y', 'width', 'height'].map((name) => it[name].baseVal.value);
    // null where none is shown; else how long it is, and its middle
    const arc = (it) => {
        if (getComputedStyle(it).display === 'none') return null;
        const { x, y } = it.getPointAtLength(it.getTotalLength() / 2);
        return [it.getTotalLength(), x, y];
    };
    return {
        rows: all('.qk-row').map((row) => [...row.querySelectorAll('text')].map((it) => it.textContent)),
        off: all('.qk-row').map((row) => row.classList.contains('qk-off')),
        hatched: all('.qk-row').map((row) => row.querySelector('.qk-track').style.fill.startsWith('url(')),
        bars: all('.qk-row').map((row) => size(row, '.qk-weight') / size(row, '.qk-track')),
        sum: document.querySelector('.qk-table > .ll-muted').textContent,
        cells: all('.qk-cell').map(text('text')),
        shades: all('.qk-shade').map((it) => Number(it.getAttribute('fill-opacity'))),
        hidden: all('.qk-base').map((it) => it.style.fill.startsWith('url(')),
        tips: Object.fromEntries(all('.qk-tip').map((it) => [it.dataset.kind + it.dataset.i, place(it)])),
        names: all('.qk-tip').map((it) => it.getAttribute('aria-label')),
        links: all('.qk-links line').map((it) => [...line(it), Number(it.getAttribute('stroke-width'))]),
        target: place(document.querySelector('.qk-target')),
        arc: arc(document.querySelector('.qk-arc')),
        papers: all('.ll-paper').slice(0, 2).map(box),
        pressed: all('.qk-asks button[aria-pressed=true]').map((it) => it.textContent),
        bins: all('.qk-bars').map((it) => it.getAttribute('d')),
        shares: all('.qk-shares').map((it) => it.getAttribute('d')),
        notes: all('.qk-trial text').map((it) => it.textContent),
    };
}"""


class QueryKeyPage(LabPage):
    traits = ["title", "problem", "labels", "names", "reach", "start", *MOVED]
    moved = MOVED
    height = 1300

    def set(self, **traits):
        change(self.lab, **traits)
        return super().set(**traits)

    def tip(self, kind, i=-1):
        return self.page.locator(f".qk-tip[data-kind={kind}][data-i='{i}']")

    def type(self, kind, i, *keys):
        self.tip(kind, i).focus()
        for key in keys:
            self.page.keyboard.press(key)
        self.drawn()
        return self.hear()

    def look(self):
        return self.page.evaluate(LOOK)

    def words(self):
        return self.page.locator(".qk-words").inner_text()

    def spot(self, kind, vector):
        """Return the place of a vector in its plane, in pixels of the page."""
        svg = self.page.locator(".ll-stage svg").first.bounding_box()
        x, y = place(self.look()["papers"][kind == "value"], self.lab.reach[kind == "value"], vector)
        return svg["x"] + x, svg["y"] + y

    def drag(self, start, *stops, up=True):
        mouse = self.page.mouse
        mouse.move(*start)
        mouse.down()
        for stop in stops:
            mouse.move(*stop, steps=3)
        if up:
            mouse.up()
        self.drawn()
        return self.hear()


show = shows(QueryKeyPage)


def place(paper, reach, vector):
    """Return where a vector is in the picture: the plane shows 1.09 times what its arrows reach, in all directions."""
    x, y, width, height = paper
    return x + width * (0.5 + vector[0] / reach / 2.18), y + height * (0.5 - vector[1] / reach / 2.18)


def read(text):
    return float(text.replace("−", "-").replace("∞", "inf"))


def fits(text, weight):
    """Whether the text is a true form of the weight: what is neither 0 nor 1 is not called so."""
    if text[0] in "<>":
        return 0 < weight < 0.00501 if text[0] == "<" else 0.9949 < weight <= 1
    return read(text) == pytest.approx(weight, abs=0.00501) and (text not in ("0", "1") or weight in (0, 1))


def assert_page_is_true(page):
    """The page shows, in numbers, bars, places and words, what the lessons' code computes of the same vectors."""
    lab, seen = page.lab, page.look()
    (weights, out), T, t = truth(lab), len(lab.labels), lab.row
    scores = np.array(lab.query) @ np.array(lab.key).T
    fed = scores / math.sqrt(2) if lab.divide else scores
    off = [lab.mask and i > t for i in range(T)]
    assert seen["off"] == seen["hatched"] == off
    for i, (name, score, into, share) in enumerate(seen["rows"]):
        assert name.startswith("k(") and read(score) == pytest.approx(scores[t, i], abs=0.0051)
        assert read(into) == (-math.inf if off[i] else pytest.approx(fed[t, i], abs=0.0051))
        assert fits(share, weights[t, i])
    assert seen["bars"] == pytest.approx(weights[t].tolist(), abs=0.001)
    (a, b), (c, d) = lab.query[t], lab.key[lab.column]
    numbers = [read(number.strip("()")) for number in re.findall(r"\(?−?[\d.]+\)?", seen["sum"].split("=", 1)[1])]
    assert numbers == pytest.approx([a, c, b, d, scores[t, lab.column]], abs=0.0051)

    # the map of all weights
    for k, (text, shade, hidden) in enumerate(zip(seen["cells"], seen["shades"], seen["hidden"], strict=True)):
        p, i = divmod(k, T)
        assert hidden == (lab.mask and i > p) and shade == pytest.approx(0.85 * weights[p, i], abs=0.0006)
        assert text == "" if hidden else fits(text.replace(".", "0.", 1), weights[p, i])

    # the planes
    keys, values = seen["papers"]
    assert seen["tips"]["query-1"] == pytest.approx(place(keys, lab.reach[0], lab.query[t]), abs=0.1)
    for i in range(T):
        assert seen["tips"][f"key{i}"] == pytest.approx(place(keys, lab.reach[0], lab.key[i]), abs=0.1)
        assert seen["tips"][f"value{i}"] == pytest.approx(place(values, lab.reach[1], lab.value[i]), abs=0.1)
    end = place(values, lab.reach[1], out[t])
    assert seen["target"] == pytest.approx(end, abs=0.1)
    from_value = [[*place(values, lab.reach[1], vector), *end] for vector in lab.value]
    links = [[*line, 0.8 + 11 * weight] for line, weight in zip(from_value, weights[t]) if weight]
    assert np.array(seen["links"]) == pytest.approx(np.array(links), abs=0.1)
    assert seen["pressed"] == [lab.labels[t]]
    q, k = np.array(lab.query[t]), np.array(lab.key[lab.column])
    turn = math.radians(degrees(q, k)) if q.any() and k.any() else 0
    assert bool(seen["arc"]) == (turn > math.radians(2))
    if seen["arc"]:  # from the query to the key, around the origin, on the shorter side
        far, x, y = seen["arc"]
        ox, oy = place(keys, lab.reach[0], [0, 0])
        assert far / 24 == pytest.approx(turn, abs=0.02) and math.hypot(x - ox, y - oy) == pytest.approx(24, abs=0.2)
        assert turn > 3.13 or degrees(q, [x - ox, oy - y]) == pytest.approx(math.degrees(turn) / 2, abs=1)
    assert f"query of {lab.names[t]}: ({short(a)}, {short(b)})" in seen["names"]
    assert_words_are_true(page.words(), lab)


def degrees(a, b):
    cosine = np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)
    return math.degrees(math.acos(max(-1.0, min(1.0, cosine))))


def same_number(text, value):
    return read(text.rstrip(",.;:)")) == pytest.approx(value, abs=0.0051)


NUMBER, END = r"(−?[\d.]*\d)", r"(.+?)\.(?:\s|$)"


def assert_words_are_true(said, lab):
    (weights, out), T, t, i = truth(lab), len(lab.labels), lab.row, lab.column
    names, q, given = lab.names, lab.query[t], weights[t]
    scores = np.array(lab.query) @ np.array(lab.key).T
    assert not re.search("NaN|undefined|null|Infinity|-", said)
    x, y = re.search(r"The output is \((\S+), (\S+)\)", said).groups()
    assert same_number(x, out[t][0]) and same_number(y, out[t][1])
    open_to = [j for j in range(T) if not lab.mask or j <= t]
    if len(open_to) == 1:
        assert said.startswith(f"{names[0]} is the first token.") and "weight 1, whatever its score" in said
    elif max(given[open_to]) - min(given[open_to]) < 1e-9:
        n = len(open_to)
        assert f"the {n} weights are equal too, 1/{n} each" in said and "the plain average of their values" in said
        equal = all(lab.key[j] == lab.key[0] for j in open_to)
        start = f"The query of {names[t]} is (0, 0)." if q == [0, 0] else "All keys" if equal else "All scores"
        assert said.startswith(start)
    else:
        top = [j for j in open_to if abs(given[j] - max(given)) < 1e-9]
        score = scores[t, top[0]]
        if len(top) > 1:
            assert all(names[j] in said.split(", and equally")[0] for j in top)
            scaled = f"(?:, divided by √2 it is {NUMBER})?"
            found = re.search(f"the same score, {NUMBER}{scaled}, and the weight (.+?) each", said)
        else:
            whom = "itself" if top[0] == t else names[top[0]]
            assert said.startswith(f"{names[t]} listens most to {whom}: ")
            if lab.key[top[0]] == [0, 0]:
                assert "the key there is (0, 0)" in said
            else:
                apart = int(re.search(r"that key are (\d+)° apart", said)[1])
                assert apart == pytest.approx(degrees(q, lab.key[top[0]]), abs=0.51)
            scaled = rf"(?: \({NUMBER} once divided by √2\))?"
            found = re.search(rf"the score {NUMBER} is the largest{scaled}, and the weight is {END}", said)
            assert ("That is nearly all" in said) == (given[top[0]] > 0.99)
        assert same_number(found[1], score)
        assert (found[2] is not None) == lab.divide and (not lab.divide or same_number(found[2], score / math.sqrt(2)))
        assert fits(found[3].replace("less than ", "<").replace("more than ", ">"), given[top[0]])
    # the key that is looked at
    if lab.mask and i > t:
        assert f"{names[i]} comes later than {names[t]}: it is masked" in said
    elif given[i] < max(given) - 1e-9:
        if lab.key[i] == [0, 0]:
            assert f"The key of {names[i]} is (0, 0): its score is 0 for every query" in said
        elif degrees(q, lab.key[i]) > 0.1:
            key = re.escape(names[i])
            found = re.search(rf"The key of {key} is (\d+)° from the query: score {NUMBER}, weight {END}", said)
            assert int(found[1]) == pytest.approx(degrees(q, lab.key[i]), abs=0.51)
            assert same_number(found[2], scores[t, i])
            assert fits(found[3].replace("less than ", "<"), given[i])
    taken = given[t + 1 :].sum()
    found = re.search(r"The mask is off: .+ takes (.+) from what comes later", said)
    assert bool(found) == (not lab.mask and t < T - 1)
    if found:
        assert fits(found[1].replace("less than ", "<").replace("more than ", ">"), min(1.0, taken))


@pytest.fixture(scope="module")
def compute(browser):
    """The page's own functions, called from Python."""
    code = re.sub(r"export default .*", "return { attend, drawer, experiment, measured };", query_key()._esm)
    page = browser.new_page()
    page.evaluate("code => { window.lab = new Function(code)(); }", code)
    yield lambda call, *given: page.evaluate(f"given => {call}", given)
    page.close()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(states)
def test_the_page_computes_what_torch_does(compute, state):
    lab = opened(state)
    found = compute("lab.attend(given[0])", {name: getattr(lab, name) for name in MOVED})
    weights, out = truth(lab)
    assert np.array(found["weights"]) == pytest.approx(weights, abs=1e-12)
    assert np.array(found["out"]) == pytest.approx(out, abs=1e-12)
    assert np.array(found["scores"]) == pytest.approx(lab.attention()["scores"])


@pytest.mark.parametrize("seed", [4, 5, 2**31 - 1])
def test_the_page_draws_the_same_random_numbers_as_python(compute, seed):
    for size in SIZES:
        expected = change(query_key(), seed=seed, head_size=size).experiment()
        # the whole sum at once, and as it grows with the slider
        grown = "(window.p ??= {}, (p[given[0]] ??= lab.drawer(given[0]))(given[1]))"
        for call in "lab.drawer(given[0])(given[1])", grown:
            found = compute(f"lab.experiment({call}, given[1])", seed, size)
            for k, part in enumerate(found):
                assert part["scores"] == pytest.approx(expected["scores"][k].tolist(), rel=1e-9, abs=1e-9)
                assert part["variance"] == pytest.approx(expected["variance"][k])
                assert part["weights"] == pytest.approx(expected["weights"][k].tolist())


# tests of the page, for a lab that is shown

GRID = [
    {},
    {"row": 0},
    {"row": 2, "column": 3},
    {"row": 1, "column": 1, "mask": False},
    {"row": 1, "column": 2, "mask": False, "divide": False},
    {"query": [[0, 0]] * 4},
    {"query": [[0, 0]] * 4, "mask": False, "row": 1},
    {"key": [[2, 3]] * 4, "row": 2},
    {"query": [[0, 3]] * 4, "key": [[1, 2], [-5, 2], [0, 2], [7, 2]]},
    {"query": [[0, 3]] * 4, "key": [[1, 2], [-5, 2], [0, 1], [7, 0]], "column": 3},
    {"query": [[5.5, 5.5]] * 4, "key": [[0, 0], [3, 3], [-3, -3], [5, 5]], "column": 1},
    {"query": [[5.5, 5.5]] * 4, "key": [[0, 0], [-3, -3], [-3, -3], [-5, -5]], "column": 0},
    {"key": [[0, 0], [1, 0], [0, 1], [0, 0]], "column": 3},
    {"query": [[8, 0]] * 4, "key": [[8, 0], [-8, 0], [0, 8], [0, -8]], "value": [[8, 0], [-8, 0], [0, 8], [0, -8]]},
    {"key": [[0, 0]] * 4, "value": [[0, 0]] * 4, "query": [[0, 0]] * 4},
]


def test_numbers_bars_places_and_words_are_true_in_many_states(show):
    page = show(query_key())
    usual = {name: getattr(page.lab, name) for name in MOVED}
    for state in GRID:
        page.set(**(usual | state))
        assert_page_is_true(page)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(state=of_size(5))
def test_they_are_true_in_any_state(five, state):
    five.set(**state)
    assert_page_is_true(five)


@pytest.fixture
def five(show):
    return show(query_key("fghij"), width=640)


# -- moving -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "i"), [("query", -1), ("key", 1), ("value", 2)])
def test_an_arrow_moves_with_the_arrow_keys(show, kind, i):
    page = show(query_key())
    at = page.lab.row if kind == "query" else i
    x, y = getattr(page.lab, kind)[at]
    assert getattr(page.type(kind, i, "ArrowRight", "ArrowUp", "ArrowUp"), kind)[at] == [x + 0.5, y + 1]
    assert getattr(page.type(kind, i, "ArrowLeft", "ArrowDown"), kind)[at] == [x, y + 0.5]
    assert getattr(page.type(kind, i, "Shift+ArrowLeft", "Shift+ArrowDown"), kind)[at] == [x - 0.1, y + 0.4]
    # the next full step comes back onto the grid; keys of the page itself are left alone
    moved = getattr(page.type(kind, i, "ArrowLeft", "Control+ArrowUp", "x", "Home"), kind)[at]
    assert moved == [x - 0.5, y + 0.4]
    assert_page_is_true(page)
    start = query_key()
    others = [name for name in ("query", "key", "value") if name != kind]
    assert all(getattr(page.lab, name) == getattr(start, name) for name in others)
    assert [v for n, v in enumerate(getattr(page.lab, kind)) if n != at] == [
        v for n, v in enumerate(getattr(start, kind)) if n != at
    ]
    assert page.tip(kind, i).get_attribute("aria-label").endswith(f"({short(moved[0])}, {short(moved[1])})")


@pytest.mark.parametrize("key", ["ArrowRight", "ArrowLeft", "ArrowUp", "ArrowDown"])
def test_no_arrow_leaves_the_circle_by_key(show, key):
    page = show(query_key(query=[[5.5, 5.5], [0, 0], [0, 0], [0.3, 0]]))
    page.set(row=3)
    lab = page.type("query", -1, *[key] * 40)
    assert 7.5 < math.hypot(*lab.query[3]) <= 8 and page.page.locator(".ll-problem").inner_text() == ""
    page.set(row=0)
    page.type("query", -1, key)  # at the edge: whatever stays within is fine
    assert math.hypot(*page.lab.query[0]) <= 8
    assert_page_is_true(page)


@pytest.mark.parametrize("width", [1000, 640])
def test_an_arrow_can_be_dragged_and_stays_within_the_circle(show, width):
    page = show(query_key(), width=width)
    for kind, i, table in (("key", 3, "key"), ("value", 0, "value"), ("query", -1, "query")):
        at = page.lab.row if kind == "query" else i
        start = page.spot(kind, getattr(page.lab, table)[at])
        lab = page.drag(start, page.spot(kind, [3, -2]), page.spot(kind, [4.1, 2.9]))
        assert getattr(lab, table)[at] == [4, 3]
        assert_page_is_true(page)
        lab = page.drag(page.spot(kind, [4, 3]), page.spot(kind, [30, 40]))  # far outside: the direction is kept
        x, y = getattr(lab, table)[at]
        assert 7.4 < math.hypot(x, y) <= 8 and x % 0.5 == y % 0.5 == 0
        assert math.atan2(y, x) == pytest.approx(0.93, abs=0.06)
        assert_page_is_true(page)
        page.page.mouse.move(*page.spot(kind, [0, 0]))
        page.drawn()
        assert getattr(page.hear(), table)[at] == [x, y], "nothing moves once the button is up"
    assert page.lab.column == 3, "the key that was dragged is the one that is looked at"


def test_a_press_on_a_tip_moves_nothing_and_a_drag_with_shift_goes_in_small_steps(show):
    page = show(query_key(key=[[1.3, 2.7], [-4, 3], [0, 0], [5, -5]]))
    x, y = page.spot("key", [1.3, 2.7])
    assert page.drag((x + 5, y - 4)).key[0] == [1.3, 2.7]
    assert page.page.evaluate("() => document.activeElement.dataset.kind") == "key"
    page.page.keyboard.down("Shift")
    lab = page.drag((x, y), page.spot("key", [2.21, 1.13]))
    page.page.keyboard.up("Shift")
    assert lab.key[0] == [2.2, 1.1]
    # with the other button nothing moves
    page.page.mouse.move(*page.spot("key", [-4, 3]))
    page.page.mouse.down(button="right")
    page.page.mouse.move(*page.spot("key", [4, 3]))
    page.page.mouse.up(button="right")
    assert page.hear().key[1] == [-4, 3]


def test_where_tips_lie_close_the_nearest_is_meant(show):
    page = show(query_key(key=[[2, 2], [2.5, 2], [3, 2], [-5, -5]], query=[[2, 2.5]] * 4, value=[[1, 1]] * 4))
    for i, vector in enumerate(([2, 2], [2.5, 2], [3, 2])):
        lab = page.drag(page.spot("key", vector), page.spot("key", [-4, 4 - i]))
        assert lab.key[i] == [-4, 4 - i]
    assert page.drag(page.spot("query", [2, 2.5]), page.spot("query", [0, 5])).query[3] == [0, 5]
    # of several in one place some one is taken, and comes out from under the others
    lab = page.drag(page.spot("value", [1, 1]), page.spot("value", [-3, -3]))
    assert sorted(lab.value) == [[-3, -3], [1, 1], [1, 1], [1, 1]]


def test_a_finger_drags_a_tip_and_not_the_page(show):
    page = show(query_key())
    for kind, i in (("query", -1), ("key", 0), ("value", 0)):
        assert page.tip(kind, i).evaluate("tip => getComputedStyle(tip).touchAction") == "none"
    (x, y), (to_x, to_y) = page.spot("key", [-2, 0]), page.spot("key", [3, 3])
    page.tip("key", 0).evaluate(
        """(tip, [x, y, toX, toY]) => {
            tip.setPointerCapture = () => {};
            const send = (kind, clientX, clientY) => tip.dispatchEvent(new PointerEvent(kind,
                { pointerType: 'touch', pointerId: 7, clientX, clientY, button: 0, bubbles: true, cancelable: true }));
            send('pointerdown', x, y);
            send('pointermove', toX, toY);
            send('pointerup', toX, toY);
        }""",
        [x, y, to_x, to_y],
    )
    page.drawn()
    assert page.hear().key[0] == [3, 3] and page.lab.column == 0


def test_other_scales_have_other_steps(show):
    page = show(query_key("ab", query=[[0.1, 0.2], [0.3, 0.1]], key=[[0, 0], [0.4, 0]], value=[[40, 0], [0, -9]]))
    assert page.lab.reach == [0.5, 64]
    assert page.type("query", -1, "ArrowUp").query[1] == pytest.approx([0.3, 0.125])
    assert page.type("value", 0, "ArrowLeft", "Shift+ArrowUp").value[0] == [36, 0.8]
    lab = page.drag(page.spot("key", [0.4, 0]), page.spot("key", [-0.2, 0.3]))
    assert lab.key[1] == pytest.approx([-0.1875, 0.3125])
    assert_page_is_true(page)


# -- choosing, and the other controls -------------------------------------------------------------------------


def test_a_token_is_chosen_by_its_button_by_its_tip_and_by_a_click(show):
    page = show(query_key())
    for t, name in enumerate("dear"):
        page.press(f"query of \u2068{name}\u2069")
        assert page.hear().row == t
        assert_page_is_true(page)
    page.page.get_by_role("button", name="query of \u2068e\u2069").click()
    assert page.hear().row == 1
    page.tip("key", 2).focus()
    page.drawn()
    assert page.hear().column == 2
    page.tip("value", 3).focus()
    assert page.hear().column == 2
    page.page.locator(".qk-row").nth(1).click()
    page.drawn()
    assert page.hear().column == 1 and page.page.locator(".qk-label.qk-chosen").text_content() == "k(\u2068e\u2069)"
    page.page.locator(".qk-cell").nth(14).click()
    page.drawn()
    assert (page.hear().row, page.lab.column) == (3, 2)
    assert_page_is_true(page)
    frame = page.page.locator(".qk-table .qk-frame").bounding_box()
    row = page.page.locator(".qk-row").nth(2).bounding_box()
    assert frame["y"] - 2 < row["y"] + row["height"] / 2 < frame["y"] + frame["height"] + 2


def test_tab_reaches_every_arrow(show):
    page = show(query_key())
    page.tip("key", 0).focus()
    seen = []
    for _ in range(9):
        seen.append(page.page.evaluate("() => document.activeElement.dataset.kind + document.activeElement.dataset.i"))
        page.page.keyboard.press("Tab")
    assert seen == ["key0", "key1", "key2", "key3", "query-1", "value0", "value1", "value2", "value3"]
    ring = page.tip("value", 1).locator(".qk-ring")
    assert ring.evaluate("ring => getComputedStyle(ring).stroke") == "none"
    page.page.keyboard.press("Shift+Tab")
    page.page.keyboard.press("Shift+Tab")
    page.page.keyboard.press("Shift+Tab")
    assert ring.evaluate("ring => getComputedStyle(ring).stroke") != "none"


@pytest.mark.parametrize("name", ["mask the future", "divide by √head_size"])
def test_a_switch_by_key_and_by_mouse(show, name):
    page = show(query_key())
    page.set(row=1)
    trait = name.split()[0]
    page.press(name, key="Space", role="switch")
    assert getattr(page.hear(), trait) is False
    assert_page_is_true(page)
    page.page.get_by_role("switch", name=name).click()
    page.drawn()
    assert getattr(page.hear(), trait) is True
    assert_page_is_true(page)


def test_a_key_turned_to_the_query_keeps_its_length_and_its_weight_grows(show):
    page = show(query_key())
    before = truth(page.lab)[0][3]
    page.press("Turn the key to the query")
    lab = page.hear()
    assert lab.key[0] == pytest.approx([2 * 0.5 / math.hypot(0.5, 1.5), 2 * 1.5 / math.hypot(0.5, 1.5)])
    after = truth(lab)[0][3]
    assert after[0] > before[0] and after.argmax() == 0
    assert page.words().startswith("\u2068r\u2069 listens most to \u2068d\u2069: ")
    assert "are 0° apart" in page.words() and "points exactly where the query points" in page.words()
    assert not page.look()["arc"]
    assert_page_is_true(page)
    # each of them, for each query: the weight never gets smaller
    for t in range(4):
        for i in range(4):
            page.set(**{name: page.lab.start[name] for name in ("query", "key", "value")}, row=t, column=i)
            before = truth(page.lab)[0][t, i]
            page.press("Turn the key to the query")
            lab = page.hear()
            assert math.hypot(*lab.key[i]) == pytest.approx(math.hypot(*lab.start["key"][i]))
            assert np.cross([*lab.query[t], 0], [*lab.key[i], 0])[2] == pytest.approx(0, abs=1e-9)
            assert np.dot(lab.query[t], lab.key[i]) > 0 and truth(lab)[0][t, i] >= before
            assert_page_is_true(page)


def test_very_long_arrows_saturate_the_softmax_and_break_nothing(show):
    page = show(query_key("abc", query=[[60, 0]] * 3, key=[[-60, 0], [54, 6], [60, 0]]))
    assert page.look()["rows"][0][3] == "0" and page.look()["rows"][1][3] == "<0.01"
    assert "That is nearly all" in page.words() and "NaN" not in page.page.content()
    for state in {}, {"row": 0}, {"divide": False, "row": 1}, {"mask": False, "row": 0}:
        page.set(**state)
        assert_page_is_true(page)


def test_a_longer_key_can_have_more_than_one_that_points_where_the_query_points(show):
    page = show(query_key("ab", query=[[0, 2], [0, 2]], key=[[0, 1], [5, 5]]))
    said = "\u2068a\u2069 points exactly where the query points, and yet a longer key has a larger score."
    assert said in page.words()
    assert_page_is_true(page)


@pytest.mark.parametrize("zero", ["query", "key"])
def test_nothing_can_be_turned_to_or_from_zero(show, zero):
    page = show(query_key(**{zero: [[0, 0]] * 4}))
    button = page.page.get_by_role("button", name="Turn the key to the query")
    assert button.get_attribute("aria-disabled") == "true"
    button.click(force=True)
    page.drawn()
    assert page.hear().key == page.lab.start["key"]
    kind, i = ("query", -1) if zero == "query" else ("key", 0)
    page.type(kind, i, "ArrowUp")
    assert button.get_attribute("aria-disabled") is None
    assert_page_is_true(page)


def test_start_again_brings_everything_back(show):
    page = show(query_key("ab", query=[[1, 2], [3, 4]]))
    for name, value in {"mask": False, "divide": False, "row": 0, "column": 1, "key": [[1, 1], [2, 2]],
                        "query": [[0, 0]] * 2, "value": [[5, 5], [6, 0]]}.items():  # fmt: skip
        page.set(**{name: value})
        page.press("Start again")
        lab = page.hear()
        assert (lab.row, lab.column, lab.mask, lab.divide) == (1, 0, True, True) and lab.query == [[1, 2], [3, 4]]
        assert {key: getattr(lab, key) for key in lab.start} == lab.start
    assert_page_is_true(page)


# -- the experiment in the page ---------------------------------------------------------------------------------


def assert_experiment_is_true(page):
    lab, seen, said = page.lab, page.look(), page.say()
    found = lab.experiment()
    boxes = [[float(box.get_attribute(name)) for name in ("x", "y", "width", "height")]
             for box in page.page.locator(".qk-trial .ll-paper").all()]  # fmt: skip
    for k, scores in enumerate(found["scores"]):
        # each bar: where it begins, and how high it is
        bars = [[float(n) for n in re.findall(r"-?[\d.]+", bar)][:4] for bar in seen["bins"][k].split("M")[1:]]
        x, y, width, height = boxes[2 * k]
        places = [round((bar[0] - x) / width * 129) - 64 for bar in bars]
        values, counts = np.unique(np.clip(np.floor(scores + 0.5), -64, 64), return_counts=True)
        assert places == values.astype(int).tolist()
        highs = [-bar[2] for bar in bars]
        assert highs == pytest.approx((counts * (max(highs) / counts.max())).tolist(), abs=0.11)
        assert 0.8 * height < max(highs) < height
        shares = [[float(n) for n in re.findall(r"-?[\d.]+", bar)][:3] for bar in seen["shares"][k].split("M")[1:]]
        high = boxes[2 * k + 1][3]
        assert [-bar[2] / high for bar in shares] == pytest.approx(found["weights"][k].tolist(), abs=0.002)
        variance = re.sub(r"^variance ", "", [note for note in seen["notes"] if note.startswith("variance")][k])
        assert float(variance) == pytest.approx(found["variance"][k], rel=0.0051) and variance in said
        assert len(variance.replace(".", "").lstrip("0")) == 3
        largest = [note for note in seen["notes"] if note.startswith("largest")][k].removeprefix("largest ")
        assert fits(largest, found["weights"][k].max())
        assert largest in said
    assert f"With {lab.head_size} random number" in said
    if lab.head_size > 1:
        root = float(re.search(rf"Divided by √{lab.head_size} [=≈] ([\d.]+), it is", said)[1])
        assert root == pytest.approx(math.sqrt(lab.head_size), abs=0.005)
        raw, scaled = (weights[0] for weights in found["weights"])
        alone, little = "nearly one other alone" in said, "the difference is small" in said
        assert alone == (raw > 0.85) and little == (raw - scaled < 0.15)
    else:
        assert "here the division changes nothing" in said


def test_the_slider_goes_through_all_head_sizes(show):
    page = show(query_key())
    slider = page.page.get_by_role("slider", name="head_size")
    assert slider.get_attribute("aria-valuetext") == "16"
    slider.press("Home")
    sizes = []
    for _ in range(9):
        page.drawn()
        sizes.append(page.hear().head_size)
        assert slider.get_attribute("aria-valuetext") == str(sizes[-1])
        assert_experiment_is_true(page)
        slider.press("ArrowRight")
    assert tuple(sizes) == SIZES
    box = slider.bounding_box()
    slider.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    page.drawn()
    assert page.hear().head_size == 16
    assert_experiment_is_true(page)
    assert_page_is_true(page)


def test_other_numbers_are_drawn_and_what_is_true_of_the_variance_stays_true(show):
    page = show(query_key(head_size=64))
    seen = {page.say()}
    for _ in range(4):
        page.press("Draw other numbers")
        page.hear()
        seen.add(page.say())
        assert_experiment_is_true(page)
    assert len(seen) == 5 and page.lab.seed == 8
    page.set(seed=4)
    assert page.say() in seen and len(seen) == 5


# -- how it looks ---------------------------------------------------------------------------------------------

BOXES = """() => {
    const look = (one) => ({
        text: one.textContent, kind: one.getAttribute('class') || '', ...one.getBoundingClientRect().toJSON(),
    });
    const all = (css, root = document) => [...root.querySelectorAll(css)].map(look);
    const visible = (css, root) => all(css, root).filter((one) => one.width && one.text.trim());
    const pictures = [...document.querySelectorAll('.ll-stage > svg')];
    const out = (a, b) => a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1;
    const stage = document.querySelector('.ll-stage');
    const texts = visible('.ll-stage > svg text');
    const cells = [...document.querySelectorAll('.qk-cell')]
        .map((cell) => [all('.qk-base', cell)[0], all('text', cell)[0]]);
    const wider = (cell, text) => text.width && (text.left < cell.left || text.right > cell.right);
    return {
        texts,
        cut: pictures.flatMap((svg) => visible('text', svg).filter((one) => out(one, look(svg)))),
        wide: cells.filter(([cell, text]) => wider(cell, text)).map(([, text]) => text.text),
        tracks: all('.qk-track'),
        overflow: document.documentElement.scrollWidth - innerWidth,
        scroll: stage.scrollWidth - stage.clientWidth,
        height: document.querySelector('.ll-lab').getBoundingClientRect().height,
        below: document.querySelector('.qk-second').getBoundingClientRect().top,
    };
}"""


LOOKS = [*GRID[:12], {"head_size": 256, "mask": False, "divide": False}, {"head_size": 1, "row": 0}]


SIZED = [(tokens, width) for tokens in ("de", "dear", LONG, ODD) for width in (1280, 960, 800, 600)]


@pytest.mark.parametrize(("tokens", "width"), [*SIZED, ("de", 500), ("dear", 500)], ids=str)
def test_nothing_is_cut_or_overlaps_or_jumps(show, tokens, width):
    lab = query_key(tokens)
    T = len(lab.labels)
    page = show(lab, width=width)
    usual = {name: getattr(lab, name) for name in MOVED}
    heights, belows = set(), set()
    for state in LOOKS:
        cut = {key: (value * 2)[:T] if isinstance(value, list) else value for key, value in state.items()}
        cut = {key: min(value, T - 1) if key in ("row", "column") else value for key, value in cut.items()}
        page.set(**(usual | cut))
        seen = page.page.evaluate(BOXES)
        assert seen["cut"] == [] and seen["wide"] == [] and seen["overflow"] <= 0 and seen["scroll"] <= 0
        texts = seen["texts"]
        assert [(a["text"], b["text"]) for n, a in enumerate(texts) for b in texts[:n] if overlap(a, b)] == []
        table = [text for text in texts if "qk-label" not in text["kind"]]
        assert [(a["text"]) for a in table for b in seen["tracks"] if overlap(a, b)] == []
        heights.add(seen["height"])
        belows.add(seen["below"])
    assert len(heights) == len(belows) == 1, "what stands below would jump"


def test_below_its_narrowest_the_picture_scrolls_and_the_page_does_not(show):
    page = show(query_key(), width=360)
    seen = page.page.evaluate(BOXES)
    assert seen["cut"] == [] and seen["overflow"] <= 0 and seen["scroll"] > 0
    # a drag counts from the picture, wherever it was scrolled to
    page.page.locator(".ll-stage").evaluate("stage => { stage.scrollLeft = 150; }")
    assert page.drag(page.spot("value", [2, -4]), page.spot("value", [-3, 5])).value[0] == [-3, 5]


def test_arrows_in_one_place_share_a_label(show):
    page = show(query_key("ab", query=[[1, 2]] * 2, key=[[1, 2]] * 2, value=[[3, 0]] * 2))
    labels = [text.replace("\u2068", "").replace("\u2069", "") for text in page.texts(".qk-label")]
    assert labels[:2] == ["q(b) k(a) k(b)", "v(a) v(b)"]
    page = show(query_key(LONG, **{name: [[1, 2]] * 6 for name in ("query", "key", "value")}))
    labels = [text.replace("\u2068", "").replace("\u2069", "") for text in page.texts(".qk-label")]
    assert labels[0].startswith("q(") and labels[0].endswith(" + 6 more") and labels[1].endswith(" + 5 more")


def test_any_token_is_text_and_never_runs(show):
    page = show(query_key(["<b>x", "<img src=x>", "&amp;", "<b>x"]))
    assert page.page.locator(".ll-lab img, .ll-lab b").count() == 0
    assert page.texts(".qk-asks button")[:4] == ["<b>x₀", "<img␣…", "&amp;", "<b>x₃"]
    page.set(row=2)
    assert "“\u2068&amp;\u2069”" in page.words()
    assert_page_is_true(page)
    assert_page_is_true(show(query_key(ODD)))


def test_what_python_sets_is_drawn_and_a_disposed_lab_is_left_alone(show):
    page = show(query_key())
    page.set(key=[[5, 5], [1, 0], [0, 1], [-2, -2]], row=2, problem="planted")
    assert page.texts(".ll-problem") == ["planted"]
    page.set(problem="")
    assert_page_is_true(page)
    before = page.words()
    page.dispose()
    page.set(row=0)
    page.tip("key", 0).focus()
    page.page.keyboard.press("ArrowUp")
    page.drawn()
    assert page.words() == before and page.page.evaluate("() => model.get('key')[0]") == [5, 5]


def test_a_drawing_moves_the_elements_it_has(show):
    page = show(query_key("abcdef"))
    page.page.evaluate("() => { window.before = [...document.querySelectorAll('.ll-stage :not(text, tspan)')]; }")
    took = page.drawing_times(
        60,
        """
        const vector = [(n % 16) / 2 - 4, ((n * 3) % 16) / 2 - 4];
        model.set(['query', 'value'][n % 2], model.get(['query', 'value'][n % 2]).map(() => vector));
        model.set('head_size', 2 ** (n % 9));
    """,
    )
    lost = "() => [before.length > 200, before.filter((one) => !one.isConnected).length]"
    assert page.page.evaluate(lost) == [True, 0]
    assert len(took) >= 60 and page.made == 0
