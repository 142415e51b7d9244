"""Isolation: no test sees or changes the user's own progress, Jupyter settings or IPython profile.

The kernels that nbval, nbclient and the browser tests start get the same environment.
"""

import os
import tempfile

# two workers with two threads of torch each would stand in each other's way
os.environ.setdefault("OMP_NUM_THREADS", "1")

# its import makes matplotlib's font cache: a kernel that had to would say so, and its output would differ
import matplotlib.font_manager  # noqa: F401
import pytest
from hypothesis import HealthCheck, settings

from tests.notebooks import isolated

# the same examples in every run, and no clock decides
settings.register_profile(
    "course", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("course")

home = tempfile.TemporaryDirectory(prefix="lesson_lib_tests_", ignore_cleanup_errors=True)
os.environ.update(isolated(home.name))


@pytest.fixture(scope="session", autouse=True)
def no_windows():
    """Let matplotlib draw without a screen here; a notebook's kernel chooses for itself."""
    import matplotlib

    matplotlib.use("Agg")


@pytest.fixture(scope="session")
def browser():
    """The system's browser, one for the whole session: a second playwright in the same process does not start."""
    from playwright.sync_api import sync_playwright

    from tests.browser import launch

    with sync_playwright() as playwright:
        browser = launch(playwright)
        yield browser
        browser.close()


def pytest_terminal_summary(terminalreporter):
    """Print what the browser tests measured; a test's own print would be lost on a worker."""
    reports = [report for group in terminalreporter.stats.values() for report in group]
    properties = [row for report in reports for row in getattr(report, "user_properties", ())]
    rows = {text for name, text in properties if name == "slider to pixels"}
    if rows:
        terminalreporter.section("slider to pixels")
        for row in sorted(rows):
            terminalreporter.line(row)
