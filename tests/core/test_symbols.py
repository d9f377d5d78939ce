"""Symbols are numbered in the order of their first bars, however they arrive."""

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from rollsignal.core.symbols import SymbolCodes
from rollsignal.readers.frame_symbols import SymbolColumn
from tests.support.strategies import cuts_of

names = st.one_of(
    st.sampled_from(["A", "B", " A", "B\t", "a", "=x", "é", "BTC", "nan"]), st.text(max_size=3)
)


class Numbers:
    """Number the symbols of a file's columns."""

    def __init__(self) -> None:
        self._column, self._codes = SymbolColumn(), SymbolCodes()

    @property
    def names(self) -> list[str]:
        return self._codes.names

    def of(self, symbols: pl.Series) -> NDArray[np.int64]:
        return self._codes.of(self._column.coded(symbols))


def numbered(texts: list[str]) -> tuple[list[int], list[str]]:
    """Number by definition: without the blanks around, and -1 for an empty symbol."""
    numbers: dict[str, int] = {}
    bare = [text.strip(" \t") for text in texts]
    codes = [numbers.setdefault(text, len(numbers)) if text else -1 for text in bare]
    return codes, list(numbers)


@given(st.data(), st.lists(names, min_size=1, max_size=20))
def test_numbers_go_up_as_new_symbols_come_in_any_batches(
    data: st.DataObject, texts: list[str]
) -> None:
    codes = Numbers()
    numbers: list[int] = []
    for cut in data.draw(cuts_of(len(texts))):
        if cut.start < cut.stop:
            numbers += codes.of(pl.Series(texts[cut], dtype=pl.String)).tolist()
    assert (numbers, codes.names) == numbered(texts)


@pytest.mark.parametrize("kind", [pl.String, pl.Categorical, pl.Enum(["B", "A", "C"])])
def test_symbols_of_any_kind_have_the_same_numbers(kind: Any) -> None:
    codes = Numbers()
    for texts, expected in ((["C", "A", "C"], [0, 1, 0]), (["B", "A"], [2, 1])):
        assert codes.of(pl.Series(texts).cast(kind)).tolist() == expected
    assert codes.names == ["C", "A", "B"]


def test_whole_numbers_are_symbols_too() -> None:
    codes = Numbers()
    assert codes.of(pl.Series([600519, 7, 600519])).tolist() == [0, 1, 0]
    assert codes.of(pl.Series(["7", "600519"])).tolist() == [1, 0]


def test_two_numberings_are_independent() -> None:
    first, second = Numbers(), Numbers()
    assert first.of(pl.Series(["A", "B"])).tolist() == [0, 1]
    assert second.of(pl.Series(["B", "A"])).tolist() == [0, 1]
    assert (first.names, second.names) == (["A", "B"], ["B", "A"])


def test_numbers_stay_although_no_earlier_column_is_left() -> None:
    codes = Numbers()
    for turn in range(20):
        series = pl.Series([f"S{turn}", "S0", f"S{turn // 2}"])
        assert codes.of(series).tolist() == [turn, 0, turn // 2]
        del series
    assert len(codes.names) == 20


def test_each_of_many_symbols_has_its_own_number() -> None:
    texts = [f"S{number}" for number in range(70_000)]
    codes = Numbers()
    assert codes.of(pl.Series(texts)).tolist() == list(range(70_000))
    assert codes.of(pl.Series(texts[::-1])).tolist() == list(range(70_000))[::-1]
