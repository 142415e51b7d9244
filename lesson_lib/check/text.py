"""Checks of lesson 7: chunks and their examples, splits, unknown tokens, vocabularies, batches, byte pairs."""

import random
from collections import Counter

from ._exercise import NotAttempted, Wrong, call, exercise, number, short

LESSON = "07_text"
UNKNOWN = "\N{REPLACEMENT CHARACTER}"


def pair_of(answer, what, parts):
    """Return the answer as a tuple if it is a tuple or list of two; raise Wrong where it is not."""
    if not isinstance(answer, (tuple, list)) or len(answer) != 2:
        raise Wrong("Not a pair", f"{what} should give a pair, {parts}. It gives {short(answer)}.")
    return tuple(answer)


def as_lists(value):
    """Return the value with every tuple and tensor in it as a list, so that only the contents count."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return [as_lists(part) for part in value] if isinstance(value, (list, tuple)) else value


@exercise(
    lesson=LESSON,
    minutes=4,
    allows="You can count the chunks of any text, and none of your batches will run over its end.",
    hints=(
        "Take ten tokens, and blocks of four. Write the places 0 to 9, and draw the last block that fits.",
        "A block that begins at i fills the places i to i + block_size - 1. And where is its last target?",
        "The last target is at i + block_size, so i + block_size may be length - 1 at most. Do not forget i = 0, and "
        "that there cannot be fewer than 0 places.",
    ),
    solution="""
        def chunk_count(length, block_size):
            return max(0, length - block_size)
    """,
    reasons="A chunk is block_size + 1 tokens long, because its last target comes after the block. The last place to "
    "begin is length - block_size - 1, and counted from 0 that makes length - block_size places.",
)
def chunk_count(answer):
    for length, block_size in ((10, 4), (1000, 8), (9, 8), (8, 8), (3, 8)):
        got = number(call(answer, length, block_size), "chunk_count(length, block_size)")
        right = max(0, length - block_size)
        if got == right:
            continue
        told = f"chunk_count({length}, {block_size}) is {got:g} with you, and should be {right}."
        if got == length - block_size + 1:
            raise Wrong("No room for the last target", f"{told} Where is the last block's last target?")
        if got == length - block_size - 1 >= 0:
            raise Wrong("One place is lost", f"{told} Can a block begin at place 0, too?")
        if got in (length // block_size, (length - 1) // block_size) and length > 2 * block_size:
            raise Wrong("Blocks side by side", f"{told} May the second block begin at place 1? Blocks may overlap.")
        if got == (length - block_size) * block_size:
            raise Wrong("Examples, not chunks", f"{told} You counted the examples: {block_size} in each chunk.")
        if got == length:
            raise Wrong("Every place counted", f"{told} Can a block begin at the very last token?")
        if got < 0 and right == 0:
            raise Wrong("Fewer than none", f"{told} The text is too short. How many places are there then?")
        if got == block_size - length > 0:
            raise Wrong(
                "A place in a text that is too short",
                f"{told} Can a chunk of {block_size + 1} tokens begin anywhere in a text of {length}?",
            )
        if got == block_size - length < 0:
            raise Wrong("The wrong way round", f"{told} Which of the two is the larger one?")
        raise Wrong("Not the count", f"{told} Draw the places, and count.")


@exercise(
    lesson=LESSON,
    minutes=6,
    allows="You can read all of a chunk's lessons off it.",
    hints=(
        "How many examples are in a chunk of three tokens? What is the shortest context?",
        "Let t go from 0 to len(chunk) - 2. The context is everything up to and including place t.",
        "chunk[: t + 1] is the context at t: a slice leaves out its end. The target is one place after it.",
    ),
    solution="""
        def examples_of(chunk):
            examples = []
            for t in range(len(chunk) - 1):
                examples.append((chunk[: t + 1], chunk[t + 1]))
            return examples
    """,
    reasons="A slice leaves out its end, so chunk[: t + 1] ends with chunk[t], and chunk[t + 1] is the next token.",
)
def examples_of(answer):
    for chunk in ([7, 8, 9], [3, 1, 4, 1, 5, 9], [4, 2]):
        handed, T = list(chunk), len(chunk) - 1
        made = call(answer, handed)
        told = f"For {chunk} you get {short(made)}."
        got = as_lists(made)
        # in a chunk of three, x and y look like two pairs of tokens; in one of two they do not
        if got == [chunk[:-1], chunk[1:]] and as_lists(call(answer, chunk[:2])) == [chunk[:1], chunk[1:2]]:
            raise Wrong(
                "The rows x and y", f"{told} These are the two rows; the examples are in them. Which is the first?"
            )
        if not isinstance(made, (list, tuple)) or not all(isinstance(e, (list, tuple)) and len(e) == 2 for e in made):
            raise Wrong("Not a list of pairs", f"{told} Each example is a pair: a list, and an id.")
        if got == [[chunk[t], chunk[t + 1]] for t in range(T)]:
            raise Wrong("A token in place of the context", f"{told} A context is a list. Of which tokens?")
        if got in ([[chunk[:t], chunk[t + 1]] for t in range(first, T)] for first in (0, 1)) and got:
            raise Wrong("A token is left out", f"{told} Which token stands between each context and its target?")
        if got == [[chunk[: t + 1], chunk[t + 1]] for t in range(T)]:
            if handed != chunk:
                raise Wrong("The list that came in is changed", f"chunk was {chunk} and is {handed} after the call.")
            continue
        if got == [[chunk[: t + 2], chunk[t + 1]] for t in range(T)]:
            raise Wrong("The target is in the context", f"{told} What is there left to guess?")
        if got in ([[chunk[: t + 1], chunk[t]] for t in range(n)] for n in (T, T + 1)):
            raise Wrong("The targets are not shifted", f"{told} Each target is the last token of its own context.")
        if got in ([[chunk[:t], chunk[t]] for t in range(n)] for n in (T, T + 1)):
            raise Wrong("An example without a context", f"{told} What does the first one go by?")
        if T > 1 and got == [[chunk[:-1], chunk[-1]]]:
            raise Wrong("Only the longest context", f"{told} Shorter contexts have their targets, too.")
        if got == [[[chunk[t]], chunk[t + 1]] for t in range(T)]:
            raise Wrong("Contexts of one token", f"{told} How much of the past may the second target be guessed from?")
        if got == [[chunk[: t + 1], chunk[t + 1]] for t in range(T - 1)]:
            raise Wrong("The last example is missing", f"{told} Is the last token of the chunk a target?")
        if got == [[chunk[t + 1], chunk[: t + 1]] for t in range(T)]:
            raise Wrong("The target comes first", f"{told} First the context, then the target.")
        if got == [[chunk[: t + 1], [chunk[t + 1]]] for t in range(T)]:
            raise Wrong("A list in place of the target", f"{told} A slice is a list; an index gives the id itself.")
        if got == [[chunk[: t + 1], chunk[1 : t + 2]] for t in range(T)]:
            raise Wrong("All targets in each pair", f"{told} One example has one target: the token after its context.")
        if len(got) > 1 and all(context == got[0][0] for context, _ in got):
            raise Wrong("One list for all contexts", f"{told} Is it the same list each time, that goes on growing?")
        raise Wrong("Other examples", f"{told} It should be {[(chunk[: t + 1], chunk[t + 1]) for t in range(T)]}.")


@exercise(
    lesson=LESSON,
    minutes=6,
    allows="You have a part of the data that nobody has looked at, for the very end.",
    hints=(
        "Two cuts make three parts. Where does the second part begin, and where does it end?",
        "data[:a], data[a:b], data[b:], with a at 80 % and b at 90 %.",
    ),
    solution="""
        def three_parts(data):
            a, b = len(data) * 8 // 10, len(data) * 9 // 10
            return data[:a], data[a:b], data[b:]
    """,
    reasons="Each slice begins where the one before it ends, so nothing is lost and nothing is in two parts. The order "
    "stays, so that neighbours are in the same part, but for those at the two cuts.",
)
def three_parts(answer):
    for n in (20, 37):
        data = [10 * i for i in range(n)]
        handed, a, b = list(data), n * 8 // 10, n * 9 // 10
        right = [data[:a], data[a:b], data[b:]]
        made = call(answer, handed)
        if not isinstance(made, (list, tuple)) or len(made) != 3 or not all(isinstance(p, (list, tuple)) for p in made):
            what = short(made)
            if isinstance(made, (list, tuple)) and made:
                if all(isinstance(p, (list, tuple)) for p in made):
                    what = f"{len(made)} part{'s' if len(made) > 1 else ''}"
                elif as_lists(made) == data:
                    what = f"one list of {len(made)}"
            raise Wrong("Not three parts", f"For a list of {n} you return {what}. Three lists are asked for.")
        got = as_lists(made)
        joined = [token for part in got for token in part]
        counts = Counter(map(repr, joined))
        told = f"For a list of {n} tokens your parts have {', '.join(str(len(part)) for part in got)} tokens."
        if joined != data and counts == Counter(map(repr, data)) and any(part != sorted(part) for part in got):
            raise Wrong(
                "Shuffled before the split",
                f"{told} Neighbours are in different parts now. Has the training not seen half of the answers then?",
            )
        if handed != data:
            raise Wrong("The list that came in is changed", f"It had {n} tokens in order, and has {len(handed)} now.")
        if got == right:
            continue
        if any(count > 1 for count in counts.values()):
            twice = next(token for token in data if counts[repr(token)] > 1)
            raise Wrong(
                "The parts overlap",
                f"{told} Token {data.index(twice)} is in two of them. What is a test worth on what was seen before?",
            )
        if missing := [token for token in data if repr(token) not in counts]:
            raise Wrong("Something is lost", f"{told} Token {data.index(missing[0])} is in none of them.")
        if sorted(got) == sorted(right):
            raise Wrong("The parts in another order", f"{told} First training, then validation, then test.")
        if joined == data:
            raise Wrong("Other shares", f"{told} The cuts should be at {a} and {b}.")
        raise Wrong("Not in one piece", f"{told} A part should be a single run of the data. Where are the neighbours?")


@exercise(
    lesson=LESSON,
    minutes=10,
    allows="Your tokenizer never stops, whatever text comes.",
    hints=(
        "Make the dictionary as in the lesson. A dictionary has a method that looks up a key and has a default.",
        "ids.get(character, V) is the id, or V where the character is unknown. For the way back, make a list that is "
        "one longer than the vocabulary.",
        "Define encode and decode inside of with_unknown, and end with `return encode, decode`, without brackets "
        "after the names.",
    ),
    solution="""
        def with_unknown(vocabulary):
            ids = {character: i for i, character in enumerate(vocabulary)}
            signs = [*vocabulary, "\N{REPLACEMENT CHARACTER}"]

            def encode(text):
                return [ids.get(character, len(vocabulary)) for character in text]

            def decode(numbers):
                return "".join(signs[i] for i in numbers)

            return encode, decode
    """,
    reasons="The known ids stay as they are, and the next free number, V, stands for all the rest. Something is lost "
    "on the way: decode cannot know which character it was.",
)
def with_unknown(answer):
    for vocabulary in (["a", "b", "e", "n", "t"], [" ", "x", "y"]):
        handed = list(vocabulary)
        made = call(answer, handed)
        if not isinstance(made, (list, tuple)) or len(made) != 2 or not all(map(callable, made)):
            raise Wrong(
                "Not a pair of functions",
                f"with_unknown({vocabulary}) gives {short(made)}. Return the two functions themselves, not called.",
            )
        encode, decode = made
        known, strange = "".join(vocabulary[::-1]), f"{vocabulary[1]}é{vocabulary[0]}ß{vocabulary[1]}é"
        if _encodes(decode, known, list(range(len(vocabulary)))[::-1]):
            raise Wrong(
                "decode stands first", f"The second function makes ids of {known!r}. First encode, then decode."
            )
        _check_encoded(encode, known, vocabulary)
        _check_encoded(encode, strange, vocabulary)
        if handed != vocabulary:
            told = f"vocabulary was {vocabulary} and is {handed} after the call."
            raise Wrong("The list that came in is changed", told)
        _check_decoded(decode, known, vocabulary)
        _check_decoded(decode, strange, vocabulary)


def _encodes(function, text, ids):
    """Whether the function makes these ids of the text; one that decodes may stop at a text in any way."""
    try:
        return as_lists(function(text)) == ids
    except Exception:
        return False


def _check_encoded(encode, text, vocabulary):
    V = len(vocabulary)
    right = [vocabulary.index(c) if c in vocabulary else V for c in text]
    try:
        made = call(encode, text)
    except (KeyError, ValueError, IndexError) as error:
        if all(c in vocabulary for c in text):
            raise
        raise Wrong(
            "It stops at an unknown character", f"encode({text!r}) raises {type(error).__name__}. It should be {right}."
        ) from None
    told = f"With the vocabulary {vocabulary}, encode({text!r}) gives {short(made)}, and should give {right}."
    if not isinstance(made, (list, tuple)) and not hasattr(made, "tolist"):
        raise Wrong("Not a list of ids", told)
    got = as_lists(made)
    if got == right:
        return
    if all(c in vocabulary for c in text):
        raise Wrong("The known ids have moved", f"{told} Each known character keeps its place in the vocabulary.")
    if got == [i for i in right if i < V]:
        raise Wrong("The unknown is dropped", f"{told} How would one see that something was there?")
    if len(got) == len(right):
        given = [g for g, r in zip(got, right) if r == V]
        if len(set(map(repr, given))) > 1:
            raise Wrong("A new id for each", f"{told} All unknown characters share one id. Else V would have no end.")
        if given[0] in range(V):
            raise Wrong("The unknown gets a known id", f"{told} {given[0]} is {vocabulary[given[0]]!r} already.")
    raise Wrong("Not the id V", f"{told} The ids of the {V} known characters are 0 to {V - 1}. Which one is free?")


def _check_decoded(decode, text, vocabulary):
    V = len(vocabulary)
    ids = [vocabulary.index(c) if c in vocabulary else V for c in text]
    right = "".join(c if c in vocabulary else UNKNOWN for c in text)
    try:
        made = call(decode, ids)
    except (IndexError, KeyError, ValueError) as error:
        raise Wrong(
            "decode does not know the id V",
            f"decode({ids}) raises {type(error).__name__}. With {V} characters, {V} is the id of the unknown.",
        ) from None
    told = f"With the vocabulary {vocabulary}, decode({ids}) gives {short(made)}, and should give {right!r}."
    if made == right:
        return
    if isinstance(made, (list, tuple)):
        raise Wrong("A list, not a text", f"{told} What puts a list of strings together?")
    if made == " ".join(right):
        raise Wrong("Spaces between the tokens", f"{told} The text has its own spaces. What stands before .join?")
    if made == right.replace(UNKNOWN, ""):
        raise Wrong("decode leaves the unknown out", f"{told} A reader should see that something was there.")
    if isinstance(made, str) and len(made) == len(right) and all(m == r for m, r in zip(made, right) if r != UNKNOWN):
        raise Wrong("Another sign for the unknown", told)
    raise Wrong("Another text", told)


class Word(str):
    """A word whose place in a set is told by a salt, as a new start of Python would tell it."""

    salt = 0

    def __hash__(self):
        return hash((self.salt, str(self)))

    __eq__ = str.__eq__


def in_salted_order(answer, words, salt):
    """Return the vocabulary that the answer makes when the words are hashed with this salt."""

    class Salted(Word):
        pass

    Salted.salt = salt
    return [str(word) for word in answer([Salted(word) for word in words], [Salted(words[0])])[0]]


@exercise(
    lesson=LESSON,
    minutes=8,
    allows="Your vocabulary knows only what training may know, and it is the same tomorrow.",
    hints=(
        "Which of the two lists may the vocabulary know?",
        "set(...) keeps each word once, and sorted(...) makes a list with a fixed order of it.",
        "The count: go through validation_words one by one, and count those that are not in the vocabulary.",
    ),
    solution="""
        def word_vocabulary(training_words, validation_words):
            vocabulary = sorted(set(training_words))
            known = set(vocabulary)
            unknown = sum(word not in known for word in validation_words)
            return vocabulary, unknown
    """,
    reasons="The validation words stand for texts that nobody has seen yet, so they have no say in the vocabulary. To "
    "ask a set whether it has a word is quick; a long list would be searched from its beginning each time.",
)
def word_vocabulary(answer):
    training = "to be or not to be that is the question whether it is nobler in the mind to suffer".split()
    validation = "to see or not to see is it the mind or the eye to see".split()
    handed = list(training), list(validation)
    parts = "the vocabulary and the count"
    vocabulary, count = pair_of(call(answer, *handed), "word_vocabulary(training_words, validation_words)", parts)
    if vocabulary is ... or count is ...:
        raise NotAttempted
    if isinstance(count, (list, tuple, set)) and isinstance(vocabulary, int):
        raise Wrong("The two results exchanged", "First the vocabulary, then the count.")
    if isinstance(vocabulary, (set, frozenset)):
        raise Wrong("A set in place of a list", "A set has no order of its own. Which word has the id 0?")
    if not isinstance(vocabulary, (list, tuple)):
        raise Wrong("Not a list of words", f"Your vocabulary is {short(vocabulary)}.")
    if foreign := [word for word in vocabulary if word not in training]:
        if set(vocabulary) == set(validation):
            raise Wrong("Made from the validation words", "Which of the two parts is for learning?")
        if set(vocabulary) >= set(validation):
            raise Wrong(
                "Validation words in the vocabulary",
                f"{foreign[0]!r} is not in training_words. Would you know the word before you have seen that text?",
            )
        raise Wrong("Not a list of words", f"Your vocabulary has {short(foreign[0])}, which is in neither list.")
    if len(set(vocabulary)) < len(vocabulary):
        twice = next(word for word in vocabulary if vocabulary.count(word) > 1)
        raise Wrong("A word more than once", f"{twice!r} is in your vocabulary twice. Which place is its id?")
    if missing := [word for word in training if word not in vocabulary]:
        raise Wrong("A word is missing", f"{missing[0]!r} is in training_words, and not in your vocabulary.")
    orders = {tuple(in_salted_order(answer, training, salt)) for salt in range(4)}
    if len(orders) > 1:
        raise Wrong(
            "The order is left to chance",
            "In another run of Python your list has another order, and each word another id. What does a set not have?",
        )
    if handed != (training, validation):
        raise Wrong("The list that came in is changed", "After the call one of the two lists is no longer what it was.")
    count = number(count, "The count")
    unknown = [word for word in validation if word not in training]
    told = f"You count {count:g}, and it should be {len(unknown)}."
    if count == len(unknown):
        return
    if count == len(set(unknown)):
        raise Wrong("Each unknown word counted once", f"{told} 'see' is unknown three times.")
    if count == len(validation) - len(unknown):
        raise Wrong("The known words counted", told)
    if count == len(unknown) / len(validation):
        raise Wrong("A share, not a count", told)
    raise Wrong("Not the count", told)


@exercise(
    lesson=LESSON,
    minutes=12,
    allows="You wrote get_batch with nothing but lists: inputs, targets one later, places drawn by lot.",
    hints=(
        "One row first: draw a place i. Which slice is its x? And which one, a step later, its y?",
        "x is data[i : i + block_size], y is data[i + 1 : i + block_size + 1]. How many places i are there? Exercise 1 "
        "knows it.",
        "Draw with dice.randrange(len(data) - block_size), anew for each row, and append a slice to x and one to y.",
    ),
    solution="""
        def list_batch(data, block_size, batch_size, dice):
            x, y = [], []
            for _ in range(batch_size):
                i = dice.randrange(len(data) - block_size)
                x.append(data[i : i + block_size])
                y.append(data[i + 1 : i + block_size + 1])
            return x, y
    """,
    reasons="There are len(data) - block_size places to begin, each drawn with the same chance. The dice come from "
    "outside: so they go on from call to call, and their seed alone says which batches there are.",
)
def list_batch(answer):
    T, B, few = 4, 3, list(range(100, 107))
    data = list(range(100, 200))
    handed, dice = list(data), random.Random(7)
    x, y = _rows(answer, handed, T, B, dice)
    again = _rows(answer, handed, T, B, dice)
    if handed != data:
        raise Wrong("The list that came in is changed", "After the call data is no longer what it was.")
    _check_rows(x, y, T)
    if (x, y) == again:
        raise Wrong("The same batch each time", "Two calls, one after the other, gave the same batch. Why?")
    if (x, y) != _rows(answer, list(data), T, B, random.Random(7)):
        raise Wrong("Another source of chance", "The same seed gives two batches. Is every draw made by `dice`?")
    if x.count(x[0]) == B and again[0].count(again[0][0]) == B:
        raise Wrong("One place for all rows", f"All {B} rows are {x[0]}. How often do you draw?")
    # seven tokens: a block of four can begin at 0, 1 or 2
    try:
        rows = [_rows(answer, list(few), T, B, dice) for _ in range(100)]
    except IndexError:
        raise Wrong(
            "One place too far", "With 7 tokens and blocks of 4, your code asks for place 7. Which is the last start?"
        ) from None
    if any(len(row) < T for x, y in rows for row in [*x, *y]):
        raise Wrong(
            "One place too far", "With 7 tokens and blocks of 4, some rows are too short. Which is the last start?"
        )
    for x, y in rows:
        _check_rows(x, y, T)
    starts = {row[0] - 100 for x, _ in rows for row in x}
    told = f"With 7 tokens and blocks of 4, your blocks begin at {', '.join(map(str, sorted(starts)))}."
    if starts == {0, 1}:
        raise Wrong("The last place is never drawn", f"{told} Would a block from 2 have all its targets?")
    if starts == {1, 2}:
        raise Wrong("The first place is never drawn", f"{told} What about place 0?")
    if starts == {0}:
        raise Wrong("Blocks side by side", f"{told} Blocks may begin anywhere, also at 1 and 2.")
    if starts != {0, 1, 2}:
        raise Wrong("Other places", f"{told} It should be 0, 1 and 2.")
    if all(len({row[0] for row in x}) == B for x, _ in rows):
        raise Wrong(
            "No place drawn twice", f"{told} No two rows of a batch share one. And with more rows than places?"
        )


def _rows(answer, data, T, B, dice):
    """Return the answer's x and y as lists of rows; raise Wrong where they are something else."""
    made = call(answer, data, T, B, dice)
    x, y = map(as_lists, pair_of(made, "list_batch(data, block_size, batch_size, dice)", "x and y"))
    for name, rows in (("x", x), ("y", y)):
        lists = [isinstance(row, list) for row in rows] if isinstance(rows, list) else [False]
        if name == "y" and len(lists) == B and not any(lists):
            raise Wrong("One target for each row", f"y is {short(rows)}. Each of the {T} places has a target.")
        if not all(lists):
            raise Wrong("Not a list of rows", f"{name} should be a list of lists, and is {short(rows)}.")
        if len(rows) != B:
            raise Wrong("Not batch_size rows", f"{name} has {len(rows)} rows, and batch_size is {B}.")
    return x, y


def _check_rows(x, y, T):
    """Raise Wrong where a row is no run of T tokens, or its targets are not the same one place later."""
    told = f"A row of x is {x[0]} and of y {y[0]}; the data are 100, 101, 102, …."
    for row, targets in zip(x, y):
        if len(row) == T + 1:
            raise Wrong("The last target is in x", f"{told} block_size is {T}: how long should a row of x be?")
        if len(row) != T or len(targets) != T:
            raise Wrong("Not block_size ids in a row", f"{told} block_size is {T}.")
        if targets == row:
            raise Wrong("The targets are not shifted", f"{told} What would a model learn from that?")
        if row != list(range(row[0], row[0] + T)):
            raise Wrong("Rows that are not in one piece", f"{told} A row is a slice of the data.")
        if targets == [token - 1 for token in row]:
            raise Wrong("Shifted the wrong way", f"{told} Which one comes later in the text?")
        if targets != [token + 1 for token in row]:
            raise Wrong("Not one place later", f"{told} The target of {row[0]} is {row[0] + 1}.")


def merge(tokens, pair, everywhere=True):
    """Return the tokens with the pair joined, from left to right: everywhere, or at the first place only."""
    made, i = [], 0
    while i < len(tokens):
        if tuple(tokens[i : i + 2]) == pair and (everywhere or len(made) == i):
            made.append(tokens[i] + tokens[i + 1])
            i += 2
        else:
            made.append(tokens[i])
            i += 1
    return made


def twice(tokens, pair):
    """The slip in which a token can be the second of one pair and the first of the next."""
    made, hits = [], [tuple(tokens[i : i + 2]) == pair for i in range(len(tokens))]
    for i, token in enumerate(tokens):
        if hits[i]:
            made.append("".join(pair))
        elif not (i and hits[i - 1]):
            made.append(token)
    return made


@exercise(
    lesson=LESSON,
    minutes=12,
    allows="You can merge a pair, and that is the whole of byte-pair encoding's step.",
    hints=(
        "After a merge, one token must be jumped over. One way: a while loop with a place i, and i += 1, or i += 2 "
        "after a merge. (A for loop can do it too, if it remembers that a token is used already.)",
        "At place i: is i + 1 still in the list, and are the two tokens the pair? Then append both joined, and i += 2. "
        "Else append tokens[i], and i += 1.",
        "tuple(tokens[i : i + 2]) == tuple(pair) also works at the last place: there the slice has a single token.",
    ),
    solution="""
        def merge_pair(tokens, pair):
            made, i = [], 0
            while i < len(tokens):
                if tuple(tokens[i : i + 2]) == tuple(pair):
                    made.append(tokens[i] + tokens[i + 1])
                    i += 2
                else:
                    made.append(tokens[i])
                    i += 1
            return made
    """,
    reasons="After a merge the place moves on by two, so no token is used twice. It is tokens that are compared, not "
    "letters: inside of a token nothing is merged.",
)
def merge_pair(answer):
    cases = (
        (["a", "n", "d", "a", "n", "b"], ("a", "n")),
        (["ba", "n", "a", "nd"], ("a", "n")),
        (["b", "a", "n", "a", "n", "a"], ("a", "n")),
        (["b", "an", "an", "a"], ("an", "a")),
        (["a", "na", "an", "a"], ("an", "a")),
        (["n", "a", "a", "n"], ("a", "n")),
        (["t", "o"], ("b", "e")),
        (["a", "a", "a"], ("a", "a")),
        (["a", "a", "a", "a", "b"], ("a", "a")),
    )
    for tokens, pair in cases:
        handed, right = list(tokens), merge(tokens, pair)
        made = call(answer, handed, pair)
        told = f"merge_pair({tokens}, {pair}) gives {short(made)}, and should give {right}."
        if isinstance(made, str):
            raise Wrong("A text, not a list", f"{told} In a text nobody can see the borders of the tokens.")
        if not isinstance(made, (list, tuple)):
            raise Wrong("Not a list of tokens", told)
        got = list(made)
        if got == right and handed == tokens:
            continue
        if handed != tokens:
            raise Wrong("The list that came in is changed", f"tokens was {tokens} and is {handed} after the call.")
        if not all(isinstance(token, str) for token in got):
            raise Wrong("A token that is no string", f"{told} A merged pair is one string: the two added together.")
        if "".join(got) != "".join(tokens):
            if "".join(got) == "".join(twice(tokens, pair)):
                raise Wrong("A token used twice", f"{told} After a merge, where does the search go on?")
            if got == right[:-1]:
                raise Wrong("The last token is lost", f"{told} How far does your loop go?")
            if [token.replace(" ", "") for token in got] == right:
                raise Wrong("Something between the two", f"{told} A token is exactly what stands in the text.")
            others = [token for token in tokens if token not in pair]
            if got == others + ["".join(pair)] * (len(tokens) - len(right)):
                raise Wrong("The places are lost", f"{told} A merge happens where the pair stands.")
            raise Wrong("The text is another one", f"{told} Joined together, the tokens should still spell the same.")
        if got == [token[::-1] for token in merge(tokens[::-1], pair[::-1])[::-1]]:
            raise Wrong("From right to left", f"{told} At which end do you begin?")
        if got == merge(tokens[:-1], pair) + tokens[-1:]:
            raise Wrong("The pair at the end is missed", f"{told} Which is the last place where a pair can begin?")
        if got == merge(tokens, pair, everywhere=False):
            raise Wrong("Only the first place", f"{told} The pair is there more than once.")
        if got == tokens:
            raise Wrong("The pair is not found", f"{told} What do you compare? A list never equals a tuple.")
        if any(token == pair[1] + pair[0] for token in got):
            raise Wrong("The pair in either order", f"{told} {pair[1] + pair[0]!r} is another pair.")
        if tokens == ["ba", "n", "a", "nd"]:
            raise Wrong("Letters merged, not tokens", f"{told} Is there a token {pair[0]!r} before {pair[1]!r}?")
        if got[0] == "ana":
            raise Wrong("The letters compared, not the tokens", f"{told} 'a', 'na' spell the same. Are they the pair?")
        if "".join(pair) * 2 in got or tokens[0] * 3 in got:
            raise Wrong("More than two joined", f"{told} One merge makes one token of two.")
        raise Wrong("Other tokens", told)


def byte_pairs(text, merges, pick=None, everywhere=True, across_spaces=True, least=1):
    """Return the tokens after so many merges; the options are slips. pick chooses a pair from a Counter."""
    tokens = list(text)
    for _ in range(merges):
        counts = Counter(zip(tokens, tokens[1:]))
        if not across_spaces:
            counts = Counter({pair: n for pair, n in counts.items() if " " not in "".join(pair)})
        counts = Counter({pair: n for pair, n in counts.items() if n >= least})
        if not counts:
            break
        tokens = merge(tokens, (pick or first_of_most)(counts), everywhere)
    return tokens


def first_of_most(counts):
    return max(counts, key=counts.get)


def last_of_most(counts):
    return max(reversed(counts), key=counts.get)


def smallest_of_most(counts):
    return min(counts, key=lambda pair: (-counts[pair], pair))


def largest_of_most(counts):
    return max(counts, key=lambda pair: (counts[pair], pair))


def rarest(counts):
    return min(counts, key=counts.get)


def counted_once(text, merges):
    tokens = list(text)
    for pair, _ in Counter(zip(tokens, tokens[1:])).most_common(merges):
        tokens = merge(tokens, pair)
    return tokens


@exercise(
    lesson=LESSON,
    minutes=15,
    allows="You built byte-pair encoding. The tokenizers of large language models learn in this way.",
    hints=(
        "tokens = list(text) to begin with. zip(tokens, tokens[1:]) gives all pairs of neighbours.",
        "collections.Counter counts them. It remembers which came first, so max(counts, key=counts.get) is the most "
        "frequent pair, and of several the first.",
        "Count the pairs anew in each turn: a merge makes new pairs. If there are none any more, break.",
    ),
    solution="""
        def merged(text, merges):
            tokens = list(text)
            for _ in range(merges):
                counts = collections.Counter(zip(tokens, tokens[1:]))
                if not counts:
                    break
                tokens = merge_pair(tokens, max(counts, key=counts.get))
            return tokens
    """,
    reasons="Each merge changes who is whose neighbour, so the pairs are counted anew each time. A Counter keeps its "
    "keys in the order in which they first came, and max takes the first of equals.",
)
def merged(answer):
    cases = (
        ("to be or not", 0), ("banana bandana", 1), ("aaaaabcbcbc", 1), ("cd1ab2yz3mn4cd5ab6yz7mn", 1),
        ("banana bandana", 3),
        ("to be or not to be", 4), ("she sells sea shells", 5), ("ab", 5),
    )  # fmt: skip
    for text, merges in cases:
        right = byte_pairs(text, merges)
        try:
            made = call(answer, text, merges)
        except (ValueError, IndexError):
            if text != "ab":
                raise
            raise Wrong(
                "It stops with an error when nothing is left",
                "merged('ab', 5): after one merge there is a single token, and no pair any more. What now?",
            ) from None
        told = f"merged({text!r}, {merges}) gives {short(made)}, and should give {right}."
        if isinstance(made, str):
            raise Wrong("A text, not a list", f"{told} In a text nobody can see the borders of the tokens.")
        got = list(made) if isinstance(made, (list, tuple, set, dict)) else None
        if isinstance(made, (set, dict)) or got and len(got) < len(text) and sorted(map(str, got)) == sorted(set(text)):
            raise Wrong("The vocabulary, not the tokens", f"{told} All tokens of the text, in order, are asked for.")
        if got is None:
            raise Wrong("Not a list of tokens", told)
        if got == right:
            continue
        if got == byte_pairs(text, merges + 1):
            raise Wrong("One merge too many", told)
        if merges == 0:
            raise Wrong("It does not begin with characters", told)
        if got == byte_pairs(text, merges, everywhere=False):
            raise Wrong("Merged in one place only", f"{told} The pair is merged everywhere in the text.")
        if text == "aaaaabcbcbc" and "bc" in got:
            raise Wrong("Pairs that overlap are missed", f"{told} In 'aaa' the pair 'aa' is there twice.")
        if got == byte_pairs(text, merges, pick=rarest):
            raise Wrong("The rarest pair", f"{told} Which pair makes the text shortest?")
        if got == byte_pairs(text, merges, pick=last_of_most):
            raise Wrong("The last of equals", f"{told} Of several, take the one that comes first in the text.")
        if any(got == byte_pairs(text, merges, pick=pick) for pick in (smallest_of_most, largest_of_most)):
            raise Wrong("Equals by the alphabet", f"{told} Of several, take the one that comes first in the text.")
        if got == counted_once(text, merges):
            raise Wrong("The pairs are counted only once", f"{told} After a merge there are new pairs.")
        if got == byte_pairs(text, merges - 1):
            raise Wrong("One merge too few", told)
        if got == byte_pairs(text, merges, least=2):
            raise Wrong("It stops too early", f"{told} A pair that occurs once is a pair, too.")
        if got == byte_pairs(text, merges, across_spaces=False):
            raise Wrong("No merges across spaces", f"{told} Here a space is a character like any other.")
        raise Wrong("Other tokens", told)
