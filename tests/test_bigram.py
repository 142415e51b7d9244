"""The counted table against a loop, the learned one against the counted one, and sampling against probabilities."""

import collections
import math

import pytest
import torch
import torch.nn.functional as F

from lesson_lib import training
from lesson_lib.bigram import BigramLanguageModel, count_bigrams, negative_log_likelihood, probabilities
from lesson_lib.text import CharTokenizer

WORDS = "the cat sat on the mat; then the rat sat on the cat. " * 4


@pytest.fixture
def ids():
    return torch.tensor(CharTokenizer(WORDS).encode(WORDS))


V = len(set(WORDS))


def test_the_counts_are_those_of_a_loop(ids):
    expected = collections.Counter(zip(ids.tolist(), ids.tolist()[1:]))
    counts = count_bigrams(ids, V)
    assert counts.shape == (V, V) and counts.sum() == len(ids) - 1
    assert {(i, j): counts[i, j].item() for i in range(V) for j in range(V) if counts[i, j]} == expected


def test_a_token_of_the_vocabulary_that_is_not_in_the_text_has_its_row():
    counts = count_bigrams(torch.tensor([0, 1, 0]), 4)
    assert counts.tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
    assert count_bigrams(torch.tensor([2]), 3).sum() == 0


def test_the_rows_are_probabilities_of_what_comes_next(ids):
    counts = count_bigrams(ids, V)
    table = probabilities(counts)
    assert torch.allclose(table.sum(dim=1), torch.ones(V))
    t, h = CharTokenizer(WORDS).encode("th")
    assert table[t, h] == pytest.approx(counts[t, h].item() / counts[t].sum().item())


def test_smoothing_leaves_nothing_impossible():
    counts = torch.tensor([[3, 1], [0, 0]])
    assert torch.allclose(probabilities(counts, smoothing=1.0), torch.tensor([[4 / 6, 2 / 6], [0.5, 0.5]]))


def test_a_row_without_counts_is_named():
    with pytest.raises(ValueError, match="^row 1 has no counts, so it has no probabilities: give it some smoothing"):
        probabilities(torch.tensor([[3, 1], [0, 0]]))


def test_the_negative_log_likelihood_is_the_cross_entropy_of_the_logs(ids):
    table = probabilities(count_bigrams(ids, V), smoothing=0.5)
    by_hand = -sum(math.log(table[i, j]) for i, j in zip(ids[:-1], ids[1:])) / (len(ids) - 1)
    ours = negative_log_likelihood(table, ids)
    assert ours.item() == pytest.approx(by_hand, abs=1e-6)
    assert ours.item() == pytest.approx(F.cross_entropy(table[ids[:-1]].log(), ids[1:]).item(), abs=1e-6)
    uniform = torch.full((V, V), 1 / V)
    assert negative_log_likelihood(uniform, ids).item() == pytest.approx(math.log(V))


# the model


def test_shapes_and_the_loss_at_zero_logits():
    model = BigramLanguageModel(V)
    idx, targets = torch.randint(V, (4, 8)), torch.randint(V, (4, 8))
    logits, loss = model(idx)
    assert logits.shape == (4, 8, V) and loss is None
    with torch.no_grad():
        model.token_embedding_table.weight.zero_()
    assert model(idx, targets)[1].item() == pytest.approx(math.log(V))
    assert sum(p.numel() for p in model.parameters()) == V * V


def test_the_logits_of_a_token_are_its_row_whatever_came_before():
    model = BigramLanguageModel(V)
    logits, _ = model(torch.tensor([[3, 1, 2], [0, 4, 2]]))
    assert torch.equal(logits[0, 2], logits[1, 2]) and torch.equal(logits[0, 2], model.token_embedding_table.weight[2])


def test_targets_that_are_not_contiguous_will_do():
    chunk = torch.randint(V, (4, 9))
    assert BigramLanguageModel(V)(chunk[:, :-1], chunk[:, 1:])[1].isfinite()


def test_the_learned_table_approaches_the_counted_one(ids):
    torch.manual_seed(1)
    model = BigramLanguageModel(V)
    training.train(
        model, ids, ids, block_size=8, batch_size=64, steps=600, learning_rate=0.1, evaluation_batches=1, progress=False
    )
    counted = probabilities(count_bigrams(ids, V))
    learned = model.token_embedding_table.weight.softmax(dim=1)
    assert (learned - counted).abs().max() < 0.08
    gap = negative_log_likelihood(learned, ids) - negative_log_likelihood(counted, ids)
    assert 0 <= gap < 0.02  # nothing can be below the counts on the text that was counted


# sampling


def certain(following):
    """A model that after token i is all but sure of following[i]."""
    model = BigramLanguageModel(len(following))
    with torch.no_grad():
        model.token_embedding_table.weight.copy_(50.0 * torch.eye(len(following))[following])
    return model


def test_what_is_certain_is_drawn():
    model = certain([1, 2, 0])
    idx = torch.tensor([[0], [2]])
    assert model.generate(idx, 5).tolist() == [[0, 1, 2, 0, 1, 2], [2, 0, 1, 2, 0, 1]]
    assert model.generate(idx, 0).tolist() == idx.tolist()


def test_each_token_is_drawn_with_its_probability_at_every_temperature():
    model = BigramLanguageModel(3)
    with torch.no_grad():
        model.token_embedding_table.weight.copy_(torch.tensor([0.6, 0.3, 0.1]).log().expand(3, 3))
    start = torch.zeros(20_000, 1, dtype=torch.long)
    for temperature in (1.0, 0.5, 2.0):
        powers = [p ** (1 / temperature) for p in (0.6, 0.3, 0.1)]
        drawn = model.generate(start, 1, temperature, torch.Generator().manual_seed(1))
        shares = torch.bincount(drawn[:, 1], minlength=3) / 20_000
        assert shares.tolist() == pytest.approx([p / sum(powers) for p in powers], abs=0.015)


def test_the_generator_alone_decides():
    model = BigramLanguageModel(20)
    idx = torch.zeros(1, 1, dtype=torch.long)
    first, again, other = (model.generate(idx, 30, generator=torch.Generator().manual_seed(s)) for s in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_generating_builds_no_graph():
    model, graphs = BigramLanguageModel(3), []
    model.token_embedding_table.register_forward_hook(lambda module, x, logits: graphs.append(logits.grad_fn))
    model.generate(torch.zeros(1, 1, dtype=torch.long), 3)
    assert graphs == [None] * 3 and torch.is_grad_enabled()


@pytest.mark.parametrize("temperature", [0, -1.0, math.nan])
def test_a_temperature_that_is_not_above_0_is_refused(temperature):
    with pytest.raises(ValueError, match=f"^the temperature must be above 0, and is {temperature}$"):
        BigramLanguageModel(3).generate(torch.zeros(1, 1, dtype=torch.long), 3, temperature)


@pytest.mark.parametrize("ids", [[0, 4], [0, 3], [-1, 2]])
def test_a_token_outside_the_vocabulary_is_not_counted_as_another(ids):
    told = f"tokens have numbers from 0 to 2; here are {min(ids)} to {max(ids)}"
    with pytest.raises(ValueError, match=told):
        count_bigrams(torch.tensor(ids), 3)


def test_an_empty_vocabulary_is_refused():
    with pytest.raises(ValueError, match="^a vocabulary has at least 1 token, and not 0$"):
        BigramLanguageModel(0)
