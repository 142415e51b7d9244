"""The loss against PyTorch and against its definition, and bad input."""

import random

import pytest
import torch
import torch.nn.functional as F

from lesson_lib.descent import mean_squared_error
from lesson_lib.micrograd import Value


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
