"""A real JupyterLab, and the system's Chromium to look at it: what the browser tests stand on."""

import contextlib
import json
import os
import runpy
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.notebooks import FOLDER, WIDGET, isolated, read, shortened, tagged, write

COMMANDS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
QUIET = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET += ["--disable-component-update", "--disable-sync"]


def chromium():
    """Return the path of a Chromium, Chrome or Edge: $CHROME, else on the PATH, else where systems put it; or None."""
    candidates = [os.environ.get("CHROME"), *map(shutil.which, COMMANDS), *PLACES]
    return next((path for path in candidates if path and Path(path).exists()), None)


def required():
    """Return the path of a browser. Where there is none the test that asks is skipped, and in CI it fails."""
    path = chromium()
    if not path:
        reason = "no Chromium, Chrome or Edge found; set CHROME to the path of one"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return path


def launch(playwright):
    """Start the browser, so that it asks for nothing by itself."""
    # Chromium's sandbox does not work for root, who runs the tests in many a container
    root = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    return playwright.chromium.launch(executable_path=required(), args=QUIET + root)


class Jupyter:
    """What `start.py lab` starts, with a port and a token of its own, for a copy of the course in `folder`."""

    def __init__(self, folder):
        self.folder = Path(folder)
        for name in ("notebooks", "assets"):
            shutil.copytree(FOLDER.parent / name, self.folder / name)
        for path in (self.folder / "notebooks").glob("*.ipynb"):
            if tagged(read(path), "budget"):
                write(path, shortened(read(path)))
        shutil.copy(FOLDER.parent / "start.py", self.folder)
        # the copy's own folder is the root it gives to the server
        start = runpy.run_path(str(self.folder / "start.py"))
        start["write_lab_settings"]()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.token = secrets.token_hex(16)
        self.url = f"http://127.0.0.1:{port}"
        settings = {
            "ServerApp": {
                "ip": "127.0.0.1",
                "port": port,
                "port_retries": 0,
                "open_browser": False,
                "allow_root": True,
            },
            "IdentityProvider": {"token": self.token},
            "LabApp": {
                "expose_app_in_browser": True,
                "app_settings_dir": str(start["VENV"] / "share" / "jupyter" / "lab" / "settings"),
            },
        }
        config = self.folder / "jupyter_test_config.json"
        config.write_text(json.dumps(settings), encoding="utf-8")
        env = isolated(self.folder / "home")
        self.log = self.folder / "jupyter.log"
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *start["COMMANDS"]["lab"], f"--config={config}"],
                env=os.environ | env,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def ask(self, path, **options):
        """Return the server's answer, and the path to which it led."""
        request = urllib.request.Request(self.url + path, headers={"Authorization": f"token {self.token}"}, **options)
        with urllib.request.urlopen(request, timeout=5) as response:
            return response.read(), urlsplit(response.url).path

    def wait(self, seconds=300):
        """Return when the server answers. Raises RuntimeError, with its log, where it does not."""
        end = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < end:
            with contextlib.suppress(urllib.error.URLError, OSError):
                return self.ask("/api/status")
            time.sleep(0.1)
        raise RuntimeError(f"JupyterLab did not start:\n{self.log.read_text(encoding='utf-8', errors='replace')}")

    def stop(self):
        """Shut down the server and its kernels."""
        with contextlib.suppress(urllib.error.URLError, OSError):
            self.ask("/api/shutdown", method="POST")
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


# the page says idle before there is a kernel, and running then would hang: so wait for each of these in turn
READY = """async path => {
    const until = async test => { while (!test()) await new Promise(done => setTimeout(done, 50)); };
    await until(() => window.jupyterapp);
    const app = window.jupyterapp;
    await app.restored;
    const panels = () => [...app.shell.widgets('main')].filter(widget => widget.context?.path === path);
    await until(() => panels().length);
    const panel = window.panel = panels()[0];
    await panel.context.ready;
    await panel.sessionContext.ready;
    const kernel = panel.sessionContext.session.kernel;
    await kernel.info;
    await until(() => kernel.status === 'idle' && kernel.connectionStatus === 'connected');
    app.shell.activateById(panel.id);
}"""
RUN_ALL = "() => window.jupyterapp.commands.execute('notebook:run-all-cells')"
CELLS = "() => [...window.panel.content.model.cells].map(cell => cell.toJSON())"
SHOW = """async place => {
    await window.panel.content.scrollToItem(place, 'start');
    window.panel.content.widgets[place].node.dataset.place = place;
}"""
SCROLL = """number => {
    const outer = window.panel.node.querySelector('.jp-WindowedPanel-outer');
    outer.scrollTop = number * (outer.clientHeight - 40);
    return outer.scrollTop + outer.clientHeight > outer.scrollHeight - 2;
}"""
IN_TIME = """([source, argument, seconds]) => Promise.race([
    eval(source)(argument),
    new Promise((_, fail) => setTimeout(() => fail(new Error(`not done after ${seconds} s`)), 1000 * seconds)),
])"""


class Page:
    """One notebook in one browser page; `errors` and `strangers` collect what should not be."""

    def __init__(self, browser, jupyter, path, width=1280, height=900):
        """Open the notebook at `path`, relative to the server's folder, and wait for its kernel."""
        self.errors, self.strangers = [], []
        self.context = browser.new_context(viewport={"width": width, "height": height})
        self.context.route("**/*", self._only_here)
        self.page = self.context.new_page()
        self.page.on("console", lambda message: message.type == "error" and self.errors.append(message.text))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("websocket", lambda socket: self._is_here(socket.url))
        workspace = Path(path).stem
        self.page.goto(f"{jupyter.url}/lab/workspaces/{workspace}/tree/{path}?token={jupyter.token}")
        self.evaluate(READY, path)

    def _is_here(self, url):
        here = urlsplit(url).hostname in ("127.0.0.1", None)
        if not here:
            self.strangers.append(url)
        return here

    def _only_here(self, route):
        route.continue_() if self._is_here(route.request.url) else route.abort()

    def evaluate(self, source, argument=None, seconds=300):
        """Call the JavaScript function in the page; an Error after that many seconds."""
        return self.page.evaluate(IN_TIME, [source, argument, seconds])

    def run_all(self):
        """Run all cells and wait until they are done."""
        self.evaluate(RUN_ALL)

    def cells(self):
        """Return all cells as the page would store them now."""
        return self.evaluate(CELLS)

    def lab_places(self):
        """Return the places of the cells whose output is a widget."""
        return [
            place
            for place, cell in enumerate(self.cells())
            if any(WIDGET in output.get("data", {}) for output in cell.get("outputs", []))
        ]

    def show(self, place):
        """Scroll to the cell at this place, and return it as a Playwright locator."""
        self.evaluate(SHOW, place)
        return self.page.locator(f"[data-place='{place}']")

    def lab(self, place):
        """Scroll to the lab at this place, wait until it is drawn, and return it as a Playwright locator."""
        lab = self.show(place).locator(".ll-lab")
        lab.and_(self.page.locator(":not([data-draws='0'])")).wait_for(timeout=30_000)
        return lab

    def shoot(self, folder, name):
        """Store pictures of the whole notebook, page by page, and of each lab, in a wide and in a narrow window."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.evaluate("() => window.jupyterapp.shell.collapseLeft()")
        for width in 1280, 800:
            self.page.set_viewport_size({"width": width, "height": 1100})
            for number in range(100):
                at_end = self.evaluate(SCROLL, number)
                self.page.wait_for_timeout(500)
                self.page.screenshot(path=f"{folder}/{name}_{width}_{number:02}.png")
                if at_end:
                    break
            for place in self.lab_places():
                self.lab(place).screenshot(path=f"{folder}/{name}_{width}_lab_{place}.png")

    def close(self):
        self.evaluate("() => window.panel.sessionContext.shutdown()")
        self.context.close()
