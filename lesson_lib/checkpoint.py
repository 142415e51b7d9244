"""Checkpoints: tensors and facts in one file, which is whole or is not there, and of which nothing is ever run.

The format is safetensors: names, shapes and numbers. A pickle, which is what `torch.save` writes, may hold a program
that runs when it is opened; so none is read here.
"""

import contextlib
import errno
import json
import os
import tempfile
import zlib
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file


@contextlib.contextmanager
def _at_one_stroke(path):
    """Give the block a file beside the path to write, and move it there at its end, or else leave no trace of it."""
    path, part = Path(path), None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
        os.close(handle)
        yield part
        os.umask(umask := os.umask(0))
        os.chmod(part, 0o666 & ~umask)  # as any new file, and not for this user alone
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    except (OSError, SafetensorError) as error:  # what the disk said to safetensors is in its text
        told = f"{path} could not be written: {getattr(error, 'strerror', None) or error}"
        if isinstance(error, (FileExistsError, NotADirectoryError)):
            told += ": a file is where a folder should be"
        raise OSError(getattr(error, "errno", None) or errno.EIO, f"{told}; what was there before stays") from error
    finally:
        if part is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(part)


def _checksum(tensors, facts):
    """Return what the tensors and the text of the facts come to: eight digits, others if one bit is another."""
    found = zlib.crc32(facts.encode())
    for name, tensor in sorted(tensors.items()):
        found = zlib.crc32(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode(), found)
        found = zlib.crc32(tensor.flatten().view(torch.uint8).numpy(), found)
    return f"{found:08x}"


def write(path, content):
    """Write the bytes to the file: all of them or, where that fails, none, and what was there before stays.

    Folders that are missing are made. Raises OSError where it cannot be written.
    """
    with _at_one_stroke(path) as part:
        Path(part).write_bytes(content)


def save(path, tensors, facts=None):
    """Write the tensors, a dictionary of name → tensor, and the facts, anything that JSON can say, to the file.

    Like `write` it does so at one stroke: whatever happens on the way, a full disk or the end of the process, what was
    there before is left as it was. Raises OSError where it cannot be written.
    """
    whole = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
    facts = json.dumps(facts)
    with _at_one_stroke(path) as part:
        save_file(whole, part, metadata={"facts": facts, "checksum": _checksum(whole, facts)})


def load(path, device="cpu"):
    """Return what `save` wrote: the tensors, on the device, and the facts.

    Raises FileNotFoundError where there is no such file, OSError where it cannot be opened, and ValueError where it is
    damaged, cut off or no safetensors.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"there is no checkpoint {path}")
    if Path(path).is_dir():
        raise ValueError(f"{path} cannot be read: it is a folder, and no checkpoint")
    with open(path, "rb"):
        pass  # where the file may not be read, this says so
    try:
        with safe_open(path, framework="pt") as file:
            notes = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118, it is no dictionary
        said = notes.get("facts", "null")
        facts = json.loads(said)
    except (SafetensorError, ValueError, OSError) as error:
        raise ValueError(
            f"{path} cannot be read: it is damaged, cut off, or no file in the format safetensors "
            f"(a pickle, such as torch.save writes, is never opened): {error}"
        ) from error
    # a file that others have written has no checksum
    if "checksum" in notes and notes["checksum"] != _checksum(tensors, said):
        raise ValueError(f"{path} is damaged: its numbers are not those that were written")
    return {name: tensor.to(device) for name, tensor in tensors.items()}, facts


def fill(model, tensors):
    """Give the model the weights, a dictionary of name → tensor, in place.

    Raises ValueError, and leaves the model as it was, where a name is missing or too many, or a shape is another one.
    """
    own = model.state_dict()
    if missing := sorted(own.keys() - tensors.keys()):
        raise ValueError(f"the checkpoint is of another model: it has no {missing[0]!r}, which this one needs")
    if unknown := sorted(tensors.keys() - own.keys()):
        raise ValueError(f"the checkpoint is of another model: it has {unknown[0]!r}, which this one does not know")
    for name, mine in own.items():
        if tensors[name].shape != mine.shape:
            theirs, ours = tuple(tensors[name].shape), tuple(mine.shape)
            raise ValueError(
                f"{name} is {theirs} in the checkpoint and {ours} in the model: "
                "another size, or another vocabulary, than it was trained with"
            )
    model.load_state_dict(tensors)
