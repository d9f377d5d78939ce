"""This module refuses closes that commas before their decimals may have parted in two.

In `date,close,volume,`, the delimiter at the end makes a column without a name. If rows have a
value there, and closes and what stands right of them are digits, `2024-01-02,10,5,100` may be a
close of 10.5: commas before decimals need quotes where commas are between fields.
"""

from rollsignal.core.ticks import BLANKS
from rollsignal.errors import DataError
from rollsignal.messages import line_of
from rollsignal.readers.dialect import Dialect
from rollsignal.readers.proof import SAMPLED_ROWS, numbered_rows
from rollsignal.readers.records import Row


def refuse_parted(text: str, dialect: Dialect, name: str) -> None:
    """Raise `DataError` if all closes at the beginning of a table may be parted.

    text: the beginning of the table, from its header on.
    """
    rows = numbered_rows(text, dialect)[:SAMPLED_ROWS]
    if not rows or not all(_is_parted(row, dialect) for row, _ in rows):
        return
    row, line = rows[0]
    whole = f"{row[dialect.close].strip(BLANKS)},{row[dialect.close + 1].strip(BLANKS)}"
    raise DataError(
        f"{line_of(name, line)}: the last column has values, but no name, so {whole} may be one"
        " close, with a comma before its decimals (if that column is one of its own, give it a name"
        " in the header; else write a point before decimals)"
    )


def _is_parted(row: Row, dialect: Dialect) -> bool:
    if len(row) < dialect.width or not row[dialect.width - 1].strip(BLANKS):
        return False
    whole, decimals = (row[dialect.close + at].strip(BLANKS) for at in (0, 1))
    return whole.isdecimal() and decimals.isdecimal()
