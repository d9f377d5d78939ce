"""Tests on Spark, which only run where it is installed: `make check-spark`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.shell import ROOT
from tests.support.spark import SETTINGS, Place, cluster, connect_server, place_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

collect_ignore_glob = [] if find_spec("pyspark") else ["*"]


PLACES = "on_cluster", "on_connect"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let all tests of a place run in one process, so that it is started once."""
    for item in items:
        for place in PLACES:
            if place in getattr(item, "fixturenames", ()):
                item.add_marker(pytest.mark.xdist_group(place))


@pytest.fixture(scope="session")
def session() -> Iterator[SparkSession]:
    """Start the one local session of all tests; a task may fail four times."""
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["PYTHONPATH"] = str(ROOT)
    builder = SparkSession.builder.master("local[2,4]").appName("tests")
    for name, value in SETTINGS.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("OFF")
    yield session
    session.stop()


@pytest.fixture(scope="session")
def on_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Start a cluster of two workers, and a process whose session is on it."""
    folder = tmp_path_factory.mktemp("cluster")
    with cluster(folder) as found, place_of("cluster", found | of_tests(folder)) as place:
        yield place


@pytest.fixture(scope="session")
def on_connect(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """Start a server of Spark Connect, and a process whose session is there."""
    folder = tmp_path_factory.mktemp("connect")
    with connect_server(folder) as found, place_of("connect", found | of_tests(folder)) as place:
        yield place


def of_tests(folder: Path) -> dict[str, str]:
    return {"ROLLSIGNAL_TEST_FOLDER": str(folder)}
