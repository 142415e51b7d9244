"""Checkpoints: tensors and facts in one file, which is whole or is not there, and of which nothing is ever run.

The format is safetensors: names, shapes and numbers. A pickle, which is what `torch.save` writes, may hold a program
that runs when it is opened; so none is read here.
"""

import contextlib
import json
import os
import tempfile
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file


def save(path, tensors, facts=None):
    """Write the tensors, a dictionary of name → tensor, and the facts, anything that JSON can say, to the file.

    The file is written beside its place and then moved there at one stroke: whatever happens on the way, a full disk
    or the end of the process, what was there before is left as it was. Folders that are missing are made.
    Raises OSError where it cannot be written.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".part")
    os.close(handle)
    try:
        save_file(whole, part, metadata={"facts": json.dumps(facts)})
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    except SafetensorError as error:  # what the disk said is in its text
        raise OSError(f"{path} could not be written: {error}") from error
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)


def load(path, device="cpu"):
    """Return what `save` wrote: the tensors, on the device, and the facts.

    Raises FileNotFoundError where there is no such file, and ValueError where it is damaged, cut off or no safetensors.
    """
    if not Path(path).exists():
        raise FileNotFoundError(f"there is no checkpoint {path}")
    try:
        with safe_open(path, framework="pt", device=str(device)) as file:
            facts = json.loads((file.metadata() or {}).get("facts", "null"))
            return {name: file.get_tensor(name) for name in file.keys()}, facts  # noqa: SIM118, it is no dictionary
    except (SafetensorError, ValueError, OSError) as error:
        raise ValueError(
            f"{path} cannot be read: it is damaged, cut off, or no file in the format safetensors "
            f"(a pickle, such as torch.save writes, is never opened): {error}"
        ) from error


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
