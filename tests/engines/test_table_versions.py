"""A table that keeps versions is read as of the newest one, and any other as it is."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from rollsignal.engines.spark.versions import as_of_newest
from rollsignal.errors import StoppedError

NAME = "lake.market.bars"
COLUMNS = ["timestamp", "close"]
DESCRIBE = f"DESCRIBE TABLE EXTENDED {NAME}"
HISTORY = f"DESCRIBE HISTORY {NAME} LIMIT 1"
REFS = f"SELECT snapshot_id FROM {NAME}.refs WHERE name = 'main'"


class Frame:
    """A DataFrame that has rows, and columns."""

    def __init__(self, rows: Sequence[Mapping[str, object]], columns: list[str]) -> None:
        self.rows = rows
        self.columns = columns

    def collect(self) -> Sequence[Mapping[str, object]]:
        return self.rows


class Session:
    """A session that answers these queries, and refuses all others."""

    def __init__(self, answers: Mapping[str, Frame]) -> None:
        self._answers = answers

    def sql(self, query: str) -> Frame:
        return self._answers[query]


def described(provider: str) -> Frame:
    rows = {"close": "double", "# Detailed Table Information": "", "Provider": provider}
    return Frame([{"col_name": name, "data_type": each} for name, each in rows.items()], [])


def one(column: str, value: object) -> Frame:
    return Frame([{column: value}], [column])


def as_of(version: str, columns: list[str] = COLUMNS) -> dict[str, Frame]:
    return {f"SELECT * FROM {NAME} VERSION AS OF {version}": Frame([], columns)}


ICEBERG_ID = 8_109_631_021_487_338_000
VERSIONS = {
    "12": {DESCRIBE: described("delta"), HISTORY: one("version", 12), **as_of("12")},
    str(ICEBERG_ID): {
        DESCRIBE: described("ICEBERG"),
        REFS: one("snapshot_id", ICEBERG_ID),
        **as_of(str(ICEBERG_ID)),
    },
}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_table_that_keeps_versions_is_read_as_of_the_newest(version: str) -> None:
    answers = VERSIONS[version]
    session: Any = Session(answers)
    table: Any = Frame([], COLUMNS)
    found = as_of_newest(session, NAME, table)
    assert found.version == version
    assert found.rows is answers[f"SELECT * FROM {NAME} VERSION AS OF {version}"]


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {DESCRIBE: Frame([], [])},
        {DESCRIBE: described("parquet"), HISTORY: one("version", 12), **as_of("12")},
        {DESCRIBE: described("delta")},
        {DESCRIBE: described("delta"), HISTORY: Frame([], [])},
        {DESCRIBE: described("delta"), HISTORY: one("version", None)},
        {DESCRIBE: described("delta"), HISTORY: one("version", 12)},
        {DESCRIBE: described("delta"), HISTORY: one("version", 12), **as_of("12", ["close"])},
    ],
)
def test_a_table_of_which_nothing_tells_the_version_is_read_as_it_is(
    answers: Mapping[str, Frame],
) -> None:
    session: Any = Session(answers)
    table: Any = Frame([], COLUMNS)
    assert as_of_newest(session, NAME, table) == (table, None)


def test_a_stop_is_no_catalog_without_an_answer() -> None:
    class Stopped:
        def sql(self, query: str) -> Frame:
            raise StoppedError(signal.SIGTERM, "SIGTERM")

    session: Any = Stopped()
    table: Any = Frame([], COLUMNS)
    with pytest.raises(StoppedError):
        as_of_newest(session, NAME, table)
