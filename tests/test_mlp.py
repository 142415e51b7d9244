"""Neurons, layers and networks against PyTorch in float64, against one another, and against bad input."""

import doctest
import math
import random

import pytest
import torch

from lesson_lib import mlp
from lesson_lib.micrograd import Value, topological_order
from lesson_lib.mlp import MLP, Layer, Module, Neuron, WeightedSum
from tests.benchmarks import bench_micrograd as bench

POINTS = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
TANH = {"activation": "tanh"}
KINDS = [options | {"fused": fused} for options in ({}, TANH) for fused in (False, True)]


def close(a, b):
    """Two lists of numbers agree to 1e-12, relative to the larger of 1 and their size."""
    assert len(a) == len(b)
    return all(math.isclose(x, y, rel_tol=1e-12, abs_tol=1e-12) for x, y in zip(a, b))


def made(seed, *sizes, **options):
    """Return an MLP whose weights and biases are all random, from this seed."""
    random.seed(seed)
    net = MLP(sizes[0], list(sizes[1:]), **options)
    for p in net.parameters():
        p.data = random.uniform(-1, 1)
    return net


def by_torch(net, points, activation):
    """Return the outputs of PyTorch for the network's numbers, and the gradients of their sum, in our order."""
    layers = [
        (torch.tensor([[w.data for w in n.w] for n in layer.neurons], dtype=torch.float64, requires_grad=True),
         torch.tensor([n.b.data for n in layer.neurons], dtype=torch.float64, requires_grad=True))
        for layer in net.layers
    ]  # fmt: skip
    x = torch.tensor(points, dtype=torch.float64)
    for k, (w, b) in enumerate(layers):
        x = x @ w.T + b
        if k < len(layers) - 1:
            x = torch.relu(x) if activation == "relu" else torch.tanh(x)
    x.sum().backward()
    grads = [[*row, bias] for w, b in layers for row, bias in zip(w.grad.tolist(), b.grad.tolist())]
    return x.flatten().tolist(), [g for neuron in grads for g in neuron]


# numbers


@pytest.mark.parametrize("options", KINDS, ids=str)
@pytest.mark.parametrize("sizes", [(3, 4, 4, 1), (3, 5, 2), (3, 1), (3, 1, 1, 2)], ids=str)
def test_outputs_and_gradients_are_those_of_torch(sizes, options):
    net = made(7, *sizes, **options)
    outputs = [net(point) for point in POINTS]
    flat = [out for outs in outputs for out in (outs if isinstance(outs, list) else [outs])]
    sum(flat).backward()
    theirs, grads = by_torch(net, POINTS, options.get("activation", "relu"))
    assert close([out.data for out in flat], theirs)
    assert close([p.grad for p in net.parameters()], grads)
    assert any(g != 0 for g in grads)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_fused_gives_the_same_outputs_and_gradients_for_inputs_too(activation):
    results = []
    for fused in (False, True):
        net = made(3, 3, 4, 4, 1, activation=activation, fused=fused)
        points = [[Value(x) for x in point] for point in POINTS]
        outputs = [net(point) for point in points]
        sum(out * out for out in outputs).backward()
        results.append([
            *(out.data for out in outputs),
            *(p.grad for p in net.parameters()),
            *(x.grad for point in points for x in point),
        ])
    assert close(*results)


def test_a_weighted_sum_is_one_node_with_its_partners_as_local_derivatives():
    w, x, b = [Value(2.0), Value(-3.0)], [Value(5.0), Value(7.0)], Value(0.5)
    out = WeightedSum(w, x, b)
    assert (out.data, out.op, len(topological_order(out))) == (2 * 5 - 3 * 7 + 0.5, "w·x + b", 6)
    assert list(out.edges()) == [(w[0], 5.0), (w[1], 7.0), (x[0], 2.0), (x[1], -3.0), (b, 1.0)]
    (out * 3).backward()
    assert [p.grad for p in (*w, *x, b)] == [15.0, 21.0, 6.0, -9.0, 3.0]


def test_a_weighted_sum_keeps_the_slopes_of_its_forward_pass():
    w, x = [Value(2.0)], [Value(5.0)]
    out = WeightedSum(w, x, Value(0.0))
    w[0].data, x[0].data = 100.0, 200.0
    out.backward()
    assert (w[0].grad, x[0].grad) == (5.0, 2.0)


def test_a_weighted_sum_in_which_a_value_occurs_twice_gathers_both():
    a = Value(3.0)
    WeightedSum([a, a], [a, 2.0], a).backward()
    assert a.grad == 2 * 3 + 2 + 1  # a² + 2a + a


def test_numbers_set_by_hand_may_be_whole():
    for fused in (False, True):
        n = Neuron(2, False, fused=fused)
        n.w[0].data, n.w[1].data, n.b.data = 1, -2, 3
        assert n([4, 5]).data == 4 - 10 + 3


# micrograd's names and behaviour


def test_weights_are_drawn_from_random_one_after_the_other_and_biases_are_zero():
    random.seed(1337)
    net = MLP(2, [3, 1])
    random.seed(1337)
    drawn = [random.uniform(-1, 1) for _ in range(9)]
    weights = [w.data for layer in net.layers for n in layer.neurons for w in n.w]
    assert weights == drawn
    assert [n.b.data for layer in net.layers for n in layer.neurons] == [0.0] * 4


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(("nin", "nouts", "count"), [(3, [4, 4, 1], 41), (2, [16, 16, 1], 337), (1, [1], 2)])
def test_the_number_of_parameters(nin, nouts, count, fused):
    parameters = MLP(nin, nouts, fused=fused).parameters()
    assert len(parameters) == len(set(parameters)) == count
    assert all(type(p) is Value and p.op == "" for p in parameters)


def test_parameters_are_weights_then_bias_neuron_by_neuron():
    net = MLP(2, [2, 1])
    neurons = [n for layer in net.layers for n in layer.neurons]
    assert net.parameters() == [p for n in neurons for p in (*n.w, n.b)]
    assert net.layers[0].parameters() == [p for n in neurons[:2] for p in (*n.w, n.b)]


def test_all_layers_but_the_last_are_nonlinear():
    layers = MLP(3, [2, 2, 1]).layers
    assert [[n.nonlin for n in layer.neurons] for layer in layers] == [[True] * 2, [True] * 2, [False]]
    assert MLP(3, [1]).layers[0].neurons[0].nonlin is False


def test_a_linear_neuron_has_no_activation():
    for nonlin, op in ((True, "relu"), (False, "+")):
        assert Neuron(2, nonlin)([1.0, 2.0]).op == op
    assert Neuron(2, activation="tanh")([1.0, 2.0]).op == "tanh"
    assert Neuron(2, False, activation="tanh", fused=True)([1.0, 2.0]).op == "w·x + b"


def test_a_single_output_comes_without_a_list():
    assert isinstance(Layer(2, 1)([1.0, 2.0]), Value) and isinstance(MLP(2, [3, 1])([1.0, 2.0]), Value)
    assert len(Layer(2, 3)([1.0, 2.0])) == len(MLP(2, [3, 3])([1.0, 2.0])) == 3


@pytest.mark.parametrize("x", [[0.5], (0.5,), 0.5, Value(0.5), torch.tensor([0.5])], ids=lambda x: type(x).__name__)
def test_a_network_of_one_input_takes_it_with_and_without_a_list(x):
    net = made(1, 1, 1, 1)
    assert net(x).data == net([0.5]).data


def test_neurons_of_a_layer_are_independent():
    random.seed(1)
    layer = Layer(3, 4, activation="tanh")
    outputs = layer(POINTS[0])
    outputs[2].backward()
    assert [any(p.grad != 0 for p in n.parameters()) for n in layer.neurons] == [False, False, True, False]


def test_zero_grad_clears_the_parameters():
    net = made(1, 3, 2, 1, **TANH)
    net(POINTS[0]).backward()
    assert all(p.grad != 0 for p in net.parameters())
    net.zero_grad()
    assert [p.grad for p in net.parameters()] == [0.0] * 11


def test_a_module_has_no_parameters_of_its_own():
    module = Module()
    module.zero_grad()
    assert module.parameters() == []
    assert all(issubclass(kind, Module) for kind in (Neuron, Layer, MLP))


def test_repr_says_what_it_is():
    assert repr(MLP(3, [4, 1])) == "MLP of [Layer of 4 × Neuron(3, relu), Layer of 1 × Neuron(4, linear)]"
    assert repr(Neuron(2, activation="tanh")) == "Neuron(2, tanh)"


def test_the_examples_in_the_docstrings_run():
    result = doctest.testmod(mlp)
    assert result.attempted >= 1 and result.failed == 0


# the size of the graph


def test_fused_makes_one_node_of_each_sum():
    def nodes(fused):
        net, x = MLP(2, [16, 16, 1], fused=fused), [Value(1.0), Value(2.0)]
        return len(topological_order(net(x))) - 337 - 2  # without the leaves

    assert (nodes(False), nodes(True)) == (2 * (2 * 16 + 16 * 16 + 16) + 32, 33 + 32)


def test_the_benchmark_compares_what_computes_the_same():
    racers = [bench.OURS, bench.SMALL, bench.FUSED]
    bench.assert_same_result(racers, *bench.moons())
    with pytest.raises(AssertionError, match="moved does not compute"):
        bench.assert_same_result([bench.OURS, bench.SMALL._replace(name="moved", network=moved)], *bench.moons())


def moved(value):
    """Return the benchmark's network with its first weight moved a little."""
    net = bench.SMALL.network(value)
    net.parameters()[0].data += 1e-6
    return net


# bad input


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize(("kind", "nouts"), [(Neuron, []), (Layer, [2]), (MLP, [[2]])])
@pytest.mark.parametrize(("x", "got"), [([1.0, 2.0], 2), ([1.0] * 4, 4), ([], 0), ((1.0,), 1)])
def test_an_input_of_the_wrong_length_is_refused(kind, nouts, fused, x, got):
    with pytest.raises(ValueError, match=f"^expected 3 inputs, got {got}$"):
        kind(3, *nouts, fused=fused)(x)


def test_a_lone_number_is_one_input():
    for x in (2.0, Value(2.0)):
        with pytest.raises(ValueError, match="^expected 3 inputs, got 1$"):
            MLP(3, [1])(x)


@pytest.mark.parametrize(("w", "x"), [([1.0], [1.0, 2.0]), ([1.0, 2.0], [1.0])])
def test_a_weighted_sum_of_unequal_lists_is_refused(w, x):
    with pytest.raises(ValueError, match=f"^expected {len(w)} inputs, got {len(x)}$"):
        WeightedSum([Value(v) for v in w], x, Value(0.0))


@pytest.mark.parametrize("fused", [False, True])
def test_an_input_that_is_no_number_is_refused(fused):
    for x in (["1", 2.0], [None, 2.0], [[1.0], 2.0], "ab"):
        with pytest.raises(TypeError, match="a Value holds one real number"):
            Neuron(2, fused=fused)(x)


@pytest.mark.parametrize("size", [0, -1])
def test_sizes_below_one_are_refused(size):
    a_neuron = f"a neuron needs at least 1 input, and not {size}"
    a_layer = f"a layer needs at least 1 neuron, and not {size}"
    for make, message in (
        (lambda: Neuron(size), a_neuron),
        (lambda: Layer(size, 2), a_neuron),
        (lambda: Layer(2, size), a_layer),
        (lambda: MLP(size, [2, 1]), a_neuron),
        (lambda: MLP(2, [size, 1]), a_layer),
        (lambda: MLP(2, [3, size]), a_layer),
    ):
        with pytest.raises(ValueError, match=f"^{message}$"):
            make()


def test_a_network_without_layers_is_refused():
    with pytest.raises(ValueError, match="a network needs at least 1 layer"):
        MLP(2, [])


@pytest.mark.parametrize("name", ["sigmoid", "ReLU", "", None])
def test_an_unknown_activation_is_refused(name):
    for make in (lambda: Neuron(2, activation=name), lambda: MLP(2, [2, 1], activation=name)):
        with pytest.raises(ValueError, match=f"^the activation is 'relu' or 'tanh', and not {name!r}$"):
            make()
