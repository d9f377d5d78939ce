"""This module continues a state: it reads what is new, and leaves the state for the next run.

A file that was read before is recognised by its size and times, else by the SHA-256 of its bytes.
Bars that are not after the last bar of their series must be equal to those of the state. If they
are not, history was restated: that ends the run, or everything is decided again.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rollsignal.commands.former_states import refuse_unsought_symbols
from rollsignal.config.rules import NO_TIMESTAMPS
from rollsignal.core.decisions import Decided, Listener
from rollsignal.core.digest import plus
from rollsignal.core.findings import Found
from rollsignal.core.timestamps.reader import iso
from rollsignal.engines.interface import Seen, Task
from rollsignal.errors import ConfigError, DataError, InputError
from rollsignal.files.find import input_of, versions_of
from rollsignal.files.fingerprints import ReadInput, changed, is_there
from rollsignal.files.open import identity
from rollsignal.messages import QUERY_LEFT_OUT, Tell, is_url, plural, shown_path, without_secrets
from rollsignal.outputs.interface import RunReport
from rollsignal.outputs.signals.counts import KnownSignals
from rollsignal.outputs.state.document import (
    ReadFile,
    State,
    check_settings,
    kept_account,
    kept_settings,
    kept_waiting,
    load_state,
    save_state,
)
from rollsignal.outputs.state.history import History
from rollsignal.outputs.state.known_files import KnownFiles, check_tables
from rollsignal.outputs.state.restated import Restated, flips, restated
from rollsignal.outputs.state.stored_bars import STORED_FIELDS
from rollsignal.outputs.state.windows import Jump, among, file_series, have_left, jumps

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rollsignal.core.waiting import WaitingBar
    from rollsignal.outputs.signals.writer import Signals

SHOWN_CHANGES = 5

Decide = Callable[[Task, Listener[Any]], Found]


class Resumed:
    """The state at a path, which a run continues and then replaces.

    signals: the signals that the run writes, which continue those of the state.
    """

    flag = "--state"

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
        self._attempt: _Attempt | None = None

    def begin(self) -> None:
        """Load the state; raises `DataError`, `ConfigError` or `InputError`."""
        self._state = load_state(self.path) or self._state
        check_settings(self.path, self._state, self._task.config)
        check_tables(self._state, self._task.inputs)
        # The same settings, or one that says what was so before: that there are no symbols.
        self._state = self._state._replace(settings=kept_settings(self._task.config))
        if self._signals:
            state = self._state
            self._signals.follow(KnownSignals(state.accounts, state.digest, state.written))

    def listener(self) -> None:
        """Return None: the listener is made with each attempt to decide."""

    def decide(self, decide: Decide, tell: Tell) -> Found:
        """Decide what is new; return what a run over everything would find.

        decide: has an engine decide a task, with one listener more than those of the run. Raises
        `DataError` where history was restated and `on_restatement` is error.
        """
        refuse_unsought_symbols(self._state, self._task)
        self._attempt = attempt = _Attempt(self.path, self._state, self._task)
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

    def _decide_all(self, former: "_Attempt", decide: Decide, tell: Tell) -> Found:
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
        self._attempt = _Attempt(self.path, empty, task)
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

    def finish(self, report: RunReport) -> None:
        """Replace the state by the new one; raises `DiskError`."""
        assert self._attempt, "a state follows decide"
        written = self._signals.written if self._signals else None
        save_state(self.path, self._attempt.state()._replace(written=written))
        self._attempt.history.forget_others()

    def abandon(self) -> None:
        """Close what is open."""
        if self._attempt:
            self._attempt.close()


class _Attempt:
    """One attempt to read and decide all that the state does not know yet."""

    def __init__(self, path: str, state: State, task: Task) -> None:
        files = KnownFiles(state, task.config)
        self._state = state
        self._task = task
        self._known = {file.path: files.found(file.path) for file in task.inputs}
        renamed = {file.former: path for path, file in self._known.items()}
        self._files = {renamed.get(file.path, file.path): file for file in state.inputs}
        self._waiting = [
            bar._replace(file=renamed.get(bar.file, bar.file)) for bar in state.waiting
        ]
        self.read: set[str] = set()
        # Files are numbered in the order in which the state holds them.
        every = {**self._files, **self._known}
        self._numbers = {path: number for number, path in enumerate(every)}
        self._old: list[NDArray[np.void]] = []
        self._left: dict[str, int] = {}
        self._jumps: list[Jump] = []
        self._found: Found | None = None
        # Opened last, so that no failure above leaves it open.
        self.history = History(path, state.generation, state.symbols, state.segments)
        self.history.files = self._numbers

    def close(self) -> None:
        """Close the file of all bars."""
        self.history.close()

    @property
    def all(self) -> list[ReadFile]:
        """Return all files that were ever read."""
        left = self._left
        return [file._replace(left=left.get(path, file.left)) for path, file in self._files.items()]

    def decide(self, decide: Decide) -> Found:
        """Read and decide what is not known; raises `DiskError` if a file changes meanwhile."""
        known_files = self._known
        new = [file for file in self._task.inputs if known_files[file.path].kind != "known"]
        task = self._task._replace(
            inputs=new,
            known=self._state.accounts,
            seen={file.path: self._seen(file.path) for file in new},
            take_old=self._take_old,
            waiting=self._waiting,
            digest=True,
        )
        found = decide(task, self.history)
        if found.untimed and task.config.needs_timestamps:
            raise _without_times(found.accounts[found.untimed[0]].last_file)
        for bar in found.waiting:
            if bar.ns is None:
                raise _without_times(bar.file)
        for file in self._task.inputs:
            read = known_files[file.path].file
            if file.path in found.files:
                self.read.add(file.path)
                read = read._replace(rows=found.files[file.path].rows)
                if not known_files[file.path].is_unchanged():
                    raise changed(file.path)
            self._files[file.path] = read
        digest = plus(self._state.digest, found.digest or 0)
        self._found = found._replace(digest=digest)
        return self._found

    def _seen(self, path: str) -> Seen:
        file = self._known[path]
        rows = file.file.rows
        return Seen(left_out=rows) if file.kind == "grown" else Seen(old=rows)

    def _take_old(self, bars: Decided) -> None:
        self._old.append(self.history.bars_of(bars))

    def restated(self) -> list[Restated]:
        """List the changes of bars that the state or another file has already."""
        changes = [
            self._numbers[path] for path, file in self._known.items() if file.kind == "changed"
        ]
        if not (self._old or changes):
            return []
        import numpy as np

        # A file that has changed must still have its bars that the state knows, from its first on.
        known, all_bars = self.known(), self.decided()
        count, now = len(known), np.concatenate([all_bars[:0], *self._old])
        same = among(all_bars, now)
        has_left = self._have_left(known, all_bars[count:], changes)
        same[:count] |= np.isin(known["file"], changes) & ~has_left
        found = restated(all_bars[same], now, self.history.symbols)
        return [change._replace(is_timed=self._is_timed(change.symbol)) for change in found]

    def _have_left(
        self, known: "NDArray[np.void]", new: "NDArray[np.void]", changes: Sequence[int]
    ) -> "NDArray[np.bool_]":
        """Return which known bars have left those of their files that have changed."""
        import numpy as np

        waiting = self._waiting_bars(self._found.waiting if self._found else ())
        new, left_waiting = np.concatenate([new, waiting]), self._waiting_bars(self._waiting)
        present = np.concatenate([new, *self._old])
        present = present[np.isin(present["file"], changes)]
        left = np.isin(known["file"], changes) & have_left(known, present)
        counts = np.bincount(known["file"][left], minlength=len(self._numbers)).tolist()
        paths = self.paths
        self._left = {paths[number]: counts[number] for number in changes}
        of_files = present[np.isin(file_series(present), np.unique(file_series(known[left])))]
        of_files = of_files[~among(of_files, left_waiting)]
        every = np.concatenate([known, left_waiting])
        self._jumps = jumps(every, new[~among(new, left_waiting)], of_files, self.history.symbols)
        return left

    def _waiting_bars(self, waiting: "Sequence[WaitingBar]") -> "NDArray[np.void]":
        """Return bars that wait as they would be stored, without their closes."""
        import numpy as np

        numbers = {symbol: number for number, symbol in enumerate(self.history.symbols)}
        bars = np.zeros(len(waiting), STORED_FIELDS)
        for at, bar in enumerate(waiting):
            bars["series"][at] = numbers.get(bar.symbol, -1)
            bars["file"][at] = self._numbers[bar.file]
            bars["place"][at] = bar.ns or 0
        return bars

    @property
    def paths(self) -> list[str]:
        """Return the paths of all files, by their numbers."""
        return list(self._numbers)

    def tell_windows(self, tell: Tell) -> None:
        """Tell that bars have left files, and where bars may be missing."""
        for path, count in self._left.items():
            if count:
                text = f"{plural(count, 'bar')} of earlier runs have left it, and count as before"
                tell("INFO", f"{shown_path(path)}: {text}")
        for jump in self._jumps[:SHOWN_CHANGES]:
            of = f" of {jump.symbol}" if jump.symbol else ""
            where = f"between {iso(jump.last_ns)} and {iso(jump.first_ns)}"
            text = f"it does not have the last known bar{of} any more, so bars may be missing"
            tell("WARNING", f"{shown_path(self.paths[jump.file])}: {text} {where}")
        if len(self._jumps) > SHOWN_CHANGES:
            more = len(self._jumps) - SHOWN_CHANGES
            tell("WARNING", f"bars may be missing in {more:,} more series")

    def tell_unread(self, tell: Tell) -> None:
        """Tell which bars count with the close that they had as the newest of their file."""
        kinds = {path: file.kind for path, file in self._known.items()}
        # A file that has grown still has the bars that it had.
        unread = [
            bar
            for bar in (self._found.unread if self._found else ())
            if kinds.get(bar.file) != "grown"
        ]
        lost = [bar for bar in unread if kinds.get(bar.file) == "changed"]
        if len(unread) > len(lost):
            count = len(unread) - len(lost)
            what = "bars that waited, and that no file has again, count as they were"
            tell("INFO", f"{what}: {count:,}")
        for bar in lost[:SHOWN_CHANGES]:
            of, at = f" of {bar.symbol}" if bar.symbol else "", iso(bar.ns or 0)
            text = f"the bar{of} at {at} has left it while it waited, and counts as it was then"
            tell("WARNING", f"{shown_path(bar.file)}: {text}, perhaps unfinished")
        if len(lost) > SHOWN_CHANGES:
            more = len(lost) - SHOWN_CHANGES
            tell("WARNING", f"{more:,} more bars have left their file while they waited")

    def refuse_lost(self, known: "NDArray[np.void]", paths: Sequence[str]) -> None:
        """Raise `InputError` if bars that were known have left their files.

        known: all of these bars; paths: those of their files, by number.
        """
        import numpy as np

        waiting = self._waiting_bars(self._found.waiting if self._found else ())
        present = np.concatenate([self.decided(), *self._old, waiting])
        lost = known[~among(known, present)]
        numbers = [self._numbers.get(path, -1) for path in paths]
        lost["file"] = np.array(numbers)[lost["file"]]
        lost = lost[have_left(lost, present)]
        if len(lost):
            name = shown_path(self.paths[int(lost["file"][0])])
            bars = plural(len(lost), "bar")
            raise InputError(
                f"History was restated, and {bars} that the state has read have left their files",
                f"path: {name}; put a file that has them beside it, or start again with another"
                " state file",
            )

    def _is_timed(self, symbol: str) -> bool:
        """Return whether the places of a series are times, even if they are before 1970."""
        account = self._found.accounts.get(symbol) if self._found else None
        return account is not None and account.last_ns is not None

    def known(self, *, with_waiting: bool = False) -> "NDArray[np.void]":
        """Return all bars that the state knew before; those that wait are without closes."""
        import numpy as np

        bars = self.history.bars()
        return np.concatenate([bars, self._waiting_bars(self._waiting)]) if with_waiting else bars

    def decided(self) -> "NDArray[np.void]":
        """Return all bars that have been decided so far."""
        return self.history.bars(everything=True)

    def state(self) -> State:
        """Build the state to be saved."""
        assert self._found, "a state follows decide"
        return State(
            self._state.settings,
            {symbol: kept_account(each) for symbol, each in self._found.accounts.items()},
            self._found.digest or 0,
            tuple(file._replace(path=without_secrets(file.path)) for file in self.all),
            tuple(self.history.symbols),
            self.history.finish(),
            self._state.generation,
            sought_symbols=self._state.sought_symbols or self._task.config.columns.symbol is None,
            waiting=tuple(map(kept_waiting, self._found.waiting)),
        )


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


def _without_times(file: str) -> DataError:
    return DataError(
        f"{file} has no timestamps, by which a state tells new bars from old ones",
        "name the column in the config (columns: {timestamp: NAME}), or set columns:"
        " {timestamp: none} if there is none and bars are only ever added at the ends of files",
    )


def _disagree(changes: Sequence[Restated]) -> DataError:
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
