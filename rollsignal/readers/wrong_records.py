"""This module describes what is wrong with the bars of a JSON document, and what to do about it."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from rollsignal.errors import Choice, DataError
from rollsignal.messages import shown
from rollsignal.readers.wrong_headers import closes_by_place, no_column

PLACES_HINT = (
    "set columns: {timestamp: T, close: C} with the places of both in place of T and C, counted"
    " from 1"
)
_PLAIN_PATH = re.compile(r"[A-Za-z_][\w .()/-]*[\w)]|[A-Za-z_]", re.ASCII)
_SHOWN = 5


class Other(NamedTuple):
    """Where values are that may be bars, and the first of them.

    above: where the object is whose key they are at, None if its keys cannot be symbols.
    """

    path: str
    first: object
    above: str | None = None


def no_bars(others: Sequence[Other], close: str | int, name: str) -> DataError:
    """Return the error for a document in which nothing is known to be the bars."""
    if len(others) == 1:
        return _not_a_bar(others[0], close, name)
    if others:
        listed = " or ".join(_records_at(other.path) for other in others[:_SHOWN] if other.path)
        error = DataError(f"{name}: the bars may be at several places (set table: {listed})")
        error.choosing(*({"table.records": other.path} for other in others if other.path))
        above = {other.above for other in others}
        return error if len(above) > 1 or None in above else or_of_symbols(error, above.pop() or "")
    return DataError(
        f"{name}: a JSON document without bars: no array of objects or arrays, no arrays of columns"
        " and no times as keys (if it is one bar as an object, use --format ndjson)"
    )


def two_places(first: str, second: str, name: str) -> DataError:
    """Return the error for a document with bars at two places."""
    if not (first and second):
        inner = first or second
        error = DataError(
            f"{name}: the document and its part {shown(inner)} may each be the bars"
            f" (set table: {_records_at(inner)} for that part)"
        )
        return error.choosing({"table.records": inner})
    error = DataError(
        f"{name}: {shown(first)} and {shown(second)} may each be the bars"
        f" (set table: {_records_at(first)} or {_records_at(second)})"
    )
    return error.choosing({"table.records": first}, {"table.records": second})


def or_of_symbols(error: DataError, above: str) -> DataError:
    """Return the error for bars at two keys of an object, which may as well be their symbols.

    above: the path of that object, "" for the document.
    """
    records = f" and table: {_records_at(above)}" if above else ""
    more = f", or columns: {{symbol: {{from: key}}}}{records} if these keys are symbols)"
    by_key: Choice = {"columns.symbol": {"from": "key"}}
    by_key = {**by_key, "table.records": above} if above else by_key
    return DataError(error.message.removesuffix(")") + more).choosing(*error.choices, by_key)


def bar_around(path: str, name: str) -> DataError:
    """Return the error for a document that may itself be one bar, but has bars in it."""
    return DataError(
        f"{name}: the document has a close of its own, and bars at {shown(path)}"
        f" (set table: {_records_at(path)} for those, or use --format ndjson if it is one bar)"
    )


def nothing_at(path: str, others: Sequence[Other], name: str) -> DataError:
    """Return the error for a document without bars where the config says that they are."""
    return DataError(
        f"{name}: no bars at {shown(path)}, where table.records says that they are",
        "set table: {records: null} to have them found",
    )


def without_names(where: str, width: int) -> DataError:
    """Return the error for bars that are arrays, of which nothing tells the columns.

    width: how many values they have.
    """
    what = "the bars are arrays, whose values have no names"
    return DataError(f"{where}: {what} ({PLACES_HINT})").choosing(*closes_by_place(width))


def _not_a_bar(other: Other, close: str | int, name: str) -> DataError:
    """Return the error for the only values that may be bars."""
    where = f"{name} at {shown(other.path)}" if other.path else name
    if isinstance(other.first, list):
        return without_names(where, len(other.first))
    header = list(other.first) if isinstance(other.first, dict) else []
    if isinstance(close, str):
        return no_column(header, close, where)
    names = ", ".join(shown(key) for key in header[:20])
    return DataError(
        f"{where}: objects, where columns.close is the place {close} (name their column: {names})"
    )


def _records_at(path: str) -> str:
    """Return how the config names a place: as plain YAML, or in quotes."""
    if _PLAIN_PATH.fullmatch(path):
        return f"{{records: {path}}}"
    quoted = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'{{records: "{quoted}"}}'
