"""Tasks run anywhere give their results in order, and no process outlives its pool."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice

import pytest

from rollsignal.engines.runner import InProcess, Processes
from rollsignal.errors import DataError, DiskError
from tests.support.shell import ENVIRONMENT, ROOT
from tests.support.work import (
    Failing,
    Sized,
    asleep,
    children_of,
    is_running,
    own_id,
    panicking,
    printing,
    slow_if_even,
    until,
)


@pytest.fixture
def pool() -> Iterator[Processes]:
    with Processes(2) as processes:
        yield processes


@pytest.mark.parametrize("is_here", [True, False])
def test_results_come_in_order_whoever_is_faster(is_here: bool, pool: Processes) -> None:
    results = (InProcess() if is_here else pool).run(9, slow_if_even)
    assert list(results) == [str(number).encode() for number in range(9)]


def test_no_more_processes_start_than_there_are_tasks(pool: Processes) -> None:
    assert list(pool.run(0, bytes)) == []
    assert pool.processes == []
    assert list(pool.run(1, bytes)) == [b""]
    assert len(pool.processes) == 1


def test_all_workers_are_given_work(pool: Processes) -> None:
    assert {int(each) for each in pool.run(40, own_id)} == set(pool.processes)


def test_large_tasks_and_large_results_are_whole(pool: Processes) -> None:
    size = 10**7
    results = pool.run(4, Sized(size, b"x" * size).run)
    assert [len(result) for result in results] == [size + number for number in range(4)]


def test_a_run_that_is_left_does_not_get_into_the_next(pool: Processes) -> None:
    assert list(islice(pool.run(20, slow_if_even), 1)) == [b"0"]
    assert list(pool.run(3, bytes)) == [b"", b"\0", b"\0\0"]


def test_the_first_error_in_order_is_raised_with_all_that_it_says(pool: Processes) -> None:
    problem = DataError("line 3: not a number", "set it right")
    results = pool.run(6, Failing(problem, (2, 4)).run)
    assert list(islice(results, 2)) == [b"", b"\0"]
    with pytest.raises(DataError) as raised:
        next(results)
    assert (raised.value.message, raised.value.detail) == ("line 3: not a number", "set it right")
    (note,) = raised.value.__notes__
    assert note.startswith("In a worker process:\nTraceback")
    assert "raise self.error" in note


@pytest.mark.parametrize(
    "error",
    [MemoryError("no room"), ModuleNotFoundError("No module named 'polars'", name="polars")],
)
def test_any_error_of_a_worker_is_raised_here(pool: Processes, error: Exception) -> None:
    with pytest.raises(type(error), match=str(error)) as raised:
        list(pool.run(1, Failing(error, (0,)).run))
    assert getattr(raised.value, "name", None) == getattr(error, "name", None)
    assert list(pool.run(1, bytes)) == [b""], "the worker goes on"


def test_an_error_that_cannot_be_sent_is_told_by_its_name(pool: Processes) -> None:
    with pytest.raises(RuntimeError, match="PanicException: unwrap on None"):
        list(pool.run(1, panicking))


def test_a_worker_that_is_killed_is_told_and_nothing_waits_for_it(pool: Processes) -> None:
    assert list(pool.run(2, bytes)) == [b"", b"\0"]
    results = pool.run(2, asleep)
    first, _ = pool.processes
    os.kill(first, signal.SIGKILL)
    with pytest.raises(DiskError, match=r"was ended by Killed \(signal 9\) before") as raised:
        next(results)
    assert "--workers 1" in raised.value.detail


def test_a_worker_that_cannot_begin_is_told(
    monkeypatch: pytest.MonkeyPatch, pool: Processes, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(DiskError, match="ended with exit code 1 before its work was done"):
        list(pool.run(2, bytes))
    assert "ModuleNotFoundError" in capfd.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_whole_group_is_left_to_the_run(pool: Processes, number: int) -> None:
    assert list(pool.run(2, bytes)) == [b"", b"\0"]
    for process in pool.processes:
        os.kill(process, number)
    assert list(pool.run(2, bytes)) == [b"", b"\0"]
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set(), "nothing is blocked here"


def test_what_a_library_prints_is_not_taken_for_an_answer(
    pool: Processes, capfd: pytest.CaptureFixture[str]
) -> None:
    assert list(pool.run(1, printing)) == [b"done"]
    assert capfd.readouterr() == ("", "printed\n")


def test_processes_end_with_their_pool_also_in_the_middle_of_work() -> None:
    with Processes(3) as pool:
        list(pool.run(3, bytes))
        results = pool.run(4, Failing(KeyError(), (0,)).run)
        with pytest.raises(KeyError):
            next(results)
        assert all(map(is_running, pool.processes))
        processes = pool.processes
    assert not any(map(is_running, processes))
    assert pool.processes == []


# A program without a guard for its main module, whose workers are busy forever.
BUSY = """
import sys
sys.path.insert(0, sys.argv[1])
from rollsignal.engines.runner import Processes
from tests.support.work import asleep
with Processes(2) as pool:
    list(pool.run(2, asleep))
"""


def test_workers_end_with_a_parent_that_is_killed() -> None:
    command = [sys.executable, "-c", BUSY, str(ROOT)]
    with subprocess.Popen(command, env=ENVIRONMENT) as parent:
        try:
            assert until(lambda: len(children_of(parent.pid, b"engines.worker")) == 2)
            workers = children_of(parent.pid)
        finally:
            parent.kill()
        assert until(lambda: not any(map(is_running, workers)), seconds=5)


# What a worker loads before its first task.
LEAN = """
import sys
sys.path.insert(0, sys.argv[1])
import rollsignal.engines.worker
print(*(name for name in sys.modules if name.partition(".")[0] in ("rollsignal", *sys.argv[2:])))
"""


def test_a_worker_loads_nothing_before_it_has_work() -> None:
    heavy = ["numpy", "polars", "pandas", "yaml", "argparse", "multiprocessing", "subprocess"]
    command = [sys.executable, "-c", LEAN, str(ROOT), *heavy]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert "rollsignal.engines.worker" in loaded
    assert set(loaded) == {
        "rollsignal",
        "rollsignal.version",
        "rollsignal.engines",
        "rollsignal.engines.worker",
    }
