"""This module completes what a killed run had begun: it puts signals in place that a state has.

A run saves the state before it puts the signals in their places. From that moment on it has
happened, and the next run on the state, whatever it reads, does first what is left of it.
"""

import os
from collections.abc import Sequence

from rollsignal.errors import DataError, JobError
from rollsignal.files.locks import held
from rollsignal.files.staged import Promise, kept_by_state, unkept
from rollsignal.messages import is_url
from rollsignal.outputs.state.document import State, load_head
from rollsignal.outputs.state.history import forget_others


def complete(state_path: str, locked: Sequence[str]) -> None:
    """Do what the last run on a state has left to do; `locked` are the outputs of this run.

    A damaged state is left to those who need it. Raises `DiskError` if the signals
    cannot be put in place, `BusyError` or `OutputError` if they cannot be locked.
    """
    state = _head_of(state_path)
    if state is None:
        return
    if is_url(state_path):
        from rollsignal.outputs.state.bars_in_store import forget_unnamed

        forget_unnamed(state_path, state.segments)
    else:
        forget_others(state_path, state.generation)
    if state.pending is None:
        return
    promise = seen_from_here(state_path, state.pending)
    if promise.is_kept():
        return
    output = os.path.join(promise.into, "signals" if state.written else promise.files[0])
    is_locked = is_url(output) or os.path.realpath(output) in map(os.path.realpath, locked)
    with held([] if is_locked else [output]):
        _keep(promise, state)


def _head_of(state_path: str) -> State | None:
    try:
        return load_head(state_path)
    except DataError:
        return None


def _keep(promise: Promise, state: State) -> None:
    try:
        promise.put_in_place(once_more=True)
        if state.written:
            from rollsignal.outputs.signals.partitions import remove_stale, remove_stale_objects

            name = f"signals{state.written.suffix}"
            remove = remove_stale_objects if is_url(promise.into) else remove_stale
            remove(promise.into, name, state.written.parts.__contains__)
    except OSError as problem:
        raise unkept(promise.into, problem) from problem
    except JobError as problem:
        raise (kept_by_state(problem) if is_url(promise.into) else problem) from problem
    promise.end()


def refuse_unfinished(state_path: str, state: State) -> None:
    """Raise `BusyError` where another run is putting what it has saved in a store in place."""
    if is_url(state_path) and state.pending and not state.pending.is_kept():
        from rollsignal.files.uploads import replaced_meanwhile

        raise replaced_meanwhile(state_path)


def promises(state_path: str, promise: Promise) -> bool:
    """Return whether a state promises this, or may do so: a disk or store may not say."""
    try:
        state = load_head(state_path)
    except JobError:
        return True
    return state is not None and state.pending == promise


def seen_from_state(state_path: str, promise: Promise) -> Promise:
    """Return a promise with its folder as it is seen from that of a state: both may be moved."""
    if is_url(state_path) or is_url(promise.into):
        return promise
    return promise._replace(into=os.path.relpath(promise.into, _folder_of(state_path)))


def seen_from_here(state_path: str, promise: Promise) -> Promise:
    """Return the promise of a state with the path of its folder."""
    if is_url(state_path) or is_url(promise.into):
        return promise
    folder = os.path.join(_folder_of(state_path), promise.into)
    return promise._replace(into=os.path.realpath(folder))


def _folder_of(state_path: str) -> str:
    return os.path.dirname(os.path.realpath(state_path))
