"""Settings of all tests: hypothesis has no deadline, and draws the same examples in CI.

The environment is set once. A test that needs another one runs a process of its own: a change while
the threads of compiled libraries read the environment would end the process.
"""

import os
import time
from collections.abc import Iterator

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


def pytest_addoption(parser: pytest.Parser) -> None:
    help = "the engines that must conform, separated by commas"
    parser.addoption("--engines", default="local,plain,cut,workers,workers5", help=help)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a folder of buckets; the environment leads only to it."""
    with serving(tmp_path_factory.mktemp("served")) as served:
        wanted = environment(served.url, tmp_path_factory.mktemp("home"))
        for name in set(os.environ) - set(wanted):
            del os.environ[name]
        os.environ.update(wanted)
        yield served
