"""What gradient descent descends: the loss."""


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
