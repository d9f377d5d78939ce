"""Files whose bars stand in no order, to be sorted by any engine."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from rollsignal.config.rules import SymbolFrom
from rollsignal.config.settings import Checks, Columns, JobConfig
from tests.support.answers import BAD, CONFIG, KINDS, Answer, Row, rows, write

SORT = CONFIG._replace(sort=True)
NAMED = Columns(symbol=SymbolFrom(filename=True))
SAME = SORT._replace(duplicates="same", missing="gap")
LAST = SORT._replace(duplicates="last", missing="gap")
WARN = SORT._replace(checks=Checks(duplicates="warn"))
BEYOND_INT64 = 10**20


class Case(NamedTuple):
    """Files to be written and decided."""

    write: Callable[[Path], Sequence[Path]]
    config: JobConfig = SORT


def shuffled(bars: Sequence[Row]) -> list[Row]:
    return random.Random(3).sample(bars, len(bars))


def one(kind: str, bars: Sequence[Row]) -> Callable[[Path], Sequence[Path]]:
    return lambda folder: [write(folder, kind, bars)]


def of_symbol(bars: Sequence[Row], symbol: str) -> list[Row]:
    return [(time, symbol, close) for time, _, close in bars]


def of_all_kinds(folder: Path) -> Sequence[Path]:
    return [write(folder, kind, ODD[at::4], f"of {kind}") for at, kind in enumerate(KINDS)]


def text(*lines: str, header: str = "timestamp,symbol,close") -> Callable[[Path], Sequence[Path]]:
    def written(folder: Path) -> Sequence[Path]:
        folder.joinpath("bars.csv").write_text("\n".join([header, *lines, ""]))
        return [folder / "bars.csv"]

    return written


def lines_of(bars: Sequence[Row]) -> list[str]:
    return [",".join(row) for row in bars]


def quoted(folder: Path) -> Sequence[Path]:
    lines = [f"{line},\n" for line in lines_of(shuffled(rows()))]
    lines[60] = lines[60][:-1] + '"' + "line\n" * 400 + '"\n'
    folder.joinpath("bars.csv").write_text("timestamp,symbol,close,note\n" + "".join(lines))
    return [folder / "bars.csv", write(folder, "parquet", rows(40, 120), "more")]


def by_file(folder: Path) -> Sequence[Path]:
    bars = HOLES[:60]
    names = ("B", "A", "C")
    for name in names:
        lines = [f"{time},{close}" for time, _, close in bars]
        folder.joinpath(f"{name}.csv").write_text("\n".join(["timestamp,close", *lines, ""]))
    return [folder / f"{name}.csv" for name in names]


def two(first: str, second: str) -> Callable[[Path], Sequence[Path]]:
    def written(folder: Path) -> Sequence[Path]:
        for name, content in {"a.csv": first, "b.csv": second}.items():
            folder.joinpath(name).write_text(content)
        return [folder / "a.csv", folder / "b.csv"]

    return written


def _finer(close: str) -> str:
    """Write the same number with more digits."""
    return f"{close}0" if "." in close else close and f"{close}.0"


MIXED = shuffled(rows())
HOLES = [(time, name, "" if at % 5 == 3 else close) for at, (time, name, close) in enumerate(MIXED)]
TWICE = [*MIXED, *MIXED[5:9], ("2024-01-01 00:30:00", "A", "7")]
WRONG = [*MIXED[:70], BAD["close"], *MIXED[70:90], BAD["time"], *MIXED[90:]]
# Nanoseconds, closes beyond 64 bits, some missing, and zeros.
ODD = [
    (
        f"{time}.{at % 3:09d}",
        name,
        {3: "", 5: str(BEYOND_INT64 * at), 7: "0"}.get(at % 16, close),
    )
    for at, (time, name, close) in enumerate(MIXED)
]
REPEATED = [*ODD, *((time, name, close and _finer(close)) for time, name, close in ODD[::3])]
OFTEN = [*ODD, *((time, name, f"{at}.5") for at, (time, name, _) in enumerate([*ODD[::3], *ODD]))]
HEADED = "timestamp,symbol,close\n"
RISING = "".join(f"2024-01-01 00:0{at}:00,A,{at}\n" for at in range(1, 8))
ZONED = "".join(f"2024-01-01T00:3{at}:00Z,A,{at}\n" for at in range(1, 8))

RIGHT = {
    "odd bars of files of all kinds": Case(of_all_kinds, SORT._replace(missing="gap")),
    "a file for each symbol, and rows left out": Case(
        by_file,
        SORT._replace(missing="skip", columns=Columns(symbol=SymbolFrom(None, filename=True))),
    ),
    "a quoted line end": Case(quoted, SORT._replace(window=50)),
    "rows that repeat others": Case(one("csv", REPEATED), SAME),
    "the last of the rows at a time": Case(one("csv", OFTEN), LAST),
    "two bars at a time, let through": Case(one("csv", of_symbol(TWICE, "A")), WARN),
}
TIED = "two bars at a time"
WRONGS = {
    TIED: Case(one("csv", of_symbol(TWICE, "A"))),
    "a missing close": Case(one("csv", HOLES)),
    "the first of two errors": Case(one("csv", WRONG)),
    "the first of two errors in rows": Case(one("parquet", WRONG)),
    "no symbol": Case(one("csv", [*MIXED[:80], BAD["symbol"], *MIXED[80:]])),
    "a year beyond nanoseconds": Case(
        text(*lines_of(MIXED), "3000-01-01,A,1", *lines_of(rows(9, 130)))
    ),
    "no times": Case(text(*map(str, range(100, 300)), header="close")),
    "times with and without a zone": Case(two(HEADED + RISING, HEADED + ZONED)),
    "symbols in one of two files": Case(
        two(HEADED + RISING, "timestamp,close\n" + RISING.replace(",A", ""))
    ),
    "only headers": Case(two(HEADED, HEADED)),
}


def by_series(found: Answer) -> Answer:
    """Return an answer with its signals in the order of series and time."""
    header, *lines = found.signals.splitlines() or [""]
    return found._replace(signals="\n".join([header, *sorted(lines, key=_series_and_time)]))


def _series_and_time(line: str) -> tuple[list[str], str]:
    time, *rest = line.split(",")
    return rest[:1], time
