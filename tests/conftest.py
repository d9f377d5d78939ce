"""Settings of every test: hypothesis keeps no clock, and draws the same examples in CI.

The environment is set once, and a test that wants another runs a process of its own: what compiled
libraries read of it in their threads, while it is changed, ends the process.
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

# Times are in UTC wherever they are written, and nothing of the environment is written down.
os.environ["TZ"] = "XXX-5:30"
# The command sets it, which is too late where threads run already.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["ROLLSIGNAL_TEST_TOKEN"] = "a-secret-of-these-tests"
time.tzset()


def pytest_addoption(parser: pytest.Parser) -> None:
    help = "the engines that must conform, separated by commas"
    parser.addoption("--engines", default="local,plain,cut", help=help)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve a folder of buckets, and let nothing but that be found by the environment."""
    with serving(tmp_path_factory.mktemp("served")) as served:
        wanted = environment(served.url, tmp_path_factory.mktemp("home"))
        for name in set(os.environ) - set(wanted):
            del os.environ[name]
        os.environ.update(wanted)
        yield served
