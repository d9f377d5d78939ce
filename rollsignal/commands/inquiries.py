"""This module asks about what a table does not prove, although a run takes the table as it is."""

import re
from collections.abc import Callable, Sequence
from itertools import takewhile

from rollsignal.commands.candidates import OTHER_CLOSES, plain_close
from rollsignal.commands.questions import Alternative, Question
from rollsignal.commands.settings_search import Search
from rollsignal.commands.solutions import Solution
from rollsignal.commands.trials import columns_of_text, names_of_columns
from rollsignal.config.writing import as_yaml
from rollsignal.core.ticks import BLANKS
from rollsignal.core.timestamps.zones import DAY_NS
from rollsignal.engines.first_rows import Look
from rollsignal.errors import JobError
from rollsignal.messages import shown

_GROUPED = re.compile(r"[1-9][0-9]{0,2}(\.[0-9]{3})*")

MOST_SHEETS = 10
NO_SHEET = 1_000

Inquiry = Callable[[Search, Solution], "Question | None"]


def inquiries(search: Search, solution: Solution) -> list[Question]:
    """Return what is to be asked about a table as a solution reads it."""
    questions = (ask(search, solution) for ask in INQUIRIES)
    return [question for question in questions if question is not None]


def _other_closes(search: Search, solution: Solution) -> Question | None:
    """Ask whether another column is meant, such as that of adjusted closes."""
    names = [
        name
        for name in names_of_columns(search.look, solution.settings)
        if plain_close(name) in OTHER_CLOSES
    ]
    close = solution.settings.get("columns.close", "close")
    # Some of them may be missing, which a run asks about.
    others = {"missing": "skip", **solution.settings}
    alternatives = [
        Alternative(as_yaml(name), f"first bar with the close {read.bars[0].cell.strip(BLANKS)}")
        for name in names
        if plain_close(name) != plain_close(str(close))
        and isinstance(read := search.look({**others, "columns.close": name}), Look)
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
        for name, symbols in columns_of_text(search.look, solution.settings).items()
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


def _last_bar(search: Search, solution: Solution) -> Question | None:
    """Ask whether the last bar of a series is finished, where bars are shorter than a day."""
    times = [bar.ns for bar in solution.look.bars if bar.ns is not None]
    if not any(ns % DAY_NS for ns in times):
        return None
    what = "is the last bar finished when a file is written? If not, it is read, and waits until"
    meaning = "the newest bar of each series waits"
    text = f"{what} a later bar is there."
    return Question("open_bars", text, [Alternative("1", meaning)], False)


def _other_sheets(search: Search, solution: Solution) -> Question | None:
    """Ask whether another sheet of a workbook is meant, which is read as well."""
    if "table.sheet" in solution.settings or not _are_workbooks(search):
        return None
    places = takewhile(lambda place: _has_sheet(search, place), range(2, MOST_SHEETS + 1))
    alternatives = [
        Alternative(str(place), f"first bar with the close {read.bars[0].cell.strip(BLANKS)}")
        for place in places
        if isinstance(read := search.look({**solution.settings, "table.sheet": place}), Look)
        and read.bars
    ]
    what = "the bars are those of the first sheet that is seen. Is another one meant?"
    return Question("table.sheet", what, alternatives, False) if alternatives else None


def _are_workbooks(search: Search) -> bool:
    """Return whether there is a first sheet, but none at a place that no workbook has."""
    return _has_sheet(search, 1) and not _has_sheet(search, NO_SHEET)


def _has_sheet(search: Search, place: int) -> bool:
    read = search.look({"table.sheet": place})
    return isinstance(read, Look) or "but table.sheet is" not in read.message


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
    _last_bar,
    _other_sheets,
    _no_times,
    _point_or_group,
)
