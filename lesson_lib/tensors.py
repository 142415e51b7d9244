"""The network of lesson 4 on tensors: whole layers and whole batches at once, in PyTorch.

The letters in the shapes are B, the number of examples in a batch, and nin and nout, the numbers of inputs and
of neurons of a layer. Here a weight matrix has one column for each neuron; `torch.nn.Linear` has one row.
"""

import torch
from torch import nn

ACTIVATIONS = {"relu": torch.relu, "tanh": torch.tanh}


def matrices(network):
    """Return a pair (W, b) of tensors for each layer of lesson 4's network, with the same numbers.

    W has the shape (nin, nout) and b (nout,). They are float64 and leaves that ask for gradients.
    """
    layers = []
    for layer in network.layers:
        rows = [[w.data for w in neuron.w] for neuron in layer.neurons]
        biases = [neuron.b.data for neuron in layer.neurons]
        # a row for each neuron becomes a column for each neuron
        W = torch.tensor(list(zip(*rows)), dtype=torch.float64, requires_grad=True)  # (nin, nout)
        b = torch.tensor(biases, dtype=torch.float64, requires_grad=True)  # (nout,)
        layers.append((W, b))
    return layers


def forward(layers, x, activation="relu"):
    """Return the network's outputs, shape (B, nout of the last layer), for a batch x of shape (B, nin).

    layers is a list of pairs (W, b) as `matrices` returns them, activation "relu" or "tanh". As in lesson 4 the
    last layer is linear. Raises KeyError for another activation, and RuntimeError where the shapes do not fit.
    """
    *hidden, (W, b) = layers
    for W_hidden, b_hidden in hidden:
        x = ACTIVATIONS[activation](x @ W_hidden + b_hidden)  # (B, nout)
    return x @ W + b


class MLP(nn.Module):
    """Lesson 4's multi-layer perceptron as a PyTorch module: the same sizes, the same options, a linear last layer.

    >>> MLP(2, [16, 16, 1], activation="tanh")(torch.zeros(100, 2)).shape
    torch.Size([100, 1])

    It maps a tensor of shape (B, nin) to one of shape (B, nouts[-1]). The parameters are float32 and begin as
    `torch.nn.Linear` draws them.
    Raises ValueError for no layers at all, a size below 1, or an activation other than "relu" and "tanh".
    """

    def __init__(self, nin, nouts, activation="relu"):
        super().__init__()
        sizes = [nin, *nouts]
        if len(sizes) < 2 or min(sizes) < 1:
            raise ValueError(f"a network needs at least 1 layer, and sizes of at least 1; these are {sizes}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"the activation is 'relu' or 'tanh', and not {activation!r}")
        self.layers = nn.ModuleList(nn.Linear(n, m) for n, m in zip(sizes, sizes[1:]))
        self.activation = ACTIVATIONS[activation]

    def forward(self, x):
        *hidden, last = self.layers
        for layer in hidden:
            x = self.activation(layer(x))  # (B, nout)
        return last(x)
