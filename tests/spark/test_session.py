"""What Spark says is passed on in one line."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from pyspark.errors import PySparkException

from rollsignal.engines.spark import connect
from rollsignal.engines.spark.connect import check_server
from rollsignal.engines.spark.session import (
    BATCH_BYTES,
    NO_LIMIT,
    batches_by_rows,
    first_line,
    spark_errors,
)
from rollsignal.errors import ConfigError, DiskError
from tests.support.spark import free_port

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

IN_PYTHON = """
An error occurred while calling o1.collectToPython.
: [PYTHON_EXCEPTION] Thrown from the Python worker: Traceback (most recent call last):
  File "carrier.py", line 51, in carry
    import pyarrow
ModuleNotFoundError: No module named 'pyarrow'
 SQLSTATE: 38000
"""


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ("one\ntwo", "one"),
        ("An error occurred while calling o1.x.\n: java.lang.E: why\n\tat x", "java.lang.E: why"),
        (IN_PYTHON, "ModuleNotFoundError: No module named 'pyarrow'"),
        ("", "RuntimeError"),
    ],
)
def test_an_error_of_spark_is_told_in_a_line(told: str, line: str) -> None:
    assert first_line(RuntimeError(told)) == line


def test_results_that_are_too_large_for_the_driver_are_told_with_what_helps() -> None:
    told = (
        "Job aborted due to stage failure: Total size of serialized results of 37 tasks (1.1 GiB)"
        " is bigger than spark.driver.maxResultSize 1024.0 MiB"
    )
    with pytest.raises(DiskError) as caught, spark_errors():
        raise PySparkException(told)
    assert caught.value.message == f"Spark failed: {told}"
    assert "give the driver more with" in caught.value.detail


def test_a_limit_of_bytes_is_lifted_for_a_while(session: SparkSession) -> None:
    with batches_by_rows(session):
        assert session.conf.get(BATCH_BYTES) == NO_LIMIT
    assert session.conf.get(BATCH_BYTES, None) is None


def test_a_limit_of_bytes_that_the_user_has_set_stays(session: SparkSession) -> None:
    session.conf.set(BATCH_BYTES, "1000")
    try:
        with batches_by_rows(session):
            assert session.conf.get(BATCH_BYTES) == "1000"
        assert session.conf.get(BATCH_BYTES) == "1000"
    finally:
        session.conf.unset(BATCH_BYTES)


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a shorter time."""
    monkeypatch.setattr(connect, "WAIT_S", 0.2)
    monkeypatch.setattr(connect, "PAUSE_S", 0.05)
    for name in connect._PROXIES:
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("waiting")
def test_a_server_of_spark_connect_that_does_not_answer_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    port = free_port()
    monkeypatch.setenv("SPARK_REMOTE", f"sc://127.0.0.1:{port}/;token=secret")
    with pytest.raises(ConfigError) as caught:
        check_server()
    what = f"No server of Spark Connect answers at 127.0.0.1:{port}: Connection refused"
    assert caught.value.message == what
    assert "set SPARK_REMOTE" in caught.value.detail


@pytest.mark.usefixtures("waiting")
def test_a_server_that_is_just_starting_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connect, "WAIT_S", 10)
    with closing(socket.socket()) as server:
        server.bind(("127.0.0.1", 0))
        monkeypatch.setenv("SPARK_REMOTE", f"sc://127.0.0.1:{server.getsockname()[1]}")
        begun = time.monotonic()
        threading.Timer(0.3, server.listen).start()
        check_server()
        assert time.monotonic() - begun >= 0.3


@pytest.mark.parametrize("remote", ["", "local[2]", "sc://", "sc://h:x"])
def test_what_is_no_address_is_left_to_pyspark(
    monkeypatch: pytest.MonkeyPatch, remote: str
) -> None:
    monkeypatch.setenv("SPARK_REMOTE", remote)
    check_server()


def test_a_server_behind_a_proxy_is_left_to_pyspark(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPARK_REMOTE", "sc://no.such.host.invalid:15002")
    monkeypatch.setenv("grpc_proxy", "http://127.0.0.1:1")
    check_server()
