"""This module reads and decides, in one attempt, what a state does not know yet.

It finds which bars of the state were restated, and which have left their files.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from rollsignal.core.decisions import Decided
from rollsignal.core.digest import plus
from rollsignal.core.findings import Found
from rollsignal.core.listeners import Listener
from rollsignal.core.timestamps.reader import iso
from rollsignal.engines.interface import Seen, Task
from rollsignal.errors import DataError, InputError
from rollsignal.files.fingerprints import changed
from rollsignal.messages import Tell, is_url, plural, shown_path, without_secrets
from rollsignal.outputs.state.document import ReadFile, State, kept_account, kept_waiting
from rollsignal.outputs.state.history import History
from rollsignal.outputs.state.known_files import KnownFiles
from rollsignal.outputs.state.restated import Restated, restated
from rollsignal.outputs.state.stored_bars import STORED_FIELDS
from rollsignal.outputs.state.windows import Jump, among, file_series, have_left, jumps

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from rollsignal.core.waiting import WaitingBar

SHOWN_CHANGES = 5

Decide = Callable[[Task, Listener[Any]], Found]


class Attempt:
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
        kind = _history_kind(path)
        self.history = kind(path, state.generation, state.symbols, state.segments)
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


def _history_kind(path: str) -> type[History]:
    if is_url(path):
        from rollsignal.outputs.state.bars_in_store import StoredHistory

        return StoredHistory
    return History


def _without_times(file: str) -> DataError:
    return DataError(
        f"{file} has no timestamps, by which a state tells new bars from old ones",
        "name the column in the config (columns: {timestamp: NAME}), or set columns:"
        " {timestamp: none} if there is none and bars are only ever added at the ends of files",
    )
