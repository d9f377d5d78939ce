"""Closes that commas before decimals may have parted are refused, if the header shows it."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import pytest

from rollsignal.config.settings import JobConfig
from rollsignal.engines import ENGINES
from rollsignal.errors import DataError
from tests.support.deciding import decide

CONFIG = JobConfig(seed=1, window=2, version="t")
DAYS = ["2024-01-02", "2024-01-03", "2024-01-04"]


def table(path: Path, header: str, cells: list[str]) -> Path:
    rows = (f"{day},{cell}\n" for day, cell in zip(DAYS, cells, strict=True))
    path.write_text(f"{header}\n{''.join(rows)}")
    return path


def refusal(path: Path) -> str:
    with pytest.raises(DataError) as caught:
        decide([path], CONFIG)
    return str(caught.value)


@pytest.mark.parametrize(
    ("header", "cells"),
    [
        ("date,close,", ["10,5", "10,75", "10,25"]),
        ("date,close,", ["10,5,", "10,75,", "10,25,"]),
        ("date,close,volume,", ["10,5,100", "10,75,100", "10,25,100"]),
        ("date,close,volume,", ['"10",5,100', "10,75,100", "10,25,100"]),
    ],
)
def test_a_close_that_a_comma_may_have_parted_is_refused(
    tmp_path: Path, header: str, cells: list[str]
) -> None:
    assert refusal(table(tmp_path / "a.csv", header, cells)) == (
        f"{tmp_path}/a.csv line 2: the last column has values, but no name, so 10,5 may be one"
        " close, with a comma before its decimals (if that column is one of its own, give it a name"
        " in the header; else write a point before decimals)"
    )
    # Many small files are read together.
    pair = [table(tmp_path / f"{name}.csv", header, cells) for name in "bc"]
    with pytest.raises(DataError, match="the last column has values, but no name"):
        decide(pair, CONFIG)


@pytest.mark.parametrize(
    ("header", "cells", "closes"),
    [
        ("date,close,more", ["10,5", "10,75", "10,25"], ["10", "10", "10"]),
        ("date,close,", ["10.5,5", "10,75", "10,25"], ["10.5", "10", "10"]),
        ("date,close,", ["10,x", "11,75", "10,25"], ["10", "11", "10"]),
        ("date,close,volume,", ["10,5,", "11,75,", "10,25,"], ["10", "11", "10"]),
    ],
)
def test_a_table_that_shows_that_commas_part_fields_is_read(
    tmp_path: Path, header: str, cells: list[str], closes: list[str]
) -> None:
    cells = [f"{day},{cell}" for day, cell in zip(DAYS, cells, strict=True)]
    path = tmp_path / "a.csv"
    path.write_text("".join(f"{line}\n" for line in [header, *cells]))
    exact = list(map(Fraction, closes))
    ones = sum(2 * now > before + now for before, now in pairwise(exact))
    for engine in ("local", "plain"):
        assert decide([path], CONFIG, engine=ENGINES[engine]).tally.ones == ones
