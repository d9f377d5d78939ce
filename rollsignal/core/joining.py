"""This module joins the edges of pieces, in the order of the bars, to what one run would have.

`join` makes the edges of two neighbouring pieces together. It is associative, and `NO_BARS` is the
edges of no bars, so pieces may be decided anywhere and in any order, and be joined as they come in.
`Join` does the same for all pieces of a task, and settles what only the bars before can tell.

How an engine uses it, where `terms` says how bars are decided:

    piece = Piece(terms)                   # in any process, for each piece
    for batch in reader.batches():
        piece.take(batch, reader)          # raises JobError; `edges` knows of it all the same
    edges = piece.edges()                  # small, and fit to send to another process

    together = Join(terms, findings, known)
    settled = [together.add(edges) for edges in all_edges]      # in order; raises the first error
    together.finish()
    found = Found(together.counted, tally_of(together.counted), files, findings, together.digest)

Where every decided bar is wanted, `replay.Replay` decides each piece a second time, with the
accounts that its `Settled` has, and proves that it saw what the first pass saw.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from rollsignal.core.continuing import HeadDigests, continued
from rollsignal.core.digest import digest_arrays, key_table, plus
from rollsignal.core.edges import (
    NO_BARS,
    UNTOLD,
    Edges,
    Event,
    FirstFile,
    Refusal,
    SeriesEdges,
    Start,
    Terms,
    Undecided,
    Unnumbered,
    first_shown,
    head_of,
    report_events,
    unpacked_signals,
)
from rollsignal.core.findings import (
    Findings,
    LocatedFinding,
    mixed_symbols,
    overlap_of,
    times_misfit,
)
from rollsignal.core.gaps import StepPlace, Steps, StepsSeen
from rollsignal.core.kernel import Account
from rollsignal.core.ledger import ONE_SERIES
from rollsignal.core.quality import order_findings
from rollsignal.core.timestamps.reader import iso
from rollsignal.errors import DataError


class Settled(NamedTuple):
    """What is true of a piece when the bars before it are known.

    `before` and `after` are the accounts of its series before the piece and at its end; `digest`
    is that of its bars.
    """

    before: Mapping[str, Account]
    after: Mapping[str, Account]
    digest: int


class Join:
    """Join all pieces of a task in the order of their bars.

    findings: receives all findings as in one run. known: the accounts of series that are continued.
    `accounts` are those of all bars, `in_span` those of the bars in the range of time, `digest`
    is that of all bars that count.
    """

    def __init__(
        self, terms: Terms, findings: Findings, known: Mapping[str, Account] | None = None
    ) -> None:
        self._terms = terms
        self._findings = findings
        self._digests = HeadDigests()
        # Steps in time are many, so they are added to those before, and not joined again each time.
        self._steps = Steps()
        closed = head_of((), 0, (), is_open=False)
        series = {name: SeriesEdges(each, closed) for name, each in (known or {}).items()}
        files = [account.last_file for account in (known or {}).values()]
        first = FirstFile(ONE_SERIES not in series, files[-1]) if files else None
        self._edges = Edges(series, first=first)

    @property
    def accounts(self) -> dict[str, Account]:
        """Return the accounts of all series so far."""
        return {symbol: series.account for symbol, series in self._edges.series.items()}

    @property
    def counted(self) -> dict[str, Account]:
        """Return the accounts of the bars that count so far."""
        if self._terms.span is None:
            return self.accounts
        all_series = self._edges.series.items()
        return {symbol: each.in_span for symbol, each in all_series if each.in_span}

    @property
    def digest(self) -> int:
        """Return the digest of the bars so far that count."""
        return self._edges.digest

    def tells(self, edges: Edges) -> bool:
        """Return whether the next piece has something to tell: an error, or a finding to show."""
        return any(
            isinstance(event, Refusal)
            or (isinstance(event, LocatedFinding) and self._findings.shows(event.check))
            for event in _decided(self._terms, self._edges, edges)
        )

    def add(self, edges: Edges) -> Settled:
        """Add the next piece; raises `JobError` for the first error in the order of the bars."""
        before = {symbol: self._edges.series.get(symbol) for symbol in edges.series}
        digest = self.digest
        earlier = self._edges._replace(starts={}, events=(), counts={})
        rules = self._terms.rules._replace(gaps=False)
        joined = join(self._terms._replace(rules=rules), earlier, edges, self._digests)
        report_events(joined.events, joined.counts, self._findings)
        self._edges = _numbered(joined, edges.series)
        self._steps.merge(edges.steps, _step_places(edges))
        return Settled(
            {symbol: series.account for symbol, series in before.items() if series},
            {symbol: self._edges.series[symbol].account for symbol in edges.series},
            (self.digest - digest) % 2**128,
        )

    def finish(self) -> None:
        """Report the gaps in time, which are only known at the end."""
        if self._terms.rules.gaps:
            self._steps.report(self._findings)


def join(terms: Terms, earlier: Edges, later: Edges, digests: HeadDigests | None = None) -> Edges:
    """Return the edges of two pieces, of which one follows the other, as one piece.

    digests: what many joins share to be faster.
    """
    if earlier.refusal:
        return earlier
    decided = list(_decided(terms, earlier, later))
    events = first_shown((*earlier.events, *decided))
    starts = {**later.starts, **earlier.starts}
    if decided and isinstance(decided[-1], Refusal):
        return Edges(starts=starts, events=events, first=earlier.first or later.first).refused()
    digests, series = digests or HeadDigests(), dict(earlier.series)
    for symbol, each in later.series.items():
        former = series.get(symbol)
        series[symbol] = continued(terms, symbol, former, each, digests) if former else each
    return Edges(
        series,
        starts,
        events,
        _joined_counts(earlier, later, decided),
        plus(plus(earlier.digest, later.digest), digests.change()),
        _joined_steps(earlier, later) if terms.rules.gaps else NO_BARS.steps,
        earlier.first or later.first,
    )


def _decided(terms: Terms, earlier: Edges, later: Edges) -> Iterator[Event]:
    """Yield the events of the later piece, and what the earlier one decides; end at an error."""
    for event in later.events:
        decided: Event | None = event
        if isinstance(event, Undecided) and event.check == "symbols":
            decided = _symbols_told(event, earlier.first, later.first)
        elif isinstance(event, Undecided) and event.symbol in earlier.series:
            account = earlier.series[event.symbol].account
            decided = _told(terms, event, account, later.starts[event.symbol])
        if decided:
            yield decided
        if isinstance(decided, Refusal):
            return


def _symbols_told(
    event: Undecided, earlier: FirstFile | None, later: FirstFile | None
) -> Event | None:
    """Return what the first file of all tells of that of a piece: nothing if it is the same."""
    if earlier is None or later is None:
        return event
    if earlier.has_symbols == later.has_symbols:
        return None
    error = mixed_symbols(earlier.name, later.has_symbols, later.name)
    return Refusal(type(error), error.message, error.detail)


def _told(terms: Terms, event: Undecided, account: Account, start: Start) -> Event | None:
    """Return what an account tells of the first bar after it.

    Timestamps in one of both only end the run also if errors are collected: the later piece was
    read on, where one run leaves the rest of the file.
    """
    if event.check == "times":
        error = times_misfit(account, start.file, start.ns is not None, start.zoned)
        return Refusal(type(error), error.message, error.detail) if error else None
    finding = _at_cut(event, account, start)
    if finding is None or terms.levels[finding.check] == "off":
        return None
    if terms.levels[finding.check] == "error" and not terms.collect_errors:
        return Refusal(DataError, finding.message, "")
    return finding


def _at_cut(event: Undecided, account: Account, start: Start) -> LocatedFinding | None:
    """Return what is wrong with the first bar of a series, if anything is."""
    assert start.ns is not None, "only bars with timestamps have an order"
    overlap = overlap_of(account, event.symbol, start.ns, start.file)
    if overlap or event.check == "overlap":
        return overlap if event.check == "overlap" else None
    for check, _, what in order_findings([start.ns], account.last_ns):
        message = start.messages.get(check, "").replace(UNTOLD, what)
        where = check, start.file, start.row, event.symbol, iso(start.ns)
        return LocatedFinding(*where, message)
    return None


def _joined_counts(earlier: Edges, later: Edges, decided: list[Event]) -> dict[str, int]:
    """Count the findings of both, and those that were decided at the cut."""
    at_cut = Counter(event.check for event in decided if isinstance(event, LocatedFinding))
    at_cut.subtract(event.check for event in later.events if isinstance(event, LocatedFinding))
    return dict(Counter(earlier.counts) + Counter(later.counts) + at_cut)


def _joined_steps(earlier: Edges, later: Edges) -> StepsSeen:
    steps = Steps()
    steps.merge(earlier.steps, {})
    steps.merge(later.steps, _step_places(later))
    return steps.seen()


def _step_places(edges: Edges) -> dict[str, StepPlace]:
    """Return the first bar of each series with timestamps, as the place of a step to it."""
    starts = edges.starts.items()
    return {symbol: start.step_place for symbol, start in starts if start.ns is not None}


def _numbered(edges: Edges, symbols: Mapping[str, object]) -> Edges:
    """Digest the signals of bars without timestamps, whose numbers are known now."""
    series, digest = dict(edges.series), edges.digest
    for symbol in symbols:
        each = series[symbol]
        if each.unnumbered.rows:
            digest = plus(digest, _digest_of(symbol, each))
            series[symbol] = each._replace(unnumbered=Unnumbered())
    return edges._replace(series=series, digest=digest)


def _digest_of(symbol: str, series: SeriesEdges) -> int:
    import numpy as np

    end = series.account.tally.rows + 1
    numbers = np.arange(end - series.unnumbered.rows, end)
    signals = np.frombuffer(unpacked_signals(series.unnumbered), np.int8)
    return digest_arrays(key_table([symbol]), numbers, signals)
