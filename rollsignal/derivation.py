"""This module decides a recorded run again: from its inputs, with its settings."""

import os
from typing import Literal, NamedTuple

from rollsignal.digest import hex_text
from rollsignal.engines.book import Book
from rollsignal.engines.digester import Digester
from rollsignal.engines.gate import First, Gate, Take
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.local import Start, decide
from rollsignal.engines.ranges import Range
from rollsignal.engines.rows import Rows
from rollsignal.formats import FORMATS
from rollsignal.kernel import Tally
from rollsignal.request import Request
from rollsignal.sinks.record import Record
from rollsignal.spot_check import Compared, Signals, compare

Engine = Literal["local", "plain"]


class Derived(NamedTuple):
    """What came out: the digest as text, and the windows that were decided once more if any."""

    tally: Tally
    series: int
    digest: str
    compared: Compared | None = None


def derive(record: Record, engine: Engine = "local", windows: int = 0) -> Derived:
    """Decide a recorded run again; raises `JobError` where that is not possible.

    engine: "local" as a run does, "plain" row by row in Python's whole numbers, without arrays.
    windows: how many of every symbol are decided once more, with fractions.
    """
    asked, inputs = record.asked, _inputs(record)
    digester, signals = Digester(), Signals()
    span = Request(since=asked.since, until=asked.until).span
    within = Range(span, inputs.config.window, digester) if span else None

    def emit(rows: Rows) -> None:
        (within or digester)(rows)
        if windows:
            signals(rows)

    start = Start({}, _once_each) if asked.continues else None
    read = inputs.carefully() if engine == "plain" else inputs
    result = decide(read, lambda level, text: None, emit, start=start)
    compared = None
    if windows:
        rows = {symbol: series.tally.rows for symbol, series in result.series.items()}
        compared = compare(inputs, signals.found, rows, windows, once_each=asked.continues)
    tally, series = (within.tally(), within.series) if within else (result.tally, result.series)
    return Derived(tally, len(series), hex_text(digester.digest), compared)


def _inputs(record: Record) -> Inputs:
    """Name the files that were read; other files may have the bars of one that is gone since."""
    paths = [one.file.path for one in record.inputs]
    if record.asked.continues:
        paths = [path for path in paths if os.path.exists(path)]
    form = next((form for form in FORMATS if form == record.asked.format), None)
    return Inputs(paths, record.job_config(), form)


def _once_each(path: str, book: Book) -> Take:
    """Leave out what a file repeats of those before it, as a state has left it out."""
    return Gate(book, lambda rows: None, First())
