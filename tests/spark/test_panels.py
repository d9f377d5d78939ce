"""Files of many series, which Spark sorts, give what this process gives, to the last bit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig
from rollsignal.engines.spark.files import NOT_SORTED, SORTED_BY_SERIES
from tests.support.answers import BAD, CONFIG, Row, answer, rows, write
from tests.support.spark import panel_on_spark
from tests.support.unsorted_files import ODD, by_series, of_all_kinds, text
from tests.support.workers import SmallLocalEngine

if TYPE_CHECKING:
    from collections.abc import Callable

    from pyspark.sql import SparkSession

PIECE_BYTES = 700
WARN = Checks(order="warn", duplicates="warn", gaps="warn", ohlc="off")


class Case(NamedTuple):
    """Files to be written and decided; most_series: those of a piece that is not sorted.

    is_placed: whether all bars can become rows of numbers.
    """

    write: Callable[[Path], Sequence[Path]]
    config: JobConfig = CONFIG
    most_series: int = 0
    is_placed: bool = True


def one(bars: Sequence[Row]) -> Callable[[Path], Sequence[Path]]:
    return lambda folder: [write(folder, "csv", bars)]


def without_times(folder: Path) -> Sequence[Path]:
    names = ("B", "A", "C")
    for at, name in enumerate(names):
        closes = [close for _, _, close in ODD[at::3] if close]
        folder.joinpath(f"{name}.csv").write_text("\n".join(["close", *closes, ""]))
    return [folder / f"{name}.csv" for name in names]


def doubted(bars: Sequence[Row]) -> list[Row]:
    """Give some bars the time of another that stands before them."""
    return [
        (bars[at - 3][0] if at % 9 == 5 else time, name, close)
        for at, (time, name, close) in enumerate(bars)
    ]


ALONE_FIRST = [
    (time, "A" if at < 50 else name, close) for at, (time, name, close) in enumerate(rows())
]
LINES = [",".join(row) for row in rows()]
CASES = {
    "bars of odd times and closes, in no order, told once": Case(
        of_all_kinds, CONFIG._replace(missing="gap", checks=WARN)
    ),
    "pieces of one series, and of two": Case(
        one(doubted(ALONE_FIRST)), CONFIG._replace(window=50, checks=WARN), most_series=1
    ),
    "series without times": Case(
        without_times, CONFIG._replace(columns=Columns(symbol=SymbolFrom(filename=True)))
    ),
    "the first of two errors": Case(
        one([*rows()[:70], BAD["order"], *rows()[70:90], BAD["close"], *rows()[90:]])
    ),
    "a year beyond nanoseconds": Case(text(*LINES, "3000-01-01,A,1"), is_placed=False),
}


@pytest.mark.parametrize("name", CASES)
def test_many_series_give_what_this_process_gives(
    tmp_path: Path, session: SparkSession, name: str
) -> None:
    case = CASES[name]
    paths = case.write(tmp_path)
    found, sorted_into = panel_on_spark(paths, case.config, PIECE_BYTES, case.most_series)
    told = [message for message in found.told if message[0] != "INFO"]
    ways = [SORTED_BY_SERIES] if case.is_placed else [SORTED_BY_SERIES, NOT_SORTED]
    assert [text for level, text in found.told if level == "INFO"] == ways
    local = answer(SmallLocalEngine(), paths, case.config)
    assert by_series(found._replace(told=tuple(told))) == by_series(local)
    assert sorted_into == ([3] if case.is_placed and not local.error else [])
