"""Checks of lesson 6: shapes, a layer, a loss and a network for a batch, a step, nn.Linear, training with torch.nn.

torch is imported when an answer is checked, so that the checks of lessons 1 to 5 do without it. In most checks
the first example is square, because there a mistake in the shapes is not stopped by an error.
"""

import random

from ..datasets import circles
from ..mlp import Layer
from ._exercise import Wrong, call, exercise
from .neural_networks import uses

LESSON = "06_tensors"


def draw(seed, *shape):
    """Return a float64 tensor of this shape, of random numbers from -1 to 1 that are the same for the same seed."""
    import torch

    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


def a_tensor(answer, what):
    """Return answer if it is a tensor, and raise Wrong if it is not."""
    import torch

    if not isinstance(answer, torch.Tensor):
        raise Wrong(
            "Not a tensor",
            f"{what} should be a tensor and is a {type(answer).__name__}. Which lines leave the world of tensors?",
        )
    if answer.is_complex():
        raise Wrong("Not real numbers", f"{what} is a tensor of complex numbers, and should be one of real numbers.")
    return answer.detach()


def same(got, expected, tolerance=1e-6):
    """Whether both tensors have the same shape and the same numbers, up to the tolerance."""
    return got.shape == expected.shape and bool((got.double() - expected).abs().le(tolerance).all())


def kind(value):
    """Return in words what value is: a tensor by its shape, since its numbers would fill the line."""
    import torch

    if isinstance(value, torch.Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)}"
    return f"{value!r:.40} ({type(value).__name__})"


def any_same(got, *others):
    return any(same(got, other) for other in others)


def first_difference(got, expected):
    """Return in words where the first difference is: in the shape, or in which number."""
    if got.shape != expected.shape:
        return f"Your result has the shape {tuple(got.shape)} and should have {tuple(expected.shape)}."
    places = ((got.double() - expected).abs() > 1e-6).logical_or(got.isnan()).nonzero().tolist()
    if not places or not places[0]:
        return f"You get {got.item():.6g} and should get {expected.item():.6g}."
    i, *j = places[0]
    where = f"row {i}, column {j[0]}" if j else f"place {i}"
    at = tuple(places[0])
    return f"In {where} you have {got[at].item():.4g} and should have {expected[at].item():.4g}."


def shapes_of(*pairs):
    return ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in pairs)


def one_shape(shape):
    """Return the shape as a tuple of ints; None where it is none."""
    if isinstance(shape, (tuple, list)) and all(isinstance(n, int) and not isinstance(n, bool) for n in shape):
        return tuple(shape)
    return None


@exercise(
    lesson=LESSON,
    minutes=5,
    allows="You can say shapes before you run the code. That finds most mistakes with tensors.",
    hints=(
        "For @: write the two shapes side by side. The two sizes in the middle must be equal, and disappear.",
        "sum and mean: the dimension that is named is gone. If none is named, all are gone, and () is left.",
        "For + and *: align the shapes at the right. (32, 1) above (8,): 1 meets 8, and 32 meets nothing.",
    ),
    solution="""
        six_shapes = [(32, 8), (32, 8), (8,), (32,), (32, 8), ()]
    """,
    reasons="The product takes 3 away from the middle. The bias stretches over the 32 rows. dim=0 goes, and 8 is left; "
    "dim=1 goes, and 32 is left. A column of 32 times a row of 8 stretches both. The mean of all is a single number.",
)
def six_shapes(answer):
    texts = ["X @ W", "X @ W + b", "(X @ W).mean(dim=0)", "X.sum(dim=1)", "X.sum(dim=1).reshape(-1, 1) * b"]
    texts.append("(X * X).mean()")
    rights = [(32, 8), (32, 8), (8,), (32,), (32, 8), ()]
    if not isinstance(answer, (list, tuple)) or len(answer) != 6:
        raise Wrong("Not a list of six", f"Six shapes are asked for, and six_shapes is {answer!r:.60}.")
    for n, (text, entry, right) in enumerate(zip(texts, answer, rights), start=1):
        told = f"Number {n}, `{text}`, is {entry!r:.40} in your list."
        got = one_shape(entry)
        if got is None and isinstance(entry, int):
            raise Wrong("A number, not a shape", f"{told} In Python `(8)` is just 8. What makes a tuple of it?")
        if got is None:
            raise Wrong("Not a shape", f"{told} A shape is a tuple of whole numbers.")
        if got == right:
            continue
        if n <= 2 and sorted(got) == sorted(right):
            raise Wrong("Rows and columns exchanged", f"{told} Is an example a row or a column?")
        if n <= 2 and 3 in got:
            raise Wrong("The middle is still there", f"{told} Each sum runs over the 3 inputs. What is left of them?")
        if n == 2 and got == (8,):
            raise Wrong("Shrunk, not stretched", f"{told} Does an addition make the larger tensor smaller?")
        if n in (3, 4) and got == {3: (32,), 4: (3,)}[n]:
            raise Wrong(
                "The wrong dimension is gone",
                f"{told} Which of the two sizes counts the rows? dim=0 takes that one away, dim=1 the other.",
            )
        if n in (3, 4) and len(got) == 2:
            raise Wrong("The dimension is still there", f"{told} What happens to the dimension along which it goes?")
        if n in (3, 4) and got == ():
            raise Wrong("All dimensions gone", f"{told} It goes along one dimension only. What about the other?")
        if n == 5 and got in ((32, 1), (32,), (8,), (1, 8)):
            raise Wrong(
                "Only one of the two is stretched",
                f"{told} The column is (32, 1), the row (8,). Align them at the right: which sizes are stretched?",
            )
        if n == 6 and got in ((1,), (1, 1)):
            raise Wrong("One number has no dimensions", f"{told} (1,) is a list with one entry. And a number alone?")
        if n == 6:
            raise Wrong("The mean of all", f"{told} No dimension is named. So which of them are gone?")
        raise Wrong("Another shape", f"{told} Write the shapes of its parts below each other first.")


@exercise(
    lesson=LESSON,
    minutes=6,
    allows="You wrote a layer for a whole batch in one line.",
    hints=(
        "Start with the shapes: (B, nin) @ (nin, nout). Which shape has `weights`?",
        "`weights.T` has one column for each neuron.",
        "The biases come to every row by themselves: broadcasting. The tanh is torch.tanh, around all of it.",
    ),
    solution="""
        def batch_layer(weights, biases, inputs):
            return torch.tanh(inputs @ weights.T + biases)
    """,
    reasons="inputs (B, nin) @ weights.T (nin, nout) is (B, nout): an example in each row, a neuron in each column. "
    "The biases (nout,) are added to every row.",
)
def batch_layer(answer):
    import torch

    for n, (batch, nin, nout) in enumerate(((3, 3, 3), (4, 2, 3), (1, 3, 2))):
        given = draw(n + 11, nout, nin), draw(n + 21, nout), draw(n + 31, batch, nin)
        handed = tuple(part.clone().requires_grad_(n > 0) for part in given)
        w, b, x = given
        made = call(answer, *handed)
        got = a_tensor(made, "batch_layer(weights, biases, inputs)")
        if any(h.shape != g.shape or not h.equal(g) for h, g in zip(handed, given)):
            raise Wrong("The tensors that came in are changed", "Could the layer be used a second time?")
        z = x @ w.T + b
        right = torch.tanh(z)
        if same(got, right):
            if n > 0 and not made.requires_grad:
                raise Wrong(
                    "The graph is cut",
                    "The numbers are right, but no gradient can flow back to the weights. "
                    "Did you make a new tensor out of numbers?",
                )
            continue
        told = f"With {shapes_of(('weights', w), ('biases', b), ('inputs', x))}: {first_difference(got, right)}"
        turned = torch.tanh(w @ x.T + b.reshape(-1, 1))
        if any_same(got, z):
            raise Wrong("The tanh is missing", told)
        if any_same(got, torch.tanh(x @ w.T)):
            raise Wrong("The biases are left out", told)
        if any_same(got, torch.tanh(x @ w.T) + b):
            raise Wrong("The bias comes too late", f"{told} Is the bias inside the tanh?")
        if any_same(got, torch.relu(z)):
            raise Wrong("relu in place of tanh", f"{told} Which bend does the exercise ask for?")
        if any_same(got, turned) or batch == nout and any_same(got, torch.tanh(w @ x.T + b)):
            raise Wrong("Examples and neurons exchanged", f"{told} Which of them should be the rows of the result?")
        if batch == nin == nout:
            if any_same(got, torch.tanh(x @ w + b), x @ w + b, torch.tanh(x @ w)):
                raise Wrong(
                    "The weights are not turned",
                    f"{told} Here the shapes fit by chance. weights has one row for each neuron; what does @ need?",
                )
            if any_same(got, torch.tanh(x @ w.T + b.reshape(-1, 1))):
                raise Wrong("The biases along the wrong dimension", f"{told} A bias belongs to a neuron: a column.")
            pairs = x * w, x * w.T, (x * w).sum(dim=1), (x * w).sum(dim=0)
            if any(any_same(got, torch.tanh(pair + b), pair + b, torch.tanh(pair)) for pair in pairs):
                raise Wrong(
                    "Element by element",
                    f"{told} `*` multiplies what is in the same place: example 0 with neuron 0, and no other. "
                    "Which operation lets every example meet every neuron?",
                )
        raise Wrong("Another result", told)


@exercise(
    lesson=LESSON,
    minutes=6,
    allows="You know the most frequent trap of all, and how to stay out of it.",
    hints=(
        "Which shape has predictions - targets? Align (B, 1) and (B,) at the right.",
        "Bring both to one shape first: predictions[:, 0] is a row, targets.reshape(-1, 1) is a column.",
        "Then the difference, ** 2, and .mean() without a dimension.",
    ),
    solution="""
        def column_loss(predictions, targets):
            return ((predictions - targets.reshape(-1, 1)) ** 2).mean()
    """,
    reasons="With both as columns, each prediction meets its own target. mean() without a dimension takes all of them "
    "together, and what is left has no dimensions.",
)
def column_loss(answer):
    if uses(answer, "mse_loss", "MSELoss"):
        raise Wrong("PyTorch does it for you", "This once, write it yourself: difference, square, mean.")
    for n, batch in enumerate((3, 5, 1)):
        given, targets = draw(n, batch, 1) * 2, draw(n + 10, batch)
        predictions, handed = given.clone().requires_grad_(), targets.clone()
        loss = call(answer, predictions, handed)
        right = ((given[:, 0] - targets) ** 2).mean()
        if isinstance(loss, float):
            raise Wrong("A number, not a tensor", f"You return {loss:g}. Could backward() start at an ordinary number?")
        got = a_tensor(loss, "column_loss(predictions, targets)")
        told = f"With predictions ({batch}, 1) and targets ({batch},): {first_difference(got, right)}"
        if handed.shape != targets.shape or not handed.equal(targets) or not predictions.detach().equal(given):
            raise Wrong("The tensors that came in are changed", f"targets has the shape {tuple(handed.shape)} now.")
        squares, every = (given[:, 0] - targets) ** 2, (given - targets) ** 2
        if same(got, right):
            if predictions.grad is not None:
                raise Wrong("backward() is called already", "The loss alone is asked for. Who should go backward?")
            if not loss.requires_grad:
                raise Wrong("The graph is cut", "The number is right, but no gradient can flow back from it.")
            loss.backward()
            slopes = 2 * (given - targets.reshape(-1, 1)) / batch
            if predictions.grad is None or not same(predictions.grad, slopes):
                raise Wrong("The graph is cut", "The number is right, but the gradients of the predictions are not.")
            continue
        if got.dim() and any_same(got.flatten(), squares):
            raise Wrong("No mean", f"{told} These are the squares of the examples. What makes one number of them?")
        if got.dim() and any_same(got.flatten(), every.flatten(), every.mean(dim=0), every.mean(dim=1)):
            raise Wrong("Every prediction against every target", f"{told} What shape has your difference?")
        if got.dim() and got.numel() == 1 and any_same(got.flatten(), right.reshape(1)):
            raise Wrong("A dimension is left", f"{told} Does your mean name a dimension? Which ones should go?")
        if got.dim():
            raise Wrong("Not one number", f"{told} The loss is a single number.")
        if any_same(got, every.mean(), every.sum(), every.sum() / batch):
            raise Wrong("Every prediction against every target", f"{told} What shape has your difference?")
        if any_same(got, squares.sum()):
            raise Wrong("The sum, not the mean", f"{told} What if there were a thousand examples?")
        if any_same(got, (given[:, 0] - targets).mean(), (targets - given[:, 0]).mean()):
            raise Wrong("The square is missing", f"{told} Without it, too high and too low cancel.")
        if any_same(got, (given[:, 0] - targets).mean() ** 2, (given[:, 0] - targets).sum() ** 2):
            raise Wrong("The square comes too late", f"{told} First square each difference, then the mean.")
        if any_same(got, (given[:, 0] - targets).abs().mean()):
            raise Wrong("The absolute value", f"{told} What is asked for is the *squared* difference.")
        if any_same(got, ((given[:, 0] + targets) ** 2).mean()):
            raise Wrong("Plus where a minus belongs", told)
        if any_same(got, right.sqrt()):
            raise Wrong("A root too many", told)
        raise Wrong("Another number", told)


def run_layers(layers, x, bend, last_bend=None, *, biases=1.0, late=False):
    """Return the outputs of a network on tensors; biases=0.0 leaves them out, late adds them after the bend."""
    for k, (W, b) in enumerate(layers):
        here = bend if k < len(layers) - 1 else last_bend or (lambda z: z)
        x = here(x @ W) + b if late else here(x @ W + biases * b)
    return x


def slips(layers, x):
    """Return the misconceptions that a network may show, each with the result that it gives."""
    import torch

    relu, none = torch.relu, lambda z: z
    found = {
        "A relu at the end": run_layers(layers, x, relu, relu),
        "The bend is missing": run_layers(layers, x, none),
        "The bend in the wrong place": run_layers(layers, x, none, relu),
        "tanh in place of relu": run_layers(layers, x, torch.tanh),
        "A tanh in every layer": run_layers(layers, x, torch.tanh, torch.tanh),
        "The biases are left out": run_layers(layers, x, relu, biases=0.0),
        "The bias after the relu": run_layers(layers, x, relu, late=True),
    }
    if len(layers) > 1:
        (W, b), before = layers[-1], run_layers(layers[:-1], x, relu, relu)
        found["Only the first layer"] = run_layers(layers[:1], x, relu, relu)
        found["Only the first layer, and no relu"] = run_layers(layers[:1], x, none)
        found["The last layer is missing"] = before
        found["The last weights are missing"] = before + b
        found["The last bias is missing"] = before @ W
    if len({W.shape for W, _ in layers}) == 1 and x.shape == layers[0][0].shape:
        found["The first layer is missing"] = run_layers(layers[1:], x, relu)
        found["Every layer gets the inputs"] = run_layers(layers[-1:], x, relu)
        found["Back to front"] = run_layers(layers[::-1], x, relu)
        found["The weights are turned"] = run_layers([(W.T, b) for W, b in layers], x, relu)
        found["The biases along the wrong dimension"] = run_layers([(W, b.reshape(-1, 1)) for W, b in layers], x, relu)
        found["Examples and neurons exchanged"] = run_layers(layers, x, relu).T
    return found


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You wrote a network of any depth, for a whole batch, in a few lines.",
    hints=(
        "A loop over the layers. What one turn makes is the input of the next: x = x @ W + b.",
        "After it, a torch.relu, but not in the last layer. How do you know that you are there?",
        "for number, (W, b) in enumerate(layers): the last one has the number len(layers) - 1.",
    ),
    solution="""
        def batch_network(layers, x):
            for number, (W, b) in enumerate(layers):
                x = x @ W + b
                if number < len(layers) - 1:
                    x = torch.relu(x)
            return x
    """,
    reasons="x moves on: after each turn it stands for what the layer made of it, with the shape (B, nout). "
    "The place in the list says which layer is the last, so that it works for one layer too.",
)
def batch_network(answer):
    if uses(answer, "forward"):
        raise Wrong("The lesson's function does it", "Yours calls forward. Can you write the loop yourself?")
    pair = draw(0, 3, 3), draw(1, 3)
    cases = [
        ([(draw(n, 3, 3), draw(n + 10, 3)) for n in range(3)], draw(30, 3, 3)),
        ([(draw(n, n, m), draw(n + 10, m)) for n, m in ((2, 4), (4, 3), (3, 1))], draw(31, 5, 2)),
        ([(draw(3, 2, 3), draw(13, 3))], draw(32, 4, 2)),
        ([pair, pair], draw(2, 2, 3)),
    ]
    for layers, x in cases:
        handed_layers = [(W.clone(), b.clone()) for W, b in layers] if layers[0] is not pair else list(layers)
        handed = x.clone()
        try:
            got = a_tensor(call(answer, handed_layers, handed), "batch_network(layers, x)")
        except (ValueError, IndexError):
            if len(layers) == 3:
                raise
            raise Wrong(
                "Made for three layers",
                f"With {len(layers)} layer{'s' * (len(layers) > 1)} in the list it stops. "
                "Does each layer have a line of its own? What works for a list of any length?",
            ) from None
        if not handed.equal(x):
            raise Wrong("The tensors that came in are changed", "x is not what it was. Which line writes into it?")
        if len(handed_layers) != len(layers) or any(
            not here.equal(there) for pairs in zip(handed_layers, layers) for here, there in zip(*pairs)
        ):
            raise Wrong("The list that came in is changed", "Could the network be used a second time?")
        right = run_layers(layers, x, relu_of)
        if same(got, right):
            continue
        count = "a single layer" if len(layers) == 1 else f"{len(layers)} layers"
        told = f"With {count} and x {tuple(x.shape)}: {first_difference(got, right)}"
        found = {name for name, result in slips(layers, x).items() if same(got, result)}
        if layers[0] is pair and found & {"A relu at the end", "The bend is missing"}:
            raise Wrong(
                "The last layer is told by what it is",
                f"{told} Two of your layers are the same pair of tensors. "
                "Is a layer the last one because of its numbers or because of its place?",
            )
        if "A relu at the end" in found:
            raise Wrong("A relu at the end", f"{told} The last layer is linear. Could yours ever say a number below 0?")
        if "The bend is missing" in found:
            raise Wrong("The bend is missing", f"{told} Without a relu, all your layers do no more than one.")
        if "The bend in the wrong place" in found:
            raise Wrong("The bend in the wrong place", f"{told} Which layers have a relu, and which one has not?")
        if "tanh in place of relu" in found:
            raise Wrong("tanh in place of relu", f"{told} The hidden layers should have a relu.")
        if "A tanh in every layer" in found:
            raise Wrong("A tanh in every layer", f"{told} Hidden layers should have a relu, and the last nothing.")
        if "The biases are left out" in found:
            raise Wrong("The biases are left out", told)
        if "The bias after the relu" in found:
            raise Wrong("The bias after the relu", f"{told} Is the sum complete when your relu looks at it?")
        if found & {"Only the first layer", "Only the first layer, and no relu"}:
            raise Wrong("Only the first layer", f"{told} Does your loop end after its first turn?")
        if "The last layer is missing" in found:
            raise Wrong("The last layer is missing", f"{told} What you return has been through the hidden layers only.")
        if "The last weights are missing" in found:
            raise Wrong("The last weights are missing", f"{told} The last layer is linear: without a relu, but with W.")
        if "The last bias is missing" in found:
            raise Wrong("The last bias is missing", f"{told} The last layer is linear: without a relu, but with b.")
        if "The first layer is missing" in found:
            raise Wrong("The first layer is missing", f"{told} Where does your loop begin? layers[0] is a layer too.")
        if "Every layer gets the inputs" in found:
            raise Wrong("Every layer gets the inputs", f"{told} What should the second layer get: the inputs, or …?")
        if "Back to front" in found:
            raise Wrong("Back to front", f"{told} The first pair of the list is the layer that gets the inputs.")
        if "The weights are turned" in found:
            raise Wrong("The weights are turned", f"{told} Here W has a column for each neuron already. Is .T needed?")
        if "The biases along the wrong dimension" in found:
            raise Wrong("The biases along the wrong dimension", f"{told} A bias belongs to a neuron: a column.")
        if "Examples and neurons exchanged" in found:
            raise Wrong("Examples and neurons exchanged", f"{told} Which of them should be the rows of the result?")
        raise Wrong("Another result", told)


def relu_of(z):
    return z.clamp(min=0.0)


class Task:
    """Two leaves, a loss that is made from them, its slopes there, and the old gradients that are left in .grad."""

    def __init__(self, seed, left_over):
        import torch

        self.starts = [draw(seed, 2, 1), draw(seed + 10, 1)]
        self.x, self.y = draw(seed + 20, 4, 2), draw(seed + 30, 4, 1)
        self.parameters = [start.clone().requires_grad_() for start in self.starts]
        self.losses = []
        self.recorded = self.went_back = False
        self.slopes = torch.autograd.grad(self.loss(), self.parameters)
        self.first = self.losses.pop()
        self.went_back = False
        self.old = [torch.full_like(start, left_over) for start in self.starts]
        if left_over:
            for p, old in zip(self.parameters, self.old):
                p.grad = old.clone()

    def loss(self):
        weights, bias = self.parameters
        now = ((self.x @ weights + bias - self.y) ** 2).mean()
        self.losses.append(now.item())
        self.recorded = now.requires_grad
        if self.recorded:
            now.register_hook(self.note)
        return now

    def note(self, slope):
        self.went_back = True

    def moved(self, a, b=0.0):
        """Whether each parameter went from its start by a times its slope and b times its old gradient."""
        parts = zip(self.parameters, self.starts, self.slopes, self.old)
        return all(same(p.detach(), start + a * slope + b * old) for p, start, slope, old in parts)


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You know what an optimizer does, because you have done it yourself.",
    hints=(
        "Four things, in this order: compute the loss, clear the old gradients, backward(), update.",
        "Clear: p.grad = None for each parameter. The update: with torch.no_grad(), in place, p -= ….",
        "What loss() gives is a tensor. Keep it under a name; its .item() is the ordinary number to return.",
    ),
    solution="""
        def tensor_step_down(parameters, loss, rate):
            now = loss()
            for p in parameters:
                p.grad = None
            now.backward()
            with torch.no_grad():
                for p in parameters:
                    p -= rate * p.grad
            return now.item()
    """,
    reasons="Leaves add up, so the old gradients go first. Inside no_grad nothing is recorded, and -= changes the "
    "parameter itself: it stays the leaf that the network holds.",
)
def tensor_step_down(answer):
    import torch

    if uses(answer, "SGD", "optim", "Adam", "AdamW"):
        raise Wrong("An optimizer does it", "This once, make the update yourself.")
    for n, rate in enumerate((0.1, 0.5)):
        # what is left over from before: gradients at first, then nothing at all, which is None
        task = Task(n, left_over=0.0 if n else 0.75)
        parameters, starts, slopes, made, first = task.parameters, task.starts, task.slopes, task.losses, task.first
        handed = list(parameters)
        try:
            told_loss = call(answer, handed, task.loss, rate)
        except RuntimeError as error:
            if task.losses and not task.recorded:
                raise Wrong(
                    "Nothing was recorded",
                    "The loss knows nothing of the parameters. Which lines stand inside no_grad, and which should?",
                ) from None
            if "in-place" not in str(error) and "inplace" not in str(error):
                raise
            raise Wrong(
                "The update is written into the graph",
                "PyTorch refuses to change a leaf in place while it is recording. How do you say that it should not?",
            ) from None
        except TypeError as error:
            if "NoneType" not in str(error):
                raise
            if task.went_back:
                raise Wrong(
                    "Cleared too late", "You set .grad to None after backward(). What is left to update with?"
                ) from None
            raise Wrong("No backward pass", "There is no gradient when you update. Who makes them?") from None
        except AttributeError as error:
            if "NoneType" not in str(error):
                raise
            raise Wrong(
                "Nothing there yet",
                "Before the first backward(), .grad is None and not a tensor of zeros. How can you clear it then?",
            ) from None
        if any(p is not q for p, q in zip(handed, parameters)) or len(handed) != len(parameters):
            if any(not getattr(p, "is_leaf", True) for p in handed):
                raise Wrong(
                    "The update is written into the graph",
                    "The list now holds results of a subtraction, and no leaves. With every step the graph would grow.",
                )
            raise Wrong("The parameters are replaced", "The list holds new tensors. The network keeps the old ones.")
        if not all(p.is_leaf and p.requires_grad for p in parameters):
            raise Wrong("They no longer ask for gradients", "After yours, requires_grad is False. And the next step?")
        if not made:
            raise Wrong("No forward pass", "Your function never calls loss(). From where would the gradients come?")
        got = [p.detach() for p in parameters]
        told = f"With rate {rate:g}, the first number has gradient {slopes[0][0, 0].item():.4f} and went "
        told += f"from {starts[0][0, 0].item():.4f} to {got[0][0, 0].item():.4f}."
        if not task.moved(-rate):
            if task.moved(0):
                if all(p.grad is not None and not p.grad.any() for p in parameters):
                    raise Wrong("Zeroed too late", f"{told} Are the gradients still there when you use them?")
                raise Wrong("Nothing has moved", f"{told} Does `p = ...` change a tensor, or only what p stands for?")
            if task.moved(rate):
                raise Wrong("Uphill", f"{told} The loss grows with a parameter that has a positive gradient.")
            if task.moved(-rate, -rate) and n == 0:
                raise Wrong("The old gradients are still in it", f"{told} What was in .grad when your step began?")
            if task.moved(0, -rate):
                raise Wrong("No backward pass", f"{told} It went by what was in .grad before. Who makes the new ones?")
            if task.moved(-1):
                raise Wrong("The rate is left out", told)
            if task.moved(-2 * rate):
                raise Wrong("Two backward passes", f"{told} Twice as far as it should. Leaves add up.")
            if same(got[0], starts[0] - rate * slopes[0]) and got[1].equal(starts[1]):
                raise Wrong("Only the first has moved", f"{told} Where does your loop, or your function, end?")
            raise Wrong("Another step", f"{told} It should be {starts[0][0, 0] - rate * slopes[0][0, 0]:.4f}.")
        if isinstance(told_loss, torch.Tensor):
            raise Wrong("A tensor, not a number", "The step is right. But what you return still holds its graph.")
        if isinstance(told_loss, (int, float)) and abs(told_loss - first) < 1e-9:
            continue
        if isinstance(told_loss, (int, float)) and made[1:] and abs(told_loss - made[-1]) < 1e-9:
            raise Wrong("The loss after the update", f"You return {told_loss:.4f}; before it was {first:.4f}.")
        raise Wrong("Not the loss", f"The step is right. You return {kind(told_loss)}, and the loss was {first:.4f}.")


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can move a network from one library into another.",
    hints=(
        "nn.Linear(nin, nout, dtype=torch.float64) makes one of the right size, with random numbers.",
        "The lists [[w.data for w in n.w] for n in layer.neurons] have the shape (nout, nin). And nn.Linear's weight?",
        "with torch.no_grad(): linear.weight.copy_(torch.tensor(rows, dtype=torch.float64)), and the biases likewise.",
    ),
    solution="""
        def linear_from(layer):
            rows = [[w.data for w in neuron.w] for neuron in layer.neurons]
            biases = [neuron.b.data for neuron in layer.neurons]
            linear = torch.nn.Linear(len(rows[0]), len(rows), dtype=torch.float64)
            with torch.no_grad():
                linear.weight.copy_(torch.tensor(rows, dtype=torch.float64))
                linear.bias.copy_(torch.tensor(biases, dtype=torch.float64))
            return linear
    """,
    reasons="nn.Linear keeps a row for each neuron, as the lists of lesson 4 do, so nothing has to be turned. "
    "Without dtype=torch.float64 the numbers would lose half of their digits.",
)
def linear_from(answer):
    import torch

    for seed, (nin, nout) in enumerate(((3, 3), (2, 4), (3, 1))):
        state = random.getstate()
        random.seed(seed)
        layer = Layer(nin, nout)
        for neuron in layer.neurons:
            neuron.b.data = random.uniform(-1, 1)
        random.setstate(state)
        rows = torch.tensor([[w.data for w in n.w] for n in layer.neurons], dtype=torch.float64)
        biases = torch.tensor([n.b.data for n in layer.neurons], dtype=torch.float64)
        told = f"For a layer of {nout} neurons with {nin} inputs"
        try:
            linear = call(answer, layer)
        except (RuntimeError, TypeError) as error:
            if "Value" in str(error):
                raise Wrong(
                    "Values, not numbers", "These are `Value` objects. Where do they keep their number?"
                ) from None
            if isinstance(error, TypeError):
                raise
            if "must match" in str(error):
                raise Wrong(
                    "The sizes are exchanged",
                    f"{told} PyTorch says: {error}. What does nn.Linear take first: the inputs, or the neurons?",
                ) from None
            if "in-place" not in str(error):
                raise
            raise Wrong(
                "The copy is written into the graph",
                "PyTorch refuses to change a leaf in place while it is recording. How do you say that it should not?",
            ) from None
        if not isinstance(linear, torch.nn.Linear):
            raise Wrong("Not an nn.Linear", f"{told} you return {kind(linear)}.")
        weight, bias = linear.weight, linear.bias
        if bias is None:
            raise Wrong("The biases are left out", f"{told} your nn.Linear has no bias at all.")
        shapes = tuple(weight.shape), tuple(bias.shape)
        if shapes != ((nout, nin), (nout,)):
            raise Wrong("Another shape", f"{told} weight and bias have {shapes}, not {((nout, nin), (nout,))}.")
        if nin == nout and same(weight.detach(), rows.T):
            raise Wrong(
                "The weights are turned",
                f"{told} the shapes fit either way. Your lists have a row for each neuron. What does nn.Linear keep?",
            )
        if not same(weight.detach(), rows):
            raise Wrong("The weights are not those of the layer", f"{told}: {first_difference(weight.detach(), rows)}")
        if not same(bias.detach(), biases):
            raise Wrong("The biases are left out", f"{told}: {first_difference(bias.detach(), biases)}")
        if weight.dtype != torch.float64 or bias.dtype != torch.float64:
            raise Wrong("Not float64", f"{told} the weight is {weight.dtype} and the bias {bias.dtype}.")
        if not same(weight.detach(), rows, 1e-12) or not same(bias.detach(), biases, 1e-12):
            raise Wrong(
                "Digits are lost on the way",
                f"{told} the numbers are right to 7 digits only. Were they float32 at some point?",
            )
        if not (weight.requires_grad and bias.requires_grad):
            raise Wrong("They no longer ask for gradients", f"{told} requires_grad is False. Could it be trained on?")


@exercise(
    lesson=LESSON,
    minutes=12,
    allows="You know what one node of PyTorch does when it goes backward: two matrix products more.",
    hints=(
        "A gradient has the shape of what it belongs to. X is (B, nin): which product of G (B, nout) and "
        "W (nin, nout), turned or not, has that shape?",
        "One number of X goes into all neurons: each share is a number of G times a weight. A sum over nout.",
        "One number of W is used by all examples: each share is a number of X times one of G. A sum over B: X.T @ G.",
    ),
    solution="""
        def product_backward(X, W, G):
            return G @ W.T, X.T @ G
    """,
    reasons="Y[k, j] is the sum over i of X[k, i] * W[i, j]. So X[k, i] gets G[k, j] * W[i, j], summed over j: "
    "G @ W.T. And W[i, j] gets X[k, i] * G[k, j], summed over the examples k: X.T @ G.",
)
def product_backward(answer):
    if uses(answer, "backward", "autograd"):
        raise Wrong("PyTorch does it for you", "This once, you are PyTorch. Which two products do it?")
    for n, (batch, nin, nout) in enumerate(((3, 3, 3), (4, 2, 3))):
        X, W, G = given = draw(n, batch, nin), draw(n + 10, nin, nout), draw(n + 20, batch, nout)
        handed = tuple(part.clone() for part in given)
        made = call(answer, *handed)
        if not isinstance(made, (tuple, list)) or len(made) != 2:
            raise Wrong("Not a pair", "Two gradients are asked for: the one for X, and the one for W.")
        if any(not here.equal(there) for here, there in zip(handed, given)):
            raise Wrong("The tensors that came in are changed", "X, W and G should stay as they were.")
        for_X, for_W = (a_tensor(part, f"The gradient for {name}") for part, name in zip(made, "XW"))
        right_X, right_W = G @ W.T, X.T @ G
        told = f"With {shapes_of(('X', X), ('W', W), ('G', G))}."
        if same(for_X, right_X) and same(for_W, right_W):
            continue
        if same(for_X, right_W) and same(for_W, right_X):
            raise Wrong("The two are exchanged", f"{told} First the gradient for X, then the one for W.")
        if same(for_X, right_X):
            told += f" The gradient for X is right. For W: {first_difference(for_W, right_W)}"
            if same(for_W, right_W / batch):
                raise Wrong("The mean, not the sum", f"{told} The shares of the examples add up, as in every leaf.")
            if same(for_W, right_W.T):
                raise Wrong("The gradient for W is turned", f"{told} It must have the shape of W.")
            if batch == nin and same(for_W, X @ G):
                raise Wrong("X is not turned", f"{told} Here it fits by chance. Which sizes meet in the middle?")
            if batch == nin and any_same(for_W, X * G, X.T * G):
                raise Wrong("Element by element", f"{told} A weight is used by every example. Where is the sum?")
            raise Wrong("Another gradient for W", told)
        told += f" For X: {first_difference(for_X, right_X)}"
        if batch == nin == nout and any_same(for_X, G * W, G * W.T):
            raise Wrong("Element by element", f"{told} An input goes into every neuron. Where is the sum?")
        if batch == nin == nout and same(for_X, G @ W):
            raise Wrong("W is not turned", f"{told} Here it fits by chance. Which sizes meet in the middle?")
        if any_same(for_X, right_X.T):
            raise Wrong("The gradient for X is turned", f"{told} It must have the shape of X.")
        raise Wrong("Another gradient for X", told)


@exercise(
    lesson=LESSON,
    minutes=12,
    allows="You built and trained a network with torch.nn. The lessons on language do the same with larger parts.",
    hints=(
        "Section 7 has all parts: MLP(2, [16, 16, 1]), the optimizer, the five lines of the loop. Change the data.",
        "inputs, targets = datasets.circles(); X = torch.tensor(inputs); Y = torch.tensor(targets).reshape(-1, 1).",
        "The hinge loss, torch.relu(1 - Y * model(X)).mean(), with lr=0.5 and 500 steps is plenty.",
    ),
    solution="""
        def circles_network():
            inputs, targets = datasets.circles()
            X = torch.tensor(inputs)  # (100, 2)
            Y = torch.tensor(targets).reshape(-1, 1)  # (100, 1)
            torch.manual_seed(1)
            model = torch.nn.Sequential(torch.nn.Linear(2, 16), torch.nn.Tanh(), torch.nn.Linear(16, 1))
            optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
            for step in range(500):
                loss = torch.relu(1 - Y * model(X)).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            return model
    """,
    reasons="The loop is the same for every task. One hidden layer of 16 neurons is enough here: each draws a border, "
    "and together they fence in the inner circle.",
)
def circles_network(answer):
    import torch

    model = call(answer)
    if isinstance(model, type):
        raise Wrong("The class, not a network", f"You return {model.__name__} itself. Who makes a network of it?")
    if not isinstance(model, torch.nn.Module):
        raise Wrong("Not a module", f"You return {kind(model)}, and not the trained network.")
    parameters = list(model.parameters())
    if not parameters:
        raise Wrong("Nothing to train", "Your module has no parameters. Are its layers in a plain list?")
    inputs, targets = circles()
    X, Y = torch.tensor(inputs, dtype=parameters[0].dtype), torch.tensor(targets).reshape(-1, 1)
    with torch.no_grad():
        scores = a_tensor(model(X), "What your network says")
        if tuple(scores.shape) != (100, 1):
            raise Wrong("Another shape", f"For inputs (100, 2) your network gives {tuple(scores.shape)}, not (100, 1).")
        right = int((scores * Y > 0).sum())
        told = f"{right} of 100 points are on the right side."
        if not scores.isfinite().all():
            raise Wrong(
                "Not finite numbers",
                f"{told} Some scores are nan or infinite. Does your loss fall, or is the learning rate too high?",
            )
        if right == 100:
            return
        middle = model(torch.zeros(1, 2, dtype=X.dtype))
        if (model(2 * X) - middle).allclose(2 * (scores - middle), atol=1e-3):
            raise Wrong("The bend is missing", f"{told} Your network is linear. What must be between two layers?")
    last = list(model.modules())[-1]
    if scores.min() >= 0 and isinstance(last, (torch.nn.ReLU, torch.nn.Sigmoid)):
        raise Wrong("Never below 0", f"{told} The lowest score is {scores.min():.2g}. What does your last layer do?")
    if scores.max() - scores.min() < 0.1:
        raise Wrong(
            "The same answer everywhere",
            f"{told} All scores are between {scores.min():.2f} and {scores.max():.2f}. "
            "Print the shape of the difference in your loss. Is each score compared with its own target only?",
        )
    if right <= 10:
        raise Wrong("Inside and outside exchanged", f"{told} Does your loss fall where label and score agree?")
    raise Wrong(
        "Not all on the right side",
        f"{told} Print the loss as it trains. Does it still fall: then give it more steps. Does it leap: a lower rate. "
        "Else print the shape of what you average: is it (100, 1), or (100, 100)?",
    )
