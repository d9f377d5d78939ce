"""This module runs readers and kernel in this process, file after file, batch after batch."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, closing
from typing import NamedTuple

from rollsignal.bars.batch import NO_OBJECTS, ArrayBatch, Batch, Reader
from rollsignal.engines.book import Book
from rollsignal.engines.doubts import Doubt, Doubts, Tell
from rollsignal.engines.gate import Take
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.ranges import Range, Span
from rollsignal.engines.rows import Emit
from rollsignal.engines.series import Series
from rollsignal.errors import DataError, plural, shown_path
from rollsignal.kernel import Tally

SHOWN_FILES = 10

Watch = Callable[[Callable[[], int], int], None]


class Result(NamedTuple):
    """What a run found: every series, their tally, what was read, how often each check warned.

    `rows` and `forms` are those of each file; `first` holds the first findings of each check.
    """

    series: dict[str, Series]
    tally: Tally
    forms: dict[str, str]
    warnings: dict[str, int]
    rows: dict[str, int]
    first: dict[str, list[Doubt]]


class Start(NamedTuple):
    """Where a run begins that continues another: what is known, and what a file's bars go through.

    gate: makes of a file's path, and of the book that takes its bars, what parts new from old.
    """

    series: Mapping[str, Series]
    gate: Callable[[str, Book], Take]


def decide(
    inputs: Inputs,
    tell: Tell,
    emit: Emit | None = None,
    watch: Watch | None = None,
    start: Start | None = None,
) -> Result:
    """Decide the signals of all files; raises `DataError` if there cannot be any.

    tell: hears what is worth a line in the log. emit: takes the rows of all bars. watch: hears
    how many bytes and rows are read.
    """
    config = inputs.config
    doubts = Doubts(config.checks._asdict(), tell)
    book = Book(config, doubts, emit, arrays=not inputs.careful)
    reading = Reading(inputs, watch)
    gate = start.gate if start else _no_gate
    if start:
        book.series |= start.series
    if config.sort:
        forms = reading.sort(inputs.paths, book)
    else:
        forms = reading.all(inputs.by_time(), lambda path: gate(path, book))
    book.finish()
    tally = book.tally()
    if not tally.signals:
        raise DataError(_no_signal(inputs, tally, forms))
    return Result(book.series, tally, forms, dict(doubts.counts), reading.rows, doubts.first)


def decide_range(inputs: Inputs, tell: Tell, span: Span, emit: Emit | None, watch: Watch) -> Result:
    """Decide the signals of all files, and return what is within a span of time alone.

    Raises `DataError` if there is no signal there, or no timestamp.
    """
    within = Range(span, inputs.config.window, emit)
    result = decide(inputs, tell, within, watch)
    tally = within.tally()
    if not tally.signals:
        raise DataError(f"No signal {span}: {plural(tally.rows, 'bar')} there")
    return result._replace(series=within.series, tally=tally)


def _no_gate(path: str, book: Book) -> Take:
    return book.take


def inspect(inputs: Inputs, doubts: Doubts, watch: Watch | None = None) -> Result:
    """Read all files to find what is wrong with them; one that cannot be read to its end too."""
    book = Book(inputs.config, doubts)
    reading = Reading(inputs, watch)
    forms = {}
    with closing(inputs.each(inputs.by_time(doubtful=True))) as files:
        for path, opened in files:
            try:
                forms[path] = reading.one(path, opened, book.take)
            except DataError as error:
                doubts.heed(_unreadable(shown_path(path), error.message))
    book.finish()
    tally = book.tally()
    if forms and not tally.rows:
        names, message = _names(inputs.paths), _no_signal(inputs, tally, forms)
        doubts.heed(_unreadable(names, message))
    found = dict(doubts.counts)
    return Result(book.series, tally, forms, found, reading.rows, doubts.first)


def _unreadable(name: str, message: str) -> Doubt:
    return Doubt("unreadable", name, None, "", None, message)


class Reading:
    """Read files, one after the other, and tell how far it is; `rows` are those of each file."""

    def __init__(self, inputs: Inputs, watch: Watch | None = None) -> None:
        self._inputs = inputs
        self._watch = watch
        self._bytes = self._rows = 0
        self.rows: dict[str, int] = {}

    def all(self, paths: Sequence[str], gate: Callable[[str], Take]) -> dict[str, str]:
        """Read files in this order, each through its gate; return their forms."""
        with closing(self._inputs.each(paths)) as files:
            return {path: self.one(path, opened, gate(path)) for path, opened in files}

    def one(self, path: str, opened: AbstractContextManager[Reader], take: Take) -> str:
        """Read one file, and hand its batches on; return its form."""
        before = self._rows
        with opened as reader:
            for batch in reader.batches():
                take(batch, reader)
                self._rows += batch.rows
                if self._watch:
                    self._watch(lambda: self._bytes + reader.bytes_read(), self._rows)
            if self._watch:
                self._bytes += reader.bytes_read()
            self.rows[path] = self._rows - before
            return reader.describe()

    def sort(self, paths: Sequence[str], book: Book) -> dict[str, str]:
        """Read all files, then hand their bars on in the order of time; return their forms."""
        from rollsignal.engines.sorted_bars import SortedReader
        from rollsignal.engines.sorting import BarSorter

        with BarSorter() as sorter:
            bars = SortedReader(sorter)

            def add(batch: Batch | ArrayBatch, reader: Reader) -> None:
                book.heed(batch, reader)
                bars.add(batch, reader)

            forms = self.all(paths, lambda path: add)
            for batch in bars.batches():
                book.take(batch, bars)
        return forms


def _names(paths: Sequence[str]) -> str:
    more = f" and {len(paths) - SHOWN_FILES:,} more" if len(paths) > SHOWN_FILES else ""
    return ", ".join(map(shown_path, paths[:SHOWN_FILES])) + more


def _no_signal(inputs: Inputs, tally: Tally, forms: Mapping[str, str]) -> str:
    name, window = _names(inputs.paths), inputs.config.window
    if not tally.rows:
        headed = not all(form.endswith(NO_OBJECTS) for form in forms.values())
        return f"{name}: no rows" + (" below the header" if headed else "")
    if tally.rows < window:
        return f"{name}: {plural(tally.rows, 'row')}, fewer than the window of {window:,} bars"
    return f"{name}: no window of {window:,} bars without a missing close"
