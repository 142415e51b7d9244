"""How to make each claim false: the smallest change of the notebook's source under which its cell must fail.

A row for claim C1, which lesson 3 shows in its cell tagged `claim-C1`:

    "C1": Sabotage("03_micrograd", ("parent.grad += local", "parent.grad = local")),

A replacement is (old, new), or (old, new, times) where `old` is in the notebook's code more than once:
all of them are replaced, and a count that does not fit is an error. Several replacements may follow each
other. Break the thing that the claim is about (the engine, the formula), never the `assert` itself.
The claim's cells run with everything above them, as the learner would run them; each of them must raise
AssertionError, so check that the sabotage does not stop an earlier cell which they need. Try a row with
`python -m pytest tests/test_claims.py -k C1`.
"""


class Sabotage:
    """A notebook's name without `.ipynb`, and the replacements in its code cells."""

    def __init__(self, notebook, *replacements):
        self.notebook = notebook
        self.replacements = replacements

    def apply(self, sources):
        """Return the sources with every replacement made; ValueError where one is not found as often as it says."""
        for old, new, times in (row if len(row) == 3 else (*row, 1) for row in self.replacements):
            found = sum(source.count(old) for source in sources)
            if found != times:
                raise ValueError(f"{old!r} is {found} times in {self.notebook}, and not {times}")
            sources = [source.replace(old, new) for source in sources]
        return sources


SABOTAGE = {
    # lesson 1
    "A2": Sabotage("01_derivatives", ("(f(x + h) - f(x - h)) / (2 * h)\n", "(f(x + h) - f(x)) / h\n", 2)),
    # lesson 2
    "A1": Sabotage("02_chain_rule", ("def __repr__(self):", "def show(self):", 4)),
    "A3": Sabotage("02_chain_rule", ("b.data * 1.0 * f.data)", "b.data + 1.0 + f.data)")),
    "B1": Sabotage("02_chain_rule", ("dw_du = -3 * dw_dv", "dw_du = -3 + dw_dv")),
    "B2": Sabotage(
        "02_chain_rule",
        ("product = central_difference(outer, inner(at))", "product = central_difference(outer, at)"),
    ),
    "B3": Sabotage("02_chain_rule", ("1.0 * d.grad", "0.5 * d.grad", 2)),
    "B4": Sabotage("02_chain_rule", ("a.grad = b.data * e.grad", "a.grad = a.data * e.grad")),
    "B6": Sabotage("02_chain_rule", ("[leaf.data + step * leaf.grad", "[leaf.data - step * leaf.grad")),
    "B7": Sabotage("02_chain_rule", ("sum(leaf.grad * step * leaf.grad", "sum(step * leaf.grad")),
    # lesson 3
    "B5": Sabotage("03_micrograd", ('return Value(out, "tanh", self, 1 - out**2)', 'return Value(out, "tanh", self, 1 - out)')),
    "B8": Sabotage("03_micrograd", ("math.sin(x.data), \"sin\", x, math.cos(x.data)", "math.sin(x.data), \"sin\", x, math.sin(x.data)")),
    "C1": Sabotage(
        "03_micrograd",
        ("parent.grad += local * node.grad  # adds up", "parent.grad = local * node.grad  # adds up"),
        (
            "        for node in reversed(order):\n            for parent, local in node.edges():\n                parent.grad += local",
            "        for node in reversed(order):\n            for parent, local in node.edges():\n                parent.grad = local",
        ),
    ),
    "C2": Sabotage("03_micrograd", ("class MixedBothWays(Mixed):\n    def __rmul__", "class MixedBothWays(Mixed):\n    def multiply")),
    "C3": Sabotage("03_micrograd", ('return Value(out, "exp", self, out)', 'return Value(out, "exp", self, self.data)')),
    "C4": Sabotage("03_micrograd", ("return self * other**-1", "return self * other**-2")),
    "C5": Sabotage("03_micrograd", ('return Value(out, "tanh", self, 1 - out**2)', 'return Value(out, "tanh", self, 1 - out)')),
    # lesson 4
    "D1": Sabotage("04_neural_networks", ("return act.tanh()", "return Value(act.tanh().data)")),
    "D2": Sabotage("04_neural_networks", ("[Neuron(nin) for _ in range(nout)]", "[Neuron(nin)] * nout")),
    "D3": Sabotage("04_neural_networks", ("return [*self.w, self.b]", "return self.w")),
    "D5": Sabotage("04_neural_networks", ("(p - t) ** 2 for", "(p + t) ** 2 for")),
    "D6": Sabotage("04_neural_networks", ("zip(predictions, targets)) / len(targets)", "zip(predictions, targets))")),
    # lesson 5
    "E1": Sabotage("05_gradient_descent", ("gradient = [p.grad for p in parameters]", "gradient = [p.data for p in parameters]")),
    "E2": Sabotage(
        "05_gradient_descent",
        (
            "for _ in range(50):\n    loss = mean_squared_error([net(x) for x in xs], ys)  # forward",
            "loss = mean_squared_error([net(x) for x in xs], ys)  # forward\nfor _ in range(50):",
        ),
    ),
    "E3": Sabotage("05_gradient_descent", ("            p.data -= rate * p.grad\n        losses.append(now.data)", "            p.data -= 0.05 * p.grad\n        losses.append(now.data)")),
    "E4": Sabotage("05_gradient_descent", ("            p.data -= rate * p.grad\n        losses.append(now.data)", "            p.data -= 0.05 * p.grad\n        losses.append(now.data)")),
    "E5": Sabotage(
        "05_gradient_descent",
        ("    loss().backward()  # and no zero_grad before it", "    net.zero_grad()\n    loss().backward()"),
        ("        loss.backward()  # and no zero_grad before it", "        net.zero_grad()\n        loss.backward()"),
    ),
    "E9": Sabotage("05_gradient_descent", ("drawer = MLP(1, [8, 8, 1]", "drawer = MLP(1, [1]")),
    "E11": Sabotage(
        "05_gradient_descent",
        ("return lambda step: rate * (1 - step / steps)", "return lambda step: rate"),
        ("return lambda step: rate * (1 + math.cos(math.pi * step / steps)) / 2", "return lambda step: rate"),
    ),
    # lesson 6
    "D4": Sabotage(
        "06_tensors",
        # one cell shows that the gradients are the same, the other that tensors are faster: here one example at a time
        ('"three lines": lambda: ((forward(layers, X, "tanh") - Y) ** 2).mean()', '"three lines": lambda: ((forward(layers, X, "tanh") - Y) ** 2).sum()'),
        ("lambda: nn.functional.mse_loss(twin(X), Y)", "lambda: sum(nn.functional.mse_loss(twin(x), y) for x, y in zip(X, Y)) / len(X)"),
    ),
    "E6": Sabotage("06_tensors", ("x = ACTIVATIONS[activation](x @ W_hidden + b_hidden)", "x = x @ W_hidden + b_hidden")),
    "E7": Sabotage(
        "06_tensors",
        # one example at a time: the tensors work, and have nothing to do at once
        ('((forward(layers, X, "tanh") - Y) ** 2).mean().backward()', 'sum(((forward(layers, x, "tanh") - y) ** 2).mean() for x, y in zip(X, Y)).backward()'),
    ),
    "E8": Sabotage("06_tensors", ("W -= rate * W.grad", "W += rate * W.grad")),
    # lesson 7
    "F3": Sabotage("07_text", ('return "".join(self.vocabulary[i] for i in ids)', 'return " ".join(self.vocabulary[i] for i in ids)', 2)),
    "F4": Sabotage("07_text", ("trainers.BpeTrainer(vocab_size=size,", "trainers.BpeTrainer(vocab_size=300,")),
    "F5": Sabotage(
        "07_text",
        # one chunk at a time, and each of many again and again: where a batch gains nothing, a busy machine could seem one
        (
            "scores = model(numbers[x].reshape(-1, 32))",
            "scores = torch.stack([model(numbers[row]) for row in x for _ in x[:8]])",
        ),
    ),
    "F6": Sabotage(
        "07_text",
        # each token is compared with itself alone, and the last token is no target
        ("x @ x.T", "x * x"),
        ("x, y = chunk[:-1], chunk[1:]", "x, y = chunk[:-2], chunk[1:-1]"),
    ),
    # lesson 8
    "F2": Sabotage("08_bigram", ("word[i + 3]) for i in", "word[i + 2]) for i in")),
    "G1": Sabotage("08_bigram", ("    x, y = get_batch(train_data, block_size, batch_size, generator)\n    _, loss = model(x, y)", "    x, y = get_batch(train_data, block_size, batch_size, generator)\n    _, loss = model(y, x)")),
    # (T, B) read as (B, T): the shape fits, and each row meets another's target
    "G2": Sabotage("08_bigram", ("loss = F.cross_entropy(logits.flatten(0, 1), targets.flatten())", "loss = F.cross_entropy(logits.transpose(0, 1).flatten(0, 1), targets.flatten())")),
    "G3": Sabotage("08_bigram", ("probs = exps / exps.sum(dim=-1, keepdim=True)", "probs = exps / exps.sum(dim=1, keepdim=True)")),
    "G4": Sabotage("08_bigram", ("logits = torch.randn(V, V, generator=generator) * scale", "logits = torch.rand(V, V, generator=generator) * scale")),
    "G5": Sabotage("08_bigram", ('"AdamW": torch.optim.AdamW, "SGD"', '"AdamW": torch.optim.SGD, "SGD"')),
    "G6": Sabotage(
        "08_bigram",
        # the module does not know of the embedding
        ("self.token_embedding_table = nn.Embedding(vocab_size, vocab_size)", 'self.__dict__["token_embedding_table"] = nn.Embedding(vocab_size, vocab_size)'),
    ),
    "G7": Sabotage("08_bigram", ("kept_without = forward_pass(torch.no_grad)", "kept_without = forward_pass(torch.enable_grad)")),
    # lesson 9
    # each token alone: nothing of the past is heard
    "H1": Sabotage("09_bag_of_words", ("    means = [x[:, : t + 1].mean(dim=1)", "    means = [x[:, t : t + 1].mean(dim=1)")),
    # weights that differ: the order is heard, and the bag alone does not tell the average
    "H2": Sabotage("09_bag_of_words", ("    means = [x[:, : t + 1].mean(dim=1)", "    means = [x[:, : t + 1].cumsum(dim=1).mean(dim=1)")),
    "H3": Sabotage("09_bag_of_words", ("    means = [x[:, : t + 1].mean(dim=1)", "    means = [x[:, : t + 1].cumsum(dim=1).mean(dim=1)")),
    # lesson 10
    # the future is in the weights
    "H4": Sabotage("10_matmul_trick", ("allowed = torch.ones(T, T, dtype=dtype, device=device).tril()", "allowed = torch.ones(T, T, dtype=dtype, device=device)")),
    # each example gets the mean of the batch
    "H5": Sabotage("10_matmul_trick", ("    return weights @ x\n", "    return weights @ x.mean(dim=0, keepdim=True).expand_as(x)\n")),
    # lesson 11
    # nothing is subtracted, so large powers overflow
    "H6": Sabotage("11_softmax", ("    exps = (logits - largest).exp()\n", "    exps = logits.exp()\n")),
    # lesson 12
    # one query and one key for a whole text, and not for each token
    "I1": Sabotage("12_self_attention", ("q_batch, k_batch = batch @ query, batch @ key ", "q_batch, k_batch = batch.mean(dim=1) @ query, batch.mean(dim=1) @ key ")),
    # the keys listen to the queries
    "I2": Sabotage("12_self_attention", ("scores = q @ k.transpose(-2, -1)  # (T, hs) @ (hs, T) → (T, T)", "scores = k @ q.transpose(-2, -1)")),
    # nothing is hidden
    "I3": Sabotage("12_self_attention", ("weights = masked_softmax(scores, causal_mask(4))  # (T, T)", "weights = softmax(scores)")),
    # the less they align, the more is taken
    "I4": Sabotage("12_self_attention", ("return softmax(q[3] @ keys.transpose(-2, -1))  # (T,)", "return softmax(-q[3] @ keys.transpose(-2, -1))  # (T,)")),
    # no token looks for anything: all scores are 0 in every text
    "I5": Sabotage("12_self_attention", ("attention = attention_weights(batch @ query, batch @ key,", "attention = attention_weights(0 * batch @ query, batch @ key,")),
    # all arrows are turned round
    "I6": Sabotage("12_self_attention", ("moved[:, i] = (head(changed, mask) != before).any(dim=-1)", "moved[:, i] = (head(changed, mask.T) != head(x, mask.T)).any(dim=-1)")),
    # the head has a sense of space: the causal mask
    "I7": Sabotage("12_self_attention", ("everyone = loaded(Head(2, 2, causal=False))", "everyone = loaded(Head(2, 2))")),
    # the values are a mean over the batch
    "I8": Sabotage("12_self_attention", ("q, k, v = self.query(x), self.key(x), self.value(x)  # (B, T, hs) each\n        return self.attend", "q, k, v = self.query(x), self.key(x), self.value(x.mean(dim=0, keepdim=True).expand_as(x))\n        return self.attend")),
    # everybody hears everybody
    "I9": Sabotage("12_self_attention", ("if mask is None and self.causal:", "if mask is None and not self.causal:")),
    # the standard deviation is halved at most: one cell sees the variance, the other the saturation
    "I12": Sabotage("12_self_attention", ("scaled[hs] = raw[hs] / math.sqrt(hs)", "scaled[hs] = raw[hs] / 2")),
    # lesson 13
    # keys and values come from somewhere else than the queries
    "I10": Sabotage("13_multi_head_attention", ("return self.listen(x, x, mask)", "return self.listen(x, x.flip(1), mask)")),
    # the keys and values of cross-attention come from x
    "I11": Sabotage("13_multi_head_attention", ("return self.listen(x, source, mask)", "return self.listen(x, x, mask)")),
    # lesson 14
    # it always takes the most probable: what it writes is not drawn from its probabilities
    "F1": Sabotage("14_gpt", ("new = torch.multinomial(probs, num_samples=1, generator=generator)", "new = probs.argmax(dim=1, keepdim=True)")),
    # each block reads the embeddings, and what it makes of them is lost
    "I13": Sabotage("14_gpt", ("            x = block(x)\n", "            block(x)\n")),
    # all photographs show the last weights: nothing has been learned between the first and the last
    "E10": Sabotage("14_gpt", ("{name: part.clone() for name", "{name: part for name")),
}
