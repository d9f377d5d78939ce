"""This module holds the settings that `init` tries out on a table that is refused.

First come what the refusal itself says may help, then these. A new setting of tables is one more
row here. What is tried is only ever taken if the readers then take the table.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rollsignal.commands.trials import Trial, columns_of_text, names_of_columns
from rollsignal.core.ticks import NUMBER
from rollsignal.core.timestamps.reader import NAMES, plain_name
from rollsignal.engines.first_rows import first_lines
from rollsignal.errors import Choice, JobError
from rollsignal.files.find import Input
from rollsignal.readers.dialect import find_ohlc, named_as_symbols
from rollsignal.readers.wrong_headers import is_time

MOST_LINES_ABOVE = 8
MOST_OF_ONE_SERIES = 2
_DAYS_IN_PATHS = ("([0-9]{8})_", "([0-9]{8})", "([0-9]{4}-[0-9]{2}-[0-9]{2})")
_IN_MS = {"timestamp_format": "ms_of_day"}
_NUMBERED = re.compile(r"[0-9]+[a-z]?\.\s*")
# The usual names of closes, as `plain_name` returns them. Those of a group mean the same; names of
# a later group count where no column has one of a former.
CLOSE_NAMES = (
    ("close", "closeprice", "closingprice", "priceclose", "pxlast", "close/last", "closelast"),
    (
        "zuletzt",
        "schlusskurs",
        "schluss",
        "schlußkurs",
        "zamkniecie",
        "zamknięcie",
        "收盘",
        "收盘价",
    ),
    ("cierre", "chiusura", "cloture", "clôture", "dernier", "ultimo", "último", "fechamento"),
    ("slot", "終値", "종가", "закрытие", "fermeture", "slotkoers", "laatste"),
    ("tradeclose", "midclose", "bidclose", "closebid", "closemid"),
    ("c",),
    ("last", "lastprice", "settle", "settlement", "settlementprice"),
    ("price", "value", "px", "rate", "kurs", "nav"),
)
# The names of other closes, of which people may mean one.
OTHER_CLOSES = (
    *("adjclose", "adjustedclose", "adj.close", "adj_close", "closeadj", "close(adj)", "vwap"),
    *("closeunadj", "unadjustedclose", "rawclose", "settle", "settlement", "settlementprice"),
    *("last", "lastprice", "midclose", "bidclose", "askclose", "price"),
    *("closemid", "closebid", "closeask"),
)


Trying = Callable[[Trial], Sequence[Choice]]
"""A function that returns what to try on some files that are refused."""


class Candidates(NamedTuple):
    """Settings to try, each with those that are already found.

    why: what they mean for the table, for the config. is_choice: whether they mean different
    things, so that several of them that let the table in make a question. Otherwise the first one
    is taken. check: the check whose findings they are for, "" for what is no finding. is_last:
    whether they are tried only if nothing else lets the table in, as they hide wrong columns.
    """

    choices: Trying
    why: str
    is_choice: bool = False
    check: str = ""
    is_last: bool = False


def usual_closes(error: JobError) -> list[list[Choice]]:
    """Return the choices of the column of closes by usual names, the surest first."""
    by_name = {plain_close(str(each.get("columns.close"))): each for each in error.choices}
    groups = [[by_name[name] for name in names if name in by_name] for names in CLOSE_NAMES]
    return [group for group in groups if group]


def symbols_in_header(error: JobError) -> list[Choice]:
    """Return the choice that each symbol has a column, where no names are those of prices."""
    if any(isinstance(each.get("columns.close"), int) for each in error.choices):
        return []
    plain = set(map(plain_name, error.names))
    are_prices = bool(find_ohlc(error.names)) or {"o", "h", "l"} <= plain
    is_wide = len(error.names) > MOST_OF_ONE_SERIES and not are_prices
    return [{"columns.symbol": {"from": "header"}}] if is_wide else []


def symbols_below(error: JobError, file: Input) -> list[Choice]:
    """Return the choices of a line with symbols below columns of closes that are called alike."""
    only = [each["columns.close"] for each in error.choices]
    places = [place for place in only if isinstance(place, int)]
    lines = _cells_of_lines(file)[:MOST_LINES_ABOVE]
    bar = next((number for number, cells in enumerate(lines) if any(map(_is_of_bar, cells))), 0)
    if len(places) < 2 or any(len(cells) < max(places) for cells in lines[1:bar]):
        return []
    symbols = {"columns.symbol": {"from": "header", "only": places}}
    choices: list[Choice] = []
    for number, cells in enumerate(lines[1:bar], start=2):
        names = [cells[place - 1] for place in places]
        if all(names) and len(set(names)) == len(names):
            first = {"table.first_row": bar + 1} if bar > number else {}
            choices.append({**symbols, "table.header": number, **first})
    return choices


def closes_elsewhere() -> list[list[Choice]]:
    """Return the choices of a column of closes whose header is not the first line."""
    names = {"pxlast": "PX_LAST", "closeprice": "Close Price", "closingprice": "Closing Price"}
    names |= {"lastprice": "Last Price", "settlementprice": "Settlement Price"}
    return [
        [{"columns.close": names.get(name, name)} for name in group]
        for group in (*CLOSE_NAMES[:-1], CLOSE_NAMES[-1][:1])
    ]


def plain_close(name: str) -> str:
    """Return the name of a column without case, signs and a number before it, as `4. close`."""
    return plain_name(_NUMBERED.sub("", name.strip(), count=1))


def _passing_footer(trial: Trial) -> Sequence[Choice]:
    return [{"table.footer": "skip"}]


def _comments(trial: Trial) -> Sequence[Choice]:
    """Return the signs of comments that lines begin with."""
    lines = first_lines(trial.files[0])
    return [{"table.comment": s} for s in ("#", "//") if any(line.startswith(s) for line in lines)]


def _delimiters(trial: Trial) -> Sequence[Choice]:
    """Return rarer delimiters that the header has, if the usual ones do not part it."""
    if len(trial.error.names) != 1:
        return []
    # A colon between digits is one of a time.
    header = re.sub("(?<=[0-9]):(?=[0-9])", "", trial.error.names[0]).strip()
    signs = {"blanks": " ", **{sign: sign for sign in ":~^"}}
    return [{"table.delimiter": name} for name, sign in signs.items() if sign in header]


def _first_rows(trial: Trial) -> Sequence[Choice]:
    """Return where the bars may begin, if no line that is passed over has a number or a time."""
    choices: list[Choice] = []
    lines = _cells_of_lines(trial.files[0])
    for number, cells in enumerate(lines[1:MOST_LINES_ABOVE], start=2):
        if any(map(_is_of_bar, cells)):
            break
        choices.append({"table.first_row": number + 1})
    return choices


def _cells_of_lines(file: Input) -> list[list[str]]:
    """Return what stands between the usual delimiters in the first lines of a file."""
    lines = (re.split(r"[,;\t|]", line) for line in first_lines(file))
    return [[cell.strip().strip('"') for cell in line] for line in lines]


def _is_of_bar(cell: str) -> bool:
    return bool(cell) and bool(NUMBER.fullmatch(cell) or is_time(cell, None))


def _days_in_path(trial: Trial) -> Sequence[Choice]:
    """Return where the day may be in the path, for a column of times of the day."""
    stamp = trial.settings.get("columns.timestamp")
    if stamp is None:
        names = names_of_columns(trial.look, trial.settings)
        stamp = next((name for name in names if plain_name(name) in NAMES), None)
    if stamp in (None, "none") or isinstance(stamp, list):
        return []
    patterns = [each for each in _DAYS_IN_PATHS if re.search(each, trial.files[0].path)]
    days = [{"columns.timestamp": [{"from": "path", "pattern": each}, stamp]} for each in patterns]
    return [choice for day in days for choice in (day, {**day, **_IN_MS})]


def _newest_first(trial: Trial) -> Sequence[Choice]:
    return [] if _has_day_in_path(trial) else [{"order": "newest_first"}]


def _has_day_in_path(trial: Trial) -> bool:
    """Return whether times are those of one day: if they are in no order, they are none."""
    stamp = trial.settings.get("columns.timestamp")
    return isinstance(stamp, list) and isinstance(stamp[0], dict)


def _of_several_files(trial: Trial) -> Sequence[Choice]:
    """Return what several files may be that overlap in time."""
    if len(trial.files) == 1:
        return []
    sources = [{"columns.symbol": {"from": source}} for source in ("filename", "folder")]
    return [*sources, {"sort": True}]


def _symbols_in_text(trial: Trial) -> Sequence[Choice]:
    """Return columns of text that may be the symbols, or a part of them, and have unusual names."""
    if "columns.symbol" in trial.settings:
        return []
    names = names_of_columns(trial.look, trial.settings)
    usual = [names[at] for at in named_as_symbols(names)]
    texts = [name for name in columns_of_text(trial.look, trial.settings) if name not in usual]
    return [{"columns.symbol": [name, *usual] if usual else name} for name in texts]


def _in_no_order(trial: Trial) -> Sequence[Choice]:
    return [] if _has_day_in_path(trial) else [*_symbols_in_text(trial), {"sort": True}]


def _repeated(trial: Trial) -> Sequence[Choice]:
    """Return what rows of one time may be: of several series, or a bar that comes again."""
    return [*_symbols_in_text(trial), {"duplicates": "same"}, {"duplicates": "last"}]


CANDIDATES = (
    Candidates(_first_rows, "the lines between the header and this one are no bars"),
    Candidates(_passing_footer, "the last rows are no bars"),
    Candidates(_comments, "lines that begin with it are no bars"),
    Candidates(_delimiters, "what is between fields", is_choice=True),
    Candidates(_days_in_path, "the day is in the path, and a column has the times of the day"),
    Candidates(_newest_first, "the newest bar comes first", check="order"),
    Candidates(_of_several_files, "the files overlap in time", is_choice=True, check="order"),
    Candidates(_of_several_files, "the files overlap in time", is_choice=True, check="duplicates"),
    Candidates(_in_no_order, "the bars are in no order of time", is_choice=True, check="order"),
    Candidates(
        _repeated, "several rows have one time", is_choice=True, check="duplicates", is_last=True
    ),
)
