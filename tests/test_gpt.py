"""The GPT against lesson 13's readable parts, its generate with and without the cache, and what it refuses."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lesson_lib import training
from lesson_lib.attention import AttentionLanguageModel, Block, LayerNorm
from lesson_lib.gpt import GPT, Cache

V = 11


def made(block_size=8, n_layer=2, n_head=2, n_embd=8, seed=1, std=0.3, **options):
    torch.manual_seed(seed)
    return GPT(V, block_size, n_layer, n_head, n_embd, std=std, **options).double().eval()


def ids(*shape, seed=1):
    return torch.randint(V, shape, generator=torch.Generator().manual_seed(seed))


def readable(gpt):
    """Lesson 13's model with the weights of the GPT."""
    n_embd, n_head = gpt.norm.weight.shape[0], gpt.blocks[0].attention.n_head
    blocks = [Block(n_embd, n_head) for _ in gpt.blocks]
    model = AttentionLanguageModel(V, gpt.block_size, n_embd, nn.Sequential(*blocks, LayerNorm(n_embd))).double()

    def copy(ours, theirs):
        ours.gain.copy_(theirs.weight)
        ours.bias.copy_(theirs.bias)

    with torch.no_grad():
        for name in ("token_embedding_table", "position_embedding_table", "lm_head"):
            getattr(model, name).load_state_dict(getattr(gpt, name).state_dict())
        for ours, theirs in zip(blocks, gpt.blocks):
            for layer, part in zip(("query", "key", "value"), theirs.attention.qkv.weight.chunk(3)):
                getattr(ours.attention, layer).weight.copy_(part)
            ours.attention.proj.load_state_dict(theirs.attention.proj.state_dict())
            ours.feed_forward.inner.load_state_dict(theirs.inner.state_dict())
            ours.feed_forward.proj.load_state_dict(theirs.proj.state_dict())
            copy(ours.norm1, theirs.norm1)
            copy(ours.norm2, theirs.norm2)
        copy(model.body[-1], gpt.norm)
    return model


@settings(max_examples=25)
@given(
    B=st.integers(1, 3), T=st.integers(1, 8), n_layer=st.integers(1, 3), n_head=st.integers(1, 3),
    hs=st.integers(1, 4), seed=st.integers(0, 999),
)  # fmt: skip
def test_the_same_numbers_as_the_readable_model(B, T, n_layer, n_head, hs, seed):
    gpt = made(8, n_layer, n_head, max(2, n_head * hs) // n_head * n_head, seed=seed)
    with torch.no_grad():  # norms that do something
        for name, part in gpt.named_parameters():
            if "norm" in name:
                part.add_(0.3 * torch.randn_like(part))
    model, idx, targets = readable(gpt), ids(B, T, seed=seed), ids(B, T, seed=seed + 1)
    (mine, loss), (theirs, other) = gpt(idx, targets), model(idx, targets)
    assert mine.shape == (B, T, V) and (mine - theirs).abs().max() < 1e-9 and abs(loss - other) < 1e-9
    loss.backward()
    other.backward()
    for name in ("token_embedding_table", "position_embedding_table"):
        a, b = getattr(gpt, name).weight.grad, getattr(model, name).weight.grad
        assert (a - b).abs().max() < 1e-9 * max(1.0, b.abs().max().item())
    assert gpt(idx)[1] is None


def test_the_parameters_of_the_ladder():
    assert GPT(65, 8, 3, 4, 32).parameter_count() == 42_369
    assert GPT(65, 32, 4, 4, 64).parameter_count() == 209_729
    with torch.device("meta"):
        assert GPT(65, 256, 6, 6, 384).parameter_count() == 10_788_929


def test_how_the_weights_begin():
    gpt = made(64, 8, 4, 64, std=0.05).float()
    for name, part in gpt.named_parameters():
        if name.endswith("proj.weight"):
            assert part.std().item() == pytest.approx(0.05 / math.sqrt(16), rel=0.1)
        elif part.dim() == 2:
            assert part.std().item() == pytest.approx(0.05, rel=0.1)
        elif "norm" in name and name.endswith("weight"):
            assert (part == 1).all()
        else:
            assert (part == 0).all()
    _, loss = GPT(65, 8, 3, 4, 32)(ids(64, 8), ids(64, 8, seed=2))
    assert loss.item() == pytest.approx(math.log(65), abs=0.05)


def test_no_token_hears_a_later_one_and_no_example_another():
    gpt = made()
    x = gpt.token_embedding_table(ids(3, 6)).detach().requires_grad_()
    gpt.token_embedding_table.forward = lambda idx: x
    logits, _ = gpt(ids(3, 6))
    for b, t in ((0, 0), (1, 3), (2, 5)):
        (grad,) = torch.autograd.grad(logits[b, t].pow(2).sum(), x, retain_graph=True)
        assert (grad[b, t + 1 :] == 0).all() and (grad[torch.arange(3) != b] == 0).all()
        assert (grad[b, : t + 1].abs().sum(dim=-1) > 0).all()


@settings(max_examples=40)
@given(parts=st.lists(st.integers(1, 4), min_size=1, max_size=4), seed=st.integers(0, 999))
def test_with_caches_the_tokens_may_come_in_any_pieces(parts, seed):
    gpt = made(16, seed=seed)
    idx = ids(2, sum(parts), seed=seed)
    whole, _ = gpt(idx)
    caches, found = [Cache() for _ in gpt.blocks], []
    for part in idx.split(parts, dim=1):
        found.append(gpt(part, caches=caches)[0])
    assert (torch.cat(found, dim=1) - whole).abs().max() < 1e-10
    assert [len(cache) for cache in caches] == [sum(parts)] * 2


@pytest.mark.parametrize("start", [1, 3, 8, 11])
@pytest.mark.parametrize("options", [{}, {"temperature": 0.5}, {"top_k": 3}])
def test_the_cache_gives_the_same_text_also_beyond_the_block(start, options):
    gpt = made(8, std=0.5)
    texts = [
        gpt.generate(ids(2, start), 20, generator=torch.Generator().manual_seed(4), use_cache=use, **options)
        for use in (True, False)
    ]
    assert texts[0].equal(texts[1]) and texts[0].shape == (2, start + 20) and texts[0][:, :start].equal(ids(2, start))


def test_the_cache_saves_work():
    gpt, seen = made(8), []
    gpt.token_embedding_table.register_forward_hook(lambda module, args, out: seen.append(args[0].shape[1]))
    gpt.generate(ids(1, 3), 8)
    assert seen == [3, 1, 1, 1, 1, 1, 8, 8]
    seen.clear()
    gpt.generate(ids(1, 3), 4, use_cache=False)
    assert seen == [3, 4, 5, 6]


def shares(gpt, count=4000, **options):
    start = ids(1, 8).expand(count, -1)
    drawn = gpt.generate(start, 1, generator=torch.Generator().manual_seed(5), **options)[:, -1]
    return torch.bincount(drawn, minlength=V) / count


def test_tokens_are_drawn_with_their_probabilities():
    gpt = made(8, std=0.5)
    logits = gpt(ids(1, 8))[0][0, -1].detach()
    for temperature in (1.0, 0.5, 3.0):
        expected = F.softmax(logits / temperature, dim=-1)
        assert (shares(gpt, temperature=temperature) - expected).abs().max() < 0.03
    expected = torch.zeros(V, dtype=torch.float64)
    best = logits.topk(3)
    expected[best.indices] = F.softmax(best.values, dim=-1)
    found = shares(gpt, top_k=3)
    assert (found > 0).sum() == 3 and (found - expected).abs().max() < 0.03
    assert shares(gpt, top_k=1)[logits.argmax()] == 1 and shares(gpt, top_k=99).equal(shares(gpt))


def test_nothing_is_dropped_out_while_it_writes():
    gpt = made(8, dropout=0.5).train()
    texts = [gpt.generate(ids(1, 3), 12, generator=torch.Generator().manual_seed(1)) for _ in range(2)]
    assert texts[0].equal(texts[1]) and gpt.training


def test_dropout_drops_only_in_training():
    gpt, idx = made(8, dropout=0.5), ids(2, 8)
    assert gpt(idx)[0].equal(gpt(idx)[0])
    gpt.train()
    assert not gpt(idx)[0].equal(gpt(idx)[0])


def test_what_dropout_leaves_is_made_larger_so_that_the_mean_stays():
    gpt, idx, streams = made(8, dropout=0.5), ids(1, 8), []
    for block in gpt.blocks:
        nn.init.zeros_(block.attention.proj.weight)
        nn.init.zeros_(block.attention.proj.bias)
        nn.init.zeros_(block.proj.weight)
        nn.init.zeros_(block.proj.bias)
    # before the last LayerNorm there is then only the sum of the embeddings
    gpt.norm.register_forward_pre_hook(lambda module, args: streams.append(args[0].detach()))
    gpt(idx)
    gpt.train()
    torch.manual_seed(1)
    for _ in range(2000):
        gpt(idx)
    whole, *dropped = streams
    assert set((torch.stack(dropped) / whole).round(decimals=6).unique().tolist()) == {0.0, 2.0}
    assert torch.allclose(torch.stack(dropped).mean(dim=0), whole, atol=0.1 * whole.abs().max().item())


def test_it_learns():
    pattern = torch.arange(4000) % 7
    gpt = made(8, 1, 2, 16, std=0.1).float()
    options = {"block_size": 8, "batch_size": 16, "steps": 150, "learning_rate": 1e-2, "progress": False}
    training.train(gpt, pattern, pattern, **options)
    assert training.whole_loss(gpt, pattern, 8) < 0.05


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"block_size": 0}, "block_size must be at least 1, and is 0"),
        ({"n_layer": 0}, "n_layer must be at least 1, and is 0"),
        ({"n_head": 0}, "n_head must be at least 1, and is 0"),
        ({"n_head": 3}, "n_embd must be a multiple of n_head: 8 numbers, 3 heads"),
        ({"dropout": 1.0}, "dropout must be from 0 to below 1, and is 1.0"),
        ({"dropout": -0.1}, "dropout must be from 0 to below 1, and is -0.1"),
    ],
)
def test_sizes_that_cannot_be_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        made(**options)


def test_what_generate_and_forward_refuse():
    gpt = made(8)
    with pytest.raises(ValueError, match="8 positions, and these are 9 tokens"):
        gpt(ids(1, 9))
    caches = [Cache() for _ in gpt.blocks]
    gpt(ids(1, 6), caches=caches)
    with pytest.raises(ValueError, match="8 positions, and these are 9 tokens"):
        gpt(ids(1, 3), caches=caches)
    with pytest.raises(ValueError, match="at least 1 token to begin with"):
        gpt.generate(ids(1, 0), 3)
    for temperature in (0.0, -1.0, math.nan):
        with pytest.raises(ValueError, match="temperature must be above 0"):
            gpt.generate(ids(1, 2), 3, temperature=temperature)
    with pytest.raises(ValueError, match="top_k must be at least 1, and is 0"):
        gpt.generate(ids(1, 2), 3, top_k=0)
