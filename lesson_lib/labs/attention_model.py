"""Reading a model with attention: what it does as a list of steps, its numbers as one array; and running the steps.

attention_model.js runs the same steps in the page. What a module does is read from its attributes, so that classes of
your own will do as well. Where these leave something open (is there a mask? is the input added to the output?), the
module itself decides: of the readings that there are, the one that computes what the module does on random numbers.

Shapes: T positions, C channels, H heads, hs the head size, V tokens in the vocabulary. A step is a dictionary; in it
a matrix is {"at", "bias", "out", "in"}: where its (out, in) numbers begin, where those of its bias do or None.
"""

import base64
import math

import numpy as np

ROOM = 64  # tokens for which a map can be drawn
MOST = 1_000_000  # numbers: more would make the page too heavy
PROBE = 6  # tokens of the random input
# how the lessons call the parts of a block, and the lecture
BLOCK = {"norm1": "ln1", "attention": "sa", "norm2": "ln2", "feed_forward": "ffwd"}
READABLE = (
    "It can read attention (query, key and value, or qkv, perhaps n_head and proj; or heads), blocks (attention and "
    "feed_forward, or inner and proj, perhaps norm1 and norm2), nn.Sequential, nn.Linear, nn.ReLU, layer norms, "
    "nn.Identity, nn.Dropout, and modules that only apply such parts one after the other"
)


def read(model, room=ROOM):
    """Return (program, numbers) of an `AttentionLanguageModel`, a `GPT`, or a model with the attributes of either.

    The program has the shapes, the steps, and under "mask" and "divide" what all attentions of the model do. numbers
    is an array of float32. The lab has room for `room` tokens, or for as many as the model. Raises TypeError for what
    cannot be read, ValueError for numbers that are too many or not finite, for attentions that differ, and where the
    steps do not give the model's own logits.
    """
    import torch

    for names in (
        ("token_embedding_table",), ("position_embedding_table",), ("body", "blocks"), ("lm_head",), ("block_size",)
    ):  # fmt: skip
        if not any(hasattr(model, name) for name in names):
            what = f"the model must be like an AttentionLanguageModel or a GPT, and a {_kind(model)}"
            raise TypeError(f"{what} has no {' and no '.join(names)}")
    if not isinstance(model, torch.nn.Module):
        raise TypeError(f"the model must be a PyTorch module, and this is a {type(model).__name__}")
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        with torch.no_grad():
            return _Reader(model, room).program()
    finally:
        for module, mode in modes.items():
            module.training = mode


def encoded(numbers):
    """Return the numbers for the page: base64 of float32, little end first."""
    return base64.b64encode(numbers.astype("<f4").tobytes()).decode("ascii")


def run(program, numbers, ids, mask=None, divide=None, cache=None):
    """Return the logits, (T, V), for a list of T token numbers, and for each attention its weights, (H, T, T).

    mask and divide: whether the future is hidden, and the scores divided by √hs; without them, what the model does.
    cache: a dictionary, empty at first, that keeps the keys and values of the tokens so far. Then ids are those that
    come after the tokens in there, and the weights are (H, T, all tokens). Only with a mask.
    """
    C, x = program["width"], np.array(ids, dtype=int)
    before = cache[0][0].shape[1] if cache else 0
    tokens = numbers[program["tokens"] :][: program["vocabulary"] * C].reshape(-1, C)
    positions = numbers[program["positions"] :][: program["room"] * C].reshape(-1, C)
    start = tokens[x].astype(float) + positions[before : before + len(x)]
    return run_steps([*program["steps"], program["last"]], numbers, start, mask, divide, cache)


def run_steps(steps, numbers, x, mask=None, divide=None, cache=None):
    """Return what the steps make of x, an array (T, C), and for each attention its weights, (H, T, T)."""
    kept, maps = [], []
    for step in steps:
        kind = step["do"]
        if kind == "linear":
            x = _linear(step, numbers, x)
        elif kind == "relu":
            x = np.maximum(x, 0)
        elif kind == "norm":
            size = step["size"]
            gain, bias = (numbers[step[name] :][:size].astype(float) for name in ("gain", "bias"))
            x = gain * (x - x.mean(1, keepdims=True)) / np.sqrt(x.var(1, keepdims=True) + step["eps"]) + bias
        elif kind == "remember":
            kept.append(x)
        elif kind == "add":
            x = x + kept.pop()
        else:
            q, k, v = (_split(_linear(step[name], numbers, x), step["heads"]) for name in ("query", "key", "value"))
            if cache is not None:
                past = cache.get(len(maps))
                k, v = (k, v) if past is None else (np.concatenate(pair, axis=1) for pair in zip(past, (k, v)))
                cache[len(maps)] = k, v
            scores = q @ k.transpose(0, 2, 1)  # (H, T, T)
            if step["divide"] if divide is None else divide:
                scores = scores / math.sqrt(q.shape[-1])
            if step["mask"] if mask is None else mask:
                T, S = scores.shape[1:]  # with a cache S tokens are heard by the last T of them
                scores = np.where(np.tri(T, S, S - T, dtype=bool), scores, -np.inf)
            maps.append(shares(scores))
            x = (maps[-1] @ v).transpose(1, 0, 2).reshape(len(x), -1)
            if step["proj"]:
                x = _linear(step["proj"], numbers, x)
    return x, maps


def shares(logits):
    """Return the softmax of the logits, along the last dimension."""
    exps = np.exp(logits - logits.max(-1, keepdims=True))
    return exps / exps.sum(-1, keepdims=True)


def _linear(matrix, numbers, x):
    rows, columns = matrix["out"], matrix["in"]
    y = x @ numbers[matrix["at"] :][: rows * columns].reshape(rows, columns).T.astype(float)
    return y if matrix["bias"] is None else y + numbers[matrix["bias"] :][:rows]


def _split(x, heads):
    return x.reshape(len(x), heads, -1).transpose(1, 0, 2)  # (T, H hs) → (H, T, hs)


def _kind(module):
    return type(module).__name__


class _Reader:
    def __init__(self, model, room):
        import torch

        self.model, self.room, self.parts, self.size = model, room, [], 0
        self.random = np.random.default_rng(1)
        # how far off a number may be, as a share of the largest: rounding, more of it in half precision
        self.near = max(1e-3, 16 * torch.finfo(model.lm_head.weight.dtype).eps)

    def program(self):
        model = self.model
        tokens, positions = model.token_embedding_table.weight, model.position_embedding_table.weight
        size = min(int(model.block_size), len(positions))
        room = min(size, self.room or size)
        program = {
            "vocabulary": len(tokens),
            "width": tokens.shape[1],
            "room": room,
            "block": int(model.block_size),
            "tokens": self.keep(tokens),
            # all of them, so that two labs of one model hold the same numbers: a page keeps those once
            "positions": self.keep(positions[:size]),
        }
        self.length = min(PROBE, room)
        program["steps"] = self.steps(model.body) if hasattr(model, "body") else self.blocks()
        program["last"] = self.linear(model.lm_head)
        attentions = [step for step in program["steps"] if step["do"] == "attention"]
        if not attentions:
            raise ValueError("the model's body has no attention: there is no map to show")
        program["heads"] = [step["heads"] for step in attentions]
        for name, does in (("mask", "hide the future"), ("divide", "divide their scores by √hs")):
            program[name] = attentions[0][name]
            if any(step[name] != program[name] for step in attentions):
                raise ValueError(f"some of the model's attentions {does}, others do not: the lab has one switch for it")
        self.compare(program)
        return program, self.numbers()

    def keep(self, tensor):
        """Store the numbers of a tensor, and return where they begin."""
        at, part = self.size, tensor.detach().cpu().float().numpy().ravel()
        self.size += part.size
        if self.size > MOST:
            raise ValueError(
                f"the model has more than {MOST:,} numbers: all of them go into the page, which would be too heavy"
            )
        if not np.isfinite(part).all():
            raise ValueError("the model holds numbers that are not finite (nan or inf): its training went wrong")
        self.parts.append(part)
        return at

    def numbers(self):
        self.parts = [np.concatenate(self.parts)]
        return self.parts[0]

    def linear(self, *layers):
        """Return the step of a linear layer, or of several with the same input whose outputs stand side by side."""
        import torch

        for layer in layers:
            if not isinstance(getattr(layer, "weight", None), torch.Tensor) or layer.weight.dim() != 2:
                raise TypeError(f"the lab expects a linear layer where the model has a {_kind(layer)}")
        weights = [layer.weight for layer in layers]
        biases = [getattr(layer, "bias", None) for layer in layers]
        at, bias = self.keep(torch.cat(weights)), None
        if any(one is not None for one in biases):
            biases = [w.new_zeros(len(w)) if b is None else b for w, b in zip(weights, biases)]
            bias = self.keep(torch.cat(biases))
        size = sum(map(len, weights))
        return {"do": "linear", "at": at, "bias": bias, "out": size, "in": weights[0].shape[1]}

    # -- modules ---------------------------------------------------------------------------------------

    def blocks(self):
        """Return the steps of a model without a body: its blocks, and the norm after them if there is one."""
        norm = getattr(self.model, "norm", getattr(self.model, "ln_f", None))
        parts = [*self.model.blocks] + ([] if norm is None else [norm])
        return [step for part in parts for step in self.steps(part)]

    def steps(self, module):
        """Return the steps that the module does."""
        from torch import nn

        if isinstance(module, (nn.Identity, nn.Dropout)):  # outside of training dropout does nothing
            return []
        if isinstance(module, nn.Linear):
            return [self.linear(module)]
        if isinstance(module, nn.ReLU):
            return [{"do": "relu"}]
        if isinstance(module, nn.Sequential):
            return [step for part in module for step in self.steps(part)]
        if isinstance(module, nn.LayerNorm) or (hasattr(module, "gain") and hasattr(module, "bias")):
            return self.norm(module)
        if isinstance(getattr(module, "query", None), nn.Module):
            return self.attention(module, [module], getattr(module, "n_head", 1))
        if isinstance(getattr(module, "qkv", None), nn.Module):
            return self.fused(module)
        if isinstance(getattr(module, "heads", None), nn.ModuleList):
            return self.attention(module, [*module.heads], 1)
        named = {name: getattr(module, name, getattr(module, other, None)) for name, other in BLOCK.items()}
        if named["feed_forward"] is None and hasattr(module, "inner") and hasattr(module, "proj"):
            named["feed_forward"] = nn.Sequential(module.inner, nn.ReLU(), module.proj)
        if named["attention"] is not None and named["feed_forward"] is not None:
            return self.block(module, [[] if part is None else self.steps(part) for part in named.values()])
        return self.sequence(module)

    def norm(self, module):
        gain, bias = getattr(module, "gain", getattr(module, "weight", None)), module.bias
        size = len(gain) if gain is not None else module.normalized_shape[-1]
        ones, zeros = self.model.lm_head.weight.new_ones(size), self.model.lm_head.weight.new_zeros(size)
        step = {"do": "norm", "size": size, "eps": float(getattr(module, "eps", 1e-5))}
        step |= {"gain": self.keep(ones if gain is None else gain), "bias": self.keep(zeros if bias is None else bias)}
        return self.fitting(module, [[step]], size)

    def attention(self, module, heads, n_head):
        """Read one module with query, key and value for n_head heads, or several of one head each."""
        for head in heads:
            for name in ("query", "key", "value"):
                if not hasattr(head, name):
                    raise TypeError(f"the lab takes a {_kind(head)} for attention, and it has no {name}")
        for names in ("query", "key"), ("value",):
            sizes = {tuple(getattr(head, name).weight.shape) for head in heads for name in names}
            if len(sizes) > 1:
                found = f"{' and '.join(names)} have the shapes {', '.join(map(str, sorted(sizes)))}"
                raise ValueError(f"the heads of a {_kind(module)} must all be of one size, and their {found}")
        step = {"do": "attention", "heads": len(heads) if len(heads) > 1 else n_head}
        step |= {name: self.linear(*(getattr(head, name) for head in heads)) for name in ("query", "key", "value")}
        return self.attending(module, step)

    def fused(self, module):
        """Read one module whose `qkv` makes queries, keys and values side by side, for n_head heads."""
        step, matrix = {"do": "attention", "heads": getattr(module, "n_head", 1)}, self.linear(module.qkv)
        size, rest = divmod(matrix["out"], 3)
        if rest:
            raise ValueError(f"the qkv of a {_kind(module)} gives {matrix['out']} numbers, which is no multiple of 3")
        for n, name in enumerate(("query", "key", "value")):
            bias = None if matrix["bias"] is None else matrix["bias"] + n * size
            step[name] = {**matrix, "at": matrix["at"] + n * size * matrix["in"], "bias": bias, "out": size}
        return self.attending(module, step)

    def attending(self, module, step):
        """Return the step of an attention with its projection, and with what fits of mask and division."""
        proj = getattr(module, "proj", None)
        step["proj"] = None if proj is None else self.linear(proj)
        ways = [(mask, divide) for mask in (True, False) for divide in (True, False)]
        readings = [[{**step, "mask": mask, "divide": divide}] for mask, divide in ways]
        return self.fitting(module, readings, step["query"]["in"])

    def block(self, module, parts):
        """Read a block: communication, then computation, each perhaps normalized and perhaps added to its input."""
        norm1, attention, norm2, feed_forward = parts
        remember, add = [{"do": "remember"}], [{"do": "add"}]
        readings = [
            [*remember, *norm1, *attention, *add, *remember, *norm2, *feed_forward, *add],
            [*norm1, *attention, *norm2, *feed_forward],
            # it may have norms and leave them out
            [*remember, *attention, *add, *remember, *feed_forward, *add],
            [*attention, *feed_forward],
            # as the paper had it: normalized after the addition
            [*remember, *attention, *add, *norm1, *remember, *feed_forward, *add, *norm2],
        ]
        width = next(step["query"]["in"] for step in attention if step["do"] == "attention")
        return self.fitting(module, readings, width)

    def sequence(self, module):
        """Read a module that may apply its parts in their order, with a relu between or after them, or none.

        It may also add its input to what comes out.
        """
        parts = [self.steps(part) for part in module.children()]
        first = next((step for part in parts for step in part if step["do"] != "relu"), None)
        if first is None:
            raise TypeError(f"the lab cannot read a {_kind(module)}. {READABLE}.")
        relu = [{"do": "relu"}]
        plain = [step for part in parts for step in part]
        between = [step for n, part in enumerate(parts) for step in (relu if n else []) + part]
        width = self.model.token_embedding_table.weight.shape[1]
        width = first.get("in", first.get("size", first.get("query", {}).get("in", width)))
        alone = [between, between + relu, plain]
        return self.fitting(module, alone + [[{"do": "remember"}, *steps, {"do": "add"}] for steps in alone], width)

    # -- which reading is right ------------------------------------------------------------------------

    def fitting(self, module, readings, width):
        """Return the reading that computes what the module does on random numbers; raise TypeError where none does."""
        x = self.random.normal(0, 2, (self.length, width))
        parameter = self.model.lm_head.weight
        truth = module(parameter.new_tensor(x)[None])[0].cpu().double().numpy()
        off = []
        for steps in readings:
            try:
                found = run_steps(steps, self.numbers(), x)[0]
            except ValueError:  # shapes that do not go together
                found = np.zeros(0)
            off.append(np.abs(found - truth).max() if found.shape == truth.shape else math.inf)
        best = min(off)
        if not best <= self.near * max(1.0, np.abs(truth).max()):
            raise TypeError(f"the lab cannot read a {_kind(module)}: it computes something else. {READABLE}.")
        # several may fit, as where all scores are 0: then the first
        return next(steps for steps, error in zip(readings, off) if error <= 2 * best + 1e-12)

    def compare(self, program):
        """Raise ValueError where the steps do not give the logits that the model does."""
        import torch

        ids = self.random.integers(0, program["vocabulary"], self.length).tolist()
        truth = self.model(torch.tensor([ids], device=self.model.lm_head.weight.device))
        truth = (truth[0] if isinstance(truth, tuple) else truth)[0].cpu().double().numpy()  # (T, V)
        off = np.abs(run(program, self.numbers(), ids)[0] - truth).max()
        if not off <= self.near * max(1.0, np.abs(truth).max()):
            raise ValueError(
                f"the parts of your {_kind(self.model)}, one after the other, give logits that are off by up to "
                f"{off:.2g} from its own: its forward does something that the lab cannot see"
            )
