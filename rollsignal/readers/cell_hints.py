"""This module says what to do about a cell or a bar that is wrong. Only an error loads it."""

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from rollsignal.core.ticks import BLANKS, MISSING_WORDS
from rollsignal.core.timestamps.reader import TimestampReader
from rollsignal.errors import BadCellError

if TYPE_CHECKING:
    from rollsignal.readers.close_cells import ClosesAs

# No hint says to switch the check off: bars in the wrong order give wrong signals.
# In autumn an hour comes twice at a place: sorted as they are, its bars would be mixed. So would
# those of a clock of 12 hours without AM and PM.
ORDER_HINT = (
    "for one series set order: newest_first if each file stands so, else sort: true if all times"
    " are right, with timezone: NAME if times without a zone are those of a place; for several set"
    " columns: {symbol: NAME}"
)
DUPLICATES_HINT = (
    "for one series keep one of the rows, or set duplicates: same if they are equal, or last if the"
    " last one counts, or columns: {timestamp: [DATE, TIME]} if times of day have a column of their"
    " own; for several set columns: {symbol: NAME}"
)
# A column of symbols may not tell all series apart, such as those of one symbol on two exchanges.
_MORE_COLUMNS = (
    "; if they are of several series, set columns: {symbol: [A, B]} with all columns that tell"
    " these apart"
)
ONE_SERIES_HINT = (
    "keep one of the rows, or set duplicates: same if they are equal, or last if the last one"
    " counts, or columns: {timestamp: [DATE, TIME]} if times of day have a column of their own"
    f"{_MORE_COLUMNS}"
)
_HINTS = {
    "order": "set order: newest_first if each file stands so, else sort: true if all times are"
    f" right, with timezone: NAME if times without a zone are those of a place{_MORE_COLUMNS}",
    "newest_first": f"set sort: true in place of order: newest_first{_MORE_COLUMNS}",
    "duplicates": ONE_SERIES_HINT,
    "ohlc": "set checks: {ohlc: warn}",
    "values": "if that is right, set checks: {values: off}",
}
# Of bars that may be of several series without saying of which.
_OF_SEVERAL = {
    "order": ORDER_HINT,
    "newest_first": "for one series set sort: true in place of order: newest_first, for several"
    " columns: {symbol: NAME}",
    "duplicates": DUPLICATES_HINT,
}
TIMESTAMP_HINT = (
    "name the right column in the config under columns, say with timestamp_format how it is"
    " written, or set columns: {timestamp: none} if there are no timestamps"
)
ROW_HINT = (
    "remove the row if it is not a bar, as a second header, or set table: {footer: skip} if it is a"
    " footer; else correct its time"
)
# Where no setting passes over footers, or it is set already.
KNOWN_ROW_HINT = "remove the row if it is not a bar; else correct its time"
HINTING_ROWS = 100
_SIGN = r"[^\W\d_]{0,2}[^\w\s.,+-]|[A-Z]{3}"
_MARKED = (
    rf"[+-]?(?P<before>{_SIGN})?[ \t]*[+-]?(?=[.,]?[0-9])[0-9][0-9.,' \u00a0\u202f]*?"
    rf"[ \u00a0]*(?P<after>{_SIGN})?"
)
# A word such as `halted`, which needs no escapes between quotes.
_PLAIN_WORD = re.compile(r"(?!(?i:true|false)$)[A-Za-z](?:[A-Za-z ./_-]{0,30}[A-Za-z.])?")
# The settings of signs in numbers, which hold for text tables.
_SETTINGS_OF_SIGNS = "table.decimal", "table.thousands"
MISSING_HINT = "set missing: skip to leave such rows out, or gap for no signal near them"


def bar_hint(check: str, *, is_known: bool) -> str:
    """Return what to do about a finding of a check; is_known: whether the bar's series is."""
    return (_HINTS if is_known else _HINTS | _OF_SEVERAL)[check]


def close_hint(cell: str, column: str, closes_as: "ClosesAs | None", *, is_text: bool) -> str:
    """Return what to do about a close; is_text: whether it is a cell of a text table."""
    from rollsignal.readers.close_cells import number_forms

    is_declared = closes_as and closes_as.is_missing(cell)
    if is_declared or cell.strip(BLANKS).lower() in MISSING_WORDS:
        return MISSING_HINT
    if cell.strip(BLANKS) == column:
        return "the header again: are two tables in one file?"
    if is_text and (mark := _mark_of(cell)):
        return f'set table: {{strip: "{mark}"}}'
    if any(name in form for form in number_forms(cell) for name in _SETTINGS_OF_SIGNS):
        written = "write a point before decimals, and nothing between thousands"
        settings = "or say with table.decimal and table.thousands how they are written"
        return f"{written}, {settings}" if is_text else written
    if _PLAIN_WORD.fullmatch(word := cell.strip(BLANKS)):
        return f'if it means that there is no close, set table: {{missing_values: ["{word}"]}}'
    return ""


def row_hint(*, may_skip: bool) -> str:
    """Return what to do about a row that may be no bar.

    may_skip: whether it is one of a text table that the config does not say to have a footer.
    """
    return ROW_HINT if may_skip else KNOWN_ROW_HINT


def timestamp_hint(timestamps: TimestampReader, stamps: Sequence[str], *, may_skip: bool) -> str:
    """Return what to do about a cell that is no time: about its row, if others are times.

    may_skip: as of `row_hint`.
    """
    for stamp in stamps[:HINTING_ROWS]:
        with suppress(BadCellError):
            TimestampReader(timestamps.written).read([stamp])
            return row_hint(may_skip=may_skip)
    is_read = timestamps.pattern or timestamps.counts
    return row_hint(may_skip=may_skip) if is_read else TIMESTAMP_HINT


def _mark_of(cell: str) -> str:
    """Return the mark of a currency beside a number, "" for any other cell.

    Signs of other sizes, such as those of cents and per cent, are none.
    """
    from unicodedata import category

    from rollsignal.readers.close_cells import CURRENCIES

    match = re.fullmatch(_MARKED, cell.strip(BLANKS))
    if match is None or bool(match["before"]) == bool(match["after"]):
        return ""
    mark: str = match["before"] or match["after"]
    is_sign = any(category(sign) == "Sc" for sign in mark) and "\u00a2" not in mark
    return mark if is_sign or mark in CURRENCIES else ""
