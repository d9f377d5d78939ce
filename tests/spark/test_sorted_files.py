"""Files that Spark sorts give what this process gives, to the last bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from rollsignal.engines.runner import Work
from rollsignal.engines.spark import cuts, engine, sorted_files
from rollsignal.engines.spark.runner import SparkRunner
from rollsignal.errors import DiskError
from tests.support.answers import Answer, answer, write
from tests.support.spark import Place, SmallSparkEngine, answer_on_spark
from tests.support.unsorted_files import MIXED, RIGHT, SORT, TIED, WRONGS, Case, by_series
from tests.support.workers import SmallLocalEngine, SmallReading

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PIECE_BYTES = 700
CASES = {**RIGHT, TIED: WRONGS[TIED]}


def sorted_answer(paths: list[Path], config: Any) -> tuple[Answer, int]:
    """Decide files with the active session; also return in how many places they were cut."""
    found: list[cuts.Cut] = []
    usual = cuts.spread

    def spread(*arguments: Any) -> list[cuts.Cut]:
        found[:] = usual(*arguments)
        return found

    with (
        mock.patch.object(cuts, "LEAST_PIECE_ROWS", 20),
        mock.patch.object(cuts, "LEAST_PIECE_WINDOWS", 0),
        mock.patch.object(sorted_files, "spread", spread),
    ):
        answered, _ = answer_on_spark(paths, config, PIECE_BYTES)
    return answered, len(found)


def check(place: Place, case: Case, folder: Path) -> None:
    paths = list(case.write(folder))
    found, cuts_found = place.call(sorted_answer, paths, case.config)
    assert by_series(found) == by_series(answer(SmallLocalEngine(), paths, case.config))
    assert cuts_found > 1


@pytest.mark.parametrize("name", CASES)
def test_sorting_on_spark_gives_what_this_process_gives(
    tmp_path: Path, session: SparkSession, name: str
) -> None:
    check(Place("local"), CASES[name], tmp_path)


def test_sorting_on_a_cluster_gives_what_this_process_gives(
    tmp_path: Path, on_cluster: Place
) -> None:
    check(on_cluster, next(iter(RIGHT.values())), tmp_path)


def test_sorting_by_connect_gives_what_this_process_gives(
    tmp_path: Path, on_connect: Place
) -> None:
    check(on_connect, next(iter(RIGHT.values())), tmp_path)


def test_a_file_that_changes_after_it_was_scanned_is_refused(
    tmp_path: Path, session: SparkSession
) -> None:
    path = write(tmp_path, "csv", MIXED)

    class ChangingRunner(SparkRunner):
        def run(self, count: int, task: Work) -> Iterator[bytes]:
            yield from super().run(count, task)
            path.write_text(path.read_text().replace("A", "C", 1))

    with mock.patch.object(engine, "SparkRunner", ChangingRunner):
        found = answer(SmallSparkEngine(PIECE_BYTES, SmallReading), [path], SORT)
    assert found.error
    assert found.error[0] is DiskError
    assert found.error[1].startswith("Input data file changed while it was read (path: ")
