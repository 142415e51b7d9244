"""Checkpoints come back as they were written, are whole or not there, and refuse what they should not open."""

import contextlib
import errno
import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from lesson_lib import checkpoint

TENSORS = {"a": torch.arange(6.0).view(2, 3), "b": torch.tensor([1, 2], dtype=torch.uint8), "c": torch.tensor(2.5)}


def same(a, b):
    return a.keys() == b.keys() and all(a[k].dtype == b[k].dtype and torch.equal(a[k], b[k]) for k in a)


def test_what_is_written_comes_back(tmp_path):
    facts = {"step": 3, "evaluations": [[0, 1.5, 2.5]], "name": "µ “x”"}
    checkpoint.save(tmp_path / "new" / "one.safetensors", TENSORS, facts)
    tensors, found = checkpoint.load(tmp_path / "new" / "one.safetensors")
    assert same(tensors, TENSORS) and found == facts
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["one.safetensors"]


@settings(max_examples=30)
@given(
    shape=st.lists(st.integers(0, 4), max_size=3),
    dtype=st.sampled_from([torch.float32, torch.float64, torch.bfloat16, torch.int64, torch.uint8, torch.bool]),
)
def test_any_tensor_comes_back(tmp_path_factory, shape, dtype):
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    tensor = (3 * torch.rand(shape)).to(dtype)
    checkpoint.save(path, {"x": tensor, "turned": tensor.mT if len(shape) > 1 else tensor, "same": tensor})
    tensors, facts = checkpoint.load(path)
    assert tensors["x"].dtype == dtype and torch.equal(tensors["x"], tensor) and facts is None
    assert torch.equal(tensors["same"], tensor) and (len(shape) < 2 or torch.equal(tensors["turned"], tensor.mT))


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    path = tmp_path / "one.safetensors"
    checkpoint.save(path, TENSORS, "first")

    def full(source, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match=r"one\.safetensors could not be written: No space left on device; ") as told:
        checkpoint.save(path, TENSORS, "second")
    assert told.value.errno == errno.ENOSPC
    with pytest.raises(OSError, match=r"one\.safetensors could not be written: No space left on device; what was"):
        checkpoint.write(path, b"second")
    monkeypatch.undo()
    assert checkpoint.load(path)[1] == "first" and [p.name for p in tmp_path.iterdir()] == ["one.safetensors"]
    with pytest.raises(TypeError):
        checkpoint.save(path, TENSORS, {"a set": {1}})
    assert checkpoint.load(path)[1] == "first" and [p.name for p in tmp_path.iterdir()] == ["one.safetensors"]


FULL = """
import resource, sys, torch
from lesson_lib import checkpoint
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    checkpoint.save(sys.argv[1], {"x": torch.zeros(10_000)}, "second")
except OSError as error:
    print(error)
"""


@pytest.mark.skipif(os.name == "nt", reason="a full disk is played by a limit that Windows does not have")
def test_a_disk_that_is_full_is_an_error_of_the_disk(tmp_path):
    path = tmp_path / "one.safetensors"
    checkpoint.save(path, TENSORS, "first")
    root = Path(__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0 and "one.safetensors could not be written: " in done.stdout, done.stderr
    assert checkpoint.load(path)[1] == "first" and [p.name for p in tmp_path.iterdir()] == ["one.safetensors"]


@pytest.mark.parametrize("keep", [0, 1, 7, 8, 40, 100, -1])
def test_a_file_that_is_cut_off_is_refused(tmp_path, keep):
    path = tmp_path / "one.safetensors"
    checkpoint.save(path, TENSORS)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"one\.safetensors cannot be read: it is damaged, cut off"):
        checkpoint.load(path)


def test_a_file_that_is_cut_off_anywhere_is_refused(tmp_path):
    path = tmp_path / "one.safetensors"
    checkpoint.save(path, TENSORS, {"step": 3})
    whole = path.read_bytes()
    for keep in range(len(whole)):
        path.write_bytes(whole[:keep])
        with pytest.raises(ValueError, match="damaged, cut off"):
            checkpoint.load(path)


def test_a_bit_that_is_turned_anywhere_is_told_or_changes_nothing(tmp_path):
    path = tmp_path / "one.safetensors"
    checkpoint.save(path, TENSORS, {"step": 3})
    whole, told = path.read_bytes(), []
    for place in range(len(whole)):
        for bit in (1, 64):
            broken = bytearray(whole)
            broken[place] ^= bit
            path.write_bytes(broken)
            try:
                tensors, facts = checkpoint.load(path)
            except ValueError as error:
                assert "one.safetensors" in str(error) and "damaged" in str(error)
                told.append(place)
            else:
                assert same(tensors, TENSORS) and facts == {"step": 3}
    numbers = sum(tensor.numel() * tensor.element_size() for tensor in TENSORS.values())
    assert set(range(len(whole) - numbers, len(whole))) <= set(told), "each bit of the numbers is watched"


def test_what_others_have_written_is_read_without_a_checksum(tmp_path):
    save_file(TENSORS, tmp_path / "theirs.safetensors")
    tensors, facts = checkpoint.load(tmp_path / "theirs.safetensors")
    assert same(tensors, TENSORS) and facts is None


@contextlib.contextmanager
def without_rights(folder):
    """Within the block nobody may write into the folder, not even who may do everything."""
    folder.chmod(0o555)
    mighty = os.geteuid() == 0
    if mighty:
        os.seteuid(65534)
    try:
        yield
    finally:
        if mighty:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_a_folder_in_which_one_may_not_write_is_said(tmp_path):
    path = tmp_path / "one.safetensors"
    checkpoint.save(path, TENSORS, "first")
    with without_rights(tmp_path):
        for write in (lambda: checkpoint.save(path, TENSORS, "second"), lambda: checkpoint.write(path, b"second")):
            with pytest.raises(PermissionError, match=r"one\.safetensors could not be written: Permission denied"):
                write()
    assert checkpoint.load(path)[1] == "first" and [p.name for p in tmp_path.iterdir()] == ["one.safetensors"]


def test_a_folder_that_is_a_file_is_said_and_the_file_stays(tmp_path):
    (tmp_path / "run").write_text("mine", encoding="utf-8")
    for folder in (tmp_path / "run", tmp_path / "run" / "below"):
        with pytest.raises(OSError, match=r"one\.safetensors could not be written: .* a file is where a folder should"):
            checkpoint.save(folder / "one.safetensors", TENSORS)
    assert (tmp_path / "run").read_text(encoding="utf-8") == "mine"


class Trap:
    def __reduce__(self):
        return os.mkdir, (self.where,)


def test_a_pickle_is_not_opened(tmp_path):
    trap = Trap()
    trap.where = str(tmp_path / "sprung")
    for name, write in (
        ("plain", lambda file: pickle.dump(trap, file)),
        ("torch", lambda file: torch.save(trap, file)),
    ):
        with open(tmp_path / name, "wb") as file:
            write(file)
        with pytest.raises(ValueError, match="never opened"):
            checkpoint.load(tmp_path / name)
    assert not (tmp_path / "sprung").exists()


def test_what_is_not_there_is_said(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no checkpoint .*none\.safetensors"):
        checkpoint.load(tmp_path / "none.safetensors")
    with pytest.raises(ValueError, match="cannot be read: it is a folder"):
        checkpoint.load(tmp_path)


def test_a_model_is_filled():
    torch.manual_seed(1)
    one, other = nn.Linear(3, 2), nn.Linear(3, 2)
    checkpoint.fill(other, one.state_dict())
    assert same(one.state_dict(), other.state_dict())


@pytest.mark.parametrize(
    ("weights", "told"),
    [
        ({"weight": torch.ones(2, 3)}, "another model: it has no 'bias'"),
        ({"weight": torch.ones(2, 3), "bias": torch.ones(2), "gain": torch.ones(2)}, "it has 'gain', which"),
        ({"weight": torch.ones(4, 3), "bias": torch.ones(2)}, r"weight is \(4, 3\) in the checkpoint and \(2, 3\)"),
    ],
)
def test_a_model_of_another_shape_is_left_as_it_was(weights, told):
    model = nn.Linear(3, 2)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(ValueError, match=told):
        checkpoint.fill(model, weights)
    assert same(before, model.state_dict())


def test_the_file_may_be_read_by_whom_any_new_file_may_be(tmp_path):
    (tmp_path / "any").write_bytes(b"")
    checkpoint.save(tmp_path / "a", {"x": torch.zeros(2)})
    checkpoint.write(tmp_path / "b", b"x")
    modes = [(tmp_path / name).stat().st_mode for name in ("any", "a", "b")]
    assert modes[0] == modes[1] == modes[2]
