"""What a table of Spark cannot give is refused; no Spark is needed to see that."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from rollsignal.config.rules import InHeader, SymbolFrom
from rollsignal.config.settings import Columns, JobConfig
from rollsignal.engines.spark.columns import table_columns
from rollsignal.errors import ConfigError, DataError

CONFIG = JobConfig(seed=1, window=3, version="t")


class FakeTable(NamedTuple):
    """The names and types of a table of Spark."""

    dtypes: list[tuple[str, str]]

    @property
    def columns(self) -> list[str]:
        return [name for name, _ in self.dtypes]


def table(stamp: str) -> Any:
    return FakeTable([("time", stamp), ("close", "double"), ("desk", "string")])


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (SymbolFrom(filename=True), "{from: filename}"),
        (SymbolFrom(folder=True), "{from: folder}"),
        (SymbolFrom(pattern="(.)-1m"), "{from: path, pattern: (.)-1m}"),
    ],
)
def test_symbols_of_paths_are_refused_for_a_table(source: SymbolFrom, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        table_columns(
            table("timestamp"), CONFIG._replace(columns=Columns(symbol=source)), "table t"
        )
    what = f"table t: columns.symbol is {words}, and a table has no files of its own"
    assert caught.value.message == what


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (SymbolFrom("desk", rest=("time",)), "[desk, time], and a table has them in one column"),
        (
            SymbolFrom(header=InHeader(("close",))),
            "{from: header, only: ['close']}, and a table has one column of closes",
        ),
    ],
)
def test_a_table_has_its_symbols_in_one_column(source: SymbolFrom, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        table_columns(
            table("timestamp"), CONFIG._replace(columns=Columns(symbol=source)), "table t"
        )
    assert caught.value.message == f"table t: columns.symbol is {words}"


@pytest.mark.parametrize("stamp", ["timestamp_ntz", "date"])
def test_times_of_a_table_without_a_zone_are_refused_if_they_are_of_a_place(stamp: str) -> None:
    config = CONFIG._replace(timezone="America/New_York")
    assert table_columns(table("timestamp"), config, "t").timestamp == "time"
    assert table_columns(table(stamp), CONFIG, "t").timestamp == "time"
    with pytest.raises(DataError, match=f"time is a column of {stamp}, whose times have no zone"):
        table_columns(table(stamp), config, "t")
