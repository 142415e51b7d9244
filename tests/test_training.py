"""The training loop: it learns, it repeats itself, it stops cleanly, it measures without gradients."""

import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from lesson_lib import checkpoint, training
from lesson_lib.bigram import BigramLanguageModel
from lesson_lib.descent import cosine_decay, linear_decay
from lesson_lib.gpt import GPT
from lesson_lib.text import get_batch, split
from lesson_lib.training import evaluate, main, restore, train, warm_up, whole_loss

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
    assert {path.name for path in tmp_path.iterdir()} == {"last.safetensors", "best.safetensors"}
    weights, facts = checkpoint.load(tmp_path / "best.safetensors")
    best = min(history.evaluations, key=lambda row: row[2])
    assert (facts["step"], facts["loss"]) == (best[0], best[2])
    again = dropping(2)
    checkpoint.fill(again, weights)
    assert evaluate(again, DATA, **SIZES, batches=2) == best[2]
    assert kept(None)[1] == history, "to keep checkpoints changes no number"


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
import sys
from tests.test_training import kept
kept(sys.argv[1], steps=60)
"""


def test_a_process_that_is_killed_leaves_a_checkpoint_that_can_be_read(tmp_path):
    folder = tmp_path / "killed"
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, str(folder)], cwd=Path(__file__).parent.parent)
    while not (folder / "last.safetensors").exists():
        assert process.poll() is None
    process.kill()
    process.wait()
    assert kept(folder, dropping(3))[1] == kept(None)[1]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"seed": 2}, "of another run: its seed is 1337, and here it is 2; take another folder"),
        ({"accumulate": 2}, "its accumulate is 1, and here it is 2"),
        ({"clip": 2.0}, "its clip is 1.0, and here it is 2.0"),
        ({"learning_rate": 0.5}, "its learning_rate is 0.01, and here it is 0.5"),
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
    code, _, err = command("--folder b --rate 0.1")
    assert code == 2 and "its learning_rate is 0.005, and here it is 0.1" in err
    code, _, err = command("--folder b --seed 2")
    assert code == 2 and "ValueError: " in err and "another run: its seed is 1337, and here it is 2" in err
    code, again, _ = command("--folder a")
    told = [text.split("parameters")[1].split("step ", 1)[1] for text in (whole, again)]
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


def test_help_says_what_there_is(capsys):
    with pytest.raises(SystemExit) as stopped:
        main(["--help"])
    assert stopped.value.code == 0 and "--n-layer" in capsys.readouterr().out


def test_what_was_left_by_something_else_is_not_restored(tmp_path):
    kept(tmp_path, steps=20)
    with pytest.raises(ValueError, match="does not say what model it holds"):
        restore(tmp_path / "best.safetensors")


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
