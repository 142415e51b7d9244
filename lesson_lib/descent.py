"""Gradient descent: the losses that it makes smaller, the learning rates, and the loop.

Follows the training loop of Andrej Karpathy's lecture "The spelled-out intro to neural networks and
backpropagation: building micrograd", and of micrograd's demo with the two moons.
"""

import math


def mean_squared_error(predictions, targets):
    """Return the mean of (prediction - target)²: a Value, where the predictions are Values.

    predictions and targets are lists of n numbers or Values, n at least 1. Andrej Karpathy's lecture "building
    micrograd" takes the sum and does not divide by n. Raises ValueError for lists of unequal length, or empty ones.
    """
    if len(predictions) != len(targets):
        raise ValueError(f"expected {len(targets)} predictions, one for each target, got {len(predictions)}")
    if len(targets) == 0:
        raise ValueError("there is no mean of no examples: at least 1 is needed")
    return sum((p - t) ** 2 for p, t in zip(predictions, targets)) / len(targets)


def hinge_loss(scores, labels):
    """Return the mean of max(0, 1 - label · score), a Value; a score of 1 or more on the right side costs nothing.

    scores is a list of n Values, labels a list of n numbers, each -1 or 1, n at least 1. (The "max-margin" loss of
    micrograd's demo.) Raises ValueError for lists of unequal length, or empty ones, and for another label.
    """
    if len(scores) != len(labels):
        raise ValueError(f"expected {len(labels)} scores, one for each label, got {len(scores)}")
    if len(labels) == 0:
        raise ValueError("there is no mean of no examples: at least 1 is needed")
    for y in labels:
        if y not in (-1, 1):
            raise ValueError(f"a label is -1 or 1, and not {y}")
    return sum((1 - s * y).relu() for s, y in zip(scores, labels)) / len(labels)


def constant(rate):
    """Return the schedule that gives the same learning rate at every step.

    A schedule is a function from the number of a step, counted from 0, to the learning rate of that step.
    """
    return lambda step: rate


def step_decay(rate, factor, every):
    """Return the schedule that multiplies the rate by factor, a number from 0 to 1, after each `every` steps."""
    return lambda step: rate * factor ** (step // every)


def linear_decay(rate, steps):
    """Return the schedule that falls along a straight line, from rate at step 0 to 0 when all steps are done."""
    return lambda step: rate * (1 - step / steps)


def cosine_decay(rate, steps):
    """Return the schedule that falls along half a cosine wave, from rate at step 0 to 0 when all steps are done.

    From Loshchilov and Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", 2017, without the restarts.
    """
    return lambda step: rate * (1 + math.cos(math.pi * step / steps)) / 2


def warm_up(schedule, steps):
    """Return the schedule that rises to the given one along a straight line during the first `steps` steps.

    Lesson 14 builds it. A schedule is a function from the number of a step, counted from 0, to its learning rate.
    """
    return lambda step: schedule(step) * min(1.0, (step + 1) / steps)


def gradient_descent(parameters, loss, rate, steps):
    """Go forward, backward and update, `steps` times. Return the losses, one for each step, before its update.

    parameters is a list of Values, loss a function without arguments that computes the loss, a Value, from
    them anew. rate is a learning rate above 0, or a schedule.
    Raises ValueError for a rate that is not above 0, and FloatingPointError, with the step and the likely
    cause, when the loss or a gradient is no longer a finite number; the parameters then stay as they are.
    """
    schedule = rate if callable(rate) else constant(rate)
    losses = []
    for step in range(steps):
        if not schedule(step) > 0:
            raise ValueError(f"the learning rate must be above 0, and is {schedule(step)} at step {step}")
        now = loss()
        for p in parameters:
            p.grad = 0.0
        now.backward()
        if not all(map(math.isfinite, [now.data, *(p.grad for p in parameters)])):
            cause = "is the learning rate too high?" if step else "is there inf or nan in the data or the parameters?"
            raise FloatingPointError(f"at step {step} the loss ({now.data}) or a gradient is not finite: {cause}")
        for p in parameters:
            p.data -= schedule(step) * p.grad
        losses.append(now.data)
    return losses
