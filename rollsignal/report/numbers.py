"""This module writes figures for people: digits, signs and units; what has no answer is a dash."""

import math
import re

NONE = "–"
MINUS = "−"
BASIS_POINTS_OF_ONE = 10**4


def whole(count: int | None) -> str:
    """Write a count.

    >>> whole(10000)
    '10,000'
    """
    return NONE if count is None else f"{count:,}".replace("-", MINUS)


def plain(value: float | None, digits: int) -> str:
    """Write a figure with so many decimals.

    >>> plain(-0.5, 2), plain(-0.001, 2)
    ('−0.50', '0.00')
    """
    if value is None:
        return NONE
    if abs(value) >= 10**9:
        return f"{value:.3e}".replace("-", MINUS)
    text = f"{value:,.{digits}f}"
    return text.lstrip("-") if not text.strip("-0.,") else text.replace("-", MINUS)


def signed(value: float | None, digits: int) -> str:
    """Write a difference: with its sign, unless all its digits are 0.

    >>> signed(0.5, 2), signed(0.0, 1)
    ('+0.50', '0.0')
    """
    text = plain(value, digits)
    if value is None or value <= 0 or not text.strip("0.,"):
        return text
    return f"+{text}"


def percent(share: float | None, digits: int = 1) -> str:
    """Write a share in percent.

    >>> percent(0.4991)
    '49.9 %'
    """
    return NONE if share is None else f"{plain(100 * share, digits)} %"


def signed_percent(share: float | None, digits: int = 1) -> str:
    """Write a change in percent, with its sign."""
    return NONE if share is None else f"{signed(100 * share, digits)} %"


def chance(p_value: float) -> str:
    """Write the p-value of a test.

    >>> chance(0.25), chance(0.0021)
    ('p = 0.25', 'p = 0.002')
    """
    return f"p = {plain(p_value, 2 if p_value >= 0.01 else 3)}"


def basis_points(share: float | None) -> str:
    """Write a share in basis points, without the unit, with as many decimals as three digits take.

    >>> basis_points(0.0000193)
    '+0.193'
    """
    if share is None:
        return NONE
    value = share * BASIS_POINTS_OF_ONE
    return signed(value, digits_of(abs(value)))


def digits_of(size: float) -> int:
    """Return how many decimals show three digits of a size, at most 3."""
    return max(0, min(3, 2 - math.floor(math.log10(size)))) if size else 3


def interval(ends: list[float] | None) -> str:
    """Write an interval in basis points, without the unit; both ends with the same decimals.

    >>> interval([-0.0000618, 0.000024])
    '−0.618 to +0.240'
    """
    if ends is None:
        return NONE
    low, high = (end * BASIS_POINTS_OF_ONE for end in ends)
    digits = digits_of(max(abs(low), abs(high)))
    return f"{signed(low, digits)} to {signed(high, digits)}"


def moments(first: str, last: str) -> str:
    """Write two times in the same way.

    >>> moments("2024-01-01T00:00:00Z", "2024-01-07T22:39:00Z")
    '2024-01-01 00:00 to 2024-01-07 22:39'
    """
    begin, end = moment(first), moment(last)
    if begin == end:
        return begin
    if len(begin) < len(end):
        begin += " 00:00"
    elif len(end) < len(begin):
        end += " 00:00"
    return f"{begin} to {end}"


def without_letters(text: str) -> str:
    """Write all times in a text as `moment` does."""
    return re.sub(r"\d{4,}-\d\d-\d\dT[0-9:.]+Z", lambda match: moment(match[0]), text)


def moment(stamp: str | None) -> str:
    """Write a time for people: ISO 8601 in UTC without its letters, and without a midnight.

    >>> moment("2024-01-07T22:39:00Z"), moment("2026-10-14T00:00:00Z")
    ('2024-01-07 22:39', '2026-10-14')
    """
    if stamp is None:
        return NONE
    return stamp.replace("T", " ").removesuffix("Z").removesuffix(":00").removesuffix(" 00:00")
