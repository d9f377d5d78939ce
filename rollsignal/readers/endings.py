"""This module judges a table's last row without a line end: is it whole, or was the table cut off?

A sign of cutting is something that all rows above have and the last one has not. Anything less is a
doubt, which is told.
"""

import re
from collections.abc import Sequence
from decimal import Decimal

from rollsignal.core.ticks import BLANKS, NUMBER

# A close that lost digits before its point is a tenth of what it was; few prices fall as far.
FALL = 5
CUT = "without a line end: is the file cut off?"
_GROUPS = re.compile(r"[0-9]+|[^0-9]+\Z")


def cut_close(last: str, above: Sequence[str]) -> str:
    """Return the sign that a close was cut off, else "".

    >>> cut_close("100.2", ["99.75", "100.25"])
    'with fewer decimals than all above'
    >>> cut_close("100.2", ["99.75", "100.5"])
    ''
    """
    numbers = [match for match in map(NUMBER.fullmatch, above) if match]
    mine = NUMBER.fullmatch(last)
    if not numbers:
        return ""
    if mine is None:
        # The close may have been cut off before its first digit.
        return "not a number as all above" if len(numbers) == len(above) else ""
    if mine[4] is None and all(number[4] for number in numbers):
        return "without the exponent that all above have"
    decimals = {len(number[3] or "") for number in numbers}
    if len(decimals) == 1 and len(mine[3] or "") < decimals.pop():
        return "with fewer decimals than all above"
    before = abs(Decimal(numbers[-1][0].strip(BLANKS)))
    if _has_fewest_digits(mine, numbers) and abs(Decimal(last.strip(BLANKS))) * FALL < before:
        return "shorter than all above"
    return ""


def is_short_close(last: str, above: Sequence[str]) -> bool:
    """Return whether another close has more decimals, or all others more digits, or far more size.

    An empty close is short if no other is empty.

    >>> is_short_close("1", ["9", "10"]), is_short_close("", ["9", "inf"])
    (True, True)
    """
    numbers = [match for match in map(NUMBER.fullmatch, above) if match]
    mine = NUMBER.fullmatch(last)
    if not numbers:
        return False
    if mine is None:
        return not last.strip(BLANKS) and all(cell.strip(BLANKS) for cell in above)
    before = abs(Decimal(numbers[-1][0].strip(BLANKS)))
    if abs(Decimal(last.strip(BLANKS))) * FALL < before:
        return True
    fewer = any(len(mine[3] or "") < len(number[3] or "") for number in numbers)
    return fewer or _has_fewest_digits(mine, numbers)


def _has_fewest_digits(mine: re.Match[str], numbers: Sequence[re.Match[str]]) -> bool:
    """Return whether a whole number has fewer digits than each of the others before its point."""
    return mine[3] is None and all(len(mine[2]) < len(number[2]) for number in numbers)


def cut_time(last: str, above: Sequence[str]) -> str:
    """Return the sign that a time was cut off, else "".

    >>> cut_time("2024-01-01 00:02", ["2024-01-01 00:00:30", "2024-01-01 00:01:30"])
    'shorter than all above'
    """
    mine, *others = [_GROUPS.findall(cell.strip(BLANKS)) for cell in (last, *above)]
    others = [groups for groups in others if groups]
    if not (mine and others):
        return ""
    is_short = all(len(mine) < len(groups) for groups in others)
    is_short |= all(len(mine) == len(g) and len(mine[-1]) < len(g[-1]) for g in others)
    return "shorter than all above" if is_short else ""


def cut_symbol(last: str, above: Sequence[str]) -> str:
    """Return the sign that a symbol was cut off, else "".

    >>> cut_symbol("BTCU", ["BTCUSD", "ETHUSD"])
    'the beginning of another'
    """
    mine, others = last.strip(BLANKS), {cell.strip(BLANKS) for cell in above}
    is_part = mine not in others and any(cell.startswith(mine) for cell in others)
    return "the beginning of another" if mine and is_part else ""
