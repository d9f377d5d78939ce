"""A history of bars, cut at random into files, and its signals by fractions of the closes."""

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

from bench.oracle import side

SYMBOLS = ("A", "B", "C")
HEADER = "timestamp,symbol,close\n"
START = datetime(2024, 1, 1)
WINDOW = 5
CONFIG = f'seed: 42\nwindow: {WINDOW}\nversion: "faults"\ncolumns: {{symbol: symbol}}\n'
MOST_STEP_CENTS = 3


class History(NamedTuple):
    """Files of bars in the order of time, and the closes of each symbol as they are written."""

    files: list[Path]
    closes: dict[str, list[str]]

    @property
    def rows(self) -> int:
        """Return the number of all bars."""
        return sum(map(len, self.closes.values()))

    def signals(self) -> dict[str, list[bool]]:
        """Decide every bar that has a full window."""
        return {
            symbol: [side(closes[end - WINDOW : end]) > 0 for end in range(WINDOW, len(closes) + 1)]
            for symbol, closes in self.closes.items()
        }


def history(folder: Path, days: int, bars_a_day: int, pieces: int, random: Random) -> History:
    """Make a history of `days`, cut into `pieces` files; ties are common."""
    cents = dict.fromkeys(SYMBOLS, 10_000)
    closes: dict[str, list[str]] = {symbol: [] for symbol in SYMBOLS}
    rows = []
    for number in range(days * bars_a_day):
        day, bar = divmod(number, bars_a_day)
        stamp = START + timedelta(days=day, seconds=bar * 86_400 // bars_a_day)
        for symbol in SYMBOLS:
            cents[symbol] += random.randint(-MOST_STEP_CENTS, MOST_STEP_CENTS)
            closes[symbol].append(f"{cents[symbol] / 100:.2f}")
            rows.append(f"{stamp},{symbol},{closes[symbol][-1]}\n")
    return History(_cut(folder, rows, pieces, random), closes)


def _cut(folder: Path, rows: list[str], pieces: int, random: Random) -> list[Path]:
    """Write the rows to files, each long enough to have signals of its own."""
    least = WINDOW * len(SYMBOLS)
    steps = sorted(random.sample(range(1, len(rows) // least), pieces - 1))
    cuts = [0, *(step * least + random.randrange(len(SYMBOLS)) for step in steps), len(rows)]
    files = [folder / f"{number:02}.csv" for number in range(pieces)]
    folder.mkdir(parents=True)
    for path, (begin, end) in zip(files, pairwise(cuts), strict=True):
        path.write_text(HEADER + "".join(rows[begin:end]))
    return files
