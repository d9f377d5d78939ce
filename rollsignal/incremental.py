"""This module is the story of a run that continues a state: it reads what is new, and only that.

A file that was read is known by its size and times, else by the SHA-256 of its bytes. Bars at or
before the place that their series has reached must be those that the state knows: else history
was restated, which ends the run, or has everything decided anew.
"""

import os
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Self

from rollsignal.engines.book import Book
from rollsignal.engines.digester import Digester
from rollsignal.engines.doubts import Tell
from rollsignal.engines.gate import First, Gate, Take
from rollsignal.engines.inputs import Inputs
from rollsignal.engines.local import Result, Start, Watch, decide
from rollsignal.engines.rows import Emit, Rows
from rollsignal.errors import ConfigError, DataError, InputError, plural, shown_path
from rollsignal.fingerprints import changed
from rollsignal.known import Found, Kind, Known
from rollsignal.regular_files import identity
from rollsignal.restated import Restated, flips, restated
from rollsignal.sinks.history import History
from rollsignal.sinks.parts import Known as KnownSignals
from rollsignal.sinks.parts import Written
from rollsignal.sinks.state import (
    InputFile,
    State,
    check_settings,
    kept_settings,
    load_state,
    save_state,
)
from rollsignal.timestamps import iso

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SHOWN = 5


class Continuation:
    """A run that continues the state at a path; `save` puts the new state in its place.

    Used in a `with` statement.
    """

    def __init__(self, path: str, inputs: Inputs, tell: Tell) -> None:
        """Load the state; raises `DataError`, `ConfigError` or `InputError`."""
        if inputs.config.sort:
            raise ConfigError("A state is continued in the order of the bars: set sort: false")
        for check in ("order", "duplicates"):
            if getattr(inputs.config.checks, check) != "error":
                what = "A state tells new bars from old ones by their times"
                raise ConfigError(f"{what}: set checks: {{{check}: error}}")
        self._path = path
        self._inputs = inputs
        self._tell = tell
        self._state = load_state(path) or State(kept_settings(inputs.config), {})
        check_settings(path, self._state, inputs.config)
        self._attempt: _Attempt | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        if self._attempt:
            self._attempt.close()

    def decide(
        self, emits: Sequence[Emit], watch: Watch | None, begin_anew: Callable[[], None] | None
    ) -> Result:
        """Decide what is new; return what a run over everything would find.

        begin_anew: called if all that was emitted is to be emitted again, with the rest.

        Raises `DataError` where history was restated and `on_restatement` is error.
        """
        self._attempt = attempt = _Attempt(self._path, self._state, self._inputs)
        result = attempt.decide(self._tell, emits, watch)
        changes = attempt.restated()
        if not changes:
            return result
        if not self._state.series:
            raise _disagree(changes)
        message = _told(changes)
        if self._inputs.config.on_restatement == "error":
            hint = "set on_restatement: recompute to decide everything anew"
            raise DataError(f"History was restated: {message}", hint)
        self._tell("WARNING", f"history was restated: {message}")
        if begin_anew:
            begin_anew()
        return self._anew(emits, watch)

    @property
    def known(self) -> KnownSignals:
        """Tell which signals the state knew before."""
        return KnownSignals(self._state.series, self._state.digest, self._state.written)

    @property
    def files(self) -> list[InputFile]:
        """List all files that were ever read, in the order in which they were."""
        assert self._attempt, "files follow decide"
        return list(self._attempt.files.values())

    @property
    def digest(self) -> int:
        """Return the digest of all signals that were ever decided."""
        assert self._attempt, "the digest follows decide"
        return self._attempt.digester.digest

    def save(self, written: Written | None) -> None:
        """Put the new state in the place of the former; raises `DiskError`.

        written: the partitions of signals that there are now.
        """
        assert self._attempt, "save follows decide"
        save_state(self._path, self._attempt.state()._replace(written=written))
        self._attempt.history.forget_others()

    def _anew(self, emits: Sequence[Emit], watch: Watch | None) -> Result:
        """Decide everything that the state and this run have read, from the start."""
        assert self._attempt
        before, numbers = self._attempt.known(), self._attempt.history.symbols
        self._attempt.close()
        paths = {identity(file.path): file.path for file in self._state.inputs}
        paths |= {identity(path): path for path in self._inputs.paths}
        gone = [path for path in paths.values() if not os.path.exists(path)]
        if gone:
            raise InputError(
                "History was restated, and a file that the state has read is gone",
                f"path: {shown_path(gone[0])}",
            )
        empty = State(self._state.settings, {}, generation=self._state.generation + 1)
        inputs = self._inputs.of(list(paths.values()))
        empty = empty._replace(symbols=tuple(numbers))
        self._attempt = _Attempt(self._path, empty, inputs)
        result = self._attempt.decide(self._tell, emits, watch)
        if changes := self._attempt.restated():
            raise _disagree(changes)
        count = flips(before, self._attempt.decided())
        self._tell("WARNING", f"decided anew: {count:,} signals of bars known before have flipped")
        return result


class _Attempt:
    """One reading of all that is not known yet."""

    def __init__(self, path: str, state: State, inputs: Inputs) -> None:
        known = Known(state, inputs.config)
        self.generation = state.generation
        self._state = state
        self._inputs = inputs
        self._found = {path: known.found(path) for path in inputs.paths}
        renamed = {found.former: path for path, found in self._found.items()}
        self.files = {renamed.get(file.path, file.path): file for file in state.inputs}
        # Files are numbered in the order in which the state holds them.
        every = {**self.files, **self._found}
        self._numbers = {path: number for number, path in enumerate(every)}
        self.digester = Digester(state.digest)
        self._old: list[tuple[Kind, NDArray[np.void]]] = []
        self._result: Result | None = None
        # Opened last, so that nothing that fails leaves it open.
        self.history = History(path, state.generation, state.symbols, state.segments)

    def close(self) -> None:
        """Close the file of all bars."""
        self.history.close()

    def decide(self, tell: Tell, emits: Sequence[Emit], watch: Watch | None) -> Result:
        """Read and decide what is not known; raises `DiskError` for a file that changes then."""
        fresh = [path for path in self._inputs.paths if self._found[path].kind != "known"]
        gates: dict[str, Gate] = {}

        def gate(path: str, book: Book) -> Take:
            self.history.file = self._numbers[path]
            gates[path] = self._gate(self._found[path], book)
            return gates[path]

        start = Start(self._state.series, gate)
        listening: list[Emit] = [*emits, self.digester, self.history]
        result = decide(self._inputs.of(fresh), tell, _to_all(listening), watch, start)
        for path in self._inputs.paths:
            file = self._found[path].file
            if path in gates:
                file = file._replace(rows=gates[path].rows)
                if not self._found[path].is_unchanged():
                    raise changed(path)
            self.files[path] = file
        self._result = result
        return result

    def _gate(self, found: Found, book: Book) -> Gate:
        def old(rows: Rows) -> None:
            self._old.append((found.kind, self.history.bars_of(rows)))

        if found.kind == "grown":
            return Gate(book, old, First(left_out=found.file.rows))
        return Gate(book, old, First(old=found.file.rows))

    def restated(self) -> list[Restated]:
        """List what was changed of the bars that are known, from the state or from other files."""
        changed = [self._numbers[p] for p, found in self._found.items() if found.kind == "changed"]
        if not (self._old or changed):
            return []
        import numpy as np

        # Only what the state knows of a file that has changed must still be there.
        count, every = len(self.known()), self.decided()
        now = np.concatenate([every[:0], *(bars for _, bars in self._old)])
        others = [bars for kind, bars in self._old if kind != "changed"]
        places = np.unique(np.concatenate([every[:0], *others])[["series", "place"]])
        same = np.isin(every[["series", "place"]], places)
        same[:count] |= np.isin(every["file"][:count], changed)
        return restated(every[same], now, self.history.symbols)

    def known(self) -> "NDArray[np.void]":
        """Return all bars that the state knew before."""
        return self.history.bars()

    def decided(self) -> "NDArray[np.void]":
        """Return all bars that are decided by now."""
        return self.history.bars(everything=True)

    def state(self) -> State:
        """Build the state to be saved."""
        assert self._result
        return State(
            self._state.settings,
            self._result.series,
            self.digester.digest,
            tuple(self.files.values()),
            tuple(self.history.symbols),
            self.history.finish(),
            self.generation,
        )


def _to_all(emits: Iterable[Emit]) -> Emit:
    def emit(rows: Rows) -> None:
        for hear in emits:
            hear(rows)

    return emit


def _disagree(changes: Sequence[Restated]) -> DataError:
    return DataError(
        f"Input files disagree on bars that several of them have: {_told(changes)}",
        "leave out or mend the one that is wrong",
    )


def _told(changes: Sequence[Restated]) -> str:
    more = f", and {len(changes) - SHOWN:,} more series" if len(changes) > SHOWN else ""
    return "; ".join(map(_shown, changes[:SHOWN])) + more


def _shown(change: Restated) -> str:
    of = f" of {change.symbol}" if change.symbol else ""
    at = iso(change.place) if change.place > 10**9 else f"bar {change.place}"
    return f"{plural(change.bars, 'bar')}{of} from {at} on"
