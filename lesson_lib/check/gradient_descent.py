"""Checks of lesson 5: loss curves read, rates computed, a schedule, the loop, gradients added up, momentum."""

import inspect
import math
import numbers
import random

from ..datasets import four_examples
from ..descent import gradient_descent, mean_squared_error
from ..micrograd import Value
from ..mlp import MLP
from ._exercise import NotAttempted, Wrong, call, close, exercise, number, short
from .chain_rule import numbers_of, same, shown
from .neural_networks import require_numbers_in, require_the_same

LESSON = "05_gradient_descent"
VERDICTS = ("fine", "too low", "too high", "not zeroed")
# what each run of the first exercise is, and its learning rate
RUNS = {"A": ("too high", 1.0), "B": ("not zeroed", 0.03), "C": ("fine", 0.2), "D": ("too low", 0.0003)}
START = (1.0, -2.0)
RATE = 0.05
NONE = (0.0, 0.0)


def four_runs():
    """Return the losses of four runs of the lecture's network, by letter: the curves of the first exercise."""
    inputs, targets = four_examples()
    state = random.getstate()
    runs = {}
    for letter, (verdict, rate) in RUNS.items():
        random.seed(10)
        net = MLP(3, [4, 4, 1], activation="tanh", fused=True)

        def loss(net=net):
            return mean_squared_error([net(x) for x in inputs], targets)

        train = forgetful if verdict == "not zeroed" else gradient_descent
        runs[letter] = train(net.parameters(), loss, rate, 50)
    random.setstate(state)  # the learner's own random numbers are not to depend on this
    return runs


def forgetful(parameters, loss, rate, steps):
    """Return the losses of a gradient descent that never sets the gradients to zero."""
    losses = []
    for _ in range(steps):
        losses.append(loss())
        losses[-1].backward()
        for p in parameters:
            p.data -= rate * p.grad
    return [now.data for now in losses]


# the landscape on which the learner's loops walk, and the walks that they take, right or with a slip


def landscape(x, y):
    return (x - 2) ** 2 + 3 * (y + 1) ** 2 + x * y


def slopes(x, y):
    return [2 * (x - 2) + y, 6 * (y + 1) + x]


def walk(steps, m=0.0, slip="", old=NONE):
    """Return the places of a walk with momentum m, the start among them; old holds the gradients before it.

    slip names the mistake that it makes; without one it is right.
    """
    place, velocity, total = START, [0.0, 0.0], list(old)
    places = [place]
    for step in range(steps):
        gradient = slopes(*place)
        if slip == "adds up" or slip == "old at first" and step == 0:
            gradient = total = [t + g for t, g in zip(total, gradient)]
        before = velocity
        if slip == "shared":
            first = m * velocity[1] + gradient[0]
            velocity = [first, m * first + gradient[1]]
        elif slip == "shared in a step":
            velocity = [gradient[0], m * gradient[0] + gradient[1]]
        else:
            keep, add = SHARES.get(slip, lambda m: (m, 1.0))(m)
            velocity = [keep * v + add * g for v, g in zip(velocity, gradient)]
        change = before if slip == "late" else velocity
        if slip == "signs":
            change = [math.copysign(1, v) for v in velocity]
        rate = {"uphill": -RATE, "no rate": 1.0, "rate twice": RATE**2}.get(slip, RATE)
        place = tuple((0.0 if slip == "change" else p) - rate * c for p, c in zip(place, change))
        places.append(place)
    return places


# what a slip keeps of the velocity, and how much of the gradient it adds
SHARES = {
    "mean": lambda m: (m, 1 - m),
    "gradient scaled": lambda m: (1.0, m),
    "both scaled": lambda m: (m, m),
    "no friction": lambda m: (1.0, 1.0),
}


def run(answer, *args):
    """Return call(answer, *args); raise Wrong for two slips of which Python only says that an attribute is missing."""
    try:
        return call(answer, *args)
    except AttributeError as error:
        if inspect.isroutine(error.obj):
            raise Wrong(
                "The function, not its result", f"`loss` is a function: call it. `loss()` gives a Value. ({error}.)"
            ) from None
        # python 3.11 does not say which object refused a new attribute
        if isinstance(error.obj, Value) or str(error).startswith("'Value' object"):
            raise Wrong(
                "Not in a Value",
                f"A Value has its data and its grad, and takes nothing new ({error}). If you need more "
                "numbers, where can they live: in a list beside the parameters?",
            ) from None
        raise


class Loss(Value):
    """A loss that tells its walker when backward() is called."""

    __slots__ = ("walker",)

    def __init__(self, value, walker):
        super().__init__(value.data, value.op, value.left, value.d_left, value.right, value.d_right)
        self.walker = walker

    def backward(self):
        self.walker.backwards += 1
        super().backward()


class Walker:
    """Two parameters on the landscape and the function that computes the loss there, for one call of the answer."""

    def __init__(self, old, limit=60):
        self.parameters = [Value(x) for x in START]
        for p, g in zip(self.parameters, old):
            p.grad = g
        self.handed = list(self.parameters)
        self.calls, self.backwards, self.limit = 0, 0, limit

    def loss(self):
        self.calls += 1
        if self.calls > self.limit:
            raise Wrong("It never stops", f"Your loop asked for the loss more than {self.limit} times. What ends it?")
        require_numbers_in(self.parameters)
        return Loss(landscape(*self.parameters), self)

    def run(self, answer, *settings):
        """Return what the answer returns; raise Wrong where it did not leave two Values with numbers in them."""
        made = run(answer, self.handed, self.loss, *settings)
        require_numbers_in(self.parameters)
        require_the_same(self.handed, self.parameters)
        return made

    @property
    def place(self):
        return tuple(p.data for p in self.parameters)


def list_of_losses(made, steps, what):
    """Return the list of losses that the answer gave; raise Wrong where it is none of `steps` plain numbers."""
    if isinstance(made, (int, float)) and not isinstance(made, bool) or isinstance(made, Value):
        raise Wrong(
            "Only one loss", f"{what} gives {short(made)}. Where are the losses of all {steps} steps collected?"
        )
    if isinstance(made, (list, tuple)) and any(isinstance(x, Value) for x in made):
        raise Wrong(
            "The losses are Values",
            f"{what} should give plain numbers. Each Value keeps its whole graph alive. Where is the number in it?",
        )
    return numbers_of(made, len(made) if isinstance(made, (list, tuple)) else steps, what)


@exercise(
    lesson=LESSON,
    minutes=4,
    allows="You can read from a curve of losses what is wrong with a training. That saves hours.",
    hints=(
        "Begin with the two that fall least: one goes up, one is nearly flat. Section 4 has both.",
        "Two are left, B and C. One of them comes down and stays down. What did the other do in section 5?",
        "A ball without friction never comes to rest: it swings. Those are gradients that add up.",
    ),
    solution="""
        diagnosis = {"A": "too high", "B": "not zeroed", "C": "fine", "D": "too low"}
    """,
    reasons="A rises from the first step on: each update jumps further than the last. D goes the right way, in tiny "
    "steps. B falls quickly, but swings and never settles, like the ball without friction. C comes down and stays.",
)
def diagnosis(answer):
    if not isinstance(answer, dict):
        raise Wrong("Not a dict", f'diagnosis should look like {{"A": "fine", ...}}, and is {short(answer, 60)}.')
    if sorted(map(str, answer)) != list("ABCD"):
        raise Wrong("Not the four letters", f"The names should be A, B, C, D, and are {', '.join(map(str, answer))}.")
    if any(verdict is ... for verdict in answer.values()):
        raise NotAttempted
    got = {letter: str(answer[letter]).strip().lower() for letter in "ABCD"}
    for letter, verdict in got.items():
        if verdict not in VERDICTS:
            known = ", ".join(map(repr, VERDICTS))
            raise Wrong("Not one of the verdicts", f"{letter} is {short(answer[letter])}. The verdicts are {known}.")
    if len(set(got.values())) < 4:
        twice = next(v for v in VERDICTS if list(got.values()).count(v) > 1)
        raise Wrong("One verdict twice", f"You say {twice!r} more than once. Each verdict fits one curve.")
    if got == {letter: verdict for letter, (verdict, _) in RUNS.items()}:
        return
    told = "You say " + ", ".join(f"{letter}: {verdict!r}" for letter, verdict in got.items()) + "."
    if got["A"] == "too low" or got["D"] == "too high":
        raise Wrong("Too low and too high exchanged", f"{told} Where the steps are too long, which way goes the loss?")
    if got["B"] == "fine":
        raise Wrong(
            "A swinging curve is not fine", f"{told} B falls quickly, but never settles: up and down. What swings so?"
        )
    if got["A"] == "fine":
        raise Wrong("A loss that rises is not fine", f"{told} A is larger after every step. Look at the axis.")
    if got["A"] == "not zeroed":
        raise Wrong(
            "Exploding is not swinging",
            f"{told} A rises at once, and without end. How did the run without zero_grad begin: up or down?",
        )
    raise Wrong("A flat curve", f"{told} D has hardly moved in fifty steps. What is too small there?")


@exercise(
    lesson=LESSON,
    minutes=6,
    allows="You can compute the best rate of a parabola, and its limit. Near its bottom every smooth valley is one.",
    hints=(
        "An update turns x into x - rate * 2 * a * x. Take x out of the bracket.",
        "Each step multiplies x by 1 - 2 * a * rate. For which rate is that 0? For which is it -1?",
        "2 * a * rate must be 1 for the one, and 2 for the other. Return both as a pair.",
    ),
    solution="""
        def two_rates(a):
            return 1 / (2 * a), 1 / a
    """,
    reasons="The factor 1 - 2 * a * rate is 0 for rate = 1 / (2a), and then one step arrives. It is -1 for "
    "rate = 1 / a: from there on, no step comes nearer. Twice as steep, half the rate.",
)
def two_rates(answer):
    for a in (1.0, 4.0, 0.25, 25.0):
        what = f"two_rates({a:g})"
        made = call(answer, a)
        if isinstance(made, numbers.Real) and not isinstance(made, bool):
            raise Wrong("One number, not two", f"{what} gives {made:g}. Return two numbers: `return one_step, limit`.")
        got = numbers_of(made, 2, what)
        right = [1 / (2 * a), 1 / a]
        if same(got, right):
            continue
        told = f"{what} gives {shown(got)}."
        if same(got, right[::-1]):
            raise Wrong("Exchanged", f"{told} The numbers are right. Which comes first: one step, or the limit?")
        if same(got, [1 / a, 2 / a]):
            raise Wrong("The slope without its 2", f"{told} The slope of a·x² is 2·a·x. Is the 2 in your factor?")
        if same(got, [0.5, 1.0]):
            raise Wrong("The parabola of the lesson", f"{told} Those are the rates for a = 1. Where does a come in?")
        if same(got, [a / 2, a]):
            raise Wrong("The wrong way round", f"{told} On a steeper parabola, should the steps be larger or smaller?")
        if same(got, [a / 2, 1 / a]):
            asked = "Did you write 1 / 2 * a? Python reads that as (1 / 2) * a. Where do the parentheses belong?"
            raise Wrong("The first is turned over", f"{told} For the first, {a / 2:g} is a / 2. {asked}")
        if close(got[0], right[0]) and close(got[1], 2 * right[1]):
            limit = f"With the rate {got[1]:g} the factor is {1 - 2 * a * got[1]:g}."
            raise Wrong("The limit is too high", f"{told} {limit} Does the distance then become smaller?")
        if close(got[0], got[1]):
            raise Wrong("Twice the same", f"{told} Which factor arrives at once, and which one goes back and forth?")
        if close(got[0], right[0]):
            factor = f"With the second, each step multiplies x by {1 - 2 * a * got[1]:g}."
            raise Wrong("Not the limit", f"{told} {factor} Is that the edge between arriving and flying off?")
        raise Wrong(
            "Not the rate of one step",
            f"{told} With the first, each step multiplies x by {1 - 2 * a * got[0]:g}. What should that be?",
        )


@exercise(
    lesson=LESSON,
    minutes=7,
    allows="You can write schedules of your own. Anything that takes a step and gives a rate will do.",
    hints=(
        "A schedule is a function. So half_life returns one: lambda step: ...",
        "After `every` steps the factor is 0.5, after twice as many 0.5 ** 2. What is the exponent after `step` steps?",
        "The exponent is step / every, with the ordinary division, so that it also falls in between.",
    ),
    solution="""
        def half_life(rate, every):
            return lambda step: rate * 0.5 ** (step / every)
    """,
    reasons="After `step` steps, step / every half-lives have passed, and each of them multiplies the rate by 0.5. "
    "With // it would fall in stairs: that is step_decay(rate, 0.5, every).",
)
def half_life(answer):
    for rate, every in ((0.8, 10), (2.0, 4)):
        what = f"half_life({rate:g}, {every})"
        schedule = call(answer, rate, every)
        if not callable(schedule):
            raise Wrong("Not a schedule", f"{what} gives {short(schedule)}. It should give a function of step.")
        first, second = (number(call(schedule, every), f"{what}({every})") for _ in range(2))
        if first != second:
            raise Wrong(
                "It remembers",
                f"{what} gives a schedule that says {first:g} for step {every}, and {second:g} when asked again. "
                "Should the rate depend on the step alone, or on how often it was asked for?",
            )
        schedule, steps = call(answer, rate, every), (0, 1, every // 2, every, 2 * every)
        got = [number(call(schedule, step), f"{what}({step})") for step in steps]
        right = [rate * 0.5 ** (step / every) for step in steps]
        if same(got, right):
            continue
        told = f"{what} gives " + ", ".join(f"{g:.4g} at step {step}" for step, g in zip(steps, got)) + "."
        if got[3] > got[0] > 0:
            raise Wrong("A rate that grows", f"{told} After {every} steps it should be half of what it was.")
        if same(got, [rate * 0.5 ** (step // every) for step in steps]):
            raise Wrong("It falls in stairs", f"{told} Between 0 and {every} it should fall too. What does // do?")
        if same(got, [rate * (1 - 0.5 * step / every) for step in steps]):
            raise Wrong("A straight line", f"{told} After {2 * every} steps a quarter should be left.")
        if same(got, [rate * 0.5**step for step in steps]):
            raise Wrong("Half at every step", f"{told} Where does `every` come in?")
        if same(got, [rate * 0.5 ** ((step + 1) / every) for step in steps]):
            raise Wrong("The first step has decayed already", f"{told} At step 0 the rate should still be {rate:g}.")
        if same(got, [rate * math.exp(-step / every) for step in steps]):
            raise Wrong("Not one half, but 1/e", f"{told} After {every} steps {right[3]:g} should be left.")
        if same(got, [0.5 ** (step / every) for step in steps]):
            raise Wrong("The rate is left out", f"{told} With which rate does it begin?")
        if same(got, [(0.5 * rate) ** (step / every) for step in steps]):
            raise Wrong("The rate inside the power", f"{told} What is multiplied again and again: rate, or 0.5?")
        raise Wrong("Not a half-life", f"{told} It should be {', '.join(f'{r:.4g}' for r in right)}.")


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You wrote the training loop from memory. Every network in this course is trained by it.",
    hints=(
        "Inside the loop, in this order: compute the loss, set the gradients to zero, go backward, update. "
        "The number of the loss is now.data.",
        "For the update: p.data -= rate * p.grad, for each p in parameters. Call loss() anew in every turn.",
        "Begin with an empty list, append the loss's number in every turn, and return the list after the loop.",
    ),
    solution="""
        def train(parameters, loss, rate, steps):
            history = []
            for _ in range(steps):
                current = loss()
                history.append(current.data)
                for p in parameters:
                    p.grad = 0.0
                current.backward()
                for p in parameters:
                    p.data -= rate * p.grad
            return history
    """,
    reasons="The loss is computed anew in each turn, because the parameters have changed. The gradients are set to "
    "zero before backward() adds to them. The update changes the number inside each parameter.",
)
def train(answer):
    for steps, old in ((3, NONE), (1, NONE), (2, (5.0, -7.0))):
        walker = Walker(old)
        made = walker.run(answer, RATE, steps)
        check_walk("train", walker, made, steps, 0.0, old)


def check_walk(name, walker, made, steps, m, old):
    """Raise Wrong where the walk is not the right one, or the list not that of its losses before each update."""
    what = f"{name}(...) with {f'm = {m:g} and ' if name == 'momentum' else ''}steps = {steps}"
    right, got = walk(steps, m), walker.place
    told = f"From {shown(START)}, {what} leads to {shown(got)} and should lead to {shown(right[-1])}."

    def is_slip(slip, m=m):
        return same(got, walk(steps, m, slip, old)[-1])

    if not same(got, right[-1]):
        if walker.calls == 0:
            raise Wrong("The loss is never computed", f"{told} Where is loss() called?")
        if got == START and not any(p.grad for p in walker.parameters):
            asked = "Is backward() called, and are the gradients set to zero before it, not after it?"
            raise Wrong("All gradients are 0", f"{told} {asked}")
        if got == START:
            raise Wrong("Nothing has moved", f"{told} Does `p = ...` change a Value, or only what p stands for?")
        if any(old) and is_slip("old at first"):
            raise Wrong("Old gradients at the beginning", f"{told} Before the call they were {shown(old)}.")
        if is_slip("adds up"):
            raise Wrong("The gradients add up", f"{told} Are they set to zero before each backward()?")
        if is_slip("uphill"):
            raise Wrong("Uphill", f"{told} The gradient points to where the loss grows. Plus or minus?")
        if is_slip("no rate"):
            raise Wrong("The rate is left out", f"{told} Where does the {RATE} come in?")
        if is_slip("signs"):
            raise Wrong("The size of the gradient is lost", f"{told} A larger gradient should make a longer step.")
        if is_slip("change"):
            raise Wrong("The change, not the new number", f"{told} That is how far to move. From where?")
        if steps > 2 and same(got, right[1]):
            raise Wrong("Only one step", f"{told} Does a `return` end the loop in its first turn?")
        if same(got, walk(steps + 1, m)[-1]):
            raise Wrong("One step too many", f"{told} How often does your loop turn?")
        if same(got, right[-2]):
            raise Wrong("One step too few", f"{told} How often does your loop turn?")
        if got[1] == START[1]:
            raise Wrong("Only the first parameter", f"{told} Is the update inside the loop over all parameters?")
        if walker.calls < steps:
            often = "once" if walker.calls == 1 else f"{walker.calls} times"
            asked = f"loss() was called {often}. After an update the loss is another one."
            raise Wrong("The loss is computed once", f"{told} {asked} Where does the call belong?")
        first = f"The first step leads to {shown(right[1])}: minus {RATE} times the gradient."
        raise Wrong("Another place", f"{told} {first} Where does yours lead?")
    losses = list_of_losses(made, steps, what)
    wanted = [landscape(*place) for place in right]
    told = f"{what} gives the losses {shown(losses)} and should give {shown(wanted[:-1])}."
    if same(losses, wanted[:-1]) and walker.backwards > steps:
        raise Wrong(
            "One backward() is enough",
            f"All numbers are right! But backward() ran {walker.backwards} times in {steps} steps. One call computes "
            "all gradients. With 41 parameters, yours would run it 41 times in each step. In which loop is it?",
        )
    if same(losses, wanted[:-1]):
        return
    if same(losses, wanted[1:]):
        raise Wrong("The losses after the update", f"{told} When is the loss to be noted: before the update, or after?")
    if same(losses, wanted):
        raise Wrong("One loss too many", f"{told} The last one belongs to no step.")
    if len(losses) == 1 < steps:
        raise Wrong("Only the last loss", f"{told} Where is your list made: before the loop, or inside it?")
    if same(losses, got):
        raise Wrong("The parameters, not the losses", told)
    raise Wrong("Other losses", told)


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="You can train on more examples than fit into the memory at once.",
    hints=(
        "First set all gradients to zero, once. Then a loop over the losses: each is a function, so call it.",
        "loss().backward() adds the gradients of one example. After the loop, what do you have: the sum or the mean?",
        "After the loop divide each p.grad by len(losses).",
    ),
    solution="""
        def gradient_of_mean(parameters, losses):
            for p in parameters:
                p.grad = 0.0
            for loss in losses:
                loss().backward()
            for p in parameters:
                p.grad /= len(losses)
            return parameters
    """,
    reasons="backward() adds to what is there, so after the loop each gradient is the sum over all examples. "
    "The mean is the sum divided by their number, and so is its gradient. Only one example's graph exists at a time.",
)
def gradient_of_mean(answer):
    for targets, old in (([4.0], NONE), ([4.0, -1.0, 2.0], NONE), ([2.0, 3.0], (6.0, -3.0))):
        n, examples = len(targets), list(enumerate(targets, start=1))
        parameters = [Value(0.5), Value(-1.0)]
        w, b = parameters
        for p, g in zip(parameters, old):
            p.grad = g
        losses = [lambda x=x, t=t, w=w, b=b: (w * x + b - t) ** 2 for x, t in examples]
        handed = list(parameters)
        made = run(answer, handed, list(losses))
        count = f"{n} example{'s' if n > 1 else ''}"
        what = f"With {count}"
        if (w.data, b.data) != (0.5, -1.0):
            raise Wrong(
                "The numbers are changed",
                f"{what} the parameters go from (0.5, -1) to {shown([w.data, b.data])}. Only gradients should change.",
            )
        each = [2 * (0.5 * x - 1.0 - t) for x, t in examples]
        shares = [(e * x, e) for (x, _), e in zip(examples, each)]
        total = [sum(share) for share in zip(*shares)]
        right, got = [t / n for t in total], [w.grad, b.grad]
        told = f"{what} the gradients come to {shown(got)} and should be {shown(right)}."
        if same(got, right):
            back = list(made) if isinstance(made, (list, tuple)) else []
            if len(back) != 2 or back[0] is not w or back[1] is not b:
                raise Wrong(
                    "Not the parameters come back", f"The gradients are right, but you return {short(made, 60)}."
                )
            continue
        if got == [0, 0]:
            raise Wrong("All gradients are 0", f"{told} Where is backward() called, and what is set to zero after it?")
        if same(got, total):
            raise Wrong("The sum, not the mean", f"{told} What if there were a thousand examples?")
        if same(got, shares[-1]) or same(got, [g / n for g in shares[-1]]):
            raise Wrong("Only the last example", f"{told} Do you set the gradients to zero inside the loop?")
        if same(got, shares[0]) or same(got, [g / n for g in shares[0]]):
            raise Wrong("Only the first example", f"{told} Does a `return` end the loop in its first turn?")
        with_old = [t + g for t, g in zip(total, old)]
        if any(old) and (same(got, with_old) or same(got, [g / n for g in with_old])):
            raise Wrong("Old gradients are still in it", f"{told} They were {shown(old)} at the beginning.")
        if any(old) and same(got, [r + g for r, g in zip(right, old)]):
            raise Wrong("Old gradients are still in it", f"{told} They were {shown(old)} at the beginning.")
        if same(got, divided_each_time(shares)):
            raise Wrong("Divided too often", f"{told} What you divide inside the loop is divided again later.")
        if same(got, [t / 2 for t in total]):
            raise Wrong("Divided by the number of parameters", f"{told} There are 2 parameters, and {count}.")
        raise Wrong("Other gradients", told)


def divided_each_time(shares):
    """Return the gradients when all that was added up is divided again after each example."""
    grads = [0.0, 0.0]
    for share in shares:
        grads = [(g + s) / len(shares) for g, s in zip(grads, share)]
    return grads


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="You can let a training stop by itself, when it is good enough or when it takes too long.",
    hints=(
        "In each turn, first compute the loss. Is it below the target? Then return, before any update.",
        "How many updates have been made by then? With `for updates in range(limit + 1)` it is `updates` itself.",
        "Compare the number inside: current.data < target. After `limit` updates look once more, but do not update.",
    ),
    solution="""
        def updates_needed(parameters, loss, rate, target, limit):
            for updates in range(limit + 1):
                current = loss()
                if current.data < target:
                    return updates
                if updates < limit:
                    for p in parameters:
                        p.grad = 0.0
                    current.backward()
                    for p in parameters:
                        p.data -= rate * p.grad
            return -1
    """,
    reasons="The loop looks at the loss limit + 1 times, and between two looks it makes one update. "
    "So the number of the turn is the number of the updates made so far.",
)
def updates_needed(answer):
    # on x² with the rate 0.25 each update halves x: 4, 2, 1, and the losses are 16, 4, 1, 0.25, ...
    start = 4.0
    for target, limit, right in ((20.0, 5, 0), (0.5, 9, 3), (1.0, 9, 3), (0.5, 3, 3), (0.5, 2, -1)):
        p = Value(start)
        p.grad = 0.0 if limit == 9 else 3.0
        calls = []

        def loss(p=p, calls=calls, limit=limit):
            calls.append(p.data)
            if len(calls) > 3 * limit + 10:
                raise Wrong("It never stops", f"With limit = {limit} your loop asked for the loss {len(calls)} times.")
            require_numbers_in([p])
            return p * p

        handed = [p]
        what = f"For x² from {start:g} with rate 0.25, target {target:g} and limit {limit}"
        got = number(run(answer, handed, loss, 0.25, target, limit), "updates_needed(...)")
        require_numbers_in([p])
        require_the_same(handed, [p])
        made = limit if right < 0 else right
        place = start / 2**made
        told = f"{what} you return {got:g}, and x ends at {p.data:g}. It should be {right}, and {place:g}."
        if got == right and p.data == place:
            continue
        if p.data == start and made:
            raise Wrong("Nothing has moved", f"{told} Is the update made, with the number inside: p.data?")
        if len(calls) == 1 and made:
            asked = "loss() was called once. After an update the loss is another one."
            raise Wrong("The loss is computed once", f"{told} {asked} Where does the call belong?")
        if right >= 0 and right < limit and p.data in (start / 2**limit, start / 2 ** (limit + 1)):
            asked = f"All {limit} updates are made, and only then one asks which loss was low enough."
            raise Wrong("It does not stop", f"{told} {asked} When should the question come?")
        if p.data > start:
            raise Wrong("Uphill", f"{told} The gradient points to where the loss grows. Plus or minus?")
        if p.data != place and p.data == adding_up_on_a_parabola(start, target, limit):
            raise Wrong("The gradients add up", f"{told} Are they set to zero before each backward()?")
        if target == 1.0 and got == 2:
            raise Wrong("At the target is not below it", f"{told} After 2 updates the loss is exactly 1.")
        if right < 0 and p.data == place and got == limit:
            raise Wrong("Not reached is not said", f"{told} Can your caller know that the target was not reached?")
        if right < 0 and got > limit:
            raise Wrong("The limit is ignored", f"{told} What should end the loop when the target is far?")
        if p.data == place and got in (right + 1, right - 1):
            raise Wrong("Counted wrong by one", f"{told} You counted the looks at the loss, or left one update out.")
        if p.data == place / 2 and right >= 0:
            raise Wrong("One update too many", f"{told} Do you look at the loss before the update, or after it?")
        if got == -1 and right == limit:
            raise Wrong("The last look is missing", f"{told} After the last update, the loss is below the target.")
        if p.data == place:
            raise Wrong("Not the number of updates", f"{told} What do you return?")
        if p.data == place / 2 and right < 0:
            raise Wrong("One update beyond the limit", f"{told} How many updates may it make at most?")
        raise Wrong("Another walk", f"{told} Each update should halve x. What does your first one do?")


def adding_up_on_a_parabola(x, target, limit):
    """Return where x² with the rate 0.25 leads when the gradients are never set to zero."""
    total = 0.0
    while x * x >= target and limit > 0:
        total += 2 * x
        x, limit = x - 0.25 * total, limit - 1
    return x


@exercise(
    lesson=LESSON,
    minutes=15,
    allows="You wrote momentum: gradient descent that remembers. Run the cell below, and see what the ball gains.",
    hints=(
        "Before the loop: velocities = [0.0 for p in parameters]. They must outlive the single step.",
        "The order in each step: loss, gradients to zero, backward(), then for each parameter its new velocity, and "
        "then its new number.",
        "for i, p in enumerate(parameters): velocities[i] = m * velocities[i] + p.grad, and then "
        "p.data -= rate * velocities[i].",
    ),
    solution="""
        def momentum(parameters, loss, rate, m, steps):
            velocities = [0.0 for _ in parameters]
            history = []
            for _ in range(steps):
                current = loss()
                for p in parameters:
                    p.grad = 0.0
                current.backward()
                for i, p in enumerate(parameters):
                    velocities[i] = m * velocities[i] + p.grad
                    p.data -= rate * velocities[i]
                history.append(current.data)
            return history
    """,
    reasons="The list of velocities is made before the loop and lives as long as the training. Each step keeps the "
    "share m of the old velocity and adds the new gradient: what agrees adds up, what changes its sign cancels.",
)
def momentum(answer):
    for m, steps, old in ((0.8, 3, NONE), (0.5, 1, NONE), (0.0, 2, NONE), (0.8, 3, (5.0, -7.0))):
        walker = Walker(old)
        made = walker.run(answer, RATE, m, steps)
        got, right = walker.place, walk(steps, m)[-1]
        told = f"With m = {m:g} and steps = {steps} you come to {shown(got)}, and should come to {shown(right)}."

        def is_slip(slip, m=m, steps=steps, old=old, got=got):
            return same(got, walk(steps, m, slip, old)[-1])

        if not same(got, right):
            if same(got, walk(steps)[-1]):
                raise Wrong(
                    "The velocity is forgotten",
                    f"{told} That is plain gradient descent. Are the velocities made before the loop, or inside it?",
                )
            if is_slip("no friction"):
                raise Wrong("No friction", f"{told} Each step keeps all of the old velocity. Where does m come in?")
            if is_slip("mean"):
                raise Wrong(
                    "The gradient gets only a share",
                    f"{told} You use m · v + (1 - m) · gradient. Others do that too, with larger rates. Here the "
                    "gradient is added in full.",
                )
            if is_slip("gradient scaled") or is_slip("both scaled"):
                raise Wrong("m at the wrong place", f"{told} Does m belong to the old velocity, or to the gradient?")
            if is_slip("shared") or is_slip("shared in a step"):
                raise Wrong("One velocity for all", f"{told} Each parameter needs one of its own.")
            if is_slip("late"):
                raise Wrong("The velocity of the step before", f"{told} First the new velocity, then the new number.")
            if is_slip("rate twice"):
                raise Wrong("The rate twice", f"{told} The {RATE} is in your velocity and in your update.")
        check_walk("momentum", walker, made, steps, m, old)
