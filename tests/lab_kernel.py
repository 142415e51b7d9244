"""A real kernel for the labs that train in the background, without a page: the messages are sent as a page would."""

import asyncio
import time

import pytest
from jupyter_client.manager import start_new_kernel

from tests.notebooks import FOLDER


@pytest.fixture(autouse=True)
def no_event_loop(request):
    """Hide the event loop of a browser that an earlier test left running here: a lab would take it for a notebook's."""
    loop = asyncio._get_running_loop()
    hidden = "browser" not in request.fixturenames
    if hidden:
        asyncio._set_running_loop(None)
    yield
    if hidden:
        asyncio._set_running_loop(loop)


class Kernel:
    def __init__(self, start):
        options = {"kernel_name": "python3", "extra_arguments": ["--log-level=ERROR"], "cwd": str(FOLDER)}
        self.manager, self.client = start_new_kernel(**options)
        self.page_header = {}
        if "kernel subshells" in self._reply(self.client.kernel_info()).get("supported_features", []):
            message = self.client.session.msg("create_subshell_request")
            self.client.control_channel.send(message)
            # what comes from the page comes over a thread of its own in JupyterLab
            self.page_header = {"subshell_id": self.client.get_control_msg(timeout=30)["content"]["subshell_id"]}
        self.run(start)

    def _reply(self, number):
        while True:
            message = self.client.get_shell_msg(timeout=60)
            if message["parent_header"]["msg_id"] == number:
                return message["content"]

    def run(self, code, on_word=None):
        """Run a cell; return what it printed, or the name of its exception. At its first word on_word is called."""
        said = []

        def hear(message):
            content = message["content"]
            word = content.get("text") or content.get("ename") or ""
            if on_word and word and not any(said):
                on_word()
            said.append(word)

        self.client.execute_interactive(code, output_hook=hear, timeout=120)
        return "".join(said).strip()

    def page(self, model, **state):
        """Do what the page does when a control is used."""
        content = {"comm_id": model, "data": {"method": "update", "state": state, "buffer_paths": []}}
        message = self.client.session.msg("comm_msg", content)
        message["header"].update(self.page_header)
        self.client.shell_channel.send(message)

    def until(self, code, seconds=30):
        """Wait until the expression is true in the kernel."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.run(f"print(bool({code}))") == "True":
                return True
            time.sleep(0.1)
        return False


def starts(code):
    """Return a fixture: a kernel in which the code was run, for all tests of a module."""

    @pytest.fixture(scope="module")
    def kernel():
        kernel = Kernel(code)
        yield kernel
        kernel.client.stop_channels()
        kernel.manager.shutdown_kernel(now=True)

    return kernel
