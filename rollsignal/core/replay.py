"""This module decides a piece a second time, now with the bars before it, for who wants every bar.

At its end it proves that it saw the bars of the first pass: equal digests, tallies and last closes.
"""

from typing import TYPE_CHECKING

from rollsignal.core.digester import Digester
from rollsignal.core.edges import Head, Terms, head_of
from rollsignal.core.findings import Findings, tell_nobody
from rollsignal.core.joining import Settled
from rollsignal.core.kernel import Account, Tally
from rollsignal.core.ledger import Ledger, Rules
from rollsignal.core.reader import Bars, Reader
from rollsignal.errors import DiskError

if TYPE_CHECKING:
    from rollsignal.core.decisions import Decided
    from rollsignal.core.listeners import Take


class Replay:
    """Decide the batches of a piece with what is settled of it.

    take: receives the decided bars that count. arrays: whether bars may be decided on arrays.
    """

    def __init__(
        self, terms: Terms, settled: Settled, take: "Take", *, arrays: bool = True
    ) -> None:
        rules = Rules(terms.rules.window, terms.rules.missing)
        # All findings were told by the first pass.
        findings = Findings(dict.fromkeys(terms.levels, "off"), tell_nobody)
        self._ledger = Ledger(rules, findings, self._take, arrays=arrays)
        self._ledger.accounts |= settled.before
        self._terms = terms
        self._settled = settled
        self._listener = take
        self._digester = Digester()

    def take(self, batch: Bars, reader: Reader) -> None:
        """Decide a batch."""
        self._ledger.take(batch, reader)

    def prove(self) -> None:
        """Raise `DiskError` if the bars were not those of the first pass."""
        self._ledger.close_panel()
        accounts, after = self._ledger.accounts, self._settled.after
        same = accounts.keys() == after.keys() and all(
            _seen(accounts[symbol]) == _seen(account) for symbol, account in after.items()
        )
        if self._terms.digest and self._digester.digest != self._settled.digest:
            same = False
        if not same:
            hint = "two readings of the same rows gave different bars; run again"
            raise DiskError("Input data file changed while it was read", hint)

    def _take(self, bars: "Decided") -> None:
        counted = bars.within(*self._terms.span) if self._terms.span else bars
        if counted.rows:
            self._digester.take(counted)
            self._listener(counted)


def _seen(account: Account) -> tuple[Tally, Head, int | None, int | None]:
    """Return what is seen of a series, as values that do not depend on a scale."""
    tail = head_of(account.carry.tail, account.carry.scale, (), is_open=False)
    return account.tally, tail, account.first_ns, account.last_ns
