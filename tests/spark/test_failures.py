"""What fails on Spark is done again, or ends the run with a sentence; nothing is quietly wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

import pytest

from rollsignal.engines.runner import Work
from rollsignal.engines.spark import carrier, engine, sources
from rollsignal.engines.spark import session as session_module
from rollsignal.engines.spark.runner import SparkRunner
from rollsignal.engines.spark.session import session_in_use
from rollsignal.errors import ConfigError, DiskError
from tests.support.answers import CONFIG, answer, rows, write
from tests.support.failing import (
    Blind,
    ChangingReading,
    ExecutorKilling,
    Killing,
    Lagging,
    answer_in,
    answer_while,
    where_the_program_is,
)
from tests.support.spark import PIECE_BYTES, Place, SmallSparkEngine, answer_on_a_changed_file
from tests.support.work import slow_if_even
from tests.support.workers import SmallLocalEngine, SmallReading

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def check(place: Place, kind: type[Killing], numbers: tuple[int, ...], folder: Path) -> None:
    """Compare with the local engine; `answer` checks that no part of the signals is left."""
    marks = folder / "marks"
    marks.mkdir()
    paths = [write(folder, "csv", rows())]
    found, failed = place.call(answer_while, kind, paths, marks, numbers)
    assert found == answer(SmallLocalEngine(), paths, CONFIG)
    assert failed == [f"{number}/{at}" for number in range(2) for at in numbers]


def test_a_python_worker_that_is_killed_in_two_tasks_changes_nothing(
    tmp_path: Path, session: SparkSession
) -> None:
    check(Place("local"), Killing, (1, 6), tmp_path)


def test_an_executor_that_is_killed_changes_nothing(tmp_path: Path, on_cluster: Place) -> None:
    check(on_cluster, ExecutorKilling, (3,), tmp_path)


def test_a_copy_of_a_slow_task_that_wins_changes_nothing(tmp_path: Path, on_cluster: Place) -> None:
    check(on_cluster, Lagging, (5,), tmp_path)


def test_a_file_that_changes_between_the_passes_is_refused(
    tmp_path: Path, session: SparkSession
) -> None:
    path = write(tmp_path, "csv", rows())

    found = answer_on_a_changed_file(path, CONFIG, PIECE_BYTES)
    assert found.error
    assert found.error[:2] == (DiskError, "Input data file changed while it was read")


def test_a_file_that_changes_while_a_task_reads_it_is_refused(
    tmp_path: Path, session: SparkSession
) -> None:
    path = write(tmp_path, "csv", rows())
    # One task reads all, so no other one can meet the changed file.
    found = answer(SmallSparkEngine(1 << 20, ChangingReading), [path], CONFIG)
    assert found.error
    assert found.error[:2] == (DiskError, "Input data file changed while it was read")


def test_a_file_that_executors_do_not_see_is_named_with_the_machine(
    tmp_path: Path, session: SparkSession
) -> None:
    path = write(tmp_path, "csv", rows())

    class BlindRunner(SparkRunner):
        def run(self, count: int, task: Work) -> Iterator[bytes]:
            return super().run(count, Blind(task).run)

    with mock.patch.object(engine, "SparkRunner", BlindRunner):
        found = answer(SmallSparkEngine(PIECE_BYTES, SmallReading), [path], CONFIG)
    assert found.error
    assert found.error[1:] == (
        f"{path} is not on {os.uname().nodename}, which shall read it",
        "put the inputs where all machines see them at the same path",
    )


@pytest.mark.parametrize("name", ["rollsignal", "numpy", "polars"])
def test_another_version_on_an_executor_is_refused(session: SparkSession, name: str) -> None:
    versions = {**carrier.versions_here(), name: "0.0.9"}
    here = carrier.versions_here()[name]
    with session_in_use() as used, pytest.raises(ConfigError) as caught:
        list(SparkRunner(used, versions).run(2, slow_if_even))
    message = f"An executor of Spark has {name} {here}, and the driver has {name} 0.0.9"
    assert caught.value.message == message
    assert caught.value.detail == "install the same on all machines of the cluster"


def test_other_code_of_the_same_version_on_an_executor_is_refused(session: SparkSession) -> None:
    here = carrier.versions_here()
    with session_in_use() as used, pytest.raises(ConfigError) as caught:
        list(SparkRunner(used, here | {carrier.CODE: "0123456789ab"}).run(2, slow_if_even))
    number = here["rollsignal"]
    message = f"An executor of Spark has rollsignal {number} with other code than the driver has"
    assert caught.value.message == message


def test_the_code_is_the_same_in_the_archive_that_executors_get(tmp_path: Path) -> None:
    archive = tmp_path / "program.zip"
    archive.write_bytes(session_module._packed_program())
    program = "from rollsignal.engines.spark import carrier; print(carrier.versions_here())"
    line = [sys.executable, "-P", "-c", program]
    environment = {**os.environ, "PYTHONPATH": str(archive)}
    found = subprocess.run(line, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == str(carrier.versions_here())


def test_any_change_of_a_source_file_is_other_code() -> None:
    before = carrier.versions_here()[carrier.CODE]
    changed = {**sources.sources(), "rollsignal/core/kernel.py": b"pass\n"}
    with mock.patch.object(sources, "sources", return_value=changed):
        assert sources.code_digest.__wrapped__() != before


def test_a_package_that_an_executor_lacks_is_named() -> None:
    versions = carrier.versions_here()
    problem = carrier.misfit(versions, versions | {"polars": ""})
    wanted = versions["polars"]
    assert problem == f"An executor of Spark has no polars, and the driver has polars {wanted}"


def test_a_cluster_gets_this_program_by_the_session(on_cluster: Place, on_connect: Place) -> None:
    for place in (on_cluster, on_connect):
        assert ".zip/rollsignal/" in place.call(where_the_program_is)


def test_relative_paths_begin_where_the_run_is(tmp_path: Path, on_connect: Place) -> None:
    write(tmp_path, "csv", rows())
    found = on_connect.call(answer_in, str(tmp_path))
    assert found.error is None
    assert found.signals == answer(SmallLocalEngine(), [tmp_path / "bars.csv"]).signals
