"""The text that the lessons learn from: found in a folder, a cache, the network, or in Python itself.

Tiny Shakespeare is from Andrej Karpathy's char-rnn of 2015, and the text of his lecture "Let's build GPT: from
scratch, in code, spelled out". Nothing is taken for it whose SHA-256 is not its own.
"""

import hashlib
import http.client
import os
import pathlib
import random
import re
import threading
import time
import urllib.request

import platformdirs

NAME = "tiny_shakespeare.txt"
URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
SIZE = 1_115_394  # bytes
SHA_256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
SECONDS = 10  # that a download may take


def load(path=None):
    """Return a text to learn from, a string, and print one line that says which one it is.

    With a path it is that file. Without one it is tiny Shakespeare: from the folder that the environment variable
    `LESSON_LIB_DATA` names, else from the cache of an earlier download, else downloaded now. Where that cannot be
    done within SECONDS, it is the documentation that comes with Python (`builtin_text`).
    Raises ValueError for a file that is empty or no UTF-8 text, and OSError, with the path, where it cannot be read.
    """
    if path is not None:
        text = _read(pathlib.Path(path))
        print(f"{pathlib.Path(path).name}: {len(text):,} characters")
        return text
    if folder := os.environ.get("LESSON_LIB_DATA"):
        text = _read(pathlib.Path(folder) / NAME)
        which = "tiny Shakespeare" if _is_tiny_shakespeare(text.encode()) else f"{NAME}, which is not the original,"
        print(f"{which} from the folder in LESSON_LIB_DATA: {len(text):,} characters")
        return text
    cache = _cache()
    if text := _cached(cache):
        print(f"tiny Shakespeare from your cache: {len(text):,} characters")
        return text
    try:
        data = _download(URL, SECONDS)
    except OSError as error:
        text = builtin_text()
        print(f"Python's own documentation: {len(text):,} characters (no tiny Shakespeare: {error})")
        return text
    kept = _keep(cache, data)
    print(f"tiny Shakespeare, downloaded now{kept}: {len(data):,} characters")
    return data.decode()


def builtin_text(seed=1):
    """Return the text of Python's own `help()`: the topics in an order drawn from the seed, no paragraph twice.

    Every Python has it, and every version has another one: about 400,000 characters.
    """
    from pydoc_data.topics import topics

    names = sorted(topics)
    random.Random(seed).shuffle(names)
    paragraphs = [part for name in names for part in re.split(r"\n{2,}", topics[name].strip("\n"))]
    return "\n\n".join(dict.fromkeys(paragraphs)) + "\n"


def _read(path):
    if path.is_dir():  # not on every system is it told as such
        raise IsADirectoryError(f"{path} is a folder, and a text file is expected")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        bad, place = error.object[error.start], error.start
        raise ValueError(f"{path} is not text in UTF-8: byte {bad:#04x} at place {place:,} is none of it") from None
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no file {path}") from None
    if not text:
        raise ValueError(f"{path} is empty: there is nothing to learn from")
    return text


def _is_tiny_shakespeare(data):
    return hashlib.sha256(data).hexdigest() == SHA_256


def _cache():
    """Return the path of the cached text: in `LESSON_LIB_HOME` where that is set, else in the user's cache folder."""
    home = os.environ.get("LESSON_LIB_HOME") or platformdirs.user_cache_dir("lesson_lib", appauthor=False)
    return pathlib.Path(home) / NAME


def _cached(path):
    """Return the cached text, or None where there is none, or it is not what it should be."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    return data.decode() if _is_tiny_shakespeare(data) else None


def _keep(path, data):
    """Write the cache, all or nothing; return "" or, where that cannot be done, words on it."""
    part = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            part.write_bytes(data)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        return f" (and not kept for the next time: {error.strerror})"
    return ""


def _download(url, seconds):
    """Return the bytes of tiny Shakespeare, from the URL. Raises OSError with the reason when that fails."""
    got, problems = bytearray(), []

    def fetch():
        try:
            # the wait below ends first, and says how far it came; this only ends the thread
            with urllib.request.urlopen(url, timeout=2 * seconds) as response:
                while len(got) <= SIZE and (part := response.read1()):
                    got.extend(part)
        # ValueError is what an address or a proxy that cannot be one raises
        except (OSError, ValueError, http.client.HTTPException) as error:
            problems.append(getattr(error, "reason", error))

    # in a thread, because no time limit of a socket ends a wait for a name server, or for a byte now and then
    thread = threading.Thread(target=fetch, daemon=True)
    thread.start()
    end = time.monotonic() + seconds
    while thread.is_alive() and time.monotonic() < end:
        thread.join(0.5)
        if thread.is_alive():
            print(f"\rdownloading tiny Shakespeare: {len(got) / SIZE:4.0%}", end="", flush=True)
    print("\r", end="")
    data = bytes(got)
    if _is_tiny_shakespeare(data):
        return data
    if thread.is_alive():
        raise TimeoutError(f"{len(data):,} of {SIZE:,} bytes came in {seconds} seconds")
    if problems:
        raise ConnectionError(str(problems[0]))
    raise ConnectionError("another file came in its place" if len(data) >= SIZE else f"only {len(data):,} bytes came")
