"""This module describes what is wrong with the names of columns, and what to do about it."""

import re
from collections.abc import Sequence

from rollsignal.config.rules import UsualName
from rollsignal.core.ticks import BLANKS, parse_closes
from rollsignal.core.timestamps.counts import COUNT
from rollsignal.core.timestamps.reader import TimestampReader, plain_name, to_ns
from rollsignal.core.timestamps.zones import DAY_NS, HINT, OFFSETS
from rollsignal.errors import BadCellError, Choice, DataError
from rollsignal.messages import did_you_mean, escaped, plural, shown

SHOWN_NAMES = 20
# What the config calls the delimiters that messages call otherwise.
_SIGNS_BY_NAME = {"comma": ",", "semicolon": ";", "pipe": "|"}
# From the beginning of 1990 until that of 2050, and from that of 1900 until that of 2100.
_COUNT_YEARS_NS = 7_305 * DAY_NS, 29_220 * DAY_NS
_DATE_YEARS_NS = -25_567 * DAY_NS, 47_482 * DAY_NS
# The names of closes with vendors, as `plain_name` returns them: to be asked about, as they may be
# something else.
_NAMES_OF_CLOSES = (
    *("price", "pxlast", "last", "lastprice", "closeprice", "closingprice", "tradeclose", "settle"),
    *("settlement", "c", "zuletzt", "schluss", "schlusskurs", "kurs", "cierre"),
    *("último", "ultimo", "dernier", "clôture", "cloture", "chiusura", "收盘", "收盘价"),
)
# What names have that are like `close`, and are the close of the bar before, a time or a change.
_NO_CLOSE = re.compile("^p[ _]?close|pre|yest|time|date|%|p[ce]t|ch(an)?g|vol|code")
MOST_SIMILAR = 5
_ADD_NAMES = (
    "set columns: {timestamp: PLACE, close: PLACE} with their places, counted from 1, or add a line"
    " with the names of the columns above it, such as timestamp,close"
)


def several_splits(delimiters: Sequence[str], where: str) -> DataError:
    """Return the error for a header in which more than one delimiter gives a close column.

    delimiters: their names.
    """
    names = " and ".join(delimiters)
    signs = [_SIGNS_BY_NAME.get(name, name) for name in delimiters]
    error = DataError(
        f"{where}: the header can be split in more than one way, by {names}"
        " (put sep= and the delimiter that it has, such as sep=; into a line above it)"
    )
    return error.choosing(*({"table.delimiter": name} for name in signs))


def no_column(header: Sequence[str], wanted: str | int, where: str) -> DataError:
    """Return the error for a header without a column that is wanted."""
    if isinstance(wanted, int):
        count = plural(len(header), "column")
        hint = "count the columns from 1, and write their places under columns"
        error = DataError(f"{where}: {count}, and so no column {wanted:,} ({hint})")
        return error.choosing(names=header)
    names = [name.strip(BLANKS) for name in header[:SHOWN_NAMES]]
    listed = ", ".join(map(shown, names))
    if len(header) > SHOWN_NAMES:
        listed += f" and {len(header) - SHOWN_NAMES:,} more"
    hint = "name yours in the config under columns"
    is_usual = isinstance(wanted, UsualName)
    closes = _usual_closes(names) or _similar_closes(names) if is_usual else []
    near = "" if is_usual else did_you_mean(wanted, names)
    if closes:
        near = f"did you mean {escaped(closes[0])}?"
    if len(closes) > 1 or (closes and plain_name(closes[0]) in _NAMES_OF_CLOSES):
        settings = " or ".join(f"{{close: {_in_yaml(name)}}}" for name in closes)
        hint = f"{hint}; if these are the closes, set columns: {settings}"
    elif near.startswith("did"):
        hint = f"{hint}; {near}"
    elif _is_like_a_bar(names):
        hint = f"{hint}; if this is a bar, and no header, {_ADD_NAMES}"
    error = DataError(f"{where}: no {shown(wanted)} column in the header: {listed} ({hint})")
    choices = _closes_by_name(header) if is_usual else []
    if choices and _is_like_a_bar(names):
        choices = closes_by_place(len(header))
    return error.choosing(*choices, names=header)


def _usual_closes(names: Sequence[str]) -> list[str]:
    """Return the names that closes have with vendors."""
    return [name for name in names if plain_name(name) in _NAMES_OF_CLOSES]


def _similar_closes(names: Sequence[str]) -> list[str]:
    """Return the names that are like `close`, and do not say that they are something else."""
    from difflib import get_close_matches

    plain = [name.lower() for name in names]
    near = get_close_matches("close", plain, n=MOST_SIMILAR)
    return [
        name
        for name, word in zip(names, plain, strict=True)
        if word in near and not _NO_CLOSE.search(word)
    ]


def _closes_by_name(header: Sequence[str]) -> list[Choice]:
    """Return the choices of a column of closes by its name, or by its place if it has none."""
    return [
        {"columns.close": name if name.strip(BLANKS) and header.count(name) == 1 else place}
        for place, name in enumerate(header, start=1)
    ]


def closes_by_place(width: int) -> list[Choice]:
    """Return the choices of a column of closes by its place."""
    return [{"columns.close": place} for place in range(1, width + 1)]


def _in_yaml(name: str) -> str:
    """Write the name of a column as a value in YAML."""
    if re.fullmatch("[A-Za-z][A-Za-z0-9_ ]*", name):
        return name
    return '"' + escaped(name).replace('"', '\\"') + '"'


def same_columns(
    names: Sequence[str], wanted: str | int, where: str, columns: Sequence[int]
) -> DataError:
    """Return the error for several columns of the name that is wanted; columns: their indexes."""
    places = " or ".join(str(column + 1) for column in columns[:SHOWN_NAMES])
    hint = f" (or write the place of the right one under columns: {places})"
    if len(set(names)) == len(names):
        listed = ", ".join(map(shown, names[:SHOWN_NAMES]))
        hint = f" (or name one of {listed} in the config under columns, exactly as it is here)"
    named = f"{len(names)} columns are named {shown(str(wanted))}"
    return DataError(f"{where}: {named}; keep one{hint}")


def no_timestamps(where: str, width: int) -> DataError:
    """Return the error for a table read by places in which no column is proved to hold times.

    width: how many columns it has.
    """
    hint = "set columns: {timestamp: PLACE} with its place, counted from 1, or {timestamp: none}"
    error = DataError(f"{where}: no column is clearly that of the timestamps ({hint})")
    places = [*range(1, width + 1), "none"]
    return error.choosing(*({"columns.timestamp": place} for place in places))


def several_timestamps(names: Sequence[str], where: str, columns: Sequence[int] = ()) -> DataError:
    """Return the error for columns of which each may be that of the timestamps.

    columns: their indexes, where a place can be declared.
    """
    names = [name.strip(BLANKS) for name in names[:5]]
    listed = " and ".join(map(shown, names))
    if columns and "" in names:
        names = [str(column + 1) for column in columns[:5]]
        listed = " and ".join(names)
    settings = " or ".join(f"{{timestamp: {escaped(name)}}}" for name in names)
    hint = f"set columns: {settings}, whichever is the time of the bars"
    error = DataError(
        f"{where}: the columns {listed} may each be the timestamps; say which ({hint})"
    )
    declared: list[str | int] = [*names]
    if columns and names == [str(column + 1) for column in columns[:5]]:
        declared = [column + 1 for column in columns[:5]]
    return error.choosing(*({"columns.timestamp": each} for each in declared))


def several_symbols(names: Sequence[str], in_path: Sequence[str], where: str) -> DataError:
    """Return the error for columns, or folders, of which each may be that of the symbols."""
    listed = [shown(name.strip(BLANKS)) for name in names[:5]]
    listed += [f"{shown(name)} in the path" for name in in_path[:5]]
    first = escaped((*names, *in_path)[0].strip(BLANKS))
    error = DataError(
        f"{where}: {' and '.join(listed)} may each be the symbol; say which (set columns:"
        f" {{symbol: {first}}} or the like, or {{symbol: none}} if all bars are one series)"
    )
    symbols = [name.strip(BLANKS) for name in (*names, *in_path)]
    return error.choosing(*({"columns.symbol": each} for each in [*symbols, "none"]))


def bar_as_header(name: str, where: str) -> DataError | None:
    """Return the error for a column of timestamps whose name is a time itself; None for others."""
    if not reads_as_time(name):
        return None
    return DataError(
        f"{where}: the timestamps' column is called {shown(name.strip(BLANKS))}, which is a time:"
        f" this is a bar, and no header ({_ADD_NAMES})"
    )


def reads_as_time(name: str) -> bool:
    """Return whether a name is a time, or a number that is the time of a plausible year."""
    if COUNT.fullmatch(name.strip(BLANKS)):
        return bool(plausible_counts_ns([name], None))
    return is_time(name, None)


def is_time(cell: str, written: str | None) -> bool:
    """Return whether a text is a time, also if it can be read in several ways, or has an odd zone.

    written: how timestamps are written, if the config says so.
    """
    try:
        TimestampReader(written).read([cell])
    except BadCellError as bad:
        return bad.reason == "ambiguous" or bad.hint in (HINT, OFFSETS)
    return True


def plausible_counts_ns(cells: Sequence[str], written: str | None) -> list[int]:
    """Read numbers to plausible times in nanoseconds since 1970 UTC, [] if not all of them are.

    Numbers that may be counts or dates are zeros: reading them asks for the format.
    """
    reader = TimestampReader(written)
    try:
        times_ns = list(map(to_ns, reader.read(cells)))
    except BadCellError as bad:
        return [0] * len(cells) if bad.reason == "ambiguous" else []
    # Few numbers are dates such as 19671231 by chance.
    first_ns, end_ns = _COUNT_YEARS_NS if reader.counts else _DATE_YEARS_NS
    return times_ns if all(first_ns <= ns < end_ns for ns in times_ns) else []


def _is_like_a_bar(names: Sequence[str]) -> bool:
    """Return whether one of the names is a time, or all of them are numbers."""
    return any(map(reads_as_time, names)) or all(map(_is_decimal, filter(None, names)))


def _is_decimal(cell: str) -> bool:
    try:
        return None not in parse_closes([cell]).values
    except BadCellError:
        return False
