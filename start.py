"""The way into the course: makes its own Python environment in .venv, then opens the lessons or runs the tests.

    python3 start.py lab     open JupyterLab at the start page (on Windows: py start.py lab)
    python3 start.py test    run every test                    (on Windows: py start.py test)
    python3 start.py site    make web pages of the lessons, in the folder build/site

The first run downloads what the course needs, about 350 MB. Every later one takes a second or two.
Whatever you write behind is handed on, as in `start.py lab --no-browser` or `start.py test -k micrograd`.
"""

# Python alone runs this file, an old one too: then check_python says what is wrong. So the syntax and
# the imports are those of Python 3.6, and what is printed stays ASCII for old Windows consoles.

import csv
import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
WINDOWS, LINUX = os.name == "nt", sys.platform == "linux"

COMMANDS = {
    "lab": [
        "jupyterlab",
        f"--ServerApp.root_dir={ROOT}",
        "--LabApp.default_url=/lab/tree/notebooks/00_start_here.ipynb",
    ],
    # one file never runs on two workers: the cells of a notebook need each other
    "test": ["pytest", "-n", "2", "--dist", "loadfile"],
    "site": ["lesson_lib.site"],
}

# JupyterLab asks each new user whether it may fetch news, on top of the first lesson
LAB_SETTINGS = {"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False}}


class Stop(Exception):
    """The set-up cannot go on. The message says why, and what to do."""


def say(words):
    print(words, flush=True)


# which Python


def check_python():
    """Raise Stop where the Python that runs this file is too old, or has 32 bits."""
    version = "{}.{}.{}".format(*sys.version_info)
    if sys.version_info < OLDEST:
        newer = [name for name in ("python3.13", "python3.12", "python3.11", "python3.14") if runs(name)]
        way = f"Here is a newer one: {newer[0]} {' '.join(sys.argv)}" if newer else "Newer ones are at python.org."
        raise Stop(f"The course needs Python 3.11 or newer, and this is Python {version} ({sys.executable}).\n{way}")
    if sys.maxsize < 2**32:
        raise Stop(f"The course needs a 64-bit Python, and this one has 32 bits ({sys.executable}).")


def runs(name):
    """Whether there is a program of this name that runs: pyenv, for one, leaves names of Pythons that do not."""
    path = shutil.which(name)
    try:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        return bool(path) and subprocess.run([path, "--version"], **quiet).returncode == 0
    except OSError:
        return False


def base_python():
    """Return the Python outside of any environment: on Windows one inside .venv could not replace .venv."""
    return getattr(sys, "_base_executable", None) or sys.executable


def venv_python():
    return VENV / ("Scripts/python.exe" if WINDOWS else "bin/python")


def site_packages():
    return Path(sysconfig.get_path("purelib", "venv", vars={"base": str(VENV), "platbase": str(VENV)}))


def environment():
    """Return the environment variables with which everything in .venv runs."""
    env = dict(os.environ)
    # these would mix another Python's packages into .venv, and PIP_USER would install outside of it
    for name in ("PYTHONHOME", "PYTHONPATH"):
        env.pop(name, None)
    env.update(PIP_USER="0", PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1")
    env.update(PYTHONUTF8="1", VIRTUAL_ENV=str(VENV), PATH=str(venv_python().parent) + os.pathsep + env.get("PATH", ""))
    # the kernel must be the one in .venv, or the labs' widgets show as text
    env["JUPYTER_PREFER_ENV_PATH"] = "1"
    return env


# what is in .venv already


def made_for():
    """Return what .venv is tied to: its folder and the kind of Python. Where that changes, it is made anew."""
    return [str(ROOT), sysconfig.get_config_var("EXT_SUFFIX")]


def fingerprint():
    """Return one hash of the files that say what to install."""
    files = [(ROOT / name).read_bytes() for name in ("pyproject.toml", "constraints.txt")]
    return hashlib.sha256(b"\0".join(files)).hexdigest()


def dist_infos():
    """Return the folders that describe what is installed in .venv: one for each package, name-version.dist-info."""
    return list(site_packages().glob("*.dist-info"))


def packages():
    """Return {name: version} of everything installed in .venv."""
    return dict(folder.stem.partition("-")[::2] for folder in dist_infos())


def read_stamp():
    """Return what the last complete set-up wrote into .venv; an empty dict where there is none or it is damaged."""
    try:
        stamp = json.loads((VENV / "start.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def write_stamp(**what):
    stamp = {"made_for": made_for(), **what}
    (VENV / "start.json").write_text(json.dumps(stamp, indent=1), encoding="utf-8")


def theirs(stamp):
    """Return the names of the packages that the user added to .venv. What an unfinished set-up brought is ours."""
    if "packages" in stamp:
        return set(packages()) - set(stamp["packages"])
    return set(stamp.get("theirs", []))


def usable():
    """Whether .venv has a Python of our kind that runs, and pip."""
    probe = "import pip, sysconfig; print(sysconfig.get_config_var('EXT_SUFFIX'))"
    try:
        done = subprocess.run([venv_python(), "-c", probe], capture_output=True, env=environment())
    except OSError:
        return False
    return done.stdout.decode().strip() == made_for()[1]


def damaged(stamp):
    """Return the names of our packages that are gone, or of which a file is gone or never came."""
    broken = {folder.stem.partition("-")[0] for folder in dist_infos() if not is_whole(folder)}
    return (broken - theirs(stamp)) | (set(stamp.get("packages", [])) - set(packages()))


def is_whole(dist_info):
    """Whether all files that a package lists are there. Compiled ones may come and go."""
    try:
        with (dist_info / "RECORD").open(encoding="utf-8", newline="") as lines:
            names = [row[0] for row in csv.reader(lines) if row and not row[0].endswith(".pyc")]
    except FileNotFoundError:
        return False
    return all(os.path.exists(os.path.join(dist_info.parent, name)) for name in names)


# the set-up


def set_up():
    """Bring .venv to what pyproject.toml and constraints.txt ask for; do nothing where it is there already."""
    if not VENV.exists():
        say("Making an environment for the course in the folder .venv. Your other Pythons are not touched.")
        make_venv()
    elif not usable():
        say("The environment in .venv does not run, or is another Python's. Making it anew.")
        make_venv()
    elif read_stamp().get("made_for", made_for()) != made_for():
        say("The course's folder was moved. Making its environment in .venv anew.")
        make_venv()
    if not is_complete():
        others = theirs(read_stamp())
        # without a fingerprint an interrupted installation is taken up again by the next run
        write_stamp(theirs=sorted(others))
        install()
        write_stamp(fingerprint=fingerprint(), packages=sorted(set(packages()) - others))
        say("The set-up is complete.")
    write_lab_settings()


def write_lab_settings():
    settings = VENV / "share" / "jupyter" / "lab" / "settings" / "overrides.d" / "lesson_lib.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(json.dumps(LAB_SETTINGS, indent=1), encoding="utf-8")


def is_complete():
    """Whether .venv holds all that our files ask for. What is damaged is struck off, so that it is installed again."""
    stamp = read_stamp()
    broken = damaged(stamp)
    if broken:
        say(f"Parts of .venv are gone. They are installed again: {', '.join(sorted(broken))}.")
        for folder in dist_infos():
            if folder.stem.partition("-")[0] in broken:
                shutil.rmtree(folder)
    return not broken and stamp.get("fingerprint") == fingerprint()


def remove_venv():
    try:
        shutil.rmtree(VENV)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise Stop(
            f"The folder {VENV} cannot be removed ({error}).\n"
            "Close every JupyterLab and terminal that uses it, or delete it by hand. Then run the same command again."
        ) from None


def make_venv():
    """Make an empty .venv, in the place of any that is there. Raises Stop where this Python cannot."""
    remove_venv()
    ways = [[base_python(), "-m", "venv", str(VENV)]]
    if shutil.which("uv"):
        ways.append([shutil.which("uv"), "venv", "--seed", "--python", base_python(), str(VENV)])
    words = []
    for way in ways:
        made = subprocess.run(way, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment())
        if made.returncode == 0 and usable():
            return
        words.append(made.stdout.decode(errors="replace").strip())
        # half an environment would be taken for a whole one
        remove_venv()
    joined = "\n\n".join(words)
    raise Stop(
        f"This Python cannot make an environment. It says:\n\n{joined}\n\n"
        "On Debian and Ubuntu a package is missing: sudo apt install python3-venv\n"
        "Then run the same command again."
    )


def install():
    """Install PyTorch, then the rest, into .venv. Raises Stop where that fails."""
    say("Installing. The first time this takes a few minutes.")
    torch = install_torch()
    constraints = ["-c", "constraints.txt"] if torch else []
    say("JupyterLab, matplotlib and the other packages (about 150 MB):")
    rest = [*constraints, "-e", ".[test]"]
    if shutil.which("uv"):
        # uv does not read pip's settings, so pip may well succeed where it fails
        done, _ = run(shutil.which("uv"), "pip", "install", "--python", str(venv_python()), *rest)
        if done:
            return
        say("  uv could not do it; pip tries.")
    done, output = run(*pip(), "install", *rest)
    if not done and not torch and "torch" not in packages():
        computer = f"Python {sys.version_info[0]}.{sys.version_info[1]} on {sys.platform}, {platform.machine()}"
        raise Stop(failure(f"PyTorch cannot be reached, or has no version for {computer}.", output))
    if not done:
        raise Stop(failure("The packages could not be installed.", output))


def torch_pin():
    """Return the version of PyTorch in constraints.txt."""
    return re.search(r"^torch==(\S+)", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE).group(1)


def install_torch():
    """Install exactly the PyTorch of constraints.txt. Return False where nobody offers it for this computer.

    Raises Stop where it is offered but its installation broke off: the next place to ask might send
    ten times as much.
    """
    pin = torch_pin()
    if packages().get("torch", "").split("+")[0] == pin:
        return True
    for words, arguments in torch_roads(pin):
        say(words)
        done, output = run(*pip(), "install", *arguments)
        if done:
            return True
        if re.search(r"(Downloading|Using cached|Processing) \S*torch-\S+\.whl", output):
            raise Stop(failure(f"The installation of PyTorch {pin} broke off.", output))
    say(f"PyTorch {pin} was not found for this computer. Another version will do.")
    return False


def torch_roads(pin):
    """Return the ways to PyTorch `pin`, best first: what to say, and what to ask pip for."""
    if not LINUX:
        return [(f"PyTorch {pin} (100 to 250 MB):", [f"torch=={pin}"])]
    everything = (f"PyTorch {pin} with its parts for NVIDIA cards (about 3 GB):", [f"torch=={pin}"])
    if has_nvidia():
        return [everything]
    # the CPU build by its exact name, so that no other index's huge build is taken for it
    cpu, hasty = f"torch=={pin}+cpu", ["--timeout", "15", "--retries", "2"]
    return [
        (f"PyTorch {pin}, the build for computers without an NVIDIA card (about 200 MB):", [*hasty, cpu]),
        ("  asking PyTorch's own index for it:", [*hasty, "--extra-index-url", CPU_INDEX, cpu]),
        everything,
    ]


def has_nvidia():
    return bool(shutil.which("nvidia-smi")) or Path("/proc/driver/nvidia/version").exists()


def pip():
    return [str(venv_python()), "-m", "pip"]


DOWNLOAD = re.compile(r"Downloading (?:\S*/)?([\w.-]+?)(?:-\d\S*)? \((\d[\d.]* ?[MG]i?B)\)")


def run(*command):
    """Run an installer and say which larger files it downloads. Return whether it succeeded, and what it printed.

    All that it prints goes to .venv/install.log too.
    """
    output = []
    with (VENV / "install.log").open("a", encoding="utf-8") as log:
        log.write(f"$ {' '.join(command)}\n")
        both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        with subprocess.Popen(command, cwd=ROOT, env=environment(), stdin=subprocess.DEVNULL, **both) as process:
            for line in process.stdout:
                text = line.decode("utf-8", errors="replace")
                log.write(text)
                output.append(text)
                found = DOWNLOAD.search(text)
                if found:
                    say(f"  downloading {found.group(1)} ({found.group(2)})")
    return process.returncode == 0, "".join(output)


def failure(sentence, output):
    lines = [line for line in output.splitlines() if "Retrying" not in line]
    last = "".join(f"    {line}\n" for line in lines[-6:])
    return (
        f"{sentence} The last words were:\n\n{last}\n"
        "Most often the network is down or the disk is full (the course needs 2 GB). Run the same command again:\n"
        "it goes on from here. If that does not help, delete the folder .venv and run it once more.\n"
        f"All that was printed is in {VENV / 'install.log'}"
    )


def start(module, *arguments):
    """Run a module of .venv until it ends, and return its exit status."""
    child = subprocess.Popen([str(venv_python()), "-m", module, *arguments], cwd=ROOT, env=environment())
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    while True:
        try:
            return child.wait()
        except KeyboardInterrupt:
            # Ctrl-C reached the child too, and there it means what the child says
            pass


def main(arguments):
    if not arguments or arguments[0] not in COMMANDS:
        say(__doc__)
        return 0 if arguments in (["help"], ["-h"], ["--help"]) else 2
    try:
        check_python()
        set_up()
    except Stop as stop:
        print(f"\n{stop}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. Run the same command again, and it goes on from here.", file=sys.stderr)
        return 130
    if arguments[0] == "lab":
        say("JupyterLab starts. Leave this window open while you work; Ctrl-C ends it.")
    return start(*COMMANDS[arguments[0]], *arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
