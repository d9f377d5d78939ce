"""This module turns the cells of closes and timestamps into batches, and says what is wrong."""

from collections.abc import Mapping, Sequence
from contextlib import suppress

from rollsignal.core.bars import Batch
from rollsignal.core.ledger import Missing
from rollsignal.core.quality import Finding, by_bar, ohlc_findings
from rollsignal.core.ticks import BLANKS, MISSING_WORDS, Ticks, parse_closes
from rollsignal.core.timestamps.reader import TimestampReader
from rollsignal.errors import BadCellError, DataError
from rollsignal.messages import shown

TIMESTAMP_HINT = (
    "name the right column in the config under columns, say with timestamp_format how it is"
    " written, or switch its checks off"
)
MISSING_HINT = "set missing: skip to leave such rows out, or gap for no signal near them"


class Cells:
    """Make the batches of one file, whose rows are called by `unit`: line or row.

    written: how the timestamps are written, if that is known.
    """

    def __init__(
        self, name: str, unit: str, close: str, timestamp: str | None, written: str | None
    ) -> None:
        self.name = name
        self.close = close
        self.timestamp = timestamp
        self._unit = unit
        self.timestamps = TimestampReader(written)

    def batch(
        self,
        cells: Sequence[str],
        stamps: Sequence[str] | None,
        places: Sequence[int],
        missing: Missing,
    ) -> Batch:
        """Read the cells; raises `DataError` for one that is not what its column holds."""
        timestamps = None
        read: Sequence[str] = cells
        try:
            closes = parse_closes(cells)
            if missing == "error" and None in closes.values:
                raise BadCellError("not a number", closes.values.index(None))
            if stamps is not None:
                read = stamps
                timestamps = self.timestamps.read(stamps)
        except BadCellError as bad:
            place, cell = places[bad.index], read[bad.index]
            if read is cells:
                raise self.close_problem(place, cell, bad.reason) from None
            hint = bad.hint or TIMESTAMP_HINT
            what = f"{self.timestamp} is {shown(cell)}, {bad.reason} ({hint})"
            raise self.problem(place, what) from None
        return Batch(closes, cells, timestamps, places)

    def joined(
        self, dates: Sequence[str], times: Sequence[str], places: Sequence[int]
    ) -> Sequence[str]:
        """Join dates and times of day; raises `DataError` for a time that is empty."""
        blank = next((row for row, time in enumerate(times) if not time.strip(BLANKS)), None)
        if blank is not None:
            what = f"{self.timestamp} is {shown(dates[blank])} without a time ({TIMESTAMP_HINT})"
            raise self.problem(places[blank], what)
        return list(map("{} {}".format, dates, times))

    def checked(self, batch: Batch, others: Mapping[str, Sequence[str]]) -> Batch:
        """Look at the other prices and volumes of a batch, each column's cells by its name."""
        findings: list[Finding] = []
        parsed = {}
        for name, cells in others.items():
            parsed[name], bad = _parsed_each(name, cells)
            findings += bad
        findings += ohlc_findings(batch.closes, parsed)
        return batch._replace(findings=by_bar(findings))

    def with_symbols(self, batch: Batch, cells: Sequence[str], whole: str | None = None) -> Batch:
        """Add the symbols to a batch; raises `DataError` where there is none.

        whole: the one symbol that all must be, where the file's path says so.
        """
        symbols = [cell.strip(BLANKS) for cell in cells]
        if "" in symbols:
            raise self.problem(batch.lines[symbols.index("")], "the symbol is empty")
        if whole is not None and set(symbols) != {whole}:
            place = next(place for place, symbol in enumerate(symbols) if symbol != whole)
            what = f"the symbol is {shown(symbols[place])}, but {shown(whole)} in the path"
            raise self.problem(batch.lines[place], what)
        return batch._replace(symbols=symbols)

    def problem(self, place: int, what: str) -> DataError:
        """Say what is wrong at a line or row."""
        return DataError(f"{self.name} {self._unit} {place}: {what}")

    def close_problem(self, place: int, cell: str, reason: str, hint: str = "") -> DataError:
        """Say what is wrong with a close, and what to do about it."""
        hint = hint or self._hint(cell)
        hint = f" ({hint})" if hint else ""
        return self.problem(place, f"{self.close} is {shown(cell)}, {reason}{hint}")

    def _hint(self, cell: str) -> str:
        if cell.strip(BLANKS).lower() in MISSING_WORDS:
            return MISSING_HINT
        if cell.strip(BLANKS) == self.close:
            return "the header again: are two tables in one file?"
        if any(sign in cell for sign in ",' \u00a0"):
            return "write a point before decimals, and nothing between thousands"
        return ""

    def order_problem(self, batch: Batch, finding: Finding) -> DataError:
        """Say that a bar is not later than the one before it."""
        if finding.check == "missing":
            return self.close_problem(batch.lines[finding.place], finding.what, "not a number")
        hint = f"set checks: {{{finding.check}: warn}}"
        what = finding.what
        if finding.check != "ohlc":
            hint = f"sort the bars, or {hint}"
            what = f"{self.timestamp} {what}"
        return self.problem(batch.lines[finding.place], f"{what} ({hint})")


def _parsed_each(name: str, cells: Sequence[str]) -> tuple[Ticks, list[Finding]]:
    """Parse cells of which some may be no numbers: these are found, and then missing."""
    with suppress(BadCellError):
        return parse_closes(cells), []
    findings: list[Finding] = []
    good = list(cells)
    for place, cell in enumerate(cells):
        try:
            parse_closes([cell])
        except BadCellError as bad:
            findings.append(Finding("ohlc", place, f"{name} is {shown(cell)}, {bad.reason}"))
            good[place] = ""
    return parse_closes(good), findings
