"""Tokenizer, split and batches against their definitions."""

import doctest

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lesson_lib import corpus, text
from lesson_lib.text import CharTokenizer, get_batch, split


def test_load_is_here_too():
    assert text.load is corpus.load and text.builtin_text is corpus.builtin_text


# the tokenizer


def test_the_docstring_s_example():
    assert doctest.testmod(text).attempted >= 4 and doctest.testmod(text).failed == 0


@given(st.text(min_size=1), st.data())
def test_what_is_encoded_is_decoded_again(words, data):
    tokenizer = CharTokenizer(words)
    assert tokenizer.vocabulary == sorted(set(words)) and len(tokenizer) == len(set(words))
    some = data.draw(st.text(st.sampled_from(words)))
    ids = tokenizer.encode(some)
    assert len(ids) == len(some) and all(0 <= i < len(tokenizer) for i in ids)
    assert tokenizer.decode(ids) == tokenizer.decode(torch.tensor(ids, dtype=torch.long)) == some


def test_an_unknown_character_is_named_with_its_place():
    with pytest.raises(ValueError, match="^the character 'é' at place 3 is not one of the 4 known$"):
        CharTokenizer("hello").encode("helé")


@pytest.mark.parametrize("bad", [-1, 4])
def test_an_unknown_number_is_named_with_its_place(bad):
    with pytest.raises(ValueError, match=f"^the number {bad} at place 1 is not from 0 to 3$"):
        CharTokenizer("hello").decode([0, bad])


def test_an_empty_text_has_no_vocabulary():
    with pytest.raises(ValueError, match="an empty text"):
        CharTokenizer("")


# training and validation


@pytest.mark.parametrize("data", ["abcdefghij", list(range(10)), torch.arange(10)], ids=["text", "list", "tensor"])
def test_the_split_keeps_all_and_the_order(data):
    train, validation = split(data)
    assert (len(train), len(validation)) == (9, 1) and type(train) is type(data)
    assert [*train, *validation] == [*data]
    assert len(split(data, 0.5)[0]) == 5


@pytest.mark.parametrize(
    ("data", "share"), [("abc", 0), ("abc", 1), ("abc", -0.5), ("abc", 1.5), ("a", 0.9), ("", 0.9)]
)
def test_a_split_that_leaves_one_part_empty_is_refused(data, share):
    with pytest.raises(ValueError, match=f"^a share of {share} of {len(data)} tokens leaves one part empty"):
        split(data, share)


# batches


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("block_size", "batch_size"), [(1, 1), (8, 4), (99, 3)])
def test_a_batch_is_blocks_of_the_text_and_the_same_one_place_later(block_size, batch_size):
    x, y = get_batch(torch.arange(100), block_size, batch_size, generator())
    assert x.shape == y.shape == (batch_size, block_size) and x.dtype == torch.int64
    # the data are their own places
    assert torch.equal(y, x + 1) and torch.equal(x, x[:, :1] + torch.arange(block_size))
    assert x.is_contiguous() and y.is_contiguous()


def test_every_place_is_drawn_the_first_and_the_last_too():
    x, y = get_batch(torch.arange(12), 8, 1000, generator())
    assert set(x[:, 0].tolist()) == {0, 1, 2, 3} and y.max() == 11
    counts = torch.bincount(x[:, 0])
    assert counts.min() > 200


def test_the_generator_alone_decides():
    data = torch.arange(1000)
    torch.manual_seed(0)
    first = get_batch(data, 8, 4, generator())
    torch.manual_seed(1)
    again = get_batch(data, 8, 4, generator())
    assert all(torch.equal(a, b) for a, b in zip(first, again))
    assert not torch.equal(first[0], get_batch(data, 8, 4, generator(2))[0])
    assert not torch.equal(get_batch(data, 8, 4)[0], get_batch(data, 8, 4)[0])


def test_the_batch_is_where_the_data_is():
    x, y = get_batch(torch.arange(100, device="meta"), 8, 4, generator())
    assert x.device.type == y.device.type == "meta"


@pytest.mark.parametrize("n", [0, 7, 8])
def test_too_short_a_text_is_told_how_long_it_must_be(n):
    with pytest.raises(ValueError, match=f"^{n} tokens are too few for a block of 8: it takes 9$"):
        get_batch(torch.arange(n), 8, 4)
    assert get_batch(torch.arange(9), 8, 4)[0].shape == (4, 8)


@pytest.mark.parametrize(("block_size", "batch_size"), [(0, 4), (-1, 4), (8, 0)])
def test_a_size_below_1_is_refused(block_size, batch_size):
    with pytest.raises(ValueError, match=f"at least 1, and are {block_size} and {batch_size}$"):
        get_batch(torch.arange(100), block_size, batch_size)
