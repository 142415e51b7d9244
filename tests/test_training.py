"""The training loop: it learns, it repeats itself, it stops cleanly, it measures without gradients."""

import errno
import json
import math
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from lesson_lib import checkpoint, training
from lesson_lib.bigram import BigramLanguageModel
from lesson_lib.command import main
from lesson_lib.descent import cosine_decay, linear_decay, warm_up
from lesson_lib.gpt import GPT, adamw
from lesson_lib.text import get_batch, split
from lesson_lib.training import History, Run, evaluate, read_log, restore, train, whole_loss

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
    history = run(model(), progress=True)
    out = capsys.readouterr().out
    assert "100/100" in out and "loss=" in out and "<00:00" in out
    assert f"validation={history.evaluations[-1][2]:.3f}]" in out.split("\r")[-1], "the last word is the last loss"
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


# schedules, clipping, accumulation


class Rates(torch.optim.SGD):
    """SGD that writes down the rate of each step, and the norm of the gradients."""

    def __init__(self, parameters, **options):
        super().__init__(parameters, **options)
        self.rates, self.norms = [], []

    def step(self):
        self.rates.append(self.param_groups[0]["lr"])
        self.norms.append(math.sqrt(sum(p.grad.pow(2).sum().item() for p in self.param_groups[0]["params"])))
        super().step()


def test_a_schedule_sets_the_rate_of_each_step():
    network = model()
    optimizer = Rates(network.parameters(), lr=9.0)
    run(network, steps=5, optimizer=optimizer, schedule=linear_decay(0.5, 5))
    assert optimizer.rates == pytest.approx([0.5, 0.4, 0.3, 0.2, 0.1])


def test_warm_up_rises_to_the_schedule():
    schedule = warm_up(cosine_decay(0.8, 100), 4)
    assert [schedule(step) for step in range(3)] == pytest.approx([0.2, 0.4, 0.6], abs=0.01)
    assert all(schedule(step) == cosine_decay(0.8, 100)(step) for step in range(3, 101))


def test_long_gradients_are_shortened_and_short_ones_left():
    free, clipped = (Rates(m.parameters(), lr=0.0) for m in (model(), model()))
    for optimizer, clip in ((free, None), (clipped, 0.387)):
        torch.manual_seed(1)
        network = BigramLanguageModel(7)
        optimizer.param_groups[0]["params"] = list(network.parameters())
        run(network, steps=30, optimizer=optimizer, clip=clip)
    assert max(free.norms) > 0.387 > min(free.norms)
    for norm, short in zip(free.norms, clipped.norms):
        assert short == pytest.approx(min(norm, 0.387), rel=1e-4)


def test_accumulated_batches_count_as_one_large_batch():
    """Drawn one after the other from one generator, two batches of 4 are the same examples as one of 8."""
    found = []
    for batch_size, accumulate in ((8, 1), (4, 2)):
        network = model().double()
        options = {"steps": 20, "learning_rate": 0.1, "progress": False, "evaluate_every": 100}
        history = train(network, DATA, DATA, block_size=8, batch_size=batch_size, accumulate=accumulate, **options)
        found.append((network.token_embedding_table.weight, history.losses))
    assert torch.allclose(found[0][0], found[1][0], atol=1e-12) and found[0][1] == pytest.approx(found[1][1])


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"accumulate": 0}, "accumulate must be at least 1, and is 0"),
        ({"clip": 0.0}, "clip must be above 0, and is 0.0"),
        ({"clip": math.nan}, "clip must be above 0, and is nan"),
    ],
)
def test_options_that_cannot_be_are_refused(options, told):
    with pytest.raises(ValueError, match=told):
        run(model(), **options)


# checkpoints


def dropping(seed=1):
    """A model that throws dice while it trains."""
    torch.manual_seed(seed)
    return GPT(7, 8, 1, 2, 8, dropout=0.2)


def kept(folder, network=None, steps=60, **options):
    network = network or dropping()
    options = {"learning_rate": 0.01, "schedule": warm_up(cosine_decay(0.01, 60), 10), "clip": 1.0} | options
    return network, run(network, steps=steps, evaluate_every=20, folder=folder, **options)


def test_a_run_in_a_folder_leaves_its_last_and_its_best(tmp_path):
    network, history = kept(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"last.safetensors", "best.safetensors", "log.csv"}
    weights, facts = checkpoint.load(tmp_path / "best.safetensors")
    best = min(history.evaluations, key=lambda row: row[2])
    assert (facts["step"], facts["loss"]) == (best[0], best[2])
    again = dropping(2)
    checkpoint.fill(again, weights)
    assert evaluate(again, DATA, **SIZES, batches=2) == best[2]
    assert kept(None)[1] == history, "to keep checkpoints changes no number"


def test_the_log_has_a_line_for_each_evaluation_and_can_be_read_meanwhile(tmp_path):
    seen = []
    _, history = kept(tmp_path, watch=lambda run: seen.append(read_log(tmp_path / "log.csv")))
    rows = read_log(tmp_path / "log.csv")
    assert [(row["step"], row["training_loss"], row["validation_loss"]) for row in rows] == history.evaluations
    assert [len(part) for part in seen] == [1, 2, 3, 4] and seen[-1] == rows
    assert [row["learning_rate"] for row in rows[1:]] == [cosine_decay(0.01, 60)(step) for step in (19, 39, 59)]
    assert rows[0]["tokens_per_second"] == 0 and min(row["tokens_per_second"] for row in rows[1:]) > 100


def test_lines_of_the_log_that_are_done_again_are_replaced(tmp_path):
    kept(tmp_path, steps=20)
    early = (tmp_path / "last.safetensors").read_bytes()
    kept(tmp_path, dropping(2), steps=40)
    (tmp_path / "last.safetensors").write_bytes(early)
    kept(tmp_path, dropping(3))
    assert [row["step"] for row in read_log(tmp_path / "log.csv")] == [0, 20, 40, 60]


def test_what_watches_a_run_changes_no_number():
    def watch(run):
        steps.append((run.done, len(run.history.evaluations)))
        run.model.generate(torch.zeros(1, 1, dtype=torch.long), 3)  # throws dice

    steps = []
    assert kept(None, watch=watch)[1] == kept(None)[1]
    assert steps == [(0, 1), (20, 2), (40, 3), (60, 4)]


def test_a_run_can_be_done_step_by_step():
    run = Run(dropping(), DATA, DATA, **SIZES, steps=60, evaluate_every=20, evaluation_batches=2, clip=1.0,
              learning_rate=0.01, schedule=warm_up(cosine_decay(0.01, 60), 10))  # fmt: skip
    assert run.done == 0 and run.rate == 0.01
    losses = [run.step() for _ in range(60)]
    run.look()
    run.look()  # not twice
    assert run.done == 60 and run.rate == cosine_decay(0.01, 60)(59)
    assert run.history == kept(None)[1] and run.history.losses == losses


def test_a_step_that_fails_leaves_the_weights_as_they_were():
    network = dropping()
    run = Run(network, DATA, DATA, **SIZES, steps=9, evaluation_batches=1)
    run.step()
    before = [p.clone() for p in network.parameters()]
    network.register_forward_hook(lambda module, args, out: (out[0], out[1] * math.nan))
    with pytest.raises(FloatingPointError, match="the loss is nan at step 1"):
        run.step()
    assert run.done == 1 and all(torch.equal(a, b) for a, b in zip(before, network.parameters()))


def several(network):
    matrices, others = ([p for p in network.parameters() if (p.dim() < 2) == flag] for flag in (False, True))
    return [torch.optim.AdamW(matrices, lr=0.01), torch.optim.SGD(others, lr=0.01, momentum=0.9)]


@pytest.mark.parametrize("make", [several, lambda network: adamw(network, 0.01)])
def test_several_optimizers_share_the_work_and_go_on_from_a_checkpoint(tmp_path, make):
    network = dropping()
    _, history = kept(None, network, optimizer=make(network))
    broken = dropping()
    kept(tmp_path, broken, steps=40, optimizer=make(broken))
    again = dropping(3)
    assert kept(tmp_path, again, optimizer=make(again))[1] == history
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), again.parameters()))
    assert not any(torch.equal(a, b) for a, b in zip(network.parameters(), dropping().parameters()))


def test_adamw_lets_matrices_decay_and_nothing_else():
    network = dropping()
    optimizer = adamw(network, 0.1, weight_decay=0.5, beta2=0.9)
    decays = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert {name: decays[id(p)] for name, p in network.named_parameters()} == {
        name: 0.5 if p.dim() == 2 else 0.0 for name, p in network.named_parameters()
    }
    assert all(group["lr"] == 0.1 and group["betas"] == (0.9, 0.9) for group in optimizer.param_groups)


class Stop(Exception):
    pass


@pytest.mark.parametrize("at", [0, 1, 19, 20, 21, 45, 59])
def test_a_run_that_was_stopped_goes_on_with_the_same_numbers(tmp_path, at):
    whole, history = kept(tmp_path / "whole")
    broken, calls = dropping(), []

    def stop(module, args):
        calls.append(module.training)
        if sum(calls) == at + 1:
            raise Stop

    broken.register_forward_pre_hook(stop)
    with pytest.raises(Stop):
        kept(tmp_path / "broken", broken)
    torch.rand(7)  # the dice elsewhere go on
    resumed, rest = kept(tmp_path / "broken", dropping(3) if at >= 20 else None)
    assert rest == history
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters()))


def test_a_run_that_is_done_is_not_done_again_and_may_be_made_longer(tmp_path):
    _, history = kept(tmp_path / "a", steps=60)
    network, again = kept(tmp_path / "a", dropping(2), steps=60)
    assert again == history
    _, short = kept(tmp_path / "b", steps=40)
    assert short.losses == history.losses[:40] and kept(tmp_path / "b", dropping(2))[1] == history
    with pytest.raises(ValueError, match=r"last\.safetensors has 60 steps already, and steps is 50"):
        kept(tmp_path / "a", steps=50)


SCRIPT = """
import os, sys
from tests.test_training import kept
kept(sys.argv[1], steps=60, watch=lambda run: os._exit(9) if run.done == 20 else None)
"""


def test_a_process_that_dies_leaves_a_checkpoint_that_can_be_read(tmp_path):
    folder = tmp_path / "killed"
    ran = subprocess.run([sys.executable, "-c", SCRIPT, str(folder)], cwd=Path(__file__).parent.parent)
    assert ran.returncode == 9 and len(checkpoint.load(folder / "last.safetensors")[0]["losses"]) == 20
    assert kept(folder, dropping(3))[1] == kept(None)[1]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seed": 2}, "of another run: its seed is 1337, and here it is 2; take another folder"),
        ({"accumulate": 2}, "its accumulate is 1, and here it is 2"),
        ({"evaluation_batches": 3}, "its evaluation_batches is 2, and here it is 3"),
        ({"clip": 2.0}, "its clip is 1.0, and here it is 2.0"),
        ({"learning_rate": 0.5}, "its learning_rate is 0.01, and here it is 0.5"),
        ({"about": {"rate": 3}}, "its about is None, and here it is {'rate': 3}"),
        ({"precision": torch.bfloat16}, "its precision is None, and here it is torch.bfloat16"),
        ({"optimizer": torch.optim.SGD([torch.zeros(1)])}, "its learning_rate is 0.01, and here it is None"),
    ],
)
def test_the_checkpoint_of_another_run_is_refused(tmp_path, options, told):
    kept(tmp_path, steps=20)
    with pytest.raises(ValueError, match=told):
        kept(tmp_path, **options)


def test_a_run_with_another_text_of_the_same_length_is_refused(tmp_path):
    kept(tmp_path, steps=20)
    options = {"learning_rate": 0.01, "clip": 1.0, "evaluate_every": 20, "evaluation_batches": 2, "progress": False}
    with pytest.raises(ValueError, match=r"another run: its texts is \["):
        train(dropping(), DATA, DATA.flip(0), **SIZES, steps=60, folder=tmp_path, **options)


def test_a_checkpoint_that_does_not_fit_is_refused(tmp_path):
    kept(tmp_path, steps=20)
    with pytest.raises(ValueError, match=r"token_embedding_table.weight is \(7, 8\) in .* and \(9, 8\) in the model"):
        kept(tmp_path, GPT(9, 8, 1, 2, 8))
    last = tmp_path / "last.safetensors"
    last.write_bytes(last.read_bytes()[:-10])
    with pytest.raises(ValueError, match="damaged, cut off"):
        kept(tmp_path)
    checkpoint.save(last, dropping().state_dict())
    with pytest.raises(ValueError, match="holds no run to go on with, only weights"):
        kept(tmp_path)


def changed(path, tensors=None, **facts):
    """Write the checkpoint again with other tensors or facts; those that are None are left out."""
    old, said = checkpoint.load(path)
    both = {name: tensor for name, tensor in (old | (tensors or {})).items() if tensor is not None}
    checkpoint.save(path, both, {name: fact for name, fact in (said | facts).items() if fact is not None})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"run": ["a list"]}, "holds no run to go on with, only weights"),
        ({"evaluations": None}, "is not what a run leaves .*evaluations.*take another folder"),
        ({"evaluations": "text"}, "is not what a run leaves"),
        ({"evaluations": [1, 2]}, "is not what a run leaves"),
        ({"optimizers": None}, "is not what a run leaves .*optimizers"),
        ({"optimizers": []}, "is not what a run leaves"),
        ({"optimizers": "text"}, "is not what a run leaves"),
        ({"tensors": {"losses": None}}, "is not what a run leaves .*losses"),
        ({"tensors": {"losses": torch.zeros(4, 5)}}, "is not what a run leaves"),
        ({"tensors": {"dice": None}}, "is not what a run leaves .*dice"),
        ({"tensors": {"dice": torch.zeros(9, dtype=torch.uint8)}}, "is not what a run leaves"),
        ({"tensors": {"batches": torch.zeros(5056)}}, "is not what a run leaves"),
        ({"tensors": {"optimizer.7.0.step": torch.zeros(1)}}, "is not what a run leaves"),
        ({"tensors": {"optimizer.x.0.step": torch.zeros(1)}}, "is not what a run leaves"),
        ({"tensors": {"model.norm.weight": None}}, "of another model: it has no 'norm.weight'"),
        ({"tensors": {"model.norm.weight": torch.zeros(9)}}, r"norm.weight is \(9,\) in the checkpoint and \(8,\)"),
    ],
    ids=str,
)
def test_a_checkpoint_of_another_form_is_refused_and_changes_nothing(tmp_path, change, told):
    kept(tmp_path, steps=20)
    changed(tmp_path / "last.safetensors", **change)
    there = (tmp_path / "last.safetensors").read_bytes()
    network, dice = dropping(5), torch.get_rng_state()
    before = {name: part.clone() for name, part in network.state_dict().items()}
    with pytest.raises(ValueError, match=told):
        kept(tmp_path, network)
    assert (tmp_path / "last.safetensors").read_bytes() == there and torch.get_rng_state().equal(dice)
    assert all(part.equal(before[name]) for name, part in network.state_dict().items())


HEAD = ",".join(training.LOG).encode()


@pytest.mark.parametrize(
    "what", [b"\xff\xfe", b"a,b\n1,2\n", HEAD[:20] + b"\n0", HEAD + b"\n0,1,1,x,1\n", HEAD + b"\n0,1"]
)
def test_a_log_that_is_none_is_told_before_the_run_goes_on(tmp_path, what):
    kept(tmp_path, steps=20)
    (tmp_path / "log.csv").write_bytes(what)
    with pytest.raises(ValueError, match=r"log\.csv is not the log of a run, or is damaged .*: move it out of the way"):
        read_log(tmp_path / "log.csv")
    there = (tmp_path / "last.safetensors").read_bytes()
    network, calls = dropping(), []
    network.register_forward_pre_hook(lambda *args: calls.append(args))
    with pytest.raises(ValueError, match=r"log\.csv is not the log of a run"):
        kept(tmp_path, network)
    assert not calls
    assert (tmp_path / "last.safetensors").read_bytes() == there and (tmp_path / "log.csv").read_bytes() == what
    (tmp_path / "log.csv").rename(tmp_path / "away.csv")
    assert kept(tmp_path)[1] == kept(None)[1] and [row["step"] for row in read_log(tmp_path / "log.csv")] == [40, 60]


@pytest.mark.parametrize("at", [0, 1, 2, 3, 4, 5], ids=lambda at: f"{at // 3}-{('best', 'log', 'last')[at % 3]}")
def test_a_disk_that_is_full_in_the_middle_of_a_run_loses_nothing(tmp_path, monkeypatch, at):
    """Each evaluation here writes best, log and last; one of those finds no room."""
    whole, writes, flush, folder, last = kept(None)[1], [], os.fsync, tmp_path / "run", "last.safetensors"

    def full(handle):
        writes.append(handle)
        if len(writes) > at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(handle)

    options = {"learning_rate": 0.01, "schedule": warm_up(cosine_decay(0.01, 60), 10), "clip": 1.0, "steps": 60}
    options |= {"evaluate_every": 20, "evaluation_batches": 2, "folder": folder}
    going = Run(dropping(), DATA, DATA, **SIZES, **options)
    monkeypatch.setattr(checkpoint.os, "fsync", full)
    name = ("best.safetensors", "log.csv", last)[at % 3]
    with pytest.raises(OSError, match=f"{name} could not be written: No space left on device; what was there"):
        while True:
            going.step()
    assert going.done == at // 3 * 20
    assert sorted(path.name for path in folder.iterdir()) == sorted(("best.safetensors", "log.csv", last)[: at or 0])
    monkeypatch.undo()
    shutil.copytree(folder, tmp_path / "copy")
    # the same run goes on where it stands, and another one from what is on the disk
    while going.done < 60:
        going.step()
    going.look()
    assert going.history == whole and [row["step"] for row in read_log(folder / "log.csv")] == [0, 20, 40, 60]
    for there in (folder, tmp_path / "copy"):
        assert kept(there, dropping(3) if (there / last).exists() else None)[1] == whole


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_an_interrupt_during_an_evaluation_loses_nothing(tmp_path, at):
    """An evaluation takes two batches of each text; the interrupt comes in one of the second evaluation's."""
    network, calls = dropping(), []

    def stop(module, args):
        calls.append(module.training)
        if calls.count(False) == 4 + at + 1:
            raise KeyboardInterrupt

    handle = network.register_forward_pre_hook(stop)
    _, history = kept(tmp_path, network)
    handle.remove()
    assert history.interrupted and len(history.losses) == 20 and [row[0] for row in history.evaluations] == [0]
    assert network.training
    assert len(checkpoint.load(tmp_path / "last.safetensors")[0]["losses"]) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"last.safetensors", "best.safetensors", "log.csv"}
    assert kept(tmp_path, dropping())[1] == kept(None)[1]


def test_a_block_that_is_longer_than_the_text_or_the_model_is_told():
    for texts, told in (
        ((DATA[:8], DATA), "8 tokens are too few for a block of 8: it takes 9"),
        ((DATA, DATA[:8]), "8 tokens are too few for a block of 8: it takes 9"),
    ):
        with pytest.raises(ValueError, match=told):
            train(plain(), *texts, **OPTIONS, progress=False)
    with pytest.raises(ValueError, match="the model has 8 positions, and these are 9 tokens"):
        train(plain(), DATA, DATA, **OPTIONS | {"block_size": 9}, progress=False)
    with pytest.raises(ValueError, match="the model has 8 positions, and these are 9 tokens"):
        whole_loss(plain(), DATA, 9)


# several processes, and less precision

TOGETHER = """
import json
import os
import sys
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from tests.test_training import DATA, plain, train

distributed.init_process_group("gloo")
model = DistributedDataParallel(plain())
history = train(model, DATA, DATA, **json.loads(sys.argv[1]), folder=sys.argv[2])
if distributed.get_rank() == 1:
    print(json.dumps([history.losses, history.evaluations]))
distributed.destroy_process_group()
"""
OPTIONS = {"block_size": 8, "batch_size": 4, "steps": 30, "evaluate_every": 10, "learning_rate": 0.01, "clip": 1.0}


def plain():
    torch.manual_seed(1)
    return GPT(7, 8, 1, 2, 8)


@pytest.mark.parametrize("accumulate", [1, 3])
def test_two_processes_give_the_numbers_of_one(tmp_path, accumulate):
    options = OPTIONS | {"accumulate": accumulate, "progress": False}
    (tmp_path / "script.py").write_text(TOGETHER, encoding="utf-8")
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    root = Path(__file__).parent.parent
    done = subprocess.run(
        [*command, str(tmp_path / "script.py"), json.dumps(options), str(tmp_path / "run")],
        cwd=root, env=os.environ | {"PYTHONPATH": str(root)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    losses, evaluations = json.loads(done.stdout)
    alone = plain()
    history = train(alone, DATA, DATA, **options)
    assert losses == pytest.approx(history.losses, abs=1e-5)
    assert [row[2] for row in evaluations] == pytest.approx([row[2] for row in history.evaluations], abs=1e-5)
    # their checkpoint is one that a single process can go on from
    resumed = plain()
    longer = train(resumed, DATA, DATA, **options | {"steps": 40}, folder=tmp_path / "run")
    assert longer.losses[:30] == losses and len(longer.losses) == 40


def test_a_batch_that_two_processes_cannot_share_is_refused(monkeypatch):
    monkeypatch.setattr(training, "DistributedDataParallel", GPT)
    monkeypatch.setattr(training.distributed, "get_rank", lambda: 0)
    monkeypatch.setattr(training.distributed, "get_world_size", lambda: 3)
    with pytest.raises(ValueError, match="multiple of the 3 processes that share it, and is 4"):
        train(plain(), DATA, DATA, **OPTIONS)


def test_less_precision_is_used_where_it_is_wanted():
    seen = []

    def spy(module, args, out):
        seen.append(out.dtype)

    network = plain()
    network.lm_head.register_forward_hook(spy)
    options = OPTIONS | {"evaluate_every": 100, "evaluation_batches": 1, "progress": False}
    history = train(network, DATA, DATA, **options, precision=torch.bfloat16)
    exact = train(plain(), DATA, DATA, **options)
    assert seen.count(torch.bfloat16) == 30 and all(p.dtype is torch.float32 for p in network.parameters())
    assert history.losses != exact.losses and history.losses == pytest.approx(exact.losses, abs=0.05)


# the command


@pytest.fixture
def command(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text.txt").write_text("the cat sat on the mat.\n" * 200, encoding="utf-8")
    small = (
        "--text text.txt --n-layer 1 --n-head 2 --n-embd 8 --block-size 8 --steps 20 --evaluate-every 10 --warm-up 3"
    )

    def run(more="", what=small):
        code = main([*what.split(), *more.split()])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def test_the_command_trains_and_what_it_leaves_can_be_used(command, tmp_path):
    code, out, _ = command("--sample 40")
    assert code == 0 and "text.txt: 4,800 characters" in out and "1 process\n" in out
    facts = dict(re.findall(r"step +(\d+): .*validation loss ([\d.]+)", out))
    assert list(facts) == ["0", "10", "20"] and float(facts["20"]) < float(facts["0"])
    network, tokenizer = restore(tmp_path / "run" / "best.safetensors")
    assert "".join(tokenizer.vocabulary) == "\n .acehmnost" and network.parameter_count() == 1132
    text = (tmp_path / "text.txt").read_text(encoding="utf-8")
    _, validation = split(torch.tensor(tokenizer.encode(text)))
    [whole] = re.findall(r"whole text: ([\d.]+)", out)
    assert whole_loss(network, validation, 8) == pytest.approx(float(whole), abs=1e-4)
    start = torch.tensor([[0]])
    written = network.generate(start, 40, generator=torch.Generator().manual_seed(1337))
    assert out.endswith(tokenizer.decode(written[0].tolist()) + "\n")


def test_the_command_goes_on_where_it_was_and_refuses_another_run(command):
    _, whole, _ = command("--folder a")
    command("--folder b --steps 10 --schedule constant --sample 0")
    code, _, err = command("--folder b --schedule constant --rate 0.1")
    assert code == 2 and "its rate is 0.005, and here it is 0.1" in err
    code, _, err = command("--folder a --steps 30")
    assert code == 2 and "its steps is 20, and here it is 30" in err, "a falling rate falls otherwise in a longer run"
    code, out, _ = command("--folder b --schedule constant --sample 0")
    assert code == 0 and "going on from step 10\n" in out and "step     20:" in out, "a constant rate: longer is fine"
    code, _, err = command("--folder b --seed 2")
    assert code == 2 and "ValueError: " in err and "another run: its seed is 1337, and here it is 2" in err
    code, again, _ = command("--folder a")
    told = [text.split("parameters")[1].split("\nstep ", 1)[1] for text in (whole, again)]
    assert code == 0 and told[0] == told[1]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("--n-head 3", "n_embd must be a multiple of n_head: 8 numbers, 3 heads"),
        ("--text none.txt", "none.txt"),
        ("--device nowhere", "the device 'nowhere' is not there"),
        ("--device cuda", "the device 'cuda' is not there"),
        ("--block-size 999", "480 tokens are too few for a block of 999: it takes 1000"),
        ("--batch-size 0", "batch_size"),
        ("--rate 1e30 --clip 1e30", "FloatingPointError: the loss is"),
        ("--folder text.txt", "text.txt"),
    ],
)
def test_what_is_wrong_in_a_command_is_said_in_one_line(command, more, told):
    if more == "--device cuda" and torch.cuda.is_available():
        more = "--device cuda:99"
        told = "the device 'cuda:99' is not there"
    code, _, err = command(more)
    assert code == 2 and told in err and "Traceback" not in err and len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("", "n_layer=1 steps=20 rate=0.005 clip=1.0"),
        ("--preset course", "n_layer=1 steps=20 rate=0.004 clip=1.0"),
        ("--preset lecture --rate 0.5", "n_layer=1 steps=20 rate=0.5 clip=None"),
    ],
)
def test_a_preset_changes_the_defaults_alone(command, monkeypatch, more, told):
    def spy(model, *data, steps, clip, about, **options):
        rate = about["recipe"]["rate"]
        found.append(f"n_layer={len(model.blocks)} steps={steps} rate={rate} clip={clip}")
        return training.History()

    found = []
    monkeypatch.setattr("lesson_lib.command.train", spy)
    assert command(more)[0] == 0 and found == [told]


def test_the_lecture_s_large_model_is_one_word(command, monkeypatch):
    def spy(model, *data, block_size, batch_size, steps, **options):
        found.append((model.parameter_count(), model.dropout, block_size, batch_size, steps, options["precision"]))
        return training.History()

    found = []
    monkeypatch.setattr("lesson_lib.command.train", spy)
    monkeypatch.setattr("lesson_lib.command.whole_loss", lambda *args: 0.0)
    command("--preset lecture --text text.txt --sample 0 --device cpu", what="")
    # 10,788,929 with the 65 characters of tiny Shakespeare; this text has 12
    assert found == [(10_788_929 - 53 * (2 * 384 + 1), 0.2, 256, 64, 5000, torch.bfloat16)]


def test_the_model_is_translated_where_that_is_wanted(command, monkeypatch, tmp_path):
    compiled = []
    monkeypatch.setattr(GPT, "compile", lambda self: compiled.append(self))
    assert command("--compile")[0] == 0 and len(compiled) == 1
    assert isinstance(restore(tmp_path / "run" / "best.safetensors")[0], GPT)


def test_help_says_what_there_is(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0 and "--n-layer" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main(["--help", "--preset", "lecture"])
    assert "(default: 384)" in capsys.readouterr().out


def test_after_an_interrupt_the_command_ends_and_says_how_to_go_on(command, monkeypatch):
    def interrupted(*args, **options):
        return History(losses=[2.0], evaluations=[(0, 3.0, 3.0)], interrupted=True)

    monkeypatch.setattr("lesson_lib.command.train", interrupted)
    monkeypatch.setattr("lesson_lib.command.whole_loss", lambda *args: pytest.fail("goes on"))
    status, out, _ = command("")
    assert status == 130 and out.endswith("to go on from the last checkpoint, give the same command again\n")

    def stopped(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("lesson_lib.command.load", stopped)
    status, _, error = command("")
    assert (status, error) == (130, "stopped\n")


def test_what_was_left_by_something_else_is_not_restored(tmp_path):
    kept(tmp_path, steps=20)
    with pytest.raises(ValueError, match="does not say what model it holds"):
        restore(tmp_path / "best.safetensors")


LETTERS = list("abcdefg")
TOLD = {"vocab_size": 7, "block_size": 8, "n_layer": 1, "n_head": 2, "n_embd": 8}


def test_a_model_with_its_vocabulary_is_restored(tmp_path):
    checkpoint.save(tmp_path / "x.safetensors", plain().state_dict(), {"about": {"model": TOLD, "vocabulary": LETTERS}})
    network, tokenizer = restore(tmp_path / "x.safetensors")
    assert tokenizer.vocabulary == LETTERS and not network.training
    assert all(part.equal(plain().state_dict()[name]) for name, part in network.state_dict().items())
    with pytest.raises(ValueError, match="the character '!' at place 3 is not one of the 7 known"):
        tokenizer.encode("bad!")
    with pytest.raises(ValueError, match="the device 'nowhere' is not there, but 'cpu' always is"):
        restore(tmp_path / "x.safetensors", "nowhere")


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        (None, "does not say what model it holds"),
        ([1, 2], "does not say what model it holds"),
        ({"about": [1, 2]}, "does not say what model it holds"),
        ({"about": "model and vocabulary"}, "does not say what model it holds"),
        ({"about": {"vocabulary": LETTERS}}, "does not say what model it holds: .*'model'"),
        ({"about": {"model": TOLD}}, "does not say what model it holds: .*'vocabulary'"),
        ({"model": [7, 8, 1, 2, 8]}, "does not say what model it holds"),
        ({"model": TOLD | {"n_embd": "8"}}, "does not say what model it holds"),
        ({"model": TOLD | {"n_embd": None}}, "does not say what model it holds"),
        ({"model": TOLD | {"n_embd": 8.0}}, "does not say what model it holds"),
        ({"model": TOLD | {"n_embd": -8}}, "n_embd must be at least 1, and is -8"),
        ({"model": TOLD | {"n_embd": 2**50}}, "does not say what model it holds"),
        ({"model": TOLD | {"legs": 4}}, "does not say what model it holds: .*'legs'"),
        ({"model": {"vocab_size": 7}}, "does not say what model it holds"),
        ({"model": TOLD | {"n_embd": 16}}, r"\(7, 8\) in the checkpoint and \(7, 16\) in the model"),
        ({"model": TOLD | {"vocab_size": 8}, "vocabulary": list("abcdefgh")}, r"\(7, 8\) in the .* and \(8, 8\) in"),
        ({"vocabulary": LETTERS[:3]}, "must be 7 different characters, sorted: its model has 7 tokens"),
        ({"vocabulary": [*LETTERS, "h"]}, "must be 7 different characters"),
        ({"vocabulary": list("abcdeff")}, "must be 7 different characters"),
        ({"vocabulary": LETTERS[::-1]}, "must be 7 different characters, sorted"),
        ({"vocabulary": ["ab", *"cdefgh"]}, "must be 7 different characters"),
        ({"vocabulary": "abcdefg"}, "must be 7 different characters"),
        ({"vocabulary": [1, 2, 3, 4, 5, 6, 7]}, "does not say what model it holds"),
        ({"vocabulary": []}, "does not say what model it holds: .*an empty text"),
        ({"vocabulary": 7}, "does not say what model it holds"),
    ],
    ids=str,
)
def test_facts_of_another_form_are_refused(tmp_path, facts, told):
    if isinstance(facts, dict) and "about" not in facts:
        facts = {"about": {"model": TOLD, "vocabulary": LETTERS} | facts}
    checkpoint.save(tmp_path / "x.safetensors", plain().state_dict(), facts)
    with pytest.raises(ValueError, match=told):
        restore(tmp_path / "x.safetensors")


def test_the_command_runs_in_two_processes(command, tmp_path):
    _, alone, _ = command("--folder alone --sample 0")
    root = Path(__file__).parent.parent
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    options = (
        "--text text.txt --n-layer 1 --n-head 2 --n-embd 8 --block-size 8 --steps 20 --evaluate-every 10 --warm-up 3"
    )
    done = subprocess.run(
        [*torchrun, "-m", "lesson_lib.training", *options.split(), "--device", "cpu"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(root)}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "on cpu, 2 processes" in done.stdout and done.stdout.count("whole text") == 1
    both = [re.findall(r"(?:training|validation) loss[^\d]*([\d.]+)", text) for text in (alone, done.stdout)]
    assert len(both[0]) == 7 and [*map(float, both[0])] == pytest.approx([*map(float, both[1])], abs=2e-3)
