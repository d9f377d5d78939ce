"""This module tells which tasks may be cut into pieces."""

from collections.abc import Container, Sequence
from typing import TYPE_CHECKING, Any

from rollsignal.config.settings import JobConfig
from rollsignal.engines.interface import Task

if TYPE_CHECKING:
    from rollsignal.core.listeners import Listener


def can_be_cut(
    task: Task, listeners: "Sequence[Listener[Any]]", kinds: Container[str] = ("file",)
) -> bool:
    """Return whether the bars of a task may be decided in pieces, from these kinds of inputs.

    A check that collects errors goes on with other bars than a piece that ends with one. Bars that
    an earlier run has seen must be new by their times, and their order be checked, so that it is an
    error if they are not. Which bars are the newest of their series is only known at the end.
    """
    if not _is_read_in_order(task.config) or task.config.open_bars:
        return False
    if task.collect_errors or task.doubts:
        return False
    if task.seen is not None and not _may_be_new(task):
        return False
    are_files = all(file.kind in kinds for file in task.inputs)
    sends = all(hasattr(listener, "sent_part") for listener in listeners)
    return are_files and sends


def _is_read_in_order(config: JobConfig) -> bool:
    """Return whether bars are decided as they stand, and none is left out for another."""
    return not (config.sort or config.is_newest_first or config.duplicates != "keep")


def _may_be_new(task: Task) -> bool:
    """Return whether all bars may be new, and it is an error if one is not after those before."""
    levels = task.levels or task.config.checks._asdict()
    is_checked = levels["order"] == levels["duplicates"] == "error"
    return is_checked and not any(map(any, (task.seen or {}).values()))
