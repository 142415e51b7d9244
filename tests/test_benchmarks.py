"""The benchmark of the GPT runs in all its parts, at a tiny size, and sees what does not compute the same."""

import sys

import pytest
import torch
import torch.nn.functional as F

from tests.benchmarks import bench_gpt as bench

V = 7
TINY = bench.Size(2, 8, 8, 3)
DATA = torch.arange(400) % V  # after i always comes i + 1


class Unscaled(bench.HeadByHead):
    """Does not compute the same loss: its queries are too long."""

    def take(self, gpt):
        super().take(gpt)
        for block in self.blocks:
            for head in block.attention.heads:
                head.query.weight.data *= 2
        return self


class Half(bench.HeadByHead):
    """Computes the same loss, but half its gradients."""

    def forward(self, idx, targets=None):
        logits, loss = super().forward(idx, targets)
        return logits, None if targets is None else loss.detach() + 0.5 * (loss - loss.detach())


class Greedy(bench.HeadByHead):
    """Writes something else: always the most probable token."""

    def generate(self, idx, max_new_tokens, generator=None):
        for _ in range(max_new_tokens):
            idx = torch.cat([idx, self(idx)[0][:, -1:].argmax(dim=-1)], dim=1)
        return idx


def late(data, *sizes):
    x, y = bench.slices(data, *sizes)
    return y, y


def test_the_contestants_compute_the_same():
    for size in (TINY, bench.Size(1, 16, 5, 2)):
        bench.assert_same_result(V, size)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"batch": late}, "other does not cut the batch"),
        ({"model": Unscaled}, "other does not compute the loss"),
        ({"model": Greedy}, "other does not write"),
        ({"model": Half}, "other does not compute the gradients"),
    ],
)
def test_who_computes_something_else_is_not_timed(options, told):
    with pytest.raises(AssertionError, match=told):
        bench.assert_same_result(V, TINY, bench.HEADS._replace(name="other", **options))


def test_training_is_timed_side_by_side(monkeypatch):
    monkeypatch.setattr(bench, "MATMUL", 64)
    rows = bench.training(TINY, [bench.HEADS, bench.OURS], V, DATA, rounds=3, seconds=0.01)
    assert list(rows) == ["head by head", "ours"]
    for row in rows.values():
        assert row["speed"] > 0 and row["share"] > 0 and row["parameters"] == rows["ours"]["parameters"]
    assert rows["ours"]["against"]["ours"] == (1, 1, 1)
    median, low, high = rows["ours"]["against"]["head by head"]
    assert 0 < low <= median <= high


def test_the_loop_trains():
    for contestant in (bench.HEADS, bench.OURS):
        loop = bench.Loop(contestant._replace(optimizer=lambda model: torch.optim.AdamW(model.parameters(), lr=0.03)),
                          V, TINY, DATA)  # fmt: skip
        loop.steps(80)
        _, loss = loop.model(*bench.slices(DATA, 8, 16))
        assert loss < 0.5


def test_a_ratio_compares_turns_that_stood_side_by_side():
    assert bench.ratio([4.0, 9.0, 40.0], [2.0, 3.0, 8.0]) == (3.0, 2.0, 5.0)
    seen = []
    times = bench.in_turns({name: lambda name=name: seen.append(name) for name in "abc"}, 2)
    assert seen == list("abcabc") and all(len(own) == 2 and min(own) >= 0 for own in times.values())


def test_the_work_is_counted_by_hand():
    model = bench.ours(V, TINY)
    block = 8 * 24 + 8 * 8 + 8 + 8 * 32 + 32 + 32 * 8 + 8 + 4 * 8  # qkv, proj, inner, proj; two norms
    assert bench.work(model, TINY) == 6 * (2 * block + 16 + 8 * V + V) + 12 * 2 * 8 * 8


def test_writing_is_timed_and_all_write_the_whole_block():
    times = bench.writing(TINY, bench.HEADS._replace(name="a rival"), V, rounds=2)
    assert list(times) == ["ours", "ours, no cache", "head by head", "a rival"]
    assert all(len(own) == 2 and min(own) > 0 for own in times.values())

    class Short(bench.HeadByHead):
        def generate(self, idx, max_new_tokens):
            return super().generate(idx, max_new_tokens - 1)

    with pytest.raises(AssertionError, match="a rival did not write 8 positions"):
        bench.writing(TINY, bench.HEADS._replace(name="a rival", model=Short), V, rounds=1)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not say what a process has had")
def test_memory_is_that_of_a_process_of_its_own():
    ballast = torch.ones(400_000_000, dtype=torch.uint8)  # which is not to be counted
    imports, peak = bench.memory_of("ours", bench.Size(1, 64, 32, 32))
    assert len(ballast) and 50 < imports < min(peak, bench.peak_memory() - 300) and 5 < peak - imports < 300


def test_a_race_counts_the_seconds_of_training_to_each_loss():
    budgets = [(bench.MINUTE, 120), (bench.NANO, 60)]
    mine, theirs = bench.races(budgets, V, (DATA, DATA), (1.5, 0.5), turns=8, n_embd=16, block_size=8, batch_size=4)
    assert 0 < mine.reached[1.5] < mine.reached[0.5] <= mine.seconds and mine.loss <= 0.5 and mine.over
    assert theirs.loss > 0.5 and 0.5 not in theirs.reached and theirs.run.done == 60
    assert mine.loss == bench.whole_loss(mine.model, DATA, 8)
    assert bench.quickest([mine, theirs], bench.MINUTE, 0.5) is mine
    assert bench.quickest([mine, theirs], bench.NANO, 0.5) is None


def test_the_recipes_rates():
    nano, minute = bench.NANO.schedule(1e-3, 2000), bench.MINUTE.schedule(5e-3, 1000)
    assert nano(0) == pytest.approx(1e-5) and nano(99) == pytest.approx(1e-3, rel=0.01)
    assert nano(2000) == pytest.approx(1e-4)
    assert minute(49) == pytest.approx(5e-3, rel=0.06) and minute(1000) == 0


def test_without_transformers_it_says_so_and_goes_on(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "transformers", None)
    assert [racer.name for racer in bench.contestants()] == ["head by head", "ours", "ours, compiled"]
    assert "transformers is missing" in capsys.readouterr().out


def test_gpt2_has_the_same_shape():
    pytest.importorskip("transformers")
    model = bench.gpt2().model(V, TINY)
    x, y = bench.slices(DATA, 8, 3)
    logits, loss = model(x, y)
    assert logits.shape == (3, 8, V) and loss == F.cross_entropy(logits.transpose(1, 2), y)
    assert model.eval().generate(x[:1, :1], 7).shape == (1, 8)


def test_the_tables_can_be_printed(monkeypatch, capsys):
    monkeypatch.setattr(bench, "MATMUL", 64)
    monkeypatch.setattr(bench, "WRITING", TINY)
    monkeypatch.setattr(bench, "SIZES", [TINY] * 3)
    monkeypatch.setattr(bench, "GOALS", {TINY: 2.2})
    monkeypatch.setattr(bench, "LOSSES", (5.0,))
    monkeypatch.setattr(bench, "BUDGETS", [(bench.MINUTE, 4), (bench.NANO, 4)])
    monkeypatch.setattr(bench, "contestants", lambda compile: [bench.HEADS, bench.OURS])
    monkeypatch.setattr(bench, "load", lambda: "the cat sat on the mat.\n" * 50)
    monkeypatch.setattr(bench, "memory_of", lambda name, size: (200.0, 250.0))
    monkeypatch.setattr(bench, "assert_same_result", lambda *sizes: None)
    bench.main(["--rounds", "1"])
    told = capsys.readouterr().out
    for line in ("goal of ours: 2.2 x head by head", "ours, no cache", "training on top", "to 5.0: ours of 4 steps"):
        assert line in told
    bench.main(["--rounds", "1", "--parts", "memory"])
    assert "WRITING" not in capsys.readouterr().out
