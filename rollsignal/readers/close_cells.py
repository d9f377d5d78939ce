"""This module reads closes in the form that the config declares: signs in numbers, missing values.

A number is turned into the plain form of `core.ticks`, or is refused: groups have three digits, and
nothing else is left out than what is declared.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import TYPE_CHECKING

from rollsignal.config.settings import Table
from rollsignal.config.table_rules import THOUSANDS
from rollsignal.core.ticks import BLANKS, MISSING_WORDS, NUMBER, Ticks, parse_closes
from rollsignal.errors import BadCellError, Choice

if TYPE_CHECKING:
    from rollsignal.core.arrays import TickArray

_BLANK_SIGNS = " \u00a0\u202f"
DIGIT = re.compile("[0-9]")
CURRENCIES = (
    *(
        "USD",
        "EUR",
        "GBP",
        "JPY",
        "CHF",
        "CNY",
        "HKD",
        "INR",
        "KRW",
        "AUD",
        "CAD",
        "SGD",
        "BRL",
        "NZD",
    ),
    *("NZD", "PLN", "SEK", "NOK", "DKK", "ZAR", "TRY", "MXN", "USDT", "USDC", "BTC", "ETH"),
    *("Rs", "Rs.", "kr", "z\u0142", "US$", "R$", "C$", "A$"),
)
_AROUND_NUMBER = re.compile(
    r"[+-]?(?P<before>[^0-9]*?)[+-]?(?P<number>[.,]?[0-9](?:.*[0-9])?[.,]?)(?P<after>[^0-9]*)",
    re.DOTALL,
)


def number_forms(cell: str) -> list[Choice]:
    """Return the forms of numbers, other than the usual one, in which a cell is a number.

    Each is what the config may say; only signs that the cell has are named.
    """
    parts = _AROUND_NUMBER.fullmatch(cell.strip())
    if parts is None:
        return []
    strip = parts["before"].strip() or parts["after"].strip() or None
    if strip and strip not in CURRENCIES and unicodedata.category(strip[0]) != "Sc":
        # It may mean more than the number, such as thousands.
        return []
    forms: list[Choice] = []
    for decimal, thousands in product((".", ","), (None, *THOUSANDS)):
        is_meant = (thousands or "") in parts["number"]
        is_meant &= decimal == "." or "," in parts["number"] or thousands == "."
        if decimal == thousands or not is_meant:
            continue
        table = Table(decimal=decimal, thousands=thousands, strip=strip)
        if table.writes_numbers and NUMBER.fullmatch(ClosesAs(table, True).loosely([cell])[0]):
            named = {"decimal": decimal, "thousands": thousands, "strip": strip}
            usual = Table()._asdict()
            forms.append({f"table.{k}": sign for k, sign in named.items() if sign != usual[k]})
    return forms


class ClosesAs:
    """The form of closes that a config declares for one format.

    has_signs: whether the numbers are those of a text table, with its signs.
    """

    def __init__(self, table: Table, has_signs: bool) -> None:
        self._shape = _shape_of(table) if has_signs and table.writes_numbers else None
        missing = table.missing_values or ()
        self._words = frozenset(word.strip(BLANKS).lower() for word in missing)
        self._numbers = [parse_closes([each]) for each in missing if NUMBER.fullmatch(each)]
        # Plain digits with a point before decimals mean the same with other signs around them.
        self.is_plain = not has_signs or table.decimal == "."

    def is_missing(self, cell: str) -> bool:
        """Return whether a cell means a missing close, as a word or as a number."""
        word = cell.strip(BLANKS).lower()
        if word in MISSING_WORDS or word in self._words:
            return True
        (plain,) = self.loosely([cell])
        if not NUMBER.fullmatch(plain):
            return False
        close = parse_closes([plain])
        return close.values[0] in self._missing_ticks(close.scale)

    def parse(self, cells: Sequence[str]) -> tuple[Ticks, Sequence[str]]:
        """Return the closes of cells, and the cells in plain form; raises `BadCellError`."""
        plain = [self._plain(index, cell) for index, cell in enumerate(cells)]
        closes = parse_closes(plain)
        missing = self._missing_ticks(closes.scale)
        if not missing.isdisjoint(closes.values):
            values = [None if value in missing else value for value in closes.values]
            plain = ["" if v in missing else c for v, c in zip(closes.values, plain, strict=True)]
            return Ticks(values, closes.scale), plain
        return closes, plain

    def loosely(self, cells: Sequence[str]) -> list[str]:
        """Return cells with numbers in plain form, and all others as they are."""
        if self._shape is None:
            return [*cells]
        matches = (self._shape.fullmatch(cell) for cell in cells)
        return [
            cell if match is None else _plain_number(match)
            for cell, match in zip(cells, matches, strict=True)
        ]

    def are_present(self, ticks: "TickArray") -> bool:
        """Return whether no close is a number that means a missing one."""
        missing = self._missing_ticks(ticks.scale)
        return not any(bool((ticks.values == value).any()) for value in missing)

    def _plain(self, index: int, cell: str) -> str:
        word = cell.strip(BLANKS).lower()
        if word in self._words and not NUMBER.fullmatch(word):
            return ""
        if self._shape is None or word in MISSING_WORDS:
            return cell
        match = self._shape.fullmatch(cell)
        if match is None:
            hint = "it must be written as table.decimal, thousands and strip say"
            raise BadCellError("not a number", index, hint if DIGIT.search(cell) else "")
        return _plain_number(match)

    def _missing_ticks(self, scale: int) -> set[int | None]:
        """Return the numbers that mean a missing close, in ticks of 10^-scale."""
        ticks: set[int | None] = set()
        for (tick,), decimals in self._numbers:
            if tick is not None and scale >= decimals:
                ticks.add(tick * 10 ** (scale - decimals))
            elif tick is not None and tick % 10 ** (decimals - scale) == 0:
                ticks.add(tick // 10 ** (decimals - scale))
        return ticks


def closes_as_of(table: Table, *, has_signs: bool = True) -> ClosesAs:
    """Return the form of closes that a config declares, as `ClosesAs`."""
    return ClosesAs(table, has_signs)


@cache
def _shape_of(table: Table) -> "re.Pattern[str]":
    """Return the expression of a number with the signs that are declared."""
    decimal, sign = re.escape(table.decimal), table.thousands
    whole = "[0-9]*"
    if sign is not None:
        between = f"[{_BLANK_SIGNS}]" if sign in _BLANK_SIGNS else re.escape(sign)
        whole = f"[0-9]{{1,3}}(?:(?P<sign>{between})[0-9]{{3}}(?:(?P=sign)[0-9]{{3}})*)?|[0-9]*"
    number = (
        rf"(?={decimal}?[0-9])(?P<whole>{whole})(?:{decimal}(?P<fraction>[0-9]*))?"
        r"(?P<exponent>[eE][+-]?[0-9]+)?"
    )
    blanks = r"[ \t]*"
    if table.strip is None:
        return re.compile(rf"{blanks}(?P<minus>[+-]?){number}{blanks}")
    # Excel writes a blank that breaks no line before the sign of a currency.
    mark, beside = re.escape(table.strip), rf"[ \t{_BLANK_SIGNS}]*"
    before = rf"(?P<minus>[+-]?){blanks}(?:(?P<mark>{mark}){beside})?(?P<minus2>[+-]?)"
    return re.compile(rf"{blanks}{before}{number}(?(mark)|(?:{beside}{mark})?){blanks}")


def _plain_number(match: "re.Match[str]") -> str:
    """Return a number in plain form."""
    parts = match.groupdict(default="")
    minus = parts["minus"] + parts.get("minus2", "")
    whole = re.sub("[^0-9]", "", parts["whole"])
    fraction = f".{parts['fraction']}" if parts["fraction"] else ""
    return f"{minus}{whole}{fraction}{parts['exponent']}"
