"""The training lab: the numbers of a plain run, in pieces, never by halves, and a real kernel goes on answering."""

import base64
import itertools
import json
import math
import signal
import threading
import types
import unicodedata

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from traitlets import TraitError

from lesson_lib import labs
from lesson_lib.bigram import BigramLanguageModel
from lesson_lib.descent import linear_decay, warm_up
from lesson_lib.gpt import GPT, adamw
from lesson_lib.labs import training_view as view
from lesson_lib.labs.background import whole
from lesson_lib.labs.curves import short
from lesson_lib.labs.training_run import TrainingRun
from lesson_lib.text import CharTokenizer
from lesson_lib.training import evaluate, read_log, train
from tests.lab_kernel import no_event_loop, starts  # noqa: F401 (a fixture)
from tests.lab_page import BackgroundPage, shows

DATA = torch.arange(400) % 7  # after i always comes i + 1, after 6 comes 0
OTHER = 2 * torch.arange(400) % 7
TOKENIZER = CharTokenizer("\nabcdef")
FEW = {"evaluate_every": 5, "evaluation_batches": 3, "sample": 20, "sample_every": 10}


def gpt(**options):
    torch.manual_seed(1)
    return GPT(7, 8, 1, 2, 16, **options)


def lab_of(model=None, steps=20, **options):
    return labs.training(model or gpt(), DATA, OTHER, TOKENIZER, **{"steps": steps, **FEW, **options})


def run_of(model, steps=20, sample=20, sample_every=10, **options):
    options = {"evaluate_every": 5, "evaluation_batches": 3} | options
    return TrainingRun(model, DATA, OTHER, TOKENIZER, steps, sample, sample_every, options)


def weights(model):
    return torch.cat([part.detach().flatten() for part in model.parameters()])


# -- training -------------------------------------------------------------------------------------------


def test_the_numbers_are_those_of_train_with_the_recipe_of_a_small_gpt():
    lab, twin = lab_of(gpt(dropout=0.2), 20), gpt(dropout=0.2)
    recipe = {"schedule": warm_up(linear_decay(5e-3, 20), 2), "optimizer": adamw(twin, 5e-3), "clip": 1.0}
    history = train(
        twin, DATA, OTHER, block_size=8, batch_size=12, steps=20, evaluate_every=5, evaluation_batches=3,
        progress=False, **recipe,
    )  # fmt: skip
    lab.run(7)
    torch.rand(3)  # a cell's own dice
    lab.run(100)  # as many as are left
    assert lab.history.losses == history.losses and lab.history.evaluations == history.evaluations
    assert torch.equal(weights(lab.model), weights(twin))
    assert lab.now["mood"] == "done" and len(lab.history.losses) == 20


def test_every_option_of_a_run_is_handed_on():
    twin = gpt()
    options = {"block_size": 4, "batch_size": 3, "accumulate": 2, "clip": None, "seed": 5, "evaluation_batches": 2}
    options |= {"evaluate_every": 4, "schedule": linear_decay(0.01, 30)}
    history = train(twin, DATA, OTHER, steps=9, progress=False, optimizer=adamw(twin, 0.5), **options)
    lab = lab_of(steps=9, **options)
    lab.run(9)
    assert lab.history == history
    seen = []
    lab_of(steps=4, watch=lambda run: seen.append(run.done), evaluate_every=2).run(4)
    assert seen == [0, 2, 4]


def test_a_rate_of_one_s_own_and_an_optimizer_of_one_s_own():
    lab = lab_of(steps=100, learning_rate=0.02)
    assert lab.scene["schedule"][0][1] == pytest.approx(0.002) and max(r for _, r in lab.scene["schedule"]) == 0.0182
    model = gpt()
    lab = lab_of(model, optimizer=torch.optim.SGD(model.parameters(), lr=0.5, momentum=0.9))
    assert {r for _, r in lab.scene["schedule"]} == {0.5}
    lab.run(4)
    losses = list(lab.history.losses)
    lab.reset()
    lab.run(4)
    assert lab.history.losses == losses, "the momentum was left in the optimizer"


def test_the_lab_s_dice_are_its_own():
    torch.manual_seed(3)
    lab = lab_of(gpt(dropout=0.5))
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    lab.run(8)
    assert torch.equal(torch.rand(3), expected)


def test_reset_goes_back_and_the_same_numbers_come_again():
    lab = lab_of(gpt(dropout=0.5))
    before = weights(lab.model)
    lab.run(12)
    history, samples = lab.history, lab.samples
    lab.reset()
    assert torch.equal(weights(lab.model), before) and lab.now["step"] == 0 and lab.samples == []
    assert lab.history.losses == [] and lab.now["mood"] == "ready"
    lab.run(12)
    assert lab.history == history and lab.samples == samples
    lab.reset()
    lab.sample()  # what is written between two steps changes no step
    lab.run(12)
    assert lab.history == history


class Alone(nn.Module):
    """A model of the lectures' form without block_size and without generate."""

    def __init__(self):
        super().__init__()
        self.model = gpt()

    def forward(self, x, y=None):
        return self.model(x, y)


class Lecture(BigramLanguageModel):
    """Its generate is the lecture's: it takes no generator."""

    def generate(self, idx, n):
        assert not self.training and not torch.is_grad_enabled()
        for _ in range(n):
            logits, _ = self(idx)
            idx = torch.cat([idx, torch.multinomial(logits[:, -1].softmax(-1), 1)], dim=1)
        return idx


def test_models_of_the_lecture_s_form_learn_too():
    lab = lab_of(Alone(), block_size=8)
    lab.run(6)
    assert lab.samples == [] and not lab.scene["writes"] and "no generate(idx, n)" in lab.sentence
    lab.sample()
    assert lab.samples == []
    lab = lab_of(Lecture(7), block_size=8, sample_every=1)
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    lab.run(6)
    assert torch.equal(torch.rand(3), expected), "the dice of the samples are the lab's own too"
    assert len(lab.samples) == 6 and len(lab.samples[0]["text"]) == 20
    samples = lab.samples
    lab.reset()
    lab.run(6)
    assert lab.samples == samples


# -- in pieces ------------------------------------------------------------------------------------------


def test_a_step_is_done_in_pieces_after_each_of_which_the_model_is_as_it_was():
    model = gpt(dropout=0.1)
    run = run_of(model)
    model.train()
    count = 0
    for _ in run.step("a"):
        count += 1
        assert model.training and torch.is_grad_enabled()
    # the batches of two evaluations, one step, and a sample in at least 1 piece
    assert count >= 2 * 3 + 1 + 1 and run.done == 1 and len(run.samples[0].text) == 20


def test_an_evaluation_that_is_dropped_is_not_written_down():
    model = gpt()
    run = run_of(model)
    for _ in itertools.islice(run.step("a"), 5):
        pass
    assert run.run.history.evaluations == [] and not run.run.looked
    for _ in run.evaluate():
        pass
    assert run.run.history.evaluations == [(0, evaluate(model, DATA, 8, 12, 3), evaluate(model, OTHER, 8, 12, 3))]


@given(st.integers(0, 60))
def test_wherever_a_step_is_dropped_it_is_done_wholly_later(place):
    run = DROPPED
    run.reset()
    for _ in itertools.islice(run.step("a"), place):
        pass
    while run.done < 2:
        for _ in run.step("a"):
            pass
    assert run.run.history.losses[:2] == LOSSES[:2] and run.run.history.evaluations[0] == EVALUATIONS[0]
    assert [sample.text for sample in run.samples if sample.step == 0] == TEXTS


DROPPED = run_of(gpt(dropout=0.3))
for _ in range(2):
    for _ in DROPPED.step("a"):
        pass
LOSSES, EVALUATIONS = list(DROPPED.run.history.losses), list(DROPPED.run.history.evaluations)
TEXTS = [sample.text for sample in DROPPED.samples]


def test_a_sample_written_in_pieces_is_the_one_that_generate_writes():
    lab = lab_of(sample=50)
    lab.run(3)
    for number, prompt in enumerate(["a", "\nbcd"], 1):
        lab.prompt = prompt
        lab.sample()
        idx = torch.tensor([TOKENIZER.encode(prompt)])
        expected = lab.model.generate(idx, 50, generator=torch.Generator().manual_seed(number))
        assert lab._run.samples[-1].text == TOKENIZER.decode(expected[0, len(prompt) :])
        assert lab.samples[0]["prompt"] == prompt.replace("\n", "⏎\n")


def test_samples_are_written_every_so_often_and_at_the_end():
    lab = lab_of(steps=23)
    lab.run(23)
    assert [sample["step"] for sample in lab.samples] == [23, 20, 10, 0]
    lab = labs.training(gpt(), DATA, DATA, TOKENIZER, steps=1000)
    assert (lab._run.sample_every, lab._run.evaluate_every, lab._run.window, lab.scene["batch"]) == (200, 100, 25, 12)


@pytest.fixture
def interrupts():
    """What Python does by itself when it is interrupted, whatever was set in this process before."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_waits_for_the_end_of_a_piece(interrupts):
    done = []

    def pieces():
        for i in range(3):
            signal.raise_signal(signal.SIGINT)
            done.append(i)
            yield

    with pytest.raises(KeyboardInterrupt):
        for _ in whole(pieces()):
            pass
    assert done == [0]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler

    def endless():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        done.append("never")
        yield

    with pytest.raises(KeyboardInterrupt):
        next(whole(endless()))
    assert done == [0]


# -- stop, and go on ------------------------------------------------------------------------------------------


def test_stop_measures_and_it_can_be_resumed():
    lab, other = lab_of(), lab_of()
    lab.run(7)
    lab.stop()
    assert [step for step, _, _ in lab.history.evaluations] == [0, 5, 7] and lab.now["mood"] == "stopped"
    lab.set_state({"prompt": "x"})
    lab.sample()
    assert "Stopped after 7 of 20 steps" in lab.sentence and "'x' at place 0" in lab.problem
    lab.run(13)
    other.run(20)
    assert lab.history.losses == other.history.losses and lab.now["mood"] == "done"


def test_a_folder_keeps_the_run_and_a_reset_sets_it_aside(tmp_path):
    lab, other = lab_of(gpt(dropout=0.2), folder=tmp_path), lab_of(gpt(dropout=0.2))
    lab.run(7)
    lab.stop()
    assert len(read_log(tmp_path / "log.csv")) == 3 and (tmp_path / "last.safetensors").exists()
    again = lab_of(gpt(dropout=0.2), folder=tmp_path)
    assert again.now["step"] == 7 and again.now["mean"] == lab.now["mean"] and again.now["mood"] == "paused"
    again.run(13)
    other.run(20)
    assert again.history.losses == other.history.losses and torch.equal(weights(again.model), weights(other.model))
    again.reset()
    assert again.now["step"] == 0 and "kept in set_aside_1" in again.sentence
    assert sorted(path.name for path in (tmp_path / "set_aside_1").iterdir()) == [
        "best.safetensors", "last.safetensors", "log.csv",
    ]  # fmt: skip
    again.run(20)
    assert again.history.losses == other.history.losses
    again.reset()
    assert (tmp_path / "set_aside_2" / "last.safetensors").exists()


# -- what goes wrong ------------------------------------------------------------------------------------------


def test_a_run_that_diverges_is_explained_and_the_weights_are_kept():
    model = gpt()
    lab = lab_of(model, optimizer=torch.optim.SGD(model.parameters(), lr=1e30), clip=None, steps=200)
    with pytest.raises(FloatingPointError, match=r"Stopped at step \d+: .* learning rate, 1e\+30 now, is too high"):
        lab.run(200)
    done = len(lab.history.losses)
    assert f"Stopped at step {done + 1}:" in lab.problem and f"as they were after step {done}" in lab.problem
    assert lab.now["mood"] == "broken" and f"broke off after {done} of 200" in lab.sentence
    json.dumps([lab.now, lab.scene, lab.samples], allow_nan=False)
    assert lab.still().mime == "image/png"
    lab.reset()
    assert lab.problem == "" and lab.now["mood"] == "ready" and torch.equal(weights(model), weights(gpt()))


def test_what_is_no_number_from_the_beginning_is_not_blamed_on_the_rate():
    model = gpt()
    with torch.no_grad():
        model.lm_head.bias[0] = math.nan
    lab = lab_of(model, sample_every=100)
    with pytest.raises(FloatingPointError, match="before anything was learned"):
        lab._run._train()
    assert lab._run.done == 0


class Silent(BigramLanguageModel):
    def generate(self, idx, n, generator=None):
        return idx


def test_an_error_in_generate_is_told():
    lab = lab_of(Silent(7), block_size=8)
    with pytest.raises(ValueError, match="must return idx with n more tokens"):
        lab.run(1)
    assert "must return idx with n more tokens" in lab.problem


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"model": 5}, TypeError, "must be a PyTorch module, and this is a int"),
        ({"model": Alone()}, ValueError, "does not say its block_size.* block_size=..."),
        ({"steps": 0}, ValueError, "steps must be a whole number of at least 1, and is 0"),
        ({"steps": 2.5}, ValueError, "steps must be a whole number"),
        ({"sample": 0}, ValueError, "sample must be a whole number"),
        ({"sample_every": -1}, ValueError, "sample_every must be a whole number"),
        ({"tokenizer": None}, TypeError, "the tokenizer must have encode, and a NoneType has none"),
        ({"train_data": DATA + 0.5}, TypeError, "train_data must be a one-dimensional tensor"),
        ({"train_data": DATA + 1}, ValueError, "train_data holds token numbers from 1 to 7, .* from 0 to 6"),
        ({"validation_data": DATA - 1}, ValueError, "validation_data holds token numbers from -1 to 5"),
        ({"optimizer": "adam"}, TypeError, "optimizer must be one of torch.optim, .* not 'adam'"),
        ({"learning_rate": "1e-3"}, TypeError, "learning rate must be a number, and not '1e-3'"),
        ({"train_data": [1, 2, 3]}, TypeError, "train_data must be a one-dimensional tensor"),
        ({"validation_data": DATA[:8]}, ValueError, "validation_data has 8 tokens, too few for .* 8: it takes 9"),
        ({"evaluate_every": 0}, ValueError, "evaluate_every must be at least 1"),
        ({"clip": -1.0}, ValueError, "clip must be above 0"),
        ({"learning_rate": 0.0}, ValueError, "learning rate must be above 0"),
        ({"watch": 3}, TypeError, "watch must be a function"),
        ({"colour": "red"}, TypeError, "colour"),
        ({"prompt": ""}, TraitError, "the prompt is empty.* at least 1 character"),
        ({"prompt": "az"}, TraitError, "the character 'z' at place 1 is not one of the 7 known"),
    ],
)
def test_bad_input_is_refused_in_words(options, error, said):
    options = {"model": gpt(), "train_data": DATA, "validation_data": DATA, "tokenizer": TOKENIZER} | options
    with pytest.raises(error, match=said):
        labs.training(**options)


def test_a_prompt_that_cannot_be_read_leaves_the_good_one():
    lab = lab_of(prompt="ab")
    lab.run(1)
    lab.set_state({"prompt": "z"})
    assert lab._mood() == "paused", "nothing broke"
    lab.reset()
    with pytest.raises(TraitError, match="'x' at place 0"):
        lab.prompt = "x"
    sent = []
    lab.send_state = lambda key=None: sent.append(key)
    lab.set_state({"prompt": "é", "writes": 1})
    assert lab.prompt == "ab" and "the character 'é' at place 0 is not one of the 7 known" in lab.problem
    assert lab.samples == [] and sent[-1] == "prompt", "the page still has the one that was refused"
    del lab.send_state
    lab.set_state({"prompt": "c", "writes": 2})
    assert lab.problem == "" and lab.samples[0]["prompt"] == "c"


def test_outside_a_notebook_only_run_trains():
    with pytest.raises(TraitError, match=r"use run\(n\)"):
        lab_of().start()


# -- what there is to see ---------------------------------------------------------------------------------------


def test_the_numbers_of_the_page_are_those_of_the_history():
    lab = lab_of(steps=12)
    lab.run(12)
    losses, now = lab.history.losses, lab.now
    window = lab.scene["window"]
    means = [sum(part) / len(part) for i in range(12) for part in [losses[max(0, i + 1 - window) : i + 1]]]
    assert now["curve"] == [[i, short(losses[i]), pytest.approx(means[i], rel=1e-3)] for i in range(12)]
    assert now["looks"] == [[step, short(a, 8), short(b, 8)] for step, a, b in lab.history.evaluations]
    step, _, best = min(lab.history.evaluations, key=lambda look: look[2])
    assert now["best"] == [step, short(best, 8)] and lab.scene["chance"] == short(math.log(7))
    assert now["rate"] == short(lab._run.schedule(11))


def test_a_long_run_is_thinned():
    run = run_of(gpt(), steps=50_000)
    run.run.history.losses = [2.0 + i % 2 for i in range(20_000)]
    run.run.history.evaluations = [(i, 2.0, 3.0 - (i == 777)) for i in range(5000)]
    run._clear()
    now = view.state(run, "paused")
    assert len(now["curve"]) <= 301 and now["curve"][-1][0] == 19_999 and len(now["looks"]) <= 101
    assert [777, 2.0, 2.0] in now["looks"] and now["looks"][-1][0] == 4999 and now["best"] == [777, 2.0]
    assert len(view.scene(run)["schedule"]) == 121


def test_the_time_to_go_counts_steps_evaluations_and_samples():
    run = run_of(gpt(), steps=100)
    assert run.left() is None and run.speed() == 0
    run.seconds.extend([0.5] * 10)
    run._evaluating, run._writing = 3.0, 7.0
    # 100 steps; evaluations at 0, 5, ..., 95 and 100; samples at 0, 10, ..., 90 and 100
    assert run.left() == pytest.approx(50 + 21 * 3 + 11 * 7) and run.speed() == pytest.approx(12 * 8 / 0.5)


def told(mood="paused", **changes):
    run = types.SimpleNamespace(
        run=types.SimpleNamespace(steps=1000, block_size=64, history=types.SimpleNamespace(evaluations=[])),
        done=300, means=[2.0], window=25, tokenizer=range(65), tokens=768, samples=[], can_write=True,
        left=lambda: 75.0, folder=None,
    )  # fmt: skip
    run.run.history.evaluations = changes.pop("looks", [])
    vars(run).update(changes)
    return view.words(run, mood).replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        (told("ready", done=0), ["Nothing is learned yet: 1,000 steps lie ahead", "12 blocks of 64", "ln 65 = 4.17"]),
        (told("training"), ["The model is learning: 300 of 1,000", "is 2.00, 2.17 below", "about 1 min 15 s to go"]),
        (told("paused"), ["Paused after 300 of 1,000 steps; it can go on"]),
        (told("stopped"), ["Stopped after 300 of 1,000 steps", "it can be resumed all the same"]),
        (told("done", done=1000), ["All 1,000 steps are done."]),
        (told("broken"), ["It broke off after 300 of 1,000 steps."]),
        (told("working"), ["At work, after 300 of 1,000 steps."]),
        (told(done=1), ["The loss of the first step is 2.00"]),
        (told(means=[4.2]), ["about that of guessing"]),
        (told(means=[9.0]), ["worse than guessing (ln 65 = 4.17)."]),
        (told(means=[3.0, 3.2]), ["0.97 below", "more than at the beginning: the learning rate is too high"]),
        (told(means=[3.0, 3.2], done=20), ["20 steps is 3.20, 0.97 below"]),
        (told(looks=[(0, 4.2, 4.3)]), ["On the validation text it was 4.30 before the first step."]),
        (told(looks=[(0, 4.2, 4.3), (200, 2.0, 2.1)]), ["it was 2.10 after step 200, the best so far"]),
        (told(looks=[(100, 2.0, 2.1), (200, 1.9, 2.12)]), ["2.12 after step 200; the best was 2.10 after step 100."]),
        (told(looks=[(100, 2.0, 2.1), (200, 1.5, 2.4)]), ["begins to learn its text by heart"]),
        (told(samples=[types.SimpleNamespace(step=200)]), ["The newest sample was written after step 200."]),
        (told(can_write=False), ["This model has no generate(idx, n)"]),
        (told(tokenizer=object()), ["The mean loss of the last 25 steps is 2.00."]),
    ],
)
def test_the_sentence_says_how_it_stands(said, parts):
    assert all(part in said for part in parts)
    verdicts = ["too high", "worse than", "about that of", "by heart", "best so far"]
    verdicts += ["no generate", "to go", "newest sample"]
    assert [word for word in verdicts if word in said and not any(word in part for part in parts)] == []


@given(st.text())
def test_what_a_model_writes_can_be_seen_and_turns_no_line_around(text):
    shown = view.visible(text)
    assert shown.count("\n") == text.count("\n")
    assert {unicodedata.category(one)[0] for one in shown if one not in "\n "} <= {*"LMNPS"}


def test_the_bundle_has_a_still_picture_with_words_that_is_the_same_every_time():
    lab = lab_of()
    data, _ = lab._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == lab.model_id
    assert data["text/html"].startswith('<img src="data:image/png')
    assert 'alt="A model learns to write. Nothing is learned yet:' in data["text/html"]
    first = lab_of().still().data
    assert base64.b64encode(first).decode() in data["text/html"] and len(first) < 60_000
    lab.run(11)
    pictures = {first, lab.still().data}
    lab.log_scale = True
    assert len(pictures | {lab.still().data}) == 3 and len(lab.still().data) < 90_000


@pytest.mark.parametrize("tokenizer", [CharTokenizer("<b>&$\n\u05d0"), CharTokenizer("\t\u202e\u0301😀 \n漢")])
def test_odd_tokens_have_a_still_picture(tokenizer):
    model = GPT(7, 8, 1, 2, 16)
    lab = labs.training(model, DATA, DATA, tokenizer, steps=5, **FEW)
    lab.run(5)
    assert lab.still().mime == "image/png"


# -- a real kernel --------------------------------------------------------------------------------------------

START = """
import threading, time, torch
from lesson_lib import labs
from lesson_lib.gpt import GPT, adamw
from lesson_lib.text import CharTokenizer

DATA = torch.arange(400) % 7
threads = set()

class Spy(GPT):
    def forward(self, *args, **options):
        threads.add(threading.current_thread() is threading.main_thread())
        return super().forward(*args, **options)

def make(**options):
    torch.manual_seed(1)
    few = {"steps": 100_000, "evaluate_every": 50, "evaluation_batches": 2, "sample": 20, "sample_every": 100}
    options = few | options
    return labs.training(Spy(7, 8, 1, 2, 16, dropout=0.1), DATA, DATA, CharTokenizer("\\nabcdef"), **options)

def whole(lab):
    "Whether all is as it is after so many whole steps."
    other = make()
    if lab.history.losses:
        other.run(len(lab.history.losses))
    pairs = zip(lab.model.parameters(), other.model.parameters())
    return all(torch.equal(a, b) for a, b in pairs) and lab.history.losses == other.history.losses
"""
kernel = starts(START)


def test_the_kernel_goes_on_answering_and_finds_whole_steps(kernel):
    kernel.run("lab = make()\nlab.start()")
    assert kernel.until("len(lab.history.losses) > 3")
    cell = "torch.manual_seed(1); torch.rand(9); print(lab.running, len(lab.history.losses), whole(lab))"
    seen = [kernel.run(cell).split() for _ in range(4)]
    assert [(running, intact) for running, _, intact in seen] == [("True", "True")] * 4
    assert kernel.until(f"len(lab.history.losses) > {seen[0][1]}")
    kernel.run("lab.pause()")
    assert kernel.until("lab._task.done()")
    step = kernel.run("print(len(lab.history.losses))")
    said = kernel.run("time.sleep(0.2); print(len(lab.history.losses), lab.now['step'], lab.now['mood'], whole(lab))")
    assert said == f"{step} {step} paused True"


def test_the_page_starts_stops_steps_writes_and_resets_on_the_thread_of_the_cells(kernel):
    model = kernel.run("threads.clear()\nlab = make()\nprint(lab.model_id)")
    kernel.page(model, running=True)
    assert kernel.until("len(lab.history.losses) > 3 and lab.running")
    kernel.page(model, running=False, stops=1)
    assert kernel.until("lab.now['mood'] == 'stopped' and lab._task.done()")
    assert kernel.run("print(lab.history.evaluations[-1][0] == len(lab.history.losses), whole(lab))") == "True True"
    step = int(kernel.run("print(len(lab.history.losses))"))
    kernel.page(model, running=False, steps=1)
    assert kernel.until(f"len(lab.history.losses) == {step + 1} and lab._task.done()")
    kernel.page(model, prompt="abc", writes=1)
    assert kernel.until("lab.samples[0]['prompt'] == 'abc' and lab.samples[0]['done']")
    kernel.page(model, prompt="xyz", writes=2)
    assert kernel.until("lab.problem")
    assert "the character 'x' at place 0" in kernel.run("print(lab.problem, lab.prompt)")
    kernel.page(model, running=False, resets=1)
    assert kernel.until("lab.history.losses == [] and lab.now['mood'] == 'ready'")
    kernel.page(model, running=True)
    assert kernel.until("len(lab.history.losses) > 3")
    kernel.page(model, writes=3)  # in the middle of training
    assert kernel.until("len(lab.samples) > 1 and lab.running")
    assert kernel.run("lab.pause(); print(lab.prompt, threads, whole(lab))") == "abc {True} True"


def test_at_the_last_step_it_ends_by_itself(kernel):
    kernel.run("lab = make(steps=30)\nlab.start()")
    assert kernel.until("lab.now['mood'] == 'done' and not lab.running and lab._task.done()")
    said = kernel.run("print(len(lab.history.losses), lab.history.evaluations[-1][0], lab.samples[0]['step'])")
    assert said == "30 30 30"
    kernel.run("lab.start()")
    assert kernel.until("not lab.running and lab._task.done()")
    assert kernel.run("print(len(lab.history.losses), lab.problem == '')") == "30 True"


def test_an_interrupt_pauses_the_background_and_it_can_go_on(kernel):
    kernel.run("lab = make()\nlab.start()")
    assert kernel.until("len(lab.history.losses) > 3")
    kernel.manager.interrupt_kernel()
    assert kernel.until("not lab.running and lab._task.done()")
    said = kernel.run("print(lab.sentence)\nprint(whole(lab), lab.problem == '')")
    assert said.startswith("Interrupted after step") and said.endswith("True True")
    step = int(kernel.run("n = len(lab.history.losses); print(n); lab.start()"))
    assert kernel.until(f"len(lab.history.losses) > {step}")
    assert kernel.run("lab.pause(); print(whole(lab))") == "True"


def test_an_interrupt_keeps_what_is_written_of_a_sample(kernel):
    kernel.run("lab = make(sample=100_000)\nlab.sample()")
    assert kernel.until("lab.samples and len(lab.samples[0]['text']) > 20")
    kernel.manager.interrupt_kernel()
    assert kernel.until("lab._task.done()")
    said = kernel.run("print(lab.now['mood'], lab.samples[0]['done'], len(lab.samples[0]['text']) > 20)")
    assert said == "ready False True"


def test_an_interrupt_of_a_run_leaves_whole_steps(kernel):
    kernel.run("lab = make()")
    for wait in (0.3, 0.45, 0.61):
        # on a busy machine a cell begins late, and an interrupt before it would be lost
        alarm = threading.Timer(wait, kernel.manager.interrupt_kernel)
        said = kernel.run("print('on the way', flush=True)\nlab.run(100000)", on_word=alarm.start).split("\n")
        if "Unexpected exception formatting exception" in said[1]:
            # where the interrupt falls between two lines IPython stumbles, and shows Python's traceback and its own
            said = said[:1] + [line for line in said if line == "KeyboardInterrupt"]
        assert said == ["on the way", "KeyboardInterrupt"]
        assert kernel.until("lab._task.done()")
        said = kernel.run("print(lab.sentence)\nprint(whole(lab))")
        assert said.startswith("Interrupted after step") and said.endswith("True")
    said = kernel.run("n = len(lab.history.losses)\nlab.run(2)\nprint(len(lab.history.losses) - n, whole(lab))")
    assert said == "2 True"


def test_a_run_that_diverges_ends_the_background(kernel):
    kernel.run("lab = make(schedule=lambda step: 1e30, clip=None)\nlab.start()")
    assert kernel.until("not lab.running and lab._task.done()")
    assert "learning rate, 1e+30 now, is too high" in kernel.run("print(lab.problem)")
    assert kernel.run("print(lab.now['mood'])") == "broken"


# -- the page: the lab's own JavaScript in a browser, with a stand-in for the widget's model --------------------


class TrainingPage(BackgroundPage):
    traits = "title sentence problem running prompt log_scale steps stops resets writes scene now samples".split()

    def facts(self):
        names, values, more = (self.texts(f".tr-{name}") for name in ("name", "value", "more"))
        return {name: [value, extra] for name, value, extra in zip(names, values, more)}


show = shows(TrainingPage)


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_in_the_page_the_buttons_ask_python(show, key):
    lab = lab_of()
    page = show(lab)
    page.press("Start", key=key)
    assert page.sent()["running"] is True and page.texts(".tr-start") == ["Pause"]
    page.press("Pause", key=key)
    assert page.sent()["running"] is False and page.texts(".tr-start") == ["Start"]
    for name, trait in (("Stop", "stops"), ("Step", "steps"), ("Reset", "resets")):
        page.set(running=True, now={**page.state(lab)["now"], "step": 3})
        page.press(name, key=key)
        assert (page.sent()["running"], page.sent()[trait]) == (False, 1)
    page.press("Sample now", key=key)
    assert page.sent()["writes"] == 1
    page.press("log scale", role="switch", key="Space")
    assert page.sent()["log_scale"] is True


def disabled(page):
    return [
        button.inner_text()
        for button in page.page.get_by_role("button").all()
        if button.get_attribute("aria-disabled") == "true"
    ]


def test_in_the_page_what_would_do_nothing_is_greyed_and_asks_for_nothing(show):
    lab = lab_of()
    page = show(lab)
    assert disabled(page) == ["Reset"]
    page.press("Reset")
    assert page.sent() is None
    lab.run(7)
    page.tell(lab)
    assert disabled(page) == [] and page.texts(".tr-start") == ["Resume"]
    lab.stop()
    page.tell(lab)
    assert disabled(page) == ["Stop"]
    lab.run(13)
    page.tell(lab)
    assert disabled(page) == ["Resume", "Stop", "Step"]
    page.press("Resume")
    assert page.sent() is None and page.facts()["run"] == ["✓ done", ""]


def test_in_the_page_the_prompt_is_typed_and_enter_asks_for_a_sample(show):
    page = show(lab_of())
    field = page.page.get_by_role("textbox", name="prompt")
    assert field.input_value() == "⏎"
    for typed, prompt in (("ab", "ab"), ("a⏎b", "a\nb"), ("\\nc", "\nc")):
        before = page.sent()["writes"] if page.sent() else 0
        field.fill(typed)
        field.press("Enter")
        page.drawn()
        assert page.sent()["prompt"] == prompt and page.sent()["writes"] == before + 1
        assert field.input_value() == prompt.replace("\n", "⏎")
        assert page.texts(".tr-head") == [f"The next sample: 20 tokens after “{field.input_value()}”"]
    field.fill("def")
    page.press("Sample now")
    assert (page.sent()["prompt"], page.sent()["writes"]) == ("def", before + 2), "leaving the field hands it over"


def test_in_the_page_the_facts_are_those_of_the_run(show):
    lab = lab_of(steps=1200)
    page = show(lab)
    assert page.facts()["run"] == ["○ ready", ""] and page.facts()["step"] == ["0", "of 1,200"]
    assert page.facts()["loss"] == page.facts()["validation loss"] == ["–", ""]
    lab.run(32)
    page.tell(lab)
    facts, now = page.facts(), lab.now
    assert facts["run"] == ["‖ paused", ""] and facts["step"] == ["32", "of 1,200"]
    assert facts["loss"] == [f"{now['mean']:.2f}", "mean of 30"]
    best, looks = now["best"], now["looks"]
    assert facts["validation loss"] == [f"{looks[-1][2]:.2f}", f"best {best[1]:.2f} at {best[0]}"]
    assert facts["tokens a second"] == [f"{now['speed']:,}", "12 × 8 in a step"] and facts["to go"] == [now["left"], ""]
    assert page.say() == lab.sentence
    # 2.8249 is 2.82 in the sentence, and must not become 2.83 by way of 2.825
    lab._run.run.history.evaluations[-1] = (30, 2.8249, 2.8249)
    lab._show()
    page.tell(lab)
    assert page.facts()["validation loss"][0] == "2.82" and "was 2.82 after" in page.say()


PLACES = """() => {
    const of = css => document.querySelector(css);
    const points = path => path.getAttribute("d").match(/[ML][^MLh]*/g)
        .map(part => part.slice(1).trim().split(" ").map(Number));
    const number = (element, name) => Number(element.getAttribute(name));
    const texts = [...of(".ll-stage svg g").querySelectorAll("text[text-anchor=end]")];
    return {
        steps: points(of(".tr-steps")), mean: points(of(".tr-mean")),
        looks: [...document.querySelectorAll(".tr-look")].map(dot => [number(dot, "cx"), number(dot, "cy")]),
        ticks: texts.map(text => [Number(text.textContent), number(text, "y") - 4]),
        chance: number(of(".tr-chance"), "y1"),
    };
}"""


@pytest.mark.parametrize("log_scale", [False, True])
def test_in_the_page_the_curves_are_where_the_axes_say(show, log_scale):
    lab = lab_of(steps=30)
    lab.log_scale = log_scale
    lab.run(30)
    places = show(lab).page.evaluate(PLACES)
    scale = math.log if log_scale else float
    (low, foot), (high, head) = places["ticks"][0], places["ticks"][-1]
    assert len(places["ticks"]) >= 2

    def y(loss):
        return foot + (head - foot) * (scale(loss) - scale(low)) / (scale(high) - scale(low))

    curve, looks = lab.now["curve"], lab.now["looks"]
    assert [place[1] for place in places["steps"]] == pytest.approx([y(loss) for _, loss, _ in curve], abs=0.1)
    assert [place[1] for place in places["mean"]] == pytest.approx([y(mean) for _, _, mean in curve], abs=0.1)
    assert [place[1] for place in places["looks"]] == pytest.approx([y(loss) for _, _, loss in looks], abs=0.1)
    assert places["chance"] == pytest.approx(y(lab.scene["chance"]), abs=0.1)
    left, right = places["looks"][0][0], places["looks"][-1][0]
    across = [left + (right - left) * step / 30 for step, _, _ in looks]
    assert [place[0] for place in places["looks"]] == pytest.approx(across, abs=0.1)
    for middle in (tick for tick in places["ticks"]):
        assert middle[1] == pytest.approx(y(middle[0]), abs=0.1)


def test_in_the_page_a_run_that_breaks_off_is_drawn_as_far_as_it_goes(show):
    model = gpt()
    lab = lab_of(model, optimizer=torch.optim.SGD(model.parameters(), lr=1e30), clip=None, steps=50)
    with pytest.raises(FloatingPointError):
        lab.run(50)
    page = show(lab)
    lab.set_state({"prompt": "x"})  # which does not change what else there is to say
    lab.sample()
    assert lab.now["mood"] == "broken"
    assert page.facts()["run"] == ["✕ broke off", ""] and page.texts(".ll-problem")[0].startswith("Stopped at step")
    assert page.page.locator(".tr-steps").get_attribute("d").startswith("M")


def test_in_the_page_what_is_written_is_text_and_the_newest_comes_first(show):
    tokenizer = CharTokenizer("<b>&\u05d0\u202e\n")
    lab = labs.training(gpt(), DATA, DATA, tokenizer, steps=10, prompt="<b>", **{**FEW, "sample_every": 5})
    lab.run(10)
    page = show(lab)
    assert page.page.locator(".tr-texts b").count() == 0
    assert page.texts(".tr-when") == ["after step 10", "after step 5", "before the first step"]
    texts = page.page.locator(".tr-text").all_text_contents()
    assert texts == [sample["prompt"] + sample["text"] for sample in lab.samples]
    assert page.page.locator(".tr-prompt").all_text_contents() == ["<b>"] * 3
    assert "\u202e" not in "".join(texts) and "[202E]" in "".join(texts)
    assert page.page.locator(".tr-newest").count() == 1
    page.set(samples=[{**page.state(lab)["samples"][0], "done": False}])
    assert page.texts(".tr-when") == ["after step 10, not finished"]


def test_in_the_page_a_model_that_cannot_write_has_no_prompt(show):
    page = show(lab_of(Alone(), block_size=8))
    assert page.page.get_by_role("textbox").count() == 0 and page.page.get_by_role("button").count() == 4
    assert page.texts(".tr-when") == ["This model has no generate(idx, n), so there is nothing to read."]


def test_in_the_page_training_is_paused_when_nobody_sees_it_any_longer(show):
    page = show(lab_of())
    page.press("Start")
    page.page.evaluate("() => { window.again = window.show(); }")
    page.page.evaluate("() => window.dispose()")
    assert page.sent()["running"] is True, "it is still shown in another place"
    page.page.evaluate("() => window.again()")
    assert page.sent()["running"] is False


BOXES = """() => {
    const picture = document.querySelector(".ll-stage svg");
    const shown = [...picture.querySelectorAll("text")].filter(text => text.textContent && text.checkVisibility());
    const outer = picture.getBoundingClientRect();
    const box = text => text.getBoundingClientRect();
    const cut = shown.filter(text => box(text).left < outer.left - 1 || box(text).right > outer.right + 1
        || box(text).top < outer.top || box(text).bottom > outer.bottom);
    const meet = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 2 && b.top < a.bottom - 2;
    const pairs = shown.flatMap((one, i) => shown.slice(i + 1)
        .filter(other => meet(box(one), box(other))).map(other => [one.textContent, other.textContent]));
    const wide = [...document.querySelectorAll(".tr-fact span")].filter(span => span.scrollWidth > span.clientWidth);
    return [cut.map(text => text.textContent), pairs, wide.map(span => span.textContent)];
}"""


@pytest.mark.parametrize("width", [1016, 900, 860, 800, 600, 420])
def test_in_the_page_nothing_is_cut_or_overlaps(show, width):
    lab = lab_of(steps=1000)
    page = show(lab, width=width)
    assert page.page.evaluate(BOXES) == [[], [], []]
    lab.run(32)
    now = {**page.state(lab)["now"], "step": 99_999, "speed": 1_234_567, "left": "23 h 59 min", "best": [88_888, 1.5]}
    page.tell(lab)
    scene = {**lab.scene, "steps": 100_000, "schedule": [[0, 0.0], [99_999, 0.00025]], "fastest": 0.00025}
    page.set(now=now, scene=scene)
    assert page.page.evaluate(BOXES) == [[], [], []]
    assert page.page.locator(".ll-stage").evaluate("it => it.scrollWidth <= it.clientWidth")


@pytest.mark.parametrize("width", [1016, 700])
def test_in_the_page_the_controls_stay_where_they_are(show, width):
    lab = lab_of(steps=1000)
    page = show(lab, width=width)
    places = set()
    for n in (1, 1, 19, 30):
        places.add(page.page.locator(".tr-start").bounding_box()["y"])
        lab.run(n)
        page.tell(lab)
    places.add(page.page.locator(".tr-start").bounding_box()["y"])
    assert len(places) == 1


def test_in_the_page_a_drawing_moves_what_is_there(show):
    lab = lab_of(steps=1000)
    lab.run(60)
    page = show(lab)
    curve = [[i, 2 + math.sin(i), 2.0] for i in range(300)]
    page.set(now={**page.state(lab)["now"], "curve": curve, "step": 300})
    assert len(page.drawing_times(40, 'model.set("now", {...model.get("now"), step: 300 + n});')) >= 39
    assert page.made == 0
