"""This module builds the summary of a run, one row per symbol, as CSV, JSON or Parquet."""

from collections.abc import Mapping
from typing import NamedTuple

from rollsignal.config.settings import JobConfig
from rollsignal.core.kernel import Account
from rollsignal.core.ticks import decimal_text
from rollsignal.core.timestamps.reader import iso
from rollsignal.files.fingerprints import Fingerprint
from rollsignal.files.replace import replace
from rollsignal.outputs.interface import RunReport
from rollsignal.outputs.metrics import signal_rate
from rollsignal.outputs.row_files import ROW_SUFFIXES, columns_of, row_file
from rollsignal.outputs.signals.forms import known_suffix

SUMMARY_SUFFIXES = ROW_SUFFIXES


class SummaryRow(NamedTuple):
    """The results for one symbol; None where there is no answer."""

    symbol: str
    rows: int
    signals: int
    ones: int
    signal_rate: float | None
    ties: int
    first_timestamp: str | None
    last_timestamp: str | None
    last_close: str | None
    last_rolling_mean: float | None
    last_signal: int | None


class Summary:
    """The summary of a run, at a path that ends in one of `SUMMARY_SUFFIXES`."""

    flag = "--summary"
    stale = ()

    def __init__(self, path: str) -> None:
        """Raise `UsageError` for a path with another suffix."""
        self.path = path
        self._suffix = summary_suffix(path)

    def begin(self) -> None:
        """Do nothing: the summary is written in one step."""

    def listener(self) -> None:
        """Return None: the accounts are enough."""

    def finish(self, report: RunReport) -> Mapping[str, Fingerprint]:
        """Write the summary; raises `OutputError` or `DiskError`."""
        assert report.config, "a run that succeeded has read its config"
        assert report.found, "a run that succeeded has results"
        rows = summary_rows(report.found.accounts, report.config.config)
        there = replace(self.path, rendered(rows, self._suffix))
        return {self.path: there} if there else {}

    def tidy(self) -> None:
        """Do nothing: a single file is replaced."""

    def abandon(self) -> None:
        """Do nothing: there is no unfinished file."""


def summary_suffix(path: str) -> str:
    """Return the suffix of the path of a summary; raises `UsageError` for an unknown one."""
    return known_suffix("--summary", path, SUMMARY_SUFFIXES)


def summary_rows(accounts: Mapping[str, Account], config: JobConfig) -> list[SummaryRow]:
    """Build the rows, sorted by symbol."""
    return [_row(symbol, accounts[symbol], config) for symbol in sorted(accounts)]


def _row(symbol: str, account: Account, config: JobConfig) -> SummaryRow:
    tally, last = account.tally, account.last
    has_rate = tally.signals > 0 or (config.warmup == "zero" and tally.rows > 0)
    return SummaryRow(
        symbol,
        tally.rows,
        tally.signals,
        tally.ones,
        signal_rate(config, tally) if has_rate else None,
        tally.ties,
        None if account.first_ns is None else iso(account.first_ns),
        None if account.last_ns is None else iso(account.last_ns),
        None if last is None or last.close is None else decimal_text(last.close, last.scale),
        None if last is None else last.mean,
        None if last is None else last.signal,
    )


def rendered(rows: list[SummaryRow], suffix: str) -> bytes:
    """Return the rows as a file with one of `SUMMARY_SUFFIXES`."""
    return row_file(columns_of(SummaryRow), [row._asdict() for row in rows], suffix)
