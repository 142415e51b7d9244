"""Plausible mistakes in the exercises of lesson 6."""

SETUP = """
import random
import time
import math
import torch
from torch import nn
from lesson_lib import datasets, mlp
from lesson_lib.descent import mean_squared_error
from lesson_lib.tensors import ACTIVATIONS, MLP, forward, matrices

torch.set_num_threads(1)
"""


def shapes(**wrong):
    """Return the source of the right six shapes with some of them, named n1 to n6, replaced."""
    right = ["(32, 8)", "(32, 8)", "(8,)", "(32,)", "(32, 8)", "()"]
    return f"six_shapes = [{', '.join(wrong.get(f'n{n}', shape) for n, shape in enumerate(right, start=1))}]"


def layer(line):
    return f"def batch_layer(weights, biases, inputs):\n    {line}"


def loss(line):
    return f"def column_loss(predictions, targets):\n    {line}"


def network(*lines):
    return "\n    ".join(["def batch_network(layers, x):", *lines])


def step(*lines):
    return "\n    ".join(["def tensor_step_down(parameters, loss, rate):", *lines])


FORWARD = ("now = loss()", "for p in parameters:", "    p.grad = None", "now.backward()")
UPDATE = ("with torch.no_grad():", "    for p in parameters:", "        p -= rate * p.grad")
LAST = ("    if k < len(layers) - 1:", "        x = torch.relu(x)")


def linear(size="len(rows[0]), len(rows)", rows="rows", after=(), dtype=", dtype=torch.float64", bias="biases"):
    lines = [
        "rows = [[w.data for w in n.w] for n in layer.neurons]",
        "biases = [n.b.data for n in layer.neurons]",
        f"linear = nn.Linear({size}{dtype})",
        "with torch.no_grad():",
        f"    linear.weight.copy_(torch.tensor({rows}))" if not dtype else f"    linear.weight.copy_(torch.tensor({rows}, dtype=torch.float64))",
        f"    linear.bias.copy_(torch.tensor({bias}, dtype=torch.float64))" if bias else "    pass",
        *after,
        "return linear",
    ]
    return "\n    ".join(["def linear_from(layer):", *lines])


def backward(line):
    return f"def product_backward(X, W, G):\n    {line}"


def circles(model, loss="torch.relu(1 - Y * model(X)).mean()", steps=100, y="torch.tensor(targets).reshape(-1, 1)", data="circles", end="model", rate=0.5):
    lines = [
        f"inputs, targets = datasets.{data}()",
        f"X, Y = torch.tensor(inputs), {y}",
        "torch.manual_seed(1)",
        f"model = {model}",
        f"optimizer = torch.optim.SGD(model.parameters(), lr={rate})",
        f"for step in range({steps}):",
        f"    loss = {loss}",
        "    optimizer.zero_grad()",
        "    loss.backward()",
        "    optimizer.step()",
        f"return {end}",
    ]
    return "\n    ".join(["def circles_network():", *lines])


NET = "nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1){})"

WRONG = [
    ("six_shapes", "Not a list of six", "six_shapes = [(32, 8), (32, 8), (8,), (32,), (32, 8)]"),
    ("six_shapes", "Not a list of six", "six_shapes = (32, 8)"),
    ("six_shapes", "A number, not a shape", shapes(n3="(8)")),
    ("six_shapes", "A number, not a shape", shapes(n6="1")),
    ("six_shapes", "Not a shape", shapes(n1="'32 x 8'")),
    ("six_shapes", "Not a shape", shapes(n6="None")),
    ("six_shapes", "Rows and columns exchanged", shapes(n1="(8, 32)", n2="(8, 32)")),
    ("six_shapes", "The middle is still there", shapes(n1="(32, 3, 8)", n2="(32, 3, 8)")),
    ("six_shapes", "The middle is still there", shapes(n1="(3, 3)")),
    ("six_shapes", "Shrunk, not stretched", shapes(n2="(8,)")),
    ("six_shapes", "Another shape", shapes(n2="(40, 8)")),
    ("six_shapes", "The wrong dimension is gone", shapes(n3="(32,)", n4="(3,)")),
    ("six_shapes", "The wrong dimension is gone", shapes(n4="(3,)")),
    ("six_shapes", "The dimension is still there", shapes(n3="(1, 8)", n4="(32, 1)")),
    ("six_shapes", "The dimension is still there", shapes(n4="(32, 3)")),
    ("six_shapes", "All dimensions gone", shapes(n3="()", n4="()")),
    ("six_shapes", "Only one of the two is stretched", shapes(n5="(32, 1)")),
    ("six_shapes", "Only one of the two is stretched", shapes(n5="(8,)")),
    ("six_shapes", "One number has no dimensions", shapes(n6="(1,)")),
    ("six_shapes", "The mean of all", shapes(n6="(3,)")),
    ("six_shapes", "The mean of all", shapes(n6="(32, 3)")),
    ("batch_layer", "The weights are not turned", layer("return torch.tanh(inputs @ weights + biases)")),
    ("batch_layer", "The weights are not turned", layer("return inputs @ weights + biases")),
    ("batch_layer", "The biases are left out", layer("return torch.tanh(inputs @ weights.T)")),
    ("batch_layer", "The tanh is missing", layer("return inputs @ weights.T + biases")),
    ("batch_layer", "The bias comes too late", layer("return torch.tanh(inputs @ weights.T) + biases")),
    ("batch_layer", "relu in place of tanh", layer("return torch.relu(inputs @ weights.T + biases)")),
    ("batch_layer", "Examples and neurons exchanged", layer("return torch.tanh(weights @ inputs.T + biases.reshape(-1, 1))")),
    ("batch_layer", "Examples and neurons exchanged", layer("return torch.tanh(weights @ inputs.T + biases)")),
    ("batch_layer", "Examples and neurons exchanged", layer("return torch.stack([torch.tanh(inputs @ w + b) for w, b in zip(weights, biases)])")),
    ("batch_layer", "The biases along the wrong dimension", layer("return torch.tanh(inputs @ weights.T + biases.reshape(-1, 1))")),
    ("batch_layer", "Element by element", layer("return torch.tanh(inputs * weights + biases)")),
    ("batch_layer", "Element by element", layer("return torch.tanh(inputs * weights.T + biases)")),
    ("batch_layer", "Element by element", layer("return torch.tanh((inputs * weights).sum(dim=1) + biases)")),
    ("batch_layer", "Element by element", layer("return (inputs * weights).sum(dim=1) + biases")),
    ("batch_layer", "Not real numbers", layer("return torch.tanh((inputs @ weights.T + biases).to(torch.complex128))")),
    ("batch_layer", "Not a tensor", layer("return torch.tanh(inputs @ weights.T + biases).tolist()")),
    ("batch_layer", "Not a tensor", layer("return [torch.tanh(weights @ x + biases) for x in inputs]")),
    ("batch_layer", "The graph is cut", layer("return torch.tensor([[math.tanh((w @ x + b).item()) for w, b in zip(weights, biases)] for x in inputs])")),
    ("batch_layer", "The graph is cut", layer("return torch.tanh(inputs @ weights.T + biases).detach()")),
    ("batch_layer", "The tensors that came in are changed", layer("return torch.tanh(inputs @ weights.t_() + biases)")),
    ("batch_layer", "The tensors that came in are changed", layer("biases += inputs @ weights.T @ torch.ones(3).double()\n    return torch.tanh(inputs @ weights.T + biases)")),
    ("batch_layer", "Another result", layer("return torch.sigmoid(inputs @ weights.T + biases)")),
    ("column_loss", "Every prediction against every target", loss("return ((predictions - targets) ** 2).mean()")),
    ("column_loss", "Every prediction against every target", loss("return ((predictions - targets) ** 2).sum() / len(targets)")),
    ("column_loss", "Every prediction against every target", loss("return ((predictions - targets) ** 2).sum()")),
    ("column_loss", "Every prediction against every target", loss("return ((predictions - targets) ** 2).mean(dim=1)")),
    ("column_loss", "The sum, not the mean", loss("return ((predictions - targets.reshape(-1, 1)) ** 2).sum()")),
    ("column_loss", "No mean", loss("return ((predictions - targets.reshape(-1, 1)) ** 2).mean(dim=1)")),
    ("column_loss", "No mean", loss("return (predictions[:, 0] - targets) ** 2")),
    ("column_loss", "A dimension is left", loss("return ((predictions - targets.reshape(-1, 1)) ** 2).mean(dim=0)")),
    ("column_loss", "Not one number", loss("return predictions - targets.reshape(-1, 1)")),
    ("column_loss", "The square is missing", loss("return (predictions[:, 0] - targets).mean()")),
    ("column_loss", "The square comes too late", loss("return (predictions[:, 0] - targets).mean() ** 2")),
    ("column_loss", "The absolute value", loss("return (predictions[:, 0] - targets).abs().mean()")),
    ("column_loss", "Plus where a minus belongs", loss("return ((predictions[:, 0] + targets) ** 2).mean()")),
    ("column_loss", "A root too many", loss("return ((predictions[:, 0] - targets) ** 2).mean().sqrt()")),
    ("column_loss", "A number, not a tensor", loss("return ((predictions[:, 0] - targets) ** 2).mean().item()")),
    ("column_loss", "The graph is cut", loss("return torch.tensor(((predictions[:, 0] - targets) ** 2).mean().item(), dtype=torch.float64)")),
    ("column_loss", "The graph is cut", loss("kept = ((predictions[:, :1].detach() - targets.reshape(-1, 1)) ** 2).mean()\n    return kept + 0 * predictions.sum()")),
    ("column_loss", "backward() is called already", loss("out = ((predictions[:, 0] - targets) ** 2).mean()\n    out.backward()\n    return out")),
    ("column_loss", "The tensors that came in are changed", loss("return ((predictions - targets.unsqueeze_(1)) ** 2).mean()")),
    ("column_loss", "PyTorch does it for you", loss("return torch.nn.functional.mse_loss(predictions, targets.reshape(-1, 1))")),
    ("column_loss", "PyTorch does it for you", loss("return nn.MSELoss()(predictions[:, 0], targets)")),
    ("column_loss", "Another number", loss("return ((predictions[:, 0] - targets) ** 2).mean() / 2")),
    ("column_loss", "Not a tensor", loss("return [((p - t) ** 2).item() for p, t in zip(predictions, targets)]")),
    ("batch_network", "The lesson's function does it", network("return forward(layers, x)")),
    ("batch_network", "A relu at the end", network("for W, b in layers:", "    x = torch.relu(x @ W + b)", "return x")),
    ("batch_network", "The bend is missing", network("for W, b in layers:", "    x = x @ W + b", "return x")),
    ("batch_network", "The bend in the wrong place", network("for W, b in layers:", "    x = x @ W + b", "return torch.relu(x)")),
    ("batch_network", "tanh in place of relu", network("for W, b in layers[:-1]:", "    x = torch.tanh(x @ W + b)", "W, b = layers[-1]", "return x @ W + b")),
    ("batch_network", "A tanh in every layer", network("for W, b in layers:", "    x = torch.tanh(x @ W + b)", "return x")),
    ("batch_network", "The biases are left out", network("for k, (W, b) in enumerate(layers):", "    x = x @ W", *LAST, "return x")),
    ("batch_network", "The bias after the relu", network("for k, (W, b) in enumerate(layers):", "    x = x @ W", *LAST, "    x = x + b", "return x")),
    ("batch_network", "Only the first layer", network("for k, (W, b) in enumerate(layers):", "    x = x @ W + b", *LAST, "    return x")),
    ("batch_network", "Only the first layer", network("for W, b in layers:", "    x = x @ W + b", "    return x")),
    ("batch_network", "The last layer is missing", network("for W, b in layers[:-1]:", "    x = torch.relu(x @ W + b)", "return x")),
    ("batch_network", "The last weights are missing", network("*hidden, (W, b) = layers", "for V, c in hidden:", "    x = torch.relu(x @ V + c)", "return x + b")),
    ("batch_network", "The last bias is missing", network("*hidden, (W, b) = layers", "for V, c in hidden:", "    x = torch.relu(x @ V + c)", "return x @ W")),
    ("batch_network", "The first layer is missing", network("for k, (W, b) in enumerate(layers[1:]):", "    x = x @ W + b", "    if k < len(layers) - 2:", "        x = torch.relu(x)", "return x")),
    ("batch_network", "Made for three layers", network("(U, a), (V, b), (W, c) = layers", "return torch.relu(torch.relu(x @ U + a) @ V + b) @ W + c")),
    ("batch_network", "Made for three layers", network("for k in (0, 1):", "    x = torch.relu(x @ layers[k][0] + layers[k][1])", "return x @ layers[2][0] + layers[2][1]")),
    ("batch_network", "Every layer gets the inputs", network("for k, (W, b) in enumerate(layers):", "    out = x @ W + b", "    if k < len(layers) - 1:", "        out = torch.relu(out)", "return out")),
    ("batch_network", "Back to front", network("for k, (W, b) in enumerate(layers[::-1]):", "    x = x @ W + b", *LAST, "return x")),
    ("batch_network", "The weights are turned", network("for k, (W, b) in enumerate(layers):", "    x = x @ W.T + b", *LAST, "return x")),
    ("batch_network", "The biases along the wrong dimension", network("for k, (W, b) in enumerate(layers):", "    x = x @ W + b.reshape(-1, 1)", *LAST, "return x")),
    ("batch_network", "Examples and neurons exchanged", network("for k, (W, b) in enumerate(layers):", "    x = x @ W + b", *LAST, "return x.T")),
    ("batch_network", "Examples and neurons exchanged", network("x = x.T", "for k, (W, b) in enumerate(layers):", "    x = W.T @ x + b.reshape(-1, 1)", *LAST, "return x")),
    ("batch_network", "The list that came in is changed", network("W, b = layers.pop()", "for V, c in layers:", "    x = torch.relu(x @ V + c)", "return x @ W + b")),
    ("batch_network", "The list that came in is changed", network("for k, (W, b) in enumerate(layers):", "    W *= 0.5", "    x = x @ W * 2 + b", *LAST, "return x")),
    ("batch_network", "The tensors that came in are changed", network("x.relu_()", "for k, (W, b) in enumerate(layers):", "    x = x @ W + b", *LAST, "return x")),
    ("batch_network", "The last layer is told by what it is", network("for layer in layers:", "    W, b = layer", "    x = x @ W + b", "    if layer is not layers[-1]:", "        x = torch.relu(x)", "return x")),
    ("batch_network", "Not a tensor", network("for W, b in layers[:-1]:", "    x = torch.relu(x @ W + b)", "return [x @ layers[-1][0] + layers[-1][1]]")),
    ("batch_network", "Another result", network("for k, (W, b) in enumerate(layers):", "    x = x @ W + b", "    if k < len(layers) - 1:", "        x = x.abs()", "return x")),
    ("batch_network", "The last layer is missing", network("for W, b in layers[:2]:", "    x = torch.relu(x @ W + b)", "return x")),
    ("tensor_step_down", "An optimizer does it", step("optimizer = torch.optim.SGD(parameters, lr=rate)", "now = loss()", "optimizer.zero_grad()", "now.backward()", "optimizer.step()", "return now.item()")),
    ("tensor_step_down", "The update is written into the graph", step(*FORWARD, "for p in parameters:", "    p -= rate * p.grad", "return now.item()")),
    ("tensor_step_down", "The update is written into the graph", step(*FORWARD, "for i, p in enumerate(parameters):", "    parameters[i] = p - rate * p.grad", "return now.item()")),
    ("tensor_step_down", "The parameters are replaced", step(*FORWARD, "with torch.no_grad():", "    for i, p in enumerate(parameters):", "        parameters[i] = p - rate * p.grad", "return now.item()")),
    ("tensor_step_down", "Nothing has moved", step(*FORWARD, "for p in parameters:", "    p = p - rate * p.grad", "return now.item()")),
    ("tensor_step_down", "Nothing has moved", step(*FORWARD, "with torch.no_grad():", "    for p in parameters:", "        p - rate * p.grad", "return now.item()")),
    ("tensor_step_down", "The old gradients are still in it", step("now = loss()", "now.backward()", *UPDATE, "return now.item()")),
    ("tensor_step_down", "The old gradients are still in it", step("now = loss()", "now.backward()", *UPDATE, "for p in parameters:", "    p.grad = None", "return now.item()")),
    ("tensor_step_down", "Cleared too late", step("now = loss()", "now.backward()", "for p in parameters:", "    p.grad = None", *UPDATE, "return now.item()")),
    ("tensor_step_down", "No backward pass", step(*FORWARD[:3], *UPDATE, "return now.item()")),
    ("tensor_step_down", "Nothing was recorded", step("with torch.no_grad():", *(f"    {line}" for line in FORWARD), *UPDATE[1:], "return now.item()")),
    ("tensor_step_down", "Zeroed too late", step("now = loss()", "now.backward()", "for p in parameters:", "    p.grad.zero_()", *UPDATE, "return now.item()")),
    ("tensor_step_down", "Nothing there yet", step("for p in parameters:", "    p.grad.zero_()", "now = loss()", "now.backward()", *UPDATE, "return now.item()")),
    ("tensor_step_down", "Uphill", step(*FORWARD, "with torch.no_grad():", "    for p in parameters:", "        p += rate * p.grad", "return now.item()")),
    ("tensor_step_down", "The rate is left out", step(*FORWARD, "with torch.no_grad():", "    for p in parameters:", "        p -= p.grad", "return now.item()")),
    ("tensor_step_down", "No backward pass", step("now = loss()", *UPDATE, "return now.item()")),
    ("tensor_step_down", "No forward pass", step(*UPDATE, "return 0.0")),
    ("tensor_step_down", "Two backward passes", step("for p in parameters:", "    p.grad = None", "loss().backward()", "now = loss()", "now.backward()", *UPDATE, "return now.item()")),
    ("tensor_step_down", "Only the first has moved", step(*FORWARD, *UPDATE, "        return now.item()")),
    ("tensor_step_down", "They no longer ask for gradients", step(*FORWARD, "for p in parameters:", "    p.requires_grad = False", "    p -= rate * p.grad", "return now.item()")),
    ("tensor_step_down", "A tensor, not a number", step(*FORWARD, *UPDATE, "return now")),
    ("tensor_step_down", "The loss after the update", step(*FORWARD, *UPDATE, "return loss().item()")),
    ("tensor_step_down", "Not the loss", step(*FORWARD, *UPDATE, "return parameters")),
    ("tensor_step_down", "Another step", step(*FORWARD, "with torch.no_grad():", "    for p in parameters:", "        p -= rate * p.grad.sign()", "return now.item()")),
    ("linear_from", "The weights are turned", linear(rows="list(zip(*rows))")),
    ("linear_from", "The sizes are exchanged", linear(size="len(rows), len(rows[0])")),
    ("linear_from", "Values, not numbers", linear(rows="[n.w for n in layer.neurons]")),
    ("linear_from", "Values, not numbers", linear(bias="[n.b for n in layer.neurons]")),
    ("linear_from", "Values, not numbers", linear(rows="[n.w for n in layer.neurons]", dtype="")),
    ("linear_from", "The biases are left out", linear(bias="")),
    ("linear_from", "The biases are left out", linear(size="len(rows[0]), len(rows), bias=False", bias="")),
    ("linear_from", "The weights are not those of the layer", "def linear_from(layer):\n    return nn.Linear(len(layer.neurons[0].w), len(layer.neurons), dtype=torch.float64)"),
    ("linear_from", "The weights are not those of the layer", linear(rows="[r[::-1] for r in rows]")),
    ("linear_from", "Not float64", linear(dtype="")),
    ("linear_from", "Digits are lost on the way", linear(dtype="").replace("return linear", "return linear.double()")),
    ("linear_from", "The copy is written into the graph", linear().replace("with torch.no_grad():", "if True:")),
    ("linear_from", "They no longer ask for gradients", linear(after=("linear.weight.requires_grad = False", "linear.bias.requires_grad = False"))),
    ("linear_from", "Not an nn.Linear", linear().replace("return linear", "return linear.weight, linear.bias")),
    ("linear_from", "Not an nn.Linear", "def linear_from(layer):\n    return torch.tensor([[w.data for w in n.w] for n in layer.neurons])"),
    ("linear_from", "Another shape", linear(after=("linear.bias = nn.Parameter(linear.bias.detach().reshape(-1, 1))",))),
    ("product_backward", "The two are exchanged", backward("return X.T @ G, G @ W.T")),
    ("product_backward", "The gradient for W is turned", backward("return G @ W.T, G.T @ X")),
    ("product_backward", "The gradient for X is turned", backward("return W @ G.T, X.T @ G")),
    ("product_backward", "W is not turned", backward("return G @ W, X.T @ G")),
    ("product_backward", "Element by element", backward("return G * W, G * X")),
    ("product_backward", "Element by element", backward("return G * W.T, X.T * G")),
    ("product_backward", "X is not turned", backward("return G @ W.T, X @ G")),
    ("product_backward", "The mean, not the sum", backward("return G @ W.T, X.T @ G / len(X)")),
    ("product_backward", "Element by element", backward("return G @ W.T, X * G")),
    ("product_backward", "Another gradient for W", backward("return G @ W.T, X.T @ (X @ W)")),
    ("product_backward", "Another gradient for X", backward("return W, X")),
    ("product_backward", "Another gradient for X", backward("return W.T, X.T")),
    ("product_backward", "Not a pair", backward("return G @ W.T")),
    ("product_backward", "Not a tensor", backward("return (G @ W.T).tolist(), (X.T @ G).tolist()")),
    ("product_backward", "The tensors that came in are changed", backward("return G @ W.t_(), X.T @ G")),
    ("product_backward", "PyTorch does it for you", backward("X.requires_grad_()\n    W.requires_grad_()\n    (X @ W).backward(G)\n    return X.grad, W.grad")),
    ("circles_network", "The class, not a network", "def circles_network():\n    return MLP"),
    ("circles_network", "Not a module", circles(NET.format(""), end="loss", steps=5)),
    ("circles_network", "Not a module", circles(NET.format(""), end="model(X)", steps=5)),
    ("circles_network", "Nothing to train", "class Plain(nn.Module):\n    def __init__(self):\n        super().__init__()\n        self.layers = [nn.Linear(2, 1)]\n    def forward(self, x):\n        return self.layers[0](x)\n\ndef circles_network():\n    return Plain()"),
    ("circles_network", "Another shape", circles("nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))", steps=5)),
    ("circles_network", "Another shape", circles("nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 1), nn.Flatten(0))", "torch.relu(1 - Y * model(X)).mean()", 5, "torch.tensor(targets)")),
    ("circles_network", "The bend is missing", circles("nn.Sequential(nn.Linear(2, 16), nn.Linear(16, 1))")),
    ("circles_network", "Never below 0", circles(NET.format(", nn.ReLU()"))),
    ("circles_network", "Never below 0", circles(NET.format(", nn.Sigmoid()"))),
    ("circles_network", "The same answer everywhere", circles(NET.format(""), "((model(X) - Y) ** 2).mean()", 100, "torch.tensor(targets)", rate=0.1)),
    ("circles_network", "Not all on the right side", circles(NET.format(""), steps=3)),
    ("circles_network", "Not all on the right side", circles(NET.format(""), data="moons")),
    ("circles_network", "Not all on the right side", circles(NET.format(""), "torch.relu(1 - Y * model(X)).mean()", 50, "torch.tensor(targets)")),
    ("circles_network", "Not finite numbers", circles(NET.format(""), "-((model(X) - Y) ** 2).mean()", 100, rate=5.0)),
    ("circles_network", "Inside and outside exchanged", circles(NET.format(""), "torch.relu(1 + Y * model(X)).mean()", 200, rate=1.0)),
]

RIGHT = [
    ("batch_layer", "def batch_layer(weights, biases, inputs):\n    return torch.nn.functional.linear(inputs, weights, biases).tanh()"),
    ("column_loss", "def column_loss(predictions, targets):\n    return (predictions.squeeze(1) - targets).pow(2).mean()"),
    ("batch_network", "def batch_network(layers, x):\n    *hidden, (W, b) = layers\n    for weights, biases in hidden:\n        x = torch.addmm(biases, x, weights).clamp(min=0)\n    return torch.addmm(b, x, W)"),
    ("tensor_step_down", "def tensor_step_down(parameters, loss, rate):\n    now = loss()\n    gradients = torch.autograd.grad(now, parameters)\n    with torch.no_grad():\n        for p, gradient in zip(parameters, gradients):\n            p.sub_(rate * gradient)\n    return now.item()"),
    ("linear_from", "def linear_from(layer):\n    made = torch.nn.Linear(len(layer.neurons[0].w), len(layer.neurons), dtype=torch.float64)\n    weights = [[w.data for w in neuron.w] for neuron in layer.neurons]\n    made.weight = torch.nn.Parameter(torch.tensor(weights, dtype=torch.float64))\n    made.bias = torch.nn.Parameter(torch.tensor([neuron.b.data for neuron in layer.neurons], dtype=torch.float64))\n    return made"),
    ("product_backward", 'def product_backward(X, W, G):\n    return torch.einsum("bo,io->bi", G, W), torch.einsum("bi,bo->io", X, G)'),
    ("circles_network", "def circles_network():\n    inputs, targets = datasets.circles()\n    X, Y = torch.tensor(inputs), torch.tensor(targets)\n    torch.manual_seed(0)\n    model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))\n    optimizer = torch.optim.Adam(model.parameters(), lr=0.05)\n    for _ in range(300):\n        optimizer.zero_grad()\n        ((model(X).squeeze(1) - Y) ** 2).mean().backward()\n        optimizer.step()\n    return model"),
]
