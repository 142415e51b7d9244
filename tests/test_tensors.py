"""The network on tensors against lesson 4's scalar network: the same outputs and gradients, to 1e-9, and bad input."""

import doctest
import random

import pytest
import torch

from lesson_lib import mlp, tensors
from lesson_lib.tensors import MLP, forward, matrices

ACTIVATIONS = ["relu", "tanh"]


def scalar(sizes, activation, seed):
    """Return lesson 4's network, whose weights and biases are all random, and a batch of five examples for it."""
    random.seed(seed)
    net = mlp.MLP(sizes[0], sizes[1:], activation=activation, fused=seed % 2 == 1)
    for p in net.parameters():
        p.data = random.uniform(-1, 1)
    return net, [[random.uniform(-2, 2) for _ in range(sizes[0])] for _ in range(5)]


def by_the_engine(net, batch):
    """Return the outputs, a list for each example, and each parameter's gradient of the sum of their squares."""
    outputs = [out if isinstance(out, list) else [out] for out in map(net, batch)]
    net.zero_grad()
    sum(out * out for row in outputs for out in row).backward()
    return [[out.data for out in row] for row in outputs], [p.grad for p in net.parameters()]


def in_our_order(gradients):
    """Return the numbers of pairs (gradient of W, gradient of b), neuron by neuron: its weights, then its bias."""
    return torch.cat([torch.cat([W, b[None]]).T.flatten() for W, b in gradients]).tolist()


def close(ours, theirs):
    return all(abs(a - b) < 1e-9 for a, b in zip(ours, theirs, strict=True))


def random_networks():
    dice = random.Random(6)
    sizes = [[dice.randint(1, 5) for _ in range(dice.randint(2, 5))] for _ in range(20)]
    return [(row, ACTIVATIONS[seed % 2], seed) for seed, row in enumerate(sizes)]


@pytest.mark.parametrize(("sizes", "activation", "seed"), random_networks())
def test_outputs_and_all_gradients_are_those_of_the_scalar_network(sizes, activation, seed):
    net, batch = scalar(sizes, activation, seed)
    outputs, gradients = by_the_engine(net, batch)
    layers = matrices(net)
    out = forward(layers, torch.tensor(batch, dtype=torch.float64), activation)
    (out * out).sum().backward()
    assert out.shape == (5, sizes[-1])
    assert close([x for row in outputs for x in row], out.flatten().tolist())
    assert close(gradients, in_our_order([(W.grad, b.grad) for W, b in layers]))
    assert len(sizes) > 2 or any(gradients)


@pytest.mark.parametrize(("sizes", "activation", "seed"), random_networks())
def test_the_module_with_the_same_numbers_does_the_same(sizes, activation, seed):
    net, batch = scalar(sizes, activation, seed)
    outputs, gradients = by_the_engine(net, batch)
    module = MLP(sizes[0], sizes[1:], activation=activation).double()
    with torch.no_grad():
        for linear, (W, b) in zip(module.layers, matrices(net), strict=True):
            linear.weight.copy_(W.T)
            linear.bias.copy_(b)
    out = module(torch.tensor(batch, dtype=torch.float64))
    (out * out).sum().backward()
    assert close([x for row in outputs for x in row], out.flatten().tolist())
    assert close(gradients, in_our_order([(linear.weight.grad.T, linear.bias.grad) for linear in module.layers]))


def test_matrices_are_leaves_with_a_column_for_each_neuron():
    net, _ = scalar([2, 3, 1], "relu", 1)
    (W, b), (W_last, b_last) = matrices(net)
    assert [tuple(p.shape) for p in (W, b, W_last, b_last)] == [(2, 3), (3,), (3, 1), (1,)]
    assert W[:, 1].tolist() == [w.data for w in net.layers[0].neurons[1].w]
    assert all(p.is_leaf and p.requires_grad and p.dtype == torch.float64 for p in (W, b, W_last, b_last))


def test_matrices_are_copies():
    net, _ = scalar([2, 2], "relu", 1)
    before = net.layers[0].neurons[0].w[0].data
    with torch.no_grad():
        matrices(net)[0][0].fill_(7.0)
    assert net.layers[0].neurons[0].w[0].data == before


def test_one_layer_is_linear_and_takes_any_batch():
    W, b = torch.tensor([[1.0, -2.0]]), torch.tensor([0.0, 0.5])
    for batch in (1, 4, 0):
        assert forward([(W, b)], torch.ones(batch, 1)).tolist() == [[1.0, -1.5]] * batch


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_the_last_layer_of_the_module_is_linear(activation):
    module, x = MLP(2, [4, 3], activation=activation), torch.randn(9, 2)
    before = module(x)
    with torch.no_grad():
        module.layers[-1].bias -= 10.0
    assert module(x).allclose(before - 10.0)


def test_the_module_has_the_parameters_of_lesson_4():
    for nin, nouts, count in ((3, [4, 4, 1], 41), (2, [16, 16, 1], 337), (5, [1], 6)):
        module = MLP(nin, nouts)
        assert sum(p.numel() for p in module.parameters()) == count == len(mlp.MLP(nin, nouts).parameters())
        assert {p.dtype for p in module.parameters()} == {torch.float32}


def test_relu_is_the_activation_where_none_is_named_as_in_lesson_4():
    net, batch = scalar([2, 3, 1], "relu", 2)
    x = torch.tensor(batch, dtype=torch.float64)
    assert forward(matrices(net), x).equal(forward(matrices(net), x, "relu"))
    assert MLP(2, [3, 1]).activation is torch.relu


@pytest.mark.parametrize("sizes", [(2, []), (0, [1]), (2, [0, 1]), (2, [4, -1]), (-1, [4])], ids=str)
def test_sizes_that_make_no_network_are_refused(sizes):
    with pytest.raises(ValueError, match="at least 1 layer, and sizes of at least 1"):
        MLP(*sizes)


def test_an_unknown_activation_is_refused():
    with pytest.raises(ValueError, match="'relu' or 'tanh', and not 'sine'"):
        MLP(2, [1], activation="sine")
    net, batch = scalar([2, 3, 1], "relu", 3)
    with pytest.raises(KeyError, match="sine"):
        forward(matrices(net), torch.tensor(batch, dtype=torch.float64), "sine")


def test_inputs_of_the_wrong_length_are_refused():
    net, _ = scalar([3, 4, 1], "tanh", 4)
    for wrong in (torch.zeros(5, 2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)):
        with pytest.raises(RuntimeError):
            forward(matrices(net), wrong, "tanh")
        with pytest.raises(RuntimeError):
            MLP(3, [4, 1]).double()(wrong)


def test_the_examples_in_the_docstrings():
    assert doctest.testmod(tensors).failed == 0 and doctest.testmod(tensors).attempted > 0
