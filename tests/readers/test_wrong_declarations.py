"""A declaration that does not fit its table gives the right closes, or is refused, never others."""

from __future__ import annotations

from random import Random

import pytest

from rollsignal.config.rules import NO_SYMBOLS, UsualName
from rollsignal.config.settings import Columns, JobConfig, Table
from rollsignal.errors import DataError
from tests.support import oracle
from tests.support.tables import CONFIG, Cut, bars_of, opened, read

STAMPS = ("2024-01-01 00:0{}", "170406720000{}", "2024-01-0{}", "20240101 00000{}")
ABOVE = ("a title", "2024", "a,b,c,d,e,f", "1;2;3", "time,close", '"x', "#c", "")


def european(close: str) -> str:
    whole, _, decimals = close.partition(".")
    return f"{int(whole):,}".replace(",", ".") + "," + decimals


class Made:
    """A table at random, and a config that may fit it or not."""

    def __init__(self, number: int) -> None:
        self.rng = rng = Random(number)
        self.width = rng.randint(2, 6)
        self.stamp, self.close = rng.sample(range(self.width), 2)
        self.sign = rng.choice(",;\t|")
        self.is_european = rng.random() < 0.2
        self.closes = [
            f"{rng.randint(1, 9999)}.{rng.randint(0, 99):02}" for _ in range(rng.randint(2, 8))
        ]
        self.text = "\n".join([*self._above(), *self._rows(), *self._below()])
        self.text += rng.choice(["\n", "\n", ""])
        self.config = self._config()

    def _above(self) -> list[str]:
        names = [f"c{column}" for column in range(self.width)]
        names[self.stamp], names[self.close] = "time", "close"
        numbers = map(str, range(self.width))
        lines = [self.sign.join(names), self.sign.join(numbers), self.rng.choice(ABOVE)]
        return self.rng.choice([[], [], *([line] for line in lines)])

    def _rows(self) -> list[str]:
        stamp = self.rng.choice(STAMPS)
        other = self.rng.choice(["7", "0.5", "", "x", stamp.format(1), "A B"])
        rows = []
        for row, close in enumerate(self.closes, start=1):
            cells = [other] * self.width
            cells[self.stamp] = stamp.format(row)
            cells[self.close] = european(close) if self.is_european else close
            if self.sign in cells[self.close]:
                cells[self.close] = f'"{cells[self.close]}"'
            rows.append(self.sign.join(cells))
        return rows

    def _below(self) -> list[str]:
        total = self.sign.join(["Total"] + ["5"] * (self.width - 1))
        return self.rng.choice([[], [], ["Total"], [total], ["2024-01"], [self.sign * 3]])

    def _config(self) -> JobConfig:
        choose = self.rng.choice
        headers: list[int | str] = ["auto", "auto", "none", 1, 2]
        header = choose(headers)
        says_signs = self.is_european and self.rng.random() < 0.9
        places = header == "none" or self.rng.random() < 0.7
        close = self.close + 1 if places else UsualName("close")
        stamp = choose([self.stamp + 1, None if places else "time"])
        table = Table(
            header,
            choose([None, None, None, 1, 2, 3]),
            choose(["error", "skip"]),
            choose([None, None, "#"]),
            choose(["auto", "auto", "tab" if self.sign == "\t" else self.sign]),
            "," if says_signs else ".",
            "." if says_signs else None,
        )
        columns = Columns(close, stamp, choose([None, NO_SYMBOLS]))
        return CONFIG._replace(columns=columns, table=table)


@pytest.mark.parametrize("hundred", range(10))
def test_a_table_gives_its_closes_or_is_refused_whatever_is_declared(hundred: int) -> None:
    right = 0
    for number in range(100 * hundred, 100 * hundred + 100):
        made = Made(number)
        try:
            bars = read(made.text, made.config)
        except DataError:
            continue
        # A table without rows ends every run with an error.
        assert bars.closes in ([], oracle.prices(made.closes)), (number, made.text, made.config)
        with opened(made.text, made.config, Cut(0, 4096, 64)) as reader:
            assert bars_of(reader) == bars
        right += bool(bars.closes)
    assert right > 3
