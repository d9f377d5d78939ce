"""Tables are decided as by definition wherever Spark runs, whatever fails, and by any seed."""

from __future__ import annotations

import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.failing import Killing
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

# Every type of closes is there once; Connect has half of them.
SEEDS = range(int(os.environ.get("ROLLSIGNAL_CASES", len(KINDS))))


def check(place: Place, seed: int) -> None:
    case = drawn_case(seed)
    found = place.call(answer_on_table, case)
    assert found == by_definition(case, found.cuts)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_local_session_decides_a_table_as_by_definition(session: SparkSession, seed: int) -> None:
    check(Place("local"), seed)


@pytest.mark.parametrize("seed", SEEDS[1::2])
def test_connect_decides_a_table_as_by_definition(on_connect: Place, seed: int) -> None:
    check(on_connect, seed)


def check_while(place: Place, kind: type[Killing], numbers: tuple[int, ...], folder: Path) -> None:
    """Compare with the definition."""
    panel = drawn(random.Random(1), 400, KINDS["double"][0])
    case = TableCase(panel, "double")
    found, failed = place.call(answer_on_table_while, kind, case, folder, numbers)
    wanted = by_definition(case, 0)
    assert found == (wanted.digests[0], wanted.tallies[0], wanted.text)
    assert failed == [f"{number}/{at}" for number in range(2) for at in numbers]


def test_a_python_worker_that_is_killed_in_two_pieces_of_a_table_changes_nothing(
    tmp_path: Path, session: SparkSession
) -> None:
    check_while(Place("local"), Killing, (1, 6), tmp_path)
