"""This module keeps the ledger of a panel while its bars are decided on arrays."""

from collections.abc import Callable, Mapping

from rollsignal.core.array_bars import ArrayBatch
from rollsignal.core.decisions import ArrayDecided
from rollsignal.core.kernel import INT64_MAX, Account
from rollsignal.core.panel import Panel, PanelError
from rollsignal.core.reader import Reader
from rollsignal.core.symbols import SymbolCodes


class PanelLedger:
    """A panel, open from the first batch on arrays until the next batch that is not."""

    def __init__(self, window: int) -> None:
        self._window = window
        self._codes = SymbolCodes()
        # The name of each file, and whether its times are known in UTC.
        self._files: list[tuple[str, bool | None]] = []
        self._zones: set[bool] = set()
        self._panel: Panel | None = None

    def take(
        self, batch: ArrayBatch, reader: Reader, accounts: Mapping[str, Account]
    ) -> Callable[[], ArrayDecided] | None:
        """Decide a batch; return a function that makes the decided bars, or None if arrays cannot.

        accounts: those of all series when the panel was last closed.
        """
        assert batch.symbols is not None
        codes, times = self._codes.of(batch.symbols), batch.timestamps_ns
        try:
            if codes.min() < 0:
                return None
            panel = self._panel or self._opened(accounts)
            file = self._number_of(reader.name, reader.zoned)
            if len(self._zones) > 1:
                return None
            order, margins, has_signal = panel.advance(codes, batch.closes, times, file)
        except PanelError:
            return None
        self._panel = panel

        def decided() -> ArrayDecided:
            import numpy as np

            back = np.empty_like(order)
            back[order] = np.arange(len(order))
            closes = batch.closes.values * 10 ** (panel.scale - batch.closes.scale)
            numbers = None if times is not None else panel.numbers(codes[order])[back]
            columns = (times, numbers, closes, margins[back], has_signal[back], panel.scale)
            return ArrayDecided(reader.path, self._codes.names, codes, *columns)

        return decided

    def last_ns(self, symbol: str) -> int | None:
        """Return the last timestamp of a series, if it has any and the panel is open."""
        code = self._codes.number(symbol)
        if self._panel is None or not self._panel.has(code):
            return None
        return self._panel.span_of(code)[1]

    def is_alike(self, zoned: bool | None) -> bool:
        """Return whether all series so far have times that are known in UTC, or none has."""
        return len(self._zones - {zoned}) == 0

    def close(self) -> dict[str, Account]:
        """Return the account of every series, and drop the panel."""
        if self._panel is None:
            return {}
        panel, self._panel = self._panel, None
        return {
            self._codes.names[code]: Account(
                panel.carry_of(code),
                panel.tally_of(code),
                panel.last_of(code),
                *panel.span_of(code),
                *self._files[panel.files[code]],
            )
            for code in panel.codes_with_rows()
        }

    def _opened(self, accounts: Mapping[str, Account]) -> Panel:
        """Make a panel from accounts; raises `PanelError` if arrays cannot hold them."""
        panel, self._zones = Panel(self._window), set()
        for symbol, account in accounts.items():
            if account.last is None:
                raise PanelError("a series without any bar")
            code = self._codes.number(symbol)
            panel.enter(code, account.carry, account.tally, account.last)
            panel.files[code] = self._number_of(account.last_file, account.zoned)
            timed = account.first_ns is not None and account.last_ns is not None
            if panel.timed not in (None, timed):
                raise PanelError("timestamps in some files only")
            panel.timed = timed
            if account.first_ns is not None and account.last_ns is not None:
                if max(abs(account.first_ns), abs(account.last_ns)) > INT64_MAX:
                    raise PanelError("timestamps beyond int64")
                panel.first_ns[code], panel.last_ns[code] = account.first_ns, account.last_ns
        return panel

    def _number_of(self, name: str, zoned: bool | None) -> int:
        if not self._files or self._files[-1] != (name, zoned):
            self._files.append((name, zoned))
        if zoned is not None:
            self._zones.add(zoned)
        return len(self._files) - 1
