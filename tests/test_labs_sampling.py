"""The sampling lab: its chances against torch, its dice, the page against Python, and all that can be done there."""

import math
import re
import warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from traitlets import TraitError

from lesson_lib import attention as reference
from lesson_lib import labs
from lesson_lib.gpt import GPT
from lesson_lib.labs.export import live
from lesson_lib.labs.sampling import Sampling, uniform
from lesson_lib.labs.tokens import two
from lesson_lib.text import CharTokenizer
from lesson_lib.training import restore
from tests.lab_page import LabPage, overlap, shows

# markup, Hebrew, Arabic, emoji of several code points, a combining mark, a line end, a tab, a space, a formula
ODD = "<script>alert(1)</script> שלום مرحبا 👩\u200d🚀e\u0301\n\t$x$&amp;"
LETTERS = "\n abcdefghijklmnopqrstuvwxyz"
PLAIN = CharTokenizer(LETTERS)


def gpt_of(V=28, block_size=16, n_layer=2, n_head=2, std=0.4, seed=1):
    torch.manual_seed(seed)
    gpt = GPT(V, block_size, n_layer, n_head, 12, std=std).eval()
    with torch.no_grad():  # norms and biases that do something
        for part in gpt.parameters():
            if part.dim() == 1:
                part.add_(0.3 * torch.randn_like(part))
    return gpt


def plain(text):
    """Return the text without the signs that isolate a character from what is around it."""
    return text.replace("\u2068", "").replace("\u2069", "")


def lab_of(gpt, prompt="hear me", **how):
    return labs.sampling(gpt, PLAIN, prompt, **how)


# -- chances and dice ------------------------------------------------------------------------------------------

models = st.builds(
    dict,
    V=st.integers(2, 20), block_size=st.integers(2, 12), n_layer=st.integers(1, 3), n_head=st.sampled_from([1, 2, 3]),
    std=st.floats(0.05, 0.8), seed=st.integers(0, 99),
)  # fmt: skip
settings_of = st.builds(dict, temperature=st.floats(0.1, 2), top_k=st.integers(1, 24), seed=st.integers(0, 2**32 - 1))


def letters(V):
    return CharTokenizer("".join(map(chr, range(97, 97 + V))))


def torch_chances(gpt, ids, temperature, top_k):
    """What `GPT.generate` draws from: written anew here, with nothing kept from one place to the next."""
    logits = gpt(torch.tensor([ids[-gpt.block_size :]]))[0][0, -1].detach().double() / temperature
    if top_k < len(logits):
        logits[logits < logits.topk(top_k).values[-1]] = -torch.inf
    return torch.softmax(logits, -1).numpy()


@settings(max_examples=25)
@given(models, settings_of, st.integers(1, 15))
def test_the_chances_are_those_of_torch_also_beyond_the_block(sizes, how, length):
    gpt, tokenizer = gpt_of(**sizes), letters(sizes["V"])
    lab = labs.sampling(gpt, tokenizer, "ab", **how, length=length)
    for place in range(length + 1):
        ids = tokenizer.encode("ab" + lab.written[:place])
        assert np.allclose(lab.chances(place), torch_chances(gpt, ids, how["temperature"], how["top_k"]), atol=1e-4)
        assert np.allclose(lab.own_chances(place), torch_chances(gpt, ids, 1.0, 99), atol=1e-4)


@settings(max_examples=10)
@given(models, settings_of, st.integers(1, 15))
def test_what_is_kept_changes_no_character(sizes, how, length):
    gpt, tokenizer = gpt_of(**sizes), letters(sizes["V"])
    lab = labs.sampling(gpt, tokenizer, "ab", **how, length=length)
    text = ""
    for place in range(length):  # each place with a lab that has computed nothing yet
        fresh = labs.sampling(gpt, tokenizer, "ab" + text, **how, length=0)
        row, die = fresh.chances(0), uniform(how["seed"], place)
        order = np.argsort(-fresh.logits(0), kind="stable")
        ends = np.cumsum(row[order])
        text += tokenizer.vocabulary[order[min(int((ends <= die).sum()), np.count_nonzero(row) - 1)]]
    assert lab.written == text and lab.place == length


def test_what_is_kept_is_dropped_where_the_text_changes():
    gpt = gpt_of()
    lab = lab_of(gpt, length=30)
    for written, place in ("dear", 2), ("dead", 4), ("d", 1), ("dear me i am not here", 21), ("dear", 3), ("", 0):
        lab.place = 0
        lab.written = written
        lab.place = place
        ids = PLAIN.encode("hear me" + written[:place])
        assert np.allclose(lab.chances(), torch_chances(gpt, ids, 1.0, 99), atol=1e-5)
    lab.prompt = "we are"
    assert np.allclose(lab.chances(), torch_chances(gpt, PLAIN.encode("we are"), 1.0, 99), atol=1e-5)


def test_many_draws_come_as_often_as_their_chances_say():
    lab = lab_of(gpt_of(std=0.3), length=3, temperature=1.3, top_k=9)
    N, chances = 4000, lab.chances()
    found = np.zeros(len(chances))
    for seed in range(N):
        lab.seed = seed
        found[lab.drawn()] += 1
    band = 4 * np.sqrt(chances * (1 - chances) / N)  # four times the usual distance
    assert (np.abs(found / N - chances) <= band + 1e-12).all() and np.count_nonzero(found) == 9


def test_the_dice_of_a_seed_are_even():
    dice = np.array([uniform(seed, n) for seed in (1, 2, 77) for n in range(2000)])
    assert dice.min() >= 0 and dice.max() < 1
    assert np.abs(np.histogram(dice, 10, (0, 1))[0] / 6000 - 0.1).max() < 0.016
    assert abs(np.corrcoef(dice[:-1], dice[1:])[0, 1]) < 0.05
    assert abs(np.corrcoef(dice[:2000], dice[2000:4000])[0, 1]) < 0.08


def test_the_same_seed_writes_the_same_text_and_another_seed_another():
    gpt = gpt_of()
    one, same, other = (lab_of(gpt, seed=seed).written for seed in (1, 1, 2))
    assert one == same != other and len(one) == 80


def test_the_surprises_are_minus_the_logarithms_of_the_models_own_shares():
    gpt, text = gpt_of(), "hear me"
    lab = lab_of(gpt, text, length=9, temperature=0.5, top_k=3)
    logits = gpt(torch.tensor([PLAIN.encode(text + lab.written)]))[0][0, len(text) - 1 : -1]
    losses = torch.nn.functional.cross_entropy(logits, torch.tensor(PLAIN.encode(lab.written)), reduction="none")
    assert np.allclose(lab.surprises(), losses.detach(), atol=1e-4)


# -- the lab in Python ----------------------------------------------------------------------------------------


def test_other_models_write_too():
    torch.manual_seed(2)
    body = torch.nn.Sequential(*(reference.Block(12, 2) for _ in range(2)))
    model = reference.AttentionLanguageModel(len(PLAIN), 8, 12, body)
    lab = labs.sampling(model, PLAIN, "hear", length=12)
    ids = PLAIN.encode("hear" + lab.written)
    truth = torch.softmax(model.eval()(torch.tensor([ids[-8:]]))[0][0, -1], -1).detach()
    assert lab.works_alone and len(lab.written) == 12 and np.allclose(lab.chances(), truth, atol=1e-5)


def unmasked():
    torch.manual_seed(2)
    model = reference.AttentionLanguageModel(len(PLAIN), 8, 12, reference.Head(12, 12, causal=False))
    with torch.no_grad():
        for part in model.parameters():
            part.copy_(torch.randn_like(part))
    return model


def test_a_model_without_a_mask_is_read_anew_at_each_place():
    model = unmasked()
    lab = labs.sampling(model, PLAIN, "hear", length=6)
    for place in range(7):
        ids = PLAIN.encode("hear" + lab.written[:place])[-8:]
        truth = torch.softmax(model(torch.tensor([ids]))[0][0, -1], -1).detach()
        assert np.allclose(lab.own_chances(place), truth, atol=1e-4)


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ({"prompt": "heЖr"}, ValueError, "'Ж' in 'heЖr': not among the 28 characters that the model knows"),
        ({"prompt": ""}, ValueError, "the prompt is empty: there must be at least 1 token to go on from"),
        ({"prompt": 7}, TypeError, "a text must be a string, and this is a int"),
        ({"temperature": 0.0}, TraitError, "temperature"),
        ({"temperature": 2.5}, TraitError, "temperature"),
        ({"top_k": 0}, TraitError, "top_k"),
        ({"seed": -1}, TraitError, "seed"),
        ({"length": -1}, ValueError, "length must be a whole number from 0 to 2000, and is -1"),
        ({"length": 2001}, ValueError, "length"),
    ],
    ids=str,
)
def test_bad_arguments_raise_in_the_cell(how, error, words):
    with pytest.raises(error, match=words):
        lab_of(gpt_of(), **how)


def test_a_model_or_tokenizer_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="a Linear has no token_embedding_table"):
        labs.sampling(torch.nn.Linear(2, 2), PLAIN)
    with pytest.raises(ValueError, match="the model knows 28 tokens, and the tokenizer 3"):
        labs.sampling(gpt_of(), CharTokenizer("abc"))


def test_so_many_characters_are_written_as_there_can_be():
    lab = lab_of(gpt_of(), length=3)
    lab.write(0)
    with pytest.raises(TypeError, match="count must be a whole number, and not 2.0"):
        lab.write(2.0)
    with pytest.raises(ValueError, match="count must be 0 or more, and not -1"):
        lab.write(-1)
    assert len(lab.written) == 3


def test_a_top_k_above_the_vocabulary_leaves_all():
    lab = lab_of(gpt_of(), top_k=100)
    assert lab.top_k == len(PLAIN) == np.count_nonzero(lab.chances())
    lab.top_k = 7
    assert np.count_nonzero(lab.chances()) == 7


def test_what_the_page_sends_is_checked_too():
    lab = lab_of(gpt_of(), length=5)
    lab.set_state({"prompt": "we", "written": "are", "place": 3})
    assert (lab.prompt, lab.written, lab.place, lab.problem) == ("we", "are", 3, "")
    for state, words in (
        ({"prompt": ""}, "the prompt is empty"),
        ({"written": "Ж"}, "'Ж'"),
        ({"written": "a" * 2001}, "room for 2000 written characters"),
        ({"place": 4}, "place must be from 0 to 3"),
    ):
        lab.set_state(state)
        assert words in lab.problem and (lab.prompt, lab.written, lab.place) == ("we", "are", 3)
    lab.set_state({"place": 1})
    assert lab.problem == "" and lab.place == 1


def test_the_still_picture_follows_the_state():
    lab = lab_of(gpt_of(), length=30)
    seen = {lab.still().data}
    moves = ("place", 3), ("temperature", 0.4), ("top_k", 5), ("seed", 9), ("prompt", "dear"), ("written", "me\nmine")
    for name, value in moves:
        setattr(lab, name, value)
        seen.add(lab.still().data)
    assert len(seen) == len(moves) + 1
    alt = plain(lab.still().alt)
    assert alt.startswith("A text: 'dearme\\nmine'. Character 4 of the 7 written is “m”, with a share of ")
    assert f"the die is {lab.die():.2f}" in alt and "at temperature 0.4, top-k cuts 23 of the 28: " in alt
    assert f"surprises the model by {np.mean(lab.surprises()):.2f}." in alt
    lab = lab_of(gpt_of(), length=0)
    assert plain(lab.still().alt).startswith(
        f"A text: 'hear me'. The next character will be {plain(lab.names[lab.drawn()])}"
    )


def test_the_still_picture_shows_any_character_and_harms_no_page():
    tokenizer = CharTokenizer(ODD)
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a glyph that is missing
        lab = labs.sampling(gpt_of(len(tokenizer), block_size=64), tokenizer, ODD, length=300)
        bundle = lab._repr_mimebundle_()[0]["text/html"]
    assert "<script" not in bundle and len(bundle) < 250_000


# -- the page -------------------------------------------------------------------------------------------------

SEEN = """() => {
    const all = (css, of) => [...document.querySelectorAll(css)].map(of);
    const text = (one) => one.textContent;
    return {
        prompt: all('.sa-prompt .sa-sign', text).join(''),
        written: all('.sa-written .sa-sign:not(.sa-end)', text).join(''),
        bars: all('.sa-written .sa-sign:not(.sa-end)',
            (one) => parseFloat(one.style.getPropertyValue('--sa-high') || 0)),
        now: all('.sa-now', (one) => Number(one.dataset.place)),
        ids: all('.sa-row', (one) => Number(one.dataset.id)),
        rows: all('.sa-row', (one) => [...one.querySelectorAll('text')].map(text)),
        widths: all('.sa-row',
            (one) => [...one.querySelectorAll('.sa-bar, .sa-own')].map((bar) => bar.width.baseVal.value)),
        here: all('.sa-row', (one) => one.classList.contains('sa-here')).indexOf(true),
        hatched: all('.sa-row', (one) => one.querySelector('.sa-own').style.fill.includes('url')),
        segments: all('.sa-strip > g', (one) => [one.querySelector('rect').x.baseVal.value,
            one.querySelector('rect').width.baseVal.value]),
        hit: all('.sa-strip rect', (one) => one.classList.contains('sa-hit')).indexOf(true),
        die: document.querySelector('.sa-die').getBBox().x + 5.5, said: document.querySelector('.sa-small').textContent,
        width: document.querySelector('.sa-frame').width.baseVal.value + 1,
        title: document.querySelector('.sa-strong').textContent,
        foot: all('.sa-picture svg > g:last-child text', text),
    };
}"""
TRAITS = ("title", "problem", "vocabulary", "labels", "names", "program", "numbers", "prompt", "written", "place",
          "temperature", "top_k", "seed")  # fmt: skip


class SamplingPage(LabPage):
    traits = TRAITS
    moved = ("prompt", "written", "place", "temperature", "top_k", "seed")

    def seen(self):
        return self.page.evaluate(SEEN)

    def wait(self, condition):
        self.page.wait_for_function(condition)
        self.drawn()

    def read(self):
        """Wait until the model has read all that is written."""
        self.wait("() => !document.querySelector('.ll-sentence').textContent.includes('still reading')")

    def until_written(self, count):
        """Wait until the text is so long and nothing more is being written."""
        self.wait(
            f"() => [...model.get('written')].length === {count}"
            " && [...document.querySelectorAll('button')].some((one) => one.textContent === 'Write on')"
        )

    def type(self, text):
        field = self.page.get_by_role("textbox", name="prompt")
        field.fill(text)
        self.drawn()
        return field

    def click(self, css, nth):
        self.page.locator(css).nth(nth).click()
        self.drawn()

    def focused(self):
        return self.page.evaluate("() => ({ ...document.activeElement.dataset })")


show = shows(SamplingPage)


@pytest.fixture(scope="module")
def compute(browser):
    """What the page writes: a function from a lab's state to the text, its chances, and what the cache changes."""
    code = re.sub(
        r"(?m)^export default .*",
        """return ((program, b64, prompt, many, { temperature, top_k, seed }) => {
            const numbers = decode(b64);
            const [text, ids, rows, off] = [reading(program, numbers), [...prompt], [], []];
            for (let n = 0; n < many; n++) {
                text.turnTo([...ids]);
                const logits = text.logits(ids.length);
                const found = candidates(logits, temperature, top_k);
                rows.push([...found.chances]);
                const { mask, divide } = program;
                const fresh = runModel(program, numbers, ids.slice(-program.room), { mask, divide }).logits.at(-1);
                off.push(Math.max(...logits.map((value, i) => Math.abs(value - fresh[i]))));
                ids.push(drawn(found, uniform(seed, n)));
            }
            return [ids.slice(prompt.length), rows, Math.max(0, ...off)];
        });""",
        Sampling._esm,
    )
    page = browser.new_page()
    yield lambda *state: page.evaluate("([code, ...state]) => new Function(code)()(...state)", [code, *state])
    page.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(models, settings_of, st.integers(1, 16))
def test_the_page_writes_what_python_does_with_the_cache_and_without(compute, sizes, how, length):
    gpt, tokenizer = gpt_of(**sizes), letters(sizes["V"])
    lab = labs.sampling(gpt, tokenizer, "ab", **how, length=length)
    asked = how | {"top_k": lab.top_k}
    ids, rows, off = compute(lab.program, lab.numbers, lab.numbers_of("ab"), length, asked)
    assert tokenizer.decode(ids) == lab.written and off < 1e-9
    assert np.allclose(rows, [lab.chances(place) for place in range(length)], atol=1e-6)
    truth = torch_chances(gpt, tokenizer.encode("ab" + lab.written[:-1]), how["temperature"], how["top_k"])
    assert np.allclose(rows[-1], truth, atol=1e-4)


def part(number):
    return "<0.01" if 0 < number < 0.005 else two(number)


def near(shown, number):
    return shown == part(number) or (shown[0] != "<" and abs(float(shown) - number) < 0.0051)


def agrees(page, lab):
    """Compare all that the page shows with the lab in Python, which must be in the same state."""
    page.read()
    seen = page.seen()
    order, chances, own, falls = lab.order(), lab.chances(), lab.own_chances(), lab.drawn()
    end, written = lab.place == len(lab.written), lab.numbers_of(lab.written)
    here = falls if end else written[lab.place]
    sign = {"\n": "⏎\n", " ": "␣"}
    assert seen["prompt"] == "".join(sign.get(one, one) for one in lab.prompt)
    assert seen["written"] == "".join(sign.get(one, one) for one in lab.written) and seen["now"] == [lab.place]
    assert np.allclose(seen["bars"], np.minimum(9, 1.5 * np.array(lab.surprises())), atol=0.26)
    listed = list(order[:12])
    for i in here, falls:
        if i not in listed:
            listed[12:] = [i]
    assert seen["ids"] == listed and seen["here"] == listed.index(here)
    for i, (letter, share, its, mark), widths, hatched in zip(listed, seen["rows"], seen["widths"], seen["hatched"]):
        assert letter == lab.labels[i] and near(its, own[i])
        assert share == "cut" if chances[i] == 0 else near(share, chances[i])
        assert hatched == (chances[i] == 0)
        full = seen["width"] - 38 - 168
        assert widths == pytest.approx([chances[i] * full, max(0.5, own[i] * full)], abs=0.02)
        mine = "◂ next" if end else "◂ drawn" if i == falls else "◂ in text"
        assert mark == (mine if i == here else "▴ die" if i == falls else "")
    assert seen["title"] == ("the next character" if end else f"character {lab.place + 1} of {len(written)}")
    assert (
        seen["die"] == pytest.approx(lab.die() * seen["width"], abs=0.1)
        and seen["said"] == f"the die: {two(lab.die())}"
    )
    x, width = seen["segments"][seen["hit"]]
    ends = np.cumsum(chances[order]) * seen["width"]
    k = list(order).index(falls)
    assert x == pytest.approx(ends[k] - chances[falls] * seen["width"], abs=0.05)
    assert x - 0.05 <= seen["die"] + 0.05 and seen["die"] <= max(x + width, ends[k]) + 0.1


STATES = [
    {},
    {"place": 0},
    {"place": 7, "temperature": 0.4},
    {"place": 30, "temperature": 1.7, "seed": 5},
    {"place": 12, "top_k": 4},
    {"place": 12, "top_k": 1, "temperature": 2.0},
    {"place": 2, "seed": 40, "top_k": 13},
    {"written": "", "place": 0},
    {"written": "zqx\n\n", "place": 1, "temperature": 0.1},
    {"prompt": "a", "written": "b", "place": 1},
    {"prompt": "now is the winter of\nour discontent", "written": "zz", "place": 2},
]


@pytest.mark.parametrize("model", [gpt_of, unmasked])
def test_the_page_shows_what_python_computes(show, model):
    lab = labs.sampling(model(), PLAIN, "hear me", length=30)
    page = show(lab)
    start = {name: getattr(lab, name) for name in SamplingPage.moved}
    for state in STATES:
        both = {**start, **state}
        with lab.hold_trait_notifications():
            for name, value in both.items():
                setattr(lab, name, value)
        page.set(**both)
        agrees(page, lab)


def test_writing_in_the_page_is_writing_in_python(show):
    lab = lab_of(gpt_of(), length=0, seed=3)
    page = show(lab)
    truth = lab_of(gpt_of(), length=81, seed=3).written
    page.press("Write 1")
    assert (page.get("written"), page.get("place")) == (truth[:1], 1)
    page.press("Write 40")
    page.until_written(41)
    page.press("Write 40", key="Space")
    page.until_written(81)
    assert page.get("written") == truth and page.get("place") == 81  # far beyond the block
    agrees(page, page.hear())
    page.press("Back", 2)
    assert page.get("written") == truth[:-2] and page.get("place") == 79
    page.press("Again from the prompt")
    page.until_written(79)
    assert page.get("written") == truth[:-2]
    page.set(seed=4)
    assert page.get("written") == truth[:-2]
    page.press("Again from the prompt")
    page.until_written(79)
    assert page.get("written") == lab_of(gpt_of(), length=79, seed=4).written != truth[:-2]


def test_it_writes_on_until_it_is_stopped(show):
    page = show(lab_of(gpt_of(), length=0))
    page.press("Write on")
    assert page.page.get_by_role("button", name="Stop").is_visible()
    page.wait("() => model.get('written').length >= 4")
    page.press("Stop")
    written = page.get("written")
    page.drawn()
    page.drawn()
    assert page.get("written") == written and page.page.get_by_role("button", name="Write on").is_visible()
    page.press("Write on")
    page.wait(f"() => model.get('written').length > {len(written)}")
    page.press("Back")  # what you do yourself stops it too
    assert page.page.get_by_role("button", name="Write on").is_visible()


@pytest.mark.parametrize("at", [4, 20])  # within the block, and beyond
def test_another_candidate_is_put_there_and_the_rest_is_written_anew(show, at):
    gpt = gpt_of()
    lab = lab_of(gpt, length=30)
    page = show(lab)
    before = page.get("written")
    page.set(place=at)
    nth = next(n for n, i in enumerate(page.seen()["ids"]) if PLAIN.vocabulary[i] != before[at])
    other = PLAIN.vocabulary[page.seen()["ids"][nth]]
    page.click(".sa-row", nth)
    page.until_written(30)
    truth = lab_of(gpt, length=0)
    truth.written = before[:at] + other
    truth.write(29 - at)  # with the same dice, each place its own
    assert page.get("written") == truth.written != before and page.get("place") == at
    assert "◂ in text" in page.seen()["rows"][page.seen()["here"]]
    agrees(page, page.hear())
    # the one that the die falls on, back in its place: the old text is there again
    page.click(".sa-row", [row[3] for row in page.seen()["rows"]].index("▴ die"))
    page.until_written(30)
    assert page.get("written") == before
    page.click(".sa-row", page.seen()["here"])  # it stands there already
    assert page.get("written") == before and page.get("place") == at


def test_at_the_end_a_candidate_is_added(show):
    page = show(lab_of(gpt_of(), length=5))
    before, ids = page.get("written"), page.seen()["ids"]
    page.click(".sa-row", 4)
    assert page.get("written") == before + PLAIN.vocabulary[ids[4]] and page.get("place") == 6
    agrees(page, page.hear())


def test_candidates_by_keys(show):
    page = show(lab_of(gpt_of(), length=5))
    before, ids = page.get("written"), page.seen()["ids"]
    page.page.locator(".sa-row").first.focus()
    for key, row in (
        ("ArrowDown", 1),
        ("ArrowDown", 2),
        ("ArrowUp", 1),
        ("End", len(ids) - 1),
        ("Home", 0),
        ("ArrowUp", 0),
    ):
        page.keys(key)
        assert page.focused()["id"] == str(ids[row])
    page.keys("ArrowDown", "ArrowDown", "Control+Enter", "x")
    assert page.get("written") == before
    page.keys("Enter")
    assert page.get("written") == before + PLAIN.vocabulary[ids[2]]
    ids = page.seen()["ids"]
    page.keys("Space")
    assert page.get("written")[6:] == PLAIN.vocabulary[ids[2]]


def test_the_last_candidate_is_taken_where_there_was_one_more(show):
    page = show(lab_of(gpt_of(), length=0, temperature=2.0))
    seeds = {len(page.set(seed=seed).seen()["ids"]): seed for seed in range(1, 30)}
    page.set(seed=seeds[max(seeds)])
    page.page.locator(".sa-row").first.focus()
    page.keys("End")
    page.set(seed=seeds[min(seeds)])
    ids = page.seen()["ids"]
    page.page.locator(".sa-row[tabindex='0']").focus()
    page.keys("Enter")
    assert max(seeds) > min(seeds) == len(ids) and page.get("written") == PLAIN.vocabulary[ids[-1]]


def test_a_key_does_not_wait_for_the_frame(show):
    page = show(lab_of(gpt_of(), length=5))
    page.page.locator(".sa-now").focus()
    one = page.page.get_by_role("button", name="Write 1").element_handle()
    end = "document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {key: 'End', bubbles: true}))"
    page.page.evaluate(f"one => {{ one.click(); {end}; }}", one)  # the new place has no element yet
    page.drawn()
    assert page.get("place") == 6 and page.focused()["place"] == "5"


def test_the_text_by_keys_and_pointer(show):
    lab = lab_of(gpt_of(), length=30)
    page = show(lab)
    page.click(".sa-written .sa-sign", 4)
    assert page.get("place") == 4 and page.seen()["now"] == [4]
    page.page.locator(".sa-now").focus()
    moves = (
        ("ArrowRight", 5),
        ("ArrowLeft", 4),
        ("ArrowUp", 3),
        ("Home", 0),
        ("ArrowLeft", 0),
        ("End", 30),
        ("ArrowDown", 30),
    )
    for key, place in moves:
        page.keys(key)
        assert page.get("place") == place and page.focused()["place"] == str(place)
        agrees(page, page.hear())
    page.keys("Control+ArrowLeft", "x")
    assert page.get("place") == 30 and page.page.locator(".sa-written [tabindex='0']").count() == 1
    page.click(".sa-prompt .sa-sign", 1)
    assert page.get("place") == 30


def test_the_prompt_is_followed_at_every_key(show):
    page = show(lab_of(gpt_of(), length=30))
    page.page.get_by_role("textbox", name="prompt").focus()
    page.keys("End", "z")
    assert (page.get("prompt"), page.get("written"), page.get("place")) == ("hear mez", "", 0)
    assert page.say().startswith("The die of the next place is ") and "Nothing is written yet." in page.say()
    agrees(page, page.hear())
    page.press("add ⏎")
    assert page.get("prompt") == "hear mez\n" and page.seen()["prompt"] == "hear␣mez⏎\n"
    page.page.get_by_role("textbox", name="prompt").focus()
    page.keys("Enter")
    page.until_written(40)
    assert page.get("written") == lab_of(gpt_of(), "hear mez\n", length=40).written


def test_what_cannot_be_read_is_told_and_the_picture_stays(show):
    page = show(lab_of(gpt_of(), length=20))
    page.read()
    before = page.seen()
    field = page.type("hear Жé")
    assert plain(page.say()).startswith(
        "“Ж” and “é” are not among the 28 characters that the model knows: the picture stays with the last prompt"
    )
    assert field.get_attribute("aria-invalid") == "true" and field.input_value() == "hear Жé"
    page.keys("Enter")
    assert page.seen() == before and page.get("prompt") == "hear me"
    field = page.type("")
    assert page.say().startswith("The prompt is empty, and the model needs at least 1 token to go on from: the picture")
    page.keys("Enter")
    assert page.seen() == before and field.get_attribute("aria-invalid") == "true" and page.get("prompt") == "hear me"
    page.press("Write 1")  # all else goes on
    assert len(page.get("written")) == 21 and page.say().startswith("The prompt is empty")
    page.type("hear")
    assert field.get_attribute("aria-invalid") is None and page.get("prompt") == "hear"
    assert "empty" not in page.say() and "among" not in page.say()


def test_sliders_are_moved_by_keys_and_sent(show):
    page = show(lab_of(gpt_of(), length=10))
    for name, key in ("temperature", "Home"), ("top-k", "Home"), ("seed", "End"):
        page.press(name, key=key, role="slider")
    assert (page.get("temperature"), page.get("top_k"), page.get("seed")) == (0.1, 1, 50)
    page.page.wait_for_function("() => window.sent.length && window.sent.at(-1).seed === 50")
    agrees(page, page.hear())
    page.press("top-k", key="End", role="slider")
    assert page.get("top_k") == 28
    assert page.page.get_by_role("slider", name="top-k").get_attribute("aria-valuetext") == "all 28"
    page.press("temperature", key="End", role="slider")
    agrees(page, page.hear())


# -- what it says -------------------------------------------------------------------------------------------


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    place=st.integers(0, 30),
    temperature=st.sampled_from([0.1, 0.7, 1.0, 1.6]),
    k=st.integers(1, 28),
    seed=st.integers(1, 50),
)
def test_the_sentence_is_true(said_page, place, temperature, k, seed):
    page = said_page
    lab = page.lab
    lab.place, lab.temperature, lab.top_k, lab.seed = place, temperature, k, seed
    page.set(place=place, temperature=temperature, top_k=k, seed=seed)
    page.read()
    said, names = plain(page.say()), [plain(name) for name in lab.names]
    chances, own, falls = lab.chances(), lab.own_chances(), lab.drawn()
    here = falls if place == 30 else lab.numbers_of(lab.written)[place]
    if place == 30:
        where = f"The die of the next place is {two(lab.die())}: it falls on {names[here]}, which has a share"
        assert said.startswith(where)
    else:
        assert said.startswith(f"Character {place + 1} of the 30 that are written is {names[here]}")
        assert (f"and the die, {two(lab.die())}, fell on it." in said) == (here == falls)
        assert (f"The die, {two(lab.die())}, would fall on {names[falls]}." in said) == (here != falls)
        assert ("which top-k cuts now" in said) == (chances[here] == 0)
    if chances[here] > 0:
        share = float(re.search(r"share of (?:below )?([\d.]+)", said).group(1).rstrip("."))
        assert abs(share - chances[here]) < 0.0051 or chances[here] < 0.01
        assert ("without temperature and top-k" in said) == (abs(chances[here] - own[here]) >= 0.005)
    assert ("there is no choice" in said) == (k == 1)
    if 1 < k < 28:
        lost = own[chances == 0].sum()
        words = rf"Top-k leaves {k} of the 28 characters; those that are cut had (below 0.01|[\d.]+) together"
        found = re.search(words, said)
        assert (found.group(1) == "below 0.01") if lost < 0.005 else abs(float(found.group(1)) - lost) < 0.0051
    assert ("Top-k" in said) == (k < 28)
    assert ("makes the probable more probable" in said) == (temperature < 1 and k > 1)
    assert ("closer together" in said) == (temperature > 1 and k > 1)
    assert f"The 30 characters written surprise the model by {np.mean(lab.surprises()):.2f} on average" in said
    assert (f"Of the {7 + place} characters before this place the model sees the last 16: its block size." in said) == (
        7 + place > 16
    )


@pytest.fixture
def said_page(show):
    return show(lab_of(gpt_of(), length=30))


# -- extremes -----------------------------------------------------------------------------------------------


def test_a_full_text_says_so(show):
    page = show(lab_of(gpt_of(), length=0))
    page.set(written="hear " * 400, place=2000)
    assert page.say().startswith("The lab has room for 2,000 characters: nothing more is written.")
    for name in "Write 1", "Write 40", "Write on":
        button = page.page.get_by_role("button", name=name, exact=True)
        assert button.get_attribute("aria-disabled") == "true"
        page.press(name)
    page.click(".sa-row", 3)
    assert page.get("written") == "hear " * 400
    page.press("Back")
    assert len(page.get("written")) == 1999 and page.get("place") == 1999
    page.press("Write 40")
    page.until_written(2000)


def test_a_vocabulary_of_one_and_a_block_of_one(show):
    tokenizer = CharTokenizer("a")
    page = show(labs.sampling(gpt_of(1, block_size=1), tokenizer, "aa", length=3))
    assert page.get("written") == "aaa" and page.seen()["foot"] == ["and no other", "all 1 can come"]
    assert "the model sees the last one: its block size" in page.say()
    page.press("Write 1")
    assert page.get("written") == "aaaa"


def test_very_large_logits_do_not_overflow(show):
    gpt = gpt_of()
    with torch.no_grad():
        gpt.lm_head.weight *= 400
    lab = lab_of(gpt, length=20, temperature=0.1)
    page = show(lab)
    for place in 0, 9, 20:
        lab.place = place
        page.set(place=place)
        agrees(page, lab)
    assert "NaN" not in page.say() and "Infinity" not in page.say()


def test_back_and_again_with_nothing_written(show):
    page = show(lab_of(gpt_of(), length=0))
    back = page.page.get_by_role("button", name="Back", exact=True)
    assert back.get_attribute("aria-disabled") == "true"
    page.press("Back")
    assert page.get("written") == ""
    page.press("Again from the prompt")
    page.until_written(40)
    assert back.get_attribute("aria-disabled") is None


@pytest.mark.parametrize("width", [1000, 600])
def test_any_character_is_text(show, width):
    tokenizer = CharTokenizer(ODD)
    lab = labs.sampling(gpt_of(len(tokenizer), block_size=32, std=0.1), tokenizer, ODD, length=60)
    page = show(lab, width=width)
    page.set(written=ODD, place=3)
    for text in "<script>", "שלום", "مرحبا", "👩\u200d🚀", "e\u0301", "\n\t ", "$x$", "&amp;":
        page.type(text.replace("\n", "⏎").replace("\t", "⇥"))
        assert page.get("prompt") == text
        assert page.seen()["prompt"].replace("⏎\n", "⏎") == "".join(lab.labels[i] for i in tokenizer.encode(text))
        page.press("Write 1", 3)
        ids = tokenizer.encode(page.get("written"))
        assert page.seen()["written"].replace("⏎\n", "⏎") == "".join(lab.labels[i] for i in ids)
    assert page.page.evaluate("() => document.querySelectorAll('.ll-lab script, .ll-lab b, .ll-lab img').length") == 0
    assert page.page.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0


def test_a_lab_that_is_taken_away_does_nothing_more(show):
    page = show(lab_of(gpt_of(), length=0))
    page.press("Write on")
    page.dispose()
    draws, written = page.page.locator(".ll-lab").get_attribute("data-draws"), page.get("written")
    page.set(place=0)
    page.drawn()
    assert page.page.locator(".ll-lab").get_attribute("data-draws") == draws and page.get("written") == written


def test_it_works_in_a_page_without_python(browser, tmp_path):
    state = {name: value for name, value in lab_of(gpt_of()).get_state().items() if not name.startswith("_dom")}
    (tmp_path / "page.html").write_text(f"<meta charset='utf-8'>{live(state, 'lab')}", encoding="utf-8")
    page, errors = browser.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((tmp_path / "page.html").as_uri())
    page.locator(".ll-lab:not([data-draws='0'])").wait_for()
    page.get_by_role("textbox", name="prompt").fill("me")
    page.get_by_role("textbox", name="prompt").press("Enter")
    page.locator(".ll-sentence", has_text="The 40 characters written surprise").wait_for()
    written = page.evaluate(SEEN)["written"].replace("⏎\n", "\n").replace("␣", " ")
    assert written == lab_of(gpt_of(), "me", length=40).written
    assert errors == []
    page.close()


# -- looks -----------------------------------------------------------------------------------------------------

BOXES = """() => {
    const svg = document.querySelector('.sa-picture svg').getBoundingClientRect();
    const box = (element) => ({ text: element.textContent, ...element.getBoundingClientRect().toJSON() });
    const all = [...document.querySelectorAll('.sa-picture svg text')].filter((one) => one.textContent.trim()).map(box);
    const stage = document.querySelector('.ll-stage');
    const text = document.querySelector('.sa-text').getBoundingClientRect();
    const now = document.querySelector('.sa-now').getBoundingClientRect();
    return {
        texts: all,
        cut: all.filter((one) => one.left < svg.left - 1 || one.right > svg.right + 1
            || one.top < svg.top - 1 || one.bottom > svg.bottom + 1),
        overflow: document.documentElement.scrollWidth - innerWidth, scroll: stage.scrollWidth - stage.clientWidth,
        hidden: now.top < text.top || now.bottom > text.bottom + 1,
        height: document.querySelector('.ll-lab').getBoundingClientRect().height,
    };
}"""


@pytest.mark.parametrize("width", [1280, 1000, 860, 800, 600])
def test_nothing_is_cut_or_overlaps_or_jumps(show, width):
    gpt = gpt_of(std=0.3)
    page = show(lab_of(gpt, length=0), width=width)
    heights = set()
    text = lab_of(gpt, length=300, temperature=2.0).written
    for n, (place, k) in enumerate([(0, 28), (5, 1), (41, 5), (299, 20), (300, 27)]):
        for temperature in 0.1, 1.0, 2.0:
            page.set(prompt="hear me " * (60 * n + 1), written=text, place=place, seed=n + 7)
            page.set(temperature=temperature, top_k=k)
            seen = page.page.evaluate(BOXES)
            assert seen["cut"] == [] and seen["overflow"] <= 0 and seen["scroll"] <= 0 and not seen["hidden"]
            texts = seen["texts"]
            pairs = [(a, b) for n, a in enumerate(texts) for b in texts[:n] if overlap(a, b, lower=4)]
            assert [(a["text"], b["text"]) for a, b in pairs] == []
            heights.add(seen["height"])
    page.set(prompt="a", written="", place=0)
    heights.add(page.page.evaluate(BOXES)["height"])
    assert len(heights) == 1


def test_a_draw_makes_no_more_than_is_new(show):
    gpt, tokenizer = restore()
    page = show(labs.sampling(gpt, tokenizer, "ROMEO:", length=0))
    find = "() => { window.one = [...document.querySelectorAll('button')].find((b) => b.textContent === 'Write 1'); }"
    page.page.evaluate(find)
    # each move writes a character: the model is run for it, and all of the picture is drawn
    assert len(page.drawing_times(60, "one.click();")) >= 58
    assert len(page.get("written")) == 60 and page.made <= 60 * 6, "what was written before stays as it is"
    assert len(page.drawing_times(40, "model.set('temperature', 0.5 + n / 40);")) >= 39
    assert page.made == 0, "a drawing moves the elements that it has"


def test_the_mean_surprise_of_a_text_from_python_is_read_bit_by_bit(show):
    lab = lab_of(gpt_of(), length=60)
    page = show(lab)
    page.wait("() => document.querySelector('.ll-sentence').textContent.includes('on average')")
    mean = np.mean(lab.surprises())
    assert f"by {mean:.2f} on average" in page.say() and math.isfinite(mean)
    agrees(page, lab)
