"""This module passes on only the bars of a range of time, decided with all bars before them."""

from typing import NamedTuple

from rollsignal.core.decisions import Decided
from rollsignal.core.kernel import Account, Carry
from rollsignal.core.ledger import Rules
from rollsignal.core.listeners import Take
from rollsignal.core.timestamps.reader import asked_ns, iso
from rollsignal.errors import UsageError


class Span(NamedTuple):
    """A range of time in ns since 1970 UTC: from `since_ns`, to before `until_ns`; None is open."""

    since_ns: int | None
    until_ns: int | None

    def __str__(self) -> str:
        named = (("since", self.since_ns), ("until", self.until_ns))
        return " ".join(f"{name} {iso(ns)}" for name, ns in named if ns is not None)


def span_between(since: str | None, until: str | None) -> Span | None:
    """Read a range of time from its flags, None without any; raises `UsageError`."""
    if since is None and until is None:
        return None
    since_ns, until_ns = _asked("--since", since), _asked("--until", until)
    if since_ns is not None and until_ns is not None and since_ns >= until_ns:
        raise UsageError(f"--since {since} is not before --until {until}")
    return Span(since_ns, until_ns)


def _asked(flag: str, text: str | None) -> int | None:
    hint = "write for example 2024-01-31 or 2024-01-31T23:59:00Z"
    return None if text is None else asked_ns(flag, text, hint)


class SpanFilter:
    """Receive all bars, pass on those of a span, and keep the account of each series there."""

    def __init__(self, span: Span, rules: Rules, take: Take) -> None:
        self.accounts: dict[str, Account] = {}
        self._span = span
        self._rules = rules
        self._take = take

    def take(self, bars: Decided) -> None:
        """Receive the next bars; raises `DataError` if they have no timestamps."""
        within = bars.within(*self._span)
        if not within.rows:
            return
        window, skips = self._rules.window, self._rules.missing == "skip"
        for symbol, more in within.accounts(window, skips=skips):
            before = self.accounts.get(symbol) or Account(Carry(window), first_ns=more.first_ns)
            self.accounts[symbol] = before._replace(
                tally=before.tally.plus(more.tally),
                last=more.last or before.last,
                last_ns=more.last_ns,
            )
        self._take(within)
