"""The losses, the learning rates and the loop against PyTorch and against their definitions, and bad input."""

import math
import random

import pytest
import torch
import torch.nn.functional as F
from torch.optim import lr_scheduler

from lesson_lib import datasets
from lesson_lib.descent import (
    constant,
    cosine_decay,
    gradient_descent,
    hinge_loss,
    linear_decay,
    mean_squared_error,
    step_decay,
)
from lesson_lib.micrograd import Value
from lesson_lib.mlp import MLP


@pytest.mark.parametrize("n", [1, 2, 4, 50])
def test_mean_squared_error_and_its_gradients_are_those_of_torch(n):
    dice = random.Random(n)
    numbers, targets = [dice.uniform(-3, 3) for _ in range(n)], [dice.uniform(-3, 3) for _ in range(n)]
    ours = [Value(x) for x in numbers]
    loss = mean_squared_error(ours, targets)
    loss.backward()
    theirs = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
    by_torch = F.mse_loss(theirs, torch.tensor(targets, dtype=torch.float64))
    by_torch.backward()
    assert loss.data == pytest.approx(by_torch.item(), abs=1e-12)
    assert [p.grad for p in ours] == pytest.approx(theirs.grad.tolist(), abs=1e-12)


def test_it_is_the_mean_and_not_the_sum():
    assert mean_squared_error([1.0, 5.0], [2.0, 2.0]) == (1 + 9) / 2


def test_it_is_zero_only_where_all_is_right():
    assert mean_squared_error([1.0, -1.0], [1.0, -1.0]) == 0
    assert mean_squared_error([0.0, 0.0], [1.0, -1.0]) == 1  # the differences would cancel


def test_plain_numbers_tensors_and_values_as_targets_will_do():
    assert mean_squared_error([1, 5], [2, 2]) == 5.0
    assert mean_squared_error(torch.tensor([1.0, 5.0]), torch.tensor([2.0, 2.0])).item() == 5.0
    target = Value(2.0)
    mean_squared_error([Value(5.0)], [target]).backward()
    assert target.grad == -6.0


@pytest.mark.parametrize(("predictions", "targets"), [([1], [1, 2]), ([1, 2], [1]), ([], [1]), ([1], [])])
def test_lists_of_unequal_length_are_refused(predictions, targets):
    message = f"^expected {len(targets)} predictions, one for each target, got {len(predictions)}$"
    with pytest.raises(ValueError, match=message):
        mean_squared_error([Value(p) for p in predictions], targets)


def test_no_examples_at_all_are_refused():
    for nothing in ([], torch.tensor([])):
        with pytest.raises(ValueError, match="there is no mean of no examples"):
            mean_squared_error(nothing, nothing)


# the hinge loss


@pytest.mark.parametrize("n", [1, 2, 4, 50])
def test_hinge_loss_and_its_gradients_are_those_of_torch(n):
    dice = random.Random(n)
    numbers, labels = [dice.uniform(-3, 3) for _ in range(n)], [dice.choice([-1.0, 1.0]) for _ in range(n)]
    ours = [Value(x) for x in numbers]
    loss = hinge_loss(ours, labels)
    loss.backward()
    theirs = torch.tensor(numbers, dtype=torch.float64, requires_grad=True)
    # against 0, with margin 1, the ranking loss is the hinge loss
    by_torch = F.margin_ranking_loss(theirs, torch.zeros_like(theirs), torch.tensor(labels), margin=1.0)
    by_torch.backward()
    assert loss.data == pytest.approx(by_torch.item(), abs=1e-12)
    assert [p.grad for p in ours] == pytest.approx(theirs.grad.tolist(), abs=1e-12)


def test_a_clearly_right_score_costs_nothing():
    assert hinge_loss([Value(1.0), Value(-7.0)], [1.0, -1.0]).data == 0
    assert hinge_loss([Value(0.25), Value(2.0)], [1.0, -1.0]).data == (0.75 + 3) / 2


@pytest.mark.parametrize(("scores", "labels"), [([1], [1, -1]), ([1, 2], [1]), ([], [1])])
def test_scores_and_labels_of_unequal_number_are_refused(scores, labels):
    message = f"^expected {len(labels)} scores, one for each label, got {len(scores)}$"
    with pytest.raises(ValueError, match=message):
        hinge_loss([Value(s) for s in scores], labels)


def test_the_hinge_loss_of_another_label_is_refused():
    with pytest.raises(ValueError, match="a label is -1 or 1, and not 0"):
        hinge_loss([Value(-5.0), Value(5.0)], [0, 1])


def test_the_hinge_loss_of_nothing_is_refused():
    with pytest.raises(ValueError, match="there is no mean of no examples"):
        hinge_loss([], [])


# the learning rates


def torch_rates(schedule, rate, steps, **options):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    schedule = schedule(optimizer, **options)
    rates = []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


@pytest.mark.parametrize("rate", [1e-3, 0.1, 3.0])
@pytest.mark.parametrize("steps", [1, 2, 7, 100])
@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (lambda rate, n: constant(rate), lambda n: (lr_scheduler.ConstantLR, {"factor": 1.0})),
        (lambda rate, n: step_decay(rate, 0.5, 3), lambda n: (lr_scheduler.StepLR, {"step_size": 3, "gamma": 0.5})),
        (linear_decay, lambda n: (lr_scheduler.LinearLR, {"start_factor": 1.0, "end_factor": 0.0, "total_iters": n})),
        (cosine_decay, lambda n: (lr_scheduler.CosineAnnealingLR, {"T_max": n})),
    ],
    ids=["constant", "step", "linear", "cosine"],
)
def test_the_schedules_are_those_of_torch(ours, theirs, rate, steps):
    kind, options = theirs(steps)
    schedule = ours(rate, steps)
    rates = [schedule(step) for step in range(steps)]
    assert rates == pytest.approx(torch_rates(kind, rate, steps, **options), rel=1e-9)
    assert rates[0] == rate and all(a >= b > 0 for a, b in zip(rates, rates[1:]))


# the loop


def test_each_step_is_minus_the_rate_times_the_gradient():
    x = Value(3.0)
    losses = gradient_descent([x], lambda: x * x, 0.25, 3)
    assert losses == [9.0, 2.25, 0.5625] and x.data == 0.375


def test_the_loop_is_torch_s_sgd_on_a_network_with_a_decaying_rate():
    random.seed(7)
    network = MLP(2, [5, 1], activation="tanh", fused=True)
    inputs, labels = datasets.moons(n=20)
    twin = torch.nn.Sequential(torch.nn.Linear(2, 5), torch.nn.Tanh(), torch.nn.Linear(5, 1)).double()
    with torch.no_grad():
        for linear, layer in zip((twin[0], twin[2]), network.layers):
            linear.weight.copy_(torch.tensor([[w.data for w in n.w] for n in layer.neurons], dtype=torch.float64))
            linear.bias.copy_(torch.tensor([n.b.data for n in layer.neurons], dtype=torch.float64))
    schedule = cosine_decay(0.5, 30)
    ours = gradient_descent(
        network.parameters(), lambda: mean_squared_error([network(x) for x in inputs], labels), schedule, 30
    )
    optimizer = torch.optim.SGD(twin.parameters(), lr=0.5)
    theirs = []
    for step in range(30):
        loss = F.mse_loss(twin(torch.tensor(inputs, dtype=torch.float64))[:, 0], torch.tensor(labels).double())
        theirs.append(loss.item())
        optimizer.param_groups[0]["lr"] = schedule(step)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert ours == pytest.approx(theirs, rel=1e-9)
    assert ours[-1] < ours[0] / 2


def test_a_number_is_a_constant_schedule():
    for rate in (0.25, constant(0.25)):
        x = Value(3.0)
        gradient_descent([x], lambda x=x: x * x, rate, 3)
        assert x.data == 0.375


def test_no_steps_change_nothing():
    x = Value(3.0)
    assert gradient_descent([x], lambda: x * x, 0.25, 0) == [] and x.data == 3.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_moons_are_told_apart_to_the_last_point_within_100_steps(seed):
    """The figure of micrograd's demo: 337 parameters, hinge loss, a rate that falls from 1."""
    random.seed(seed)
    network = MLP(2, [16, 16, 1], fused=True)
    inputs, labels = datasets.moons()
    assert len(network.parameters()) == 337
    losses = gradient_descent(
        network.parameters(), lambda: hinge_loss([network(x) for x in inputs], labels), linear_decay(1.0, 100), 100
    )
    assert losses[-1] < 0.05 and all(network(x).data * y > 0 for x, y in zip(inputs, labels))


@pytest.mark.parametrize("rate", [0, 0.0, -0.1, math.nan])
def test_a_rate_that_is_not_above_0_is_refused(rate):
    x = Value(3.0)
    with pytest.raises(ValueError, match=f"^the learning rate must be above 0, and is {rate} at step 0$"):
        gradient_descent([x], lambda: x * x, rate, 3)
    assert x.data == 3.0


def test_a_schedule_that_ends_too_early_is_told_the_step():
    x = Value(3.0)
    with pytest.raises(ValueError, match=r"^the learning rate must be above 0, and is 0\.0 at step 2$"):
        gradient_descent([x], lambda: x * x, linear_decay(0.1, 2), 3)


def test_what_is_not_finite_at_once_lies_in_the_data_or_the_parameters():
    x = Value(math.nan)
    with pytest.raises(FloatingPointError, match=r"^at step 0 the loss \(nan\) .*in the data or the parameters"):
        gradient_descent([x], lambda: x * x, 0.1, 3)


def test_a_rate_that_is_too_high_stops_with_the_step_and_finite_parameters():
    x = Value(3.0)
    with pytest.raises(FloatingPointError, match=r"^at step \d the loss \(inf\) .*is the learning rate too high\?$"):
        gradient_descent([x], lambda: x * x, 1e100, 10)
    assert math.isfinite(x.data) and abs(x.data) > 1e100


def test_a_gradient_that_is_not_finite_stops_before_the_update():
    x, y = Value(1e-200), Value(1.0)
    # the loss is finite, its slope at x is not
    with pytest.raises(FloatingPointError, match="gradient"):
        gradient_descent([x, y], lambda: (x * 1e200) ** 3 * 1e200 + y, 0.1, 3)
    assert x.data == 1e-200 and y.data == 1.0
