"""The loader against a real server and broken caches, and against files that are no text."""

import contextlib
import http.server
import pathlib
import threading

import pytest

from lesson_lib import corpus

REAL = b"First Citizen:\nBefore we proceed any further, hear me speak.\n" * 400


@pytest.fixture
def world(monkeypatch, tmp_path):
    """A world in which REAL is tiny Shakespeare: its size and its sum are the right ones, and no cache is there."""
    monkeypatch.setattr(corpus, "SIZE", len(REAL))
    monkeypatch.setattr(corpus, "SHA_256", corpus.hashlib.sha256(REAL).hexdigest())
    monkeypatch.setenv("LESSON_LIB_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("LESSON_LIB_DATA", raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@contextlib.contextmanager
def server(answer):
    """A server on this machine that answers each request by answer(handler); gives its address and the requests."""
    asked, end = [], threading.Event()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                answer(self, end)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        threading.Thread(target=running.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{running.server_port}/input.txt", asked
        finally:
            end.set()
            running.shutdown()


def send(data, length=None):
    """Return an answer: status 200 with these bytes; `length` is what the header says, all of them by default."""

    def answer(handler, end):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(data) if length is None else length))
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def slowly(handler, end):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(REAL)))
    handler.end_headers()
    for byte in REAL:
        handler.wfile.write(bytes([byte]))
        if end.wait(0.05):
            return


def silence(handler, end):
    end.wait()


def endless(handler, end):
    handler.send_response(200)
    handler.end_headers()
    while not end.is_set():
        handler.wfile.write(REAL)


def missing(handler, end):
    handler.send_error(404)


def hang_up(handler, end):
    handler.close_connection = True


def garbage(handler, end):
    handler.wfile.write(b"this is not HTTP")


def cache():
    return corpus._cache()


def leftovers():
    """Return the names of the files beside the cached text."""
    return [path.name for path in cache().parent.glob("*") if path != cache()]


def last_line(capsys):
    """Return the line that load printed, without the progress before it."""
    out = capsys.readouterr().out
    assert out.endswith("\n") and out.count("\n") == 1
    return out.rpartition("\r")[2].strip()


# where the text comes from


def test_the_right_file_is_downloaded_once_and_kept(world, monkeypatch, capsys):
    with server(send(REAL)) as (url, asked):
        monkeypatch.setattr(corpus, "URL", url)
        assert corpus.load() == REAL.decode()
        assert last_line(capsys) == "tiny Shakespeare, downloaded now: 24,400 characters"
        assert corpus.load() == REAL.decode()
        assert last_line(capsys) == "tiny Shakespeare from your cache: 24,400 characters"
        assert len(asked) == 1
    assert cache().read_bytes() == REAL and leftovers() == []


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (send(REAL.replace(b"F", b"G", 1)), "another file came in its place"),
        (send(REAL + b"more"), "another file came in its place"),
        (send(b"<html>Please log in to this network</html>"), "only 42 bytes came"),
        (send(REAL[:1000]), "only 1,000 bytes came"),
        (send(REAL[:1000], length=len(REAL)), "1,000 bytes"),
        (send(b""), "only 0 bytes came"),
        (missing, "Not Found"),
        (hang_up, "closed connection without response"),
        (garbage, "this is not HTTP"),
        (slowly, "bytes came in 1 seconds"),
        (silence, "0 of 24,400 bytes came in 1 seconds"),
        (endless, "another file came in its place"),
    ],
    ids=["wrong", "longer", "login page", "half", "half and a lie", "nothing", "404", "hangs up", "garbage", "slow",
         "silent", "endless"],
)  # fmt: skip
def test_what_is_not_the_right_file_is_never_used(answer, reason, world, monkeypatch, capsys):
    monkeypatch.setattr(corpus, "SECONDS", 1)
    with server(answer) as (url, _):
        monkeypatch.setattr(corpus, "URL", url)
        got = corpus.load()
    assert got == corpus.builtin_text()
    line = last_line(capsys)
    assert line.startswith("Python's own documentation: ") and reason in line
    assert not cache().exists() and leftovers() == []


def test_where_there_is_no_server_the_builtin_text_comes(world, monkeypatch, capsys):
    with server(missing) as (url, _):
        pass
    monkeypatch.setattr(corpus, "URL", url)  # nobody listens there any longer
    assert corpus.load() == corpus.builtin_text()
    assert "refused" in last_line(capsys)


def test_an_address_that_cannot_be_one_is_named_as_the_reason(world, monkeypatch, capsys):
    monkeypatch.setattr(corpus, "URL", f"http://{'a' * 64}.invalid/input.txt")
    assert corpus.load() == corpus.builtin_text()
    assert "too long" in last_line(capsys)


def test_a_damaged_cache_is_replaced(world, monkeypatch, capsys):
    for damaged in (b"", REAL[:-1], REAL + b"x", b"\xff\xfe"):
        cache().parent.mkdir(exist_ok=True)
        cache().write_bytes(damaged)
        with server(send(REAL)) as (url, _):
            monkeypatch.setattr(corpus, "URL", url)
            assert corpus.load() == REAL.decode()
        assert "downloaded now" in last_line(capsys)
        assert cache().read_bytes() == REAL


def test_a_broken_download_never_replaces_a_good_file(world, monkeypatch, capsys):
    cache().parent.mkdir()
    cache().write_bytes(REAL)
    with server(send(b"wrong")) as (url, asked):
        monkeypatch.setattr(corpus, "URL", url)
        assert corpus.load() == REAL.decode() and asked == []


def test_a_full_disk_costs_only_the_cache(world, monkeypatch, capsys):
    def full(path, data):
        with open(path, "wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "write_bytes", full)
    with server(send(REAL)) as (url, _):
        monkeypatch.setattr(corpus, "URL", url)
        assert corpus.load() == REAL.decode()
    assert "(and not kept for the next time: No space left on device)" in last_line(capsys)
    assert not cache().exists() and leftovers() == []


def test_a_cache_that_cannot_be_written_costs_only_the_cache(world, monkeypatch, capsys):
    (world / "home").write_text("a file where the folder should be")
    with server(send(REAL)) as (url, _):
        monkeypatch.setattr(corpus, "URL", url)
        assert corpus.load() == REAL.decode()
    assert "(and not kept for the next time: " in last_line(capsys)
    assert (world / "home").read_text() == "a file where the folder should be"


def test_a_read_only_folder_costs_only_the_cache(world, monkeypatch, capsys):
    def refuse(self, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(self))

    # the administrator may write everywhere, so the folder's own bits would not do
    monkeypatch.setattr(pathlib.Path, "mkdir", refuse)
    with server(send(REAL)) as (url, _):
        monkeypatch.setattr(corpus, "URL", url)
        assert corpus.load() == REAL.decode()
    assert "(and not kept for the next time: Permission denied)" in last_line(capsys)


def test_an_interrupt_ends_the_wait(world, monkeypatch):
    def interrupt(self, timeout=None):
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", interrupt)
    with server(silence) as (url, _):
        monkeypatch.setattr(corpus, "URL", url)
        with pytest.raises(KeyboardInterrupt):
            corpus.load()


def test_the_folder_of_the_environment_comes_first(world, monkeypatch, capsys):
    cache().parent.mkdir()
    cache().write_bytes(REAL)
    folder = world / "data"
    folder.mkdir()
    monkeypatch.setenv("LESSON_LIB_DATA", str(folder))
    (folder / corpus.NAME).write_bytes(REAL)
    assert corpus.load() == REAL.decode()
    assert last_line(capsys) == "tiny Shakespeare from the folder in LESSON_LIB_DATA: 24,400 characters"
    (folder / corpus.NAME).write_text("To be")
    assert corpus.load() == "To be"
    line = "tiny_shakespeare.txt, which is not the original, from the folder in LESSON_LIB_DATA: 5 characters"
    assert last_line(capsys) == line
    (folder / corpus.NAME).unlink()
    with pytest.raises(FileNotFoundError, match="there is no file .*data.*tiny_shakespeare.txt"):
        corpus.load()


def test_the_real_sum_and_size_are_those_of_the_file_that_is_fetched():
    assert corpus.SIZE == 1_115_394
    assert corpus.SHA_256 == "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"


# a file of one's own


@pytest.mark.parametrize("words", ["To be, or not to be", "学而时习之，不亦说乎？\n", "🙂🙃 naïve ﷽\n", "x"])
def test_any_text_in_utf_8_is_read(words, tmp_path, capsys):
    path = tmp_path / "mine.txt"
    path.write_text(words, encoding="utf-8")
    assert corpus.load(path) == corpus.load(str(path)) == words
    assert capsys.readouterr().out == f"mine.txt: {len(words):,} characters\n" * 2


def test_what_other_systems_add_is_taken_away(tmp_path):
    (tmp_path / "mine.txt").write_bytes(b"\xef\xbb\xbfone\r\ntwo\r\n")
    assert corpus.load(tmp_path / "mine.txt") == "one\ntwo\n"


def test_a_file_that_is_no_text_is_told_where(tmp_path):
    path = tmp_path / "mine.txt"
    path.write_bytes("Grüße".encode("latin-1"))
    with pytest.raises(ValueError, match=r"mine\.txt is not text in UTF-8: byte 0xfc at place 2 is none of it"):
        corpus.load(path)


def test_an_empty_file_a_folder_and_a_missing_path_are_told_apart(tmp_path):
    (tmp_path / "empty.txt").touch()
    with pytest.raises(ValueError, match=r"empty\.txt is empty: there is nothing to learn from"):
        corpus.load(tmp_path / "empty.txt")
    with pytest.raises(IsADirectoryError, match="is a folder, and a text file is expected"):
        corpus.load(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"there is no file .*nowhere\.txt"):
        corpus.load(tmp_path / "nowhere.txt")


# the built-in text


def test_the_builtin_text_is_long_and_repeats_no_paragraph():
    words = corpus.builtin_text()
    assert 300_000 < len(words) < 600_000 and words == corpus.builtin_text() != corpus.builtin_text(seed=2)
    paragraphs = words.split("\n\n")
    assert len(paragraphs) == len(set(paragraphs)) > 1000
    assert "lambda" in words and 80 < len(set(words)) < 250
