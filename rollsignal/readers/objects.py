"""This module reads lines of one JSON object each, with every number as it is written."""

import json
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import NamedTuple

from rollsignal.core.ticks import BLANKS
from rollsignal.messages import shown
from rollsignal.readers.dialect import odd_bytes

JsonObject = dict[str, object]

_ARRAY = " but an array (write one object a line, or all bars into one array)"
_CUT = (
    "the object does not end on its line: is the file cut off, or the object on several lines?"
    " (if the file is one JSON document: --format json)"
)


class BadLineError(ValueError):
    """A line is not one JSON object."""


class Objects(NamedTuple):
    """The objects of a text and their physical lines, up to the first bad line.

    Numbers are strings, spelled as in the text; so are NaN and Infinity. `problem` is what is
    wrong with `bad_line`, or "" if all lines are good.
    """

    records: list[JsonObject]
    lines: Sequence[int]
    bad_line: int = 0
    problem: str = ""


def read_objects(text: str, line: int, suspect: bool) -> Objects:
    r"""Read whole lines, the first of which is number `line`; skip blank ones.

    suspect: whether the text may hold bytes that are not UTF-8.

    >>> read_objects('{"close": 1.10}\n{"close": "2"}\n', 1, suspect=False).records
    [{'close': '1.10'}, {'close': '2'}]
    """
    rows = text.removesuffix("\n")
    count = rows.count("\n") + 1
    records = None if suspect else _read_at_once(rows, count)
    if records is not None:
        return Objects(records, range(line, line + count))
    records = []
    lines: list[int] = []
    for number, row in enumerate(rows.split("\n"), start=line):
        if not row.strip(BLANKS):
            continue
        try:
            records.append(read_object(row, suspect))
        except BadLineError as bad:
            return Objects(records, lines, number, str(bad))
        lines.append(number)
    return Objects(records, lines)


def _read_at_once(rows: str, count: int) -> list[JsonObject] | None:
    """Read plain lines as one array, in a third of the time; None if they are not plain.

    JSON strings cannot hold line ends. The only array is the one made here, and each line begins
    with a brace: so the comma before it separates two objects of this array. If there are as
    many objects as lines, each line is one object; and if there are as many keys as colons after
    quotes, no key is in an object twice.
    """
    if rows[:1] != "{" or rows[-1:] != "}" or rows.count("}\n{") != count - 1:
        return None
    if "[" in rows or " :" in rows or "\t:" in rows:
        return None
    try:
        records: list[JsonObject] = _PLAIN.decode("[" + rows.replace("\n", ",\n") + "]")
    except (ValueError, RecursionError):
        return None
    is_plain = len(records) == count and sum(map(len, records)) == rows.count('":')
    return records if is_plain else None


def read_object(row: str, suspect: bool) -> JsonObject:
    """Read one line; raises `BadLineError` unless it is one JSON object."""
    problem = odd_bytes(row) if suspect else None
    if problem:
        raise BadLineError(f"the line {problem}")
    text = row.strip(BLANKS)
    if not text.startswith("{"):
        hint = _ARRAY if text.startswith("[") else ""
        raise BadLineError(f"{shown(text)}, not a JSON object{hint}")
    try:
        record: JsonObject = _STRICT.decode(text)
    except json.JSONDecodeError as error:
        raise BadLineError(_reason(text, error)) from None
    except RecursionError:
        raise BadLineError("an object that is nested too deeply") from None
    return record


def _reason(text: str, error: json.JSONDecodeError) -> str:
    if error.msg == "Extra data":
        return f"the object is followed by {shown(text[error.pos :])}"
    if not text.endswith("}"):
        return _CUT
    return f"not JSON from character {error.pos + 1} on: {shown(text[error.pos :])}"


def _record(pairs: list[tuple[str, object]]) -> JsonObject:
    record = dict(pairs)
    if len(record) < len(pairs):
        keys = sorted(key for key, _ in pairs)
        twice = next(key for key, following in pairwise(keys) if key == following)
        raise BadLineError(f"the key {shown(twice)} appears twice in one object; keep one")
    return record


_PLAIN = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
_STRICT = json.JSONDecoder(
    object_pairs_hook=_record, parse_float=str, parse_int=str, parse_constant=str
)

# Typeshed does not know that a decoder has its scanner.
strict_scan: Callable[[str, int], tuple[object, int]] = vars(_STRICT)["scan_once"]
"""Read the JSON value at an index of a text: return it, and the index behind it."""
