"""The training loop: it learns, it repeats itself, it stops cleanly, it measures without gradients."""

import math

import pytest
import torch
from torch import nn

from lesson_lib import training
from lesson_lib.bigram import BigramLanguageModel
from lesson_lib.text import get_batch
from lesson_lib.training import evaluate, train, whole_loss

DATA = torch.arange(400) % 7  # after i always comes i + 1, after 6 comes 0
SIZES = {"block_size": 8, "batch_size": 4}


def model():
    torch.manual_seed(1)
    return BigramLanguageModel(7)


def run(model, steps=100, **options):
    options = {"learning_rate": 0.1, "evaluate_every": 50, "evaluation_batches": 2, "progress": False} | options
    return train(model, DATA, DATA, **SIZES, steps=steps, **options)


def test_the_loss_falls_and_everything_is_written_down():
    history = run(model(), steps=120)
    assert len(history.losses) == 120 and not history.interrupted
    assert [step for step, _, _ in history.evaluations] == [0, 50, 100, 120]
    assert history.losses[0] > 1.5 and history.losses[-1] < 0.1
    assert history.evaluations[0][1] > 1.5 and history.evaluations[-1][2] < 0.1


def test_the_steps_are_those_of_a_loop_by_hand():
    ours, twin = model(), model()
    history = run(ours, steps=20)
    optimizer = torch.optim.AdamW(twin.parameters(), lr=0.1)
    generator = torch.Generator().manual_seed(1337)
    losses = []
    for _ in range(20):
        _, loss = twin(*get_batch(DATA, 8, 4, generator))
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert history.losses == losses
    assert torch.equal(ours.token_embedding_table.weight, twin.token_embedding_table.weight)


def test_the_same_seed_gives_the_same_numbers_and_another_one_others():
    assert run(model()) == run(model()) != run(model(), seed=2)


def test_looking_at_the_validation_text_changes_nothing():
    assert run(model(), evaluate_every=1).losses == run(model(), evaluate_every=1000).losses


def test_an_optimizer_of_one_s_own_is_used():
    network = model()
    before = network.token_embedding_table.weight.clone()
    run(network, optimizer=torch.optim.SGD(network.parameters(), lr=0.0))
    assert torch.equal(network.token_embedding_table.weight, before)


class Dice(BigramLanguageModel):
    """A model whose loss is measured differently while it trains, as with dropout."""

    def forward(self, idx, targets=None):
        assert torch.is_grad_enabled() == self.training
        logits, loss = super().forward(idx, targets)
        return logits, loss + (100.0 if self.training else 0.0)


def test_an_evaluation_has_no_gradients_and_switches_back():
    network = Dice(7)
    first = evaluate(network, DATA, **SIZES)
    assert first < 100 and network.training
    assert evaluate(network, DATA, **SIZES) == first != evaluate(network, DATA, **SIZES, seed=2)
    network.eval()
    evaluate(network, DATA, **SIZES)
    assert not network.training


def test_an_evaluation_is_the_mean_over_its_batches():
    network, generator = model(), torch.Generator().manual_seed(1)
    losses = [network(*get_batch(DATA, 8, 4, generator))[1].item() for _ in range(5)]
    assert evaluate(network, DATA, **SIZES, batches=5) == pytest.approx(sum(losses) / 5)


def test_a_model_that_fails_in_the_evaluation_is_switched_back():
    network = model()
    with pytest.raises(IndexError):
        evaluate(network, DATA + 1, **SIZES)
    assert network.training


def test_no_batch_of_an_evaluation_is_one_that_was_trained_on():
    seen = {True: set(), False: set()}  # while training, and not

    class Spy(BigramLanguageModel):
        def forward(self, idx, targets=None):
            seen[self.training].add(tuple(idx.flatten().tolist()))
            return super().forward(idx, targets)

    text = torch.randint(7, (10_000,), generator=torch.Generator().manual_seed(1))
    train(Spy(7), text, text, **SIZES, steps=20, evaluate_every=5, progress=False)
    assert len(seen[True]) == len(seen[False]) == 20 and not seen[True] & seen[False]


class Interrupted(BigramLanguageModel):
    def forward(self, idx, targets=None):
        self.calls = getattr(self, "calls", 0) + self.training
        if self.calls == 31:
            raise KeyboardInterrupt
        return super().forward(idx, targets)


def test_an_interrupt_keeps_what_was_learned(capsys):
    torch.manual_seed(1)
    network = Interrupted(7)
    history = run(network)
    assert history.interrupted and len(history.losses) == 30
    assert capsys.readouterr().out == "stopped after 30 of 100 steps: the model keeps what it has learned\n"
    twin = model()
    run(twin, steps=30)
    assert torch.equal(network.token_embedding_table.weight, twin.token_embedding_table.weight)


def test_a_loss_that_is_not_finite_stops_before_the_update():
    network = model()
    with pytest.raises(FloatingPointError, match=r"^the loss is nan at step 1: is the learning rate too high\?$"):
        run(network, optimizer=torch.optim.SGD(network.parameters(), lr=math.inf))
    assert network.training


def test_the_bar_says_the_step_the_losses_and_the_time_left(capsys):
    run(model(), progress=True)
    out = capsys.readouterr().out
    assert "100/100" in out and "loss=" in out and "validation=" in out and "<00:00" in out
    run(model())
    assert capsys.readouterr().out == ""


def test_bad_input_is_told_what_would_be_right():
    with pytest.raises(ValueError, match="^at least 1 batch is needed, and not 0$"):
        evaluate(model(), DATA, **SIZES, batches=0)
    with pytest.raises(ValueError, match="^steps must be 0 or more, and is -1$"):
        run(model(), steps=-1)
    with pytest.raises(ValueError, match="^evaluate_every must be at least 1, and is 0$"):
        run(model(), evaluate_every=0)
    with pytest.raises(ValueError, match="^8 tokens are too few for a block of 8: it takes 9$"):
        train(model(), DATA, DATA[:8], **SIZES, steps=1, progress=False)


def test_any_model_of_the_lectures_form_will_do():
    class Constant(nn.Module):
        def __init__(self):
            super().__init__()
            self.logits = nn.Parameter(torch.zeros(7))

        def forward(self, idx, targets=None):
            logits = self.logits.expand(*idx.shape, 7)
            return logits, nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())

    history = run(Constant(), steps=10)
    assert history.losses[0] == pytest.approx(math.log(7))
    assert isinstance(history, training.History)


def blocks_by_hand(model, data, block_size):
    """The mean loss over all blocks, one at a time."""
    starts = range(0, len(data) - block_size, block_size)
    blocks = [data[start : start + block_size + 1] for start in starts]
    with torch.no_grad():
        losses = [model(block[None, :-1], block[None, 1:])[1].item() for block in blocks]
    return sum(losses) / len(losses)


@pytest.mark.parametrize("length", [9, 16, 17, 18, 100, 400])
@pytest.mark.parametrize("batch_size", [1, 3, 1024])
def test_the_whole_loss_takes_every_block_once(length, batch_size):
    ids = torch.randint(7, (length,), generator=torch.Generator().manual_seed(length))
    ours = model()
    assert whole_loss(ours, ids, 8, batch_size) == pytest.approx(blocks_by_hand(ours, ids, 8), rel=1e-5)


def test_the_whole_loss_is_measured_in_evaluation_mode_and_leaves_no_trace():
    class Noisy(BigramLanguageModel):
        def forward(self, idx, targets=None):
            assert not torch.is_grad_enabled()
            logits, _ = super().forward(idx)
            logits = nn.functional.dropout(logits, 0.5, self.training)
            return logits, nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())

    torch.manual_seed(1)
    noisy = Noisy(7)
    assert whole_loss(noisy, DATA, 8) == whole_loss(noisy, DATA, 8)
    assert noisy.training
    noisy.eval()
    whole_loss(noisy, DATA, 8)
    assert not noisy.training


@pytest.mark.parametrize(
    ("length", "block_size", "batch_size", "told"),
    [(8, 8, 1, "8 tokens are too few for a block of 8: it takes 9"), (20, 0, 1, "0 and 1"), (20, 8, 0, "8 and 0")],
)
def test_a_whole_loss_of_nothing_is_refused(length, block_size, batch_size, told):
    with pytest.raises(ValueError, match=told):
        whole_loss(model(), DATA[:length], block_size, batch_size)
