"""Settings of all tests: hypothesis has no deadline, and draws the same examples in CI.

The environment is set once. A test that needs another one runs a process of its own: a change while
the threads of compiled libraries read the environment would end the process.
"""

import gc
import gettext
import os
import time
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.support.stores import Served, environment, serving

settings.register_profile("rollsignal", deadline=None, print_blob=True)
settings.register_profile("ci", settings.get_profile("rollsignal"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "rollsignal")

# Times are written in UTC in any time zone, and no environment variable is ever written.
os.environ["TZ"] = "XXX-5:30"
# The command sets it too, but that is too late where threads already run.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["ROLLSIGNAL_TEST_TOKEN"] = "a-secret-of-these-tests"
time.tzset()
# As the command has it: thousands of tests are many objects, and none of them is garbage.
gc.set_threshold(100_000)


def pytest_addoption(parser: pytest.Parser) -> None:
    help = "the engines that must conform, separated by commas"
    parser.addoption("--engines", default="local,plain,cut,workers5", help=help)


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(
    file_path: Path,
) -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Look for examples in docstrings only in the program: tests have none."""
    found = yield
    return [each for each in found if type(each) is pytest.Module]


def pytest_collection_finish() -> None:
    """Have no collection of garbage look at the tests themselves again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def what_takes_time_and_shows_nothing() -> Iterator[None]:
    """Leave out of this process what no test can see, and what takes long in thousands of runs.

    A wait for the disk shows only where the power fails, and there are no translations of what
    argparse says.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", os.fstat)
        patch.setattr(gettext, "find", lambda *names, **more: [])
        yield


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a folder of buckets; the environment leads only to it."""
    with serving(tmp_path_factory.mktemp("served")) as served:
        wanted = environment(served.url, tmp_path_factory.mktemp("home"))
        for name in set(os.environ) - set(wanted):
            del os.environ[name]
        os.environ.update(wanted)
        yield served
