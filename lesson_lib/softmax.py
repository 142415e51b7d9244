"""The softmax: from any numbers to shares that are positive and sum to 1, stable, with its derivatives and a mask.

Follows Andrej Karpathy's lecture "Let's build GPT: from scratch, in code, spelled out". Shapes: B examples in a
batch, T positions (tokens) in an example, C channels (numbers) for each token; "..." stands for any dimensions.
"""

import torch


def softmax(logits, dim=-1):
    """Return e to the power of each logit, divided by their sum along dim: (...) → (...), of the same type.

    The largest logit is subtracted first. That changes nothing in the result, and no power can overflow. A logit of
    minus infinity gets exactly 0. Where all of them are minus infinity, or one is infinity, there is no such thing as
    a share: the result is nan there, as in PyTorch.

    >>> softmax(torch.tensor([1000.0, 1000.0, -torch.inf]))
    tensor([0.5000, 0.5000, 0.0000])
    """
    largest = logits.max(dim=dim, keepdim=True).values
    exps = (logits - largest).exp()
    return exps / exps.sum(dim=dim, keepdim=True)


def softmax_derivatives(probs):
    """Return how fast each probability changes with each logit: (..., n) → (..., n, n).

    probs is what a softmax along the last dimension gave. Row i, column j is the derivative of probability i with
    respect to logit j: p_i (1 - p_i) on the diagonal, and -p_i p_j elsewhere. Each row and each column sums to 0.
    """
    return torch.diag_embed(probs) - probs.unsqueeze(-1) * probs.unsqueeze(-2)


def softmax_backward(probs, grad):
    """Return the gradient for the logits from the gradient for the probabilities, each (..., n).

    The same as the product of grad with the matrix of `softmax_derivatives`, without making it.
    """
    return probs * (grad - (probs * grad).sum(dim=-1, keepdim=True))


def causal_mask(T, device=None):
    """Return the (T, T) mask that is True where position t (the row) may look: at itself and all before it.

    >>> causal_mask(2)
    tensor([[ True, False],
            [ True,  True]])
    """
    return torch.ones(T, T, dtype=torch.bool, device=device).tril()


def masked_softmax(logits, mask):
    """Return the softmax along the last dimension, (..., T, T) → (..., T, T), exactly 0 wherever the mask is False.

    mask is a bool tensor of a shape that broadcasts to that of the logits, True where there may be a weight. A row
    in which it is False everywhere becomes nan: there is nothing to share among.
    """
    return softmax(logits.masked_fill(~mask, -torch.inf))


def average_with_softmax(x):
    """Return the average of the past, with the weights from a softmax of masked zeros: (B, T, C) → (B, T, C).

    x may also be (T, C). Its numbers must be of a floating-point type, and the result is of that type.
    """
    T = x.shape[-2]
    logits = torch.zeros(T, T, dtype=x.dtype, device=x.device)
    weights = masked_softmax(logits, causal_mask(T, x.device))  # (T, T), each row sums to 1
    return weights @ x
