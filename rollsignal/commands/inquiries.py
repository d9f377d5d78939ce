"""This module asks about what a table does not prove, although a run takes the table as it is."""

import re
from collections.abc import Callable, Sequence

from rollsignal.commands.candidates import OTHER_CLOSES, plain_close
from rollsignal.commands.questions import Alternative, Question
from rollsignal.commands.settings_search import Search
from rollsignal.commands.solutions import Solution
from rollsignal.config.writing import as_yaml
from rollsignal.core.ticks import BLANKS
from rollsignal.core.timestamps.zones import DAY_NS
from rollsignal.engines.first_rows import Look
from rollsignal.errors import JobError
from rollsignal.messages import shown
from rollsignal.readers.dialect import find_ohlc
from rollsignal.readers.wrong_headers import is_time

NO_COLUMN = "\N{REPLACEMENT CHARACTER} no column"
MOST_COLUMNS = 40
# Also shares, volumes in millions, amounts of money and times of day.
_NUMBER_LIKE = re.compile(r"[^\w]*[0-9][0-9.,:'\s]*[^\w]*(?:[A-Za-z]|[AP]M)?[^\w]*")
_GROUPED = re.compile(r"[1-9][0-9]{0,2}(\.[0-9]{3})*")

Inquiry = Callable[[Search, Solution], "Question | None"]


def inquiries(search: Search, solution: Solution) -> list[Question]:
    """Return what is to be asked about a table as a solution reads it."""
    questions = (ask(search, solution) for ask in INQUIRIES)
    return [question for question in questions if question is not None]


def _other_closes(search: Search, solution: Solution) -> Question | None:
    """Ask whether another column is meant, such as that of adjusted closes."""
    names = [
        name for name in _names_of_columns(search, solution) if plain_close(name) in OTHER_CLOSES
    ]
    close = solution.settings.get("columns.close", "close")
    alternatives = [
        Alternative(as_yaml(name), f"first bar with the close {read.bars[0].cell.strip(BLANKS)}")
        for name in names
        if plain_close(name) != plain_close(str(close))
        and isinstance(read := search.look({**solution.settings, "columns.close": name}), Look)
    ]
    if not alternatives:
        return None
    what = f"the closes are those of {shown(str(close))}. Are these meant?"
    return Question("columns.close", what, alternatives, False)


def _several_series(search: Search, solution: Solution) -> Question | None:
    """Ask whether a column of text parts the bars into series."""
    if "columns.symbol" in solution.settings or any(bar.symbol for bar in solution.look.bars):
        return None
    alternatives = [
        Alternative(
            as_yaml(name), f"{', '.join(map(shown, symbols[:3]))}{' …' * (len(symbols) > 3)}"
        )
        for name, symbols in _columns_of_text(search, solution).items()
    ]
    what = "no column is known to hold symbols, so all bars are one series. Is one of these it?"
    if not alternatives and len(solution.look.parts) > 1:
        what = "the files are read as one series, in the order of time. Is each of another symbol?"
        alternatives = [Alternative("{from: filename}", "the symbol is the name of the file")]
    return Question("columns.symbol", what, alternatives, False) if alternatives else None


def _place_of_clock(search: Search, solution: Solution) -> Question | None:
    """Ask whose clock shows times without a zone."""
    times = [bar.ns for bar in solution.look.bars if bar.ns is not None]
    if solution.look.zoned or not any(ns % DAY_NS for ns in times):
        return None
    what = "the times have no zone, and are taken as UTC. Are they those of another place?"
    meaning = "or another place, or an offset such as -05:00"
    return Question("timezone", what, [Alternative("America/New_York", meaning)], False)


def _no_times(search: Search, solution: Solution) -> Question | None:
    """Ask about bars of which no column is known to be the times."""
    if "columns.timestamp" in solution.settings:
        return None
    if any(bar.ns is not None for bar in solution.look.bars):
        return None
    what = "no column is known to hold the times, so the order of the rows is not checked."
    meaning = "there are none; else the name of their column"
    return Question("columns.timestamp", what, [Alternative("none", meaning)], False)


def _point_or_group(search: Search, solution: Solution) -> Question | None:
    """Ask whether a point is before decimals where it may as well be between thousands."""
    cells = [bar.cell.strip(BLANKS) for bar in solution.look.bars if bar.tick is not None]
    if not any("." in cell for cell in cells) or not all(map(_GROUPED.fullmatch, cells)):
        return None
    signs = {"table.decimal": ",", "table.thousands": "."}
    other = search.look({**signs, **solution.settings})
    if isinstance(other, JobError) or other.bars == solution.look.bars:
        return None
    what = f"closes such as {shown(next(cell for cell in cells if '.' in cell))} have three digits"
    what += " behind each point, which is read as the sign before decimals. Is it another one?"
    meaning = 'with thousands: "." beside it, if the points are between thousands'
    return Question("table.decimal", what, [Alternative('","', meaning)], False)


INQUIRIES: Sequence[Inquiry] = (
    _other_closes,
    _several_series,
    _place_of_clock,
    _no_times,
    _point_or_group,
)


def _names_of_columns(search: Search, solution: Solution) -> Sequence[str]:
    """Return the names of the columns as the readers find them, [] for a table without names."""
    missing = search.look({**solution.settings, "columns.timestamp": NO_COLUMN})
    return missing.names if isinstance(missing, JobError) else []


def _columns_of_text(search: Search, solution: Solution) -> dict[str, list[str]]:
    """Return the different cells of each column whose cells are neither numbers nor times."""
    names = _names_of_columns(search, solution)
    known = {names[at] for at in find_ohlc(names).values()}
    texts: dict[str, list[str]] = {}
    for name in [name for name in names if name not in known and names.count(name) == 1]:
        read = search.look({**solution.settings, "columns.symbol": name})
        if len(texts) < MOST_COLUMNS and isinstance(read, Look):
            symbols = list(dict.fromkeys(bar.symbol or "" for bar in read.bars))
            if not any(_NUMBER_LIKE.fullmatch(each) or is_time(each, None) for each in symbols):
                texts[name] = symbols
    return texts
