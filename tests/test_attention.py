"""Attention against PyTorch's, by hand and with `Value`s; who hears whom, heads, LayerNorm, the block, the model."""

import copy
import functools
import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from lesson_lib import training
from lesson_lib.attention import (
    AttentionLanguageModel,
    Block,
    CrossAttention,
    FeedForward,
    Head,
    LayerNorm,
    MultiHeadAttention,
    attention_maps,
    attention_weights,
    fused_attention,
    head_of_values,
    join_heads,
    scaled_dot_product_attention,
    split_heads,
)
from lesson_lib.averaging import average_with_matmul, averaging_weights
from lesson_lib.micrograd import Value
from lesson_lib.softmax import causal_mask

DOUBLE = torch.float64
BOTH = [scaled_dot_product_attention, fused_attention]
DEAR = torch.tensor([[4.0, 0.0], [2.0, 6.0], [0.0, 3.0], [6.0, 7.0]], dtype=DOUBLE)
QUERY = torch.tensor([[-0.5, 0.25], [0.5, 0.0]], dtype=DOUBLE)
KEY = torch.tensor([[-0.5, 0.0], [-0.5, 0.5]], dtype=DOUBLE)
VALUE = torch.tensor([[0.5, -1.0], [0.0, 1.0]], dtype=DOUBLE)
V = 11

sizes = st.integers(1, 5)
types = st.sampled_from([(torch.float32, 1e-6), (DOUBLE, 1e-12)])


def random(*shape, seed=1, dtype=DOUBLE, spread=1.0):
    return (spread * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE)).to(dtype)


def some_mask(*shape, seed, share=0.6):
    """A random mask in which every row may listen to somebody."""
    generator = torch.Generator().manual_seed(seed)
    mask = torch.rand(*shape, generator=generator) < share
    mask[..., 0] |= ~mask.any(dim=-1)
    return mask


def apart(a, b):
    assert a.shape == b.shape and a.dtype == b.dtype
    return (a - b).abs().max().item()


def made(kind, *sizes, seed=1, dtype=DOUBLE, **options):
    torch.manual_seed(seed)
    return kind(*sizes, **options).to(dtype)


# one head, as functions


def test_dear_by_hand():
    q, k, v = DEAR @ QUERY, DEAR @ KEY, DEAR @ VALUE
    weights = attention_weights(q, k, causal_mask(4))
    for t in range(4):
        scores = [sum(a * b for a, b in zip(q[t].tolist(), k[i].tolist())) / math.sqrt(2) for i in range(t + 1)]
        exps = [math.exp(score) for score in scores]
        expected = [e / sum(exps) for e in exps] + [0.0] * (3 - t)
        assert weights[t].tolist() == pytest.approx(expected, abs=1e-15)
    rounded = weights.round(decimals=2).tolist()
    assert rounded[1:] == [[0.85, 0.15, 0, 0], [0.35, 0.04, 0.6, 0], [0.04, 0.44, 0.22, 0.31]]
    out = scaled_dot_product_attention(q, k, v, causal_mask(4))
    by_hand = [sum(w * x for w, x in zip(weights[3].tolist(), v[:, c].tolist())) for c in range(2)]
    assert out[3].tolist() == pytest.approx(by_hand)


@settings(max_examples=80)
@given(
    before=st.lists(st.integers(1, 3), max_size=2), T=sizes, S=sizes, hs=sizes, hv=sizes, kind=types,
    masked=st.sampled_from(["no", "own", "shared"]), spread=st.sampled_from([0.0, 1.0, 5.0]), seed=st.integers(0, 9999),
)  # fmt: skip
def test_both_ways_agree_with_pytorchs_and_so_do_the_gradients(before, T, S, hs, hv, kind, masked, spread, seed):
    dtype, tolerance = kind
    q, k = random(*before, T, hs, seed=seed, spread=spread), random(*before, S, hs, seed=seed + 1)
    v, upstream = random(*before, S, hv, seed=seed + 2), random(*before, T, hv, seed=seed + 3)
    mask = {"no": None, "own": some_mask(*before, T, S, seed=seed), "shared": some_mask(T, S, seed=seed)}[masked]
    found = []
    for attend in (F.scaled_dot_product_attention, *BOTH):
        leaves = [part.to(dtype).requires_grad_() for part in (q, k, v)]
        out = attend(*leaves, mask)
        assert out.shape == (*before, T, hv) and out.dtype is dtype
        out.backward(upstream.to(dtype))
        found.append([out.detach(), *(leaf.grad for leaf in leaves)])
    size = max(1.0, *(part.abs().max().item() for part in found[0]))
    for other in found[1:]:
        for mine, theirs in zip(other, found[0]):
            assert apart(mine, theirs) < tolerance * size
    weights = attention_weights(q, k, mask)
    assert weights.shape == (*before, T, S) and (weights >= 0).all()
    assert apart(weights.sum(dim=-1), torch.ones(*before, T, dtype=DOUBLE)) < 1e-12
    assert mask is None or (weights[~mask.expand_as(weights)] == 0).all()
    assert apart(weights @ v, scaled_dot_product_attention(q, k, v, mask)) < 1e-12


@pytest.mark.parametrize("attend", BOTH)
@pytest.mark.parametrize("dtype", [torch.float32, DOUBLE])
def test_who_may_listen_to_nobody_gets_zeros_and_no_nan_anywhere(attend, dtype):
    q, k, v = (random(2, 3, 4, seed=seed, dtype=dtype).requires_grad_() for seed in range(3))
    mask = torch.tensor([[True, False, True], [False, False, False], [True, True, True]])
    out = attend(q, k, v, mask)
    assert (out[:, 1] == 0).all() and out.isfinite().all()
    out.pow(2).sum().backward()
    assert (q.grad[:, 1] == 0).all() and all(part.grad.isfinite().all() for part in (q, k, v))
    others = [0, 2]
    alone = attend(q[:, others], k, v, mask[others])
    assert apart(out[:, others], alone) < 1e-6
    nobody = torch.zeros(3, 3, dtype=torch.bool)
    assert (attend(q, k, v, nobody) == 0).all() and (attention_weights(q, k, nobody) == 0).all()


def test_the_gradients_are_those_of_finite_differences():
    parts = [random(2, 3, 4, seed=seed).requires_grad_() for seed in range(3)]
    for attend in BOTH:
        assert torch.autograd.gradcheck(functools.partial(attend, mask=causal_mask(3)), parts)


def test_large_scores_saturate_and_do_not_overflow():
    q, k = torch.tensor([[1e4, 0.0]]), torch.tensor([[1.0, 0.0], [2.0, 0.0], [2.0, 9.0]])
    assert attention_weights(q, k).tolist() == [[0.0, 0.5, 0.5]]


def test_zero_queries_give_the_average_of_the_past():
    x = random(2, 5, 3)
    q = torch.zeros(2, 5, 4, dtype=DOUBLE)
    weights = attention_weights(q, random(2, 5, 4, seed=2), causal_mask(5))
    assert apart(weights, averaging_weights(5, DOUBLE).expand(2, 5, 5)) < 1e-15
    assert apart(weights @ x, average_with_matmul(x)) < 1e-14


def test_scores_have_the_variance_of_the_head_size_before_the_scale():
    for hs in (4, 64):
        q, k = random(200, hs, seed=1), random(200, hs, seed=2)
        scores = q @ k.T
        assert abs(scores.var().item() / hs - 1) < 0.1
        unscaled = torch.softmax(scores, dim=-1)
        scaled = attention_weights(q, k)
        assert apart(scaled, torch.softmax(scores / math.sqrt(hs), dim=-1)) < 1e-12
        assert scaled.max(dim=-1).values.mean() < unscaled.max(dim=-1).values.mean()


@pytest.mark.parametrize("attend", BOTH)
def test_shapes_that_do_not_fit_are_refused(attend):
    with pytest.raises(RuntimeError):
        attend(random(2, 3, 4), random(2, 3, 5), random(2, 3, 4))
    with pytest.raises(RuntimeError):
        attend(random(2, 3, 4), random(2, 5, 4), random(2, 4, 4))


# a head, number by number


def as_values(matrix):
    return [[Value(number) for number in row] for row in matrix.tolist()]


def as_tensor(values):
    return torch.tensor([[value.data for value in row] for row in values], dtype=DOUBLE)


def gradients(values):
    return torch.tensor([[value.grad for value in row] for row in values], dtype=DOUBLE)


@pytest.mark.parametrize(
    ("T", "C", "hs", "seed"), [(3, 2, 2, None), (1, 2, 2, 1), (3, 2, 2, 2), (4, 3, 2, 3), (2, 1, 3, 4)]
)
def test_the_head_of_values_equals_the_tensors(T, C, hs, seed):
    if seed is None:
        parts = [DEAR[:3], QUERY, KEY, VALUE]
    else:
        parts = [random(T, C, seed=seed), *(random(C, hs, seed=seed + n) for n in (1, 2, 3))]
    leaves = [part.clone().requires_grad_() for part in parts]
    x, query, key, value = leaves
    weights = attention_weights(x @ query, x @ key, causal_mask(T))
    expected = weights @ (x @ value)
    upstream = random(T, hs, seed=7)
    expected.backward(upstream)

    values = [as_values(part) for part in parts]
    out, shares = head_of_values(*values)
    assert apart(as_tensor(out), expected.detach()) < 1e-9
    assert [len(row) for row in shares] == [t + 1 for t in range(T)]
    for t, row in enumerate(shares):
        assert [share.data for share in row] == pytest.approx(weights[t, : t + 1].tolist(), abs=1e-9)
    sum(number * up for row, ups in zip(out, upstream.tolist()) for number, up in zip(row, ups)).backward()
    for leaf, numbers in zip(leaves, values):
        assert apart(gradients(numbers), leaf.grad) < 1e-9


def test_the_head_of_values_is_the_heads():
    head = made(Head, 2, 2)
    matrices = [layer.weight.detach().T for layer in (head.query, head.key, head.value)]
    out, _ = head_of_values(as_values(DEAR), *map(as_values, matrices))
    assert apart(as_tensor(out), head(DEAR[None])[0].detach()) < 1e-9


# heads as modules

CAUSAL = [
    lambda **options: made(Head, 4, 3, **options),
    lambda **options: made(MultiHeadAttention, 4, 2, **options),
    lambda **options: made(Block, 4, 2, **options),
]


@pytest.mark.parametrize("make", CAUSAL)
@pytest.mark.parametrize("attend", BOTH)
def test_no_token_hears_a_later_one_and_no_example_another(make, attend):
    layer = make(attend=attend)
    x = random(3, 6, 4).requires_grad_()
    out = layer(x)
    for b, t in ((0, 0), (1, 3), (2, 5)):
        (grad,) = torch.autograd.grad(out[b, t].pow(2).sum(), x, retain_graph=True)
        assert (grad[b, t + 1 :] == 0).all() and (grad[torch.arange(3) != b] == 0).all()
        assert (grad[b, : t + 1].abs().sum(dim=-1) > 0).all()


@pytest.mark.parametrize("make", CAUSAL)
def test_without_the_mask_everyone_hears_everyone_and_space_does_not_exist(make):
    layer, x = make(causal=False), random(2, 6, 4)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    assert apart(layer(x[:, order]), layer(x)[:, order]) < 1e-12
    assert apart(layer(x), make()(x)) > 1e-3


@pytest.mark.parametrize("make", CAUSAL)
def test_the_fused_way_gives_the_same(make):
    own, fused, x = make(), make(attend=fused_attention), random(2, 6, 4)
    assert apart(own(x), fused(x)) < 1e-12


@pytest.mark.parametrize("make", CAUSAL[:2])
def test_any_directed_graph_is_a_mask(make):
    layer, x = make(), random(1, 4, 4).requires_grad_()
    mask = torch.tensor([[0, 1, 0, 0], [0, 0, 1, 1], [1, 0, 0, 0], [0, 0, 0, 1]], dtype=torch.bool)
    out = layer(x, mask)
    for t in range(4):
        (grad,) = torch.autograd.grad(out[0, t].pow(2).sum(), x, retain_graph=True)
        heard = grad[0].abs().sum(dim=-1) > 0
        allowed = mask[t].clone()
        allowed[t] = True  # its own query counts, where there is more than one to choose from
        assert (heard <= allowed).all() and heard[mask[t]].all()


def test_a_head_written_out():
    head, x = made(Head, 5, 3), random(2, 4, 5)
    scores = head.query(x) @ head.key(x).mT / math.sqrt(3)
    scores = scores.masked_fill(~causal_mask(4), -math.inf)
    assert apart(head(x), F.softmax(scores, dim=-1) @ head.value(x)) < 1e-12
    assert [layer.bias for layer in (head.query, head.key, head.value)] == [None] * 3


@given(B=sizes, T=sizes, H=sizes, hs=sizes)
def test_heads_are_split_and_joined(B, T, H, hs):
    x = torch.arange(B * T * H * hs).view(B, T, H * hs)
    parts = split_heads(x, H)
    assert parts.shape == (B, H, T, hs)
    for h in range(H):
        assert parts[:, h].equal(x[..., h * hs : (h + 1) * hs])
    assert join_heads(parts).equal(x)


def test_several_heads_are_heads_side_by_side():
    several, x = made(MultiHeadAttention, 6, 3), random(2, 5, 6)
    heads = [made(Head, 6, 2) for _ in range(3)]
    for h, head in enumerate(heads):
        for name in ("query", "key", "value"):
            getattr(head, name).weight.data = getattr(several, name).weight.data[2 * h : 2 * h + 2]
    side_by_side = torch.cat([head(x) for head in heads], dim=-1)
    assert apart(several(x), several.proj(side_by_side)) < 1e-12


def copied(ours):
    """PyTorch's module with the weights of ours."""
    n_embd = ours.proj.weight.shape[0]
    theirs = nn.MultiheadAttention(n_embd, ours.n_head, batch_first=True, dtype=ours.proj.weight.dtype)
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key.weight, ours.value.weight]))
        theirs.in_proj_bias.zero_()
        theirs.out_proj.weight.copy_(ours.proj.weight)
        theirs.out_proj.bias.copy_(ours.proj.bias)
    return theirs


@settings(max_examples=60)
@given(
    B=sizes, T=sizes, S=sizes, H=st.integers(1, 4), hs=st.integers(1, 4), cross=st.booleans(), masked=st.booleans(),
    kind=types, attend=st.sampled_from(BOTH), seed=st.integers(0, 9999),
)  # fmt: skip
def test_the_same_as_pytorchs_multihead_attention(B, T, S, H, hs, cross, masked, kind, attend, seed):
    dtype, tolerance = kind
    S = S if cross else T
    if cross:
        ours = made(CrossAttention, H * hs, H, seed=seed, dtype=dtype, attend=attend)
    else:
        ours = made(MultiHeadAttention, H * hs, H, seed=seed, dtype=dtype, causal=False, attend=attend)
    theirs = copied(ours)
    mask = some_mask(T, S, seed=seed) if masked else None
    grads = []
    for layer in (ours, theirs):
        x = random(B, T, H * hs, seed=seed, dtype=dtype).requires_grad_()
        source = random(B, S, H * hs, seed=seed + 1, dtype=dtype).requires_grad_() if cross else x
        if layer is ours:
            out = layer(x, source, mask) if cross else layer(x, mask)
        else:
            out, weights = layer(x, source, source, attn_mask=~mask if masked else None, average_attn_weights=False)
        out.pow(2).sum().backward()
        grads.append([out.detach(), x.grad, source.grad, layer.zero_grad()][:3])
    size = max(1.0, *(part.abs().max().item() for part in grads[1]))
    for mine, other in zip(*grads):
        assert apart(mine, other) < tolerance * size
    maps = attention_maps(ours, *([x, source] if cross else [x]), *([mask] if masked else []))
    assert len(maps) == 1 and apart(maps[0], weights.detach()) < tolerance


def test_the_gradients_of_the_weights_are_pytorchs_too():
    ours, x = made(MultiHeadAttention, 6, 2), random(3, 4, 6)
    theirs = copied(ours)
    ours(x).pow(2).sum().backward()
    theirs(x, x, x, attn_mask=~causal_mask(4))[0].pow(2).sum().backward()
    mine = torch.cat([layer.weight.grad for layer in (ours.query, ours.key, ours.value)])
    assert apart(mine, theirs.in_proj_weight.grad) < 1e-10
    assert apart(ours.proj.weight.grad, theirs.out_proj.weight.grad) < 1e-10
    assert apart(ours.proj.bias.grad, theirs.out_proj.bias.grad) < 1e-10


@pytest.mark.parametrize(("n_embd", "n_head"), [(6, 4), (4, 0), (4, -2), (2, 3)])
@pytest.mark.parametrize("kind", [MultiHeadAttention, CrossAttention, Block])
def test_heads_that_cannot_share_are_refused(kind, n_embd, n_head):
    with pytest.raises(ValueError, match=f"multiple of n_head.* {n_embd} numbers .* {n_head} heads"):
        kind(n_embd, n_head)


def test_cross_attention_pulls_from_the_source_alone():
    cross = made(CrossAttention, 4, 2)
    x, source = random(2, 3, 4), random(2, 5, 4, seed=2)
    out = cross(x, source)
    assert out.shape == (2, 3, 4)
    order = torch.tensor([4, 2, 0, 1, 3])
    assert apart(cross(x, source[:, order]), out) < 1e-12  # no order in the source, without positions
    assert apart(cross(x[:, [2, 1, 0]], source), out[:, [2, 1, 0]]) < 1e-12
    hidden = torch.ones(3, 5, dtype=torch.bool)
    hidden[:, 3:] = False
    assert apart(cross(x, source, hidden), cross(x, source[:, :3])) < 1e-12
    lengths = torch.tensor([[True] * 5, [True] * 2 + [False] * 3])
    padded = cross(x, source, lengths[:, None, None])
    assert apart(padded[1], cross(x[1:], source[1:, :2])[0]) < 1e-12 and apart(padded[0], out[0]) < 1e-12


# feed-forward, normalization, the block


def test_feed_forward_sees_one_token_at_a_time():
    layer, x = made(FeedForward, 4), random(2, 3, 4)
    assert apart(layer(x)[1, 2], layer(x[1, 2])) < 1e-15
    expected = F.linear(F.relu(F.linear(x, layer.inner.weight, layer.inner.bias)), layer.proj.weight, layer.proj.bias)
    assert apart(layer(x), expected) < 1e-12 and layer.inner.weight.shape == (16, 4)


@settings(max_examples=60)
@given(
    shape=st.lists(st.integers(1, 4), max_size=3), C=st.integers(2, 9), spread=st.sampled_from([1e-3, 1.0, 100.0]),
    eps=st.sampled_from([1e-5, 1e-3]), seed=st.integers(0, 9999),
)  # fmt: skip
def test_the_same_as_pytorchs_layer_norm(shape, C, spread, eps, seed):
    compare_norms(shape, C, DOUBLE, 1e-10, spread, eps, seed)


def test_the_same_as_pytorchs_layer_norm_in_float32():
    # 32 numbers are hardly ever all alike, so their variance is no matter of the last digits
    for seed in range(20):
        compare_norms([4, 5], 32, torch.float32, 4e-6, 1.0, 1e-5, seed)


def compare_norms(shape, C, dtype, tolerance, spread, eps, seed):
    ours, theirs = LayerNorm(C, eps).to(dtype), nn.LayerNorm(C, eps).to(dtype)
    with torch.no_grad():
        ours.gain.copy_(random(C, seed=seed + 1))
        ours.bias.copy_(random(C, seed=seed + 2))
        theirs.weight.copy_(ours.gain)
        theirs.bias.copy_(ours.bias)
    found = []
    for layer in (ours, theirs):
        x = random(*shape, C, seed=seed, dtype=dtype, spread=spread).requires_grad_()
        out = layer(x)
        out.backward(random(*shape, C, seed=seed + 3, dtype=dtype))
        found.append([out.detach(), x.grad * spread, *(part.grad for part in layer.parameters())])
    for mine, other in zip(*found):
        assert apart(mine, other) < tolerance * max(1.0, other.abs().max().item())


def test_each_token_is_normalized_by_itself():
    x = random(2, 3, 8, spread=5.0) + 3
    out = LayerNorm(8).to(DOUBLE)(x)
    assert apart(out.mean(dim=-1), torch.zeros(2, 3, dtype=DOUBLE)) < 1e-12
    assert apart(out.var(dim=-1, correction=0), torch.ones(2, 3, dtype=DOUBLE)) < 1e-4
    assert apart(LayerNorm(8).to(DOUBLE)(x[1:, 2:]), out[1:, 2:]) < 1e-15
    same = LayerNorm(4)(torch.full((1, 4), 7.0))
    assert same.tolist() == [[0.0] * 4]


def test_a_block_written_out():
    block, x = made(Block, 6, 2), random(2, 5, 6)
    for seed, norm in enumerate((block.norm1, block.norm2)):  # or one could stand for the other
        norm.gain.data = random(6, seed=seed)
    middle = x + block.attention(block.norm1(x))
    assert apart(block(x), middle + block.feed_forward(block.norm2(middle))) < 1e-12
    before = x.clone()
    block(x)
    assert x.equal(before)


def test_a_block_that_adds_nothing_passes_everything_on():
    block, x = made(Block, 6, 2), random(2, 5, 6).requires_grad_()
    for layer in (block.attention.proj, block.feed_forward.proj):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    out = block(x)
    assert out.equal(x)
    upstream = random(2, 5, 6, seed=2)
    out.backward(upstream)
    assert x.grad.equal(upstream)


# the language model


def stack(n_embd=8, n_head=2, layers=2, **options):
    return nn.Sequential(*(Block(n_embd, n_head, **options) for _ in range(layers)), LayerNorm(n_embd))


def model(body=None, block_size=6, n_embd=8, seed=3):
    torch.manual_seed(seed)
    return AttentionLanguageModel(V, block_size, n_embd, body or stack(n_embd))


def ids(*shape, seed=1):
    return torch.randint(V, shape, generator=torch.Generator().manual_seed(seed))


def test_the_model_written_out():
    body = Head(8, 8)
    lm, idx = model(body), ids(3, 5)
    x = lm.token_embedding_table.weight[idx] + lm.position_embedding_table.weight[:5]
    logits = F.linear(body(x), lm.lm_head.weight, lm.lm_head.bias)
    found, loss = lm(idx)
    assert apart(found, logits) < 1e-6 and loss is None
    targets = ids(3, 5, seed=2)
    _, loss = lm(idx, targets)
    by_hand = -logits.log_softmax(dim=-1).gather(-1, targets[..., None]).mean()
    assert abs(loss.item() - by_hand.item()) < 1e-6


def test_the_parameters_of_the_ladder():
    """The numbers of parameters that the lecture's models have at n_embd 32, block 8, with 65 characters."""

    def count(body):
        return sum(p.numel() for p in AttentionLanguageModel(65, 8, 32, body).parameters())

    assert count(Head(32, 32)) == 7553
    assert count(nn.Sequential(*(Block(32, 4) for _ in range(3)), LayerNorm(32))) == 42369


def test_the_model_never_sees_the_future():
    lm, idx = model(), ids(1, 6)
    logits, _ = lm(idx)
    for t in range(5):
        other = idx.clone()
        other[0, t + 1 :] = (other[0, t + 1 :] + 1) % V
        changed, _ = lm(other)
        assert changed[0, : t + 1].equal(logits[0, : t + 1]) or apart(changed[0, : t + 1], logits[0, : t + 1]) < 1e-6
        assert apart(changed[0, t + 1 :], logits[0, t + 1 :]) > 1e-4


def test_positions_count():
    lm = model(nn.Sequential(Head(8, 8, causal=False)))
    idx = torch.tensor([[1, 2, 3, 4]])
    turned = idx[:, [0, 2, 1, 3]]
    assert apart(lm(turned)[0][:, -1], lm(idx)[0][:, -1]) > 1e-4
    nn.init.zeros_(lm.position_embedding_table.weight)
    assert apart(lm(turned)[0][:, -1], lm(idx)[0][:, -1]) < 1e-6


def test_more_tokens_than_positions_are_refused():
    with pytest.raises(ValueError, match="6 positions.* 7 tokens"):
        model()(ids(2, 7))


@pytest.mark.parametrize("wrong", [(0, 4, 4), (4, 0, 4), (4, 4, 0)])
def test_sizes_below_1_are_refused(wrong):
    with pytest.raises(ValueError, match=f"at least 1, and are {wrong[0]}, {wrong[1]} and {wrong[2]}"):
        AttentionLanguageModel(*wrong, nn.Identity())


def test_generate_draws_from_the_last_block():
    lm, start = model(), ids(2, 9)
    lm.lm_head.weight.data *= 5  # far from equal, and other at each position
    drawn = lm.generate(start, 12, generator=torch.Generator().manual_seed(4))
    assert drawn.shape == (2, 21) and drawn[:, :9].equal(start)
    again = lm.generate(start[:, -6:], 12, generator=torch.Generator().manual_seed(4))
    assert again[:, 6:].equal(drawn[:, 9:])
    many = start[:1].expand(4000, -1)
    shares = torch.bincount(lm.generate(many, 1, generator=torch.Generator().manual_seed(5))[:, -1], minlength=V) / 4000
    assert torch.allclose(shares, F.softmax(lm(start[:1, -6:])[0][0, -1], dim=-1), atol=0.03)


def test_a_model_learns_what_only_looking_back_can_tell():
    """Each token repeats the one two places before: a bigram cannot know it, a head with positions can."""
    pattern = ids(4000, seed=8)
    for i in range(2, 4000):
        if i % 4 >= 2:
            pattern[i] = pattern[i - 2]
    torch.manual_seed(1)
    lm = AttentionLanguageModel(V, 8, 16, nn.Sequential(Block(16, 2), Block(16, 2), LayerNorm(16)))
    options = {"block_size": 8, "batch_size": 32, "steps": 300, "learning_rate": 1e-2, "progress": False}
    training.train(lm, pattern, pattern, **options)
    assert training.whole_loss(lm, pattern, 8) < 0.85 * math.log(V)


# looking inside


def test_the_maps_of_all_layers_and_heads():
    lm, idx = model(stack(8, 2, 3)), ids(3, 5)
    logits = lm(idx)[0]
    maps = attention_maps(lm, idx)
    assert [m.shape for m in maps] == [(3, 2, 5, 5)] * 3
    assert all((m.triu(1) == 0).all() and torch.allclose(m.sum(-1), torch.ones(3, 2, 5)) for m in maps)
    x = lm.token_embedding_table(idx) + lm.position_embedding_table.weight[:5]
    block = lm.body[0]
    seen = block.norm1(x)
    q, k = (split_heads(layer(seen), 2) for layer in (block.attention.query, block.attention.key))
    assert apart(maps[0], attention_weights(q, k, causal_mask(5)).detach()) < 1e-6
    assert lm(idx)[0].equal(logits)


def test_looking_changes_nothing_even_when_it_fails():
    lm = model(stack(attend=fused_attention))
    before = copy.deepcopy(lm.state_dict())
    assert len(attention_maps(lm, ids(1, 4))) == 2
    with pytest.raises(ValueError):
        attention_maps(lm, ids(1, 9))
    assert all(block.attention.attend is fused_attention for block in lm.body[:2])
    assert all(before[name].equal(part) for name, part in lm.state_dict().items())
    assert attention_maps(made(Head, 4, 3), random(2, 5, 4))[0].shape == (2, 5, 5)
    assert attention_maps(nn.Linear(4, 3), random(2, 4, dtype=torch.float32)) == []
