"""The attention lab: models read into steps, these against torch, the page against Python, all that can be done."""

import copy
import json
import re
import types
import warnings

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn
from traitlets import TraitError

from lesson_lib import attention as reference
from lesson_lib import labs
from lesson_lib.gpt import GPT
from lesson_lib.labs import attention_model
from lesson_lib.labs.attention import EXAMPLES, Attention
from lesson_lib.labs.export import live
from lesson_lib.labs.tokens import two
from lesson_lib.text import CharTokenizer
from lesson_lib.training import restore
from tests.lab_page import LabPage, overlap, shows
from tests.test_gpt import readable

# markup, Hebrew, Arabic, emoji of several code points, a combining mark, a line end, a tab, a space, a formula
ODD = "<script>alert(1)</script> שלום مرحبا 👩\u200d🚀e\u0301\n\t$x$&amp;"
PLAIN = CharTokenizer("First Citizen:\nBefore we proceed any further, hear me speak.KING dlmo")
V_PLAIN = len(PLAIN)


def plain(text):
    """Return the text without the signs that isolate a token from what is around it."""
    return text.replace("\u2068", "").replace("\u2069", "")


def model_of(body, V=V_PLAIN, block_size=8, n_embd=12, seed=1, strength=1.0):
    """Return a model around the body, with all its numbers drawn anew: those of a new one hardly make a difference."""
    torch.manual_seed(seed)
    model = reference.AttentionLanguageModel(V, block_size, n_embd, body)
    with torch.no_grad():
        for parameter in model.parameters():
            width = parameter.shape[-1] if parameter.dim() > 1 else 4
            parameter.copy_(torch.randn_like(parameter) * strength * width**-0.5 + (parameter.dim() == 1) * 0.5)
    return model


# what a learner might have in the notebook, under other names of classes


class MyHead(nn.Module):
    """The head of the lesson's first steps: no division, and a mask or none."""

    def __init__(self, n_embd, head_size, divide=False, mask=True, value_size=None):
        super().__init__()
        self.key = nn.Linear(n_embd, head_size, bias=False)
        self.query = nn.Linear(n_embd, head_size, bias=True)
        self.value = nn.Linear(n_embd, value_size or head_size, bias=False)
        self.dropout = nn.Dropout(0.5)
        self.divide, self.mask = divide, mask

    def forward(self, x):
        scores = self.query(x) @ self.key(x).transpose(-2, -1)
        if self.divide:
            scores = scores / self.key.out_features**0.5
        if self.mask:
            T = x.shape[1]
            scores = scores.masked_fill(torch.tril(torch.ones(T, T)) == 0, -torch.inf)
        return self.dropout(torch.softmax(scores, -1)) @ self.value(x)


class MyHeads(nn.Module):
    def __init__(self, n_embd, n_head, proj=True, **how):
        super().__init__()
        self.heads = nn.ModuleList([MyHead(n_embd, n_embd // n_head, **how) for _ in range(n_head)])
        if proj:
            self.proj = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        out = torch.cat([head(x) for head in self.heads], dim=-1)
        return self.proj(out) if hasattr(self, "proj") else out


class MyFeedForward(nn.Module):
    """One layer and a relu after it."""

    def __init__(self, n_embd):
        super().__init__()
        self.layer = nn.Linear(n_embd, n_embd)

    def forward(self, x):
        return self.layer(x).relu()


class LectureFeedForward(nn.Module):
    def __init__(self, n_embd):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(n_embd, 4 * n_embd), nn.ReLU(), nn.Linear(4 * n_embd, n_embd), nn.Dropout(0.2)
        )

    def forward(self, x):
        return self.net(x)


class MyBlock(nn.Module):
    """A block with or without the sums, normalized nowhere, before or after."""

    def __init__(self, n_embd, n_head, add=True, norm=None):
        super().__init__()
        self.attention = MyHeads(n_embd, n_head)
        self.feed_forward = MyFeedForward(n_embd)
        self.add, self.norm = add, norm
        if norm:
            self.norm1, self.norm2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)

    def forward(self, x):
        if self.norm == "after":
            x = self.norm1(x + self.attention(x))
            return self.norm2(x + self.feed_forward(x))
        one, two = (self.norm1, self.norm2) if self.norm else (nn.Identity(), nn.Identity())
        if self.add:
            x = x + self.attention(one(x))
            return x + self.feed_forward(two(x))
        return self.feed_forward(two(self.attention(one(x))))


class Beside(nn.Module):
    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return x + self.body(x)


class Bare(reference.Block):
    """A block that has norms, and leaves them out."""

    def forward(self, x):
        x = x + self.attention(x)
        return x + self.feed_forward(x)


class LectureBlock(nn.Module):
    def __init__(self, n_embd, n_head):
        super().__init__()
        self.sa, self.ffwd = MyHeads(n_embd, n_head, divide=True), LectureFeedForward(n_embd)
        self.ln1, self.ln2 = nn.LayerNorm(n_embd), nn.LayerNorm(n_embd)

    def forward(self, x):
        x = x + self.sa(self.ln1(x))
        return x + self.ffwd(self.ln2(x))


BODIES = {
    "head": (lambda: reference.Head(12, 12), [1], True, True),
    "head without a mask": (lambda: reference.Head(12, 12, causal=False), [1], False, True),
    "fused head": (lambda: reference.Head(12, 12, attend=reference.fused_attention), [1], True, True),
    "heads": (lambda: reference.MultiHeadAttention(12, 3), [3], True, True),
    "blocks": (lambda: nn.Sequential(*(reference.Block(12, 4) for _ in range(3))), [4, 4, 4], True, True),
    "different layers": (
        lambda: nn.Sequential(reference.Block(12, 2), reference.Block(12, 3), reference.Head(12, 12)),
        [2, 3, 1], True, True,
    ),
    "my head": (lambda: MyHead(12, 12), [1], True, False),
    "my head, divided": (lambda: MyHead(12, 12, divide=True), [1], True, True),
    "my head, nothing": (lambda: MyHead(12, 12, mask=False), [1], False, False),
    "my heads": (lambda: MyHeads(12, 4, proj=False), [4], True, False),
    "my heads and projection": (lambda: MyHeads(12, 2), [2], True, False),
    "attention and a network": (
        lambda: nn.Sequential(MyHeads(12, 2), MyFeedForward(12), nn.Identity()), [2], True, False
    ),
    "values of another size": (
        lambda: nn.Sequential(MyHeads(12, 3, proj=False, value_size=5), nn.Linear(15, 12)), [3], True, False
    ),
    "my block, no sums": (lambda: nn.Sequential(*(MyBlock(12, 2, add=False) for _ in range(3))), [2] * 3, True, False),
    "my block": (lambda: nn.Sequential(MyBlock(12, 2), MyBlock(12, 3)), [2, 3], True, False),
    "my block, norm before": (lambda: MyBlock(12, 2, norm="before"), [2], True, False),
    "my block, norm after": (lambda: MyBlock(12, 2, norm="after"), [2], True, False),
    "a block without its norms": (lambda: Bare(12, 3), [3], True, True),
    "my sum": (lambda: Beside(reference.Head(12, 12)), [1], True, True),
    "the lecture's": (lambda: nn.Sequential(*(LectureBlock(12, 2) for _ in range(2))), [2, 2], True, True),
}  # fmt: skip


# -- reading a model --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", BODIES)
def test_any_model_of_readable_parts_is_computed_as_torch_does(name):
    make, heads, mask, divide = BODIES[name]
    model = model_of(make()).eval()
    program, numbers = attention_model.read(model)
    assert (program["heads"], program["mask"], program["divide"]) == (heads, mask, divide)
    json.dumps(program, allow_nan=False)
    for ids in [3], [5, 5], [0, 9, 4, 4, 17, 2, 1, 8]:
        idx = torch.tensor([ids])
        logits, maps = attention_model.run(program, numbers, ids)
        assert np.allclose(logits, model(idx)[0][0].detach(), atol=1e-5)
        if all(hasattr(one, "attend") for one in model.modules() if hasattr(one, "query")):
            truth = [one.view(-1, len(ids), len(ids)) for one in reference.attention_maps(model, idx)]
            assert all(np.allclose(ours, its, atol=1e-5) for ours, its in zip(maps, truth, strict=True))


models = st.builds(
    dict,
    layers=st.integers(1, 3), n_head=st.sampled_from([1, 2, 3, 4, 6]), block_size=st.integers(2, 9),
    V=st.integers(2, 20), strength=st.floats(0.1, 3), seed=st.integers(0, 99), T=st.integers(1, 9),
)  # fmt: skip


def drawn(layers, n_head, block_size, V, strength, seed, T):
    body = nn.Sequential(*(reference.Block(12, n_head) for _ in range(layers)))
    model = model_of(body, V, block_size, 12, seed, strength)
    ids = torch.randint(V, (min(T, block_size),), generator=torch.Generator().manual_seed(seed)).tolist()
    return model, ids


@settings(max_examples=40)
@given(models, st.booleans(), st.booleans())
def test_the_maps_are_those_of_attention_maps(sizes, mask, divide):
    model, ids = drawn(**sizes)
    program, numbers = attention_model.read(model)
    logits, maps = attention_model.run(program, numbers, ids, mask, divide)
    for module in model.modules():  # what the switches mean: in all layers
        if isinstance(module, reference.MultiHeadAttention):
            module.causal = mask
            if not divide:
                with torch.no_grad():
                    module.query.weight *= (12 / module.n_head) ** 0.5
    truth = reference.attention_maps(model, torch.tensor([ids]))
    assert all(np.allclose(ours, its[0], atol=1e-5) for ours, its in zip(maps, truth, strict=True))
    assert np.allclose(logits, model(torch.tensor([ids]))[0][0].detach(), atol=1e-4)


# -- a GPT ---------------------------------------------------------------------------------------------------

gpts = st.builds(
    dict,
    block_size=st.integers(2, 9), n_layer=st.integers(1, 3), n_head=st.sampled_from([1, 2, 3, 4]),
    std=st.floats(0.05, 0.7), seed=st.integers(0, 99), T=st.integers(1, 9),
)  # fmt: skip


def gpt_of(block_size, n_layer, n_head, std, seed, T=1):
    torch.manual_seed(seed)
    gpt = GPT(11, block_size, n_layer, n_head, 12, dropout=0.3, std=std)
    with torch.no_grad():  # norms and biases that do something
        for part in gpt.parameters():
            if part.dim() == 1:
                part.add_(0.3 * torch.randn_like(part))
    ids = torch.randint(11, (min(T, block_size),), generator=torch.Generator().manual_seed(seed)).tolist()
    return gpt, ids


@settings(max_examples=40)
@given(gpts)
def test_a_gpt_is_computed_as_torch_does(sizes):
    gpt, ids = gpt_of(**sizes)
    program, numbers = attention_model.read(gpt)
    assert gpt.training and (program["mask"], program["divide"]) == (True, True)
    logits, maps = attention_model.run(program, numbers, ids)
    idx, gpt = torch.tensor([ids]), gpt.double().eval()
    assert np.allclose(logits, gpt(idx)[0][0].detach(), atol=1e-5)
    truth = reference.attention_maps(readable(gpt), idx)
    assert len(maps) == sizes["n_layer"]
    assert all(np.allclose(ours, its[0], atol=1e-5) for ours, its in zip(maps, truth, strict=True))


@settings(max_examples=40)
@given(gpts, st.lists(st.integers(1, 3), min_size=1, max_size=9))
def test_with_the_cache_the_numbers_are_the_same(sizes, parts):
    gpt, ids = gpt_of(**sizes)
    program, numbers = attention_model.read(gpt)
    logits, maps = attention_model.run(program, numbers, ids)
    cache, found, at = {}, [], 0
    for size in parts:
        if at < len(ids):
            found.append(attention_model.run(program, numbers, ids[at : at + size], cache=cache))
            at += size
    assert np.allclose(np.concatenate([one for one, _ in found]), logits[:at], atol=1e-12)
    last = found[-1][1][-1]  # the weights of the newest tokens, over all so far
    assert np.allclose(last, maps[-1][:, : last.shape[2], : last.shape[2]][:, -last.shape[1] :], atol=1e-12)


class MyGPT(nn.Module):
    """A learner's own, with the names of the lecture: blocks one after the other, then a layer norm."""

    def __init__(self, last=True):
        super().__init__()
        self.block_size = 8
        self.token_embedding_table = nn.Embedding(V_PLAIN, 12)
        self.position_embedding_table = nn.Embedding(8, 12)
        self.blocks = nn.Sequential(*(LectureBlock(12, 3) for _ in range(2)))
        if last:
            self.ln_f = nn.LayerNorm(12)
        self.lm_head = nn.Linear(12, V_PLAIN)

    def forward(self, idx):
        x = self.token_embedding_table(idx) + self.position_embedding_table(torch.arange(idx.shape[1]))
        x = self.blocks(x)
        return self.lm_head(self.ln_f(x) if hasattr(self, "ln_f") else x)


class Biased(nn.Module):
    """A fused attention with biases, and no division."""

    def __init__(self):
        super().__init__()
        self.n_head = 2
        self.qkv = nn.Linear(12, 36)

    def forward(self, x):
        q, k, v = (reference.split_heads(part, 2) for part in self.qkv(x).chunk(3, dim=-1))
        scores = (q @ k.transpose(-2, -1)).masked_fill(~torch.ones(x.shape[1], x.shape[1]).tril().bool(), -torch.inf)
        return reference.join_heads(scores.softmax(-1) @ v)


@pytest.mark.parametrize("last", [True, False])
def test_a_gpt_of_the_learner_will_do(last):
    torch.manual_seed(3)
    model = MyGPT(last)
    ids = PLAIN.encode("First Ci")
    found, _ = attention_model.run(*attention_model.read(model), ids)
    assert np.allclose(found, model.eval()(torch.tensor([ids]))[0].detach(), atol=1e-5)


def test_a_fused_attention_may_have_biases_and_must_have_three_parts():
    program, numbers = attention_model.read(model_of(Biased()))
    assert (program["heads"], program["mask"], program["divide"]) == ([2], True, False)
    odd = Biased()
    odd.qkv = nn.Linear(12, 35)
    with pytest.raises(ValueError, match="the qkv of a Biased gives 35 numbers, which is no multiple of 3"):
        attention_model.read(model_of(odd))


def test_the_trained_gpt_is_opened():
    gpt, tokenizer = restore()
    lab = labs.attention(gpt, tokenizer, "ROMEO:\nWhat")
    assert lab.program["room"] == 64 < gpt.block_size and len(lab.maps()) == len(gpt.blocks)
    chances = torch.softmax(gpt(torch.tensor([lab.ids()]))[0][0], -1).detach()
    assert np.allclose(lab.next_probabilities(), chances, atol=1e-4)
    assert attention_model.read(gpt, None)[0]["room"] == gpt.block_size


def test_reading_leaves_everything_as_it_was():
    model = model_of(nn.Sequential(LectureBlock(12, 2), nn.Dropout(0.5)))
    model.train()
    model.body[1].eval()
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    attention_model.read(model)
    assert torch.equal(torch.get_rng_state(), state) and torch.is_grad_enabled()
    assert model.training and model.body[0].training and not model.body[1].training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_are_read(dtype):
    model = model_of(reference.Block(12, 2)).to(dtype)
    program, numbers = attention_model.read(model)
    assert numbers.dtype == np.float32 and np.isfinite(attention_model.run(program, numbers, [1, 2])[0]).all()


class Sneaky(reference.AttentionLanguageModel):
    def forward(self, idx, targets=None):
        logits, loss = super().forward(idx, targets)
        return 2 * logits, loss


class Strange(nn.Module):
    def forward(self, x):
        return x


class Odd(MyHead):
    def forward(self, x):
        return super().forward(x).tanh()


@pytest.mark.parametrize(
    ("body", "error", "words"),
    [
        (lambda: nn.GELU(), TypeError, "cannot read a GELU. It can read attention"),
        (lambda: nn.Sequential(reference.Head(12, 12), Strange()), TypeError, "cannot read a Strange"),
        (lambda: Odd(12, 12), TypeError, "cannot read a Odd: it computes something else"),
        (lambda: nn.Linear(12, 12), ValueError, "has no attention: there is no map to show"),
        (lambda: nn.Sequential(MyHead(12, 12), MyHead(12, 12, divide=True)), ValueError, "divide their scores"),
        (
            lambda: nn.Sequential(MyHead(12, 12), MyHead(12, 12, mask=False)),
            ValueError,
            "hide the future, others do not",
        ),
        (
            lambda: nn.Sequential(nn.Linear(12, 50_000), nn.Linear(50_000, 12)),
            ValueError,
            "more than 1,000,000 numbers",
        ),
    ],
    ids=["gelu", "strange", "odd", "none", "divide", "mask", "large"],
)
def test_what_cannot_be_read_is_refused(body, error, words):
    with pytest.raises(error, match=words):
        attention_model.read(model_of(body()))


def test_models_that_are_wrong_are_refused():
    with pytest.raises(TypeError, match="a Linear has no token_embedding_table"):
        labs.attention(nn.Linear(2, 2), PLAIN)
    with pytest.raises(TypeError, match="must be a PyTorch module, and this is a SimpleNamespace"):
        labs.attention(types.SimpleNamespace(**vars(model_of(nn.Identity()))["_modules"], block_size=8), PLAIN)
    bodiless = model_of(reference.Head(12, 12))
    del bodiless.body
    with pytest.raises(TypeError, match="a AttentionLanguageModel has no body and no blocks"):
        labs.attention(bodiless, PLAIN)
    torch.manual_seed(1)
    with pytest.raises(ValueError, match="your Sneaky, one after the other, give logits that are off by up to"):
        labs.attention(Sneaky(len(PLAIN), 8, 12, reference.Head(12, 12)), PLAIN)
    broken = model_of(reference.Head(12, 12))
    with torch.no_grad():
        broken.lm_head.bias[0] = torch.nan
    with pytest.raises(ValueError, match="not finite"):
        labs.attention(broken, PLAIN)
    many = model_of(nn.Sequential(*(reference.Head(12, 12) for _ in range(13))))
    with pytest.raises(ValueError, match="room for 12 layers"):
        labs.attention(many, PLAIN)
    uneven = MyHeads(12, 2, proj=False)
    uneven.heads[1] = MyHead(12, 4)
    with pytest.raises(ValueError, match="must all be of one size"):
        labs.attention(model_of(nn.Sequential(uneven, nn.Linear(10, 12))), PLAIN)


# -- the lab in Python ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def blocks():
    """A model of 3 layers of 4 heads, and another of the same parts."""
    return [
        model_of(nn.Sequential(*(reference.Block(12, 4) for _ in range(3))), seed=seed, strength=1.5) for seed in (1, 2)
    ]


def lab_of(blocks, text="First Ci", **how):
    return labs.attention(blocks[0], PLAIN, text, untrained=blocks[1], **how)


def test_the_lab_shows_the_models_maps_and_chances(blocks):
    lab = lab_of(blocks)
    assert isinstance(lab, Attention) and lab.works_alone and (lab.position, lab.layer, lab.head) == (8, 1, 1)
    idx = torch.tensor([PLAIN.encode("First Ci")])
    for trained, model in zip((True, False), blocks):
        lab.trained = trained
        truth = reference.attention_maps(model, idx)
        assert all(np.allclose(ours, its[0], atol=1e-5) for ours, its in zip(lab.maps(), truth, strict=True))
        chances = torch.softmax(model(idx)[0][0], -1).detach()
        assert np.allclose(lab.next_probabilities(), chances, atol=1e-5)
    lab.mask = False
    assert np.allclose(lab.average(), 1 / 8) and np.count_nonzero(lab.maps()[0] > 0) == 4 * 64


def test_the_numbers_of_a_model_of_the_other_kind_begin_as_it_does():
    lab = labs.attention(model_of(MyHead(12, 12, mask=False)), PLAIN)
    assert (lab.mask, lab.divide) == (False, False) and lab.untrained_numbers == ""
    with pytest.raises(TraitError, match="there is no untrained model to show"):
        lab.trained = False


def test_a_longer_text_counts_from_its_end(blocks):
    lab, short = lab_of(blocks, "Before we proceed"), lab_of(blocks, " proceed")
    assert lab.ids() == short.ids() and len(lab.ids()) == 8
    assert np.allclose(lab.maps(), short.maps())
    long = labs.attention(model_of(reference.Head(12, 12), block_size=200), PLAIN, "hear " * 40)
    assert len(long.ids()) == 64 and long.maps()[0].shape == (1, 64, 64)


def test_an_empty_text_is_one_with_nothing_to_attend_to(blocks):
    lab = lab_of(blocks, "")
    assert lab.position == 1 and lab.still().alt == "The text is empty: there is nothing to attend to."
    lab.text = "hear"
    assert "position 1 of 4" in lab.still().alt


@pytest.mark.parametrize(
    ("how", "error", "words"),
    [
        ({"text": "ж and é"}, ValueError, "'ж', 'é' in 'ж and é': not among the 28 characters that the model knows"),
        ({"text": 7}, TypeError, "a text must be a string, and this is a int"),
        ({"examples": "hear"}, TypeError, "examples must be a list of texts, and not 'hear'"),
        ({"examples": ["hear", "Ω"]}, ValueError, "'Ω' in 'Ω'"),
        ({"position": 9}, TraitError, "position must be from 1 to 8 in this text: it is 9"),
        ({"position": 0}, TraitError, "position"),
        ({"layer": 4}, TraitError, "layer must be from 1 to 3"),
        ({"head": 5}, TraitError, "head must be from 1 to 4"),
    ],
    ids=str,
)
def test_bad_arguments_raise_in_the_cell(blocks, how, error, words):
    words = words.replace("28", str(len(PLAIN)))
    with pytest.raises(error, match=re.escape(words) if "must" in words or "'" in words else words):
        lab_of(blocks, **how)


def test_another_untrained_model_and_another_tokenizer_are_refused(blocks):
    with pytest.raises(ValueError, match="must have the same parts"):
        labs.attention(blocks[0], PLAIN, untrained=model_of(reference.Block(12, 4)))
    with pytest.raises(ValueError, match=f"the model knows {len(PLAIN)} tokens, and the tokenizer 3"):
        labs.attention(blocks[0], CharTokenizer("abc"))
    with pytest.raises(TypeError, match="and a int has not"):
        labs.attention(blocks[0], 3)

    class Pairs:
        vocabulary = ["th", "e"]

        def encode(self, text):
            return [self.vocabulary.index(text)]

    with pytest.raises(TypeError, match="each token must be one character, and 'th'"):
        labs.attention(model_of(reference.Head(12, 12), V=2), Pairs(), "")


def test_a_tokenizer_of_the_learner_will_do(blocks):
    class Mine:
        chars = list(reversed(PLAIN.vocabulary))

        def encode(self, text):
            return torch.tensor([self.chars.index(character) for character in text])

    lab = labs.attention(blocks[0], Mine())
    assert lab.vocabulary == Mine.chars and lab.ids()[0] == Mine.chars.index("F")
    assert lab.examples == [text for text in EXAMPLES if set(text) <= set(Mine.chars)] != list(EXAMPLES)
    assert labs.attention(blocks[0], PLAIN, examples=()).examples == []


def test_what_the_page_sends_is_checked_too(blocks):
    lab = lab_of(blocks)
    lab.set_state({"text": "he", "position": 2})
    assert (lab.text, lab.position, lab.problem) == ("he", 2, "")
    lab.set_state({"text": "ж"})
    assert "'ж' in 'ж': not among" in lab.problem and lab.text == "he"
    lab.set_state({"text": "hear me", "position": 7})
    assert (lab.text, lab.position, lab.problem) == ("hear me", 7, "")
    lab.text = "hear"
    assert lab.position == 4
    with pytest.raises(TraitError, match="not among"):
        lab.text = "Ω"


def test_the_still_picture_follows_the_state(blocks):
    lab = lab_of(blocks)
    seen = {lab.still().data}
    moves = [("position", 3), ("layer", 2), ("head", 4), ("mask", False), ("divide", False), ("trained", False)]
    for name, value in [*moves, ("text", "h")]:
        setattr(lab, name, value)
        seen.add(lab.still().data)
    assert len(seen) == 8
    lab = lab_of(blocks, position=3, layer=2, head=4)
    row = lab.maps()[1][3][2]
    most = int(row.argmax())
    said = plain(lab.still().alt)
    whom = f"“{'Fir'[most]}” (position {most + 1}) {row[most]:.2f}"
    assert said.startswith(f"Layer 2, head 4: “r”, position 3 of 8, listens most to {whom}")
    assert "the average would give each 0.33. Mask on" in said


def test_the_still_picture_shows_any_token_and_harms_no_page():
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a glyph that is missing
        lab = labs.attention(model_of(reference.Head(12, 12), V=len(set(ODD)), block_size=64), CharTokenizer(ODD), ODD)
        bundle = lab._repr_mimebundle_()[0]["text/html"]
    assert "<script" not in bundle and len(bundle) < 250_000


# -- the page -------------------------------------------------------------------------------------------------

TRAITS = ("title", "problem", "vocabulary", "labels", "names", "program", "numbers", "untrained_numbers", "text",
          "examples", "position", "layer", "head", "mask", "divide", "trained")  # fmt: skip

SEEN = """() => {
    const all = (css, of) => [...document.querySelectorAll(css)].map(of);
    const text = (one) => one.textContent;
    return {
        signs: all('.at-token .at-sign', text), weights: all('.at-token .at-weight', text),
        now: all('.at-token', (one) => one.classList.contains('at-now')).indexOf(true),
        off: all('.at-off', (one) => Number(one.dataset.t)),
        arcs: all('.at-arcs path', (one) => [Number(one.dataset.i), Number(one.getAttribute('stroke-width'))]),
        bows: all('.at-bows path', (one) => Number(one.dataset.i)),
        numbers: all('.at-numbers text', text),
        skipped: all('.at-skipped text', text),
        next: all('.ll-stage svg > g:last-child > g', (one) => [one.firstChild.textContent, one.lastChild.textContent]),
        chosen: all('.at-chosen', (one) => [Number(one.dataset.layer), Number(one.dataset.head)]),
        row: (({ y, height }) => [Number(y.value), Number(height.value)])(document.querySelector('.at-row').attributes),
        smalls: all('.at-small', text).length,
    };
}"""
# the pixels of every map, as red values from 0 to 255; the small ones come in the order of layers and heads
PIXELS = """() => {
    const find = (frame) => {
        const box = frame.getBoundingClientRect();
        return [...document.querySelectorAll('canvas')].find((one) => {
            const its = one.getBoundingClientRect();
            return Math.abs(its.x - box.x) < 2 && Math.abs(its.y - box.y) < 2 && Math.abs(its.width - box.width) < 4;
        });
    };
    const red = (canvas) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        return Array.from({ length: canvas.width ** 2 }, (_, k) => data[4 * k]);
    };
    return [document.querySelector('.at-stairs'), ...document.querySelectorAll('.at-frame:not(.at-small)'),
        ...document.querySelectorAll('.at-small')].map((frame) => red(find(frame)));
}"""
COMPUTE = "([code, ...state]) => new Function(code)()(...state)"


class AttentionPage(LabPage):
    traits = TRAITS
    height = 1200

    def seen(self):
        return self.page.evaluate(SEEN)

    def type(self, text):
        field = self.page.get_by_role("textbox", name="text")
        field.fill(text)
        self.drawn()
        return field

    def focused(self):
        return self.page.evaluate("() => ({ ...document.activeElement.dataset })")

    def away(self):
        self.page.mouse.move(3, 3)
        self.drawn()


show = shows(AttentionPage)


@pytest.fixture(scope="module")
def compute(browser):
    """What the page makes of a model: a function from a lab's program, numbers and a list of tokens."""
    lab = labs.attention(model_of(reference.Head(12, 12)), PLAIN)
    code = re.sub(
        r"export default .*",
        "const plain = (value) => typeof value === 'number' ? value : Array.from(value, plain);"
        "return ((program, numbers, ids, how) => {"
        "const { maps, next } = runModel(program, decode(numbers), ids, how); return [plain(maps), plain(next)]; });",
        lab._esm,
    )
    page = browser.new_page()
    yield lambda *state: page.evaluate(COMPUTE, [code, *state])
    page.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(models, st.booleans(), st.booleans())
def test_the_page_computes_what_python_does(compute, sizes, mask, divide):
    model, ids = drawn(**sizes)
    lab = labs.attention(model, CharTokenizer("".join(map(chr, range(97, 97 + sizes["V"])))), "")
    maps, chances = compute(lab.program, lab.numbers, ids, {"mask": mask, "divide": divide})
    logits, truth = attention_model.run(lab.program, lab._numbers[True], ids, mask, divide)
    assert np.allclose(maps, truth, atol=1e-6)
    assert np.allclose(chances, torch.softmax(torch.tensor(logits), -1), atol=1e-6)
    if mask and divide:
        torchs = reference.attention_maps(model, torch.tensor([ids]))
        assert all(np.allclose(ours, its[0], atol=1e-4) for ours, its in zip(maps, torchs, strict=True))


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(gpts, st.booleans(), st.booleans())
def test_the_page_computes_a_gpt(compute, sizes, mask, divide):
    gpt, ids = gpt_of(**sizes)
    program, numbers = attention_model.read(gpt)
    maps, chances = compute(program, attention_model.encoded(numbers), ids, {"mask": mask, "divide": divide})
    logits, truth = attention_model.run(program, numbers, ids, mask, divide)
    assert np.allclose(maps, truth, atol=1e-6)
    assert np.allclose(chances, torch.softmax(torch.tensor(logits), -1), atol=1e-6)


def test_very_large_scores_do_not_overflow(compute):
    lab = labs.attention(model_of(reference.MultiHeadAttention(12, 2), strength=60), PLAIN)
    maps, chances = compute(lab.program, lab.numbers, lab.ids(), {"mask": True, "divide": False})
    lab.divide = False
    assert np.allclose(maps, lab.maps(), atol=1e-6) and np.allclose(chances, lab.next_probabilities(), atol=1e-6)
    assert np.allclose(np.sum(maps, -1), 1)


@pytest.mark.parametrize("name", BODIES)
def test_the_page_computes_every_kind_of_model(compute, name):
    model = model_of(BODIES[name][0]())
    lab = labs.attention(model, PLAIN)
    how = {"mask": lab.mask, "divide": lab.divide}
    maps, chances = compute(lab.program, lab.numbers, lab.ids(), how)
    assert all(np.allclose(ours, its, atol=1e-6) for ours, its in zip(maps, lab.maps(), strict=True))
    truth = torch.softmax(model.eval()(torch.tensor([lab.ids()]))[0][0], -1).detach()
    assert np.allclose(chances, truth, atol=1e-4)


def close(shown, numbers):
    return len(shown) == len(numbers) and all(abs(float(a) - b) < 0.0051 for a, b in zip(shown, numbers))


def red(weights, mask):
    """What the pixels of a map must be: green (0 red) by 0.85 of the root, and grey where it is masked."""
    T = len(weights)
    value = 255 * (1 - 0.85 * np.sqrt(weights))
    if mask:
        value[np.triu_indices(T, 1)] = 0.55 * 0xD9 + 0.45 * 255
    return value.ravel()


def agrees(page, lab, T):
    """Compare all that the page shows with the lab in Python, which must be in the same state."""
    seen, pixels, maps = page.seen(), page.page.evaluate(PIXELS), lab.maps()
    t, chosen = lab.position - 1, maps[lab.layer - 1][lab.head_index()]
    heard = t + 1 if lab.mask else T
    signs = [lab.labels[i] for i in lab.ids()]
    assert seen["signs"] == signs and seen["now"] == t and seen["off"] == list(range(heard, T))
    assert close(seen["weights"][:heard], chosen[t][:heard]) and not any(seen["weights"][heard:])
    assert close(seen["numbers"], [chosen[p, i] for p in range(T) for i in range(p + 1 if lab.mask else T)])
    assert [i for i, _ in seen["arcs"]] == [i for i in range(heard) if chosen[t, i] >= 0.005]
    assert all(width == pytest.approx(1 + 9 * chosen[t, i], abs=0.02) for i, width in seen["arcs"])
    assert seen["bows"] == list(range(heard)) and seen["chosen"] == [[lab.layer, lab.head_index() + 1]]
    order = np.argsort(-lab.next_probabilities()[t], kind="stable")[:5]
    assert [sign for sign, _ in seen["next"]] == [lab.labels[i] for i in order]
    assert close([number for _, number in seen["next"]], lab.next_probabilities()[t][order])
    expected = [chosen, lab.average(), *(head for layer in maps for head in layer)]
    assert all(
        np.abs(red(weights, lab.mask) - found).max() <= 1 for weights, found in zip(expected, pixels, strict=True)
    )


STATES = [
    {},
    {"position": 1},
    {"position": 4, "layer": 2, "head": 3},
    {"mask": False, "position": 5, "layer": 3, "head": 4},
    {"divide": False},
    {"trained": False, "head": 2},
    {"trained": False, "divide": False, "mask": False, "position": 2},
    {"text": "hear", "position": 4},
    {"text": "Before we proceed", "position": 6},
    {"text": "K", "position": 1},
]


def test_the_page_shows_what_python_computes(show, blocks):
    lab = lab_of(blocks)
    page = show(lab)
    start = {name: getattr(lab, name) for name in ("text", "position", "layer", "head", "mask", "divide", "trained")}
    for state in STATES:
        for name, value in {**start, **state}.items():
            setattr(lab, name, value)
        page.set(**{**start, **state})
        agrees(page, lab, len(lab.ids()))


def test_layers_may_have_different_numbers_of_heads(show):
    model = model_of(BODIES["different layers"][0]())
    lab = labs.attention(model, PLAIN, "hear", layer=2, head=3)
    page = show(lab)
    agrees(page, lab, 4)
    page.page.get_by_role("combobox", name="layer").select_option("3")
    page.drawn()
    assert page.seen()["chosen"] == [[3, 1]] and page.seen()["smalls"] == 6
    options = page.page.locator("select[aria-label=head] option")
    assert [option.is_disabled() for option in options.all()] == [False, True, True]


# -- what it says -------------------------------------------------------------------------------------------


def test_the_sentence_says_what_there_is_to_see(show, blocks):
    lab = lab_of(blocks)
    page = show(lab)
    for layer in 1, 2, 3:
        for head in range(1, 5):
            for position in 2, 5, 8:
                lab.layer, lab.head, lab.position = layer, head, position
                page.set(layer=layer, head=head, position=position)
                row, said = lab.maps()[layer - 1][head - 1][position - 1], plain(page.say())
                most = int(row.argmax())
                who = f"Layer {layer}, head {head}: “{'First␣Ci'[position - 1]}”".replace("“␣”", "␣ (space)")
                whom = f"“{'First␣Ci'[most]}” (position {most + 1}, weight ".replace("“␣”", "␣ (space)")
                whom = "itself (weight " if most == position - 1 else whom
                if np.ptp(row[:position]) < 0.01:
                    continue
                assert said.startswith(f"{who} (position {position} of 8) listens most to {whom}{two(row[most])})")
                assert f"; the average would give each of the {position} a weight of {two(1 / position)}." in said
                chances = lab.next_probabilities()[position - 1]
                assert said.endswith(f", {two(chances.max())}.")
    page.set(position=1)
    assert "(position 1 of 8) has nobody before it: it listens to itself alone, with the weight 1." in page.say()
    page.set(text="h")
    assert "(position 1 of 1) has no other" in page.say()


def test_the_sentence_names_each_switch_that_is_not_as_in_training(show, blocks):
    page = show(lab_of(blocks))
    words = {"mask": "Without the mask a token also hears what comes after it", "trained": "from before the training",
             "divide": "The scores are not divided by √3; in training they were."}  # fmt: skip
    assert not any(part in page.say() for part in words.values())
    for name, part in words.items():
        page.set(**{name: False})
        assert [other for other, those in words.items() if those in page.say()] == [name] and part in page.say()
        page.set(**{name: True})
    page = show(labs.attention(model_of(MyHead(12, 12, mask=False)), PLAIN))
    assert "mask" not in page.say() and "√" not in page.say()
    page.set(mask=True, divide=True)
    assert "the model was made without one" in page.say() and "divided by √12; in training they were not" in page.say()


def test_equal_weights_are_said_to_be_equal(show):
    model = model_of(reference.Head(12, 12))
    with torch.no_grad():
        model.body.query.weight.zero_()
    page = show(labs.attention(model, PLAIN, "hear"))
    assert "listens to all 4 alike, as the average does: the weights are 0.25." in page.say()
    assert page.seen()["weights"] == ["0.25"] * 4


# -- the text -----------------------------------------------------------------------------------------------


def test_the_picture_follows_every_key(show, blocks):
    page = show(lab_of(blocks, ""))
    assert page.say() == "There is nothing to attend to: the text is empty. Type something, or choose an example."
    assert page.seen()["signs"] == [] and page.seen()["next"] == []
    page.page.get_by_role("textbox", name="text").focus()
    for n, letter in enumerate("hear me, I", start=1):
        page.page.keyboard.type(letter)
        page.drawn()
        text = "hear me, I"[:n]
        assert page.get("text") == text and page.seen()["signs"] == list(text[-8:].replace(" ", "␣"))
        assert page.get("position") == min(n, 8) == page.seen()["now"] + 1
    assert page.say().startswith("Of the 10 characters the model sees the last 8: its block size is 8.")
    assert page.seen()["skipped"] == ["h", "e"]
    page.set(position=3)
    page.type("hear")
    assert page.get("position") == 3
    page.type("h")
    assert page.get("position") == 1
    page.type("")
    assert (
        page.seen()["signs"] == []
        and page.page.evaluate(PIXELS.replace("red(find(frame))", "find(frame)?.width")) == [None] * 14
    )
    page.type("he")
    assert page.seen()["signs"] == ["h", "e"] and page.get("position") == 2


def test_a_long_text_is_cut_and_says_so(show, blocks):
    page = show(lab_of(blocks))
    page.type("hear me, " * 200)
    assert (
        page.say().startswith("Of the 1,800 characters the model sees the last 8") and page.seen()["skipped"][0] == "…"
    )
    lab = labs.attention(model_of(reference.Head(12, 12), block_size=100), PLAIN, "hear me, " * 9)
    page = show(lab)
    assert "the last 64: the lab has no room for more" in page.say() and len(page.seen()["signs"]) == 64


def test_an_unknown_character_is_refused_and_the_picture_stays(show, blocks):
    page = show(lab_of(blocks))
    before = page.seen()
    field = page.type("First Ciж")
    assert plain(page.say()).startswith(
        f"“ж” is not among the {len(PLAIN)} characters that the model knows: the picture stays"
    )
    assert field.input_value() == "First Ciж" and field.get_attribute("aria-invalid") == "true"
    assert page.seen() == before and page.get("text") == "First Ci"
    page.type("жżж<b>")
    said = plain(page.say())
    assert (
        said.startswith("“ж”, “ż”, “<”, “b” and “>” are not among") and page.page.locator(".ll-sentence *").count() == 0
    )
    page.type("1234567")
    assert plain(page.say()).startswith("“1”, “2”, “3”, “4”, “5” and 2 more are not among")
    page.set(layer=2)  # all else goes on
    assert page.seen()["chosen"] == [[2, 1]] and "are not among" in page.say()
    page.type("First")
    assert (
        field.get_attribute("aria-invalid") is None
        and page.seen()["signs"] == list("First")
        and "among" not in page.say()
    )
    page.type("Firstж")
    page.page.get_by_role("combobox", name="example").select_option(index=0)
    page.drawn()
    assert field.input_value() == page.get("text") and field.get_attribute("aria-invalid") is None
    assert page.errors == []


def test_examples_are_chosen(show, blocks):
    lab = lab_of(blocks, "hear", examples=("First", "me,\n"), position=1)
    page = show(lab)
    example = page.page.get_by_role("combobox", name="example")
    assert example.evaluate("one => one.selectedOptions[0].text") == "your own"
    example.select_option("me,\n")
    page.drawn()
    assert page.get("text") == "me,\n" and page.seen()["signs"] == ["m", "e", ",", "⏎"] and page.get("position") == 4
    field = page.page.get_by_role("textbox", name="text")
    assert field.input_value() == "me,⏎"
    page.type("me,⏎F")
    assert page.get("text") == "me,\nF"
    page.press("add ⏎")
    assert page.get("text") == "me,\nF\n" and "⏎ (newline) (position 6 of 6)" in page.say()
    page = show(lab_of(blocks, examples=()))
    assert page.page.get_by_role("combobox", name="example").count() == 0


@pytest.mark.parametrize("width", [1000, 600])
def test_any_character_is_text(show, width):
    tokenizer = CharTokenizer(ODD)
    model = model_of(reference.MultiHeadAttention(12, 2), V=len(tokenizer), block_size=64)
    lab = labs.attention(model, tokenizer, ODD, examples=("<script>", "שלום"))
    page = show(lab, width=width)
    assert page.page.evaluate("() => document.querySelectorAll('.ll-lab script, .ll-lab b, .ll-lab img').length") == 0
    for text in "<script>", "</script>", "שלום", "مرحبا", "👩\u200d🚀", "e\u0301", "\n\t ", "$x$", "&amp;":
        page.type(text.replace("\n", "⏎").replace("\t", "⇥"))
        assert page.get("text") == text
        labels = [lab.labels[tokenizer.encode(one)[0]] for one in text]
        assert page.seen()["signs"] == labels
        last = lab.names[tokenizer.encode(text[-1])[0]]
        assert f"head 1: {last} (position {len(text)} of {len(text)})" in page.say()
    page.type("\u0301")
    assert page.seen()["signs"] == ["◌\u0301"]


# -- pointer and keys -------------------------------------------------------------------------------------------


def test_tokens_by_pointer_and_keys(show, blocks):
    page = show(lab_of(blocks))
    page.page.locator(".at-token").nth(2).hover()
    page.drawn()
    assert page.seen()["now"] == 2 and page.get("position") == 8 and "(position 3 of 8)" in page.say()
    page.away()
    assert page.seen()["now"] == 7
    page.page.locator(".at-token").nth(4).click()
    page.away()
    assert page.get("position") == 5 and page.seen()["now"] == 4
    page.page.locator(".at-token").nth(4).focus()
    for key, position in (
        ("ArrowRight", 6),
        ("ArrowLeft", 5),
        ("Home", 1),
        ("ArrowLeft", 1),
        ("End", 8),
        ("ArrowUp", 7),
    ):
        page.keys(key)
        assert page.get("position") == position and page.focused()["t"] == str(position - 1)
    page.keys("Control+ArrowLeft", "x")
    assert page.get("position") == 7


def test_the_map_by_pointer_and_keys(show, blocks):
    lab = lab_of(blocks, position=2)
    page = show(lab)
    box = page.page.locator(".at-stairs").bounding_box()
    cell = 37
    point = (box["x"] + 3.5 * cell, box["y"] + 5.5 * cell)
    page.page.mouse.move(*point)
    page.drawn()
    weight = lab.maps()[0][0][5, 3]
    assert page.seen()["now"] == 5 and f"“\u2068s\u2069” (position 4) gets the weight {weight:.2f}." in page.say()
    page.page.mouse.move(box["x"] + 7.5 * cell, point[1])
    page.drawn()
    assert "“\u2068i\u2069” (position 8) comes later: it is masked." in page.say()
    page.page.mouse.move(box["x"] + 5.5 * cell, point[1])
    page.drawn()
    assert "Itself gets the weight " in page.say()
    page.page.mouse.click(*point)
    page.away()
    assert page.get("position") == 6 and "gets the weight" not in page.say()
    page.page.locator(".at-pick").nth(5).focus()
    page.keys("ArrowDown", "ArrowDown", "ArrowDown")
    assert page.get("position") == 8 and page.focused()["row"] == "7"
    page.keys("ArrowUp", "Home")
    assert page.get("position") == 1


def test_the_small_maps_by_pointer_and_keys(show, blocks):
    page = show(lab_of(blocks))
    page.page.locator(".at-small").nth(6).click()
    page.drawn()
    assert (page.get("layer"), page.get("head")) == (2, 3)
    page.page.locator(".at-small").nth(6).focus()
    moves = (
        ("ArrowRight", 2, 4),
        ("ArrowRight", 2, 4),
        ("ArrowDown", 3, 4),
        ("ArrowLeft", 3, 3),
        ("ArrowUp", 2, 3),
        ("Home", 2, 1),
    )
    for key, layer, head in moves:
        page.keys(key)
        assert (page.get("layer"), page.get("head")) == (layer, head)
        assert page.focused()["layer"] == str(layer) and page.focused()["head"] == str(head)
    assert page.page.get_by_role("combobox", name="layer").input_value() == "2"


def test_choices_and_switches_are_sent(show, blocks):
    page = show(lab_of(blocks))
    page.page.get_by_role("combobox", name="head").select_option("3")
    page.drawn()
    for name in "mask the future", "divide by √head_size", "trained weights":
        page.press(name, key="Space", role="switch")
    page.page.wait_for_function("() => window.sent.length && window.sent.at(-1).trained === false")
    sent = page.page.evaluate("() => window.sent.at(-1)")
    assert [sent[name] for name in ("head", "mask", "divide", "trained")] == [3, False, False, False]
    page = show(labs.attention(blocks[0], PLAIN))
    assert page.page.get_by_role("switch").count() == 2
    page = show(labs.attention(model_of(reference.Head(12, 12)), PLAIN))
    assert page.page.get_by_role("combobox", name="layer").is_disabled()


def test_a_lab_that_is_taken_away_does_nothing_more(show, blocks):
    page = show(lab_of(blocks))
    page.dispose()
    draws = page.page.locator(".ll-lab").get_attribute("data-draws")
    page.set(position=2)
    assert page.page.locator(".ll-lab").get_attribute("data-draws") == draws


def test_it_works_in_a_page_without_python(browser, blocks, tmp_path):
    state = {name: value for name, value in lab_of(blocks).get_state().items() if not name.startswith("_dom")}
    (tmp_path / "page.html").write_text(f"<meta charset='utf-8'>{live(state, 'lab')}", encoding="utf-8")
    page, errors = browser.new_page(), []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((tmp_path / "page.html").as_uri())
    page.locator(".ll-lab:not([data-draws='0'])").wait_for()
    page.get_by_role("textbox", name="text").fill("me, ")
    page.locator(".ll-sentence", has_text="(position 4 of 4)").wait_for()
    page.get_by_role("switch", name="trained weights").click()
    page.locator(".ll-sentence", has_text="from before the training").wait_for()
    assert page.evaluate(SEEN)["signs"] == ["m", "e", ",", "␣"] and errors == []
    page.close()


# -- looks -----------------------------------------------------------------------------------------------------

BOXES = """() => {
    const svg = document.querySelector('.at-picture').getBoundingClientRect();
    const box = (element) => ({ text: element.textContent, ...element.getBoundingClientRect().toJSON() });
    const all = [...document.querySelectorAll('.at-picture svg text')].filter((one) => one.textContent.trim()).map(box);
    const stage = document.querySelector('.ll-stage');
    const wide = [...document.querySelectorAll('.at-token')].flatMap((token) => {
        const base = token.querySelector('.at-base').getBoundingClientRect();
        return [...token.querySelectorAll('text')].filter((one) => one.textContent).map(box)
            .filter((one) => one.left < base.left - 1 || one.right > base.right + 1).map((one) => one.text);
    });
    return {
        texts: all, wide,
        cut: all.filter((one) => one.left < svg.left - 1 || one.right > svg.right + 1
            || one.top < svg.top - 1 || one.bottom > svg.bottom + 1),
        overflow: document.documentElement.scrollWidth - innerWidth, scroll: stage.scrollWidth - stage.clientWidth,
        height: document.querySelector('.ll-lab').getBoundingClientRect().height,
        picture: svg.height,
    };
}"""


@pytest.fixture(scope="module")
def many():
    return model_of(nn.Sequential(*(reference.Block(12, 6) for _ in range(6))), block_size=32)


@pytest.mark.parametrize("width", [1280, 1000, 860, 800, 600])
@pytest.mark.parametrize("which", ["blocks", "many"])
def test_nothing_is_cut_or_overlaps_or_jumps(show, blocks, many, which, width):
    page = show(lab_of(blocks) if which == "blocks" else labs.attention(many, PLAIN), width=width)
    heights, pictures = set(), set()
    for text in "", "h", "First Ci", "mmmmmmmm", "Before we proceed", "Before we proceed any further, hear me speak.":
        for mask in True, False:
            page.set(text=text, position=max(1, len(text[-8:]) - mask), mask=mask, divide=mask, trained=mask)
            seen = page.page.evaluate(BOXES)
            assert seen["cut"] == [] and seen["wide"] == [] and seen["overflow"] <= 0 and seen["scroll"] <= 0
            texts = seen["texts"]
            assert [(a["text"], b["text"]) for n, a in enumerate(texts) for b in texts[:n] if overlap(a, b)] == []
            heights.add(seen["height"])
            pictures.add(seen["picture"])
    assert len(heights) == 1 == len(pictures)


def test_a_drawing_moves_the_elements_it_has(show, blocks, many):
    for lab in lab_of(blocks), labs.attention(many, PLAIN, "Before we proceed any further, h"):
        page = show(lab)
        took = page.drawing_times(
            40,
            """
            model.set('text', model.get('text').slice(0, -1) + 'hearme'[n % 6]);
        """,
        )
        # each move is another text: the whole model is computed, and all of the picture is drawn
        assert len(took) >= 39 and page.made < 40, "not even one for a drawing: a mark or a number more than before"
