"""The averages of the past against plain Python and running sums, who hears whom, and the model on top of them."""

import math

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from lesson_lib import training
from lesson_lib.averaging import (
    BagOfWordsLanguageModel,
    average_with_loop,
    average_with_matmul,
    averaging_weights,
)

AVERAGES = [average_with_loop, average_with_matmul]
DEAR = torch.tensor([[[4.0, 0.0], [2.0, 6.0], [0.0, 3.0], [6.0, 7.0]]])
V = 11


def in_plain_python(x):
    """Return the averages of the past from lists of floats, added up exactly."""
    return [
        [[math.fsum(column[: t + 1]) / (t + 1) for column in zip(*example)] for t in range(len(example))]
        for example in x.tolist()
    ]


def random(*shape, seed=1, dtype=torch.float32):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


@pytest.mark.parametrize("average", AVERAGES)
def test_dear_by_hand(average):
    assert torch.allclose(average(DEAR), torch.tensor([[[4.0, 0], [3, 3], [2, 3], [3, 4]]]), atol=1e-6)


@settings(max_examples=60)
@given(
    B=st.integers(1, 5), T=st.integers(1, 12), C=st.integers(1, 6), seed=st.integers(0, 10**6),
    dtype=st.sampled_from([torch.float32, torch.float64]),
)  # fmt: skip
def test_loop_matmul_plain_python_and_running_sums_agree(B, T, C, seed, dtype):
    x = random(B, T, C, seed=seed, dtype=dtype)
    before = x.clone()
    tolerance = 1e-6 if dtype is torch.float32 else 1e-14
    expected = torch.tensor(in_plain_python(x), dtype=torch.float64)
    running = x.double().cumsum(dim=1) / torch.arange(1, T + 1)[:, None]
    assert torch.allclose(running, expected, rtol=0, atol=1e-13)
    results = [average(x) for average in AVERAGES]
    for result in results:
        assert result.shape == (B, T, C) and result.dtype is dtype
        assert torch.allclose(result.double(), expected, rtol=0, atol=tolerance)
    assert torch.allclose(*results, rtol=0, atol=tolerance)
    assert x.equal(before)


@settings(max_examples=40)
@given(T=st.integers(1, 40), dtype=st.sampled_from([torch.float32, torch.float64]))
def test_the_weights_are_equal_shares_of_the_past(T, dtype):
    weights = averaging_weights(T, dtype)
    assert weights.shape == (T, T) and weights.dtype is dtype
    for t in range(T):
        share = torch.full((t + 1,), 1 / (t + 1), dtype=dtype)
        assert weights[t, : t + 1].equal(share) and not weights[t, t + 1 :].any()
    assert torch.allclose(weights.sum(dim=1), torch.ones(T, dtype=dtype))


def test_the_weights_are_made_where_they_are_asked_for():
    assert averaging_weights(3).dtype is torch.get_default_dtype()
    assert averaging_weights(3, device="meta").device.type == "meta"


@pytest.mark.parametrize("average", AVERAGES)
def test_nobody_hears_the_future_or_another_example(average):
    x = random(3, 5, 2)
    out = average(x)
    for b in range(3):
        for t in range(5):
            other = x.clone()
            other[b, t] += 1.0
            changed = (average(other) != out).any(dim=-1)  # (B, T)
            assert changed[b, t:].all() and changed.sum() == 5 - t


@pytest.mark.parametrize("average", AVERAGES)
def test_an_infinite_future_is_not_heard_by_the_loop_only(average):
    x = random(1, 3, 1)
    x[0, 2] = math.inf
    early = average(x)[0, :2]
    # 0 · inf is nan: a matrix product multiplies the future by 0, the loop does not touch it
    assert early.isnan().all() if average is average_with_matmul else early.isfinite().all()


@pytest.mark.parametrize("average", AVERAGES)
def test_the_order_of_the_past_is_lost_and_what_is_in_it_is_not(average):
    x = random(2, 8, 4)
    out = average(x)
    for seed in range(20):
        order = torch.randperm(8, generator=torch.Generator().manual_seed(seed))
        assert torch.allclose(average(x[:, order])[:, -1], out[:, -1], atol=1e-6)
    assert not torch.allclose(average(x[:, 1:])[:, -1], out[:, -1], atol=1e-2)


@pytest.mark.parametrize("average", AVERAGES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_gradient_of_an_input_is_its_weight(average, dtype):
    x = random(2, 4, 3, dtype=dtype).requires_grad_()
    for t in range(4):
        x.grad = None
        average(x)[1, t, 2].backward()
        assert torch.allclose(x.grad[1, :, 2], averaging_weights(4, dtype)[t])
        assert x.grad.count_nonzero() == t + 1
    assert torch.autograd.gradcheck(average, random(2, 3, 2, dtype=torch.float64).requires_grad_())


def test_matmul_takes_one_example_without_a_batch():
    assert torch.allclose(average_with_matmul(DEAR[0]), average_with_matmul(DEAR)[0])


@pytest.mark.parametrize("average", AVERAGES)
def test_whole_numbers_are_refused(average):
    with pytest.raises(RuntimeError):
        average(torch.ones(1, 3, 2, dtype=torch.int64))


def test_an_empty_block_has_no_averages():
    with pytest.raises(RuntimeError, match="non-empty"):
        average_with_loop(torch.zeros(1, 0, 2))
    assert average_with_matmul(torch.zeros(1, 0, 2)).shape == (1, 0, 2)


# the model


def model(seed=3, **options):
    torch.manual_seed(seed)
    return BagOfWordsLanguageModel(V, 8, 5, **options)


KINDS = [{"average": None}, {}, {"average": average_with_matmul}, {"keep_token": True}]


def ids(B, T, seed=2):
    return torch.randint(V, (B, T), generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("options", KINDS)
@pytest.mark.parametrize(("B", "T"), [(1, 1), (3, 8), (2, 5)])
def test_shapes_and_the_loss(options, B, T):
    made = model(**options)
    x, y = ids(B, T), ids(B, T, 5)
    logits, none = made(x)
    same, loss = made(x, y)
    assert logits.shape == (B, T, V) and none is None and same.equal(logits)
    by_hand = -logits.log_softmax(dim=-1).gather(-1, y[..., None]).mean()
    assert loss.item() == pytest.approx(by_hand.item(), abs=1e-6)


@pytest.mark.parametrize("options", KINDS)
def test_the_logits_are_the_heads_of_what_it_is_given(options):
    made, x = model(**options), ids(3, 6)
    vectors = made.token_embedding_table.weight[x]
    parts = [vectors] if options.get("average", 0) is None or options.get("keep_token") else []
    if options.get("average", 0) is not None:
        parts.append(torch.tensor(in_plain_python(vectors), dtype=torch.float32))
    expected = torch.cat(parts, dim=-1) @ made.lm_head.weight.T + made.lm_head.bias
    assert torch.allclose(made(x)[0], expected, atol=1e-5)


@pytest.mark.parametrize("options", KINDS)
def test_the_model_never_hears_the_future_or_another_example(options):
    made, x = model(**options), ids(3, 8)
    logits, _ = made(x)
    for t in range(8):
        other = x.clone()
        other[1, t] = (other[1, t] + 1) % V
        changed = ((made(other)[0] - logits).abs() > 1e-7).any(dim=-1)  # (B, T)
        assert changed[1, t] and not changed[1, :t].any() and not changed[[0, 2]].any()
        assert changed[1, t + 1 :].any() == (options.get("average", 0) is not None and t < 7)


def test_loop_and_matmul_are_one_model():
    with_loop, with_matmul = model(), model(average=average_with_matmul)
    x, y = ids(4, 8), ids(4, 8, 5)
    losses = [made(x, y)[1] for made in (with_loop, with_matmul)]
    for loss in losses:
        loss.backward()
    assert losses[0].item() == pytest.approx(losses[1].item(), abs=1e-6)
    for a, b in zip(with_loop.parameters(), with_matmul.parameters()):
        assert torch.allclose(a.grad, b.grad, atol=1e-6) and a.grad.abs().max() > 0


def test_an_average_may_be_a_module_with_weights_of_its_own():
    class Scaled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(()))

        def forward(self, x):
            return self.scale * average_with_matmul(x)

    made = model(average=Scaled())
    made(ids(2, 4), ids(2, 4, 5))[1].backward()
    assert "average.scale" in dict(made.named_parameters()) and made.average.scale.grad is not None


def test_the_sizes_of_the_parameters():
    assert sum(p.numel() for p in model().parameters()) == V * 5 + 5 * V + V
    assert sum(p.numel() for p in model(keep_token=True).parameters()) == V * 5 + 10 * V + V


@pytest.mark.parametrize("options", KINDS)
def test_it_writes_from_the_last_block_alone(options):
    made, start = model(**options), ids(2, 12)
    drawn = made.generate(start, 9, generator=torch.Generator().manual_seed(4))
    assert drawn.shape == (2, 21) and drawn[:, :12].equal(start) and 0 <= drawn.min() and drawn.max() < V
    again = made.generate(start, 9, generator=torch.Generator().manual_seed(4))
    short = made.generate(start[:, -8:], 9, generator=torch.Generator().manual_seed(4))
    assert again.equal(drawn) and short[:, 8:].equal(drawn[:, 12:])
    assert made.generate(start, 0).equal(start)


def test_it_draws_as_often_as_the_probabilities_say():
    made, start = model(keep_token=True), ids(1, 4)
    drawn = made.generate(start.expand(20_000, 4), 1, generator=torch.Generator().manual_seed(4))[:, -1]
    shares = torch.bincount(drawn, minlength=V) / 20_000
    assert torch.allclose(shares, F.softmax(made(start)[0][0, -1], dim=-1), atol=0.02)


@pytest.mark.parametrize("sizes", [(0, 8, 4), (5, 0, 4), (5, 8, 0), (-1, 8, 4)])
def test_sizes_below_one_are_refused(sizes):
    told = "must be at least 1, and are {}, {} and {}".format(*sizes)
    with pytest.raises(ValueError, match=told):
        BagOfWordsLanguageModel(*sizes)


def test_a_token_beside_no_average_is_refused():
    with pytest.raises(ValueError, match="keep_token=True puts the token beside the average, and there is none"):
        BagOfWordsLanguageModel(5, 8, 4, average=None, keep_token=True)


def test_where_a_bag_is_enough_it_learns_and_where_order_is_needed_it_cannot():
    """Whether at least two of the four are 1: the bag tells. Or the first token: only order would tell."""
    bits = torch.randint(2, (512, 4), generator=torch.Generator().manual_seed(6))

    def best_loss(targets):
        torch.manual_seed(1)
        made = BagOfWordsLanguageModel(2, 4, 8)
        optimizer = torch.optim.AdamW(made.parameters(), lr=0.05)
        for _ in range(300):
            loss = F.cross_entropy(made(bits)[0][:, -1], targets)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return loss.item()

    assert best_loss((bits.sum(dim=1) >= 2).long()) < 0.15
    assert best_loss(bits[:, 0]) > 0.4


def test_it_trains_with_the_loop_of_the_course():
    data = torch.arange(2000) % 7
    torch.manual_seed(1)
    made = BagOfWordsLanguageModel(7, 4, 8, keep_token=True)
    before = training.whole_loss(made, data, 4)
    training.train(
        made, data, data, block_size=4, batch_size=8, steps=200, learning_rate=0.05, evaluate_every=200, progress=False
    )
    assert training.whole_loss(made, data, 4) < 0.1 < before
