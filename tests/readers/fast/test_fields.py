"""Fields of plain rows: every number is read exactly as written, or the block is refused."""

import re
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from rollsignal.core.arrays import TickArray
from rollsignal.readers.fast.fields import MAX_CHARS, MAX_WHOLE, Fields, Masks
from rollsignal.readers.fast.words import NotPlainError
from tests.support.strategies import written

PLAIN = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")


def block(columns: Sequence[Sequence[str]], delimiter: str = ",", end: str = "\n") -> bytes:
    rows = zip(*columns, strict=True)
    return "".join(delimiter.join(row) + end for row in rows).encode()


def exact(ticks: TickArray) -> list[Fraction]:
    assert ticks.values.dtype == np.int64
    return [Fraction(tick, 10**ticks.scale) for tick in ticks.values.tolist()]


def numbers(cells: Sequence[str], index: int = 1, width: int = 3) -> list[Fraction] | None:
    """Read cells as one column of a table; None if they are refused."""
    try:
        return exact(among_others(cells, index, width).numbers(index))
    except NotPlainError:
        return None


def among_others(cells: Sequence[str], index: int, width: int) -> Fields:
    """Return the fields of a table with a column between others whose cells have two lengths."""
    columns = [[("x", "2024-01-01")[row % 2] for row in range(len(cells))]] * width
    columns[index] = list(cells)
    return Fields(block(columns), ",", width, Masks())


def fits(cells: Sequence[str]) -> bool:
    """Return whether plain numbers fit into two words, and their ticks into an int64."""
    scale = max(len(cell.partition(".")[2]) for cell in cells)
    short = all(len(cell) <= MAX_CHARS for cell in cells)
    return short and max(Fraction(cell) for cell in cells) * 10**scale < 2**63


@st.composite
def plain_numbers(draw: DrawFn, most: int = MAX_CHARS) -> str:
    """Draw a number of at most `most` characters, with a point anywhere or none."""
    digits = draw(st.text("0123456789", min_size=1, max_size=most - 1))
    point = draw(st.integers(0, len(digits)) | st.none())
    return digits if point is None else f"{digits[:point]}.{digits[point:]}"


@st.composite
def of_one_scale(draw: DrawFn) -> list[str]:
    """Draw numbers that all have the same decimals, as most columns do."""
    scale = draw(st.integers(0, MAX_CHARS - 2))
    tick = st.integers(0, 10 ** (MAX_CHARS - 1) - 1)
    return [written(number, scale) for number in draw(st.lists(tick, min_size=1, max_size=9))]


places = st.sampled_from([(0, 1), (0, 3), (1, 3), (2, 3), (0, 2), (1, 2)])


@given(st.lists(plain_numbers(), min_size=1, max_size=9) | of_one_scale(), places)
@example(["9" * 16, ".1"], (0, 1))
@example(["0" * 16, ".000000000000001"], (0, 1))
@example(["922337203685.4775", "1.0000000"], (0, 1))
@example(["922337203686", ".0000001"], (0, 1))
def test_plain_numbers_are_as_written(cells: list[str], column: tuple[int, int]) -> None:
    values = numbers(cells, *column)
    assert values == ([Fraction(cell) for cell in cells] if fits(cells) else None)


@pytest.mark.parametrize("length", range(1, MAX_CHARS + 1))
def test_a_point_may_stand_anywhere_in_a_number_of_any_length(length: int) -> None:
    digits = "9081726354019283"[:length]
    spelled = [digits] + [
        f"{digits[:point]}.{digits[point + 1 :]}" for point in range(length if length > 1 else 0)
    ]
    for cell in spelled:
        assert numbers([cell]) == [Fraction(cell)]
        assert numbers([cell] * 70, 0, 1) == [Fraction(cell)] * 70
        for neighbor in spelled:
            assert numbers([cell, neighbor], 0, 1) == (
                [Fraction(cell), Fraction(neighbor)] if fits([cell, neighbor]) else None
            )


@pytest.mark.parametrize("length", range(1, MAX_CHARS + 1))
@pytest.mark.parametrize(
    "sign", ["/", ":", ".", "-", "+", "e", " ", "\t", "_", "\x00", "\x7f", "A"]
)
def test_one_odd_character_anywhere_among_digits_is_refused(length: int, sign: str) -> None:
    for digits in ("0" * length, "9" * length, ("12.5" * 4)[:length]):
        for index in range(length):
            cell = digits[:index] + sign + digits[index + 1 :]
            if PLAIN.fullmatch(cell):
                assert numbers([cell]) == [Fraction(cell)]
            else:
                assert numbers([cell]) is None
                assert numbers([cell, "7.25", "123456789"]) is None


@given(st.lists(plain_numbers() | st.text("0123456789.+-eE _", max_size=18), min_size=1))
def test_numbers_are_exact_or_refused_whatever_else_is_in_their_column(cells: list[str]) -> None:
    values = numbers(cells)
    if all(map(PLAIN.fullmatch, cells)):
        assert values == ([Fraction(cell) for cell in cells] if fits(cells) else None)
    else:
        assert values is None


@pytest.mark.parametrize("cell", ["", ".", "1.2.3", "1..2", "..", "1" * 17, "0." + "0" * 15])
@pytest.mark.parametrize("others", [[], ["1"], ["1.5"], ["12.25", "3"], ["1234567890.5"]])
def test_a_cell_that_is_not_a_short_plain_number_is_refused(cell: str, others: list[str]) -> None:
    assert numbers([cell, *others], 1, 2) is None
    assert numbers([*others, cell], 1, 2) is None


@given(st.lists(st.integers(0, 10**MAX_WHOLE), min_size=1, max_size=9), st.integers(0, 3), places)
@example([2**63 - 1, 10**18], 0, (0, 1))
@example([10**18], 3, (0, 1))
@example([2**63], 0, (0, 1))
@example([9_219_999_999_999_999_999], 0, (0, 1))
def test_whole_numbers_are_as_written_or_refused(
    values: list[int], zeros: int, column: tuple[int, int]
) -> None:
    place, width = column
    cells = ["0" * zeros + str(value) for value in values]
    fields = among_others(cells, place, width)
    lengths = {len(cell) for cell in cells}
    # If one has more than sixteen digits, all must have.
    alike = max(lengths) <= MAX_CHARS or (min(lengths) > MAX_CHARS and max(lengths) <= MAX_WHOLE)
    if alike and max(values) < 922 * 10**16:
        assert fields.whole_numbers(place).tolist() == values
    else:
        with pytest.raises(NotPlainError):
            fields.whole_numbers(place)


@given(
    st.lists(st.text("0123456789.-x ", max_size=20), min_size=1, max_size=5).filter(
        lambda cells: not all(cell.isdigit() for cell in cells)
    )
)
def test_a_cell_that_is_not_a_whole_number_is_refused(cells: list[str]) -> None:
    with pytest.raises(NotPlainError):
        among_others(cells, 1, 2).whole_numbers(1)


symbols = st.text("AB1 .-=", min_size=1, max_size=34) | st.sampled_from(
    ["BTC", "BTCUSDT", "A", "B"]
)


@given(st.lists(symbols, min_size=1, max_size=30), places)
def test_coded_cells_are_their_names_by_their_codes(
    cells: list[str], column: tuple[int, int]
) -> None:
    place, width = column
    fields = among_others(cells, place, width)
    if max(map(len, cells)) > 32:
        with pytest.raises(NotPlainError):
            fields.coded(place)
        return
    names, codes = fields.coded(place)
    assert [names[code] for code in codes.tolist()] == cells
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("cells", [["", "A"], ["A", ""], ["A", "B" * 33]])
def test_cells_that_are_empty_or_long_have_no_codes(cells: list[str]) -> None:
    with pytest.raises(NotPlainError):
        among_others(cells, 1, 2).coded(1)


def test_many_symbols_of_every_length_are_distinguished() -> None:
    """Some differ in their first character only, some in their last, some in their length."""
    cells = [start + "S" * length + end for length in range(31) for start in "AB" for end in "XY"]
    cells = [cell[:32] for cell in cells] * 3 + ["A", "X", "S"] + ["S" * n for n in range(1, 33)]
    names, codes = among_others(cells, 0, 1).coded(0)
    assert [names[code] for code in codes.tolist()] == cells
    assert sorted(names) == sorted(set(cells))


@given(
    st.integers(1, 20).flatmap(
        lambda length: st.lists(
            st.text("0123-T :", min_size=length, max_size=length), min_size=1, max_size=70
        )
    ),
    places,
)
def test_texts_of_one_length_are_laid_out_as_their_bytes(
    cells: list[str], column: tuple[int, int]
) -> None:
    texts = among_others(cells, *column).texts(column[0])
    assert [row.tobytes().decode() for row in texts] == cells


@pytest.mark.parametrize("cells", [["ab", "a"], ["a", "ab"], ["", ""], ["a", ""], ["ab", "c", "d"]])
def test_texts_of_several_lengths_are_refused(cells: list[str]) -> None:
    with pytest.raises(NotPlainError):
        among_others(cells, 1, 2).texts(1)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_delimiter_and_both_line_ends_are_known(delimiter: str, end: str) -> None:
    data = block([["1.5", "2"], ["A", "B"], ["7", "89"]], delimiter, end)
    fields = Fields(data, delimiter, 3, Masks())
    assert fields.rows == 2
    assert exact(fields.numbers(0)) == [Fraction("1.5"), 2]
    assert fields.coded(1)[0] == ["A", "B"]
    assert fields.whole_numbers(2).tolist() == [7, 89]


@pytest.mark.parametrize(
    "data",
    [
        b"1,2\n3\n4,5,6\n",
        b"1,2,3\n4\n5,6\n",
        b"1\n2,3,4\n5,6\n",
        b"1,2\n3,4\n5\n,6,7\n",
        b"1,2\n3\n",
        b"1,2\n3,4,5\n",
        b"1,2,3,4\n",
        b"1,2\n\n3,4\n",
        b"1,2\n\n3,4,5,6\n",
        b"\n1,2,3\n4,5\n",
        b"1,2\n3,4",
        b"1,2\n3,4\r",
        b"1,2\r3,4\n",
        b"1,2\r\r\n3,4\n",
        b"1,2\n\r3,4\n",
        b'1,"2"\n3,4\n',
        b"1,2\n3,\0\n",
        b"1,2\n3,\xff\n",
        "1,2\n3,é\n".encode(),
        b"1;2\n3;4\n",
        b",\n,\n,\n,\n\n,,\n",
    ],
)
def test_rows_that_are_not_plain_or_of_several_widths_are_refused(data: bytes) -> None:
    with pytest.raises(NotPlainError):
        Fields(data, ",", 2, Masks())


@given(st.text(",;\n1\r", max_size=12), st.integers(1, 3))
def test_rows_are_taken_only_if_each_is_as_wide_as_the_header(text: str, width: int) -> None:
    lines = text.replace("\r\n", "\n").split("\n")
    plain = "\r" not in "\n".join(lines) and lines[-1] == "" and len(lines) > 1
    if plain and all(line.count(",") == width - 1 for line in lines[:-1]):
        assert Fields(text.encode(), ",", width, Masks()).rows == len(lines) - 1
    else:
        with pytest.raises(NotPlainError):
            Fields(text.encode(), ",", width, Masks())
