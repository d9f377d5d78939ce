"""What is wrong with files is found before Spark sorts their bars, in the usual words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from rollsignal.core.findings import tell_nobody
from rollsignal.engines.interface import Task
from rollsignal.engines.runner import InProcess
from rollsignal.engines.spark.file_rows import SORTED_COLUMNS, codes_of_symbols
from rollsignal.engines.spark.shuffled import ShuffledReader
from rollsignal.engines.spark.sorted_files import SortedFilesOfTask
from rollsignal.engines.splits import bundled
from rollsignal.errors import DiskError, JobError
from tests.support.answers import answer
from tests.support.deciding import files
from tests.support.unsorted_files import TIED, WRONGS
from tests.support.workers import SmallLocalEngine, SmallReading

BEFORE_SORTING = {name: case for name, case in WRONGS.items() if name != TIED}


@pytest.mark.parametrize("name", BEFORE_SORTING)
def test_files_are_refused_as_on_this_machine(tmp_path: Path, name: str) -> None:
    case = BEFORE_SORTING[name]
    paths = case.write(tmp_path)
    task, reading = Task(files(paths), case.config), SmallReading(case.config, None)
    pieces = bundled(reading.splits(task.inputs, 700), 700)
    work = SortedFilesOfTask(task, reading, tell_nobody, None)
    without_spark: Any = None
    with pytest.raises(JobError) as caught:
        work.decide(without_spark, InProcess(), pieces, [])
    error = caught.value
    assert (type(error), error.message, error.detail) == (
        answer(SmallLocalEngine(), paths, case.config).error
    )


@pytest.mark.parametrize("second", [(0, 7, 0, 4), (0, 6, 0, 9), (0, 7, 0, 5)])
def test_a_row_that_is_not_after_the_one_before_it_is_refused(
    second: tuple[int, int, int, int],
) -> None:
    reader = ShuffledReader(codes_of_symbols([]), ["a.csv line"])
    assert [*reader.batches_of(frame((0, 7, 0, 5)))]
    with pytest.raises(DiskError, match="in another order than they were asked for"):
        next(reader.batches_of(frame(second)))


def frame(*rows: tuple[int, int, int, int]) -> pl.DataFrame:
    """Return bars of 1, from the number of the series, the time, the file and the row of each."""
    columns = [(number, ns, 1, 0, None, file, row) for number, ns, file, row in rows]
    return pl.DataFrame(columns, SORTED_COLUMNS, orient="row")
