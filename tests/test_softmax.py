"""Softmax against PyTorch's, its derivatives against autograd and finite differences, masks, and the third average."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from lesson_lib.averaging import average_with_loop, average_with_matmul, averaging_weights
from lesson_lib.softmax import (
    average_with_softmax,
    causal_mask,
    masked_softmax,
    softmax,
    softmax_backward,
    softmax_derivatives,
)

# float64 in the second: how far apart two ways may be
TYPES = [(torch.float32, 1e-6), (torch.float64, 1e-12)]
DOUBLE = torch.float64


def random(*shape, seed=1, dtype=DOUBLE, spread=1.0):
    return spread * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=DOUBLE).to(dtype)


def apart(a, b):
    return (a - b).abs().max().item()


# softmax


def test_by_hand_in_plain_python():
    logits = [-1.0, 0.0, 1.0, 2.0]
    exps = [math.exp(logit) for logit in logits]
    expected = [e / sum(exps) for e in exps]
    assert softmax(torch.tensor(logits, dtype=DOUBLE)).tolist() == pytest.approx(expected, abs=1e-15)


@pytest.mark.parametrize(("dtype", "tolerance"), TYPES)
@pytest.mark.parametrize("spread", [0.0, 1.0, 30.0, 1e4])
def test_the_same_as_pytorchs(dtype, tolerance, spread):
    logits = random(50, 7, dtype=dtype, spread=spread)
    probs = softmax(logits)
    assert probs.dtype == dtype and apart(probs, F.softmax(logits, dim=-1)) < tolerance
    assert (probs >= 0).all() and apart(probs.sum(dim=-1), torch.ones(50, dtype=dtype)) < 7 * tolerance


@settings(max_examples=60)
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), st.integers(0, 3), st.booleans(), st.integers(0, 999))
def test_any_shape_and_any_dimension(shape, dim, negative, seed):
    dim %= len(shape)
    logits = random(*shape, seed=seed)
    found = softmax(logits, dim=dim - len(shape) if negative else dim)
    assert found.shape == logits.shape and apart(found, F.softmax(logits, dim=dim)) < 1e-12
    assert apart(found.sum(dim=dim), torch.ones_like(found.sum(dim=dim))) < 1e-12


@pytest.mark.parametrize(("dtype", "tolerance"), TYPES)
@pytest.mark.parametrize("shift", [1000.0, -1000.0, 1e30])
def test_large_logits_do_not_overflow(dtype, tolerance, shift):
    logits = torch.tensor([[0.0, 0.0, -math.inf], [0.0, -2000.0, 0.0]], dtype=dtype) + shift
    expected = torch.tensor([[0.5, 0.5, 0.0], [0.5, 0.0, 0.5]], dtype=dtype)
    rows = softmax(logits)[: 1 if shift == 1e30 else 2]  # 1e30 has no digit left for a difference of 2000
    assert apart(rows, expected[: len(rows)]) < tolerance


def test_each_row_has_its_own_largest():
    logits = torch.tensor([[1000.0, 999.0], [-1000.0, -1001.0]])
    rows = softmax(logits)
    assert rows[0].tolist() == rows[1].tolist() and rows.isfinite().all()


def test_only_differences_count_and_the_order_stays():
    logits = random(20, 5)
    assert apart(softmax(logits), softmax(logits + 3.25)) < 1e-12
    assert softmax(logits).argsort(dim=-1).equal(logits.argsort(dim=-1))


def test_minus_infinity_becomes_exactly_0():
    row = softmax(torch.tensor([1.0, -math.inf, 2.0, -math.inf]))
    assert row[1] == row[3] == 0 and apart(row[[0, 2]], softmax(torch.tensor([1.0, 2.0]))) < 1e-7
    assert softmax(torch.tensor([-math.inf, 5.0])).tolist() == [0.0, 1.0]


@pytest.mark.parametrize("row", [[-math.inf] * 3, [math.inf, 0.0, 1.0], [math.nan, 0.0, 1.0]])
def test_where_there_are_no_shares_the_row_is_nan_as_in_pytorch_and_the_others_are_not(row):
    logits = torch.tensor([row, [0.0, 0.0, 0.0]])
    found = softmax(logits)
    assert found[0].isnan().all() and F.softmax(logits, dim=-1)[0].isnan().all()
    assert apart(found[1], torch.full((3,), 1 / 3)) < 1e-6


def test_the_logits_are_left_as_they_are():
    logits = random(3, 4)
    before = logits.clone()
    mask = causal_mask(4)[:3]
    softmax(logits), masked_softmax(logits, mask)
    assert logits.equal(before) and mask.equal(causal_mask(4)[:3])


# derivatives


def test_the_derivatives_are_those_of_autograd():
    logits = random(5)
    expected = torch.autograd.functional.jacobian(softmax, logits)
    assert apart(softmax_derivatives(softmax(logits)), expected) < 1e-12


def test_the_derivatives_are_the_slopes():
    logits, h = random(4, seed=3), 1e-6
    shifted = [(softmax(logits + h * one) - softmax(logits - h * one)) / (2 * h) for one in torch.eye(4, dtype=DOUBLE)]
    assert apart(softmax_derivatives(softmax(logits)), torch.stack(shifted, dim=1)) < 1e-8


def test_the_matrix_of_each_row_is_its_own():
    probs = softmax(random(2, 3, 4))
    matrices = softmax_derivatives(probs)
    assert matrices.shape == (2, 3, 4, 4)
    assert apart(matrices[1, 2], softmax_derivatives(probs[1, 2])) == 0
    assert matrices.equal(matrices.transpose(-1, -2))
    zeros = torch.zeros(2, 3, 4, dtype=DOUBLE)
    assert apart(matrices.sum(dim=-1), zeros) < 1e-12 and apart(matrices.sum(dim=-2), zeros) < 1e-12
    assert matrices.max() <= 0.25


@pytest.mark.parametrize(("dtype", "tolerance"), TYPES)
@pytest.mark.parametrize("shape", [(1,), (5,), (3, 4), (2, 3, 4)])
def test_the_way_back_is_that_of_autograd_and_of_the_matrix(shape, dtype, tolerance):
    logits = random(*shape, dtype=dtype).requires_grad_()
    grad = random(*shape, seed=2, dtype=dtype)
    F.softmax(logits, dim=-1).backward(grad)
    probs = softmax(logits.detach())
    back = softmax_backward(probs, grad)
    assert back.dtype == dtype and apart(back, logits.grad) < tolerance
    assert apart(back, (grad.unsqueeze(-2) @ softmax_derivatives(probs)).squeeze(-2)) < tolerance
    ours = logits.detach().clone().requires_grad_()
    softmax(ours).backward(grad)
    assert apart(ours.grad, logits.grad) < tolerance


def test_a_saturated_softmax_lets_no_gradient_through():
    logits = torch.tensor([-8.0, 0.0, 8.0, 16.0], dtype=DOUBLE)
    assert softmax_derivatives(softmax(logits)).abs().max() < 1e-3
    assert softmax_derivatives(softmax(logits / 8)).abs().max() > 0.2


# masks


def test_the_causal_mask():
    for T in (1, 2, 5):
        mask = causal_mask(T)
        assert mask.dtype == torch.bool
        assert mask.tolist() == [[i <= t for i in range(T)] for t in range(T)]
    assert causal_mask(3, device="meta").device.type == "meta"


def test_a_masked_place_is_exactly_0_and_has_no_say():
    logits, mask = random(4, 4), causal_mask(4)
    weights = masked_softmax(logits, mask)
    assert (weights[~mask] == 0).all() and apart(weights.sum(dim=-1), torch.ones(4, dtype=DOUBLE)) < 1e-12
    for hidden in (0.0, 900.0, -900.0, math.inf, math.nan):
        assert masked_softmax(logits.masked_fill(~mask, hidden), mask).equal(weights)
    for t in range(4):
        assert apart(weights[t, : t + 1], softmax(logits[t, : t + 1])) < 1e-15


def test_a_masked_logit_gets_no_gradient():
    logits, mask = random(4, 4).requires_grad_(), causal_mask(4)
    (masked_softmax(logits, mask) * random(4, 4, seed=2)).sum().backward()
    assert (logits.grad[~mask] == 0).all() and logits.grad.isfinite().all()
    assert (logits.grad[1:][mask[1:]] != 0).all()


def test_one_mask_for_a_batch_and_a_mask_for_each():
    logits = random(3, 4, 4)
    together = masked_softmax(logits, causal_mask(4))
    assert together.equal(torch.stack([masked_softmax(one, causal_mask(4)) for one in logits]))
    own = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(1)) > 0.5
    own[..., 0] = True
    assert masked_softmax(logits, own).equal(torch.stack([masked_softmax(z, m) for z, m in zip(logits, own)]))


def test_a_row_without_any_place_is_nan_and_the_others_are_not():
    mask = torch.tensor([[True, False], [False, False]])
    weights = masked_softmax(torch.zeros(2, 2), mask)
    assert weights[0].tolist() == [1.0, 0.0] and weights[1].isnan().all()


# the average of the past


@pytest.mark.parametrize("T", [1, 2, 8, 100])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_masked_zeros_are_the_averaging_weights_exactly(T, dtype):
    assert masked_softmax(torch.zeros(T, T, dtype=dtype), causal_mask(T)).equal(averaging_weights(T, dtype))


@settings(max_examples=40)
@given(st.integers(1, 3), st.integers(1, 12), st.integers(1, 4), st.sampled_from(TYPES), st.integers(0, 999))
def test_the_three_ways_to_the_average_agree(B, T, C, kind, seed):
    dtype, tolerance = kind
    x = random(B, T, C, seed=seed, dtype=dtype)
    out = average_with_softmax(x)
    assert out.shape == x.shape and out.dtype == dtype
    assert apart(out, average_with_loop(x)) < 5 * tolerance and apart(out, average_with_matmul(x)) < 5 * tolerance


def test_the_averages_of_dear():
    x = torch.tensor([[4.0, 0.0], [2.0, 6.0], [0.0, 3.0], [6.0, 7.0]])
    expected = torch.tensor([[4.0, 0.0], [3.0, 3.0], [2.0, 3.0], [3.0, 4.0]])
    assert apart(average_with_softmax(x), expected) < 1e-6


def test_no_position_hears_the_future_and_no_example_another():
    x = random(2, 5, 3)
    changed = x.clone()
    changed[0, 3] += 1
    moved = (average_with_softmax(changed) != average_with_softmax(x)).any(dim=-1)
    assert moved.tolist() == [[False, False, False, True, True], [False] * 5]


def test_a_gradient_flows_to_every_token_that_is_heard():
    x = random(1, 4, 2).requires_grad_()
    average_with_softmax(x)[0, 2].sum().backward()
    expected = torch.tensor([1 / 3, 1 / 3, 1 / 3, 0.0], dtype=DOUBLE)[:, None].expand(4, 2)
    assert apart(x.grad[0], expected) < 1e-12
