"""Tables are decided as by definition wherever Spark runs, whatever fails, and by any seed."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.failing import ExecutorKilling, Killing, Lagging
from tests.support.spark import Place
from tests.support.spark_tables import (
    KINDS,
    TableCase,
    answer_on_table,
    answer_on_table_while,
    by_definition,
    drawn,
    drawn_case,
)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# Every type of closes is there once; each of the other places has half of them.
SEEDS = range(int(os.environ.get("ROLLSIGNAL_CASES", len(KINDS))))


def check(place: Place, seed: int) -> None:
    case = drawn_case(seed)
    found = place.call(answer_on_table, case)
    assert found == by_definition(case, found.cuts)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_local_session_decides_a_table_as_by_definition(session: SparkSession, seed: int) -> None:
    check(Place("local"), seed)


@pytest.mark.parametrize("seed", SEEDS[::2])
def test_a_cluster_decides_a_table_as_by_definition(on_cluster: Place, seed: int) -> None:
    check(on_cluster, seed)


@pytest.mark.parametrize("seed", SEEDS[1::2])
def test_connect_decides_a_table_as_by_definition(on_connect: Place, seed: int) -> None:
    check(on_connect, seed)


def check_while(place: Place, kind: type[Killing], numbers: tuple[int, ...], folder: Path) -> int:
    """Compare with the definition; return how often a stage was begun again."""
    panel = drawn(random.Random(1), 400, KINDS["double"][0])
    case = TableCase(panel, "double")
    found, failed, again = place.call(answer_on_table_while, kind, case, folder, numbers)
    wanted = by_definition(case, 0)
    assert found == (wanted.digests[0], wanted.tallies[0], wanted.text)
    assert failed == [f"{number}/{at}" for number in range(2) for at in numbers]
    return again


def test_a_python_worker_that_is_killed_in_two_pieces_of_a_table_changes_nothing(
    tmp_path: Path, session: SparkSession
) -> None:
    check_while(Place("local"), Killing, (1, 6), tmp_path)


def test_an_executor_that_is_killed_after_the_shuffle_of_a_table_changes_nothing(
    tmp_path: Path, on_cluster: Place
) -> None:
    # What it had written for others was lost, so the stage before is begun again.
    assert check_while(on_cluster, ExecutorKilling, (3,), tmp_path) > 0


def test_a_copy_of_a_slow_piece_of_a_table_that_wins_changes_nothing(
    tmp_path: Path, on_cluster: Place
) -> None:
    check_while(on_cluster, Lagging, (5,), tmp_path)
