"""Files that Spark sorts give what this process gives, to the last bit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rollsignal.errors import DiskError
from tests.support.answers import answer, write
from tests.support.spark import Place, answer_on_a_changed_file, sorted_on_spark
from tests.support.unsorted_files import MIXED, RIGHT, SORT, TIED, WRONGS, Case, by_series
from tests.support.workers import SmallLocalEngine

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

PIECE_BYTES = 700
CASES = {**RIGHT, TIED: WRONGS[TIED]}


def check(place: Place, case: Case, folder: Path) -> None:
    paths = list(case.write(folder))
    found, cuts_found = place.call(sorted_on_spark, paths, case.config, PIECE_BYTES)
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

    found = answer_on_a_changed_file(path, SORT, PIECE_BYTES)
    assert found.error
    assert found.error[0] is DiskError
    assert found.error[1].startswith("Input data file changed while it was read (path: ")
