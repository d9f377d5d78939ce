"""This module turns the cells of closes and timestamps into batches, or says what is wrong."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from rollsignal.config.rules import DayInPath
from rollsignal.config.settings import JobConfig, Level, Table
from rollsignal.core.bars import Batch
from rollsignal.core.ledger import Missing
from rollsignal.core.quality import Finding, by_bar, ohlc_findings, parsed_each, value_findings
from rollsignal.core.ticks import BLANKS, NUMBER, Ticks, parse_closes
from rollsignal.core.timestamps.reader import TimestampReader, to_ns
from rollsignal.errors import BadCellError, Choice, DataError
from rollsignal.messages import escaped, shown

if TYPE_CHECKING:
    from rollsignal.core.timestamps.local import UnclearTimeError
    from rollsignal.readers.close_cells import ClosesAs
    from rollsignal.readers.symbols import SymbolRule


class Cells:
    """Make the batches of one file; messages count its rows in `unit`: line or row.

    written: how the timestamps are written, if the config says so.
    """

    def __init__(
        self, name: str, unit: str, close: str, timestamp: str | None, written: str | None
    ) -> None:
        self.name = name
        self.close = close
        self.timestamp = timestamp
        # What messages call a line or row, by its number.
        self.place_of: Callable[[int], str] = f"{unit} {{}}".format
        self.timestamps = TimestampReader(written)
        self.symbols: SymbolRule | None = None
        # Whether the path or the config tells of which series all bars are.
        self.is_one_series = False
        self.closes_as: ClosesAs | None = None
        # The columns of closes of a wide table, as messages call them, and its symbols.
        self.closes: Sequence[str] = ()
        self._names: list[str] = []
        self._day = ""
        self._unproven: DataError | None = None
        self._stamps: Sequence[str] = ()
        self._is_text = False
        # Whether a setting that the config does not have would pass over rows below the bars.
        self._may_skip = False

    def batch(
        self,
        cells: Sequence[str],
        stamps: Sequence[str] | None,
        lines: Sequence[int],
        missing: Missing,
    ) -> Batch:
        """Read the cells; raises `DataError` for one that does not fit its column."""
        timestamps = None
        if stamps is not None and self._day:
            stamps = [f"{self._day} {stamp}" for stamp in stamps]
        read = plain = cells
        try:
            closes, plain = self._closes(cells)
            if missing == "error" and None in closes.values:
                raise BadCellError("not a number", closes.values.index(None))
            if stamps is not None:
                read = stamps
                timestamps = self.timestamps.read(stamps)
        except BadCellError as bad:
            if read is cells:
                self._refuse_stamps(stamps or (), lines, bad.index)
                line, cell = lines[bad.index], cells[bad.index]
                hint = bad.hint or self._hint_about_row(bad.index, cells, stamps or (), lines)
                column = self.closes[bad.index % len(self.closes)] if self.closes else ""
                raise self.close_problem(line, cell, bad.reason, hint, column) from None
            raise self._timestamp_problem(lines[bad.index], read[bad.index], bad, read) from None
        doubt = self.timestamps.unproven
        if doubt and self._unproven is None:
            line, cell = lines[doubt.index], read[doubt.index]
            self._unproven = self._timestamp_problem(line, cell, doubt, read)
        self._stamps = stamps or ()
        batch = Batch(closes, plain, timestamps, lines, None, value_findings(closes))
        # Of several series, each has rows of its own.
        has_own_rows = self.symbols is not None or stamps is None
        if has_own_rows or not self.timestamps.is_local:
            return batch
        return self.in_utc(batch, self._stamps)

    def set_day(self, day: DayInPath | None) -> None:
        """Say what day, if any, goes before all times; it is found in the path."""
        self._day = day.day if day else ""

    def close_of_each(self, names: Sequence[str], config: JobConfig) -> None:
        """Read wide rows, with a close of each of the symbols that the columns are called as."""
        from rollsignal.readers.symbols import SymbolRule

        self.closes = [escaped(name.strip(BLANKS)) for name in names]
        self._names = [name.strip(BLANKS) for name in names]
        self.symbols = SymbolRule(names, config.columns, None)

    def wide_batch(
        self,
        closes: Sequence[Sequence[str]],
        stamps: Sequence[str] | None,
        lines: Sequence[int],
        missing: Missing,
    ) -> Batch:
        """Read rows with a close of each symbol, as bars row by row; closes: of each column."""
        count = len(closes)
        cells = [cell for row in zip(*closes, strict=True) for cell in row]
        if stamps is not None:
            stamps = [stamp for stamp in stamps for _ in range(count)]
        every_line = [line for line in lines for _ in range(count)]
        batch = self.batch(cells, stamps, every_line, missing)
        return self._with_checked_symbols(batch, self._names * len(lines))

    def in_utc(self, batch: Batch, stamps: Sequence[str]) -> Batch:
        """Turn the local times of a batch into UTC; raises `DataError` for one that is unclear."""
        local = self.timestamps.local
        assert local is not None, "only times of a place are turned into UTC"
        from rollsignal.core.timestamps.local import UnclearTimeError

        times_ns = list(map(to_ns, batch.timestamps or ()))
        try:
            times_ns = local.in_utc(times_ns, batch.symbols, batch.lines, stamps)
        except UnclearTimeError as unclear:
            raise self._unclear(unclear) from None
        return batch._replace(timestamps=times_ns)

    def _unclear(self, unclear: "UnclearTimeError") -> DataError:
        return self._timestamp_problem(unclear.line, unclear.cell, unclear.bad, ())

    def read_closes_as(self, table: Table, *, has_signs: bool) -> None:
        """Read closes as the config declares; has_signs: whether they are those of a text table."""
        self._is_text = has_signs
        self._may_skip = has_signs and table.footer == "error"
        if table.says_of_closes:
            from rollsignal.readers.close_cells import closes_as_of

            self.closes_as = closes_as_of(table, has_signs=has_signs)

    def _closes(self, cells: Sequence[str]) -> tuple[Ticks, Sequence[str]]:
        """Return the closes of cells, and the cells in plain form; raises `BadCellError`."""
        return self.closes_as.parse(cells) if self.closes_as else (parse_closes(cells), cells)

    def _refuse_stamps(self, stamps: Sequence[str], lines: Sequence[int], stop: int) -> None:
        """Raise `DataError` for the first bad timestamp, if it is in a row before `stop`."""
        try:
            self.timestamps.read(stamps)
        except BadCellError as bad:
            if bad.index < stop:
                cell = stamps[bad.index]
                raise self._timestamp_problem(lines[bad.index], cell, bad, stamps) from None

    def finish(self) -> None:
        """Raise `DataError` if no row proved what the time of a cell is."""
        if self._unproven and self.timestamps.unproven:
            raise self._unproven
        if self.timestamps.local:
            from rollsignal.core.timestamps.local import UnclearTimeError

            try:
                self.timestamps.local.finish()
            except UnclearTimeError as unclear:
                raise self._unclear(unclear) from None

    def joined(
        self, dates: Sequence[str], times: Sequence[str], lines: Sequence[int]
    ) -> Sequence[str]:
        """Join dates and times of day; raises `DataError` for an empty time."""
        blank = next((row for row, time in enumerate(times) if not time.strip(BLANKS)), None)
        if blank is not None:
            from rollsignal.readers.cell_hints import TIMESTAMP_HINT

            what = f"{self.timestamp} is {shown(dates[blank])} without a time ({TIMESTAMP_HINT})"
            raise self.problem(lines[blank], what)
        return list(map("{} {}".format, dates, times))

    def checked(self, batch: Batch, others: Mapping[str, Sequence[str]]) -> Batch:
        """Check other prices and volumes of a batch; others: the cells of each column by name."""
        findings: list[Finding] = []
        parsed = {}
        for name, cells in others.items():
            plain = self.closes_as.loosely(cells) if self.closes_as else cells
            parsed[name], bad = parsed_each(name, plain)
            findings += bad
        findings += ohlc_findings(batch.closes, parsed)
        return batch._replace(findings=[*batch.findings, *by_bar(findings)])

    def with_symbols(self, batch: Batch, parts: Sequence[Sequence[str]]) -> Batch:
        """Add the symbols to a batch; raises `DataError` for a row without the right symbol.

        parts: the cells of each column that makes the symbols.
        """
        assert self.symbols is not None, "only a column of symbols has cells"
        try:
            symbols = [cell.strip(BLANKS) for cell in self.symbols.joined(parts)]
        except BadCellError as bad:
            raise self.problem(batch.lines[bad.index], bad.reason) from None
        wrong = self.symbols.wrong(symbols)
        if wrong:
            row, what = wrong
            raise self.problem(batch.lines[row], what).choosing(*self.symbols.choices)
        return self._with_checked_symbols(batch, symbols)

    def _with_checked_symbols(self, batch: Batch, symbols: Sequence[str]) -> Batch:
        batch = batch._replace(symbols=symbols)
        is_local = self.timestamps.is_local and batch.has_timestamps
        return self.in_utc(batch, self._stamps) if is_local else batch

    def problem(self, line: int, what: str) -> DataError:
        """Return the error for what is wrong at a line or row."""
        return DataError(f"{self.name} {self.place_of(line)}: {what}")

    def _timestamp_problem(
        self, line: int, cell: str, bad: BadCellError, stamps: Sequence[str]
    ) -> DataError:
        from rollsignal.readers.cell_hints import timestamp_hint

        hint = bad.hint or timestamp_hint(self.timestamps, stamps, may_skip=self._may_skip)
        error = self.problem(line, f"{self.timestamp} is {shown(cell)}, {bad.reason} ({hint})")
        return error.choosing(*bad.choices)

    def close_problem(
        self, line: int, cell: str, reason: str, hint: str = "", column: str = ""
    ) -> DataError:
        """Return the error for a close, with what to do about it.

        column: the column of the close, if each symbol has one.
        """
        from rollsignal.readers.cell_hints import MISSING_HINT, close_hint

        column = column or self.close
        hint = hint or close_hint(cell, column, self.closes_as, is_text=self._is_text)
        choices: list[Choice] = [{"missing": word} for word in ("skip", "gap")]
        if hint != MISSING_HINT:
            from rollsignal.readers.close_cells import number_forms

            choices = number_forms(cell)
        hint = f" ({hint})" if hint else ""
        error = self.problem(line, f"{column} is {shown(cell)}, {reason}{hint}")
        return error.choosing(*choices)

    def _hint_about_row(
        self, index: int, cells: Sequence[str], stamps: Sequence[str], lines: Sequence[int]
    ) -> str:
        """Return what to do about a row of a text that has neither a time nor a close.

        Below the header it may be a part of it, until the first row that has both.
        """
        from rollsignal.readers.cell_hints import HINTING_ROWS, row_hint
        from rollsignal.readers.wrong_headers import is_time

        written = self.timestamps.written
        is_header = cells[index].strip(BLANKS) == self.close
        if not self._is_text or self.closes or not stamps or is_header:
            return ""
        if is_time(stamps[index], written):
            return ""
        if index or self._stamps:
            return row_hint(may_skip=self._may_skip)
        timed = (at for at, stamp in enumerate(stamps[:HINTING_ROWS]) if is_time(stamp, written))
        first = next(timed, None)
        if first is None or not self._is_close(cells[first]):
            return ""
        what = f"{self.place_of(lines[0])} is no bar, but belongs to the header"
        return f"if {what}, set table: {{first_row: {lines[first]}}}"

    def _is_close(self, cell: str) -> bool:
        (plain,) = self.closes_as.loosely([cell]) if self.closes_as else [cell]
        return bool(NUMBER.fullmatch(plain))

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        """Return the error for a finding about a bar, for example that it is out of order."""
        from rollsignal.readers.cell_hints import bar_hint

        close = self.close
        if self.closes and batch.symbols is not None:
            close = escaped(batch.symbols[finding.place])
        if finding.check == "missing":
            line = batch.lines[finding.place]
            return self.close_problem(line, finding.what, "not a number", column=close)
        # What contradicts itself names its columns.
        columns = {"ohlc": "", "values": f"{close} "}
        column = columns.get(finding.check, f"{self.timestamp} ")
        is_known = self.is_one_series or self.symbols is not None
        hint = bar_hint(finding.check, is_known=is_known)
        return self.problem(batch.lines[finding.place], f"{column}{finding.what} ({hint})")


def compared(level: Level, others: Mapping[str, int]) -> str:
    """Describe the columns compared with the close, as the end of a description."""
    if level == "off":
        return ""
    return f", compared with {', '.join(map(escaped, others)) or 'no other column'}"
