"""Files that Spark decides in pieces give the local engine's answer, to the last bit and byte."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

from rollsignal.config.settings import Checks, JobConfig
from tests.support.answers import BAD, CONFIG, KINDS, Row, answer, rows, write
from tests.support.spark import Place, answer_on_spark
from tests.support.workers import SmallLocalEngine

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

WARN = Checks(order="warn", duplicates="warn", ohlc="off")


class Case(NamedTuple):
    """Files to be written and decided; `passes`: how many there are."""

    write: Callable[[Path], Sequence[Path]]
    config: JobConfig = CONFIG
    piece_bytes: int = 700
    passes: int = 2


def one(kind: str, bars: Sequence[Row]) -> Callable[[Path], Sequence[Path]]:
    return lambda folder: [write(folder, kind, bars)]


def of_symbol(bars: Sequence[Row], symbol: str) -> list[Row]:
    return [(time, symbol, close) for time, _, close in bars]


def by_file(folder: Path) -> Sequence[Path]:
    return [write(folder, "csv", of_symbol(rows(), name), name) for name in ("A", "B", "C")]


def small_files(folder: Path) -> Sequence[Path]:
    return [write(folder, "csv", rows(10, 10 * number), f"{number:02}") for number in range(12)]


def quoted(folder: Path) -> Sequence[Path]:
    path = write(folder, "csv", rows())
    header, *lines = path.read_text().splitlines()
    noted = [f"{line},\n" for line in lines]
    noted[60] = ",".join([lines[60], '"' + "line\n" * 400 + '"\n'])
    path.write_text(f"{header},note\n" + "".join(noted))
    return [path, write(folder, "parquet", rows(40, 120), "more")]


def compressed(folder: Path) -> Sequence[Path]:
    path = write(folder, "csv", rows())
    packed = folder / "bars.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    return [packed, write(folder, "csv", rows(40, 120), "more")]


def mixed(folder: Path) -> Sequence[Path]:
    return [
        write(folder, kind, rows(30, 30 * number), str(number)) for number, kind in enumerate(KINDS)
    ]


HOLES = [
    (time, symbol, "" if at % 11 == 7 else close) for at, (time, symbol, close) in enumerate(rows())
]
SKEWED = [
    (time, "A" if at % 10 else "BCD"[at // 10 % 3], close)
    for at, (time, _, close) in enumerate(rows())
]
WRONG = [*rows()[:50], BAD["close"], *rows()[50:90], BAD["order"], *rows()[90:]]
DOUBTED = [
    (rows()[at - 3][0] if at % 9 == 5 else time, symbol, close)
    for at, (time, symbol, close) in enumerate(rows())
]

CASES = {
    "one series": Case(one("csv", of_symbol(rows(), "A"))),
    "a window of 1": Case(one("csv", rows()), CONFIG._replace(window=1)),
    "a window longer than a piece": Case(one("parquet", rows()), CONFIG._replace(window=50), 100),
    "a window longer than the bars": Case(one("csv", rows()), CONFIG._replace(window=500), 100, 1),
    **{f"two symbols as {kind}": Case(one(kind, rows()), piece_bytes=1200) for kind in KINDS},
    "a symbol with most rows": Case(one("csv", SKEWED)),
    "a file for each symbol": Case(by_file),
    "files of all kinds": Case(mixed, piece_bytes=800),
    "small files in a piece": Case(small_files, piece_bytes=1000),
    "one piece": Case(small_files, piece_bytes=1 << 20),
    "fifty pieces": Case(one("csv", rows(600)), piece_bytes=340),
    "a missing close": Case(one("csv", HOLES), passes=1),
    "gaps": Case(one("csv", HOLES), CONFIG._replace(missing="gap")),
    "rows left out": Case(one("parquet", HOLES), CONFIG._replace(missing="skip")),
    "the first of two errors": Case(one("csv", WRONG), passes=1),
    "the first of two errors in rows": Case(one("ndjson", WRONG), passes=1),
    "warnings": Case(one("csv", DOUBTED), CONFIG._replace(checks=WARN)),
    "a quoted line end": Case(quoted, passes=3),
    "a compressed file": Case(compressed),
}
ELSEWHERE = [
    "one series",
    "two symbols as parquet",
    "a file for each symbol",
    "files of all kinds",
    "fifty pieces",
    "gaps",
    "the first of two errors",
    "warnings",
    "a quoted line end",
]


def check(place: Place, case: Case, folder: Path) -> None:
    paths = case.write(folder)
    found, counts = place.call(answer_on_spark, paths, case.config, case.piece_bytes)
    assert found == answer(SmallLocalEngine(), paths, case.config)
    # Before the passes, the files are looked at.
    assert len(counts) == 1 + case.passes


@pytest.mark.parametrize("name", CASES)
def test_a_local_session_gives_what_this_process_gives(
    tmp_path: Path, session: SparkSession, name: str
) -> None:
    check(Place("local"), CASES[name], tmp_path)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_cluster_gives_what_this_process_gives(
    tmp_path: Path, on_cluster: Place, name: str
) -> None:
    check(on_cluster, CASES[name], tmp_path)


@pytest.mark.parametrize("name", ELSEWHERE)
def test_connect_gives_what_this_process_gives(
    tmp_path: Path, on_connect: Place, name: str
) -> None:
    check(on_connect, CASES[name], tmp_path)
