"""Neurons, layers and multi-layer perceptrons, made of lesson 3's `Value`.

The names and the behaviour are those of micrograd's `nn`, from Andrej Karpathy's lecture "The spelled-out
intro to neural networks and backpropagation: building micrograd". `WeightedSum` is ours: a neuron's whole
sum as one node, with the same number and the same gradients as the many small nodes.
"""

import operator
import random

from .micrograd import Value


class Module:
    """Something with parameters, the numbers that training may change: a neuron, a layer, a network."""

    def parameters(self):
        """Return the list of the parameters, each a Value."""
        return []

    def zero_grad(self):
        """Set the gradient of every parameter to zero."""
        for p in self.parameters():
            p.grad = 0.0


class WeightedSum(Value):
    """The sum w[0] * x[0] + ... + w[n-1] * x[n-1] + b as one node with 2n + 1 parents.

    w is a list of n Values, x a list of n Values or numbers, b a Value. The local derivative with respect
    to a weight is its input, with respect to an input its weight, and with respect to b it is 1.
    Raises ValueError where w and x are not equally long.
    """

    __slots__ = ("parents", "locals")

    def __init__(self, w, x, b):
        if len(x) != len(w):
            raise ValueError(f"expected {len(w)} inputs, got {len(x)}")
        x = [xi if isinstance(xi, Value) else Value(xi) for xi in x]
        d_w = [xi.data for xi in x]
        d_x = [wi.data for wi in w]
        super().__init__(sum(map(operator.mul, d_x, d_w), b.data), "w·x + b")
        self.parents = (*w, *x, b)
        self.locals = (*d_w, *d_x, 1.0)

    def edges(self):
        """Return a pair (parent, local derivative) for each weight, each input, and the bias."""
        return zip(self.parents, self.locals)


class Neuron(Module):
    """A weighted sum of nin inputs and a bias, then an activation.

    The weights begin as random numbers from -1 to 1, drawn from `random`, and the bias as 0. `activation`
    is "relu" or "tanh"; with nonlin=False there is none, and the neuron is linear. With fused=True the sum
    is one node, else 2 * nin small ones: same number, same gradients.
    Raises ValueError for fewer than 1 inputs, another activation, or when called with another number of inputs.
    """

    def __init__(self, nin, nonlin=True, *, activation="relu", fused=False):
        if nin < 1:
            raise ValueError(f"a neuron needs at least 1 input, and not {nin}")
        if activation not in ("relu", "tanh"):
            raise ValueError(f"the activation is 'relu' or 'tanh', and not {activation!r}")
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0.0)
        self.nonlin = nonlin
        self.activation = activation
        self.fused = fused

    def __call__(self, x):
        """Return the neuron's output, a Value, for a list of nin numbers or Values."""
        if len(x) != len(self.w):
            raise ValueError(f"expected {len(self.w)} inputs, got {len(x)}")
        if self.fused:
            act = WeightedSum(self.w, x, self.b)
        else:
            act = sum((wi * xi for wi, xi in zip(self.w, x)), self.b)
        if not self.nonlin:
            return act
        return act.relu() if self.activation == "relu" else act.tanh()

    def parameters(self):
        return [*self.w, self.b]

    def __repr__(self):
        return f"Neuron({len(self.w)}, {self.activation if self.nonlin else 'linear'})"


class Layer(Module):
    """nout neurons that get the same nin inputs, each on its own. The options are those of `Neuron`.

    Raises ValueError for fewer than 1 neurons.
    """

    def __init__(self, nin, nout, **options):
        if nout < 1:
            raise ValueError(f"a layer needs at least 1 neuron, and not {nout}")
        self.neurons = [Neuron(nin, **options) for _ in range(nout)]

    def __call__(self, x):
        """Return the list of the neurons' outputs; of a single neuron the output itself, as micrograd does."""
        out = [n(x) for n in self.neurons]
        return out[0] if len(out) == 1 else out

    def parameters(self):
        return [p for n in self.neurons for p in n.parameters()]

    def __repr__(self):
        return f"Layer of {len(self.neurons)} × {self.neurons[0]}"


class MLP(Module):
    """A multi-layer perceptron: layers, each of which gets the outputs of the one before.

    >>> len(MLP(3, [4, 4, 1]).parameters())
    41

    nin is the number of inputs, nouts lists the sizes of the layers. The last layer is linear, as in
    micrograd (the lecture ends with a tanh). The options are those of `Neuron`: `activation`, `fused`.
    Raises ValueError for no layers at all, or a size below 1.
    """

    def __init__(self, nin, nouts, **options):
        if not nouts:
            raise ValueError("a network needs at least 1 layer")
        sizes = [nin, *nouts]
        last = len(nouts) - 1
        self.layers = [Layer(sizes[i], sizes[i + 1], nonlin=i != last, **options) for i in range(len(nouts))]

    def __call__(self, x):
        """Return what the last layer returns, for a list of nin numbers or Values."""
        for layer in self.layers:
            # a layer of one neuron hands on its output without a list
            x = layer(x if hasattr(x, "__len__") else [x])
        return x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]

    def __repr__(self):
        return f"MLP of [{', '.join(map(repr, self.layers))}]"
