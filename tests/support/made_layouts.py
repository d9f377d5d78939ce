"""This module draws how a table of bars is written: names, formats, and other columns, for tests.

It never imports rollsignal, so that the product is never its own oracle.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from random import Random
from typing import NamedTuple

from tests.support.made_files import DELIMITERS
from tests.support.made_times import DOUBTFUL, INDEX, KNOWN, NAMES, ODD_NAMES, Spelling

PARTING = ("symbol", "ticker")
OTHER_SYMBOLS = (
    *("instrument", "pair", "ts_code", "code", "contract", "asset", "coin", "product_id", "isin"),
    "ric",
)
Rename = Callable[[str], str]
CASES: list[Rename] = [
    str,
    str,
    str.upper,
    str.title,
    lambda name: f" {name} ",
    lambda name: f"<{name}>",
]
WORDS = ["", "NA", "nan", "null", "-", "#N/A N/A", "inf", "N/A", "None"]
KINDS = [
    *["csv"] * 4,
    "tsv",
    "semicolon",
    "pipe",
    "ndjson",
    "ndjson",
    "parquet",
    "parquet",
    "arrow",
    "xlsx",
]
DRESSES = ["CRLF", "BOM", "UTF-16", "quoted", "blank lines", "gzip"]
PLAUSIBLE = {*range(1990, 2050)}


class Notes:
    """What is known of a case beside its bars.

    doubts: what makes it hard. excuses: warnings with which another value may be right.
    """

    def __init__(self) -> None:
        self.facts: list[str] = []
        self.doubts: list[str] = []
        self.excuses: list[str] = []
        self.is_refused = False
        self.rows_are_certain = True
        self.stamps_are_certain = True


class Subject(NamedTuple):
    """What a table is about: the step of its times and their years, and where its symbols are."""

    is_timed: bool
    step: str
    years: Collection[int]
    source: str
    has_many_symbols: bool


class Layout(NamedTuple):
    """How the bars of a file are written.

    time: the name of the column of times, None without times. stored: their type in a file of
    columns, "" for text. symbol: the column of symbols, if there is one. word: what stands where
    there is no close. shape: what is at the ends of the rows. dress: how the text is packed.
    """

    kind: str
    time: str | None
    spelling: Spelling
    stored: str
    symbol: str | None
    close: str
    word: str
    more: Sequence[str]
    shape: str
    dress: str

    @property
    def key(self) -> str:
        """Return a text that is the same for the same layout, in every process."""
        return f"{self.kind} {self.time} {self.symbol} {self.close} {self.word} {self.more}"

    @property
    def has_clock(self) -> bool:
        """Return whether dates and times of day have columns of their own."""
        return self.spelling.name == "date and time"


def layout(rng: Random, subject: Subject, notes: Notes) -> Layout:
    """Draw a layout."""
    kind = rng.choice(KINDS)
    spelling = _spelling(rng, subject, notes)
    time, stored = _time_name(rng, kind, spelling) if subject.is_timed else None, ""
    if kind in ("parquet", "arrow", "xlsx") and subject.is_timed and rng.random() < 0.5:
        stored, spelling = rng.choice(["datetime", "datetime", "zoned"]), KNOWN[0]
        if subject.step in ("day", "week", "month", "year") and rng.random() < 0.4:
            stored = "date"
    if time in (*ODD_NAMES, INDEX) and not stored:
        _excuse_odd_times(subject, spelling, notes)
    symbol = _symbol_name(rng, subject, notes)
    close = rng.choice(CASES)("close") if rng.random() < 0.85 else "price"
    word = rng.choice(WORDS if time or symbol else WORDS[1:])
    more = [name for name in _more(rng, subject, notes) if name != close]
    shape, dress = _shape(rng, kind, notes), ""
    if kind in DELIMITERS and rng.random() < 0.2:
        dress = rng.choice(DRESSES)
    return Layout(kind, time, spelling, stored, symbol, close, word, more, shape, dress)


def _spelling(rng: Random, subject: Subject, notes: Notes) -> Spelling:
    is_doubtful = rng.random() < 0.15
    fitting = [s for s in (DOUBTFUL if is_doubtful else KNOWN) if subject.step in s.steps]
    if not fitting:
        is_doubtful, fitting = False, [s for s in KNOWN if subject.step in s.steps]
    if is_doubtful and subject.is_timed:
        notes.doubts.append("doubtful times")
    if min(subject.years) < 1969:
        # Two digits stand for 1969 to 2068.
        fitting = [s for s in fitting if "y" not in s.setting]
    drawn = rng.choice(fitting)
    if drawn.name in ("some zoned", "%Y", "year and month", "1871.1"):
        # Perhaps no time has a zone, or the day does not tell.
        notes.stamps_are_certain = False
    return drawn


def _time_name(rng: Random, kind: str, spelling: Spelling) -> str:
    if spelling.name == "date and time":
        return rng.choice(["date", "Date", "<DATE>"])
    if rng.random() < 0.7:
        name = rng.choice(NAMES)
        return rng.choice([*CASES, _in_utc])(name)
    name = rng.choice(ODD_NAMES)
    return INDEX if kind == "parquet" and name == "" else name


def _in_utc(name: str) -> str:
    return f"{name} (UTC)"


def _excuse_odd_times(subject: Subject, spelling: Spelling, notes: Notes) -> None:
    """Note where nothing tells that a column holds times; then it is told that there are none."""
    is_count = spelling.setting.startswith("epoch") or "unit" in spelling.name
    is_count |= spelling.name == "ms, then us"
    if "doubtful times" in notes.doubts or (is_count and not PLAUSIBLE.issuperset(subject.years)):
        notes.excuses.append("no timestamps")
        notes.doubts.append("no times")


def _symbol_name(rng: Random, subject: Subject, notes: Notes) -> str | None:
    if subject.source != "column":
        return None
    name = rng.choice([*PARTING, *PARTING, *OTHER_SYMBOLS])
    if subject.has_many_symbols and name not in PARTING:
        notes.doubts.append("symbols or not")
    return rng.choice(CASES[:4])(name)


def _more(rng: Random, subject: Subject, notes: Notes) -> list[str]:
    """Draw the other columns."""
    more = [name for name in ("volume", "note", "trades", "index") if rng.random() < 0.25]
    if rng.random() < 0.3:
        more = ["open", "high", "low", *more]
    if rng.random() < 0.05 and "no times" not in notes.doubts:
        # Beside times that are none to the program, these would be the only ones.
        more.append("ingested at")
        notes.doubts.append("two columns of times")
    if rng.random() < 0.05:
        more.append(rng.choice(["Adj Close", "prev close", *["close_time"] * subject.is_timed]))
    if rng.random() < 0.04:
        more.append("Close")
        notes.doubts.append("two closes")
    return more


def _shape(rng: Random, kind: str, notes: Notes) -> str:
    if kind not in DELIMITERS or rng.random() > 0.1:
        return ""
    notes.doubts.append("ends of rows")
    return rng.choice(["delimiter at end", "index and empty end"])
