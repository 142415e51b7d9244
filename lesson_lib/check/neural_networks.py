"""Checks of lesson 4: parameters, weights set by hand, layers and networks from plain lists, the hinge loss, a step."""

import copy
import math

from ..micrograd import Value
from ._exercise import Wrong, call, close, exercise, number
from .chain_rule import numbers_of, same, shown
from .micrograd import a_value, uses_name

LESSON = "04_neural_networks"
CORNERS = [(0, 0), (0, 1), (1, 0), (1, 1)]


def relu(x):
    return max(0.0, x)


def sums(weights, biases, inputs):
    """Return the weighted sum of each neuron: weights holds a list for each of them, biases a number."""
    return [sum(w * x for w, x in zip(row, inputs)) + b for row, b in zip(weights, biases)]


def uses(answer, *names):
    """Whether the learner's function uses one of these names, as a global or as an attribute."""
    return any(uses_name(getattr(answer, "__code__", None), name) for name in names)


def finite_numbers(answer, count, what):
    """Return the numbers of the answer as `numbers_of` does; raise Wrong where one is nan or infinite."""
    got = numbers_of(answer, count, what)
    for i, x in enumerate(got, start=1):
        if not math.isfinite(x):
            raise Wrong(
                "Not a finite number", f"Number {i} of {what} is {x}. Choose one that has a place on the number line."
            )
    return got


@exercise(
    lesson=LESSON,
    minutes=5,
    allows="You can say how large a network is before you make it.",
    hints=(
        "A layer with nout neurons, each with n inputs: how many weights, and how many biases?",
        "The sizes are [nin, *nouts]. Each pair of neighbours, n and m, is a layer of m neurons with n inputs.",
        "zip(sizes, sizes[1:]) gives you the pairs. Each layer has m * (n + 1) parameters.",
    ),
    solution="""
        def parameter_count(nin, nouts):
            sizes = [nin, *nouts]
            return sum(m * (n + 1) for n, m in zip(sizes, sizes[1:]))
    """,
    reasons="Each of the m neurons of a layer has n weights and one bias, so a layer has m * (n + 1) parameters.",
)
def parameter_count(answer):
    if uses(answer, "MLP", "Layer", "Neuron", "parameters"):
        raise Wrong(
            "The network is made after all",
            "Your function makes it and lets it count. Can you tell from nin and nouts alone?",
        )
    for nin, nouts in ((5, [2, 4]), (3, [4, 4, 1]), (2, [16, 16, 1]), (7, [1])):
        given, sizes = list(nouts), [nin, *nouts]
        pairs = list(zip(sizes, sizes[1:]))
        got = number(call(answer, nin, given), "parameter_count(nin, nouts)")
        if given != nouts:
            raise Wrong("The list that came in is changed", f"nouts was {nouts} and is {given} after the call.")
        right = sum(m * (n + 1) for n, m in pairs)
        if got == right:
            continue
        told = f"For parameter_count({nin}, {nouts}) you get {got:g}, and the network has {right}."
        if got == sum(m * n for n, m in pairs):
            raise Wrong(
                "The biases are left out",
                f"{told} You counted the lines of the picture. What does each circle have that no line shows?",
            )
        if got == sum(m * n + 1 for n, m in pairs):
            raise Wrong("One bias for a whole layer", f"{told} How many biases has a layer of {pairs[0][1]} neurons?")
        if got == right + nin:
            raise Wrong("The inputs counted too", f"{told} Inputs come from outside. Does training change them?")
        if got == right - pairs[-1][1] * (pairs[-1][0] + 1):
            raise Wrong("The last layer is missing", f"{told} How many layers do the sizes {sizes} make?")
        if got == sum(nouts):
            raise Wrong("Neurons, not parameters", f"{told} There are {sum(nouts)} neurons. How many numbers has each?")
        if got == sum(m * (nin + 1) for m in nouts):
            raise Wrong("Every layer reads the inputs", f"{told} What are the inputs of the second layer?")
        if got == sum(n * (m + 1) for n, m in pairs):
            raise Wrong("A bias for each input", f"{told} A bias belongs to a neuron. Which number gets + 1?")
        raise Wrong("Not the count", f"{told} Count one neuron first: how many weights, how many biases?")


@exercise(
    lesson=LESSON,
    minutes=5,
    allows="You can make a neuron ask the question that you want.",
    hints=(
        "Let both weights be the same, say 1. What are then the sums at the four corners, without the bias?",
        "With weights 1 and 1 they are 0, 1, 1 and 2. The bias must bring the 2 above 0 and leave the 1 below.",
        "2 + b must be above 0, and 1 + b below 0. Between which two numbers must b lie?",
    ),
    solution="""
        and_neuron = (1.0, 1.0, -1.5)
    """,
    reasons="The sums are -1.5, -0.5, -0.5 and 0.5. The border x1 + x2 = 1.5 cuts off the corner (1, 1). "
    "Many other numbers do the same.",
)
def and_neuron(answer):
    w1, w2, b = finite_numbers(answer, 3, "and_neuron")
    got = [w1 * x1 + w2 * x2 + b for x1, x2 in CORNERS]
    told = "At the corners (0, 0), (0, 1), (1, 0), (1, 1) your sums are " + ", ".join(f"{g:g}" for g in got) + "."
    if [g > 0 for g in got] == [False, False, False, True] and 0 not in got:
        return
    if 0 in got:
        raise Wrong("On the border", f"{told} At {CORNERS[got.index(0)]} it is exactly 0, neither above nor below.")
    if [g > 0 for g in got] == [True, True, True, False]:
        raise Wrong("The opposite", f"{told} Below 0 only where both inputs are 1. What turns a border round?")
    if [g > 0 for g in got] == [False, True, True, True]:
        raise Wrong("That is OR", f"{told} One input alone is enough for it. Is the bias low enough?")
    if b > 0:
        raise Wrong("Yes without any input", f"{told} At (0, 0) only the bias counts. Which sign must it have?")
    if max(got) < 0:
        raise Wrong("It never says yes", f"{told} Is the bias too low for these weights?")
    raise Wrong("Wrong at a corner", f"{told} Only the last may be above 0. Do both inputs count enough?")


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You wrote a layer without any class. Lesson 6 does the same with a matrix.",
    hints=(
        "zip(weights, biases) gives you, neuron by neuron, its list of weights and its bias.",
        "For one neuron: add up w * x over zip(row, inputs), then the bias. Then math.tanh of all of it.",
        "Collect the outputs in a list, one for each neuron.",
    ),
    solution="""
        def layer_outputs(weights, biases, inputs):
            outputs = []
            for row, bias in zip(weights, biases):
                total = sum(w * x for w, x in zip(row, inputs)) + bias
                outputs.append(math.tanh(total))
            return outputs
    """,
    reasons="Each row of weights is one neuron. It sees all the inputs, and nothing of the other neurons.",
)
def layer_outputs(answer):
    cases = (
        ([[0.5, -1.0], [0.25, 2.0]], [0.1, -1.75], [1.0, 0.5]),
        ([[1.0, 0.5], [-0.5, 0.2], [0.3, -0.7]], [0.0, 0.4, -0.1], [0.5, -1.0]),
        ([[0.2, -0.4, 0.1]], [0.5], [1.0, 2.0, 3.0]),
    )
    for weights, biases, inputs in cases:
        handed = [list(row) for row in weights], list(biases), list(inputs)
        what = f"layer_outputs({weights}, {biases}, {inputs})"
        made = call(answer, *handed)
        if isinstance(made, (int, float)) or isinstance(made, (list, tuple)) and len(made) == 1 < len(weights):
            raise Wrong("Only one neuron", f"{what} gives {made!r:.40}. Where are all the outputs collected?")
        got = numbers_of(made, len(weights), what)
        if handed != (weights, biases, inputs):
            raise Wrong("The lists that came in are changed", f"After {what} a list is no longer what it was.")
        totals = sums(weights, biases, inputs)
        if same(got, map_list(math.tanh, totals)):
            continue
        told = f"{what} gives {shown(got)} and should give {shown(map_list(math.tanh, totals))}."
        no_bias = [t - b for t, b in zip(totals, biases)]
        running = [sum(totals[: k + 1]) for k in range(len(totals))]
        carried = [sum(no_bias[: k + 1]) + b for k, b in enumerate(biases)]
        products = [[w * x for w, x in zip(row, inputs)] for row in weights]
        bent = [sum(map(math.tanh, row)) for row in products]
        bent_late = [t + b for t, b in zip(bent, biases)]
        bent_each = [sum(math.tanh(t + b) for t in row) for row, b in zip(products, biases)]
        if same(got, totals):
            raise Wrong("The tanh is missing", f"{told} You have the sums before it.")
        if same(got, map_list(math.tanh, no_bias)):
            raise Wrong("The biases are left out", told)
        if same(got, [math.tanh(t) + b for t, b in zip(no_bias, biases)]):
            raise Wrong("The bias comes too late", f"{told} Is the bias inside the tanh?")
        if same(got, [math.tanh(t + biases[0]) for t in no_bias]):
            raise Wrong("One bias for all", f"{told} Each neuron has its own.")
        if same(got, map_list(relu, totals)):
            raise Wrong("relu in place of tanh", f"{told} Which bend does the exercise ask for?")
        if same(got, map_list(math.tanh, [t + b * len(inputs) for t, b in zip(no_bias, biases)])):
            raise Wrong("The bias once for each input", f"{told} Is `+ b` inside the parentheses of your sum?")
        if any(same(got, bends) for bends in (bent, bent_late, bent_each, map_list(math.tanh, bent_late))):
            raise Wrong("A tanh of each product", f"{told} How often does a neuron bend: per input, or once?")
        if len(inputs) > 2 and same(got, map_list(math.tanh, sums(weights, biases, inputs[:2]))):
            raise Wrong("Only the first two inputs count", f"{told} Here are {len(inputs)} inputs.")
        if same(got, map_list(math.tanh, running)) or same(got, map_list(math.tanh, carried)):
            raise Wrong("The sum goes on from neuron to neuron", f"{told} Where does the sum of the next neuron begin?")
        if same(got, map_list(math.tanh, sums(list(zip(*weights)), biases, inputs))):
            raise Wrong("Rows and columns exchanged", f"{told} weights[0] belongs to one neuron, not to one input.")
        raise Wrong("Another number", told)


def map_list(function, values):
    return [function(value) for value in values]


def run_layers(layers, inputs, bends):
    """Return the outputs of a network; bends holds a function for each layer."""
    for (weights, biases), bend in zip(layers, bends):
        inputs = map_list(bend, sums(weights, biases, inputs))
    return inputs


def as_it_is(x):
    return x


def run_slip(layers, inputs, slip):
    """Return the outputs of a network whose hidden neurons make slip(products, bias) in place of their relu."""
    for weights, biases in layers[:-1]:
        inputs = [slip([w * x for w, x in zip(row, inputs)], b) for row, b in zip(weights, biases)]
    weights, biases = layers[-1]
    return sums(weights, biases, inputs)


def bias_after_relu(products, bias):
    return relu(sum(products)) + bias


def relu_of_each(products, bias):
    return sum(map(relu, products)) + bias


def relu_of_each_with_bias(products, bias):
    return sum(relu(product + bias) for product in products)


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You wrote a multi-layer perceptron in a few lines. There is nothing else in it.",
    hints=(
        "A loop over the layers. The outputs of one turn are the inputs of the next: inputs = [...].",
        "First make the weighted sums of the layer. Then decide: is this the last layer, or does it get a relu?",
        "for number, (weights, biases) in enumerate(layers): the last layer has the number len(layers) - 1. "
        "The relu of a plain number is max(0, total).",
    ),
    solution="""
        def network_outputs(layers, inputs):
            for number, (weights, biases) in enumerate(layers):
                totals = [sum(w * x for w, x in zip(row, inputs)) + b for row, b in zip(weights, biases)]
                if number < len(layers) - 1:
                    totals = [max(0.0, total) for total in totals]
                inputs = totals
            return inputs
    """,
    reasons="The name `inputs` moves on: after each turn it stands for what the layer made of it.",
)
def network_outputs(answer):
    square = [([[1.0, -2.0], [0.5, 1.0]], [0.5, 1.0]), ([[2.0, -1.0], [1.0, 0.5]], [5.0, -4.0])]
    single = [([[1.0, -1.0], [0.5, 0.5]], [-2.0, 0.25])]
    deep = [
        ([[1.0, -1.0], [-1.0, 1.0], [0.5, 0.5]], [0.0, 0.5, -1.0]),
        ([[1.0, 2.0, -1.0], [0.5, -1.0, 1.0]], [0.25, 0.1]),
        ([[1.0, -3.0]], [-0.5]),
    ]
    twins = [([[1.0]], [-2.0]), ([[1.0]], [-2.0])]
    cases = (square, [1.0, 2.0]), (deep, [2.0, -1.0]), (deep, [-1.0, 0.5]), (single, [1.0, 2.0]), (twins, [1.0])
    for layers, inputs in cases:
        handed, handed_layers = list(inputs), copy.deepcopy(layers)
        what = f"With {len(layers)} layers and inputs {inputs} your network"
        if len(layers) == 1:
            what = f"With a single layer and inputs {inputs} your network"
        got = numbers_of(call(answer, handed_layers, handed), len(layers[-1][1]), "network_outputs(layers, inputs)")
        if handed != inputs:
            raise Wrong("The list that came in is changed", f"inputs was {inputs} and is {handed} after the call.")
        if handed_layers != layers:
            left = len(handed_layers)
            told = "The numbers in layers are no longer what they were."
            if left != len(layers):
                told = f"layers held {len(layers)} layers and holds {left} after the call."
            raise Wrong("The list that came in is changed", f"{told} Could the network be used a second time?")
        hidden = [relu] * (len(layers) - 1)
        right = run_layers(layers, inputs, [*hidden, as_it_is])
        if same(got, right):
            continue
        told = f"{what} gives {shown(got)} and should give {shown(right)}."
        all_bent, none_bent = (run_layers(layers, inputs, [bend] * len(layers)) for bend in (relu, as_it_is))
        if layers is twins and (same(got, all_bent) or same(got, none_bent)):
            raise Wrong(
                "The last layer is told by its numbers",
                f"{told} Two of your layers hold the same numbers. "
                "Is a layer the last one because of its numbers or because of its place?",
            )
        if same(got, all_bent):
            raise Wrong("A relu at the end", f"{told} The last layer is linear. Could yours ever say a number below 0?")
        if same(got, none_bent):
            raise Wrong("The bend is missing", f"{told} Without a relu, all your layers do no more than one.")
        if same(got, run_layers(layers, inputs, [*[as_it_is] * len(hidden), relu])):
            raise Wrong("The bend in the wrong place", f"{told} Which layers have a relu, and which one has not?")
        if same(got, run_layers(layers, inputs, [*[math.tanh] * len(hidden), as_it_is])):
            raise Wrong("tanh in place of relu", f"{told} The hidden layers should have a relu.")
        if same(got, run_layers(layers, inputs, [math.tanh] * len(layers))):
            raise Wrong(
                "A tanh in every layer",
                f"{told} Is that your exercise 3? Here hidden layers have a relu and the last has nothing.",
            )
        if same(got, run_layers(layers, inputs, [relu, *[as_it_is] * len(hidden)])):
            raise Wrong("A relu in the first layer only", f"{told} Which of the {len(layers)} layers are hidden?")
        if same(got, run_slip(layers, inputs, bias_after_relu)):
            raise Wrong("The bias after the relu", f"{told} Is the sum complete when your relu looks at it?")
        if any(same(got, run_slip(layers, inputs, slip)) for slip in (relu_of_each, relu_of_each_with_bias)):
            raise Wrong("A relu on each product", f"{told} How often does a neuron bend: per input, or once?")
        if same(got, run_layers([(w, [0.0] * len(b)) for w, b in layers], inputs, [*hidden, as_it_is])):
            raise Wrong("The biases are left out", told)
        if same(got, run_layers(layers[-1:], inputs, [as_it_is])):
            raise Wrong("Every layer gets the inputs", f"{told} What should the second layer get: the inputs, or …?")
        if same(got, run_layers(layers[:1], inputs, [relu])):
            raise Wrong("Only the first layer", f"{told} Does your loop end too early, or leave out the last layer?")
        if same(got, run_layers(layers[::-1], inputs, [*hidden, as_it_is])):
            raise Wrong("Back to front", f"{told} The first pair of the list is the layer that gets the inputs.")
        raise Wrong("Another number", told)


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You have a second loss. Lesson 5 sorts points into two classes with it.",
    hints=(
        "A Value has the method .relu(), which is max(0, ...) with a gradient.",
        "For one example: (1 - t * p).relu(). Then the mean over all of them.",
        "sum(...) / len(targets), with one relu for each example inside the sum.",
    ),
    solution="""
        def mean_hinge(predictions, targets):
            losses = [(1 - t * p).relu() for p, t in zip(predictions, targets)]
            return sum(losses) / len(losses)
    """,
    reasons="The relu is the max(0, ...) of the formula, once for each example: "
    "being better than needed on one example must not pay for a miss on another.",
)
def mean_hinge(answer):
    for numbers, targets in (([0.5, -2.5, 3.5, -0.25], [1, -1, -1, 1]), ([0.5, 4.0], [-1, -1]), ([0.2], [1])):
        predictions = [Value(x) for x in numbers]
        try:
            out = call(answer, list(predictions), list(targets))
        except TypeError as error:
            if "not supported between instances" not in str(error) or "'Value'" not in str(error):
                raise
            who = "max" if uses(answer, "max") else "Your function"
            raise Wrong(
                "A comparison of Values",
                f"{who} has to compare, and Values cannot be compared. Which method of Value is max(0, …)?",
            ) from None
        if isinstance(out, (list, tuple)):
            raise Wrong("A list of losses, not one", f"Yours has the length {len(out)}. What is their mean?")
        out = a_value(out, "mean_hinge(predictions, targets)")
        n, margins = len(numbers), [1 - t * p for p, t in zip(numbers, targets)]
        right = sum(map(relu, margins)) / n
        if not close(out.data, right):
            told = f"For predictions {numbers} and targets {targets} you get {out.data:g} and should get {right:g}."
            if close(out.data, right * n):
                raise Wrong("The sum, not the mean", f"{told} What if there were a thousand examples?")
            if close(out.data, sum(relu(1 + t * p) for p, t in zip(numbers, targets)) / n):
                raise Wrong("Plus where a minus belongs", f"{told} Should the loss be large where both signs agree?")
            if close(out.data, sum(relu(-margin) for margin in margins) / n):
                raise Wrong("The sign is turned round", f"{told} Compare your difference with the formula's.")
            if close(out.data, sum(margins) / n):
                raise Wrong(
                    "Good examples pay for bad ones",
                    f"{told} Without a cut at 0 for each example, one very good prediction makes up for a bad one.",
                )
            if close(out.data, sum(map(abs, margins)) / n):
                raise Wrong("The absolute value", f"{told} What is max(0, -1.5)? And what does yours make of it?")
            if close(out.data, sum(relu(-t * p) for p, t in zip(numbers, targets)) / n):
                raise Wrong("The 1 is missing", f"{told} Barely on the right side is not yet enough.")
            if close(out.data, sum(relu(1 - p) for p in numbers) / n):
                raise Wrong("The targets are not used", f"{told} Where the target is -1, the prediction should be low.")
            if close(out.data, sum((p - t) ** 2 for p, t in zip(numbers, targets)) / n):
                raise Wrong("That is the squared error", f"{told} It also punishes a 3 where the target is 1.")
            raise Wrong("Another number", told)
        if any(p.grad for p in predictions):
            raise Wrong(
                "The gradient arrives twice",
                "Before the check calls backward(), the predictions have gradients already. "
                "Does your function call backward() itself?",
            )
        out.backward()
        for p, t, margin in zip(predictions, targets, margins):
            slope = -t / n if margin > 0 else 0.0
            if not close(p.grad, slope):
                raise Wrong(
                    "The gradient does not reach the predictions",
                    f"For predictions {numbers} the number is right, but the prediction {p.data:g} has gradient "
                    f"{p.grad:g} and not {slope:g}. Is each step done with the Value itself?",
                )


def require_numbers_in(parameters):
    if any(isinstance(p.data, Value) for p in parameters):
        raise Wrong("A Value inside a Value", "p.data is a plain number. Did you compute with p, or with p.data?")


def require_the_same(handed, parameters):
    if len(handed) != len(parameters) or any(p is not q for p, q in zip(handed, parameters)):
        raise Wrong("The parameters are replaced", "The list holds new Values. The network keeps the old ones.")


@exercise(
    lesson=LESSON,
    minutes=5,
    allows="You wrote the update, the line with which every network learns. Lesson 5 puts it into a loop.",
    hints=(
        "A loop over the parameters. Where is the number of a Value kept?",
        "Where the gradient is positive, the number should become smaller.",
        "Take step times the gradient away from the number inside: p.data -= …",
    ),
    solution="""
        def step_down(parameters, step):
            for p in parameters:
                p.data -= step * p.grad
            return parameters
    """,
    reasons="The number inside the parameter changes, in place. "
    "The parameter itself stays the leaf that the network holds.",
)
def step_down(answer):
    for numbers, gradients, step in (([1.0, -2.0, 0.5], [4.0, -0.5, 0.0], 0.1), ([3.0], [0.25], 2.0)):
        parameters = [Value(x) for x in numbers]
        for p, g in zip(parameters, gradients):
            p.grad = g
        handed = list(parameters)
        made = call(answer, handed, step)
        require_numbers_in(parameters)
        got = [p.data for p in parameters]
        told = f"From {numbers} with gradients {gradients} and step {step:g} your parameters come to {shown(got)}."
        if [p.grad for p in parameters] != gradients:
            raise Wrong("The gradients are changed", f"They were {gradients} and are {[p.grad for p in parameters]}.")
        require_the_same(handed, parameters)
        right = [x - step * g for x, g in zip(numbers, gradients)]
        listed = isinstance(made, (list, tuple))
        if same(got, right):
            if listed and len(made) == len(parameters) and all(p is q for p, q in zip(made, parameters)):
                continue
            raise Wrong(
                "Not all parameters come back",
                f"All {len(numbers)} have moved as they should, but you return {made!r:.60}. "
                "The list of all parameters should come back.",
            )
        if got == numbers:
            if listed and made and not any(p is q for p in made for q in parameters):
                new = "new Values" if isinstance(made[0], Value) else "new numbers"
                raise Wrong("The old ones are unchanged", f"You return {new}. Which Values does the network hold?")
            if uses(answer, "data"):
                raise Wrong(
                    "The number is computed and thrown away",
                    f"{told} Your function looks at .data and puts nothing there. Where does the new number go?",
                )
            raise Wrong("Nothing has moved", f"{told} Does `p = ...` change a Value, or only what p stands for?")
        if same(got, right[:1] + numbers[1:]):
            raise Wrong("Only the first has moved", f"{told} Where does your return stand?")
        if same(got, [x + step * g for x, g in zip(numbers, gradients)]):
            raise Wrong("Uphill", f"{told} The loss grows with a parameter that has a positive gradient.")
        if same(got, [x - g for x, g in zip(numbers, gradients)]):
            raise Wrong("The step left out", f"{told} Where does the number {step:g} come in?")
        if same(got, [-step * g for g in gradients]):
            raise Wrong("The change, not the new number", f"{told} That is how far to move. From where?")
        if same(got, [x - step * abs(g) for x, g in zip(numbers, gradients)]):
            raise Wrong("The sign is lost", f"{told} Where the gradient is -0.5, which way should the parameter go?")
        if all(x == y or close(abs(x - y), step) for x, y in zip(got, numbers)):
            raise Wrong(
                "The size of the gradient is lost", f"{told} A parameter with a larger gradient should move further."
            )
        raise Wrong("Another number", f"{told} It should be {shown(right)}.")


@exercise(
    lesson=LESSON,
    minutes=15,
    allows="You built by hand what no single neuron can do. Lesson 5 lets the network find such numbers itself.",
    hints=(
        "Let the first hidden neuron count the ones: relu(x1 + x2) is 0, 1, 1 and 2 at the four corners.",
        "The second one shall speak up only at (1, 1). Exercise 2 has such a neuron.",
        "With h1 = relu(x1 + x2) and h2 = relu(x1 + x2 - 1): take h1, and take so much of h2 away that the last "
        "corner falls back to 0. Then a small negative c.",
    ),
    solution="""
        xor_network = [1.0, 1.0, 0.0, 1.0, 1.0, -1.0, 1.0, -2.0, -0.5]
    """,
    reasons="h1 = relu(x1 + x2) is 0, 1, 1, 2 and h2 = relu(x1 + x2 - 1) is 0, 0, 0, 1. So h1 - 2 h2 - 0.5 is "
    "-0.5, 0.5, 0.5, -0.5. The first neuron counts the ones, the second speaks up only where both inputs are 1.",
)
def xor_network(answer):
    w11, w12, b1, w21, w22, b2, v1, v2, c = finite_numbers(answer, 9, "xor_network")
    layers = [([[w11, w12], [w21, w22]], [b1, b2]), ([[v1, v2]], [c])]
    got = [run_layers(layers, corner, [relu, as_it_is])[0] for corner in CORNERS]
    told = "At the corners (0, 0), (0, 1), (1, 0), (1, 1) your network says " + ", ".join(f"{g:g}" for g in got) + "."
    signs = [g > 0 for g in got]
    if signs == [False, True, True, False] and 0 not in got:
        return
    h1, h2 = zip(*(map_list(relu, sums(*layers[0], corner)) for corner in CORNERS))
    seen = f"There h1 is {', '.join(f'{h:g}' for h in h1)}, and h2 is {', '.join(f'{h:g}' for h in h2)}."
    outer, middle = (got[0], got[3]), (got[1], got[2])
    if len(set(got)) == 1:
        asked = "What do v1 and v2 make of that?" if any(h1 + h2) else "Is each hidden sum 0 or below everywhere?"
        raise Wrong("All corners alike", f"{told} {seen} {asked}")
    if max(middle) < min(outer):
        raise Wrong("The opposite", f"{told} Which three numbers would you multiply by -1?")
    if min(middle) > max(outer):
        if 0 in got:
            raise Wrong("On the border", f"{told} At {CORNERS[got.index(0)]} it is exactly 0. What shifts all four?")
        raise Wrong("The right shape at the wrong height", f"{told} The middle two are highest. What shifts all four?")
    if signs == [False, True, True, True]:
        asked = "At (1, 1) something must pull the output down. What speaks up only there?"
        for name, h, v in (("first", h1, v1), ("second", h2, v2)):
            if h[3] > 0 and not any(h[:3]):
                pull = "Does it pull hard enough?" if v < 0 else "Which way does it pull?"
                asked = f"Your {name} neuron speaks up only at (1, 1). {pull}"
        raise Wrong("That is OR", f"{told} {asked}")
    if signs == [False, False, False, True]:
        raise Wrong("That is AND", f"{told} It says yes only where both inputs are 1.")
    if (w11, w12, b1) == (w21, w22, b2):
        raise Wrong("Both hidden neurons ask the same", f"{told} Two equal neurons can do no more than one.")
    raise Wrong("Wrong at a corner", f"{told} {seen} Which corner is wrong, and what do h1 and h2 bring to it?")
