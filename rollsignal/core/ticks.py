"""This module turns closes into whole ticks of 10^-scale, exactly."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rollsignal.errors import BadCellError

BLANKS = " \t"
MAX_DIGITS = 4000
MAX_EXPONENT = 400
MAX_WHOLE_DIGITS = 308
_LONG = 10**MAX_DIGITS

NUMBER = re.compile(r"[ \t]*([+-]?)(?=\.?[0-9])([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?[ \t]*")
_PLAIN_SHAPE = re.compile(rb"[ \t]*[+-]?(?:0+(?:\.(0*))?|\.(0+))[ \t]*")
_DIGITS_TO_ZERO = bytes.maketrans(b"123456789", b"000000000")

_MISSING = r"na n/a #n/a #na null none nil nan -nan \n missing - -- ? . inf +inf -inf"
_INFINITY = "infinity +infinity -infinity"
MISSING_WORDS = frozenset(["", "#n/a n/a", *_MISSING.split(), *_INFINITY.split()])


class Ticks(NamedTuple):
    """Closes as whole ticks of 10^-scale; None is a bar without a close.

    >>> parse_closes(["100.10", "99.5", "NaN"])
    Ticks(values=[10010, 9950, None], scale=2)
    """

    values: list[int | None]
    scale: int

    def listed(self) -> list[int | None]:
        """Return the ticks as a list."""
        return self.values


def parse_closes(cells: Sequence[str]) -> Ticks:
    """Parse closes as written, exactly, to one common scale.

    Raises `BadCellError` for a cell that is neither a number of the accepted grammar (ASCII
    `[+-]digits[.digits][e[+-]digits]` with blanks around, at most 4,000 digits, an exponent of at
    most 400, and less than 10^308, so that its rolling mean is a finite double) nor a common
    word for a missing value.
    """
    text = "\n".join(cells)
    shapes = text.encode("utf-8", "surrogatepass").translate(_DIGITS_TO_ZERO).split(b"\n")
    decimals = {shape: _decimals_of_shape(shape) for shape in set(shapes)}
    if len(shapes) != len(cells) or None in decimals.values():
        return _parse_one_by_one(cells)
    scale = max(decimals.values(), default=0)  # type: ignore[type-var]  # no None left
    assert scale is not None
    digits = text.replace(".", "").split("\n")
    if len(set(decimals.values())) == 1:
        return Ticks(list(map(int, digits)), scale)
    factors = {shape: 10 ** (scale - (count or 0)) for shape, count in decimals.items()}
    values: list[int | None] = [
        int(digit) * factors[shape] for digit, shape in zip(digits, shapes, strict=True)
    ]
    return Ticks(values, scale)


def at_least_scale(ticks: Sequence[int], scale: int) -> tuple[Sequence[int], int]:
    """Return ticks of 10^-scale at the least scale that holds all of them.

    >>> at_least_scale([1500, -20], 3)
    ([150, -2], 2)
    """
    while scale and all(tick % 10 == 0 for tick in ticks):
        ticks, scale = [tick // 10 for tick in ticks], scale - 1
    return ticks, scale


def _decimals_of_shape(shape: bytes) -> int | None:
    """Count the decimals of cells that look like `shape`; None if it is not a plain number."""
    if len(shape) > MAX_WHOLE_DIGITS:
        return None
    match = _PLAIN_SHAPE.fullmatch(shape)
    return None if match is None else len(match[1] or match[2] or b"")


def _parse_one_by_one(cells: Sequence[str]) -> Ticks:
    parsed = [_parse_cell(index, cell) for index, cell in enumerate(cells)]
    scale = max((number[1] for number in parsed if number), default=0)
    scale = max(scale, 0)
    values = [number and number[0] * 10 ** (scale - number[1]) for number in parsed]
    return Ticks(values, scale)


def _parse_cell(index: int, cell: str) -> tuple[int, int] | None:
    """Parse one close to (mantissa, decimals); the decimals may be negative."""
    match = NUMBER.fullmatch(cell)
    if match is None:
        if cell.strip(BLANKS).lower() in MISSING_WORDS:
            return None
        raise BadCellError("not a number", index)
    sign, whole, fraction, exponent = match.groups(default="")
    if len(whole) + len(fraction) > MAX_DIGITS:
        raise BadCellError(f"a number with more than {MAX_DIGITS:,} digits", index)
    if len(exponent.lstrip("+-0")) > 3 or abs(int(exponent or 0)) > MAX_EXPONENT:
        limits = f"-{MAX_EXPONENT} to {MAX_EXPONENT}"
        raise BadCellError(f"a number with an exponent outside {limits}", index)
    mantissa, decimals = int(sign + whole + fraction), len(fraction) - int(exponent or 0)
    if abs(mantissa) >= 10 ** max(0, MAX_WHOLE_DIGITS + decimals):
        most = f"10^{MAX_WHOLE_DIGITS}"
        raise BadCellError(f"a number not between -{most} and {most}", index)
    return mantissa, decimals


def decimal_text(ticks: int, scale: int) -> str:
    """Write ticks of 10^-scale as a decimal, without trailing zeros.

    >>> decimal_text(4251810, scale=2)
    '42518.1'
    """
    digits = str(abs(ticks)) if abs(ticks) < _LONG else _long_text(abs(ticks))
    digits = digits.rjust(scale + 1, "0")
    whole, fraction = digits[: len(digits) - scale], digits[len(digits) - scale :].rstrip("0")
    sign = "-" if ticks < 0 else ""
    return sign + (f"{whole}.{fraction}" if fraction else whole)


def _long_text(number: int) -> str:
    """Write a whole number with more digits than Python writes at once."""
    upper, lower = divmod(number, _LONG)
    return str(upper) + str(lower).rjust(MAX_DIGITS, "0")
