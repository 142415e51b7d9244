"""What the checks of lessons 8 to 14 share: tensors to try an answer on, and questions and words about what came back.

torch is imported inside the functions, so that the checks of the first lessons do not wait for it.
"""

from ._exercise import NotAttempted, Wrong, call, number

SHAPES = "must match the size", "cannot be multiplied", "Expected size for", "Sizes of tensors must match"


def tensor(table):
    import torch

    return torch.tensor(table, dtype=torch.float64)


def random_numbers(seed, *shape):
    """Return float32 numbers from N(0, 1), the same ones for the same seed, whatever the learner has drawn."""
    import torch

    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def divided(table, dim=-1):
    """Return the table with each row (or, for dim=-2, each column) divided by its sum."""
    return table / table.sum(dim=dim, keepdim=True)


def fitting(answer, *args, what, question):
    """Return call(answer, *args); raise Wrong where PyTorch says in `what` that two shapes do not fit."""
    try:
        return call(answer, *args)
    except RuntimeError as error:
        if not any(part in str(error) for part in SHAPES):
            raise
        told = str(error).split("\n")[0].split(" at non")[0].rstrip(".")
        raise Wrong("Two shapes that do not fit", f"In {what} PyTorch stops: {told}. {question}") from None


def tensor_of(answer, shape, what):
    """Return the answer if it is a tensor of this shape, and raise Wrong if it is not."""
    import torch

    if answer is ...:
        raise NotAttempted
    if isinstance(answer, (list, tuple)):
        raise Wrong("Not a tensor", f"{what} should be a tensor and is a {type(answer).__name__}.")
    if not isinstance(answer, torch.Tensor):
        raise Wrong("Not a tensor", f"{what} should be a tensor and is {answer!r:.60} ({type(answer).__name__}).")
    if answer.is_complex():
        raise Wrong("Not real numbers", f"{what} is a tensor of complex numbers, and should be one of real numbers.")
    if tuple(answer.shape) != shape:
        raise Wrong("Not the right shape", f"{what} has the shape {tuple(answer.shape)} and should have {shape}.")
    return answer


def plain(answer, what):
    """Return the answer, a number or a tensor of one number, as a float."""
    import torch

    if isinstance(answer, torch.Tensor):
        return tensor_of(answer, (), what).item()
    return float(number(answer, what))


def alike(a, b, tolerance=1e-5):
    """Whether two tensors of one shape have the same finite numbers."""
    return bool(((a - b).abs() <= tolerance * b.abs().clamp(min=1)).all())


def same(got, right, tolerance=1e-5):
    """Whether both tensors have the same numbers; infinities and nan must be in the same places."""
    import torch

    return bool(torch.allclose(got.double(), right.double(), rtol=tolerance, atol=tolerance, equal_nan=True))


def learnable(made, expected, leaves):
    """Whether the gradients of all leaves come through what the answer made as they should."""
    import torch

    if not made.requires_grad:
        return False
    factors = torch.linspace(0.5, 2, made.numel()).view(made.shape) ** 2
    theirs = torch.autograd.grad((made * factors).sum(), leaves, allow_unused=True)
    ours = torch.autograd.grad((expected * factors).sum(), leaves)
    return all(one is not None and same(one, other, 1e-4) for one, other in zip(theirs, ours))


def unchanged(given, before, name):
    if not given.detach().equal(before):
        raise Wrong("The input is changed", f"The {name} that came in are other numbers now. What writes into them?")


def rows(table):
    """Return a small table in words: what is only rounding away from 0 is 0, large numbers are in full."""

    def told(x):
        return f"{0.0 if abs(x) < 1e-6 else x:{'.6g' if abs(x) >= 100 else '.3g'}}"

    return "; ".join(", ".join(told(x) for x in row) for row in table.tolist())


def told_of(what, got, right):
    """Say in words what came and what should have come; long tables are shown by their last row."""
    table = [part.reshape(-1, part.shape[-1])[-4:] if part.dim() else part.reshape(1, 1) for part in (got, right)]
    return f"{what} gives {rows(table[0])} and should give {rows(table[1])}."


def told_at(what, got, right):
    """Say in words what came and what should have come in the row, along the last dimension, that is furthest off."""
    import torch

    off = (got - right).abs().nan_to_num(torch.inf).amax(-1)
    place = tuple(int(i) for i in torch.unravel_index(off.argmax(), off.shape))
    where = f", at {list(place)}," if place else ""
    begins, begin = ("begins with", "begin with") if got.shape[-1] > 6 else ("gives", "give")
    came, should = (rows(table[place][None, :6]) for table in (got, right))
    return f"{what}{where} {begins} {came} and should {begin} {should}."
