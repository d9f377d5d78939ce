"""This module continues a state: it reads what is new, and leaves the state for the next run.

A file that was read before is recognised by its size and times, else by the SHA-256 of its bytes.
Bars that are not after the last bar of their series must be equal to those of the state. If they
are not, history was restated: that ends the run, or everything is decided again.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rollsignal.commands.attempt import SHOWN_CHANGES, Attempt, Decide
from rollsignal.commands.completing import promises, refuse_unfinished, seen_from_state
from rollsignal.commands.former_states import refuse_unsought_symbols
from rollsignal.config.rules import NO_TIMESTAMPS
from rollsignal.core.findings import Found
from rollsignal.core.timestamps.reader import iso
from rollsignal.engines.interface import Task
from rollsignal.errors import ConfigError, DataError, DiskError, InputError, ScarcityError
from rollsignal.files.find import input_of, versions_of
from rollsignal.files.fingerprints import Fingerprint, ReadInput, is_there
from rollsignal.files.open import identity
from rollsignal.files.staged import perhaps_kept
from rollsignal.messages import QUERY_LEFT_OUT, Tell, is_url, plural, shown_path
from rollsignal.outputs.interface import RunReport
from rollsignal.outputs.signals.counts import KnownSignals
from rollsignal.outputs.state.document import ReadFile, State, load_version, save_state
from rollsignal.outputs.state.history import forget_others
from rollsignal.outputs.state.known_files import check_tables
from rollsignal.outputs.state.restated import Restated, flips
from rollsignal.outputs.state.settings import check_settings, kept_settings

if TYPE_CHECKING:
    from rollsignal.outputs.signals.writer import Signals


class Resumed:
    """The state at a path, which a run continues and then replaces.

    signals: the signals that the run writes, which continue those of the state.
    """

    flag = "--state"
    stale = ()

    def __init__(self, path: str, task: Task, signals: "Signals | None") -> None:
        """Name the state; raises `ConfigError` for settings with which it cannot be continued."""
        if task.config.sort:
            hint = (
                "set sort: false, with order: newest_first if each file stands so; sort other bars"
                " before they are read"
            )
            raise ConfigError("A state cannot be continued with sort: true", hint)
        for check in ("order", "duplicates"):
            if getattr(task.config.checks, check) != "error":
                reason = "A state tells new bars from old ones by their times"
                raise ConfigError(f"{reason}: set checks: {{{check}: error}}")
        if task.config.open_bars and task.config.columns.timestamp == NO_TIMESTAMPS:
            hint = "name their column under columns, or set open_bars: 0"
            raise ConfigError("A state needs timestamps to know the bars that wait", hint)
        self.path = path
        self._task = task
        self._signals = signals
        self._state = State(kept_settings(task.config), {})
        self._version: Fingerprint | None = None
        self._attempt: Attempt | None = None

    def begin(self) -> None:
        """Load the state; raises `DataError`, `ConfigError` or `InputError`."""
        state, self._version = load_version(self.path)
        self._state = state or self._state
        refuse_unfinished(self.path, self._state)
        check_settings(self.path, self._state, self._task.config)
        check_tables(self._state, self._task.inputs)
        # The same settings, or one that says what was so before: that there are no symbols.
        self._state = self._state._replace(settings=kept_settings(self._task.config))
        if self._signals:
            state = self._state
            known = KnownSignals(state.accounts, state.digest, state.written, state.signals)
            self._signals.follow(known)

    def listener(self) -> None:
        """Return None: the listener is made with each attempt to decide."""

    def decide(self, decide: Decide, tell: Tell) -> Found:
        """Decide what is new; return what a run over everything would find.

        decide: has an engine decide a task, with one listener more than those of the run. Raises
        `DataError` where history was restated and `on_restatement` is error.
        """
        refuse_unsought_symbols(self._state, self._task)
        self._attempt = attempt = Attempt(self.path, self._state, self._task)
        found = attempt.decide(decide)
        changes = attempt.restated()
        if not changes:
            attempt.tell_windows(tell)
            attempt.tell_unread(tell)
            return found
        if not self._state.accounts:
            raise _disagree(changes)
        message = _shown_changes(changes)
        if self._task.config.on_restatement == "error":
            hint = "set on_restatement: recompute to decide everything again"
            raise DataError(f"History was restated: {message}", hint)
        tell("WARNING", f"history was restated: {message}")
        if self._signals:
            self._signals.begin_again()
        return self._decide_all(attempt, decide, tell)

    def _decide_all(self, former: "Attempt", decide: Decide, tell: Tell) -> Found:
        """Decide everything that the state and this run have read, from the start."""
        known_bars, symbols = former.known(), former.history.symbols
        former_bars, former_files = former.known(with_waiting=True), former.paths
        former.close()
        paths = {identity(file.path): file.path for file in self._state.inputs}
        paths |= {identity(file.path): file.path for file in self._task.inputs}
        for path in paths.values():
            if path.endswith(QUERY_LEFT_OUT):
                raise InputError(
                    "History was restated, and a URL that the state has read had a query, which a"
                    " state does not keep",
                    f"path: {shown_path(path)}; name it as an input again",
                )
        gone = [path for path in paths.values() if not is_there(path)]
        if gone:
            raise InputError(
                "History was restated, and a file that the state has read is gone",
                f"path: {shown_path(gone[0])}",
            )
        empty = State(
            self._state.settings,
            {},
            symbols=tuple(symbols),
            generation=self._state.generation + 1,
        )
        task = self._task._replace(inputs=list(map(input_of, paths.values())))
        self._attempt = Attempt(self.path, empty, task)
        found = self._attempt.decide(decide)
        if changes := self._attempt.restated():
            raise _disagree(changes)
        self._attempt.refuse_lost(former_bars, former_files)
        count = flips(known_bars, self._attempt.decided())
        tell("WARNING", f"decided again: {count:,} signals of earlier bars have flipped")
        return found

    @property
    def inputs(self) -> list[ReadInput]:
        """Return all files that were ever read, in the order of reading."""
        assert self._attempt, "files follow decide"
        versions = versions_of(self._task.inputs)
        return [
            _read_input(file, file.path in self._attempt.read)._replace(
                version=versions.get(file.path)
            )
            for file in self._attempt.all
        ]

    def finish(self, report: RunReport) -> Mapping[str, Fingerprint]:
        """Replace the state by the new one, which promises the signals; raises `DiskError`."""
        assert self._attempt, "a state follows decide"
        state = self._attempt.state()
        if self._signals:
            pending = seen_from_state(self.path, self._signals.promise())
            written, files = self._signals.written, self._signals.files
            state = state._replace(written=written, pending=pending, signals=files)
            # Whether this step was done is asked of the disk: it may end in the middle of it.
            self._signals.promised(lambda: promises(self.path, pending))
        try:
            there = save_state(self.path, state, self._version)
        except (DiskError, ScarcityError) as problem:
            is_promised = state.pending and promises(self.path, state.pending)
            raise perhaps_kept(problem) if is_promised else problem from problem.__cause__
        if there is None:
            forget_others(self.path, state.generation)
            return {}
        return {self.path: there, **self._attempt.history.delivered}

    def tidy(self) -> None:
        """Do nothing: what belongs to earlier states is removed with the state."""

    def abandon(self) -> None:
        """Close what is open."""
        if self._attempt:
            self._attempt.close()


def _read_input(file: ReadFile, is_read: bool) -> ReadInput:
    """Describe a file that a state knows, whether this run has read it or one before."""
    if not file.sha256:
        return ReadInput(file.path, rows=file.rows, left=file.left)
    read = ReadInput(file.path, file.size, sha256=file.sha256, rows=file.rows, left=file.left)
    by = "stat"
    # The times of a file that was written just before are not kept.
    if is_url(file.path):
        by = "etag" if file.stamp else "sha256"
        read = read._replace(etag=str(file.stamp[1]) if file.stamp else None)
    elif file.stamp:
        mtime_ns, ctime_ns, inode = map(int, file.stamp[1:])
        read = read._replace(mtime_ns=mtime_ns, ctime_ns=ctime_ns, inode=inode)
    return read._replace(sha256_after=file.sha256, compared_by=by if is_read else "state")


def _disagree(changes: Sequence[Restated]) -> DataError:
    if all(change.added == change.bars for change in changes):
        return DataError(
            f"Input files have bars between those of other files: {_shown_changes(changes)}",
            "put all bars of these series into one file, in the order of their times",
        )
    return DataError(
        f"Input files disagree on bars that several of them have: {_shown_changes(changes)}",
        "leave out or correct the wrong one",
    )


def _shown_changes(changes: Sequence[Restated]) -> str:
    more = (
        f", and {len(changes) - SHOWN_CHANGES:,} more series"
        if len(changes) > SHOWN_CHANGES
        else ""
    )
    return "; ".join(map(_shown_change, changes[:SHOWN_CHANGES])) + more


def _shown_change(change: Restated) -> str:
    of = f" of {change.symbol}" if change.symbol else ""
    at = iso(change.place) if change.is_timed else f"bar {change.place}"
    gone = "gone" if change.gone == change.bars else f"{change.gone:,} of them gone"
    return f"{plural(change.bars, 'bar')}{of} from {at} on" + (f", {gone}" if change.gone else "")
