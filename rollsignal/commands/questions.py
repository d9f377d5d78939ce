"""This module makes questions of what a table leaves open: what is asked, and what may be written.

A setting that several solutions have with several values is open. It is written without a value, so
that a run refuses the table until people have chosen.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rollsignal.analysis.text_table import aligned
from rollsignal.commands.solutions import Solution
from rollsignal.config.settings import JobConfig
from rollsignal.config.writing import as_yaml
from rollsignal.core.ticks import decimal_text
from rollsignal.core.timestamps.reader import iso
from rollsignal.engines.first_rows import LOOKED_SETTINGS, LookedBar

FIRST_BARS = 3
IN_QUESTION = "?"
# Of settings that depend on each other, the first of these is asked for.
_ASKED_FIRST = (
    *("table.encoding", "table.records", "columns.close", "columns.timestamp", "timestamp_format"),
    *("columns.symbol", "table.sheet", "table.header", "table.delimiter", "table.decimal"),
    "missing",
)
_TEXTS = {
    "table.records": "where are the bars in the document?",
    "columns.close": "which column is the close?",
    "columns.timestamp": "which column is the time of a bar? (none: the bars have no times)",
    "timestamp_format": "how are the times written?",
    "columns.symbol": "whose bars are these? (none: all bars are one series)",
    "missing": "some bars have no close. Are they left out (skip), or have windows with them no"
    " signal (gap)?",
    "table.footer": "the last rows are not like bars. Are they notes or sums (skip), or is the file"
    " damaged?",
    "table.encoding": "in which encoding is the text?",
    "table.decimal": "which sign is before decimals?",
    "sort": "the rows are in no order of time. If they are of one series: true; else their symbols"
    " are needed under columns.",
    "table.header": "which line has the names of the columns, or the symbols?",
    "table.sheet": "on which sheet are the bars?",
    "duplicates": "some rows have the same time. If they are of one series: do equal rows count"
    " once (same), or does the last one count (last)? Else their symbols are needed under columns.",
}


class Alternative(NamedTuple):
    """A value that a setting may have, as it is written, and what the bars then are."""

    value: str
    meaning: str


class Question(NamedTuple):
    """What is asked about a setting. is_open: whether a run refuses the table without an answer."""

    name: str
    text: str
    alternatives: Sequence[Alternative]
    is_open: bool = True


class Answers(NamedTuple):
    """What is known of a table, and the questions of what is not."""

    known: Mapping[str, object]
    questions: list[Question]


def answers_of(solutions: Sequence[Solution]) -> Answers:
    """Return the settings that all solutions have alike, and a question for each other one."""
    names = list(dict.fromkeys(name for each in solutions for name in each.settings))
    asked = {name for each in solutions for name in each.asked}
    alike = [name for name in names if len(set(_values(solutions, name))) == 1]
    known = {name: solutions[0].settings[name] for name in alike if name not in asked}
    others = sorted((name for name in names if name not in known), key=_rank)
    questions: list[str] = []
    for name in others:
        if name in asked or not _follows(solutions, name, questions):
            questions.append(name)
    following = [name for name in others if name not in questions]
    return Answers(known, [_question(solutions, name, questions, following) for name in questions])


def shown_bars(solutions: Sequence[Solution]) -> list[str]:
    """Describe the first bars as all solutions understand them, `?` for what they differ in."""
    several = [[_fields(bar) for bar in each.look.in_file[:FIRST_BARS]] for each in solutions]
    bars = []
    for number, fields in enumerate(several[0]):
        others = [each[number] for each in several if number < len(each)]
        columns = zip(fields, zip(*others, strict=True), strict=True)
        bars.append([field if len(set(all_)) == 1 else IN_QUESTION for field, all_ in columns])
    bars = [list(bar) for bar in zip(*filter(any, zip(*bars, strict=True)), strict=True)]
    return aligned(bars, left=len(bars[0])) if bars else []


def _rank(name: str) -> tuple[int, str]:
    return (_ASKED_FIRST.index(name) if name in _ASKED_FIRST else len(_ASKED_FIRST)), name


def _values(solutions: Sequence[Solution], name: str) -> list[str]:
    """Return the value of a setting in each solution as it is written, the default if it is not."""
    usual = JobConfig(**LOOKED_SETTINGS).plain_by_name()  # type: ignore[arg-type]
    return [as_yaml(each.settings.get(name, usual[name])) for each in solutions]


def _follows(solutions: Sequence[Solution], name: str, from_names: Sequence[str]) -> bool:
    """Return whether the value of a setting follows from those of others."""
    if not from_names:
        return False
    causes = list(zip(*(_values(solutions, each) for each in from_names), strict=True))
    return len(set(zip(causes, _values(solutions, name), strict=True))) == len(set(causes))


def _question(
    solutions: Sequence[Solution], name: str, questions: Sequence[str], following: Sequence[str]
) -> Question:
    alternatives = []
    values = _values(solutions, name)
    for value in dict.fromkeys(values):
        having = [each for each, own in zip(solutions, values, strict=True) if own == value]
        meaning = f"first bar {_bar_text(having)}"
        for other in [each for each in (*questions, *following) if each != name]:
            also = set(_values(having, other))
            if len(also) == 1 and len(set(_values(solutions, other))) > 1:
                word = "then also" if other in following else "with"
                meaning += f"; {word} {other}: {also.pop()}"
        alternatives.append(Alternative(value, meaning))
    return Question(name, _TEXTS.get(name, f"what is {name}?"), alternatives)


def _bar_text(solutions: Sequence[Solution]) -> str:
    """Describe the first bar as these solutions understand it."""
    fields = [_fields(each.look.in_file[0]) for each in solutions if each.look.in_file]
    if not fields:
        return IN_QUESTION
    columns = zip(*fields, strict=True)
    stamp, symbol, close = (all_[0] if len(set(all_)) == 1 else IN_QUESTION for all_ in columns)
    return ", ".join(filter(None, (stamp, symbol, f"close {close or 'missing'}")))


def _fields(bar: LookedBar) -> tuple[str, str, str]:
    """Return the time, the symbol and the close of a bar as text."""
    stamp = "" if bar.ns is None else iso(bar.ns)
    close = "" if bar.tick is None else decimal_text(bar.tick, bar.scale)
    return stamp, bar.symbol or "", close
