"""Plausible mistakes in the exercises of lesson 10."""

SETUP = """
import math
import torch
from lesson_lib.averaging import average_with_loop, average_with_matmul, averaging_weights
"""


def one(name, arguments):
    """Return a function that makes (name, misconception, source) from the misconception and the body's last line."""

    def row(misconception, body):
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        return name, misconception, f"def {name}({arguments}):\n{lines}"

    return row


row_of_weights = one("row_of_weights", "t, T")
aggregate = one("aggregate", "weights, x")
nearly_equal = one("nearly_equal", "a, b, rtol, atol")
shares_of_the_past = one("shares_of_the_past", "raw")
window_weights = one("window_weights", "T, n")
hears_the_future = one("hears_the_future", "average, x")
by_importance = one("by_importance", "x, importance")
mixing_gradients = one("mixing_gradients", "weights, x, G")

LOOPS = """out = []
for t in range(len(x)):
    row = []
    for c in range(len(x[0])):
        {}
    out.append(row)
return out"""
EXPERIMENT = """before = average(x)
for t in range(x.shape[1] - 1):
    other = x.clone()
    {}
    after = average(other)
    if not {}:
        return True
return False"""
CHANGE = "other[:, t + 1 :] += 1.0"
SAME = "torch.allclose(before[:, : t + 1], after[:, : t + 1], atol=1e-6)"
DIFFERENCE = """before = average(x)
moved = []
for t in range(x.shape[1] - 1):
    other = x.clone()
    other[:, t + 1 :] += 1.0
    moved.append(bool((average(other) - before)[:, : t + 1]{1}))
return {0}(moved)"""
IMPORTANCE = """T = x.shape[1]
past = importance[:, None, :] * torch.ones(T, T).tril()
{}"""

WRONG = [
    row_of_weights("The future is included", "return [1 / T] * T"),
    row_of_weights("One of the future is included", "return [1 / (t + 2)] * (t + 2) + [0.0] * (T - t - 2)"),
    row_of_weights("The own position is left out", "return [1 / t] * t + [0.0] * (T - t)"),
    row_of_weights("The own position is left out", "return [1 / (t + 1)] * t + [0.0] * (T - t)"),
    row_of_weights("Each place has another share", "return [1 / (i + 1) if i <= t else 0.0 for i in range(T)]"),
    row_of_weights("Counted one too few", "return [1 / t] * (t + 1) + [0.0] * (T - t - 1)"),
    row_of_weights("The row does not sum to 1", "return [1.0] * (t + 1) + [0.0] * (T - t - 1)"),
    row_of_weights("The row does not sum to 1", "return [float(i <= t) for i in range(T)]"),
    row_of_weights("Divided by T", "return [1 / T] * (t + 1) + [0.0] * (T - t - 1)"),
    row_of_weights("The future in place of the past", "return [0.0] * t + [1 / (T - t)] * (T - t)"),
    row_of_weights("The later places are missing", "return [1 / (t + 1)] * (t + 1)"),
    row_of_weights("Not the right length", "return [1 / (t + 1)] * (t + 1) + [0.0] * (T - t)"),
    row_of_weights("Not the right length", "return averaging_weights(T)[t].tolist() + [0.0]"),
    row_of_weights("Only the own position", "return [1.0 if i == t else 0.0 for i in range(T)]"),
    row_of_weights("Another row", "return [2 ** (i - t) / 2 for i in range(t + 1)] + [0.0] * (T - t - 1)"),
    row_of_weights("Another row", "return [1 // (t + 1)] * (t + 1) + [0.0] * (T - t - 1)"),
    row_of_weights("Not a list of numbers", "return 1 / (t + 1)"),
    row_of_weights("Not a list of numbers", "return averaging_weights(T)"),
    row_of_weights("Nothing comes back", "row = [1 / (t + 1)] * (t + 1) + [0.0] * (T - t - 1)"),
    # aggregate
    aggregate("Columns in place of rows", LOOPS.format("row.append(sum(weights[i][t] * x[i][c] for i in range(len(x))))")),
    aggregate("Nobody asked for a mask", LOOPS.format("row.append(sum(weights[t][i] * x[i][c] for i in range(t + 1)))")),
    aggregate("The own position is left out", LOOPS.format("row.append(sum(weights[t][i] * x[i][c] for i in range(t)))")),
    aggregate("Only the own position", LOOPS.format("row.append(weights[t][t] * x[t][c])")),
    aggregate("Place by place", LOOPS.format("row.append(weights[t][c] * x[t][c])")),
    aggregate("The sum is too short", LOOPS.format("row.append(sum(weights[t][i] * x[i][c] for i in range(len(x[0]))))")),
    aggregate("The weights are left out", LOOPS.format("row.append(sum(x[i][c] for i in range(len(x))))")),
    aggregate("Divided once more", LOOPS.format("row.append(sum(weights[t][i] * x[i][c] for i in range(len(x))) / len(x))")),
    aggregate("Divided once more", LOOPS.format("row.append(sum(weights[t][i] * x[i][c] for i in range(len(x))) / sum(weights[t]))")),
    aggregate("Only the last term is left", LOOPS.format("for i in range(len(x)):\n            number = weights[t][i] * x[i][c]\n        row.append(number)")),
    aggregate("All rows are one list", "T, C = len(x), len(x[0])\nout = [[0.0] * C] * T\nfor t in range(T):\n    for c in range(C):\n        for i in range(T):\n            out[t][c] += weights[t][i] * x[i][c]\nreturn out"),
    aggregate("All rows are one list", "T, C = len(x), len(x[0])\nout = [[0] * C] * T\nfor t in range(T):\n    for c in range(C):\n        out[t][c] = sum(weights[t][i] * x[i][c] for i in range(T))\nreturn out"),
    aggregate("The sum is not set back", "total, out = 0.0, []\nfor t in range(len(x)):\n    row = []\n    for c in range(len(x[0])):\n        for i in range(len(x)):\n            total += weights[t][i] * x[i][c]\n        row.append(total)\n    out.append(row)\nreturn out"),
    aggregate("The sum is not set back", "out = []\nfor t in range(len(x)):\n    row, total = [], 0.0\n    for c in range(len(x[0])):\n        for i in range(len(x)):\n            total += weights[t][i] * x[i][c]\n        row.append(total)\n    out.append(row)\nreturn out"),
    aggregate("Rows and columns exchanged", "T, C = range(len(x)), range(len(x[0]))\nreturn [[sum(weights[t][i] * x[i][c] for i in T) for t in T] for c in C][:2] if len(x) == 2 else [[sum(weights[t][i] * x[i][c] for i in T) for t in T] for c in C]"),
    aggregate("Not the right shape", "return [[sum(w * x[i][0] for i, w in enumerate(row))] for row in weights]"),
    aggregate("Not the right shape", "out = []\nfor t, row in enumerate(weights):\n    out.append([sum(w * x[i][c] for i, w in enumerate(row)) for c in range(min(t + 1, len(x[0])))])\nreturn out"),
    aggregate("Not a list of lists", "return [sum(w * x[i][0] for i, w in enumerate(row)) for row in weights]"),
    aggregate("PyTorch does it for you", "return (torch.tensor(weights) @ torch.tensor(x)).tolist()"),
    aggregate("What came in is changed", "out = []\nfor row in weights:\n    sums = [0.0] * len(x[0])\n    for i in range(len(x)):\n        w = row.pop(0)\n        for c in range(len(x[0])):\n            sums[c] += w * x[i][c]\n    out.append(sums)\nreturn out"),
    aggregate("Other numbers", LOOPS.format("row.append(sum(weights[t][i] + x[i][c] for i in range(len(x))))")),
    aggregate("Your code stopped with an error", "return [[sum(w * x[c][i] for i, w in enumerate(row)) for c in range(len(x[0]))] for row in weights]"),
    # nearly_equal
    nearly_equal("PyTorch does it for you", "return torch.allclose(a, b, rtol, atol)"),
    nearly_equal("The sign of the difference", "return a.shape == b.shape and bool(((a - b) <= atol + rtol * b.abs()).all())"),
    nearly_equal("The sign of the difference", "return a.shape == b.shape and bool((a - b).max() <= atol + rtol * b.abs().max())"),
    nearly_equal("One bad place is not seen", "return a.shape == b.shape and bool((a - b).abs().mean() <= atol + rtol * b.abs().mean())"),
    nearly_equal("One bad place is not seen", "return a.shape == b.shape and bool(((a - b).abs() <= atol + rtol * b.abs()).any())"),
    nearly_equal("It says True to everything", "return a.shape == b.shape"),
    nearly_equal("Equal tensors are refused", "return a.shape == b.shape and bool(((a - b).abs() > atol + rtol * b.abs()).all())"),
    nearly_equal("Equal tensors are refused", "return a.shape == b.shape and bool(((a - b).abs() / (a - b).abs().max() <= atol + rtol).all())"),
    nearly_equal("atol has no effect", "return a.shape == b.shape and bool(((a - b).abs() <= rtol * b.abs()).all())"),
    nearly_equal("rtol has no effect", "return a.shape == b.shape and bool(((a - b).abs() <= atol).all())"),
    nearly_equal("Both limits at once", "gap = (a - b).abs()\nreturn a.shape == b.shape and bool(((gap <= atol) & (gap <= rtol * b.abs())).all())"),
    nearly_equal("A negative b", "return a.shape == b.shape and bool(((a - b).abs() <= atol + rtol * b).all())"),
    nearly_equal("The larger of the two, not the sum", "gap = (a - b).abs()\nreturn a.shape == b.shape and bool(((gap <= atol) | (gap <= rtol * b.abs())).all())"),
    nearly_equal("Measured by a, not by b", "return a.shape == b.shape and bool(((a - b).abs() <= atol + rtol * a.abs()).all())"),
    nearly_equal("Each place has its own limit", "return a.shape == b.shape and bool((a - b).abs().max() <= atol + rtol * b.abs().max())"),
    nearly_equal("Each place has its own limit", "return a.shape == b.shape and bool((a - b).norm() <= atol + rtol * b.norm())"),
    nearly_equal("Each place has its own limit", "return a.shape == b.shape and bool((a - b).abs().sum() <= atol + rtol * b.abs().sum())"),
    nearly_equal("Each place has its own limit", "return a.shape == b.shape and bool(((a - b).abs().max() <= atol + rtol * b.abs()).all())"),
    nearly_equal("Each place has its own limit", "return a.shape == b.shape and bool(((a - b).abs() <= atol + rtol * b.abs().max()).all())"),
    nearly_equal("Each place has its own limit", "return a.shape == b.shape and bool(((a - b).abs() <= atol + rtol * b.abs().min()).all())"),
    nearly_equal("The border itself", "return a.shape == b.shape and bool(((a - b).abs() < atol + rtol * b.abs()).all() or a.equal(b))"),
    nearly_equal("nan passes", "return a.shape == b.shape and not bool(((a - b).abs() > atol + rtol * b.abs()).any())"),
    nearly_equal("Other shapes pass", "return len(a) == len(b) and bool(((a - b).abs() <= atol + rtol * b.abs()).all())"),
    nearly_equal("Other shapes pass", "try:\n    return bool(((a - b).abs() <= atol + rtol * b.abs()).all())\nexcept RuntimeError:\n    return False"),
    nearly_equal("Other shapes stop it", "return bool(((a - b).abs() <= atol + rtol * b.abs()).all())"),
    nearly_equal("A table, not one answer", "return (a - b).abs() <= atol + rtol * b.abs()"),
    nearly_equal("Not True or False", "return (a - b).abs().max().item()"),
    nearly_equal("What came in is changed", "if a.shape != b.shape:\n    return False\na -= b\nreturn bool((a.abs() <= atol + rtol * b.abs()).all())"),
    # shares_of_the_past
    shares_of_the_past("The future is included", "return raw / raw.sum(dim=1, keepdim=True)"),
    shares_of_the_past("The mask comes too late", "return (raw / raw.sum(dim=1, keepdim=True)).tril()"),
    shares_of_the_past("The rows do not sum to 1", "return raw.tril()"),
    shares_of_the_past("Columns, not rows", "past = raw.tril()\nreturn past / past.sum(dim=0, keepdim=True)"),
    shares_of_the_past("Columns, not rows", "past = raw.tril()\nreturn past / past.sum(dim=0)"),
    shares_of_the_past("The sums lie the wrong way", "past = raw.tril()\nreturn past / past.sum(dim=1)"),
    shares_of_the_past("One sum for the whole table", "past = raw.tril()\nreturn past / past.sum()"),
    shares_of_the_past("Divided by the count", "past = raw.tril()\nreturn past / torch.arange(1, len(raw) + 1)[:, None]"),
    shares_of_the_past("The raw numbers are not used", "return averaging_weights(len(raw))"),
    shares_of_the_past("The past is cut off", "past = raw.triu()\nreturn past / past.sum(dim=1, keepdim=True)"),
    shares_of_the_past("The own position is left out", "past = raw.tril(-1)\nreturn past / past.sum(dim=1, keepdim=True)"),
    shares_of_the_past("The own position is left out", "past = raw.tril(-1)\nreturn past / past.sum(dim=1, keepdim=True).clamp(min=1e-9)"),
    shares_of_the_past("The table that came in is changed", "raw.tril_()\nreturn raw / raw.sum(dim=1, keepdim=True)"),
    shares_of_the_past("The table that came in is changed", "past = raw\npast *= torch.ones_like(raw).tril()\npast /= past.sum(dim=1, keepdim=True)\nreturn past"),
    shares_of_the_past("The rows have other sums", "past = raw.tril()\nreturn past / past.max(dim=1, keepdim=True).values"),
    shares_of_the_past("Other shares", "return raw.masked_fill(torch.ones_like(raw).tril() == 0, -torch.inf).softmax(dim=1)"),
    shares_of_the_past("Other shares", "past = raw.tril() ** 2\nreturn past / past.sum(dim=1, keepdim=True)"),
    shares_of_the_past("Not a tensor", "return [[x / sum(row[: t + 1]) for x in row[: t + 1]] for t, row in enumerate(raw.tolist())]"),
    shares_of_the_past("Not the right shape", "return raw.tril().sum(dim=1, keepdim=True)"),
    # window_weights
    window_weights("No window", "return averaging_weights(T)"),
    window_weights("One too many", "near = torch.ones(T, T).tril() - torch.ones(T, T).tril(-n - 1)\nreturn near / near.sum(dim=1, keepdim=True)"),
    window_weights("One too few", "near = torch.ones(T, T).tril() - torch.ones(T, T).tril(1 - n)\nreturn near / near.sum(dim=1, keepdim=True)"),
    window_weights("The own position is left out", "near = torch.ones(T, T).tril(-1) - torch.ones(T, T).tril(-n - 1)\nreturn near / near.sum(dim=1, keepdim=True)"),
    window_weights("The own position is left out", "near = torch.ones(T, T).tril(-1) - torch.ones(T, T).tril(-n)\nreturn near / near.sum(dim=1, keepdim=True).clamp(min=1)"),
    window_weights("The rows do not sum to 1", "return torch.ones(T, T).tril() - torch.ones(T, T).tril(-n)"),
    window_weights("Divided by n", "return (torch.ones(T, T).tril() - torch.ones(T, T).tril(-n)) / n"),
    window_weights("The future in place of the past", "near = torch.ones(T, T).triu() - torch.ones(T, T).triu(n)\nreturn near / near.sum(dim=1, keepdim=True)"),
    window_weights("The future is included", "i = torch.arange(T)\nnear = ((i[:, None] - i).abs() < n).float()\nreturn near / near.sum(dim=1, keepdim=True)"),
    window_weights("Columns, not rows", "near = torch.ones(T, T).tril() - torch.ones(T, T).tril(-n)\nreturn near / near.sum(dim=0, keepdim=True)"),
    window_weights("The sums lie the wrong way", "near = torch.ones(T, T).tril() - torch.ones(T, T).tril(-n)\nreturn near / near.sum(dim=1)"),
    window_weights("The rows have other sums", "weights = averaging_weights(T)\nreturn weights - weights.tril(-n)"),
    window_weights("Another window", "return torch.eye(T)"),
    window_weights("Not the right shape", "return averaging_weights(n)"),
    window_weights("Not a tensor", "return [[1 / min(t + 1, n) if t - n < i <= t else 0.0 for i in range(T)] for t in range(T)]"),
    # hears_the_future
    hears_the_future("The later outputs may move", EXPERIMENT.format(CHANGE, "torch.allclose(before, after, atol=1e-6)")),
    hears_the_future("The later outputs may move", "return True"),
    hears_the_future("It never hears anything", "return False"),
    hears_the_future("It never hears anything", EXPERIMENT.format("other[:, : t + 1] += 0.0", SAME)),
    hears_the_future("Only the last token is changed", "other = x.clone()\nother[:, -1] += 1.0\nreturn not torch.allclose(average(x)[:, :-1], average(other)[:, :-1], atol=1e-6)"),
    hears_the_future("Only the first position is looked at", "other = x.clone()\nother[:, 1:] += 1.0\nreturn not torch.allclose(average(x)[:, 0], average(other)[:, 0], atol=1e-6)"),
    hears_the_future("Only the next token is looked at", EXPERIMENT.format("other[:, t + 1] += 1.0", "torch.allclose(before[:, t], after[:, t], atol=1e-6)")),
    hears_the_future("The x that came in is changed", "before = average(x)\nx[:, -1] += 1.0\nreturn not torch.allclose(before[:, :-1], average(x)[:, :-1], atol=1e-6)"),
    hears_the_future("An innocent is accused", EXPERIMENT.format("other[:, t:] += 1.0", SAME)),
    hears_the_future("An innocent is accused", EXPERIMENT.format("other[:, t + 1 :] += 1.0", "torch.allclose(before[:, : t + 1], x[:, : t + 1])")),
    hears_the_future("Both kinds of error", "other = x.clone()\nother[:, -1] += 1.0\nreturn not torch.allclose(average(x)[:, -2:], x[:, -2:], atol=1e-6)"),
    hears_the_future("A shuffle is no change for an average", EXPERIMENT.format("other[:, t + 1 :] = x[:, t + 1 :].flip(1)", SAME)),
    hears_the_future("Only some examples are looked at", EXPERIMENT.format(CHANGE, "torch.allclose(before[0, : t + 1], after[0, : t + 1], atol=1e-6)")),
    hears_the_future("Only some examples are looked at", EXPERIMENT.format("other[0, t + 1 :] += 1.0", SAME)),
    hears_the_future("Only some channels are looked at", EXPERIMENT.format(CHANGE, "torch.allclose(before[:, : t + 1, 0], after[:, : t + 1, 0], atol=1e-6)")),
    hears_the_future("The tolerance is too wide", EXPERIMENT.format(CHANGE, "torch.allclose(before[:, : t + 1], after[:, : t + 1], atol=0.1)")),
    hears_the_future("Round-off is taken for a leak", "whole = average(x)\nreturn any(not average(x[:, : t + 1])[:, t].equal(whole[:, t]) for t in range(x.shape[1]))"),
    hears_the_future("Some positions are not tried", EXPERIMENT.format(CHANGE, SAME).replace("range(x.shape[1] - 1)", "(0, x.shape[1] - 2)")),
    hears_the_future("Some positions are not tried", EXPERIMENT.format(CHANGE, SAME).replace("range(x.shape[1] - 1)", "range(2)")),
    hears_the_future("Not True or False", EXPERIMENT.format(CHANGE, SAME).replace("return True", "return t").replace("return False", "return 'honest'")),
    hears_the_future("Your code stopped with an error", "for t in range(x.shape[1]):\n    if average(x)[:, t] != average(x[:, : t + 1])[:, t]:\n        return True\nreturn False"),
    hears_the_future("Plus and minus cancel", DIFFERENCE.format("any", ".mean().abs() > 1e-6")),
    hears_the_future("Plus and minus cancel", DIFFERENCE.format("any", ".sum().abs() > 1e-4")),
    hears_the_future("Plus and minus cancel", DIFFERENCE.format("any", ".sum(dim=-1).abs().max() > 1e-4")),
    hears_the_future("Plus and minus cancel", DIFFERENCE.format("any", ".mean(dim=0).abs().max() > 1e-6")),
    hears_the_future("Only a rise is noticed", DIFFERENCE.format("any", ".max() > 1e-6")),
    hears_the_future("One changed number is enough", DIFFERENCE.format("all", ".abs().max() > 1e-6")),
    hears_the_future("One changed number is enough", DIFFERENCE.format("any", ".abs().min() > 1e-6")),
    hears_the_future("One changed number is enough", DIFFERENCE.format("all", ".abs().min() > 1e-6")),
    hears_the_future("One changed number is enough", EXPERIMENT.format(CHANGE, "bool((before[:, t] - after[:, t]).abs().min() < 1e-6)")),
    hears_the_future("Not the average is asked for", "return not torch.allclose(average(x), average_with_matmul(x), atol=1e-6)"),
    hears_the_future("0 · nan is nan", EXPERIMENT.format("other[:, t + 1 :] = torch.nan", "not after[:, : t + 1].isnan().any()")),
    hears_the_future("0 · nan is nan", EXPERIMENT.format("other[:, t + 1 :] = torch.inf", SAME)),
    hears_the_future("What is 0 stays 0", EXPERIMENT.format("other[:, t + 1 :] = 0.0", SAME)),
    hears_the_future("What is 0 stays 0", EXPERIMENT.format("other[:, t + 1 :] *= 2.0", SAME)),
    # by_importance
    by_importance("The importance has no effect", "return average_with_matmul(x)"),
    by_importance("The importance has no effect", "T = x.shape[1]\npast = importance[:, :, None] * torch.ones(T, T).tril()\nreturn past / past.sum(dim=-1, keepdim=True) @ x"),
    by_importance("The future is included", "T = x.shape[1]\nweights = importance[:, None, :].expand(-1, T, T)\nreturn weights / weights.sum(dim=-1, keepdim=True) @ x"),
    by_importance("The mask comes too late", "T = x.shape[1]\nweights = importance / importance.sum(dim=-1, keepdim=True)\nreturn weights[:, None, :] * torch.ones(T, T).tril() @ x"),
    by_importance("The weights do not sum to 1", IMPORTANCE.format("return past @ x")),
    by_importance("The weights do not sum to 1", "return (importance[:, :, None] * x).cumsum(dim=1)"),
    by_importance("Divided by the count", "return average_with_matmul(importance[:, :, None] * x)"),
    by_importance("Columns, not rows", IMPORTANCE.format("return past / past.sum(dim=1, keepdim=True) @ x")),
    by_importance("One example's importance for all", "T = x.shape[1]\npast = importance[0] * torch.ones(T, T).tril()\nreturn past / past.sum(dim=-1, keepdim=True) @ x"),
    by_importance("The examples are mixed", "T = x.shape[1]\npast = importance.mean(dim=0) * torch.ones(T, T).tril()\nreturn past / past.sum(dim=-1, keepdim=True) @ x"),
    by_importance("Divided over the batch", "importance = importance / importance.sum(dim=0)\nT = x.shape[1]\npast = importance[:, None, :] * torch.ones(T, T).tril()\nreturn past / past.sum(dim=-1, keepdim=True) @ x"),
    by_importance("One table for all examples", "T = x.shape[1]\npast = importance * torch.ones(T, T).tril()\nreturn past / past.sum(dim=-1, keepdim=True) @ x"),
    by_importance("One table for all examples", "T = x.shape[1]\npast = importance * torch.ones(T, T).tril()\nreturn past / past.sum(dim=-1) @ x"),
    by_importance("The listener's importance", "T = x.shape[1]\nreturn importance[:, :, None] * torch.ones(T, T).tril() @ x"),
    by_importance("The listener's importance", "T = x.shape[1]\npast = importance[:, :, None] * torch.ones(T, T).tril()\nreturn past / importance.cumsum(dim=1)[:, :, None] @ x"),
    by_importance("The sums lie the wrong way", "return (importance[:, :, None] * x).cumsum(dim=1) / importance.cumsum(dim=1)"),
    by_importance("The sums lie the wrong way", IMPORTANCE.format("return past / past.sum(dim=-1) @ x")),
    by_importance("The own position is left out", IMPORTANCE.format("past = past.tril(-1)\nreturn past / past.sum(dim=-1, keepdim=True) @ x")),
    by_importance("The own position is left out", IMPORTANCE.format("past = past.tril(-1)\nreturn past / past.sum(dim=-1, keepdim=True).clamp(min=1e-9) @ x")),
    by_importance("What came in is changed", "importance /= importance.sum(dim=1, keepdim=True)\nT = x.shape[1]\npast = importance[:, None, :] * torch.ones(T, T).tril()\nreturn past / past.sum(dim=-1, keepdim=True) @ x"),
    by_importance("What came in is changed", "x *= importance[:, :, None]\nreturn x.cumsum(dim=1) / importance.cumsum(dim=1)[:, :, None]"),
    by_importance("Other numbers", IMPORTANCE.format("return past.softmax(dim=-1) @ x")),
    by_importance("Other numbers", IMPORTANCE.format("past = past.mean(dim=0)\nreturn past / past.sum() @ x")),
    by_importance("Not the right shape", IMPORTANCE.format("return past / past.sum(dim=-1, keepdim=True)").replace("importance[:, None, :]", "importance[:, None, :, None]")),
    # mixing_gradients
    mixing_gradients("PyTorch does it for you", "weights, x = weights.requires_grad_(), x.requires_grad_()\n(weights @ x).backward(G)\nreturn weights.grad, x.grad"),
    mixing_gradients("PyTorch does it for you", "weights, x = weights.clone().requires_grad_(), x.clone().requires_grad_()\nreturn torch.autograd.grad(weights @ x, (weights, x), G)"),
    mixing_gradients("One gradient for each example", "return G @ x.transpose(1, 2), weights.T @ G"),
    mixing_gradients("The mean, not the sum", "return (G @ x.transpose(1, 2)).mean(dim=0), weights.T @ G"),
    mixing_gradients("Only one example", "return G[0] @ x[0].T, weights.T @ G"),
    mixing_gradients("Turned round", "return (x @ G.transpose(1, 2)).sum(dim=0), weights.T @ G"),
    mixing_gradients("Nobody asked for a mask", "return (G @ x.transpose(1, 2)).sum(dim=0).tril(), weights.T @ G"),
    mixing_gradients("The weights are not turned", "return (G @ x.transpose(1, 2)).sum(dim=0), weights @ G"),
    mixing_gradients("The two are exchanged", "return weights.T @ G, (G @ x.transpose(1, 2)).sum(dim=0)"),
    mixing_gradients("Another gradient for the weights", "return x.sum(dim=0) @ G.sum(dim=0).T, weights.T @ G"),
    mixing_gradients("Another gradient for the weights", "return weights * (G @ x.transpose(1, 2)).sum(dim=0), weights.T @ G"),
    mixing_gradients("Another gradient for x", "return (G @ x.transpose(1, 2)).sum(dim=0), (weights.T @ G).sum(dim=0).expand_as(x)"),
    mixing_gradients("Another gradient for x", "return (G @ x.transpose(1, 2)).sum(dim=0), weights.T @ G * x"),
    mixing_gradients("Not a pair", "return weights.T @ G"),
    mixing_gradients("Not the right shape", "return (G @ x.transpose(1, 2)).sum(dim=0), (weights.T @ G).sum(dim=0)"),
    mixing_gradients("What came in is changed", "G *= 1.5\nreturn (G @ x.transpose(1, 2)).sum(dim=0), weights.T @ G"),
    mixing_gradients("Your code stopped with an error", "return torch.mm(G, x), weights.T @ G"),
]

RIGHT = [
    ("row_of_weights", "def row_of_weights(t, T):\n    return [1 / (t + 1) if i <= t else 0 for i in range(T)]"),
    ("aggregate", "def aggregate(weights, x):\n    return [[sum(map(lambda w, n: w * n, row, column)) for column in zip(*x)] for row in weights]"),
    ("nearly_equal", "def nearly_equal(a, b, rtol, atol):\n    return a.shape == b.shape and not bool((~((a - b).abs() <= atol + rtol * b.abs())).any())"),
    ("shares_of_the_past", "def shares_of_the_past(raw):\n    return torch.nn.functional.normalize(torch.tril(raw), p=1, dim=1)"),
    ("window_weights", "def window_weights(T, n):\n    weights = torch.zeros(T, T)\n    for t in range(T):\n        start = max(0, t - n + 1)\n        weights[t, start : t + 1] = 1 / (t + 1 - start)\n    return weights"),
    ("hears_the_future", "def hears_the_future(average, x):\n    leaf = x.detach().clone().requires_grad_()\n    out = average(leaf)\n    for t in range(x.shape[1]):\n        for number in out[:, t].flatten():\n            (g,) = torch.autograd.grad(number, leaf, retain_graph=True, allow_unused=True)\n            if g is not None and bool((g[:, t + 1 :].abs() > 1e-6).any()):\n                return True\n    return False"),
    ("hears_the_future", "def hears_the_future(average, x):\n    for t in range(1, x.shape[1]):\n        if not torch.allclose(average(x[:, :t]), average(x)[:, :t], atol=1e-5):\n            return True\n    return False"),
    ("by_importance", "def by_importance(x, importance):\n    return (importance[..., None] * x).cumsum(1) / importance.cumsum(1)[..., None]"),
    ("mixing_gradients", 'def mixing_gradients(weights, x, G):\n    return torch.einsum("btc,bsc->ts", G, x), torch.einsum("ts,btc->bsc", weights, G)'),
]
