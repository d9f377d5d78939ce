"""This module tells a JSON document from objects of one line each, by the beginning of a text."""

import json
import re
from collections.abc import Sequence
from itertools import chain

from rollsignal.files.formats import Format, is_named_ndjson
from rollsignal.readers.blocks import Blocks, text_of

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?')

LOOKED_AT = 2
"""How many readings are looked at: a line that goes on longer is not one bar."""


def is_document(blocks: Blocks, path: str, wanted: Format | None) -> bool:
    """Return whether a text that begins as JSON is one document.

    What begins with an array is. What begins with an object is as it is wanted, or as its name
    says; else it is a document if its first line is not an object, or the only one and not a bar.
    """
    if blocks.peeked(LOOKED_AT if blocks.peeked(1).isspace() else 1).lstrip().startswith(b"["):
        return True
    if wanted in ("json", "ndjson"):
        return wanted == "json"
    if is_named_ndjson(path):
        return False
    line, end, rest = text_of(blocks.peeked(LOOKED_AT))[0].lstrip(" \t\n").partition("\n")
    try:
        value = json.loads(line, parse_int=str, parse_float=str)
    except (ValueError, RecursionError):
        # A line that begins with an object follows one that is cut off, or is in an array.
        is_next = bool(end) and rest.lstrip(" \t\n").startswith("{")
        return not is_next or _is_in_array(line)
    return not rest.strip() and not _is_bar(list(value.values()))


def _is_in_array(line: str) -> bool:
    signs = _STRING.sub("", line)
    return signs.count("[") > signs.count("]")


def _is_bar(values: Sequence[object]) -> bool:
    """Return whether the values of an only object are those of one bar, and not of many."""
    lists = [value for value in values if isinstance(value, list)]
    inner = chain(*lists, *(value.values() for value in values if isinstance(value, dict)))
    if any(isinstance(value, list | dict) for value in inner):
        return False
    are_columns = len(lists) > 1 and len(set(map(len, lists))) == 1
    has_number = any(map(_is_in_digits, values))
    return not any(isinstance(value, list | dict) for value in values) or (
        has_number and not are_columns
    )


def _is_in_digits(value: object) -> bool:
    return isinstance(value, str) and bool(value) and not value.strip("0123456789.eE+-")
