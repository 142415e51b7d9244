"""The loss ladder: each rung is one change, the stored table is that of the books, the command makes such a table."""

import csv
import statistics

import pytest
import torch
from torch import nn

from lesson_lib import ladder
from lesson_lib.attention import AttentionLanguageModel
from lesson_lib.gpt import GPT
from lesson_lib.ladder import climb, heads_only, main, read_table, rungs
from lesson_lib.training import whole_loss

NAMES = [rung.name for rung in rungs()]
# the whole validation split of tiny Shakespeare, mean of 3 seeds, measured with code of others
MEASURED = {
    "bigram": 2.488,
    "one head": 2.408,
    "four heads": 2.279,
    "+ feed-forward": 2.245,
    "3 blocks": 2.309,
    "+ residual": 2.091,
    "+ LayerNorm": 2.073,
    "4 layers of 64": 1.828,
}
SIZES = {
    "bigram": 4225,
    "bag of words": 4225,
    "one head": 7553,
    "four heads": 7553,
    "+ feed-forward": 8609,
    "3 blocks": 16865,
    "3 larger blocks": 41921,
    "+ residual": 41921,
    "+ LayerNorm": 42369,
    "4 layers of 64": 209729,
}


@pytest.mark.parametrize("rung", rungs(), ids=NAMES)
def test_each_rung_has_the_parameters_of_the_books_and_looks_only_back(rung):
    torch.manual_seed(1)
    model = rung.build(65)
    assert sum(part.numel() for part in model.parameters()) == SIZES[rung.name]
    ids = torch.randint(65, (2, rung.block_size))
    logits = model(ids)[0]
    assert logits.shape == (2, rung.block_size, 65)
    ids[:, -1] = (ids[:, -1] + 1) % 65
    # a product of floating-point numbers may be summed in another order
    assert torch.allclose(model(ids)[0][:, :-1], logits[:, :-1], atol=1e-6)


def test_the_rungs_are_the_ladder_of_the_lecture():
    assert list(SIZES) == NAMES
    lecture = {rung.name: rung.lecture for rung in rungs() if rung.lecture}
    assert lecture == {
        "bigram": 2.5, "one head": 2.4, "four heads": 2.28, "+ feed-forward": 2.24, "+ residual": 2.08,
        "+ LayerNorm": 2.06, "4 layers of 64": 1.82,
    }  # fmt: skip
    assert [(r.steps, r.rate, r.block_size, r.batch_size) for r in rungs()] == [
        (3000, 1e-2, 8, 32), *[(5000, 1e-3, 8, 32)] * 8, (5000, 1e-3, 32, 16)
    ]  # fmt: skip


def test_with_and_without_the_plus_are_the_same_model_otherwise():
    torch.manual_seed(1)
    without = rungs()[NAMES.index("3 larger blocks")].build(65)
    torch.manual_seed(1)
    plus = rungs()[NAMES.index("+ residual")].build(65)
    assert all(torch.equal(a, b) for a, b in zip(without.parameters(), plus.parameters()))
    ids = torch.randint(65, (1, 8))
    x = plus.token_embedding_table(ids) + plus.position_embedding_table.weight
    for block, other in zip(plus.body, without.body):
        y = x + block.attention(x)
        assert torch.equal(block(x), y + block.feed_forward(y))
        assert torch.equal(other(x), other.feed_forward(other.attention(x)))
    assert isinstance(heads_only(8, 2).proj, nn.Identity)


def test_climbing_a_rung_trains_its_model_and_measures_it_on_the_whole_text():
    pattern = torch.arange(2000) % 7
    [rung] = [rung for rung in rungs(n_embd=8, n_head=2, n_layer=1) if rung.name == "+ LayerNorm"]
    model, loss = climb(rung, (pattern, pattern[:500]), 7, steps=200, seed=3)
    assert isinstance(model, AttentionLanguageModel) and loss == whole_loss(model, pattern[:500], 8) < 1.0
    again, same = climb(rung, (pattern, pattern[:500]), 7, steps=200, seed=3)
    assert same == loss and climb(rung, (pattern, pattern[:500]), 7, steps=200, seed=4)[1] != loss
    assert isinstance(rungs()[-1].build(7), GPT)


# the full-budget table, which `python -m lesson_lib.ladder` made


def test_the_stored_table_is_the_measured_one_within_the_noise_of_seeds():
    table = read_table()
    assert list(table) == NAMES and all(len(seeds) >= 3 for seeds in table.values())
    means = {name: statistics.mean(seeds.values()) for name, seeds in table.items()}
    assert {name: round(means[name], 3) for name in MEASURED} == pytest.approx(MEASURED, abs=0.03)
    with open(ladder.TABLE, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            assert int(row["parameters"]) == SIZES[row["rung"]]
            assert int(row["steps"]) == (3000 if row["rung"] == "bigram" else 5000)


@pytest.mark.parametrize("name", ["bigram", "one head", "4 layers of 64"])
def test_the_command_makes_the_table_and_repeats_it(name, tmp_path, capsys, monkeypatch):
    (tmp_path / "text.txt").write_text("the cat sat on the mat.\n" * 200, encoding="utf-8")
    monkeypatch.setattr(ladder, "rungs", lambda: [rung for rung in rungs() if rung.name == name])
    options = ["--text", str(tmp_path / "text.txt"), "--share", "0.002", "--seeds", "1", "5", "--table"]
    assert main([*options, str(tmp_path / "a.csv")]) == 0 and main([*options, str(tmp_path / "b.csv")]) == 0
    table = read_table(tmp_path / "a.csv")
    assert table == read_table(tmp_path / "b.csv") and list(table[name]) == [1, 5] and 1 < table[name][5] < 4
    assert f"{name} " in capsys.readouterr().out


def test_what_cannot_be_read_or_written_is_said_before_the_work(tmp_path, capsys, monkeypatch):
    assert main(["--text", str(tmp_path / "none.txt")]) == 2
    assert "none.txt" in capsys.readouterr().err
    (tmp_path / "text.txt").write_text("the cat sat on the mat.\n" * 200, encoding="utf-8")
    climbed = []
    monkeypatch.setattr(ladder, "climb", lambda *args, **options: climbed.append(1) or climb(*args, **options))
    options = ["--text", str(tmp_path / "text.txt"), "--share", "0.001", "--seeds", "1"]
    assert main([*options, "--table", str(tmp_path / "text.txt" / "a.csv")]) == 2 and len(climbed) == 1
    assert "text.txt" in capsys.readouterr().err


def test_an_interrupt_keeps_the_rungs_that_are_done_and_the_old_table(tmp_path, monkeypatch):
    def stop(rung, *args, **options):
        if rung.name == "one head":
            raise KeyboardInterrupt
        return climb(rung, *args, **options)

    monkeypatch.setattr(ladder, "climb", stop)
    (tmp_path / "text.txt").write_text("the cat sat on the mat.\n" * 200, encoding="utf-8")
    (tmp_path / "a.csv").write_text("old", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt):
        main(f"--text {tmp_path}/text.txt --share 0.001 --seeds 1 --table {tmp_path}/a.csv".split())
    assert (tmp_path / "a.csv").read_text(encoding="utf-8") == "old"
    assert list(read_table(tmp_path / "a.csv.part")) == NAMES[:2]


def test_a_share_that_cannot_be_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["--share", "0"])
    assert "--share must be above 0 and at most 1, and is 0.0" in capsys.readouterr().err
