"""This module defines the edges of a piece of the bars: all that is needed to join it to others.

A piece is decided as if nothing came before it. Its edges say what a run over it alone would have,
and, of each series, its *head*: the first `window - 1` closes, or those up to the first gap. Only
these bars may get a signal from what comes before; all others are final. So the edges are small:
they grow with series times window, and not with rows.

One thing grows with rows. Without timestamps, the digest depends on the number of each bar in its
series, which a piece does not know, and a hash cannot be shifted. So the signals of such series
are handed back, four in a byte, and digested when the bars before them are known.

Edges are plain values: they compare by `==`, and can be sent to another process.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from rollsignal.core.findings import SHOWN_FINDINGS, Findings, LocatedFinding
from rollsignal.core.gaps import StepPlace, StepsSeen
from rollsignal.core.kernel import Account
from rollsignal.core.ledger import Rules
from rollsignal.core.ticks import Ticks, at_least_scale
from rollsignal.errors import JobError

_INT64, _TEXT = b"q", b"t"
_LOW_BITS = b"\x03"


class Terms(NamedTuple):
    """How pieces are decided and joined: the rules, and each check's level.

    collect_errors: whether checks go on after an error. span: the range of time that counts, from
    the first number in ns to before the second, None if all bars count. digest: whether the digest
    of the signals is wanted.
    """

    rules: Rules
    levels: Mapping[str, str]
    collect_errors: bool = False
    span: tuple[int | None, int | None] | None = None
    digest: bool = True

    @property
    def skips(self) -> bool:
        """Return whether bars without a close are left out."""
        return self.rules.missing == "skip"

    def counts(self, ns: int) -> bool:
        """Return whether a bar of this time counts; True if there is no range of time."""
        since_ns, until_ns = self.span or (None, None)
        return (since_ns is None or ns >= since_ns) and (until_ns is None or ns < until_ns)


class Head(NamedTuple):
    """The first bars of a series, whose windows begin before the piece: `closes` and `places`.

    Places are timestamps in ns or, without any, numbers from 1. Numbers are packed as
    `packed_numbers` does. is_open: whether the next bar belongs to the head too, as the head has
    fewer than `window - 1` bars, and no gap has ended it.
    """

    closes: bytes
    scale: int
    places: bytes
    is_open: bool

    @property
    def ticks(self) -> Ticks:
        """Return the closes."""
        return Ticks([*unpacked_numbers(self.closes)], self.scale)


class Unnumbered(NamedTuple):
    """The signals of the last `rows` bars of a series without timestamps, not digested so far."""

    rows: int = 0
    packed: bytes = b""


class SeriesEdges(NamedTuple):
    """One series of a piece: its account if nothing came before it, and its head.

    in_span: the account of its bars in the range of time, without a carry; None without such bars.
    """

    account: Account
    head: Head
    in_span: Account | None = None
    unnumbered: Unnumbered = Unnumbered()


class Start(NamedTuple):
    """The first bar of a series in a piece, and how to say that it is wrong.

    `ns` is None without timestamps; `zoned` is whether they are known in UTC. `messages` has the
    message for each check of its order, with `UNTOLD` where it says what is wrong; it has
    none if the check is off.
    """

    ns: int | None
    file: str
    unit: str
    row: int
    messages: Mapping[str, str]
    zoned: bool | None = None

    @property
    def step_place(self) -> StepPlace:
        """Return the place of the step that leads to the bar."""
        assert self.ns is not None, "only bars with timestamps have steps"
        return StepPlace(self.ns, self.file, self.unit, self.row)


class FirstFile(NamedTuple):
    """The first file of a piece, and whether its bars have symbols."""

    has_symbols: bool
    name: str


class Undecided(NamedTuple):
    """A check that depends on the bars before the piece, most often of the first bar of a series.

    check: symbols, of the first file, and times, overlap, order (with duplicates), in the order in
    which they are made.
    """

    check: str
    symbol: str


class Refusal(NamedTuple):
    """The error that ends a run."""

    kind: type[JobError]
    message: str
    detail: str

    @property
    def error(self) -> JobError:
        """Return the error."""
        return self.kind(self.message, self.detail)


Event = LocatedFinding | Undecided | Refusal

UNTOLD = "\0what\0"


class Edges(NamedTuple):
    """What a piece hands back.

    events: its findings and its undecided checks, in the order of the bars; a refusal is the last.
    Of each check, only the first findings are there, and `counts` counts all. After a refusal,
    nothing but the events and the starts that they need is kept. `digest` is that of the bars that
    count, except of those that are unnumbered. `first` is None without bars.
    """

    series: Mapping[str, SeriesEdges] = {}
    starts: Mapping[str, Start] = {}
    events: tuple[Event, ...] = ()
    counts: Mapping[str, int] = {}
    digest: int = 0
    steps: StepsSeen = StepsSeen({}, {})
    first: FirstFile | None = None

    @property
    def refusal(self) -> Refusal | None:
        """Return what ends the run, if anything does."""
        return refusal_in(self.events)

    def moved(self, lines: int) -> "Edges":
        """Return the edges of bars that are so many lines further down in their file.

        Messages still name the former lines.
        """
        starts = {
            symbol: start._replace(row=start.row + lines) for symbol, start in self.starts.items()
        }
        return self._replace(starts=starts, steps=self.steps.moved(lines))

    def unnumbered(self) -> "Edges":
        """Return the edges of bars whose rows have no numbers, so that none depends on a cut."""
        starts = {symbol: start._replace(row=0) for symbol, start in self.starts.items()}
        return self._replace(starts=starts, steps=self.steps.unnumbered())

    def refused(self) -> "Edges":
        """Return what is left of these edges if they end in a refusal."""
        needed = {event.symbol for event in self.events if isinstance(event, Undecided)}
        starts = {symbol: start for symbol, start in self.starts.items() if symbol in needed}
        return Edges(starts=starts, events=self.events, first=self.first)


NO_BARS = Edges()


def refusal_in(events: Sequence[Event]) -> Refusal | None:
    """Return what ends the run, if anything does: it is the last of the events."""
    last = events[-1] if events else None
    return last if isinstance(last, Refusal) else None


def report_events(events: Sequence[Event], counts: Mapping[str, int], findings: Findings) -> None:
    """Report the findings of a piece, of which `counts` counts all; raises its error."""
    rest = Counter(counts)
    for event in events:
        if isinstance(event, Refusal):
            raise event.error
        if isinstance(event, LocatedFinding):
            findings.report(event)
            rest[event.check] -= 1
    findings.counts.update(+rest)


def first_shown(events: Sequence[Event]) -> tuple[Event, ...]:
    """Return the events with only the first findings of each check."""
    times: dict[str, int] = {}
    kept: list[Event] = []
    for event in events:
        if isinstance(event, LocatedFinding):
            times[event.check] = times.get(event.check, 0) + 1
            if times[event.check] > SHOWN_FINDINGS:
                continue
        kept.append(event)
    return tuple(kept)


def head_of(closes: Sequence[int], scale: int, places: Sequence[int], *, is_open: bool) -> Head:
    """Make a head, at the least scale that holds its closes, so that equal heads are equal."""
    closes, scale = at_least_scale(closes, scale)
    return Head(packed_numbers(closes), scale, packed_numbers(places), is_open)


def packed_numbers(numbers: Sequence[int]) -> bytes:
    """Pack whole numbers of any size into bytes.

    >>> unpacked_numbers(packed_numbers([1, -(10**22)]))
    [1, -10000000000000000000000]
    """
    import numpy as np

    if not numbers:
        return b""
    try:
        return _INT64 + np.array(numbers, "<i8").tobytes()
    except OverflowError:
        return _TEXT + " ".join(map(str, numbers)).encode()


def unpacked_numbers(packed: bytes) -> list[int]:
    """Return the numbers that `packed_numbers` has packed."""
    import numpy as np

    if packed[:1] == _TEXT:
        return [int(text) for text in packed[1:].split()]
    numbers: list[int] = np.frombuffer(packed, "<i8", offset=1).tolist() if packed else []
    return numbers


def packed_signals(signals: bytes) -> Unnumbered:
    r"""Pack signals, one a byte, four into a byte.

    >>> packed_signals(bytes([2, 2, 1, 0, 1]))
    Unnumbered(rows=5, packed=b'\x1a\x01')
    """
    padded = signals + bytes(-len(signals) % 4)
    columns = (int.from_bytes(padded[at::4], "little") << 2 * at for at in range(4))
    return Unnumbered(len(signals), sum(columns).to_bytes(len(padded) // 4, "little"))


def unpacked_signals(unnumbered: Unnumbered) -> bytearray:
    """Return the signals that `packed_signals` has packed, one a byte."""
    rows, packed = unnumbered
    low = int.from_bytes(_LOW_BITS * len(packed), "little")
    whole, signals = int.from_bytes(packed, "little"), bytearray(4 * len(packed))
    for at in range(4):
        signals[at::4] = (whole >> 2 * at & low).to_bytes(len(packed), "little")
    del signals[rows:]
    return signals
