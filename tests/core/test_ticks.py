"""Laws of prices: a close is the decimal that is written, or the cell is refused."""

import string
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rollsignal.core.ticks import MAX_DIGITS, MAX_EXPONENT, MAX_WHOLE_DIGITS, Ticks, parse_closes
from rollsignal.errors import BadCellError
from tests.support import oracle
from tests.support.strategies import Series, series, spelled, written

ascii_cells = st.text(st.sampled_from("0123456789.+-eE \t,_xna"), max_size=9)

WORDS = "NaN nan -nan NA N/A n/a #N/A #NA null NULL None nil missing - -- ? ."
INFINITIES = "inf Inf -inf +inf Infinity -Infinity"
MISSING = ["", " ", "\t", " NaN ", r"\N", "#N/A N/A", *WORDS.split(), *INFINITIES.split()]
REFUSED = (
    "1,000.5 1'000 1_000 100,5 $100 €100 5% (5) 5- --5 +-5 1.2.3 1..2 e5 1e 1e+ 1e5.0 1d5 "
    ".. +. infin -1inf 1e5e5 0x10 0b1 1j ½ ² 五 １ ١ TRUE close #REF! #DIV/0! −5 5% "
    "2024-01-01 '5 =5 sNaN NaN5 1O0"
)
NO_NUMBERS = [
    *REFUSED.split(),
    *("1 000", "100 USD", "- 5", "1e 5", "5 6", '"5"', "\u00a05", "5\u00a0", "\ufeff5", "5\u200b"),
    *("\v5", "5\f", "5\n", "5\r", "\n", "5\0", "\ud800"),
]


def values_of(ticks: Ticks) -> list[Fraction | None]:
    return [None if tick is None else Fraction(tick, 10**ticks.scale) for tick in ticks.values]


def refusal(*cells: str) -> BadCellError:
    with pytest.raises(BadCellError) as caught:
        parse_closes(cells)
    return caught.value


@given(st.data(), series())
def test_every_spelling_of_a_number_is_read_as_its_exact_value(
    data: st.DataObject, bars: Series
) -> None:
    cells = [data.draw(spelled(tick, bars.scale)) for tick in bars.ticks if tick is not None]
    expected = [Fraction(tick, 10**bars.scale) for tick in bars.ticks if tick is not None]
    assert values_of(parse_closes(cells)) == expected == oracle.prices(cells)


@given(st.lists(st.tuples(st.integers(-(10**20), 10**20), st.integers(0, 30)), min_size=1))
def test_the_scale_is_the_greatest_number_of_decimals_written(
    numbers: list[tuple[int, int]],
) -> None:
    cells = [written(tick, scale) for tick, scale in numbers]
    assert parse_closes(cells).scale == max(scale for _, scale in numbers)


@given(series(gaps=True), st.sampled_from(["1e0", "5.0e-3", "NaN"]))
def test_an_unusual_cell_changes_nothing_about_the_others(bars: Series, unusual: str) -> None:
    """Plain numbers have a fast path; one unusual cell sends all of them down the slow one."""
    ticks = parse_closes(bars.cells)
    assert values_of(ticks) == values_of(parse_closes([*bars.cells, unusual]))[:-1]


@given(st.lists(st.one_of(ascii_cells, st.text(max_size=6), st.floats().map(repr)), max_size=4))
@example(["1\n2"])
@example(["1", "2\n"])
@example(["١٢"])  # Arabic-Indic digits
@example(["1２"])  # a fullwidth digit
def test_any_text_is_a_number_as_decimal_reads_it_or_missing_or_refused(
    cells: list[str],
) -> None:
    try:
        values = values_of(parse_closes(cells))
    except BadCellError:
        return
    for cell, value in zip(cells, values, strict=True):
        assert cell.isascii()
        assert "_" not in cell
        assert value is None or value == oracle.price(cell)
        assert value is not None or not any(digit in cell for digit in string.digits)


@given(st.lists(st.integers(0, 10**6).map(str)), st.lists(st.integers(0, 9).map(str)))
def test_the_first_cell_that_is_not_a_number_is_named(before: list[str], after: list[str]) -> None:
    bad = refusal(*before, "1O0", *after, "also bad")
    assert (bad.index, bad.reason) == (len(before), "not a number")


@pytest.mark.parametrize("cell", NO_NUMBERS)
def test_a_cell_that_is_not_a_plain_decimal_is_refused(cell: str) -> None:
    assert refusal("1.5", cell).index == 1


@pytest.mark.parametrize("cell", MISSING)
def test_a_common_word_for_no_value_is_a_missing_close(cell: str) -> None:
    assert parse_closes(["1.5", cell]) == Ticks([15, None], 1)


def test_without_cells_there_are_no_ticks() -> None:
    assert parse_closes([]) == Ticks([], 0)


@pytest.mark.parametrize(
    "cell", ["0", "-0", "+0", "00", "0.000", ".0", "0.", "0e9", "-0e-9", "0E400"]
)
def test_every_zero_is_zero(cell: str) -> None:
    assert values_of(parse_closes([cell])) == [0]


@pytest.mark.parametrize("zeros", ["", "e0"])
def test_a_number_may_have_at_most_4000_digits(zeros: str) -> None:
    whole, decimals = "7" * 300, "7" * (MAX_DIGITS - 300)
    longest = f"{whole}.{decimals}"
    assert MAX_DIGITS == 4000
    assert values_of(parse_closes([longest + zeros])) == [oracle.price(longest)]
    assert refusal("0" + longest + zeros).reason == "a number with more than 4,000 digits"
    assert refusal(longest + "0" + zeros).reason == "a number with more than 4,000 digits"


def test_an_exponent_may_be_at_most_400() -> None:
    assert MAX_EXPONENT == 400
    assert values_of(parse_closes(["1e-400"])) == [Fraction(1, 10**400)]
    assert values_of(parse_closes([f"0.{'0' * 200}1e+400"])) == [10**199]
    assert values_of(parse_closes(["1e0000000005", "5e-0000000400"])) == [
        10**5,
        Fraction(5, 10**400),
    ]
    for exponent in ("-401", "401", "+401", "00401", "9" * 9, "9" * 5000):
        assert refusal(f"1e{exponent}").reason == "a number with an exponent outside -400 to 400"


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_number_is_below_10_to_the_308_so_that_its_mean_is_a_double(sign: str) -> None:
    assert MAX_WHOLE_DIGITS == 308
    numbers = [sign + "9" * 308, sign + "1e307"]
    assert values_of(parse_closes(numbers)) == oracle.prices(numbers)
    for cell in ("1" + "0" * 308, "1e308", "10e307", "0.1e309", "1" + "0" * 400 + "e-92"):
        assert refusal(sign + cell).reason == "a number not between -10^308 and 10^308"


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**300), max_value=10**300))
def test_a_decimal_as_python_writes_it_is_read_back(number: Decimal) -> None:
    _, digits, exponent = number.as_tuple()
    if isinstance(exponent, int) and abs(number.adjusted()) <= 400:
        assert len(digits) <= MAX_DIGITS
        assert values_of(parse_closes([str(number)])) == [Fraction(number)]


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e307, max_value=1e307))
def test_a_double_as_python_writes_it_is_read_back(number: float) -> None:
    assert values_of(parse_closes([repr(number)])) == [Fraction(Decimal(repr(number)))]
