"""Text for a language model: turn it into numbers, split it, and cut batches of training examples from it.

`load` gives you one to learn from; how it finds it is corpus.py's business. Follows Andrej Karpathy's lecture
"Let's build GPT: from scratch, in code, spelled out". Shapes: B examples in a batch, T positions (tokens) in an
example, V tokens in the vocabulary.
"""

import torch

from .corpus import builtin_text as builtin_text
from .corpus import load as load


class CharTokenizer:
    """Turns text into numbers and back, one number for each character. The vocabulary is the text's own characters.

    >>> tokenizer = CharTokenizer("hello")
    >>> tokenizer.vocabulary
    ['e', 'h', 'l', 'o']
    >>> tokenizer.encode("hole")
    [1, 3, 2, 0]
    >>> tokenizer.decode([1, 0, 2, 2, 3])
    'hello'

    `len(tokenizer)` is the size of the vocabulary, V. Raises ValueError for an empty text.
    """

    def __init__(self, text):
        if not text:
            raise ValueError("an empty text has no characters to make a vocabulary of")
        self.vocabulary = sorted(set(text))
        self.ids = {character: i for i, character in enumerate(self.vocabulary)}

    def __len__(self):
        return len(self.vocabulary)

    def encode(self, text):
        """Return the list of the characters' numbers, 0 to V - 1. Raises ValueError for a character that is unknown."""
        for place, character in enumerate(text):
            if character not in self.ids:
                raise ValueError(f"the character {character!r} at place {place} is not one of the {len(self)} known")
        return [self.ids[character] for character in text]

    def decode(self, ids):
        """Return the text of the numbers, a list or a tensor. Raises ValueError for one that is not from 0 to V - 1."""
        ids = [int(i) for i in ids]
        for place, i in enumerate(ids):
            if not 0 <= i < len(self):
                raise ValueError(f"the number {i} at place {place} is not from 0 to {len(self) - 1}")
        return "".join(self.vocabulary[i] for i in ids)


def split(data, share=0.9):
    """Return the first `share` of the data for training and the rest for validation, each of the kind that data is.

    Raises ValueError for a share that is not between 0 and 1, or leaves one part empty.
    """
    n = int(share * len(data))
    if not 0 < n < len(data):
        raise ValueError(f"a share of {share} of {len(data)} tokens leaves one part empty")
    return data[:n], data[n:]


def get_batch(data, block_size, batch_size, generator=None):
    """Return inputs and targets for training: blocks from random places of the data, and the same one place later.

    data is a one-dimensional tensor of token numbers, at least block_size + 1 of them, on any device. Both results
    are on that device, of shape (B, T), where B is batch_size and T is block_size. generator is a
    `torch.Generator` of the CPU; without one, PyTorch's own is used.
    Raises ValueError where there are too few tokens, or a size is below 1.
    """
    if block_size < 1 or batch_size < 1:
        raise ValueError(f"block_size and batch_size must be at least 1, and are {block_size} and {batch_size}")
    if len(data) <= block_size:
        raise ValueError(f"{len(data)} tokens are too few for a block of {block_size}: it takes {block_size + 1}")
    starts = torch.randint(len(data) - block_size, (batch_size, 1), generator=generator)  # (B, 1)
    places = starts + torch.arange(block_size)  # (B, T)
    return data[places], data[places + 1]
