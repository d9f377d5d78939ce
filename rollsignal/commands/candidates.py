"""This module holds the settings that `init` tries out on a table that is refused.

First come what the refusal itself says may help, then these. A new setting of tables is one more
row here. What is tried is only ever taken if the readers then take the table.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from rollsignal.core.ticks import NUMBER
from rollsignal.core.timestamps.reader import plain_name
from rollsignal.engines.first_rows import first_lines
from rollsignal.errors import Choice, JobError
from rollsignal.files.find import Input
from rollsignal.readers.wrong_headers import is_time

MOST_LINES_ABOVE = 8
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
)


Trying = Callable[[Sequence[Input], JobError], Sequence[Choice]]
"""A function that returns what to try on some files that are refused."""


class Candidates(NamedTuple):
    """Settings to try, each with those that are already found.

    why: what they mean for the table, for the config. is_choice: whether they mean different
    things, so that several of them that let the table in make a question. Otherwise the first one
    is taken. check: the check whose findings they are for, "" for what is no finding.
    """

    choices: Trying
    why: str
    is_choice: bool = False
    check: str = ""


def usual_closes(error: JobError) -> list[list[Choice]]:
    """Return the choices of the column of closes by usual names, the surest first."""
    by_name = {plain_close(str(each.get("columns.close"))): each for each in error.choices}
    groups = [[by_name[name] for name in names if name in by_name] for names in CLOSE_NAMES]
    return [group for group in groups if group]


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


def _passing_footer(files: Sequence[Input], error: JobError) -> Sequence[Choice]:
    return [{"table.footer": "skip"}]


def _comments(files: Sequence[Input], error: JobError) -> Sequence[Choice]:
    """Return the signs of comments that lines begin with."""
    lines = first_lines(files[0])
    return [{"table.comment": s} for s in ("#", "//") if any(line.startswith(s) for line in lines)]


def _delimiters(files: Sequence[Input], error: JobError) -> Sequence[Choice]:
    """Return rarer delimiters that the header has, if the usual ones do not part it."""
    if len(error.names) != 1:
        return []
    # A colon between digits is one of a time.
    header = re.sub("(?<=[0-9]):(?=[0-9])", "", error.names[0]).strip()
    signs = {"blanks": " ", **{sign: sign for sign in ":~^"}}
    return [{"table.delimiter": name} for name, sign in signs.items() if sign in header]


def _first_rows(files: Sequence[Input], error: JobError) -> Sequence[Choice]:
    """Return where the bars may begin, if no line that is passed over has a number or a time."""
    choices: list[Choice] = []
    for number, line in enumerate(first_lines(files[0])[1:MOST_LINES_ABOVE], start=2):
        cells = [cell.strip().strip('"') for cell in re.split(r"[,;\t|]", line)]
        if any(NUMBER.fullmatch(cell) or is_time(cell, None) for cell in cells if cell):
            break
        choices.append({"table.first_row": number + 1})
    return choices


def _symbols_in_path(files: Sequence[Input], error: JobError) -> Sequence[Choice]:
    """Return what several files may be that overlap in time."""
    if len(files) == 1:
        return []
    sources = [{"columns.symbol": {"from": source}} for source in ("filename", "folder")]
    return [*sources, {"sort": True}]


def _by_time(files: Sequence[Input], error: JobError) -> Sequence[Choice]:
    return [{"sort": True}]


CANDIDATES = (
    Candidates(_first_rows, "the lines between the header and this one are no bars"),
    Candidates(_passing_footer, "the last rows are no bars"),
    Candidates(_comments, "lines that begin with it are no bars"),
    Candidates(_delimiters, "what is between fields", is_choice=True),
    Candidates(_symbols_in_path, "the files overlap in time", is_choice=True, check="order"),
    Candidates(_symbols_in_path, "the files overlap in time", is_choice=True, check="duplicates"),
    Candidates(_by_time, "the newest bar comes first", check="order"),
)
