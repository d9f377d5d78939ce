"""This module looks into a table that `init` tries settings on: its columns, and what they hold."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rollsignal.commands.solutions import Settings
from rollsignal.engines.first_rows import Look
from rollsignal.errors import JobError
from rollsignal.files.find import Input
from rollsignal.readers.dialect import find_ohlc
from rollsignal.readers.wrong_headers import is_time

NO_COLUMN = "\N{REPLACEMENT CHARACTER} no column"
MOST_COLUMNS = 40
# Bars of several series, read as one, are out of order. So they are read unchecked.
_UNCHECKED = {"checks.order": "off", "checks.duplicates": "off"}
_BY_TIME = ("order", "sort", "duplicates")
# Also shares, volumes in millions, amounts of money and times of day.
_NUMBER_LIKE = re.compile(r"[^\w]*[0-9][0-9.,:'\s]*[^\w]*(?:[A-Za-z]|[AP]M)?[^\w]*")

LookWith = Callable[[Settings], Look | JobError]
"""A function that returns what the first rows are with some settings, or why they are refused."""


class Trial(NamedTuple):
    """Files that are refused with some settings, why, and what looks at them with others."""

    files: Sequence[Input]
    settings: Settings
    error: JobError
    look: LookWith


def names_of_columns(look: LookWith, settings: Settings) -> Sequence[str]:
    """Return the names of the columns as the readers find them, [] for a table without names."""
    missing = look({**settings, "columns.timestamp": NO_COLUMN})
    return missing.names if isinstance(missing, JobError) else []


def columns_of_text(look: LookWith, settings: Settings) -> dict[str, list[str]]:
    """Return the different cells of each column whose cells are neither numbers nor times."""
    names = names_of_columns(look, settings)
    known = {names[at] for at in find_ohlc(names).values()}
    plain = {name: value for name, value in settings.items() if name not in _BY_TIME}
    texts: dict[str, list[str]] = {}
    for name in [name for name in names if name not in known and names.count(name) == 1]:
        read = look({**plain, **_UNCHECKED, "columns.symbol": name})
        if len(texts) < MOST_COLUMNS and isinstance(read, Look):
            symbols = list(dict.fromkeys(bar.symbol or "" for bar in read.bars))
            if not any(_NUMBER_LIKE.fullmatch(each) or is_time(each, None) for each in symbols):
                texts[name] = symbols
    return texts
